"""Which reports are to be made, and each made on its own: one that fails does not stop the others."""

from __future__ import annotations

import ast
import io
import json
import os
import platform
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache, partial
from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

from qyx_analysis import __version__, names, raw
from qyx_analysis.catalogue import message
from qyx_analysis.datapackage import PACKAGE
from qyx_analysis.notebooks import LANGUAGES, open_desk, peer_codes
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.processed import data_dir, load_targets
from qyx_analysis.reports.cluster import on_cluster
from qyx_analysis.reports.downloads import data_id, figures_in, write_figures, write_tables
from qyx_analysis.reports.index import Outcome, region_file, report_file, write_index
from qyx_analysis.reports.pages import Provenance, notebook_title, report_html
from qyx_analysis.reports.pool import Lost, in_processes
from qyx_analysis.reports.record import DataInputs, changed, common_inputs, digest, write_manifest

if TYPE_CHECKING:
    from nbformat import NotebookNode

REGION_NOTEBOOK = "region-report.ipynb"
CROSS_NOTEBOOKS = "[0-9][0-9]-*.ipynb"
_OWN = {"region", "peers", "lang", "data_dir"}  # parameters that arguments of make_reports set
_REASON = 400  # characters of a reason that are worth reading
_TIMEOUT = 600.0  # seconds
_LEAVE = 10.0  # seconds that a report may need besides its notebook
_ENGINE = "qyx-warm"
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)  # of storage, also after Path took one slash of two


@dataclass(frozen=True)
class Task:
    """One report to make, in plain values that any process can run; an empty ``title``: the notebook's.

    ``others`` are the same report in other languages, as pairs of language and file; ``inputs`` what it is made from,
    as :mod:`~qyx_analysis.reports.record` has it.
    """

    name: str
    file: str
    notebook: Path
    lang: str
    title: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    others: tuple[tuple[str, str], ...] = ()
    inputs: dict[str, str] = field(default_factory=dict)


def make_reports(
    regions: Iterable[object] | str | int = (),
    peers: str = "",
    data: object = None,
    lang: str = "zh",
    out: Path | str = "reports",
    parameters: Mapping[str, Any] | None = None,
    notebooks: Path | str | None = None,
    jobs: int | None = None,
    force: bool = False,
    timeout: float = _TIMEOUT,
    quiet: bool = False,
    scheduler: str = "",
) -> list[Outcome]:
    """Run the notebooks on a build and write one HTML file each and language, and ``index.html``.

    A report whose notebook, parameters, data, library, packages and font are those it was last made with is left as
    it is. Each notebook runs in a process of its own, so that one that crashes or hangs is one failed report.

    Parameters
    ----------
    regions : codes or names, optional
        Only the reports of these counties; else those of every county in the data and the cross-county ones.
    peers : str
        What the notebooks compare a county with: codes or a group, passed on as it is.
    data : path, optional
        Folder of the build, as in :func:`~qyx_analysis.processed.load_targets`.
    lang : str
        ``zh``, ``en`` or ``both``.
    out : path
        The folder to write; reports in it that are not made now stay and are listed.
    parameters : mapping, optional
        Further parameters, each for those notebooks that have it.
    notebooks : path, optional
        Folder of the notebooks, else the project's.
    jobs : int, optional
        How many reports are made at a time, else one per processor core.
    force : bool
        Make also those that have not changed.
    timeout : float
        Seconds after which a report has failed.
    quiet : bool
        Show no progress.
    scheduler : str
        Address of a Dask scheduler, ``tcp://host:8786``, whose workers are to make the reports, instead of ``jobs``
        processes of this machine. They need the same library and packages, and none of the folders.

    Returns
    -------
    list of Outcome
        One per report and language, also for those that failed: counties by code, then the comparisons.

    Raises
    ------
    DataError
        Before anything runs: an unknown language, no build, no notebook, a parameter that no notebook has.
        Also when ``out`` cannot be written, and when the cluster cannot be used.

    Examples
    --------
    A county that is not in the data is an outcome too, and does not stop the others:

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     outcomes = make_reports(["鄞州区"], out=Path(folder))
    >>> [(outcome.name, outcome.ok) for outcome in outcomes]
    [('鄞州区', False)]
    """
    for given in (data, out):
        if _ADDRESS.match(str(given)):  # a path would be a folder named “s3:”
            raise DataError(Problem("folder_is_address", str(given)))
    plan, folder, langs = _planned(regions, peers, data, lang, parameters, notebooks)
    out = Path(out)
    origin = Provenance(__version__, datetime.now().astimezone(), _sources(folder), data_id(folder))
    try:
        out.mkdir(parents=True, exist_ok=True)
        raw.remove_stale(out)
        done: dict[int, Outcome] = {}
        for place, item in enumerate(plan):
            if isinstance(item, Outcome):
                done[place] = item
            elif not force and not changed(out / item.file, item.inputs):
                done[place] = Outcome(
                    item.name, item.title or item.name, item.file, True, lang=item.lang, unchanged=True
                )
        stale = {place: item for place, item in enumerate(plan) if place not in done and isinstance(item, Task)}
        tasks = list(stale.values())
        if scheduler and tasks:
            results = _on_cluster(tasks, folder, out, origin, timeout, scheduler)
        else:
            work = partial(_in_process, out=out, origin=origin, timeout=timeout)
            results = in_processes(work, tasks, jobs or os.cpu_count() or 1, timeout + _LEAVE)
        made = _made(tasks, results, timeout, langs[0], quiet)
        done |= {list(stale)[number]: outcome for number, outcome in made}
        outcomes = [done[place] for place in range(len(plan))]
        write_tables(folder, out, langs, __version__, origin.sources)
        write_index(out, outcomes, langs, origin)
        write_manifest(out, outcomes)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(Problem("out_unwritable", str(out), values={"reason": reason})) from error
    return outcomes


