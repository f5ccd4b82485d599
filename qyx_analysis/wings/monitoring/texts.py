"""Frames of monitoring -> what readers read of them: ``tell_`` gives sentences, ``table_`` gives frames of texts.

Sentences are Markdown. Counts always stand beside how many could not be judged, and what is synthetic is called so
first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.catalogue import message
from qyx_analysis.catalogue.wording import listed, literal, number_text, percent_text, place_text
from qyx_analysis.cells import parse_cell
from qyx_analysis.names import (
    conversion,
    domain_name,
    find_unit,
    indicator_name,
    judgement_names,
    region_name,
    value_unit,
)
from qyx_analysis.texts.shared import FEW, difference_text, join_unit, of_counties
from qyx_analysis.wings.monitoring.forms import period_text
from qyx_analysis.wings.monitoring.judging import (
    MET,
    MISSING,
    PAIR,
    UNMET,
    keep_last,
    last_day,
    open_items,
    told_status,
)

_STATUSES = (*MET, *UNMET)
_REMARKED = ("unresolved", "weaker", "below_baseline", "revised", "non_monotone")  # flags that tables name
_MOST = 5
_NONE = "—"
_DAYS, _PLAN = 60, 5 * 365  # from here on a time is said in months; and no more than that of a plan


# --- values with their units ------------------------------------------------------------------------------


def value_text(raw: str, unit: str, row: Any, lang: str) -> str:
    """A value as it is stated, with the unit in which it is; words, and what has its unit already, stay as they are."""
    read = parse_cell(raw)
    if read.number is None or read.unit or not value_unit(row.indicator, row.unit, lang):
        return raw
    return join_unit(raw, _name_unit(unit or row.unit, row, lang))


def _name_unit(unit: str, row: Any, lang: str) -> str:
    own, known = value_unit(row.indicator, row.unit, lang), find_unit(unit)
    if lang == "zh" or own == row.unit or known is None or known.dimension == "share":
        return own if unit == row.unit else unit
    if find_unit(row.unit) and conversion(unit, row.unit) == 1:
        return own
    return known.dimension if known.factor == 1 else f"{known.factor:,} {known.dimension}".replace(",", " ")


def gap_text(row: Any, lang: str, signed: bool = False) -> str:
    """How far a value is from what was asked, in the indicator's unit and as days or months of the planned pace."""
    number = number_text(row.gap if signed else abs(row.gap), 3)
    text, time = difference_text(number, row.indicator, row.unit, lang), pace_time(row, lang)
    return message("gap_pace", lang, gap=text, time=time) if time else text


def pace_time(row: Any, lang: str) -> str:
    """The gap as days or months of the planned pace, up to the five years of a plan; nothing where it has no pace."""
    if pd.isna(row.gap_days):
        return ""
    days = max(1, round(abs(row.gap_days)))
    if days > _PLAN:
        return message("gap_long", lang)
    if days >= _DAYS:
        return message("gap_months", lang, n=round(days * 12 / 365))
    return message("gap_day" if days == 1 else "gap_days", lang, n=days)


# --- names and counts -------------------------------------------------------------------------------------


def cut_list(texts: Sequence[str], most: int, lang: str) -> str:
    """List as many texts as there is room for, and say how many more there are; they are escaped already."""
    shown = message("list_joint", lang).join(texts[:most])
    more = len(texts) - most
    return message("say_and_more", lang, names=shown, n=more) if more > 0 else shown


def count_texts(texts: Iterable[str]) -> list[str]:
    """Say of each text how often it occurs, the most frequent first."""
    return [f"{text} {n}" for text, n in pd.Series(list(texts), dtype=object).value_counts().items()]


def name_indicators(rows: pd.DataFrame, lang: str) -> list[str]:
    return [indicator_name(code, lang) for code in rows["indicator"]]


def name_regions(rows: pd.DataFrame, lang: str) -> list[str]:
    return [region_name(code, lang) for code in rows["region"]]


def _list_counts(texts: Iterable[str], lang: str) -> str:
    return cut_list([literal(text) for text in count_texts(texts)], _MOST, lang)


def _list_rows(rows: pd.DataFrame, lang: str, counties: bool = False) -> str:
    """The indicators of rows, with their ``counties`` if wanted, as a list; those of many counties are counted."""
    texts = name_indicators(rows, lang)
    if rows["region"].nunique() > FEW:
        return _list_counts(texts, lang)
    if counties:
        texts = [f"{county} {text}" for county, text in zip(name_regions(rows, lang), texts, strict=True)]
    return listed(dict.fromkeys(texts), lang)


