"""When the planned change is to come: sentences and tables of the trajectory."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qyx_analysis.catalogue import message, statuses_for
from qyx_analysis.catalogue.wording import interval_text, listed, number_text, percent_text, status_text
from qyx_analysis.names import indicator_name
from qyx_analysis.texts.shared import FEW, county_codes, list_indicators


def count_timing(trajectory: pd.DataFrame, region: str) -> dict[str, int]:
    """How many of the county's ``n`` paths are planned ``early`` or ``late``, and how many are left ``open``."""
    own = trajectory[(trajectory["region"] == region) & (trajectory["measure"] == "front_loading")]
    shaped = own.loc[own["status"].isin(statuses_for("timing")), "value"]
    open_ = int(own["status"].isin(["unresolved", "open_bound"]).sum())
    return {
        "early": int((shaped > 0).sum()), "late": int((shaped < 0).sum()), "open": open_, "n": len(shaped) + open_
    }  # fmt: skip


def tell_timing(trajectory: pd.DataFrame, region: str, lang: str) -> list[str]:
    """Which planned changes come early, which late, and for how many the printed digits do not tell."""
    own = trajectory[(trajectory["region"] == region) & (trajectory["measure"] == "front_loading")]
    shaped = own[own["status"].isin(statuses_for("timing"))]
    early, late = shaped[shaped["value"] > 0], shaped[shaped["value"] < 0]
    sentences = [message("say_timing", lang, **count_timing(trajectory, region))]
    if len(early):
        sentences.append(message("say_early", lang, list=list_indicators(early, lang)))
    if len(late):
        sentences.append(message("say_late", lang, list=list_indicators(late, lang)))
    return sentences


def table_timing(trajectory: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """When the county's planned change is to come: index with interval, half-way year, last-year share, status."""
    own = trajectory[trajectory["region"] == region]
    values = own.pivot_table(index="indicator", columns="measure", values="value", aggfunc="first")
    values = values.reindex(columns=["half_change_year", "last_year_share"])
    rows = []
    for row in own[own["measure"] == "front_loading"].itertuples():
        half, share = values.loc[row.indicator] if row.indicator in values.index else (np.nan, np.nan)
        rows.append(
            [
                indicator_name(row.indicator, lang),
                interval_text(row, number_text) or "—",
                "—" if pd.isna(row.value) or pd.isna(half) else number_text(half, 1),
                "—" if pd.isna(row.value) or pd.isna(share) else percent_text(share),
                status_text(row.status, lang),
            ]
        )
    keys = ("tab_indicator", "tab_front_loading", "tab_half", "tab_last_share", "tab_status")
    return pd.DataFrame(rows, columns=[message(key, lang) for key in keys])


def compare_timing(verdicts: pd.DataFrame, targets: pd.DataFrame, lang: str) -> list[str]:
    """On which indicators every county that can be read (of many: two thirds) plans the change early, or late.

    ``verdicts``: the frame of :func:`qyx_analysis.verdicts`.
    """
    rows = verdicts[(verdicts["kind"] == "timing") & verdicts["region"].isin(county_codes(targets))]
    shaped = rows[rows["status"].isin(statuses_for("timing"))]
    words = shaped["verdict"].value_counts()
    counts = {
        "early": words.get("front_loaded", 0),
        "late": words.get("back_loaded", 0),
        "contested": (rows["status"] == "contested").sum(),
        "open": rows["status"].isin(["unresolved", "open_bound"]).sum(),
        "weaker": (rows["status"] == "weaker").sum(),
        "all": len(rows),
    }
    counts["none"] = 2 * counts["all"] - sum(counts.values())
    sentences = [message("say_timing_all", lang, **counts)]
    many = rows["region"].nunique() > FEW
    for side, word in (("early", "front_loaded"), ("late", "back_loaded")):
        found = (shaped["verdict"] == word).groupby(shaped["indicator"], sort=False).agg(["sum", "size"])
        enough = found["sum"] * 3 >= found["size"] * 2 if many else found["sum"] == found["size"]
        same = found[enough & (found["size"] >= (FEW if many else 2))]
        names = [
            indicator_name(str(row.Index), lang) + (f" {row.sum}/{row.size}" if many else "")
            for row in same.itertuples()
        ]
        if names:
            sentences.append(message(f"say_{'most' if many else 'all'}_{side}", lang, list=listed(names, lang)))
    return sentences
