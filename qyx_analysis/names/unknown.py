"""Names that the catalogue does not have: what they resemble, and the lines that would make them known."""

from __future__ import annotations

import csv
import difflib
import re
from io import StringIO
from typing import Any

import pandas as pd

from qyx_analysis.catalogue import LOCAL
from qyx_analysis.names.indicators import folded, known_names
from qyx_analysis.names.listing import describe_indicator

INDICATOR_COLUMNS = ("code", "name_zh", "domain", "unit", "direction", "nature", "scale", "lower", "upper")
_COLUMNS = (
    *("name", "unit", "domain", "counties", "regions", "closest", "code", "similarity"),
    *("alias_line", "indicator_line"),
)
_ALIKE = 0.5  # similarity from which on a name is shown as the closest


def unknown_names(targets: pd.DataFrame) -> pd.DataFrame:
    """List the printed names that the catalogue does not have, each with the lines that would make it known.

    Parameters
    ----------
    targets : DataFrame
        As :func:`qyx_analysis.load_targets` gives it.

    Returns
    -------
    DataFrame
        One row per name and unit: ``name, unit, domain, counties`` (how many print it), ``regions``, ``closest`` (the
        most similar known name), ``code`` (its), ``similarity`` (0 to 1), ``alias_line`` for ``aliases.csv`` and
        ``indicator_line`` for ``indicators.csv`` of ``data/catalogue``; the direction is left for the person. Those
        that most places print come first. Nothing is merged without such a line.

    Examples
    --------
    >>> frame = pd.DataFrame({"region": ["330225"], "region_name": ["象山县"], "indicator": ["local:每千人拥有托位数"],
    ...     "name": ["每千人拥有托位数(个)"], "unit": ["个"], "domain": ["幼有善育"]})
    >>> unknown_names(frame)[["closest", "alias_line"]].values.tolist()
    [['每千人口拥有3岁以下婴幼儿托位数', '每千人拥有托位数,nursery_places']]
    """
    own = targets[targets["indicator"].str.startswith(LOCAL)].drop_duplicates(["region", "indicator", "unit"])
    rows = [_unknown_name(found) for _, found in own.groupby(["indicator", "unit"], sort=False)]
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    return table.sort_values(["counties", "similarity"], ascending=False, kind="stable", ignore_index=True)


def _unknown_name(found: pd.DataFrame) -> dict[str, Any]:
    first = found.iloc[0]
    name = first["indicator"].removeprefix(LOCAL)
    closest, similarity = _closest(name)
    code = known_names().get(closest, "")
    return {
        "name": name,
        "unit": first["unit"],
        "domain": first["domain"],
        "counties": found["region"].nunique(),
        "regions": "、".join(found["region_name"].unique()),
        "closest": closest,
        "code": code,
        "similarity": round(similarity, 2),
        "alias_line": _csv_line([_literal(name), code]) if code else "",
        "indicator_line": _indicator_line(name, first["unit"], first["domain"]),
    }


def _indicator_line(name: str, unit: str, domain: str) -> str:
    told = describe_indicator(name, unit)
    limits = ["" if told[end] != told[end] else f"{told[end]:.0f}" for end in ("lower", "upper")]
    return _csv_line([f"own_{name}", name, domain, unit, "", told["nature"], told["scale"], *limits])


def _literal(name: str) -> str:
    """A name as a pattern of ``aliases.csv`` that matches nothing but itself."""
    return re.sub(r"([\\^$.|?*+(){}\[\]])", r"\\\1", name)


def _csv_line(cells: list[object]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def closest_indicator(name: str) -> str:
    """Give the most similar known name, to be shown in an error; it is never used as a match."""
    return _closest(folded(name))[0]


def _closest(name: str) -> tuple[str, float]:
    ranked = ((difflib.SequenceMatcher(None, name, known).ratio(), known) for known in known_names())
    similarity, known = max(ranked, default=(0.0, ""))
    return (known, similarity) if similarity >= _ALIKE else ("", 0.0)
