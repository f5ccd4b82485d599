"""The sentences of a plan: what is a target in them and what is not, where it stands, what it speaks of."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plans import STEMS, four_plans, printed

from qyx_analysis import catalogue
from qyx_analysis.documents import Document
from qyx_analysis.layouts import read_table
from qyx_analysis.problems import DataError
from qyx_analysis.tidy.reading import Plan, read_plan
from qyx_analysis.wings.sentences.facts import read_departments, read_said
from qyx_analysis.wings.sentences.governance import department_rows, read_governance
from qyx_analysis.wings.sentences.targets import compare_with_table, link_targets, printed_value, prose_targets

SHOWN = ["metric", "operator", "value", "unit", "year"]


def document(text: str) -> Document:
    return Document("plan.txt", "plan", "", tuple(text.split("\n")))


def read(text: str) -> pd.DataFrame:
    return prose_targets(document(text), "330213")


def read_targets(path: Path) -> pd.DataFrame:
    plan = read_plan(path)
    return prose_targets(plan.document, plan.region, plan.table)


def shown(text: str) -> list[list[Any]]:
    return read(text)[SHOWN].astype(object).where(lambda t: t.notna(), None).values.tolist()


# --- what is a target -------------------------------------------------------------------------------------

TARGETS = {
    "到2027年，入园率达到95%。": [["入园率", "=", 95, "%", 2027]],
    "到2027年，入园率达到95%以上，低龄率保持在５％以内。": [
        ["入园率", ">=", 95, "%", 2027],
        ["低龄率", "<=", 5, "%", 2027],
    ],
    "到2027年,入园率达到95%以上;床位不少于30张.": [["入园率", ">=", 95, "%", 2027], ["床位", ">=", 30, "张", 2027]],
    "死亡率控制在 1‰ 以下。": [["死亡率", "<=", 1, "‰", None]],
    "死亡率控制在9.0%。": [["死亡率", "<=", 9, "%", None]],
    "筛查病种由4种增至29种。": [["筛查病种", "=", 29, "种", None]],
    "预期寿命从2022年的81.2岁提高到2027年的82.5岁。": [["预期寿命", "=", 82.5, "岁", 2027]],
    "平均预期受教育年限达到15.6年。": [["平均预期受教育年限", "=", 15.6, "年", None]],
    # actions and changes
    "新增小学学位1,500个、初中学位200个。": [
        ["新增小学学位", "=", 1500, "个", None],
        ["初中学位", "=", 200, "个", None],
    ],
    "建成2个社区食堂、3个照料中心和1所学校。": [
        ["社区食堂", "=", 2, "个", None],
        ["照料中心", "=", 3, "个", None],
        ["学校", "=", 1, "所", None],
    ],
    "规范建成针灸科、推拿科等6个特色专科。": [["特色专科", "=", 6, "个", None]],
    "建成一家综合医院。": [["综合医院", "=", 1, "家", None]],
    "新建养老院十二家。": [["新建养老院", "=", 12, "家", None]],
    "床位增加800张以上。": [["床位增加", ">=", 800, "张", None]],
    "报销比例提高5个百分点。": [["报销比例提高", "=", 5, "个百分点", None]],
    "力争1个重点专科落户我市。": [["重点专科落户我市", "=", 1, "个", None]],
    "每个片区至少有1家乐龄中心。": [["乐龄中心", ">=", 1, "家", None]],
    "完成总投资7.77亿元以上的公共服务项目。": [["公共服务项目", ">=", 7.77, "亿元", None]],
    "培训护理员100余名。": [["护理员", ">=", 100, "名", None]],
    "力争体检20万人次左右。": [["体检", "=", 20, "万人次", None]],
    "藏书量达到1.5册。": [["藏书量", "=", 1.5, "册", None]],
    "满意度达到90分。": [["满意度", "=", 90, "分", None]],
    "服务人次达到70万以上。": [["服务人次", ">=", 70, "万", None]],
    # shares
    "体育设施100%向社会开放。": [["体育设施", "=", 100, "%", None]],
    "10%的卫生室设置中医阁。": [["卫生室设置中医阁", "=", 10, "%", None]],
    "到2027年，覆盖51%城镇社区。": [["城镇社区", "=", 51, "%", 2027]],
    "网签备案100%全覆盖。": [["网签备案", "=", 100, "%", None]],
    # several metrics, several values, several years
    "补助率、参保率均达到100%。": [["补助率", "=", 100, "%", None], ["参保率", "=", 100, "%", None]],
    "落实率和参保率100%。": [["落实率", "=", 100, "%", None], ["参保率", "=", 100, "%", None]],
    "县、镇、村助联体覆盖率均达到100%。": [["县、镇、村助联体覆盖率", "=", 100, "%", None]],
    "药品品种和耗材种类分别达到650个和24类。": [["药品品种", "=", 650, "个", None], ["耗材种类", "=", 24, "类", None]],
    "入园率、巩固率分别达到90%、95%以上。": [["入园率", ">=", 90, "%", None], ["巩固率", ">=", 95, "%", None]],
    "到2025年和2027年，托位数分别达到4个和5个。": [["托位数", "=", 4, "个", 2025], ["托位数", "=", 5, "个", 2027]],
    "探访关爱、清单送达率，每季度均达到100%。": [
        ["探访关爱", "=", 100, "%", None],
        ["清单送达率", "=", 100, "%", None],
    ],
    "到2025年，入园率达到90%，到2027年达到95%。": [["入园率", "=", 90, "%", 2025], ["入园率", "=", 95, "%", 2027]],
    "现有机构50家，到2027年达到60家。": [["机构", "=", 60, "家", 2027]],
    "技能人才达到6000人，占从业人员比重达到37%。": [
        ["技能人才", "=", 6000, "人", None],
        ["技能人才占从业人员比重", "=", 37, "%", None],
    ],
    "特困人员保障标准，按照低保标准的1.7倍执行。": [["特困人员保障标准", "=", 1.7, "倍", None]],
    # tenths
    "到2027年，入园率达到七成。": [["入园率", "=", 70, "%", 2027]],
    "入园率达九成以上。": [["入园率", ">=", 90, "%", None]],
    "入园率突破七成。": [["入园率", ">", 70, "%", None]],
    "入园率超7成。": [["入园率", ">", 70, "%", None]],
    "入园率逾八成五。": [["入园率", ">", 85, "%", None]],
    "入园率近七成，巩固率约七成半。": [["入园率", "=", 70, "%", None], ["巩固率", "=", 75, "%", None]],
    "入园率不低于七成多。": [["入园率", ">=", 70, "%", None]],
    "参保率由六成提升至七成左右。": [["参保率", "=", 70, "%", None]],
    "七成的村设置卫生室。": [["村设置卫生室", "=", 70, "%", None]],
    # where a change starts is no target
    "普惠率由55%提升至65%。": [["普惠率", "=", 65, "%", None]],
    "到2027年，普惠率从55%到65%以上。": [["普惠率", ">=", 65, "%", 2027]],
    "普惠率从2022年的55%到2027年的65%。": [["普惠率", "=", 65, "%", 2027]],
    "普惠率由目前的55%提升到65%。": [["普惠率", "=", 65, "%", None]],
    "床位从2000张增加至3000张，入园率由80%达到90%。": [
        ["床位", "=", 3000, "张", None],
        ["入园率", "=", 90, "%", None],
    ],
    # what is counted by what, and what is paid a month
    "每千人口托位数达到5.5个/千人。": [["每千人口托位数", "=", 5.5, "个/千人", None]],
    "每百户居民拥有服务设施面积不低于30平方米/百户。": [["每百户居民拥有服务设施面积", ">=", 30, "平方米/百户", None]],
    "低保标准达到每人每月1400元。": [["低保标准", "=", 1400, "元/月", None]],
    "每人每月补助标准不低于1400元。": [["补助标准", ">=", 1400, "元/月", None]],
    "补助标准提高到1400元/人·月。": [["补助标准", "=", 1400, "元/人·月", None]],
    "补助标准达到每人每年1.7万元。": [["补助标准", "=", 1.7, "万元", None]],
    "近视率控制在38%以内。": [["近视率", "<=", 38, "%", None]],
    # names with numbers in them
    "每千人口拥有3岁以下婴幼儿托位数达到5.5个。": [["每千人口拥有3岁以下婴幼儿托位数", "=", 5.5, "个", None]],
    "60周岁以上老年人体检率达到75%。": [["60周岁以上老年人体检率", "=", 75, "%", None]],
    "完成2000年底前建成的老旧小区改造100个。": [["老旧小区改造", "=", 100, "个", None]],
    "创建“15分钟生活圈”12个（含未来社区）。": [["“15分钟生活圈”", "=", 12, "个", None]],
    "创建4A级景区2个。": [["4A级景区", "=", 2, "个", None]],
    # years
    "2023年起，就读比例达到100%。": [["就读比例", "=", 100, "%", 2023]],
    "到2025年6月底，入园率达到95%。": [["入园率", "=", 95, "%", 2025]],
    "2023-2027年，新增就业6万人。": [["新增就业", "=", 6, "万人", 2027]],
    "到2027年，全面建成。入园率达到95%。": [["入园率", "=", 95, "%", None]],
}


@pytest.mark.parametrize("text", TARGETS)
def test_targets_are_found(text: str) -> None:
    assert shown(text) == TARGETS[text]


@pytest.mark.parametrize(
    "text",
    [
        "构建“5+X”服务体系，建成15分钟圈。",
        "构建1+5+N工作体系。",
        "完成2000年底前建成的老旧小区改造任务。",
        "印发《管理办法》（卫〔2022〕39号），甬政发〔2023〕4号。",
        "2023年6月2日",
        "联系电话：0574-88585618。",
        "第3批试点单位，新一轮第2期，进入全省前10位。",
        "健全覆盖全民、城乡统筹的社会保障体系。",
        "以单位自建、幼儿园办托班等5种模式为主。",
        "建立以单位自建、幼儿园办托班等5种模式为主的体系。",
        "用好金融服务16条政策。",
        "以7个乡镇卫生院为骨干。",
        "推进0-3岁儿童发育监测筛查，培训60岁以上老年人。",
        "常住人口5万以上的乡镇办园，建筑面积2万平方米的医院投用。",
        "截至2022年底，托育机构达到120家。",
        "已建成托育机构120家，目前入园率达到90%。",
        "5G技术、2.0版、3/4、7×24小时服务，师生比1:15。",
        "打造一批品牌，形成一套机制，发放一次性补贴。",
        "完成三成员单位组建，达到七成员，成立专班，形成五成果，降低三成本，一成不变，第三成人学校投用。",
        "参保率达到六七成。",
        "由55%提升至65%。",
        "1. 完善体系",
        "达到国家要求，实现应保尽保。",
        "",
    ],
)
def test_other_numbers_are_no_targets(text: str) -> None:
    assert shown(text) == []


@pytest.mark.parametrize("text", ["到2027年，居民收入翻一番。", "实现居民收入翻番。", "居民收入翻两番以上，"])
def test_a_doubling_is_kept_as_text(text: str) -> None:
    row = read(text).squeeze()
    assert (row["kind"], row["metric"], row["unit"]) == ("words", "居民收入", "") and row["value"] != row["value"]
    assert row["text_value"] in text and "翻" in row["text_value"]


def test_tenths_are_shown_as_printed() -> None:
    (row,) = read("参保率保持在七成至八成。").itertuples()
    assert (row.value_low, row.value_high, printed_value(row)) == (70, 80, "七成至八成")


@pytest.mark.parametrize("sign", ["-", "—", "～", "至"])
def test_ranges(sign: str) -> None:
    table = read(f"培育重点学科1{sign}2家。")
    assert table[["kind", "value_low", "value_high", "unit"]].values.tolist() == [["range", 1, 2, "家"]]
    assert table["value"].isna().all()


@pytest.mark.parametrize("text", ["大型企业实现集体协商全覆盖。", "集体协商全覆盖。", "加强集体协商，实现全覆盖。"])
def test_full_coverage_has_no_value(text: str) -> None:
    table = read(text)
    assert table[["kind", "operator", "text_value", "unit"]].values.tolist() == [["full_coverage", "=", "全覆盖", ""]]
    assert table["value"].isna().all() and "协商" in table["metric"].item()


def test_words_around_a_value() -> None:
    table = read("力争到2027年，体检率达到90%。\n每年体检5万人次，累计培训8.5万人次。\n推进体育设施全覆盖。")
    assert table["hedge"].tolist() == ["力争", "", "", "推进"]
    assert table["annual"].tolist() == [False, True, False, False]
    assert table["cumulative"].tolist() == [False, False, True, False]


# --- where it stands --------------------------------------------------------------------------------------


def test_offsets_and_spaces() -> None:
    text = "到 2027 年，床位数达到 6.\u00a06 张，学员 5 000 人。"
    table = read(text)
    assert table["value"].tolist()[0] == 6.6
    assert [text[a:b] for a, b in zip(table["char_start"], table["char_end"], strict=True)] == table[
        "text_value"
    ].tolist()


def test_a_page_break_inside_a_sentence() -> None:
    table = read(
        "到2027年，全市建成一家三级能力水平的县级\n\n— 5 —\n\n综合医院，公共卫生服务中心的县域就诊率达到\n90%以上。"
    )
    assert table[["metric", "operator", "year"]].values.tolist() == [
        ["三级能力水平的县级综合医院", "=", 2027],
        ["公共卫生服务中心的县域就诊率", ">=", 2027],
    ]


OUTLINE = """一、主要目标
入园率达到91%。
二、重点任务
### (一) 加快实现“幼有善育”。托位率达到92%。
1．发展托育。到2027年，托位数达到5个。
（二）加快实现“学有优教”
1. 推进教育
入学率达到93%。
三、保障措施
（一）加强领导。成立7个专项组。"""


def test_the_outline_gives_section_and_domain() -> None:
    assert read(OUTLINE)[["section", "domain"]].values.tolist() == [
        ["一", "主要目标"],
        ["二/（一）", "幼有善育"],
        ["二/（一）/1", "幼有善育"],
        ["二/（二）/1", "学有优教"],
        ["三/（一）", "保障措施"],
    ]


def test_a_repeated_body_is_counted_once_at_its_first_place() -> None:
    body = "  NO.1\n\n  军有优抚\n\n  到2025年，就业率95%以上。\n\n  NO.2\n\n  文旅乐享\n\n  综合参与率达83%。\n"
    once, twice = read(f"标题\n{body}"), read(f"标题\n{body}版权所有\n标题\n{body}")
    pd.testing.assert_frame_equal(once, twice)
    assert once["domain"].tolist() == ["军有优抚", "文旅乐享"]


def test_tables_are_not_prose() -> None:
    folder = Path(__file__).parents[1] / "data" / "raw"
    assert sum(len(read_targets(folder / f"{stem}.txt")) for stem in STEMS) == 0


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("together", ["\n", "\t", " | "])
def test_what_is_left_of_a_table_is_not_prose(stem: str, together: str) -> None:
    """A plan's table may be cut off, or a picture but for a few rows: its sentences are read all the same."""
    lines = [line.strip() for line in printed(stem).splitlines() if line.strip()][12:60]
    rows = [together.join(lines[i : i + 8]) for i in range(0, len(lines), 8)]
    text = "\n".join(["二、重点任务", *rows, "三、保障措施", "（一）督导。到2027年，入园率达到95%。按季度通报。"])
    cut = document(text)
    with pytest.raises(DataError):
        read_table(cut)
    assert prose_targets(cut, "330213")[["metric", "value"]].values.tolist() == [["入园率", 95]]
    assert read_governance(cut, "330213")[["what", "frequency"]].values.tolist() == [["notice", "quarterly"]]
    plan = Plan("330213", cut, None, four_plans().iloc[:0])
    assert len(read_said(plan).targets) == 1 and read_departments(plan).empty


