"""How the counties' planned targets stand to those of their own city."""

from __future__ import annotations

import re
from functools import partial
from math import isclose
from typing import Any

import numpy as np
import pandas as pd

from qyx_analysis import catalogue, names
from qyx_analysis.catalogue import message
from qyx_analysis.figures import style
from qyx_analysis.figures.rows import NAMES
from qyx_analysis.figures.scene import FEW, OPERATORS, Domain, decimals_of, domains_in, number
from qyx_analysis.measures.alignment import latest
from qyx_analysis.problems import DataError, Problem, require

COUNTY, SIDE = 0.95, 1.9  # inches for the counties' names and for the words on the right
STRIP = style.WIDTH - 2 * style.MARGIN - NAMES - COUNTY - SIDE
LEFT, RIGHT = 0.55, STRIP - 0.75  # the ends of a strip, with room for the printed values
HEAD, LINE, GAP = 0.3, 0.25, 0.12  # inches: the city's target, one county, the room below
NOT = "not_comparable"


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
    >>> from qyx_analysis.measures import alignment
    >>> from qyx_analysis.processed import read_plans
    >>> from qyx_analysis.prose import prose_targets
    >>> from qyx_analysis.raw import raw_dir
    >>> targets = read_plans([raw_dir()]).targets
    >>> city = Document("city.txt", "plan", "", ("到2025年，普惠性托位占比达到60%以上。",))
    >>> plot_alignment(alignment(targets, prose_targets(city, "330200")), "慈溪市", lang="en").get_label()[:51]
    'Planned targets of Cixi beside those of the city fo'
    """
    if lang not in ("zh", "en"):
        raise DataError(Problem("lang_unknown", "lang", text=str(lang)))
    require(alignment, ("region", "city", "indicator", "domain", "state", "reason"), "alignment()")
    say = partial(_say, lang)
    rows = latest(alignment[alignment["indicator"] != ""])
    code = "" if region is None or region == "" else names.find_region(region)
    rows = rows[rows["region"] == code] if code else rows
    rows = rows[rows["domain"].isin(domains_in(rows, domain))] if domain else rows
    counties = rows["region"].nunique()
    who = _name(code, lang) if code else say("counties", n=counties)
    years = say("comma").join(str(year) for year in sorted(rows["year"].dropna().unique()))
    if rows.empty:
        return style.without_picture(say("alignment_title_none"), say("alignment_none"))
    blocks = [block for _, block in rows.groupby(["city", "indicator", "metric", "year"], sort=False, dropna=False)]
    heights = [_height(block, lang) for block in blocks]
    entries: list[style.Entry] = [
        (style.BASELINE | {"color": style.OTHER}, message("tab_baseline", lang)),
        (style.POINT | {"color": style.BLUE}, say("key_target")),
        ({"color": style.INK, "marker": "|", "markersize": 12, "markeredgewidth": 2}, say("key_city")),
    ]
    if rows.loc[rows["state"] != NOT, "flags"].str.contains("bounded").any():
        entries.append((style.bound_options("right", style.BLUE), say("key_bound")))
    title, subtitle = say("alignment_title", who=who, years=years), say("alignment_subtitle")
    figure, top = style.page(title, subtitle, entries, sum(heights), say("alignment_note"))
    for block, height in zip(blocks, heights, strict=True):
        style.rule(figure, top + 0.02)
        _names(figure, block.iloc[0], top, lang)
        ax = style.axes_at(figure, style.MARGIN + NAMES, top, style.WIDTH - 2 * style.MARGIN - NAMES, height)
        ax.set(xlim=(0, style.WIDTH - 2 * style.MARGIN - NAMES), ylim=(height, 0))
        ax.axis("off")
        (_beside if (block["state"] == NOT).all() else _compared)(ax, block, lang)
        top += height
    states = rows["state"].value_counts()
    kinds = ("above", "meets", "below", "overtaken", "open")
    counts = {kind: int(states.get(kind, 0)) for kind in kinds} | {"none": int(states.get(NOT, 0))}
    known = len(rows) - counts["none"]
    figure.set_label(say("alignment_alt", who=who, years=years, n=known, **counts))
    return figure


def _say(lang: str, key: str, **values: object) -> str:
    return message(f"fig_{key}", lang, **values)


def _name(code: str, lang: str) -> str:
    full = names.region_name(code, lang)
    return full.split()[0] if lang == "en" else full


def _names(figure: style.Figure, row: Any, top: float, lang: str) -> None:
    """The indicator, its unit and whether lower is better, on the left of a block."""
    entry = catalogue.indicators().set_index("code").loc[row["indicator"]]
    style.write(figure, style.MARGIN, top + 0.09, entry[f"short_{lang}"])
    under = [entry["unit" if lang == "zh" else "unit_en"]]
    under += [_say(lang, "lower_is_better")] * int(entry["direction"] < 0)
    text = _say(lang, "dot").join(under)
    style.write(figure, style.MARGIN, top + 0.28, text, fontsize=style.SMALL, color=style.SOFT)


def _height(block: pd.DataFrame, lang: str) -> float:
    if (block["state"] == NOT).all():
        return max(0.56, HEAD + 0.165 * len(_beside_lines(block, lang)) + GAP)
    return max(0.56, HEAD + LINE * (len(block) if len(block) <= FEW else 1) + GAP)


# --- what cannot be compared ------------------------------------------------------------------------------


def _beside_lines(block: pd.DataFrame, lang: str) -> list[str]:
    reasons = [message(f"align_reason_{reason}", lang) for reason in dict.fromkeys(block["reason"])]
    lines = style.wrap(_say(lang, "semicolon").join(reasons), style.SMALL, STRIP + SIDE + COUNTY - 0.1)
    if len(block) > FEW:
        return lines
    pairs = [
        _say(
            lang,
            "alignment_pair",
            county=_name(row.region, lang),
            printed=_text(row.county_printed, row.county_value, lang),
        )
        for row in block.itertuples()
    ]
    return [_say(lang, "alignment_beside", counties=_say(lang, "comma").join(pairs)), *lines]


def _beside(ax: style.Axes, block: pd.DataFrame, lang: str) -> None:
    """The printed texts of city and counties, and why they are not compared."""
    _city_text(ax, 0.0, block.iloc[0], lang, "left")
    text = "\n".join(_beside_lines(block, lang))
    ax.text(0, HEAD, text, va="top", fontsize=style.SMALL, color=style.SOFT, linespacing=1.35)


def _city_text(ax: style.Axes, x: float, row: Any, lang: str, side: str) -> None:
    year = row["year"] if pd.notna(row["year"]) else ""
    printed = _text(row["city_printed"], row["city_value"], lang)
    text = _say(lang, "alignment_city", city=_name(row["city"], lang), year=year, printed=printed)
    ax.text(x, 0.1, text, ha=side, va="top", fontsize=style.SMALL)


def _text(printed: str, value: float, lang: str) -> str:
    """A printed value on a label: its sign and number in the unit of the row; words as they are, in Chinese."""
    if not printed.strip():
        return _say(lang, "kind_missing")
    digits = re.search(r"[<>≤≥]?\s*(\d+(?:\.\s*\d+)?)", printed)
    if digits and isclose(float(digits[1].replace(" ", "")), value):
        return digits[0].replace(" ", "")
    if lang == "zh":
        return style.drawable(printed)
    return _say(lang, "kind_status") if np.isnan(value) else number(value, decimals_of(abs(value) * 1e-3), lang)


# --- what can be compared ---------------------------------------------------------------------------------


def _compared(ax: style.Axes, block: pd.DataFrame, lang: str) -> None:
    """One line per county, or one for all of them where there are many; the city's target goes through all."""
    entry = catalogue.indicators().set_index("code").loc[block["indicator"].iloc[0]]
    sign = -1 if entry["direction"] < 0 else 1
    known = block[block["state"] != NOT]
    values = known[["baseline", "county_value", "city_value"]].to_numpy(float) * sign
    low, high = np.nanmin(values), np.nanmax(values)

    def at(value: Any) -> Any:
        share = (np.asarray(value, dtype=float) * sign - low) / (high - low) if high > low else 0.5
        return COUNTY + LEFT + share * (RIGHT - LEFT)

    city = block.iloc[0]
    lines = list(block.itertuples()) if len(block) <= FEW else []
    bottom = HEAD + LINE * max(len(lines), 1)
    x = at(city["city_value"])
    ax.plot([x, x], [HEAD - 0.02, bottom], color=style.INK, linewidth=2, zorder=2)
    if city["city_operator"] in OPERATORS:
        right = city["city_operator"].startswith(">") == (sign > 0)
        ax.plot(
            [x + (0.05 if right else -0.05)], [HEAD + 0.01], marker=5 if right else 4, color=style.INK, markersize=6
        )
    _city_text(ax, min(max(x, COUNTY + LEFT), COUNTY + RIGHT - 0.3), city, lang, "center")
    if not lines:
        _cloud(ax, block, HEAD + LINE / 2, at, sign, lang)
    for place, row in enumerate(lines):
        _line(ax, row, HEAD + LINE * (place + 0.5), at, sign, lang)


