"""What the benchmark of formats counts as right: cells where they belong, and no others."""

from importlib import import_module
from pathlib import Path

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