LONG = 20_000
PIECES = [
    *(" ", "1", "1 ", "1、", "1%", "1.", "1,", "1-", "（", "(", "“", "、", "一", "一、", "七成", "七成、", "/", "1/"),
    *(
        "从1%",
        "达到1个",
        "新增1个、",
        "入园率、",
        "全覆盖、",
        "翻一番",
        "每月通报",
        "监测",
        "惠民保",
        "牵头单位：甲、",
        "|",
    ),
]


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("before", ["", "到2027年，入园率达到", "三、保障措施\n（一）督导。牵头单位："])
def test_time_grows_with_the_text_and_no_faster(piece: str, before: str) -> None:
    text = document(before + piece * (LONG // len(piece)) + "95%。")
    began = time.process_time()
    prose_targets(text, "330213")
    read_governance(text, "330213")
    department_rows(text.lines[-1], "责任单位")
    assert time.process_time() - began < 3  # far below one second; what grows with the square takes 5 and more


@given(
    st.text(
        alphabet="到至0123456789.,、，。;（）“”%‰万亿个家岁年人率均分别达新增建成全覆盖以上约等的 \u00a0\n-—一十A+"
        "成七翻番由从元每月/多",
        max_size=80,
    )
)
def test_any_text_is_read_and_every_offset_is_right(text: str) -> None:
    for row in read(text).itertuples():
        assert text[row.char_start : row.char_end] == row.text_value
        assert (row.kind in ("full_coverage", "words")) == (row.value != row.value and row.value_low != row.value_low)


# --- what it speaks of ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("每千人口拥有3岁以下婴幼儿托位数达到5.5个。", 1),
        ("每千人口托位数达到5.5个。", 1),
        ("普惠性托位占比达75%。", 2),
        ("0—3岁儿童发育监测筛查率达到96%。", 3),
        ("登记失业率保持在3.5%以内。", 7),
        ("城镇调查失业率控制在5%以内。", 7),
        ("累计开展职业技能培训8.5万人次。", 9),
        ("重大慢病过早死亡率控制在9%。", 11),
        ("惠民型商业补充医疗保险投保率达70%以上。", 12),
        ("每万名老年人拥有持证养老护理员不少于33人。", 13),
        ("实现全县长期护理保险制度参保全覆盖。", 15),
        ("累计建设筹集保障性租赁住房5万套（间）。", 17),
        ("专业物业服务覆盖率达到95%。", 18),
        ("最低生活保障年标准达到1.7万元。", 19),
    ],
)
def test_metrics_of_the_table_are_linked(text: str, number: int) -> None:
    table = read(text)
    assert table["linked_indicator"].tolist() == [number]
    codes = catalogue.indicators().query("number == @number")["code"]
    assert set(table["indicator"]) <= set(codes)


