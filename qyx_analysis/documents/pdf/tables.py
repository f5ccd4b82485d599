"""Cells that the ruling lines of a page draw -> the rows of a table, over pages."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise, product, takewhile
from typing import NamedTuple

from qyx_analysis.documents import one_line
from qyx_analysis.documents.pdf.text import Box, cell_text, is_serial, lines_of, runs, text_of

NEAR = 3.0  # points: two lines, or a line and the end of another, no further apart meet
SIDES = 10.0  # points: tables whose sides are no further apart are as wide
MAX_CELLS = 5000  # of a page
MAX_LINES = 20_000  # on one page; more than this is a drawing
_YEAR_AND_VALUE = re.compile(r"20\d\d年?\n\D?\d")
_WORD = re.compile(r"[^\W\d]")

Walls = set[tuple[int, int]]


class Table(NamedTuple):
    """The rows of a table, and its widest, which tells the columns. A merged cell stands wherever it reaches."""

    columns: list[Box]
    rows: list[list[Box]]

    @property
    def texts(self) -> list[list[str]]:
        """What each row says."""
        return [[cell.text for cell in row] for row in self.rows]


def find_frames(chars: list[Box], rulings: Sequence[Box]) -> tuple[list[list[Box]], list[Box]]:
    """The cells of each ruled table of a page, and the characters outside them: all where no lines part the rows."""
    frames: list[list[Box]] = []
    across = [rule for rule in rulings if rule.width > max(rule.height, NEAR)]
    down = sorted((rule for rule in rulings if rule.height > max(rule.width, NEAR)), key=lambda rule: rule.y0)
    if len(across) + len(down) > MAX_LINES:
        return frames, chars
    lows = list(accumulate((rule.y1 for rule in down), max))
    for run in runs(range(len(down)), lambda _, i: down[i].y0 <= lows[i - 1] + NEAR):
        vs, top, bottom = [down[i] for i in run], down[run[0]].y0, lows[run[-1]]
        ends = _distinct(v.x for v in vs)
        hs = [h for h in across if top - NEAR <= h.y <= bottom + NEAR]
        hs = [h for h in hs if any(h.x0 - NEAR <= x <= h.x1 + NEAR for x in ends)]
        # The outer lines may be missing: tables open left and right, or cut by the end of the page.
        xs = _distinct([*ends, min(rule.x0 for rule in vs + hs), max(rule.x1 for rule in vs + hs)])
        ys = _distinct([*(h.y for h in hs), top, bottom])
        if len(xs) < 3 or len(ys) < 2 or len(xs) * len(ys) > MAX_CELLS:
            continue
        left = _walls(((v.x, v.y0, v.y1) for v in vs), xs, ys)
        at = _cells(xs, ys, left, _walls(((h.y, h.x0, h.x1) for h in hs), ys, xs))
        inside: dict[Box | None, list[Box]] = defaultdict(list)
        for char in chars:
            inside[at.get((bisect_right(ys, char.y) - 1, bisect_right(xs, char.x) - 1))].append(char)
        outside = inside.pop(None, [])
        if inside and not any(map(_counts_up, inside.values())):
            frames.append([_filled(cell, inside[cell], chars[0].page) for cell in dict.fromkeys(at.values())])
            chars = outside
    return frames, chars


def _distinct(values: Iterable[float]) -> list[float]:
    return [run[0] for run in runs(sorted(values), lambda run, value: value - run[0] <= 2 * NEAR)]


def _walls(rules: Iterable[tuple[float, float, float]], lines: list[float], others: list[float]) -> Walls:
    """On which line which stretch between two of the other lines is ruled."""
    between = [(a + b) / 2 for a, b in pairwise(lines)]
    middles = [(a + b) / 2 for a, b in pairwise(others)]
    return {
        (bisect_right(between, at), i)
        for at, start, end in rules
        for i in range(bisect_right(middles, start), bisect_right(middles, end))
    }


def _cells(xs: list[float], ys: list[float], left: Walls, above: Walls) -> dict[tuple[int, int], Box]:
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
    """Whether one cell holds the numbers of several rows, or a year and the value below it."""
    texts = list(map(text_of, lines_of(chars)))
    numbers = [int(re.sub(r"\D", "", text)) for text in texts if is_serial(text)]
    return any(a + 1 == b for a, b in pairwise(numbers)) or bool(_YEAR_AND_VALUE.match("\n".join(texts)))


def _filled(cell: Box, chars: Iterable[Box], page: int) -> Box:
    pieces = [piece for line in lines_of(chars) for piece in line]
    return cell._replace(text=cell_text(pieces, cell.width), page=page)


def as_table(cells: Sequence[Box]) -> Table:
    """The rows of a table, in the columns of its row with the most cells."""
    tops = sorted({cell.y0: cell.page for cell in cells}.items())
    across = [sorted((c for c in cells if c.y0 <= top < c.y1), key=lambda cell: cell.x0) for top, _ in tops]
    columns = max(across, key=len)
    rows = []
    for (top, page), found in zip(tops, across, strict=True):
        row = [Box("", column.x0, top, column.x1, top, page) for column in columns]
        for cell in found:
            nearest = min(range(len(columns)), key=lambda i: abs(columns[i].x - cell.x))
            for i in [i for i, c in enumerate(columns) if cell.x0 <= c.x <= cell.x1] or [nearest]:
                row[i] = cell._replace(text=f"{row[i].text} {cell.text}") if row[i].text else cell
        rows.append(row)
    return Table(columns, rows)


def join_tables(before: Table, table: Table) -> bool:
    """Put the rows of the next page below, and together what the page cut: a merged cell and its text, and a row."""
    last, columns, others = before.rows[-1], before.columns, table.columns
    sides = abs(columns[0].x0 - others[0].x0), abs(columns[-1].x1 - others[-1].x1)
    if len(columns) != len(others) or max(sides) > SIDES or table.rows[0][0].page != last[0].page + 1:
        return False
    heads = list(takewhile(before.texts.__contains__, table.texts))
    rows = table.rows[len(heads) :]
    for i, cell in enumerate(rows[0] if rows else []):
        merged = any(row[i] == other[i] for row, other in (*pairwise(before.rows[-2:]), *pairwise(rows[:2])))
        if merged and not last[i].text:
            _say(before.rows, i, last[i], cell.text)
            _say(rows, i, cell, "")
    pairs = list(zip(last, *rows[:1], strict=True)) if rows else []
    if _is_cut(pairs):
        last[:] = [a._replace(text=one_line([a.text, b.text])) for a, b in pairs]
        rows[0][:] = [b._replace(text="") for _, b in pairs]
    before.rows.extend(table.rows)
    return True


def _say(rows: Sequence[list[Box]], column: int, cell: Box, text: str) -> None:
    for row in rows:
        row[column] = cell._replace(text=text) if row[column] == cell else row[column]


def _is_cut(pairs: Sequence[tuple[Box, Box]]) -> bool:
    """Whether two rows are one: only words go on, and one of them lacks most of what a row has."""
    both = [cell.text for pair in pairs for cell in pair if all(cell.text for cell in pair)]
    few = min((sum(bool(cell.text) for cell in row) for row in zip(*pairs, strict=True)), default=0)
    alone = len({below for _, below in pairs}) == len(pairs)
    return alone and bool(both) and 2 * few < len(pairs) and all(map(_WORD.search, both))
