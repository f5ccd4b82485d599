"""The warm engine: what a notebook sees is the same as with the ordinary one, and nothing is left for the next."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError
from plans import four_plans
from synthetic_actuals import fill

from qyx_analysis.datapackage.building import build
from qyx_analysis.engine.warm import WarmEngine, why_not_forked
from qyx_analysis.files import raw_dir
from qyx_analysis.wings.monitoring.forms import actuals_form

papermill_engines.register("qyx-warm", WarmEngine)  # as its entry point does, of whichever copy is under test
PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}
NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
REPORT = Path(__file__).parents[1] / "notebooks" / "region-report.ipynb"
FORKS = hasattr(os, "fork") and sys.platform != "darwin"
needs_fork = pytest.mark.skipif(not FORKS, reason="machine: no safe fork")

# Cells of which each shows one thing that engines have got wrong. `#!` marks those that are to fail.
TORTURE = """
print("out"); print("err", file=__import__("sys").stderr); print("out again")
---
import sys, os, time
sys.stdout.write("no line end"); sys.stdout.flush(); time.sleep(0.3); print(" and its end")
---
for part in range(3):
    print(f"\\r{part} of 3", end="")
print("\\rdone  \\nback\\b\\b\\b\\bforth")
---
1 + 1
---
1 + 1;
---
_ + 1, Out[4], In[4], __name__, sys.modules["__main__"].__dict__ is globals()
---
from IPython.display import HTML, JSON, Image, Markdown, clear_output, display, update_display
handle = display(HTML("<b>1</b>"), display_id="it")
display("same id", display_id="it")
handle.update(HTML("<b>2</b>"))
---
update_display(Markdown("**from another cell**"), display_id="it", metadata={"text/markdown": {"a": 1}})
---
print("gone"); display("gone"); clear_output(); print("stays")
---
for part in range(3):
    clear_output(wait=True); print(part)
    display({"text/plain": str(part), "application/json": {"a": [1, None]}}, raw=True)
---
print("nothing follows"); clear_output(wait=True)
---
!echo "from a shell $((40 + 2))"; echo "its error" >&2
---
%%bash
echo "from bash"; echo "to stderr" >&2
---
%%bash
exit 3
#!
---
files = !echo one; echo two
files, _exit_code
---
%env QYX_TORTURE=1
---
%%capture captured
print("kept"); display("kept too")
---
captured.show(); captured.stdout
---
%%html
<i>markup</i>
---
%who str
---
%no_such_magic
#!
---
import asyncio
await asyncio.sleep(0.01)
background = asyncio.create_task(asyncio.sleep(0.01, "late"))
---
await background
---
async def numbers():
    for number in range(3): yield number
---
asyncio.run(asyncio.sleep(0))
#!
---
async with asyncio.timeout(5):
    print([n async for n in numbers()])
---
import threading
thread = threading.Thread(target=lambda: print("from a thread")); thread.start(); thread.join()
---
import subprocess
subprocess.run(["echo", "captured"], capture_output=True, text=True)
---
import warnings, logging
warnings.warn("once"); warnings.warn("old", DeprecationWarning); logging.warning("logged"); logging.info("not shown")
---
import matplotlib.pyplot as plt
plt.plot([1, 2, 3], [2, 1, 3]); plt.title("shown by itself");
---
plt.rcParams["lines.linewidth"], plt.get_backend(), plt.get_fignums()
---
figure, axes = plt.subplots(figsize=(2, 1)); axes.plot([1, 3]); plt.show(); print("after"); figure
---
%config InlineBackend.figure_formats = ["png"]
%matplotlib inline
plt.figure(figsize=(1, 1)).text(0.5, 0.5, "x"); display(plt.gcf()); plt.close()
---
import pandas as pd
pd.DataFrame({"a": [1.5, None], "b": ["x", "y"]})
---
pd.DataFrame({"a": [1, 2]}).style.set_uuid("t").format("{:.1f}")
---
class Rich:
    def _repr_html_(self): raise ValueError("cannot be shown")
    def __repr__(self): return "plain"
Rich()
#!
---
class Bundle:
    def _repr_mimebundle_(self, **_):
        return {"text/plain": "b", "image/png": b"\\x89PNG"}, {"image/png": {"alt": "what"}}
