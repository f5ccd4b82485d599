"""What an analyst must be warned of: a tidy frame -> findings. Nothing is repaired, everything is named.

One finding is one thing to act on or to know, so a row that is odd in five years is one finding, not five.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.names import LOCAL, alias_note, conversion, find_indicator, region_name, split_unit
from qyx_analysis.wings import wings

if TYPE_CHECKING:
    from qyx_analysis.tidy.reading import Plan

# What is said of how a plan was read, with its severity.
PLAN_RULES = {
    "table_not_there": "warning",
    "table_cut": "warning",
    "column_unknown": "warning",
    "column_unread": "info",
    "table_of_one_year": "warning",
    "baseline_assumed": "info",
    "baseline_earliest": "warning",
    "domain_own": "info",
}
RULES = (
    "cumulative_fall",
    "weaker_than_baseline",
    "unit_difference",
    "definition_difference",
    "words_for_numbers",
    "merged_text",
    "baseline_missing",
    "identical_series",
    "unreadable",
    "local_indicator",
    "several_goals",
    "row_twice",
    *PLAN_RULES,
    "years_missing",
)
SEVERITIES = ("error", "warning", "info")
COLUMNS = tuple(catalogue.fields().query("resource == 'findings'")["name"])
_NUMERIC = ("point", "lower_bound", "upper_bound")
_WORDS = ("full_coverage", "status")  # known words that stand where numbers are asked for


def all_rules() -> list[str]:
    """The closed list of what a finding can be about, the wings' rules after ours."""
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
    findings: list[dict[str, Any]] = []
    known = catalogue.indicators().set_index("code")
    entries = known.to_dict(orient="index")
    # Plain tuples: rules on thousands of small frames would take a hundred times as long.
    for (_, code), cells in groupby(targets.itertuples(index=False), key=lambda cell: (cell.region, cell.indicator)):
        row = sorted(cells, key=lambda cell: cell.year)  # a table may print its years in any order
        findings.extend(found for rule in _ROW_RULES for found in rule(row, entries.get(code)))
    findings.extend(_missing_columns(targets))
    findings.extend(_shared_numbers(targets, known))
    findings.extend(_identical(targets))
    return as_frame(findings)


def as_frame(findings: list[dict[str, Any]]) -> pd.DataFrame:
    """The findings in their order: by region, number, year and rule."""
    frame = pd.DataFrame(findings, columns=list(COLUMNS)).astype({"number": "Int64", "row": "Int64", "year": "Int64"})
    return frame.sort_values(["region", "row", "year", "rule"], na_position="first", ignore_index=True)


def of_plan(plan: Plan) -> list[dict[str, Any]]:
    """The findings of how a plan was read: what is not there, what was assumed."""
    return [
        {
            "region": plan.region,
            "indicator": "",
            "rule": remark.key,
            "severity": PLAN_RULES[remark.key],
            "message_zh": remark.message("zh"),
            "message_en": remark.message("en"),
            "raw": remark.text,
            "document": plan.document.stem,
            "locator": remark.place,
        }
        for remark in plan.remarks
    ]


def finding(cell: Any, rule: str, severity: str, key: str = "", year: bool = False, **values: Any) -> dict[str, Any]:
    """One finding at a cell (a row of the frame); its text is ``find_<rule>`` or ``find_<key>`` of the messages.

    ``values`` are the same in both languages, or a pair (Chinese, English).
    """
    texts = {
        lang: catalogue.message(
            f"find_{key or rule}", lang, **{k: v[i] if isinstance(v, tuple) else v for k, v in values.items()}
        )
        for i, lang in enumerate(("zh", "en"))
    }
    return {
        "region": cell.region,
        "indicator": cell.indicator,
        "number": cell.number,
        "row": getattr(cell, "row", pd.NA),  # a form of actual values has none
        "year": cell.year if year else pd.NA,
        "rule": rule,
        "severity": severity,
        "message_zh": texts["zh"],
        "message_en": texts["en"],
        "raw": cell.raw,
        "document": cell.document,
        "locator": cell.locator,
    }