def _list_periods(periods: pd.Series, lang: str) -> str:
    return message("list_joint", lang).join(period_text(period, lang) for period in dict.fromkeys(periods))


# --- sentences --------------------------------------------------------------------------------------------


def tell_reported(actuals: pd.DataFrame, monitored: pd.DataFrame, lang: str) -> list[str]:
    """What there is to judge: how many values of which periods, and what is due and not reported."""
    current = actuals[actuals["current"]]
    if current.empty:
        return [message("say_no_actuals", lang)]
    order = current.sort_values("due", kind="stable")["period"]
    values = {
        "n": len(current),
        "counties": of_counties(current)["region"].nunique(),
        "periods": _list_periods(order, lang),
    }
    sentences = [*_warn_synthetic(current["synthetic"], lang), message("say_reported", lang, **values)]
    missing = monitored[monitored["reason"] == MISSING]
    due = int((monitored["actual_raw"] != "").sum()) + len(missing)
    if len(missing):
        who = _list_counts(name_regions(missing, lang), lang)
        sentences.append(message("say_missing", lang, n=len(missing), due=due, list=who))
    else:
        sentences.append(message("say_none_missing", lang, due=due))
    unsourced = int((current["source"] == "").sum())
    return sentences + ([message("say_unsourced", lang, n=unsourced)] if unsourced else [])


def _warn_synthetic(synthetic: pd.Series, lang: str) -> list[str]:
    n = int(synthetic.sum())
    return [message("say_synthetic", lang, warning=message("synthetic", lang), n=n, all=len(synthetic))] if n else []


def tell_statuses(monitored: pd.DataFrame, period: str, lang: str) -> list[str]:
    """How the rows of a period stand to the plan, and what is missed most often."""
    rows = of_counties(monitored)
    rows = rows[rows["period"] == period]
    if rows.empty:
        return []
    sentences = [_count_statuses(rows, period_text(period, lang), lang)]
    missed = rows[rows["status"].isin(UNMET)]
    if rows["region"].nunique() > 1 and len(missed):
        judged = rows.loc[rows["status"].isin(_STATUSES), "indicator"].value_counts()
        counts = missed["indicator"].value_counts().head(_MOST)
        texts = [f"{indicator_name(str(code), lang)} {n}/{judged[code]}" for code, n in counts.items()]
        sentences.append(message("say_missed_most", lang, list=listed(texts, lang)))
    worse = missed[missed["status"] == UNMET[1]]
    if len(worse):
        sentences.append(
            message("say_worse_than_baseline", lang, n=len(worse), list=_list_rows(worse, lang, counties=True))
        )
    close = rows[rows["flags"].str.contains("unresolved")]
    if len(close):
        sentences.append(
            message("say_status_unresolved", lang, n=len(close), list=_list_rows(close, lang, counties=True))
        )
    return sentences


def _count_statuses(rows: pd.DataFrame, when: str, lang: str) -> str:
    counts = {name: int((rows["status"] == name).sum()) for name in _STATUSES}
    unjudged = rows.loc[rows["status"] == "no_judgement", "reason"].value_counts()
    why = message("say_semicolon", lang).join(
        f"{judgement_names(lang)[str(reason)]} {n}" for reason, n in unjudged.items()
    )
    text = message("say_statuses", lang, period=when, judged=sum(counts.values()), all=len(rows), **counts)
    return text + (message("say_unjudged", lang, n=int(unjudged.sum()), list=why) if why else "")


def tell_rankings(rankings: pd.DataFrame, by: str, period: str, lang: str) -> list[str]:
    """Who is before or behind all others whatever indicator is left out, else that nobody is; and who has no rank."""
    rows = rankings[(rankings["by"] == by) & (rankings["scope"] == "") & (rankings["period"] == period)]
    bare = rows[rows["rank"].isna()]
    names = [_name_group(row, lang) for row in bare.itertuples()]
    unranked = [message("say_unranked", lang, n=len(bare), list=listed(names, lang))] if names else []
    rows = rows[rows["rank"].notna()]
    if len(rows) < 2:
        return unranked
    sentences = _tell_apart(rows, lang) or [message("say_not_ordered", lang, n=len(rows))]
    partly = rows[rows[MISSING] > 0]
    if len(partly):
        sentences.append(message("say_ranked_partly", lang, n=len(partly), all=len(rows)))
    return sentences + unranked


