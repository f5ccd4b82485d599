"""How far apart are the counties, and do their plans bring them together? (METHODS C)

Pure functions take ``x``, the values of the counties of one year. :func:`dispersion` applies them to the
targets. Source: docs/methods.md, section Dispersion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qyx_analysis import catalogue
from qyx_analysis.measures.common import EPS, Floats, Panel, holds, label, logit_of_share, panel

Interval = tuple[float, float]
Bounds = Callable[[Floats, Floats], tuple[float, float, bool]]

CORNERS_AT_MOST = 12  # bounded values of which every combination of ends is tried
CELLS_AT_MOST = 1_000_000  # corners x counties kept in memory at once


def sd(x: Floats) -> float:
    """Standard deviation with n - 1, in the unit of ``x``.

    >>> round(sd(np.array([62.0, 70, 75, 93])), 5)
    13.14027
    """
    return float(np.std(x, ddof=1))


def distance_sums(x: Floats) -> Floats:
    """Sum of the distances of every value to all others, by sorting once.

    >>> distance_sums(np.array([62.0, 70, 75, 93])).tolist()
    [52.0, 36.0, 36.0, 72.0]
    """
    order, n = np.argsort(x), len(x)
    ordered = x[order] - x.mean()
    summed = np.cumsum(ordered)
    sums = np.empty(n)
    sums[order] = ordered * (2 * np.arange(1, n + 1) - n) + summed[-1] - 2 * summed
    return sums


def gini_mean_difference(x: Floats) -> float:
    """Mean absolute difference over all pairs of counties, in the unit of ``x`` (Gini 1912).

    >>> round(gini_mean_difference(np.array([62.0, 70, 75, 93])), 4)
    16.3333
    """
    return float(distance_sums(x).sum() / (len(x) * (len(x) - 1)))


def mean_gap_to_best(x: Floats, direction: float) -> float:
    """Mean distance of all counties, the best one included, from the best one (WHO 2013).

    >>> mean_gap_to_best(np.array([62.0, 70, 75, 93]), 1)
    18.0
    """
    better = direction * x
    return float(better.max() - better.mean())


def bhatia_davis(x: Floats, lower: float = 0, upper: float = 100) -> float:
    """Variance as a share of the largest that the mean allows inside the limits (Bhatia and Davis 2000).

    Read: 0 all equal, 1 all at the limits; the same for a share and its complement. NaN when all are at one
    limit.

    >>> round(bhatia_davis(np.array([62.0, 70, 75, 93])), 7)
    0.0690667
    """
    largest = (upper - x.mean()) * (x.mean() - lower)
    return float(np.var(x) / largest) if largest > 0 else np.nan


def gini(x: Floats) -> float:
    """Gini coefficient of a non-negative ratio scale, corrected for small n by ``n / (n - 1)``.

    Half the mean difference over the mean: 0 all equal, 1 one county has all. Refuses negative values
    (ValueError); never for percentages, whose complement would give another answer.

    >>> round(gini(np.array([62.0, 70, 75, 93])), 6)
    0.108889
    """
    _refuse_negative(x)
    return gini_mean_difference(x) / (2 * float(x.mean())) if x.mean() > 0 else np.nan


def theil(x: Floats) -> float:
    """Theil's T of a non-negative ratio scale: 0 all equal, ``log(n)`` one county has all (Theil 1967).

    >>> round(theil(np.array([62.0, 70, 75, 93])), 7)
    0.0112464
    """
    from scipy.special import xlogy

    _refuse_negative(x)
    if x.mean() <= 0:
        return np.nan
    relative = x / x.mean()
    return float(xlogy(relative, relative).mean())


def _refuse_negative(x: Floats) -> None:
    if (x < 0).any():
        raise ValueError(f"{x.min():g} is below zero: Gini and Theil need a non-negative ratio scale")


def variation_ratio(states: NDArray[np.float64]) -> float:
    """Share of the counties outside the most frequent state.

    >>> variation_ratio(np.array([100.0, 100, 0, 100]))
    0.25
    """
    return float(1 - np.unique(states, return_counts=True)[1].max() / len(states))


def entropy(states: NDArray[np.float64]) -> float:
    """Shannon entropy of the states in nats: 0 all in one state, ``log(2)`` half and half.

    >>> round(entropy(np.array([100.0, 100, 0, 0])), 4)
    0.6931
    """
    from scipy.special import entr

    return float(entr(np.unique(states, return_counts=True)[1] / len(states)).sum())


def leave_one_out_sd(x: Floats) -> Floats:
    """Standard deviation without each county in turn, in closed form.

    >>> leave_one_out_sd(np.array([62.0, 70, 75, 93])).round(3).tolist()
    [12.097, 15.567, 16.093, 6.557]
    """
    n, centred = len(x), x - x.mean()
    total = (centred**2).sum()
    left = total - n / (n - 1) * centred**2
    return np.sqrt(np.where(left > 1e-12 * total, left, 0) / (n - 2))  # the rest is cancellation noise


def leave_one_out_mean_difference(x: Floats) -> Floats:
    """Gini mean difference without each county in turn, in closed form.

    >>> leave_one_out_mean_difference(np.array([62.0, 70, 75, 93])).round(3).tolist()
    [15.333, 20.667, 20.667, 8.667]
    """
    sums = distance_sums(x)
    return (sums.sum() / 2 - sums) * 2 / ((len(x) - 1) * (len(x) - 2))


def sd_bounds(lo: Floats, hi: Floats) -> tuple[float, float, bool]:
    """Smallest and largest SD of values that lie in ``[lo, hi]``, and whether the largest is exact.

    The smallest is exact: SD is convex, and at its minimum every free value lies at the common mean. The
    largest is found among the corners; with too many of them it is a valid outer bound, with an open end
    infinite.

    >>> low, high, exact = sd_bounds(np.array([28.0, 30, 35, 32]), np.array([28.0, 30, 35, 40]))
    >>> round(low, 5), round(high, 5), exact
    (2.98608, 5.37742, True)
    """
    from scipy.optimize import minimize_scalar

    ends = np.concatenate([lo, hi])
    finite = ends[np.isfinite(ends)]
    least, most = float(finite.min()), float(finite.max())
    lowest = sd(np.clip(_common_mean(lo, hi, least, most), lo, hi))
    if len(finite) < len(ends):
        return lowest, np.inf, True
    highest = _largest_at_corners(lambda at: np.std(at, axis=1, ddof=1), lo, hi)
    if highest is not None:
        return lowest, highest, True

    def squares(m: float) -> float:  # not less than the sum of squares around the mean, at any corner
        return float((np.maximum(np.abs(lo - m), np.abs(hi - m)) ** 2).sum())

    outer = minimize_scalar(squares, bounds=(least, most), method="bounded").fun
    return lowest, float(np.sqrt(outer / (len(lo) - 1))), False


def _common_mean(lo: Floats, hi: Floats, least: float, most: float) -> float:
    """The mean that stays the mean when every value moves as near to it as its interval allows."""
    from scipy.optimize import brentq

    def off(m: float) -> float:
        return float(np.clip(m, lo, hi).mean() - m)

    if off(least) <= 0:
        return least
    return most if off(most) >= 0 else float(brentq(off, least, most))


def mean_difference_bounds(lo: Floats, hi: Floats) -> tuple[float, float, bool]:
    """Smallest and largest Gini mean difference of values in ``[lo, hi]``, and whether the largest is exact.

    The smallest is exact: at each level the free values join the larger side, so that all lie at the median
    of the ends. The largest as in :func:`sd_bounds`; the outer bound is ``|a - b|`` of the middles plus both
    half-widths.

    >>> mean_difference_bounds(np.array([28.0, 30, 35, 32]), np.array([28.0, 30, 35, 40]))
    (3.8333333333333335, 6.833333333333333, True)
    """
    ends = np.sort(np.concatenate([lo, hi]))
    finite = ends[np.isfinite(ends)]
    middle = np.clip(ends[len(lo) - 1], finite[0], finite[-1])
    lowest = gini_mean_difference(np.clip(middle, lo, hi))
    if len(finite) < len(ends):
        return lowest, np.inf, True
    highest = _largest_at_corners(lambda at: np.array([gini_mean_difference(x) for x in at]), lo, hi)
    if highest is not None:
        return lowest, highest, True
    return lowest, gini_mean_difference((lo + hi) / 2) + float((hi - lo).mean()), False


def _largest_at_corners(function: Callable[[Floats], Floats], lo: Floats, hi: Floats) -> float | None:
    free = np.flatnonzero(hi > lo)
    if len(free) > CORNERS_AT_MOST or 2 ** len(free) * len(lo) > CELLS_AT_MOST:
        return None
    at = np.tile(lo, (2 ** len(free), 1))
    at[:, free] = list(product(*zip(lo[free], hi[free], strict=True)))
    return float(function(at).max())


def range_bounds(lo: Floats, hi: Floats) -> Interval:
    """Smallest and largest range of values in ``[lo, hi]``, exact.

    >>> range_bounds(np.array([28.0, 30, 35, 32]), np.array([28.0, 30, 35, 40]))
    (7.0, 12.0)
    """
    top, bottom = np.argsort(-hi, kind="stable")[:2], np.argsort(lo, kind="stable")[:2]
    largest = max(hi[i] - lo[j] for i in top for j in bottom if i != j)
    return float(max(lo.max() - hi.min(), 0)), float(largest)


def gap_bounds(lo: Floats, hi: Floats, direction: float) -> Interval:
    """Smallest and largest :func:`mean_gap_to_best` of values in ``[lo, hi]``, exact.

    >>> gap_bounds(np.array([28.0, 30, 35, 32]), np.array([28.0, 30, 35, 40]), 1)
    (3.0, 6.75)
    """
    low, high = (lo, hi) if direction > 0 else (-hi, -lo)
    best = low.max()
    least = best - np.minimum(high, best).mean()
    if not np.isfinite(np.concatenate([low, high])).all():
        return float(least) if np.isfinite(least) else 0.0, np.inf
    alone = high - (low.mean() + (high - low) / len(low))
    return float(least), float(max(alone.max(), best - low.mean()))


class _Row(NamedTuple):
    """One result; ``marks`` are the names of the statuses and flags that hold."""

    year: int
    measure: str
    value: float
    interval: Interval
    n: int
    marks: set[str]


def dispersion(targets: pd.DataFrame) -> pd.DataFrame:
    """Measure the spread of the counties for every indicator and year, and whether the plans narrow it.

    ``targets``: the frame of ``load_targets``; only rows of ``level`` county count. Returns long rows
    ``indicator, number, year, measure, value, lo, hi, n, status, flags``. Numbers: ``mean, range,
    best_worst_gap, sd, gini_mean_difference, mean_gap_to_best`` in the indicator's unit; for shares also
    ``bhatia_davis`` and ``logit_sd``, which a complement leaves alone; for other ratio scales ``gini`` and
    ``theil``. States: ``variation_ratio`` and ``entropy``. Absolute counts are refused. Here ``[lo, hi]`` is
    what bounds allow.

    In the last year ``sd_ratio`` compares the spread with the baseline for the counties that print both,
    beside a second scale (``logit_sd_ratio``, ``log_sd_ratio``, or ``gini_mean_difference_ratio`` where a
    value is not above zero); here ``[lo, hi]`` covers rounding and bounds. The row ``convergence`` carries
    the verdict in ``status``. Raises ValueError for two values of one region, indicator and year. Source:
    docs/methods.md.

    How to read it: a ratio below 1 is a planned narrowing; believe it only where ``convergence`` says
    ``converging``.

    >>> frame = pd.DataFrame({"region": list("abcd") * 2, "level": "county",
    ...     "indicator": "wage_arrears_resolved", "year": [2022] * 4 + [2027] * 4,
    ...     "role": ["baseline"] * 4 + ["target"] * 4, "kind": "point", "resolution": 1.0, "state": np.nan,
    ...     "value": [80.0, 85, 90, 95, 90, 93, 96, 99]})
    >>> table = dispersion(frame).set_index("measure")
    >>> table.loc[["sd_ratio", "logit_sd_ratio"], "value"].round(3).tolist()
    [0.6, 1.561]
    >>> table.loc["convergence", "status"]
    'scale_dependent'
    """
    return spreads_of(panel(targets, catalogue.indicators()))


def spreads_of(p: Panel) -> pd.DataFrame:
    """Measure the spreads of a panel; :func:`dispersion` says what comes out.

    >>> columns = ["region", "level", "indicator", "year", "role", "kind", "value", "resolution", "state"]
    >>> spreads_of(panel(pd.DataFrame(columns=columns), catalogue.indicators())).empty
    True
    """
    counties = p.where(p.of("level") == "county")
    codes = counties.of("indicator")
    found = [(name, row) for name in pd.unique(codes) for row in _indicator(counties.where(codes == name))]
    names, rows = [name for name, _ in found], [row for _, row in found]
    numbers = counties.rows.drop_duplicates("indicator").set_index("indicator")["number"]
    results = np.array([(row.value, *row.interval) for row in rows], dtype=float).reshape(-1, 3)
    results = results.round(10) + 0.0
    results[np.isnan(results[:, 0])] = np.nan
    status, flags = _labels([row.marks for row in rows])
    return pd.DataFrame(
        {
            "indicator": names,
            "number": numbers.reindex(names).to_numpy(),
            "year": [row.year for row in rows],
            "measure": [row.measure for row in rows],
            "value": results[:, 0],
            "lo": results[:, 1],
            "hi": results[:, 2],
            "n": [row.n for row in rows],
            "status": status,
            "flags": flags,
        }
    )


def _labels(marks: list[set[str]]) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    statuses = set(catalogue.statuses()["status"])
    masks = {name: np.array([name in row for row in marks], dtype=bool) for name in set().union({"ok"}, *marks)}
    conditions = {name: mask for name, mask in masks.items() if name in statuses}
    return label(conditions, {name: mask for name, mask in masks.items() if name not in statuses})


def _indicator(p: Panel) -> Iterator[_Row]:
    """All rows of one indicator: year by year, then the comparison of the last year with the first."""
    scale = p.of("scale")[0]
    exact = p.unrounded()
    for column, year in enumerate(p.years):
        known = np.isfinite(p.value[:, column])
        n, marks = int(known.sum()), {"incomplete"} if 0 < known.sum() < len(known) else set()
        if scale == "count":
            yield _refused(year, "sd", n, "absolute_count")
        elif n < 2:
            yield _refused(year, "variation_ratio" if scale == "state" else "sd", n, "too_few")
        elif scale == "state":
            x = p.value[known, column]
            for measure, value in (("variation_ratio", variation_ratio(x)), ("entropy", entropy(x))):
                yield _Row(year, measure, value, (value, value), n, marks)
        else:
            yield from _year_rows(exact.where(known), column, marks)
    yield from _convergence_rows(p)


def _refused(year: int, measure: str, n: int, status: str) -> _Row:
    return _Row(year, measure, np.nan, (np.nan, np.nan), n, {status})


def _year_rows(p: Panel, column: int, marks: set[str]) -> Iterator[_Row]:
    """Spread of one year, numbers taken as exact and bounds over all that they allow."""
    x, lo, hi = p.value[:, column], p.lo[:, column], p.hi[:, column]
    year, n, direction, scale = p.years[column], len(x), p.of("direction")[0], p.of("scale")[0]
    for name, mask in (("bounded", p.bounded), ("from_text", p.from_text)):
        marks = marks | ({name} if mask[:, column].any() else set())

    def row(measure: str, value: float, interval: Interval, *more: str) -> _Row:
        return _Row(year, measure, value, interval, n, marks.union(more))

    middle = float(lo.mean()), float(hi.mean())
    low, high, exact = sd_bounds(lo, hi)
    pair_low, pair_high, pair_exact = mean_difference_bounds(lo, hi)
    outer, pair_outer = ([] if yes else ["outer_bound"] for yes in (exact, pair_exact))
    yield row("mean", float(x.mean()), middle)
    yield row("range", float(np.ptp(x)), range_bounds(lo, hi))
    if direction == 0:
        yield _refused(year, "best_worst_gap", n, "no_direction")
    else:
        yield row("best_worst_gap", float(np.ptp(x)), range_bounds(lo, hi))
        yield row("mean_gap_to_best", mean_gap_to_best(x, direction), gap_bounds(lo, hi, direction))
    yield row("sd", sd(x), (low, high), *outer)
    yield row("gini_mean_difference", gini_mean_difference(x), (pair_low, pair_high), *pair_outer)
    beyond = ["outer_bound"] if p.bounded[:, column].any() else []
    if scale == "share":
        limits = p.of("lower")[0], p.of("upper")[0]
        value = bhatia_davis(x, *limits)
        free = _bhatia_davis_bounds(low, high, middle, limits, n) if beyond else (value, value)
        yield row("bhatia_davis", value, free, *beyond)
        odds = _logits(p).unrounded()
        low, high, exact = sd_bounds(odds.lo[:, column], odds.hi[:, column])
        limited = ["at_limit"] if (odds.bounded & ~p.bounded)[:, column].any() else []
        yield row("logit_sd", sd(odds.value[:, column]), (low, high), *limited, *([] if exact else ["outer_bound"]))
    elif (x >= 0).all() and x.mean() > 0:
        shares = pair_low / (2 * middle[1]), min(pair_high / (2 * middle[0]), 1) if middle[0] > 0 else 1
        value, entropic = gini(x), theil(x)
        yield row("gini", value, shares if beyond else (value, value), *beyond)
        yield row("theil", entropic, (0, float(np.log(n))) if beyond else (entropic, entropic), *beyond)


def _bhatia_davis_bounds(low: float, high: float, middle: Interval, limits: Interval, n: int) -> Interval:
    """Outer bounds: smallest variance over largest room, and the reverse; the room is concave in the mean."""
    lower, upper = limits
    room = [(upper - m) * (m - lower) for m in (*middle, np.clip((lower + upper) / 2, *middle))]
    share = (n - 1) / n
    return low**2 * share / max(room), min(high**2 * share / min(room[:2]), 1) if min(room[:2]) > 0 else 1


def _logits(p: Panel) -> Panel:
    """The panel on the logit scale; a number printed at a limit becomes a bound half a digit inside it."""
    limits = p.of("lower")[0], p.of("upper")[0]
    touching = (p.value <= limits[0]) | (p.value >= limits[1])
    value, lo, hi = (
        logit_of_share(x, delta, *limits) for x, delta in ((p.value, p.delta[:, None]), (p.lo, 0), (p.hi, 0))
    )
    return p._replace(value=value, lo=np.minimum(lo, value), hi=np.maximum(hi, value), bounded=p.bounded | touching)


def _logs(p: Panel) -> Panel:
    with np.errstate(divide="ignore"):  # a bound that reaches down to zero
        return p._replace(value=np.log(p.value), lo=np.log(p.lo), hi=np.log(p.hi))


class _Spread(NamedTuple):
    measure: Callable[[Floats], float]
    bounds: Bounds
    leave_one_out: Callable[[Floats], Floats]


_SD = _Spread(sd, sd_bounds, leave_one_out_sd)
_MEAN_DIFFERENCE = _Spread(gini_mean_difference, mean_difference_bounds, leave_one_out_mean_difference)


def _scales(p: Panel) -> Iterator[tuple[str, _Spread, Panel]]:
    """The spread as printed, and on the scale on which equal steps are equally hard."""
    yield "sd_ratio", _SD, p
    if p.of("scale")[0] == "share":
        yield "logit_sd_ratio", _SD, _logits(p)
    elif (p.lo >= 0).all() and (p.value > 0).all():
        yield "log_sd_ratio", _SD, _logs(p)
    else:
        yield "gini_mean_difference_ratio", _MEAN_DIFFERENCE, p


def _convergence_rows(p: Panel) -> Iterator[_Row]:
    year, scale = p.years[-1], p.of("scale")[0]
    p = p._replace(
        **{name: getattr(p, name)[:, [0, -1]] for name in ("kind", "value", "lo", "hi", "bounded", "from_text")}
    )
    balanced = p.where(np.isfinite(p.value[:, 0]) & np.isfinite(p.value[:, 1]))
    n = len(balanced.rows)
    if scale in ("count", "state"):
        yield _refused(year, "convergence", n, "absolute_count" if scale == "count" else "state")
    elif n < 3:
        yield _refused(year, "convergence", n, "too_few")
    else:
        marks = {"incomplete"} if n < len(p.rows) else set()
        rows = [_ratio_row(year, balanced, *each, marks) for each in _scales(balanced)]
        yield from rows
        yield _Row(year, "convergence", np.nan, (np.nan, np.nan), n, _verdict(rows))


def _verdict(rows: list[_Row]) -> set[str]:
    """All marks of the scales together, and where the scales agree the direction."""
    marks = set().union(*(row.marks for row in rows))
    if "identical" in marks:
        return marks
    sides = {float(_side(np.array(row.value - 1))) for row in rows}
    if {-1.0, 1.0} <= sides:
        return marks | {"scale_dependent"}
    if len(sides) > 1 or sides == {0.0}:
        return marks | {"unresolved"}
    return marks | {"converging" if sides == {-1.0} else "diverging"}


def _ratio_row(year: int, printed: Panel, measure: str, spread: _Spread, p: Panel, marks: set[str]) -> _Row:
    """Final over baseline spread, its interval, and every county left out in turn."""
    start, end = p.value.T
    before, after = spread.measure(start), spread.measure(end)
    if before <= EPS:
        return _refused(year, measure, len(p.rows), "identical")
    rounding, _ = _ratio_bounds(spread.bounds, p.committed())
    widest, exact = _ratio_bounds(spread.bounds, p)
    touching = p.bounded & ~printed.bounded  # open in [lo, hi]; read half a digit inside for the verdict
    bounds, _ = _ratio_bounds(spread.bounds, p._replace(bounded=touching).committed())
    turns = _side(spread.leave_one_out(end) - spread.leave_one_out(start)) != _side(np.array(after - before))
    unresolved = _contains_one(rounding)
    found = {
        "unresolved": unresolved,
        "open_bound": _contains_one(bounds) and not unresolved,
        "bounded": printed.bounded.any(),
        "from_text": printed.from_text.any(),
        "at_limit": touching.any(),
        "outer_bound": not exact,
        "identical_targets": after <= EPS,
        "leave_one_out_flips": turns.any(),
    }
    return _Row(
        year, measure, after / before, widest, len(p.rows), marks | {name for name, yes in found.items() if yes}
    )


def _ratio_bounds(bounds: Bounds, p: Panel) -> tuple[Interval, bool]:
    (least, most, exact), (last_least, last_most, last_exact) = (bounds(p.lo[:, at], p.hi[:, at]) for at in (0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        lo, hi = np.divide(last_least, most), np.divide(last_most, least)
    return (float(lo), float(hi)), exact and last_exact


def _contains_one(interval: Interval) -> bool:
    return bool(holds(np.array(interval[0]), np.array(interval[1]), 1))


def _side(difference: Floats) -> Floats:
    """-1, 0 or +1, binary noise taken as 0."""
    return np.where(np.abs(difference) <= EPS, 0, np.sign(difference))
