"""A table as printed: its parts, what a header cell stands for, and what kind of text a cell is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice

from qyx_analysis import catalogue
from qyx_analysis.documents import Cell
from qyx_analysis.problems import Problem, compiled

FOOTNOTE = re.compile(r"注\s*\d*\s*[:：]|备注\s*[:：]|说明\s*[:：]")
_HEADING = re.compile(r"#|[（(]?[一二三四五六七八九十]+[）)、.]|第[一二三四五六七八九十]+[章节条]")
_CJK = re.compile(r"[\u4e00-\u9fff]")
UNIT_LINE = re.compile(r"[(（][^()（）]+[)）]")
_SERIAL = re.compile(r"[^\w\s]{0,2}\d{1,3}[^\w\s]{0,2}")
TITLE_REACH = 4  # printed lines above the header in which the table's title stands
_MAX_HEADER_TEXT = 100
_YEAR = re.compile(r"20\d\d")
_CHINESE_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")


@dataclass(frozen=True)
class Column:
    """One column of the header: its ``role`` (see ``headers.csv``) and, for a year, which."""

    role: str
    year: int = 0


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
    """The target table of one document, nothing interpreted yet."""

    layout: str
    title: str
    header: Cell
    years: tuple[int, ...]
    rows: tuple[PrintedRow, ...]
    footnotes: tuple[str, ...]


def plain(text: str) -> str:
    """Undo typography: full-width forms, every kind of space, and Markdown's backslashes.

    >>> plain("指 \\u00a0标"), plain("带\\\\*号"), plain("２０２２年")
    ('指标', '带*号', '2022年')
    """
    return re.sub(r"\s|\\(?=[*_#])", "", unicodedata.normalize("NFKC", text))


@cache
def _header_patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((compiled(row.pattern, "headers.csv"), row.role) for row in catalogue.headers().itertuples())


@lru_cache(maxsize=4096)
def column_of(text: str) -> Column | None:
    """Tell what a header cell stands for, or ``None`` when it is no header cell.

    >>> column_of("2022年基础值")
    Column(role='year', year=2022)
    >>> column_of("现状（二〇二二年）")
    Column(role='year', year=2022)
    """
    if len(text) > _MAX_HEADER_TEXT:
        return None
    printed = plain(text).translate(_CHINESE_DIGITS)
    years = _YEAR.findall(printed)
    if len(years) > 1:  # 2023-2027年 is a period
        return None
    rest = _YEAR.sub("", printed)
    rest = re.sub(r"年度|年底|年末|年|[()]", "", rest) if years else rest
    roles = [
        role for pattern, role in _header_patterns() if (role == "year") == bool(years) and pattern.fullmatch(rest)
    ]
    return Column(roles[0], int(years[0]) if years else 0) if roles else None


def is_complete(columns: tuple[Column, ...]) -> bool:
    roles = [column.role for column in columns]
    return roles.count("indicator") == 1 and roles.count("number") == 1 and roles.count("year") >= 2


# --- what kind of text a cell is --------------------------------------------------------------------------


_FURNITURE = re.compile(
    r"[-—–―]+\s*\d{1,4}\s*[-—–―]+|第\s*\d+\s*页.*|[（(]?续\s*(上)?\s*表[）)]?|[-—–―_=*]{3,}"  # page marks and rules
)


def is_furniture(text: str, title: str = "") -> bool:
    """A page mark, “continued” or the table's title again: it may stand between any two rows.

    >>> is_furniture("— 12 —"), is_furniture("续表"), is_furniture("12")
    (True, True, False)
    """
    printed = text.strip()
    return bool(_FURNITURE.fullmatch(printed)) or bool(title and printed == title)


def domain_in(text: str) -> str:
    """The known domain that a short heading such as 一、幼有善育 names, or nothing."""
    printed = plain(text)
    return next((d for d in known_domains() if d in printed and len(printed) <= len(d) + 6), "")


def is_serial(text: str) -> bool:
    return bool(_SERIAL.fullmatch(plain(text)))


def is_text(text: str) -> bool:
    return len(_CJK.findall(text)) >= 2


def is_prose(text: str) -> bool:
    """A heading, a footnote or a sentence: never a cell of the table."""
    return bool((_HEADING.match(text) and not domain_in(text)) or FOOTNOTE.match(text) or "。" in text)


def is_name(text: str) -> bool:
    named = len(_CJK.findall(text)) >= 4 and not domain_in(text)
    return named and not is_prose(text) and not is_word(text)


@cache
def _word_patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(compiled(pattern, "words.csv") for pattern in catalogue.words()["pattern"])


def is_word(text: str) -> bool:
    return any(pattern.fullmatch(plain(text)) for pattern in _word_patterns())


@cache
def known_domains() -> frozenset[str]:
    return frozenset(catalogue.domains()["domain"])


def is_value(text: str) -> bool:
    return is_word(text) or (any(c.isdigit() for c in text) and len(_CJK.findall(text)) <= 4)


# --- rows, and what stands around them --------------------------------------------------------------------


def row_length(file: str, place: str, text: str, found: int, expected: int) -> Problem:
    return Problem("row_length", file, place, text, {"found": found, "expected": expected})


def carry_domains(rows: list[list[Cell]], columns: tuple[Column, ...]) -> Iterator[PrintedRow]:
    domain = ""
    for cells in rows:
        named = {column.role: cell for column, cell in zip(columns, cells, strict=True) if column.role != "year"}
        printed = [plain(named[role].text) for role in ("domain", "section") if role in named]
        domain = next(filter(None, printed), domain)
        yield PrintedRow(
            domain=domain,
            number=named["number"],
            indicator=named["indicator"],
            unit=named.get("unit"),
            values=tuple(cell for column, cell in zip(columns, cells, strict=True) if column.role == "year"),
            department=named.get("department"),
        )


def title_of(above: Sequence[str]) -> str:
    near = islice((line.strip() for line in reversed(above) if line.strip()), TITLE_REACH)
    return next((line for line in near if "目标" in line or "指标" in line), "")


def footnotes_of(below: Sequence[str]) -> tuple[str, ...]:
    notes = []
    for line in (line.strip() for line in below if line.strip()):
        if not FOOTNOTE.match(line):
            break
        notes.append(line)
    return tuple(notes)
