"""Trajectory: gold numbers and edge cases of METHODS A, and what every measure shares."""

import doctest
import importlib

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from plans import four_plans

from qyx_analysis import catalogue
from qyx_analysis.measures import trajectory as trajectory_of
from qyx_analysis.measures.panel import panel
from qyx_analysis.measures.results import label
from qyx_analysis.measures.trajectory import front_loading, measure_trajectory, shares

SIGNS = {"<": "upper_bound", "≤": "upper_bound", ">": "lower_bound", "≥": "lower_bound"}
WORDS = {
    "/": "missing",
    "全覆盖": "full_coverage",
    "通过": "status",
    "申报": "status",
    "下达": "reference",
    "?": "unreadable",
}


def plan(indicator, rows, first=2022, level="county"):
    """A targets frame from ``{region: "cell cell ..."}``, cells written as they are printed."""
    records = []
    for region, cells in rows.items():
        for year, cell in enumerate(cells.split(), start=first):
            number = cell.lstrip("".join(SIGNS)) if cell not in WORDS else ""
            records.append(
                {
                    "region": region,
                    "level": level,
                    "indicator": indicator,
                    "year": year,
                    "role": "baseline" if year == 2022 else "target",
                    "kind": WORDS.get(cell) or SIGNS.get(cell[0], "point"),
                    "value": float(number) if number else np.nan,
                    "resolution": 10.0 ** -len(number.partition(".")[2]) if number else np.nan,
                    "state": {"通过": 100.0, "申报": 0.0}.get(cell, np.nan),
                }
            )
    return pd.DataFrame(records)


def measured(indicator, cells, **options):
    return trajectory_of(plan(indicator, {"a": cells}, **options)).set_index("measure")


MODULES = ["panel", "results", "spread", "trajectory", "ambition", "dispersion", "association", "verdicts"]
MODULES += ["position", "measured"]
COLUMNS = ["region", "indicator", "number", "measure", "value", "lo", "hi", "n", "status", "flags"]
PUBLISHED = {"ok": 33, "unresolved": 20, "weaker": 3, "open_bound": 3, "reversing": 1, "non_monotone": 1}  # of 84
PUBLISHED |= {"hold_at_ceiling": 3, "state": 8, "no_baseline": 5, "words": 3, "missing": 3, "reference": 1}
LEVEL = "affordable_nursery_share"  # a share, higher is better, best 100
provinces = arrays(int, (20, 6), elements=st.integers(1, 99))  # twenty paths at a time
few = examples(20)


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_the_documentation_run(module):
    found = doctest.testmod(importlib.import_module(f"qyx_analysis.measures.{module}"))
    assert found.attempted > 0 and found.failed == 0


@pytest.mark.parametrize(
    ("indicator", "cells", "expected"),
    [
        (LEVEL, "50 54 58 62 66 70", {"front_loading": 0, "mean_delivery_year": 2025, "half_change_year": 2024.5}),
        (LEVEL, "50 54 58 62 66 70", {"last_year_share": 0.2}),
        (LEVEL, "50 62 66 68 69 70", {"front_loading": 0.625, "front_loading_2023_2027": 0.416667}),
        (LEVEL, "50 62 66 68 69 70", {"mean_delivery_year": 2023.75, "half_change_year": 2022.8333}),
        (LEVEL, "50 62 66 68 69 70", {"last_year_share": 0.05}),
        (LEVEL, "50 62 66 68 69 70", {"share_by_2023": 0.6, "share_by_2024": 0.8, "share_by_2026": 0.95}),
        (LEVEL, "80 82 84 86 88 90", {"share_by_2024": 0.4}),
        (LEVEL, "20 18 16 14 12 10", {"share_by_2024": 0.4}),  # its complement
        (LEVEL, "50 48 54 60 66 70", {"share_by_2023": -0.1, "share_by_2025": 0.5}),
        (LEVEL, "50 51 52 54 58 70", {"front_loading": -0.625, "mean_delivery_year": 2026.25}),
        (LEVEL, "50 51 52 54 58 70", {"half_change_year": 2026.1667, "last_year_share": 0.6}),
        (LEVEL, "50 48 54 60 66 70", {"front_loading": -0.3, "mean_delivery_year": 2025.6, "half_change_year": 2025}),
        (LEVEL, "50 48 54 60 66 70", {"last_year_share": 0.2, "path_efficiency": 0.833333}),
        (LEVEL, "50 48 54 60 66 70", {"reversals": 1, "longest_plateau": 0, "required_yearly_pace": 4}),
        ("premature_mortality", "4.0 3.7 3.6 3.55 3.5 3.5", {"front_loading": 0.65, "mean_delivery_year": 2023.7}),
        ("premature_mortality", "4.0 3.7 3.6 3.55 3.5 3.5", {"half_change_year": 2022.8333, "last_year_share": 0}),
        ("premature_mortality", "4.0 3.7 3.6 3.55 3.5 3.5", {"required_yearly_pace": 0.1, "longest_plateau": 1}),
        ("training_cumulative", "0 10 25 45 60 80", {"front_loading": -0.125, "mean_delivery_year": 2025.25}),
        (
            "training_cumulative",
            "0 10 25 45 60 80",
            {"last_year_share": 0.25, "addition_2023": 10, "addition_2024": 15},
        ),
        ("training_cumulative", "0 10 25 45 60 80", {"addition_2025": 20, "addition_2026": 15, "addition_2027": 20}),
    ],
)
def test_gold_paths(indicator, cells, expected):
    table = measured(indicator, cells)
    for measure, value in expected.items():
        digits = len(str(value).partition(".")[2])
        assert round(table.loc[measure, "value"], digits) == value, measure


