"""Tables that the file itself marks as such, in any format: one layout, ``grid``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from qyx_analysis.documents import Cell, Document, Grid
from qyx_analysis.layouts.printed import (
    FOOTNOTE,
    TITLE_REACH,
    Column,
    Table,
    carry_domains,
    column_of,
    is_complete,
    is_name,
    is_serial,
    is_value,
    known_domains,
    plain,
    row_length,
    title_of,
)
from qyx_analysis.problems import DataError, Problem


@dataclass(frozen=True)
class _GridHeader:
    first: int  # index of the first row of the header
    end: int  # index after its last row
    columns: dict[int, Column]  # by column of the grid
    unknown: tuple[Cell, ...]  # cells among them that are not in headers.csv


def tables_in_grids(document: Document) -> list[Table]:
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


def nearly_a_header(document: Document) -> Problem | None:
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
    return _GridHeader(first, end, columns, tuple(unknown)) if is_complete(tuple(columns.values())) else None


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
        if alone and FOOTNOTE.match(alone.text):
            notes.append(alone.text)
        elif alone:
            section = next((Cell(name, alone.place) for name in known_domains() if name in plain(alone.text)), section)
        elif any(cell.text for cell in row):
            if apart and not _is_row(row, header):
                break
            rows.append([section, *_grid_cells(document, row, header, texts)])
        apart = not any(cell.text for cell in row) or bool(alone)
        at += 1
    printed = next(cell for row in grid.rows[header.first :] for cell in row if cell.text)
    near = grid.rows[max(0, header.first - TITLE_REACH) : header.first]
    above = [*grid.above, *(cell.text for row in near for cell in row if cell.text)]
    columns = tuple(header.columns.values())
    table = Table(
        layout="grid",
        title=title_of(above),
        header=Cell(printed.text, printed.place),
        years=tuple(column.year for column in columns if column.role == "year"),
        rows=tuple(carry_domains(rows, (Column("section"), *columns))),
        footnotes=(*notes, *filter(FOOTNOTE.match, grid.below)),
    )
    return table, at


def _alone(row: Sequence[Cell], header: _GridHeader) -> Cell | None:
    """The one text of a row that is no row of the table: a title, a section, a footnote."""
    printed = [(index, cell) for index, cell in enumerate(row) if cell.text]
    if len(printed) != 1:
        return None
    (index, cell), name = printed[0], _at(header, "indicator")
    across = name < len(row) and row[name].place == cell.place and index < name
    first = index <= min(header.columns) and not is_serial(cell.text)
    return cell if across or first or len(row) == 1 else None


def _at(header: _GridHeader, role: str) -> int:
    return next(index for index, column in header.columns.items() if column.role == role)


def _is_row(row: Sequence[Cell], header: _GridHeader) -> bool:
    values = [row[index].text for index, column in header.columns.items() if column.role == "year" and index < len(row)]
    number = _at(header, "number")
    return number < len(row) and (is_serial(row[number].text) or any(map(is_value, values)))


def _grid_cells(document: Document, row: Sequence[Cell], header: _GridHeader, texts: dict[str, str]) -> Iterator[Cell]:
    """The cells below the header's; one that a merged cell covers has its text, but for the domain."""
    present = [index for index in header.columns if index < len(row)]
    beside = [cell for index, cell in enumerate(row) if cell.text and index not in header.columns]
    if len(present) < len(header.columns) or beside:
        text = next((cell.text for cell in row if is_name(cell.text)), " ".join(cell.text for cell in row))
        found = len(present) + len(beside)
        raise DataError(row_length(document.name, row[0].place, text, found, len(header.columns)))
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
