"""Frames -> sentences, in Chinese or English, as careful as the statuses they are made from.

Every sentence says "planned", none has a number that is not in the frames, and what rounding or a bound leaves
open is said to be open. A reading is a list of Markdown sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.catalogue import message
from qyx_analysis.contradictions import differing
from qyx_analysis.measures.alignment import latest
from qyx_analysis.measures.panel import panel, same_final
from qyx_analysis.names import (
    domain_name,
    indicator_name,
    indicators_of,
    indicators_shown,
    region_level,
    region_name,
    region_parent,
)
from qyx_analysis.tables import (
    FEW,
    FIRM,
    beyond_table,
    number_text,
    of_counties,
    percent_text,
    standing,
)

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~$^:-])")
SHAPED = ("ok", "reversing")  # statuses of a path whose timing may be read
_CLOSED = ("ok", "reversing", "weaker")  # statuses of a closed gap that may be named
_VERDICTS = ("converging", "diverging", "scale_dependent", "unresolved", "open_bound")
_MOST = 3
_RARE = 0.1  # two-sided share of the reshufflings; of four counties the smallest is .083
_VISIBLE = 0.005  # a difference between two ratios that are printed with two decimals
_LISTED = 12  # names that a sentence can carry


def literal(text: str) -> str:
    """Make a text from a document plain text in Markdown and HTML.

    >>> literal("<b>a*b</b>")
    '&lt;b&gt;a\\\\*b&lt;/b&gt;'
    """
    safe = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(r"\\\1", safe)


def listed(names: Iterable[str], lang: str) -> str:
    """Names as a list inside a sentence; a long one is cut and counted.

    >>> listed(["a", "b"], "en")
    'a, b'
    """
    texts = [literal(name) for name in names]
    joint = message("list_joint", lang)
    if len(texts) <= _LISTED:
        return joint.join(texts)
    return message("say_and_more", lang, names=joint.join(texts[:_LISTED]), n=len(texts) - _LISTED)


def _indicators(rows: pd.DataFrame, lang: str) -> str:
    return listed((indicator_name(code, lang) for code in rows["indicator"]), lang)


# --- one county -------------------------------------------------------------------------------------------


def overview(targets: pd.DataFrame, region: str, lang: str) -> list[str]:
    """What the plan prints, and how much of it can be measured."""
    own = targets[targets["region"] == region]
    numbers = own.dropna(subset="value")
    ends = numbers[numbers["year"].isin([own["year"].min(), own["year"].max()])]
    both = ends.groupby("indicator")["year"].nunique().eq(2).sum()
    sentence = message(
        "say_overview", lang, region=literal(region_name(region, lang)), rows=own["indicator"].nunique(), both=both,
        first=own["year"].min(), last=own["year"].max(),
    )  # fmt: skip
    unknown = int(indicators_shown(own)["direction"].isna().sum())
    return [sentence + (message("say_direction_unknown", lang, n=unknown) if unknown else "")]


def standing_of(targets: pd.DataFrame, region: str, lang: str) -> list[str]:
    """In which domains the final planned values are better or worse than most counties'."""
    placed = standing(targets, region)
    year = targets["year"].max()
    if placed.empty:
        return [message("say_alone", lang)]
    domains = indicators_shown(targets, region)["domain"]
    sentences = [message("say_standing", lang, n=len(placed), year=year)]
    for key, side in (("say_better", "above"), ("say_worse", "below")):
        chosen = placed[placed[side] * 2 > placed["n"] - 1]
        if len(chosen):
            by_domain = chosen.groupby(chosen["indicator"].map(domains), sort=False)
            parts = [
                f"{literal(domain_name(str(domain), lang))}{message('say_colon', lang)}{_indicators(rows, lang)}"
                for domain, rows in by_domain
            ]
            sentences.append(
                message(key, lang, n=len(chosen), year=year, list=message("say_semicolon", lang).join(parts))
            )
    return sentences


