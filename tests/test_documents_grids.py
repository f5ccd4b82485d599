"""What stands in a grid is read as printed, whatever else the document holds; what does not fit is an error."""

import io
import re
from datetime import datetime

import docx
import openpyxl
import pytest
from lxml import etree
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from plans import STEMS
from renderings import (
    PROJECTS,
    as_printed,
    html_rows,
    html_table,
    markdown,
    page,
    part,
    piped,
    repacked,
    saved,
    word,
    word_table,
    workbook,
    written,
)

from qyx_analysis.documents import read_document
from qyx_analysis.layouts import read_table
from qyx_analysis.problems import DataError

HEADER = ["领域", "序号", "指标", "2022年", "2023年", "2027年"]
ROW = ["幼有善育", "1", "普惠托位占比(%)", "60", "63", "72"]


def table_of(folder, data):
    return read_table(read_document(written(folder, "county.dat", data if isinstance(data, bytes) else data.encode())))


def problem_of(folder, data):
    with pytest.raises(DataError) as caught:
        table_of(folder, data)
    return caught.value.problems[0]


def values(table):
    return [[cell.text for cell in row.values] for row in table.rows]


def sheet_of(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    return book, book.active


# --- the grid ---------------------------------------------------------------------------------------------


def in_markdown(data, line, cell):
    return re.split(r"(?<!\\)\|", data.decode().split("\n")[int(line) - 1])[int(cell)].strip()


def in_page(data, table, row, cell):
    tables = list(etree.HTML(data.decode()).iter("table"))
    return list(list(tables[int(table) - 1].iter("tr"))[int(row) - 1])[int(cell) - 1].text or ""


def in_word(data, table, row, cell):
    return docx.Document(io.BytesIO(data)).tables[int(table) - 1].rows[int(row) - 1].cells[int(cell) - 1].text


def in_workbook(data, sheet, cell):
    value = openpyxl.load_workbook(io.BytesIO(data))[sheet][cell].value
    return str(value or "")


@pytest.mark.parametrize(
    ("render", "find", "place"),
    [
        (markdown, in_markdown, r"line (\d+) cell (\d+)"),
        (
            lambda plan: page(plan, html_table([plan.header, *plan.rows])).encode(),
            in_page,
            r"table (\d+) row (\d+) cell (\d+)",
        ),
        (word, in_word, r"table (\d+) row (\d+) cell (\d+)"),
        (workbook, in_workbook, r"sheet (\S+) cell (\w+)"),
    ],
)
def test_a_place_leads_back_to_its_cell(tmp_path, render, find, place):
    data = render(as_printed("shengsi"))
    for row in table_of(tmp_path, data).rows[::4]:
        for cell in (row.indicator, row.values[1]):
            found = find(data, *re.fullmatch(place, cell.place).groups())
            assert found == cell.text or float(found) == float(cell.text)


@pytest.mark.parametrize("kind", ["html", "md"])
def test_every_single_missing_or_added_cell_is_noticed(tmp_path, kind):
    for stem in STEMS:
        plan = as_printed(stem)
        for i, row in enumerate(plan.rows):
            if plan.years_covered(row) > 1:
                continue
            for changed in (row[:5] + row[6:], row[:5] + ["7"] + row[5:]):
                rows = [plan.header, *plan.rows[:i], changed, *plan.rows[i + 1 :]]
                text = piped(rows) if kind == "md" else html_table(rows)
                last = i == len(plan.rows) - 1 and len(changed) < len(row)
                if kind == "md" and last and len(row) == 9:  # as if the file were cut off
                    assert [remark.key for remark in table_of(tmp_path, text.encode()).remarks] == ["table_cut"]
                    continue
                problem = problem_of(tmp_path, text)
                assert (problem.key, problem.values["expected"]) == ("row_length", len(row)), (stem, i)
                assert problem.values["found"] == len(changed)


def test_a_missing_cell_is_noticed_beside_merged_ones(tmp_path):
    plan = as_printed("zhuji")
    rows = html_rows(plan)
    short = [rows[0].replace("<td>4.0</td>", ""), *rows[1:]]
    header = "".join(f"<td>{text}</td>" for text in plan.header)
    problem = problem_of(tmp_path, f"<table><tr>{header}</tr>{''.join(short)}</table>")
    assert (problem.key, problem.place) == ("row_length", "table 1 row 2 cell 1")


def test_a_merged_cell_stands_for_all_it_covers(tmp_path):
    header = "".join(f"<td>{text}</td>" for text in [*HEADER, "责任单位"])
    rows = (
        "<tr><td rowspan=2>幼有善育</td><td>1</td><td>普惠托位占比</td><td>60</td><td colspan=2>≥70</td>"
        "<td rowspan=2>卫生健康局</td></tr><tr><td>2</td><td>发育监测筛查率</td><td>1</td><td>2</td><td></td></tr>"
    )
    table = table_of(tmp_path, f"<table><tr>{header}</tr>{rows}</table>")
    assert values(table) == [["60", "≥70", "≥70"], ["1", "2", ""]]
    assert [row.department.text for row in table.rows] == ["卫生健康局"] * 2
    assert table.rows[0].values[1].place == table.rows[0].values[2].place


def test_sections_blank_rows_repeated_headers_and_notes_are_no_rows(tmp_path):
    section = ["一、幼有善育", "", "", "", ""]
    other = ["二、学有优教", "", "", "", ""]
    rows = [["", "单位：%", "", "", ""], HEADER[1:], section, ROW[1:], [""] * 5, HEADER[1:], other, ["2", *ROW[2:]]]
    table = table_of(tmp_path, html_table([*rows, ["注：带*号为省定核心指标。", "", "", "", ""]]))
    assert [row.domain for row in table.rows] == ["幼有善育", "学有优教"]
    assert values(table) == [["60", "63", "72"]] * 2
    assert table.footnotes == ("注：带*号为省定核心指标。",)


def test_another_table_in_the_same_sheet_ends_the_first(tmp_path):
    book, _ = sheet_of(HEADER, ROW, [], ["联系人"], ["姓名", "单位", "电话"], ["张三", "发改局", "0574-1"])
    assert len(table_of(tmp_path, saved(book)).rows) == 1


def test_a_row_that_is_no_indicator_is_not_dropped(tmp_path):
    total = problem_of(tmp_path, html_table([HEADER, ROW, ["合计", "", "60"]]))
    assert total.key == "row_length"
    kept = table_of(tmp_path, html_table([HEADER, ROW, ["", "合计", "", "1", "2", "3"]]))
    assert kept.rows[1].indicator.text == "合计"


def test_a_row_of_nothing_but_its_number_says_nothing(tmp_path):
    table = table_of(tmp_path, html_table([HEADER[1:], ROW[1:], ["2", "", "", "", ""], ["3", *ROW[2:]]]))
    assert [row.number.text for row in table.rows] == ["1", "3"]


def test_a_table_goes_on_in_the_next_one_only_where_its_numbers_do(tmp_path):
    later = ["", "2", "0-3岁儿童发育监测筛查率(%)", "1", "2", "3"]
    for following in ([HEADER, later], [later]):
        table = table_of(tmp_path, page(as_printed("zhuji"), html_table([HEADER, ROW]) + html_table(following)))
        assert [(row.domain, row.number.text) for row in table.rows] == [("幼有善育", "1"), ("幼有善育", "2")]
    twice = problem_of(tmp_path, html_table([HEADER, ROW]) * 2)
    assert (twice.key, twice.place) == ("table_ambiguous", "table 1 row 1 cell 1, table 2 row 1 cell 1")


def test_a_header_cell_that_is_not_known_is_named(tmp_path):
    (remark,) = table_of(tmp_path, html_table([[*HEADER, "颜色"], [*ROW, "红"]])).remarks
    assert (remark.key, remark.place, remark.text) == ("column_unknown", "table 1 row 1 cell 7", "颜色")
    assert "headers.csv" in str(remark)
    among_years = problem_of(tmp_path, html_table([[*HEADER[:5], "颜色", HEADER[5]], [*ROW[:5], "红", ROW[5]]]))
    assert (among_years.key, among_years.place) == ("header_unknown", "table 1 row 1 cell 6")


def test_one_year_over_two_columns_is_refused(tmp_path):
    header = "".join(f"<td>{text}</td>" for text in HEADER[:4]) + "<td colspan=2>2023年</td>"
    row = "".join(f"<td>{text}</td>" for text in ROW)
    problem = problem_of(tmp_path, f"<table><tr>{header}</tr><tr>{row}</tr></table>")
    assert (problem.key, problem.text) == ("header_covers", "2023年")


def test_tables_without_what_a_target_table_needs_are_none(tmp_path):
    assert problem_of(tmp_path, html_table(PROJECTS)).key == "table_missing"


# --- formats ----------------------------------------------------------------------------------------------


def html_row(cells):
    return "<table>" + "<tr>" + "".join(f"<th>{h}</th>" for h in HEADER) + "</tr><tr>" + cells + "</tr></table>"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<td>82<sup>①</sup></td>", "82[①]"),
        ("<td><s>85</s>90</td>", "⟦85⟧90"),
        ("<td>&nbsp;</td>", ""),
        ("<td><!-- 1 -->8<span>2</span><b>.5</b></td>", "82.5"),
        ("<td>8<st1:number>2</st1:number></td>", "82"),
        ("<td>82<br>83</td>", "82 83"),
        ("<td><p>≥</p><p>32</p></td>", "≥32"),
        ("<td>1\u00a0234</td>", "1\u00a0234"),
        ("<td>82<span style='DISPLAY:none'>9</span></td>", "82"),
        ("<td>&#8805;&lt;&amp;</td>", "≥<&"),
    ],
)
def test_a_cell_of_a_page_gives_what_a_browser_shows(tmp_path, cell, text):
    before = "".join(f"<td>{text}</td>" for text in ROW[:4])
    table = table_of(tmp_path, html_row(f"{before}{cell}<td>7</td>"))
    assert [cell.text for cell in table.rows[0].values] == ["60", text, "7"]


