"""The pictures: what they say, what they must not do, and that nothing in them is clipped, covered or unreadable."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
import synthetic
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from plans import NINGBO, four_plans, said

from qyx_analysis import catalogue, figures, measures
from qyx_analysis.figures import style
from qyx_analysis.figures.scene import scene_of
from qyx_analysis.files import project_dir
from qyx_analysis.measures import trajectory
from qyx_analysis.problems import DataError
from qyx_analysis.wings.sentences.alignment import alignment
from qyx_analysis.wings.sentences.figures import plot_alignment

FENGHUA, CIXI, ZHUJI, SHENGSI = "330213", "330282", "330681", "330922"
OF_ONE = (figures.plot_trajectory, figures.plot_timing, figures.plot_ambition, figures.plot_standing)
AMONG_ALL = (figures.plot_dispersion, figures.plot_baseline_change)  # one county in colour among all
OF_MONITORING = ("plot_progress", "plot_statuses", "plot_rankings")  # in test_delivery.py
NOT_OF_TARGETS = ("plot_standing", "plot_alignment", "house_style", *OF_MONITORING)  # another question or frame
OF_ALL = tuple(getattr(figures, name) for name in figures.__all__ if name not in NOT_OF_TARGETS)
CHINESE = re.compile("[\u4e00-\u9fff]")


RESULTS = {
    figures.plot_timing: ("trajectory",),
    figures.plot_ambition: ("ambition",),
    figures.plot_baseline_change: ("ambition",),
    figures.plot_dispersion: ("dispersion",),
    figures.plot_convergence: ("dispersion", "verdicts"),
}
Draw = Callable[..., Figure]


class Plans:
    """Targets, their results, each measured once, and their pictures, each drawn once: nothing below changes one."""

    def __init__(self, targets: pd.DataFrame) -> None:
        self.targets = targets
        self._results: dict[str, pd.DataFrame] = {}
        self._drawn: dict[Any, Figure] = {}

    def results(self, measure: str) -> pd.DataFrame:
        if measure not in self._results:
            self._results[measure] = getattr(measures, measure)(self.targets)
        return self._results[measure]

    def draw(self, plot: Draw, region: object = None, lang: str = "zh", domain: Any = None) -> Figure:
        key = (plot, region, lang, str(domain))
        if key not in self._drawn:
            options: dict[str, Any] = {"lang": lang, "domain": domain} | ({"region": region} if region else {})
            options |= {"ambition": self.results("ambition")} if plot is figures.plot_trajectory else {}
            self._drawn[key] = plot(*map(self.results, RESULTS.get(plot, ())), self.targets, **options)
        return self._drawn[key]


def drawn(plot: Draw, targets: pd.DataFrame, *region: object, **options: Any) -> Figure:
    """A picture of targets that only one test looks at."""
    return Plans(targets).draw(plot, *region, **options)


@pytest.fixture(scope="module")
def four() -> Plans:
    return Plans(four_plans())


@pytest.fixture(scope="module")
def targets(four: Plans) -> pd.DataFrame:
    return four.targets


@pytest.fixture(scope="module")
def draw(four: Plans) -> Draw:
    return four.draw


@pytest.fixture(scope="module")
def ninety() -> Plans:
    """All 90 counties with invented plans, whose bounds, words and gaps are as frequent as in the four."""
    return Plans(synthetic.province(90, seed=1).targets)


TWO_DOMAINS = ["老有康养", "病有良医"]


def two_domains(targets: pd.DataFrame) -> pd.DataFrame:
    """Fewer panels, so quicker: shares, counts, bounds, words and a row without numbers are all among them."""
    return targets[targets["domain"].isin(TWO_DOMAINS)]


def with_city(targets: pd.DataFrame) -> pd.DataFrame:
    city = targets[targets["region"] == CIXI].assign(region="330200", region_name="宁波市", level="city")
    return pd.concat([targets, city], ignore_index=True)


def edited(targets: pd.DataFrame, region: str, indicator: str, years: list[int], **cell: Any) -> pd.DataFrame:
    """The targets with some cells of one row replaced."""
    frame = targets.copy()
    place = (frame["region"] == region) & (frame["indicator"] == indicator) & frame["year"].isin(years)
    assert place.any()
    frame.loc[place, list(cell)] = list(cell.values())
    return frame


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


def covered(figure: Figure) -> list[tuple[str, str]]:
    """Texts that leave the figure or lie on another text.

    Really draws the picture, after the house style has ended, as a notebook does: a missing glyph is a warning and
    so an error here.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    found = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    # of an annotation only its words, not the point that it belongs to
    boxes = [Text.get_window_extent(text, canvas.get_renderer()) for text in found]
    width, height = figure.bbox.width, figure.bbox.height
    wrong = [
        (text.get_text(), "outside")
        for text, box in zip(found, boxes, strict=True)
        if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height
    ]
    corners = np.array([[box.x0, box.y0, box.x1, box.y1] for box in boxes])
    low, high = corners[:, None, :2], corners[:, None, 2:]
    shared = np.minimum(high, corners[:, 2:]) - np.maximum(low, corners[:, :2])
    on_another = (shared > [1.5, 2.5]).all(axis=2)  # pixels: boxes hold the font's ascent, ink does not fill it
    wrong += [(found[a].get_text(), found[b].get_text()) for a, b in np.argwhere(np.triu(on_another, 1))]
    return wrong


