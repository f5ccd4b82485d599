"""Documents -> the tidy frame of targets: each read on its own, a bad one does not stop the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from qyx_analysis import catalogue, checks, names, raw
from qyx_analysis.cells import CellValue, parse_cell
from qyx_analysis.documents import Cell, Document, read_document
from qyx_analysis.layouts import PrintedRow, Table, plain, read_table
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.progress import progress_bar

COLUMNS = tuple(catalogue.dtypes("targets"))
PROSE = "prose"  # the layout of a plan without a target table
_QUICK = (".txt", ".md", ".csv")  # read in a few milliseconds each
_WORTH_PROCESSES = 4  # documents other than text, from which on starting processes pays
_SERIAL = re.compile(r"([^\w\s]{0,3})(\d{0,3})([^\w\s]{0,3})")
_MARK = re.compile(r"([^\w\s“”\"：:、,，]|※)[”\"]?(?:号|的|指标)*(?:为|是|表示|系|代表)")
_MARKED = re.compile(r"\s*([*★▲△☆]*)\s*(.*?)\s*([*★▲△☆]*)\s*", re.DOTALL)  # a mark may stand at the name
_TITLE_LENGTH, _TITLES, _HEADING_LINES = 60, 5, 8
_TITLE = re.compile(r"(方案|目标|通知|规划|计划)[^，。；]{0,12}$")
_CITES = re.compile(r"学习|借鉴|贯彻|上一篇|下一篇|相关|链接|转发|。")  # a line that speaks of others
_OFFICE = re.compile(r"(人民政府(办公室)?|发展和改革局)(文件)?(\s*\d{4}年\d+月\d+日(印发)?)?$")
_DOCUMENT_NUMBER = re.compile(r"[\u4e00-\u9fff]{1,8}〔\d{4}〕\d+号")
_DATE = re.compile(r"(20\d\d)年(\d{1,2})月(\d{1,2})日|(20\d\d)-(\d{1,2})-(\d{1,2})")


@dataclass(frozen=True)
class Plan:
    """One document read: its region, its table as printed and the tidy rows; a plan in prose has no table."""

    region: str
    document: Document
    table: Table | None
    targets: pd.DataFrame

    @property
    def title(self) -> str:
        """The title of its table, else that of the document, else its first line."""
        own = _own_lines(self.document)
        return (self.table.title if self.table else "") or next(iter([*_titles(own), *own]), self.document.name)

    @property
    def absent(self) -> list[str]:
        """Names of the catalogue's indicators whose number the table has not, under any definition."""
        known = catalogue.indicators()
        printed = set(known.loc[known["code"].isin(self.targets["indicator"]), "number"])
        return known.loc[~known["number"].isin(printed)].drop_duplicates("number")["name_zh"].tolist()


@dataclass(frozen=True)
class Reading:
    """What came of reading several documents: the plans, and the problems of those that failed."""

    plans: list[Plan] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def targets(self) -> pd.DataFrame:
        """The tidy rows of all plans, ordered by region and as printed."""
        plans = sorted(self.plans, key=lambda plan: plan.region)
        frames = [plan.targets for plan in plans if plan.table]
        return typed(pd.concat(frames, ignore_index=True)) if frames else typed(pd.DataFrame(columns=list(COLUMNS)))


# --- one document -----------------------------------------------------------------------------------------


def read_plan(path: Path, region: object = None, sha256: str = "", layout: str = "") -> Plan:
    """Read the target table of one document into tidy rows.

    Parameters
    ----------
    path : Path
        The document.
    region : int or str, optional
        Code or name of its region; read from the table's title or the document's heading when not given. A
        title that names another region is an error.
    sha256 : str, optional
        The checksum it must have.
    layout : str, optional
        ``prose`` declares that it has no target table.

    Returns
    -------
    Plan
        Without table and rows for a plan in prose: one declared so, or a city's or the province's that names
        most of the seven domains but prints no such table.

    Raises
    ------
    DataError
        With every problem of the file: nothing of it is used then.
    """
    document = read_document(path)
    if sha256 and document.sha256 != sha256:
        raise DataError(Problem("checksum", document.name, values={"sources": raw.SOURCES}))
    if layout == PROSE:
        return _plan_in_prose(document, region)
    try:
        table = read_table(document)
    except DataError as error:
        if error.problems[0].key == "table_missing" and _is_prose_above_counties(document, region):
            return _plan_in_prose(document, region)
        raise
    _check_nothing_left(document, table)
    code = _region_of(document, table, region)
    period = checks.period_of(set(table.years))
    if not period or len(set(table.years)) < len(table.years):
        text = ", ".join(map(str, table.years))
        raise DataError(Problem("years_unknown", document.name, table.header.place, text))
    return Plan(code, document, table, _tidy(document, table, code))


