"""Documents -> tidy rows (``reading``), and the tables of a finished build -> frames (``loading``)."""

from qyx_analysis.processed.loading import data_dir, explain, findings, load_prose, load_targets
from qyx_analysis.processed.reading import COLUMNS, LOCAL, Plan, Reading, add_document, read_plan, read_plans, typed

__all__ = [
    "COLUMNS",
    "LOCAL",
    "Plan",
    "Reading",
    "add_document",
    "data_dir",
    "explain",
    "findings",
    "load_prose",
    "load_targets",
    "read_plan",
    "read_plans",
    "typed",
]
