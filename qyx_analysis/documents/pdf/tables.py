"""Tables of a page -> their cells: those that ruling lines draw, and those whose columns only white parts.

Without lines, columns are parted by the white between heads, and rows stand at their numbers.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise, product, takewhile
from typing import NamedTuple

from qyx_analysis.documents import one_line
from qyx_analysis.documents.pdf.text import (
    SAME_LINE,
    Box,
    Line,
    by_line,
    cell_text,
    is_serial,
    lines_of,
    runs,
    text_of,
    union,
    year_columns,
)

NEAR = 3.0  # points: two lines, or a line and the end of another, no further apart meet
SIDES = 10.0  # points: tables whose sides are no further apart are as wide
MAX_CELLS = 5000  # of a page
MAX_LINES = 20_000  # on one page; more than this is a drawing
_WORD = re.compile(r"[^\W\d]")
LEADING = 0.75  # of the height of the type: the lines of one cell leave no more between them
REACH = 1.2  # of that height: lines nearer to the years of a header are of it
APART = 1.8  # of that height: values nearer to the number of a row belong to it
PAGE_GAP = 0.8  # of that height, as between rows
SPREAD = 1.6  # of that height: single characters that are no further apart are one cell of a header
MAX_COLUMNS = 50
ROW_LINES = 8  # within which the next row prints its number
_HEAD_ENDS = re.compile(
    "[年基础数期值现状实际绩完成目标预()（）责任单位部门序号领域指备注]+"
)  # below a header's first line
_HEADING = re.compile(r"[(（]?[一二三四五六七八九十]{1,3}[)）、.．].+")

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
    """Whether one cell holds the numbers of several rows."""
    numbers = [int(re.sub(r"\D", "", text)) for text in map(text_of, lines_of(chars)) if is_serial(text)]
    return any(a + 1 == b for a, b in pairwise(numbers))


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


# --- tables without ruling lines --------------------------------------------------------------------------


def find_tables(lines: Sequence[Line]) -> list[Line | Table]:
    """Lines of text, with the tables among them."""
    strip: list[Line] = []  # as if all pages stood on one, each below the one before
    shift = 0.0
    for was, line in zip([None, *lines], lines, strict=False):
        if was and was[0].page != line[0].page:
            shift += was[0].y1 + PAGE_GAP * line[0].height - line[0].y0
        strip.append([piece._replace(y0=piece.y0 + shift, y1=piece.y1 + shift) for piece in line])
    found: list[Line | Table] = []
    at = 0
    while at < len(strip):
        start, stop, cells = _table(strip, at) if year_columns(_texts(strip[at])) else (at, at + 1, [])
        del found[len(found) - (at - start) :]
        found.append(as_table(cells) if cells else strip[at])
        at = stop
    return found


def _table(lines: Sequence[Line], at: int) -> tuple[int, int, list[Box]]:
    """The table whose years stand on a line: its first line, the line after it, and its cells, if it has rows."""
    em = lines[at][0].height
    start, end = _reach(lines, at)
    heads = _heads([piece for row in lines[start:end] for piece in row])
    years = year_columns(_texts(heads))
    band = (heads[years[0]].x0 - em, heads[years[-1]].x1 + em) if years else (0.0, 0.0)
    stop = _end(lines, start, end, heads, band)
    if not years or len(heads) > MAX_COLUMNS or stop == end:
        return at, at + 1, []
    pieces = [piece for line in lines[start:stop] for piece in line]
    xs = [min(p.x0 for p in pieces), *(_edge(a, b, pieces) for a, b in pairwise(heads)), max(p.x1 for p in pieces)]
    labels = _labels(pieces, xs, heads, years[0])
    again = dict.fromkeys(_reach(lines, i) for i in range(at, stop) if year_columns(_texts(lines[i])))
    headers = [[piece for line in lines[first:last] for piece in line] for first, last in again]
    taken = {piece for some in (*labels.values(), *headers) for piece in some}
    body = [rest for line in lines[start:stop] if (rest := [piece for piece in line if piece not in taken])]
    found = [(row, True) for row in headers] + [(row, False) for row in _rows(body, band)]
    rows = sorted(found, key=lambda row: row[0][0].y)
    below = {i: union(row) for i, (row, is_header) in enumerate(rows) if not is_header}
    frame = [cell for i, (row, _) in enumerate(rows) for cell in _row_cells(row, i, xs, years)]
    for column, label in labels.items():
        for i, text in _labelled(by_line(label), below):
            frame.append(Box(text, xs[column], i, xs[column + 1], i + 1, below[i].page))
    return start, stop, frame if below else []


def _texts(pieces: Iterable[Box]) -> list[str]:
    return [piece.text for piece in pieces]


def _reach(lines: Sequence[Line], at: int) -> tuple[int, int]:
    """The lines around the one with years that belong to its header: near ones, and what says 年 below a number."""
    line, start, end = lines[at], at, at + 1
    while start and line[0].y - lines[start - 1][0].y < REACH * line[0].height and not _spans(lines[start - 1], line):
        start -= 1
    while end < len(lines) and not _spans(lines[end], line):
        far = lines[end][0].y - line[0].y >= REACH * line[0].height
        if far and not _HEAD_ENDS.fullmatch("".join(_texts(lines[end]))):
            break
        end += 1
    return start, end


def _spans(pieces: Sequence[Box], columns: Sequence[Box]) -> bool:
    return any(sum(min(p.x1, c.x1) - max(p.x0, c.x0) > 1 for c in columns) > 1 for p in pieces)


def _heads(pieces: Sequence[Box]) -> list[Box]:
    """The cells of a header: pieces that stand above one another, and characters that are set apart (指  标)."""

    def belongs(cell: list[Box], piece: Box) -> bool:
        single = all(len(other.text) == 1 for other in (*cell, piece))
        return piece.x0 - max(other.x1 for other in cell) < (SPREAD * piece.height if single else -1)

    return [union(cell, cell_text(cell)) for cell in runs(sorted(pieces, key=lambda piece: piece.x0), belongs)]


def _prints(line: Line, band: tuple[float, float]) -> int:
    """How surely a line begins a row: 3 with a number and a value right of it, 2 with a number, 1 with values."""
    numbered = len(line) > 1 and any(p.x1 < band[0] and is_serial(p.text) for p in line)
    values = [piece.text for piece in line if band[0] < piece.x < band[1]]
    if numbered:
        return 2 + bool(values)
    return int(sum(len(text) > 1 or text.isdigit() for text in values) > 1)  # not 年 年 below the years of a header


def _end(lines: Sequence[Line], head: int, start: int, heads: Sequence[Box], band: tuple[float, float]) -> int:
    """After the last line that begins a row, and the lines that wrap below it; the header may stand there again."""
    said = list(map(_texts, lines[head:start]))
    end = start
    for i in range(start, len(lines)):
        texts = _texts(lines[i])
        if i - end > ROW_LINES or (year_columns(texts) and texts not in said):
            break
        end = i + 1 if texts not in said and _prints(lines[i], band) else end
    while start < end < len(lines) and lines[end][0].y0 - lines[end - 1][0].y1 < lines[end][0].height:
        other = year_columns(_texts(lines[end])) or lines[end][0].page != lines[end - 1][0].page
        if other or _spans(lines[end], heads):
            break
        end += 1
    return end


def _edge(head: Box, following: Box, pieces: Sequence[Box]) -> float:
    """Between two heads the middle of the white that the fewest pieces cross, and the widest of such."""
    near = [piece for piece in pieces if piece.x1 > head.x and piece.x0 < following.x]
    xs = sorted({head.x, following.x, *(x for p in near for x in (p.x0, p.x1) if head.x < x < following.x)})
    gaps = [(sum(p.x0 < (a + b) / 2 < p.x1 for p in near), a - b, (a + b) / 2) for a, b in pairwise(xs)]
    return min(gaps)[2]


def _labels(pieces: Sequence[Box], xs: list[float], heads: Sequence[Box], year: int) -> dict[int, list[Box]]:
    """What stands left of the names and is no number, and so may stand for several rows."""
    left: dict[int, list[Box]] = defaultdict(list)
    for piece in pieces:
        left[bisect_right(xs, piece.x) - 1].append(piece)
    named = {i: found for i, found in left.items() if 2 * sum(is_serial(p.text) for p in found) <= len(found)}
    name = max((i for i in named if i < year), key=lambda i: sum(len(p.text) for p in named[i]), default=0)
    return {i: [p for p in found if p.text not in heads[i].text] for i, found in named.items() if i < name}


def _rows(lines: Sequence[Line], band: tuple[float, float]) -> list[Line]:
    """The pieces of each row: where its number or values stand, and the lines above and below."""
    kinds = [_prints(line, band) for line in lines]
    found: list[float] = []
    for kind in (3, 2, 1):  # a number may wrap, and so may values
        alike = [line[0] for line, own in zip(lines, kinds, strict=True) if own == kind]
        found += [piece.y for piece in alike if all(abs(piece.y - y) > APART * piece.height for y in found)]
    headings = [len(line) == 1 and bool(_HEADING.fullmatch(line[0].text)) for line in lines]
    anchors = [(i, line[0]) for i, line in enumerate(lines) if headings[i] or line[0].y in found]
    starts = _shared([union(line) for line in lines], anchors) if anchors else []
    return [[piece for line in lines[a:b] for piece in line] for a, b in pairwise([*starts, len(lines)])]


def _shared(items: Sequence[Box], anchors: Sequence[tuple[int, Box]]) -> list[int]:
    """Cut the items into one run for each anchor, which stands in it: where each run starts.

    Texts are set in the middle of their cells or at the top: the way that fits all of them best is taken. Where a page
    cuts a cell, they may be at its top or in the middle of what the page shows of it.
    """

    def off(start: int, stop: int, anchor: Box, top: bool) -> float:
        run, is_cut = items[start:stop], items[start].page != items[min(stop, len(items) - 1)].page
        shown = [item for item in run if item.page == anchor.page] or run
        middles = [(part[0].y0 + part[-1].y1) / 2 - anchor.y for part in (run, shown)]
        offs = middles * (not top) + [run[0].y0 - anchor.y0] * (top or is_cut)
        return min(map(abs, offs)) ** 2 + 0.001 * (run[-1].y - run[0].y) ** 2

    found = []
    for top in (False, True)[: 2 - bool(anchors[0][0])]:  # nothing stands above what is at the top
        best: dict[int, tuple[float, list[int]]] = {0: (0.0, [])}  # the cheapest runs up to here
        for (at, anchor), (end, _) in pairwise([*anchors, (len(items), items[0])]):
            new: dict[int, tuple[float, list[int]]] = {}
            for stop in range(at + 1, end + 1) if end < len(items) else [end]:
                tries = ((cost + off(i, stop, anchor, top), [*starts, i]) for i, (cost, starts) in best.items())
                new[stop] = min(tries)
            best = new
        found.append(best[len(items)])
    return min(found)[1]


def _row_cells(row: Line, at: int, xs: Sequence[float], years: Sequence[int]) -> list[Box]:
    """The cells of a row; a text over several columns is a merged cell, which blank ones beside it belong to."""
    texts: dict[int, Line] = defaultdict(list)
    ends = {i: i + 1 for i in range(len(xs) - 1)}
    for piece in row:
        first, last = (min(max(bisect_right(xs, x) - 1, 0), len(xs) - 2) for x in (piece.x0 + 1, piece.x1 - 1))
        texts[first].append(piece)
        ends[first] = max(ends[first], last + 1)
    for first in [i for i in years if ends[i] > i + 1]:
        start = next((i + 1 for i in range(first - 1, -1, -1) if i in texts or i not in years), 0)
        stop = next((i for i in range(ends[first], years[-1] + 1) if i in texts), max(ends[first], years[-1] + 1))
        texts[start], ends[start] = texts.pop(first), stop
    return [Box(cell_text(found), xs[i], at, xs[ends[i]], at + 1, found[0].page) for i, found in texts.items()]


def _labelled(lines: Sequence[Line], rows: dict[int, Box]) -> list[tuple[int, str]]:
    """The labels in a column, each with the first of the rows that it stands for."""
    numbers, boxes = list(rows), list(rows.values())
    on_rows = all(any(abs(line[0].y - row.y) < SAME_LINE * line[0].height for row in boxes) for line in lines)
    each = on_rows and len(lines) >= len(rows)
    blocks = runs(lines, lambda block, line: not each and line[0].y0 - block[-1][0].y1 < LEADING * line[0].height)
    nearest: dict[int, Line] = defaultdict(list)
    for block in blocks:
        label = [piece for line in block for piece in line]
        nearest[min(range(len(boxes)), key=lambda i: abs(boxes[i].y - union(label).y))] += label
    starts = _shared(boxes, [(i, union(block)) for i, block in nearest.items()]) if nearest and boxes else []
    return [(numbers[i], cell_text(block)) for i, block in zip(starts, nearest.values(), strict=True)]
