"""How far apart are the counties, and do their plans bring them together? (METHODS C)

:func:`dispersion` applies the measures of ``spread`` to the targets, :func:`domain_dispersion` sums them up by domain.
Source: docs/methods.md, section Dispersion.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qyx_analysis import names
from qyx_analysis.measures import spread
from qyx_analysis.measures.common import EPS, NOTHING, Floats, Interval, Panel, Row, holds, panel, tabulate
from qyx_analysis.measures.scales import log_of, logit_of, per_resident
from qyx_analysis.measures.spread import (
    MEAN_DIFFERENCE,
    RANGE,
    SD,
    Bounds,
    Measure,
    Spread,
    leave_one_out,
    variation_ratio,
)

Key = tuple[Any, ...]

_DOMAIN_MEASURES = ("sd_ratio", "second_scale_ratio")


def dispersion(targets: pd.DataFrame) -> pd.DataFrame:
    """Measure the spread of the counties for every indicator and year, and whether the plans narrow it.

    ``targets``: the frame of ``load_targets``; only rows of ``level`` county count. Returns long rows
    ``indicator, number, year, measure, value, lo, hi, loo_lo, loo_hi, n, status, flags``. Numbers: ``mean, range, sd,
    gini_mean_difference`` in the indicator's unit, and for shares ``logit_sd``, which a complement leaves alone.
    States: ``variation_ratio``. Absolute counts are refused unless ``targets`` has a column ``population``: then they
    are rates per 100 residents. A local indicator that counties print in different units is ``not_comparable``. Here
    ``[lo, hi]`` is what bounds allow and ``[loo_lo, loo_hi]`` the range of the value when each county in turn is left
    out.

    In the last year ``sd_ratio`` compares the spread with the baseline for the counties that print both,
    beside a second scale (``logit_sd_ratio``, ``log_sd_ratio``, or ``gini_mean_difference_ratio`` where a
    value is not above zero); here ``[lo, hi]`` covers rounding and bounds. ``sd_ratio_same_change`` and
    ``sd_ratio_same_closure`` are what it would be if all planned the same change, or closed the same share of the gap,
    with the mean of the plans. The row ``convergence`` carries the verdict in ``status``. Raises ValueError for two
    values of one region, indicator and year, or a population not above zero. Source: docs/methods.md.

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
    return _measured(panel(targets, names.indicators_of(targets)))


def counties_of(p: Panel) -> Panel:
    """Only the counties; absolute counts as rates where a population is known.

    >>> nothing = pd.DataFrame(columns="region level indicator year role kind value resolution state".split())
    >>> len(counties_of(panel(nothing, names.indicators_of(nothing))).rows)
    0
    """
    return per_resident(p.where(p.of("level") == "county"))


def by_indicator(p: Panel) -> Iterator[Panel]:
    """The panel of every indicator, in their order.

    >>> nothing = pd.DataFrame(columns="region level indicator year role kind value resolution state".split())
    >>> list(by_indicator(panel(nothing, names.indicators_of(nothing))))
    []
    """
    codes = p.of("indicator")
    for code in names.in_order(p.rows.drop_duplicates("indicator"), ["indicator"])["indicator"]:
        yield p.where(codes == code)


def refused(p: Panel) -> str:
    """Why the counties are not compared on one indicator, or nothing: the status to say so.

    >>> nothing = pd.DataFrame(columns="region level indicator year role kind value resolution state".split())
    >>> refused(panel(nothing, names.indicators_of(nothing)))
    ''
    """
    if (p.of("comparability") == "").any():
        return "not_comparable"
    scale = p.of("scale")[0] if len(p.rows) else ""
    return {"count": "absolute_count", "state": "state"}.get(scale, "")


def _measured(p: Panel) -> pd.DataFrame:
    rows = [row for one in by_indicator(counties_of(p)) for row in _indicator(one)]
    return tabulate(rows, ["indicator", "number", "year"])


def _indicator(p: Panel) -> Iterator[Row]:
    """All rows of one indicator: year by year, then the comparison of the last year with the first."""
    odds, why = logit_of(p), refused(p)
    code, number = p.rows.loc[0, ["indicator", "number"]]
    for column, year in enumerate(p.years):
        key, n = (code, number, year), int(np.isfinite(p.value[:, column]).sum())
        if why in ("absolute_count", "not_comparable"):
            yield _refused(key, "sd", n, why)
        elif n < 2:
            yield _refused(key, "variation_ratio" if why == "state" else "sd", n, "too_few")
        else:
            yield from _year_rows(p, odds, key, column, remarks(p, n))
    yield from _convergence_rows(p)


