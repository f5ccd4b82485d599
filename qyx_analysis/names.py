"""Printed names -> codes: indicators, units and regions. Exactly or through an alias, never by guessing."""

from __future__ import annotations

import csv
import difflib
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from io import StringIO

import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.cells import normal
from qyx_analysis.problems import DataError, Problem, compiled

_TRAILING_GROUP = re.compile(r"^(?P<name>.+?)\((?P<unit>[^()]*(?:\([^()]*\)[^()]*)*)\)$")

_YEAR = re.compile(r"\d{4}")

# 上海市普陀区 and 重庆市江北区 are not the districts of the same name in Zhejiang
_ELSEWHERE = re.compile(r"((北京|天津|上海|重庆)市|(?<!浙江)省[\u4e00-\u9fff]{2,4}市)$")


def folded(name: str) -> str:
    """Undo the typography of a printed name: widths, spaces, dashes and quotation marks.

    >>> folded("0—3岁儿童 发育监测筛查率") == folded("0-3岁儿童发育监测筛查率")
    True
    """
    text = re.sub(r"[‐‑‒–—―−~～]+", "-", normal(name))
    return re.sub(r"[“”„‟\"＂'‘’「」『』]", "", text).replace("•", "·").replace("・", "·")


def split_unit(printed: str) -> tuple[str, str]:
    """Split an indicator cell into its name and the unit in its last pair of brackets.

    Only the bracket at the very end is taken: a name such as ``筹集套(间)数`` keeps its own.

    >>> split_unit("保障性租赁住房累计建设筹集套(间)数(万套)")
    ('保障性租赁住房累计建设筹集套(间)数', '万套')
    >>> split_unit("保障性租赁住房累计建设筹集套数(万套<间>)")
    ('保障性租赁住房累计建设筹集套数', '万套<间>')
    """
    text = normal(printed)
    match = _TRAILING_GROUP.match(text)
    return (match["name"], match["unit"]) if match else (text, "")


# --- indicators -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Alias:
    """A line of ``aliases.csv``: a pattern for the whole folded name, or that name itself."""

    text: str
    pattern: re.Pattern[str]
    code: str
    notes: tuple[str, str]

    def matches(self, name: str) -> bool:
        return name == self.text or bool(self.pattern.fullmatch(name))


@cache
def _indicator_names() -> dict[str, str]:
    table = catalogue.indicators()
    return {folded(name): code for name, code in zip(table["name_zh"], table["code"], strict=True)}


@cache
def _aliases() -> tuple[_Alias, ...]:
    known, codes = _indicator_names(), set(catalogue.indicators()["code"])
    aliases = []
    for row in catalogue.aliases().itertuples():
        alias = _Alias(folded(row.alias), compiled(row.alias, "aliases.csv"), row.code, (row.note_zh, row.note_en))
        if row.code not in codes or known.get(alias.text, row.code) != row.code:
            key = "alias_code" if row.code not in codes else "alias_contradicts"
            raise DataError(Problem(key, "aliases.csv", text=f"{row.alias},{row.code}"))
        aliases.append(alias)
    return tuple(aliases)


@lru_cache(maxsize=16384)
def _alias_of(name: str) -> _Alias | None:
    return next((alias for alias in _aliases() if alias.matches(name)), None)


def find_indicator(name: str) -> str | None:
    """Give the code of an indicator by its printed name without unit, or ``None``.

    >>> find_indicator("重大慢病过早死亡率")
    'premature_mortality'
    """
    printed = folded(name)
    alias = None if printed in _indicator_names() else _alias_of(printed)
    return alias.code if alias else _indicator_names().get(printed)


@lru_cache(maxsize=4096)
def is_indicator(text: str) -> bool:
    """Tell whether a text is in full the name of an indicator, with or without its unit."""
    return 5 <= len(text) < 80 and bool(find_indicator(text) or find_indicator(split_unit(text)[0]))


def alias_note(name: str) -> tuple[str, str] | None:
    """What an alias says differently from the catalogue's name, in Chinese and English, if it does."""
    alias = _alias_of(folded(name))
    return alias.notes if alias and alias.notes[0] else None


