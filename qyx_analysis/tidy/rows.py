"""The rows of a printed table -> tidy rows: who a row is by its printed name, and what its cells mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import pandas as pd

from qyx_analysis import catalogue, names
from qyx_analysis.cells import CellValue, parse_cell, split_marks
from qyx_analysis.documents import Document
from qyx_analysis.layouts import PrintedRow, Table, plain
from qyx_analysis.layouts.headers import period_said
from qyx_analysis.layouts.printed import known_domains
from qyx_analysis.problems import DataError, Problem, compiled

_MARK = re.compile(r"([^\w\s“”\"：:、,，]|※)[”\"]?(?:号|的|指标)*(?:为|是|表示|系|代表)")
_NUMBERED = re.compile(r"\s*(?:[（(]\s*(\d{1,3})\s*[)）]\s*[.．、]?|(\d{1,3})\s*(?:[、)）]|[.．](?!\d)))\s*")
_RUNNING = re.compile(r"\s*(\d{1,3})(?:\s*[.．、]|\s)\s*")
_PART = re.compile(r"(#|其中)[:：]?")  # a row that is a part of the row above: 其中：农村
_CHINESE_NUMERALS = {c: i for i, c in enumerate("一二三四五六七八九十", 1)}
_LONGEST_UNIT = 8  # characters of a bracket that may be a unit nobody knows


def tidy_rows(document: Document, table: Table, region: str) -> tuple[pd.DataFrame, list[Problem]]:
    """The rows of a table as the frame of the targets, and what had to be assumed.

    Raises ``DataError`` with every problem of the table: a name that stands there twice, years that fit no plan.
    """
    marks = _meanings(table)
    baseline, assumed = _baseline(document, table)
    place = {
        "region": region,
        "region_name": names.region_name(region),
        "level": names.region_level(region),
        "document": document.stem,
    }
    problems: list[Problem] = []
    records: list[dict[str, Any]] = []
    for row, entry in zip(table.rows, _identities(table.rows, document.name, problems), strict=True):
        meant = {meaning for mark, meaning in marks.items() if mark in entry["marker"]}
        entry |= place | {"core": "core" in meant, "observational": "observational" in meant}
        entry["department"] = row.department.text if row.department else ""
        try:
            records.extend(entry | cell for cell in _cells(row, table, entry, baseline, document.name))
        except DataError as error:
            problems.extend(error.problems)
    if problems:
        raise DataError(problems)
    return pd.DataFrame(records), [*assumed, *_own_domains(document, table)]


def _own_domains(document: Document, table: Table) -> list[Problem]:
    """The domains of a plan that the catalogue does not have, each at the first row it stands on."""
    first = {row.domain: row.indicator.place for row in reversed(table.rows) if row.domain not in known_domains()}
    own = {domain: place for domain, place in reversed(first.items()) if domain}
    return [Problem("domain_own", document.name, place, domain, {"domain": domain}) for domain, place in own.items()]


# --- which year is the baseline ---------------------------------------------------------------------------


def _baseline(document: Document, table: Table) -> tuple[int | None, list[Problem]]:
    """The year of the baseline, or ``None``: as the header says, by the plan's period or its programme, or assumed."""
    said = [column.year for column in table.columns if column.said in ("baseline", "actual")]
    if said:
        return said[0], []
    years = sorted(table.years)
    period = period_said(document)
    if period and period[0] in years and years[-1] <= period[1]:
        early = [year for year in years if year < period[0]]
        return (early[-1] if early else None), []
    known = _programme(document, table)
    if known is not None:
        return (int(known["baseline"]) if known["baseline"] in years else None), []
    place, text = table.header.place, ", ".join(map(str, table.years))
    return years[0], [Problem("baseline_earliest", document.name, place, text, {"year": years[0]})]


def _programme(document: Document, table: Table) -> Any:
    """The programme of the catalogue that the titles name, or whose years these are; an error where both disagree."""
    programmes = catalogue.programmes()
    texts = "".join([*table.titles, *document.lines[:12]])
    named = [compiled(pattern, "programmes.csv").search(plain(texts)) for pattern in programmes["pattern"]]
    years = set(table.years)
    fits = [years <= set(range(p.baseline, p.last + 1)) for p in programmes.itertuples()]
    both = programmes[[bool(a and b) for a, b in zip(named, fits, strict=True)]]
    if both.empty and any(named):
        text = ", ".join(map(str, table.years))
        raise DataError(Problem("years_unknown", document.name, table.header.place, text))
    found = programmes[fits] if both.empty else both
    return None if found.empty else found.iloc[0]


# --- who a row is -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Printed:
    """A row's cell of the indicator, taken apart."""

    name: str  # as printed, without the marks and numbers beside it
    folded: str  # that, without its unit
    unit: str
    marks: str
    number: int | None


