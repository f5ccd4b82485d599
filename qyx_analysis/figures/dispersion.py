"""How far apart the counties are, year by year, and whether their plans bring them together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qyx_analysis.figures import style
from qyx_analysis.figures.panels import COLUMNS, HEAD, number_ticks, panel, title_room, widened
from qyx_analysis.figures.rows import QUARTILED, SIDE, Rows, Scale, lay_rows, printed_by, rows_height
from qyx_analysis.figures.scene import Domain, Scene, in_domain, number, scene_of
from qyx_analysis.measures import dispersion, verdicts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROOM, PLOT, FOOT = (0.46, 0.12), 1.15, 0.75  # inches
RATIOS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
RATIO_SCALE = Scale(
    *(-3.4, 3.4), {float(np.log2(ratio)): f"{ratio:g}" for ratio in RATIOS},
    decimals=2, percent=False, signed=False, at_least=False,
)  # fmt: skip
SECOND = ("logit_sd_ratio", "log_sd_ratio", "gini_mean_difference_ratio")


@style.house_style()
def plot_dispersion(targets: pd.DataFrame, region: object = None, domain: Domain = None, lang: str = "zh") -> Figure:
    """Draw the values of all counties in every year, one panel per indicator, with their standard deviation.

    ``targets``: the frame of ``load_targets``. Absolute counts and states are left out and named below, as are
    indicators that only one county prints. ``region`` (code or name): this county in colour, the others grey.
    ``domain``: only this domain, by its Chinese or English name.

    Returns a matplotlib Figure whose label is its alternative text. Raises DataError for an unknown language and a
    region or domain that is unknown or not in ``targets``. The measure: ``sd`` of :func:`qyx_analysis.dispersion`.

    How to read it: the line of a year runs from the lowest to the highest county. Below each year stands the
    standard deviation (n − 1) in the unit of the indicator, in brackets where a bound is read as its threshold; n is
    written where it changes, because values of different counties are not one comparison.

    >>> from qyx_analysis.tidy.reading import read_plans
    >>> from qyx_analysis.files import raw_dir
    >>> targets = read_plans([raw_dir()]).targets.query("domain == '病有良医'")
    >>> plot_dispersion(targets, lang="en").get_label()[:33]
    'Small plots of the planned values'
    """
    targets = in_domain(targets, domain)
    scene = scene_of(targets, region, lang)
    spread = dispersion(targets).query("measure == 'sd'")
    table = scene.shared
    codes = [code for code in table.index if spread.loc[spread["indicator"] == code, "value"].notna().any()]
    note = scene.say("dispersion_note") + scene.left_out(table.drop(codes), 2) + scene.single()
    rows = -(-len(codes) // COLUMNS)
    height = HEAD + PLOT + FOOT
    first, last = scene.years[0], scene.years[-1]
    title = scene.say("dispersion_title", who=scene.everyone, first=first, last=last)
    subtitle = scene.say("dispersion_subtitle", first=first)
    if not codes:
        return style.without_picture(title, scene.say("too_few", n=2, counties=len(scene.counties)))
    above = 0.1 + title_room(table.loc[codes, "name"])
    figure, top = style.page(title, subtitle, _key_entries(scene, codes), rows * (height + above), note)
    for place, code in enumerate(codes):
        line, column = divmod(place, COLUMNS)
        ax = panel(figure, scene, code, top + above + line * (height + above), column, ROOM, PLOT)
        _draw_years(ax, scene, code)
        _write_spread(ax, scene, spread[spread["indicator"] == code].set_index("year"))
    figure.set_label(_dispersion_alt(scene, spread, codes))
    return figure


def _key_entries(scene: Scene, codes: list[str]) -> list[style.Entry]:
    entries: list[style.Entry] = []
    if scene.chosen:
        entries.append((scene.marks[scene.chosen], scene.name(scene.chosen)))
    if scene.few and not scene.chosen:
        entries += [(mark, scene.name(region)) for region, mark in scene.marks.items()]
    elif scene.others:
        grey = {"color": style.OTHER, "marker": "o", "markersize": 5.0 if scene.few else 2.4}
        text = "key_others" if scene.chosen else "key_each"
        entries.append((grey, scene.say(text, names=scene.listed(scene.others))))
    if not scene.few:
        band = {"color": style.BAND, "linestyle": "solid", "linewidth": 8, "solid_capstyle": "butt"}
        entries.append((band, scene.say("key_band")))
        median = {"color": style.INK, "marker": "_", "markersize": 10, "markeredgewidth": 1.8}
        entries.append((median, scene.say("key_median")))
    entries.append(({"color": style.OTHER, "linestyle": "solid", "linewidth": 1.4}, scene.say("key_range")))
    entries.append((style.BASELINE | {"color": style.SOFT}, scene.say("key_baseline", year=scene.years[0])))
    cells = scene.cells[scene.cells["indicator"].isin(codes) & (scene.cells["level"] == "county")]
    if scene.few and (cells["kind"] == "lower_bound").any():
        entries.append((style.bound_options("up", style.SOFT), scene.say("key_at_least")))
    if scene.few and (cells["kind"] == "upper_bound").any():
        entries.append((style.bound_options("down", style.SOFT), scene.say("key_at_most")))
    return entries


def _draw_years(ax: Axes, scene: Scene, code: str) -> None:
    grid = scene.grid(code, scene.counties)
    values = grid.to_numpy(dtype=float)
    years = np.array(scene.years)
    ax.set(xlim=(years[0] - 0.5, years[-1] + 0.5), ylim=widened(values[np.isfinite(values)], 0.14))
    ax.set_xticks(years, [str(year) for year in years])
    number_ticks(ax.yaxis, *ax.get_ylim(), scene.lang)
    for column, year in enumerate(years):
        known = values[np.isfinite(values[:, column]), column]
        if len(known):
            ax.plot([year] * 2, [known.min(), known.max()], color=style.OTHER, linewidth=1.4, zorder=1)
        if len(known) >= QUARTILED and not scene.few:
            low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
            ax.bar(year, high - low, 0.5, low, color=style.BAND, zorder=2)
            ax.plot([year], [middle], "_", color=style.INK, markersize=12, markeredgewidth=1.8, zorder=4)
    if scene.few:
        _few_dots(ax, scene, code)
        return
    aside = 0.3 * (np.resize(np.arange(7), len(values)) / 6 - 0.5)  # spread over the width of a year, always alike
    for part, mark in ((slice(0, 1), "D"), (slice(1, None), "o")):
        xs = (years[None, part] + aside[:, None]).ravel()
        ax.plot(xs, values[:, part].ravel(), mark, color=style.SOFT, markersize=1.8, alpha=0.55, zorder=3)
        for own in values[grid.index == scene.chosen]:
            ax.plot(years[part], own[part], mark, color=style.BLUE, markersize=4.2, clip_on=False, zorder=5)


def _few_dots(ax: Axes, scene: Scene, code: str) -> None:
    """Coloured dots on the line of their year; those at one height side by side."""
    cells = scene.cells[(scene.cells["indicator"] == code) & scene.cells["region"].isin(scene.counties)]
    cells = cells[cells["drawn"].notna()].sort_values(["year", "drawn", "region"])
    low, high = ax.get_ylim()
    apart = cells["drawn"].diff().abs().gt(0.045 * (high - low)) | cells["year"].diff().ne(0)
    group = cells.groupby(apart.cumsum())
    aside = 0.16 * (group.cumcount() - (group["year"].transform("size") - 1) / 2)
    for cell, x in zip(cells.itertuples(), cells["year"] + aside, strict=True):
        colour = scene.colours[cell.region]
        options = style.BASELINE | {"color": colour} if cell.role == "baseline" else scene.marks[cell.region]
        if cell.kind in ("lower_bound", "upper_bound"):
            options = style.bound_options("up" if cell.kind == "lower_bound" else "down", colour)
        ax.plot([x], [cell.drawn], clip_on=False, zorder=3, **options)


def _write_spread(ax: Axes, scene: Scene, spread: pd.DataFrame) -> None:
    """The standard deviations under their years, and n where it differs between the years."""
    values = spread["value"].reindex(scene.years)
    decimals = 2 if values.max() < 10 else 1 if values.max() < 100 else 0
    bounded = spread["flags"].str.split(";").map(lambda flags: "bounded" in flags).reindex(scene.years)
    texts = ["–" if np.isnan(v) else number(v, decimals, scene.lang) for v in values]
    texts = [f"({text})" if mark is True and text != "–" else text for text, mark in zip(texts, bounded, strict=True)]
    lines = [("SD", texts)]
    n = spread["n"].reindex(scene.years, fill_value=0)
    if n.nunique() > 1:
        lines.append(("n", [str(count) for count in n]))
    for line, (name, row) in enumerate(lines):
        for x, text in zip([scene.years[0] - 1.05, *scene.years], [name, *row], strict=True):
            ax.annotate(
                text, (x, 0), (0, -19 - 11 * line), xycoords=("data", "axes fraction"), textcoords="offset points",
                ha="center", va="top", fontsize=style.SMALL, color=style.SOFT if text == name else style.INK,
                annotation_clip=False,
            )  # fmt: skip


def _dispersion_alt(scene: Scene, spread: pd.DataFrame, codes: list[str]) -> str:
    first, last = scene.years[0], scene.years[-1]
    ends = spread[spread["indicator"].isin(codes)].pivot(index="indicator", columns="year", values="value")
    counts = spread.pivot(index="indicator", columns="year", values="n").reindex(ends.index)
    same = ends[[first, last]].notna().all(axis=1) & (counts[first] == counts[last])
    step = (ends[last] - ends[first])[same]
    return scene.say(
        "dispersion_alt", n=len(codes), who=scene.everyone, first=first, last=last, compared=int(same.sum()),
        narrower=int((step < 0).sum()), wider=int((step > 0).sum()),
    ) + scene.picked_out  # fmt: skip


@style.house_style()
def plot_convergence(targets: pd.DataFrame, domain: Domain = None, lang: str = "zh") -> Figure:
    """Draw for every indicator whether the planned spread narrows, on two scales.

    ``targets``: the frame of ``load_targets``. ``domain``: only this domain, by its Chinese or English name. There is
    no ``region``: a spread is that of all counties.

    Returns a matplotlib Figure whose label is its alternative text. Raises DataError for an unknown language and a
    domain that is unknown or not in ``targets``. The measures: ``sd_ratio``, its second scale and ``convergence`` of
    :func:`qyx_analysis.dispersion`, and how many specifications agree of :func:`qyx_analysis.verdicts`.

    How to read it: a ratio below 1 (left) is a planned narrowing between the baseline and the last target, for the
    counties that print both. Where the dot and the square lie on different sides of 1 the verdict depends on the
    scale. The lines are what rounding and bounds allow.

    >>> from qyx_analysis.tidy.reading import read_plans
    >>> from qyx_analysis.files import raw_dir
    >>> targets = read_plans([raw_dir()]).targets.query("domain == '病有良医'")
    >>> plot_convergence(targets, lang="en").get_label()[:39]
    'Dot plot of the ratio of planned spread'
    """
    targets = in_domain(targets, domain)
    scene = scene_of(targets, None, lang)
    results = dispersion(targets)
    judged = results[results["measure"] == "convergence"].set_index("indicator")
    firm = verdicts(targets).query("kind == 'convergence'").set_index("indicator")
    few = judged["status"].isin(["too_few", "state", "absolute_count"])
    table = scene.shared[scene.shared.index.isin(judged.index[~few])]
    note = scene.say("convergence_note") + scene.left_out(scene.shared.drop(table.index), 3) + scene.single()
    first, last = scene.years[0], scene.years[-1]
    title = scene.say("convergence_title", who=scene.who, first=first, last=last)
    subtitle = scene.say("convergence_subtitle", first=first, last=last)
    if results.loc[results["measure"] == "sd_ratio", "value"].isna().all():
        return style.without_picture(title, scene.say("too_few", n=3, counties=len(scene.counties)))
    entries: list[style.Entry] = [
        (style.POINT | {"color": style.BLUE}, scene.say("key_sd_ratio")),
        (_SQUARE, scene.say("key_second_ratio")),
        ({"color": style.BLUE, "linestyle": "solid", "linewidth": 1.4}, scene.say("key_interval")),
    ]
    step, head, foot = 0.4, 0.37, 0.51
    body = rows_height(table, step) + head + foot
    figure, top = style.page(title, subtitle, entries, body, note)
    rows = lay_rows(figure, table, top + head, step, RATIO_SCALE, under=printed_by(scene, table))
    rows.ax.axvline(0, color=style.SOFT, linewidth=1, zorder=1)
    for x, side, text in ((-3.4, "left", "narrower"), (0, "center", "unchanged"), (3.4, "right", "wider")):
        colour = style.INK if x else style.SOFT
        rows.ax.text(x, -0.07, scene.say(text), ha=side, va="bottom", fontsize=style.SMALL, color=colour)
    rows.ax.set_xlabel(scene.say("convergence_axis", first=first, last=last), fontsize=style.SMALL)
    for code in table.index:
        found = results[results["indicator"] == code].drop_duplicates("measure", keep="last").set_index("measure")
        _ratios(rows, scene, str(code), found, firm.loc[code])
    figure.set_label(_convergence_alt(scene, judged.loc[table.index]))
    return figure


_SQUARE: dict[str, Any] = {"marker": "s", "markersize": 5, "color": style.INK} | style.HOLLOW


def _ratios(rows: Rows, scene: Scene, code: str, found: pd.DataFrame, firm: pd.Series) -> None:
    y = rows.at[code]
    second = next((name for name in SECOND if name in found.index), None)
    texts = []
    for name, shift, colour, mark in (
        ("sd_ratio", -0.06, style.BLUE, style.POINT | {"color": style.BLUE}),
        (second, 0.06, style.INK, _SQUARE),
    ):
        if name not in found.index or np.isnan(found.at[name, "value"]):
            continue
        ratio = found.loc[[name], ["value", "lo", "hi"]].to_numpy(dtype=float)[0]
        with np.errstate(divide="ignore"):
            value, lo, hi = np.log2(ratio)
        ends = RATIO_SCALE.cut([lo, hi])
        rows.ax.plot(ends, [y + shift] * 2, color=colour, linewidth=1.3, solid_capstyle="butt", clip_on=False, zorder=3)
        for end, place in zip((lo, hi), ends, strict=True):
            if end != place:  # it goes on outside the axis
                mark_beyond = RATIO_SCALE.mark(end)
                rows.ax.plot([place], [y + shift], mark_beyond, color=colour, markersize=4, clip_on=False, zorder=3)
        beyond = RATIO_SCALE.mark(value)
        options = mark | ({"marker": beyond, "markersize": 6} if beyond != "o" else {})
        rows.ax.plot([RATIO_SCALE.cut(value)], [y + shift], clip_on=False, zorder=5, **options)
        texts.append(number(ratio[0], 2, scene.lang))
    _verdict(rows, scene, y, found, texts, firm)


def _verdict(rows: Rows, scene: Scene, y: float, found: pd.DataFrame, texts: list[str], firm: pd.Series) -> None:
    """What the measure says, the two ratios, how many specifications agree, and what stands against it."""
    verdict = found.loc["convergence"]
    flags = [flag for flag in ("identical_targets", "leave_one_out_flips") if flag in verdict["flags"].split(";")]
    first = scene.reason(verdict["status"]) + (f"  {scene.say('dot').join(texts)}" if texts else "")
    first += f"  n = {verdict['n']}" if verdict["n"] < len(scene.counties) and texts else ""
    notes = [scene.say("agreeing", share=f"{firm['agreeing']}/{firm['specifications']}")] if texts else []
    notes += [scene.say(f"flag_{flag}") for flag in flags]
    lines = [first] + style.wrap(scene.say("semicolon").join(notes), style.SMALL, SIDE - 0.2) * bool(notes)
    marked = verdict["status"] in ("diverging", "scale_dependent")
    colour = style.dark(style.VERMILLION) if marked else style.INK if texts else style.SOFT
    for line, text in enumerate(lines):
        rows.ax.annotate(
            text, (1, y), (12, 6.5 * (len(lines) - 1) - 13 * line), xycoords=("axes fraction", "data"), va="center",
            textcoords="offset points", fontsize=style.SMALL, color=colour if line == 0 else style.SOFT,
            annotation_clip=False,
        )  # fmt: skip


def _convergence_alt(scene: Scene, verdicts: pd.DataFrame) -> str:
    counts = verdicts["status"].value_counts()
    return scene.say(
        "convergence_alt", n=len(verdicts), who=scene.who, first=scene.years[0], last=scene.years[-1],
        narrower=int(counts.get("converging", 0)), wider=int(counts.get("diverging", 0)),
        scale=int(counts.get("scale_dependent", 0)),
        none=int(len(verdicts) - counts.reindex(["converging", "diverging", "scale_dependent"]).fillna(0).sum()),
    )  # fmt: skip