@pytest.mark.parametrize(
    "text",
    [
        "保障标准按照最低生活保障标准的1.7倍执行。",
        "基本医疗保险参保人数达到800万人。",
        "年度职业培训规模达2万人次以上。",
        "项目制职业技能培训1.8万人次。",
        "儿童发育筛查知识普及率达到96%。",
        "公租房保障家庭达到190户。",
        "最低生活保障标准达到每人每月1400元。",
        "居民最低生活保障标准达到1400元/人·月。",
    ],
)
def test_other_metrics_are_not_linked(text: str) -> None:
    table = read(text)
    assert table["linked_indicator"].isna().tolist() == [True] and table["indicator"].tolist() == [""]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("县域就诊率达到90%。", "county_visit_rate"),  # by its very name
        ("养老机构中护理型床位占比达到65%。", "nursing_beds_share"),  # by an alias
        ("新增城镇就业6万人。", "new_urban_jobs"),
        ("新增就业6万人。", ""),
        ("婴幼儿家长育儿知识知晓率达到90%。", ""),
    ],
)
def test_names_and_aliases_are_links_too(text: str, code: str) -> None:
    table = read(text)
    assert table["indicator"].tolist() == [code] and table["linked_indicator"].isna().all()


def test_links_name_indicators_of_the_catalogue() -> None:
    assert set(catalogue.prose_links()["code"]) <= set(catalogue.indicators()["code"])
    assert not catalogue.prose_words()["text"].duplicated().any()


