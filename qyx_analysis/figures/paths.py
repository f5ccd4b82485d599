"""Planned paths as small multiples: every county's own way from its baseline to its last target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from qyx_analysis.figures import style
from qyx_analysis.figures.panels import LINE, domain_panels, domains_height, number_ticks, widened
from qyx_analysis.figures.scene import FEW, TOLD, Domain, Scene, in_domain, scene_of
from qyx_analysis.figures.style import DASHED, DOTTED, SOLID
from qyx_analysis.measures.ambition import ambition

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PLOT = 0.98  # inches
WORDS, GAPS = 0.9, 0.07  # heights inside a panel, as shares, of words and of cells without a number
BOUNDS = ("lower_bound", "upper_bound")
RANGE_LINE: dict[str, Any] = {"linewidth": 4, "alpha": 0.35}
RANGE: dict[str, Any] = {"marker": "|", "markersize": 9, "markeredgewidth": 4, "alpha": 0.35}


class Label(NamedTuple):
    """A text beside the last year of a panel: the height it belongs to, what it says, its colour."""

    at: float
    text: str
    colour: str


@style.house_style()
def plot_trajectory(targets: pd.DataFrame, region: object = None, domain: Domain = None, lang: str = "zh") -> Figure:
    """Draw the planned path of every indicator from the baseline to the last target, one small panel each.

    ``targets``: the frame of ``load_targets``. ``region`` (code or name): its paths in colour with the printed
    values at both ends, the other counties grey behind; without it every county has its colour (up to five) or is a
    thin grey line around the middle half. ``domain``: only this domain, by its Chinese or English name.

    Returns a matplotlib Figure whose label is its alternative text. Raises DataError for an unknown language, a region
    or domain that is unknown or not in ``targets``, and when no row is left to draw.

    How to read it: a diamond is observed, dots are planned. An open dot with an arrow is a bound, drawn at its
    threshold; a bar is a promise in words; an open square is a cell without a number, and no line crosses it.

    >>> from qyx_analysis.tidy.reading import read_plans
    >>> from qyx_analysis.files import raw_dir
    >>> targets = read_plans([raw_dir()]).targets.query("domain == '病有良医'")
    >>> plot_trajectory(targets, region=330213, lang="en").get_label()[:72]
    'Small panels of the planned paths of 3 indicators of Fenghua, 2022–2027.'
    """
    targets = in_domain(targets, domain)
    scene = scene_of(targets, region, lang)
    table = scene.own if scene.chosen else scene.shared
    crowd = not scene.chosen and not scene.few  # many own paths that must not be compared are no picture
    uncompared = (table["alone"] & crowd) | (table["comparability"].eq("") & (not scene.chosen))
    left_out, table = table.loc[uncompared, "name"], table[~uncompared]
    title, subtitle, note = _texts(scene, len(table))
    note += scene.say("counts_left_out", names=scene.some(left_out)) if len(left_out) else ""
    note += "" if scene.chosen else scene.single()
    if table.empty:
        return style.without_picture(title, note)
    entries = _key_entries(scene, table.index)
    figure, top = style.page(title, subtitle, entries, domains_height(table), note)
    room = (0.46, 0.8) if scene.chosen else (0.46, 1.2)  # left for ticks, right for labels
    for code, ax in domain_panels(figure, scene, table, top, room, PLOT):
        _draw(ax, scene, code)
    figure.set_label(_alt(scene, targets, table.index))
    return figure


def _texts(scene: Scene, n: int) -> tuple[str, str, str]:
    first, last = scene.years[0], scene.years[-1]
    if scene.chosen:
        who = scene.name(scene.chosen)
        title = scene.say("trajectory_title_one", county=who, n=n, first=first, last=last)
        subtitle = scene.say("trajectory_subtitle_one", first=first, last=last)
    else:
        title = scene.say("trajectory_title_all", n=n, counties=len(scene.counties), first=first, last=last)
        subtitle = scene.say("trajectory_subtitle_few" if scene.few else "trajectory_subtitle_many", first=first)
    return title, subtitle, scene.say("trajectory_note")


def _key_entries(scene: Scene, codes: pd.Index) -> list[style.Entry]:
    colour = style.BLUE if scene.chosen else style.SOFT
    cells = scene.cells[scene.cells["indicator"].isin(codes)]
    shown = cells[cells["region"] == scene.chosen] if scene.chosen else cells
    line = {"color": colour, "linewidth": 1.8}
    entries: list[style.Entry] = []
    if scene.chosen or scene.few:
        entries += [
            ({"color": colour} | style.BASELINE, scene.say("key_baseline", year=scene.years[0])),
            ({"color": colour} | style.POINT, scene.say("key_target")),
            (line | {"linestyle": DASHED, "linewidth": 1.2}, scene.say("key_joint")),
        ]
        if (shown["kind"] == "lower_bound").any():
            entries.append((style.bound_options("up", colour), scene.say("key_at_least")))
        if (shown["kind"] == "upper_bound").any():
            entries.append((style.bound_options("down", colour), scene.say("key_at_most")))
        if (shown["kind"] == "range").any():
            entries.append(({"color": colour} | RANGE, scene.say("key_target_range")))
        if shown["kind"].isin(TOLD).any():
            entries.append(({"color": colour, "linestyle": SOLID, "linewidth": 2.8}, scene.say("key_words")))
        if shown["kind"].isin(["missing", "unreadable"]).any():
            entries.append((style.NOT_PRINTED | {"color": colour}, scene.say("key_missing")))
    printing = scene.indicators.loc[codes, "printing"]
    if not scene.few and printing.max() > 2 * FEW:
        band: dict[str, Any] = {"linestyle": SOLID, "linewidth": 8, "solid_capstyle": "butt"}
        entries.append((band | {"color": style.BAND}, scene.say("key_band")))
        entries.append((band | {"color": style.FAINT}, scene.say("key_wide_band")))
        entries.append(({"color": style.INK, "linestyle": SOLID, "linewidth": 1.6}, scene.say("key_median")))
    if not scene.few and not scene.chosen:
        entries.append((_END_LINE, scene.say("key_ends")))
        if printing.min() <= 2 * FEW:
            grey = {"color": style.OTHER, "linestyle": SOLID, "linewidth": 0.6}
            entries.append((grey, scene.say("key_each_line", names=scene.listed(scene.counties))))
    if scene.others and len(scene.others) <= 2 * FEW and scene.chosen:
        grey = {"color": style.OTHER, "linestyle": SOLID, "linewidth": 0.9}
        entries.append((grey, scene.say("key_others", names=scene.listed(scene.others))))
    if scene.few and not scene.chosen:
        line = {"linestyle": SOLID, "linewidth": 1.8, "markevery": [1]}
        entries += [(mark | line, scene.name(region)) for region, mark in scene.marks.items()]
    if scene.benchmarks:
        dashes = {"color": style.INK, "linestyle": DASHED, "linewidth": 1}
        entries.append((dashes, scene.say("key_benchmark", names=scene.listed(scene.benchmarks))))
    return entries


def _draw(ax: Axes, scene: Scene, code: str) -> None:
    entry = scene.indicators.loc[code]
    state, compared = entry["nature"] == "state", not (scene.chosen and entry["alone"])
    detailed = [scene.chosen] if scene.chosen else scene.counties if scene.few else []
    behind = [code for code in scene.counties if code not in detailed] if compared else []
    benchmarks = scene.benchmarks if not entry["alone"] else []
    low, high = _limits(scene, code, [*detailed, *behind, *benchmarks], detailed)
    ax.set(xlim=(scene.years[0] - 0.45, scene.years[-1] + 0.3), ylim=(low, high))
    if state and not detailed:
        _passed(ax, scene, code)
        return
    empty = not np.isfinite(scene.grid(code, [*detailed, *behind]).to_numpy(dtype=float)).any()
    path_ticks(ax, scene, entry, low, high, empty)
    _behind(ax, scene, code, behind, state)
    labels = [_benchmark(ax, scene, code, region) for region in benchmarks]
    for place, region in enumerate(detailed):
        shift = (place - (len(detailed) - 1) / 2) * (9 if state else 0)  # states would lie on each other
        labels.append(_path(ax, scene, code, region, shift))
    if scene.chosen:
        labels += _fall(scene, code)
    if not detailed:
        labels += _extremes(ax, scene, code, behind)
    right_labels(ax, [label for label in labels if label], low, high)
    if scene.chosen and empty:
        say_why(ax, scene, code)


def _limits(scene: Scene, code: str, regions: list[str], detailed: list[str]) -> tuple[float, float]:
    """Room for the numbers, and above and below for words and for cells without a number."""
    if scene.indicators.at[code, "nature"] == "state":
        return -120.0, 170.0
    cells = scene.cells[(scene.cells["indicator"] == code) & scene.cells["region"].isin(detailed)]
    ends = cells[["value_low", "value_high"]].to_numpy(dtype=float)
    numbers = np.append(scene.grid(code, regions).to_numpy(dtype=float), ends)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return 0.0, 1.0
    low, high = widened(numbers, 0.16)
    without = cells[cells["drawn"].isna()]
    words = without["kind"].isin(TOLD).any()
    gaps = without["kind"].isin(["missing", "unreadable"]).any()
    height = high - low
    low -= (0.15 if gaps or scene.chosen else 0) * height  # the chosen baseline's label hangs below it
    return low, high + (0.22 * height if words else 0)


def path_ticks(ax: Axes, scene: Scene, entry: pd.Series, low: float, high: float, empty: bool) -> None:
    first, last = scene.years[0], scene.years[-1]
    ax.set_xticks([first, last], [str(first), str(last)])
    ax.set_xticks(scene.years[1:-1], minor=True)
    ax.tick_params(axis="x", which="minor", length=2)
    if entry["nature"] == "state":
        ax.set_yticks([0, 100], [scene.say("tick_not_passed"), scene.say("passed")])
        ax.tick_params(axis="y", length=0)
    elif empty:
        ax.set_yticks([])
    else:
        number_ticks(ax.yaxis, low, high, scene.lang)


def _behind(ax: Axes, scene: Scene, code: str, regions: list[str], state: bool) -> None:
    """The counties that are not singled out: grey lines, or bands and the median when they are many."""
    from matplotlib.collections import LineCollection

    grid = scene.grid(code, regions)
    values = grid.to_numpy(dtype=float)
    if not np.isfinite(values).any():
        return
    years = np.array(scene.years)
    if not state and not scene.few and _bands(ax, years, values):
        return
    if state:
        values = values + np.linspace(-14, 14, len(values))[:, None] * (len(values) > 1)
    lines = [np.column_stack(_steps(years, row) if state else (years, row)) for row in values]
    width, alpha = (1.1, 1.0) if scene.few else (0.5, 0.6)
    ax.add_collection(LineCollection(lines, colors=style.OTHER, linewidths=width, alpha=alpha, zorder=2))
    alone = np.isfinite(values) & ~_beside(np.isfinite(values))
    ax.plot(np.broadcast_to(years, values.shape)[alone], values[alone], "o", color=style.OTHER, markersize=2, zorder=2)


def _bands(ax: Axes, years: np.ndarray, values: np.ndarray) -> bool:
    """Median, middle half and middle four fifths of the counties that print every year that is widely printed.

    One and the same set of counties: else a county that starts later would look like a change. Gives whether they
    are enough for bands.
    """
    wide = np.isfinite(values).sum(axis=0) >= len(values) / 4
    same = np.isfinite(values[:, wide]).all(axis=1)
    if not wide.any() or same.sum() <= 2 * FEW:
        return False
    low, quarter, middle, three, high = np.quantile(values[np.ix_(same, wide)], [0.1, 0.25, 0.5, 0.75, 0.9], axis=0)
    ax.fill_between(years[wide], low, high, color=style.FAINT, linewidth=0, zorder=1)
    ax.fill_between(years[wide], quarter, three, color=style.BAND, linewidth=0, zorder=1)
    ax.plot(years[wide], middle, color=style.INK, linewidth=1.6, zorder=3)
    return True


def _passed(ax: Axes, scene: Scene, code: str) -> None:
    """Of a state with many counties: how many have passed or plan to, year by year."""
    grid = scene.grid(code, scene.counties)
    known, passed = grid.notna().sum(), grid.gt(0).sum()
    ax.set(ylim=(0, max(1, known.max()) * 1.3))
    ax.set_xticks(scene.years, [str(year) if year in (scene.years[0], scene.years[-1]) else "" for year in scene.years])
    ax.set_yticks([])
    ax.bar(scene.years, known, width=0.62, color=style.FAINT, zorder=1)
    ax.bar(scene.years, passed, width=0.62, color=style.OTHER, zorder=2)
    text = scene.say("passed_of", n=int(passed.iloc[-1]), total=int(known.iloc[-1]))
    right_labels(ax, [Label(float(passed.iloc[-1]), text, style.SOFT)], *ax.get_ylim())
    first = scene.say("passed_first", n=int(passed.iloc[0]), total=int(known.iloc[0]))
    ax.annotate(
        first, (scene.years[0] - 0.31, known.iloc[0]), (0, 2), textcoords="offset points", va="bottom",
        fontsize=style.SMALL, color=style.INK, annotation_clip=False, zorder=3,
    )  # fmt: skip


def _steps(years: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A state changes at once: halfway between the last year without and the first year with it."""
    middles = (years[:-1] + years[1:]) / 2
    xs = np.concatenate([years[:1], np.repeat(middles, 2), years[-1:]])
    return xs, np.repeat(values, 2)


