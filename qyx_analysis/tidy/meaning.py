"""What number a cell of a plan means, and what its printed text allows: decided here and nowhere else."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qyx_analysis import names

MEANING = ("meant", "lo", "hi")  # the columns of the targets that say it
BOUNDS = ("lower_bound", "upper_bound")
OPEN = (*BOUNDS, "range")  # kinds that commit to one end and leave the other open
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
        are half of the row's finest printed digit around a number (1 where it prints none), everything beyond a
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
    """The finest printed digit of the row of each cell: its size, or 1 where the row prints no number.

    >>> rows = pd.DataFrame({"region": "a", "indicator": ["x", "x", "y"], "resolution": [1, 0.1, None]})
    >>> finest_digits(rows).tolist()
    [0.1, 0.1, 1.0]
    """
    rows = [targets["region"], targets["indicator"]]
    return targets["resolution"].astype(float).groupby(rows, sort=False).transform("min").fillna(1.0)


def _numbers(targets: pd.DataFrame, column: str) -> np.ndarray:
    return targets[column].to_numpy(float, na_value=np.nan)