def with_row(name: str, unit: str = "%", **columns: Any) -> pd.DataFrame:
    """The four plans, and Fenghua with one more row that is outside the catalogue."""
    own = four_plans().query("region == '330213' and indicator == 'affordable_nursery_share'")
    row = own.assign(indicator=f"local:{name}", name=name, number=6, row=22, unit=unit, **columns)
    return pd.concat([four_plans(), row], ignore_index=True)


def test_the_very_name_of_a_row_outside_the_catalogue_is_linked() -> None:
    targets = with_row("居民颐乐指数")
    same, other = read("居民“颐乐指数”达到90%。"), read("居民颐乐指数达标率达到90%。")
    assert link_targets(same, targets)["indicator"].tolist() == ["local:居民颐乐指数"]
    assert link_targets(same, targets)["linked_indicator"].isna().all()
    assert (
        link_targets(same, four_plans())["indicator"].tolist()
        == link_targets(other, targets)["indicator"].tolist()
        == [""]
    )
    assert link_targets(same.assign(region="330282"), targets)["indicator"].tolist() == [""]  # it is a row of Fenghua's
    monthly = read("居民颐乐指数达到1400元/月。")
    assert link_targets(monthly, with_row("居民颐乐指数", "元"))["indicator"].tolist() == [""]


