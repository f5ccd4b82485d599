"""Do counties that start low plan more than reshuffling the targets would give? (METHODS B)

Change and baseline share the baseline, so that their correlation is negative by construction. It is shown only beside
its null: the same correlation over all assignments of the final targets to the counties. Pure functions take ``first``
and ``last``, one value per county. Source: docs/methods.md, section Association.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import factorial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qyx_analysis.measures.dispersion import Span, doubt, ratio_bounds, remarks, spread_ratio
from qyx_analysis.measures.panel import EPS, Floats, Masks, Panel, mean_of_known, panel
from qyx_analysis.measures.results import NOTHING, Row, side, tabulate
from qyx_analysis.measures.spread import SD, Measure, leave_one_out

EXACT_AT_MOST = 7  # counties of which all assignments are tried: 7! = 5040
ASSIGNMENTS = 999  # drawn at random beyond: no p below 2/1000
SEED = 2022


def naive_r(first: Floats, last: Floats) -> Floats:
    """Pearson's r of the planned change with the baseline along the last axis: read it only beside its null.

    Counties without one of the two (NaN) are left out; NaN where all others plan or start alike.

    >>> naive_r(np.array([60.0, 70, 80, 90]), np.array([78.0, 80, 88, 92])).round(5).tolist()
    -0.97683
    """
    known = np.isfinite(first + last)
    n = np.maximum(known.sum(axis=-1, keepdims=True), 1)
    x, y = (np.where(known, values, 0) for values in (first, last))
    x, y = (np.where(known, values - values.sum(axis=-1, keepdims=True) / n, 0) for values in (x, y))
    before, moved, after = ((values**2).sum(axis=-1) for values in (x, y - x, y))
    sure = before * moved > 1e-12 * before * (before + after) + EPS**2  # the rest is binary noise
    return np.divide((x * (y - x)).sum(axis=-1), np.sqrt(before * moved), out=np.full(sure.shape, np.nan), where=sure)


# --- the null ---------------------------------------------------------------------------------------------


def null_r(first: Floats, last: Floats) -> tuple[Floats, bool]:
    """Mean of :func:`naive_r` over the indicators, for the assignments of the final targets to the counties.

    ``first, last``: one row per county, one column per indicator, NaN where it has no number. A county's targets move
    together, so that what the indicators share stays shared; each indicator's move among the counties that have
    numbers for it, so that every assignment is a mean over the same indicators. All assignments up to seven counties,
    else 999 drawn at random with a fixed seed. Returns the values, and whether they are all; NaN where no indicator
    has three counties.

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
    each = [_shuffled_r(x, y, order) for x, y in zip(first.T, last.T, strict=True)]
    return mean_of_known(np.stack(each, axis=-1))


def _shuffled_r(x: Floats, y: Floats, order: NDArray[np.int64]) -> Floats:
    """:func:`naive_r` of one indicator, its targets shuffled in this order among the counties that have numbers."""
    known = np.isfinite(x + y)
    if known.sum() < 3 or np.ptp(x[known]) <= EPS:
        return np.full(order.shape[:-1], np.nan)
    drawn = order[known[order]].reshape(*order.shape[:-1], -1)
    return np.nan_to_num(naive_r(x[known], y[drawn]))  # where a shuffle makes all plan alike nothing goes with x


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

    def share(mask: Masks) -> float:
        return float((mask.sum() + more) / (len(null) + more))

    lower, upper = share(null <= observed + EPS), share(null >= observed - EPS)
    ends = [share(null <= null.min() + EPS), share(null >= null.max() - EPS)] if exact else [1 / (len(null) + 1)]
    return Chances(lower, min(1.0, 2 * min(lower, upper)), min(1.0, 2 * min(ends)))


def r_bounds(u: Floats, v: Floats, off_u: Floats, off_v: Floats) -> Span:
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


# --- the table --------------------------------------------------------------------------------------------


def association(targets: pd.DataFrame) -> pd.DataFrame:
    """Say for every indicator, domain and all indicators together how planned change goes with the baseline.

    ``targets``: the frame of ``load_targets``; only counties with a baseline and a final number count. Returns long
    rows ``domain, indicator, number, measure, value, lo, hi, loo_lo, loo_hi, n, status, flags``. Per indicator:
    ``naive_r`` beside ``null_mean_r``, ``p_lower``, ``p_two_sided`` and ``p_attainable`` (the smallest two-sided p that
    so many counties can give), and ``sd_ratio``. A domain (``indicator`` empty) or all (``domain`` empty too) have the
    mean of ``naive_r`` over the indicators that are not ``forced``, with its null. ``[lo, hi]`` is what rounding and
    bounds allow (of ``naive_r`` an outer bound), ``[loo_lo, loo_hi]`` the range of the value without each county in
    turn. Absolute counts need a column ``population``. Raises ValueError for two values of one region, indicator and
    year. Source: docs/methods.md.

    How to read it: ``naive_r`` is below 0 even among unrelated numbers. Low starters plan more than reshuffling the
    targets would give only where it lies below ``null_mean_r``; above it the counties keep their order.

    >>> frame = pd.DataFrame({"region": list("abcd") * 2, "level": "county",
    ...     "indicator": "wage_arrears_resolved", "year": [2022] * 4 + [2027] * 4,
    ...     "role": ["baseline"] * 4 + ["target"] * 4, "kind": "point", "resolution": 1.0, "state": np.nan,
    ...     "value": [60.0, 70, 80, 90, 78, 80, 88, 92]})
    >>> one = association(frame).query("indicator != ''").set_index("measure")["value"]
    >>> one[["naive_r", "null_mean_r", "p_lower", "sd_ratio"]].round(4).tolist()
    [-0.9768, -0.9141, 0.1667, 0.5119]
    """
    return measure_association(panel(targets))


