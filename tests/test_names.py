"""Printed names become codes exactly or through an alias, never by likeness."""

import pytest

from qyx_analysis import catalogue
from qyx_analysis.names.indicators import find_indicator, folded, split_unit
from qyx_analysis.names.regions import find_region, region_of_text, region_slug, regions_in_group
from qyx_analysis.names.units import conversion
from qyx_analysis.problems import DataError


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("重大慢性病过早死亡率", "premature_mortality"),
        ("重大慢病过早死亡率", "premature_mortality"),
        ("0—3岁儿童发育监测筛查率", "child_screening_rate"),
        ("0－3岁儿童发育\u00a0监测筛查率", "child_screening_rate"),
        ("“浙里惠民保·舟惠保”投保率", "huiminbao_enrolment"),
        ("‘残疾人之家’覆盖率", "disabled_home_coverage"),
        ("城镇登记失业率", "unemployment_registered"),
        ("城镇调查失业率", "unemployment_surveyed"),
    ],
)
def test_must_match(printed, code):
    assert find_indicator(printed) == code


@pytest.mark.parametrize(
    "printed",
    [
        "失业率",
        "城镇失业率",
        "慢性病死亡率",
        "普惠托位",
        "人均预期寿命增长",
        "高等教育入学率",
        "每千人口托位数",
        "",
        "覆盖率",
    ],
)
def test_must_not_match(printed):
    assert find_indicator(printed) is None


def test_no_two_names_of_the_catalogue_fold_into_one():
    table, other = catalogue.indicators(), catalogue.aliases()
    names = [folded(name) for name in [*table["name_zh"], *other["alias"]]]
    assert len(names) == len(set(names))


def test_every_alias_points_to_an_indicator_and_every_unit_is_known():
    codes = set(catalogue.indicators()["code"])
    assert set(catalogue.aliases()["code"]) <= codes
    assert set(catalogue.indicators()["unit"]) <= set(catalogue.units()["unit"])
    assert set(catalogue.indicators()["domain"]) == set(catalogue.domains()["domain"])


@pytest.mark.parametrize(
    ("printed", "name", "unit"),
    [
        ("普惠托位占比（％）", "普惠托位占比", "%"),
        ("保障性租赁住房累计建设筹集套(间)数(万套)", "保障性租赁住房累计建设筹集套(间)数", "万套"),
        ("保障性租赁住房累计建设筹集套数(万套‹间›)", "保障性租赁住房累计建设筹集套数", "万套<间>"),
        ("保障性租赁住房累计建设筹集套数(万套(间))", "保障性租赁住房累计建设筹集套数", "万套(间)"),
        ("通过国家学前教育普及普惠区省级评估", "通过国家学前教育普及普惠区省级评估", ""),
    ],
)
def test_the_unit_is_the_last_bracket(printed, name, unit):
    assert split_unit(printed) == (name, unit)


def test_units_convert_exactly_or_not_at_all():
    assert float(conversion("人", "万人") * 83000) == 8.3
    assert float(conversion("‰", "%") * 5) == 0.5
    assert conversion("", "%") == 1
    assert conversion("", "万人") is None
    assert conversion("岁", "%") is None


@pytest.mark.parametrize(
    "given", [330213, "330213", "奉化区", "Fenghua District", "fenghua district", "330283", "奉化市", "奉化"]
)
def test_a_region_may_be_given_as_number_text_or_name(given):
    assert find_region(given) == "330213"


@pytest.mark.parametrize("given", ["", "999999", "奉", "Fenghua Distric", 330283.5, None, "../../etc"])
def test_an_unknown_region_is_refused_with_similar_names(given):
    with pytest.raises(DataError) as caught:
        find_region(given)
    assert caught.value.problems[0].key == "region_unknown"


def test_a_title_names_the_smallest_region():
    assert region_of_text("浙江省宁波市奉化区公共服务目标") == "330213"
    assert region_of_text("宁波市公共服务目标") == "330200"
    assert region_of_text("江山如画") is None
    assert region_of_text("奉化区与慈溪市对比") is None


def test_file_names_of_regions_are_distinct():
    codes = catalogue.regions()["code"]
    slugs = codes + "-" + codes.map(region_slug)
    assert slugs.str.fullmatch(r"\d{6}-[a-z]+").all()
    assert slugs.is_unique


def test_groups_and_cities_give_their_counties():
    assert len(regions_in_group("山区海岛县")) == 32
    assert "330213" in regions_in_group("宁波市")
    assert regions_in_group("没有这个组") == []
