"""A program of its own: the bytes of a PDF on its input -> the characters and ruling lines of its pages, as JSON.

PDFium is fast and hardened, but native: what a hostile file makes of it must not happen to the caller, who runs this
file in another process, with limits of time and memory. Hence it imports nothing of the package.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from ctypes import byref, c_double, c_float, c_int
from math import atan2, degrees, hypot
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

MAX_PAGES = 200  # a plan has some 20
MAX_MARKS = 200_000  # characters and paths; a plan has some 30,000
MAX_OBJECTS = 50_000  # paths and their corners on one page; a page of more is a drawing
MAX_PLACE = 1e5  # points, from the corner of the page: nothing further out is printed
MAX_DEPTH = 6  # forms within forms
MAX_MEMORY = 1024 * 1024 * 1024
SLANT = 3.0  # degrees off the horizontal and the vertical: a watermark
THIN = 3.0  # points: a filled rectangle no thicker is a ruling line

Matrix = tuple[float, float, float, float, float, float]
Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom: y grows downwards as one reads


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
        turn = page.get_rotation()
        text, boxes, unseen = _characters(page, turn)
        rulings, drawn = _rulings(page, turn)
        pages.append({"text": text, "boxes": boxes, "unseen": unseen, "rulings": rulings})
        marks += len(text) + drawn
        page.close()
    # Not json.dump, which does not use the fast encoder.
    sys.stdout.write(json.dumps({"locked": False, "pages": pages, "all": len(pages) == len(document)}))


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows: the limit of time alone
        return
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))


# --- characters -------------------------------------------------------------------------------------------


def _characters(page: pypdfium2.PdfPage, turn: int) -> tuple[str, list[Box], int]:
    """The printed characters of a page, without spaces, the box of each, and how many are there that nobody sees.

    Slanted text, as of a watermark, is left out. A box is as high as the type and set on the baseline: fonts differ in
    how far they say that they reach.
    """
    textpage = page.get_textpage()
    texts, boxes, unseen = [], [], 0
    rect, matrix, x, y = pdfium.FS_RECTF(), pdfium.FS_MATRIX(), c_double(), c_double()
    to_rect, to_matrix, to_x, to_y = byref(rect), byref(matrix), byref(x), byref(y)
    for i in range(min(textpage.count_chars(), MAX_MARKS)):
        code = pdfium.FPDFText_GetUnicode(textpage, i)
        named = 0 < code < 0xD800 or 0xE000 <= code < 0x110000
        text = chr(code) if named else "\ufffd"  # a glyph that nobody can name
        if text.isspace() or pdfium.FPDFText_IsGenerated(textpage, i) == 1:
            continue
        pdfium.FPDFText_GetLooseCharBox(textpage, i, to_rect)
        pdfium.FPDFText_GetMatrix(textpage, i, to_matrix)
        pdfium.FPDFText_GetCharOrigin(textpage, i, to_x, to_y)
        if _is_unseen(textpage, i):
            unseen += 1
            continue
        if abs((degrees(atan2(matrix.b, matrix.a)) + 45) % 90 - 45) > SLANT:
            continue
        size = pdfium.FPDFText_GetFontSize(textpage, i) * hypot(matrix.c, matrix.d)
        left, _, right, _ = _turned((rect.left, rect.bottom, rect.right, rect.top), turn)
        start, base = _shown((x.value, y.value), turn)
        if not _near(left, start, right, base, size):
            continue
        texts.append(text)
        boxes.append((round(min(left, start), 1), round(base - 0.85 * size, 1), right, round(base + 0.15 * size, 1)))
    return "".join(texts), boxes, unseen


def _is_unseen(textpage: Any, index: int) -> bool:
    """Whether a character is drawn neither filled nor stroked, as what was recognised in the picture of a page."""
    found = pdfium.FPDFText_GetTextObject(textpage, index)
    invisible = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)
    return bool(found) and pdfium.FPDFTextObj_GetTextRenderMode(found) in invisible


def _near(*places: float) -> bool:
    return all(abs(place) < MAX_PLACE for place in places)


def _turned(box: Box, turn: int) -> Box:
    """A box of the page's own space (y upwards) as it shows when the page is turned clockwise."""
    (x0, y0), (x1, y1) = _shown((box[0], box[1]), turn), _shown((box[2], box[3]), turn)
    return round(min(x0, x1), 1), round(min(y0, y1), 1), round(max(x0, x1), 1), round(max(y0, y1), 1)


