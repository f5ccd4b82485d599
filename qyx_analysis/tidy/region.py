"""Whose plan a document is: the region that its titles and its issuing office name."""

from __future__ import annotations

import re
from dataclasses import replace

from qyx_analysis.catalogue.wording import region_name
from qyx_analysis.documents import Document
from qyx_analysis.layouts import Table
from qyx_analysis.names.regions import find_region, region_level, region_of_text
from qyx_analysis.problems import DataError, Problem

_TITLE_LENGTH, _TITLES, _HEADING_LINES = 60, 5, 8
_TITLE = re.compile(r"(方案|目标|通知|规划|计划)[^，。；]{0,12}$")
_CITES = re.compile(r"学习|借鉴|贯彻|上一篇|下一篇|相关|链接|转发|。")  # a line that speaks of others
_OFFICE = re.compile(r"(人民政府(办公室)?|发展和改革局)(文件)?(\s*\d{4}年\d+月\d+日(印发)?)?$")


def region_of(document: Document, table: Table | None, given: object = None) -> str:
    """Find the region of a plan, stated or told by the document; two places of the document may not disagree."""
    title, place = (table.title, table.header.place) if table else ("", "")
    told = _told(document, table.titles if table else ())
    counties = list(dict.fromkeys(code for code in told if region_level(code) == "county"))
    if given:
        try:
            counties = list(dict.fromkeys([find_region(given), *counties[:1]]))
        except DataError as error:  # say in which document's name the region was stated
            raise DataError(replace(error.problems[0], file=document.name)) from None
    if len(counties) > 1:
        listed = "、".join(map(region_name, counties))
        raise DataError(Problem("region_conflict", document.name, place, title, {"listed": listed}))
    if counties or told:  # a county before the city or province whose web site it is printed on
        return (counties or told)[0]
    raise DataError(Problem("region_missing", document.name, place, title))


def _told(document: Document, titles: tuple[str, ...]) -> list[str]:
    """Regions by the table's title, the document's title and its issuing office; failing these, by its heading."""
    own = own_lines(document)
    offices = [line for line in own if _OFFICE.search(line) and len(line) <= _TITLE_LENGTH]
    parts = [[title] for title in titles]  # a part under the title of another region is another region's
    for groups in ([*parts, title_lines(own)[:_TITLES], offices], [own[:_HEADING_LINES]]):
        found = [next((code for line in group if (code := region_of_text(line))), "") for group in groups]
        if any(found):
            return [code for code in found if code]
    return []


def own_lines(document: Document) -> list[str]:
    """Keep the lines of a document that do not speak of others."""
    lines = (line.strip() for line in document.lines)
    return [line for line in lines if line and not _CITES.search(line)]


def title_lines(lines: list[str]) -> list[str]:
    """Keep the lines that look like the title of a plan."""
    return [line for line in lines if "公共服务" in line and _TITLE.search(line)]
