"""A document -> its target table as printed, from lines of text (``lines``) or from grids of cells (``grids``).

The table is found by its header and rows, not by its position or title.
"""

from __future__ import annotations

from qyx_analysis.documents import Document
from qyx_analysis.layouts.grids import nearly_a_header, tables_in_grids
from qyx_analysis.layouts.lines import nearly_a_header_line, tables_in_lines
from qyx_analysis.layouts.printed import Column, PrintedRow, Table, column_of, plain
from qyx_analysis.problems import DataError, Problem

__all__ = ["Column", "PrintedRow", "Table", "column_of", "plain", "read_table"]


def read_table(document: Document) -> Table:
    """Find the one target table of a document and read it as printed.

    Raises :class:`~qyx_analysis.problems.DataError` when there is no table, more than one, or a row whose
    length differs from the header's.
    """
    tables = [*tables_in_lines(document), *tables_in_grids(document)]
    if not tables:
        raise DataError(
            nearly_a_header(document) or nearly_a_header_line(document) or Problem("table_missing", document.name)
        )
    if len(tables) > 1:
        places = ", ".join(table.header.place for table in tables)
        raise DataError(Problem("table_ambiguous", document.name, places, tables[1].title or tables[1].header.text))
    return tables[0]