def panel(figure: Figure, name: str) -> Any:
    """The axes under the panel title that ends with ``name``."""
    title = next(text for text in figure.texts if text.get_text().endswith(name))
    x, y = title.get_position()
    below = [ax for ax in figure.axes if ax.axison and ax.get_position().y1 < y and ax.get_position().x0 >= x - 0.01]
    return min(below, key=lambda ax: (y - ax.get_position().y1) + (ax.get_position().x0 - x))


def marked(ax: Any, marker: object) -> list[Line2D]:
    return [line for line in ax.get_lines() if line.get_marker() == marker]


# --- every picture ----------------------------------------------------------------------------------------


def well_made(figure: Figure, lang: str) -> None:
    alt = str(figure.get_label())
    assert re.search(r"\d", alt)
    assert 40 < len(alt) < 420
    assert "nan" not in alt.lower()
    assert "{" not in alt
    words = texts(figure)
    assert not [text for text in words if "nan" in text.lower().split()]
    if lang == "en":
        assert not [text for text in [alt, *words] if CHINESE.search(text)]
    else:
        assert CHINESE.search(alt)
    head = " ".join(text.get_text() for text in figure.texts[:2]).lower()
    assert ("规划" if lang == "zh" else "plan") in head  # a plan is not an outcome
    assert {text.get_fontname() for text in figure.findobj(Text)} == {"Noto Sans SC"}
    assert covered(figure) == []


@pytest.mark.parametrize("plot", OF_ALL)
def test_four_counties(draw: Draw, plot: Draw) -> None:
    """In English, whose labels are the longest."""
    well_made(draw(plot, lang="en"), "en")


@pytest.mark.parametrize("plot", OF_ONE + AMONG_ALL)
def test_one_county(draw: Draw, plot: Draw) -> None:
    well_made(draw(plot, FENGHUA), "zh")


@pytest.mark.parametrize("plot", OF_ONE)
def test_a_county_with_rows_in_words(draw: Draw, plot: Draw) -> None:
    well_made(draw(plot, SHENGSI, "en"), "en")


def test_a_region_may_be_a_number_or_a_name(four: Plans) -> None:
    given = (330213, "330213", "奉化区")
    assert len({four.draw(figures.plot_standing, region, domain="病有良医").get_label() for region in given}) == 1


@pytest.mark.parametrize("plot", OF_ALL)
def test_ninety_counties(ninety: Plans, plot: Draw) -> None:
    figure = synthetic.marked(ninety.draw(plot, lang="en"), "en")
    well_made(figure, "en")
    assert "synthetic data: invented numbers" in texts(figure)


@pytest.mark.parametrize("plot", [*OF_ONE, *AMONG_ALL, figures.plot_convergence])
def test_one_county_of_ninety(ninety: Plans, plot: Draw) -> None:
    region = None if plot is figures.plot_convergence else FENGHUA
    well_made(ninety.draw(plot, region, domain=TWO_DOMAINS), "zh")


