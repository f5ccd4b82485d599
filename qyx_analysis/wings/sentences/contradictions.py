"""What the sentences of a plan say differently from its table: linked targets of the prose -> findings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from math import isclose
from typing import Any

import pandas as pd

from qyx_analysis.cells import normal
from qyx_analysis.names.listing import indicators_of
from qyx_analysis.names.units import conversion, find_unit
from qyx_analysis.tidy.findings import as_frame, finding
from qyx_analysis.tidy.meaning import with_meaning
from qyx_analysis.wings.sentences.targets import link_targets

_SIGNS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_FLOW = re.compile("新增|城镇新增|开展")  # said for all years together, printed for each year: both may be right
_COMPARED = ("point", "lower_bound", "upper_bound", "full_coverage")


def compare_with_table(prose: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Compare every target of the prose that speaks of a row of the table with that row.

    A row is who its name says: its printed number has no part in it.

    Parameters
    ----------
    prose : DataFrame
        As :func:`qyx_analysis.wings.sentences.targets.prose_targets` gives it, with its ``region``.
    targets : DataFrame
        As :func:`qyx_analysis.load_targets` gives it.

    Returns
    -------
    DataFrame
        Findings, one for each difference: ``prose_bound`` (same number, another bound), ``prose_value``,
        ``prose_start`` (a cumulative number counted from another year), ``prose_unit`` (cannot be compared) or
        ``prose_year``. Each stands at the table's cell; its message has the words of the prose and their place.
        A target without a year is compared with the last year of the table.

    Examples
    --------
    >>> from qyx_analysis import load_targets
    >>> from qyx_analysis.documents import Document
    >>> from qyx_analysis.wings.sentences.targets import prose_targets
    >>> said = Document("plan.txt", "plan", "", ("到2027年，登记失业率保持在3.5%以内。",))
    >>> prose = prose_targets(said, "330213")
    >>> compare_with_table(prose, load_targets())[["rule", "year", "raw"]].values.tolist()
    [['prose_bound', 2027, '<3.5']]
    """
    return as_frame([found for _, found in find_differences(prose, targets)])


def find_differences(prose: pd.DataFrame, targets: pd.DataFrame) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Give each target of the prose (a row of its frame) that differs from the table, and the finding about it."""
    indicators = indicators_of(targets).set_index("code", drop=False)
    ordered = with_meaning(targets).sort_values("year", kind="stable")
    rows = {key: list(cells.itertuples()) for key, cells in ordered.groupby(["region", "indicator"])}
    entries = indicators.to_dict(orient="index")
    for said in link_targets(prose, targets).itertuples():
        row = rows.get((said.region, said.indicator))
        if row and (found := _difference(said, row, entries[said.indicator])):
            yield said, found


def _difference(said: Any, row: list[Any], entry: dict[str, Any]) -> dict[str, Any] | None:
    """The difference between what the prose said and a printed row of the table, if there is one."""
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
    """The finding about a stated value that is not the printed one, by where else in the row it stands."""
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
    """Give the lowest and highest value that a target of the prose states, in the unit of its indicator ``entry``."""
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
    """Write the value of a target of the prose with its sign and unit."""
    worded = said.kind == "full_coverage" or "成" in said.text_value  # 七成 is read as 70 %
    unit = "" if worded else said.unit
    return f"{_SIGNS.get(said.operator, '')}{said.text_value}{unit}"


def place_of(said: Any) -> tuple[str, str]:
    """Say where the prose has a target, in Chinese and in English."""
    return f"{said.section}，第 {said.char_start} 字", f"{said.section}, character {said.char_start}"
