"""Forms of actual values (CSV or Excel): written for departments, read into tidy rows; what is suspicious in them."""

from __future__ import annotations

import calendar
import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from io import BytesIO
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from qyx_analysis import catalogue, names
from qyx_analysis.catalogue import message
from qyx_analysis.cells import CellValue, normal, parse_cell
from qyx_analysis.datapackage.loading import load_table
from qyx_analysis.documents import Cell, Document, read_document
from qyx_analysis.export.workbook import FIXED
from qyx_analysis.names import LOCAL
from qyx_analysis.problems import DataError, Problem, compiled, visible
from qyx_analysis.tidy import findings
from qyx_analysis.tidy.reading import typed
from qyx_analysis.tidy.rows import measured

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

KINDS = (".csv", ".xlsx")
_YEAR = re.compile(r"(20\d\d)(?:年|年度|全年|年全年)?")
_QUARTER = re.compile(r"(20\d\d)(?:年|-|/)?(?:Q|第)?([1-4一二三四])(?:季度|(?<=Q.))", re.IGNORECASE)
_MONTH = re.compile(r"(20\d\d)(?:年|-|/)(1[0-2]|0?[1-9])月?")
_LAST_ORDER = "一二三四"
_TOP = 20  # rows among which the header is looked for; titles may stand above it
_NO_CELL = {"indicator": "", "number": pd.NA, "year": pd.NA, "raw": "", "locator": ""}  # a whole form is meant
_LEAP = 10  # a value ten times another, or a tenth of it, is probably in another unit
_CELL = {"text_wrap": True, "valign": "top"}
_HEAD = _CELL | {"bold": True}
_SHOWN = _CELL | {"font_color": "#595959"}
_ASKED = _CELL | {"bg_color": "#FFF6D6", "border": 1, "border_color": "#BFBFBF"}
_TO_FILL = ("value", "unit", "source", "note")
_WIDTHS = {"region": 9, "number": 6, "indicator": 34, "department": 14, "target": 19, "value": 14}
_WIDTHS |= {"source": 24, "note": 24}
_HELP = ("form_help_fill", "form_help_blank", "form_help_units", "form_help_columns", "form_help_return")


class Period(NamedTuple):
    """``label`` (2024, 2024Q2, 2024-06), its ``year``, and the day it ends on."""

    label: str
    year: int
    due: str


def parse_period(text: str) -> Period | None:
    """Read a year, a quarter or a month; ``None`` for anything else."""
    printed = normal(text)
    if match := _YEAR.fullmatch(printed):
        return Period(match[1], int(match[1]), f"{match[1]}-12-31")
    if match := _QUARTER.fullmatch(printed):
        quarter = int(match[2]) if match[2].isascii() else _LAST_ORDER.index(match[2]) + 1
        return _end_of(f"{match[1]}Q{quarter}", int(match[1]), 3 * quarter)
    if match := _MONTH.fullmatch(printed):
        return _end_of(f"{match[1]}-{int(match[2]):02}", int(match[1]), int(match[2]))
    return None


def _end_of(label: str, year: int, month: int) -> Period:
    return Period(label, year, f"{year}-{month:02}-{calendar.monthrange(year, month)[1]}")


def period_text(period: str, lang: str) -> str:
    """Say a period in words."""
    year, part = period[:4], period[4:]
    if not part:
        return message("period_year", lang, year=year)
    if part[0] == "-":
        return message("period_month", lang, year=year, n=part[1:].lstrip("0") if lang == "zh" else part[1:])
    n = _LAST_ORDER[int(part[1]) - 1] if lang == "zh" else part[1]
    return message("period_quarter", lang, year=year, n=n)


# --- one form ---------------------------------------------------------------------------------------------


class Forms(NamedTuple):
    """Forms read: their rows, the problems of those that could not be used, and the sources of those that were."""

    actuals: pd.DataFrame
    problems: list[Problem]
    sources: list[dict[str, str]]


