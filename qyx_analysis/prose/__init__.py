"""The sentences of a plan -> its quantified targets, each linked to the indicator it speaks of; and its governance."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.documents import Document
from qyx_analysis.names import folded
from qyx_analysis.prose.governing import department_rows, governance
from qyx_analysis.prose.grammar import Target, targets_in
from qyx_analysis.prose.sentences import Sentence, sentences

__all__ = ["department_rows", "governance", "linked_indicator", "prose_targets"]


def prose_targets(document: Document, region: str = "") -> pd.DataFrame:
    """Read every quantified target that the sentences of a document state.

    Parameters
    ----------
    document : Document
        As :func:`qyx_analysis.documents.read_document` gives it. Its tables are left out, and what it repeats is
        counted once.
    region : str
        Six-digit code of its region.

    Returns
    -------
    DataFrame
        One row for each target, in the order of the document; ``docs/data.md`` describes the columns. Values
        and units are as printed; ``char_start`` and ``char_end`` are offsets in the lines joined by line feeds.

    Examples
    --------
    >>> text = "到2027年，托位数达到5.5个，入园率、巩固率均达到96%以上。"
    >>> table = prose_targets(Document("plan.txt", "plan", "", (text,)))
    >>> table[["metric", "operator", "value", "unit", "year"]].values.tolist()
    [['托位数', '=', 5.5, '个', 2027], ['入园率', '>=', 96.0, '%', 2027], ['巩固率', '>=', 96.0, '%', 2027]]
    """
    text = "\n".join(document.lines)
    rows = [
        _row(document.stem, text, sentence, target) | {"region": region}
        for sentence in sentences(document)
        for target in targets_in(sentence.text, _years())
    ]
    types = catalogue.dtypes("prose_targets")
    return pd.DataFrame(rows, columns=list(types)).astype(types)


@cache
def _years() -> range:
    ours = catalogue.programmes().iloc[0]
    return range(int(ours["first"]), int(ours["last"]) + 1)


def _row(stem: str, text: str, sentence: Sentence, target: Target) -> dict[str, Any]:
    start, end = sentence.offsets[target.start], sentence.offsets[target.end - 1] + 1
    metric = "".join(sentence.printed[token.start : token.end] for token in target.metric).strip("的")
    numbers = [float(number) for number in target.numbers]
    words = {token.role: token.text for token in target.words}
    return {
        "document": stem,
        "section": sentence.section,
        "domain": sentence.domain,
        "metric": metric,
        "kind": target.kind,
        "operator": target.operator,
        "value": numbers[0] if len(numbers) == 1 else None,
        "value_low": numbers[0] if len(numbers) > 1 else None,
        "value_high": numbers[-1] if len(numbers) > 1 else None,
        "unit": target.unit,
        "year": target.year,
        "cumulative": "cumulative" in words,
        "annual": "annual" in words,
        "hedge": words.get("hedge", ""),
        "text_value": text[start:end],
        "char_start": start,
        "char_end": end,
        "linked_indicator": linked_indicator(metric),
    }


@cache
def _links() -> tuple[tuple[re.Pattern[str], int], ...]:
    number = catalogue.indicators().set_index("code")["number"]
    return tuple((re.compile(row.pattern), int(number[row.code])) for row in catalogue.prose_links().itertuples())


def linked_indicator(metric: str) -> int | None:
    """The number of the indicator of the table that a metric speaks of, by ``prose_links.csv``.

    >>> linked_indicator("每千人口托位数")
    1
    """
    printed = folded(metric)
    return next((number for pattern, number in _links() if pattern.search(printed)), None)
