"""Frames of monitoring -> sentences and tables: what was reported, how it stands to the plan, what is open and whose.

Sentences are Markdown as in ``readings``, tables are texts as in ``tables``. Counts always stand beside how many could
not be judged, and what is synthetic is called so first.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.catalogue import message
from qyx_analysis.catalogue.wording import listed, literal, number_text, percent_text, place_text
from qyx_analysis.names import domain_name, indicator_name, judgement_names, region_name, value_unit
from qyx_analysis.texts.shared import FEW, of_counties
from qyx_analysis.wings.monitoring import judging
from qyx_analysis.wings.monitoring.judging import MET, UNMET, period_end
from qyx_analysis.wings.monitoring.reading import period_text

MISSING = "not_reported"
_STATUSES = (*MET, *UNMET)
_MOST = 5
_NONE = "—"


def _periods(periods: pd.Series, lang: str) -> str:
    return message("list_joint", lang).join(period_text(period, lang) for period in dict.fromkeys(periods))


def _named(rows: pd.DataFrame, lang: str, with_county: bool) -> str:
    """The indicators of rows, with or without their counties, as a list inside a sentence; of many counties counted."""
    if rows["region"].nunique() > FEW:
        return _tallied(rows["indicator"].map(lambda code: indicator_name(code, lang)), lang)
    pairs = zip(rows["region"], rows["indicator"], strict=True)
    texts = [f"{region_name(code, lang)} " * with_county + indicator_name(row, lang) for code, row in pairs]
    return listed(dict.fromkeys(texts), lang)


def _tallied(values: pd.Series, lang: str) -> str:
    """What occurs and how often, the most frequent first; the rest is counted."""
    counts = values.value_counts()
    texts = [f"{name} {n}" for name, n in counts.head(_MOST).items()]
    if len(counts) > _MOST:
        return message("say_and_more", lang, names=listed(texts, lang), n=len(counts) - _MOST)
    return listed(texts, lang)


# --- sentences --------------------------------------------------------------------------------------------


def reported(actuals: pd.DataFrame, monitored: pd.DataFrame, lang: str) -> list[str]:
    """What there is to judge: how many values of which periods, and what is due and not reported.

    ``actuals``: the frame of ``load_actuals``; ``monitored``: of :func:`qyx_analysis.monitoring`. Without values a
    sentence that says how to get some.
    """
    current = actuals[actuals["current"]]
    if current.empty:
        return [message("say_no_actuals", lang)]
    order = current.sort_values("due", kind="stable")["period"]
    values = {"n": len(current), "counties": of_counties(current)["region"].nunique(), "periods": _periods(order, lang)}
    sentences = [*_warned(current["synthetic"], lang), message("say_reported", lang, **values)]
    missing = monitored[monitored["reason"] == MISSING]
    due = int((monitored["actual_raw"] != "").sum()) + len(missing)
    if len(missing):
        who = _tallied(missing["region"].map(lambda code: region_name(code, lang)), lang)
        sentences.append(message("say_missing", lang, n=len(missing), due=due, list=who))
    else:
        sentences.append(message("say_none_missing", lang, due=due))
    unsourced = int((current["source"] == "").sum())
    return sentences + ([message("say_unsourced", lang, n=unsourced)] if unsourced else [])


def _warned(synthetic: pd.Series, lang: str) -> list[str]:
    """Say of synthetic values that they are."""
    n = int(synthetic.sum())
    return [message("say_synthetic", lang, warning=message("synthetic", lang), n=n, all=len(synthetic))] if n else []


def statuses(monitored: pd.DataFrame, period: str, lang: str) -> list[str]:
    """How the rows of a period stand to the plan, and what is missed most often.

    ``monitored``: the frame of :func:`qyx_analysis.monitoring`; counties alone are counted.
    """
    rows = of_counties(monitored)
    rows = rows[rows["period"] == period]
    if rows.empty:
        return []
    sentences = [_counted(rows, period_text(period, lang), lang)]
    missed = rows[rows["status"].isin(UNMET)]
    if rows["region"].nunique() > 1 and len(missed):
        judged = rows.loc[rows["status"].isin(_STATUSES), "indicator"].value_counts()
        counts = missed["indicator"].value_counts().head(_MOST)
        texts = [f"{indicator_name(str(code), lang)} {n}/{judged[code]}" for code, n in counts.items()]
        sentences.append(message("say_missed_most", lang, list=listed(texts, lang)))
    worse = missed[missed["status"] == UNMET[1]]
    if len(worse):
        sentences.append(message("say_worse_than_baseline", lang, n=len(worse), list=_named(worse, lang, True)))
    close = rows[rows["flags"].str.contains("unresolved")]
    if len(close):
        sentences.append(message("say_status_unresolved", lang, n=len(close), list=_named(close, lang, True)))
    return sentences


def _counted(rows: pd.DataFrame, when: str, lang: str) -> str:
    """How many rows have each status; of those not judged, why."""
    counts = {name: int((rows["status"] == name).sum()) for name in _STATUSES}
    unjudged = rows.loc[rows["status"] == "no_judgement", "reason"].value_counts()
    why = message("say_semicolon", lang).join(
        f"{judgement_names(lang)[str(reason)]} {n}" for reason, n in unjudged.items()
    )
    text = message("say_statuses", lang, period=when, judged=sum(counts.values()), all=len(rows), **counts)
    return text + (message("say_unjudged", lang, n=int(unjudged.sum()), list=why) if why else "")


def ranked(rankings: pd.DataFrame, by: str, period: str, lang: str) -> list[str]:
    """Who is before or behind all others whatever indicator is left out; else that nobody is.

    Where what is not reported could still change that, the sentence says so.
    ``rankings``: the frame of :func:`qyx_analysis.rankings`; ``by``: ``county``, ``city`` or ``domain``.
    """
    rows = rankings[(rankings["by"] == by) & (rankings["scope"] == "") & (rankings["period"] == period)]
    rows = rows[rows["rank"].notna()]
    if len(rows) < 2:
        return []
    best, worst = rows["rank_best"].to_numpy(int), rows["rank_worst"].to_numpy(int)
    low, high = rows["share_lo"].to_numpy(float), rows["share_hi"].to_numpy(float)
    sentences = []
    for key, apart, sure in (
        ("say_ranked_first", best[:, None] > worst, low > high[:, None]),
        ("say_ranked_last", worst[:, None] < best, high < low[:, None]),
    ):  # in column b of row a: whether b stands apart from a
        for place in np.flatnonzero((apart | np.eye(len(rows), dtype=bool)).all(axis=0)):
            text = message(key, lang, name=literal(_group(by, str(rows["group"].iloc[place]), lang)))
            settled = (sure | np.eye(len(rows), dtype=bool))[:, place].all()
            sentences.append(text if settled else text + message("say_unless_reported", lang))
    sentences = sentences or [message("say_not_ordered", lang, n=len(rows))]
    partly = rows[rows["not_reported"] > 0]
    return sentences + ([message("say_ranked_partly", lang, n=len(partly), all=len(rows))] if len(partly) else [])


def items(open_items: pd.DataFrame, period: str, lang: str) -> list[str]:
    """How many items are open and closed, whose they are, and what the last period brought.

    ``open_items``: the frame of :func:`qyx_analysis.open_items`; ``period`` is empty where nothing is monitored.
    """
    if open_items.empty:
        return [message("say_no_items", lang)] if period else []
    still = open_items[open_items["status"] == "open"]
    rows = still.drop_duplicates(["region", "indicator"])
    values = {"items": len(still), "rows": len(rows), "closed": len(open_items) - len(still)}
    sentences = [message("say_items", lang, **values)]
    fresh = {"opened": (open_items["opened"] == period).sum(), "closed": (open_items["closed"] == period).sum()}
    sentences.append(message("say_items_moved", lang, period=period_text(period, lang), **fresh))
    if len(rows):
        owners = rows["region"].map(lambda code: region_name(code, lang)) + " "
        owners += rows["department"].replace("", message("no_owner", lang))
        sentences.append(message("say_owners", lang, list=_tallied(owners, lang)))
    return sentences


def corrected(actuals: pd.DataFrame, lang: str) -> list[str]:
    """How many values were corrected. ``actuals``: the frame of ``load_actuals`` with its history; nothing of none."""
    if actuals.empty:
        return []
    n = int((actuals["current"] & (actuals["revision"] > 1)).sum())
    return [message("say_corrected", lang, n=n) if n else message("say_none_corrected", lang)]


def delivered(monitored: pd.DataFrame, region: str, lang: str) -> list[str]:
    """How one county stands to its plan: at the last period of each indicator that has a value; nothing without any.

    ``monitored``: the frame of :func:`qyx_analysis.monitoring`.
    """
    own = monitored[monitored["region"] == region]
    values = own[own["actual_raw"] != ""]
    if values.empty:
        return []
    latest = _latest(own)
    order = values.sort_values("due", kind="stable")["period"].iloc[-1]
    sentences = _warned(values["flags"].str.contains("synthetic"), lang)
    sentences.append(_counted(latest, message("say_until", lang, period=period_text(order, lang)), lang))
    for key, status in (("say_behind", UNMET[0]), ("say_worse_than_baseline", UNMET[1])):
        found = latest[latest["status"] == status]
        if len(found):
            sentences.append(message(key, lang, n=len(found), list=_named(found, lang, False)))
    missing = own[own["reason"] == MISSING]
    if len(missing):
        counts = {"n": len(missing), "indicators": missing["indicator"].nunique()}
        sentences.append(message("say_missing_own", lang, **counts, list=_named(missing, lang, False)))
    return sentences


def _latest(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each indicator the last row with a value, else its last."""
    order = rows.assign(known=rows["actual_raw"] != "").sort_values(["known", "due"], kind="stable")
    return order.drop_duplicates(["region", "indicator"], keep="last").sort_index()


