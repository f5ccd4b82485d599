"""One line per indicator, grouped by domain: dots with intervals, and beside them a value or the reason for none."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from qyx_analysis.catalogue import statuses_for
from qyx_analysis.figures import style
from qyx_analysis.figures.scene import Scene, number

NAMES, SIDE = 2.3, 2.75  # inches for the indicators' names on the left and for the texts on the right
DOMAIN = 0.34  # inches of a domain's heading
HEAD, FOOT = 0.37, 0.51  # inches above and below the lines, for what the directions mean and for the ticks
QUARTILED = 4  # counties that have a middle half


class Scale(NamedTuple):
    """The axis of a measure: its ends (values beyond are shown at the edge, by an arrow), ticks and formats."""

    low: float
    high: float
    ticks: dict[float, str]
    decimals: int = 0
    percent: bool = False
    signed: bool = False
    at_least: bool = False  # whether a bounded target makes the result a lower bound
    by_zone: bool = False  # whether early, even and late are the verdict, so that many counties are counted by it

    def text(self, value: float, lang: str) -> str:
        """A value as it is printed beside its line."""
        return number(value * (100 if self.percent else 1), self.decimals, lang, self.signed) + "%" * self.percent

    def mark(self, value: float) -> str:
        """Marker of a value: a dot, or an arrowhead at the edge that it lies beyond."""
        return "<" if value < self.low else ">" if value > self.high else "o"

    def cut(self, values: Any) -> Any:
        """Values beyond the axis lie on its edge."""
        return np.clip(values, self.low, self.high)


class Rows(NamedTuple):
    """Axes measured in inches downwards, the middle of every indicator's line in them, and what is drawn there."""

    ax: style.Axes
    at: dict[str, float]
    step: float
    scene: Scene
    scale: Scale


def decided(results: pd.DataFrame) -> pd.Series:
    """Whether a result allows a verdict: neither rounding nor a bound leaves it open.

    A target weaker than its baseline is one, the shape of the way there is none.
    """
    timed = results["measure"].str.startswith("front_loading")
    said = results["status"].isin(statuses_for("timing")).where(timed, results["status"].isin(statuses_for("change")))
    return results["value"].notna() & said & ~flagged(results, "open_bound")


def flagged(results: pd.DataFrame, flag: str) -> pd.Series:
    """Whether a result carries this flag."""
    return results["flags"].str.split(";").map(lambda flags: flag in flags).astype(bool)


def from_below(results: pd.DataFrame) -> pd.Series:
    """Whether a bounded target makes the value the least that is planned."""
    return flagged(results, "bounded") & (results["hi"] > results["value"])


# --- the lines --------------------------------------------------------------------------------------------


def row_step(scene: Scene) -> float:
    """Inches of one line: few counties are dodged, many are heaped up."""
    return 0.29 if scene.chosen and scene.few else 0.5 if scene.few else 0.38 if scene.chosen else 0.44


def rows_height(table: pd.DataFrame, step: float) -> float:
    """Inches that the lines of these indicators need."""
    return step * len(table) + DOMAIN * table["domain"].nunique() + 0.08


def lay_rows(
    figure: style.Figure, scene: Scene, table: pd.DataFrame, top: float, step: float, scale: Scale, side: float = SIDE,
    count: bool = True,
) -> Rows:  # fmt: skip
    """Write the indicators' names by domain and make the axes beside them; ``top`` and ``side`` in inches.

    ``count``: whether a comparison says below each name how many counties print the indicator.
    """
    height = rows_height(table, step)
    left = style.MARGIN + NAMES
    ax = style.axes_at(figure, left, top, style.WIDTH - style.MARGIN - side - left, height)
    ax.set(xlim=(scale.low, scale.high), ylim=(height, 0))
    ax.spines["left"].set_visible(False)
    ax.set_yticks([])
    ax.set_xticks(list(scale.ticks), list(scale.ticks.values()))
    counted = count and not scene.chosen and len(scene.counties) > 1
    under = {code: scene.say("printed_by", n=n) if counted else "" for code, n in table["printing"].items()}
    at = write_names(figure, table, top, step, under)
    for y in at.values():
        ax.axhline(y, color=style.FAINT, linewidth=0.7, zorder=0)
    return Rows(ax, at, step, scene, scale)


