"""Many reports: side by side, only what has changed, and whole whatever happens to the run."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from made_reports import started
from nbclient.exceptions import CellTimeoutError
from small_notebooks import small_notebooks

from qyx_analysis.datapackage.building import build
from qyx_analysis.engine.processes import Lost, in_processes
from qyx_analysis.files import Folder, raw_dir, unfinished_name
from qyx_analysis.reports import explain_reports, make_reports, making, plan, runner
from qyx_analysis.reports.folder import ReportFolder
from qyx_analysis.reports.record import common_inputs

COUNTIES = ["330213", "330282", "330681", "330922"]
PARAMETERS = 'region: str = "330213"\npeers: str = ""\nlang: str = "zh"\ndata_dir: str = ""\nmode: str = ""'
CODE = """
import os, time
from qyx_analysis import load_targets
if mode == "die" and region == "330282": import ctypes, faulthandler; faulthandler.disable(); ctypes.string_at(0)
if mode == "die" and region == "330681": os.kill(os.getppid(), 9)
targets = load_targets(data_dir)
print(region, len(targets[targets["region"] == region]))
"""
HASTE = {"timeout": 60.0, "quiet": True}


@pytest.fixture(scope="session")
def data(four_plans_built: Path) -> Path:
    return four_plans_built


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, notebooks: Path) -> dict[str, Path]:
    """One county, and notebooks across counties that make its reports ten in two languages."""
    folder = tmp_path_factory.mktemp("small")
    shutil.copytree(notebooks, folder / "notebooks")
    for number in range(11, 14):
        shutil.copy(notebooks / "10-across.ipynb", folder / "notebooks" / f"{number}-across.ipynb")
    data = build([raw_dir() / "cixi.txt"], folder / "processed").out
    return {"data": Path(data), "notebooks": folder / "notebooks"}


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_notebooks(tmp_path_factory.mktemp("project") / "notebooks", PARAMETERS, CODE)


def pages(folder: Path) -> dict[str, str]:
    """The pages of a folder, without the times at which they were made."""
    times = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+]+|\d{4}年\d+月\d+日 \d\d:\d\d|\d+ [A-Z][a-z]+ \d{4} \d\d:\d\d")
    return {path.name: times.sub("", path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.html"))}


def beside(folder: Path) -> dict[str, bytes]:
    """What lies beside the pages, but for the manifest, which has times."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".html", ".json")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def manifest(folder: Path) -> dict[str, Any]:
    entries = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["reports"]
    return {entry["file"]: entry for entry in entries}


# --- processes --------------------------------------------------------------------------------------------


# What Python itself can do with an expression, so that a process need not import the tests.
WORK = """
__import__("os")._exit(7) if {0!r} == "end"
else __import__("os").kill(__import__("os").getpid(), 9) if {0!r} == "killed"
else __import__("time").sleep(600) if {0!r} == "hang"
else ({0!r}, print("what is printed does not disturb"), __import__("os").getpid(), __import__("sys").stdin.read())
"""


def expressions(*tasks: str) -> list[str]:
    return [" ".join(WORK.format(task).split()) for task in tasks]


def test_tasks_are_spread_over_so_many_processes_and_one_that_ends_or_hangs_is_lost() -> None:
    results = dict(in_processes(eval, expressions("a", "end", "b", "killed", "hang", "c"), 2, 4))
    assert {number: result for number, result in results.items() if isinstance(result, Lost)} == {
        1: Lost("exit status 7"),
        3: Lost("SIGKILL"),
        4: Lost(""),
    }
    done = [results[number] for number in (0, 2, 5)]
    assert [(task, read) for task, _, _, read in done] == [("a", ""), ("b", ""), ("c", "")]
    assert os.getpid() not in {process for _, _, process, _ in done}


def test_no_process_stays_when_the_results_are_not_awaited() -> None:
    results = in_processes(eval, expressions("a", "hang", "hang"), 2, 60)
    _, (_, _, process, _) = next(results)
    results.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


