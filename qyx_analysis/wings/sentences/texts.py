"""What reports say of the sentences of plans: beyond the table, against it, and against the city's plan."""

from __future__ import annotations

from typing import Any

import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.catalogue import message
from qyx_analysis.catalogue.wording import (
    domain_name,
    indicator_name,
    listed,
    literal,
    meanings,
    place_text,
    region_name,
    with_year,
)
from qyx_analysis.names.listing import indicators_shown
from qyx_analysis.names.regions import region_level, region_parent
from qyx_analysis.texts.shared import FEW
from qyx_analysis.wings.sentences.alignment import latest
from qyx_analysis.wings.sentences.targets import find_differences, place_of, printed_value

_STATES = ("above", "meets", "below", "overtaken", "open", "not_comparable")


def tell_prose(prose: pd.DataFrame, region: str, lang: str) -> list[str]:
    """Tell how much the plan's sentences promise beyond its table, and how firmly."""
    own = prose[prose["region"] == region]
    beyond = _beyond_table(prose, region, lang)
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


def tell_contradictions(prose: pd.DataFrame, targets: pd.DataFrame, region: str, lang: str) -> list[str]:
    """Tell how many of the sentences that repeat the table differ from it."""
    own = prose[prose["region"] == region]
    if own.empty:
        return [message("say_no_prose", lang)]
    linked = own["linked_indicator"].notna().sum()
    n = len(list(find_differences(own, targets)))
    return [message("say_differ", lang, linked=linked, n=n) if n else message("say_differ_none", lang, linked=linked)]


def tell_alignment(alignment: pd.DataFrame, region: str, lang: str) -> list[str]:
    """Tell how the county's planned targets stand to those of its own city."""
    rows = latest(alignment[alignment["region"] == region])
    city = literal(region_name(region_parent(region), lang))
    if rows.empty:
        return [message("say_no_city", lang, city=city)]
    known = (rows["state"] != "not_comparable").sum()
    years = listed((str(year) for year in sorted(rows["year"].dropna().unique())), lang)
    n = rows.loc[rows["indicator"] != "", "indicator"].nunique()
    return [message("say_align", lang, city=city, years=years, n=n, known=known), *_tell_states(rows, lang, False)]


def compare_alignment(alignment: pd.DataFrame, lang: str) -> list[str]:
    """Compare how the counties' planned targets stand to those of their cities."""
    rows = latest(alignment)
    if rows.empty:
        return [message("say_no_city_plan", lang)]
    inside = rows[rows["indicator"] != ""]
    known = (inside["state"] != "not_comparable").sum()
    cities = listed((region_name(code, lang) for code in rows["city"].unique()), lang)
    counts = {"n": len(inside), "counties": rows["region"].nunique(), "known": known, "none": len(inside) - known}
    return [message("say_align_all", lang, cities=cities, **counts), *_tell_states(rows, lang, True)]


def _tell_states(all_rows: pd.DataFrame, lang: str, with_county: bool) -> list[str]:
    """One sentence for every state that occurs; what is not comparable is named once, not for every county."""
    sentences = []
    rows = all_rows[all_rows["indicator"] != ""]
    for state in _STATES:
        named = with_county and state != "not_comparable"
        names = [
            f"{region_name(row.region, lang)} " * named + indicator_name(row.indicator, lang)
            for row in rows[rows["state"] == state].itertuples()
        ]
        if names:
            sentences.append(message(f"say_align_{state}", lang, list=listed(dict.fromkeys(names), lang)))
    if beside := len(all_rows) - len(rows):
        sentences.append(message("say_align_words", lang, n=beside))
    return sentences


def compare_domains(prose: pd.DataFrame, lang: str) -> list[str]:
    """Compare the domains of each city's prose with the counties': other names, and those without a counterpart."""
    known, aliases = set(catalogue.domains()["domain"]), catalogue.domain_aliases().set_index("alias")["domain"]
    sentences = []
    for city, rows in prose[prose["region"].map(region_level) == "city"].groupby("region"):
        counts = rows["domain"].value_counts(sort=False)
        others = [name for name in counts.index if name not in known]
        names = {"city": literal(region_name(str(city), lang)), "n": len(counts), "same": len(counts) - len(others)}
        called = [
            message("say_domain_is", lang, name=domain_name(name, lang), domain=domain_name(aliases[name], lang))
            for name in counts.index
            if aliases.get(name)
        ]
        alone = [
            message("say_domain_targets", lang, name=domain_name(name, lang), n=counts[name])
            for name in others
            if not aliases.get(name)
        ]
        sentences.append(message("say_domains_same", lang, **names))
        for key, texts in (("say_domains_called", called), ("say_domains_alone", alone)):
            sentences += [message(key, lang, list=listed(texts, lang))] if texts else []
    return sentences


# --- tables -----------------------------------------------------------------------------------------------


