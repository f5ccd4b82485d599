"""A stream of cells without row ends -> rows, by one grammar: *domain? number? name+ unit? value × k department?*.

The reading is the cheapest way to cut the stream into rows, found from its end. A cell is told by its look alone; a
row earns, and what is unusual in it costs: a domain or name that nobody knows, a name over two lines, a missing number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf

from qyx_analysis.documents import Cell
from qyx_analysis.layouts.printed import (
    Column,
    count_cjk,
    domain_named,
    heading_text,
    is_department,
    is_name,
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
_LEFT = 4.0  # each number that is left when the table ends
_LONGEST = {"domain": 2, "indicator": 4, "department": 3, "note": 3, "unit": 1}
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
    left = [0.0] * (len(tokens) + 1)
    for i in range(len(tokens) - 1, -1, -1):
        left[i] = left[i + 1] + (_LEFT if is_number(tokens[i].text) else 0)
    best: list[tuple[float, Reading | None]] = [(0.0, None)] * (len(tokens) + 1)
    for at in range(len(tokens) - 1, -1, -1):
        best[at] = left[at], None
        for reading, cost in _rows_at(tokens, at, template):
            total = cost + best[reading.end][0]
            if total < best[at][0]:
                best[at] = total, reading
    rows: list[Reading] = []
    at = 0
    while found := best[at][1]:
        rows.append(found)
        at = found.end
    return rows, at


def _rows_at(tokens: Sequence[Cell], at: int, template: Sequence[Column]) -> Iterator[tuple[Reading, float]]:
    if not (is_text(tokens[at].text) or is_serial(tokens[at].text) or is_name(tokens[at].text)):
        return
    # place, column, cost, and how many cells each column took
    open_rows: list[tuple[int, int, float, tuple[int, ...]]] = [(at, 0, _EARNED, ())]
    while open_rows:
        place, index, cost, taken = open_rows.pop()
        if index == len(template):
            yield _reading(tokens, at, template, taken), cost
            continue
        for count, price in _choices(tokens, place, template, index, taken):
            open_rows.append((place + count, index + 1, cost + price, (*taken, count)))


def _choices(
    tokens: Sequence[Cell], at: int, template: Sequence[Column], index: int, taken: tuple[int, ...]
) -> Iterator[tuple[int, float]]:
    """How many cells a column may take here, and what each choice costs."""
    column = template[index]
    texts = [cell.text for cell in tokens[at : at + _LONGEST.get(column.role, 1)]]
    if column.role == "year":
        if texts and value_kind(texts[0]):
            yield 1, _value_cost(texts[0])
        if _merged(tokens, at, template, index, taken):
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


def _merged(tokens: Sequence[Cell], at: int, template: Sequence[Column], index: int, taken: tuple[int, ...]) -> bool:
    """Whether the value before stands for this year too: merged text, printed once."""
    if index == 0 or template[index - 1].role != "year":
        return False
    return value_kind(tokens[at - 1].text) == "reference"


def _value_cost(text: str) -> float:
    kind = value_kind(text)
    if kind in ("words", "unreadable"):
        spoken = domain_named(text) or is_indicator(text) or is_department(text) or is_unit(text)
        return inf if spoken or count_cjk(text) > 10 else 2.0
    return 0.5 if kind == "several" else 0.0


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
    if any(is_indicator(text) for text in texts) and not is_unit(texts[-1]):
        return inf
    goes_on = count_cjk(first) >= 9 or first.count("(") + first.count("（") > first.count(")") + first.count("）")
    cost = sum(0.3 if is_unit(text) else 1.5 if goes_on else 3.5 for text in texts[1:])
    cost += sum(8.0 for text in texts if domain_named(text))
    cost += 3.0 if len(texts) > 1 and is_own_domain(first) else 0.0
    return cost + (0.0 if count_cjk(joined) >= 4 else 3.0)


@lru_cache(maxsize=8192)
def _domain_cost(texts: tuple[str, ...]) -> float:
    joined = "".join(texts)
    if domain_named(joined):
        return 0.0
    if len(texts) > 1:
        return inf if any(domain_named(text) for text in texts) else 5.0 + _domain_cost((joined,))
    text = heading_text(joined)
    if is_value(text) or is_indicator(text) or not 2 <= count_cjk(text) <= 8 or count_cjk(text) < len(text):
        return inf
    return (2.0 if is_own_domain(joined) else 4.0) + (4.0 if is_department(text) else 0.0)


def _department_cost(texts: tuple[str, ...]) -> float:
    if any(domain_named(text) or is_indicator(text) or is_value(text) or is_prose(text) for text in texts):
        return inf
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


def _reading(tokens: Sequence[Cell], at: int, template: Sequence[Column], taken: tuple[int, ...]) -> Reading:
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
