"""What changed since the last period, each kind by hand; what was known then; what is due next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from examples import examples
from forms import csv_form, planned
from hypothesis import given
from hypothesis import strategies as st

from qyx_analysis.wings.monitoring.changes import changes, due_next, known_before, latest_status
from qyx_analysis.wings.monitoring.forms import read_actuals
from qyx_analysis.wings.monitoring.judging import monitoring, open_items

NURSERY = "3.5 4 4.5 5 5.3 5.5"


def history(folder: Path, targets: pd.DataFrame, **forms: list[str]) -> pd.DataFrame:
    """The reports of forms named a, b, ...: lines such as ``2023 3.8`` for nursery places."""
    paths = []
    for name, lines in forms.items():
        pattern = "奉化区,nursery_places,{},{},个,return,"
        rows = [line if "," in line else pattern.format(*line.split()) for line in lines]
        paths.append(csv_form(folder, *rows, name=f"{name}.csv"))
    read = read_actuals(paths, targets)
    assert read.problems == []
    return read.actuals


def said(frame: pd.DataFrame, *columns: str) -> list[list[Any]]:
    return frame[["change", *(columns or ("period", "actual_raw", "period_before", "actual_before"))]].values.tolist()


def since(folder: Path, cells: str = NURSERY, indicator: str = "nursery_places", **forms: list[str]) -> pd.DataFrame:
    targets = planned(indicator, cells)
    actuals = history(folder, targets, **forms)
    known, period = known_before(actuals)
    then = monitoring(targets, known, period) if period else monitoring(targets, known)
    return changes(monitoring(targets, actuals), then)


# --- each kind of change ----------------------------------------------------------------------------------


def test_a_new_value_that_stays_on_its_level_is_reported_and_no_more(tmp_path):
    found = since(tmp_path, a=["2023 4"], b=["2024 4.6"])
    assert said(found) == [["reported", "2024", "4.6", "", ""]]
    assert found[["status", "status_before", "unit", "number"]].values.tolist() == [["achieved", "", "个", 1]]


def test_a_miss_made_good_turns_for_the_better_and_closes_its_item(tmp_path):
    assert said(since(tmp_path, a=["2023 3.9"], b=["2024 4.6"])) == [
        ["reported", "2024", "4.6", "", ""],
        ["better", "2024", "4.6", "2023", "3.9"],
        ["closed", "2024", "4.6", "2023", "3.9"],
    ]


def test_a_target_met_and_the_next_one_missed_turns_for_the_worse_and_opens_an_item(tmp_path):
    found = since(tmp_path, a=["2023 4"], b=["2024 4.2"])
    assert said(found) == [
        ["reported", "2024", "4.2", "", ""],
        ["worse", "2024", "4.2", "2023", "4"],
        ["opened", "2024", "4.2", "", ""],
    ]
    assert found["status"].tolist() == ["behind"] * 3


def test_below_the_baseline_is_another_level_than_behind(tmp_path):
    found = since(tmp_path, a=["2023 3.9"], b=["2024 3.2"])
    assert said(found, "status_before", "status") == [
        ["reported", "", "worse_than_baseline"],
        ["worse", "behind", "worse_than_baseline"],
        ["opened", "", "worse_than_baseline"],  # of 2024; that of 2023 stays open
    ]


def test_on_the_path_and_achieved_are_one_level(tmp_path):
    assert said(since(tmp_path, a=["2023Q2 3.8"], b=["2023 4"])) == [["reported", "2023", "4", "", ""]]


def test_a_correction_of_an_earlier_period_turns_nothing_later_but_opens_what_it_now_misses(tmp_path):
    found = since(tmp_path, a=["2023 4"], b=["2023 3.9", "2024 4.6"])
    assert said(found) == [
        ["reported", "2024", "4.6", "", ""],
        ["corrected", "2023", "3.9", "2023", "4"],  # missed 4, and 4.6 has met it since: nothing is open
    ]
    found = since(tmp_path, a=["2023 4"], b=["2023 3.6", "2024 3.8"])
    assert said(found, "period", "period_before") == [
        ["reported", "2024", ""],
        ["corrected", "2023", "2023"],
        ["worse", "2024", "2023"],
        ["opened", "2023", ""],
        ["opened", "2024", ""],
    ]


def test_an_item_closed_by_a_correction_of_its_own_value(tmp_path):
    found = since(tmp_path, a=["2023 3.9"], b=["2023 4.1", "2024 4.4"])
    assert said(found) == [
        ["reported", "2024", "4.4", "", ""],
        ["corrected", "2023", "4.1", "2023", "3.9"],
        ["opened", "2024", "4.4", "", ""],
        ["closed", "2023", "4.1", "2023", "3.9"],
    ]


def test_a_withdrawn_value_closes_nothing_and_turns_nothing(tmp_path):
    indicators = [planned("nursery_places", NURSERY), planned("care_workers", "20 21 22 23 24 25")]
    targets = pd.concat(indicators, ignore_index=True)
    forms = {"a": ["2022 3.6", "2023 3.8"], "b": ["2023 /", "奉化区,care_workers,2024,22,人,return,"]}
    actuals = history(tmp_path, targets, **forms)
    known, period = known_before(actuals)
    found = changes(monitoring(targets, actuals), monitoring(targets, known, period)).query("number == 1")
    assert said(found, "period", "actual_before") == [["withdrawn", "2023", "3.8"], ["dropped", "2023", "3.8"]]


def test_a_value_said_again_in_other_words_is_no_correction(tmp_path):
    found = since(tmp_path, a=["2023 4"], b=["2023 4.0", "2024 4.6"])
    assert said(found) == [["reported", "2024", "4.6", "", ""]]
    found = since(tmp_path, a=["2023 4"], b=["2023 ≥4", "2024 4.6"])
    assert said(found)[1] == ["corrected", "2023", "≥4", "2023", "4"]


def test_lower_is_better(tmp_path):
    lines = "奉化区,premature_mortality,{},{},%,return,"
    forms = {"a": [lines.format(2023, 9.4)], "b": [lines.format(2024, 9.1)]}
    found = since(tmp_path, "9.5 9.3 9.1 8.9 8.7 8.5", "premature_mortality", **forms)
    assert said(found)[1:] == [["better", "2024", "9.1", "2023", "9.4"], ["closed", "2024", "9.1", "2023", "9.4"]]


def test_a_value_that_an_older_build_had_and_this_one_lacks_is_withdrawn(tmp_path):
    targets = planned("nursery_places", NURSERY)
    then = monitoring(targets, history(tmp_path, targets, a=["2023 3.9", "2024 4"]))
    now = monitoring(targets, history(tmp_path, targets, a=["2023 3.9"]), "2024")
    found = changes(now, then)
    assert said(found, "period", "actual_before") == [
        ["withdrawn", "2024", "4"],
        ["opened", "2023", ""],  # which that value had made good
        ["dropped", "2024", "4"],
    ]


def test_nothing_changes_between_equal_states_and_everything_is_new_at_first(tmp_path):
    targets = planned("nursery_places", NURSERY)
    state = monitoring(targets, history(tmp_path, targets, a=["2023 3.9"]))
    assert changes(state, state).empty and changes(state.iloc[:0], state.iloc[:0]).empty
    assert said(changes(state, state.iloc[:0])) == [
        ["reported", "2023", "3.9", "", ""], ["opened", "2023", "3.9", "", ""],
    ]  # fmt: skip


@examples(15)
@given(st.lists(st.decimals("3", "6", places=1).map(str), min_size=2, max_size=5), st.integers(1, 4))
def test_items_open_then_and_opened_less_closed_are_the_items_open_now(tmp_path_factory, values, cut):
    targets = planned("nursery_places", NURSERY)
    lines = [f"{2023 + year} {value}" for year, value in enumerate(values)]
    state = history(tmp_path_factory.mktemp("p"), targets, a=lines)
    before, now = monitoring(targets, state.iloc[:cut]), monitoring(targets, state)
    found = changes(now, before)["change"].value_counts()
    open_then, open_now = ((open_items(frame)["status"] == "open").sum() for frame in (before, now))
    assert open_then + found.get("opened", 0) - found.get("closed", 0) == open_now
    assert found.get("reported", 0) == max(0, len(values) - cut)


# --- what was known ---------------------------------------------------------------------------------------


def known(folder: Path, as_of: object = None, **forms: list[str]) -> tuple[list[list[str]], str]:
    rows, period = known_before(history(folder, planned("nursery_places", NURSERY), **forms), as_of)
    return rows.loc[rows["current"], ["period", "raw"]].values.tolist(), period


def test_known_is_what_the_forms_before_the_latest_period_say(tmp_path):
    assert known(tmp_path, a=["2023 3.9"], b=["2023 4", "2024 4.6"]) == ([["2023", "3.9"]], "2023")
    assert known(tmp_path, a=["2023 3.9"], b=["2023 4"], c=["2024 4.6"]) == ([["2023", "4"]], "2023")
    assert known(tmp_path, a=["2023 3.9"], b=["2024 4.6"], c=["2023 4"]) == ([["2023", "3.9"]], "2023")


def test_a_value_that_came_late_was_not_known(tmp_path):
    assert known(tmp_path, a=["2023 3.9"], b=["2024Q2 4.2", "2024 4.6"]) == ([["2023", "3.9"]], "2024Q2")


def test_of_one_file_that_grows_the_first_reports_were_known(tmp_path):
    assert known(tmp_path, a=["2023 3.9", "2024 4.6", "2023 4"]) == ([["2023", "3.9"]], "2023")


def test_forms_named_by_department_first_are_told_apart_by_their_periods(tmp_path):
    targets = pd.concat([planned("nursery_places", NURSERY), planned("care_workers", "20 21 22 23 24 25")])
    care = "奉化区,care_workers,{},{},人,return,"
    actuals = history(
        tmp_path, targets, edu23=["2023 4"], edu24=["2024 4.6"],
        old23=[care.format(2023, 21)], old24=[care.format(2024, 22)],
    )  # fmt: skip
    rows, _ = known_before(actuals)
    assert rows[["number", "period"]].values.tolist() == [[1, "2023"], [13, "2023"]]


def test_the_periods_are_those_that_any_county_reports(tmp_path):
    targets = pd.concat([planned("nursery_places", NURSERY, region) for region in ("330213", "330282")])
    actuals = history(tmp_path, targets, a=["2023 4"], b=["慈溪市,nursery_places,2024,4.6,个,return,"])
    rows, period = known_before(actuals)
    assert rows[["region", "period"]].values.tolist() == [["330213", "2023"]]
    assert period == "2023"


def test_as_of_looks_back_and_one_period_has_none_before(tmp_path):
    forms = {"a": ["2023 4"], "b": ["2024 4.6"], "c": ["2025 4.9"]}
    assert known(tmp_path, "2024", **forms) == ([["2023", "4"]], "2023")
    assert known(tmp_path, "2023", **forms) == ([], "")
    assert known(tmp_path) == ([], "")


# --- where things stand, and what is next -----------------------------------------------------------------


def test_what_is_not_reported_leaves_the_last_judgement_standing(tmp_path):
    targets = pd.concat([planned("nursery_places", NURSERY), planned("tertiary_enrolment", "/ 70 / 72 73 74")])
    rows = latest_status(monitoring(targets, history(tmp_path, targets, a=["2023 4"]), "2024"))
    assert rows[["number", "period", "status", "reason"]].values.tolist() == [
        [1, "2023", "achieved", ""],
        [6, "2024", "no_judgement", "missing"],
    ]


@pytest.mark.parametrize(
    ("as_of", "period", "required", "status", "gap"),
    [
        (None, "2024", 4.5, "behind", -0.2),  # after 2024Q1 the year 2024 is due
        ("2023", "2024", 4.5, "behind", -0.4),
        ("2022", "2023", 4.0, "no_judgement", None),
        ("2026", "2027", 5.5, "behind", -1.2),
    ],
)
def test_what_is_due_next_is_the_next_year_end_held_against_the_last_value(
    tmp_path, as_of, period, required, status, gap
):
    targets = planned("nursery_places", NURSERY)
    actuals = history(tmp_path, targets, a=["2023 4.1", "2024Q1 4.3"])
    (row,) = due_next(targets, actuals, as_of).itertuples()
    assert (row.period, row.target, row.status) == (period, required, status)
    assert pd.isna(row.gap) if gap is None else row.gap == pytest.approx(gap)


def test_nothing_is_due_after_the_last_target_or_before_the_first_report(tmp_path):
    targets = planned("nursery_places", NURSERY)
    actuals = history(tmp_path, targets, a=["2023 4"])
    assert due_next(targets, actuals, "2027").empty and due_next(targets, actuals.iloc[:0]).empty
    withdrawn = history(tmp_path, targets, a=["2023 4"], b=["2024 /"])
    assert due_next(targets, withdrawn)[["actual_raw", "period"]].values.tolist() == [["4", "2025"]]
