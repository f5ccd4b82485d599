"""What this wing adds to the core: the tables of actual values, their findings, briefings and ``qyx template``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qyx_analysis.catalogue import project_dir
from qyx_analysis.export.difference import Compared
from qyx_analysis.wings import Input, Kind, Wing
from qyx_analysis.wings.monitoring.command import add_commands
from qyx_analysis.wings.monitoring.desk import warm_desk
from qyx_analysis.wings.monitoring.judging import monitoring, open_items, rankings
from qyx_analysis.wings.monitoring.pages import briefing_stem, plan_briefings
from qyx_analysis.wings.monitoring.reading import actual_findings, read_actuals

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
