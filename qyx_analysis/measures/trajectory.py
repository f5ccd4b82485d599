"""When is the planned change planned to come? Shape of every county's own path (METHODS A).

Pure functions take ``paths``: one row per path, one column per year, the baseline first. A path that ends
where it began has no shape (NaN). :func:`trajectory` applies them to the targets. Source: docs/methods.md,
section Trajectory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qyx_analysis import names
from qyx_analysis.measures.common import (
    EPS,
    Floats,
    Masks,
    Panel,
    corners,
    falls,
    fill,
    net_change,
    panel,
    reasons,
    result,
    stack,
    undirected,
    verdict,
)


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


def mean_delivery_year(index: Floats, years: NDArray[np.int64]) -> Floats:
    """Mean year in which a unit of the change is planned to be delivered, from the front-loading ``index``.

    Equal to ``y0's year + T - sum(shares between the ends)``. Read: an even plan over 2022-2027 has 2025.

    >>> mean_delivery_year(np.array([0.0, 0.625]), np.arange(2022, 2028)).tolist()
    [2025.0, 2023.75]
    """
    return years[-1] - (len(years) - 2) * (index + 1) / 2


def half_change_year(paths: Floats, years: NDArray[np.int64]) -> Floats:
    """First time at which half of the net change is reached, on straight lines between the years.

    >>> half_change_year(np.array([[50.0, 62, 66, 68, 69, 70]]), np.arange(2022, 2028)).round(4).tolist()
    [2022.8333]
    """
    share = shares(np.clip(paths, -1e15, 1e15))  # an infinite bound as its limit
    reached = share >= 0.5 - EPS
    to = np.maximum(reached.argmax(axis=1), 1)
    row = np.arange(len(paths))
    before, after = share[row, to - 1], share[row, to]
    with np.errstate(invalid="ignore", divide="ignore"):
        year = years[to - 1] + (0.5 - before) / (after - before)
    return np.where(reached.any(axis=1), year, np.nan)


def last_year_share(paths: Floats) -> Floats:
    """Share of the net change that is left for the last year; 1/T on a straight line.

    >>> last_year_share(np.array([[50.0, 51, 52, 54, 58, 70]])).round(2).tolist()
    [0.6]
    """
    return 1 - shares(paths)[:, -2]


def path_efficiency(paths: Floats) -> Floats:
    """Net change over the length of the way, ``|yT - y0| / sum |steps|``: 1 when the path never turns.

    >>> path_efficiency(np.array([[50.0, 48, 54, 60, 66, 70]])).round(4).tolist()
    [0.8333]
    """
    length = np.abs(np.diff(paths, axis=1)).sum(axis=1)
    return np.abs(paths[:, -1] - paths[:, 0]) / np.where(length <= EPS, np.nan, length)


def longest_run(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Length of the longest run of True in each row.

    >>> longest_run(np.array([[True, False, True, True]])).tolist()
    [2]
    """
    longest = run = np.zeros(len(mask), dtype=np.int64)
    for column in mask.T:
        run = (run + 1) * column
        longest = np.maximum(longest, run)
    return longest


def longest_plateau(paths: Floats, delta: Floats) -> Floats:
    """Longest run of yearly steps of at most half a printed digit (``delta``), in years.

    >>> longest_plateau(np.array([[50.0, 50, 50, 54, 60, 60]]), np.array([1.0])).tolist()
    [2.0]
    """
    steps = np.diff(paths, axis=1)
    run = longest_run(np.abs(steps) <= delta[:, None] / 2 + EPS).astype(float)
    return np.where(np.isnan(steps).any(axis=1), np.nan, run)


def reversals(paths: Floats, direction: Floats, delta: Floats) -> Floats:
    """Count the yearly steps against ``direction`` by more than half a printed digit (``delta``).

    >>> reversals(np.array([[50.0, 48, 54, 60, 66, 70]]), np.array([1.0]), np.array([1.0])).tolist()
    [1.0]
    """
    steps = np.diff(paths, axis=1)
    count = (direction[:, None] * steps < -delta[:, None] / 2 - EPS).sum(axis=1).astype(float)
    return np.where(np.isnan(steps).any(axis=1), np.nan, count)


