"""Alignment with the city's plan: the hand-checked states of two counties, every state and reason, symmetries."""

import operator
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plans import NINGBO, four_plans, said

from qyx_analysis import catalogue
from qyx_analysis.cells import parse_cell
from qyx_analysis.texts.html import render_table
from qyx_analysis.wings.sentences.alignment import _concept, alignment, latest, standing
from qyx_analysis.wings.sentences.texts import (
    compare_alignment,
    compare_domains,
    table_alignment,
    table_contradictions,
    table_prose,
    tell_alignment,
    tell_contradictions,
    tell_prose,
)

FENGHUA, CIXI, SHENGSI, ZHUJI = "330213", "330282", "330922", "330681"
SHARE, JOBLESS = "affordable_nursery_share", "unemployment_registered"
PASSING = "share_vs_pass_fail"
SHARE_IN_PROSE, JOBLESS_IN_PROSE = "到2025年，普惠性托位占比达到60%以上。", "到2025年，登记失业率控制在3.5%以内。"

# Read by hand in the two county plans and the city's, target against target.
STATES = {
    (FENGHUA, 2): "overtaken",  # 75 in 2022, 90 in 2025; city at least 60
    (CIXI, 2): "above",  # 50, 65
    (FENGHUA, 16): "below",  # 15.92; city about 23
    (CIXI, 16): "below",  # 17.87
    (FENGHUA, 19): "overtaken",  # 14000 in 2022, 16000 in 2025; city 14000
    (CIXI, 19): "overtaken",  # 14172 in 2022
}
REASONS = {
    5: "share_vs_pass_fail",
    9: "count_vs_total",
    14: "count_vs_total",
    17: "new_homes",
    21: "homes_per_township",
}


def of_city(text, targets=None):
    return alignment(four_plans() if targets is None else targets, said(text, "330200"))


def with_cells(indicator, baseline, target, region=CIXI):
    """The four plans with the baseline and the 2025 target of one row written anew."""
    targets = four_plans()
    for year, text in ((2022, baseline), (2025, target)):
        place = (targets["region"] == region) & (targets["indicator"] == indicator) & (targets["year"] == year)
        read = parse_cell(text)
        number = np.nan if read.number is None else float(read.number)
        digit = np.nan if read.number is None else 10.0 ** read.number.as_tuple().exponent
        columns = ["raw", "kind", "operator", "value", "published_value", "resolution"]
        targets.loc[place, columns] = [text, read.kind, read.operator, number, number, digit]
    return targets


def one(indicator, baseline, target, text):
    rows = of_city(text, with_cells(indicator, baseline, target))
    return rows[rows["region"] == CIXI].squeeze()


# --- the counties of Ningbo -------------------------------------------------------------------------------


def assert_gold(rows):
    inside = rows[rows["indicator"] != ""]
    known = inside[inside["state"] != "not_comparable"]
    assert dict(zip(zip(known["region"], known["number"], strict=True), known["state"], strict=True)) == STATES
    others = inside[inside["state"] == "not_comparable"]
    assert dict(zip(others["number"], others["reason"], strict=True)) == REASONS
    assert set(rows["region"]) == {FENGHUA, CIXI}
    assert inside["year"].eq(2025).all() and len(inside) == 16


def test_gold_states_of_the_counties_of_ningbo():
    assert_gold(of_city(NINGBO))


def test_the_document_of_ningbo_gives_the_same():
    from qyx_analysis.tidy.reading import read_plan
    from qyx_analysis.wings.sentences.targets import prose_targets

    folder = os.environ.get("QYX_DOCUMENTS")
    if not folder:
        pytest.skip("machine: QYX_DOCUMENTS is not set")
    plans = [read_plan(Path(folder) / f"{stem}.txt") for stem in ("ningbo", "fenghua", "cixi", "shengsi", "zhuji")]
    read = [prose_targets(plan.document, plan.region, plan.table) for plan in plans]
    rows = alignment(four_plans(), pd.concat(read, ignore_index=True))
    assert_gold(rows)
    beside = rows[rows["indicator"] == ""]
    assert beside[["region", "metric", "county_year", "reason"]].values.tolist() == [
        [CIXI, "县域就诊率", 2027, "other_year"],
        [FENGHUA, "婴幼儿家长科学育儿知识普及率", 2027, "other_year"],
        [CIXI, "婴幼儿家长科学育儿知识普及率", 2027, "other_year"],
    ]
    alone = compare_domains(pd.concat(read, ignore_index=True), "zh")[-1]
    assert "军有优抚（3 项目标）、文旅乐享（6 项目标）、体有强健（7 项目标）" in alone


