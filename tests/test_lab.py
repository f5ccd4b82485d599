"""The analyst's desk: what `make lab` opens, driven as an analyst does, and what a kernel answers to Tab and `?`."""

from __future__ import annotations

import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from forms import csv_form

import qyx_analysis as qyx
from qyx_analysis.datapackage import building
from qyx_analysis.files import project_dir, raw_dir

pytestmark = pytest.mark.slow

SAMPLE = ("00-start.ipynb", "region-report.ipynb")  # test_notebooks.py runs each of them without JupyterLab
NAMES = [
    path.name if path.name in SAMPLE else pytest.param(path.name, marks=pytest.mark.soak)
    for path in sorted((project_dir() / "notebooks").glob("*.ipynb"))
]
PATIENCE = 120  # seconds that a busy machine may take
CELLS = """
const open = [...window.jupyterapp.shell.widgets('main')].find((widget) => widget.context?.path === arguments[0]);
const kernel = open?.context.sessionContext.session?.kernel;
return {
  idle: kernel?.status === 'idle' && open.context.isReady,
  cells: kernel ? open.content.model.sharedModel.toJSON().cells.filter((cell) => cell.cell_type === 'code') : [],
};
"""
COMMAND = "return window.jupyterapp.commands.execute(arguments[0], arguments[1]).then(() => true, String)"
# the debugger of JupyterLab asks a kernel that has just been restarted
HARMLESS = re.compile("Could not restore the debugger state")


def wait_for(answer: Callable[[], Any]) -> Any:
    """What ``answer`` gives as soon as that is something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := answer():
            return found
        time.sleep(0.2)
    raise TimeoutError


def of_make_lab() -> tuple[dict[str, str], list[str]]:
    """The environment and the options with which the Makefile starts JupyterLab."""
    command = ["make", "--no-print-directory", "-n", "lab"]  # which `make test` would have it print
    asked = subprocess.run(command, cwd=project_dir(), check=True, capture_output=True, encoding="utf-8")
    words = shlex.split(asked.stdout.replace("\\\n", " ").splitlines()[-1])
    start = next(at for at, word in enumerate(words) if word.endswith("jupyter"))
    return dict(word.split("=", 1) for word in words[:start]), words[start + 1 :]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[dict[str, Any]]:
    """JupyterLab as `make lab` starts it, but on a copy of the notebooks; gives its address, token and home."""
    before = files(project_dir() / "docs" / "lab")
    root = tmp_path_factory.mktemp("lab")
    shutil.copytree(project_dir() / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".*"))
    values = {"nursery_places": 4.2, "affordable_nursery_share": 61}
    form = csv_form(root, *(f"330213,{code},2023,{value},,synthetic," for code, value in values.items()))
    data = building.build([raw_dir()], root / "data", actuals=[form]).out
    settings, options = of_make_lab()
    own = {name: str(root / "state" / name) for name in settings if name != "JUPYTER_CONFIG_DIR"}
    project = os.pathsep.join(filter(None, (str(project_dir()), os.environ.get("PYTHONPATH"))))
    home = {"HOME": str(root / "home"), "PYTHONPATH": project, "QYX_DATA": str(data)}
    command = [sys.executable, "-m", "jupyter", *options, "--allow-root", "--no-browser", "--port=0"]
    with (root / "log").open("w", encoding="utf-8", newline="\n") as log:
        server = subprocess.Popen(
            [*command, "--LabApp.expose_app_in_browser=True"],
            cwd=root,
            env=os.environ | settings | own | home,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            told = Path(own["JUPYTER_DATA_DIR"]) / "runtime" / f"jpserver-{server.pid}.json"
            wait_for(lambda: told.is_file() or server.poll() is not None)
            assert server.poll() is None, (root / "log").read_text(encoding="utf-8")
            yield json.loads(wait_for(lambda: told.read_text(encoding="utf-8"))) | {"home": root / "home"}
        finally:
            browser.get("about:blank")  # a page that is left open would ask the server on and on
            server.terminate()
            server.wait(60)
    assert files(project_dir() / "docs" / "lab") == before  # its settings are for reading


def files(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.fixture(scope="module")
def opened(lab: dict[str, Any], browser: Any) -> str:
    """The notebook that JupyterLab opens with."""
    browser.get_log("browser")
    browser.get(f"{lab['url']}?token={lab['token']}")
    wait_for(lambda: browser.execute_script("return window.jupyterapp?.shell.currentWidget?.context?.isReady"))
    return browser.execute_script("return window.jupyterapp.shell.currentWidget.context.path")


def executed(browser: Any, name: str) -> list[dict[str, Any]]:
    """The code cells of a notebook after Run -> Restart Kernel and Run All Cells."""
    path = f"notebooks/{name}"
    assert browser.execute_script(COMMAND, "docmanager:open", {"path": path}) is True
    wait_for(lambda: browser.execute_script(CELLS, path)["idle"])
    browser.execute_script("window.jupyterapp.commands.execute('runmenu:restart-and-run-all')")
    wait_for(lambda: browser.find_elements("css selector", ".jp-Dialog .jp-mod-accept"))[0].click()
    return wait_for(lambda: finished(browser.execute_script(CELLS, path)))


def finished(state: dict[str, Any]) -> list[dict[str, Any]]:
    """The cells when the kernel rests and all have run, or one has failed."""
    failed = any(output["output_type"] == "error" for cell in state["cells"] for output in cell["outputs"])
    ran = all(cell["execution_count"] for cell in state["cells"])
    return state["cells"] if state["idle"] and (ran or failed) else []


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_restarts_and_runs_all_cells_without_error_or_warning(opened: str, browser: Any, name: str) -> None:
    cells = executed(browser, name)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert [output for output in outputs if output["output_type"] in ("error", "stream")] == []
    assert outputs


# --- after those ------------------------------------------------------------------------------------------


def test_the_desk_opens_with_the_guide_and_its_console_is_quiet(opened: str, browser: Any) -> None:
    assert opened == "notebooks/00-start.ipynb"
    errors = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [error for error in errors if not HARMLESS.search(error)] == []


def test_nothing_is_asked_and_nothing_is_left_in_the_home_folder(
    lab: dict[str, Any], opened: str, browser: Any
) -> None:
    assert not browser.find_elements("css selector", ".Toastify__toast, .jp-Dialog")
    left = [path.relative_to(lab["home"]) for path in lab["home"].rglob("*") if path.is_file()]
    assert not [path for path in left if path.parts[0] in (".jupyter", ".ipython") or "jupyter" in path.parts]


def test_a_picture_is_no_wider_than_its_cell(opened: str, browser: Any) -> None:
    browser.set_window_size(1100, 800)
    browser.execute_script(COMMAND, "docmanager:open", {"path": "notebooks/00-start.ipynb"})
    wide = "return [...document.querySelectorAll('.jp-RenderedSVG')].map((e) => e.scrollWidth - e.clientWidth)"
    found = wait_for(lambda: browser.execute_script(wide))
    assert max(found) == 0


# --- Tab and ? --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ask() -> Iterator[Callable[..., dict[str, Any]]]:
    """A kernel as a notebook's; ``ask("complete", "qyx.")`` is a press of Tab."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", transport_encryption="auto")
    client.execute_interactive("import qyx_analysis as qyx; targets = None", timeout=PATIENCE)

    def asked(what: str, code: str) -> dict[str, Any]:
        getattr(client, what)(code, len(code))
        return client.get_shell_msg(timeout=PATIENCE)["content"]

    yield asked
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_tab_lists_the_public_names_and_no_others(ask: Callable[..., dict[str, Any]]) -> None:
    matches = {match.removeprefix("qyx.") for match in ask("complete", "qyx.")["matches"]}
    assert matches == set(qyx.__all__)


