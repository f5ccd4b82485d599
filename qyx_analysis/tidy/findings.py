"""What an analyst must be warned of: a tidy frame -> findings. Nothing is repaired, everything is named.

One finding is one thing to act on or to know, so a row that is odd in five years is one finding, not five. What a
finding can be about stands in ``rules.csv``: each case with its rule and severity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.catalogue import LOCAL
from qyx_analysis.catalogue.wording import region_name
from qyx_analysis.names.indicators import alias_note, find_indicator, split_unit
from qyx_analysis.names.units import conversion
from qyx_analysis.tidy.meaning import shared_targets
from qyx_analysis.wings import wings

if TYPE_CHECKING:
    from qyx_analysis.tidy.reading import Plan

RULES = tuple(dict.fromkeys(catalogue.rules()["rule"]))
_CASES = {case: (rule, severity) for case, rule, severity in catalogue.rules().itertuples(index=False)}
COLUMNS = tuple(catalogue.dtypes("findings"))
_NUMERIC = ("point", "lower_bound", "upper_bound")
_WORDS = ("full_coverage", "status")  # known words that stand where numbers are asked for
JUMP = 0.45  # share of the change in the first year that is named (METHODS A)
_NAMED = 6  # regions that a message can name

Found = Iterator[dict[str, Any]]
Cells = list[Any]  # the cells of one printed row, in the order of the years
Entry = dict[str, Any] | None  # the row's line in the catalogue of indicators


def all_rules() -> list[str]:
    """Give the closed list of what a finding can be about, the wings' rules after ours."""
    return [*RULES, *(rule for wing in wings() for rule in wing.rules)]


def find_all(targets: pd.DataFrame) -> pd.DataFrame:
    """Apply every rule to a tidy frame of targets.

    Parameters
    ----------
    targets : DataFrame
        As :func:`qyx_analysis.load_targets` gives it.

    Returns
    -------
    DataFrame
        ``region, indicator, number, row, year, rule, severity, message_zh, message_en, raw, document, locator``,
        ordered as the plans print their rows; ``year`` is empty where the whole row is meant.
    """
    entries = catalogue.indicators().set_index("code").to_dict(orient="index")
    # Plain tuples: rules on thousands of small frames would take a hundred times as long.
    cells = groupby(targets.itertuples(index=False), key=lambda cell: (cell.region, cell.indicator))
    rows = [sorted(row, key=lambda cell: cell.year) for _, row in cells]  # a table may print its years in any order
    findings = [
        *(found for row in rows for rule in _ROW_RULES for found in rule(row, entries.get(row[0].indicator))),
        *_missing_columns(targets),
        *_shared_numbers(targets),
        *_shared(rows, targets, entries),
        *_copied(rows, entries),
    ]
    return as_frame(findings)


def as_frame(findings: list[dict[str, Any]]) -> pd.DataFrame:
    """Put findings in their order: by region, row, year and rule."""
    frame = pd.DataFrame(findings, columns=list(COLUMNS)).astype({"number": "Int64", "row": "Int64", "year": "Int64"})
    return frame.sort_values(["region", "row", "year", "rule"], na_position="first", ignore_index=True)


def of_plan(plan: Plan) -> list[dict[str, Any]]:
    """Make findings of how a plan was read: what is not there, what was assumed."""
    return [
        {
            "region": plan.region,
            "indicator": "",
            "rule": remark.key,
            "severity": _CASES[remark.key][1],
            "message_zh": remark.message("zh"),
            "message_en": remark.message("en"),
            "raw": remark.text,
            "document": plan.document.stem,
            "locator": remark.place,
        }
        for remark in plan.remarks
    ]


