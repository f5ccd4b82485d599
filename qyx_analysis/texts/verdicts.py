"""How firm the verdicts are: sentences and tables with the share of specifications that agree."""

from __future__ import annotations

from typing import Any

import pandas as pd

from qyx_analysis.catalogue import message, statuses_for
from qyx_analysis.catalogue.wording import brief_status, listed
from qyx_analysis.names import domain_name, indicator_name, region_name
from qyx_analysis.texts.ambition import rank_ends
from qyx_analysis.texts.shared import FEW, MOST, of_counties, spread_counties

WORDS = {
    "timing": ("back_loaded", "even", "front_loaded"),
    "ambition": ("less_ambitious", "middle", "more_ambitious"),
    "profile": ("less_ambitious", "middle", "more_ambitious"),
}


def tell_stability(verdicts: pd.DataFrame, kind: str, lang: str) -> list[str]:
    """How many verdicts of a kind hold under every specification, and who stands out under all of them.

    ``verdicts``: the frame of :func:`qyx_analysis.verdicts`; ``kind``: timing, ambition, profile or convergence.
    """
    verdicts = of_counties(verdicts)
    rows = verdicts[(verdicts["kind"] == kind) & verdicts["status"].isin(statuses_for("tested"))]
    if rows.empty:
        return [message("say_no_verdicts", lang)]
    every, contested = int((rows["share"] == 1).sum()), int((rows["status"] == "contested").sum())
    most = len(rows) - every - contested
    sentences = [message("say_stability", lang, n=len(rows), every=every, most=most)]
    sentences += [message("say_contested", lang, n=contested)] if contested else []
    if kind in ("ambition", "profile"):
        sentences += _surely_ranked(rows[rows["status"] != "contested"], lang)
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
        text = listed((region_name(code, lang) for code in who), lang) if len(who) <= MOST else str(len(who))
        names.append(f"{indicator_name(row.indicator, lang)}{message('say_colon', lang)}{text}")
    return (
        [message("say_pivotal", lang, n=len(names), list=message("say_semicolon", lang).join(names))] if names else []
    )


def agreement_text(row: Any) -> str:
    """How many of the specifications agree with a verdict; nothing where there is none."""
    return f"{row.agreeing}/{row.specifications}" if row.specifications else ""


def table_verdicts(verdicts: pd.DataFrame, kind: str, lang: str) -> pd.DataFrame:
    """The verdicts of a ``kind`` (timing, ambition or profile), each with the share of specifications that agrees.

    ``verdicts``: the frame of :func:`qyx_analysis.verdicts`. Indicator (for profiles: domain) by county, with ranges
    of ranks where counties are ranked; with many counties how many there are of each verdict, and who is surely in the
    first or in the last quarter.
    """
    rows = of_counties(verdicts[verdicts["kind"] == kind])
    by = "domain" if kind == "profile" else "indicator"
    rows = rows[rows.groupby(by)["verdict"].transform(lambda words: (words != "").any())]
    if rows["region"].nunique() > FEW:
        groups = rows.groupby(by, sort=False)
        if by == "domain":
            table = [[domain_name(str(name), lang), *_counted(own, kind, lang)] for name, own in groups]
        else:
            table = [[indicator_name(str(code), lang), len(own), *_counted(own, kind, lang)] for code, own in groups]
        printing = ["tab_printing"] if by == "indicator" else []
        quarters = [] if kind == "timing" else ["tab_first_quarter", "tab_last_quarter"]
        keys = [*(f"verdict_{word}" for word in WORDS[kind][::-1]), "tab_contested", "tab_no_verdict", "tab_all_agree"]
        return pd.DataFrame(table, columns=[message(key, lang) for key in (f"tab_{by}", *printing, *keys, *quarters)])
    return spread_counties(rows.assign(text=[_verdict_text(row, lang) for row in rows.itertuples()]), by, lang)


def _verdict_text(row: Any, lang: str) -> str:
    """In brackets what at most half of the specifications agree with."""
    if row.status not in statuses_for("tested"):
        return brief_status(row.status, lang)
    text = f"{message(f'verdict_{row.verdict}', lang)} {agreement_text(row)}"
    if pd.notna(row.rank_best):
        text += message("say_semicolon", lang) + message("tab_ranks", lang, ends=rank_ends(row), n=row.n)
    return f"({text})" if row.status == "contested" else text


def _counted(rows: pd.DataFrame, kind: str, lang: str) -> list[Any]:
    """How many counties have each verdict, and who is surely in the first and in the last quarter of the ranks."""
    firm = rows[rows["status"].isin(statuses_for("tested"))]
    sure = firm[firm["status"] != "contested"]
    counts = [(sure["verdict"] == word).sum() for word in WORDS[kind][::-1]]
    counts += [len(firm) - len(sure), len(rows) - len(firm), (sure["share"] == 1).sum()]
    if kind == "timing":
        return counts
    ends = rows["rank_worst"] * 4 <= rows["n"], rows["rank_best"] * 4 > rows["n"] * 3
    return counts + [_few_names(rows.loc[end.fillna(False).astype(bool), "region"], lang) for end in ends]


def _few_names(regions: pd.Series, lang: str) -> str:
    """Up to three names, or how many there are."""
    if len(regions) > 3:
        return message("fig_counties_short", lang, n=len(regions))
    return message("fig_comma", lang).join(region_name(code, lang) for code in regions) or "—"
