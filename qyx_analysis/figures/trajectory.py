"""Planned paths as small multiples: every county's own way from its baseline to its last target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from qyx_analysis.catalogue import statuses_for
from qyx_analysis.figures import panels, paths, style
from qyx_analysis.figures.paths import Label, Panel
from qyx_analysis.figures.scene import FEW, TOLD, UNSAID, Domain, Scene, scene_of
from qyx_analysis.figures.style import DASHED, stroke

RANGE_LINE: dict[str, Any] = {"linewidth": 4, "alpha": 0.35}
RANGE: style.Options = {"marker": "|", "markersize": 9, "markeredgewidth": 4, "alpha": 0.35}
END_LINE, DASHES = stroke(style.SOFT, 0.9), stroke(style.INK, 1, DASHED)


@style.house_style()
def plot_trajectory(
    targets: pd.DataFrame,
    region: object = None,
    domain: Domain = None,
    lang: str = "zh",
    *,
    ambition: pd.DataFrame | None = None,
) -> style.Figure:
    """Draw the planned path of every indicator from the baseline to the last target, one small panel each.

    ``targets``: the frame of ``load_targets``. ``region`` (code or name): its paths in colour with the printed
    values at both ends, the other counties grey behind; without it every county has its colour (up to five) or is a
    thin grey line around the middle half. ``domain``: only this domain, by its Chinese or English name.
    ``ambition``: as :func:`qyx_analysis.ambition` gives it; with it the alternative text counts where plans lead.

    Returns a matplotlib Figure whose label is its alternative text. Raises DataError for an unknown language, a region
    or domain that is unknown or not in ``targets``, and when no row is left to draw.

    How to read it: a diamond is observed, dots are planned. An open dot with an arrow is a bound, drawn at its
    threshold; a bar is a promise in words; an open square is a cell without a number, and no line crosses it.

    >>> from qyx_analysis import load_targets
    >>> targets = load_targets().query("domain == '病有良医'")
    >>> plot_trajectory(targets, region=330213, lang="en").get_label()[:72]
    'Small panels of the planned paths of 3 indicators of Fenghua, 2022–2027.'
    """
    scene = scene_of(targets, region, lang, domain)
    table, left_out = scene.table, scene.table.iloc[:0]
    if not scene.chosen:  # many own paths that must not be compared are no picture
        uncompared = table["comparability"].eq("") | (table["alone"] & (not scene.few))
        table, left_out = table[~uncompared], table[uncompared]
    kind = "one" if scene.chosen else "all"
    title = scene.say(f"trajectory_title_{kind}", n=len(table))
    subtitle = scene.say(f"trajectory_subtitle_{'one' if scene.chosen else 'few' if scene.few else 'many'}")
    note = scene.say("trajectory_note")
    note += scene.say("counts_left_out", names=scene.some(left_out["name"])) if len(left_out) else ""
    note += "" if scene.chosen else scene.single()
    if table.empty:
        return style.without_picture(title, note)
    lines = panels.domain_lines(table)
    figure, top = style.page(title, subtitle, _key_entries(scene, table), panels.lines_height(lines), note)
    room = (0.46, 0.8) if scene.chosen else (0.46, 1.2)  # left for ticks, right for labels
    for code, ax in panels.lay_panels(figure, scene, lines, top, room, paths.PLOT):
        _draw(Panel(ax, scene, code))
    figure.set_label(_alt(scene, table, ambition))
    return figure


def _key_entries(scene: Scene, table: pd.DataFrame) -> list[style.Entry]:
    entries = _cell_entries(scene, table) if scene.chosen or scene.few else []
    if not scene.few and table["printing"].max() > 2 * FEW:
        entries.append((style.stripe(style.BAND), scene.say("key_band")))
        entries.append((style.stripe(style.FAINT), scene.say("key_wide_band")))
        entries.append((stroke(style.INK, 1.6), scene.say("key_median")))
    if not scene.few and not scene.chosen:
        entries.append((END_LINE, scene.say("key_ends")))
        if table["printing"].min() <= 2 * FEW:
            each = scene.say("key_each_line", names=scene.listed(scene.counties))
            entries.append((stroke(style.OTHER, 0.6), each))
    if scene.chosen and len(scene.others) <= 2 * FEW:
        entries += scene.other_entries(stroke(style.OTHER, 0.9))
    if not scene.chosen:
        line: style.Options = {"linestyle": style.SOLID, "linewidth": 1.8, "markevery": [1]}
        entries += [(mark | line, name) for mark, name in scene.county_entries()]
    return entries + scene.benchmark_entries(DASHES)


def _cell_entries(scene: Scene, table: pd.DataFrame) -> list[style.Entry]:
    """The marks of cells that are drawn one by one."""
    colour = style.BLUE if scene.chosen else style.SOFT
    cells = scene.cells[scene.cells["indicator"].isin(table.index)]
    cells = cells[cells["region"] == scene.chosen] if scene.chosen else cells
    entries = [
        scene.baseline_entry(colour),
        ({"color": colour} | style.POINT, scene.say("key_target")),
        (stroke(colour, 1.2, DASHED), scene.say("key_joint")),
        *scene.bound_entries(cells, colour),
    ]
    if (cells["kind"] == "range").any():
        entries.append(({"color": colour} | RANGE, scene.say("key_target_range")))
    if cells["kind"].isin(TOLD).any():
        entries.append((stroke(colour, 2.8), scene.say("key_words")))
    if cells["kind"].isin(UNSAID).any():
        entries.append((style.NOT_PRINTED | {"color": colour}, scene.say("key_missing")))
    return entries


def _draw(panel: Panel) -> None:
    """One panel: counties singled out, the others behind them, cities and the province, and what is written."""
    scene, alone = panel.scene, panel.of("alone")
    detailed = [scene.chosen] if scene.chosen else scene.counties if scene.few else []
    behind = [] if scene.chosen and alone else [code for code in scene.counties if code not in detailed]
    benchmarks = [] if alone else scene.benchmarks
    if panel.state and not detailed:
        _draw_passed(panel)
        return
    numbers = scene.grid(panel.code, [*detailed, *behind]).to_numpy(dtype=float)
    empty = not np.isfinite(numbers).any()
    paths.draw_axes(panel, *_limits(panel, [*detailed, *behind, *benchmarks], detailed), empty)
    _draw_behind(panel, behind)
    labels = [_draw_benchmark(panel, region) for region in benchmarks]
    for place, region in enumerate(detailed):
        shift = (place - (len(detailed) - 1) / 2) * (9 if panel.state else 0)  # states would lie on each other
        labels.append(_draw_county(panel, region, shift))
    labels += [_fall(panel)] if scene.chosen else []
    labels += _draw_extremes(panel, behind) if not detailed else []
    paths.write_right(panel.ax, [label for label in labels if label])
    if scene.chosen and empty:
        paths.say_why(panel)


def _limits(panel: Panel, regions: list[str], detailed: list[str]) -> tuple[float, float]:
    if panel.state:
        return -120.0, 170.0
    scene = panel.scene
    cells = scene.printed(panel.code)
    cells = cells[cells["region"].isin(detailed)]
    ends = cells[["value_low", "value_high"]].to_numpy(dtype=float)
    numbers = np.append(scene.grid(panel.code, regions).to_numpy(dtype=float), ends)
    kinds = cells.loc[cells["drawn"].isna(), "kind"]
    below = bool(scene.chosen) or kinds.isin(UNSAID).any()  # the chosen baseline's label hangs there
    return paths.limits(numbers[np.isfinite(numbers)], below, kinds.isin(TOLD).any())


# --- the counties that are not singled out ----------------------------------------------------------------


def _draw_behind(panel: Panel, regions: list[str]) -> None:
    """Grey lines, or bands and the median where they are many."""
    from matplotlib.collections import LineCollection

    ax, scene = panel.ax, panel.scene
    values = scene.grid(panel.code, regions).to_numpy(dtype=float)
    known = np.isfinite(values)
    if not known.any() or (not panel.state and not scene.few and _draw_bands(panel, values)):
        return
    years = np.array(scene.years)
    if panel.state:
        values = values + np.linspace(-14, 14, len(values))[:, None] * (len(values) > 1)
    lines = [np.column_stack(paths.steps(years, row) if panel.state else (years, row)) for row in values]
    width, alpha = (1.1, 1.0) if scene.few else (0.5, 0.6)
    ax.add_collection(LineCollection(lines, colors=style.OTHER, linewidths=width, alpha=alpha, zorder=2))
    beside = np.pad(known, ((0, 0), (1, 1)))
    alone = known & ~beside[:, :-2] & ~beside[:, 2:]  # no line reaches these
    ax.plot(np.broadcast_to(years, values.shape)[alone], values[alone], "o", color=style.OTHER, markersize=2, zorder=2)


def _draw_bands(panel: Panel, values: np.ndarray) -> bool:
    """Median, middle half and middle four fifths of the counties that print every year that is widely printed.

    One and the same set of counties: else a county that starts later would look like a change. Gives whether they
    are enough for bands.
    """
    wide = np.isfinite(values).sum(axis=0) >= len(values) / 4
    same = np.isfinite(values[:, wide]).all(axis=1)
    if not wide.any() or same.sum() <= 2 * FEW:
        return False
    ax, years = panel.ax, np.array(panel.scene.years)[wide]
    low, quarter, middle, three, high = np.quantile(values[np.ix_(same, wide)], [0.1, 0.25, 0.5, 0.75, 0.9], axis=0)
    ax.fill_between(years, low, high, color=style.FAINT, linewidth=0, zorder=1)
    ax.fill_between(years, quarter, three, color=style.BAND, linewidth=0, zorder=1)
    ax.plot(years, middle, zorder=3, **stroke(style.INK, 1.6))
    return True


def _draw_passed(panel: Panel) -> None:
    """Of a state with many counties: how many have passed or plan to, year by year."""
    ax, scene, years = panel.ax, panel.scene, panel.scene.years
    grid = scene.grid(panel.code, scene.counties)
    known, passed = grid.notna().sum(), grid.gt(0).sum()
    ax.set(xlim=(years[0] - 0.45, years[-1] + 0.3), ylim=(0, max(1, known.max()) * 1.3))
    ax.set_xticks(years, [str(year) if year in (years[0], years[-1]) else "" for year in years])
    ax.set_yticks([])
    for counts, colour, order in ((known, style.FAINT, 1), (passed, style.OTHER, 2)):
        ax.bar(years, counts, width=0.62, color=colour, zorder=order)
    text = scene.say("passed_of", n=int(passed.iloc[-1]), total=int(known.iloc[-1]))
    paths.write_right(ax, [Label(float(passed.iloc[-1]), text)])
    first = scene.say("passed_first", n=int(passed.iloc[0]), total=int(known.iloc[0]))
    style.aside(ax, (years[0] - 0.31, known.iloc[0]), (0, 2), first, va="bottom", color=style.INK, zorder=3)


def _draw_benchmark(panel: Panel, region: str) -> Label | None:
    cells = panel.scene.of(panel.code, region).dropna(subset=["drawn"])
    if cells.empty:
        return None
    panel.ax.plot(cells["year"], cells["drawn"], zorder=3, **DASHES)
    return Label(cells["drawn"].iloc[-1], panel.scene.name(region), style.INK)


def _draw_extremes(panel: Panel, regions: list[str]) -> list[Label]:
    """With many counties, draw and name only the ones with the highest and the lowest last target."""
    scene = panel.scene
    grid = scene.grid(panel.code, regions)
    last = grid[scene.years[-1]].dropna()
    if last.empty:
        return _most_common_word(panel)
    found = []
    for value in dict.fromkeys((last.max(), last.min())):
        who = last.index[last == value].tolist()
        if len(who) == 1:
            panel.ax.plot(scene.years, grid.loc[who[0]], zorder=2, **END_LINE)
        cell = next(scene.of(panel.code, who[0]).iloc[[-1]].itertuples())
        name = scene.name(who[0]) if len(who) == 1 else scene.say("counties_short", n=len(who))
        found.append(Label(value, f"{name} {scene.word(cell)}"))
    return found


def _most_common_word(panel: Panel) -> list[Label]:
    scene = panel.scene
    cells = scene.printed(panel.code)
    cells = cells[(cells["year"] == scene.years[-1]) & (cells["level"] == "county")]
    same = cells[cells["kind"].isin(cells["kind"].mode()[:1])]
    if same.empty:
        return []
    height = scene.grid(panel.code, scene.counties).max(axis=None)
    text = f"{scene.say('counties_short', n=len(same))} {scene.word(next(same.itertuples()))}"
    return [Label(height if np.isfinite(height) else 0.5, text)]


# --- a county that is singled out -------------------------------------------------------------------------


def _draw_county(panel: Panel, region: str, shift: float) -> Label | None:
    """One county's row, every cell as what it is. Gives the label at its right end."""
    ax, scene = panel.ax, panel.scene
    cells, colour = scene.of(panel.code, region), scene.colours[region]
    if cells.empty:
        return None
    place = 0.0 if scene.chosen else list(scene.colours).index(region) / max(1, len(scene.colours) - 1) - 0.5
    told, known = cells["kind"].isin(TOLD), cells["drawn"].notna()
    heights = np.where(told, panel.height(paths.WORDS + 0.16 * place), panel.height(paths.GAPS + 0.16 * place))
    cells = cells.assign(at=(cells["drawn"] + shift).fillna(pd.Series(heights, cells.index)))
    ranges = cells[cells["kind"] == "range"]
    ax.vlines(ranges["year"], ranges["value_low"], ranges["value_high"], color=colour, zorder=3, **RANGE_LINE)
    paths.draw_path(ax, cells[known], scene.marks[region], panel.state)
    _draw_words(ax, cells[told & ~known], colour)
    gaps = cells[~told & ~known]
    mark = style.NOT_PRINTED | {"color": colour}
    ax.plot(gaps["year"], gaps["at"], linestyle="none", clip_on=False, zorder=5, **mark)
    if scene.chosen and panel.state:
        _write_states(panel, cells)
    elif scene.chosen and known.any():
        _write_baseline(panel, cells)
    text = "" if panel.state and (known.iloc[-1] or not scene.chosen) else scene.word(cells.iloc[-1])
    text = text if scene.chosen else f"{scene.name(region)} {text}".strip()
    return Label(cells["at"].iloc[-1], text, style.dark(colour))


