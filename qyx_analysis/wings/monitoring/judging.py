"""Actual values against the targets: what is met, on the path or behind, who ranks where, and what is left open.

A year-end value is judged against the target of its year, a quarter or month against the straight line between
the two year-ends around it, never against the full year. ``judgements.csv`` has the closed list of statuses and
reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qyx_analysis import catalogue, names
from qyx_analysis.measures.panel import EPS, Floats
from qyx_analysis.tidy.meaning import BOUNDS, OPEN, WORDS, with_meaning
from qyx_analysis.tidy.reading import typed
from qyx_analysis.wings.monitoring.reading import parse_period

PAIR = ["region", "indicator"]
MET = ("achieved", "on_path")
UNMET = ("behind", "worse_than_baseline")
_ENTRY = ["nature", "direction", "lower", "upper"]
_NO_NUMBER = ("words", "several")  # kinds of a target that nothing reported can be compared with


def monitoring(
    targets: pd.DataFrame,
    actuals: pd.DataFrame,
    as_of: object = None,
    governance: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Judge actual values against the planned targets.

    Parameters
    ----------
    targets : DataFrame
        As ``load_targets`` gives it.
    actuals : DataFrame
        As ``load_actuals`` gives it; of several reports of one value the last one counts.
    as_of : str or date, optional
        Judge as on this day (``2025-06-30`` or a period such as ``2025Q2``): later values are left out, and what
        was due by then and has no value is ``not_reported``. Otherwise the end of the latest period reported.
    governance : DataFrame, optional
        As ``load_governance`` gives it: the lead department of a domain, where a row names none.

    Returns
    -------
    DataFrame
        One row per region, indicator and period that is reported or due; see ``monitoring`` in ``docs/data.md``.
        Every target year is due at its end. A quarter or month is due for an indicator once any region reports it.
        ``required`` is what the value is judged against; ``gap`` is signed so that above 0 is better, in ``unit``;
        ``pace_needed`` is the improvement a year from here to the final target, ``pace_planned`` what the plan has
        for the same time. Periods that end on one day are one (``2024Q4`` is ``2024``).

    Raises
    ------
    ValueError
        When ``as_of`` is neither a day nor a period.

    Notes
    -----
    A target is met as printed: a bound by its sign, an exact number from its good side, a range from its committed
    end. What the catalogue has no direction for is not judged (``direction_unknown``). ``worse_than_baseline`` is
    said only beyond the rounding of the printed baseline; ``unresolved`` flags a number that the rounding of the
    actual value could carry across.

    Examples
    --------
    >>> targets = pd.DataFrame({"region": "330213", "indicator": "premature_mortality", "number": 11, "domain": "",
    ...     "department": "", "year": [2022, 2023], "role": ["baseline", "target"], "raw": ["9.5", "9.1"],
    ...     "kind": "point", "operator": "=", "value": [9.5, 9.1], "unit": "%", "resolution": 0.1, "state": np.nan})
    >>> actuals = pd.DataFrame({"region": "330213", "indicator": "premature_mortality", "period": ["2023Q2", "2023"],
    ...     "number": 11, "year": 2023, "due": ["2023-06-30", "2023-12-31"], "raw": ["9.3", "9.2"], "unit": "%",
    ...     "kind": "point", "operator": "=", "value": [9.3, 9.2], "resolution": 0.1, "state": np.nan, "source": "",
    ...     "revision": 1, "current": True, "synthetic": True, "document": "", "locator": ""})
    >>> monitoring(targets, actuals)[["period", "required", "actual", "status", "flags"]].values.tolist()
    [['2023Q2', 9.3, 9.3, 'on_path', 'synthetic'], ['2023', 9.1, 9.2, 'behind', 'synthetic']]
    """
    current = actuals[actuals["current"]]
    until = last_day(as_of) if as_of is not None else current["due"].max()
    if targets.empty or not isinstance(until, str):  # nothing is planned; or nothing reported, and no day given
        return typed(pd.DataFrame(), "monitoring")
    entries = names.indicators_of(targets).rename(columns={"code": "indicator"})
    planned = _planned(targets, governance, entries)
    reported = _reported(current[current["due"] <= until], entries)
    rows = pd.concat([reported, _owed(planned, reported, until)], ignore_index=True)
    rows = rows.merge(planned, on=[*PAIR, "year"], how="left", validate="many_to_one")
    rows = _named(rows, targets, entries)
    rows["period"] = _periods(rows["due"])
    rows = names.in_order(rows.assign(**_judged(rows)), ["region", "indicator", "due"])
    return typed(rows, "monitoring").reset_index(drop=True)


