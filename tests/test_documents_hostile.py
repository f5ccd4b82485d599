"""Hostile, damaged and foreign files: a clear error in bounded time and memory, and never anything else."""

import io
import struct
import subprocess
import sys
import time
import zipfile

import docx
import openpyxl
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from mutations import KINDS, mutations, outcome
from plans import printed
from renderings import html_table, part, repacked, saved, written

from qyx_analysis.documents import read_document
from qyx_analysis.layouts import read_table
from qyx_analysis.problems import DataError

WORD = "word/document.xml"
SHEET = "xl/worksheets/sheet1.xml"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
HEADER = ["序号", "指标", "2022年", "2023年"]
RESULTS = ("file_too_complex", "file_damaged", "table_missing", "table_ambiguous")


def key_of(folder, data, name="county.docx"):
    with pytest.raises(DataError) as caught:
        read_table(read_document(written(folder, name, data)))
    line = str(caught.value.problems[0])
    assert "\n" not in line and " / " in line
    return caught.value.problems[0].key


def zipped(parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def word_file():
    return saved(docx.Document())


def book_file():
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B2"] = "序号", 3
    return saved(book)


def in_word(xml):
    return repacked(word_file(), {WORD: part(word_file(), WORD).replace(b"<w:body>", b"<w:body>" + xml)})


def in_sheet(old, new):
    xml = part(book_file(), SHEET)
    assert old in xml
    return repacked(book_file(), {SHEET: xml.replace(old, new)})


def laughing(data, name):
    bomb = b'<!DOCTYPE a [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%s">' % (c, b"&%c;" % (c - 1) * 10) for c in range(ord("b"), ord("m"))
    )
    return repacked(data, {name: b"<?xml version='1.0'?>" + bomb + b"]><a>&l;</a>"})


def reaching_out(data, name):
    entity = b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><a>&x;</a>"
    return repacked(data, {name: entity})