def _cloud(ax: style.Axes, block: pd.DataFrame, y: float, at: Any, sign: int, lang: str) -> None:
    """All counties on one line, their baselines below it, and how many stand in each relation."""
    known = block[block["state"] != NOT]
    ends = [COUNTY + LEFT, COUNTY + RIGHT]
    ax.plot(ends, [y, y], color=style.FAINT, linewidth=1.2, zorder=1)
    cloud: dict[str, Any] = {"linestyle": "none", "alpha": 0.6, "zorder": 3}
    baselines = style.BASELINE | {"color": style.OTHER, "markersize": 3.5}
    ax.plot(at(known["baseline"]), np.full(len(known), y + 0.06), **cloud, **baselines)
    for operator, part in known.groupby("county_operator"):
        ax.plot(at(part["county_value"]), np.full(len(part), y - 0.05), **cloud, **_target(operator, sign))
    counts = block["state"].value_counts().items()
    texts = [_say(lang, "alignment_count", state=message(f"align_state_{name}", lang), n=n) for name, n in counts]
    lines = style.wrap(_say(lang, "semicolon").join(texts), style.SMALL, SIDE)
    ax.text(COUNTY + STRIP, y, "\n".join(lines), va="center", fontsize=style.SMALL)


def _line(ax: style.Axes, row: Any, y: float, at: Any, sign: int, lang: str) -> None:
    ax.text(0, y, _name(row.region, lang), va="center", fontsize=style.SMALL)
    words = message(f"align_state_{row.state}", lang)
    colour = {"below": style.dark(style.VERMILLION), NOT: style.SOFT, "open": style.SOFT}.get(row.state, style.INK)
    ax.text(COUNTY + STRIP, y, words, va="center", fontsize=style.SMALL, color=colour)
    if row.state == NOT:
        printed = _text(row.county_printed, row.county_value, lang)
        ax.text(COUNTY + LEFT, y, printed, va="center", fontsize=style.SMALL, color=style.SOFT)
        return
    start, end = at(row.baseline), at(row.county_value)
    moves = np.isfinite(start) and abs(end - start) > 1e-6
    forward = not np.isfinite(start) or end >= start
    if moves:
        ax.plot([start, end], [y, y], color=style.OTHER, linewidth=1.2, zorder=1)
        ax.plot([start], [y], color=style.OTHER, zorder=3, **style.BASELINE)
        text = _text(row.baseline_printed, row.baseline, lang)
        room = 0.25 + style.text_width(text, style.SMALL)
        behind = (start - at(row.city_value)) * (1 if forward else -1)
        inside = 0.05 < behind < room < abs(end - start)  # the city's line would run through the label outside
        _value(ax, start, y, text, "right" if forward != inside else "left", style.SOFT)
    ax.plot([end], [y], zorder=4, **_target(row.county_operator, sign))
    _value(ax, end, y, _text(row.county_printed, row.county_value, lang), "left" if forward else "right", style.BLUE)


def _target(operator: Any, sign: int) -> dict[str, Any]:
    """Line2D options of a county's target: a dot, or for a bound an arrow to the side that it allows."""
    if operator not in OPERATORS:
        return style.POINT | {"color": style.BLUE}
    return style.bound_options("right" if operator.startswith(">") == (sign > 0) else "left", style.BLUE)


def _value(ax: style.Axes, x: float, y: float, text: str, side: str, colour: str) -> None:
    """A printed value beside its mark, away from the line between baseline and target."""
    shift = 0.16 if side == "left" else -0.09
    ax.text(x + shift, y, text, ha=side, va="center", fontsize=style.SMALL, color=colour, zorder=5, bbox=style.PAPER)