def write_names(
    figure: style.Figure, table: pd.DataFrame, top: float, step: float, under: Mapping[Any, str]
) -> dict[str, float]:
    """Write the indicators' names by domain, and ``under`` each what it says; give the inches from ``top`` to each."""
    at = {}
    y = 0.0
    for domain, part in table.groupby("domain_name", sort=False):
        style.rule(figure, top + y + 0.04)
        (text,) = style.fitted(str(domain), style.BODY, style.WIDTH - 2 * style.MARGIN)
        style.write(figure, style.MARGIN, top + y + 0.09, text, color=style.SOFT)
        y += DOMAIN
        for code, name in part["name"].items():
            at[str(code)] = y + step / 2
            _write_name(figure, top + y + step / 2, name, under[code])
            y += step
    return at


def _write_name(figure: style.Figure, middle: float, name: str, under: str) -> None:
    """Write an indicator's name left of the middle of its line, small on two lines where it is long."""
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


def write_directions(rows: Rows, left: str, middle: str, right: str, axis: str) -> None:
    """Say above the lines what the ends of the axis mean and what its zero does, and below what it measures."""
    low, high = rows.scale.low, rows.scale.high
    rows.ax.axvline(0, color=style.SOFT, linewidth=1, zorder=1)
    for x, side, text in ((low, "left", left), (0, "center", middle), (high, "right", right)):
        style.small(rows.ax, x, -0.07, text, ha=side, va="bottom", color=style.INK if x else style.SOFT)
    rows.ax.set_xlabel(axis, fontsize=style.SMALL)


def write_beside(ax: style.Axes, y: float, text: str, up: float = 0.0, **options: Any) -> None:
    """Write right of a line, ``up`` points above its middle."""
    style.aside(ax, (1, y), (12, up), text, xycoords=("axes fraction", "data"), **options)


# --- the results on them ----------------------------------------------------------------------------------


def draw_results(rows: Rows, results: pd.DataFrame, grey_counts: bool = True) -> None:
    """Draw one measure: chosen county in colour, few counties dodged, many as a cloud with median and quartiles.

    ``grey_counts``: whether absolute counts of counties without a name may be drawn, as only the shape of a path may.
    """
    scene = rows.scene
    results = results[results["indicator"].isin(list(rows.at))]
    results = results.assign(decided=decided(results), least=from_below(results) & rows.scale.at_least)
    for code, part in results.groupby("indicator", sort=False):
        y, part = rows.at[str(code)], part.set_index("region")
        part = part.reindex([county for county in scene.counties if county in part.index])
        grey = grey_counts or scene.indicators.at[code, "scale"] != "count"
        if scene.chosen:
            _draw_chosen(rows, y, part, grey)
        elif scene.few:
            _draw_few(rows, y, part)
        elif grey:
            _draw_many(rows, y, part)
        else:
            _write_side(rows, y, scene.reason("absolute_count"))
    ticks = results[results["region"].isin(scene.benchmarks)].dropna(subset=["value"])
    for x, code in zip(rows.scale.cut(ticks["value"]), ticks["indicator"], strict=True):
        rows.ax.plot([x, x], [rows.at[code] - 0.13, rows.at[code] + 0.13], zorder=4, **style.BENCHMARK)


def _draw_chosen(rows: Rows, y: float, part: pd.DataFrame, grey: bool) -> None:
    scene, known = rows.scene, part[part["value"].notna()]
    behind, own = known.drop(scene.chosen, errors="ignore"), scene.chosen in known.index
    if grey:
        _draw_grey(rows, behind, y + (0 if scene.few else _swarm(rows, behind, rows.step - 0.1)))
    if own:
        draw_dot(rows, known.loc[scene.chosen], y, scene.marks[scene.chosen])
    _write_side(rows, y, _own_text(rows, part), style.BLUE if own else style.SOFT)


