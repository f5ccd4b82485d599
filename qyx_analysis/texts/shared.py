"""What all texts share: who is counted, lists of names, and a measure as a table of indicators by counties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from qyx_analysis.catalogue import message
from qyx_analysis.catalogue.wording import brief_status, interval_text, listed, number_text, percent_text, value_unit
from qyx_analysis.figures.rows import decided
from qyx_analysis.names import LOCAL, domain_name, indicator_name, region_name

FEW = 8  # regions that fit side by side as columns of a table, and by name into a sentence


MOST = 3


def of_counties(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out cities and the province, whose codes end in 00 (GB/T 2260): benchmarks are never counted.

    >>> of_counties(pd.DataFrame({"region": ["330213", "330200"]}))["region"].tolist()
    ['330213']
    """
    return rows[~rows["region"].str.endswith("00")]


def county_codes(targets: pd.DataFrame) -> set[str]:
    return set(targets.loc[targets["level"] == "county", "region"])


def list_indicators(rows: pd.DataFrame, lang: str) -> str:
    return listed((indicator_name(code, lang) for code in rows["indicator"]), lang)


_POINTS = {"%": "unit_points", "‰": "unit_per_mille_points"}  # what two percentages differ by


def join_unit(number: str, unit: str) -> str:
    """A number with its unit behind it.

    >>> join_unit("82", "%"), join_unit("1.7", "10 000 people"), join_unit("3", "")
    ('82%', '1.7 × 10 000 people', '3')
    """
    if unit in _POINTS:
        return number + unit
    return f"{number} × {unit}" if unit[:1].isdigit() else f"{number} {unit}".strip()


def difference_text(number: str, code: str, unit: str, lang: str) -> str:
    """A difference in the unit of the indicator; two percentages differ by percentage points."""
    name = value_unit(code, unit, lang)
    return join_unit(number, message(_POINTS[name], lang) if name in _POINTS else name)


def pace_text(code: str, pace: float, lang: str) -> str:
    """A change a year in the unit of an indicator of the catalogue."""
    return message("say_a_year", lang, value=difference_text(number_text(pace, 3), code, "", lang))


def tell_too_few(rows: pd.DataFrame, lang: str) -> list[str]:
    """Indicators on which too few counties have a number for a comparison."""
    few = rows[rows["status"] == "too_few"].drop_duplicates("indicator")
    return [message("say_too_few", lang, n=len(few), list=list_indicators(few, lang))] if len(few) else []


def table_measure(results: pd.DataFrame, measure: str, lang: str, percent: bool = False) -> pd.DataFrame:
    """One measure, indicator by county; with many counties how they are spread, and who stands out.

    A cell without a value says why in words. Many counties: only rows that allow a verdict count, the others are
    told by their reason; a county is named where no other can be as low or as high within its interval.
    """
    rows = results[results["measure"] == measure]
    rows = rows[~rows["indicator"].isin(_not_meant(rows))]
    show = percent_text if percent else number_text
    if of_counties(rows)["region"].nunique() > FEW:
        return _summary_table(of_counties(rows), lang, show)
    rows = rows.assign(
        text=[_told(row, show) or brief_status(row.status, lang) for row in rows.itertuples()],
    )
    return spread_counties(rows, "indicator", lang)


def spread_counties(rows: pd.DataFrame, by: str, lang: str) -> pd.DataFrame:
    """The ``text`` of each county in a column, indicators (or domains) in the order in which they come.

    Beside an indicator stands how many counties print it.
    """
    named = indicator_name if by == "indicator" else domain_name
    wide = rows.pivot(index=by, columns="region", values="text").reindex(rows[by].drop_duplicates())
    printing = wide.loc[:, ~wide.columns.str.endswith("00")].notna().sum(axis=1)
    wide.columns = [region_name(code, lang) for code in wide.columns]
    table = wide.fillna("—").set_axis([named(code, lang) for code in wide.index])
    table = table.rename_axis(message(f"tab_{by}", lang))
    if by == "indicator":
        table.insert(0, message("tab_printing", lang), printing.to_numpy())
    return table.reset_index()


def _told(row: Any, show: Any) -> str:
    """A value with its interval; nothing where anything is possible and a value would only mislead."""
    return "" if np.isinf(row.lo) and np.isinf(row.hi) else interval_text(row, show)


def _not_meant(rows: pd.DataFrame) -> list[str]:
    """Indicators that a measure is not made for, whatever the counties print."""
    unknown = rows["indicator"].str.startswith(LOCAL) & ~rows["measure"].str.startswith("front_loading")
    return rows.loc[unknown | rows["status"].isin(["state", "no_limit"]), "indicator"].unique().tolist()


def _summary_table(rows: pd.DataFrame, lang: str, show: Any) -> pd.DataFrame:
    rows = rows.assign(decided=decided(rows))
    table = []
    for code, group in rows.groupby("indicator", sort=False):
        if _uncompared(group):
            group = group.assign(decided=False, status="absolute_count")
        sure, rest = group[group["decided"]], group.loc[~group["decided"], "status"]
        found = ["—"] * 4
        if len(sure):
            low, middle, high = (show(value) for value in sure["value"].quantile([0.25, 0.5, 0.75]))
            found = [middle, span_text(low, high), _end(sure, lang, show, -1), _end(sure, lang, show, 1)]
        label = indicator_name(str(code), lang)
        table.append([label, len(group), len(sure), *found, _reasons(rest, lang)])
    keys = ("indicator", "printing", "verdicts", "median", "middle", "lowest", "highest", "without")
    return pd.DataFrame(table, columns=[message(f"tab_{key}", lang) for key in keys])


def _uncompared(rows: pd.DataFrame) -> bool:
    """Whether these are amounts of an absolute count; the shape of its path may be compared."""
    counts = rows["flags"].str.split(";").map(lambda flags: "absolute_count" in flags)
    return bool(counts.any()) and not rows["measure"].iloc[0].startswith("front_loading")


def span_text(low: str, high: str) -> str:
    return f"{low} – {high}".replace(" ", "\u00a0")


def _end(rows: pd.DataFrame, lang: str, show: Any, sign: int) -> str:
    """The highest (or lowest) value and whose it is, or how many counties cannot be told apart from it."""
    lo, hi = (rows["lo"], rows["hi"]) if sign > 0 else (-rows["hi"], -rows["lo"])
    value = sign * rows["value"]
    top = value.idxmax()
    near = rows.loc[hi.fillna(value) >= lo.fillna(value)[top], "region"]
    who = region_name(near.iloc[0], lang) if len(near) == 1 else message("tab_together", lang, n=len(near))
    return f"{show(rows['value'][top])}{message('say_colon', lang)}{who}"


def _reasons(statuses: pd.Series, lang: str) -> str:
    """Why counties have no verdict and how many each, the most frequent first."""
    counts = statuses.value_counts()
    texts = [f"{message(f'fig_status_{status}', lang)} {n}" for status, n in counts.items()]
    return message("say_semicolon", lang).join(texts) or "—"
