"""What every measure shares: aligned arrays with intervals, statuses, and the long result frame.

A measure is a small pure function on arrays; :func:`panel` prepares the arrays once, for all regions
together. Statuses (with their precedence) and flags are closed lists: ``statuses.csv`` and ``flags.csv`` of
the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qyx_analysis import catalogue
from qyx_analysis.problems import require

Floats = NDArray[np.float64]
Masks = Mapping[str, Any]  # one boolean array per status or flag
Interval = tuple[float, float]

EPS = 1e-9  # printed decimals are not exact in binary: 99.3 - 99.1 must not be "less than 0.2"
_OF_INDICATOR = [
    *("indicator", "number", "domain", "unit", "direction", "nature", "scale", "lower", "upper", "best"),
    *("full_is_best", "comparability"),
]
_OF_TARGETS = ("region", "level", "indicator", "year", "role", "kind", "value", "resolution", "state")
NOTHING: Floats = np.empty(0)
RESULT_COLUMNS = ["value", "lo", "hi", "n", "status", "flags"]


class Panel(NamedTuple):
    """Regions x indicators down (``rows``), years across; see :func:`panel`."""

    rows: pd.DataFrame
    years: NDArray[np.int64]
    kind: NDArray[Any]
    value: Floats
    lo: Floats
    hi: Floats
    bounded: NDArray[np.bool_]
    from_text: NDArray[np.bool_]
    population: Floats
    delta: Floats

    def of(self, column: str) -> Any:
        """One column of ``rows`` as an array."""
        return self.rows[column].to_numpy()

    def since(self, start: int) -> Panel:
        """Leave out the first ``start`` years."""
        return self.at(slice(start, None))

    def at(self, columns: slice | list[int]) -> Panel:
        """Keep the years in ``columns``."""
        cut = {name: getattr(self, name)[:, columns] for name in self._fields if name not in ("rows", "years", "delta")}
        return self._replace(years=self.years[columns], **cut)

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Panel:
        """Keep the rows in a mask, or at positions."""
        if rows.dtype == bool and rows.all():
            return self
        cut = {name: getattr(self, name)[rows] for name in self._fields if name not in ("rows", "years")}
        return self._replace(rows=self.rows.iloc[np.arange(len(self.rows))[rows]].reset_index(drop=True), **cut)

    def committed(self) -> Panel:
        """Read every bound as its threshold, so that only rounding is left in ``[lo, hi]``."""
        lo, hi = (np.where(self.bounded, self.value, end) for end in (self.lo, self.hi))
        return self._replace(lo=lo, hi=hi)

    def unrounded(self) -> Panel:
        """Take every printed number as exact, so that only bounds are left in ``[lo, hi]``."""
        lo, hi = (np.where(self.bounded, end, self.value) for end in (self.lo, self.hi))
        return self._replace(lo=lo, hi=hi)


def panel(targets: pd.DataFrame, indicators: pd.DataFrame) -> Panel:
    """Align the tidy targets as arrays: one row per region and indicator, one column per year.

    ``targets``: the frame of ``load_targets``, perhaps with a column ``population`` (residents of the region in
    that year). ``indicators``: what ``names.indicators_of`` says of them, the only source of direction, limits and
    nature; other rows are left out. The first column is the baseline year (the one most rows call ``baseline``), the
    last one the year in which most of the plans that begin so end; a year nobody prints is a column of gaps. In the
    first column stand baselines alone: what a plan of other years aims at in that year is a target and no start.

    In the result ``value`` is the printed number, a bound's threshold, the committed end of a range, a state as 0 or
    100, or the best value for 全覆盖 where the catalogue says so, else NaN. ``[lo, hi]`` is what the printed text
    allows, cut at the logical limits: half of ``delta`` (the finest printed digit of the row, 1 where it prints none)
    around a number, everything beyond a bound, a range from end to end. Raises DataError for another frame, and
    ValueError when one region prints an indicator twice for one year.

    >>> frame = pd.DataFrame({"region": "330213", "level": "county", "indicator": "affordable_nursery_share",
    ...     "year": [2022, 2023], "role": ["baseline", "target"], "kind": ["point", "lower_bound"],
    ...     "value": [60.0, 70.0], "resolution": 1.0, "state": np.nan})
    >>> p = panel(frame, catalogue.indicators())
    >>> p.lo.tolist(), p.hi.tolist()
    ([[59.5, 70.0]], [[60.5, 100.0]])
    """
    require(targets, _OF_TARGETS, "load_targets()")
    known = targets[targets["indicator"].isin(indicators["code"])]
    keys = ["region", "indicator"]
    twice = known[known.duplicated([*keys, "year"])]
    if len(twice):
        region, indicator, year = twice[[*keys, "year"]].iloc[0]
        raise ValueError(f"{indicator} of region {region} has two values for {year}: remove one from the targets")
    years = _years(known)
    core = known.loc[known["core"], "indicator"] if "core" in known else []
    pairs = known.drop_duplicates(keys)[[*keys, "level"]].assign(core=lambda frame: frame["indicator"].isin(core))
    rows = pairs.merge(indicators.rename(columns={"code": "indicator"})[_OF_INDICATOR], on="indicator", how="left")
    rows = rows.astype(dict.fromkeys(rows.select_dtypes("str"), object))  # sliced often: plain objects are faster
    known = known.assign(pair=known.groupby(keys, sort=False).ngroup())
    known = known[known["year"].between(years[0], years[-1])]
    known = known[(known["year"] > years[0]) | (known["role"] == "baseline")]
    cell = known["pair"].to_numpy(int), known["year"].to_numpy(int) - years[0]

    def spread(values: pd.Series, empty: Any, dtype: Any) -> NDArray[Any]:
        array = np.full((len(rows), len(years)), empty, dtype=dtype)
        array[cell] = values.to_numpy()
        return array

    kind = spread(known["kind"], "missing", object)
    printed = spread(known["value"], np.nan, float)
    state = spread(known["state"], np.nan, float)
    population = spread(known["population"], np.nan, float) if "population" in known else np.full_like(printed, np.nan)
    delta = np.nan_to_num(np.fmin.reduce(spread(known["resolution"], np.nan, float), axis=1), nan=1.0)
    lower, upper, best = (rows[c].to_numpy(float)[:, None] for c in ("lower", "upper", "best"))
    full = (kind == "full_coverage") & rows["full_is_best"].to_numpy(bool)[:, None]
    passing = (kind == "status") & (rows["nature"] == "state").to_numpy()[:, None]
    value = np.where(full, best, np.where(passing, state, printed))
    half = np.where(full | passing, 0, delta[:, None] / 2)
    at_least, at_most, between = (kind == name for name in ("lower_bound", "upper_bound", "range"))
    # a number printed outside its logical limits is kept as it is: fmin and fmax widen the limit to it
    floor, ceiling = (
        np.fmin(np.nan_to_num(lower, nan=-np.inf), value),
        np.fmax(np.nan_to_num(upper, nan=np.inf), value),
    )
    low, high = (spread(known[end], np.nan, float) if end in known else value for end in ("value_low", "value_high"))
    lo = np.select([at_least, at_most, between], [value, floor, low], np.maximum(value - half, floor))
    hi = np.select([at_least, at_most, between], [ceiling, value, high], np.minimum(value + half, ceiling))
    return Panel(rows, years, kind, value, lo, hi, at_least | at_most | between, full | passing, population, delta)


def _years(known: pd.DataFrame) -> NDArray[np.int64]:
    if known.empty:
        return np.array([0, 1])
    baselines = known[known["role"] == "baseline"]
    first = int(baselines["year"].mode().iloc[0]) if len(baselines) else int(known["year"].min()) - 1
    begun = baselines.loc[baselines["year"] == first, "region"] if len(baselines) else known["region"]
    last = int(known[known["region"].isin(begun)].groupby("region")["year"].max().mode().iloc[-1])
    return np.arange(first, max(last, first + 1) + 1)


def corners(
    function: Callable[..., Floats], *boxes: tuple[Floats, Floats], pole: Callable[..., Floats] | None = None
) -> tuple[Floats, Floats]:
    """Interval of a function that is monotone in each argument, from the corners of its box.

    ``boxes``: one ``(lo, hi)`` pair of arrays per argument, ends may be infinite (taken as limits). ``pole``
    is the function's denominator: where it can be zero inside the box, the interval is infinite. NaN in, NaN
    out.

    >>> box = lambda lo, hi: (np.array([lo]), np.array([hi]))
    >>> lo, hi = corners(lambda a, b: a / b, box(1., 2.), box(4., 5.), pole=lambda a, b: b)
    >>> float(lo[0]), float(hi[0])
    (0.2, 0.5)
    """
    ends = [end for box in boxes for end in box]
    unknown = np.logical_or.reduce([np.isnan(end).any(axis=tuple(range(1, end.ndim))) for end in ends])
    with np.errstate(all="ignore"):
        values = np.stack([function(*corner) for corner in product(*boxes)])
        lo, hi = np.fmin.reduce(values), np.fmax.reduce(values)
        if pole is not None:
            below = np.stack([pole(*corner) for corner in product(*boxes)])
            crossed = (np.fmin.reduce(below) <= EPS) & (np.fmax.reduce(below) >= -EPS)
            lo, hi = np.where(crossed, -np.inf, lo), np.where(crossed, np.inf, hi)
    return np.where(unknown, np.nan, lo), np.where(unknown, np.nan, hi)


def fill(values: Floats) -> Floats:
    """Put every gap between two numbers of a row on the straight line between them; ends stay as they are.

    >>> fill(np.array([[1.0, np.nan, np.nan, 4.0, np.nan]])).tolist()
    [[1.0, 2.0, 3.0, 4.0, nan]]
    """
    place = np.arange(values.shape[1])
    known = ~np.isnan(values)
    before = np.maximum.accumulate(np.where(known, place, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, place, len(place))[:, ::-1], axis=1)[:, ::-1]
    row, column = np.nonzero(~known & (before >= 0) & (after < len(place)))
    left, right = before[row, column], after[row, column]
    filled = values.copy()
    weight = (column - left) / (right - left)
    filled[row, column] = (1 - weight) * values[row, left] + weight * values[row, right]
    return filled


def mean_of_known(values: Floats) -> Floats:
    """Mean along the last axis of what is not NaN; NaN where nothing is.

    >>> mean_of_known(np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])).tolist()
    [2.0, nan]
    """
    some = np.asarray((~np.isnan(values)).sum(axis=-1))
    return np.divide(np.nansum(values, axis=-1), some, out=np.full(some.shape, np.nan), where=some > 0)


def falls(p: Panel) -> NDArray[np.bool_]:
    """Say which cumulative rows fall by more than rounding explains: their shape means nothing.

    >>> frame = pd.DataFrame({"region": "330213", "level": "county", "indicator": "rental_housing_cumulative",
    ...     "year": [2022, 2023], "role": ["baseline", "target"], "kind": "point", "value": [0.938, 0.548],
    ...     "resolution": 0.001, "state": np.nan})
    >>> falls(panel(frame, catalogue.indicators())).tolist()
    [True]
    """
    down = (np.diff(fill(p.value), axis=1) < -p.delta[:, None] / 2 - EPS).any(axis=1)
    return down & (p.of("nature") == "cumulative")


def logit_of_share(
    share: Floats, delta: Floats | float, lower: Floats | float = 0, upper: Floats | float = 100
) -> Floats:
    """Logit of a share; one printed as 0 or 100 stands half a printed digit (``delta``) inside.

    >>> logit_of_share(np.array([50.0, 100.0]), 1.0).round(4).tolist()
    [0.0, 5.2933]
    """
    from scipy.special import logit

    inside = np.clip(share, lower + np.divide(delta, 2), upper - np.divide(delta, 2))
    return logit((inside - lower) / (upper - lower))


def same_final(p: Panel) -> NDArray[np.bool_]:
    """Say for which rows all counties that print a final number, two at least, print one and the same.

    >>> frame = pd.DataFrame({"region": ["a", "b"], "level": "county", "indicator": "nursery_places", "year": 2027,
    ...     "role": "target", "kind": "point", "value": 5.5, "resolution": 0.1, "state": np.nan})
    >>> same_final(panel(frame, catalogue.indicators())).tolist()
    [True, True]
    """
    sign = np.where(p.bounded[:, -1], p.kind[:, -1], "")
    wide = np.where(p.bounded[:, -1], p.hi[:, -1] - p.lo[:, -1], 0)
    final = pd.DataFrame({"indicator": p.of("indicator"), "value": p.value[:, -1], "sign": sign + wide.astype(str)})
    final = final[np.isfinite(final["value"]) & (p.of("level") == "county") & (p.of("comparability") != "")]
    found = final.groupby("indicator").agg(n=("value", "size"), values=("value", "nunique"), signs=("sign", "nunique"))
    same = found.index[(found["n"] > 1) & (found["values"] == 1) & (found["signs"] == 1)]
    return p.rows["indicator"].isin(same).to_numpy()


def holds(lo: Floats, hi: Floats, neutral: float | Floats) -> NDArray[np.bool_]:
    """Say where the interval contains the neutral value.

    >>> holds(np.array([-1.0, 0.1]), np.array([1.0, 1.0]), 0).tolist()
    [True, False]
    """
    return (lo <= neutral + EPS) & (hi >= neutral - EPS)


def reasons(p: Panel) -> dict[str, NDArray[np.bool_]]:
    """Why a row has no first or no last number, as one mask per status.

    >>> frame = pd.DataFrame({"region": "330213", "level": "county", "indicator": "pension_insured",
    ...     "year": [2022, 2023], "role": ["baseline", "target"], "kind": "reference", "value": np.nan,
    ...     "resolution": np.nan, "state": np.nan})
    >>> [name for name, mask in reasons(panel(frame, catalogue.indicators())).items() if mask[0]]
    ['reference', 'missing', 'no_baseline', 'no_final']
    """
    number = np.isfinite(p.value)
    ends = np.where(number, "", p.kind)[:, [0, -1]]
    return {
        "state": p.of("nature") == "state",
        "reference": (ends == "reference").any(axis=1),
        "words": np.isin(ends, ["full_coverage", "status", "words", "several"]).any(axis=1),
        "unreadable": (ends == "unreadable").any(axis=1),
        "missing": ~number.any(axis=1),
        "no_baseline": ~number[:, 0],
        "no_final": ~number[:, -1],
    }


def net_change(p: Panel) -> dict[str, NDArray[np.bool_]]:
    """What the first and the last number say about the net change, as one mask per status.

    >>> frame = pd.DataFrame({"region": "330213", "level": "county", "indicator": "wage_arrears_resolved",
    ...     "year": [2022, 2023], "role": ["baseline", "target"], "kind": "point", "value": 100.0,
    ...     "resolution": 1.0, "state": np.nan})
    >>> [name for name, mask in net_change(panel(frame, catalogue.indicators())).items() if mask[0]]
    ['hold_at_ceiling']
    """
    first, last = p.value[:, 0], p.value[:, -1]
    change = last - first
    still = np.abs(change) <= EPS
    top = np.abs(last - p.of("best")) <= EPS
    return {
        "hold_at_ceiling": still & top,
        "hold": still & ~top,
        "unresolved": ~still & (np.abs(change) < 2 * p.delta - EPS),
        "weaker": p.of("direction") * change < -EPS,
    }


def undirected(p: Panel) -> dict[str, NDArray[np.bool_]]:
    """Which rows have no better and no worse, or none that is known, as one mask per status.

    >>> columns = ["region", "level", "indicator", "year", "role", "kind", "value", "resolution", "state"]
    >>> list(undirected(panel(pd.DataFrame(columns=columns), catalogue.indicators())))
    ['no_direction', 'direction_unknown']
    """
    direction = p.of("direction").astype(float)
    return {"no_direction": direction == 0, "direction_unknown": np.isnan(direction)}


def verdict(
    conditions: Masks, neutral: float, rounding: tuple[Floats, Floats], widest: tuple[Floats, Floats]
) -> dict[str, NDArray[np.bool_]]:
    """Add to ``conditions`` what the intervals say against a verdict.

    ``unresolved`` where rounding alone reaches the ``neutral`` value, ``open_bound`` where only a bound read
    at its widest does; neither where nothing is planned to change (``hold``).

    >>> no, one = np.array([False]), np.array([1.0])
    >>> base = {"hold": no, "hold_at_ceiling": no, "unresolved": no}
    >>> both = verdict(base, 0, (0.5 * one, one), (-one, one))
    >>> both["unresolved"].tolist(), both["open_bound"].tolist()
    ([False], [True])
    """
    moves = ~(conditions["hold"] | conditions["hold_at_ceiling"])
    unresolved = (conditions["unresolved"] | holds(*rounding, neutral)) & moves
    return {
        **conditions,
        "unresolved": unresolved,
        "open_bound": holds(*widest, neutral) & ~unresolved & moves,
    }


@cache
def _order() -> tuple[dict[str, int], list[str]]:
    statuses = catalogue.statuses()
    return dict(zip(statuses["status"], statuses["order"], strict=True)), catalogue.flags()["flag"].tolist()


def label(conditions: Masks, flags: Masks) -> tuple[NDArray[Any], NDArray[Any]]:
    """Status (the true condition that comes first in ``statuses.csv``) and flags (";"-joined) of every row.

    Conditions that are true but do not name the status become flags when ``flags.csv`` knows them. Raises
    KeyError for a name outside the closed lists.

    >>> yes, no = np.array([True]), np.array([False])
    >>> [a.tolist() for a in label({"reversing": yes, "unresolved": yes, "hold": no}, {"bounded": yes})]
    [['unresolved'], ['bounded;reversing']]
    """
    order, listed = _order()
    names = sorted(conditions, key=order.__getitem__)
    status = np.select([conditions[name] for name in names], names, "ok")
    marks = {name: mask & (status != name) for name, mask in conditions.items() if name in listed}
    for name, mask in flags.items():
        marks[name] = mask | marks[name] if name in marks else mask
    marks = {name: marks[name] for name in sorted(marks, key=listed.index)}
    code = np.zeros(len(status), dtype=np.int64)
    for bit, mask in enumerate(marks.values()):
        code |= mask.astype(np.int64) << bit
    seen, place = np.unique(code, return_inverse=True)
    texts = [";".join(name for bit, name in enumerate(marks) if number >> bit & 1) for number in seen]
    return status.astype(object), np.array(texts, dtype=object)[place]


def result(
    p: Panel,
    measure: str,
    value: Floats,
    interval: tuple[Floats, Floats],
    n: NDArray[np.int64],
    conditions: Masks,
    flags: Masks,
    where: NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """One measure as long rows, for the pairs in ``where``; ``pair`` is the panel row for :func:`stack`.

    A value that is not finite is NaN, with NaN ends; ``n`` is how many printed numbers it rests on. Numbers
    are rounded to ten decimals, where only binary noise is left.
    """
    value = np.where(np.isfinite(value), value, np.nan).round(10) + 0.0  # no -0.0
    lo, hi = (np.where(np.isnan(value), np.nan, end).round(10) + 0.0 for end in interval)
    status, text = label(conditions, flags)
    columns = dict(zip(RESULT_COLUMNS, (value, lo, hi, n, status, text), strict=True))
    frame = p.rows[["region", "indicator", "number"]].assign(measure=measure, **columns, pair=np.arange(len(p.rows)))
    return frame if where is None else frame[where]


def stack(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put the measures of :func:`result` together, all measures of one pair next to each other."""
    together = pd.concat(frames, ignore_index=True).sort_values("pair", kind="stable", ignore_index=True)
    return together.drop(columns="pair").astype({"region": "str", "indicator": "str"})