def explain_reports(
    regions: Iterable[object] | str | int = (),
    peers: str = "",
    data: object = None,
    lang: str = "zh",
    out: Path | str = "reports",
    parameters: Mapping[str, Any] | None = None,
    notebooks: Path | str | None = None,
) -> list[tuple[str, list[str]]]:
    """Say of each report that :func:`make_reports` would make why: its file, and the inputs that have changed.

    The inputs are ``notebook``, ``parameters``, ``data``, ``code``, ``packages`` and ``font``; ``page`` where there
    is no whole page; none where the report would be left as it is. Nothing is run or written.
    """
    plan, _, _ = _planned(regions, peers, data, lang, parameters, notebooks)
    return [(item.file, changed(Path(out) / item.file, item.inputs)) for item in plan if isinstance(item, Task)]


def _made(
    tasks: list[Task], results: Iterator[tuple[int, Outcome | Lost]], timeout: float, lang: str, quiet: bool
) -> Iterator[tuple[int, Outcome]]:
    """Await the reports, and show how far it has come: a bar on a terminal, else a line for each."""
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # a thread would be in the way of processes that are forked
    if tqdm.monitor is not None:  # that of an earlier bar
        tqdm.monitor.exit()
        tqdm.monitor = None
    failed = 0
    with tqdm(total=len(tasks), desc=message("report_progress", lang), disable=quiet or None) as bar:
        for count, (number, result) in enumerate(results, 1):
            task = tasks[number]
            outcome = _lost(task, result, timeout) if isinstance(result, Lost) else result
            failed += not outcome.ok
            bar.set_postfix({message("report_failed", lang): failed} if failed else {}, refresh=False)
            bar.update()
            if bar.disable and not quiet:
                said = f"{outcome.seconds:.1f} s" if outcome.ok else message("report_failed", lang)
                print(f"{count}/{len(tasks)} {outcome.file} {said}", file=sys.stderr, flush=True)
            yield number, outcome


def _lost(task: Task, lost: Lost, timeout: float) -> Outcome:
    values = {"how": lost.how, "seconds": timeout}
    problem = Problem("report_died" if lost.how else "report_timeout", task.file, values=values)
    return Outcome(task.name, task.title or task.name, task.file, ok=False, reason=str(problem), lang=task.lang)


# --- what is to be made -----------------------------------------------------------------------------------