@pytest.mark.parametrize("path", [[80, 82, 84, 86, 88, 90], [20, 18, 16, 14, 12, 10]])
def test_gold_share_of_the_change_against_the_straight_line(path):
    """Ratios of growth rates differ between a share and its complement (1.036, .816); shares of the change do not."""
    done = float(shares(np.array([path], dtype=float))[0, 2])
    assert done / (2 / 5) == pytest.approx(1)


def test_rounding_interval_that_reaches_both_sides_is_unresolved():
    row = measured(LEVEL, "99.1 99.2 99.2 99.3 99.3 99.4").loc["front_loading"]
    assert (row["value"], row["status"], row["n"]) == (0, "unresolved", 6)
    assert [row["lo"], row["hi"]] == pytest.approx([-2 / 3, 2 / 3])


@pytest.mark.parametrize(
    ("indicator", "cells", "status", "flags", "has_value"),
    [
        (LEVEL, "50 60 62 65 70 75", "ok", "", True),
        (LEVEL, "90 91 92 91 90 90", "hold", "reversing", False),
        (LEVEL, "100 100 100 100 100 100", "hold_at_ceiling", "", False),
        (LEVEL, "60 全覆盖 全覆盖 全覆盖 全覆盖 全覆盖", "ok", "from_text;early", True),
        (LEVEL, "/ 60 62 65 70 75", "no_baseline", "", False),
        (LEVEL, "50 60 62 65 70 /", "no_final", "", False),
        (LEVEL, "50 60 ? 65 70 ?", "unreadable", "", False),
        (LEVEL, "/ / / / / /", "missing", "", False),
        (LEVEL, "50 62 / 68 69 70", "ok", "interpolated;early", True),
        (LEVEL, "50 62 / / / 70", "too_few_years", "", False),
        (LEVEL, "50 70", "too_few_years", "", False),
        ("premature_mortality", "8.4 9.1 8.9 8.7 8.5 8.3", "unresolved", "reversing", True),
        ("premature_mortality", "9.5 10.0 9.5 9.0 8.5 8.3", "reversing", "", True),
        ("unemployment_registered", "1.16 <3.5 <3.5 <3.5 <3.5 <3.5", "weaker", "bounded;open_bound;reversing", True),
        ("care_workers", "29 30 31 32 ≥32 ≥32", "unresolved", "bounded", True),  # 3 units: rounding moves the zone
        ("care_workers", "20 30 31 32 ≥32 ≥32", "open_bound", "bounded", True),
        (LEVEL, "50 54 58 62 66 70", "ok", "", True),  # even is a result
        ("nursery_places", "3.52 4 4 5 5 6", "unresolved", "", True),  # the targets are whole numbers
        ("rental_housing_cumulative", "0.333 0.548 0.778 0.908 0.938 0.548", "non_monotone", "absolute_count", False),
        ("pension_insured", "下达 下达 下达 下达 下达 下达", "reference", "absolute_count", False),
        ("long_term_care_insured", "47.8 49.5 全覆盖 全覆盖 全覆盖 全覆盖", "words", "absolute_count", False),
        ("preschool_assessment", "申报 申报 通过 通过 通过 通过", "state", "from_text", False),
    ],
)
def test_status_and_flags(indicator, cells, status, flags, has_value):
    row = measured(indicator, cells).loc["front_loading"]
    assert (row["status"], row["flags"], np.isfinite(row["value"])) == (status, flags, has_value)


