"""One report: its notebook run with its parameters, and the page and figures that come of it."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from inspect import signature
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

from qyx_analysis.notebook.desk import open_desk
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.reports.downloads import figures_of
from qyx_analysis.reports.index import Outcome
from qyx_analysis.reports.pages import Provenance, notebook_title, report_html
from qyx_analysis.reports.plan import Task, parameters_of, read_notebook
from qyx_analysis.wings import wings

if TYPE_CHECKING:
    from nbformat import NotebookNode

TIMEOUT = 600.0  # seconds
_REASON = 400  # characters of a reason that are worth reading
_ENGINE = "qyx-warm"


def run_in_process(task: Task, origin: Provenance, timeout: float) -> tuple[Outcome, dict[str, bytes]]:
    """Make one report in a process that does nothing else, and may import its own way."""
    # JupyterLab brings it along; at its import it compiles grammars for .8 s, for formats that no notebook has
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    gc.collect()  # what is left of the report before
    gc.freeze()  # a collection in a kernel must not touch, and thereby copy, what all reports share
    return run(task, origin, timeout)


def run(task: Task, origin: Provenance, timeout: float = TIMEOUT) -> tuple[Outcome, dict[str, bytes]]:
    """Make one report: its page and figures, by their files; whatever goes wrong becomes the reason of its outcome."""
    started, title, reason = perf_counter(), task.title or task.name, ""
    files: dict[str, bytes] = {}
    try:
        notebook = read_notebook(task.notebook)
        title = task.title or notebook_title(notebook, task.lang) or task.name
        known = parameters_of(notebook)
        parameters = {name: value for name, value in task.parameters.items() if name in known}
        _open_before(task, parameters)
        done = execute(notebook, parameters, timeout)
        html = report_html(done, title, task.lang, origin, parameters, task.others, task.inputs)
        files = figures_of(done, task.file.split(".")[0], task.lang) | {task.file: html.encode("utf-8")}
    except Exception as error:  # any failure of one report leaves the others to be made
        reason = _reason(error, task, timeout)
    return Outcome(task.name, title, task.file, not reason, reason, perf_counter() - started, task.lang), files


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


def execute(notebook: NotebookNode, parameters: dict[str, Any], timeout: float = TIMEOUT) -> NotebookNode:
    """Run a notebook with ``parameters`` and give it back with its outputs; nothing is saved on the way."""
    import papermill
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    from qyx_analysis.reports.engine import WarmEngine

    papermill_engines.register(_ENGINE, WarmEngine)
    encrypted = Config({"KernelManager": {"transport_encryption": "auto"}})  # else each kernel warns on stderr
    deadline = monotonic() + timeout
    done = papermill.execute_notebook(
        notebook,
        None,
        parameters,
        engine_name=_ENGINE,
        progress_bar=False,
        shutdown_kernel="immediate",
        config=encrypted,
        timeout_func=lambda _: max(1.0, deadline - monotonic()),
        record_timing=False,
        coalesce_streams=True,  # else a print is one output or two, as the kernel's clock has it
    )
    for number, cell in enumerate(done.cells):
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "injected-parameters"  # papermill's is another in each run
        for output in cell.get("outputs", []):
            if output.output_type == "error":  # papermill lets SystemExit(0) and allowed errors pass
                error = output.ename, output.evalue, output.traceback
                raise PapermillExecutionError(number, cell.execution_count, cell.source, *error)
    return done


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
