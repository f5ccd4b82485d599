"""Tables without ruling lines: columns stand below the cells of a row of years, rows at their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from qyx_analysis.documents.pdf.lines import (
    SAME_LINE,
    Box,
    Line,
    by_line,
    cell_text,
    has_year,
    is_serial,
    text_of,
    year_columns,
)
from qyx_analysis.documents.pdf.parts import Anchor, Part, Slot, Span, Stretch, serial_column
from qyx_analysis.documents.pdf.shares import share

LEADING = 0.75  # of the height of the type: the lines of one cell leave no more between them
SPREAD = 1.6  # of that height: single characters of a header further apart are two cells
APART = 1.8  # of that height: values nearer to the number of a row belong to it
MAX_COLUMNS = 50
MAX_PIECES = 3000  # in the rows of one page; a plan has some 300
ROW_LINES = 8  # within which the next row prints its number
_YEAR_ENDS = re.compile("[年基础数期值现状实际绩完成目标预()（）]+")  # what a header says after the digits of a year
_NOTE = re.compile(r"(注|备注|说明)\s*[:：]")


def bare_part(page: int, lines: Sequence[Line], before: Part | None) -> tuple[Part, int, int] | None:
    """The first table among lines of text, and the index of its first line and after its last one.

    ``before`` is the part of a table that may go on here, in the same columns.
    """
    fresh = any(year_columns([head.text for head in _heads(line)]) for line in lines[:2])
    if before and before.years and not fresh and (found := _body(page, lines, 0, before, True)):
        part, end = found
        return part, 0, end
    for at, line in enumerate(lines):
        if not year_columns([head.text for head in _heads(line)]):
            continue
        start, end = _header_reach(lines, at)
        heads = _header_cells(lines[start:end])
        years = year_columns([head.text for head in heads]) if len(heads) < MAX_COLUMNS else []
        part = Part(page, lines[start][0].y0, lines[end - 1][0].y1, [Span(head.x0, head.x1) for head in heads], years)
        body = _body(page, lines, end, part, bool(before)) if years else None
        if body:
            part, end = body
        elif not years or end < len(lines):
            continue  # no table; if the page ends here, its rows may stand overleaf
        part.top, part.header = lines[start][0].y0, 0
        below = [[slot._replace(row=slot.row + 1) for slot in row] for row in part.rows]
        part.rows = [[Slot(head.text, 0, column) for column, head in enumerate(heads)], *below]
        return part, start, end
    return None


# --- the header -------------------------------------------------------------------------------------------


def _heads(line: Line) -> Line:
    """Header cells of one line: single characters that are set apart (``指  标``) are one."""
    heads: Line = []
    spread = False
    for piece in line:
        single = len(piece.text) == 1 and piece.text != "年"  # which may stand below its number
        if single and spread and piece.x0 - heads[-1].x1 < SPREAD * piece.height:
            was = heads[-1]
            heads[-1] = Box(was.text + piece.text, was.x0, was.y0, piece.x1, was.y1)
        else:
            heads.append(piece)
        spread = single
    return heads


def _header_reach(lines: Sequence[Line], at: int) -> tuple[int, int]:
    """The lines around the one with the years that belong to the header: those of cells that wrap."""
    middle, heads = lines[at][0], _heads(lines[at])
    start, end = at, at + 1
    while start > 0 and not _spans(above := lines[start - 1], heads):
        follows = _gap(above, lines[start]) < LEADING * middle.height
        if not (follows and has_year(above)) and middle.y - above[0].y > middle.height:
            break
        start -= 1
    while end < len(lines) and not _spans(below := lines[end], heads):
        years = [cell for cell in _header_cells(lines[start:end]) if has_year([cell])]
        under = "".join(piece.text for piece in below if _overlapped(piece, years))
        follows = _gap(lines[end - 1], below) < LEADING * middle.height
        ends = _YEAR_ENDS.fullmatch(under) or all(len(piece.text) == 1 for piece in below)
        if not (follows and ends) and below[0].y - middle.y > middle.height:
            break
        end += 1
    return start, end


def _gap(above: Line, below: Line) -> float:
    return below[0].y0 - above[0].y1


def _spans(line: Line, columns: Sequence[Box | Span]) -> bool:
    return any(len(_overlapped(piece, columns)) > 1 for piece in line)


def _overlapped(piece: Box | Span, columns: Sequence[Box | Span]) -> list[int]:
    return [i for i, c in enumerate(columns) if min(piece.x1, c.x1) - max(piece.x0, c.x0) > 1]


def _header_cells(lines: Sequence[Line]) -> list[Box]:
    cells: list[list[Box]] = []
    for piece in sorted((head for line in lines for head in _heads(line)), key=lambda piece: piece.x0):
        if cells and piece.x0 < max(other.x1 for other in cells[-1]) - 1:
            cells[-1].append(piece)
        else:
            cells.append([piece])
    return [_joined(cell) for cell in cells]


def _joined(pieces: Sequence[Box]) -> Box:
    x0s, y0s, x1s, y1s = zip(*(piece[1:] for piece in pieces), strict=True)
    return Box(cell_text(pieces), min(x0s), min(y0s), max(x1s), max(y1s))


# --- the rows ---------------------------------------------------------------------------------------------


def _body(page: int, lines: Sequence[Line], start: int, above: Part, goes_on: bool) -> tuple[Part, int] | None:
    """The rows from a line on, in the columns of the part above; ``goes_on``: of a table."""
    end = _end_of_rows(lines, start, above)
    across: list[Box] = []  # merged cells: one text over several columns
    pieces: list[Box] = []
    for line in lines[start:end]:
        for piece in line:
            (across if _is_merged(piece, line, above) else pieces).append(piece)
    if len(pieces) > MAX_PIECES:
        return None
    columns = _widened(above.columns, pieces)
    placed: list[list[Box]] = [[] for _ in columns]
    for piece in pieces:
        under = _overlapped(piece, columns) or [_nearest(columns, piece)]
        (across if len(under) > 1 else placed[under[0]]).append(piece)
    serials = serial_column([[piece.text for piece in found] for found in placed[: min(above.years)]])
    anchors = _anchors(placed, serials, above.years)
    if not anchors:
        return None
    part = Part(page, lines[start][0].y0, lines[end - 1][0].y1, above.columns, above.years)
    texts: list[list[str]] = [[""] * len(columns) for _ in range(len(anchors) + 1)]  # before the rows the rest of one
    reach = [[y, y] for y in anchors]
    for column, found in enumerate(placed):
        if serials is not None and column < serials:
            part.labels[column] = _blocks(found, anchors)
            continue
        for row, group in enumerate(_shared_out(found, anchors, goes_on)):
            texts[row][column] = cell_text(group) if group else ""
            for piece in group if row else ():
                reach[row - 1] = [min(reach[row - 1][0], piece.y0), max(reach[row - 1][1], piece.y1)]
    texts = texts if any(texts[0]) else texts[1:]
    part.rows = [[Slot(text, row, i) for i, text in enumerate(printed)] for row, printed in enumerate(texts)]
    for slots, group in zip(part.rows[-len(anchors) :], _shared_out(across, anchors, goes_on)[1:], strict=True):
        if group:
            _lay_across(slots, _joined(group), columns, above.years)
    part.stretches = _stretches(anchors, reach)
    return part, end


def _end_of_rows(lines: Sequence[Line], start: int, above: Part) -> int:
    """After the last line that prints the number or values of a row, and the lines that wrap below it."""
    end = start
    for i in range(start, len(lines)):
        if i - end > ROW_LINES or _NOTE.match(text_of(lines[i])) or year_columns([p.text for p in lines[i]]):
            break
        if _prints_row(lines[i], above):
            end = i + 1
    while start < end < len(lines) and _gap(lines[end - 1], lines[end]) < lines[end][0].height:
        if _spans(lines[end], above.columns) or _NOTE.match(text_of(lines[end])):
            break
        end += 1
    return end


def _prints_row(line: Line, above: Part) -> bool:
    alone = [(found[0], piece.text) for piece in line if len(found := _overlapped(piece, above.columns)) == 1]
    values = [column for column, _ in alone if column in above.years]
    return len(set(values)) > 1 or (
        len(line) > 1 and any(i < min(above.years) and is_serial(text) for i, text in alone)
    )


def _widened(heads: Sequence[Span], pieces: Iterable[Box]) -> list[Span]:
    """The columns as wide as what stands in them, which need not reach below its header cell."""
    columns = list(heads)
    loose: list[Span] = []
    for piece in sorted(pieces, key=lambda piece: piece.x1 - piece.x0):
        found = _overlapped(piece, columns)
        if len(found) == 1:
            columns[found[0]] = _union(columns[found[0]], piece)
        elif not found:
            joint = [span for span in loose if _overlapped(piece, [span])]
            loose = [span for span in loose if span not in joint] + [_union(piece, *joint)]
    loose = [span for span in loose if not _overlapped(span, columns)]
    empty = [i for i, head in enumerate(heads) if columns[i] == head]
    if len(empty) == len(loose):
        for i, span in zip(empty, sorted(loose), strict=True):
            columns[i] = _union(columns[i], span)
    return columns


def _union(*spans: Box | Span) -> Span:
    return Span(min(span.x0 for span in spans), max(span.x1 for span in spans))


def _nearest(columns: Sequence[Span], piece: Box) -> int:
    return min(range(len(columns)), key=lambda i: max(columns[i].x0 - piece.x1, piece.x0 - columns[i].x1))


def _anchors(placed: Sequence[Sequence[Box]], serials: int | None, years: Sequence[int]) -> list[float]:
    """Where on the page each row prints its number or, far enough from that, at least two of its values."""
    anchors = [piece.y for piece in placed[serials]] if serials is not None else []
    for line in by_line(piece for year in years for piece in placed[year]):
        if len(line) > 1 and all(abs(line[0].y - y) > APART * line[0].height for y in anchors):
            anchors.append(line[0].y)
    return sorted(anchors)


def _shared_out(pieces: Sequence[Box], anchors: Sequence[float], cut: bool) -> list[list[Box]]:
    """The pieces of one column for each row; before them those of a row that began on the page before, if ``cut``."""
    lines = by_line(pieces)
    if not lines:
        return [[] for _ in range(len(anchors) + 1)]
    height = lines[0][0].height
    stretches = [Stretch(line[0].y0, line[0].y, line[0].y1) for line in lines]
    empty = 0.6 * height**2
    above = sum(line[0].y < anchors[0] - SAME_LINE * height for line in lines) if cut else 0
    middles = [Anchor(y, y, y) for y in anchors]
    tries = [(*share(stretches[n:], middles, empty), n) for n in range(above + 1)]
    _, groups, n = min(tries, key=lambda found: found[0] + found[2] * empty / 4)
    return [[piece for i in group for piece in lines[i]] for group in [range(n), *([i + n for i in g] for g in groups)]]


def _blocks(pieces: Sequence[Box], anchors: Sequence[float]) -> list[tuple[str, Anchor]]:
    """The texts of a column of merged cells: lines that follow closely are one, unless every row prints one."""
    lines = by_line(pieces)
    in_rows = [any(abs(line[0].y - y) < SAME_LINE * line[0].height for y in anchors) for line in lines]
    each = all(in_rows) and len(lines) >= len(anchors)
    blocks: list[Line] = []
    for line in lines:
        if blocks and _gap(blocks[-1][-1:], line) < LEADING * line[0].height and not each:
            blocks[-1] += line
        else:
            blocks.append(line)
    return [(cell_text(block), Anchor(block[0].y, (block[0].y0 + block[-1].y1) / 2, block[-1].y)) for block in blocks]


def _is_merged(piece: Box, line: Line, above: Part) -> bool:
    """Whether a piece is all that a line prints below the years: too wide for one, in their middle or at their end."""
    years = [above.columns[year] for year in above.years]
    alone = [other for other in line if years[0].x0 <= other.x <= years[-1].x1] == [piece]
    wide = piece.x1 - piece.x0 > 1.5 * max(year.width for year in years)
    centred = abs(piece.x - (years[0].x0 + years[-1].x1) / 2) < piece.height
    at_the_end = abs(piece.x1 - years[-1].x1) < piece.height / 2
    return alone and wide and (centred or at_the_end)


def _lay_across(row: list[Slot], text: Box, columns: Sequence[Span], years: Sequence[int]) -> None:
    """Put a text that reaches over several columns where its merged cell starts."""
    found = _overlapped(text, columns) or [_nearest(columns, text)]
    first, last = found[0], found[-1]
    left, right = first, last
    while left - 1 in years and not row[left - 1].text:
        left -= 1
    while right + 1 in years and not row[right + 1].text:
        right += 1
    centred = abs((columns[left].x0 + columns[right].x1) / 2 - text.x) < text.height
    at_the_end = last == right and abs(columns[right].x1 - text.x1) < text.height / 2
    if centred or at_the_end:
        first, last = left, right  # all the columns that are blank
    for i in range(first, last + 1):
        row[i] = Slot(f"{row[i].text} {text.text}".strip() if i == first else row[i].text, row[i].row, first)


def _stretches(anchors: Sequence[float], reach: Sequence[Sequence[float]]) -> list[Stretch]:
    """From where to where each row reaches: to the middle between its lines and those of the next."""
    edges = [(above[1] + below[0]) / 2 for above, below in pairwise(reach)]
    spare = (reach[1][0] - reach[0][1]) / 2 if len(reach) > 1 else 0
    edges = [reach[0][0] - spare, *edges, reach[-1][1] + spare]
    return [Stretch(top, y, bottom) for y, (top, bottom) in zip(anchors, pairwise(edges), strict=True)]
