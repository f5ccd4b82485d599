"""What the benchmarks count: cells where they belong and no others, and reports that are whole."""

import os
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
from plans import STEMS, four_plans
from renderings import as_printed


@pytest.fixture
def formats(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return import_module("formats")


@pytest.mark.parametrize("stem", STEMS)
def test_a_converter_gets_the_cells_that_stand_where_they_belong(formats, stem):
    plan = as_printed(stem)
    table = [plan.header, *plan.rows]
    assert formats.peer_cells_right([[["序号", "电话"]], table], stem) == 126
    cut = [row[1:] if not row[0] else row for row in table]
    assert formats.peer_cells_right([cut[:9], cut[9:]], stem) == 126, "a page ends in it, merged domains are left out"
    wrong = [row.copy() for row in table]
    wrong[1][4] += "7"
    assert formats.peer_cells_right([wrong], stem) == 125
    exchanged = [[*row[:3], row[4], row[3], *row[5:]] for row in table[1:]]
    assert formats.peer_cells_right([[plan.header, *exchanged]], stem) < 126
    assert formats.peer_cells_right(None, stem) == formats.peer_cells_right([table[1:]], stem) == 0


def test_our_cells_count_by_kind_operator_and_value(formats):
    rows = four_plans().query("document == 'zhuji'").reset_index(drop=True)
    assert formats.own_cells_right(rows.to_dict(orient="list"), "zhuji") == 126
    rows.loc[0, "published_value"] += 1
    rows.loc[1, "operator"] = "≥"
    assert formats.own_cells_right(rows.to_dict(orient="list"), "zhuji") == 124


@pytest.fixture
def reports(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return import_module("reports")


COSTS = pd.DataFrame(
    {
        "way": ["loop", "pair", "qyx", "qyx", "floor"],
        "reports": [12, 12, 12, 90, 90],
        "seconds": [84.0, 42.0, 9.6, 54.0, 45.0],
        "processor": [84.0, 84.0, 18.0, 99.0, 81.0],
        "parent": [None, None, 190.0, 191.0, 300.0],
        "child": [None, None, 260.0, 262.0, 280.0],
    }
).set_index(["way", "reports"])


def test_reports_are_compared_with_the_loops_and_with_a_floor_of_the_same_number(reports):
    table = reports.compared(COSTS, 12)
    assert table.loc[("qyx", 12), [reports.LOOP, reports.LOOPS]].tolist() == pytest.approx([8.75, 4.375])
    assert table.loc[("qyx", 90), [reports.LOOP, reports.FLOOR]].tolist() == pytest.approx([7 / 0.6, 1.2])
    assert pd.isna(table.loc[("qyx", 12), reports.FLOOR])
    assert reports.scaled(COSTS)["s for one more"].tolist() == pytest.approx([float("nan"), 44.4 / 78], nan_ok=True)


def test_a_goal_that_is_not_reached_is_said_to_be_so(reports):
    goals = ("few", "x loop", 8), ("few", "x two loops", 5), ("many", "/ floor", 1.15), ("few", "/ floor", 1.15)
    case = reports.Case("", Path(), Path(), {}, (5, 4), (), goals)
    assert reports.verdicts(case, reports.compared(COSTS, 12), 12, 90) == [
        "goal, 12 reports: x loop >= 8: 8.75, reached",
        "goal, 12 reports: x two loops >= 5: 4.38, NOT reached",
        "goal, 90 reports: / floor <= 1.15: 1.20, NOT reached",
    ]


@pytest.mark.parametrize("page", ["<img><table></table>", "<img><img>", ""])
def test_the_time_of_a_report_that_is_not_whole_does_not_count(reports, tmp_path, page):
    case = reports.Case("a notebook", Path(), Path(), {}, (2, 1), (), ())
    (tmp_path / "index.html").write_text("", encoding="utf-8")
    (tmp_path / "1.html").write_text("<img><svg></svg><table></table>", encoding="utf-8")
    case.check(tmp_path, 1)
    if page:
        (tmp_path / "2.html").write_text(page, encoding="utf-8")
    with pytest.raises(SystemExit, match="a notebook: "):
        case.check(tmp_path, 2)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="machine: the floor needs fork")
def test_ours_and_the_floor_make_whole_reports_of_the_reference_notebook(reports, tmp_path, monkeypatch):
    monkeypatch.setattr(reports, "PROVINCE", 1)
    reference, _ = reports.cases(tmp_path)
    costs = reports.measure(reference, [("qyx", 1), ("floor", 1), ("qyx", 2)], 1)
    assert (costs[["seconds", "processor", "child"]] > 0).all(axis=None)
    assert costs.index.tolist() == [("qyx", 1), ("floor", 1), ("qyx", 2)]
