"""PDF files of two producers: every cell of the four tables comes back, and nothing hostile does harm."""

from __future__ import annotations

import html
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from browsing import print_page
from examples import examples
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import VAlign
from fpdf.fonts import FontFace
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from mutations import changed, outcome
from plans import STEMS, agreeing
from pylopdf_fonts_zh_cn import sans_path
from renderings import CONTACTS, PROJECTS, Printed, as_printed, html_rows, html_table, written

from qyx_analysis.documents import Grid, pdf, read_document
from qyx_analysis.files import raw_dir
from qyx_analysis.layouts import read_table
from qyx_analysis.problems import DataError
from qyx_analysis.tidy.reading import read_plans

MORE = "关于印发《公共服务“七优享”实施方案》的通知奉政办发〔2023〕23号—"
PARAGRAPH = "这一段是测试用的文字，写在表格前后，长度要超过一行，看它会不会被当成表格里的内容，也看表格会不会被它打断。"
DOMAINS = [row.domain for row in read_table(read_document(raw_dir() / "zhuji.txt")).rows]


# The four tables differ little in how they are set: the others are set in these ways by `make soak`.
TWO, THE_OTHERS = STEMS[::3], STEMS[1:3]


def in_two_and_two(variants: Iterable[str]) -> Any:
    both = [pytest.param(variant, TWO if at % 2 else THE_OTHERS, id=variant) for at, variant in enumerate(variants)]
    rest = [
        pytest.param(variant, THE_OTHERS if at % 2 else TWO, id=f"{variant}-others", marks=pytest.mark.soak)
        for at, variant in enumerate(variants)
    ]
    return pytest.mark.parametrize(("variant", "stems"), both + rest)


def gold_cells(folder: Path, stems: Sequence[str], render: Callable[[Printed], bytes]) -> int:
    """How many of the 126 cells of each table come back, each with its domain."""
    for stem in stems:
        written(folder, f"{stem}.pdf", render(as_printed(stem)))
    reading = read_plans([folder / f"{stem}.pdf" for stem in stems])
    assert reading.problems == []
    assert reading.targets["locator"].str.match(r"page \d+ (row|line) \d+").all()  # with ruling lines and without
    for plan in reading.plans:
        assert [row.domain for row in plan.table.rows] == DOMAINS
    noted = [
        name for name, plan in zip(stems, reading.plans, strict=True) if "省定核心指标" in str(plan.table.footnotes)
    ]
    assert noted == [stem for stem in stems if any("省定核心指标" in note for note in as_printed(stem).notes)]
    return agreeing(reading.targets)


# --- written by fpdf2 -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def font(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The few characters that the tests print, all drawn as a box: their outlines would take a second a file."""
    texts = [PARAGRAPH, MORE, *(text for table in (CONTACTS, PROJECTS) for row in table for text in row)]
    for plan in map(as_printed, STEMS):
        texts += [plan.title, *plan.header, *plan.notes, *(text for row in plan.rows for text in row)]
    path = tmp_path_factory.mktemp("font") / "few.otf"
    subsetter = Subsetter(Options(layout_features=[]))
    subsetter.populate(text="".join(texts))
    with TTFont(sans_path()) as whole:
        subsetter.subset(whole)
        for outline in whole["CFF "].cff.topDictIndex[0].CharStrings.values():
            outline.setProgram([50, 0, "rmoveto", 400, "hlineto", 700, "vlineto", -400, "hlineto", "endchar"])
        whole.save(path)
    return path


class Office(FPDF):
    """A document with a running header and page numbers."""

    def header(self) -> None:
        self.set_font_size(8)
        self.cell(0, 6, "奉政办发〔2023〕23号", new_x="LMARGIN", new_y="NEXT")
        self.set_font_size(10)

    def footer(self) -> None:
        self.set_y(-12)
        self.cell(0, 6, f"— {self.page_no()} —", align="C")


def office(font: Path, size: float = 9) -> FPDF:
    document: FPDF = Office()
    document.add_font("sans", fname=font)
    document.set_font("sans", size=size)
    document.add_page()
    return document


