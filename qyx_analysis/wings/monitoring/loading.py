"""The actual values of a finished build, back as a frame."""

from __future__ import annotations

import pandas as pd

from qyx_analysis.datapackage.loading import load_table


def load_actuals(data: object = None, history: bool = False) -> pd.DataFrame:
    """Load the actual values of a build; an empty frame where none are given.

    Parameters
    ----------
    data : path or address, optional
        Folder of the build; else ``QYX_DATA``, else the project's ``data/processed``.
    history : bool
        With the earlier reports that a later one replaced (``current`` is false for them).

    Returns
    -------
    DataFrame
        One row per region x indicator x period, with ``history`` also x ``revision``; the columns are described in
        ``docs/data.md``. ``value`` is in the canonical ``unit`` and holds to the day ``due``; ``synthetic`` marks
        what was made for demonstration and must be named so wherever it is shown.

    Raises
    ------
    DataError
        When there is no build in the folder.

    Examples
    --------
    >>> load_actuals().columns[:5].tolist()
    ['region', 'region_name', 'indicator', 'number', 'name']
    """
    frame = load_table("actuals", data).astype({"year": int, "revision": int})
    return frame if history else frame[frame["current"]].reset_index(drop=True)
