"""Where one county stands among the others: before the plan, and with the values that it plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qyx_analysis.figures import style
from qyx_analysis.figures.rows import DOMAIN, NAMES, write_domain, write_name
from qyx_analysis.figures.scene import Domain, Scene, in_domain, scene_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STEP, HEAD, FOOT = 0.44, 0.42, 0.1  # inches: a line, the headings above the lines, the room below
BLOCK = (style.WIDTH - 2 * style.MARGIN - NAMES) / 2 - 0.1  # inches for one year
LEFT, RIGHT = 0.72, BLOCK - 0.72  # the two ends of a strip, with room for the values beside them


@style.house_style()
def plot_standing(targets: pd.DataFrame, region: object, domain: Domain = None, lang: str = "zh") -> Figure:
    """Draw where a county stands between the weakest and the best county, in the baseline and in the last target.

    ``targets``: the frame of ``load_targets``. ``region``: the county, by code or name. ``domain``: only this domain,
    by its Chinese or English name.

    Returns a matplotlib Figure whose label is its alternative text. Raises DataError for an unknown language and a
    region or domain that is unknown or not in ``targets``.

    How to read it: each strip runs from the weakest county on the left to the best on the right, whatever the unit
    and the direction; the printed values stand at its ends. Strips are not added up. Absolute counts grow with
    population and are not compared, states are counted.

    >>> from qyx_analysis.tidy.reading import read_plans
    >>> from qyx_analysis.files import raw_dir
    >>> targets = read_plans([raw_dir()]).targets.query("domain == '病有良医'")
    >>> plot_standing(targets, region="奉化区", lang="en").get_label()[:30]
    'Strips of the place of Fenghua'
    """
    targets = in_domain(targets, domain)
    scene = scene_of(targets, region, lang)
    table = scene.own[scene.own["direction"].notna()]
    first, last = scene.years[0], scene.years[-1]
    title = scene.say("standing_title", county=scene.who, first=first, last=last)
    subtitle, note = scene.say("standing_subtitle", n=len(scene.counties)), scene.say("standing_note")
    note += scene.unknown(scene.own)
    if table.empty:
        return style.without_picture(title, note)
    body = STEP * len(table) + DOMAIN * table["domain"].nunique()
    figure, top = style.page(title, subtitle, _key_entries(scene), HEAD + body + FOOT, note)
    blocks = []
    for place, (year, text) in enumerate(((first, "standing_baseline"), (last, "standing_target"))):
        ax = style.axes_at(figure, style.MARGIN + NAMES + (BLOCK + 0.1) * place, top + HEAD, BLOCK, body)
        ax.set(xlim=(0, BLOCK), ylim=(body, 0))
        ax.axis("off")
        ax.text((LEFT + RIGHT) / 2, -0.2, scene.say(text, year=year), ha="center", va="bottom")
        for x, side, end in ((LEFT, "left", "weakest"), (RIGHT, "right", "best")):
            ax.text(x, -0.05, scene.say(end), ha=side, va="bottom", fontsize=style.SMALL, color=style.SOFT)
        blocks.append((ax, year))
    places: dict[int, dict[str, float]] = {first: {}, last: {}}
    for code, y in _lines(figure, scene, table, top + HEAD):
        for ax, year in blocks:
            share = _strip(ax, scene, code, year, y)
            if share is not None:
                places[year][code] = share
    figure.set_label(_alt(scene, places[first], places[last], len(table)))
    return figure


def _key_entries(scene: Scene) -> list[style.Entry]:
    cells = scene.cells[scene.cells["region"] == scene.chosen]
    ends = cells[cells["year"].isin([scene.years[0], scene.years[-1]])]
    entries: list[style.Entry] = [
        (style.BASELINE | {"color": style.BLUE}, scene.say("key_baseline", year=scene.years[0])),
        (style.POINT | {"color": style.BLUE}, scene.say("key_target")),
    ]
    if ends["kind"].isin(["lower_bound", "upper_bound"]).any():
        entries.append((style.bound_options("right", style.BLUE), scene.say("key_bound")))
    if scene.others:
        grey = {"marker": "o", "markersize": 4.2, "color": style.OTHER}
        entries.append((grey, scene.say("key_others", names=scene.listed(scene.others))))
    if not scene.few:
        band = {"color": style.FAINT, "linestyle": "solid", "linewidth": 8, "solid_capstyle": "butt"}
        entries.append((band, scene.say("key_band")))
    if scene.benchmarks:
        tick = {"color": style.INK, "linestyle": style.DOTTED, "linewidth": 1.3}
        entries.append((tick, scene.say("key_benchmark", names=scene.listed(scene.benchmarks))))
    return entries


def _lines(figure: Figure, scene: Scene, table: pd.DataFrame, top: float) -> list[tuple[str, float]]:
    """Write the names; give every indicator's code and the inches from ``top`` down to its strip."""
    lines = []
    y = 0.0
    for name, part in table.groupby("domain_name", sort=False):
        style.rule(figure, top + y + 0.03)
        write_domain(figure, top + y + 0.08, str(name))
        y += DOMAIN
        for code, entry in part.iterrows():
            lines.append((str(code), y + STEP / 2))
            under = [entry["unit_name"]] + [scene.say("lower_is_better")] * int(entry["direction"] < 0)
            text = scene.say("dot").join(under) if entry["nature"] != "state" else ""
            write_name(figure, top + y + STEP / 2, entry["name"], text)
            y += STEP
    return lines


