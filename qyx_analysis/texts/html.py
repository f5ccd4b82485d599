"""A frame of texts -> an accessible HTML table. All text is escaped."""

from __future__ import annotations

from html import escape
from itertools import count

import pandas as pd

_NUMBER = r"^[<>≤≥⩽⩾＜＞=+]*\s*([−-]?\d[\d,]*(?:\.\d+)?)"  # also behind the sign of a bound


_NUMERIC = ' data-sort-method="number"'


_LONG = 14  # Chinese characters of a row's name that stay on one line


_BELOW_ALL = "-999999999999"


def render_table(frame: pd.DataFrame, caption: str) -> str:
    """Render a frame as an accessible HTML table; its first column names the rows.

    A column of numbers says so, and its cells carry theirs, for readers who sort.

    >>> render_table(pd.DataFrame({"a": ["<b>"]}), "c")[-62:]
    '<tbody><tr><th scope="row">&lt;b&gt;</th></tr></tbody></table>'
    """
    texts = frame.astype(str)
    keys = pd.DataFrame({name: _sort_keys(texts[name]) for name in texts})
    head = "".join(
        f'<th scope="col"{_NUMERIC * bool(keys[name].any())}>{escape(str(name))}</th>' for name in texts.columns
    )
    rows = zip(texts.itertuples(index=False), keys.itertuples(index=False), strict=True)
    body = "".join(f"<tr>{''.join(map(_cell, count(), row, row_keys))}</tr>" for row, row_keys in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(column: int, text: str, key: str) -> str:
    order = f' data-sort="{key}"' if key else ""
    if column:
        wide = ' class="words"' if not key and len(text) > 4 else ""
        return f"<td{wide}{order}>{escape(text)}</td>"
    wrapped = ' class="long"' if len(text) > _LONG and not text.isascii() else ""
    return f'<th scope="row"{wrapped}{order}>{escape(text)}</th>'


def _sort_keys(texts: pd.Series) -> pd.Series:
    """The number that a cell begins with, where most of a column's cells have one; what has none comes first."""
    number = texts.str.extract(_NUMBER, expand=False).str.replace(",", "").str.replace("−", "-")
    return number.fillna(_BELOW_ALL) if number.notna().mean() > 0.5 else texts.map(lambda _: "")