def read_name(text: str) -> _Printed:
    """Take the number, the marks and the unit off the name in a cell.

    >>> read_name("*3.每千人口床位数①(张)")
    _Printed(name='每千人口床位数(张)', folded='每千人口床位数', unit='张', marks='*①', number=3)
    """
    inner, marks = split_marks(text)
    numbered = _NUMBERED.match(inner)
    if numbered:
        inner, more = split_marks(inner[numbered.end() :])
        marks += more
    number = int(numbered[1] or numbered[2]) if numbered else None
    if names.find_indicator(inner):
        return _Printed(inner, names.folded(inner), "", marks, number)
    name, unit = names.split_unit(inner)
    if unit and not names.find_unit(unit) and (len(unit) > _LONGEST_UNIT or not names.find_indicator(name)):
        known = names.find_indicator(split_marks(name)[0])
        name, unit = (name, unit) if known or _looks_like_unit(unit) else (names.normal(inner), "")
    shown, own = inner, ""
    if unit:  # a mark may stand before the unit; it is looked for in what is printed, where ① is no 1 yet
        end = max(inner.rfind("("), inner.rfind("（"))
        bare, own = split_marks(inner[:end])
        shown, name = (bare + inner[end:], names.normal(bare)) if own else (inner, name)
    return _Printed(shown, names.folded(name), unit, marks + own, number)


def _looks_like_unit(text: str) -> bool:
    return len(text) <= _LONGEST_UNIT and bool(
        re.search(r"[%‰/·]|^[万亿千百]|[个人名张家所套户次件平米时元岁天年月辆支项处座对户篇例]$", text)
    )


def _identities(rows: tuple[PrintedRow, ...], file: str, problems: list[Problem]) -> list[dict[str, Any]]:
    """Indicator, number, unit and domain of every row; a name that stands there twice is a problem."""
    known = known_indicators()
    seen: dict[str, tuple[str, str]] = {}
    found = []
    above = ""
    read = [read_name(text) for text in _without_numbers(rows)]
    domains: dict[str, set[str]] = {}
    for row, printed in zip(rows, read, strict=True):
        domains.setdefault(printed.folded, set()).add(row.domain)
    for place, (row, printed) in enumerate(zip(rows, read, strict=True), 1):
        code = names.find_indicator(printed.folded) or names.LOCAL + printed.folded
        if _PART.match(printed.folded):
            code = names.LOCAL + above + printed.folded
        else:
            above = printed.folded
        if len(domains[printed.folded]) > 1 and code.startswith(names.LOCAL):
            code = f"{code}({row.domain})"  # of one name in two domains, nobody knows which one other counties mean
        if code in seen and not code.startswith(names.LOCAL) and seen[code][1] != printed.folded:
            code = names.LOCAL + printed.folded  # two names of one indicator: the first is compared with other counties
        if code in seen:
            first = {"first": seen[code][0]}
            problems.append(Problem("row_twice", file, row.indicator.place, row.indicator.text, first))
        seen.setdefault(code, (row.indicator.place, printed.folded))
        unit = _unit(row.unit.text if row.unit else "") or printed.unit
        number_text, marks = split_marks(row.number.text)
        entry = known.get(code, {"domain": row.domain, "unit": unit})
        found.append(
            {
                "indicator": code,
                "number": _number(number_text) if printed.number is None else printed.number,
                "row": place,
                "name": printed.name,
                "domain": entry["domain"],
                "unit": entry["unit"],
                "printed_unit": unit,
                "marker": _signs(number_text) + marks + printed.marks,
            }
        )
    return found


def _without_numbers(rows: tuple[PrintedRow, ...]) -> list[str]:
    """The cells of the names; where they begin with a running number, as in 22.15分钟生活圈, a comma ends that."""
    texts = [row.indicator.text for row in rows]
    if any(row.number.text for row in rows) or len(texts) < 3:
        return texts
    matches = [_RUNNING.match(text) for text in texts]
    apart, last = list(texts), 0
    for i, (text, match) in enumerate(zip(texts, matches, strict=True)):
        after = matches[i + 1] if i + 1 < len(texts) else None
        if match and int(match[1]) in (last + 1, 1):
            apart[i] = f"{match[1]}、{text[match.end() :]}"
        elif after and int(after[1]) == last + 2 and text.startswith(str(last + 1)):  # 10-3岁儿童 before 2 普惠托位
            apart[i] = f"{last + 1}、{text.removeprefix(str(last + 1))}"
        else:
            continue
        last = int(apart[i].partition("、")[0])
    return apart if 5 * sum(map(str.__ne__, apart, texts)) >= 4 * len(texts) else texts


