"""The same plans on other scales: a panel in, panels out.

On the level scale equal changes in printed units count alike, on the logit scale equal changes in log odds, on the
log scale equal percentages, and on the shortfall scale equal closures of the gap to the best value. Which scales an
indicator has comes from the catalogue alone. Source: docs/methods.md, section Scales.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qyx_analysis import names
from qyx_analysis.measures.common import EPS, Floats, Panel, logit_of_share

RATIO_SCALES = ("ratio", "gross_ratio", "rate")  # the last: a count per resident


def scales(p: Panel) -> dict[str, Panel]:
    """The panel as printed (``level``) and as ``logit``, ``log`` and ``shortfall``; NaN where one does not apply.

    ``logit`` is for shares, ``log`` for ratio scales, ``shortfall`` (minus the log of the distance to the best
    value) where a best value is declared. A number printed at a limit stands half a printed digit inside it and
    becomes a bound, open towards the limit. All but ``log`` say the same of a share and of its complement.

    >>> import pandas as pd
    >>> from qyx_analysis.measures.common import panel
    >>> frame = pd.DataFrame({"region": "330213", "level": "county", "indicator": "affordable_nursery_share",
    ...     "year": [2022, 2023], "role": ["baseline", "target"], "kind": "point", "value": [50.0, 75.0],
    ...     "resolution": 1.0, "state": np.nan})
    >>> {name: q.value.round(4).tolist() for name, q in scales(panel(frame, names.indicators_of(frame))).items()}
    {'level': [[50.0, 75.0]], 'logit': [[0.0, 1.0986]], 'log': [[nan, nan]], 'shortfall': [[-3.912, -3.2189]]}
    """
    return {"level": p, "logit": logit_of(p), "log": log_of(p), "shortfall": shortfall_of(p)}


def _only(p: Panel, column: str, *wanted: str) -> Floats:
    """1 in the rows whose ``column`` is wanted, else NaN: what is multiplied by it is left out."""
    return np.where(np.logical_or.reduce([p.of(column) == name for name in wanted]), 1.0, np.nan)[:, None]


def _rescaled(p: Panel, value: Floats, ends: list[Floats], touching: NDArray[np.bool_]) -> Panel:
    together = np.stack([value, *ends])
    lo, hi = (np.where(np.isnan(value), np.nan, end.reduce(together)) for end in (np.fmin, np.fmax))
    return p._replace(value=value, lo=lo, hi=hi, bounded=p.bounded | touching)


def logit_of(p: Panel) -> Panel:
    """One scale of :func:`scales`."""
    lower, upper = (p.of(name).astype(float)[:, None] * _only(p, "scale", "share") for name in ("lower", "upper"))
    touching = (p.value <= lower) | (p.value >= upper)
    nothing = np.zeros_like(p.delta[:, None])
    readings = [(p.value, p.delta[:, None]), (p.lo, nothing), (p.hi, nothing)]
    value, *ends = (logit_of_share(x, delta, lower, upper) for x, delta in readings)
    return _rescaled(p, value, ends, touching)


def log_of(p: Panel) -> Panel:
    """One scale of :func:`scales`."""
    positive = np.where(p.value > 0, 1.0, np.nan) * _only(p, "scale", *RATIO_SCALES)
    with np.errstate(divide="ignore"):  # a bound that reaches down to zero
        value, *ends = (np.log(np.maximum(x, 0) * positive) for x in (p.value, p.lo, p.hi))
    return _rescaled(p, value, ends, np.zeros_like(p.bounded))


def shortfall_of(p: Panel) -> Panel:
    """One scale of :func:`scales`."""
    best = p.of("best").astype(float)[:, None] * _only(p, "scale", "share", *RATIO_SCALES)
    value, *ends = (np.abs(best - x) for x in (p.value, p.lo, p.hi))
    touching = value <= EPS
    value = np.where(touching, p.delta[:, None] / 2, value)
    with np.errstate(divide="ignore"):
        return _rescaled(p, -np.log(value), [-np.log(end) for end in ends], touching)


def per_resident(p: Panel) -> Panel:
    """Absolute counts as rates per 100 residents (scale ``rate``) where a population is known; the rest as it is.

    Raises ValueError for a population that is not above zero.

    >>> import pandas as pd
    >>> from qyx_analysis.measures.common import panel
    >>> frame = pd.DataFrame({"region": "330213", "level": "county", "indicator": "pension_insured",
    ...     "year": [2022, 2023], "role": ["baseline", "target"], "kind": "point", "value": [43.2, 43.6],
    ...     "resolution": 0.1, "state": np.nan, "population": 576_000})
    >>> per_resident(panel(frame, names.indicators_of(frame))).value.round(2).tolist()
    [[75.0, 75.69]]
    """
    count = p.of("scale") == "count"
    wrong = p.rows[(p.population <= 0).any(axis=1)]
    if len(wrong):
        raise ValueError(f"the population of region {wrong['region'].iloc[0]} must be above zero")
    known = np.isfinite(p.population)
    if not (count & known.any(axis=1)).any():
        return p
    units = {unit: names.find_unit(unit) for unit in p.rows["unit"].unique()}
    factor = p.rows["unit"].map({unit: float(known.factor) if known else 1.0 for unit, known in units.items()})
    factor = factor.to_numpy(float)
    rate = np.where(count[:, None], 100 * factor[:, None] / p.population, 1.0)
    finest = np.where(count, np.nan_to_num(p.delta * np.fmin.reduce(rate, axis=1), nan=1.0), p.delta)
    counted = np.isin(p.of("indicator"), p.of("indicator")[count & known.any(axis=1)])
    rows = p.rows.assign(scale=np.where(counted, "rate", p.of("scale")))
    scaled = {
        name: np.where(counted[:, None], getattr(p, name) * rate, getattr(p, name)) for name in ("value", "lo", "hi")
    }
    return p._replace(rows=rows, delta=finest, **scaled)
