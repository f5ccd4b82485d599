"""How firm is a verdict? Every reasonable specification is enumerated, and those that agree are counted (METHODS D).

A specification is a choice of scale, of measure, of a county left out, and of how bounds are read. Source:
docs/methods.md, section Verdicts.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qyx_analysis import names
from qyx_analysis.measures.ambition import change_rows
from qyx_analysis.measures.common import EPS, Floats, Panel, falls, fill, labels, mean_of_known, panel
from qyx_analysis.measures.dispersion import (
    balanced,
    by_indicator,
    convergence_of,
    counties_of,
    ratio_bounds,
    refused,
    side,
)
from qyx_analysis.measures.scales import scales
from qyx_analysis.measures.spread import MEAN_DIFFERENCE, RANGE, SD, Spread, leave_one_out
from qyx_analysis.measures.trajectory import front_loading, front_loading_rows, path_interval

COLUMNS = [
    *("kind", "region", "domain", "indicator", "number", "verdict", "specifications", "agreeing", "share"),
    *("rank_best", "rank_worst", "above", "below", "pivotal", "n", "status", "flags"),
]
_NUMBERS = ("n", "rank_best", "rank_worst", "above", "below")
_TEXTS = ("kind", "region", "domain", "indicator", "verdict", "pivotal", "status", "flags")
LEFT_OUT_AT_MOST = 12  # counties up to which leaving one out is combined with what is costly to take again
WORDS = {
    "timing": ("back_loaded", "even", "front_loaded"),
    "ambition": ("less_ambitious", "middle", "more_ambitious"),
    "profile": ("less_ambitious", "middle", "more_ambitious"),
    "convergence": ("converging", "unchanged", "diverging"),
}
_FIRM = ("ok", "reversing")  # statuses that a lack of agreement may still change

Sides = NDArray[np.int64]


def verdicts(targets: pd.DataFrame) -> pd.DataFrame:
    """Give every verdict on the plans with the share of the specifications that agree, and ranges of ranks.

    Parameters
    ----------
    targets : DataFrame
        The frame of ``load_targets``; a column ``population`` turns absolute counts into rates.

    Returns
    -------
    DataFrame
        ``kind, region, domain, indicator, number, verdict, specifications, agreeing, share, rank_best, rank_worst,
        above, below, pivotal, n, status, flags``. ``agreeing`` of the ``specifications`` give the ``verdict``, which is
        that of the headline measure. One row per

        - ``timing``: region and indicator; ``front_loaded``, ``back_loaded`` or ``even``; ``n`` printed numbers;
        - ``ambition``: county and indicator; ``more_ambitious`` or ``less_ambitious`` than most counties, or in the
          ``middle``; the range of the ranks that scales, rounding and bounds allow (1 plans most), and how many
          counties it is surely ``above`` and ``below``;
        - ``profile``: county and domain; the same;
        - ``convergence``: indicator; ``converging``, ``diverging`` or ``unchanged``; ``pivotal`` lists the counties
          without which the standard deviation would not move that way.

    Raises
    ------
    ValueError
        For two values of one region, indicator and year, or a population that is not above zero.

    Notes
    -----
    How to read it: take sentences from rows whose ``status`` is ``ok`` and say the share; two counties whose ranges
    of ranks overlap are not ordered. Source: docs/methods.md, section Verdicts.

    Examples
    --------
    >>> frame = pd.DataFrame({"region": list("abcd") * 2, "level": "county",
    ...     "indicator": "wage_arrears_resolved", "year": [2022] * 4 + [2027] * 4,
    ...     "role": ["baseline"] * 4 + ["target"] * 4, "kind": "point", "resolution": 1.0, "state": np.nan,
    ...     "value": [80.0, 85, 90, 95, 90, 93, 96, 99]})
    >>> row = verdicts(frame).query("kind == 'convergence'").iloc[0]
    >>> row["verdict"], row["status"], int(row["specifications"]), round(float(row["share"]), 2)
    ('converging', 'scale_dependent', 45, 0.33)
    """
    return _measured(panel(targets, names.indicators_of(targets)))


def _measured(p: Panel) -> pd.DataFrame:
    counties = counties_of(p)
    codes = counties.of("indicator")
    fields = [_field(counties, np.flatnonzero(codes == code)) for code in pd.unique(codes)]
    frames = [_timing(p), _ambition(counties, fields), _profiles(counties, fields), _convergence(counties)]
    table = pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
    table = table.reindex(columns=COLUMNS)
    whole = ["number", "specifications", "agreeing", "rank_best", "rank_worst", "above", "below", "n"]
    texts = {name: table[name].fillna("").astype("str") for name in _TEXTS}
    return table.assign(**texts).astype(dict.fromkeys(whole, "Int64"))


def _judged(
    kind: str, keys: pd.DataFrame, headline: Floats, asked: Sides, agreed: Sides, status: pd.Series, **columns: object
) -> pd.DataFrame:
    """Name the verdicts and count the agreement; at most half agreeing makes a verdict contested."""
    some = ~np.isnan(headline) & (asked > 0)
    word = np.array(WORDS[kind])[np.nan_to_num(headline).astype(int) + 1]
    share = np.divide(agreed, asked, out=np.full(len(keys), np.nan), where=some)
    contested = np.isin(status.to_numpy(str), _FIRM) & (share <= 0.5 + EPS)
    return keys.assign(
        kind=kind, verdict=np.where(some, word, ""), specifications=np.where(some, asked, 0),
        agreeing=np.where(some, agreed, 0), share=share.round(10), status=np.where(contested, "contested", status),
        **columns,
    )  # fmt: skip


# --- timing -----------------------------------------------------------------------------------------------


def _timing(p: Panel) -> pd.DataFrame:
    """Front-loading on every scale, with and without the step from the baseline, bounds as committed and as wide."""
    rows, others = front_loading_rows(p), scales(p)
    firm = rows["value"].notna().to_numpy()
    headline = np.where(firm, side(np.nan_to_num(rows["value"].to_numpy())), np.nan)
    asked, agreed = np.zeros((2, len(rows)), dtype=int)
    for scale, start in product(("level", "logit"), (0, 1)):
        q = others[scale]._replace(bounded=p.bounded).since(start)
        q = q._replace(value=fill(q.value), lo=fill(q.lo), hi=fill(q.hi))
        known = firm & np.isfinite(q.value[:, 0] + q.value[:, -1]) & (len(q.years) > 2)
        lo, hi = path_interval(front_loading, q.unrounded())
        sure = np.where(lo > EPS, 1, np.where(hi < -EPS, -1, 0))
        for there, answer in ((known, _sign(front_loading(q.value))), (known & q.bounded.any(axis=1), sure)):
            asked, agreed = asked + there, agreed + (there & (answer == headline))
    keys = p.rows[["region", "domain", "indicator", "number"]]
    return _judged("timing", keys, headline, asked, agreed, rows["status"], n=rows["n"], flags=rows["flags"])


def _sign(index: Floats) -> Floats:
    """-1, 0 or +1; NaN where a path has no shape, which agrees with nothing."""
    return np.where(np.isnan(index), np.nan, side(np.nan_to_num(index)))


# --- ambition ---------------------------------------------------------------------------------------------


class _Field(NamedTuple):
    """The counties that can be compared on one indicator; ``spans``: their changes by scale and reading of bounds."""

    at: NDArray[np.int64]
    region: NDArray[np.object_]
    domain: str
    headline: str
    spans: dict[tuple[str, str], tuple[Floats, Floats]]


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


def _field(counties: Panel, at: NDArray[np.int64]) -> _Field:
    """What can be compared on one indicator: nothing without direction, no total that falls, none that starts best."""
    one = counties.where(at)
    first = one.value[:, 0]
    usable = np.isfinite(first + one.value[:, -1]) & ~falls(one) & (np.abs(one.of("direction")) > 0)
    usable &= (refused(one) == "") & ~(np.abs(first - one.of("best").astype(float)) <= EPS)
    ends, at = one.where(usable).at([0, -1]), at[usable]
    spans = {}
    for scale, q in scales(ends).items():
        if not len(at) or np.isnan(q.value).any():
            continue
        sign = np.ones(len(at)) if scale == "shortfall" else ends.of("direction")
        readings = {"committed": q._replace(bounded=ends.bounded).committed()}
        for reading, r in (readings | ({"widest": q} if ends.bounded.any() else {})).items():
            low, high = sign * (r.lo[:, 1] - r.hi[:, 0]), sign * (r.hi[:, 1] - r.lo[:, 0])
            spans[scale, reading] = np.minimum(low, high), np.maximum(low, high)
    headline = "shortfall" if ("shortfall", "committed") in spans else "level"
    return _Field(at, ends.of("region"), str(one.of("domain")[0]), headline, spans)


def _ambition(p: Panel, fields: list[_Field]) -> pd.DataFrame:
    """Where each county stands against the others on one indicator."""
    change = change_rows(p)
    numbers = {name: np.full(len(p.rows), np.nan) for name in _NUMBERS}
    headline, (asked, agreed) = np.full(len(p.rows), np.nan), np.zeros((2, len(p.rows)), dtype=int)
    too_few = np.zeros(len(p.rows), dtype=bool)
    for field in fields:
        at, n = field.at, len(field.at)
        numbers["n"][at] = n
        if n < 2:
            too_few[at] = True
            continue
        below, above = beaten(*field.spans[field.headline, "committed"])
        headline[at] = np.sign(below - above)
        counts = [beaten(*span) for span in field.spans.values()]
        votes = [agreement(*count, headline[at]) for count in counts]
        asked[at], agreed[at] = sum(vote[0] for vote in votes), sum(vote[1] for vote in votes)
        ranks = [(1 + above, n - below) for below, above in counts]
        _place(numbers, at, np.min([best for best, _ in ranks], axis=0), np.max([worst for _, worst in ranks], axis=0))
    fine = change["status"] == "ok"
    unknown = (p.of("scale") == "rate") & np.isnan(p.population[:, [0, -1]]).any(axis=1)
    status = change["status"].mask(fine & too_few, "too_few").mask(fine & (p.of("scale") == "count"), "absolute_count")
    status = status.mask(unknown, "no_population").mask(fine & (p.of("comparability") == ""), "not_comparable")
    keys = p.rows[["region", "domain", "indicator", "number"]]
    return _judged("ambition", keys, headline, asked, agreed, status, flags=change["flags"], **numbers)


def _place(numbers: dict[str, Floats], at: NDArray[np.int64], best: Floats, worst: Floats) -> None:
    """Write the ranges of ranks, and how many ranges lie surely behind and before each."""
    numbers["rank_best"][at], numbers["rank_worst"][at] = best, worst
    numbers["above"][at], numbers["below"][at] = beaten(-worst.astype(float), -best.astype(float))


# --- profiles ---------------------------------------------------------------------------------------------

_PREFERRED = {"gap": ("shortfall", "log", "level"), "odds": ("logit", "log", "level"), "level": ("level",)}


def _profiles(p: Panel, fields: list[_Field]) -> pd.DataFrame:
    """Where each county stands in a domain: mean over its indicators of how many it beats less how many beat it."""
    regions = pd.unique(p.of("region"))
    frames = [_profile(str(domain), regions, fields) for domain in pd.unique(p.of("domain")) if domain]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _profile(domain: str, regions: NDArray[np.object_], fields: list[_Field]) -> pd.DataFrame:
    own = [field for field in fields if field.domain == domain and len(field.at) > 1]
    held = np.array([np.isin(regions, field.region) for field in own]).reshape(len(own), len(regions))
    at = np.flatnonzero(held.any(axis=0))
    numbers = {name: np.full(len(regions), np.nan) for name in _NUMBERS}
    headline, (asked, agreed) = np.full(len(regions), np.nan), np.zeros((2, len(regions)), dtype=int)
    best, worst = np.full(len(at), len(at)), np.ones(len(at), dtype=int)
    for score, without in _scores(own, regions[at]):
        known = np.flatnonzero(~np.isnan(score))
        below, above = beaten(score[known], score[known])
        if np.isnan(headline[at]).all():  # the first specification is the headline
            headline[at[known]] = np.sign(below - above)
        best[known] = np.minimum(best[known], 1 + above)
        worst[known] = np.maximum(worst[known], len(known) - below)
        if without:
            answers = np.stack([_side_of(one) for one in (score, *without)])
            asked[at] += (~np.isnan(answers)).sum(axis=0)
            agreed[at] += (answers == headline[at]).sum(axis=0)
        else:
            many, agreeing = agreement(below, above, headline[at[known]])
            asked[at[known]] += many
            agreed[at[known]] += agreeing
    numbers["n"][at] = len(at)
    _place(numbers, at, best, worst)
    keys = pd.DataFrame({"region": regions, "domain": domain})
    status = pd.Series(np.where(held.any(axis=0), "ok", "not_comparable"))
    flags = np.where(held.any(axis=0) & ~held.all(axis=0), "incomplete", "")
    return _judged("profile", keys, headline, asked, agreed, status, flags=flags, **numbers)


def _scores(own: list[_Field], regions: NDArray[np.object_]) -> Iterator[tuple[Floats, list[Floats]]]:
    """The counties' scores by scale, reading of bounds and indicator left out; and again without each county if few."""
    readings = ["committed", *(["widest"] if any(("level", "widest") in field.spans for field in own) else [])]
    few = 2 < len(regions) <= LEFT_OUT_AT_MOST
    for reading, option in product(readings, _PREFERRED) if own else ():
        whole = net_wins(own, regions, option, reading)
        without = [net_wins(own, regions, option, reading, name) for name in regions] if few else []
        for left in (None, *range(len(own))) if len(own) > 1 else (None,):
            yield _mean(whole, left), [_mean(wins, left) for wins in without]


