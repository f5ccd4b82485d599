"""Frames -> an Excel workbook or CSV for a spreadsheet program: a text stays a text, whatever it begins with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qyx_analysis import catalogue, names
from qyx_analysis.catalogue import message
from qyx_analysis.files import csv_bytes
from qyx_analysis.problems import visible

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

LANGUAGES = ("zh", "en")
STATE = "qyx"  # the property of a workbook that says what it was made from
FIXED = datetime(2023, 1, 1)  # the time inside a workbook: the same data give the same bytes
_BOM = b"\xef\xbb\xbf"  # without it Excel on a Chinese Windows takes a CSV file for GBK
_FORMULA = re.compile(r"[=+\-@\t\r\n'＝＋－＠]")  # begins what a spreadsheet program runs, or what we put before it
_HARMLESS = re.compile(r"[-+－＋]?\d[\d.,%]*|[-－]+")  # a signed number, or the dash of an empty cell
_WIDEST, _LONGEST = 44, 32_000  # characters of a column, and of a cell (Excel allows 32 767)


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name, its table, how many columns stay in sight, and from which one on texts stand right."""

    name: str
    frame: pd.DataFrame
    frozen: int = 0
    right: int = 16_384


# --- CSV --------------------------------------------------------------------------------------------------


def to_csv(frame: pd.DataFrame, bom: bool = False) -> bytes:
    """Write a frame as UTF-8 CSV; with ``bom`` for a spreadsheet program, which then runs no text as a formula.

    With ``bom``, a text that begins like a formula or with an apostrophe gets one apostrophe before it; taking one
    away from every text that begins with it gives back what was there. Without, every text is as it is.

    >>> to_csv(pd.DataFrame({"raw": ["=1+1", "-0.5", "≥32"]}), bom=True).decode("utf-8-sig").split()
    ['raw', "'=1+1", '-0.5', '≥32']
    """
    if not bom:
        return csv_bytes(frame)
    texts = frame.select_dtypes(["object", "string"]).columns
    return _BOM + csv_bytes(frame.assign(**{name: frame[name].map(_not_run) for name in texts}))


def _not_run(text: object) -> object:
    run = isinstance(text, str) and _FORMULA.match(text) and not _HARMLESS.fullmatch(text)
    return f"'{text}" if run else text


# --- workbooks --------------------------------------------------------------------------------------------


def to_xlsx(frames: Mapping[str, pd.DataFrame], lang: str = "zh", about: Sheet | None = None, state: str = "") -> bytes:
    """Write tables of a build as one Excel workbook.

    Parameters
    ----------
    frames : dict of DataFrame
        Tables by their names in ``fields.csv`` (``targets``, ``findings``, ``monitoring`` ...).
    lang : str
        Language of headers, names and explanations: ``zh`` or ``en``.
    about : Sheet, optional
        A sheet that goes before the others.
    state : str, optional
        What the workbook was made from, kept as its property ``STATE``.

    Returns
    -------
    bytes
        An overview first, where there are targets: a row per region and printed row, with what is printed beside the
        number it means for every year. Then a sheet per table with all its rows and columns, names beside the codes
        of regions, indicators and measures, and the messages of ``lang`` alone; last what columns and codes mean.
        Header rows are frozen. No text is a formula; control characters and marks of direction are made visible.

    Examples
    --------
    >>> from openpyxl import load_workbook
    >>> frame = pd.DataFrame({"region": ["330213"], "indicator": ["nursery_places"], "note": ["=1+1"]})
    >>> book = load_workbook(BytesIO(to_xlsx({"actuals": frame})))
    >>> [cell.value for cell in book["实际值"][2]], book["实际值"]["E2"].data_type
    (['330213', '奉化区', 'nursery_places', '千人托位数', '=1+1'], 's')
    """
    sheets = [about] if about else []
    sheets += [_overview(frames["targets"], lang)] if "targets" in frames else []
    sheets += [Sheet(sheet_name(name, lang), _in_words(name, frame, lang)) for name, frame in frames.items()]
    return _book([*sheets, _columns(frames, lang), _codes(lang)], message("report_index_title", lang), state)


def _book(sheets: list[Sheet], title: str, state: str) -> bytes:
    import xlsxwriter

    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"title": title, "created": FIXED})
        if state:
            book.set_custom_property(STATE, state, "text")
        formats = {
            "head": book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}),
            "text": book.add_format({"valign": "top", "quote_prefix": True}),
            "head_right": book.add_format(
                {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "align": "right"}
            ),
            "right": book.add_format({"valign": "top", "quote_prefix": True, "align": "right"}),
        }
        for sheet in sheets:
            _write_sheet(book, sheet, formats)
    return out.getvalue()


def sheet_name(resource: str, lang: str) -> str:
    """What the sheet of a table is called."""
    return message(f"sheet_{resource}", lang)


