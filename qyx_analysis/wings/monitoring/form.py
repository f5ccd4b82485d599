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
from qyx_analysis.wings.monitoring.judging import owned
from qyx_analysis.wings.monitoring.reading import help_title, parse_period

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_TOP = {"text_wrap": True, "valign": "top"}
_HEAD = _TOP | {"bold": True}
_SHOWN = _TOP | {"font_color": "#595959"}
_ASKED = _TOP | {"bg_color": "#FFF6D6", "border": 1, "border_color": "#BFBFBF"}
_TO_FILL = ("value", "unit", "source", "note")
_WIDTHS = {
    "region": 9,
    "number": 6,
    "indicator": 34,
    "department": 14,
    "target": 19,
    "value": 14,
    "source": 24,
    "note": 24,
}
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
    rows = _rows(owned(targets[targets["region"] == code], governance), periods)
    if rows.empty:
        present = ", ".join(targets["region_name"].unique())
        raise DataError(
            Problem("region_absent", "targets.csv", text=names.region_name(code), values={"present": present})
        )
    columns = catalogue.form().query("use != 'word'")
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"title": f"{names.region_name(code)} {message('form_sheet', 'zh')}", "created": FIXED})
        page = book.add_worksheet(f"{message('form_sheet', 'zh')} {message('form_sheet', 'en')}")
        _lay_out(page)
        page.set_row(0, 62)
        head, shown, asked = (book.add_format(look) for look in (_HEAD, _SHOWN, _ASKED))
        middle = book.add_format(_SHOWN | {"align": "center"})
        text = book.add_format(_SHOWN | {"num_format": "@"})  # a period such as 2024-06 is not turned into a date
        for place, column in enumerate(columns.itertuples()):
            page.write_string(0, place, f"{column.zh}\n{column.en}", head)
            page.set_column(place, place, _WIDTHS.get(column.role, 11))
            look = {"period": text, "number": middle}.get(column.role, asked if column.role in _TO_FILL else shown)
            for line, value in enumerate(rows[column.role].astype(object), 1):
                if pd.isna(value) or value == "":
                    page.write_blank(line, place, None, look)
                elif isinstance(value, str):
                    page.write_string(line, place, visible(value), look)
                else:
                    page.write_number(line, place, value, look)
        known = names.indicators_of(targets[targets["region"] == code]).set_index("code").to_dict(orient="index")
        _validate(page, rows, columns["role"].tolist(), known)
        _instructions(book.add_worksheet(help_title()), columns, head, book.add_format(_TOP))
    return out.getvalue()


def _lay_out(page: Worksheet) -> None:
    page.freeze_panes(1, 0)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    page.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})


def _rows(own: pd.DataFrame, periods: Iterable[object]) -> pd.DataFrame:
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
    return pd.DataFrame(
        {
            "region": rows["region"],
            "region_name": rows["region_name"],
            "domain": rows["domain"],
            "number": rows["number"],
            "indicator": rows["name"],
            "department": rows["department"],
            "period": rows["period"],
            "target": rows["raw"].fillna(""),
            "value": "",
            "unit": rows["unit"].where(rows["kind"] != "status", ""),
            "source": "",
            "note": "",
            "code": rows["indicator"],
        }
    )


def _validate(page: Worksheet, rows: pd.DataFrame, roles: list[str], known: Mapping[str, Any]) -> None:
    """Lists of the units and states that are understood, and limits that ask before they are passed."""
    words = catalogue.words().query("kind == 'status'").drop_duplicates("note")["pattern"].tolist()
    units = catalogue.units()
    dimension = dict(zip(units["unit"], units["dimension"], strict=True))
    for line, row in enumerate(rows.itertuples(), 1):
        entry = known[row.code]
        value, unit = (line, roles.index("value")), (line, roles.index("unit"))
        if entry.get("nature") == "state":
            page.data_validation(*value, *value, {"validate": "list", "source": words})
            continue
        low, high = entry.get("lower"), entry.get("upper")
        limits = {"error_type": "warning", "ignore_blank": True, "error_title": str(row.code)[:32]}
        limits["error_message"] = f"{message('form_limits', 'zh')}\n{message('form_limits', 'en')}"
        if low == low and high == high:
            page.data_validation(
                *value, *value, limits | {"validate": "decimal", "criteria": "between", "minimum": low, "maximum": high}
            )
        alike = units.loc[units["dimension"] == dimension.get(str(row.unit)), "unit"].tolist()
        if alike:
            page.data_validation(*unit, *unit, {"validate": "list", "source": alike})


def _instructions(page: Worksheet, columns: pd.DataFrame, head: Format, text: Format) -> None:
    """What to do, then what goes into each column; Chinese on the left and English on the right."""
    explained = columns[columns["help_zh"] != ""]
    lines = [("", "", message(key, "zh"), message(key, "en")) for key in _HELP]
    lines += list(explained[["zh", "en", "help_zh", "help_en"]].itertuples(index=False, name=None))
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.set_column(0, 1, 14)
    page.set_column(2, 3, 56)
    for line, row in enumerate(lines):
        page.set_row(line, 34)  # two lines: programs do not fit a row to wrapped text by themselves
        for place, value in enumerate(row):
            page.write_string(line, place, value, head if place < 2 else text)
