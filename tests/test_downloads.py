"""What lies beside the reports: tables that Excel and WPS open as they are, figures that Word shows as they are."""

import base64
import gzip
import io
import json
import shutil
import warnings
import zipfile

import lxml.etree
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image
from plans import four_plans

from qyx_analysis import catalogue, figures, measures
from qyx_analysis.datapackage.loading import load_table
from qyx_analysis.export.workbook import Sheet, column_heads, to_csv, to_xlsx
from qyx_analysis.problems import DataError
from qyx_analysis.reports import Outcome, downloads
from qyx_analysis.reports.folder import ReportFolder, report_file

SVG = "{http://www.w3.org/2000/svg}"
FORMULAS = ["=1+1", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", "＝1", "'quoted", "=", "@"]
PLAIN = ["5.50", "-0.5", "+3", "-", "－", "≥32", "全覆盖", "<3.5", "", "1,200"]


@pytest.fixture(scope="module")
def data(four_plans_built):
    return four_plans_built


@pytest.fixture(scope="module")
def written(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    sources = json.loads((data / "datapackage.json").read_text(encoding="utf-8"))["sources"]
    downloads.write_tables(data, ReportFolder(folder), ["zh", "en"], "9.9", sources)
    return folder


def read_back(frame):
    """A download read as its note says: one apostrophe is taken from every text that begins with one."""
    table = pd.read_csv(io.BytesIO(to_csv(frame, bom=True)), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    return [text.removeprefix("'") for text in table["raw"]]


# --- CSV --------------------------------------------------------------------------------------------------


def test_every_table_is_there_as_csv_with_its_numbers(written, data):
    for name in downloads.resources(data):
        path = written / "data" / f"{name}.csv"
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
        ours, theirs = (
            pd.read_csv(p, dtype=str, encoding="utf-8-sig", keep_default_na=False) for p in (path, data / f"{name}.csv")
        )
        assert ours.columns.tolist() == theirs.columns.tolist()
        for column in theirs:
            assert ours[column].str.removeprefix("'").tolist() == theirs[column].tolist()


def test_no_cell_of_a_csv_file_begins_a_formula():
    text = to_csv(pd.DataFrame({"raw": FORMULAS + PLAIN, "value": -1.5}), bom=True).decode("utf-8-sig")
    lines = [line.removesuffix(",-1.5") for line in text.replace("\r", "␍").split("\n")[1:-1]]
    shown = [line.strip('"').replace('""', '"') for line in lines]
    assert shown[: len(FORMULAS)] == ["'" + text.replace("\r", "␍") for text in FORMULAS]
    assert shown[len(FORMULAS) :] == PLAIN


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8), min_size=1))
def test_a_csv_file_loses_no_text(texts):
    texts = [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts]  # pandas reads both as a line end
    assert read_back(pd.DataFrame({"raw": texts, "other": "x"})) == texts


@given(st.from_regex(r"[=+\-@\t\r＝＋－＠][^\0\r\n\"]{0,6}", fullmatch=True))
def test_what_begins_like_a_formula_is_a_number_or_dash_or_gets_an_apostrophe(text):
    line = to_csv(pd.DataFrame({"raw": [text]}), bom=True).decode("utf-8-sig").split("\n")[1].strip('"')
    harmless = set(text) <= set("-－") or set(text[1:]) <= set("0123456789.,%")
    assert line.startswith("'") or harmless


# --- Excel ------------------------------------------------------------------------------------------------