def _beside(known: np.ndarray) -> np.ndarray:
    """Whether the year before or the year after is known too, so that a line reaches the cell."""
    beside = np.zeros_like(known)
    beside[:, 1:] |= known[:, :-1]
    beside[:, :-1] |= known[:, 1:]
    return beside


def _benchmark(ax: Axes, scene: Scene, code: str, region: str) -> Label | None:
    cells = scene.of(code, region).dropna(subset=["drawn"])
    if cells.empty:
        return None
    ax.plot(cells["year"], cells["drawn"], color=style.INK, linestyle=DASHED, linewidth=1, zorder=3)
    last = cells.iloc[-1]
    return Label(last["drawn"], scene.name(region), style.INK)


def _path(ax: Axes, scene: Scene, code: str, region: str, shift: float) -> Label | None:
    """One county's row, every cell as what it is. Gives the label at its right end."""
    cells = scene.of(code, region)
    if cells.empty:
        return None
    colour = scene.colours[region]
    low, high = ax.get_ylim()
    cells = cells.assign(at=cells["drawn"] + shift)
    ranges = cells[cells["kind"] == "range"]
    ax.vlines(ranges["year"], ranges["value_low"], ranges["value_high"], color=colour, zorder=3, **RANGE_LINE)
    path_segments(ax, cells, scene.marks[region], scene.indicators.at[code, "nature"])
    words = cells[cells["drawn"].isna() & cells["kind"].isin(TOLD)]
    gaps = cells[cells["drawn"].isna() & ~cells.index.isin(words.index)]
    place = list(scene.colours).index(region) / max(1, len(scene.colours) - 1) - 0.5 if not scene.chosen else 0.0
    step = 0.16 * (high - low) * place
    at_words, at_gaps = low + WORDS * (high - low) + step, low + GAPS * (high - low) + step
    for run in _runs(words):
        ends = run["year"].iloc[[0, -1]].to_numpy() + [-0.13, 0.13]
        ax.plot(ends, [at_words] * 2, color=colour, linewidth=2.8, solid_capstyle="butt", zorder=5)
    ax.plot(
        gaps["year"],
        [at_gaps] * len(gaps),
        color=colour,
        linestyle="none",
        clip_on=False,
        zorder=5,
        **style.NOT_PRINTED,
    )
    last, first = cells.iloc[-1], cells.iloc[0]
    heights = pd.Series(at_gaps, cells.index).mask(cells.index.isin(words.index), at_words)
    at = cells["at"].fillna(heights)
    if scene.chosen:
        if scene.indicators.at[code, "nature"] == "state":
            _words_of_state(ax, scene, cells)
        elif np.isfinite(cells["drawn"]).any():
            _first_label(ax, scene, first, at.iloc[0], colour, rises=not at.iloc[1:2].lt(at.iloc[0]).any())
        text = scene.word(last) if scene.indicators.at[code, "nature"] != "state" or np.isnan(last["drawn"]) else ""
    else:
        own = scene.word(last) if scene.indicators.at[code, "nature"] != "state" else ""
        text = f"{scene.name(region)} {own}".strip()
    return Label(at.iloc[-1], text, style.dark(colour))


