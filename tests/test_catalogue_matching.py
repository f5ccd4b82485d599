"""The lines of aliases.csv are patterns for a whole folded name: what each must match, and what it must not."""

import re

import numpy as np
import pytest

from qyx_analysis import catalogue
from qyx_analysis.names.indicators import alias_note, find_indicator, folded

MATCH = {
    "nursery_places": ["每千常住人口拥有3岁以下婴幼儿托位数", "每千人口拥有３周岁以下婴幼儿托位数量"],
    "affordable_nursery_share": ["普惠性托位占比", "普惠型托位数占比"],
    "child_screening_rate": ["0至3岁儿童发育监测筛查率", "0—3周岁儿童发育监测筛查率"],
    "preschool_assessment": [
        "通过国家学前教育普及普惠区省级评估",
        "通过全国学前教育普及普惠县省级评估率",
        "通过国家学前教育普及普惠县（市、区）省级督导评估率",
        "国家学前教育普及普惠县省级评估",
    ],
    "compulsory_assessment": [
        "通过全国义务教育优质均衡发展市省级督导评估",
        "通过国家义务教育优质均衡县省级评估率",
        "通过国家义务教育优质均衡发展区县(市)省级评估",
    ],
    "wage_arrears_resolved": ["欠薪线索化解率"],
    "training_cumulative": ["全区开展职业技能培训累计数", "职业技能培训累计人次", "累计开展职业技能培训人次"],
    "life_expectancy": ["居民人均预期寿命", "人均期望寿命", "平均预期寿命"],
    "premature_mortality": ["重大慢病过早死亡率", "重大慢性疾病过早死亡率"],
    "huiminbao_enrolment": [
        "“浙里惠民保•舟惠保”投保率",
        "“浙里惠民保·台州利民保”参保率",
        "惠民型商业补充医疗保险投保率",
    ],
    "care_workers": ["每万名老年人拥有持证养老护理员数", "每万人老年人口拥有持证养老护理员数"],
    "pension_insured": ["基本养老保险参保总人数"],
    "long_term_care_insured": ["长期护理保险覆盖人群", "长护险参保人数"],
    "housing_support_coverage": ["城镇住房保障覆盖率"],
    "rental_housing_cumulative": ["保障性租赁住房累计建设筹集套数", "保障性租赁住房累计筹集套（间）数"],
    "property_service_coverage": ["专业物业服务覆盖率", "住宅小区专业化物业覆盖率"],
    "dibao_standard": ["城乡居民最低生活保障年人均标准", "最低生活保障年标准", "城乡低保标准"],
    "disabled_home_coverage": ["“残疾人之家”乡镇（街道）覆盖率", "镇(街道)残疾人之家覆盖率"],
    "parenting_knowledge": ["家长科学育儿知识普及率"],
    "paediatric_doctors": ["每千名儿童儿科执业（助理）医师数", "每千儿童拥有儿科执业(助理)医生数"],
    "severe_birth_defects": ["严重致残的出生缺陷发生率"],
    "nursery_places_per_infant": ["每千名 3 岁以下婴幼儿拥有托位数", "每千3岁以下婴幼儿托位数"],
    "kindergarten_nursery_share": ["托幼一体化托位占比"],
    "migrant_children_public": [
        "义务教育阶段随迁子女就读义务教育公办学校比例",
        "义务教育阶段随迁子女公办学校就读比例",
    ],
    "integrated_school_groups": ["融合型、共建型教共体占比"],
    "new_public_school_places": ["新增公办中小学学位"],
    "vocational_education_training": ["开展职业教育培训人次"],
    "affordable_kindergarten_coverage": ["普惠幼儿园覆盖率", "普惠性幼儿园在园幼儿占比"],
    "preschool_enrolment": ["学前三年毛入园率", "学前教育三年毛入园率"],
    "compulsory_retention": ["义务教育巩固率", "9年义务教育巩固率"],
    "senior_secondary_enrolment": ["高中阶段毛入学率"],
    "schooling_years": ["劳动年龄人口人均受教育年限"],
    "new_urban_jobs": ["城镇新增就业", "城镇新增就业数"],
    "skilled_share": ["技能人才总量占从业人员比例"],
    "arbitration_closed": ["劳动争议案件仲裁结案率", "劳动人事争议仲裁结案率"],
    "doctors": ["每千常住人口执业（助理）医师数", "每千人口拥有执业(助理)医师"],
    "nurses": ["每千人口拥有注册护士数", "每千名常住人口注册护士人数"],
    "county_visit_rate": ["县域内就诊率"],
    "primary_care_visit_rate": ["基层医疗卫生机构就诊率"],
    "medical_insured_rate": ["基本医保参保率"],
    "health_literacy": ["城乡居民健康素养水平"],
    "fitness_pass_rate": ["城乡居民国民体质合格率"],
    "exercise_share": ["经常参加体育锻炼的人数比例", "经常参加体育锻炼人口占比"],
    "family_doctor_coverage": ["家庭医生签约服务覆盖率", "家庭医生居民签约率"],
    "nursing_beds_share": ["养老机构中护理型床位占比", "养老机构护理型床位比例"],
    "dementia_beds": ["每万名老年人拥有认知障碍照护床位数", "每万名老年人拥有养老机构认知障碍照护专区床位"],
    "elderly_beds": ["每千老年人口养老床位数"],
    "elderly_visits": ["特殊困难老年人每月探访率"],
    "care_consortium_coverage": ["康养联合体镇（街道）覆盖率", "镇乡(街道)康养联合体覆盖率"],
    "new_estate_elderly_facilities": ["新建城区、新建居住（小）区配套建设养老服务设施达标率"],
    "provident_fund_members": ["住房公积金实缴职工人数"],
    "disability_allowance_coverage": ["残疾人两项补贴覆盖率"],
}
MATCHING = [(code, name) for code, names in MATCH.items() for name in names]

