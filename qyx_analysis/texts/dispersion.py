"""How far apart counties are: sentences and tables of dispersion."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.catalogue import message, statuses_for
from qyx_analysis.catalogue.wording import brief_status, listed, number_text
from qyx_analysis.names import domain_name, indicator_name
from qyx_analysis.texts.shared import list_indicators, span_text, tell_too_few
from qyx_analysis.texts.verdicts import agreement_text

_VISIBLE = 0.005  # a difference between two ratios that are printed with two decimals


_SECOND = ("logit_sd_ratio", "log_sd_ratio", "gini_mean_difference_ratio")


_CONVERGENCE = ("sd_ratio", "second", "sd_ratio_same_change", "sd_ratio_same_closure")


_RATIOS = ("sd_ratio", *_SECOND, "sd_ratio_same_change", "sd_ratio_same_closure")


def compare_dispersion(dispersion: pd.DataFrame, lang: str) -> list[str]:
    """For how many indicators the planned spread narrows, widens, or depends on the scale."""
    verdicts = dispersion[dispersion["measure"] == "convergence"]
    told = (*statuses_for("spread"), *statuses_for("open_spread"))
    judged = verdicts["status"].isin(told)
    counties = verdicts.loc[judged, "n"]
    low, high = (counties.min(), counties.max()) if len(counties) else (0, 0)
    sentences = [message("say_convergence", lang, n=judged.sum(), counties=low if low == high else f"{low}–{high}")]
    common = verdicts[verdicts["status"] == "common"]
    if len(common):
        sentences.append(message("say_common_spread", lang, n=len(common), list=list_indicators(common, lang)))
    for status in told:
        rows = verdicts[verdicts["status"] == status]
        if len(rows):
            key = "say_spread_unresolved" if status == "unresolved" else f"say_{status}"
            sentences.append(message(key, lang, n=len(rows), list=list_indicators(rows, lang)))
    sentences += tell_too_few(verdicts, lang) + _ceilings(dispersion, lang)
    refused = dispersion[dispersion["status"] == "absolute_count"].drop_duplicates("indicator")
    if len(refused):
        sentences.append(message("say_counts", lang, list=list_indicators(refused, lang)))
    return sentences


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


def table_convergence(dispersion: pd.DataFrame, verdicts: pd.DataFrame, lang: str) -> pd.DataFrame:
    """Per indicator: planned spread of the final year over that of the baseline, and the verdict.

    On two scales, the first with its range when each county in turn is left out; beside it what the ceiling alone
    would do, if every county planned the same change or closed the same share of its gap, and how many of the
    specifications agree.
    """
    agreeing = verdicts[verdicts["kind"] == "convergence"].set_index("indicator")
    ratios = dispersion[dispersion["measure"].isin(_RATIOS)].assign(
        measure=lambda rows: rows["measure"].replace(dict.fromkeys(_SECOND, "second"))
    )
    wide = ratios.pivot(index="indicator", columns="measure", values=["value", "loo_lo", "loo_hi"])
    rows = []
    judged = dispersion[dispersion["measure"] == "convergence"]
    for row in judged.itertuples():
        if row.status in ("state", "absolute_count", "too_few"):
            continue
        found = wide.loc[row.indicator] if row.indicator in wide.index else pd.Series(dtype=float)
        texts = [_ratio_text(found.get(("value", name), np.nan)) for name in _CONVERGENCE]
        low, high = (_ratio_text(found.get((end, "sd_ratio"), np.nan)) for end in ("loo_lo", "loo_hi"))
        texts.insert(1, "—" if "—" in (low, high) else span_text(low, high))
        texts.append(agreement_text(agreeing.loc[row.indicator]) or "—")
        reading = brief_status(row.status, lang)
        rows.append([indicator_name(row.indicator, lang), reading, row.n, *texts])
    keys = ("sd_ratio", "without_one", "second_ratio", "same_change", "same_closure", "agreeing")
    return pd.DataFrame(
        rows, columns=[message(f"tab_{key}", lang) for key in ("indicator", "status", "counties", *keys)]
    )


def _ratio_text(value: float) -> str:
    return "—" if pd.isna(value) else number_text(value)


def table_domain_spread(domains: pd.DataFrame, lang: str) -> pd.DataFrame:
    """Per domain and year: the mean planned spread over that of the baseline, in brackets what is left open.

    ``domains``: the frame of :func:`qyx_analysis.domain_dispersion`. The last column but one is the second scale.
    """
    last = domains["year"].max()
    rows = domains[(domains["measure"] == "sd_ratio") | (domains["year"] == last)]
    firm = rows["status"].eq("ok")
    texts = rows["value"].map(_ratio_text)
    rows = rows.assign(
        text=texts.where(firm | rows["value"].isna(), "(" + texts + ")"),
        column=rows["year"].astype(str).where(rows["measure"] == "sd_ratio", "second"),
    )
    wide = rows.pivot(index="domain", columns="column", values="text")
    ends = rows[(rows["measure"] == "sd_ratio") & (rows["year"] == last)].set_index("domain")
    order = [name for name in dict.fromkeys([*catalogue.domains()["domain"], *rows["domain"]]) if name in wide.index]
    table = [
        [domain_name(name, lang), ends.at[name, "n"], *wide.loc[name], brief_status(ends.at[name, "status"], lang)]
        for name in order
    ]
    years = [message("tab_second_of", lang, year=last) if name == "second" else name for name in wide.columns]
    head = [message("tab_domain", lang), message("tab_comparable", lang), *years, message("tab_status", lang)]
    return pd.DataFrame(table, columns=head)
