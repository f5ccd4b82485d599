"""A document -> its target table as printed, whatever its shape.

The header tells the columns, and one grammar the rows: *domain? number? name+ unit? value × k department?*. Where the
file marks its cells (``grids``) it is applied to each row; where it does not (``lines``), to the stream of cells. The
table is found by its header and rows, not by its position or title; several that have the same years are parts of one.
"""

from __future__ import annotations

from dataclasses import replace

from qyx_analysis.documents import Document
from qyx_analysis.layouts.grids import parts_in_grids
from qyx_analysis.layouts.headers import column_of, settle_years
from qyx_analysis.layouts.lines import parts_in_lines
from qyx_analysis.layouts.printed import Column, Part, PrintedRow, Table, domain_named, plain, with_domain
from qyx_analysis.problems import DataError, Problem

__all__ = ["Column", "PrintedRow", "Table", "column_of", "plain", "read_table"]


def read_table(document: Document) -> Table:
    """Find the target table of a document and read it as printed.

    Raises :class:`~qyx_analysis.problems.DataError` when there is none, when several do not make one, or where a row
    or the years of the header cannot be told.
    """
    parts = parts_in_grids(document)
    parts = [*parts_in_lines(document, document.grid_lines), *parts]
    tables = [_settled(part, document) for part in parts]
    targets = [table for table in tables if len(table.columns) > 1]
    if not tables:
        raise DataError(Problem("table_missing", document.name))
    if not targets:
        first = tables[0]
        raise DataError(Problem("table_of_one_year", document.name, first.header.place, str(first.years[0])))
    starts = [min(table.years) for table in targets]
    # What a plan prints of the period before ends where its own years begin.
    past = [table for table in targets if any(max(table.years) <= start for start in starts)]
    single = [table for table in tables if table not in targets]
    aside = frozenset(row.indicator.place for table in [*past, *single] for row in table.rows)
    joined = _joined([table for table in targets if table not in past], document)
    unread = [Problem("table_of_one_year", document.name, t.header.place, str(t.years[0])) for t in single]
    return replace(joined, aside=aside, remarks=(*joined.remarks, *unread))


def _settled(part: Part, document: Document) -> Table:
    """The part with a year for each of its columns of values; those that are read past are left out."""
    settled, remarks = settle_years(part.values, document, part.header)
    kept = [i for i, column in enumerate(settled) if column]
    rows = tuple(replace(row, values=tuple(row.values[i] for i in kept)) for row in part.rows)
    columns = tuple(column for column in settled if column)
    remarks = [*part.remarks, *remarks]
    titles = (part.title,)
    domained = any(column.role == "domain" for column in part.columns)
    whole = _whole_domains(rows)
    return Table(part.layout, titles, part.header, columns, whole, part.footnotes, tuple(remarks), domained)


def _whole_domains(rows: tuple[PrintedRow, ...]) -> tuple[PrintedRow, ...]:
    """A domain that stands on two rows, 幼有 on one and 善育 on the next, is one."""
    pieces = list(dict.fromkeys(row.domain for row in rows))
    whole = {
        piece: named
        for first, second in zip(pieces, pieces[1:], strict=False)
        if first and second and not domain_named(first) and (named := domain_named(first + second))
        for piece in (first, second)
    }
    return tuple(replace(row, domain=whole.get(row.domain, row.domain)) for row in rows)


def _with_domain(table: Table, before: Table) -> Table:
    """Rows below a domain that the table before printed: where a page begins with the rest of its rows."""
    if not table.domained:
        return table
    return replace(table, rows=with_domain(table.rows, before.rows[-1].domain))


def _joined(tables: list[Table], document: Document) -> Table:
    """One table of several parts, as where every domain has its own: all have the same years, and no row twice."""
    tables = [*tables[:1], *map(_with_domain, tables[1:], tables)]
    first, *others = tables
    seen = {plain(row.indicator.text) for row in first.rows}
    for other in others:
        names = {plain(row.indicator.text) for row in other.rows}
        if other.years != first.years or names & seen:
            places = ", ".join(table.header.place for table in tables)
            raise DataError(Problem("table_ambiguous", document.name, places, other.title or other.header.text))
        seen |= names
    footnotes = tuple(dict.fromkeys(note for table in tables for note in table.footnotes))
    return replace(
        first,
        titles=tuple(dict.fromkeys(title for table in tables for title in table.titles)),
        rows=tuple(row for table in tables for row in table.rows),
        footnotes=footnotes,
        remarks=tuple(remark for table in tables for remark in table.remarks),
    )