def read_actuals(paths: Iterable[Path], targets: pd.DataFrame) -> Forms:
    """Read forms of actual values."""
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    sources: list[dict[str, str]] = []
    known = _Known(targets)
    for path in sorted(
        (file for given in paths for file in _list_files(given)), key=lambda file: (file.name, str(file))
    ):
        try:
            document = _open_form(path)
            rows += _read_form(document, known)
            title = message("form_sheet", "en")
            sources.append({"title": title, "path": path.name, "sha256": document.sha256})
        except DataError as error:
            problems += error.problems
    frame = pd.DataFrame(rows, columns=list(catalogue.dtypes("actuals")))
    again = frame.groupby(["region", "indicator", "period"], sort=False)
    frame["revision"] = again.cumcount() + 1
    frame["current"] = frame["revision"] == again["indicator"].transform("size")
    places = targets[["region", "indicator", "domain", "row"]].drop_duplicates(["region", "indicator"])
    ordered = names.in_order(
        frame.merge(places, on=["region", "indicator"], how="left"),
        ["region", "indicator", "due", "period", "revision"],
    )
    return Forms(typed(ordered, "actuals").reset_index(drop=True), problems, sources)


def _list_files(path: Path) -> list[Path]:
    """A folder's files, without those that are hidden or that Excel leaves while a workbook is open."""
    if not path.is_dir():
        return [path]
    return [file for file in path.iterdir() if file.is_file() and not file.name.startswith((".", "~$"))]


def _open_form(path: Path) -> Document:
    if path.suffix.lower() not in KINDS:
        raise DataError(Problem("form_kind", path.name))
    return read_document(path)


def _read_form(document: Document, known: _Known) -> list[dict[str, Any]]:
    rows, problems = [], []
    for table in list(_read_tables(document)) or [[(Cell("", ""),)]]:  # a workbook without values lacks every column
        columns, below = _find_header(table, document.name)
        for cells in below:
            given = dict(zip(columns, cells, strict=False))
            if not any(cell.text for cell in cells) or not given["value"].text:
                continue  # a line of the form that nobody has filled in
            try:
                rows.append(_read_row(given, document.name, known))
            except DataError as error:
                problems += error.problems
    if problems:
        raise DataError(problems)
    return rows


def _read_tables(document: Document) -> Iterator[list[tuple[Cell, ...]]]:
    """The one table of a CSV file; or the sheets of a workbook, all but the one of instructions."""
    if Path(document.name).suffix.lower() == ".csv":
        start = next(line for line in document.lines if line.strip())
        reader = csv.reader(document.lines, delimiter=max(",;\t", key=start.count), strict=True)
        try:
            rows = [tuple(Cell(text.strip(), f"line {reader.line_num}") for text in row) for row in reader if row]
        except csv.Error as error:  # a quotation mark that never ends would swallow the rows below it
            place, reason = f"line {reader.line_num}", {"reason": str(error)}
            raise DataError(Problem("form_quotes", document.name, place, values=reason)) from error
        yield rows
    else:
        yield from (list(grid.rows) for grid in document.grids if sheet_title("form_sheet_help") not in grid.above)


def _find_header(table: list[tuple[Cell, ...]], file: str) -> tuple[list[str], list[tuple[Cell, ...]]]:
    """The roles of the columns, and the rows below: every heading must be known, and the required ones there."""
    required = form_columns().query("use == 'required'").set_index("role")
    found = [{_find_role(cell.text) for cell in row} & set(required.index) for row in table[:_TOP]]
    at = max(range(len(found)), key=lambda i: len(found[i]))
    head, below = table[at], table[at + 1 :]
    roles = [_find_role(cell.text) for cell in head]
    if missing := required[~required.index.isin(roles)].to_dict(orient="records"):
        place = next((cell.place for cell in head if cell.text), head[0].place)
        listed = "、".join(f"{column['zh']} {column['en']}" for column in missing)
        raise DataError(Problem("form_columns", file, place, values={"missing": listed}))
    for cell, role in zip(head, roles, strict=True):
        if (cell.text and not role) or (role and roles.count(role) > 1):
            raise DataError(Problem("form_column", file, cell.place, cell.text))
    for row in below:
        if extra := next((cell for cell in row[len(roles) :] if cell.text), None):
            raise DataError(Problem("form_cell", file, extra.place, extra.text))
    blank = [Cell("", cell.place) for cell in head]
    return roles, [(*row, *blank[len(row) :]) for row in below]