@pytest.mark.parametrize("name", sorted(name for name in qyx.__all__ if name.startswith("plot_")))
def test_tab_inside_the_brackets_lists_the_keywords(ask: Callable[..., dict[str, Any]], name: str) -> None:
    matches = ask("complete", f"qyx.{name}(targets, ")["matches"]
    keywords = {"region", "domain", "lang"} & set(inspect.signature(getattr(qyx, name)).parameters)
    assert {f"{keyword}=" for keyword in keywords} <= set(matches)


@pytest.mark.parametrize("name", sorted(set(qyx.__all__) - {"DataError"}))
def test_a_question_mark_shows_the_defaults_and_an_example(ask: Callable[..., dict[str, Any]], name: str) -> None:
    shown = re.sub(r"\x1b\[[\d;]*m", "", ask("inspect", f"qyx.{name}")["data"]["text/plain"])
    assert ">>> " in shown
    if "lang" in shown.partition("Docstring:")[0]:
        assert re.search("lang: *'?str'? *= *'zh'", shown)


def test_a_mistake_is_the_own_line_and_what_is_wrong(ask: Callable[..., dict[str, Any]]) -> None:
    mistake = "qyx.plot_trajectory(\n  pd.DataFrame({'region': []}), domain='住有豪宅')"
    reply = ask("execute", f"import pandas as pd\n{mistake}")
    own, *problems = reply["traceback"]
    assert own == "----> 2 qyx.plot_trajectory("
    assert len(problems) == 1
    assert re.fullmatch(
        r"DataError: load_targets\(\): “domain, .*这里要的是.* / the frame of this function .*", problems[0]
    )
    reply = ask("execute", "%tb")  # with our inside, for whoever wants it
    assert reply["status"] == "ok"
