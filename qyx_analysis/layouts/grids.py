"""Tables whose rows and cells the file itself marks: the same grammar, inside each row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

from qyx_analysis.documents import Cell, Document, Grid
from qyx_analysis.layouts.headers import Header, column_of, find_header
from qyx_analysis.layouts.printed import (
    FOOTNOTE,
    TITLE_REACH,
    Column,
    Part,
    PrintedRow,
    count_cjk,
    domain_in,
    domain_named,
    is_department,
    is_furniture,
    is_name,
    is_number,
    is_own_domain,
    is_prose,
    is_serial,
    is_text,
    is_unit,
    is_value,
    make_row,
    plain,
    row_length,
    section_of,
    serial_of,
    title_of,
    value_kind,
    with_domain,
)
from qyx_analysis.names import find_unit, is_indicator
from qyx_analysis.problems import DataError, Problem

_YEAR = re.compile(r"20\d\d")
_LINE = re.compile(r"(line \d+) cell \d+")
_UNIT_AT_END = re.compile(r"\([^()]+\)$")
_LONGEST_REST = 20  # characters of the end of a name on a row of its own
_UNPRINTED = ("domain", "number")  # columns whose merged cells some files leave out, so that the row moves to the left
_TRAILING = ("department", "note", "other")  # columns that a row may end before


@dataclass(frozen=True)
class _Body:
    """What the rows below one header are read with."""

    document: Document
    columns: dict[int, Column]
    texts: dict[str, str]  # of the whole grid by place: what a merged cell says to all that it covers
    title: str
    longest: int  # cells that a row may have, blank ones at its end included
    numeric_tail: bool  # a column after the years has numbers: a row that is short may have lost any

    @property
    def width(self) -> int:
        return max(self.columns) + 1

    def has(self, role: str) -> bool:
        return any(column.role == role for column in self.columns.values())


def _body_of(document: Document, grid: Grid, columns: dict[int, Column], head: int, start: int, title: str) -> _Body:
    """What is to be known of all rows below a header of ``head`` cells before one of them is read."""
    texts = {cell.place: cell.text for row in grid.rows for cell in row if cell.text}
    lengths = Counter(len(row) for row in grid.rows[start:] if sum(bool(cell.text) for cell in row) > 2)
    usual = lengths.most_common(1)[0][0] if lengths else head
    tail = [i for i, column in columns.items() if column.role in _TRAILING]
    width = max(columns) + 1
    whole = (row for row in grid.rows[start:] if len(row) >= width)
    numeric = any(is_number(row[i].text) for row in whole for i in tail)
    return _Body(document, columns, texts, title, max(usual, head, width), numeric)


def parts_in_grids(document: Document) -> list[Part]:
    """The tables of all grids; a grid without a header goes on with the one before it, as on a new page."""
    parts: list[Part] = []
    going_on: Header | None = None
    for grid in chain.from_iterable(map(_halves, document.grids)):
        at, found = _next_header(document, grid, 0)
        if found is None and parts and going_on and not _goes_on(document, grid, going_on, parts[-1]):
            _refuse_lost_page(document, grid, parts[-1])
        elif found is None and going_on and parts:
            part, at = _read_part(document, grid, going_on, 0, 0)
            if part.rows:
                domain = parts[-1].rows[-1].domain
                parts[-1] = replace(parts[-1], rows=(*parts[-1].rows, *with_domain(part.rows, domain)))
            at, found = _next_header(document, grid, at)
        while found:
            header, height = found
            part, end = _read_part(document, grid, header, at, height)
            at, found = _next_header(document, grid, end)
            if part.rows:
                _refuse_lost_rows(_body_of(document, grid, header.all_columns, 0, 0, ""), grid, part, end, at)
                parts.append(part)
                going_on = header
    return parts


def _refuse_lost_page(document: Document, grid: Grid, part: Part) -> None:
    """A grid that begins with a name and about as many numbers as the table has years is its next page, and lost."""
    first = next((row for row in grid.rows if sum(bool(cell.text) for cell in row) > 2), ())
    name = next((cell for cell in first if is_name(cell.text)), None)
    numbers = [cell for cell in first[1:] if is_number(cell.text) and not column_of(cell.text)]
    if name and len(numbers) >= max(2, len(part.values) - 1):
        raise _rows_outside(document, part, name)


def _refuse_lost_rows(body: _Body, grid: Grid, part: Part, first: int, end: int) -> None:
    """Rows like those of the table, after something that seemed to end it, are an error and not a loss."""
    for row in grid.rows[first:end]:
        if _is_row(row, body):
            raise _rows_outside(body.document, part, next(cell for cell in row if is_name(cell.text)))


def _rows_outside(document: Document, part: Part, name: Cell) -> DataError:
    last = part.rows[-1].indicator.place
    return DataError(Problem("rows_outside", document.name, name.place, name.text, {"last": last}))


def _is_row(row: Sequence[Cell], body: _Body) -> bool:
    """Whether cells are surely a row of the table: they fit its columns, and most of the values are values."""
    fitted = _fit(row, body)
    if not fitted or not any(is_name(cell.text) for cell in row):
        return False
    values = [fitted[i].text for i, column in body.columns.items() if column.role == "year"]
    return 2 * sum(map(is_value, values)) > len(values)


def _halves(grid: Grid) -> list[Grid]:
    """A table whose second half stands beside its first: the header names the same columns twice."""
    for row in grid.rows[:8]:
        columns = [column_of(cell.text) for cell in row]
        half = len(columns) // 2
        if half > 2 and all(columns) and columns[:half] == columns[half:]:
            # A line of other length stays whole, and so is refused: nobody knows which half has lost a cell.
            left = tuple(line[:half] if len(line) == 2 * half else line for line in grid.rows)
            right = tuple(line[half:] for line in grid.rows)
            return [replace(grid, rows=left, is_open=False), replace(grid, rows=right)]
    return [grid]


def _next_header(document: Document, grid: Grid, start: int) -> tuple[int, tuple[Header, int] | None]:
    for at in range(start, len(grid.rows)):
        found = find_header(grid.rows, at)
        if found and _is_headline(found[0]):
            return at, found
    return len(grid.rows), None


def _is_headline(header: Header) -> bool:
    """A row of a table's body names its indicator too, and no year: a header has more known cells than unknown."""
    return header.is_complete and len(header.columns) > len(header.unknown)


