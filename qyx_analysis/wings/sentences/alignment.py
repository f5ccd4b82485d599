"""How a county's plan stands to its city's: planned target against planned target, same concept and year."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qyx_analysis import catalogue
from qyx_analysis.catalogue import LOCAL
from qyx_analysis.measures.panel import EPS, Floats
from qyx_analysis.measures.results import label
from qyx_analysis.names.indicators import folded
from qyx_analysis.names.listing import indicators_of
from qyx_analysis.problems import compiled
from qyx_analysis.tidy.meaning import with_meaning
from qyx_analysis.wings.sentences.targets import indicator_of, place_of, printed_value, stated_range

SAME, SAME_WORDS = "same_definition", "same_words"  # grades; the others stand in concepts.csv
_REACHED = ("above", "meets")
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NUMBERS = ("value", "operator", "resolution", "printed", "place")


def alignment(targets: pd.DataFrame, prose: pd.DataFrame) -> pd.DataFrame:
    """Place every county's planned targets against those of its own city for the same year.

    Parameters
    ----------
    targets : DataFrame
        As :func:`qyx_analysis.load_targets` gives it; a city's own table may be among them.
    prose : DataFrame
        As :func:`qyx_analysis.load_prose` gives it; a city's plan in prose is read from it.

    Returns
    -------
    DataFrame
        One row per county, target of its city that speaks of an indicator of the catalogue, and year that the city
        sets; ``docs/data.md`` describes the columns. Plans meet by the code of the indicator, never by the number
        that they print. Values are in the ``unit`` of the row, and beside them stand
        the printed texts and their places. A last group of rows, without ``indicator``, are targets outside the
        catalogue that both plans state under the very same name: they are put side by side and not judged.
        An indicator that is not one of the common 21 is there where the county's table has it too.

        ``grade`` says how far the two may be compared (``concepts.csv``), ``state`` how they compare: ``above``,
        ``meets`` or ``below`` the city's target, ``overtaken`` (the county's baseline is already there, and its
        target stays there), ``open`` or ``not_comparable``; ``reason`` says why.

    Raises
    ------
    DataError
        For a pattern of ``concepts.csv`` that is no regular expression.

    Notes
    -----
    A bound is all it allows: ``≥55`` against a city's 60 is ``open``, because 55 and 70 would both keep it. The
    direction is the catalogue's, so a lower rate is ``above`` where lower is better. Two numbers that differ by no
    more than half of their last printed digits are ``open`` (``unresolved``). The method is set out in
    ``docs/methods.md``.

    Examples
    --------
    >>> from qyx_analysis.documents import Document
    >>> from qyx_analysis.tidy.reading import read_plans
    >>> from qyx_analysis.wings.sentences.targets import prose_targets
    >>> from qyx_analysis.files import raw_dir
    >>> targets = read_plans([raw_dir()]).targets
    >>> city = Document("city.txt", "plan", "", ("到2025年，普惠性托位占比达到60%以上。",))
    >>> table = alignment(targets, prose_targets(city, "330200"))
    >>> table[["region", "baseline", "county_printed", "city_printed", "state"]].values.tolist()
    [['330213', 75.0, '90%', '≥60%', 'overtaken'], ['330282', 50.0, '65%', '≥60%', 'above']]

    How to read it: ``above`` says that the county plans more than its city asks for that year, not that it does
    more; ``overtaken`` says that the city's target asked nothing new of it.
    """
    indicators = indicators_of(targets).set_index("code", drop=False)
    indicators["concept"] = indicators["number"].astype("string").fillna(indicators["code"])  # of 7 two definitions
    counties, cells = _counties(targets, prose), _cells(targets, indicators)
    stated = _stated(prose[prose["region"].isin(counties["city"])], cells, indicators)
    pairs = pd.concat([stated, _tabled(cells)]).merge(counties, on="city")
    rows = _judged(_with_county(pairs, cells, indicators), indicators)
    together = pd.concat([part for part in (rows, _same_words(prose, counties, targets)) if len(part)] or [rows])
    together["last"] = together["indicator"] == ""
    keys = ["city", "number", "last", "metric", "year", "region"]
    together = together.sort_values(keys, kind="stable", ignore_index=True)
    types = catalogue.dtypes("alignment")
    return together.reindex(columns=list(types)).astype(types)


def latest(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep of an alignment the last year that a city sets for each of its targets."""
    last = rows.groupby(["city", "indicator", "metric"])["year"].transform("max")
    return rows[rows["year"].isna() | (rows["year"] == last)].reset_index(drop=True)


