"""What every notebook opens and shows: the frames of one question, tables, sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from qyx_analysis import names
from qyx_analysis.catalogue import message
from qyx_analysis.catalogue.wording import literal
from qyx_analysis.datapackage import loading
from qyx_analysis.figures.scene import in_domain
from qyx_analysis.measures import Measured, final_positions
from qyx_analysis.names.regions import like_counties
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.texts.html import render_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LANGUAGES = ("zh", "en")
_ON_A_PAGE = 24  # small panels that can be read on a printed page


@dataclass(frozen=True)
class Desk:
    """The frames a notebook works on: targets and findings of the chosen regions; measures when asked for.

    ``shown``: the indicators in the order of the page, in which all results come; see
    :func:`~qyx_analysis.names.indicators_shown`. Without a region the measures are only of indicators that two counties
    print: of one alone there is nothing to compare. ``folder`` is the build's; ``domain`` the only one looked at, or
    empty; ``peers`` the codes compared with, none for all. The measures are those of the targets as they were opened.
    """

    region: str
    lang: str
    targets: pd.DataFrame
    findings: pd.DataFrame
    shown: pd.DataFrame
    folder: Path
    domain: str
    peers: tuple[str, ...]
    _measured: Measured = field(repr=False)

    @cached_property
    def trajectory(self) -> pd.DataFrame:
        """When the change is planned: see :func:`qyx_analysis.trajectory`."""
        return self._results("trajectory")

    @cached_property
    def ambition(self) -> pd.DataFrame:
        """How far the targets go beyond the baselines: see :func:`qyx_analysis.ambition`."""
        return self._results("ambition")

    @cached_property
    def dispersion(self) -> pd.DataFrame:
        """How far apart the counties are: see :func:`qyx_analysis.dispersion`."""
        return self._results("dispersion")

    @cached_property
    def domain_dispersion(self) -> pd.DataFrame:
        """The spread by domain: see :func:`qyx_analysis.domain_dispersion`."""
        return self._results("domain_dispersion")

    @cached_property
    def association(self) -> pd.DataFrame:
        """Whether low baselines plan more: see :func:`qyx_analysis.association`."""
        return self._results("association")

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """How firm the verdicts are: see :func:`qyx_analysis.verdicts`."""
        return self._results("verdicts")

    @cached_property
    def standing(self) -> pd.DataFrame:
        """Where the county's final planned values stand among the counties', by indicator."""
        return final_positions(self._measured.panel, self.region)

    @cached_property
    def standing_among(self) -> dict[str, pd.DataFrame]:
        """The same among the counties that are like it, by group; only groups with three counties in the data."""
        present = set(self.targets.loc[self.targets["level"] == "county", "region"])
        groups = {key: sorted(present & set(codes)) for key, codes in like_counties(self.region).items()}
        return {
            key: final_positions(self._measured.panel, self.region, codes).assign(counties=len(codes))
            for key, codes in groups.items()
            if 3 <= len(codes) < len(present)
        }

    def choose(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows of a whole table that are of the desk's regions, and of its domain if there is one."""
        chosen = rows["region"].isin(self.targets["region"].unique())
        if self.domain:
            chosen &= rows["indicator"].isin(self.targets["indicator"].unique())
        return as_shown(rows[chosen], self.shown)

    def _results(self, name: str) -> pd.DataFrame:
        rows = getattr(self._measured, name)
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
    region: object = "", peers: object = "", data_dir: object = "", lang: str = "zh", domain: str = ""
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

    Returns
    -------
    Desk

    Raises
    ------
    DataError
        For an unknown region, group, language or domain, or a region that is not in the data.
    """
    if lang not in LANGUAGES:
        raise DataError(Problem("lang_unknown", "lang", text=str(lang)))
    folder = loading.data_dir(data_dir or None)
    targets = load_once(folder, "targets")
    code = _present(region, targets) if str(region) else ""
    codes = tuple(peer_codes(peers))
    # without peers every county's desk holds the same frames
    which = folder, stamp(folder), code if codes else "", codes, domain
    frames = {name: frame.copy() for name, frame in _frames(*which).items()}
    shown = names.indicators_shown(frames["targets"], code)
    findings = as_shown(frames["findings"], shown)
    return Desk(code, lang, frames["targets"], findings, shown, folder, domain, codes, _measured(which))


def stamp(folder: Path) -> tuple[tuple[int, int], ...]:
    """Changes when a table of a build does."""
    return tuple((path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(folder.glob("*.csv")))


def load_once(folder: Path, name: str) -> pd.DataFrame:
    """A table of a build, read once by all reports of a run; whoever changes it takes a copy."""
    return _table(folder, name, stamp(folder))


@lru_cache(maxsize=16)
def _table(folder: Path, name: str, _: object) -> pd.DataFrame:
    return loading.load_targets(folder) if name == "targets" else loading.load_table(name, folder)


@lru_cache(maxsize=2)
def _frames(folder: Path, stamp: object, region: str, peers: tuple[str, ...], domain: str) -> dict[str, pd.DataFrame]:
    """The frames of a desk. The reports of one run ask for the same again and again; who gets one gets a copy."""
    targets, findings = _table(folder, "targets", stamp), _table(folder, "findings", stamp)
    targets = in_domain(choose_regions(targets, region, peers), domain).reset_index(drop=True)
    findings = findings[findings["region"].isin(targets["region"])].reset_index(drop=True)
    return {"targets": targets, "findings": findings}


@lru_cache(maxsize=2)
def _measured(which: tuple[Any, ...]) -> Measured:
    """The measures of a desk's targets, which the reports of one run share as they share the frames."""
    return Measured(_frames(*which)["targets"])


def _present(region: object, targets: pd.DataFrame) -> str:
    code = names.find_region(region)
    if code not in set(targets["region"]):
        present = ", ".join(targets["region_name"].unique())
        problem = Problem("region_absent", "targets.csv", text=names.region_name(code), values={"present": present})
        raise DataError(problem)
    return code


def choose_regions(targets: pd.DataFrame, region: str, peers: tuple[str, ...]) -> pd.DataFrame:
    """The rows of the region, its peers and the benchmarks; without peers all."""
    if not peers:
        return targets
    counties = targets["region"].isin([*peers, region])
    if not targets.loc[counties & (targets["region"] != region), "region"].size:
        raise DataError(Problem("peers_absent", "targets.csv", text=", ".join(peers)))
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
        display(HTML(render_table(frame, caption)))


def folded(frames: Mapping[str, pd.DataFrame], caption: str = "") -> None:
    """Display tables that a reader may open, one under the other, each under its name; ``caption`` says more of all.

    One without rows is not shown.
    """
    from IPython.display import HTML, display

    parts = [
        f'<details class="data"><summary>{escape(name)}</summary>'
        f"{render_table(frame, ' · '.join(filter(None, (name, caption))))}</details>"
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
    """Display what a reader in a hurry should know of a county: see :func:`~qyx_analysis.texts.glance.glance_html`."""
    from IPython.display import HTML, display

    from qyx_analysis.texts.glance import render_glance

    frames = (desk.targets, desk.findings, desk.trajectory, desk.ambition, desk.verdicts)
    display(HTML(render_glance(*frames, desk.region, desk.lang)))


def title(desk: Desk) -> None:
    """Display the heading of a region report: the county, its city and what the page is about."""
    from IPython.display import Markdown, display

    values = {"region": literal(names.region_name(desk.region, desk.lang)), "code": desk.region}
    display(Markdown("# " + message("report_region_title", desk.lang, **values)))
