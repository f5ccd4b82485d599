"""Whether this machine has what the project needs, and what to do where it has not."""

from __future__ import annotations

import hashlib
import locale
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from qyx_analysis import __version__
from qyx_analysis.catalogue import message
from qyx_analysis.datapackage.loading import data_dir, load_targets
from qyx_analysis.files import is_address, project_dir, raw_dir, read_sources, without_password
from qyx_analysis.problems import DataError

_SAMPLE = "七优享≥"  # what every picture and every console line may need
_KERNEL, _SECONDS = "python3", 60


class Check(NamedTuple):
    """One thing looked at: whether it is as it should be, and what is to be said of it."""

    ok: bool
    key: str
    values: dict[str, Any]

    def text(self, lang: str) -> str:
        """What was found, or what is wrong and what to do, in ``lang``."""
        return message(f"doctor_{self.key}{'' if self.ok else '_bad'}", lang, **self.values)


def user_language() -> str:
    """``zh`` where the environment or the system speaks Chinese, else ``en``.

    >>> user_language() in ("zh", "en")
    True
    """
    told = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    said = next(filter(None, told), None) or locale.getlocale()[0] or ""
    return "zh" if said.lower().startswith(("zh", "chinese")) else "en"


def examine(data: object = None) -> Iterator[Check]:
    """Look at versions, fonts, the kernel, folders and data, one after the other.

    Parameters
    ----------
    data : path, optional
        Folder of the build, as in ``load_targets``.

    Yields
    ------
    Check
        One per thing looked at; none raises, be the machine as it may.
    """
    for look in (_versions, _console, _font, _kernel, _folders, _documents, lambda: _build(data)):
        yield from look()


def _versions() -> Iterator[Check]:
    yield Check(True, "version", {"version": __version__, "python": platform.python_version(), "system": sys.platform})
    from packaging.requirements import Requirement

    wrong = []
    try:
        asked = [Requirement(text) for text in metadata.requires("qyx-analysis") or []]
    except metadata.PackageNotFoundError:
        yield Check(False, "packages", {"wrong": "qyx-analysis"})
        return
    for need in asked:
        if need.marker is None or need.marker.evaluate({"extra": ""}):
            try:
                found = metadata.version(need.name)
            except metadata.PackageNotFoundError:
                found = "—"
            if found == "—" or not need.specifier.contains(found, prereleases=True):
                wrong.append(f"{need.name}{need.specifier} ({found})")
    yield Check(not wrong, "packages", {"n": len(asked), "wrong": ", ".join(wrong)})


def _console() -> Iterator[Check]:
    encoding = sys.stdout.encoding or "ascii"
    yield Check(_works(lambda: _SAMPLE.encode(encoding)) == "", "console", {"encoding": encoding})


def _font() -> Iterator[Check]:
    def drawable() -> None:
        from matplotlib.font_manager import FontProperties, findfont

        from qyx_analysis.figures.style import font_family, glyphs

        findfont(FontProperties(family=font_family()), fallback_to_default=False)
        missing = {ord(character) for character in _SAMPLE} - glyphs()
        if missing:
            raise ValueError(", ".join(map(chr, missing)))

    reason = _works(drawable)
    yield Check(not reason, "font", {"reason": reason})


def _kernel() -> Iterator[Check]:
    """A kernel is started as the reports do, and asked for this very package."""

    def answers() -> None:
        from jupyter_client.manager import KernelManager

        manager = KernelManager(kernel_name=_KERNEL, transport_encryption="auto")  # else each kernel warns on stderr
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=_SECONDS)
            code = "import qyx_analysis; assert qyx_analysis.__version__ == " + repr(__version__)
            reply = client.execute_interactive(code, timeout=_SECONDS, store_history=False, output_hook=lambda _: None)
            if reply["content"]["status"] != "ok":
                raise RuntimeError(f"{reply['content'].get('ename')}: {reply['content'].get('evalue')}")
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)

    reason = _works(answers)
    yield Check(not reason, "kernel", {"name": _KERNEL, "reason": reason})


def _folders() -> Iterator[Check]:
    for folder in (project_dir() / "data" / "processed", project_dir() / "reports"):
        existing = next(path for path in (folder, *folder.parents) if path.is_dir())

        def written(existing: Path = existing) -> None:
            with tempfile.TemporaryFile(dir=existing):
                pass

        reason = _works(written)
        yield Check(not reason, "folder", {"folder": str(folder), "reason": reason})


def _documents() -> Iterator[Check]:
    folder = raw_dir()
    try:
        sources = read_sources(folder)
    except DataError as error:
        yield Check(False, "documents", {"wrong": str(error.problems[0])})
        return
    wrong = [
        row.file
        for row in sources.itertuples()
        if not (folder / row.file).is_file()
        or hashlib.sha256((folder / row.file).read_bytes()).hexdigest() != row.sha256
    ]
    yield Check(not wrong, "documents", {"n": len(sources), "wrong": ", ".join(wrong)})


def _build(data: object) -> Iterator[Check]:
    try:
        targets = load_targets(data)
    except DataError as error:
        yield Check(False, "data", {"reason": str(error.problems[0])})
        return
    given = str(data or os.environ.get("QYX_DATA") or "")
    folder = without_password(given) if is_address(given) else str(data_dir(data))  # there it is a copy
    values = {"folder": folder, "regions": targets["region"].nunique(), "cells": len(targets)}
    yield Check(True, "data", values)


def _works(attempt: Callable[[], object]) -> str:
    """Empty where the attempt succeeds, else the reason in one line."""
    try:
        attempt()
    except Exception as error:  # whatever a broken machine can do
        return " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return ""
