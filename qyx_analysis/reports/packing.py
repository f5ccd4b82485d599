"""Reports made on a Dask cluster, whose machines have none of our folders: all they need goes with the tasks."""

from __future__ import annotations

import io
import platform
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

from qyx_analysis.catalogue import message
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.reports.cluster import on_cluster
from qyx_analysis.reports.execution import run_in_process
from qyx_analysis.reports.index import Outcome
from qyx_analysis.reports.pages import Provenance
from qyx_analysis.reports.plan import Task
from qyx_analysis.reports.pool import Lost
from qyx_analysis.reports.record import common_inputs


def reports_on_cluster(
    tasks: list[Task], data: Path, origin: Provenance, timeout: float, limit: float, scheduler: str
) -> Iterator[tuple[int, tuple[Outcome, dict[str, bytes]] | Lost]]:
    """Make the reports on a Dask cluster and give them back with their files, each within ``limit`` seconds."""
    packed = _packed(data, {task.notebook for task in tasks})
    work = partial(_far, origin=origin, timeout=timeout)
    for number, result in on_cluster(work, packed, tasks, scheduler, limit):
        if isinstance(result, Problem):
            raise DataError(result)
        yield number, result


def _packed(data: Path, notebooks: Iterable[Path]) -> bytes:
    """A build and notebooks as one file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in data.iterdir() if path.is_file()):
            archive.write(path, f"data/{path.name}")
        for path in sorted(notebooks):
            archive.write(path, f"notebooks/{path.name}")
    return packed.getvalue()


@lru_cache(maxsize=1)
def _unpacked(packed: bytes) -> TemporaryDirectory[str]:
    """The folder with what was packed; it goes with this process, or when another one is asked for."""
    folder = TemporaryDirectory(prefix="qyx-", ignore_cleanup_errors=True)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(folder.name)
    return folder


_own_inputs = lru_cache(common_inputs)  # of a process that has this library loaded: it stays what it is


def _far(packed: bytes, task: Task, origin: Provenance, timeout: float) -> tuple[Outcome, dict[str, bytes]] | Problem:
    """Make one report where none of its inputs is."""
    different = [name for name, value in _own_inputs().items() if task.inputs.get(name) != value]
    if different:
        what = ", ".join(f"{message(f'stale_{name}', 'zh')} / {message(f'stale_{name}', 'en')}" for name in different)
        return Problem("cluster_differs", platform.node(), values={"what": what})
    here = Path(_unpacked(packed).name)
    near = replace(
        task,
        notebook=here / "notebooks" / task.notebook.name,
        parameters=task.parameters | {"data_dir": str(here / "data")},
    )
    return run_in_process(near, origin, timeout)
