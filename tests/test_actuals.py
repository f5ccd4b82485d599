"""Forms of actual values: every row is traced, what cannot be read is one line, what is odd is named."""

from __future__ import annotations

import pandas as pd
import pytest
from forms import HEADER, csv_form, planned, reported
from openpyxl import Workbook
from plans import four_plans, write

from qyx_analysis.wings.monitoring.forms import actual_findings, parse_period, read_actuals
from qyx_analysis.wings.monitoring.judging import monitoring

NURSERY = "3.5 4 4.5 5 5.3 5.5"


@pytest.fixture(scope="module")
def targets() -> pd.DataFrame:
    return four_plans()


def refused(folder, targets, *lines, header=HEADER):
    """The one problem of a form, as it is printed."""
    forms = read_actuals([csv_form(folder, *lines, header=header)], targets)
    assert forms.actuals.empty and forms.sources == []
    (problem,) = forms.problems
    assert "\n" not in str(problem) and " / " in str(problem)
    return problem


@pytest.mark.parametrize(
    ("text", "label", "due"),
    [
        ("2024", "2024", "2024-12-31"),
        ("2024年", "2024", "2024-12-31"),
        ("2024 年度", "2024", "2024-12-31"),
        ("2024Q2", "2024Q2", "2024-06-30"),
        ("2024q1", "2024Q1", "2024-03-31"),
        ("2024-Q3", "2024Q3", "2024-09-30"),
        ("2024年第二季度", "2024Q2", "2024-06-30"),
        ("2024年四季度", "2024Q4", "2024-12-31"),
        ("2024-02", "2024-02", "2024-02-29"),
        ("2023年2月", "2023-02", "2023-02-28"),
        ("2024/6", "2024-06", "2024-06-30"),
    ],
)
def test_periods_as_offices_write_them(text, label, due):
    period = parse_period(text)
    assert period is not None and (period.label, period.due, period.year) == (label, due, int(label[:4]))


@pytest.mark.parametrize(
    "text", ["", "24", "2024Q5", "2024-13", "2024-00", "2024-06-30", "Jun-24", "上半年", "2024.1", "20241"]
)
def test_what_is_no_period(text):
    assert parse_period(text) is None


@pytest.mark.parametrize(
    ("region", "indicator", "code"),
    [
        ("330213", "每千人口拥有3岁以下婴幼儿托位数", "nursery_places"),
        ("奉化区", "每千人口拥有3岁以下婴幼儿托位数（个）", "nursery_places"),
        ("Fenghua District", "nursery_places", "nursery_places"),
        ("诸暨市", "城镇调查失业率", "unemployment_surveyed"),
    ],
)
def test_a_row_is_named_by_code_or_name(tmp_path, targets, region, indicator, code):
    (row,) = reported(tmp_path, targets, f"{region},{indicator},2024,4.4,,return,").itertuples()
    assert (row.indicator, row.region_name) in {(code, "奉化区"), (code, "诸暨市")}
    assert (row.document, row.locator, row.raw) == ("form.csv", "line 2", "4.4")


def test_units_are_converted_and_both_values_are_kept(tmp_path, targets):
    lines = [
        "330213,pension_insured,2023,436000,人,return,",
        "330213,rental_housing_cumulative,2023,5480,套,return,",
        "330213,pension_insured,2024,44万人,,return,",
    ]
    rows = reported(tmp_path, targets, *lines)
    assert rows["value"].tolist() == [43.6, 44.0, 0.548]
    assert rows["published_value"].tolist() == [436000, 44, 5480]
    assert rows["published_unit"].tolist() == ["人", "万人", "套"]
    assert rows["resolution"].tolist() == pytest.approx([0.0001, 1, 0.0001])


def test_words_bounds_and_withdrawals_are_read_as_in_the_plans(tmp_path, targets):
    lines = [
        "330213,preschool_assessment,2024,通过,,r,",
        "330213,long_term_care_insured,2024,全覆盖,万人,r,",
        "330213,care_workers,2024,≥31,人,r,",
        "330213,nursery_places,2024,/,个,r,",
    ]
    rows = reported(tmp_path, targets, *lines).set_index("number")
    assert rows["kind"].to_dict() == {1: "missing", 4: "status", 13: "lower_bound", 15: "full_coverage"}
    assert rows.at[4, "state"] == 100 and rows.at[13, "value"] == 31


def test_a_survey_beyond_the_plan_is_kept_under_its_own_name_and_not_judged(tmp_path, targets):
    rows = reported(
        tmp_path, targets, "330213,local:群众满意度,2024,91.5,分,survey,", "330213,local:群众满意度,2025,93,分,survey,"
    )
    assert rows[["indicator", "value", "unit"]].values.tolist() == [
        ["local:群众满意度", 91.5, "分"],
        ["local:群众满意度", 93, "分"],
    ]
    assert [found["severity"] for found in actual_findings(rows, targets)] == ["info", "info"]
    judged = monitoring(targets, rows).query("indicator == 'local:群众满意度'")
    assert set(judged["reason"]) == {"no_target"}