def _tell_apart(rows: pd.DataFrame, lang: str) -> list[str]:
    """Who stands first and who last in every ranking, and whether what is not reported could change that."""
    best, worst = rows["rank_best"].to_numpy(int), rows["rank_worst"].to_numpy(int)
    low, high = rows["share_lo"].to_numpy(float), rows["share_hi"].to_numpy(float)
    itself = np.eye(len(rows), dtype=bool)
    sentences = []
    for key, apart, sure in (
        ("say_ranked_first", best[:, None] > worst, low > high[:, None]),
        ("say_ranked_last", worst[:, None] < best, high < low[:, None]),
    ):  # in column b of row a: whether b stands apart from a
        settled = (sure | itself).all(axis=0)
        for place in np.flatnonzero((apart | itself).all(axis=0)):
            text = message(key, lang, name=literal(_name_group(next(rows.iloc[[place]].itertuples()), lang)))
            sentences.append(text if settled[place] else text + message("say_unless_reported", lang))
    return sentences


def tell_items(items: pd.DataFrame, period: str, lang: str) -> list[str]:
    """How many items are open and closed, whose they are, and what the last period brought."""
    if items.empty:
        return [message("say_no_items", lang)] if period else []
    still = items[items["status"] == "open"]
    rows = still.drop_duplicates(PAIR)
    values = {"items": len(still), "rows": len(rows), "closed": len(items) - len(still)}
    moved = {"opened": (items["opened"] == period).sum(), "closed": (items["closed"] == period).sum()}
    sentences = [
        message("say_items", lang, **values),
        message("say_items_moved", lang, period=period_text(period, lang), **moved),
    ]
    if len(rows):
        departments = rows["department"].replace("", message("no_owner", lang))
        owners = [f"{county} {owner}" for county, owner in zip(name_regions(rows, lang), departments, strict=True)]
        sentences.append(message("say_owners", lang, list=_list_counts(owners, lang)))
    return sentences


def tell_corrected(actuals: pd.DataFrame, lang: str) -> list[str]:
    """How many values were corrected. ``actuals``: the frame of ``load_actuals`` with its history; nothing of none."""
    if actuals.empty:
        return []
    n = int((actuals["current"] & (actuals["revision"] > 1)).sum())
    return [message("say_corrected", lang, n=n) if n else message("say_none_corrected", lang)]


def tell_county(monitored: pd.DataFrame, region: str, lang: str) -> list[str]:
    """How one county stands to its plan: at the last period of each indicator that has a value; nothing without any."""
    own = monitored[monitored["region"] == region]
    values = own[own["actual_raw"] != ""]
    if values.empty:
        return []
    latest = _keep_latest(own)
    order = values.sort_values("due", kind="stable")["period"].iloc[-1]
    sentences = _warn_synthetic(values["flags"].str.contains("synthetic"), lang)
    sentences.append(_count_statuses(latest, message("say_until", lang, period=period_text(order, lang)), lang))
    for key, status in (("say_behind", UNMET[0]), ("say_worse_than_baseline", UNMET[1])):
        found = latest[latest["status"] == status]
        if len(found):
            texts = [_tell_short(row, lang) for row in found.itertuples()]
            sentences.append(message(key, lang, n=len(found), list=listed(texts, lang)))
    missing = own[own["reason"] == MISSING]
    if len(missing):
        counts = {"n": len(missing), "indicators": missing["indicator"].nunique()}
        sentences.append(message("say_missing_own", lang, **counts, list=_list_rows(missing, lang)))
    return sentences


def _tell_short(row: Any, lang: str) -> str:
    """An indicator, and how far it is from what was asked where that is a number."""
    name = indicator_name(row.indicator, lang)
    return name if pd.isna(row.gap) else message("say_short_by", lang, name=name, gap=gap_text(row, lang))


def _keep_latest(rows: pd.DataFrame) -> pd.DataFrame:
    return keep_last(rows, rows["actual_raw"] != "").sort_index()


# --- tables -----------------------------------------------------------------------------------------------


def _as_table(rows: list[list[Any]], keys: Sequence[str], lang: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[message(f"tab_{key}", lang) for key in keys])


def _table_owned(
    rows: pd.DataFrame, by: list[str], keys: Sequence[str], tell: Callable[..., list[Any]], lang: str, region: str
) -> pd.DataFrame:
    """A line for each group of rows: county, indicator and owner, then what ``tell`` says of it and of its last row."""
    rows = rows[rows["region"] == region] if region else rows.sort_values("region", kind="stable")
    table = []
    for _, group in rows.groupby(by, sort=False):
        last = next(group.iloc[[-1]].itertuples())
        owner = last.department or message("no_owner", lang)
        table.append([region_name(last.region, lang), indicator_name(last.indicator, lang), owner, *tell(group, last)])
    frame = _as_table(table, ("county", "indicator", "owner", *keys), lang)
    return frame.iloc[:, 1:] if region else frame


