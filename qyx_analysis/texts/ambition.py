"""How far targets go beyond baselines: sentences and tables of ambition and association."""

from __future__ import annotations

from typing import Any

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
from qyx_analysis.figures.rows import flagged
from qyx_analysis.measures.position import position
from qyx_analysis.names import indicator_name, indicators_shown, region_name
from qyx_analysis.texts.shared import FEW, MOST, county_codes, list_indicators, pace_text, tell_too_few

_RARE = 0.1  # two-sided share of the reshufflings; of four counties the smallest is .083


def named_gaps(ambition: pd.DataFrame, region: str) -> pd.DataFrame:
    """The county's gap closures that may be named."""
    own = ambition[(ambition["region"] == region) & (ambition["measure"] == "gap_closure")]
    return own[own["status"].isin(statuses_for("change"))]


def ranked(verdicts: pd.DataFrame, region: str, verdict: str) -> pd.DataFrame:
    """The county's own targets that are more (or less) ambitious than most counties', the best (or worst) rank first.

    Each is ranked against the same indicator of the others, and only where its whole range of ranks lies on that side.
    """
    own = verdicts[(verdicts["kind"] == "ambition") & (verdicts["region"] == region)]
    own = own[own["status"].isin(statuses_for("verdict")) & (own["verdict"] == verdict)]
    place = own["rank_worst"] / own["n"] if verdict == "more_ambitious" else -own["rank_best"] / own["n"]
    return own.loc[place.astype(float).sort_values(kind="stable").index]


def rank_ends(row: Any) -> str:
    """The range of ranks of a verdict."""
    return f"{row.rank_best}–{row.rank_worst}" if row.rank_best < row.rank_worst else f"{row.rank_best}"


def no_plan_to_fall(change: pd.DataFrame) -> pd.Series:
    """Which weaker final targets are but bounds: the floor lies below where the county already is."""
    return (change["status"] == "weaker") & flagged(change, "bounded")


def _rank(row: Any, lang: str) -> str:
    return message("say_rank", lang, ends=rank_ends(row), n=row.n)  # a rank without its n says nothing


def tell_ambition(
    ambition: pd.DataFrame, trajectory: pd.DataFrame, verdicts: pd.DataFrame, region: str, lang: str
) -> list[str]:
    """Where the county's own targets stand among those of others, which are not its own, and what does not improve."""
    own = ambition[ambition["region"] == region]
    judged = verdicts[(verdicts["kind"] == "ambition") & (verdicts["region"] == region)]
    compared = judged[judged["rank_best"].notna()]
    sentences = []
    if len(compared):
        more, less = (ranked(verdicts, region, word) for word in ("more_ambitious", "less_ambitious"))
        sentences.append(message("say_ranked", lang, n=len(compared), more=len(more), less=len(less)))
        for key, rows in (("say_more", more), ("say_less", less)):
            names = [f"{indicator_name(row.indicator, lang)}{_rank(row, lang)}" for row in rows.itertuples()]
            sentences += [message(key, lang, list=listed(names, lang))] if names else []
    sentences += _tell_alone(trajectory, judged, lang) + _tell_shared(judged, lang)
    change = own[own["measure"] == "change"]
    floor = no_plan_to_fall(change)
    for key, chosen in (
        ("say_floor", floor),
        ("say_weaker", (change["status"] == "weaker") & ~floor),
        ("say_hold", change["status"].isin(["hold", "hold_at_ceiling"])),
        ("say_unresolved", change["status"] == "unresolved"),
    ):
        if chosen.any():
            sentences.append(message(key, lang, n=chosen.sum(), list=list_indicators(change[chosen], lang)))
    return sentences


_ALONE = ("too_few", "absolute_count", "no_population", "not_comparable")


def _tell_alone(trajectory: pd.DataFrame, judged: pd.DataFrame, lang: str) -> list[str]:
    """What is planned a year where nobody can be compared: no rank, the plain change in the indicator's unit."""
    alone = judged.loc[judged["status"].isin(_ALONE), ["region", "indicator"]]
    pace = trajectory[trajectory["measure"] == "required_yearly_pace"].merge(alone)
    known = pace["status"].isin(statuses_for("timing")) & ~flagged(pace, "as_printed")  # else nothing is better
    pace = pace[known & (pace["value"] > 0)]
    names = [
        f"{indicator_name(row.indicator, lang)} {pace_text(row.indicator, row.value, lang)}"
        for row in pace.itertuples()
    ]
    return [message("say_plain", lang, n=len(names), list=listed(names, lang))] if names else []


def _who(codes: str, lang: str) -> str:
    """The places that share targets by name, or how many they are."""
    places = codes.split(";")
    if len(places) > MOST:
        return message("fig_counties_short", lang, n=len(places))
    return listed((region_name(code, lang) for code in places), lang)


def _tell_shared(judged: pd.DataFrame, lang: str) -> list[str]:
    """Which targets are those of other places in every year, with whom; and which are one for all."""
    sentences = []
    shared = judged[(judged["shared_with"] != "") & ~judged["status"].isin(["state", "common"])]
    groups = sorted(shared.groupby("shared_with", sort=False), key=lambda group: -len(group[1]))
    if groups:
        named = [f"{_who(who, lang)}{message('say_colon', lang)}{list_indicators(rows, lang)}" for who, rows in groups]
        rest = sum(len(rows) for _, rows in groups[_GROUPS:])
        more = [message("say_and_more_targets", lang, n=rest)] if rest else []
        text = message("say_semicolon", lang).join(named[:_GROUPS] + more)
        sentences.append(message("say_shared", lang, n=len(shared), list=text))
    common = judged[judged["status"] == "common"]
    if len(common):
        sentences.append(message("say_common", lang, n=len(common), list=list_indicators(common, lang)))
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


def compare_ambition(ambition: pd.DataFrame, verdicts: pd.DataFrame, targets: pd.DataFrame, lang: str) -> list[str]:
    """How many targets can be ranked and where they stand, why others are not, and what does not improve."""
    codes = county_codes(targets)
    rows = verdicts[(verdicts["kind"] == "ambition") & verdicts["region"].isin(codes)]
    said = rows.loc[rows["status"].isin(statuses_for("verdict")), "verdict"]
    counts = {
        "more": (said == "more_ambitious").sum(), "less": (said == "less_ambitious").sum(),
        "middle": (said == "middle").sum(), "shared": (rows["status"] == "shared").sum(),
        "common": (rows["status"] == "common").sum(), "open": rows["status"].isin(["undecided", "contested"]).sum(),
    }  # fmt: skip
    counts["none"] = len(rows) - sum(counts.values())
    sentences = [message("say_ambition_all", lang, all=len(rows), **counts)]
    weaker = ambition[
        (ambition["measure"] == "change") & (ambition["status"] == "weaker") & ambition["region"].isin(codes)
    ]
    floor = no_plan_to_fall(weaker)
    for key, found in (("say_floor_all", weaker[floor]), ("say_weaker_all", weaker[~floor])):
        if len(found):
            names = _counted(found, len(codes) > FEW, lang)
            sentences.append(message(key, lang, n=len(found), list=listed(names, lang)))
    return sentences


def _counted(rows: pd.DataFrame, many: bool, lang: str) -> list[str]:
    """Region and indicator of the rows; of many counties each indicator with how many."""
    if many:
        return [f"{indicator_name(str(code), lang)} {n}" for code, n in rows["indicator"].value_counts().items()]
    return [f"{region_name(row.region, lang)} {indicator_name(row.indicator, lang)}" for row in rows.itertuples()]


def tell_mandated(ambition: pd.DataFrame, verdicts: pd.DataFrame, targets: pd.DataFrame, lang: str) -> list[str]:
    """Which final targets look set from above, by two signs, who shares targets, and what is left to the counties."""
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
    sentences = [
        message(f"say_{name}", lang, n=len(rows), list=list_indicators(rows, lang))
        for name, rows in groups.items()
        if len(rows)
    ]
    return sentences + _tell_sharing(verdicts[verdicts["region"].isin(counties["region"])], same["indicator"], lang)


def _tell_sharing(verdicts: pd.DataFrame, common: pd.Series, lang: str) -> list[str]:
    """Who prints the targets of whom, apart from those that are common to all."""
    rows = verdicts[
        (verdicts["kind"] == "ambition") & (verdicts["shared_with"] != "") & (verdicts["status"] != "state")
    ]
    rows = rows[~rows["indicator"].isin(common)]
    who = [";".join(sorted([row.region, *row.shared_with.split(";")])) for row in rows.itertuples()]
    groups = rows.assign(who=who).drop_duplicates(["who", "indicator"]).groupby("who", sort=False)
    names = [
        f"{'＝'.join(region_name(code, lang) for code in regions.split(';'))}{message('say_colon', lang)}"
        f"{list_indicators(own, lang)}"
        for regions, own in groups
        if len(regions.split(";")) <= MOST
    ]
    if not len(rows):
        return []
    text = message("say_semicolon", lang).join(names[:_GROUPS])
    key = "say_sharing" if names and len(names) <= _GROUPS else "say_sharing_many"
    return [message(key, lang, n=len(rows), counties=rows["region"].nunique(), list=text)]


_GROUPS = 4  # groups of places that share targets and still fit into a sentence


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