FOREIGN = {
    "old_word_or_excel": (OLE, "file_save_as"),
    "with_a_password": (OLE + "EncryptedPackage".encode("utf-16-le"), "file_encrypted"),
    "rtf": (rb"{\rtf1\ansi \u24207?\u21495?}", "file_save_as"),
    "mhtml": (b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=a\r\n\r\n<html>", "file_save_as"),
    "office_xml": (b'<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument/>', "file_save_as"),
    "open_document": (zipped({"mimetype": "application/vnd.oasis", "content.xml": "<a/>"}), "file_save_as"),
    "ofd": (zipped({"OFD.xml": "<a/>"}), "file_save_as"),
    "binary_workbook": (zipped({"[Content_Types].xml": "<a/>", "xl/workbook.bin": "a"}), "file_save_as"),
    "slides": (zipped({"[Content_Types].xml": "<a/>", "ppt/presentation.xml": "<a/>"}), "file_save_as"),
    "archive": (zipped({"plan.txt": "a"}), "file_archive"),
    "rar": (b"Rar!\x1a\x07\x00", "file_archive"),
    "png": (b"\x89PNG\r\n\x1a\n\x00\x00", "file_binary"),
    "jpeg": (b"\xff\xd8\xff\xe0\x00\x10JFIF", "file_binary"),
    "cut_short": (word_file()[:3000], "file_binary"),
    "cut_in_the_middle": (word_file()[:1000] + word_file()[3000:], "file_damaged"),
    "empty_page": (b"<html><body> &nbsp; </body></html>", "file_empty"),
    "empty_word": (word_file(), "file_empty"),
    "word_without_text": (zipped({"[Content_Types].xml": "<a/>", "word/a.xml": "<a/>"}), "file_damaged"),
}


@pytest.mark.parametrize(("data", "key"), FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_is_not_read_says_what_to_do(tmp_path, data, key):
    assert key_of(tmp_path, data) == key


HOSTILE = {
    "zip_bomb": lambda: repacked(word_file(), {WORD: b" " * (65 * 2**20)}),
    "zip_bomb_in_parts": lambda: repacked(word_file(), {f"word/{i}.bin": b" " * 2**25 for i in range(9)}),
    "zip_bomb_of_ratio": lambda: repacked(word_file(), {WORD: b" " * (20 * 2**20)}),
    "many_entries": lambda: repacked(word_file(), {f"word/{i}.bin": b"" for i in range(6000)}),
    "many_elements": lambda: in_word(b"<w:p/>" * 1_100_000),
    "laughs_in_word": lambda: laughing(word_file(), WORD),
    "laughs_in_strings": lambda: laughing(book_file(), "xl/sharedStrings.xml"),
    "laughs_in_sheet": lambda: laughing(book_file(), SHEET),
    "entity_in_word": lambda: reaching_out(word_file(), WORD),
    "entity_in_sheet": lambda: reaching_out(book_file(), SHEET),
    "entity_in_utf16": lambda: repacked(
        word_file(), {WORD: "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>".encode("utf-16")}
    ),
    "deep_word": lambda: in_word(b"<w:sdt>" * 5000 + b"</w:sdt>" * 5000),
    "wide_word": lambda: in_word(
        b"<w:tbl>" + b"<w:tr><w:tc><w:tcPr><w:gridSpan w:val='99999'/></w:tcPr></w:tc></w:tr>" * 5000 + b"</w:tbl>"
    ),
    "merged_sheet": lambda: in_sheet(
        b"</sheetData>", b"</sheetData><mergeCells><mergeCell ref='A1:XFD1048576'/></mergeCells>"
    ),
    "linked_sheet": lambda: in_sheet(
        b"</sheetData>", b"</sheetData><hyperlinks><hyperlink ref='A1:XFD1048576' location='a'/></hyperlinks>"
    ),
    "last_cell": lambda: in_sheet(b'r="B2"', b'r="XFD1048576"'),
    "far_row": lambda: in_sheet(b'<row r="2"', b'<row r="99999999999999"'),
    "diagonal_sheet": lambda: in_sheet(
        b"</sheetData>",
        b"".join(
            b"<row><c r='%s%d'><v>1</v></c></row>" % (openpyxl.utils.get_column_letter(i).encode(), i)
            for i in range(3, 9000)
        )
        + b"</sheetData>",
    ),
    "long_number": lambda: in_sheet(b"<v>3</v>", b"<v>" + b"9" * 100_000 + b"</v>"),
    "infinite_number": lambda: in_sheet(b"<v>3</v>", b"<v>1e999</v>"),
    "wide_page": lambda: ("<table>" + "<tr><td colspan=1000 rowspan=65534>1" * 2000).encode(),
    "deep_page": lambda: b"<div>" * 60_000 + b"a",
    "deep_tables": lambda: b"<table><tr><td>a" * 60_000,
    "long_page": lambda: b"<b>" * 400_000,
    "lines_of_header_cells": lambda: "序号\n".encode() * 190_000,
    "headers_without_rows": lambda: "领域\n序号\n指标\n2022年\n2023年\n\n".encode() * 30_000,
    "headers_without_rows_in_pipes": lambda: "|序号|指标|2022年|2023年|\n".encode() * 100_000,
    "headers_by_turns": lambda: html_table([HEADER, HEADER[::-1]] * 15_000).encode(),
    "tables_by_turns": lambda: html_table([HEADER, "1234", HEADER[::-1], "4321"] * 8_000).encode(),
    "pipes": lambda: b"|" * 10_000_000,
    "one_long_cell": lambda: ("<table><tr><td>序号<td>" + "2022 年" * 1_000_000).encode(),
    "many_lines": lambda: b"\n" * 20_000_000,
}


HEAVY = ("many_elements", "zip_bomb_in_parts", "wide_word", "diagonal_sheet", "wide_page", "headers_without_rows")
SECONDS = 15


@pytest.mark.parametrize("name", [name for name in HOSTILE if name not in HEAVY])
def test_a_hostile_file_ends_soon(tmp_path, name):
    data = HOSTILE[name]()
    assert len(data) < 32 * 2**20
    start = time.process_time()
    assert key_of(tmp_path, data) in RESULTS
    assert time.process_time() - start < SECONDS


MEASURE = """
import sys, time
from pathlib import Path
from qyx_analysis.documents import read_document
from qyx_analysis.layouts import read_table
from qyx_analysis.problems import DataError
for path in sys.argv[1:]:
    start = time.process_time()
    try:
        read_table(read_document(Path(path)))
    except DataError as error:
        print(time.process_time() - start, error.problems[0].key, error.problems[0], sep="\\t")
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else ["VmHWM: 0"]
print(next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")))
"""


def test_the_heaviest_hostile_files_end_soon_and_take_little_memory(tmp_path):
    data = {name: HOSTILE[name]() for name in HEAVY} | {"most_elements": in_word(b"<w:p/>" * 900_000)}
    assert max(map(len, data.values())) < 32 * 2**20
    paths = [str(written(tmp_path, name, part)) for name, part in data.items()]
    command = [sys.executable, "-c", MEASURE, *paths]  # getrusage counts what the process that starts this one had
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    *lines, megabytes = done.stdout.splitlines()
    for seconds, key, line in (line.split("\t") for line in lines):
        assert float(seconds) < SECONDS and key in RESULTS and " / " in line
    assert len(lines) == len(paths)
    assert int(megabytes) < 800


def test_a_size_that_the_archive_lies_about_is_not_believed(tmp_path):
    data = bytearray(repacked(word_file(), {WORD: b" " * (20 * 2**20)}))
    entry = data.rindex(b"PK\x01\x02", 0, data.rindex(WORD.encode()))
    data[entry + 24 : entry + 28] = struct.pack("<I", 100)
    assert key_of(tmp_path, bytes(data)) == "file_damaged"


def test_names_do_not_tell_the_type(tmp_path):
    page = html_table([["序号", "指标"], ["1", "2"]]).encode()
    for name in ("a.docx", "a.pdf", "a.txt", "a"):
        assert len(read_document(written(tmp_path, name, page)).grids) == 1
        assert read_document(written(tmp_path, name, printed("cixi").encode())).grids == ()
        assert len(read_document(written(tmp_path, name, book_file())).grids) == 1


def test_text_from_a_file_cannot_break_the_line_of_an_error(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["领域", "序号", "指标", "2022年", "\u202e属性\n\r1", "2023年"])
    data = saved(book)
    names = part(data, "xl/workbook.xml").replace(b'name="Sheet"', b'name="x&#10;y"')
    assert key_of(tmp_path, repacked(data, {"xl/workbook.xml": names})) == "header_unknown"


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"<table>", b"|", b"\xff\xfe", b"{\\rtf", OLE]))
def test_bytes_of_any_kind_give_a_document_or_an_error(tmp_path_factory, data, start):
    assert outcome(tmp_path_factory.mktemp("bytes"), start + data) in ("read", "refused")


@examples(50)  # `make soak` runs ten thousand
@given(st.sampled_from(KINDS).flatmap(mutations))
def test_a_mutated_document_gives_a_document_or_an_error(tmp_path_factory, data):
    assert outcome(tmp_path_factory.mktemp("mutated"), data) in ("read", "refused")
