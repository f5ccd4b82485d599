"""The index of the folder: the reports that are in it, those that failed, and what they were made from.

``index.html`` is Chinese, ``index.en.html`` English; where there are English reports alone, ``index.html`` is too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from html import unescape
from pathlib import Path

from qyx_analysis import catalogue, names, raw
from qyx_analysis.notebooks import LANGUAGES
from qyx_analysis.reports.pages import Provenance, index_file, page_values, rendered

_HEAD = re.compile(r'<meta name="qyx-made" content="([^"]*)">\s*<title>(.*?)</title>', re.DOTALL)
_HEAD_SIZE = 4000  # characters of a page in which its head is found


@dataclass(frozen=True)
class Outcome:
    """What became of one report: its ``file`` in the folder and, if it failed, the ``reason`` in one line.

    ``lang`` is empty where there is none: what failed before there was a report to make.
    """

    name: str
    title: str
    file: str
    ok: bool
    reason: str = ""
    seconds: float = 0.0
    lang: str = ""


@dataclass(frozen=True)
class Entry:
    """A report in the folder, as the index shows it: in the language of the index, else in the one there is."""

    file: str
    title: str
    made: datetime
    lang: str
    note: str = ""


def report_file(name: str, lang: str) -> str:
    """The file name of a report in a language.

    >>> report_file("10-trajectories", "en")
    '10-trajectories.en.html'
    """
    return f"{name}.{lang}.html"


def region_file(code: str, lang: str) -> str:
    """The file name of a county's report.

    >>> region_file("330213", "zh")
    '330213-fenghua.zh.html'
    """
    return report_file(f"{code}-{names.region_slug(code)}", lang)


def write_index(folder: Path, outcomes: Iterable[Outcome], langs: Iterable[str], origin: Provenance) -> None:
    """Write the index in each language that was asked for or that a report in the folder has."""
    outcomes, asked = list(outcomes), set(langs)
    present = [lang for lang in LANGUAGES if lang in asked or any(folder.glob(report_file("[0-9]*", lang)))]
    for lang in present:
        others = [other for other in present if other != lang]
        page = index_html(folder, outcomes, lang, origin, others).encode("utf-8")
        for name in {index_file(lang), *(["index.html"] if lang == present[0] else [])}:
            raw.write_whole(folder / name, page)


def index_html(
    folder: Path, outcomes: Iterable[Outcome], lang: str, origin: Provenance, others: Iterable[str] = ()
) -> str:
    """Give the index of a folder after a run: what is there, also from earlier runs, and what failed."""
    links = [(other, index_file(other)) for other in others]
    page = page_values(catalogue.message("report_index_title", lang), lang, origin, links)
    page["regions"] = _counties(folder, lang)
    stems = sorted({path.name.split(".")[0] for path in folder.glob(report_file("[0-9][0-9]-*", "*"))})
    page["analyses"] = list(filter(None, (_entry(folder, stem, lang) for stem in stems)))
    page["failures"] = [outcome for outcome in outcomes if not outcome.ok and outcome.lang in (lang, "")]
    return rendered("index.html.j2", page)


def _counties(folder: Path, lang: str) -> list[Entry]:
    counties = catalogue.regions().query("level == 'county'")
    entries = []
    for code, parent in zip(counties["code"], counties["parent"], strict=True):
        if entry := _entry(folder, f"{code}-{names.region_slug(code)}", lang):
            note = f"{names.region_name(parent, lang)} · {code}"
            entries.append(replace(entry, title=names.region_name(code, lang), note=note))
    return entries


def _entry(folder: Path, name: str, lang: str) -> Entry | None:
    for available in sorted(LANGUAGES, key=lambda other: other != lang):
        file = report_file(name, available)
        if head := _head(folder / file):
            return Entry(file, *head, available)
    return None


def _head(path: Path) -> tuple[str, datetime] | None:
    """Title and time of a page of ours; ``None`` for another file, or none."""
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", errors="replace") as page:
        match = _HEAD.search(page.read(_HEAD_SIZE))
    return (unescape(match[2]), datetime.fromisoformat(match[1])) if match else None
