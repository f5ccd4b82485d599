"""A table as far as one page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from qyx_analysis.documents.pdf.lines import is_serial


class Span(NamedTuple):
    """From where to where a column reaches."""

    x0: float
    x1: float

    @property
    def x(self) -> float:
        return (self.x0 + self.x1) / 2

    @property
    def width(self) -> float:
        return self.x1 - self.x0


class Slot(NamedTuple):
    """One place of a table: the text that is printed here, and the row and column where its cell starts."""

    text: str
    row: int
    column: int


class Stretch(NamedTuple):
    """How far down a line or a row reaches, and where it prints its text or number."""

    top: float
    y: float
    bottom: float


class Anchor(NamedTuple):
    """Where a text is printed: its first line, its middle and its last line."""

    first: float
    y: float
    last: float


@dataclass
class Part:
    """What one page shows of a table: ``rows`` below a ``header`` (its index), if the page prints one."""

    page: int
    top: float
    bottom: float
    columns: list[Span]
    years: list[int] = field(default_factory=list)  # the columns of years
    rows: list[list[Slot]] = field(default_factory=list)
    header: int | None = None
    ruled: bool = False
    stretches: list[Stretch] = field(default_factory=list)  # of the rows below the header, if not ruled
    labels: dict[int, list[tuple[str, Anchor]]] = field(default_factory=dict)  # by column: each for several rows

    @property
    def first(self) -> int:
        """The index of the first row below the header."""
        return 0 if self.header is None else self.header + 1

    @property
    def serials(self) -> int | None:
        """The column of row numbers."""
        return serial_column(
            [[row[i].text for row in self.rows[self.first :]] for i in range(min(self.years, default=0))]
        )


def serial_column(columns: Sequence[Sequence[str]]) -> int | None:
    """Which of the columns holds row numbers, if most of what stands in it are such."""
    counts = [sum(map(is_serial, texts)) for texts in columns]
    best = max(range(len(columns)), key=lambda i: counts[i], default=None)
    return best if best is not None and counts[best] > sum(map(bool, columns[best])) / 2 else None