def _indicator_cells(document: Document) -> Iterator[Cell]:
    """Every cell of the document, inside its tables and outside, that is in full the name of an indicator."""
    for index, line in enumerate(document.lines, 1):
        texts = line.split("\t") if "\t" in line.strip() else [line]
        for i, text in enumerate(texts, 1):
            if names.is_indicator(text):
                yield Cell(text.strip(), f"line {index} cell {i}" if len(texts) > 1 else f"line {index}")
    for grid in document.grids:
        yield from (cell for row in grid.rows for cell in row if names.is_indicator(cell.text))


def _check_nothing_left(document: Document, table: Table) -> None:
    """A row that the reading of the table did not reach is an error, not a loss."""
    read = {row.indicator.place for row in table.rows}
    left = next((cell for cell in _indicator_cells(document) if cell.place not in read), None)
    if left:
        last = table.rows[-1].indicator.place
        raise DataError(Problem("rows_outside", document.name, left.place, left.text, {"last": last}))


def _plan_in_prose(document: Document, region: object) -> Plan:
    return Plan(_region_of(document, None, region), document, None, pd.DataFrame(columns=list(COLUMNS)))


def _is_prose_above_counties(document: Document, region: object) -> bool:
    """A city's or the province's plan that goes through the domains in sentences."""
    text = "".join(document.lines)
    named = sum(domain in text for domain in catalogue.domains()["domain"])
    if named * 2 <= len(catalogue.domains()) or any(True for _ in _indicator_cells(document)):
        return False
    try:
        return names.region_level(_region_of(document, None, region)) != "county"
    except DataError:
        return False


def _region_of(document: Document, table: Table | None, given: object) -> str:
    """The region stated, or told by the document; what the document says in two places may not disagree."""
    title, place = (table.title, table.header.place) if table else ("", "")
    told = _told(document, title)
    counties = list(dict.fromkeys(code for code in told if names.region_level(code) == "county"))
    if given:
        try:
            counties = list(dict.fromkeys([names.find_region(given), *counties[:1]]))
        except DataError as error:  # say in which document's name the region was stated
            raise DataError(replace(error.problems[0], file=document.name)) from None
    if len(counties) > 1:
        listed = "、".join(map(names.region_name, counties))
        raise DataError(Problem("region_conflict", document.name, place, title, {"listed": listed}))
    if counties or told:  # a county before the city or province whose web site it is printed on
        return (counties or told)[0]
    raise DataError(Problem("region_missing", document.name, place, title))


def _told(document: Document, title: str) -> list[str]:
    """Regions by the table's title, the document's title and its issuing office; failing these, by its heading."""
    own = _own_lines(document)
    titles = _titles(own)[:_TITLES]
    offices = [line for line in own if _OFFICE.search(line) and len(line) <= _TITLE_LENGTH]
    for groups in ([[title], titles, offices], [own[:_HEADING_LINES]]):
        found = [next((code for line in group if (code := names.region_of_text(line))), "") for group in groups]
        if any(found):
            return [code for code in found if code]
    return []


def _own_lines(document: Document) -> list[str]:
    """The lines that do not speak of others."""
    lines = (line.strip() for line in document.lines)
    return [line for line in lines if line and not _CITES.search(line)]


def _titles(lines: list[str]) -> list[str]:
    return [line for line in lines if "公共服务" in line and _TITLE.search(line)]


def _tidy(document: Document, table: Table, region: str) -> pd.DataFrame:
    marks = _marks(table)
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    records: list[dict[str, Any]] = []
    for place, row in enumerate(table.rows, 1):
        try:
            entry = _identify(row, document.name) | {"row": place}
            if entry["indicator"] in seen:
                first = {"first": seen[entry["indicator"]]}
                raise DataError(Problem("row_twice", document.name, row.indicator.place, row.indicator.text, first))
            seen[entry["indicator"]] = row.indicator.place
            entry |= {
                "region": region,
                "region_name": names.region_name(region),
                "level": names.region_level(region),
                "core": "core" in marks.get(entry["marker"], ""),
                "observational": "observational" in marks.get(entry["marker"], ""),
                "department": row.department.text if row.department else "",
                "document": document.stem,
            }
            records.extend(entry | cell for cell in _row_cells(row, table, entry, document.name))
        except DataError as error:
            problems.extend(error.problems)
    if problems:
        raise DataError(problems)
    return pd.DataFrame(records)