def kinds_of(targets: pd.DataFrame, region: str, lang: str) -> list[str]:
    """Which of the paths are bounds, words or gaps."""
    own = targets[(targets["region"] == region) & (targets["role"] == "target")]
    sentences = []
    for key, kinds in (
        ("say_bounds", ["lower_bound", "upper_bound"]),
        ("say_ranges", ["range"]),
        ("say_words", ["full_coverage", "status", "words", "several"]),
        ("say_references", ["reference"]),
    ):
        rows = own[own["kind"].isin(kinds)].drop_duplicates("indicator")
        if len(rows):
            sentences.append(message(key, lang, n=len(rows), list=_indicators(rows, lang)))
    blank = own.groupby("indicator", sort=False)["kind"].agg(lambda kind: set(kind) == {"missing"})
    if blank.any():
        rows = blank[blank].reset_index()
        sentences.append(message("say_blank", lang, n=len(rows), list=_indicators(rows, lang)))
    return sentences


def ranked_gaps(ambition: pd.DataFrame, region: str) -> pd.DataFrame:
    """The county's gap closures that may be named, the largest first."""
    own = ambition[(ambition["region"] == region) & (ambition["measure"] == "gap_closure")]
    return own[own["status"].isin(_CLOSED)].sort_values("value", ascending=False, kind="stable")


def ambition_of(ambition: pd.DataFrame, region: str, lang: str) -> list[str]:
    """The most and the least ambitious targets, what stays as it is and what is weaker than the baseline."""
    own, gaps = ambition[ambition["region"] == region], ranked_gaps(ambition, region)
    sentences = []
    if len(gaps):
        most = [f"{indicator_name(r.indicator, lang)} {percent_text(r.value)}" for r in gaps.head(_MOST).itertuples()]
        sentences.append(message("say_gap_most", lang, n=len(gaps), list=listed(most, lang)))
    if len(gaps) > _MOST:
        least = gaps.iloc[_MOST:].tail(_MOST).iloc[::-1]
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
            sentences.append(message(key, lang, n=len(rows), list=_indicators(rows, lang)))
    return sentences


def timing_counts(trajectory: pd.DataFrame, region: str) -> dict[str, int]:
    """How many of the county's ``n`` paths are planned ``early`` or ``late``, and how many are left ``open``."""
    own = trajectory[(trajectory["region"] == region) & (trajectory["measure"] == "front_loading")]
    shaped = own.loc[own["status"].isin(SHAPED), "value"]
    open_ = int(own["status"].isin(["unresolved", "open_bound"]).sum())
    return {
        "early": int((shaped > 0).sum()), "late": int((shaped < 0).sum()), "open": open_, "n": len(shaped) + open_
    }  # fmt: skip


def timing_of(trajectory: pd.DataFrame, region: str, lang: str) -> list[str]:
    """Which planned changes come early, which late, and for how many the printed digits do not tell."""
    own = trajectory[(trajectory["region"] == region) & (trajectory["measure"] == "front_loading")]
    shaped = own[own["status"].isin(SHAPED)]
    early, late = shaped[shaped["value"] > 0], shaped[shaped["value"] < 0]
    sentences = [message("say_timing", lang, **timing_counts(trajectory, region))]
    if len(early):
        sentences.append(message("say_early", lang, list=_indicators(early, lang)))
    if len(late):
        sentences.append(message("say_late", lang, list=_indicators(late, lang)))
    return sentences


# --- the prose, and the city above ------------------------------------------------------------------------


def prose_of(prose: pd.DataFrame, region: str, lang: str) -> list[str]:
    """How much the plan's sentences promise beyond its table, and how firmly."""
    own = prose[prose["region"] == region]
    beyond = beyond_table(prose, region, lang)
    linked = len(own) - len(beyond)
    if own.empty:
        return [message("say_no_prose", lang)]
    if beyond.empty:
        return [message("say_prose_none", lang, linked=linked)]
    counts = beyond["heading"].value_counts(sort=False)
    parts = [message("tab_domain_count", lang, domain=domain, n=n) for domain, n in counts.items()]
    kinds = {
        "bounds": beyond["kind"].isin(["lower_bound", "upper_bound"]).sum(),
        "hedged": beyond["hedge"].ne("").sum(),
        "undated": beyond["year"].isna().sum(),
    }
    return [
        message("say_prose", lang, n=len(beyond), list=message("say_semicolon", lang).join(parts)),
        message("say_prose_kinds", lang, linked=linked, **kinds),
    ]


