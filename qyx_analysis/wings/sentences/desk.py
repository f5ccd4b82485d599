"""The frames of sentences that a notebook works on, beside its desk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from qyx_analysis.names.regions import region_level
from qyx_analysis.notebook.desk import choose_regions, load_once, stamp
from qyx_analysis.wings.sentences.alignment import alignment

if TYPE_CHECKING:
    from qyx_analysis.notebook.desk import Desk


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
