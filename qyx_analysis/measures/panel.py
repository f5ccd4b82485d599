"""Planned values as aligned arrays with intervals, as printed and on other scales.

On the level scale equal changes in printed units count alike, on the logit scale equal changes in log odds, on the log
scale equal percentages, and on the shortfall scale equal closures of the gap to the best value. Which scales an
indicator has comes from the catalogue alone. Source: docs/methods.md, sections Common rules and Scales.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qyx_analysis import names
from qyx_analysis.problems import require
from qyx_analysis.tidy.meaning import MEANING, OPEN, WORDS, finest_digits, shared_targets, with_meaning

Floats = NDArray[np.float64]
Masks = NDArray[np.bool_]

EPS = 1e-9  # printed decimals are not exact in binary: 99.3 - 99.1 must not be "less than 0.2"
RATIO_SCALES = ("ratio", "gross_ratio", "rate")  # the last: a count per resident
_PAIR = ["region", "indicator"]
_OF_TARGETS = (*_PAIR, "level", "year", "role", "kind", "value", "resolution", "state")
_OF_INDICATOR = ["indicator", "number", "domain", "unit", "direction", "nature", "scale", "lower", "upper", "best"]
_OF_INDICATOR += ["full_is_best", "comparability"]
_BY_YEAR = ("kind", "value", "lo", "hi", "bounded", "from_text", "population", "digit", "limited")


@dataclass(frozen=True, eq=False)
class Panel:
    """Regions x indicators down (``rows``), years across; see :func:`panel`."""

    rows: pd.DataFrame
    years: NDArray[np.int64]
    kind: NDArray[Any]
    value: Floats
    lo: Floats
    hi: Floats
    bounded: Masks
    from_text: Masks
    population: Floats
    digit: Floats  # what each number is rounded to
    limited: Masks  # on another scale: open at a limit that the printed number reaches by its rounding

    @property
    def delta(self) -> Floats:
        """What the targets of each row are rounded to."""
        return self.digit[:, -1]

    def of(self, column: str) -> Any:
        """One column of ``rows`` as an array."""
        return self.rows[column].to_numpy()

    def at(self, years: slice | list[int]) -> Panel:
        """Keep the years at these places."""
        return replace(self, years=self.years[years], **{name: getattr(self, name)[:, years] for name in _BY_YEAR})

    def where(self, rows: Masks | NDArray[np.int64]) -> Panel:
        """Keep the rows in a mask, or at positions."""
        if rows.dtype == bool and rows.all():
            return self
        cut = {name: getattr(self, name)[rows] for name in _BY_YEAR}
        return replace(self, rows=self.rows.iloc[np.arange(len(self.rows))[rows]].reset_index(drop=True), **cut)

    def committed(self) -> Panel:
        """Read every bound as its threshold, so that only rounding is left in ``[lo, hi]``."""
        lo, hi = (np.where(self.bounded, self.value, end) for end in (self.lo, self.hi))
        return replace(self, lo=lo, hi=hi)

    def unrounded(self) -> Panel:
        """Take every printed number as exact, so that only bounds are left in ``[lo, hi]``."""
        lo, hi = (np.where(self.bounded, end, self.value) for end in (self.lo, self.hi))
        return replace(self, lo=lo, hi=hi)

    @cached_property
    def each(self) -> list[Panel]:
        """The counties' plans for each indicator, in the order of the indicators.

        Cities and the province stay out; absolute counts are rates where a population is known.
        """
        counties = self.counties
        codes = names.in_order(counties.rows.drop_duplicates("indicator"), ["indicator"])["indicator"]
        return [counties.where(counties.of("indicator") == code) for code in codes]

    @cached_property
    def counties(self) -> Panel:
        """Only the counties; absolute counts as rates where a population is known."""
        return per_resident(self.where(self.of("level") == "county"))

    @cached_property
    def balanced(self) -> Panel:
        """The first and the last year of the rows that have a number in both."""
        ends = self.at([0, -1])
        return ends.where(np.isfinite(ends.value[:, 0] + ends.value[:, 1]))

    @cached_property
    def refusal(self) -> str:
        """Why counties are not compared on the one indicator of this panel, or nothing: the status to say so."""
        if (self.of("comparability") == "").any():
            return "not_comparable"
        scale = self.of("scale")[0] if len(self.rows) else ""
        return {"count": "absolute_count", "state": "state"}.get(scale, "")


def panel(targets: pd.DataFrame, indicators: pd.DataFrame | None = None) -> Panel:
    """Align the tidy targets as arrays: one row per region and indicator, one column per year.

    ``targets``: the frame of ``load_targets``, perhaps with a column ``population`` (residents of the region in
    that year); what its cells mean is taken from ``meant, lo, hi``, or read anew where a frame made by hand lacks
    these or a value was changed.
    ``indicators``: what ``names.indicators_of`` says of them, the only source of direction, limits and nature; other
    rows are left out. The first column is the baseline year (the one most rows call ``baseline``), the last one the
    year in which most of the plans that begin so end; a year nobody prints is a column of gaps. In the first column
    stand baselines alone: what a plan of other years aims at in that year is a target and no start. ``digit`` is what
    each number is rounded to, ``delta`` what the targets of a row are. Raises DataError for another frame, and
    ValueError when one region prints an indicator twice for one year.

    >>> frame = pd.DataFrame({"region": "330213", "level": "county", "indicator": "affordable_nursery_share",
    ...     "year": [2022, 2023], "role": ["baseline", "target"], "kind": ["point", "lower_bound"],
    ...     "value": [60.0, 70.0], "resolution": 1.0, "state": np.nan})
    >>> p = panel(frame)
    >>> p.lo.tolist(), p.hi.tolist()
    ([[59.5, 70.0]], [[60.5, 100.0]])
    """
    require(targets, _OF_TARGETS, "load_targets()")
    known = names.indicators_of(targets) if indicators is None else indicators
    cells = targets[targets["indicator"].isin(known["code"])]
    twice = cells[cells.duplicated([*_PAIR, "year"])]
    if len(twice):
        region, indicator, year = twice[[*_PAIR, "year"]].iloc[0]
        raise ValueError(f"{indicator} of region {region} has two values for {year}: remove one from the targets")
    cells = with_meaning(cells, known)
    years, rows = _years(cells), _rows(cells, known)
    cells = cells.assign(pair=cells.groupby(_PAIR, sort=False).ngroup(), digit=finest_digits(cells))
    planned = cells[cells["role"] != "baseline"].groupby("pair")["digit"].first()
    cells = cells[cells["year"].between(years[0], years[-1])]
    cells = cells[(cells["year"] > years[0]) | (cells["role"] == "baseline")]
    place = cells["pair"].to_numpy(int), cells["year"].to_numpy(int) - years[0]

    def laid_out(column: str, empty: Any, dtype: Any) -> NDArray[Any]:
        array = np.full((len(rows), len(years)), empty, dtype=dtype)
        if column in cells:
            array[place] = cells[column].to_numpy()
        return array

    kind = laid_out("kind", "missing", object)
    value, lo, hi, population = (laid_out(name, np.nan, float) for name in (*MEANING, "population"))
    from_text = np.isin(kind, WORDS) & np.isfinite(value)
    digit = laid_out("digit", np.nan, float)
    digit = np.where(np.isnan(digit), planned.reindex(range(len(rows))).fillna(1.0).to_numpy()[:, None], digit)
    return Panel(rows, years, kind, value, lo, hi, np.isin(kind, OPEN), from_text, population, digit, kind == "")


def _years(cells: pd.DataFrame) -> NDArray[np.int64]:
    if cells.empty:
        return np.array([0, 1])
    baselines = cells[cells["role"] == "baseline"]
    first = int(baselines["year"].mode().iloc[0]) if len(baselines) else int(cells["year"].min()) - 1
    begun = baselines.loc[baselines["year"] == first, "region"] if len(baselines) else cells["region"]
    last = int(cells[cells["region"].isin(begun)].groupby("region")["year"].max().mode().iloc[-1])
    return np.arange(first, max(last, first + 1) + 1)


def _rows(cells: pd.DataFrame, indicators: pd.DataFrame) -> pd.DataFrame:
    core = cells.loc[cells["core"], "indicator"] if "core" in cells else []
    pairs = cells.drop_duplicates(_PAIR)[[*_PAIR, "level"]]
    pairs = pairs.assign(core=pairs["indicator"].isin(core))
    rows = pairs.merge(indicators.rename(columns={"code": "indicator"})[_OF_INDICATOR], on="indicator", how="left")
    rows["shared_with"] = shared_targets(cells).reindex(pd.MultiIndex.from_frame(rows[_PAIR])).fillna("").to_numpy()
    return rows.astype(dict.fromkeys(rows.select_dtypes("str"), object))  # sliced often: plain objects are faster


# --- gaps, falls and common targets -----------------------------------------------------------------------


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
    """Mean along the last axis of what is not NaN; NaN where nothing is."""
    some = np.asarray((~np.isnan(values)).sum(axis=-1))
    return np.divide(np.nansum(values, axis=-1), some, out=np.full(some.shape, np.nan), where=some > 0)


def falls(p: Panel) -> Masks:
    """Say which cumulative rows fall by more than rounding explains: their shape means nothing."""
    down = (np.diff(fill(p.value), axis=1) < -p.delta[:, None] / 2 - EPS).any(axis=1)
    return down & (p.of("nature") == "cumulative")


def common_final(p: Panel) -> Masks:
    """Say for which rows all counties that print a final number, two at least, print one and the same."""
    sign = np.where(p.bounded[:, -1], p.kind[:, -1], "")
    wide = np.where(p.bounded[:, -1], p.hi[:, -1] - p.lo[:, -1], 0)
    final = pd.DataFrame({"indicator": p.of("indicator"), "value": p.value[:, -1], "sign": sign + wide.astype(str)})
    final = final[np.isfinite(final["value"]) & (p.of("level") == "county") & (p.of("comparability") != "")]
    found = final.groupby("indicator").agg(n=("value", "size"), values=("value", "nunique"), signs=("sign", "nunique"))
    same = found.index[(found["n"] > 1) & (found["values"] == 1) & (found["signs"] == 1)]
    return p.rows["indicator"].isin(same).to_numpy()


# --- scales -----------------------------------------------------------------------------------------------


def scales(p: Panel) -> dict[str, Panel]:
    """The panel as printed (``level``) and as ``logit``, ``log`` and ``shortfall``; NaN where one does not apply.

    ``logit`` is for shares, ``log`` for ratio scales, ``shortfall`` (minus the log of the distance to the best
    value) where a best value is declared. A number whose rounding reaches a limit is ``limited``: a bound, open towards
    the limit; one printed there stands half a printed digit inside it. All but ``log`` say the same of a share and of
    its complement.

    >>> frame = pd.DataFrame({"region": "330213", "level": "county", "indicator": "affordable_nursery_share",
    ...     "year": [2022, 2023], "role": ["baseline", "target"], "kind": "point", "value": [50.0, 75.0],
    ...     "resolution": 1.0, "state": np.nan})
    >>> {name: q.value.round(4).tolist() for name, q in scales(panel(frame)).items()}
    {'level': [[50.0, 75.0]], 'logit': [[0.0, 1.0986]], 'log': [[nan, nan]], 'shortfall': [[-3.912, -3.2189]]}
    """
    return {"level": p, "logit": logit_of(p), "log": log_of(p), "shortfall": shortfall_of(p)}


def logit_of(p: Panel) -> Panel:
    """Shares as log odds."""
    lower, upper = (p.of(name).astype(float)[:, None] * _only(p, "share") for name in ("lower", "upper"))
    printed = p.committed()
    touching = (printed.lo <= lower + EPS) | (printed.hi >= upper - EPS)
    nothing = np.zeros_like(p.digit)
    readings = [(p.value, p.digit), (p.lo, nothing), (p.hi, nothing)]
    value, *ends = (logit_of_share(x, delta, lower, upper) for x, delta in readings)
    return _rescaled(p, value, ends, touching)


def log_of(p: Panel) -> Panel:
    """Numbers of ratio scales as their logs."""
    positive = np.where(p.value > 0, 1.0, np.nan) * _only(p, *RATIO_SCALES)
    with np.errstate(divide="ignore"):  # a bound that reaches down to zero
        value, *ends = (np.log(np.maximum(x, 0) * positive) for x in (p.value, p.lo, p.hi))
    return _rescaled(p, value, ends, np.zeros_like(p.bounded))


def shortfall_of(p: Panel) -> Panel:
    """Minus the log of the distance to the best value, where one is declared."""
    best = p.of("best").astype(float)[:, None] * _only(p, "share", *RATIO_SCALES)
    printed = p.committed()
    value, *ends = (np.abs(best - x) for x in (p.value, p.lo, p.hi))
    touching = (printed.lo <= best + EPS) & (printed.hi >= best - EPS)
    value = np.where(value <= EPS, p.digit / 2, value)
    with np.errstate(divide="ignore"):
        return _rescaled(p, -np.log(value), [-np.log(end) for end in ends], touching)


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


def _only(p: Panel, *wanted: str) -> Floats:
    """1 in the rows that have one of these scales, else NaN: what is multiplied by it is left out."""
    return np.where(np.isin(p.of("scale").astype(str), wanted), 1.0, np.nan)[:, None]


def _rescaled(p: Panel, value: Floats, ends: list[Floats], touching: Masks) -> Panel:
    together = np.stack([value, *ends])
    lo, hi = (np.where(np.isnan(value), np.nan, end.reduce(together)) for end in (np.fmin, np.fmax))
    return replace(p, value=value, lo=lo, hi=hi, bounded=p.bounded | touching, limited=touching)


def per_resident(p: Panel) -> Panel:
    """Absolute counts as rates per 100 residents (scale ``rate``) where a population is known; the rest as it is.

    Raises ValueError for a population that is not above zero.

    >>> frame = pd.DataFrame({"region": "330213", "level": "county", "indicator": "pension_insured",
    ...     "year": [2022, 2023], "role": ["baseline", "target"], "kind": "point", "value": [43.2, 43.6],
    ...     "resolution": 0.1, "state": np.nan, "population": 576_000})
    >>> per_resident(panel(frame)).value.round(2).tolist()
    [[75.0, 75.69]]
    """
    wrong = p.rows[(p.population <= 0).any(axis=1)]
    if len(wrong):
        raise ValueError(f"the population of region {wrong['region'].iloc[0]} must be above zero")
    count, known = p.of("scale") == "count", np.isfinite(p.population).any(axis=1)
    if not (count & known).any():
        return p
    units = {unit: names.find_unit(unit) for unit in p.rows["unit"].unique()}
    factor = p.rows["unit"].map({unit: float(found.factor) if found else 1.0 for unit, found in units.items()})
    rate = np.where(count[:, None], 100 * factor.to_numpy(float)[:, None] / p.population, 1.0)
    digit = np.where(np.isfinite(rate), p.digit * rate, 1.0)
    counted = np.isin(p.of("indicator"), p.of("indicator")[count & known])
    rows = p.rows.assign(scale=np.where(counted, "rate", p.of("scale")))
    as_rate = [np.where(counted[:, None], numbers * rate, numbers) for numbers in (p.value, p.lo, p.hi)]
    return replace(p, rows=rows, digit=digit, **dict(zip(("value", "lo", "hi"), as_rate, strict=True)))
