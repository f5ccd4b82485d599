"""A sentence -> tokens: numbers, years, names in quotation marks and the words of ``prose_words.csv``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from qyx_analysis import catalogue

_DIGITS = "一二两三四五六七八九十"
_SHAPES = {
    "name": r"“[^“”]*”|‘[^‘’]*’|\"[^\"]*\"|《[^《》]*》|「[^「」]*」",
    "aside": r"\([^()]*\)|〔[^〔〕]*〕|\[[^\[\]]*\]",
    "year": r"(?:到|至|截至)?(?:20\d\d年?(?:-|至|到))?(?P<digits>(?:19|20)\d\d)年"
    r"(?:\d{1,2}月(?:\d{1,2}日)?)?(?:底|末|初)?(?:之前|以前|前|起|内)?",
    "ratio": r"\d+(?:[:/]\d+)+|\d+(?:\.\d+)?[A-Za-z+][A-Za-z0-9+]*",
    # before other characters 成 begins a word: 三成员单位
    "tenths": rf"(?<![{_DIGITS}百千万亿第\d.])(?<![{_DIGITS}\d][至到-])(?:[{_DIGITS}]|\d(?:\.\d)?)成[{_DIGITS}半]?"
    r"(?=$|[-,;:。!?、()多余的和及与或至到提增升降]|及?以[上下内]|左右|上[下升]|下降)",
    "per": r"/每?[百千万]*(?:人口|[人名户])",
    "number": r"(?<![A-Za-z+])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)",
    "numeral": f"[{_DIGITS}]{{1,3}}(?=[家所座处名]|次(?!性))",  # before others it is an article: 一批
    "stop": "[,;:。!?！？]",
    "pause": "、",
    "dash": "-",
}


@dataclass(frozen=True)
class Token:
    """A piece of a sentence: its ``role`` (of the lexicon, or a shape), ``value`` (of the lexicon) and place."""

    role: str
    text: str
    start: int
    end: int
    value: str = ""


@cache
def _lexicon() -> dict[str, tuple[str, str]]:
    """Every word with its role and value: those of sentences, and the bounds that cells print too."""
    roles = {"before": "reach", "after": "after"}
    bounds = {row.text: (roles[row.position], row.operator) for row in catalogue.bounds().itertuples()}
    return bounds | {row.text: (row.role, row.value) for row in catalogue.prose_words().itertuples()}


@cache
def _pattern() -> re.Pattern[str]:
    shapes = [f"(?P<{role}>{shape})" for role, shape in _SHAPES.items()]
    words = "|".join(map(_whole, sorted(_lexicon(), key=len, reverse=True)))
    return re.compile("|".join([*shapes, f"(?P<word>{words})"]))


def _whole(word: str) -> str:
    """A verb is none in the name of a rate: 落实率."""
    return re.escape(word) + ("(?!率)" if _lexicon()[word][0] in ("do", "change") else "")


def read_tokens(text: str) -> list[Token]:
    """Cut a sentence into tokens; what the lexicon does not know is ``text``.

    >>> [(token.role, token.text) for token in read_tokens("到2027年,入园率达到95%")]
    [('year', '到2027年'), ('stop', ','), ('text', '入园率'), ('reach', '达到'), ('number', '95'), ('unit', '%')]
    """
    found: list[Token] = []
    end = 0
    for match in _pattern().finditer(text):
        if match.start() > end:
            found.append(Token("text", text[end : match.start()], end, match.start()))
        found.append(_token(match))
        end = match.end()
    if end < len(text):
        found.append(Token("text", text[end:], end, len(text)))
    return found


def _token(match: re.Match[str]) -> Token:
    shape = match.lastgroup or ""
    role, value = shape, ""
    if shape == "word":
        role, value = _lexicon()[match[0]]
    elif shape == "year":
        value = match["digits"]
    elif shape == "number":
        value = match[0].replace(",", "")
    elif shape == "tenths":
        role, value = "number", _percent(match[0])
    elif shape == "numeral":
        value = str(_spelled(match[0]))
    return Token(role, match[0], match.start(), match.end(), value)


def _percent(tenths: str) -> str:
    """A number of tenths in percent: 七成 is 70, 八成五 is 85."""
    whole, rest = tenths.replace("半", "五").split("成")
    tens = Decimal(whole) if whole[0].isdigit() else Decimal(_spelled(whole))
    return str(tens * 10 + _spelled(rest))


def _spelled(numeral: str) -> int:
    """A number below 100 in Chinese numerals; of a run of other digits the last."""
    digits = dict(zip("一二三四五六七八九", range(1, 10), strict=True)) | {"两": 2}
    tens, ten, ones = numeral.rpartition("十")
    return (digits.get(tens[-1:], 1) * 10 if ten else 0) + digits.get(ones[-1:], 0)