def _draw_words(ax: style.Axes, cells: pd.DataFrame, colour: str) -> None:
    """A bar over each run of neighbouring years whose cells say in words what is planned."""
    for _, run in cells.groupby((cells["year"].diff() != 1).cumsum()):
        ends = run["year"].iloc[0] - 0.13, run["year"].iloc[-1] + 0.13
        ax.plot(ends, run["at"].iloc[[0, 0]], solid_capstyle="butt", zorder=5, **stroke(colour, 2.8))


def _write_baseline(panel: Panel, cells: pd.DataFrame) -> None:
    """The printed baseline, on the side that the path leaves free."""
    first, at = cells.iloc[0], cells["at"]
    up = bool(at.iloc[1:2].lt(at.iloc[0]).any()) or np.isnan(first["drawn"])
    shift, side = ((-4, 5.5), "bottom") if up else ((-4, -6), "top")
    options: dict[str, Any] = {"va": side, "color": style.BLUE, "zorder": 3, "bbox": style.PAPER}
    style.aside(panel.ax, (first["year"], first["at"]), shift, panel.scene.word(first), **options)


def _write_states(panel: Panel, cells: pd.DataFrame) -> None:
    """Words at the years in which they change; before passing below the line, after it above."""
    words = pd.Series([panel.scene.word(cell) for cell in cells.itertuples()], cells.index)
    changed = (words != words.shift()) & cells["drawn"].notna() & (words != panel.scene.say("not_passed"))
    after_another = changed & changed.shift(fill_value=False)  # two words in two neighbouring years
    for cell in cells[changed].itertuples():
        passed = cell.drawn > 0
        text = f"{cell.year} {words[cell.Index]}" if passed and cell.role == "target" else words[cell.Index]
        down = -6 - 11 * after_another[cell.Index]
        options: dict[str, Any] = {"ha": "center", "va": "bottom" if passed else "top", "color": style.BLUE}
        style.aside(
            panel.ax, (cell.year, cell.at), (0, 6 if passed else down), text, zorder=3, bbox=style.PAPER, **options
        )