# --- a run ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="machine: no safe fork")
def test_a_report_that_dies_is_one_failed_line(data: Path, notebooks: Path, tmp_path: Path) -> None:
    """The kernel of one report dies, and the whole process of another."""
    given: dict[str, Any] = {"parameters": {"mode": "die"}, "jobs": 1, **HASTE}
    outcomes = make_reports(COUNTIES[:3], data=data, out=tmp_path, notebooks=notebooks, **given)
    assert [outcome.status for outcome in outcomes] == ["made", "failed", "failed"]
    for outcome, said in zip(outcomes[1:], ("SIGSEGV", "SIGKILL"), strict=True):
        assert said in outcome.reason and "\n" not in outcome.reason
        entry = manifest(tmp_path)[outcome.file]
        assert (entry["status"], entry["reason"], entry["sha256"]) == ("failed", outcome.reason, "")
    assert set(pages(tmp_path)) == {"330213-fenghua.zh.html", "index.html"}


@pytest.mark.parametrize("within", [True, False])
def test_a_report_that_hangs_is_one_failed_line(
    within: bool, data: Path, notebooks: Path, tmp_path: Path, without_kernel: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time is over in a cell of the notebook, or for the process that makes the report."""

    def stopped(*_: object) -> None:
        raise CellTimeoutError("it hangs")

    if within:
        monkeypatch.setattr(making, "execute", stopped)
    else:
        monkeypatch.setattr(
            runner, "in_processes", lambda work, tasks, *_: ((n, Lost("")) for n, _ in enumerate(tasks))
        )
    (outcome,) = make_reports(COUNTIES[:1], data=data, out=tmp_path, notebooks=notebooks, **HASTE)
    assert outcome.status == "failed" and "60 s" in outcome.reason and "--timeout" in outcome.reason


def test_progress_is_a_line_for_each_report_when_nobody_watches(
    data: Path, notebooks: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], without_kernel: None
) -> None:
    make_reports(COUNTIES[:2], data=data, out=tmp_path, notebooks=notebooks)
    assert [line.split()[:2] for line in capfd.readouterr().err.splitlines()] == [
        ["1/2", "330213-fenghua.zh.html"],
        ["2/2", "330282-cixi.zh.html"],
    ]
    make_reports(COUNTIES, data=data, out=tmp_path, notebooks=notebooks, quiet=True)
    assert capfd.readouterr().err == ""


# --- only what has changed --------------------------------------------------------------------------------


@pytest.fixture
def without_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "execute", lambda notebook, *_: notebook)
    monkeypatch.setattr(making, "_open_before", lambda *_: None)
    monkeypatch.setattr(runner, "in_processes", lambda work, tasks, *_: enumerate(map(work, tasks)))
    monkeypatch.setattr(runner, "write_tables", lambda *_: None)


def test_a_report_that_cannot_be_written_is_one_failed_line(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: None
) -> None:
    (tmp_path / "330282-cixi.zh.html").mkdir()  # as a page that another program holds
    outcomes = make_reports(COUNTIES[:3], data=data, out=tmp_path, notebooks=notebooks, **HASTE)
    assert [outcome.status for outcome in outcomes] == ["made", "failed", "made"]
    assert "330282-cixi.zh.html: " in outcomes[1].reason and "cannot be written" in outcomes[1].reason


def edited(data: Path, folder: Path, table: str, region: str, column: str, value: str) -> Path:
    """A copy of a build in which one cell of one county's is another."""
    import pandas as pd

    shutil.copytree(data, folder)
    frame = pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False)
    frame.loc[frame.index[frame["region"] == region][0], column] = value
    frame.to_csv(folder / f"{table}.csv", index=False, lineterminator="\n")
    return folder


ALL = {"330213", "330282", "330681", "330922", "10-across"}


