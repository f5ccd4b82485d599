"""One report: its notebook run with its parameters, and the page and figures that come of it."""

from __future__ import annotations

import platform
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from inspect import signature
from pathlib import Path
from time import perf_counter
from typing import Any

from qyx_analysis.catalogue import message
from qyx_analysis.engine.cluster import unpacked
from qyx_analysis.engine.execution import TIMEOUT, execute, parameters_of, read_notebook, settle
from qyx_analysis.notebook.desk import open_desk
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.reports.downloads import figures_of
from qyx_analysis.reports.folder import Outcome
from qyx_analysis.reports.pages import Provenance, notebook_title, report_html
from qyx_analysis.reports.plan import Task, drop_wings
from qyx_analysis.reports.record import common_inputs
from qyx_analysis.wings import WINGS, wings

_REASON = 400  # characters of a reason that are worth reading
# What a report imports only when it draws and writes; none of these changes what a notebook computes.
_WARM = (
    *("pylopdf_fonts_zh_cn", "qyx_analysis.figures.picture", "qyx_analysis.texts.glance"),
    *(f"qyx_analysis.wings.{wing}.texts" for wing in WINGS),
)
_own_inputs = lru_cache(common_inputs)  # of a process that has this library loaded: it stays what it is


def make_report(task: Task, origin: Provenance, timeout: float = TIMEOUT) -> tuple[Outcome, dict[str, bytes]]:
    """Make one report, in a process that does nothing else: its page and figures, by their files.

    Whatever goes wrong becomes the reason of its outcome.
    """
    settle()
    started, title, reason = perf_counter(), task.title or task.name, ""
    files: dict[str, bytes] = {}
    try:
        notebook = drop_wings(read_notebook(task.notebook))
        title = task.title or notebook_title(notebook, task.lang) or task.name
        known = parameters_of(notebook)
        parameters = {name: value for name, value in task.parameters.items() if name in known}
        _open_before(task, parameters)
        done = execute(notebook, parameters, timeout, _WARM)
        html = report_html(done, title, task.lang, origin, parameters, task.others, task.inputs)
        files = figures_of(done, task.file.split(".")[0], task.lang) | {task.file: html.encode("utf-8")}
    except Exception as error:  # any failure of one report leaves the others to be made
        reason = _reason(error, task, timeout)
    return Outcome(task.name, title, task.file, not reason, reason, perf_counter() - started, task.lang), files


def make_report_far(
    shared: bytes, task: Task, origin: Provenance, timeout: float
) -> tuple[Outcome, dict[str, bytes]] | Problem:
    """Make one report on a worker of a cluster, where none of its inputs is: ``shared`` is build and notebooks."""
    different = [name for name, value in _own_inputs().items() if task.inputs.get(name) != value]
    if different:
        what = ", ".join(f"{message(f'stale_{name}', 'zh')} / {message(f'stale_{name}', 'en')}" for name in different)
        return Problem("cluster_differs", platform.node(), values={"what": what})
    here = Path(unpacked(shared).name)
    parameters = task.parameters | {"data_dir": str(here / "data")}
    near = replace(task, notebook=here / "notebooks" / task.notebook.name, parameters=parameters)
    return make_report(near, origin, timeout)


def _open_before(task: Task, parameters: dict[str, Any]) -> None:
    """Open in this process what the notebook will open: its kernel, a fork, finds the frames computed.

    The reports of a run share most of them, so that all but the first find them here too.
    """
    with suppress(Exception):  # what is wrong with it, the notebook will say
        taken = signature(open_desk).parameters
        desk = open_desk(**{name: value for name, value in parameters.items() if name in taken})
        _ = desk.trajectory, desk.ambition
        for wing in wings():
            if wing.warm_desk:
                wing.warm_desk(desk, task.notebook.name, parameters)


def _reason(error: Exception, task: Task, timeout: float) -> str:
    """One line: our own errors speak for themselves, others are named."""
    name, text = getattr(error, "ename", type(error).__name__), str(getattr(error, "evalue", error))
    if name == "CellTimeoutError":
        return str(Problem("report_timeout", task.file, values={"seconds": timeout}))
    if name == "DeadKernelError":
        return str(Problem("report_died", task.file, values={"how": text.rpartition(": ")[2]}))
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = line if name == DataError.__name__ else f"{name}: {line}"
    return line if len(line) <= _REASON else line[: _REASON - 1] + "…"
