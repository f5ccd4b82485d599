"""A table as printed: its parts, and what the text of a cell looks like before anyone knows its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import islice

from qyx_analysis import catalogue
from qyx_analysis.cells import normal, parse_cell, split_marks
from qyx_analysis.documents import Cell, one_line
from qyx_analysis.problems import Problem

FOOTNOTE = re.compile(r"[（(]?(注\s*\d*|备注|说明|附注)\s*[:：]|[*★☆▲△]\s*(号|为|表示)")
_UNIT_LINE = re.compile(r"[(（][^()（）]+[)）]")
TITLE_REACH = 4  # printed lines above the header in which the table's title stands
_HEADING = re.compile(r"#|[（(]?[一二三四五六七八九十]{1,3}[）)、.．]|第[一二三四五六七八九十]{1,3}[章节条]")
_NUMBERING = re.compile(
    r"^(#+\s*|[（(]?([一二三四五六七八九十]{1,3}|\d{1,2})[）)、.．:：]\s*|第[一二三四五六七八九十]{1,3}[、:： ]*)"
)
_COUNT = re.compile(r"[(（]?[共计]?\d{1,2}[项个][)）]?$")
_CJK = re.compile(r"[\u3400-\u9fff]")
_SERIAL = re.compile(r"[^\w\s]{0,2}(\d{1,3})[^\w\s]{0,2}")
_SENTENCE = 60  # characters from which on a line of a table without known parts is a sentence
_DEPARTMENT = re.compile(
    r".*(局|委|办|部|厅|会|中心|院|联|集团|公司|银行|大队|街道|乡镇|镇街|学校|单位)(等|[(（].*[)）])?$"
)
_SHORT_DEPARTMENTS = ("残联", "妇联", "团委")
_OWN_DOMAIN = re.compile(
    r"[\u4e00-\u9fff]有[\u4e00-\u9fff]{2}|[\u4e00-\u9fff]{2,8}(类|领域|方面|服务|保障|行动|工程|板块)"
)


@dataclass(frozen=True)
class Column:
    """One column of the header.

    ``role`` is domain, number, indicator, unit, year, department, note or other (a header that nobody knows). Of a
    year column, ``year`` is 0 where the header names none, 1 to 9 for the first to the ninth year of the plan, and
    ``said`` is what else it says: baseline, actual, target or nothing.
    """

    role: str
    year: int = 0
    said: str = ""


@dataclass(frozen=True)
class PrintedRow:
    """One row as printed. ``domain`` is carried down from the row above where the cell is merged or blank."""

    domain: str
    number: Cell
    indicator: Cell
    unit: Cell | None
    values: tuple[Cell, ...]
    department: Cell | None


@dataclass(frozen=True)
class Table:
    """The target table of one document, nothing interpreted yet.

    ``columns`` are its years with what the header says of each; ``titles`` those of its parts; ``remarks`` what a
    reader should know of how it was read. ``aside`` are the places of the names in tables of another period.
    """

    layout: str
    titles: tuple[str, ...]
    header: Cell
    columns: tuple[Column, ...]
    rows: tuple[PrintedRow, ...]
    footnotes: tuple[str, ...]
    remarks: tuple[Problem, ...] = ()
    domained: bool = False  # its header has a column of domains
    aside: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        """The title of its first part that has one."""
        return next(filter(None, self.titles), "")

    @property
    def years(self) -> tuple[int, ...]:
        """The years of its values, in the order of the columns."""
        return tuple(column.year for column in self.columns)


@dataclass(frozen=True)
class Part:
    """What one grid or one run of lines gives: ``columns`` are the header's, in the order of the cells."""

    layout: str
    title: str
    header: Cell
    columns: tuple[Column, ...]
    rows: tuple[PrintedRow, ...]
    footnotes: tuple[str, ...]
    remarks: tuple[Problem, ...] = ()

    @property
    def values(self) -> list[Column]:
        """The columns of values."""
        return [column for column in self.columns if column.role == "year"]