@pytest.mark.parametrize(
    ("peers", "cells"),
    [
        (
            "",
            [
                ("targets", "value", ALL),  # the others show it beside their own
                ("targets", "locator", {"330213", "10-across"}),
                ("targets", "raw", {"330213", "10-across"}),
                ("findings", "severity", {"330213", "10-across"}),
            ],
        ),
        ("330681,330922", [("targets", "value", {"330213"})]),  # none of the others compares with it
    ],
)
def test_a_changed_cell_makes_those_reports_again_that_can_show_it(
    peers: str, cells: list[tuple[str, str, set[str]]], data: Path, notebooks: Path, tmp_path: Path,
    without_kernel: None,
) -> None:  # fmt: skip
    asked: dict[str, Any] = {"out": tmp_path / "out", "notebooks": notebooks, "peers": peers}
    first = make_reports(data=data, **HASTE, **asked)
    assert {outcome.status for outcome in first} == {"made"}
    for table, column, stale in cells:
        newer = edited(data, tmp_path / f"{table}-{column}", table, "330213", column, "0.123")
        said = [reasons for _, reasons in explain_reports(data=newer, **asked)]
        assert said == [["data"] if outcome.name in stale else [] for outcome in first]
    outcomes = make_reports(data=newer, **HASTE, **asked)
    assert {outcome.name for outcome in outcomes if outcome.status == "made"} == stale


def test_whatever_else_a_report_is_made_from_makes_it_stale(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "notebooks"
    shutil.copytree(notebooks, own)
    asked: dict[str, Any] = {"regions": COUNTIES[:2], "data": data, "out": tmp_path / "out", "notebooks": own}

    def said(**others: Any) -> list[list[str]]:
        return [reasons for _, reasons in explain_reports(**asked | others)]

    make_reports(**HASTE, **asked)
    assert said() == [[], []]
    assert said(parameters={"mode": "other"}) == [["parameters"]] * 2
    common = common_inputs()
    for part in common:
        with monkeypatch.context() as patched:
            patched.setattr(plan, "common_inputs", lambda part=part: common | {part: "another"})
            assert said() == [[part]] * 2
    assert set(common) == {"code", "packages", "font"}
    page = tmp_path / "out" / "330213-fenghua.zh.html"
    page.write_bytes(page.read_bytes()[:-200])
    assert said() == [["page"], []]
    assert [outcome.status for outcome in make_reports(**HASTE, **asked)] == ["made", "unchanged"]
    (own / "region-report.ipynb").write_bytes((own / "region-report.ipynb").read_bytes() + b"\n")
    assert said() == [["notebook"]] * 2
    assert [outcome.status for outcome in make_reports(**HASTE, **asked)] == ["made", "made"]


def test_the_index_says_of_an_unchanged_report_that_it_shows_the_data_of_now(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: None
) -> None:
    make_reports(data=data, out=tmp_path / "out", notebooks=notebooks, **HASTE)
    newer = edited(data, tmp_path / "newer", "targets", "330213", "locator", "line 999")
    outcomes = make_reports(data=newer, out=tmp_path / "out", notebooks=notebooks, **HASTE)
    assert [outcome.status for outcome in outcomes] == ["made", "unchanged", "unchanged", "unchanged", "made"]
    assert 'class="note stale"' not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_the_manifest_lists_every_report_with_what_it_is_made_from(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: None
) -> None:
    asked: dict[str, Any] = {"data": data, "out": tmp_path, "notebooks": notebooks, **HASTE}
    made = {outcome.file: outcome for outcome in make_reports(**asked)}
    entries = manifest(tmp_path)
    assert set(entries) == set(made) == {path.name for path in tmp_path.glob("[0-9]*.html")}
    there = ReportFolder(tmp_path)
    for file, entry in entries.items():
        assert (entry["status"], entry["reason"]) == ("made", "")
        assert entry["inputs"] == there.inputs(file) and not there.changed(file, entry["inputs"])
        assert entry["made"] == there.heads[file]["made"]
        assert entry["sha256"] == hashlib.sha256((tmp_path / file).read_bytes()).hexdigest()
    assert {outcome.status for outcome in make_reports(**asked)} == {"unchanged"}
    assert manifest(tmp_path) == {file: entry | {"status": "unchanged"} for file, entry in entries.items()}
    assert {outcome.status for outcome in make_reports(COUNTIES[0], force=True, **asked)} == {"made"}
    again = manifest(tmp_path)
    assert [file for file, entry in again.items() if entry["made"] != entries[file]["made"]] == list(again)[1:2]


# --- many -------------------------------------------------------------------------------------------------

PEAK = """
import re, sys
from pathlib import Path
from qyx_analysis.reports import make_reports
if __name__ == "__main__":
    data, notebooks, out = sys.argv[1:]
    assert all(outcome.ok for outcome in make_reports(data=data, notebooks=notebooks, out=out, jobs=2, quiet=True))
    print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text("ascii"))[1])
"""


@pytest.mark.soak
def test_a_run_takes_no_more_memory_for_more_reports(data: Path, tmp_path: Path) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("machine: does not tell the peak of a process")
    notebooks = small_notebooks(tmp_path / "notebooks", PARAMETERS, 'print(("x" * 99 + "\\n") * 10_000)')  # 1 MB
    peaks = []
    for last in (10, 99):
        for number in range(11, last + 1):
            shutil.copy(notebooks / "10-across.ipynb", notebooks / f"{number}-across.ipynb")
        command = [sys.executable, "-c", PEAK, str(data), str(notebooks), str(tmp_path / str(last))]
        done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, encoding="utf-8", check=True)
        peaks.append(int(done.stdout))
    assert len(list((tmp_path / "99").glob("[0-9]*.html"))) == 94
    assert peaks[1] - peaks[0] < 20_000, peaks  # of 89 MB that are made more


