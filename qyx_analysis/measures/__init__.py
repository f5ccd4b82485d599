"""Measures of planned paths: pure functions on arrays, and one frame function per question."""

from qyx_analysis.measures.alignment import alignment
from qyx_analysis.measures.ambition import ambition
from qyx_analysis.measures.dispersion import dispersion
from qyx_analysis.measures.trajectory import trajectory

__all__ = ["alignment", "ambition", "dispersion", "trajectory"]