def test_every_value_has_its_printed_text_and_place():
    row = of_city(NINGBO).query("region == @CIXI and number == 16").squeeze()
    assert [row["baseline_printed"], row["county_printed"], row["city_printed"]] == ["16.30%", "17.87%", "23%"]
    assert [row["county_value"], row["city_value"], row["unit"]] == [17.87, 23, "%"]
    assert row["county_place"].startswith("cixi, line ") and row["city_place"].startswith("plan, ")


def test_another_city_has_no_part_in_it():
    assert of_city(SHARE_IN_PROSE)["region"].tolist() == [FENGHUA, CIXI]
    shaoxing = alignment(four_plans(), said(SHARE_IN_PROSE, "330600"))
    assert shaoxing[["region", "city"]].values.tolist() == [[ZHUJI, "330600"]]
    assert alignment(four_plans(), said("", "330200")).empty
    assert of_city("到2025年，诊室达到5间。").empty
    assert alignment(four_plans().iloc[:0], said(NINGBO, "330200")).empty


# --- every state ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("baseline", "target", "state", "reason", "flags"),
    [
        ("50", "65", "above", "numbers", ""),
        ("50", "60", "meets", "numbers", ""),
        ("50", "59", "below", "numbers", ""),
        ("60", "70", "overtaken", "baseline", ""),
        ("65", "62", "overtaken", "baseline", "weaker"),
        ("65", "55", "below", "numbers", "weaker;baseline_there"),
        ("50", "≥60", "meets", "bound", "bounded"),
        ("50", "≥65", "above", "bound", "bounded"),
        ("50", "≥55", "open", "open_bound", "bounded"),
        ("50", "<60", "below", "bound", "bounded"),
        ("50", "≤60", "open", "open_bound", "bounded"),
        ("50", "全覆盖", "above", "numbers", "from_text"),
        ("/", "65", "above", "numbers", ""),
        ("50", "/", "not_comparable", "no_number", ""),
        ("50", "完成市下达的任务指标", "not_comparable", "no_number", ""),
    ],
)
def test_a_share_against_at_least_60(baseline, target, state, reason, flags):
    row = one(SHARE, baseline, target, SHARE_IN_PROSE)
    assert [row["state"], row["reason"], row["flags"]] == [state, reason, flags]


@pytest.mark.parametrize(
    ("baseline", "target", "state", "flags"),
    [
        ("4.0", "3.2", "above", ""),
        ("4.0", "3.8", "below", ""),
        ("4.0", "<3.5", "meets", "bounded"),
        ("4.0", "<3.8", "open", "bounded"),
        ("4.0", ">3.5", "below", "bounded"),
        ("1.16", "<3.5", "overtaken", "bounded;weaker"),
        ("1.16", "3.8", "below", "weaker;baseline_there"),
    ],
)
def test_lower_is_better_turns_everything(baseline, target, state, flags):
    row = one(JOBLESS, baseline, target, JOBLESS_IN_PROSE)
    assert [row["state"], row["flags"]] == [state, flags]


@pytest.mark.parametrize(
    ("indicator", "text", "state", "reason"),
    [
        (SHARE, "普惠性托位占比达到60%以上。", "not_comparable", "no_year"),
        (SHARE, "到2025年，普惠性托位占比达到60个。", "not_comparable", "other_unit"),
        (SHARE, "到2025年，普惠性托位占比控制在60%以内。", "open", "city_limit"),
        (JOBLESS, "到2025年，城镇调查失业率控制在5%以内。", "not_comparable", "other_definition"),
        ("pension_insured", "到2025年，基本养老保险参保人数达到620万人。", "not_comparable", "count_vs_total"),
        ("compulsory_assessment", "到2025年，义务教育优质均衡发展县比例达60%。", "not_comparable", PASSING),
    ],
)  # fmt: skip
def test_what_the_city_says_can_rule_a_comparison_out(indicator, text, state, reason):
    rows = of_city(text)
    row = rows[rows["region"] == CIXI].squeeze()
    assert [row["number"], row["state"], row["reason"]] == [
        catalogue.indicators().set_index("code").at[indicator, "number"],
        state,
        reason,
    ]


def test_printed_digits_that_cannot_tell_give_no_verdict():
    assert one(SHARE, "50", "60.6", "到2025年，普惠性托位占比达到61%。")["reason"] == "unresolved"
    assert one(SHARE, "50", "60.6", "到2025年，普惠性托位占比达到61%以上。")["state"] == "below"  # a threshold is exact


def test_a_row_that_the_county_does_not_print_is_said_to_be_absent():
    targets = four_plans().query("not (region == @CIXI and number == 2)")
    row = of_city(SHARE_IN_PROSE, targets).query("region == @CIXI").squeeze()
    assert [row["state"], row["reason"], row["county_printed"]] == ["not_comparable", "no_row", ""]


