"""A document -> its target table as printed: one reader per layout, chosen by the shape of the header.

The plans print the same table in different ways. ``columns``: one row per line, cells separated by tabs.
``tabbed_lines``: one cell per line, each line indented by a tab, rows separated by blank lines. ``lines``: one
cell per line, domain cells printed once, a unit sometimes on the line after its indicator. ``grid``: a table that
the file itself marks as one, in any format.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import islice

from qyx_analysis import catalogue
from qyx_analysis.documents import Cell, Document, Grid
from qyx_analysis.problems import DataError, Problem

_FOOTNOTE = re.compile(r"注\s*[:：]|备注\s*[:：]|说明\s*[:：]")
_HEADING = re.compile(r"#|[（(]?[一二三四五六七八九十]+[）)、.]|第[一二三四五六七八九十]+[章节条]")
_CJK = re.compile(r"[\u4e00-\u9fff]")
_UNIT_LINE = re.compile(r"[(（][^()（）]+[)）]")
_SERIAL = re.compile(r"[^\w\s]{0,2}\d{1,3}[^\w\s]{0,2}")
_TITLE_REACH = 4  # printed lines above the header in which the table's title stands
_MAX_COLUMNS = 30  # a header of more is none: a file of nothing but header cells must not take forever
_MAX_HEADERS = 20
_MAX_HEADER_TEXT = 100


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
    return tuple((re.compile(row.pattern), row.role) for row in catalogue.headers().itertuples())


@lru_cache(maxsize=4096)
def column_of(text: str) -> Column | None:
    """Tell what a header cell stands for, or ``None`` when it is no header cell.

    >>> column_of("2022年基础值")
    Column(role='year', year=2022)
    """
    if len(text) > _MAX_HEADER_TEXT:
        return None
    printed = plain(text)
    for pattern, role in _header_patterns():
        match = pattern.fullmatch(printed)
        if match:
            return Column(role, int(match[1]) if role == "year" else 0)
    return None


def read_table(document: Document) -> Table:
    """Find the one target table of a document and read it as printed.

    Raises :class:`~qyx_analysis.problems.DataError` when there is no table, more than one, or a row whose
    length differs from the header's.
    """
    tables = [*_in_lines(document), *_in_grids(document)]
    if not tables:
        raise DataError(_nearly_a_header(document) or Problem("table_missing", document.name))
    if len(tables) > 1:
        places = ", ".join(table.header.place for table in tables)
        raise DataError(Problem("table_ambiguous", document.name, places, tables[1].title or tables[1].header.text))
    return tables[0]


def _in_lines(document: Document) -> list[Table]:
    tables: list[Table] = []
    start = 0
    for _ in range(_MAX_HEADERS):
        found = _find_header(document, start)
        if found is None or len(tables) > 1:
            break
        table, start = _read_from(document, found)
        if table.rows:
            tables.append(table)
    return tables


# --- the header -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Header:
    layout: str
    first: int  # index of the first line of the header
    end: int  # index after its last line
    columns: tuple[Column, ...]


def _find_header(document: Document, start: int) -> _Header | None:
    for index in range(start, len(document.lines)):
        line = document.lines[index]
        if not line.strip():
            continue
        header = _header_in_columns(line, index) or _header_in_lines(document.lines, index)
        if header and _complete(header.columns):
            return header
    return None


def _complete(columns: tuple[Column, ...]) -> bool:
    roles = [column.role for column in columns]
    return roles.count("indicator") == 1 and roles.count("number") == 1 and roles.count("year") >= 2


def _header_in_columns(line: str, index: int) -> _Header | None:
    columns = [column_of(cell) for cell in line.split("\t")]
    known = tuple(column for column in columns if column)
    return _Header("columns", index, index + 1, known) if len(known) == len(columns) > 1 else None


def _header_in_lines(lines: tuple[str, ...], index: int) -> _Header | None:
    columns: list[Column] = []
    end = index
    for at in range(index, len(lines)):
        if not lines[at].strip():
            continue
        column = column_of(lines[at])
        if column is None or len(columns) > _MAX_COLUMNS:
            break
        columns.append(column)
        end = at + 1
    layout = "tabbed_lines" if lines[index].startswith("\t") else "lines"
    return _Header(layout, index, end, tuple(columns)) if len(columns) > 1 else None


# --- the rows ---------------------------------------------------------------------------------------------


def _read_from(document: Document, header: _Header) -> tuple[Table, int]:
    rows, end = _READERS[header.layout](document, header)
    place = f"line {header.first + 1}"
    table = Table(
        layout=header.layout,
        title=_title(document.lines[: header.first]),
        header=Cell(document.lines[header.first].strip(), place),
        years=tuple(column.year for column in header.columns if column.role == "year"),
        rows=tuple(_carry_domains(rows, header.columns)),
        footnotes=_footnotes(document.lines[end:]),
    )
    return table, end


def _columns(document: Document, header: _Header) -> tuple[list[list[Cell]], int]:
    rows: list[list[Cell]] = []
    index = header.end
    for index in range(header.end, len(document.lines)):
        line = document.lines[index]
        if not line.strip():
            continue
        if "\t" not in line:
            return rows, index
        texts = line.split("\t")
        if [column_of(text) for text in texts] == list(header.columns):
            continue  # the header again, at the top of a new page
        cells = [Cell(text.strip(), f"line {index + 1} cell {i}") for i, text in enumerate(texts, 1)]
        rows.append(_checked(document, header, cells, f"line {index + 1}"))
    return rows, index + 1


def _tabbed_lines(document: Document, header: _Header) -> tuple[list[list[Cell]], int]:
    rows: list[list[Cell]] = []
    block: list[Cell] = []
    end = len(document.lines)
    for index in range(header.end, len(document.lines)):
        line = document.lines[index]
        if line.startswith("\t"):
            block.append(Cell(line.strip(), f"line {index + 1}"))
            continue
        _close_block(document, header, block, rows)
        block = []
        if line.strip():
            end = index
            break
    _close_block(document, header, block, rows)
    return rows, end


def _close_block(document: Document, header: _Header, block: list[Cell], rows: list[list[Cell]]) -> None:
    if block and [column_of(cell.text) for cell in block] != list(header.columns):
        rows.append(_checked(document, header, block, block[0].place))


def _lines(document: Document, header: _Header) -> tuple[list[list[Cell]], int]:
    """Read rows of known length from a stream of cells; merged domain cells are printed once only."""
    following = (
        Cell(line.strip(), f"line {index}")
        for index, line in enumerate(islice(document.lines, header.end, None), header.end + 1)
        if line.strip()
    )
    cells = list(islice(following, 3))
    if cells and _starts_row(cells, 0):
        cells += following
    has_domain = header.columns[0].role == "domain"
    rows, at = [], 0
    while at < len(cells) and _starts_row(cells, at):
        row, used = _take_row(cells, at, header, has_domain)
        end = at + used
        cut_short = any(_opens_known_domain(cells, i) or _is_prose(cells[i].text) for i in range(at + 1, end))
        runs_on = end < len(cells) and not _starts_row(cells, end) and not _is_text(cells[end].text)
        if cut_short or runs_on or len(row) != len(header.columns) or _lands_inside(cells, end):
            raise DataError(_length_problem(document, header, cells, at, has_domain))
        rows.append(row)
        at = end
    index = int(cells[at].place.split()[1]) - 1 if at < len(cells) else len(document.lines)
    return rows, index


def _take_row(cells: list[Cell], at: int, header: _Header, has_domain: bool) -> tuple[list[Cell], int]:
    row = []
    used = 0
    if has_domain and _is_serial(cells[at].text):
        row.append(Cell("", cells[at].place))
    for column in header.columns[len(row) :]:
        if at + used >= len(cells):
            break
        cell = cells[at + used]
        used += 1
        following = cells[at + used] if at + used < len(cells) else None
        if column.role == "indicator" and following and _UNIT_LINE.fullmatch(following.text):
            cell = Cell(cell.text + following.text, cell.place)
            used += 1
        row.append(cell)
    return row, used


def _is_serial(text: str) -> bool:
    return bool(_SERIAL.fullmatch(plain(text)))


def _is_text(text: str) -> bool:
    return len(_CJK.findall(text)) >= 2


def _is_prose(text: str) -> bool:
    """A heading, a footnote or a sentence: never a cell of the table."""
    return bool(_HEADING.match(text) or _FOOTNOTE.match(text) or "。" in text)


def _is_name(text: str) -> bool:
    named = len(_CJK.findall(text)) >= 4 and plain(text) not in _known_domains()
    return named and not _is_prose(text) and not _is_word(text)


@cache
def _word_patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in catalogue.words()["pattern"])


def _is_word(text: str) -> bool:
    return any(pattern.fullmatch(plain(text)) for pattern in _word_patterns())


def _starts_row(cells: list[Cell], at: int) -> bool:
    def numbered(i: int) -> bool:
        return i + 1 < len(cells) and _is_serial(cells[i].text) and _is_name(cells[i + 1].text)

    text = cells[at].text
    return numbered(at) or (_is_text(text) and not _is_word(text) and not _is_prose(text) and numbered(at + 1))


@cache
def _known_domains() -> frozenset[str]:
    return frozenset(catalogue.domains()["domain"])


def _opens_known_domain(cells: list[Cell], at: int) -> bool:
    return plain(cells[at].text) in _known_domains() and _starts_row(cells, at)


def _is_value(text: str) -> bool:
    return _is_word(text) or (any(c.isdigit() for c in text) and len(_CJK.findall(text)) <= 4)


def _lands_inside(cells: list[Cell], at: int) -> bool:
    """A row one cell short swallows the next row's number: a name and values stand where a row should start."""
    if at >= len(cells) or _starts_row(cells, at) or not _is_name(cells[at].text):
        return False
    following = [cell.text for cell in cells[at + 1 : at + 3] if not _UNIT_LINE.fullmatch(cell.text)]
    return bool(following) and _is_value(following[0])


