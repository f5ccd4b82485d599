"""A frame of the library as an analyst reads it in a notebook: words, units, bounds and the source of every row."""

from __future__ import annotations

from functools import cache
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.catalogue import message
from qyx_analysis.catalogue.wording import number_text, place_text
from qyx_analysis.export.workbook import column_heads
from qyx_analysis.names import domain_name, indicator_name, judgement_names, measure_words
from qyx_analysis.problems import DataError, Problem, visible

_TOLD_BY = {  # columns that another one tells too, where both are there
    "actual_operator": "actual_raw",
    **dict.fromkeys(("region_name", "level"), "region"),
    **dict.fromkeys(("name", "number", "row"), "indicator"),
    **dict.fromkeys(("kind", "published_value", "published_unit", "resolution", "core", "observational"), "raw"),
    **dict.fromkeys(("value_low", "value_high", "meant"), "raw"),
    **dict.fromkeys(("operator", "unit", "lo", "hi"), "value"),
    **dict.fromkeys(("document", "locator", "section", "char_start", "char_end"), "document"),  # the last column
    **dict.fromkeys(("file", "sha256"), "document"),
    **dict.fromkeys(("baseline", "county_operator", "county_value", "county_year"), "county_printed"),
    **dict.fromkeys(("city_operator", "city_value"), "city_printed"),
    "message_zh": "message_en",  # only one of the two is for the reader
    "message_en": "message_zh",
}
_PRINTED = ("raw", "text_value", "value")  # what says on hovering where it is printed
_REGIONS = ("region", "city", "scope", "group")
_WORDS = {"status": "fig_status", "severity": "severity", "verdict": "verdict", "role": "role"}
_WORDS_OF = {"alignment": {"state": "align_state", "reason": "align_reason"}}
_MEASURED = ("change", "addition", "mean", "sd", "range")
_SIGNS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_DIGITS, _PRINTED_DIGITS = 4, 6  # of a result, and of a number that a plan prints; the opened row has all


def show(frame: pd.DataFrame, lang: str = "zh") -> None:
    """Display a frame in words: names for codes, values with bound and unit, and where each row is printed.

    Parameters
    ----------
    frame : DataFrame
        Any frame of the library, whole or filtered: targets, measures, findings, prose, actual values. A column that
        is not the library's is shown as it is.
    lang : str
        ``zh`` or ``en``.

    Raises
    ------
    DataError
        For another language.

    How to read it: a header names its column in words and, in grey, as ``query`` calls it; rest on it to read more.
    A value has its bound, its unit and, in brackets, what rounding and bounds allow. The last cell says where the row
    is printed and opens to the whole row as it is in the frame. Empty columns are left out, and of a long frame the
    rows after ``pd.options.display.max_rows``. A terminal prints the frame.

    >>> from qyx_analysis.tidy.reading import read_plans
    >>> from qyx_analysis.files import raw_dir
    >>> targets = read_plans([raw_dir() / "fenghua.txt"]).targets
    >>> html = frame_html(targets.query("indicator == 'care_workers' and year == 2027"), "en")
    >>> "≥32 per 10" in html, "fenghua, line 140" in html
    (True, True)
    """
    from IPython.display import display

    page = frame_html(frame, lang)
    plain = pd.DataFrame(frame).to_string(max_rows=pd.get_option("display.max_rows"))  # asks no terminal for its width
    display({"text/html": page, "text/plain": plain}, raw=True)