# --- the prose against the table --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("到2027年，每千人口托位数达到5.5个。", []),  # Fenghua prints 5.5
        ("到2027年，最低生活保障年标准达到1.7万元。", []),  # 17000 元
        ("到2027年，长期护理保险实现全覆盖。", []),
        ("残疾人之家覆盖率实现全覆盖。", []),  # 100
        ("到2027年，每万老年人拥有持证养老护理员不少于32人。", []),  # ≥32
        ("到2027年，登记失业率保持在3.5%以内。", [("prose_bound", 2027)]),  # <3.5
        ("到2027年，每千人口托位数达到5.6个。", [("prose_value", 2027)]),
        ("到2027年，每千人口托位数达到5.3个。", [("prose_value", 2027)]),  # 5.3 is the number of 2026
        ("到2025年，每千人口托位数达到5.5个。", [("prose_year", 2027)]),
        ("到2027年，累计开展职业技能培训8.5万人次。", [("prose_start", 2027)]),  # 10.5 with the 2 of 2022
        ("到2027年，长期护理保险参保人数达到50万人。", [("prose_unit", 2027)]),  # 全覆盖
        ("每千人口托位数达到5.5%。", [("prose_unit", 2027)]),
        ("到2027年，入园率达到95%。", []),
    ],
)
def test_the_prose_is_compared_with_the_table(text: str, found: list[tuple[str, int]]) -> None:
    findings = compare_with_table(read(text), four_plans())
    assert list(zip(findings["rule"], findings["year"], strict=True)) == found


