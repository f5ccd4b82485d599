"""The frames of monitoring that a notebook works on, and the one-page briefing for a meeting that it shows of them.

The lists of a briefing are cut to what one page holds, and say how many more there are. All text is escaped.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from qyx_analysis.catalogue import message
from qyx_analysis.catalogue.wording import literal, printed_text
from qyx_analysis.names import domain_name, indicator_name, judgement_names, region_name, region_parent, value_unit
from qyx_analysis.notebook.desk import load_once, stamp
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.texts.html import render_table
from qyx_analysis.wings.monitoring.changes import changes, due_next, known_before, latest_status
from qyx_analysis.wings.monitoring.forms import period_text
from qyx_analysis.wings.monitoring.judging import (
    MISSING,
    PAIR,
    UNMET,
    common_periods,
    last_day,
    monitoring,
    open_items,
    rankings,
    told_status,
)
from qyx_analysis.wings.monitoring.texts import (
    count_texts,
    cut_list,
    gap_text,
    name_indicators,
    pace_time,
    tell_required,
    value_text,
)

if TYPE_CHECKING:
    from qyx_analysis.notebook.desk import Desk

MARKS = {
    "achieved": "●", "on_path": "▲", "behind": "▼", "worse_than_baseline": "×", "not_reported": "○",
    "no_judgement": "–",
}  # fmt: skip
_TURNS = {"better": "↑", "worse": "↓"}
_SAID = ("better", "worse", "opened", "closed", "corrected", "withdrawn", "dropped")  # changes that are named
_NAMES, _ITEMS, _DUE, _ROWS = 4, 10, 15, 12  # what a page has room for: names in a list, open items, targets, counties


@dataclass(frozen=True)
class Delivery:
    """What the regions of a desk reported, judged as of a day or period; empty: the latest reported."""

    desk: Desk
    as_of: str

    @cached_property
    def actuals(self) -> pd.DataFrame:
        """The reported values, with those that a later report replaced; without rows where the build has none."""
        rows = self.desk.choose(_actuals(self.desk.folder))
        return rows[rows["due"] <= last_day(self.as_of)].reset_index(drop=True) if self.as_of else rows

    @cached_property
    def monitoring(self) -> pd.DataFrame:
        """Judged in the whole build: what is due hangs on all who report, whomever a county is compared with."""
        return self.desk.choose(_monitored(*self._which))

    @cached_property
    def period(self) -> str:
        """The last period of which one may say who stands where; empty where nothing is reported."""
        return next(reversed(common_periods(self.monitoring)), "")

    @cached_property
    def rankings(self) -> pd.DataFrame:
        return rankings(self.monitoring)

    @cached_property
    def open_items(self) -> pd.DataFrame:
        return open_items(self.monitoring)

    @cached_property
    def changes(self) -> pd.DataFrame:
        """What changed since the period before the latest: see :func:`qyx_analysis.changes`."""
        return self.desk.choose(_compared(*self._which)[0])

    @cached_property
    def compared_periods(self) -> tuple[str, str]:
        """The latest period and the one that ``changes`` looks back to, or nothing: the same for all counties."""
        return _compared(*self._which)[1:]

    @cached_property
    def due_next(self) -> pd.DataFrame:
        return self.desk.choose(_due_next(*self._which))

    @property
    def _which(self) -> tuple[Path, object, str]:
        return self.desk.folder, stamp(self.desk.folder), self.as_of


def open_delivery(desk: Desk, as_of: object = "") -> Delivery:
    """Judge what the regions of a desk reported."""
    try:
        last_day(as_of or "2022")
    except ValueError as error:
        raise DataError(Problem("as_of_unknown", "as_of", text=str(as_of))) from error
    return Delivery(desk, str(as_of))


def show_briefing(delivery: Delivery) -> None:
    """Display the briefing of a county, or of all; raises DataError without actual values."""
    from IPython.display import HTML, Markdown, display

    desk = delivery.desk
    if delivery.actuals.empty:
        raise DataError(Problem("actuals_missing", "actuals.csv"))
    frames = desk.targets, delivery.monitoring, delivery.open_items, delivery.changes, delivery.due_next
    display(Markdown(f"# {literal(briefing_title(desk.region, desk.lang))}"))
    display(HTML(briefing_html(State(*frames, *delivery.compared_periods), desk.region, desk.lang)))


def warm_desk(desk: Desk, notebook: str, parameters: Mapping[str, Any]) -> None:
    """Compute what the reports of one run share: the judgements of the whole build, and what briefings add."""
    delivery = open_delivery(desk, parameters.get("as_of", ""))
    _ = delivery.monitoring
    if notebook == "briefing.ipynb":
        _ = delivery.changes, delivery.due_next


def _actuals(folder: Path) -> pd.DataFrame:
    return load_once(folder, "actuals").astype({"year": int, "revision": int})


def load_governance(folder: Path) -> pd.DataFrame | None:
    """The table of lead departments of a build; nothing where the wing that reads them is out."""
    return load_once(folder, "governance") if (folder / "governance.csv").is_file() else None


@lru_cache(maxsize=2)
def _monitored(folder: Path, _: object, as_of: str) -> pd.DataFrame:
    actuals = _actuals(folder)
    governance = load_governance(folder) if as_of or len(actuals) else None
    return monitoring(load_once(folder, "targets"), actuals, as_of or None, governance)


@lru_cache(maxsize=2)
def _compared(folder: Path, stamp: object, as_of: str) -> tuple[pd.DataFrame, str, str]:
    """The changes in a whole build from the period before the latest to the latest, and these two periods."""
    known, period = known_before(_actuals(folder), as_of or None)
    before = monitoring(load_once(folder, "targets"), known, period or None, load_governance(folder))
    now = _monitored(folder, stamp, as_of)
    return changes(now, before), now.loc[now["due"].idxmax(), "period"], period


@lru_cache(maxsize=2)
def _due_next(folder: Path, _: object, as_of: str) -> pd.DataFrame:
    return due_next(load_once(folder, "targets"), _actuals(folder), as_of or None, load_governance(folder))


# --- the briefing -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class State:
    """What a briefing speaks of: the frames of the monitoring, and the two periods that it compares."""

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
    """What the briefing of a county, or with an empty ``region`` that of all, is called."""
    if not region:
        return message("brief_title_all", lang)
    return message("brief_title", lang, region=region_name(region, lang))


def briefing_html(state: State, region: str, lang: str) -> str:
    """Render the briefing of a county, or with an empty ``region`` that of all counties of ``state``."""
    counties = state.targets.loc[state.targets["level"] == "county", "region"].unique()
    state = state.of([region] if region else counties)
    latest = _find_latest(state.monitored)
    across = not region
    stands = _show_places(latest, state, lang) if across else _show_domains(latest, state, lang)
    sections = {
        "now": _show_counts(latest, state, across, lang) + stands,
        "changes": _show_changes(state, across, lang),
        "open_all" if across else "open": _show_open(state, across, lang) + _show_missing(latest, across, lang),
        "due": _show_due(state, across, lang),
    }
    parts = [f"<section><h2>{_say(f'brief_{name}', lang)}</h2>{body}</section>" for name, body in sections.items()]
    body = "".join([_show_lead(state, lang), *parts])
    return f'<section class="briefing" aria-label="{_say("brief_kind", lang)}">{body}</section>'


def _show_lead(state: State, lang: str) -> str:
    """That some values are synthetic, if so; and of which period the page is, compared with which."""
    made_up = state.monitored["flags"].str.contains("synthetic").any()
    warning = f'<p class="made-up" role="note">{_say("brief_synthetic", lang)}</p>' * bool(made_up)
    when = {"now": period_text(state.now, lang), "before": period_text(state.before, lang) if state.before else ""}
    return f"{warning}<p>{_say('brief_since' if state.before else 'brief_first', lang, **when)}</p>"


def _find_latest(monitored: pd.DataFrame) -> pd.DataFrame:
    """The row of each indicator that was due last, with what is ``told`` of it and the last judgement before it."""
    planned = monitored[monitored["reason"] != "no_target"]
    last = planned.sort_values("due", kind="stable").drop_duplicates(PAIR, keep="last")
    rows = last.merge(latest_status(planned)[[*PAIR, "period", "status"]], on=PAIR, suffixes=("", "_judged"))
    return rows.assign(told=told_status(rows))


def _say(key: str, lang: str, **values: Any) -> str:
    return escape(message(key, lang, **values))


def _mark(told: str, lang: str) -> str:
    return f'<i class="{told}" role="img" aria-label="{escape(judgement_names(lang)[told])}">{MARKS[told]}</i>'


def _mark_turn(turn: str, lang: str) -> str:
    return f'<i class="{turn}" role="img" aria-label="{_say(f"brief_{turn}", lang)}">{_TURNS[turn]}</i>'


def _name(row: Any, lang: str) -> str:
    return escape(indicator_name(row.indicator, lang))


def _count_indicators(rows: pd.DataFrame, lang: str) -> list[str]:
    return [escape(text) for text in count_texts(name_indicators(rows, lang))]


def _from_to(before: str, unit_before: str, now: str, unit: str, row: Any, lang: str) -> list[str]:
    """Two values with their units; one that both have stands behind the second alone."""
    first, second = value_text(before, unit_before, row, lang), value_text(now, unit, row, lang)
    first = before if unit == unit_before and second != now else first
    return [escape(printed_text(text, lang)) for text in (first, second)]


def _show_list(items: list[str], most: int, tag: str, kind: str, lang: str) -> str:
    more = len(items) - most
    note = f'<p class="note">{_say("brief_more", lang, n=more)}</p>' if more > 0 else ""
    return f'<{tag} class="{kind}">{"".join(f"<li>{item}</li>" for item in items[:most])}</{tag}>{note}'


# --- what stands ------------------------------------------------------------------------------------------


def _show_counts(latest: pd.DataFrame, state: State, across: bool, lang: str) -> str:
    found = latest["told"].value_counts()
    counts = [
        f"<li>{_mark(told, lang)} <b>{found[told]}</b> {escape(judgement_names(lang)[told])}</li>"
        for told in MARKS
        if told in found
    ]
    planned = state.targets[state.targets["role"] == "target"]
    judged = latest["status"] != "no_judgement"
    values = {
        "total": len(planned[PAIR].drop_duplicates()),
        "judged": int(judged.sum()),
        "missing": found.get(MISSING, 0),
        "none": found.get("no_judgement", 0),
        "regions": latest.loc[judged, "region"].nunique(),
        "present": planned["region"].nunique(),
    }
    covered = _say("brief_coverage_all" if across else "brief_coverage", lang, **values)
    return f'<ul class="counts">{"".join(counts)}</ul><p class="note">{covered}</p>'


def _show_domains(latest: pd.DataFrame, state: State, lang: str) -> str:
    """Every indicator of a county with its mark, by domain; those without a known direction are counted."""
    turned = state.changes[state.changes["change"].isin(_TURNS)].set_index("indicator")["change"]
    rows = []
    for domain, own in latest.groupby("domain", sort=False):
        told = own[own["reason"] != "direction_unknown"]
        tiles = [_show_tile(row, str(turned.get(row.indicator, "")), state.now, lang) for row in told.itertuples()]
        if unknown := len(own) - len(told):
            tiles.append(f"<li>{_mark('no_judgement', lang)} {_say('brief_unknown', lang, n=unknown)}</li>")
        rows.append(f"<li><b>{escape(domain_name(str(domain), lang))}</b><ul>{''.join(tiles)}</ul></li>")
    return f'<ul class="standing">{"".join(rows)}</ul>'


def _show_tile(row: Any, turn: str, now: str, lang: str) -> str:
    """An indicator with its mark, how it turned, and what else one must know: its earlier period, why no judgement."""
    notes = [judgement_names(lang)[row.reason]] if row.told == "no_judgement" else []
    if row.status != row.status_judged:
        notes.append(f"{period_text(row.period_judged, lang)} {judgement_names(lang)[row.status_judged]}")
    elif row.period != now:
        notes.append(period_text(row.period, lang))
    arrow = _mark_turn(turn, lang) if turn else ""
    noted = f"<small>{escape(' '.join(notes))}</small>" if notes else ""
    return f"<li>{' '.join(filter(None, [_mark(row.told, lang), _name(row, lang), arrow, noted]))}</li>"


def _show_places(latest: pd.DataFrame, state: State, lang: str) -> str:
    """The counts of each county, or of each city where there are too many, in the order of their codes."""
    places = latest["region"].drop_duplicates()
    pooled = len(places) > _ROWS
    frames = {
        "told": latest,
        "change": state.changes[state.changes["change"].isin(_TURNS)],
        "status": state.items[state.items["status"] == "open"].drop_duplicates(PAIR),
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


def _show_changes(state: State, across: bool, lang: str) -> str:
    found = {str(kind): rows for kind, rows in state.changes.groupby("change", sort=False)}
    if not found:
        return f"<p>{_say('brief_no_change', lang)}</p>"
    shown = []
    for kind in ("reported", *_SAID):
        if kind in found:
            listed = _list_changes(found[kind], across, lang) if kind in _SAID else ""
            shown.append(f"<dt>{_say(f'brief_{kind}', lang)} <b>{len(found[kind])}</b></dt><dd>{listed}</dd>")
    return f"<dl>{''.join(shown)}</dl>"


def _list_changes(rows: pd.DataFrame, across: bool, lang: str) -> str:
    texts = _count_indicators(rows, lang) if across else [_tell_change(row, lang) for row in rows.itertuples()]
    return cut_list(texts, _NAMES, lang)


def _tell_change(row: Any, lang: str) -> str:
    when = {name: escape(period_text(getattr(row, name), lang)) for name in ("period", "period_before")
            if getattr(row, name)}  # fmt: skip
    before, now = _from_to(row.actual_before, row.unit_before, row.actual_raw, row.actual_unit, row, lang)
    values = {"actual_before": before, "actual_raw": now}
    values |= {name: escape(judgement_names(lang)[code]) for name in ("status_before", "status")
               if (code := getattr(row, name))}  # fmt: skip
    return message(f"brief_{row.change}_is", lang, name=_name(row, lang), **when, **values)


# --- what is open -----------------------------------------------------------------------------------------


def _find_open(items: pd.DataFrame) -> pd.DataFrame:
    """One row per indicator: its last open item, with the first period that was missed and still is."""
    rows = items[items["status"] == "open"]
    rows = rows.assign(due=rows["opened"].map(last_day)).sort_values([*PAIR, "due"], kind="stable")
    rows = rows.assign(since=rows.groupby(PAIR)["opened"].transform("first")).drop_duplicates(PAIR, keep="last")
    return rows.assign(first=rows["since"].map(last_day)).sort_values(["first", "region"], kind="stable")


def _show_open(state: State, across: bool, lang: str) -> str:
    """A county's open items, the oldest first, with who owns them; those of all counties by indicator."""
    rows = _find_open(state.items)
    if rows.empty:
        return f"<p>{_say('brief_nothing_open', lang)}</p>"
    shown = _count_open(rows, lang) if across else [_tell_item(row, lang) for row in rows.itertuples()]
    return _show_list(shown, _ITEMS, "ol", "items", lang)


