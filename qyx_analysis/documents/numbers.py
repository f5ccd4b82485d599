"""A number of a spreadsheet -> the text that its cell shows."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import pairwise

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|(?P<space>_.|\*.)'
    r"|\[(?:black|blue|cyan|green|magenta|red|white|yellow|color ?\d+|[黑蓝绿红白黄]色|\$[^\]]*)\]"
    r"|(?P<digits>General|G/通用格式|@|[#0?,.]+)|(?P<percent>%)|(?P<sign>[-+()<>=~:$ ]|[^\x00-\x7f])|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_YEAR = re.compile(r'(?:\[\$[^\]]*\])?y{3,4}(?P<rest>(?:"[^"]*"|\\.|[^\x00-\x7f])*)(?:;@)?', re.IGNORECASE)
_MAX_FORMAT = 255  # what Excel allows


def as_shown(value: float, form: str) -> str:
    """Apply a number format. One that is not understood is put beside the number, which then reads as no number.

    >>> as_shown(0.815, "0%"), as_shown(3, "0.0"), as_shown(32, '"≥"0'), as_shown(0.1 + 0.2, "General")
    ('82%', '3.0', '≥32', '0.3')
    >>> as_shown(3, "# ?/?")
    '3 〔# ?/?〕'
    """
    number = Decimal(f"{value:.15g}")
    sections = _sections(form)
    section = sections[0]
    if number < 0 and len(sections) > 1:
        number, section = -number, sections[1]
    elif number == 0 and len(sections) > 2:
        section = sections[2]
    shown = _formatted(number, section) if len(form) <= _MAX_FORMAT else None
    return f"{_general(Decimal(f'{value:.15g}'))} 〔{form[:_MAX_FORMAT]}〕" if shown is None else shown


def year_as_shown(year: int, form: str) -> str | None:
    """A date of which the format shows the year only, or ``None`` where it shows more.

    >>> year_as_shown(2023, 'yyyy"年"'), year_as_shown(2023, "yyyy-mm")
    ('2023年', None)
    """
    match = _YEAR.fullmatch(form[:_MAX_FORMAT])
    return str(year) + re.sub(r'["\\]', "", match["rest"]) if match else None


def _sections(form: str) -> list[str]:
    """Positive, negative and zero, as far as the format tells them apart."""
    cuts = [m.start() for m in _TOKEN.finditer(form) if m["other"] == ";"]
    return [form[a + 1 : b] for a, b in pairwise([-1, *cuts, len(form)])]


def _formatted(number: Decimal, section: str) -> str | None:
    tokens = list(_TOKEN.finditer(section))
    digits = [token["digits"] for token in tokens if token["digits"]]
    if len(digits) > 1 or any(token["other"] for token in tokens):
        return None
    percents = sum(1 for token in tokens if token["percent"])
    body = _digits(abs(number) * 100**percents, digits[0]) if digits else ""
    if body is None:
        return None
    parts = (
        body if token["digits"] else token["quoted"] or token["escaped"] or token["percent"] or token["sign"] or ""
        for token in tokens
    )
    negative = number < 0 and any(c in "123456789" for c in body)
    return "-" * negative + "".join(parts).strip(" ")


def _digits(number: Decimal, form: str) -> str | None:
    if not set(form) <= set("#0?,."):
        return _general(number)
    whole, _, fraction = form.partition(".")
    if form.count(".") > 1 or whole.endswith(",") or "," in fraction:
        return None  # a comma at the end means thousands
    try:
        rounded = number.quantize(Decimal(1).scaleb(-len(fraction)), ROUND_HALF_UP)
    except InvalidOperation:
        return None
    before, _, after = f"{rounded:f}".partition(".")
    before = before.lstrip("0").zfill(whole.count("0")) if whole.count("0") != 1 else before
    before = f"{int(before):,}" if "," in whole and before else before
    after = after[: fraction.rfind("0") + 1] + after[fraction.rfind("0") + 1 :].rstrip("0")
    return f"{before}.{after}" if after else before


def _general(number: Decimal) -> str:
    return f"{float(number):.10g}"
