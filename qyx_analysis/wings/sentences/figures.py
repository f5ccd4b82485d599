"""How the counties' planned targets stand to those of their own city."""

from __future__ import annotations

import re
from math import isclose
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from qyx_analysis import catalogue, names
from qyx_analysis.catalogue import message
from qyx_analysis.figures import style
from qyx_analysis.figures.rows import NAMES
from qyx_analysis.figures.scene import FEW, OPERATORS, Domain, Say, decimals_of, domains_in, number, speaker
from qyx_analysis.problems import require
from qyx_analysis.wings.sentences.alignment import latest

COUNTY, SIDE = 0.95, 1.9  # inches for the counties' names and for the words on the right
WHOLE = style.WIDTH - 2 * style.MARGIN - NAMES
STRIP = WHOLE - COUNTY - SIDE
LEFT, RIGHT = COUNTY + 0.55, COUNTY + STRIP - 0.75  # the ends of a strip, with room for the printed values
HEAD, LINE, GAP = 0.3, 0.25, 0.12  # inches: the city's target, one county, the room below
NOT = "not_comparable"


class Block(NamedTuple):
    """One target of a city, the counties' beside it, and what the catalogue says of the indicator.

    ``top``: inches from the upper edge of the axes, which all blocks share.
    """

    rows: pd.DataFrame
    entry: pd.Series
    say: Say
    lang: str
    top: float = 0.0

    @property
    def known(self) -> pd.DataFrame:
        return self.rows[self.rows["state"] != NOT]

    @property
    def sign(self) -> int:
        """What makes right better."""
        return -1 if self.entry["direction"] < 0 else 1

    def name(self, code: str) -> str:
        return _name(code, self.lang)

    def side(self, operator: str) -> str:
        """Where what a bound allows lies."""
        return "right" if operator.startswith(">") == (self.sign > 0) else "left"

    def text(self, printed: str, value: float) -> str:
        """A printed value on a label, its sign and number in the unit of the row."""
        if not printed.strip():
            return self.say("kind_missing")
        digits = re.search(r"[<>≤≥]?\s*(\d+(?:\.\s*\d+)?)", printed)
        if digits and isclose(float(digits[1].replace(" ", "")), value):
            return digits[0].replace(" ", "")
        if self.lang == "zh":
            return style.drawable(printed)
        return self.say("kind_status") if np.isnan(value) else number(value, decimals_of(abs(value) * 1e-3), "en")


@style.house_style()
def plot_alignment(
    alignment: pd.DataFrame, region: object = None, domain: Domain = None, lang: str = "zh"
) -> style.Figure:
    """Draw counties' planned targets beside those of their own city, one block for each target of the city.

    ``alignment``: as :func:`qyx_analysis.alignment` gives it; of each target the last year that the city sets is
    drawn, and only what speaks of an indicator of the catalogue. ``region`` (code or name): only this county.
    ``domain``: only this domain of the counties' plans, by its Chinese or English name.

    Returns a matplotlib Figure whose label is its alternative text; where no city's plan is in the data it says so.
    Raises DataError for an unknown language, region or domain.

    How to read it: right is better, whatever the unit. The upright line is the city's target, the diamond the
    county's baseline, the dot its planned target for the same year; the words beside it are the ``state``. What
    cannot be compared is printed side by side with the reason. More than five counties of a city share one line.

    >>> from qyx_analysis.documents import Document
    >>> from qyx_analysis.wings.sentences.alignment import alignment
    >>> from qyx_analysis.tidy.reading import read_plans
    >>> from qyx_analysis.wings.sentences.targets import prose_targets
    >>> from qyx_analysis.files import raw_dir
    >>> targets = read_plans([raw_dir()]).targets
    >>> city = Document("city.txt", "plan", "", ("到2025年，普惠性托位占比达到60%以上。",))
    >>> plot_alignment(alignment(targets, prose_targets(city, "330200")), "慈溪市", lang="en").get_label()[:51]
    'Planned targets of Cixi beside those of the city fo'
    """
    say = speaker(lang)
    require(alignment, ("region", "city", "indicator", "domain", "state", "reason"), "alignment()")
    rows = latest(alignment[alignment["indicator"] != ""])
    code = "" if region is None or region == "" else names.find_region(region)
    rows = rows[rows["region"] == code] if code else rows
    rows = rows[rows["domain"].isin(domains_in(rows, domain))] if domain else rows
    if rows.empty:
        return style.without_picture(say("alignment_title_none"), say("alignment_none"))
    who = _name(code, lang) if code else say("counties", n=rows["region"].nunique())
    years = say("comma").join(str(year) for year in sorted(rows["year"].dropna().unique()))
    known = catalogue.indicators().set_index("code")
    groups = rows.groupby(["city", "indicator", "metric", "year"], sort=False, dropna=False)
    blocks = [Block(own, known.loc[own["indicator"].iloc[0]], say, lang) for _, own in groups]
    entries: list[style.Entry] = [
        (style.BASELINE | {"color": style.OTHER}, message("tab_baseline", lang)),
        (style.POINT | {"color": style.BLUE}, say("key_target")),
        (style.MEDIAN | {"markersize": 12}, say("key_city")),
    ]
    if rows.loc[rows["state"] != NOT, "flags"].str.contains("bounded").any():
        entries.append((style.bound_options("right", style.BLUE), say("key_bound")))
    title, subtitle = say("alignment_title", who=who, years=years), say("alignment_subtitle")
    heights = [_height(block) for block in blocks]
    figure, top = style.page(title, subtitle, entries, sum(heights), say("alignment_note"))
    ax = style.axes_at(figure, style.MARGIN + NAMES, top, WHOLE, sum(heights))
    ax.set(xlim=(0, WHOLE), ylim=(sum(heights), 0))
    ax.axis("off")
    for block, y in zip(blocks, np.cumsum([0.0, *heights[:-1]]), strict=True):
        style.rule(figure, top + y + 0.02)
        _write_name(figure, block, top + y)
        (_write_beside if block.known.empty else _draw_compared)(ax, block._replace(top=y))
    states = rows["state"].value_counts()
    counts = {kind: int(states.get(kind, 0)) for kind in ("above", "meets", "below", "overtaken", "open")}
    none = int(states.get(NOT, 0))
    figure.set_label(say("alignment_alt", who=who, years=years, n=len(rows) - none, none=none, **counts))
    return figure