def _length_problem(document: Document, header: _Header, cells: list[Cell], at: int, has_domain: bool) -> Problem:
    later = (i for i in range(at + 2, len(cells)) if _starts_row(cells, i) or _is_prose(cells[i].text))
    end = next(later, len(cells))
    merged_domain = has_domain and _is_serial(cells[at].text)
    units = sum(1 for cell in cells[at:end] if _UNIT_LINE.fullmatch(cell.text))
    name = cells[at + 1 if merged_domain or not has_domain else at + 2].text
    return _row_length(document, cells[at].place, name, end - at - units, len(header.columns) - merged_domain)


def _checked(document: Document, header: _Header, cells: list[Cell], place: str) -> list[Cell]:
    if len(cells) != len(header.columns):
        text = next((cell.text for cell in cells if _is_name(cell.text)), " ".join(cell.text for cell in cells))
        raise DataError(_row_length(document, place, text, len(cells), len(header.columns)))
    return cells


def _row_length(document: Document, place: str, text: str, found: int, expected: int) -> Problem:
    return Problem("row_length", document.name, place, text, {"found": found, "expected": expected})


_READERS: dict[str, Callable[[Document, _Header], tuple[list[list[Cell]], int]]] = {
    "columns": _columns,
    "tabbed_lines": _tabbed_lines,
    "lines": _lines,
}


