"""A document -> its sentences, and each sentence -> its tokens: numbers, years, names and words of the catalogue."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from typing import TypeVar

from qyx_analysis import catalogue
from qyx_analysis.documents import Document
from qyx_analysis.layouts import Table

T = TypeVar("T")
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
    """Read the sentences of a document outside its ``table``; what repeats in a section is given once."""
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
    """The lines in a grid, and those that look like rows of a table that is cut off or a picture."""
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


def join_runs(items: Iterable[T], goes_on: Callable[[T, T], bool]) -> Iterator[list[T]]:
    """Put every item together with those after it, as long as each goes on from the one before."""
    run: list[T] = []
    for item in items:
        if run and not goes_on(run[-1], item):
            yield run
            run = []
        run.append(item)
    if run:
        yield run


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
    wide = unicodedata.decomposition(char).startswith("<wide>")
    return (unicodedata.normalize("NFKC", char) if wide else char).translate(_DASHES)


def _clean(part: Chars) -> Chars:
    """Leave spaces out, but for one between two numbers (a no-break space is inside one), and fold signs."""
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


# --- the tokens of a sentence --------------------------------------------------------------------------------

_DIGITS = "一二两三四五六七八九十"
_SHAPES = {
    "name": r"“[^“”]*”|‘[^‘’]*’|\"[^\"]*\"|《[^《》]*》|「[^「」]*」",
    "aside": r"\([^()]*\)|〔[^〔〕]*〕|\[[^\[\]]*\]",
    "year": r"(?:到|至|截至)?(?:20\d\d年?(?:-|至|到))?(?P<digits>(?:19|20)\d\d)年"
    r"(?:\d{1,2}月(?:\d{1,2}日)?)?(?:底|末|初)?(?:之前|以前|前|起|内)?",
    "ratio": r"\d+(?:[:/]\d+)+|\d+(?:\.\d+)?[A-Za-z+][A-Za-z0-9+]*",
    # before other characters 成 begins a word: 三成员单位
    "tenths": rf"(?<![{_DIGITS}百千万亿第\d.])(?<![{_DIGITS}\d][至到-])(?:[{_DIGITS}]|\d(?:\.\d)?)成[{_DIGITS}半]?"
    r"(?=$|[-,;:。!?、()多余的和及与或至到提增升降]|及?以[上下内]|左右|上[下升]|下降)",
    "per": r"/每?[百千万]*(?:人口|[人名户])",
    "number": r"(?<![A-Za-z+])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)",
    "numeral": f"[{_DIGITS}]{{1,3}}(?=[家所座处名]|次(?!性))",  # before others it is an article: 一批
    "stop": "[,;:。!?！？]",
    "pause": "、",
    "dash": "-",
}


@dataclass(frozen=True)
class Token:
    """A piece of a sentence: its ``role`` (of the lexicon, or a shape), ``value`` (of the lexicon) and place."""

    role: str
    text: str
    start: int
    end: int
    value: str = ""


@cache
def _lexicon() -> dict[str, tuple[str, str]]:
    """Every word with its role and value: those of sentences, and the bounds that cells print too."""
    roles = {"before": "reach", "after": "after"}
    bounds = {row.text: (roles[row.position], row.operator) for row in catalogue.bounds().itertuples()}
    return bounds | {row.text: (row.role, row.value) for row in catalogue.prose_words().itertuples()}


@cache
def _pattern() -> re.Pattern[str]:
    shapes = [f"(?P<{role}>{shape})" for role, shape in _SHAPES.items()]
    words = "|".join(map(_whole, sorted(_lexicon(), key=len, reverse=True)))
    return re.compile("|".join([*shapes, f"(?P<word>{words})"]))


def _whole(word: str) -> str:
    """A verb is none in the name of a rate: 落实率."""
    return re.escape(word) + ("(?!率)" if _lexicon()[word][0] in ("do", "change") else "")


def read_tokens(text: str) -> list[Token]:
    """Cut a sentence into tokens; what the lexicon does not know is ``text``."""
    found: list[Token] = []
    end = 0
    for match in _pattern().finditer(text):
        if match.start() > end:
            found.append(Token("text", text[end : match.start()], end, match.start()))
        found.append(_token(match))
        end = match.end()
    if end < len(text):
        found.append(Token("text", text[end:], end, len(text)))
    return found


def _token(match: re.Match[str]) -> Token:
    shape = match.lastgroup or ""
    role, value = shape, ""
    if shape == "word":
        role, value = _lexicon()[match[0]]
    elif shape == "year":
        value = match["digits"]
    elif shape == "number":
        value = match[0].replace(",", "")
    elif shape == "tenths":
        role, value = "number", _percent(match[0])
    elif shape == "numeral":
        value = str(_spelled(match[0]))
    return Token(role, match[0], match.start(), match.end(), value)


def _percent(tenths: str) -> str:
    """A number of tenths in percent: 七成 is 70, 八成五 is 85."""
    whole, rest = tenths.replace("半", "五").split("成")
    tens = Decimal(whole) if whole[0].isdigit() else Decimal(_spelled(whole))
    return str(tens * 10 + _spelled(rest))


def _spelled(numeral: str) -> int:
    """A number below 100 in Chinese numerals; of a run of other digits the last."""
    digits = dict(zip("一二三四五六七八九", range(1, 10), strict=True)) | {"两": 2}
    tens, ten, ones = numeral.rpartition("十")
    return (digits.get(tens[-1:], 1) * 10 if ten else 0) + digits.get(ones[-1:], 0)