Cells = list[Any]  # the cells of one printed row, in the order of the years
Entry = dict[str, Any] | None  # the row's line in the catalogue of indicators


def _of_kind(row: Cells, *kinds: str) -> Cells:
    return [cell for cell in row if cell.kind in kinds]


def _is_blank(row: Cells) -> bool:
    return all(cell.kind == "missing" for cell in row)


def _numbers(row: Cells) -> Cells:
    return [cell for cell in _of_kind(row, *_NUMERIC) if cell.value == cell.value]


def _joined(years: Iterable[int]) -> str:
    return ", ".join(str(year) for year in years)


# --- rules on one row -------------------------------------------------------------------------------------


def _unreadable(row: Cells, entry: Entry) -> Iterator[dict[str, Any]]:
    for cell in _of_kind(row, "unreadable"):
        yield finding(cell, "unreadable", "error", year=True)


def _local(row: Cells, entry: Entry) -> Iterator[dict[str, Any]]:
    if entry is None:
        yield finding(row[0], "local_indicator", "info", name=row[0].name)


def _merged(row: Cells, entry: Entry) -> Iterator[dict[str, Any]]:
    cells = _of_kind(row, "reference")
    if cells:
        yield finding(cells[0], "merged_text", "warning", years=_joined(cell.year for cell in cells))


def _words(row: Cells, entry: Entry) -> Iterator[dict[str, Any]]:
    if entry is None or entry["nature"] == "state":
        return
    words = [cell for cell in _of_kind(row, *_WORDS) if not (entry["full_is_best"] and cell.kind == "full_coverage")]
    if words:
        yield finding(words[0], "words_for_numbers", "warning", year=True, unit=entry["unit"])


def _other_words(row: Cells, entry: Entry) -> Iterator[dict[str, Any]]:
    """Words that say no number, and cells with several goals: both are kept as printed."""
    if words := _of_kind(row, "words"):
        yield finding(words[0], "words_for_numbers", "info", "words_kept", True)
    if several := _of_kind(row, "several"):
        yield finding(several[0], "several_goals", "warning", year=True)


def _twice(row: Cells, entry: Entry) -> Iterator[dict[str, Any]]:
    """A name that the plan prints in two domains, or that is another name of an indicator printed before."""
    cell = row[0]
    if cell.indicator.endswith(f"({cell.domain})") and not cell.name.endswith(f"({cell.domain})"):
        yield finding(cell, "row_twice", "warning", name=cell.name)
    elif entry is None and find_indicator(cell.indicator.removeprefix(LOCAL)):
        yield finding(cell, "row_twice", "warning", "row_other_name", name=cell.name)


def _gaps(row: Cells, entry: Entry) -> Iterator[dict[str, Any]]:
    """A missing baseline, and target years without a value in a row that has others."""
    missing = _of_kind(row, "missing")
    if not missing:
        return
    if _is_blank(row):
        severity, key = ("info", "row_observational") if row[0].observational else ("warning", "row_empty")
        yield finding(row[0], "baseline_missing", severity, key)
        return
    if missing[0].role == "baseline":
        yield finding(missing[0], "baseline_missing", "warning", year=True)
    later = [cell for cell in missing if cell.role == "target"]
    if later:
        yield finding(later[0], "years_missing", "warning", "cells_missing", years=_joined(cell.year for cell in later))


def _fall(row: Cells, entry: Entry) -> Iterator[dict[str, Any]]:
    if entry is None or entry["nature"] != "cumulative":
        return
    cells = _numbers(row)
    for before, after in pairwise(cells):
        if after.value < before.value:
            yield finding(
                after,
                "cumulative_fall",
                "error",
                year=True,
                before=before.raw,
                after=after.raw,
                last=before.year,
            )


