"""The four tables in every format of documents with prose around them: 504 of 504 cells come back."""

import pytest
from plans import STEMS, agreeing
from renderings import (
    Printed,
    as_printed,
    html_rows,
    html_table,
    markdown,
    merged_page,
    page,
    word,
    workbook,
    written,
)

from qyx_analysis.tidy.reading import read_plans


def meta(charset: str) -> str:
    return f'<meta http-equiv="Content-Type" content="text/html; charset={charset}">'


def two_row_header(plan: Printed) -> str:
    low = "".join(f"<th>{text}</th>" for text in plan.header[4:9])
    ends = "".join(f"<th rowspan=2>{text}</th>" for text in plan.header[9:])
    first = "".join(f"<td rowspan=2>{text}</td>" for text in [*plan.header[:3], "2022年<br>基础值"])
    header = f"<tr>{first}<td colspan=5>目标值</td>{ends}</tr><tr>{low}</tr>"
    return page(plan, f"<table>{header}{''.join(html_rows(plan))}</table>")


def years_above(plan: Printed) -> str:
    """A header of which only the years stand in the upper row, each over what kind of value it is."""
    upper = (
        "<td></td>" * 3
        + "".join(f"<td>{text}</td>" for text in plan.header[3:9])
        + "<td></td>" * (len(plan.header) - 9)
    )
    lower = "".join(f"<td>{text}</td>" for text in [*plan.header[:3], "实绩", *["目标"] * 5, *plan.header[9:]])
    return page(plan, f"<table><tr>{upper}</tr><tr>{lower}</tr>{''.join(html_rows(plan))}</table>")


def in_parts(plan: Printed) -> str:
    """A table that a converter cut where the page ends: once with the header again, once without."""
    rows = [plan.header, *plan.rows]
    cut = [rows[:9], [plan.header, *rows[9:15]], rows[15:]]
    return page(plan, "<p>— 7 —</p>".join(html_table(part) for part in cut))


def wordy(plan: Printed) -> str:
    """As Word writes a page: a paragraph and spans in each cell, broken source lines, no-break spaces, empty rows."""
    table = merged_page(plan).replace("<td>", "<td>\n  <p class=MsoNormal\n align=center><span>&nbsp;")
    return table.replace("</td>", "</span><o:p></o:p></p>\r\n</td>\r\n").replace("<tbody>", "<tbody><tr></tr>")


def broken(plan: Printed) -> str:
    """No end tags, upper case, cells broken between lines, and things that nobody sees."""
    text = merged_page(plan).replace("</td>", "").replace("</tr>", "").replace("<td", "<TD ALIGN=center")
    text = text.replace("指  标", "指<BR>标").replace("参保人数", "参保<br/>人数").replace("(万人)", "<br>(万人)")
    hidden = "<span style='display: none'>9</span><script>8</script><i hidden>7</i><!-- 6 -->\u200b"
    return text.replace("年</th>", f"年{hidden}</th>").replace("&lt;5", f"&lt;{hidden}5").replace("<TD", f"{hidden}<TD")


def entities(plan: Printed) -> str:
    return merged_page(plan).replace("≥", "&ge;").replace("&lt;", "&#60;").replace("—", "&mdash;")


RENDERINGS = {
    "md": markdown,
    "md_without_rule": lambda plan: markdown(plan, rule=False),
    "html_plain": lambda plan: page(plan, html_table([plan.header, *plan.rows])).encode("utf-8"),
    "html_merged": lambda plan: merged_page(plan, meta("utf-8")).encode("utf-8"),
    "html_cells_for_heads": lambda plan: merged_page(plan, tag="td").encode("utf-8"),
    "html_utf8_said_to_be_gb2312": lambda plan: merged_page(plan, meta("gb2312")).encode("utf-8"),
    "html_gb18030_said_to_be_utf8": lambda plan: merged_page(plan, meta("utf-8")).encode("gb18030"),
    "html_gb18030_unsaid": lambda plan: merged_page(plan).encode("gb18030"),
    "html_utf8_with_mark": lambda plan: merged_page(plan, meta("gbk")).encode("utf-8-sig"),
    "html_utf16": lambda plan: merged_page(plan, meta("gb2312")).encode("utf-16"),
    "html_xml": lambda plan: b'<?xml version="1.0" encoding="GB2312"?>\n' + merged_page(plan).encode("utf-8"),
    "html_entities": lambda plan: entities(plan).encode("utf-8"),
    "html_wordy": lambda plan: wordy(plan).encode("utf-8"),
    "html_broken": lambda plan: broken(plan).encode("utf-8"),
    "html_two_row_header": lambda plan: two_row_header(plan).encode("utf-8"),
    "html_years_above": lambda plan: years_above(plan).encode("utf-8"),
    "html_in_parts": lambda plan: in_parts(plan).encode("utf-8"),
    "docx_merged": word,
    "docx_plain": lambda plan: word(plan, merged=False),
    "docx_header_again": lambda plan: word(plan, merged=False, again=11),
    "xlsx_merged": workbook,
    "xlsx_plain": lambda plan: workbook(plan, merged=False),
}


@pytest.mark.parametrize("kind", RENDERINGS)
def test_all_504_cells_come_back(tmp_path, kind):
    for stem in STEMS:
        # The name lies about the type: the content tells it.
        written(tmp_path, f"{stem}.txt", RENDERINGS[kind](as_printed(stem)))
    reading = read_plans([tmp_path])
    assert [str(problem) for problem in reading.problems] == []
    assert {plan.table.layout for plan in reading.plans} == {"grid"}
    assert agreeing(reading.targets) == 504
    assert reading.targets["core"].sum() == 7 * 6, "the footnote says what the marks mean"
