"""Measures of planned paths: pure functions on arrays, and one frame function per question."""

from qyx_analysis.measures.ambition import ambition
from qyx_analysis.measures.association import association
from qyx_analysis.measures.dispersion import dispersion, domain_dispersion
from qyx_analysis.measures.measured import Measured, measure_all
from qyx_analysis.measures.position import final_positions
from qyx_analysis.measures.trajectory import trajectory
from qyx_analysis.measures.verdicts import verdicts

__all__ = [
    "Measured",
    "ambition",
    "association",
    "dispersion",
    "domain_dispersion",
    "final_positions",
    "measure_all",
    "trajectory",
    "verdicts",
    "Measured",
    "final_positions",
    "measure_all",
]