def finding(cell: Any, rule: str, severity: str, key: str = "", year: bool = False, **values: Any) -> dict[str, Any]:
    """Make one finding at a cell (a row of a frame); its text is ``find_<rule>`` or ``find_<key>`` of the messages.

    ``values`` fill the text in: the same in both languages, or a pair (Chinese, English).
    """
    zh, en = (
        catalogue.message(
            f"find_{key or rule}", lang, **{k: v[i] if isinstance(v, tuple) else v for k, v in values.items()}
        )
        for i, lang in enumerate(("zh", "en"))
    )
    return {
        "region": cell.region,
        "indicator": cell.indicator,
        "number": cell.number,
        "row": getattr(cell, "row", pd.NA),  # a form of actual values has none
        "year": cell.year if year else pd.NA,
        "rule": rule,
        "severity": severity,
        "message_zh": zh,
        "message_en": en,
        "raw": cell.raw,
        "document": cell.document,
        "locator": cell.locator,
    }


def _found(cell: Any, case: str, year: bool = False, **values: Any) -> dict[str, Any]:
    """A finding of a case of ``rules.csv``."""
    return finding(cell, *_CASES[case], case, year, **values)


def _of_kind(row: Cells, *kinds: str) -> Cells:
    return [cell for cell in row if cell.kind in kinds]


def _is_blank(row: Cells) -> bool:
    return all(cell.kind == "missing" for cell in row)


def _numbers(row: Cells) -> Cells:
    return [cell for cell in _of_kind(row, *_NUMERIC) if cell.value == cell.value]


def _years_of(cells: Cells) -> str:
    return _joined(cell.year for cell in cells)


def _joined(years: Iterable[int]) -> str:
    return ", ".join(map(str, years))


# --- rules on one row -------------------------------------------------------------------------------------


def _unreadable(row: Cells, entry: Entry) -> Found:
    for cell in _of_kind(row, "unreadable"):
        yield _found(cell, "unreadable", True)


def _other_words(row: Cells, entry: Entry) -> Found:
    """Words that say no number, and cells with several goals: both are kept as printed."""
    for kind, case in (("words", "words_kept"), ("several", "several_goals")):
        for cell in _of_kind(row, kind)[:1]:
            yield _found(cell, case, True)


def _twice(row: Cells, entry: Entry) -> Found:
    """A name that the plan prints in two domains, or that is another name of an indicator printed before."""
    cell = row[0]
    if cell.indicator.endswith(f"({cell.domain})") and not cell.name.endswith(f"({cell.domain})"):
        yield _found(cell, "row_twice", name=cell.name)
    elif entry is None and find_indicator(cell.indicator.removeprefix(LOCAL)):
        yield _found(cell, "row_other_name", name=cell.name)


def _local(row: Cells, entry: Entry) -> Found:
    if entry is None:
        yield _found(row[0], "local_indicator", name=row[0].name)


def _merged(row: Cells, entry: Entry) -> Found:
    if cells := _of_kind(row, "reference"):
        yield _found(cells[0], "merged_text", years=_years_of(cells))


def _words(row: Cells, entry: Entry) -> Found:
    if entry is None or entry["nature"] == "state":
        return
    for cell in _of_kind(row, *_WORDS):
        if not (entry["full_is_best"] and cell.kind == "full_coverage"):
            yield _found(cell, "words_for_numbers", True, unit=entry["unit"])
            return


def _gaps(row: Cells, entry: Entry) -> Found:
    """A missing baseline, and target years without a value in a row that has others."""
    missing = _of_kind(row, "missing")
    if _is_blank(row):
        yield _found(row[0], "row_observational" if row[0].observational else "row_empty")
        return
    if missing and missing[0].role == "baseline":
        yield _found(missing[0], "baseline_missing", True)
    if later := [cell for cell in missing if cell.role == "target"]:
        yield _found(later[0], "cells_missing", years=_years_of(later))


def _fall(row: Cells, entry: Entry) -> Found:
    if entry is None or entry["nature"] != "cumulative":
        return
    for before, after in _falls(_numbers(row)):
        yield _found(after, "cumulative_fall", True, before=before.raw, after=after.raw, last=before.year)


def _falls(numbers: Cells) -> list[tuple[Any, Any]]:
    return [(before, after) for before, after in pairwise(numbers) if after.value < before.value]