def test_gap_is_bridged_on_the_line_between_its_neighbours():
    table = measured(LEVEL, "50 62 / 68 69 70")
    assert table.loc["front_loading", "value"] == measured(LEVEL, "50 62 65 68 69 70").loc["front_loading", "value"]
    assert table.loc["longest_plateau", "status"] == table.loc["share_by_2024", "status"] == "gap"
    whole = measured(LEVEL, "50 62 65 68 69 70")
    for measure in ("last_year_share", "share_by_2023", "share_by_2025"):  # the gap is in none of these
        assert table.loc[measure, ["value", "lo", "hi"]].tolist() == whole.loc[measure, ["value", "lo", "hi"]].tolist()


def test_bounds_open_the_interval_to_their_limits():
    row = measured("pension_insured", "107.3 108.1 ≥108.1 ≥108.1 ≥108.1 ≥108.1").loc["front_loading"]
    assert (row["value"], row["lo"], row["hi"]) == (1, -1, np.inf)
    pole = measured(LEVEL, "94 95 94 95 95 95").loc["front_loading"]
    assert (pole["lo"], pole["hi"], pole["status"]) == (-np.inf, np.inf, "unresolved")


def test_cumulative_fall_keeps_additions_and_loses_shape():
    table = measured("rental_housing_cumulative", "0.333 0.548 0.778 0.908 0.938 0.548")
    assert table.loc["addition_2027", ["value", "status"]].tolist() == [-0.39, "non_monotone"]
    assert table.loc[["front_loading", "half_change_year", "path_efficiency"], "value"].isna().all()
    assert table.loc["reversals", "value"] == 1


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("申报 申报 通过 通过 通过 通过", [2024, 2024, 2024, "ok"]),
        ("0 100 100 100 100 100", [2023, 2023, 2023, "ok"]),
        ("0 / 100 100 100 100", [2024, 2023, 2024, "ok"]),
        ("100 100 100 100 100 100", [2022, -np.inf, 2022, "hold_at_ceiling"]),
        ("/ 100 100 100 100 100", [2023, -np.inf, 2023, "no_baseline"]),
        ("通过 申报 通过 通过 通过 通过", [2022, -np.inf, 2022, "hold_at_ceiling"]),
        ("申报 通过 申报 通过 通过 通过", [2023, 2023, 2023, "reversing"]),
    ],
)
def test_passing_year(cells, expected):
    assert (
        measured("compulsory_assessment", cells).loc["passing_year", ["value", "lo", "hi", "status"]].tolist()
        == expected
    )


def test_state_that_is_never_passed_and_words_in_a_headcount():
    assert measured("compulsory_assessment", "0 0 0 0 0 0").loc["passing_year", "status"] == "not_planned"
    covered = measured("long_term_care_insured", "47.8 49.51 全覆盖 全覆盖 全覆盖 全覆盖").loc["full_coverage_year"]
    assert covered[["value", "status"]].tolist() == [2024, "ok"]


def test_every_pair_has_a_front_loading_row_and_benchmarks_have_their_own():
    county = plan(LEVEL, {"a": "50 60 62 65 70 75", "b": "/ / / / / /"})
    city = plan(LEVEL, {"c": "60 62 65 70 75 80"}, level="city")
    local = plan("local:别的", {"a": "1 2 3 4 5 6"}).assign(domain="", unit="米")
    table = trajectory_of(pd.concat([county, city, local], ignore_index=True))
    assert table.loc[table["measure"] == "front_loading", "region"].tolist() == ["a", "b", "c", "a"]
    assert table.columns.tolist() == COLUMNS


