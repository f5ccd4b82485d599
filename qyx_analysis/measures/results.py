"""Results as every measure gives them: intervals from corners, one status and flags, long rows.

Statuses (with their precedence) and flags are closed lists: ``statuses.csv`` and ``flags.csv`` of the catalogue.
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
from qyx_analysis.measures.panel import EPS, Floats, Masks, Panel

Conditions = Mapping[str, Any]  # one mask per status or flag
Interval = tuple[Floats, Floats]
NOTHING: Floats = np.empty(0)


# --- intervals --------------------------------------------------------------------------------------------


def corners(function: Callable[..., Floats], *boxes: Interval, pole: Callable[..., Floats] | None = None) -> Interval:
    """Interval of a function that is monotone in each argument, from the corners of its box.

    ``boxes``: one ``(lo, hi)`` pair of arrays per argument, ends may be infinite (taken as limits). ``pole``
    is the function's denominator: where it can be zero inside the box, the interval is infinite. NaN in, NaN
    out. Source: Moore, Kearfott and Cloud, *Introduction to Interval Analysis*, 2009.

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


def holds(lo: Any, hi: Any, neutral: float) -> Any:
    """Say where the interval contains the neutral value."""
    return (lo <= neutral + EPS) & (hi >= neutral - EPS)


def side(difference: Any) -> Floats:
    """-1, 0 or +1, binary noise taken as 0."""
    return np.where(np.abs(difference) <= EPS, 0, np.sign(difference))


# --- what holds of a row ----------------------------------------------------------------------------------


def reasons(p: Panel) -> dict[str, Masks]:
    """Why a row has no first or no last number, as one mask per status."""
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


def net_change(p: Panel) -> dict[str, Masks]:
    """What the first and the last number say about the net change, as one mask per status."""
    last = p.value[:, -1]
    change = last - p.value[:, 0]
    still, top = np.abs(change) <= EPS, np.abs(last - p.of("best")) <= EPS
    return {
        "hold_at_ceiling": still & top,
        "hold": still & ~top,
        "unresolved": ~still & (np.abs(change) < 2 * p.delta - EPS),
        "weaker": p.of("direction") * change < -EPS,
    }


def undirected(p: Panel) -> dict[str, Masks]:
    """Which rows have no better and no worse, or none that is known, as one mask per status."""
    direction = p.of("direction").astype(float)
    return {"no_direction": direction == 0, "direction_unknown": np.isnan(direction)}


def doubts(conditions: Conditions, rounding: Masks, widest: Masks) -> dict[str, Masks]:
    """Add to ``conditions`` where intervals leave open what a result says.

    ``unresolved`` where ``rounding`` alone does, ``open_bound`` where only a bound read at its ``widest`` does;
    neither where nothing is planned to change (``hold``).

    >>> no, yes = np.array([False]), np.array([True])
    >>> both = doubts({"hold": no, "hold_at_ceiling": no, "unresolved": no}, no, yes)
    >>> both["unresolved"].tolist(), both["open_bound"].tolist()
    ([False], [True])
    """
    moves = ~(conditions["hold"] | conditions["hold_at_ceiling"])
    unresolved = (conditions["unresolved"] | rounding) & moves
    return {**conditions, "unresolved": unresolved, "open_bound": widest & ~unresolved & moves}


@cache
def _order() -> tuple[dict[str, int], list[str]]:
    statuses = catalogue.statuses()
    return dict(zip(statuses["status"], statuses["order"], strict=True)), catalogue.flags()["flag"].tolist()


def label(conditions: Conditions, flags: Conditions) -> tuple[NDArray[Any], NDArray[Any]]:
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


# --- long rows --------------------------------------------------------------------------------------------


def result(
    p: Panel,
    measure: str,
    value: Floats,
    interval: Interval,
    n: NDArray[np.int64],
    conditions: Conditions,
    flags: Conditions,
    where: Masks | None = None,
) -> pd.DataFrame:
    """One measure as long rows, for the pairs in ``where``; ``pair`` is the panel row for :func:`stack`.

    A value that is not finite is NaN, with NaN ends; ``n`` is how many printed numbers it rests on. Numbers
    are rounded to ten decimals, where only binary noise is left.
    """
    value = np.where(np.isfinite(value), value, np.nan).round(10) + 0.0  # no -0.0
    lo, hi = (np.where(np.isnan(value), np.nan, end).round(10) + 0.0 for end in interval)
    status, text = label(conditions, flags)
    frame = p.rows[["region", "indicator", "number"]].assign(
        measure=measure, value=value, lo=lo, hi=hi, n=n, status=status, flags=text, pair=np.arange(len(p.rows))
    )
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
    interval: tuple[float, float] = (np.nan, np.nan)
    without: Floats = NOTHING


def tabulate(rows: Iterable[Row], keys: list[str]) -> pd.DataFrame:
    """Rows as a frame: the ``keys``, then ``measure, value, lo, hi, loo_lo, loo_hi, n, status, flags``.

    All numbers are NaN where there is no value; they are rounded to ten decimals, as in :func:`result`.

    >>> row = Row(("a", 2027), "sd", 2.0, 4, {"converging", "bounded"}, (1.0, 3.0), np.array([1.5, np.nan, 2.5]))
    >>> tabulate([row], ["indicator", "year"])[["indicator", "value", "loo_lo", "status", "flags"]].values.tolist()
    [['a', 2.0, 1.5, 'converging', 'bounded']]
    """
    rows = list(rows)
    numbers = np.array([(row.value, *row.interval, *_range(row.without)) for row in rows], dtype=float).reshape(-1, 5)
    numbers = numbers.round(10) + 0.0
    numbers[np.isnan(numbers[:, 0])] = np.nan
    status, flags = _labels([row.marks for row in rows])
    columns: dict[str, Any] = {key: [row.key[at] for row in rows] for at, key in enumerate(keys)}
    columns |= {"measure": [row.measure for row in rows]}
    columns |= dict(zip(("value", "lo", "hi", "loo_lo", "loo_hi"), numbers.T, strict=True))
    table = pd.DataFrame(columns | {"n": [row.n for row in rows], "status": status, "flags": flags})
    types = dict.fromkeys(("domain", "indicator", "measure", "status", "flags"), "str") | {"number": "Int64"}
    return table.astype({name: kind for name, kind in types.items() if name in table})


def _labels(marks: Sequence[Set[str]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Status and flags of rows that carry them as names."""
    held = {name: np.array([name in row for row in marks], dtype=bool) for name in {"ok"}.union(*marks)}
    conditions = {name: mask for name, mask in held.items() if name in _order()[0]}
    return label(conditions, {name: mask for name, mask in held.items() if name not in conditions})


def _range(without: Floats) -> tuple[float, float]:
    known = without[~np.isnan(without)]
    return (float(known.min()), float(known.max())) if len(known) else (np.nan, np.nan)
