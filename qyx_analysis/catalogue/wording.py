"""Codes -> words, numbers -> text: how everything that people read is written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.catalogue import message

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
