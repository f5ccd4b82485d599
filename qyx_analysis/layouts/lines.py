"""Tables in lines of text: three layouts, told by the shape of the header.

``columns``: one row per line, cells separated by tabs. ``tabbed_lines``: one cell per line, each line indented by a
tab, rows separated by blank lines. ``lines``: one cell per line, domain cells printed once, a unit sometimes on the
line after its indicator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from qyx_analysis.documents import Cell, Document
from qyx_analysis.layouts.printed import (
    UNIT_LINE,
    Column,
    Table,
    carry_domains,
    column_of,
    domain_in,
    footnotes_of,
    is_complete,
    is_furniture,
    is_name,
    is_prose,
    is_serial,
    is_text,
    is_value,
    is_word,
    row_length,
    title_of,
)
from qyx_analysis.problems import DataError, Problem

_MAX_COLUMNS = 30  # a header of more is none: a file of nothing but header cells must not take forever
_MAX_HEADERS = 20
_NEAR = 200  # characters at the start of a line in which a header shows itself


def tables_in_lines(document: Document) -> list[Table]:
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
        if header and is_complete(header.columns):
            return header
    return None


def _header_in_columns(line: str, index: int) -> _Header | None:
    columns = [column_of(cell) for cell in line.rstrip("\t").split("\t")]
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


def nearly_a_header_line(document: Document) -> Problem | None:
    """The first cell that keeps a line of cells, or a run of lines, from being a header."""
    heads = (at for at, line in enumerate(document.lines) if any(map(column_of, line[:_NEAR].split("\t")[:4])))
    for index in islice(heads, _MAX_HEADERS):
        cells = [(text, f"line {index + 1} cell {i}") for i, text in enumerate(_split(document.lines[index]), 1)]
        if len(cells) == 1:
            following = range(index, min(index + 2 * _MAX_COLUMNS, len(document.lines)))
            cells = [(document.lines[at], f"line {at + 1}") for at in following if document.lines[at].strip()]
        roles = [column.role if (column := column_of(text)) else "" for text, _ in cells]
        unknown = [cell for cell, role in zip(cells, roles, strict=True) if not role and cell[0].strip()]
        if unknown and "indicator" in roles[:4] and ("number" in roles[:4] or "year" in roles):
            return Problem("header_unknown", document.name, unknown[0][1], unknown[0][0].strip())
    return None


def _split(line: str) -> list[str]:
    return line.rstrip("\t").split("\t", _MAX_COLUMNS)


# --- the rows ---------------------------------------------------------------------------------------------


def _read_from(document: Document, header: _Header) -> tuple[Table, int]:
    rows, end = _READERS[header.layout](document, header)
    place = f"line {header.first + 1}"
    table = Table(
        layout=header.layout,
        title=title_of(document.lines[: header.first]),
        header=Cell(document.lines[header.first].strip(), place),
        years=tuple(column.year for column in header.columns if column.role == "year"),
        rows=tuple(carry_domains(rows, header.columns)),
        footnotes=footnotes_of(document.lines[end:]),
    )
    return table, end


def _columns(document: Document, header: _Header) -> tuple[list[list[Cell]], int]:
    rows: list[list[Cell]] = []
    title = title_of(document.lines[: header.first])
    index = header.end
    for index in range(header.end, len(document.lines)):
        line = document.lines[index]
        if not line.strip() or is_furniture(line, title) or ("\t" not in line and domain_in(line)):
            continue
        if "\t" not in line:
            return rows, index
        texts = line.split("\t")
        while len(texts) > len(header.columns) and not texts[-1].strip():
            texts.pop()
        if [column_of(text) for text in texts] == list(header.columns):
            continue  # the header again, at the top of a new page
        cells = [Cell(text.strip(), f"line {index + 1} cell {i}") for i, text in enumerate(texts, 1)]
        rows.append(checked(document, header, cells, f"line {index + 1}"))
    return rows, index + 1


def _tabbed_lines(document: Document, header: _Header) -> tuple[list[list[Cell]], int]:
    rows: list[list[Cell]] = []
    block: list[Cell] = []
    title = title_of(document.lines[: header.first])
    end = len(document.lines)
    for index in range(header.end, len(document.lines)):
        line = document.lines[index]
        if line.startswith("\t"):
            block.append(Cell(line.strip(), f"line {index + 1}"))
            continue
        _close_block(document, header, block, rows)
        block = []
        if line.strip() and not is_furniture(line, title):
            end = index
            break
    _close_block(document, header, block, rows)
    return rows, end


def _close_block(document: Document, header: _Header, block: list[Cell], rows: list[list[Cell]]) -> None:
    if block and [column_of(cell.text) for cell in block] != list(header.columns):
        rows.append(checked(document, header, block, block[0].place))


def _lines(document: Document, header: _Header) -> tuple[list[list[Cell]], int]:
    """Read rows of known length from a stream of cells; merged domain cells are printed once only."""
    title = title_of(document.lines[: header.first])
    following = (
        Cell(line.strip(), f"line {index}")
        for index, line in enumerate(islice(document.lines, header.end, None), header.end + 1)
        if line.strip() and not is_furniture(line, title)
    )
    cells = list(islice(following, 3))
    if cells and _starts_row(cells, 0):
        cells += following
    has_domain = header.columns[0].role == "domain"
    rows, at = [], 0
    while at < len(cells) and _starts_row(cells, at):
        row, used = _take_row(cells, at, header, has_domain)
        end = at + used
        cut_short = any(_opens_known_domain(cells, i) or is_prose(cells[i].text) for i in range(at + 1, end))
        runs_on = end < len(cells) and not _starts_row(cells, end) and not is_text(cells[end].text)
        if cut_short or runs_on or len(row) != len(header.columns) or _lands_inside(cells, end):
            raise DataError(_length_problem(document, header, cells, at, has_domain))
        rows.append(row)
        at = end
    index = int(cells[at].place.split()[1]) - 1 if at < len(cells) else len(document.lines)
    return rows, index


def _take_row(cells: list[Cell], at: int, header: _Header, has_domain: bool) -> tuple[list[Cell], int]:
    row = []
    used = 0
    if has_domain and is_serial(cells[at].text):
        row.append(Cell("", cells[at].place))
    for column in header.columns[len(row) :]:
        if at + used >= len(cells):
            break
        cell = cells[at + used]
        used += 1
        following = cells[at + used] if at + used < len(cells) else None
        if column.role == "indicator" and following and UNIT_LINE.fullmatch(following.text):
            cell = Cell(cell.text + following.text, cell.place)
            used += 1
        row.append(cell)
    return row, used


def _starts_row(cells: list[Cell], at: int) -> bool:
    def numbered(i: int) -> bool:
        return i + 1 < len(cells) and is_serial(cells[i].text) and is_name(cells[i + 1].text)

    text = cells[at].text
    return numbered(at) or (is_text(text) and not is_word(text) and not is_prose(text) and numbered(at + 1))


def _opens_known_domain(cells: list[Cell], at: int) -> bool:
    return bool(domain_in(cells[at].text)) and _starts_row(cells, at)


def _lands_inside(cells: list[Cell], at: int) -> bool:
    """A row one cell short swallows the next row's number: a name and values stand where a row should start."""
    if at >= len(cells) or _starts_row(cells, at) or not is_name(cells[at].text):
        return False
    following = [cell.text for cell in cells[at + 1 : at + 3] if not UNIT_LINE.fullmatch(cell.text)]
    return bool(following) and is_value(following[0])


def _length_problem(document: Document, header: _Header, cells: list[Cell], at: int, has_domain: bool) -> Problem:
    later = (i for i in range(at + 2, len(cells)) if _starts_row(cells, i) or is_prose(cells[i].text))
    end = next(later, len(cells))
    merged_domain = has_domain and is_serial(cells[at].text)
    units = sum(1 for cell in cells[at:end] if UNIT_LINE.fullmatch(cell.text))
    name = cells[at + 1 if merged_domain or not has_domain else at + 2].text
    return row_length(document.name, cells[at].place, name, end - at - units, len(header.columns) - merged_domain)


def checked(document: Document, header: _Header, cells: list[Cell], place: str) -> list[Cell]:
    if len(cells) != len(header.columns):
        text = next((cell.text for cell in cells if is_name(cell.text)), " ".join(cell.text for cell in cells))
        raise DataError(row_length(document.name, place, text, len(cells), len(header.columns)))
    return cells


_READERS: dict[str, Callable[[Document, _Header], tuple[list[list[Cell]], int]]] = {
    "columns": _columns,
    "tabbed_lines": _tabbed_lines,
    "lines": _lines,
}