def _goes_on(document: Document, grid: Grid, header: Header, part: Part) -> bool:
    """Whether the rows of a grid without a header fit the columns of the table before it."""
    if not grid.rows or max(len(row) for row in grid.rows) > max(header.all_columns) + 1:
        return False
    body = _body_of(document, grid, header.all_columns, 0, 0, "")
    rows = [row for row in grid.rows if any(cell.text for cell in row)]
    fitting = [row for row in rows if _is_row(row, body)]
    last = serial_of(part.rows[-1].number.text)
    first = next((n for row in rows for cell in row[:2] if (n := serial_of(cell.text))), 0)
    follows = not last or not first or first == last + 1
    other = bool(rows) and sum(column_of(cell.text) is not None for cell in rows[0]) > 1  # a header of something else
    return bool(rows) and not other and 2 * len(fitting) > len(rows) and follows


# --- the rows below one header ----------------------------------------------------------------------------


def _read_part(document: Document, grid: Grid, header: Header, first: int, height: int) -> tuple[Part, int]:
    above = [*grid.above, *_texts(grid.rows[max(0, first - TITLE_REACH) : first])]
    title = title_of(above) if height else ""
    _refuse_unknown_year(document, header)
    columns = header.all_columns
    head = max((len(row) for row in grid.rows[first : first + height]), default=0)
    body = _body_of(document, grid, columns, head, first + height, title)
    rows, notes, at, cut = _read_rows(body, grid, header, first + height, section_of(above) if height else "")
    printed = next(cell for row in grid.rows[first:] for cell in row if cell.text)
    place = _line_of(printed.place)
    remarks = [Problem("column_unknown", document.name, cell.place, cell.text) for _, cell in header.unknown] + cut
    part = Part(
        "grid",
        title,
        Cell(printed.text, place),
        tuple(body.columns.values()),
        tuple(rows),
        (*notes, *(text for text in grid.below if FOOTNOTE.match(text))),
        tuple(remarks),
    )
    return part, at


