"""All measures of some targets from one panel, each computed once."""

from __future__ import annotations

from functools import cached_property

import pandas as pd

from qyx_analysis.measures.ambition import measure_ambition
from qyx_analysis.measures.association import measure_association
from qyx_analysis.measures.dispersion import measure_dispersion, measure_domain_dispersion
from qyx_analysis.measures.panel import panel
from qyx_analysis.measures.trajectory import measure_trajectory
from qyx_analysis.measures.verdicts import measure_verdicts

TABLES = ("trajectory", "ambition", "association", "dispersion", "domain_dispersion", "verdicts")


class Measured:
    """The tables of the measures of ``targets``; each is computed when it is asked for first, and kept."""

    def __init__(self, targets: pd.DataFrame) -> None:
        self.panel = panel(targets)

    @cached_property
    def trajectory(self) -> pd.DataFrame:
        """See :func:`qyx_analysis.trajectory`."""
        return measure_trajectory(self.panel)

    @cached_property
    def ambition(self) -> pd.DataFrame:
        """See :func:`qyx_analysis.ambition`."""
        return measure_ambition(self.panel)

    @cached_property
    def association(self) -> pd.DataFrame:
        """See :func:`qyx_analysis.association`."""
        return measure_association(self.panel)

    @cached_property
    def dispersion(self) -> pd.DataFrame:
        """See :func:`qyx_analysis.dispersion`."""
        return measure_dispersion(self.panel)

    @cached_property
    def domain_dispersion(self) -> pd.DataFrame:
        """See :func:`qyx_analysis.domain_dispersion`."""
        return measure_domain_dispersion(self.panel)

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """See :func:`qyx_analysis.verdicts`."""
        return measure_verdicts(self.panel, self.trajectory, self.ambition, self.dispersion)


def measure_all(targets: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Compute the six tables of measures of a build, by their names.

    ``targets``: the frame of ``load_targets``. Raises ValueError for two values of one region, indicator and year.

    >>> nothing = pd.DataFrame(columns="region level indicator year role kind value resolution state".split())
    >>> list(measure_all(nothing))[:2]
    ['trajectory', 'ambition']
    """
    measured = Measured(targets)
    return {name: getattr(measured, name) for name in TABLES}