def unknown_names(targets: pd.DataFrame) -> pd.DataFrame:
    """The printed names that the catalogue does not have, each with the lines that would make it known.

    Parameters
    ----------
    targets : DataFrame
        As :func:`qyx_analysis.load_targets` gives it.

    Returns
    -------
    DataFrame
        One row per name and unit: ``name, unit, domain, counties`` (how many print it), ``regions``, ``closest`` (the
        most similar known name), ``code`` (its), ``similarity`` (0 to 1), ``alias_line`` for ``aliases.csv`` and
        ``indicator_line`` for ``indicators.csv`` of ``data/catalogue``; the direction is left for the person. Those
        that most places print come first. Nothing is merged without such a line.

    Examples
    --------
    >>> frame = pd.DataFrame({"region": ["330225"], "region_name": ["象山县"], "indicator": ["local:每千人拥有托位数"],
    ...     "name": ["每千人拥有托位数(个)"], "unit": ["个"], "domain": ["幼有善育"]})
    >>> unknown_names(frame)[["closest", "alias_line"]].values.tolist()
    [['每千人口拥有3岁以下婴幼儿托位数', '每千人拥有托位数,nursery_places']]
    """
    own = targets[targets["indicator"].str.startswith(LOCAL)].drop_duplicates(["region", "indicator", "unit"])
    rows = []
    for (code, unit), found in own.groupby(["indicator", "unit"], sort=False):
        name = str(code).removeprefix(LOCAL)
        closest, similarity = _closest(name)
        known = find_indicator(closest) if closest else ""
        first = found.iloc[0]
        rows.append(
            {
                "name": name,
                "unit": unit,
                "domain": first["domain"],
                "counties": found["region"].nunique(),
                "regions": "、".join(found["region_name"].unique()),
                "closest": closest,
                "code": known,
                "similarity": round(similarity, 2),
                "alias_line": _csv_line([_literal(name), known]) if known else "",
                "indicator_line": _indicator_line(name, str(unit), first["domain"]),
            }
        )
    columns = [*("name", "unit", "domain", "counties", "regions", "closest", "code", "similarity"), *_LINES]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["counties", "similarity"], ascending=False, kind="stable", ignore_index=True)


_LINES = ("alias_line", "indicator_line")
INDICATOR_COLUMNS = ("code", "name_zh", "domain", "unit", "direction", "nature", "scale", "lower", "upper")


def _indicator_line(name: str, unit: str, domain: str) -> str:
    told = describe_indicator(name, unit)
    limits = ["" if told[end] != told[end] else f"{told[end]:.0f}" for end in ("lower", "upper")]
    return _csv_line([f"own_{name}", name, domain, unit, "", told["nature"], told["scale"], *limits])


def _literal(name: str) -> str:
    """A name as a pattern of ``aliases.csv`` that matches nothing but itself."""
    return re.sub(r"([\\^$.|?*+(){}\[\]])", r"\\\1", name)