def last_day(as_of: object) -> str:
    """The last day that counts, as text; ISO days sort like days. Raises ValueError for what is no day or period.

    >>> last_day("2025Q2")
    '2025-06-30'
    """
    text = as_of.isoformat()[:10] if isinstance(as_of, date) else str(as_of).strip()
    period = parse_period(text)
    try:
        return period.due if period else date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"as_of {text!r} is neither a day such as 2025-06-30 nor a period such as 2025Q2") from None


def _periods(due: pd.Series) -> pd.Series:
    """The coarsest period that ends on a day: the year, else the quarter, else the month."""
    year, month = due.str[:4], due.str[5:7].astype(int)
    quarter = year + "Q" + (month // 3).astype(str)
    return due.str[:7].mask(month % 3 == 0, quarter).mask(month == 12, year)


def common_periods(rows: pd.DataFrame) -> list[str]:
    """Give the periods, in order of time, that are due for at least half as many rows as any period is.

    ``rows``: as :func:`monitoring` or :func:`rankings` gives them. Of these one may say who stands where; a month
    that one office reports, of one indicator, is not the state of affairs.

    >>> common_periods(pd.DataFrame({"period": ["2025-01", "2024Q2", "2024Q2", "2024", "2024", "2024"]}))
    ['2024Q2', '2024']
    """
    weight = rows["total"] if "total" in rows else pd.Series(1, rows.index)
    size = weight.groupby(rows["period"]).sum()
    return sorted(size.index[size * 2 >= size.max()], key=period_end)


def period_end(period: str) -> str:
    """The last day of a period as :func:`monitoring` names it: what periods of all lengths are ordered by.

    >>> period_end("2024Q2")
    '2024-06-30'
    """
    known = parse_period(period)
    return known.due if known else period


# --- what is planned, what is reported --------------------------------------------------------------------


def _with_numbers(frame: pd.DataFrame, name: str, entries: pd.DataFrame) -> pd.DataFrame:
    """Add what is known of the indicator, and as ``name`` the number that a cell means."""
    rows = frame.merge(entries[["indicator", *_ENTRY]], on="indicator", how="left", validate="many_to_one")
    meant = with_meaning(frame, entries.rename(columns={"indicator": "code"}))["meant"]
    return rows.assign(**{name: meant.to_numpy()})


def _planned(targets: pd.DataFrame, governance: pd.DataFrame | None, entries: pd.DataFrame) -> pd.DataFrame:
    """One row per region, indicator and target year, with the year-end before, the baseline and the final target."""
    rows = _with_numbers(targets, "target", entries).sort_values([*PAIR, "year"], kind="stable", ignore_index=True)
    pair = [rows["region"], rows["indicator"]]
    highest = rows.groupby(PAIR, sort=False)["target"].cummax().groupby(pair, sort=False).shift()
    below = rows["target"] < highest - rows["resolution"].fillna(0) / 2 - EPS
    rows["falls"] = (rows["nature"] == "cumulative") & below
    rows["ever_falls"] = rows["falls"].groupby(pair, sort=False).transform("any")
    before = rows[[*PAIR, "year", "target"]].rename(columns={"target": "before"})
    rows = rows.merge(before.assign(year=before["year"] + 1), on=[*PAIR, "year"], how="left", validate="one_to_one")
    base = rows[(rows["role"] == "baseline") & ~rows["kind"].isin(OPEN)]
    base = base[PAIR].assign(baseline=base["target"], blur=base["resolution"].where(base["kind"] == "point").fillna(0))
    rows = rows.merge(base, on=PAIR, how="left", validate="many_to_one")
    rows = rows[rows["role"] == "target"]
    last = rows.loc[rows.groupby(PAIR)["year"].idxmax(), [*PAIR, "target", "year"]]
    last = last.rename(columns={"target": "final", "year": "final_year"})
    rows = rows.merge(last, on=PAIR, how="left", validate="many_to_one").rename(
        columns={"raw": "target_raw", "kind": "target_kind"}
    )
    columns = ["department", "target_raw", "target_kind", "operator", "target", "before", "baseline", "blur"]
    return owned(rows, governance)[[*PAIR, "year", *columns, "final", "final_year", "falls", "ever_falls"]]


def owned(rows: pd.DataFrame, governance: pd.DataFrame | None) -> pd.DataFrame:
    """Where a row of the targets names no department, put the lead department of its domain.

    >>> rows = pd.DataFrame({"region": "330213", "domain": "病有良医", "department": ["", "医保局"]})
    >>> leads = pd.DataFrame({"region": ["330213"], "scope": "domain", "domain": "病有良医",
    ...     "kind": "lead_department", "department": "区卫生健康局"})
    >>> owned(rows, leads)["department"].tolist()
    ['区卫生健康局', '医保局']
    """
    if governance is None:
        return rows
    leads = governance.query("scope == 'domain' and kind == 'lead_department' and department != ''")
    leads = leads.drop_duplicates(["region", "domain"])[["region", "domain", "department"]]
    lead = rows[["region", "domain"]].merge(leads, on=["region", "domain"], how="left")["department"].fillna("")
    return rows.assign(department=rows["department"].where(rows["department"] != "", lead.to_numpy()))


def _reported(current: pd.DataFrame, entries: pd.DataFrame) -> pd.DataFrame:
    """One value per region, indicator and day; the return of the year before that of the quarter or month."""
    coarsest = current.assign(length=current["period"].str.len()).sort_values("length", kind="stable")
    rows = _with_numbers(coarsest.drop_duplicates([*PAIR, "due"]), "actual", entries).rename(
        columns={"raw": "actual_raw", "kind": "actual_kind", "operator": "actual_operator"}
    )
    rows = rows.rename(columns={"unit": "reported_unit"})
    columns = ["actual_raw", "actual_kind", "actual_operator", "actual", "resolution", "reported_unit"]
    return rows[[*PAIR, "year", "due", *columns, "revision", "synthetic", "source", "document", "locator"]]


def _owed(planned: pd.DataFrame, reported: pd.DataFrame, until: str) -> pd.DataFrame:
    """What is due by a day and not reported: every year-end, and what others report within the year."""
    keys = [*PAIR, "year"]
    ends = planned[keys].assign(due=planned["year"].astype(str) + "-12-31")
    within = reported.loc[~reported["due"].str.endswith("-12-31"), ["indicator", "year", "due"]].drop_duplicates()
    owed = pd.concat([ends, planned[keys].merge(within, on=["indicator", "year"])], ignore_index=True)
    owed = owed[owed["due"] <= until].merge(reported[[*PAIR, "due"]], on=[*PAIR, "due"], how="left", indicator=True)
    return owed.loc[owed["_merge"] == "left_only", [*keys, "due"]].assign(
        actual_raw="", actual_kind="", actual_operator="", synthetic=False
    )


def _named(rows: pd.DataFrame, targets: pd.DataFrame, entries: pd.DataFrame) -> pd.DataFrame:
    """Number, domain, unit and what else is known of each row: the region's own domain and unit come first."""
    rows = rows.merge(entries[["indicator", "number", "domain", "unit", *_ENTRY]], on="indicator", how="left")
    own = targets.drop_duplicates(PAIR)[[*PAIR, "domain", "unit"]]
    rows = rows.merge(own, on=PAIR, how="left", suffixes=("_known", ""))
    for column in ("domain", "unit"):
        rows[column] = rows[column].fillna(rows[f"{column}_known"])
    rows["unit"] = rows["unit"].fillna(rows["reported_unit"])  # of what no plan has a row for
    return rows


# --- the judgement ----------------------------------------------------------------------------------------


def _judged(rows: pd.DataFrame) -> dict[str, Any]:
    """The computed columns of :func:`monitoring`."""
    better = rows["direction"].to_numpy(float)
    actual, target = rows["actual"].to_numpy(float), rows["target"].to_numpy(float)
    baseline, resolution = rows["baseline"].to_numpy(float), rows["resolution"].to_numpy(float)
    is_state = (rows["nature"] == "state").to_numpy()
    year_end = rows["due"].str.endswith("-12-31").to_numpy()
    path = _path(rows)
    required = np.where(year_end | np.isnan(path) | (better * (path - target) > EPS), target, path)
    strict = rows["operator"].isin(["<", ">"]).to_numpy() & (np.abs(required - target) <= EPS)
    surely, possibly = _meets(rows, required, strict)
    both_full = ((rows["target_kind"] == "full_coverage") & (rows["actual_kind"] == "full_coverage")).to_numpy()
    met = surely | both_full
    best = np.where(possibly & ~surely, np.nan, better * actual)
    below = best - better * baseline < -rows["blur"].to_numpy(float) / 2 - EPS
    not_due = is_state & (target == 0) & (actual == 0)
    reasons = _reasons(rows, {
        "words": ~both_full & (np.isnan(target) | np.isnan(actual)),
        "no_path": np.isnan(path) & ~year_end & ~met,
        "open_bound": possibly & ~surely,
    })  # fmt: skip
    reason = np.select([mask for _, mask in reasons], [name for name, _ in reasons], "")
    statuses = {
        "no_judgement": reason != "",
        "achieved": met & year_end & ~not_due,
        "on_path": met,
        "worse_than_baseline": below,
    }
    status = np.select(list(statuses.values()), list(statuses), "behind")
    judged = status != "no_judgement"
    number = judged & ~is_state & ~both_full
    off = np.abs(actual - required)
    flags = {
        "bounded": judged & (rows["target_kind"].isin(OPEN) | rows["actual_kind"].isin(BOUNDS)).to_numpy(),
        "from_text": judged & (rows["target_kind"].isin(WORDS) | rows["actual_kind"].isin(WORDS)).to_numpy(),
        "non_monotone": rows["ever_falls"].eq(True).to_numpy(),
        "unresolved": number & (off > EPS) & (off < resolution / 2 - EPS),
        "weaker": judged & (better * (target - baseline) < -EPS),
        "synthetic": rows["synthetic"].eq(True).to_numpy(),
        "revised": (rows["revision"].fillna(1) > 1).to_numpy(),
        "year_reached": (status == "on_path")
        & ~not_due
        & ~(np.abs(path - target) <= EPS)
        & _meets(rows, target, _strict(rows))[0],
        "below_baseline": met & judged & below,
    }
    needed, planned = _paces(rows, np.where(year_end, target, path))
    return {
        "required": np.where(judged & ~both_full, required, np.nan),
        "gap": np.where(number, (better * (actual - required)).round(10) + 0.0, np.nan),
        "status": status,
        "reason": reason,
        "flags": joined(flags),
        "pace_needed": needed,
        "pace_planned": planned,
    }


def _path(rows: pd.DataFrame) -> Floats:
    """Where the plan stands on a day: on the straight line between two year-ends; a state is due at the end only."""
    share = rows["due"].str[5:7].astype(int).to_numpy() / 12
    before, target = rows["before"].to_numpy(float), rows["target"].to_numpy(float)
    line = ((1 - share) * before + share * target).round(10)
    return np.where(rows["nature"] == "state", np.where(share < 1, np.minimum(before, target), target), line)


def _strict(rows: pd.DataFrame) -> NDArray[np.bool_]:
    return rows["operator"].isin(["<", ">"]).to_numpy()


def _meets(rows: pd.DataFrame, required: Floats, strict: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], ...]:
    """Whether the actual value surely and possibly meets a number: one that is a bound is read at both its ends."""
    better = rows["direction"].to_numpy(float)
    actual, sign = rows["actual"].to_numpy(float), rows["actual_operator"]
    low = np.where(sign.isin(["<", "<="]), rows["lower"].fillna(-np.inf), actual)
    high = np.where(sign.isin([">", ">="]), rows["upper"].fillna(np.inf), actual)
    worst, best = np.where(better > 0, low, high), np.where(better > 0, high, low)
    with np.errstate(invalid="ignore"):  # no direction times an open end
        surely, possibly = better * (worst - required), better * (best - required)
    own = sign.isin(["<", ">"]).to_numpy()  # over 95 is over 95
    return (
        (surely > EPS) | ((np.abs(surely) <= EPS) & (~strict | own)),
        (possibly > EPS) | ((np.abs(possibly) <= EPS) & ~strict),
    )


