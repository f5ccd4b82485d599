"""Synthetic provinces whose truth is known: what do the verdicts find, and how often do they say what is not there?

Run it with ``make bench``; benchmarks/README.md says how the provinces are made and how to read the result.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from qyx_analysis import catalogue
from qyx_analysis.datapackage.building import PACKAGE, Draft, describe
from qyx_analysis.figures import house_style
from qyx_analysis.files import csv_bytes, raw_dir
from qyx_analysis.measures import verdicts
from qyx_analysis.tidy import findings
from qyx_analysis.tidy.meaning import mean_cells
from qyx_analysis.tidy.reading import read_plans

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PACES = {"front": 0.5, "back": 2.0, "even": 1.0, "lagging": 1.0}  # share of the change by year t of T: (t / T) ** pace
LAG = 1 / 3  # of the change that the county would plan if it did not lag
PROVINCES = {4: 60, 12: 20, 90: 5}  # counties: how many provinces of that size
NOISE = 0.25  # standard deviation of the log of what a county plans more or less than the design says
SPREADS = {"converging": -0.5, "diverging": 1.0, "neither": 0.0}  # wanted change of the distances to the mean


class Province(NamedTuple):
    """``targets`` as ``load_targets`` gives them; ``truth``: one row per county and indicator with numbers.

    ``truth`` has ``region, indicator, pace, spread`` (what was put in), ``first, last`` (the numbers before rounding,
    bounds, words and gaps), ``change`` (for the better), ``closure`` (of the gap) and ``front_loading``.
    """

    targets: pd.DataFrame
    truth: pd.DataFrame


def province(n: int = 90, seed: int = 0) -> Province:
    """Invent the plans of ``n`` counties: real codes up to 90, invented ones (990001 and up) beyond.

    Every row takes its layout (bounds, words, gaps, printed digits, core marks) from the same row of one of the four
    real plans, drawn at random, so that their rates are the real ones. Level, spread and mean change of an indicator
    are those of the four plans too; a target that all four set alike is set alike here. When the change comes, who
    lags and whether the counties draw together is put in by construction and told in the truth.

    >>> four = province(4, seed=1)
    >>> sorted(four.truth.drop_duplicates("region")["pace"]), len(four.targets)
    (['back', 'even', 'front', 'lagging'], 504)
    """
    random = np.random.default_rng(seed)
    codes = catalogue.regions().query("level == 'county'")["code"].tolist()
    codes = sorted(random.permutation(codes)[:n]) + [str(990001 + i) for i in range(n - len(codes))]
    rows = _rows(codes, random)
    cells = rows.merge(_plans(), on=["donor", "number", "indicator"])
    return Province(_printed(cells), rows[rows["first"].notna()][_TRUTH].reset_index(drop=True))


_TRUTH = ["region", "indicator", "pace", "spread", "first", "last", "change", "closure", "front_loading"]


@cache
def _plans() -> pd.DataFrame:
    """The cells of the four real plans, ``donor`` being the county that printed them."""
    targets = read_plans([raw_dir()]).targets
    row = [targets["region"], targets["indicator"]]
    targets["finest"] = targets["resolution"].where(targets["role"] == "target").groupby(row).transform("min")
    targets["finest"] = targets["finest"].fillna(targets["resolution"])
    own = targets["resolution"].where(targets["role"] == "baseline", targets["finest"])
    targets["resolution"] = np.fmin(own, targets["finest"])  # 93 beside 94.5 is 93.0: offices drop the zero
    return targets.rename(columns={"region": "donor"})


@cache
def _settings() -> pd.DataFrame:
    """Per indicator: mean and SD of the real baselines, mean real change (working scale), the target set for all."""
    known = catalogue.indicators().set_index("code")
    plans = _plans()
    ends = plans[plans["year"].isin([plans["year"].min(), plans["year"].max()])].dropna(subset="value")
    wide = ends.pivot(index=["indicator", "donor"], columns="role", values=["value", "resolution"])
    code = wide.index.get_level_values("indicator")
    share, sign = (known[name].reindex(code).to_numpy() for name in ("scale", "direction"))
    first, last = (
        _working(*(wide[name, role].to_numpy() for name in ("value", "resolution")), share == "share")
        for role in ("baseline", "target")
    )
    moved = np.where(sign * (last - first) >= 0, last - first, np.nan)  # a bound on the wrong side tells no change
    by = pd.DataFrame({"first": first, "moved": moved, "last": wide["value", "target"].to_numpy()}, index=code)
    groups = by.groupby(level="indicator")
    settings = pd.DataFrame(
        {"mean": groups["first"].mean(), "sd": groups["first"].std(), "shift": groups["moved"].mean()}
    )
    settings["sd"] = settings["sd"].fillna(settings["sd"].median())
    settings["shift"] = settings["shift"].fillna(0.0)
    alike = (groups["last"].nunique() == 1) & (groups["last"].count() == plans["donor"].nunique())
    settings["set_for_all"] = groups["last"].max().where(alike)
    return known.join(settings)[lambda table: table["nature"] != "state"]


def _working(value: np.ndarray, digit: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The scale on which counties are drawn and moved: logits of shares (never quite 0 or 100), logs of the rest."""
    inside = np.clip(value, digit / 2, 100 - digit / 2) / 100
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(share, logit(inside), np.log(value))


