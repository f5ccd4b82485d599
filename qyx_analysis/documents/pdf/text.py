"""Characters of a page -> the pieces of text that it prints, line by line, and the text of cells and paragraphs."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

from qyx_analysis.documents import RAISED, STRUCK, one_line

GAP = 0.27  # of the height of the type: characters further apart, which a quarter is not, are two pieces of text
WORD_GAP = 0.5  # the same between Latin letters
SPACE = 0.15  # what is at least a space between them
SMALL = 0.8  # of the common height of type: what is no higher may be a footnote's mark
SAME_LINE = 0.3  # of that height: what stands no higher or lower is on one line
PADDING = 14.0  # points: what a cell may leave free left and right of a full line of text
NARROW = 0.45  # of the width of the text: wider pieces are no cells
LEADING = 1.65  # of the height of the type: the lines of one cell are no further apart
_PROSE = re.compile("[，。；]")
_CJK = re.compile(r"[\u2e80-\u9fff]")
_YEAR = re.compile(r"([2２][0０]\d\d)\s*(年?)\D{0,15}")
_SERIAL = re.compile(r"[^\w\s]{0,2} ?\d{1,3} ?[^\w\s]{0,2}")
_T = TypeVar("_T")


class Box(NamedTuple):
    """A piece of text, a cell or a ruling line: where it stands, in points; y grows downwards."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    page: int = 0

    @property
    def x(self) -> float:
        return (self.x0 + self.x1) / 2

    @property
    def y(self) -> float:
        return (self.y0 + self.y1) / 2

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0


Line = list[Box]  # the pieces of one printed line, from left to right


def runs(items: Iterable[_T], belongs: Callable[[list[_T], _T], bool]) -> list[list[_T]]:
    """Cut items into runs: one that does not belong to the run before it begins another."""
    found: list[list[_T]] = []
    for item in items:
        if found and belongs(found[-1], item):
            found[-1].append(item)
        else:
            found.append([item])
    return found


def union(pieces: Sequence[Box], text: str = "") -> Box:
    _, x0s, y0s, x1s, y1s, pages = zip(*pieces, strict=True)
    return Box(text, min(x0s), min(y0s), max(x1s), max(y1s), pages[0])


def is_serial(text: str) -> bool:
    """Whether a text is the number of a row."""
    return bool(_SERIAL.fullmatch(text))


def year_columns(texts: Iterable[str]) -> list[int]:
    """Which of the texts are the years of a header: none, or two and more in ascending order."""
    found = {i: match for i, text in enumerate(texts) if (match := _YEAR.fullmatch(text))}
    years = [int(match[1]) for match in found.values()]
    named = all(match[2] for match in found.values())
    rising = all(a < b if named else a + 1 == b for a, b in pairwise(years))
    return list(found) if len(found) > 1 and rising else []


def strike_out(chars: Sequence[Box], rulings: Sequence[Box]) -> tuple[list[Box], list[Box]]:
    """Put characters that a line is drawn through into signs; the other lines are ruling lines."""
    ordered = sorted(chars, key=lambda char: char.y)
    ys = [char.y for char in ordered]
    em = max((char.height for char in chars), default=0)
    struck: set[Box] = set()
    kept = []
    for rule in rulings:
        level = ordered[bisect_left(ys, rule.y - em) : bisect_right(ys, rule.y + em)] if rule.width > em / 4 else []
        hit = [c for c in level if abs(c.y - rule.y) < SAME_LINE * c.height and rule.x0 - 1 < c.x < rule.x1 + 1]
        if hit and union(hit).x0 < rule.x0 + em and union(hit).x1 > rule.x1 - em:
            struck.update(hit)
        else:
            kept.append(rule)
    return [char._replace(text=char.text.join(STRUCK)) if char in struck else char for char in chars], kept


def set_apart(chars: Sequence[Box]) -> list[Box]:
    """Put small raised or lowered characters, as of a footnote, into brackets on the line of the one they follow."""
    common = Counter(round(char.height) for char in chars).most_common(1)[0][0] if chars else 0
    small = [char for char in chars if char.height < SMALL * common and not _CJK.match(char.text)]
    large = sorted(set(chars).difference(small), key=lambda char: char.x1)
    ends = [char.x1 for char in large]
    placed: dict[Box, Box] = {}
    host, last = None, None
    for char in sorted(small, key=lambda char: (round(char.y), char.x0)):
        if not (last and abs(char.y - last.y) < 1 and -1 < char.x0 - last.x1 < GAP * common):
            near = large[bisect_left(ends, char.x0 - common) : bisect_left(ends, char.x0 + common)]
            host = next((big for big in near if _follows(char, big)), None)
        if host:
            placed[char] = char._replace(text=char.text.join(RAISED), y0=host.y0, y1=host.y1)
        last = char
    return [placed.get(char, char) for char in chars]


