"""Many reports: those that have changed are made, side by side, and one that fails does not stop the others."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from qyx_analysis import __version__
from qyx_analysis.catalogue import message
from qyx_analysis.datapackage.building import PACKAGE
from qyx_analysis.engine.cluster import on_cluster, packed
from qyx_analysis.engine.execution import TIMEOUT
from qyx_analysis.engine.processes import Lost, in_processes
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.reports.downloads import data_id, write_tables
from qyx_analysis.reports.folder import Outcome, ReportFolder
from qyx_analysis.reports.index import write_index
from qyx_analysis.reports.making import make_report, make_report_far
from qyx_analysis.reports.pages import Provenance
from qyx_analysis.reports.plan import Task, planned

_LEAVE = 10.0  # seconds that a report may need besides its notebook


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
    timeout: float = TIMEOUT,
    quiet: bool = False,
    scheduler: str = "",
    kind: str = "report",
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
    data : path or address, optional
        Folder of the build, as in :func:`~qyx_analysis.datapackage.loading.load_targets`.
    lang : str
        ``zh``, ``en`` or ``both``.
    out : path or address
        The folder to write; reports in it that are not made now stay and are listed.
    parameters : mapping, optional
        Further parameters, each for those notebooks that have it.
    notebooks : path, optional
        Folder of the notebooks, else the project's.
    jobs, scheduler : int, str, optional
        How many reports are made at a time, else one per processor core; or the address of a Dask scheduler,
        ``tcp://host:8786``, whose workers are to make them. They need the same library, and none of the folders.
    force : bool
        Make also those that have not changed.
    timeout : float
        Seconds after which a report has failed.
    quiet : bool
        Show no progress.
    kind : str
        ``report``, or ``briefing`` for the one-page briefings of the counties that have actual values.

    Returns
    -------
    list of Outcome
        One per report and language, also for those that failed: counties by code, then the comparisons.

    Raises
    ------
    DataError
        Before anything runs: no build, no notebook, an unknown language or kind, a parameter that no notebook has, a
        folder that cannot be written, no actual values for a briefing. Later: no more cluster, no more storage.

    Examples
    --------
    A county that is not in the data is an outcome too, and does not stop the others:

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     outcomes = make_reports(["鄞州区"], out=Path(folder))
    >>> [(outcome.name, outcome.ok) for outcome in outcomes]
    [('鄞州区', False)]
    """
    plan, data_folder, langs = planned(regions, peers, data, lang, parameters, notebooks, kind)
    origin = Provenance(__version__, datetime.now().astimezone(), _sources(data_folder), data_id(data_folder))
    there = ReportFolder(out)
    done = {place: item for place, item in enumerate(plan) if isinstance(item, Outcome)}
    stale: dict[int, Task] = {}
    for place, item in enumerate(plan):
        if isinstance(item, Task):
            if force or there.changed(item.file, item.inputs):
                stale[place] = item
            else:
                title = item.title or item.name
                done[place] = Outcome(item.name, title, item.file, True, lang=item.lang, unchanged=True)
    there.prepare()
    tasks, places = [*stale.values()], [*stale]
    if scheduler and tasks:
        shared = packed({"data": filter(Path.is_file, data_folder.iterdir()), "notebooks": {t.notebook for t in tasks}})
        far = partial(make_report_far, origin=origin, timeout=timeout)
        results = on_cluster(far, shared, tasks, scheduler, timeout + _LEAVE)
    else:
        near = partial(make_report, origin=origin, timeout=timeout)
        results = in_processes(near, tasks, jobs or os.cpu_count() or 1, timeout + _LEAVE)
    for number, outcome in _made(tasks, results, there, timeout, langs[0], quiet):
        done[places[number]] = outcome
    outcomes = [done[place] for place in range(len(plan))]
    write_tables(data_folder, there, langs, __version__, origin.sources)
    there.look()
    write_index(there, outcomes, langs, origin)
    there.write_manifest(outcomes)
    return outcomes


def explain_reports(
    regions: Iterable[object] | str | int = (), out: Path | str = "reports", **asked: Any
) -> list[tuple[str, list[str]]]:
    """Say of each report that :func:`make_reports` would make why: its file, and the inputs that have changed.

    It takes the arguments of that function that say what is made. The inputs are ``notebook``, ``parameters``,
    ``data``, ``code``, ``packages`` and ``font``; ``page`` where there is no whole page; none where the report would
    be left as it is. Nothing is run or written.
    """
    plan, _, _ = planned(regions, **asked)
    there = ReportFolder(out)
    return [(item.file, there.changed(item.file, item.inputs)) for item in plan if isinstance(item, Task)]


def _made(
    tasks: list[Task],
    results: Iterable[tuple[int, tuple[Outcome, dict[str, bytes]] | Lost | Problem]],
    there: ReportFolder,
    timeout: float,
    lang: str,
    quiet: bool,
) -> Iterator[tuple[int, Outcome]]:
    """Await the reports, write them, and show how far it has come: a bar on a terminal, else a line for each."""
    failed = 0
    with tqdm(total=len(tasks), desc=message("report_progress", lang), disable=quiet or None) as bar:
        for count, (number, result) in enumerate(results, 1):
            if isinstance(result, Problem):
                raise DataError(result)
            outcome = _written(tasks[number], result, there, timeout)
            failed += not outcome.ok
            bar.set_postfix({message("report_failed", lang): failed} if failed else {}, refresh=False)
            bar.update()
            if bar.disable and not quiet:
                said = f"{outcome.seconds:.1f} s" if outcome.ok else message("report_failed", lang)
                print(f"{count}/{len(tasks)} {outcome.file} {said}", file=sys.stderr, flush=True)
            yield number, outcome


def _written(
    task: Task, result: tuple[Outcome, dict[str, bytes]] | Lost, there: ReportFolder, timeout: float
) -> Outcome:
    """What became of a report when its files are written; that it cannot be written is its failure alone."""
    if isinstance(result, Lost):
        values = {"how": result.how, "seconds": timeout}
        reason = str(Problem("report_died" if result.how else "report_timeout", task.file, values=values))
        return Outcome(task.name, task.title or task.name, task.file, ok=False, reason=reason, lang=task.lang)
    outcome, files = result
    try:
        if outcome.ok:
            there.write_report(outcome, files)
    except DataError as error:
        return replace(outcome, ok=False, reason=str(error))
    return outcome


def _sources(folder: Path) -> list[dict[str, str]]:
    path = folder / PACKAGE
    try:
        return json.loads(path.read_text(encoding="utf-8"))["sources"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(Problem("data_unreadable", str(path), values={"reason": str(error)})) from error
