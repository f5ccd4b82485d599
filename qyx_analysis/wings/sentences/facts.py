"""What plans say outside the cells of their tables, read from whole documents or from the facts kept of them.

A repository may hold a table and not the sentences around it. The facts of those sentences are kept in the folder
``prose`` beside the documents: ``STEM.csv`` (targets), ``STEM.governance.csv`` and their register ``sources.csv``.
What follows from the catalogue, as the indicator that a metric speaks of, is not kept but found anew.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import chain
from pathlib import Path

import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.catalogue.wording import region_name
from qyx_analysis.files import (
    FACTS,
    SOURCES,
    csv_bytes,
    raw_dir,
    read_sources,
    read_typed,
    set_types,
    write_sources,
    write_whole,
)
from qyx_analysis.layouts import column_of
from qyx_analysis.names.regions import find_region
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.tidy.reading import Plan, entry_of, read_plan
from qyx_analysis.wings.sentences.governance import department_rows, read_governance
from qyx_analysis.wings.sentences.targets import link_targets, prose_targets

_DERIVED = ("region", "document", "indicator", "linked_indicator", "number", "locator")  # not kept
_CHECKSUMS = {"prose_targets": "targets_sha256", "governance": "governance_sha256"}
COLUMNS = (  # of the register
    *("file", "region", "issuer", "document_number", "date", "title", "sha256"),
    *(*_CHECKSUMS.values(), "note"),
)
_SHA256 = re.compile("[0-9a-f]{64}")
_PRINTED = {
    "integer": r"-?\d+",
    "number": r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?",
    "boolean": "True|False",
    "string": "(?s:.*)",
}


@dataclass(frozen=True)
class Said:
    """The sentences of one document as data.

    ``path`` and ``sha256`` are those of the file that was read, ``document`` and ``document_sha256`` those of the
    document: the same, where that was at hand.
    """

    region: str
    title: str
    path: str
    sha256: str
    document: str
    document_sha256: str
    targets: pd.DataFrame
    governance: pd.DataFrame

    def __bool__(self) -> bool:
        return bool(len(self.targets) + len(self.governance))


def read_said(plan: Plan) -> Said:
    """Read the sentences of a plan; a document that is a table alone says nothing."""
    read = plan.document, plan.region, plan.table
    file = plan.document.name, plan.document.sha256
    return Said(plan.region, plan.title, *file, *file, prose_targets(*read), read_governance(*read))


def read_departments(plan: Plan) -> pd.DataFrame:
    """Read the departments that the rows of a plan's table print."""
    rows = []
    if plan.table:
        label = _department_label(plan)
        for target in plan.targets.drop_duplicates("row").itertuples():
            if cell := plan.table.rows[target.row - 1].department:
                about = {name: getattr(target, name) for name in ("domain", "indicator", "number")}
                about["locator"] = plan.document.place_on_page(cell.place)
                rows += [about | said for said in department_rows(cell.text, label)]
    frame = pd.DataFrame(rows).assign(region=plan.region, document=plan.document.stem, scope="row")
    return set_types(frame, catalogue.dtypes("governance"))


def _department_label(plan: Plan) -> str:
    """The header of the column of departments, as printed."""
    lines = (cell for line in plan.document.lines for cell in line.split("\t"))
    cells = (cell.text for grid in plan.document.grids for row in grid.rows for cell in row)
    columns = ((text.strip(), column_of(text)) for text in chain(lines, cells))
    return next((text for text, column in columns if column and column.role == "department"), "")


# --- kept facts -------------------------------------------------------------------------------------------