def _draw_few(rows: Rows, y: float, part: pd.DataFrame) -> None:
    """Every county at its own height, always the same."""
    counties = rows.scene.counties
    gap = min(0.105, (rows.step - 0.1) / len(counties))
    for place, region in enumerate(counties):
        if region in part.index and pd.notna(part.at[region, "value"]):
            shift = gap * (place - (len(counties) - 1) / 2)
            draw_dot(rows, part.loc[region], y + shift, rows.scene.marks[region])
    _write_side(rows, y, _reasons_by_county(rows, part))


def _draw_many(rows: Rows, y: float, part: pd.DataFrame) -> None:
    known = part[part["value"].notna()]
    _draw_grey(rows, known, y - 0.06 + _swarm(rows, known, rows.step - 0.17))
    if len(known) >= QUARTILED:
        low, middle, high = rows.scale.cut(known["value"].quantile([0.25, 0.5, 0.75]))
        at = y + rows.step / 2 - 0.06
        rows.ax.plot([low, high], [at] * 2, solid_capstyle="butt", zorder=3, **style.stroke(style.SOFT, 3))
        rows.ax.plot([middle], [at], zorder=4, **style.MEDIAN)
    _write_side(rows, y, _summary(rows, part))


def _draw_grey(rows: Rows, results: pd.DataFrame, y: Any) -> None:
    """The other counties: full dots where there is a verdict, open ones where there is none."""
    size, alpha = (4.2, 0.9) if rows.scene.few else (2.4, 0.8)
    ys = np.broadcast_to(y, len(results))
    marks = results["value"].map(rows.scale.mark).to_numpy()
    for sure, mark in product((True, False), "<o>"):
        use = (marks == mark) & (results["decided"] == sure).to_numpy()
        if use.any():
            rows.ax.plot(
                rows.scale.cut(results["value"].to_numpy()[use]), ys[use], mark, color=style.OTHER, clip_on=False,
                markersize=size, markerfacecolor=style.OTHER if sure else "white", markeredgewidth=0.8, alpha=alpha,
                zorder=2,
            )  # fmt: skip


def draw_dot(rows: Rows, result: Any, y: float, point: style.Options) -> None:
    """One result with its interval; open where there is no verdict, with an arrow where a bound allows more."""
    scale, colour = rows.scale, point["color"]
    options = style.bound_options("right", colour) if result["least"] else dict(point)
    if not result["decided"] and not result["least"]:
        options |= style.HOLLOW
    if scale.mark(result["value"]) != "o":
        options |= {"marker": scale.mark(result["value"]), "markersize": 6.5}
    line: dict[str, Any] = {"clip_on": False, "zorder": 3, "color": colour}
    ends = scale.cut([result["lo"], result["hi"]])
    rows.ax.plot(ends, [y, y], linewidth=1.4, alpha=0.75, solid_capstyle="butt", **line)
    for end, place in zip((result["lo"], result["hi"]), ends, strict=True):
        if end != place:  # it goes on outside the axis
            rows.ax.plot([place], [y], scale.mark(end), markersize=4, **line)
    rows.ax.plot([scale.cut(result["value"])], [y], clip_on=False, zorder=5, **options)


def _swarm(rows: Rows, results: pd.DataFrame, height: float) -> np.ndarray:
    """Set dots of one place side by side, alternately above and below the line, within ``height`` inches."""
    scale = rows.scale
    places = ((scale.cut(results["value"]) - scale.low) / (scale.high - scale.low) * 90).round()
    rank = results.assign(place=places).sort_values("decided", ascending=False).groupby("place").cumcount()
    rank = rank.reindex(results.index).to_numpy()
    step = min(0.036, height / max(1, rank.max(initial=0)))
    return step * np.ceil(rank / 2) * np.where(rank % 2, -1, 1)


# --- the words beside them --------------------------------------------------------------------------------


