"""Tables in lines of text, one cell or one row to a line: a header, then a stream of cells for the grammar."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from qyx_analysis.documents import Cell, Document
from qyx_analysis.layouts.grammar import MAX_TOKENS, Reading, cut_rows
from qyx_analysis.layouts.headers import Header, column_of
from qyx_analysis.layouts.printed import (
    FOOTNOTE,
    Column,
    Part,
    count_cjk,
    domain_in,
    domain_named,
    footnotes_of,
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
)
from qyx_analysis.problems import DataError, Problem

_MAX_COLUMNS = 30  # a header of more is none: a file of nothing but header cells must not take forever
_MAX_HEADERS = 40
_LEAP = 30  # rows that a plan may leave out of its numbering
_NEXT = re.compile(
    r"(附件|附表|附录|附图|表)\s*[\d一二三四五六七八九十]{1,2}(\s|[:：．.]|$|[^\d%])"
)  # the title of what follows
_CUT_NUMBER = re.compile(r"\D{0,4}\d+\.")
_SPACES = re.compile(r"\s{2,}|[\u3000\u2003]+")
_SPACED_WORDS = re.compile(r"(领|序|指|单|备)\s+(域|号|标|位|注)")


@dataclass(frozen=True)
class _Head:
    first: int  # index of the first line of the header
    end: int  # index after its last line
    columns: tuple[Column, ...]
    spaced: bool  # its cells, and so those of the rows, stand on one line with spaces between


def parts_in_lines(document: Document, taken: frozenset[int] = frozenset()) -> list[Part]:
    """The tables in the lines of a document that no grid has ``taken``."""
    parts: list[Part] = []
    start = 0
    for _ in range(_MAX_HEADERS):
        head = _find_head(document, start, taken)
        if head is None:
            break
        part, start = _read_part(document, head, taken)
        if part.rows:
            parts.append(part)
    return parts


# --- the header -------------------------------------------------------------------------------------------


def _find_head(document: Document, start: int, taken: frozenset[int]) -> _Head | None:
    for index in range(start, len(document.lines)):
        line = document.lines[index]
        if not line.strip() or index in taken:
            continue
        head = _head_of_line(line, index) or _head_of_lines(document, index, taken)
        if head:
            return head
    return None


def _head_of_line(line: str, index: int) -> _Head | None:
    if len(line) > 400 or not line.strip():
        return None
    for cells in (_SPACES.split(line.strip()), _SPACED_WORDS.sub(r"\1\2", line).split()):
        columns = [column_of(cell) for cell in cells]
        if len(cells) > 2 and all(columns):
            header = Header(dict(enumerate(c for c in columns if c)))
            if header.is_sound:
                return _Head(index, index + 1, tuple(header.columns.values()), True)
    return None


def _head_of_lines(document: Document, index: int, taken: frozenset[int]) -> _Head | None:
    """A run of lines that are header cells; an unknown one among the years may be a year, and is refused."""
    found = _header_run(document, index, taken)
    if not found:
        return None
    columns, cells = map(list, zip(*found, strict=True))
    end = int(cells[-1].place.split()[1])
    columns = _without_groups(columns, cells)
    if not columns or not Header(dict(enumerate(columns))).is_complete:
        return None
    years = [i for i, column in enumerate(columns) if column.role == "year"]
    for cell, column in zip(cells[years[0] : years[-1]], columns[years[0] :], strict=False):
        if column.role == "other":
            raise DataError(Problem("header_unknown", document.name, cell.place, cell.text))
    return _Head(index, end, tuple(columns), False)


def _header_run(document: Document, index: int, taken: frozenset[int]) -> list[tuple[Column, Cell]]:
    """The header cells from a line on, each with what it stands for; one that nobody knows ends no run."""
    found: list[tuple[Column, Cell]] = []
    upright = ""  # the first characters of a header cell set downwards: 领, then 域
    for at in range(index, min(len(document.lines), index + 4 * _MAX_COLUMNS)):
        line = upright + document.lines[at].strip()
        if not line:
            continue
        column = column_of(line)
        if column is None and len(line) == 1 and count_cjk(line) and at not in taken:
            upright = line
            continue
        upright = ""
        if column is None and found and _is_unknown_head(document, at):
            column = Column("other")
        if column is None or at in taken or len(found) > _MAX_COLUMNS:
            break
        if column.role in ("number", "indicator") and any(column == other for other, _ in found):
            return []  # two headers, or none: a long run of such must not take forever
        found.append((column, Cell(line, f"line {at + 1}")))
    while found and found[-1][0].role == "other":
        found.pop()
    return found


def _is_unknown_head(document: Document, at: int) -> bool:
    """A short text of no known meaning with a header cell after it."""
    following = (line.strip() for line in document.lines[at + 1 : at + 4] if line.strip())
    after = column_of(next(following, ""))
    text = document.lines[at].strip()
    return after is not None and after.role == "year" and is_text(text) and len(plain(text)) <= 8 and not is_prose(text)


def _without_groups(columns: list[Column], cells: list[Cell]) -> list[Column]:
    """A header of two rows in one run: 基础值 目标值 2022年 2023年 … names its groups before its years.

    Where every such word follows a year, as in 2023年 目标 2023年 实绩, it belongs to that year.
    """
    groups = [i for i, column in enumerate(columns) if column.role == "year" and not column.year]
    years = [column.year for column in columns if column.year]
    if len(years) < 2 or not any(columns[i].said in ("target", "actual") for i in groups):
        return columns
    if all(i and columns[i - 1].year and not columns[i - 1].said for i in groups):
        for i in groups:
            columns[i - 1] = replace(columns[i - 1], said=columns[i].said)
    for i in reversed(groups):
        del columns[i], cells[i]
    return columns


# --- the rows ---------------------------------------------------------------------------------------------


def _read_part(document: Document, head: _Head, taken: frozenset[int]) -> tuple[Part, int]:
    above = [line for i, line in enumerate(document.lines[: head.first]) if i not in taken]
    title = title_of(above)
    tokens, end = _tokens(document, head, title, taken)
    if len(tokens) > MAX_TOKENS:
        raise DataError(Problem("file_too_complex", document.name, values={"limit": f"{MAX_TOKENS:,}"}))
    readings, stop = cut_rows(tokens, head.columns)
    place = f"line {head.first + 1}"
    header = Cell(document.lines[head.first].strip(), place)
    remarks = [
        Problem("column_unknown", document.name, place, document.lines[head.first + i].strip())
        for i, column in enumerate(head.columns)
        if column.role == "other"
    ]
    part = Part("lines", title, header, head.columns, (), footnotes_of(document.lines[end:]), tuple(remarks))
    if not readings and not any(is_number(token.text) for token in tokens):
        return part, end
    cut = _check_rows(document, head.columns, tokens, readings, stop, end)
    rows, domain = [], section_of(above)
    for reading in readings:
        row = make_row(reading.cells, tuple(reading.values), tokens[reading.start].place, domain)
        domain = row.domain
        rows.append(row)
    return replace(part, rows=tuple(rows), remarks=(*part.remarks, *cut)), end


def _tokens(document: Document, head: _Head, title: str, taken: frozenset[int]) -> tuple[list[Cell], int]:
    """The cells after the header up to where the text is surely no table's; the header again is left out."""
    tokens: list[Cell] = []
    index = head.end
    while index < len(document.lines):
        line = document.lines[index].strip()
        if index in taken or (line and (FOOTNOTE.match(line) or "。" in line or (len(line) > 60 and is_prose(line)))):
            break
        if tokens and _NEXT.match(line):
            break
        again = _repeats(document, index, head)
        if again:
            index = again
            continue
        if line and not is_furniture(line, [title]):
            tokens += _cells_of(line, index + 1, head.spaced)
        index += 1
    return _whole_cells(tokens), index


