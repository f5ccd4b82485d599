"""What a meeting asks of the monitoring: what changed since the last period, what stands, what is due next."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qyx_analysis import names
from qyx_analysis.measures.panel import EPS
from qyx_analysis.wings.monitoring.judging import MET, PAIR, keep_coarsest, keep_last, last_day, monitoring, open_items

CHANGES = ("reported", "corrected", "withdrawn", "better", "worse", "opened", "closed", "dropped")
_LEVEL = {"worse_than_baseline": 0, "behind": 1} | dict.fromkeys(MET, 2)
_THEN = ("", "_then")
_ITEM = [*PAIR, "opened"]
_VALUE = ["actual_raw", "actual_unit"]
_ABOUT = ["number", "domain", "department", "unit", "flags"]
_COLUMNS = [
    *(*PAIR, "number", "domain", "department", "change", "period", "actual_raw", "actual_unit", "status"),
    *("period_before", "actual_before", "unit_before", "status_before", "unit", "flags"),
]


def known_before(actuals: pd.DataFrame, as_of: object = None) -> tuple[pd.DataFrame, str]:
    """Give the actual values as they stood before the latest period was reported.

    Parameters
    ----------
    actuals : DataFrame
        As ``load_actuals(history=True)`` gives it, with what later reports replaced.
    as_of : str or date, optional
        As in :func:`monitoring`: later values are left out.

    Returns
    -------
    tuple of DataFrame and str
        The rows of ``actuals`` that were known, each with the report that then counted as ``current``; and the period
        before the latest one, of those that any region reports. No rows and an empty text where there is only one.

    Raises
    ------
    ValueError
        When ``as_of`` is neither a day nor a period.

    Notes
    -----
    Forms do not say when they came, but they are read in the order of their names. A form of a region is new if it
    has a value of the latest period or comes after the last form that has; what it says of earlier periods is late
    or a correction. Where all forms of a region are new, as with one file that grows, nothing tells when an earlier
    value came: its first report counts as known.

    Examples
    --------
    >>> actuals = pd.DataFrame({"region": "330213", "indicator": "nursery_places", "due": ["2023-12-31"] * 2 +
    ...     ["2024-12-31"], "period": ["2023", "2023", "2024"], "raw": ["3.8", "4.1", "4.6"], "revision": [1, 2, 1],
    ...     "current": [False, True, True], "document": ["a.csv", "b.csv", "b.csv"]})
    >>> known, period = known_before(actuals)
    >>> known[["period", "raw", "current"]].values.tolist(), period
    ([['2023', '3.8', True]], '2023')
    """
    rows = actuals if as_of is None else actuals[actuals["due"] <= last_day(as_of)]
    days = sorted(rows["due"].unique())
    if len(days) < 2:
        return actuals.iloc[:0], ""
    latest, day = days[-1], days[-2]
    region = rows["region"]
    reports_it = (rows["due"] == latest).groupby([region, rows["document"]]).transform("any")
    last_form = rows["document"].where(reports_it).dropna().groupby(region).max()
    new = reports_it | (rows["document"] > region.map(last_form).fillna("\U0010ffff"))
    one_pile = new.groupby(region).transform("all") & (rows["revision"] == 1)
    known = rows[(~new | one_pile) & (rows["due"] <= day)]
    counts = known["revision"] == known.groupby([*PAIR, "period"])["revision"].transform("max")
    return known.assign(current=counts), min(rows.loc[rows["due"] == day, "period"], key=len)


def changes(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """List what is different between two states of the monitoring.

    Parameters
    ----------
    now, before : DataFrame
        As :func:`monitoring` gives them, ``before`` of an earlier day: with the values of :func:`known_before`, or of
        an older build.

    Returns
    -------
    DataFrame
        One row per ``change`` of a ``region`` and ``indicator``, with ``number, domain, department, unit, flags``:

        - ``reported``: ``period`` has a value now and had none; ``corrected``: it had another one;
          ``withdrawn``: it has none any more. ``actual_raw`` and ``actual_before`` are the values as stated, in
          ``actual_unit`` and ``unit_before``.
        - ``better``, ``worse``: the last judged value is on another level than the last one then (worse than the
          baseline, behind, or met; on the path and achieved are one), from ``period_before`` to ``period``.
        - ``opened``: what ``period`` missed is open now and was not. ``closed``: what ``period_before`` missed was
          open, and the value of ``period`` makes it good, or a correction of it does. ``dropped``: it was open and is
          no longer judged.

        ``status`` and ``status_before`` are those of the two periods.

    Notes
    -----
    A row may appear with several changes: a new value that turns for the better and closes an item has three. An
    item that opened and closed between the two states has none.

    Examples
    --------
    >>> row = {"region": "330213", "indicator": "nursery_places", "number": 1, "domain": "", "department": "",
    ...     "target_raw": "", "operator": "=", "actual_operator": "=", "unit": "个", "reason": "", "flags": "",
    ...     "actual_unit": "个", "pace_whole": 0.4}
    >>> before = pd.DataFrame([row | {"period": "2023", "due": "2023-12-31", "target": 4.0, "required": 4.0,
    ...     "actual_raw": "3.9", "actual": 3.9, "status": "behind"}])
    >>> now = pd.concat([before, pd.DataFrame([row | {"period": "2024", "due": "2024-12-31", "target": 4.5,
    ...     "required": 4.5, "actual_raw": "4.6", "actual": 4.6, "status": "achieved"}])], ignore_index=True)
    >>> changes(now, before)[["change", "period", "actual_raw", "period_before", "actual_before"]].values.tolist()
    [['reported', '2024', '4.6', '', ''], ['better', '2024', '4.6', '2023', '3.9'], \
['closed', '2024', '4.6', '2023', '3.9']]
    """
    parts = [compare(now, before) for compare in (_compare_values, _compare_levels, _compare_items)]
    found = pd.concat([part[_COLUMNS].astype(object) for part in parts], ignore_index=True)
    texts = found.columns.difference(["number"])
    found[texts] = found[texts].fillna("")
    found = found.assign(order=found["change"].map(CHANGES.index)).astype({"number": "Int64"})
    found = names.in_order(found, ["region", "indicator", "order", "period", "period_before"])
    return found[_COLUMNS].reset_index(drop=True)


def _compare_values(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    keys, own = [*PAIR, "due"], ["period", *_VALUE, "actual", "actual_operator", "status", *_ABOUT]
    said = [frame[(frame["actual_raw"] != "") & (frame["reason"] != "withdrawn")] for frame in (now, before)]
    both = said[0][[*keys, *own]].merge(said[1][[*keys, *own]], on=keys, how="outer", suffixes=_THEN, indicator=True)
    for column in ("period", *_ABOUT):
        both[column] = both[column].where(both["_merge"] != "right_only", both[f"{column}_then"])
    kind = both["_merge"].astype(str).map({"left_only": "reported", "right_only": "withdrawn"})
    both["change"] = kind.fillna("corrected").mask((both["_merge"] == "both") & _says_the_same(both))
    both["period_then"] = both["period"].where(both["_merge"] != "left_only")
    return _as_changes(both.dropna(subset="change"))


def _says_the_same(both: pd.DataFrame) -> pd.Series:
    """Whether two reports state one value: the same number and sign, or without a number the same words."""
    number, then = both["actual"].astype(float), both["actual_then"].astype(float)
    equal = ((number - then).abs() <= EPS) & (both["actual_operator"] == both["actual_operator_then"])
    return equal | (number.isna() & then.isna() & (both["actual_raw"] == both["actual_raw_then"]))


def _compare_levels(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Indicators whose last judged value is on another level; one that only lost its last value did not turn."""
    last = [latest_status(frame).query("status in @_LEVEL") for frame in (now, before)]
    then = last[1][[*PAIR, "due", "period", *_VALUE, "status"]]
    both = last[0].merge(then, on=PAIR, suffixes=_THEN).query("due >= due_then")
    step = both["status"].map(_LEVEL).astype(float) - both["status_then"].map(_LEVEL).astype(float)
    return _as_changes(both.assign(change=np.where(step > 0, "better", "worse"))[step != 0])


