"""The house itself: imports along the line, a light import, set-up files in step, documentation in place."""

from __future__ import annotations

import ast
import doctest
import inspect
import json
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import qyx_analysis
from qyx_analysis.files import SOURCE_COLUMNS
from qyx_analysis.wings import WINGS

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "qyx_analysis"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# A module imports only from the rooms before its own. "wings" is the list of wings, which imports nothing of ours;
# the wings themselves come last, and each may import the whole core but no other wing.
LINE = [
    *("catalogue", "problems", "files", "engine", "cells", "names", "wings", "documents", "layouts"),
    *("tidy", "measures", "datapackage", "figures", "texts", "export", "notebook", "reports", "doctor"),
    *("wings.sentences", "wings.monitoring", "cli"),
]
OTHER_WINGS = {f"wings.{wing}" for wing in WINGS}  # what one wing may not import of another
HEAVY = {"scipy", "matplotlib", "seaborn", "papermill", "nbconvert"}
POSIX_ONLY = {"crypt", "fcntl", "grp", "nis", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return room_of(path.relative_to(PACKAGE).parts)


@pytest.fixture(scope="module")
def files_in_git() -> list[Path]:
    """What is committed or would be: everything that .gitignore does not leave out."""
    if not (ROOT / ".git").exists():
        pytest.skip("machine: not a git checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode("utf-8")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


# --- the line ---------------------------------------------------------------------------------------------


def imported_rooms(source: str, parts: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """The rooms that the source of ``qyx_analysis/<parts>`` imports, wherever in the file it does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ["qyx_analysis", *parts[:-1]][: len(parts) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name != "qyx_analysis.__version__" and name.split(".")[0] == "qyx_analysis":
                yield node.lineno, room_of(tuple(name.split(".")[1:]))


def room_of(parts: tuple[str, ...]) -> str:
    """The room of a module by the parts of its path: a wing is a room of its own."""
    first = parts[0].removesuffix(".py") if parts else ""
    wing = parts[1] if first == "wings" and len(parts) > 1 and parts[1] in WINGS else ""
    return f"wings.{wing}" if wing else first


def wrong_imports(source: str, parts: tuple[str, ...]) -> list[str]:
    own = room_of(parts)
    allowed = {*LINE[: LINE.index(own)], own}
    if own in OTHER_WINGS:
        allowed -= OTHER_WINGS - {own}
    found = imported_rooms(source, parts)
    return [f"{'/'.join(parts)}:{line} imports {name or 'the package'}" for line, name in found if name not in allowed]


def test_every_module_has_its_place_in_the_line() -> None:
    assert {room(path) for path in modules()} - {"__init__"} <= set(LINE)


def test_imports_point_back_along_the_line() -> None:
    wrong = [
        line
        for path in modules()
        if room(path) in LINE
        for line in wrong_imports(path.read_text(encoding="utf-8"), path.relative_to(PACKAGE).parts)
    ]
    assert wrong == []


def test_the_engine_knows_nothing_of_plans() -> None:
    """It imports no other room but the words for errors, and names none."""
    others = set(LINE) - {"engine", "catalogue", "problems", "files"}
    for path in (PACKAGE / "engine").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert {name for _, name in imported_rooms(source, path.relative_to(PACKAGE).parts)} <= {"engine", "problems"}
        assert not {name for name in re.findall(r"qyx_analysis\.(\w+)", source) if name in others}, path.name
    modules = [f"qyx_analysis.engine.{path.stem}" for path in (PACKAGE / "engine").glob("[a-z]*.py")]
    loaded = loaded_by(*(f"import {name}" for name in modules))
    ours = {name.split(".")[1] for name in loaded if name.startswith("qyx_analysis.")}
    assert ours == {"engine", "catalogue", "problems", "wings"}  # the package itself has the list of wings


@pytest.mark.parametrize(
    ("source", "parts", "right"),
    [
        ("from qyx_analysis import catalogue", ("names.py",), True),
        ("from qyx_analysis import __version__", ("catalogue", "__init__.py"), True),
        ("from qyx_analysis.measures.panel import panel", ("measures", "ambition.py"), True),
        ("from .panel import panel", ("measures", "ambition.py"), True),
        ("import pandas", ("names.py",), True),
        ("from qyx_analysis import cli", ("names.py",), False),
        ("from qyx_analysis import load_targets", ("figures", "paths.py"), False),
        ("import qyx_analysis", ("figures", "paths.py"), False),
        ("import qyx_analysis.figures", ("measures", "common.py"), False),
        ("from .. import figures", ("measures", "common.py"), False),
        ("from ..figures import plot", ("measures", "common.py"), False),
        ("def f():\n    from qyx_analysis.reports.html import page", ("texts", "tables.py"), False),
        ("from qyx_analysis.wings import wings", ("tidy", "reading.py"), True),
        ("from qyx_analysis.wings.sentences import grammar", ("tidy", "reading.py"), False),
        ("from qyx_analysis.reports import plan", ("wings", "monitoring", "joint.py"), True),
        ("from qyx_analysis.wings.sentences import desk", ("wings", "monitoring", "desk.py"), False),
    ],
)
def test_the_import_check_sees_every_form(source: str, parts: tuple[str, ...], right: bool) -> None:
    assert (wrong_imports(source, parts) == []) is right


# --- light, and at home on Windows ------------------------------------------------------------------------


def loaded_by(*statements: str) -> set[str]:
    """The modules in memory after the statements, run in a fresh interpreter."""
    program = "; ".join([*statements, "import sys; print(*sys.modules)"])
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, encoding="utf-8")
    return set(done.stdout.split())


def test_importing_the_package_is_about_as_light_as_importing_pandas() -> None:
    ours, pandas = loaded_by("import qyx_analysis"), loaded_by("import pandas")
    assert len(ours) <= 1.1 * len(pandas), sorted(ours - pandas)


def test_no_module_loads_pictures_statistics_or_notebooks_before_they_are_used() -> None:
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in modules()]
    # loaded when a figure is drawn, when papermill looks for engines, and when a kernel is started
    later = {"qyx_analysis.figures.picture", "qyx_analysis.engine.warm", "qyx_analysis.engine.kernel"}
    everything = [f"import {name}" for name in names if name not in later]
    lazily = f"[getattr(qyx_analysis, name) for name in {list(qyx_analysis.__all__)!r}]"
    assert HEAVY & loaded_by("import qyx_analysis", lazily, *everything) == set()


def unconditional(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports that run when the module is imported and that nothing guards."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.ClassDef | ast.With):
            yield from unconditional(node.body)


def posix_imports(source: str) -> set[str]:
    found: set[str] = set()
    for node in unconditional(ast.parse(source).body):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        found |= {name.split(".")[0] for name in names}
    return found & POSIX_ONLY


def test_no_module_needs_a_posix_system_to_be_imported() -> None:
    found = {path.relative_to(ROOT): posix_imports(path.read_text(encoding="utf-8")) for path in modules()}
    assert {path: names for path, names in found.items() if names} == {}
    assert posix_imports("import os, fcntl") == {"fcntl"}
    assert posix_imports("def limit():\n    import resource") == set()


def bare_text_files(source: str) -> list[str]:
    """Calls that open a text file without saying its encoding, or write one without its line ends."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name not in {"open", "fdopen", "read_text", "write_text"} or ast.unparse(node.func) == "Image.open":
            continue
        given = {keyword.arg for keyword in node.keywords}
        strings = [arg.value for arg in ast.walk(node) if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        modes = [text for text in strings if re.fullmatch(r"[rwxab+t]{1,3}", text)]
        if any("b" in mode for mode in modes):
            continue
        writes = name == "write_text" or any(set(mode) & set("wxa") for mode in modes)
        if "encoding" not in given or (writes and "newline" not in given):
            found.append(f"line {node.lineno}: {name}")
    return found


def test_encodings_and_line_ends_are_said_wherever_text_is_opened() -> None:
    ours = [*modules(), *ROOT.glob("docs/*.py"), *ROOT.glob("benchmarks/*.py")]
    found = {path.relative_to(ROOT): bare_text_files(path.read_text(encoding="utf-8")) for path in ours}
    assert {path: calls for path, calls in found.items() if calls} == {}
    assert bare_text_files("path.read_text()") and bare_text_files("path.write_text('a', encoding='utf-8')")
    assert bare_text_files("path.open('w', encoding='utf-8', newline='\\n'); path.open('rb')") == []


def test_ruff_watches_encodings_too() -> None:
    command = [sys.executable, *shlex.split("-m ruff check --output-format json --stdin-filename a.py -")]
    done = subprocess.run(command, cwd=ROOT, input='f = open("a")\n', capture_output=True, encoding="utf-8")
    assert "PLW1514" in {found["code"] for found in json.loads(done.stdout)}


# --- set-up files in step ---------------------------------------------------------------------------------


def requirements(lines: list[str]) -> dict[str, Requirement]:
    parsed = map(Requirement, lines)
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


def locked() -> list[Requirement]:
    return [Requirement(line) for line in text_of("requirements.lock").splitlines() if not line.startswith("#")]


def test_conda_environment_asks_for_what_the_project_asks_for() -> None:
    environment = yaml.safe_load(text_of("environment.yml"))
    assert (environment["name"], environment["channels"]) == ("qyx", ["conda-forge"])
    conda = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    (pip,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert "-e ." in pip
    assert f"python{PROJECT['requires-python']}" in conda and "pip" in conda
    asked = requirements([e for e in conda if not re.match(r"(python|pip)\b", e)] + [e for e in pip if e != "-e ."])
    declared = requirements(PROJECT["dependencies"])
    assert {n: r.specifier for n, r in asked.items()} == {n: r.specifier for n, r in declared.items()}


def test_lock_pins_one_version_of_each_package_and_names_no_address() -> None:
    for requirement in locked():
        assert requirement.url is None, requirement
        assert [clause.operator for clause in requirement.specifier] == ["=="], requirement
        assert "*" not in str(requirement.specifier), requirement
    assert "://" not in text_of("requirements.lock") and "--" not in text_of("requirements.lock")


def test_lock_satisfies_the_project() -> None:
    for extra in [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]:
        for name, requirement in requirements(extra).items():
            pins = [pin for pin in locked() if canonicalize_name(pin.name) == name]
            assert pins, f"{name} is not in requirements.lock"
            versions = [str(pin.specifier).removeprefix("==") for pin in pins]
            assert all(requirement.specifier.contains(version) for version in versions), (
                requirement,
                versions,
            )


def needed(requirement: Requirement, seen: set[tuple[str, str]]) -> None:
    """Collect what a requirement brings along on this machine, as the installed packages declare it."""
    for extra in {"", *requirement.extras}:
        key = (canonicalize_name(requirement.name), extra)
        if key in seen:
            continue
        seen.add(key)
        for text in metadata.requires(requirement.name) or []:
            other = Requirement(text)
            if other.marker is None or other.marker.evaluate({"extra": extra}):
                needed(other, seen)


def test_lock_holds_everything_that_is_installed_with_the_project() -> None:
    seen: set[tuple[str, str]] = set()
    for text in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]:
        needed(Requirement(text), seen)
    pinned = {canonicalize_name(pin.name) for pin in locked() if pin.marker is None or pin.marker.evaluate()}
    assert {name for name, _ in seen} <= pinned


def test_make_says_what_each_target_does() -> None:
    makefile = text_of("Makefile")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, flags=re.M)
    described = re.findall(r"^([a-z]+):.*## \S", makefile, flags=re.M)
    assert sorted(described) == sorted(phony.split())
    assert {"setup", "build", "reports", "lab", "test", "lint", "bench", "soak", "clean"} <= set(described)


def test_version_is_the_same_everywhere() -> None:
    assert PROJECT["version"] == qyx_analysis.__version__
    headings = re.findall(r"^## \[?([^\]\s]+)", text_of("CHANGELOG.md"), flags=re.M)
    assert PROJECT["version"] == headings[0]


def test_licence_is_the_declared_one() -> None:
    assert text_of("LICENSE").startswith(f"{PROJECT['license']} License")
    assert PROJECT["license-files"] == ["LICENSE"]


# --- what is in git ---------------------------------------------------------------------------------------


def test_no_file_names_a_registry_host_or_a_folder_of_one_machine(files_in_git: list[Path]) -> None:
    hosts = r"p[y]pi\.org|pythonh[o]sted|deb\.d[e]bian\.org|npmj[s]\.org|anac[o]nda\.(org|com)"
    folders = r"(?<![\w.])/(w[o]rk/(main|steering|shared|\.library)|r[o]ot/|h[o]me/\w|U[s]ers/\w)|\b[A-Z]:\\U[s]ers"
    named = re.compile(f"{hosts}|{folders}")
    assert named.search("see https://p" + "ypi.org/simple") and named.search("in /ro" + "ot/x")
    found = {}
    for path in files_in_git:
        match = named.search(path.read_bytes().decode("utf-8", errors="replace"))
        if match:
            found[str(path.relative_to(ROOT))] = match[0]
    assert found == {}


def unclean(notebook: dict[str, Any]) -> list[str]:
    """What running a notebook leaves in it."""
    found = ["papermill metadata"] if "papermill" in notebook["metadata"] else []
    for number, cell in enumerate(notebook["cells"], 1):
        if cell.get("outputs") or cell.get("execution_count") is not None:
            found.append(f"cell {number} was run")
        if "papermill" in cell["metadata"] or "execution" in cell["metadata"]:
            found.append(f"cell {number} has metadata of a run")
    return found


def test_notebooks_in_git_hold_nothing_of_a_run(files_in_git: list[Path]) -> None:
    notebooks = [path for path in files_in_git if path.suffix == ".ipynb"]
    expected = {"00-start", "10-trajectories", "20-ambition", "30-dispersion", "40-alignment", "50-monitoring"}
    expected |= {"briefing", "region-report"}
    assert expected <= {path.stem for path in notebooks if path.parent.name == "notebooks"}
    found = {path.name: unclean(json.loads(path.read_text(encoding="utf-8"))) for path in notebooks}
    assert {name: traces for name, traces in found.items() if traces} == {}


def test_pre_commit_strips_what_a_run_leaves_and_keeps_the_rest(tmp_path: Path) -> None:
    hooks = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"]
    (entry,) = (hook["entry"] for hook in hooks[0]["hooks"] if hook["id"] == "nbstripout")
    program, *arguments = shlex.split(entry)
    assert program == ".venv/bin/nbstripout"

    run = {"start_time": "2026-01-01", "duration": 0.1, "status": "completed"}
    cell = {
        "cell_type": "code",
        "id": "one",
        "source": "1 + 1",
        "metadata": {"tags": ["parameters"], "papermill": run, "execution": {"iopub.execute_input": "2026"}},
        "execution_count": 3,
        "outputs": [
            {
                "output_type": "execute_result",
                "execution_count": 3,
                "metadata": {},
                "data": {"text/plain": "2"},
            }
        ],
    }
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "cells": [cell],
        "metadata": {
            "kernelspec": kernel,
            "papermill": run,
            "language_info": {"name": "python", "version": "3.9"},
        },
    }
    assert len(unclean(notebook)) == 3
    path = tmp_path / "run.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8", newline="\n")
    subprocess.run([sys.executable, "-m", "nbstripout", *arguments, str(path)], check=True)

    stripped = json.loads(path.read_text(encoding="utf-8"))
    assert unclean(stripped) == []
    assert stripped["metadata"] == {"kernelspec": kernel, "language_info": {"name": "python"}}
    assert (stripped["cells"][0]["id"], stripped["cells"][0]["metadata"]) == ("one", {"tags": ["parameters"]})


# --- documentation ----------------------------------------------------------------------------------------


def public() -> dict[str, Any]:
    return {name: getattr(qyx_analysis, name) for name in qyx_analysis.__all__ if not name.startswith("__")}


def test_every_public_name_says_what_it_does_by_an_example() -> None:
    wanted = {"load_targets", "indicators", "regions", "findings", "trajectory", "ambition", "dispersion"}
    assert wanted <= set(public())
    examples = {
        name: doctest.DocTestParser().get_examples(inspect.getdoc(value) or "") for name, value in public().items()
    }
    assert [name for name, found in examples.items() if not found] == []


def test_public_names_are_no_modules_even_when_used_twice() -> None:
    """A function that is named like its module is replaced by it, once that module is imported."""
    public()
    assert [name for name, value in public().items() if inspect.ismodule(value)] == []


def test_data_page_has_the_columns_that_the_catalogue_declares() -> None:
    rewritten = runpy.run_path(str(ROOT / "docs" / "fields.py"))["with_columns"]
    page = text_of("docs/data.md")
    assert rewritten(page) == page, "run docs/fields.py"


def test_data_page_describes_every_file_and_column_that_people_may_edit() -> None:
    page = text_of("docs/data.md")
    described = re.findall(r"^\| `(\w+)` \|", page.partition("## data/processed")[0], flags=re.M)
    assert described == list(SOURCE_COLUMNS)
    rows = dict(re.findall(r"^\| `(\w+\.csv)` \| (.+)$", page.partition("## The catalogue")[2], flags=re.M))
    files = {path.name: path for path in (PACKAGE / "catalogue").glob("*.csv")}
    assert set(rows) == set(files)
    for name, path in files.items():
        header = path.read_text(encoding="utf-8-sig").partition("\n")[0].split(",")
        documented = re.findall(r"`(\w+)`", rows[name].split(" | ", 1)[1])
        assert [column for column in documented if column in header] == header, name


# --- the tests themselves ---------------------------------------------------------------------------------

SKIPPING = """
import pytest

def test_missing_tool():
    pytest.skip("no browser here")

def test_missing_folder():
    pytest.skip("machine: no shared folder")

@pytest.mark.xfail
def test_expected():
    raise ValueError
"""


@pytest.mark.parametrize(
    ("ci", "outcomes"),
    [("true", {"failed": 1, "skipped": 1, "xfailed": 1}), ("", {"skipped": 2, "xfailed": 1})],
)
def test_a_skip_fails_in_ci_unless_the_machine_is_the_reason(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, outcomes: dict[str, int]
) -> None:
    monkeypatch.setenv("CI", ci)
    pytester.makeconftest(text_of("tests/conftest.py"))
    pytester.makepyfile(SKIPPING)
    pytester.runpytest().assert_outcomes(**outcomes)


def test_a_module_that_is_skipped_fails_in_ci(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    pytester.makeconftest(text_of("tests/conftest.py"))
    pytester.makepyfile("import pytest; pytest.importorskip('no_such_module')")
    pytester.runpytest().assert_outcomes(errors=1)
