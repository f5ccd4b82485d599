"""What `qyx doctor` looks at, that it sees what is wrong, and that it speaks the user's language."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from qyx_analysis import doctor
from qyx_analysis.catalogue import message
from qyx_analysis.cli import main
from qyx_analysis.datapackage.building import build
from qyx_analysis.files import raw_dir


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return build([raw_dir()], tmp_path_factory.mktemp("doctor") / "data").out


def found(key: str, checks) -> doctor.Check:
    return next(check for check in checks if check.key == key)


@pytest.mark.slow
def test_this_machine_is_well_and_a_kernel_starts(data, capsys, monkeypatch):
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    assert main(["doctor", "--data", str(data)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("✓") for line in lines[:-1]) and lines[-1] == "all is well"
    assert any("kernel" in line for line in lines)


@pytest.mark.parametrize(
    ("variable", "value", "lang"),
    [("LC_ALL", "zh_CN.UTF-8", "zh"), ("LC_ALL", "en_US.UTF-8", "en"), ("LC_ALL", "C", "en"), ("LANG", "zh_TW", "zh")],
)
def test_language_of_the_user(monkeypatch, variable, value, lang):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    assert doctor.user_language() == lang


def test_language_of_windows(monkeypatch):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(doctor.locale, "getlocale", lambda: ("Chinese (Simplified)_China", "936"))
    assert doctor.user_language() == "zh"


def test_a_package_of_another_version_is_named(monkeypatch):
    real = metadata.version
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "0.1" if name == "pandas" else real(name))
    check = found("packages", doctor._versions())
    assert not check.ok and "pandas" in check.text("zh") and "0.1" in check.text("en")


def test_a_missing_package_is_named(monkeypatch):
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    assert "scipy" in found("packages", doctor._versions()).text("en")


def test_a_font_that_does_not_load_is_a_reason_and_no_traceback(monkeypatch):
    monkeypatch.setattr("qyx_analysis.figures.style.font_family", lambda: "No Such Family")
    check = found("font", doctor._font())
    assert not check.ok and "No Such Family" in check.text("en")


def test_a_kernel_that_is_not_there_is_a_reason(monkeypatch):
    monkeypatch.setattr(doctor, "_KERNEL", "no-such-kernel")
    check = found("kernel", doctor._kernel())
    assert not check.ok and "ipykernel" in check.text("zh")


def test_a_folder_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    def refuse(**_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor, "project_dir", lambda: tmp_path)
    assert [check.ok for check in doctor._folders()] == [True, True]
    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    checks = list(doctor._folders())
    assert [check.ok for check in checks] == [False, False] and "Permission denied" in checks[0].text("zh")


def test_a_changed_document_is_named(monkeypatch, tmp_path):
    for path in raw_dir().iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(doctor, "raw_dir", lambda: tmp_path)
    assert found("documents", doctor._documents()).ok
    (tmp_path / "cixi.txt").write_bytes(b"changed")
    (tmp_path / "zhuji.txt").unlink()
    check = found("documents", doctor._documents())
    assert not check.ok and "cixi.txt, zhuji.txt" in check.text("zh")


def test_without_data_the_command_ends_with_status_1(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(doctor, "_kernel", lambda: iter(()))  # looked at above; it takes seconds
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main(["doctor", "--data", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "✗" in out and out.splitlines()[-1] == "1 处有问题"


def test_every_check_has_words_for_both_outcomes():
    for key in ("packages", "console", "font", "kernel", "folder", "documents", "data"):
        for lang in ("zh", "en"):
            values = dict.fromkeys(("wrong", "n", "encoding", "reason", "name", "folder", "regions", "cells"), "x")
            assert message(f"doctor_{key}", lang, **values) != message(f"doctor_{key}_bad", lang, **values)
