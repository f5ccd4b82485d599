"""Every rule of the judgement, computed by hand; rankings with ties and coverage; items that open and close."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from examples import examples
from forms import planned, planned_in, reported
from hypothesis import given
from hypothesis import strategies as st

from qyx_analysis import catalogue
from qyx_analysis.wings.monitoring.judging import monitoring, open_items, rankings

NURSERY = "3.5 4 4.5 5 5.3 5.5"
UNITS = {"nursery_places": "个", "training_cumulative": "万人次", "long_term_care_insured": "万人"}
UNITS |= {"rental_housing_cumulative": "万套", "dibao_standard": "元", "care_workers": "人"}


def judged(folder: Path, indicator: str, cells: str, *values: tuple[str, str], **options) -> pd.DataFrame:
    targets = planned(indicator, cells)
    lines = [f"330213,{indicator},{period},{value},{UNITS.get(indicator, '')},return," for period, value in values]
    return monitoring(targets, reported(folder, targets, *lines), **options)


# Indicator, printed row from 2022 on, period, actual value -> status or reason, what it is judged against, flags.
RULES = {
    "a target is met by its own number": ("nursery_places", NURSERY, "2024", "4.5", "achieved", 4.5, ""),
    "and by more": ("nursery_places", NURSERY, "2024", "4.6", "achieved", 4.5, ""),
    "less is behind": ("nursery_places", NURSERY, "2024", "4.4", "behind", 4.5, ""),
    "less than the baseline is worse": ("nursery_places", NURSERY, "2024", "3.4", "worse_than_baseline", 4.5, ""),
    "but not within its rounding": ("nursery_places", NURSERY, "2024", "3.46", "behind", 4.5, ""),
    "rounding could reach the target": ("nursery_places", "3 4.4 5 5 5 5", "2023", "4", "behind", 4.4, "unresolved"),
    "lower is better: met": ("premature_mortality", "9.5 9.3 9.1 8.9 8.7 8.5", "2023", "9.3", "achieved", 9.3, ""),
    "lower is better: behind": ("premature_mortality", "9.5 9.3 9.1 8.9 8.7 8.5", "2023", "9.4", "behind", 9.3, ""),
    "lower is better: worse": (
        "premature_mortality", "9.5 9.3 9.1 8.9 8.7 8.5", "2023", "9.6", "worse_than_baseline", 9.3, "",
    ),
    "below 3.5 is not 3.5": (
        "unemployment_registered", "1.16 <3.5 <3.5 <3.5 <3.5 <3.5", "2024", "3.5", "worse_than_baseline", 3.5,
        "bounded;weaker",
    ),
    "a weaker target is met, and the value is named as worse": (
        "unemployment_registered", "1.16 <3.5 <3.5 <3.5 <3.5 <3.5", "2024", "3.4", "achieved", 3.5,
        "bounded;weaker;below_baseline",
    ),
    "a weaker target, kept better": (
        "unemployment_registered", "1.16 <3.5 <3.5 <3.5 <3.5 <3.5", "2024", "1.1", "achieved", 3.5, "bounded;weaker",
    ),
    "what a weakening plan allows at the year's end it allows before": (
        "unemployment_registered", "1.16 <3.5 <3.5 <3.5 <3.5 <3.5", "2023Q2", "3", "on_path", 3.5,
        "bounded;weaker;year_reached;below_baseline",
    ),
    "at least 32 is 32": ("care_workers", "30 ≥32 ≥32 ≥32 ≥32 ≥32", "2023", "32", "achieved", 32, "bounded"),
    "at least 32 is not 31": ("care_workers", "30 ≥32 ≥32 ≥32 ≥32 ≥32", "2023", "31", "behind", 32, "bounded"),
    "over 14000 is not 14000": ("dibao_standard", "12600 >14000 / / / /", "2023", "14000", "behind", 14000, "bounded"),
    "over 14000": ("dibao_standard", "12600 >14000 / / / /", "2023", "14001", "achieved", 14000, "bounded"),
    "half of a strict bound's way": (
        "dibao_standard", "12600 >14000 / / / /", "2023Q2", "13300", "on_path", 13300, "bounded",
    ),
    "a quarter against the line": ("nursery_places", NURSERY, "2024Q2", "4.25", "on_path", 4.25, ""),
    "below the line": ("nursery_places", NURSERY, "2024Q2", "4.2", "behind", 4.25, ""),
    "a quarter is not judged by the year": ("nursery_places", NURSERY, "2024Q1", "4.13", "on_path", 4.125, ""),
    "the year's target within the year": (
        "nursery_places", NURSERY, "2024Q3", "4.5", "on_path", 4.375, "year_reached",
    ),
    "a target held within the year": (
        "disabled_home_coverage", "100 100 100 100 100 100", "2024Q2", "100", "on_path", 100, "",
    ),
    "a month against the line": ("nursery_places", NURSERY, "2024-07", "4.28", "behind", 4 + 0.5 * 7 / 12, ""),
    "the fourth quarter is the year": ("nursery_places", NURSERY, "2024Q4", "4.49", "behind", 4.5, ""),
    "cumulative within the year": (
        "training_cumulative", "2 3.7 5.4 7.1 8.8 10.5", "2024Q1", "4.1", "behind", 4.125, "unresolved",
    ),
    "the first year starts at the baseline": ("nursery_places", NURSERY, "2023Q2", "3.75", "on_path", 3.75, ""),
    "not planned to pass yet": (
        "preschool_assessment", "前期准备 申报 通过 通过 通过 通过", "2023", "未通过", "on_path", 0, "from_text",
    ),
    "passed early": (
        "preschool_assessment", "前期准备 申报 通过 通过 通过 通过", "2023", "通过", "achieved", 0, "from_text",
    ),
    "passing is due at the year's end": (
        "preschool_assessment", "前期准备 申报 通过 通过 通过 通过", "2024Q3", "申报", "on_path", 0, "from_text",
    ),
    "passed within the year": (
        "preschool_assessment", "前期准备 申报 通过 通过 通过 通过", "2024Q3", "通过", "on_path", 0,
        "from_text;year_reached",
    ),
    "not passed in time": (
        "preschool_assessment", "前期准备 申报 通过 通过 通过 通过", "2024", "申报", "behind", 100, "from_text",
    ),
    "no longer passed": (
        "preschool_assessment", "通过 通过 通过 通过 通过 通过", "2024", "未通过", "worse_than_baseline", 100,
        "from_text",
    ),
    "states as numbers": ("preschool_assessment", "0 100 100 100 100 100", "2023", "100", "achieved", 100, ""),
    "full of a headcount by the word": (
        "long_term_care_insured", "47.8 49.51 全覆盖 全覆盖 全覆盖 全覆盖", "2024", "全覆盖", "achieved", None,
        "from_text",
    ),
    "full of a headcount by a number": (
        "long_term_care_insured", "47.8 49.51 全覆盖 全覆盖 全覆盖 全覆盖", "2024", "50", "words", None, "",
    ),
    "a headcount by the word": (
        "long_term_care_insured", "47.8 49.51 全覆盖 全覆盖 全覆盖 全覆盖", "2023", "全覆盖", "words", None, "",
    ),
    "full of a share is 100": (
        "disabled_home_coverage", "75 全覆盖 全覆盖 全覆盖 全覆盖 全覆盖", "2023", "99", "behind", 100, "from_text",
    ),
    "full of a share by the word": (
        "disabled_home_coverage", "75 100 100 100 100 100", "2023", "全覆盖", "achieved", 100, "from_text",
    ),
    "held": ("disabled_home_coverage", "100 100 100 100 100 100", "2023", "100", "achieved", 100, ""),
    "not held": ("disabled_home_coverage", "100 100 100 100 100 100", "2023", "99", "worse_than_baseline", 100, ""),
    "not held, within rounding": (
        "disabled_home_coverage", "100 100 100 100 100 100", "2023", "99.6", "behind", 100, "",
    ),
    "no baseline, met": ("tertiary_enrolment", "/ 70 71 72 73 74", "2023", "70", "achieved", 70, ""),
    "no baseline, missed": ("tertiary_enrolment", "/ 70 71 72 73 74", "2023", "69", "behind", 70, ""),
    "no baseline, no path": ("tertiary_enrolment", "/ 70 71 72 73 74", "2023Q2", "69", "no_path", None, ""),
    "no baseline, and there already": (
        "tertiary_enrolment", "/ 70 71 72 73 74", "2023Q2", "70", "on_path", 70, "year_reached",
    ),
    "a gap in the targets is not filled": ("tertiary_enrolment", "60 70 / 72 73 74", "2024", "80", "missing", None, ""),
    "nor the path beside it": ("tertiary_enrolment", "60 70 / 72 73 74", "2025Q2", "71", "no_path", None, ""),
    "set above": (
        "pension_insured", "43 完成市下达任务 / / / /", "2023", "50万人", "reference", None, "",
    ),
    "unreadable": ("nursery_places", "3.5 4.5.1 5 5 5 5", "2023", "5", "unreadable", None, ""),
    "a bound on the good side commits to nothing": (
        "nursery_places", "3.5 ≤5 ≤5 ≤5 ≤5 ≤5", "2023", "4", "open_target", None, "",
    ),
    "a year that the plan has not": ("nursery_places", NURSERY, "2029", "9", "no_target", None, ""),
    "the baseline's year": ("nursery_places", NURSERY, "2022", "3.5", "no_target", None, ""),
    "a cumulative target that falls": (
        "rental_housing_cumulative", "0.333 0.548 0.778 0.908 0.938 0.548", "2027", "0.6", "non_monotone", None,
        "non_monotone",
    ),
    "and the years before": (
        "rental_housing_cumulative", "0.333 0.548 0.778 0.908 0.938 0.548", "2023", "0.548", "achieved", 0.548,
        "non_monotone",
    ),
    "a bound that is enough": ("medical_aid_rate", "82 82 83 85 87 90", "2025", "≥86", "achieved", 85, "bounded"),
    "a bound that is not": ("medical_aid_rate", "82 82 83 85 87 90", "2025", "≥84", "open_bound", None, ""),
    "a bound that excludes it": ("medical_aid_rate", "82 82 83 85 87 90", "2025", "<84", "behind", 85, "bounded"),
    "a bound below the baseline": (
        "medical_aid_rate", "82 82 83 85 87 90", "2025", "<80", "worse_than_baseline", 85, "bounded",
    ),
    "a bound that says little": ("medical_aid_rate", "82 82 83 85 87 90", "2025", "<86", "open_bound", None, ""),
    "over the number that is to be passed": (
        "medical_aid_rate", "70 >80 >80 >80 >80 >80", "2025", ">80", "achieved", 80, "bounded",
    ),
    "withdrawn": ("nursery_places", NURSERY, "2024", "/", "withdrawn", None, ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def by_rule(tmp_path_factory) -> pd.DataFrame:
    """One county for each rule, all judged together."""
    counties = dict(zip(RULES, catalogue.regions().query("level == 'county'")["code"], strict=False))
    targets = pd.concat([planned(rule[0], rule[1], counties[name]) for name, rule in RULES.items()])
    lines = [f"{counties[n]},{r[0]},{r[2]},{r[3]},{UNITS.get(r[0], '')},return," for n, r in RULES.items()]
    rows = monitoring(targets, reported(tmp_path_factory.mktemp("rules"), targets, *lines))
    return rows[rows["actual_raw"] != ""].set_index("region").loc[list(counties.values())].set_axis(list(RULES))


@pytest.mark.parametrize("name", RULES)
def test_rule(by_rule, name):
    indicator, _cells, _period, _value, said, required, flags = RULES[name]
    row = by_rule.loc[name]
    assert (row["reason"] or row["status"]) == said
    assert (row["status"] == "no_judgement") == bool(row["reason"])
    assert row["flags"] == flags
    assert math.isnan(row["required"]) if required is None else row["required"] == pytest.approx(required)
    if indicator != "preschool_assessment" and required is not None:
        direction = catalogue.indicators().set_index("code").at[indicator, "direction"]
        assert row["gap"] == pytest.approx(direction * (row["actual"] - row["required"]))
    else:
        assert math.isnan(row["gap"])


def test_every_status_and_reason_of_the_catalogue_has_a_rule_here():
    listed = set(catalogue.judgements()["code"])
    elsewhere = {"no_judgement", "not_reported", "no_direction", "direction_unknown"}  # below, or of no row here
    assert {rule[4] for rule in RULES.values()} == listed - elsewhere
    declared = catalogue.fields().query("resource == 'monitoring'").set_index("name")["enum"]
    assert set(declared["status"].split("|")) | set(declared["reason"].split("|")) == listed


@pytest.mark.parametrize(
    ("period", "value", "needed", "plan"),
    [
        ("2024", "4.4", 1.1 / 3, 1.0 / 3),  # three years left
        ("2024Q2", "4.2", 1.3 / 3.5, 1.25 / 3.5),
        ("2024Q2", "4.25", 1.25 / 3.5, 1.25 / 3.5),  # on the path the two are one
        ("2025", "6", -0.25, 0.25),  # may fall and still arrive: signed, never clipped
        ("2027", "5", math.nan, math.nan),
    ],
)
def test_pace_to_the_final_target_beside_that_of_the_plan(tmp_path, period, value, needed, plan):
    row = judged(tmp_path, "nursery_places", NURSERY, (period, value)).query("actual_raw != ''").iloc[0]
    assert row["pace_needed"] == pytest.approx(needed, nan_ok=True)
    assert row["pace_planned"] == pytest.approx(plan, nan_ok=True)


def test_pace_is_positive_for_an_improvement_where_lower_is_better_and_absent_for_states_and_falls(tmp_path):
    row = judged(tmp_path, "premature_mortality", "9.5 9.3 9.1 8.9 8.7 8.5", ("2023", "9.3")).iloc[0]
    assert row["pace_needed"] == pytest.approx(0.2)
    state = judged(tmp_path, "preschool_assessment", "0 0 0 0 0 100", ("2023", "0")).iloc[0]
    fall = judged(tmp_path, "rental_housing_cumulative", "0.3 0.5 0.7 0.9 0.9 0.5", ("2023", "0.5")).iloc[0]
    assert np.isnan([state["pace_needed"], fall["pace_needed"]]).all()


def test_a_gap_is_days_of_the_planned_pace_too_and_a_plan_without_any_has_none(tmp_path):
    near = judged(tmp_path, "medical_aid_rate", "70 72 74 76 78 80", ("2024", "73.9")).iloc[-1]
    far = judged(tmp_path, "disabled_home_coverage", "50 60 70 80 90 100", ("2024", "60")).iloc[-1]
    assert near[["gap", "pace_whole", "gap_days"]].tolist() == pytest.approx([-0.1, 2, -18.2])  # 0.1 of 2 a year
    assert far[["gap", "pace_whole", "gap_days"]].tolist() == pytest.approx([-10, 10, -365])
    held = judged(tmp_path, "disabled_home_coverage", "100 100 100 100 100 100", ("2024", "99")).iloc[-1]
    assert held["gap"] == -1 and math.isnan(held["gap_days"])
    late = judged(tmp_path, "nursery_places", NURSERY, ("2023", "3.8"), ("2024Q2", "3.9"))
    item = open_items(late).set_index("opened").loc["2023"]
    assert item[["gap", "gap_days"]].tolist() == pytest.approx([-0.1, -91.2])  # what 2023 missed: 0.1 of 0.4 a year


def test_a_row_outside_the_catalogue_is_not_judged_for_want_of_a_direction(tmp_path):
    targets = planned("nursery_places", NURSERY).assign(indicator="local:步道", name="步道")
    actuals = reported(tmp_path, targets, "330213,步道,2023,5,个,return,")
    assert monitoring(targets, actuals)["reason"].tolist() == ["direction_unknown"]


# --- due and overdue --------------------------------------------------------------------------------------


def test_what_is_due_and_has_no_value_is_not_reported(tmp_path):
    targets = pd.concat([planned("nursery_places", NURSERY), planned("tertiary_enrolment", "/ 70 / 72 73 74")])
    actuals = reported(
        tmp_path, targets, *(f"奉化区,nursery_places,{tail},个,return," for tail in ("2024,4.5", "2025Q1,4.7"))
    )
    rows = monitoring(targets, actuals)
    said = {(row.indicator, row.period): row.reason or row.status for row in rows.itertuples()}
    assert said == {
        ("nursery_places", "2023"): "not_reported",
        ("nursery_places", "2024"): "achieved",
        ("nursery_places", "2025Q1"): "on_path",
        ("tertiary_enrolment", "2023"): "not_reported",
        ("tertiary_enrolment", "2024"): "missing",  # what the plan lacks comes first
    }


@pytest.mark.parametrize("as_of", ["2025", "2025-12-31", date(2025, 12, 31), pd.Timestamp("2025-12-31")])
def test_as_of_makes_later_year_ends_due(tmp_path, as_of):
    rows = judged(tmp_path, "nursery_places", NURSERY, ("2023", "4"), as_of=as_of)
    assert rows["period"].tolist() == ["2023", "2024", "2025"]
    assert rows["reason"].tolist() == ["", "not_reported", "not_reported"]


def test_as_of_leaves_later_values_out_and_refuses_what_is_no_day(tmp_path):
    values = [("2023", "4"), ("2024Q2", "4.3")]
    assert judged(tmp_path, "nursery_places", NURSERY, *values, as_of="2024-06-29")["period"].tolist() == ["2023"]
    with pytest.raises(ValueError, match="neither a day"):
        judged(tmp_path, "nursery_places", NURSERY, *values, as_of="next year")


@pytest.mark.parametrize(("reporting", "overdue"), [(1, 0), (2, 0), (3, 1)])  # of four counties
def test_a_quarter_is_due_once_most_counties_report_it_and_one_of_its_own_accord_makes_none_overdue(
    tmp_path, reporting, overdue
):
    counties = ("330213", "330282", "330681", "330922")
    both = [planned(code, NURSERY, county) for code in ("nursery_places", "care_workers") for county in counties]
    targets = pd.concat(both)
    lines = [f"{county},nursery_places,2023Q2,3.8,个,return," for county in counties[:reporting]]
    rows = monitoring(targets, reported(tmp_path, targets, *lines))
    missing = [["nursery_places", "not_reported"]] * overdue
    assert rows[["indicator", "reason"]].values.tolist() == [["nursery_places", ""]] * reporting + missing


def test_periods_that_end_on_one_day_are_one_and_the_annual_return_counts(tmp_path):
    rows = judged(tmp_path, "nursery_places", NURSERY, ("2023-12", "3.8"), ("2023", "4"), ("2023Q4", "3.9"))
    assert rows[["period", "actual", "status"]].values.tolist() == [["2023", 4.0, "achieved"]]


def test_nothing_reported_gives_empty_tables_with_all_columns(tmp_path):
    targets = planned("nursery_places", NURSERY)
    rows = monitoring(targets, reported(tmp_path, targets))
    for name, frame in (("monitoring", rows), ("rankings", rankings(rows)), ("open_items", open_items(rows))):
        assert frame.empty
        assert list(frame.columns) == list(catalogue.dtypes(name))
    assert monitoring(targets, reported(tmp_path, targets), as_of="2024")["reason"].tolist() == ["not_reported"] * 2


def test_what_no_plan_has_a_row_for_keeps_its_unit(tmp_path):
    targets = planned("nursery_places", NURSERY)
    rows = monitoring(targets, reported(tmp_path, targets, "330213,local:群众满意度,2024,91.5,分,survey,"))
    assert rows.set_index("indicator").at["local:群众满意度", "unit"] == "分"


def test_without_plans_there_is_nothing_to_monitor(tmp_path):
    targets = planned("nursery_places", NURSERY)
    actuals = reported(tmp_path, targets, "330213,nursery_places,2023,4,个,return,")
    assert monitoring(targets.iloc[:0], actuals).empty and monitoring(targets.iloc[:0], actuals, as_of="2024").empty


def test_a_correction_counts_and_is_flagged(tmp_path):
    rows = judged(tmp_path, "nursery_places", NURSERY, ("2023", "3.9"), ("2023", "4"))
    assert rows[["status", "flags", "revision"]].values.tolist() == [["achieved", "revised", 2]]


def test_owner_is_the_department_of_the_row_else_the_lead_of_the_domain(tmp_path):
    targets = pd.concat([
        planned("nursery_places", NURSERY, department="卫健局"),
        planned("affordable_nursery_share", "50 60 70 80 90 90"),
        planned("care_workers", "20 21 22 23 24 25"),
    ])  # fmt: skip
    lead = {"region": "330213", "scope": "domain", "domain": "幼有善育", "kind": "lead_department"}
    governance = pd.DataFrame([lead | {"department": "教育局"}, lead | {"kind": "monitoring", "department": "县委办"}])
    rows = monitoring(targets, reported(tmp_path, targets), as_of="2023", governance=governance)
    assert dict(zip(rows["number"], rows["department"], strict=True)) == {1: "卫健局", 2: "教育局", 13: ""}


# --- rankings ---------------------------------------------------------------------------------------------


def monitored(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["region", "domain", "indicator", "status"])
    reason = frame["status"].where(frame["status"].isin(["not_reported", "reference"]), "")
    status = frame["status"].where(reason == "", "no_judgement")
    return frame.assign(period="2024", department="", flags="", reason=reason, status=status)


def table(frame: pd.DataFrame, by: str, scope: str = "") -> pd.DataFrame:
    return rankings(frame).query("by == @by and scope == @scope").set_index("group")


def test_equal_shares_share_a_rank_and_the_next_one_is_left_out():
    frame = monitored(
        *(("330213", "d", x, "achieved") for x in "ab"), *(("330282", "d", x, "on_path") for x in "ab"),
        *(("330681", "d", x, "behind") for x in "ab"), ("330922", "d", "a", "reference"),
    )  # fmt: skip
    counties = table(frame, "county")
    assert counties["rank"].dropna().to_dict() == {"330213": 1, "330282": 1, "330681": 3}
    assert counties.loc["330213", ["tied", "n", "share"]].tolist() == [2, 3, 1.0]
    assert pd.isna(counties.at["330922", "rank"]) and counties.at["330922", "not_judgeable"] == 1


def test_coverage_stands_beside_the_share_and_bounds_it():
    frame = monitored(
        ("330213", "d", "a", "achieved"), ("330213", "d", "b", "behind"), ("330213", "d", "c", "not_reported")
    )
    row = table(frame, "county").loc["330213"]
    assert row[["total", "judged", "not_reported", "share"]].tolist() == [3, 2, 1, 0.5]
    assert row[["share_lo", "share_hi"]].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert row["flags"] == "partly_reported"


def test_no_rank_is_given_on_fewer_than_half_of_the_rows_judged():
    frame = monitored(
        ("330213", "d", "a", "achieved"), ("330213", "d", "b", "not_reported"), ("330213", "d", "c", "reference"),
        ("330282", "d", "a", "behind"), ("330282", "d", "b", "achieved"), ("330681", "d", "a", "behind"),
        ("330681", "d", "b", "not_reported"),
    )  # fmt: skip
    counties = table(frame, "county")
    assert counties["rank"].dropna().to_dict() == {"330282": 1, "330681": 2} and set(counties["n"]) == {2}
    assert counties["rank_best"].isna().to_dict() == {"330282": False, "330681": False, "330213": True}
    assert counties.at["330213", "share"] == 1.0  # which stands beside its coverage of 1 in 3


def test_leaving_out_one_indicator_shows_how_far_a_rank_hangs_on_it():
    frame = monitored(
        ("330213", "d", "a", "behind"), ("330213", "d", "b", "achieved"), ("330213", "d", "c", "achieved"),
        ("330282", "d", "a", "achieved"), ("330282", "d", "b", "behind"), ("330282", "d", "c", "behind"),
    )  # fmt: skip
    ranks = table(frame, "county")[["rank", "rank_best", "rank_worst"]]
    # without a: 2/2 and 0/2; without b: 1/2 and 1/2; without c: the same
    assert ranks.loc["330213"].tolist() == [1, 1, 1]
    assert ranks.loc["330282"].tolist() == [2, 1, 2]


def test_cities_pool_their_counties_and_domains_are_ranked_everywhere_and_in_each_county():
    frame = monitored(
        ("330213", "x", "a", "achieved"), ("330213", "y", "b", "behind"),
        ("330282", "x", "a", "behind"), ("330282", "y", "b", "behind"), ("330681", "x", "a", "achieved"),
    )  # fmt: skip
    assert table(frame, "city")["share"].to_dict() == {"330600": 1.0, "330200": 0.25}
    assert table(frame, "domain")["rank"].to_dict() == {"x": 1, "y": 2}
    assert table(frame, "domain", "330213")["share"].to_dict() == {"x": 1.0, "y": 0.0}


def test_departments_are_ranked_within_their_county_and_a_citys_own_plan_is_no_county():
    frame = monitored(("330213", "x", "a", "achieved"), ("330213", "x", "b", "behind"), ("330200", "x", "a", "behind"))
    frame["department"] = ["民政局", "", "市民政局"]
    assert table(frame, "department", "330213").index.tolist() == ["民政局"]
    assert table(frame, "county").index.tolist() == ["330213"]
    assert table(frame, "department", "330200")["share"].tolist() == [0.0]


STATUS = st.sampled_from(["achieved", "on_path", "behind", "worse_than_baseline", "not_reported", "reference"])


CELL = st.tuples(st.sampled_from(["330213", "330282", "330681"]), st.just("d"), st.sampled_from("abcd"), STATUS)


@examples(20)
@given(st.lists(CELL, min_size=1, max_size=12, unique_by=lambda row: (row[0], row[2])), st.randoms())
def test_rankings_count_everything_once_and_do_not_depend_on_the_order_of_rows(rows, random):
    counties = rankings(monitored(*rows))
    shuffled = list(rows)
    random.shuffle(shuffled)
    pd.testing.assert_frame_equal(counties, rankings(monitored(*shuffled)))
    parts = counties[["judged", "not_reported", "not_judgeable"]].sum(axis=1)
    assert (parts == counties["total"]).all()
    ranked = counties.dropna(subset="rank")
    assert (ranked["rank_best"] <= ranked["rank"]).all() and (ranked["rank"] <= ranked["rank_worst"]).all()
    assert (ranked["share_lo"] <= ranked["share"] + 1e-12).all() and (
        ranked["share"] <= ranked["share_hi"] + 1e-12
    ).all()


# --- open items -------------------------------------------------------------------------------------------


def test_an_item_is_closed_by_the_first_later_value_that_meets_what_was_missed(tmp_path):
    values = [("2023", "3.8"), ("2024Q2", "3.9"), ("2024", "4.2"), ("2025Q1", "4.6")]
    items = open_items(judged(tmp_path, "nursery_places", NURSERY, *values)).set_index("opened")
    # 2023 missed 4, met by 4.2 at the end of 2024; 2024Q2 missed 4.25 and 2024 missed 4.5, met by 4.6;
    # 2025Q1 is measured by 4.5 + a quarter of 0.5
    assert items["closed"].to_dict() == {"2023": "2024", "2024Q2": "2025Q1", "2024": "2025Q1", "2025Q1": ""}
    assert items.at["2025Q1", "status"] == "open"
    assert items.loc["2023", ["latest", "latest_period"]].tolist() == ["4.6", "2025Q1"]
    assert items.at["2024", "gap"] == pytest.approx(0.1)


def test_items_stay_open_where_a_strict_bound_or_a_state_is_not_met(tmp_path):
    strict = judged(tmp_path, "unemployment_registered", "4.5 <4 <4 <4 <4 <4", ("2023", "4"), ("2024", "4"))
    assert open_items(strict)["status"].tolist() == ["open", "open"]
    state = judged(tmp_path, "preschool_assessment", "0 100 100 100 100 100", ("2023", "申报"), ("2024", "通过"))
    assert open_items(state)[["opened", "closed"]].values.tolist() == [["2023", "2024"]]


def test_a_corrected_value_leaves_no_item_behind(tmp_path):
    rows = judged(tmp_path, "nursery_places", NURSERY, ("2023", "3.9"), ("2023", "4"))
    assert open_items(rows).empty


# --- properties -------------------------------------------------------------------------------------------

ORDER = ["worse_than_baseline", "behind", "on_path", "achieved"]
VALUES = st.decimals("0.1", "9.9", places=1).map(str)
CASES = st.lists(
    st.tuples(st.lists(VALUES, min_size=6, max_size=6), VALUES, VALUES, st.sampled_from(["2024", "2024Q1", "2025-08"])),
    min_size=10,
    max_size=40,
)
COUNTIES = catalogue.regions().query("level == 'county'")["code"].tolist()


def judged_alike(indicator: str, cases: list, values: list[str], unit: str) -> pd.DataFrame:
    """Each case in a county of its own."""
    targets = planned_in({COUNTIES[i]: " ".join(case[0]) for i, case in enumerate(cases)}, indicator)
    lines = [f"{COUNTIES[i]},{indicator},{case[3]},{values[i]},{unit},return," for i, case in enumerate(cases)]
    with TemporaryDirectory() as folder:
        rows = monitoring(targets, reported(Path(folder), targets, *lines))
    return rows[rows["actual_raw"] != ""].set_index("region").loc[COUNTIES[: len(cases)]]


@examples(10)
@given(CASES, st.sampled_from([("nursery_places", 1), ("unemployment_registered", -1)]))
def test_a_better_value_is_never_judged_worse(cases, kind):
    indicator, direction = kind
    pairs = [sorted(case[1:3], key=lambda value: direction * float(value)) for case in cases]
    worse, better = (judged_alike(indicator, cases, [pair[i] for pair in pairs], "") for i in (0, 1))
    assert (worse["status"].map(ORDER.index) <= better["status"].map(ORDER.index)).all()


@examples(10)
@given(CASES)
def test_the_unit_of_the_report_does_not_matter(cases):
    tens = judged_alike("pension_insured", cases, [case[1] for case in cases], "万人")
    ones = judged_alike("pension_insured", cases, [f"{float(case[1]) * 10000:.0f}" for case in cases], "人")
    same = ["status", "reason", "gap", "pace_needed", "required"]
    pd.testing.assert_frame_equal(tens[same], ones[same])
