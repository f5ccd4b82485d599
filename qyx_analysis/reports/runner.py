"""Which reports are to be made, and each made on its own: one that fails does not stop the others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from qyx_analysis import __version__, names, raw
from qyx_analysis.catalogue import message
from qyx_analysis.datapackage import PACKAGE
from qyx_analysis.notebooks import LANGUAGES
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.processed import data_dir, load_targets
from qyx_analysis.reports.downloads import data_id, write_figures, write_tables
from qyx_analysis.reports.index import Outcome, region_file, report_file, write_index
from qyx_analysis.reports.pages import Provenance, notebook_title, report_html

if TYPE_CHECKING:
    from nbformat import NotebookNode

REGION_NOTEBOOK = "region-report.ipynb"
CROSS_NOTEBOOKS = "[0-9][0-9]-*.ipynb"
_OWN = {"region", "peers", "lang", "data_dir"}  # parameters that arguments of make_reports set
_REASON = 400  # characters of a reason that are worth reading


@dataclass(frozen=True)
class Task:
    """One report to make, in plain values that any process can run; an empty ``title``: the notebook's.

    ``others`` are the same report in other languages, as pairs of language and file.
    """

    name: str
    file: str
    notebook: Path
    lang: str
    title: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    others: tuple[tuple[str, str], ...] = ()


def make_reports(
    regions: Iterable[object] | str | int = (),
    peers: str = "",
    data: object = None,
    lang: str = "zh",
    out: Path | str = "reports",
    parameters: Mapping[str, Any] | None = None,
    notebooks: Path | str | None = None,
) -> list[Outcome]:
    """Run the notebooks on a build and write one HTML file each and language, and ``index.html``.

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

    Returns
    -------
    list of Outcome
        One per report and language, also for those that failed: counties by code, then the comparisons.

    Raises
    ------
    DataError
        Before anything runs: an unknown language, no build, no notebook, a parameter that no notebook has.
        Also when ``out`` cannot be written.

    Examples
    --------
    A county that is not in the data is an outcome too, and does not stop the others:

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     outcomes = make_reports(["鄞州区"], out=Path(folder))
    >>> [(outcome.name, outcome.ok) for outcome in outcomes]
    [('鄞州区', False)]
    """
    from tqdm import tqdm

    if lang not in (*LANGUAGES, "both"):
        raise DataError(Problem("lang_unknown", "lang", text=lang))
    langs = LANGUAGES if lang == "both" else (lang,)
    folder, out, given = data_dir(data).resolve(), Path(out), dict(parameters or {})
    source = Path(notebooks or raw.project_dir() / "notebooks")
    chosen: list[object] = [regions] if isinstance(regions, str | int) else list(regions)
    passed = given | {"peers": peers, "data_dir": str(folder)}
    plan = _plan(chosen, load_targets(folder), source, langs, passed)
    _check_parameters(given, {item.notebook for item in plan if isinstance(item, Task)})
    origin = Provenance(__version__, datetime.now().astimezone(), _sources(folder), data_id(folder))
    try:
        out.mkdir(parents=True, exist_ok=True)
        progress = tqdm(plan, desc=message("report_progress", langs[0]), disable=None)
        outcomes = [item if isinstance(item, Outcome) else run(item, out, origin) for item in progress]
        write_tables(folder, out, langs, __version__, origin.sources)
        write_index(out, outcomes, langs, origin)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(Problem("out_unwritable", str(out), values={"reason": reason})) from error
    return outcomes


# --- what is to be made -----------------------------------------------------------------------------------


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


def run(task: Task, out: Path, origin: Provenance) -> Outcome:
    """Make one report; whatever goes wrong in it becomes the reason of its outcome."""
    started, title, reason = perf_counter(), task.title or task.name, ""
    try:
        notebook = _read(task.notebook)
        title = task.title or notebook_title(notebook, task.lang) or task.name
        known = _parameters_of(notebook)
        parameters = {name: value for name, value in task.parameters.items() if name in known}
        done = execute(notebook, parameters)
        html = report_html(done, title, task.lang, origin, parameters, task.others)
        write_figures(done, out, task.file.split(".")[0], task.lang)
        raw.write_whole(out / task.file, html.encode("utf-8"))
    except Exception as error:  # any failure of one report leaves the others to be made
        reason = _reason(error)
    return Outcome(task.name, title, task.file, not reason, reason, perf_counter() - started, task.lang)


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
    import papermill

    return set(papermill.inspect_notebook(notebook))


def execute(notebook: NotebookNode, parameters: dict[str, Any]) -> NotebookNode:
    """Run a notebook with ``parameters`` and give it back with its outputs; nothing is saved on the way."""
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    encrypted = Config({"KernelManager": {"transport_encryption": "auto"}})  # else each kernel warns on stderr
    done = papermill.execute_notebook(
        notebook, None, parameters, progress_bar=False, shutdown_kernel="immediate", config=encrypted
    )
    for number, cell in enumerate(done.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":  # papermill lets SystemExit(0) and allowed errors pass
                error = output.ename, output.evalue, output.traceback
                raise PapermillExecutionError(number, cell.execution_count, cell.source, *error)
    return done


def _reason(error: Exception) -> str:
    """One line: our own errors speak for themselves, others are named."""
    name, text = getattr(error, "ename", type(error).__name__), str(getattr(error, "evalue", error))
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = line if name == DataError.__name__ else f"{name}: {line}"
    return line if len(line) <= _REASON else line[: _REASON - 1] + "…"