# --- grids ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _GridHeader:
    first: int  # index of the first row of the header
    end: int  # index after its last row
    columns: dict[int, Column]  # by column of the grid
    unknown: tuple[Cell, ...]  # cells among them that are not in headers.csv


def _in_grids(document: Document) -> list[Table]:
    """The tables of all grids; one that goes on in the next grid, as on a new page, is one table."""
    tables: list[Table] = []
    going_on: _GridHeader | None = None
    for grid in document.grids:
        texts = {cell.place: cell.text for row in grid.rows for cell in row if cell.text}
        header = _find_grid_header(grid, 0)
        if header is None and going_on and _follows(tables[-1], _first_number(grid.rows, going_on)):
            header = replace(going_on, first=0, end=0)
        while header and len(tables) < 2:
            table, at = _read_grid(document, grid, header, texts)
            if table.rows:
                alike = going_on and going_on.columns == header.columns
                if alike and _follows(tables[-1], _number(table.rows[0].number.text)):
                    tables[-1] = _joined(tables[-1], table)
                else:
                    tables.append(table)
                going_on = header
            header = _find_grid_header(grid, at)
    return tables


def _find_grid_header(grid: Grid, start: int) -> _GridHeader | None:
    headers = (_grid_header(grid.rows, at) for at in range(start, len(grid.rows)))
    return next((header for header in headers if header and not header.unknown), None)