def _fall(scene: Scene, code: str) -> list[Label]:
    """Say that the chosen county's cumulative number falls: a finding about the data, not a planned change."""
    values = scene.of(code, scene.chosen)["drawn"].dropna()
    if scene.indicators.at[code, "nature"] != "cumulative" or not (values.diff() < 0).any():
        return []
    return [Label(values.iloc[-1], scene.say("total_falls"), style.dark(style.VERMILLION))]


def path_segments(ax: Axes, cells: pd.DataFrame, point: dict[str, Any], nature: str) -> None:
    """Lines between neighbouring years and the marks on them.

    Dashed from the observed baseline to the first target, dotted where an end is only a bound, a step for a state.
    """
    from matplotlib.collections import LineCollection

    points, colour = cells[["year", "at"]].to_numpy(dtype=float), point["color"]
    bound, observed = cells["kind"].isin(BOUNDS).to_numpy(), (cells["role"] == "baseline").to_numpy()
    joined = np.isfinite(points[:-1, 1]) & np.isfinite(points[1:, 1]) & (np.diff(points[:, 0]) == 1)
    kinds = [
        DOTTED if b else DASHED if o else SOLID for b, o in zip(bound[:-1] | bound[1:], observed[:-1], strict=True)
    ]
    pairs = [points[[place, place + 1]] for place in np.flatnonzero(joined)]
    lines = [np.column_stack(_steps(*pair.T)) if nature == "state" else pair for pair in pairs]
    styles = [kind for kind, use in zip(kinds, joined, strict=True) if use]
    widths = [1.8 if kind == SOLID else 1.3 for kind in styles]
    ax.add_collection(LineCollection(lines, colors=colour, linestyles=styles, linewidths=widths, zorder=4))
    for mask, mark in (
        (observed & ~bound, style.BASELINE | {"color": colour}),
        (~observed & ~bound, point | {"markersize": point["markersize"] - 0.6}),
        ((cells["kind"] == "lower_bound").to_numpy(), style.bound_options("up", colour)),
        ((cells["kind"] == "upper_bound").to_numpy(), style.bound_options("down", colour)),
    ):
        if mask.any():
            ax.plot(*points[mask].T, linestyle="none", clip_on=False, zorder=5, **mark)