def remarks(p: Panel, n: int) -> set[str]:
    """Flags of a result on ``n`` counties of one indicator.

    >>> nothing = pd.DataFrame(columns="region level indicator year role kind value resolution state".split())
    >>> remarks(panel(nothing, names.indicators_of(nothing)), 0)
    set()
    """
    flags = {"incomplete": 0 < n < len(p.rows), "per_resident": (p.of("scale") == "rate").any()}
    return {name for name, yes in flags.items() if yes}


def _refused(key: Key, measure: str, n: int, status: str) -> Row:
    return Row(key, measure, np.nan, n, {status})


class _Year(NamedTuple):
    """The numbers of one indicator and year, taken as exact, and bounds over all that they allow."""

    key: Key
    x: Floats
    lo: Floats
    hi: Floats
    marks: set[str]

    def row(self, name: str, measure: Measure, interval: Interval, more: Set[str] = frozenset()) -> Row:
        """One measure, and its values without each county."""
        left = leave_one_out(measure, self.x) if len(self.x) > 2 else NOTHING
        return Row(self.key, name, float(measure(self.x)), len(self.x), self.marks | more, interval, left)

    def spread(self, name: str, how: Spread) -> Row:
        """One measure of spread with what bounds allow."""
        low, high, exact = how.bounds(self.lo, self.hi)
        return self.row(name, how.measure, (low, high), set() if exact else {"outer_bound"})


def _year(key: Key, p: Panel, column: int, marks: set[str]) -> _Year:
    p = p.where(np.isfinite(p.value[:, column])).unrounded()
    found = {name for name in ("bounded", "from_text") if getattr(p, name)[:, column].any()}
    return _Year(key, p.value[:, column], p.lo[:, column], p.hi[:, column], marks | found)


def _year_rows(p: Panel, odds: Panel, key: Key, column: int, marks: set[str]) -> Iterator[Row]:
    now, scale = _year(key, p, column, marks), p.of("scale")[0]
    if scale == "state":
        value = float(variation_ratio(now.x))
        yield now.row("variation_ratio", variation_ratio, (value, value))
        return
    yield now.row("mean", partial(np.mean, axis=-1), (float(now.lo.mean()), float(now.hi.mean())))
    yield now.spread("range", RANGE)
    yield now.spread("sd", SD)
    yield now.spread("gini_mean_difference", MEAN_DIFFERENCE)
    if scale == "share":
        other = _year(key, odds, column, marks)
        limited = {"at_limit"} if "bounded" in other.marks - now.marks else set()
        yield other._replace(marks=now.marks | limited).spread("logit_sd", SD)


# --- by domain --------------------------------------------------------------------------------------------


def domain_dispersion(targets: pd.DataFrame) -> pd.DataFrame:
    """Sum up by domain and year how the planned spread compares with the baseline's.

    ``targets``: the frame of ``load_targets``; only counties count. Returns long rows ``domain, year, measure, value,
    lo, hi, loo_lo, loo_hi, n, status, flags``. ``sd_ratio`` is the mean, over the ``n`` indicators of the
    domain, of the SD of the year over the baseline's, each for the counties that print both (three at least);
    ``second_scale_ratio`` the same on log odds for shares and on logs for ratio scales. Without a unit, so that the
    indicators may be put together; absolute counts need a column ``population``. ``[lo, hi]`` is an outer bound of
    what rounding and bounds allow, ``[loo_lo, loo_hi]`` the range without each county in turn.
    Raises ValueError for two values of one region, indicator and year. Source: docs/methods.md.

    How to read it: below 1 the plans of the domain narrow the spread on average; believe it where both scales are
    ``ok``.

    >>> frame = pd.DataFrame({"region": list("abcd") * 2, "level": "county",
    ...     "indicator": "wage_arrears_resolved", "year": [2022] * 4 + [2023] * 4,
    ...     "role": ["baseline"] * 4 + ["target"] * 4, "kind": "point", "resolution": 1.0, "state": np.nan,
    ...     "value": [80.0, 85, 90, 95, 90, 93, 96, 99]})
    >>> domain_dispersion(frame)[["measure", "value", "n", "status"]].round(3).values.tolist()
    [['sd_ratio', 0.6, 1, 'scale_dependent'], ['second_scale_ratio', 1.561, 1, 'scale_dependent']]
    """
    p = counties_of(panel(targets, names.indicators_of(targets)))
    regions = pd.unique(p.of("region"))
    parts = [_against_baseline(one, regions) for one in by_indicator(p) if not refused(one)]
    rows: list[Row] = []
    for domain in pd.unique(p.of("domain")):
        own = [part.ratios for part in parts if part.domain == domain]
        for at, year in enumerate(p.years[1:]):
            rows += _domain_rows((domain, year), [ratios[at] for ratios in own if not np.isnan(ratios[at]).all()])
    return tabulate(rows, ["domain", "year"])