def first_year(
    reached: NDArray[np.bool_], known: NDArray[np.bool_], years: NDArray[np.int64]
) -> tuple[Floats, tuple[Floats, Floats]]:
    """First year in which a state is ``reached``, and the years it may have been reached in.

    The interval starts after the last year ``known`` to be without it: minus infinity where there is none,
    as for a state that holds at the baseline. NaN where it is never reached.

    >>> reached, known = np.array([[False, False, True]]), np.array([[True, False, True]])
    >>> year, (lo, hi) = first_year(reached, known, np.array([2022, 2023, 2024]))
    >>> float(year[0]), float(lo[0]), float(hi[0])
    (2024.0, 2023.0, 2024.0)
    """
    first = reached.argmax(axis=1)
    year = np.where(reached.any(axis=1), years[first], np.nan)
    place = np.arange(len(years))
    before = np.where(known & ~reached & (place < first[:, None]), place, -1).max(axis=1)
    return year, (np.where(before < 0, -np.inf, years[before] + 1), year)


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
    return _measured(panel(targets, names.indicators_of(targets)))


def _measured(p: Panel) -> pd.DataFrame:
    number = p.of("nature") != "state"
    return stack(
        [
            front_loading_rows(p),
            front_loading_rows(p.since(1), f"front_loading_{p.years[1]}_{p.years[-1]}", number),
            *_shape_rows(p, number),
            *_addition_rows(p),
            *_passing_rows(p),
        ]
    )


class _Path(NamedTuple):
    """A panel read as paths: gaps filled, and what every shape measure shares."""

    filled: Panel
    n: NDArray[np.int64]
    shapeless: NDArray[np.bool_]
    conditions: dict[str, NDArray[np.bool_]]
    flags: dict[str, NDArray[np.bool_]]


def _path(p: Panel) -> _Path:
    printed = np.isfinite(p.value)
    inner = printed[:, 1:-1]
    filled = p._replace(value=fill(p.value), lo=fill(p.lo), hi=fill(p.hi))
    too_few = (~inner.all(axis=1) & (inner.sum(axis=1) < 2)) | (inner.shape[1] == 0)
    fall = falls(p)
    back = reversals(filled.value, p.of("direction"), p.delta) > 0
    conditions = {
        **reasons(p),
        **net_change(p),
        "too_few_years": too_few,
        "non_monotone": fall,
        "reversing": back & ~fall,
    }
    flags = {
        "bounded": p.bounded.any(axis=1),
        "from_text": p.from_text.any(axis=1),
        "absolute_count": p.of("scale") == "count",
    }
    return _Path(filled, printed.sum(axis=1), too_few | fall | conditions["state"], conditions, flags)


def _interpolated(p: Panel) -> NDArray[np.bool_]:
    printed = np.isfinite(p.value)
    return ~printed.all(axis=1) & printed[:, 0] & printed[:, -1]


def path_interval(function: Callable[[Floats], Floats], p: Panel) -> tuple[Floats, Floats]:
    """Interval of a measure from the corners of the first year, the last year, and the years between.

    Exact for measures that move one way in each of the three; the years between move together.

    >>> nothing = pd.DataFrame(columns="region level indicator year role kind value resolution state".split())
    >>> [len(end) for end in path_interval(front_loading, panel(nothing, names.indicators_of(nothing)))]
    [0, 0]
    """
    boxes = [(p.lo[:, part], p.hi[:, part]) for part in (0, slice(1, -1), -1)]
    return corners(
        lambda first, inner, last: function(np.column_stack([first, inner, last])),
        *boxes,
        pole=lambda first, inner, last: last - first,
    )