def _planned(
    regions: Iterable[object] | str | int,
    peers: str,
    data: object,
    lang: str,
    parameters: Mapping[str, Any] | None,
    notebooks: Path | str | None,
) -> tuple[list[Task | Outcome], Path, tuple[str, ...]]:
    """The reports that are asked for with their inputs, the folder of the build, and the languages."""
    if lang not in (*LANGUAGES, "both"):
        raise DataError(Problem("lang_unknown", "lang", text=lang))
    langs = LANGUAGES if lang == "both" else (lang,)
    folder, given = data_dir(data).resolve(), dict(parameters or {})
    source = Path(notebooks or raw.project_dir() / "notebooks")
    chosen: list[object] = [regions] if isinstance(regions, str | int) else list(regions)
    passed = given | {"peers": peers, "data_dir": str(folder)}
    targets = load_targets(folder)
    plan = _plan(chosen, targets, source, langs, passed)
    _check_parameters(given, {item.notebook for item in plan if isinstance(item, Task)})
    return _with_inputs(plan, targets, folder), folder, langs


def _with_inputs(plan: list[Task | Outcome], targets: Any, folder: Path) -> list[Task | Outcome]:
    common, data = common_inputs(), DataInputs(folder)
    regions = set(targets["region"])
    benchmarks = set(targets.loc[targets["level"] != "county", "region"])

    def inputs(task: Task) -> dict[str, str]:
        shown = {name: value for name, value in task.parameters.items() if name != "data_dir"}
        try:
            peers = set(peer_codes(shown.get("peers", "")))
        except DataError:  # the report will say so
            peers = set()
        return {
            "notebook": digest(task.notebook.read_bytes()),
            "parameters": digest(repr((sorted(shown.items()), task.title, task.others)).encode()),
            "data": data.of(shown.get("region", ""), peers | benchmarks if peers else regions),
        } | common

    return [replace(item, inputs=inputs(item)) if isinstance(item, Task) else item for item in plan]


def _plan(
    chosen: list[object], targets: Any, notebooks: Path, langs: tuple[str, ...], parameters: dict[str, Any]
) -> list[Task | Outcome]:
    notebook = notebooks / REGION_NOTEBOOK
    if not notebook.is_file():
        raise DataError(Problem("notebook_missing", str(notebook)))
    present = sorted(targets.loc[targets["level"] == "county", "region"].unique())
    plan: dict[str, list[Task | Outcome]] = {}
    for given in chosen or present:
        try:
            code = _county(given, present)
        except DataError as error:
            plan[str(given)] = [Outcome(str(given), str(given), "", ok=False, reason=str(error))]
            continue
        files = {lang: region_file(code, lang) for lang in langs}
        titles = {lang: message("report_region_title", lang, region=names.region_name(code, lang)) for lang in langs}
        plan[code] = _in_each_language(code, notebook, files, titles, parameters | {"region": code})
    for path in [] if chosen else sorted(notebooks.glob(CROSS_NOTEBOOKS)):
        files = {lang: report_file(path.stem, lang) for lang in langs}
        plan[path.stem] = _in_each_language(path.stem, path, files, dict.fromkeys(langs, ""), parameters)
    return [item for items in plan.values() for item in items]


def _in_each_language(
    name: str, notebook: Path, files: dict[str, str], titles: dict[str, str], parameters: dict[str, Any]
) -> list[Task | Outcome]:
    return [
        Task(
            name,
            file,
            notebook,
            lang,
            titles[lang],
            parameters | {"lang": lang},
            tuple((other, files[other]) for other in files if other != lang),
        )
        for lang, file in files.items()
    ]


def _county(given: object, present: list[str]) -> str:
    """The code of a county that is in the data; a benchmark's plan has no report of its own."""
    code = names.find_region(given)
    if code not in present:
        key = "region_absent" if names.region_level(code) == "county" else "report_not_county"
        listed = ", ".join(map(names.region_name, present))
        raise DataError(Problem(key, "targets.csv", text=names.region_name(code), values={"present": listed}))
    return code


def _check_parameters(given: dict[str, Any], notebooks: set[Path]) -> None:
    """Refuse what papermill would only warn of: with a misspelt name the default would be reported on."""
    known = set().union(*(_parameters_of(_read(path)) for path in notebooks)) if given else set()
    for name in given:
        if name in _OWN:
            raise DataError(Problem("report_parameter_set", "qyx report", text=name))
        if name not in known or not name.isidentifier():
            files = ", ".join(sorted(path.name for path in notebooks))
            listed = ", ".join(sorted(known - _OWN)) or "—"
            raise DataError(Problem("parameter_unknown", files, text=name, values={"known": listed}))


