"""What the small multiples share: the grid of panels, their titles and ticks, and labels beside dots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from qyx_analysis.figures import style
from qyx_analysis.figures.scene import Scene, number

if TYPE_CHECKING:
    from matplotlib.axis import Axis

COLUMNS = 3
SLOT = (style.WIDTH - 2 * style.MARGIN) / COLUMNS  # inches
HEAD, TITLE = 0.45, 0.2  # inches of a panel's name and unit, and of one line of its name
HEADING, ROW = 0.36, 1.82  # inches of a domain's name, and of a row of panels under it
LINE = style.SMALL / 72 * 1.25  # inches from one label to the next


class Line(NamedTuple):
    """Panels side by side: column and code of each, the names of domains above the columns they begin at, and inches.

    ``above``: the inches above the names of one line; ``below``: from there to the end of the line.
    """

    panels: list[tuple[int, str]]
    domains: dict[int, str]
    above: float
    below: float


def domain_lines(table: pd.DataFrame) -> list[Line]:
    """Each domain on lines of its own, but those that have room beside one another on one."""
    lines: list[tuple[list[tuple[int, str]], dict[int, str]]] = []
    for name, part in table.groupby("domain_name", sort=False):
        used = len(lines[-1][0]) if lines and lines[-1][1] else COLUMNS
        if used + len(part) > COLUMNS:
            lines, used = [*lines, ([], {})], 0
        lines[-1][1][used] = str(name)
        for place, code in enumerate(part.index, used):
            if place and place % COLUMNS == 0:
                lines.append(([], {}))
            lines[-1][0].append((place % COLUMNS, str(code)))
    rooms = [_title_room(table.loc[[code for _, code in panels], "name"]) for panels, _ in lines]
    return [Line(*line, HEADING * bool(line[1]) + room, ROW) for line, room in zip(lines, rooms, strict=True)]


def plain_lines(table: pd.DataFrame, height: float, foot: float) -> list[Line]:
    """One panel after the other, whatever its domain; ``height`` and ``foot`` of the axes and below them, in inches."""
    above = 0.1 + _title_room(table["name"])
    starts = range(0, len(table), COLUMNS)
    lines = [list(enumerate(map(str, table.index[start : start + COLUMNS]))) for start in starts]
    return [Line(line, {}, above, HEAD + height + foot) for line in lines]


def lines_height(lines: Iterable[Line]) -> float:
    """Inches that :func:`lay_panels` needs."""
    return sum(line.above + line.below for line in lines)


def lay_panels(
    figure: style.Figure, scene: Scene, lines: Iterable[Line], top: float, room: tuple[float, float], height: float
) -> Iterator[tuple[str, style.Axes]]:
    """Lay out a panel for each indicator, under the name of its domain if there is one; gives its code and axes.

    ``room`` is what stays free left and right of the axes, in inches.
    """
    for line in lines:
        if line.domains:
            style.rule(figure, top + 0.04)
        for column, name in line.domains.items():
            free = min((other for other in line.domains if other > column), default=COLUMNS) - column
            (text,) = style.fitted(name, 11, SLOT * free - 0.15)
            style.write(figure, style.MARGIN + SLOT * column, top + 0.09, text, fontsize=11, color=style.SOFT)
        top += line.above
        for column, code in line.panels:
            left = style.MARGIN + SLOT * column
            _write_title(figure, scene, code, top, left)
            yield code, style.axes_at(figure, left + room[0], top + HEAD, SLOT - sum(room), height)
        top += line.below


def _write_title(figure: style.Figure, scene: Scene, code: str, top: float, left: float) -> None:
    """Name and unit of an indicator; in a comparison also how many counties print it.

    ``top`` is that of a name of one line: a longer one begins above it.
    """
    entry = scene.indicators.loc[code]
    under = [entry["unit_name"]] if entry["nature"] != "state" else [scene.say("state")]
    under += [scene.say("lower_is_better")] if entry["direction"] < 0 else []
    under += [scene.say("count_unit")] if entry["scale"] == "count" else []
    compared = not scene.chosen and len(scene.counties) > 1
    under += [scene.say("printed_by", n=entry["printing"])] if compared else []
    for line, text in enumerate(reversed(_title(entry["name"]))):
        style.write(figure, left, top - TITLE * line, text)
    (text,) = style.fitted(scene.say("dot").join(filter(None, under)), style.SMALL, SLOT - 0.05)
    style.write(figure, left, top + TITLE, text, fontsize=style.SMALL, color=style.SOFT)


def _title(name: str) -> list[str]:
    return style.fitted(name, style.BODY, SLOT - 0.15, 2)


def _title_room(names: Iterable[str]) -> float:
    """Inches that panels side by side need above the names of one line: none, or those of a second."""
    return TITLE * (max(len(_title(name)) for name in names) - 1)


def number_ticks(axis: Axis, low: float, high: float, lang: str, signed: bool = False) -> None:
    """A few round numbers, written with as many decimals as they need."""
    places = style.ticks(low, high)
    step = np.diff(places).min() if len(places) > 1 else 1.0
    decimals = next((d for d in range(6) if np.allclose(places, np.round(places, d), atol=step * 1e-6)), 6)
    axis.set_ticks(places, [number(place, decimals, lang, signed) for place in places])


def widened(values: pd.Series | np.ndarray, share: float) -> tuple[float, float]:
    """Limits of an axis: the values and a margin, wide enough when all values are the same.

    >>> widened(np.array([10.0, 20.0]), 0.1)
    (9.0, 21.0)
    """
    low, high = float(np.min(values)), float(np.max(values))
    pad = max((high - low) * share, abs(high) * 0.01, 1e-9)
    return low - pad, high + pad


def label_dots(
    ax: style.Axes, places: np.ndarray, texts: Sequence[str], colours: Sequence[str], dots: np.ndarray, height: float
) -> None:
    """Write a label beside every place where it covers no dot and no other label, as far as there is room.

    ``places`` and ``dots``: x and y in columns; ``height`` is that of the axes in inches. Tries places around each
    dot, near ones first.
    """
    width = ax.get_position().width * style.WIDTH
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    centres, others = ((xy - (x0, y0)) / (x1 - x0, y1 - y0) * (width, height) for xy in (places, dots))
    taken = [(x - 0.05, y - 0.05, x + 0.05, y + 0.05) for x, y in others]
    for (x, y), text, colour in zip(centres, texts, colours, strict=True):
        size = style.text_width(text, style.SMALL), style.SMALL / 72 * 1.1
        boxes = [_box(x, y, dx, dy, gap, *size) for gap in _GAPS for dx, dy in _AROUND]
        cost = [sum(_overlap(box, other) for other in taken) + _outside(box, width, height) for box in boxes]
        box = boxes[int(np.argmin(cost))]  # the first of the best
        taken.append(box)
        near = np.clip((x, y), box[:2], box[2:])
        if np.hypot(*(near - (x, y))) > _GAPS[1]:
            ends = zip((x / width, y / height), near / (width, height), strict=True)
            ax.plot(*ends, transform=ax.transAxes, color=style.SOFT, linewidth=0.6, clip_on=False, zorder=5)
        ax.text(
            box[0] / width, (box[1] + box[3]) / 2 / height, text, transform=ax.transAxes, va="center", zorder=6,
            fontsize=style.SMALL, color=colour, path_effects=style.halo(),
        )  # fmt: skip


_AROUND = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
_GAPS = (0.07, 0.16, 0.25, 0.4, 0.6)  # inches between a dot and its label; from the third on a line joins them
Box = tuple[float, float, float, float]


def _box(x: float, y: float, dx: int, dy: int, gap: float, width: float, height: float) -> Box:
    left = x + gap if dx > 0 else x - gap - width if dx < 0 else x - width / 2
    bottom = y + (gap + height / 2) * dy - height / 2
    return left, bottom, left + width, bottom + height


def _overlap(a: Box, b: Box) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def _outside(box: Box, width: float, height: float) -> float:
    """How far a label leaves the panel; a little to the right is free."""
    return max(0.0, -box[0]) + max(0.0, box[2] - width - 0.2) + max(0.0, -box[1]) + max(0.0, box[3] - height)
