"""The names of the seven domains."""

from __future__ import annotations

from qyx_analysis import catalogue
from qyx_analysis.problems import DataError, Problem


def find_domain(given: str) -> str:
    """Give the Chinese name of a domain stated by its Chinese or English name.

    Raises DataError when there is no such domain; the error lists them.

    >>> find_domain("Childcare"), find_domain("health care")
    ('幼有善育', '病有良医')
    """
    known = catalogue.domains()
    text = str(given).strip()
    match = known.loc[(known["domain"] == text) | (known["name_en"].str.lower() == text.lower()), "domain"]
    if match.empty:
        listed = "、".join(f"{row.domain} {row.name_en}" for row in known.itertuples())
        raise DataError(Problem("domain_unknown", "domain", text=text, values={"known": listed}))
    return match.item()