def _rows(codes: list[str], random: np.random.Generator) -> pd.DataFrame:
    """One row per county and printed number, with the truth where there are numbers."""
    donors = _plans().drop_duplicates(["donor", "number"])[["donor", "number", "indicator"]]
    numbers, names = donors["number"].unique(), donors["donor"].unique()
    drawn = random.choice(names, (len(codes), len(numbers)))
    paces = pd.Series(random.permutation(np.resize(list(PACES), len(codes))), codes)
    spreads = pd.Series(random.choice(list(SPREADS), len(_settings())), _settings().index)
    rows = pd.DataFrame(
        {"region": np.repeat(codes, len(numbers)), "number": pd.concat([pd.Series(numbers)] * len(codes))}
    )
    rows = rows.assign(donor=drawn.ravel()).merge(donors, on=["donor", "number"], how="left")
    rows = rows.join(_settings()[["mean", "sd", "shift", "set_for_all", "scale", "direction", "best"]], on="indicator")
    rows = rows.assign(pace=rows["region"].map(paces), spread=rows["indicator"].map(spreads))
    z = random.standard_normal(len(rows)).clip(-2, 2)
    start, share = rows["mean"] + rows["sd"] * z, (rows["scale"] == "share").to_numpy()
    end = start + _moves(rows.assign(start=start), random)
    first, last = (np.where(share, 100 * expit(end_), np.exp(end_)) for end_ in (start, end))
    last = np.where(rows["set_for_all"].notna(), rows["set_for_all"], last)
    first = np.where(rows["direction"] * (last - first) < 0, last, first)  # nobody plans to fall back
    with np.errstate(invalid="ignore", divide="ignore"):
        closure = np.where(np.abs(rows["best"] - first) > 0, (last - first) / (rows["best"] - first), np.nan)
    delivered = np.mean([(t / 5) ** rows["pace"].map(PACES) for t in range(1, 5)], axis=0)
    return rows.assign(
        first=first, last=last, closure=closure,
        change=rows["direction"] * (last - first), front_loading=2 * delivered - 1,
    )  # fmt: skip


def _moves(rows: pd.DataFrame, random: np.random.Generator) -> pd.Series:
    """How far every county moves: more or less with the distance to the mean, but nobody moves back.

    Where the counties are neither to converge nor to diverge all move alike, so that no part of them does either.
    """
    away = rows["start"] - rows.groupby("indicator")["start"].transform("mean")
    farthest = away.abs().groupby(rows["indicator"]).transform("max")
    most = rows["shift"].abs() / farthest.where(farthest > 0)
    slope = rows["spread"].map(SPREADS).clip(-most.fillna(0), most.fillna(0))
    own = np.where(rows["pace"] == "lagging", LAG, np.exp(NOISE * random.standard_normal(len(rows))))
    return np.where(rows["spread"] == "neither", 1.0, own) * (rows["shift"] + slope * away)


