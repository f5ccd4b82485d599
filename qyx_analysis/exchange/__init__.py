"""Tables for other programs: workbooks, CSV, Parquet and zipped packages; forms to fill in; what changed."""

from qyx_analysis.exchange.difference import compare, difference
from qyx_analysis.exchange.export import FORMATS, export
from qyx_analysis.exchange.form import actuals_form, form_file
from qyx_analysis.exchange.workbook import STATE, Sheet, sheet_name, to_csv, to_xlsx

__all__ = [
    "FORMATS",
    "STATE",
    "Sheet",
    "actuals_form",
    "compare",
    "difference",
    "export",
    "form_file",
    "sheet_name",
    "to_csv",
    "to_xlsx",
]
