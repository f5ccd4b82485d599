"""A part of a target table: what one grid or one run of lines gives, before the parts are joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qyx_analysis.documents import Cell, one_line
from qyx_analysis.layouts.printed import Column, PrintedRow, domain_named, heading_text, plain
from qyx_analysis.problems import Problem


@dataclass(frozen=True)
class Part:
    """One table as printed; ``columns`` are the header's, in the order of the cells."""

    layout: str
    title: str
    header: Cell
    columns: tuple[Column, ...]
    rows: tuple[PrintedRow, ...]
    footnotes: tuple[str, ...]
    remarks: tuple[Problem, ...] = ()

    @property
    def values(self) -> list[Column]:
        """The columns of values."""
        return [column for column in self.columns if column.role == "year"]


def make_row(cells: Mapping[str, Sequence[Cell]], values: tuple[Cell, ...], place: str, domain: str) -> PrintedRow:
    """A row of the table from its cells by role; ``domain`` is that of the row above."""
    blank = Cell("", place)

    def joined(role: str) -> Cell | None:
        found = [cell for cell in cells.get(role, ()) if cell.text]
        return Cell(one_line(cell.text for cell in found), found[0].place) if found else None

    own = joined("domain")
    return PrintedRow(
        domain=_domain(own.text) if own else domain,
        number=joined("number") or blank,
        indicator=joined("indicator") or blank,
        unit=joined("unit"),
        values=values,
        department=joined("department"),
    )


def _domain(text: str) -> str:
    return domain_named(text) or heading_text(text) or plain(text)
