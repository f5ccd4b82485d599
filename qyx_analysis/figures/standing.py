"""Where one county stands among the others: before the plan, and with the values that it plans."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from qyx_analysis.figures import style
from qyx_analysis.figures.rows import NAMES, rows_height, write_names
from qyx_analysis.figures.scene import BOUNDS, Domain, Scene, scene_of

STEP, HEAD, FOOT = 0.44, 0.42, 0.02  # inches: a line, the headings above the lines, the room below
BLOCK = (style.WIDTH - 2 * style.MARGIN - NAMES) / 2 - 0.1  # inches for one year
LEFT, RIGHT = 0.72, BLOCK - 0.72  # the two ends of a strip, with room for the values beside them
MIDDLE = (LEFT + RIGHT) / 2


@style.house_style()
def plot_standing(targets: pd.DataFrame, region: object, domain: Domain = None, lang: str = "zh") -> style.Figure:
    """Draw where a county stands between the weakest and the best county, in the baseline and in the last target.

    ``targets``: the frame of ``load_targets``. ``region``: the county, by code or name. ``domain``: only this domain,
    by its Chinese or English name.

    Returns a matplotlib Figure whose label is its alternative text. Raises DataError for an unknown language and a
    region or domain that is unknown or not in ``targets``.

    How to read it: each strip runs from the weakest county on the left to the best on the right, whatever the unit
    and the direction; the printed values stand at its ends. Strips are not added up. Absolute counts grow with
    population and are not compared, states are counted.

    >>> from qyx_analysis import load_targets
    >>> targets = load_targets().query("domain == '病有良医'")
    >>> plot_standing(targets, region="奉化区", lang="en").get_label()[:30]
    'Strips of the place of Fenghua'
    """
    scene = scene_of(targets, region, lang, domain)
    table = scene.own[scene.own["direction"].notna()]
    title = scene.say("standing_title")
    subtitle = scene.say("standing_subtitle", n=len(scene.counties))
    note = scene.say("standing_note") + scene.unknown(scene.own)
    if table.empty:
        return style.without_picture(title, note)
    body = rows_height(table, STEP)
    figure, top = style.page(title, subtitle, _key_entries(scene), HEAD + body + FOOT, note)
    left = style.MARGIN + NAMES
    axes = [style.axes_at(figure, start, top + HEAD, BLOCK, body) for start in (left, left + BLOCK + 0.1)]
    at = write_names(figure, table, top + HEAD, STEP, {code: _under(scene, entry) for code, entry in table.iterrows()})
    places = []
    for ax, year, text in zip(
        axes, (scene.years[0], scene.years[-1]), ("standing_baseline", "standing_target"), strict=True
    ):
        _write_head(ax, scene, body, scene.say(text, year=year))
        places.append(pd.Series({code: _draw_strip(ax, scene, code, year, y) for code, y in at.items()}, dtype=float))
    figure.set_label(_alt(scene, *places))
    return figure


def _key_entries(scene: Scene) -> list[style.Entry]:
    cells = scene.cells[scene.cells["region"] == scene.chosen]
    ends = cells[cells["year"].isin([scene.years[0], scene.years[-1]])]
    entries = [scene.baseline_entry(style.BLUE), (style.POINT | {"color": style.BLUE}, scene.say("key_target"))]
    if ends["kind"].isin(BOUNDS).any():
        entries.append((style.bound_options("right", style.BLUE), scene.say("key_bound")))
    entries += scene.other_entries(style.grey_dot(4.2))
    if not scene.few:
        entries.append((style.stripe(style.FAINT), scene.say("key_band")))
    return entries + scene.benchmark_entries()


def _under(scene: Scene, entry: pd.Series) -> str:
    if entry["nature"] == "state":
        return ""
    return scene.say("dot").join([entry["unit_name"]] + [scene.say("lower_is_better")] * int(entry["direction"] < 0))


def _write_head(ax: style.Axes, scene: Scene, body: float, text: str) -> None:
    ax.set(xlim=(0, BLOCK), ylim=(body, 0))
    ax.axis("off")
    ax.text(MIDDLE, -0.2, text, ha="center", va="bottom")
    for x, side, end in ((LEFT, "left", "weakest"), (RIGHT, "right", "best")):
        style.small(ax, x, -0.05, scene.say(end), ha=side, va="bottom")


def _draw_strip(ax: style.Axes, scene: Scene, code: str, year: int, y: float) -> float:
    """One strip; gives the county's place on it, from 0 (weakest) to 1 (best), NaN where it cannot be compared."""
    cells = scene.printed(code)
    cells = cells[cells["year"] == year].set_index("region")
    own = cells.loc[scene.chosen] if scene.chosen in cells.index else None
    word = scene.word(own) if own is not None else scene.say("kind_missing")
    counties = cells[(cells["level"] == "county") & cells["drawn"].notna()]
    entry = scene.indicators.loc[code]
    if entry["nature"] == "state" or entry["alone"] or len(counties) < 2:
        style.small(ax, MIDDLE, y - 0.015, word, ha="center", va="bottom", color=style.BLUE)
        style.small(ax, MIDDLE, y + 0.015, _remark(scene, entry, counties), ha="center", va="top")
        return np.nan
    better = counties["drawn"] * (entry["direction"] or 1)
    low, high = better.min(), better.max()
    ax.plot([LEFT, RIGHT], [y, y], zorder=1, **style.stroke(style.FAINT, 1.2))
    if high - low < 1e-9:
        ax.plot([MIDDLE], [y], clip_on=False, zorder=5, **_mark(own, entry))
        _write_above(ax, MIDDLE, y, _all_equal(scene, counties, word))
        return np.nan
    shares = (better - low) / (high - low)
    _draw_others(ax, scene, shares, y)
    cities = cells.loc[cells.index.isin(scene.benchmarks), "drawn"].dropna() * (entry["direction"] or 1)
    for x in _at(((cities - low) / (high - low)).clip(-0.03, 1.03)):  # at the edge where it lies beyond
        ax.plot([x, x], [y - 0.1, y + 0.1], zorder=4, **style.BENCHMARK)
    for end, x, side in ((better.idxmin(), LEFT - 0.15, "right"), (better.idxmax(), RIGHT + 0.15, "left")):
        mine = shares.get(scene.chosen) == shares[end]
        text = word if mine else scene.word(counties.loc[end])
        style.small(ax, x, y, text, ha=side, color=style.BLUE if mine else style.SOFT)
    if scene.chosen not in shares.index:
        _write_above(ax, MIDDLE, y, word)
        return np.nan
    share = float(shares[scene.chosen])
    ax.plot([_at(share)], [y], clip_on=False, zorder=5, **_mark(own, entry))
    if 0 < share < 1:
        _write_above(ax, _at(share), y, word)
    return share


