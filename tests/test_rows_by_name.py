"""A row is who its printed name says it is: made-up plans of any rows, years and numbers through all that follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples import examples
from forms import csv_form
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from qyx_analysis import catalogue, measures, names
from qyx_analysis.cells import parse_cell
from qyx_analysis.export.difference import difference
from qyx_analysis.export.workbook import to_xlsx
from qyx_analysis.measures.panel import panel
from qyx_analysis.notebook.show import frame_html
from qyx_analysis.tidy.reading import typed
from qyx_analysis.tidy.rows import measured
from qyx_analysis.wings.monitoring import judging
from qyx_analysis.wings.monitoring.forms import actuals_form, read_actuals

COUNTIES = ("330213", "330282", "330922", "330681")
YEARS = tuple(range(2022, 2028))
FITNESS, SITES, TRAILS = "local:国民体质合格率", "local:新增健身点数", "local:步道"
KNOWN = catalogue.indicators().set_index("code")
ALL = ("trajectory", "ambition", "association", "dispersion", "domain_dispersion", "verdicts")
Rows = Mapping[str, str | tuple[str, str]]  # of a code: its cells, or its unit and its cells


def plan(region: str, rows: Rows, years: Iterable[int] = YEARS, baseline: int = 2022) -> pd.DataFrame:
    """The tidy targets of one plan that numbers its rows as they stand."""
    records = []
    for place, (code, said) in enumerate(rows.items(), 1):
        known = KNOWN.loc[code] if code in KNOWN.index else None
        unit, cells = said if isinstance(said, tuple) else ("%" if known is None else known["unit"], said)
        row = {"region": region, "region_name": names.region_name(region), "level": "county", "indicator": code}
        row |= {"row": place, "number": place, "unit": unit, "document": "made", "locator": f"row {place}"}
        row |= {"name": code.removeprefix("local:") if known is None else f"{known['name_zh']}({unit})"}
        row |= {"domain": "体有强健" if known is None else known["domain"], "core": False, "observational": False}
        for year, cell in zip(years, cells.split(), strict=True):
            about = row | {"year": year, "role": "baseline" if year == baseline else "target", "raw": cell}
            records.append(about | _cell(cell, row | {"printed_unit": unit}))
    return typed(pd.DataFrame(records))


def _cell(text: str, row: dict) -> dict:
    """What a cell says; ``28~30`` is a range of which the weaker end is committed."""
    low, wave, high = text.partition("~")
    if wave:
        ends = {"value_low": float(low), "value_high": float(high), "value": float(low)}
        return {"kind": "range", "operator": "", "resolution": 1.0} | ends
    if text in ("words", "several"):
        return {"kind": text, "operator": ""}
    return measured(parse_cell(text), row)


def together(*plans: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(plans, ignore_index=True)


def measures_of(targets: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {name: getattr(measures, name)(targets) for name in ALL}


def of(frame: pd.DataFrame, code: str, region: str = "") -> pd.DataFrame:
    rows = frame[(frame["indicator"] == code) & ((frame["region"] == region) if region else True)]
    return rows.set_index("measure")


# --- local rows are measured like any other ---------------------------------------------------------------


def province(cells: Mapping[str, Rows]) -> pd.DataFrame:
    return together(*(plan(region, rows) for region, rows in cells.items()))


def test_a_local_row_is_measured_as_far_as_no_direction_is_needed():
    targets = plan(COUNTIES[0], {FITNESS: "80 84 86 88 89 90"})
    known = plan(COUNTIES[0], {"wage_arrears_resolved": "80 84 86 88 89 90"})
    path, moved = of(measures.trajectory(targets), FITNESS), of(measures.ambition(targets), FITNESS)
    as_known = of(measures.trajectory(known), "wage_arrears_resolved").drop(["reversals", "required_yearly_pace"])
    columns = ["value", "lo", "hi", "n", "status", "flags"]
    pd.testing.assert_frame_equal(path.loc[as_known.index, columns], as_known[columns])
    assert path.loc["required_yearly_pace", ["value", "status", "flags"]].tolist() == [2.0, "ok", "as_printed"]
    assert path.loc["reversals", "status"] == "direction_unknown" and np.isnan(path.loc["reversals", "value"])
    assert moved["status"].to_dict() == {
        "change": "direction_unknown", "gap_closure": "no_limit",
        "relative_change": "direction_unknown", "logit_change": "direction_unknown",
    }  # fmt: skip
    assert moved["value"].isna().all()


def test_counties_that_print_one_name_and_unit_are_compared():
    local = {region: {FITNESS: f"{80 + at} 84 86 88 89 {90 + at / 2}"} for at, region in enumerate(COUNTIES)}
    known = {region: {"wage_arrears_resolved": cells[FITNESS]} for region, cells in local.items()}
    ours, theirs = measures_of(province(local)), measures_of(province(known))
    spread, as_known = of(ours["dispersion"], FITNESS), of(theirs["dispersion"], "wage_arrears_resolved")
    both = ["mean", "range", "sd", "gini_mean_difference", "logit_sd", "sd_ratio", "logit_sd_ratio"]
    assert spread.loc[both, "value"].tolist() == as_known.loc[both, "value"].tolist()
    assert spread.loc["convergence", "status"] == as_known.loc["convergence", "status"]
    card = of(ours["association"], FITNESS)
    assert card.loc["sd_ratio", "value"] == of(theirs["association"], "wage_arrears_resolved").loc["sd_ratio", "value"]
    firm = ours["verdicts"].query("indicator == @FITNESS").groupby("kind")["status"].agg(set)
    assert firm["ambition"] == {"direction_unknown"} and firm["convergence"] != {"not_comparable"}
    assert ours["verdicts"].query("kind == 'profile'")["status"].tolist() == ["not_comparable"] * 4


@pytest.mark.parametrize(
    ("units", "cells", "status"),
    [
        (["公里", "米", "公里", "公里"], "1 2 3 4 5 6", "not_comparable"),
        (["%", "个", "%", "%"], "1 2 3 4 5 600", "not_comparable"),  # 600 is no share, and no logit is taken of it
        (["个"] * 4, "1 2 3 4 5 6", "absolute_count"),
    ],
)
def test_what_has_other_units_or_grows_with_population_is_not_compared(units, cells, status):
    targets = together(*(plan(region, {TRAILS: (u, cells)}) for region, u in zip(COUNTIES, units, strict=True)))
    found = measures_of(targets)
    assert set(of(found["dispersion"], TRAILS)["status"]) == {status}
    assert set(of(found["association"], TRAILS)["status"]) == {status}
    assert found["verdicts"].query("kind == 'convergence'")["status"].tolist() == [status]
    assert set(found["domain_dispersion"]["status"]) == {"too_few"}
    assert set(of(found["trajectory"], TRAILS).loc["front_loading", "status"]) & {"ok", "unresolved"}
    assert not found["ambition"]["flags"].str.contains("identical").any() or status == "absolute_count"


def test_a_local_count_is_compared_where_a_population_is_given():
    targets = together(*(plan(region, {SITES: ("个", f"{at} 2 3 4 5 9")}) for at, region in enumerate(COUNTIES, 1)))
    spread = of(measures.dispersion(targets.assign(population=100_000)), SITES)
    assert spread.loc["convergence", "status"] != "absolute_count" and spread["flags"].str.contains("resident").any()


# --- any years, any number of rows ------------------------------------------------------------------------


def test_a_range_commits_to_its_weaker_end_and_is_open_to_the_other():
    targets = plan(COUNTIES[0], {"care_workers": "20 22 24 26 28 28~32"})
    p = panel(targets, names.indicators_of(targets))
    assert (p.value[0, -1], p.lo[0, -1], p.hi[0, -1], p.bounded[0, -1]) == (28, 28, 32, True)
    change = of(measures.ambition(targets), "care_workers").loc["change"]
    assert change[["value", "lo", "hi", "status", "flags"]].tolist() == [8, 7.5, 12.5, "ok", "bounded"]


def test_words_and_two_goals_in_a_cell_are_no_numbers():
    targets = plan(COUNTIES[0], {"care_workers": "20 22 24 26 28 words", FITNESS: "80 several 84 86 88 several"})
    assert measures.ambition(targets).query("measure == 'change'")["status"].tolist() == ["words", "words"]


def test_without_a_baseline_the_change_is_not_measured_and_the_timing_is_that_of_the_targets():
    targets = plan(COUNTIES[0], {"care_workers": "22 24 26 28 32", FITNESS: "10 20 30 40 90"}, range(2023, 2028))
    found = measures_of(targets)
    assert set(found["ambition"].query("measure == 'change'")["status"]) == {"no_baseline"}
    timing = of(found["trajectory"], FITNESS)
    assert timing.loc["front_loading", "status"] == "no_baseline"
    assert timing.loc["front_loading_2023_2027", ["value", "status"]].tolist() == [-0.5, "ok"]


def test_years_apart_are_bridged_and_said_so():
    targets = plan(COUNTIES[0], {FITNESS: "70 74 82 90", "care_workers": "20 22 26 30"}, (2022, 2023, 2025, 2027))
    timing = of(measures.trajectory(targets), FITNESS)
    assert timing.loc["front_loading", ["value", "status", "flags"]].tolist() == [0.0, "ok", "interpolated"]
    assert timing.loc["share_by_2024", "status"] == "gap" and timing.loc["share_by_2025", "value"] == 0.6
    assert timing.loc["required_yearly_pace", "value"] == 4.0
    measures_of(targets)


def test_a_plan_of_other_years_changes_nothing_in_those_of_the_most():
    usual = {region: {"care_workers": f"{20 + at} 22 24 26 28 {32 + at}"} for at, region in enumerate(COUNTIES[:3])}
    other = plan(COUNTIES[3], {"care_workers": "10 15 20 25 30 35 40 45 50 55"}, range(2021, 2031), 2021)
    alone, mixed = measures_of(province(usual)), measures_of(together(province(usual), other))
    for name in ("trajectory", "ambition"):
        own = mixed[name][mixed[name]["region"] != COUNTIES[3]].reset_index(drop=True)
        pd.testing.assert_frame_equal(own, alone[name])
    theirs = mixed["ambition"][mixed["ambition"]["region"] == COUNTIES[3]]
    assert theirs["value"].isna().all() and set(theirs["status"]) <= {"no_baseline", "no_limit"}  # 2022 is its target
    years = mixed["dispersion"].query("measure == 'sd'").set_index("year")["n"]
    assert years.to_dict() == {2022: 3} | dict.fromkeys(range(2023, 2028), 4)


@pytest.mark.parametrize("n", [1, 8, 45])
def test_a_plan_of_any_length_goes_through_everything(tmp_path, n):
    codes = [*KNOWN.index.drop("unemployment_surveyed"), *(f"local:本地指标{at}" for at in range(40))][-n:]
    rows = {code: ("%" if code not in KNOWN.index else KNOWN.at[code, "unit"], "1 2 3 4 5 6") for code in codes}
    targets = together(*(plan(region, rows) for region in COUNTIES))
    found = measures_of(targets)
    for name in ("trajectory", "ambition"):
        assert found[name].drop_duplicates(["region", "indicator"]).shape[0] == 4 * n
    assert found["dispersion"]["indicator"].nunique() == n
    form = load_workbook(BytesIO(actuals_form(targets, COUNTIES[0], [2024]))).worksheets[0]
    assert form.max_row == n + 1
    book = load_workbook(BytesIO(to_xlsx({"targets": targets} | found)))
    assert book.worksheets[0].max_row == 4 * n + 1


# --- order ------------------------------------------------------------------------------------------------


def test_indicators_go_by_domain_catalogue_and_place_in_the_plan():
    codes = [TRAILS, "life_expectancy", "unemployment_surveyed", FITNESS, "nursery_places", "unemployment_registered"]
    frame = pd.DataFrame({"indicator": codes, "domain": ["劳有所得", "", "", "", "", ""], "row": [9, 1, 2, 3, 4, 5]})
    assert names.in_order(frame, ["indicator"])["indicator"].tolist() == [
        "nursery_places", "unemployment_registered", "unemployment_surveyed", TRAILS, "life_expectancy", FITNESS,
    ]  # fmt: skip


# --- forms, monitoring, workbook --------------------------------------------------------------------------

MIXED: Rows = {
    FITNESS: "80 84 86 88 89 90",
    "care_workers": "20 22 24 26 28 28~32",
    SITES: ("个", "1 2 3 4 5 6"),
    "nursery_places": "3.5 4 4.5 5 5.3 5.5",
    "premature_mortality": "9.5 9.1 9 8.9 8.8 8.7",
}


def filled(folder: Path, targets: pd.DataFrame, region: str = COUNTIES[0]) -> Path:
    """The form of a county with a value in every row."""
    book = load_workbook(BytesIO(actuals_form(targets, region, [2023])))
    sheet = book.worksheets[0]
    heads = [str(cell.value).partition("\n")[0] for cell in sheet[1]]
    for line in range(2, sheet.max_row + 1):
        sheet.cell(line, heads.index("实际值") + 1).value = line
    book.save(folder / "form.xlsx")
    return folder / "form.xlsx"


def test_a_form_is_in_the_order_of_the_plan_and_read_back_by_name(tmp_path):
    targets = plan(COUNTIES[0], MIXED)
    forms = read_actuals([filled(tmp_path, targets.sample(frac=1, random_state=1))], targets)
    assert forms.problems == []
    values = dict(zip(forms.actuals["indicator"], forms.actuals["value"], strict=True))
    assert values == {code: line for line, code in enumerate(MIXED, 2)}
    judged = judging.monitoring(targets, forms.actuals).set_index("indicator")
    assert judged.loc[[FITNESS, SITES], "reason"].tolist() == ["direction_unknown"] * 2
    judgements = {
        "nursery_places": "achieved",
        "premature_mortality": "achieved",
        "care_workers": "worse_than_baseline",
    }
    assert judged["status"].drop([FITNESS, SITES]).to_dict() == judgements
    assert judged["number"].fillna(0).to_dict() == {
        "nursery_places": 1, "premature_mortality": 11, "care_workers": 13, FITNESS: 0, SITES: 0,
    }  # fmt: skip


@pytest.mark.parametrize(("unit", "value"), [("万人", 2.5), ("人", 25_000), ("岁", None)])
def test_a_local_value_is_converted_to_the_unit_of_its_plan_or_refused(tmp_path, unit, value):
    targets = plan(COUNTIES[0], {"local:养老床位服务人数": ("万人", "1 2 3 4 5 6")})
    line = f"{COUNTIES[0]},养老床位服务人数,2023,{value or 1},{unit},return,"
    forms = read_actuals([csv_form(tmp_path, line)], targets)
    assert forms.actuals["value"].tolist() == ([2.5] if value else [])
    assert [problem.key for problem in forms.problems] == ([] if value else ["form_unit"])


def test_a_range_is_met_from_its_committed_end_on(tmp_path):
    targets = plan(COUNTIES[0], {"care_workers": "20 22~26 24 26 28 32"})
    for value, status in ((22, "achieved"), (21, "behind"), (30, "achieved")):
        line = f"{COUNTIES[0]},care_workers,2023,{value},人,return,"
        (row,) = judging.monitoring(targets, read_actuals([csv_form(tmp_path, line)], targets).actuals).itertuples()
        assert (row.status, row.required, row.flags) == (status, 22, "bounded")


def test_words_and_several_goals_are_not_owed(tmp_path):
    targets = plan(COUNTIES[0], {"care_workers": "20 words several 26 28 32"})
    rows = judging.monitoring(targets, read_actuals([], targets).actuals, as_of="2024")
    assert rows["reason"].tolist() == ["words", "words"]


def test_frames_are_shown_by_name():
    html = frame_html(measures.trajectory(plan(COUNTIES[0], MIXED)).head(40))
    assert ">国民体质合格率<" in html and "13 万老护理员数" not in html


# --- the printed number changes nothing but itself --------------------------------------------------------

numberings = st.lists(st.one_of(st.none(), st.integers(1, 50)), min_size=len(MIXED), max_size=len(MIXED))


def renumbered(targets: pd.DataFrame, numbers: list[int | None]) -> pd.DataFrame:
    told = dict(enumerate(numbers, 1))
    return targets.assign(number=targets["row"].map(told).astype("Int64"))


def sheets(content: bytes, without: str) -> dict[str, list[tuple]]:
    """All cells of a workbook but the column of the printed number."""
    book = load_workbook(BytesIO(content))
    found = {}
    for sheet in book.worksheets:
        rows = list(sheet.iter_rows(values_only=True))
        kept = [at for at, head in enumerate(rows[0]) if str(head).partition("\n")[0] not in without.split("|")]
        found[sheet.title] = [tuple(row[at] for at in kept) for row in rows]
    return found


@examples(4)
@given(numberings, numberings)
def test_shuffling_removing_or_restarting_numbers_changes_nothing(tmp_path_factory, first, second):
    folder = tmp_path_factory.mktemp("numbers")
    usual = together(*(plan(region, MIXED) for region in COUNTIES[:3]), plan(COUNTIES[3], {TRAILS: "1 2 3 4 5 6"}))
    other = together(
        *(renumbered(own, first if at % 2 else second) for at, (_, own) in enumerate(usual.groupby("region")))
    )
    other = other.set_index(["region", "row", "year"]).loc[usual.set_index(["region", "row", "year"]).index]
    other = other.reset_index()[usual.columns]
    tables = []
    for targets in (usual, other):
        forms = read_actuals([filled(folder, targets)], targets)
        assert forms.problems == []
        judged = judging.monitoring(targets, forms.actuals, as_of="2024")
        tables.append(
            measures_of(targets)
            | {"actuals": forms.actuals, "monitoring": judged, "rankings": judging.rankings(judged)}
            | {"open_items": judging.open_items(judged)}
        )
    for name, table in tables[0].items():
        pd.testing.assert_frame_equal(table, tables[1][name])
    books = [to_xlsx({"targets": targets} | made) for targets, made in zip((usual, other), tables, strict=True)]
    assert len({str(sheets(book, "序号|印制序号")) for book in books}) == 1
    written = [sheets(actuals_form(targets, COUNTIES[0], [2024]), "序号") for targets in (usual, other)]
    assert written[0] == written[1]
    changed = difference({"targets": usual}, {"targets": other})
    assert set(changed["field"]) <= {"number"}