def _identify(row: PrintedRow, file: str) -> dict[str, Any]:
    """Who the row is: indicator, number, unit, domain. Unmapped names and units fail the file."""
    serial = _SERIAL.fullmatch(plain(row.number.text))
    if serial is None:
        raise DataError(Problem("row_number", file, row.number.place, row.number.text))
    number = int(serial[2]) if serial[2] else None
    before, text, after = _MARKED.fullmatch(row.indicator.text).groups()  # type: ignore[union-attr]
    name, unit = names.split_unit(text)
    code = names.find_indicator(text) or names.find_indicator(name)
    known = _known()
    if code is None:
        if number in {entry["number"] for entry in known.values()} and not name.startswith("其中"):
            close = names.closest_indicator(name)
            values = {"name": name, "close": close or "—"}
            raise DataError(Problem("indicator_unknown", file, row.indicator.place, row.indicator.text, values))
        code = names.LOCAL + names.folded(name)
    unit = names.normal(row.unit.text) if row.unit and row.unit.text else unit
    if code in known and unit and names.find_unit(unit) is None:
        values = {"unit": unit, "canonical": known[code]["unit"]}
        raise DataError(Problem("unit_unknown", file, row.indicator.place, row.indicator.text, values))
    return {
        "indicator": code,
        "number": number,
        "name": row.indicator.text,
        "domain": known[code]["domain"] if code in known else row.domain,
        "unit": known[code]["unit"] if code in known else unit,
        "printed_unit": unit,
        "marker": serial[1] + serial[3] + before + after,
    }


@cache
def _known() -> dict[str, dict[str, Any]]:
    """The indicators by code, as plain dictionaries."""
    table = catalogue.indicators()
    return dict(zip(table["code"], table.to_dict(orient="records"), strict=True))


def _row_cells(row: PrintedRow, table: Table, entry: dict[str, Any], file: str) -> list[dict[str, Any]]:
    baseline = min(checks.period_of(set(table.years)))
    cells = []
    spread: tuple[str, str] | None = None
    for year, cell in zip(table.years, row.values, strict=True):
        text, place = cell.text, cell.place
        if spread and not text:
            text, place = spread  # a merged cell: its text stands for the years it covers
        corrected, reason = _corrected(entry, year, text, file, place)
        read = parse_cell(corrected)
        spread = (text, place) if read.kind == "reference" else None
        cells.append(
            {
                "year": year,
                "role": "baseline" if year == baseline else "target",
                "raw": text,
                "locator": place,
            }
            | {"correction": reason}
            | measured(read, entry)
        )
    return cells


def _corrected(entry: dict[str, Any], year: int, text: str, file: str, place: str) -> tuple[str, str]:
    """The text to read instead of the printed one, and why, where an accepted correction says so."""
    correction = _accepted_corrections().get((entry["region"], entry["indicator"], str(year)))
    if correction is None:
        return text, ""
    if correction["expect"] != text:
        raise DataError(Problem("correction_stale", file, place, text, {"expect": correction["expect"]}))
    return correction["corrected"], correction["reason"]


@cache
def _accepted_corrections() -> dict[tuple[str, str, str], dict[str, str]]:
    accepted = catalogue.corrections().query("status == 'accepted'").to_dict(orient="records")
    return {(row["region"], row["indicator"], row["year"]): row for row in accepted}


def measured(read: CellValue, entry: dict[str, Any]) -> dict[str, Any]:
    """Kind, operator and numbers of a cell, converted to the canonical unit where the units agree."""
    unit = read.unit or entry["printed_unit"]
    factor = names.conversion(unit, entry["unit"]) if not entry["indicator"].startswith(names.LOCAL) else Decimal(1)
    number = read.number
    usable = number is not None and factor is not None
    return {
        "kind": read.kind,
        "operator": read.operator,
        "value": float(number * factor) if usable else None,  # type: ignore[operator]
        "published_value": None if number is None else float(number),
        "published_unit": unit,
        "resolution": float(Decimal(1).scaleb(number.as_tuple().exponent) * factor) if usable else None,  # type: ignore
        "state": read.state,
    }


def _marks(table: Table) -> dict[str, str]:
    """What each mark means: as the footnote says, else as ``markers.csv`` does."""
    known = catalogue.markers()
    meanings = dict(zip(known["marker"], known["meaning"], strict=True))
    for note in table.footnotes:
        for clause in re.split(r"[;；。，,]", plain(note)):
            mark = _MARK.search(clause)
            meaning = known.loc[[word in clause for word in known["word"]], "meaning"]
            if mark and len(meaning) == 1:
                meanings[mark[1]] = meaning.item()
    return meanings


def typed(frame: pd.DataFrame, resource: str = "targets") -> pd.DataFrame:
    """Columns of the targets, or of another table, in their order, with the types that ``fields.csv`` declares."""
    types = catalogue.dtypes(resource)
    return raw.typed(frame, types | {name: "int64" for name in types if name == "year"})


# --- many documents ---------------------------------------------------------------------------------------


