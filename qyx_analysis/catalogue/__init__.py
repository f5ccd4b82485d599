"""The catalogue: what the plans are about, as CSV files that people may edit.

Every table of this folder is one function here that returns a fresh, typed, plain frame. Nothing else of
the package is imported: the catalogue is the start of the line. An analyst's own lines stand in CSV files of the same
names and columns in ``data/catalogue`` of the project, and are read after ours.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from io import StringIO
from pathlib import Path

import pandas as pd

LOCAL = "local:"  # prefix of the code of a row that the catalogue does not have: its folded name follows
_NUMBERS = ("lower", "upper", "best", "factor", "state", "direction")
_INTEGERS = ("order",)
_NULLABLE = ("number", "baseline", "first", "last")
_BOOLEANS = ("full_is_best", "assumed_when_absent")
# The tables that people may add lines to, the column that names a line, and those that a line must fill.
OWN = {
    "indicators": ("code", ("code", "name_zh", "unit")),
    "aliases": ("alias", ("alias", "code")),
    "units": ("unit", ("unit", "dimension", "factor")),
    "words": ("pattern", ("pattern", "kind")),
    "bounds": ("text", ("text", "operator", "position")),
    "headers": ("pattern", ("pattern", "role")),
    "markers": ("marker", ("marker", "meaning")),
    "domain_aliases": ("alias", ("alias",)),
    "programmes": ("programme", ("programme", "pattern", "baseline", "first", "last")),
    "corrections": ("expect", ("region", "indicator", "year", "expect", "corrected", "reason", "status")),
}
_INDICATOR_DEFAULTS = {"nature": "level", "scale": "ratio", "full_is_best": "false"}


class CatalogueError(ValueError):
    """A line of an analyst's own catalogue that cannot be used: file, place, text, reason and fix in one line."""

    def __init__(self, key: str, file: object, place: str = "", text: str = "", **values: object) -> None:
        where = f"{file}: {place}" if place else str(file)
        said = " / ".join(message(key, lang, **values) for lang in ("zh", "en"))
        super().__init__(f"{where}: “{text}”: {said}" if text else f"{where}: {said}")


def project_dir() -> Path:
    """The project's folder: that of an editable install, else the nearest one around the working directory."""
    here = Path(__file__).resolve().parents[2]
    around = [here, Path.cwd(), *Path.cwd().parents]
    return next((folder for folder in around if (folder / "notebooks").is_dir()), Path.cwd())


def own_dir() -> Path:
    """The folder of an analyst's own lines of the catalogue: ``data/catalogue`` of the project."""
    return project_dir() / "data" / "catalogue"


@cache
def _table(name: str) -> pd.DataFrame:
    """One table of the catalogue, an analyst's own lines after ours."""
    text = files(__name__).joinpath(f"{name}.csv").read_text(encoding="utf-8-sig")
    ours = pd.read_csv(StringIO(text), dtype=str, keep_default_na=False)
    own = _own_lines(name, ours) if name in OWN else ours.iloc[:0]
    try:
        return _typed(pd.concat([ours, own], ignore_index=True))
    except (ValueError, TypeError) as error:
        raise CatalogueError("own_line_type", own_dir() / f"{name}.csv", reason=error) from error


def _own_lines(name: str, ours: pd.DataFrame) -> pd.DataFrame:
    """The lines of ``data/catalogue/NAME.csv`` that say something new; one that contradicts ours is an error."""
    path = own_dir() / f"{name}.csv"
    key, needed = OWN[name]
    known = ours.set_index(key, drop=False)
    fresh = []
    for number, line in _read_lines(path, needed):
        wanted = {column: line.get(column, "") for column in ours.columns}
        if name == "indicators":
            names = dict.fromkeys(("name_en", "short_zh", "short_en", "comparability"), wanted["name_zh"])
            defaults = names | _INDICATOR_DEFAULTS | {"unit_en": wanted["unit"], "comparability": wanted["code"]}
            wanted = {column: text or defaults.get(column, "") for column, text in wanted.items()}
        if wanted[key] in known.index and name != "corrections":
            same = known.loc[[wanted[key]]].iloc[0]
            if any(line.get(column) not in (None, "", same[column]) for column in ours.columns):
                raise CatalogueError("own_line_contradicts", path, f"line {number}", wanted[key])
            continue
        fresh.append(wanted)
    return pd.DataFrame(fresh, columns=ours.columns, dtype=str)


def _read_lines(path: Path, needed: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """The lines of a CSV file as people save it: UTF-8 or GB18030, with commas, semicolons or tabs."""
    if not path.is_file():
        return []
    data = path.read_bytes()
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", errors="replace")
    if not text.strip():
        return []
    head = text.splitlines()[0]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator)
    columns = [column.strip() for column in next(reader, [])]
    lacking = [column for column in needed if column not in columns]
    if lacking:
        raise CatalogueError("own_columns", path, "line 1", ", ".join(lacking))
    lines = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        line = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
        blank = [column for column in needed if not line.get(column)]
        if blank or len(cells) > len(columns):
            raise CatalogueError("own_line_short", path, f"line {reader.line_num}", separator.join(cells))
        lines.append((reader.line_num, line))
    return lines


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    for column in frame.columns.intersection(_NUMBERS):
        frame[column] = pd.to_numeric(frame[column], errors="raise").astype(float)
    for column in frame.columns.intersection(_INTEGERS):
        frame[column] = frame[column].astype(int)
    for column in frame.columns.intersection(_NULLABLE):
        frame[column] = pd.to_numeric(frame[column], errors="raise").astype("Int64")
    for column in frame.columns.intersection(_BOOLEANS):
        frame[column] = frame[column].str.lower().map({"true": True, "false": False}).astype(bool)
    return frame