def _tell_item(row: Any, lang: str) -> str:
    values = {
        "since": period_text(row.since, lang),
        "when": period_text(row.latest_period, lang),
        "latest": printed_text(value_text(row.latest, row.latest_unit, row, lang), lang),
        "asked": tell_required(row, row.opened, lang, brief=True),
    }
    if pd.isna(row.gap) or not value_unit(row.indicator, row.unit, lang):
        said = _say("brief_item_state", lang, **values)
    else:
        said = _say("brief_item", lang, gap=gap_text(row, lang), **values)
    owner = escape(row.department) or _say("brief_no_owner", lang)
    return f"<b>{_name(row, lang)}</b> <span>{said}</span> <em>{owner}</em>"


def _count_open(rows: pd.DataFrame, lang: str) -> list[str]:
    """In which counties each indicator is open, or of many in how many of each city."""
    rows = rows.sort_values("region", kind="stable")
    many = rows["region"].nunique() > _ROWS
    places = rows["region"].map(region_parent) if many else rows["region"]
    rows = rows.assign(place=[region_name(code, lang) for code in places])
    shown = []
    for code, n in rows["indicator"].value_counts().items():
        own = rows.loc[rows["indicator"] == code, "place"]
        names = [escape(text) for text in (count_texts(own) if many else own)]
        name = escape(indicator_name(str(code), lang))
        shown.append(f"<b>{name} {n}</b> <span>{cut_list(names, _NAMES, lang)}</span>")
    return shown