def contradictions_of(prose: pd.DataFrame, targets: pd.DataFrame, region: str, lang: str) -> list[str]:
    """How many of the sentences that repeat the table differ from it."""
    own = prose[prose["region"] == region]
    if own.empty:
        return [message("say_no_prose", lang)]
    linked = own["linked_indicator"].notna().sum()
    n = len(list(differing(own, targets)))
    return [message("say_differ", lang, linked=linked, n=n) if n else message("say_differ_none", lang, linked=linked)]


def alignment_of(alignment: pd.DataFrame, region: str, lang: str) -> list[str]:
    """How the county's planned targets stand to those of its own city."""
    rows = latest(alignment[alignment["region"] == region])
    city = literal(region_name(region_parent(region), lang))
    if rows.empty:
        return [message("say_no_city", lang, city=city)]
    known = rows["state"] != "not_comparable"
    years = listed((str(year) for year in sorted(rows["year"].dropna().unique())), lang)
    counts = {"n": rows.loc[rows["indicator"] != "", "indicator"].nunique(), "known": known.sum()}
    return [message("say_align", lang, city=city, years=years, **counts), *_states(rows, lang, False)]


def alignment_across(alignment: pd.DataFrame, lang: str) -> list[str]:
    """How the counties' planned targets stand to those of their cities."""
    rows = latest(alignment)
    if rows.empty:
        return [message("say_no_city_plan", lang)]
    inside = rows[rows["indicator"] != ""]
    known = (inside["state"] != "not_comparable").sum()
    cities = listed((region_name(code, lang) for code in rows["city"].unique()), lang)
    counts = {"n": len(inside), "counties": rows["region"].nunique(), "known": known, "none": len(inside) - known}
    return [message("say_align_all", lang, cities=cities, **counts), *_states(rows, lang, True)]


def _states(all_rows: pd.DataFrame, lang: str, with_county: bool) -> list[str]:
    """One sentence for every state that occurs; what is not comparable is named once, not for every county."""
    sentences = []
    rows = all_rows[all_rows["indicator"] != ""]
    for state in ("above", "meets", "below", "overtaken", "open", "not_comparable"):
        chosen = rows[rows["state"] == state]
        names = [
            f"{region_name(row.region, lang)} " * (with_county and state != "not_comparable")
            + indicator_name(row.indicator, lang)
            for row in chosen.itertuples()
        ]
        if names:
            sentences.append(message(f"say_align_{state}", lang, list=listed(dict.fromkeys(names), lang)))
    if beside := len(all_rows) - len(rows):
        sentences.append(message("say_align_words", lang, n=beside))
    return sentences


def city_domains(prose: pd.DataFrame, lang: str) -> list[str]:
    """Which domains of a city's prose have other names than the counties', and which have no counterpart there."""
    known, aliases = set(catalogue.domains()["domain"]), catalogue.domain_aliases().set_index("alias")["domain"]
    sentences = []
    for city, rows in prose[prose["region"].map(region_level) == "city"].groupby("region"):
        counts = rows["domain"].value_counts(sort=False)
        same = [name for name in counts.index if name in known]
        called = [name for name in counts.index if aliases.get(name)]
        alone = [name for name in counts.index if name not in known and not aliases.get(name)]
        name = literal(region_name(str(city), lang))
        sentences.append(message("say_domains_same", lang, city=name, n=len(counts), same=len(same)))
        say = {
            "say_domains_called": [
                message("say_domain_is", lang, name=domain_name(a, lang), domain=domain_name(aliases[a], lang))
                for a in called
            ],
            "say_domains_alone": [
                message("say_domain_targets", lang, name=domain_name(a, lang), n=counts[a]) for a in alone
            ],
        }
        sentences += [message(key, lang, list=listed(texts, lang)) for key, texts in say.items() if texts]
    return sentences


# --- across counties --------------------------------------------------------------------------------------


def compared(targets: pd.DataFrame, lang: str) -> list[str]:
    """Who is compared: a census of the counties present, not a sample. Many counties are counted, few are named."""
    regions = targets.drop_duplicates("region")
    counties = regions.loc[regions["level"] == "county", "region"]
    benchmarks = regions.loc[regions["level"] != "county", "region"]
    if len(counties) > FEW:
        sentences = [message("say_compared_many", lang, n=len(counties), cities=counties.str[:4].nunique())]
    else:
        names = listed((region_name(code, lang) for code in counties), lang)
        sentences = [
            message("say_compared" if len(counties) > 1 else "say_compared_one", lang, n=len(counties), list=names)
        ]
    if len(benchmarks):
        names = listed((region_name(code, lang) for code in benchmarks), lang)
        sentences.append(message("say_benchmarks", lang, list=names))
    return sentences + _printed_by(targets, len(counties), lang)