def test_each_published_pair_has_one_result_or_its_reason():
    table = trajectory_of(four_plans())
    rows = table[table["measure"] == "front_loading"]
    assert len(rows) == 84 and not rows.duplicated(["region", "indicator"]).any()
    assert rows.loc[rows["value"].isna(), "status"].ne("ok").all()
    assert set(rows["status"]) <= set(catalogue.statuses()["status"])
    assert rows["status"].value_counts().to_dict() == PUBLISHED and rows["value"].notna().sum() == 60


def test_other_years_give_other_names_and_the_same_shape():
    short = plan(LEVEL, {"a": "50 60 66 70"})
    table = trajectory_of(short).set_index("measure")
    assert table.loc["front_loading", "value"] == pytest.approx(2 * (0.5 + 0.8) / 2 - 1)
    assert "front_loading_2023_2025" in table.index and "front_loading_2023_2027" not in table.index


def test_two_values_for_one_year_are_refused_by_name():
    twice = pd.concat([plan(LEVEL, {"a": "50 60"})] * 2, ignore_index=True)
    with pytest.raises(ValueError, match=f"{LEVEL} of region a has two values for 2022"):
        trajectory_of(twice)


def printed(values):
    return plan(LEVEL, {f"r{i}": " ".join(map(str, row)) for i, row in enumerate(values)})


@few
@given(provinces)
def test_direction_and_complement_leave_the_shape_alone(values):
    def index(cells, indicators):
        rows = measure_trajectory(panel(printed(cells), indicators))
        return rows.loc[rows["measure"] == "front_loading", ["value", "lo", "hi"]].to_numpy()

    known = catalogue.indicators()
    flipped = known.assign(direction=-known["direction"])
    expected = index(values, known)
    np.testing.assert_allclose(index(values, flipped), expected)
    np.testing.assert_allclose(index(100 - values, flipped), expected, atol=1e-9)


@few
@given(provinces)
def test_monotone_paths_stay_within_one(values):
    index = front_loading(np.sort(values, axis=1).astype(float))
    still = np.ptp(values, axis=1) == 0
    assert (np.isnan(index) == still).all() and (np.abs(index[~still]) <= 1 + 1e-9).all()


@few
@given(provinces, st.integers(0, 2**32 - 1))
def test_interval_holds_every_path_that_prints_alike(values, seed):
    exact = printed(values)
    exact["value"] += np.random.default_rng(seed).uniform(-0.5, 0.5, len(exact))
    keys = ["region", "measure"]
    both = trajectory_of(printed(values)).merge(trajectory_of(exact), on=keys, suffixes=("", "_exact"))
    both = both[~both["measure"].isin(["longest_plateau", "reversals"])].dropna(subset=["value", "value_exact"])
    outside = (both["value_exact"] < both["lo"] - 1e-6) | (both["value_exact"] > both["hi"] + 1e-6)
    assert both[outside].empty


def test_what_may_be_said_under_a_status_stands_in_the_catalogue():
    kinds = {kind for kinds in catalogue.statuses()["may_say"] for kind in kinds.split(";") if kind}
    assert kinds == {"timing", "change", "spread", "open_spread", "verdict", "tested"}
    assert catalogue.statuses_for("change") == ("weaker", "reversing", "ok")
    assert all(set(catalogue.statuses_for(kind)) <= set(catalogue.statuses()["status"]) for kind in kinds)
    with pytest.raises(KeyError):
        catalogue.statuses_for("weather")


def test_statuses_and_flags_are_closed_lists_in_both_languages():
    for table, key in ((catalogue.statuses(), "status"), (catalogue.flags(), "flag")):
        assert table[key].is_unique and (table[["meaning_zh", "meaning_en"]] != "").all(axis=None)
    assert catalogue.statuses()["order"].is_monotonic_increasing
    yes = np.array([True])
    with pytest.raises(KeyError):
        label({"nearly": yes}, {})
    assert [text[0] for text in label({"reversing": yes, "unresolved": yes}, {"bounded": yes})] == [
        "unresolved",
        "bounded;reversing",
    ]
