"""How firm is a verdict? Every reasonable specification is enumerated, and those that agree are counted (METHODS D).

A specification is a choice of scale, of measure, of a county left out, and of how bounds are read. Source:
docs/methods.md, section Verdicts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qyx_analysis.catalogue import statuses_for
from qyx_analysis.measures.ambition import Ends, change
from qyx_analysis.measures.dispersion import measure_convergence, ratio_bounds
from qyx_analysis.measures.panel import (
    EPS,
    Floats,
    Masks,
    Panel,
    common_final,
    falls,
    fill,
    logit_of,
    mean_of_known,
    panel,
    scales,
)
from qyx_analysis.measures.position import agreement, beaten
from qyx_analysis.measures.results import side, stack
from qyx_analysis.measures.spread import MEAN_DIFFERENCE, RANGE, SD, Spread, leave_one_out
from qyx_analysis.measures.trajectory import (
    Path,
    front_loading,
    front_loading_index,
    front_loading_of_targets,
    path_interval,
    spans_zones,
    zones,
)

COLUMNS = [
    *("kind", "region", "domain", "indicator", "number", "verdict", "specifications", "agreeing", "share"),
    *("rank_best", "rank_worst", "above", "below", "pivotal", "shared_with", "n", "status", "flags"),
]
_TEXTS = ("kind", "region", "domain", "indicator", "verdict", "pivotal", "shared_with", "status", "flags")
_PAIR = ["region", "domain", "indicator", "number"]
LEFT_OUT_AT_MOST = 12  # counties up to which leaving one out is combined with what is costly to take again
WORDS = {
    "timing": ("back_loaded", "even", "front_loaded"),
    "ambition": ("less_ambitious", "middle", "more_ambitious"),
    "profile": ("less_ambitious", "middle", "more_ambitious"),
    "convergence": ("converging", "unchanged", "diverging"),
}


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
        above, below, pivotal, shared_with, n, status, flags``. ``agreeing`` of the ``specifications`` give the
        ``verdict``, which is that of the headline measure. One row per

        - ``timing``: region and indicator; ``front_loaded`` or ``back_loaded``, by half a year of mean delivery or
          more, or ``even``; ``n`` printed numbers. A row without a baseline is judged on its targets alone, flag
          ``targets_only``;
        - ``ambition``: county and indicator; ``more_ambitious`` or ``less_ambitious`` than most counties, or in the
          ``middle``; the range of the ranks that scales, rounding and bounds allow (1 plans most), and how many
          counties it is surely ``above`` and ``below``. Targets that are ``shared`` (with whom: ``shared_with``) or
          ``common`` to all counties are no choice and take no part;
        - ``profile``: county and domain; the same;
        - ``convergence``: indicator; ``converging``, ``diverging`` or ``unchanged``; ``pivotal`` lists the counties
          without which the standard deviation would not move that way.

        A specification that is undefined (no log odds at 100, no gap without a best value) is not counted. A verdict
        that at most half agree with is ``contested``; one whose range of ranks goes from first to last, or reaches
        over the middle, is ``undecided``.

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
    p = panel(targets)
    path = Path(p)
    timing = stack(rows for measure in (front_loading_index, front_loading_of_targets) for rows in measure(path))
    return measure_verdicts(p, timing, stack([change(Ends(p))]), measure_convergence(p))


def measure_verdicts(
    p: Panel, trajectory: pd.DataFrame, ambition: pd.DataFrame, dispersion: pd.DataFrame
) -> pd.DataFrame:
    """The table of :func:`verdicts`, from the tables of the headline measures."""
    counties = p.counties
    codes = counties.of("indicator")
    fields = [_field(counties, np.flatnonzero(codes == code)) for code in pd.unique(codes)]
    if (counties.of("scale") == "rate").any():
        changes = change(Ends(counties))  # of counts per resident
    else:
        changes = ambition[(ambition["measure"] == "change") & ambition["region"].isin(counties.of("region"))]
    frames = [
        _timing(p, trajectory),
        _ambition(counties, fields, changes.reset_index(drop=True)),
        _profiles(counties, fields),
        _convergence(p.each, dispersion[dispersion["measure"] == "convergence"].reset_index(drop=True)),
    ]
    table = pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
    table = table.reindex(columns=COLUMNS)
    whole = ["number", "specifications", "agreeing", "rank_best", "rank_worst", "above", "below", "n"]
    texts = {name: table[name].fillna("").astype("str") for name in _TEXTS}
    return table.assign(**texts).astype(dict.fromkeys(whole, "Int64"))


class _Count:
    """Of every row the answer of the headline (+1, 0, -1), how many specifications there are, and how many agree."""

    def __init__(self, headline: Floats) -> None:
        self.headline = headline
        self.asked, self.agreed = np.zeros((2, len(headline)), dtype=int)

    def judge(self, kind: str, keys: pd.DataFrame, status: pd.Series, **columns: object) -> pd.DataFrame:
        """Name the verdicts; at most half agreeing makes one that could be said contested."""
        some = ~np.isnan(self.headline) & (self.asked > 0)
        word = np.array(WORDS[kind])[np.nan_to_num(self.headline).astype(int) + 1]
        share = np.divide(self.agreed, self.asked, out=np.full(len(keys), np.nan), where=some)
        contested = status.isin(statuses_for("verdict")) & (share <= 0.5 + EPS)
        return keys.assign(
            kind=kind, verdict=np.where(some, word, ""), specifications=np.where(some, self.asked, 0),
            agreeing=np.where(some, self.agreed, 0), share=share.round(10), status=status.mask(contested, "contested"),
            **columns,
        )  # fmt: skip


# --- timing -----------------------------------------------------------------------------------------------


def _timing(p: Panel, trajectory: pd.DataFrame) -> pd.DataFrame:
    """The zone of the index on every scale, with and without the step from the baseline, and of bounds at their widest.

    A row without a baseline has the verdict of its targets alone.
    """
    rows, without = _timed(p, trajectory)
    steps = len(p.years) - 1 - without
    count = _Count(zones(rows["value"].to_numpy(), steps))
    for scaled, start in product((p, logit_of(p)), (0, 1)):
        value = np.where(scaled.limited, np.nan, scaled.value)
        q = replace(scaled, value=value, bounded=p.bounded).at(slice(start, None))
        if len(q.years) < 3:
            continue
        last = len(q.years) - 1
        q = replace(q, value=fill(q.value), lo=fill(q.lo), hi=fill(q.hi))
        answer = zones(front_loading(q.value), last)
        known = ~np.isnan(count.headline) & ~np.isnan(answer) & (scaled.limited.sum(axis=1) == 0)
        lo, hi = path_interval(front_loading, q.unrounded())
        wide = np.where(spans_zones(lo, hi, last), np.nan, zones(lo, last))
        for there, said in ((known, answer), (known & q.bounded.any(axis=1), wide)):
            count.asked += there
            count.agreed += there & (said == count.headline)
    return count.judge("timing", p.rows[_PAIR], rows["status"], n=rows["n"], flags=rows["flags"])


def _timed(p: Panel, trajectory: pd.DataFrame) -> tuple[pd.DataFrame, Masks]:
    """The rows of the index, of the targets alone where there is no baseline; and where that is."""
    first, last = p.years[[1, -1]]
    whole, later = (
        trajectory[trajectory["measure"] == name].set_index(["region", "indicator"])
        for name in ("front_loading", f"front_loading_{first}_{last}")
    )
    later = later.reindex(whole.index)
    without = (whole["status"] == "no_baseline") & later["value"].notna()
    rows = whole.mask(without, later.assign(flags=("targets_only;" + later["flags"]).str.rstrip(";")))
    return rows.reset_index(), without.to_numpy()


# --- ambition ---------------------------------------------------------------------------------------------


class _Field(NamedTuple):
    """The counties that can be compared on one indicator; ``spans``: their changes by scale and reading of bounds."""

    at: NDArray[np.int64]
    region: NDArray[np.object_]
    domain: str
    headline: str
    spans: dict[tuple[str, str], tuple[Floats, Floats]]


def _field(counties: Panel, at: NDArray[np.int64]) -> _Field:
    """What can be compared on one indicator.

    Nothing without direction, no total that falls, none that starts best, and no target that is not its county's own.
    """
    one = counties.where(at)
    first = one.value[:, 0]
    usable = np.isfinite(first + one.value[:, -1]) & ~falls(one) & (np.abs(one.of("direction")) > 0)
    usable &= (one.refusal == "") & ~(np.abs(first - one.of("best").astype(float)) <= EPS)
    usable &= (one.of("shared_with") == "") & ~common_final(one)
    ends, at = one.where(usable).at([0, -1]), at[usable]
    spans = {}
    for scale, q in scales(ends).items():
        if not len(at) or np.isnan(q.value).any() or (scale == "logit" and q.limited.any()):
            continue
        sign = np.ones(len(at)) if scale == "shortfall" else ends.of("direction")
        readings = {"committed": replace(q, bounded=ends.bounded).committed()}
        for reading, r in (readings | ({"widest": q} if ends.bounded.any() else {})).items():
            low, high = sign * (r.lo[:, 1] - r.hi[:, 0]), sign * (r.hi[:, 1] - r.lo[:, 0])
            spans[scale, reading] = np.minimum(low, high), np.maximum(low, high)
    headline = "shortfall" if ("shortfall", "committed") in spans else "level"
    return _Field(at, ends.of("region"), str(one.of("domain")[0]), headline, spans)


class _Ranks:
    """The range of the ranks of every row, and how many other ranges lie surely behind and before."""

    def __init__(self, rows: int) -> None:
        names = ("n", "rank_best", "rank_worst", "above", "below")
        self.columns = {name: np.full(rows, np.nan) for name in names}

    def place(self, at: NDArray[np.int64], best: Floats, worst: Floats) -> None:
        """Write the ranges of the rows that are compared with each other."""
        above, below = beaten(-worst.astype(float), -best.astype(float))
        found = {"n": len(at), "rank_best": best, "rank_worst": worst, "above": above, "below": below}
        for name, values in found.items():
            self.columns[name][at] = values


def _ambition(p: Panel, fields: list[_Field], changes: pd.DataFrame) -> pd.DataFrame:
    """Where each county stands against the others on one indicator."""
    count, ranks = _Count(np.full(len(p.rows), np.nan)), _Ranks(len(p.rows))
    too_few = np.zeros(len(p.rows), dtype=bool)
    for field in fields:
        at, n = field.at, len(field.at)
        if n < 2:
            ranks.columns["n"][at], too_few[at] = n, True
            continue
        below, above = beaten(*field.spans[field.headline, "committed"])
        count.headline[at] = np.sign(below - above)
        counts = [beaten(*span) for span in field.spans.values()]
        for asked, agreed in (agreement(*each, count.headline[at]) for each in counts):
            count.asked[at] += asked
            count.agreed[at] += agreed
        best, worst = np.array([1 + above for _, above in counts]), np.array([n - below for below, _ in counts])
        ranks.place(at, best.min(axis=0), worst.max(axis=0))
    fine, scale, shared = changes["status"] == "ok", p.of("scale"), p.of("shared_with")
    unknown = (scale == "rate") & np.isnan(p.population[:, [0, -1]]).any(axis=1)
    reasons = {
        "too_few": fine & too_few,
        "undecided": fine & _says_nothing(ranks, count.headline),
        "shared": fine & (shared != ""),
        "common": fine & common_final(p),
        "absolute_count": fine & (scale == "count"),
        "no_population": unknown,
        "not_comparable": fine & (p.of("comparability") == ""),
    }
    status = changes["status"]
    for name, holds in reasons.items():  # the last one that holds is the reason
        status = status.mask(holds, name)
    table = count.judge("ambition", p.rows[_PAIR], status, flags=changes["flags"], **ranks.columns)
    return table.assign(shared_with=shared)


def _says_nothing(ranks: _Ranks, headline: Floats) -> Masks:
    """Where a range of ranks goes from first to last, or reaches over the middle from the side that is said."""
    best, worst, n = (ranks.columns[name] for name in ("rank_best", "rank_worst", "n"))
    middle = (n + 1) / 2
    crosses = ((headline > 0) & (worst >= middle)) | ((headline < 0) & (best <= middle))
    return (n > 1) & (crosses | ((best == 1) & (worst == n)))


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
    some = held.any(axis=0)
    at = np.flatnonzero(some)
    count, ranks = _Count(np.full(len(regions), np.nan)), _Ranks(len(regions))
    best, worst = np.full(len(at), len(at)), np.ones(len(at), dtype=int)
    for score, without in _scores(own, regions[at]):
        known = np.flatnonzero(~np.isnan(score))
        below, above = beaten(score[known], score[known])
        if np.isnan(count.headline[at]).all():  # the first specification is the headline
            count.headline[at[known]] = np.sign(below - above)
        best[known] = np.minimum(best[known], 1 + above)
        worst[known] = np.maximum(worst[known], len(known) - below)
        if without:
            answers = np.stack([_side_of(one) for one in (score, *without)])
            count.asked[at] += (~np.isnan(answers)).sum(axis=0)
            count.agreed[at] += (answers == count.headline[at]).sum(axis=0)
        else:
            asked, agreed = agreement(below, above, count.headline[at[known]])
            count.asked[at[known]] += asked
            count.agreed[at[known]] += agreed
    ranks.place(at, best, worst)
    keys = pd.DataFrame({"region": regions, "domain": domain})
    flags = np.where(some & ~held.all(axis=0), "incomplete", "")
    status = pd.Series(np.where(some, "ok", "not_comparable")).mask(_says_nothing(ranks, count.headline), "undecided")
    return count.judge("profile", keys, status, flags=flags, **ranks.columns)


def _scores(own: list[_Field], regions: NDArray[np.object_]) -> Iterator[tuple[Floats, list[Floats]]]:
    """The counties' scores by scale, reading of bounds and indicator left out; and again without each county if few."""
    readings = ["committed", *(["widest"] if any(("level", "widest") in field.spans for field in own) else [])]
    few = 2 < len(regions) <= LEFT_OUT_AT_MOST
    for reading, option in product(readings, _PREFERRED) if own else ():
        whole = _net_wins(own, regions, option, reading)
        without = [_net_wins(own, regions, option, reading, name) for name in regions] if few else []
        for left in (None, *range(len(own))) if len(own) > 1 else (None,):
            yield _mean(whole, left), [_mean(wins, left) for wins in without]


