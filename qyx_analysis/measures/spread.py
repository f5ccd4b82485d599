"""How far apart are the values of one year? Pure functions along the last axis, one value per county (METHODS C).

:func:`leave_one_out` takes any of them again without each county; where bounds leave a value open, each has the
interval that they allow. Sources: docs/methods.md, section Dispersion.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from qyx_analysis.measures.panel import EPS, Floats

Measure = Callable[..., Any]  # of arrays, along their last axis
Range = tuple[float, float, bool]  # smallest and largest, and whether the largest is exact
Bounds = Callable[[Floats, Floats], Range]

CORNERS_AT_MOST = 12  # bounded values of which every combination of ends is tried
CELLS_AT_MOST = 1_000_000  # corners x counties kept in memory at once


def leave_one_out(measure: Measure, *columns: Floats) -> Floats:
    """Take ``measure`` again without each county in turn; ``columns``: what it takes, one value per county each.

    >>> leave_one_out(sd, np.array([62.0, 70, 75, 93])).round(3).tolist()
    [12.097, 15.567, 16.093, 6.557]
    """
    n = len(columns[0])
    others = ~np.eye(n, dtype=bool)
    return np.asarray(measure(*(np.tile(x, (n, 1))[others].reshape(n, n - 1) for x in columns)))


def sd(x: Floats) -> Floats:
    """Standard deviation with n - 1, in the unit of ``x``.

    >>> float(sd(np.array([62.0, 70, 75, 93])).round(5))
    13.14027
    """
    return np.std(x, axis=-1, ddof=1)


def gini_mean_difference(x: Floats) -> Floats:
    """Mean absolute difference over all pairs of counties, in the unit of ``x``, by sorting once (Gini 1912).

    >>> float(gini_mean_difference(np.array([62.0, 70, 75, 93])).round(4))
    16.3333
    """
    n = x.shape[-1]
    ordered = np.sort(x - x.mean(axis=-1, keepdims=True), axis=-1)
    return ordered @ (2.0 * np.arange(n) - n + 1) * 2 / (n * (n - 1))


def variation_ratio(states: Floats) -> Floats:
    """Share of the counties outside the more frequent state, passed or not (Freeman 1965).

    >>> float(variation_ratio(np.array([100.0, 100, 0, 100])))
    0.25
    """
    passed = (states > 0).mean(axis=-1)
    return np.minimum(passed, 1 - passed)


# --- what the plans would do to the spread if they differed only in the baseline --------------------------


def same_change(first: Floats, mean_last: float, best: float) -> Floats:
    """Final values if every county planned the mean of the planned changes, cut at ``best``.

    Read: spread that this takes away is taken away by the ceiling, not by a plan for the weak. Who stands at the
    ceiling stays there, and the others do no more than the mean: what they plan beyond it is their own.

    >>> same_change(np.array([60.0, 70, 95]), 85, 100).tolist()
    [70.0, 80.0, 100.0]
    """
    moved = first + (mean_last - float(first.mean()))
    return np.minimum(moved, best) if best >= first.max() else np.maximum(moved, best)


def same_closure(first: Floats, mean_last: float, best: float) -> Floats:
    """Final values if every county closed one and the same share of its gap to ``best``, with the mean of the plans.

    The standard deviation then falls by exactly that share.

    >>> same_closure(np.array([60.0, 80, 100]), 90, 100).tolist()
    [80.0, 90.0, 100.0]
    """
    gap = best - float(first.mean())
    return first + (best - first) * ((mean_last - float(first.mean())) / gap if abs(gap) > EPS else np.nan)


# --- what bounds allow ------------------------------------------------------------------------------------


def sd_bounds(lo: Floats, hi: Floats) -> Range:
    """Smallest and largest SD of values that lie in ``[lo, hi]``, and whether the largest is exact.

    The smallest is exact: SD is convex, and at its minimum every free value lies at the common mean. The
    largest is found among the corners; with too many of them it is a valid outer bound, with an open end
    infinite.

    >>> low, high, exact = sd_bounds(np.array([28.0, 30, 35, 32]), np.array([28.0, 30, 35, 40]))
    >>> round(low, 5), round(high, 5), exact
    (2.98608, 5.37742, True)
    """
    lowest = float(sd(np.clip(_common_mean(lo, hi), lo, hi)))

    def outer() -> float:  # around any point the squares are no less than around the mean, at every corner
        middle = (lo + hi) / 2
        furthest = np.abs(middle - middle.mean()) + (hi - lo) / 2
        return float(np.sqrt((furthest**2).sum() / (len(lo) - 1)))

    # what the root finder leaves of a zero must not be divided by
    return lowest if lowest > EPS else 0.0, *_largest(sd, lo, hi, outer)


def _common_mean(lo: Floats, hi: Floats) -> float:
    """The mean that stays the mean when every value moves as near to it as its interval allows."""
    from scipy.optimize import brentq

    def off(m: float) -> float:
        return float(np.clip(m, lo, hi).mean() - m)

    ends = np.concatenate([lo, hi])
    finite = ends[np.isfinite(ends)]
    least, most = float(finite.min()), float(finite.max())
    if off(least) <= 0:
        return least
    return most if off(most) >= 0 else float(brentq(off, least, most))


def mean_difference_bounds(lo: Floats, hi: Floats) -> Range:
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
    lowest = float(gini_mean_difference(np.clip(middle, lo, hi)))

    def outer() -> float:
        return float(gini_mean_difference((lo + hi) / 2) + (hi - lo).mean())

    return lowest, *_largest(gini_mean_difference, lo, hi, outer)


def _largest(measure: Measure, lo: Floats, hi: Floats, outer: Callable[[], float]) -> tuple[float, bool]:
    """The largest value of a convex measure: at a corner, or an outer bound where there are too many; is it exact?"""
    if not np.isfinite(np.concatenate([lo, hi])).all():
        return np.inf, True
    free = np.flatnonzero(hi > lo)
    if len(free) > CORNERS_AT_MOST or 2 ** len(free) * len(lo) > CELLS_AT_MOST:
        return outer(), False
    at = np.tile(lo, (2 ** len(free), 1))
    at[:, free] = list(product(*zip(lo[free], hi[free], strict=True)))
    return float(measure(at).max()), True


def range_bounds(lo: Floats, hi: Floats) -> Range:
    """Smallest and largest range of values in ``[lo, hi]``, always exact.

    >>> range_bounds(np.array([28.0, 30, 35, 32]), np.array([28.0, 30, 35, 40]))
    (7.0, 12.0, True)
    """
    top, bottom = np.argsort(-hi, kind="stable")[:2], np.argsort(lo, kind="stable")[:2]
    largest = max(hi[i] - lo[j] for i in top for j in bottom if i != j)
    return float(max(lo.max() - hi.min(), 0)), float(largest), True


class Spread(NamedTuple):
    """A measure of spread in the unit of the values, and its interval."""

    measure: Measure
    bounds: Bounds


SD = Spread(sd, sd_bounds)
MEAN_DIFFERENCE = Spread(gini_mean_difference, mean_difference_bounds)
RANGE = Spread(partial(np.ptp, axis=-1), range_bounds)
SPREADS = {"range": RANGE, "sd": SD, "gini_mean_difference": MEAN_DIFFERENCE}  # of numbers, in the order of the rows
