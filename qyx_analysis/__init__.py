"""qyx-analysis: tidy frames, measures and reports from the 七优享 public-service plans of Zhejiang's counties.

>>> import qyx_analysis as qyx
>>> qyx.indicators()["number"].nunique()
21
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from qyx_analysis.wings import WINGS

__version__ = "0.1.0"

# Public name -> module. Loaded when first used: `import qyx_analysis` stays light.
_HOME = {
    "DataError": "problems",
    "indicators": "catalogue",
    "regions": "catalogue",
    "domains": "catalogue",
    "find_region": "names",
    "load_targets": "datapackage.loading",
    "load_verdicts": "datapackage.loading",
    "load_table": "datapackage.loading",
    "findings": "datapackage.loading",
    "explain": "datapackage.loading",
    "build": "datapackage.building",
    "trajectory": "measures",
    "ambition": "measures",
    "association": "measures",
    "dispersion": "measures",
    "domain_dispersion": "measures",
    "verdicts": "measures",
    "to_xlsx": "export.workbook",
    "difference": "export.difference",
    "show": "notebook",
    "plot_trajectory": "figures",
    "plot_timing": "figures",
    "plot_ambition": "figures",
    "plot_standing": "figures",
    "plot_baseline_change": "figures",
    "plot_dispersion": "figures",
    "plot_convergence": "figures",
    "house_style": "figures",
}
_HOME |= {name: f"wings.{wing}.{module}" for wing, names in WINGS.items() for name, module in names.items()}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
