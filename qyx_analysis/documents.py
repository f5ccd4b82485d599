"""A file -> a document: its lines of text, decoded and numbered. Tables are found later, by their layout."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from qyx_analysis.problems import DataError, Problem

MAX_BYTES = 32 * 1024 * 1024  # a plan is some 30 kB; more than this is not a plan
TEXT_SUFFIXES = (".txt", ".md", ".tsv")


@dataclass(frozen=True)
class Document:
    """One source document: ``name`` (file name), ``stem``, ``sha256`` of its bytes and its ``lines``."""

    name: str
    stem: str
    sha256: str
    lines: tuple[str, ...]


def read_document(path: Path) -> Document:
    """Read a text file in UTF-8 (with or without BOM), UTF-16 with BOM or GB18030.

    Raises :class:`~qyx_analysis.problems.DataError` when the file cannot be opened, is empty, too large,
    binary, or in none of these encodings.
    """
    name = path.name
    try:
        if not path.is_file():
            raise DataError(Problem("file_missing", str(path)))
        if path.stat().st_size > MAX_BYTES:
            raise DataError(Problem("file_too_large", name, values={"limit": MAX_BYTES // 2**20}))
        data = path.read_bytes()
    except OSError as error:
        raise DataError(Problem("file_unreadable", name, values={"reason": error.strerror})) from error
    text = _decode(data, name)
    if not text.strip():
        raise DataError(Problem("file_empty", name))
    # Not str.splitlines: it would also cut at form feeds and other marks, and shift every line number.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Document(name, path.stem, hashlib.sha256(data).hexdigest(), tuple(lines))


def _decode(data: bytes, name: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    elif b"\x00" in data or data.startswith((b"PK\x03\x04", b"%PDF")):
        raise DataError(Problem("file_binary", name))
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DataError(Problem("file_encoding", name))
