"""What offices do to a table, one oddity each: read right, or refused with its place; never read wrong in silence."""

import pandas as pd
import pytest
from plans import printed, write
from renderings import rendered_page

from qyx_analysis.layouts import column_of
from qyx_analysis.problems import DataError, Problem, compiled
from qyx_analysis.tidy import findings, reading
from qyx_analysis.tidy.reading import read_plan


def values(folder, text, name="county.txt"):
    return reading.typed(read_plan(write(folder, name, text)).targets)


def problem(folder, text, name="county.txt"):
    with pytest.raises(DataError) as caught:
        values(folder, text, name)
    return caught.value.problems[0]


SHENGSI = printed("shengsi")


@pytest.mark.parametrize(
    "mark",
    ["本页无正文", "— 12 —", "- 5 -", "第 2 页 共 5 页", "续表", "（续上表）", "--------", SHENGSI.split("\n")[0]],
)
@pytest.mark.parametrize(
    ("stem", "row"), [("shengsi", "劳有所得\t7"), ("fenghua", "\t劳有所得\n"), ("cixi", "劳有所得\n")]
)
def test_a_page_mark_between_two_rows_loses_none(tmp_path, stem, row, mark):
    text = printed(stem)
    mark = mark.replace("嵊泗县", {"shengsi": "嵊泗县", "fenghua": "宁波市奉化区", "cixi": "慈溪市"}[stem])
    mark = "表 " + mark if stem == "cixi" and "目标" in mark else mark
    assert row in text
    marked = values(tmp_path, text.replace(row, f"{mark}\n{row}", 1))
    assert marked["raw"].tolist() == values(tmp_path, text)["raw"].tolist()


@pytest.mark.parametrize("stray", ["数据由各部门提供", "以下指标由各部门分别负责落实"])
@pytest.mark.parametrize(("stem", "row"), [("shengsi", "劳有所得\t7"), ("fenghua", "\t劳有所得\n")])
def test_rows_beyond_an_interruption_are_an_error_and_not_a_loss(tmp_path, stem, row, stray):
    found = problem(tmp_path, printed(stem).replace(row, f"{stray}\n{row}", 1))
    assert (found.key, found.text) == (
        "rows_outside",
        "城镇调查失业率(%)" if stem == "shengsi" else "城镇登记失业率(%)",
    )


def test_what_a_page_prints_after_its_end_counts(tmp_path):
    page = rendered_page("shengsi")
    half = page.index("<tr>", len(page) * 2 // 3)
    broken = f"{page[:half]}</table></body></html><table>{page[half:]}"
    try:
        assert len(values(tmp_path, broken, "county.html")) == 126
    except DataError as error:
        assert error.problems[0].key in ("rows_outside", "table_ambiguous", "row_length")


@pytest.mark.parametrize(
    ("cell", "raw"),
    [
        ('58<span style="mso-hide:all">9</span>', "58"),
        ('58<span style="font-size:0">9</span>', "58"),
        ('58<span style="position:absolute;left:-9999px">9</span>', "58"),
        ('58<span class="gone">9</span>', "58"),
        ("<span>5</span><span>8</span>", "58"),
        ('58<span style="vertical-align:super">1</span>', "58[1]"),
        ('58<a href="#fn1">1</a>', "58[1]"),
        ("58<small>1</small>", "58[1]"),
        ('<span style="text-decoration:line-through">64</span>58', "⟦64⟧58"),
        ("<s>58</s>", "⟦58⟧"),
    ],
)
def test_hidden_raised_and_struck_characters_are_not_digits_of_a_number(tmp_path, cell, raw):
    page = "<style>.gone { display: none }</style>" + rendered_page("shengsi").replace("81.10", cell, 1)
    read = values(tmp_path, page, "county.html").query("number == 10 and year == 2022").iloc[0]
    assert read["raw"] == raw
    assert read["kind"] == "unreadable" if raw == "⟦58⟧" else read["value"] == 58


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2022年度", 2022),
        ("2022年(基期)", 2022),
        ("现状（2022年）", 2022),
        ("2025年中期目标", 2025),
        ("二〇二三年", 2023),
        ("2027", 2027),
    ],
)
def test_a_year_is_told_however_it_is_headed(text, year):
    assert column_of(text).year == year


@pytest.mark.parametrize("text", ["2023-2027年", "2022年全省", "达标", "1年", "2022年人均预期寿命"])
def test_what_is_no_year_is_not_told_as_one(text):
    assert column_of(text) is None


