"""Which reports are to be made, and from what: one task for each notebook, county and language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qyx_analysis import names
from qyx_analysis.catalogue import message, project_dir
from qyx_analysis.datapackage.loading import data_dir, load_table, load_targets
from qyx_analysis.engine.execution import parameters_of, read_notebook
from qyx_analysis.notebook.desk import LANGUAGES, peer_codes
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.reports.folder import Outcome, region_stem, report_file
from qyx_analysis.reports.record import DataInputs, common_inputs, digest
from qyx_analysis.wings import WINGS, Kind, wings

if TYPE_CHECKING:
    from nbformat import NotebookNode

REGION_NOTEBOOK = "region-report.ipynb"
CROSS_NOTEBOOKS = "[1-9][0-9]-*.ipynb"  # 00-start is for the desk
REPORT = "report"  # the kind of pages that the core makes
_WING_TAG = "wing:"  # tag of the cells of a wing, with its name
_OWN = {"region", "peers", "lang", "data_dir"}  # parameters that arguments of make_reports set


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


def planned(
    regions: Iterable[object] | str | int,
    peers: str = "",
    data: object = None,
    lang: str = "zh",
    parameters: Mapping[str, Any] | None = None,
    notebooks: Path | str | None = None,
    kind: str = REPORT,
) -> tuple[list[Task | Outcome], Path, tuple[str, ...]]:
    """The reports that are asked for with their inputs, the folder of the build, and the languages."""
    if lang not in (*LANGUAGES, "both"):
        raise DataError(Problem("lang_unknown", "lang", text=lang))
    kinds = kinds_known()
    if kind != REPORT and kind not in kinds:
        raise DataError(Problem("kind_unknown", "kind", text=kind, values={"known": ", ".join([REPORT, *kinds])}))
    langs = LANGUAGES if lang == "both" else (lang,)
    folder, given = data_dir(data).resolve(), dict(parameters or {})
    source = Path(notebooks or project_dir() / "notebooks")
    chosen: list[object] = [regions] if isinstance(regions, str | int) else list(regions)
    passed = given | {"peers": peers, "data_dir": str(folder)}
    targets = load_targets(folder)
    if kind == REPORT:
        plan = _reports(chosen, targets, source, langs, passed)
    else:
        plan = kinds[kind].plan(chosen, targets, _there(source / kinds[kind].notebook), langs, passed)
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


def _has_data(path: Path, folder: Path | str) -> bool:
    """Whether there are rows of the table, and the wing, that a notebook says in its metadata it is about."""
    try:
        about = read_notebook(path).metadata.get("qyx", {})
    except DataError:  # its own report will say so
        return True
    table, wing = about.get("table"), about.get("wing")
    return wing in (None, *WINGS) and (not table or len(load_table(table, folder)) > 0)


def _reports(
    chosen: list[object], targets: Any, notebooks: Path, langs: tuple[str, ...], parameters: dict[str, Any]
) -> list[Task | Outcome]:
    """A report for each county, and if none are chosen the comparisons."""
    notebook = _there(notebooks / REGION_NOTEBOOK)
    present = counties_in(targets)
    plan: dict[str, list[Task | Outcome]] = {}
    for given in chosen or present:
        try:
            code = county_code(given, present)
        except DataError as error:
            plan[str(given)] = [refused(given, error)]
            continue
        files = {lang: report_file(region_stem(code), lang) for lang in langs}
        titles = {lang: message("report_region_title", lang, region=names.region_name(code, lang)) for lang in langs}
        plan[code] = in_each_language(code, notebook, files, titles, parameters | {"region": code})
    for path in [] if chosen else sorted(notebooks.glob(CROSS_NOTEBOOKS)):
        if not _has_data(path, parameters["data_dir"]):
            continue
        files = {lang: report_file(path.stem, lang) for lang in langs}
        plan[path.stem] = in_each_language(path.stem, path, files, dict.fromkeys(langs, ""), parameters)
    return [item for items in plan.values() for item in items]


def kinds_known() -> dict[str, Kind]:
    """The kinds of pages that wings make besides the reports, by name."""
    return {name: kind for wing in wings() for name, kind in wing.kinds.items()}


def _there(notebook: Path) -> Path:
    if not notebook.is_file():
        raise DataError(Problem("notebook_missing", str(notebook)))
    return notebook


def counties_in(targets: Any) -> list[str]:
    """The counties of the data, by code."""
    return sorted(targets.loc[targets["level"] == "county", "region"].unique())


def refused(given: object, error: DataError) -> Outcome:
    """A report that is not made, and why."""
    return Outcome(str(given), str(given), "", ok=False, reason=str(error))


def in_each_language(
    name: str, notebook: Path, files: dict[str, str], titles: dict[str, str], parameters: dict[str, Any]
) -> list[Task | Outcome]:
    """One task for each language; each names the others."""
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


def county_code(given: object, present: list[str]) -> str:
    """The code of a county that is in the data; a benchmark's plan has no report of its own."""
    code = names.find_region(given)
    if code not in present:
        key = "region_absent" if names.region_level(code) == "county" else "report_not_county"
        listed = ", ".join(map(names.region_name, present))
        raise DataError(Problem(key, "targets.csv", text=names.region_name(code), values={"present": listed}))
    return code


def _check_parameters(given: dict[str, Any], notebooks: set[Path]) -> None:
    """Refuse what papermill would only warn of: with a misspelt name the default would be reported on."""
    known = set().union(*(parameters_of(read_notebook(path)) for path in notebooks)) if given else set()
    for name in given:
        if name in _OWN:
            raise DataError(Problem("report_parameter_set", "qyx report", text=name))
        if name not in known or not name.isidentifier():
            files = ", ".join(sorted(path.name for path in notebooks))
            listed = ", ".join(sorted(known - _OWN)) or "—"
            raise DataError(Problem("parameter_unknown", files, text=name, values={"known": listed}))


# --- wings --------------------------------------------------------------------------------------------------


def drop_wings(notebook: NotebookNode) -> NotebookNode:
    """Take the sections of wings that are not there out of a notebook."""
    notebook.cells = [cell for cell in notebook.cells if _wing_of(cell.metadata.get("tags", [])) in (None, *WINGS)]
    return notebook


def _wing_of(tags: list[str]) -> str | None:
    return next((tag.removeprefix(_WING_TAG) for tag in tags if tag.startswith(_WING_TAG)), None)
