"""Documents -> the tidy frame of targets, and the tables of a finished build back into frames."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from qyx_analysis import catalogue, checks, names, raw
from qyx_analysis.cells import CellValue, parse_cell
from qyx_analysis.documents import Document, read_document
from qyx_analysis.layouts import PrintedRow, Table, plain, read_table
from qyx_analysis.problems import DataError, Problem

COLUMNS = tuple(catalogue.fields().query("resource == 'targets'")["name"])
_DTYPES = {"integer": "Int64", "number": "float64", "boolean": "bool", "string": "str"}
LOCAL = "local:"  # prefix of the code of a row that the catalogue does not have
_SERIAL = re.compile(r"([^\w\s]{0,3})(\d{0,3})([^\w\s]{0,3})")
_DOCUMENT_NUMBER = re.compile(r"[\u4e00-\u9fff]{1,8}〔\d{4}〕\d+号")
_DATE = re.compile(r"(20\d\d)年(\d{1,2})月(\d{1,2})日|(20\d\d)-(\d{1,2})-(\d{1,2})")


@dataclass(frozen=True)
class Plan:
    """One document read: its region, its table as printed and the tidy rows."""

    region: str
    document: Document
    table: Table
    targets: pd.DataFrame


@dataclass(frozen=True)
class Reading:
    """What came of reading several documents: the plans, and the problems of those that failed."""

    plans: list[Plan] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def targets(self) -> pd.DataFrame:
        """The tidy rows of all plans, ordered by region and as printed."""
        frames = [plan.targets for plan in sorted(self.plans, key=lambda plan: plan.region)]
        return typed(pd.concat(frames, ignore_index=True)) if frames else typed(pd.DataFrame(columns=list(COLUMNS)))


# --- one document -----------------------------------------------------------------------------------------


def read_plan(path: Path, region: object = None, sha256: str = "") -> Plan:
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

    Returns
    -------
    Plan

    Raises
    ------
    DataError
        With every problem of the file: nothing of it is used then.
    """
    document = read_document(path)
    if sha256 and document.sha256 != sha256:
        raise DataError(Problem("checksum", document.name, values={"sources": raw.SOURCES}))
    table = read_table(document)
    code = _region_of(document, table, region)
    period = checks.period_of(set(table.years))
    if not period or len(set(table.years)) < len(table.years):
        text = ", ".join(map(str, table.years))
        raise DataError(Problem("years_unknown", document.name, table.header.place, text))
    return Plan(code, document, table, _tidy(document, table, code))


def _region_of(document: Document, table: Table, given: object) -> str:
    """The region given, which the table's title may not contradict; else that of the title or the heading."""
    if given:
        try:
            code = names.find_region(given)
        except DataError as error:  # say in which document's name the region was stated
            raise DataError(replace(error.problems[0], file=document.name)) from None
        titled = names.region_of_text(table.title)
        if titled and titled != code:
            values = {"given": names.region_name(code), "titled": names.region_name(titled)}
            raise DataError(Problem("region_conflict", document.name, table.header.place, table.title, values))
        return code
    heading = [line for line in document.lines[:30] if line.strip()][:8]
    for line in [table.title, *heading]:
        if found := names.region_of_text(line):
            return found
    raise DataError(Problem("region_missing", document.name, table.header.place, table.title))


def _tidy(document: Document, table: Table, region: str) -> pd.DataFrame:
    marks = _marks(table)
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    records: list[dict[str, Any]] = []
    for row in table.rows:
        try:
            entry = _identify(row, document.name)
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
            records.extend(entry | cell for cell in _row_cells(row, table.years, entry, document.name))
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
    name, unit = names.split_unit(row.indicator.text)
    code = names.find_indicator(row.indicator.text) or names.find_indicator(name)
    known = _known()
    if code is None:
        if number is not None and 1 <= number <= max(entry["number"] for entry in known.values()):
            close = names.closest_indicator(name)
            values = {"name": name, "close": close or "—"}
            raise DataError(Problem("indicator_unknown", file, row.indicator.place, row.indicator.text, values))
        code = LOCAL + name
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
        "marker": serial[1] + serial[3],
    }


@cache
def _known() -> dict[str, dict[str, Any]]:
    """The indicators by code, as plain dictionaries."""
    table = catalogue.indicators()
    return dict(zip(table["code"], table.to_dict(orient="records"), strict=True))


