"""``index.html``: the reports that are in the folder, those that failed, and what they were made from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from pathlib import Path

from qyx_analysis import catalogue, names
from qyx_analysis.reports.pages import Provenance, page_values, rendered

_HEAD = re.compile(r'<meta name="qyx-made" content="([^"]*)">\s*<title>(.*?)</title>', re.DOTALL)
_HEAD_SIZE = 4000  # characters of a page in which its head is found


@dataclass(frozen=True)
class Outcome:
    """What became of one report: its ``file`` in the folder and, if it failed, the ``reason`` in one line."""

    name: str
    title: str
    file: str
    ok: bool
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Entry:
    """A report in the folder, as the index shows it."""

    file: str
    title: str
    made: datetime
    note: str = ""


def region_file(code: str) -> str:
    """The file name of a county's report.

    >>> region_file("330213")
    '330213-fenghua.html'
    """
    return f"{code}-{names.region_slug(code)}.html"


def index_html(folder: Path, outcomes: Iterable[Outcome], lang: str, origin: Provenance) -> str:
    """Give the index of a folder after a run: what is there, also from earlier runs, and what failed."""
    page = page_values(catalogue.message("report_index_title", lang), lang, origin)
    page["regions"] = _counties(folder, lang)
    files = sorted(folder.glob("[0-9][0-9]-*.html"))
    page["analyses"] = [Entry(path.name, *head) for path in files if (head := _head(path))]
    page["failures"] = [outcome for outcome in outcomes if not outcome.ok]
    return rendered("index.html.j2", page)


def _counties(folder: Path, lang: str) -> list[Entry]:
    counties = catalogue.regions().query("level == 'county'")
    entries = []
    for code, parent in zip(counties["code"], counties["parent"], strict=True):
        if head := _head(folder / region_file(code)):
            note = f"{names.region_name(parent, lang)} · {code}"
            entries.append(Entry(region_file(code), names.region_name(code, lang), head[1], note))
    return entries


def _head(path: Path) -> tuple[str, datetime] | None:
    """Title and time of a page of ours; ``None`` for another file, or none."""
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", errors="replace") as page:
        match = _HEAD.search(page.read(_HEAD_SIZE))
    return (unescape(match[2]), datetime.fromisoformat(match[1])) if match else None
