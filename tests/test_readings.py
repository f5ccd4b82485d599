"""What analysts read says what the measures say, in one language at a time, and nothing that is not there."""

import re
import string

import pandas as pd
import pytest
import synthetic
from plans import four_plans

from qyx_analysis import catalogue, measures, names
from qyx_analysis.catalogue.wording import literal, percent_text
from qyx_analysis.figures.rows import decided
from qyx_analysis.measures.panel import panel
from qyx_analysis.measures.position import final_positions, position
from qyx_analysis.texts.ambition import (
    compare_ambition,
    compare_association,
    table_ambition,
    tell_ambition,
    tell_mandated,
)
from qyx_analysis.texts.dispersion import compare_dispersion, table_convergence, table_domain_spread
from qyx_analysis.texts.html import render_table
from qyx_analysis.texts.plan import (
    table_domains,
    table_findings,
    table_printed,
    tell_compared,
    tell_kinds,
    tell_overview,
    tell_standing,
)
from qyx_analysis.texts.shared import table_measure
from qyx_analysis.texts.timing import compare_timing, table_timing, tell_timing
from qyx_analysis.texts.verdicts import WORDS, table_verdicts, tell_stability
from qyx_analysis.tidy import findings

TARGETS = four_plans()
FINDINGS = findings.find_all(TARGETS)
TRAJECTORY, AMBITION, DISPERSION = (
    measure(TARGETS) for measure in (measures.trajectory, measures.ambition, measures.dispersion)
)
ASSOCIATION, VERDICTS = measures.association(TARGETS), measures.verdicts(TARGETS)
REGIONS = tuple(TARGETS["region"].unique())


def standing(targets, region):
    return final_positions(panel(targets), region)


def all_sentences(lang):
    for region in REGIONS:
        yield from tell_overview(TARGETS, region, lang)
        yield from tell_standing(standing(TARGETS, region), {}, TARGETS, region, lang)
        yield from tell_kinds(TARGETS, region, lang)
        yield from tell_ambition(AMBITION, TRAJECTORY, VERDICTS, region, lang)
        yield from tell_timing(VERDICTS, FINDINGS, region, lang)
    yield from tell_compared(TARGETS, lang)
    yield from compare_timing(VERDICTS, TARGETS, lang)
    yield from compare_ambition(AMBITION, VERDICTS, TARGETS, lang)
    yield from compare_dispersion(DISPERSION, lang)
    yield from tell_mandated(AMBITION, VERDICTS, TARGETS, lang)
    yield from (s for kind in WORDS for s in tell_stability(VERDICTS, kind, lang))
    yield from tell_stability(VERDICTS, "convergence", lang)
    yield from compare_association(ASSOCIATION, lang)


def all_tables(lang):
    for region in REGIONS:
        yield table_printed(TARGETS, region, lang)
        yield table_domains(standing(TARGETS, region), TARGETS, region, lang)
        yield table_ambition(TARGETS, AMBITION, region, lang)
        yield table_timing(TRAJECTORY, region, lang)
        yield table_findings(FINDINGS, region, lang)
    yield table_measure(TRAJECTORY, "front_loading", lang)
    yield table_measure(AMBITION, "gap_closure", lang, percent=True)
    yield table_convergence(DISPERSION, VERDICTS, lang)
    yield table_domain_spread(measures.domain_dispersion(TARGETS), lang)
    yield from (table_verdicts(VERDICTS, kind, lang) for kind in ("timing", "ambition", "profile"))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_sentence_and_no_table_shows_a_hole(lang):
    texts = [*all_sentences(lang), *(render_table(table, "x") for table in all_tables(lang))]
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


def test_sentences_say_what_verdicts_allow_and_no_more():
    """35 findings on four pages said early or late of paths that the verdicts reject."""
    rows = VERDICTS.query("kind == 'timing' and region == '330213' and status == 'ok'")
    early, even, late = (rows.loc[rows["verdict"] == word, "indicator"] for word in WORDS["timing"][::-1])
    told = tell_timing(VERDICTS, FINDINGS, "330213", "en")
    assert f"Early: {len(early)}; even: {len(even)}; late: {len(late)};" in told[0]
    for word, codes in (("early", early), ("evenly", even), ("late", late)):
        listed = ", ".join(literal(names.indicator_name(code, "en")) for code in codes)
        assert f"Planned {word} ({len(codes)}): {listed}." in told


