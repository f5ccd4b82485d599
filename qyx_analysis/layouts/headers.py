"""What a table's header says: the role of each column, and which years its values are of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import zip_longest

from qyx_analysis import catalogue
from qyx_analysis.cells import split_marks
from qyx_analysis.documents import Cell, Document
from qyx_analysis.layouts.printed import Column, is_number, plain
from qyx_analysis.problems import DataError, Problem, compiled

HEIGHT = 3  # rows that one header may take
_MAX_HEADER_TEXT = 60
_YEAR = re.compile(r"20\d\d")
_ORDINAL = re.compile(r"第([一二三四五六七八九1-9])年度?")
_PART_OF_YEAR = re.compile(r"\d{1,2}(-\d{1,2})?月(底|末|份)?|[上下]半年|前?[一二三四1-4]个?季度|截[至止]")
_YEAR_WORDS = re.compile(
    r"[到至]?(年度|年底|年末|年终|年|[()（）\[\]【】/、,])|十[三四五六]五(时期|期)?末?|[中终远末]期|期末|远景|展望"
)
_CHINESE_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_PERIOD = re.compile(r"(20\d\d)年?[-—–―－~～〜至到]+(20\d\d)")
_OBSERVED = ("baseline", "actual")
_VALUES = ("year", "baseline", "actual", "target")


@dataclass(frozen=True)
class Header:
    """A header found: its columns by place (index of the cell), and the cells that say nothing known."""

    columns: dict[int, Column]
    unknown: tuple[tuple[int, Cell], ...] = ()
    covered: tuple[Cell, ...] = ()  # years that stand over more columns than one

    @property
    def all_columns(self) -> dict[int, Column]:
        """Its columns in their order, with those that nobody knows."""
        unknown = {index: Column("other") for index, _ in self.unknown}
        return dict(sorted({**self.columns, **unknown}.items()))

    @property
    def years(self) -> list[int]:
        """The years of its columns of values, 0 where the header names none."""
        return [column.year for column in self.columns.values() if column.role == "year"]

    @property
    def is_complete(self) -> bool:
        """One indicator and at least one year: enough to be the header of a table of targets."""
        roles = [column.role for column in self.columns.values()]
        return roles.count("indicator") == 1 and any(self.years)

    @property
    def is_sound(self) -> bool:
        """Complete, of more than a year, each of one column and none of them twice."""
        years = Counter((column.year, column.said) for column in self.columns.values() if column.role == "year")
        grouped = (0, "target") in years or self.covered
        return self.is_complete and len(years) > 1 and max(years.values()) == 1 and not grouped


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((compiled(row.pattern, "headers.csv"), row.role) for row in catalogue.headers().itertuples())


@lru_cache(maxsize=8192)
def column_of(text: str) -> Column | None:
    """Tell what a header cell stands for, or ``None`` when it is no header cell.

    >>> column_of("2022年基础值"), column_of("现状（二〇二二年）")
    (Column(role='year', year=2022, said='baseline'), Column(role='year', year=2022, said='baseline'))
    >>> column_of("第一年"), column_of("责任单位").role
    (Column(role='year', year=1, said=''), 'department')
    """
    if not text or len(text) > _MAX_HEADER_TEXT:
        return None
    printed = plain(split_marks(text)[0])
    numerals = printed if _YEAR.search(printed) else printed.translate(_CHINESE_DIGITS)
    years, ordinal = _YEAR.findall(numerals), _ORDINAL.search(printed)
    if len(years) > 1:  # 2023-2027年 is a period
        return None
    if years:
        return _year_column(_YEAR.sub("", numerals), int(years[0]))
    if ordinal:
        digits = ordinal[1].translate(_CHINESE_DIGITS)
        return _year_column(_ORDINAL.sub("", printed), int(digits))
    role = _role(printed)
    return Column("year", 0, role) if role in _VALUES else Column(role) if role else None


def _year_column(rest: str, year: int) -> Column | None:
    rest = re.sub('[“”"]', "", rest)
    part = _PART_OF_YEAR.search(rest)
    rest = _YEAR_WORDS.sub("", _PART_OF_YEAR.sub("", rest))
    if part:  # a part of a year is no year of a plan: what was done by then is an actual value, anything else unknown
        return Column("year", year, "actual") if _role(rest, only=("actual",)) else None
    if not rest:
        return Column("year", year)
    role = _role(rest, only=_VALUES)
    return Column("year", year, role) if role else None


def _role(printed: str, only: tuple[str, ...] = ()) -> str:
    roles = (role for pattern, role in _patterns() if (not only or role in only) and pattern.fullmatch(printed))
    return next(roles, "")


def find_header(rows: Sequence[Sequence[Cell]], at: int) -> tuple[Header, int] | None:
    """The header that starts in a row of cells, and how many rows it takes: up to three that stand together.

    The highest sound one counts: 2022年 above 目标 and 实际 is read as two rows.
    """
    heights = range(HEIGHT, 0, -1)
    found = [(header, height) for height in heights for header in _labelled(rows[at : at + height], height)]
    sound = [pair for pair in found if pair[0].is_sound]
    return next((pair for pair in sound if not pair[0].unknown), next(iter([*sound, *found[::-1]]), None))


def _labelled(rows: Sequence[Sequence[Cell]], height: int) -> list[Header]:
    if len(rows) < height or not all(_is_header_row(row) for row in rows):
        return []
    named = [any((column := column_of(cell.text)) and column.role == "indicator" for cell in row) for row in rows]
    if sum(named) > 1:
        return []  # the header again
    layers = [_spread(rows[i], rows[height - 1]) for i in range(height - 1)] + [list(rows[-1])]
    headers = [_header_of(layers)]
    if height == 2 and (stacked := _stacked(rows[0], rows[1])):
        headers.append(_header_of([stacked]))
    return [header for header in headers if header.is_complete]


def _is_header_row(row: Sequence[Cell]) -> bool:
    """More known header cells than unknown ones, and no number."""
    texts = [cell.text for cell in row if cell.text]
    known = sum(column_of(text) is not None for text in texts)
    return 2 * known > len(texts) and not any(is_number(text) and not column_of(text) for text in texts)


def _spread(upper: Sequence[Cell], lower: Sequence[Cell]) -> list[Cell]:
    """An upper row over the whole width: the text of a merged cell, or of the group that stands to the left."""
    texts = {cell.place: cell.text for cell in upper if cell.text}
    wide, group = [], Cell("", "")
    for own, low in zip_longest(upper, lower, fillvalue=Cell("", "")):
        text = own.text or texts.get(own.place, "")
        if text:
            column = column_of(text)
            group = own if column and column.role == "year" else Cell("", "")
        elif low.text:
            text = group.text
        wide.append(Cell(text, own.place or low.place))
    return wide


def _stacked(upper: Sequence[Cell], lower: Sequence[Cell]) -> list[Cell]:
    """A row of years alone under a header whose merged cells are not printed: they stand where its groups do."""
    years = [cell for cell in lower if cell.text]
    if len(years) < 2 or not all((column := column_of(cell.text)) and column.year for cell in years):
        return []
    rest: list[Cell] = []
    groups = 0
    for cell in upper:
        column = column_of(cell.text) if cell.text else None
        if column and column.role == "year" and not column.year:
            rest += years if not groups else []
            groups += 1
        elif cell.text:
            rest.append(cell)
    return rest if groups else []


def _header_of(layers: Sequence[Sequence[Cell]]) -> Header:
    columns: dict[int, Column] = {}
    unknown, covered = [], []
    for index in range(max(map(len, layers))):
        cells = [layer[index] for layer in layers if index < len(layer) and layer[index].text]
        texts = list(dict.fromkeys(cell.text for cell in cells))
        choices = ["".join(texts[i:]) for i in range(len(texts))]
        column = next(filter(None, map(column_of, choices)), None)
        if column:
            columns[index] = column
        elif texts:
            unknown.append((index, cells[-1]))
        elif index - 1 in columns and columns[index - 1].role == "year" and _is_covered(layers, index):
            columns[index] = columns[index - 1]
            covered.append(next(cell for cell in layers[0][index::-1] if cell.text))
    return Header(columns, tuple(unknown), tuple(covered))


def _is_covered(layers: Sequence[Sequence[Cell]], index: int) -> bool:
    """Whether a cell of the lowest row is merged with the one to its left."""
    low = layers[-1]
    return index < len(low) and low[index].place == low[index - 1].place


# --- from the columns of a header to years ----------------------------------------------------------------


def period_said(document: Document) -> tuple[int, int] | None:
    """The first and the last year of the plan by its own title: 2023—2027年."""
    texts = [*document.lines[:40], *(line for grid in document.grids for line in grid.above)]
    for text in texts:
        match = _PERIOD.search(plain(text).translate(_CHINESE_DIGITS))
        if match and 0 < int(match[2]) - int(match[1]) <= 10:
            return int(match[1]), int(match[2])
    return None


def settle_years(
    columns: Iterable[Column], document: Document, header: Cell
) -> tuple[list[Column | None], list[Problem]]:
    """Give every column of values its year; ``None`` for one that is read past, and what was assumed.

    A second column of one year that says it is the actual value is read past, and so are actual values before the
    last one. Raises ``DataError`` where a year cannot be told or stands there twice.
    """
    settled: list[Column | None] = [_numbered(column, document, header) for column in columns]
    targets = sorted(c.year for c in settled if c and c.year and c.said not in _OBSERVED)
    remarks = []
    for i, column in enumerate(settled):
        if column and not column.year:
            if column.said == "target" or not targets:
                raise DataError(Problem("years_unknown", document.name, header.place, header.text))
            settled[i] = replace(column, year=targets[0] - 1, said="baseline")
            said = {"year": targets[0] - 1}
            remarks.append(Problem("baseline_assumed", document.name, header.place, header.text, said))
    _drop_actuals(settled, document, header, remarks)
    years = [column.year for column in settled if column]
    if len(set(years)) < len(years):
        text = ", ".join(map(str, years))
        raise DataError(Problem("years_unknown", document.name, header.place, text))
    return settled, remarks


def _numbered(column: Column, document: Document, header: Cell) -> Column:
    """The first to the ninth year of the plan, of which the document says the period."""
    if not 0 < column.year < 10:
        return column
    period = period_said(document)
    if not period:
        raise DataError(Problem("years_unknown", document.name, header.place, header.text))
    return replace(column, year=period[0] + column.year - 1)


def _drop_actuals(settled: list[Column | None], document: Document, header: Cell, remarks: list[Problem]) -> None:
    """Leave out actual values of years with targets, and those before the baseline: the last one before the targets."""
    planned = {column.year for column in settled if column and column.said not in _OBSERVED}
    observed = [column.year for column in settled if column and column.said in _OBSERVED]
    early = [year for year in observed if not planned or year < min(planned)]
    baseline = max(early, default=0)
    for i, column in enumerate(settled):
        if column and column.said in _OBSERVED and column.year != baseline:
            year = column.year
            settled[i] = None
            remarks.append(Problem("column_unread", document.name, header.place, f"{year}", {"year": year}))
