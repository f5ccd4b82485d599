"""How far apart are the values of one year? Pure functions on ``x``, one value per county (METHODS C).

Each measure comes with its range when every county in turn is left out, in closed form, and where bounds leave a
value open with the interval that they allow. Sources: docs/methods.md, section Dispersion.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qyx_analysis.measures.common import EPS, Floats, Interval

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


def weighted_mean_and_sd(x: Floats, weights: Floats) -> tuple[float, float]:
    """Mean and standard deviation over residents instead of counties (population form: a census).

    >>> mean, spread = weighted_mean_and_sd(np.array([60.0, 80]), np.array([3.0, 1]))
    >>> mean, round(spread, 4)
    (65.0, 8.6603)
    """
    mean = float(np.average(x, weights=weights))
    return mean, float(np.sqrt(np.average((x - mean) ** 2, weights=weights)))


# --- within and between groups ----------------------------------------------------------------------------


def between_share(x: Floats, groups: NDArray[np.int64]) -> float:
    """Share of the variance that lies between the means of ``groups``; the rest lies within (Fisher 1925).

    ``groups``: a number from 0 for every county. Read against ``(g - 1) / (n - 1)``, the mean over all
    assignments of the counties to groups of these sizes. The same for a share and its complement; NaN when all
    are equal.

    >>> round(between_share(np.array([62.0, 70, 75, 93]), np.array([0, 0, 1, 1])), 4)
    0.6255
    """
    centred = x - x.mean()
    total = float((centred**2).sum())
    between = float((np.bincount(groups, centred) ** 2 / np.bincount(groups)).sum())
    return between / total if total > EPS else np.nan


def theil_between(x: Floats, groups: NDArray[np.int64]) -> float:
    """Theil's T of the group means, every group weighted by its sum; ``theil`` minus it lies within.

    >>> round(theil_between(np.array([62.0, 70, 75, 93]), np.array([0, 0, 1, 1])), 7)
    0.0072174
    """
    from scipy.special import xlogy

    _refuse_negative(x)
    if x.mean() <= 0:
        return np.nan
    sums, sizes = np.bincount(groups, x), np.bincount(groups)
    return float(xlogy(sums, sums / sizes / x.mean()).sum() / x.sum())


def theil_within(x: Floats, groups: NDArray[np.int64]) -> float:
    """Theil's T inside the groups, every group weighted by its sum.

    >>> round(theil_within(np.array([62.0, 70, 75, 93]), np.array([0, 0, 1, 1])), 7)
    0.004029
    """
    return theil(x) - theil_between(x, groups)


# --- what the plans would do to the spread if they differed only in the baseline --------------------------


def same_change(first: Floats, mean_last: float, best: float) -> Floats:
    """Final values if every county planned one and the same change, cut at ``best``, with the mean of the plans.

    Read: spread that this takes away is taken away by the ceiling, not by a plan for the weak.

    >>> same_change(np.array([60.0, 70, 95]), 85, 100).tolist()
    [72.5, 82.5, 100.0]
    """
    away = best - first.mean()
    away = away if abs(away) > EPS else best - mean_last  # all start at the best value
    sign = 1.0 if away >= 0 else -1.0
    up, cap, n = sign * first, sign * best, len(first)
    ordered = np.sort(up)[::-1]
    cut = np.arange(n)  # how many reach the best value, the nearest first
    step = (sign * mean_last * n - cut * cap - (ordered.sum() - np.cumsum(ordered) + ordered)) / (n - cut)
    fits = ordered + step <= cap + EPS
    return sign * (np.minimum(up + step[fits.argmax()], cap) if fits.any() else np.full(n, cap))


def same_closure(first: Floats, mean_last: float, best: float) -> Floats:
    """Final values if every county closed one and the same share of its gap to ``best``, with the mean of the plans.

    The standard deviation then falls by exactly that share.

    >>> same_closure(np.array([60.0, 80, 100]), 90, 100).tolist()
    [80.0, 90.0, 100.0]
    """
    gap = best - float(first.mean())
    return first + (best - first) * ((mean_last - float(first.mean())) / gap if abs(gap) > EPS else np.nan)


# --- every county left out in turn ------------------------------------------------------------------------


def leave_one_out_mean(x: Floats) -> Floats:
    """Mean without each county in turn.

    >>> leave_one_out_mean(np.array([62.0, 70, 75, 93])).round(3).tolist()
    [79.333, 76.667, 75.0, 69.0]
    """
    return (x.sum() - x) / (len(x) - 1)


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


def leave_one_out_largest(x: Floats) -> Floats:
    """Largest value without each county in turn.

    >>> leave_one_out_largest(np.array([62.0, 70, 75, 93])).tolist()
    [93.0, 93.0, 93.0, 75.0]
    """
    second, largest = np.partition(x, len(x) - 2)[-2:]
    return np.where(np.arange(len(x)) == x.argmax(), second, largest)


def leave_one_out_range(x: Floats) -> Floats:
    """Range without each county in turn.

    >>> leave_one_out_range(np.array([62.0, 70, 75, 93])).tolist()
    [23.0, 31.0, 31.0, 13.0]
    """
    return leave_one_out_largest(x) + leave_one_out_largest(-x)


def leave_one_out_gap(x: Floats, direction: float) -> Floats:
    """:func:`mean_gap_to_best` without each county in turn.

    >>> leave_one_out_gap(np.array([62.0, 70, 75, 93]), 1).tolist()[-1]
    6.0
    """
    better = direction * x
    return leave_one_out_largest(better) - leave_one_out_mean(better)


def leave_one_out_bhatia_davis(x: Floats, lower: float = 0, upper: float = 100) -> Floats:
    """:func:`bhatia_davis` without each county in turn.

    >>> leave_one_out_bhatia_davis(np.array([62.0, 70, 75, 93])).round(4).tolist()
    [0.0595, 0.0903, 0.0921, 0.0134]
    """
    n, mean = len(x), leave_one_out_mean(x)
    largest = (upper - mean) * (mean - lower)
    variance = leave_one_out_sd(x) ** 2 * (n - 2) / (n - 1)
    return np.divide(variance, largest, out=np.full(n, np.nan), where=largest > EPS)


def leave_one_out_gini(x: Floats) -> Floats:
    """:func:`gini` without each county in turn.

    >>> leave_one_out_gini(np.array([62.0, 70, 75, 93])).round(3).tolist()
    [0.097, 0.135, 0.138, 0.063]
    """
    _refuse_negative(x)
    mean = leave_one_out_mean(x)
    return np.divide(leave_one_out_mean_difference(x), 2 * mean, out=np.full(len(x), np.nan), where=mean > 0)


def leave_one_out_theil(x: Floats) -> Floats:
    """:func:`theil` without each county in turn.

    >>> leave_one_out_theil(np.array([62.0, 70, 75, 93])).round(5).tolist()
    [0.00759, 0.01369, 0.015, 0.00304]
    """
    from scipy.special import xlogy

    _refuse_negative(x)
    left, mean = xlogy(x, x).sum() - xlogy(x, x), leave_one_out_mean(x)
    with np.errstate(divide="ignore", invalid="ignore"):  # only one county is above zero
        return np.where(mean > 0, left / ((len(x) - 1) * mean) - np.log(mean), np.nan)


def leave_one_out_states(states: NDArray[np.float64], measure: Callable[[Floats], float]) -> Floats:
    """A measure of states without each county in turn: one call per state, for all its counties give one answer.

    >>> leave_one_out_states(np.array([100.0, 100, 0, 100]), variation_ratio).round(4).tolist()
    [0.3333, 0.3333, 0.0, 0.3333]
    """
    _, first, kind = np.unique(states, return_index=True, return_inverse=True)
    return np.array([measure(np.delete(states, at)) for at in first])[kind]


def leave_one_out_between(x: Floats, groups: NDArray[np.int64]) -> Floats:
    """:func:`between_share` without each county in turn.

    >>> leave_one_out_between(np.array([62.0, 70, 75, 93]), np.array([0, 0, 1, 1])).round(4).tolist()
    [0.4465, 0.6657, 0.9382, 0.6279]
    """
    n, c = len(x), x - x.mean()
    squares, own, rest = _without_each(c, groups, lambda sums, sizes: sums**2 / sizes)
    total = (c**2).sum() - c**2 * n / (n - 1)
    between = squares.sum() - own + rest - c**2 / (n - 1)
    return np.divide(between, total, out=np.full(n, np.nan), where=total > EPS)


def leave_one_out_theil_between(x: Floats, groups: NDArray[np.int64]) -> Floats:
    """:func:`theil_between` without each county in turn.

    >>> leave_one_out_theil_between(np.array([62.0, 70, 75, 93]), np.array([0, 0, 1, 1])).round(4).tolist()
    [0.0035, 0.0095, 0.0139, 0.0019]
    """
    from scipy.special import xlogy

    _refuse_negative(x)
    whole, own, rest = _without_each(x, groups, lambda sums, sizes: xlogy(sums, sums / sizes))
    left = x.sum() - x
    with np.errstate(divide="ignore", invalid="ignore"):  # only one county is above zero
        value = (whole.sum() - own + rest) / left - np.log(left / (len(x) - 1))
    return np.where(left > 0, value, np.nan)


def leave_one_out_theil_within(x: Floats, groups: NDArray[np.int64]) -> Floats:
    """:func:`theil_within` without each county in turn.

    >>> leave_one_out_theil_within(np.array([62.0, 70, 75, 93]), np.array([0, 0, 1, 1])).round(4).tolist()
    [0.0041, 0.0042, 0.0011, 0.0012]
    """
    return leave_one_out_theil(x) - leave_one_out_theil_between(x, groups)


def _without_each(x: Floats, groups: NDArray[np.int64], term: Callable[..., Floats]) -> tuple[Floats, Floats, Floats]:
    """The terms of all groups, and for every county the term of its own group with it and without it."""
    sums, sizes = np.bincount(groups, x), np.bincount(groups)
    terms, others = term(sums, sizes), sizes[groups] - 1
    rest = np.where(others > 0, term(sums[groups] - x, np.maximum(others, 1)), 0)
    return terms, terms[groups], rest


# --- what bounds allow ------------------------------------------------------------------------------------


def sd_bounds(lo: Floats, hi: Floats) -> tuple[float, float, bool]:
    """Smallest and largest SD of values that lie in ``[lo, hi]``, and whether the largest is exact.

    The smallest is exact: SD is convex, and at its minimum every free value lies at the common mean. The
    largest is found among the corners; with too many of them it is a valid outer bound, with an open end
    infinite.

    >>> low, high, exact = sd_bounds(np.array([28.0, 30, 35, 32]), np.array([28.0, 30, 35, 40]))
    >>> round(low, 5), round(high, 5), exact
    (2.98608, 5.37742, True)
    """
    ends = np.concatenate([lo, hi])
    finite = ends[np.isfinite(ends)]
    least, most = float(finite.min()), float(finite.max())
    lowest = sd(np.clip(_common_mean(lo, hi, least, most), lo, hi))
    lowest = lowest if lowest > EPS else 0.0  # what the root finder leaves of a zero must not be divided by
    if len(finite) < len(ends):
        return lowest, np.inf, True
    highest = _largest_at_corners(lambda at: np.std(at, axis=1, ddof=1), lo, hi)
    if highest is not None:
        return lowest, highest, True

    middle = (lo + hi) / 2  # around any point the squares are no less than around the mean, at every corner
    furthest = np.abs(middle - middle.mean()) + (hi - lo) / 2
    return lowest, float(np.sqrt((furthest**2).sum() / (len(lo) - 1))), False


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


def bhatia_davis_bounds(spread: Interval, mean: Interval, limits: Interval, n: int) -> Interval:
    """Outer bounds: smallest variance over largest room, and the reverse; the room is concave in the mean.

    >>> low, high = bhatia_davis_bounds((10.0, 12.0), (70.0, 75.0), (0.0, 100.0), 4)
    >>> round(low, 4), round(high, 4)
    (0.0357, 0.0576)
    >>> bhatia_davis_bounds((0.0, 0.0), (100.0, 100.0), (0.0, 100.0), 2)  # all at the limit: no room
    (0, 1)
    """
    lower, upper = limits
    room = [(upper - m) * (m - lower) for m in (*mean, np.clip((lower + upper) / 2, *mean))]
    share, (low, high) = (n - 1) / n, spread
    least = low**2 * share / max(room) if max(room) > 0 else 0
    return least, min(high**2 * share / min(room[:2]), 1) if min(room[:2]) > 0 else 1


class Spread(NamedTuple):
    """A measure of spread in the unit of the values, its interval, and its values without each county."""

    measure: Callable[[Floats], float]
    bounds: Bounds
    leave_one_out: Callable[[Floats], Floats]

    @property
    def pair(self) -> tuple[Callable[[Floats], float], Callable[[Floats], Floats]]:
        """The measure with its values without each county."""
        return self.measure, self.leave_one_out


def _width_bounds(lo: Floats, hi: Floats) -> tuple[float, float, bool]:
    return *range_bounds(lo, hi), True


def _width(x: Floats) -> float:
    return float(np.ptp(x))


SD = Spread(sd, sd_bounds, leave_one_out_sd)
MEAN_DIFFERENCE = Spread(gini_mean_difference, mean_difference_bounds, leave_one_out_mean_difference)
RANGE = Spread(_width, _width_bounds, leave_one_out_range)
