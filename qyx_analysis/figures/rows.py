"""One line per indicator, grouped by domain: dots with intervals, and beside them a value or the reason for none."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from qyx_analysis.figures import style
from qyx_analysis.figures.scene import Scene, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMES, SIDE = 2.3, 2.75  # inches for the indicators' names on the left and for the texts on the right
QUARTILED = 4  # counties that have a middle half
DOMAIN = 0.34  # inches of a domain's heading
DECIDED = ("ok", "reversing", "converging", "diverging")


class Rows(NamedTuple):
    """Axes measured in inches downwards, and the middle of every indicator's line in them."""

    ax: Axes
    at: dict[str, float]
    step: float


class Scale(NamedTuple):
    """The axis of a measure: its ends (values beyond are shown at the edge, by an arrow), ticks and formats."""

    low: float
    high: float
    ticks: dict[float, str]
    decimals: int
    percent: bool
    signed: bool
    at_least: bool  # whether a bounded target makes the result a lower bound
    by_sign: bool = False  # whether the sign is the verdict, so that many counties are counted by it

    def text(self, value: float, lang: str) -> str:
        """A value as it is printed beside its line."""
        return number(value * (100 if self.percent else 1), self.decimals, lang, self.signed) + "%" * self.percent

    def mark(self, value: float) -> str:
        """Marker of a value: a dot, or an arrowhead at the edge that it lies beyond."""
        return "<" if value < self.low else ">" if value > self.high else "o"

    def cut(self, values: Any) -> Any:
        """Values beyond the axis lie on its edge."""
        return np.clip(values, self.low, self.high)


def decided(results: pd.DataFrame) -> pd.Series:
    """Whether a result allows a verdict: neither rounding nor a bound leaves it open.

    A target weaker than its baseline is one, the shape of the way there is none.
    """
    open_ = results["flags"].str.split(";").map(lambda flags: "open_bound" in flags)
    weaker = results["status"].eq("weaker") & ~results["measure"].str.startswith("front_loading")
    return results["value"].notna() & (results["status"].isin(DECIDED) | weaker) & ~open_


def from_below(results: pd.DataFrame, scale: Scale) -> pd.Series:
    """Whether a bounded target makes the value the least that is planned."""
    bounded = results["flags"].str.split(";").map(lambda flags: "bounded" in flags)
    return bounded & (results["hi"] > results["value"]) & scale.at_least


def row_step(scene: Scene) -> float:
    """Inches of one line: few counties are dodged, many are heaped up."""
    return 0.29 if scene.chosen and scene.few else 0.5 if scene.few else 0.38 if scene.chosen else 0.44


def rows_height(table: pd.DataFrame, step: float) -> float:
    """Inches that the lines of these indicators need."""
    return step * len(table) + DOMAIN * table["domain"].nunique() + 0.08


def lay_rows(
    figure: Figure,
    table: pd.DataFrame,
    top: float,
    step: float,
    scale: Scale,
    side: float = SIDE,
    under: Mapping[str, str] = MappingProxyType({}),
) -> Rows:
    """Write the indicators' names by domain and make the axes beside them; ``top`` and ``side`` in inches.

    ``under``: what stands below the name of an indicator.
    """
    height = rows_height(table, step)
    left = style.MARGIN + NAMES
    ax = style.axes_at(figure, left, top, style.WIDTH - style.MARGIN - side - left, height)
    ax.set(xlim=(scale.low, scale.high), ylim=(height, 0))
    ax.spines["left"].set_visible(False)
    ax.set_yticks([])
    ax.set_xticks(list(scale.ticks), list(scale.ticks.values()))
    at = {}
    y = 0.0
    for _, part in table.groupby("domain_name", sort=False):
        style.rule(figure, top + y + 0.04)
        write_domain(figure, top + y + 0.09, part["domain_name"].iloc[0])
        y += DOMAIN
        for code, name in part["name"].items():
            at[str(code)] = y + step / 2
            write_name(figure, top + y + step / 2, name, under.get(str(code), ""))
            ax.axhline(y + step / 2, color=style.FAINT, linewidth=0.7, zorder=0)
            y += step
    return Rows(ax, at, step)


