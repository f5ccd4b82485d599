"""PDF with a text layer -> lines and grids. A table goes on over as many pages as it takes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any

from qyx_analysis.documents import AROUND, Cell, Content, Grid, one_line
from qyx_analysis.documents.pdf.bare import bare_part
from qyx_analysis.documents.pdf.lines import Box, Line, compact, has_year, lines_of, set_apart, text_of
from qyx_analysis.documents.pdf.parts import Part
from qyx_analysis.documents.pdf.ruled import Lattice, lattices, ruled_part
from qyx_analysis.documents.pdf.shares import labelled_rows
from qyx_analysis.problems import DataError, Problem, shown

MAX_SECONDS = 30  # a page takes some 20 ms
MARGIN_LINES = 3  # of a running header or footer
_PAGE_NUMBER = re.compile(r"\W*(第?\s*\d{1,4}\s*页?|\d{1,4}\s*/\s*\d{1,4}|第?\s*\d{1,4}\s*页\W*共\s*\d{1,4}\s*页)\W*")
_PAGES_FILE = Path(__file__).with_name("pages.py")

Item = Part | Line  # what a page holds, from top to bottom


def read(data: bytes, name: str) -> Content:
    """Read the lines and grids of a PDF: of its first pages, as many as ``pages.py`` gives.

    Raises :class:`~qyx_analysis.problems.DataError` when it is encrypted, broken, has no text layer or takes too long,
    or is so long that no table has ended within the pages read.
    """
    deadline = monotonic() + MAX_SECONDS
    found = _pages(data, name)
    if not any(page["text"] for page in found["pages"]):
        unseen = any(page["unseen"] for page in found["pages"])
        raise DataError(Problem("pdf_recognised" if unseen else "pdf_scanned", name))
    pages: list[list[Item]] = []
    for items in _items(found["pages"]):
        pages.append(items)
        if monotonic() > deadline:
            raise DataError(Problem("pdf_too_slow", name, values={"seconds": MAX_SECONDS}))
    tables = _tables(pages)
    if not found["all"] and not any(parts[0].years and parts[-1].page < len(pages) for parts in tables):
        raise DataError(Problem("pdf_too_long", name, values={"pages": len(pages)}))
    return _content(pages, tables)


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


# --- the pages --------------------------------------------------------------------------------------------


def _items(pages: Sequence[dict[str, Any]]) -> Iterator[list[Item]]:
    """What each page prints between its running header and footer: parts of tables, and lines."""
    prints = [_printed(page) for page in pages]
    heads = _furniture([printed.lines_above for printed in prints])
    feet = _furniture([printed.lines_below[::-1] for printed in prints])
    before: Part | None = None
    for number, (printed, head, foot) in enumerate(zip(prints, heads, feet, strict=True), 1):
        items = _page_items(number, printed, head + foot, before)
        before = _last_table(items)
        yield items


@dataclass
class _Printed:
    """What a page prints: ruled tables and the characters in them, and the lines and characters around them."""

    ruled: list[tuple[Lattice, list[Box]]]
    chars: list[Box]
    lines: list[Line]

    @property
    def lines_above(self) -> list[Line]:
        return [line for line in self.lines if all(line[0].y < lattice.ys[0] for lattice, _ in self.ruled)]

    @property
    def lines_below(self) -> list[Line]:
        return [line for line in self.lines if all(line[0].y > lattice.ys[-1] for lattice, _ in self.ruled)]


def _printed(page: dict[str, Any]) -> _Printed:
    chars = set_apart([Box(text, *box) for text, box in zip(page["text"], page["boxes"], strict=True)])
    ruled = []
    for lattice in lattices(page["rulings"]):
        inside: list[Box] = []
        outside: list[Box] = []
        for char in chars:
            (outside if lattice.find(char) is None else inside).append(char)
        ruled.append((lattice, inside))
        chars = outside
    return _Printed(ruled, chars, lines_of(chars))


def _furniture(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The outermost lines of each page that are page numbers or return at the same height."""
    masks = [[_mask(line) for line in page[:MARGIN_LINES]] for page in pages]
    counts = Counter(mask for page in masks for mask in set(page))
    often = max(2, len(pages) / 2)
    found: list[list[Line]] = []
    for page, lines in zip(masks, pages, strict=True):
        found.append([])
        for mask, line in zip(page, lines, strict=False):
            text = unicodedata.normalize("NFKC", text_of(line))
            if has_year(line) or not (counts[mask] >= often or _PAGE_NUMBER.fullmatch(text)):
                break
            found[-1].append(line)
    return found


def _mask(line: Line) -> tuple[str, int]:
    return re.sub(r"\d+", "#", compact(text_of(line))), round(line[0].y / 4)


def _last_table(items: Sequence[Item]) -> Part | None:
    """The table at the end of a page, which may go on overleaf."""
    for item in items[: -MARGIN_LINES - 2 : -1]:
        if isinstance(item, Part):
            return item
    return None


def _page_items(number: int, printed: _Printed, furniture: Sequence[Line], before: Part | None) -> list[Item]:
    parts: list[Part] = []
    lines = [line for line in printed.lines if line not in furniture]
    going_on = before if before and before.ruled else None
    for lattice, chars in printed.ruled:
        part = ruled_part(number, lattice, chars, going_on)
        if part:
            parts.append(part)
            going_on = None
        else:
            lines = lines_of([*chars, *(piece for line in lines for piece in line)])
    items: list[Item] = [*parts]
    going_on = before if before and not before.ruled else None
    for top, bottom in pairwise([float("-inf"), *(part.top for part in parts), float("inf")]):
        rest = [line for line in lines if top <= line[0].y < bottom]
        while found := bare_part(number, rest, going_on):
            part, start, end = found
            items += [*rest[:start], part]
            rest = rest[end:]
            going_on = None
        items += rest
        going_on = None
    return sorted(items, key=lambda item: item.top if isinstance(item, Part) else item[0].y0)