def table_open(items: pd.DataFrame, lang: str, region: str = "") -> pd.DataFrame:
    """What is open: one line per county and indicator, with its owner, since when, and how far the last value is."""

    def tell(group: pd.DataFrame, last: Any) -> list[Any]:
        latest = value_text(last.latest, last.latest_unit, last, lang)
        return [
            _list_periods(group["opened"], lang),
            tell_required(last, last.opened, lang),
            message("tab_value_at", lang, value=latest, period=period_text(last.latest_period, lang)),
            _NONE if pd.isna(last.gap) else gap_text(last, lang, signed=True),
        ]

    keys = ("missed_in", "required_last", "latest", "short_by")
    return _table_owned(items[items["status"] == "open"], PAIR, keys, tell, lang, region)


def table_closed(items: pd.DataFrame, lang: str, region: str = "") -> pd.DataFrame:
    """What was missed and has been made good since: when it was opened, and the period that closed it."""

    def tell(_: pd.DataFrame, item: Any) -> list[Any]:
        return [period_text(item.opened, lang), _tell_actual(item, lang), period_text(item.closed, lang)]

    closed = items[items["status"] == "closed"]
    return _table_owned(closed, [*PAIR, "opened"], ("missed_in", "actual", "closed_in"), tell, lang, region)


def table_missing(monitored: pd.DataFrame, lang: str, region: str = "") -> pd.DataFrame:
    """What is due and not reported: one line per county and indicator, with its owner and the periods."""

    def tell(group: pd.DataFrame, _: Any) -> list[Any]:
        return [_list_periods(group["period"], lang)]

    return _table_owned(monitored[monitored["reason"] == MISSING], PAIR, ("missing_in",), tell, lang, region)


def tell_required(row: Any, period: str, lang: str, brief: bool = False) -> str:
    """What was asked for: the target as printed, or within the year the place on the way to it."""
    digits = re.search(r"\d+(?:\.\d+)?", row.target_raw)
    same = digits is None or float(digits[0]) == row.required or not value_unit(row.indicator, row.unit, lang)
    target = value_text(row.target_raw, row.target_unit, row, lang) or _NONE
    if len(period) == 4 or same or pd.isna(row.required):
        return target
    value = _tell_number(row.required, row, lang)
    return value if brief else message("tab_on_the_way", lang, value=value, target=target)


def _tell_actual(row: Any, lang: str) -> str:
    return value_text(row.actual_raw, row.actual_unit, row, lang)


def _tell_number(value: float, row: Any, lang: str) -> str:
    return join_unit(number_text(value, 3), value_unit(row.indicator, row.unit, lang))


def _tell_pace(row: Any, lang: str) -> str:
    if pd.isna(row.pace_needed) and pd.isna(row.pace_planned):
        return _NONE
    paces = f"{_show_number(row.pace_needed)} / {_show_number(row.pace_planned)}"
    return difference_text(paces, row.indicator, row.unit, lang)


def _tell_judgement(row: Any, lang: str) -> str:
    meanings = catalogue.flags().set_index("flag")[f"meaning_{lang}"]
    remarks = [meanings[flag] for flag in row.flags.split(";") if flag in _REMARKED]
    return message("say_semicolon", lang).join([judgement_names(lang)[row.reason or row.status], *remarks])


def _show_number(value: float) -> str:
    return _NONE if pd.isna(value) else number_text(value, 3)


