"""Monitoring as readers meet it: sentences, tables, pictures, the notebook and the section of a county's report."""

from __future__ import annotations

import re
import shutil
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import synthetic
from forms import csv_form, planned
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from plans import four_plans
from test_figures import CHINESE, marked, panel, well_made
from test_figures import texts as drawn_texts

from qyx_analysis import catalogue, names
from qyx_analysis.datapackage import building
from qyx_analysis.figures import style
from qyx_analysis.files import FACTS, project_dir, raw_dir
from qyx_analysis.notebook.desk import open_desk
from qyx_analysis.problems import DataError
from qyx_analysis.reports import explain_reports, make_reports
from qyx_analysis.reports.pages import tidy
from qyx_analysis.texts.html import render_table
from qyx_analysis.wings.monitoring import figures, judging, texts
from qyx_analysis.wings.monitoring.desk import open_delivery
from qyx_analysis.wings.monitoring.forms import read_actuals
from qyx_analysis.wings.monitoring.judging import common_periods

FENGHUA, CIXI = "330213", "330282"
LANGS = ("zh", "en")
SYNTHETIC = {lang: catalogue.message("synthetic", lang) for lang in LANGS}
# Against 3.5 4 4.5 5 5.3 5.5 and 15 20 25 30 31 32; every value is made up and says so.
LINES = [
    f"{FENGHUA},nursery_places,2023,3.9,个,synthetic,",  # behind; closed by 4.6 at the end of 2024
    f"{FENGHUA},nursery_places,2024,4.4,个,synthetic,",  # replaced by the next line
    f"{FENGHUA},nursery_places,2024,4.6,个,synthetic,",  # achieved
    f"{FENGHUA},care_workers,2023,14,人,synthetic,",  # worse than the baseline, open; nothing for 2024
    f"{CIXI},nursery_places,2023,4,个,synthetic,",  # achieved; nothing for 2024
    f"{CIXI},care_workers,2023,21,人,synthetic,",  # achieved
    f"{CIXI},care_workers,2024,24,人,synthetic,",  # behind, open
]


@pytest.fixture(scope="module")
def targets() -> pd.DataFrame:
    rows = {"nursery_places": "3.5 4 4.5 5 5.3 5.5", "care_workers": "15 20 25 30 31 32"}
    plans = [planned(code, cells, region, "卫健局") for region in (FENGHUA, CIXI) for code, cells in rows.items()]
    return pd.concat(plans, ignore_index=True)


