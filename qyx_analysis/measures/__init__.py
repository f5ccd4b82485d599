"""Measures of planned paths: pure functions on arrays, and one frame function per question."""

import pandas as pd

from qyx_analysis.measures.alignment import alignment
from qyx_analysis.measures.ambition import ambition, measure_ambition
from qyx_analysis.measures.association import association, measure_association
from qyx_analysis.measures.changes import changes, due_next, known_before, latest_status
from qyx_analysis.measures.dispersion import (
    dispersion,
    domain_dispersion,
    measure_dispersion,
    measure_domain_dispersion,
)
from qyx_analysis.measures.monitoring import monitoring, open_items, rankings
from qyx_analysis.measures.panel import panel
from qyx_analysis.measures.trajectory import measure_trajectory, trajectory
from qyx_analysis.measures.verdicts import measure_verdicts, verdicts

__all__ = [
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


def measure_all(targets: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Compute the six tables of measures of a build by their names, each once and all from one panel.

    ``targets``: the frame of ``load_targets``. Raises ValueError for two values of one region, indicator and year.
    """
    p = panel(targets)
    tables = {"trajectory": measure_trajectory(p), "ambition": measure_ambition(p)}
    tables |= {"association": measure_association(p), "dispersion": measure_dispersion(p)}
    of_headlines = (tables[name] for name in ("trajectory", "ambition", "dispersion"))
    return tables | {"domain_dispersion": measure_domain_dispersion(p), "verdicts": measure_verdicts(p, *of_headlines)}