def _whole_cells(tokens: list[Cell]) -> list[Cell]:
    """Join what the page had in one cell: a domain set downwards, 幼 有 善 育, and a number cut after its point."""
    whole: list[Cell] = []
    at = 0
    while at < len(tokens):
        cell = tokens[at]
        length = next((n for n in range(8, 1, -1) if _is_upright(tokens[at : at + n], n)), 1)
        after = tokens[at + 2].text if at + 2 < len(tokens) else ""
        if _CUT_NUMBER.fullmatch(cell.text) and not is_name(after):
            length = 2 if at + 1 < len(tokens) and tokens[at + 1].text.isdigit() else 1
        whole.append(Cell("".join(token.text for token in tokens[at : at + length]), cell.place))
        at += length
    return whole


def _is_upright(cells: Sequence[Cell], length: int) -> bool:
    text = "".join(cell.text for cell in cells)
    single = len(cells) == length and all(len(cell.text) == 1 for cell in cells)
    return single and bool(domain_named(text) or is_own_domain(text))


def _cells_of(line: str, number: int, spaced: bool) -> list[Cell]:
    if not spaced:
        return [Cell(line, f"line {number}")]
    return [Cell(text, f"line {number} cell {i}") for i, text in enumerate(line.split(), 1)]


def _repeats(document: Document, index: int, head: _Head) -> int:
    """The line after the header printed again here, as at the top of a new page; 0 where it is not."""
    if head.spaced:
        again = _head_of_line(document.lines[index], index)
        return again.end if again and again.columns == head.columns else 0
    wanted, text, at = plain("".join(document.lines[head.first : head.end])), "", index
    while at < len(document.lines) and wanted.startswith(text + plain(document.lines[at])):
        text += plain(document.lines[at])
        at += 1
        if text == wanted:
            return at
    return 0