class _Part(NamedTuple):
    """Spread over the baseline's: years x two scales x (value, three intervals, without each region)."""

    domain: str
    ratios: Floats


def _against_baseline(p: Panel, regions: NDArray[np.object_]) -> _Part:
    ratios = np.full((len(p.years) - 1, 2, 7 + len(regions)), np.nan)
    for at, ratio in enumerate(ratios, start=1):
        both = balanced(p.at([0, at]))
        if len(both.rows) < 3 or np.ptp(both.value[:, 0]) <= EPS:
            continue
        place = 7 + pd.Index(regions).get_indexer(both.of("region"))
        for row, (_, how, q) in zip(ratio, _two_scales(both), strict=True):
            row[:] = spread_ratio(how.measure, *q.value.T)
            row[1:3], row[3:5], row[5:7] = (ratio_bounds(how.bounds, r)[0] for r in _readings(both, q))
            row[place] = leave_one_out(partial(spread_ratio, how.measure), *q.value.T)
    return _Part(str(p.of("domain")[0]), ratios)


def spread_ratio(measure: Measure, first: Floats, last: Floats) -> Floats:
    """The last spread over the first; NaN where there is no spread to begin with.

    >>> float(spread_ratio(spread.sd, np.array([80.0, 85, 90, 95]), np.array([90.0, 93, 96, 99])).round(3))
    0.6
    """
    before, after = np.asarray(measure(first)), measure(last)
    return np.divide(after, before, out=np.full(before.shape, np.nan), where=before > EPS)


def _domain_rows(key: Key, ratios: list[Floats]) -> Iterator[Row]:
    if not ratios:
        yield from (_refused(key, measure, 0, "too_few") for measure in _DOMAIN_MEASURES)
        return
    means = np.mean(ratios, axis=0)
    opposed = {"scale_dependent"} if {-1.0, 1.0} <= set(side(means[:, 0] - 1)) else set()
    for measure, mean in zip(_DOMAIN_MEASURES, means, strict=True):
        value, without = float(mean[0]), mean[7:]
        widest, rounding, bounds = zip(mean[1:7:2], mean[2:7:2], strict=True)
        doubt = {"unresolved"} if contains_one(rounding) else {"open_bound"} if contains_one(bounds) else set()
        turns = (side(without - 1) * side(mean[0] - 1) < 0).any()
        flips = {"leave_one_out_flips"} if turns else set()
        marks = opposed | doubt | flips | {"outer_bound"}
        yield Row(key, measure, value, len(ratios), marks, widest, without)


# --- the last year against the first ----------------------------------------------------------------------


def balanced(p: Panel) -> Panel:
    """The first and the last year of the rows that have a number in both.

    >>> nothing = pd.DataFrame(columns="region level indicator year role kind value resolution state".split())
    >>> balanced(panel(nothing, names.indicators_of(nothing))).years.tolist()
    [0, 1]
    """
    ends = p.at([0, -1])
    return ends.where(np.isfinite(ends.value[:, 0] + ends.value[:, 1]))


def _two_scales(p: Panel) -> Iterator[tuple[str, Spread, Panel]]:
    """The spread as printed, and on the scale on which equal steps are equally hard."""
    yield "sd_ratio", SD, p
    if p.of("scale")[0] == "share":
        yield "logit_sd_ratio", SD, logit_of(p)
    elif np.isfinite((logs := log_of(p)).value).all():
        yield "log_sd_ratio", SD, logs
    else:
        yield "gini_mean_difference_ratio", MEAN_DIFFERENCE, p


def convergence_of(p: Panel) -> Set[str]:
    """Status and flags of the verdict on one indicator.

    >>> frame = pd.DataFrame({"region": list("abc"), "level": "county", "indicator": "pension_insured", "year": 2022,
    ...     "role": "baseline", "kind": "point", "resolution": 1.0, "state": np.nan, "value": 80.0})
    >>> convergence_of(panel(frame, names.indicators_of(frame)))
    {'absolute_count'}
    """
    *_, last = _convergence_rows(p)
    return last.marks