def _name(code: str, lang: str) -> str:
    full = names.region_name(code, lang)
    return full.split()[0] if lang == "en" else full


def _write_name(figure: style.Figure, block: Block, top: float) -> None:
    """The indicator, its unit and whether lower is better, on the left of a block."""
    style.write(figure, style.MARGIN, top + 0.09, block.entry[f"short_{block.lang}"])
    under = [block.entry["unit" if block.lang == "zh" else "unit_en"]]
    under += [block.say("lower_is_better")] * (block.sign < 0)
    text = block.say("dot").join(under)
    style.write(figure, style.MARGIN, top + 0.28, text, fontsize=style.SMALL, color=style.SOFT)


def _height(block: Block) -> float:
    lines = 0.165 * len(_beside_lines(block))
    if len(block.known):
        lines = LINE * (len(block.rows) if len(block.rows) <= FEW else 1)
    return max(0.56, HEAD + lines + GAP)


# --- what cannot be compared ------------------------------------------------------------------------------


def _beside_lines(block: Block) -> list[str]:
    reasons = [message(f"align_reason_{reason}", block.lang) for reason in dict.fromkeys(block.rows["reason"])]
    lines = style.wrap(block.say("semicolon").join(reasons), style.SMALL, WHOLE - 0.1)
    if len(block.rows) > FEW:
        return lines
    printed = [(row.region, block.text(row.county_printed, row.county_value)) for row in block.rows.itertuples()]
    pairs = [block.say("alignment_pair", county=block.name(who), printed=text) for who, text in printed]
    return [block.say("alignment_beside", counties=block.say("comma").join(pairs)), *lines]


def _write_beside(ax: style.Axes, block: Block) -> None:
    """The printed texts of city and counties, and why they are not compared."""
    _write_city(ax, 0.0, block, "left")
    style.small(ax, 0, block.top + HEAD, "\n".join(_beside_lines(block)), va="top", linespacing=1.35)


def _write_city(ax: style.Axes, x: float, block: Block, side: str) -> None:
    city = block.rows.iloc[0]
    year = city["year"] if pd.notna(city["year"]) else ""
    printed = block.text(city["city_printed"], city["city_value"])
    text = block.say("alignment_city", city=block.name(city["city"]), year=year, printed=printed)
    style.small(ax, x, block.top + 0.1, text, ha=side, va="top", color=style.INK)


# --- what can be compared ---------------------------------------------------------------------------------


