"""An Excel workbook -> the grids of its sheets, each cell as the sheet shows it."""

from __future__ import annotations

import re
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from io import BytesIO
from itertools import pairwise, product
from typing import Any

from openpyxl import load_workbook
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._reader import WorkSheetParser

from qyx_analysis.documents import RAISED, STRUCK, Cell, Content, Grid, guarded, one_line, too_complex
from qyx_analysis.problems import shown

MAX_CELLS = 300_000
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|(?P<space>_.|\*.)'
    r"|\[(?:black|blue|cyan|green|magenta|red|white|yellow|color ?\d+|[黑蓝绿红白黄]色|\$[^\]]*)\]"
    r"|(?P<digits>General|G/通用格式|@|[#0?,.]+)|(?P<percent>%)|(?P<sign>[-+()<>=~:$ ]|[^\x00-\x7f])|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_YEAR_FORMAT = re.compile(r'(?:\[\$[^\]]*\])?y{3,4}(?P<rest>(?:"[^"]*"|\\.|[^\x00-\x7f])*)(?:;@)?', re.IGNORECASE)
_MAX_FORMAT = 255  # what Excel allows


def read(data: bytes, name: str) -> Content:
    """Read the visible sheets, without their hidden rows and columns; blank rows and columns are left out.

    A formula gives the value that was saved with it, else its own text. Lines are the rows of a single text.
    Raises :class:`~qyx_analysis.problems.DataError` when the file is damaged or the sheets are too large.
    """
    grids = []
    with guarded(name, ".xlsx"), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # openpyxl tells of extensions it drops; none holds cells
        book = load_workbook(BytesIO(data), read_only=True, data_only=True, keep_links=False, rich_text=True)
        for sheet in book.worksheets:
            if sheet.sheet_state == "visible":
                grids.append(_grid(sheet, name))
        if not book.worksheets:
            raise ValueError("no sheet")
    texts = ([cell.text for cell in row if cell.text] for grid in grids for row in grid.rows)
    return Content(tuple(row[0] for row in texts if len(row) == 1), tuple(grid for grid in grids if grid.rows))


def _grid(sheet: Any, name: str) -> Grid:
    # The parser and not the worksheet: that one fills every gap and every merged range, be it the whole sheet.
    parser, texts = _texts(sheet)
    rows, columns = sorted({row for row, _ in texts}), sorted({column for _, column in texts})
    title = shown(sheet.title)

    def place(row: int, column: int) -> str:
        return f"sheet {title} cell {get_column_letter(column)}{row}"

    places: dict[tuple[int, int], str] = {}
    count = len(rows) * len(columns)
    for merged in parser.merged_cells.mergeCell if parser.merged_cells else ():
        covered_rows = rows[bisect_left(rows, merged.min_row) : bisect_right(rows, merged.max_row)]
        covered_columns = columns[bisect_left(columns, merged.min_col) : bisect_right(columns, merged.max_col)]
        count += len(covered_rows) * len(covered_columns)
        if count > MAX_CELLS:
            break
        for spot in product(covered_rows, covered_columns):
            places[spot] = place(merged.min_row, merged.min_col)
    if count > MAX_CELLS:
        raise too_complex(name, MAX_CELLS)
    return Grid(
        tuple(tuple(Cell(texts.get((r, c), ""), places.get((r, c)) or place(r, c)) for c in columns) for r in rows),
        above=(title,),
    )


def _texts(sheet: Any) -> tuple[WorkSheetParser, dict[tuple[int, int], str]]:
    """What each cell shows, by row and column, blank ones and hidden ones left out."""
    with sheet._get_source() as source:
        xml = source.read()
    parser = _parser(sheet, xml, data_only=True)
    cells = {(cell["row"], cell["column"]): cell for _, row in parser.parse() for cell in row}
    if any(cell["value"] is None for cell in cells.values()):
        for spot, formula in _formulas(sheet, xml):
            if cells[spot]["value"] is None:
                cells[spot]["value"] = formula
    texts = {spot: _text(sheet, cell) for spot, cell in cells.items() if cell["value"] is not None}
    hidden_rows = {int(row) for row, attributes in parser.row_dimensions.items() if _hidden(attributes)}
    hidden = [range(int(a["min"]), int(a["max"]) + 1) for a in parser.column_dimensions.values() if _hidden(a)]
    return parser, {
        (row, column): text
        for (row, column), text in texts.items()
        if text and row not in hidden_rows and not any(column in columns for columns in hidden)
    }


def _parser(sheet: Any, xml: bytes, data_only: bool) -> WorkSheetParser:
    book = sheet.parent
    return WorkSheetParser(
        BytesIO(xml), sheet._shared_strings, data_only, book.epoch, book._date_formats, book._timedelta_formats, True
    )


