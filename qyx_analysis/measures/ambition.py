"""How ambitious is the last target against the region's own baseline? (METHODS B)

Pure functions take arrays of first and last values. :func:`ambition` applies them to the targets. Source:
docs/methods.md, section Ambition.
"""

from __future__ import annotations

from collections.abc import Callable

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
    logit_of_share,
    net_change,
    panel,
    reasons,
    result,
    same_final,
    stack,
    undirected,
    verdict,
)


def change(first: Floats, last: Floats, direction: Floats) -> Floats:
    """Planned change for the better, ``d (yT - y0)``, in the indicator's unit; below 0 is for the worse.

    >>> change(np.array([90.0, 9.5]), np.array([88.0, 8.3]), np.array([1.0, -1.0])).round(9).tolist()
    [-2.0, 1.2]
    """
    return direction * (last - first)


def gap_closure(first: Floats, last: Floats, best: Floats) -> Floats:
    """Share of the distance to the best value that is planned to be closed, ``(yT - y0) / (L - y0)``.

    Read: 0.5 closes half of what is missing, 1 reaches the best value, below 0 falls back. NaN at the best
    value. The same for a share and its complement.

    >>> gap_closure(np.array([80.0, 95, 100]), np.array([90.0, 97.5, 100]), np.array([100.0])).tolist()
    [0.5, 0.5, nan]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return (last - first) / (best - first)


def yearly_gap_cut(closure: Floats, years: int) -> Floats:
    """Even yearly rate of cutting the shortfall that closes ``closure`` of it, ``1 - (1 - G)^(1/T)``.

    >>> yearly_gap_cut(np.array([0.2, 0.5, -0.2]), 5).round(5).tolist()
    [0.04365, 0.12945, -0.03714]
    """
    return 1 - np.maximum(1 - closure, 0) ** (1 / years)


def relative_change(first: Floats, last: Floats, direction: Floats) -> Floats:
    """Planned change for the better over the baseline; NaN unless the baseline is above zero.

    Descriptive only on shares: 80 to 90 is +12.5 %, its complement 20 to 10 is 50 %.

    >>> relative_change(np.array([80.0, 20]), np.array([90.0, 10]), np.array([1.0, -1])).tolist()
    [0.125, 0.5]
    """
    return direction * (last - first) / np.where(first > 0, first, np.nan)


def ambition(targets: pd.DataFrame) -> pd.DataFrame:
    """Compare the last planned value of every region and indicator with its own baseline.

    ``targets``: the frame of ``load_targets``. Returns long rows ``region, indicator, number, measure,
    value, lo, hi, n, status, flags``. Every pair has a ``change`` (in the indicator's unit) and a
    ``gap_closure`` (a share), with NaN and the reason in ``status`` where there is none; ``relative_change``
    (a share) for numbers, ``logit_change`` (log odds) for shares, ``yearly_gap_cut`` (a share a year) where
    a best value is declared. Above 0 is better, following the catalogue's direction; where that is not known the
    status is ``direction_unknown``. ``[lo, hi]`` is what
    rounding and bounds allow. A final target that is one and the same in all counties is flagged ``mandated`` where a
    plan marks the indicator as core, else ``identical_targets``; all others are chosen. Raises ValueError for two
    values of one region, indicator and year. Source: docs/methods.md.

    How to read it: on shares compare gap closure or logit change, for the last points are the hardest; take
    sentences from rows whose status is ``ok``.

    >>> frame = pd.DataFrame({"region": "330213", "level": "county", "indicator": "wage_arrears_resolved",
    ...     "year": [2022, 2027], "role": ["baseline", "target"], "kind": "point", "value": [99.5, 99.8],
    ...     "resolution": 0.1, "state": np.nan})
    >>> row = ambition(frame).set_index("measure").loc["gap_closure"]
    >>> [round(float(row[name]), 4) for name in ("value", "lo", "hi")], row["status"]
    ([0.6, 0.4444, 0.7273], 'ok')
    """
    return _measured(panel(targets, names.indicators_of(targets)))


def _measured(p: Panel) -> pd.DataFrame:
    number = p.of("scale") != "state"
    return stack(
        [
            change_rows(p),
            *_closure_rows(p),
            _relative_rows(p, number),
            _logit_rows(p, p.of("scale") == "share"),
        ]
    )


def _ends(p: Panel) -> tuple[Floats, Floats]:
    return p.value[:, 0], p.value[:, -1]


def _interval(
    function: Callable[..., Floats], p: Panel, pole: Callable[..., Floats] | None = None
) -> tuple[Floats, Floats]:
    return corners(function, *((p.lo[:, end], p.hi[:, end]) for end in (0, -1)), pole=pole)


def _rows(
    p: Panel,
    measure: str,
    value: Floats,
    interval: tuple[Floats, Floats],
    extra: Masks | None = None,
    flags: Masks | None = None,
    where: NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """One measure with the statuses that all changes share: they rest on the sign of the change."""
    direction = p.of("direction")
    base = {**reasons(p), **net_change(p), **undirected(p), "non_monotone": falls(p)}
    signs = [_interval(lambda a, b: change(a, b, direction), q) for q in (p.committed(), p)]
    conditions = verdict(base, 0, *signs) | dict(extra or {})
    ends = [0, -1]
    shared = {
        "bounded": p.bounded[:, ends].any(axis=1),
        "from_text": p.from_text[:, ends].any(axis=1),
        "absolute_count": p.of("scale") == "count",
        "per_resident": p.of("scale") == "rate",
        **_origin(p),
    }
    value = np.where(base["state"] | base["no_direction"], np.nan, value)
    n = np.isfinite(p.value[:, ends]).sum(axis=1)
    return result(p, measure, value, interval, n, conditions, shared | dict(flags or {}), where)


def _origin(p: Panel) -> dict[str, NDArray[np.bool_]]:
    """Whether a target was set from above or chosen: the same in every county, marked as core, or both."""
    core, same = p.of("core").astype(bool), same_final(p)
    return {"mandated": core & same, "identical_targets": same & ~core, "core": core & ~same}


def change_rows(p: Panel) -> pd.DataFrame:
    """The planned change of every row of a panel, in its order, with interval, status and flags.

    >>> nothing = pd.DataFrame(columns="region level indicator year role kind value resolution state".split())
    >>> change_rows(panel(nothing, names.indicators_of(nothing))).empty
    True
    """
    direction = p.of("direction")
    interval = _interval(lambda a, b: change(a, b, direction), p)
    return _rows(p, "change", change(*_ends(p), direction), interval)


def _closure_rows(p: Panel) -> list[pd.DataFrame]:
    best, (first, last) = p.of("best").astype(float), _ends(p)
    at_best = np.abs(first - best) <= EPS
    value = np.where(at_best, np.nan, gap_closure(first, last, best))
    low, high = _interval(lambda a, b: gap_closure(a, b, best), p, pole=lambda a, b: best - a)
    extra = {"no_limit": np.isnan(best), "at_ceiling": at_best & (np.abs(last - best) > EPS)}
    extra["direction_unknown"] = undirected(p)["direction_unknown"] & ~extra["no_limit"]  # a gap has no direction
    years = len(p.years) - 1
    cut, least, most = (yearly_gap_cut(closure, years) for closure in (value, low, high))
    declared = ~np.isnan(best) & (p.of("scale") != "state")
    return [
        _rows(p, "gap_closure", value, (low, high), extra),
        _rows(p, "yearly_gap_cut", cut, (least, most), extra, where=declared),
    ]


def _relative_rows(p: Panel, where: NDArray[np.bool_]) -> pd.DataFrame:
    direction, (first, last) = p.of("direction"), _ends(p)
    interval = _interval(lambda a, b: relative_change(a, b, direction), p, pole=lambda a, b: np.maximum(a, 0))
    flags = {"descriptive": p.of("scale") == "share"}
    return _rows(
        p,
        "relative_change",
        relative_change(first, last, direction),
        interval,
        {"not_positive": first <= 0},
        flags,
        where,
    )


def _logit_rows(p: Panel, where: NDArray[np.bool_]) -> pd.DataFrame:
    direction, (first, last) = p.of("direction"), _ends(p)
    limits = p.of("lower"), p.of("upper")
    start, end = (logit_of_share(value, p.delta, *limits) for value in (first, last))
    interval = _interval(
        lambda a, b: change(logit_of_share(a, 0, *limits), logit_of_share(b, 0, *limits), direction), p
    )
    with np.errstate(invalid="ignore"):  # 全覆盖 at both ends: both logits are infinite
        value = change(start, end, direction)
    touching = np.logical_or.reduce([(x <= limits[0]) | (x >= limits[1]) for x in (first, last)])
    return _rows(p, "logit_change", value, interval, None, {"at_limit": touching}, where)