# --- a run that is cut short ------------------------------------------------------------------------------


def assert_whole(out: Path) -> None:
    for path in out.glob("*.html") if out.is_dir() else ():
        assert path.read_bytes().rstrip().endswith(b"</html>"), path.name
    assert set(ReportFolder(out).heads) == {path.name for path in out.glob("[0-9]*.html")}


def kill_at_random_moments(small: dict[str, Path], folder: Path, kills: int) -> None:
    """Kill runs of ten reports, some from the beginning, then let one finish: nothing tells it from another."""
    chance = random.Random(kills)
    undisturbed, out = folder / "undisturbed", folder / "killed"
    asked: dict[str, Any] = small | {"lang": "both"}
    began = time.monotonic()
    assert started(out=undisturbed, **asked).wait() == 0
    longest = time.monotonic() - began
    assert len(pages(undisturbed)) == 10 + 2  # of each language an index
    for _ in range(kills):
        run = started(out=out, **asked)
        time.sleep(chance.uniform(longest / 2, longest))
        run.kill()
        run.wait()
        assert_whole(out)
        if chance.random() < 0.5:
            shutil.rmtree(out, ignore_errors=True)
    assert started(out=out, **asked).wait() == 0
    assert pages(out) == pages(undisturbed)
    assert beside(out) == beside(undisturbed)
    assert set(manifest(out)) == set(manifest(undisturbed))


@pytest.mark.slow
def test_a_killed_run_leaves_whole_pages_and_the_next_finishes_the_rest(small: dict[str, Path], tmp_path: Path) -> None:
    kill_at_random_moments(small, tmp_path, kills=1)


@pytest.mark.soak
def test_fifty_kills(small: dict[str, Path], tmp_path: Path) -> None:
    kill_at_random_moments(small, tmp_path, kills=50)


def test_what_a_killed_process_left_unfinished_is_removed(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    own = unfinished_name("a.html")
    dead = own.replace(f"~{os.getpid()}.", f"~{process.pid}.")
    (tmp_path / "figures").mkdir()
    for name in (own, dead, f"figures/{dead}", "letter.part"):
        (tmp_path / name).touch()
    Folder(tmp_path).prepare()
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {own, "letter.part"}


@pytest.mark.slow
def test_two_runs_in_one_folder_leave_the_pages_of_either(small: dict[str, Path], tmp_path: Path) -> None:
    asked: dict[str, Any] = small | {"out": tmp_path / "both"}
    runs = [started(lang=lang, **asked) for lang in ("zh", "both")]
    assert [run.wait() for run in runs] == [0, 0]
    assert_whole(tmp_path / "both")
    assert len(manifest(tmp_path / "both")) == 10
    assert not list((tmp_path / "both").glob(".*"))


def test_a_full_disk_is_named(small: dict[str, Path], tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="machine: no limits on the size of files")
    before = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))"
    asked: dict[str, Any] = small | {"regions": ["330282"], "out": tmp_path / "out"}
    run = started(before, stderr=subprocess.PIPE, **asked)
    last = run.communicate()[1].decode("utf-8").splitlines()[-1]
    assert run.returncode == 1 and "File too large" in last and "DataError" in last
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []
