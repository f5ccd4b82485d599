"""How far targets go beyond baselines: sentences and tables of ambition and association."""

from __future__ import annotations

import pandas as pd

from qyx_analysis.catalogue import message, statuses_for
from qyx_analysis.catalogue.wording import (
    brief_status,
    interval_text,
    listed,
    number_text,
    percent_text,
    printed_text,
    status_text,
)
from qyx_analysis.measures.position import position
from qyx_analysis.names import indicator_name, indicators_shown, region_name
from qyx_analysis.texts.shared import FEW, MOST, county_codes, list_indicators, tell_too_few

_RARE = 0.1  # two-sided share of the reshufflings; of four counties the smallest is .083


def rank_gaps(ambition: pd.DataFrame, region: str) -> pd.DataFrame:
    """The county's gap closures that may be named, the largest first."""
    own = ambition[(ambition["region"] == region) & (ambition["measure"] == "gap_closure")]
    return own[own["status"].isin(statuses_for("change"))].sort_values("value", ascending=False, kind="stable")


def tell_ambition(ambition: pd.DataFrame, region: str, lang: str) -> list[str]:
    """The most and the least ambitious targets, what stays as it is and what is weaker than the baseline."""
    own, gaps = ambition[ambition["region"] == region], rank_gaps(ambition, region)
    sentences = []
    if len(gaps):
        most = [f"{indicator_name(r.indicator, lang)} {percent_text(r.value)}" for r in gaps.head(MOST).itertuples()]
        sentences.append(message("say_gap_most", lang, n=len(gaps), list=listed(most, lang)))
    if len(gaps) > MOST:
        least = gaps.iloc[MOST:].tail(MOST).iloc[::-1]
        texts = [f"{indicator_name(r.indicator, lang)} {percent_text(r.value)}" for r in least.itertuples()]
        sentences.append(message("say_gap_least", lang, list=listed(texts, lang)))
    change = own[own["measure"] == "change"]
    for key, statuses in (
        ("say_weaker", ["weaker"]),
        ("say_hold", ["hold", "hold_at_ceiling"]),
        ("say_unresolved", ["unresolved"]),
    ):
        rows = change[change["status"].isin(statuses)]
        if len(rows):
            sentences.append(message(key, lang, n=len(rows), list=list_indicators(rows, lang)))
    return sentences