def _nearly_a_header(document: Document) -> Problem | None:
    """The first cell that keeps a row with all that a header needs from being one."""
    for grid in document.grids:
        for header in (_grid_header(grid.rows, at) for at in range(len(grid.rows))):
            if header and header.unknown:
                cell = header.unknown[0]
                return Problem("header_unknown", document.name, cell.place, cell.text)
    return None


def _grid_header(rows: Sequence[Sequence[Cell]], at: int) -> _GridHeader | None:
    """A header of one row or, where a cell such as 目标值 or 2022年 stands above others, of two."""
    known = {column.role for cell in rows[at] if (column := column_of(cell.text))}
    if not {"number", "indicator"} <= known:
        return None
    headers = [_labelled(rows[at], [[cell.text] for cell in rows[at]], at, at + 1)]
    for top in (at, at - 1):
        if 0 <= top < len(rows) - 1:
            spread = {cell.place: cell.text for cell in rows[top] if cell.text}
            pairs = [(spread.get(upper.place, ""), low.text) for upper, low in zip(*rows[top : top + 2], strict=False)]
            texts = [[low, above + low] if low else [above] for above, low in pairs]
            headers.append(_labelled(rows[top], texts, top, top + 2))
    found = [header for header in headers if header]
    return next((header for header in found if not header.unknown), next(iter(found), None))


def _labelled(cells: Sequence[Cell], texts: list[list[str]], first: int, end: int) -> _GridHeader | None:
    columns, unknown = {}, []
    for index, (cell, choices) in enumerate(zip(cells, texts, strict=False)):
        column = next(filter(None, map(column_of, choices)), None)
        if column:
            columns[index] = column
        elif choices[0]:
            unknown.append(Cell(choices[-1], cell.place))
    return _GridHeader(first, end, columns, tuple(unknown)) if _complete(tuple(columns.values())) else None


def _read_grid(document: Document, grid: Grid, header: _GridHeader, texts: dict[str, str]) -> tuple[Table, int]:
    """The table below one header, and the index of the row that ends it; ``texts`` are the grid's by place."""
    rows: list[list[Cell]] = []
    notes: list[str] = []
    section = Cell("", "")
    apart = False  # a row that belongs to no indicator was the last one
    at = header.end
    while at < len(grid.rows):
        again = _grid_header(grid.rows, at)
        if again:
            if again.columns != header.columns:
                break
            at = again.end  # the header again, at the top of a new page
            continue
        row = grid.rows[at]
        alone = _alone(row, header)
        if alone and _FOOTNOTE.match(alone.text):
            notes.append(alone.text)
        elif alone:
            section = next((Cell(name, alone.place) for name in _known_domains() if name in plain(alone.text)), section)
        elif any(cell.text for cell in row):
            if apart and not _is_row(row, header):
                break
            rows.append([section, *_grid_cells(document, row, header, texts)])
        apart = not any(cell.text for cell in row) or bool(alone)
        at += 1
    printed = next(cell for row in grid.rows[header.first :] for cell in row if cell.text)
    near = grid.rows[max(0, header.first - _TITLE_REACH) : header.first]
    above = [*grid.above, *(cell.text for row in near for cell in row if cell.text)]
    columns = tuple(header.columns.values())
    table = Table(
        layout="grid",
        title=_title(above),
        header=Cell(printed.text, printed.place),
        years=tuple(column.year for column in columns if column.role == "year"),
        rows=tuple(_carry_domains(rows, (Column("section"), *columns))),
        footnotes=(*notes, *filter(_FOOTNOTE.match, grid.below)),
    )
    return table, at


