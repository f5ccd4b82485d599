"""PDF with a text layer -> lines and grids. A table goes on over as many pages as it takes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, groupby, pairwise, takewhile
from pathlib import Path
from typing import Any
from unicodedata import normalize

from qyx_analysis.documents import AROUND, Cell, Content, Grid
from qyx_analysis.documents.pdf.bare import find_tables
from qyx_analysis.documents.pdf.ruled import Table, as_table, find_frames, join_tables
from qyx_analysis.documents.pdf.text import (
    Box,
    Line,
    compact,
    lines_of,
    paragraphs,
    set_apart,
    strike_out,
    text_of,
    year_columns,
)
from qyx_analysis.problems import DataError, Problem, shown

MAX_SECONDS = 30  # a page takes some 20 ms
MARGIN_LINES = 3  # of a running header or footer
_MARK = re.compile(
    r"\W*(第?\s*\d{1,4}\s*页?|\d{1,4}\s*/\s*\d{1,4}|第?\s*\d{1,4}\s*页\W*共\s*\d{1,4}\s*页|续上?表)\W*"
)  # of a page
_PAGES_FILE = Path(__file__).with_name("pages.py")

Item = Line | Table  # what a page holds, from top to bottom


def read(data: bytes, name: str) -> Content:
    """Read the lines and grids of a PDF: of its first pages, as many as ``pages.py`` gives.

    Raises :class:`~qyx_analysis.problems.DataError` when it is encrypted, broken, has no text layer, takes too long or
    is so long that no table has ended within the pages read, or where its table may stand on a page that is a picture.
    """
    found = _pages(data, name)
    if not any(page["chars"] for page in found["pages"]):
        unseen = any(page["unseen"] for page in found["pages"])
        raise DataError(Problem("pdf_recognised" if unseen else "pdf_scanned", name))
    pages: list[list[Item]] = [[]]
    for number, page in enumerate(found["pages"], 1):
        pages.append(_items(number, page, next((item for item in pages[-1][::-1] if isinstance(item, Table)), None)))
    _drop_furniture(pages)
    items = _joined(chain.from_iterable(pages))
    ends = [
        (item.rows[-1][0], not isinstance(after, list) or after[0].page > item.rows[-1][0])
        for item, after in pairwise([*items, None])
        if isinstance(item, Table) and any(year_columns([slot.text for slot in row]) for _, row in item.rows)
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


def _items(number: int, page: dict[str, Any], before: Table | None) -> list[Item]:
    chars = [Box(*char, number) for char in page["chars"]]
    chars, rulings = strike_out(chars, [Box("", *ruling, number) for ruling in page["rulings"]])
    frames, rest = find_frames(set_apart(chars), rulings)
    placed: list[tuple[float, Item]] = [(line[0].y, line) for line in lines_of(rest)]
    placed += [(frame[0].y0, as_table(frame, before if i == 0 else None)) for i, frame in enumerate(frames)]
    return [item for _, item in sorted(placed, key=lambda pair: pair[0])]


def _drop_furniture(pages: Sequence[list[Item]]) -> None:
    """Leave out the outermost lines of each page that are marks of a page or return at the same height."""
    for end, step in ((0, 1), (-1, -1)):
        outer = [takewhile(_may_be_furniture, items[::step][:MARGIN_LINES]) for items in pages]
        texts = [[(normalize("NFKC", text_of(line)), round(line[0].y / 4)) for line in lines] for lines in outer]
        masks = [[(re.sub(r"\d+", "#", text), y) for text, y in found] for found in texts]
        counts = Counter(mask for found in masks for mask in set(found))
        for items, found, masked in zip(pages, texts, masks, strict=True):
            for (text, _), mask in zip(found, masked, strict=True):
                often = counts[mask] >= max(2, len(pages) / 2)
                if not (often or _MARK.fullmatch(text)):
                    break
                items.pop(end)


def _may_be_furniture(item: Item) -> bool:
    return isinstance(item, list) and not year_columns([piece.text for piece in item])  # the header of a table


def _joined(items: Iterable[Item]) -> list[Item]:
    """With the tables found among lines, and the parts of each ruled table put together."""
    found: list[Item] = []
    for _, group in groupby(items, key=lambda item: isinstance(item, Table)):
        run = list(group)
        tables = [item for item in run if isinstance(item, Table)]
        for item in tables or find_tables([line for line in run if isinstance(line, list)]):
            last = found[-1] if tables and found else None
            if isinstance(last, Table) and isinstance(item, Table) and last.goes_on(item):
                join_tables(last, item)
            else:
                found.append(item)
    return found


def _content(items: Sequence[Item]) -> Content:
    texts: list[list[str]] = [[]]  # the paragraphs before, between and after the tables
    tables: list[Table] = []
    for _, group in groupby(items, key=lambda item: isinstance(item, Table)):
        run = list(group)
        tables += (found := [item for item in run if isinstance(item, Table)])
        texts += [[] for _ in found]
        texts[-1] += paragraphs([line for line in run if isinstance(line, list)])
    counts = Counter[int]()  # the rows of each page
    grids = [
        Grid(_cells(table, counts), tuple(above[-AROUND:]), tuple(below[:AROUND]))
        for table, above, below in zip(tables, texts, texts[1:], strict=False)
    ]
    return tuple(chain.from_iterable(texts)), tuple(grids)


def _cells(table: Table, counts: Counter[int]) -> tuple[tuple[Cell, ...], ...]:
    places: list[str] = []
    rows = []
    for page, row in table.rows:
        counts[page] += 1
        places.append(f"page {page} row {counts[page]}")
        rows.append(tuple(Cell(slot.text, f"{places[-1 - slot.above]} cell {slot.column + 1}") for slot in row))
    return tuple(rows)
