"""Small plans and forms of actual values for tests; every value is made up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from plans import write

from qyx_analysis import catalogue, names
from qyx_analysis.cells import parse_cell
from qyx_analysis.tidy.reading import typed
from qyx_analysis.tidy.rows import measured
from qyx_analysis.wings.monitoring.forms import read_actuals

HEADER = "region,indicator,period,value,unit,source,note"


def planned(indicator: str, cells: str, region: str = "330213", department: str = "") -> pd.DataFrame:
    """The tidy rows of one printed row: six cells from 2022 on, separated by spaces."""
    return planned_in({region: cells}, indicator, department)


def planned_in(counties: dict[str, str], indicator: str, department: str = "") -> pd.DataFrame:
    """The tidy rows of one indicator as many counties print it."""
    entry = catalogue.indicators().set_index("code").loc[indicator]
    rows = [row for region, cells in counties.items() for row in _rows(entry, cells, region, department)]
    return typed(pd.DataFrame(rows))


def _rows(entry: pd.Series, cells: str, region: str, department: str) -> Iterator[dict[str, Any]]:
    for year, text in enumerate(cells.split(), 2022):
        row = {"region": region, "region_name": names.region_name(region), "level": names.region_level(region)}
        row |= {"indicator": entry.name, "number": entry["number"], "name": f"{entry['name_zh']}({entry['unit']})"}
        row |= {"domain": entry["domain"], "year": year, "role": "baseline" if year == 2022 else "target", "raw": text}
        row |= {"unit": entry["unit"], "core": False, "observational": False, "department": department}
        yield row | measured(parse_cell(text), row | {"printed_unit": entry["unit"]})


def csv_form(folder: Path, *lines: str, name: str = "form.csv", header: str = HEADER) -> Path:
    return write(folder, name, "\n".join([header, *lines]) + "\n")


def reported(folder: Path, targets: pd.DataFrame, *lines: str) -> pd.DataFrame:
    """The actual values of a form with these lines, which must have no problem."""
    forms = read_actuals([csv_form(folder, *lines)], targets)
    assert forms.problems == []
    return forms.actuals