def _unit(text: str) -> str:
    """A unit in a column of its own; a dash there is none."""
    unit = names.normal(text).removeprefix("(").removesuffix(")") if text.count("(") + text.count("（") == 1 else text
    unit = names.normal(unit)
    return "" if re.fullmatch(r"[-—–/\\]*", unit) else unit


def _number(text: str) -> int | None:
    printed = plain(text)
    digits = re.search(r"\d{1,3}", printed)
    numeral = printed.strip("()、.")
    return int(digits[0]) if digits else _CHINESE_NUMERALS.get(numeral)


def _signs(text: str) -> str:
    """The signs around a printed number that are no brackets or stops."""
    return re.sub(r"[\w\s().（）、,，．]", "", text)


@cache
def known_indicators() -> dict[str, dict[str, Any]]:
    """Give the indicators of the catalogue by code, as plain dictionaries."""
    table = catalogue.indicators()
    return dict(zip(table["code"], table.to_dict(orient="records"), strict=True))


# --- what its cells mean ----------------------------------------------------------------------------------


def _cells(
    row: PrintedRow, table: Table, entry: dict[str, Any], baseline: int | None, file: str
) -> list[dict[str, Any]]:
    cells = []
    spread: tuple[str, str] | None = None
    for year, cell in zip(table.years, row.values, strict=True):
        text, place = cell.text, cell.place
        if spread and not text:
            text, place = spread  # a merged cell: its text stands for the years it covers
        corrected, reason = _corrected(entry, year, text, file, place)
        read = parse_cell(corrected)
        spread = (text, place) if read.kind == "reference" else None
        role = "baseline" if year == baseline else "target"
        cells.append(
            {"year": year, "role": role, "raw": text, "locator": place, "correction": reason} | measured(read, entry)
        )
    return cells


def _corrected(entry: dict[str, Any], year: int, text: str, file: str, place: str) -> tuple[str, str]:
    """The text to read instead of the printed one, and why, where an accepted correction says so."""
    correction = _accepted_corrections().get((entry["region"], entry["indicator"], str(year)))
    if correction is None:
        return text, ""
    if correction["expect"] != text:
        raise DataError(Problem("correction_stale", file, place, text, {"expect": correction["expect"]}))
    return correction["corrected"], correction["reason"]


@cache
def _accepted_corrections() -> dict[tuple[str, str, str], dict[str, str]]:
    accepted = catalogue.corrections().query("status == 'accepted'").to_dict(orient="records")
    return {(row["region"], row["indicator"], row["year"]): row for row in accepted}


def measured(read: CellValue, entry: dict[str, Any]) -> dict[str, Any]:
    """Kind, operator and numbers of a cell, converted to the canonical unit where the units agree.

    The value of a range is the end that is committed: the upper one where lower is better, else the lower one.
    """
    unit = read.unit or entry["printed_unit"]
    if read.unit in ("万", "亿"):
        unit = read.unit + entry["printed_unit"].removeprefix(read.unit)
    factor = _factor(unit, entry)
    lower_is_better = known_indicators().get(entry["indicator"], {}).get("direction") == -1
    number = read.high if read.kind == "range" and lower_is_better else read.number

    def converted(printed: Decimal | None) -> float | None:
        return float(printed * factor) if printed is not None and factor is not None else None

    return {
        "kind": read.kind,
        "operator": read.operator,
        "value": converted(number),
        "value_low": converted(read.number) if read.kind == "range" else None,
        "value_high": converted(read.high),
        "published_value": None if number is None else float(number),
        "published_unit": unit,
        "resolution": converted(None if number is None else Decimal(1).scaleb(int(number.as_tuple().exponent))),
        "state": read.state,
    }


def _factor(unit: str, entry: dict[str, Any]) -> Decimal | None:
    """How many of the row's units one printed unit is; ``None`` where nobody can tell."""
    if not entry["indicator"].startswith(names.LOCAL):
        return names.conversion(unit, entry["unit"])
    own = entry["unit"]
    if unit == own or not own:
        return Decimal(1)
    if names.find_unit(unit) and names.find_unit(own):
        return names.conversion(unit, own)
    scale = {"万" + own: 10_000, "亿" + own: 100_000_000}.get(unit)
    return Decimal(scale) if scale else None


def _meanings(table: Table) -> dict[str, str]:
    """What each mark means: as the footnote says, else as ``markers.csv`` does."""
    known = catalogue.markers()
    meanings = dict(zip(known["marker"], known["meaning"], strict=True))
    for note in table.footnotes:
        for clause in re.split(r"[;；。，,]", plain(note)):
            mark = _MARK.search(clause)
            meaning = known.loc[[word in clause for word in known["word"]], "meaning"]
            if mark and len(meaning) == 1:
                meanings[mark[1]] = meaning.item()
    return meanings
