"""The tables of a build -> one folder that is a Frictionless data package, written as a whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from qyx_analysis import __version__, catalogue, checks, measures
from qyx_analysis.contradictions import compare_with_table
from qyx_analysis.files import Folder, StoredFolder, csv_bytes, folder_at, set_types, unwritable
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.processed import (
    Plan,
    Said,
    actual_findings,
    read_actuals,
    read_kept,
    read_plans,
    row_departments,
    said_in,
)
from qyx_analysis.prose import linked

PACKAGE, PARQUET = "datapackage.json", "targets.parquet"
MEASURES = ("trajectory", "ambition", "association", "dispersion", "domain_dispersion", "verdicts")  # one table each
DERIVED = frozenset({*MEASURES, "alignment", "monitoring", "rankings", "open_items"})  # tables computed from others


@dataclass(frozen=True)
class Built:
    """The outcome of a build: the plans that were read, what plans say in sentences, and what could not be read."""

    out: Path | str
    plans: list[Plan]
    said: list[Said]
    problems: list[Problem]
    findings: pd.DataFrame
    actuals: int = 0  # values that count, of those the forms report

    @property
    def exit_status(self) -> int:
        """0 everything read, 1 some files failed and the rest was written, 2 nothing written."""
        return 2 if not (self.plans or self.said) else 1 if self.problems else 0


def build(
    paths: Iterable[Path],
    out: Path | str,
    region: object = None,
    jobs: int = 1,
    progress: bool = False,
    actuals: Iterable[Path] = (),
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
    actuals : iterable of Path
        Forms of actual values (CSV or Excel), or folders of them. Without any, the tables of monitoring are empty.

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
    >>> with TemporaryDirectory() as folder:
    ...     built = build([raw_dir() / "cixi.txt"], Path(folder) / "processed")
    >>> built.exit_status, len(built.plans[0].targets)
    (0, 126)
    """
    folder = folder_at(out)
    _check_folder(folder)
    paths = list(paths)
    reading = read_plans(paths, region, jobs, progress)
    said, problems = _said(reading.plans, paths)
    problems = [*reading.problems, *problems]
    if not (reading.plans or said):
        return Built(out, [], [], problems, checks.as_frame([]))
    by_row = [row_departments(plan) for plan in reading.plans]
    tables = {
        "targets": reading.targets,
        "prose_targets": linked(_joined("prose_targets", [each.targets for each in said]), reading.targets),
        "governance": _joined("governance", [each.governance for each in said] + by_row),
    }
    differing = compare_with_table(tables["prose_targets"], tables["targets"])
    forms = read_actuals(actuals, tables["targets"])
    read = [each for plan in reading.plans for each in checks.of_plan(plan.region, plan.document.stem, plan.remarks)]
    found = [*read, *pd.concat([checks.find_all(tables["targets"]), differing]).to_dict(orient="records")]
    tables["findings"] = checks.as_frame([*found, *actual_findings(forms.actuals, tables["targets"])])
    for name in MEASURES:
        tables[name] = getattr(measures, name)(tables["targets"])
    tables["alignment"] = measures.alignment(tables["targets"], tables["prose_targets"])
    tables["actuals"] = forms.actuals
    tables["monitoring"] = measures.monitoring(tables["targets"], forms.actuals, governance=tables["governance"])
    tables["rankings"] = measures.rankings(tables["monitoring"])
    tables["open_items"] = measures.open_items(tables["monitoring"])
    files = _files(tables, describe(tables, reading.plans, said, forms.sources))
    if isinstance(folder, StoredFolder):
        for names in (set(files) - {PACKAGE}, {PACKAGE}):  # the descriptor last: it vouches for the rest
            folder.write({name: files[name] for name in sorted(names)})
    else:
        _write(folder.path, files)
    problems = [*problems, *forms.problems]
    return Built(out, reading.plans, said, problems, tables["findings"], int(forms.actuals["current"].sum()))


def _said(plans: list[Plan], paths: list[Path]) -> tuple[list[Said], list[Problem]]:
    """The sentences of every region: those of its document, or the facts kept of it where that is a table alone."""
    problems: list[Problem] = []
    said: dict[str, Said] = {}
    for folder in filter(Path.is_dir, paths):
        try:
            kept = list(read_kept(folder))
        except DataError as error:
            kept = list(error.problems)
        problems += [each for each in kept if isinstance(each, Problem)]
        said |= {each.region: each for each in kept if isinstance(each, Said)}
    said |= {each.region: each for each in map(said_in, plans) if each}
    return [said[region] for region in sorted(said)], problems


def _joined(name: str, frames: list[pd.DataFrame]) -> pd.DataFrame:
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


def describe(
    tables: dict[str, pd.DataFrame], plans: list[Plan], said: list[Said], forms: list[dict[str, str]]
) -> dict[str, Any]:
    """The Frictionless descriptor of a build: every table, column, unit, source document and form."""
    of_forms: dict[str, Any] = {"sources": forms} if forms else {}
    return {
        "profile": "tabular-data-package",
        "name": "qyx-targets",
        "title": "公共服务“七优享”规划目标 / Planned targets of the 七优享 public-service plans",
        "version": __version__,
        "sources": _sources(plans, said),
        "resources": [_resource(name) | (of_forms if name == "actuals" else {}) for name in tables],
    }


def _sources(plans: list[Plan], said: list[Said]) -> list[dict[str, Any]]:
    """Every document read, and every file of facts kept of one; ``tables`` are those that it gives rows of."""
    sources: list[dict[str, Any]] = [
        {
            "title": plan.title,
            "path": plan.document.name,
            "region": plan.region,
            "sha256": plan.document.sha256,
            "tables": ["governance"] * bool(plan.targets["department"].any()) + ["targets"] * bool(plan.table),
        }
        for plan in plans
    ]
    by_path = {(source["region"], source["path"]): source for source in sources}
    for each in said:
        entry = {"title": each.title, "path": each.path, "region": each.region, "sha256": each.sha256}
        entry |= {"document": each.document, "document_sha256": each.document_sha256}  # the facts kept of which
        source = by_path.setdefault((each.region, each.path), entry | {"tables": []})
        source["tables"] = sorted({*source["tables"], "prose_targets", "governance"})
    return sorted(by_path.values(), key=lambda source: source["region"])


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
    allowed = list(checks.RULES) if row.enum == "@rules" else [value for value in row.enum.split("|") if value]
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
            _carry_over(out, fresh, set(files))
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
