"""Change and baseline: gold numbers of METHODS B, the null, and what rounding leaves open."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from test_measures_trajectory import LEVEL, plan

from qyx_analysis import catalogue
from qyx_analysis.measures import association as association_of
from qyx_analysis.measures.association import chances, mean_r, measure_association, naive_r, null_r, r_bounds
from qyx_analysis.measures.panel import panel

GOLD = {"a": "60 78", "b": "70 80", "c": "80 88", "d": "90 92"}
TURNED = {"a": "70 92", "b": "75 82", "c": "80 84", "d": "85 70"}


def card(indicator, rows):
    table = association_of(plan(indicator, rows))
    return table[table["indicator"] == indicator].set_index("measure")


def test_gold_card():
    table = card(LEVEL, GOLD)
    expected = {"naive_r": -0.97683, "null_mean_r": -0.9141, "sd_ratio": 0.51186}
    for measure, value in expected.items():
        assert round(table.loc[measure, "value"], len(str(value).partition(".")[2])) == value, measure
    assert table.loc["p_lower", "value"] == pytest.approx(4 / 24)
    assert round(table.loc["p_attainable", "value"], 4) == 0.0833


def test_gold_correlation_below_zero_with_a_spread_that_widens():
    table = card(LEVEL, TURNED)["value"]
    assert table["naive_r"] < 0 and round(table["sd_ratio"], 2) == 1.41


def test_identical_targets_force_the_correlation():
    table = card(LEVEL, {"a": "60 90", "b": "70 90", "c": "85 90"})
    assert set(table["status"]) == {"forced"} and table.loc["naive_r", "value"] == -1
    assert table.loc["p_lower", "value"] == 1


@pytest.mark.parametrize(
    ("indicator", "rows", "status"),
    [
        (LEVEL, {"a": "60 70", "b": "70 72"}, "too_few"),
        (LEVEL, {"a": "60 70", "b": "70 72", "c": "80 /"}, "too_few"),
        (LEVEL, {"a": "60 70", "b": "60 72", "c": "60 75"}, "identical"),
        (LEVEL, {"a": "60 65", "b": "70 75", "c": "80 85"}, "parallel"),
        ("pension_insured", {"a": "10 11", "b": "20 22", "c": "30 35"}, "absolute_count"),
        ("preschool_assessment", {"a": "0 100", "b": "0 100", "c": "100 100"}, "state"),
    ],
)
def test_no_card_has_its_reason(indicator, rows, status):
    table = card(indicator, rows)
    assert table["status"].tolist() == [status] and table["value"].isna().all()


def test_rounding_that_turns_the_sign_is_unresolved():
    table = card(LEVEL, {"a": "50 51", "b": "55 56", "c": "60 62", "d": "65 66"})
    assert table.loc["sd_ratio", "status"] == "unresolved"


def test_one_county_that_makes_the_finding_is_flagged():
    table = card(LEVEL, {"a": "20 48", "b": "50 49", "c": "51 52", "d": "52 54"})
    assert "leave_one_out_flips" in table.loc["sd_ratio", "flags"]
    assert table.loc["sd_ratio", "loo_lo"] < 1 < table.loc["sd_ratio", "loo_hi"]


def test_more_than_seven_counties_draw_assignments_and_never_give_zero():
    rows = {f"r{i}": f"{50 + i} {90 - i}" for i in range(9)}
    first, again = card(LEVEL, rows), card(LEVEL, rows)
    pd.testing.assert_frame_equal(first, again)
    assert "monte_carlo" in first.loc["p_lower", "flags"] and first.loc["p_lower", "value"] >= 1 / 1000
    assert first.loc["p_attainable", "value"] == 2 / 1000


def test_pooled_indicators_move_their_labels_jointly():
    """Two indicators that say the same are one finding: their pooled null is as wide as that of one."""
    one = plan(LEVEL, GOLD)
    table = association_of(pd.concat([one, one.assign(indicator="child_screening_rate")]))
    pooled = table[(table["indicator"] == "") & (table["domain"] == "幼有善育")].set_index("measure")["value"]
    single = card(LEVEL, GOLD)["value"]
    names = ["naive_r", "null_mean_r", "p_lower", "p_two_sided", "p_attainable"]
    np.testing.assert_allclose(pooled[names], single[names])


def test_forced_indicators_stay_out_of_the_pool():
    same = plan("child_screening_rate", {"a": "60 95", "b": "70 95", "c": "80 95", "d": "90 95"})
    table = association_of(pd.concat([plan(LEVEL, GOLD), same]))
    pooled = table[(table["indicator"] == "") & (table["measure"] == "naive_r")]["value"]
    np.testing.assert_allclose(pooled, card(LEVEL, GOLD).loc["naive_r", "value"])


def test_gaps_leave_the_other_indicators_alone():
    first = np.array([[60.0, 1], [70, 5], [80, 2], [90, np.nan], [75, 8]])
    last = np.array([[78.0, 4], [80, 5], [88, 9], [92, 3], [70, 2]])
    rows = [0, 1, 2, 4]
    alone = [float(mean_r(first[:, [0]], last[:, [0]], np.arange(5)))]
    alone.append(float(mean_r(first[rows][:, [1]], last[rows][:, [1]], np.arange(4))))
    assert float(mean_r(first, last, np.arange(5))) == pytest.approx(np.mean(alone))


def test_every_shuffle_takes_the_same_indicators():
    """One county lacks the second indicator: its shuffles are all the assignments among the other three."""
    first = np.array([[60.0, 1], [70, 5], [80, 2], [90, np.nan]])
    last = np.array([[78.0, 4], [80, 5], [88, 9], [92, np.nan]])
    null, _ = null_r(first, last)
    parts = [null_r(first[:, [0]], last[:, [0]])[0].mean(), null_r(first[:3, [1]], last[:3, [1]])[0].mean()]
    assert null.mean() == pytest.approx(np.mean(parts)) and np.isfinite(null).all()


def test_population_opens_absolute_counts():
    counts = plan("pension_insured", {"a": "10 12", "b": "20 22", "c": "30 35", "d": "8 9"})
    people = counts["region"].map({"a": 300_000.0, "b": 300_000, "c": 600_000, "d": 100_000})
    table = association_of(counts.assign(population=people))
    row = table[(table["indicator"] == "pension_insured") & (table["measure"] == "sd_ratio")]
    rates = np.array([[1 / 3, 2 / 3, 0.5, 0.8], [0.4, 22 / 30, 35 / 60, 0.9]])
    assert row["value"].item() == pytest.approx(np.std(rates[1]) / np.std(rates[0]))
    assert "per_resident" in row["flags"].item()


points = arrays(float, 5, elements=st.integers(1, 99), unique=True)
few = examples(40)


@few
@given(points, points)
def test_r_agrees_with_scipy_with_gaps_too(first, last):
    from scipy.stats import pearsonr

    change = last - first
    expected = pearsonr(first, change).statistic if np.ptp(change) > 0 else np.nan
    gap = np.append(last, np.nan)
    for r in (naive_r(first, last), naive_r(np.append(first, 7), gap), naive_r(gap - np.append(change, 0), gap)):
        assert float(r) == pytest.approx(expected, abs=1e-7, nan_ok=True)


@few
@given(points, points, st.integers(0, 2**32 - 1))
def test_the_interval_holds_everything_that_prints_alike(first, last, seed):
    move = np.random.default_rng(seed).uniform(-0.5, 0.5, (2, 5))
    x, y = first + move[0], last + move[1] - first - move[0]
    half, one = np.full(5, 0.5), np.full(5, 1.0)
    low, high = r_bounds(first, last - first, half, one)
    assert np.isnan(low) or low - 1e-7 <= np.corrcoef(x, y)[0, 1] <= high + 1e-7


@examples(12)
@given(st.lists(st.tuples(st.integers(1, 99), st.integers(1, 99)), min_size=3, max_size=5))
def test_the_complement_has_the_same_card(values):
    known = catalogue.indicators()
    other = known.assign(direction=-known["direction"], best=100 - known["best"])
    here = measure_association(panel(plan(LEVEL, {f"r{i}": f"{a} {b}" for i, (a, b) in enumerate(values)}), known))
    rows = {f"r{i}": f"{100 - a} {100 - b}" for i, (a, b) in enumerate(values)}
    there = measure_association(panel(plan(LEVEL, rows), other))
    pd.testing.assert_frame_equal(here, there, check_exact=False, atol=1e-6)


def test_p_counts_ties_and_both_tails():
    assert chances(0.0, np.array([0.0, 0.0, 1.0, 2.0]), True) == (0.5, 1.0, 0.5)
    first, last = (np.arange(8.0)[:, None], np.arange(8.0)[::-1, None])
    null, exact = null_r(first, last)
    assert len(null) == 999 and not exact
