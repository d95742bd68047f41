"""Reads a regular expression of the syntax that RE2 and we share."""

from collections.abc import Callable

from aicost.domain.policy.expressions.automaton import (
    EMPTY,
    MOST_STATES,
    Automaton,
    Part,
    PatternError,
    Test,
    either,
    optional,
)
from aicost.domain.policy.expressions.characters import char_set, escaped, only
from aicost.domain.policy.expressions.cursor import Cursor

MOST_PATTERN = 1_000
"""Longest pattern."""
_DEEPEST = 50

Build = Callable[[Automaton], Part]
"""Adds an expression to an automaton. Called again it adds another copy, as counted repetitions need."""

_SIGNS: tuple[tuple[str, tuple[int, int | None]], ...] = (("*", (0, None)), ("+", (1, None)), ("?", (0, 1)))
_REPEATS = frozenset(sign for sign, _ in _SIGNS) | {"{"}


def read_pattern(pattern: str) -> Build:
    """Read an expression for a whole text. Anchors at its edges say nothing new and are left out.

    Raises:
        PatternError: not every engine can run it.
    """
    if len(pattern) > MOST_PATTERN:
        raise PatternError(f"it has more than {MOST_PATTERN} characters: write a shorter one")
    ends = pattern.endswith("$") and not pattern.endswith("\\$")
    cursor = Cursor(pattern[1 if pattern.startswith("^") else 0 : -1 if ends else None])
    whole = _alternatives(cursor, 0)
    if cursor.next:
        raise PatternError(f"{cursor.next!r} closes nothing: write \\{cursor.next} for the sign itself")
    return whole


def _alternatives(cursor: Cursor, depth: int) -> Build:
    ways = [_sequence(cursor, depth)]
    while cursor.took("|"):
        ways.append(_sequence(cursor, depth))

    def build(automaton: Automaton) -> Part:
        first, *others = (way(automaton) for way in ways)
        for other in others:
            first = either(first, other)
        return first

    return build


def _sequence(cursor: Cursor, depth: int) -> Build:
    parts: list[Build] = []
    while cursor.next and cursor.next not in "|)":
        parts.append(_repeated(cursor, depth))

    def build(automaton: Automaton) -> Part:
        whole = EMPTY
        for part in parts:
            whole = automaton.then(whole, part(automaton))
        return whole

    return build


def _repeated(cursor: Cursor, depth: int) -> Build:
    part = _atom(cursor, depth)
    bounds = _bounds(cursor)
    if bounds is None:
        return part
    cursor.took("?")  # a lazy repetition matches the same whole texts
    if cursor.next and cursor.next in _REPEATS:
        raise PatternError(f"{cursor.next!r} repeats a repetition: take one of the two out")
    return _times(part, *bounds)


def _times(part: Build, least: int, most: int | None) -> Build:
    """The part as often as it may stand there, each time with states of its own."""
    copies = max(least, 1) if most is None else most

    def build(automaton: Automaton) -> Part:
        whole = EMPTY
        for copy in range(copies):
            one = part(automaton)
            if most is None and copy == copies - 1:
                one = automaton.repeat(one)
            whole = automaton.then(whole, one if copy < least else optional(one))
        return whole

    return build


def _bounds(cursor: Cursor) -> tuple[int, int | None] | None:
    """How often what stands before may be repeated, None for no repetition."""
    for sign, bounds in _SIGNS:
        if cursor.took(sign):
            return bounds
    return _counted(cursor.take_until("}")) if cursor.took("{") else None


def _counted(inside: str | None) -> tuple[int, int | None]:
    least, comma, most = (inside or "").partition(",")
    if not all(_is_number(number) for number in ([least, most] if most else [least])):
        raise PatternError("write a repetition as {3}, {3,} or {3,5}, and \\{ for the sign itself")
    low, high = int(least), int(most) if most else None if comma else int(least)
    if max(low, high or 0) > MOST_STATES or (high is not None and high < low):
        raise PatternError(f"write a repetition from the smaller number to the larger, {MOST_STATES} at most")
    return low, high


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(MOST_STATES))


def _atom(cursor: Cursor, depth: int) -> Build:
    char = cursor.take()
    if char == "(":
        return _group(cursor, depth + 1)
    if char in "^$":
        raise PatternError(f"{char!r} may stand at the edge only: the whole value has to match in any case")
    if char in _REPEATS:
        raise PatternError(f"{char!r} repeats nothing: write \\{char} for the sign itself")
    test = _one(cursor, char)
    return lambda automaton: automaton.char(test)


def _one(cursor: Cursor, char: str) -> Test:
    match char:
        case "[":
            return char_set(cursor)
        case "\\":
            return escaped(cursor)
        case ".":
            return lambda seen: seen != "\n"
        case _:
            return only(char)


def _group(cursor: Cursor, depth: int) -> Build:
    if cursor.next == "?" and not cursor.took("?:"):
        raise PatternError("a group that begins with (? is not read alike by all engines: write a plain group")
    if depth > _DEEPEST:
        raise PatternError(f"groups stand more than {_DEEPEST} deep in one another: write them flatter")
    inside = _alternatives(cursor, depth)
    if not cursor.took(")"):
        raise PatternError("a group is open: close it with ), or write \\( for the sign itself")
    return inside
