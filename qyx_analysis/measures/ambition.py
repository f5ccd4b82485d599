"""How ambitious is the last target against the region's own baseline? (METHODS B)

One measure is one function of the list ``MEASURES``: it takes a :class:`Ends` and gives its rows, its docstring has the
formula. Source: docs/methods.md, section Ambition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from qyx_analysis.measures.panel import EPS, Floats, Masks, Panel, common_final, falls, logit_of_share, panel
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

Formula = Callable[[Floats, Floats], Floats]  # of the first and the last values


def ambition(targets: pd.DataFrame) -> pd.DataFrame:
    """Compare the last planned value of every region and indicator with its own baseline.

    ``targets``: the frame of ``load_targets``. Returns long rows ``region, indicator, number, measure,
    value, lo, hi, n, status, flags``. Every pair has a ``change`` (in the indicator's unit) and a
    ``gap_closure`` (a share), with NaN and the reason in ``status`` where there is none; ``relative_change``
    (a share) for numbers, ``logit_change`` (log odds) for shares, ``yearly_gap_cut`` (a share a year) where
    a best value is declared. Above 0 is better, following the catalogue's direction; where that is not known the
    status is ``direction_unknown``. ``[lo, hi]`` is what
    rounding and bounds allow. A final target that is one and the same in all counties is flagged ``mandated`` where a
    plan marks the indicator as core, else ``identical_targets``; targets that are those of another county, or of the
    city, in every year are flagged ``shared``. All others are the county's choice. Raises ValueError for two
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
    return measure_ambition(panel(targets))


def measure_ambition(p: Panel) -> pd.DataFrame:
    """The table of :func:`ambition`."""
    ends = Ends(p)
    return stack([measure(ends) for measure in MEASURES])


@dataclass(frozen=True, eq=False)
class Ends:
    """The first and the last year of a panel, and what all changes between them share."""

    p: Panel

    @cached_property
    def first(self) -> Floats:
        """The baselines."""
        return self.p.value[:, 0]

    @cached_property
    def last(self) -> Floats:
        """The final targets."""
        return self.p.value[:, -1]

    @cached_property
    def direction(self) -> Floats:
        """+1 where more is better, -1 where less is."""
        return self.p.of("direction")

    def interval(self, formula: Formula, p: Panel | None = None, pole: Formula | None = None) -> Interval:
        """What rounding and bounds allow of a formula of both."""
        p = p or self.p
        return corners(formula, *((p.lo[:, end], p.hi[:, end]) for end in (0, -1)), pole=pole)

    def change(self, first: Floats, last: Floats) -> Floats:
        """Planned change for the better."""
        return self.direction * (last - first)

    @cached_property
    def conditions(self) -> dict[str, Masks]:
        """The statuses of every measure: they rest on the sign of the change."""
        p = self.p
        base = {**reasons(p), **net_change(p), **undirected(p), "non_monotone": falls(p)}
        rounding, widest = (holds(*self.interval(self.change, q), 0) for q in (p.committed(), p))
        return doubts(base, rounding, widest)

    @cached_property
    def flags(self) -> dict[str, Masks]:
        """Flags of every measure; the last four say whether a target was set from above, shared or chosen."""
        p, core, same = self.p, self.p.of("core").astype(bool), common_final(self.p)
        return {
            "bounded": p.bounded[:, [0, -1]].any(axis=1),
            "from_text": p.from_text[:, [0, -1]].any(axis=1),
            "absolute_count": p.of("scale") == "count",
            "per_resident": p.of("scale") == "rate",
            "mandated": core & same,
            "identical_targets": same & ~core,
            "core": core & ~same,
            "shared": self.p.of("shared_with") != "",
        }

    def rows(
        self,
        measure: str,
        value: Floats,
        interval: Interval,
        conditions: Conditions | None = None,
        flags: Conditions | None = None,
        where: Masks | None = None,
    ) -> pd.DataFrame:
        """Rows of one measure; ``conditions`` and ``flags``: what it has beside those of all."""
        value = np.where(self.conditions["state"] | self.conditions["no_direction"], np.nan, value)
        n = np.isfinite(self.p.value[:, [0, -1]]).sum(axis=1)
        held, marks = self.conditions | dict(conditions or {}), self.flags | dict(flags or {})
        return result(self.p, measure, value, interval, n, held, marks, where)

    @cached_property
    def closure(self) -> tuple[Floats, Interval, Conditions]:
        """Closed share of the gap with its interval, and why there may be none."""
        best = self.p.of("best").astype(float)

        def closed(first: Floats, last: Floats) -> Floats:
            with np.errstate(divide="ignore", invalid="ignore"):
                return (last - first) / (best - first)

        at_best, no_limit = np.abs(self.first - best) <= EPS, np.isnan(best)
        conditions = {
            "no_limit": no_limit,
            "at_ceiling": at_best & (np.abs(self.last - best) > EPS),
            "direction_unknown": self.conditions["direction_unknown"] & ~no_limit,  # a gap has no direction
        }
        value = np.where(at_best, np.nan, closed(self.first, self.last))
        return value, self.interval(closed, pole=lambda first, last: best - first), conditions


def change(ends: Ends) -> pd.DataFrame:
    """``d (yT - y0)``: planned change for the better, in the indicator's unit."""
    return ends.rows("change", ends.change(ends.first, ends.last), ends.interval(ends.change))


def gap_closure(ends: Ends) -> pd.DataFrame:
    """``(yT - y0) / (L - y0)``: share of the distance to the best value; the same for a share and its complement."""
    return ends.rows("gap_closure", *ends.closure)


def yearly_gap_cut(ends: Ends) -> pd.DataFrame:
    """``1 - (1 - G)^(1/T)``: even yearly rate of cutting the shortfall that closes the share ``G`` of it."""
    value, (low, high), conditions = ends.closure
    years = len(ends.p.years) - 1
    cut, least, most = (1 - np.maximum(1 - closure, 0) ** (1 / years) for closure in (value, low, high))
    where = ~conditions["no_limit"] & (ends.p.of("scale") != "state")
    return ends.rows("yearly_gap_cut", cut, (least, most), conditions, where=where)


def relative_change(ends: Ends) -> pd.DataFrame:
    """``d (yT - y0) / y0``, for baselines above zero; descriptive on shares, whose complement answers otherwise."""

    def relative(first: Floats, last: Floats) -> Floats:
        return ends.change(first, last) / np.where(first > 0, first, np.nan)

    interval = ends.interval(relative, pole=lambda first, last: np.maximum(first, 0))
    conditions, flags = {"not_positive": ends.first <= 0}, {"descriptive": ends.p.of("scale") == "share"}
    where = ends.p.of("scale") != "state"
    return ends.rows("relative_change", relative(ends.first, ends.last), interval, conditions, flags, where)


def logit_change(ends: Ends) -> pd.DataFrame:
    """``d (logit yT - logit y0)`` of shares; 0 and 100 stand half a printed digit inside, their interval is open."""
    limits = ends.p.of("lower"), ends.p.of("upper")

    def moved(first: Floats, last: Floats, near_first: Floats | float = 0, near_last: Floats | float = 0) -> Floats:
        return ends.change(logit_of_share(first, near_first, *limits), logit_of_share(last, near_last, *limits))

    with np.errstate(invalid="ignore"):  # 全覆盖 at both ends: both logits are infinite
        value = moved(ends.first, ends.last, ends.p.digit[:, 0], ends.p.delta)
    touching = np.logical_or.reduce([(x <= limits[0]) | (x >= limits[1]) for x in (ends.first, ends.last)])
    where = ends.p.of("scale") == "share"
    return ends.rows("logit_change", value, ends.interval(moved), flags={"at_limit": touching}, where=where)


MEASURES: tuple[Callable[[Ends], pd.DataFrame], ...] = (  # in the order of the rows of a pair
    change, gap_closure, yearly_gap_cut, relative_change, logit_change,
)  # fmt: skip