def standing(
    value: Floats, operator: Any, limit: Floats, limit_operator: Any, slack: Floats | float, direction: Any
) -> NDArray[Any]:
    """Compare planned values with targets, elementwise: above, meets, below, or why neither can be said."""
    sign = np.where(np.asarray(direction) < 0, -1, 1)
    own, asked = (_turned(signs, sign) for signs in (operator, limit_operator))
    gap = (value - limit) * sign
    gap = np.where(np.abs(gap) < EPS, 0, gap)
    reaches = (gap > 0) | ((gap == 0) & ((asked != ">") | (own == ">")))
    most = np.isin(own, ["<", "<="])
    fails = np.where(own == "<", gap <= 0, ~reaches) & ~np.isin(own, [">", ">="])
    conditions = {
        "city_limit": np.isin(asked, ["<", "<="]),
        "unresolved": (own == "=") & (gap != 0) & (np.abs(gap) <= slack + EPS),
        "above": reaches & ~most & (gap > 0),
        "meets": reaches & ~most,
        "below": fails,
    }
    return np.select(list(conditions.values()), list(conditions), "open_bound").astype(object)


def _turned(operator: Any, sign: NDArray[np.int64]) -> NDArray[Any]:
    signs = np.asarray(operator, dtype=object)
    return np.where(sign < 0, [_FLIPPED.get(one, one) for one in signs], signs)


# --- what the plans say -----------------------------------------------------------------------------------


def _counties(targets: pd.DataFrame, prose: pd.DataFrame) -> pd.DataFrame:
    """The counties of the data whose own city has targets there too: ``region, city``."""
    regions = catalogue.regions()
    cities = regions.loc[regions["level"] == "city", "code"]
    printed = targets["region"].unique()
    present = cities[cities.isin(printed) | cities.isin(prose["region"].unique())]
    own = regions[(regions["level"] == "county") & regions["code"].isin(printed)]
    own = own[own["parent"].isin(present)]
    return pd.DataFrame({"region": own["code"], "city": own["parent"]})


@cache
def _concepts() -> tuple[tuple[re.Pattern[str], str, str, str], ...]:
    """Patterns of metrics with the indicator, the grade and the reason."""
    rows = catalogue.concepts().itertuples()
    return tuple((compiled(row.pattern, "concepts.csv"), row.code, row.grade, row.reason) for row in rows)


@cache
def _concept(metric: str, code: str = "") -> tuple[str, str, str]:
    """What a metric speaks of, how far that is the same, and why; ``code`` is that of a row with this name."""
    name = folded(metric)
    for pattern, concept, grade, reason in _concepts():
        if pattern.search(name):
            return concept, grade, reason
    code = code or indicator_of(metric) or LOCAL + name
    return (code, SAME_WORDS, "no_direction") if code.startswith(LOCAL) else (code, SAME, "")


def _stated(said: pd.DataFrame, cells: pd.DataFrame, indicators: pd.DataFrame) -> pd.DataFrame:
    """Targets in the sentences of the cities that speak of an indicator; what a city's table has too is left out."""
    planned = cells[cells["role"] == "target"]
    tabled = set(zip(planned["region"], planned["concept"], planned["year"], strict=True))
    rows = []
    for row in said.itertuples():
        code, grade, reason = _concept(row.metric)
        if code in indicators.index and (row.region, indicators.at[code, "concept"], row.year) not in tabled:
            known = {"city": row.region, "indicator": code, "grade": grade, "why": reason, "metric": row.metric}
            rows.append(known | {"year": row.year} | _number_of(row, indicators.loc[code].to_dict()))
    return pd.DataFrame(rows, columns=["city", "indicator", "grade", "why", "metric", "year", *_of("city")])


