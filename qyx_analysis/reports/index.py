"""The index of the folder: the reports that are in it, those that failed, what they were made from, the downloads.

``index.html`` is Chinese, ``index.en.html`` English; where there are English reports alone, ``index.html`` is too.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from qyx_analysis import catalogue, names
from qyx_analysis.notebook.desk import LANGUAGES
from qyx_analysis.reports.downloads import workbook_file
from qyx_analysis.reports.folder import TABLES, Outcome, ReportFolder, region_stem, report_file
from qyx_analysis.reports.pages import Provenance, index_file, page_values, rendered
from qyx_analysis.wings import wings


def write_index(folder: ReportFolder, outcomes: Iterable[Outcome], langs: Iterable[str], origin: Provenance) -> None:
    """Write the index in each language that was asked for or that a report in the folder has."""
    outcomes = list(outcomes)
    there = {*langs, *(file.split(".")[-2] for file in folder.heads)}
    present = [lang for lang in LANGUAGES if lang in there]
    pages = {lang: index_html(folder, outcomes, lang, origin, set(present) - {lang}).encode() for lang in present}
    folder.write({index_file(lang): page for lang, page in pages.items()} | {"index.html": pages[present[0]]})


def index_html(
    folder: ReportFolder, outcomes: Iterable[Outcome], lang: str, origin: Provenance, others: Iterable[str] = ()
) -> str:
    """Give the index of a folder after a run: what is there, also from earlier runs, and what failed."""
    links = [(other, index_file(other)) for other in others]
    page = page_values(catalogue.message("report_index_title", lang), lang, origin, links, ["index.js"])
    page["cities"], page["missing"] = _counties(folder, lang)
    stems = sorted({file.split(".")[0] for file in folder.heads if file[:2].isdigit() and file[2] == "-"})
    page["analyses"] = list(filter(None, (_entry(folder, stem, lang) for stem in stems)))
    page["briefings"] = _other_kinds(folder, lang)
    entries = [*(entry for city in page["cities"].values() for entry in city), *page["analyses"], *page["briefings"]]
    page["groups"] = list(dict.fromkeys(group for entry in entries for group in entry["groups"]))
    page["summary"] = catalogue.message(
        "index_summary",
        lang,
        total=len(catalogue.regions().query("level == 'county'")),
        counties=sum(map(len, page["cities"].values())),
        analyses=len(page["analyses"]),
    )
    drawn = folder.figures()
    for entry in entries:
        entry["figures"] = drawn.get((entry["stem"], entry["lang"]), {})
    page["current"] = {outcome.file for outcome in outcomes if outcome.ok}  # also unchanged: their rows are the same
    page["failures"] = [outcome for outcome in outcomes if not outcome.ok and outcome.lang in (lang, "")]
    page["workbooks"] = _downloads(folder, {workbook_file(lang): catalogue.message("index_workbook", lang)})
    tables = sorted(file for file in folder.sizes if file.startswith(f"{TABLES}/") and file.endswith(".csv"))
    page["csvs"] = _downloads(folder, {file: _table_name(file[len(TABLES) + 1 : -4], lang) for file in tables})
    return rendered("index.html.j2", page)


def _counties(folder: ReportFolder, lang: str) -> tuple[dict[str, list[dict[str, Any]]], dict[str, list[str]]]:
    """The counties' reports, and the names of counties without one: both by city."""
    cities: dict[str, list[dict[str, Any]]] = {}
    missing: dict[str, list[str]] = {}
    for county in catalogue.regions().query("level == 'county'").itertuples():
        found_by = _found_by(county, lang)
        city = found_by[-1][0]
        if entry := _entry(folder, region_stem(county.code), lang, *found_by):
            cities.setdefault(city, []).append(entry)
        else:
            missing.setdefault(city, []).append(found_by[0])
    return cities, missing


def _other_kinds(folder: ReportFolder, lang: str) -> list[dict[str, Any]]:
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
    folder: ReportFolder, stem: str, lang: str, title: str = "", note: str = "", words: str = "",
    groups: Iterable[str] = (),
) -> dict[str, Any] | None:  # fmt: skip
    """A report in the language of the index, else in the one there is; found by ``words``, chosen by ``groups``."""
    files = {other: file for other in LANGUAGES if (file := report_file(stem, other)) in folder.heads}
    if not files:
        return None
    own = lang if lang in files else next(iter(files))
    head = folder.heads[files[own]]
    return {
        "stem": stem,
        "title": title or head["title"],
        "lang": own,
        "files": files,
        "made": datetime.fromisoformat(head["made"]),
        "version": head.get("version", ""),
        "data": head.get("data", ""),
        "note": note,
        "words": f"{head['title']} {stem} {words}",
        "groups": list(groups),
    }


def _table_name(resource: str, lang: str) -> str:
    known = resource in set(catalogue.fields()["resource"])
    return catalogue.message(f"sheet_{resource}", lang) if known else resource


def _downloads(folder: ReportFolder, labels: dict[str, str]) -> list[dict[str, Any]]:
    """Files beside the pages that are there, with their size in kB."""
    there = {file: label for file, label in labels.items() if file in folder.sizes}
    return [{"file": file, "label": label, "size": -(-folder.sizes[file] // 1000)} for file, label in there.items()]
