"""Notebooks -> reports: one self-contained HTML file each, and the index of the folder."""

from qyx_analysis.reports.folder import Outcome
from qyx_analysis.reports.pages import index_file
from qyx_analysis.reports.runner import explain_reports, make_reports

__all__ = ["Outcome", "explain_reports", "index_file", "make_reports"]
