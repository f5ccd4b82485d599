"""Frames -> the first screen of a county report: what a reader in a hurry should know, as HTML. All text is escaped.

Nothing is averaged: every target stands for itself, and those that cannot be read are left out of the counts.
"""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import pandas as pd

from qyx_analysis.catalogue import message, statuses_for
from qyx_analysis.catalogue.wording import brief_status, percent_text
from qyx_analysis.figures.scene import scene_of
from qyx_analysis.names import domain_name, indicator_name
from qyx_analysis.texts.ambition import named_gaps, no_plan_to_fall, rank_ends, ranked
from qyx_analysis.texts.shared import MOST
from qyx_analysis.texts.timing import count_timing

_SAID = ("weaker", "hold", "hold_at_ceiling", "non_monotone")  # statuses of a change that a tile names
WARNINGS = "#warnings"  # the heading of the section about them


def find_tiles(
    targets: pd.DataFrame,
    findings: pd.DataFrame,
    trajectory: pd.DataFrame,
    ambition: pd.DataFrame,
    region: str,
    lang: str,
) -> pd.DataFrame:
    """One row per target of a county, for its tile.

    Parameters
    ----------
    targets, findings, trajectory, ambition : DataFrame
        As :func:`~qyx_analysis.notebook.desk.open_desk` gives them.
    region : str
        Code of the county.
    lang : str
        ``zh`` or ``en``.

    Returns
    -------
    DataFrame
        ``domain``, ``indicator``; ``first`` and ``last``, what the plan says for the baseline and the final year as
        the pictures write it; ``unit``; the share of the gap ``gap_lo``, ``gap``, ``gap_hi`` where it can be named;
        ``status`` of the planned change, and whether it is but a bound below the baseline (``floor``); ``half_year``,
        the first year by whose end half of the change is planned, where it can be read; ``warned``, the number of
        errors and warnings.
    """
    scene = scene_of(targets, region, lang)
    own = targets[targets["region"] == region]
    tiles = scene.own[["domain"]].rename_axis("indicator")
    tiles["unit"] = scene.own["unit_name"].mask(scene.own["nature"] == "state", "")
    for name, year in (("first", own["year"].min()), ("last", own["year"].max())):
        cells = scene.cells[(scene.cells["region"] == region) & (scene.cells["year"] == year)]
        words = pd.Series({cell.indicator: scene.word(cell) for cell in cells.itertuples()}, dtype=object)
        tiles[name] = words.reindex(tiles.index).fillna(message("tab_blank", lang))
    gaps = named_gaps(ambition, region).set_index("indicator")[["lo", "value", "hi"]]
    tiles[["gap_lo", "gap", "gap_hi"]] = gaps.reindex(tiles.index)
    change = ambition[(ambition["measure"] == "change") & (ambition["region"] == region)]
    tiles["status"] = change.set_index("indicator")["status"]
    tiles["floor"] = tiles.index.isin(change.loc[no_plan_to_fall(change), "indicator"])
    half = trajectory[(trajectory["measure"] == "half_change_year") & (trajectory["region"] == region)]
    half = half[half["status"].isin(statuses_for("timing"))].set_index("indicator")["value"]
    tiles["half_year"] = np.ceil(half - 1e-9)
    serious = findings[(findings["region"] == region) & findings["severity"].isin(["error", "warning"])]
    tiles["warned"] = serious["indicator"].value_counts().reindex(tiles.index, fill_value=0)
    return tiles.reset_index()


def render_glance(
    targets: pd.DataFrame,
    findings: pd.DataFrame,
    trajectory: pd.DataFrame,
    ambition: pd.DataFrame,
    verdicts: pd.DataFrame,
    region: str,
    lang: str,
) -> str:
    """Render the most and least ambitious targets, the timing, the warnings, and a tile for every target.

    The parameters are those of :func:`find_tiles`, and the ``verdicts``, which alone say what is ambitious, early or
    late. Lists and links without any style of their own; the reports bring it.
    """
    tiles = find_tiles(targets, findings, trajectory, ambition, region, lang)
    years = range(int(targets["year"].min()) + 1, int(targets["year"].max()) + 1)
    more, less = (ranked(verdicts, region, word) for word in ("more_ambitious", "less_ambitious"))
    facts = [
        ("most", "glance_most", _ranking(more, lang)),
        *[("least", "glance_least", _ranking(less, lang))] * (len(less) > 0),
        ("when", "glance_when", _timing(tiles, count_timing(verdicts, region), years, lang)),
        ("warned", "glance_warned", _warnings(findings[findings["region"] == region], lang)),
    ]
    parts = [
        f'<li class="{name}"><p class="fact">{escape(message(key, lang))}</p>{body}</li>' for name, key, body in facts
    ]
    domains = [_domain(str(domain), rows, lang) for domain, rows in tiles.groupby("domain", sort=False)]
    label, note = (escape(message(key, lang)) for key in ("glance", "glance_note"))
    return (
        f'<section class="glance" aria-label="{label}"><ul class="facts">{"".join(parts)}</ul>'
        f'<ul class="domains">{"".join(domains)}</ul><p class="note">{note}</p></section>'
    )