def test_an_indicator_is_ranked_only_against_the_same_indicator_of_others():
    """慢病早死率 closes 13 % of a gap to zero deaths and was called the weakest target of 奉化: it ranks 1-2 of 4."""
    told = " ".join(tell_ambition(AMBITION, TRAJECTORY, VERDICTS, "330213", "en"))
    more, less = told.split("More ambitious than most (range")[1].split("Less ambitious than most:")
    assert "Premature mortality \\(rank 1–2 of 4 counties\\)" in more
    assert "Premature mortality" not in less.split(".")[0]


def test_shared_targets_are_named_with_whom_and_a_floor_is_no_fall():
    told = tell_ambition(AMBITION, TRAJECTORY, VERDICTS, "330213", "zh")
    shared = next(text for text in told if "各目标年的数值与别处完全相同" in text)
    assert "与慈溪市：儿童发育筛查率、城镇登记失业率、惠民保投保率、低保年标准" in shared
    assert any("界限低于本县基期已有的水平" in text and "城镇登记失业率" in text for text in told)
    zhuji = " ".join(tell_ambition(AMBITION, TRAJECTORY, VERDICTS, "330681", "zh"))
    assert "惠民保投保率" in zhuji.split("界限低于")[1]


def test_where_nobody_can_be_compared_the_plain_change_is_said():
    told = " ".join(tell_ambition(AMBITION, TRAJECTORY, VERDICTS, "330681", "zh"))
    assert "残疾人之家覆盖 每年 1.62 个百分点" in told and "养老参保人数 每年 0.6 万人" in told


def test_a_first_year_that_brings_nearly_half_is_said():
    told = " ".join(tell_timing(VERDICTS, FINDINGS, "330922", "zh"))
    assert "45% 以上排在第一年的 4 项" in told and "物业覆盖率" in told.split("第一年")[1]


def test_every_path_is_counted_once():
    total, *counts = map(int, re.findall(r"\d+", compare_timing(VERDICTS, TARGETS, "en")[0]))
    assert (total, len(counts), sum(counts)) == (84, 6, 84)
    total, *counts = map(int, re.findall(r"\d+", compare_ambition(AMBITION, VERDICTS, TARGETS, "en")[0]))
    assert (total, len(counts), sum(counts)) == (84, 7, 84)


def test_like_counties_are_compared_beside_all():
    among = {key: standing(TARGETS, "330922").assign(counties=4) for key in ("city", "mountain", "county")}
    told = tell_standing(standing(TARGETS, "330922"), among, TARGETS, "330922", "zh")
    assert [text.split("比")[0] for text in told[-3:]] == ["与舟山市各县（市、区）", "与山区海岛县", "与县"]
    assert "（4 个县，14 项可比）" in told[-1]


def test_a_county_alone_is_given_no_position():
    alone = TARGETS[TARGETS["region"] == "330213"]
    none = standing(alone, "330213")
    assert tell_standing(none, {}, alone, "330213", "en") == [catalogue.message("say_alone", "en")]
    assert table_domains(none, alone, "330213", "en")["Comparable"].sum() == 0


def test_overlapping_intervals_are_not_ordered():
    frame = pd.DataFrame(
        {"region": ["a", "b", "c", "d"], "indicator": "x", "value": [2.0, 2.2, 9.0, 1.0], "lo": [1.8, 1.9, 8.0, 0.5]}
    ).assign(hi=[2.1, float("inf"), 9.5, 1.5])
    assert position(frame, "a").iloc[0].tolist() == ["x", 1, 1, 1, 4]


def test_text_of_a_document_stays_text():
    hostile = TARGETS.copy()
    hostile.loc[hostile["number"] == 1, "raw"] = "<img src=x onerror=alert(1)>"
    html = render_table(table_printed(hostile, "330213", "zh"), "<script>")
    assert "<img" not in html
    assert "<script>" not in html
    assert literal("<b>*x*</b>[a](b)") == "&lt;b&gt;\\*x\\*&lt;/b&gt;\\[a\\]\\(b\\)"


