"""The four published tables, rendered by the tests into the formats in which offices publish them."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import docx
import openpyxl
from openpyxl.styles import Font

from qyx_analysis.documents import read_document
from qyx_analysis.files import raw_dir
from qyx_analysis.layouts import read_table

TITLES = {
    "fenghua": "宁波市奉化区公共服务“七优享”五年目标",
    "cixi": "表 慈溪市公共服务“七优享”五年目标",
    "shengsi": "嵊泗县公共服务“七优享”五年目标",
    "zhuji": "表 诸暨市公共服务“七优享”五年目标",
}
PROSE = ["关于印发《公共服务“七优享”实施方案》的通知", "一、主要目标", "到2027年，各项指标达到省定要求。"]
CONTACTS = [["序号", "姓名", "电话"], ["1", "张三", "0574-12345678"], ["2", "李四", "—"]]
PROJECTS = [["序号", "项目名称", "2023年", "2024年"], ["1", "托育中心", "120", "300"], ["2", "养老院", "80", "90"]]


@dataclass(frozen=True)
class Printed:
    """A table as rows of texts: a merged domain stands in its first row, a merged target in its first year."""

    title: str
    header: list[str]
    rows: list[list[str]]
    notes: list[str]

    @property
    def domains(self) -> list[tuple[int, int]]:
        """First row and number of rows of every merged domain cell."""
        starts = [i for i, row in enumerate(self.rows) if row[0]]
        return [(a, b - a) for a, b in zip(starts, [*starts[1:], len(self.rows)], strict=True)]

    def years_covered(self, row: Sequence[str]) -> int:
        """How many cells the first target's cell covers."""
        years = [text for text, head in zip(row, self.header, strict=True) if head[:2] == "20"]
        return len(years) if years[0] and not any(years[1:]) else 1


def as_printed(stem: str) -> Printed:
    table = read_table(read_document(raw_dir() / f"{stem}.txt"))
    department = ["责任单位"] if table.rows[0].department else []
    rows = []
    for domain, group in groupby(table.rows, key=lambda row: row.domain):
        for i, row in enumerate(group):
            values = [cell.text for cell in row.values]
            last = [row.department.text] if row.department else []
            rows.append(["" if i else domain, row.number.text, row.indicator.text, *values, *last])
    header = ["领域", "序号", "指  标", *(f"{year}年" for year in table.years), *department]
    return Printed(TITLES[stem], header, rows, list(table.footnotes))


# --- text -------------------------------------------------------------------------------------------------


def escaped(text: str) -> str:
    return re.sub(r"([\\|*_<>`\[\]#])", r"\\\1", text.replace("&", "&amp;"))


def piped(rows: Iterable[Sequence[str]], rule: bool = True) -> str:
    lines = ["| " + " | ".join(map(escaped, row)) + " |" for row in rows]
    if rule:
        lines.insert(1, "|" + " --- |" * lines[1].replace("\\|", "").count(" |"))
    return "\n".join(lines)


def markdown(plan: Printed, rule: bool = True) -> bytes:
    table = piped([plan.header, *plan.rows], rule)
    parts = ["# " + PROSE[0], piped(CONTACTS), *PROSE[1:], f"**{plan.title}**", table, *plan.notes, piped(PROJECTS)]
    return "\n\n".join(parts).encode("utf-8")


# --- web pages --------------------------------------------------------------------------------------------


def html_table(rows: Iterable[Sequence[str]], heads: int = 1, tag: str = "th") -> str:
    body = []
    for i, row in enumerate(rows):
        cell = tag if i < heads else "td"
        body.append("<tr>" + "".join(f"<{cell}>{html.escape(text)}</{cell}>" for text in row) + "</tr>")
    return f"<table border=1>{''.join(body)}</table>"


def html_rows(plan: Printed, separator: str = "", **attributes: str) -> list[str]:
    """Rows of ``td`` with the merged cells merged."""
    spans = dict(plan.domains)
    extra = "".join(f' {name}="{value}"' for name, value in attributes.items())
    rows = []
    for i, row in enumerate(plan.rows):
        covered = plan.years_covered(row)
        cells = [f"<td rowspan='{spans[i]}'>{row[0]}</td>"] if i in spans else []
        for at, text in enumerate(row[1:], 1):
            if at < 4 or at >= 3 + covered:
                span = f' colspan="{covered}"' if at == 3 and covered > 1 else ""
                cells.append(f"<td{extra}{span}>{html.escape(text)}</td>")
        rows.append(f"<tr>{separator.join(cells)}</tr>")
    return rows


