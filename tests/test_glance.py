"""The first screen of a county report says what the frames say, in one language; no text of a document is markup."""

import re
from html import unescape

import pandas as pd
import pytest
from plans import four_plans

from qyx_analysis import measures
from qyx_analysis.texts.ambition import tell_ambition
from qyx_analysis.texts.glance import find_tiles, render_glance
from qyx_analysis.texts.html import render_table
from qyx_analysis.texts.timing import count_timing
from qyx_analysis.tidy import findings

HOSTILE = "<script>alert(1)</script>\"'&"
TARGETS = four_plans()
FRAMES = (TARGETS, findings.find_all(TARGETS), measures.trajectory(TARGETS), measures.ambition(TARGETS))
VERDICTS = measures.verdicts(TARGETS)
REGIONS = tuple(TARGETS["region"].unique())


def words(html: str) -> str:
    return " ".join(unescape(re.sub("<[^>]*>", " ", html)).split())


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("region", REGIONS)
def test_every_target_has_its_tile_and_no_tile_a_hole(region: str, lang: str) -> None:
    tiles = find_tiles(*FRAMES, region, lang)
    assert list(tiles["indicator"]) == list(TARGETS.query("region == @region")["indicator"].unique())
    assert tiles[["first", "last", "unit", "warned"]].notna().all(axis=None)
    html = render_glance(*FRAMES, VERDICTS, region, lang)
    assert html.count('<span class="name">') == len(tiles)
    assert not set(words(html).split()) & {"nan", "None", "NaN", "nan%", "inf"}
    assert bool(re.search("[\u4e00-\u9fff]", words(html))) == (lang == "zh")


def test_numbers_are_those_of_the_frames_and_of_the_sentences() -> None:
    tiles = find_tiles(*FRAMES, "330213", "zh").set_index("indicator")
    assert tuple(tiles.loc["child_screening_rate", ["first", "last", "unit"]]) == ("86", "96", "%")
    assert tiles.at["child_screening_rate", "gap"] == pytest.approx(10 / 14)
    assert tuple(tiles.loc["preschool_assessment", ["first", "last", "unit"]]) == ("前期准备", "通过", "")
    assert tiles.at["long_term_care_insured", "last"] == "全覆盖"
    assert tiles.at["unemployment_registered", "status"] == "weaker"
    html = render_glance(*FRAMES, VERDICTS, "330213", "zh")
    said = " ".join(tell_ambition(FRAMES[3], FRAMES[2], VERDICTS, "330213", "zh"))
    ranks = re.findall("<li><span>([^<]*)</span> <b>第 ([^ ]*) 位 / (\\d) 县</b>", html)
    assert len(ranks) == 5
    for name, ends, n in ranks:
        assert f"{name}（第 {ends} 位，共 {n} 县）" in said
    counts = count_timing(VERDICTS, "330213")
    assert f"前置 {counts['early']} 项 · 均匀 {counts['even']} 项 · 后移 {counts['late']} 项" in html


def test_the_year_is_the_first_by_whose_end_half_of_the_change_is_planned() -> None:
    for region in REGIONS:
        for tile in find_tiles(*FRAMES, region, "en").dropna(subset="half_year").itertuples():
            own = TARGETS.query("region == @region and indicator == @tile.indicator").set_index("year")["value"]
            done = ((own - own.loc[2022]) / (own.loc[2027] - own.loc[2022])).dropna()
            assert done[done >= 0.5 - 1e-9].index.min() == tile.half_year


def test_what_cannot_be_read_is_not_counted() -> None:
    tiles = find_tiles(*FRAMES, "330213", "zh").set_index("indicator")
    assert tiles.loc[["care_workers", "unemployment_registered", "long_term_care_insured"], "half_year"].isna().all()
    columns = re.findall(r"<span>(\d{4})</span> <b>(\d*)</b>", render_glance(*FRAMES, VERDICTS, "330213", "zh"))
    assert [year for year, _ in columns] == ["2023", "2024", "2025", "2026", "2027"]
    assert sum(int(count or 0) for _, count in columns) == tiles["half_year"].notna().sum() == 13


def test_warnings_are_counted_and_lead_to_their_section() -> None:
    html = render_glance(*FRAMES, VERDICTS, "330213", "zh")
    own = FRAMES[1].query("region == '330213'")["severity"].value_counts()
    assert f'<b class="error">{own["error"]}</b>' in html
    assert f'<b class="warning">{own["warning"]}</b>' in html
    assert "错误：保租房累计" in html
    links = re.findall('<a [^>]*href="([^"]*)"', html)
    assert set(links) == {"#warnings"}
    quiet = render_glance(TARGETS, FRAMES[1].iloc[:0], *FRAMES[2:], VERDICTS, "330213", "en")
    assert "Errors 0 Warnings 0" in words(quiet)
    assert "to note" not in quiet


def test_a_county_that_cannot_be_told_from_others_says_so() -> None:
    html = render_glance(*FRAMES, VERDICTS.assign(status="undecided"), "330213", "en")
    assert html.count("No target of its own") == 1 and "less ambitious" not in html


def test_a_bound_below_the_baseline_is_no_weaker_target() -> None:
    html = render_glance(*FRAMES, VERDICTS, "330213", "zh")
    tile = html.split("城镇登记失业率")[1].split("</li>")[0]
    assert "界限低于现状" in tile and "弱于" not in tile


def test_text_of_a_document_is_no_markup() -> None:
    local = TARGETS.query("region == '330213' and row == 1").assign(
        indicator=f"local:{HOSTILE}", domain=HOSTILE, row=99, raw="<b>", kind="words", value=float("nan"), unit=HOSTILE,
    )  # fmt: skip
    html = render_glance(pd.concat([TARGETS, local]), *FRAMES[1:], VERDICTS, "330213", "zh")
    assert "<script" not in html
    assert words(html).count(HOSTILE) == 3 and words(html).count("<b>") == 2  # domain, name, unit; both values


def test_a_table_carries_its_numbers_for_sorting() -> None:
    frame = pd.DataFrame(
        {"row": ["1 a", "2 b", "3 c"], "value": ["−0.5 [−1, 0]", "—", "≥1,200.5"], "text": ["2022", "x", "y"]}
    )
    html = render_table(frame, "c")
    assert re.findall(r'data-sort="([^"]*)">([^<]*)', html) == [
        ("1", "1 a"), ("-0.5", "−0.5 [−1, 0]"), ("2", "2 b"), ("-999999999999", "—"), ("3", "3 c"),
        ("1200.5", "≥1,200.5"),
    ]  # fmt: skip
    assert re.findall("<th scope=\"col\"([^>]*)>([^<]*)", html) == [
        (' data-sort-method="number"', "row"), (' data-sort-method="number"', "value"), ("", "text"),
    ]  # fmt: skip
    assert render_table(frame.iloc[:0], "c").count("<tr>") == 1
