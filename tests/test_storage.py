"""Builds and reports at addresses of storage: a real server that speaks S3, files that are renamed, and memory."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from made_reports import files_of, started, statuses
from nbformat.v4 import new_code_cell, new_output
from PIL import Image
from small_notebooks import small_notebooks

from qyx_analysis import cli
from qyx_analysis.datapackage import loading
from qyx_analysis.datapackage.building import build
from qyx_analysis.files import Folder, StoredFolder, folder_at, raw_dir, unfinished_name
from qyx_analysis.notebook.desk import open_desk
from qyx_analysis.problems import DataError
from qyx_analysis.reports import explain_reports, make_reports, making, runner

PATIENCE = 60.0  # seconds; a busy machine is not a fault of the code
PARAMETERS = """
region: str = "330213"
peers: str = ""
lang: str = "zh"
data_dir: str = ""
pictures: str = "2"
"""
COUNTIES = ["330213", "330282"]
PLANS = [raw_dir() / "cixi.txt", raw_dir() / "fenghua.txt"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build of two counties, so small that it can be written several times."""
    return Path(build(PLANS, tmp_path_factory.mktemp("data") / "processed").out)


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_notebooks(tmp_path_factory.mktemp("project") / "notebooks", PARAMETERS, "print(region)")


# --- storage ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that speaks S3, with a bucket, and its address where the client of S3 looks for it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with (tmp_path_factory.mktemp("server") / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(urllib.request.Request(f"{address}/bucket", method="PUT")).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.1)
        with pytest.MonkeyPatch.context() as environment:
            for name, value in {
                "AWS_ENDPOINT_URL": address,
                "AWS_ACCESS_KEY_ID": "reader",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_DEFAULT_REGION": "us-east-1",
            }.items():
                environment.setenv(name, value)
            yield address
    finally:
        process.kill()
        process.wait()


class Renaming(MemoryFileSystem):
    """Files that can be renamed, as those of a server are."""

    protocol = "renaming"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.removeprefix("renaming:"))

    def mv(self, old: str, new: str, **_: Any) -> None:
        assert Path(old).name.endswith(".part")
        self.store[new] = self.store.pop(old)


fsspec.register_implementation("renaming", Renaming)


