"""Frames -> a one-page briefing for a meeting, as HTML: what stands, what changed, what is open, what is due next.

Lists are cut to what one page holds, and say how many more there are. Nothing is scored or ranked. All text is escaped.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import pandas as pd

from qyx_analysis.catalogue import message
from qyx_analysis.catalogue.wording import number_text, printed_text
from qyx_analysis.names import domain_name, indicator_name, judgement_names, region_name, region_parent, value_unit
from qyx_analysis.texts.html import render_table
from qyx_analysis.wings.monitoring.changes import latest_status
from qyx_analysis.wings.monitoring.reading import parse_period, period_text

MARKS = {
    "achieved": "●", "on_path": "▲", "behind": "▼", "worse_than_baseline": "×", "not_reported": "○",
    "no_judgement": "–",
}  # fmt: skip
_TURNS = {"better": "↑", "worse": "↓"}
_SAID = ("better", "worse", "opened", "closed", "corrected", "withdrawn", "dropped")  # changes that are named
_PAIR = ["region", "indicator"]
_NAMES, _ITEMS, _DUE, _ROWS = 4, 10, 15, 12  # what a page has room for: names in a list, open items, targets, counties


@dataclass(frozen=True)
class State:
    """What a briefing speaks of: the frames of the monitoring, and the two periods that it compares.

    ``targets``: the tidy targets; ``monitored``, ``items``, ``changes``, ``due``: as
    :func:`~qyx_analysis.monitoring`, :func:`~qyx_analysis.open_items`, :func:`~qyx_analysis.changes` and
    :func:`~qyx_analysis.due_next` give them. ``now`` is the latest period, ``before`` the one before it or empty.
    """

    targets: pd.DataFrame
    monitored: pd.DataFrame
    items: pd.DataFrame
    changes: pd.DataFrame
    due: pd.DataFrame
    now: str
    before: str

    def of(self, regions: Collection[str]) -> State:
        """The same of these regions."""
        frames = {name: part for name, part in vars(self).items() if isinstance(part, pd.DataFrame)}
        return replace(self, **{name: frame[frame["region"].isin(regions)] for name, frame in frames.items()})


def briefing_title(region: str, lang: str) -> str:
    """What the briefing of a county, or with an empty ``region`` that of all, is called.

    >>> briefing_title("330213", "en")
    'Fenghua District: briefing on the 七优享 plan'
    """
    if not region:
        return message("brief_title_all", lang)
    return message("brief_title", lang, region=region_name(region, lang))


def briefing_html(state: State, region: str, lang: str) -> str:
    """Render the briefing of a county, or with an empty ``region`` that of all counties of ``state``.

    Parameters
    ----------
    state : State
    region : str
        Code of the county.
    lang : str
        ``zh`` or ``en``.

    Returns
    -------
    str
        A ``<section>`` without any style of its own; the reports bring it.
    """
    counties = state.targets.loc[state.targets["level"] == "county", "region"].unique()
    state = state.of([region] if region else counties)
    latest = _told(state.monitored)
    when = {"now": period_text(state.now, lang), "before": period_text(state.before, lang) if state.before else ""}
    lead = message("brief_since" if state.before else "brief_first", lang, **when)
    warning = message("brief_synthetic", lang)
    made_up = state.monitored["flags"].str.contains("synthetic").any()
    parts = [
        f'<p class="made-up" role="note">{escape(warning)}</p>' * bool(made_up),
        f"<p>{escape(lead)}</p>",
        _section(
            "now",
            _counts(latest, state, not region, lang) + (_domains if region else _places)(latest, state, lang),
            lang,
        ),
        _section("changes", _changes(state, not region, lang), lang),
        _section(
            "open" if region else "open_all",
            (_open if region else _open_across)(state, lang) + _silent(latest, not region, lang),
            lang,
        ),
        _section("due", _due(state, not region, lang), lang),
    ]
    return f'<section class="briefing" aria-label="{escape(message("brief_kind", lang))}">{"".join(parts)}</section>'


def _section(name: str, body: str, lang: str) -> str:
    return f"<section><h2>{escape(message(f'brief_{name}', lang))}</h2>{body}</section>"


def _told(monitored: pd.DataFrame) -> pd.DataFrame:
    """The row of each indicator that was due last, with what is ``told`` of it and the last judgement before it."""
    planned = monitored[monitored["reason"] != "no_target"]
    last = planned.sort_values("due", kind="stable").drop_duplicates(_PAIR, keep="last")
    judged = latest_status(planned)[[*_PAIR, "period", "status"]]
    rows = last.merge(judged, on=_PAIR, suffixes=("", "_judged"))
    told = rows["status"].mask(rows["reason"] == "not_reported", "not_reported")
    return rows.assign(told=told)


def _mark(told: str, lang: str) -> str:
    return f'<i class="{told}" role="img" aria-label="{escape(judgement_names(lang)[told])}">{MARKS[told]}</i>'


def _cut(texts: Sequence[str], most: int, lang: str) -> str:
    """As many of the texts as there is room for, and how many more there are; they are HTML already."""
    listed = message("list_joint", lang).join(texts[:most])
    more = len(texts) - most
    return message("say_and_more", lang, names=listed, n=more) if more > 0 else listed


def _name(row: Any, lang: str) -> str:
    return escape(indicator_name(row.indicator, lang))


# --- what stands ------------------------------------------------------------------------------------------


def _counts(latest: pd.DataFrame, state: State, across: bool, lang: str) -> str:
    """How many indicators have each status, and how much of the plan that is."""
    found = latest["told"].value_counts()
    counts = [
        f"<li>{_mark(told, lang)} <b>{found[told]}</b> {escape(judgement_names(lang)[told])}</li>"
        for told in MARKS
        if told in found
    ]
    planned = state.targets[state.targets["role"] == "target"]
    judged = latest["status"] != "no_judgement"
    values = {
        "total": len(planned[_PAIR].drop_duplicates()),
        "judged": int(judged.sum()),
        "missing": int((latest["told"] == "not_reported").sum()),
        "none": int((latest["told"] == "no_judgement").sum()),
        "regions": latest.loc[judged, "region"].nunique(),
        "present": planned["region"].nunique(),
    }
    key = "brief_coverage_all" if across else "brief_coverage"
    return f'<ul class="counts">{"".join(counts)}</ul><p class="note">{escape(message(key, lang, **values))}</p>'


def _domains(latest: pd.DataFrame, state: State, lang: str) -> str:
    """Every indicator of a county with its mark, by domain; those without a known direction are counted."""
    turned = state.changes[state.changes["change"].isin(_TURNS)].set_index("indicator")["change"]
    rows = []
    for domain, own in latest.groupby("domain", sort=False):
        told = own[own["reason"] != "direction_unknown"]
        tiles = [_tile(row, str(turned.get(row.indicator, "")), state.now, lang) for row in told.itertuples()]
        if unknown := len(own) - len(told):
            tiles.append(f"<li>{_mark('no_judgement', lang)} {escape(message('brief_unknown', lang, n=unknown))}</li>")
        rows.append(f"<li><b>{escape(domain_name(str(domain), lang))}</b><ul>{''.join(tiles)}</ul></li>")
    return f'<ul class="standing">{"".join(rows)}</ul>'


def _tile(row: Any, turn: str, now: str, lang: str) -> str:
    """An indicator with its mark, how it turned, and what else one must know: its earlier period, why no judgement."""
    notes = [judgement_names(lang)[row.reason]] if row.told == "no_judgement" else []
    if row.status != row.status_judged:
        notes.append(f"{period_text(row.period_judged, lang)} {judgement_names(lang)[row.status_judged]}")
    elif row.period != now:
        notes.append(period_text(row.period, lang))
    arrow = (
        f'<i class="{turn}" role="img" aria-label="{escape(message(f"brief_{turn}", lang))}">{_TURNS[turn]}</i>'
        if turn
        else ""
    )
    noted = f"<small>{escape(' '.join(notes))}</small>" if notes else ""
    return f"<li>{' '.join(filter(None, [_mark(row.told, lang), _name(row, lang), arrow, noted]))}</li>"


def _places(latest: pd.DataFrame, state: State, lang: str) -> str:
    """The counts of each county, or of each city where there are too many, in the order of their codes."""
    places = latest["region"].drop_duplicates()
    pooled = len(places) > _ROWS
    frames = {
        "told": latest,
        "change": state.changes[state.changes["change"].isin(_TURNS)],
        "status": state.items[state.items["status"] == "open"].drop_duplicates(_PAIR),
    }
    counts = [
        frame.assign(place=frame["region"].map(region_parent) if pooled else frame["region"])
        .groupby(["place", column]).size().unstack(fill_value=0)
        for column, frame in frames.items()
    ]  # fmt: skip
    table = pd.concat(counts, axis=1).fillna(0).astype(int).sort_index()
    heads = {told: judgement_names(lang)[told] for told in MARKS if told in table}
    heads |= {name: message(f"brief_{name}", lang) for name in _TURNS}
    heads["open"] = message("brief_items", lang)
    shown = table.reindex(columns=list(heads), fill_value=0).rename(
        columns={name: head[:1].upper() + head[1:] for name, head in heads.items()}
    )
    shown.insert(0, message("brief_place", lang), [region_name(str(code), lang) for code in shown.index])
    return render_table(shown, message("brief_cities" if pooled else "brief_counties", lang))


# --- what changed -----------------------------------------------------------------------------------------


def _changes(state: State, across: bool, lang: str) -> str:
    found = {str(kind): rows for kind, rows in state.changes.groupby("change", sort=False)}
    if not found:
        return f"<p>{escape(message('brief_no_change', lang))}</p>"
    parts = []
    if new := len(found.get("reported", ())):
        parts.append((message("brief_reported", lang), new, ""))
    for kind in _SAID:
        if kind in found:
            rows = found[kind]
            names = _tallied(rows, lang) if across else [_changed(row, lang) for row in rows.itertuples()]
            parts.append((message(f"brief_{kind}", lang), len(rows), _cut(names, _NAMES, lang)))
    shown = (f"<dt>{escape(name)} <b>{n}</b></dt><dd>{names}</dd>" for name, n, names in parts)
    return f"<dl>{''.join(shown)}</dl>"


def _tallied(rows: pd.DataFrame, lang: str) -> list[str]:
    """The indicators of changes in many counties, the most frequent first, with their numbers."""
    return [f"{escape(indicator_name(code, lang))} {len(own)}" for code, own in _most_first(rows)]


def _most_first(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    groups = rows.groupby("indicator", sort=False)
    return sorted(((str(code), own) for code, own in groups), key=lambda group: -len(group[1]))


def _changed(row: Any, lang: str) -> str:
    """One change in a few words: an indicator, and from what to what."""
    when = {name: escape(period_text(getattr(row, name), lang)) for name in ("period", "period_before")
            if getattr(row, name)}  # fmt: skip
    values = {name: escape(printed_text(getattr(row, name), lang)) for name in ("actual_before", "actual_raw")}
    values |= {name: escape(judgement_names(lang)[code]) for name in ("status_before", "status")
               if (code := getattr(row, name))}  # fmt: skip
    return message(f"brief_{row.change}_is", lang, name=_name(row, lang), **when, **values)


# --- what is open -----------------------------------------------------------------------------------------


def _still_open(items: pd.DataFrame) -> pd.DataFrame:
    """One row per indicator: its last open item, with the first period that was missed and still is."""
    rows = items[items["status"] == "open"]
    ends = {label: period.due for label in rows["opened"].unique() if (period := parse_period(label))}
    rows = rows.assign(due=rows["opened"].map(ends)).sort_values([*_PAIR, "due"], kind="stable")
    since = rows.groupby(_PAIR)["opened"].transform("first")
    rows = rows.assign(since=since, first=since.map(ends)).drop_duplicates(_PAIR, keep="last")
    return rows.sort_values(["first", "region"], kind="stable")


def _open(state: State, lang: str) -> str:
    """A county's open items, the oldest first, with who owns them."""
    rows = _still_open(state.items)
    if rows.empty:
        return f"<p>{escape(message('brief_nothing_open', lang))}</p>"
    shown = []
    for row in rows.head(_ITEMS).itertuples():
        asked = row.target_raw if row.opened.isdigit() else number_text(row.required)
        unit = value_unit(row.indicator, row.unit, lang)
        values = {
            "since": period_text(row.since, lang),
            "when": period_text(row.latest_period, lang),
            "latest": printed_text(row.latest, lang),
            "asked": printed_text(asked, lang),
            "unit": unit,
            "gap": number_text(abs(row.gap)),
        }
        said = message("brief_item" if unit else "brief_item_state", lang, **values)
        owner = row.department or message("brief_no_owner", lang)
        shown.append(f"<li><b>{_name(row, lang)}</b> <span>{escape(said)}</span> <em>{escape(owner)}</em></li>")
    return f'<ol class="items">{"".join(shown)}</ol>{_more(len(rows) - _ITEMS, lang)}'