# --- tables -----------------------------------------------------------------------------------------------


def _table(rows: list[list[Any]], keys: tuple[str, ...], lang: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[message(f"tab_{key}", lang) for key in keys])


def _required(row: Any, lang: str, period: str, brief: bool = False) -> str:
    """What was asked for: the target as printed, or within the year the place on the way to it."""
    digits = re.search(r"\d+(?:\.\d+)?", row.target_raw)
    same = digits is None or float(digits[0]) == row.required or not value_unit(row.indicator, row.unit, lang)
    if len(period) == 4 or same or row.required != row.required:
        return row.target_raw or _NONE
    value = number_text(row.required, 3)
    return value if brief else message("tab_on_the_way", lang, value=value, target=row.target_raw)


def _judged(row: Any, lang: str) -> str:
    """The status, or why there is none, with what is to be remarked."""
    text = judgement_names(lang)[row.reason or row.status]
    remarks = [_remarks(lang)[flag] for flag in row.flags.split(";") if flag in _REMARKED]
    return message("say_semicolon", lang).join([text, *remarks])


_REMARKED = ("unresolved", "weaker", "below_baseline", "revised", "non_monotone")


@cache
def _remarks(lang: str) -> dict[str, str]:
    return catalogue.flags().set_index("flag")[f"meaning_{lang}"].to_dict()


