"""The frames of monitoring that a notebook works on, beside its desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from qyx_analysis.catalogue.wording import literal
from qyx_analysis.notebook.desk import load_once, stamp
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.wings.monitoring.changes import changes, due_next, known_before
from qyx_analysis.wings.monitoring.judging import common_periods, last_day, monitoring, open_items, rankings

if TYPE_CHECKING:
    from qyx_analysis.notebook.desk import Desk


@dataclass(frozen=True)
class Delivery:
    """What the regions of a desk reported, judged as of a day or period; empty: the latest reported."""

    desk: Desk
    as_of: str

    @cached_property
    def actuals(self) -> pd.DataFrame:
        """The reported values, with those that a later report replaced; without rows where the build has none."""
        rows = self.desk.choose(_actuals(self.desk.folder))
        return rows[rows["due"] <= last_day(self.as_of)].reset_index(drop=True) if self.as_of else rows

    @cached_property
    def monitoring(self) -> pd.DataFrame:
        """The reported values judged against the targets: see :func:`qyx_analysis.monitoring`.

        What is due hangs on all who report, and so is the same whomever a county is compared with.
        """
        return self.desk.choose(_monitored(*self._which))

    @cached_property
    def period(self) -> str:
        """The last period of which one may say who stands where; empty where nothing is reported."""
        return next(reversed(common_periods(self.monitoring)), "")

    @cached_property
    def rankings(self) -> pd.DataFrame:
        """Who ranks where: see :func:`qyx_analysis.rankings`."""
        return rankings(self.monitoring)

    @cached_property
    def open_items(self) -> pd.DataFrame:
        """What was missed, and what has been made good since: see :func:`qyx_analysis.open_items`."""
        return open_items(self.monitoring)

    @cached_property
    def changes(self) -> pd.DataFrame:
        """What changed since the period before the latest: see :func:`qyx_analysis.changes`."""
        return self.desk.choose(_compared(*self._which)[0])

    @cached_property
    def compared_periods(self) -> tuple[str, str]:
        """The latest period and the one that ``changes`` looks back to, or nothing: the same for all counties."""
        return _compared(*self._which)[1:]

    @cached_property
    def due_next(self) -> pd.DataFrame:
        """What the next year-end asks for: see :func:`qyx_analysis.due_next`."""
        return self.desk.choose(_due_next(*self._which))

    @property
    def _which(self) -> tuple[Path, object, str]:
        return self.desk.folder, stamp(self.desk.folder), self.as_of


def open_delivery(desk: Desk, as_of: object = "") -> Delivery:
    """Judge what the regions of a desk reported.

    ``as_of``: a day or the end of a period; empty: the latest period reported. Raises ``DataError`` when it is neither.
    """
    try:
        last_day(as_of or "2022")
    except ValueError as error:
        raise DataError(Problem("as_of_unknown", "as_of", text=str(as_of))) from error
    return Delivery(desk, str(as_of))


def show_briefing(delivery: Delivery) -> None:
    """Display the briefing of a county, or of all: see :func:`~qyx_analysis.wings.monitoring.briefing.briefing_html`.

    Raises ``DataError`` where there are no actual values to speak of.
    """
    from IPython.display import HTML, Markdown, display

    from qyx_analysis.wings.monitoring.briefing import State, briefing_html, briefing_title

    desk = delivery.desk
    if delivery.actuals.empty:
        raise DataError(Problem("actuals_missing", "actuals.csv"))
    frames = desk.targets, delivery.monitoring, delivery.open_items, delivery.changes, delivery.due_next
    display(Markdown(f"# {literal(briefing_title(desk.region, desk.lang))}"))
    display(HTML(briefing_html(State(*frames, *delivery.compared_periods), desk.region, desk.lang)))


def warm_desk(desk: Desk, notebook: str, parameters: Mapping[str, Any]) -> None:
    """Compute what the reports of one run share: the judgements of the whole build, and what briefings add."""
    delivery = open_delivery(desk, parameters.get("as_of", ""))
    _ = delivery.monitoring
    if notebook == "briefing.ipynb":
        _ = delivery.changes, delivery.due_next


def _actuals(folder: Path) -> pd.DataFrame:
    return load_once(folder, "actuals").astype({"year": int, "revision": int})


def load_governance(folder: Path) -> pd.DataFrame | None:
    """The table of lead departments of a build; nothing where the wing that reads them is out."""
    return load_once(folder, "governance") if (folder / "governance.csv").is_file() else None


@lru_cache(maxsize=2)
def _monitored(folder: Path, _: object, as_of: str) -> pd.DataFrame:
    """The actual values of a whole build, judged."""
    actuals = _actuals(folder)
    governance = load_governance(folder) if as_of or len(actuals) else None
    return monitoring(load_once(folder, "targets"), actuals, as_of or None, governance)


@lru_cache(maxsize=2)
def _compared(folder: Path, stamp: object, as_of: str) -> tuple[pd.DataFrame, str, str]:
    """The changes in a whole build from the period before the latest to the latest, and these two periods."""
    known, period = known_before(_actuals(folder), as_of or None)
    before = monitoring(load_once(folder, "targets"), known, period or None, load_governance(folder))
    now = _monitored(folder, stamp, as_of)
    return changes(now, before), now.loc[now["due"].idxmax(), "period"], period


@lru_cache(maxsize=2)
def _due_next(folder: Path, _: object, as_of: str) -> pd.DataFrame:
    """What the next year-end asks of a whole build."""
    return due_next(load_once(folder, "targets"), _actuals(folder), as_of or None, load_governance(folder))