# --- the facts --------------------------------------------------------------------------------------------


def _ranking(rows: pd.DataFrame, lang: str) -> str:
    """The targets at one end, each with its range of ranks among how many counties."""
    if rows.empty:
        return f"<p>{escape(message('glance_none', lang))}</p>"
    named = [
        f"<li><span>{escape(indicator_name(row.indicator, lang))}</span> "
        f"<b>{message('glance_rank', lang, ends=rank_ends(row), n=row.n)}</b></li>"
        for row in rows.head(MOST).itertuples()
    ]
    more = escape(message("glance_more", lang, n=len(rows) - MOST)) if len(rows) > MOST else ""
    return f"<ol>{''.join(named)}</ol>{f'<p>{more}</p>' if more else ''}"


def _timing(tiles: pd.DataFrame, counts: dict[str, int], years: range, lang: str) -> str:
    """How many of the changes are half done by each year, as columns, and how many come early or late."""
    number = tiles["half_year"].value_counts().reindex(years, fill_value=0)
    bars = [
        f'<li style="--of: {count / max(number.max(), 1):.2f}"><span>{year}</span> <b>{count or ""}</b></li>'
        for year, count in number.items()
    ]
    return (
        f'<ol class="years">{"".join(bars)}</ol><p class="note">{escape(message("glance_timing", lang, **counts))}</p>'
    )


def _warnings(findings: pd.DataFrame, lang: str) -> str:
    counts = findings["severity"].value_counts()
    numbers = [
        f'{escape(message(f"glance_{severity}", lang))} <b class="{severity}">{counts.get(severity, 0)}</b>'
        for severity in ("error", "warning")
    ]
    errors = findings.loc[(findings["severity"] == "error") & (findings["indicator"] != ""), "indicator"].unique()
    names = message("list_joint", lang).join(indicator_name(code, lang) for code in errors[:MOST])
    named = f"<p>{escape(message('glance_errors', lang, list=names))}</p>" if names else ""
    link = f'<a href="{WARNINGS}">{escape(message("glance_look", lang))}</a>'
    return f'<p class="numbers">{" ".join(numbers)}</p>{named}<p>{link}</p>'


def _bar(low: float, high: float) -> str:
    """A bar from nothing to all of the gap, solid as far as is sure; the number beside it says the same."""
    ends = [float(np.clip(value, 0, 1)) for value in (low, high)]
    return f'<i class="bar" style="--lo: {ends[0]:.0%}; --hi: {ends[1]:.0%}"></i>'


# --- the domains ------------------------------------------------------------------------------------------


def _domain(domain: str, tiles: pd.DataFrame, lang: str) -> str:
    years = tiles["half_year"].dropna().astype(int)
    notes = []
    if len(years):
        key = "glance_half" if years.min() == years.max() else "glance_halves"
        notes.append(escape(message(key, lang, first=years.min(), last=years.max())))
    if warned := int(tiles["warned"].sum()):
        notes.append(f'<a class="warning" href="{WARNINGS}">{escape(message("glance_warnings", lang, n=warned))}</a>')
    shown = "".join(_tile(tile, lang) for tile in tiles.itertuples())
    return (
        f'<li><p class="domain"><b>{escape(domain_name(domain, lang))}</b> '
        f"{' '.join(f'<span>{note}</span>' for note in notes)}</p>"
        f'<ul class="tiles">{shown}</ul></li>'
    )


def _tile(tile: Any, lang: str) -> str:
    first, last = escape(tile.first), escape(tile.last)
    unit = f" <small>{escape(tile.unit)}</small>" if tile.unit else ""
    gap = "" if np.isnan(tile.gap) else f" <em>{percent_text(tile.gap)}</em>{_bar(tile.gap_lo, tile.gap_hi)}"
    said = ""
    if tile.status in _SAID:
        word = message("glance_floor", lang) if tile.floor else brief_status(tile.status, lang)
        said = f' <em class="{tile.status}">{escape(word)}</em>'
    return (
        f'<li><span class="name">{escape(indicator_name(tile.indicator, lang))}</span> '
        f'<span class="path">{first} → <b>{last}</b>{unit}</span>{gap}{said}</li>'
    )