def _at(share: Any) -> Any:
    """Inches of a place on a strip."""
    return LEFT + share * (RIGHT - LEFT)


def _draw_others(ax: style.Axes, scene: Scene, shares: pd.Series, y: float) -> None:
    """The other counties as grey dots, and the middle half where they are many."""
    if not scene.few:
        ax.plot(_at(shares.quantile([0.25, 0.75])), [y, y], zorder=0, **style.stripe(style.FAINT))
    others = _at(shares.drop(scene.chosen, errors="ignore"))
    size, alpha = (4.2, 0.9) if scene.few else (3.0, 0.4)
    ax.plot(others, [y] * len(others), linestyle="none", alpha=alpha, zorder=2, **style.grey_dot(size))


def _write_above(ax: style.Axes, x: float, y: float, text: str) -> None:
    style.small(ax, x, y - 0.07, text, ha="center", va="bottom", color=style.BLUE, zorder=6)


def _all_equal(scene: Scene, counties: pd.DataFrame, word: str) -> str:
    """One text for a strip without length; a bound at the same place is not the same promise."""
    own = scene.chosen in counties.index
    if len(counties[["kind", "operator"]].drop_duplicates()) > 1:
        return scene.say("dot").join([word, scene.say("all_thresholds_equal")])
    if own:
        return scene.say("all_equal", value=word)
    return scene.say("dot").join([word, scene.say("all_equal", value=scene.word(counties.iloc[0]))])


def _mark(cell: Any, entry: pd.Series) -> style.Options:
    """A diamond for the baseline, a dot for a target, an arrow to the side that a bound allows (right is better)."""
    if cell is None or np.isnan(cell["drawn"]):
        return {"marker": "|", "color": style.OTHER, "markersize": 9}
    sides = ("right", "left") if entry["direction"] >= 0 else ("left", "right")
    return style.cell_mark(cell["kind"], cell["role"], style.POINT | {"color": style.BLUE}, sides)


def _remark(scene: Scene, entry: pd.Series, counties: pd.DataFrame) -> str:
    """Why there is no strip."""
    if entry["nature"] == "state":
        return scene.say("passed_now", n=int((counties["drawn"] > 0).sum()), total=len(counties))
    if entry["scale"] == "count":
        return scene.reason("absolute_count")
    return scene.say("alone" if scene.chosen in counties.index else "nobody")


def _alt(scene: Scene, before: pd.Series, after: pd.Series) -> str:
    step = after - before
    ends = {"best": int((after == 1).sum()), "weakest": int((after == 0).sum())}
    moves = {"up": int((step > 0.005).sum()), "down": int((step < -0.005).sum())}
    return scene.say("standing_alt", n=len(after), compared=int(after.count()), **ends, **moves)