def write_name(figure: Figure, middle: float, name: str, under: str = "") -> None:
    """Write an indicator's name left of its line, small on two lines where it is long, and below it what is said of it.

    ``middle``: of the line, in inches.
    """
    lines = style.fitted(name, style.BODY, NAMES - 0.22, 2)
    if len(lines) > 1:
        lines = style.fitted(name, style.SMALL, NAMES - 0.22, 2)
    size = style.BODY if len(lines) == 1 else style.SMALL
    half, whole = style.SMALL / 72 * 0.6, figure.get_figheight()  # of a small line, and of the figure, in inches
    options: dict[str, Any] = {"x": (style.MARGIN + 0.1) / style.WIDTH, "va": "center", "linespacing": 1.15}
    figure.text(y=1 - (middle - half * bool(under)) / whole, s="\n".join(lines), fontsize=size, **options)
    if under:
        below = 1 - (middle + half * (len(lines) + 0.2)) / whole
        figure.text(y=below, s=under, fontsize=style.SMALL, color=style.SOFT, **options)


def write_domain(figure: Figure, top: float, name: str) -> None:
    """Write the heading of a domain's lines."""
    (text,) = style.fitted(name, style.BODY, style.WIDTH - 2 * style.MARGIN)
    style.write(figure, style.MARGIN, top, text, color=style.SOFT)


def printed_by(scene: Scene, table: pd.DataFrame) -> dict[str, str]:
    """For a comparison: how many counties print each indicator."""
    if scene.chosen or len(scene.counties) < 2:
        return {}
    return {str(code): scene.say("printed_by", n=n) for code, n in table["printing"].items()}


def draw_results(rows: Rows, scene: Scene, results: pd.DataFrame, scale: Scale, grey_counts: bool = True) -> None:
    """Draw one measure: chosen county in colour, few counties dodged, many as a cloud with median and quartiles.

    ``grey_counts``: whether absolute counts of counties without a name may be drawn, as only the shape of a path may.
    """
    results = results[results["indicator"].isin(list(rows.at))]
    results = results.assign(decided=decided(results), from_below=from_below(results, scale))
    for code, part in results.groupby("indicator", sort=False):
        y = rows.at[str(code)]
        part = part.set_index("region")
        part = part.reindex([county for county in scene.counties if county in part.index])
        with_value = part[part["value"].notna()]
        count = scene.indicators.at[code, "scale"] == "count"
        if scene.chosen:
            if grey_counts or not count:
                behind = with_value.drop(scene.chosen, errors="ignore")
                _grey(rows.ax, scene, behind, y if scene.few else y + _swarm(behind, scale, rows.step - 0.1), scale)
            if scene.chosen in with_value.index:
                _dot(rows.ax, with_value.loc[scene.chosen], y, scene.marks[scene.chosen], scale)
            _side(rows, y, _own_text(scene, part, scale), scene.chosen in with_value.index)
        elif scene.few:
            for place, region in enumerate(scene.counties):  # every county at its own height, always the same
                shift = (place - (len(scene.counties) - 1) / 2) * min(0.105, (rows.step - 0.1) / len(scene.counties))
                if region in with_value.index:
                    _dot(rows.ax, with_value.loc[region], y + shift, scene.marks[region], scale)
            _side(rows, y, _reasons_by_county(scene, part, scale))
        elif count and not grey_counts:
            _side(rows, y, scene.reason("absolute_count"))
        else:
            _grey(rows.ax, scene, with_value, y - 0.06 + _swarm(with_value, scale, rows.step - 0.17), scale)
            _quartiles(rows.ax, with_value["value"], y + rows.step / 2 - 0.06, scale)
            _side(rows, y, _summary(scene, part, scale))
    for region in scene.benchmarks:
        _benchmark(rows, results[results["region"] == region], scale)


