"""House style of the pictures: font, colours, marks, and text that is placed in inches.

Every picture is laid out by hand from its top left corner, so that it is drawn once and nothing moves: 10 inches
wide, as high as its content. The user's own matplotlib settings are neither used nor changed.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # for all modules of this folder, none of which loads matplotlib before a picture is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ft2font import FT2Font
    from matplotlib.path import Path as Outline

WIDTH, MARGIN = 10.0, 0.3  # inches
TITLE, BODY, SMALL = 14.0, 10.0, 8.5  # points
ASCENT = 1.0  # of a line, by its size: from its upper edge to its baseline

# Okabe and Ito (2008): told apart with any colour vision, and by their greys in print
BLUE, VERMILLION, GREEN, PURPLE, ORANGE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"
COUNTY_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE)
COUNTY_MARKS = ("o", "s", "^", "v", "P")  # told apart without any colour
INK, SOFT, OTHER, BAND, FAINT = "#222222", "#5c5c5c", "#a6a6a6", "#c9c9c9", "#e9e9e9"

DASHED, DOTTED, SOLID = (0, (4, 2)), (0, (1, 1.6)), "solid"
Options = dict[str, Any]  # of a Line2D
POINT: Options = {"marker": "o", "markersize": 5.0}
BASELINE: Options = {"marker": "D", "markersize": 5.0}
NOT_PRINTED: Options = {"marker": "s", "markersize": 3.6, "markerfacecolor": "white", "markeredgewidth": 0.8}
HOLLOW: Options = {"markerfacecolor": "white", "markeredgewidth": 1.3}
MEDIAN: Options = {"color": INK, "marker": "|", "markersize": 9, "markeredgewidth": 2}
BENCHMARK: Options = {"color": INK, "linestyle": DOTTED, "linewidth": 1.3}
PAPER: Options = {"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 0.6}  # behind a label on lines
BOUND_SIZE = 16.5  # gives the circle of a bound the size of a point

_NO_LINE_START = "，。；：、）”·%,.;:)"


@cache
def font_family() -> str:
    """Register the Chinese font that the registry package carries, once; give its family name.

    >>> font_family()
    'Noto Sans SC'
    """
    from matplotlib.font_manager import FontProperties, fontManager
    from pylopdf_fonts_zh_cn import sans_path

    fontManager.addfont(sans_path())
    return FontProperties(fname=sans_path()).get_name()


@cache
def _font() -> FT2Font:
    """The font opened once, to ask it about its glyphs."""
    from matplotlib.ft2font import FT2Font
    from pylopdf_fonts_zh_cn import sans_path

    # A forked process would share the open file and its place in it, and two at once would read each other's glyphs.
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_font.cache_clear)
    font = FT2Font(str(sans_path()))
    font.set_size(100, 72)
    return font


@cache
def glyphs() -> frozenset[int]:
    """Code points that the font can draw.

    >>> ord("奉") in glyphs()
    True
    """
    return frozenset(_font().get_charmap())


def drawable(text: str, limit: int = 14) -> str:
    """Make a printed text safe to draw: only glyphs of the font, on one line, not too long.

    >>> drawable("全覆盖\\n\\U0001f600"), drawable("完成市下达的任务指标", 6)
    ('全覆盖 □', '完成市下达…')
    """
    line = " ".join(text.split())
    known = "".join(c if ord(c) in glyphs() and c.isprintable() else "□" for c in line)
    return known if len(known) <= limit else known[: limit - 1] + "…"


@contextmanager
def house_style() -> Iterator[None]:
    """Use the house style inside a ``with`` block, or as a decorator; global settings are left as they were.

    Chinese labels then need nothing installed, in pictures of your own too.

    >>> from matplotlib.figure import Figure
    >>> with house_style():
    ...     label = Figure().text(0.5, 0.5, "奉化区")
    >>> label.get_fontfamily()
    ['Noto Sans SC']
    """
    from matplotlib.style import context

    settings: dict[str, Any] = {
        # the name itself, not "sans-serif": a figure is often drawn after this block has ended
        "font.family": [font_family()],
        "font.size": BODY,
        "text.parse_math": False,  # a printed "$" is a dollar
        "text.color": INK,
        "axes.edgecolor": OTHER,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.labelcolor": SOFT,
        "xtick.color": OTHER,
        "ytick.color": OTHER,
        "xtick.labelcolor": SOFT,
        "ytick.labelcolor": SOFT,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "xtick.major.size": 3.0,
        "ytick.major.size": 3.0,
        "lines.solid_capstyle": "round",
        "svg.hashsalt": "qyx",
    }
    with context(["default", settings]):
        yield


def canvas(height: float) -> Figure:
    """Make an empty figure of the house width; ``height`` in inches. It belongs to no pyplot state."""
    from qyx_analysis.figures.picture import Picture

    return Picture(figsize=(WIDTH, height), dpi=110, facecolor="white")


def axes_at(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes by inches from the top left corner of the figure."""
    whole = figure.get_figheight()
    return figure.add_axes((left / WIDTH, 1 - (top + height) / whole, width / WIDTH, height / whole))


