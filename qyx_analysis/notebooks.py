"""What every notebook opens and shows: the frames of one question, tables, sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from qyx_analysis import measures, names, processed, tables
from qyx_analysis.catalogue import message
from qyx_analysis.figures.scene import in_domain
from qyx_analysis.measures.monitoring import common_periods, last_day
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.readings import literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LANGUAGES = ("zh", "en")
_ON_A_PAGE = 24  # small panels that can be read on a printed page
Measure = Callable[[pd.DataFrame], pd.DataFrame]  # of targets


@dataclass(frozen=True)
class Desk:
    """The frames a notebook works on: targets, prose and findings of the chosen regions; measures when asked for.

    ``shown``: the indicators in the order of the page, in which all results come; see
    :func:`~qyx_analysis.names.indicators_shown`. Without a region the measures are only of indicators that two counties
    print: of one alone there is nothing to compare. ``folder`` is the build's; ``domain`` the only one looked at, or
    empty; ``as_of`` the day or period as of which actual values are judged, empty for the latest reported. The measures
    are those of the targets as they were opened.
    """

    region: str
    lang: str
    targets: pd.DataFrame
    findings: pd.DataFrame
    prose: pd.DataFrame
    alignment: pd.DataFrame
    shown: pd.DataFrame
    folder: Path
    domain: str
    as_of: str
    _measured: Callable[[Measure], pd.DataFrame] = field(repr=False)

    @cached_property
    def trajectory(self) -> pd.DataFrame:
        """When the change is planned: see :func:`qyx_analysis.trajectory`."""
        return self._results(measures.trajectory)

    @cached_property
    def ambition(self) -> pd.DataFrame:
        """How far the targets go beyond the baselines: see :func:`qyx_analysis.ambition`."""
        return self._results(measures.ambition)

    @cached_property
    def dispersion(self) -> pd.DataFrame:
        """How far apart the counties are: see :func:`qyx_analysis.dispersion`."""
        return self._results(measures.dispersion)

    @cached_property
    def domain_dispersion(self) -> pd.DataFrame:
        """The spread by domain: see :func:`qyx_analysis.domain_dispersion`."""
        return self._results(measures.domain_dispersion)

    @cached_property
    def association(self) -> pd.DataFrame:
        """Whether low baselines plan more: see :func:`qyx_analysis.association`."""
        return self._results(measures.association)

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """How firm the verdicts are: see :func:`qyx_analysis.verdicts`."""
        return self._results(measures.verdicts)

    @cached_property
    def actuals(self) -> pd.DataFrame:
        """The reported values, with those that a later report replaced; without rows where the build has none."""
        rows = self._chosen(_actuals(self.folder, _stamp(self.folder)))
        return rows[rows["due"] <= last_day(self.as_of)].reset_index(drop=True) if self.as_of else rows

    @cached_property
    def monitoring(self) -> pd.DataFrame:
        """The reported values judged against the targets: see :func:`qyx_analysis.monitoring`.

        What is due hangs on all who report, and so is the same whomever a county is compared with.
        """
        return self._chosen(_monitored(self.folder, _stamp(self.folder), self.as_of))

    @cached_property
    def period(self) -> str:
        """The last period of which one may say who stands where; empty where nothing is reported."""
        return next(reversed(common_periods(self.monitoring)), "")

    @cached_property
    def rankings(self) -> pd.DataFrame:
        """Who ranks where: see :func:`qyx_analysis.rankings`."""
        return measures.rankings(self.monitoring)

    @cached_property
    def open_items(self) -> pd.DataFrame:
        """What was missed, and what has been made good since: see :func:`qyx_analysis.open_items`."""
        return measures.open_items(self.monitoring)

    @cached_property
    def changes(self) -> pd.DataFrame:
        """What changed since the period before the latest: see :func:`qyx_analysis.changes`."""
        return self._chosen(_compared(self.folder, _stamp(self.folder), self.as_of)[0])

    @cached_property
    def compared_periods(self) -> tuple[str, str]:
        """The latest period and the one that ``changes`` looks back to, or nothing: the same for all counties."""
        return _compared(self.folder, _stamp(self.folder), self.as_of)[1:]

    @cached_property
    def due_next(self) -> pd.DataFrame:
        """What the next year-end asks for: see :func:`qyx_analysis.due_next`."""
        return self._chosen(_due_next(self.folder, _stamp(self.folder), self.as_of))

    def _chosen(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows of the desk's regions, and of its domain if there is one."""
        chosen = rows["region"].isin(self.targets["region"].unique())
        if self.domain:
            chosen &= rows["indicator"].isin(self.targets["indicator"].unique())
        return as_shown(rows[chosen], self.shown)

    def _results(self, measure: Measure) -> pd.DataFrame:
        rows = self._measured(measure)
        if not self.region and "indicator" in rows:
            counties = self.targets.loc[self.targets["level"] == "county", "region"].nunique()
            rows = rows[~rows["indicator"].isin(self.shown.index[self.shown["printing"] < min(2, counties)])]
        return as_shown(rows, self.shown)


