"""Who and what is in a picture: the cells to draw, the chosen county, the others, their names and colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from qyx_analysis import catalogue, names
from qyx_analysis.figures import style
from qyx_analysis.figures.style import Entry, Options
from qyx_analysis.problems import DataError, Problem, require
from qyx_analysis.tidy.meaning import with_meaning

_OF_TARGETS = ("region", "level", "indicator", "domain", "year", "role", "raw", "kind", "operator", "value")
_OF_RESULTS = ("indicator", "measure", "value", "lo", "hi", "status", "flags")
_NAME, _LONGEST = 30, 60  # characters of a region or a unit, and of an indicator, that a picture has room for
_SOME = 8  # names in a note
_WORDED = ("status", "words", "several")
TOLD = (*_WORDED, "full_coverage", "reference")  # kinds of cells that say in words what is planned
UNSAID = ("missing", "unreadable")  # kinds of cells that say nothing
BOUNDS = ("lower_bound", "upper_bound")
FEW = 5  # up to so many counties each gets its own colour and label
OPERATORS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}


def number(value: float, decimals: int, lang: str = "zh", signed: bool = False) -> str:
    """Write a number as the readers of ``lang`` do: thousands are separated in English only.

    >>> number(14000, 0, "zh"), number(14000, 0, "en"), number(-0.25, 2)
    ('14000', '14,000', '−0.25')
    """
    rounded = round(value, decimals) + 0.0  # no "−0"
    text = format(rounded, ("+" if signed and rounded else "") + ("," if lang == "en" else "") + f".{decimals}f")
    return text.replace("-", "−")


def decimals_of(resolution: float) -> int:
    """How many decimals a last printed digit of this size has.

    >>> decimals_of(0.01), decimals_of(1.0)
    (2, 0)
    """
    return max(0, int(np.ceil(-np.log10(resolution) - 1e-9))) if resolution > 0 else 0


@dataclass(frozen=True)
class Scene:
    """The cells of one picture and how its counties are shown.

    ``cells``: the rows of the targets, with ``drawn``, the height at which a cell is drawn: its number, a bound's
    threshold, the committed end of a range, a state as 0 or 100, the best value for 全覆盖 where the catalogue says so.
    """

    cells: pd.DataFrame
    chosen: str
    lang: str

    @cached_property
    def counties(self) -> list[str]:
        """Codes of the counties, the chosen one last so that it is drawn on top."""
        codes = self.cells.loc[self.cells["level"] == "county", "region"].drop_duplicates().sort_values()
        return sorted(codes, key=lambda code: code == self.chosen)

    @property
    def others(self) -> list[str]:
        """The counties without the chosen one."""
        return [code for code in self.counties if code != self.chosen]

    @cached_property
    def benchmarks(self) -> list[str]:
        """Cities and the province: drawn as dashed lines, never counted among the counties."""
        return sorted(self.cells.loc[self.cells["level"] != "county", "region"].unique())

    @cached_property
    def years(self) -> list[int]:
        """From the baseline year to the last year."""
        return list(range(int(self.cells["year"].min()), int(self.cells["year"].max()) + 1))

    @property
    def few(self) -> bool:
        """Whether every county can have its own colour and label."""
        return len(self.counties) <= FEW

    @cached_property
    def colours(self) -> dict[str, str]:
        """Colour of each county: blue for the chosen one and grey for the others, or one each when there are few."""
        if self.chosen:
            return dict.fromkeys(self.others, style.OTHER) | {self.chosen: style.BLUE}
        own = style.COUNTY_COLOURS if self.few else [style.OTHER] * len(self.counties)
        return dict(zip(self.counties, own, strict=False))

    @cached_property
    def marks(self) -> dict[str, Options]:
        """Line2D options of each county's planned values: its colour, and its shape when every county has its own."""
        shapes = ["o"] * len(self.counties) if self.chosen or not self.few else style.COUNTY_MARKS
        return {
            code: {"color": self.colours[code], "marker": shape, "markersize": 5.8 if shape in "^vP" else 5.0}
            for code, shape in zip(self.counties, shapes, strict=False)
        }

    @cached_property
    def indicators(self) -> pd.DataFrame:
        """The indicators in the picture, in the order of every page, with names in ``lang``.

        ``alone``: whether the numbers of counties are not compared, as those of absolute counts and of different units.
        """
        table = names.indicators_shown(self.cells, self.chosen)
        return table.assign(
            domain_name=[style.drawable(names.domain_name(domain, self.lang), _LONGEST) for domain in table["domain"]],
            name=[style.drawable(name, _LONGEST) for name in table[f"short_{self.lang}"]],
            unit_name=[style.drawable(unit, _NAME) for unit in table["unit" if self.lang == "zh" else "unit_en"]],
            alone=(table["scale"] == "count") | (table["comparability"] == ""),
        )

    @cached_property
    def own(self) -> pd.DataFrame:
        """Those of the indicators that the chosen county prints."""
        own = self.cells.loc[self.cells["region"] == self.chosen, "indicator"]
        return self.indicators[self.indicators.index.isin(own)]

    @cached_property
    def shared(self) -> pd.DataFrame:
        """Those of the indicators that two counties print, so that there is something to compare, or all of one's."""
        return self.indicators[self.indicators["printing"] >= min(2, len(self.counties))]

    @property
    def table(self) -> pd.DataFrame:
        """The indicators of a picture: those of the chosen county, or what there is to compare."""
        return self.own if self.chosen else self.shared

    def single(self) -> str:
        """How many indicators only one county prints, for the note of a comparison: they have no place in it."""
        n = int((self.indicators["printing"] == 1).sum())
        return self.say("single", n=n) if n and len(self.counties) > 1 else ""

    def left_out(self, table: pd.DataFrame, n: int) -> str:
        """Which of the indicators that several counties print have no place in a picture that needs ``n`` values."""
        return self.say("left_out", names=self.some(table["name"]), n=n) if len(table) else ""

    def unknown(self, table: pd.DataFrame) -> str:
        """Of how many indicators the catalogue does not say what is better, so that they have no place in a verdict."""
        n = int(table["direction"].isna().sum())
        return self.say("direction_unknown", n=n) if n else ""

    def some(self, texts: Sequence[str]) -> str:
        """Names in a row as far as a line has room, and how many more there are."""
        joined, more = self.say("comma").join(texts[:_SOME]), len(texts) - _SOME
        return catalogue.message("say_and_more", self.lang, names=joined, n=more) if more > 0 else joined

    @property
    def everyone(self) -> str:
        """How many counties there are."""
        return self.listed(self.counties, 0)

    @property
    def who(self) -> str:
        """The chosen county, or how many there are."""
        return self.name(self.chosen) if self.chosen else self.everyone

    @property
    def picked_out(self) -> str:
        """For the alternative text of a picture of all counties: which of them is in colour."""
        return self.say("picked_out") if self.chosen else ""

    def say(self, key: str, /, **values: object) -> str:
        """One text of the messages whose key starts with ``fig_``; it may name the years and who is in the picture."""
        return catalogue.message(f"fig_{key}", self.lang, **self._always | values)

    @cached_property
    def _always(self) -> dict[str, object]:
        years = {"first": self.years[0], "last": self.years[-1]}
        return {**years, "who": self.who, "county": self.who, "counties": len(self.counties)}

    def name(self, code: str) -> str:
        """Name of a region on a label: English names without District, County or City."""
        full = style.drawable(names.region_name(code, self.lang), _NAME)
        return full.split()[0] if self.lang == "en" and names.region_level(code) == "county" else full

    def listed(self, codes: list[str], limit: int = FEW) -> str:
        """Names in a row, or how many there are."""
        if len(codes) > limit:
            return catalogue.message("fig_counties", self.lang, n=len(codes))
        return catalogue.message("fig_comma", self.lang).join(self.name(code) for code in codes)

    def reason(self, status: str) -> str:
        """Why there is no result, in a few words."""
        return self.say(f"status_{status}")

    def word(self, cell: Any) -> str:
        """What a cell says, short enough for a label: ``<3.5``, ``5.50``, 全覆盖, 未公布."""
        if self.indicators.at[cell.indicator, "nature"] == "state" and pd.notna(cell.drawn):
            if cell.kind == "status" and self.lang == "zh":
                return style.drawable(cell.raw, 6)
            return self.say("passed" if cell.drawn > 0 else "not_passed")
        if cell.kind in ("point", "lower_bound", "upper_bound", "range"):
            ends = [cell.value_low, cell.value_high] if cell.kind == "range" else [cell.value]
            if pd.isna(ends).any():
                return self.say("kind_unreadable")
            texts = (number(end, decimals_of(cell.resolution), self.lang) for end in ends)
            return ("" if cell.kind == "range" else OPERATORS.get(cell.operator, "")) + "–".join(texts)
        if cell.kind in _WORDED:
            return style.drawable(cell.raw, 6) if self.lang == "zh" else self.say("kind_status")
        return self.say(f"kind_{cell.kind}")

    def county_entries(self) -> list[Entry]:
        """For a key: the chosen county, or each of few."""
        if self.chosen:
            return [(self.marks[self.chosen], self.name(self.chosen))]
        return [(mark, self.name(code)) for code, mark in self.marks.items()] if self.few else []

    def other_entries(self, mark: Options) -> list[Entry]:
        """For a key: the counties that are not singled out, as ``mark``."""
        if not self.others or (self.few and not self.chosen):
            return []
        return [(mark, self.say("key_others" if self.chosen else "key_each", names=self.listed(self.others)))]

    def benchmark_entries(self, mark: Options = style.BENCHMARK) -> list[Entry]:
        """For a key: the cities and the province."""
        return [(mark, self.say("key_benchmark", names=self.listed(self.benchmarks)))] if self.benchmarks else []

    def baseline_entry(self, colour: str) -> Entry:
        """For a key: the mark of an observed value."""
        return style.BASELINE | {"color": colour}, self.say("key_baseline", year=self.years[0])

    def bound_entries(self, cells: pd.DataFrame, colour: str) -> list[Entry]:
        """For a key: the bounds among these cells."""
        sides = (("lower_bound", "up", "key_at_least"), ("upper_bound", "down", "key_at_most"))
        present = set(cells["kind"])
        return [(style.bound_options(side, colour), self.say(text)) for kind, side, text in sides if kind in present]

    def results(self, frame: pd.DataFrame, source: str, *measures: str) -> pd.DataFrame:
        """The rows of this picture whose measure begins so; ``source`` gives the frame that is wanted.

        Raises DataError for another frame.
        """
        require(frame, _OF_RESULTS, source)
        known = frame[frame["measure"].str.startswith(measures)]
        if known.empty and len(frame):
            raise DataError(Problem("frame_columns", source, text=measures[0]))
        rows = known[known["indicator"].isin(self.indicators.index)]
        return rows[rows["region"].isin(self.cells["region"].unique())] if "region" in rows else rows

    def printed(self, code: str) -> pd.DataFrame:
        """The cells of one indicator."""
        return self.cells.iloc[self._places[code]]

    @cached_property
    def _places(self) -> dict[Any, Any]:
        return self.cells.groupby("indicator", sort=False).indices

    def of(self, code: str, region: str) -> pd.DataFrame:
        """The cells of one region's row, ordered by year."""
        ordered, places = self._rows
        return ordered.iloc[places.get((code, region), [])]

    @cached_property
    def _rows(self) -> tuple[pd.DataFrame, dict[Any, Any]]:
        ordered = self.cells.sort_values("year", kind="stable")
        return ordered, ordered.groupby(["indicator", "region"], sort=False).indices

    def grid(self, code: str, regions: list[str]) -> pd.DataFrame:
        """Drawn values of one indicator: regions that print it down, years across, NaN where there is no number."""
        grid = self._grids[code]
        return grid[grid.index.isin(regions)]

    @cached_property
    def _grids(self) -> dict[str, pd.DataFrame]:
        wide = self.cells.pivot(index=["indicator", "region"], columns="year", values="drawn")
        wide = wide.reindex(columns=self.years).astype(float)
        return {str(code): part.droplevel("indicator") for code, part in wide.groupby(level="indicator", sort=False)}


