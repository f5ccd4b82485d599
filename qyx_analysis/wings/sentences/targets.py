"""The sentences of a plan -> its quantified targets, each linked to the indicator it speaks of."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.catalogue import LOCAL
from qyx_analysis.documents import Document
from qyx_analysis.layouts import Table
from qyx_analysis.names.indicators import find_indicator, folded
from qyx_analysis.problems import compiled
from qyx_analysis.wings.sentences.grammar import Target, targets_in
from qyx_analysis.wings.sentences.sentences import Sentence, read_sentences

_LONGEST = 80  # characters of a name


def prose_targets(document: Document, region: str = "", table: Table | None = None) -> pd.DataFrame:
    """Read every quantified target that the sentences of a document state.

    Parameters
    ----------
    document : Document
        As :func:`qyx_analysis.documents.read_document` gives it. What it repeats is counted once.
    region : str
        Six-digit code of its region.
    table : Table, optional
        The table that was read of it: its lines are no sentences, nor are rows left of one that cannot be read.

    Returns
    -------
    DataFrame
        One row for each target, in the order of the document; ``docs/data.md`` describes the columns. Values
        and units are as printed; ``char_start`` and ``char_end`` are offsets in the lines joined by line feeds.

    Examples
    --------
    >>> text = "到2027年，托位数达到5.5个，入园率、巩固率均达到96%以上。"
    >>> found = prose_targets(Document("plan.txt", "plan", "", (text,)))
    >>> found[["metric", "operator", "value", "unit", "year"]].values.tolist()
    [['托位数', '=', 5.5, '个', 2027], ['入园率', '>=', 96.0, '%', 2027], ['巩固率', '>=', 96.0, '%', 2027]]
    """
    text = "\n".join(document.lines)
    found = (
        _row(document.stem, text, sentence, target)
        for sentence in read_sentences(document, table)
        for target in targets_in(sentence.text, _years())
    )
    rows = [row for row in found if _is_name(row["metric"])]
    types = catalogue.dtypes("prose_targets")
    return link_targets(pd.DataFrame(rows, columns=list(types)).assign(region=region)).astype(types)


def _is_name(metric: str) -> bool:
    """Whether a metric can be one: what is longer, or has no letter, was no sentence."""
    return len(metric) <= _LONGEST and any(char.isalpha() for char in metric)


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
    }


# --- what a target speaks of ------------------------------------------------------------------------------


def link_targets(prose: pd.DataFrame, targets: pd.DataFrame | None = None) -> pd.DataFrame:
    """Say anew of every target which indicator it speaks of.

    Parameters
    ----------
    prose : DataFrame
        Targets of sentences, with their ``region``, ``metric`` and ``unit``.
    targets : DataFrame, optional
        Rows of the tables: a sentence may also use the very name of a row of its own plan that is outside the
        catalogue.

    Returns
    -------
    DataFrame
        With the columns ``indicator`` (a code, or empty) and ``linked_indicator`` (the catalogue's number, where
        the code has one).

    Examples
    --------
    >>> prose = pd.DataFrame({"region": "330213", "metric": ["每千人口托位数", "乐龄中心覆盖率"], "unit": ["个", "%"]})
    >>> row = pd.DataFrame({"region": ["330213"], "indicator": ["local:乐龄中心覆盖率"], "unit": ["%"]})
    >>> link_targets(prose, row)[["indicator", "linked_indicator"]].astype(object).values.tolist()
    [['nursery_places', 1], ['local:乐龄中心覆盖率', <NA>]]
    """
    rows = () if targets is None else targets[targets["indicator"].str.startswith(LOCAL)].itertuples()
    own = {(row.region, row.indicator): row.unit for row in rows}
    codes = []
    for said in prose.itertuples():
        local = LOCAL + folded(said.metric)
        is_row = (said.region, local) in own and _monthly(own[said.region, local]) == _monthly(said.unit)
        codes.append(indicator_of(said.metric, said.unit) or (local if is_row else ""))
    numbers = [_entries()[code]["number"] if code in _entries() else pd.NA for code in codes]
    return prose.assign(indicator=codes, linked_indicator=pd.array(numbers, dtype="Int64"))


@cache
def indicator_of(metric: str, unit: str = "") -> str:
    """Find the code of the indicator that a metric speaks of, by ``prose_links.csv`` or by its very name; else empty.

    What is paid a month is not what an indicator counts in years.

    >>> indicator_of("最低生活保障标准", "元"), indicator_of("最低生活保障标准", "元/月")
    ('dibao_standard', '')
    """
    printed = folded(metric)
    if len(printed) > _LONGEST:
        return ""
    code = next((code for pattern, code in _links() if pattern.search(printed)), "") or find_indicator(metric) or ""
    return code if code and _monthly(unit) == _monthly(_entries()[code]["unit"]) else ""


@cache
def _links() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((compiled(row.pattern, "prose_links.csv"), row.code) for row in catalogue.prose_links().itertuples())


@cache
def _entries() -> dict[str, dict[str, Any]]:
    return catalogue.indicators().set_index("code").to_dict(orient="index")


def _monthly(unit: str) -> bool:
    return "月" in unit.partition("/")[2]