Bundle()
---
JSON({"nan": float("nan"), "deep": [{"x": (1, 2)}]})
---
input("refused: ")
#!
---
__import__("getpass").getpass()
#!
---
def outer(): return inner()
def inner(): return {}["missing"]
try: outer()
except KeyError as error: raise RuntimeError("chained") from error
#!
---
if True print("no syntax")
#!
---
    unexpected = 1
  indent = 2
#!
---
raise KeyboardInterrupt
#!
---
raise SystemExit(3)
#!
---
print("before the error"); display("shown"); 1 / 0
#!
---
assert False, "文字"
#!
---
import pickle
class Kept: pass
type(pickle.loads(pickle.dumps(Kept()))) is Kept
---
from multiprocessing import current_process, parent_process, get_context
current_process().name, current_process().daemon, parent_process()
---
worker = get_context("fork").Process(target=lambda: print("from a process"))
worker.start(); worker.join(); worker.exitcode
---
os.path.basename(os.getcwd()), sys.stdin.read(), len(sys.argv) > 0, sys.flags.interactive, sys.path.count("")
---
print("x" * 100_000)
---
for number in range(2000): print(number, "汉字 ≥ ▲ 🙂")
---
get_ipython().set_next_input("more"); get_ipython().run_cell("print('nested'); 5");
---
len?
---
from IPython.core.magic import register_line_magic
@register_line_magic
def mine(line): return line.upper()
%mine text
---
help(len)
---
"the last one"
"""


def cells(text: str) -> list[Any]:
    made = []
    for source in text.strip("\n").split("\n---\n"):
        fails = source.endswith("\n#!")
        cell = new_code_cell(re.sub(r"\n#!$", "", source))
        cell.metadata["tags"] = ["raises-exception"] if fails else []
        made.append(cell)
    return made


def notebook(text: str) -> Any:
    return new_notebook(cells=cells(text), metadata={"kernelspec": PYTHON})


WHOLE: Any = {"coalesce_streams": True}  # any kernel sends a print in one or two parts, as its clock has it


def executed(source: Any, engine: str | None = "qyx-warm", **options: Any) -> Any:
    options = {"progress_bar": False, "shutdown_kernel": "immediate"} | options
    return papermill.execute_notebook(nbformat.from_dict(source), None, engine_name=engine, **options)


def saved(source: Any, path: Path, engine: str | None = "qyx-warm") -> Any:
    """The notebook as papermill leaves it on disk, also when cells have failed."""
    with contextlib.suppress(PapermillExecutionError):
        papermill.execute_notebook(nbformat.from_dict(source), path, engine_name=engine, progress_bar=False, **WHOLE)
    return nbformat.read(path, as_version=4)


def seen(done: Any) -> list[tuple[str, int | None, str]]:
    """What a reader can see, but for memory addresses and the process's number in the names of files."""
    ours = re.compile(r"0x[0-9a-f]{6,}|ipykernel_\d+")
    code = [cell for cell in done.cells if cell.cell_type == "code"]
    return [(cell.source, cell.execution_count, ours.sub("·", json.dumps(cell.outputs))) for cell in code]


def outside_pytest(statement: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a statement on this module in a process of its own: pytest changes how warnings and output are seen."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    program = f"import sys; sys.path.insert(0, sys.argv[1]); import test_engine as tests; {statement}"
    command = [sys.executable, "-c", program, str(Path(__file__).parent), *arguments]
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)


# --- the same ---------------------------------------------------------------------------------------------


@pytest.mark.slow
@needs_fork
def test_a_torture_notebook_has_the_outputs_of_the_ordinary_kernel(tmp_path: Path) -> None:
    paths = [str(tmp_path / engine) for engine in ("qyx-warm", "nbclient")]
    statement = "[tests.saved(tests.notebook(tests.TORTURE), path, path.split('/')[-1]) for path in sys.argv[2:]]"
    with outside_pytest(statement, *paths) as process:
        assert process.wait(timeout=300) == 0
    warm, cold = (seen(nbformat.read(path, as_version=4)) for path in paths)
    different = [(ours, theirs) for ours, theirs in zip(warm, cold, strict=True) if ours != theirs]
    assert different == []
    assert warm[-1][1] == len(warm) == TORTURE.count("\n---\n") + 1  # all of it was run


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    form = folder / "form.xlsx"  # without actual values two notebooks show nothing
    form.write_bytes(fill(actuals_form(four_plans(), "330213", ["2023", "2024"]), seed=1))
    return build([raw_dir()], folder / "processed", actuals=[form]).out