def read_plans(paths: Iterable[Path], region: object = None, jobs: int = 1, progress: bool = False) -> Reading:
    """Read files and folders; a document that cannot be read does not stop the others.

    A folder gives all its files; where it has a ``sources.csv``, that states their regions and checksums, and
    which document supersedes which. A document given by its own path is taken before one of the same region out of
    a folder. ``region`` states the region of a single document that does not tell. With ``jobs`` above 1, documents
    that take long are read in as many processes. ``progress`` shows a bar.
    """
    problems: list[Problem] = []
    listed = [item for path in paths for item in _listed(path, problems)]
    if region and len(listed) != 1:
        raise DataError(Problem("region_of_many", str(region), text=str(len(listed))))
    superseded = {item.path.with_name(item.entry["supersedes"]) for item in listed if item.entry.get("supersedes")}
    wanted = [replace(item, region=region) for item in listed if item.path not in superseded]
    outcomes = _attempt_all(wanted, jobs, progress)
    plans = [(outcome, item) for outcome, item in zip(outcomes, wanted, strict=True) if isinstance(outcome, Plan)]
    problems += [problem for outcome in outcomes if not isinstance(outcome, Plan) for problem in outcome]
    named = {plan.region for plan, item in plans if item.named}
    chosen = [plan for plan, item in plans if item.named or plan.region not in named]
    return _one_per_region(Reading(chosen, problems))


@dataclass(frozen=True)
class _Item:
    """A document to read, and its line in ``sources.csv``."""

    path: Path
    entry: dict[str, str]
    region: object = None
    named: bool = False  # given by its own path, not as one of a folder


def _attempt(item: _Item) -> Plan | list[Problem]:
    entry = item.entry
    try:
        given = item.region or entry.get("region")
        return read_plan(item.path, given, entry.get("sha256", ""), entry.get("layout", ""))
    except DataError as error:
        return error.problems


def _attempt_all(items: list[_Item], jobs: int, progress: bool) -> list[Plan | list[Problem]]:
    show = partial(progress_bar, total=len(items), disable=None if progress else True)
    slow = sum(item.path.suffix.lower() not in _QUICK for item in items)
    if jobs < 2 or slow < _WORTH_PROCESSES:
        return list(show(map(_attempt, items)))
    # Spawned, not forked: the same on every system, and no thread of a library is copied in mid-work.
    with ProcessPoolExecutor(min(jobs, len(items)), mp_context=get_context("spawn")) as pool:
        return list(show(pool.map(_attempt, items)))


def _listed(path: Path, problems: list[Problem]) -> list[_Item]:
    folder = path if path.is_dir() else path.parent
    try:
        sources = raw.read_sources(folder)
    except DataError as error:
        problems.extend(error.problems)
        return []
    entries = dict(zip(sources["file"], sources.to_dict(orient="records"), strict=True))
    if not path.is_dir():
        return [_Item(path, entries.get(path.name, {}), named=True)]
    present = {file.name for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")}
    wanted = sorted((present - {raw.SOURCES}) | set(entries))
    if not wanted and not (folder / raw.FACTS).is_dir():
        problems.append(Problem("folder_empty", str(path)))
    return [_Item(folder / name, entries.get(name, {})) for name in wanted]


def _one_per_region(reading: Reading) -> Reading:
    by_region: dict[str, list[Plan]] = {}
    for plan in reading.plans:
        by_region.setdefault(plan.region, []).append(plan)
    plans, problems = [], list(reading.problems)
    for region, found in by_region.items():
        if len(found) == 1:
            plans += found
        else:
            files = ", ".join(plan.document.name for plan in found)
            problems.append(Problem("region_twice", files, text=names.region_name(region)))
    return Reading(plans, problems)


def add_document(path: Path, region: object = None, folder: Path | None = None) -> tuple[Path, Plan]:
    """Put a document into the raw folder and write its line in ``sources.csv``.

    The document must be readable as a plan of a region that has none there yet; else a
    :class:`~qyx_analysis.problems.DataError` says what is wrong and nothing is written.
    """
    folder = folder or raw.raw_dir()
    plan = read_plan(path, region)
    taken = raw.read_sources(folder).query("region == @plan.region")["file"].tolist()
    if taken:
        raise DataError(Problem("region_twice", f"{taken[0]}, {path.name}", text=names.region_name(plan.region)))
    return raw.register(folder, path, entry_of(plan)), plan


def entry_of(plan: Plan) -> dict[str, str]:
    """What a document tells of itself for its line in ``sources.csv``."""
    text = "\n".join(plan.document.lines)
    number, date = _DOCUMENT_NUMBER.search(text), _DATE.search(text)
    return {
        "region": plan.region,
        "document_number": number[0] if number else "",
        "date": "-".join(part.zfill(2) for part in date.groups() if part) if date else "",
        "title": plan.title,
        "layout": plan.table.layout if plan.table else PROSE,
    }
