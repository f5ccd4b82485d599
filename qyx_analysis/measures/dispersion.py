"""How far apart are the counties, and do their plans bring them together? (METHODS C)

:func:`dispersion` applies the measures of ``spread`` to the targets, :func:`domain_dispersion` sums them up by domain.
Source: docs/methods.md, section Dispersion.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from qyx_analysis.measures import spread
from qyx_analysis.measures.panel import EPS, Floats, Panel, common_final, log_of, logit_of, panel
from qyx_analysis.measures.results import NOTHING, Row, holds, side, tabulate
from qyx_analysis.measures.spread import (
    MEAN_DIFFERENCE,
    SD,
    SPREADS,
    Bounds,
    Measure,
    Spread,
    leave_one_out,
    variation_ratio,
)

Key = tuple[Any, ...]
Span = tuple[float, float]

_KEYS = ["indicator", "number", "year"]
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
    value is not above zero or the rounding of a share reaches 0 or 100); here ``[lo, hi]`` covers rounding and bounds.
    ``sd_ratio_same_change`` and ``sd_ratio_same_closure`` are what it would be if all planned the mean change, cut at
    the best value, or closed the same share of the gap. The row ``convergence`` carries the verdict in ``status``;
    ``common`` is one target for all, which ends any spread and is no convergence of choices. Raises ValueError for two
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
    return measure_dispersion(panel(targets))


def measure_dispersion(p: Panel) -> pd.DataFrame:
    """The table of :func:`dispersion`."""
    rows = (row for one in p.each for part in (_yearly_rows(one), _comparison_rows(one)) for row in part)
    return tabulate(rows, _KEYS)


def measure_convergence(p: Panel) -> pd.DataFrame:
    """Of that table the last year against the first alone."""
    return tabulate((row for one in p.each for row in _comparison_rows(one)), _KEYS)


# --- year by year -----------------------------------------------------------------------------------------


def _yearly_rows(p: Panel) -> Iterator[Row]:
    state, odds = p.refusal == "state", logit_of(p)
    for at, year in enumerate(p.years):
        key, n = (*_about(p), year), int(np.isfinite(p.value[:, at]).sum())
        if p.refusal and not state:
            yield Row(key, "sd", np.nan, n, {p.refusal})
        elif n < 2:
            yield Row(key, "variation_ratio" if state else "sd", np.nan, n, {"too_few"})
        else:
            now = _year(key, p, at)
            yield from [_state_row(now)] if state else _number_rows(now)
            if p.of("scale")[0] == "share":
                yield _odds_row(now, _year(key, odds, at))


def _about(p: Panel) -> Key:
    """Code and number of the indicator of a panel."""
    return p.rows.at[0, "indicator"], p.rows.at[0, "number"]


def remarks(p: Panel, n: int) -> set[str]:
    """Flags of a result on ``n`` counties of one indicator."""
    flags = {"incomplete": 0 < n < len(p.rows), "per_resident": (p.of("scale") == "rate").any()}
    return {name for name, yes in flags.items() if yes}


class _Year(NamedTuple):
    """The numbers of one indicator and year, taken as exact, and bounds over all that they allow."""

    key: Key
    x: Floats
    lo: Floats
    hi: Floats
    marks: set[str]

    def row(self, name: str, measure: Measure, interval: Span, exact: bool = True) -> Row:
        """One measure, and its values without each county."""
        left = leave_one_out(measure, self.x) if len(self.x) > 2 else NOTHING
        marks = self.marks if exact else self.marks | {"outer_bound"}
        return Row(self.key, name, float(measure(self.x)), len(self.x), marks, interval, left)

    def spread(self, name: str, how: Spread) -> Row:
        """One measure of spread with what bounds allow."""
        low, high, exact = how.bounds(self.lo, self.hi)
        return self.row(name, how.measure, (low, high), exact)


def _year(key: Key, p: Panel, at: int) -> _Year:
    printed = np.isfinite(p.value[:, at])
    marks, q = remarks(p, printed.sum()), p.where(printed).unrounded()
    marks |= {name for name in ("bounded", "from_text") if getattr(q, name)[:, at].any()}
    return _Year(key, q.value[:, at], q.lo[:, at], q.hi[:, at], marks)


def _state_row(now: _Year) -> Row:
    value = float(variation_ratio(now.x))
    return now.row("variation_ratio", variation_ratio, (value, value))


def _number_rows(now: _Year) -> Iterator[Row]:
    yield now.row("mean", partial(np.mean, axis=-1), (float(now.lo.mean()), float(now.hi.mean())))
    yield from (now.spread(name, how) for name, how in SPREADS.items())


def _odds_row(now: _Year, odds: _Year) -> Row:
    """SD of the log odds of a share: what touches a limit becomes a bound there."""
    limited = {"at_limit"} if "bounded" in odds.marks - now.marks else set()
    return odds._replace(marks=now.marks | limited).spread("logit_sd", SD)


# --- the last year against the first ----------------------------------------------------------------------


def _comparison_rows(p: Panel) -> Iterator[Row]:
    key, both = (*_about(p), p.years[-1]), p.balanced
    n = len(both.rows)
    refusal = p.refusal or ("too_few" if n < 3 else "")
    if refusal:
        yield Row(key, "convergence", np.nan, n, {refusal})
        return
    marks = remarks(p, n)
    rows = [_ratio_row(key, both, *each, marks) for each in _two_scales(both)]
    yield from rows
    yield from _ceiling_rows(key, both, marks)
    yield Row(key, "convergence", np.nan, n, _verdict(rows))


def _two_scales(p: Panel) -> Iterator[tuple[str, Spread, Panel]]:
    """The spread as printed, and on the scale on which equal steps are equally hard."""
    yield "sd_ratio", SD, p
    if p.of("scale")[0] == "share" and not (odds := logit_of(p)).limited.any():
        yield "logit_sd_ratio", SD, odds
    elif np.isfinite((logs := log_of(p)).value).all():
        yield "log_sd_ratio", SD, logs
    else:
        yield "gini_mean_difference_ratio", MEAN_DIFFERENCE, p


def _ratio_row(key: Key, printed: Panel, measure: str, how: Spread, p: Panel, marks: set[str]) -> Row:
    """Final over baseline spread, its interval, and every county left out in turn."""
    start, end = p.value.T
    before, after = float(how.measure(start)), float(how.measure(end))
    if before <= EPS:
        return Row(key, measure, np.nan, len(p.rows), {"identical"})
    (widest, exact), (rounding, _) = (ratio_bounds(how.bounds, q) for q in (p, p.committed()))
    left_before, left_after = (leave_one_out(how.measure, x) for x in (start, end))
    found = {
        "bounded": printed.bounded.any(),
        "from_text": printed.from_text.any(),
        "outer_bound": not exact,
        "identical_targets": common_final(printed).all(),
        "leave_one_out_flips": (side(left_after - left_before) != side(after - before)).any(),
    }
    held = marks | doubt(rounding, widest) | {name for name, yes in found.items() if yes}
    without = leave_one_out(partial(spread_ratio, how.measure), start, end)
    return Row(key, measure, after / before, len(p.rows), held, widest, without)


def ratio_bounds(bounds: Bounds, p: Panel) -> tuple[Span, bool]:
    """Interval of the last spread over the first, and whether it is exact."""
    (least, most, exact), (last_least, last_most, last_exact) = (bounds(p.lo[:, at], p.hi[:, at]) for at in (0, 1))
    lo = last_least / most if most > 0 else 0.0
    hi = last_most / least if least > 0 else np.inf  # the first spread may be nothing
    return (lo, hi), exact and last_exact


def spread_ratio(measure: Measure, first: Floats, last: Floats) -> Floats:
    """The last spread over the first; NaN where there is no spread to begin with.

    >>> float(spread_ratio(spread.sd, np.array([80.0, 85, 90, 95]), np.array([90.0, 93, 96, 99])).round(3))
    0.6
    """
    before, after = np.asarray(measure(first)), measure(last)
    return np.divide(after, before, out=np.full(before.shape, np.nan), where=before > EPS)


def doubt(rounding: Span, bounds: Span) -> set[str]:
    """What stands against the side of 1 that a ratio is on: ``rounding`` alone, or only what bounds allow."""
    if holds(*rounding, 1):
        return {"unresolved"}
    return {"open_bound"} if holds(*bounds, 1) else set()


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
    if "identical_targets" in marks:
        return marks | {"common"}
    sides = {float(side(row.value - 1)) for row in rows}
    if {-1.0, 1.0} <= sides:
        return marks | {"scale_dependent"}
    if len(sides) > 1 or sides == {0.0}:
        return marks | {"unresolved"}
    return marks | {"converging" if sides == {-1.0} else "diverging"}


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
    return measure_domain_dispersion(panel(targets))


def measure_domain_dispersion(p: Panel) -> pd.DataFrame:
    """The table of :func:`domain_dispersion`."""
    regions = pd.Index(pd.unique(p.counties.of("region")))
    parts = [(one.of("domain")[0], _against_baseline(one, regions)) for one in p.each if not one.refusal]
    rows: list[Row] = []
    for domain in pd.unique(p.counties.of("domain")):
        own = [ratios for name, ratios in parts if name == domain]
        for at, year in enumerate(p.years[1:]):
            rows += _domain_rows((domain, year), [ratios[at] for ratios in own if not np.isnan(ratios[at]).all()])
    return tabulate(rows, ["domain", "year"])


def _against_baseline(p: Panel, regions: pd.Index) -> Floats:
    """Spread over the baseline's: years x two scales x (value, two intervals, without each region)."""
    ratios = np.full((len(p.years) - 1, 2, 5 + len(regions)), np.nan)
    for at, ratio in enumerate(ratios, start=1):
        both = p.at([0, at]).balanced
        if len(both.rows) < 3 or np.ptp(both.value[:, 0]) <= EPS:
            continue
        place = 5 + regions.get_indexer(both.of("region"))
        for row, (_, how, q) in zip(ratio, _two_scales(both), strict=True):
            row[:] = spread_ratio(how.measure, *q.value.T)
            row[1:3], row[3:5] = (ratio_bounds(how.bounds, r)[0] for r in (q, q.committed()))
            row[place] = leave_one_out(partial(spread_ratio, how.measure), *q.value.T)
    return ratios


def _domain_rows(key: Key, ratios: list[Floats]) -> Iterator[Row]:
    if not ratios:
        yield from (Row(key, measure, np.nan, 0, {"too_few"}) for measure in _DOMAIN_MEASURES)
        return
    means = np.mean(ratios, axis=0)
    opposed = {"scale_dependent"} if {-1.0, 1.0} <= set(side(means[:, 0] - 1)) else set()
    for measure, mean in zip(_DOMAIN_MEASURES, means, strict=True):
        value, without = float(mean[0]), mean[5:]
        widest, rounding = mean[1:3], mean[3:5]
        turns = (side(without - 1) * side(value - 1) < 0).any()
        marks = opposed | doubt(rounding, widest) | ({"leave_one_out_flips"} if turns else set()) | {"outer_bound"}
        yield Row(key, measure, value, len(ratios), marks, widest, without)
