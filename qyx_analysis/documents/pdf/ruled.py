"""Cells -> rows; and the cells that the ruling lines of a page draw."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise, product, takewhile
from typing import NamedTuple

from qyx_analysis.documents import one_line
from qyx_analysis.documents.pdf.text import Box, cell_text, compact, lines_of, text_of

NEAR = 3.0  # points: two lines, or a line and the end of another, no further apart meet
SIDES = 10.0  # points: tables whose sides are no further apart are as wide
MAX_CELLS = 5000  # of a page
MAX_LINES = 20_000  # on one page; more than this is a drawing
SERIAL = re.compile(r"[^\w\s]{0,2}\d{1,3}[^\w\s]{0,2}")
_WORD = re.compile(r"[^\W\d]")

Frame = list[Box]  # the cells of a table


class Slot(NamedTuple):
    """One place of a table: the text printed here, and how many rows above and in which column its cell starts."""

    text: str
    above: int
    column: int


class Table(NamedTuple):
    """How far the columns of a table reach; its rows, each with its page."""

    columns: list[Box]
    rows: list[tuple[int, list[Slot]]]

    def goes_on(self, table: Table) -> bool:
        """Whether a table follows on the next page, in the same columns."""
        alike = len(table.columns) == len(self.columns) and is_as_wide(table.columns, self.columns)
        return alike and table.rows[0][0] == self.rows[-1][0] + 1


def find_frames(chars: list[Box], rulings: Sequence[Box]) -> tuple[list[Frame], list[Box]]:
    """The ruled tables of a page, and the characters outside them: all where lines do not part the rows."""
    frames: list[Frame] = []
    long = [rule for rule in rulings if max(rule.width, rule.height) > NEAR]
    down = sorted((rule for rule in long if rule.width <= rule.height), key=lambda rule: rule.y0)
    while down and len(long) < MAX_LINES:
        bottom, vs = down[0].y1, []
        while down and down[0].y0 <= bottom + NEAR:
            bottom = max(bottom, down[0].y1)
            vs.append(down.pop(0))
        ends = _distinct(v.x for v in vs)
        hs = [h for h in long if h.width > h.height and vs[0].y0 - NEAR <= h.y <= bottom + NEAR]
        hs = [h for h in hs if any(h.x0 - NEAR <= x <= h.x1 + NEAR for x in ends)]
        # The outer lines may be missing: tables open left and right, or cut by the end of the page.
        xs = _distinct(
            [v.x for v in vs] + [min((h.x0 for h in hs), default=vs[0].x), max((h.x1 for h in hs), default=vs[0].x)]
        )
        ys = _distinct([*(h.y for h in hs), vs[0].y0, bottom])
        if len(xs) < 3 or len(ys) < 2 or len(xs) * len(ys) > MAX_CELLS:
            continue
        left = _walls([(v.x, v.y0, v.y1) for v in vs], xs, ys)
        at = _cells(xs, ys, left, _walls([(h.y, h.x0, h.x1) for h in hs], ys, xs))
        inside: dict[Box | None, list[Box]] = defaultdict(list)
        for char in chars:
            inside[at.get((bisect_right(ys, char.y) - 1, bisect_right(xs, char.x) - 1))].append(char)
        outside = inside.pop(None, [])
        if inside and not any(map(_counts_up, inside.values())):
            frames.append([_filled(cell, inside[cell], chars[0].page) for cell in dict.fromkeys(at.values())])
            chars = outside
    return frames, chars


def _distinct(values: Iterable[float]) -> list[float]:
    kept: list[float] = []
    for value in sorted(values):
        if not kept or value - kept[-1] > 2 * NEAR:
            kept.append(value)
    return kept


def _walls(rules: Iterable[Sequence[float]], lines: list[float], others: list[float]) -> set[tuple[int, int]]:
    """On which line which stretch between two of the other lines is ruled."""
    at = [(min(range(len(lines)), key=lambda i: abs(lines[i] - rule[0])), rule) for rule in rules]
    middles = [(a + b) / 2 for a, b in pairwise(others)]
    return {(line, i) for line, rule in at for i, middle in enumerate(middles) if rule[1] < middle < rule[2]}


def _cells(
    xs: list[float], ys: list[float], left: set[tuple[int, int]], above: set[tuple[int, int]]
) -> dict[tuple[int, int], Box]:
    """The cell at each row and column between the lines, by the walls left of them and above them."""
    at: dict[tuple[int, int], Box] = {}
    for row, column in product(range(len(ys) - 1), range(len(xs) - 1)):
        end, low = column + 1, row + 1
        while end < len(xs) - 1 and (end, row) not in left and (row, end) not in at:
            end += 1
        while low < len(ys) - 1 and not any((low, i) in above for i in range(column, end)):
            low += 1
        if (row, column) not in at:
            cell = Box("", xs[column], ys[row], xs[end], ys[low])
            at |= {place: cell for place in product(range(row, low), range(column, end)) if place not in at}
    return at


def _counts_up(chars: Iterable[Box]) -> bool:
    """Whether one cell holds the numbers of several rows."""
    texts = [compact(text_of(line)) for line in lines_of(chars)]
    numbers = [int(re.sub(r"\D", "", text)) for text in texts if SERIAL.fullmatch(text)]
    return any(a + 1 == b for a, b in pairwise(numbers))


def _filled(cell: Box, chars: Iterable[Box], page: int) -> Box:
    pieces = [piece for line in lines_of(chars) for piece in line]
    return cell._replace(text=cell_text(pieces, cell.width), page=page)


# --- rows -------------------------------------------------------------------------------------------------


def as_table(frame: Frame, before: Table | None = None) -> Table:
    """The rows of a frame, in the columns of its row with the most cells or of the table ``before`` if as wide."""
    tops = sorted({cell.y0: cell.page for cell in frame}.items())
    across = [sorted((c for c in frame if c.y0 <= top < c.y1), key=lambda cell: cell.x0) for top, _ in tops]
    columns = max(across, key=len)
    if before and is_as_wide(columns, before.columns) and len(before.columns) > len(columns):
        columns = before.columns
    rows = [(page, [Slot("", 0, i) for i in range(len(columns))]) for _, page in tops]
    for cell in sorted(frame, key=lambda cell: cell.x0):
        nearest = min(range(len(columns)), key=lambda i: abs(columns[i].x - cell.x))
        covered = [i for i, column in enumerate(columns) if cell.x0 <= column.x <= cell.x1] or [nearest]
        below = [row for (top, _), (_, row) in zip(tops, rows, strict=True) if cell.y0 <= top < cell.y1]
        for (above, row), i in product(enumerate(below), covered):
            text = "" if above or i > covered[0] else cell.text
            row[i] = Slot(f"{row[i].text} {text}".strip(), above, covered[0])
    return Table(columns, rows)


def is_as_wide(columns: Sequence[Box], others: Sequence[Box]) -> bool:
    return abs(columns[0].x0 - others[0].x0) < SIDES and abs(columns[-1].x1 - others[-1].x1) < SIDES


def join_tables(before: Table, table: Table) -> None:
    """Put the rows of the next page below, and together what the page cut: a merged cell and its text, and a row."""
    said = [[slot.text for slot in row] for _, row in before.rows]
    heads = list(takewhile(lambda row: [slot.text for slot in row[1]] in said, table.rows))
    rows = [row for _, row in table.rows[len(heads) :]]
    last, first = before.rows[-1][1], rows[0] if rows else []
    for i, slot in enumerate(first):
        top = before.rows[-1 - last[i].above][1]
        merged = last[i].above or sum(row[i].above == n for n, row in enumerate(rows)) > 1
        if merged and not top[i].text:
            top[i], first[i] = top[i]._replace(text=slot.text), slot._replace(text="")
    if rows and _is_cut(last, first):
        last[:] = [a._replace(text=one_line([a.text, b.text])) for a, b in zip(last, first, strict=True)]
        first[:] = [slot._replace(text="") for slot in first]
    before.rows.extend(table.rows)


def _is_cut(last: Sequence[Slot], first: Sequence[Slot]) -> bool:
    """Whether two rows are one: only words go on, and one of them lacks most of what a row has."""
    pairs = [(a.text, b.text) for a, b in zip(last, first, strict=True)]
    both = [text for pair in pairs if all(pair) for text in pair]
    printed = min(sum(map(bool, texts)) for texts in zip(*pairs, strict=True))
    alone = all(slot.column == i for i, slot in enumerate(first))
    return alone and bool(both) and 2 * printed < len(pairs) and all(map(_WORD.search, both))