def _shown(point: Point, turn: int) -> Point:
    x, y = point
    if turn == 90:
        return y, x
    if turn == 180:
        return -x, y
    return (-y, -x) if turn == 270 else (x, -y)


# --- ruling lines -----------------------------------------------------------------------------------------


def _rulings(page: pypdfium2.PdfPage, turn: int) -> tuple[list[Box], int]:
    """The horizontal and vertical lines of a page, each as a box without thickness; how much there is to draw."""
    rulings: list[Box] = []
    seen = 0
    for path, matrix in _paths(page, pdfium.FPDFPage_CountObjects, pdfium.FPDFPage_GetObject):
        seen += 1 + max(pdfium.FPDFPath_CountSegments(path), 0)
        if seen > MAX_OBJECTS:
            return [], seen
        fill, stroke = c_int(), c_int()
        pdfium.FPDFPath_GetDrawMode(path, byref(fill), byref(stroke))
        for points in _outlines(path, matrix):
            if not all(_near(*point) for point in points):
                continue
            if stroke.value:
                rulings += [
                    _turned((*a, *b), turn) for a, b in zip(points, points[1:], strict=False) if _straight(a, b)
                ]
            elif fill.value and (line := _thin(points)):
                rulings.append(_turned(line, turn))
    return rulings, seen


def _paths(parent: Any, count: Any, get: Any, matrix: Matrix = (1, 0, 0, 1, 0, 0), depth: int = 0) -> Iterator[Any]:
    for i in range(min(count(parent), MAX_OBJECTS)):
        found = get(parent, i)
        kind = pdfium.FPDFPageObj_GetType(found)
        if kind not in (pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_FORM):
            continue
        m = pdfium.FS_MATRIX()
        pdfium.FPDFPageObj_GetMatrix(found, byref(m))
        own = _times((m.a, m.b, m.c, m.d, m.e, m.f), matrix)
        if kind == pdfium.FPDF_PAGEOBJ_PATH:
            yield found, own
        elif depth < MAX_DEPTH:
            yield from _paths(found, pdfium.FPDFFormObj_CountObjects, pdfium.FPDFFormObj_GetObject, own, depth + 1)


def _times(m: Matrix, n: Matrix) -> Matrix:
    return (
        m[0] * n[0] + m[1] * n[2],
        m[0] * n[1] + m[1] * n[3],
        m[2] * n[0] + m[3] * n[2],
        m[2] * n[1] + m[3] * n[3],
        m[4] * n[0] + m[5] * n[2] + n[4],
        m[4] * n[1] + m[5] * n[3] + n[5],
    )


def _outlines(path: Any, m: Matrix) -> Iterator[list[Point]]:
    """The corners of each outline of a path that has no curves."""
    points: list[Point] = []
    x, y = c_float(), c_float()
    for i in range(min(pdfium.FPDFPath_CountSegments(path), MAX_OBJECTS)):
        segment = pdfium.FPDFPath_GetPathSegment(path, i)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_MOVETO and points:
            yield points
            points = []
        elif kind == pdfium.FPDF_SEGMENT_BEZIERTO:
            return
        pdfium.FPDFPathSegment_GetPoint(segment, byref(x), byref(y))
        points.append((m[0] * x.value + m[2] * y.value + m[4], m[1] * x.value + m[3] * y.value + m[5]))
        if pdfium.FPDFPathSegment_GetClose(segment):
            points.append(points[0])
    if points:
        yield points


def _straight(a: Point, b: Point) -> bool:
    return (abs(a[0] - b[0]) < 1) != (abs(a[1] - b[1]) < 1)


def _thin(points: list[Point]) -> Box | None:
    xs, ys = zip(*points, strict=True)
    left, right, low, high = min(xs), max(xs), min(ys), max(ys)
    if high - low <= min(THIN, (right - left) / 2):
        return left, (low + high) / 2, right, (low + high) / 2
    if right - left <= min(THIN, (high - low) / 2):
        return (left + right) / 2, low, (left + right) / 2, high
    return None


if __name__ == "__main__":
    main()
