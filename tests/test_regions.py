"""The two region lists of the catalogue: complete, consistent, and free of ambiguity."""

from importlib.resources import files

import pandas as pd
import pytest

COUNTY_KINDS = ["district", "county_level_city", "county", "autonomous_county"]


def read(name: str) -> pd.DataFrame:
    path = files("qyx_analysis.catalogue") / name
    with path.open(encoding="utf-8", newline="") as lines:
        return pd.read_csv(lines, dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def regions() -> pd.DataFrame:
    return read("regions.csv")


@pytest.fixture(scope="module")
def aliases() -> pd.DataFrame:
    return read("region_aliases.csv")


def group(regions: pd.DataFrame, name: str) -> set[str]:
    return set(regions.loc[regions["groups"].str.split(";").map(lambda names: name in names), "name_zh"])


@pytest.mark.parametrize("name", ["regions.csv", "region_aliases.csv"])
def test_file_is_plain_utf8_with_unix_line_ends(name: str) -> None:
    data = (files("qyx_analysis.catalogue") / name).read_bytes()
    assert not data.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in data
    assert data.endswith(b"\n")


def test_columns(regions: pd.DataFrame, aliases: pd.DataFrame) -> None:
    assert list(regions) == ["code", "name_zh", "name_en", "level", "kind", "parent", "groups"]
    assert list(aliases) == ["alias", "code", "valid_from", "valid_to", "note"]


def test_counts_of_2023(regions: pd.DataFrame) -> None:
    assert regions["kind"].value_counts().to_dict() == {
        "province": 1,
        "prefecture_level_city": 11,
        "district": 37,
        "county_level_city": 20,
        "county": 32,
        "autonomous_county": 1,
    }
    assert regions["level"].value_counts().to_dict() == {"province": 1, "city": 11, "county": 90}


def test_codes_and_names_are_unique_and_sorted(regions: pd.DataFrame) -> None:
    for column in ["code", "name_zh", "name_en"]:
        assert regions[column].is_unique, column
    assert regions["code"].is_monotonic_increasing
    assert regions["code"].str.fullmatch(r"33\d{4}").all()


def test_level_kind_and_code_agree(regions: pd.DataFrame) -> None:
    counties = regions[regions["level"] == "county"]
    assert set(counties["kind"]) == set(COUNTY_KINDS)
    # GB/T 2260: the fifth digit is 0 or 1 for districts, 8 for county-level cities, 2 for counties.
    digit = {"district": "01", "county_level_city": "8", "county": "2", "autonomous_county": "2"}
    wrong = [r.code for r in counties.itertuples() if r.code[4] not in digit[r.kind]]
    assert wrong == []
    ending = {"district": "区", "county_level_city": "市", "county": "县", "autonomous_county": "自治县"}
    assert [r.code for r in counties.itertuples() if not r.name_zh.endswith(ending[r.kind])] == []
    english = {
        "district": " District",
        "county_level_city": " City",
        "county": " County",
        "autonomous_county": " Autonomous County",
    }
    assert [r.code for r in counties.itertuples() if not r.name_en.endswith(english[r.kind])] == []
    assert regions.loc[regions["level"] == "city", "code"].str.endswith("00").all()


def test_parents(regions: pd.DataFrame) -> None:
    by_level = dict(list(regions.groupby("level")))
    assert by_level["province"]["parent"].tolist() == [""]
    assert set(by_level["city"]["parent"]) == {"330000"}
    counties = by_level["county"]
    assert set(counties["parent"]) == set(by_level["city"]["code"])
    assert (counties["parent"].str[:4] == counties["code"].str[:4]).all()


def test_groups_as_they_were_in_2023(regions: pd.DataFrame) -> None:
    """26 mountain counties and 6 island counties; the province changed the list in August 2024."""
    mountain, island = group(regions, "山区26县"), group(regions, "海岛县")
    assert len(mountain) == 26
    assert island == {"定海区", "普陀区", "岱山县", "嵊泗县", "玉环市", "洞头区"}
    assert not mountain & island
    assert group(regions, "山区海岛县") == mountain | island
    assert len(mountain | island) == 32
    # All of 衢州 and 丽水 is in, none of 嘉兴, 湖州 and 绍兴 is.
    counties = regions[regions["level"] == "county"]
    inside = counties["name_zh"].isin(mountain).groupby(counties["parent"]).agg(["sum", "size"])
    assert inside.loc[["330800", "331100"]].apply(tuple, axis=1).tolist() == [(6, 6), (9, 9)]
    assert inside["sum"].drop(["330800", "331100"]).to_dict() == {
        "330100": 1, "330200": 0, "330300": 5, "330400": 0, "330500": 0, "330600": 0,
        "330700": 2, "330900": 0, "331000": 3,
    }  # fmt: skip
    known = {"山区海岛县", "山区26县", "海岛县", ""}
    assert set(regions["groups"].str.split(";").explode()) == known


def test_aliases_point_to_regions_and_hide_none(regions: pd.DataFrame, aliases: pd.DataFrame) -> None:
    assert aliases["alias"].is_unique
    assert (aliases["alias"].str.strip() == aliases["alias"]).all()
    assert (aliases["alias"] != "").all()
    assert set(aliases["code"]) <= set(regions["code"])
    taken = set(regions["code"]) | set(regions["name_zh"]) | set(regions["name_en"])
    assert set(aliases["alias"]) & taken == set()
    assert (aliases["note"] != "").all()


def test_abolished_codes_and_names_are_dated(aliases: pd.DataFrame) -> None:
    codes = aliases[aliases["alias"].str.fullmatch(r"\d+")]
    assert codes["alias"].str.fullmatch(r"33\d{4}").all()
    assert (codes["alias"].str[:4] == codes["code"].str[:4]).all()
    former = aliases[aliases["note"] != "short form"]
    assert set(codes["alias"]) < set(former["alias"])
    assert former["valid_to"].str.fullmatch(r"20[0-2]\d").all()
    assert former["valid_from"].str.fullmatch(r"((19|20)\d\d)?").all()
    assert (former["valid_from"] < former["valid_to"]).all()


def test_every_region_has_its_short_form(regions: pd.DataFrame, aliases: pd.DataFrame) -> None:
    short = aliases[aliases["note"] == "short form"].merge(regions, on="code", validate="many_to_one")
    assert set(short["code"]) == set(regions["code"])
    assert short["alias"].str.len().ge(2).all()
    assert [r.alias for r in short.itertuples() if not r.name_zh.startswith(r.alias[:2])] == []
    assert (short["valid_from"] + short["valid_to"] == "").all()


@pytest.mark.parametrize(
    ("code", "name", "english"),
    [
        ("330000", "浙江省", "Zhejiang Province"),
        ("330200", "宁波市", "Ningbo"),
        ("330102", "上城区", "Shangcheng District"),
        ("330105", "拱墅区", "Gongshu District"),
        ("330110", "余杭区", "Yuhang District"),
        ("330112", "临安区", "Lin'an District"),
        ("330113", "临平区", "Linping District"),
        ("330114", "钱塘区", "Qiantang District"),
        ("330213", "奉化区", "Fenghua District"),
        ("330282", "慈溪市", "Cixi City"),
        ("330305", "洞头区", "Dongtou District"),
        ("330382", "乐清市", "Yueqing City"),
        ("330383", "龙港市", "Longgang City"),
        ("330681", "诸暨市", "Zhuji City"),
        ("330922", "嵊泗县", "Shengsi County"),
        ("331083", "玉环市", "Yuhuan City"),
        ("331127", "景宁畲族自治县", "Jingning She Autonomous County"),
    ],
)
def test_region(regions: pd.DataFrame, code: str, name: str, english: str) -> None:
    row = regions.set_index("code").loc[code]
    assert (row["name_zh"], row["name_en"]) == (name, english)


@pytest.mark.parametrize(
    ("alias", "code", "until"),
    [
        ("330283", "330213", "2016"),
        ("奉化市", "330213", "2016"),
        ("奉化", "330213", ""),
        ("330185", "330112", "2017"),
        ("330103", "330105", "2021"),
        ("330204", "330212", "2016"),
        ("331021", "331083", "2017"),
        ("绍兴县", "330603", "2013"),
        ("绍兴", "330600", ""),
        ("景宁县", "331127", ""),
    ],
)
def test_alias(aliases: pd.DataFrame, alias: str, code: str, until: str) -> None:
    row = aliases.set_index("alias").loc[alias]
    assert (row["code"], row["valid_to"]) == (code, until)


@pytest.mark.parametrize("alias", ["330104", "江干区", "330721", "金华县"])
def test_divided_county_is_no_alias(aliases: pd.DataFrame, alias: str) -> None:
    """江干区 went to 上城区 and 钱塘区, 金华县 to 婺城区 and 金东区: one successor would be a guess."""
    assert alias not in set(aliases["alias"])