@pytest.mark.parametrize("regions", [[FENGHUA], [FENGHUA, CIXI]])
@pytest.mark.parametrize("plot", [*OF_ALL, figures.plot_standing])
def test_one_or_two_counties(targets: pd.DataFrame, plot: Draw, regions: list[str]) -> None:
    alone = two_domains(targets[targets["region"].isin(regions)])
    figure = drawn(plot, alone, FENGHUA if plot in OF_ONE else None)
    assert covered(figure) == []
    assert re.search(r"\d", str(figure.get_label()))


def test_nothing_global_changes(four: Plans) -> None:
    before = dict(matplotlib.rcParams)
    figures.plot_timing(four.results("trajectory"), four.targets, FENGHUA, "病有良医")
    assert dict(matplotlib.rcParams) == before
    if "matplotlib.pyplot" in sys.modules:
        assert sys.modules["matplotlib.pyplot"].get_fignums() == []


def test_the_users_settings_change_no_picture(four: Plans) -> None:
    plain = four.draw(figures.plot_timing, FENGHUA)
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "lines.linewidth": 9, "text.usetex": True}):
        styled = figures.plot_timing(four.results("trajectory"), four.targets, FENGHUA)
    assert styled.axes[1].get_facecolor() == plain.axes[1].get_facecolor()
    assert [t.get_fontsize() for t in styled.findobj(Text)] == [t.get_fontsize() for t in plain.findobj(Text)]


def test_importing_the_figures_loads_no_matplotlib() -> None:
    code = "import sys, qyx_analysis.figures; sys.exit('matplotlib' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_pictures_take_results_and_compute_none() -> None:
    computing = {*measures.__all__, "measures", "panel"}
    for path in (project_dir() / "qyx_analysis/figures").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not isinstance(node, ast.Import) or "qyx_analysis" not in ast.unparse(node), path.name
            if isinstance(node, ast.ImportFrom) and re.fullmatch(r"qyx_analysis(\.measures.*)?", str(node.module)):
                assert not computing & {alias.name for alias in node.names}, path.name


def test_errors_name_what_is_wrong(four: Plans, draw: Draw) -> None:
    with pytest.raises(DataError, match="火星区"):
        draw(figures.plot_timing, "火星区")
    with pytest.raises(DataError, match="椒江区"):
        draw(figures.plot_standing, "椒江区")
    with pytest.raises(DataError, match="fr"):
        draw(figures.plot_ambition, lang="fr")
    with pytest.raises(DataError, match="住有豪宅"):
        draw(figures.plot_trajectory, domain="住有豪宅")
    with pytest.raises(DataError, match="Housing"):
        drawn(figures.plot_timing, two_domains(four.targets), domain="Housing")
    with pytest.raises(DataError, match="nothing to draw"):
        figures.plot_dispersion(four.results("dispersion"), four.targets.iloc[:0])
    with pytest.raises(DataError, match="has no such columns"):
        figures.plot_standing(four.results("trajectory"), region=FENGHUA)
    with pytest.raises(DataError, match="has no such columns"):
        plot_alignment(four.results("trajectory"), region=FENGHUA)
    with pytest.raises(DataError, match=r"trajectory\(\).*front_loading"):
        figures.plot_timing(four.results("ambition"), four.targets)
    with pytest.raises(DataError, match=r"verdicts\(\)"):
        figures.plot_convergence(four.results("dispersion"), four.results("dispersion"), four.targets)
    with pytest.raises(DataError, match="“.*resolution.*”"):
        trajectory(four.targets.drop(columns=["resolution"]))
    with pytest.raises(DataError, match="住有豪宅"):
        plot_alignment(alignment(four.targets, said(NINGBO, "330200")), domain="住有豪宅")


# --- region=, domain=, lang= ------------------------------------------------------------------------------


MAKES_NO_SENSE = {"plot_convergence": "region", "plot_statuses": "region", "plot_rankings": "domain"}


