"""Actual values beside the plans: one county's paths, the statuses of all counties, and who ranks where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from qyx_analysis import catalogue, names
from qyx_analysis.cells import parse_cell
from qyx_analysis.figures import panels, paths, rows, style
from qyx_analysis.figures.scene import OPERATORS, TOLD, Domain, Say, Scene, domains_in, number, scene_of, speaker
from qyx_analysis.wings.monitoring.forms import period_text
from qyx_analysis.wings.monitoring.judging import MET, MISSING, UNMET, common_periods, told_status

# Told apart by shape as well as by colour: met are round and upright, missed are downward and crossed.
MARKS: dict[str, dict[str, Any]] = {
    "achieved": {"marker": "o", "color": style.BLUE, "markersize": 6.0},
    "on_path": {"marker": "^", "color": style.GREEN, "markersize": 6.6},
    "behind": {"marker": "v", "color": style.ORANGE, "markersize": 6.6},
    "worse_than_baseline": {"marker": "X", "color": style.VERMILLION, "markersize": 7.4},
    "no_judgement": {"marker": "o", "color": style.SOFT, "markersize": 5.0} | style.HOLLOW,
    MISSING: {"color": style.SOFT} | style.NOT_PRINTED,
}
RANKED = ("county", "city", "domain", "department")
COLUMN, MOST, CROWD = 0.3, 6, 12  # inches and number of periods side by side; counties that fit as columns
HEAD, TITLES = 0.62, 0.34  # inches above the columns of the grid, and of the rankings
BARS = 2.3  # inches for the words beside the bars
PLACES = 1.9  # inches for the names of what is ranked


@style.house_style()
def plot_progress(
    monitored: pd.DataFrame, targets: pd.DataFrame, region: object, domain: Domain = None, lang: str = "zh"
) -> style.Figure:
    """Draw a county's actual values on its planned paths, one small panel per indicator.

    ``monitored``: as :func:`qyx_analysis.monitoring` gives it for the ``targets`` of ``load_targets``. ``region``: the
    county, by code or name; ``domain``: only this domain, by its Chinese or English name.

    Returns a matplotlib Figure whose label is its alternative text; without any value of the county it says so.
    Raises DataError for an unknown region, domain or language, and a county that is not in ``targets``.

    How to read it: the plan is grey, from its baseline to its last target; the coloured marks are actual values at the
    day they hold to, and shape and colour tell how they are judged: within a year against the line between two
    year-ends. An open square at the bottom was due and not reported. The latest value stands on the right with its
    period, the last target in grey.

    >>> from qyx_analysis import load_targets, monitoring, load_actuals
    >>> targets = load_targets()
    >>> plot_progress(monitoring(targets, load_actuals()), targets, "奉化区", lang="en").get_label()
    'There are 0 actual values of Fenghua: nothing to set beside its plan.'
    """
    scene = scene_of(targets, region, lang, domain)
    own = _told(monitored[(monitored["region"] == scene.chosen) & monitored["indicator"].isin(scene.own.index)])
    title = scene.say("progress_title")
    if own["actual_raw"].eq("").all():
        return style.without_picture(title, scene.say("progress_none"))
    plan = style.POINT | style.stroke(style.OTHER, 1.6, markevery=[1])
    entries = [scene.baseline_entry(style.OTHER), (plan, scene.say("key_plan")), *_key_entries(own, lang)]
    lines = panels.domain_lines(scene.own)
    subtitle, note = scene.say("progress_subtitle"), scene.say("progress_note")
    figure, top = style.page(title, subtitle, entries, panels.lines_height(lines), note)
    for code, ax in panels.lay_panels(figure, scene, lines, top, (0.46, 0.95), paths.PLOT):
        _draw_progress(paths.Panel(ax, scene, code), own[own["indicator"] == code])
    latest = own.drop_duplicates("indicator", keep="last")
    _finish(figure, own, scene.say("progress_alt", n=len(latest), **_counts(latest)), lang)
    return figure


@style.house_style()
def plot_statuses(monitored: pd.DataFrame, domain: Domain = None, lang: str = "zh") -> style.Figure:
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
    say, levels = speaker(lang), monitored["region"].map(names.region_level)
    counties = monitored.assign(level=levels)[levels == "county"]
    if counties["actual_raw"].eq("").all():
        return style.without_picture(say("statuses_title_none"), say("statuses_none"))
    scene = Scene(counties, "", lang)
    table, judged = scene.shared, _told(counties)
    shown = judged[judged["indicator"].isin(table.index)]
    period, at = _last(shown)
    when = period_text(period, lang)
    title = scene.say("statuses_title", period=when)
    alt = scene.say("statuses_alt", n=len(table), period=when, **_counts(at))
    if len(scene.counties) <= CROWD:
        known = common_periods(judged)
        before = known[: known.index(period)] if period in known else []
        width = (style.WIDTH - 2 * style.MARGIN - rows.NAMES) / len(scene.counties)
        periods = [*before, period][-int(np.clip((width - 0.1) / COLUMN, 1, MOST)) :]
        at = shown[shown["period"].isin(periods)]
        figure = _draw_grid(scene, table, at, periods, title)
    else:
        figure = _draw_bars(scene, table, at, title)
    _finish(figure, at, alt, lang)
    return figure


@style.house_style()
def plot_rankings(ranked: pd.DataFrame, by: str = "county", region: object = None, lang: str = "zh") -> style.Figure:
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
    say = speaker(lang)
    scope = "" if region is None or region == "" else names.find_region(region)
    league = ranked[(ranked["by"] == by) & (ranked["scope"] == scope) & ranked["rank"].notna()]
    what = say(f"ranked_{by}")
    if league.empty:
        none = "rankings_none" if ranked["judged"].sum() == 0 else "rankings_few"
        return style.without_picture(say("rankings_title_none", what=what), say(none))
    period, league = _last(league)
    when = period_text(period, lang)
    title = say("rankings_title", what=what, period=when)
    title = say("of_region", county=names.region_name(scope, lang), text=title) if scope else title
    entries = [
        (style.POINT | {"color": style.BLUE}, say("key_share")),
        (style.stroke(style.OTHER, 3), say("key_share_range")),
        (style.stripe(style.BAND), say("key_rank_range")),
        (style.MEDIAN, say("key_rank")),
    ]
    step = 0.3 if len(league) <= 2 * CROWD else 0.185
    body = TITLES + step * len(league) + 0.35
    figure, top = style.page(title, say("rankings_subtitle"), entries, body, say("rankings_note"))
    _draw_league(figure, league, top, step, lang)
    alt = say("rankings_alt", what=what, n=len(league), period=when, separate=_separate(league))
    _finish(figure, league, alt, lang)
    return figure


# --- what they share --------------------------------------------------------------------------------------


def _last(judged: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    period = common_periods(judged)[-1]
    return period, judged[judged["period"] == period]


def _told(judged: pd.DataFrame) -> pd.DataFrame:
    """By day, with ``told``: the status, or that what is due is not reported; ``at``: the day on an axis of years."""
    at = judged["year"] - 1 + judged["due"].str[5:7].astype(int) / 12
    return judged.assign(told=told_status(judged), at=at).sort_values("due", kind="stable")


def _counts(judged: pd.DataFrame) -> dict[str, int]:
    return {name: int((judged["told"] == name).sum()) for name in MARKS}


def _key_entries(judged: pd.DataFrame, lang: str, bars: bool = False) -> list[style.Entry]:
    words, present = names.judgement_names(lang), set(judged["told"])
    return [(style.stripe(_tone(name)) if bars else MARKS[name], words[name]) for name in MARKS if name in present]


def _finish(figure: style.Figure, judged: pd.DataFrame, alt: str, lang: str) -> None:
    """Label the figure; what holds synthetic values says so before its title, where a phone shows it, and its label."""
    if judged["flags"].str.contains("synthetic").any():
        warning = catalogue.message("synthetic", lang)
        box = {"facecolor": "white", "edgecolor": style.VERMILLION, "linewidth": 1.4, "pad": 4.0}
        figure.texts[0].set_x((style.MARGIN + style.text_width(warning, style.BODY) + 0.25) / style.WIDTH)  # the title
        style.write(figure, style.MARGIN + 0.06, 0.18, warning, color=style.dark(style.VERMILLION), bbox=box)
        alt = speaker(lang)("synthetic_alt", warning=warning, alt=alt)
    figure.set_label(alt)


# --- one county's paths -----------------------------------------------------------------------------------


def _draw_progress(panel: paths.Panel, judged: pd.DataFrame) -> None:
    ax, scene, cells = panel.ax, panel.scene, panel.scene.of(panel.code, panel.scene.chosen)
    reported = judged["actual_raw"] != ""
    spoken = reported & judged["actual"].isna() & (judged["reason"] != "withdrawn")
    words = cells["drawn"].isna() & cells["kind"].isin(TOLD)
    numbers = pd.concat([cells["drawn"], judged["actual"]]).dropna().to_numpy(float)
    room = (-70.0, 170.0) if panel.state else paths.limits(numbers, True, bool(words.any() or spoken.any()))
    paths.draw_axes(panel, *room, not len(numbers))
    at_words, at_gaps = panel.height(paths.WORDS), panel.height(paths.GAPS)
    if panel.state:  # due at the end of the year in which it changes, and not before
        ax.plot(cells["year"], cells["drawn"], color=style.OTHER, linewidth=1.8, drawstyle="steps-post", zorder=2)
    else:  # no line crosses what is not reported
        paths.draw_path(ax, cells.assign(at=cells["drawn"]), style.POINT | {"color": style.OTHER}, state=False)
        ax.plot(judged["at"], judged["actual"], color=style.SOFT, linewidth=0.9, zorder=4)
    years = cells.loc[words, "year"]
    ax.hlines([at_words] * len(years), years - 0.5, years + 0.5, color=style.OTHER, linewidth=2.8, zorder=2)
    heights = judged["actual"].mask(spoken, at_words).fillna(at_gaps)
    drawn = judged[reported | (judged["told"] == MISSING)]
    for name, same in drawn.groupby("told", sort=False):
        ax.plot(same["at"], heights[same.index], linestyle="none", clip_on=False, zorder=6, **MARKS[str(name)])
    last, labels = cells.iloc[-1], []
    if not panel.state:
        labels.append(paths.Label(at_words if np.isnan(last["drawn"]) else last["drawn"], scene.word(last)))
    if reported.any():
        latest = next(judged[reported].iloc[[-1]].itertuples())
        text = f"{_short(latest.period)} {_value(latest, scene)}"
        labels.append(paths.Label(heights[latest.Index], text, style.dark(MARKS[latest.told]["color"])))
    paths.write_right(ax, labels)
    if not len(numbers) and not reported.any():
        paths.say_why(panel)


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


def _draw_grid(scene: Scene, table: pd.DataFrame, judged: pd.DataFrame, periods: list[str], title: str) -> style.Figure:
    step = 0.29
    entries, body = _key_entries(judged, scene.lang), HEAD + rows.rows_height(table, step)
    note = scene.say("statuses_note") + scene.single()
    figure, top = style.page(title, scene.say("statuses_subtitle_few"), entries, body, note)
    whole = style.WIDTH - 2 * style.MARGIN - rows.NAMES
    scale = rows.Scale(0.0, whole, {})
    lines = rows.lay_rows(figure, scene, table, top + HEAD, step, scale, side=0.0, count=False)
    lines.ax.spines["bottom"].set_visible(False)
    width = whole / len(scene.counties)
    gap = min(0.42, (width - 0.1) / len(periods))
    offsets = dict(zip(periods, width / 2 + gap * (np.arange(len(periods)) - (len(periods) - 1) / 2), strict=True))
    starts = dict(zip(scene.counties, width * np.arange(len(scene.counties)), strict=True))
    for code, start in starts.items():
        left = style.MARGIN + rows.NAMES + start
        name = "\n".join(style.wrap(scene.name(code), style.SMALL, width)[:2])
        style.write(figure, left + width / 2, top + 0.02, name, ha="center", fontsize=style.SMALL + len(periods) // 2)
        for period, offset in offsets.items():
            text = "\n".join(filter(None, (period[:4], period[4:].lstrip("-"))))
            options: dict[str, Any] = {"ha": "center", "va": "top", "color": style.SOFT, "linespacing": 1.1}
            style.write(figure, left + offset, top + 0.27, text, fontsize=7.5, **options)
        if start:
            lines.ax.axvline(start, color=style.FAINT, linewidth=1, zorder=0)
    xs = judged["region"].map(starts) + judged["period"].map(offsets)
    ys = judged["indicator"].map(lines.at)
    for told, mark in MARKS.items():
        use = judged["told"] == told
        lines.ax.plot(xs[use], ys[use], linestyle="none", clip_on=False, zorder=3, **mark)
    return figure


def _draw_bars(scene: Scene, table: pd.DataFrame, judged: pd.DataFrame, title: str) -> style.Figure:
    step, most = rows.row_step(scene) - 0.1, len(scene.counties)
    entries, note = _key_entries(judged, scene.lang, bars=True), scene.say("statuses_note") + scene.single()
    body = rows.rows_height(table, step) + 0.35
    figure, top = style.page(title, scene.say("statuses_subtitle_many"), entries, body, note)
    scale = rows.Scale(0.0, most, {0.0: "0", float(most): str(most)})
    lines = rows.lay_rows(figure, scene, table, top, step, scale, side=BARS, count=False)
    lines.ax.set_xlabel(scene.say("statuses_axis"), fontsize=style.SMALL, labelpad=1)
    counts = judged.groupby(["indicator", "told"]).size().unstack(fill_value=0)
    for code, row in counts.reindex(columns=list(MARKS), fill_value=0).iterrows():
        _draw_bar(lines, lines.at[str(code)], row)
    return figure


def _tone(told: str) -> str:
    """The colour of a bar: that of the mark; what is not judged stays pale."""
    return {"no_judgement": style.BAND, MISSING: style.FAINT}.get(told, MARKS[told]["color"])


def _on_tone(told: str) -> str:
    """A colour that is read on that of a bar, on white paper and in the dark: black there stays black."""
    return {"achieved": "#ffffff", "no_judgement": style.INK, MISSING: style.INK}.get(told, "#111111")


def _draw_bar(lines: rows.Rows, y: float, counts: pd.Series) -> None:
    start = 0
    inch = lines.ax.get_position().width * style.WIDTH / lines.ax.get_xlim()[1]
    for told, n in counts.items():
        lines.ax.barh(y, n, 0.2, start, color=_tone(str(told)), edgecolor="white", linewidth=0.6, zorder=2)
        if n * inch > style.text_width(str(n), style.SMALL) + 0.06:
            style.small(lines.ax, start + n / 2, y, str(n), ha="center", zorder=3, color=_on_tone(str(told)))
        start += n
    met, judged = int(counts[list(MET)].sum()), int(counts[[*MET, *UNMET]].sum())
    say = lines.scene.say
    rows.write_beside(lines.ax, y, say("met_of", n=met, judged=judged) if judged else say("none_judged"))


# --- rankings ---------------------------------------------------------------------------------------------


def _draw_league(figure: style.Figure, league: pd.DataFrame, top: float, step: float, lang: str) -> None:
    """Share with its range, rank with its range, and coverage; one line each, the best first."""
    say, height = speaker(lang), step * len(league)
    left, width = style.MARGIN + PLACES, 2.8
    start = left + width + 1.15
    shares = style.axes_at(figure, left, top + TITLES, width, height)
    ranks = style.axes_at(figure, start, top + TITLES, 1.9, height)
    for ax in (shares, ranks):
        ax.set(ylim=(len(league) - 0.5, -0.5))
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        for y in range(len(league)):
            ax.axhline(y, color=style.FAINT, linewidth=0.7, zorder=0)
    shares.set(xlim=(-0.02, 1.02))
    shares.set_xticks([0, 0.5, 1], ["0%", "50%", "100%"])
    n = int(league["n"].iloc[0])
    ranks.set(xlim=(0.4, n + 0.6))
    ranks.set_xticks(sorted({1, n}))
    titles = {"ranked_share": left, "key_rank": start - 0.08, "ranked_range": start, "ranked_coverage": start + 2.02}
    for key, at in titles.items():
        side = "right" if key == "key_rank" else "left"
        style.write(figure, at, top + 0.12, say(key), fontsize=style.SMALL, color=style.SOFT, ha=side)
    size = style.BODY if step > 0.2 else style.SMALL
    beside: dict[str, Any] = {"xycoords": ("axes fraction", "data")}
    for y, row in enumerate(league.itertuples()):
        shift = -4 - 72 * (PLACES - 0.05)
        style.aside(shares, (0, y), (shift, 0), _place_name(row, lang), fontsize=size, color=style.INK, **beside)
        style.aside(ranks, (0, y), (-6, 0), _rank(row, say), ha="right", color=style.INK, **beside)
        style.aside(ranks, (1, y), (72 * 0.12, 0), _coverage(row, say), **beside)
        ends = [row.share_lo, row.share_hi]
        shares.plot(ends, [y, y], zorder=2, solid_capstyle="butt", **style.stroke(style.OTHER, 3))
        shares.plot([row.share], [y], color=style.BLUE, zorder=4, clip_on=False, **style.POINT)
        ends = [row.rank_best - 0.25, row.rank_worst + 0.25]
        ranks.plot(ends, [y, y], zorder=2, **style.stripe(style.BAND) | {"linewidth": min(8, step * 40)})
        ranks.plot([row.rank], [y], zorder=4, **style.MEDIAN | {"markersize": min(9, step * 45)})


def _rank(row: Any, say: Say) -> str:
    text = say("ranked_tied" if row.tied > 1 else "ranked_at", rank=row.rank)
    if row.rank_best == row.rank_worst:
        return text
    return say("ranked_between", text=text, best=row.rank_best, worst=row.rank_worst)


def _coverage(row: Any, say: Say) -> str:
    text = say("ranked_judged", judged=row.judged, total=row.total)
    return text + (say("ranked_missing", n=row.not_reported) if row.not_reported else "")


def _place_name(row: Any, lang: str) -> str:
    name = names.domain_name(row.group, lang) if row.by == "domain" else row.group
    return style.drawable(names.region_name(name, lang) if row.by in ("county", "city") else name, 22)


def _separate(league: pd.DataFrame) -> int:
    """How many have a range of ranks that touches no other's."""
    best, worst = league["rank_best"].to_numpy(int), league["rank_worst"].to_numpy(int)
    touching = (best[:, None] <= worst) & (best <= worst[:, None])
    return int((touching.sum(axis=1) == 1).sum())