def net_wins(
    own: list[_Field], regions: NDArray[np.object_], option: str, reading: str, without: object = None
) -> Floats:
    """Share of the other counties that each surely beats less the share that surely beat it, by region and indicator.

    In [-1, 1], NaN where a county has no number; ``without`` leaves one county out altogether.

    >>> span = {("level", "committed"): (np.array([1.0, 3.0]), np.array([2.0, 4.0]))}
    >>> field = _Field(np.arange(2), np.array(["a", "b"], dtype=object), "", "level", span)
    >>> net_wins([field], np.array(["a", "b", "c"], dtype=object), "gap", "committed").ravel().tolist()
    [-1.0, 1.0, nan]
    """
    wins = np.full((len(regions), len(own)), np.nan)
    for column, field in enumerate(own):
        scale = next(name for name in _PREFERRED[option] if (name, "committed") in field.spans)
        lo, hi = field.spans.get((scale, reading), field.spans[scale, "committed"])
        kept = field.region != without
        below, above = beaten(lo[kept], hi[kept])
        row = pd.Index(regions).get_indexer(field.region[kept])
        wins[row, column] = (below - above) / max(len(below) - 1, 1)
    return wins


def _mean(wins: Floats, left: int | None) -> Floats:
    """Mean over the indicators but the one ``left`` out."""
    return mean_of_known(wins if left is None else np.delete(wins, left, axis=1))