def typeset(
    font: Path, plan: Printed, paragraphs: int = 9, name_width: float = 62, size: float = 9, **style: Any
) -> bytes:
    """A plan with prose and other tables around its table."""
    document = office(font, size)
    merged = style.pop("merged", True)
    document.multi_cell(0, 8, "关于印发《公共服务“七优享”实施方案》的通知", align="C", new_x="LMARGIN", new_y="NEXT")
    simple_table(document, CONTACTS)
    for _ in range(paragraphs):
        document.multi_cell(0, 8, PARAGRAPH, new_x="LMARGIN", new_y="NEXT")
    document.set_font_size(size)
    document.cell(0, 8, plan.title, align="C", new_x="LMARGIN", new_y="NEXT")
    widths = [16, 12, name_width, *[18] * 6, *([26] if len(plan.header) > 9 else [])]
    options = {"text_align": "CENTER", "v_align": VAlign.M, "line_height": size / 2, "padding": 1} | style
    with document.table(col_widths=widths, headings_style=FontFace(), **options) as table:
        table.row(plan.header)
        spans = dict(plan.domains)
        domain = ""
        for i, texts in enumerate(plan.rows):
            row = table.row()
            domain = texts[0] or domain
            if not merged:
                row.cell(domain)
            elif i in spans:
                row.cell(domain, rowspan=spans[i])
            covered = plan.years_covered(texts)
            for at, text in enumerate(texts[1:], 1):
                if at < 4 or at >= 3 + covered:
                    row.cell(text, colspan=covered if at == 3 else 1)
    for note in plan.notes:
        document.multi_cell(0, 8, note, new_x="LMARGIN", new_y="NEXT")
    document.multi_cell(0, 8, PARAGRAPH, new_x="LMARGIN", new_y="NEXT")
    simple_table(document, PROJECTS)
    return bytes(document.output())


def simple_table(document: FPDF, rows: list[list[str]]) -> None:
    with document.table(first_row_as_headings=False) as table:
        for row in rows:
            table.row(row)


PLAIN = {"borders_layout": "NONE"}
TYPESET: dict[str, dict[str, Any]] = {
    "ruled": {},
    "ruled_header_once": {"repeat_headings": 0},
    "ruled_narrow": {"name_width": 24},
    "ruled_inner_lines": {"borders_layout": "INTERNAL"},
    "ruled_from_the_first_page_on": {"paragraphs": 0, "size": 10.5},
    "plain": PLAIN,
    "plain_header_once": PLAIN | {"repeat_headings": 0},
    "plain_cells_not_merged": PLAIN | {"merged": False},
    "plain_narrow": PLAIN | {"name_width": 24},
    "plain_narrow_at_the_top": PLAIN | {"name_width": 24, "v_align": VAlign.T},
    "plain_tight_at_the_top": PLAIN | {"name_width": 30, "v_align": VAlign.T, "padding": 0.5},
    "plain_large": PLAIN | {"name_width": 45, "v_align": VAlign.T, "padding": 2, "size": 10.5, "repeat_headings": 0},
    "plain_left": PLAIN | {"text_align": "LEFT"},
    "lines_between_columns": {"borders_layout": "NO_HORIZONTAL_LINES", "paragraphs": 12},
    "lines_between_narrow_columns": {"borders_layout": "NO_HORIZONTAL_LINES", "name_width": 20, "size": 10.5},
    "lines_between_rows": {"borders_layout": "HORIZONTAL_LINES"},
}


@in_two_and_two(TYPESET)
def test_all_cells_come_back(tmp_path: Path, font: Path, variant: str, stems: Sequence[str]) -> None:
    assert gold_cells(tmp_path, stems, lambda plan: typeset(font, plan, **TYPESET[variant])) == 126 * len(stems)


# --- printed by a browser ---------------------------------------------------------------------------------

STYLE = """body {font: 10.5pt 'Noto Sans CJK SC', sans-serif} table {border-collapse: collapse; width: 100%}
td, th {border: 1px solid #000; padding: 3px 5px; text-align: center} h4 {text-align: center}"""
PRINTED: dict[str, str] = {
    "ruled": "",
    "ruled_narrow": "td:nth-last-child(7) {width: 50px} tr {break-inside: avoid}",
    "header_once": "thead {display: table-row-group}",
    "plain": "td, th {border: none}",
    "plain_tight": "td, th {border: none; padding: 0 4px; text-align: left} table {width: auto}",
    "lines_below_rows": "td, th {border: none} tr {border-bottom: 1px solid #000}",
    "lines_between_columns": "td, th {border-top: none; border-bottom: none} th {border: 1px solid}",
    "landscape_and_shaded": "@page {size: A4 landscape} td, th {border: none} tr:nth-child(even) {background: #ddd}",
}


