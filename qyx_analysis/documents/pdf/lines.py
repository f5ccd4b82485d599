"""Characters of a page -> the pieces of text that it prints, line by line."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

GAP = 0.27  # of the height of the type: characters further apart, which a quarter is not, are two pieces of text
WORD_GAP = 0.5  # the same between Latin letters
SPACE = 0.15  # what is at least a space between them
SMALL = 0.8  # of the common height of type: what is no higher may be a footnote's mark
SAME_LINE = 0.3  # of that height: what stands no higher or lower is on one line
MAX_YEAR = 20  # characters of a header cell with a year
PADDING = 14.0  # points: what a cell may leave free left and right of a full line of text
_YEAR = re.compile(r"(20\d\d)(年?)\D{0,5}")
_CJK = re.compile(r"[\u3400-\u9fff]")
_SERIAL = re.compile(r"[^\w\s]{0,2}\d{1,3}[^\w\s]{0,2}")


class Box(NamedTuple):
    """A piece of text and where it stands, in points; y grows downwards."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def x(self) -> float:
        return (self.x0 + self.x1) / 2

    @property
    def y(self) -> float:
        return (self.y0 + self.y1) / 2

    @property
    def height(self) -> float:
        return self.y1 - self.y0


Line = list[Box]  # the pieces of one printed line, from left to right


def compact(text: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def is_serial(text: str) -> bool:
    """Whether a text is a row number, with or without a mark."""
    return bool(_SERIAL.fullmatch(compact(text)))


def has_year(line: Line) -> bool:
    """Whether one piece of the line is a year of a header."""
    return any(_year(piece.text) for piece in line)


def _year(text: str) -> re.Match[str] | None:
    return _YEAR.fullmatch(compact(text)) if len(text) < MAX_YEAR else None


def year_columns(texts: Sequence[str]) -> list[int]:
    """Which of the texts are the years of a header: none, or two and more in ascending order.

    >>> year_columns(["序号", "指标", "2022年基础值", "2023年"]), year_columns(["2023", "5", "2000"])
    ([2, 3], [])
    """
    found = [(i, match) for i, text in enumerate(texts) if (match := _year(text))]
    years = [int(match[1]) for _, match in found]
    named = all(match[2] for _, match in found)
    rising = all(a < b if named else a + 1 == b for a, b in pairwise(years))
    return [i for i, _ in found] if len(found) > 1 and rising else []


def by_line(pieces: Iterable[Box]) -> list[Line]:
    """Put characters or pieces into lines, from top to bottom."""
    lines: list[Line] = []
    for piece in sorted(pieces, key=lambda piece: piece.y):
        if lines and piece.y - lines[-1][0].y <= SAME_LINE * min(piece.height, lines[-1][0].height):
            lines[-1].append(piece)
        else:
            lines.append([piece])
    return [sorted(line, key=lambda piece: piece.x0) for line in lines]


def lines_of(chars: Iterable[Box]) -> list[Line]:
    """Put characters into lines of pieces."""
    return [_pieces(line) for line in by_line(chars)]


def set_apart(chars: Sequence[Box]) -> list[Box]:
    """Put small raised or lowered characters, as of a footnote, into brackets on the line of the one they follow."""
    if not chars:
        return []
    common = Counter(round(char.height) for char in chars).most_common(1)[0][0]
    small = [char for char in chars if char.height < SMALL * common and not _CJK.match(char.text)]
    large = [char for char in chars if char.height >= SMALL * common]
    runs: list[Line] = []
    for char in sorted(small, key=lambda char: (round(char.y), char.x0)):
        last = runs[-1][-1] if runs else None
        if last and abs(char.y - last.y) < 1 and -1 < char.x0 - last.x1 < GAP * common:
            runs[-1].append(char)
        else:
            runs.append([char])
    moved: dict[int, Box | None] = {}
    for run in runs:
        host = next((big for big in large if _follows(run[0], big)), None)
        if host:
            text = "".join(char.text for char in run)
            moved |= {id(char): None for char in run}
            moved[id(run[0])] = Box(f"[{text}]", run[0].x0, host.y0, run[-1].x1, host.y1)
    return [box for char in chars if (box := moved.get(id(char), char))]


def _follows(char: Box, big: Box) -> bool:
    """Whether a small character stands right behind a larger one, at its upper or lower half."""
    beside = -0.2 * big.height < char.x0 - big.x1 < 0.4 * big.height
    shifted = abs(char.y - big.y) > 0.1 * big.height
    return beside and shifted and char.y0 < big.y1 and char.y1 > big.y0


def _pieces(chars: Line) -> Line:
    pieces: Line = []
    last: Box | None = None
    for char in chars:
        em = max(char.height, 1)
        if last and char.text == last.text and char.x0 - last.x0 < 0.2 * em:
            continue  # printed twice, to look bold
        was = pieces[-1] if pieces else char
        gap = (char.x0 - was.x1) / em
        words = (was.text[-1] + char.text).isascii() and (was.text[-1] + char.text).isalpha()
        if pieces and gap < (WORD_GAP if words else GAP):
            space = " " if words and gap > SPACE else ""
            y0, y1 = min(was.y0, char.y0), max(was.y1, char.y1)
            pieces[-1] = Box(was.text + space + char.text, was.x0, y0, max(was.x1, char.x1), y1)
        else:
            pieces.append(char)
        last = char
    return pieces


def text_of(line: Line) -> str:
    """The text of one line: pieces of Chinese text that are set apart a little belong together."""
    text = line[0].text
    for was, piece in pairwise(line):
        apart = piece.x0 - was.x1 > piece.height or (was.text[-1] + piece.text[0]).isascii()
        text += (" " if apart else "") + piece.text
    return text


def cell_text(pieces: Iterable[Box], width: float = float("inf")) -> str:
    """Join the lines of one cell. Two numbers stay two, unless a cell of that width was too narrow for one."""
    text, last = "", None
    for line in by_line(pieces):
        more = text_of(line)
        ends = text[-1:] + more[:1]
        apart = bool(last) and ends.isascii() and not (ends[0] in "<>=(" or ends[1] in "%)")
        if re.search(r"\d\.$", text) and more[:1].isdigit():  # no number ends with its point
            apart = False
        elif last and re.fullmatch(r"[\d.,]{2}", ends):
            apart = last[-1].x1 - last[0].x0 + last[0].height / 2 < width - PADDING
        text += (" " if apart else "") + more
        last = line
    return text
