"""Frames -> the tables that reports show: what is printed, what it means, how sure it is. All text is escaped."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from itertools import count
from typing import Any

import numpy as np
import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.catalogue import message
from qyx_analysis.contradictions import differing, place_of, printed_value
from qyx_analysis.measures.alignment import latest
from qyx_analysis.measures.position import position
from qyx_analysis.names import region_name

_RATIOS = ("sd_ratio", "logit_sd_ratio", "log_sd_ratio", "gini_mean_difference_ratio")
_NUMBER = r"^[<>≤≥⩽⩾＜＞=+]*\s*([−-]?\d[\d,]*(?:\.\d+)?)"  # also behind the sign of a bound
_NUMERIC = ' data-sort-method="number"'
_BELOW_ALL = "-999999999999"
_FEW = 8  # regions that fit side by side as columns of a table


def as_html(frame: pd.DataFrame, caption: str) -> str:
    """Render a frame as an accessible HTML table; its first column names the rows.

    A column of numbers says so, and its cells carry theirs, for readers who sort.

    >>> as_html(pd.DataFrame({"a": ["<b>"]}), "c")[-62:]
    '<tbody><tr><th scope="row">&lt;b&gt;</th></tr></tbody></table>'
    """
    texts = frame.astype(str)
    keys = pd.DataFrame({name: _sort_keys(texts[name]) for name in texts})
    head = "".join(
        f'<th scope="col"{_NUMERIC * bool(keys[name].any())}>{escape(str(name))}</th>' for name in texts.columns
    )
    rows = zip(texts.itertuples(index=False), keys.itertuples(index=False), strict=True)
    body = "".join(f"<tr>{''.join(map(_cell, count(), row, row_keys))}</tr>" for row, row_keys in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(column: int, text: str, key: str) -> str:
    order = f' data-sort="{key}"' if key else ""
    return f"<td{order}>{escape(text)}</td>" if column else f'<th scope="row"{order}>{escape(text)}</th>'


def _sort_keys(texts: pd.Series) -> pd.Series:
    """The number that a cell begins with, where most of a column's cells have one; what has none comes first."""
    number = texts.str.extract(_NUMBER, expand=False).str.replace(",", "").str.replace("−", "-")
    return number.fillna(_BELOW_ALL) if number.notna().mean() > 0.5 else texts.map(lambda _: "")


# --- words for codes --------------------------------------------------------------------------------------


@cache
def _names(column: str) -> dict[str, str]:
    return catalogue.indicators().set_index("code")[column].to_dict()


def indicator_name(code: str, lang: str) -> str:
    """The short name of an indicator; a local one by its printed name.

    >>> indicator_name("nursery_places", "en")
    'Nursery places'
    """
    return _names(f"short_{lang}").get(code, code.removeprefix("local:"))


def row_label(number: Any, code: str, lang: str) -> str:
    """How a row is called in tables: its printed number and short name."""
    return indicator_name(code, lang) if pd.isna(number) else f"{number} {indicator_name(code, lang)}"


def domain_name(domain: str, lang: str) -> str:
    """The name of a domain in ``lang``."""
    return domain if lang == "zh" else _domains_en().get(domain, domain)


@cache
def _domains_en() -> dict[str, str]:
    own, others = catalogue.domains(), catalogue.domain_aliases()
    return dict(zip(others["alias"], others["name_en"], strict=True)) | dict(
        zip(own["domain"], own["name_en"], strict=True)
    )


@cache
def _meanings(table: str, lang: str) -> dict[str, str]:
    rows = getattr(catalogue, table)()
    return dict(zip(rows.iloc[:, 0], rows[f"meaning_{lang}"], strict=True))


def status_text(status: str, lang: str) -> str:
    """What a status of a measure means; nothing where there is nothing to add to the value."""
    return "" if status == "ok" else _meanings("statuses", lang)[status]


def short_status(status: str, lang: str) -> str:
    """The first words of a status, for the cell of a matrix.

    >>> short_status("state", "en")
    'An ordered state (passed or not)'
    """
    return re.split("[，：:]", status_text(status, lang))[0]


def number_text(value: float, digits: int = 2) -> str:
    """A number with at most ``digits`` decimals and a real minus sign.

    >>> number_text(-0.5), number_text(14000.0), number_text(np.inf)
    ('−0.5', '14000', '∞')
    """
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "0") else text.replace("-", "−")


def percent_text(value: float) -> str:
    """A share as whole percent: 0.6 -> 60%."""
    return number_text(value * 100, 0) + "%" if np.isfinite(value) else number_text(value)


