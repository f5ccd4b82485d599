"""Ambition: gold numbers and edge cases of METHODS B."""

import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from plans import four_plans
from test_measures_trajectory import COLUMNS, LEVEL, plan

from qyx_analysis import catalogue
from qyx_analysis.measures import ambition
from qyx_analysis.measures.ambition import measure_ambition
from qyx_analysis.measures.panel import panel

NO_NUMBER = {"state": 8, "no_baseline": 5, "words": 3, "missing": 3, "reference": 1}  # of the 84 published pairs
PUBLISHED = {
    "change": NO_NUMBER | {"ok": 55, "weaker": 3, "hold_at_ceiling": 3, "non_monotone": 1, "unresolved": 2},
    "gap_closure": NO_NUMBER | {"no_limit": 33, "ok": 26, "weaker": 1, "hold_at_ceiling": 3, "unresolved": 1},
}


def measured(indicator, cells, indicators=None):
    known = catalogue.indicators() if indicators is None else indicators
    return measure_ambition(panel(plan(indicator, {"a": cells}), known)).set_index("measure")


@pytest.mark.parametrize(
    ("cells", "change", "relative", "closure", "logit", "cut"),
    [
        ("50 60", 10, 0.2, 0.2, 0.4055, 0.04365),
        ("80 90", 10, 0.125, 0.5, 0.8109, 0.12945),
        ("95 97.5", 2.5, 0.02632, 0.5, 0.7191, 0.12945),
        ("99.5 99.8", 0.3, 0.00302, 0.6, 0.9193, 0.16745),
        ("90 88", -2, -0.0222, -0.2, -0.2048, -0.0371),
    ],
)
def test_gold_changes(cells, change, relative, closure, logit, cut):
    first, last = cells.split()
    table = measured(LEVEL, f"{first} / / / / {last}")["value"]
    names = ["change", "relative_change", "gap_closure", "logit_change", "yearly_gap_cut"]
    for name, value in zip(names, (change, relative, closure, logit, cut), strict=True):
        assert round(table[name], len(str(value).partition(".")[2])) == value, name


def test_rounding_interval_of_gap_closure():
    row = measured(LEVEL, "99.5 / / / / 99.8").loc["gap_closure"]
    assert [row["lo"], row["hi"]] == pytest.approx([0.4444, 0.7273], abs=5e-5)


@pytest.mark.parametrize(
    ("indicator", "cells", "change", "closure"),
    [
        (LEVEL, "50 75", ("ok", 25), ("ok", 0.5)),
        (LEVEL, "90 88", ("weaker", -2), ("weaker", -0.2)),
        (LEVEL, "90 91", ("unresolved", 1), ("unresolved", 0.1)),
        (LEVEL, "90 90", ("hold", 0), ("hold", 0)),
        (LEVEL, "100 100", ("hold_at_ceiling", 0), ("hold_at_ceiling", None)),
        (LEVEL, "100 95", ("weaker", -5), ("at_ceiling", None)),
        (LEVEL, "60 全覆盖", ("ok", 40), ("ok", 1)),
        (LEVEL, "/ 75", ("no_baseline", None), ("no_baseline", None)),
        (LEVEL, "50 /", ("no_final", None), ("no_final", None)),
        ("premature_mortality", "9.5 8.3", ("ok", 1.2), ("ok", 0.1263157895)),
        ("unemployment_registered", "1.16 <3.5", ("weaker", -2.34), ("no_limit", None)),
        ("huiminbao_enrolment", "72.66 >70", ("weaker", -2.66), ("weaker", -0.0972933431)),
        ("care_workers", "30 ≥32", ("ok", 2), ("no_limit", None)),
        ("training_cumulative", "3.8 13", ("ok", 9.2), ("no_limit", None)),
        ("preschool_assessment", "0 100", ("state", None), ("state", None)),
        ("pension_insured", "下达 下达", ("reference", None), ("reference", None)),
    ],
)
def test_every_pair_has_a_change_and_a_closure_or_the_reason(indicator, cells, change, closure):
    table = measured(indicator, cells)
    for name, (status, value) in (("change", change), ("gap_closure", closure)):
        row = table.loc[name]
        assert row["status"] == status
        assert np.isnan(row["value"]) if value is None else row["value"] == pytest.approx(value)


