"""One way of making many reports, in a process of its own: ``batch.py WAY``, with the job as JSON on standard input.

benchmarks/reports.py starts it and takes the time. The answer, when all is done, is a line of JSON.
"""

from __future__ import annotations

import ast
import base64
import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any


@dataclass(frozen=True)
class Job:
    """Which reports: one per code in ``regions``, of ``notebook``, in the folder ``out``.

    ``notebooks`` and ``data`` are the folders from which we make the same; ``parameters`` are those of all reports.
    """

    notebook: str
    notebooks: str
    data: str
    out: str
    regions: list[str]
    jobs: int
    parameters: dict[str, str]

    def each(self) -> Iterator[tuple[dict[str, str], Path]]:
        """The parameters of each report, and where it is to be."""
        for region in self.regions:
            yield self.parameters | {"region": region}, Path(self.out, f"{region}.html")


# --- the ways ---------------------------------------------------------------------------------------------


def papermill(job: Job) -> None:
    """The library in place of the command: one interpreter and one exporter for all, a kernel for each."""
    import papermill as pm

    export = exporter()
    for parameters, path in job.each():
        executed = pm.execute_notebook(job.notebook, path.with_suffix(".ipynb"), parameters, progress_bar=False)
        export(executed, path)


def ploomber(job: Job) -> None:
    """No kernel: every notebook runs in this process, after one another."""
    from ploomber_engine import execute_notebook

    export = exporter()
    for parameters, path in job.each():
        to = path.with_suffix(".ipynb")
        export(execute_notebook(job.notebook, to, parameters=parameters, progress_bar=False), path)


def exporter() -> Callable[[Any, Path], None]:
    from nbconvert import HTMLExporter

    exporter = HTMLExporter()
    return lambda notebook, path: path.write_text(
        exporter.from_notebook_node(notebook)[0], encoding="utf-8", newline="\n"
    )


def qyx(job: Job) -> None:
    """The product, with nothing made before: ``force``, and a folder that is new."""
    from qyx_analysis.reports import make_reports

    outcomes = make_reports(
        job.regions, data=job.data, out=job.out, notebooks=job.notebooks, jobs=job.jobs, force=True, quiet=True
    )
    assert outcomes and all(outcome.ok for outcome in outcomes), outcomes


def floor(job: Job) -> dict[str, float]:
    """The cells as plain Python, each report in a fork of a process that has run them once; the same template.

    That one run is not counted, nor the start. Nothing of Jupyter runs, only its form of outputs is used.
    """
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}  # read when numpy and matplotlib are imported
    import nbformat
    from IPython import display
    from IPython.core.formatters import DisplayFormatter
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    from qyx_analysis import __version__
    from qyx_analysis.files import write_whole
    from qyx_analysis.reports.pages import Provenance, report_html

    notebook = load_notebook_node(job.notebook)
    origin = Provenance(__version__, datetime.now().astimezone(), [])
    formatter, outputs = DisplayFormatter(), []

    def collect(*values: Any) -> None:
        for value in values:
            data, metadata = formatter.format(value)
            data = {kind: base64.b64encode(x).decode() if isinstance(x, bytes) else x for kind, x in data.items()}
            outputs.append(nbformat.v4.new_output("display_data", data, metadata=metadata))

    def report(parameters: dict[str, str], path: Path) -> None:
        filled, names = parameterize_notebook(notebook, parameters), {"__name__": "__main__"}
        for cell in filled.cells:
            if cell.cell_type == "code":
                tree, outputs[:] = ast.parse(cell.source), []
                last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
                exec(compile(tree, "cell", "exec"), names)
                value = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None
                collect(*[] if value is None else [value])
                cell.outputs = outputs.copy()
        html = report_html(filled, parameters["region"], parameters.get("lang", "zh"), origin, parameters)
        write_whole(path, html.encode("utf-8"))

    display.display = collect
    report(*next(job.each()))
    gc.collect()
    gc.freeze()
    started = time.perf_counter()
    running: set[int] = set()
    for given in job.each():
        if len(running) == job.jobs:
            wait_for_one(running)
        if pid := os.fork():
            running.add(pid)
            continue
        try:
            report(*given)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    while running:
        wait_for_one(running)
    children = getrusage(RUSAGE_CHILDREN)
    return {"seconds": time.perf_counter() - started, "processor": children.ru_utime + children.ru_stime}


def wait_for_one(running: set[int]) -> None:
    pid, status = os.wait()
    running.remove(pid)
    assert status == 0, "a report of the floor failed"


# --- the process ------------------------------------------------------------------------------------------

WAYS: dict[str, Callable[[Job], dict[str, float] | None]]
WAYS = {way.__name__: way for way in (papermill, ploomber, qyx, floor)}


def main() -> None:
    from worker import peak

    answers, sys.stdout = sys.stdout, sys.stderr  # libraries print what they like elsewhere
    spent = WAYS[sys.argv[1]](Job(**json.load(sys.stdin)))
    memory = {"parent": peak(), "child": getrusage(RUSAGE_CHILDREN).ru_maxrss / 1024}
    print(json.dumps(memory | (spent or {})), file=answers)


if __name__ == "__main__":
    main()
