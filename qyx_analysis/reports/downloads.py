"""What lies beside the pages for other programs: the tables as CSV and Excel files, the figures as SVG and PNG.

A build's own tables are plain UTF-8 and hold every text as it was read. These copies are opened in office programs:
there a text must stay a text, whatever it begins with.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qyx_analysis import catalogue, names, raw
from qyx_analysis.catalogue import message
from qyx_analysis.datapackage import PACKAGE
from qyx_analysis.notebooks import LANGUAGES
from qyx_analysis.problems import DataError, Problem, visible
from qyx_analysis.processed import load_table
from qyx_analysis.tables import indicator_name, printed_text

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

TABLES, FIGURES = "data", "figures"  # folders beside the pages
_FIGURE = re.compile(r"(?P<stem>.+)-(?P<number>\d+)\.(?P<lang>\w+)\.(?P<form>svg|png)")
FORMS = {"svg": "image/svg+xml-compressed", "png": "image/png"}  # as figures/picture.py puts them into a notebook
_BOM = b"\xef\xbb\xbf"  # without it Excel on a Chinese Windows takes a CSV file for GBK
_FORMULA = re.compile(r"[=+\-@\t\r\n'＝＋－＠]")  # begins what a spreadsheet program runs, or what we put before it
_HARMLESS = re.compile(r"[-+－＋]?\d[\d.,%]*|[-－]+")  # a signed number, or the dash of an empty cell
_STATE = "qyx"  # the property of a workbook that says which version made it from which data
_FIXED = datetime(2023, 1, 1)  # the time inside a workbook: the same data give the same bytes
_WIDEST, _LONGEST = 44, 32_000  # characters of a column, and of a cell (Excel allows 32 767)

Figures = dict[int, dict[str, str]]  # number -> form -> file inside the folder of the reports


@dataclass(frozen=True)
class Sheet:
    """One sheet of the workbook: its name, its table, and how many columns stay in sight."""

    name: str
    frame: pd.DataFrame
    frozen: int = 0


# --- figures ----------------------------------------------------------------------------------------------


def figure_file(stem: str, number: int, lang: str, form: str) -> str:
    """The file of a report's figure, inside the folder of the reports; figures count from 1.

    >>> figure_file("330213-fenghua", 2, "zh", "svg")
    'figures/330213-fenghua-2.zh.svg'
    """
    return f"{FIGURES}/{stem}-{number}.{lang}.{form}"


def write_figures(notebook: NotebookNode, folder: Path, stem: str, lang: str) -> None:
    """Write the figures of an executed notebook as it holds them; nothing is drawn again."""
    pictures = [
        output.data
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if set(FORMS.values()) & set(output.get("data", {}))
    ]
    for number, forms in enumerate(pictures, 1):
        for form, mime in FORMS.items():
            if mime in forms:
                data = base64.b64decode(forms[mime])
                data = gzip.decompress(data) if form == "svg" else data
                raw.write_whole(folder / figure_file(stem, number, lang, form), data)
    for number, forms in figures_in(folder).get((stem, lang), {}).items():
        for file in forms.values() if number > len(pictures) else ():
            (folder / file).unlink()  # of an earlier run that had more figures


def figures_in(folder: Path) -> dict[tuple[str, str], Figures]:
    """The figures' files that are in the folder of the reports, by name and language of the report."""
    found: dict[tuple[str, str], Figures] = {}
    for path in sorted((folder / FIGURES).glob("*")):
        if named := _FIGURE.fullmatch(path.name):
            figures = found.setdefault((named["stem"], named["lang"]), {})
            figures.setdefault(int(named["number"]), {})[named["form"]] = f"{FIGURES}/{path.name}"
    return {report: dict(sorted(figures.items())) for report, figures in found.items()}


# --- tables -----------------------------------------------------------------------------------------------


def workbook_file(lang: str) -> str:
    """The Excel file of all tables, inside the folder of the reports.

    >>> workbook_file("zh")
    'data/qyx-tables.zh.xlsx'
    """
    return f"{TABLES}/qyx-tables.{lang}.xlsx"


def data_id(data: Path) -> str:
    """What tells one build from another: the first twelve digits of the sha256 over its tables.

    Two pages with the same one show the same data. Raises ``DataError`` when a table is missing.
    """
    digest = hashlib.sha256()
    for path in (data / f"{name}.csv" for name in resources(data)):
        try:
            digest.update(path.read_bytes())
        except OSError as error:
            values = {"reason": error.strerror or str(error)}
            raise DataError(Problem("data_unreadable", str(path), values=values)) from error
    return digest.hexdigest()[:12]


def resources(data: Path) -> list[str]:
    """Names of the tables of a build, in the order of its ``datapackage.json``."""
    return [resource["name"] for resource in json.loads((data / PACKAGE).read_text(encoding="utf-8"))["resources"]]


