"""A file -> a document: its lines of text and its grids of cells, whatever its format.

One module per format turns bytes into lines and grids; which one is told by the file's content and never by its
name. The target table is found later, by its layout.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

from qyx_analysis.problems import DataError, Problem, shown

MAX_BYTES = 32 * 1024 * 1024  # a plan is some 30 kB as text; more than this is not a plan
RAISED, STRUCK = "[]", "⟦⟧"  # signs that readers put around raised or lowered, and around struck text
AROUND = 6  # paragraphs kept before and after a grid, for its title and footnotes
_SPACE = re.compile(r"[ \t\r\n\f\v]+")  # not U+00A0, which stands inside one number
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")  # hyphens, joints and marks of direction that nobody sees
_BETWEEN_NUMBERS = re.compile("(?<=\\d)\u200b+(?=\\d)")  # a space without width sets two numbers apart
_CUT_NUMBER = re.compile(r"\d\.\d$")
_PAGE = re.compile(r"<(?:!doctype\s+html|html|body|table)\b", re.IGNORECASE)
_LINE = re.compile(r"line (\d+)")
_HEAD = 4096  # bytes in which a saved web archive says what it is

# First bytes of formats that are not read -> what they are and what to save them as.
_SAVE_AS = {
    b"{\\rtf": ("RTF", ".docx"),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": (".doc/.xls/.wps/.et", ".docx / .xlsx"),
}
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # a stream of the container in which Office encrypts a file
_ARCHIVES = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")

# What an Office file, a zip archive of XML, may hold.
MAX_PARTS = 5_000
MAX_UNPACKED = 256 * 2**20  # pictures included
MAX_XML = 64 * 2**20
MAX_RATIO = 200  # XML packs some 10:1, a sheet of equal cells 60:1
MAX_TAGS = 1_000_000  # two for an element, and one element may take a kilobyte of memory
_ENTRY = b"PK\x01\x02"  # before each file's line in the archive's directory
_SAVE_PART_AS = {  # a part that only this kind has -> what the kind is called and what to save it as
    "xl/workbook.bin": (".xlsb", ".xlsx"),
    "OFD.xml": ("OFD", ".pdf / .docx"),
    "content.xml": ("OpenDocument", ".docx / .xlsx"),
}


@dataclass(frozen=True)
class Cell:
    """One printed cell: its text without surrounding space, and where it stands."""

    text: str
    place: str


@dataclass(frozen=True)
class Grid:
    """A table of any kind, nothing interpreted yet.

    A merged cell gives its text once, at its first row and column; the others it covers are ``""`` with the same
    ``place``. A row that prints too few cells stays short. ``above`` and ``below`` are the paragraphs around it;
    ``is_open`` where the file ends in it, so that its last row may be cut off.
    """

    rows: tuple[tuple[Cell, ...], ...]
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    is_open: bool = False


@dataclass(frozen=True)
class Document:
    """One source document: ``name`` (file name), ``stem``, ``sha256`` of its bytes and what it prints.

    ``lines`` are the lines of a text file, the paragraphs outside tables of any other, ``pages`` the page of each
    where the file has pages; ``grids`` are its tables.
    """

    name: str
    stem: str
    sha256: str
    lines: tuple[str, ...]
    grids: tuple[Grid, ...] = ()
    pages: tuple[int, ...] = ()

    def place_on_page(self, place: str) -> str:
        """A place among the lines with its page, where there are pages.

        >>> Document("a.pdf", "a", "", ("first", "second"), pages=(1, 2)).place_on_page("line 2")
        'page 2 line 2'
        """
        found = _LINE.match(place)
        return f"page {self.pages[int(found[1]) - 1]} {place}" if found and self.pages else place

    @property
    def grid_lines(self) -> frozenset[int]:
        """The places in ``lines`` that grids have: those of the tables of a text file."""
        places = (cell.place for grid in self.grids for row in grid.rows for cell in row)
        return frozenset(int(found[1]) - 1 for place in places if (found := _LINE.match(place)))


class Content(NamedTuple):
    """What every reader returns: lines and grids, and where the file has pages the page of each line."""

    lines: tuple[str, ...]
    grids: tuple[Grid, ...]
    pages: tuple[int, ...] = ()


def one_line(parts: Iterable[str]) -> str:
    """Join the lines of one cell: with a space between Latin characters, without one in Chinese text.

    A number that a line ends at its point goes on in the next.

    >>> one_line(["参保人数", " (万 人)"]), one_line(["82", "83"]), one_line(["44.", "1"])
    ('参保人数(万 人)', '82 83', '44.1')
    """
    text = ""
    for part in parts:
        part = _SPACE.sub(" ", _UNSEEN.sub("", _BETWEEN_NUMBERS.sub(" ", part))).strip()
        apart = text and part and (text[-1] + part[0]).isascii() and not _CUT_NUMBER.search(text + part[0])
        text += " " + part if apart else part
    return text


@contextmanager
def guarded(name: str, kind: str) -> Iterator[None]:
    """Turn whatever a library makes of a damaged file into a :class:`~qyx_analysis.problems.DataError`."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        reason = shown(f"{type(error).__name__}: {error}")
        raise DataError(Problem("file_damaged", name, values={"kind": kind, "reason": reason})) from error