Domain = str | Sequence[str] | None  # one, several, or all


def in_domain(targets: pd.DataFrame, domain: Domain) -> pd.DataFrame:
    """Keep the rows of a domain, by its Chinese or English name or as a plan prints it, or of several; else all.

    Raises DataError for an unknown domain, one without a row, and a frame that is not of targets.
    """
    require(targets, _OF_TARGETS, "load_targets()")
    if not domain:
        return targets
    own = targets[targets["domain"].isin(domains_in(targets, domain))]
    if own.empty:
        raise DataError(Problem("domain_absent", "targets", text=str(domain)))
    return own


def domains_in(frame: pd.DataFrame, domain: str | Sequence[str]) -> list[str]:
    """The domains that are meant: those that the frame has, others by their Chinese or English name."""
    present = set(frame["domain"])
    return [
        name if name in present else names.find_domain(name)
        for name in ([domain] if isinstance(domain, str) else domain)
    ]


Say = Callable[..., str]  # gives a text by its key


def speaker(lang: str) -> Say:
    """Give what says the texts of pictures in ``lang``. Raises DataError for another language."""
    if lang not in ("zh", "en"):
        raise DataError(Problem("lang_unknown", "lang", text=str(lang)))
    return lambda key, **values: catalogue.message(f"fig_{key}", lang, **values)


def scene_of(targets: pd.DataFrame, region: object = None, lang: str = "zh", domain: Domain = None) -> Scene:
    """Prepare the targets for drawing; ``region`` as number, text or name, ``domain`` as :func:`in_domain` takes it.

    Raises DataError for another language, an unknown region, one that is not among the counties of ``targets``, and
    targets without any row.
    """
    targets = in_domain(targets, domain)
    speaker(lang)
    if targets.empty:
        raise DataError(Problem("nothing_to_draw", "targets"))
    cells = targets.astype(dict.fromkeys(targets.select_dtypes("str").columns, object))  # read cell by cell: faster
    cells["drawn"] = with_meaning(targets)["meant"]
    chosen = "" if region is None or region == "" else names.find_region(region)
    scene = Scene(cells, chosen, lang)
    if chosen and chosen not in scene.counties:
        present = ", ".join(names.region_name(code, lang) for code in scene.counties[:10])
        raise DataError(Problem("region_absent", "targets", text=str(region), values={"present": present}))
    return scene
