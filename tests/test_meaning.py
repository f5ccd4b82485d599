"""What number a cell means and what its printed text allows."""

import numpy as np
import pandas as pd
import pytest
from plans import four_plans
from test_measures_trajectory import LEVEL, plan

from qyx_analysis.measures.panel import panel
from qyx_analysis.tidy.meaning import MEANING, mean_cells

NAN = [np.nan] * 3


@pytest.mark.parametrize(
    ("indicator", "cells", "meant"),
    [
        (LEVEL, "82 90 92.5", [[82, 81.95, 82.05], [90, 89.95, 90.05], [92.5, 92.45, 92.55]]),  # offices drop the zero
        (LEVEL, "3.52 4 5", [[3.52, 3.515, 3.525], [4, 3.5, 4.5], [5, 4.5, 5.5]]),  # measured, not planned
        (LEVEL, "100 0", [[100, 99.5, 100], [0, 0, 0.5]]),  # cut at the limits
        (LEVEL, "104 90", [[104, 103.5, 104], [90, 89.5, 90.5]]),  # printed outside them: as it is
        (LEVEL, "≥32 <3.5", [[32, 32, 100], [3.5, 0, 3.5]]),
        ("care_workers", "≥32 <3.5", [[32, 32, np.inf], [3.5, 0, 3.5]]),
        (LEVEL, "60 全覆盖", [[60, 59.5, 60.5], [100, 100, 100]]),
        ("long_term_care_insured", "47.8 全覆盖", [[47.8, 47.75, 47.85], NAN]),  # no share: nobody knows how many
        ("compulsory_assessment", "申报 通过", [[0, 0, 0], [100, 100, 100]]),
        (LEVEL, "/ 下达", [NAN, NAN]),
    ],
)
def test_what_a_cell_means(indicator, cells, meant):
    found = mean_cells(plan(indicator, {"a": cells}))
    np.testing.assert_allclose(found[list(MEANING)].to_numpy(), meant)


@pytest.mark.parametrize(("committed", "value"), [(28.0, 28.0), (32.0, 32.0)])
def test_a_range_means_its_committed_end_and_allows_all_of_it(committed, value):
    frame = plan(LEVEL, {"a": "20 30"}).assign(kind=["point", "range"], value_low=[np.nan, 28], value_high=[np.nan, 32])
    frame.loc[1, "value"] = committed
    assert mean_cells(frame).loc[1, list(MEANING)].tolist() == [value, 28, 32]


def test_the_targets_of_a_reading_carry_what_their_cells_mean():
    targets = four_plans()
    pd.testing.assert_frame_equal(mean_cells(targets.drop(columns=list(MEANING)))[targets.columns], targets)
    bound = targets.query("region == '330213' and indicator == 'care_workers' and year == 2027")
    assert bound[list(MEANING)].values.tolist() == [[32, 32, np.inf]]


def test_the_panel_only_arranges_what_the_cells_mean():
    frame = plan(LEVEL, {"a": "50 60"}).assign(meant=[50.0, 60.0], lo=[40.0, 50.0], hi=[60.0, 70.0])
    p = panel(frame)
    assert (p.value.tolist(), p.lo.tolist(), p.hi.tolist()) == ([[50, 60]], [[40, 50]], [[60, 70]])


@pytest.mark.parametrize("value", [75.0, np.nan])
def test_a_value_that_an_analyst_changes_counts(value):
    targets = four_plans().query("region == '330213' and indicator == @LEVEL").reset_index(drop=True)
    p = panel(targets.assign(value=targets["value"].where(targets["year"] != 2027, value)))
    np.testing.assert_array_equal(p.value[0, -1], value)