@cache
def _compile_headings() -> tuple[tuple[re.Pattern[str], str], ...]:
    """What each column may be headed: in either language or both, or as the catalogue's pattern says."""
    headings = []
    for column in form_columns().itertuples():
        own = [re.escape(normal(text)) for text in (column.zh, column.en, column.zh + column.en)]
        pattern = "|".join(filter(None, [*own, column.pattern]))
        headings.append((compiled(f"(?i:{pattern})", "form.csv"), column.role))
    return tuple(headings)


def _find_role(text: str) -> str:
    printed = normal(text)
    return next((role for pattern, role in _compile_headings() if pattern.fullmatch(printed)), "")


def form_columns() -> pd.DataFrame:
    """The columns of a form in their order, as it is written and read: ``role, use, zh, en, pattern`` and help."""
    return catalogue.form().query("use != 'word'")


def sheet_title(key: str) -> str:
    """The name of a form's sheet in both languages: of values (``form_sheet``), or of help, which holds none."""
    return f"{message(key, 'zh')} {message(key, 'en')}"


# --- one row ----------------------------------------------------------------------------------------------


class _Known:
    """What each region calls its rows: by printed name and by code, never by a number, which plans print anew."""

    def __init__(self, targets: pd.DataFrame) -> None:
        self.rows: dict[tuple[str, str], dict[str, Any] | None] = {}  # None: said of two rows
        table = names.indicators_of(targets)
        units = catalogue.indicators().set_index("code")["unit"]
        self.codes = {code: {"indicator": code, "unit": unit} for code, unit in units.items()}
        self.numbers = dict(zip(table["code"], table["number"], strict=True))
        self.states = set(table.loc[table["nature"] == "state", "code"])
        for row in targets.drop_duplicates(["region", "indicator"]).itertuples():
            entry = {"indicator": row.indicator, "unit": row.unit}
            said = {row.indicator, names.folded(row.name), names.folded(names.split_unit(row.name)[0])}
            said.add(row.indicator.removeprefix(LOCAL))
            self.rows |= {(row.region, text): None if (row.region, text) in self.rows else entry for text in said}

    def find(self, region: str, text: str, unit: str) -> dict[str, Any] | None:
        """What the county's own table calls so; else what the catalogue does; else a name marked as local."""
        for said in ((region, text), (region, names.folded(text))):
            if said in self.rows:
                return self.rows[said]
        found = names.find_indicator(text) or names.find_indicator(names.split_unit(text)[0])
        local = {"indicator": LOCAL + names.folded(text.removeprefix(LOCAL)), "unit": unit}
        return self.codes.get(text) or self.codes.get(found or "") or (local if text.startswith(LOCAL) else None)


def _read_row(given: dict[str, Cell], file: str, known: _Known) -> dict[str, Any]:
    """One row of the table of actual values; raises DataError, at its cell, for the first thing that is wrong."""

    def problem(key: str, role: str, **values: Any) -> DataError:
        return DataError(Problem(key, file, given[role].place, given[role].text, values))

    text = {role: cell.text for role, cell in given.items()}
    try:
        region = names.find_region(text["region"])
    except DataError as error:
        raise DataError(replace(error.problems[0], file=file, place=given["region"].place)) from error
    unit = normal(text.get("unit", ""))
    entry = known.find(region, text["indicator"], unit)
    if entry is None:
        close = names.closest_indicator(names.split_unit(text["indicator"])[0]) or "—"
        raise problem("form_indicator", "indicator", close=close)
    period = parse_period(text["period"])
    if period is None:
        raise problem("form_period", "period")
    read = parse_cell(text["value"])
    state = entry["indicator"] in known.states
    if not _is_value(read, state):
        raise problem("form_state" if state else "form_value", "value")
    if read.unit and unit and read.unit != unit:
        raise problem("form_two_units", "value", unit=unit)
    values = _convert_value(read, entry, unit)
    if read.number is not None and values["value"] is None:
        where = "unit" if unit else "value"
        raise problem("form_unit", where, unit=read.unit or unit or "—", canonical=entry["unit"])
    return values | {
        "region": region,
        "region_name": names.region_name(region),
        "indicator": entry["indicator"],
        "number": known.numbers.get(entry["indicator"], pd.NA),
        "name": text["indicator"],
        "period": period.label,
        "year": period.year,
        "due": period.due,
        "raw": text["value"],
        "unit": entry["unit"],
        "source": text.get("source", ""),
        "note": text.get("note", ""),
        "synthetic": bool(_synthetic_words().search(text.get("source", "").casefold())),
        "document": file,
        "locator": given["value"].place,
    }


