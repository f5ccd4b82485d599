"""The tables of a build -> one folder that is a Frictionless data package, written as a whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from qyx_analysis import __version__, catalogue
from qyx_analysis.files import Folder, StoredFolder, csv_bytes, folder_at, set_types, unwritable
from qyx_analysis.measures.measured import TABLES as MEASURES
from qyx_analysis.measures.measured import measure_all
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.tidy import findings
from qyx_analysis.tidy.reading import Plan, read_plans
from qyx_analysis.wings import wings

PACKAGE, PARQUET = "datapackage.json", "targets.parquet"


def derived_tables() -> set[str]:
    """The tables that are computed from others and say nothing new."""
    return {*MEASURES, *(name for wing in wings() for name in wing.derived)}


@dataclass
class Draft:
    """A build in the making: what was read, and the tables so far, to which every wing adds its own.

    ``inputs``: the files that were given besides plans, by the name of their input. ``sources`` are the documents by
    region and file name, each with the ``tables`` it gives rows of; ``resources`` what the descriptor says of a table
    besides its columns; ``counts`` what a wing read, in words.
    """

    paths: list[Path]
    plans: list[Plan]
    inputs: Mapping[str, list[Path]]
    problems: list[Problem]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)
    sources: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    counts: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was read that could be written."""
        return not self.sources


@dataclass(frozen=True)
class Built:
    """The outcome of a build: the plans that were read, what wings counted, and what could not be read."""

    out: Path | str
    plans: list[Plan]
    problems: list[Problem]
    tables: dict[str, pd.DataFrame]
    counts: list[str] = field(default_factory=list)

    @property
    def exit_status(self) -> int:
        """0 everything read, 1 some files failed and the rest was written, 2 nothing written."""
        return 2 if not self.tables else 1 if self.problems else 0


def build(
    paths: Iterable[Path],
    out: Path | str,
    region: object = None,
    jobs: int = 1,
    progress: bool = False,
    **inputs: Iterable[Path],
) -> Built:
    """Read documents and write the data package of what they say.

    Parameters
    ----------
    paths : iterable of Path
        Files and folders.
    out : path or address
        The folder to write: it appears or changes as a whole, or not at all. At an address of storage the tables
        are written before the descriptor, whose checksums tell readers when the two do not belong together.
    region : int or str, optional
        The region of a single document that does not tell it.
    jobs : int
        Processes that may read documents other than text.
    progress : bool
        Show a progress bar on a terminal.
    **inputs : iterable of Path
        Files or folders that a wing reads, such as ``actuals``: forms of actual values (CSV or Excel). Without any,
        the tables of monitoring are empty.

    Returns
    -------
    Built

    Raises
    ------
    DataError
        When ``out`` is in use for something else, or cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from qyx_analysis.files import raw_dir
    >>> with TemporaryDirectory() as folder:
    ...     built = build([raw_dir() / "cixi.txt"], Path(folder) / "processed")
    >>> built.exit_status, len(built.plans[0].targets)
    (0, 126)
    """
    folder = folder_at(out)
    _check_folder(folder)
    draft = draft_build(list(paths), region, jobs, progress, {name: list(files) for name, files in inputs.items()})
    if draft.is_empty:
        return Built(out, [], draft.problems, {})
    files = _files(draft.tables, describe(draft))
    if isinstance(folder, StoredFolder):
        for part in (set(files) - {PACKAGE}, {PACKAGE}):  # the descriptor last: it vouches for the rest
            folder.write({name: files[name] for name in sorted(part)})
    else:
        _write(folder.path, files)
    return Built(out, draft.plans, draft.problems, draft.tables, draft.counts)


def draft_build(
    paths: list[Path], region: object, jobs: int, progress: bool, inputs: Mapping[str, list[Path]]
) -> Draft:
    """Read documents into all tables of a build, the wings' among them; nothing is written."""
    if unknown := set(inputs) - {name for wing in wings() for name in wing.inputs}:
        raise TypeError(f"build() reads no {', '.join(sorted(unknown))}")
    reading = read_plans(paths, region, jobs, progress)
    draft = Draft(paths, reading.plans, inputs, list(reading.problems))
    draft.tables["targets"] = targets = reading.targets
    draft.sources = {(plan.region, plan.document.name): _source(plan) for plan in draft.plans}
    draft.findings = [each for plan in draft.plans for each in findings.of_plan(plan)]
    draft.findings += findings.find_all(targets).to_dict(orient="records")
    for wing in wings():
        if wing.read_tables:
            wing.read_tables(draft)
    if draft.is_empty:
        return draft
    draft.tables["findings"] = findings.as_frame([])  # its place among the tables; wings may still find something
    draft.tables |= measure_all(targets)
    for wing in wings():
        if wing.derive_tables:
            wing.derive_tables(draft)
    draft.tables["findings"] = findings.as_frame(draft.findings)
    return draft