def _write_sheet(book: Workbook, sheet: Sheet, formats: dict[str, Format]) -> None:
    page: Worksheet = book.add_worksheet(sheet.name)
    rows, columns = sheet.frame.shape
    page.freeze_panes(1, sheet.frozen)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    page.set_row(0, 32)
    page.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})  # a printed 5.50 is meant to stay a text
    if rows:
        page.autofilter(0, 0, rows, columns - 1)
    for column, name in enumerate(sheet.frame.columns):
        values = sheet.frame[name]
        plain = formats["right"] if column >= sheet.right else None
        page.write_string(0, column, str(name), formats["head_right" if plain else "head"])
        page.set_column(column, column, _width(str(name), values))
        for row, value in enumerate(values, 1):
            _write_cell(page, row, column, value, plain or formats["text"], plain)


def _write_cell(page: Worksheet, row: int, column: int, value: Any, quoted: Format, plain: Format | None) -> None:
    """A number as a number, a text as a text that nothing makes a formula; no value leaves the cell empty."""
    if isinstance(value, str):
        shown = visible(value)
        shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}… [{len(shown)}]"
        if shown:
            page.write_string(row, column, shown, quoted if _FORMULA.match(shown) else plain)
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


# --- the sheets -------------------------------------------------------------------------------------------


def _overview(targets: pd.DataFrame, lang: str) -> Sheet:
    """One row per region and printed row, in the order of the plan; for every year the text and the number it means."""
    keys = ["region", "indicator"]
    first = targets.sort_values(["region", "row"], kind="stable").drop_duplicates(keys).set_index(keys)
    english = catalogue.indicators().set_index("code")["unit_en"]
    regions, codes = first.index.get_level_values("region"), first.index.get_level_values("indicator")
    unit = first["unit"].to_numpy()
    if lang == "en":
        unit = [english.get(code, own) for code, own in zip(codes, unit, strict=True)]
    frame = pd.DataFrame(
        {
            message("sheet_region", lang): [names.region_name(code, lang) for code in regions],
            message("sheet_number", lang): first["number"].to_numpy(),
            message("tab_indicator", lang): [names.indicator_name(code, lang) for code in codes],
            message("tab_unit", lang): first["published_unit"].to_numpy(),
            message("sheet_unit", lang): unit,
        },
        index=first.index,
    )
    wide = targets.pivot(index=keys, columns="year", values=["raw", "value"]).reindex(first.index)
    for year in sorted(targets["year"].unique()):
        frame[message("sheet_printed", lang, year=year)] = wide["raw", year].astype(object).fillna("")
        frame[message("sheet_value", lang, year=year)] = wide["value", year].astype(float)
    return Sheet(message("sheet_overview", lang), frame, frozen=3, right=5)


_NAMED: dict[str, tuple[Callable[[str, str], str], str]] = {  # columns of codes: what names one, and the names' header
    "region": (names.region_name, "sheet_region"),
    "indicator": (names.indicator_name, "tab_indicator"),
    "measure": (lambda code, lang: names.measure_words(code, lang)[0], "sheet_measure"),
}


def _in_words(resource: str, frame: pd.DataFrame, lang: str) -> pd.DataFrame:
    """A table with the header of each column in words, and names beside its codes."""
    heads = column_heads(resource, lang)
    elsewhere = [f"message_{other}" for other in LANGUAGES if other != lang]
    shown: dict[str, Any] = {}
    for name in frame.columns.drop(elsewhere, errors="ignore"):
        shown[heads[name]] = frame[name].to_numpy()
        if name in _NAMED:
            label, head = _NAMED[name]
            known = {code: label(code, lang) if code else "" for code in frame[name].unique()}
            shown[message(head, lang)] = frame[name].map(known).to_numpy()
    return pd.DataFrame(shown)


def column_heads(resource: str, lang: str) -> dict[str, str]:
    """The header of each column of a table: the beginning of what ``fields.csv`` says of it.

    >>> column_heads("rankings", "en")["rank"]
    'Competition rank by share'
    """
    fields = catalogue.fields().query("resource == @resource")
    heads = fields[f"description_{lang}"].str.split(r"[（(；;：:，,]", regex=True).str[0].str.strip()
    heads = heads.where(~heads.duplicated(keep=False), heads + " " + fields["name"])  # two alike tell the column
    return dict(zip(fields["name"], heads, strict=True))


def _columns(frames: Mapping[str, pd.DataFrame], lang: str) -> Sheet:
    fields = catalogue.fields()
    fields = fields[fields["resource"].isin(list(frames))]
    frame = pd.DataFrame(
        {
            message("sheet_table", lang): [sheet_name(name, lang) for name in fields["resource"]],
            message("sheet_column", lang): fields["name"].to_numpy(),
            message("sheet_meaning", lang): fields[f"description_{lang}"].to_numpy(),
        }
    )
    return Sheet(message("sheet_columns", lang), frame)


def _codes(lang: str) -> Sheet:
    measures = catalogue.measures().rename(columns={"measure": "code"})
    colon = message("say_colon", lang)
    listed = [
        measures.assign(**{f"meaning_{lang}": measures[f"name_{lang}"] + colon + measures[f"meaning_{lang}"]}),
        catalogue.statuses().rename(columns={"status": "code"}),
        catalogue.flags().rename(columns={"flag": "code"}),
        catalogue.judgements(),
    ]
    frame = pd.concat(listed, ignore_index=True)[["code", f"meaning_{lang}"]]
    frame.columns = [message("sheet_code", lang), message("sheet_meaning", lang)]
    return Sheet(message("sheet_codes", lang), frame)
