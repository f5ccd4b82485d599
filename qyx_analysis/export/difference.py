"""What changed between two builds, or between two versions of a plan: cell by cell, with texts and places."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from qyx_analysis import names
from qyx_analysis.datapackage.loading import data_dir, load_table
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.tidy.reading import Plan, read_plan
from qyx_analysis.wings import wings


class Compared(NamedTuple):
    """How the rows of a table are told apart, what is compared, and where a row stands.

    ``reading`` follows from ``printed`` and is compared where that is the same; ``common`` is the same in all cells
    of a printed row.
    """

    key: list[str]
    when: str
    item: str
    printed: str
    reading: list[str]
    common: list[str]
    place: list[str]


_TABLES = {
    "targets": Compared(
        ["region", "indicator", "year"], "year", "indicator", "raw",
        ["kind", "operator", "value", "value_low", "value_high", "unit", "state", "correction"],
        ["number", "name", "published_unit", "department", "core", "observational", "marker"],
        ["document", "locator"],
    ),
}  # fmt: skip


def compared_tables() -> dict[str, Compared]:
    """How each table is compared that is read from documents and not computed, the wings' among them."""
    return _TABLES | {name: how for wing in wings() for name, how in wing.compared.items()}


COLUMNS = ["table", "change", "region", "item", "when", "field", "old", "new", "old_place", "new_place"]


def compare(old: Path, new: Path) -> pd.DataFrame:
    """Compare two builds by their folders, or two versions of a plan by their files: see :func:`difference`.

    Raises ``DataError`` when one cannot be read, when only one of them is a folder, or when the two plans are of
    different regions.
    """
    if absent := [path for path in (old, new) if not path.exists()]:
        raise DataError(Problem("file_missing", str(absent[0])))
    if old.is_dir() != new.is_dir():
        raise DataError(Problem("diff_mixed", f"{old}, {new}"))
    if old.is_dir():
        folders = [data_dir(path) for path in (old, new)]
        return difference(*({name: load_table(name, folder) for name in compared_tables()} for folder in folders))
    plans = [read_plan(path) for path in (old, new)]
    if plans[0].region != plans[1].region:
        regions = ", ".join(names.region_name(plan.region) for plan in plans)
        raise DataError(Problem("diff_regions", f"{old.name}, {new.name}", text=regions))
    return difference(*map(_tables_of, plans))


def _tables_of(plan: Plan) -> dict[str, pd.DataFrame]:
    """What one document says, in all its tables."""
    tables = {"targets": plan.targets}
    for wing in wings():
        tables |= wing.read_plan(plan) if wing.read_plan else {}
    return tables


def difference(old: Mapping[str, pd.DataFrame], new: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare the tables of two builds, or of two versions of a plan, cell by cell.

    Parameters
    ----------
    old, new : dict of DataFrame
        ``targets``, ``prose_targets`` and ``actuals``, as far as both have them. What is computed from these follows
        from them and is not compared.

    Returns
    -------
    DataFrame
        One row per cell that was added, removed or changed: ``table, change, region, item, when, field, old, new,
        old_place, new_place``. ``item`` is the code of the indicator, or the metric of a sentence; ``when`` the year
        or period. ``field`` is the printed text, or where that is the same what else differs; what is common to a
        printed row (its name, unit, department) stands once and without ``when``. No row: nothing changed.

    Examples
    --------
    >>> from qyx_analysis.tidy.reading import read_plan
    >>> from qyx_analysis.files import raw_dir
    >>> old = read_plan(raw_dir() / "cixi.txt").targets
    >>> new = old.assign(raw=old["raw"].where(old["locator"] != old["locator"].iloc[1], "4.1"))
    >>> difference({"targets": old}, {"targets": new})[["item", "when", "field", "old", "new"]].values.tolist()
    [['nursery_places', '2023', 'raw', '4', '4.1']]
    """
    parts = [_compared(name, old[name], new[name]) for name in compared_tables() if name in old and name in new]
    rows = pd.concat([part for part in parts if len(part)] or [pd.DataFrame(columns=COLUMNS)], ignore_index=True)
    return rows[COLUMNS]


def _compared(name: str, old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    table = compared_tables()[name]
    sides = [_keyed(side, table) for side in (old, new)]
    both = sides[0].merge(sides[1], on=table.key, how="outer", suffixes=("_old", "_new"), indicator="side")
    in_both = both["side"] == "both"
    printed = _differs(both, table.printed)
    found = [
        _rows(both[~in_both], table, table.printed),
        _rows(both[in_both & printed], table, table.printed),
        *(_rows(both[in_both & ~printed & _differs(both, field)], table, field) for field in table.reading),
    ]
    for field in table.common:
        rows = _rows(both[in_both & _differs(both, field)], table, field).assign(when="")
        found.append(rows.drop_duplicates(["region", "item", "old", "new"]))
    return pd.concat(found).assign(table=name).sort_values(["region", "at"], kind="stable", ignore_index=True)


def _keyed(frame: pd.DataFrame, table: Compared) -> pd.DataFrame:
    """A table with its place in one text, in its order, and a number for rows that nothing else tells apart."""
    place = frame[table.place].agg(lambda parts: ", ".join(filter(None, parts)), axis=1) if len(frame) else ""
    frame = frame.assign(place=place, at=range(len(frame)))
    own = [column for column in table.key if column != "turn"]
    frame[own] = frame[own].apply(_text)
    frame["turn"] = frame.groupby(own, sort=False).cumcount()
    columns = [*table.key, table.printed, *table.reading, *table.common, "place", "at"]
    return frame.reindex(columns=list(dict.fromkeys(columns)))


def _text(values: pd.Series) -> pd.Series:
    """Values as they are shown; two that are shown alike are the same."""
    if pd.api.types.is_float_dtype(values):
        return values.map(lambda value: "" if pd.isna(value) else f"{value:.12g}")
    return values.astype(object).where(values.notna(), "").astype(str)


def _differs(both: pd.DataFrame, field: str) -> pd.Series:
    return _text(both[f"{field}_old"]) != _text(both[f"{field}_new"])


def _rows(both: pd.DataFrame, table: Compared, field: str) -> pd.DataFrame:
    change = both["side"].astype(object).map({"left_only": "removed", "right_only": "added", "both": "changed"})
    return pd.DataFrame(
        {
            "change": change,
            "region": both["region"],
            "item": both[table.item],
            "when": both[table.when],
            "field": field,
            "old": _text(both[f"{field}_old"]),
            "new": _text(both[f"{field}_new"]),
            "old_place": both["place_old"].fillna(""),
            "new_place": both["place_new"].fillna(""),
            "at": both["at_new"].fillna(both["at_old"]),
        }
    )