def _convergence_rows(p: Panel) -> Iterator[Row]:
    key = (*p.rows.loc[0, ["indicator", "number"]], p.years[-1])
    both = balanced(p)
    n = len(both.rows)
    if refused(p):
        yield _refused(key, "convergence", n, refused(p))
    elif n < 3:
        yield _refused(key, "convergence", n, "too_few")
    else:
        marks = remarks(p, n)
        rows = [_ratio_row(key, both, *each, marks) for each in _two_scales(both)]
        yield from rows
        yield from _ceiling_rows(key, both, marks)
        yield Row(key, "convergence", np.nan, n, _verdict(rows))


def _ceiling_rows(key: Key, both: Panel, marks: set[str]) -> Iterator[Row]:
    """What the ceiling alone would do to the spread: no verdict, numbers as printed."""
    (first, last), best = both.value.T, float(both.of("best")[0])
    if np.isnan(best) or spread.sd(first) <= EPS:
        return
    for plan in (spread.same_change, spread.same_closure):
        value = float(spread_ratio(spread.sd, first, plan(first, float(last.mean()), best)))
        yield Row(key, f"sd_ratio_{plan.__name__}", value, len(first), marks | {"descriptive"})


def _verdict(rows: list[Row]) -> set[str]:
    """All marks of the scales together, and where the scales agree the direction."""
    marks = set().union(*(row.marks for row in rows))
    if "identical" in marks:
        return marks
    sides = {float(side(np.array(row.value - 1))) for row in rows}
    if {-1.0, 1.0} <= sides:
        return marks | {"scale_dependent"}
    if len(sides) > 1 or sides == {0.0}:
        return marks | {"unresolved"}
    return marks | {"converging" if sides == {-1.0} else "diverging"}


def _ratio_row(key: Key, printed: Panel, measure: str, how: Spread, p: Panel, marks: set[str]) -> Row:
    """Final over baseline spread, its interval, and every county left out in turn."""
    start, end = p.value.T
    before, after = float(how.measure(start)), float(how.measure(end))
    if before <= EPS:
        return _refused(key, measure, len(p.rows), "identical")
    (widest, exact), (rounding, _), (bounds, _) = (ratio_bounds(how.bounds, q) for q in _readings(printed, p))
    touching = p.bounded & ~printed.bounded
    left_before, left_after = (leave_one_out(how.measure, x) for x in (start, end))
    turns = side(left_after - left_before) != side(np.array(after - before))
    unresolved = contains_one(rounding)
    found = {
        "unresolved": unresolved,
        "open_bound": contains_one(bounds) and not unresolved,
        "bounded": printed.bounded.any(),
        "from_text": printed.from_text.any(),
        "at_limit": touching.any(),
        "outer_bound": not exact,
        "identical_targets": after <= EPS,
        "leave_one_out_flips": turns.any(),
    }
    held = marks | {name for name, yes in found.items() if yes}
    without = leave_one_out(partial(spread_ratio, how.measure), start, end)
    return Row(key, measure, after / before, len(p.rows), held, widest, without)


def _readings(printed: Panel, p: Panel) -> tuple[Panel, Panel, Panel]:
    """Everything open; rounding alone; bounds too, but what touches a limit half a digit inside it, for the verdict."""
    return p, p.committed(), p._replace(bounded=p.bounded & ~printed.bounded).committed()


def ratio_bounds(bounds: Bounds, p: Panel) -> tuple[Interval, bool]:
    """Interval of the last spread over the first, and whether it is exact.

    >>> nothing = pd.DataFrame(columns="region level indicator year role kind value resolution state".split())
    >>> p = panel(nothing, names.indicators_of(nothing))
    >>> box = np.array([[1.0, 2.0], [3.0, 8.0]])
    >>> ratio_bounds(RANGE.bounds, p._replace(lo=box, hi=box))
    ((3.0, 3.0), True)
    """
    (least, most, exact), (last_least, last_most, last_exact) = (bounds(p.lo[:, at], p.hi[:, at]) for at in (0, 1))
    lo = last_least / most if most > 0 else 0.0
    hi = last_most / least if least > 0 else np.inf  # the first spread may be nothing
    return (lo, hi), exact and last_exact


def contains_one(interval: Interval) -> bool:
    """Say whether an interval of a ratio holds 1.

    >>> contains_one((0.5, 1.0)), contains_one((0.5, 0.9))
    (True, False)
    """
    return bool(holds(np.array(interval[0]), np.array(interval[1]), 1))


def side(difference: Floats) -> Floats:
    """-1, 0 or +1, binary noise taken as 0.

    >>> side(np.array([-2.0, 1e-12, 3.0])).tolist()
    [-1.0, 0.0, 1.0]
    """
    return np.where(np.abs(difference) <= EPS, 0, np.sign(difference))