def _alone(row: Sequence[Cell], header: _GridHeader) -> Cell | None:
    """The one text of a row that is no row of the table: a title, a section, a footnote."""
    printed = [(index, cell) for index, cell in enumerate(row) if cell.text]
    if len(printed) != 1:
        return None
    (index, cell), name = printed[0], _at(header, "indicator")
    across = name < len(row) and row[name].place == cell.place and index < name
    first = index <= min(header.columns) and not _is_serial(cell.text)
    return cell if across or first or len(row) == 1 else None


def _at(header: _GridHeader, role: str) -> int:
    return next(index for index, column in header.columns.items() if column.role == role)


def _is_row(row: Sequence[Cell], header: _GridHeader) -> bool:
    values = [row[index].text for index, column in header.columns.items() if column.role == "year" and index < len(row)]
    number = _at(header, "number")
    return number < len(row) and (_is_serial(row[number].text) or any(map(_is_value, values)))


def _grid_cells(document: Document, row: Sequence[Cell], header: _GridHeader, texts: dict[str, str]) -> Iterator[Cell]:
    """The cells below the header's; one that a merged cell covers has its text, but for the domain."""
    present = [index for index in header.columns if index < len(row)]
    beside = [cell for index, cell in enumerate(row) if cell.text and index not in header.columns]
    if len(present) < len(header.columns) or beside:
        text = next((cell.text for cell in row if _is_name(cell.text)), " ".join(cell.text for cell in row))
        found = len(present) + len(beside)
        raise DataError(_row_length(document, row[0].place, text, found, len(header.columns)))
    for index, column in header.columns.items():
        cell = row[index]
        yield cell if column.role == "domain" else Cell(texts.get(cell.place, cell.text), cell.place)


def _number(text: str) -> int:
    found = re.search(r"\d{1,4}", plain(text))
    return int(found[0]) if found else 0


def _first_number(rows: Sequence[Sequence[Cell]], header: _GridHeader) -> int:
    index = _at(header, "number")
    return next((_number(row[index].text) for row in rows if len(row) > index and row[index].text), 0)


def _follows(table: Table, number: int) -> bool:
    last = _number(table.rows[-1].number.text)
    return 0 < last == number - 1


def _joined(table: Table, following: Table) -> Table:
    rows = [replace(row, domain=row.domain or table.rows[-1].domain) for row in following.rows]
    return replace(table, rows=(*table.rows, *rows), footnotes=table.footnotes + following.footnotes)


# --- around the rows --------------------------------------------------------------------------------------


def _carry_domains(rows: list[list[Cell]], columns: tuple[Column, ...]) -> Iterator[PrintedRow]:
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


def _title(above: Sequence[str]) -> str:
    near = islice((line.strip() for line in reversed(above) if line.strip()), _TITLE_REACH)
    return next((line for line in near if "目标" in line or "指标" in line), "")


def _footnotes(below: Sequence[str]) -> tuple[str, ...]:
    notes = []
    for line in (line.strip() for line in below if line.strip()):
        if not _FOOTNOTE.match(line):
            break
        notes.append(line)
    return tuple(notes)