def interval_text(row: Any, show: Any) -> str:
    """A value with the interval that bounds and rounding allow, or the status that says why there is none."""
    if row.value != row.value:
        return ""
    text = show(row.value)
    if row.lo != row.lo or (row.lo == row.hi):
        return text
    low, high = show(row.lo), show(row.hi)
    return text if low == high else f"{text} [{low}, {high}]".replace(" ", "\u00a0")


def printed_text(raw: str, lang: str) -> str:
    """A printed cell for reading: a gap is said to be one."""
    return raw if raw.strip() else message("tab_blank", lang)


# --- one county -------------------------------------------------------------------------------------------


def printed_table(targets: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """The county's rows as its plan prints them: one column per year, and the place in the source."""
    own = targets[targets["region"] == region]
    wide = own.pivot_table(index="indicator", columns="year", values="raw", aggfunc="first", sort=False)
    first = own.drop_duplicates("indicator").set_index("indicator")
    table = pd.DataFrame(
        {
            message("tab_indicator", lang): [row_label(row.number, row.Index, lang) for row in first.itertuples()],
            message("tab_unit", lang): first["published_unit"].replace("", "—"),
        }
    )
    for year in wide.columns:
        table[str(year)] = wide[year].map(lambda raw: printed_text(raw, lang))
    table[message("tab_place", lang)] = (
        first["document"] + ", " + first["locator"].str.replace(r" cell \d+", "", regex=True)
    )
    return table


def domain_table(targets: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """Where the county's final planned values stand in each domain, counted by indicator, never averaged."""
    own = targets[targets["region"] == region].drop_duplicates("indicator")
    placed = standing(targets, region).set_index("indicator")
    rows = []
    for domain in catalogue.domains()["domain"]:
        codes = own.loc[own["domain"] == domain, "indicator"]
        known = placed.loc[placed.index.intersection(codes)]
        better, worse = (
            (known["above"] * 2 > known["n"] - 1).sum(),
            (known["below"] * 2 > known["n"] - 1).sum(),
        )
        rows.append([domain_name(domain, lang), len(codes), len(known), better, worse, len(known) - better - worse])
    keys = ("tab_domain", "tab_rows", "tab_comparable", "tab_better", "tab_worse", "tab_between")
    return pd.DataFrame(rows, columns=[message(key, lang) for key in keys])


def standing(targets: pd.DataFrame, region: str) -> pd.DataFrame:
    """Position of the county's final planned values among the counties: see :func:`position`.

    Absolute counts and states are left out; the intervals are those of the printed bounds and digits.
    """
    from qyx_analysis.measures.common import panel

    known = catalogue.indicators()
    counties = targets[(targets["level"] == "county") | (targets["region"] == region)]
    cells = panel(counties, known)
    sign = cells.of("direction")
    lo, hi = cells.lo[:, -1] * sign, cells.hi[:, -1] * sign
    results = cells.rows[["region", "indicator", "scale"]].assign(
        value=cells.value[:, -1] * sign, lo=np.minimum(lo, hi), hi=np.maximum(lo, hi)
    )
    return position(results[~results["scale"].isin(["count", "state"]) & (sign != 0)], region)


def ambition_table(targets: pd.DataFrame, ambition: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """Baseline, final target, planned change, closed gap and its position among the counties, per indicator."""
    own = targets[(targets["region"] == region) & ~targets["indicator"].str.startswith("local:")]
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
        rows.append(
            [
                row_label(row.number, row.indicator, lang),
                printed_text(first.get(row.indicator, ""), lang),
                printed_text(last.get(row.indicator, ""), lang),
                "—" if pd.isna(moved["value"]) else number_text(moved["value"], 3),
                interval_text(row, percent_text) or "—",
                _place_text(place, lang),
                status_text(moved["status"] if row.status == "no_limit" else row.status, lang),
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


def timing_table(trajectory: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """When the county's planned change is to come: index with interval, half-way year, last-year share, status."""
    own = trajectory[trajectory["region"] == region]
    values = own.pivot_table(index="indicator", columns="measure", values="value", aggfunc="first")
    values = values.reindex(columns=["half_change_year", "last_year_share"])
    rows = []
    for row in own[own["measure"] == "front_loading"].itertuples():
        half, share = values.loc[row.indicator] if row.indicator in values.index else (np.nan, np.nan)
        rows.append(
            [
                row_label(row.number, row.indicator, lang),
                interval_text(row, number_text) or "—",
                "—" if pd.isna(row.value) or pd.isna(half) else number_text(half, 1),
                "—" if pd.isna(row.value) or pd.isna(share) else percent_text(share),
                status_text(row.status, lang),
            ]
        )
    keys = ("tab_indicator", "tab_front_loading", "tab_half", "tab_last_share", "tab_status")
    return pd.DataFrame(rows, columns=[message(key, lang) for key in keys])


def findings_table(findings: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """The county's findings, the serious ones first, each with its place."""
    own = findings[findings["region"] == region]
    order = own["severity"].map({"error": 0, "warning": 1, "info": 2})
    own = own.assign(order=order).sort_values(["order", "number", "year"], kind="stable")
    rows = [
        [
            message(f"severity_{row.severity}", lang),
            "—" if not row.indicator else row_label(row.number, row.indicator, lang),
            getattr(row, f"message_{lang}"),
            row.raw or "—",
            ", ".join(filter(None, (row.document, row.locator))),
        ]
        for row in own.itertuples()
    ]
    keys = ("tab_severity", "tab_indicator", "tab_message", "tab_printed", "tab_place")
    return pd.DataFrame(rows, columns=[message(key, lang) for key in keys])


# --- the prose, and the city above ------------------------------------------------------------------------


def prose_tables(prose: pd.DataFrame, region: str, lang: str) -> dict[str, pd.DataFrame]:
    """What a plan's sentences promise beyond its table: one table per domain, under its name and number of targets."""
    own = beyond_table(prose, region, lang)
    keys = ("tab_metric", "tab_value", "tab_year", "tab_hedge", "tab_section")
    columns = [message(key, lang) for key in keys]
    return {
        message("tab_domain_count", lang, domain=domain, n=len(rows)): pd.DataFrame(
            [_promise(row, lang) for row in rows.itertuples()], columns=columns
        )
        for domain, rows in own.groupby("heading", sort=False)
    }


def beyond_table(prose: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
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
    place = place_of(said)[0 if lang == "zh" else 1]
    return [said.metric, value, "—" if pd.isna(said.year) else str(said.year), said.hedge or "—", place]


def contradictions_table(prose: pd.DataFrame, targets: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """Where the plan's sentences differ from its table: both printed texts and both places, side by side."""
    pairs = differing(prose[prose["region"] == region], targets[targets["region"] == region])
    rows = [
        [
            row_label(found["number"], found["indicator"], lang),
            _with_year(f"{said.metric}{printed_value(said)}", said.year, lang),
            place_of(said)[0 if lang == "zh" else 1],
            _with_year(found["raw"], found["year"], lang),
            f"{found['document']}, {found['locator']}",
            message(f"differ_{found['rule']}", lang),
        ]
        for said, found in sorted(pairs, key=lambda pair: pair[1]["number"])
    ]
    keys = ("tab_indicator", "tab_in_prose", "tab_place_prose", "tab_in_table", "tab_place_table", "tab_difference")
    return pd.DataFrame(rows, columns=[message(key, lang) for key in keys])


def _with_year(printed: str, year: Any, lang: str) -> str:
    return printed if pd.isna(year) else message("tab_with_year", lang, printed=printed, year=year)


def concept_name(row: Any, lang: str) -> str:
    """What a row of the alignment is about: its indicator, or the words that both plans use."""
    return row_label(row.number, row.indicator, lang) if row.indicator else f"“{row.metric}”"


def alignment_table(alignment: pd.DataFrame, lang: str, comparable: bool, region: str = "") -> pd.DataFrame:
    """Planned targets beside the city's for the last year that it sets: those that compare, or the others.

    With ``region`` only that county's; without it and with many counties, how many stand in each relation.
    """
    rows = latest(alignment)
    rows = rows[(rows["state"] != "not_comparable") == comparable]
    if region:
        rows = rows[rows["region"] == region]
    elif rows["region"].nunique() > _FEW:
        return _alignment_summary(rows, lang)
    table = [
        [
            concept_name(row, lang),
            region_name(row.region, lang),
            row.baseline_printed or "—",
            _with_year(row.county_printed or "—", row.county_year, lang),
            _with_year(row.city_printed, row.year, lang),
            message(f"align_state_{row.state}", lang),
            _reason_text(row, lang),
            f"{row.county_place or '—'}; {row.city_place}",
        ]
        for row in rows.itertuples()
    ]
    keys = [
        *("tab_indicator", "tab_county", "tab_baseline", "tab_county_target", "tab_city_target"),
        *("tab_relation", "tab_reason", "tab_place"),
    ]
    frame = pd.DataFrame(table, columns=[message(key, lang) for key in keys])
    hidden = {"tab_county": bool(region), "tab_relation": not comparable}
    return frame.drop(columns=[message(key, lang) for key, hide in hidden.items() if hide])


def _reason_text(row: Any, lang: str) -> str:
    remarks = [_meanings("flags", lang)[flag] for flag in row.flags.split(";") if flag]
    return message("say_semicolon", lang).join([message(f"align_reason_{row.reason}", lang), *remarks])


def _alignment_summary(rows: pd.DataFrame, lang: str) -> pd.DataFrame:
    table = []
    keys = ["city", "number", "metric", "year", "city_printed"]
    for _, group in rows.groupby(keys, sort=False, dropna=False):
        first = next(group.itertuples())
        compared = first.state != "not_comparable"
        what = ("align_state_" if compared else "align_reason_") + group["state" if compared else "reason"]
        counts = what.value_counts().items()
        table.append(
            [
                concept_name(first, lang),
                region_name(first.city, lang),
                _with_year(first.city_printed, first.year, lang),
                len(group),
                message("say_semicolon", lang).join(f"{message(str(key), lang)} {n}" for key, n in counts),
            ]
        )
    titles = ("tab_indicator", "tab_city", "tab_city_target", "tab_counties", "tab_relation")
    return pd.DataFrame(table, columns=[message(key, lang) for key in titles])


# --- across counties --------------------------------------------------------------------------------------


def measure_table(results: pd.DataFrame, measure: str, lang: str, percent: bool = False) -> pd.DataFrame:
    """One measure, indicator by county; with many counties their lowest, median and highest instead.

    A cell without a value says why in words.
    """
    rows = results[results["measure"] == measure]
    show = percent_text if percent else number_text
    if rows["region"].nunique() > _FEW:
        return _summary_table(rows, lang, show)
    rows = rows.assign(
        text=[interval_text(row, show) or short_status(row.status, lang) for row in rows.itertuples()],
        label=[row_label(row.number, row.indicator, lang) for row in rows.itertuples()],
    )
    order = rows.drop_duplicates("label").sort_values("number", kind="stable")["label"]
    wide = rows.pivot(index="label", columns="region", values="text").loc[order].fillna("—")
    wide.columns = [region_name(code, lang) for code in wide.columns]
    return wide.rename_axis(message("tab_indicator", lang)).reset_index()


def _summary_table(rows: pd.DataFrame, lang: str, show: Any) -> pd.DataFrame:
    known = rows.dropna(subset="value").sort_values("number", kind="stable")
    table = []
    for code, group in known.groupby("indicator", sort=False):
        low, high = group.loc[group["value"].idxmin()], group.loc[group["value"].idxmax()]
        table.append(
            [
                row_label(low["number"], str(code), lang),
                len(group),
                f"{show(low['value'])} {region_name(low['region'], lang)}",
                show(group["value"].median()),
                f"{show(high['value'])} {region_name(high['region'], lang)}",
            ]
        )
    keys = ("tab_indicator", "tab_counties", "tab_lowest", "tab_median", "tab_highest")
    return pd.DataFrame(table, columns=[message(key, lang) for key in keys])


def convergence_table(dispersion: pd.DataFrame, lang: str) -> pd.DataFrame:
    """Per indicator: how the planned spread of the final year compares with the baseline's, and the verdict."""
    ratios = dispersion[dispersion["measure"].isin(_RATIOS)].assign(
        scale=lambda rows: rows["measure"].eq("sd_ratio").map({True: "first", False: "second"})
    )
    wide = ratios.pivot_table(index="indicator", columns="scale", values="value", aggfunc="first")
    wide = wide.reindex(columns=["first", "second"])
    rows = []
    for row in dispersion[dispersion["measure"] == "convergence"].itertuples():
        pair = wide.loc[row.indicator] if row.indicator in wide.index else (np.nan, np.nan)
        texts = ["—" if pd.isna(value) else number_text(value) for value in pair]
        rows.append(
            [
                row_label(row.number, row.indicator, lang),
                row.n,
                *texts,
                status_text(row.status, lang),
            ]
        )
    keys = ("tab_indicator", "tab_counties", "tab_sd_ratio", "tab_second_ratio", "tab_status")
    return pd.DataFrame(rows, columns=[message(key, lang) for key in keys])
