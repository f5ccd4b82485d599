"""The folder that reports are in, here or at an address of storage: what its files are called, are, and say.

A page carries the checksums of its inputs in its own head: page and record are one file, written at once, so that no
interruption can part them. ``manifest.json`` is written from the pages at the end of a run, for other programs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

from qyx_analysis import names
from qyx_analysis.files import folder_at
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.wings import wings

TABLES, FIGURES, MANIFEST = "data", "figures", "manifest.json"
_ENDS = 4000  # bytes of a page in which its head, and its end, are found
_META = re.compile(r'<meta name="qyx-(\w+)" content="([^"]*)">')
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_FIGURE = re.compile(rf"{FIGURES}/(?P<stem>.+)-(?P<number>\d+)\.(?P<lang>\w+)\.(?P<form>svg|png)")

Figures = dict[int, dict[str, str]]  # number -> form -> file


@dataclass(frozen=True)
class Outcome:
    """What became of one report: its ``file`` in the folder and, if it failed, the ``reason`` in one line.

    ``lang`` is empty where there is none: what failed before there was a report to make. ``unchanged``: the page of an
    earlier run was left, for it would be the same.
    """

    name: str
    title: str
    file: str
    ok: bool
    reason: str = ""
    seconds: float = 0.0
    lang: str = ""
    unchanged: bool = False

    @property
    def status(self) -> str:
        """``made``, ``unchanged`` or ``failed``."""
        return "failed" if not self.ok else "unchanged" if self.unchanged else "made"


# --- names ------------------------------------------------------------------------------------------------


def report_file(stem: str, lang: str) -> str:
    """The file of a report in a language.

    >>> report_file("10-trajectories", "en"), report_file(region_stem("330213"), "zh")
    ('10-trajectories.en.html', '330213-fenghua.zh.html')
    """
    return f"{stem}.{lang}.html"


def region_stem(code: str) -> str:
    """What the names of all files of a county's report begin with."""
    return f"{code}-{names.region_slug(code)}"


def is_report(file: str) -> bool:
    """Whether a file of the folder is called as a report is.

    >>> is_report("330213-fenghua.zh.html"), is_report("briefing-all.en.html"), is_report("index.en.html")
    (True, True, False)
    """
    prefixes = tuple(kind.prefix for wing in wings() for kind in wing.kinds.values())
    return file.endswith(".html") and (file[0].isdigit() or file.startswith(prefixes))


def figure_file(stem: str, number: int, lang: str, form: str) -> str:
    """The file of a report's figure; figures count from 1.

    >>> figure_file("330213-fenghua", 2, "zh", "svg")
    'figures/330213-fenghua-2.zh.svg'
    """
    return f"{FIGURES}/{stem}-{number}.{lang}.{form}"


# --- what is there ----------------------------------------------------------------------------------------


def page_head(ends: bytes) -> dict[str, str]:
    """What a page says of itself: title, when it was made, version, data, inputs; nothing where it is not whole."""
    text = ends.decode("utf-8", errors="replace")
    said, title = {name: unescape(value) for name, value in _META.findall(text)}, _TITLE.search(text)
    whole = title and "made" in said and text.rstrip().endswith("</html>")
    return said | {"title": unescape(title[1])} if title and whole else {}