def _side_of(score: Floats) -> Floats:
    """+1 where more of the others score lower than higher, 0 as many, -1 fewer; NaN where there is no score."""
    known = ~np.isnan(score)
    below, above = beaten(score[known], score[known])
    answer = np.full(len(score), np.nan)
    answer[known] = np.sign(below - above)
    return answer


# --- convergence ------------------------------------------------------------------------------------------


def _convergence(p: Panel) -> pd.DataFrame:
    """Whether the spread narrows: on every scale, by three measures, without each county, by reading of bounds."""
    records = []
    for one in by_indicator(p):
        both, ruling = balanced(one), convergence_of(one)
        about = ["region", "domain", "indicator", "number"]
        record: dict[str, object] = dict(one.rows.loc[0, about]) | {"region": "", "n": len(both.rows)}
        record |= {"marks": ruling, "headline": np.nan, "asked": 0, "agreed": 0, "pivotal": ""}
        if len(both.rows) >= 3 and not ruling & {"absolute_count", "state", "not_comparable", "identical"}:
            specified = [_answers(both, *spec) for spec in _specifications(both)]
            first, answers = specified[0], np.concatenate(specified)
            record |= {"headline": first[0], "asked": len(answers), "agreed": int((answers == first[0]).sum())}
            record["pivotal"] = ";".join(both.of("region")[first[1:] != first[0]])
        records.append(record)
    table = pd.DataFrame(records, columns=[*_CONVERGENCE, "marks", "headline", "asked", "agreed"])
    marks = table.pop("marks")
    found = [held - {"converging", "diverging"} for held in marks]
    status, flags = labels(found)
    headline = table.pop("headline").to_numpy(float)
    asked, agreed = (table.pop(name).to_numpy(int) for name in ("asked", "agreed"))
    return _judged("convergence", table, headline, asked, agreed, pd.Series(status), flags=flags)


