"""When the planned change is to come: sentences and tables of the trajectory."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qyx_analysis.catalogue import message, statuses_for
from qyx_analysis.catalogue.wording import interval_text, listed, number_text, percent_text, status_text
from qyx_analysis.figures.rows import flagged
from qyx_analysis.names import indicator_name
from qyx_analysis.texts.shared import FEW, county_codes, list_indicators

_ZONES = {"early": "front_loaded", "even": "even", "late": "back_loaded"}


def count_timing(verdicts: pd.DataFrame, region: str) -> dict[str, int]:
    """How many of the county's ``n`` paths are planned ``early``, ``even``, ``late``, and how many left ``open``."""
    own = _timed(verdicts)[lambda rows: rows["region"] == region]
    said = own.loc[own["status"].isin(statuses_for("timing")), "verdict"]
    counts = {zone: int((said == word).sum()) for zone, word in _ZONES.items()}
    open_ = int(own["status"].isin(_OPEN).sum())
    return counts | {"open": open_, "n": len(said) + open_}


_OPEN = ("unresolved", "open_bound", "contested", "reversing")  # there is a path, but no verdict


def _timed(verdicts: pd.DataFrame) -> pd.DataFrame:
    return verdicts[verdicts["kind"] == "timing"]


def tell_timing(verdicts: pd.DataFrame, findings: pd.DataFrame, region: str, lang: str) -> list[str]:
    """Which planned changes come early, evenly or late, what comes in the first year, and how many cannot be told."""
    own = _timed(verdicts)[lambda rows: rows["region"] == region]
    said = own[own["status"].isin(statuses_for("timing"))]
    sentences = [message("say_timing", lang, **count_timing(verdicts, region))]
    for zone, word in _ZONES.items():
        rows = said[said["verdict"] == word]
        if len(rows):
            sentences.append(message(f"say_{zone}", lang, n=len(rows), list=list_indicators(rows, lang)))
    alone = said[flagged(said, "targets_only")]
    if len(alone):
        sentences.append(message("say_targets_only", lang, n=len(alone), list=list_indicators(alone, lang)))
    jumps = findings[(findings["rule"] == "first_year_jump") & (findings["region"] == region)]
    if len(jumps):
        sentences.append(message("say_jump", lang, n=len(jumps), list=list_indicators(jumps, lang)))
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
    """On which indicators the counties with a verdict (of many: two thirds) plan the change early, evenly or late.

    ``verdicts``: the frame of :func:`qyx_analysis.verdicts`. Beside each indicator stands how many of how many.
    """
    rows = _timed(verdicts)[lambda rows: rows["region"].isin(county_codes(targets))]
    said = rows[rows["status"].isin(statuses_for("timing"))]
    counts = {zone: int((said["verdict"] == word).sum()) for zone, word in _ZONES.items()}
    counts |= {"open": int(rows["status"].isin(_OPEN).sum()), "weaker": int((rows["status"] == "weaker").sum())}
    counts["none"] = len(rows) - sum(counts.values())
    sentences = [message("say_timing_all", lang, all=len(rows), **counts)]
    many = rows["region"].nunique() > FEW
    for zone, word in _ZONES.items():
        found = (said["verdict"] == word).groupby(said["indicator"], sort=False).agg(["sum", "size"])
        enough = found["sum"] * 3 >= found["size"] * 2 if many else found["sum"] == found["size"]
        same = found[enough & (found["size"] >= (FEW if many else 2))]
        names = [f"{indicator_name(row.Index, lang)} {row.sum}/{row.size}" for row in same.itertuples()]
        if names:
            sentences.append(message(f"say_{'most' if many else 'all'}_{zone}", lang, list=listed(names, lang)))
    return sentences
