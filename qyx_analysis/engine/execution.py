"""One notebook, run by papermill in a warm kernel."""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Iterable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from qyx_analysis.problems import DataError, Problem

if TYPE_CHECKING:
    from nbformat import NotebookNode

TIMEOUT = 600.0  # seconds
_ENGINE = "qyx-warm"


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook; it runs in this environment, whatever kernel it was last saved with."""
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(Problem("report_notebook", path.name, values={"reason": reason})) from error
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def parameters_of(notebook: NotebookNode) -> set[str]:
    """The names that its cell of parameters assigns, as papermill would find them; it may hold a slip."""
    tagged = [cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    try:
        statements = [node for source in tagged[:1] for node in ast.parse(source).body]
    except SyntaxError:
        return set()
    assigned = [node.target if isinstance(node, ast.AnnAssign) else node.targets[0] for node in statements
                if isinstance(node, ast.AnnAssign | ast.Assign)]  # fmt: skip
    return {target.id for target in assigned if isinstance(target, ast.Name)}


def settle() -> None:
    """Prepare a process that does nothing but run notebooks: a kernel, a fork, is to share all that is here."""
    # JupyterLab brings it along; at its import it compiles grammars for .8 s, for formats that no notebook has
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    gc.collect()  # what is left of the notebook before
    gc.freeze()  # a collection in a kernel must not touch, and thereby copy, what all share


def execute(
    notebook: NotebookNode, parameters: dict[str, Any], timeout: float = TIMEOUT, warm: Iterable[str] = ()
) -> NotebookNode:
    """Run a notebook with ``parameters`` and give it back with its outputs; nothing is saved on the way.

    ``warm`` are modules that its kernel finds imported, where it can.
    """
    import papermill
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    from qyx_analysis.engine.warm import WarmEngine

    papermill_engines.register(_ENGINE, WarmEngine)
    encrypted = Config({"KernelManager": {"transport_encryption": "auto"}})  # else each kernel warns on stderr
    deadline = monotonic() + timeout
    done = papermill.execute_notebook(
        notebook,
        None,
        parameters,
        engine_name=_ENGINE,
        warm=tuple(warm),
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
