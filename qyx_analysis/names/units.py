"""Printed units -> what they count, and how they convert."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import NamedTuple

from qyx_analysis import catalogue
from qyx_analysis.cells import normal


class Unit(NamedTuple):
    """A printed unit: what it counts, and how many base units it is."""

    dimension: str
    factor: Decimal
    assumed_when_absent: bool


@cache
def _units() -> dict[str, Unit]:
    return {
        normal(row.unit): Unit(row.dimension, Decimal(str(row.factor)), row.assumed_when_absent)
        for row in catalogue.units().itertuples()
    }


def find_unit(printed: str) -> Unit | None:
    """Look a printed unit up in ``units.csv``.

    >>> find_unit("万人").dimension
    'people'
    """
    return _units().get(normal(printed))


def conversion(printed: str, canonical: str) -> Decimal | None:
    """Say how many canonical units one printed unit is; ``None`` when they do not measure the same thing.

    An absent unit is read as the canonical one only where ``units.csv`` says that no other is usual.

    >>> conversion("人", "万人")
    Decimal('0.0001')
    >>> conversion("岁", "%") is None
    True
    """
    target = _units()[normal(canonical)]
    source = find_unit(printed) if printed else (target if target.assumed_when_absent else None)
    if source is None or source.dimension != target.dimension:
        return None
    return source.factor / target.factor