_CONVERGENCE = ["region", "domain", "indicator", "number", "n", "pivotal"]


def _specifications(both: Panel) -> Iterator[tuple[Panel, Spread, str]]:
    """The scales that every county has a number on, the measures, and the readings of bounds; the headline first."""
    apply = [q for q in scales(both).values() if np.isfinite(q.value).all()]
    return product(apply, (SD, MEAN_DIFFERENCE, RANGE), ["committed", *(["widest"] if both.bounded.any() else [])])


def _answers(both: Panel, q: Panel, measure: Spread, reading: str) -> Floats:
    """Which way the spread moves: with all counties, then without each; 0 where bounds leave it open."""
    if reading == "committed":
        before, after = (np.append(measure.measure(x), leave_one_out(measure.measure, x)) for x in q.value.T)
        return side((after - before) / max(before.max(), after.max(), EPS))
    wide = q._replace(bounded=both.bounded).unrounded()
    n = len(both.rows)
    kept = [np.arange(n), *(np.delete(np.arange(n), at) for at in range(n) if n <= LEFT_OUT_AT_MOST)]
    intervals = [ratio_bounds(measure.bounds, wide.where(rows))[0] for rows in kept]
    return np.array([1 if lo > 1 + EPS else -1 if hi < 1 - EPS else 0 for lo, hi in intervals])