def _texts(rows: Sequence[Sequence[Cell]]) -> list[str]:
    return [cell.text for row in rows for cell in row if cell.text]


def _refuse_unknown_year(document: Document, header: Header) -> None:
    """A header that nobody knows among those of years may be a year; one year over two columns is two of them."""
    for cell in header.covered:
        raise DataError(Problem("header_covers", document.name, cell.place, cell.text))
    years = [index for index, column in header.columns.items() if column.role == "year"]
    for index, cell in header.unknown:
        if years[0] < index < years[-1] or _YEAR.search(cell.text):
            raise DataError(Problem("header_unknown", document.name, cell.place, cell.text))


def _read_rows(
    body: _Body, grid: Grid, header: Header, start: int, domain: str
) -> tuple[list[PrintedRow], list[str], int, list[Problem]]:
    rows: list[PrintedRow] = []
    notes: list[str] = []
    at = start
    while at < len(grid.rows):
        row = grid.rows[at]
        again = find_header(grid.rows, at)
        if again and _is_headline(again[0]):
            if again[0].columns != header.columns:
                break
            at += again[1]  # the header again, at the top of a new page
            continue
        alone = _alone(row)
        unfilled = alone is not None and is_serial(alone.text)  # a number without a name or a value
        if unfilled or not any(cell.text for cell in row) or (alone and is_furniture(alone.text, [body.title])):
            at += 1
            continue
        if alone and FOOTNOTE.match(alone.text):
            notes.append(alone.text)
        elif alone and (named := _section(alone, row, body)) is not None:
            if not named:
                break
            domain = named
        elif rows and _is_rest_of_name(row, rows[-1], body):
            rows[-1] = _with_rest(rows[-1], row, body)
        elif fitted := _fit(row, body):
            rows.append(_row_of(fitted, row, body, domain))
            domain = rows[-1].domain
        elif rows and _is_cut(grid, at, body):
            return rows, notes, len(grid.rows), [_cut_problem(body, row)]
        elif alone and not is_serial(alone.text):
            break  # the text after the table
        else:
            raise DataError(_length_problem(body, row))
        at += 1
    return rows, notes, at, []


def _alone(row: Sequence[Cell]) -> Cell | None:
    """The one text of a row; some converters repeat that of a merged cell in all that it covers."""
    printed = [cell for cell in row if cell.text]
    repeated = len(printed) > 2 and len({cell.text for cell in printed}) == 1 and is_text(printed[0].text)
    return printed[0] if len(printed) == 1 or repeated else None


def _section(cell: Cell, row: Sequence[Cell], body: _Body) -> str | None:
    """The domain that a row of one text names; empty where it ends the table, ``None`` where it is a row's text."""
    index = next(i for i, other in enumerate(row) if other.text)
    indicator = next(i for i, column in body.columns.items() if column.role == "indicator")
    across = len(row) == 1 or sum(other.place == cell.place or other.text == cell.text for other in row) > 1
    if domain_in(cell.text) and not is_indicator(cell.text):
        return domain_in(cell.text)
    if is_serial(cell.text) or (index == indicator and not across) or is_unit(cell.text):
        return None
    if is_own_domain(cell.text) or (across and len(row) > 1 and count_cjk(cell.text) <= 12 and not is_prose(cell.text)):
        return plain(cell.text)
    return "" if is_prose(cell.text) or across else None


