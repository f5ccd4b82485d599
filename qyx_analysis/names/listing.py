"""Which indicators there are in the data, what is known of each, and in which order they stand."""

from __future__ import annotations

import re
from functools import cache

import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.catalogue import LOCAL
from qyx_analysis.names.units import find_unit

_CUMULATIVE = re.compile("累计")
_PER_HEAD = re.compile("每[百千万亿十]|每名|人均|户均|平均|年均|均")
_COUNTED = ("count", "people", "person-times", "homes")


def describe_indicator(name: str, unit: str) -> dict[str, object]:
    """Tell what a name and unit say beyond doubt: ``nature, scale, lower, upper``, and never the direction.

    An absolute number of people, places or homes is a ``count``, which grows with population.

    >>> describe_indicator("国民体质合格率", "%")
    {'nature': 'level', 'scale': 'share', 'lower': 0.0, 'upper': 100.0}
    >>> describe_indicator("新增公办中小学学位数", "个")["scale"], describe_indicator("每千人口床位数", "张")["scale"]
    ('count', 'ratio')
    """
    known = find_unit(unit) if unit else None
    dimension = known.dimension if known else ""
    nature = "cumulative" if _CUMULATIVE.search(name) else "level"
    if dimension == "share" and "毛" not in name and "增" not in name:
        return {"nature": nature, "scale": "share", "lower": 0.0, "upper": 100.0}
    counted = dimension in _COUNTED or (unit and not dimension)
    scale = "ratio" if _PER_HEAD.search(name) or not counted else "count"
    return {"nature": nature, "scale": scale, "lower": float("nan"), "upper": float("nan")}


def indicators_of(targets: pd.DataFrame) -> pd.DataFrame:
    """List the catalogue's indicators and after them the local ones that ``targets`` print, with the same columns.

    ``targets``: columns ``indicator, domain, unit`` and, for the order of local rows, ``row``. A local indicator has
    no number, direction (NaN), limit beyond those of a share, best value or definition; its names are what is
    printed. Where places print it in several units its ``comparability`` is empty: its values are not compared, and
    only what is true in each of these units is said of it.

    >>> frame = pd.DataFrame({"indicator": ["local:国民体质合格率"], "domain": ["体有强健"], "unit": ["%"]})
    >>> indicators_of(frame).iloc[-1][["code", "name_zh", "unit", "scale"]].tolist()
    ['local:国民体质合格率', '国民体质合格率', '%', 'share']
    """
    known = catalogue.indicators()
    own = targets[targets["indicator"].str.startswith(LOCAL)]
    if own.empty:
        return known
    own = own.sort_values("row", kind="stable") if "row" in own else own
    units = own.groupby("indicator")["unit"].unique()
    first = own.drop_duplicates("indicator")
    rows = [_local_entry(row.indicator, row.domain, list(units[row.indicator])) for row in first.itertuples()]
    local = pd.DataFrame(rows, columns=known.columns).astype(known.dtypes.to_dict())
    return pd.concat([known, local], ignore_index=True)


def _local_entry(code: str, domain: str, units: list[str]) -> dict[str, object]:
    name, unit = code.removeprefix(LOCAL), units[0]
    described = [describe_indicator(name, each) for each in units]
    if any(str(other) != str(described[0]) for other in described):  # NaN is not NaN
        described[0] |= {"scale": "ratio", "lower": float("nan"), "upper": float("nan")}
    texts = dict.fromkeys(("name_zh", "name_en", "short_zh", "short_en"), name)
    blank = dict.fromkeys(("direction", "best"), float("nan"))
    entry = {"code": code, "number": None, "domain": domain, "unit": unit, "unit_en": unit, "full_is_best": False}
    rest = {"comparability": code if len(units) == 1 else "", "definition": "", "source": ""}
    return entry | texts | blank | rest | described[0]


@cache
def _domain_places() -> dict[str, int]:
    return {domain: at for at, domain in enumerate(catalogue.domains()["domain"])}


@cache
def _lines() -> dict[str, tuple[int, int]]:
    """The place of the domain of each indicator of the catalogue, and the line where the indicator stands."""
    table = catalogue.indicators()
    codes = zip(table["code"], table["domain"], strict=True)
    return {code: (_domain_places()[domain], line) for line, (code, domain) in enumerate(codes)}


def in_order(frame: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Sort rows by columns of which ``indicator`` goes by what it is: never by a number that some plan prints.

    Indicators go domain by domain: those of the catalogue as they stand there, then local ones by their place in the
    plan (column ``row``, if there) and by name. A local one whose ``domain`` the frame does not tell is among the last.

    >>> frame = pd.DataFrame({"indicator": ["local:甲", "life_expectancy", "nursery_places"], "domain": "幼有善育"})
    >>> in_order(frame, ["indicator"])["indicator"].tolist()
    ['nursery_places', 'local:甲', 'life_expectancy']
    """
    domains, lines = _domain_places(), _lines()
    told = frame["domain"] if "domain" in frame else [""] * len(frame)
    rows = frame["row"].fillna(0) if "row" in frame else [0] * len(frame)
    keys = [
        (*lines[code], 0, code) if code in lines else (domains.get(domain, len(domains)), len(lines), row, code)
        for code, domain, row in zip(frame["indicator"], told, rows, strict=True)
    ]
    rank = {key: at for at, key in enumerate(sorted(set(keys)))}
    ranked = frame.assign(indicator=[rank[key] for key in keys]).reset_index(drop=True)
    return frame.iloc[ranked.sort_values(by, kind="stable").index]


def indicators_shown(targets: pd.DataFrame, region: str = "") -> pd.DataFrame:
    """List the indicators that ``targets`` print as every page shows them: the rows of :func:`indicators_of`, by code.

    Domains in the order of the catalogue and after them the plans' own; in each the common indicators in the order of
    the catalogue and after them the others by their ``row`` in the plan. ``region``: the county whose unit, domain and
    row of a local indicator count, where counties print it differently. Column ``printing``: in how many counties.

    >>> frame = pd.DataFrame({"region": "330213", "indicator": ["local:书房数", "local:甲", "care_workers"],
    ...     "domain": ["文有雅乐", "老有康养", "老有康养"], "unit": ["个", "人", "人"], "row": [1, 2, 3]})
    >>> indicators_shown(frame)["name_zh"].tolist()
    ['每万老年人口拥有持证养老护理员数', '甲', '书房数']
    """
    rows = targets[targets["indicator"] != ""].drop_duplicates(["region", "indicator"])
    rows = rows.assign(other=rows["region"] != region, row=rows["row"] if "row" in rows else range(len(rows)))
    first = rows.sort_values(["other", "row"], kind="stable").drop_duplicates("indicator").set_index("indicator")
    table = indicators_of(rows).set_index("code", drop=False)
    table = table[table.index.isin(first.index)]
    local = table.index[table.index.str.startswith(LOCAL)]
    table.loc[local, "domain"] = first.loc[local, "domain"]
    if "unit" in first:
        table.loc[local, ["unit", "unit_en"]] = first.loc[local, ["unit", "unit"]].to_numpy()
    counties = rows.loc[~rows["region"].str.endswith("00"), "indicator"].value_counts()
    domains = [*catalogue.domains()["domain"], *first["domain"]]
    return (
        table.assign(
            printing=counties.reindex(table.index, fill_value=0),
            domain_at=table["domain"].map({name: at for at, name in reversed(list(enumerate(domains)))}),
            row=first["row"],
        )
        .sort_values(["domain_at", "number", "row"], kind="stable", na_position="last")
        .drop(columns="domain_at")
    )
