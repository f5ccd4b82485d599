"""Documents -> tidy rows (``reading``) and their sentences (``said``); a finished build -> frames (``loading``)."""

from qyx_analysis.processed.loading import (
    data_dir,
    explain,
    findings,
    load_governance,
    load_prose,
    load_table,
    load_targets,
    load_verdicts,
)
from qyx_analysis.processed.reading import COLUMNS, LOCAL, Plan, Reading, add_document, read_plan, read_plans, typed
from qyx_analysis.processed.said import Said, extract, read_kept, row_departments, said_in

__all__ = [
    "COLUMNS",
    "LOCAL",
    "Plan",
    "Reading",
    "Said",
    "add_document",
    "data_dir",
    "explain",
    "extract",
    "findings",
    "load_governance",
    "load_prose",
    "load_table",
    "load_targets",
    "load_verdicts",
    "read_kept",
    "read_plan",
    "read_plans",
    "row_departments",
    "said_in",
    "typed",
]
