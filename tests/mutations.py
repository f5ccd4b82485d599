"""Documents of every format with some bytes changed, for the tests and the long runs."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path

from fpdf import FPDF
from hypothesis import strategies as st
from pylopdf_fonts_zh_cn import sans_path
from renderings import Printed, as_printed, markdown, merged_page, repacked, word, workbook, written

from qyx_analysis.problems import DataError
from qyx_analysis.tidy.reading import read_plan

KINDS = ("txt", "lines", "md", "html", "docx", "xlsx", "pdf")
MAIN = {"docx": ["word/document.xml"], "xlsx": ["xl/worksheets/sheet2.xml", "xl/styles.xml", "xl/workbook.xml"]}
BITS = [
    b"",
    b"\x00",
    b"<",
    b">",
    b"&",
    b"|",
    b"\n",
    b"<td>",
    b"</w:tc>",
    b"<w:tr>",
    b'"',
    b"9" * 30,
    b"\xff",
    "序号".encode(),
]


@cache
def original(kind: str) -> bytes:
    plan = as_printed("zhuji")
    if kind in ("docx", "xlsx"):
        return word(plan) if kind == "docx" else workbook(plan)
    return {
        "md": markdown(plan),
        "html": merged_page(plan).encode("gb18030"),
        "lines": "\n\n".join([plan.title, *plan.header, *(text for row in plan.rows for text in row if text)]).encode(),
        "pdf": _typeset(plan) if kind == "pdf" else b"",
        "txt": "\n".join(["\t".join(row) for row in [[plan.title], plan.header, *plan.rows]]).encode(),
    }[kind]


def _typeset(plan: Printed) -> bytes:
    """A ruled table; its streams are not compressed, so that what is changed in them is text and lines."""
    document = FPDF(orientation="landscape")
    document.set_compression(False)
    document.add_font("sans", fname=sans_path())
    document.set_font("sans", size=8)
    document.add_page()
    document.cell(0, 8, plan.title, new_x="LMARGIN", new_y="NEXT")
    with document.table(col_widths=[2, 1, 6, *[2] * (len(plan.header) - 3)], first_row_as_headings=False) as table:
        for row in [plan.header, *plan.rows]:
            table.row(row)
    return bytes(document.output())


def changed(data: bytes, cuts: list[tuple[float, int, bytes]]) -> bytes:
    """Replace, at each place given as a share of the length, so many bytes by others."""
    for where, length, new in cuts:
        at = int(where * len(data))
        data = data[:at] + new + data[at + length :]
    return data


def mutations(kind: str) -> st.SearchStrategy[bytes]:
    """A document of that kind, changed in its bytes or, in an archive, in the bytes of a part."""
    cut = st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(BITS) | st.binary(max_size=8))
    cuts = st.lists(cut, min_size=1, max_size=6)
    whole = cuts.map(lambda places: changed(original(kind), places))
    if kind not in MAIN:
        return whole
    return whole | st.builds(inside, st.just(kind), st.sampled_from(MAIN[kind]), cuts)


def inside(kind: str, name: str, cuts: list[tuple[float, int, bytes]]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(original(kind))) as archive:
        return repacked(original(kind), {name: changed(archive.read(name), cuts)})


def outcome(folder: Path, data: bytes) -> str:
    """``read`` or ``refused``; anything else is raised."""
    try:
        read_plan(written(folder, "mutated", data))
    except DataError as error:
        assert error.problems and all("\n" not in str(problem) for problem in error.problems)
        return "refused"
    return "read"
