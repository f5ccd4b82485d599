"""Many reports: side by side, only what has changed, and whole whatever happens to the run."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from small_notebooks import small_notebooks

from qyx_analysis import raw
from qyx_analysis.datapackage.building import build
from qyx_analysis.reports import execution, explain_reports, make_reports, plan, runner
from qyx_analysis.reports.pool import Lost, in_processes
from qyx_analysis.reports.record import changed, common_inputs, recorded

COUNTIES = ["330213", "330282", "330681", "330922"]
PARAMETERS = 'region: str = "330213"\npeers: str = ""\nlang: str = "zh"\ndata_dir: str = ""\nmode: str = ""'
CODE = """
import os, time
from qyx_analysis import load_targets
if mode == "hang" and region == "330282": time.sleep(600)
if mode == "segfault" and region == "330282": import ctypes, faulthandler; faulthandler.disable(); ctypes.string_at(0)
if mode == "kill" and region == "330282": os.kill(os.getpid(), 9)
if mode == "slow": time.sleep(0.2)
targets = load_targets(data_dir)
print(region, len(targets[targets["region"] == region]))
"""
HASTE = {"timeout": 60.0, "quiet": True}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build([raw.raw_dir()], tmp_path_factory.mktemp("data") / "processed").out


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


def work(task: Any) -> Any:
    if task == "end":
        os._exit(7)
    if task == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "hang":
        time.sleep(600)
    return task, os.getpid()


@pytest.fixture
def forking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is a fork it is used, whatever threads other tests have left."""
    if sys.platform in ("win32", "darwin"):
        pytest.skip("machine: no safe fork")
    monkeypatch.setattr("qyx_analysis.reports.pool.can_fork", lambda: True)


def test_tasks_are_spread_over_so_many_processes(forking: None) -> None:
    results = dict(in_processes(work, range(20), 3, 60))
    assert [results[number][0] for number in range(20)] == list(range(20))
    assert 1 <= len({process for _, process in results.values()}) <= 3
    assert os.getpid() not in {process for _, process in results.values()}


def test_a_process_that_ends_or_hangs_is_one_lost_task(forking: None) -> None:
    results = dict(in_processes(work, ["a", "end", "b", "killed", "hang", "c"], 2, 3))
    assert {number: result for number, result in results.items() if isinstance(result, Lost)} == {
        1: Lost("exit status 7"),
        3: Lost("SIGKILL"),
        4: Lost(""),
    }
    assert [results[number][0] for number in (0, 2, 5)] == ["a", "b", "c"]


def test_no_process_stays_when_the_results_are_not_awaited(forking: None) -> None:
    results = in_processes(work, ["a", "hang", "hang"], 2, 60)
    _, (_, process) = next(results)
    results.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_processes_that_cannot_be_forked_are_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qyx_analysis.reports.pool.can_fork", lambda: False)
    results = dict(in_processes(abs, [-1, -2], 2, 120))
    assert results == {0: 1, 1: 2}


# --- a run ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "said"), [("hang", "--timeout"), ("segfault", "SIGSEGV"), ("kill", "SIGKILL")])
def test_a_report_that_hangs_or_dies_is_one_failed_line(
    mode: str, said: str, data: Path, notebooks: Path, tmp_path: Path
) -> None:
    given = {"parameters": {"mode": mode}, "timeout": 6.0 if mode == "hang" else 60.0, "quiet": True}
    outcomes = make_reports(COUNTIES[:3], data=data, out=tmp_path, notebooks=notebooks, **given)
    assert [outcome.status for outcome in outcomes] == ["made", "failed", "made"]
    assert said in outcomes[1].reason and "\n" not in outcomes[1].reason
    assert set(pages(tmp_path)) == {"330213-fenghua.zh.html", "330681-zhuji.zh.html", "index.html"}
    entry = manifest(tmp_path)["330282-cixi.zh.html"]
    assert (entry["status"], entry["reason"], entry["sha256"]) == ("failed", outcomes[1].reason, "")


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
    monkeypatch.setattr(execution, "execute", lambda notebook, parameters, timeout: notebook)
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
    ("table", "column", "peers", "stale"),
    [
        ("targets", "value", "", ALL),  # the others show it beside their own
        ("targets", "value", "330681,330922", {"330213"}),  # none of the others compares with it
        ("targets", "locator", "", {"330213", "10-across"}),
        ("targets", "raw", "", {"330213", "10-across"}),
        ("findings", "severity", "", {"330213", "10-across"}),
    ],
)
def test_a_changed_cell_makes_those_reports_again_that_can_show_it(
    table: str, column: str, peers: str, stale: set[str], data: Path, notebooks: Path, tmp_path: Path,
    without_kernel: None,
) -> None:  # fmt: skip
    asked = {"out": tmp_path / "out", "notebooks": notebooks, "peers": peers}
    first = make_reports(data=data, **HASTE, **asked)
    assert {outcome.status for outcome in first} == {"made"}
    newer = edited(data, tmp_path / "newer", table, "330213", column, "0.123")
    said = [reasons for _, reasons in explain_reports(data=newer, **asked)]
    outcomes = make_reports(data=newer, **HASTE, **asked)
    assert {outcome.name for outcome in outcomes if outcome.status == "made"} == stale
    assert said == [["data"] if outcome.name in stale else [] for outcome in outcomes]