@lru_cache(maxsize=16384)
def plain(text: str) -> str:
    """Undo typography, and Markdown's backslashes.

    >>> plain("指 \\u00a0标"), plain("带\\\\*号"), plain("２０２２年")
    ('指标', '带*号', '2022年')
    """
    return re.sub(r"\\(?=[*_#])", "", normal(text))


# --- what a text looks like -------------------------------------------------------------------------------


_FURNITURE = re.compile(
    r"[-—–―]+\s*\d{1,4}\s*[-—–―]+|[-—–―]?\s*第\s*\d+\s*页.{0,20}|[（(【]?(续\s*(上)?\s*表|接\s*上\s*(页|表)|转\s*下\s*(页|表))\s*\d{0,2}[）)】]?"
    r"|[-—–―_=*]{3,}|[（(]?(本|此)页无正文[）)]?|\d{1,3}\s*/\s*\d{1,3}|[Pp]age\s*\d+.{0,12}|单位\s*[:：].{0,12}|[（(]以下空白[）)]"
    r"|(填报|填表|制表|审核|联系)(人|单位|部门)\s*[:：].{0,60}"
)


def is_furniture(text: str, titles: Sequence[str] = ()) -> bool:
    """A page mark, “continued” or the table's title again: it may stand between any two rows.

    >>> is_furniture("— 12 —"), is_furniture("续表"), is_furniture("12")
    (True, True, False)
    """
    printed = text.strip()
    return bool(_FURNITURE.fullmatch(printed)) or printed in titles


@cache
def known_domains() -> dict[str, str]:
    """The domains by what plans call them: those of the catalogue, and those of other plans under their own names."""
    other = catalogue.domain_aliases()
    named = dict(zip(other["alias"], other["alias"], strict=True))
    return named | {domain: domain for domain in catalogue.domains()["domain"]}


@lru_cache(maxsize=16384)
def domain_in(text: str) -> str:
    """The known domain that a short heading such as 一、幼有善育 names, or nothing."""
    printed = plain(text)
    found = [domain for domain in known_domains() if domain in printed and len(printed) <= len(domain) + 12]
    return known_domains()[max(found, key=len)] if found else ""


@lru_cache(maxsize=16384)
def domain_named(text: str) -> str:
    """The known domain that a text is, its numbering aside; else nothing."""
    return known_domains().get(heading_text(text), "")


def heading_text(text: str) -> str:
    """A heading without its numbering, its brackets and how many rows it counts.

    >>> heading_text("（一）体有强健"), heading_text("二、【幼有善育】（3项）")
    ('体有强健', '幼有善育')
    """
    return _COUNT.sub("", _NUMBERING.sub("", plain(text))).strip('【】[]「」《》〈〉“”"：:')


def is_own_domain(text: str) -> bool:
    """A short heading that may be a domain of a plan's own: 体有强健, 三、文化服务.

    >>> is_own_domain("体有强健"), is_own_domain("数据由各部门提供")
    (True, False)
    """
    printed = heading_text(text)
    numbered = printed != plain(text)
    return bool(_OWN_DOMAIN.fullmatch(printed)) or (numbered and 2 <= len(printed) <= 8 and is_text(printed))


def is_serial(text: str) -> bool:
    printed = plain(text)
    return bool(_SERIAL.fullmatch(printed)) or bool(
        re.fullmatch(r"[（(]?[一二三四五六七八九十]{1,3}[）)、.]?", printed)
    )


def serial_of(text: str) -> int:
    """The number of a row that a text is, with or without marks; 0 where it is none."""
    found = re.search(r"\d{1,3}", plain(text)) if is_serial(text) else None
    return int(found[0]) if found else 0


@lru_cache(maxsize=16384)
def is_unit(text: str) -> bool:
    """A text in brackets, which may be the unit of the name on the line before."""
    return bool(_UNIT_LINE.fullmatch(split_marks(text)[0]))