def _source(plan: Plan) -> dict[str, Any]:
    """What the descriptor says of a document that was read."""
    return {
        "title": plan.title,
        "path": plan.document.name,
        "region": plan.region,
        "sha256": plan.document.sha256,
        "tables": ["targets"] * bool(plan.table),
    }


def joined(name: str, frames: list[pd.DataFrame]) -> pd.DataFrame:
    """The parts of a table as one, by region; those without rows have no say in its types."""
    rows = [frame for frame in frames if len(frame)] or [pd.DataFrame(columns=["region"])]
    table = pd.concat(rows).sort_values("region", kind="stable", ignore_index=True)
    return set_types(table, catalogue.dtypes(name))


def _files(tables: dict[str, pd.DataFrame], described: dict[str, Any]) -> dict[str, bytes]:
    files = {f"{name}.csv": csv_bytes(table) for name, table in tables.items()}
    parquet = io.BytesIO()
    tables["targets"].to_parquet(parquet, index=False)
    files[PARQUET] = parquet.getvalue()
    for resource in described["resources"]:
        data = files[resource["path"]]
        resource |= {"bytes": len(data), "hash": f"sha256:{hashlib.sha256(data).hexdigest()}"}
    files[PACKAGE] = (json.dumps(described, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
    return files


def describe(draft: Draft) -> dict[str, Any]:
    """The Frictionless descriptor of a build: every table, column, unit and source document."""
    return {
        "profile": "tabular-data-package",
        "name": "qyx-targets",
        "title": "公共服务“七优享”规划目标 / Planned targets of the 七优享 public-service plans",
        "version": __version__,
        "sources": sorted(draft.sources.values(), key=lambda source: source["region"]),
        "resources": [_resource(name) | draft.resources.get(name, {}) for name in draft.tables],
    }


def _resource(name: str) -> dict[str, Any]:
    fields = catalogue.fields().query("resource == @name")
    return {
        "name": name,
        "path": f"{name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"lineTerminator": "\n"},
        "schema": {"fields": [_field(row) for row in fields.itertuples()], "missingValues": [""]},
    }


def _field(row: Any) -> dict[str, Any]:
    described = {
        "name": row.name,
        "type": row.type,
        "description": f"{row.description_en} / {row.description_zh}",
    }
    allowed = findings.all_rules() if row.enum == "@rules" else [value for value in row.enum.split("|") if value]
    constraints: dict[str, Any] = ({"required": True} if row.required else {}) | ({"enum": allowed} if allowed else {})
    if row.type == "boolean":
        described |= {"trueValues": ["True"], "falseValues": ["False"]}
    return described | ({"constraints": constraints} if constraints else {})


# --- the folder -------------------------------------------------------------------------------------------


def _check_folder(folder: Folder) -> None:
    """Refuse to replace a folder that holds something other than a build."""
    ours: set[str] = set()
    if isinstance(folder, StoredFolder):
        folder.prepare()
        found = set(folder.sizes())
        ours = {PARQUET, *(f"{name}.csv" for name in catalogue.fields()["resource"])}  # left by a build that was killed
    elif folder.path.exists() and not folder.path.is_dir():
        raise DataError(Problem("out_is_file", folder.name))
    else:
        found = {path.name for path in folder.path.glob("*") if not path.name.startswith(".")}
    if PACKAGE not in found and found - ours:
        raise DataError(Problem("out_in_use", folder.name, text=min(found - ours)))


def _write(out: Path, files: dict[str, bytes]) -> None:
    """Write beside ``out``, then change the two folders over; what we did not write there is kept."""
    out = out.absolute()
    fresh: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent))
        fresh.chmod(0o755)
        for name, data in files.items():
            (fresh / name).write_bytes(data)
        if out.is_dir():
            _carry_over(out, fresh, {*files, *(f"{name}.csv" for name in catalogue.fields()["resource"])})
        _change_over(fresh, out)
    except OSError as error:
        raise unwritable(out, error) from error
    finally:
        if fresh and fresh.exists():
            shutil.rmtree(fresh, ignore_errors=True)


def _carry_over(out: Path, fresh: Path, ours: set[str]) -> None:
    for path in out.iterdir():
        if path.name not in ours and path.is_file():
            shutil.copy2(path, fresh / path.name)
        elif path.is_dir():
            shutil.copytree(path, fresh / path.name)


def _change_over(fresh: Path, out: Path) -> None:
    if not out.exists():
        fresh.rename(out)
        return
    old = fresh.with_suffix(".old")
    out.rename(old)
    try:
        fresh.rename(out)
    except OSError:
        old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