def table_prose(prose: pd.DataFrame, region: str, lang: str) -> dict[str, pd.DataFrame]:
    """Show what a plan's sentences promise beyond its table: a table per domain, by its name and number of targets."""
    keys = ("tab_metric", "tab_value", "tab_year", "tab_hedge", "tab_section")
    tables = {}
    for domain, rows in _beyond_table(prose, region, lang).groupby("heading", sort=False):
        title = message("tab_domain_count", lang, domain=domain, n=len(rows))
        tables[title] = _frame([_promise(row, lang) for row in rows.itertuples()], keys, lang)
    return tables


def _frame(rows: list[list[Any]], keys: tuple[str, ...], lang: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[message(key, lang) for key in keys])


def _beyond_table(prose: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """The plan's targets that no row of its table speaks of, ordered by domain; ``heading`` is what it is called."""
    own = prose[(prose["region"] == region) & prose["linked_indicator"].isna()]
    order = catalogue.domains().set_index("domain")["order"]
    other = message("other_sections", lang)
    heading = [domain_name(domain, lang) if domain in order.index else other for domain in own["domain"]]
    own = own.assign(heading=heading, order=own["domain"].map(order))
    return own.sort_values("order", kind="stable", na_position="last", ignore_index=True)


def _promise(said: Any, lang: str) -> list[str]:
    marks = [message(f"tab_{name}", lang) for name in ("annual", "cumulative") if getattr(said, name)]
    value = " ".join([*marks, printed_value(said)])
    return [said.metric, value, "—" if pd.isna(said.year) else str(said.year), said.hedge or "—", _place(said, lang)]


def _place(said: Any, lang: str) -> str:
    return place_of(said)[0 if lang == "zh" else 1]


def table_contradictions(prose: pd.DataFrame, targets: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """Show where the plan's sentences differ from its table: both printed texts and both places, side by side."""
    pairs = find_differences(prose[prose["region"] == region], targets[targets["region"] == region])
    order = list(indicators_shown(targets, region).index)
    rows = [
        [
            indicator_name(found["indicator"], lang),
            with_year(f"{said.metric}{printed_value(said)}", said.year, lang),
            _place(said, lang),
            with_year(found["raw"], found["year"], lang),
            place_text(found["document"], found["locator"], lang),
            message(f"differ_{found['rule']}", lang),
        ]
        for said, found in sorted(pairs, key=lambda pair: order.index(pair[1]["indicator"]))
    ]
    keys = ("tab_indicator", "tab_in_prose", "tab_place_prose", "tab_in_table", "tab_place_table", "tab_difference")
    return _frame(rows, keys, lang)


def table_alignment(alignment: pd.DataFrame, lang: str, comparable: bool, region: str = "") -> pd.DataFrame:
    """Show planned targets beside the city's for the last year that it sets: those that compare, or the others.

    With ``region`` only that county's; without it and with many counties, how many stand in each relation.
    """
    rows = latest(alignment)
    rows = rows[(rows["state"] != "not_comparable") == comparable]
    if region:
        rows = rows[rows["region"] == region]
    elif rows["region"].nunique() > FEW:
        return _alignment_summary(rows, lang)
    joint = message("say_semicolon", lang)
    table = [
        [
            _concept_name(row, lang),
            region_name(row.region, lang),
            row.baseline_printed or "—",
            with_year(row.county_printed or "—", row.county_year, lang),
            with_year(row.city_printed, row.year, lang),
            message(f"align_state_{row.state}", lang),
            joint.join([message(f"align_reason_{row.reason}", lang), *_remarks(row.flags, lang)]),
            joint.join(place_text(place, "", lang) or "—" for place in (row.county_place, row.city_place)),
        ]
        for row in rows.itertuples()
    ]
    keys = (
        *("tab_indicator", "tab_county", "tab_baseline", "tab_county_target", "tab_city_target"),
        *("tab_relation", "tab_reason", "tab_place"),
    )
    hidden = {"tab_county": bool(region), "tab_relation": not comparable}
    return _frame(table, keys, lang).drop(columns=[message(key, lang) for key, hide in hidden.items() if hide])


def _concept_name(row: Any, lang: str) -> str:
    """What a row of the alignment is about: its indicator, or the words that both plans use."""
    return indicator_name(row.indicator, lang) if row.indicator else f"“{row.metric}”"


def _remarks(flags: str, lang: str) -> list[str]:
    return [meanings("flags", lang)[flag] for flag in flags.split(";") if flag]


def _alignment_summary(rows: pd.DataFrame, lang: str) -> pd.DataFrame:
    table = []
    keys = ["city", "indicator", "metric", "year", "city_printed"]
    for _, group in rows.groupby(keys, sort=False, dropna=False):
        first = next(group.itertuples())
        compared = first.state != "not_comparable"
        what = ("align_state_" if compared else "align_reason_") + group["state" if compared else "reason"]
        counts = what.value_counts().items()
        table.append(
            [
                _concept_name(first, lang),
                region_name(first.city, lang),
                with_year(first.city_printed, first.year, lang),
                len(group),
                message("say_semicolon", lang).join(f"{message(str(key), lang)} {n}" for key, n in counts),
            ]
        )
    return _frame(table, ("tab_indicator", "tab_city", "tab_city_target", "tab_counties", "tab_relation"), lang)