def write(figure: Figure, left: float, top: float, text: str, **options: Any) -> None:
    """Write text with its upper left corner at inches from the top left corner of the figure.

    A single line stands on its baseline, so that neighbours align whatever their letters.
    """
    chosen: dict[str, Any] = {"fontsize": BODY, "va": "top", "ha": "left", "linespacing": 1.35} | options
    if "\n" not in text and chosen["va"] == "top":
        chosen["va"], top = "baseline", top + ASCENT * chosen["fontsize"] / 72
    figure.text(left / WIDTH, 1 - top / figure.get_figheight(), text, **chosen)


def rule(figure: Figure, top: float) -> None:
    """Draw a faint line across the figure, ``top`` inches below its upper edge."""
    from matplotlib.lines import Line2D

    ends = [MARGIN / WIDTH, 1 - MARGIN / WIDTH]
    height = 1 - top / figure.get_figheight()
    figure.add_artist(Line2D(ends, [height] * 2, color=FAINT, linewidth=1))


def text_width(text: str, size: float) -> float:
    """How wide a text is drawn, in inches, by the widths of the font's glyphs; ``size`` in points.

    >>> round(text_width("规划", 9), 3)
    0.25
    """
    return sum(map(_ems, text)) * size / 72


@cache
def _ems(character: str) -> float:
    from matplotlib.ft2font import LoadFlags

    return _font().load_char(ord(character), LoadFlags.NO_HINTING).linearHoriAdvance / 65536 / 100


def wrap(text: str, size: float, width: float) -> list[str]:
    """Break a text into lines of at most ``width`` inches, between words or Chinese characters.

    >>> wrap("规划目标与基期值", 9, 0.55)
    ['规划目标', '与基期值']
    """
    lines = [""]
    for piece in _pieces(text):
        if lines[-1] and piece not in _NO_LINE_START and text_width((lines[-1] + piece).rstrip(), size) > width:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return [line.rstrip() for line in lines]


def fitted(text: str, size: float, width: float, lines: int = 1) -> list[str]:
    """Wrap a name into at most so many lines; what does not fit is cut off with an ellipsis.

    >>> fitted("教师轮岗交流中骨干教师占比", 10, 1.0, 2)
    ['教师轮岗交流中', '骨干教师占比']
    >>> fitted("教师轮岗交流中骨干教师占比", 10, 1.0)
    ['教师轮岗交流…']
    """
    name = drawable(text, len(text))
    found = wrap(name, size, width)
    if 1 < len(found) <= lines:  # of about the same length, so that no line has a single character
        even = wrap(name, size, text_width(name, size) / len(found) + size / 72)
        return even if len(even) <= lines else found
    if len(found) <= lines:
        return found
    last = found[lines - 1]
    while text_width(last + "…", size) > width:
        last = last[:-1]
    return [*found[: lines - 1], last.rstrip() + "…"]