def table_progress(monitored: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """A county's last value of each indicator beside what was asked for, the pace that is left, and its source."""
    rows = [
        [
            indicator_name(row.indicator, lang),
            period_text(row.period, lang),
            tell_required(row, row.period, lang),
            _tell_actual(row, lang) or _NONE,
            _tell_judgement(row, lang),
            _tell_pace(row, lang),
            row.department or _NONE,
            row.source or _NONE,
        ]
        for row in _keep_latest(monitored[monitored["region"] == region]).itertuples()
    ]
    keys = ("indicator", "period", "required", "actual", "judgement", "pace", "owner", "origin")
    return _as_table(rows, keys, lang)


def table_county(monitored: pd.DataFrame, region: str, lang: str) -> dict[str, pd.DataFrame]:
    """What a reader of a county's report may open, by name: its last values, what it owes, and what was made good."""
    own = monitored[monitored["region"] == region]
    if own["actual_raw"].eq("").all():
        return {}
    found = {
        "progress": table_progress(own, region, lang),
        "missing": table_missing(own, lang, region),
        "closed": table_closed(open_items(own), lang, region),
    }
    return {message(f"tab_title_{name}", lang): table for name, table in found.items()}


def table_statuses(monitored: pd.DataFrame, period: str, lang: str) -> pd.DataFrame:
    """A period, indicator by county: value, what was asked for and status; of many counties how many of each."""
    rows = of_counties(monitored)
    rows = rows[rows["period"] == period]
    if rows["region"].nunique() > FEW:
        names = [*_STATUSES, MISSING, "no_judgement"]
        wide = told_status(rows).groupby(rows["indicator"], sort=False).value_counts().unstack(fill_value=0)
        wide = wide.reindex(columns=names, fill_value=0)
        wide.columns = [judgement_names(lang)[name] for name in names]
    else:
        texts = [_tell_against(row, lang) for row in rows.itertuples()]
        wide = rows.assign(text=texts).pivot(index="indicator", columns="region", values="text")
        wide = wide.fillna(_NONE).rename(columns=lambda code: region_name(code, lang))
    wide = wide.reindex(rows["indicator"].unique()).rename(index=lambda code: indicator_name(code, lang))
    return wide.rename_axis(index=message("tab_indicator", lang), columns=None).reset_index()


def _tell_against(row: Any, lang: str) -> str:
    """The status, or why there is none, with the value and what was asked for as far as there are any."""
    word, required = judgement_names(lang)[row.reason or row.status], tell_required(row, row.period, lang, brief=True)
    if not row.actual_raw:
        return word
    text = f"{word}{message('say_colon', lang)}{_tell_actual(row, lang)}"
    return text if required == _NONE else message("tab_against", lang, text=text, required=required)


def table_rankings(rankings: pd.DataFrame, by: str, period: str, lang: str, within: bool = False) -> pd.DataFrame:
    """Ranks with their ranges, shares with theirs, and coverage."""
    rows = rankings[(rankings["by"] == by) & (rankings["period"] == period)]
    rows = rows[(rows["scope"] != "") == within]
    table = [
        [
            region_name(row.scope, lang) if within else "",
            _name_group(row, lang),
            _tell_rank(row, lang),
            percent_text(row.share) if row.judged else _NONE,
            _NONE if pd.isna(row.share_lo) else f"{percent_text(row.share_lo)} – {percent_text(row.share_hi)}",
            f"{row.judged}/{row.total}",
            row.not_reported,
            row.behind,
            row.worse_than_baseline,
        ]
        for row in rows.itertuples()
    ]
    keys = ("county", "ranked", "rank", "share", "share_range", "coverage", "missing", "behind", "worse_status")
    frame = _as_table(table, keys, lang)
    return frame if within else frame.iloc[:, 1:]


def _name_group(row: Any, lang: str) -> str:
    if row.by == "domain":
        return domain_name(row.group, lang)
    return region_name(row.group, lang) if row.by in ("county", "city") else row.group


def _tell_rank(row: Any, lang: str) -> str:
    if pd.isna(row.rank):
        return _NONE
    text = message("tab_tied" if row.tied > 1 else "tab_at", lang, rank=row.rank)
    return f"{text} [{row.rank_best}–{row.rank_worst}]" if row.rank_best < row.rank_worst else text


def table_items(items: pd.DataFrame, lang: str) -> pd.DataFrame:
    """Items by county, most open first: rows of the plan that are open, since when, and how many items were closed."""
    table = []
    for code, group in items.groupby("region"):
        still = group[group["status"] == "open"]
        since = period_text(min(still["opened"], key=last_day), lang) if len(still) else _NONE
        counts = [still["indicator"].nunique(), len(still), since, len(group) - len(still)]
        table.append([region_name(str(code), lang), *counts])
    table.sort(key=lambda row: -row[1])
    return _as_table(table, ("county", "open_rows", "open_items", "open_since", "closed_items"), lang)


def table_corrected(actuals: pd.DataFrame, lang: str) -> pd.DataFrame:
    """Every value that a later report replaced, beside the one that replaced it, with both sources."""
    keys = [*PAIR, "period"]
    later = actuals.assign(revision=actuals["revision"] - 1)
    later = later[[*keys, "revision", "raw", "published_unit", "document", "locator"]]
    pairs = actuals.merge(later, on=[*keys, "revision"], suffixes=("", "_later"))
    table = [
        [
            region_name(row.region, lang),
            indicator_name(row.indicator, lang),
            period_text(row.period, lang),
            value_text(row.raw, row.published_unit, row, lang),
            value_text(row.raw_later, row.published_unit_later, row, lang),
            place_text(row.document, row.locator, lang),
            place_text(row.document_later, row.locator_later, lang),
        ]
        for row in pairs.itertuples()
    ]
    columns = ("county", "indicator", "period", "before", "after", "place_before", "place_after")
    return _as_table(table, columns, lang)
