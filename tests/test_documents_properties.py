"""Any grid, rendered into any format, gives the same cells back."""

import io

import docx
import openpyxl
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from plans import STEMS, four_plans
from renderings import as_printed, escaped, html_table, markdown, merged_page, saved, word_table, written
from renderings import word as word_plan

from qyx_analysis.documents import read_document
from qyx_analysis.problems import DataError
from qyx_analysis.tidy.reading import read_plan

TEXTS = st.text("指标目（全覆盖）0123456789.%<>≥≤&/|*_\\\"'#=,—“ ", max_size=8).map(lambda text: " ".join(text.split()))


@st.composite
def grids(draw):
    """Texts in rows, and one merged rectangle: its first row and column, and how many it covers."""
    height, width = draw(st.integers(2, 6)), draw(st.integers(2, 6))
    rows = draw(st.lists(st.lists(TEXTS, min_size=width, max_size=width), min_size=height, max_size=height))
    rows[0] = [text or "指标" for text in rows[0]]  # so that no column is blank, nor the only row
    top, left = draw(st.integers(1, height - 1)), draw(st.integers(0, width - 1))
    down, across = draw(st.integers(1, height - top)), draw(st.integers(1, width - left))
    for row in range(top, top + down):
        for column in range(left, left + across):
            if (row, column) != (top, left):
                rows[row][column] = ""
    return rows, (top, left, down, across)


def page(rows, merged):
    top, left, down, across = merged
    lines = []
    for i, row in enumerate(rows):
        cells = ""
        for j, text in enumerate(row):
            inside = top <= i < top + down and left <= j < left + across
            if not inside:
                cells += f"<td>{html_text(text)}</td>"
            elif (i, j) == (top, left):
                cells += f"<td rowspan={down} colspan={across}>{html_text(text)}</td>"
        lines.append(f"<tr>{cells}</tr>")
    return f"<html><table>{''.join(lines)}</table></html>".encode()


def html_text(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def word(rows, merged):
    top, left, down, across = merged
    document = docx.Document()
    table = word_table(document, rows)
    table.cell(top, left).merge(table.cell(top + down - 1, left + across - 1)).text = rows[top][left]
    return saved(document)


def workbook(rows, merged):
    top, left, down, across = merged
    book = openpyxl.Workbook()
    for i, row in enumerate(rows, 1):
        for j, text in enumerate(row, 1):
            if text:
                book.active.cell(i, j).value = text
                book.active.cell(i, j).data_type = "s"
    book.active.merge_cells(start_row=top + 1, end_row=top + down, start_column=left + 1, end_column=left + across)
    return saved(book)


def pipes(rows, merged):
    return "\n".join("|" + "|".join(map(escaped, row)) + "|" for row in rows).encode()


@examples(40)
@given(grid=grids())
@pytest.mark.parametrize("render", [page, word, workbook, pipes])
def test_a_grid_comes_back_cell_by_cell(tmp_path_factory, render, grid):
    rows, merged = grid
    path = written(tmp_path_factory.getbasetemp(), "grid", render(rows, merged))
    (read,) = read_document(path).grids
    texts = [[cell.text for cell in row] for row in read.rows]
    if render is workbook:  # a sheet has no end: its blank rows are left out
        rows = [row for row in rows if any(row)]
    assert texts == rows
    if render in (page, word):
        top, left, down, across = merged
        covered = {read.rows[i][j].place for i in range(top, top + down) for j in range(left, left + across)}
        places = [cell.place for row in read.rows for cell in row]
        assert len(covered) == 1 and len(set(places)) == len(places) - down * across + 1


@examples(30)
@given(rows=st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=2, max_size=4))
def test_tables_in_tables_come_back_too(tmp_path_factory, rows):
    rows = [["指标", "年份", "单位"], *rows]
    inner = html_table(rows).encode()
    frame = b"<table><tr><td>left<td>%s</td><td><table><tr><td>%s<td>x</table></table>" % (inner, inner)
    read = read_document(written(tmp_path_factory.getbasetemp(), "frame", frame))
    found = [[[cell.text for cell in row] for row in grid.rows] for grid in read.grids]
    assert found.count(rows) == 2


@examples(40)
@given(data=st.data())
def test_one_changed_character_changes_one_cell_or_is_an_error(tmp_path_factory, data):
    stem = data.draw(st.sampled_from(STEMS))
    plan = as_printed(stem)
    row = data.draw(st.integers(0, 20))
    first, covered = 3, plan.years_covered(plan.rows[row])
    column = data.draw(st.integers(first, first if covered > 1 else first + 5))
    new = plan.rows[row][column][:-1] + data.draw(st.sampled_from("0123456789.%<≥/-x多 全|&"))
    plan.rows[row][column] = new
    merging = [lambda plan: merged_page(plan).encode(), word_plan]
    render = data.draw(st.sampled_from(merging if covered > 1 else [markdown, *merging]))
    try:
        targets = read_plan(written(tmp_path_factory.getbasetemp(), f"{stem}.x", render(plan))).targets
    except DataError:
        return
    before = four_plans().query("document == @stem").reset_index(drop=True)
    spot = row * 6 + column - first
    expected = before["raw"].tolist()
    expected[spot : spot + covered] = [" ".join(new.split())] * covered
    assert targets["raw"].tolist() == expected


def test_what_word_and_excel_wrote_is_what_the_libraries_read(tmp_path):
    """The renderings of the tests are files that the formats' own libraries read the same way."""
    rows = [["指标", "2022年", "2023年"], ["a", "≥32", ""]]
    table = docx.Document(io.BytesIO(word(rows, (1, 1, 1, 2)))).tables[0]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [rows[0], ["a", "≥32", "≥32"]]
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(rows, (1, 1, 1, 2)))).active
    assert [[cell.value or "" for cell in row] for row in sheet.rows] == rows
