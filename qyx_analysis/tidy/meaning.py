"""What number a cell of a plan means, and what its printed text allows: decided here and nowhere else."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qyx_analysis import names

MEANING = ("meant", "lo", "hi")  # the columns of the targets that say it
BOUNDS = ("lower_bound", "upper_bound")
OPEN = (*BOUNDS, "range")  # kinds that commit to one end and leave the other open
SHARED_AT_LEAST = 4  # target years whose numbers must agree
WORDS = ("full_coverage", "status")  # kinds of words that may mean a number


def mean_cells(targets: pd.DataFrame, indicators: pd.DataFrame | None = None) -> pd.DataFrame:
    """Add to rows of targets the number that each cell means and the interval that its text allows.

    Parameters
    ----------
    targets : DataFrame
        ``region, indicator, kind, value, resolution, state``; for ranges ``value_low`` and ``value_high``.
    indicators : DataFrame, optional
        What :func:`~qyx_analysis.names.indicators_of` says of them: nature, logical limits, best value.

    Returns
    -------
    DataFrame
        A copy with three more columns, in the unit of ``value``.

        ``meant`` is the printed number, the threshold of a bound, the committed end of a range, 0 or 100 of a state,
        or the best value for 全覆盖 where the catalogue says that full means it; NaN for all else. ``lo`` and ``hi``
        are half of the printed digit around a number (see :func:`finest_digits`), everything beyond a
        bound up to the logical limit or infinity, a range from end to end, and ``meant`` itself for a word. A number
        printed outside its limits stays what it is.

    Examples
    --------
    >>> frame = pd.DataFrame({"region": "330213", "indicator": "affordable_nursery_share", "state": np.nan,
    ...     "kind": ["point", "lower_bound", "full_coverage"], "value": [60.0, 70, np.nan], "resolution": 1.0})
    >>> mean_cells(frame)[["meant", "lo", "hi"]].values.tolist()
    [[60.0, 59.5, 60.5], [70.0, 70.0, 100.0], [100.0, 100.0, 100.0]]
    """
    known = (names.indicators_of(targets) if indicators is None else indicators).set_index("code")
    of_rows = known.reindex(targets["indicator"])
    nature, full_is_best = of_rows["nature"].to_numpy(), of_rows["full_is_best"].eq(True).to_numpy()
    kind, printed = targets["kind"].to_numpy(), _numbers(targets, "value")
    full, state = (kind == "full_coverage") & full_is_best, (kind == "status") & (nature == "state")
    meant = np.select([full, state], [of_rows["best"].to_numpy(float), _numbers(targets, "state")], printed)
    half = np.where(full | state, 0, finest_digits(targets) / 2)
    lower, upper = (of_rows[end].to_numpy(float) for end in ("lower", "upper"))
    floor = np.fmin(np.nan_to_num(lower, nan=-np.inf), meant)
    ceiling = np.fmax(np.nan_to_num(upper, nan=np.inf), meant)
    kinds = [kind == name for name in OPEN]
    low, high = (_numbers(targets, name) if name in targets else meant for name in ("value_low", "value_high"))
    lo = np.select(kinds, [meant, floor, low], np.maximum(meant - half, floor))
    hi = np.select(kinds, [ceiling, meant, high], np.minimum(meant + half, ceiling))
    exact = dict(zip(MEANING, (meant, lo, hi), strict=True))
    return targets.assign(**{name: column.round(10) + 0.0 for name, column in exact.items()})


def with_meaning(targets: pd.DataFrame, indicators: pd.DataFrame | None = None) -> pd.DataFrame:
    """The targets with what their cells mean: as they carry it, or anew where they do not or a value was changed.

    >>> frame = pd.DataFrame({"region": "a", "indicator": "nursery_places", "kind": "point", "value": [3.5],
    ...     "resolution": 0.1, "state": np.nan})
    >>> with_meaning(mean_cells(frame).assign(value=4.0))["meant"].tolist()
    [4.0]
    """
    if not set(MEANING) <= set(targets):
        return mean_cells(targets, indicators)
    same = np.isclose(_numbers(targets, "meant"), _numbers(targets, "value"), rtol=1e-9, atol=1e-9, equal_nan=True)
    return targets if (same | targets["kind"].isin(WORDS)).all() else mean_cells(targets, indicators)


def finest_digits(targets: pd.DataFrame) -> pd.Series:
    """The printed digit that each cell is rounded to: its size, or 1 where the row prints no number.

    Of targets the finest among the targets of their row, because offices drop the zero (4 beside 4.5 is 4.0); of a
    baseline its own where that is finer, since it was measured and not planned (3.52 before 4 and 5).

    >>> rows = pd.DataFrame({"region": "a", "indicator": ["x", "x", "x", "y"], "resolution": [0.01, 1, 0.1, None],
    ...     "role": ["baseline", "target", "target", "target"]})
    >>> finest_digits(rows).tolist()
    [0.01, 0.1, 0.1, 1.0]
    """
    rows, own = [targets["region"], targets["indicator"]], targets["resolution"].astype(float)
    planned = targets["role"].ne("baseline") if "role" in targets else pd.Series(True, targets.index)
    finest = own.where(planned).groupby(rows, sort=False).transform("min")
    return finest.mask(~planned, np.fmin(finest, own)).fillna(1.0)


def shared_targets(targets: pd.DataFrame) -> pd.Series:
    """Who else prints the numbers of a row for all target years, whatever the baselines; ";"-joined region codes.

    Counties are set beside counties and the city they belong to; four of the cells at least must be numbers. Indexed by
    region and indicator, of the rows alone that share their targets.

    >>> frame = pd.DataFrame({"region": ["330213"] * 5 + ["330282"] * 5, "level": "county", "role": "target",
    ...     "indicator": "nursery_places", "year": [*range(2023, 2028)] * 2, "kind": "point", "state": np.nan,
    ...     "value": [3.5, 4, 4.5, 5, 5.5] * 2, "resolution": 0.1})
    >>> shared_targets(frame).tolist()
    ['330282', '330213']
    """
    planned = targets[(targets["role"] != "baseline") & targets["level"].isin(["county", "city"])]
    planned = with_meaning(planned).sort_values("year", kind="stable")
    said = [f"{cell.year} {cell.kind} {cell.meant:.10g}" for cell in planned.itertuples()]
    cells = planned.assign(said=said, number=planned["kind"].isin(["point", *OPEN]))
    rows = cells.groupby(["region", "indicator"], sort=False).agg({"said": ";".join, "number": "sum"}).reset_index()
    rows = rows[rows["number"] >= SHARED_AT_LEAST]
    groups = rows.groupby(["indicator", "said"])["region"].agg(list)
    found = {
        (own, indicator): ";".join(other for other in regions if _may_share(own, other))
        for (indicator, _), regions in groups.items()
        for own in regions
    }
    shared = pd.Series(found, dtype="str", index=pd.MultiIndex.from_tuples(found, names=["region", "indicator"]))
    return shared[shared != ""]


def _may_share(own: str, other: str) -> bool:
    """Two counties, or a county and its own city (whose code ends in 00)."""
    cities = own.endswith("00") + other.endswith("00")
    return own != other and (cities == 0 or (cities == 1 and own[:4] == other[:4]))


def _numbers(targets: pd.DataFrame, column: str) -> np.ndarray:
    return targets[column].to_numpy(float, na_value=np.nan)
