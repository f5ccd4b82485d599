"""Codes -> words, numbers -> text: how everything that people read is written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.catalogue import LOCAL, message

_YEAR = re.compile(r"\d{4}")
_PLACE = re.compile(r"\b(line|page|table|row|character|sheet|cell) (\S+)")


@cache
def meanings(table: str, lang: str) -> dict[str, str]:
    rows = getattr(catalogue, table)()
    return dict(zip(rows.iloc[:, 0], rows[f"meaning_{lang}"], strict=True))


def status_text(status: str, lang: str) -> str:
    """What a status of a measure means; nothing where there is nothing to add to the value."""
    return "" if status == "ok" else meanings("statuses", lang)[status]


def brief_status(status: str, lang: str) -> str:
    """A status in the few words of the pictures; nothing where there is nothing to add.

    >>> brief_status("unresolved", "en"), brief_status("ok", "en")
    ('within rounding', '')
    """
    return "" if status == "ok" else message(f"fig_status_{status}", lang)


def number_text(value: float, digits: int = 2) -> str:
    """A number with at most ``digits`` decimals and a real minus sign.

    >>> number_text(-0.5), number_text(14000.0), number_text(np.inf)
    ('−0.5', '14000', '∞')
    """
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "0") else text.replace("-", "−")


def percent_text(value: float) -> str:
    """A share as whole percent: 0.6 -> 60%."""
    return number_text(value * 100, 0) + "%" if np.isfinite(value) else number_text(value)


def interval_text(row: Any, show: Any) -> str:
    """A value with the interval that bounds and rounding allow, or the status that says why there is none."""
    if row.value != row.value:
        return ""
    text = show(row.value)
    if row.lo != row.lo or (row.lo == row.hi):
        return text
    low, high = show(row.lo), show(row.hi)
    return text if low == high else f"{text} [{low}, {high}]".replace(" ", "\u00a0")


def printed_text(raw: str, lang: str) -> str:
    """A printed cell for reading: a gap is said to be one."""
    return raw if raw.strip() else message("tab_blank", lang)


def place_text(document: str, locator: str, lang: str) -> str:
    """Where something is printed, in the words of a language; the cell of a line is left out.

    >>> place_text("fenghua", "line 28 cell 3", "zh"), place_text("plan", "page 2 row 7", "en")
    ('fenghua，第 28 行', 'plan, page 2 row 7')
    """
    parts = ", ".join(filter(None, (document, re.sub(r" cell \d+", "", locator))))
    if lang == "en":
        return parts
    words = _PLACE.sub(lambda match: message(f"place_{match[1]}", lang, n=match[2]), parts)
    return words.replace(", ", "，").replace(" 第", "第")


def with_year(printed: str, year: Any, lang: str) -> str:
    return printed if pd.isna(year) else message("tab_with_year", lang, printed=printed, year=year)


_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~$^:-])")


_LISTED = 12  # names that a sentence can carry


def literal(text: str) -> str:
    """Make a text from a document plain text in Markdown and HTML.

    >>> literal("<b>a*b</b>")
    '&lt;b&gt;a\\\\*b&lt;/b&gt;'
    """
    safe = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(r"\\\1", safe)


def listed(names: Iterable[str], lang: str) -> str:
    """Names as a list inside a sentence; a long one is cut and counted.

    >>> listed(["a", "b"], "en")
    'a, b'
    """
    texts = [literal(name) for name in names]
    joint = message("list_joint", lang)
    if len(texts) <= _LISTED:
        return joint.join(texts)
    return message("say_and_more", lang, names=joint.join(texts[:_LISTED]), n=len(texts) - _LISTED)


# --- what codes are called ---


@cache
def _region_names(lang: str) -> dict[str, str]:
    return catalogue.regions().set_index("code")[f"name_{lang}"].to_dict()


def region_name(code: str, lang: str = "zh") -> str:
    """Give the name of a region in ``lang``.

    >>> region_name("330213", "en")
    'Fenghua District'
    """
    return _region_names(lang)[code]


def domain_name(domain: str, lang: str) -> str:
    """Give the name of a domain in ``lang``; one of a plan's own as it is printed.

    >>> domain_name("病有良医", "en"), domain_name("事有便捷", "en")
    ('Health care', '事有便捷')
    """
    return domain if lang == "zh" else _domains_en().get(domain, domain)


@cache
def _domains_en() -> dict[str, str]:
    own, others = catalogue.domains(), catalogue.domain_aliases()
    english = dict(zip(others["alias"], others["name_en"], strict=True))
    return english | dict(zip(own["domain"], own["name_en"], strict=True))


@cache
def _short_names(lang: str) -> dict[str, str]:
    return catalogue.indicators().set_index("code")[f"short_{lang}"].to_dict()


def indicator_name(code: str, lang: str) -> str:
    """Give the short name of an indicator; that of a local one is its printed name.

    >>> indicator_name("nursery_places", "en")
    'Nursery places'
    """
    return _short_names(lang).get(code, code.removeprefix(LOCAL))


@cache
def judgement_names(lang: str) -> dict[str, str]:
    """Give the statuses of the monitoring, and the reasons why there is none, in a few words by their code.

    >>> judgement_names("en")["on_path"]
    'on the path'
    """
    return catalogue.judgements().set_index("code")[f"short_{lang}"].to_dict()


@cache
def measure_words(code: str, lang: str) -> tuple[str, str]:
    """Say what a measure is called and how it is read; of one that is none of ours its code and nothing.

    >>> measure_words("addition_2024", "en")
    ('addition in 2024', 'What the year itself adds to a cumulative number')
    """
    name, meaning = _measures(lang).get(_YEAR.sub("*", code), (code, ""))
    return name.format(*_YEAR.findall(code)) if meaning else code, meaning


@cache
def _measures(lang: str) -> dict[str, tuple[str, str]]:
    table = catalogue.measures()
    words = zip(table[f"name_{lang}"], table[f"meaning_{lang}"], strict=True)
    return dict(zip(table["measure"], words, strict=True))


def value_unit(code: str, unit: str, lang: str) -> str:
    """Give what stands behind a value of an indicator: its unit, for a state nothing, for a local one ``unit``.

    >>> value_unit("life_expectancy", "岁", "en"), value_unit("compulsory_assessment", "%", "en")
    ('years', '')
    """
    return _value_units(lang).get(code, unit)


@cache
def _value_units(lang: str) -> dict[str, str]:
    known = catalogue.indicators().set_index("code")
    return known["unit" if lang == "zh" else "unit_en"].mask(known["nature"] == "state", "").to_dict()
