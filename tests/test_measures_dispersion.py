"""Dispersion: gold numbers and edge cases of METHODS C."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import assume, given
from hypothesis import strategies as st
from test_measures_trajectory import LEVEL, plan

from qyx_analysis import catalogue
from qyx_analysis.measures import dispersion as dispersion_of
from qyx_analysis.measures import domain_dispersion
from qyx_analysis.measures.dispersion import measure_dispersion, spread_ratio
from qyx_analysis.measures.panel import panel
from qyx_analysis.measures.spread import (
    RANGE,
    gini_mean_difference,
    leave_one_out,
    mean_difference_bounds,
    range_bounds,
    same_change,
    same_closure,
    sd,
    sd_bounds,
    variation_ratio,
)

GOLD = {"a": "62", "b": "70", "c": "75", "d": "93"}
CONVERGING = {"a": "80 90", "b": "85 93", "c": "90 96", "d": "95 99"}


def year(indicator, rows, at=2022):
    table = dispersion_of(plan(indicator, rows))
    return table[table["year"] == at].set_index("measure")


def verdict(indicator, rows, indicators=None):
    known = catalogue.indicators() if indicators is None else indicators
    return measure_dispersion(panel(plan(indicator, rows), known)).set_index("measure")


def test_gold_spread_of_a_share():
    table = year(LEVEL, GOLD)["value"]
    expected = {"mean": 75, "range": 31, "sd": 13.14027, "gini_mean_difference": 16.3333}
    for measure, value in expected.items():
        assert round(table[measure], len(str(value).partition(".")[2])) == value, measure
    assert table.index.tolist() == ["mean", "range", "sd", "gini_mean_difference", "logit_sd"]


def test_gold_leave_one_out():
    assert leave_one_out(sd, np.array([62.0, 70, 75, 93])).round(3).tolist() == [12.097, 15.567, 16.093, 6.557]


@examples(50)
@given(st.lists(st.integers(0, 100), min_size=3, max_size=7))
def test_leaving_one_out_takes_the_measure_again(values):
    x = np.array(values, dtype=float)
    for measure in (sd, gini_mean_difference, RANGE.measure):
        slow = [measure(np.delete(x, i)) for i in range(len(x))]
        np.testing.assert_allclose(leave_one_out(measure, x), slow, atol=1e-9)
    states = np.where(x > 50, 100.0, 0.0)
    slow = [1 - np.unique(np.delete(states, i), return_counts=True)[1].max() / (len(x) - 1) for i in range(len(x))]
    np.testing.assert_allclose(leave_one_out(variation_ratio, states), slow)


def test_gold_bounds_of_the_standard_deviation():
    open_row = year("care_workers", {"a": "28", "b": "30", "c": "35", "d": "≥32"}).loc["sd"]
    assert (round(open_row["lo"], 5), open_row["hi"], open_row["flags"]) == (2.98608, np.inf, "bounded")
    low, high, exact = sd_bounds(np.array([28.0, 30, 35, 32]), np.array([28.0, 30, 35, 40]))
    assert (round(low, 5), round(high, 5), exact) == (2.98608, 5.37742, True)
    inside, _, _ = sd_bounds(np.array([28.0, 30, 35, 29]), np.array([28.0, 30, 35, 40]))
    assert inside == pytest.approx(sd(np.array([28.0, 30, 35, 31])))  # at the others' mean


boxes = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 8)), min_size=2, max_size=4)


@examples(50)
@given(boxes)
def test_bounds_hold_all_that_is_possible(box):
    lo = np.array([float(low) for low, _ in box])
    hi = lo + np.array([float(width) for _, width in box])
    inside = [np.array(x) for x in product(*[np.linspace(a, b, 5) for a, b in zip(lo, hi, strict=True)])]
    for measure, (least, most, *_) in (
        (sd, sd_bounds(lo, hi)),
        (gini_mean_difference, mean_difference_bounds(lo, hi)),
        (np.ptp, range_bounds(lo, hi)),
    ):
        values = [measure(x) for x in inside]
        assert least <= min(values) + 1e-9 and most == pytest.approx(max(values))


def test_intervals_that_share_a_value_may_have_no_spread_at_all():
    assert sd_bounds(np.array([63.5, 63.5, 64.5]), np.array([64.5, 64.5, 65.5]))[0] == 0


def test_many_bounds_get_a_valid_outer_bound():
    lo, hi = np.arange(14.0), np.arange(14.0) + 5
    for bounds, measure in ((sd_bounds, sd), (mean_difference_bounds, gini_mean_difference)):
        _, outer, exact = bounds(lo, hi)
        ends = np.random.default_rng(0).integers(0, 2, (500, 14))
        assert not exact and outer >= max(measure(np.where(pick, hi, lo)) for pick in ends)


def test_absolute_counts_states_and_too_few():
    count = dispersion_of(plan("training_cumulative", {"a": "3 5", "b": "4 6", "c": "5 8"}))
    assert set(count["status"]) == {"absolute_count"} and count["value"].isna().all()
    state = year("preschool_assessment", {"a": "0", "b": "100", "c": "通过", "d": "通过"})
    assert state.loc["variation_ratio", "value"] == 0.25
    lone = year(LEVEL, {"a": "50", "b": "/"})
    assert lone.loc["sd", ["n", "status"]].tolist() == [1, "too_few"]


def test_benchmarks_and_other_definitions_stay_out():
    city = plan(LEVEL, {"z": "5 5"}, level="city")
    counties = plan(LEVEL, CONVERGING)
    pd.testing.assert_frame_equal(dispersion_of(pd.concat([counties, city])), dispersion_of(counties))
    both = pd.concat([plan("unemployment_registered", {"a": "2", "b": "3"}), plan("unemployment_surveyed", {"c": "5"})])
    table = dispersion_of(both).set_index(["indicator", "measure"])
    assert table.loc[("unemployment_registered", "mean"), "value"].item() == 2.5


def test_columns():
    assert dispersion_of(plan(LEVEL, GOLD)).columns.tolist() == (
        ["indicator", "number", "year", "measure", "value", "lo", "hi", "loo_lo", "loo_hi", "n", "status", "flags"]
    )


def test_gold_verdict_depends_on_the_scale():
    table = verdict(LEVEL, CONVERGING)
    assert round(table.loc["sd_ratio", "value"], 3) == 0.600
    assert round(table.loc["logit_sd_ratio", "value"], 3) == 1.561
    assert table.loc["convergence", "status"] == "scale_dependent"


@pytest.mark.parametrize(
    ("indicator", "rows", "status"),
    [
        (LEVEL, {"a": "40 55", "b": "50 56", "c": "60 58", "d": "70 60"}, "converging"),
        (LEVEL, {"a": "50 40", "b": "52 50", "c": "54 60", "d": "56 70"}, "diverging"),
        (LEVEL, {"a": "50 51", "b": "55 56", "c": "60 61", "d": "65 66"}, "unresolved"),
        (LEVEL, {"a": "50 60", "b": "50 65", "c": "50 70", "d": "50 75"}, "identical"),
        (LEVEL, {"a": "50 60", "b": "60 65", "c": "70 /"}, "too_few"),
        ("care_workers", {"a": "10 ≥32", "b": "20 32", "c": "30 32", "d": "40 32"}, "open_bound"),
        ("dibao_standard", {"a": "10000 20000", "b": "11000 21500", "c": "12000 23000"}, "scale_dependent"),
        ("preschool_assessment", {"a": "0 100", "b": "0 100", "c": "100 100"}, "state"),
        ("pension_insured", {"a": "10 11", "b": "20 22", "c": "30 33"}, "absolute_count"),
    ],
)
def test_convergence_verdicts(indicator, rows, status):
    assert verdict(indicator, rows).loc["convergence", "status"] == status


def test_a_ratio_scale_that_reaches_zero_has_the_mean_difference_as_second_measure():
    table = verdict("care_workers", {"a": "0 20", "b": "10 22", "c": "30 24"})
    assert "gini_mean_difference_ratio" in table.index and table.loc["convergence", "status"] == "converging"


def test_one_county_that_makes_the_verdict_is_named_by_a_flag():
    table = verdict(LEVEL, {"a": "20 48", "b": "50 49", "c": "51 52", "d": "52 54"})
    assert table.loc["convergence", ["status", "flags"]].tolist() == ["converging", "leave_one_out_flips"]


def test_arriving_at_one_common_target_is_no_convergence():
    """困难群众医保率: 90 everywhere."""
    same = verdict(LEVEL, {"a": "20 90", "b": "50 90", "c": "80 90"})
    assert same.loc["convergence", ["status", "flags"]].tolist() == ["common", "identical_targets"]
    bound = verdict(LEVEL, {"a": "20 90", "b": "50 ≥90", "c": "80 90"})
    assert bound.loc["convergence", "status"] == "open_bound"


def test_log_odds_decide_nothing_where_rounding_reaches_100():
    near = verdict(LEVEL, {"a": "80 96", "b": "85 98", "c": "90 99", "d": "95 100"})
    assert "logit_sd_ratio" not in near.index and near.loc["convergence", "status"] == "converging"
    inside = verdict(LEVEL, {"a": "80.0 96.0", "b": "85.0 98.0", "c": "90.0 99.0", "d": "95.0 99.9"})
    assert inside.loc["convergence", "status"] == "scale_dependent"


counties = st.lists(st.tuples(st.integers(1, 99), st.integers(1, 99)), min_size=3, max_size=5)


@examples(20)
@given(counties)
def test_the_complement_has_the_same_spread_and_verdict(values):
    known = catalogue.indicators()
    other = known.assign(direction=-known["direction"], best=100 - known["best"])
    here = verdict(LEVEL, {f"r{i}": f"{a} {b}" for i, (a, b) in enumerate(values)}, known)
    there = verdict(LEVEL, {f"r{i}": f"{100 - a} {100 - b}" for i, (a, b) in enumerate(values)}, other)
    names = ["sd", "gini_mean_difference", "range", "logit_sd"]
    np.testing.assert_allclose(there.loc[names, "value"].to_numpy(), here.loc[names, "value"].to_numpy(), atol=1e-8)
    assert (
        there.loc["convergence", ["status", "flags"]].tolist() == here.loc["convergence", ["status", "flags"]].tolist()
    )


def test_every_year_carries_the_range_without_each_county():
    row = year(LEVEL, GOLD).loc["sd"]
    assert (round(row["loo_lo"], 3), round(row["loo_hi"], 3)) == (6.557, 16.093)
    assert year(LEVEL, {"a": "50", "b": "60"}).loc["sd", ["loo_lo", "loo_hi"]].isna().all()
    table = verdict(LEVEL, CONVERGING)
    assert table.loc["sd_ratio", "loo_lo"] <= 0.6 <= table.loc["sd_ratio", "loo_hi"]


def test_population_gives_rates():
    frame = plan("pension_insured", {"a": "10 12", "b": "20 22", "c": "30 35"})
    people = frame["region"].map({"a": 200_000.0, "b": 300_000, "c": 500_000})
    table = dispersion_of(frame.assign(population=people)).query("year == 2022").set_index("measure")
    assert table.loc["mean", "value"] == pytest.approx(100 * (0.5 + 2 / 3 + 0.6) / 3)
    assert table["flags"].str.contains("per_resident").all()
    part = dispersion_of(frame.assign(population=people.where(frame["region"] != "a"))).query("year == 2022")
    assert part.set_index("measure").loc["mean", ["n", "flags"]].tolist() == [2, "incomplete;per_resident"]


@examples(50)
@given(st.lists(st.integers(0, 100), min_size=3, max_size=6), st.integers(0, 100))
def test_the_ceiling_counterfactuals_ask_the_mean_change_or_the_same_closure_of_all(values, mean):
    first = np.array(values, dtype=float)
    assume(np.ptp(first) > 0)
    planned = same_change(first, mean, 100)
    assert planned.max() <= 100
    np.testing.assert_allclose((planned - first)[planned < 100], mean - first.mean(), atol=1e-9)
    np.testing.assert_allclose(100 - same_change(100 - first, 100 - mean, 0), planned, atol=1e-9)
    closed = same_closure(first, mean, 100)
    assert closed.mean() == pytest.approx(mean, abs=1e-9)
    assert sd(closed) == pytest.approx(sd(first) * abs(100 - mean) / (100 - first.mean()), abs=1e-9)


def test_one_county_that_closes_the_gap_is_not_the_ceilings_doing():
    """残疾人之家: three stand at 100, and 嵊泗 plans 75 -> 100."""
    first, last = np.array([100.0, 100, 100, 75]), np.full(4, 100.0)
    assert spread_ratio(sd, first, same_change(first, last.mean(), 100)) == pytest.approx(0.75)


def test_the_ceiling_counterfactuals_stand_beside_the_ratio():
    table = verdict(LEVEL, CONVERGING).loc[["sd_ratio_same_change", "sd_ratio_same_closure"]]
    assert table["value"].round(4).tolist() == [0.8854, 0.44] and (table["flags"] == "descriptive").all()
    assert "sd_ratio_same_change" not in verdict("nursery_places", CONVERGING).index


def test_a_domain_averages_the_ratios_of_its_indicators():
    both = pd.concat(
        [plan(LEVEL, CONVERGING), plan("child_screening_rate", {"a": "50 40", "b": "60 60", "c": "70 80"})]
    )
    table = domain_dispersion(both).set_index("measure")
    assert table.loc["sd_ratio", ["value", "n", "status"]].tolist() == [pytest.approx((0.6 + 2) / 2), 2, "ok"]
    other = domain_dispersion(plan("nursery_places", {"a": "5 6", "b": "6 7"}))
    assert other["status"].tolist() == ["too_few"] * 2 and other["value"].isna().all()
    alone = domain_dispersion(plan(LEVEL, CONVERGING)).set_index("measure")
    assert set(alone["status"]) == {"scale_dependent"}