@cache
def _synthetic_words() -> re.Pattern[str]:
    return compiled(catalogue.form().set_index("role").at["synthetic", "pattern"], "form.csv")


def _convert_value(read: CellValue, entry: dict[str, Any], unit: str) -> dict[str, Any]:
    """The value in the unit of the plan; of a local row too, where units.csv has that unit or the two are one."""
    known = entry["unit"] and names.find_unit(entry["unit"])
    stated = read.unit or unit or entry["unit"]
    values = measured(read, entry | {"printed_unit": unit} | ({"indicator": ""} if known else {}))
    return values if known or stated == entry["unit"] or not entry["unit"] else values | {"value": None}


def _is_value(read: CellValue, state: bool) -> bool:
    """A state is passed or not (in words, or as 100 or 0); any other value is a number, a bound or 全覆盖."""
    if read.kind in ("missing", "status"):
        return state or read.kind == "missing"
    if state:
        return read.kind == "point" and read.number in (0, 100)
    return read.kind in ("point", "lower_bound", "upper_bound", "full_coverage")


# --- what is suspicious -----------------------------------------------------------------------------------


def actual_findings(actuals: pd.DataFrame, targets: pd.DataFrame) -> list[dict[str, Any]]:
    """What an analyst must know of the actual values before using them: the rows of ``findings``."""
    return [found for rule in _RULES for found in rule(actuals, targets)]


def _finding(cell: Any, rule: str, severity: str, **values: Any) -> dict[str, Any]:
    return findings.finding(cell, rule, severity, year=True, period=cell.period, **values)


