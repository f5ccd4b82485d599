"""qyx-analysis: tidy frames, measures and reports from the 七优享 public-service plans of Zhejiang's counties.

>>> import qyx_analysis as qyx
>>> qyx.indicators()["number"].nunique()
21
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Public name -> module. Loaded when first used: `import qyx_analysis` stays light.
_HOME = {
    "DataError": "problems",
    "indicators": "catalogue",
    "regions": "catalogue",
    "domains": "catalogue",
    "find_region": "names",
    "load_targets": "processed",
    "load_prose": "processed",
    "load_governance": "processed",
    "load_verdicts": "processed",
    "load_actuals": "processed",
    "load_table": "processed",
    "findings": "processed",
    "explain": "processed",
    "build": "datapackage",
    "trajectory": "measures",
    "ambition": "measures",
    "association": "measures",
    "dispersion": "measures",
    "alignment": "measures",
    "domain_dispersion": "measures",
    "verdicts": "measures",
    "monitoring": "measures",
    "rankings": "measures",
    "open_items": "measures",
    "changes": "measures",
    "known_before": "measures",
    "due_next": "measures",
    "actuals_form": "exchange",
    "to_xlsx": "exchange",
    "difference": "exchange",
    "show": "frames",
    "plot_trajectory": "figures",
    "plot_timing": "figures",
    "plot_ambition": "figures",
    "plot_standing": "figures",
    "plot_baseline_change": "figures",
    "plot_dispersion": "figures",
    "plot_convergence": "figures",
    "plot_alignment": "figures",
    "plot_progress": "figures",
    "plot_statuses": "figures",
    "plot_rankings": "figures",
    "house_style": "figures",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