def _fall(panel: Panel) -> Label | None:
    """Say that the chosen county's cumulative number falls: a finding about the data, not a planned change."""
    values = panel.scene.of(panel.code, panel.scene.chosen)["drawn"].dropna()
    if panel.of("nature") != "cumulative" or not (values.diff() < 0).any():
        return None
    return Label(values.iloc[-1], panel.scene.say("total_falls"), style.dark(style.VERMILLION))


def _alt(scene: Scene, table: pd.DataFrame, ambition: pd.DataFrame | None) -> str:
    """What the panels show, and where the plans lead as the reports count it."""
    kind = "one" if scene.chosen else "all"
    regions = [scene.chosen] if scene.chosen else scene.counties
    count = sum(len(scene.grid(code, regions)) for code in table.index)
    said = scene.say(f"trajectory_alt_{kind}", n=len(table), rows=count)
    if ambition is None:
        return said
    rows = scene.results(ambition, "ambition()", "change")
    rows = rows[(rows["measure"] == "change") & rows["indicator"].isin(table.index) & rows["region"].isin(regions)]
    counts = {
        "better": int((rows["status"].isin(statuses_for("change")) & (rows["value"] > 0)).sum()),
        "hold": int(rows["status"].isin(["hold", "hold_at_ceiling"]).sum()),
        "weaker": int((rows["status"] == "weaker").sum()),
    }
    return said + scene.say(f"trajectory_alt_{kind}_ways", unclear=count - sum(counts.values()), **counts)
