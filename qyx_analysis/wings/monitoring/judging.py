"""Actual values against the targets: what is met, on the path or behind, who ranks where, and what is left open.

A year-end value is judged against the target of its year, a quarter or month against the straight line between
the two year-ends around it, never against the full year. ``judgements.csv`` has the closed list of statuses and
reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from qyx_analysis import catalogue, names
from qyx_analysis.measures.panel import EPS
from qyx_analysis.tidy.meaning import BOUNDS, OPEN, WORDS, with_meaning
from qyx_analysis.tidy.reading import typed
from qyx_analysis.wings.monitoring.forms import find_owners, parse_period

PAIR = ["region", "indicator"]
MET = ("achieved", "on_path")
UNMET = ("behind", "worse_than_baseline")
MISSING = "not_reported"
_YEAR_END = "-12-31"
_NO_NUMBER = ("words", "several")  # kinds of a target that nothing reported can be compared with
_FACTS = ["nature", "direction", "lower", "upper"]  # what is known of an indicator


def monitoring(
    targets: pd.DataFrame, actuals: pd.DataFrame, as_of: object = None, governance: pd.DataFrame | None = None
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
        Every target year is due at its end. A quarter or month is due for an indicator once more than half of the
        regions that plan it report it: one that reports of its own accord makes no other overdue.
        ``required`` is what the value is judged against; ``gap`` is signed so that above 0 is better, in ``unit``, and
        ``gap_days`` says it as days of ``pace_whole``, the yearly improvement of the whole plan, where it has one;
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
    ...     "kind": "point", "operator": "=", "value": [9.5, 9.1], "unit": "%", "published_unit": "%",
    ...     "resolution": 0.1, "state": np.nan})
    >>> actuals = pd.DataFrame({"region": "330213", "indicator": "premature_mortality", "period": ["2023Q2", "2023"],
    ...     "number": 11, "year": 2023, "due": ["2023-06-30", "2023-12-31"], "raw": ["9.3", "9.2"], "unit": "%",
    ...     "kind": "point", "operator": "=", "value": [9.3, 9.2], "resolution": 0.1, "state": np.nan, "source": "",
    ...     "published_unit": "%", "revision": 1, "current": True, "synthetic": True, "document": "", "locator": ""})
    >>> monitoring(targets, actuals)[["period", "required", "actual", "status", "flags"]].values.tolist()
    [['2023Q2', 9.3, 9.3, 'on_path', 'synthetic'], ['2023', 9.1, 9.2, 'behind', 'synthetic']]
    """
    current = actuals[actuals["current"]]
    until = last_day(as_of) if as_of is not None else current["due"].max()
    if targets.empty or not isinstance(until, str):  # nothing is planned; or nothing reported, and no day given
        return typed(pd.DataFrame(), "monitoring")
    entries = names.indicators_of(targets).rename(columns={"code": "indicator"})
    planned = _align_targets(targets, governance, entries)
    reported = _align_actuals(current[current["due"] <= until], entries)
    rows = pd.concat([reported, _find_owed(planned, reported, until)], ignore_index=True)
    rows = rows.merge(planned, on=[*PAIR, "year"], how="left", validate="many_to_one")
    rows = _judge(_describe(rows, targets, entries))
    return typed(names.in_order(rows, ["region", "indicator", "due"]), "monitoring").reset_index(drop=True)


# --- periods ----------------------------------------------------------------------------------------------


def last_day(as_of: object) -> str:
    """The last day that counts, as text; ISO days sort like days. Raises ValueError for what is no day or period."""
    text = as_of.isoformat()[:10] if isinstance(as_of, date) else str(as_of).strip()
    period = parse_period(text)
    try:
        return period.due if period else date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"as_of {text!r} is neither a day such as 2025-06-30 nor a period such as 2025Q2") from None


