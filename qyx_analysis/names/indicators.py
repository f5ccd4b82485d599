"""The printed name of an indicator -> its code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from qyx_analysis import catalogue
from qyx_analysis.cells import normal
from qyx_analysis.problems import DataError, Problem, compiled

_TRAILING_GROUP = re.compile(r"^(?P<name>.+?)\((?P<unit>[^()]*(?:\([^()]*\)[^()]*)*)\)$")


def folded(name: str) -> str:
    """Undo the typography of a printed name: widths, spaces, dashes and quotation marks.

    >>> folded("0—3岁儿童 发育监测筛查率") == folded("0-3岁儿童发育监测筛查率")
    True
    """
    text = re.sub(r"[‐‑‒–—―−―~～]+", "-", normal(name))
    return re.sub(r"[“”„‟\"＂'‘’「」『』]", "", text).replace("•", "·").replace("・", "·")


def split_unit(printed: str) -> tuple[str, str]:
    """Split an indicator cell into its name and the unit in its last pair of brackets.

    Only the bracket at the very end is taken: a name such as ``筹集套(间)数`` keeps its own.

    >>> split_unit("保障性租赁住房累计建设筹集套(间)数(万套)")
    ('保障性租赁住房累计建设筹集套(间)数', '万套')
    >>> split_unit("保障性租赁住房累计建设筹集套数(万套<间>)")
    ('保障性租赁住房累计建设筹集套数', '万套<间>')
    """
    text = normal(printed)
    match = _TRAILING_GROUP.match(text)
    return (match["name"], match["unit"]) if match else (text, "")


@dataclass(frozen=True)
class _Alias:
    """A line of ``aliases.csv``: a pattern for the whole folded name, or that name itself."""

    text: str
    pattern: re.Pattern[str]
    code: str
    notes: tuple[str, str]

    def matches(self, name: str) -> bool:
        return name == self.text or bool(self.pattern.fullmatch(name))


@cache
def known_names() -> dict[str, str]:
    """The folded names of the catalogue with their codes."""
    table = catalogue.indicators()
    return {folded(name): code for name, code in zip(table["name_zh"], table["code"], strict=True)}


@cache
def _aliases() -> tuple[_Alias, ...]:
    known, codes = known_names(), set(catalogue.indicators()["code"])
    aliases = []
    for row in catalogue.aliases().itertuples():
        alias = _Alias(folded(row.alias), compiled(row.alias, "aliases.csv"), row.code, (row.note_zh, row.note_en))
        if row.code not in codes or known.get(alias.text, row.code) != row.code:
            key = "alias_code" if row.code not in codes else "alias_contradicts"
            raise DataError(Problem(key, "aliases.csv", text=f"{row.alias},{row.code}"))
        aliases.append(alias)
    return tuple(aliases)


@lru_cache(maxsize=16384)
def _alias_of(name: str) -> _Alias | None:
    return next((alias for alias in _aliases() if alias.matches(name)), None)


def find_indicator(name: str) -> str | None:
    """Give the code of an indicator by its printed name without unit, or ``None``.

    >>> find_indicator("重大慢病过早死亡率")
    'premature_mortality'
    """
    printed = folded(name)
    if code := known_names().get(printed):
        return code
    alias = _alias_of(printed)
    return alias.code if alias else None


@lru_cache(maxsize=4096)
def is_indicator(text: str) -> bool:
    """Tell whether a text is in full the name of an indicator, with or without its unit."""
    return 5 <= len(text) < 80 and bool(find_indicator(text) or find_indicator(split_unit(text)[0]))


def alias_note(name: str) -> tuple[str, str] | None:
    """What an alias says differently from the catalogue's name, in Chinese and English, if it does."""
    alias = _alias_of(folded(name))
    return alias.notes if alias and alias.notes[0] else None
