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
from qyx_analysis.figures.rows import decided
from qyx_analysis.measures.alignment import latest
from qyx_analysis.measures.position import position
from qyx_analysis.names import LOCAL, domain_name, indicator_name, indicators_of, indicators_shown, region_name

FEW = 8  # regions that fit side by side as columns of a table, and by name into a sentence
_NUMBER = r"^[<>≤≥⩽⩾＜＞=+]*\s*([−-]?\d[\d,]*(?:\.\d+)?)"  # also behind the sign of a bound
_NUMERIC = ' data-sort-method="number"'
_LONG = 14  # Chinese characters of a row's name that stay on one line
_BELOW_ALL = "-999999999999"
_PLACE = re.compile(r"\b(line|page|table|row|character|sheet|cell) (\S+)")


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
    if column:
        wide = ' class="words"' if not key and len(text) > 4 else ""
        return f"<td{wide}{order}>{escape(text)}</td>"
    wrapped = ' class="long"' if len(text) > _LONG and not text.isascii() else ""
    return f'<th scope="row"{wrapped}{order}>{escape(text)}</th>'


def _sort_keys(texts: pd.Series) -> pd.Series:
    """The number that a cell begins with, where most of a column's cells have one; what has none comes first."""
    number = texts.str.extract(_NUMBER, expand=False).str.replace(",", "").str.replace("−", "-")
    return number.fillna(_BELOW_ALL) if number.notna().mean() > 0.5 else texts.map(lambda _: "")


# --- words for codes --------------------------------------------------------------------------------------


@cache
def _meanings(table: str, lang: str) -> dict[str, str]:
    rows = getattr(catalogue, table)()
    return dict(zip(rows.iloc[:, 0], rows[f"meaning_{lang}"], strict=True))


def status_text(status: str, lang: str) -> str:
    """What a status of a measure means; nothing where there is nothing to add to the value."""
    return "" if status == "ok" else _meanings("statuses", lang)[status]


def brief_status(status: str, lang: str) -> str:
    """A status in the few words of the pictures; nothing where there is nothing to add.

    >>> brief_status("unresolved", "en"), brief_status("ok", "en")
    ('within rounding', '')
    """
    return "" if status == "ok" else message(f"fig_status_{status}", lang)


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


