"""A text file -> its lines, and the grids of its tables: cells between pipes, tabs or commas, or a line to a cell."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from html import unescape
from io import StringIO
from itertools import groupby

from qyx_analysis.documents import AROUND, Cell, Content, Grid, one_line, too_complex
from qyx_analysis.problems import DataError, Problem

MAX_LINES = 200_000  # and cells of pipe tables; a plan has some 1,000
_RULE = re.compile(r"[\s|:+-]*-[\s|:+-]*")  # the line below a Markdown header
_DRAWN_RULE = re.compile(r"\s*\+[-=:+]*\+\s*")
_PAGE_MARK = re.compile(r"\s*([-—–―]|第\s*\d+\s*页|[（(]?续|[（(]?接上|\d)")
_PIPE = re.compile(r"(?<!\\)((?:\\\\)*)\|")  # one after an odd number of backslashes is a character of its cell
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_REACH = 3 * AROUND  # lines among which those paragraphs are looked for: every other one may be blank
_BETWEEN, _SHORT = 3, 40  # lines that may interrupt a table of tabbed lines, and characters of each
_COMMAS = 4  # in a line of comma-separated text
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def decode(data: bytes, name: str) -> str:
    """Decode UTF-8 (with or without BOM), UTF-16 with BOM or GB18030.

    Raises :class:`~qyx_analysis.problems.DataError` when the bytes are binary or in none of these encodings.
    """
    encodings: tuple[str, ...] = ("utf-8-sig", "gb18030")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    elif b"\x00" in data:
        raise DataError(Problem("file_binary", name))
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DataError(Problem("file_encoding", name))


def read(data: bytes, name: str) -> Content:
    """Read all lines as they are; lines with pipes, tabs or commas between cells give grids besides."""
    # Not str.splitlines: it would also cut at form feeds and other marks, and shift every line number.
    lines = decode(data, name).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) + data.count(b"|") > MAX_LINES:
        raise too_complex(name, MAX_LINES)
    grids = [*_piped(lines), *_tabbed(lines)]
    return Content(tuple(lines), tuple(sorted(grids or _comma_separated(lines), key=_first_line)))


def _first_line(grid: Grid) -> int:
    return next(int(cell.place.split()[1]) for row in grid.rows for cell in row)


def _piped(lines: list[str]) -> Iterator[Grid]:
    for piped, run in groupby(enumerate(lines), key=lambda item: _is_piped(item[1])):
        if piped:
            numbered = list(run)
            bordered = numbered[0][1].lstrip().startswith("|")
            if any(_DRAWN_RULE.fullmatch(line) for _, line in numbered):
                rows = _drawn(numbered)
            else:
                rows = [_row(line, index + 1, bordered) for index, line in numbered if not _RULE.fullmatch(line)]
            yield _grid(lines, numbered[0][0], numbered[-1][0] + 1, rows)


def _is_piped(line: str) -> bool:
    return line.count("|") >= 2 or line.count("｜") >= 2 or bool(_DRAWN_RULE.fullmatch(line))


def _drawn(numbered: list[tuple[int, str]]) -> list[tuple[Cell, ...]]:
    """A table drawn with +---+ between its rows, each of which may take several lines of as many cells."""
    groups: list[list[tuple[Cell, ...]]] = [[]]
    for index, line in numbered:
        if _DRAWN_RULE.fullmatch(line):
            groups.append([])
        else:
            groups[-1].append(_row(line, index + 1))
    rows: list[tuple[Cell, ...]] = []
    for lines in filter(None, groups):
        if len(set(map(len, lines))) > 1:  # nobody knows which cell goes on in which: each line is a row, and refused
            rows += lines
        else:
            rows.append(
                tuple(Cell(one_line(c.text for c in cells), cells[0].place) for cells in zip(*lines, strict=True))
            )
    return rows


def _tabbed(lines: list[str]) -> Iterator[Grid]:
    """Lines of cells with tabs between, or blocks of lines that a tab indents, a cell each; others may interrupt."""
    tabbed = [index for index, line in enumerate(lines) if "\t" in line and line.count("|") < 2]
    for run in _runs(lines, tabbed):
        if any(lines[index].count('"') % 2 for index in run):  # a cell over several lines, as Excel copies it
            yield from _separated(lines, "\t", run[0], run[-1] + 1)
            continue
        if any("\t" in lines[index].strip() for index in run):
            rows = [_cells(lines[index], index + 1) for index in range(run[0], run[-1] + 1) if lines[index].strip()]
        else:
            rows = _blocks(lines, run)
        if len(rows) > 1:
            yield _grid(lines, run[0], run[-1] + 1, rows)


def _runs(lines: list[str], tabbed: list[int]) -> Iterator[list[int]]:
    """The tabbed lines that belong together: few and short lines stand between them."""
    run: list[int] = []
    for index in tabbed:
        between = [line for line in lines[run[-1] + 1 : index] if line.strip()] if run else []
        if len(between) > _BETWEEN or any(len(line) > _SHORT for line in between):
            yield run
            run = []
        run.append(index)
    if run:
        yield run


def _cells(line: str, number: int) -> tuple[Cell, ...]:
    if "\t" not in line.strip() and not line.startswith("\t"):
        return (Cell(line.strip(), f"line {number}"),)
    return tuple(Cell(text.strip(), f"line {number} cell {i}") for i, text in enumerate(line.split("\t"), 1))


def _blocks(lines: list[str], run: list[int]) -> list[tuple[Cell, ...]]:
    """Rows whose cells are lines: a blank line, or one that no tab indents, ends a row. A single block is no table."""
    rows: list[list[Cell]] = [[]]
    for index in range(run[0], run[-1] + 1):
        line = lines[index]
        cell = Cell(line.strip(), f"line {index + 1}")
        goes_on = bool(rows[-1]) and lines[index + 1 : index + 2] and lines[index + 1].startswith("\t")
        wrapped = goes_on and line.strip() and len(line) <= _SHORT and not _PAGE_MARK.match(line)
        if line.startswith("\t"):
            rows[-1].append(cell)
        elif wrapped:
            rows[-1][-1] = Cell(one_line([rows[-1][-1].text, cell.text]), rows[-1][-1].place)
        else:
            rows += [[cell], []] if line.strip() else [[]]
    blocks = [tuple(row) for row in rows if row]
    return blocks if sum(len(row) > 2 for row in blocks) > 1 else []


def _comma_separated(lines: list[str]) -> list[Grid]:
    """A plan saved as comma-separated text: most lines have the commas of the longest run of them."""
    commas = [line.count(",") for line in lines if line.strip()]
    if sum(count >= _COMMAS for count in commas) < max(3, len(commas) // 2):
        return []
    return list(_separated(lines, ",", 0, len(lines)))


def _separated(lines: list[str], separator: str, first: int, end: int) -> Iterator[Grid]:
    """Rows of a file whose cells stand in quotation marks where they need to."""
    reader = csv.reader(StringIO("\n".join(lines[first:end])), delimiter=separator)
    rows: list[tuple[Cell, ...]] = []
    number = first
    try:
        for texts in reader:
            cells = (Cell(one_line(t.split("\n")), f"line {number + 1} cell {i}") for i, t in enumerate(texts, 1))
            rows += [tuple(cells)] if any(texts) else []
            number = first + reader.line_num
    except csv.Error:  # a field beyond the reader's limit: no table of ours
        return
    if rows:
        yield _grid(lines, first, end, rows)


def _grid(lines: list[str], first: int, end: int, rows: list[tuple[Cell, ...]]) -> Grid:
    above, below = _around(lines[max(0, first - _REACH) : first]), _around(lines[end : end + _REACH])
    return Grid(tuple(rows), above[-AROUND:], below[:AROUND], not any(line.strip() for line in lines[end:]))


def _around(lines: list[str]) -> tuple[str, ...]:
    return tuple(line.strip() for line in lines if line.strip() and line.count("|") < 2)


def _row(line: str, number: int, bordered: bool = True) -> tuple[Cell, ...]:
    line = line if "|" in line else line.replace("｜", "|")
    pieces = _PIPE.split(line.strip())
    texts = [text + end for text, end in zip(pieces[::2], [*pieces[1::2], ""], strict=True)]
    texts = texts[1:] if bordered and not texts[0].strip() else texts
    texts = texts[:-1] if texts and not texts[-1].strip() and line.rstrip().endswith("|") else texts
    return tuple(Cell(_printed(text), f"line {number} cell {i}") for i, text in enumerate(texts, 1))


def _printed(text: str) -> str:
    """The text that Markdown's marks stand for: bold, escapes, entities and line breaks."""
    text = one_line(_BREAK.split(text))
    if len(text) > 4 and text[:2] == text[-2:] and text[:2] in ("**", "__"):
        text = text[2:-2]
    return unescape(_ESCAPED.sub(r"\1", text))