def _strip(ax: Axes, scene: Scene, code: str, year: int, y: float) -> float | None:
    """One strip; gives the county's place on it, from 0 (weakest) to 1 (best), where it can be compared."""
    cells = scene.cells[(scene.cells["indicator"] == code) & (scene.cells["year"] == year)].set_index("region")
    own = cells.loc[scene.chosen] if scene.chosen in cells.index else None
    word = scene.word(own) if own is not None else scene.say("kind_missing")
    counties = cells[(cells["level"] == "county") & cells["drawn"].notna()]
    entry = scene.indicators.loc[code]
    if entry["nature"] == "state" or entry["alone"] or len(counties) < 2:
        _middle(ax, y, word, _remark(scene, entry, counties))
        return None
    better = counties["drawn"] * (entry["direction"] or 1)
    low, high = better.min(), better.max()
    ax.plot([LEFT, RIGHT], [y, y], color=style.FAINT, linewidth=1.2, zorder=1)
    if high - low < 1e-9:
        ax.plot([(LEFT + RIGHT) / 2], [y], clip_on=False, zorder=5, **_mark(own, entry, style.BLUE))
        _above(ax, (LEFT + RIGHT) / 2, y, _all_equal(scene, counties, word))
        return None
    at = LEFT + (better - low) / (high - low) * (RIGHT - LEFT)
    others = at.drop(scene.chosen, errors="ignore")
    if not scene.few:
        ax.plot(at.quantile([0.25, 0.75]), [y, y], color=style.FAINT, linewidth=8, solid_capstyle="butt", zorder=0)
    size, alpha = (4.2, 0.9) if scene.few else (3.0, 0.4)
    ax.plot(others, [y] * len(others), "o", color=style.OTHER, markersize=size, alpha=alpha, zorder=2)
    _benchmarks(ax, scene, cells, entry, y, (low, high))
    for end, x, side in ((better.idxmin(), LEFT - 0.15, "right"), (better.idxmax(), RIGHT + 0.15, "left")):
        mine = scene.chosen in better.index and better[scene.chosen] == better[end]
        text = word if mine else scene.word(counties.loc[end])
        colour = style.BLUE if mine else style.SOFT
        ax.text(x, y, text, ha=side, va="center", fontsize=style.SMALL, color=colour)
    if scene.chosen not in at.index:
        _above(ax, (LEFT + RIGHT) / 2, y, word)
        return None
    x = float(at[scene.chosen])
    ax.plot([x], [y], clip_on=False, zorder=5, **_mark(own, entry, style.BLUE))
    if low < better[scene.chosen] < high:
        _above(ax, x, y, word)
    return float((better[scene.chosen] - low) / (high - low))


def _all_equal(scene: Scene, counties: pd.DataFrame, word: str) -> str:
    """One text for a strip without length; a bound at the same place is not the same promise."""
    own = scene.chosen in counties.index
    if len(counties[["kind", "operator"]].drop_duplicates()) > 1:
        same = scene.say("all_thresholds_equal")
    else:
        same = scene.say("all_equal", value=word if own else scene.word(counties.iloc[0]))
        if own:
            return same
    return scene.say("dot").join([word, same])


def _mark(cell: Any, entry: pd.Series, colour: str) -> dict[str, Any]:
    """A diamond for the baseline, a dot for a target, an arrow to the side that a bound allows (right is better)."""
    if cell is None or np.isnan(cell["drawn"]):
        return {"marker": "|", "color": style.OTHER, "markersize": 9}
    if cell["kind"] in ("lower_bound", "upper_bound"):
        up = (cell["kind"] == "lower_bound") == (entry["direction"] >= 0)
        return style.bound_options("right" if up else "left", colour)
    return (style.BASELINE if cell["role"] == "baseline" else style.POINT) | {"color": colour}


def _above(ax: Axes, x: float, y: float, text: str) -> None:
    ax.text(x, y - 0.07, text, ha="center", va="bottom", fontsize=style.SMALL, color=style.BLUE, zorder=6)


def _middle(ax: Axes, y: float, word: str, remark: str) -> None:
    """The county's own value without a strip, and why there is none."""
    ax.text((LEFT + RIGHT) / 2, y - 0.015, word, ha="center", va="bottom", fontsize=style.SMALL, color=style.BLUE)
    ax.text((LEFT + RIGHT) / 2, y + 0.015, remark, ha="center", va="top", fontsize=style.SMALL, color=style.SOFT)


def _remark(scene: Scene, entry: pd.Series, counties: pd.DataFrame) -> str:
    if entry["nature"] == "state":
        return scene.say("passed_now", n=int((counties["drawn"] > 0).sum()), total=len(counties))
    if entry["scale"] == "count":
        return scene.reason("absolute_count")
    return scene.say("alone" if scene.chosen in counties.index else "nobody")


def _benchmarks(
    ax: Axes, scene: Scene, cells: pd.DataFrame, entry: pd.Series, y: float, ends: tuple[float, float]
) -> None:
    """A city or the province: a dotted tick on the strip of the counties, at its edge where it lies beyond."""
    values = cells.loc[cells.index.isin(scene.benchmarks), "drawn"].dropna() * (entry["direction"] or 1)
    for value in values:
        share = np.clip((value - ends[0]) / (ends[1] - ends[0]), -0.03, 1.03)
        x = LEFT + share * (RIGHT - LEFT)
        ax.plot([x, x], [y - 0.1, y + 0.1], color=style.INK, linestyle=style.DOTTED, linewidth=1.3, zorder=4)


def _alt(scene: Scene, before: dict[str, float], after: dict[str, float], n: int) -> str:
    both = [after[code] - before[code] for code in after if code in before]
    return scene.say(
        "standing_alt", county=scene.who, n=n, compared=len(after), counties=len(scene.counties),
        best=sum(place == 1 for place in after.values()), weakest=sum(place == 0 for place in after.values()),
        up=sum(step > 0.005 for step in both), down=sum(step < -0.005 for step in both),
        first=scene.years[0], last=scene.years[-1],
    )  # fmt: skip