def _weaker(row: Cells, entry: Entry) -> Found:
    """The final target against the baseline; failing that, the years that are worse on the way."""
    numbers = _numbers(row)
    if entry is None or entry["direction"] == 0 or not numbers or numbers[0].role != "baseline":
        return
    baseline, *targets = numbers
    worse = [cell for cell in targets if entry["direction"] * (cell.value - baseline.value) < 0]
    if not worse:
        return
    values = {"baseline": baseline.raw, "years": _years_of(worse)}
    if worse[-1].year == row[-1].year:
        yield _found(worse[-1], "weaker_than_baseline", True, **values)
    else:
        mostly = {"severity": "warning"} if 2 * len(worse) > len(targets) else {}
        yield _found(worse[0], "weaker_on_the_way", True, **values) | mostly


def _jump(row: Cells, entry: Entry) -> Found:
    """A first year that is planned to bring nearly half of the change or more: a step from an observation to a plan.

    Of a change that is more than rounding, not for the worse, and not to a bound, which says no end.
    """
    numbers = [cell for cell in row if cell.kind == "point" and cell.value == cell.value]
    nature, direction = (entry["nature"], entry["direction"]) if entry else ("", 0)
    if len(numbers) < 3 or nature == "state" or (nature == "cumulative" and _falls(numbers)):
        return
    baseline, first, last = numbers[0], numbers[1], numbers[-1]
    ends = baseline.role == "baseline" and first.year == baseline.year + 1 and last.year == row[-1].year
    change, digit = last.value - baseline.value, min(cell.resolution for cell in numbers[1:])
    if not ends or direction * change < 0 or abs(change) < 2 * digit - 1e-9:
        return
    share = (first.value - baseline.value) / change
    if share >= JUMP - 1e-9:
        yield _found(first, "first_year_jump", True, baseline=baseline.raw, last=last.raw, share=f"{share:.0%}")


def _units(row: Cells, entry: Entry) -> Found:
    """The printed unit is another one than the catalogue's; the values are converted where that is possible."""
    numbers = _of_kind(row, *_NUMERIC)
    if entry is None:
        for cell in [cell for cell in numbers if cell.value != cell.value][:1]:
            yield _found(cell, "unit_unusable", True, printed=cell.published_unit, unit=cell.unit)
        return
    if entry["nature"] == "state":
        return
    unit = entry["unit"]
    for cell in [cell for cell in numbers if cell.published_unit != numbers[0].published_unit][:1]:
        case = "unit_unusable" if conversion(cell.published_unit, unit) is None else "unit_difference"
        yield _found(cell, case, True, printed=cell.published_unit, unit=unit)
    cell = numbers[0] if numbers else row[0]
    if case := _unit_case(row, cell.published_unit, unit):
        printed = (cell.published_unit or "（无）", cell.published_unit or "(none)")
        yield _found(cell, case, printed=printed, unit=unit)


def _unit_case(row: Cells, printed: str, unit: str) -> str:
    """What is to be said of the unit of a row; nothing where it is the catalogue's."""
    factor = conversion(printed, unit)
    if not _of_kind(row, *_NUMERIC):
        return "unit_without_numbers" if printed and factor != 1 and not _is_blank(row) else ""
    if factor is None:
        return "unit_unusable"
    if not printed:
        return "unit_assumed"
    return "" if factor == 1 else "unit_difference"


def _fractions(row: Cells, entry: Entry) -> Found:
    """A share whose values are all below 1 is probably no percentage."""
    numbers = _numbers(row)
    shares = len(numbers) > 2 and row[0].unit == "%" and (entry is None or entry["nature"] != "state")
    if shares and numbers[0].value < 1 and all(0 < cell.value <= 1 for cell in numbers):
        yield _found(numbers[0], "percent_fraction", True)


def _magnitude(row: Cells, entry: Entry) -> Found:
    """A value outside the logical limits, or ten times the one before it, is probably in another unit."""
    if entry is None or entry["nature"] == "state":
        return
    numbers = _numbers(row)
    low, high = entry["lower"], entry["upper"]  # NaN, so never passed, where there is none
    outside = [cell for cell in numbers if cell.value < low or cell.value > high]
    leaps = [b for a, b in pairwise(numbers) if a.value > 0 and b.value > 0 and not 0.1 < b.value / a.value < 10]
    for cell in [*outside, *leaps][:1]:
        yield _found(cell, "outside_limits" if outside else "leap", True, unit=entry["unit"])