def test_every_picture_takes_results_then_targets_then_the_same_keywords() -> None:
    for name in figures.__all__:
        if name.startswith("plot_"):
            taken = inspect.signature(getattr(figures, name)).parameters
            wanted = [key for key in ("region", "domain", "lang") if key != MAKES_NO_SENSE.get(name)]
            named = [key for key, one in taken.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
            assert named[-len(wanted) :] == wanted
            assert taken["lang"].default == "zh" and named[-1] == "lang"
            if plot_of := RESULTS.get(getattr(figures, name)):
                assert named[: len(plot_of) + 1] == [*plot_of, "targets"]


@pytest.mark.parametrize("plot", [*OF_ALL, figures.plot_standing])
def test_a_domain_is_drawn_as_it_is_among_all(draw: Draw, plot: Draw) -> None:
    region = FENGHUA if plot is figures.plot_standing else None
    own = draw(plot, region, domain="Health care")
    assert set(texts(own)[2:]) <= {*texts(draw(plot, region)), *own_words(own)}
    shown = " ".join(texts(own))
    assert "惠民保投保率" in shown and "千人托位数" not in shown


def own_words(figure: Figure) -> set[str]:
    """Title, key and notes, which say what is in the picture, and ticks, which are placed by what is."""
    return {text.get_text() for text in figure.texts}


@pytest.mark.parametrize("plot", AMONG_ALL)
def test_a_county_among_all_is_the_only_one_in_colour(draw: Draw, ninety: Plans, plot: Draw) -> None:
    assert str(draw(plot, FENGHUA).get_label()) == str(draw(plot).get_label()) + "彩色为奉化区。"
    for figure in (draw(plot, FENGHUA), ninety.draw(plot, FENGHUA, domain=TWO_DOMAINS)):
        dots = [line for line in figure.findobj(Line2D) if line.get_marker() in ("D", *style.COUNTY_MARKS)]
        colours = {line.get_color() for line in dots}
        assert style.BLUE in colours
        assert not colours & set(style.COUNTY_COLOURS[1:])


def test_rows_in_words_alone_are_said_to_be_so(targets: pd.DataFrame) -> None:
    words = targets[targets["indicator"] == "compulsory_assessment"]
    for plot in (figures.plot_timing, figures.plot_ambition):
        assert "以文字代替数值" in str(drawn(plot, words).get_label())


# --- letters ----------------------------------------------------------------------------------------------


def catalogue_texts() -> Iterator[str]:
    for table, columns in (
        (catalogue.indicators(), ["name_zh", "short_zh", "short_en", "unit", "unit_en"]),
        (catalogue.regions(), ["name_zh", "name_en"]),
        (catalogue.domains(), ["domain", "name_en"]),
        (catalogue.statuses(), ["status", "meaning_zh", "meaning_en"]),
    ):
        for column in columns:
            yield from table[column]
    for key in figure_keys():
        for lang in ("zh", "en"):
            yield re.sub(r"\{\w+\}", "", catalogue._messages()[key][lang])


def figure_keys() -> list[str]:
    return [key for key in catalogue._messages() if key.startswith("fig_")]


def test_the_font_has_every_letter_of_the_catalogue() -> None:
    missing = {letter for text in catalogue_texts() for letter in text if ord(letter) not in style.glyphs()}
    assert missing == set()


def test_every_status_has_its_few_words() -> None:
    assert {f"fig_status_{status}" for status in catalogue.statuses()["status"]} <= set(figure_keys())


def test_every_figure_text_is_used_and_in_its_language() -> None:
    package = project_dir() / "qyx_analysis"
    drawing = [*(package / "figures").glob("*.py"), *(package / "wings").glob("*/figures.py")]
    source = "".join(path.read_text(encoding="utf-8") for path in drawing)
    built = (
        "fig_status_",
        "fig_kind_",
        "fig_flag_",
        "fig_ambition_",
        "fig_trajectory_",
        *(f"fig_ranked_{by}" for by in ("county", "city", "domain", "department")),
    )  # put together from a name of the data
    for key in figure_keys():
        assert key.startswith(built) or f'"{key.removeprefix("fig_")}"' in source, f"{key} is not used"
        assert not CHINESE.search(catalogue._messages()[key]["en"]), key


def test_hostile_text_is_drawn_as_text(targets: pd.DataFrame) -> None:
    frame = targets.copy()
    frame.loc[frame["kind"].isin(["status", "reference"]), "raw"] = "<b>$x$\n\u202e\U0001f600"
    figure = drawn(figures.plot_trajectory, frame, SHENGSI, domain="老有康养")
    shown = " ".join(texts(figure))
    assert "<b>$x$" in shown
    assert "\u202e" not in shown
    assert covered(figure) == []


# --- bounds, words, gaps, benchmarks ----------------------------------------------------------------------


def test_bounds_are_printed_and_open(draw: Draw) -> None:
    figure = draw(figures.plot_trajectory, FENGHUA)
    assert {"<3.5", "≥32"} <= set(texts(figure))
    ax = panel(figure, "城镇登记失业率")
    (bounds,) = [line for line in ax.get_lines() if line.get_marker() is style.bound_mark("down")]
    assert list(bounds.get_xdata()) == [2023, 2024, 2025, 2026, 2027]
    assert bounds.get_markerfacecolor() == "white"


def test_words_stand_at_their_years(draw: Draw) -> None:
    figure = draw(figures.plot_trajectory, FENGHUA)
    assert {"前期准备", "申报", "2024 通过", "全覆盖"} <= set(texts(figure))
    bar = next(line for line in panel(figure, "长护险人数").get_lines() if line.get_linewidth() > 2.5)
    assert bar.get_xdata() == pytest.approx([2023.87, 2027.13])
    english = draw(figures.plot_trajectory, FENGHUA, "en")
    assert {"2024 passed", "full coverage"} <= set(texts(english))


def test_full_coverage_of_a_share_is_drawn_at_its_best_value(targets: pd.DataFrame) -> None:
    cell = {"kind": "full_coverage", "value": np.nan, "operator": "", "raw": "全覆盖"}
    frame = edited(targets, SHENGSI, "disabled_home_coverage", [2026, 2027], **cell)
    assert scene_of(frame).of("disabled_home_coverage", SHENGSI)["drawn"].tolist()[-2:] == [100, 100]
    assert "全覆盖" in texts(drawn(figures.plot_trajectory, frame, SHENGSI, domain="弱有众扶"))


def test_no_line_crosses_a_year_that_is_not_printed(targets: pd.DataFrame) -> None:
    frame = edited(targets, FENGHUA, "life_expectancy", [2025], kind="missing", value=np.nan, raw="/", operator="")
    ax = panel(figures.plot_trajectory(frame, region=FENGHUA, domain="病有良医"), "预期寿命")
    own = next(c for c in ax.collections if isinstance(c, LineCollection) and c.get_zorder() == 4)
    assert [[int(year) for year in line[:, 0]] for line in own.get_segments()] == [
        [2022, 2023],
        [2023, 2024],
        [2026, 2027],
    ]
    (gap,) = marked(ax, "s")
    assert list(gap.get_xdata()) == [2025]


def test_a_row_without_numbers_says_why(draw: Draw) -> None:
    shengsi = " ".join(texts(draw(figures.plot_trajectory, SHENGSI)))
    assert "完成市下达的任务指标" in shengsi
    assert "整行未公布数值" in shengsi
    assert "观察性指标" in " ".join(texts(draw(figures.plot_trajectory, ZHUJI)))


def test_the_baseline_has_its_own_mark(draw: Draw) -> None:
    ax = panel(draw(figures.plot_trajectory, FENGHUA), "千人托位数")
    (baseline,), (planned,) = marked(ax, "D"), [line for line in marked(ax, "o") if line.get_color() == style.BLUE]
    assert list(baseline.get_xdata()) == [2022]
    assert list(planned.get_xdata()) == [2023, 2024, 2025, 2026, 2027]


def test_a_falling_total_is_named(draw: Draw) -> None:
    assert "累计数下降" in texts(draw(figures.plot_trajectory, FENGHUA))
    assert "累计数下降" not in texts(draw(figures.plot_trajectory, CIXI))


@pytest.mark.parametrize("plot", OF_ONE)
def test_a_city_is_a_benchmark_and_never_a_county(targets: pd.DataFrame, plot: Draw) -> None:
    few = two_domains(targets)
    figure = drawn(plot, with_city(few), FENGHUA)
    assert any(text.startswith("对照") and "宁波市" in text for text in texts(figure))
    assert figure.get_label() == drawn(plot, few, FENGHUA).get_label()  # the counts are the same
    assert covered(figure) == []


@pytest.mark.parametrize("plot", [figures.plot_dispersion, figures.plot_convergence, figures.plot_baseline_change])
def test_a_city_changes_no_comparison(targets: pd.DataFrame, plot: Draw) -> None:
    few = two_domains(targets)
    assert texts(drawn(plot, with_city(few))) == texts(drawn(plot, few))


def test_few_counties_differ_in_shape_not_only_in_colour(targets: pd.DataFrame, ninety: Plans) -> None:
    scene = scene_of(targets)
    assert len({mark["marker"] for mark in scene.marks.values()}) == 4
    assert len(set(scene.colours.values())) == 4
    assert set(scene_of(ninety.targets).colours.values()) == {style.OTHER}
    assert scene_of(targets, FENGHUA).colours == dict.fromkeys([CIXI, ZHUJI, SHENGSI], style.OTHER) | {
        FENGHUA: style.BLUE
    }


# --- many counties ----------------------------------------------------------------------------------------


def test_many_counties_are_bands_and_only_extremes_have_names(ninety: Plans) -> None:
    figure = ninety.draw(figures.plot_trajectory, domain=TWO_DOMAINS)
    last = ninety.targets.query("indicator == 'life_expectancy' and year == 2027").set_index("region_name")["value"]
    ax = panel(figure, "预期寿命")
    assert {text.get_text() for text in ax.texts} == {f"{last.idxmax()} {last.max()}", f"{last.idxmin()} {last.min()}"}
    median = next(line for line in ax.get_lines() if line.get_color() == style.INK)
    assert median.get_ydata()[-1] == pytest.approx(last.median())
    assert len(ax.collections) == 2  # the bands, and no line of each county


def test_one_county_of_many_stands_before_the_bands(ninety: Plans) -> None:
    ax = panel(ninety.draw(figures.plot_trajectory, FENGHUA, domain=TWO_DOMAINS), "预期寿命")
    own = ninety.targets.query("indicator == 'life_expectancy' and region == @FENGHUA")["value"].tolist()
    planned = next(line for line in marked(ax, "o") if line.get_color() == style.BLUE)
    assert list(planned.get_ydata()) == own[1:]


def test_of_a_state_with_many_counties_the_passes_are_counted(ninety: Plans) -> None:
    states = ninety.targets.query("indicator == 'preschool_assessment'")
    passed = states["state"].fillna(states["value"]).gt(0).groupby(states["year"]).sum()
    shown = texts(ninety.draw(figures.plot_trajectory, domain="学有优教"))
    assert f"{passed[2022]}/90" in shown
    assert f"规划通过 {passed[2027]}/90" in shown


def test_absolute_counts_of_many_counties_are_named_and_not_drawn(ninety: Plans) -> None:
    figure = ninety.draw(figures.plot_trajectory, domain=TWO_DOMAINS)
    assert "养老参保人数" not in texts(figure)
    assert "养老参保人数" in " ".join(texts(figure))
    only = figures.plot_trajectory(ninety.targets.query("indicator == 'pension_insured'"))
    assert "养老参保人数" in str(only.get_label())


def test_many_counties_are_counted_by_verdict(ninety: Plans) -> None:
    rows = ninety.results("trajectory").query("measure == 'front_loading' and indicator == 'nursery_places'")
    sure = rows[rows["status"] == "ok"]
    early, late = ((sure["value"] >= 0.25).sum(), (sure["value"] <= -0.25).sum())
    shown = texts(ninety.draw(figures.plot_timing, lang="en"))
    even = len(sure) - early - late
    assert f"early {early}, even {even}, late {late}, open {90 - len(sure)}, none 0" in shown


def test_every_county_of_many_is_a_dot_and_none_covers_another(ninety: Plans) -> None:
    figure = drawn(figures.plot_ambition, ninety.targets.query("indicator == 'wage_arrears_resolved'"))
    ax = next(ax for ax in figure.axes if ax.get_xlabel())
    heap = [line for line in ax.get_lines() if line.get_color() == style.OTHER and line.get_markersize() < 3]
    dots = np.concatenate([line.get_xydata() for line in heap])
    assert len(dots) == 90
    assert len(np.unique(dots.round(4), axis=0)) == 90


# --- what each picture says -------------------------------------------------------------------------------


def test_timing_shows_no_verdict_as_open_and_says_why(draw: Draw) -> None:
    figure = draw(figures.plot_timing, FENGHUA, "en")
    shown = texts(figure)
    assert {"+0.67", "0.00  within rounding", "stays at the best value", "words in place of numbers"} <= set(shown)
    assert "1 are front-loaded, 5 even, 1 back-loaded, 9 without a verdict and 5 without a result" in figure.get_label()
    ax = next(ax for ax in figure.axes if ax.get_xlabel())
    own = [line for line in marked(ax, "o") if line.get_color() == style.BLUE]
    assert sorted(line.get_markerfacecolor() == "white" for line in own) == [False] * 7 + [True] * 9


def test_a_weaker_target_lies_left_of_zero(draw: Draw) -> None:
    figure = draw(figures.plot_ambition, FENGHUA, "en")
    change = [ax for ax in figure.axes if ax.get_xlabel()][1]
    bounds = [line for line in change.get_lines() if line.get_marker() is style.bound_mark("right")]
    assert sorted(round(float(line.get_xdata()[0]), 2) for line in bounds) == [-0.9, 0.1]  # unemployment, care workers
    assert "at least −90.2%  weaker than the baseline" in texts(figure)
    assert "Targets weaker than their baseline: 1." in figure.get_label()


def test_values_beyond_the_axis_are_marked_and_printed(draw: Draw) -> None:
    figure = draw(figures.plot_ambition, FENGHUA)
    change = [ax for ax in figure.axes if ax.get_xlabel()][1]
    assert any(line.get_color() == style.BLUE and line.get_markersize() > 6 for line in marked(change, ">"))
    assert "+425.0%" in texts(figure)


def test_standing_compares_no_counts_and_adds_nothing_up(targets: pd.DataFrame, draw: Draw) -> None:
    figure = draw(figures.plot_standing, FENGHUA, "en")
    shown = texts(figure)
    assert shown.count("absolute number: not compared") == 2 * 4  # four counts, two years
    assert "5.5 in every county" in shown
    assert "4 of 4 counties passed" in shown
    assert "6 planned 2027 targets are the best" in figure.get_label()


def test_right_is_better_whatever_the_direction(draw: Draw) -> None:
    """慈溪 plans the lowest premature mortality: the right end of its strip."""
    figure = draw(figures.plot_standing, CIXI)
    right = [t for t in figure.findobj(Text) if t.get_text() == "8.3" and t.get_color() == style.BLUE]
    assert [t.get_ha() for t in right] == ["left"]


def test_a_bound_at_the_same_place_is_not_the_same_value(draw: Draw) -> None:
    shown = texts(draw(figures.plot_standing, ZHUJI))
    assert ">70 · 各县数值或门槛相同" in shown
    assert "各县均为 96.0" in shown  # the others print 96


def test_no_regression_line_and_the_coupling_is_said(draw: Draw) -> None:
    figure = draw(figures.plot_baseline_change, lang="en")
    assert "coupled by construction" in " ".join(texts(figure)).replace("\n", " ")
    ax = panel(figure, "Medical aid")
    assert len([line for line in ax.get_lines() if len(line.get_xdata()) > 1]) == 2  # zero, and the same target
    assert {"Fenghua, Cixi", "Zhuji, Shengsi"} <= set(texts(figure))


def test_dispersion_prints_the_deviations_and_refuses_counts(draw: Draw) -> None:
    figure = draw(figures.plot_dispersion, lang="en")
    shown = texts(figure)
    assert {"21.7", "13.1", "(2.99)"} <= set(shown)  # the gold {28, 30, 35, >=32} has its least SD of 2.986 here
    assert "Training (cum.)" not in shown
    assert "Training (cum.)" in " ".join(shown)


def test_scale_dependence_is_said(targets: pd.DataFrame) -> None:
    """80, 85, 90, 95 -> 90, 93, 96, 99: the deviation narrows, that of the logits widens."""
    frame = targets[targets["indicator"] == "wage_arrears_resolved"].copy()
    for region, first, last in zip(sorted(frame["region"].unique()), (80, 85, 90, 95), (90, 93, 96, 99), strict=True):
        ends = {2022: first, 2027: last}
        own = (frame["region"] == region) & frame["year"].isin(ends)
        frame.loc[own, "value"] = frame.loc[own, "year"].map(ends).astype(float)
        frame.loc[frame["region"] == region, "resolution"] = 1.0
    figure = drawn(figures.plot_convergence, frame, lang="en")
    assert any(text.startswith("depends on the scale  0.60 · 1.56") for text in texts(figure))
    assert "1 depend on the scale" in figure.get_label()


def test_an_analysts_own_seaborn_picture_has_chinese_labels_and_no_warning(targets: pd.DataFrame) -> None:
    import matplotlib.pyplot as plt
    import seaborn as sns

    with figures.house_style():
        grid = sns.relplot(
            targets.query("indicator == 'nursery_places'"), x="year", y="value", hue="region_name", kind="line"
        )
    grid.figure.canvas.draw()  # a missing glyph would warn, and a warning is an error here
    assert {text.get_text() for text in grid.legend.get_texts()} == {"奉化区", "慈溪市", "诸暨市", "嵊泗县"}
    plt.close(grid.figure)


# --- the city's plan --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def aligned(targets: pd.DataFrame) -> pd.DataFrame:
    return alignment(targets, said(NINGBO + "\n到2025年，登记失业率控制在3.5%以内。", "330200"))


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("region", [None, CIXI])
def test_counties_beside_their_city(aligned: pd.DataFrame, region: object, lang: str) -> None:
    well_made(plot_alignment(aligned, region, lang=lang), lang)


def test_all_counties_beside_all_cities(ninety: Plans) -> None:
    cities = catalogue.regions().query("level == 'city'")["code"]
    prose = pd.concat([said(NINGBO, code) for code in cities], ignore_index=True)
    aligned = alignment(two_domains(ninety.targets), prose)
    for lang in ("zh", "en"):
        well_made(plot_alignment(aligned, lang=lang), lang)


def test_the_citys_target_is_a_line_and_a_bound_has_an_arrow(aligned: pd.DataFrame) -> None:
    drawn = [plot_alignment(aligned[aligned["number"] == number]) for number in (7, 16)]
    registered, housing = (figure.axes[-1] for figure in drawn)
    assert marked(registered, 5) and not marked(housing, 5)  # 3.5 or less is to the right: lower is better
    assert [line for line in registered.get_lines() if line.get_marker() is style.bound_mark("right")]
    assert {"≤3.5", "<3.5", "17.87", "弱于市目标"} <= {
        word.split("：")[-1] for figure in drawn for word in texts(figure)
    }


def test_what_cannot_be_compared_is_printed_with_its_reason(aligned: pd.DataFrame) -> None:
    figure = plot_alignment(aligned[aligned["number"] == 9], lang="en")
    assert not figure.axes[-1].get_lines()
    shown = " ".join(texts(figure))
    assert "Fenghua 7.1, Cixi 9" in shown and "the city states a total" in shown


def test_without_a_citys_plan_the_picture_says_so(aligned: pd.DataFrame) -> None:
    for figure in (plot_alignment(aligned.iloc[:0]), plot_alignment(aligned, ZHUJI)):
        assert "市级规划" in str(figure.get_label())
        assert covered(figure) == []
    with pytest.raises(DataError, match="fr"):
        plot_alignment(aligned, lang="fr")
    with pytest.raises(DataError, match="火星区"):
        plot_alignment(aligned, "火星区")