def same_with_either_kernel(path: Path, parameters: dict[str, str]) -> bool:
    warm, cold = (
        papermill.execute_notebook(path, None, parameters, engine_name=engine, progress_bar=False, **WHOLE)
        for engine in ("qyx-warm", "nbclient")
    )
    outputs = [output for cell in warm.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs) or path.stem == "briefing"
    return seen(warm) == seen(cold)


@pytest.mark.slow
def test_a_county_report_shows_the_same_byte_for_byte(data: Path, forkable: Callable[..., Any]) -> None:
    assert forkable(same_with_either_kernel, REPORT, {"data_dir": str(data), "lang": "en"})


@pytest.mark.soak
@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_every_notebook_shows_the_same_byte_for_byte(path: Path, data: Path, forkable: Callable[..., Any]) -> None:
    assert forkable(same_with_either_kernel, path, {"data_dir": str(data), "lang": "zh"})


@needs_fork
def test_a_figure_is_shown_whatever_the_process_before_has_drawn(tmp_path: Path) -> None:
    drawn = "import matplotlib_inline.backend_inline, matplotlib.pyplot as plt; plt.plot([1]); "
    cell = "import matplotlib.pyplot as plt; plt.plot([1, 2]); print(plt.get_fignums())"
    path = tmp_path / "done.ipynb"
    statement = f"{drawn}tests.saved(tests.notebook({cell!r}), sys.argv[2])"
    with outside_pytest(statement, str(path)) as process:
        assert process.wait(timeout=120) == 0
    said, shown = nbformat.read(path, as_version=4).cells[-1].outputs
    assert said.text == "[1]\n"
    assert "image/png" in shown.data


# --- nothing left over ------------------------------------------------------------------------------------

CHANGES = """
import os, random, sys, logging, warnings, builtins, json
import numpy as np, pandas as pd, matplotlib
left = "a variable"; json.left = 1; builtins.left = 1; sys.path.append("left"); os.environ["LEFT"] = "1"; os.chdir("/")
matplotlib.rcParams["lines.linewidth"] = 99; pd.set_option("display.max_rows", 1); np.random.seed(1); random.seed(1)
warnings.simplefilter("error"); logging.basicConfig(level=0); sys.modules["left"] = sys; os.umask(0o777)
"""
LOOKS = """
import os, random, sys, logging, warnings, builtins, json
import numpy as np, pandas as pd, matplotlib
print(globals().get("left"), hasattr(json, "left"), hasattr(builtins, "left"), os.environ.get("LEFT"), os.getcwd())
print(matplotlib.rcParams["lines.linewidth"], pd.get_option("display.max_rows"), logging.root.handlers, sys.path)
print("left" in sys.modules, os.umask(0), [entry[0] for entry in warnings.filters if entry[2] is Warning])
---
print(np.random.get_state()[1][:5], random.random())
"""


def test_a_notebook_finds_nothing_of_the_one_before(forkable: Callable[..., Any]) -> None:
    before, _, after = (forkable(executed, notebook(text)) for text in (LOOKS, CHANGES, LOOKS))
    assert seen(after)[0] == seen(before)[0]
    assert seen(after)[1] != seen(before)[1]  # and random numbers are new ones


def grown(times: int) -> float:
    """By how many MB this process grows when it runs a notebook with an output of two megabytes so many times."""
    from resource import RUSAGE_SELF, getrusage

    def run(count: int) -> int:
        for _ in range(count):
            executed(notebook("print('x' * 2_000_000)"))
        return getrusage(RUSAGE_SELF).ru_maxrss

    return (-run(3) + run(times)) / 1024


def test_a_process_keeps_its_size_however_many_notebooks_it_runs(forkable: Callable[..., Any]) -> None:
    assert forkable(grown, 9) < 6  # of 18


def test_an_error_is_the_notebooks_own_with_its_traceback(forkable: Callable[..., Any]) -> None:
    with pytest.raises(PapermillExecutionError) as caught:
        forkable(executed, notebook("def share(of): return 1 / of\n---\nshare(0)"))
    assert (caught.value.ename, caught.value.cell_index) == ("ZeroDivisionError", 1)
    assert re.sub(r"\x1b\[[\d;]*m", "", caught.value.traceback[-2]).startswith("Cell In[1], line 1, in share(of)")