def front_loading_rows(
    p: Panel, measure: str = "front_loading", where: NDArray[np.bool_] | None = None
) -> pd.DataFrame:
    """The front-loading index of every row of a panel, in its order, with interval, status and flags.

    >>> nothing = pd.DataFrame(columns="region level indicator year role kind value resolution state".split())
    >>> front_loading_rows(panel(nothing, names.indicators_of(nothing))).empty
    True
    """
    path = _path(p)
    value = np.where(path.shapeless, np.nan, front_loading(path.filled.value))
    widest = path_interval(front_loading, path.filled)
    conditions = verdict(path.conditions, 0, path_interval(front_loading, path.filled.committed()), widest)
    flags = path.flags | {"interpolated": _interpolated(p) & ~np.isnan(value)}
    return result(p, measure, value, widest, path.n, conditions, flags, where)


def _shape_rows(p: Panel, where: NDArray[np.bool_]) -> list[pd.DataFrame]:
    path = _path(p)
    full, years = path.filled, p.years
    index, pace = path_interval(front_loading, full), _pace_interval(p)
    delivery, latest, earliest = (mean_delivery_year(i, years) for i in (front_loading(full.value), *index))
    half = path_interval(lambda paths: half_change_year(paths, years), full)
    undecided = undirected(p)
    aimless = np.logical_or.reduce(list(undecided.values()))
    back = np.where(aimless, np.nan, reversals(p.value, p.of("direction"), p.delta))

    base = path.conditions
    early = verdict(base, 0, path_interval(front_loading, full.committed()), index)
    shape = {**base, "open_bound": early["open_bound"]}
    complete = {**base, "gap": ~np.isfinite(p.value).all(axis=1)}
    ends = {name: mask for name, mask in base.items() if name != "too_few_years"}
    paced = verdict(ends, 0, _pace_interval(p.committed()), pace)

    def by(year: int) -> tuple[Floats, tuple[Floats, Floats], Masks, list[str]]:
        """The share by a year: a gap there is not bridged, and one elsewhere does not concern it."""
        interval = path_interval(lambda paths: shares(paths)[:, year], full)
        return shares(p.value)[:, year], interval, {**shape, "gap": np.isnan(p.value[:, year])}, []

    _, (low, high), to_last, _ = by(-2)
    marks = {"interpolated": _interpolated(p), "outer_bound": np.ones(len(p.rows), dtype=bool)}
    table: list[tuple[str, Floats, tuple[Floats, Floats], Masks, list[str]]] = [
        ("mean_delivery_year", delivery, (earliest, latest), early, ["interpolated"]),
        ("half_change_year", half_change_year(full.value, years), half, shape, ["interpolated"]),
        *((f"share_by_{years[t]}", *by(t)) for t in range(1, len(years) - 1)),
        ("last_year_share", last_year_share(p.value), (1 - high, 1 - low), to_last, []),
        ("path_efficiency", path_efficiency(full.value), _efficiency_interval(full), shape, list(marks)),
        ("longest_plateau", longest_plateau(p.value, p.delta), _plateau_interval(p), complete, []),
    ]
    frames = []
    for measure, value, interval, conditions, marked in table:
        value = np.where(path.shapeless, np.nan, value)
        flags = path.flags | {name: marks[name] & np.isfinite(value) for name in marked}
        frames.append(result(p, measure, value, interval, path.n, conditions, flags, where))
    printed_ends = np.isfinite(p.value[:, [0, -1]]).sum(axis=1)
    signed = {"as_printed": aimless & np.isfinite(_pace(p))}
    return [
        *frames,
        result(p, "reversals", back, _reversal_interval(p), path.n, complete | undecided, path.flags, where),
        result(p, "required_yearly_pace", _pace(p), pace, printed_ends, paced, path.flags | signed, where),
    ]


