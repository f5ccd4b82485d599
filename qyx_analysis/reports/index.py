"""The index of the folder: the reports that are in it, those that failed, what they were made from, the downloads.

``index.html`` is Chinese, ``index.en.html`` English; where there are English reports alone, ``index.html`` is too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

from qyx_analysis import catalogue, names, raw
from qyx_analysis.notebook.desk import LANGUAGES
from qyx_analysis.reports.downloads import TABLES, Figures, figures_in, workbook_file
from qyx_analysis.reports.pages import Provenance, index_file, page_values, rendered
from qyx_analysis.reports.record import HEAD
from qyx_analysis.wings import wings

_META = re.compile(r'<meta name="qyx-(\w+)" content="([^"]*)">')
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


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


@dataclass(frozen=True)
class Entry:
    """A report in the folder, as the index shows it: in the language of the index, else in the one there is.

    ``files`` by language; ``figures`` are the downloads; ``words`` are what a search finds it by, ``groups`` what it
    can be chosen by.
    """

    stem: str
    title: str
    lang: str
    files: dict[str, str]
    made: datetime
    version: str
    data: str
    note: str = ""
    words: str = ""
    groups: list[str] = field(default_factory=list)
    figures: Figures = field(default_factory=dict)


@dataclass(frozen=True)
class Download:
    """A file beside the pages, with its size in kB."""

    file: str
    label: str
    size: int


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
    return report_file(region_stem(code), lang)


def region_stem(code: str) -> str:
    """What the names of all files of a county's report begin with.

    >>> region_stem("330213")
    '330213-fenghua'
    """
    return f"{code}-{names.region_slug(code)}"


def is_report(file: str) -> bool:
    """Whether a file of the folder is called as a report is.

    >>> is_report("330213-fenghua.zh.html"), is_report("briefing-all.en.html"), is_report("index.en.html")
    (True, True, False)
    """
    prefixes = tuple(kind.prefix for wing in wings() for kind in wing.kinds.values())
    return file.endswith(".html") and (file[0].isdigit() or file.startswith(prefixes))


def write_index(folder: Path, outcomes: Iterable[Outcome], langs: Iterable[str], origin: Provenance) -> None:
    """Write the index in each language that was asked for or that a report in the folder has."""
    outcomes, asked = list(outcomes), set(langs)
    there = {path.name.split(".")[-2] for path in folder.glob("*.*.html") if is_report(path.name)}
    present = [lang for lang in LANGUAGES if lang in asked | there]
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
    page = page_values(catalogue.message("report_index_title", lang), lang, origin, links, ["index.js"])
    page["cities"], page["missing"] = _counties(folder, lang)
    stems = sorted({path.name.split(".")[0] for path in folder.glob(report_file("[0-9][0-9]-*", "*"))})
    page["analyses"] = list(filter(None, (_entry(folder, stem, lang) for stem in stems)))
    page["briefings"] = _other_kinds(folder, lang)
    entries = [*(entry for city in page["cities"].values() for entry in city), *page["analyses"], *page["briefings"]]
    page["groups"] = list(dict.fromkeys(group for entry in entries for group in entry.groups))
    page["summary"] = catalogue.message(
        "index_summary",
        lang,
        total=len(catalogue.regions().query("level == 'county'")),
        counties=sum(map(len, page["cities"].values())),
        analyses=len(page["analyses"]),
    )
    drawn = figures_in(folder)
    for entry in entries:
        entry.figures.update(drawn.get((entry.stem, entry.lang), {}))
    page["current"] = {outcome.file for outcome in outcomes if outcome.ok}  # also unchanged: their rows are the same
    page["failures"] = [outcome for outcome in outcomes if not outcome.ok and outcome.lang in (lang, "")]
    page["workbooks"] = [_download(folder, workbook_file(lang), catalogue.message("index_workbook", lang))]
    tables = sorted((folder / TABLES).glob("*.csv"))
    page["csvs"] = [_download(folder, f"{TABLES}/{path.name}", _table_name(path.stem, lang)) for path in tables]
    return rendered("index.html.j2", page)


def _counties(folder: Path, lang: str) -> tuple[dict[str, list[Entry]], dict[str, list[str]]]:
    """The counties' reports, and the names of counties without one: both by city."""
    cities: dict[str, list[Entry]] = {}
    missing: dict[str, list[str]] = {}
    for county in catalogue.regions().query("level == 'county'").itertuples():
        found_by = _found_by(county, lang)
        city = found_by[-1][0]
        if entry := _entry(folder, region_stem(county.code), lang, *found_by):
            cities.setdefault(city, []).append(entry)
        else:
            missing.setdefault(city, []).append(found_by[0])
    return cities, missing


def _other_kinds(folder: Path, lang: str) -> list[Entry]:
    """The pages that wings make besides the reports, such as briefings: that of all counties first."""
    entries = []
    for name, kind in ((name, kind) for wing in wings() for name, kind in wing.kinds.items()):
        entries.append(_entry(folder, kind.stem(""), lang, catalogue.message(f"index_all_{name}", lang)))
        for county in catalogue.regions().query("level == 'county'").itertuples():
            entries.append(_entry(folder, kind.stem(county.code), lang, *_found_by(county, lang)))
    return [entry for entry in entries if entry]


def _found_by(county: Any, lang: str) -> tuple[str, str, str, list[str]]:
    """The name, the code, the words and the groups that a county's pages are listed and found by."""
    groups = [names.region_name(county.parent, lang), *filter(None, county.groups.split(";"))]
    words = " ".join([county.name_zh, county.name_en, names.region_name(county.parent, "en"), *groups])
    return names.region_name(county.code, lang), county.code, words, groups


def _entry(
    folder: Path, stem: str, lang: str, title: str = "", note: str = "", words: str = "", groups: Iterable[str] = ()
) -> Entry | None:
    """A report of the folder; ``None`` where there is none in any language."""
    heads = {other: head for other in LANGUAGES if (head := _head(folder / report_file(stem, other)))}
    if not heads:
        return None
    own = lang if lang in heads else next(iter(heads))
    head = heads[own]
    return Entry(
        stem,
        title or head["title"],
        own,
        {other: report_file(stem, other) for other in heads},
        datetime.fromisoformat(head["made"]),
        head.get("version", ""),
        head.get("data", ""),
        note,
        f"{head['title']} {stem} {words}",
        list(groups),
    )


def _head(path: Path) -> dict[str, str] | None:
    """Title, time, version and data of a page of ours; ``None`` for another file, or none."""
    if not path.is_file():
        return None
    with path.open("rb") as page:
        head = page.read(HEAD).decode("utf-8", errors="replace")
    said, title = {name: unescape(value) for name, value in _META.findall(head)}, _TITLE.search(head)
    return said | {"title": unescape(title[1])} if title and "made" in said else None


def _table_name(resource: str, lang: str) -> str:
    known = resource in set(catalogue.fields()["resource"])
    return catalogue.message(f"sheet_{resource}", lang) if known else resource


def _download(folder: Path, file: str, label: str) -> Download | None:
    path = folder / file
    return Download(file, label, -(-path.stat().st_size // 1000)) if path.is_file() else None