def _formulas(sheet: Any, xml: bytes) -> Iterator[tuple[tuple[int, int], str]]:
    for _, row in _parser(sheet, xml, data_only=False).parse():
        for cell in row:
            if cell["data_type"] == "f":
                yield (cell["row"], cell["column"]), str(getattr(cell["value"], "text", cell["value"]))


def _hidden(attributes: dict[str, str]) -> bool:
    return attributes.get("hidden", "0") in ("1", "true")


def _text(sheet: Any, cell: dict[str, Any]) -> str:
    value = cell["value"]
    if isinstance(value, CellRichText):
        value = "".join(_run(part) for part in value)
    if isinstance(value, bool):
        return str(value).upper()
    shown = ReadOnlyCell(sheet, cell["row"], cell["column"], value, cell["data_type"], cell["style_id"])
    text = _shown(value, shown.number_format)
    return f"{STRUCK[0]}{text}{STRUCK[1]}" if text and shown.font.strike else text


def _shown(value: Any, form: str) -> str:
    if isinstance(value, int | float):
        return as_shown(value, form)
    if isinstance(value, date):
        return year_as_shown(value.year, form) or value.isoformat()
    return one_line(str(value).split("\n"))


def _run(part: str | TextBlock) -> str:
    """Raised or struck text set apart: 82 with a raised 1 is not 821."""
    if not isinstance(part, TextBlock):
        return part
    signs = STRUCK if part.font.strike else RAISED if part.font.vertAlign in ("superscript", "subscript") else None
    return f"{signs[0]}{part.text}{signs[1]}" if signs else part.text


# --- number formats ---------------------------------------------------------------------------------------


def as_shown(value: float, form: str) -> str:
    """Apply a number format. One that is not understood is put beside the number, which then reads as no number.

    >>> as_shown(0.815, "0%"), as_shown(3, "0.0"), as_shown(32, '"≥"0'), as_shown(0.1 + 0.2, "General")
    ('82%', '3.0', '≥32', '0.3')
    >>> as_shown(3, "# ?/?")
    '3 〔# ?/?〕'
    """
    number = Decimal(f"{value:.15g}")
    sections = _sections(form)
    section = sections[0]
    if number < 0 and len(sections) > 1:
        number, section = -number, sections[1]
    elif number == 0 and len(sections) > 2:
        section = sections[2]
    shown = _formatted(number, section) if len(form) <= _MAX_FORMAT else None
    return f"{_general(Decimal(f'{value:.15g}'))} 〔{form[:_MAX_FORMAT]}〕" if shown is None else shown


def year_as_shown(year: int, form: str) -> str | None:
    """A date of which the format shows the year only, or ``None`` where it shows more.

    >>> year_as_shown(2023, 'yyyy"年"'), year_as_shown(2023, "yyyy-mm")
    ('2023年', None)
    """
    match = _YEAR_FORMAT.fullmatch(form[:_MAX_FORMAT])
    return str(year) + re.sub(r'["\\]', "", match["rest"]) if match else None


def _sections(form: str) -> list[str]:
    """Positive, negative and zero, as far as the format tells them apart."""
    cuts = [m.start() for m in _TOKEN.finditer(form) if m["other"] == ";"]
    return [form[a + 1 : b] for a, b in pairwise([-1, *cuts, len(form)])]


def _formatted(number: Decimal, section: str) -> str | None:
    tokens = list(_TOKEN.finditer(section))
    digits = [token["digits"] for token in tokens if token["digits"]]
    if len(digits) > 1 or any(token["other"] for token in tokens):
        return None
    percents = sum(1 for token in tokens if token["percent"])
    body = _digits(abs(number) * 100**percents, digits[0]) if digits else ""
    if body is None:
        return None
    parts = (
        body if token["digits"] else token["quoted"] or token["escaped"] or token["percent"] or token["sign"] or ""
        for token in tokens
    )
    negative = number < 0 and any(c in "123456789" for c in body)
    return "-" * negative + "".join(parts).strip(" ")


def _digits(number: Decimal, form: str) -> str | None:
    if not set(form) <= set("#0?,."):
        return _general(number)
    whole, _, fraction = form.partition(".")
    if form.count(".") > 1 or whole.endswith(",") or "," in fraction:
        return None  # a comma at the end means thousands
    try:
        rounded = number.quantize(Decimal(1).scaleb(-len(fraction)), ROUND_HALF_UP)
    except InvalidOperation:
        return None
    before, _, after = f"{rounded:f}".partition(".")
    before = before.lstrip("0").zfill(whole.count("0")) if whole.count("0") != 1 else before
    before = f"{int(before):,}" if "," in whole and before else before
    after = after[: fraction.rfind("0") + 1] + after[fraction.rfind("0") + 1 :].rstrip("0")
    return f"{before}.{after}" if after else before


def _general(number: Decimal) -> str:
    return f"{float(number):.10g}"