def _name_periods(due: pd.Series) -> pd.Series:
    """The coarsest period that ends on a day: the year, else the quarter, else the month."""
    year, month = due.str[:4], due.str[5:7].astype(int)
    quarter = year + "Q" + (month // 3).astype(str)
    return due.str[:7].mask(month % 3 == 0, quarter).mask(month == 12, year)


def common_periods(rows: pd.DataFrame) -> list[str]:
    """Give the periods, in order of time, that are due for at least half as many rows as any period is."""
    weight = rows["total"] if "total" in rows else pd.Series(1, rows.index)
    size = weight.groupby(rows["period"]).sum()
    return sorted(size.index[size * 2 >= size.max()], key=last_day)


# --- which row of several counts --------------------------------------------------------------------------


def keep_coarsest(actuals: pd.DataFrame) -> pd.DataFrame:
    """Of periods that end on one day keep the coarsest: the return of the year counts before that of its last month."""
    by_length = actuals.assign(length=actuals["period"].str.len()).sort_values("length", kind="stable")
    return by_length.drop_duplicates([*PAIR, "due"]).drop(columns="length")


def keep_last(rows: pd.DataFrame, rather: pd.Series) -> pd.DataFrame:
    """Keep one row of each region and indicator: the last one of which ``rather`` is true, else the last one."""
    order = rows.assign(rather=rather).sort_values(["rather", "due"], kind="stable")
    return order.drop_duplicates(PAIR, keep="last").drop(columns="rather")


def told_status(monitored: pd.DataFrame) -> pd.Series:
    """The status as readers are told it: that nothing is reported is one of its own, beside other reasons."""
    return monitored["status"].mask(monitored["reason"] == MISSING, MISSING)


# --- what is planned, what is reported --------------------------------------------------------------------


def _read_numbers(cells: pd.DataFrame, entries: pd.DataFrame, name: str) -> pd.DataFrame:
    """Add what is known of the indicator, and as ``name`` the number that a printed or reported cell stands for."""
    rows = cells.merge(entries[["indicator", *_FACTS]], on="indicator", how="left", validate="many_to_one")
    meant = with_meaning(cells, entries.rename(columns={"indicator": "code"}))["meant"]
    return rows.assign(**{name: meant.to_numpy()})


def _align_targets(targets: pd.DataFrame, governance: pd.DataFrame | None, entries: pd.DataFrame) -> pd.DataFrame:
    """One row per region, indicator and target year, with the year-end before, the baseline and the final target."""
    rows = _mark_falls(_read_numbers(targets, entries, "target"))
    before = rows[[*PAIR, "year", "target"]].rename(columns={"target": "before"})
    base = rows[(rows["role"] == "baseline") & ~rows["kind"].isin(OPEN)]
    base = base[PAIR].assign(baseline=base["target"], blur=base["resolution"].where(base["kind"] == "point").fillna(0))
    aims = rows[rows["role"] == "target"]
    last = aims.loc[aims.groupby(PAIR)["year"].idxmax(), [*PAIR, "target", "year"]]
    last = last.rename(columns={"target": "final", "year": "final_year"})
    first = rows.dropna(subset="target").drop_duplicates(PAIR)[[*PAIR, "target", "year"]]
    first = first.rename(columns={"target": "first", "year": "first_year"})
    aims = aims.merge(before.assign(year=before["year"] + 1), on=[*PAIR, "year"], how="left", validate="one_to_one")
    aims = aims.merge(base, on=PAIR, how="left", validate="many_to_one")
    aims = aims.merge(last, on=PAIR, how="left", validate="many_to_one")
    aims = aims.merge(first, on=PAIR, how="left", validate="many_to_one")
    called = {"raw": "target_raw", "kind": "target_kind", "published_unit": "target_unit"}
    aims = find_owners(aims.rename(columns=called), governance)
    columns = ["department", "target_raw", "target_unit", "target_kind", "operator", "target", "before", "baseline"]
    ends = ["first", "first_year", "final", "final_year"]
    return aims[[*PAIR, "year", *columns, "blur", *ends, "falls", "ever_falls"]]


def _mark_falls(rows: pd.DataFrame) -> pd.DataFrame:
    """Mark where a cumulative number is planned to fall by more than rounding; ``ever_falls``: in any year."""
    rows = rows.sort_values([*PAIR, "year"], kind="stable", ignore_index=True)
    pair = [rows["region"], rows["indicator"]]
    highest = rows.groupby(PAIR, sort=False)["target"].cummax().groupby(pair, sort=False).shift()
    below = rows["target"] < highest - rows["resolution"].fillna(0) / 2 - EPS
    rows["falls"] = (rows["nature"] == "cumulative") & below
    rows["ever_falls"] = rows["falls"].groupby(pair, sort=False).transform("any")
    return rows


def _align_actuals(current: pd.DataFrame, entries: pd.DataFrame) -> pd.DataFrame:
    called = {"raw": "actual_raw", "kind": "actual_kind", "operator": "actual_operator", "unit": "reported_unit"}
    called |= {"published_unit": "actual_unit"}
    rows = _read_numbers(keep_coarsest(current), entries, "actual").rename(columns=called)
    columns = [*called.values(), "actual", "resolution"]
    return rows[[*PAIR, "year", "due", *columns, "revision", "synthetic", "source", "document", "locator"]]


def _find_owed(planned: pd.DataFrame, reported: pd.DataFrame, until: str) -> pd.DataFrame:
    """What is due by a day and not reported: every year-end, and within the year what most who plan it report."""
    keys = [*PAIR, "year"]
    ends = planned[keys].assign(due=planned["year"].astype(str) + _YEAR_END)
    within = reported[~reported["due"].str.endswith(_YEAR_END)].merge(planned[keys], on=keys)
    within = within.value_counts(["indicator", "year", "due"]).rename("reporting").reset_index()
    within = within.merge(planned.value_counts(["indicator", "year"]).rename("planning").reset_index())
    within = within.query("reporting * 2 > planning")[["indicator", "year", "due"]]
    owed = pd.concat([ends, planned[keys].merge(within, on=["indicator", "year"])], ignore_index=True)
    owed = owed[owed["due"] <= until].merge(reported[[*PAIR, "due"]], on=[*PAIR, "due"], how="left", indicator=True)
    return owed.loc[owed["_merge"] == "left_only", [*keys, "due"]].assign(
        actual_raw="", actual_kind="", actual_operator="", synthetic=False
    )


def _describe(rows: pd.DataFrame, targets: pd.DataFrame, entries: pd.DataFrame) -> pd.DataFrame:
    """Name the period, number, domain and unit of each row: the region's own domain and unit come first."""
    rows = rows.merge(entries[["indicator", "number", "domain", "unit", *_FACTS]], on="indicator", how="left")
    own = targets.drop_duplicates(PAIR)[[*PAIR, "domain", "unit"]]
    rows = rows.merge(own, on=PAIR, how="left", suffixes=("_known", ""))
    for column in ("domain", "unit"):
        rows[column] = rows[column].fillna(rows[f"{column}_known"])
    rows["unit"] = rows["unit"].fillna(rows["reported_unit"])  # of what no plan has a row for
    return rows.assign(period=_name_periods(rows["due"]))


# --- the judgement ----------------------------------------------------------------------------------------


def _judge(rows: pd.DataFrame) -> pd.DataFrame:
    numbers = ["actual", "target", "before", "baseline", "blur", "resolution", "direction", "first", "final"]
    numbers += ["first_year", "final_year"]
    rows = rows.astype(dict.fromkeys(numbers, float))
    rows["at_end"], rows["is_state"] = rows["due"].str.endswith(_YEAR_END), rows["nature"] == "state"
    rows["share"] = rows["due"].str[5:7].astype(int) / 12  # of the year that is over
    rows["path"] = _find_path(rows)
    rows["required"] = _find_required(rows)
    rows = _compare(rows)
    rows["reason"] = _find_reasons(rows)
    rows["status"] = _find_statuses(rows)
    rows["judged"] = rows["status"] != "no_judgement"
    rows["numeric"] = rows["judged"] & ~rows["is_state"] & ~rows["both_full"]
    rows["gap"] = _signed(rows["direction"] * (rows["actual"] - rows["required"])).where(rows["numeric"])
    rows["flags"] = join_names(_find_flags(rows))
    rows["pace_needed"], rows["pace_planned"], rows["pace_whole"] = _find_paces(rows)
    rows["gap_days"] = _count_days(rows)
    return rows.assign(required=rows["required"].where(rows["judged"] & ~rows["both_full"]))


def _signed(values: pd.Series) -> pd.Series:
    return values.round(10) + 0.0  # no binary noise, and no negative zero


def _find_path(rows: pd.DataFrame) -> pd.Series:
    """Where the plan stands on a day: on the straight line between two year-ends; a state is due at the end only."""
    line = ((1 - rows["share"]) * rows["before"] + rows["share"] * rows["target"]).round(10)
    lower = pd.Series(np.minimum(rows["before"].to_numpy(), rows["target"].to_numpy()), rows.index)
    return line.mask(rows["is_state"], rows["target"].where(rows["at_end"], lower))


def _find_required(rows: pd.DataFrame) -> pd.Series:
    """The target at a year's end, the path within the year; where the plan weakens, no more than its target."""
    beyond = rows["direction"] * (rows["path"] - rows["target"]) > EPS
    return rows["path"].mask(rows["at_end"] | rows["path"].isna() | beyond, rows["target"])


def _compare(rows: pd.DataFrame) -> pd.DataFrame:
    """Add whether the value meets what is required (``met``), whether that is ``open``, or ``below`` the baseline."""
    surely, possibly = _meet(rows, rows["required"])
    full = (rows["target_kind"] == "full_coverage") & (rows["actual_kind"] == "full_coverage")
    lost = rows["direction"] * (rows["baseline"] - rows["actual"])
    return rows.assign(
        met=surely | full,
        open=possibly & ~surely,
        both_full=full,
        below=(lost > rows["blur"] / 2 + EPS) & ~(possibly & ~surely),
        not_due=rows["is_state"] & (rows["target"] == 0) & (rows["actual"] == 0),
    )


def _meet(rows: pd.DataFrame, required: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Whether the actual value surely and possibly meets a number: one that is a bound is read at both its ends."""
    better, actual, sign = rows["direction"].to_numpy(float), rows["actual"].to_numpy(float), rows["actual_operator"]
    low = np.where(sign.isin(["<", "<="]), rows["lower"].fillna(-np.inf), actual)
    high = np.where(sign.isin([">", ">="]), rows["upper"].fillna(np.inf), actual)
    worst, best = np.where(better > 0, low, high), np.where(better > 0, high, low)
    with np.errstate(invalid="ignore"):  # no direction times an open end
        surely, possibly = better * (worst - required), better * (best - required)
    strict = rows["operator"].isin(["<", ">"]) & _equal(required, rows["target"])
    over = sign.isin(["<", ">"])  # over 95 is over 95
    return (
        (surely > EPS) | ((surely.abs() <= EPS) & (~strict | over)),
        (possibly > EPS) | ((possibly.abs() <= EPS) & ~strict),
    )


def _equal(some: pd.Series, others: pd.Series) -> pd.Series:
    return (some - others).abs() <= EPS


def _find_reasons(rows: pd.DataFrame) -> pd.Series:
    """Why nothing is judged, in order of precedence: first what the plan lacks, then what the report lacks."""
    kind, actual_kind = rows["target_kind"], rows["actual_kind"]
    against = np.where(rows["direction"] > 0, "upper_bound", "lower_bound")
    reasons = [
        ("no_target", kind.isna()),
        ("reference", kind == "reference"),
        ("missing", kind == "missing"),
        ("words", kind.isin(_NO_NUMBER)),
        ("unreadable", (kind == "unreadable") | (kind.isin(["point", *OPEN]) & rows["target"].isna())),
        ("no_direction", rows["direction"] == 0),
        ("direction_unknown", rows["direction"].isna()),
        ("open_target", kind == against),
        ("non_monotone", rows["falls"].eq(True)),
        (MISSING, actual_kind == ""),
        ("withdrawn", actual_kind == "missing"),
        ("words", ~rows["both_full"] & (rows["target"].isna() | rows["actual"].isna())),
        ("no_path", rows["path"].isna() & ~rows["at_end"] & ~rows["met"]),
        ("open_bound", rows["open"]),
    ]
    return _first_true(reasons, "")


def _find_statuses(rows: pd.DataFrame) -> pd.Series:
    statuses = [
        ("no_judgement", rows["reason"] != ""),
        ("achieved", rows["met"] & rows["at_end"] & ~rows["not_due"]),
        ("on_path", rows["met"]),
        ("worse_than_baseline", rows["below"]),
    ]
    return _first_true(statuses, "behind")


def _first_true(masks: list[tuple[str, pd.Series]], default: str) -> pd.Series:
    chosen = np.select([mask for _, mask in masks], [name for name, _ in masks], default)
    return pd.Series(chosen, masks[0][1].index)


def _find_flags(rows: pd.DataFrame) -> dict[str, pd.Series]:
    judged, on_path = rows["judged"], rows["status"] == "on_path"
    off = (rows["actual"] - rows["required"]).abs()
    reached = on_path & ~rows["not_due"] & ~_equal(rows["path"], rows["target"])
    return {
        "bounded": judged & (rows["target_kind"].isin(OPEN) | rows["actual_kind"].isin(BOUNDS)),
        "from_text": judged & (rows["target_kind"].isin(WORDS) | rows["actual_kind"].isin(WORDS)),
        "non_monotone": rows["ever_falls"].eq(True),
        "unresolved": rows["numeric"] & (off > EPS) & (off < rows["resolution"] / 2 - EPS),
        "weaker": judged & (rows["direction"] * (rows["target"] - rows["baseline"]) < -EPS),
        "synthetic": rows["synthetic"].eq(True),
        "revised": rows["revision"].fillna(1) > 1,
        "year_reached": reached & _meet(rows, rows["target"])[0],
        "below_baseline": rows["met"] & judged & rows["below"],
    }


def _find_paces(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Improvement a year to the final target: from the actual value, from where the plan stands, and in all."""
    years = rows["final_year"] - rows["year"] + 1 - rows["share"]
    aimless = ~(rows["direction"].abs() > 0)
    silent = rows["is_state"] | rows["ever_falls"].eq(True) | aimless
    left = rows["direction"] / years.mask(silent | (years < EPS))
    stand = rows["path"].mask(rows["at_end"], rows["target"])
    needed = _signed(left * (rows["final"] - rows["actual"]))
    span = (rows["final_year"] - rows["first_year"]).mask(silent)
    whole = _signed(rows["direction"] * (rows["final"] - rows["first"]) / span.where(span > 0))
    return needed, _signed(left * (rows["final"] - stand)).where(needed.notna()), whole


def _count_days(rows: pd.DataFrame) -> pd.Series:
    """The gap as days of the pace of the whole plan; of a plan that improves nothing there are none."""
    return (365 * rows["gap"] / rows["pace_whole"].where(rows["pace_whole"] > EPS)).round(1)


def join_names(masks: Mapping[str, pd.Series]) -> pd.Series:
    """The names of the true masks of each row, joined by semicolons."""
    texts = pd.Series("", next(iter(masks.values())).index)
    for name, mask in masks.items():
        texts = texts.mask(mask.astype(bool), texts + ";" + name)
    return texts.str.removeprefix(";")


# --- who ranks where --------------------------------------------------------------------------------------

_FIELD = ["period", "by", "scope"]  # within which groups are ranked
_GROUP = [*_FIELD, "group"]


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
    Read a rank with its coverage: ``judged`` of ``total``, and ``not_reported``; with fewer than half of its rows
    judged a group has none. Two groups whose ranges of ranks overlap are not to be ordered in words. Every row weighs
    the same. The bounds of the share are those of Manski (*Partial Identification of Probability Distributions*, 2003).

    Examples
    --------
    >>> monitored = pd.DataFrame({"region": ["330213", "330213", "330282", "330282"], "period": "2023",
    ...     "indicator": ["a", "b", "a", "b"], "domain": "x", "department": "", "flags": "", "reason": "",
    ...     "status": ["achieved", "achieved", "achieved", "behind"]})
    >>> table = rankings(monitored).query("by == 'county'")
    >>> table[["group", "share", "rank", "rank_best", "rank_worst"]].values.tolist()
    [['330213', 1.0, 1, 1, 1], ['330282', 0.5, 2, 1, 2]]
    """
    table = _group_rows(monitored)
    counted = ["judged", *MET, *UNMET, MISSING, "met", "synthetic"]
    groups = table.groupby(_GROUP, as_index=False).agg(
        total=("met", "size"), **{name: (name, "sum") for name in counted}
    )
    groups["not_judgeable"] = groups["total"] - groups["judged"] - groups[MISSING]
    known = (groups["judged"] + groups[MISSING]).where(lambda count: count > 0)
    groups["share"] = groups["met"] / groups["judged"].where(groups["judged"] > 0)
    groups["share_lo"], groups["share_hi"] = groups["met"] / known, (groups["met"] + groups[MISSING]) / known
    groups["covered"] = groups["judged"] * 2 >= groups["total"]
    groups["rank"] = _rank(groups, _FIELD)
    groups["tied"] = groups.groupby([*_FIELD, "rank"])["group"].transform("size").where(groups["rank"].notna())
    groups["n"] = groups.groupby(_FIELD)["rank"].transform("count")
    groups = groups.merge(_find_rank_ranges(table, groups), on=_GROUP, how="left", validate="one_to_one")
    groups["flags"] = join_names({"partly_reported": groups[MISSING] > 0, "synthetic": groups["synthetic"] > 0})
    groups["by"] = pd.Categorical(groups["by"], ["county", "city", "domain", "department"])
    groups = groups.sort_values([*_FIELD, "rank", "group"], kind="stable").astype({"by": str})
    return typed(groups, "rankings").reset_index(drop=True)


def _group_rows(monitored: pd.DataFrame) -> pd.DataFrame:
    """The rows once for each group that they count in, with a column for each thing that is counted."""
    places = catalogue.regions().set_index("code")
    rows = monitored.assign(
        met=monitored["status"].isin(MET),
        judged=monitored["status"] != "no_judgement",
        synthetic=monitored["flags"].str.contains("synthetic"),
        **{status: told_status(monitored) == status for status in (*MET, *UNMET, MISSING)},
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
    return table[table["group"] != ""]


def _rank(groups: pd.DataFrame, field: list[str]) -> pd.Series:
    """Competition ranks by share of those that are covered, best first; binary noise makes no difference."""
    share = groups["share"].round(10).where(groups["covered"])
    return groups.assign(share=share).groupby(field)["share"].rank(method="min", ascending=False)


def _find_rank_ranges(table: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """The best and the worst rank of each group with all indicators, and with each one left out of all groups."""
    own = table.groupby([*_GROUP, "indicator"], as_index=False)[["met", "judged"]].sum()
    without = groups[[*_GROUP, "met", "judged", "covered"]].merge(
        table[[*_FIELD, "indicator"]].drop_duplicates(), on=_FIELD
    )
    without = without.merge(own, on=[*_GROUP, "indicator"], how="left", suffixes=("", "_out"))
    judged = without["judged"] - without["judged_out"].fillna(0)
    without["share"] = (without["met"] - without["met_out"].fillna(0)) / judged.where(judged > 0)
    without["rank"] = _rank(without, [*_FIELD, "indicator"])
    without = pd.concat([without, groups[[*_GROUP, "rank"]]])
    return without.groupby(_GROUP, as_index=False).agg(rank_best=("rank", "min"), rank_worst=("rank", "max"))


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
        target of its own period met or not; ``latest``, ``gap`` and ``gap_days`` tell how far the last value is
        from it.

    Examples
    --------
    >>> monitored = pd.DataFrame({"region": "330213", "indicator": "nursery_places", "number": 1, "domain": "",
    ...     "department": "", "period": ["2023", "2024"], "due": ["2023-12-31", "2024-12-31"], "target_raw": "",
    ...     "operator": "=", "target": [4.0, 4.5], "required": [4.0, 4.5], "actual_raw": ["3.9", "4.2"],
    ...     "actual_operator": "=", "actual": [3.9, 4.2], "unit": "个", "status": "behind", "flags": "",
    ...     "actual_unit": "个", "pace_whole": 0.4})
    >>> open_items(monitored)[["opened", "status", "closed", "gap"]].values.tolist()
    [['2024', 'open', '', -0.3], ['2023', 'closed', '2024', 0.2]]
    """
    items = monitored[monitored["status"].isin(UNMET)].rename(columns={"period": "opened"})
    if items.empty:
        return typed(pd.DataFrame(), "open_items")
    items = items.reset_index(drop=True).rename_axis("item").reset_index()
    later = _find_later_values(items, monitored)
    closing = later[_meet(later, later["required"])[0]].drop_duplicates("item").set_index("item")
    last = later.drop_duplicates("item", keep="last").set_index("item").reindex(items["item"])
    items["closed"] = closing["period"].astype(object).reindex(items["item"], fill_value="").to_numpy()
    items["status"] = np.where(items["closed"] == "", "open", "closed")
    told = {"latest": "actual_raw", "latest_unit": "actual_unit", "latest_period": "period", "gap": "gap"}
    for name, column in told.items():
        items[name] = last[column].to_numpy()
    items["gap_days"] = _count_days(items)
    order = names.in_order(items.assign(closes=items["status"] == "closed"), ["closes", "region", "indicator", "due"])
    return typed(order, "open_items").reset_index(drop=True)


def _find_later_values(items: pd.DataFrame, monitored: pd.DataFrame) -> pd.DataFrame:
    """The values of each item from its own period on, in order of time, with their ``gap`` to what was missed."""
    known = catalogue.indicators().rename(columns={"code": "indicator"})[["indicator", "direction", "lower", "upper"]]
    values = monitored[monitored["actual"].notna()]
    values = values[[*PAIR, "due", "period", "actual_raw", "actual_unit", "actual", "actual_operator"]]
    missed = items[["item", *PAIR, "due", "operator", "target", "required"]]
    pairs = missed.merge(values, on=PAIR, suffixes=("", "_later")).merge(known, on="indicator", how="left")
    pairs = pairs[pairs["due_later"] >= pairs["due"]].sort_values(["item", "due_later"], kind="stable")
    return pairs.assign(gap=_signed(pairs["direction"] * (pairs["actual"] - pairs["required"])))
