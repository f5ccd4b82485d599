"""Do counties that start low plan more? One card of numbers that are functions of each other (METHODS B).

Change and baseline share the baseline, so that their correlation is negative by construction. It is shown only beside
its null: the same correlation over all assignments of the final targets to the counties. Pure functions take ``first``
and ``last``, one value per county. Source: docs/methods.md, section Association.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import factorial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qyx_analysis import names
from qyx_analysis.measures import spread
from qyx_analysis.measures.common import EPS, NOTHING, Floats, Interval, Panel, Row, mean_of_known, panel, tabulate
from qyx_analysis.measures.dispersion import (
    balanced,
    by_indicator,
    contains_one,
    counties_of,
    ratio_bounds,
    refused,
    remarks,
    side,
)

EXACT_AT_MOST = 7  # counties of which all assignments are tried: 7! = 5040
ASSIGNMENTS = 999  # drawn at random beyond: no p below 2/1000
PAIRS_AT_MOST = 200_000  # pairs of counties in a Theil-Sen slope; drawn at random beyond
LEFT_OUT_AT_MOST = 12  # counties for which a Theil-Sen slope is taken again without each
SEED = 2022


class Moments(NamedTuple):
    """Sums of squares and products of baselines and targets: of all counties, then without each in turn."""

    before: Floats
    after: Floats
    product: Floats


def moments(first: Floats, last: Floats) -> Moments:
    """Sums of squares around the mean, of all counties and then without each county.

    >>> [float(sums[0]) for sums in moments(np.array([60.0, 70, 80, 90]), np.array([78.0, 80, 88, 92]))]
    [500.0, 131.0, 250.0]
    """
    n, x, y = len(first), first - first.mean(), last - last.mean()

    def sums(a: Floats, b: Floats) -> Floats:
        whole = float((a * b).sum())
        left = whole - a * b * n / (n - 1)
        noise = 1e-12 * np.sqrt((a**2).sum() * (b**2).sum())
        return np.append(whole, np.where(np.abs(left) > noise, left, 0))

    return Moments(sums(x, x), sums(y, y), sums(x, y))


def _over(numerator: Floats, square: Floats, size: Floats) -> Floats:
    """Over the root of a square, NaN where nothing but noise of ``size`` is left of it: all counties are alike."""
    nothing = np.full(np.broadcast_shapes(numerator.shape, square.shape), np.nan)
    return np.divide(numerator, np.sqrt(np.maximum(square, 0)), out=nothing, where=square > 1e-12 * size + EPS**2)


def naive_r(m: Moments) -> Floats:
    """Pearson's r of the planned change with the baseline: read it only beside its null.

    >>> float(naive_r(moments(np.array([60.0, 70, 80, 90]), np.array([78.0, 80, 88, 92])))[0].round(5))
    -0.97683
    """
    total = m.before + m.after
    return _over(m.product - m.before, m.before * (total - 2 * m.product), m.before * total)


def oldham_r(m: Moments) -> Floats:
    """Pearson's r of the planned change with the mean of baseline and target (Oldham 1962).

    Read: below 0 the spread narrows, above 0 it widens; its sign is that of SD ratio minus 1, so that the two are one
    finding.

    >>> float(oldham_r(moments(np.array([60.0, 70, 80, 90]), np.array([78.0, 80, 88, 92])))[0].round(5))
    -0.95865
    """
    total = m.before + m.after
    return _over(m.after - m.before, total**2 - 4 * m.product**2, total**2)


def sd_ratio(m: Moments) -> Floats:
    """SD of the targets over SD of the baselines (sigma-convergence).

    >>> float(sd_ratio(moments(np.array([60.0, 70, 80, 90]), np.array([78.0, 80, 88, 92])))[0].round(5))
    0.51186
    """
    return _over(np.sqrt(m.after), m.before, m.before * 0)


def ols_slope(m: Moments) -> Floats:
    """Least-squares slope of the planned change on the baseline: points more per point of lead.

    A slope below 0 does not mean that the spread narrows: the order may turn round.

    >>> float(ols_slope(moments(np.array([60.0, 70, 80, 90]), np.array([78.0, 80, 88, 92])))[0])
    -0.5
    """
    return np.divide(m.product, m.before, out=np.full_like(m.before, np.nan), where=m.before > EPS) - 1


def county_pairs(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of ``n`` counties, or as many drawn at random as a Theil-Sen slope needs to be settled.

    >>> [side.tolist() for side in county_pairs(3)]
    [[0, 0, 1], [1, 2, 2]]
    """
    if n * (n - 1) // 2 <= PAIRS_AT_MOST:
        return np.triu_indices(n, 1)
    draw = np.random.default_rng(SEED)
    one, step = draw.integers(0, n, PAIRS_AT_MOST), draw.integers(1, n, PAIRS_AT_MOST)
    return one, (one + step) % n