def _printed_by(targets: pd.DataFrame, counties: int, lang: str) -> list[str]:
    """How many counties print the indicators, where not every county prints every one; those of one alone by name."""
    printing = indicators_shown(targets)["printing"]
    if counties < 2 or (printing == counties).all():
        return []
    single = printing.index[printing == 1]
    counts = {"n": len(printing), "every": int((printing == counties).sum())}
    counts["some"] = int((printing > 1).sum()) - counts["every"]
    names = listed((indicator_name(code, lang) for code in single), lang)
    named = [message("say_single", lang, n=len(single), list=names)] if len(single) else []
    return [message("say_printed_by", lang, **counts), *named]


def timing_across(verdicts: pd.DataFrame, targets: pd.DataFrame, lang: str) -> list[str]:
    """On which indicators every county that can be read (of many: two thirds) plans the change early, or late.

    ``verdicts``: the frame of :func:`qyx_analysis.verdicts`.
    """
    rows = verdicts[(verdicts["kind"] == "timing") & verdicts["region"].isin(_county_codes(targets))]
    shaped = rows[rows["status"].isin(SHAPED)]
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


def ambition_across(ambition: pd.DataFrame, targets: pd.DataFrame, lang: str) -> list[str]:
    """Where one county's planned closing of the gap is above all others' beyond rounding, and where all agree."""
    codes = _county_codes(targets)
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
    if len(texts) <= _MOST:
        return [message("say_median_most", lang, list=listed(texts, lang))]
    most, least = texts[:_MOST], texts[_MOST:][-_MOST:][::-1]
    return [
        message("say_median_most", lang, list=listed(most, lang)),
        message("say_median_least", lang, list=listed(least, lang)),
    ]


def mandated(targets: pd.DataFrame, lang: str) -> list[str]:
    """Which final targets look set from above, by two signs, and how many are left to the counties."""
    counties = targets[targets["level"] == "county"]
    printing = indicators_shown(counties)["printing"]
    counties = counties[counties["indicator"].isin(printing.index[printing > 1])]
    last = counties[(counties["year"] == counties["year"].max()) & counties["value"].notna()]
    core = counties.loc[counties["core"], "indicator"].unique()
    same = same_targets(counties)
    both = same["indicator"].isin(core)
    left = last[~last["indicator"].isin([*core, *same["indicator"]])].drop_duplicates("indicator")
    marked = last[last["indicator"].isin(core) & ~last["indicator"].isin(same["indicator"])].drop_duplicates(
        "indicator"
    )
    groups = {"mandated": same[both], "same_targets": same[~both], "core": marked, "chosen": left}
    return [
        message(f"say_{name}", lang, n=len(rows), list=_indicators(rows, lang))
        for name, rows in groups.items()
        if len(rows)
    ]


def association_across(association: pd.DataFrame, lang: str) -> list[str]:
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
        sentences.append(message("say_forced", lang, n=len(forced), list=_indicators(forced, lang)))
    return sentences + _too_few(single, lang)


def same_targets(targets: pd.DataFrame) -> pd.DataFrame:
    """Indicators whose final target has the same sign and number in every county, two counties at least."""
    of_counties = panel(targets[targets["level"] == "county"], indicators_of(targets))
    return of_counties.rows[same_final(of_counties)][["indicator"]].drop_duplicates()


def dispersion_across(dispersion: pd.DataFrame, lang: str) -> list[str]:
    """For how many indicators the planned spread narrows, widens, or depends on the scale."""
    verdicts = dispersion[dispersion["measure"] == "convergence"]
    judged = verdicts["status"].isin(_VERDICTS)
    sentences = [message("say_convergence", lang, n=judged.sum())]
    for status in _VERDICTS:
        rows = verdicts[verdicts["status"] == status]
        if len(rows):
            sentences.append(message(f"say_{status}", lang, n=len(rows), list=_indicators(rows, lang)))
    sentences += _too_few(verdicts, lang) + _ceilings(dispersion, lang)
    refused = dispersion[dispersion["status"] == "absolute_count"].drop_duplicates("indicator")
    if len(refused):
        sentences.append(message("say_counts", lang, list=_indicators(refused, lang)))
    return sentences


