"""The sentences of a plan -> who leads each domain, and how often its progress is followed.

The words are those of ``governance_words.csv``. A department is what stands after a label and a colon
(``牵头单位：``); what is followed, and how often, is read in the chapters on safeguards (``保障措施``) alone:
elsewhere the same words speak of schools or hospitals. What a plan does not print gives no row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.documents import Document
from qyx_analysis.files import set_types
from qyx_analysis.layouts import Table
from qyx_analysis.problems import compiled
from qyx_analysis.wings.sentences.sentences import Sentence, join_runs, read_sentences

_WORDS = "governance_words.csv"
_CLAUSE, _ITEM = re.compile("[,;:。]"), re.compile("[,;:。、]|以及|[和及与]")
_BRACKETED = r"(?:[^();。]|\([^()]*\))"  # 各县(市、区)政府 is one name
_SEPARATOR = re.compile(r"[、,/](?![^()]{0,99}\))")  # none inside brackets
_BODY = r"[\u4e00-\u9fff]{{1,10}}?(?:{words})(?=(?:要|应|应当|须|需|将|负责)?$)"


def read_governance(document: Document, region: str = "", table: Table | None = None) -> pd.DataFrame:
    """Read the lead departments and the monitoring that a document's sentences prescribe, in their order."""
    rows = []
    for sentence in read_sentences(document, table):
        about_all = bool(_words("section").search(sentence.domain))
        scope = {"scope": "plan", "domain": ""} if about_all else {}
        rows += [row | scope for row in _departments(sentence)]
        if about_all and not sentence.heading:
            rows += [row | scope for row in _monitoring(sentence)]
    frame = pd.DataFrame(rows).assign(region=region, document=document.stem)
    return set_types(frame, catalogue.dtypes("governance"))


def department_rows(printed: str, label: str) -> list[dict[str, str]]:
    """Split a cell of departments into rows; ``label`` is the header of its column."""
    kind = _value("label", label) or "responsible_department"
    folded = printed.replace("（", "(").replace("）", ")").replace("，", ",")
    return [{"kind": kind, "department": printed[a:b], "text": label} for a, b in _names(folded)]


@cache
def _entries(role: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    rows = catalogue.governance_words().query("role == @role")
    return tuple((compiled(row.pattern, _WORDS), row.value) for row in rows.itertuples())


@cache
def _words(role: str) -> re.Pattern[str]:
    """Any word of a role; the first in the file that fits is taken."""
    return re.compile("|".join(f"(?:{pattern.pattern})" for pattern, _ in _entries(role)))


def _value(role: str, text: str) -> str:
    return next((value for pattern, value in _entries(role) if pattern.fullmatch(text)), "")


def _pieces(cut: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Where each piece of a text between cuts begins and ends."""
    cuts = [(0, 0), *(match.span() for match in cut.finditer(text)), (len(text), len(text))]
    return ((start, end) for (_, start), (end, _) in pairwise(cuts))


def _placed(sentence: Sentence, start: int, end: int) -> dict[str, Any]:
    return {
        "section": sentence.section,
        "char_start": sentence.offsets[start],
        "char_end": sentence.offsets[end - 1] + 1,
    }


# --- departments ------------------------------------------------------------------------------------------


def _departments(sentence: Sentence) -> Iterator[dict[str, Any]]:
    label = _words("label").pattern
    for match in re.finditer(rf"(?P<label>{label}):(?P<names>(?:(?!(?:{label}):){_BRACKETED})*)", sentence.text):
        for start, end in _names(match["names"]):
            start, end = match.start("names") + start, match.start("names") + end
            yield {
                "kind": _value("label", match["label"]),
                "scope": "task" if sentence.section.rpartition("/")[2].isdigit() else "domain",
                "domain": sentence.domain,
                "department": sentence.printed[start:end],
                "text": match["label"],
            } | _placed(sentence, start, end)


def _names(listed: str) -> Iterator[tuple[int, int]]:
    pieces = _pieces(_SEPARATOR, listed)
    return ((start, end) for start, end in pieces if listed[start:end].strip())


# --- monitoring -------------------------------------------------------------------------------------------


def _monitoring(sentence: Sentence) -> Iterator[dict[str, Any]]:
    """What is to be done: one row for each word, words that adjoin (``监测评估``) with the same printed text."""
    for start, end in _pieces(_ITEM, sentence.text):
        for run in _runs(sentence.text, start, end):
            often = _often(sentence.text, start, end, run[0].start())
            for word in run:
                what = _value("activity", word[0]) or (_value("rhythmic", word[0]) if often else "")
                if what:
                    yield {
                        "kind": "monitoring",
                        "what": what,
                        "department": _body(sentence.text, often.start()) if often else "",
                        "frequency": _value("frequency", often[0]) if often else "",
                        "rhythm": often[0] if often else "",
                        "text": sentence.printed[run[0].start() : run[-1].end()],
                    } | _placed(sentence, run[0].start(), run[-1].end())


def _runs(text: str, start: int, end: int) -> Iterator[list[re.Match[str]]]:
    words = re.compile(f"{_words('activity').pattern}|{_words('rhythmic').pattern}").finditer(text, start, end)
    return join_runs(words, lambda before, word: before.end() == word.start())


def _often(text: str, start: int, end: int, at: int) -> re.Match[str] | None:
    """How often: the last such word before what is done, else the first after it."""
    found = [m for m in _words("frequency").finditer(text, start, end) if len(m[0]) > 1 or m.end() == at]
    before = [match for match in found if match.end() <= at]
    return before[-1] if before else next(iter(found), None)


def _body(text: str, at: int) -> str:
    """Who acts, where the clause begins with the name: 市政府每季度……."""
    start = max((match.end() for match in _CLAUSE.finditer(text, 0, at)), default=0)
    match = re.match(_BODY.format(words=_words("body").pattern), text[start:at])
    return match[0] if match else ""
