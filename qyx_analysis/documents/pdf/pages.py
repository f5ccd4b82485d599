"""A program of its own: the bytes of a PDF on its input -> the characters and ruling lines of its pages, as JSON.

PDFium is fast and hardened, but native: what a hostile file makes of it must not happen to the caller, who runs this
file in another process, with limits of time and memory. Hence it imports nothing of the package.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from ctypes import byref, c_double, c_float, c_int
from itertools import pairwise
from math import atan2, degrees, hypot
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

MAX_PAGES = 200  # a plan has some 20
MAX_MARKS = 200_000  # characters and objects; a plan has some 30,000
MAX_OBJECTS = 50_000  # objects and corners of paths on one page; a page of more is a drawing
MAX_PLACE = 1e5  # points, from the corner of the page: nothing further out is printed
MAX_MEMORY = 1024 * 1024 * 1024
SLANT = 3.0  # degrees off the horizontal and the vertical: a watermark
THIN = 3.0  # points: a filled rectangle no thicker is a ruling line
_UNSEEN = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)

Point = tuple[float, float]


def main() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    except ImportError:  # Windows: the limit of time alone
        pass
    found: dict[str, Any] = {"locked": False, "pages": [], "all": True}
    try:
        document = pypdfium2.PdfDocument(sys.stdin.buffer.read())
        marks = 0
        for number in range(len(document)):
            if number == MAX_PAGES or marks >= MAX_MARKS:
                found["all"] = False
                break
            found["pages"].append(_read(document[number]))
            marks += found["pages"][-1]["marks"]
    except pypdfium2.PdfiumError as error:
        if error.err_code != pdfium.FPDF_ERR_PASSWORD:
            raise
        found["locked"] = True
    sys.stdout.write(json.dumps(found))  # not json.dump, which does not use the fast encoder


def _read(page: pypdfium2.PdfPage) -> dict[str, Any]:
    """What a page prints, turned so that most of its text stands upright, whatever the page's own flag says."""
    textpage = page.get_textpage()
    found = [_character(textpage, i) for i in range(min(textpage.count_chars(), MAX_MARKS))]
    seen = [char for char in found if char]
    turn = Counter(char[1] for char in seen).most_common(1)[0][0] if seen else 0
    chars = []
    for text, _, size, points in seen:
        x0, _, x1, _ = _box(points, turn)
        base = _upright(points[0], turn)[1]
        # As high as the type and set on the baseline: fonts differ in how far they say that they reach.
        chars.append((text, x0, round(base - 0.85 * size, 1), x1, round(base + 0.15 * size, 1)))
    lines, marks, pictured = _drawn(page)
    page.close()
    return {
        "chars": list(filter(_is_near, chars)),
        "unseen": None in found,
        "rulings": list(filter(_is_near, (("", *_box(line, turn)) for line in lines))),
        "marks": len(found) + marks,
        "pictured": pictured,
    }


def _upright(point: Point, turn: int) -> Point:
    """A point of the page's own space (y upwards) as one reads (y downwards), after so many quarter turns."""
    x, y = point
    return ((x, -y), (y, x), (-x, y), (-y, -x))[turn]


def _box(points: Iterable[Point], turn: int = 0) -> tuple[float, float, float, float]:
    xs, ys = zip(*(_upright(point, turn) for point in points), strict=True)
    return round(min(xs), 1), round(min(ys), 1), round(max(xs), 1), round(max(ys), 1)


def _is_near(mark: tuple[Any, ...]) -> bool:
    return all(abs(place) < MAX_PLACE for place in mark[1:])


def _character(textpage: Any, i: int) -> Any:
    """A printed character with its quarter turns, its size, and the points that it starts at and reaches between.

    Empty where there is none to read, as of a space or a slanted watermark; ``None`` for one that nobody sees, as of
    text recognised behind a picture.
    """
    code = pdfium.FPDFText_GetUnicode(textpage, i)
    text = chr(code) if 0 < code < 0xD800 or 0xE000 <= code < 0x110000 else "\ufffd"  # which nobody can name
    if text.isspace() or pdfium.FPDFText_IsGenerated(textpage, i) == 1:
        return ()
    drawn = pdfium.FPDFText_GetTextObject(textpage, i)
    if drawn and pdfium.FPDFTextObj_GetTextRenderMode(drawn) in _UNSEEN:
        return None
    rect, matrix, x, y = pdfium.FS_RECTF(), pdfium.FS_MATRIX(), c_double(), c_double()
    pdfium.FPDFText_GetLooseCharBox(textpage, i, byref(rect))
    pdfium.FPDFText_GetMatrix(textpage, i, byref(matrix))
    pdfium.FPDFText_GetCharOrigin(textpage, i, byref(x), byref(y))
    angle = degrees(atan2(matrix.b, matrix.a))
    size = pdfium.FPDFText_GetFontSize(textpage, i) * hypot(matrix.c, matrix.d)
    points = (x.value, y.value), (rect.left, rect.bottom), (rect.right, rect.top)
    slanted = abs((angle + 45) % 90 - 45) > SLANT
    return () if slanted else (text, round(angle / 90) % 4, size, points)


def _drawn(page: pypdfium2.PdfPage) -> tuple[list[Sequence[Point]], int, bool]:
    """The horizontal and vertical lines of a page; how much there is to draw, and whether a picture is."""
    lines: list[Sequence[Point]] = []
    marks, pictured = 0, False
    fill, stroke = c_int(), c_int()
    for found in page.get_objects(max_depth=6):
        is_path = found.type == pdfium.FPDF_PAGEOBJ_PATH
        pictured |= found.type == pdfium.FPDF_PAGEOBJ_IMAGE
        marks += 1 + (max(pdfium.FPDFPath_CountSegments(found), 0) if is_path else 0)
        if marks > MAX_OBJECTS:
            return [], marks, pictured
        if is_path and pdfium.FPDFPath_GetDrawMode(found, byref(fill), byref(stroke)) and (fill.value or stroke.value):
            for outline in _outlines(found):
                lines += filter(_is_thin, pairwise(outline) if stroke.value else [outline])
    return lines, marks, pictured


def _is_thin(points: Sequence[Point]) -> bool:
    x0, y0, x1, y1 = _box(points)
    return min(x1 - x0, y1 - y0) <= min(THIN, max(x1 - x0, y1 - y0) / 2)


def _outlines(path: pypdfium2.PdfObject) -> list[list[Point]]:
    """The corners of each outline of a path that has no curves."""
    matrix, parent = path.get_matrix(), path.container
    while parent:  # a form, which has its own place on the page
        matrix, parent = matrix.multiply(parent.get_matrix()), parent.container
    outlines: list[list[Point]] = []
    x, y = c_float(), c_float()
    for i in range(pdfium.FPDFPath_CountSegments(path)):
        segment = pdfium.FPDFPath_GetPathSegment(path, i)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_BEZIERTO:
            return []
        if kind == pdfium.FPDF_SEGMENT_MOVETO or not outlines:
            outlines.append([])
        pdfium.FPDFPathSegment_GetPoint(segment, byref(x), byref(y))
        outlines[-1].append(matrix.on_point(x.value, y.value))
        if pdfium.FPDFPathSegment_GetClose(segment):
            outlines[-1].append(outlines[-1][0])
    return outlines


if __name__ == "__main__":
    main()
