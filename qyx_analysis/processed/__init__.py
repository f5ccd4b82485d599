"""Documents -> tidy rows (``reading``) and their sentences (``said``); a finished build -> frames (``loading``)."""

from qyx_analysis.processed.actuals import actual_findings, help_title, parse_period, period_text, read_actuals
from qyx_analysis.processed.loading import (
    data_dir,
    explain,
    findings,
    load_actuals,
    load_governance,
    load_prose,
    load_table,
    load_tables,
    load_targets,
    load_verdicts,
)
from qyx_analysis.processed.reading import COLUMNS, Plan, Reading, add_document, read_plan, read_plans, typed
from qyx_analysis.processed.said import Said, extract, read_kept, row_departments, said_in

__all__ = [
    "COLUMNS",
    "Plan",
    "Reading",
    "Said",
    "actual_findings",
    "add_document",
    "data_dir",
    "explain",
    "extract",
    "findings",
    "help_title",
    "load_actuals",
    "load_governance",
    "load_prose",
    "load_table",
    "load_tables",
    "load_targets",
    "load_verdicts",
    "parse_period",
    "period_text",
    "read_actuals",
    "read_kept",
    "read_plan",
    "read_plans",
    "row_departments",
    "said_in",
    "typed",
]
