"""Who stands above whom, without ordering what bounds and rounding leave open.

Goldstein and Spiegelhalter 1996, *J. Royal Statistical Society A* 159, on league tables.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qyx_analysis.measures.panel import EPS, Floats, Panel

Sides = NDArray[np.int64]


def position(results: pd.DataFrame, region: str) -> pd.DataFrame:
    """Count the counties that one region is surely above, surely below, or not separable from.

    Parameters
    ----------
    results : DataFrame
        ``region, indicator, value, lo, hi``: one measure, signed so that more is better. ``[lo, hi]`` is what
        bounds and rounding allow; where it is missing the value stands for it.
    region : str
        The region to place.

    Returns
    -------
    DataFrame
        ``indicator, above, below, unclear, n``: one row per indicator for which the region and at least one
        other have a value; ``n`` counts the region itself. Two regions whose intervals overlap are not ordered,
        so ``above + below + unclear = n - 1``.

    Examples
    --------
    >>> table = pd.DataFrame({"region": ["a", "b", "c"], "indicator": "x", "value": [3.0, 1.0, 2.9],
    ...     "lo": [2.5, 0.5, 2.4], "hi": [3.5, 1.5, 3.4]})
    >>> position(table, "a").to_dict(orient="records")
    [{'indicator': 'x', 'above': 1, 'below': 0, 'unclear': 1, 'n': 3}]
    """
    known = results.dropna(subset="value")
    known = known.assign(lo=known["lo"].fillna(known["value"]), hi=known["hi"].fillna(known["value"]))
    own, others = known[known["region"] == region], known[known["region"] != region]
    pairs = own.merge(others, on="indicator", suffixes=("", "_other"))
    pairs = pairs.assign(above=pairs["lo"] > pairs["hi_other"], below=pairs["hi"] < pairs["lo_other"])
    counts = pairs.groupby("indicator", sort=False).agg(
        above=("above", "sum"), below=("below", "sum"), others=("above", "size")
    )
    counts["unclear"] = counts["others"] - counts["above"] - counts["below"]
    counts["n"] = counts["others"] + 1
    return counts.reset_index()[["indicator", "above", "below", "unclear", "n"]]


def final_positions(p: Panel, region: str, among: list[str] | None = None) -> pd.DataFrame:
    """Place the final planned values of one region among those of the counties (of these): see :func:`position`.

    Absolute counts and states are left out, and what has no direction; the intervals are those of bounds and digits.

    >>> from qyx_analysis.measures.panel import panel
    >>> nothing = pd.DataFrame(columns="region level indicator year role kind value resolution state".split())
    >>> final_positions(panel(nothing), "330213").columns.tolist()
    ['indicator', 'above', 'below', 'unclear', 'n']
    """
    counties = (p.of("level") == "county") & (np.isin(p.of("region"), among) if among is not None else True)
    placed = counties | (p.of("region") == region)
    p = p.where(placed & ~np.isin(p.of("scale"), ["count", "state"]) & (np.abs(p.of("direction").astype(float)) == 1))
    value, lo, hi = (end[:, -1] * p.of("direction").astype(float) for end in (p.value, p.lo, p.hi))
    ends = {"value": value, "lo": np.minimum(lo, hi), "hi": np.maximum(lo, hi)}
    return position(p.rows[["region", "indicator"]].assign(**ends), region)


def beaten(lo: Floats, hi: Floats) -> tuple[Sides, Sides]:
    """How many others are surely below and surely above each: intervals that overlap are not ordered.

    >>> below, above = beaten(np.array([1.0, 2.0, 5.0]), np.array([2.5, 3.0, 6.0]))
    >>> below.tolist(), above.tolist()
    ([0, 0, 2], [1, 1, 0])
    """
    below = np.searchsorted(np.sort(hi), lo - EPS, side="left")
    above = len(lo) - np.searchsorted(np.sort(lo), hi + EPS, side="right")
    return below, above


def agreement(below: Sides, above: Sides, headline: Floats) -> tuple[int, Sides]:
    """How many specifications there are when each other county is left out in turn, and how many agree, per county.

    A county is on the side of the headline (+1, 0, -1) when more others are surely below it than above it, or as many,
    or fewer. Leaving out a county only takes one from either count, so that nothing is taken again.

    >>> asked, agreed = agreement(np.array([3, 2, 1, 0]), np.array([0, 1, 2, 3]), np.array([1.0, 1, -1, -1]))
    >>> asked, agreed.tolist()
    (4, [4, 2, 2, 4])
    """
    n = len(below)
    whole = np.sign(below - above) == headline
    if n < 3:
        return 1, whole.astype(int)
    better, worse = np.sign(below - above + 1) == headline, np.sign(below - 1 - above) == headline
    return n, above * better + below * worse + (n - below - above) * whole