def _compare_items(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    items, then = open_items(now), open_items(before).query("status == 'open'")
    values = now[[*PAIR, "period", *_VALUE, "status"]]
    return pd.concat([_find_opened(items, then, values), _find_gone(items, then, values, before)], ignore_index=True)


def _find_opened(items: pd.DataFrame, then: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    still = items.query("status == 'open'").merge(then[_ITEM], on=_ITEM, how="left", indicator="known")
    new = still[still["known"] == "left_only"].drop(columns=[*_VALUE, "status"])
    new = new.rename(columns={"opened": "period"}).merge(values, on=[*PAIR, "period"])
    return _as_changes(new.assign(change="opened"))


def _find_gone(items: pd.DataFrame, then: pd.DataFrame, values: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """What was open and is not: closed by a later value or a correction of its own, else no longer judged."""
    ended = items[[*_ITEM, "status", "closed"]].rename(columns={"status": "ended"})
    gone = then.rename(columns={name: f"{name}_then" for name in _VALUE}).drop(columns=["status", "closed"])
    gone = gone.merge(ended, on=_ITEM, how="left").query("ended != 'open'")
    gone = gone.assign(period=gone["closed"].fillna(gone["opened"]), period_then=gone["opened"])
    gone = gone.merge(values, on=[*PAIR, "period"], how="left")
    made_good = (gone["ended"] == "closed") | gone["status"].isin(MET)
    statuses = before[[*PAIR, "period", "status"]].rename(columns={"period": "period_then", "status": "status_then"})
    gone = gone.assign(change=np.where(made_good, "closed", "dropped"))
    return _as_changes(gone.merge(statuses, on=[*PAIR, "period_then"], how="left"))


def _as_changes(rows: pd.DataFrame) -> pd.DataFrame:
    called = {"period_then": "period_before", "actual_raw_then": "actual_before", "actual_unit_then": "unit_before"}
    called |= {"status_then": "status_before"}
    return rows.rename(columns=called).reindex(columns=_COLUMNS)


def latest_status(monitored: pd.DataFrame) -> pd.DataFrame:
    """Give the last judged row of each region and indicator, or where none is judged the last one."""
    rows = keep_last(monitored, monitored["status"] != "no_judgement")
    return names.in_order(rows, ["region", "indicator"]).reset_index(drop=True)


def due_next(
    targets: pd.DataFrame, actuals: pd.DataFrame, as_of: object = None, governance: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Judge the latest actual values against the targets of the next year-end: what is there, what is still to do.

    Parameters
    ----------
    targets, actuals, as_of, governance
        As in :func:`monitoring`.

    Returns
    -------
    DataFrame
        Rows of :func:`monitoring` for the first year-end after ``as_of`` (else after the latest period) that has
        targets, as if every value stayed as it is: ``achieved`` needs only to be kept, ``behind`` is ``gap`` away.
        No rows where no target is left or nothing is reported.

    Notes
    -----
    This is no forecast. A cumulative number that has yet to grow is rightly still to do.

    Examples
    --------
    >>> targets = pd.DataFrame({"region": "330213", "indicator": "premature_mortality", "number": 11, "domain": "",
    ...     "department": "", "year": [2022, 2023, 2024], "role": ["baseline", "target", "target"],
    ...     "raw": ["9.5", "9.1", "9"], "kind": "point", "operator": "=", "value": [9.5, 9.1, 9], "unit": "%",
    ...     "published_unit": "%", "resolution": 0.1, "state": np.nan})
    >>> actuals = pd.DataFrame({"region": "330213", "indicator": "premature_mortality", "period": ["2023"],
    ...     "number": 11, "year": 2023, "due": ["2023-12-31"], "raw": ["9.1"], "unit": "%", "kind": "point",
    ...     "operator": "=", "value": [9.1], "resolution": 0.1, "state": np.nan, "source": "", "revision": 1,
    ...     "published_unit": "%", "current": True, "synthetic": False, "document": "", "locator": ""})
    >>> due_next(targets, actuals)[["period", "required", "actual", "status"]].values.tolist()
    [['2024', 9.0, 9.1, 'behind']]
    """
    current = actuals[actuals["current"]]
    until = last_day(as_of) if as_of is not None else current["due"].max()
    years = targets.loc[targets["role"] == "target", "year"]
    left = years[(years.astype(str) + "-12-31") > until] if isinstance(until, str) else years.iloc[:0]
    if left.empty:
        return monitoring(targets.iloc[:0], actuals)
    year = int(left.min())
    end = f"{year}-12-31"
    held = keep_coarsest(current[(current["due"] <= until) & (current["kind"] != "missing")])
    held = keep_last(held, held["current"])
    rows = monitoring(targets, held.assign(period=str(year), year=year, due=end), end, governance)
    return rows[rows["due"] == end].reset_index(drop=True)