def _pieces(text: str) -> Iterator[str]:
    """Chinese characters one by one, other words with the space after them."""
    word = ""
    for c in text:
        wide = unicodedata.east_asian_width(c) in "WF"
        if wide:
            yield from filter(None, (word, c))
        word = "" if wide else word + c
        if c == " ":
            yield word
            word = ""
    if word:
        yield word


# --- the page ---------------------------------------------------------------------------------------------


Entry = tuple[Options, str]  # of a key: a mark, and what it means


def page(title: str, subtitle: str, entries: Sequence[Entry], body: float, note: str) -> tuple[Figure, float]:
    """Make a figure with title, key and caveats around a body of ``body`` inches; give it and the body's top."""
    lines = wrap(subtitle, BODY, WIDTH - 2 * MARGIN)
    notes = wrap(note, SMALL, WIDTH - 2 * MARGIN - 0.1)
    rows = _key_rows(entries)
    top = 0.5 + 0.205 * len(lines)
    start = top + 0.1 + _KEY_LINE * len(rows)
    figure = canvas(start + body + 0.2 + 0.165 * len(notes))
    write(figure, MARGIN, 0.14, title, fontsize=TITLE)
    write(figure, MARGIN, 0.48, "\n".join(lines), color=SOFT)
    if rows:
        _draw_key(figure, top + 0.04, rows)
    write(figure, MARGIN, start + body + 0.06, "\n".join(notes), fontsize=SMALL, color=SOFT)
    return figure, start


def without_picture(title: str, sentence: str) -> Figure:
    """Make a figure that says in words why there is nothing to draw."""
    figure, _ = page(title, sentence, [], 0.0, "")
    figure.set_label(sentence)
    return figure


_KEY_LINE = 0.23  # inches


def _key_rows(entries: Sequence[Entry]) -> list[list[tuple[float, Entry]]]:
    """Break the entries of a key into lines that fit the width of the figure: each with its inches from the left."""
    rows: list[list[tuple[float, Entry]]] = []
    used = 0.0
    for entry in entries:
        width = 0.27 + text_width(entry[1], SMALL) + 0.24
        if not rows or used + width > WIDTH - 2 * MARGIN:
            rows.append([])
            used = 0.0
        rows[-1].append((used, entry))
        used += width
    return rows


def _draw_key(figure: Figure, top: float, rows: list[list[tuple[float, Entry]]]) -> None:
    """Explain the marks in one or more lines: real marks, each followed by its meaning."""
    height = _KEY_LINE * len(rows)
    ax = axes_at(figure, MARGIN, top, WIDTH - 2 * MARGIN, height)
    ax.set(xlim=(0, WIDTH - 2 * MARGIN), ylim=(height, 0))
    ax.axis("off")
    for line, row in enumerate(rows):
        y = _KEY_LINE * (line + 0.5)
        for x, (options, text) in row:
            mark: Options = {"linestyle": "none", "clip_on": False} | options
            xs = [x + 0.1] if mark["linestyle"] == "none" else [x, x + 0.1, x + 0.2]
            ax.plot(xs, [y] * len(xs), **mark)
            small(ax, x + 0.27, y, text)


# --- marks ------------------------------------------------------------------------------------------------


def small(ax: Axes, x: float, y: float, text: str, **options: Any) -> None:
    """Write a small text at a place of the axes, in the middle of its height unless ``options`` say otherwise."""
    chosen: dict[str, Any] = {"fontsize": SMALL, "color": SOFT, "va": "center"} | options
    ax.text(x, y, text, **chosen)


def aside(ax: Axes, place: tuple[float, float], shift: tuple[float, float], text: str, **options: Any) -> None:
    """Write a small text ``shift`` points away from a place of the axes; it may leave them."""
    chosen: dict[str, Any] = {"fontsize": SMALL, "color": SOFT, "va": "center", "annotation_clip": False} | options
    ax.annotate(text, place, shift, textcoords="offset points", **chosen)


