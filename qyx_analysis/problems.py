"""What can be wrong with a file, said once: file, place, offending text, reason and fix, in both languages."""

from __future__ import annotations

import linecache
import re
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from qyx_analysis.catalogue import message

_SHOWN = 60  # characters of an offending text that fit on a line
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def shown(text: str, limit: int = _SHOWN) -> str:
    """Make a printed text safe and short enough for one line of a terminal.

    >>> shown("a\\tb\\x1b[31m")
    'a b [31m'
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def visible(text: str) -> str:
    """Show what nobody could see: control characters, marks of direction and characters without width.

    Tabs and line feeds stay. What comes out can be written to every kind of file that we write.

    >>> visible("a\x1b[31m\u202eb\u200bc")
    'a␛[31m⟨U+202E⟩b⟨U+200B⟩c'
    """
    return _HIDDEN.sub(_mark, text)


def _mark(hidden: re.Match[str]) -> str:
    code = ord(hidden[0])
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: ``key`` names its text in ``messages.csv``, ``values`` fill that text in."""

    key: str
    file: str
    place: str = ""
    text: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    def message(self, lang: str) -> str:
        """Say the reason and the fix in ``lang`` (``zh`` or ``en``)."""
        safe = {key: shown(text, limit=400) if isinstance(text, str) else text for key, text in self.values.items()}
        return message(self.key, lang, **safe)

    def __str__(self) -> str:
        where = [shown(self.file, limit=400)] + ([self.place] if self.place else [])
        what = [f"“{shown(self.text)}”"] if self.text else []
        return ": ".join([*where, *what, f"{self.message('zh')} / {self.message('en')}"])


class DataError(Exception):
    """Raised for bad input; carries every problem found, each of which prints as one line.

    >>> error = DataError(Problem("file_empty", "county.txt"))
    >>> error.problems[0].file
    'county.txt'
    """

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        super().__init__("\n".join(map(str, self.problems)))

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the line of its own that failed, and the problems; not our inside. ``%tb`` has all."""
        frames = list(traceback.walk_tb(self.__traceback__))
        own = [
            (frame.f_code.co_filename, line) for frame, line in frames if frame.f_globals.get("__name__") == "__main__"
        ]
        failed = [f"----> {line} {linecache.getline(file, line).strip()}" for file, line in own[-1:]]
        return [*failed, *(f"DataError: {problem}" for problem in self.problems)]

    def __reduce__(self) -> tuple[type[DataError], tuple[list[Problem]]]:
        """What another process makes it anew from: the problems, not their text."""
        return DataError, (self.problems,)


def require(columns: Iterable[str], needed: Iterable[str], source: str) -> None:
    """Refuse a frame that cannot be the one that ``source`` gives: ``columns`` are those it has.

    >>> require(["region", "measure"], ["region", "kind"], "load_targets()")
    Traceback (most recent call last):
    qyx_analysis.problems.DataError: load_targets(): “kind”: 这里要的是该函数给出的表，所给的表没有这些列 / ...
    """
    lacking = set(needed) - set(columns)
    if lacking:
        raise DataError(Problem("frame_columns", source, text=", ".join(sorted(lacking))))


def compiled(pattern: str, file: str) -> re.Pattern[str]:
    """Compile a pattern that people may edit; a slip in it is an error about that file, not a traceback.

    >>> compiled("全覆盖|已覆盖", "words.csv").fullmatch("已覆盖") is not None
    True
    """
    try:
        return re.compile(pattern)
    except re.error as error:
        raise DataError(Problem("catalogue_pattern", file, text=pattern, values={"reason": str(error)})) from error