def run_xml(properties, text):
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        ("<w:r><w:t>8</w:t></w:r><w:r><w:t>2</w:t></w:r>", "82"),
        ("<w:ins w:id='1' w:author='a'><w:r><w:t>82</w:t></w:r></w:ins>", "82"),
        ("<w:del w:id='1' w:author='a'><w:r><w:delText>85</w:delText></w:r></w:del><w:r><w:t>82</w:t></w:r>", "82"),
        ("<w:sdt><w:sdtContent><w:r><w:t>82</w:t></w:r></w:sdtContent></w:sdt>", "82"),
        ("<w:r><w:sym w:font='Symbol' w:char='F0B3'/><w:t>32</w:t></w:r>", "≥32"),
        ("<w:r><w:sym w:font='Wingdings' w:char='F0FC'/><w:t>32</w:t></w:r>", "\ufffd32"),
        ("<w:r><w:t>82</w:t></w:r>" + run_xml("<w:vertAlign w:val='superscript'/>", "1"), "82[1]"),
        (run_xml("<w:strike/>", "85") + run_xml("<w:strike w:val='0'/>", "90"), "⟦85⟧90"),
        (run_xml("<w:vanish/>", "9") + "<w:r><w:t>82</w:t></w:r>", "82"),
        ("<w:r><w:t>0</w:t><w:noBreakHyphen/><w:t>3</w:t></w:r>", "0-3"),
        ("<w:r><w:t>82</w:t><w:br/><w:t>83</w:t></w:r>", "82 83"),
    ],
)
def test_a_cell_of_a_word_file_gives_what_word_shows(tmp_path, xml, text):
    document = docx.Document()
    word_table(document, [HEADER, [*ROW[:4], "CELL", "7"]])
    data = saved(document)
    body = part(data, "word/document.xml").replace(b"<w:r><w:t>CELL</w:t></w:r>", xml.encode())
    table = table_of(tmp_path, repacked(data, {"word/document.xml": body}))
    assert [cell.text for cell in table.rows[0].values] == ["60", text, "7"]