def _runs(cells: pd.DataFrame) -> list[pd.DataFrame]:
    """Cut rows into runs of neighbouring years."""
    return [run for _, run in cells.groupby((cells["year"].diff() != 1).cumsum())]


def _first_label(ax: Axes, scene: Scene, cell: Any, at: float, colour: str, rises: bool) -> None:
    """The printed baseline, on the side that the path leaves free."""
    up = not rises or np.isnan(cell["drawn"])
    ax.annotate(
        scene.word(cell), (cell["year"], at), (-4, 5.5 if up else -6), textcoords="offset points", ha="left",
        va="bottom" if up else "top", fontsize=style.SMALL, color=style.dark(colour), zorder=3, bbox=style.PAPER,
        annotation_clip=False,
    )  # fmt: skip


def _words_of_state(ax: Axes, scene: Scene, cells: pd.DataFrame) -> None:
    """Words at the years in which they change; before passing below the line, after it above."""
    words = pd.Series([scene.word(cell) for cell in cells.itertuples()], cells.index)
    changed = (words != words.shift()) & cells["drawn"].notna() & (words != scene.say("not_passed"))
    for index in changed[changed].index:
        passed = cells.at[index, "drawn"] > 0
        year = f"{cells.at[index, 'year']} " if passed and cells.at[index, "role"] == "target" else ""
        lower = 11 * (
            not passed and bool(changed.shift(fill_value=False)[index])
        )  # two words in two neighbouring years
        ax.annotate(
            year + words[index], (cells.at[index, "year"], cells.at[index, "at"]), (0, 6 if passed else -6 - lower),
            textcoords="offset points", ha="center", va="bottom" if passed else "top", fontsize=style.SMALL,
            color=style.BLUE, zorder=3, bbox=style.PAPER, annotation_clip=False,
        )  # fmt: skip