def _is_rest_of_name(row: Sequence[Cell], before: PrintedRow, body: _Body) -> bool:
    """Whether a row has nothing but the end of the name, or the unit, of the row before."""
    texts = _texts_by_role(row, body)
    text = texts.get("indicator", "")
    if (
        not text
        or is_value(text)
        or is_indicator(text)
        or not set(texts) <= {"indicator", "unit", "domain", "department", "note"}
    ):
        return False
    name = before.indicator.text
    is_open = name.count("(") + name.count("（") > name.count(")") + name.count("）")
    if is_prose(text) or len(text) > _LONGEST_REST or "：" in text or ":" in text:
        return False
    whole = bool(is_unit(text)) or is_open or is_indicator(name + text) or not is_name(text)
    complete = bool(_UNIT_AT_END.search(plain(name))) and not is_unit(text)
    numbered = body.has("number") and not complete
    return whole or (numbered and bool(before.number.text) and not is_indicator(name))


def _with_rest(before: PrintedRow, row: Sequence[Cell], body: _Body) -> PrintedRow:
    texts = _texts_by_role(row, body)
    department = before.department
    if department and texts.get("department"):
        department = Cell(department.text + texts["department"], department.place)
    name = Cell(before.indicator.text + texts.get("indicator", ""), before.indicator.place)
    domain = before.domain + texts.get("domain", "")
    return replace(before, indicator=name, department=department, domain=domain_named(domain) or before.domain)


def _texts_by_role(row: Sequence[Cell], body: _Body) -> dict[str, str]:
    """The printed cells of a row by the role of their column; of cells beyond the header the role is empty."""
    cells = enumerate(_apart(list(row), body))
    return {body.columns[i].role if i in body.columns else "": cell.text for i, cell in cells if cell.text}


# --- one row against the columns --------------------------------------------------------------------------


def _fit(row: Sequence[Cell], body: _Body) -> dict[int, Cell] | None:
    """The cells of a row by column; where merged cells are not printed, those of a row that has moved to the left."""
    width = body.width
    beside = [cell for i, cell in enumerate(row) if cell.text and i not in body.columns]
    if len(row) > body.longest or beside:  # a value below no header, or more cells than the header has
        return None
    texts = _apart([_seen(row, i, body) for i in range(min(len(row), width))], body)
    if _reaches_far_enough(texts, body) and _agrees(dict(enumerate(texts)), body):
        return dict(enumerate(texts))
    end = max((i + 1 for i, cell in enumerate(row) if cell.text), default=0)
    unprinted = [i for i, column in body.columns.items() if column.role in _UNPRINTED]
    for count in range(1, len(unprinted) + 1):
        for lacking in combinations(unprinted, count):
            places = [i for i in range(width) if i not in lacking]
            moved = dict(zip(places, texts[:end], strict=False))
            fills = end == len(places) if body.numeric_tail else end <= len(places)
            if fills and _is_whole(moved, body) and _agrees(moved, body):
                return moved
    return None


def _apart(texts: list[Cell], body: _Body) -> list[Cell]:
    """A number and a name in one cell, as PDF files give them where no rule stands between: 1 孕产妇系统管理率."""
    places = {column.role: i for i, column in body.columns.items() if i < len(texts)}
    number, name = places.get("number"), places.get("indicator")
    if number is None or name is None or is_serial(texts[number].text):
        return texts
    if texts[name].text and texts[name].place != texts[number].place:
        return texts
    if is_text(texts[number].text):
        texts[name], texts[number] = texts[number], Cell("", texts[number].place)
    return texts


def _seen(row: Sequence[Cell], index: int, body: _Body) -> Cell:
    """What stands in a cell: of one that a merged cell covers its text, but for the domain."""
    cell, column = row[index], body.columns.get(index)
    if column is None or column.role == "domain":
        return cell
    return Cell(body.texts.get(cell.place, cell.text), cell.place)


def _reaches_far_enough(texts: Sequence[Cell], body: _Body) -> bool:
    """Whether a row has all cells, or lacks only columns of words at its end and has surely values before them."""
    lacking = [column.role for i, column in body.columns.items() if i >= len(texts)]
    values = [texts[i].text for i, column in body.columns.items() if column.role == "year" and i < len(texts)]
    return not lacking or (set(lacking) <= set(_TRAILING) and not body.numeric_tail and all(map(is_value, values)))