def _pace(p: Panel, first: Floats | None = None, last: Floats | None = None) -> Floats:
    """Planned change for the better per year; without a direction the sign is that of what is printed."""
    direction = p.of("direction")
    sign = np.where(np.abs(direction) > 0, direction, 1)
    first, last = (p.value[:, 0], p.value[:, -1]) if first is None or last is None else (first, last)
    return sign * (last - first) / (len(p.years) - 1)


def _pace_interval(p: Panel) -> tuple[Floats, Floats]:
    return corners(lambda a, b: _pace(p, a, b), (p.lo[:, 0], p.hi[:, 0]), (p.lo[:, -1], p.hi[:, -1]))


def _steps(p: Panel) -> tuple[Floats, Floats]:
    """Smallest and largest yearly step that the intervals of two neighbouring years allow."""
    return p.lo[:, 1:] - p.hi[:, :-1], p.hi[:, 1:] - p.lo[:, :-1]


def _lengths(down: Floats, up: Floats) -> tuple[Floats, Floats]:
    """Smallest and largest absolute value in an interval."""
    return np.maximum(np.maximum(down, -up), 0), np.maximum(-down, up)


def _efficiency_interval(p: Panel) -> tuple[Floats, Floats]:
    short, long = _lengths(*_steps(p))
    near, far = _lengths(p.lo[:, -1] - p.hi[:, 0], p.hi[:, -1] - p.lo[:, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        return near / long.sum(axis=1), np.fmin(1, far / short.sum(axis=1))


def _plateau_interval(p: Panel) -> tuple[Floats, Floats]:
    """Rounding is part of the rule for a plateau, so that only bounds leave it open."""
    low, high = (
        longest_run(end <= p.delta[:, None] / 2 + EPS).astype(float) for end in _lengths(*_steps(p.unrounded()))
    )
    return high, low


def _reversal_interval(p: Panel) -> tuple[Floats, Floats]:
    """Steps that surely, and that possibly, go back: rounding is part of the rule here too."""
    down, up = _steps(p.unrounded())
    sign = np.nan_to_num(p.of("direction"))[:, None]
    least = np.where(sign == 0, 0, np.where(sign > 0, down, -up))
    most = np.where(sign == 0, 0, np.where(sign > 0, up, -down))
    limit = -p.delta[:, None] / 2 - EPS
    return (most < limit).sum(axis=1).astype(float), (least < limit).sum(axis=1).astype(float)


def _addition_rows(p: Panel) -> list[pd.DataFrame]:
    cumulative = p.of("nature") == "cumulative"
    steps, (low, high) = np.diff(p.value, axis=1), _steps(p)
    whole_row = {name: mask for name, mask in reasons(p).items() if name not in ("no_baseline", "no_final")}
    rows = []
    for column, year in enumerate(p.years[1:]):
        added, pair = steps[:, column], [column, column + 1]
        conditions = {**whole_row, "gap": np.isnan(added), "non_monotone": added < -p.delta / 2 - EPS}
        flags = {"bounded": p.bounded[:, pair].any(axis=1), "absolute_count": p.of("scale") == "count"}
        n = np.isfinite(p.value[:, pair]).sum(axis=1)
        interval = low[:, column], high[:, column]
        rows.append(result(p, f"addition_{year}", added, interval, n, conditions, flags, cumulative))
    return rows


def _passing_rows(p: Panel) -> list[pd.DataFrame]:
    """The year in which a state is passed, and in which 全覆盖 replaces a number for good."""
    state = p.of("nature") == "state"
    covered = (p.kind == "full_coverage") & ~p.from_text
    passed = p.value >= p.of("best").astype(float)[:, None] - EPS
    return [
        _year_rows(p, "passing_year", passed, np.isfinite(p.value), state),
        _year_rows(p, "full_coverage_year", covered, p.kind != "missing", ~state & covered.any(axis=1)),
    ]


def _year_rows(
    p: Panel, measure: str, reached: NDArray[np.bool_], known: NDArray[np.bool_], where: NDArray[np.bool_]
) -> pd.DataFrame:
    year, interval = first_year(reached, known, p.years)
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
