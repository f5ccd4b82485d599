"""Plans of 8 or 45 rows, with local indicators, domains of their own and numbers that say nothing, on every page."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from plans import four_plans
from test_figures import Plans, covered, drawn, texts

from qyx_analysis import figures, measures, names
from qyx_analysis.catalogue import message
from qyx_analysis.figures.panels import COLUMNS, domain_lines, lines_height
from qyx_analysis.figures.scene import scene_of
from qyx_analysis.measures.panel import panel
from qyx_analysis.measures.position import final_positions
from qyx_analysis.notebook import desk
from qyx_analysis.texts.ambition import compare_ambition, table_ambition, tell_ambition
from qyx_analysis.texts.dispersion import table_convergence
from qyx_analysis.texts.glance import find_tiles, render_glance
from qyx_analysis.texts.html import render_table
from qyx_analysis.texts.plan import table_domains, table_printed, tell_compared, tell_overview, tell_standing
from qyx_analysis.texts.shared import table_measure
from qyx_analysis.texts.timing import table_timing
from qyx_analysis.texts.verdicts import WORDS, table_verdicts

EIGHT, MANY = "330226", "330225"  # counties with so many rows
LANGS = ("zh", "en")
OF_ONE = (figures.plot_trajectory, figures.plot_ambition, figures.plot_timing, figures.plot_standing)
OF_ALL = (
    figures.plot_trajectory, figures.plot_ambition, figures.plot_timing, figures.plot_dispersion,
    figures.plot_convergence, figures.plot_baseline_change,
)  # fmt: skip
LONG = "自定教师轮岗交流中骨干教师占符合交流条件骨干教师总数的比例与乡镇（街道）综合性服务中心覆盖面积"
OWN = [  # name, domain, unit, baseline and target
    *((f"自定指标第{'甲乙丙丁戊己庚辛壬癸'[i]}项服务覆盖率", "学有优教", "%", 40.0 + i, 90.0) for i in range(10)),
    *((f"自定每万人设施{'甲乙丙丁'[i]}数", "体有强健特色领域", "平方米", 2.0 + i, 9.0 + i) for i in range(4)),
    *((f"自定建成{'甲乙丙丁戊己'[i]}类场馆累计数", "文有雅乐", "个", 3.0 + i, 30.0 + i) for i in range(6)),
    *((f"自定{'甲乙丙'[i]}类困难人员帮扶率", "弱有众扶", "%", 70.0, 95.0 + i) for i in range(3)),
    (LONG, "学有优教", "%", 20.5, 30.5),
]  # fmt: skip


def local_row(
    like: pd.DataFrame, row: int, name: str, domain: str, unit: str, first: float, last: float
) -> pd.DataFrame:
    """A row of numbers that no catalogue knows; every tenth is a range, words, or two goals in one cell."""
    values = np.linspace(first, last, len(like)).round(1)
    frame = like.assign(
        indicator=names.LOCAL + names.folded(name), name=f"{name}({unit})", domain=domain, unit=unit, row=row,
        published_unit=unit, kind="point", operator="=", value=values, published_value=values, resolution=0.1,
        raw=values.astype(str), state=np.nan, core=False, observational=False, marker="",
    )  # fmt: skip
    later = frame["role"] == "target"
    if "丁" in name:
        raw = frame["raw"] + "—" + (values + 1).astype(str)
        ends = {"kind": "range", "value_low": values, "value_high": values + 1, "raw": raw}
        return frame.assign(**{key: frame[key].mask(later, value) for key, value in ends.items()})
    if "己" in name:
        said = {"kind": "words", "operator": "", "value": np.nan, "published_value": np.nan, "raw": "逐年提高"}
        return frame.assign(**{key: frame[key].mask(later, value) for key, value in said.items()})
    return frame


def county(region: str, common: int, local: list[tuple[str, str, str, float, float]]) -> pd.DataFrame:
    """A plan with as many of the common rows of another one, and local ones; its numbers restart, or are absent."""
    model = four_plans().query("region == '330213'").assign(region=region, region_name=names.region_name(region))
    rows = [own for _, own in model.groupby("row") if own["row"].iloc[0] <= common]
    rows += [local_row(rows[0], 0, *row) for row in local]
    numbers = [pd.NA, *range(3, 0, -1)]
    return pd.concat([own.assign(row=i, number=numbers[i % 4]) for i, own in enumerate(rows, 1)], ignore_index=True)


@pytest.fixture(scope="module")
def plans() -> Plans:
    """The four plans, one of 8 rows, one of 45, and four whose local rows are partly those of others: 10 counties."""
    made = [four_plans(), county(EIGHT, 5, [OWN[10], OWN[14], OWN[20]]), county(MANY, 21, OWN)]
    for place, region in enumerate(("330203", "330205", "330206", "330211")):
        alone = [(f"自定仅{'东南西北'[place]}部一县有的{n}率", "劳有所得", "%", 50.0, 60.0) for n in "甲乙丙丁戊"]
        made.append(county(region, 21, OWN[place : place + 6] + alone))
    together = pd.concat(made, ignore_index=True).astype({"number": "Int64"})
    assert together.drop_duplicates(["region", "indicator"])["region"].value_counts()[[EIGHT, MANY]].tolist() == [8, 45]
    return Plans(together)


@pytest.fixture(scope="module")
def targets(plans: Plans) -> pd.DataFrame:
    return plans.targets


def frames(plans: Plans) -> dict[str, pd.DataFrame]:
    return {kind: plans.results(kind) for kind in ("trajectory", "ambition", "dispersion", "association", "verdicts")}


@pytest.fixture(scope="module")
def found(plans: Plans) -> dict[str, pd.DataFrame]:
    return frames(plans)


def tables_of(targets: pd.DataFrame, found: dict[str, pd.DataFrame], region: str, lang: str) -> Iterator[pd.DataFrame]:
    yield table_printed(targets, region, lang)
    yield table_domains(final_positions(panel(targets), region), targets, region, lang)
    yield table_ambition(targets, found["ambition"], region, lang)
    yield table_timing(found["trajectory"], region, lang)
    yield table_measure(found["trajectory"], "front_loading", lang)
    yield table_measure(found["ambition"], "change", lang)
    yield table_convergence(found["dispersion"], found["verdicts"], lang)
    yield from (table_verdicts(found["verdicts"], kind, lang) for kind in WORDS)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("region", [EIGHT, MANY])
@pytest.mark.parametrize("plot", OF_ONE)
def test_nothing_is_cut_off_or_covered(plans: Plans, plot: type, region: str, lang: str) -> None:
    assert covered(plans.draw(plot, region, lang)) == []


@pytest.mark.parametrize("plot", OF_ALL)
def test_ten_counties_and_many_indicators_stay_readable(plans: Plans, plot: type) -> None:
    figure, targets = plans.draw(plot), plans.targets
    assert covered(figure) == []
    shown = "".join(texts(figure))
    single = (names.indicators_shown(targets)["printing"] == 1).sum()
    assert single > 30 and f"另有 {single} 项只有一个县印制" in shown.replace("\n", "")
    assert "自定仅" not in shown and "9 县印制" in shown
    assert "自定指标第甲项服务覆盖率" in shown or plot in (
        figures.plot_ambition,
        figures.plot_baseline_change,
        figures.plot_convergence,
    )


def test_few_counties_say_how_many_print_an_indicator_too(targets: pd.DataFrame) -> None:
    three = targets[targets["region"].isin([EIGHT, MANY, "330282"])]
    shown = texts(drawn(figures.plot_trajectory, three))
    assert any("3 县印制" in text for text in shown) and any("2 县印制" in text for text in shown)
    assert not any("1 县印制" in text for text in shown)
    alone = texts(drawn(figures.plot_trajectory, targets[targets["region"] == MANY]))
    assert not any("县印制" in text for text in alone) and "自定甲类困难人员帮扶率" in alone


def test_the_grid_fits_the_rows(plans: Plans) -> None:
    drawn = [plans.draw(figures.plot_trajectory, region) for region in (EIGHT, "330213", MANY)]
    heights = [figure.get_figheight() for figure in drawn]
    assert heights == sorted(heights) and heights[0] < 0.6 * heights[1]
    table = scene_of(plans.targets, EIGHT).own
    assert table["domain"].nunique() == 5 and len(table) == 8
    heights = [lines_height(domain_lines(part)) for part in (table, table.head(COLUMNS))]
    assert heights[0] == pytest.approx(3 * heights[1])  # 3, 2 + 1, 1 + 1 panels


@pytest.mark.parametrize("lang", LANGS)
def test_a_county_shows_its_local_rows_everywhere(
    plans: Plans, targets: pd.DataFrame, found: dict[str, pd.DataFrame], lang: str
) -> None:
    ours = {names.folded(row[0]) for row in OWN}
    panels = " ".join(texts(plans.draw(figures.plot_trajectory, MANY, lang))).replace("\n", "")
    assert all(name in panels for name in ours - {names.folded(LONG)}) and names.folded(LONG)[:15] in panels
    first, second = (names.domain_name(domain, lang) for domain in ("体有强健特色领域", "文有雅乐"))
    assert first in panels and second in panels
    own = targets[targets["region"] == MANY]
    nothing = pd.DataFrame(columns=["region", "indicator", "severity", "rule"])
    frames = targets, nothing, found["trajectory"], found["ambition"]
    tiles = find_tiles(*frames, MANY, lang)
    assert len(tiles) == 45 and tiles["domain"].drop_duplicates().tolist()[-2:] == ["体有强健特色领域", "文有雅乐"]
    html = render_glance(*frames, found["verdicts"], MANY, lang)
    assert all(name in html for name in ours) and first in html
    printed, domains, change, timing = list(tables_of(targets, found, MANY, lang))[:4]
    assert len(printed) == len(change) == len(timing) == 45
    assert ours < set(printed.iloc[:, 0]) and ours < set(change.iloc[:, 0]) and ours < set(timing.iloc[:, 0])
    assert domains.iloc[:, 0].tolist()[-2:] == [first, second] and domains.iloc[:, 1].sum() == 45
    said = tell_overview(targets, MANY, lang)
    assert " 24 " in said[0] and len(said) == 1
    assert own["indicator"].nunique() == 45


@pytest.mark.parametrize("lang", LANGS)
def test_nobody_calls_a_row_better_whose_direction_is_unknown(
    plans: Plans, targets: pd.DataFrame, found: dict[str, pd.DataFrame], lang: str
) -> None:
    sentences = tell_standing(final_positions(panel(targets), MANY), {}, targets, MANY, lang) + tell_ambition(
        found["ambition"], found["trajectory"], found["verdicts"], MANY, lang
    )
    sentences += compare_ambition(found["ambition"], found["verdicts"], targets, lang)
    said = [text for text in sentences if not re.search("各目标年的数值|The same numbers", text)]  # no word of better
    assert said and not [text for text in said if "自定" in text]
    for plot in (figures.plot_ambition, figures.plot_standing):
        shown = texts(plans.draw(plot, MANY, lang))
        assert not [text for text in shown if "自定" in text]
        assert [text for text in shown if re.search(r"\b24\b", text)]
    change = table_ambition(targets, found["ambition"], MANY, lang).set_index(message("tab_indicator", lang))
    local = change[change.index.str.startswith("自定")]
    assert (local.iloc[:, 2:5] == "—").all(axis=None)
    for kind in ("ambition", "profile"):
        told = render_table(table_verdicts(found["verdicts"], kind, lang), "")
        assert "自定" not in told and "文有雅乐" not in told


@pytest.mark.parametrize("lang", LANGS)
def test_no_label_has_a_number_and_no_number_decides_anything(
    plans: Plans, targets: pd.DataFrame, found: dict[str, pd.DataFrame], lang: str
) -> None:
    shuffled = targets.assign(number=targets["number"].to_numpy()[::-1])
    other_plans = Plans(shuffled)
    again = frames(other_plans)
    for region in (EIGHT, MANY, "330213"):
        pairs = zip(tables_of(targets, found, region, lang), tables_of(shuffled, again, region, lang), strict=True)
        for place, (one, other) in enumerate(pairs):
            labels = one.iloc[:, 0]
            assert not labels.str.match(r"\d").any()
            one, other = (frame.drop(columns=frame.columns[1]) if place == 0 else frame for frame in (one, other))
            pd.testing.assert_frame_equal(one, other)
    for plot in OF_ONE:
        assert texts(plans.draw(plot, MANY, lang)) == texts(other_plans.draw(plot, MANY, lang))
    shown = set(scene_of(targets, MANY, lang).indicators["name"])
    said = texts(plans.draw(figures.plot_trajectory, MANY, lang)) + texts(plans.draw(figures.plot_timing, lang=lang))
    assert shown & set(said) and not [
        text for text in said for name in shown if re.match(rf"\d+\W+{re.escape(name)}", text)
    ]


def test_the_printed_number_stands_in_the_printed_table_alone(targets: pd.DataFrame) -> None:
    table = table_printed(targets, MANY, "zh")
    assert table["序号"].tolist()[:5] == ["3", "2", "1", "", "3"]
    assert table["指标"].tolist()[:2] == ["千人托位数", "普惠托位占比"]


def test_indicators_come_by_domain_then_catalogue_then_place(targets: pd.DataFrame) -> None:
    shown = names.indicators_shown(targets, MANY)
    domains = shown["domain"].drop_duplicates().tolist()
    assert domains[-2:] == ["体有强健特色领域", "文有雅乐"] and domains[0] == "幼有善育"
    school = shown[(shown["domain"] == "学有优教") & shown.index.isin(scene_of(targets, MANY).own.index)]
    assert school["number"].tolist()[:3] == [4, 5, 6] and school["number"].iloc[3:].isna().all()
    assert school["row"].iloc[3:].is_monotonic_increasing
    assert shown.loc["nursery_places", "printing"] == 10
    assert shown.loc[names.LOCAL + "自定指标第甲项服务覆盖率", "printing"] == 2


@pytest.mark.parametrize("lang", LANGS)
def test_a_comparison_says_how_many_print_what(
    targets: pd.DataFrame, found: dict[str, pd.DataFrame], lang: str
) -> None:
    said = tell_compared(targets, lang)
    single = (names.indicators_shown(targets)["printing"] == 1).sum()
    (named,) = [text for text in said if "自定" in text]
    assert re.search(rf"\b{single}\b", named) and named.count("自定") <= 12
    table = table_measure(found["trajectory"], "front_loading", lang)
    heads = message("tab_indicator", lang), message("tab_printing", lang)
    counts = table.set_index(heads[0])[heads[1]]
    assert counts[names.indicator_name("nursery_places", lang)] == 10
    four = tell_compared(four_plans(), lang)
    assert len(four) == 2 and "20" in four[1]  # the two definitions of unemployment are printed by some only


def test_a_desk_compares_what_two_counties_print(targets: pd.DataFrame) -> None:
    shown = names.indicators_shown(targets)
    rows = desk.as_shown(measures.trajectory(targets), shown)
    order = rows["indicator"].drop_duplicates().tolist()
    assert order == [code for code in shown.index if code in set(order)]


def test_a_domain_of_the_plans_own_may_be_asked_for(plans: Plans) -> None:
    figure = plans.draw(figures.plot_trajectory, MANY, domain="体有强健特色领域")
    assert "自定每万人设施甲数" in texts(figure) and "千人托位数" not in texts(figure)


def test_units_that_differ_are_not_drawn_together(targets: pd.DataFrame) -> None:
    code = names.LOCAL + "自定每万人设施甲数"
    two = targets[targets["region"].isin([MANY, "330203"])]
    other = two[two["indicator"] == code].assign(region="330203", unit="亩", published_unit="亩")
    mixed = pd.concat([two, other], ignore_index=True)
    assert "自定每万人设施甲数" not in texts(drawn(figures.plot_trajectory, mixed))
    entry = scene_of(mixed, "330203").own.loc[code]
    assert entry["alone"] and entry["unit_name"] == "亩"
