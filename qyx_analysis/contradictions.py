"""What the sentences of a plan say differently from its table: linked targets of the prose -> findings."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose
from typing import Any

import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.checks import as_frame, finding
from qyx_analysis.names import conversion

_SIGNS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_COMPARED = ("point", "lower_bound", "upper_bound", "full_coverage")


def compare_with_table(prose: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Compare every target of the prose that speaks of a row of the table with that row.

    Parameters
    ----------
    prose : DataFrame
        As :func:`qyx_analysis.prose.prose_targets` gives it, with its ``region``.
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
    >>> from qyx_analysis.prose import prose_targets
    >>> said = Document("plan.txt", "plan", "", ("到2027年，登记失业率保持在3.5%以内。",))
    >>> prose = prose_targets(said, "330213")
    >>> compare_with_table(prose, load_targets())[["rule", "year", "raw"]].values.tolist()
    [['prose_bound', 2027, '<3.5']]
    """
    return as_frame([found for _, found in differing(prose, targets)])


def differing(prose: pd.DataFrame, targets: pd.DataFrame) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Each target of the prose (a row of its frame) that differs from the table, and the finding about it."""
    ordered = targets.dropna(subset=["number"]).sort_values("year", kind="stable")
    tables = dict(list(ordered.groupby(["region", "number"])))
    entries = catalogue.indicators().set_index("code").to_dict(orient="index")
    for said in prose.dropna(subset=["linked_indicator"]).itertuples():
        row = tables.get((said.region, said.linked_indicator))
        if row is not None and row["indicator"].iloc[0] in entries:
            for found in _differences(said, list(row.itertuples()), entries[row["indicator"].iloc[0]]):
                yield said, found


def _differences(said: Any, row: list[Any], entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """At most one difference between what the prose said and a printed row of the table."""
    last = row[-1]
    stated = last.year if pd.isna(said.year) else int(said.year)
    cell = next((cell for cell in row if cell.year == stated), None)
    words: dict[str, Any] = {"prose": said.metric + printed_value(said), "place": place_of(said), "stated": stated}
    if cell is None:
        yield finding(last, "prose_year", "warning", "prose_year_absent", **words)
        return
    words |= {"printed": cell.raw, "at": cell.year, "unit": entry["unit"]}
    if cell.kind not in _COMPARED:
        return
    low, high = stated_range(said, entry)
    number = _number(cell, entry)
    if said.kind == cell.kind == "full_coverage":
        return
    if low is None or high is None or number is None:
        yield finding(cell, "prose_unit", "warning", year=True, **words)
    elif low <= number <= high or isclose(low, number):
        if said.kind != "range" and cell.operator and said.operator != cell.operator:
            yield finding(cell, "prose_bound", "warning", year=True, **words)
    else:
        yield _other_value(low, row, cell, entry, words)


def _other_value(
    value: float, row: list[Any], cell: Any, entry: dict[str, Any], words: dict[str, Any]
) -> dict[str, Any]:
    numbers = [other for other in row if other.value == other.value and other.year != cell.year]
    if entry["nature"] == "cumulative":
        for other in numbers:
            if other.year < cell.year and isclose(cell.value - other.value, value):
                return finding(cell, "prose_start", "warning", year=True, **words | {"other": other.year})
    same = [other for other in numbers if isclose(other.value, value)]
    if same and same[-1] is row[-1]:  # the goal of the plan, stated for another year
        words |= {"printed": row[-1].raw, "at": row[-1].year}
        return finding(row[-1], "prose_year", "warning", year=True, **words)
    if same:
        return finding(cell, "prose_value", "error", "prose_value_of", year=True, **words | {"other": same[0].year})
    return finding(cell, "prose_value", "error", year=True, **words)


def stated_range(said: Any, entry: dict[str, Any]) -> tuple[float | None, float | None]:
    """The lowest and highest value that a target of the prose states, in the unit of its indicator ``entry``."""
    if said.kind == "full_coverage":
        return (100.0, 100.0) if entry["full_is_best"] else (None, None)
    unit = said.unit
    if unit in ("万", "亿"):  # 达到70万: what is counted stands in the name
        unit += entry["unit"].removeprefix("万")
    factor = conversion(unit, entry["unit"])
    if factor is None:
        return None, None
    ends = (said.value_low, said.value_high) if said.kind == "range" else (said.value, said.value)
    return float(ends[0]) * float(factor), float(ends[1]) * float(factor)


def _number(cell: Any, entry: dict[str, Any]) -> float | None:
    if cell.kind == "full_coverage":
        return 100.0 if entry["full_is_best"] else None
    return None if pd.isna(cell.value) else float(cell.value)


def printed_value(said: Any) -> str:
    """The value of a target of the prose with its sign and unit."""
    unit = "" if said.kind == "full_coverage" else said.unit
    return f"{_SIGNS.get(said.operator, '')}{said.text_value}{unit}"


def place_of(said: Any) -> tuple[str, str]:
    """Where the prose says it, in Chinese and in English."""
    return f"{said.section}，第 {said.char_start} 字", f"{said.section}, character {said.char_start}"
