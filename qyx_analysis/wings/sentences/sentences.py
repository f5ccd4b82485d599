"""A document -> its sentences, each with its place in the outline and the offset of every character."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from qyx_analysis.documents import Document
from qyx_analysis.layouts import Table

_NUMERAL = "[一二三四五六七八九十]+"
_HEADINGS = (  # from the widest to the narrowest
    re.compile(rf"{_NUMERAL}、|第{_NUMERAL}[章部]|NO\.\s*\d+"),
    re.compile(rf"[（(]{_NUMERAL}[）)]"),
    re.compile(r"\d{1,2}[.．、](?!\d)"),
)
_MARK = re.compile(r"^\s*(?:#+\s+)?(?:\*\*)?")  # an indent, and the marks of a heading in Markdown
_MARKDOWN = re.compile("#")
_DOMAIN = re.compile(r"[“\"](?P<name>[\u4e00-\u9fff]有[\u4e00-\u9fff]{2})[”\"]")
_PAGE_NUMBER = re.compile(r"[-—–\s]*\d{1,3}[-—–\s]*|第\s*\d+\s*页.*")
_ENDS = "。！？!?"
_LONGEST = 1000  # characters of a sentence: what has no end in so many is none and is read in pieces
_WRAPPED = 20  # characters from which on a line may be one that goes on in the next
_DASHES = str.maketrans("—–―─~～", "------")
_VALUE = r"(?:[<>≤≥]?\d[\d.,]*[%％]?|/)"
_ROW = re.compile(rf"\|[^|]*\||(?:^|\s)(?:{_VALUE}\s+){{2}}{_VALUE}")  # of a table that could not be read
_PLACE = re.compile(r"line (\d+)")


@dataclass(frozen=True)
class Sentence:
    """One sentence: ``text`` without spaces and with one form of every sign; ``offsets`` of its characters.

    ``printed`` is the same with the signs as printed;
    ``section`` is its place in the outline (``二/（四）/3``), ``domain`` the domain or the title of the section;
    ``heading`` tells that it is a title itself.
    """

    text: str
    printed: str
    offsets: tuple[int, ...]
    section: str
    domain: str
    heading: bool


def read_sentences(document: Document, table: Table | None = None) -> tuple[Sentence, ...]:
    """Read the sentences of a document, without the lines of the ``table`` that was read of it.

    What the document repeats in the same section is given once.
    """
    return _read_once(document, _lines_of(table) if table else range(0))


@lru_cache(maxsize=4)  # one document is read for its targets and for its governance
def _read_once(document: Document, table: range) -> tuple[Sentence, ...]:
    outline = _Outline()
    original = "\n".join(document.lines)
    once: dict[tuple[str, str], Sentence] = {}
    for paragraph in _paragraphs(document, _not_prose(document) | set(table)):
        body = outline.enter("".join(char for char, _ in paragraph))
        parts = [chars for part in _split(paragraph[body:]) if (chars := _clean(part))]
        for i, chars in enumerate(parts):
            heading = body > 0 and i == 0 and (len(parts) > 1 or chars[-1][0] not in _ENDS)
            text, offsets = "".join(char for char, _ in chars), tuple(offset for _, offset in chars)
            printed = "".join(original[offset] for offset in offsets)
            sentence = Sentence(text, printed, offsets, outline.section, outline.domain, heading)
            once.setdefault((outline.section, text), sentence)
    return tuple(once.values())


def _lines_of(table: Table) -> range:
    """The lines from the first to the last cell of a table; readers of other formats give no lines."""
    cells = [table.header, *(cell for row in table.rows for cell in (row.number, row.indicator, *row.values))]
    lines = [int(match[1]) for cell in cells if (match := _PLACE.match(cell.place))]
    return range(min(lines), max(lines) + 1) if lines else range(0)


class _Outline:
    """Where in the document we are, from the headings met so far."""

    def __init__(self) -> None:
        self.marks = ["", "", ""]
        self.title = self.domain = ""

    @property
    def section(self) -> str:
        return "/".join(filter(None, self.marks))

    def enter(self, paragraph: str) -> int:
        """Take in a paragraph; gives the length of the mark of a heading that it begins with."""
        for level, pattern in enumerate(_HEADINGS):
            if match := pattern.match(paragraph):
                mark = match[0].strip().rstrip("、.．").replace("(", "（").replace(")", "）")
                self.marks[level:] = [mark, *[""] * (2 - level)]
                if level < 2:
                    self._name(re.split(f"[{_ENDS}]", paragraph[match.end() :])[0].strip(), level)
                return match.end()
        if self.marks[0] and not self.title:  # a heading that stands on a line of its own below its number
            self._name(paragraph.strip(), 0)
        return 0

    def _name(self, heading: str, level: int) -> None:
        named = _DOMAIN.search(heading)
        self.title = heading if level == 0 else self.title
        self.domain = named["name"] if named else self.title


Chars = list[tuple[str, int]]  # characters with their offsets


def _not_prose(document: Document) -> set[int]:
    """The numbers of the lines that stand in a grid, and of those that look like rows of a table.

    A plan may have no table that can be read: cut off, or a picture. What is left of its rows is no prose either.
    """
    cells = (cell for grid in document.grids for row in grid.rows for cell in row)
    lines = {int(match[1]) for cell in cells if (match := _PLACE.match(cell.place))}
    return lines | {number for number, line in enumerate(document.lines, 1) if _ROW.search(line)}


def _paragraphs(document: Document, left_out: set[int]) -> Iterator[Chars]:
    """The lines that are prose, those that only the page cut in two joined again."""
    offset, buffer = 0, list[tuple[str, int]]()
    for number, line in enumerate(document.lines, 1):
        start, offset = offset, offset + len(line) + 1
        text = line.strip()
        if not text or (_PAGE_NUMBER.fullmatch(text) and number not in left_out):
            continue
        if buffer and (number in left_out or not _goes_on(buffer, line)):
            yield buffer
            buffer = []
        if number not in left_out:
            text = line if buffer else _MARK.sub("", line, count=1)
            start += len(line) - len(text)
            buffer += [(char, start + i) for i, char in enumerate(text)]
            buffer.append((" ", offset - 1))
    if buffer:
        yield buffer


def _goes_on(before: Chars, line: str) -> bool:
    """Whether a line continues the one before: that has no end, and this one no indent and no heading."""
    last = "".join(char for char, _ in before[-_WRAPPED:]).strip()
    cut = len(before) > _WRAPPED and last[-1] not in _ENDS + "；;：:"
    return cut and not line[0].isspace() and not any(pattern.match(line) for pattern in (_MARKDOWN, *_HEADINGS))


def _split(paragraph: Chars) -> Iterator[Chars]:
    part: Chars = []
    for char in paragraph:
        part.append(char)
        long = len(part) >= _LONGEST and (char[0] not in "0123456789.," or len(part) >= 2 * _LONGEST)
        if char[0] in _ENDS or long:
            yield part
            part = []
    if part:
        yield part


@lru_cache(maxsize=8192)
def _folded(char: str) -> str:
    """A full-width sign as the ordinary one, and every dash as a hyphen."""
    wide = unicodedata.decomposition(char).startswith("<wide>")
    return (unicodedata.normalize("NFKC", char) if wide else char).translate(_DASHES)


def _clean(part: Chars) -> Chars:
    """Leave spaces out, but for one that keeps two numbers apart, and fold full-width signs and dashes.

    A no-break space, by contrast, stands inside one number.
    """
    kept: Chars = []
    apart: Chars = []
    for char, offset in part:
        if not char.isspace():
            kept += apart if char.isdigit() else []
            kept.append((_folded(char), offset))
            apart = []
        elif char != "\u00a0" and kept and kept[-1][0].isdigit():
            apart = [(" ", offset)]
    return kept