def alive(path: Path) -> list[int]:
    """Those of the processes whose numbers a notebook has written down that still run."""
    numbers = [int(number) for number in path.read_text(encoding="utf-8").split()]
    states = [Path(f"/proc/{number}/stat") for number in numbers]
    running = [state for state in states if state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"]
    return [int(state.parent.name) for state in running]


STARTS = """
import os, subprocess, time
started = subprocess.Popen(["sleep", "600"])
open({path!r}, "w").write(f"{{os.getpid()}} {{started.pid}}");
"""


def test_a_hanging_cell_ends_after_its_time_with_all_that_it_started(
    tmp_path: Path, forkable: Callable[..., Any]
) -> None:
    path = tmp_path / "pids"
    with pytest.raises(CellTimeoutError):
        forkable(executed, notebook(STARTS.format(path=str(path)) + "while True: pass"), execution_timeout=1)
    assert alive(path) == []


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("import ctypes, faulthandler; faulthandler.disable(); ctypes.string_at(0)", "SIGSEGV"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        ("import os; os._exit(3)", "exit status 3"),
    ],
)
def test_a_kernel_that_dies_says_how(code: str, end: str, forkable: Callable[..., Any]) -> None:
    with pytest.raises(DeadKernelError, match=end):
        forkable(executed, notebook(code))


def test_what_a_notebook_asked_for_at_its_exit_is_done(tmp_path: Path, forkable: Callable[..., Any]) -> None:
    code = f"import atexit, tempfile; kept = tempfile.TemporaryDirectory(dir={str(tmp_path)!r})\n"
    forkable(
        executed,
        notebook(code + f"atexit.register(open({str(tmp_path / 'bye')!r}, 'w').write, 'bye');"),
        shutdown_kernel="graceful",
    )
    assert {path.name for path in tmp_path.iterdir()} == {"bye"}


@needs_fork
def test_interrupting_papermill_leaves_no_process(tmp_path: Path) -> None:
    path, source = tmp_path / "pids", tmp_path / "in.ipynb"
    nbformat.write(notebook(STARTS.format(path=str(path)) + "time.sleep(600)"), source)
    with outside_pytest("tests.executed(tests.nbformat.read(sys.argv[2], 4))", str(source)) as process:
        for _ in range(600):
            if path.exists() and len(path.read_text(encoding="utf-8").split()) == 2:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    assert process.returncode != 0
    assert alive(path) == []


def test_the_bar_that_papermill_shows_does_not_keep_its_process_from_being_forked(forkable: Callable[..., Any]) -> None:
    asked = notebook("import sys; 'qyx_analysis.engine.kernel' in sys.modules")
    done = forkable(executed, asked, progress_bar=True)
    assert done.cells[0].outputs[0].data["text/plain"] == "True"


# --- where it cannot be -----------------------------------------------------------------------------------


def test_an_ordinary_kernel_takes_over_and_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    other.start()
    try:
        done = executed(notebook("6 * 7"))
    finally:
        stop.set()
        other.join()
    assert done.cells[0].outputs[0].data["text/plain"] == "42"
    assert "an ordinary kernel runs this notebook: this process has threads," in caplog.text


@pytest.mark.parametrize(("name", "value"), [("platform", "win32"), ("platform", "darwin")])
def test_no_fork_on_windows_and_macos(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, name, value)
    assert value in why_not_forked("python3")


def test_the_entry_point_names_the_engine() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (value,) = project["entry-points"]["papermill.engine"].values()
    engine = EntryPoint("qyx-warm", value, "papermill.engine").load()
    assert engine.execute_notebook == WarmEngine.execute_notebook


def test_the_engine_is_loaded_when_it_is_asked_for_and_not_by_everyone_who_imports_papermill() -> None:
    statement = (
        "import papermill, sys; from qyx_analysis.engine import qyx_warm; "
        "print('qyx_analysis.engine.warm' in sys.modules); print(qyx_warm.execute_notebook.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", statement], capture_output=True, encoding="utf-8")
    assert done.stdout.split() == ["False", "execute_notebook"], done.stderr