def test_every_message_is_there_in_both_languages_and_no_field_is_invented():
    def fields(text):
        return {name.split(".")[0] for _, name, _, _ in string.Formatter().parse(text) if name}

    for key, texts in catalogue._messages().items():
        assert texts["zh"].strip() and texts["en"].strip(), key
        assert fields(texts["en"]) <= fields(texts["zh"]), key


@pytest.mark.parametrize("value, text", [(0.6, "60%"), (-0.004, "0%"), (float("-inf"), "−∞"), (1.0, "100%")])
def test_percentages_are_written_for_people(value, text):
    assert percent_text(value) == text


# --- many counties ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many():
    """The frames of ninety counties with invented plans, by name."""
    targets = synthetic.province(90, seed=1).targets
    names = ("trajectory", "ambition", "dispersion", "association", "verdicts", "domain_dispersion")
    return {"targets": targets} | {name: getattr(measures, name)(targets) for name in names}


def sentences_of(frames, lang):
    yield from tell_compared(frames["targets"], lang)
    yield from compare_timing(frames["verdicts"], frames["targets"], lang)
    yield from compare_ambition(frames["ambition"], frames["verdicts"], frames["targets"], lang)
    yield from tell_mandated(frames["ambition"], frames["verdicts"], frames["targets"], lang)
    yield from compare_association(frames["association"], lang)
    yield from compare_dispersion(frames["dispersion"], lang)
    for kind in (*WORDS, "convergence"):
        yield from tell_stability(frames["verdicts"], kind, lang)


def tables_of(frames, lang):
    yield table_measure(frames["trajectory"], "front_loading", lang)
    yield table_measure(frames["ambition"], "gap_closure", lang, percent=True)
    yield table_measure(frames["ambition"], "change", lang)
    yield table_convergence(frames["dispersion"], frames["verdicts"], lang)
    yield table_domain_spread(frames["domain_dispersion"], lang)
    yield from (table_verdicts(frames["verdicts"], kind, lang) for kind in WORDS)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_ninety_counties_are_summed_up_and_not_listed(many, lang):
    for table in tables_of(many, lang):
        assert 5 <= len(table) <= 22
        assert 5 <= len(table.columns) <= 10
        assert table.notna().all(axis=None)
        assert table.map(lambda cell: len(str(cell))).max(axis=None) < 160
    counties = catalogue.regions().query("level == 'county'")[f"name_{lang}"]
    for sentence in sentences_of(many, lang):
        assert sum(name in sentence for name in counties) <= 12, sentence
        assert len(sentence) < 420
        assert not set(sentence.split()) & {"nan", "NaN", "None", "<NA>", "inf"}
        assert "{" not in sentence


def test_of_many_only_a_county_that_stands_apart_is_named(many):
    table = table_measure(many["ambition"], "gap_closure", "zh", percent=True).set_index("指标")
    gaps = many["ambition"].query("measure == 'gap_closure'")
    gaps = gaps[decided(gaps)]
    alone = []
    for code, sure in gaps.groupby("indicator"):
        row, highest = table.loc[names.indicator_name(code, "zh")], sure.loc[sure["value"].idxmax()]
        near = (sure["hi"] >= highest["lo"]).sum()
        assert row["最高"].endswith(names.region_name(highest["region"]) if near == 1 else f"{near} 县之一")
        assert int(row["有结论的县"]) == len(sure)
        alone.append(near == 1)
    assert {*alone} == {True, False}


def test_absolute_counts_of_many_counties_are_not_compared(many):
    table = table_measure(many["ambition"], "change", "en").set_index("Indicator")
    row = table.loc["Pension insured"]
    assert row["Counties with a verdict"] == 0
    assert row["Why others have none (counties)"] == "absolute number: not compared 90"


# --- verdicts ---------------------------------------------------------------------------------------------


def test_a_verdict_is_told_with_the_specifications_that_agree():
    row = VERDICTS.query("kind == 'timing' and region == '330213' and indicator == 'housing_support_coverage'").iloc[0]
    table = table_verdicts(VERDICTS, "timing", "en").set_index("Indicator")
    assert table.at["Housing support", "Fenghua District"] == f"late {row['agreeing']}/{row['specifications']}"
    assert table.at["Property services", "Cixi City"].startswith("(early ")  # in brackets: no more than half agree
    one, two = tell_stability(VERDICTS, "timing", "en")
    firm = VERDICTS.query("kind == 'timing' and status in ['ok', 'contested']")
    assert f"of {len(firm)} verdicts {(firm['share'] == 1).sum()} hold in all" in one
    assert f"{(firm['status'] == 'contested').sum()} hold in no more than half" in two