def opened(path_or_bytes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # "opens without a warning"
        return openpyxl.load_workbook(path_or_bytes if hasattr(path_or_bytes, "stem") else io.BytesIO(path_or_bytes))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_workbook_holds_every_table_under_headers_in_its_language(written, data, lang):
    book = opened(written / downloads.workbook_file(lang))
    titles = {key: catalogue.message(f"sheet_{key}", lang) for key in ("about", "overview", "columns", "codes")}
    names = [catalogue.message(f"sheet_{name}", lang) for name in downloads.resources(data)]
    assert book.sheetnames == [titles["about"], titles["overview"], *names, titles["columns"], titles["codes"]]
    for name, title in zip(downloads.resources(data), names, strict=True):
        assert book[title].max_row == len(load_table(name, data)) + 1
        assert book[title].freeze_panes == "A2"
    heads = [cell.value for sheet in book for cell in sheet[1] if cell.value]
    assert all(any("\u4e00" <= c <= "\u9fff" for c in head) for head in heads) is (lang == "zh")


def test_the_overview_shows_what_is_printed_beside_the_number_it_means(written):
    sheet = opened(written / downloads.workbook_file("zh"))["规划目标一览"]
    assert sheet.freeze_panes == "D2"
    heads = {cell.value: i for i, cell in enumerate(sheet[1])}
    rows = {(row[0].value, row[1].value): row for row in sheet.iter_rows(min_row=2)}
    assert len(rows) == 84
    care = rows["奉化区", 13]
    assert [care[heads[head]].value for head in ("规范单位", "2027 印制", "2027 数值")] == ["人", "≥32", 32]
    assert care[heads["2027 数值"]].data_type == "n"
    assert rows["奉化区", 7][heads["2027 印制"]].value == "<3.5"
    assert rows["奉化区", 15][heads["2027 印制"]].value == "全覆盖"


def test_the_workbook_says_what_it_was_made_from(written, data):
    about = opened(written / downloads.workbook_file("en"))["About"]
    said = "\n".join(str(cell) for row in about.values for cell in row)
    assert f"9.9 {downloads.data_id(data)}" in said
    assert "sha256 " in said and "fenghua.txt" in said
    assert "not outcomes" in said


def test_the_same_data_give_the_same_workbook_and_are_not_written_twice(written, data):
    path = written / downloads.workbook_file("zh")
    before, time = path.read_bytes(), path.stat().st_mtime_ns
    downloads.write_tables(data, ReportFolder(written), ["zh", "en"], "9.9", [])
    assert path.stat().st_mtime_ns == time
    tables = {name: load_table(name, data) for name in downloads.resources(data)}
    sources = json.loads((data / "datapackage.json").read_text(encoding="utf-8"))["sources"]
    assert downloads.workbook(tables, "zh", f"9.9 {downloads.data_id(data)}", sources) == before
    downloads.write_tables(data, ReportFolder(written), ["zh"], "10.0", sources)
    states = [downloads._state_of((written / downloads.workbook_file(lang)).read_bytes()) for lang in ("zh", "en")]
    assert states == [f"10.0 {downloads.data_id(data)}"] * 2  # a workbook that is there keeps up with the CSV files
    (written / "data" / "findings.csv").unlink()
    downloads.write_tables(data, ReportFolder(written), ["zh"], "10.0", sources)
    assert (written / "data" / "findings.csv").is_file()


def test_a_build_that_lacks_a_table_is_said_to(data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    (tmp_path / "data" / "findings.csv").unlink()
    with pytest.raises(DataError, match="findings.csv"):
        downloads.data_id(tmp_path / "data")


def sheet_with(texts):
    return to_xlsx({}, about=Sheet("a", pd.DataFrame({"raw": pd.Series(texts, dtype=object)})))


def test_a_text_in_the_workbook_is_a_text_whatever_it_begins_with():
    data = sheet_with(
        FORMULAS + PLAIN + ["#N/A", "x" * 40_000, "a\0b\x1b\ufffe", "_x0041_", "\u202e1", True, float("inf")]
    )
    cells = [row[0] for row in opened(data)["a"].iter_rows(min_row=2)]
    assert {cell.data_type for cell in cells[: len(FORMULAS)]} == {"s"}
    assert [cell.value for cell in cells if not cell.quotePrefix][:2] == ["␍=1", "5.50"]  # no formula any more
    assert [cell.value or "" for cell in cells[len(FORMULAS) :][: len(PLAIN)]] == PLAIN
    wrong, long, control, escaped, turned, yes, endless = cells[len(FORMULAS + PLAIN) :]
    assert (wrong.data_type, wrong.value) == ("s", "#N/A")
    assert long.value.endswith("… [40000]") and len(long.value) < 32_767
    assert (control.value, turned.value) == ("a␀b␛⟨U+FFFE⟩", "⟨U+202E⟩1")
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        parts = {name: book.read(name).decode("utf-8") for name in book.namelist()}
    assert "_x005F_x0041_" in parts["xl/sharedStrings.xml"]  # Excel would read _x0041_ as A
    assert (escaped.data_type, yes.value, endless.value) == ("s", True, "∞")
    assert not any("<f>" in text or "externalLink" in name for name, text in parts.items())


def test_every_table_has_a_name_and_headers_of_its_own_in_both_languages():
    for lang in ("zh", "en"):
        for name in catalogue.fields()["resource"].unique():
            heads = column_heads(name, lang)
            inserted = [("region", "sheet_region"), ("indicator", "tab_indicator")]
            own = [*heads.values(), *(catalogue.message(key, lang) for column, key in inserted if column in heads)]
            assert len(set(own)) == len(own), (name, lang)
            assert len(catalogue.message(f"sheet_{name}", lang)) <= 31  # Excel's limit


# --- figures ----------------------------------------------------------------------------------------------


def timing_of_fenghua():
    targets = four_plans()
    return figures.plot_timing(measures.trajectory(targets), targets, "330213", lang="zh")


@pytest.fixture(scope="module")
def picture():
    return timing_of_fenghua()


def notebook_of(*bundles):
    return new_notebook(cells=[new_code_cell(outputs=[new_output("display_data", data=data) for data in bundles])])


def bundle_of(picture):
    forms, _ = picture._repr_mimebundle_()
    return forms | {"image/png": base64.b64encode(forms["image/png"]).decode()}


def test_every_figure_is_written_as_svg_and_png_and_those_of_an_earlier_run_go(picture, tmp_path):
    bundle = bundle_of(picture)
    for lang, bundles in (("zh", [bundle, {"text/plain": "no figure"}, bundle]), ("en", [bundle]), ("zh", [bundle])):
        page = report_file("330213-fenghua", lang)
        files = downloads.figures_of(notebook_of(*bundles), "330213-fenghua", lang) | {page: b""}
        ReportFolder(tmp_path).write_report(Outcome("330213", "", page, True, lang=lang), files)
    names = [f"330213-fenghua-1.{lang}.{form}" for lang in ("en", "zh") for form in ("png", "svg")]
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == names
    assert ReportFolder(tmp_path).figures()["330213-fenghua", "zh"] == {
        1: {"svg": "figures/330213-fenghua-1.zh.svg", "png": "figures/330213-fenghua-1.zh.png"}
    }
    image = Image.open(tmp_path / "figures" / "330213-fenghua-1.zh.png")
    assert (image.width, image.mode, image.getpixel((2, 2))) == (1600, "P", image.getpixel((5, 5)))
    assert image.convert("RGB").getpixel((2, 2)) == (255, 255, 255)


def test_an_svg_needs_no_font_and_no_other_file(picture):
    svg = gzip.decompress(base64.b64decode(bundle_of(picture)["image/svg+xml-compressed"]))
    assert b"<!" not in svg  # neither a document type, which names an address, nor comments
    root = lxml.etree.fromstring(svg)
    tags = {element.tag.removeprefix(SVG) for element in root.iter(f"{SVG}*")}
    assert tags <= {"svg", "metadata", "defs", "style", "g", "path", "use", "clipPath", "rect", "image"}
    links = {value for element in root.iter() for name, value in element.attrib.items() if name.endswith("}href")}
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    assert picture.get_label() in "".join(root.itertext())


def test_drawing_twice_gives_the_same_bytes(picture):
    assert bundle_of(picture) == bundle_of(picture)
    assert bundle_of(timing_of_fenghua()) == bundle_of(picture)