def count_cjk(text: str) -> int:
    return len(_CJK.findall(text))


def is_text(text: str) -> bool:
    return count_cjk(text) >= 2


@lru_cache(maxsize=16384)
def is_prose(text: str) -> bool:
    """A heading, a footnote or a sentence: never a cell of the table."""
    heading = _HEADING.match(text) and not domain_in(text)
    return bool(heading or FOOTNOTE.match(text) or "。" in text or (len(text) > _SENTENCE and "，" in text))


@lru_cache(maxsize=16384)
def value_kind(text: str) -> str:
    """What kind of value a text would be; empty for one that no cell of numbers holds."""
    kind = parse_cell(text).kind
    if kind in ("words", "several", "unreadable"):
        return kind if len(plain(text)) <= 24 and not is_prose(text) else ""
    return kind


def is_number(text: str) -> bool:
    """A number, a bound or a range: what is no name and no domain."""
    return value_kind(text) in ("point", "lower_bound", "upper_bound", "range")


def is_value(text: str) -> bool:
    """Whether a text is surely a value: a number, a known word or a sign for none."""
    return bool(text.strip()) and value_kind(text) not in ("", "words", "several", "unreadable")


def is_department(text: str) -> bool:
    return (count_cjk(text) >= 3 or plain(text) in _SHORT_DEPARTMENTS) and bool(_DEPARTMENT.match(plain(text)))


@lru_cache(maxsize=16384)
def is_name(text: str) -> bool:
    """Whether a text may be an indicator's name: some Chinese, no sentence, no value, no domain."""
    name = split_marks(text)[0]
    return count_cjk(name) >= 4 and not domain_named(name) and not is_prose(name) and not is_value(name)


# --- rows, and what stands around them --------------------------------------------------------------------


def make_row(cells: Mapping[str, Sequence[Cell]], values: tuple[Cell, ...], place: str, domain: str) -> PrintedRow:
    """A row of the table from its cells by role; ``domain`` is that of the row above."""
    blank = Cell("", place)

    def joined(role: str) -> Cell | None:
        found = [cell for cell in cells.get(role, ()) if cell.text]
        return Cell(one_line(cell.text for cell in found), found[0].place) if found else None

    own = joined("domain")
    return PrintedRow(
        domain=_domain(own.text) if own else domain,
        number=joined("number") or blank,
        indicator=joined("indicator") or blank,
        unit=joined("unit"),
        values=values,
        department=joined("department"),
    )


def _domain(text: str) -> str:
    return domain_named(text) or heading_text(text) or plain(text)


def with_domain(rows: Iterable[PrintedRow], domain: str) -> tuple[PrintedRow, ...]:
    """Rows that go on below a domain printed before them."""
    return tuple(replace(row, domain=row.domain or domain) for row in rows)


def row_length(file: str, place: str, text: str, found: int, expected: int) -> Problem:
    return Problem("row_length", file, place, text, {"found": found, "expected": expected})


def title_of(above: Sequence[str]) -> str:
    """The line near above a table that names it."""
    near = list(islice((line.strip() for line in reversed(above) if line.strip()), TITLE_REACH))
    named = (line for line in near if ("目标" in line or "指标" in line) and len(line) <= _SENTENCE)
    return next(named, next((line for line in near if line.startswith("表") and len(line) <= _SENTENCE), ""))


def section_of(above: Sequence[str]) -> str:
    """The known domain that the lines next above a table name, as where every domain has its own table."""
    near = islice((line for line in reversed(above) if line.strip()), 2)
    return next(filter(None, map(domain_in, near)), "")


def footnotes_of(below: Iterable[str]) -> tuple[str, ...]:
    notes = []
    for line in (line.strip() for line in below if line.strip()):
        if not FOOTNOTE.match(line):
            break
        notes.append(line)
    return tuple(notes)