def _weaker(row: Cells, entry: Entry) -> Iterator[dict[str, Any]]:
    """The final target against the baseline; failing that, the years that are worse on the way."""
    if entry is None or entry["direction"] == 0:
        return
    numbers = _numbers(row)
    if not numbers or numbers[0].role != "baseline":
        return
    baseline, *targets = numbers
    worse = [cell for cell in targets if entry["direction"] * (cell.value - baseline.value) < 0]
    if not worse:
        return
    values = {"baseline": baseline.raw, "years": _joined(cell.year for cell in worse)}
    if worse[-1].year == max(cell.year for cell in row):
        yield finding(worse[-1], "weaker_than_baseline", "warning", "", True, **values)
    else:
        severity = "warning" if 2 * len(worse) > len(targets) else "info"
        yield finding(worse[0], "weaker_than_baseline", severity, "weaker_on_the_way", True, **values)


def _units(row: Cells, entry: Entry) -> Iterator[dict[str, Any]]:
    """The printed unit is another one than the catalogue's; the values are converted where that is possible."""
    if entry is None:
        for cell in [cell for cell in _of_kind(row, *_NUMERIC) if cell.value != cell.value][:1]:
            yield finding(
                cell, "unit_difference", "error", "unit_unusable", True, printed=cell.published_unit, unit=cell.unit
            )
        return
    if entry["nature"] == "state":
        return
    numbers = _of_kind(row, *_NUMERIC)
    odd = [cell for cell in numbers if cell.published_unit != numbers[0].published_unit]
    for cell in odd[:1]:  # one cell of the row is printed in another unit than its first
        usable = conversion(cell.published_unit, entry["unit"]) is not None
        key, severity = ("unit_difference", "warning") if usable else ("unit_unusable", "error")
        yield finding(cell, "unit_difference", severity, key, True, printed=cell.published_unit, unit=entry["unit"])
    cell = numbers[0] if numbers else row[0]
    factor = conversion(cell.published_unit, entry["unit"])
    if factor == 1 and (cell.published_unit or not numbers):
        return
    printed = (cell.published_unit or "（无）", cell.published_unit or "(none)")
    if not numbers:
        if cell.published_unit and not _is_blank(row):
            yield finding(cell, "unit_difference", "info", "unit_without_numbers", printed=printed, unit=entry["unit"])
    elif factor is None:
        yield finding(cell, "unit_difference", "error", "unit_unusable", printed=printed, unit=entry["unit"])
    else:
        key = "unit_difference" if cell.published_unit else "unit_assumed"
        severity = "warning" if cell.published_unit else "info"
        yield finding(cell, "unit_difference", severity, key, printed=printed, unit=entry["unit"])


def _magnitude(row: Cells, entry: Entry) -> Iterator[dict[str, Any]]:
    """A value outside the logical limits, or ten times the one before it, is probably in another unit."""
    if entry is not None and entry["nature"] == "state":
        return
    numbers = _numbers(row)
    if (
        row[0].unit == "%"
        and len(numbers) > 2
        and all(0 < cell.value <= 1 for cell in numbers)
        and numbers[0].value < 1
    ):
        yield finding(numbers[0], "unit_difference", "warning", "percent_fraction", True)
    if entry is None:
        return
    low, high = entry["lower"], entry["upper"]  # NaN, so never passed, where there is none
    outside = [cell for cell in numbers if cell.value < low or cell.value > high]
    leaps = [b for a, b in pairwise(numbers) if a.value > 0 and b.value > 0 and not 0.1 < b.value / a.value < 10]
    for cell in [*outside, *leaps][:1]:
        key = "outside_limits" if outside else "leap"
        yield finding(cell, "unit_difference", "warning", key, True, unit=entry["unit"])


def _alias_notes(row: Cells, entry: Entry) -> Iterator[dict[str, Any]]:
    cell = row[0]
    note = alias_note(split_unit(cell.name)[0]) if entry is not None else None
    if note and not _is_blank(row):
        yield finding(cell, "definition_difference", "info", "wording", note=note, name=cell.name)