def _grey(ax: Axes, scene: Scene, results: pd.DataFrame, y: Any, scale: Scale) -> None:
    """The other counties: full dots where there is a verdict, open ones where there is none."""
    size, alpha = (4.2, 0.9) if scene.few else (2.4, 0.8)
    ys = np.broadcast_to(y, len(results))
    marks = results["value"].map(scale.mark).to_numpy()
    for sure, mark in product((True, False), "<o>"):
        use = (marks == mark) & (results["decided"] == sure).to_numpy()
        if not use.any():
            continue
        ax.plot(
            scale.cut(results["value"].to_numpy()[use]), ys[use], mark, color=style.OTHER, clip_on=False, zorder=2,
            markersize=size, markerfacecolor=style.OTHER if sure else "white", markeredgewidth=0.8, alpha=alpha,
        )  # fmt: skip


def _dot(ax: Axes, result: Any, y: float, point: dict[str, Any], scale: Scale) -> None:
    """One result with its interval; open where there is no verdict, with an arrow where a bound allows more."""
    ends, colour = scale.cut([result["lo"], result["hi"]]), point["color"]
    ax.plot(ends, [y, y], color=colour, linewidth=1.4, alpha=0.75, solid_capstyle="butt", clip_on=False, zorder=3)
    for end, place in zip((result["lo"], result["hi"]), ends, strict=True):
        if end != place:  # it goes on outside the axis
            ax.plot([place], [y], scale.mark(end), color=colour, markersize=4, clip_on=False, zorder=3)
    options = style.bound_options("right", colour) if result["from_below"] else dict(point)
    if not result["decided"] and not result["from_below"]:
        options |= style.HOLLOW
    if scale.mark(result["value"]) != "o":
        options |= {"marker": scale.mark(result["value"]), "markersize": 6.5}
    ax.plot([scale.cut(result["value"])], [y], clip_on=False, zorder=5, **options)


def _swarm(results: pd.DataFrame, scale: Scale, height: float) -> np.ndarray:
    """Set dots of one place side by side, alternately above and below the line, within ``height`` inches."""
    places = ((scale.cut(results["value"]) - scale.low) / (scale.high - scale.low) * 90).round()
    rank = results.assign(place=places).sort_values("decided", ascending=False).groupby("place").cumcount()
    rank = rank.reindex(results.index).to_numpy()
    step = min(0.036, height / max(1, rank.max(initial=0)))
    return step * np.ceil(rank / 2) * np.where(rank % 2, -1, 1)


def _quartiles(ax: Axes, values: pd.Series, y: float, scale: Scale) -> None:
    if len(values) < QUARTILED:
        return
    low, middle, high = values.quantile([0.25, 0.5, 0.75]).clip(scale.low, scale.high)
    ax.plot([low, high], [y, y], color=style.SOFT, linewidth=3, solid_capstyle="butt", zorder=3)
    ax.plot([middle], [y], "|", color=style.INK, markersize=9, markeredgewidth=2, zorder=4)


def _benchmark(rows: Rows, results: pd.DataFrame, scale: Scale) -> None:
    """A city or the province: a dashed tick across the line."""
    for result in results.dropna(subset=["value"]).itertuples():
        x, y = scale.cut(result.value), rows.at[result.indicator]
        rows.ax.plot([x, x], [y - 0.13, y + 0.13], color=style.INK, linestyle=style.DOTTED, linewidth=1.3, zorder=4)


def _own_text(scene: Scene, part: pd.DataFrame, scale: Scale) -> str:
    if scene.chosen not in part.index:
        return scene.say("no_row")
    own = part.loc[scene.chosen]
    if np.isnan(own["value"]):
        return scene.reason(own["status"])
    reason = "" if own["status"] == "ok" else scene.reason(own["status"])
    if np.isinf(own["lo"]) and np.isinf(own["hi"]):
        return reason  # anything is possible: a value would only mislead
    text = scale.text(own["value"], scene.lang)
    if own["from_below"]:
        text = scene.say("at_least", value=text)
    return f"{text}  {reason}".strip()


