"""Values that deserve a look: used once, not used any more, or nearly the same as another."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from aicost.domain.coverage.keys import WantedKey
from aicost.domain.coverage.objects import AuditedObject
from aicost.domain.coverage.spend import Carried, ObjectKey, Spend, carried

ALIKE = 0.8
"""Two values that are at least so alike, as `difflib` measures it, may be one that was written in two ways."""
MOST_VALUES = 200
"""Values of one key that are compared with each other, the costliest; comparing grows with their square."""
_WORDS = re.compile(r"[-./_]+")


class Oddity(StrEnum):
    """What is odd about a value."""

    NEAR = "nearly-the-same"
    """Its spelling is close to that of another one, which carries more cost or is the one that policies allow."""
    ONCE = "used-once"
    """One object alone carries it, and no policy lists it."""
    UNUSED = "unused"
    """No cost and no object carried it lately."""


@dataclass(frozen=True, slots=True)
class ValueFinding:
    """A value that deserves a look.

    Attributes:
        cost_nanos: cost that carried it in the span.
        objects: how many objects carried it.
        nearest: the value that was probably meant, for `NEAR`.
        where: an object that carries it, None where none does.
    """

    oddity: Oddity
    key: str
    value: str
    cost_nanos: int
    objects: int
    nearest: str = ""
    where: ObjectKey | None = None


def odd_values(
    key: WantedKey,
    spends: Sequence[Spend],
    audited: Sequence[AuditedObject],
    recent: Sequence[Spend] | None,
    *,
    everywhere: bool = True,
) -> tuple[ValueFinding, ...]:
    """What is odd about the values of one key, in the order of `Oddity`, the costliest first.

    Args:
        key: the key.
        spends: what carried values in the span.
        audited: objects that are there, which carry values too.
        recent: what carried values in the days in which a value must be used; None where the ledger does not reach
            back so far: then nothing is said to be unused.
        everywhere: whether all namespaces are looked at. One namespace need not use each value that is allowed.
    """
    seen = _seen(key, spends, audited)
    near = list(_near(key, seen))
    known = {*seen, *(key.allowed if everywhere else ())}
    unused = [] if recent is None else list(_unused(key, known, seen, recent, audited))
    told = {*key.allowed, *(one.value for one in (*near, *unused))}
    once = [_finding(Oddity.ONCE, key, v, c) for v, c in seen.items() if len(c.objects) == 1 and v not in told]
    order = list(Oddity)
    return tuple(sorted([*near, *once, *unused], key=lambda one: (order.index(one.oddity), -one.cost_nanos, one.value)))


def _seen(key: WantedKey, spends: Sequence[Spend], audited: Sequence[AuditedObject]) -> Mapping[str, Carried]:
    """Values of the ledger and of the objects that are there now."""
    seen = dict(carried(spends, key))
    for one in audited:
        if one.values.get(key.key):
            seen.setdefault(one.values[key.key], Carried()).objects.add(one.of)
    return seen


def _finding(oddity: Oddity, key: WantedKey, value: str, by: Carried, nearest: str = "") -> ValueFinding:
    where = min(by.objects, default=None)
    return ValueFinding(oddity, key.key, value, by.cost_nanos, len(by.objects), nearest, where)


def _unused(
    key: WantedKey,
    known: set[str],
    seen: Mapping[str, Carried],
    recent: Sequence[Spend],
    audited: Sequence[AuditedObject],
) -> Iterator[ValueFinding]:
    """Known values that neither recent cost nor an object of today carries."""
    used = {*carried(recent, key), *(one.values.get(key.key, "") for one in audited)}
    for value in sorted(known - used):
        yield _finding(Oddity.UNUSED, key, value, seen.get(value, Carried()))


def _near(key: WantedKey, seen: Mapping[str, Carried]) -> Iterator[ValueFinding]:
    """Values that are close to one of more standing. What policies allow is never called a slip."""
    standing = sorted({*seen, *key.allowed}, key=lambda value: _rank(key, seen, value))[:MOST_VALUES]
    for place, value in enumerate(standing):
        if value in key.allowed or value not in seen:
            continue
        meant = next((better for better in standing[:place] if alike(value, better)), None)
        if meant is not None:
            yield _finding(Oddity.NEAR, key, value, seen[value], meant)


def _rank(key: WantedKey, seen: Mapping[str, Carried], value: str) -> tuple[bool, int, int, str]:
    """The smaller stands higher: allowed, much cost, many objects."""
    by = seen.get(value, Carried())
    return value not in key.allowed, -by.cost_nanos, -len(by.objects), value


def alike(one: str, other: str) -> bool:
    """Whether two values are probably one that was written in two ways.

    A slip does not change the length by much: `search` is no `research`. And `team-a` and `team-b`, `cc-100` and
    `cc-200` differ on purpose: a word of up to two signs, or one with a digit, that differs tells two things apart.
    """
    words, others = _WORDS.split(one), _WORDS.split(other)
    if "".join(words) == "".join(others):
        return True
    if len(words) == len(others):
        differing = [pair for pair in zip(words, others, strict=True) if pair[0] != pair[1]]
        if all(map(_on_purpose, differing)):
            return False
    if abs(len(one) - len(other)) > max(1, min(len(one), len(other)) // 8):
        return False
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE


def _on_purpose(pair: tuple[str, str]) -> bool:
    return all(len(word) <= 2 or any(letter.isdigit() for letter in word) for word in pair)
