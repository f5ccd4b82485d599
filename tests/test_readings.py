"""What analysts read says what the measures say, in one language at a time, and nothing that is not there."""

import re
import string

import pandas as pd
import pytest
from plans import four_plans

from qyx_analysis import catalogue, checks, measures, readings, tables
from qyx_analysis.measures.position import position

TARGETS = four_plans()
FINDINGS = checks.find_all(TARGETS)
TRAJECTORY, AMBITION, DISPERSION = (
    measure(TARGETS) for measure in (measures.trajectory, measures.ambition, measures.dispersion)
)
REGIONS = tuple(TARGETS["region"].unique())


def all_sentences(lang):
    for region in REGIONS:
        yield from readings.overview(TARGETS, region, lang)
        yield from readings.standing_of(TARGETS, region, lang)
        yield from readings.kinds_of(TARGETS, region, lang)
        yield from readings.ambition_of(AMBITION, region, lang)
        yield from readings.timing_of(TRAJECTORY, region, lang)
    yield from readings.compared(TARGETS, lang)
    yield from readings.timing_across(TRAJECTORY, TARGETS, lang)
    yield from readings.ambition_across(AMBITION, TARGETS, lang)
    yield from readings.dispersion_across(DISPERSION, lang)


def all_tables(lang):
    for region in REGIONS:
        yield tables.printed_table(TARGETS, region, lang)
        yield tables.domain_table(TARGETS, region, lang)
        yield tables.ambition_table(TARGETS, AMBITION, region, lang)
        yield tables.timing_table(TRAJECTORY, region, lang)
        yield tables.findings_table(FINDINGS, region, lang)
    yield tables.measure_table(TRAJECTORY, "front_loading", lang)
    yield tables.measure_table(AMBITION, "gap_closure", lang, percent=True)
    yield tables.convergence_table(DISPERSION, lang)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_sentence_and_no_table_shows_a_hole(lang):
    texts = [*all_sentences(lang), *(tables.as_html(table, "x") for table in all_tables(lang))]
    for text in texts:
        assert not set(text.split()) & {"nan", "NaN", "None", "<NA>", "inf"}, text
        assert "{" not in text


def test_english_sentences_have_no_chinese_and_chinese_ones_do():
    assert [text for text in all_sentences("en") if any("\u4e00" <= c <= "\u9fff" for c in text)] == []
    assert all(any("\u4e00" <= c <= "\u9fff" for c in text) for text in all_sentences("zh"))


def test_a_plan_is_called_a_plan():
    text = " ".join(all_sentences("en")).lower()
    assert "planned" in text
    assert not {"achieved", "delivered", "significant."} & set(text.split())


def test_numbers_in_the_sentences_are_those_of_the_frames():
    gap = AMBITION.query("region == '330213' and measure == 'gap_closure' and indicator == 'child_screening_rate'")
    text = " ".join(readings.ambition_of(AMBITION, "330213", "en"))
    assert f"Child screening {gap['value'].item():.0%}" in text
    shaped = TRAJECTORY.query("region == '330213' and measure == 'front_loading' and status in ['ok', 'reversing']")
    early, late = (shaped["value"] > 0).sum(), (shaped["value"] < 0).sum()
    assert f"Planned early: {early}; late: {late};" in readings.timing_of(TRAJECTORY, "330213", "en")[0]


def test_every_path_is_counted_once():
    early, late, open_, weaker, none = (
        int(number) for number in re.findall(r"\d+", readings.timing_across(TRAJECTORY, TARGETS, "en")[0])[1:]
    )
    assert early + late + open_ + weaker + none == 84


def test_a_county_alone_is_given_no_position():
    alone = TARGETS[TARGETS["region"] == "330213"]
    assert readings.standing_of(alone, "330213", "en") == [catalogue.message("say_alone", "en")]
    assert tables.domain_table(alone, "330213", "en")["Comparable"].sum() == 0


def test_overlapping_intervals_are_not_ordered():
    frame = pd.DataFrame(
        {"region": ["a", "b", "c", "d"], "indicator": "x", "value": [2.0, 2.2, 9.0, 1.0], "lo": [1.8, 1.9, 8.0, 0.5]}
    ).assign(hi=[2.1, float("inf"), 9.5, 1.5])
    assert position(frame, "a").iloc[0].tolist() == ["x", 1, 1, 1, 4]


def test_text_of_a_document_stays_text():
    hostile = TARGETS.copy()
    hostile.loc[hostile["number"] == 1, "raw"] = "<img src=x onerror=alert(1)>"
    html = tables.as_html(tables.printed_table(hostile, "330213", "zh"), "<script>")
    assert "<img" not in html
    assert "<script>" not in html
    assert readings.literal("<b>*x*</b>[a](b)") == "&lt;b&gt;\\*x\\*&lt;/b&gt;\\[a\\]\\(b\\)"


def test_every_message_is_there_in_both_languages_and_no_field_is_invented():
    def fields(text):
        return {name.split(".")[0] for _, name, _, _ in string.Formatter().parse(text) if name}

    for key, texts in catalogue._messages().items():
        assert texts["zh"].strip() and texts["en"].strip(), key
        assert fields(texts["en"]) <= fields(texts["zh"]), key


@pytest.mark.parametrize("value, text", [(0.6, "60%"), (-0.004, "0%"), (float("-inf"), "−∞"), (1.0, "100%")])
def test_percentages_are_written_for_people(value, text):
    assert tables.percent_text(value) == text