def _alias_notes(row: Cells, entry: Entry) -> Found:
    note = alias_note(split_unit(row[0].name)[0]) if entry is not None else None
    if note and not _is_blank(row):
        yield _found(row[0], "wording", note=note, name=row[0].name)


_ROW_RULES = (
    *(_unreadable, _other_words, _twice, _local, _merged, _words, _gaps),
    *(_fall, _weaker, _jump, _units, _fractions, _magnitude, _alias_notes),
)


# --- rules on a table and across tables -------------------------------------------------------------------


def _missing_columns(targets: pd.DataFrame) -> Found:
    """Years of the plan's period that the header of a table does not have."""
    for _, table in targets.groupby("region", sort=False):
        printed = set(table["year"])
        if absent := [year for year in _period_of(printed) if year not in printed]:
            found = _found(next(table.itertuples()), "years_missing", years=_joined(absent))
            yield found | {"indicator": "", "number": pd.NA, "row": pd.NA, "raw": "", "locator": ""}


def _period_of(years: set[int]) -> range:
    """The years of the plan whose period holds all ``years``; empty when none does."""
    return next((period for period in _periods() if years <= set(period)), range(0))


@cache
def _periods() -> tuple[range, ...]:
    return tuple(range(p.baseline, p.last + 1) for p in catalogue.programmes().itertuples())


def _shared_numbers(targets: pd.DataFrame) -> Found:
    """One printed number, two definitions: the counties that use one are not comparable with the others."""
    known = catalogue.indicators().set_index("code")
    shared = known[known["number"].notna() & known["number"].duplicated(keep=False)]
    used = targets[targets["indicator"].isin(shared.index)].drop_duplicates(["region", "indicator"])
    for _, rows in used.groupby(used["indicator"].map(shared["number"])):
        for cell in rows.itertuples():
            others = rows[rows["indicator"] != cell.indicator]
            if len(others):
                own, other = (
                    tuple(known.loc[code, ["name_zh", "name_en"]])
                    for code in (cell.indicator, others["indicator"].iloc[0])
                )
                regions = _names_of(others["region"])
                yield _found(cell, "definition_difference", own=own, other=other, regions=regions)


def _names_of(regions: Iterable[str]) -> tuple[str, str]:
    """Names for a sentence, in Chinese and English; a long list is cut and counted."""
    codes = list(regions)
    zh = "、".join(region_name(code) for code in codes[:_NAMED])
    en = ", ".join(region_name(code, "en") for code in codes[:_NAMED])
    return (f"{zh}等{len(codes)}地", f"{en} and {len(codes) - _NAMED} more") if len(codes) > _NAMED else (zh, en)


def _shared(rows: list[Cells], targets: pd.DataFrame, entries: dict[str, dict[str, Any]]) -> Found:
    """Rows whose targets are those of another county or of the city in every year, whatever the baselines."""
    shared = shared_targets(targets).to_dict()
    for cell in (row[0] for row in rows):
        regions = shared.get((cell.region, cell.indicator))
        if regions and entries.get(cell.indicator, {}).get("nature") != "state":
            yield _found(cell, "identical_series", regions=_names_of(regions.split(";")))


def _copied(rows: list[Cells], entries: dict[str, dict[str, Any]]) -> Found:
    """Rows of one table that change over the years and yet print the same numbers, baseline included."""
    same: dict[tuple[Any, ...], Cells] = {}
    for row in rows:
        series = tuple((cell.operator, cell.value) for cell in _numbers(row))
        state = row[0].indicator in entries and entries[row[0].indicator]["nature"] == "state"
        if len(series) == len(row) and len(set(series)) > 1 and not state:  # two that pass in one year are no copy
            same.setdefault((row[0].region, series), []).append(row[0])
    for firsts in same.values():
        for cell in firsts if len(firsts) > 1 else []:
            yield _found(cell, "identical_rows", other=next(c.name for c in firsts if c is not cell))
