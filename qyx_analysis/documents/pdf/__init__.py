"""PDF with a text layer -> lines and grids. A table goes on over as many pages as it takes.

A table with ruling lines is a grid. One without is read as producers write it: cell after cell, each a line, of which
the grammar of :mod:`qyx_analysis.layouts` makes rows.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise, takewhile
from pathlib import Path
from typing import Any

from qyx_analysis.documents import AROUND, Cell, Content, Grid
from qyx_analysis.documents.pdf.tables import Table, as_table, find_frames, join_tables
from qyx_analysis.documents.pdf.text import (
    Box,
    Line,
    by_line,
    paragraphs_of,
    set_apart,
    strike_out,
    text_of,
    written_lines,
    year_columns,
)
from qyx_analysis.problems import DataError, Problem, shown

MAX_SECONDS = 30  # a page takes some 20 ms
MARGIN_LINES = 3  # of a running header or footer
_PAGES_FILE = Path(__file__).with_name("pages.py")

Item = Line | Table  # what a page holds, in the order in which it is written


def read(data: bytes, name: str) -> Content:
    """Read the lines and grids of a PDF: of its first pages, as many as ``pages.py`` gives.

    Raises :class:`~qyx_analysis.problems.DataError` when it is encrypted, broken, has no text layer, takes too long or
    is so long that no table has ended within the pages read, or where its table may stand on a page that is a picture.
    """
    found = _pages(data, name)
    if not any(page["chars"] for page in found["pages"]):
        unseen = any(page["unseen"] for page in found["pages"])
        raise DataError(Problem("pdf_recognised" if unseen else "pdf_scanned", name))
    pages = [_items(number, page) for number, page in enumerate(found["pages"], 1)]
    items = _joined(chain.from_iterable(_without_furniture(pages)))
    ends = [
        (item.rows[-1][0].page, not isinstance(after, list) or after[0].page > item.rows[-1][0].page)
        for item, after in pairwise([*items, None])
        if isinstance(item, Table) and any(map(year_columns, item.texts))
    ]
    for number, page in enumerate(found["pages"], 1):
        if page["pictured"] and not page["chars"] and (not ends or (number - 1, True) in ends):
            raise DataError(Problem("pdf_page_scanned", name, f"page {number}"))
    if not found["all"] and not any(page < len(found["pages"]) for page, _ in ends):
        raise DataError(Problem("pdf_too_long", name, values={"pages": len(found["pages"])}))
    return _content(items)


def _pages(data: bytes, name: str) -> dict[str, Any]:
    # -P: the modules beside that file must not hide those of the standard library.
    command = [sys.executable, "-P", str(_PAGES_FILE)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=MAX_SECONDS, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise DataError(Problem("pdf_too_slow", name, values={"seconds": MAX_SECONDS})) from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = shown(said[-1] if said else f"exit {error.returncode}")
        raise DataError(Problem("file_damaged", name, values={"kind": "PDF", "reason": reason})) from error
    if found["locked"]:
        raise DataError(Problem("file_encrypted", name))
    return found


def _items(number: int, page: dict[str, Any]) -> list[Item]:
    """The lines of a page in the order in which they were written, each ruled table before what stands below it."""
    printed, drawn = ([Box(*mark)._replace(page=number) for mark in page[kind]] for kind in ("chars", "rulings"))
    chars, rulings = strike_out(printed, drawn)
    frames, rest = find_frames(set_apart(chars), rulings)
    tables = deque(sorted((frame[0].y0, as_table(frame)) for frame in frames))
    items: list[Item] = []
    for line in written_lines(rest):
        while tables and tables[0][0] < line[0].y:
            items.append(tables.popleft()[1])
        items.append(line)
    return [*items, *(table for _, table in tables)]


def _without_furniture(pages: Sequence[list[Item]]) -> list[list[Item]]:
    """Leave out the outermost lines of each page that return at the same height, but for their numbers."""
    levels = [by_line(piece for item in items if isinstance(item, list) for piece in item) for items in pages]
    gone: set[Box] = set()
    for step in (1, -1):
        edges = [_edge(lines[::step]) for lines in levels]
        counts = Counter(mask for lines in edges for mask in set(map(_mask, lines)))
        often = {mask for mask, count in counts.items() if count >= max(2, len(pages) // 2)}
        for lines in edges:
            count = len(list(takewhile(often.__contains__, map(_mask, lines))))
            gone.update(chain.from_iterable(lines[:count]))
    return [[item for item in items if isinstance(item, Table) or gone.isdisjoint(item)] for items in pages]


def _edge(lines: Sequence[Line]) -> list[Line]:
    """The outermost lines, as far as they are not the header of a table, which stands around its years."""
    years = [line[0].y for line in lines if year_columns(piece.text for piece in line)]
    return list(
        takewhile(lambda line: all(abs(line[0].y - y) > 1.5 * line[0].height for y in years), lines[:MARGIN_LINES])
    )


def _mask(line: Line) -> tuple[str, int]:
    return re.sub(r"\d+", "#", text_of(line)), round(line[0].y / 4)


def _joined(items: Iterable[Item]) -> list[Item]:
    """With the parts of each table put together."""
    found: list[Item] = []
    for item in items:
        last = found[-1] if found else None
        if not (isinstance(item, Table) and isinstance(last, Table) and join_tables(last, item)):
            found.append(item)
    return found


def _content(items: Sequence[Item]) -> Content:
    tables = [item for item in items if isinstance(item, Table)]
    texts: list[list[Line]] = [[]]  # before, between and after the tables
    for item in items:
        if isinstance(item, Table):
            texts.append([])
        else:
            texts[-1].append(item)
    prose = list(map(paragraphs_of, texts))
    counts = Counter[int]()  # the rows of each page
    grids = [
        Grid(_cells(table, counts), _texts(above[-AROUND:]), _texts(below[:AROUND]))
        for table, (above, below) in zip(tables, pairwise(prose), strict=True)
    ]
    paragraphs = [*chain.from_iterable(prose)]
    return Content(_texts(paragraphs), tuple(grids), tuple(paragraph.page for paragraph in paragraphs))


def _texts(paragraphs: Iterable[Box]) -> tuple[str, ...]:
    return tuple(paragraph.text for paragraph in paragraphs)


def _cells(table: Table, counts: Counter[int]) -> tuple[tuple[Cell, ...], ...]:
    places: dict[Box, str] = {}
    rows = []
    for row in table.rows:
        counts[row[0].page] += 1
        line = f"page {row[0].page} row {counts[row[0].page]}"
        texts = ["" if box in {*places, *row[:i]} else box.text for i, box in enumerate(row)]
        placed = [places.setdefault(box, f"{line} cell {i}") for i, box in enumerate(row, 1)]
        rows.append(tuple(map(Cell, texts, placed)))
    return tuple(rows)