def _show_missing(latest: pd.DataFrame, across: bool, lang: str) -> str:
    rows = latest[latest["told"] == MISSING]
    if rows.empty:
        return ""
    names = _count_indicators(rows, lang) if across else [_tell_owner(row, lang) for row in rows.itertuples()]
    return f"<p>{message('brief_silent', lang, n=len(rows), names=cut_list(names, _NAMES, lang))}</p>"


def _tell_owner(row: Any, lang: str) -> str:
    name = _name(row, lang)
    return message("brief_owner", lang, name=name, owner=escape(row.department)) if row.department else name


# --- what is due next -------------------------------------------------------------------------------------


def _show_due(state: State, across: bool, lang: str) -> str:
    rows = state.due[state.due["reason"] != "no_target"]
    if rows.empty:
        return f"<p>{_say('brief_nothing_due', lang)}</p>"
    left = rows[rows["status"].isin(UNMET)]
    counts = {"n": len(rows), "met": int((rows["status"] == "achieved").sum()), "left": len(left)}
    counts["none"] = counts["n"] - counts["met"] - counts["left"]
    period = period_text(rows["period"].iloc[0], lang)
    lead = _say("brief_due_all" if across else "brief_due_is", lang, period=period, **counts)
    timed = not across and left["gap_days"].notna().any()
    lead = f"<p>{lead}{_say('brief_due_time', lang) * bool(timed)}</p>"
    if left.empty:
        return lead
    shown = _count_indicators(left, lang) if across else [_tell_aim(row, lang) for row in left.itertuples()]
    return lead + _show_list(shown, _DUE, "ul", "due", lang)


def _tell_aim(row: Any, lang: str) -> str:
    value, target = _from_to(row.actual_raw, row.actual_unit, row.target_raw, row.target_unit, row, lang)
    time = pace_time(row, lang)
    short = f" <small>{escape(time)}</small>" if time else ""
    return f"{_name(row, lang)} {value} → <b>{target}</b>{short}"
