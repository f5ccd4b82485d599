"""Ruling lines -> ruled tables: cells between lines, merged ones with all that they cover."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from qyx_analysis.documents.pdf.lines import Box, cell_text, compact, is_serial, lines_of, text_of, year_columns
from qyx_analysis.documents.pdf.parts import Part, Slot, Span

NEAR = 3.0  # points: two lines, or a line and the end of another, no further apart meet
MAX_CELLS = 5000  # of a page
MAX_LINES = 400  # horizontal or vertical ones on one page; more than this is a drawing


class Region(NamedTuple):
    """A ruled cell: the rows and columns of the lattice that it covers."""

    row: int
    last_row: int
    column: int
    last_column: int


@dataclass
class Lattice:
    """A ruled table: its lines, and the cells between them."""

    xs: list[float]
    ys: list[float]
    regions: list[Region]
    at: dict[tuple[int, int], int]  # row and column of the lattice -> index of the region

    def span(self, region: Region) -> Span:
        return Span(self.xs[region.column], self.xs[region.last_column + 1])

    def find(self, char: Box) -> int | None:
        row, column = bisect_right(self.ys, char.y) - 1, bisect_right(self.xs, char.x) - 1
        return self.at.get((row, column))


class _Rule(NamedTuple):
    at: float  # y of a horizontal line, x of a vertical one
    start: float
    end: float


def lattices(rulings: Iterable[Sequence[float]]) -> list[Lattice]:
    """The tables that the ruling lines of a page draw, from top to bottom."""
    rulings = list(rulings)
    across = _merged(_Rule((y0 + y1) / 2, x0, x1) for x0, y0, x1, y1 in rulings if x1 - x0 > y1 - y0)
    down = _merged(_Rule((x0 + x1) / 2, y0, y1) for x0, y0, x1, y1 in rulings if x1 - x0 <= y1 - y0)
    if len(across) > MAX_LINES or len(down) > MAX_LINES:
        return []
    found = [_lattice(hs, vs) for hs, vs in _connected(across, down)]
    return sorted((lattice for lattice in found if lattice), key=lambda lattice: lattice.ys[0])


def _merged(rules: Iterable[_Rule]) -> list[_Rule]:
    """One rule for those that lie on, or go on from, one another."""
    merged: list[_Rule] = []
    for level in _levels(rules):
        at = median(rule.at for rule in level)
        start, end = level[0].start, level[0].end
        for rule in level[1:]:
            if rule.start > end + NEAR:
                merged.append(_Rule(at, start, end))
                start = rule.start
            end = max(end, rule.end)
        merged.append(_Rule(at, start, end))
    return [rule for rule in merged if rule.end - rule.start > NEAR]


def _levels(rules: Iterable[_Rule]) -> list[list[_Rule]]:
    levels: list[list[_Rule]] = []
    for rule in sorted(rules):
        if levels and rule.at - levels[-1][0].at <= NEAR:
            levels[-1].append(rule)
        else:
            levels.append([rule])
    return [sorted(level, key=lambda rule: rule.start) for level in levels]


def _connected(across: list[_Rule], down: list[_Rule]) -> list[tuple[list[_Rule], list[_Rule]]]:
    """Groups of lines that cross or touch one another."""
    groups: list[tuple[list[_Rule], list[_Rule]]] = []
    for v in down:
        touched = [group for group in groups if any(_touch(h, v) for h in group[0])]
        grouped = {h for group in touched for h in group[0]}
        hs = [h for group in touched for h in group[0]] + [h for h in across if h not in grouped and _touch(h, v)]
        vs = [other for group in touched for other in group[1]] + [v]
        groups = [group for group in groups if group not in touched] + [(hs, vs)]
    return groups


def _touch(h: _Rule, v: _Rule) -> bool:
    return h.start - NEAR <= v.at <= h.end + NEAR and v.start - NEAR <= h.at <= v.end + NEAR


def _lattice(hs: list[_Rule], vs: list[_Rule]) -> Lattice | None:
    # The outer lines may be missing: tables open left and right, or cut by the end of the page.
    xs = _distinct([v.at for v in vs] + [h.start for h in hs] + [h.end for h in hs])
    ys = _distinct([h.at for h in hs] + [v.start for v in vs] + [v.end for v in vs])
    if len(xs) < 3 or len(ys) < 2 or len(xs) * len(ys) > MAX_CELLS:
        return None
    left = {  # a wall left of the cell, a wall above the cell
        (row, column)
        for row, y in enumerate(_middles(ys))
        for column, x in enumerate(xs)
        if column == 0 or any(abs(v.at - x) <= NEAR and v.start < y < v.end for v in vs)
    }
    above = {
        (row, column)
        for column, x in enumerate(_middles(xs))
        for row, y in enumerate(ys)
        if row == 0 or any(abs(h.at - y) <= NEAR and h.start < x < h.end for h in hs)
    }
    regions: list[Region] = []
    at: dict[tuple[int, int], int] = {}
    for row in range(len(ys) - 1):
        for column in range(len(xs) - 1):
            if (row, column) in at:
                continue
            last_column, last_row = column, row
            while last_column < len(xs) - 2 and (row, last_column + 1) not in left | at.keys():
                last_column += 1
            while last_row < len(ys) - 2 and not any(
                (last_row + 1, i) in above for i in range(column, last_column + 1)
            ):
                last_row += 1
            for i in range(row, last_row + 1):
                for j in range(column, last_column + 1):
                    at.setdefault((i, j), len(regions))
            regions.append(Region(row, last_row, column, last_column))
    return Lattice(xs, ys, regions, at)


def _distinct(values: Iterable[float]) -> list[float]:
    kept: list[float] = []
    for value in sorted(values):
        if not kept or value - kept[-1] > 2 * NEAR:
            kept.append(value)
    return kept


def _middles(values: list[float]) -> list[float]:
    return [(a + b) / 2 for a, b in pairwise(values)]


def ruled_part(page: int, lattice: Lattice, chars: Iterable[Box], before: Part | None) -> Part | None:
    """The table that a lattice holds, or ``None`` when its lines do not part its rows.

    Its columns are those of its row of years, else of the part ``before``, if that is as wide.
    """
    inside: dict[int, list[Box]] = {}
    for char in chars:
        if (cell := lattice.find(char)) is not None:
            inside.setdefault(cell, []).append(char)
    lines = {i: lines_of(found) for i, found in inside.items()}
    for found in lines.values():
        if _counts_up([text_of(line) for line in found]):
            return None
    texts = [
        cell_text([piece for line in lines.get(i, ()) for piece in line], lattice.span(region).width)
        for i, region in enumerate(lattice.regions)
    ]
    part = Part(page, lattice.ys[0], lattice.ys[-1], [Span(*pair) for pair in pairwise(lattice.xs)], ruled=True)
    height = len(lattice.ys) - 1
    for row in range(height):
        cells = list(dict.fromkeys(lattice.at[row, column] for column in range(len(lattice.xs) - 1)))
        if years := year_columns([texts[i] for i in cells]):
            part.columns, part.header, part.years = [lattice.span(lattice.regions[i]) for i in cells], row, years
            break
    if part.header is None and before and _same_width(part.columns, before.columns):
        part.columns, part.years = before.columns, before.years
    part.rows = [[Slot("", row, column) for column in range(len(part.columns))] for row in range(height)]
    for text, region in zip(texts, lattice.regions, strict=True):
        _lay(part, text, region, lattice.span(region))
    return part


def _counts_up(lines: Sequence[str]) -> bool:
    """Whether one cell holds the numbers of several rows.

    >>> _counts_up(["序号", "①", "*2"]), _counts_up(["126", "00"])
    (True, False)
    """
    numbers = [int(re.sub(r"\D", "", compact(line))) for line in lines if is_serial(line)]
    return any(a + 1 == b for a, b in pairwise(numbers))


def _same_width(columns: Sequence[Span], others: Sequence[Span]) -> bool:
    return abs(columns[0].x0 - others[0].x0) < 10 and abs(columns[-1].x1 - others[-1].x1) < 10


def _lay(part: Part, text: str, region: Region, span: Span) -> None:
    """Put a cell in its place, and a mark that it is merged in the others that it covers."""
    covered = [i for i, column in enumerate(part.columns) if span.x0 <= column.x <= span.x1]
    columns = covered or [min(range(len(part.columns)), key=lambda i: abs(part.columns[i].x - span.x))]
    for row in range(region.row, region.last_row + 1):
        for column in columns:
            was = part.rows[row][column].text  # of another cell below the same one of the header
            more = text if (row, column) == (region.row, columns[0]) else ""
            part.rows[row][column] = Slot(f"{was} {more}".strip(), region.row, columns[0])
