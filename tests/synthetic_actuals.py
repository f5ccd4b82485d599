"""Actual values for demonstrations and tests: made by chance from the plan, and named synthetic in every row."""

from __future__ import annotations

from io import BytesIO
from random import Random

from openpyxl import load_workbook

from qyx_analysis import catalogue, names
from qyx_analysis.cells import parse_cell
from qyx_analysis.wings.monitoring.forms import parse_period

SOURCE = "synthetic (seed {seed}) 合成演示数据"
_MISSING, _AHEAD = 0.08, 0.6  # shares of the rows that are left blank, and that are ahead of the target


def fill(form: bytes, seed: int) -> bytes:
    """Fill a form in as a department would: type numbers and words beside the printed targets, skip some rows.

    The values lie around the printed target of the year, most of them a little ahead of it. Nothing is known from
    them: every row that gets one says in its source that it is synthetic.
    """
    chance = Random(seed)
    states = set(catalogue.indicators().query("nature == 'state'")["code"])
    book = load_workbook(BytesIO(form))
    sheet = book.worksheets[0]
    headings = {str(cell.value).partition("\n")[0]: cell.column for cell in sheet[1]}
    column = {row.role: headings[row.zh] for row in catalogue.form().itertuples() if row.zh in headings}
    for line in range(2, sheet.max_row + 1):
        target = parse_cell(str(sheet.cell(line, column["target"]).value or ""))
        period = parse_period(str(sheet.cell(line, column["period"]).value))
        if period is None or chance.random() < _MISSING:
            continue
        ahead = 1 if chance.random() < _AHEAD else -1
        code = names.find_indicator(names.split_unit(str(sheet.cell(line, column["indicator"]).value))[0])
        if code in states:
            passing = target.state or target.number
            value: object = "通过" if passing and ahead > 0 else "未通过"
        elif target.kind == "full_coverage":
            value = "全覆盖"
        elif target.number is not None:
            number = float(target.number) * (1 + ahead * chance.uniform(0, 0.04))
            is_share = str(sheet.cell(line, column["unit"]).value) == "%"
            value = round(min(number, 100) if is_share else number, 2)
        else:
            continue
        sheet.cell(line, column["value"]).value = value
        sheet.cell(line, column["source"]).value = SOURCE.format(seed=seed)
    out = BytesIO()
    book.save(out)
    return out.getvalue()