def _is_whole(cells: dict[int, Cell], body: _Body) -> bool:
    """Every value of a row that has moved is printed, and it is surely a row: else nobody could say what is not."""
    texts = [cells[i].text if i in cells else "" for i, column in body.columns.items() if column.role == "year"]
    numbered = any(
        column.role == "number" and i in cells and is_serial(cells[i].text) for i, column in body.columns.items()
    )
    shifted = is_value(texts[-2]) and not is_value(texts[-1])  # a department nobody knows, after a value was lost
    return all(texts) and not shifted and (numbered or 2 * sum(map(is_value, texts)) > len(texts))


def _agrees(cells: dict[int, Cell], body: _Body) -> bool:
    names = {cells[i].place for i, column in body.columns.items() if column.role == "indicator" and i in cells}
    if any(cells[i].place in names for i, column in body.columns.items() if column.role == "year" and i in cells):
        return False  # a name merged with the first value
    if body.has("department") and any(
        is_department(cells[i].text) for i, column in body.columns.items() if column.role == "year" and i in cells
    ):
        return False
    return all(_suits(column.role, cells[i].text) for i, column in body.columns.items() if i in cells)


def _suits(role: str, text: str) -> bool:
    """Whether a text may stand in a column of that role."""
    if role == "indicator":
        return bool(text) and not (is_value(text) or is_serial(text) or domain_named(text) or find_unit(plain(text)))
    if not text:
        return True
    if role == "year":
        return not (is_indicator(text) or domain_named(text))
    if role == "number":
        return not (is_name(text) and count_cjk(text) > 6 or domain_named(text))
    if role == "domain":
        long = is_name(text) and count_cjk(text) > 8 and not domain_in(text)
        return not (is_serial(text) or is_value(text) or is_indicator(text) or long)
    if role == "unit":
        return not is_indicator(text) and not (is_value(text) and find_unit(text) is None and text.strip() not in "/—-")
    if role == "department":
        return not is_value(text) or value_kind(text) == "missing"
    return True


def _row_of(cells: dict[int, Cell], row: Sequence[Cell], body: _Body, domain: str) -> PrintedRow:
    by_role: dict[str, list[Cell]] = {}
    values = []
    for index, column in body.columns.items():
        cell = cells.get(index, Cell("", row[0].place))
        if column.role == "year":
            values.append(cell)
        elif cell.text:
            by_role.setdefault(column.role, []).append(cell)
    return make_row(by_role, tuple(values), row[0].place, domain)


# --- what would make a number wrong -----------------------------------------------------------------------


def _is_cut(grid: Grid, at: int, body: _Body) -> bool:
    """Whether a row is the last of the file and has the beginning of one."""
    row = grid.rows[at]
    begun = dict(enumerate(_seen(row, i, body) for i in range(min(len(row), max(body.columns)))))
    named = any(column.role == "indicator" and i in begun for i, column in body.columns.items())
    values = [begun[i].text for i, column in body.columns.items() if column.role == "year" and i in begun]
    whole = not named or (_agrees(begun, body) and all(map(is_value, values)))
    return grid.is_open and at == len(grid.rows) - 1 and len(row) <= max(body.columns) and whole


def _cut_problem(body: _Body, row: Sequence[Cell]) -> Problem:
    text = " ".join(cell.text for cell in row if cell.text)
    return Problem("table_cut", body.document.name, _line_of(row[0].place), text)


def _length_problem(body: _Body, row: Sequence[Cell]) -> Problem:
    width = body.width
    text = next((cell.text for cell in row if is_name(cell.text)), " ".join(cell.text for cell in row))
    found = len(row)
    while width < found <= body.longest and not row[found - 1].text:
        found -= 1
    if found == width:
        return Problem("row_cells", body.document.name, _line_of(row[0].place), text)
    return row_length(body.document.name, _line_of(row[0].place), text, found, width)


def _line_of(place: str) -> str:
    match = _LINE.fullmatch(place)
    return match[1] if match else place