def _gap(value: float) -> str:
    return _NONE if pd.isna(value) else number_text(value, 3)


def progress_table(monitored: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """A county's last value of each indicator beside what was asked for, the pace that is left, and its source."""
    rows = [
        [
            indicator_name(row.indicator, lang),
            value_unit(row.indicator, row.unit, lang) or _NONE,
            period_text(row.period, lang),
            _required(row, lang, row.period),
            row.actual_raw or _NONE,
            _judged(row, lang),
            f"{_gap(row.pace_needed)} / {_gap(row.pace_planned)}".replace(f"{_NONE} / {_NONE}", _NONE),
            row.department or _NONE,
            row.source or _NONE,
        ]
        for row in _latest(monitored[monitored["region"] == region]).itertuples()
    ]
    keys = ("indicator", "canonical", "period", "required", "actual", "judgement", "pace", "owner", "origin")
    return _table(rows, keys, lang)


def details(monitored: pd.DataFrame, region: str, lang: str) -> dict[str, pd.DataFrame]:
    """What a reader of a county's report may open, by name: its last values, what it owes, and what was made good.

    Nothing of a county without a value. ``monitored``: the frame of :func:`qyx_analysis.monitoring`.
    """
    own = monitored[monitored["region"] == region]
    if own["actual_raw"].eq("").all():
        return {}
    closed = closed_table(judging.open_items(own), lang, region)
    found = {
        "progress": progress_table(own, region, lang),
        "missing": missing_table(own, lang, region),
        "closed": closed,
    }
    return {message(f"tab_title_{name}", lang): table for name, table in found.items()}


def status_table(monitored: pd.DataFrame, period: str, lang: str) -> pd.DataFrame:
    """A period, indicator by county: value, what was asked for and status; of many counties how many of each."""
    rows = of_counties(monitored)
    rows = rows[rows["period"] == period]
    labels = {code: indicator_name(code, lang) for code in rows["indicator"].unique()}
    first = message("tab_indicator", lang)
    if rows["region"].nunique() > FEW:
        told = rows["status"].mask(rows["reason"] == MISSING, MISSING)
        names = [*_STATUSES, MISSING, "no_judgement"]
        wide = told.groupby(rows["indicator"], sort=False).value_counts().unstack(fill_value=0)
        wide = wide.reindex(list(labels)).reindex(columns=names, fill_value=0)
        wide.columns = [judgement_names(lang)[name] for name in names]
        return wide.rename(index=labels).rename_axis(first).reset_index()
    texts = [_against(row, lang) for row in rows.itertuples()]
    wide = rows.assign(text=texts).pivot(index="indicator", columns="region", values="text").reindex(list(labels))
    wide.columns = [region_name(code, lang) for code in wide.columns]
    return wide.fillna(_NONE).rename(index=labels).rename_axis(first).reset_index()


def _against(row: Any, lang: str) -> str:
    """The status, or why there is none, with the value and what was asked for as far as there are any."""
    word, required = judgement_names(lang)[row.reason or row.status], _required(row, lang, row.period, brief=True)
    if not row.actual_raw:
        return word
    text = f"{word}{message('say_colon', lang)}{row.actual_raw}"
    return text if required == _NONE else message("tab_against", lang, text=text, required=required)


def ranking_table(rankings: pd.DataFrame, by: str, period: str, lang: str, within: bool = False) -> pd.DataFrame:
    """Ranks with their ranges, shares with theirs, and coverage; ``within``: domains or departments of each county."""
    rows = rankings[(rankings["by"] == by) & (rankings["period"] == period)]
    rows = rows[(rows["scope"] != "") == within]
    table = [
        [
            region_name(row.scope, lang) if within else "",
            _group(by, row.group, lang),
            _rank(row, lang),
            percent_text(row.share) if row.judged else _NONE,
            f"{percent_text(row.share_lo)} – {percent_text(row.share_hi)}" if row.share_lo == row.share_lo else _NONE,
            f"{row.judged}/{row.total}",
            row.not_reported,
            row.behind,
            row.worse_than_baseline,
        ]
        for row in rows.itertuples()
    ]
    keys = ("county", "ranked", "rank", "share", "share_range", "coverage", "missing", "behind", "worse_status")
    frame = _table(table, keys, lang)
    return frame if within else frame.iloc[:, 1:]


def _group(by: str, group: str, lang: str) -> str:
    if by == "domain":
        return domain_name(group, lang)
    return region_name(group, lang) if by in ("county", "city") else group


def _rank(row: Any, lang: str) -> str:
    if pd.isna(row.rank):
        return _NONE
    text = message("tab_tied" if row.tied > 1 else "tab_at", lang, rank=row.rank)
    return f"{text} [{row.rank_best}–{row.rank_worst}]" if row.rank_best < row.rank_worst else text


def items_table(open_items: pd.DataFrame, lang: str) -> pd.DataFrame:
    """Items by county, most open first: rows of the plan that are open, since when, and how many items were closed."""
    rows = [
        [
            region_name(str(code), lang),
            still["indicator"].nunique(),
            len(still),
            period_text(min(still["opened"], key=period_end), lang) if len(still) else _NONE,
            len(group) - len(still),
        ]
        for code, group in open_items.groupby("region")
        for still in [group[group["status"] == "open"]]
    ]
    rows.sort(key=lambda row: -row[1])
    return _table(rows, ("county", "open_rows", "open_items", "open_since", "closed_items"), lang)


def open_table(open_items: pd.DataFrame, lang: str, region: str = "") -> pd.DataFrame:
    """What is open: one line per county and indicator, with its owner, since when, and how far the last value is."""
    rows = open_items[(open_items["status"] == "open") & (open_items["region"] == region if region else True)]
    rows = rows.sort_values("region", kind="stable")
    table = []
    for _, group in rows.groupby(["region", "indicator"], sort=False):
        last = next(group.iloc[[-1]].itertuples())
        table.append(
            [
                region_name(last.region, lang),
                indicator_name(last.indicator, lang),
                last.department or message("no_owner", lang),
                _periods(group["opened"], lang),
                _required(last, lang, last.opened),
                message("tab_value_at", lang, value=last.latest, period=period_text(last.latest_period, lang)),
                _gap(last.gap) if value_unit(last.indicator, last.unit, lang) else _NONE,
                value_unit(last.indicator, last.unit, lang) or _NONE,
            ]
        )
    keys = ("county", "indicator", "owner", "missed_in", "required_last", "latest", "short_by", "canonical")
    frame = _table(table, keys, lang)
    return frame.iloc[:, 1:] if region else frame


def closed_table(open_items: pd.DataFrame, lang: str, region: str = "") -> pd.DataFrame:
    """What was missed and has been made good since: when it was opened, and the period that closed it."""
    rows = open_items[(open_items["status"] == "closed") & (open_items["region"] == region if region else True)]
    table = [
        [
            region_name(row.region, lang),
            indicator_name(row.indicator, lang),
            row.department or message("no_owner", lang),
            period_text(row.opened, lang),
            row.actual_raw,
            period_text(row.closed, lang),
        ]
        for row in rows.sort_values("region", kind="stable").itertuples()
    ]
    frame = _table(table, ("county", "indicator", "owner", "missed_in", "actual", "closed_in"), lang)
    return frame.iloc[:, 1:] if region else frame


def missing_table(monitored: pd.DataFrame, lang: str, region: str = "") -> pd.DataFrame:
    """What is due and not reported: one line per county and indicator, with its owner and the periods."""
    rows = monitored[(monitored["reason"] == MISSING) & (monitored["region"] == region if region else True)]
    table = [
        [
            region_name(str(key[0]), lang),
            indicator_name(str(key[1]), lang),
            group["department"].iloc[0] or message("no_owner", lang),
            _periods(group["period"], lang),
        ]
        for key, group in rows.sort_values("region", kind="stable").groupby(["region", "indicator"], sort=False)
    ]
    frame = _table(table, ("county", "indicator", "owner", "missing_in"), lang)
    return frame.iloc[:, 1:] if region else frame


def corrections_table(actuals: pd.DataFrame, lang: str) -> pd.DataFrame:
    """Every value that a later report replaced, beside the one that replaced it, with both sources."""
    keys = ["region", "indicator", "period"]
    later = actuals.assign(revision=actuals["revision"] - 1)[[*keys, "revision", "raw", "document", "locator"]]
    pairs = actuals.merge(later, on=[*keys, "revision"], suffixes=("", "_later"))
    table = [
        [
            region_name(row.region, lang),
            indicator_name(row.indicator, lang),
            period_text(row.period, lang),
            row.raw,
            row.raw_later,
            place_text(row.document, row.locator, lang),
            place_text(row.document_later, row.locator_later, lang),
        ]
        for row in pairs.itertuples()
    ]
    columns = ("county", "indicator", "period", "before", "after", "place_before", "place_after")
    return _table(table, columns, lang)