def web_page(plan: Printed, style: str) -> str:
    head = "".join(f"<th>{text}</th>" for text in plan.header)
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in plan.notes)
    return f"""<html lang=zh><meta charset=utf-8><style>{STYLE} {style}</style><h1>通知</h1>{html_table(CONTACTS)}
    {f"<p>{PARAGRAPH}</p>" * 9}<h4>{plan.title}</h4>
    <table><thead><tr>{head}</tr></thead>{"".join(html_rows(plan))}</table>
    {notes}<p>{PARAGRAPH}</p>{html_table(PROJECTS)}"""


@in_two_and_two(PRINTED)
def test_all_cells_come_back_from_a_browser(tmp_path: Path, browser: Any, variant: str, stems: Sequence[str]) -> None:
    def render(plan: Printed) -> bytes:
        page = tmp_path / "page"
        page.mkdir(exist_ok=True)
        path = page / "plan.html"
        path.write_text(web_page(plan, PRINTED[variant]), encoding="utf-8", newline="\n")
        options = {"displayHeaderFooter": variant in ("ruled", "plain"), "preferCSSPageSize": True}
        browser.get(path.as_uri())
        return print_page(browser, options)

    assert gold_cells(tmp_path, stems, render) == 126 * len(stems)


# --- written by hand --------------------------------------------------------------------------------------


