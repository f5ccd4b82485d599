"""Office files are zip archives of XML: which kind one is, and whether it may be opened at all."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from zipfile import ZipFile, ZipInfo

from qyx_analysis.documents import Content, guarded
from qyx_analysis.problems import DataError, Problem

MAX_PARTS = 5_000
MAX_UNPACKED = 256 * 2**20  # pictures included
MAX_XML = 64 * 2**20
MAX_RATIO = 200  # XML packs some 10:1, a sheet of equal cells 60:1
MAX_TAGS = 1_000_000  # two for an element, and one element may take a kilobyte of memory
_ENTRY = b"PK\x01\x02"  # before each file's line in the archive's directory
_SAVE_AS = {  # a part that only this kind has -> what the kind is called and what to save it as
    "xl/workbook.bin": (".xlsb", ".xlsx"),
    "OFD.xml": ("OFD", ".pdf / .docx"),
    "content.xml": ("OpenDocument", ".docx / .xlsx"),
}


def reader(data: bytes, name: str) -> Callable[[bytes, str], Content]:
    """Choose the reader of an Office file after its parts proved harmless.

    Raises :class:`~qyx_analysis.problems.DataError` for a bomb, for XML that declares a document type (which Office
    never writes and attacks need), and for any other kind of archive.
    """
    if data.count(_ENTRY) == 0:
        raise DataError(Problem("file_binary", name))
    if data.count(_ENTRY) > MAX_PARTS:
        raise _too_complex(name, MAX_PARTS)
    with guarded(name, "zip"), ZipFile(BytesIO(data)) as archive:
        parts = {part.filename: part for part in archive.infolist()}
        for only, (kind, better) in _SAVE_AS.items():
            if only in parts:
                raise DataError(Problem("file_save_as", name, values={"kind": kind, "better": better}))
        if "[Content_Types].xml" not in parts:
            raise DataError(Problem("file_archive", name))
        _check(archive, archive.infolist(), name)
        if any(part.startswith("word/") for part in parts):
            from qyx_analysis.documents import docx

            return docx.read
        if any(part.startswith("xl/") for part in parts):
            from qyx_analysis.documents import xlsx

            return xlsx.read
    raise DataError(Problem("file_save_as", name, values={"kind": "Office", "better": ".docx / .xlsx / .pdf"}))


def _check(archive: ZipFile, parts: list[ZipInfo], name: str) -> None:
    if any(part.flag_bits & 1 for part in parts):
        raise DataError(Problem("file_encrypted", name))
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise _too_complex(name, MAX_UNPACKED)
    tags = 0
    for part in parts:
        if not part.filename.lower().endswith((".xml", ".rels")):
            continue
        if part.file_size > MAX_XML or part.file_size > 2**20 + MAX_RATIO * part.compress_size:
            raise _too_complex(name, MAX_XML)
        xml = archive.read(part)
        if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml or b"\x00" in xml[:4]:  # the last: UTF-16, where they would hide
            raise DataError(Problem("file_damaged", name, values={"kind": "Office", "reason": "DOCTYPE / UTF-16"}))
        tags += xml.count(b"<")
        if tags > MAX_TAGS:
            raise _too_complex(name, MAX_TAGS)


def _too_complex(name: str, limit: int) -> DataError:
    return DataError(Problem("file_too_complex", name, values={"limit": f"{limit:,}"}))