def _sources(folder: Path) -> list[dict[str, str]]:
    path = folder / PACKAGE
    try:
        return json.loads(path.read_text(encoding="utf-8"))["sources"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(Problem("data_unreadable", str(path), values={"reason": str(error)})) from error


# --- one report -------------------------------------------------------------------------------------------


def _in_process(task: Task, out: Path, origin: Provenance, timeout: float) -> Outcome:
    """Make one report in a process that does nothing else, and may import its own way."""
    # JupyterLab brings it along; at its import it compiles grammars for .8 s, for formats that no notebook has
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    return run(task, out, origin, timeout)


def _on_cluster(
    tasks: list[Task], data: Path, out: Path, origin: Provenance, timeout: float, scheduler: str
) -> Iterator[tuple[int, Outcome | Lost]]:
    """Make the reports on a Dask cluster, and write here what comes back: first the figures, then their page."""
    packed = _packed(data, {task.notebook for task in tasks})
    work = partial(_far, origin=origin, timeout=timeout)
    for number, result in on_cluster(work, packed, tasks, scheduler, timeout + _LEAVE):
        if isinstance(result, Problem):
            raise DataError(result)
        if isinstance(result, Lost):
            yield number, result
            continue
        outcome, files = result
        for name in sorted(files, key=lambda name: name == outcome.file):
            raw.write_whole(out / name, files[name])
        stem = outcome.file.split(".")[0]
        for forms in figures_in(out).get((stem, outcome.lang), {}).values() if outcome.ok else ():
            for file in set(forms.values()) - set(files):
                (out / file).unlink()  # of an earlier run that had more figures
        yield number, outcome


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
    """Make one report where none of its inputs is, and give it back with its files by their name in the folder."""
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
    with TemporaryDirectory(prefix="qyx-") as made:
        out = Path(made)
        outcome = _in_process(near, out, origin, timeout)
        files = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    return outcome, files


def run(task: Task, out: Path, origin: Provenance, timeout: float = _TIMEOUT) -> Outcome:
    """Make one report; whatever goes wrong in it becomes the reason of its outcome."""
    started, title, reason = perf_counter(), task.title or task.name, ""
    try:
        notebook = _read(task.notebook)
        title = task.title or notebook_title(notebook, task.lang) or task.name
        known = _parameters_of(notebook)
        parameters = {name: value for name, value in task.parameters.items() if name in known}
        _open_before(parameters)
        done = execute(notebook, parameters, timeout)
        html = report_html(done, title, task.lang, origin, parameters, task.others, task.inputs)
        write_figures(done, out, task.file.split(".")[0], task.lang)
        raw.write_whole(out / task.file, html.encode("utf-8"))
    except Exception as error:  # any failure of one report leaves the others to be made
        reason = _reason(error, task, timeout)
    return Outcome(task.name, title, task.file, not reason, reason, perf_counter() - started, task.lang)


def _open_before(parameters: dict[str, Any]) -> None:
    """Open in this process what the notebook will open: its kernel, a fork, finds the frames computed.

    The reports of a run share most of them, so that all but the first find them here too.
    """
    with suppress(Exception):  # what is wrong with it, the notebook will say
        taken = signature(open_desk).parameters
        open_desk(**{name: value for name, value in parameters.items() if name in taken})


def _read(path: Path) -> NotebookNode:
    """Read a notebook; it runs in this environment, whatever kernel it was last saved with."""
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(Problem("report_notebook", path.name, values={"reason": reason})) from error
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def _parameters_of(notebook: NotebookNode) -> set[str]:
    """The names that its cell of parameters assigns, as papermill would find them; it may hold a slip."""
    tagged = [cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    try:
        statements = [node for source in tagged[:1] for node in ast.parse(source).body]
    except SyntaxError:
        return set()
    assigned = [node.target if isinstance(node, ast.AnnAssign) else node.targets[0] for node in statements
                if isinstance(node, ast.AnnAssign | ast.Assign)]  # fmt: skip
    return {target.id for target in assigned if isinstance(target, ast.Name)}


def execute(notebook: NotebookNode, parameters: dict[str, Any], timeout: float = _TIMEOUT) -> NotebookNode:
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
    if isinstance(error, OSError):
        return str(Problem("out_unwritable", task.file, values={"reason": error.strerror or text}))
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = line if name == DataError.__name__ else f"{name}: {line}"
    return line if len(line) <= _REASON else line[: _REASON - 1] + "…"
