"""The form in which departments report actual values: one per county, filled in as far as the plan goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pandas as pd

from qyx_analysis import catalogue, names
from qyx_analysis.catalogue import message
from qyx_analysis.export.workbook import FIXED
from qyx_analysis.problems import DataError, Problem, visible
from qyx_analysis.wings.monitoring.judging import find_owners
from qyx_analysis.wings.monitoring.reading import form_columns, parse_period, sheet_title

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_TOP = {"text_wrap": True, "valign": "top"}
_HEAD = _TOP | {"bold": True}
_SHOWN = _TOP | {"font_color": "#595959"}
_ASKED = _TOP | {"bg_color": "#FFF6D6", "border": 1, "border_color": "#BFBFBF"}
_TO_FILL = ("value", "unit", "source", "note")
_WIDTHS = {"region": 9, "number": 6, "indicator": 34, "department": 14, "target": 19, "value": 14}
_WIDTHS |= {"source": 24, "note": 24}
_HELP = ("form_help_fill", "form_help_blank", "form_help_units", "form_help_columns", "form_help_return")


def form_file(region: str) -> str:
    """The name of a county's form.

    >>> form_file("330213")
    '330213-fenghua-actuals.xlsx'
    """
    return f"{region}-{names.region_slug(region)}-actuals.xlsx"


def actuals_form(
    targets: pd.DataFrame, region: object, periods: Iterable[object], governance: pd.DataFrame | None = None
) -> bytes:
    """Write the form of one county's actual values: an Excel file to send to its departments.

    Parameters
    ----------
    targets : DataFrame
        As ``load_targets`` gives it.
    region : int or str
        Code or name.
    periods : iterable
        Years, quarters and months: ``2024``, ``"2024Q2"``, ``"2024-06"``.
    governance : DataFrame, optional
        As ``load_governance`` gives it: the lead department of a domain, where a row names none.

    Returns
    -------
    bytes
        An Excel file with a sheet to fill in and one of instructions, both in Chinese and English. The first has a
        row per printed row and period, with the printed target of the year beside the cells for value, unit, source
        and note. Units and states are chosen from lists; a number outside the logical limits is asked about.
        Whatever is filled in is read by ``qyx build`` from ``data/actuals``.

    Raises
    ------
    DataError
        When the region is unknown or not in the targets, or something is no period.

    Examples
    --------
    >>> from openpyxl import load_workbook
    >>> from qyx_analysis import load_targets
    >>> book = load_workbook(BytesIO(actuals_form(load_targets(), "奉化区", [2024])))
    >>> book.sheetnames, book.worksheets[0].max_row
    (['实际值 Actual values', '说明 Instructions'], 22)
    """
    import xlsxwriter

    code = names.find_region(region)
    rows = _plan_rows(find_owners(targets[targets["region"] == code], governance), periods)
    if rows.empty:
        present = ", ".join(targets["region_name"].unique())
        raise DataError(
            Problem("region_absent", "targets.csv", text=names.region_name(code), values={"present": present})
        )
    known = names.indicators_of(targets[targets["region"] == code]).set_index("code").to_dict(orient="index")
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"title": f"{names.region_name(code)} {message('form_sheet', 'zh')}", "created": FIXED})
        page = book.add_worksheet(sheet_title("form_sheet"))
        _write_rows(book, page, rows)
        _add_checks(page, rows, known)
        _write_help(book, book.add_worksheet(sheet_title("form_sheet_help")))
    return out.getvalue()


def _set_paper(page: Worksheet) -> None:
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)


def _write_rows(book: Workbook, page: Worksheet, rows: pd.DataFrame) -> None:
    """The headings in both languages, and below them what is known, beside the cells to fill in."""
    _set_paper(page)
    page.freeze_panes(1, 0)
    page.repeat_rows(0)
    page.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    page.set_row(0, 62)
    head, shown, asked = (book.add_format(look) for look in (_HEAD, _SHOWN, _ASKED))
    # of text, a period such as 2024-06 is not turned into a date
    special = {"period": {"num_format": "@"}, "number": {"align": "center"}}
    looks = {role: book.add_format(_SHOWN | look) for role, look in special.items()} | dict.fromkeys(_TO_FILL, asked)
    for place, column in enumerate(form_columns().itertuples()):
        page.write_string(0, place, f"{column.zh}\n{column.en}", head)
        page.set_column(place, place, _WIDTHS.get(column.role, 11))
        for line, value in enumerate(rows[column.role].astype(object), 1):
            _write_cell(page, line, place, value, looks.get(column.role, shown))


def _write_cell(page: Worksheet, line: int, place: int, value: Any, look: Format) -> None:
    if pd.isna(value) or value == "":
        page.write_blank(line, place, None, look)
    elif isinstance(value, str):
        page.write_string(line, place, visible(value), look)
    else:
        page.write_number(line, place, value, look)


def _plan_rows(own: pd.DataFrame, periods: Iterable[object]) -> pd.DataFrame:
    """The rows of the form: each printed row of the plan in its order there, once per period."""
    asked = []
    for given in periods:
        period = parse_period(str(given))
        if period is None:
            raise DataError(Problem("form_period", "--period", text=str(given)))
        asked.append({"period": period.label, "year": period.year})
    printed = own.sort_values("row", kind="stable").drop_duplicates("indicator").drop(columns=["year", "raw"])
    rows = printed.merge(pd.DataFrame(asked, columns=["period", "year"]), how="cross")
    rows = rows.merge(own[["indicator", "year", "raw"]], on=["indicator", "year"], how="left")
    rows = rows.rename(columns={"indicator": "code", "name": "indicator", "raw": "target"})
    rows["target"], rows["unit"] = rows["target"].fillna(""), rows["unit"].mask(rows["kind"] == "status", "")
    return rows.assign(value="", source="", note="")


def _add_checks(page: Worksheet, rows: pd.DataFrame, known: Mapping[str, Any]) -> None:
    """Offer the units and states that are understood as lists, and ask before a logical limit is passed."""
    roles = form_columns()["role"].tolist()
    words = catalogue.words().query("kind == 'status'").drop_duplicates("note")["pattern"].tolist()
    units = catalogue.units()
    dimension = dict(zip(units["unit"], units["dimension"], strict=True))
    for line, row in enumerate(rows.itertuples(), 1):
        entry = known[row.code]
        value, unit = (line, roles.index("value")), (line, roles.index("unit"))
        if entry["nature"] == "state":
            page.data_validation(*value, *value, {"validate": "list", "source": words})
            continue
        low, high = entry["lower"], entry["upper"]
        if low == low and high == high:
            within = {"validate": "decimal", "criteria": "between", "minimum": low, "maximum": high}
            page.data_validation(*value, *value, within | _ask_first(str(row.code)))
        if alike := units.loc[units["dimension"] == dimension.get(str(row.unit)), "unit"].tolist():
            page.data_validation(*unit, *unit, {"validate": "list", "source": alike})


def _ask_first(code: str) -> dict[str, Any]:
    """What a program asks of a value outside the limits; it may be kept."""
    text = f"{message('form_limits', 'zh')}\n{message('form_limits', 'en')}"
    return {"error_type": "warning", "ignore_blank": True, "error_title": code[:32], "error_message": text}


def _write_help(book: Workbook, page: Worksheet) -> None:
    """What to do, then what goes into each column; Chinese on the left and English on the right."""
    lines = [("", "", message(key, "zh"), message(key, "en")) for key in _HELP]
    explained = form_columns().query("help_zh != ''")
    lines += list(explained[["zh", "en", "help_zh", "help_en"]].itertuples(index=False, name=None))
    _set_paper(page)
    page.set_column(0, 1, 14)
    page.set_column(2, 3, 56)
    head, text = book.add_format(_HEAD), book.add_format(_TOP)
    for line, row in enumerate(lines):
        page.set_row(line, 34)  # two lines: programs do not fit a row to wrapped text by themselves
        for place, value in enumerate(row):
            page.write_string(line, place, value, head if place < 2 else text)
