"""Who leads what, and how often progress is followed: read where a plan prints it, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plans import STEMS, printed, write

from qyx_analysis import catalogue
from qyx_analysis.documents import Document
from qyx_analysis.files import raw_dir
from qyx_analysis.tidy.reading import read_plan
from qyx_analysis.wings.sentences.desk import load_governance
from qyx_analysis.wings.sentences.facts import read_departments
from qyx_analysis.wings.sentences.governance import department_rows, read_governance


def document(text: str) -> Document:
    return Document("plan.txt", "plan", "", tuple(text.split("\n")))


def read(text: str) -> pd.DataFrame:
    return read_governance(document(text), "330213")


def departments(text: str) -> list[list[str]]:
    return read(text)[["kind", "scope", "domain", "department"]].values.tolist()


def followed(text: str) -> list[list[str]]:
    return read(f"三、保障措施\n（一）加强督导。{text}")[["what", "frequency", "department", "text"]].values.tolist()


# --- departments ------------------------------------------------------------------------------------------

LEAD, RESPONSIBLE, SUPPORTING = "lead_department", "responsible_department", "supporting_department"


@pytest.mark.parametrize(
    "text",
    [
        "（一）加快实现“幼有善育”。健全服务体系。（牵头单位：区卫生健康局）",
        "(一)加快实现“幼有善育”(牵头单位:区卫生健康局)",
        "### （一）加快实现“幼有善育”（牵头单位： 区卫生健康局 ）",
        "（一）加快实现“幼有善育”。健全服务体系。\n\n（牵头部门：区卫生健康局）",
        "（一）加快实现“幼有善育”。牵头单位：区卫生健康局。",
    ],
)
def test_the_lead_department_of_a_domain_in_every_form(text: str) -> None:
    assert departments(text) == [[LEAD, "domain", "幼有善育", "区卫生健康局"]]


def test_several_departments_under_several_labels() -> None:
    text = "（一）“学有优教”（牵头单位：区教育局、区体育局；责任单位：各镇（乡、街道）、区财政局，配合单位：团区委）"
    assert [(kind, name) for kind, _, _, name in departments(text)] == [
        *((LEAD, "区教育局"), (LEAD, "区体育局")),
        *((RESPONSIBLE, "各镇（乡、街道）"), (RESPONSIBLE, "区财政局")),
        (SUPPORTING, "团区委"),
    ]


def test_the_department_of_a_task_and_of_the_whole_plan() -> None:
    text = "（一）“学有优教”\n1.发展托育。（责任单位：区教育局）\n三、保障措施\n（一）成立专班。（牵头单位：区府办）"
    assert departments(text) == [
        [RESPONSIBLE, "task", "学有优教", "区教育局"],
        [LEAD, "plan", "", "区府办"],
    ]


@pytest.mark.parametrize(
    "text", ["各牵头单位要落实责任。", "明确责任部门、配合单位。", "（一）“幼有善育”。健全体系。", ""]
)
def test_without_a_name_there_is_no_row(text: str) -> None:
    assert departments(text) == []


def test_offsets_are_those_of_the_name() -> None:
    text = "（一） “幼有善育”\n（牵头单位： 区卫生 健康局、区妇联）"
    for row in read(text).itertuples():
        assert text[row.char_start : row.char_end].replace(" ", "") == row.department


def test_the_department_of_every_row_of_a_table() -> None:
    plan = read_plan(raw_dir() / "zhuji.txt")
    table = read_departments(plan)
    assert table[["number", "domain", "department"]].iloc[[0, 11, 20]].values.tolist() == [
        [1, "幼有善育", "卫生健康局"],
        [12, "病有良医", "医保局"],
        [21, "弱有众扶", "残联"],
    ]
    assert len(table) == 21
    assert set(table["kind"] + " " + table["scope"] + " " + table["text"]) == {f"{RESPONSIBLE} row 责任单位"}
    lines = printed("zhuji").split("\n")
    for row in table.itertuples():
        _, line, _, cell = row.locator.split()
        assert lines[int(line) - 1].split("\t")[int(cell) - 1] == row.department


def test_the_header_of_the_column_says_what_the_departments_are(tmp_path: Path) -> None:
    text = printed("zhuji").replace("责任单位", "牵头单位").replace("教体局", "教体局、人社局", 1)
    table = read_departments(read_plan(write(tmp_path, "zhuji.txt", text)))
    assert set(table["kind"]) == {LEAD}
    assert table.query("number == 4")["department"].tolist() == ["教体局", "人社局"]


def test_a_table_without_such_a_column_gives_none() -> None:
    assert len(read_departments(read_plan(raw_dir() / "cixi.txt"))) == 0
    assert department_rows("", "责任单位") == []


# --- how progress is followed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("建立季度调度机制。", [["review", "quarterly", "", "调度"]]),
        ("每月召开1次工作例会。", [["meeting", "monthly", "", "例会"]]),
        ("区专班每两周召开一次例会。", [["meeting", "fortnightly", "区专班", "例会"]]),
        ("各牵头部门要每半年报送进展情况。", [["report", "half_yearly", "各牵头部门", "报送"]]),
        ("实行“周例会、月通报、季晾晒、年总结”机制。", [
            ["meeting", "weekly", "", "例会"],
            ["notice", "monthly", "", "通报"],
            ["publicity", "quarterly", "", "晾晒"],
            ["summary", "yearly", "", "总结"],
        ]),
        ("开展分年度评价和分领域评价。", [["evaluation", "yearly", "", "评价"], ["evaluation", "", "", "评价"]]),
        ("建立动态评估机制。", [["evaluation", "continuous", "", "评估"]]),
        ("按季度督查。", [["inspection", "quarterly", "", "督查"]]),
        ("定期开展监测评估。", [["monitoring", "regular", "", "监测评估"], ["evaluation", "regular", "", "监测评估"]]),
        ("开展群众满意度无感监测。", [["survey", "", "", "满意度无感监测"]]),
        ("评价每年开展1次。", [["evaluation", "yearly", "", "评价"]]),
        ("制定年度工作要点。", [["work_plan", "yearly", "", "工作要点"]]),
        # not followed at any rhythm, or not followed at all
        ("制定工作计划，总结经验，深入分析原因。", []),
        ("到2027年总结经验。", []),
        ("抓好省、市评价指标的落实。", []),
        ("完善体制机制。", []),
    ],
)  # fmt: skip
def test_what_is_done_and_how_often(text: str, rows: list[list[str]]) -> None:
    assert followed(text) == rows


def test_outside_the_chapters_on_safeguards_the_same_words_mean_other_things() -> None:
    assert (
        len(read("二、重点任务\n（一）“病有良医”。每年开展绩效考核和健康监测。\n五、社会保障\n每季度评价一次。")) == 0
    )


@pytest.mark.parametrize(
    "text",
    ["（一）强化监督检查\n按季度通报。", "（一）强化监督检查。按季度通报。", "（一）强化监督检查。按季度\n通报。"],
)
def test_a_title_prescribes_nothing(text: str) -> None:
    assert read(f"四、组织实施\n{text}")["what"].tolist() == ["notice"]


def test_a_numbered_sentence_that_stands_alone_is_no_title() -> None:
    assert read("四、组织实施\n（一）建立季度调度机制。\n（二）按年度评价。")["frequency"].tolist() == [
        "quarterly",
        "yearly",
    ]


@given(
    st.text(
        alphabet="牵头责任单位部门：:（）()、；，。每季度月年周两调度晾晒评价例会市政府局要\n一二三保障措施“”1 ",
        max_size=80,
    )
)
def test_any_text_is_read_and_every_offset_is_right(text: str) -> None:
    whole = "三、保障措施\n" + text
    for row in read(whole).itertuples():
        found = whole[row.char_start : row.char_end]
        assert "".join(found.split()) == (row.text if row.kind == "monitoring" else row.department)


def test_the_lexicon_gives_only_values_that_are_declared() -> None:
    words = catalogue.governance_words()
    declared = catalogue.fields().query("resource == 'governance'").set_index("name")["enum"].str.split("|")
    assert set(words.query("role == 'frequency'")["value"]) == set(declared["frequency"])
    assert set(words.query("role in ['activity', 'rhythmic']")["value"]) == set(declared["what"])
    assert set(words.query("role == 'label'")["value"]) < set(declared["kind"])


# --- the plans --------------------------------------------------------------------------------------------


def test_every_county_names_seven_lead_departments(built_data: Path) -> None:
    lead = load_governance(built_data).query("scope == 'domain' and kind == 'lead_department'")
    assert lead.groupby("document").size().to_dict() == dict.fromkeys(STEMS, 7)
    assert all(sorted(rows) == sorted(catalogue.domains()["domain"]) for _, rows in lead.groupby("document")["domain"])
    assert lead.query("document == 'shengsi' and domain == '劳有所得'")["department"].item() == "县人社局"


def test_the_rhythm_that_each_county_prescribes(built_data: Path) -> None:
    table = load_governance(built_data).query("kind == 'monitoring' and frequency != ''")
    rhythm = {stem: set(zip(rows["what"], rows["frequency"], strict=True)) for stem, rows in table.groupby("document")}
    assert rhythm == {
        "fenghua": {("work_plan", "yearly"), ("review", "quarterly"), ("evaluation", "yearly")},
        "cixi": {
            *(("meeting", "weekly"), ("meeting", "fortnightly"), ("review", "monthly"), ("publicity", "quarterly")),
            *(("summary", "yearly"), ("appraisal", "yearly")),
        },
        "shengsi": {
            *(("work_plan", "weekly"), ("ranking", "monthly"), ("analysis", "quarterly"), ("inspection", "continuous")),
            *(("monitoring", "regular"), ("evaluation", "regular"), ("analysis", "regular"), ("work_plan", "yearly")),
        },
        "zhuji": {
            ("work_plan", "yearly"),
            ("evaluation", "continuous"),
            ("review", "quarterly"),
            ("evaluation", "yearly"),
        },
    }


@pytest.fixture(scope="module")
def built_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from qyx_analysis.datapackage.building import build

    return build([raw_dir()], tmp_path_factory.mktemp("governance") / "processed").out


def test_every_lead_department_that_a_document_prints_is_found() -> None:
    if not os.environ.get("QYX_DOCUMENTS"):
        pytest.skip("machine: QYX_DOCUMENTS is not set")
    for stem in (*STEMS, "ningbo"):
        plan = read_plan(Path(os.environ["QYX_DOCUMENTS"]) / f"{stem}.txt")
        printed_labels = "".join(plan.document.lines).replace(":", "：").count("牵头单位：")
        table = read_governance(plan.document, plan.region, plan.table)
        assert len(table.query("kind == 'lead_department'")) == printed_labels