def _open_across(state: State, lang: str) -> str:
    """The open items of all counties by indicator, those of most counties first, and whose they are."""
    rows = _still_open(state.items).sort_values("region", kind="stable")
    if rows.empty:
        return f"<p>{escape(message('brief_nothing_open', lang))}</p>"
    return _by_indicator(rows, lang)


def _by_indicator(rows: pd.DataFrame, lang: str) -> str:
    """In how many counties, and in which, each indicator is so; of many counties, in how many of each city."""
    many = rows["region"].nunique() > _ROWS
    shown = []
    for code, own in _most_first(rows):
        places = own["region"].map(region_parent).value_counts() if many else own["region"].value_counts()
        names = [escape(region_name(str(place), lang)) + f" {n}" * many for place, n in places.items()]
        name = escape(indicator_name(code, lang))
        shown.append(f"<li><b>{name} {len(own)}</b> <span>{_cut(names, _NAMES, lang)}</span></li>")
    return f'<ol class="items">{"".join(shown[:_ITEMS])}</ol>{_more(len(shown) - _ITEMS, lang)}'


def _more(n: int, lang: str) -> str:
    return f'<p class="note">{escape(message("brief_more", lang, n=n))}</p>' if n > 0 else ""


def _silent(latest: pd.DataFrame, across: bool, lang: str) -> str:
    """What is due and not reported: whose it is, or in how many counties."""
    rows = latest[latest["told"] == "not_reported"]
    if rows.empty:
        return ""
    names = _tallied(rows, lang) if across else [_owed(row, lang) for row in rows.itertuples()]
    return f"<p>{message('brief_silent', lang, n=len(rows), names=_cut(names, _NAMES, lang))}</p>"


