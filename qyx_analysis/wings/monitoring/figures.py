"""Actual values beside the plans: one county's paths, the statuses of all counties, and who ranks where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qyx_analysis import catalogue, names
from qyx_analysis.cells import parse_cell
from qyx_analysis.figures import style
from qyx_analysis.figures.panels import domain_panels, domains_height, widened
from qyx_analysis.figures.paths import GAPS, PLOT, WORDS, Label, path_segments, path_ticks, right_labels, say_why
from qyx_analysis.figures.rows import NAMES, Rows, Scale, lay_rows, row_step, rows_height
from qyx_analysis.figures.scene import OPERATORS, TOLD, Domain, Scene, domains_in, in_domain, number, scene_of
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.wings.monitoring.judging import MET, UNMET, common_periods
from qyx_analysis.wings.monitoring.reading import period_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MISSING = "not_reported"
# Told apart by shape as well as by colour: met are round and upright, missed are downward and crossed.
MARKS: dict[str, dict[str, Any]] = {
    "achieved": {"marker": "o", "color": style.BLUE, "markersize": 6.0},
    "on_path": {"marker": "^", "color": style.GREEN, "markersize": 6.6},
    "behind": {"marker": "v", "color": style.ORANGE, "markersize": 6.6},
    "worse_than_baseline": {"marker": "X", "color": style.VERMILLION, "markersize": 7.4},
    "no_judgement": {"marker": "o", "color": style.SOFT, "markersize": 5.0} | style.HOLLOW,
    MISSING: {"color": style.SOFT} | style.NOT_PRINTED,
}
RANKED = {
    "county": "ranked_county",
    "city": "ranked_city",
    "domain": "ranked_domain",
    "department": "ranked_department",
}
COLUMN, MOST, CROWD = 0.3, 6, 12  # inches and number of periods side by side; counties that fit as columns
HEAD, TITLES = 0.62, 0.34  # inches above the columns of the grid, and of the rankings
BARS = 2.3  # inches for the words beside the bars
PLACES = 1.9  # inches for the names of what is ranked


@style.house_style()
def plot_progress(
    targets: pd.DataFrame, monitored: pd.DataFrame, region: object, domain: Domain = None, lang: str = "zh"
) -> Figure:
    """Draw a county's actual values on its planned paths, one small panel per indicator.

    ``targets``: the frame of ``load_targets``; ``monitored``: of :func:`qyx_analysis.monitoring`. ``region``: the
    county, by code or name; ``domain``: only this domain, by its Chinese or English name.

    Returns a matplotlib Figure whose label is its alternative text; without any value of the county it says so.
    Raises DataError for an unknown region, domain or language, and a county that is not in ``targets``.

    How to read it: the plan is grey, from its baseline to its last target; the coloured marks are actual values at the
    day they hold to, and shape and colour tell how they are judged: within a year against the line between two
    year-ends. An open square at the bottom was due and not reported. The latest value stands on the right with its
    period, the last target in grey.

    >>> from qyx_analysis import load_targets, monitoring, load_actuals
    >>> targets = load_targets()
    >>> plot_progress(targets, monitoring(targets, load_actuals()), "奉化区", lang="en").get_label()
    'There are 0 actual values of Fenghua: nothing to set beside its plan.'
    """
    scene = scene_of(in_domain(targets, domain), region, lang)
    table = scene.own
    rows = _told(monitored[(monitored["region"] == scene.chosen) & monitored["indicator"].isin(table.index)])
    first, last, who = scene.years[0], scene.years[-1], scene.name(scene.chosen)
    title = scene.say("progress_title", county=who, first=first, last=last)
    if rows["actual_raw"].eq("").all():
        return style.without_picture(title, scene.say("progress_none", county=who))
    grey: dict[str, Any] = {"color": style.OTHER}
    entries: list[style.Entry] = [
        (grey | style.BASELINE, scene.say("key_baseline", year=first)),
        (grey | style.POINT | {"linestyle": "solid", "linewidth": 1.6, "markevery": [1]}, scene.say("key_plan")),
        *_key_entries(rows, lang),
    ]
    body, note = domains_height(table), scene.say("progress_note")
    figure, top = style.page(title, scene.say("progress_subtitle"), entries, body, note)
    for code, ax in domain_panels(figure, scene, table, top, (0.46, 0.95), PLOT):
        _progress(ax, scene, code, rows[rows["indicator"] == code])
    latest = rows.drop_duplicates("indicator", keep="last")
    counts = _counts(latest)
    _finish(figure, rows, scene.say("progress_alt", county=who, n=len(latest), **counts), lang)
    return figure


@style.house_style()
def plot_statuses(monitored: pd.DataFrame, domain: Domain = None, lang: str = "zh") -> Figure:
    """Draw how each county stands to each of its targets, up to the last period due for half as many rows as any.

    ``monitored``: the frame of :func:`qyx_analysis.monitoring`. ``domain``: only this domain, by its Chinese or
    English name.

    Returns a matplotlib Figure whose label is its alternative text; without any value it says so. Raises DataError
    for another language and an unknown domain.

    How to read it: up to twelve counties have columns of marks, with the periods before as far as there is room,
    told apart by shape and colour. Of more counties the bars count how many have each status; the words beside them
    are those that meet the target of those that can be judged.

    >>> from qyx_analysis import load_targets, monitoring, load_actuals
    >>> plot_statuses(monitoring(load_targets(), load_actuals()), lang="en").get_label()
    'There are 0 actual values: nothing to set beside the plans.'
    """
    if domain:
        monitored = monitored[monitored["domain"].isin(domains_in(monitored, domain))]
    scene = _scene(monitored, lang)
    table = scene.shared
    rows = _told(scene.cells[scene.cells["level"] == "county"])
    if rows["actual_raw"].eq("").all():
        return style.without_picture(scene.say("statuses_title_none"), scene.say("statuses_none"))
    known = common_periods(rows)
    period, at = _last(rows[rows["indicator"].isin(table.index)])
    when = period_text(period, lang)
    title = scene.say("statuses_title", who=scene.who, period=when)
    alt = scene.say("statuses_alt", who=scene.who, n=len(table), period=when, **_counts(at))
    if len(scene.counties) <= CROWD:
        width = (style.WIDTH - 2 * style.MARGIN - NAMES) / len(scene.counties)
        room = int(np.clip((width - 0.1) / COLUMN, 1, MOST))
        before = known[: known.index(period)] if period in known else []
        periods = [*before, period][-room:]
        at = rows[rows["period"].isin(periods) & rows["indicator"].isin(table.index)]
        figure = _grid(scene, table, at, periods, title)
    else:
        figure = _bars(scene, table, at, title)
    _finish(figure, at, alt, lang)
    return figure


@style.house_style()
def plot_rankings(ranked: pd.DataFrame, by: str = "county", region: object = None, lang: str = "zh") -> Figure:
    """Draw who ranks where in the last period due for half as many rows as any, and how far that can be relied on.

    ``ranked``: the frame of :func:`qyx_analysis.rankings`. ``by``: ``county``, ``city``, ``domain`` or
    ``department``. ``region``: the domains or departments within this region; else those of all counties together.

    Returns a matplotlib Figure whose label is its alternative text; without any rank it says so. Raises DataError for
    another language and an unknown region, ValueError for another ``by``.

    How to read it: the dot is the share of the judged rows that is met or on the path; the line reaches from where it
    would be if all that is not reported were missed to where it would be if all of it were met. On the right the
    rank, and as a bar its range when each indicator in turn is left out: two whose bars overlap are not ordered. The
    last column is the coverage, without which no rank should be read.

    >>> from qyx_analysis import load_targets, monitoring, load_actuals, rankings
    >>> plot_rankings(rankings(monitoring(load_targets(), load_actuals())), lang="en").get_label()
    'There are 0 actual values: nothing to rank by the plans.'
    """
    if by not in RANKED:
        raise ValueError(f"by {by!r} is not one of {', '.join(RANKED)}")
    say = _say(lang)
    scope = "" if region is None or region == "" else names.find_region(region)
    rows = ranked[(ranked["by"] == by) & (ranked["scope"] == scope) & ranked["rank"].notna()]
    what = say(RANKED[by])
    if rows.empty:
        return style.without_picture(say("rankings_title_none", what=what), say("rankings_none"))
    period, rows = _last(rows)
    when = period_text(period, lang)
    title = say("rankings_title", what=what, period=when)
    title = say("of_region", county=names.region_name(scope, lang), text=title) if scope else title
    entries: list[style.Entry] = [
        (style.POINT | {"color": style.BLUE}, say("key_share")),
        ({"color": style.OTHER, "linestyle": "solid", "linewidth": 3}, say("key_share_range")),
        ({"color": style.BAND, "linestyle": "solid", "linewidth": 8, "solid_capstyle": "butt"}, say("key_rank_range")),
        ({"color": style.INK, "marker": "|", "markersize": 9, "markeredgewidth": 2}, say("key_rank")),
    ]
    step = 0.3 if len(rows) <= 2 * CROWD else 0.185
    body = TITLES + step * len(rows) + 0.35
    figure, top = style.page(title, say("rankings_subtitle"), entries, body, say("rankings_note"))
    _league(figure, rows, top, step, lang)
    separate = _separate(rows)
    _finish(figure, rows, say("rankings_alt", what=what, n=len(rows), period=when, separate=separate), lang)
    return figure


# --- what they share --------------------------------------------------------------------------------------


def _say(lang: str) -> Any:
    if lang not in ("zh", "en"):
        raise DataError(Problem("lang_unknown", "lang", text=str(lang)))
    return lambda key, **values: catalogue.message(f"fig_{key}", lang, **values)


def _scene(monitored: pd.DataFrame, lang: str) -> Scene:
    """The scene of rows that are judged, and whose they are."""
    _say(lang)
    return Scene(monitored.assign(level=monitored["region"].map(names.region_level)), "", lang)


def _last(rows: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """The last common period, and its rows."""
    period = common_periods(rows)[-1]
    return period, rows[rows["period"] == period]


def _told(rows: pd.DataFrame) -> pd.DataFrame:
    """By day, with ``told``: the status, or that what is due is not reported; ``at``: the day on an axis of years."""
    told = rows["status"].mask(rows["reason"] == MISSING, MISSING)
    rows = rows.assign(told=told, at=rows["year"] - 1 + rows["due"].str[5:7].astype(int) / 12)
    return rows.sort_values("due", kind="stable")


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    return {name: int((rows["told"] == name).sum()) for name in MARKS}


def _key_entries(rows: pd.DataFrame, lang: str) -> list[style.Entry]:
    words = names.judgement_names(lang)
    return [(mark, words[name]) for name, mark in MARKS.items() if (rows["told"] == name).any()]


def _finish(figure: Figure, rows: pd.DataFrame, alt: str, lang: str) -> None:
    """Label the figure; what holds synthetic values says so before its title, where a phone shows it, and its label."""
    if rows["flags"].str.contains("synthetic").any():
        warning = catalogue.message("synthetic", lang)
        box = {"facecolor": "white", "edgecolor": style.VERMILLION, "linewidth": 1.4, "pad": 4.0}
        figure.texts[0].set_x((style.MARGIN + style.text_width(warning, style.BODY) + 0.25) / style.WIDTH)  # the title
        style.write(figure, style.MARGIN + 0.06, 0.18, warning, color=style.dark(style.VERMILLION), bbox=box)
        alt = _say(lang)("synthetic_alt", warning=warning, alt=alt)
    figure.set_label(alt)


# --- one county's paths -----------------------------------------------------------------------------------


def _progress(ax: Axes, scene: Scene, code: str, rows: pd.DataFrame) -> None:
    entry, cells = scene.indicators.loc[code], scene.of(code, scene.chosen)
    state = entry["nature"] == "state"
    words = cells["drawn"].isna() & cells["kind"].isin(TOLD)
    reported = rows["actual_raw"] != ""
    spoken = reported & rows["actual"].isna() & (rows["reason"] != "withdrawn")
    numbers = pd.concat([cells["drawn"], rows["actual"]]).dropna().to_numpy(float)
    low, high = (-70.0, 170.0) if state else widened(numbers, 0.16) if len(numbers) else (0.0, 1.0)
    if not state:
        low, high = low - 0.15 * (high - low), high + 0.22 * (high - low) * bool(words.any() or spoken.any())
    at_words, at_gaps = (low + share * (high - low) for share in (WORDS, GAPS))
    ax.set(xlim=(scene.years[0] - 0.45, scene.years[-1] + 0.3), ylim=(low, high))
    path_ticks(ax, scene, entry, low, high, not len(numbers))
    if state:  # due at the end of the year in which it changes, and not before
        ax.plot(cells["year"], cells["drawn"], color=style.OTHER, linewidth=1.8, drawstyle="steps-post", zorder=2)
    else:
        path_segments(ax, cells.assign(at=cells["drawn"]), style.POINT | {"color": style.OTHER}, "level")
    years = cells.loc[words, "year"]
    ax.hlines([at_words] * len(years), years - 0.5, years + 0.5, color=style.OTHER, linewidth=2.8, zorder=2)
    heights = rows["actual"].mask(spoken, at_words).fillna(at_gaps)
    if not state:  # no line crosses what is not reported
        ax.plot(rows["at"], rows["actual"], color=style.SOFT, linewidth=0.9, zorder=4)
    for name, mark in MARKS.items():
        use = (rows["told"] == name) & (reported | (name == MISSING))
        if use.any():
            ax.plot(rows["at"][use], heights[use], linestyle="none", clip_on=False, zorder=6, **mark)
    labels = []
    last = cells.iloc[-1]
    if not state:
        labels.append(Label(at_words if np.isnan(last["drawn"]) else last["drawn"], scene.word(last), style.SOFT))
    if reported.any():
        latest = next(rows[reported].iloc[[-1]].itertuples())
        text = f"{_short(latest.period)} {_value(latest, scene)}"
        labels.append(Label(heights[latest.Index], text, style.dark(MARKS[latest.told]["color"])))
    right_labels(ax, labels, low, high)
    if not len(numbers) and not reported.any():
        say_why(ax, scene, code)


def _short(period: str) -> str:
    """A period in the width of a label: ``2024``, ``24Q2``, ``24-06``."""
    return period if len(period) == 4 else period[2:]


def _value(row: Any, scene: Scene) -> str:
    """What was reported, short enough for a label."""
    if row.reason == "withdrawn":
        return names.judgement_names(scene.lang)[row.reason]
    if scene.indicators.at[row.indicator, "nature"] == "state" and row.actual == row.actual:
        return scene.say("passed" if row.actual > 0 else "tick_not_passed")
    if row.actual != row.actual:
        return scene.say(f"kind_{parse_cell(row.actual_raw).kind}")
    decimals = min(3, len(f"{row.actual:.6f}".rstrip("0").partition(".")[2]))
    return OPERATORS.get(row.actual_operator, "") + number(row.actual, decimals, scene.lang)


# --- all counties -----------------------------------------------------------------------------------------


def _grid(scene: Scene, table: pd.DataFrame, rows: pd.DataFrame, periods: list[str], title: str) -> Figure:
    """A mark for every county, indicator and period."""
    step = 0.29
    entries, body = _key_entries(rows, scene.lang), HEAD + rows_height(table, step)
    note = scene.say("statuses_note") + scene.single()
    figure, top = style.page(title, scene.say("statuses_subtitle_few"), entries, body, note)
    whole = style.WIDTH - 2 * style.MARGIN - NAMES
    lines = lay_rows(figure, table, top + HEAD, step, Scale(0.0, whole, {}, 0, False, False, False), side=0.0)
    lines.ax.spines["bottom"].set_visible(False)
    width = whole / len(scene.counties)
    gap = min(0.42, (width - 0.1) / len(periods))
    offsets = dict(zip(periods, width / 2 + gap * (np.arange(len(periods)) - (len(periods) - 1) / 2), strict=True))
    starts = dict(zip(scene.counties, width * np.arange(len(scene.counties)), strict=True))
    for code, start in starts.items():
        left = style.MARGIN + NAMES + start
        name = "\n".join(style.wrap(scene.name(code), style.SMALL, width)[:2])
        style.write(figure, left + width / 2, top + 0.02, name, ha="center", fontsize=style.SMALL + len(periods) // 2)
        for period, offset in offsets.items():
            text = "\n".join(filter(None, (period[:4], period[4:].lstrip("-"))))
            options: dict[str, Any] = {"ha": "center", "va": "top", "color": style.SOFT, "linespacing": 1.1}
            style.write(figure, left + offset, top + 0.27, text, fontsize=7.5, **options)
        if start:
            lines.ax.axvline(start, color=style.FAINT, linewidth=1, zorder=0)
    xs = rows["region"].map(starts) + rows["period"].map(offsets)
    ys = rows["indicator"].map(lines.at)
    for told, mark in MARKS.items():
        use = rows["told"] == told
        lines.ax.plot(xs[use], ys[use], linestyle="none", clip_on=False, zorder=3, **mark)
    return figure


def _bars(scene: Scene, table: pd.DataFrame, rows: pd.DataFrame, title: str) -> Figure:
    """How many counties have each status, as parts of a bar."""
    words = names.judgement_names(scene.lang)
    entries: list[style.Entry] = [
        ({"color": _tone(name), "linestyle": "solid", "linewidth": 8, "solid_capstyle": "butt"}, words[name])
        for name in MARKS
        if (rows["told"] == name).any()
    ]
    body = rows_height(table, row_step(scene) - 0.1) + 0.35
    note = scene.say("statuses_note") + scene.single()
    figure, top = style.page(title, scene.say("statuses_subtitle_many"), entries, body, note)
    counts = rows.groupby(["indicator", "told"]).size().unstack(fill_value=0).reindex(columns=list(MARKS), fill_value=0)
    most = len(scene.counties)
    scale = Scale(0.0, most, {0.0: "0", float(most): str(most)}, 0, False, False, False)
    lines = lay_rows(figure, table, top, row_step(scene) - 0.1, scale, side=BARS)
    lines.ax.set_xlabel(scene.say("statuses_axis"), fontsize=style.SMALL, labelpad=1)
    for code, row in counts.iterrows():
        _bar(lines, scene, lines.at[str(code)], row)
    return figure


def _tone(told: str) -> str:
    """The colour of a bar: that of the mark; what is not judged stays pale."""
    return {"no_judgement": style.BAND, MISSING: style.FAINT}.get(told, MARKS[told]["color"])


def _on_tone(told: str) -> str:
    """A colour that is read on that of a bar, on white paper and in the dark: black there stays black."""
    return {"achieved": "#ffffff", "no_judgement": style.INK, MISSING: style.INK}.get(told, "#111111")


def _bar(lines: Rows, scene: Scene, y: float, counts: pd.Series) -> None:
    start = 0
    inch = lines.ax.get_position().width * style.WIDTH / lines.ax.get_xlim()[1]
    for told, n in counts.items():
        lines.ax.barh(y, n, 0.2, start, color=_tone(str(told)), edgecolor="white", linewidth=0.6, zorder=2)
        if n * inch > style.text_width(str(n), style.SMALL) + 0.06:
            lines.ax.text(
                start + n / 2, y, str(n), ha="center", va="center", fontsize=style.SMALL, zorder=3,
                color=_on_tone(str(told)),
            )  # fmt: skip
        start += n
    met, judged = int(counts[list(MET)].sum()), int(counts[[*MET, *UNMET]].sum())
    text = scene.say("met_of", n=met, judged=judged) if judged else scene.say("none_judged")
    lines.ax.annotate(
        text, (1, y), (12, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
        fontsize=style.SMALL, color=style.SOFT, annotation_clip=False,
    )  # fmt: skip


# --- rankings ---------------------------------------------------------------------------------------------


def _league(figure: Figure, rows: pd.DataFrame, top: float, step: float, lang: str) -> None:
    """Share with its range, rank with its range, and coverage; one line each, the best first."""
    say, head, body = _say(lang), TITLES, step * len(rows)
    left, width, gap = style.MARGIN + PLACES, 2.8, 1.15
    shares = style.axes_at(figure, left, top + head, width, body)
    ranks = style.axes_at(figure, left + width + gap, top + head, 1.9, body)
    for ax in (shares, ranks):
        ax.set(ylim=(len(rows) - 0.5, -0.5))
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
    shares.set(xlim=(-0.02, 1.02))
    shares.set_xticks([0, 0.5, 1], ["0%", "50%", "100%"])
    n = int(rows["n"].iloc[0])
    ranks.set(xlim=(0.4, n + 0.6))
    ranks.set_xticks(sorted({1, n}))
    start = left + width + gap
    for at, title, side in (
        (left, "ranked_share", "left"), (start - 0.08, "key_rank", "right"), (start, "ranked_range", "left"),
        (start + 2.02, "ranked_coverage", "left"),
    ):  # fmt: skip
        style.write(figure, at, top + 0.12, say(title), fontsize=style.SMALL, color=style.SOFT, ha=side)
    size = style.BODY if step > 0.2 else style.SMALL
    for y, row in enumerate(rows.itertuples()):
        for ax in (shares, ranks):
            ax.axhline(y, color=style.FAINT, linewidth=0.7, zorder=0)
        options: dict[str, Any] = {"va": "center", "annotation_clip": False, "textcoords": "offset points"}
        shares.annotate(
            _place_name(row, lang), (0, y), (-4 - 72 * (PLACES - 0.05), 0), xycoords=("axes fraction", "data"),
            fontsize=size, **options,
        )  # fmt: skip
        shares.plot(
            [row.share_lo, row.share_hi], [y, y], color=style.OTHER, linewidth=3, solid_capstyle="butt", zorder=2
        )
        shares.plot([row.share], [y], color=style.BLUE, zorder=4, clip_on=False, **style.POINT)
        ranks.plot(
            [row.rank_best - 0.25, row.rank_worst + 0.25], [y, y], color=style.BAND, linewidth=min(8, step * 40),
            solid_capstyle="butt", zorder=2,
        )  # fmt: skip
        ranks.plot([row.rank], [y], "|", color=style.INK, markersize=min(9, step * 45), markeredgewidth=2, zorder=4)
        text = say("ranked_tied" if row.tied > 1 else "ranked_at", rank=row.rank)
        if row.rank_best < row.rank_worst:
            text = say("ranked_between", text=text, best=row.rank_best, worst=row.rank_worst)
        ranks.annotate(
            text, (0, y), (-6, 0), xycoords=("axes fraction", "data"), ha="right", fontsize=style.SMALL, **options
        )
        text = say("ranked_judged", judged=row.judged, total=row.total)
        text += say("ranked_missing", n=row.not_reported) if row.not_reported else ""
        ranks.annotate(
            text, (1, y), (72 * 0.12, 0), xycoords=("axes fraction", "data"), fontsize=style.SMALL, color=style.SOFT,
            **options,
        )  # fmt: skip


def _place_name(row: Any, lang: str) -> str:
    """What is ranked, as a label."""
    if row.by == "domain":
        return style.drawable(names.domain_name(row.group, lang), 22)
    name = names.region_name(row.group, lang) if row.by in ("county", "city") else row.group
    return style.drawable(name, 22)


def _separate(rows: pd.DataFrame) -> int:
    """How many have a range of ranks that touches no other's."""
    best, worst = rows["rank_best"].to_numpy(int), rows["rank_worst"].to_numpy(int)
    touching = (best[:, None] <= worst) & (best <= worst[:, None])
    return int((touching.sum(axis=1) == 1).sum())
