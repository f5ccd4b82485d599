"""A text file -> its lines, and the grids of its pipe tables (Markdown's, or plain lines with ``|`` between cells)."""

from __future__ import annotations

import re
from html import unescape
from itertools import groupby

from qyx_analysis.documents import AROUND, Cell, Content, Grid, one_line
from qyx_analysis.problems import DataError, Problem

MAX_LINES = 200_000  # and cells of pipe tables; a plan has some 1,000
_RULE = re.compile(r"[\s|:+-]*-[\s|:+-]*")  # the line below a Markdown header
_PIPE = re.compile(r"(?<!\\)((?:\\\\)*)\|")  # one after an odd number of backslashes is a character of its cell
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_REACH = 3 * AROUND  # lines among which those paragraphs are looked for: every other one may be blank
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
    """Read all lines as they are; runs of lines with pipes give a grid besides."""
    # Not str.splitlines: it would also cut at form feeds and other marks, and shift every line number.
    lines = decode(data, name).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) + data.count(b"|") > MAX_LINES:
        raise DataError(Problem("file_too_complex", name, values={"limit": f"{MAX_LINES:,}"}))
    grids = []
    for piped, run in groupby(enumerate(lines), key=lambda item: item[1].count("|") >= 2):
        if piped:
            numbered = list(run)
            first, end = numbered[0][0], numbered[-1][0] + 1
            above, below = _around(lines[max(0, first - _REACH) : first]), _around(lines[end : end + _REACH])
            rows = tuple(_row(line, index + 1) for index, line in numbered if not _RULE.fullmatch(line))
            grids.append(Grid(rows, above[-AROUND:], below[:AROUND]))
    return tuple(lines), tuple(grids)


def _around(lines: list[str]) -> tuple[str, ...]:
    return tuple(line.strip() for line in lines if line.strip() and line.count("|") < 2)


def _row(line: str, number: int) -> tuple[Cell, ...]:
    pieces = _PIPE.split(line.strip())
    texts = [text + end for text, end in zip(pieces[::2], [*pieces[1::2], ""], strict=True)]
    texts = texts[1:] if not texts[0].strip() else texts
    texts = texts[:-1] if texts and not texts[-1].strip() and line.rstrip().endswith("|") else texts
    return tuple(Cell(_printed(text), f"line {number} cell {i}") for i, text in enumerate(texts, 1))


def _printed(text: str) -> str:
    """The text that Markdown's marks stand for: bold, escapes, entities and line breaks."""
    text = one_line(_BREAK.split(text))
    if len(text) > 4 and text[:2] == text[-2:] and text[:2] in ("**", "__"):
        text = text[2:-2]
    return unescape(_ESCAPED.sub(r"\1", text))