def read_document(path: Path) -> Document:
    """Read a text file, a web page, a .docx, .xlsx or .pdf into lines and grids.

    Raises :class:`~qyx_analysis.problems.DataError` when the file cannot be opened, is empty, too large, damaged,
    or of a kind that is not read; the message says what to do.
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
    content = _reader(data, name)(data, name)
    if not content.grids and not any(line.strip() for line in content.lines):
        raise DataError(Problem("file_empty", name))
    return Document(name, path.stem, hashlib.sha256(data).hexdigest(), *content)


def _reader(data: bytes, name: str) -> Callable[[bytes, str], Content]:
    """Tell the format by the content; each reader is imported when it is needed."""
    for start, (kind, better) in _SAVE_AS.items():
        if data.startswith(start):
            if _ENCRYPTED in data:
                raise DataError(Problem("file_encrypted", name))
            raise _save_as(name, kind, better)
    if data.startswith(_ARCHIVES):
        raise DataError(Problem("file_archive", name))
    if data.startswith(b"%PDF"):
        from qyx_analysis.documents import pdf

        return pdf.read
    if data.startswith(_ZIP):
        return _office_reader(data, name)
    from qyx_analysis.documents import text

    head = text.decode(data, name)
    if "multipart/related" in head[:_HEAD].lower() and "mime-version:" in head[:_HEAD].lower():
        raise _save_as(name, "MHTML", ".html / .docx")
    if "<?mso-application" in head[:_HEAD]:
        raise _save_as(name, "Office XML", ".docx / .xlsx")
    if _PAGE.search(head):
        from qyx_analysis.documents import html

        return html.read
    return text.read


def _office_reader(data: bytes, name: str) -> Callable[[bytes, str], Content]:
    """Choose the reader of an Office file after its parts proved harmless."""
    if data.count(_ENTRY) == 0:
        raise DataError(Problem("file_binary", name))
    if data.count(_ENTRY) > MAX_PARTS:
        raise too_complex(name, MAX_PARTS)
    with guarded(name, "zip"), ZipFile(BytesIO(data)) as archive:
        parts = set(archive.namelist())
        for only in filter(parts.__contains__, _SAVE_PART_AS):
            raise _save_as(name, *_SAVE_PART_AS[only])
        if "[Content_Types].xml" not in parts:
            raise DataError(Problem("file_archive", name))
        _check_parts(archive, name)
        if any(part.startswith("word/") for part in parts):
            from qyx_analysis.documents import docx

            return docx.read
        if any(part.startswith("xl/") for part in parts):
            from qyx_analysis.documents import xlsx

            return xlsx.read
    raise _save_as(name, "Office", ".docx / .xlsx / .pdf")


def _check_parts(archive: ZipFile, name: str) -> None:
    """Refuse a bomb, and XML that declares a document type, which Office never writes and attacks need."""
    parts = archive.infolist()
    if any(part.flag_bits & 1 for part in parts):
        raise DataError(Problem("file_encrypted", name))
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise too_complex(name, MAX_UNPACKED)
    tags = 0
    for part in parts:
        if not part.filename.lower().endswith((".xml", ".rels")):
            continue
        if part.file_size > MAX_XML or part.file_size > 2**20 + MAX_RATIO * part.compress_size:
            raise too_complex(name, MAX_XML)
        xml = archive.read(part)
        if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml or b"\x00" in xml[:4]:  # the last: UTF-16, where they would hide
            raise DataError(Problem("file_damaged", name, values={"kind": "Office", "reason": "DOCTYPE / UTF-16"}))
        tags += xml.count(b"<")
        if tags > MAX_TAGS:
            raise too_complex(name, MAX_TAGS)


def _save_as(name: str, kind: str, better: str) -> DataError:
    return DataError(Problem("file_save_as", name, values={"kind": kind, "better": better}))


def too_complex(name: str, limit: int) -> DataError:
    """The error of a file that holds more than ``limit`` of something."""
    return DataError(Problem("file_too_complex", name, values={"limit": f"{limit:,}"}))
