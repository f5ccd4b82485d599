"""Pictures of the planned targets and of what was achieved, one function each: results in, matplotlib Figure out.

A figure's alternative text, written from the same data, is its label: ``figure.get_label()``. Figures belong to no
pyplot state: show one by letting it be the last value of a cell, save one with ``figure.savefig``.
"""

from qyx_analysis.figures.ambition import plot_ambition
from qyx_analysis.figures.change import plot_baseline_change
from qyx_analysis.figures.convergence import plot_convergence
from qyx_analysis.figures.dispersion import plot_dispersion
from qyx_analysis.figures.standing import plot_standing
from qyx_analysis.figures.style import house_style
from qyx_analysis.figures.timing import plot_timing
from qyx_analysis.figures.trajectory import plot_trajectory

__all__ = [
    "plot_ambition",
    "plot_baseline_change",
    "plot_convergence",
    "plot_dispersion",
    "plot_standing",
    "plot_timing",
    "plot_trajectory",
    "house_style",
]