def page(plan: Printed, table: str, head: str = "") -> str:
    """A page as a government site builds it: tables for the frame, the menu, the text and the table in it."""
    paragraphs = "".join(f"<p>{text}</p>" for text in PROSE)
    notes = "".join(f"<p>{html.escape(text)}</p>" for text in plan.notes)
    return f"""<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1.dtd">
<html><head>{head}<title>政府信息公开</title><style>td {{ color: red }}</style>
<script>document.write("<table><tr><td>序号</td></tr></table>")</script></head>
<body><table width=100%><tr><td colspan=2><table><tr><td>首页</td><td>政务公开</td></tr></table></td></tr>
<tr><td><ul><li>栏目<li>领域<li>序号</ul></td><td>{paragraphs}{html_table(CONTACTS)}<center>{plan.title}</center>
{table}{notes}{html_table(PROJECTS)}</td></tr></table><div>版权所有</div></body></html>"""


def merged_page(plan: Printed, head: str = "", tag: str = "th") -> str:
    header = "".join(f"<{tag}>{text}</{tag}>" for text in plan.header)
    return page(plan, f"<table><thead><tr>{header}</tr></thead><tbody>{''.join(html_rows(plan))}</tbody></table>", head)


# --- Word -------------------------------------------------------------------------------------------------


def word_table(document: docx.document.Document, rows: Sequence[Sequence[str]]) -> docx.table.Table:
    table = document.add_table(len(rows), len(rows[0]))
    for cells, row in zip(table.rows, rows, strict=True):
        for cell, text in zip(cells.cells, row, strict=True):
            cell.text = text
    return table


def word(plan: Printed, merged: bool = True, again: int = 0) -> bytes:
    """A Word file; ``again``: after how many rows the header is printed once more."""
    document = docx.Document()
    for text in PROSE:
        document.add_paragraph(text)
    word_table(document, CONTACTS)
    document.add_paragraph(plan.title)
    rows = [plan.header, *plan.rows]
    if again:
        rows.insert(1 + again, plan.header)
    table = word_table(document, rows)
    grid = [list(row.cells) for row in table.rows]
    if merged:
        for first, count in plan.domains:
            grid[1 + first][0].merge(grid[first + count][0]).text = plan.rows[first][0]
        for i, row in enumerate(plan.rows, 1):
            covered = plan.years_covered(row)
            if covered > 1:
                grid[i][3].merge(grid[i][2 + covered]).text = row[3]
    for text in plan.notes:
        document.add_paragraph(text)
    word_table(document, PROJECTS)
    return saved(document)


# --- Excel ------------------------------------------------------------------------------------------------


def number_cell(sheet: openpyxl.worksheet.worksheet.Worksheet, row: int, column: int, text: str) -> None:
    """Write a text as an analyst would type it: as a number with a number format where it is one."""
    cell = sheet.cell(row, column)
    match = re.fullmatch(r"(\d+)(?:\.(\d+))?(%?)", text)
    if not match:
        cell.value = text or None
        cell.data_type = "s" if text else "n"
        return
    decimals = "." + "0" * len(match[2]) if match[2] else ""
    cell.value = float(text.rstrip("%")) / (100 if match[3] else 1)
    cell.number_format = "0" + decimals + match[3]


def workbook(plan: Printed, merged: bool = True) -> bytes:
    """Title rows merged above, a blank first column and row, and another sheet before it."""
    book = openpyxl.Workbook()
    other = book.active
    other.title = "联系人"
    for row in CONTACTS:
        other.append(row)
    sheet = book.create_sheet("表1")
    sheet["B2"], sheet["B3"] = "附件", plan.title
    sheet["B3"].font = Font(bold=True)
    last = 1 + len(plan.header)
    for row in (2, 3):
        sheet.merge_cells(start_row=row, end_row=row, start_column=2, end_column=last)
    for i, row in enumerate([plan.header, *plan.rows], 5):
        for j, text in enumerate(row, 2):
            number_cell(sheet, i, j, text)
    if merged:
        for first, count in plan.domains:
            sheet.merge_cells(start_row=6 + first, end_row=5 + first + count, start_column=2, end_column=2)
        for i, row in enumerate(plan.rows, 6):
            sheet.merge_cells(start_row=i, end_row=i, start_column=5, end_column=4 + plan.years_covered(row))
    for i, text in enumerate(plan.notes, 6 + len(plan.rows)):
        sheet.cell(i, 2).value = text
    return saved(book)


# --- files ------------------------------------------------------------------------------------------------


def saved(document: docx.document.Document | openpyxl.Workbook) -> bytes:
    data = io.BytesIO()
    document.save(data)
    return data.getvalue()


def repacked(data: bytes, parts: dict[str, bytes]) -> bytes:
    """A zip file with some parts replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in {**dict.fromkeys(old.namelist()), **parts}:
            new.writestr(name, parts[name] if name in parts else old.read(name))
    return out.getvalue()


def part(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def rendered_page(stem: str) -> str:
    """The page of a plan with its table plainly in it."""
    plan = as_printed(stem)
    return merged_page(plan)
