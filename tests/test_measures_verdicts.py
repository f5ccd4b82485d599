"""Verdicts: the enumerated specifications, ranges of ranks, and that a complement changes nothing (METHODS D)."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from plans import four_plans
from test_measures_trajectory import LEVEL, plan

from qyx_analysis import catalogue, measures
from qyx_analysis.datapackage.building import MEASURES
from qyx_analysis.measures import measured
from qyx_analysis.measures import verdicts as verdicts_frame
from qyx_analysis.measures.panel import panel
from qyx_analysis.measures.position import agreement, beaten
from qyx_analysis.measures.verdicts import COLUMNS

CONVERGING = {"a": "80 90", "b": "85 93", "c": "90 96", "d": "95 99"}


def of(kind, indicator, rows):
    table = verdicts_frame(plan(indicator, rows))
    return table[table["kind"] == kind].set_index("region", drop=False)


def one(kind, indicator, rows):
    return of(kind, indicator, rows).iloc[0]


def test_specifications_of_convergence_are_scales_by_measures_by_counties_left_out():
    row = one("convergence", LEVEL, CONVERGING)
    assert row[["specifications", "agreeing", "verdict", "status"]].tolist() == [
        45,
        15,
        "converging",
        "scale_dependent",
    ]
    ratio = one("convergence", "nursery_places", {"a": "3 5", "b": "4 5.5", "c": "2 4.8"})
    assert ratio["specifications"] == 2 * 3 * 4 and ratio["verdict"] == "converging"


def test_three_years_have_no_path_without_the_baseline_step():
    row = one("timing", LEVEL, {"a": "50 58 65"})
    assert row[["verdict", "specifications", "share"]].tolist() == ["even", 2, 1.0]


def test_bounds_double_the_specifications_and_an_open_bound_agrees_with_nothing():
    rows = {"a": "10 32", "b": "20 ≥32", "c": "30 33", "d": "40 34"}
    row = one("convergence", "care_workers", rows)
    assert row["specifications"] == 2 * 3 * 5 * 2 and row["agreeing"] < row["specifications"]
    assert row["status"] == "open_bound"


def test_the_county_that_makes_the_verdict_is_named():
    row = one("convergence", LEVEL, {"a": "20 48", "b": "50 49", "c": "51 52", "d": "52 54"})
    assert (row["verdict"], row["pivotal"]) == ("converging", "a")


def test_timing_is_asked_with_and_without_the_baseline_step_and_on_log_odds():
    firm = one("timing", LEVEL, {"a": "50 62 66 68 69 70"})
    assert firm[["verdict", "specifications", "share", "status"]].tolist() == ["front_loaded", 4, 1.0, "ok"]
    torn = one("timing", LEVEL, {"a": "50 62 64 66 68 70"})  # a straight line after the first step
    assert torn[["verdict", "share", "status"]].tolist() == ["front_loaded", 0.5, "contested"]
    bound = one("timing", "care_workers", {"a": "20 30 31 32 ≥33 ≥33"})
    assert bound["specifications"] == 4 and bound["status"] == "open_bound"


@pytest.mark.parametrize(
    ("indicator", "cells", "status"),
    [
        (LEVEL, "90 90 90 90 90 90", "hold"),
        (LEVEL, "/ 60 / / 70 75", "no_baseline"),
        (LEVEL, "99.1 99.2 99.2 99.3 99.3 99.4", "unresolved"),
        ("rental_housing_cumulative", "1 2 3 4 5 4", "non_monotone"),
        ("preschool_assessment", "0 100 100 100 100 100", "state"),
    ],
)
def test_timing_without_a_verdict_says_why(indicator, cells, status):
    row = one("timing", indicator, {"a": cells})
    assert row["status"] == status
    assert status == "unresolved" or (row["verdict"], row["specifications"]) == ("", 0)


@pytest.mark.parametrize(
    ("cells", "verdict"),
    [
        ("50 54 58 62 66 70", "even"),
        ("50.0 54.5 58.5 62.5 66.5 70.0", "even"),  # an index of +.05 is five weeks
        ("50 62 66 68 69 70", "front_loaded"),
        ("50 51 52 54 58 70", "back_loaded"),
    ],
)
def test_early_and_late_are_half_a_year_away_from_even(cells, verdict):
    row = one("timing", LEVEL, {"a": cells})
    assert row[["verdict", "status"]].tolist() == [verdict, "ok"]


def test_coarse_targets_after_a_fine_baseline_give_no_timing():
    row = one("timing", "nursery_places", {"a": "3.52 4 4 5 5 6"})
    assert row["status"] == "unresolved"


def test_a_row_without_a_baseline_is_judged_on_its_targets():
    row = one("timing", LEVEL, {"a": "/ 50 60 70 80 90"})
    assert row[["verdict", "status", "flags", "specifications"]].tolist() == ["even", "ok", "targets_only", 2]


def test_shared_and_common_targets_take_no_part_in_ranks():
    """奉化 and 慈溪 print the same numbers from other baselines; 欠薪化解率 is 96 everywhere."""
    shared = "90 92 94 96 98"
    rows = {"330213": f"80 {shared}", "330282": f"70 {shared}", "330681": "60 70 75 80 85 90"}
    table = of("ambition", LEVEL, rows | {"330922": "75 76 77 78 79 80"})
    assert table["status"].tolist() == ["shared", "shared", "ok", "ok"]
    assert table["shared_with"].tolist() == ["330282", "330213", "", ""]
    assert table["n"].isna().tolist() == [True, True, False, False] and table["n"].max() == 2
    common = of("ambition", LEVEL, {"a": "80 90 92 93 94 96", "b": "70 75 80 85 90 96"})
    assert set(common["status"]) == {"common"} and (common["verdict"] == "").all()


def test_a_city_shares_with_its_own_counties_alone():
    path = "80 90 92 94 96 98"
    other = plan(LEVEL, {"330681": "80 85 90 91 92 93"})
    for city, found in (("330200", "330200"), ("330900", "")):
        both = pd.concat([plan(LEVEL, {"330213": path}), other, plan(LEVEL, {city: path}, level="city")])
        table = verdicts_frame(both).query("kind == 'ambition'").set_index("region")
        assert table.loc["330213", "shared_with"] == found


def test_fewer_than_four_numbers_are_not_shared():
    table = of("ambition", LEVEL, {"330213": "80 90 92 94", "330282": "70 90 92 94", "330681": "70 80 85 90"})
    assert (table["shared_with"] == "").all()


def test_a_range_of_ranks_from_first_to_last_says_nothing():
    table = of("ambition", LEVEL, {"a": "20 60", "b": "90 97", "c": "60 70"})
    assert table.loc["b", ["rank_best", "rank_worst", "n", "status"]].tolist() == [1, 3, 3, "undecided"]


def test_log_odds_are_not_asked_where_rounding_reaches_100():
    inside = of("ambition", LEVEL, {"a": "50 80", "b": "60 82", "c": "70 85"})
    reached = of("ambition", LEVEL, {"a": "50 80", "b": "60 82", "c": "70 100"})
    assert inside["specifications"].tolist() == [9, 9, 9] and reached["specifications"].tolist() == [6, 6, 6]


def test_overlapping_intervals_are_not_ordered():
    table = of("ambition", LEVEL, {"a": "50 90", "b": "50 71", "c": "50 70", "d": "50 55"})
    assert table["rank_best"].tolist() == [1, 2, 2, 4] and table["rank_worst"].tolist() == [1, 3, 3, 4]
    assert table["above"].tolist() == [3, 1, 1, 0] and table["below"].tolist() == [0, 1, 1, 3]


def test_scales_that_disagree_widen_the_range_of_ranks():
    table = of("ambition", LEVEL, {"a": "20 60", "b": "90 97", "c": "60 70"})
    assert (table.loc["b", "rank_best"], table.loc["b", "rank_worst"]) == (1, 3)
    assert table.loc["a", "below"] == 0 and table.loc["a", "share"] < 1


def test_whoever_starts_at_the_best_value_is_not_ranked():
    table = of("ambition", LEVEL, {"a": "100 100", "b": "60 80", "c": "70 75"})
    assert table.loc["a", ["verdict", "status"]].tolist() == ["", "hold_at_ceiling"]
    assert table.loc["b", "n"] == 2


def test_counts_are_not_compared_until_a_population_is_known():
    rows = {"a": "10 20", "b": "20 22", "c": "30 45"}
    table = of("ambition", "training_cumulative", rows)
    assert set(table["status"]) == {"absolute_count"} and (table["verdict"] == "").all()
    people = plan("training_cumulative", rows).assign(population=100_000)
    known = verdicts_frame(people).query("kind == 'ambition'")
    assert known["rank_best"].tolist() == [1, 3, 1] and known["rank_worst"].tolist() == [2, 3, 2]
    assert known["flags"].str.contains("per_resident").all()
    part = people.assign(population=people["population"].where(people["region"] != "a"))
    lacking = verdicts_frame(part).query("kind == 'ambition'").set_index("region")
    assert lacking.loc["a", ["verdict", "status"]].tolist() == ["", "no_population"] and lacking.loc["b", "n"] == 2
    with pytest.raises(ValueError, match="population of region a must be above zero"):
        verdicts_frame(people.assign(population=0))


@examples(40)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=3, max_size=6))
def test_leaving_out_in_closed_form(spans):
    lo = np.array([float(low) for low, _ in spans])
    hi = lo + [width for _, width in spans]
    headline = np.sign(np.subtract(*beaten(lo, hi)))
    asked, agreed = agreement(*beaten(lo, hi), headline)
    slow = (np.sign(np.subtract(*beaten(lo, hi))) == headline).astype(int)
    for left in range(len(lo)):
        rest = np.delete(np.arange(len(lo)), left)
        slow[rest] += np.sign(np.subtract(*beaten(lo[rest], hi[rest]))) == headline[rest]
    assert asked == len(lo) and agreed.tolist() == slow.tolist()


def test_a_profile_ranks_over_scales_and_left_out_indicators():
    rows = {"a": "50 80", "b": "50 70", "c": "50 60"}
    both = pd.concat([plan(LEVEL, rows), plan("child_screening_rate", rows), plan("nursery_places", {"a": "3 5"})])
    table = verdicts_frame(both).query("kind == 'profile'").set_index("region")
    assert table["rank_best"].tolist() == [1, 2, 3] and table["rank_worst"].tolist() == [1, 2, 3]
    assert table.loc["a", "specifications"] == 3 * 3 * 3  # scales, indicators left out, counties left out
    assert table.loc["a", "share"] == 1.0 and table.loc["b", "verdict"] == "middle"


def test_a_profile_that_hangs_on_one_indicator_leaves_its_county_open():
    up, down = {"a": "50 80", "b": "50 70", "c": "50 60"}, {"a": "50 60", "b": "50 70", "c": "50 80"}
    table = verdicts_frame(pd.concat([plan(LEVEL, up), plan("child_screening_rate", down)])).query("kind == 'profile'")
    assert table["rank_best"].tolist() == [1, 1, 1] and table["rank_worst"].tolist() == [3, 3, 3]
    assert (table["above"] == 0).all()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_counties_give_reasons_and_no_crash(n):
    rows = {name: f"{50 + 10 * i} {70 + 5 * i}" for i, name in enumerate("abc"[:n])}
    for name in MEASURES:
        table = getattr(measures, name)(plan(LEVEL, rows))
        assert (table["status"] != "").all()
    table = verdicts_frame(plan(LEVEL, rows))
    assert (table.loc[table["kind"] == "convergence", "status"] == "too_few").all() == (n < 3)
    assert (table.loc[table["kind"] == "ambition", "status"] == "too_few").all() == (n < 2)


def test_ninety_counties_are_judged_like_four():
    rng = np.random.default_rng(0)
    rows = {
        f"r{i}": f"{a} {a + b}"
        for i, (a, b) in enumerate(zip(rng.integers(20, 70, 90), rng.integers(1, 30, 90), strict=True))
    }
    rows["r0"] = "60 ≥75"
    table = verdicts_frame(plan(LEVEL, rows))
    ranked = table[table["kind"] == "ambition"]
    assert (ranked["rank_best"] <= ranked["rank_worst"]).all() and ranked["rank_worst"].max() == 90
    assert (ranked["specifications"] == 3 * 2 * 90).all()
    left = table[table["kind"] == "convergence"].iloc[0]
    assert left["specifications"] == 3 * 3 * 91 + 3 * 3  # no county left out at the widest reading


def test_each_published_pair_has_a_verdict_or_its_reason():
    table = verdicts_frame(four_plans())
    assert table.columns.tolist() == COLUMNS
    assert table["kind"].value_counts().to_dict() == {"timing": 84, "ambition": 84, "profile": 28, "convergence": 22}
    assert (table.loc[table["verdict"] == "", "status"] != "ok").all()
    assert (table.loc[table["verdict"] != "", "specifications"] > 0).all()
    assert table.loc[table["status"] == "ok", "share"].gt(0.5).all()
    assert set(table["status"]) <= set(catalogue.statuses()["status"])
    ranks = table.dropna(subset=["rank_best"]).astype({"rank_best": int, "rank_worst": int})
    for _, rows in ranks.groupby(["kind", "domain", "indicator"]):
        for (_, a), (_, b) in combinations(rows.iterrows(), 2):
            if a["rank_worst"] < b["rank_best"]:
                assert a["above"] >= 1 and b["below"] >= 1


@pytest.mark.parametrize("name", MEASURES)
def test_no_number_without_a_reason(name):
    """On the four plans and where all counties print one value: a blank is never ``ok``."""
    same = plan(LEVEL, dict.fromkeys(("330213", "330282", "330922"), "90 90 90 90 90 90"))
    for targets in (four_plans(), same):
        table = getattr(measures, name)(targets)
        blank = table["verdict"] == "" if name == "verdicts" else table["value"].isna()
        assert (table.loc[blank, "status"] != "ok").all()


def test_all_measures_together_are_those_of_each_function_from_one_panel(monkeypatch):
    calls = []

    def counted(name):
        function = getattr(measured, name)
        monkeypatch.setattr(measured, name, lambda *given: calls.append(name) or function(*given))

    parts = ["panel", *(f"measure_{name}" for name in MEASURES)]
    for name in parts:
        counted(name)
    targets = four_plans()
    found = measured.measure_all(targets)
    assert sorted(calls) == sorted(parts) and set(found) == set(MEASURES)
    for name in ("trajectory", "verdicts"):
        pd.testing.assert_frame_equal(found[name], getattr(measures, name)(targets))


def test_every_group_of_comparability_holds_one_definition():
    """Comparability is no dimension of the specifications as long as no group joins two definitions."""
    assert catalogue.indicators()["comparability"].is_unique


paths = st.lists(st.lists(st.integers(1, 99), min_size=6, max_size=6), min_size=3, max_size=4)


@examples(12)
@given(paths, st.integers(0, 3))
def test_the_complement_gets_the_same_verdicts(values, bounded):
    known = catalogue.indicators()
    other = known.assign(direction=-known["direction"], best=100 - known["best"])

    def table(sign, flip, indicators):
        rows = {f"r{i}": [str(abs(flip - v)) for v in row] for i, row in enumerate(values)}
        rows[f"r{min(bounded, len(values) - 1)}"][-1] = sign + rows[f"r{min(bounded, len(values) - 1)}"][-1]
        p = panel(plan(LEVEL, {name: " ".join(cells) for name, cells in rows.items()}), indicators)
        return measured.measure_verdicts(
            p, measured.measure_trajectory(p), measured.measure_ambition(p), measured.measure_dispersion(p)
        )

    here, there = table("≥", 0, known), table("≤", 100, other)
    pd.testing.assert_frame_equal(here, there)