def test_no_direction_refuses():
    known = catalogue.indicators().assign(direction=0)
    table = measured(LEVEL, "50 60", known)
    assert set(table["status"]) == {"no_direction"} and table["value"].isna().all()


def test_a_bound_reaches_to_its_limit_and_is_never_clipped():
    table = measured("huiminbao_enrolment", "72.66 >70")
    assert table.loc["change", ["lo", "hi"]].tolist() == pytest.approx([-2.665, 27.345])
    assert table.loc["change", "flags"] == "bounded;open_bound"
    assert measured("care_workers", "30 ≥32").loc["change", ["lo", "hi"]].tolist() == [1.5, np.inf]


def test_logit_at_the_limit_uses_half_a_digit_and_is_open_above():
    row = measured(LEVEL, "90 100").loc["logit_change"]
    assert row["value"] == pytest.approx(np.log(99.5 / 0.5) - np.log(9))
    assert (row["hi"], row["flags"]) == (np.inf, "at_limit")


def test_relative_change_needs_a_baseline_above_zero():
    assert measured("training_cumulative", "0 80").loc["relative_change", "status"] == "not_positive"
    assert measured(LEVEL, "80 90").loc["relative_change", "flags"] == "descriptive"


def test_columns_and_definitions_are_kept_apart():
    table = ambition(plan("unemployment_surveyed", {"a": "4.7 <5"}))
    assert table.columns.tolist() == COLUMNS
    assert set(table["indicator"]) == {"unemployment_surveyed"}


def test_each_published_pair_has_a_change_and_a_closure_or_the_reason():
    table = ambition(four_plans())
    for measure, counts in PUBLISHED.items():
        rows = table[table["measure"] == measure]
        assert len(rows) == 84 and not rows.duplicated(["region", "indicator"]).any()
        assert rows.loc[rows["value"].isna(), "status"].ne("ok").all()
        assert rows["status"].value_counts().to_dict() == counts


def test_targets_set_from_above_are_told_from_chosen_ones():
    table = ambition(four_plans()).query("measure == 'change'")
    named = table.assign(flag=table["flags"].str.split(";")).explode("flag").groupby("flag")["indicator"].agg(set)
    assert named["mandated"] == {"compulsory_assessment", "nursery_places", "wage_arrears_resolved"}
    assert named["identical_targets"] == {"medical_aid_rate", "preschool_assessment", "unemployment_registered"}
    assert named["core"] == {"care_workers", "dibao_standard", "life_expectancy", "rental_housing_cumulative"}


def test_one_county_alone_has_no_identical_targets():
    assert ambition(plan(LEVEL, {"a": "50 90"}))["flags"].str.contains("identical").sum() == 0


two = st.tuples(st.integers(1, 99), st.integers(1, 99))


@examples(20)
@given(two)
def test_flipping_the_direction_turns_the_change_and_leaves_closure(ends):
    known = catalogue.indicators()
    cells = "{} {}".format(*ends)
    here, there = (measured(LEVEL, cells, t)["value"] for t in (known, known.assign(direction=-known["direction"])))
    assert there["change"] == -here["change"] and there["logit_change"] == -here["logit_change"]
    assert there["gap_closure"] == here["gap_closure"]


@examples(20)
@given(two)
def test_the_complement_is_as_ambitious(ends):
    known = catalogue.indicators()
    other = known.assign(direction=-known["direction"], best=100 - known["best"])
    here = measured(LEVEL, "{} {}".format(*ends), known)
    there = measured(LEVEL, "{} {}".format(*(100 - value for value in ends)), other)
    for name in ("change", "gap_closure", "logit_change", "yearly_gap_cut"):
        columns = ["value", "lo", "hi"]
        np.testing.assert_allclose(
            there.loc[name, columns].to_numpy(float), here.loc[name, columns].to_numpy(float), atol=1e-9
        )
        assert there.loc[name, "status"] == here.loc[name, "status"]
