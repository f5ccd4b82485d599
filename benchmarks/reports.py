"""Many reports: what one costs with us, with the tools that an analyst would try instead, and at the least.

Run it with ``make bench``; benchmarks/README.md says how to read the result.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

import pandas as pd
from peers.batch import Job
from peers.install import made, pip
from read_plans import copies

from qyx_analysis import __version__, catalogue
from qyx_analysis.datapackage.building import build
from qyx_analysis.files import project_dir
from qyx_analysis.reports.downloads import write_tables
from qyx_analysis.reports.folder import ReportFolder

HERE = Path(__file__).resolve().parent
PLOOMBER = HERE.parent / ".venv-bench-reports"
JOBS = 2  # at a time, by all that can do more than one
PROVINCE = 90  # counties in the data
FEW, LONG = 4, 500  # further numbers of reports, which tell what one costs
LOOP, LOOPS, FLOOR = "x loop", "x two loops", "/ floor"

Cost = dict[str, Any]  # seconds; MB of the process that starts the others, and of the largest of these


@dataclass(frozen=True)
class Case:
    """A notebook to report with: where it is, what a whole report shows, what is measured and wanted."""

    name: str
    path: Path
    data: Path
    parameters: dict[str, str]
    shows: tuple[int, int]  # pictures and tables
    ways: tuple[str, ...]
    goals: tuple[tuple[str, str, float], ...]  # for few or many reports, in which column, how much

    def check(self, out: Path, count: int) -> None:
        """Stop when a report is missing or not whole: the time of less work means nothing."""
        reports = [path for path in out.glob("*.html") if not path.name.startswith("index")]
        if len(reports) != count:
            sys.exit(f"{self.name}: {len(reports)} reports, not {count}")
        for path in reports:
            html = path.read_text(encoding="utf-8")
            found = len(re.findall(r"<img\b|<svg\b", html)), len(re.findall(r"<table\b", html))
            if found[0] < self.shows[0] or found[1] < self.shows[1]:
                sys.exit(f"{self.name}: {path.name} is not whole: {found[0]} pictures and {found[1]} tables")


# --- the ways to make reports -----------------------------------------------------------------------------


def run(command: list[Any], **options: Any) -> str:
    """What a command prints; stop when it fails."""
    done = subprocess.run(command, capture_output=True, encoding="utf-8", **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr[-2000:]}")
    return done.stdout


def commands(at_a_time: int, case: Case, job: Job) -> Cost:
    """What a shell loop does for each report."""
    given = [text for item in case.parameters.items() for text in ("-p", *item)]

    def one(region: str) -> None:
        executed = Path(job.out, f"{region}.ipynb")
        run([sys.executable, "-m", "papermill", case.path, executed, *given, "-p", "region", region])
        run([sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", executed])

    with ThreadPoolExecutor(at_a_time) as pool:
        list(pool.map(one, job.regions))
    return {}


def process(way: str, case: Case, job: Job) -> Cost:
    """A way of peers/batch.py, in a process of its own."""
    options = {"input": json.dumps(asdict(job))}
    if way == "ploomber":
        beside = os.pathsep.join([str(PLOOMBER), os.environ.get("PYTHONPATH", "")])
        options["env"] = os.environ | {"PYTHONPATH": beside, "PLOOMBER_STATS_ENABLED": "false"}
    return json.loads(run([sys.executable, HERE / "peers" / "batch.py", way], **options).splitlines()[-1])


def halves(way: str, case: Case, job: Job) -> Cost:
    """The same, two of them with half of the reports each."""
    with ThreadPoolExecutor(JOBS) as pool:
        parts = [replace(job, regions=job.regions[i::JOBS]) for i in range(JOBS) if job.regions[i::JOBS]]
        list(pool.map(partial(process, way, case), parts))
    return {}


WAYS: dict[str, tuple[str, Callable[[Case, Job], Cost]]] = {
    "loop": ("papermill and jupyter nbconvert, a loop", partial(commands, 1)),
    "pair": ("the same loop, two at a time", partial(commands, JOBS)),
    "papermill": ("papermill's API, two processes", partial(halves, "papermill")),
    "ploomber": ("ploomber-engine, one process", partial(process, "ploomber")),
    "qyx": ("qyx report, two at a time", partial(process, "qyx")),
    "floor": ("the floor, two at a time", partial(process, "floor")),
}


# --- the measurement --------------------------------------------------------------------------------------


def cases(folder: Path) -> list[Case]:
    """The two notebooks.

    ``folder`` gets the data, its tables for other programs, and the reference notebook under a name that we look for.
    """
    (folder / "raw").mkdir()
    copies(folder / "raw", PROVINCE)
    build([folder / "raw"], folder / "data")
    started = time.perf_counter()
    write_tables(folder / "data", ReportFolder(folder / "tables"), ["zh"], __version__, [])
    spent = time.perf_counter() - started
    print(f"the tables of {PROVINCE} counties as Excel and CSV files, once for each build: {spent:.1f} s")
    data, own = folder / "data", project_dir() / "notebooks" / "region-report.ipynb"
    reference = folder / "reference" / own.name
    reference.parent.mkdir()
    shutil.copyfile(HERE / "notebooks" / "reference.ipynb", reference)
    loops = ("few", LOOP, 10), ("few", LOOPS, 5), ("many", LOOP, 13)
    floor = ("many", FLOOR, 1.15)
    return [
        Case("reference notebook", reference, data, {}, (5, 4), tuple(WAYS), (*loops, floor)),
        Case("region report", own, data, {"data_dir": str(data)}, (4, 5), ("loop", "pair", "qyx", "floor"), (floor,)),
    ]


def extended(case: Case, count: int, folder: Path) -> Path:
    """Notebooks for more reports than there are counties: the same under names that make it a report of its own."""
    shutil.copytree(case.path.parent, folder)
    for i in range(count - PROVINCE):
        shutil.copyfile(case.path, folder / f"10-{i:03d}.ipynb")
    return folder


def once(case: Case, way: str, count: int) -> Cost:
    """Make ``count`` reports, where nothing is that could be used again."""
    counties = catalogue.regions().query("level == 'county'")["code"].head(PROVINCE).tolist()
    with tempfile.TemporaryDirectory() as name:
        out, notebooks = Path(name, "out"), case.path.parent
        if way == "qyx":  # beside the reports there are the tables of the build, which do not depend on the reports
            shutil.copytree(case.data.with_name("tables"), out)
        else:
            out.mkdir()
        if count > PROVINCE:
            notebooks, counties = extended(case, count, Path(name, "notebooks")), []
        job = Job(str(case.path), str(notebooks), str(case.data), str(out), counties[:count], JOBS, case.parameters)
        started, before = time.perf_counter(), processor()
        cost = WAYS[way][1](case, job)
        cost = {"seconds": time.perf_counter() - started, "processor": processor() - before} | cost
        case.check(out, count)
    return {"way": way, "reports": count} | cost


def processor() -> float:
    """Seconds of all processes that were started here and have ended, and of those that they started."""
    spent = getrusage(RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def measure(case: Case, plan: Iterable[tuple[str, int]], rounds: int) -> pd.DataFrame:
    """The median costs by way and number; round by round, so that a slow machine slows all alike."""
    costs = []
    for number in range(rounds):
        for way, count in plan:
            if count <= PROVINCE or number == 0:  # the longest is its own average
                costs.append(once(case, way, count))
                spent = f"{costs[-1]['seconds']:.1f} s, {costs[-1]['processor']:.1f} s of processors"
                print(f"{case.name}, round {number + 1}: {count} {way}: {spent}", file=sys.stderr)
    return pd.DataFrame(costs).groupby(["way", "reports"], sort=False).median()


# --- what is printed --------------------------------------------------------------------------------------


def compared(costs: pd.DataFrame, few: int) -> pd.DataFrame:
    """Seconds for a report, how many times faster that is than the loops, and by how much slower than the floor."""
    reports = costs.index.get_level_values("reports")
    each = costs["seconds"] / reports
    floor = [each.get(("floor", count)) for count in reports]
    return pd.DataFrame(
        {
            "s a report": each,
            "of a processor": costs["processor"] / reports,
            LOOP: each.get(("loop", few), float("nan")) / each,
            LOOPS: each.get(("pair", few), float("nan")) / each,
            FLOOR: each / pd.Series(floor, each.index, dtype=float),
        }
    )


def scaled(costs: pd.DataFrame) -> pd.DataFrame:
    """What one of ours costs by their number: the start included, one more, and memory."""
    own = costs.loc["qyx"].sort_index()
    reports = own.index.to_series()
    return pd.DataFrame(
        {
            "s a report": own["seconds"] / reports,
            "s for one more": own["seconds"].diff() / reports.diff(),
            "peak MB, parent": own["parent"],
            "peak MB, largest child": own["child"],
        }
    )


def verdicts(case: Case, table: pd.DataFrame, few: int, many: int) -> list[str]:
    """Whether we are where we want to be: at least so many times a loop, at most so much of the floor."""
    lines = []
    for size, column, goal in case.goals:
        count = {"few": few, "many": many}[size]
        found = table[column].get(("qyx", count), float("nan"))
        reached = found <= goal if column == FLOOR else found >= goal
        sign, verdict = "<=" if column == FLOOR else ">=", "reached" if reached else "NOT reached"
        if found == found:
            lines.append(f"goal, {count} reports: {column} {sign} {goal:g}: {found:.2f}, {verdict}")
    return lines


def show(title: str, table: pd.DataFrame, lines: Sequence[str] = ()) -> None:
    print(f"\n{title}", table.to_string(float_format="{:.2f}".format, na_rep=""), *lines, sep="\n", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=12, help="of each way (default: 12)")
    parser.add_argument("--many", type=int, default=PROVINCE, help="of ours and the floor (default: 90)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the medians are told (default: 3)")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="default: all")
    parser.add_argument("--long", action="store_true", help=f"also what one of {LONG} costs")
    given = parser.parse_args(arguments)
    few, many, ways = given.reports, given.many, list(given.ways)
    packages = HERE / "peers-reports.txt"
    command = pip(sys.executable, "--no-deps", "--upgrade", "--target", PLOOMBER, "-r", packages)
    if "ploomber" in ways and not made(PLOOMBER, packages, command):
        ways.remove("ploomber")
    with tempfile.TemporaryDirectory() as name:
        reference, own = cases(Path(name))
        for case in (reference, own):
            plan = [(way, few) for way in ways if way in case.ways] + [(way, many) for way in ("qyx", "floor")]
            if case is reference:
                plan += [("qyx", FEW), ("qyx", LONG)][: 1 + given.long]
            costs = measure(case, dict.fromkeys(plan), given.rounds)
            table = compared(costs, few)
            show(
                case.name,
                table.rename(index={way: label for way, (label, _) in WAYS.items()}),
                verdicts(case, table, few, many),
            )
            show(f"{case.name}: what one costs by their number", scaled(costs))


if __name__ == "__main__":
    main()
