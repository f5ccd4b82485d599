"""Which briefings are made: one for each county that reported, and one for all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from qyx_analysis import names
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.reports.folder import region_stem, report_file
from qyx_analysis.reports.plan import counties_in, county_code, in_each_language, refused
from qyx_analysis.wings.monitoring.briefing import briefing_title
from qyx_analysis.wings.monitoring.loading import load_actuals


def briefing_stem(code: str) -> str:
    """What the file name of a county's briefing begins with; without a code that of all counties.

    >>> briefing_stem("330213"), briefing_stem("")
    ('briefing-330213-fenghua', 'briefing-all')
    """
    return f"briefing-{region_stem(code) if code else 'all'}"


def plan_briefings(
    chosen: list[object], targets: pd.DataFrame, notebook: Path, langs: tuple[str, ...], parameters: dict[str, Any]
) -> list[Any]:
    """A briefing for each county with actual values, and if none are chosen one for all where there are several."""
    present = counties_in(targets)
    reporting = sorted({*present} & {*load_actuals(parameters["data_dir"])["region"]})
    if not reporting:
        raise DataError(Problem("actuals_missing", "actuals.csv"))
    plan: dict[str, list[Any]] = {}
    together = [""] if len(present) > 1 and not chosen else []
    for given in [*(chosen or reporting), *together]:
        try:
            code = _reporting(county_code(given, present), reporting) if given else ""
        except DataError as error:
            plan[str(given)] = [refused(given, error)]
            continue
        name = briefing_stem(code)
        files = {lang: report_file(name, lang) for lang in langs}
        titles = {lang: briefing_title(code, lang) for lang in langs}
        plan[name] = in_each_language(name, notebook, files, titles, parameters | {"region": code})
    return [item for items in plan.values() for item in items]


def _reporting(code: str, reporting: list[str]) -> str:
    if code not in reporting:
        listed = ", ".join(map(names.region_name, reporting))
        problem = Problem("actuals_absent", "actuals.csv", text=names.region_name(code), values={"present": listed})
        raise DataError(problem)
    return code