def extract(path: Path, region: object = None, folder: Path | None = None) -> Said:
    """Keep the facts of a document's sentences in ``folder``; what people wrote into the register stays."""
    folder = (folder or raw_dir()) / FACTS
    plan = read_plan(path, region)
    said = read_said(plan)
    if not said:
        raise DataError(Problem("said_nothing", path.name))
    sources = read_sources(folder)
    own = sources["file"] == path.name
    for other in sources[~own].itertuples():
        if other.region == said.region or Path(other.file).stem == path.stem:
            text = region_name(said.region)
            raise DataError(Problem("said_twice", f"{FACTS}/{SOURCES}, {path.name}", other.file, text))
    line = entry_of(plan)
    for entry in sources[own].to_dict("records"):
        line |= {name: value for name, value in entry.items() if value}
    line |= {"file": path.name, "region": said.region, "sha256": said.sha256}
    for name, frame in (("prose_targets", said.targets), ("governance", said.governance)):
        data = csv_bytes(frame[_kept(name)])
        write_whole(folder / _file(path.name, name), data)
        line[_CHECKSUMS[name]] = hashlib.sha256(data).hexdigest()
    table = pd.concat([sources[~own], pd.DataFrame([line])]).sort_values("file")
    write_sources(folder, table.reindex(columns=list(COLUMNS)))
    return said


def read_kept(folder: Path) -> Iterator[Said | Problem]:
    """Read the facts kept beside the documents of a folder, or the problem of those that cannot be used."""
    sources = read_sources(folder / FACTS)
    if missing := [name for name in _CHECKSUMS.values() if len(sources) and name not in sources]:
        raise DataError(Problem("sources_columns", f"{FACTS}/{SOURCES}", "line 1", ", ".join(missing)))
    seen: set[str] = set()
    for entry in sources.to_dict("records"):
        try:
            said = _read_one(folder / FACTS, entry)
        except DataError as error:
            yield from error.problems
            continue
        if said.region in seen:
            yield Problem("said_twice", f"{FACTS}/{SOURCES}", text=region_name(said.region))
        else:
            yield said
        seen.add(said.region)


def _read_one(folder: Path, entry: dict[str, str]) -> Said:
    place = f"{FACTS}/{SOURCES}"
    try:
        region = find_region(entry["region"])
    except DataError as error:
        raise DataError(replace(error.problems[0], file=place)) from None
    if not _SHA256.fullmatch(entry["sha256"]):
        raise DataError(Problem("said_checksum", place, entry["file"], entry["sha256"]))
    targets, governed = (_read_facts(folder, entry, name) for name in _CHECKSUMS)
    about = {"region": region, "document": Path(entry["file"]).stem}
    targets = set_types(link_targets(targets.assign(**about)), catalogue.dtypes("prose_targets"))
    governed = set_types(governed.assign(**about), catalogue.dtypes("governance"))
    kept = f"{FACTS}/{_file(entry['file'], 'prose_targets')}", entry["targets_sha256"]
    return Said(region, entry.get("title", ""), *kept, entry["file"], entry["sha256"], targets, governed)


def _read_facts(folder: Path, entry: dict[str, str], name: str) -> pd.DataFrame:
    """One table of kept facts, typed, each cell checked against ``fields.csv``."""
    path = folder / _file(entry["file"], name)
    shown = f"{FACTS}/{path.name}"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(Problem("file_unreadable", shown, values={"reason": error.strerror})) from error
    if hashlib.sha256(data).hexdigest() != entry[_CHECKSUMS[name]]:
        raise DataError(Problem("said_changed", shown))
    try:
        frame = pd.read_csv(BytesIO(data), dtype=str, keep_default_na=False, encoding="utf-8")
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(Problem("sources_unreadable", shown, values={"reason": str(error)})) from error
    odd = set(frame.columns) ^ set(_kept(name))
    if odd:
        raise DataError(Problem("said_columns", shown, "line 1", ", ".join(sorted(odd))))
    for field in catalogue.fields().query("resource == @name and name in @frame.columns").itertuples():
        allowed = "|".join(map(re.escape, field.enum.split("|"))) if field.enum else _PRINTED[field.type]
        bad = ~frame[field.name].str.fullmatch(allowed) & (frame[field.name].ne("") | (field.required == "true"))
        if bad.any():
            at, values = bad.idxmax(), {"column": field.name}
            raise DataError(Problem("said_value", shown, f"line {at + 2}", frame.at[at, field.name], values))
    types = catalogue.dtypes(name)
    return read_typed(BytesIO(data), {column: types[column] for column in frame.columns})


def _kept(name: str) -> list[str]:
    return [column for column in catalogue.dtypes(name) if column not in _DERIVED]


def _file(document: str, name: str) -> str:
    return f"{Path(document).stem}{'.governance' if name == 'governance' else ''}.csv"