def _printed(cells: pd.DataFrame) -> pd.DataFrame:
    """What the office prints: the path rounded to the digits of the donor, its bounds, words and gaps kept."""
    number = cells["kind"].isin(["point", "lower_bound", "upper_bound"]) & cells["first"].notna()
    step = (cells["year"] - cells["year"].min()) / (cells["year"].max() - cells["year"].min())
    path = cells["first"] + step ** cells["pace"].map(PACES) * (cells["last"] - cells["first"])
    bound = cells["operator"].isin(["<", "<=", ">", ">="])
    run = [cells["region"], cells["indicator"], (bound != bound.shift()).cumsum()]
    path = path.groupby(run).transform("first").where(bound, path)  # a bound is a promise from its first year on
    units = path / cells["resolution"]
    nearest = np.select(
        [cells["operator"] == sign for sign in ("<", "<=", ">", ">=")],
        [np.floor(units) + 1, np.ceil(units), np.ceil(units) - 1, np.floor(units)],
        np.round(units),
    )  # fmt: skip
    value = (nearest * cells["resolution"]).round(6).where(number, cells["value"])
    decimals = np.ceil(-np.log10(cells["resolution"].fillna(1)) - 1e-9).clip(lower=0).astype(int)
    signs = cells["operator"].map({"<": "<", "<=": "≤", ">": ">", ">=": "≥"}).fillna("")
    texts = [f"{sign}{x:.{d}f}" for sign, x, d in zip(signs, value.fillna(0), decimals, strict=True)]
    names = catalogue.regions().set_index("code")["name_zh"]
    changed = cells.assign(
        value=value, published_value=value, published_unit=cells["unit"], document="synthetic",
        raw=pd.Series(texts, cells.index).where(number, cells["raw"]),
        region_name=cells["region"].map(names).fillna("虚构县" + cells["region"]),
        locator="row " + cells["number"].astype(str),
    )  # fmt: skip
    columns = ["region", *(name for name in _plans().columns if name not in ("donor", "finest"))]
    return mean_cells(changed.sort_values(["region", "number", "year"], kind="stable")[columns].reset_index(drop=True))


def write_build(targets: pd.DataFrame, folder: Path) -> Path:
    """Write what the notebooks open of a build: targets and findings, no prose and no source documents."""
    folder.mkdir(parents=True, exist_ok=True)
    prose = pd.DataFrame(columns=catalogue.fields().query("resource == 'prose_targets'")["name"].tolist())
    tables = {"targets": targets, "findings": findings.find_all(targets), "prose_targets": prose}
    for name, table in tables.items():
        (folder / f"{name}.csv").write_bytes(csv_bytes(table))
    text = json.dumps(describe(Draft([], [], {}, [], tables)), ensure_ascii=False)
    (folder / PACKAGE).write_text(text, encoding="utf-8", newline="\n")
    return folder


@house_style()
def marked(figure: Figure, lang: str) -> Figure:
    """Write on a picture that its counties are real and its numbers invented."""
    text = {"zh": "合成数据：数字为虚构", "en": "synthetic data: invented numbers"}[lang]
    figure.text(0.99, 0.995, text, ha="right", va="top", fontsize=10, color="#b00020")
    return figure


# --- what the verdicts find -------------------------------------------------------------------------------


def true_timing(plans: Province, found: pd.DataFrame) -> pd.DataFrame:
    """Per county and indicator with a planned change: when it comes, by half a year of mean delivery.

    Of the change since the baseline, or where none is printed of that since the first target.
    """
    alone = found.loc[
        (found["kind"] == "timing") & found["flags"].str.contains("targets_only"), ["region", "indicator"]
    ]
    rows = plans.truth[plans.truth["change"].abs() > 0].merge(alone.assign(start=1), how="left").fillna({"start": 0})
    truth = [_true_zone(PACES[row.pace], int(row.start)) for row in rows.itertuples()]
    return rows[["region", "indicator"]].assign(truth=truth)


@cache
def _true_zone(power: float, start: int) -> str:
    """Early, even or late: mean delivery of ``(t / 5) ** power`` from a start year on against the straight line."""
    done = np.arange(start, 6) ** power
    shares = (done - done[0]) / (done[-1] - done[0])
    earlier = shares[1:-1].sum() - (4 - start) / 2  # in years
    return "front_loaded" if earlier >= 0.5 else "back_loaded" if earlier <= -0.5 else "even"