def _draw_compared(ax: style.Axes, block: Block) -> None:
    """One line per county, or one for all where there are many, with the city's target through all."""
    sign = block.sign
    values = block.known[["baseline", "county_value", "city_value"]].to_numpy(float) * sign
    low, high = np.nanmin(values), np.nanmax(values)

    def at(value: Any) -> Any:
        share = (np.asarray(value, dtype=float) * sign - low) / (high - low) if high > low else 0.5
        return LEFT + share * (RIGHT - LEFT)

    city, single = block.rows.iloc[0], len(block.rows) <= FEW
    x, top = at(city["city_value"]), block.top + HEAD
    ax.plot(
        [x, x], [top - 0.02, top + LINE * (len(block.rows) if single else 1)], zorder=2, **style.stroke(style.INK, 2)
    )
    if city["city_operator"] in OPERATORS:
        shift, marker = (0.05, 5) if block.side(city["city_operator"]) == "right" else (-0.05, 4)
        ax.plot([x + shift], [top + 0.01], marker=marker, color=style.INK, markersize=6)
    _write_city(ax, min(max(x, LEFT), RIGHT - 0.3), block, "center")
    if not single:
        _draw_cloud(ax, block, top + LINE / 2, at)
    for place, row in enumerate(block.rows.itertuples() if single else ()):
        _draw_line(ax, block, row, top + LINE * (place + 0.5), at)


def _draw_cloud(ax: style.Axes, block: Block, y: float, at: Any) -> None:
    """All counties on one line, their baselines below it, and how many stand in each relation."""
    ax.plot([LEFT, RIGHT], [y, y], zorder=1, **style.stroke(style.FAINT, 1.2))
    cloud: dict[str, Any] = {"linestyle": "none", "alpha": 0.6, "zorder": 3}
    baselines = style.BASELINE | {"color": style.OTHER, "markersize": 3.5}
    ax.plot(at(block.known["baseline"]), np.full(len(block.known), y + 0.06), **cloud, **baselines)
    for operator, part in block.known.groupby("county_operator"):
        ax.plot(at(part["county_value"]), np.full(len(part), y - 0.05), **cloud, **_target(block, operator))
    counts = block.rows["state"].value_counts().items()
    texts = [block.say("alignment_count", state=message(f"align_state_{name}", block.lang), n=n) for name, n in counts]
    lines = style.wrap(block.say("semicolon").join(texts), style.SMALL, SIDE)
    style.small(ax, COUNTY + STRIP, y, "\n".join(lines), color=style.INK)


def _draw_line(ax: style.Axes, block: Block, row: Any, y: float, at: Any) -> None:
    style.small(ax, 0, y, block.name(row.region), color=style.INK)
    colour = {"below": style.dark(style.VERMILLION), NOT: style.SOFT, "open": style.SOFT}.get(row.state, style.INK)
    style.small(ax, COUNTY + STRIP, y, message(f"align_state_{row.state}", block.lang), color=colour)
    planned = block.text(row.county_printed, row.county_value)
    if row.state == NOT:
        style.small(ax, LEFT, y, planned)
        return
    start, end = at(row.baseline), at(row.county_value)
    forward = not np.isfinite(start) or end >= start
    if np.isfinite(start) and abs(end - start) > 1e-6:
        ax.plot([start, end], [y, y], zorder=1, **style.stroke(style.OTHER, 1.2))
        ax.plot([start], [y], color=style.OTHER, zorder=3, **style.BASELINE)
        text = block.text(row.baseline_printed, row.baseline)
        room = 0.25 + style.text_width(text, style.SMALL)
        behind = (start - at(row.city_value)) * (1 if forward else -1)
        inside = 0.05 < behind < room < abs(end - start)  # the city's line would run through the label outside
        _write_value(ax, start, y, text, "right" if forward != inside else "left", style.SOFT)
    ax.plot([end], [y], zorder=4, **_target(block, row.county_operator))
    _write_value(ax, end, y, planned, "left" if forward else "right", style.BLUE)


def _target(block: Block, operator: Any) -> style.Options:
    """Line2D options of a county's target: a dot, or for a bound an arrow to the side that it allows."""
    if operator not in OPERATORS:
        return style.POINT | {"color": style.BLUE}
    return style.bound_options(block.side(operator), style.BLUE)


def _write_value(ax: style.Axes, x: float, y: float, text: str, side: str, colour: str) -> None:
    """A printed value beside its mark, away from the line between baseline and target."""
    shift = 0.16 if side == "left" else -0.09
    style.small(ax, x + shift, y, text, ha=side, color=colour, zorder=5, bbox=style.PAPER)