APART = [
    ("每千人拥有3岁以下婴幼儿托位数", "a person is not said to be a resident: an analyst decides"),
    ("每千人口托位数", "of what age"),
    ("普惠托位数", "a number and no share"),
    ("0-6岁儿童发育监测筛查率", "another age"),
    ("通过国家学前教育普及普惠县国家级评估", "the national assessment"),
    ("通过国家学前教育普及普惠县评估", "assessed by whom"),
    ("通过省学前教育普及普惠县省级评估", "the province's own standard"),
    ("通过国家义务教育优质均衡发展县国家评估认定", "the national assessment"),
    ("通过国家义务教育基本均衡发展县省级评估", "another standard"),
    ("登记失业率", "of whom"),
    ("高等教育净入学率", "net and not gross"),
    ("欠薪案件结案率", "cases and not leads"),
    ("开展职业技能培训人次", "of a year and not cumulative"),
    ("人均健康预期寿命", "healthy years only"),
    ("人均预期寿命增长", "a change"),
    ("慢性病死亡率", "of any age"),
    ("浙里惠民保·困难群众投保率", "of people in need only"),
    ("商业补充医疗保险投保率", "any supplementary insurance"),
    ("每万人口拥有持证养老护理员数", "per resident of any age"),
    ("城乡居民基本养老保险参保人数", "one of two schemes"),
    ("长期护理保险覆盖率", "a share and not a number"),
    ("保障性租赁住房建设筹集套数", "of a year and not cumulative"),
    ("物业服务覆盖率", "professional or not"),
    ("最低生活保障月标准", "a month"),
    ("最低生活保障标准增幅", "a change"),
    ("规范化残疾人之家覆盖率", "some of them only"),
    ("每千人口儿科执业(助理)医师数", "per resident of any age"),
    ("每千名儿童儿科执业医师数", "without assistant doctors"),
    ("出生缺陷发生率", "of any severity"),
    ("随迁子女就读公办学校或政府购买学位的民办学校比例", "private schools too"),
    ("随迁子女就读公办学校比例", "of what stage"),
    ("教共体覆盖率", "of any type"),
    ("新增中小学优质学位", "good ones only"),
    ("新增公办幼儿园学位数", "kindergartens"),
    ("普惠性民办幼儿园覆盖率", "private ones only"),
    ("公办幼儿园在园幼儿占比", "public ones only"),
    ("学前教育净入园率", "net and not gross"),
    ("主要劳动年龄人口平均受教育年限", "aged 20 to 59"),
    ("新增劳动力平均受教育年限", "of new workers only"),
    ("城镇累计新增就业人数", "cumulative"),
    ("高技能人才占技能人才比重", "another share"),
    ("每千人口执业医师数", "without assistant doctors"),
    ("每千常住人口中医类别执业(助理)医师数", "Chinese medicine only"),
    ("每千人口医疗卫生机构床位数", "no indicator of ours"),
    ("区域就诊率", "of which region"),
    ("县域内基层就诊率", "of the visits within the county"),
    ("基本医疗保险参保人数", "a number and no rate"),
    ("户籍人口基本医疗保险参保率", "of registered residents"),
    ("户籍法定人员基本养老保险参保率", "of registered residents"),
    ("居民心理健康素养水平", "mental health only"),
    ("人均公共体育场地面积", "public grounds only"),
    ("重点人群家庭医生签约服务覆盖率", "some groups only"),
    ("护理型床位数", "a number and no share"),
    ("每百名老年人拥有养老床位数", "per hundred: ten times less"),
    ("每百名老年人养老床位数", "per hundred: ten times less"),
    ("特殊困难老年人探访关爱率", "how often"),
    ("康养联合体覆盖率", "of what"),
    ("新建居住区配套建设养老服务设施达标率", "without new urban areas"),
    ("残疾人补贴覆盖率", "which allowance"),
    ("失业率", "registered or surveyed"),
    ("覆盖率", "of what"),
    ("", "nothing"),
]