@pytest.mark.parametrize(
    ("above", "below", "region"),
    [
        ("为学习象山县公共服务工程做法\n宁海县公共服务工程实施方案", "", "330226"),
        ("浙江政务服务网 浙江省 宁波市\n宁海县公共服务“七优享”工程实施方案（2023-2027年）", "", "330226"),
        ("宁波市公共服务规划\n", "\n宁海县人民政府办公室\n2023年5月1日", "330226"),
        ("各有关单位：", "\n宁海县人民政府办公室2023年5月1日印发", "330226"),
        ("宁海县公共服务工程实施方案", "\n上一篇：象山县公共服务工程实施方案", "330226"),
    ],
)
def test_the_region_is_the_documents_own(tmp_path, above, below, region):
    text = f"{above}\n{SHENGSI.replace('嵊泗县', '我县').rstrip()}\n{below}\n"
    assert set(values(tmp_path, text)["region"]) == {region}


@pytest.mark.parametrize(
    ("above", "region", "key"),
    [
        ("宁海县公共服务工程实施方案", None, "region_conflict"),  # the table's title says 嵊泗县
        ("", "象山县", "region_conflict"),
    ],
)
def test_a_document_that_contradicts_itself_about_its_region_is_refused(tmp_path, above, region, key):
    with pytest.raises(DataError) as caught:
        read_plan(write(tmp_path, "county.txt", f"{above}\n{SHENGSI}"), region)
    assert caught.value.problems[0].key == key


def test_a_district_of_another_province_is_not_ours(tmp_path):
    assert problem(tmp_path, SHENGSI.replace("嵊泗县", "上海市普陀区")).key == "region_missing"


@pytest.mark.parametrize("note", ["注：*为观察性指标，▲为省定核心指标", "注1：*表示探索性观察指标；▲表示省定核心指标"])
def test_marks_mean_what_any_wording_of_the_footnote_says(tmp_path, note):
    text = printed("zhuji").split("\n注")[0] + "\n" + note
    rows = values(tmp_path, text).drop_duplicates("number").set_index("number")
    assert rows.index[rows["core"]].tolist() == [7, 15]


def test_a_mark_at_the_name_is_a_mark(tmp_path):
    rows = values(tmp_path, printed("zhuji").replace("*1\t每千", "1\t*每千")).drop_duplicates("number")
    assert rows.loc[rows["number"] == 1, ["marker", "core"]].values.tolist() == [["*", True]]


def test_an_unknown_header_cell_in_text_is_named(tmp_path):
    found = problem(tmp_path, SHENGSI.replace("2025年\t", "二五年\t"))
    assert (found.key, found.place, found.text) == ("header_unknown", "line 3 cell 7", "二五年")


def test_trailing_tabs_are_no_cells(tmp_path):
    tabbed = "\n".join(line + "\t" if "\t" in line else line for line in SHENGSI.split("\n"))
    assert values(tmp_path, tabbed)["raw"].tolist() == values(tmp_path, SHENGSI)["raw"].tolist()


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("\t81.10\t", "\t8110\t", "ten times"),
        ("\t93\t94\t", "\t930\t94\t", "limits"),
        ("\t12420\t", "\t1.2420\t", "ten times"),
    ],
)
def test_a_value_of_another_magnitude_is_named(tmp_path, old, new, key):
    assert old in SHENGSI
    found = findings.find_all(values(tmp_path, SHENGSI.replace(old, new, 1)))
    assert found.loc[found["rule"] == "unit_difference", "message_en"].str.contains(key).any()


def test_years_in_any_order_give_the_same_findings(tmp_path):
    lines = [line.split("\t") for line in SHENGSI.rstrip().split("\n")[2:]]
    turned = "嵊泗县公共服务目标\n" + "\n".join("\t".join([*cells[:3], *cells[:2:-1]]) for cells in lines)
    rules = [findings.find_all(values(tmp_path, text)).value_counts(["number", "rule"]) for text in (SHENGSI, turned)]
    pd.testing.assert_series_equal(rules[0].drop(14, level=0).sort_index(), rules[1].drop(14, level=0).sort_index())


def test_indicators_that_a_table_leaves_out_are_told(tmp_path):
    text = "\n".join(line for line in SHENGSI.split("\n") if "人均预期寿命" not in line)
    assert read_plan(write(tmp_path, "s.txt", text)).absent == ["人均预期寿命"]


def test_a_slip_in_an_editable_pattern_is_an_error_about_that_file():
    with pytest.raises(DataError, match=r"words\.csv"):
        compiled("(全覆盖", "words.csv")


def test_no_value_of_a_message_reaches_the_terminal_raw():
    assert "\x1b" not in str(Problem("file_damaged", "a.txt", values={"kind": "\x1b[31m", "reason": ""}))