def _number_of(said: Any, entry: dict[str, Any]) -> dict[str, Any]:
    """Value, operator, last digit and texts of a target of the prose; of a range the end that is the least good."""
    digits = re.search(r"\.\s*(\d+)", said.text_value)
    unit_digit = 10.0 ** -len(digits[1]) if digits else 10.0 if said.text_value.endswith("成") else 1.0
    step, _ = stated_range(said._replace(value=unit_digit, value_low=unit_digit, value_high=unit_digit), entry)
    low, high = stated_range(said, entry)
    numbers = {
        "value": high if entry["direction"] < 0 else low,
        "operator": said.operator,
        "resolution": 0.0 if said.kind == "full_coverage" else step,
        "printed": printed_value(said),
        "place": f"{said.document}, {place_of(said)[1]}",
    }
    return {f"city_{name}": value for name, value in numbers.items()}


def _tabled(cells: pd.DataFrame) -> pd.DataFrame:
    """Targets in the tables of the cities, as :func:`_stated` gives those of their sentences."""
    of_cities = (cells["level"] == "city") & (cells["role"] == "target") & (cells["kind"] != "missing")
    rows = cells.loc[of_cities, ["region", "indicator", "name", "year", *_NUMBERS]]
    rows = rows.rename(columns={"region": "city", "name": "metric"} | dict(zip(_NUMBERS, _of("city"), strict=True)))
    graded = [_concept(*row)[1:] for row in zip(rows["metric"], rows["indicator"], strict=True)]
    return rows.assign(grade=[grade for grade, _ in graded], why=[why for _, why in graded])


def _of(side: str) -> list[str]:
    return [f"{side}_{name}" for name in _NUMBERS]


def _cells(targets: pd.DataFrame, indicators: pd.DataFrame) -> pd.DataFrame:
    """Cells of the tables with the number they mean as ``value``, ``printed`` with its unit, and ``place``."""
    unit = targets["published_unit"].where(targets["published_value"].notna() & ~targets["raw"].str.contains("%"), "")
    meant = with_meaning(targets)["meant"].where(targets["kind"] != "status")  # a state is no number to compare
    full = meant.notna() & (targets["kind"] == "full_coverage")
    cells = targets.assign(
        concept=targets["indicator"].map(indicators["concept"]),
        value=meant,
        operator=targets["operator"].mask(full, "="),
        resolution=targets["resolution"].mask(full, 0.0),
        printed=targets["raw"] + unit,
        place=targets["document"] + ", " + targets["locator"],
    )
    return cells[["region", "level", "indicator", "concept", "name", "year", "role", "kind", *_NUMBERS]]


def _with_county(pairs: pd.DataFrame, cells: pd.DataFrame, indicators: pd.DataFrame) -> pd.DataFrame:
    """Each city target with the county's cell of the same indicator and year, and with the county's baseline."""
    pairs = pairs.assign(concept=pairs["indicator"].map(indicators["concept"])).astype({"year": "Int64"})
    cells = cells.rename(columns={"indicator": "printed_as"}).astype({"year": "Int64"})
    planned = cells[["region", "concept", "printed_as", "year", "kind", *_NUMBERS]]
    planned = planned.rename(columns=dict(zip(_NUMBERS, _of("county"), strict=True)))
    rows = pairs.merge(planned, on=["region", "concept", "year"], how="left")
    rows = rows.assign(other=rows["printed_as"] != rows["indicator"]).sort_values("other", kind="stable")
    rows = rows.drop_duplicates(["region", "indicator", "year", "city_place"], ignore_index=True)  # 登记 before 调查
    first = cells.loc[cells["role"] == "baseline", ["region", "printed_as", *_NUMBERS]]
    names = dict(zip(_NUMBERS, _of("baseline"), strict=True)) | {"value": "baseline"}
    rows = rows.merge(first.rename(columns=names), on=["region", "printed_as"], how="left")
    printed = pd.MultiIndex.from_frame(cells[["region", "concept"]])
    rows = rows.assign(
        number=rows["indicator"].map(indicators["number"]).astype("Int64"),
        has_row=pd.MultiIndex.from_frame(rows[["region", "concept"]]).isin(printed),
    )
    return rows[rows["has_row"] | rows["number"].notna()].reset_index(drop=True)


# --- the verdict ------------------------------------------------------------------------------------------