def test_lines_that_nobody_filled_in_are_passed_over(tmp_path, targets):
    assert reported(
        tmp_path, targets, "330213,nursery_places,2024,,个,,", ",,,,,,", "", "330213,affordable_nursery_share,2024,,,,"
    ).empty


@pytest.mark.parametrize(
    ("line", "place", "text", "said"),
    [
        ("某某县,nursery_places,2024,4,个,r,", "line 2", "某某县", "未知地区"),
        ("330213,托位,2024,4,个,r,", "line 2", "托位", "不认识的指标"),
        ("330213,1,2024,4,,r,", "line 2", "1", "不要写序号"),  # a number is nobody's name, in the county's own plan too
        ("330213,nursery_places,去年,4,个,r,", "line 2", "去年", "期间"),
        ("330213,nursery_places,2024,约四个,个,r,", "line 2", "约四个", "不是数值"),
        ("330213,nursery_places,2024,4-5,个,r,", "line 2", "4-5", "不是数值"),
        ("330213,nursery_places,2024,通过,个,r,", "line 2", "通过", "不是数值"),
        ("330213,preschool_assessment,2024,50,,r,", "line 2", "50", "通过"),
        ("330213,pension_insured,2024,44,,r,", "line 2", "44", "万人"),  # absent, and more than one unit is usual
        ("330213,pension_insured,2024,44,岁,r,", "line 2", "岁", "不能换算"),
        ("330213,pension_insured,2024,44万人,人,r,", "line 2", "44万人", "单位列"),
        ("330213,nursery_places,2024,4,个,r,,extra", "line 2", "extra", "表头之外"),
    ],
)
def test_what_cannot_be_read_names_file_place_text_and_fix(tmp_path, targets, line, place, text, said):
    problem = refused(tmp_path, targets, line)
    assert (problem.file, problem.place, problem.text) == ("form.csv", place, text)
    assert said in str(problem)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("region,indicator,period,unit,source,note", "value"),
        ("a,b,c", "Region code"),
        ("region,indicator,period,value,vaule,unit", "vaule"),
        ("region,indicator,period,value,value,unit", "value"),
    ],
)
def test_a_wrong_header_is_one_line(tmp_path, targets, header, text):
    assert (
        text.casefold()
        in str(refused(tmp_path, targets, "330213,nursery_places,2024,4,个,r", header=header)).casefold()
    )


def test_the_printed_number_beside_a_name_decides_nothing(tmp_path, targets):
    lines = ["330213,1,人均预期寿命,2024,82,岁", "330213,不详,重大慢性病过早死亡率,2024,9,%"]
    forms = read_actuals([csv_form(tmp_path, *lines, header="region,no.,indicator,period,value,unit")], targets)
    assert forms.actuals["indicator"].tolist() == ["life_expectancy", "premature_mortality"] and not forms.problems


def test_a_quotation_mark_that_never_ends_is_one_line(tmp_path, targets):
    assert "quot" in str(
        refused(
            tmp_path, targets, '330213,nursery_places,2024,4,个,"return', "330213,affordable_nursery_share,2024,80,%,r,"
        )
    )


def test_every_wrong_row_is_named_and_none_of_the_form_is_used(tmp_path, targets):
    path = csv_form(
        tmp_path, "330213,nursery_places,2024,4.4,个,r,", "330213,99,2024,1,个,r,", "330213,nursery_places,x,1,个,r,"
    )
    forms = read_actuals([path], targets)
    assert [problem.place for problem in forms.problems] == ["line 3", "line 4"]
    assert forms.actuals.empty