def test_a_range_of_the_city_is_read_at_its_weaker_end():
    row = one(SHARE, "50", "62", "到2025年，普惠性托位占比达到60%-70%。")
    assert [row["city_value"], row["state"]] == [60, "above"]


def test_units_are_brought_together():
    row = of_city("到2025年，城乡居民最低生活保障标准达到1.7万元。").query("region == @CIXI").squeeze()
    assert [row["city_value"], row["city_printed"], row["state"]] == [17000, "1.7万元", "below"]


def test_two_definitions_in_one_plan_meet_only_their_own():
    own = four_plans().query("region == @CIXI and indicator == @JOBLESS")
    surveyed = own.assign(indicator="unemployment_surveyed", name="城镇调查失业率", value=own["value"] + 1)
    targets = pd.concat([four_plans(), surveyed], ignore_index=True)
    rows = of_city("到2025年，登记失业率控制在3%以内，调查失业率控制在5%以内。", targets).query("region == @CIXI")
    assert rows[["indicator", "county_value", "baseline"]].values.tolist() == [
        ["unemployment_registered", 3.5, 1.16],
        ["unemployment_surveyed", 4.5, 2.16],
    ]


def test_a_table_of_the_city_is_compared_year_by_year_and_its_prose_not_again():
    city = four_plans().query("region == @CIXI").assign(region="330200", level="city", document="city")
    rows = of_city(SHARE_IN_PROSE, pd.concat([four_plans(), city], ignore_index=True))
    assert len(rows) == 2 * 21 * 5
    assert rows["city_place"].str.startswith("city, line").all()
    same = rows[(rows["region"] == CIXI) & (rows["grade"] == "same_definition")]
    assert set(same["state"]) <= {"meets", "overtaken"}
    assert latest(rows)["year"].eq(2027).all()


def test_printed_numbers_decide_nothing():
    city = four_plans().query("region == @CIXI").assign(region="330200", level="city", document="city")
    targets = pd.concat([four_plans(), city], ignore_index=True)
    renumbered = targets.assign(number=targets["number"].where(targets["region"] == FENGHUA) % 21 + 1)
    pd.testing.assert_frame_equal(of_city(NINGBO, renumbered), of_city(NINGBO, targets))


def test_a_row_outside_the_catalogue_meets_what_the_city_calls_the_same():
    own = four_plans().query("region == @CIXI and indicator == @SHARE")
    row = own.assign(indicator="local:颐乐指数", name="颐乐指数(%)", number=pd.NA, row=22).astype({"number": "Int64"})
    targets = pd.concat([four_plans(), row], ignore_index=True)
    text = "到2025年，颐乐指数达到60%以上。"
    said_by_city = of_city(text, targets).squeeze()
    assert of_city(text).empty
    city = row.assign(region="330200", level="city", document="city")
    printed_by_city = of_city("", pd.concat([targets, city], ignore_index=True)).query("year == 2025").squeeze()
    for found, printed in ((said_by_city, "≥60%"), (printed_by_city, "65%")):
        assert found[["region", "indicator", "grade", "state", "reason"]].tolist() == [
            *(CIXI, "", "same_words", "not_comparable", "no_direction"),
        ]
        assert [found["county_printed"], found["city_printed"]] == ["65%", printed] and pd.isna(found["number"])


def test_targets_outside_the_catalogue_are_put_side_by_side_only():
    words = "到2025年，每千儿童病床数达到3张。"
    prose = pd.concat([said(words, "330200"), said(words.replace("3", "2"), CIXI)], ignore_index=True)
    row = alignment(four_plans(), prose).squeeze()
    assert [row["region"], row["indicator"], row["grade"]] == [CIXI, "", "same_words"]
    assert [row["state"], row["reason"]] == ["not_comparable", "no_direction"]


# --- the comparison itself --------------------------------------------------------------------------------

SIGNS = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
WHOLE = st.integers(0, 20).map(float)


def compared(value, sign, limit, limit_sign, direction=1):
    return standing(np.array([value]), [sign], np.array([limit]), [limit_sign], 0.0, [direction])[0]


@given(WHOLE, st.sampled_from(list(SIGNS)), WHOLE, st.sampled_from(["=", ">", ">="]))
def test_the_verdict_holds_for_every_value_that_the_bound_allows(value, sign, limit, limit_sign):
    grid = np.arange(-10, 40, 0.5)
    allowed = grid[SIGNS[sign](grid, value)]
    reached = allowed > limit if limit_sign == ">" else allowed >= limit
    said_to_be = compared(value, sign, limit, limit_sign)
    everything, nothing = bool(reached.all()), not reached.any()
    assert {"above": everything, "meets": everything, "below": nothing}.get(said_to_be, not everything and not nothing)