def stroke(colour: str, width: float, linestyle: Any = SOLID, **more: Any) -> Options:
    """Line2D options of a line; ``width`` in points."""
    return {"color": colour, "linewidth": width, "linestyle": linestyle} | more


def stripe(colour: str) -> Options:
    """Line2D options of a band, as a key shows it."""
    return stroke(colour, 8, solid_capstyle="butt")


def grey_dot(size: float) -> Options:
    """Line2D options of a county that is not singled out."""
    return {"marker": "o", "markersize": size, "color": OTHER}


@cache
def bound_mark(side: str) -> Outline:
    """Outline of an open circle with an arrow to the side that a bound allows: up, down, left or right."""
    from matplotlib.path import Path as Outline
    from matplotlib.transforms import Affine2D

    arrow = Outline(
        [(0, 1), (0, 3.2), (-0.85, 2.3), (0, 3.2), (0.85, 2.3)],
        [Outline.MOVETO, Outline.LINETO, Outline.MOVETO, Outline.LINETO, Outline.LINETO],
    )
    turn = {"up": 0, "left": 90, "down": 180, "right": 270}[side]
    return Outline.make_compound_path(Outline.unit_circle(), arrow).transformed(Affine2D().rotate_deg(turn))


def bound_options(side: str, colour: str) -> Options:
    """Line2D options of a bound's mark."""
    return {
        "marker": bound_mark(side),
        "markersize": BOUND_SIZE,
        "markerfacecolor": "white",
        "markeredgecolor": colour,
        "markeredgewidth": 1.1,
    }


def cell_mark(kind: str, role: str, point: Options, sides: tuple[str, str] = ("up", "down")) -> Options:
    """Line2D options of a printed number: a diamond for a baseline, ``point`` for a target, an arrow for a bound.

    ``sides``: where what a lower and an upper bound allow lies.
    """
    if kind in ("lower_bound", "upper_bound"):
        return bound_options(sides[kind == "upper_bound"], point["color"])
    return BASELINE | {"color": point["color"]} if role == "baseline" else point


def halo() -> list[Any]:
    """A white edge that keeps a label readable on top of grey lines."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=2.0, foreground="white")]


def dark(colour: str) -> str:
    """A darker tone of a colour, for text: every county's colour is readable on white (contrast above 4.5).

    >>> dark("#E69F00")
    '#956700'
    """
    if colour in (INK, SOFT, BLUE):
        return colour
    parts = [int(int(colour[i : i + 2], 16) * 0.65) for i in (1, 3, 5)]
    return "#" + "".join(f"{part:02x}" for part in parts)


def declutter(places: Sequence[float], gap: float, low: float, high: float) -> NDArray[np.float64]:
    """Move labels apart to at least ``gap``, as little as possible (least squares), within ``[low, high]``.

    Where they do not fit, the gap shrinks.

    >>> declutter([1.0, 1.0, 5.0], 1.0, 0, 10).tolist()
    [0.5, 1.5, 5.0]
    """
    from scipy.optimize import isotonic_regression

    wanted = np.asarray(places, dtype=float)
    if len(wanted) < 2:
        return wanted.clip(low, high)
    gap = min(gap, (high - low) / (len(wanted) - 1))
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    moved = np.empty(len(wanted))
    moved[order] = np.clip(isotonic_regression(wanted[order] - steps).x, low, high - steps[-1]) + steps
    return moved


def ticks(low: float, high: float) -> NDArray[np.float64]:
    """A few round numbers inside ``[low, high]``.

    >>> ticks(3.0, 5.5).tolist()
    [3.0, 4.0, 5.0]
    """
    from matplotlib.ticker import MaxNLocator

    places = np.asarray(MaxNLocator(3, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    return places[(places >= low - 1e-9) & (places <= high + 1e-9)]