def _follows(char: Box, big: Box) -> bool:
    """Whether a small character stands right behind a larger one, at its upper or lower half."""
    beside = -0.2 * big.height < char.x0 - big.x1 < 0.4 * big.height and char.height < SMALL * big.height
    return beside and abs(char.y - big.y) > 0.1 * big.height and char.y0 < big.y1 and char.y1 > big.y0


def by_line(pieces: Iterable[Box]) -> list[Line]:
    """Put characters or pieces into lines, from top to bottom."""
    level = runs(
        sorted(pieces, key=lambda piece: piece.y),
        lambda line, piece: piece.y - line[0].y <= SAME_LINE * min(piece.height, line[0].height),
    )
    return [sorted(line, key=lambda piece: piece.x0) for line in level]


def lines_of(chars: Iterable[Box]) -> list[Line]:
    """Put characters into lines of pieces."""
    return [list(map(_piece, runs(line, _goes_on))) for line in by_line(chars)]


def _goes_on(run: Line, char: Box) -> bool:
    gap = WORD_GAP if (run[-1].text + char.text).isascii() and (run[-1].text + char.text).isalpha() else GAP
    return char.x0 - run[-1].x1 < gap * max(char.height, 1)


def _piece(run: Line) -> Box:
    """The characters of a piece as one; what is printed twice at one place, to look bold, counts once."""
    text = run[0].text
    for was, char in pairwise(run):
        if char.text != was.text or char.x0 - was.x0 >= 0.2 * char.height:
            letters = (was.text + char.text).isascii() and (was.text + char.text).isalpha()
            text += " " * (letters and char.x0 - was.x1 > SPACE * char.height) + char.text
    return union(run, text.replace(STRUCK[::-1], "").replace(RAISED[::-1], ""))


def text_of(line: Line) -> str:
    """The text of one line: pieces of Chinese text that are set apart a little belong together."""
    text = line[0].text
    for was, piece in pairwise(line):
        apart = piece.x0 - was.x1 > piece.height or (was.text[-1] + piece.text[0]).isascii()
        text += " " * apart + piece.text
    return text


def cell_text(pieces: Iterable[Box], width: float = float("inf")) -> str:
    """Join the lines of one cell. Two numbers stay two, unless a cell of that width was too narrow for one."""
    text, last = "", None
    for line in by_line(pieces):
        more = text_of(line)
        ends = text[-1:] + more[:1]
        narrow = last and last[-1].x1 - last[0].x0 + last[0].height / 2 >= width - PADDING
        tight = re.fullmatch(r"[<>=(].|.[%)]", ends) or (narrow and re.fullmatch(r"[\d.,]{2}", ends))
        text = text + more if tight else one_line([text, more])
        last = line
    return text


def written_lines(chars: Iterable[Box]) -> list[Line]:
    """The pieces of text in the order in which they were written, those that follow on one line together."""
    pieces = map(_piece, runs(chars, lambda run, char: _is_right_of(run[-1], char) and _goes_on(run, char)))
    return runs(pieces, lambda line, piece: _is_right_of(line[-1], piece))


def _is_right_of(last: Box, piece: Box) -> bool:
    return abs(piece.y - last.y) <= SAME_LINE * min(piece.height, last.height) and piece.x0 > last.x0 - 1


def paragraphs_of(lines: Sequence[Line]) -> list[Box]:
    """What lines say: paragraphs, and the cells of a table that no lines are drawn around, each as a line.

    Every producer writes such a table cell after cell, and the lines that a cell wraps into one below the other.
    """
    left, right = min((line[0].x0 for line in lines), default=0), max((line[-1].x1 for line in lines), default=0)
    cells: list[Box] = []
    for line in lines:
        cells += [union(line, text_of(line))] if _PROSE.search(text_of(line)) else line

    def goes_on(above: list[Box], cell: Box) -> bool:
        last, em = above[-1], cell.height
        full = last.x0 < left + 3 * em and last.x1 > right - 2 * em and cell.x0 < left + em
        same = min(abs(last.x0 - cell.x0), abs(last.x - cell.x), abs(last.x1 - cell.x1)) < em / 2
        narrow = max(last.width, cell.width) < (right - left) * NARROW
        return abs(last.height - em) < em / 4 and (full or (same and narrow and 0 < cell.y - last.y < LEADING * em))

    return [run[0]._replace(text=one_line(cell.text for cell in run)) for run in runs(cells, goes_on)]