def by_hand(pages: list[bytes], page: bytes = b"", objects: tuple[bytes, ...] = ()) -> bytes:
    """A PDF of these objects; each page draws one of the streams, with a font ``F`` and the first object as ``X``."""
    kids = range(4 + len(objects), 4 + len(objects) + 2 * len(pages), 2)
    body = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(pages), b" ".join(b"%d 0 R" % kid for kid in kids)),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        *objects,
    ]
    for kid, content in zip(kids, pages, strict=True):
        body.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F 3 0 R>>/XObject<</X 4 0 R>>>>"
            b"/Contents %d 0 R%s>>" % (kid + 1, page)
        )
        body.append(stream(content))
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, content in enumerate(body, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = b"xref\n0 %d\n0000000000 65535 f \n" % (len(body) + 1)
    return (
        bytes(out)
        + start
        + table
        + b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF" % (len(body) + 1, len(out))
    )


def stream(content: bytes, head: bytes = b"") -> bytes:
    data = zlib.compress(content)
    return b"<<%s/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (head, len(data), data)


def text(x: float, y: float, words: str) -> bytes:
    return b"BT /F 10 Tf %g %g Td (%s) Tj ET\n" % (x, y, words.encode())


HEAD = ["No", "Indicator", "2022", "2023", "2024"]
XS = [50, 100, 250, 320, 390]


def lay(rows: list[list[str]], top: float = 700, pitch: float = 20) -> bytes:
    placed = [(x, top - i * pitch, word) for i, row in enumerate(rows) for x, word in zip(XS, row, strict=True)]
    return b"".join(text(x, y, word) for x, y, word in placed if word)


def lattice(rows: int) -> bytes:
    """The lines of a table as :func:`lay` lays it."""
    xs, low = [40, 90, 240, 310, 380, 450], 714 - 20 * rows
    across = b"".join(b"40 %d m 450 %d l S\n" % (714 - 20 * i, 714 - 20 * i) for i in range(rows + 1))
    return across + b"".join(b"%d 714 m %d %d l S\n" % (x, x, low) for x in xs)


def grids(data: bytes) -> list[list[list[str]]]:
    return [texts(grid) for grid in pdf.read(data, "county.pdf")[1]]


def words(data: bytes) -> list[str]:
    """The lines of a file: where none are drawn, each cell of a table is one."""
    return list(pdf.read(data, "county.pdf")[0])


def texts(grid: Grid) -> list[list[str]]:
    return [[cell.text for cell in row] for row in grid.rows]


ROWS = [HEAD, ["1", "Places", "3.5", "4", "4.3"], ["2", "Share", "60", "62", "65"]]
SOME = lay(ROWS)


def test_places_say_page_row_and_cell() -> None:
    _, (grid,), _ = pdf.read(by_hand([text(50, 700, "Title"), lattice(3) + SOME]), "county.pdf")
    assert grid.rows[1][2].place == "page 2 row 2 cell 3"
    assert grid.above == ("Title",)


def test_a_page_that_is_turned_is_read_as_it_shows() -> None:
    turned = {90: b"0 1 -1 0 800 0 cm\n", 180: b"-1 0 0 -1 800 800 cm\n", 270: b"0 -1 1 0 0 800 cm\n"}
    for angle, matrix in turned.items():
        assert grids(by_hand([matrix + lattice(3) + SOME], page=b"/Rotate %d" % angle)) == [ROWS]
        assert words(by_hand([matrix + SOME], page=b"/Rotate %d" % angle)) == sum(ROWS, [])


def test_lines_below_one_another_are_one_cell_and_two_numbers_stay_two() -> None:
    head = [text(x, 700, word) for x, word in zip(XS, HEAD, strict=True)]
    row = [text(50, 680, "1"), text(100, 686, "Share of"), text(100, 674, "places"), text(250, 686, "60")]
    row += [text(250, 674, "5"), text(320, 680, "62"), text(390, 680, "65")]
    assert words(by_hand([b"".join(head + row)])) == [*HEAD, "1", "Share of places", "60 5", "62", "65"]


def test_lines_drawn_inside_a_form_count() -> None:
    merged = [HEAD, ["1", "Places", "as told", "", ""], ["2", "Share", "60", "62", "65"]]
    drawn = lattice(3).replace(b"310 714 m 310 654 l", b"310 714 m 310 694 l S 310 674 m 310 654 l")
    drawn = drawn.replace(b"380 714 m 380 654 l", b"380 714 m 380 694 l S 380 674 m 380 654 l")
    form = stream(drawn, b"/Type/XObject/Subtype/Form/BBox[0 0 300 400]/Matrix[2 0 0 2 0 0]")
    half = b"q .5 0 0 .5 0 0 cm /X Do Q\n"
    assert grids(by_hand([half + lay(merged)], objects=(form,))) == [merged]


def test_the_same_table_with_a_title_of_its_own_is_another() -> None:
    assert len(grids(by_hand([lattice(3) + SOME, text(50, 740, "Another county") + lattice(3) + SOME]))) == 2
    assert len(grids(by_hand([lattice(3) + SOME, lattice(3) + SOME]))) == 1


def test_a_row_that_the_page_cuts_is_put_together() -> None:
    first = lattice(3) + lay([*ROWS[:2], ["2", "Share of", "60", "62", "65"]])
    then = lattice(2) + lay([["", "places", "", "", ""], ["3", "Rate", "1", "2", "3"]])
    (found,) = grids(by_hand([first, then]))
    assert [row for row in found if any(row)][2:] == [
        ["2", "Share of places", "60", "62", "65"],
        ["3", "Rate", "1", "2", "3"],
    ]


def test_a_page_that_is_shown_sideways_is_read_all_the_same() -> None:
    assert grids(by_hand([lattice(3) + SOME], page=b"/Rotate 90")) == [ROWS]
    assert words(by_hand([SOME], page=b"/Rotate 270")) == sum(ROWS, [])


def test_text_that_a_line_is_drawn_through_is_struck() -> None:
    through = b"249 683.5 m 265 683.5 l S\n"
    assert grids(by_hand([lattice(3) + SOME + through]))[0][1] == ["1", "Places", "⟦3.5⟧", "4", "4.3"]
    assert words(by_hand([SOME + through]))[7] == "⟦3.5⟧"


def test_what_nobody_sees_or_is_slanted_does_not_count() -> None:
    unseen = b"BT 3 Tr /F 10 Tf 264 680 Td (9) Tj ET\n"
    slanted = b"BT /F 40 Tf .7 .7 -.7 .7 200 600 Tm (INTERNAL) Tj ET\n"
    assert grids(by_hand([lattice(3) + SOME + unseen + slanted])) == [ROWS]
    assert key_of(by_hand([unseen])) == "pdf_recognised"


def test_small_raised_characters_are_told_apart() -> None:
    mark = b"BT /F 5 Tf 264 685 Td (12) Tj ET\n"
    assert grids(by_hand([lattice(3) + SOME + mark]))[0][1] == ["1", "Places", "3.5[12]", "4", "4.3"]


def test_a_page_that_is_a_picture_is_named_where_the_table_may_be_on_it() -> None:
    picture = stream(b"\0", b"/Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray")
    scan, table = b"q 600 0 0 800 0 0 cm /X Do Q\n", lattice(3) + SOME
    assert key_of(by_hand([text(50, 700, "Title"), scan], objects=(picture,))) == "pdf_page_scanned"
    assert key_of(by_hand([table, scan], objects=(picture,))) == "pdf_page_scanned"
    assert grids(by_hand([table + text(50, 500, "Note"), scan], objects=(picture,))) == [ROWS]


def test_running_heads_are_left_out_of_a_table_over_pages() -> None:
    more = [[str(number), "Places", "1", "2", "3"] for number in range(3, 33)]
    pages = [lay(ROWS + more[:20]), lay(more[20:])]
    furnished = [text(50, 780, "County office") + page + text(300, 20, f"- {i} -") for i, page in enumerate(pages, 1)]
    assert words(by_hand(furnished)) == sum(ROWS + more, [])


# --- hostile and foreign ----------------------------------------------------------------------------------


def key_of(data: bytes) -> str:
    with pytest.raises(DataError) as caught:
        pdf.read(data, "county.pdf")
    (problem,) = caught.value.problems
    assert "\n" not in str(problem)
    return problem.key


def locked(font: Path) -> bytes:
    document = office(font)
    document.set_encryption(owner_password="a", user_password="b")
    return bytes(document.output())


PROSE = b"".join(
    text(50, 780 - 14 * i, "Some words of a page of prose, as long as a line is in a plan") for i in range(52)
)
LAUGHTER = tuple(
    stream(b"/X Do " * 12, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X %d 0 R>>>>" % number)
    for number in range(5, 14)
)


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (lambda: by_hand([b"0 0 m 9 9 l S"] * 3), "pdf_scanned"),
        (lambda: b"%PDF-1.7\n" + bytes(range(256)) * 99, "file_damaged"),
        (lambda: by_hand([SOME])[:300], "file_damaged"),
        (lambda: by_hand([b"0 0 m 9 9 l S\n" * 20_000_000]), "file_damaged"),
        (lambda: by_hand([b"/X Do"], objects=(*LAUGHTER, stream(PROSE, b"/Subtype/Form"))), "file_damaged"),
        (lambda: by_hand([PROSE] * 10_000), "pdf_too_long"),
    ],
    ids=["scanned", "garbage", "cut", "bomb", "forms_in_forms", "ten_thousand_pages"],
)
def test_hostile_files_are_refused_in_bounded_time(data: Callable[[], bytes], key: str) -> None:
    made = data()
    start = time.monotonic()
    assert key_of(made) == key
    assert time.monotonic() - start < pdf.MAX_SECONDS


def test_a_pdf_with_a_password_says_so(font: Path) -> None:
    assert key_of(locked(font)) == "file_encrypted"


def test_a_long_document_is_read_up_to_the_end_of_its_table() -> None:
    more = [text(50, 780, "A page of prose on which a chapter ends")] * 201
    assert grids(by_hand([PROSE, lattice(3) + SOME, *more])) == [ROWS]
    assert key_of(by_hand([*more, lattice(3) + SOME])) == "pdf_too_long"


def test_a_program_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_SECONDS", 0.01)
    assert key_of(by_hand([SOME])) == "pdf_too_slow"


@examples(12, suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=6))
def test_damaged_files_give_a_table_or_an_error(tmp_path_factory: pytest.TempPathFactory, cuts: list[Any]) -> None:
    data = changed(by_hand([lattice(3) + SOME, PROSE]), cuts)
    assert outcome(tmp_path_factory.getbasetemp(), data) in ("read", "refused")