def table_ambition(targets: pd.DataFrame, ambition: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """Baseline, final target, planned change, closed gap and its position among the counties, per indicator."""
    own = targets[targets["region"] == region]
    first = own[own["role"] == "baseline"].set_index("indicator")["raw"]
    last = own[own["year"] == own["year"].max()].set_index("indicator")["raw"]
    counties = _counties(targets, region)
    gap = ambition[(ambition["measure"] == "gap_closure") & ambition["region"].isin(counties)]
    change = ambition[(ambition["measure"] == "change") & (ambition["region"] == region)].set_index("indicator")
    placed = position(gap, region).set_index("indicator")
    rows = []
    for row in gap[gap["region"] == region].itertuples():
        place = placed.loc[row.indicator] if row.indicator in placed.index else None
        moved = change.loc[row.indicator]
        status = moved["status"] if row.status == "no_limit" else row.status
        rows.append(
            [
                indicator_name(row.indicator, lang),
                printed_text(first.get(row.indicator, ""), lang),
                printed_text(last.get(row.indicator, ""), lang),
                "—" if pd.isna(moved["value"]) else number_text(moved["value"], 3),
                interval_text(row, percent_text) or "—",
                _place_text(place, lang),
                (brief_status if status == "direction_unknown" else status_text)(status, lang),  # the page has said it
            ]
        )
    keys = (
        "tab_indicator",
        "tab_baseline",
        "tab_final",
        "tab_change",
        "tab_gap",
        "tab_position",
        "tab_status",
    )
    return pd.DataFrame(rows, columns=[message(key, lang) for key in keys])


def _counties(targets: pd.DataFrame, region: str) -> set[str]:
    return {*targets.loc[targets["level"] == "county", "region"], region}


def _place_text(place: pd.Series | None, lang: str) -> str:
    if place is None:
        return "—"
    return message("tab_place_text", lang, **{key: int(place[key]) for key in ("above", "below", "unclear")})


def compare_ambition(ambition: pd.DataFrame, targets: pd.DataFrame, lang: str) -> list[str]:
    """Where one county's planned closing of the gap is above all others' beyond rounding, and where all agree."""
    codes = county_codes(targets)
    gaps = ambition[(ambition["measure"] == "gap_closure") & ambition["region"].isin(codes)].dropna(subset="value")
    leaders = []
    for code, rows in gaps.groupby("indicator", sort=False):
        top = rows.loc[rows["value"].idxmax()]
        if len(rows) > 1 and (rows.drop(top.name)["hi"] < top["lo"]).all():
            leaders.append(
                f"{indicator_name(str(code), lang)} {region_name(top['region'], lang)} {percent_text(top['value'])}"
            )
    sentences = [message("say_gap_all", lang, n=len(gaps), indicators=gaps["indicator"].nunique())]
    if len(codes) > FEW:
        sentences += _medians(gaps, lang)
    if leaders:
        sentences.append(message("say_leaders", lang, n=len(leaders), list=listed(leaders, lang)))
    weaker = ambition[
        (ambition["measure"] == "change") & (ambition["status"] == "weaker") & ambition["region"].isin(codes)
    ]
    if len(weaker):
        if len(codes) > FEW:
            found = weaker["indicator"].value_counts()
            names = [f"{indicator_name(str(code), lang)} {n}" for code, n in found.items()]
        else:
            names = [
                f"{region_name(row.region, lang)} {indicator_name(row.indicator, lang)}" for row in weaker.itertuples()
            ]
        sentences.append(message("say_weaker_all", lang, n=len(weaker), list=listed(names, lang)))
    return sentences


def _medians(gaps: pd.DataFrame, lang: str) -> list[str]:
    """The indicators on which the middle county closes most, and least, of its gap."""
    middle = gaps.groupby("indicator", sort=False)["value"].median().sort_values(ascending=False, kind="stable")
    texts = [f"{indicator_name(str(code), lang)} {percent_text(value)}" for code, value in middle.items()]
    if len(texts) <= MOST:
        return [message("say_median_most", lang, list=listed(texts, lang))]
    most, least = texts[:MOST], texts[MOST:][-MOST:][::-1]
    return [
        message("say_median_most", lang, list=listed(most, lang)),
        message("say_median_least", lang, list=listed(least, lang)),
    ]


def tell_mandated(ambition: pd.DataFrame, targets: pd.DataFrame, lang: str) -> list[str]:
    """Which final targets look set from above, by two signs, and how many are left to the counties."""
    counties = targets[targets["level"] == "county"]
    printing = indicators_shown(counties)["printing"]
    counties = counties[counties["indicator"].isin(printing.index[printing > 1])]
    last = counties[(counties["year"] == counties["year"].max()) & counties["value"].notna()]
    core = counties.loc[counties["core"], "indicator"].unique()
    flags = ambition["flags"].str.split(";").map({"mandated", "identical_targets"}.isdisjoint)
    same = ambition[(ambition["measure"] == "change") & ~flags.astype(bool)].drop_duplicates("indicator")
    same = same[same["indicator"].isin(counties["indicator"])]
    both = same["indicator"].isin(core)
    left = last[~last["indicator"].isin([*core, *same["indicator"]])].drop_duplicates("indicator")
    marked = last[last["indicator"].isin(core) & ~last["indicator"].isin(same["indicator"])].drop_duplicates(
        "indicator"
    )
    groups = {"mandated": same[both], "same_targets": same[~both], "core": marked, "chosen": left}
    return [
        message(f"say_{name}", lang, n=len(rows), list=list_indicators(rows, lang))
        for name, rows in groups.items()
        if len(rows)
    ]


def compare_association(association: pd.DataFrame, lang: str) -> list[str]:
    """Whether low starters plan more than reshuffling the targets would give, and on which indicators none can tell."""
    single = association[(association["measure"] == "naive_r") & (association["indicator"] != "")]
    pooled = association[(association["indicator"] == "") & (association["domain"] == "")].set_index("measure")
    found = pooled["value"]
    if found.isna().all():
        return [message("say_no_association", lang)]
    finding = "say_order_kept" if found["naive_r"] > found["null_mean_r"] else "say_low_plan_more"
    values = {"r": "naive_r", "null": "null_mean_r", "p": "p_two_sided", "least": "p_attainable"}
    texts = {name: number_text(found[measure], 3 if "p_" in measure else 2) for name, measure in values.items()}
    texts["finding"] = message(finding if found["p_two_sided"] <= _RARE else "say_low_plan_alike", lang)
    counts = {"n": (single["status"] == "ok").sum(), "counties": pooled.at["naive_r", "n"]}
    sentences = [message("say_association", lang, **counts, **texts)]
    forced = single[single["status"] == "forced"]
    if len(forced):
        sentences.append(message("say_forced", lang, n=len(forced), list=list_indicators(forced, lang)))
    return sentences + tell_too_few(single, lang)