def of_counties(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out cities and the province, whose codes end in 00 (GB/T 2260): benchmarks are never counted.

    >>> of_counties(pd.DataFrame({"region": ["330213", "330200"]}))["region"].tolist()
    ['330213']
    """
    return rows[~rows["region"].str.endswith("00")]


def printed_text(raw: str, lang: str) -> str:
    """A printed cell for reading: a gap is said to be one."""
    return raw if raw.strip() else message("tab_blank", lang)


# --- one county -------------------------------------------------------------------------------------------


def printed_table(targets: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
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


def place_text(document: str, locator: str, lang: str) -> str:
    """Where something is printed, in the words of a language; the cell of a line is left out.

    >>> place_text("fenghua", "line 28 cell 3", "zh"), place_text("plan", "page 2 row 7", "en")
    ('fenghua，第 28 行', 'plan, page 2 row 7')
    """
    parts = ", ".join(filter(None, (document, re.sub(r" cell \d+", "", locator))))
    if lang == "en":
        return parts
    words = _PLACE.sub(lambda match: message(f"place_{match[1]}", lang, n=match[2]), parts)
    return words.replace(", ", "，").replace(" 第", "第")


def domain_table(targets: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
    """Where the county's final planned values stand in each domain, counted by indicator, never averaged."""
    own = indicators_shown(targets[targets["region"] == region])
    placed = standing(targets, region).set_index("indicator")
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


def standing(targets: pd.DataFrame, region: str) -> pd.DataFrame:
    """Position of the county's final planned values among the counties: see :func:`position`.

    Absolute counts and states are left out; the intervals are those of the printed bounds and digits.
    """
    from qyx_analysis.measures.panel import panel

    counties = targets[(targets["level"] == "county") | (targets["region"] == region)]
    cells = panel(counties, indicators_of(counties))
    sign = cells.of("direction")
    lo, hi = cells.lo[:, -1] * sign, cells.hi[:, -1] * sign
    results = cells.rows[["region", "indicator", "scale"]].assign(
        value=cells.value[:, -1] * sign, lo=np.minimum(lo, hi), hi=np.maximum(lo, hi)
    )
    return position(results[~results["scale"].isin(["count", "state"]) & (np.abs(sign) == 1)], region)


def ambition_table(targets: pd.DataFrame, ambition: pd.DataFrame, region: str, lang: str) -> pd.DataFrame:
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
                indicator_name(row.indicator, lang),
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
    order = list(indicators_shown(targets, region).index)
    rows = [
        [
            indicator_name(found["indicator"], lang),
            _with_year(f"{said.metric}{printed_value(said)}", said.year, lang),
            place_of(said)[0 if lang == "zh" else 1],
            _with_year(found["raw"], found["year"], lang),
            place_text(found["document"], found["locator"], lang),
            message(f"differ_{found['rule']}", lang),
        ]
        for said, found in sorted(pairs, key=lambda pair: order.index(pair[1]["indicator"]))
    ]
    keys = ("tab_indicator", "tab_in_prose", "tab_place_prose", "tab_in_table", "tab_place_table", "tab_difference")
    return pd.DataFrame(rows, columns=[message(key, lang) for key in keys])


def _with_year(printed: str, year: Any, lang: str) -> str:
    return printed if pd.isna(year) else message("tab_with_year", lang, printed=printed, year=year)


def concept_name(row: Any, lang: str) -> str:
    """What a row of the alignment is about: its indicator, or the words that both plans use."""
    return indicator_name(row.indicator, lang) if row.indicator else f"“{row.metric}”"


def alignment_table(alignment: pd.DataFrame, lang: str, comparable: bool, region: str = "") -> pd.DataFrame:
    """Planned targets beside the city's for the last year that it sets: those that compare, or the others.

    With ``region`` only that county's; without it and with many counties, how many stand in each relation.
    """
    rows = latest(alignment)
    rows = rows[(rows["state"] != "not_comparable") == comparable]
    if region:
        rows = rows[rows["region"] == region]
    elif rows["region"].nunique() > FEW:
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
            message("say_semicolon", lang).join(
                place_text(place, "", lang) or "—" for place in (row.county_place, row.city_place)
            ),
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
    keys = ["city", "indicator", "metric", "year", "city_printed"]
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
    return _by_county(rows, "indicator", lang)


def _by_county(rows: pd.DataFrame, by: str, lang: str) -> pd.DataFrame:
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
            found = [middle, _span(low, high), _end(sure, lang, show, -1), _end(sure, lang, show, 1)]
        label = indicator_name(str(code), lang)
        table.append([label, len(group), len(sure), *found, _reasons(rest, lang)])
    keys = ("indicator", "printing", "verdicts", "median", "middle", "lowest", "highest", "without")
    return pd.DataFrame(table, columns=[message(f"tab_{key}", lang) for key in keys])


def _uncompared(rows: pd.DataFrame) -> bool:
    """Whether these are amounts of an absolute count; the shape of its path may be compared."""
    counts = rows["flags"].str.split(";").map(lambda flags: "absolute_count" in flags)
    return bool(counts.any()) and not rows["measure"].iloc[0].startswith("front_loading")


def _span(low: str, high: str) -> str:
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


def convergence_table(dispersion: pd.DataFrame, verdicts: pd.DataFrame, lang: str) -> pd.DataFrame:
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
        texts.insert(1, "—" if "—" in (low, high) else _span(low, high))
        texts.append(_agreeing(agreeing.loc[row.indicator]) or "—")
        reading = brief_status(row.status, lang)
        rows.append([indicator_name(row.indicator, lang), reading, row.n, *texts])
    keys = ("sd_ratio", "without_one", "second_ratio", "same_change", "same_closure", "agreeing")
    return pd.DataFrame(
        rows, columns=[message(f"tab_{key}", lang) for key in ("indicator", "status", "counties", *keys)]
    )


_SECOND = ("logit_sd_ratio", "log_sd_ratio", "gini_mean_difference_ratio")
_CONVERGENCE = ("sd_ratio", "second", "sd_ratio_same_change", "sd_ratio_same_closure")
_RATIOS = ("sd_ratio", *_SECOND, "sd_ratio_same_change", "sd_ratio_same_closure")


def _ratio_text(value: float) -> str:
    return "—" if pd.isna(value) else number_text(value)


def domain_spread_table(domains: pd.DataFrame, lang: str) -> pd.DataFrame:
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


def _agreeing(row: Any) -> str:
    """How many of the specifications agree with a verdict; nothing where there is none."""
    return f"{row.agreeing}/{row.specifications}" if row.specifications else ""


def verdict_table(verdicts: pd.DataFrame, kind: str, lang: str) -> pd.DataFrame:
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
    return _by_county(rows.assign(text=[_verdict_text(row, lang) for row in rows.itertuples()]), by, lang)


def _verdict_text(row: Any, lang: str) -> str:
    """In brackets what at most half of the specifications agree with."""
    if row.status not in FIRM:
        return brief_status(row.status, lang)
    text = f"{message(f'verdict_{row.verdict}', lang)} {_agreeing(row)}"
    if pd.notna(row.rank_best):
        ends = f"{row.rank_best}–{row.rank_worst}" if row.rank_best < row.rank_worst else f"{row.rank_best}"
        text += message("say_semicolon", lang) + message("tab_ranks", lang, ends=ends, n=row.n)
    return f"({text})" if row.status == "contested" else text


def _counted(rows: pd.DataFrame, kind: str, lang: str) -> list[Any]:
    """How many counties have each verdict, and who is surely in the first and in the last quarter of the ranks."""
    firm = rows[rows["status"].isin(FIRM)]
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


WORDS = {
    "timing": ("back_loaded", "even", "front_loaded"),
    "ambition": ("less_ambitious", "middle", "more_ambitious"),
    "profile": ("less_ambitious", "middle", "more_ambitious"),
}
FIRM = ("ok", "reversing", "contested")  # statuses under which only disagreement stands against a verdict