class Row(NamedTuple):
    """One result of a measure across counties.

    ``marks`` are the names of the statuses and flags that hold, ``without`` the values without each county in turn.
    """

    key: tuple[Any, ...]
    measure: str
    value: float
    n: int
    marks: Set[str]
    interval: Interval = (np.nan, np.nan)
    without: Floats = NOTHING


def tabulate(rows: list[Row], keys: list[str]) -> pd.DataFrame:
    """Rows as a frame: the ``keys``, then ``measure, value, lo, hi, loo_lo, loo_hi, n, status, flags``.

    All numbers are NaN where there is no value; they are rounded to ten decimals, as in :func:`result`.

    >>> row = Row(("a", 2027), "sd", 2.0, 4, {"converging", "bounded"}, (1.0, 3.0), np.array([1.5, np.nan, 2.5]))
    >>> tabulate([row], ["indicator", "year"])[["indicator", "value", "loo_lo", "status", "flags"]].values.tolist()
    [['a', 2.0, 1.5, 'converging', 'bounded']]
    """
    numbers = np.array([(row.value, *row.interval, *_range(row.without)) for row in rows], dtype=float).reshape(-1, 5)
    numbers = numbers.round(10) + 0.0
    numbers[np.isnan(numbers[:, 0])] = np.nan
    status, flags = labels([row.marks for row in rows])
    columns: dict[str, Any] = {key: [row.key[at] for row in rows] for at, key in enumerate(keys)}
    columns |= {"measure": [row.measure for row in rows]}
    columns |= dict(zip(("value", "lo", "hi", "loo_lo", "loo_hi"), numbers.T, strict=True))
    table = pd.DataFrame(columns | {"n": [row.n for row in rows], "status": status, "flags": flags})
    types = dict.fromkeys(("domain", "indicator", "measure", "status", "flags"), "str") | {"number": "Int64"}
    return table.astype({name: kind for name, kind in types.items() if name in table})


def labels(marks: Sequence[Set[str]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Status and flags of rows that carry them as names; see :func:`label`.

    >>> [column.tolist() for column in labels([{"converging", "bounded"}, set()])]
    [['converging', 'ok'], ['bounded', '']]
    """
    statuses = _order()[0]
    held = {name: np.array([name in row for row in marks], dtype=bool) for name in {"ok"}.union(*marks)}
    conditions = {name: mask for name, mask in held.items() if name in statuses}
    return label(conditions, {name: mask for name, mask in held.items() if name not in statuses})


def _range(without: Floats) -> Interval:
    known = without[~np.isnan(without)]
    return (float(known.min()), float(known.max())) if len(known) else (np.nan, np.nan)