_ROW_RULES = (
    _unreadable,
    _other_words,
    _twice,
    _local,
    _merged,
    _words,
    _gaps,
    _fall,
    _weaker,
    _units,
    _magnitude,
    _alias_notes,
)


# --- rules on a table and across tables -------------------------------------------------------------------


def _missing_columns(targets: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Years of the plan's period that the header of a table does not have."""
    for _, table in targets.groupby("region", sort=False):
        printed = set(table["year"])
        period = period_of(printed)
        absent = [year for year in period if year not in printed]
        if absent:
            found = finding(next(table.itertuples()), "years_missing", "warning", years=_joined(absent))
            yield found | {"indicator": "", "number": pd.NA, "row": pd.NA, "raw": "", "locator": ""}


def period_of(years: set[int]) -> range:
    """The years of the plan whose period holds all ``years``; empty when none does.

    >>> list(period_of({2022, 2025}))
    [2022, 2023, 2024, 2025, 2026, 2027]
    """
    return next((period for period in _periods() if years <= set(period)), range(0))


@cache
def _periods() -> tuple[range, ...]:
    return tuple(range(p.baseline, p.last + 1) for p in catalogue.programmes().itertuples())


def _shared_numbers(targets: pd.DataFrame, known: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """One printed number, two definitions: the counties that use one are not comparable with the others."""
    shared = known.groupby("number").filter(lambda rows: len(rows) > 1)
    used = targets[targets["indicator"].isin(shared.index)].drop_duplicates(["region", "indicator"])
    for _, rows in used.groupby(used["indicator"].map(known["number"])):
        if rows["indicator"].nunique() < 2:
            continue
        for cell in rows.itertuples():
            others = rows.loc[rows["indicator"] != cell.indicator, "region_name"]
            other = rows.loc[rows["indicator"] != cell.indicator, "indicator"].iloc[0]
            yield finding(
                cell,
                "definition_difference",
                "warning",
                own=(known.at[cell.indicator, "name_zh"], known.at[cell.indicator, "name_en"]),
                other=(known.at[other, "name_zh"], known.at[other, "name_en"]),
                regions=_names_of(rows.loc[others.index, "region"]),
            )


def _names_of(codes: Iterable[str]) -> tuple[str, str]:
    """Names for a sentence, in Chinese and English; a long list is cut and counted."""
    listed = list(codes)
    zh, en = (
        "、".join(region_name(c) for c in listed[:6]),
        ", ".join(region_name(c, "en") for c in listed[:6]),
    )
    return (f"{zh}等{len(listed)}地", f"{en} and {len(listed) - 6} more") if len(listed) > 6 else (zh, en)


@cache
def _state_codes() -> frozenset[str]:
    return frozenset(catalogue.indicators().query("nature == 'state'")["code"])


def _identical(targets: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Series that change over the years and yet are the same, baseline included, in several places."""
    same_series: dict[tuple[tuple[str, float], ...], list[Any]] = {}
    for _, cells in groupby(targets.itertuples(index=False), key=lambda cell: (cell.region, cell.indicator)):
        row = list(cells)
        series = tuple((cell.operator, cell.value) for cell in _numbers(row))
        if len(series) == len(row) and len(set(series)) > 1:
            same_series.setdefault(series, []).append(row[0])
    for firsts in same_series.values():
        for cell in firsts:
            elsewhere = [c.region for c in firsts if c.indicator == cell.indicator and c.region != cell.region]
            if elsewhere:
                yield finding(cell, "identical_series", "info", regions=_names_of(elsewhere))
            within = [c.name for c in firsts if c.region == cell.region and c.indicator != cell.indicator]
            within = [] if cell.indicator in _state_codes() else within  # two that pass in one year are no copy
            if within:
                yield finding(cell, "identical_series", "warning", "identical_rows", other=within[0])