@pytest.fixture(params=["memory", "renaming", pytest.param("s3", marks=pytest.mark.slow)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder that is not there yet, in three kinds of storage."""
    if request.param == "s3":
        request.getfixturevalue("server")
        return f"s3://bucket/{tmp_path.name}"
    return f"{request.param}://{tmp_path.name}"


def copied(address: str, folder: Path) -> Path:
    """The folder at an address, on this machine."""
    files, root = fsspec.url_to_fs(address)
    files.invalidate_cache()
    names = [name for name in files.find(root) if not files.isdir(name)]
    for name in names:
        path = folder / name.removeprefix(root).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files.cat_file(name))
    return folder


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """What is read and written as a whole, in its order."""
    said: list[tuple[str, list[str]]] = []
    read, write = StoredFolder.read, StoredFolder.write

    def reads(self: StoredFolder, names: Any) -> dict[str, bytes]:
        names = list(names)
        said.append(("read", names))
        return read(self, names)

    def writes(self: StoredFolder, files: Any) -> None:
        said.append(("write", list(files)))
        write(self, files)

    monkeypatch.setattr(StoredFolder, "read", reads)
    monkeypatch.setattr(StoredFolder, "write", writes)
    return said


# --- reports ----------------------------------------------------------------------------------------------


@pytest.fixture
def without_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each notebook has as many pictures as its parameter says, and nothing runs."""
    picture = io.BytesIO()
    Image.new("P", (4, 3)).save(picture, "PNG")
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"></svg>'
    forms = {"image/svg+xml-compressed": gzip.compress(svg, mtime=0), "image/png": picture.getvalue()}
    bundle = {mime: base64.b64encode(content).decode() for mime, content in forms.items()}

    def executed(notebook: Any, parameters: dict[str, Any], *_: object) -> Any:
        shown = [new_output("display_data", data=bundle) for _ in range(int(parameters.get("pictures", 2)))]
        notebook.cells.append(new_code_cell(outputs=shown, id="pictures"))
        return notebook

    monkeypatch.setattr(making, "execute", executed)
    monkeypatch.setattr(making, "_open_before", lambda *_: None)
    monkeypatch.setattr(runner, "in_processes", lambda work, tasks, *_: enumerate(map(work, tasks)))


def test_reports_at_an_address_are_those_of_a_folder(
    address: str, data: Path, notebooks: Path, tmp_path: Path, without_kernel: None
) -> None:
    asked: dict[str, Any] = {"data": data, "notebooks": notebooks, "quiet": True, "lang": "both"}
    for out in (tmp_path / "local", address):
        make_reports(out=out, **asked)
    far = copied(address, tmp_path / "copy")
    assert len(statuses(far)) == 6
    assert statuses(far) == statuses(tmp_path / "local")
    assert files_of(far) == files_of(tmp_path / "local")
    assert (far / "figures/330213-fenghua-2.zh.svg").is_file()

    again = make_reports(out=address, **asked)
    assert {outcome.status for outcome in again} == {"unchanged"}
    fewer = {"regions": COUNTIES[:1], "data": data, "notebooks": notebooks, "parameters": {"pictures": "1"}}
    assert explain_reports(out=address, **fewer) == [("330213-fenghua.zh.html", ["parameters"])]
    for out in (tmp_path / "local", address):
        make_reports(out=out, quiet=True, **fewer)
    far = copied(address, tmp_path / "copy again")
    assert files_of(far) == files_of(tmp_path / "local")
    assert not (far / "figures/330213-fenghua-2.zh.svg").exists()
    for entry in json.loads((far / "manifest.json").read_text(encoding="utf-8"))["reports"]:
        assert entry["sha256"] == hashlib.sha256((far / entry["file"]).read_bytes()).hexdigest()


def test_what_links_to_a_file_is_written_after_it_and_of_old_pages_only_the_ends_are_read(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: None, spoken: list[tuple[str, list[str]]]
) -> None:
    asked: dict[str, Any] = {"data": data, "out": f"memory://{tmp_path.name}", "notebooks": notebooks, "quiet": True}
    make_reports(COUNTIES, **asked)
    written = [names[0].partition("/")[0] for what, names in spoken if what == "write"]
    pages = ["330213-fenghua.zh.html", "330282-cixi.zh.html"]
    assert written[1:5] == ["figures", pages[0], "figures", pages[1]]  # after the name that tries whether it may write
    assert written[5:] == ["data", "data", "index.html", "manifest.json"]
    spoken.clear()
    assert [outcome.status for outcome in make_reports(COUNTIES, **asked)] == ["unchanged", "unchanged"]
    assert not [name for what, names in spoken for name in names if name in pages]


def test_a_page_that_the_manifest_does_not_know_has_its_own_checksum(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: None
) -> None:
    asked: dict[str, Any] = {"data": data, "out": f"memory://{tmp_path.name}", "notebooks": notebooks, "quiet": True}
    memory = fsspec.filesystem("memory")
    make_reports(COUNTIES, **asked)
    before = memory.cat_file(f"/{tmp_path.name}/manifest.json")
    make_reports(COUNTIES, force=True, **asked)
    memory.pipe_file(f"/{tmp_path.name}/manifest.json", before)  # as if that run had been killed just before its end
    make_reports(COUNTIES, **asked)
    entries = json.loads(memory.cat_file(f"/{tmp_path.name}/manifest.json"))["reports"]
    for entry in entries:
        page = memory.cat_file(f"/{tmp_path.name}/{entry['file']}")
        assert entry["sha256"] == hashlib.sha256(page).hexdigest()


@pytest.mark.slow
def test_a_killed_run_leaves_whole_pages_at_an_address_and_the_next_finishes_the_rest(
    server: str, data: Path, notebooks: Path, tmp_path: Path, without_kernel: None
) -> None:
    build(PLANS, f"s3://bucket/{data.parent.name}")
    asked: dict[str, Any] = {"data": f"s3://bucket/{data.parent.name}", "notebooks": notebooks, "lang": "both"}
    out = f"s3://bucket/{tmp_path.name}"
    run = started("making.execute = lambda notebook, *_: time.sleep(1) or notebook", out=out, **asked)
    there = StoredFolder(out)
    deadline = time.monotonic() + PATIENCE
    while len([name for name in there.sizes() if name.endswith(".html")]) < 2:
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    run.kill()
    run.wait()
    killed = copied(out, tmp_path / "killed")
    assert 2 <= len(list(killed.glob("*.html"))) < 6
    assert all(path.read_bytes().rstrip().endswith(b"</html>") for path in killed.glob("*.html"))
    assert not (killed / "manifest.json").exists()
    outcomes = make_reports(out=out, quiet=True, **asked)
    assert [outcome.status for outcome in outcomes].count("unchanged") >= 2
    assert set(statuses(copied(out, tmp_path / "finished"))) == {outcome.file for outcome in outcomes}


def test_what_a_killed_run_left_unfinished_is_removed_where_files_are_renamed(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    mine = unfinished_name("a.html")
    there = StoredFolder(f"renaming://{tmp_path.name}")
    for folder in ("", "figures/"):
        for name in (mine, mine.replace(f"~{os.getpid()}.", f"~{process.pid}.")):
            Renaming().pipe_file(f"/{tmp_path.name}/{folder}{name}", b"")
    there.prepare("figures")
    assert {name for folder in ("", "figures") for name, _ in there._list(folder)} == {mine, f"figures/{mine}"}


# --- builds -----------------------------------------------------------------------------------------------


def test_a_build_at_an_address_is_that_of_a_folder_and_is_read_like_it(
    address: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(PLANS, f"{address}/data/processed")
    assert files_of(copied(f"{address}/data/processed", tmp_path / "copy")) == files_of(data)
    for inside in ("", "/data", "/data/processed/"):
        assert loading.load_targets(address + inside).equals(loading.load_targets(data))
    assert open_desk("330213", data_dir=address).ambition.equals(open_desk("330213", data_dir=data).ambition)
    monkeypatch.setenv("QYX_DATA", address)
    assert loading.findings().equals(loading.findings(data))


def test_a_build_is_fetched_again_when_it_has_changed(
    data: Path, tmp_path: Path, spoken: list[tuple[str, list[str]]]
) -> None:
    out, memory = f"memory://{tmp_path.name}", fsspec.filesystem("memory")
    build([raw_dir() / "cixi.txt"], out)
    assert set(loading.load_targets(out)["region"]) == {"330282"}
    spoken.clear()
    assert set(loading.load_targets(out)["region"]) == {"330282"}
    assert spoken == [("read", ["datapackage.json"])]
    for path in data.iterdir():
        memory.pipe_file(f"/{tmp_path.name}/{path.name}", path.read_bytes())
    assert loading.load_targets(out).equals(loading.load_targets(data))


def test_a_build_that_is_being_replaced_is_not_read(data: Path, tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.put(str(data), f"/{tmp_path.name}", recursive=True)
    memory.pipe_file(f"/{tmp_path.name}/findings.csv", b"of another build")
    with pytest.raises(DataError, match=r"findings\.csv: .*being replaced"):
        loading.load_targets(f"memory://{tmp_path.name}")


def test_a_build_replaces_nothing_else_at_an_address(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file(f"/{tmp_path.name}/letter.txt", b"mine")
    with pytest.raises(DataError, match=r"letter\.txt.*choose an empty --out"):
        build(PLANS, f"memory://{tmp_path.name}")
    assert [Path(name).name for name in memory.find(f"/{tmp_path.name}")] == ["letter.txt"]


def test_a_build_that_was_killed_can_be_made_again(data: Path, tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    for name in ("findings.csv", "targets.parquet", unfinished_name("targets.csv")):
        memory.pipe_file(f"/{tmp_path.name}/{name}", b"")
    build(PLANS, f"memory://{tmp_path.name}")
    assert loading.load_targets(f"memory://{tmp_path.name}").equals(loading.load_targets(data))


def test_a_descriptor_cannot_write_elsewhere(tmp_path: Path) -> None:
    described = {"resources": [{"path": "../outside.csv", "hash": "sha256:0"}]}
    fsspec.filesystem("memory").pipe_file(f"/{tmp_path.name}/datapackage.json", json.dumps(described).encode())
    with pytest.raises(DataError, match="run qyx build again"):
        loading.load_targets(f"memory://{tmp_path.name}")


# --- addresses --------------------------------------------------------------------------------------------


def test_a_file_address_is_a_folder_of_this_machine(tmp_path: Path) -> None:
    for given in (tmp_path.as_uri(), tmp_path, str(tmp_path)):
        folder = folder_at(given)
        assert (type(folder), folder.path) == (Folder, tmp_path)


def line_of(capsys: pytest.CaptureFixture[str], *command: object) -> str:
    assert cli.main([str(part) for part in command]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize("option", ["--data", "--out"])
@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("nonsense://host/folder", "Protocol not known: nonsense"),
        ("gs://bucket/folder", r"gcsfs.*\[s3\]"),
        ("sftp://reader:secret@host/folder", r"^qyx: sftp://reader:\*\*\*@host/folder: .*paramiko"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_line(
    option: str, place: str, said: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    monkeypatch.setitem(sys.modules, "paramiko", None)
    folders = {"--data": str(data), "--out": str(tmp_path / "out")} | {option: place}
    line = line_of(capsys, "report", "330213", *(part for pair in folders.items() for part in pair))
    assert re.search(said, line) and "secret" not in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_bucket_or_a_build_that_is_not_there_is_one_line(
    server: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = line_of(capsys, "report", "330213", "--data", data, "--out", "s3://nobody/reports", "--quiet")
    assert line.startswith("qyx: s3://nobody/reports: ") and "does not exist" in line
    line = line_of(capsys, "report", "330213", "--data", "s3://bucket/nothing", "--out", tmp_path)
    assert line.startswith("qyx: s3://bucket/nothing: ") and "run qyx build" in line


def test_without_fsspec_the_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(DataError, match=r"fsspec.*\[s3\]"):
        loading.load_targets("s3://bucket/data")


def test_an_address_that_a_path_has_changed_is_refused() -> None:
    with pytest.raises(DataError, match="give it as text"):
        loading.load_targets(Path("s3://bucket/data"))


@pytest.mark.parametrize("complains", [True, False])
def test_a_server_that_does_not_rename_onto_a_file_loses_the_old_one_first(
    complains: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves = Renaming.mv

    def refuses(self: Renaming, old: str, new: str, **_: Any) -> None:
        if not self.exists(new):
            moves(self, old, new)
        elif complains:
            raise OSError("there is such a file")

    monkeypatch.setattr(Renaming, "mv", refuses)
    there = StoredFolder(f"renaming://{tmp_path.name}")
    for content in (b"old", b"new"):
        there.write({"a.html": content})
    assert there.read(there.sizes()) == {"a.html": b"new"}
