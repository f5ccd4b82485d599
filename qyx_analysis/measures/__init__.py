"""Measures of planned paths: pure functions on arrays, and one frame function per question."""

from qyx_analysis.measures.alignment import alignment
from qyx_analysis.measures.ambition import ambition
from qyx_analysis.measures.association import association
from qyx_analysis.measures.changes import changes, due_next, known_before, latest_status
from qyx_analysis.measures.dispersion import dispersion, domain_dispersion
from qyx_analysis.measures.measured import Measured, measure_all
from qyx_analysis.measures.monitoring import monitoring, open_items, rankings
from qyx_analysis.measures.trajectory import trajectory
from qyx_analysis.measures.verdicts import verdicts

__all__ = [
    "Measured",
    "alignment",
    "ambition",
    "association",
    "changes",
    "dispersion",
    "domain_dispersion",
    "due_next",
    "known_before",
    "latest_status",
    "measure_all",
    "monitoring",
    "open_items",
    "rankings",
    "trajectory",
    "verdicts",
]
