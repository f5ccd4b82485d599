"""What a plan prints, who is compared, where its final values stand, and what to be warned of."""

from __future__ import annotations

import pandas as pd

from qyx_analysis.catalogue import message
from qyx_analysis.catalogue.wording import listed, literal, place_text, printed_text
from qyx_analysis.names import domain_name, indicator_name, indicators_shown, region_name
from qyx_analysis.texts.shared import FEW, list_indicators


def tell_overview(targets: pd.DataFrame, region: str, lang: str) -> list[str]:
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


def tell_kinds(targets: pd.DataFrame, region: str, lang: str) -> list[str]:
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
            sentences.append(message(key, lang, n=len(rows), list=list_indicators(rows, lang)))
    blank = own.groupby("indicator", sort=False)["kind"].agg(lambda kind: set(kind) == {"missing"})
    if blank.any():
        rows = blank[blank].reset_index()
        sentences.append(message("say_blank", lang, n=len(rows), list=list_indicators(rows, lang)))
    return sentences


def table_printed(targets: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """The county's rows as its plan prints them, in its order: number, one column per year, and place in the source."""
    own = targets[targets["region"] == region].sort_values("row", kind="stable")
    wide = own.pivot_table(index="indicator", columns="year", values="raw", aggfunc="first", sort=False)
    first = own.drop_duplicates("indicator").set_index("indicator")
    table = pd.DataFrame(
        {
            message("tab_indicator", lang): [indicator_name(row.Index, lang) for row in first.itertuples()],
            message("tab_number", lang): ["" if pd.isna(number) else str(number) for number in first["number"]],
            message("tab_unit", lang): first["published_unit"].replace("", "—"),
        }
    )
    for year in wide.columns:
        table[str(year)] = wide[year].map(lambda raw: printed_text(raw, lang))
    table[message("tab_place", lang)] = [place_text(row.document, row.locator, lang) for row in first.itertuples()]
    return table


def tell_compared(targets: pd.DataFrame, lang: str) -> list[str]:
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


def tell_standing(
    standing: pd.DataFrame, among: dict[str, pd.DataFrame], targets: pd.DataFrame, region: str, lang: str
) -> list[str]:
    """In which domains the final planned values are better or worse than most counties', and among counties like it.

    ``among``: the positions among other groups of counties, by the name of the group; each with how many ``counties``.
    """
    year = targets["year"].max()
    if standing.empty:
        return [message("say_alone", lang)]
    domains = indicators_shown(targets, region)["domain"]
    low, high = standing["n"].min(), standing["n"].max()
    counties = low if low == high else f"{low}–{high}"
    sentences = [message("say_standing", lang, n=len(standing), year=year, counties=counties)]
    for key, side in (("say_better", "above"), ("say_worse", "below")):
        chosen = standing[standing[side] * 2 > standing["n"] - 1]
        if len(chosen):
            by_domain = chosen.groupby(chosen["indicator"].map(domains), sort=False)
            parts = [
                f"{literal(domain_name(str(domain), lang))}{message('say_colon', lang)}{list_indicators(rows, lang)}"
                for domain, rows in by_domain
            ]
            sentences.append(
                message(key, lang, n=len(chosen), year=year, list=message("say_semicolon", lang).join(parts))
            )
    return sentences + [_tell_among(key, rows, region, lang) for key, rows in among.items() if len(rows)]


def _tell_among(key: str, rows: pd.DataFrame, region: str, lang: str) -> str:
    peers = message(f"peers_{key}", lang, **{"name": region_name(region[:4] + "00", lang)} if key == "city" else {})
    better, worse = ((rows[side] * 2 > rows["n"] - 1).sum() for side in ("above", "below"))
    counts = {"n": rows["counties"].iloc[0], "rows": len(rows), "better": better, "worse": worse}
    return message("say_standing_among", lang, peers=peers, **counts)


def table_domains(standing: pd.DataFrame, targets: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """Where the county's final planned values stand in each domain, counted by indicator, never averaged."""
    own = indicators_shown(targets[targets["region"] == region])
    placed = standing.set_index("indicator")
    rows = []
    for domain, shown in own.groupby("domain", sort=False):
        known = placed.loc[placed.index.intersection(shown.index)]
        better, worse = (
            (known["above"] * 2 > known["n"] - 1).sum(),
            (known["below"] * 2 > known["n"] - 1).sum(),
        )
        rows.append(
            [domain_name(str(domain), lang), len(shown), len(known), better, worse, len(known) - better - worse]
        )
    keys = ("tab_domain", "tab_rows", "tab_comparable", "tab_better", "tab_worse", "tab_between")
    return pd.DataFrame(rows, columns=[message(key, lang) for key in keys])


def table_findings(findings: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """The county's findings, the serious ones first, each with its place."""
    own = findings[findings["region"] == region]
    order = own["severity"].map({"error": 0, "warning": 1, "info": 2})
    own = own.assign(order=order).sort_values("order", kind="stable")
    rows = [
        [
            message(f"severity_{row.severity}", lang),
            "—" if not row.indicator else indicator_name(row.indicator, lang),
            getattr(row, f"message_{lang}"),
            row.raw or "—",
            place_text(row.document, row.locator, lang),
        ]
        for row in own.itertuples()
    ]
    keys = ("tab_severity", "tab_indicator", "tab_message", "tab_printed", "tab_place")
    return pd.DataFrame(rows, columns=[message(key, lang) for key in keys])
