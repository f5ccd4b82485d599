"""Planned change against the baseline: do the counties that start lower plan more?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qyx_analysis.figures import style
from qyx_analysis.figures.panels import COLUMNS, HEAD, label_dots, number_ticks, panel, title_room, widened
from qyx_analysis.figures.scene import Domain, Scene, in_domain, scene_of
from qyx_analysis.measures.ambition import ambition

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAST = 3  # counties that make a picture
SHARED = 1 / 3  # of many counties that make a target common
ROOM, PLOT, FOOT = (0.5, 0.35), 1.35, 0.52  # inches


@style.house_style()
def plot_baseline_change(
    targets: pd.DataFrame, region: object = None, domain: Domain = None, lang: str = "zh"
) -> Figure:
    """Draw the planned change of every comparable indicator against its baseline, one panel each.

    ``targets``: the frame of ``load_targets``. Absolute counts, states, and indicators that fewer than three
    counties can be compared on are left out and named below. ``region`` (code or name): this county in colour, the
    others grey. ``domain``: only this domain, by its Chinese or English name.

    Returns a matplotlib Figure whose label is its alternative text. Raises DataError for an unknown language and a
    region or domain that is unknown or not in ``targets``. The measure: ``change`` of :func:`qyx_analysis.ambition`.

    How to read it: right is a higher baseline, up a larger planned change for the better. All dots on the dashed
    line plan the same target, which slopes by construction; a slope is therefore no finding, and none is fitted.

    >>> from qyx_analysis.tidy.reading import read_plans
    >>> from qyx_analysis.files import raw_dir
    >>> targets = read_plans([raw_dir()]).targets.query("domain == '病有良医'")
    >>> plot_baseline_change(targets, lang="en").get_label()[:54]
    'Small scatter plots of baseline against planned change'
    """
    targets = in_domain(targets, domain)
    scene = scene_of(targets, region, lang)
    points = _points(scene, ambition(targets))
    table = scene.shared
    counts = points.groupby("indicator").size().reindex(table.index, fill_value=0)
    usable = (counts >= LEAST) & (table["nature"] != "state") & ~table["alone"] & table["direction"].notna()
    codes = table.index[usable].tolist()
    note = scene.say("change_note") + scene.left_out(table[~usable & table["direction"].notna()], LEAST)
    note += scene.unknown(table) + scene.single()
    entries: list[style.Entry] = []
    if scene.chosen:
        entries.append((scene.marks[scene.chosen], scene.name(scene.chosen)))
    if scene.few and not scene.chosen:
        entries += [(mark, scene.name(code)) for code, mark in scene.marks.items()]
    elif scene.others:
        text = "key_others" if scene.chosen else "key_each"
        grey = style.POINT | {"color": style.OTHER}
        entries.append((grey, scene.say(text, names=scene.listed(scene.others))))
    if points.loc[points["indicator"].isin(codes), "bounded"].any():
        entries.append((style.bound_options("up", style.SOFT), scene.say("key_bounded")))
    entries.append(({"color": style.OTHER, "linestyle": style.DASHED, "linewidth": 1}, scene.say("key_same_target")))
    rows = -(-len(codes) // COLUMNS)
    height = HEAD + PLOT + FOOT
    title = scene.say("change_title", who=scene.everyone, first=scene.years[0], last=scene.years[-1])
    subtitle = scene.say("change_subtitle", first=scene.years[0], last=scene.years[-1])
    if not codes:
        return style.without_picture(title, scene.say("too_few", n=LEAST, counties=len(scene.counties)))
    above = 0.1 + title_room(table.loc[codes, "name"])
    figure, top = style.page(title, subtitle, entries, rows * (height + above), note)
    for place, code in enumerate(codes):
        line, column = divmod(place, COLUMNS)
        ax = panel(figure, scene, code, top + above + line * (height + above), column, ROOM, PLOT)
        _draw(ax, scene, code, points[points["indicator"] == code])
    figure.set_label(_alt(scene, points, codes))
    return figure


def _points(scene: Scene, results: pd.DataFrame) -> pd.DataFrame:
    """One row per county and indicator that has both: ``baseline``, ``change``, ``bounded``."""
    results = results[(results["measure"] == "change") & results["value"].notna()]
    results = results[results["region"].isin(scene.counties)]
    first = scene.cells[scene.cells["year"] == scene.years[0]]
    baseline = first[["region", "indicator", "drawn"]].rename(columns={"drawn": "baseline"})
    points = results.merge(baseline, on=["region", "indicator"]).rename(columns={"value": "change"})
    bounded = points["flags"].str.split(";").map(lambda flags: "bounded" in flags)
    return points.assign(bounded=bounded & (points["hi"] > points["change"]))


def _draw(ax: Axes, scene: Scene, code: str, points: pd.DataFrame) -> None:
    direction = scene.indicators.at[code, "direction"] or 1
    xs, ys = points["baseline"].to_numpy(), points["change"].to_numpy()
    ax.set(xlim=widened(xs, 0.18), ylim=widened(np.append(ys, 0.0), 0.16))
    number_ticks(ax.xaxis, *ax.get_xlim(), scene.lang)
    number_ticks(ax.yaxis, *ax.get_ylim(), scene.lang, signed=True)
    ax.set_xlabel(scene.say("change_x", year=scene.years[0]), fontsize=style.SMALL, labelpad=1)
    ax.axhline(0, color=style.OTHER, linewidth=0.8, zorder=0)
    ends = np.array(ax.get_xlim())
    targets = pd.Series(xs + direction * ys).round(9)
    common = targets.mode()
    if scene.few or targets.isin(common[:1]).sum() >= SHARED * len(targets):
        target = common[(len(common) - 1) // 2]  # the most common one; the middle one where all differ
        ax.plot(ends, direction * (target - ends), color=style.OTHER, linestyle=style.DASHED, linewidth=1, zorder=0)
    for region, x, y, bounded in zip(points["region"], xs, ys, points["bounded"], strict=True):
        mark = style.bound_options("up", scene.colours[region]) if bounded else scene.marks[region]
        own = region == scene.chosen
        options = mark if scene.few or own else mark | {"markersize": 3.2 if not bounded else 11.0}
        ax.plot([x], [y], zorder=4 + own, clip_on=False, alpha=1 if scene.few or own else 0.5, **options)
    together = points.groupby(["baseline", "change"], sort=False)["region"].agg(list)
    together = together.map(lambda who: [scene.chosen] if scene.chosen in who and not scene.few else who)
    if not scene.few:  # the chosen county, and an extreme that is one place
        change = together.index.get_level_values("change")
        extreme = ~change.duplicated(keep=False) & change.isin([change.min(), change.max()])
        together = together[extreme | together.map(lambda who: who == [scene.chosen])]
    several = "counties_short" if not scene.few else ""
    names = [
        scene.say(several, n=len(who)) if several and len(who) > 1 else scene.listed(list(who)) for who in together
    ]
    alone = [len(who) == 1 and (scene.few or who == [scene.chosen]) for who in together]
    colours = [
        style.dark(scene.colours[who[0]]) if own else style.INK for who, own in zip(together, alone, strict=True)
    ]
    places = np.array(together.index.tolist(), dtype=float).reshape(-1, 2)
    label_dots(ax, places, names, colours, np.column_stack([xs, ys]), PLOT)


def _alt(scene: Scene, points: pd.DataFrame, codes: list[str]) -> str:
    lowest = 0
    for code in codes:
        part = points[points["indicator"] == code]
        start = part["baseline"] * (scene.indicators.at[code, "direction"] or 1)
        lowest += part.loc[start.idxmin(), "change"] == part["change"].max()
    return scene.say("change_alt", n=len(codes), who=scene.everyone, lowest=int(lowest)) + scene.picked_out