def _find_in_form(actuals: pd.DataFrame, targets: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Synthetic values, and values without a source: once for each form and region, with their number."""
    for rule, severity, odd in (
        ("actual_synthetic", "warning", actuals["synthetic"]),
        ("actual_unsourced", "info", actuals["source"] == ""),
    ):
        for _, rows in actuals[odd].groupby(["document", "region"], sort=False):
            yield _finding(next(rows.itertuples()), rule, severity, n=len(rows)) | _NO_CELL


def _find_revised(actuals: pd.DataFrame, targets: pd.DataFrame) -> Iterator[dict[str, Any]]:
    revised = actuals[actuals.duplicated(["region", "indicator", "period"], keep=False)]
    for _, rows in revised.groupby(["region", "indicator", "period"], sort=False):
        history = " → ".join(f"{cell.raw} ({cell.document}, {cell.locator})" for cell in rows.itertuples())
        yield _finding(list(rows.itertuples())[-1], "actual_revised", "info", n=len(rows), history=history)


def _find_without_target(actuals: pd.DataFrame, targets: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """A row, a year or a whole county that the plans in the build do not have."""
    current = actuals[actuals["current"]]
    keys = ["region", "indicator", "year"]
    planned = targets.loc[targets["role"] == "target", keys].assign(planned=True)
    lone = current.merge(planned, on=keys, how="left")
    lone = lone[lone["planned"].isna()]
    for region, rows in lone.groupby("region", sort=False):
        if region not in set(targets["region"]):
            first = next(rows.itertuples())
            yield _finding(first, "actual_without_target", "warning", key="actual_without_plan") | _NO_CELL
        else:
            for cell in rows.itertuples():
                level = "info" if cell.indicator.startswith(LOCAL) else "warning"
                yield _finding(cell, "actual_without_target", level)


def _order_numbers(actuals: pd.DataFrame, targets: pd.DataFrame) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """The current numbers of each indicator by date, after the baseline that the plan prints."""
    entries = names.indicators_of(targets).set_index("code").to_dict(orient="index")
    baseline = targets[targets["role"] == "baseline"]
    baseline = baseline.assign(period=baseline["year"].astype(str), due="")
    both = pd.concat([baseline, actuals[actuals["current"]]], ignore_index=True)
    both = both[both["kind"] == "point"].dropna(subset="value")
    both = both.sort_values(["region", "indicator", "due"], kind="stable")
    for (_, code), cells in groupby(both.itertuples(index=False), key=lambda cell: (cell.region, cell.indicator)):
        if code in entries and entries[code]["nature"] != "state":
            yield entries[code], list(cells)


def _find_odd_numbers(actuals: pd.DataFrame, targets: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Outside the logical limits; ten times the value before; a cumulative number that falls; two for one day."""
    for entry, cells in _order_numbers(actuals, targets):
        unit = cells[0].unit
        for cell in cells:
            if cell.due and (cell.value < entry["lower"] or cell.value > entry["upper"]):
                yield _finding(cell, "actual_outside", "warning", unit=unit)
        for before, after in pairwise(cells):
            said = {"before": before.raw, "after": after.raw, "last": before.period}
            if before.due == after.due and before.value != after.value:
                yield _finding(after, "actual_disagrees", "warning", **said)
            elif before.value > 0 and after.value > 0 and not 1 / _LEAP < after.value / before.value < _LEAP:
                yield _finding(after, "actual_leap", "warning", unit=unit, **said)
            elif entry["nature"] == "cumulative" and after.value < before.value:
                yield _finding(after, "actual_fall", "error", **said)


_RULES = (_find_in_form, _find_without_target, _find_odd_numbers, _find_revised)


# --- the values of a build ---------------------------------------------------------------------------------


def load_actuals(data: object = None, history: bool = False) -> pd.DataFrame:
    """Load the actual values of a build; an empty frame where none are given.

    Parameters
    ----------
    data : path or address, optional
        Folder of the build; else ``QYX_DATA``, else the project's ``data/processed``.
    history : bool
        With the earlier reports that a later one replaced (``current`` is false for them).

    Returns
    -------
    DataFrame
        One row per region x indicator x period, with ``history`` also x ``revision``; the columns are described in
        ``docs/data.md``. ``value`` is in the canonical ``unit`` and holds to the day ``due``; ``synthetic`` marks
        what was made for demonstration and must be named so wherever it is shown.

    Raises
    ------
    DataError
        When there is no build in the folder.

    Examples
    --------
    >>> load_actuals().columns[:5].tolist()
    ['region', 'region_name', 'indicator', 'number', 'name']
    """
    frame = load_table("actuals", data).astype({"year": int, "revision": int})
    return frame if history else frame[frame["current"]].reset_index(drop=True)


# --- forms to fill in --------------------------------------------------------------------------------------


def form_file(region: str) -> str:
    """The name of a county's form."""
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


def find_owners(rows: pd.DataFrame, governance: pd.DataFrame | None) -> pd.DataFrame:
    """Where a row of the targets names no department, put the lead department of its domain."""
    if governance is None:
        return rows
    leads = governance.query("scope == 'domain' and kind == 'lead_department' and department != ''")
    leads = leads.drop_duplicates(["region", "domain"])[["region", "domain", "department"]]
    lead = rows[["region", "domain"]].merge(leads, on=["region", "domain"], how="left")["department"].fillna("")
    return rows.assign(department=rows["department"].where(rows["department"] != "", lead.to_numpy()))


def _set_paper(page: Worksheet) -> None:
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)


def _write_rows(book: Workbook, page: Worksheet, rows: pd.DataFrame) -> None:
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
    lines = [("", "", message(key, "zh"), message(key, "en")) for key in _HELP]
    explained = form_columns().query("help_zh != ''")
    lines += list(explained[["zh", "en", "help_zh", "help_en"]].itertuples(index=False, name=None))
    _set_paper(page)
    page.set_column(0, 1, 14)
    page.set_column(2, 3, 56)
    head, text = book.add_format(_HEAD), book.add_format(_CELL)
    for line, row in enumerate(lines):
        page.set_row(line, 34)  # two lines: programs do not fit a row to wrapped text by themselves
        for place, value in enumerate(row):
            page.write_string(line, place, value, head if place < 2 else text)
