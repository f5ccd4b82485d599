"""Printed names -> codes: indicators, units, regions and domains. Exactly or through an alias, never by guessing.

``indicators`` finds the code of a printed name, ``listing`` says which indicators there are and in which order,
``unknown`` helps with names that the catalogue does not have; ``units``, ``regions`` and ``domains`` are what they say.
"""

from qyx_analysis.catalogue import LOCAL
from qyx_analysis.catalogue.wording import (
    domain_name,
    indicator_name,
    judgement_names,
    measure_words,
    region_name,
    value_unit,
)
from qyx_analysis.cells import normal
from qyx_analysis.names.domains import find_domain
from qyx_analysis.names.indicators import alias_note, find_indicator, folded, is_indicator, split_unit
from qyx_analysis.names.listing import describe_indicator, in_order, indicators_of, indicators_shown
from qyx_analysis.names.regions import (
    find_region,
    region_level,
    region_of_text,
    region_parent,
    region_slug,
    regions_in_group,
)
from qyx_analysis.names.units import Unit, conversion, find_unit
from qyx_analysis.names.unknown import INDICATOR_COLUMNS, closest_indicator, unknown_names

__all__ = [
    "INDICATOR_COLUMNS",
    "LOCAL",
    "Unit",
    "alias_note",
    "closest_indicator",
    "conversion",
    "describe_indicator",
    "domain_name",
    "find_domain",
    "find_indicator",
    "find_region",
    "find_unit",
    "folded",
    "in_order",
    "indicator_name",
    "indicators_of",
    "indicators_shown",
    "is_indicator",
    "judgement_names",
    "measure_words",
    "normal",
    "region_level",
    "region_name",
    "region_of_text",
    "region_parent",
    "region_slug",
    "regions_in_group",
    "split_unit",
    "unknown_names",
    "value_unit",
]