def test_a_word_table_in_another_one_and_in_a_content_control_is_found(tmp_path):
    document = docx.Document()
    frame = document.add_table(1, 2)
    frame.cell(0, 0).text = "附件"
    frame.cell(0, 1).text = "嵊泗县五年目标"
    word_table(frame.cell(0, 1), [HEADER, ROW])
    data = saved(document)
    assert table_of(tmp_path, data).title == "嵊泗县五年目标"
    body = part(data, "word/document.xml").decode()
    inner = body.rindex("<w:tbl>")
    controlled = re.sub(
        r"(<w:tr>.*?</w:tr>)", r"<w:sdt><w:sdtContent>\1</w:sdtContent></w:sdt>", body[inner:], count=2, flags=re.S
    )
    changed = repacked(data, {"word/document.xml": (body[:inner] + controlled).encode()})
    assert len(table_of(tmp_path, changed).rows) == 1


def test_rows_of_a_word_table_may_leave_out_cells_before_and_after(tmp_path):
    document = docx.Document()
    word_table(document, [HEADER, [*ROW[:5], "LAST"]])
    data = saved(document)
    body = part(data, "word/document.xml").decode()
    body = re.sub(r"<w:tc>(?:(?!</w:tc>).)*LAST.*?</w:tc>", "", body, flags=re.S)
    assert problem_of(tmp_path, repacked(data, {"word/document.xml": body.encode()})).key == "row_length"
    start = body.rindex("<w:tr>") + len("<w:tr>")
    body = body[:start] + "<w:trPr><w:gridAfter w:val='1'/></w:trPr>" + body[start:]
    assert values(table_of(tmp_path, repacked(data, {"word/document.xml": body.encode()}))) == [["60", "63", ""]]


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.82, "0%", "82%"),
        (0.825, "0.0%", "82.5%"),
        (3, "0.00", "3.00"),
        (3.5, "0.0_);[Red]\\(0.0\\)", "3.5"),
        (12600, "#,##0", "12,600"),
        (83.60000000000001, "General", "83.6"),
        (32, '"≥"0', "≥32"),
        (1234, "0.0,", "1234 〔0.0,〕"),
        (0, "0;-0;;@", ""),
        (True, "General", "TRUE"),
        ("#DIV/0!", "General", "#DIV/0!"),
        (datetime(2023, 1, 3), "yyyy-mm-dd", "2023-01-03T00:00:00"),
        (CellRichText("82", TextBlock(InlineFont(vertAlign="superscript"), "1")), "General", "82[1]"),
        ("82\n", "@", "82"),
        ("=1+1", "General", "=1+1"),  # a formula that was saved without its value
    ],
)
def test_a_cell_of_a_sheet_gives_what_the_sheet_shows(tmp_path, value, form, text):
    book, sheet = sheet_of(HEADER, [*ROW[:4], None, "7"])
    sheet["E2"].value = value
    sheet["E2"].number_format = form
    assert values(table_of(tmp_path, saved(book))) == [["60", text, "7"]]