def write_tables(data: Path, folder: Path, langs: Iterable[str], version: str, sources: list[dict[str, str]]) -> None:
    """Write every table of a build as CSV, and all of them as one workbook in each language asked for or there.

    What was made from the same data by the same version is left as it is: each workbook, written last, says both.
    """
    state = f"{version} {data_id(data)}"
    files = {name: folder / TABLES / f"{name}.csv" for name in resources(data)}
    kept = {*langs, *(lang for lang in LANGUAGES if (folder / workbook_file(lang)).is_file())}
    stale = [lang for lang in sorted(kept) if _state_of(folder / workbook_file(lang)) != state]
    if not stale and all(path.is_file() for path in files.values()):
        return
    tables = {name: load_table(name, data) for name in files}
    for name, table in tables.items():
        raw.write_whole(files[name], csv_download(table))
    for lang in stale:
        raw.write_whole(folder / workbook_file(lang), workbook(tables, lang, state, sources))


def csv_download(table: pd.DataFrame) -> bytes:
    """A table as CSV for a spreadsheet program: with a BOM, and no text in it that would be run as a formula.

    A text that begins like a formula, or with an apostrophe, gets one apostrophe before it; taking one away from
    every text that begins with it gives back what was read.

    >>> csv_download(pd.DataFrame({"raw": ["=1+1", "-0.5", "≥32"]})).decode("utf-8-sig").split()
    ['raw', "'=1+1", '-0.5', '≥32']
    """
    texts = table.select_dtypes(["object", "string"]).columns
    return _BOM + raw.csv_bytes(table.assign(**{name: table[name].map(_not_run) for name in texts}))


def _not_run(text: object) -> object:
    run = isinstance(text, str) and _FORMULA.match(text) and not _HARMLESS.fullmatch(text)
    return f"'{text}" if run else text


# --- the workbook -----------------------------------------------------------------------------------------


def workbook(tables: dict[str, pd.DataFrame], lang: str, state: str, sources: list[dict[str, str]]) -> bytes:
    """All tables as one Excel file whose headers, names and explanations are in ``lang``.

    The first sheet says what it is, the second has a row per county and indicator with what is printed beside the
    number it means; then one sheet per table, and what the columns and codes mean.
    """
    import xlsxwriter

    sheets = [_about(tables, lang, state, sources), _overview(tables["targets"], lang)]
    sheets += [Sheet(_sheet_name(name, lang), _in_words(name, table, lang)) for name, table in tables.items()]
    sheets += [_columns(tables, lang), _codes(lang)]
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"title": message("report_index_title", lang), "created": _FIXED})
        book.set_custom_property(_STATE, state, "text")
        formats = {
            "head": book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}),
            "text": book.add_format({"valign": "top", "quote_prefix": True}),
        }
        for sheet in sheets:
            _write_sheet(book, sheet, formats)
    return out.getvalue()


def _sheet_name(resource: str, lang: str) -> str:
    return message(f"sheet_{resource}", lang)


def _write_sheet(book: Workbook, sheet: Sheet, formats: dict[str, Format]) -> None:
    page: Worksheet = book.add_worksheet(sheet.name)
    rows, columns = sheet.frame.shape
    page.freeze_panes(1, sheet.frozen)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    page.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})  # a printed 5.50 is meant to stay a text
    if rows:
        page.autofilter(0, 0, rows, columns - 1)
    for column, name in enumerate(sheet.frame.columns):
        values = sheet.frame[name]
        page.write_string(0, column, str(name), formats["head"])
        page.set_column(column, column, _width(str(name), values))
        for row, value in enumerate(values, 1):
            _write_cell(page, row, column, value, formats["text"])


def _write_cell(page: Worksheet, row: int, column: int, value: Any, as_text: Format) -> None:
    """A number as a number, a text as a text that nothing makes a formula; no value leaves the cell empty."""
    if isinstance(value, str):
        shown = visible(value)
        shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}… [{len(shown)}]"
        if shown:
            page.write_string(row, column, shown, as_text if _FORMULA.match(shown) else None)
    elif isinstance(value, bool | np.bool_):
        page.write_boolean(row, column, bool(value))
    elif not pd.isna(value):
        if np.isinf(value):
            page.write_string(row, column, "∞" if value > 0 else "−∞")
        else:
            page.write_number(row, column, float(value))


def _width(head: str, values: pd.Series) -> float:
    """A column as wide as what is in it: a Chinese character takes two places, a header may take two lines."""
    longest = max([_places(head) / 2, *map(_places, map(str, values.drop_duplicates().head(400)))])
    return min(_WIDEST, max(8.0, longest + 2))


def _places(text: str) -> int:
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)


