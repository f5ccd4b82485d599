"""A program of its own: the bytes of a PDF on its input -> the characters and ruling lines of its pages, as JSON.

PDFium is fast and hardened, but native: what a hostile file makes of it must not happen to the caller, who runs this
file in another process, with limits of time and memory. Hence it imports nothing of the package.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from ctypes import byref, c_double, c_float, c_int
from math import atan2, degrees, hypot
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

MAX_PAGES = 200  # a plan has some 20
MAX_MARKS = 200_000  # characters and objects; a plan has some 30,000
MAX_OBJECTS = 50_000  # objects and corners of paths on one page; a page of more is a drawing
MAX_PLACE = 1e5  # points, from the corner of the page: nothing further out is printed
MAX_DEPTH = 6  # forms within forms
MAX_MEMORY = 1024 * 1024 * 1024
SLANT = 3.0  # degrees off the horizontal and the vertical: a watermark
THIN = 3.0  # points: a filled rectangle no thicker is a ruling line
_UNSEEN = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)

Point = tuple[float, float]


def main() -> None:
    _limit_memory()
    try:
        document = pypdfium2.PdfDocument(sys.stdin.buffer.read())
    except pypdfium2.PdfiumError as error:
        if error.err_code != pdfium.FPDF_ERR_PASSWORD:
            raise
        sys.stdout.write(json.dumps({"locked": True}))
        return
    pages: list[dict[str, Any]] = []
    marks = 0
    while len(pages) < min(len(document), MAX_PAGES) and marks < MAX_MARKS:
        page = document[len(pages)]
        pages.append(_read(page))
        marks += len(pages[-1]["chars"]) + pages[-1]["drawn"]
        page.close()
    # Not json.dump, which does not use the fast encoder.
    sys.stdout.write(json.dumps({"locked": False, "pages": pages, "all": len(pages) == len(document)}))


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows: the limit of time alone
        return
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))


def _read(page: pypdfium2.PdfPage) -> dict[str, Any]:
    """What a page prints, turned so that most of its text stands upright, whatever the page's own flag says."""
    textpage = page.get_textpage()
    found = [_character(textpage, i) for i in range(min(textpage.count_chars(), MAX_MARKS))]
    seen = [char for char in found if char]
    turn = Counter(char[1] for char in seen).most_common(1)[0][0] if seen else 0
    chars = []
    for text, _, size, start, (left, right) in seen:
        (x, base), (x0, _), (x1, _) = (_upright(point, turn) for point in (start, left, right))
        # As high as the type and set on the baseline: fonts differ in how far they say that they reach.
        box = (min(x, x0, x1), base - 0.85 * size, max(x0, x1), base + 0.15 * size)
        chars.append((text, *(round(place, 1) for place in box)))
    rulings, drawn, pictured = _drawn(page)
    turned = [[*_upright(a, turn), *_upright(b, turn)] for a, b in rulings]
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in turned]
    return {"chars": chars, "unseen": None in found, "rulings": boxes, "drawn": drawn, "pictured": pictured}


def _upright(point: Point, turn: int) -> Point:
    """A point of the page's own space (y upwards) as one reads (y downwards), after so many quarter turns."""
    x, y = point
    return ((x, -y), (y, x), (-x, y), (-y, -x))[turn]


def _character(textpage: Any, i: int) -> Any:
    """A printed character with its quarter turns, size, place and reach; empty where there is none to read, as of a
    space or a slanted watermark; ``None`` where it is one that nobody sees, as recognised behind a picture."""
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
    reach = (rect.left, rect.bottom), (rect.right, rect.top)
    if abs((angle + 45) % 90 - 45) > SLANT or not _near(x.value, y.value, size, *reach[0], *reach[1]):
        return ()
    return text, round(angle / 90) % 4, size, (x.value, y.value), reach


def _near(*places: float) -> bool:
    return all(abs(place) < MAX_PLACE for place in places)


def _drawn(page: pypdfium2.PdfPage) -> tuple[list[tuple[Point, Point]], int, bool]:
    """The horizontal and vertical lines of a page; how much there is to draw, and whether a picture is."""
    rulings: list[tuple[Point, Point]] = []
    seen, pictured = 0, False
    fill, stroke = c_int(), c_int()
    for found in page.get_objects(max_depth=MAX_DEPTH):
        is_path = found.type == pdfium.FPDF_PAGEOBJ_PATH
        pictured |= found.type == pdfium.FPDF_PAGEOBJ_IMAGE
        seen += 1 + (max(pdfium.FPDFPath_CountSegments(found), 0) if is_path else 0)
        if seen > MAX_OBJECTS:
            return [], seen, pictured
        if not is_path:
            continue
        pdfium.FPDFPath_GetDrawMode(found, byref(fill), byref(stroke))
        for points in _outlines(found):
            if stroke.value:
                rulings += [(a, b) for a, b in zip(points, points[1:], strict=False) if _straight(a, b)]
            elif fill.value:
                rulings += _thin(points)
    return rulings, seen, pictured


def _matrix(found: pypdfium2.PdfObject) -> pypdfium2.PdfMatrix:
    own = found.get_matrix()
    return own.multiply(_matrix(found.container)) if found.container else own


def _outlines(path: pypdfium2.PdfObject) -> Iterator[list[Point]]:
    """The corners of each outline of a path that has no curves."""
    matrix = _matrix(path)
    points: list[Point] = []
    x, y = c_float(), c_float()
    for i in range(pdfium.FPDFPath_CountSegments(path)):
        segment = pdfium.FPDFPath_GetPathSegment(path, i)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_MOVETO and points:
            yield points
            points = []
        pdfium.FPDFPathSegment_GetPoint(segment, byref(x), byref(y))
        points.append(matrix.on_point(x.value, y.value))
        if kind == pdfium.FPDF_SEGMENT_BEZIERTO or not _near(*points[-1]):
            return
        if pdfium.FPDFPathSegment_GetClose(segment):
            points.append(points[0])
    if points:
        yield points


def _straight(a: Point, b: Point) -> bool:
    return (abs(a[0] - b[0]) < 1) != (abs(a[1] - b[1]) < 1)


def _thin(points: list[Point]) -> list[tuple[Point, Point]]:
    xs, ys = zip(*points, strict=True)
    left, right, low, high = min(xs), max(xs), min(ys), max(ys)
    x, y = (left + right) / 2, (low + high) / 2
    if high - low <= min(THIN, (right - left) / 2):
        return [((left, y), (right, y))]
    return [((x, low), (x, high))] if right - left <= min(THIN, (high - low) / 2) else []


if __name__ == "__main__":
    main()
