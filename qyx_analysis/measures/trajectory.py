"""When is the planned change planned to come? Shape of every county's own path (METHODS A).

One measure is one function of the list ``MEASURES``: it takes a :class:`Path` and gives its rows, its docstring has the
formula. A path that ends where it began has no shape (NaN). Source: docs/methods.md, section Trajectory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qyx_analysis.measures.panel import EPS, Floats, Masks, Panel, falls, fill, panel
from qyx_analysis.measures.results import (
    Conditions,
    Interval,
    corners,
    doubts,
    holds,
    net_change,
    reasons,
    result,
    stack,
    undirected,
)

Rows = Iterator[pd.DataFrame]


def trajectory(targets: pd.DataFrame) -> pd.DataFrame:
    """Describe the planned path of every region and indicator: when the change comes and how straight.

    ``targets``: the frame of ``load_targets``. Returns long rows ``region, indicator, number, measure,
    value, lo, hi, n, status, flags``; every pair has a ``front_loading`` row, with NaN and the reason in
    ``status`` where there is no result. ``[lo, hi]`` is what rounding and bounds allow, ``n`` the printed
    numbers used. Shares and indices have no unit, years are calendar years, additions are in the
    indicator's unit. Of a row whose direction is not known only ``reversals`` is refused
    (``direction_unknown``), and its yearly pace has the sign as printed. Raises ValueError for two values of one
    region, indicator and year. Source: docs/methods.md.

    How to read it: take sentences from rows whose status is ``ok``; any other status says what stands
    against it.

    >>> frame = pd.DataFrame({"region": "330213", "level": "county", "indicator": "wage_arrears_resolved",
    ...     "year": range(2022, 2028), "role": ["baseline"] + ["target"] * 5, "kind": "point",
    ...     "value": [50.0, 62, 66, 68, 69, 70], "resolution": 1.0, "state": np.nan})
    >>> table = trajectory(frame).set_index("measure")
    >>> float(table.loc["front_loading", "value"].round(3)), table.loc["front_loading", "status"]
    (0.625, 'ok')
    """
    return measure_trajectory(panel(targets))


def measure_trajectory(p: Panel) -> pd.DataFrame:
    """The table of :func:`trajectory`."""
    path = Path(p)
    return stack(rows for measure in MEASURES for rows in measure(path))


# --- formulas on paths: one row per path, one column per year, the baseline first -------------------------


def shares(paths: Floats) -> Floats:
    """Share of the planned net change that is planned to be done by each year, ``(y - y0) / (yT - y0)``.

    >>> shares(np.array([[50.0, 54, 58, 62, 66, 70]])).tolist()
    [[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]]
    """
    change = paths - paths[:, :1]
    net = change[:, -1:]
    with np.errstate(invalid="ignore"):  # a bound without limit: infinity over infinity is unknown
        return change / np.where(np.abs(net) <= EPS, np.nan, net)


def front_loading(paths: Floats) -> Floats:
    """Front-loading index ``2 * mean(shares between the ends) - 1``, in [-1, 1] for a monotone path.

    Read: 0 is a straight line, above 0 more than half of the change is planned early, below 0 late. Twice
    the area between the path and the straight line, as for a Lorenz curve; unchanged by direction, unit and
    complement.

    >>> front_loading(np.array([[50.0, 62, 66, 68, 69, 70], [50, 51, 52, 54, 58, 70]])).round(3).tolist()
    [0.625, -0.625]
    """
    if paths.shape[1] < 3:
        return np.full(len(paths), np.nan)
    return 2 * shares(paths)[:, 1:-1].mean(axis=1) - 1


def zones(index: Floats, steps: Any) -> Floats:
    """The zone of a front-loading index of ``steps`` yearly steps: 1 early, 0 even, -1 late; NaN stays.

    Early and late are half a year of mean delivery or more away from the straight line, which of five steps is an
    index of a quarter.

    >>> zones(np.array([0.05, 0.25, -0.6]), 5).tolist()
    [0.0, 1.0, -1.0]
    """
    edge = 1 / np.maximum(np.asarray(steps) - 1, 1) - EPS
    return np.where(np.isnan(index), np.nan, np.select([index >= edge, index <= -edge], [1.0, -1.0], 0.0))


def spans_zones(lo: Floats, hi: Floats, steps: Any) -> Masks:
    """Say where an interval of the index reaches from one zone into another."""
    return np.isfinite(zones(lo, steps)) & (zones(lo, steps) != zones(hi, steps))


def path_interval(formula: Callable[[Floats], Floats], p: Panel) -> Interval:
    """Interval of a measure from the corners of the first year, the last year, and the years between.

    Exact for measures that move one way in each of the three; the years between move together.
    """
    return corners(
        lambda first, inner, last: formula(np.column_stack([first, inner, last])),
        *((p.lo[:, part], p.hi[:, part]) for part in (0, slice(1, -1), -1)),
        pole=lambda first, inner, last: last - first,
    )


# --- what every shape shares ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Path:
    """A panel read as paths, from the baseline to the last year."""

    p: Panel

    @cached_property
    def full(self) -> Panel:
        """With every gap on the line between its neighbours."""
        return replace(self.p, value=fill(self.p.value), lo=fill(self.p.lo), hi=fill(self.p.hi))

    @cached_property
    def printed(self) -> Masks:
        """Which years have a number of their own."""
        return np.isfinite(self.p.value)

    @cached_property
    def conditions(self) -> dict[str, Masks]:
        """The statuses that hold of any measure of the shape."""
        p, inner, fall = self.p, self.printed[:, 1:-1], falls(self.p)
        too_few = (~inner.all(axis=1) & (inner.sum(axis=1) < 2)) | (inner.shape[1] == 0)
        back = _reversals(self.full.value, p) > 0
        own = {"too_few_years": too_few, "non_monotone": fall, "reversing": back & ~fall}
        return {**reasons(p), **net_change(p), **own}

    @cached_property
    def shape(self) -> dict[str, Masks]:
        """The same, and whether a bound leaves the zone of the front-loading index open."""
        bounded = self.zoned["unresolved"] & ~self.conditions["unresolved"] & self.p.bounded.any(axis=1)
        return {**self.conditions, "open_bound": self.zoned["open_bound"] | bounded}

    @cached_property
    def index(self) -> Interval:
        """What rounding and bounds allow of the front-loading index."""
        return path_interval(front_loading, self.full)

    @cached_property
    def zoned(self) -> dict[str, Masks]:
        """The conditions with the doubts about the zone of the front-loading index."""
        steps, rounding = len(self.p.years) - 1, path_interval(front_loading, self.full.committed())
        return doubts(self.conditions, *(spans_zones(*interval, steps) for interval in (rounding, self.index)))

    @cached_property
    def interpolated(self) -> Masks:
        """Which paths have a gap between two printed ends."""
        return ~self.printed.all(axis=1) & self.printed[:, 0] & self.printed[:, -1]

    @cached_property
    def complete(self) -> dict[str, Any]:
        """The conditions of what is never interpolated."""
        return {**self.conditions, "gap": ~self.printed.all(axis=1)}

    def shaped(self, measure: str, value: Floats, interval: Interval, conditions: Conditions, *marks: str) -> Rows:
        """Rows of one measure of the shape, of the indicators that are numbers; ``marks``: flags of every result."""
        unshaped = self.conditions["too_few_years"] | self.conditions["non_monotone"] | self.conditions["state"]
        value = np.where(unshaped, np.nan, value)
        held = {"interpolated": self.interpolated, "outer_bound": np.ones(len(value), dtype=bool)}
        zone = np.where(np.logical_or.reduce(list(conditions.values())), 0, zones(value, len(self.p.years) - 1))
        held |= {"early": zone > 0, "late": zone < 0}  # only where nothing stands against it
        yield self.rows(measure, value, interval, conditions, {name: held[name] & np.isfinite(value) for name in marks})

    def rows(
        self,
        measure: str,
        value: Floats,
        interval: Interval,
        conditions: Conditions,
        flags: Conditions | None = None,
        printed: Masks | None = None,
    ) -> pd.DataFrame:
        """Rows of one measure of the whole path; those of states only for the measure that every pair has."""
        p = self.p
        shared = {
            "bounded": p.bounded.any(axis=1),
            "from_text": p.from_text.any(axis=1),
            "absolute_count": p.of("scale") == "count",
        }
        where = None if measure == "front_loading" else p.of("nature") != "state"
        n = (self.printed if printed is None else printed).sum(axis=1)
        return result(p, measure, value, interval, n, conditions, shared | dict(flags or {}), where)


# --- the measures -----------------------------------------------------------------------------------------


_MARKS = ("interpolated", "early", "late")


def front_loading_index(path: Path) -> Rows:
    """``2 * mean(s_1 ... s_T-1) - 1``: 0 straight, above 0 early, below 0 late."""
    yield from path.shaped("front_loading", front_loading(path.full.value), path.index, path.zoned, *_MARKS)


def front_loading_of_targets(path: Path) -> Rows:
    """The same on the target years alone, without the step from an observation to a plan."""
    later = Path(path.p.at(slice(1, None)))
    first, last = path.p.years[[1, -1]]
    value = front_loading(later.full.value)
    yield from later.shaped(f"front_loading_{first}_{last}", value, later.index, later.zoned, *_MARKS)


def mean_delivery_year(path: Path) -> Rows:
    """Last year less ``sum(s_1 ... s_T-1)``: the mean year in which a unit of the change is planned to be delivered."""
    years = path.p.years
    delivery, latest, earliest = (
        years[-1] - (len(years) - 2) * (index + 1) / 2 for index in (front_loading(path.full.value), *path.index)
    )
    yield from path.shaped("mean_delivery_year", delivery, (earliest, latest), path.zoned, "interpolated")


def half_change_year(path: Path) -> Rows:
    """First time at which the share is 1/2, on straight lines between the years."""
    reached = partial(_half_reached, years=path.p.years)
    interval = path_interval(reached, path.full)
    yield from path.shaped("half_change_year", reached(path.full.value), interval, path.shape, "interpolated")


def _half_reached(paths: Floats, years: NDArray[np.int64]) -> Floats:
    share = shares(np.clip(paths, -1e15, 1e15))  # an infinite bound as its limit
    reached = share >= 0.5 - EPS
    row, to = np.arange(len(paths)), np.maximum(reached.argmax(axis=1), 1)
    before, after = share[row, to - 1], share[row, to]
    with np.errstate(invalid="ignore", divide="ignore"):
        year = years[to - 1] + (0.5 - before) / (after - before)
    return np.where(reached.any(axis=1), year, np.nan)


def share_by_year(path: Path) -> Rows:
    """``s_t`` of the target years but the last; a gap there is not bridged, and one elsewhere does not concern it."""
    for at, year in enumerate(path.p.years[1:-1], start=1):
        yield from path.shaped(f"share_by_{year}", *_share_by(path, at))


def last_year_share(path: Path) -> Rows:
    """``1 - s_T-1``: what is left for the last year, 1/T on a straight line."""
    value, (low, high), conditions = _share_by(path, -2)
    yield from path.shaped("last_year_share", 1 - value, (1 - high, 1 - low), conditions)


def _share_by(path: Path, at: int) -> tuple[Floats, Interval, Conditions]:
    interval = path_interval(lambda paths: shares(paths)[:, at], path.full)
    return shares(path.p.value)[:, at], interval, {**path.shape, "gap": ~path.printed[:, at]}


def path_efficiency(path: Path) -> Rows:
    """``|yT - y0| / sum |steps|``: net change over the length of the way, 1 when the path never turns."""
    p, paths = path.full, path.full.value
    length = np.abs(np.diff(paths, axis=1)).sum(axis=1)
    value = np.abs(paths[:, -1] - paths[:, 0]) / np.where(length <= EPS, np.nan, length)
    short, long = _lengths(*_steps(p))
    near, far = _lengths(p.lo[:, -1] - p.hi[:, 0], p.hi[:, -1] - p.lo[:, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        interval = near / long.sum(axis=1), np.fmin(1, far / short.sum(axis=1))
    yield from path.shaped("path_efficiency", value, interval, path.shape, "interpolated", "outer_bound")


def longest_plateau(path: Path) -> Rows:
    """Longest run of steps of at most half a printed digit (that is rounding, so bounds alone open it), in years."""
    p, limit = path.p, path.p.delta[:, None] / 2 + EPS
    run = _longest_run(np.abs(np.diff(p.value, axis=1)) <= limit)
    value = np.where(path.printed.all(axis=1), run, np.nan)
    low, high = (_longest_run(end <= limit) for end in _lengths(*_steps(p.unrounded())))
    yield from path.shaped("longest_plateau", value, (high, low), path.complete)


def reversals(path: Path) -> Rows:
    """Number of yearly steps against the direction by more than half a printed digit; bounds alone leave it open."""
    p, undecided = path.p, undirected(path.p)
    value = np.where(undecided["no_direction"] | undecided["direction_unknown"], np.nan, _reversals(p.value, p))
    down, up = _steps(p.unrounded())
    sign = np.nan_to_num(p.of("direction"))[:, None]
    least = np.where(sign == 0, 0, np.where(sign > 0, down, -up))
    most = np.where(sign == 0, 0, np.where(sign > 0, up, -down))
    limit = -p.delta[:, None] / 2 - EPS
    interval = (most < limit).sum(axis=1).astype(float), (least < limit).sum(axis=1).astype(float)
    yield path.rows("reversals", value, interval, path.complete | undecided)


def _reversals(paths: Floats, p: Panel) -> Floats:
    steps = np.diff(paths, axis=1)
    back = p.of("direction")[:, None] * steps < -p.delta[:, None] / 2 - EPS
    return np.where(np.isnan(steps).any(axis=1), np.nan, back.sum(axis=1))


def required_yearly_pace(path: Path) -> Rows:
    """``d (yT - y0) / T``: planned improvement a year; without a direction the sign is that of what is printed."""
    p, direction = path.p, path.p.of("direction")
    aimed = np.abs(direction) > 0

    def pace(first: Floats, last: Floats) -> Floats:
        return np.where(aimed, direction, 1) * (last - first) / (len(p.years) - 1)

    rounding, widest = (corners(pace, *((q.lo[:, end], q.hi[:, end]) for end in (0, -1))) for q in (p.committed(), p))
    conditions = {name: mask for name, mask in path.conditions.items() if name != "too_few_years"}
    held = doubts(conditions, holds(*rounding, 0), holds(*widest, 0))
    value = pace(p.value[:, 0], p.value[:, -1])
    flags, ends = {"as_printed": ~aimed & np.isfinite(value)}, path.printed[:, [0, -1]]
    yield path.rows("required_yearly_pace", value, widest, held, flags, ends)


def additions(path: Path) -> Rows:
    """``y_t - y_t-1`` of cumulative indicators: what the year itself adds."""
    p = path.p
    steps, (low, high) = np.diff(p.value, axis=1), _steps(p)
    whole_row = {name: mask for name, mask in reasons(p).items() if name not in ("no_baseline", "no_final")}
    for at, year in enumerate(p.years[1:]):
        added, pair = steps[:, at], [at, at + 1]
        conditions = {**whole_row, "gap": np.isnan(added), "non_monotone": added < -p.delta / 2 - EPS}
        flags = {"bounded": p.bounded[:, pair].any(axis=1), "absolute_count": p.of("scale") == "count"}
        n, interval = path.printed[:, pair].sum(axis=1), (low[:, at], high[:, at])
        yield result(p, f"addition_{year}", added, interval, n, conditions, flags, p.of("nature") == "cumulative")


def passing_year(path: Path) -> Rows:
    """First year in which a state is passed."""
    p = path.p
    passed = p.value >= p.of("best").astype(float)[:, None] - EPS
    yield _year_rows(p, "passing_year", passed, path.printed, p.of("nature") == "state")


def full_coverage_year(path: Path) -> Rows:
    """First year in which 全覆盖 replaces a number for good."""
    p = path.p
    covered = (p.kind == "full_coverage") & ~p.from_text
    where = (p.of("nature") != "state") & covered.any(axis=1)
    yield _year_rows(p, "full_coverage_year", covered, p.kind != "missing", where)


def _year_rows(p: Panel, measure: str, reached: Masks, known: Masks, where: Masks) -> pd.DataFrame:
    """First year ``reached``; it may be any after the last one ``known`` to be without, or any at all without one."""
    first, place = reached.argmax(axis=1), np.arange(len(p.years))
    year = np.where(reached.any(axis=1), p.years[first], np.nan)
    before = np.where(known & ~reached & (place < first[:, None]), place, -1).max(axis=1)
    interval = np.where(before < 0, -np.inf, p.years[before] + 1), year
    later = p.years > np.where(np.isnan(year), np.inf, year)[:, None]
    conditions = {
        "missing": ~known.any(axis=1),
        "no_baseline": ~known[:, 0] & reached.any(axis=1),
        "not_planned": ~reached.any(axis=1),
        "hold_at_ceiling": reached[:, 0],
        "reversing": (later & known & ~reached).any(axis=1),
    }
    flags = {"from_text": p.from_text.any(axis=1)}
    return result(p, measure, year, interval, known.sum(axis=1), conditions, flags, where)


def _steps(p: Panel) -> Interval:
    """Smallest and largest yearly step that the intervals of two neighbouring years allow."""
    return p.lo[:, 1:] - p.hi[:, :-1], p.hi[:, 1:] - p.lo[:, :-1]


def _lengths(down: Floats, up: Floats) -> Interval:
    """Smallest and largest absolute value in an interval."""
    return np.maximum(np.maximum(down, -up), 0), np.maximum(-down, up)


def _longest_run(mask: Masks) -> Floats:
    """Length of the longest run of True in each row."""
    longest = run = np.zeros(len(mask))
    for column in mask.T:
        run = (run + 1) * column
        longest = np.maximum(longest, run)
    return longest


MEASURES: tuple[Callable[[Path], Rows], ...] = (  # in the order of the rows of a pair
    front_loading_index, front_loading_of_targets, mean_delivery_year, half_change_year, share_by_year, last_year_share,
    path_efficiency, longest_plateau, reversals, required_yearly_pace, additions, passing_year, full_coverage_year,
)  # fmt: skip