@pytest.fixture(scope="module")
def actuals(targets: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    forms = read_actuals([csv_form(tmp_path_factory.mktemp("form"), *LINES)], targets)
    assert forms.problems == []
    return forms.actuals


@pytest.fixture(scope="module")
def monitored(targets: pd.DataFrame, actuals: pd.DataFrame) -> pd.DataFrame:
    return judging.monitoring(targets, actuals)


@pytest.fixture(scope="module")
def ninety(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """90 counties with invented plans; of every indicator some meet their target of 2023 and some miss it."""
    plans = synthetic.province(90, seed=1).targets
    states = catalogue.indicators().query("nature == 'state'")["code"]
    rows = plans[(plans["year"] == 2023) & (plans["kind"] == "point") & ~plans["indicator"].isin(states)]
    rows = rows[np.arange(len(rows)) % 3 > 0]
    rows = rows.assign(actual=(rows["value"] * np.resize([0.97, 1.0, 1.02, 0.99], len(rows))).round(2))
    rows["actual"] = rows["actual"].mask(rows["unit"] == "%", rows["actual"].clip(upper=100))
    lines = [f"{row.region},{row.indicator},2023,{row.actual},{row.unit},synthetic," for row in rows.itertuples()]
    forms = read_actuals([csv_form(tmp_path_factory.mktemp("ninety"), *lines)], plans)
    assert forms.problems == []
    return judging.monitoring(plans, forms.actuals)


# --- which period is spoken of ----------------------------------------------------------------------------


def test_a_stray_month_is_not_the_state_of_affairs(monitored: pd.DataFrame) -> None:
    month = monitored.iloc[[0]].assign(period="2025-01", due="2025-01-31")
    assert common_periods(pd.concat([monitored, month])) == ["2023", "2024"]
    assert common_periods(judging.rankings(monitored)) == ["2023", "2024"]
    assert common_periods(monitored.iloc[:0]) == []


# --- sentences --------------------------------------------------------------------------------------------


def test_what_is_reported_and_what_is_missing_is_counted(actuals: pd.DataFrame, monitored: pd.DataFrame) -> None:
    warned, said, missing = texts.tell_reported(actuals, monitored, "en")
    assert SYNTHETIC["en"] in warned and "6 of 6" in warned
    assert "Counties that reported: 2; actual values: 6; periods: 2023, 2024." in said
    assert missing == "Reported or due: 8; due and not reported: 2 (Fenghua District 1, Cixi City 1)."


def test_statuses_are_counted_with_those_that_cannot_be_judged(monitored: pd.DataFrame) -> None:
    first, missed = texts.tell_statuses(monitored, "2024", "en")
    assert first == (
        "2024: 2 of 4 rows can be judged — achieved 1, on the planned path 0, behind 1, worse than the baseline 0. "
        "Not judged: 2 (not reported 2)."
    )
    assert missed.endswith("Care workers 1/1.")
    assert texts.tell_statuses(monitored, "2023", "en")[-1] == (
        "Worse than the baseline (1): Fenghua District Care workers."
    )


def test_only_a_range_of_ranks_apart_from_all_others_is_put_in_words(monitored: pd.DataFrame) -> None:
    ranks = judging.rankings(monitored)
    assert texts.tell_rankings(ranks, "county", "2023", "en") == [
        "Whatever indicator is left out, Cixi City stands before all others.",
        "Whatever indicator is left out, Fenghua District stands behind all others.",
    ]
    unknown = {"reason": "not_reported", "status": "no_judgement"}
    silent = pd.concat(
        [monitored.iloc[[0]].assign(region=code, indicator=row, **unknown) for code in (FENGHUA, CIXI) for row in "ab"]
    )  # then 0 to 2 of 4 may be met in one and 2 to 4 of 4 in the other
    first, last, partly = texts.tell_rankings(judging.rankings(pd.concat([monitored, silent])), "county", "2023", "en")
    assert [text.endswith("What is not reported could still change that.") for text in (first, last)] == [True, True]
    assert partly.startswith("For 2 of 2")
    tied = monitored.assign(
        status=monitored["status"].replace({"behind": "achieved", "worse_than_baseline": "achieved"})
    )
    assert "overlap" in texts.tell_rankings(judging.rankings(tied), "county", "2023", "en")[0]
    hidden = monitored.assign(total=2, reason="not_reported", status="no_judgement").query("region == @CIXI")
    few = judging.rankings(pd.concat([monitored.query("region != @CIXI"), hidden]))
    assert texts.tell_rankings(few, "county", "2023", "zh") == ["已评不足应评一半的 1 个不排名次：慈溪市。"]
    assert texts.tell_rankings(ranks, "city", "2023", "en") == []  # one city is not ranked in words


def test_items_are_counted_with_their_owners(monitored: pd.DataFrame) -> None:
    items = judging.open_items(monitored)
    assert texts.tell_items(items, "2024", "zh") == [
        "未销号问题 2 个，涉及 2 行指标；已由后续数值销号 1 个。",
        "2024年：新增 1 个，销号 1 个。",
        "责任单位与未销号的指标行数：奉化区 卫健局 1、慈溪市 卫健局 1。",
    ]
    assert texts.tell_items(items.iloc[:0], "2024", "en") == ["No planned target or path has been missed."]


def test_a_county_is_told_at_the_last_period_of_each_indicator(monitored: pd.DataFrame) -> None:
    warned, counted, worse, missing = texts.tell_county(monitored, FENGHUA, "en")
    assert SYNTHETIC["en"] in warned
    assert "(up to 2024): 2 of 2 rows can be judged — achieved 1," in counted
    assert worse == (
        r"Worse than the baseline (1): Care workers \(short by 6 per 10 000 elderly, 21 months of planned pace\)."
    )
    assert missing == "Due and not reported: 1 values of 1 indicators (Care workers)."


def test_nothing_is_said_of_a_county_or_a_build_without_values(actuals: pd.DataFrame, monitored: pd.DataFrame) -> None:
    silent = monitored[monitored["region"] == CIXI].assign(actual_raw="", reason="not_reported", status="no_judgement")
    assert texts.tell_county(silent, CIXI, "zh") == [] and texts.table_county(silent, CIXI, "zh") == {}
    none = monitored.iloc[:0]
    assert "qyx template actuals" in texts.tell_reported(actuals.iloc[:0], none, "zh")[0]
    assert texts.tell_statuses(none, "", "zh") == texts.tell_corrected(actuals.iloc[:0], "zh") == []
    empty = judging.rankings(none), judging.open_items(none)
    assert texts.tell_rankings(empty[0], "county", "", "zh") == texts.tell_items(empty[1], "", "zh") == []


# --- tables -----------------------------------------------------------------------------------------------


def test_items_are_counted_by_county(monitored: pd.DataFrame) -> None:
    assert texts.table_items(judging.open_items(monitored), "en").values.tolist() == [
        ["Fenghua District", 1, 1, "2023", 1],
        ["Cixi City", 1, 1, "2024", 0],
    ]


def test_an_open_item_has_its_owner_and_what_is_left(monitored: pd.DataFrame) -> None:
    table = texts.table_open(judging.open_items(monitored), "en")
    assert table.values.tolist() == [
        [
            *("Fenghua District", "Care workers", "卫健局", "2023", "20 per 10 000 elderly"),
            *("14 per 10 000 elderly (2023)", "−6 per 10 000 elderly, 21 months of planned pace"),
        ],
        [
            *("Cixi City", "Care workers", "卫健局", "2024", "25 per 10 000 elderly"),
            *("24 per 10 000 elderly (2024)", "−1 per 10 000 elderly, 4 months of planned pace"),
        ],
    ]
    assert texts.table_open(judging.open_items(monitored), "en", CIXI).shape == (1, 6)


def test_a_value_has_the_unit_it_was_reported_in_and_a_distance_that_of_the_indicator(tmp_path: Path) -> None:
    plans = pd.concat(
        [planned("pension_insured", "43 44 45 46 47 48"), planned("medical_aid_rate", "70 72 74 76 78 80")]
    )
    lines = [f"{FENGHUA},pension_insured,2024,440000,人,r,", f"{FENGHUA},medical_aid_rate,2024,73.9,%,r,"]
    rows = judging.monitoring(plans, read_actuals([csv_form(tmp_path, *lines)], plans).actuals)
    items = judging.open_items(rows)
    assert [row[3:] for row in texts.table_open(items, "zh", FENGHUA).values.tolist()] == [
        ["45 万人", "440000 人（2024年）", "−1 万人，合规划进度 12 个月"],
        ["74%", "73.9%（2024年）", "−0.1 个百分点，合规划进度 18 天"],
    ]
    assert [row[3:] for row in texts.table_open(items, "en", FENGHUA).values.tolist()] == [
        ["45 × 10 000 people", "440000 people (2024)", "−1 × 10 000 people, 12 months of planned pace"],
        ["74%", "73.9% (2024)", "−0.1 percentage points, 18 days of planned pace"],
    ]
    assert texts.tell_county(rows, FENGHUA, "zh")[1] == (
        "滞后于规划的 2 项：养老参保人数（差 1 万人，合规划进度 12 个月）、"
        "困难群众医保率（差 0.1 个百分点，合规划进度 18 天）。"
    )
    assert texts.table_progress(rows, FENGHUA, "zh")["每年还需改善 / 同期规划"].tolist() == [
        "1.333 / 1 万人", "2.033 / 2 个百分点",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "unit", "raw", "stated", "zh", "en"),
    [
        ("pension_insured", "万人", "44万", "万人", "44万", "44万"),  # it has its unit
        ("pension_insured", "万人", "全覆盖", "", "全覆盖", "全覆盖"),
        ("preschool_assessment", "%", "100", "%", "100", "100"),  # a state has none
        ("nursery_places", "个", "4.4", "个/千人", "4.4 个/千人", "4.4 places per 1000"),
        ("severe_birth_defects", "‰", "≤5", "", "≤5‰", "≤5‰"),
        ("local:步道", "公里", "12", "公里", "12 公里", "12 公里"),
        ("local:群众满意度", "", "91.5", "", "91.5", "91.5"),
    ],
)
def test_units_of_values(code: str, unit: str, raw: str, stated: str, zh: str, en: str) -> None:
    row = SimpleNamespace(indicator=code, unit=unit)
    assert [texts.value_text(raw, stated, row, lang) for lang in LANGS] == [zh, en]


def test_what_was_made_good_names_the_period_that_closed_it(monitored: pd.DataFrame) -> None:
    table = texts.table_closed(judging.open_items(monitored), "zh")
    assert table.values.tolist() == [["奉化区", "千人托位数", "卫健局", "2023年", "3.9 个", "2024年"]]


def test_a_correction_shows_both_values_and_both_places(actuals: pd.DataFrame) -> None:
    table = texts.table_corrected(actuals, "en")
    both = ["4.4 places per 1000", "4.6 places per 1000"]
    assert table.values.tolist() == [
        ["Fenghua District", "Nursery places", "2024", *both, "form.csv, line 3", "form.csv, line 4"]
    ]
    assert texts.tell_corrected(actuals, "en") == ["Actual values corrected: 1; the last report counts."]


def test_within_a_year_the_table_says_what_the_path_asks_for(targets: pd.DataFrame, tmp_path: Path) -> None:
    forms = read_actuals([csv_form(tmp_path, f"{FENGHUA},nursery_places,2024Q2,4.2,个,r,")], targets)
    rows = judging.monitoring(targets, forms.actuals)
    (row,) = texts.table_progress(rows, FENGHUA, "en").query("Indicator == 'Nursery places'").values.tolist()
    asked = "4.25 places per 1000 (target at the year's end: 4.5 places per 1000)"
    assert row[1:6] == ["2024 Q2", asked, "4.2 places per 1000", "behind", "0.371 / 0.357 places per 1000"]
    table = texts.table_open(judging.open_items(rows), "zh", FENGHUA)
    assert table.values.tolist()[0][2:5] == ["2024年第二季度", "4.25 个（年末目标 4.5 个）", "4.2 个（2024年第二季度）"]


@pytest.mark.parametrize("lang", LANGS)
def test_tables_fit_few_and_many_and_have_no_holes(monitored: pd.DataFrame, ninety: pd.DataFrame, lang: str) -> None:
    for rows, period in ((monitored, "2024"), (ninety, "2023")):
        ranks, items = judging.rankings(rows), judging.open_items(rows)
        shown = [
            texts.table_statuses(rows, period, lang),
            *(texts.table_rankings(ranks, by, period, lang) for by in ("county", "city", "domain")),
            *(texts.table_rankings(ranks, by, period, lang, within=True) for by in ("domain", "department")),
            texts.table_items(items, lang),
            *(texts.table_open(items, lang), texts.table_closed(items, lang), texts.table_missing(rows, lang)),
            *texts.table_county(rows, FENGHUA, lang).values(),
        ]
        html = " ".join(render_table(table, "x") for table in shown)
        assert not re.search(r"\b(nan|NaN|None|<NA>)\b", html)
    counts = texts.table_statuses(ninety, "2023", "en").set_index("Indicator")
    assert counts.loc["Nursery places"].sum() == 90


def test_many_counties_are_counted_by_status(ninety: pd.DataFrame) -> None:
    worse = ninety.loc[ninety["status"] == "worse_than_baseline", "indicator"].value_counts()
    said = next(
        text for text in texts.tell_statuses(ninety, "2023", "en") if text.startswith("Worse than the baseline")
    )
    assert said.startswith(
        f"Worse than the baseline ({worse.sum()}): {names.indicator_name(worse.index[0], 'en')} {worse.iloc[0]}"
    )
    told = ninety.query("indicator == 'nursery_places' and period == '2023'")
    row = texts.table_statuses(ninety, "2023", "en").set_index("Indicator").loc["Nursery places"]
    assert row["behind"] == (told["status"] == "behind").sum() > 0
    assert row["not reported"] == (told["reason"] == "not_reported").sum() > 0


# --- pictures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGS)
def test_every_picture_is_well_made_and_names_what_is_synthetic(
    targets: pd.DataFrame, monitored: pd.DataFrame, ninety: pd.DataFrame, tmp_path: Path, lang: str
) -> None:
    many = judging.rankings(ninety)
    whole = four_plans().query("region == @FENGHUA")
    said = {"preschool_assessment": "未通过", "long_term_care_insured": "全覆盖", "affordable_nursery_share": "/"}
    words = [f"{FENGHUA},{row},2026Q2,{text},,synthetic," for row, text in said.items()]
    forms = read_actuals([csv_form(tmp_path, *words, f"{FENGHUA},dibao_standard,2026Q2,16537.04,元,r,")], whole)
    drawn = [
        figures.plot_progress(judging.monitoring(whole, forms.actuals), whole, "奉化区", lang=lang),
        figures.plot_progress(monitored, targets, "奉化区", lang=lang),
        figures.plot_statuses(monitored, lang=lang),
        figures.plot_statuses(ninety, lang=lang),
        *(figures.plot_rankings(many, by, lang=lang) for by in ("county", "city", "domain")),
    ]
    for figure in drawn:
        well_made(figure, lang)
        assert SYNTHETIC[lang] in drawn_texts(figure)
        assert str(figure.get_label()).startswith(SYNTHETIC[lang])


def test_real_values_are_not_called_synthetic(targets: pd.DataFrame, monitored: pd.DataFrame) -> None:
    real = monitored.assign(flags=monitored["flags"].str.replace("synthetic", ""))
    assert SYNTHETIC["zh"] not in drawn_texts(figures.plot_progress(real, targets, FENGHUA))
    assert SYNTHETIC["zh"] not in " ".join(texts.tell_county(real, FENGHUA, "zh"))


def test_departments_are_ranked_within_a_county(monitored: pd.DataFrame) -> None:
    ranked = judging.rankings(monitored[monitored["period"] == "2023"])
    figure = figures.plot_rankings(ranked, "department", region="奉化区")
    assert {"卫健局", "2/2"} <= set(drawn_texts(figure))
    assert figure.texts[0].get_text().startswith("奉化区")


def test_values_stand_on_their_day_and_shape_and_colour_tell_the_status(
    targets: pd.DataFrame, monitored: pd.DataFrame, tmp_path: Path
) -> None:
    figure = figures.plot_progress(monitored, targets, FENGHUA)
    ax = panel(figure, "千人托位数")
    (behind,) = [line for line in marked(ax, "v") if len(line.get_xdata())]
    (achieved,) = [line for line in marked(ax, "o") if line.get_color() == style.BLUE and len(line.get_xdata())]
    assert behind.get_xydata().tolist() == [[2023.0, 3.9]]
    assert achieved.get_xydata().tolist() == [[2024.0, 4.6]]
    assert behind.get_color() != achieved.get_color()
    assert {"2024 4.6", "5.5"} <= set(drawn_texts(figure))
    (missing,) = [line for line in marked(panel(figure, "万老护理员数"), "s") if len(line.get_xdata())]
    assert list(missing.get_xdata()) == [2024.0]
    forms = read_actuals([csv_form(tmp_path, f"{FENGHUA},nursery_places,2024Q2,4.2,个,r,")], targets)
    quarter = figures.plot_progress(judging.monitoring(targets, forms.actuals), targets, FENGHUA)
    (within,) = [line for line in marked(panel(quarter, "千人托位数"), "v") if len(line.get_xdata())]
    assert within.get_xydata().tolist() == [[2023.5, 4.2]]


def test_what_has_no_number_has_no_height_of_one(targets: pd.DataFrame, tmp_path: Path) -> None:
    lines = [f"{FENGHUA},nursery_places,2023,/,个,r,", f"{FENGHUA},nursery_places,2024,全覆盖,个,r,"]
    forms = read_actuals([csv_form(tmp_path, *lines)], targets)
    ax = panel(figures.plot_progress(judging.monitoring(targets, forms.actuals), targets, FENGHUA), "千人托位数")
    (drawn,) = [line for line in marked(ax, "o") if line.get_color() == style.SOFT and len(line.get_xdata())]
    withdrawn, word = drawn.get_ydata()
    assert withdrawn < 3.5 and word > 5.5  # below and above all that is planned


def test_every_row_of_the_grid_is_one_mark(monitored: pd.DataFrame) -> None:
    figure = figures.plot_statuses(monitored)
    (grid,) = [ax for ax in figure.axes if len(ax.get_lines()) >= 6 and ax.get_xlim()[1] > 5]
    marks = [line for line in grid.get_lines() if line.get_marker() not in ("None", None, "")]
    assert sum(len(line.get_xdata()) for line in marks) == len(monitored)


def test_a_rank_stands_with_its_range_and_its_coverage(monitored: pd.DataFrame) -> None:
    shown = drawn_texts(figures.plot_rankings(judging.rankings(monitored), lang="en"))
    assert {"Fenghua District", "1 of 2; 1 missing"} <= set(shown)
    with pytest.raises(ValueError, match="village"):
        figures.plot_rankings(judging.rankings(monitored), "village")


def test_without_values_a_picture_says_so(targets: pd.DataFrame, monitored: pd.DataFrame) -> None:
    none = monitored.iloc[:0]
    for lang in LANGS:
        for figure in (
            figures.plot_progress(none, targets, FENGHUA, lang=lang),
            figures.plot_statuses(none, lang=lang),
            figures.plot_rankings(judging.rankings(none), lang=lang),
        ):
            assert re.search("0", str(figure.get_label()))
            assert bool(CHINESE.search(str(figure.get_label()))) is (lang == "zh")
    with pytest.raises(DataError, match="fr"):
        figures.plot_statuses(none, lang="fr")


def test_a_domain_narrows_the_pictures(targets: pd.DataFrame, monitored: pd.DataFrame) -> None:
    for figure in (
        figures.plot_progress(monitored, targets, FENGHUA, domain="Childcare"),
        figures.plot_statuses(monitored, domain="幼有善育"),
    ):
        assert "千人托位数" in drawn_texts(figure) and "万老护理员数" not in drawn_texts(figure)


def test_every_colour_of_the_pictures_has_one_in_the_dark() -> None:
    css = (project_dir() / "qyx_analysis/reports/template/style.css").read_text(encoding="utf-8")
    colours = {style.INK, style.SOFT, style.OTHER, style.BAND, style.FAINT, *style.COUNTY_COLOURS}
    colours |= {style.dark(colour) for colour in style.COUNTY_COLOURS}
    assert {colour for colour in colours if f"--c{colour[1:].lower()}:" not in css} == set()


# --- sections that appear only with something to show -----------------------------------------------------


def section(name: str, *outputs: str, tags: tuple[str, ...] = ("optional",)) -> list[object]:
    head = new_markdown_cell(f"## {name}\n\nwords", metadata={"tags": ["zh", *tags]})
    shown = [new_output("display_data", {"text/markdown": text}) for text in outputs]
    return [
        head,
        new_code_cell("1"),
        new_markdown_cell("> note", metadata={"tags": ["zh"]}),
        new_code_cell("2", outputs=shown),
    ]


def test_an_optional_section_without_outputs_is_left_out_with_its_code_and_notes() -> None:
    cells = [new_code_cell("0"), *section("A"), *section("B", "shown"), *section("C", tags=()), *section("D")]
    kept = [cell.source for cell in tidy(new_notebook(cells=cells), "zh").cells]
    assert kept == ["0", "## B\n\nwords", "1", "> note", "2", "## C\n\nwords", "1", "> note", "2"]
    assert tidy(new_notebook(), "zh").cells == []


# --- the reports ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports of two counties of which one has reported, and of all; each made once."""
    root = tmp_path_factory.mktemp("delivery")
    build(root, LINES[:4])
    (root / "notebooks").mkdir()
    for name in ("region-report", "50-monitoring"):
        shutil.copy(project_dir() / "notebooks" / f"{name}.ipynb", root / "notebooks")
    made = make_reports(data=root / "data", out=root / "reports", notebooks=root / "notebooks", quiet=True)
    assert [(outcome.name, outcome.reason) for outcome in made] == [(FENGHUA, ""), (CIXI, ""), ("50-monitoring", "")]
    return root


def build(root: Path, lines: list[str]) -> None:
    """Two of the plans, with what their prose says of owners, and a form of these lines."""
    shutil.copytree(raw_dir() / FACTS, root / "raw" / FACTS, dirs_exist_ok=True)
    plans = [root / "raw", *(raw_dir() / f"{name}.txt" for name in ("fenghua", "cixi"))]
    forms = [csv_form(root, *lines)] if lines else []
    assert building.build(plans, root / "data", actuals=forms).problems == []


def page(project: Path, stem: str) -> str:
    return (project / "reports" / f"{stem}.zh.html").read_text(encoding="utf-8")


def pictures(page: str) -> list[str]:
    return [unescape(svg) for svg in re.findall(r"<figure.*?</figure>", page, re.DOTALL)]


@pytest.mark.slow
def test_a_county_that_has_reported_has_a_section_of_its_own(project: Path) -> None:
    html = page(project, "330213-fenghua")
    assert html.count('href="#delivery"') == 2 and html.count('id="delivery"') == 1  # contents twice: folded, beside
    (own,) = [picture for picture in pictures(html) if "规划路径与实际值" in picture]
    assert f'aria-label="{SYNTHETIC["zh"]}' in own and f">{SYNTHETIC['zh']}</text>" in own
    part = html[html.index('id="delivery"') : html.index('id="ambition"')]
    assert "达成 1，合进度 0，滞后 0，差于基期 1" in part
    assert all(text in part for text in ("区民政局", "万老护理员数", "应报未报的数值"))


@pytest.mark.slow
def test_a_county_that_has_not_has_no_trace_of_it(project: Path) -> None:
    html = page(project, "330282-cixi")
    assert "实际进展" not in html and "delivery-" not in html and "#delivery" not in html
    assert SYNTHETIC["zh"] not in html


@pytest.mark.slow
def test_the_notebook_says_what_is_synthetic_and_ranks_nobody_on_few_rows(project: Path) -> None:
    html = page(project, "50-monitoring")
    statuses, *ranks = pictures(html)
    assert f'aria-label="{SYNTHETIC["zh"]}' in statuses and f">{SYNTHETIC['zh']}</text>" in statuses
    assert len(ranks) == 2 and all("都不足应评的一半" in svg for svg in ranks)  # of 21 rows a few are reported
    assert all(f'id="{name}"' in html for name in ("statuses", "rankings", "domains", "items", "corrections"))
    assert "4.4 个</td>" in html and "form.csv，第 3 行" in html  # what was corrected, and where it stood


@pytest.mark.slow
def test_a_changed_value_makes_its_county_and_the_comparison_anew_and_no_other(project: Path) -> None:
    def stale() -> dict[str, list[str]]:
        asked = {"data": project / "data", "out": project / "reports", "notebooks": project / "notebooks"}
        return {file.split(".")[0]: why for file, why in explain_reports(**asked)}

    assert set(map(tuple, stale().values())) == {()}
    build(project, [LINES[0].replace("3.9", "3.8"), *LINES[1:4]])
    assert stale() == {"330213-fenghua": ["data"], "330282-cixi": [], "50-monitoring": ["data"]}
    build(project, [*LINES[:4], f"{FENGHUA},nursery_places,2025,5,个,synthetic,"])  # now 2025 is due everywhere
    assert stale()["330282-cixi"] == ["data"]
    build(project, [])
    assert "50-monitoring" not in stale()  # nothing to say: not made, and not in the way


def test_a_desk_judges_as_on_the_day_it_is_given(tmp_path: Path) -> None:
    build(tmp_path, LINES)
    delivery = open_delivery(open_desk(data_dir=tmp_path / "data"), "2023")
    assert delivery.period == "2023" and set(delivery.actuals["period"]) == {"2023"}
    assert open_delivery(open_desk(data_dir=tmp_path / "data")).period == "2024"
    desk = open_desk(FENGHUA, peers=CIXI, data_dir=tmp_path / "data", domain="Childcare")
    narrow = open_delivery(desk)
    assert set(narrow.monitoring["indicator"]) <= set(desk.targets["indicator"])
    assert set(narrow.rankings.query("by == 'domain'")["group"]) == {"幼有善育"}
    with pytest.raises(DataError, match="next year"):
        open_delivery(open_desk(data_dir=tmp_path / "data"), "next year")
