"""Workbooks, CSV, Parquet and packages hold what the build holds; forms come back; differences are named."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from plans import fifth_county, printed, write
from synthetic_actuals import fill

from qyx_analysis import catalogue, names
from qyx_analysis.catalogue import message
from qyx_analysis.cli import main
from qyx_analysis.datapackage.building import build
from qyx_analysis.datapackage.loading import load_table, load_tables, load_targets
from qyx_analysis.export.difference import compare
from qyx_analysis.export.workbook import Sheet, column_heads, sheet_name, to_csv, to_xlsx
from qyx_analysis.files import raw_dir
from qyx_analysis.problems import DataError
from qyx_analysis.wings.monitoring.forms import actuals_form, form_file, load_actuals
from qyx_analysis.wings.monitoring.judging import monitoring, open_items, rankings
from qyx_analysis.wings.sentences.desk import load_governance

COUNTIES = ("330213", "330282", "330681", "330922")
PERIODS = ["2023", "2024", "2025Q2"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """The demonstration: forms from the plans, filled in by a script, and the build that reads them."""
    folder = tmp_path_factory.mktemp("demo")
    first = build([raw_dir()], folder / "plans")
    targets = load_targets(first.out)
    (folder / "actuals").mkdir()
    for seed, region in enumerate(COUNTIES):
        filled = fill(actuals_form(targets, region, PERIODS), seed)
        (folder / "actuals" / form_file(region)).write_bytes(filled)
    assert build([raw_dir()], folder / "demo", actuals=[folder / "actuals"]).exit_status == 0
    return folder / "demo"


# --- the demonstration ------------------------------------------------------------------------------------


def test_a_form_filled_by_a_script_becomes_a_monitoring_table(demo):
    actuals = load_actuals(demo)
    assert set(actuals["region"]) == set(COUNTIES) and set(actuals["period"]) == set(PERIODS)
    assert len(actuals) > 180 and actuals["synthetic"].all()
    tables = load_tables(demo)
    expected = monitoring(load_targets(demo), actuals, governance=tables["governance"])
    pd.testing.assert_frame_equal(tables["monitoring"], expected, check_dtype=False)
    pd.testing.assert_frame_equal(tables["rankings"], rankings(expected), check_dtype=False)
    pd.testing.assert_frame_equal(tables["open_items"], open_items(expected), check_dtype=False)
    assert {"achieved", "on_path", "behind", "no_judgement"} <= set(expected["status"])


def test_synthetic_values_are_named_so_in_every_table(demo):
    tables = load_tables(demo)
    reported = tables["monitoring"].query("actual_raw != ''")
    assert reported["flags"].str.contains("synthetic").all()
    assert tables["open_items"]["flags"].str.contains("synthetic").all()
    assert tables["rankings"].query("judged > 0")["flags"].str.contains("synthetic").all()
    assert set(tables["findings"].query("rule == 'actual_synthetic'")["region"]) == set(COUNTIES)


def test_a_form_says_what_is_planned_and_offers_what_is_understood(demo):
    targets = load_targets(demo)
    book = load_workbook(io.BytesIO(actuals_form(targets, "诸暨市", ["2024", "2025Q1"])))
    sheet = book.worksheets[0]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    own = targets.query("region == '330681'")
    assert len(rows) == 2 * own["indicator"].nunique()
    assert [row[7] for row in rows[::2]] == own.query("year == 2024")["raw"].tolist()
    assert {row[5] for row in rows} == set(own["department"])
    leads = load_workbook(io.BytesIO(actuals_form(targets, "奉化区", ["2024"], load_governance(demo)))).worksheets[0]
    assert leads["F2"].value == "区卫生健康局"
    assert {row[6] for row in rows} == {"2024", "2025Q1"}
    assert sheet.freeze_panes == "A2"
    lists = [v.formula1 for v in sheet.data_validations.dataValidation if v.type == "list"]
    assert any("通过" in text for text in lists) and any("万人" in text for text in lists)
    assert [v.formula2 for v in sheet.data_validations.dataValidation if v.type == "decimal"].count("100.0") > 5


def test_an_empty_form_is_read_without_a_problem_and_without_a_value(demo, tmp_path):
    (tmp_path / "form.xlsx").write_bytes(actuals_form(load_targets(demo), "慈溪市", ["2024"]))
    built = build([raw_dir()], tmp_path / "out", actuals=[tmp_path / "form.xlsx"])
    assert built.exit_status == 0 and load_actuals(tmp_path / "out").empty


def test_a_bad_form_is_named_and_the_rest_is_built(demo, tmp_path):
    form = write(tmp_path, "bad.csv", "region,indicator,period,value\n330213,nursery_places,2024,many\n")
    built = build([raw_dir()], tmp_path / "out", actuals=[form])
    assert built.exit_status == 1
    assert [(problem.file, problem.place) for problem in built.problems] == [("bad.csv", "line 2")]
    assert load_tables(tmp_path / "out")["monitoring"].empty


# --- workbooks --------------------------------------------------------------------------------------------


def read_back(sheet, resource: str, frame: pd.DataFrame, lang: str) -> pd.DataFrame:
    """The columns of the table out of its sheet, typed as they were."""
    heads = column_heads(resource, lang)
    first, *rows = sheet.iter_rows(values_only=True)
    shown = pd.DataFrame(rows, columns=list(first), dtype=object)
    back = pd.DataFrame({name: shown[heads[name]] for name in frame.columns})
    for name, kind in catalogue.dtypes(resource).items():
        if name not in back:
            continue
        column = back[name].replace({"∞": np.inf, "−∞": -np.inf}) if kind == "float64" else back[name]
        back[name] = (column.astype(object).where(column.notna(), "") if kind == "str" else column).astype(kind)
    return back


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_workbook_read_back_equals_the_frames(demo, lang):
    some = ("findings", "monitoring", "trajectory")
    tables = load_tables(demo) if lang == "zh" else {name: load_table(name, demo) for name in some}
    book = load_workbook(io.BytesIO(to_xlsx(tables, lang)))
    for resource, frame in tables.items():
        kept = frame.drop(columns="message_en" if lang == "zh" else "message_zh", errors="ignore")
        back = read_back(book[sheet_name(resource, lang)], resource, kept, lang)
        pd.testing.assert_frame_equal(back, kept.astype(back.dtypes.to_dict()), check_dtype=False, rtol=1e-14)


def test_the_overview_has_what_is_printed_beside_the_number(demo):
    book = load_workbook(io.BytesIO(to_xlsx({"targets": load_targets(demo)}, "zh")))
    sheet = book.worksheets[0]
    header = [cell.value for cell in sheet[1]]
    row = next(r for r in sheet.iter_rows(min_row=2, values_only=True) if r[0] == "奉化区" and r[1] == 7)
    assert row[header.index("2023 印制")] == "<3.5" and row[header.index("2023 数值")] == 3.5
    assert sheet.freeze_panes == "D2"


def test_a_workbook_has_findings_units_and_frozen_headers_and_the_same_bytes_each_time(demo):
    tables = {name: load_table(name, demo) for name in ("targets", "findings")}
    data = to_xlsx(tables, "zh")
    assert data == to_xlsx(tables, "zh")
    book = load_workbook(io.BytesIO(data))
    assert message("sheet_findings", "zh") in book.sheetnames
    assert all(sheet.freeze_panes for sheet in book.worksheets)
    assert "规范单位" in [cell.value for cell in book[message("sheet_targets", "zh")][1]]


def test_a_sheet_may_go_before_and_the_workbook_say_what_it_was_made_from():
    about = Sheet("关于", pd.DataFrame({"=a": ["made of +1"]}))
    book = load_workbook(io.BytesIO(to_xlsx({}, "zh", about, "0.1.0 abc")))
    assert book.sheetnames[0] == "关于" and book["关于"]["A1"].value == "=a" and book["关于"]["A1"].data_type == "s"
    assert book.custom_doc_props["qyx"].value == "0.1.0 abc"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_two_columns_of_a_table_have_one_header(lang):
    for resource in catalogue.fields()["resource"].unique():
        heads = column_heads(resource, lang)
        beside = {"region": message("sheet_region", lang), "indicator": message("tab_indicator", lang)}
        elsewhere = {"message_en" if lang == "zh" else "message_zh"}
        shown = [head for name, head in heads.items() if name not in elsewhere]
        heads = [*shown, *(beside[name] for name in heads if name in beside)]
        assert len(set(heads)) == len(heads), resource


def test_every_table_of_a_build_has_a_name_for_its_sheet(demo):
    for lang in ("zh", "en"):
        named = [sheet_name(resource, lang) for resource in load_tables(demo)]
        assert len(set(named)) == len(named) and all(len(name) <= 31 for name in named)


@examples(10)
@given(
    st.lists(st.text(max_size=12), min_size=1, max_size=6), st.sampled_from(["=", "+", "-", "@", "\t", "'", "＝", ""])
)
def test_no_text_becomes_a_formula_and_none_stops_the_writing(texts, start):
    frame = pd.DataFrame({"region": "330213", "note": [start + text for text in texts]})
    sheet = load_workbook(io.BytesIO(to_xlsx({"actuals": frame}))).worksheets[0]
    for line in range(2, 2 + len(texts)):
        assert sheet.cell(line, 3).data_type in ("s", "n")  # n: nothing is left of an empty text
        assert sheet.cell(line, 3).value is None or isinstance(sheet.cell(line, 3).value, str)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r"), max_size=8), min_size=1, max_size=5
    )
)
def test_csv_for_a_spreadsheet_program_runs_nothing_and_gives_every_text_back(texts):
    data = to_csv(pd.DataFrame({"raw": texts, "end": "x"}), bom=True)
    assert data.startswith(b"\xef\xbb\xbf")
    read = [row[0] for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))][1:]
    assert [text[1:] if text.startswith("'") else text for text in read] == texts
    harmless = re.compile(r"[-+－＋]?\d[\d.,%]*|[-－]+")
    assert not [text for text in read if text[:1] in tuple("=+-@\t＝＋－＠") and not harmless.fullmatch(text)]


def test_csv_without_bom_is_the_text_as_it_is():
    assert to_csv(pd.DataFrame({"raw": ["=1+1", "'x"]})) == b"raw\n=1+1\n'x\n"


# --- LibreOffice ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_libreoffice_opens_the_workbook_and_reads_the_same(demo, tmp_path):
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.skip("machine: LibreOffice is not installed")
    tables = load_tables(demo)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "qyx.xlsx").write_bytes(to_xlsx(tables, "zh"))
    command = [
        program,
        f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
        "--headless",
        "--convert-to",
        "xlsx",
    ]
    done = subprocess.run(
        [*command, "--outdir", str(tmp_path / "out"), str(tmp_path / "in" / "qyx.xlsx")],
        capture_output=True, timeout=180,
    )  # fmt: skip
    if not (tmp_path / "out" / "qyx.xlsx").is_file() and b"no export filter" in done.stderr + done.stdout:
        pytest.skip("machine: LibreOffice without Calc")
    book = load_workbook(tmp_path / "out" / "qyx.xlsx", data_only=True)
    for resource, frame in tables.items():
        kept = frame.drop(columns="message_en", errors="ignore")
        back = read_back(book[sheet_name(resource, "zh")], resource, kept, "zh")
        pd.testing.assert_frame_equal(back, kept.astype(back.dtypes.to_dict()), check_dtype=False, rtol=1e-12)


# --- differences ------------------------------------------------------------------------------------------


@pytest.fixture
def two(tmp_path) -> tuple[Path, Path]:
    """Two versions of a plan: a changed number, a bound for a number, another unit, and a row less."""
    text = fifth_county()
    changed = text.replace("\t2.95\n", "\t3.05\n").replace("(万套<间>)", "(万套)")
    return write(tmp_path, "old.txt", text), write(tmp_path, "new.txt", changed)


def test_two_versions_of_a_plan_differ_cell_by_cell(two):
    changes = compare(*two)
    cells = changes[["change", "region", "item", "when", "field", "old", "new"]].values.tolist()
    assert cells == [
        ["changed", "330226", "nursery_places", "2022", "raw", "2.95", "3.05"],
        ["changed", "330226", "rental_housing_cumulative", "", "name", *changes.loc[1, ["old", "new"]]],
        ["changed", "330226", "rental_housing_cumulative", "", "published_unit", "万套<间>", "万套"],
    ]
    assert changes.loc[0, "old_place"].startswith("old, line ") and changes.loc[0, "new_place"].startswith("new, line ")


def test_sentences_are_compared_too_wherever_they_move(tmp_path, capsys):
    said = "（一）幼有善育\n到2027年，新建步道{n}公里，改造球场12片。\n每年举办展览3场。\n"
    old = write(tmp_path, "old.txt", said.format(n=40) + fifth_county())
    new = write(tmp_path, "new.txt", "说明\n" + said.format(n=45) + "到2025年，建成书屋9家。\n" + fifth_county())
    changes = compare(old, new).query("table == 'prose_targets'")
    told = changes[["change", "item", "when", "field", "old", "new"]].values.tolist()
    assert [row[:2] + row[3:] for row in told] == [
        ["changed", "新建步道", "text_value", "40", "45"],
        ["added", "书屋", "text_value", "", "9"],
    ]
    assert [row[2] for row in told] == ["2027", "2025"]
    assert main(["diff", str(old), str(new)]) == 1
    assert any("新建步道" in line for line in capsys.readouterr().out.splitlines())


def test_the_command_says_what_changed_in_both_languages_and_by_its_status(two, capsys):
    assert main(["diff", str(two[0]), str(two[0])]) == 0
    assert capsys.readouterr().out == "没有差别 / no difference\n"
    assert main(["diff", *map(str, two)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "更改/changed" in lines[0] and "“2.95” (old, line" in lines[0] and "宁海县" in lines[0]
    assert lines[-1] == "新增 0、删除 0、更改 3 / 0 added; 0 removed; 3 changed"


def test_what_cannot_be_compared_is_one_line_and_status_2(two, demo, tmp_path, capsys):
    other = write(tmp_path, "cixi.txt", printed("cixi"))
    for pair in ((two[0], other), (two[0], demo), (two[0], tmp_path / "absent.txt"), (demo, tmp_path)):
        assert main(["diff", *map(str, pair)]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_builds_differ_by_what_one_has_and_by_corrected_values(demo, tmp_path):
    forms = tmp_path / "forms"
    forms.mkdir()
    header = "region,indicator,period,value,unit,source\n"
    write(forms, "a.csv", header + "330213,nursery_places,2024,4.4,个,r\n")
    build([raw_dir() / "fenghua.txt"], tmp_path / "one", actuals=[forms])
    write(forms, "b.csv", header + "330213,nursery_places,2024,4.5,个,r\n")
    build([raw_dir() / "fenghua.txt", raw_dir() / "cixi.txt"], tmp_path / "two", actuals=[forms])
    changes = compare(tmp_path / "one", tmp_path / "two")
    added = changes.query("table == 'targets'")
    assert set(added["change"]) == {"added"} and set(added["region"]) == {"330282"} and len(added) == 126
    values = changes.query("table == 'actuals'")[["change", "when", "field", "old", "new"]].values.tolist()
    assert values == [["changed", "2024", "current", "True", "False"], ["added", "2024", "raw", "", "4.5"]]
    back = compare(tmp_path / "two", tmp_path / "one")
    assert set(back.query("table == 'targets'")["change"]) == {"removed"}


def test_a_changed_reading_of_the_same_text_is_named(demo):
    from qyx_analysis.export.difference import difference

    old = load_targets(demo)
    new = old.assign(value=old["value"].where(old["raw"] != "≥108.1", 100.0))
    rows = difference({"targets": old}, {"targets": new})
    assert set(rows["field"]) == {"value"} and set(rows["new"]) == {"100"} and len(rows) == 4


def test_names_of_forms_tell_the_county_apart():
    codes = catalogue.regions().query("level == 'county'")["code"]
    assert len({form_file(code) for code in codes}) == len(codes) == 90


@pytest.mark.parametrize(("region", "period"), [("宁海县", "2024"), ("某某县", "2024"), ("奉化区", "soon")])
def test_a_form_that_cannot_be_made_is_an_error_that_says_why(demo, region, period):
    with pytest.raises(DataError):
        actuals_form(load_targets(demo), region, [period])


def test_the_command_writes_a_form_per_county(demo, tmp_path, capsys):
    assert main(["template", "actuals", "--period", "2024", "--out", str(tmp_path), "--data", str(demo)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(list(tmp_path.glob("*.xlsx"))) == 4
    assert main(["template", "actuals", "奉化区", "--out", str(tmp_path / "own"), "--data", str(demo)]) == 0
    (form,) = (tmp_path / "own").iterdir()
    assert names.region_slug("330213") in form.name