def as_shown(rows: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """A copy of the rows in the order of the indicators ``shown``; what is of no indicator comes last."""
    if "indicator" not in rows:
        return rows.copy()
    places = rows["indicator"].map(pd.Series(range(len(shown)), shown.index, dtype=float))
    return rows.iloc[places.fillna(len(shown)).argsort(kind="stable")].reset_index(drop=True)


def open_desk(
    region: object = "",
    peers: object = "",
    data_dir: object = "",
    lang: str = "zh",
    domain: str = "",
    as_of: object = "",
) -> Desk:
    """Load what a notebook needs, and refuse parameters that make no sense before anything is drawn.

    Parameters
    ----------
    region : int or str, optional
        The county of a region report, by code or name; empty for a cross-county notebook.
    peers : str or list, optional
        Whom to compare: codes or names separated by commas, a group such as 山区海岛县, or a city for its
        counties. Empty: every county of the data.
    data_dir : path, optional
        Folder of a build; else ``QYX_DATA``, else the project's.
    lang : str
        ``zh`` or ``en``.
    domain : str
        Only the indicators of this domain, by its Chinese or English name; empty: all.
    as_of : str
        Judge actual values as on this day or at the end of this period; empty: the latest period reported.

    Returns
    -------
    Desk

    Raises
    ------
    DataError
        For an unknown region, group, language or domain, a region that is not in the data, or an ``as_of`` that is
        neither a day nor a period.
    """
    if lang not in LANGUAGES:
        raise DataError(Problem("lang_unknown", "lang", text=str(lang)))
    if as_of:
        _check_day(as_of)
    folder = processed.data_dir(data_dir or None)
    stamp = _stamp(folder)
    code = _present(region, _tables(folder, stamp)[0]) if str(region) else ""
    asked = tuple(peers) if isinstance(peers, list) else peers
    # without peers every county's desk holds the same frames
    which = folder, stamp, code if peer_codes(asked) else "", asked, domain
    copies = {name: frame.copy() for name, frame in _frames(*which).items()}
    shown = names.indicators_shown(copies["targets"], code)
    copies["findings"] = as_shown(copies["findings"], shown)
    rest: dict[str, Any] = {"folder": folder, "domain": domain, "as_of": str(as_of)}
    return Desk(code, lang, **copies, shown=shown, **rest, _measured=partial(_measured, which))


def _check_day(as_of: object) -> None:
    try:
        last_day(as_of)
    except ValueError as error:
        raise DataError(Problem("as_of_unknown", "as_of", text=str(as_of))) from error


def _stamp(folder: Path) -> tuple[tuple[int, int], ...]:
    """Changes when a file does that a desk reads."""
    files = [folder / f"{name}.csv" for name in ("targets", "findings", "prose_targets", "governance", "actuals")]
    return tuple((path.stat().st_mtime_ns, path.stat().st_size) for path in files if path.is_file())


@lru_cache(maxsize=2)
def _tables(folder: Path, stamp: object) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Targets, findings and prose of a build; ``stamp`` changes when its files do."""
    return processed.load_targets(folder), processed.findings(folder), processed.load_prose(folder)


@lru_cache(maxsize=2)
def _actuals(folder: Path, stamp: object) -> pd.DataFrame:
    return processed.load_actuals(folder, history=True)


@lru_cache(maxsize=2)
def _monitored(folder: Path, stamp: object, as_of: str) -> pd.DataFrame:
    """The actual values of a whole build, judged."""
    actuals = _actuals(folder, stamp)
    governance = processed.load_governance(folder) if as_of or len(actuals) else None
    return measures.monitoring(_tables(folder, stamp)[0], actuals, as_of or None, governance)


@lru_cache(maxsize=2)
def _compared(folder: Path, stamp: object, as_of: str) -> tuple[pd.DataFrame, str, str]:
    """The changes in a whole build from the period before the latest to the latest, and these two periods."""
    targets, governance = _tables(folder, stamp)[0], processed.load_governance(folder)
    known, period = measures.known_before(_actuals(folder, stamp), as_of or None)
    before = measures.monitoring(targets, known, period or None, governance)
    now = _monitored(folder, stamp, as_of)
    return measures.changes(now, before), now.loc[now["due"].idxmax(), "period"], period


@lru_cache(maxsize=2)
def _due_next(folder: Path, stamp: object, as_of: str) -> pd.DataFrame:
    """What the next year-end asks of a whole build."""
    targets, governance = _tables(folder, stamp)[0], processed.load_governance(folder)
    return measures.due_next(targets, _actuals(folder, stamp), as_of or None, governance)


@lru_cache(maxsize=2)
def _frames(folder: Path, stamp: object, region: str, peers: object, domain: str) -> dict[str, pd.DataFrame]:
    """The frames of a desk. The reports of one run ask for the same again and again; who gets one gets a copy."""
    targets, findings, prose = _tables(folder, stamp)
    chosen = _chosen(targets, region, peers)
    targets = in_domain(chosen, domain).reset_index(drop=True)
    alignment = measures.alignment(chosen, prose)
    cities = prose["region"].map(names.region_level) != "county"
    return {
        "targets": targets,
        "findings": findings[findings["region"].isin(targets["region"])].reset_index(drop=True),
        "prose": prose[cities | prose["region"].isin(targets["region"])].reset_index(drop=True),
        "alignment": alignment[alignment["domain"].isin(targets["domain"])].reset_index(drop=True),
    }


@lru_cache(maxsize=12)
def _measured(which: tuple[Any, ...], measure: Measure) -> pd.DataFrame:
    """A measure of a desk's targets, which the reports of one run share as they share the frames."""
    return measure(_frames(*which)["targets"])


def _present(region: object, targets: pd.DataFrame) -> str:
    code = names.find_region(region)
    if code not in set(targets["region"]):
        present = ", ".join(targets["region_name"].unique())
        problem = Problem("region_absent", "targets.csv", text=names.region_name(code), values={"present": present})
        raise DataError(problem)
    return code


def _chosen(targets: pd.DataFrame, region: str, peers: object) -> pd.DataFrame:
    """The rows of the region, its peers and the benchmarks."""
    wanted = peer_codes(peers)
    if not wanted:
        return targets
    counties = targets["region"].isin([*wanted, region])
    if not targets.loc[counties & (targets["region"] != region), "region"].size:
        raise DataError(Problem("peers_absent", "targets.csv", text=str(peers)))
    return targets[counties | (targets["level"] != "county")].reset_index(drop=True)


def peer_codes(peers: object) -> list[str]:
    """The county codes that ``peers`` means: codes, names, groups and cities, mixed and separated by commas.

    >>> peer_codes("330213, 慈溪市")
    ['330213', '330282']
    >>> len(peer_codes("山区海岛县"))
    32
    """
    parts = peers if isinstance(peers, list | tuple) else re.split(r"[,，、;；\s]+", str(peers).strip())
    codes: list[str] = []
    for part in filter(None, map(str, parts)):
        group = names.regions_in_group(part)
        codes += group or [names.find_region(part)]
    return list(dict.fromkeys(codes))


def table(frame: pd.DataFrame, caption: str) -> None:
    """Display a frame of texts as an accessible table; one without rows is not shown."""
    from IPython.display import HTML, display

    if len(frame):
        display(HTML(tables.as_html(frame, caption)))


def folded(frames: Mapping[str, pd.DataFrame], caption: str = "") -> None:
    """Display tables that a reader may open, one under the other, each under its name; ``caption`` says more of all.

    One without rows is not shown.
    """
    from IPython.display import HTML, display

    parts = [
        f'<details class="data"><summary>{escape(name)}</summary>'
        f"{tables.as_html(frame, ' · '.join(filter(None, (name, caption))))}</details>"
        for name, frame in frames.items()
        if len(frame)
    ]
    if parts:
        display(HTML("".join(parts)))


def say(sentences: Iterable[str]) -> None:
    """Display a reading: one sentence as a Markdown paragraph, several as a list, none as nothing."""
    from IPython.display import Markdown, display

    if lines := list(sentences):
        display(Markdown("\n".join(lines if len(lines) == 1 else (f"- {line}" for line in lines))))


def pictures(desk: Desk, plot: Callable[..., Figure], *frames: Any, **more: pd.DataFrame) -> None:
    """Display what a ``plot_`` function of small multiples draws of these frames: in parts that fit on a page each.

    Each part has whole domains; one that has nothing to draw is not shown where another has.
    """
    from IPython.display import display

    figures = [plot(*frames, domain=part, lang=desk.lang, **more) for part in _parts(desk)]
    drawn = [figure for figure in figures if figure.axes]
    for figure in drawn or figures[:1]:
        display(figure)


def _parts(desk: Desk) -> list[list[str] | None]:
    """The domains of each picture: about as many indicators in each, or all in one where they fit."""
    own = desk.targets.loc[desk.targets["region"] == desk.region, "indicator"]
    shown = desk.shown[desk.shown.index.isin(own) if desk.region else desk.shown["printing"] > 1]
    if len(shown) <= _ON_A_PAGE:
        return [None]
    most = len(shown) / -(-len(shown) // _ON_A_PAGE)
    sizes = shown.groupby("domain", sort=False).size()
    part = ((sizes.cumsum() - sizes / 2) // most).astype(int)
    return [group.tolist() for _, group in sizes.index.to_series().groupby(part)]


def glance(desk: Desk) -> None:
    """Display what a reader in a hurry should know of a county: see :func:`~qyx_analysis.glance.glance_html`."""
    from IPython.display import HTML, display

    from qyx_analysis.glance import glance_html

    display(HTML(glance_html(desk.targets, desk.findings, desk.trajectory, desk.ambition, desk.region, desk.lang)))


def briefing(desk: Desk) -> None:
    """Display the briefing of a county, or of all: see :func:`~qyx_analysis.briefing.briefing_html`.

    Raises ``DataError`` where there are no actual values to speak of.
    """
    from IPython.display import HTML, Markdown, display

    from qyx_analysis.briefing import State, briefing_html, briefing_title

    if desk.actuals.empty:
        raise DataError(Problem("actuals_missing", "actuals.csv"))
    frames = desk.targets, desk.monitoring, desk.open_items, desk.changes, desk.due_next
    display(Markdown(f"# {literal(briefing_title(desk.region, desk.lang))}"))
    display(HTML(briefing_html(State(*frames, *desk.compared_periods), desk.region, desk.lang)))


def title(desk: Desk) -> None:
    """Display the heading of a region report: the county, its city and what the page is about."""
    from IPython.display import Markdown, display

    values = {"region": literal(names.region_name(desk.region, desk.lang)), "code": desk.region}
    display(Markdown("# " + message("report_region_title", desk.lang, **values)))