NOTED = [
    "长期护理保险参保人数",
    "城乡居民最低生活保障年标准",
    "最低生活保障标准",
    "普惠性幼儿园在园幼儿占比",
    "劳动人事争议仲裁结案率",
    "每万名老年人拥有养老机构认知障碍照护专区床位",
]

LINES = list(catalogue.aliases()[["alias", "code"]].itertuples(index=False, name=None))
INDICATORS = catalogue.indicators()
COMMON = 22  # the rows of the 21 common indicators: the seventh has two definitions


def matched_by(name: str) -> list[tuple[str, str]]:
    return [line for line in LINES if re.fullmatch(line[0], folded(name))]


# --- must match -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "name"), MATCHING)
def test_a_name_printed_otherwise_is_the_same_indicator(code, name):
    assert find_indicator(name) == code


@pytest.mark.parametrize(("code", "name"), MATCHING)
def test_a_name_is_matched_by_one_line_only(code, name):
    assert [line[1] for line in matched_by(name)] == [code]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[0])
def test_every_line_has_a_sample(line):
    assert any(line in matched_by(name) for name in MATCH[line[1]])


@pytest.mark.parametrize("name", NOTED)
def test_a_difference_in_wording_is_noted(name):
    note_zh, note_en = alias_note(name)
    assert note_zh and note_en


def test_a_name_without_difference_in_wording_has_no_note():
    quiet = [name for _, name in MATCHING if alias_note(name) is None]
    assert "长期护理保险覆盖人群" in quiet
    assert "城乡居民最低生活保障年人均标准" in quiet


# --- must not match ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "why"), APART)
def test_another_definition_is_not_taken_for_ours(name, why):
    assert find_indicator(name) is None, why


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("每千名3岁以下婴幼儿拥有托位数", "nursery_places_per_infant"),
        ("每千人口拥有3岁以下婴幼儿托位数", "nursery_places"),
        ("城镇登记失业率", "unemployment_registered"),
        ("城镇调查失业率", "unemployment_surveyed"),
        ("基本养老保险参保率", "pension_insured_rate"),
        ("基本养老保险参保人数", "pension_insured"),
        ("开展职业教育培训数", "vocational_education_training"),
        ("开展职业技能培训累计数", "training_cumulative"),
        ("县域就诊率", "county_visit_rate"),
        ("基层就诊率", "primary_care_visit_rate"),
    ],
)
def test_likely_names_stay_apart(name, code):
    assert find_indicator(name) == code


@pytest.mark.parametrize(("code", "name"), list(zip(INDICATORS["code"], INDICATORS["name_zh"], strict=True)))
def test_a_name_of_the_catalogue_is_one_indicator(code, name):
    assert find_indicator(name) == code
    assert {line[1] for line in matched_by(name)} <= {code}


# --- the lines themselves ---------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", [line[0] for line in LINES])
def test_a_pattern_takes_time_in_proportion_to_the_name(pattern):
    assert not re.search(r"[*+{]", pattern)  # nothing is repeated without end


@pytest.mark.parametrize("pattern", [line[0] for line in LINES])
def test_a_pattern_has_nothing_that_folding_takes_away(pattern):
    assert folded(pattern) == pattern


# --- the new rows of indicators.csv -----------------------------------------------------------------------


def test_only_the_common_indicators_have_a_number():
    assert INDICATORS["number"].notna().tolist() == [True] * COMMON + [False] * (len(INDICATORS) - COMMON)


def test_codes_and_short_names_are_distinct():
    for column in ("code", "name_zh", "name_en", "short_zh", "short_en"):
        assert INDICATORS[column].is_unique, column


def test_a_short_name_is_short():
    assert INDICATORS["short_zh"].str.len().max() <= 8


def test_every_unit_is_known():
    assert set(INDICATORS["unit"]) <= set(catalogue.units()["unit"])


def test_a_share_lies_between_0_and_100():
    shares = INDICATORS[INDICATORS["scale"] == "share"]
    assert (shares["lower"] == 0).all()
    assert (shares["upper"] == 100).all()
    assert (shares["unit"] == "%").all()


def test_the_best_value_lies_within_the_limits():
    declared = INDICATORS.dropna(subset=["best"])
    assert declared["best"].between(declared["lower"], declared["upper"].fillna(np.inf)).all()


def test_full_coverage_is_the_best_value_of_a_share_only():
    full = INDICATORS[INDICATORS["full_is_best"]]
    assert set(full["scale"]) == {"share"}
    assert (full["best"] == 100).all()


def test_a_best_value_has_a_direction():
    assert INDICATORS.dropna(subset=["best"])["direction"].notna().all()


def test_every_indicator_says_where_it_is_printed():
    assert (INDICATORS["source"] != "").all()
    assert (INDICATORS["definition"] != "").all()