def frame_html(frame: pd.DataFrame, lang: str = "zh") -> str:
    """Render what :func:`show` displays: all text is escaped, and what cannot be seen is marked."""
    if lang not in ("zh", "en"):
        raise DataError(Problem("lang_unknown", "lang", text=str(lang)))
    frame = _plain(frame)
    rows = frame.head(pd.get_option("display.max_rows") or len(frame))
    resource = _resource(rows)
    columns = [name for name in rows if _is_shown(name, rows, lang)]
    cells = {name: _cells(name, rows, resource, lang) for name in columns}
    side = {name: "right" if pd.api.types.is_numeric_dtype(rows[name]) else "left" for name in columns}
    places = _places(rows, lang)
    head = "".join(_head(name, resource, side[name], lang) for name in columns)
    head += f'<th style="text-align:left">{message("show_row", lang)}</th>'
    body = ""
    for at, row in enumerate(rows.astype(object).itertuples(index=False, name=None)):
        whole = dict(zip(rows, row, strict=True))
        texts = (_cell(cells[name][at], _hint(name, whole, places[at], lang), side[name]) for name in columns)
        body += f"<tr>{''.join(texts)}{_whole(whole, places[at], lang)}</tr>"
    count = message("show_rows" if len(rows) == len(frame) else "show_first", lang, shown=len(rows), n=len(frame))
    caption = f'<caption style="text-align:left">{count}</caption>'
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with one row of different names above it and nothing that matters in its index."""
    plain = pd.DataFrame(frame)
    if any(name is not None for name in plain.index.names):
        plain = plain.reset_index()
    names = [" ".join(map(str, name)).strip() if isinstance(name, tuple) else str(name) for name in plain.columns]
    again = pd.Series(names, dtype=object).groupby(names).cumcount() if names else []
    return plain.set_axis([f"{name} ({n + 1})" if n else name for name, n in zip(names, again, strict=True)], axis=1)


def _resource(frame: pd.DataFrame) -> str:
    """The table of a build that has most of these columns, the smallest of several."""
    fields = catalogue.fields().groupby("resource", sort=False)["name"].agg(set)
    common = fields.map(lambda names: (len(names & set(frame)), -len(names)))
    best = common.map(lambda found: found[0]).max()
    return str(common.idxmax()) if best > len(frame.columns) / 2 else ""


def _is_shown(name: str, frame: pd.DataFrame, lang: str) -> bool:
    if name in (f"message_{lang}", "value"):
        return True
    if name == "operator" and "target_raw" in frame:
        return False
    empty = all(_text(value) == "" for value in frame[name])
    return _TOLD_BY.get(name) not in frame and not (empty and len(frame))


# --- a column ---------------------------------------------------------------------------------------------


def _head(name: str, resource: str, side: str, lang: str) -> str:
    """The name of a column in words, and below it the one that ``query`` wants; of a joined table, its own words."""
    known = catalogue.fields().query("name == @name").set_index("resource")[f"description_{lang}"]
    table = resource if resource in known else next(iter(known.index), "")
    words = column_heads(table, lang)[name] if table else ""
    if name == f"message_{lang}":
        words = message("tab_message", lang)
    elif name in ("region", "indicator"):
        words = message("sheet_region" if name == "region" else "tab_indicator", lang)
    code = f'<code style="opacity:.6;font-weight:normal">{escape(visible(name))}</code>'
    return f'<th title="{escape(known.get(table, ""))}" style="text-align:{side}">{escape(words)}<br>{code}</th>'


def _cells(name: str, frame: pd.DataFrame, resource: str, lang: str) -> list[str]:
    """One column as texts."""
    values = frame[name]
    if name == "indicator":
        return [indicator_name(code, lang) if isinstance(code, str) else "" for code in values]
    if name == "value":
        own = frame.drop(columns=["lo", "hi"] if "meant" in frame else [], errors="ignore")  # of a cell, not a result
        told = own.reindex(columns=["operator", "value", "lo", "hi"]).astype(object)
        return list(map(_amount, *(told[column] for column in told), _units(frame, lang)))
    if name in _REGIONS:
        values = values.map(lambda code: _region_names(lang).get(code, code))
    elif name == "domain":
        values = values.map(lambda domain: domain_name(domain, lang))
    elif name == "measure":
        values = values.map(lambda code: measure_words(code, lang)[0] if isinstance(code, str) else code)
    elif name.endswith("_place"):
        values = values.map(lambda place: place_text(place, "", lang))
    else:
        prefix = (_WORDS | _WORDS_OF.get(resource, {})).get(name, "")
        values = values.map(lambda code: _word(prefix, code, lang))
    return [_text(value) for value in values]


@cache
def _region_names(lang: str) -> dict[str, str]:
    return catalogue.regions().set_index("code")[f"name_{lang}"].to_dict()


def _word(prefix: str, code: Any, lang: str) -> Any:
    """A code in a few words, where there are any for it."""
    if not prefix or not isinstance(code, str):
        return code
    try:
        return message(f"{prefix}_{code}", lang)
    except KeyError:
        return judgement_names(lang).get(code, code)


def _amount(operator: Any, value: Any, low: Any, high: Any, unit: str) -> str:
    """``≥32 人``, or a result with what rounding and bounds allow."""
    sign = _text(operator)
    text, ends = _text(value, _PRINTED_DIGITS if sign else _DIGITS), [_text(low), _text(high)]
    if all(ends) and ends[0] != ends[1]:
        text += f" [{', '.join(ends)}]"
    return f"{_SIGNS.get(sign, '')}{text} {unit}".strip() if text else ""


def _units(frame: pd.DataFrame, lang: str) -> pd.Series:
    """The unit of each value: the one that the frame gives, or that of the indicator where a measure is in it."""
    known = catalogue.indicators().set_index("code")["unit" if lang == "zh" else "unit_en"]
    told = frame.reindex(columns=["unit", "indicator", "measure"]).astype(object).fillna("")
    canonical = told["indicator"].map(known).fillna("")
    measure = told["measure"].astype(str).str.replace(r"_\d{4}$", "", regex=True)  # addition_2024
    points = canonical.where((canonical != "%") | (measure == "mean"), message("show_points", lang))
    translated = told["unit"].where((told["unit"] == "") | (canonical == "") | (lang == "zh"), canonical)
    return translated.where(~measure.isin(_MEASURED), points)


def _text(value: Any, digits: int = _DIGITS) -> str:
    if not pd.api.types.is_scalar(value):
        return str(value)
    if isinstance(value, bool | np.bool_):
        return "✓" if value else ""
    if pd.isna(value):
        return ""
    if isinstance(value, float) and np.isfinite(value) and value:
        return number_text(value, max(2, digits - 1 - int(np.floor(np.log10(abs(value))))))
    return number_text(value) if isinstance(value, float) else str(value)


# --- a row ------------------------------------------------------------------------------------------------


def _places(frame: pd.DataFrame, lang: str) -> list[str]:
    """Where each row is printed; empty where the frame does not say."""
    told = frame.reindex(columns=["document", "locator", "section", "char_start"]).astype(object).map(_text)
    return [
        place_text(document, locator or ", ".join(filter(None, (section, start and f"character {start}"))), lang)
        for document, locator, section, start in told.itertuples(index=False, name=None)
    ]


def _hint(name: str, row: dict[str, Any], place: str, lang: str) -> str:
    """What resting on a cell says: where it is printed, or what is behind the words."""
    if name in _PRINTED and place:
        printed = _text(row.get("raw", row.get("text_value")))
        return f"{place}: “{printed}”" if printed else place
    return _meaning(name, row[name], lang) or (row[name] if isinstance(row[name], str) else "")


def _meaning(name: str, codes: Any, lang: str) -> str:
    """How a measure is read; what statuses and flags mean, in full."""
    if name == "measure" and isinstance(codes, str):
        return measure_words(codes, lang)[1]
    known = _meanings(lang).get(name, {}) if isinstance(codes, str) else {}
    return message("say_semicolon", lang).join(known[code] for code in str(codes).split(";") if code in known)


@cache
def _meanings(lang: str) -> dict[str, dict[str, str]]:
    """Of two columns what their codes mean."""
    known = [
        table.set_index(table.columns[0])[f"meaning_{lang}"].to_dict()
        for table in (catalogue.statuses(), catalogue.judgements(), catalogue.flags())
    ]
    return {"status": known[1] | known[0], "flags": known[2]}


def _cell(text: str, hint: str, side: str) -> str:
    title = f' title="{escape(visible(hint))}"' if hint and hint != text else ""
    wrap = ";white-space:nowrap" if side == "right" else ""
    return f'<td{title} style="text-align:{side};vertical-align:baseline{wrap}">{escape(visible(text))}</td>'


def _whole(row: dict[str, Any], place: str, lang: str) -> str:
    """The place of a row, which opens to all its columns as ``query`` sees them: nothing needs a mouse."""
    lines = (
        f"<code>{escape(visible(name))}</code> {escape(visible(_exact(value)))} {escape(_meaning(name, value, lang))}"
        for name, value in row.items()
    )
    summary = f'<summary style="white-space:nowrap">{escape(visible(place)) or message("show_all", lang)}</summary>'
    return f'<td style="text-align:left;vertical-align:baseline"><details>{summary}{"<br>".join(lines)}</details></td>'


def _exact(value: Any) -> str:
    """A value as Python writes it, so that it can be copied into ``query``."""
    return "—" if pd.api.types.is_scalar(value) and pd.isna(value) else repr(value)
