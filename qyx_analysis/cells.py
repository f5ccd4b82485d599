"""One cell's text -> kind, operator and number. What cannot be read is ``unreadable``, never a guess."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from html import unescape

from qyx_analysis import catalogue
from qyx_analysis.problems import compiled

_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_NUMBER = re.compile(_DIGITS)
_SIGNED = re.compile(rf"-?(?:{_DIGITS})")
_RANGE = re.compile(
    rf"(?P<low>{_DIGITS})(?P<unit>[^\d,.]{{0,3}}?)(?:[-~至到]|--)(?P<high>{_DIGITS})(?P<last>[^\d,.]{{0,4}})"
)
_SEPARATED = re.compile(r"\d[^\d,]*[、;/]|\d[^\d,.]+,|[\u4e00-\u9fff]\D*\d")
_SIGNS = {"≧": "≥", "≦": "≤", "⩾": "≥", "⩽": "≤", "‹": "<", "›": ">", "〈": "<", "〉": ">", "∕": "/"}
# Parts of characters that the fonts of PDF files give for the characters themselves; NFKC leaves them alone.
_RADICALS = dict(
    zip(
        "⺟⺠⺫⻁⻄⻅⻆⻉⻋⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻥⻦⻨⻩⻬⻮⻰⻳",
        "母民目虎西见角贝车长门青韦页风飞食马骨鱼鸟麦黄齐齿龙龟",
        strict=True,
    )
)
_SAME = str.maketrans(_SIGNS | _RADICALS)
_DASHES = re.compile(r"[‐‑‒–—―−─一]+")  # the last is the numeral one, typed for a dash in a cell of its own
_RANGE_DASHES = re.compile(r"[‐‑‒–—―−─～〜~-]+")
_UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe00-\ufe0f]|_x[0-9A-F]{4}_")
_TWO_NUMBERS = re.compile(r"[\d.,][ \t\u2000-\u200b\u3000]+[\d.,]")  # a no-break space, by contrast, is inside one
_MARKS = "*★☆▲△●○◆◇■□※＊﹡⁎∗#"
_MARK = rf"[{re.escape(_MARKS)}]|[①-⑳❶-❿]|[\u00b9\u00b2\u00b3\u2070-\u2079]"
_MARK += r"|[\[【〔]{1,2}\s*(?:注\s*|\^)?(?:[\da-z*★☆▲△●○◆◇■□※#]{0,2}|[①-⑳])\s*[\]】〕]{1,2}"
_MARK += r"|⟦[^⟦⟧]*⟧"  # struck text before or after what replaces it
_MARKED = re.compile(rf"^\s*((?:{_MARK}|\s)*)(.*?)((?:{_MARK}|\s)*)\s*$", re.DOTALL)
_BRACKETED = re.compile(r"[\[【〔(]([^\[\]【】〔〕()]*\d[^\[\]【】〔〕()]*)[\]】〕)]")
_MAX_DIGITS = 15  # what a float keeps exactly
_MAX_TEXT = 200  # a longer cell is no value
_BOUND = {"<": "upper_bound", "<=": "upper_bound", ">": "lower_bound", ">=": "lower_bound", "=": "point"}
_SCALES = ("万", "亿")  # of the row's own unit


@dataclass(frozen=True)
class CellValue:
    """What one cell says.

    ``kind`` is point, lower_bound, upper_bound, range, full_coverage, status, missing, reference, words (others than
    these: no number), several (more than one goal: no number) or unreadable; ``operator`` is empty or one of
    ``= < <= > >=``; ``number`` and ``unit`` are as printed, of a range its ends ``number`` (the lower) and ``high``;
    ``state`` is 100 (passed) or 0 (not passed) for words of an ordered state.
    """

    kind: str
    operator: str = ""
    number: Decimal | None = None
    unit: str = ""
    state: float | None = None
    high: Decimal | None = None


def normal(text: str) -> str:
    """Fold typography: full-width forms, look-alike signs, Traditional characters, what nobody sees, and every space.

    >>> normal("＜ 3．5％"), normal("≧３２"), normal("指 標")
    ('<3.5%', '≥32', '指标')
    """
    text = unescape(text) if "&" in text else text  # what a page's source left in a copied text
    folded = unicodedata.normalize("NFKC", _UNSEEN.sub("", text).translate(_SAME))
    return _simplified(re.sub(r"\s", "", folded))


@lru_cache(maxsize=16384)
def _simplified(text: str) -> str:
    return text if text.isascii() else _converter().convert(text)


@cache
def _converter():  # type: ignore[no-untyped-def]
    from opencc import OpenCC

    return OpenCC("t2s")


def split_marks(text: str) -> tuple[str, str]:
    """Take the marks of a legend or a footnote off both ends of a printed text: the text, and the marks together.

    >>> split_marks("☆每千人口床位数①"), split_marks("* 82 [1]")
    (('每千人口床位数', '☆①'), ('82', '*[1]'))
    """
    before, inner, after = _MARKED.fullmatch(text[:_MAX_TEXT]).groups()  # type: ignore[union-attr]
    if not inner:  # a cell of nothing but a mark, such as * for no number
        return text, ""
    return inner + text[_MAX_TEXT:], "".join((before + after).split())


@lru_cache(maxsize=16384)
def parse_cell(text: str) -> CellValue:
    """Read one cell of the table. A footnote's mark at either end of it is none of its digits.

    >>> parse_cell("≥32")
    CellValue(kind='lower_bound', operator='>=', number=Decimal('32'), unit='', state=None, high=None)
    >>> parse_cell("全覆盖").kind, parse_cell("/").kind, parse_cell("82①").number, parse_cell("降幅趋缓").kind
    ('full_coverage', 'missing', Decimal('82'), 'words')
    >>> parse_cell("60-70").kind, parse_cell("城镇80、农村60").kind, parse_cell("5 5").kind
    ('range', 'several', 'unreadable')
    """
    printed = normal(text)
    if not printed or _DASHES.fullmatch(printed):
        return CellValue("missing")
    if len(printed) > _MAX_TEXT:
        return CellValue("unreadable")
    told = _as_words(printed)
    if told:
        return told
    inner = split_marks(text)[0]
    if _TWO_NUMBERS.search(inner) or _has_raised_digits(inner):
        return CellValue("unreadable")
    printed = normal(inner)
    bracketed = _BRACKETED.fullmatch(printed)  # of five-year plans: a sum over the years
    if bracketed:
        printed = bracketed[1]
    return _as_words(printed) or _as_number(printed) or _as_range(printed) or _as_texts(printed)


def _has_raised_digits(text: str) -> bool:
    """A mark such as ² in the middle would fold into a digit of the number: 8²2 is not 822."""
    return any(unicodedata.decomposition(c).startswith(("<super>", "<sub>", "<circle>", "<fraction>")) for c in text)


def _as_words(printed: str) -> CellValue | None:
    for pattern, kind, state in _word_patterns():
        if pattern.fullmatch(printed):
            return CellValue(kind, state=state)
    return None


def _as_number(printed: str) -> CellValue | None:
    full = printed.removesuffix("全覆盖")  # 100%全覆盖 is a number, 全覆盖 alone is not
    operator, rest = _strip_bound(full)
    if rest != full:  # 达到95%以上, 控制在3.5%以内: the second word makes the bound; ≥95%以上 says one thing twice
        second, inner = _strip_bound(rest)
        if inner != rest and (operator == "=" or operator[0] == second[0]):
            operator, rest = second if operator == "=" else operator, inner
    match = _SIGNED.match(rest)
    if not match or rest[match.end() :] not in _symbols():
        return None
    number = _decimal(match[0])
    return number if number is None else CellValue(_BOUND[operator], operator, number, rest[match.end() :])


def _decimal(text: str) -> Decimal | None:
    digits = text.replace(",", "")
    return Decimal(digits) if len(digits.replace(".", "").lstrip("-")) <= _MAX_DIGITS else None


def _as_range(printed: str) -> CellValue | None:
    """Two ends, the lower first: 60-70, 60%～70%."""
    match = _RANGE.fullmatch(_RANGE_DASHES.sub("-", printed))
    if not match or match["last"] not in _symbols() or match["unit"] not in ("", match["last"]):
        return None
    low, high = _decimal(match["low"]), _decimal(match["high"])
    return CellValue("range", "=", low, match["last"], high=high) if low and high and low < high else None


def _as_texts(printed: str) -> CellValue:
    """What is no number: other words, several goals in one cell, or something that nobody should guess at."""
    if not any(c.isnumeric() and not "\u4e00" <= c <= "\u9fff" for c in printed):
        told = re.search("[\u4e00-\u9fff]{2}", printed) or re.fullmatch("[A-Za-z][A-Za-z+-]{0,3}", printed)  # a grade
        return CellValue("words" if told else "unreadable")
    goals = len(_NUMBER.findall(printed))
    return CellValue("several" if goals > 1 and _SEPARATED.search(printed) else "unreadable")


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
    return frozenset({"", *_SCALES, *map(normal, catalogue.units()["unit"])})