# --- what would make a number wrong -----------------------------------------------------------------------


def _check_rows(
    document: Document,
    columns: Sequence[Column],
    tokens: Sequence[Cell],
    readings: Sequence[Reading],
    stop: int,
    end: int,
) -> list[Problem]:
    """Refuse what the grammar could only read by shifting cells; name a table that the document cuts off."""
    swallowed = _swallowed_serial(readings)
    swallowed = _odd_note(readings) if swallowed is None else swallowed
    swallowed = _header_in_rows(readings) if swallowed is None else swallowed
    if swallowed is not None:
        raise DataError(_length_problem(document, columns, tokens, swallowed))
    rest = tokens[stop:]
    last = readings[-1] if readings else None
    begins = bool(rest) and (_starts_row(tokens, stop) or (is_name(rest[0].text) and not is_unit(rest[0].text)))
    extra = bool(rest) and is_value(rest[0].text) and not begins  # one more value than the row has years
    taken = bool(rest and last and _serial(last) and serial_of(last.values[-1].text) == _serial(last) + 1)
    if last and (extra or (taken and begins)):
        raise DataError(_length_problem(document, columns, tokens, last.start))
    if not any(is_number(cell.text) for cell in rest):
        return []  # what follows the table is prose
    at_end = not any(line.strip() for line in document.lines[end:])
    if at_end and last and begins and _is_cut_row(rest, columns):
        return [Problem("table_cut", document.name, rest[0].place, " ".join(cell.text for cell in rest[:3]))]
    raise DataError(_length_problem(document, columns, tokens, stop))


def _swallowed_serial(readings: Sequence[Reading]) -> int | None:
    """Where a row may have taken the number of the next row for its last value, or the reverse.

    The next row then has no number, or one that follows neither the row before nor begins anew.
    """
    numbers = [_serial(reading) for reading in readings]
    last = 0  # the last number printed
    for i, (number, reading) in enumerate(zip(numbers, readings, strict=True)):
        value = serial_of(readings[i - 1].values[-1].text) if i else 0
        after = next((n for n in numbers[i + 1 :] if n), 0)
        if i and any(numbers) and not number and value in (last + 1, after - 1):
            return readings[i - 1].start
        if last and number > 1 and not 0 < number - last <= _LEAP:
            return reading.start
        last = number or last
    return None


def _odd_note(readings: Sequence[Reading]) -> int | None:
    """Where a note may be a value, or a value a note: a number among notes that are none, words without their note."""
    notes = [next(iter(reading.cells.get("note", [])), None) for reading in readings]
    numbers = [note is not None and is_number(note.text) for note in notes]
    for reading, note, number in zip(readings, notes, numbers, strict=True):
        if number and not all(numbers):
            return reading.start
        if note is None and any(notes) and value_kind(reading.values[-1].text) == "words":
            return reading.start
    return None


def _header_in_rows(readings: Sequence[Reading]) -> int | None:
    """Where a row is the header again, of which a page lacks or splits a cell."""
    return next((one.start for one in readings if all(re.search(r"20\d\d年", cell.text) for cell in one.values)), None)


def _serial(reading: Reading) -> int:
    return next((serial_of(cell.text) for cell in reading.cells.get("number", [])), 0)


def _is_cut_row(rest: Sequence[Cell], columns: Sequence[Column]) -> bool:
    """The beginning of a row and nothing after it."""
    years = sum(column.role == "year" for column in columns)
    if any(is_prose(cell.text) for cell in rest):
        return False
    return len(rest) < len(columns) + 3 and sum(is_number(cell.text) for cell in rest) <= years


def _length_problem(document: Document, columns: Sequence[Column], tokens: Sequence[Cell], at: int) -> Problem:
    starts = [i for i in range(at + 2, len(tokens)) if _starts_row(tokens, i) or is_prose(tokens[i].text)]
    end = next(iter(starts), len(tokens))
    has_domain = columns[0].role == "domain"
    merged_domain = has_domain and is_serial(tokens[at].text)
    units = sum(1 for cell in tokens[at:end] if is_unit(cell.text))
    name = next((cell.text for cell in tokens[at:end] if is_name(cell.text)), tokens[at].text)
    found, expected = end - at - units, len(columns) - merged_domain
    if found == expected:
        return Problem("row_cells", document.name, tokens[at].place, name)
    return row_length(document.name, tokens[at].place, name, found, expected)


def _starts_row(tokens: Sequence[Cell], at: int) -> bool:
    def numbered(i: int) -> bool:
        return i + 1 < len(tokens) and is_serial(tokens[i].text) and is_name(tokens[i + 1].text)

    text = tokens[at].text
    return (
        numbered(at)
        or (is_text(text) and not is_value(text) and not is_prose(text) and numbered(at + 1))
        or bool(domain_in(text))
    )