def test_printed_numbers_decide_nothing() -> None:
    """In a renumbered plan 高等教育毛入学率 was held against row 6, which was 欠薪线索动态化解率."""
    text = "到2027年，高等教育毛入学率达到75%，登记失业率保持在3.5%以内，每千人口托位数达到5.6个。"
    found = compare_with_table(read(text), four_plans())
    for numbers in (four_plans()["number"] % 21 + 1, pd.NA):
        renumbered = four_plans().assign(number=numbers).astype({"number": "Int64"})
        again = compare_with_table(read(text), renumbered)
        assert set(again["indicator"] + again["rule"]) == set(found["indicator"] + found["rule"])
        own = renumbered.drop_duplicates(["region", "indicator"]).query("region == '330213'").set_index("indicator")
        assert again["number"].isna().all() or (again["number"] == own.loc[again["indicator"], "number"].array).all()


def test_what_all_years_add_up_to_does_not_contradict_one_year() -> None:
    targets = with_row("新增颐乐床位数", "个")
    for text, rules in (
        ("2023-2027年，新增颐乐床位数达到400个。", []),
        ("到2027年，新增颐乐床位数不少于90个。", ["prose_bound"]),  # 90
        ("到2027年，新增颐乐床位数每年达到400个。", ["prose_value"]),
    ):
        assert compare_with_table(read(text), targets)["rule"].tolist() == rules


@pytest.mark.parametrize(
    ("text", "unit", "found"),
    [
        ("到2027年，颐乐指数达到90%。", "%", []),  # Fenghua's row says 90
        ("到2027年，颐乐指数达到九成。", "%", []),
        ("到2027年，颐乐指数达到八成。", "%", ["prose_value"]),
        ("到2027年，颐乐指数翻一番。", "%", []),
        ("到2027年，颐乐指数达到90个/千人。", "个/千人", []),  # a unit that units.csv need not have
        ("到2027年，颐乐指数达到90户。", "个/千人", ["prose_unit"]),
        ("到2027年，颐乐指数达到90。", "", []),
    ],
)
def test_rows_outside_the_catalogue_are_compared_too(text: str, unit: str, found: list[str]) -> None:
    findings = compare_with_table(read(text), with_row("颐乐指数", unit))
    assert findings["rule"].tolist() == found
    assert set(findings["indicator"]) <= {"local:颐乐指数"} and set(findings["number"]) <= {6}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("到2027年，每千人口托位数达到5.5个/千人。", []),
        ("到2027年，每千人口托位数达到5.5个/万人。", ["prose_unit"]),
        ("到2027年，最低生活保障标准达到每人每月1400元。", []),  # 17000 a year
        ("到2027年，最低生活保障标准达到每人每年1.7万元。", []),
        ("到2027年，普惠托位占比突破九成。", ["prose_bound"]),  # 90
        ("到2027年，普惠托位占比由85%提升至90%。", []),
    ],
)
def test_units_of_sentences_meet_those_of_the_table(text: str, found: list[str]) -> None:
    assert compare_with_table(read(text), four_plans())["rule"].tolist() == found