def _public(name: str, doc: str) -> Callable[[], pd.DataFrame]:
    def table() -> pd.DataFrame:
        return _table(name).copy()

    table.__name__ = table.__qualname__ = name
    table.__doc__ = doc
    return table


indicators = _public(
    "indicators",
    """The indicators of the plans, one row each: a copy of ``indicators.csv``.

    Columns: ``code``, ``number`` (our order of the 21 common ones; 7 is shared by two definitions), names and short
    names in Chinese and English, ``domain``, canonical ``unit``, ``direction`` (+1 higher is better, -1 lower,
    0 neither, NaN unknown), ``nature`` (level, cumulative, state), ``scale`` (share, gross_ratio, ratio, count, state),
    logical limits ``lower`` and ``upper``, the declared ``best`` (NaN: none), ``full_is_best`` (全覆盖 means
    100), ``comparability`` group, ``definition``, ``source``.

    >>> table = indicators()
    >>> table.loc[table["number"] == 7, "code"].tolist()
    ['unemployment_registered', 'unemployment_surveyed']
    """,
)
regions = _public(
    "regions",
    """The 90 county-level divisions, 11 cities and the province, as valid in 2023 (GB/T 2260 codes).

    Columns: ``code``, ``name_zh``, ``name_en``, ``level`` (province, city, county), ``kind``, ``parent``,
    ``groups`` (separated by ``;``).

    >>> table = regions()
    >>> table.loc[table["name_zh"] == "奉化区", "code"].item()
    '330213'
    """,
)
region_aliases = _public("region_aliases", "Abolished codes and former names of regions, with their dates.")
domains = _public(
    "domains",
    """The seven domains in the order of the plans: ``domain`` (Chinese), ``name_en``, ``order``.

    >>> len(domains())
    7
    """,
)
aliases = _public(
    "aliases",
    "Other printed names of an indicator: ``alias``, ``code`` and a note where the wording matters.",
)
units = _public("units", "Printed units: ``unit``, ``dimension``, ``factor``, ``assumed_when_absent``.")
words = _public("words", "What a cell of words means: ``pattern``, ``kind``, ``operator``, ``state``.")
bounds = _public("bounds", "Signs and words that make a number a bound: ``text``, ``operator``, ``position``.")
prose_words = _public("prose_words", "Words of sentences: ``text``, ``role``, ``value`` and a note.")
prose_links = _public("prose_links", "How sentences call an indicator: ``pattern`` of the metric and ``code``.")
governance_words = _public("governance_words", "Words of governance: ``pattern``, ``role``, ``value`` and a note.")
concepts = _public(
    "concepts",
    "How far a city's target speaks of what a county plans: metric ``pattern``, ``code``, ``grade``, ``reason``.",
)
domain_aliases = _public(
    "domain_aliases", "Domains of other plans: ``alias``, the ``domain`` it is (or none), ``name_en``."
)
headers = _public("headers", "What a header cell means: ``pattern``, ``role``.")
programmes = _public(
    "programmes",
    "Programmes of plans: ``pattern`` of a title, ``baseline`` year, and ``first`` and ``last`` target year.",
)
markers = _public("markers", "Marks beside a row's number: ``marker``, ``meaning``, ``word``.")
corrections = _public("corrections", "Manual corrections, each with an ``expect`` guard, a reason and a status.")
fields = _public("fields", "Every column of every table we write: resource, field, type, description.")
statuses = _public(
    "statuses",
    "Statuses of a measure: the closed list, in order of precedence, and what each may say.",
)
judgements = _public("judgements", "What monitoring can say of an actual value, and why it says nothing.")
form = _public("form", "The columns of a form of actual values: how they are headed and what goes into them.")
measures = _public(
    "measures",
    "What a measure is called and how it is read; in its code ``*`` is a year, in its name ``{}`` that year.",
)
flags = _public("flags", "The closed list of flags of a measure.")
rules = _public("rules", "What a finding on targets can be about: each ``case`` with its ``rule`` and ``severity``.")

# Table Schema's types in fields.csv -> those of pandas.
_DTYPES = {"integer": "Int64", "number": "float64", "boolean": "bool", "string": "str"}


def dtypes(resource: str) -> dict[str, str]:
    """The columns of a table that a build writes, in their order, with the pandas types that ``fields.csv`` declares.

    >>> list(dtypes("findings").items())[2]
    ('number', 'Int64')
    """
    declared = _table("fields").query("resource == @resource")
    return {name: _DTYPES[kind] for name, kind in zip(declared["name"], declared["type"], strict=True)}


@cache
def statuses_for(kind: str) -> tuple[str, ...]:
    """The statuses under which a sentence of one kind may be said, in order of precedence.

    ``kind``, as in the column ``may_say`` of ``statuses.csv``: ``timing`` of a planned path, ``change`` against the
    baseline, ``spread`` (which way it goes) and ``open_spread`` (why that is not said), or ``verdict``, which is said
    with the share of the specifications that agree. Raises KeyError for another kind.

    >>> statuses_for("timing"), statuses_for("spread")
    (('ok',), ('converging', 'diverging'))
    """
    table = _table("statuses")
    said = tuple(table.loc[[kind in kinds.split(";") for kinds in table["may_say"]], "status"])
    if not said:
        raise KeyError(kind)
    return said


@cache
def _messages() -> dict[str, dict[str, str]]:
    return _table("messages").set_index("key").to_dict(orient="index")


def message(key: str, lang: str, **values: object) -> str:
    """Give one text of ``messages.csv`` in ``lang`` (``zh`` or ``en``), its fields filled in.

    >>> message("domain", "en")
    'Domain'
    """
    return _messages()[key][lang].format(**values)