class ReportFolder:
    """What is in the folder when it is looked at, kept up with what this run writes.

    ``sizes`` has the bytes of every file, ``heads`` what every whole page of ours says of itself.
    """

    def __init__(self, out: object) -> None:
        self._folder = folder_at(out)
        self.sizes: dict[str, int] = {}
        self.heads: dict[str, dict[str, str]] = {}
        self._hashes: dict[str, str] = {}  # of the pages that this run has written
        self.look()

    def look(self) -> None:
        """See what is there, also of others who write; only pages that are new are read, and of these the ends."""
        before = self.sizes
        self.sizes = {file: size for part in ("", TABLES, FIGURES) for file, size in self._folder.sizes(part).items()}
        pages = {file: size for file, size in self.sizes.items() if is_report(file) and size}
        new = {file: size for file, size in pages.items() if before.get(file) != size}
        found = self.heads | {file: page_head(ends) for file, ends in self._folder.read_ends(new, _ENDS).items()}
        self.heads = {file: head for file, head in found.items() if head and file in self.sizes}

    def changed(self, file: str, inputs: Mapping[str, str]) -> list[str]:
        """Why a report is to be made: the inputs that differ from those of the page that is there, or that none is."""
        before = self.inputs(file)
        return [name for name, value in inputs.items() if before.get(name) != value] if before else ["page"]

    def inputs(self, file: str) -> dict[str, str]:
        """The checksums of what a page was made from."""
        return dict(pair.split("=", 1) for pair in self.heads.get(file, {}).get("inputs", "").split())

    def figures(self) -> dict[tuple[str, str], Figures]:
        """The files of figures, by the stem and the language of their report."""
        found: dict[tuple[str, str], Figures] = {}
        for named in filter(None, map(_FIGURE.fullmatch, sorted(self.sizes))):
            figures = found.setdefault((named["stem"], named["lang"]), {})
            figures.setdefault(int(named["number"]), {})[named["form"]] = named[0]
        return {report: dict(sorted(figures.items())) for report, figures in found.items()}

    def read(self, files: Iterable[str]) -> dict[str, bytes]:
        """Those of the files that are there."""
        return self._folder.read(file for file in files if file in self.sizes)

    def prepare(self) -> None:
        """Make the folder, and remove what runs that were killed left unfinished."""
        self._folder.prepare(TABLES, FIGURES)

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files, each as a whole."""
        self._folder.write(files)
        self.sizes |= {file: len(data) for file, data in files.items()}

    def write_report(self, outcome: Outcome, files: Mapping[str, bytes]) -> None:
        """Write a report: its figures, then its page. Figures of an earlier run that had more are removed."""
        own, page = f"{FIGURES}/{outcome.file.split('.')[0]}-", files[outcome.file]
        before = [named for file in self.sizes if file.startswith(own) and (named := _FIGURE.fullmatch(file))]
        self.write({file: data for file, data in files.items() if file != outcome.file})
        self.write({outcome.file: page})
        self.heads[outcome.file] = page_head(page)
        self._hashes[outcome.file] = hashlib.sha256(page).hexdigest()
        gone = {named[0] for named in before if named["lang"] == outcome.lang} - set(files)
        self._folder.remove(gone)
        self.sizes = {file: size for file, size in self.sizes.items() if file not in gone}

    def write_manifest(self, outcomes: Iterable[Outcome]) -> None:
        """Write ``manifest.json``: every report of the folder and every one that failed in this run.

        What an earlier run says of a report that this one did not touch is kept as long as its page is there.
        """
        reports = {entry["file"]: entry for entry in self._manifest() if entry["file"] in self.sizes}
        for outcome in outcomes:
            before = reports.get(outcome.file, {}) if outcome.unchanged else {}
            reports[outcome.file or outcome.name] = before | {
                "name": outcome.name,
                "lang": outcome.lang,
                "title": before.get("title", outcome.title),
                "file": outcome.file,
                "status": outcome.status,
                "seconds": before.get("seconds", 0.0) if outcome.unchanged else round(outcome.seconds, 3),
                "reason": outcome.reason,
            }
        unknown = []
        for file, entry in reports.items():
            told = {"made": self.heads.get(file, {}).get("made", ""), "inputs": self.inputs(file)}
            if told.items() <= entry.items() and entry.get("sha256"):  # of the page as it is, not of an earlier one
                self._hashes.setdefault(file, entry["sha256"])
            elif file not in self._hashes:
                unknown.append(file)
            entry |= told
        hashes = self._hashes | {file: hashlib.sha256(page).hexdigest() for file, page in self.read(unknown).items()}
        entries = [reports[file] | {"sha256": hashes.get(file, "")} for file in sorted(reports)]
        text = json.dumps({"reports": entries}, ensure_ascii=False, indent=1)
        self.write({MANIFEST: f"{text}\n".encode()})

    def _manifest(self) -> list[dict[str, Any]]:
        try:
            written = self.read([MANIFEST]).get(MANIFEST, b'{"reports": []}')
            return [entry for entry in json.loads(written)["reports"] if entry["file"]]
        except (ValueError, KeyError, TypeError) as error:
            where = f"{self._folder.name}/{MANIFEST}"
            raise DataError(Problem("manifest_unreadable", where, values={"reason": str(error)})) from error
