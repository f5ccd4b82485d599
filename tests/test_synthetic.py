"""The synthetic provinces: printed like the real plans, true to their own truth, and what the verdicts make of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import synthetic
from plans import four_plans

from qyx_analysis import catalogue
from qyx_analysis.notebook import open_desk


@pytest.fixture(scope="module")
def ninety() -> synthetic.Province:
    return synthetic.province(90, seed=2)


@pytest.fixture(scope="module")
def found() -> dict[int, pd.DataFrame]:
    provinces = {4: 12, 12: 4, 90: 1}
    return {n: pd.concat([synthetic.answers(n, seed) for seed in range(many)]) for n, many in provinces.items()}


def with_truth(plans: synthetic.Province) -> pd.DataFrame:
    """The printed cells with the two true ends of their row."""
    return plans.targets.merge(plans.truth, on=["region", "indicator"])


# --- what is printed --------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_province_and_another_seed_another() -> None:
    one, again, other = (synthetic.province(4, seed).targets for seed in (7, 7, 8))
    pd.testing.assert_frame_equal(one, again)
    assert not one["value"].equals(other["value"])


def test_four_counties_have_the_four_paces() -> None:
    four = synthetic.province(4, seed=1)
    assert sorted(four.truth.drop_duplicates("region")["pace"]) == ["back", "even", "front", "lagging"]
    assert len(four.targets) == 504


def test_the_frame_is_that_of_a_build(ninety: synthetic.Province) -> None:
    real = four_plans()
    assert ninety.targets.dtypes.to_dict() == real.dtypes.to_dict()
    assert list(ninety.targets) == list(real)
    assert not ninety.targets.duplicated(["region", "indicator", "year"]).any()
    assert len(ninety.targets) == 90 * 126


def test_real_codes_for_ninety_and_invented_ones_beyond() -> None:
    known = set(catalogue.regions().query("level == 'county'")["code"])
    codes = synthetic.province(120, seed=0).targets["region"].unique()
    assert len(codes) == 120
    assert len(known & set(codes)) == 90
    assert all(code.startswith("99") and len(code) == 6 for code in set(codes) - known)


def test_bounds_words_gaps_and_core_marks_are_as_frequent_as_in_the_four_plans(ninety: synthetic.Province) -> None:
    real = four_plans()
    for column in ("kind", "core"):
        shares = [frame[column].value_counts(normalize=True) for frame in (real, ninety.targets)]
        assert shares[0].sub(shares[1], fill_value=0).abs().max() < 0.02, column
    assert set(ninety.targets["operator"]) == set(real["operator"])


def test_a_printed_number_is_the_truth_rounded(ninety: synthetic.Province) -> None:
    points = with_truth(ninety).query("kind == 'point'")
    for role, end, year in (("baseline", "first", 2022), ("target", "last", 2027)):
        rows = points[(points["role"] == role) & (points["year"] == year)]
        assert ((rows["value"] - rows[end]).abs() <= rows["resolution"] / 2 + 1e-6).all()
        assert len(rows) > 1000


def test_a_bound_is_kept_by_the_truth(ninety: synthetic.Province) -> None:
    last = with_truth(ninety).query("year == 2027")
    low, high = (last[last["kind"] == kind] for kind in ("lower_bound", "upper_bound"))
    assert min(len(low), len(high)) > 50
    assert (low["value"] <= low["last"] + 1e-9).all()
    assert (high["value"] >= high["last"] - 1e-9).all()


def test_what_is_printed_is_what_the_value_says(ninety: synthetic.Province) -> None:
    numbers = ninety.targets.query("kind == 'point' and indicator == 'life_expectancy'")
    assert (numbers["raw"].astype(float) - numbers["value"]).abs().max() < 1e-9


# --- the truth --------------------------------------------------------------------------------------------


def test_paces_are_put_in_evenly_and_nobody_plans_to_fall_back(ninety: synthetic.Province) -> None:
    paces = ninety.truth.drop_duplicates("region")["pace"].value_counts()
    assert set(paces) <= {22, 23}
    assert (ninety.truth["change"] >= 0).all()
    assert ninety.truth.groupby("pace")["front_loading"].agg(lambda values: values.round(6).nunique()).eq(1).all()


def test_who_lags_plans_less(ninety: synthetic.Province) -> None:
    rows = ninety.truth.query("indicator == 'life_expectancy' or spread == 'converging'")
    sizes = rows.groupby(["indicator", rows["pace"] == "lagging"])["change"].median().unstack()
    moving = sizes[(sizes[False] > 0) & ~sizes.index.isin(["nursery_places", "wage_arrears_resolved"])]
    assert (moving[True] < moving[False]).mean() > 0.7  # a target set for all leaves nobody behind


def test_a_target_set_for_all_is_set_for_all(ninety: synthetic.Province) -> None:
    assert ninety.truth.query("indicator == 'nursery_places'")["last"].unique().tolist() == [5.5]


def test_counties_that_neither_converge_nor_diverge_do_so_in_no_part(ninety: synthetic.Province) -> None:
    shares = catalogue.indicators().query("scale == 'share'")["code"]
    truth = ninety.truth[ninety.truth["indicator"].isin(shares) & (ninety.truth["spread"] == "neither")]
    rows = truth.assign(moved=lambda t: np.log(t["last"] / (100 - t["last"])) - np.log(t["first"] / (100 - t["first"])))
    rows = rows[~rows["indicator"].isin(["wage_arrears_resolved", "medical_aid_rate", "huiminbao_enrolment"])]
    assert len(rows) > 80
    assert (rows.groupby("indicator")["moved"].agg(np.ptp) < 1e-9).all()


# --- what the verdicts find -------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [4, 12, 90])
def test_verdicts_are_hardly_ever_wrong_and_yet_find_something(found: dict[int, pd.DataFrame], n: int) -> None:
    table = synthetic.rates(found[n])
    assert (table["wrong of verdicts"].fillna(0) <= 0.03).all()
    assert table.loc["timing", "found"] > 0.25
    assert table.loc["ambition", "found"] > 0.15
    assert table.loc["convergence", "found"] > 0.25


def test_even_is_found_where_it_is_true(found: dict[int, pd.DataFrame]) -> None:
    timing = pd.concat(found.values()).query("kind == 'timing'")
    said = timing[timing["verdict"] == "even"]
    assert len(said) > 300 and (said["truth"] == "even").mean() > 0.97


def test_the_rates_see_wrong_verdicts(found: dict[int, pd.DataFrame]) -> None:
    opposite = {"converging": "diverging", "diverging": "converging"}
    turned = found[4].assign(truth=found[4]["truth"].replace(opposite))
    right, wrong = (synthetic.rates(frame).loc["convergence"] for frame in (found[4], turned))
    assert wrong["wrong"] == pytest.approx(right["found"]) and right["found"] > 0
    assert wrong["found"] == pytest.approx(right["wrong"])


def test_the_notebooks_open_a_synthetic_build(ninety: synthetic.Province, tmp_path) -> None:
    folder = synthetic.write_build(ninety.targets, tmp_path / "build")
    desk = open_desk(region="330213", data_dir=folder)
    assert desk.targets["region"].nunique() == 90
    assert {key: int(rows["counties"].iloc[0]) for key, rows in desk.standing_among.items()} == {
        "city": 10, "district": 37
    }  # fmt: skip
    assert set(desk.findings["severity"]) <= {"error", "warning", "info"}
