"""The tables of sentences in a finished build, and what of them a notebook works on beside its desk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from qyx_analysis.datapackage.loading import load_table
from qyx_analysis.names.regions import region_level
from qyx_analysis.notebook.desk import choose_regions, load_once, stamp
from qyx_analysis.wings.sentences.alignment import alignment

if TYPE_CHECKING:
    from qyx_analysis.notebook.desk import Desk


def load_prose(data: object = None) -> pd.DataFrame:
    """Load the quantified targets that the plans state in sentences, beside their tables.

    Parameters
    ----------
    data : path or address, optional
        Folder of the build; else ``QYX_DATA``, else the project's ``data/processed``.

    Returns
    -------
    DataFrame
        One row per target, by region and in the order of the document: ``region, document, section, domain,
        metric, kind, operator, value, value_low, value_high, unit, year, cumulative, annual, hedge, text_value,
        char_start, char_end, indicator, linked_indicator`` (``docs/data.md``). Values and units are as printed.
        ``year`` is missing where the sentence states none; ``indicator`` is the code of what it speaks of, empty
        where neither the catalogue nor the plan's table has it; ``linked_indicator`` is the catalogue's number of it.

    Raises
    ------
    DataError
        When there is no build in the folder.

    Examples
    --------
    >>> prose = load_prose().query("region == '330213'")
    >>> len(prose), int(prose["linked_indicator"].isna().sum())  # all, and those beyond the table
    (50, 40)
    >>> prose.query("indicator == 'training_cumulative'")[["metric", "value", "unit", "year"]].values.tolist()
    [['职业技能培训', 8.5, '万人次', 2027]]
    """
    return load_table("prose_targets", data)


def load_governance(data: object = None) -> pd.DataFrame:
    """Load who leads what by the plans, and how they say that progress is followed.

    Parameters
    ----------
    data : path or address, optional
        Folder of the build; else ``QYX_DATA``, else the project's ``data/processed``.

    Returns
    -------
    DataFrame
        One row per department of a domain, task or row of the table (``kind`` as the plan labels it), and one per
        thing to be done about the whole plan (``kind == "monitoring"``: ``what``, by which ``department`` and at
        which ``frequency``): ``region, document, kind, scope, section, domain, indicator, number, department,
        what, frequency, rhythm, text, char_start, char_end, locator`` (``docs/data.md``). A plan may prescribe the same
        in two places, and at two frequencies; what it does not print has no row.

    Raises
    ------
    DataError
        When there is no build in the folder.

    Examples
    --------
    >>> table = load_governance().query("region == '330282'")
    >>> table.query("domain == '住有宜居'")[["kind", "department"]].values.tolist()
    [['lead_department', '市住建局']]
    >>> table.query("what == 'meeting'")[["department", "frequency", "rhythm"]].values.tolist()
    [['', 'weekly', '周'], ['市专班办公室', 'fortnightly', '每两周']]
    """
    return load_table("governance", data)


@dataclass(frozen=True)
class Prose:
    """What the plans of a desk's regions say in sentences, and their targets against those of their cities."""

    prose: pd.DataFrame
    alignment: pd.DataFrame


def open_prose(desk: Desk) -> Prose:
    """Load what the plans of a desk's regions say in sentences; the cities' plans are always there."""
    prose = load_once(desk.folder, "prose_targets")
    cities = prose["region"].map(region_level) != "county"
    own = prose[cities | prose["region"].isin(desk.targets["region"])].reset_index(drop=True)
    aligned = _aligned(desk.folder, stamp(desk.folder), desk.region if desk.peers else "", desk.peers)
    return Prose(own, aligned[aligned["domain"].isin(desk.targets["domain"])].reset_index(drop=True))


@lru_cache(maxsize=2)
def _aligned(folder: Path, _: object, region: str, peers: tuple[str, ...]) -> pd.DataFrame:
    """The alignment of the regions of a desk, which the reports of one run share."""
    return alignment(choose_regions(load_once(folder, "targets"), region, peers), load_once(folder, "prose_targets"))