@pytest.mark.parametrize(
    "header", ["地区,指标,期间,数值,单位,数据来源,备注", "Region code,Indicator,Period,Actual value,Unit,Source,Note"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_headers_in_either_language_and_every_usual_encoding(tmp_path, targets, header, encoding):
    path = tmp_path / "form.csv"
    path.write_bytes(f"{header}\r\n奉化区,nursery_places,2024,4.4,个,统计局,\r\n".encode(encoding))
    forms = read_actuals([path], targets)
    assert forms.problems == [] and forms.actuals["source"].tolist() == ["统计局"]


def test_a_workbook_is_read_sheet_by_sheet_and_each_value_traced_to_its_cell(tmp_path, targets):
    book = Workbook()
    sheet = book.active
    sheet.title = "2024"
    sheet.append(["奉化区实际值"])
    sheet.append(HEADER.split(","))
    sheet.append(["330213", "nursery_places", 2024, 4.4, "个", "r", None])
    sheet.append(["330213", "affordable_nursery_share", "2024", 0.86, "%", "r", None])
    sheet["D4"].number_format = "0%"
    book.save(tmp_path / "form.xlsx")
    rows = read_actuals([tmp_path / "form.xlsx"], targets).actuals
    assert rows["locator"].tolist() == ["sheet 2024 cell D3", "sheet 2024 cell D4"]
    assert rows["value"].tolist() == [4.4, 86]


def test_a_folder_is_read_in_the_order_of_names_without_what_programs_leave_there(tmp_path, targets):
    csv_form(tmp_path, "330213,nursery_places,2024,4.3,个,r,", "330213,nursery_places,2024,4.4,个,r,", name="a.csv")
    csv_form(tmp_path, "330213,nursery_places,2024,4.6,个,r,", name="b.csv")
    write(tmp_path, "~$b.xlsx", "lock")
    write(tmp_path, ".hidden", "x")
    forms = read_actuals([tmp_path], targets)
    assert forms.actuals[["raw", "revision", "current"]].values.tolist() == [
        ["4.3", 1, False],
        ["4.4", 2, False],
        ["4.6", 3, True],
    ]
    assert [source["path"] for source in forms.sources] == ["a.csv", "b.csv"]


@pytest.mark.parametrize(
    ("name", "content"), [("notes.docx", b"x"), ("a.csv", b""), ("b.xlsx", b"no"), ("c.csv", b"\x00\x01")]
)
def test_a_file_that_is_no_form_is_named_and_the_others_are_used(tmp_path, targets, name, content):
    csv_form(tmp_path, "330213,nursery_places,2024,4.3,个,r,", name="good.csv")
    (tmp_path / name).write_bytes(content)
    forms = read_actuals([tmp_path], targets)
    assert [problem.file for problem in forms.problems] == [name]
    assert len(forms.actuals) == 1


def test_a_missing_file_is_named(tmp_path, targets):
    (problem,) = read_actuals([tmp_path / "absent.csv"], targets).problems
    assert "absent.csv" in problem.file


# --- findings ---------------------------------------------------------------------------------------------


def rules(folder, targets, *lines) -> list[tuple[str, str]]:
    found = actual_findings(reported(folder, targets, *lines), targets)
    return [(each["rule"].removeprefix("actual_"), each["severity"]) for each in found]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["330213,nursery_places,2023,4,个,r,"], []),
        (["330213,nursery_places,2023,4,个,synthetic: seed 1,"], [("synthetic", "warning")]),
        (["330213,nursery_places,2023,4,个,合成数据,"], [("synthetic", "warning")]),
        (["330213,nursery_places,2023,4,个,,"], [("unsourced", "info")]),
        (["330213,child_screening_rate,2023,101,%,r,"], [("outside", "warning")]),
        (["330213,nursery_places,2023,40,个,r,"], [("leap", "warning")]),  # ten times the baseline
        ([f"330213,training_cumulative,{tail},万人次,r," for tail in ("2023,4", "2024,3")], [("fall", "error")]),
        (["330213,training_cumulative,2023,1.5,万人次,r,"], [("fall", "error")]),  # below the baseline
        (["330213,nursery_places,2023,4,个,r,", "330213,nursery_places,2023Q4,4.1,个,r,"], [("disagrees", "warning")]),
        (["330213,nursery_places,2023,4,个,r,", "330213,nursery_places,2023,4.1,个,r,"], [("revised", "info")]),
        (["330213,nursery_places,2029,4,个,r,"], [("without_target", "warning")]),
        (["330213,unemployment_surveyed,2023,4,,r,"], [("without_target", "warning")]),  # the other definition
        # once, not per row
        (["宁海县,nursery_places,2023,4,个,r,", "宁海县,medical_aid_rate,2023,7,,r,"], [("without_target", "warning")]),
        (["330213,preschool_assessment,2023,申报,,r,", "330213,preschool_assessment,2024,100,,r,"], []),
    ],
)  # fmt: skip
def test_what_is_odd_is_a_finding(tmp_path, targets, lines, expected):
    assert rules(tmp_path, targets, *lines) == expected


def test_a_correction_tells_its_history_with_the_places(tmp_path):
    targets = planned("nursery_places", NURSERY)
    actuals = reported(
        tmp_path, targets, "330213,nursery_places,2023,3.9,个,r,", "330213,nursery_places,2023,4.1,个,r,"
    )
    (found,) = actual_findings(actuals, targets)
    assert "3.9 (form.csv, line 2) → 4.1 (form.csv, line 3)" in found["message_en"]
    assert (found["year"], found["locator"], found["raw"]) == (2023, "line 3", "4.1")