def test_years_may_be_numbers_or_dates(tmp_path):
    book, sheet = sheet_of([*HEADER[:3], 2022, 2023, datetime(2027, 1, 1)], ROW)
    sheet["E1"].number_format, sheet["F1"].number_format = '0"年"', 'yyyy"年"'
    assert table_of(tmp_path, saved(book)).years == (2022, 2023, 2027)


def test_a_formula_gives_the_value_saved_with_it(tmp_path):
    data = saved(sheet_of(HEADER, [*ROW[:4], "=D2+3", "7"])[0])
    xml = part(data, "xl/worksheets/sheet1.xml").replace(b"<v></v>", b"<v>63</v>").replace(b"<v />", b"<v>63</v>")
    assert values(table_of(tmp_path, repacked(data, {"xl/worksheets/sheet1.xml": xml}))) == [["60", "63", "7"]]


def test_hidden_sheets_rows_and_columns_are_not_printed(tmp_path):
    book, sheet = sheet_of(
        ["嵊泗县", "目标"], [*HEADER[:4], "内部", *HEADER[4:]], ROW, ["old"], [*ROW[:4], "x", *ROW[4:]]
    )
    sheet.delete_rows(3)
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["E"].hidden = True
    copy = book.copy_worksheet(sheet)
    copy.sheet_state = "hidden"
    assert values(table_of(tmp_path, saved(book))) == [["60", "63", "72"]]


def test_pipe_tables_may_hold_markdown(tmp_path):
    text = "| 领域 | 序号 | **指标** | 2022年 | 2023年 | 2027年 |\n|:-|-|-|-:|-|-|\n"
    text += "| 幼有善育 | \\*1 | 托位数<br>(个) | **3.5** | &lt;5 | a\\|b\n"
    table = table_of(tmp_path, text)
    assert (table.rows[0].number.text, table.rows[0].indicator.text) == ("*1", "托位数(个)")
    assert values(table) == [["3.5", "<5", "a|b"]]
    assert table.rows[0].values[0].place == "line 3 cell 4"


def test_rows_beyond_a_sentence_are_not_lost_where_a_column_is_unknown(tmp_path):
    later = ["", "2", "0-3岁儿童体检覆盖人数(人)", "1", "2", "3", "蓝"]
    rows = [[*HEADER, "颜色"], [*ROW, "红"], ["以上数据由各部门提供。", *[""] * 6], later]
    assert problem_of(tmp_path, html_table(rows)).key == "rows_outside"
