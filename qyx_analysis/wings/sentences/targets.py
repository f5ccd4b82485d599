"""The sentences of a plan -> its quantified targets, their indicators, and where they differ from the table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from math import isclose
from typing import Any

import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.catalogue import LOCAL
from qyx_analysis.cells import normal
from qyx_analysis.documents import Document
from qyx_analysis.layouts import Table
from qyx_analysis.names.indicators import find_indicator, folded
from qyx_analysis.names.listing import indicators_of
from qyx_analysis.names.units import conversion, find_unit
from qyx_analysis.problems import compiled
from qyx_analysis.tidy.findings import as_frame, finding
from qyx_analysis.tidy.meaning import with_meaning
from qyx_analysis.wings.sentences.grammar import Target, targets_in
from qyx_analysis.wings.sentences.sentences import Sentence, read_sentences

_LONGEST = 80  # characters of a name


def prose_targets(document: Document, region: str = "", table: Table | None = None) -> pd.DataFrame:
    """Read every quantified target of a document's sentences, as printed; the lines of ``table`` are no sentences."""
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
    """What is longer, or has no letter, was no sentence."""
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
    """Say anew which indicator each target speaks of; in ``targets``, also a row of its plan by its very name."""
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
    """The indicator that a metric speaks of, or empty; what is paid a month is none that counts in years."""
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


# --- what differs from the table -----------------------------------------------------------------------------

_SIGNS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_FLOW = re.compile("新增|城镇新增|开展")  # said for all years together, printed for each year: both may be right
_COMPARED = ("point", "lower_bound", "upper_bound", "full_coverage")


def compare_with_table(prose: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Findings, at the table's cell, where a target of the prose differs from the row of the same name."""
    return as_frame([found for _, found in find_differences(prose, targets)])


def find_differences(prose: pd.DataFrame, targets: pd.DataFrame) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Each target of the prose that differs from the table, with the finding; one without a year is of the last."""
    indicators = indicators_of(targets).set_index("code", drop=False)
    ordered = with_meaning(targets).sort_values("year", kind="stable")
    rows = {key: list(cells.itertuples()) for key, cells in ordered.groupby(["region", "indicator"])}
    entries = indicators.to_dict(orient="index")
    for said in link_targets(prose, targets).itertuples():
        row = rows.get((said.region, said.indicator))
        if row and (found := _difference(said, row, entries[said.indicator])):
            yield said, found


def _difference(said: Any, row: list[Any], entry: dict[str, Any]) -> dict[str, Any] | None:
    stated = row[-1].year if pd.isna(said.year) else int(said.year)
    cell = next((cell for cell in row if cell.year == stated), None)
    words: dict[str, Any] = {"prose": said.metric + printed_value(said), "place": place_of(said), "stated": stated}
    if cell is None:
        return finding(row[-1], "prose_year", "warning", "prose_year_absent", **words)
    if cell.kind not in _COMPARED or said.kind == "words" or said.kind == cell.kind == "full_coverage":
        return None
    words |= {"printed": cell.raw, "at": cell.year, "unit": entry["unit"]}
    low, high = stated_range(said, entry)
    if low is None or high is None or pd.isna(cell.meant):
        return finding(cell, "prose_unit", "warning", year=True, **words)
    if low <= cell.meant <= high or isclose(low, cell.meant):
        same_bound = said.kind == "range" or not cell.operator or said.operator == cell.operator
        return None if same_bound else finding(cell, "prose_bound", "warning", year=True, **words)
    if not said.annual and entry["nature"] != "cumulative" and _FLOW.match(entry["name_zh"]):
        return None
    return _other_value(low, row, cell, entry["nature"] == "cumulative", words)


def _other_value(value: float, row: list[Any], cell: Any, cumulative: bool, words: dict[str, Any]) -> dict[str, Any]:
    """The finding about another value, by where else in the row it stands."""
    others = [other for other in row if other.value == other.value and other.year != cell.year]
    start = next((one for one in others if one.year < cell.year and isclose(cell.value - one.value, value)), None)
    if cumulative and start:
        return finding(cell, "prose_start", "warning", year=True, **words | {"other": start.year})
    same = [other for other in others if isclose(other.value, value)]
    if same and same[-1] is row[-1]:  # the goal of the plan, stated for another year
        return finding(
            row[-1], "prose_year", "warning", year=True, **words | {"printed": row[-1].raw, "at": row[-1].year}
        )
    if same:
        return finding(cell, "prose_value", "error", "prose_value_of", year=True, **words | {"other": same[0].year})
    return finding(cell, "prose_value", "error", year=True, **words)


def stated_range(said: Any, entry: dict[str, Any]) -> tuple[float | None, float | None]:
    """The lowest and highest value that a target states, in the unit of its indicator ``entry``."""
    if said.kind == "full_coverage":
        return (100.0, 100.0) if entry["full_is_best"] else (None, None)
    factor = _factor(said.unit, entry)
    if factor is None or said.kind == "words":
        return None, None
    ends = (said.value_low, said.value_high) if said.kind == "range" else (said.value, said.value)
    return float(ends[0]) * float(factor), float(ends[1]) * float(factor)


def _factor(unit: str, entry: dict[str, Any]) -> Decimal | None:
    """How many units of an indicator one unit of a sentence is."""
    if unit in ("万", "亿"):  # 达到70万: what is counted stands in the name
        unit += entry["unit"].removeprefix("万")
    if normal(unit) == normal(entry["unit"]):
        return Decimal(1)
    if find_unit(entry["unit"]) is None:  # of a row outside the catalogue
        return None
    counted, _, per = unit.partition("/")
    many = per.removeprefix("每").rstrip("人口名户")
    said_in_name = bool(many) and f"每{many}" in entry["name_zh"]  # 每千人口…: 5.5个/千人
    return conversion(counted if said_in_name else unit, entry["unit"])


def printed_value(said: Any) -> str:
    worded = said.kind == "full_coverage" or "成" in said.text_value  # 七成 is read as 70 %
    unit = "" if worded else said.unit
    return f"{_SIGNS.get(said.operator, '')}{said.text_value}{unit}"


def place_of(said: Any) -> tuple[str, str]:
    """The place of a target in the prose, in Chinese and in English."""
    return f"{said.section}，第 {said.char_start} 字", f"{said.section}, character {said.char_start}"
