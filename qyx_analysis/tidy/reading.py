"""Documents -> the tidy frame of targets: each read on its own, a bad one does not stop the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.catalogue.wording import region_name
from qyx_analysis.documents import Cell, Document, read_document
from qyx_analysis.files import FACTS, SOURCES, raw_dir, read_sources, register, set_types
from qyx_analysis.layouts import Table, read_table
from qyx_analysis.names.indicators import is_indicator
from qyx_analysis.names.regions import region_level
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.tidy.meaning import mean_cells
from qyx_analysis.tidy.region import own_lines, region_of, title_lines
from qyx_analysis.tidy.rows import tidy_rows
from qyx_analysis.wings import wings

COLUMNS = tuple(catalogue.dtypes("targets"))
PROSE = "prose"  # the layout of a plan without a target table
_QUICK = (".txt", ".md", ".csv")  # read in a few milliseconds each
_WORTH_PROCESSES = 4  # documents other than text, from which on starting processes pays
NO_ROWS = pd.DataFrame(columns=list(COLUMNS))
_DOCUMENT_NUMBER = re.compile(r"[\u4e00-\u9fff]{1,8}〔\d{4}〕\d+号")
_DATE = re.compile(r"(20\d\d)年(\d{1,2})月(\d{1,2})日|(20\d\d)-(\d{1,2})-(\d{1,2})")


@dataclass(frozen=True)
class Plan:
    """One document read: its region, its table as printed and the tidy rows; a plan in prose has no table."""

    region: str
    document: Document
    table: Table | None
    targets: pd.DataFrame
    remarks: tuple[Problem, ...] = ()  # what a reader should know of how it was read

    @property
    def title(self) -> str:
        """The title of its table, else that of the document, else its first line."""
        own = own_lines(self.document)
        return (self.table.title if self.table else "") or next(iter([*title_lines(own), *own]), self.document.name)

    @property
    def absent(self) -> list[str]:
        """Names of the catalogue's indicators whose number the table has not, under any definition."""
        known = catalogue.indicators().dropna(subset="number")
        printed = set(known.loc[known["code"].isin(self.targets["indicator"]), "number"])
        return known.loc[~known["number"].isin(printed)].drop_duplicates("number")["name_zh"].tolist()