def test_a_year_without_a_column_is_said() -> None:
    targets = four_plans().query("year != 2026")
    findings = compare_with_table(read("到2026年，每千人口托位数达到5.3个。"), targets)
    assert findings["rule"].tolist() == ["prose_year"]


def test_a_difference_shows_both_texts_and_both_places() -> None:
    finding = compare_with_table(read(f"{OUTLINE}\n到2027年，登记失业率保持在3.5%以内。"), four_plans()).iloc[0]
    assert (finding["raw"], finding["locator"]) == ("<3.5", "line 80")
    assert "登记失业率≤3.5%" in finding["message_zh"] and "三/（一）" in finding["message_en"]


# --- the documents, where they are at hand ----------------------------------------------------------------


def given_folder(name: str) -> Path:
    if not os.environ.get(name):
        pytest.skip(f"machine: {name} is not set")
    return Path(os.environ[name])


def gold(name: str, stem: str) -> list[dict[str, Any]]:
    lines = (given_folder("QYX_GOLD") / name).read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if row["document"] == stem]


@pytest.mark.parametrize("stem", ["fenghua", "shengsi"])
def test_the_hand_annotated_targets_come_back(stem: str) -> None:
    found = read_targets(given_folder("QYX_DOCUMENTS") / f"{stem}.txt").to_dict("records")
    expected, tolerated = gold("prose.jsonl", stem), gold("prose_optional.jsonl", stem)
    right = {"value": 0, "operator": 0, "year": 0, "linked_indicator": 0}
    matched = 0
    for row in expected:
        same = [f for f in found if f["char_start"] < row["value_end"] and row["value_start"] < f["char_end"]]
        if not same:
            continue
        mine = max(same, key=lambda f: len(set(f["metric"]) & set(row["metric"])))
        found.remove(mine)
        matched += 1
        year = None if pd.isna(mine["year"]) else mine["year"]
        link = None if pd.isna(mine["linked_indicator"]) else mine["linked_indicator"]
        pairs = [(mine[name], row[name]) for name in ("value", "value_low", "value_high")]
        right["value"] += all(b == a or (b is None and pd.isna(a)) for a, b in pairs)
        right["operator"] += mine["operator"] in [row["operator"], *row["alt_operators"]]
        right["year"] += year in [row["year"], *row["alt_years"]]
        right["linked_indicator"] += link == row["linked_indicator"]
    overlapping = [
        f for f in found for o in tolerated if f["char_start"] < o["char_end"] and o["char_start"] < f["char_end"]
    ]
    wrong = len(found) - len({f["char_start"] for f in overlapping})
    assert 2 * matched / (matched + wrong + len(expected)) >= 0.97
    assert {name: count for name, count in right.items() if count < 0.97 * matched} == {}


def test_all_contradictions_of_the_four_plans_and_no_other() -> None:
    folder = given_folder("QYX_DOCUMENTS")
    plans = [read_plan(folder / f"{stem}.txt") for stem in STEMS]
    prose = pd.concat([prose_targets(plan.document, plan.region, plan.table) for plan in plans], ignore_index=True)
    findings = compare_with_table(prose, pd.concat([plan.targets for plan in plans], ignore_index=True))
    named = {
        rule: sorted(zip(rows["document"], rows["number"], strict=True)) for rule, rows in findings.groupby("rule")
    }
    assert named == {
        "prose_bound": [
            *(("cixi", 3), ("cixi", 7), ("cixi", 16), ("fenghua", 7), ("shengsi", 18)),
            *(("zhuji", 3), ("zhuji", 12), ("zhuji", 13), ("zhuji", 18), ("zhuji", 19)),
        ],
        "prose_start": [("fenghua", 9)],
        "prose_value": [("shengsi", 11)],
    }


def test_the_repeated_article_is_counted_once() -> None:
    path = given_folder("QYX_DOCUMENTS") / "ningbo.txt"
    found = read_targets(path)
    assert not found.duplicated(["section", "metric", "text_value", "year"]).any()
    assert found["char_end"].max() < len(path.read_text(encoding="utf-8")) / 2
    assert found["domain"].nunique() == 10
