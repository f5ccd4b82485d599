"""What this wing adds to the core: the tables of actual values, their findings, briefings and ``qyx template``."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from qyx_analysis import names
from qyx_analysis.catalogue import project_dir
from qyx_analysis.datapackage.loading import data_dir, load_targets
from qyx_analysis.export.difference import Compared
from qyx_analysis.files import write_whole
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.reports.folder import region_stem, report_file
from qyx_analysis.reports.plan import counties_in, county_code, in_each_language, refused
from qyx_analysis.wings import Input, Kind, Wing
from qyx_analysis.wings.monitoring.desk import briefing_title, load_governance, warm_desk
from qyx_analysis.wings.monitoring.forms import actual_findings, actuals_form, form_file, load_actuals, read_actuals
from qyx_analysis.wings.monitoring.judging import monitoring, open_items, rankings

if TYPE_CHECKING:
    from qyx_analysis.datapackage.building import Draft


def _derive_tables(draft: Draft) -> None:
    targets, given = draft.tables["targets"], draft.inputs.get("actuals", [])
    forms = read_actuals(given, targets)
    judged = monitoring(targets, forms.actuals, governance=draft.tables.get("governance"))
    draft.tables |= {"actuals": forms.actuals, "monitoring": judged}
    draft.tables |= {"rankings": rankings(judged), "open_items": open_items(judged)}
    draft.findings += actual_findings(forms.actuals, targets)
    draft.problems += forms.problems
    if forms.sources:
        draft.resources["actuals"] = {"sources": forms.sources}
    if given:
        draft.counts.append(f"{int(forms.actuals['current'].sum())} 个实际值 / actual values")


def briefing_stem(code: str) -> str:
    """What the file name of a county's briefing begins with; without a code that of all counties."""
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


def add_commands(add_command: Any) -> None:
    """Add this wing's commands to ``qyx``."""
    command = add_command(
        "template", _template, "生成实际值填报表，每县一份 / write the forms of actual values, one per county",
        "qyx template actuals 330213 --period 2025 --out forms", data=True,
    )  # fmt: skip
    command.add_argument("what", choices=("actuals",), help="实际值 / actual values")
    command.add_argument("region", nargs="*", metavar="REGION", help="地区代码或名称 / codes or names (default: all)")
    command.add_argument(
        "--period", action="append", metavar="PERIOD",
        help="2024、2024Q2 或 2024-06，可重复；默认为已结束的目标年 / repeatable (default: target years that are over)",
    )  # fmt: skip
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="输出文件夹 / folder to write")


def _template(arguments: argparse.Namespace) -> int:
    folder = data_dir(arguments.data)
    targets, governance = load_targets(folder, arguments.region or None), load_governance(folder)
    years = sorted(targets.loc[targets["role"] == "target", "year"].unique())
    periods = arguments.period or [year for year in years if year < date.today().year] or years[:1]
    for region in targets["region"].unique():
        target = arguments.out / form_file(region)
        write_whole(target, actuals_form(targets, region, periods, governance))
        print(target)
    return 0


WING = Wing(
    derived=("monitoring", "rankings", "open_items"),
    rules=(
        *("actual_synthetic", "actual_unsourced", "actual_without_target", "actual_outside"),
        *("actual_leap", "actual_fall", "actual_disagrees", "actual_revised"),
    ),
    derive_tables=_derive_tables,
    compared={
        "actuals": Compared(
            ["region", "indicator", "period", "revision"], "period", "indicator", "raw",
            ["kind", "operator", "value", "unit", "state", "current"],
            ["published_unit", "source", "note"],
            ["document", "locator"],
        )
    },
    inputs={
        "actuals": Input(
            lambda: project_dir() / "data" / "actuals",
            "实际值文件或文件夹 / forms of actual values (default: data/actuals, with the plans of data/raw)",
        )
    },
    own_tables=frozenset({"actuals"}),
    shared_columns={"actuals": ["indicator", "due"]},
    warm_desk=warm_desk,
    kinds={"briefing": Kind(plan_briefings, "briefing.ipynb", "briefing-", briefing_stem)},
    add_commands=add_commands,
)  # fmt: skip