def _owed(row: Any, lang: str) -> str:
    name = _name(row, lang)
    return message("brief_owner", lang, name=name, owner=escape(row.department)) if row.department else name


# --- what is due next -------------------------------------------------------------------------------------


def _due(state: State, across: bool, lang: str) -> str:
    """The targets of the next year-end: how many the latest values meet already, and which they do not."""
    rows = state.due[state.due["reason"] != "no_target"]
    if rows.empty:
        return f"<p>{escape(message('brief_nothing_due', lang))}</p>"
    left = rows[rows["status"].isin(["behind", "worse_than_baseline"])]
    counts = {"n": len(rows), "met": int((rows["status"] == "achieved").sum()), "left": len(left)}
    counts["none"] = counts["n"] - counts["met"] - counts["left"]
    period = period_text(rows["period"].iloc[0], lang)
    key = "brief_due_all" if across else "brief_due_is"
    lead = f"<p>{escape(message(key, lang, period=period, **counts))}</p>"
    if left.empty:
        return lead
    if across:
        shown = [f"<li>{text}</li>" for text in _tallied(left, lang)]
        return f'{lead}<ul class="due">{"".join(shown[:_DUE])}</ul>{_more(len(shown) - _DUE, lang)}'
    shown = [
        f"<li>{_name(row, lang)} {escape(printed_text(row.actual_raw, lang))} → "
        f"<b>{escape(printed_text(row.target_raw, lang))}</b> "
        f"<small>{escape(value_unit(row.indicator, row.unit, lang))}</small></li>"
        for row in left.itertuples()
    ]
    return f'{lead}<ul class="due">{"".join(shown[:_DUE])}</ul>{_more(len(shown) - _DUE, lang)}'
