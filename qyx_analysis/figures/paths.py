"""Marks of one region's path in a small panel, years across: what a cell is, and what is written beside it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from qyx_analysis.figures import style
from qyx_analysis.figures.panels import LINE, number_ticks, widened
from qyx_analysis.figures.scene import BOUNDS, Scene
from qyx_analysis.figures.style import DASHED, DOTTED, SOLID

PLOT = 0.98  # inches
WORDS, GAPS = 0.9, 0.07  # heights inside a panel, as shares, of words and of cells without a number


class Panel(NamedTuple):
    """The axes of one indicator."""

    ax: style.Axes
    scene: Scene
    code: str

    def of(self, column: str) -> Any:
        """What the scene knows of the indicator."""
        return self.scene.indicators.at[self.code, column]

    @property
    def state(self) -> bool:
        """Whether it is passed or not, instead of a number."""
        return bool(self.of("nature") == "state")

    def height(self, share: float) -> float:
        """A height inside the panel, by its share from the bottom."""
        low, high = self.ax.get_ylim()
        return low + share * (high - low)


class Label(NamedTuple):
    """A text beside the last year of a panel: the height it belongs to, what it says, its colour."""

    at: float
    text: str
    colour: str = style.SOFT


def limits(numbers: np.ndarray, below: bool, above: bool) -> tuple[float, float]:
    """Room for the numbers, and below and above them for cells without one."""
    if not len(numbers):
        return 0.0, 1.0
    low, high = widened(numbers, 0.16)
    return low - 0.15 * (high - low) * below, high + 0.22 * (high - low) * above


def draw_axes(panel: Panel, low: float, high: float, empty: bool) -> None:
    """Limits and ticks; ``empty``: whether there is no number that a height could mean."""
    ax, years = panel.ax, panel.scene.years
    ax.set(xlim=(years[0] - 0.45, years[-1] + 0.3), ylim=(low, high))
    ax.set_xticks([years[0], years[-1]], [str(years[0]), str(years[-1])])
    # as one mark: a tick of matplotlib is five artists
    between: dict[str, Any] = {"marker": 3, "markersize": 2, "markeredgewidth": 0.6, "linestyle": "none"}
    ax.plot(years[1:-1], [low] * len(years[1:-1]), color=style.OTHER, clip_on=False, zorder=2.5, **between)
    if panel.state:
        ax.set_yticks([0, 100], [panel.scene.say("tick_not_passed"), panel.scene.say("passed")])
        ax.tick_params(axis="y", length=0)
    elif empty:
        ax.set_yticks([])
    else:
        number_ticks(ax.yaxis, low, high, panel.scene.lang)


def draw_path(ax: style.Axes, cells: pd.DataFrame, point: style.Options, state: bool) -> None:
    """Lines between neighbouring years and the marks on them, at the heights ``at``.

    Dashed from the observed baseline to the first target, dotted where an end is only a bound, a step for a state.
    """
    from matplotlib.collections import LineCollection

    points, colour = cells[["year", "at"]].to_numpy(dtype=float), point["color"]
    bound, observed = cells["kind"].isin(BOUNDS).to_numpy(), (cells["role"] == "baseline").to_numpy()
    joined = np.flatnonzero(np.isfinite(points[:-1, 1] + points[1:, 1]) & (np.diff(points[:, 0]) == 1))
    pairs = [points[[place, place + 1]] for place in joined]
    lines = [np.column_stack(steps(*pair.T)) if state else pair for pair in pairs]
    kinds = [DOTTED if bound[[i, i + 1]].any() else DASHED if observed[i] else SOLID for i in joined]
    widths = [1.8 if kind == SOLID else 1.3 for kind in kinds]
    ax.add_collection(LineCollection(lines, colors=colour, linestyles=kinds, linewidths=widths, zorder=4))
    planned = point | {"markersize": point["markersize"] - 0.6}
    alike = cells["kind"].where(bound, cells["role"])
    for look in alike.drop_duplicates():
        mark = style.cell_mark(look, look, planned)
        ax.plot(*points[alike == look].T, linestyle="none", clip_on=False, zorder=5, **mark)


def steps(years: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A state changes at once: halfway between the last year without and the first year with it."""
    middles = (years[:-1] + years[1:]) / 2
    return np.concatenate([years[:1], np.repeat(middles, 2), years[-1:]]), np.repeat(values, 2)


def write_right(ax: style.Axes, labels: list[Label]) -> None:
    """Write labels beside the last year, moved apart, each joined to its height where it had to move."""
    low, high = ax.get_ylim()
    per_inch = (high - low) / PLOT
    places = style.declutter([label.at for label in labels], LINE * per_inch, low, high)
    edge = ax.get_xlim()[1]
    for label, place in zip(labels, places, strict=True):
        if abs(place - label.at) > 0.04 * per_inch:
            ax.plot([edge - 0.1, edge + 0.12], [label.at, place], color=style.OTHER, linewidth=0.6, clip_on=False)
        style.small(ax, edge + 0.2, place, label.text, color=label.colour, clip_on=False)


def say_why(panel: Panel) -> None:
    """Say in words why the chosen county's row has not a single number."""
    scene, cells = panel.scene, panel.scene.of(panel.code, panel.scene.chosen)
    reference = cells.loc[cells["kind"] == "reference", "raw"]
    if len(reference):
        text = scene.say("row_reference", text=style.drawable(reference.iloc[0]))
    elif cells["observational"].any():
        text = scene.say("row_observational")
    else:
        text = scene.say("row_missing" if (cells["kind"] == "missing").all() else "row_words")
    lines = "\n".join(style.wrap(text, style.SMALL, 1.9))
    style.small(panel.ax, 0.5, 0.5, lines, transform=panel.ax.transAxes, ha="center")
