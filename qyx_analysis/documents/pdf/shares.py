"""Which of the lines of a column belong to which row, where no ruling says so."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise

from qyx_analysis.documents.pdf.parts import Anchor, Part, Stretch

MAX_TRIES = 200_000  # of cuts; beyond it each line goes to the nearest row
MAX_LINES = 30  # in one cell, or rows that one text stands for
_NEVER = float("inf")

Groups = list[list[int]]
Way = Callable[[Stretch, Stretch, Anchor], float]  # how far a run, given by its ends, is off its anchor


def share(stretches: Sequence[Stretch], anchors: Sequence[Anchor], empty: float = _NEVER) -> tuple[float, Groups]:
    """Cut the stretches into one run for each anchor, keeping their order.

    Texts are set in the middle of their cells, or at the top or (hardly ever) the bottom: the way that fits all of
    them best is taken. Gives what the cut costs, which is how far the runs are off their anchors, squared; ``empty`` is
    the cost of leaving an anchor without any.

    >>> rows = [Stretch(y - 5, y, y + 5) for y in (0, 12, 30, 48, 60, 72)]
    >>> middle, top = [[Anchor(y, y, y) for y in ys] for ys in ((6, 30, 60), (0, 30, 48))]
    >>> share(rows, middle)[1], share(rows, top)[1]
    ([[0, 1], [2], [3, 4, 5]], [[0, 1], [2], [3, 4, 5]])
    """
    return min((_cut(stretches, anchors, empty, way) for way in _ways()), key=lambda found: found[0])


def labelled_rows(parts: Sequence[Part], column: int) -> list[tuple[str, list[int]]]:
    """Each text of a column of merged cells, with the rows of all parts that it stands for.

    Where the page cuts a cell, its text is in the middle of all its rows or of those on the first page.
    """
    shown = [part for part in parts if part.stretches]
    cost, groups = _on_one_strip(shown, column)
    on_pages, pages = min((_page_by_page(shown, column, way) for way in _ways()), key=lambda found: found[0])
    names = [text for part in shown for text, _ in part.labels.get(column, ())]
    return list(zip(names, groups if cost < 2 * on_pages else pages, strict=True))


def _on_one_strip(parts: Sequence[Part], column: int) -> tuple[float, Groups]:
    """As if the rows of all pages stood on one: a header that is printed again takes its room."""
    strip: list[Stretch] = []
    anchors: list[Anchor] = []
    for part in parts:
        shift = strip[-1].bottom - part.top if strip else 0
        anchors += [Anchor(*(y + shift for y in anchor)) for _, anchor in part.labels.get(column, ())]
        strip += [Stretch(*(y + shift for y in stretch)) for stretch in part.stretches]
    return share(strip, anchors)


def _page_by_page(parts: Sequence[Part], column: int, way: Way) -> tuple[float, Groups]:
    """Each page for itself: its first rows may still belong to the last text of the page before."""
    total, groups, above = 0.0, [], 0
    for part in parts:
        anchors = [anchor for _, anchor in part.labels.get(column, ())]
        before = min(len(part.stretches), MAX_LINES) if above else 1
        tries = [(*_cut(part.stretches[n:], anchors, _NEVER, way), n) for n in range(before if anchors else 0)]
        cost, found, n = min(tries, key=lambda tried: (tried[0], tried[2]), default=(0.0, [], 0))
        total += cost
        groups += [[i + n + above for i in group] for group in found]
        above += len(part.stretches)
    return total, groups


def _ways() -> tuple[Way, ...]:
    return _off_middle, _off_first, _off_last


def _off_middle(first: Stretch, last: Stretch, anchor: Anchor) -> float:
    return (first.top + last.bottom) / 2 - anchor.y


def _off_first(first: Stretch, last: Stretch, anchor: Anchor) -> float:
    return first.y - anchor.first


def _off_last(first: Stretch, last: Stretch, anchor: Anchor) -> float:
    return abs(last.y - anchor.last) + 2


def _to_nearest(stretches: Sequence[Stretch], anchors: Sequence[Anchor]) -> Groups:
    groups: Groups = [[] for _ in anchors]
    if not groups:
        return groups
    between = [(a.y + b.y) / 2 for a, b in pairwise(anchors)]
    for i, stretch in enumerate(stretches):
        groups[bisect_right(between, stretch.y)].append(i)
    return groups


def _cut(stretches: Sequence[Stretch], anchors: Sequence[Anchor], empty: float, way: Way) -> tuple[float, Groups]:
    n = len(stretches)
    if n * len(anchors) * MAX_LINES > MAX_TRIES:
        return _NEVER, _to_nearest(stretches, anchors)
    costs = [0.0] + [_NEVER] * n  # of the first i stretches, for the anchors so far
    starts: list[list[int]] = []
    for k, anchor in enumerate(anchors):
        new, start = [cost + empty for cost in costs], list(range(n + 1))
        for i in range(n):
            if costs[i] == _NEVER:
                continue
            for j in range(i, min(n, i + MAX_LINES)):
                off = way(stretches[i], stretches[j], anchor)
                if k == len(anchors) - 1:  # what the page cuts off keeps to the top
                    off = min(off, _off_first(stretches[i], stretches[j], anchor), key=abs)
                # Between equals those whose lines are closer and whose runs are more alike: hence the last term.
                cost = costs[i] + off * off + 0.001 * (stretches[j].y - stretches[i].y) ** 2
                if cost < new[j + 1]:
                    new[j + 1], start[j + 1] = cost, i
        costs = new
        starts.append(start)
    if costs[n] == _NEVER:
        return _NEVER, _to_nearest(stretches, anchors)
    groups: Groups = []
    stop = n
    for start in reversed(starts):
        groups.append(list(range(start[stop], stop)))
        stop = start[stop]
    return round(costs[n], 6), groups[::-1]