# --- tables over several pages ----------------------------------------------------------------------------


def _tables(pages: Sequence[Sequence[Item]]) -> list[list[Part]]:
    """The parts of each table."""
    tables: list[list[Part]] = []
    before: Part | None = None
    for items in pages:
        last = _last_table(items)
        parts = [item for item in items if isinstance(item, Part)]
        for part in parts:
            above = items[: items.index(part)]
            if part is parts[0] and before and _goes_on(before, part, above):
                _mend(before, part)
                tables[-1].append(part)
            else:
                tables.append([part])
        before = last
    return tables


def _goes_on(before: Part, part: Part, above: Sequence[Item]) -> bool:
    if part.header is None:
        return part.columns is before.columns
    silent = not above or all("续" in text_of(line) for line in above if isinstance(line, list))
    return silent and bool(before.years) and len(part.columns) == len(before.columns)


def _mend(before: Part, part: Part) -> None:
    """Put together what the end of the page cut: a merged cell whose text stands overleaf, and a row."""
    serial = before.serials if before.serials is not None else part.serials
    if part.first >= len(part.rows) or serial is None:
        return
    last, row = before.rows[-1], part.rows[part.first]
    for column in range(serial):
        top = last[column].row
        merged = top < len(before.rows) - 1 or sum(other[column].row == part.first for other in part.rows) > 1
        if merged and not before.rows[top][column].text:
            before.rows[top][column] = before.rows[top][column]._replace(text=row[column].text)
            row[column] = row[column]._replace(text="")
    wholes = [serial, *before.years]  # no number is cut: it stands on one of the two pages
    whole = [i for i in wholes if all(any(map(str.isdigit, slot.text)) for slot in (last[i], row[i]))]
    cut = not (last[serial].text and row[serial].text or whole)
    if cut and last[serial].column == row[serial].column == serial:  # not a heading across the table
        before.rows[-1] = [a._replace(text=_joined(a.text, b.text)) for a, b in zip(last, row, strict=True)]
        part.rows[part.first] = [slot._replace(text="") for slot in row]


def _joined(text: str, more: str) -> str:
    return one_line([text, more]) if text and more else text + more


def _content(pages: Sequence[Sequence[Item]], tables: Sequence[Sequence[Part]]) -> Content:
    table_of = {id(part): number for number, parts in enumerate(tables) for part in parts}
    paragraphs: list[list[str]] = [[]]  # before, between and after the tables
    order: list[int] = []
    lines: list[Line] = []
    for item in [item for items in pages for item in items]:
        if isinstance(item, Part):
            if table_of[id(item)] not in order:
                order.append(table_of[id(item)])
                paragraphs[-1] += _paragraphs(lines)
                paragraphs.append([])
                lines = []
        else:
            lines.append(item)
    paragraphs[-1] += _paragraphs(lines)
    rows = _printed_rows(pages, tables)
    grids = [
        Grid(rows[number], tuple(above[-AROUND:]), tuple(below[:AROUND]))
        for number, above, below in zip(order, paragraphs, paragraphs[1:], strict=False)
    ]
    return tuple(text for group in paragraphs for text in group), tuple(grids)


def _printed_rows(
    pages: Sequence[Sequence[Item]], tables: Sequence[Sequence[Part]]
) -> list[tuple[tuple[Cell, ...], ...]]:
    """The cells of each table; the rows of a page are counted through all its tables."""
    above: dict[int, int] = {}  # rows of the page before each part
    for items in pages:
        count = 0
        for part in items:
            if isinstance(part, Part):
                above[id(part)] = count
                count += len(part.rows)
    found = []
    for parts in tables:
        rows = [
            [Cell(s.text, f"page {part.page} row {above[id(part)] + s.row + 1} cell {s.column + 1}") for s in row]
            for part in parts
            for row in part.rows
        ]
        _set_labels(rows, parts)
        found.append(tuple(map(tuple, rows)))
    return found


def _set_labels(rows: list[list[Cell]], parts: Sequence[Part]) -> None:
    """Give the texts that stand for several rows, in a table without lines, to the first of their rows."""
    index: list[int] = []
    count = 0
    for part in parts:
        count += len(part.rows)
        index += range(count - len(part.stretches), count)
    for column in sorted({column for part in parts for column in part.labels}):
        for text, group in labelled_rows(parts, column):
            place = rows[index[group[0]]][column].place if group else ""
            for i in group:
                rows[index[i]][column] = Cell(text if i == group[0] else "", place)


# --- paragraphs -------------------------------------------------------------------------------------------


def _paragraphs(lines: Sequence[Line]) -> list[str]:
    """Join the lines that a paragraph wraps into: a full one, and the next where it starts at the margin."""
    if not lines:
        return []
    left, right = min(line[0].x0 for line in lines), max(line[-1].x1 for line in lines)
    texts = [text_of(lines[0])]
    for was, line in pairwise(lines):
        em = line[0].height
        wraps = was[-1].x1 > right - 2 * em and line[0].x0 < left + em and abs(was[0].height - em) < em / 4
        if wraps:
            texts[-1] = one_line([texts[-1], text_of(line)])
        else:
            texts.append(text_of(line))
    return texts