def measure_association(p: Panel) -> pd.DataFrame:
    """The table of :func:`association`."""
    rows: list[Row] = []
    usable: list[Panel] = []
    for one in p.each:
        key, both = tuple(one.rows.loc[0, ["domain", "indicator", "number"]]), one.balanced
        refusal = _refusal(both)
        if refusal in ("", "forced"):
            rows += _indicator_rows(key, both, remarks(one, len(both.rows)) | ({refusal} - {""}))
        else:
            rows.append(Row(key, "naive_r", np.nan, len(both.rows), {refusal}))
        if refusal == "":
            usable.append(both)
    for domain in dict.fromkeys([*filter(None, pd.unique(p.of("domain"))), ""]):
        rows += _pooled_rows(domain, [one for one in usable if domain in ("", one.of("domain")[0])])
    return tabulate(rows, ["domain", "indicator", "number"])


def _refusal(both: Panel) -> str:
    """Why nothing is measured, or that the correlation is forced."""
    first, last = both.value.T
    if both.refusal or len(first) < 3:
        return both.refusal or "too_few"
    alike = {"identical": first, "forced": last, "parallel": last - first}
    return next((name for name, values in alike.items() if np.ptp(values) <= EPS), "")


def _indicator_rows(key: tuple, both: Panel, marks: set[str]) -> Iterator[Row]:
    (first, last), n = both.value.T, len(both.rows)
    marks = marks | {name for name in ("bounded", "from_text") if getattr(both, name).any()}

    def row(name: str, measure: Measure, interval: Span, held: set[str]) -> Row:
        without = leave_one_out(measure, first, last) if n > 3 else NOTHING
        return Row(key, name, float(measure(first, last)), n, held, interval, without)

    off_first, off_last = np.maximum(both.hi - both.value, both.value - both.lo).T
    allowed = r_bounds(first, last - first, off_first, off_first + off_last)
    r = row("naive_r", naive_r, allowed, marks | {"outer_bound", "descriptive"})
    rounding, widest = (ratio_bounds(SD.bounds, q)[0] for q in (both.committed(), both))
    ratio = row("sd_ratio", partial(spread_ratio, SD.measure), widest, marks | doubt(rounding, widest))
    turns = (side(ratio.without - 1) != side(ratio.value - 1)).any()
    yield r
    yield from _null_rows(key, n, r.value, null_r(first[:, None], last[:, None]), marks)
    yield ratio._replace(marks=ratio.marks | ({"leave_one_out_flips"} if turns else set()))


def _null_rows(key: tuple, n: int, observed: float, null: tuple[Floats, bool], marks: set[str]) -> Iterator[Row]:
    marks = marks | (set() if null[1] else {"monte_carlo"})
    found = {"null_mean_r": float(null[0].mean())}
    found |= {f"p_{name}": p for name, p in chances(observed, *null)._asdict().items()}
    for measure, value in found.items():
        yield Row(key, measure, value, n, marks)


def _pooled_rows(domain: str, usable: list[Panel]) -> Iterator[Row]:
    """Mean r over indicators, the counties' labels permuted jointly."""
    key = (domain, "", None)
    regions = np.unique(np.concatenate([one.of("region") for one in usable])) if usable else NOTHING
    if not len(regions):
        yield Row(key, "naive_r", np.nan, 0, {"too_few"})
        return
    first, last, without = np.full((3, len(regions), len(usable)), np.nan)
    for column, one in enumerate(usable):
        at = np.searchsorted(regions, one.of("region"))
        first[at, column], last[at, column] = one.value.T
        without[:, column] = naive_r(*one.value.T)
        without[at, column] = leave_one_out(naive_r, *one.value.T)
    observed = float(mean_r(first, last, np.arange(len(regions))))
    left = mean_of_known(without) if len(regions) > 3 else NOTHING
    marks = {"incomplete"} if np.isnan(first).any() else set()
    yield Row(key, "naive_r", observed, len(regions), marks | {"descriptive"}, without=left)
    yield from _null_rows(key, len(regions), observed, null_r(first, last), marks)