@given(WHOLE, st.sampled_from(list(SIGNS)), WHOLE, st.sampled_from(list(SIGNS)))
def test_a_share_and_its_complement_get_one_verdict(value, sign, limit, limit_sign):
    turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
    assert compared(value, sign, limit, limit_sign) == compared(
        100 - value, turned[sign], 100 - limit, turned[limit_sign], -1
    )


# --- the catalogue, the texts -----------------------------------------------------------------------------


def test_every_grade_state_and_reason_has_its_words():
    fields = catalogue.fields().query("resource == 'alignment'").set_index("name")["enum"]
    assert set(catalogue.concepts()["grade"]) <= set(fields["grade"].split("|"))
    assert set(catalogue.concepts()["code"]) <= set(catalogue.indicators()["code"])
    wanted = {f"align_state_{state}" for state in fields["state"].split("|")}
    wanted |= {f"align_reason_{reason}" for reason in catalogue.concepts()["reason"]}
    assert wanted <= set(catalogue._messages())


def test_a_citys_count_is_never_held_against_a_countys():
    counts = catalogue.indicators().query("scale == 'count'")
    assert {_concept(row.name_zh)[0] for row in counts.itertuples()} == set(counts["code"])
    assert not [row.code for row in counts.itertuples() if _concept(row.name_zh)[1] == "same_definition"]


def test_domain_aliases_lead_to_the_seven_domains_or_nowhere():
    aliases = catalogue.domain_aliases()
    assert set(aliases["domain"]) <= {*catalogue.domains()["domain"], ""}
    assert not set(aliases["alias"]) & set(catalogue.domains()["domain"])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_readings_and_tables_have_no_holes_and_one_language(lang):
    prose = pd.concat(
        [said(NINGBO, "330200"), said(SHARE_IN_PROSE + "到2027年，诊室达到5间。", CIXI)], ignore_index=True
    )
    rows = alignment(four_plans(), prose)
    sentences = [*compare_alignment(rows, lang), *compare_domains(prose, lang)]
    shown = []
    for region in (FENGHUA, CIXI, ZHUJI):
        sentences += tell_alignment(rows, region, lang) + tell_prose(prose, region, lang)
        sentences += tell_contradictions(prose, four_plans(), region, lang)
        shown += [table_alignment(rows, lang, comparable, region) for comparable in (True, False)]
        shown += [table_contradictions(prose, four_plans(), region, lang)]
        shown += table_prose(prose, region, lang).values()
    shown += [table_alignment(rows, lang, comparable) for comparable in (True, False)]
    texts = sentences + [render_table(frame, "x") for frame in shown]
    for text in texts:
        assert not set(text.replace("<", " ").replace(">", " ").split()) & {"nan", "NaN", "None", "NA"}, text
        assert "{" not in text
    assert lang == "zh" or not [text for text in sentences if any("\u4e00" <= c <= "\u9fff" for c in text)]


def test_a_county_without_its_citys_plan_and_a_plan_without_prose_get_one_sentence():
    prose = said(NINGBO, "330200")
    rows = alignment(four_plans(), prose)
    assert tell_alignment(rows, ZHUJI, "en") == [catalogue.message("say_no_city", "en", city="Shaoxing")]
    assert table_alignment(rows, "en", True, ZHUJI).empty
    none = [catalogue.message("say_no_prose", "en")]
    assert tell_prose(prose, ZHUJI, "en") == tell_contradictions(prose, four_plans(), ZHUJI, "en") == none
    assert table_prose(prose, ZHUJI, "en") == {}


def test_prose_and_table_stand_side_by_side():
    prose = said("二、重点任务\n（三）劳有所得\n到2027年，登记失业率保持在3.5%以内，新增就业6万人。", FENGHUA)
    (row,) = table_contradictions(prose, four_plans(), FENGHUA, "en").values.tolist()
    assert row[0] == "Registered unemployment"
    assert row[1] == "登记失业率≤3.5% (2027)" and row[3:5] == ["<3.5 (2027)", "fenghua, line 80"]
    (beyond,) = table_prose(prose, FENGHUA, "en").values()
    assert beyond.iloc[0].tolist()[:4] == ["新增就业", "6万人", "2027", "—"]


def test_many_counties_are_counted_and_not_listed():
    own = four_plans().query("region == @CIXI")
    codes = catalogue.regions().query("level == 'county' and parent == '330200'")["code"]
    rows = of_city(NINGBO, pd.concat([own.assign(region=code) for code in codes], ignore_index=True))
    table = table_alignment(rows, "en", comparable=True)
    assert table["Relation"].tolist() == [
        f"better than the city's target {len(codes)}",
        f"weaker than the city's target {len(codes)}",
        f"baseline already there {len(codes)}",
    ]
