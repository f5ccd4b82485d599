"""Tables for other programs: workbooks, CSV, Parquet and zipped packages; forms to fill in; what changed."""

from qyx_analysis.exchange.difference import compare, difference
from qyx_analysis.exchange.export import FORMATS, export
from qyx_analysis.exchange.form import actuals_form, form_file
from qyx_analysis.exchange.workbook import Sheet, to_csv, to_xlsx

__all__ = ["FORMATS", "Sheet", "actuals_form", "compare", "difference", "export", "form_file", "to_csv", "to_xlsx"]
