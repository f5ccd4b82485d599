"""One cell's text -> kind, operator and number. What cannot be read is ``unreadable``, never a guess."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from qyx_analysis import catalogue
from qyx_analysis.problems import compiled

_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_SAME = str.maketrans({"≧": "≥", "≦": "≤", "⩾": "≥", "⩽": "≤", "‹": "<", "›": ">", "〈": "<", "〉": ">", "∕": "/"})
_DASHES = re.compile(r"[‐‑‒–—―−─一]+")  # the last is the numeral one, typed for a dash in a cell of its own
_TWO_NUMBERS = re.compile(r"[\d.,][ \t\u3000]+[\d.,]")  # a no-break space, by contrast, is inside one number
_MAX_DIGITS = 15  # what a float keeps exactly
_BOUND = {"<": "upper_bound", "<=": "upper_bound", ">": "lower_bound", ">=": "lower_bound", "=": "point"}


@dataclass(frozen=True)
class CellValue:
    """What one cell says.

    ``kind`` is point, lower_bound, upper_bound, full_coverage, status, missing, reference or unreadable;
    ``operator`` is empty or one of ``= < <= > >=``; ``number`` and ``unit`` are as printed; ``state`` is 100
    (passed) or 0 (not passed) for words of an ordered state.
    """

    kind: str
    operator: str = ""
    number: Decimal | None = None
    unit: str = ""
    state: float | None = None


def normal(text: str) -> str:
    """Fold typography: full-width forms, look-alike signs, and every space.

    >>> normal("＜ 3．5％"), normal("≧３２")
    ('<3.5%', '≥32')
    """
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text.translate(_SAME)))


def parse_cell(text: str) -> CellValue:
    """Read one cell of the table.

    >>> parse_cell("≥32")
    CellValue(kind='lower_bound', operator='>=', number=Decimal('32'), unit='', state=None)
    >>> parse_cell("全覆盖").kind, parse_cell("/").kind, parse_cell("3-5").kind
    ('full_coverage', 'missing', 'unreadable')
    """
    printed = normal(text)
    if not printed or _DASHES.fullmatch(printed):
        return CellValue("missing")
    number = None if _TWO_NUMBERS.search(text) or _has_raised_digits(text) else _as_number(printed)
    return _as_words(printed) or number or CellValue("unreadable")


def _has_raised_digits(text: str) -> bool:
    """A footnote mark such as ² or ① would fold into a digit of the number: 82² is not 822."""
    return any(unicodedata.decomposition(c).startswith(("<super>", "<sub>", "<circle>", "<fraction>")) for c in text)


def _as_words(printed: str) -> CellValue | None:
    for pattern, kind, state in _word_patterns():
        if pattern.fullmatch(printed):
            return CellValue(kind, state=state)
    return None


def _as_number(printed: str) -> CellValue | None:
    full = printed.removesuffix("全覆盖")  # 100%全覆盖 is a number, 全覆盖 alone is not
    operator, rest = _strip_bound(full)
    if operator == "=" and rest != full:  # 达到95%以上, 控制在3.5%以内: the second word makes the bound
        operator, rest = _strip_bound(rest)
    match = _NUMBER.match(rest)
    if not match or rest[match.end() :] not in _symbols():
        return None
    digits = match[0].replace(",", "")
    if len(digits.replace(".", "")) > _MAX_DIGITS:
        return None
    return CellValue(_BOUND[operator], operator, Decimal(digits), rest[match.end() :])


def _strip_bound(printed: str) -> tuple[str, str]:
    """Take the one sign or word that makes a bound off a number; two of them are left on, and so unreadable."""
    for sign, operator, position in _bound_signs():
        if position == "before" and printed.startswith(sign):
            return operator, printed.removeprefix(sign)
        if position == "after" and printed.endswith(sign):
            return operator, printed.removesuffix(sign)
    return "=", printed


@cache
def _word_patterns() -> tuple[tuple[re.Pattern[str], str, float | None], ...]:
    rows = catalogue.words().itertuples()
    return tuple(
        (compiled(r.pattern, "words.csv"), r.kind, None if r.state != r.state else float(r.state)) for r in rows
    )


@cache
def _bound_signs() -> tuple[tuple[str, str, str], ...]:
    """Longest first, so that 及以上 is not taken for 以上 and ``<=`` not for ``<``."""
    rows = catalogue.bounds().sort_values("text", key=lambda text: text.str.len(), ascending=False)
    return tuple(zip(rows["text"], rows["operator"], rows["position"], strict=True))


@cache
def _symbols() -> frozenset[str]:
    return frozenset({"", *map(normal, catalogue.units()["unit"])})