def _state_of(path: Path) -> str:
    """Version and data that a workbook was made from; nothing where there is none that says so."""
    try:
        with zipfile.ZipFile(path) as book:
            about = book.read("docProps/custom.xml").decode("utf-8")
    except (OSError, KeyError, zipfile.BadZipFile):
        return ""
    found = re.search(rf'name="{_STATE}"[^>]*><vt:lpwstr>([^<]*)<', about)
    return found[1] if found else ""


# --- the sheets -------------------------------------------------------------------------------------------


def _about(tables: dict[str, pd.DataFrame], lang: str, state: str, sources: list[dict[str, str]]) -> Sheet:
    rows = [(message("report_planned", lang), "")]
    rows += [(message(key, lang), "") for key in ("sheet_bounds", "sheet_texts")]
    rows += [(message("sheet_state", lang), state)]
    rows += [(_sheet_name(name, lang), message("sheet_rows", lang, n=len(table))) for name, table in tables.items()]
    rows += [(f"{source['title']} · {source['path']}", f"sha256 {source['sha256']}") for source in sources]
    return Sheet(message("sheet_about", lang), pd.DataFrame(rows, columns=[message("report_index_title", lang), ""]))


def _overview(targets: pd.DataFrame, lang: str) -> Sheet:
    """One row per region and printed row; for every year what is printed and the number it means."""
    first = targets.drop_duplicates(["region", "indicator"]).set_index(["region", "indicator"])
    known = catalogue.indicators().set_index("code")
    units = first["unit"] if lang == "zh" else known["unit_en"].reindex(first.index.get_level_values("indicator"))
    frame = pd.DataFrame(
        {
            message("sheet_region", lang): [names.region_name(code, lang) for code, _ in first.index],
            message("sheet_number", lang): first["number"].to_numpy(),
            message("tab_indicator", lang): [indicator_name(code, lang) for _, code in first.index],
            message("tab_unit", lang): first["published_unit"].to_numpy(),
            message("sheet_unit", lang): np.where(pd.isna(units), first["unit"], units),
        },
        index=first.index,
    )
    wide = targets.pivot(index=["region", "indicator"], columns="year", values=["raw", "value"]).reindex(first.index)
    for year in sorted(targets["year"].unique()):
        printed = wide["raw", year]
        frame[message("sheet_printed", lang, year=year)] = [
            "" if pd.isna(text) else printed_text(text, lang) for text in printed
        ]
        frame[message("sheet_value", lang, year=year)] = wide["value", year].astype(float)
    return Sheet(message("sheet_overview", lang), frame, frozen=3)


def _in_words(resource: str, table: pd.DataFrame, lang: str) -> pd.DataFrame:
    """A table with the header of each column in words, and names beside the codes of regions and indicators."""
    shown: dict[str, Any] = {}
    for name, head in column_heads(resource, lang).items():
        shown[head] = table[name].to_numpy()
        if name == "region":
            known = {code: names.region_name(code, lang) if code else "" for code in table[name].unique()}
            shown[message("sheet_region", lang)] = table[name].map(known).to_numpy()
        elif name == "indicator":
            known = {code: indicator_name(code, lang) for code in table[name].unique()}
            shown[message("tab_indicator", lang)] = table[name].map(known).to_numpy()
    return pd.DataFrame(shown)


def column_heads(resource: str, lang: str) -> dict[str, str]:
    """The columns of a table that a workbook in ``lang`` shows, each with its header: how ``fields.csv`` begins.

    >>> column_heads("targets", "en")["raw"]
    'Cell as printed'
    """
    left_out = {"region_name", *(f"message_{other}" for other in LANGUAGES if other != lang)}
    fields = catalogue.fields()
    fields = fields[(fields["resource"] == resource) & ~fields["name"].isin(left_out)]
    heads = fields[f"description_{lang}"].str.split(r"[（(；;：:，,]", regex=True).str[0].str.strip()
    heads = heads.where(~heads.duplicated(keep=False), heads + " " + fields["name"])
    return dict(zip(fields["name"], heads, strict=True))


def _columns(tables: dict[str, pd.DataFrame], lang: str) -> Sheet:
    fields = catalogue.fields()
    fields = fields[fields["resource"].isin(tables)]
    frame = pd.DataFrame(
        {
            message("sheet_table", lang): [_sheet_name(name, lang) for name in fields["resource"]],
            message("sheet_column", lang): fields["name"].to_numpy(),
            message("sheet_meaning", lang): fields[f"description_{lang}"].to_numpy(),
        }
    )
    return Sheet(message("sheet_columns", lang), frame)


def _codes(lang: str) -> Sheet:
    """What the codes of statuses and flags mean, in one list."""
    listed = catalogue.statuses().set_index("status"), catalogue.flags().set_index("flag")
    meanings = pd.concat([table[f"meaning_{lang}"] for table in listed])
    heads = message("sheet_code", lang), message("sheet_meaning", lang)
    return Sheet(message("sheet_codes", lang), pd.DataFrame({heads[0]: meanings.index, heads[1]: meanings.to_numpy()}))