def test_ranks_are_ranges_and_only_whole_ranges_are_ordered():
    row = VERDICTS.query("kind == 'profile' and domain == '住有宜居' and region == '330922'").iloc[0]
    cell = table_verdicts(VERDICTS, "profile", "en").set_index("Domain").loc["Housing"]
    assert cell["Shengsi County"] == f"below most {row['agreeing']}/{row['specifications']}; rank 3 of 3"
    last = next(text for text in tell_stability(VERDICTS, "profile", "en") if "behind" in text)
    assert last.endswith("(1): Housing Shengsi County.")


def test_convergence_is_told_with_what_the_ceiling_alone_would_do():
    row = table_convergence(DISPERSION, VERDICTS, "en").set_index("Indicator").loc["Disability homes"]
    assert (row["SD ratio"], row["If same change"], row["Ways agree"]) == ("0.21", "0.66", "15/15")
    text = " ".join(compare_dispersion(DISPERSION, "en"))
    assert "more than the ceiling alone" in text and "Disability homes 0.21/0.66" in text
    assert "One final target for all" in text and "Medical aid" in text.split("One final target")[1].split(".")[0]


def test_the_naive_correlation_never_stands_without_its_null():
    text = compare_association(ASSOCIATION, "en")[0]
    assert text.startswith("The counties keep their order: low starters do not plan more than reshuffling the targets")
    assert "9 indicators, 4 counties; planned change and baseline correlate −0.82 on average, and −0.9 after" in text
    assert "two-sided p = 0.083, the smallest possible with so many counties 0.083" in text


@pytest.mark.parametrize(
    ("r", "p", "text"),
    [
        (-0.5, 0.1, "The counties keep their order"),
        (-0.9, 0.1, "Low starters plan more"),
        (-0.9, 0.11, "neither clearly more"),
    ],
)
def test_low_starters_plan_more_only_where_reshuffling_seldom_gives_it(r, p, text):
    pooled = (ASSOCIATION["indicator"] == "") & (ASSOCIATION["domain"] == "")
    values = ASSOCIATION["measure"].map({"naive_r": r, "null_mean_r": -0.7, "p_two_sided": p, "p_attainable": 0.01})
    told = ASSOCIATION.assign(value=ASSOCIATION["value"].mask(pooled, values))
    assert text in compare_association(told, "en")[0]


def test_mandated_and_chosen_targets_are_told_apart():
    mandated, same, core, chosen, sharing = tell_mandated(AMBITION, VERDICTS, TARGETS, "en")
    assert mandated.endswith(": Nursery places, Compulsory assessment, Arrears resolved.")
    assert "Medical aid" in same and "Medical aid" not in chosen
    assert "Life expectancy" in core
    assert "Housing support" in chosen
    assert "Fenghua District＝Cixi City: Child screening, Huiminbao enrolment, Living allowance" in sharing


def test_one_county_alone_is_compared_with_nobody():
    alone = TARGETS[TARGETS["region"] == "330213"]
    frames = {"targets": alone} | {
        name: getattr(measures, name)(alone)
        for name in ("trajectory", "ambition", "dispersion", "association", "verdicts", "domain_dispersion")
    }
    text = " ".join(sentences_of(frames, "en"))
    assert "nothing to compare" in text
    assert "above all others" not in text
    assert all(table.notna().all(axis=None) for table in tables_of(frames, "zh"))


def test_a_city_has_no_say_in_the_verdicts():
    city = TARGETS[TARGETS["region"] == "330282"].assign(region="330200", region_name="宁波市", level="city")
    city["value"] += 0.5  # else its counties would share its targets
    both = measures.verdicts(pd.concat([TARGETS, city], ignore_index=True))
    assert "330200" in set(both["region"])
    for kind in WORDS:
        pd.testing.assert_frame_equal(table_verdicts(both, kind, "zh"), table_verdicts(VERDICTS, kind, "zh"))
        assert tell_stability(both, kind, "zh") == tell_stability(VERDICTS, kind, "zh")
    assert compare_timing(both, TARGETS, "zh") == compare_timing(VERDICTS, TARGETS, "zh")