def _too_few(rows: pd.DataFrame, lang: str) -> list[str]:
    """Indicators on which too few counties have a number for a comparison."""
    few = rows[rows["status"] == "too_few"].drop_duplicates("indicator")
    return [message("say_too_few", lang, n=len(few), list=_indicators(few, lang))] if len(few) else []


def _ceilings(dispersion: pd.DataFrame, lang: str) -> list[str]:
    """Where the ceiling alone would narrow the spread, and whether the plans do more than that."""
    ratios = dispersion.pivot_table(index="indicator", columns="measure", values="value", aggfunc="last", sort=False)
    ratios = ratios.reindex(columns=["sd_ratio", "sd_ratio_same_change"]).dropna()
    verdicts = dispersion[dispersion["measure"] == "convergence"].set_index("indicator")["status"]
    claimed = verdicts.reindex(ratios.index).eq("converging")
    squeezed = ratios[claimed & (ratios["sd_ratio_same_change"] < 1 - _VISIBLE)]
    more = squeezed["sd_ratio"] < squeezed["sd_ratio_same_change"] - _VISIBLE
    sentences = []
    for key, rows in (("say_beyond_ceiling", squeezed[more]), ("say_only_ceiling", squeezed[~more])):
        names = [
            f"{indicator_name(str(code), lang)} {number_text(plan)}/{number_text(alone)}"
            for code, plan, alone in rows.itertuples()
        ]
        if names:
            sentences.append(message(key, lang, n=len(names), list=listed(names, lang)))
    return sentences


def stability(verdicts: pd.DataFrame, kind: str, lang: str) -> list[str]:
    """How many verdicts of a kind hold under every specification, and who stands out under all of them.

    ``verdicts``: the frame of :func:`qyx_analysis.verdicts`; ``kind``: timing, ambition, profile or convergence.
    """
    verdicts = of_counties(verdicts)
    rows = verdicts[(verdicts["kind"] == kind) & verdicts["status"].isin(FIRM)]
    if rows.empty:
        return [message("say_no_verdicts", lang)]
    every, contested = int((rows["share"] == 1).sum()), int((rows["status"] == "contested").sum())
    most = len(rows) - every - contested
    sentences = [message("say_stability", lang, n=len(rows), every=every, most=most)]
    sentences += [message("say_contested", lang, n=contested)] if contested else []
    if kind in ("ambition", "profile"):
        sentences += _surely_ranked(verdicts[verdicts["kind"] == kind], lang)
    if kind == "convergence":
        sentences += _pivotal(rows, lang)
    return sentences


def _subject(row: Any, lang: str) -> str:
    return indicator_name(row.indicator, lang) if row.indicator else domain_name(row.domain, lang)


def _surely_ranked(rows: pd.DataFrame, lang: str) -> list[str]:
    """The counties whose whole range of ranks lies before, or behind, that of every other."""
    sentences = []
    for key, side in (("say_surely_first", "above"), ("say_surely_last", "below")):
        found = rows[(rows[side] == rows["n"] - 1) & (rows["n"] > 2)]
        names = [f"{_subject(row, lang)} {region_name(row.region, lang)}" for row in found.itertuples()]
        if names:
            sentences.append(message(key, lang, n=len(names), list=listed(names, lang)))
    return sentences


def _pivotal(rows: pd.DataFrame, lang: str) -> list[str]:
    """The counties without which a verdict on the spread would change."""
    names = []
    for row in rows[rows["pivotal"] != ""].itertuples():
        who = row.pivotal.split(";")
        text = listed((region_name(code, lang) for code in who), lang) if len(who) <= _MOST else str(len(who))
        names.append(f"{indicator_name(row.indicator, lang)}{message('say_colon', lang)}{text}")
    return (
        [message("say_pivotal", lang, n=len(names), list=message("say_semicolon", lang).join(names))] if names else []
    )


def _county_codes(targets: pd.DataFrame) -> set[str]:
    return set(targets.loc[targets["level"] == "county", "region"])
