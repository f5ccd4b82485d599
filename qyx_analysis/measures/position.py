"""Where one region stands among the counties, without ordering what bounds and rounding leave open."""

from __future__ import annotations

import pandas as pd


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