_END_LINE: dict[str, Any] = {"color": style.SOFT, "linestyle": SOLID, "linewidth": 0.9}


def _extremes(ax: Axes, scene: Scene, code: str, regions: list[str]) -> list[Label]:
    """With many counties, draw and name only the ones with the highest and the lowest last target."""
    grid = scene.grid(code, regions)
    last = grid[scene.years[-1]].dropna()
    if last.empty:
        return _most_common_word(scene, code)
    found = []
    for value in (last.max(), last.min()):
        who = last.index[last == value].tolist()
        if len(who) == 1:
            ax.plot(scene.years, grid.loc[who[0]], zorder=2, **_END_LINE)
        cell = next(scene.of(code, who[0]).iloc[[-1]].itertuples())
        name = scene.name(who[0]) if len(who) == 1 else scene.say("counties_short", n=len(who))
        found.append(Label(value, f"{name} {scene.word(cell)}", style.SOFT))
    return found[:1] if last.max() == last.min() else found


def _most_common_word(scene: Scene, code: str) -> list[Label]:
    cells = scene.cells[(scene.cells["indicator"] == code) & (scene.cells["year"] == scene.years[-1])]
    cells = cells[cells["level"] == "county"]
    kind = cells["kind"].mode()
    if kind.empty:
        return []
    same = cells[cells["kind"] == kind[0]]
    word = scene.word(next(same.itertuples()))
    height = scene.grid(code, scene.counties).max(axis=None)
    return [
        Label(height if np.isfinite(height) else 0.5, f"{scene.say('counties_short', n=len(same))} {word}", style.SOFT)
    ]