def _row_cells(row: PrintedRow, years: Sequence[int], entry: dict[str, Any], file: str) -> list[dict[str, Any]]:
    baseline = min(checks.period_of(set(years)))
    cells = []
    spread: tuple[str, str] | None = None
    for year, cell in zip(years, row.values, strict=True):
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
            | _measured(read, entry)
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


def _measured(read: CellValue, entry: dict[str, Any]) -> dict[str, Any]:
    """Kind, operator and numbers of a cell, converted to the canonical unit where the units agree."""
    unit = read.unit or entry["printed_unit"]
    factor = names.conversion(unit, entry["unit"]) if not entry["indicator"].startswith(LOCAL) else Decimal(1)
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
            mark = re.search(r"(?:带|标注?|加)[“\"]?([^\w“\"])[”\"]?号?", clause)
            meaning = known.loc[[word in clause for word in known["word"]], "meaning"]
            if mark and len(meaning) == 1:
                meanings[mark[1]] = meaning.item()
    return meanings


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns of the targets in their order, with the types that ``fields.csv`` declares."""
    fields = catalogue.fields().query("resource == 'targets'")
    frame = frame.reindex(columns=list(COLUMNS))
    for name, kind in zip(fields["name"], fields["type"], strict=True):
        column = frame[name].fillna("") if kind == "string" else frame[name]
        frame[name] = column.astype(_DTYPES[kind])
    return frame.astype({"year": int})


# --- many documents ---------------------------------------------------------------------------------------


def read_plans(paths: Iterable[Path], region: object = None) -> Reading:
    """Read files and folders; a document that cannot be read does not stop the others.

    A folder gives all its files; where it has a ``sources.csv``, that states their regions and checksums, and
    which document supersedes which. ``region`` states the region of a single document that does not tell.
    """
    reading = Reading()
    superseded: set[Path] = set()
    listed = [item for path in paths for item in _listed(path, reading.problems)]
    if region and len(listed) != 1:
        raise DataError(Problem("region_of_many", str(region), text=str(len(listed))))
    for file, entry in listed:
        if entry.get("supersedes"):
            superseded.add(file.with_name(entry["supersedes"]))
    for file, entry in listed:
        if file not in superseded:
            try:
                reading.plans.append(read_plan(file, region or entry.get("region"), entry.get("sha256", "")))
            except DataError as error:
                reading.problems.extend(error.problems)
    return _one_per_region(reading)


def _listed(path: Path, problems: list[Problem]) -> list[tuple[Path, dict[str, str]]]:
    folder = path if path.is_dir() else path.parent
    try:
        sources = raw.read_sources(folder)
    except DataError as error:
        problems.extend(error.problems)
        return []
    entries = dict(zip(sources["file"], sources.to_dict(orient="records"), strict=True))
    if not path.is_dir():
        return [(path, entries.get(path.name, {}))]
    present = {file.name for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")}
    wanted = sorted((present - {raw.SOURCES}) | set(entries))
    if not wanted:
        problems.append(Problem("folder_empty", str(path)))
    return [(folder / name, entries.get(name, {})) for name in wanted]


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
    text = "\n".join(plan.document.lines)
    number, date = _DOCUMENT_NUMBER.search(text), _DATE.search(text)
    entry = {
        "region": plan.region,
        "document_number": number[0] if number else "",
        "date": "-".join(part.zfill(2) for part in date.groups() if part) if date else "",
        "title": plan.table.title,
        "layout": plan.table.layout,
    }
    return raw.register(folder, path, entry), plan


# --- reading a finished build -----------------------------------------------------------------------------


def data_dir(given: object = None) -> Path:
    """The folder of a build: the one given, else ``QYX_DATA``, else ``data/processed`` of the project.

    Raises :class:`~qyx_analysis.problems.DataError` when no build is there.
    """
    folder = Path(str(given or os.environ.get("QYX_DATA") or raw.project_dir() / "data" / "processed"))
    for candidate in (folder, folder / "processed", folder / "data" / "processed"):
        if (candidate / "targets.csv").is_file():
            return candidate
    raise DataError(Problem("data_missing", str(folder)))


def _read_table(name: str, folder: Path) -> pd.DataFrame:
    fields = catalogue.fields().query("resource == @name")
    path = folder / f"{name}.csv"
    texts = fields.loc[fields["type"] == "string", "name"].tolist()
    try:
        frame = pd.read_csv(
            path, encoding="utf-8", dtype=dict.fromkeys(texts, "str"), keep_default_na=False,
            na_values={column: [""] for column in fields["name"] if column not in texts},
        )  # fmt: skip
        return frame.astype(
            {n: _DTYPES[t] for n, t in zip(fields["name"], fields["type"], strict=True) if t != "string"}
        )
    except (OSError, ValueError, KeyError) as error:
        raise DataError(Problem("data_unreadable", str(path), values={"reason": str(error)})) from error


def load_targets(data: object = None, region: object = None) -> pd.DataFrame:
    """Load the tidy targets of a build.

    Parameters
    ----------
    data : path, optional
        Folder of the build; else ``QYX_DATA``, else the project's ``data/processed``.
    region : int, str or list of them, optional
        Only these regions, by code or name.

    Returns
    -------
    DataFrame
        One row per region x printed row x year; the columns are described in ``docs/data.md``. ``value`` is in
        the canonical ``unit``; a bound keeps its threshold in ``value`` and its sign in ``operator``.

    Raises
    ------
    DataError
        When there is no build in the folder, or a region is unknown or not in it.

    Examples
    --------
    >>> targets = load_targets(region=["奉化区", "慈溪市"])
    >>> targets.query("indicator == 'care_workers' and year == 2027")[["region_name", "raw", "operator", "value"]]
        region_name  raw operator  value
    77          奉化区  ≥32       >=   32.0
    203         慈溪市  ≥32       >=   32.0
    """
    frame = _read_table("targets", data_dir(data)).astype({"year": int})
    if region is None:
        return frame
    wanted = [names.find_region(r) for r in (region if isinstance(region, list | tuple) else [region])]
    absent = [code for code in wanted if code not in set(frame["region"])]
    if absent:
        present = ", ".join(frame["region_name"].unique())
        raise DataError(
            Problem("region_absent", "targets.csv", text=names.region_name(absent[0]), values={"present": present})
        )
    return frame[frame["region"].isin(wanted)].reset_index(drop=True)


def findings(data: object = None) -> pd.DataFrame:
    """Load what an analyst must be warned of in a build.

    Returns one row per finding: ``region, indicator, number, year, rule, severity, message_zh, message_en,
    raw, document, locator``. ``severity`` is error (do not use the value before checking it), warning (it
    changes what may be said) or info. Raises ``DataError`` when there is no build in the folder.

    >>> findings().query("severity == 'error'")[["region", "number", "year", "rule"]].values.tolist()
    [['330213', 17, 2027, 'cumulative_fall']]
    """
    return _read_table("findings", data_dir(data))


def explain(region: object, number: int, year: int | None = None, data: object = None) -> pd.DataFrame:
    """Trace the values of one row of one plan to file, place and printed text.

    Parameters
    ----------
    region : int or str
        Code or name.
    number : int
        The row's number as printed; where two definitions share it, the one that the region prints.
    year : int, optional
        Only this year.
    data : path, optional
        Folder of the build.

    Returns
    -------
    DataFrame
        The rows of the targets, with ``file`` (name of the source document) and ``sha256`` added.

    Raises
    ------
    DataError
        When the region is unknown or absent, or has no such row or year.

    Examples
    --------
    >>> explain("奉化区", 13, 2027)[["raw", "file", "locator"]].values.tolist()
    [['≥32', 'fenghua.txt', 'line 140']]
    """
    rows = load_targets(data, region)
    rows = rows[(rows["number"] == number) & ((rows["year"] == year) if year else True)]
    if rows.empty:
        asked = " ".join(str(part) for part in (region, number, year) if part is not None)
        raise DataError(Problem("number_absent", "targets.csv", text=asked))
    return rows.merge(_sources(data_dir(data)), on="region", how="left")


def _sources(folder: Path) -> pd.DataFrame:
    try:
        described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
        sources = [{"region": s["region"], "file": s["path"], "sha256": s["sha256"]} for s in described["sources"]]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(Problem("data_unreadable", "datapackage.json", values={"reason": str(error)})) from error
    return pd.DataFrame(sources, columns=["region", "file", "sha256"])