def true_ambition(plans: Province, found: pd.DataFrame) -> pd.DataFrame:
    """Per county and indicator: is the planned share of the gap (where it has none: change) above most, or below?

    Among the counties that are compared: ``found`` says which, and why the others are not.
    """
    compared = found.loc[(found["kind"] == "ambition") & found["rank_best"].notna(), ["region", "indicator"]]
    rows = plans.truth.merge(compared).join(_settings()[["scale", "best"]], on="indicator")
    rows = rows[(rows["scale"] != "count") & (rows["best"].isna() | rows["closure"].notna())]
    size = rows["closure"].where(rows["best"].notna(), rows["change"]).round(9).groupby(rows["indicator"])
    middle = (size.transform("size") + 1) / 2
    side = np.sign(size.rank() - middle)
    return rows[["region", "indicator"]].assign(truth=side.map({1: "more_ambitious", -1: "less_ambitious", 0: ""}))


def true_convergence(plans: Province, found: pd.DataFrame) -> pd.DataFrame:
    """Per indicator: do the counties come closer, or drift apart, as printed and on the working scale?

    Among the counties that print both numbers; as printed alone where one of them is 0 or 100 by its rounding, for
    there log odds say nothing.
    """
    ends = plans.targets[plans.targets["year"].isin([plans.targets["year"].min(), plans.targets["year"].max()])]
    both = ends.dropna(subset="meant").groupby(["region", "indicator"])["year"].nunique().loc[lambda n: n == 2].index
    rows = plans.truth.merge(both.to_frame(index=False)).join(_settings()["scale"], on="indicator")
    rows = rows[rows["scale"] != "count"]
    share, nothing = (rows["scale"] == "share").to_numpy(), np.full(len(rows), 1e-6)
    rows = rows.assign(
        **{f"{end}_working": _working(rows[end].to_numpy(), nothing, share) for end in ("first", "last")}
    )
    spread = rows.groupby("indicator", sort=False)[["first", "last", "first_working", "last_working"]].std()
    sides = [np.sign((spread[f"last{on}"] - spread[f"first{on}"]).round(9)) for on in ("", "_working")]
    side = sides[0].where((sides[0] == sides[1]) | spread.index.isin(_limited(ends)), 0)
    words = side.map({1: "diverging", -1: "converging", 0: ""})
    return words.rename("truth").reset_index().assign(region="")


def _limited(ends: pd.DataFrame) -> pd.Series:
    """Indicators of which a number may be 0 or 100 by its rounding."""
    return ends.loc[(ends["kind"] == "point") & ((ends["lo"] == 0) | (ends["hi"] == 100)), "indicator"]


TRUTHS = {"timing": true_timing, "ambition": true_ambition, "convergence": true_convergence}


def answers(n: int, seed: int) -> pd.DataFrame:
    """Every verdict on one province beside its truth: ``kind, truth, verdict, share``, empty where there is none.

    A verdict counts when its status is the one that sentences are made of.
    """
    plans = province(n, seed)
    found = verdicts(plans.targets)
    found["verdict"] = found["verdict"].where(found["status"].isin(catalogue.statuses_for("timing")), "")
    found["verdict"] = found["verdict"].replace(["middle", "unchanged"], "")
    frames = [
        find(plans, found).merge(found[found["kind"] == kind], on=["region", "indicator"])
        for kind, find in TRUTHS.items()
    ]
    return pd.concat(frames)[["kind", "truth", "verdict", "share"]]


def rates(found: pd.DataFrame) -> pd.DataFrame:
    """Shares of :func:`answers` by kind: of what there is to find, and of where there is nothing; of all verdicts."""
    said, there = found["verdict"] != "", found["truth"] != ""
    right = said & (found["verdict"] == found["truth"])
    wrong = said & ~right
    every = said & (found["share"] == 1)
    marks = pd.DataFrame(
        {
            "found": right.where(there), "left open": (~said).where(there), "wrong": wrong.where(there),
            "invented": wrong.where(~there), "wrong of verdicts": wrong.where(said),
            "wrong where all agree": wrong.where(every),
        }
    )  # fmt: skip
    table = marks.astype(float).groupby(found["kind"], sort=False).mean()
    table.insert(0, "to find", there.groupby(found["kind"]).sum())
    table.insert(4, "nothing", (~there).groupby(found["kind"]).sum())
    return table


def main() -> None:
    for n, provinces in PROVINCES.items():
        table = rates(pd.concat([answers(n, seed) for seed in range(provinces)]))
        print(f"{n} counties, {provinces} provinces")
        print(table.to_string(float_format="{:.1%}".format), end="\n\n")


if __name__ == "__main__":
    main()