@pytest.mark.parametrize("part", ["notebook", "parameters", "code", "packages", "font", "page"])
def test_whatever_else_a_report_is_made_from_makes_it_stale(
    part: str, data: Path, notebooks: Path, tmp_path: Path, without_kernel: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "notebooks"
    shutil.copytree(notebooks, own)
    asked: dict[str, Any] = {"regions": COUNTIES[:2], "data": data, "out": tmp_path / "out", "notebooks": own}
    make_reports(**HASTE, **asked)
    assert [reasons for _, reasons in explain_reports(**asked)] == [[], []]
    common = common_inputs()
    if part == "notebook":
        (own / "region-report.ipynb").write_bytes((own / "region-report.ipynb").read_bytes() + b"\n")
    elif part == "parameters":
        asked["parameters"] = {"mode": "other"}
    elif part == "page":
        page = tmp_path / "out" / "330213-fenghua.zh.html"
        page.write_bytes(page.read_bytes()[:-200])
    else:
        monkeypatch.setattr(plan, "common_inputs", lambda: common | {part: "another"})
    expected = [[part], []] if part == "page" else [[part], [part]]
    assert [reasons for _, reasons in explain_reports(**asked)] == expected
    made = [outcome.status == "made" for outcome in make_reports(**HASTE, **asked)]
    assert made == [bool(reasons) for reasons in expected]


def test_the_index_says_of_an_unchanged_report_that_it_shows_the_data_of_now(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: None
) -> None:
    make_reports(data=data, out=tmp_path / "out", notebooks=notebooks, **HASTE)
    newer = edited(data, tmp_path / "newer", "targets", "330213", "locator", "line 999")
    outcomes = make_reports(data=newer, out=tmp_path / "out", notebooks=notebooks, **HASTE)
    assert [outcome.status for outcome in outcomes] == ["made", "unchanged", "unchanged", "unchanged", "made"]
    assert 'class="note stale"' not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_force_makes_all_again(data: Path, notebooks: Path, tmp_path: Path, without_kernel: None) -> None:
    asked: dict[str, Any] = {"data": data, "out": tmp_path, "notebooks": notebooks, **HASTE}
    make_reports(**asked)
    assert {outcome.status for outcome in make_reports(**asked)} == {"unchanged"}
    assert {outcome.status for outcome in make_reports(force=True, **asked)} == {"made"}


def test_ninety_unchanged_reports_are_left_as_they_are(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: None
) -> None:
    import pandas as pd

    from qyx_analysis import catalogue

    codes = catalogue.regions().query("level == 'county'")["code"]
    shutil.copytree(data, tmp_path / "many")
    for path in (tmp_path / "many").glob("*.csv"):
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        if "region" in table:
            one = table[table["region"] == "330213"]
            many = pd.concat([one.assign(region=code) for code in codes])
            many.to_csv(path, index=False, lineterminator="\n")
    asked: dict[str, Any] = {"data": tmp_path / "many", "out": tmp_path / "out", "notebooks": notebooks, **HASTE}
    assert len(make_reports(**asked)) == 91
    assert {outcome.status for outcome in make_reports(**asked)} == {"unchanged"}


def test_the_manifest_lists_every_report_with_what_it_is_made_from(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: None
) -> None:
    make_reports(data=data, out=tmp_path, notebooks=notebooks, **HASTE)
    entries = manifest(tmp_path)
    assert set(entries) == {path.name for path in tmp_path.glob("[0-9]*.html")}
    for file, entry in entries.items():
        assert (entry["status"], entry["reason"]) == ("made", "")
        assert entry["inputs"] == recorded(tmp_path / file)
        assert not changed(tmp_path / file, entry["inputs"])
    before = entries["10-across.zh.html"]
    make_reports(data=data, out=tmp_path, notebooks=notebooks, **HASTE)
    assert manifest(tmp_path)["10-across.zh.html"] == before | {"status": "unchanged"}


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


def started(data: Path, notebooks: Path, out: Path) -> subprocess.Popen[bytes]:
    program = (
        "import sys; from qyx_analysis.reports import make_reports; "
        "data, notebooks, out = sys.argv[1:4]; "
        "make_reports(data=data, notebooks=notebooks, out=out, jobs=2, timeout=60, lang='both', quiet=True)"
    )
    command = [sys.executable, "-c", program, str(data), str(notebooks), str(out)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[1])


def assert_whole(out: Path) -> None:
    for path in out.glob("*.html") if out.is_dir() else ():
        assert path.read_bytes().rstrip().endswith(b"</html>"), path.name
        assert recorded(path) or path.name.startswith("index")


def kill_at_random_moments(data: Path, notebooks: Path, folder: Path, kills: int) -> None:
    """Kill runs of twenty reports, some from the beginning, then let one finish: nothing tells it from another."""
    chance = random.Random(kills)
    undisturbed, out, many = folder / "undisturbed", folder / "killed", folder / "notebooks"
    shutil.copytree(notebooks, many)
    for number in range(11, 16):
        shutil.copy(notebooks / "10-across.ipynb", many / f"{number}-across.ipynb")
    began = time.monotonic()
    assert started(data, many, undisturbed).wait() == 0
    longest = time.monotonic() - began
    assert len(pages(undisturbed)) == 20 + 2  # of each language an index
    for _ in range(kills):
        run = started(data, many, out)
        time.sleep(chance.uniform(0, longest))
        run.kill()
        run.wait()
        assert_whole(out)
        if chance.random() < 0.5:
            shutil.rmtree(out, ignore_errors=True)
    assert started(data, many, out).wait() == 0
    assert pages(out) == pages(undisturbed)
    assert beside(out) == beside(undisturbed)
    assert set(manifest(out)) == set(manifest(undisturbed))


@pytest.mark.slow
def test_a_killed_run_leaves_whole_pages_and_the_next_finishes_the_rest(
    data: Path, notebooks: Path, tmp_path: Path
) -> None:
    kill_at_random_moments(data, notebooks, tmp_path, kills=2)


@pytest.mark.soak
def test_fifty_kills(data: Path, notebooks: Path, tmp_path: Path) -> None:
    kill_at_random_moments(data, notebooks, tmp_path, kills=50)


def test_what_a_killed_process_left_unfinished_is_removed(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    mark = raw._writer()
    own, dead = (f".a.html.{mark.partition('~')[0]}~{number}.x.part" for number in (os.getpid(), process.pid))
    for name in (own, dead, "letter.part"):
        (tmp_path / name).touch()
    raw.remove_stale(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {own, "letter.part"}


@pytest.mark.slow
def test_two_runs_in_one_folder_leave_the_pages_of_either(data: Path, notebooks: Path, tmp_path: Path) -> None:
    runs = [started(data, notebooks, tmp_path / "both") for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    assert_whole(tmp_path / "both")
    assert len(manifest(tmp_path / "both")) == 10
    assert not list((tmp_path / "both").glob(".*"))


def test_a_full_disk_is_named(data: Path, notebooks: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="machine: no limits on the size of files")
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); "
        "from qyx_analysis.reports import make_reports; data, notebooks, out = sys.argv[1:4]; "
        "make_reports(['330213'], data=data, notebooks=notebooks, out=out, quiet=True)"
    )
    assert resource
    command = [sys.executable, "-c", program, str(data), str(notebooks), str(tmp_path / "out")]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, encoding="utf-8")
    assert "File too large" in done.stderr.splitlines()[-1]
    assert "DataError" in done.stderr.splitlines()[-1]
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []
