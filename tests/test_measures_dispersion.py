"""Dispersion: gold numbers and edge cases of METHODS C."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
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


@settings(max_examples=50, deadline=None)
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
