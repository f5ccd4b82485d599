"""Regions stated as codes or names, and those that a text names."""

from __future__ import annotations

import difflib
import re
from functools import cache

from qyx_analysis import catalogue
from qyx_analysis.catalogue.wording import region_name
from qyx_analysis.cells import normal
from qyx_analysis.problems import DataError, Problem

# 上海市普陀区 and 重庆市江北区 are not the districts of the same name in Zhejiang
_ELSEWHERE = re.compile(r"((北京|天津|上海|重庆)市|(?<!浙江)省[\u4e00-\u9fff]{2,4}市)$")


@cache
def _region_entries() -> dict[str, dict[str, str]]:
    return catalogue.regions().set_index("code").to_dict(orient="index")


@cache
def _region_names() -> dict[str, str]:
    current, old = catalogue.regions(), catalogue.region_aliases()
    names = dict(zip(old["alias"], old["code"], strict=True))
    names |= dict(zip(current["name_en"].str.lower(), current["code"], strict=True))
    names |= dict(zip(current["name_zh"], current["code"], strict=True))
    return names | {code: code for code in current["code"]}


@cache
def _full_names() -> dict[str, str]:
    """Names that may be looked for inside a text; short forms (江山, 文成) would be found by accident."""
    old = catalogue.region_aliases()
    short = set(old.loc[old["note"] == "short form", "alias"])
    return {name: code for name, code in _region_names().items() if not name.isascii() and name not in short}


def find_region(given: object) -> str:
    """Give the six-digit code of a region stated as number, text or name.

    Parameters
    ----------
    given : int or str
        ``330213``, ``"330213"``, ``"奉化区"`` or ``"Fenghua District"``; abolished codes and former names too.

    Returns
    -------
    str
        The code valid in 2023.

    Raises
    ------
    DataError
        When no region of ``regions.csv`` is called that; the error shows similar names.

    Examples
    --------
    >>> find_region(330213), find_region("奉化区")
    ('330213', '330213')
    """
    text = str(given).strip()
    code = _region_names().get(text) or _region_names().get(text.lower())
    if code is None:
        close = difflib.get_close_matches(text.lower(), _region_names(), n=3, cutoff=0.5)
        raise DataError(Problem("region_unknown", "regions.csv", text=text, values={"close": ", ".join(close) or "—"}))
    return code


def region_level(code: str) -> str:
    """Say whether a code is a ``county``, ``city`` or ``province``: only counties are compared with one another."""
    return _region_entries()[code]["level"]


def region_parent(code: str) -> str:
    """Give the code of the city that a county belongs to, or of the province.

    >>> region_parent("330213")
    '330200'
    """
    return _region_entries()[code]["parent"]


def region_slug(code: str) -> str:
    """Give a short name in letters for file names.

    >>> region_slug("330213")
    'fenghua'
    """
    first = region_name(code, "en").split()[0]
    return "".join(c for c in first.lower() if c.isascii() and c.isalnum())


def region_of_text(text: str) -> str | None:
    """Find the one region that a title or an issuing office names, the smallest where it names its parents too.

    >>> region_of_text("宁波市奉化区公共服务“七优享”五年目标")
    '330213'
    """
    printed = normal(text)
    places = {name: printed.find(name) for name in _full_names()}
    found = {_full_names()[name] for name, at in places.items() if at >= 0 and not _ELSEWHERE.search(printed[:at])}
    parents = {ancestor for code in found for ancestor in _ancestors(code)}
    smallest = found - parents
    return smallest.pop() if len(smallest) == 1 else None


def _ancestors(code: str) -> list[str]:
    parent = _region_entries()[code]["parent"]
    return [parent, *_ancestors(parent)] if parent else []


def regions_in_group(name: str) -> list[str]:
    """List the county codes of a group of ``regions.csv`` or of a city, by name or code; none where it is unknown."""
    table = catalogue.regions()
    in_group = table["groups"].str.split(";").map(lambda groups: name in groups)
    code = _region_names().get(name)
    return table.loc[in_group | ((table["parent"] == code) & (table["level"] == "county")), "code"].tolist()


_MOUNTAIN = "山区海岛县"  # the group of regions.csv that the province names beside the kinds


def like_counties(code: str) -> dict[str, list[str]]:
    """Give the groups of counties that are like one: its city's, 山区海岛县 if it is one, and those of its kind.

    >>> [(key, len(codes)) for key, codes in like_counties("330922").items()]
    [('city', 4), ('mountain', 32), ('county', 33)]
    """
    own, kinds = _region_entries()[code], {"autonomous_county": "county"}
    groups = {"city": regions_in_group(own["parent"])}
    if _MOUNTAIN in own["groups"].split(";"):
        groups["mountain"] = regions_in_group(_MOUNTAIN)
    kind = kinds.get(own["kind"], own["kind"])
    return groups | {kind: [c for c, r in _region_entries().items() if kinds.get(r["kind"], r["kind"]) == kind]}
