"""Planned change against the baseline: do the counties that start lower plan more?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from qyx_analysis.figures import panels, style
from qyx_analysis.figures.rows import from_below
from qyx_analysis.figures.scene import Domain, Scene, scene_of

LEAST = 3  # counties that make a picture
SHARED = 1 / 3  # of many counties that make a target common
ROOM, PLOT, FOOT = (0.5, 0.35), 1.35, 0.52  # inches


@style.house_style()
def plot_baseline_change(
    ambition: pd.DataFrame, targets: pd.DataFrame, region: object = None, domain: Domain = None, lang: str = "zh"
) -> style.Figure:
    """Draw the planned change of every comparable indicator against its baseline, one panel each.

    ``ambition``: as :func:`qyx_analysis.ambition` gives it for the ``targets`` of ``load_targets``. Absolute counts,
    states, and indicators that fewer than three counties can be compared on are left out and named below. ``region``
    (code or name): this county in colour, the others grey. ``domain``: only this one, by its Chinese or English name.

    Returns a matplotlib Figure whose label is its alternative text. Raises DataError for an unknown language and a
    region or domain that is unknown or not in ``targets``.

    How to read it: right is a higher baseline, up a larger planned change for the better. All dots on the dashed
    line plan the same target, which slopes by construction; a slope is therefore no finding, and none is fitted.

    >>> from qyx_analysis import ambition, load_targets
    >>> targets = load_targets().query("domain == '病有良医'")
    >>> plot_baseline_change(ambition(targets), targets, lang="en").get_label()[:54]
    'Small scatter plots of baseline against planned change'
    """
    scene = scene_of(targets, region, lang, domain)
    points = _points(scene, scene.results(ambition, "ambition()", "change"))
    counts = points["indicator"].value_counts().reindex(scene.shared.index, fill_value=0)
    directed = scene.shared["direction"].notna()
    usable = (counts >= LEAST) & (scene.shared["nature"] != "state") & ~scene.shared["alone"] & directed
    table = scene.shared[usable]
    points = points[points["indicator"].isin(table.index)]
    title = scene.say("change_title", who=scene.everyone)
    if table.empty:
        return style.without_picture(title, scene.say("too_few", n=LEAST))
    note = scene.say("change_note") + scene.left_out(scene.shared[~usable & directed], LEAST)
    note += scene.unknown(scene.shared) + scene.single()
    entries = scene.county_entries() + scene.other_entries(style.grey_dot(5.0))
    if points["bounded"].any():
        entries.append((style.bound_options("up", style.SOFT), scene.say("key_bounded")))
    entries.append((style.stroke(style.OTHER, 1, style.DASHED), scene.say("key_same_target")))
    lines = panels.plain_lines(table, PLOT, FOOT)
    figure, top = style.page(title, scene.say("change_subtitle"), entries, panels.lines_height(lines), note)
    for code, ax in panels.lay_panels(figure, scene, lines, top, ROOM, PLOT):
        own = points[points["indicator"] == code]
        _draw_axes(ax, scene, own)
        _draw_same_target(ax, scene, own)
        _draw_counties(ax, scene, own)
        _write_counties(ax, scene, own)
    figure.set_label(_alt(scene, points))
    return figure


def _points(scene: Scene, results: pd.DataFrame) -> pd.DataFrame:
    """One row per county and indicator that has both: ``baseline``, ``change``, ``bounded``, and where both lead."""
    known = results[(results["measure"] == "change") & results["region"].isin(scene.counties)].dropna(subset=["value"])
    first = scene.cells.loc[scene.cells["year"] == scene.years[0], ["region", "indicator", "drawn"]]
    points = known.merge(first, on=["region", "indicator"]).rename(columns={"drawn": "baseline"})
    sign = points["indicator"].map(scene.indicators["direction"]).replace(0, 1)
    target = (points["baseline"] + sign * points["value"]).round(9)
    points = points.assign(bounded=from_below(points), sign=sign, target=target)
    return points.rename(columns={"value": "change"})


def _draw_axes(ax: style.Axes, scene: Scene, points: pd.DataFrame) -> None:
    heights = np.append(points["change"], 0.0)
    ax.set(xlim=panels.widened(points["baseline"], 0.18), ylim=panels.widened(heights, 0.16))
    panels.number_ticks(ax.xaxis, *ax.get_xlim(), scene.lang)
    panels.number_ticks(ax.yaxis, *ax.get_ylim(), scene.lang, signed=True)
    ax.set_xlabel(scene.say("change_x", year=scene.years[0]), fontsize=style.SMALL, labelpad=1)
    ax.axhline(0, color=style.OTHER, linewidth=0.8, zorder=0)


def _draw_same_target(ax: style.Axes, scene: Scene, points: pd.DataFrame) -> None:
    """The line of the target that most counties share: of few the middle one where all differ, of many none then."""
    common = points["target"].mode()
    if scene.few or points["target"].isin(common[:1]).sum() >= SHARED * len(points):
        ends = np.array(ax.get_xlim())
        target = common[(len(common) - 1) // 2]
        ax.plot(ends, points["sign"].iloc[0] * (target - ends), zorder=0, **style.stroke(style.OTHER, 1, style.DASHED))


def _draw_counties(ax: style.Axes, scene: Scene, points: pd.DataFrame) -> None:
    for row in points.itertuples():
        own = row.region == scene.chosen
        mark = style.bound_options("up", scene.colours[row.region]) if row.bounded else scene.marks[row.region]
        if not (scene.few or own):
            mark = mark | {"markersize": 11.0 if row.bounded else 3.2, "alpha": 0.5}
        ax.plot([row.baseline], [row.change], zorder=4 + own, clip_on=False, **mark)


def _write_counties(ax: style.Axes, scene: Scene, points: pd.DataFrame) -> None:
    """Names beside the dots: of few counties all, of many the chosen one, and an extreme that is one place."""
    together = points.groupby(["baseline", "change"], sort=False)["region"].agg(list)
    if not scene.few:
        chosen = together.map(lambda who: scene.chosen in who)
        together[chosen] = [[scene.chosen]] * chosen.sum()
        change = together.index.get_level_values("change")
        extreme = ~change.duplicated(keep=False) & change.isin([change.min(), change.max()])
        together = together[extreme | chosen]
    texts, colours = [], []
    for who in together:
        many = len(who) > 1 and not scene.few
        texts.append(scene.say("counties_short", n=len(who)) if many else scene.listed(who))
        coloured = len(who) == 1 and (scene.few or who == [scene.chosen])
        colours.append(style.dark(scene.colours[who[0]]) if coloured else style.INK)
    places = np.array(together.index.tolist(), dtype=float).reshape(-1, 2)
    panels.label_dots(ax, places, texts, colours, points[["baseline", "change"]].to_numpy(), PLOT)


def _alt(scene: Scene, points: pd.DataFrame) -> str:
    lowest = 0
    for _, part in points.groupby("indicator"):
        start = part["baseline"] * part["sign"]
        lowest += part.loc[start.idxmin(), "change"] == part["change"].max()
    n = points["indicator"].nunique()
    return scene.say("change_alt", n=n, who=scene.everyone, lowest=int(lowest)) + scene.picked_out
