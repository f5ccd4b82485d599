"""What a page prints, in order -> its lines and its grids: shared by the formats that nest tables and merge cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain

from qyx_analysis.documents import AROUND, Cell, Content, Grid, one_line, too_complex

MAX_CELLS = 200_000  # a plan's table has some 200
MAX_SPAN = 1000  # what browsers cut a colspan to


@dataclass
class _Text:
    """The text of the page or of an open cell; what stands before ``shown`` is among the lines already."""

    parts: list[str] = field(default_factory=list)
    shown: int = 0


@dataclass
class _Table:
    number: int
    rows: list[dict[int, Cell]] = field(default_factory=list)  # by column: what a row does not print is not there
    spans: dict[int, tuple[int, str]] = field(default_factory=dict)  # by column: rows left of a merged cell, its place
    cell: tuple[int, int, bool] | None = None  # the open one: its columns, its rows, whether it goes on from above
    texts: list[str] = field(default_factory=list)  # of the cells closed so far
    furniture: bool = False  # it holds another table, so that its cells are as good as paragraphs


class Flow:
    """Takes the parts of a page as they come, and gives its lines and grids at the end.

    Most tables that hold another one only place things on the page: they are read as lines too. A table of a single
    text is nothing but a line.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._open = [_Text()]  # the page, then each cell that is open
        self._tables: list[_Table] = []  # those that are open
        self._paragraphs: list[list[str]] = [[]]  # before, between and after the grids
        self._grids: list[Grid] = []
        self._furniture: list[Grid] = []
        self._numbered = 0
        self._cells = 0

    def text(self, text: str) -> None:
        """Take printed text; a line feed in it ends the line."""
        self._open[-1].parts.append(text)

    def open_table(self) -> None:
        """Start a table, in the page or in the open cell."""
        self._show()
        if self._tables:
            outer = self._tables[-1]
            self._paragraphs[-1] += outer.texts if not outer.furniture else []
            outer.furniture = True
        self._numbered += 1
        self._tables.append(_Table(self._numbered))

    def open_row(self) -> None:
        """Start a row of the innermost table."""
        if not self._tables:
            return
        self.close_cell()
        table = self._tables[-1]
        table.rows.append({})
        for column, (left, place) in list(table.spans.items()):
            self._put(table, column, Cell("", place))
            table.spans[column] = (left - 1, place)
            if left == 1:
                del table.spans[column]

    def open_cell(self, columns: int = 1, rows: int = 1, goes_on: bool = False) -> None:
        """Start a cell of that many columns and rows; ``goes_on``: it is merged with the one above it."""
        if not self._tables:
            return
        self.close_cell()
        if not self._tables[-1].rows:
            self.open_row()
        self._tables[-1].cell = (min(max(columns, 1), MAX_SPAN), rows, goes_on)
        self._open.append(_Text())

    def close_cell(self) -> None:
        """End the open cell of the innermost table, if there is one."""
        table = self._tables[-1] if self._tables else None
        if table is None or table.cell is None:
            return
        if table.furniture:
            self._show()
        (columns, rows, goes_on), table.cell = table.cell, None
        text = one_line("".join(self._open.pop().parts).split("\n"))
        first = next(column for column in range(len(table.rows[-1]) + 1) if column not in table.rows[-1])
        above = table.rows[-2].get(first) if goes_on and len(table.rows) > 1 else None
        text = "" if above else text
        place = above.place if above else f"table {table.number} row {len(table.rows)} cell {first + 1}"
        for column in range(first, first + columns):
            self._put(table, column, Cell(text if column == first else "", place))
            if rows > 1:
                table.spans[column] = (rows - 1, place)
        if text:
            table.texts.append(text)

    def close_table(self) -> None:
        """End the innermost table."""
        if not self._tables:
            return
        self.close_cell()
        self._show()  # a caption, which stands in the table but in no cell
        table = self._tables.pop()
        grid = Grid(tuple(tuple(row[column] for column in sorted(row)) for row in table.rows))
        if table.furniture:
            self._furniture.append(grid)
        elif len(table.texts) == 1:
            self._paragraphs[-1] += table.texts
        else:
            self._grids.append(grid)
            self._paragraphs.append([])

    def content(self) -> Content:
        """Give the lines, and the grids with the paragraphs around them."""
        self._show()
        around = zip(self._grids, self._paragraphs, self._paragraphs[1:], strict=False)
        grids = [Grid(grid.rows, tuple(above[-AROUND:]), tuple(below[:AROUND])) for grid, above, below in around]
        return Content(tuple(chain.from_iterable(self._paragraphs)), (*grids, *self._furniture))

    def _show(self) -> None:
        """Let the open text, as far as it is not there yet, be lines."""
        text = self._open[-1]
        lines = "".join(text.parts[text.shown :]).split("\n")
        self._paragraphs[-1] += [line.strip(" ") for line in lines if line.strip()]  # a tab sets cells apart
        text.shown = len(text.parts)

    def _put(self, table: _Table, column: int, cell: Cell) -> None:
        self._cells += 1
        if self._cells > MAX_CELLS:
            raise too_complex(self._name, MAX_CELLS)
        table.rows[-1][column] = cell