def _write_side(rows: Rows, y: float, text: str, colour: str = style.SOFT) -> None:
    lines = style.wrap(text, style.SMALL, SIDE - 0.2)
    write_beside(rows.ax, y, "\n".join(lines), color=colour, linespacing=1.2)


def _own_text(rows: Rows, part: pd.DataFrame) -> str:
    scene = rows.scene
    if scene.chosen not in part.index:
        return scene.say("no_row")
    own = part.loc[scene.chosen]
    if np.isnan(own["value"]):
        return scene.reason(own["status"])
    reason = "" if own["status"] == "ok" else scene.reason(own["status"])
    if np.isinf(own["lo"]) and np.isinf(own["hi"]):
        return reason  # anything is possible: a value would only mislead
    text = rows.scale.text(own["value"], scene.lang)
    text = scene.say("at_least", value=text) if own["least"] else text
    return f"{text}  {reason}".strip()


def _reasons_by_county(rows: Rows, part: pd.DataFrame) -> str:
    """Why counties have no value, and the values that lie beyond the axis."""
    scene, scale = rows.scene, rows.scale
    groups = part[part["value"].isna()].groupby("status", sort=False).groups
    reasons = [(scene.listed(list(who)), scene.reason(why)) for why, who in groups.items()]
    known = part["value"].dropna()
    beyond = known[scale.cut(known) != known]
    values = [(scene.name(who), scale.text(value, scene.lang)) for who, value in beyond.items()]
    return scene.say("semicolon").join(scene.say("who_why", names=who, why=why) for who, why in values + reasons)


def _summary(rows: Rows, part: pd.DataFrame) -> str:
    scene, known = rows.scene, part["value"].dropna()
    if len(part) and known.empty:
        return scene.reason(part["status"].mode()[0])
    if rows.scale.by_zone:
        sure = part[part["decided"]]
        counts = {zone: int(flagged(sure, zone).sum()) for zone in ("early", "late")}
        counts |= {"even": len(sure) - sum(counts.values()), "open": len(known) - len(sure)}
        return scene.say("counted", none=len(part) - len(known), **counts)
    median = rows.scale.text(known.median(), scene.lang)
    text = scene.say("median_of", value=median, n=len(known), total=len(part))
    weaker = int((part["status"] == "weaker").sum())
    return text + (scene.say("semicolon") + scene.say("weaker_n", n=weaker) if weaker else "")


def said_ends(scene: Scene, sure: pd.DataFrame, scale: Scale) -> tuple[str, str, str, str]:
    """For an alternative text: what has the highest of these results, its value, what has the lowest, its value."""
    said = []
    for place in (sure["value"].idxmax(), sure["value"].idxmin()):
        row = sure.loc[place]
        name = scene.indicators.at[row["indicator"], f"short_{scene.lang}"]
        said += [name if scene.chosen else f"{scene.name(row['region'])} {name}", scale.text(row["value"], scene.lang)]
    return said[0], said[1], said[2], said[3]


def result_entries(scene: Scene, results: pd.DataFrame, scale: Scale) -> list[style.Entry]:
    """Key of a picture drawn by :func:`draw_results`: only marks that occur in it."""
    colour = style.BLUE if scene.chosen else style.SOFT
    shown = results[results["region"].isin([scene.chosen] if scene.chosen else scene.counties)]
    shown = shown.dropna(subset=["value"])
    single = bool(scene.chosen) or scene.few  # each drawn with its interval; in a heap a dot is full or open
    least = from_below(shown) & scale.at_least & single
    entries = scene.county_entries()
    if single:
        entries.append((style.stroke(colour, 1.4), scene.say("key_interval")))
    if (~decided(shown) & ~least).any():
        entries.append(({"color": colour} | style.POINT | style.HOLLOW, scene.say("key_open")))
    if least.any():
        entries.append((style.bound_options("right", colour), scene.say("key_bounded")))
    entries += scene.other_entries(style.grey_dot(4.2))
    if not single:
        entries.append((style.stroke(style.SOFT, 3), scene.say("key_band")))
        entries.append((style.MEDIAN, scene.say("key_median")))
    return entries + scene.benchmark_entries()