def _judged(rows: pd.DataFrame, indicators: pd.DataFrame) -> pd.DataFrame:
    entry = indicators.loc[rows["indicator"]].reset_index(drop=True)
    county, city, baseline = (rows[name].to_numpy(float) for name in ("county_value", "city_value", "baseline"))
    asked, direction = rows["city_operator"].to_numpy(object), entry["direction"].to_numpy()
    now, before = (
        standing(value, rows[f"{name}operator"].fillna("="), city, asked, _slack(rows, name), direction)
        for value, name in ((county, "county_"), (baseline, "baseline_"))
    )
    against = {
        "no_row": ~rows["has_row"],
        "other_definition": rows["printed_as"].notna() & rows["other"],
        "grade": rows["grade"] != SAME,
        "no_year": rows["year"].isna(),
        "other_unit": np.isnan(city),
        "no_number": np.isnan(county),
        "no_direction": ~(np.abs(direction) > 0),  # none, or not known
    }
    refused = np.logical_or.reduce(list(against.values()))
    why = np.select(list(against.values()), list(against), "")
    there = np.isin(before, _REACHED) & ~np.isnan(baseline)
    overtaken = there & np.isin(now, _REACHED) & ~refused
    bounded = rows["county_operator"].isin(list(_FLIPPED)).to_numpy()
    decided = np.isin(now, [*_REACHED, "below"])
    falls = (county - baseline) * np.where(direction < 0, -1, 1) < -EPS
    _, flags = label(
        {"ok": np.ones(len(rows), dtype=bool)},
        {
            "bounded": bounded & ~refused,
            "from_text": ((rows["kind"] == "full_coverage") & ~refused).to_numpy(bool),
            "baseline_there": there & ~overtaken & ~refused,
            "weaker": falls & ~refused,
        },
    )
    return rows.assign(
        indicator=rows["indicator"].mask(rows["indicator"].str.startswith(LOCAL), ""),
        domain=entry["domain"],
        unit=entry["unit"],
        county_year=rows["year"].where(rows["county_printed"].notna()),
        state=np.select([refused, overtaken, decided], ["not_comparable", "overtaken", now], "open"),
        reason=np.select(
            [why == "grade", refused, overtaken, decided & bounded, decided],
            [rows["why"], why, "baseline", "bound", "numbers"],
            now,
        ),
        flags=flags,
    ).fillna({"county_operator": "", "county_printed": "", "county_place": "", "baseline_printed": ""})


def _slack(rows: pd.DataFrame, side: str) -> Floats:
    """Half a last digit of each of the two numbers; the threshold of a bound is exact."""
    halves = [
        np.where(rows[f"{name}operator"] == "=", rows[f"{name}resolution"].astype(float).fillna(0.0) / 2, 0.0)
        for name in (side, "city_")
    ]
    return np.sum(halves, axis=0)


def _same_words(prose: pd.DataFrame, counties: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Targets beyond the tables that a county and its city state in the same words and unit, side by side."""
    said = prose[prose["region"].isin([*counties["city"], *counties["region"]])]
    said = said.assign(code=[_concept(metric)[0] for metric in said["metric"]])
    common = catalogue.indicators().dropna(subset=["number"])["code"]
    own = pd.MultiIndex.from_frame(targets[["region", "indicator"]])
    said = said[~said["code"].isin(common) & ~pd.MultiIndex.from_frame(said[["region", "code"]]).isin(own)]
    said = said.assign(
        name=said["metric"].map(folded),
        printed=[printed_value(row) for row in said.itertuples()],
        place=[f"{row.document}, {place_of(row)[1]}" for row in said.itertuples()],
    )
    city = said.rename(columns={"region": "city"})
    pairs = city.merge(counties, on="city").merge(said, on=["region", "name", "unit"], suffixes=("", "_county"))
    same_year = (pairs["year"] == pairs["year_county"]).fillna(False)
    return pd.DataFrame(
        {
            "region": pairs["region"],
            "city": pairs["city"],
            "indicator": "",
            "number": pd.array([pd.NA] * len(pairs), dtype="Int64"),
            "domain": pairs["domain_county"],
            "metric": pairs["metric"],
            "year": pairs["year"],
            "unit": pairs["unit"],
            "county_year": pairs["year_county"],
            **{f"county_{name}": pairs[f"{name}_county"] for name in ("operator", "value", "printed", "place")},
            **{f"city_{name}": pairs[name] for name in ("operator", "value", "printed", "place")},
            "baseline_printed": "",
            "grade": SAME_WORDS,
            "state": "not_comparable",
            "reason": np.where(same_year, "no_direction", "other_year"),
            "flags": "",
        }
    )