def theil_sen(first: Floats, change: Floats) -> float:
    """Median slope of the planned change on the baseline over all pairs of counties (Theil 1950; Sen 1968).

    Pairs with one baseline are left out; NaN when there is no other.

    >>> round(theil_sen(np.array([60.0, 70, 80, 90]), np.array([18.0, 10, 8, 2])), 5)
    -0.51667
    """
    one, other = county_pairs(len(first))
    run, rise = first[other] - first[one], change[other] - change[one]
    apart = np.abs(run) > EPS
    return float(np.median(rise[apart] / run[apart])) if apart.any() else np.nan


# --- the null ---------------------------------------------------------------------------------------------


def null_r(first: Floats, last: Floats) -> tuple[Floats, bool]:
    """Mean of :func:`naive_r` over the indicators, for the assignments of the final targets to the counties.

    ``first, last``: one row per county, one column per indicator, NaN where it has no number. A county's targets move
    together, so that what the indicators share stays shared. All assignments up to seven counties, else 999 drawn at
    random with a fixed seed. Returns the values, and whether they are all; NaN where no indicator has three counties.

    >>> null, exact = null_r(np.array([[60.0], [70], [80], [90]]), np.array([[78.0], [80], [88], [92]]))
    >>> len(null), float(null.mean().round(4)), exact
    (24, -0.9141, True)
    """
    from scipy.stats import permutation_test

    n, exact = len(first), len(first) <= EXACT_AT_MOST
    done = permutation_test(
        (np.arange(n),), lambda order, axis: mean_r(first, last, order), permutation_type="pairings", vectorized=True,
        n_resamples=factorial(n) if exact else ASSIGNMENTS, batch=max(1, 1_000_000 // first.size), rng=SEED,
    )  # fmt: skip
    return done.null_distribution, exact


def mean_r(first: Floats, last: Floats, order: NDArray[np.int64]) -> Floats:
    """Mean over the indicators of :func:`naive_r`, when county ``i`` plans the targets of county ``order[..., i]``.

    >>> first, last = np.array([[60.0], [70], [80], [90]]), np.array([[78.0], [80], [88], [92]])
    >>> mean_r(first, last, np.array([[0, 1, 2, 3], [3, 2, 1, 0]])).round(3).tolist()
    [-0.977, -0.997]
    """
    x, y = (values - np.nanmean(values, axis=0) for values in (first, last))
    known_x, known_y = (~np.isnan(values) * 1.0 for values in (x, y))
    x, y = np.nan_to_num(x), np.nan_to_num(y)

    def total(a: Floats, b: Floats) -> Floats:
        return np.einsum("...nk,nk->...k", a[order], b)

    if known_x.all() and known_y.all():
        sums = Moments((x**2).sum(axis=0), (y**2).sum(axis=0), total(y, x))
        n = np.full(sums.product.shape, len(x))
    else:
        n = total(known_y, known_x)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean_x, mean_y = total(known_y, x) / n, total(y, known_x) / n
        before, after = total(known_y, x**2) - n * mean_x**2, total(y**2, known_x) - n * mean_y**2
        sums = Moments(before, after, total(y, x) - n * mean_x * mean_y)
    r = np.where(n >= 3, naive_r(sums), np.nan)
    return mean_of_known(r)


class Chances(NamedTuple):
    """Probabilities under the null: of a value as low as observed, of one as extreme, and the least attainable."""

    lower: float
    two_sided: float
    attainable: float


def chances(observed: float, null: Floats, exact: bool) -> Chances:
    """How often the null is as low, or as extreme, as what is ``observed``; and the smallest two-sided p there can be.

    Among drawn assignments the observed one is counted in (Phipson and Smyth 2010), so that p is never 0.

    >>> first, last = np.array([[60.0], [70], [80], [90]]), np.array([[78.0], [80], [88], [92]])
    >>> [round(p, 4) for p in chances(float(mean_r(first, last, np.arange(4))), *null_r(first, last))]
    [0.1667, 0.3333, 0.0833]
    """
    more = 0 if exact else 1

    def share(mask: NDArray[np.bool_]) -> float:
        return float((mask.sum() + more) / (len(null) + more))

    lower, upper = share(null <= observed + EPS), share(null >= observed - EPS)
    ends = [share(null <= null.min() + EPS), share(null >= null.max() - EPS)] if exact else [1 / (len(null) + 1)]
    return Chances(lower, min(1.0, 2 * min(lower, upper)), min(1.0, 2 * min(ends)))


# --- what rounding and bounds allow -----------------------------------------------------------------------


def r_bounds(u: Floats, v: Floats, off_u: Floats, off_v: Floats) -> Interval:
    """Outer bounds of Pearson's r when ``u`` and ``v`` may move by up to ``off_u`` and ``off_v`` in each county.

    r is the cosine of the angle between the centred vectors, and a move no longer than ``e`` turns a vector of length
    ``l`` by at most ``arcsin(e / l)``.

    >>> [round(end, 2) for end in r_bounds(np.array([1.0, 2, 3]), np.array([1.0, 2, 4]), np.full(3, 0.05), np.zeros(3))]
    [0.97, 0.99]
    """
    u, v = u - u.mean(), v - v.mean()
    lengths = [float(np.linalg.norm(vector)) for vector in (u, v)]
    moves = [float(np.linalg.norm(off)) for off in (off_u, off_v)]
    if min(lengths) <= EPS:
        return np.nan, np.nan
    angle = float(np.arccos(np.clip(u @ v / (lengths[0] * lengths[1]), -1, 1)))
    turns = [float(np.arcsin(e / length)) if e < length else np.pi for e, length in zip(moves, lengths, strict=True)]
    slack = sum(turns)
    return float(np.cos(min(angle + slack, np.pi))), float(np.cos(max(angle - slack, 0)))


def slope_bounds(u: Floats, v: Floats, off_u: Floats, off_v: Floats) -> Interval:
    """Outer bounds of the least-squares slope of ``v`` on ``u``: r times the ratio of the lengths.

    >>> [round(end, 2) for end in slope_bounds(np.array([1.0, 2, 3]), np.array([2.0, 4, 6]), np.zeros(3), np.zeros(3))]
    [2.0, 2.0]
    """
    r = r_bounds(u, v, off_u, off_v)
    long_u, long_v = (float(np.linalg.norm(x - x.mean())) for x in (u, v))
    move_u, move_v = (float(np.linalg.norm(off)) for off in (off_u, off_v))
    if move_u >= long_u or not np.isfinite(move_v):
        return -np.inf, np.inf
    ratios = max(long_v - move_v, 0) / (long_u + move_u), (long_v + move_v) / (long_u - move_u)
    ends = np.outer(r, ratios)
    return float(ends.min()), float(ends.max())


def theil_sen_bounds(first: Floats, change: Floats, off_first: Floats, off_change: Floats) -> Interval:
    """Outer bounds of :func:`theil_sen`: the medians of the least and of the largest slopes of the pairs.

    >>> first, change = np.array([60.0, 70, 80, 90]), np.array([18.0, 10, 8, 2])
    >>> [round(end, 3) for end in theil_sen_bounds(first, change, np.zeros(4), np.full(4, 0.5))]
    [-0.558, -0.475]
    """
    one, other = county_pairs(len(first))
    run, rise = first[other] - first[one], change[other] - change[one]
    off_run, off_rise = off_first[other] + off_first[one], off_change[other] + off_change[one]
    apart = np.abs(run) + off_run > EPS  # a pair that prints one baseline may differ before rounding
    run, rise, off_run, off_rise = run[apart], rise[apart], off_run[apart], off_rise[apart]
    sure = np.abs(run) > off_run + EPS
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.stack([(rise + a * off_rise) / (run + b * off_run) for a in (-1, 1) for b in (-1, 1)])
    low, high = np.where(sure, slopes.min(axis=0), -np.inf), np.where(sure, slopes.max(axis=0), np.inf)
    return float(np.median(low)), float(np.median(high))


# --- the card ---------------------------------------------------------------------------------------------


def association(targets: pd.DataFrame) -> pd.DataFrame:
    """Say for every indicator, domain and all indicators together how planned change goes with the baseline.

    ``targets``: the frame of ``load_targets``; only counties with a baseline and a final number count. Returns long
    rows ``domain, indicator, number, measure, value, lo, hi, loo_lo, loo_hi, n, status, flags``. Per indicator:
    ``naive_r`` beside ``null_mean_r``, ``p_lower``, ``p_two_sided`` and ``p_attainable`` (the smallest two-sided p that
    so many counties can give), ``oldham_r``, ``sd_ratio``, ``ols_slope``, ``theil_sen_slope``, and where a best value
    is declared ``ols_slope_same_change``, the slope if all planned the same change as far as the ceiling lets them.
    A domain (``indicator`` empty) or all (``domain`` empty too) have the mean of ``naive_r`` over the indicators that
    are not ``forced``, with its null. ``[lo, hi]`` is what rounding and bounds allow (an outer bound), ``[loo_lo,
    loo_hi]`` the range of the value without each county in turn. Absolute counts need a column ``population``. Raises
    ValueError for two values of one region, indicator and year. Source: docs/methods.md.

    How to read it: the sign of ``oldham_r``, which is that of ``sd_ratio`` minus 1, is the finding; ``naive_r`` is
    below 0 even among unrelated numbers, so that only its distance from ``null_mean_r`` says anything.

    >>> frame = pd.DataFrame({"region": list("abcd") * 2, "level": "county",
    ...     "indicator": "wage_arrears_resolved", "year": [2022] * 4 + [2027] * 4,
    ...     "role": ["baseline"] * 4 + ["target"] * 4, "kind": "point", "resolution": 1.0, "state": np.nan,
    ...     "value": [60.0, 70, 80, 90, 78, 80, 88, 92]})
    >>> card = association(frame).query("indicator != ''").set_index("measure")["value"]
    >>> card[["naive_r", "null_mean_r", "p_lower", "oldham_r", "sd_ratio"]].round(4).tolist()
    [-0.9768, -0.9141, 0.1667, -0.9586, 0.5119]
    """
    return associations_of(panel(targets, names.indicators_of(targets)))


class _Usable(NamedTuple):
    """An indicator that may be pooled: its ends, and its r of all counties and without each."""

    domain: str
    regions: NDArray[np.object_]
    ends: Floats
    r: Floats


def associations_of(p: Panel) -> pd.DataFrame:
    """Measure the associations of a panel; :func:`association` says what comes out.

    >>> nothing = pd.DataFrame(columns="region level indicator year role kind value resolution state".split())
    >>> associations_of(panel(nothing, names.indicators_of(nothing)))["indicator"].tolist()
    ['']
    """
    rows: list[Row] = []
    usable: list[_Usable] = []
    for one in by_indicator(counties_of(p)):
        key, both = tuple(one.rows.loc[0, ["domain", "indicator", "number"]]), balanced(one)
        refusal = _refusal(both)
        if refusal in ("", "forced"):
            marks = remarks(one, len(both.rows))
            rows += _card(key, both, marks | ({refusal} - {""}))
        else:
            rows.append(Row(key, "naive_r", np.nan, len(both.rows), {refusal}))
        if refusal == "":
            usable.append(_Usable(key[0], both.of("region"), both.value, naive_r(moments(*both.value.T))))
    for domain in dict.fromkeys([*filter(None, pd.unique(p.of("domain"))), ""]):
        rows += _pooled(domain, [one for one in usable if domain in ("", one.domain)])
    return tabulate(rows, ["domain", "indicator", "number"])


def _refusal(both: Panel) -> str:
    """Why there is no card, or that its correlations are forced."""
    first, last = both.value.T
    reasons = {
        refused(both): True,
        "too_few": len(first) < 3,
        "identical": len(first) > 0 and np.ptp(first) <= EPS,
        "forced": len(first) > 0 and np.ptp(last) <= EPS,
        "parallel": len(first) > 0 and np.ptp(last - first) <= EPS,
    }
    return next((name for name, yes in reasons.items() if name and yes), "")


def _card(key: tuple, both: Panel, marks: set[str]) -> Iterator[Row]:
    (first, last), change = both.value.T, both.value[:, 1] - both.value[:, 0]
    n, best = len(first), float(both.of("best")[0])
    off_first, off_last = np.maximum(both.hi - both.value, both.value - both.lo).T
    off_change = off_first + off_last
    marks = marks | {name for name in ("bounded", "from_text") if getattr(both, name).any()}
    outer, m = marks | {"outer_bound"}, moments(first, last)

    def row(measure: str, values: Floats, interval: Interval, held: set[str]) -> Row:
        return Row(key, measure, float(values[0]), n, held, interval, values[1:] if n > 3 else NOTHING)

    r, oldham, ratio, slope = naive_r(m), oldham_r(m), sd_ratio(m), ols_slope(m)
    rounding, widest = (ratio_bounds(spread.sd_bounds, q)[0] for q in (both.committed(), both))
    unresolved = contains_one(rounding)
    doubts = {"unresolved"} if unresolved else {"open_bound"} if contains_one(widest) else set()
    if n > 3 and (side(ratio[1:] - 1) != side(ratio[:1] - 1)).any():
        doubts = doubts | {"leave_one_out_flips"}
    yield row("naive_r", r, r_bounds(first, change, off_first, off_change), outer | {"descriptive"})
    yield from _null_rows(key, n, float(r[0]), null_r(first[:, None], last[:, None]), marks)
    yield row("oldham_r", oldham, r_bounds(first + last, change, off_change, off_change), outer | doubts)
    yield row("sd_ratio", ratio, widest, marks | doubts)
    yield row("ols_slope", slope, slope_bounds(first, change, off_first, off_change), outer | {"descriptive"})
    robust = [theil_sen(first, change)]
    if n <= LEFT_OUT_AT_MOST:
        robust += [theil_sen(np.delete(first, at), np.delete(change, at)) for at in range(n)]
    allowed = theil_sen_bounds(first, change, off_first, off_change)
    yield row("theil_sen_slope", np.array(robust), allowed, outer | {"descriptive"})
    if not np.isnan(best):
        cut = ols_slope(moments(first, spread.same_change(first, float(last.mean()), best)))
        yield row("ols_slope_same_change", cut[:1], (np.nan, np.nan), marks | {"descriptive"})


def _null_rows(key: tuple, n: int, observed: float, null: tuple[Floats, bool], marks: set[str]) -> Iterator[Row]:
    marks = marks | (set() if null[1] else {"monte_carlo"})
    found = {"null_mean_r": float(null[0].mean())}
    found |= {f"p_{name}": p for name, p in chances(observed, *null)._asdict().items()}
    for measure, value in found.items():
        yield Row(key, measure, value, n, marks)


def _pooled(domain: str, usable: list[_Usable]) -> Iterator[Row]:
    """Mean r over indicators, the counties' labels permuted jointly."""
    key = (domain, "", None)
    regions = np.unique(np.concatenate([one.regions for one in usable])) if usable else NOTHING
    if not len(regions):
        yield Row(key, "naive_r", np.nan, 0, {"too_few"})
        return
    first, last, without = (np.full((len(regions), len(usable)), np.nan) for _ in range(3))
    for column, one in enumerate(usable):
        at = np.searchsorted(regions, one.regions)
        first[at, column], last[at, column] = one.ends.T
        without[:, column] = one.r[0]
        without[at, column] = one.r[1:]
    observed = float(mean_r(first, last, np.arange(len(regions))))
    left = mean_of_known(without) if len(regions) > 3 else NOTHING
    marks = {"incomplete"} if np.isnan(first).any() else set()
    yield Row(key, "naive_r", observed, len(regions), marks | {"descriptive"}, without=left)
    yield from _null_rows(key, len(regions), observed, null_r(first, last), marks)
