"""The tokens of a sentence -> its quantified targets.

A number is a target by what stands beside it: a verb that reaches it (``达到``), an action or change that it
measures (``新增``, ``提升``), or a name before it and the end of the clause after it. Any other is part of a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from qyx_analysis.wings.sentences.sentences import Token, join_runs, read_tokens

_KINDS = {"<": "upper_bound", "<=": "upper_bound", ">": "lower_bound", ">=": "lower_bound", "=": "point"}
_VERBS = ("reach", "is", "do", "change")
_BETWEEN = ("light", "shared", "apiece", "approx", "annual", "cumulative", "year", "hedge")  # verb and number
_OPENING = (*_BETWEEN, *_VERBS, "scope", "past", "lead", "pause", "and")  # no part of a metric at its start
_CLOSING = (*_BETWEEN, "pause", "and")  # nor at its end
_AFTER = ("stop", "pause", "and", "end", "full")  # what may follow a value that ends its clause
_LISTING = ("pause", "and")
_RATES = ("率", "比例", "占比", "比重")
_SHORTEST = 3  # characters of a metric
_LONGEST = 2  # characters of a unit that the lexicon does not have


@dataclass(frozen=True)
class Value:
    """A printed value: the tokens ``first`` to before ``end``, its numbers, unit and the bound after it."""

    first: int
    end: int
    numbers: tuple[Token, ...]
    unit: str = ""
    unit_class: str = ""
    bound: str = "="


@dataclass(frozen=True)
class Target:
    """One quantified target; ``start`` and ``end`` are those of its printed numbers in the sentence."""

    metric: tuple[Token, ...]  # the tokens of its name
    kind: str
    operator: str
    numbers: tuple[str, ...]
    unit: str
    year: int | None
    words: tuple[Token, ...]  # of its clause: annual, cumulative, hedge and the like
    start: int
    end: int


@dataclass(frozen=True)
class _Claim:
    """Why a value is a target: the tokens of its clause from ``start``, its subject and its predicate."""

    value: Value
    start: int
    subject: tuple[Token, ...]
    verb: str  # its role; empty where a name is enough
    predicate: tuple[Token, ...]  # verbs, and what stands between them and the number
    end: int  # of the name after the value, where there is one
    listed: bool = False  # one more value of the claim before: ``达到60%和70%``


def targets_in(text: str, years: range) -> Iterator[Target]:
    """The targets of one sentence; ``years`` are the target years of the plan."""
    found = read_tokens(text)
    claims: list[_Claim] = []
    for value in _values(found):
        claim = _claim(found, value, claims)
        if claim and not _is_past(found, claim, years):
            claims.append(claim)
    for run in join_runs(claims, lambda _, claim: claim.listed):
        for claim, metric, year in _paired(found, run):
            yield _target(found, claim, metric, year, years)


# --- values -----------------------------------------------------------------------------------------------


def _values(found: Sequence[Token]) -> Iterator[Value]:
    at = 0
    while at < len(found):
        value = _value_at(found, at)
        if value:
            yield value
        at = value.end if value else at + 1


def _value_at(found: Sequence[Token], at: int) -> Value | None:
    if _role(found, at) == "full":
        value = Value(at, at + 1, (found[at],))
    elif _role(found, at) in ("number", "numeral"):
        end, unit, unit_class = _unit_of(found, at)
        numbers: tuple[Token, ...] = (found[at],)
        starts = _role(found, at - 1) == "from"  # 从55%到65%: where it starts is no end of a range
        if not starts and _role(found, end) in ("dash", "to") and _role(found, end + 1) == "number":
            numbers = (found[at], found[end + 1])
            end, unit, unit_class = _unit_of(found, end + 1)
        value = Value(at, end, numbers, unit, unit_class, _over(found, at, end))
    else:
        return None
    while _role(found, value.end) in ("after", "approx", "aside"):
        bound = found[value.end].value or value.bound
        value = replace(value, end=value.end + 1, bound=bound)
    return replace(value, end=value.end + 1) if _role(found, value.end) == "full" else value  # 100%全覆盖


def _unit_of(found: Sequence[Token], number: int) -> tuple[int, str, str]:
    """The unit after a number, with its scale (万人次) and what it is counted by (个/千人): its end, text and class."""
    at = number + 1
    if "成" in found[number].text:
        return at + (_role(found, at) == "over"), "%", "share"
    if _role(found, at) == "text" and len(found[at].text) <= _LONGEST and _role(found, at + 1) in (*_AFTER, "after"):
        return at + 1, found[at].text, "unknown"
    unit, unit_class = "", ""
    while _role(found, at) in ("scale", "unit", "over") and unit_class in ("", "scale"):
        if found[at].role != "over":
            unit += found[at].text
            unit_class = found[at].value or "scale"
        at += 1
    return (at + 1, unit + found[at].text, unit_class) if unit and _role(found, at) == "per" else (at, unit, unit_class)


def _over(found: Sequence[Token], at: int, end: int) -> str:
    """The bound of ``100余家``, which stands between number and unit."""
    return next((token.value for token in found[at:end] if token.role == "over"), "=")


def _role(found: Sequence[Token], at: int) -> str:
    """The role of a token; the sentence ends in a stop."""
    return found[at].role if 0 <= at < len(found) else "stop"


# --- which values are targets -----------------------------------------------------------------------------


def _claim(found: Sequence[Token], value: Value, claims: Sequence[_Claim]) -> _Claim | None:
    """Tell whether a value is a target, and of what; ``claims`` are those before it."""
    last = claims[-1] if claims else None
    follows = last is not None and value.first == last.value.end + 1 and _role(found, value.first - 1) in _LISTING
    if last and follows and _role(found, value.end) in _AFTER:
        return replace(last, value=value, end=value.end, listed=True)
    start = max(_clause_start(found, value.first), last.end if last else 0)
    predicate = _predicate(found, start, value)
    verb = _verb(predicate) or ("do" if _is_one_of_a_list(found, start, value) else "")
    if last and last.verb == "do" and value.first == last.end + 1:
        verb = verb or "do"  # 建设1个中心、2个站点: one verb for both
    subject = _stripped(found[start : value.first - len(predicate)])
    if not _is_target(found, value, predicate, verb, bool(subject)):
        return None
    end = _end_of_name(found, value.end)
    start, subject = _subject(found, start, subject, predicate, last, verb, found[value.end : end])
    return _Claim(value, start, subject, verb, predicate, end) if subject else None


def _subject(
    found: Sequence[Token],
    start: int,
    before: Sequence[Token],
    predicate: Sequence[Token],
    last: _Claim | None,
    verb: str,
    after: Sequence[Token],
) -> tuple[int, tuple[Token, ...]]:
    """What the value is said of: a name after it, else one before it, else what the clauses before speak of."""
    if after and (not before or verb in ("do", "is")):
        return start, _stripped(after)
    done = not before and any(token.value == "noun" for token in predicate)
    if not done and (not before or before[0].role == "manner"):
        start, before = _earlier(found, start, last)
    elif before and before[0].text.startswith("占") and last:
        return start, (*last.subject, *before)  # 人才达到6000人,占总数比重达到37%
    return start, (*before, *_named(predicate))


def _lead_in(found: Sequence[Token], start: int) -> int:
    """Where a clause begins with what is set before it and says nothing by itself: ``力争到2027年,``."""
    before = _clause_start(found, max(start - 1, 0))
    alone = before < start and all(token.role in _OPENING for token in found[before : start - 1])
    return before if alone else start


def _clause_start(found: Sequence[Token], at: int) -> int:
    while at > 0 and found[at - 1].role != "stop":
        at -= 1
    return at


def _predicate(found: Sequence[Token], start: int, value: Value) -> tuple[Token, ...]:
    """The verbs directly before a number; else the last verb of its clause that reaches one: ``不低于总数的60%``."""
    at = value.first
    while at > start and found[at - 1].role in (*_VERBS, *_BETWEEN, "past"):
        at -= 1
    if any(token.role in _VERBS for token in found[at : value.first]):
        return tuple(found[at : value.first])
    for i in range(at - 1, start, -1):
        if found[i].role == "number":
            break
        if found[i].role == "reach" and len(found[i].text) > 1:
            return tuple(found[i : value.first])
    return tuple(found[at : value.first])


def _verb(predicate: Sequence[Token]) -> str:
    """The role of the verb nearest to the number; a promise (``力争1个``) serves as one."""
    roles = [token.role for token in reversed(predicate)]
    return next((role for role in roles if role in _VERBS), "do" if "hedge" in roles else "")


def _named(predicate: Sequence[Token]) -> tuple[Token, ...]:
    """What a predicate says of the metric: the action, and the name between a verb and its value."""
    return tuple(token for token in predicate if token.role not in ("reach", "is", "past", *_BETWEEN))


def _is_past(found: Sequence[Token], claim: _Claim, years: range) -> bool:
    """Whether a value says what is and not what is planned: ``已建成120家``, ``2022年达到120家``."""
    start = _clause_start(found, claim.value.first)
    clause, reached = found[start : claim.value.first], claim.verb == "reach"
    states = [t for i, t in enumerate(clause, start) if t.role == "past" and _role(found, i - 1) != "from"]
    if any(t.value == "always" or not reached or t in claim.predicate for t in states):  # not so 由目前的55%
        return True
    said = next((i for i in range(claim.value.first - 1, -1, -1) if found[i].role == "year"), None)
    return said is not None and int(found[said].value) < years.start and _role(found, said - 1) == "stop"


def _is_one_of_a_list(found: Sequence[Token], start: int, value: Value) -> bool:
    """建成A、B等3个中心: the verb stands before what is listed."""
    clause = found[start : value.first]
    listed = bool(clause) and clause[-1].text.endswith("等") and any(token.role == "do" for token in clause)
    return listed and not any(token.role == "text" and token.text.startswith("以") for token in clause)


def _is_target(found: Sequence[Token], value: Value, predicate: Sequence[Token], verb: str, named: bool) -> bool:
    closed = _role(found, value.end) in _AFTER
    before = found[value.first - 1].text if value.first else ""
    if value.numbers[0].role == "full":
        return closed
    if before.endswith(("第", "前")):
        return False
    if value.unit_class in ("age", "time", "unknown", ""):
        return closed and (verb == "reach" or (verb == "do" and value.unit_class == "unknown"))
    if closed:
        return bool(verb) or named
    if found[value.end].text.startswith("的"):  # a value that describes; not so 完成总投资7亿元的项目
        invested = value.unit_class == "money" and sum(token.role == "do" for token in predicate) > 1
        return invested or (value.unit_class == "share" and not named)  # 10%的村设置卫生室
    if value.unit_class == "counter":
        return bool(verb) and not (verb == "is" and named)
    if value.unit_class == "share" and verb in ("reach", "do"):  # 覆盖50%以上村
        return True
    everyone = value.unit_class == "share" and (value.numbers[0].text == "100" or value.bound != "=")
    return named and everyone  # 设施100%向社会开放


def _end_of_name(found: Sequence[Token], at: int) -> int:
    """The end of a name that stands after a value: that of its clause, or ``at`` where there is none."""
    if _role(found, at) in _AFTER:
        return at
    while _role(found, at) not in ("stop", "pause", "number"):
        at += 1
    return at - 1 if _role(found, at) == "number" and found[at - 1].role == "and" else at


def _earlier(found: Sequence[Token], start: int, last: _Claim | None) -> tuple[int, tuple[Token, ...]]:
    """The subject of a clause that has none: that of the value in the clause before, or that clause itself."""
    if last and last.end >= start - 1:
        return last.start, last.subject
    subject: tuple[Token, ...] = ()
    while start > 0 and not subject:
        end, start = start - 1, _clause_start(found, start - 1)
        while end > start and _role(found, end - 1) in ("number", "unit", "scale", "after"):
            end -= 1  # 现有50家,到2027年达到60家
        subject = _stripped(found[start:end])
    return start, subject


def _stripped(part: Sequence[Token]) -> tuple[Token, ...]:
    """A metric without what opens or closes it; an action is part of it where ``prose_words.csv`` says ``keep``."""
    start, end = 0, len(part)
    number = next((i for i, token in enumerate(part) if token.role == "number"), 0)
    end = next((i for i in range(number) if part[i].role == "from"), end)  # 由4种增至29种
    end = next((i for i in range(1, end) if part[i].role == "manner"), end)
    while start < end and part[start].role in _OPENING and part[start].value != "keep":
        start += 1
    while end > start and part[end - 1].role in _CLOSING:
        end -= 1
    return tuple(part[start:end])


# --- which value belongs to which metric ------------------------------------------------------------------


def _paired(found: Sequence[Token], run: list[_Claim]) -> Iterator[tuple[_Claim, tuple[Token, ...], int | None]]:
    """Which value goes with which metric and listed year: one by one, or one value to each of several rates."""
    subject, predicate = run[0].subject, run[0].predicate
    shared_bound = run[-1].value.bound  # 分别达到90%和95%以上
    run = [replace(c, value=replace(c.value, bound=shared_bound)) if c.value.bound == "=" else c for c in run]
    parts = _parts(subject)
    years = _listed_years(found, run[0].value.first) if any(t.role == "apiece" for t in predicate) else []
    shared = any(token.role == "shared" for token in predicate)
    for i, claim in enumerate(run):
        if len(run) == len(parts):
            yield claim, parts[i], None
        elif len(run) == len(years):
            yield claim, subject, years[i]
        elif _are_metrics(parts, shared):
            for part in parts:
                yield claim, part, None
        else:
            yield claim, subject, None


def _listed_years(found: Sequence[Token], before: int) -> list[int]:
    """The years of the last list of years: 2025年、2027年."""
    at = next((i for i in range(before - 1, -1, -1) if found[i].role == "year"), -1)
    years = [int(found[at].value)] if at >= 0 else []
    while _role(found, at - 1) in _LISTING and _role(found, at - 2) == "year":
        at -= 2
        years.insert(0, int(found[at].value))
    return years


def _parts(subject: Sequence[Token]) -> list[tuple[Token, ...]]:
    cuts = [-1, *(i for i, token in enumerate(subject) if token.role in _LISTING), len(subject)]
    return [tuple(subject[a + 1 : b]) for a, b in pairwise(cuts) if b > a + 1]


def _are_metrics(parts: Sequence[Sequence[Token]], shared: bool) -> bool:
    """Whether the parts of a list are metrics of their own, and not only its words: 县、镇、村三级覆盖."""
    if len(parts) < 2 or any(part[-1].end - part[0].start < _SHORTEST for part in parts):
        return False
    return shared or all(part[-1].text.endswith(_RATES) for part in parts)


def _target(found: Sequence[Token], claim: _Claim, metric: tuple[Token, ...], year: int | None, years: range) -> Target:
    value = claim.value
    clause = found[_lead_in(found, claim.start) : value.end]
    first, unit = value.numbers[0], value.unit
    full = first.role == "full"
    if value.unit_class == "money" and "/" not in unit and any(t.value == "monthly" for t in clause):
        unit += "/月"  # 每人每月1400元
    bounds = [value.bound, *(token.value for token in claim.predicate if token.role == "reach")]
    operator = next((bound for bound in bounds if bound != "=" and not full), "=")
    said = [int(t.value) for t in found[: value.first] if t.role == "year" and int(t.value) in years]
    kind = first.value or "full_coverage" if full else "range" if len(value.numbers) > 1 else _KINDS[operator]
    return Target(
        metric=metric,
        kind=kind,
        operator=operator,
        numbers=() if full else tuple(number.value for number in value.numbers),
        unit=unit,
        year=year or (said[-1] if said else None),
        words=tuple(token for token in clause if token.role != "hedge" or token not in claim.subject),
        start=value.numbers[0].start,
        end=value.numbers[-1].end,
    )
