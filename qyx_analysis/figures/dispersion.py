"""How far apart the counties are, year by year."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qyx_analysis.figures import panels, style
from qyx_analysis.figures.rows import QUARTILED, flagged
from qyx_analysis.figures.scene import Domain, Scene, number, scene_of

ROOM, PLOT, FOOT = (0.46, 0.12), 1.15, 0.75  # inches


@style.house_style()
def plot_dispersion(
    dispersion: pd.DataFrame, targets: pd.DataFrame, region: object = None, domain: Domain = None, lang: str = "zh"
) -> style.Figure:
    """Draw the values of all counties in every year, one panel per indicator, with their standard deviation.

    ``dispersion``: as :func:`qyx_analysis.dispersion` gives it for the ``targets`` of ``load_targets``. Absolute
    counts and states are left out and named below, as are indicators that only one county prints. ``region`` (code or
    name): this county in colour, the others grey. ``domain``: only this one, by its Chinese or English name.

    Returns a matplotlib Figure whose label is its alternative text. Raises DataError for an unknown language and a
    region or domain that is unknown or not in ``targets``.

    How to read it: the line of a year runs from the lowest to the highest county. Below each year stands the
    standard deviation (n − 1) in the unit of the indicator, in brackets where a bound is read as its threshold; n is
    written where it changes, because values of different counties are not one comparison.

    >>> from qyx_analysis import dispersion, load_targets
    >>> targets = load_targets().query("domain == '病有良医'")
    >>> plot_dispersion(dispersion(targets), targets, lang="en").get_label()[:33]
    'Small plots of the planned values'
    """
    scene = scene_of(targets, region, lang, domain)
    spread = scene.results(dispersion, "dispersion()", "sd")
    spread = spread[spread["measure"] == "sd"]
    measured = scene.shared.index.isin(spread.loc[spread["value"].notna(), "indicator"])
    table = scene.shared[measured]
    title = scene.say("dispersion_title", who=scene.everyone)
    if table.empty:
        return style.without_picture(title, scene.say("too_few", n=2))
    note = scene.say("dispersion_note") + scene.left_out(scene.shared[~measured], 2) + scene.single()
    lines = panels.plain_lines(table, PLOT, FOOT)
    subtitle, body = scene.say("dispersion_subtitle"), panels.lines_height(lines)
    figure, top = style.page(title, subtitle, _key_entries(scene, table), body, note)
    for code, ax in panels.lay_panels(figure, scene, lines, top, ROOM, PLOT):
        _draw_axes(ax, scene, code)
        (_draw_few if scene.few else _draw_many)(ax, scene, code)
        _write_spread(ax, scene, spread[spread["indicator"] == code].set_index("year"))
    figure.set_label(_alt(scene, spread[spread["indicator"].isin(table.index)]))
    return figure


def _key_entries(scene: Scene, table: pd.DataFrame) -> list[style.Entry]:
    entries = scene.county_entries() + scene.other_entries(style.grey_dot(5.0 if scene.few else 2.4))
    if not scene.few:
        entries.append((style.stripe(style.BAND), scene.say("key_band")))
        entries.append((style.MEDIAN | {"marker": "_", "markersize": 10}, scene.say("key_median")))
    entries.append((style.stroke(style.OTHER, 1.4), scene.say("key_range")))
    entries.append(scene.baseline_entry(style.SOFT))
    cells = scene.cells[scene.cells["indicator"].isin(table.index) & (scene.cells["level"] == "county")]
    return entries + (scene.bound_entries(cells, style.SOFT) if scene.few else [])


def _draw_axes(ax: style.Axes, scene: Scene, code: str) -> None:
    """Years, and for each a line from the lowest to the highest county."""
    grid = scene.grid(code, scene.counties)
    ax.set(xlim=(scene.years[0] - 0.5, scene.years[-1] + 0.5), ylim=panels.widened(grid.stack(), 0.14))
    ax.set_xticks(scene.years, [str(year) for year in scene.years])
    panels.number_ticks(ax.yaxis, *ax.get_ylim(), scene.lang)
    ax.vlines(scene.years, grid.min(), grid.max(), color=style.OTHER, linewidth=1.4, zorder=1)


def _draw_many(ax: style.Axes, scene: Scene, code: str) -> None:
    """Median and middle half of every year, and a cloud of small dots with the chosen county in colour."""
    grid = scene.grid(code, scene.counties)
    for year, known in grid.items():
        if known.count() >= QUARTILED:
            low, middle, high = known.quantile([0.25, 0.5, 0.75])
            ax.bar(year, high - low, 0.5, low, color=style.BAND, zorder=2)
            ax.plot([year], [middle], "_", color=style.INK, markersize=12, markeredgewidth=1.8, zorder=4)
    aside = 0.3 * (np.resize(np.arange(7), len(grid)) / 6 - 0.5)  # spread over the width of a year, always alike
    for years, mark in ((scene.years[:1], "D"), (scene.years[1:], "o")):
        xs, ys = np.add.outer(aside, years).ravel(), grid[years].to_numpy().ravel()
        ax.plot(xs, ys, mark, color=style.SOFT, markersize=1.8, alpha=0.55, zorder=3)
        if scene.chosen in grid.index:
            own = grid.loc[scene.chosen, years]
            ax.plot(years, own, mark, color=style.BLUE, markersize=4.2, clip_on=False, zorder=5)


def _draw_few(ax: style.Axes, scene: Scene, code: str) -> None:
    """Coloured dots on the line of their year; those at one height side by side."""
    cells = scene.printed(code)
    cells = cells[(cells["level"] == "county") & cells["drawn"].notna()].sort_values(["year", "drawn", "region"])
    low, high = ax.get_ylim()
    apart = cells["drawn"].diff().abs().gt(0.045 * (high - low)) | cells["year"].diff().ne(0)
    group = cells.groupby(apart.cumsum())
    aside = 0.16 * (group.cumcount() - (group["year"].transform("size") - 1) / 2)
    for cell, x in zip(cells.itertuples(), cells["year"] + aside, strict=True):
        mark = style.cell_mark(cell.kind, cell.role, scene.marks[cell.region])
        ax.plot([x], [cell.drawn], clip_on=False, zorder=3, **mark)


def _write_spread(ax: style.Axes, scene: Scene, spread: pd.DataFrame) -> None:
    """The standard deviations under their years, and n where it differs between the years."""
    values = spread["value"].reindex(scene.years)
    decimals = 2 if values.max() < 10 else 1 if values.max() < 100 else 0
    bounded = flagged(spread, "bounded").reindex(scene.years, fill_value=False)
    texts = ["–" if np.isnan(value) else number(value, decimals, scene.lang) for value in values]
    texts = [f"({text})" if mark and text != "–" else text for text, mark in zip(texts, bounded, strict=True)]
    lines = [("SD", texts)]
    n = spread["n"].reindex(scene.years, fill_value=0)
    if n.nunique() > 1:
        lines.append(("n", [str(count) for count in n]))
    for line, (name, row) in enumerate(lines):
        for x, text in zip([scene.years[0] - 1.05, *scene.years], [name, *row], strict=True):
            colour = style.SOFT if text == name else style.INK
            place: style.Options = {"xycoords": ("data", "axes fraction"), "ha": "center", "va": "top"}
            style.aside(ax, (x, 0), (0, -19 - 11 * line), text, color=colour, **place)


def _alt(scene: Scene, spread: pd.DataFrame) -> str:
    first, last = scene.years[0], scene.years[-1]
    ends = spread.pivot(index="indicator", columns="year", values="value")
    counts = spread.pivot(index="indicator", columns="year", values="n")
    step = (ends[last] - ends[first])[counts[first] == counts[last]].dropna()
    counted = {"compared": len(step), "narrower": int((step < 0).sum()), "wider": int((step > 0).sum())}
    return scene.say("dispersion_alt", n=len(ends), who=scene.everyone, **counted) + scene.picked_out