@dataclass(frozen=True)
class Reading:
    """What came of reading several documents: the plans, and the problems of those that failed."""

    plans: list[Plan] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def targets(self) -> pd.DataFrame:
        """The tidy rows of all plans, ordered by region and as printed, with what their cells mean."""
        plans = sorted(self.plans, key=lambda plan: plan.region)
        frames = [plan.targets for plan in plans if plan.table]
        return typed(pd.concat(frames, ignore_index=True) if frames else NO_ROWS)


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
        Without table and rows for a plan in prose: one declared so, or one whose table is not there (a picture, a
        page that lost it) and whose sentences state targets; its ``remarks`` say so.

    Raises
    ------
    DataError
        With every problem of the file: nothing of it is used then.
    """
    document = read_document(path)
    if sha256 and document.sha256 != sha256:
        raise DataError(Problem("checksum", document.name, values={"sources": SOURCES}))
    try:
        return _read_document(document, region, layout)
    except DataError as error:
        problems = [replace(each, place=document.place_on_page(each.place)) for each in error.problems]
        raise DataError(problems) from error


def _read_document(document: Document, region: object, layout: str) -> Plan:
    if layout == PROSE:
        return Plan(region_of(document, None, region), document, None, NO_ROWS)
    try:
        table = read_table(document)
    except DataError as error:
        if error.problems[0].key == "table_missing" and (plan := _plan_in_prose(document, region)):
            return plan
        raise
    _check_nothing_left(document, table)
    code = region_of(document, table, region)
    rows, assumed = tidy_rows(document, table, code)
    rows["locator"] = rows["locator"].map(document.place_on_page)
    remarks = (replace(each, place=document.place_on_page(each.place)) for each in (*table.remarks, *assumed))
    return Plan(code, document, table, rows, tuple(remarks))


def _plan_in_prose(document: Document, region: object) -> Plan | None:
    """A plan whose sentences state targets and that has no rows of a table; that of a county should have one."""
    text = "".join(document.lines)
    named = sum(domain in text for domain in catalogue.domains()["domain"])
    if named * 2 <= len(catalogue.domains()) or any(True for _ in _indicator_cells(document)):
        return None
    try:
        code = region_of(document, None, region)
    except DataError:
        return None
    plan = Plan(code, document, None, NO_ROWS)
    if region_level(code) != "county":
        return plan
    read = [table for wing in wings() if wing.read_plan for table in wing.read_plan(plan).values()]
    if all(table.empty for table in read):
        return None
    return replace(plan, remarks=(Problem("table_not_there", document.name),))


def _indicator_cells(document: Document) -> Iterator[Cell]:
    """Every cell of the document, inside its tables and outside, that is in full the name of an indicator."""
    taken = document.grid_lines
    for index, line in enumerate(document.lines, 1):
        if index - 1 not in taken and is_indicator(line):
            yield Cell(line.strip(), f"line {index}")
    for grid in document.grids:
        yield from (cell for row in grid.rows for cell in row if is_indicator(cell.text))


def _check_nothing_left(document: Document, table: Table) -> None:
    """A row that the reading of the table did not reach is an error, not a loss; one that is cut off is named."""
    if any(remark.key == "table_cut" for remark in table.remarks):
        return
    read = {row.indicator.place for row in table.rows} | table.aside
    left = next((cell for cell in _indicator_cells(document) if cell.place not in read), None)
    if left:
        last = table.rows[-1].indicator.place
        raise DataError(Problem("rows_outside", document.name, left.place, left.text, {"last": last}))


def typed(frame: pd.DataFrame, resource: str = "targets") -> pd.DataFrame:
    """Give the columns of a table in order, with the types of ``fields.csv``; of targets also what their cells mean."""
    types = catalogue.dtypes(resource)
    table = set_types(frame, types | {name: "int64" for name in types if name == "year"})
    return mean_cells(table) if resource == "targets" else table


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
    return Reading(*_one_per_region(chosen, problems))


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
    from tqdm import tqdm

    show = partial(tqdm, total=len(items), disable=None if progress else True)
    slow = sum(item.path.suffix.lower() not in _QUICK for item in items)
    if jobs < 2 or slow < _WORTH_PROCESSES:
        return list(show(map(_attempt, items)))
    # Spawned, not forked: the same on every system, and no thread of a library is copied in mid-work.
    with ProcessPoolExecutor(min(jobs, len(items)), mp_context=get_context("spawn")) as pool:
        return list(show(pool.map(_attempt, items)))


def _listed(path: Path, problems: list[Problem]) -> list[_Item]:
    folder = path if path.is_dir() else path.parent
    try:
        sources = read_sources(folder)
    except DataError as error:
        problems.extend(error.problems)
        return []
    entries = dict(zip(sources["file"], sources.to_dict(orient="records"), strict=True))
    if not path.is_dir():
        return [_Item(path, entries.get(path.name, {}), named=True)]
    present = {file.name for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")}
    wanted = sorted((present - {SOURCES}) | set(entries))
    if not wanted and not (folder / FACTS).is_dir():
        problems.append(Problem("folder_empty", str(path)))
    return [_Item(folder / name, entries.get(name, {})) for name in wanted]


def _one_per_region(plans: list[Plan], problems: list[Problem]) -> tuple[list[Plan], list[Problem]]:
    """The plans of regions that have one; two of the same region are a problem of both."""
    files: dict[str, list[str]] = {}
    for plan in plans:
        files.setdefault(plan.region, []).append(plan.document.name)
    twice = {region: ", ".join(found) for region, found in files.items() if len(found) > 1}
    more = [Problem("region_twice", found, text=region_name(region)) for region, found in twice.items()]
    return [plan for plan in plans if plan.region not in twice], problems + more


def add_document(path: Path, region: object = None, folder: Path | None = None) -> tuple[Path, Plan]:
    """Put a document into the raw folder and write its line in ``sources.csv``.

    The document must be readable as a plan of a region that has none there yet; else a
    :class:`~qyx_analysis.problems.DataError` says what is wrong and nothing is written.
    """
    folder = folder or raw_dir()
    plan = read_plan(path, region)
    taken = read_sources(folder).query("region == @plan.region")["file"].tolist()
    if taken:
        raise DataError(Problem("region_twice", f"{taken[0]}, {path.name}", text=region_name(plan.region)))
    return register(folder, path, entry_of(plan)), plan


def entry_of(plan: Plan) -> dict[str, str]:
    """Collect what a document tells of itself for its line in ``sources.csv``."""
    text = "\n".join(plan.document.lines)
    number, date = _DOCUMENT_NUMBER.search(text), _DATE.search(text)
    return {
        "region": plan.region,
        "document_number": number[0] if number else "",
        "date": "-".join(part.zfill(2) for part in date.groups() if part) if date else "",
        "title": plan.title,
        "layout": plan.table.layout if plan.table else PROSE,
    }