def _reasons(rows: pd.DataFrame, found: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Why nothing is judged, in order of precedence: first what the plan lacks, then what the report lacks."""
    kind, actual_kind = rows["target_kind"], rows["actual_kind"]
    against = np.where(rows["direction"] > 0, "upper_bound", "lower_bound")
    return [
        ("no_target", kind.isna()),
        ("reference", kind == "reference"),
        ("missing", kind == "missing"),
        ("words", kind.isin(_NO_NUMBER)),
        ("unreadable", (kind == "unreadable") | (kind.isin(["point", *OPEN]) & rows["target"].isna())),
        ("no_direction", rows["direction"] == 0),
        ("direction_unknown", rows["direction"].isna()),
        ("open_target", kind == against),
        ("non_monotone", rows["falls"].eq(True)),
        ("not_reported", actual_kind == ""),
        ("withdrawn", actual_kind == "missing"),
        *found.items(),
    ]


def _paces(rows: pd.DataFrame, planned: Floats) -> tuple[Floats, Floats]:
    """Improvement a year to the final target: from the actual value, and from where the plan stands on that day."""
    years = rows["final_year"].to_numpy(float) - rows["year"] + 1 - rows["due"].str[5:7].astype(int) / 12
    aimless = ~(rows["direction"].abs() > 0)
    silent = (rows["nature"] == "state") | rows["ever_falls"].eq(True) | aimless | (years < EPS)
    years = years.mask(silent).to_numpy(float)
    left = rows["direction"].to_numpy(float) / years
    final = rows["final"].to_numpy(float)
    needed, ahead = left * (final - rows["actual"].to_numpy(float)), left * (final - planned)
    return needed.round(10) + 0.0, np.where(np.isnan(needed), np.nan, ahead.round(10) + 0.0)


def joined(masks: Mapping[str, Any]) -> Any:
    """The names of the true masks of each row, joined by semicolons.

    >>> joined({"a": np.array([True, True]), "b": np.array([False, True])}).tolist()
    ['a', 'a;b']
    """
    texts = pd.Series("", index=range(len(next(iter(masks.values())))))
    for name, mask in masks.items():
        texts = texts.mask(np.asarray(mask, dtype=bool), texts + ";" + name)
    return texts.str.removeprefix(";").to_numpy()


# --- who ranks where --------------------------------------------------------------------------------------


def rankings(monitored: pd.DataFrame) -> pd.DataFrame:
    """Rank counties, cities, domains and departments by the share of what is judged that is met or on the path.

    Parameters
    ----------
    monitored : DataFrame
        As :func:`monitoring` gives it.

    Returns
    -------
    DataFrame
        One row per period, kind (``by``), ``scope`` and ``group``; see ``rankings`` in ``docs/data.md``. Counties,
        cities (their counties pooled) and domains are ranked over all counties, domains and departments also
        within one region (``scope``). ``share_lo`` and ``share_hi`` say how far what is not reported could move
        the share. Ranks are competition ranks: equal shares share the better one. ``rank_best`` and
        ``rank_worst`` are the range of the rank when each indicator in turn is left out of all groups.

    Notes
    -----
    Read a rank with its coverage: ``judged`` of ``total``, and ``not_reported``. Two groups whose ranges of ranks
    overlap are not to be ordered in words. Every row weighs the same. The bounds of the share are those of Manski
    (*Partial Identification of Probability Distributions*, 2003).

    Examples
    --------
    >>> monitored = pd.DataFrame({"region": ["330213", "330213", "330282", "330282"], "period": "2023",
    ...     "indicator": ["a", "b", "a", "b"], "domain": "x", "department": "", "flags": "", "reason": "",
    ...     "status": ["achieved", "achieved", "achieved", "behind"]})
    >>> table = rankings(monitored).query("by == 'county'")
    >>> table[["group", "share", "rank", "rank_best", "rank_worst"]].values.tolist()
    [['330213', 1.0, 1, 1, 1], ['330282', 0.5, 2, 1, 2]]
    """
    places = catalogue.regions().set_index("code")
    rows = monitored.assign(
        met=monitored["status"].isin(MET),
        judged=monitored["status"] != "no_judgement",
        not_reported=monitored["reason"] == "not_reported",
        synthetic=monitored["flags"].str.contains("synthetic"),
        **{status: monitored["status"] == status for status in (*MET, *UNMET)},
    )
    counties = rows[rows["region"].map(places["level"]) == "county"]
    views = [
        counties.assign(by="county", scope="", group=counties["region"]),
        counties.assign(by="city", scope="", group=counties["region"].map(places["parent"])),
        counties.assign(by="domain", scope="", group=counties["domain"]),
        rows.assign(by="domain", scope=rows["region"], group=rows["domain"]),
        rows.assign(by="department", scope=rows["region"], group=rows["department"]),
    ]
    table = pd.concat(views, ignore_index=True)
    table = table[table["group"] != ""]
    field, each = ["period", "by", "scope"], ["period", "by", "scope", "group"]
    counted = ["judged", *MET, *UNMET, "not_reported", "met", "synthetic"]
    groups = table.groupby(each, as_index=False).agg(total=("met", "size"), **{name: (name, "sum") for name in counted})
    groups["not_judgeable"] = groups["total"] - groups["judged"] - groups["not_reported"]
    groups["share"] = groups["met"] / groups["judged"].where(groups["judged"] > 0)
    known = (groups["judged"] + groups["not_reported"]).where(lambda count: count > 0)
    groups["share_lo"] = groups["met"] / known
    groups["share_hi"] = (groups["met"] + groups["not_reported"]) / known
    groups["rank"] = _ranks(groups, field)
    groups["tied"] = groups.groupby([*field, "rank"])["group"].transform("size").where(groups["rank"].notna())
    groups["n"] = groups.groupby(field)["rank"].transform("count")
    groups = groups.merge(_stability(table, groups, field), on=each, how="left", validate="one_to_one")
    groups["flags"] = joined({"partly_reported": groups["not_reported"] > 0, "synthetic": groups["synthetic"] > 0})
    groups["by"] = pd.Categorical(groups["by"], ["county", "city", "domain", "department"])
    groups = groups.sort_values([*field, "rank", "group"], kind="stable").astype({"by": str})
    return typed(groups, "rankings").reset_index(drop=True)


def _ranks(groups: pd.DataFrame, field: list[str]) -> pd.Series:
    """Competition ranks by share, best first; shares that differ by binary noise are equal."""
    return groups.assign(share=groups["share"].round(10)).groupby(field)["share"].rank(method="min", ascending=False)


def _stability(table: pd.DataFrame, groups: pd.DataFrame, field: list[str]) -> pd.DataFrame:
    """The best and the worst rank of each group with all indicators, and with each one left out of all groups."""
    each = [*field, "group"]
    own = table.groupby([*each, "indicator"], as_index=False)[["met", "judged"]].sum()
    without = groups[[*each, "met", "judged"]].merge(table[[*field, "indicator"]].drop_duplicates(), on=field)
    without = without.merge(own, on=[*each, "indicator"], how="left", suffixes=("", "_out"))
    judged = without["judged"] - without["judged_out"].fillna(0)
    without["share"] = (without["met"] - without["met_out"].fillna(0)) / judged.where(judged > 0)
    without["rank"] = _ranks(without, [*field, "indicator"])
    without = pd.concat([without, groups[[*each, "rank"]]])
    return without.groupby(each, as_index=False).agg(rank_best=("rank", "min"), rank_worst=("rank", "max"))


# --- what is left open ------------------------------------------------------------------------------------


def open_items(monitored: pd.DataFrame) -> pd.DataFrame:
    """List what was missed, with its owner, and what has been made good since.

    Parameters
    ----------
    monitored : DataFrame
        As :func:`monitoring` gives it.

    Returns
    -------
    DataFrame
        One row per region, indicator and period that is behind or worse than the baseline; see ``open_items`` in
        ``docs/data.md``. An item is closed by the first later actual value that meets what was missed, be the
        target of its own period met or not; ``latest`` and ``gap`` tell how far the last value is from it.

    Examples
    --------
    >>> monitored = pd.DataFrame({"region": "330213", "indicator": "nursery_places", "number": 1, "domain": "",
    ...     "department": "", "period": ["2023", "2024"], "due": ["2023-12-31", "2024-12-31"], "target_raw": "",
    ...     "operator": "=", "target": [4.0, 4.5], "required": [4.0, 4.5], "actual_raw": ["3.9", "4.2"],
    ...     "actual_operator": "=", "actual": [3.9, 4.2], "unit": "个", "status": "behind", "flags": ""})
    >>> open_items(monitored)[["opened", "status", "closed", "gap"]].values.tolist()
    [['2024', 'open', '', -0.3], ['2023', 'closed', '2024', 0.2]]
    """
    known = catalogue.indicators().rename(columns={"code": "indicator"})[["indicator", "direction", "lower", "upper"]]
    items = monitored[monitored["status"].isin(UNMET)].rename(columns={"period": "opened"})
    if items.empty:
        return typed(pd.DataFrame(), "open_items")
    items = items.reset_index(drop=True).rename_axis("item").reset_index()
    reports = monitored.loc[monitored["actual"].notna(), [*PAIR, "due", "period", "actual_raw", "actual"]].assign(
        actual_operator=monitored["actual_operator"]
    )
    own = ["item", *PAIR, "opened", "due", "operator", "target", "required"]
    pairs = items[own].merge(reports, on=PAIR, suffixes=("", "_later")).merge(known, on="indicator", how="left")
    pairs = pairs[pairs["due_later"] >= pairs["due"]].sort_values(["item", "due_later"], kind="stable")
    required = pairs["required"].to_numpy(float)
    strict = _strict(pairs) & (np.abs(required - pairs["target"]).to_numpy(float) <= EPS)
    pairs["gap"] = (pairs["direction"] * (pairs["actual"] - required)).round(10) + 0.0
    closing = pairs[_meets(pairs, required, strict)[0]].drop_duplicates("item").set_index("item")
    last = pairs.drop_duplicates("item", keep="last").set_index("item")
    items["closed"] = closing["period"].astype(object).reindex(items["item"], fill_value="").to_numpy()
    items["status"] = np.where(items["closed"] == "", "open", "closed")
    for name, column in (("latest", "actual_raw"), ("latest_period", "period"), ("gap", "gap")):
        items[name] = last[column].reindex(items["item"]).to_numpy()
    order = names.in_order(items.assign(closes=items["status"] == "closed"), ["closes", "region", "indicator", "due"])
    return typed(order, "open_items").reset_index(drop=True)