def _reasons_by_county(scene: Scene, part: pd.DataFrame, scale: Scale) -> str:
    without = part[part["value"].isna()]
    groups = without.groupby("status", sort=False).groups
    found = [scene.say("who_why", names=scene.listed(list(who)), why=scene.reason(why)) for why, who in groups.items()]
    beyond = part["value"].dropna()
    beyond = beyond[scale.cut(beyond) != beyond]
    values = [scene.say("who_why", names=scene.name(who), why=scale.text(v, scene.lang)) for who, v in beyond.items()]
    return scene.say("semicolon").join(values + found)


def _summary(scene: Scene, part: pd.DataFrame, scale: Scale) -> str:
    known = part["value"].dropna()
    if len(part) and known.empty:
        return scene.reason(part["status"].mode()[0])
    if scale.by_sign:
        sign = np.sign(part["value"].where(part["decided"]))
        counts = {"early": int((sign > 0).sum()), "late": int((sign < 0).sum()), "none": len(part) - len(known)}
        return scene.say("counted", open=len(known) - counts["early"] - counts["late"], **counts)
    text = scene.say("median_of", value=scale.text(known.median(), scene.lang), n=len(known), total=len(part))
    weaker = int((part["status"] == "weaker").sum())
    return text + (scene.say("semicolon") + scene.say("weaker_n", n=weaker) if weaker else "")


def _side(rows: Rows, y: float, text: str, strong: bool = False) -> None:
    lines = style.wrap(text, style.SMALL, SIDE - 0.2)
    rows.ax.annotate(
        "\n".join(lines), (1, y), (12, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
        fontsize=style.SMALL, color=style.BLUE if strong else style.SOFT, linespacing=1.2, annotation_clip=False,
    )  # fmt: skip


def result_entries(scene: Scene, results: pd.DataFrame, scale: Scale) -> list[style.Entry]:
    """Key of a picture drawn by :func:`draw_results`: only marks that occur in it."""
    colour = style.BLUE if scene.chosen else style.SOFT
    shown = results[results["region"].isin([scene.chosen] if scene.chosen else scene.counties)]
    shown = shown.dropna(subset=["value"])
    least = from_below(shown, scale)
    entries: list[style.Entry] = []
    if scene.chosen:
        entries.append(({"color": colour} | style.POINT, scene.name(scene.chosen)))
    if scene.few and not scene.chosen:
        entries += [(mark, scene.name(region)) for region, mark in scene.marks.items()]
    single = bool(scene.chosen) or scene.few  # each drawn with its interval; in a heap a dot is full or open
    if single:
        entries.append(({"color": colour, "linestyle": "solid", "linewidth": 1.4}, scene.say("key_interval")))
    if (~decided(shown) & ~(least & single)).any():
        entries.append(({"color": colour} | style.POINT | style.HOLLOW, scene.say("key_open")))
    if single and least.any():
        entries.append((style.bound_options("right", colour), scene.say("key_bounded")))
    if scene.others and (scene.chosen or not scene.few):
        text = "key_others" if scene.chosen else "key_each"
        grey = {"marker": "o", "markersize": 4.2, "color": style.OTHER}
        entries.append((grey, scene.say(text, names=scene.listed(scene.others))))
    if not scene.few and not scene.chosen:
        entries.append(({"color": style.SOFT, "linestyle": "solid", "linewidth": 3}, scene.say("key_band")))
        median = {"color": style.INK, "marker": "|", "markersize": 9, "markeredgewidth": 2}
        entries.append((median, scene.say("key_median")))
    if scene.benchmarks:
        tick = {"color": style.INK, "linestyle": style.DOTTED, "linewidth": 1.3}
        entries.append((tick, scene.say("key_benchmark", names=scene.listed(scene.benchmarks))))
    return entries
