"""A stream of cells without row ends -> rows, by one grammar: *domain? number? name+ unit? value × k department?*.

The reading is the cheapest way to cut the stream into rows, found from its end. A cell is told by its look alone; a
row earns, and what is unusual in it costs: a domain or name that nobody knows, a name over two lines, a missing number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf
from typing import NamedTuple

from qyx_analysis.documents import Cell
from qyx_analysis.layouts.printed import (
    Column,
    count_cjk,
    domain_named,
    heading_text,
    is_department,
    is_number,
    is_own_domain,
    is_prose,
    is_serial,
    is_text,
    is_unit,
    is_value,
    plain,
    value_kind,
)
from qyx_analysis.names import find_unit, is_indicator

_EARNED = -10.0  # by a row
_UNSURE = 6.0  # a row of nothing but words
_LEFT = 4.0  # each number that is left when the table ends
_LONGEST = {"domain": 2, "indicator": 4, "department": 3, "note": 3, "unit": 1}
_WORDS = ("words", "status", "full_coverage", "reference")
_LONGEST_WORD = 6  # characters of words that nobody knows and that may yet be a value
_ATTRIBUTES = ("约束性", "预期性")
_BRACKETS = re.compile(r"[()（）]")
_UNIT_AT_END = re.compile(r"\(([^()]+)\)$")
MAX_TOKENS = 20_000


@dataclass
class Reading:
    """One row of the stream: its cells by role, where it starts and where it ends."""

    start: int
    end: int
    cells: dict[str, list[Cell]]
    values: list[Cell] = field(default_factory=list)


def cut_rows(tokens: Sequence[Cell], columns: Sequence[Column]) -> tuple[list[Reading], int]:
    """The cheapest reading of a stream as rows of these columns, and where it ends."""
    template = list(columns)
    if not any(column.role == "domain" for column in template):
        template.insert(0, Column("domain"))
    best = _cheapest(tokens, template)
    rows: list[Reading] = []
    at = 0
    while best[at][0].taken >= 0:
        taken: list[int] = []
        index, sure, start = 0, False, at
        while index < len(template):
            count = best[at][2 * index + sure].taken
            sure = sure or _is_sure(tokens, at, count, template[index])
            taken.append(count)
            at, index = at + count, index + 1
        rows.append(_reading(tokens, start, template, taken))
    return rows, at


class _Way(NamedTuple):
    """The cheapest way on from a place in the stream, and how many cells the column there takes (-1: the end)."""

    cost: float
    taken: int


def _cheapest(tokens: Sequence[Cell], template: Sequence[Column]) -> list[list[_Way]]:
    """For every place in the stream and every column, without and with a sure value in the row so far, the way on.

    The first of a place is the start of a row, or the end of the table, which costs what numbers are left.
    """
    name = next(i for i, column in enumerate(template) if column.role == "indicator")
    nowhere, end = _Way(inf, -1), 2 * len(template)
    best = [[nowhere] * (end + 2) for _ in range(len(tokens) + 1)]
    left = 0.0
    for at in range(len(tokens), -1, -1):
        ways = best[at]
        left += _LEFT if at < len(tokens) and is_number(tokens[at].text) else 0.0
        # A row takes at least its name: what comes before it leads on from here, and only then what comes after it.
        for index in range(name, -1, -1):
            ways[2 * index] = _way_on(tokens, at, template, index, False, best)
        start = ways[0]._replace(cost=ways[0].cost + _EARNED)
        ways[0] = start if start.cost < left else _Way(left, -1)
        ways[end] = ways[0]._replace(cost=ways[0].cost + _UNSURE)
        ways[end + 1] = ways[0]
        for index in range(len(template) - 1, name, -1):
            for sure in (False, True):
                ways[2 * index + sure] = _way_on(tokens, at, template, index, sure, best)
    return best


def _way_on(
    tokens: Sequence[Cell], at: int, template: Sequence[Column], index: int, sure: bool, best: list[list[_Way]]
) -> _Way:
    found = _Way(inf, -1)
    for count, price in _choices(tokens, at, template, index):
        after = 2 * (index + 1) + (sure or _is_sure(tokens, at, count, template[index]))
        cost = price + best[at + count][after].cost
        if cost < found.cost:
            found = _Way(cost, count)
    return found


def _is_sure(tokens: Sequence[Cell], at: int, count: int, column: Column) -> bool:
    """Whether a column takes what is surely a value."""
    return count == 1 and column.role == "year" and is_value(tokens[at].text)


def _choices(tokens: Sequence[Cell], at: int, template: Sequence[Column], index: int) -> Iterator[tuple[int, float]]:
    """How many cells a column may take here, and what each choice costs."""
    column = template[index]
    texts = [cell.text for cell in tokens[at : at + _LONGEST.get(column.role, 1)]]
    if column.role == "year":
        if texts and value_kind(texts[0]) and not _stands_alone(tokens, at, template, index):
            yield 1, _value_cost(texts[0])
        if _merged(tokens, at, template, index):
            yield 0, 0.1
        return
    if column.role == "indicator":
        for count in range(1, len(texts) + 1):
            cost = _name_cost(tuple(texts[:count]))
            if cost < inf:
                yield count, cost
        return
    yield 0, _ABSENT.get(column.role, 0.0)
    if column.role == "number":
        if texts and is_serial(texts[0]):
            yield 1, 0.0
        return
    for count in range(1, len(texts) + 1):
        cost = _COST[column.role](tuple(texts[:count]))
        if cost < inf:
            yield count, cost


_ABSENT = {"number": 2.0, "department": 1.0, "unit": 0.5}


def _stands_alone(tokens: Sequence[Cell], at: int, template: Sequence[Column], index: int) -> bool:
    """Words nobody knows among numbers: rather the next name, a unit or a note, and a value is lost."""
    text = tokens[at].text
    if value_kind(text) not in ("words", "unreadable") or _is_garbled(text):
        return False
    first = not any(column.role == "year" for column in template[:index])
    last = not any(column.role == "year" for column in template[index + 1 :])
    beside = [] if first else [tokens[at - 1].text]
    beside += [] if last else [cell.text for cell in tokens[at + 1 : at + 2]]
    return not any(value_kind(other) in _WORDS for other in beside)


def _merged(tokens: Sequence[Cell], at: int, template: Sequence[Column], index: int) -> bool:
    """Whether the value before stands for this year too: merged text, printed once."""
    if index == 0 or at == 0 or template[index - 1].role != "year":
        return False
    return value_kind(tokens[at - 1].text) == "reference"


def _value_cost(text: str) -> float:
    kind = value_kind(text)
    if kind in ("words", "unreadable"):
        other = domain_named(text) or is_indicator(text) or is_department(text) or is_unit(text) or find_unit(text)
        long = count_cjk(text) > _LONGEST_WORD or len(text) > count_cjk(text) + 2 or bool(_BRACKETS.search(text))
        garbled = _is_garbled(text)
        return 2.0 if not other and (garbled or (kind == "words" and not long)) else inf
    return 0.5 if kind == "several" else 0.0


def _is_garbled(text: str) -> bool:
    """A number with something wrong in it, such as 8I.2, and not a name with a number in it."""
    return value_kind(text) == "unreadable" and any(map(str.isdigit, text)) and count_cjk(text) < 3


@lru_cache(maxsize=8192)
def _name_cost(texts: tuple[str, ...]) -> float:
    first = texts[0]
    if any(is_value(text) or is_prose(text) for text in texts) or not is_text("".join(texts)):
        return inf
    if count_cjk(first) < 2 or any(is_number(text) for text in texts):
        return inf
    joined = "".join(texts)
    if is_indicator(joined):
        return -3.0
    if any(map(_ends_with_unit, texts[:-1])) or any(domain_named(text) or text in _ATTRIBUTES for text in texts):
        return inf
    if any(is_indicator(text) for text in texts) and not is_unit(texts[-1]):
        return inf
    goes_on = count_cjk(first) >= 9 or first.count("(") + first.count("（") > first.count(")") + first.count("）")
    cost = sum(0.3 if is_unit(text) else 1.5 if goes_on else 3.5 for text in texts[1:])
    cost += 8.0 * sum(map(is_department, texts)) + (4.0 if is_own_domain(joined) else 0.0)
    cost += 3.0 if len(texts) > 1 and is_own_domain(first) else 0.0
    return cost + (0.0 if count_cjk(joined) >= 4 else 3.0)


def _ends_with_unit(text: str) -> bool:
    found = _UNIT_AT_END.search(plain(text))
    return bool(found and find_unit(found[1]))


@lru_cache(maxsize=8192)
def _domain_cost(texts: tuple[str, ...]) -> float:
    joined = "".join(texts)
    if domain_named(joined):
        return 0.0
    if len(texts) > 1:
        spoken = any(domain_named(text) or is_value(text) or is_department(text) for text in texts)
        return inf if spoken else 5.0 + _domain_cost((joined,))
    text = heading_text(joined)
    if is_value(text) or is_indicator(text) or not 2 <= count_cjk(text) <= 8 or count_cjk(text) < len(text):
        return inf
    return (2.0 if is_own_domain(joined) else 4.0) + (4.0 if is_department(text) else 0.0)


def _department_cost(texts: tuple[str, ...]) -> float:
    if any(domain_named(text) or is_indicator(text) or is_value(text) or is_prose(text) for text in texts):
        return inf
    if len(texts) > 1 and is_department("".join(texts)):  # which a narrow column or the end of a page cuts anywhere
        return 1.5 * (len(texts) - 1)
    looks = sum(0.0 if is_department(text) or text.endswith("、") else 2.0 for text in texts)
    return looks + 1.5 * (len(texts) - 1) if all(map(is_text, texts)) else inf


def _note_cost(texts: tuple[str, ...]) -> float:
    if any(domain_named(text) or is_indicator(text) or is_serial(text) for text in texts):
        return inf
    return 2.0 * len(texts)


def _unit_cost(texts: tuple[str, ...]) -> float:
    text = texts[0]
    if plain(text) in ("/", "-", "—", "\\"):
        return 0.2  # no unit
    known = find_unit(plain(text).strip("()"))
    return -0.5 if known else 0.0 if is_unit(text) else inf if is_value(text) or len(text) > 8 else 1.0


_COST: dict[str, Callable[[tuple[str, ...]], float]] = {
    "domain": _domain_cost,
    "department": _department_cost,
    "note": _note_cost,
    "other": _note_cost,
    "unit": _unit_cost,
}


def _reading(tokens: Sequence[Cell], at: int, template: Sequence[Column], taken: Sequence[int]) -> Reading:
    reading = Reading(at, at + sum(taken), {})
    place = at
    for column, count in zip(template, taken, strict=True):
        cells = list(tokens[place : place + count])
        place += count
        if column.role == "year":
            reading.values.append(cells[0] if cells else reading.values[-1])
        else:
            reading.cells.setdefault(column.role, []).extend(cells)
    return reading
