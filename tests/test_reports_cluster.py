"""Reports made on a Dask cluster: a real scheduler and workers, also when one of them is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec
import psutil
import pytest
from made_reports import files_of, statuses
from small_notebooks import small_notebooks

from qyx_analysis import cli
from qyx_analysis.engine.cluster import on_cluster
from qyx_analysis.engine.processes import Lost
from qyx_analysis.problems import DataError
from qyx_analysis.reports import make_reports

ROOT = Path(__file__).parents[1]
PATIENCE = 60.0  # seconds; a busy machine is not a fault of the code
PARAMETERS = 'region: str = "330213"\npeers: str = ""\nlang: str = "zh"\ndata_dir: str = ""\nflag: str = ""'
# The first report that finds no flag sets it, tells which processes it is in, and waits for ever.
CODE = """
import os, time
from pathlib import Path
import matplotlib.pyplot as plt
from qyx_analysis import load_targets
if flag and not Path(flag).exists():
    Path(flag).write_text(f"{os.getpid()} {os.getppid()} .", encoding="utf-8", newline="")
    time.sleep(600)
targets = load_targets(data_dir)
print(region, lang, len(targets[targets["region"] == region]))
plt.plot([1, 2, len(region)]);
"""


@pytest.fixture(scope="session")
def data(four_plans_built: Path) -> Path:
    return four_plans_built


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_notebooks(tmp_path_factory.mktemp("project") / "notebooks", PARAMETERS, CODE)


# --- a cluster --------------------------------------------------------------------------------------------


def started(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    """A process of the cluster, whose log is in the folder; it finds this library."""
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    with (folder / f"{len(list(folder.iterdir()))}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env=os.environ | {"PYTHONPATH": paths}, stderr=log
        )


def until(true: Any, folder: Path) -> None:
    """Wait for what processes bring about; if they do not, their logs say why."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "\n".join(
            path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("*.log")
        )
        time.sleep(0.05)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler, a folder with the logs, and two workers; none of their processes stays."""
    folder = tmp_path_factory.mktemp("cluster")
    address = folder / "scheduler.json"
    where = ("--host", "127.0.0.1", "--scheduler-file", str(address), "--no-dashboard")
    processes = [started(folder, "distributed.cli.dask_scheduler", "--port", "0", *where)]
    try:
        until(address.exists, folder)
        for _ in range(2):
            worker = (*where, "--no-nanny", "--nthreads", "1", "--local-directory", str(folder))
            processes.append(started(folder, "distributed.cli.dask_worker", *worker))
        yield json.loads(address.read_text(encoding="utf-8"))["address"], folder, processes[1:]
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


# What Python itself can do with an expression, so that a worker need not import the tests.
WORK = """
__import__("os")._exit(7) if task == "end"
else __import__("time").sleep(600) if task == "hang"
else (print("what is printed does not disturb"), task, __import__("os").getpid(), __import__("sys").stdin.read())
"""


# --- one worker of the two is lost, so the tests are in this order -----------------------------------------


def test_tasks_go_to_the_workers_and_one_that_ends_or_hangs_is_lost(
    cluster: tuple[str, Path, list[subprocess.Popen[bytes]]],
) -> None:
    tasks = [{"task": task} for task in ("a", "end", "b", "hang", "c", "d")]
    results = dict(on_cluster(eval, " ".join(WORK.split()), tasks, cluster[0], 5.0))
    assert {number: result for number, result in results.items() if isinstance(result, Lost)} == {
        1: Lost("exit status 7"),
        3: Lost(""),
    }
    done = [results[number] for number in (0, 2, 4, 5)]
    assert [(task, read) for _, task, _, read in done] == [("a", ""), ("b", ""), ("c", ""), ("d", "")]
    assert not {process for *_, process, _ in done} & {worker.pid for worker in cluster[2]}


@pytest.mark.slow
def test_a_worker_lost_in_the_middle_changes_nothing_also_at_an_address(
    cluster: tuple[str, Path, list[subprocess.Popen[bytes]]], data: Path, notebooks: Path, tmp_path: Path
) -> None:
    address, logs, workers = cluster
    flag = tmp_path / "flag"
    flag.touch()
    asked: dict[str, Any] = {"regions": ["330213", "330282"], "data": data, "notebooks": notebooks, "quiet": True}
    asked["parameters"] = {"flag": str(flag)}
    make_reports(out=tmp_path / "local", jobs=1, **asked)
    flag.unlink()
    with ThreadPoolExecutor() as thread:
        run = thread.submit(make_reports, out="memory://cluster", scheduler=address, **asked)
        until(lambda: run.done() or (flag.exists() and flag.read_text(encoding="utf-8").endswith(".")), logs)
        kernel, beside = map(int, flag.read_text(encoding="utf-8").split()[:2])
        parents = {parent.pid for parent in psutil.Process(kernel).parents()}
        (lost,) = [worker for worker in workers if worker.pid in parents]
        lost.kill()
        lost.wait()
        assert [outcome.status for outcome in run.result(PATIENCE)] == ["made", "made"]
    if sys.platform == "linux":  # elsewhere they end with the report
        until(lambda: not psutil.pid_exists(kernel) and not psutil.pid_exists(beside), logs)
    fsspec.filesystem("memory").get("/cluster", str(tmp_path / "far"), recursive=True)
    assert statuses(tmp_path / "far") == statuses(tmp_path / "local")
    assert files_of(tmp_path / "far") == files_of(tmp_path / "local")


def test_a_worker_with_another_library_is_refused(
    cluster: tuple[str, Path, list[subprocess.Popen[bytes]]],
    data: Path,
    notebooks: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from qyx_analysis.reports import plan

    monkeypatch.setattr(plan, "common_inputs", lambda: {"code": "", "packages": "", "font": ""})
    with pytest.raises(DataError, match=r"library or catalogue, .*versions of packages, .*font") as refused:
        make_reports(["330213"], data=data, notebooks=notebooks, out=tmp_path, quiet=True, scheduler=cluster[0])
    assert len(refused.value.problems) == 1 and "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


# --- no cluster -------------------------------------------------------------------------------------------


def test_a_scheduler_that_does_not_answer_is_one_line(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("qyx_analysis.engine.cluster._ANSWER", 0.2)
    command = ["report", "330213", "--data", str(data), "--out", str(tmp_path), "--quiet", "--scheduler"]
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        assert cli.main([*command, address]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"qyx: {address}: ") and "dask scheduler" in line


def test_without_distributed_the_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DataError, match=r"\[dask\]"):
        next(on_cluster(eval, "task", [{"task": "a"}], "tcp://127.0.0.1:8786", 1.0))