def right_labels(ax: Axes, labels: list[Label], low: float, high: float) -> None:
    if not labels:
        return
    per_inch = (high - low) / PLOT
    places = style.declutter([label.at for label in labels], LINE * per_inch, low, high)
    edge = ax.get_xlim()[1]
    for label, place in zip(labels, places, strict=True):
        if abs(place - label.at) > 0.04 * per_inch:
            ax.plot([edge - 0.1, edge + 0.12], [label.at, place], color=style.OTHER, linewidth=0.6, clip_on=False)
        ax.text(edge + 0.2, place, label.text, fontsize=style.SMALL, color=label.colour, va="center", clip_on=False)


def say_why(ax: Axes, scene: Scene, code: str) -> None:
    """A row without a single number says so in words."""
    cells = scene.of(code, scene.chosen)
    reference = cells.loc[cells["kind"] == "reference", "raw"]
    if len(reference):
        text = scene.say("row_reference", text=style.drawable(reference.iloc[0]))
    elif cells["observational"].any():
        text = scene.say("row_observational")
    elif (cells["kind"] == "missing").all():
        text = scene.say("row_missing")
    else:
        text = scene.say("row_words")
    lines = "\n".join(style.wrap(text, style.SMALL, 1.9))
    ax.text(0.5, 0.5, lines, transform=ax.transAxes, ha="center", va="center", fontsize=style.SMALL, color=style.SOFT)


def _alt(scene: Scene, targets: pd.DataFrame, codes: pd.Index) -> str:
    """What the panels show, counted from the same measure that the reports use."""
    who = [scene.chosen] if scene.chosen else scene.counties
    rows = ambition(targets[targets["region"].isin(who)])
    rows = rows[(rows["measure"] == "change") & rows["indicator"].isin(codes)]
    better = rows["status"].isin(["ok", "reversing"]) & (rows["value"] > 0)
    counts = {
        "better": int(better.sum()),
        "hold": int(rows["status"].isin(["hold", "hold_at_ceiling"]).sum()),
        "weaker": int((rows["status"] == "weaker").sum()),
    }
    text = "trajectory_alt_one" if scene.chosen else "trajectory_alt_all"
    return scene.say(
        text, county=scene.name(who[0]), counties=len(scene.counties), n=len(codes), rows=len(rows),
        first=scene.years[0], last=scene.years[-1], unclear=len(rows) - sum(counts.values()), **counts,
    )  # fmt: skip