def _csv_line(cells: list[object]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def closest_indicator(name: str) -> str:
    """The most similar known name, to be shown in an error; never used as a match."""
    return _closest(folded(name))[0]


def _closest(name: str) -> tuple[str, float]:
    """The most similar name of the catalogue and how similar it is: shown to a person, never used as a match."""
    ranked = ((difflib.SequenceMatcher(None, name, known).ratio(), known) for known in _indicator_names())
    similarity, known = max(ranked, default=(0.0, ""))
    return (known, similarity) if similarity >= 0.5 else ("", 0.0)


LOCAL = "local:"  # prefix of the code of a row that the catalogue does not have: its folded name follows
_CUMULATIVE = re.compile("累计")
_PER_HEAD = re.compile("每[百千万亿十]|每名|人均|户均|平均|年均|均")
_COUNTED = ("count", "people", "person-times", "homes")


def describe_indicator(name: str, unit: str) -> dict[str, object]:
    """What the name and unit of an indicator tell beyond doubt: ``nature, scale, lower, upper``; never its direction.

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
    """The catalogue's indicators and after them the local ones that ``targets`` print, with the same columns.

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
def _places() -> dict[str, tuple[int, int]]:
    """The domain of each indicator of the catalogue, and its own line there, as places in their lists."""
    domains = catalogue.domains()["domain"].tolist()
    table = catalogue.indicators()
    return {
        code: (domains.index(domain), at)
        for at, (code, domain) in enumerate(zip(table["code"], table["domain"], strict=True))
    }


def in_order(frame: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Sort rows by columns of which ``indicator`` goes by what it is: never by a number that some plan prints.

    Indicators go domain by domain: those of the catalogue as they stand there, then local ones by their place in the
    plan (column ``row``, if there) and by name. A local one whose ``domain`` the frame does not tell is among the last.

    >>> frame = pd.DataFrame({"indicator": ["local:甲", "life_expectancy", "nursery_places"], "domain": "幼有善育"})
    >>> in_order(frame, ["indicator"])["indicator"].tolist()
    ['nursery_places', 'local:甲', 'life_expectancy']
    """
    order = dict(zip(catalogue.domains()["domain"], range(len(catalogue.domains())), strict=True))
    told = frame["domain"] if "domain" in frame else [""] * len(frame)
    place = frame["row"].fillna(0) if "row" in frame else [0] * len(frame)
    places = _places()
    last = len(order), len(places)
    keys = [
        (*places.get(code, (order.get(domain, last[0]), last[1])), 0 if code in places else at, code)
        for code, domain, at in zip(frame["indicator"], told, place, strict=True)
    ]
    rank = {key: at for at, key in enumerate(sorted(set(keys)))}
    ranked = frame.assign(indicator=[rank[key] for key in keys]).reset_index(drop=True)
    return frame.iloc[ranked.sort_values(by, kind="stable").index]


def indicators_shown(targets: pd.DataFrame, region: str = "") -> pd.DataFrame:
    """The indicators that ``targets`` print, as every page shows them: the rows of :func:`indicators_of`, by code.

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


# --- units ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unit:
    """A printed unit: what it counts and how many base units it is."""

    text: str
    dimension: str
    factor: Decimal
    assumed_when_absent: bool


@cache
def _units() -> dict[str, Unit]:
    return {
        normal(row.unit): Unit(row.unit, row.dimension, Decimal(str(row.factor)), row.assumed_when_absent)
        for row in catalogue.units().itertuples()
    }


def find_unit(printed: str) -> Unit | None:
    """Look a printed unit up in ``units.csv``.

    >>> find_unit("万人").dimension
    'people'
    """
    return _units().get(normal(printed))


def conversion(printed: str, canonical: str) -> Decimal | None:
    """How many canonical units one printed unit is; ``None`` when they do not measure the same thing.

    An absent unit is read as the canonical one only where ``units.csv`` says that no other is usual.

    >>> conversion("人", "万人")
    Decimal('0.0001')
    >>> conversion("岁", "%") is None
    True
    """
    target = _units()[normal(canonical)]
    source = find_unit(printed) if printed else (target if target.assumed_when_absent else None)
    if source is None or source.dimension != target.dimension:
        return None
    return source.factor / target.factor


# --- regions ----------------------------------------------------------------------------------------------


@cache
def _region_entries() -> dict[str, dict[str, str]]:
    return catalogue.regions().set_index("code").to_dict(orient="index")


@cache
def _region_names() -> dict[str, str]:
    current, old = catalogue.regions(), catalogue.region_aliases()
    names = dict(zip(old["alias"], old["code"], strict=True))
    names |= dict(zip(current["name_en"].str.lower(), current["code"], strict=True))
    names |= dict(zip(current["name_zh"], current["code"], strict=True))
    return names | {code: code for code in current["code"]}


@cache
def _full_names() -> dict[str, str]:
    """Names that may be looked for inside a text; short forms (江山, 文成) would be found by accident."""
    old = catalogue.region_aliases()
    short = set(old.loc[old["note"] == "short form", "alias"])
    return {name: code for name, code in _region_names().items() if not name.isascii() and name not in short}


def find_region(given: object) -> str:
    """Give the six-digit code of a region stated as number, text or name.

    Parameters
    ----------
    given : int or str
        ``330213``, ``"330213"``, ``"奉化区"`` or ``"Fenghua District"``; abolished codes and former names too.

    Returns
    -------
    str
        The code valid in 2023.

    Raises
    ------
    DataError
        When no region of ``regions.csv`` is called that; the error shows similar names.

    Examples
    --------
    >>> find_region(330213), find_region("奉化区")
    ('330213', '330213')
    """
    text = str(given).strip()
    code = _region_names().get(text) or _region_names().get(text.lower())
    if code is None:
        close = difflib.get_close_matches(text.lower(), _region_names(), n=3, cutoff=0.5)
        raise DataError(Problem("region_unknown", "regions.csv", text=text, values={"close": ", ".join(close) or "—"}))
    return code


def region_name(code: str, lang: str = "zh") -> str:
    """The name of a region in ``lang``.

    >>> region_name("330213", "en")
    'Fenghua District'
    """
    return _region_entries()[code][f"name_{lang}"]


def region_level(code: str) -> str:
    """``county``, ``city`` or ``province``: only counties are compared with one another."""
    return _region_entries()[code]["level"]


def region_parent(code: str) -> str:
    """The code of the city that a county belongs to, or of the province.

    >>> region_parent("330213")
    '330200'
    """
    return _region_entries()[code]["parent"]


def region_slug(code: str) -> str:
    """A short name in letters for file names.

    >>> region_slug("330213")
    'fenghua'
    """
    words = region_name(code, "en").split()
    return "".join(c for c in words[0].lower() if c.isascii() and c.isalnum())


def region_of_text(text: str) -> str | None:
    """The one region that a title or an issuing office names, the smallest where it names its parents too.

    >>> region_of_text("宁波市奉化区公共服务“七优享”五年目标")
    '330213'
    """
    printed = normal(text)
    places = {name: printed.find(name) for name in _full_names()}
    found = {_full_names()[name] for name, at in places.items() if at >= 0 and not _ELSEWHERE.search(printed[:at])}
    parents = {ancestor for code in found for ancestor in _ancestors(code)}
    smallest = found - parents
    return smallest.pop() if len(smallest) == 1 else None


def _ancestors(code: str) -> list[str]:
    parent = _region_entries()[code]["parent"]
    return [parent, *_ancestors(parent)] if parent else []


def regions_in_group(name: str) -> list[str]:
    """The county codes of a group of ``regions.csv``, of a city, or of a city's code; empty if there is none."""
    table = catalogue.regions()
    in_group = table["groups"].str.split(";").map(lambda groups: name in groups)
    code = _region_names().get(name)
    return table.loc[in_group | ((table["parent"] == code) & (table["level"] == "county")), "code"].tolist()


# --- domains ----------------------------------------------------------------------------------------------


def find_domain(given: str) -> str:
    """Give the Chinese name of a domain stated by its Chinese or English name.

    Raises DataError when there is no such domain; the error lists them.

    >>> find_domain("Childcare"), find_domain("health care")
    ('幼有善育', '病有良医')
    """
    known = catalogue.domains()
    text = str(given).strip()
    match = known.loc[(known["domain"] == text) | (known["name_en"].str.lower() == text.lower()), "domain"]
    if match.empty:
        listed = "、".join(f"{row.domain} {row.name_en}" for row in known.itertuples())
        raise DataError(Problem("domain_unknown", "domain", text=text, values={"known": listed}))
    return match.item()


def domain_name(domain: str, lang: str) -> str:
    """The name of a domain in ``lang``; one of a plan's own as it is printed.

    >>> domain_name("病有良医", "en"), domain_name("事有便捷", "en")
    ('Health care', '事有便捷')
    """
    return domain if lang == "zh" else _domains_en().get(domain, domain)


@cache
def _domains_en() -> dict[str, str]:
    own, others = catalogue.domains(), catalogue.domain_aliases()
    english = dict(zip(others["alias"], others["name_en"], strict=True))
    return english | dict(zip(own["domain"], own["name_en"], strict=True))


@cache
def _short_names(lang: str) -> dict[str, str]:
    return catalogue.indicators().set_index("code")[f"short_{lang}"].to_dict()


def indicator_name(code: str, lang: str) -> str:
    """The short name of an indicator; a local one by its printed name.

    >>> indicator_name("nursery_places", "en")
    'Nursery places'
    """
    return _short_names(lang).get(code, code.removeprefix(LOCAL))


@cache
def judgement_names(lang: str) -> dict[str, str]:
    """The statuses of the monitoring, and the reasons why there is none, in a few words by their code.

    >>> judgement_names("en")["on_path"]
    'on the path'
    """
    return catalogue.judgements().set_index("code")[f"short_{lang}"].to_dict()


@cache
def measure_words(code: str, lang: str) -> tuple[str, str]:
    """What a measure is called and how it is read; of one that is none of ours its code and nothing.

    >>> measure_words("addition_2024", "en")
    ('addition in 2024', 'What the year itself adds to a cumulative number')
    """
    name, meaning = _measures(lang).get(_YEAR.sub("*", code), (code, ""))
    return name.format(*_YEAR.findall(code)) if meaning else code, meaning


@cache
def _measures(lang: str) -> dict[str, tuple[str, str]]:
    table = catalogue.measures()
    words = zip(table[f"name_{lang}"], table[f"meaning_{lang}"], strict=True)
    return dict(zip(table["measure"], words, strict=True))


def value_unit(code: str, unit: str, lang: str) -> str:
    """What stands behind a value of an indicator: its unit, for a state nothing; of a local one the given ``unit``.

    >>> value_unit("life_expectancy", "岁", "en"), value_unit("compulsory_assessment", "%", "en")
    ('years', '')
    """
    return _value_units(lang).get(code, unit)


@cache
def _value_units(lang: str) -> dict[str, str]:
    known = catalogue.indicators().set_index("code")
    return known["unit" if lang == "zh" else "unit_en"].mask(known["nature"] == "state", "").to_dict()