def _net_wins(
    own: list[_Field], regions: NDArray[np.object_], option: str, reading: str, without: object = None
) -> Floats:
    """Share of the other counties that each surely beats less the share that surely beat it: regions x indicators.

    In [-1, 1], NaN where a county has no number; ``without`` leaves one county out altogether.
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
    answer = np.full(len(score), np.nan)
    answer[known] = np.sign(np.subtract(*beaten(score[known], score[known])))
    return answer


# --- convergence ------------------------------------------------------------------------------------------


def _convergence(each: list[Panel], rows: pd.DataFrame) -> pd.DataFrame:
    """Whether the spread narrows: on every scale, by three measures, without each county, by reading of bounds."""
    count, pivotal = _Count(np.full(len(rows), np.nan)), [""] * len(rows)
    status = rows["status"].mask(rows["status"].isin(statuses_for("spread")), "ok")
    for at, (one, why) in enumerate(zip(each, status, strict=True)):
        if why in _NOT_COMPARED:
            continue
        both = one.balanced
        specified = [_answers(both, *choice) for choice in _specifications(both)]
        (headline, *without), answers = specified[0], np.concatenate(specified)
        count.headline[at], count.asked[at], count.agreed[at] = headline, len(answers), (answers == headline).sum()
        pivotal[at] = ";".join(both.of("region")[np.array(without) != headline])
    domains = [one.of("domain")[0] for one in each]
    keys = rows[["indicator", "number"]].assign(region="", domain=domains, n=rows["n"], pivotal=pivotal)
    return count.judge("convergence", keys, status, flags=rows["flags"])


_NOT_COMPARED = ("absolute_count", "state", "not_comparable", "too_few", "identical", "common")


def _specifications(both: Panel) -> Iterator[tuple[Panel, Spread, str]]:
    """The scales that are defined for every county, the measures, and the readings of bounds; the headline first."""
    apply = [q for q in scales(both).values() if np.isfinite(q.value).all() and not q.limited.any()]
    return product(apply, (SD, MEAN_DIFFERENCE, RANGE), ["committed", *(["widest"] if both.bounded.any() else [])])


def _answers(both: Panel, q: Panel, measure: Spread, reading: str) -> Floats:
    """Which way the spread moves: with all counties, then without each; 0 where bounds leave it open."""
    if reading == "committed":
        before, after = (np.append(measure.measure(x), leave_one_out(measure.measure, x)) for x in q.value.T)
        return side((after - before) / max(before.max(), after.max(), EPS))
    wide = replace(q, bounded=both.bounded).unrounded()
    n = len(both.rows)
    kept = [np.arange(n), *(np.delete(np.arange(n), at) for at in range(n) if n <= LEFT_OUT_AT_MOST)]
    intervals = [ratio_bounds(measure.bounds, wide.where(rows))[0] for rows in kept]
    return np.array([1 if lo > 1 + EPS else -1 if hi < 1 - EPS else 0 for lo, hi in intervals])
