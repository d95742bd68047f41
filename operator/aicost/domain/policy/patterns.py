"""Regular expressions that every engine reads alike, and whose running time grows with the text alone.

The syntax is a part of RE2's, which the API server uses in CEL. An expression becomes an automaton whose states are
bits of an integer (Glushkov's construction), so there is no backtracking and no text that takes exponentially long.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

MOST_STATES = 1_000
"""Most characters that a pattern may stand for, repetitions written out. RE2 has the same bound on repetitions."""
MOST_TEXT = 253
"""A longer text matches nothing: no label's value is longer."""
_DEEPEST = 50

_Test = Callable[[str], bool]
_CLASSES: dict[str, _Test] = {
    "d": lambda char: "0" <= char <= "9",
    "w": lambda char: char == "_" or (char.isascii() and char.isalnum()),
    "s": lambda char: char in "\t\n\f\r ",
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_SPECIAL = frozenset("|)*+?{")


class PatternError(ValueError):
    """The pattern is not one that every engine can run; the text says why and what to write."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of an expression as an automaton.

    Attributes:
        nullable: whether it matches the empty text.
        first, last: bits of the states that a match may begin and end in.
    """

    nullable: bool
    first: int
    last: int


_EMPTY = _Part(nullable=True, first=0, last=0)


def check_pattern(text: str) -> str | None:
    """What is wrong with a pattern and what to write instead; None where all engines can run it."""
    try:
        _compiled(text)
    except PatternError as error:
        return str(error)
    return None


def full_match(pattern: str, text: str) -> bool:
    """Whether a pattern matches a text as a whole.

    Raises:
        PatternError: the pattern is not usable, as `check_pattern` tells.
    """
    return len(text) <= MOST_TEXT and _compiled(pattern).matches(text)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> "_Automaton":
    return _Automaton(pattern)


class _Automaton:
    """The states of one expression: one for each character that it stands for."""

    def __init__(self, pattern: str) -> None:
        self._tests: list[_Test] = []
        self._follow: list[int] = []
        self._whole = _Reader(pattern, self).read()

    def matches(self, text: str) -> bool:
        if not text:
            return self._whole.nullable
        reached = self._whole.first
        for place, char in enumerate(text):
            here = self._passing(reached, char)
            if place == len(text) - 1:
                return bool(here & self._whole.last)
            reached = self._after(here)
        return False

    def state(self, test: _Test) -> _Part:
        """A new state, for one character."""
        if len(self._tests) >= MOST_STATES:
            raise PatternError(f"it stands for more than {MOST_STATES} characters: write smaller repetitions")
        self._tests.append(test)
        self._follow.append(0)
        bit = 1 << (len(self._tests) - 1)
        return _Part(nullable=False, first=bit, last=bit)

    def then(self, one: _Part, other: _Part) -> _Part:
        self._join(one.last, other.first)
        first = one.first | (other.first if one.nullable else 0)
        last = other.last | (one.last if other.nullable else 0)
        return _Part(one.nullable and other.nullable, first, last)

    def again(self, part: _Part) -> _Part:
        """The part once or more often."""
        self._join(part.last, part.first)
        return part

    def _join(self, ends: int, begins: int) -> None:
        for state in _bits(ends):
            self._follow[state] |= begins

    def _passing(self, states: int, char: str) -> int:
        return sum(1 << state for state in _bits(states) if self._tests[state](char))

    def _after(self, states: int) -> int:
        reached = 0
        for state in _bits(states):
            reached |= self._follow[state]
        return reached


def _bits(states: int) -> list[int]:
    found = []
    while states:
        low = states & -states
        found.append(low.bit_length() - 1)
        states ^= low
    return found


class _Reader:
    """Reads an expression from left to right."""

    def __init__(self, pattern: str, automaton: _Automaton) -> None:
        # The whole value has to match, so anchors at the edges say nothing new.
        anchored = pattern.endswith("$") and not pattern.endswith("\\$")
        self._text = pattern.removeprefix("^")[: -1 if anchored else None]
        self._at = 0
        self._depth = 0
        self._automaton = automaton

    def read(self) -> _Part:
        part = self._alternatives()
        if self._at < len(self._text):
            raise PatternError(f"{self._next!r} closes nothing: write \\{self._next} for the sign itself")
        return part

    @property
    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        char = self._next
        if not char:
            raise PatternError("it ends too early: close what is open")
        self._at += 1
        return char

    def _took(self, text: str) -> bool:
        there = self._text.startswith(text, self._at)
        self._at += len(text) if there else 0
        return there

    def _alternatives(self) -> _Part:
        part = self._sequence()
        while self._took("|"):
            other = self._sequence()
            part = _Part(part.nullable or other.nullable, part.first | other.first, part.last | other.last)
        return part

    def _sequence(self) -> _Part:
        part = _EMPTY
        while self._next and self._next not in "|)":
            part = self._automaton.then(part, self._repeated())
        return part

    def _repeated(self) -> _Part:
        start = self._at
        part = self._atom()
        end = self._at
        bounds = self._repetition()
        if bounds is None:
            return part
        if self._next and self._next in "*+{":
            raise PatternError(f"{self._next!r} repeats a repetition: take one of the two out")
        self._took("?")  # a lazy repetition matches the same whole texts
        return self._copies(part, self._text[start:end], *bounds)

    def _repetition(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._took(sign):
                return bounds
        return self._counted() if self._took("{") else None

    def _counted(self) -> tuple[int, int | None]:
        inside, closed, _ = self._text[self._at :].partition("}")
        least, comma, most = inside.partition(",")
        numbers = [least] + ([most] if most else [])
        if not closed or not all(one.isascii() and one.isdigit() and len(one) <= 4 for one in numbers):
            raise PatternError("write a repetition as {3}, {3,} or {3,5}, and \\{ for the sign itself")
        self._at += len(inside) + 1
        low, high = int(least), int(most) if most else None if comma else int(least)
        if high is not None and high < low:
            raise PatternError(f"a repetition of at least {low} and at most {high} is none: swap the two")
        if max(low, high or 0) > MOST_STATES:
            raise PatternError(f"a repetition goes to {MOST_STATES} at most")
        return low, high

    def _copies(self, part: _Part, text: str, low: int, high: int | None) -> _Part:
        """The part as often as it may stand there. Each further one has states of its own, read again from its text."""
        if high == 0:
            return _EMPTY
        if high is None and low <= 1:
            once = self._automaton.again(part)
            return once if low else _Part(nullable=True, first=once.first, last=once.last)
        parts = [part, *(self._again(text) for _ in range((low if high is None else high) - 1))]
        if high is None:
            self._automaton.again(parts[-1])
        whole = _EMPTY
        for place, one in enumerate(parts):
            optional = one if place < low else _Part(nullable=True, first=one.first, last=one.last)
            whole = self._automaton.then(whole, optional)
        return whole

    def _again(self, text: str) -> _Part:
        reader = _Reader("", self._automaton)
        reader._text, reader._depth = text, self._depth  # noqa: SLF001  # the same reader, placed elsewhere
        return reader._atom()  # noqa: SLF001

    def _atom(self) -> _Part:
        char = self._take()
        match char:
            case "(":
                return self._group()
            case "[":
                return self._automaton.state(self._set())
            case ".":
                return self._automaton.state(lambda seen: seen != "\n")
            case "\\":
                return self._automaton.state(self._escaped())
            case "^" | "$":
                raise PatternError(f"{char!r} may stand at the edge only: the whole value has to match in any case")
            case _ if char in _SPECIAL:
                raise PatternError(f"{char!r} repeats nothing: write \\{char} for the sign itself")
            case _:
                return self._automaton.state(lambda seen: seen == char)

    def _group(self) -> _Part:
        if self._next == "?" and not self._took("?:"):
            raise PatternError("a group with (? is read by none of the engines alike: write a plain group")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise PatternError(f"groups stand more than {_DEEPEST} deep in one another: write them flatter")
        part = self._alternatives()
        if not self._took(")"):
            raise PatternError("a group is open: close it with ), or write \\( for the sign itself")
        self._depth -= 1
        return part

    def _escaped(self) -> _Test:
        char = self._take()
        if char in _CLASSES:
            return _CLASSES[char]
        if char.lower() in _CLASSES:
            return _not(_CLASSES[char.lower()])
        if char in _CONTROLS:
            return _is(_CONTROLS[char])
        if char.isalnum():
            raise PatternError(f"\\{char} is not known to all engines: use \\d, \\w, \\s or a set such as [a-z]")
        return _is(char)

    def _set(self) -> _Test:
        denied = self._took("^")
        tests: list[_Test] = []
        while not (tests and self._next == "]"):
            tests.append(self._member())
        self._at += 1
        found: _Test = lambda seen: any(test(seen) for test in tests)  # noqa: E731
        return _not(found) if denied else found

    def _member(self) -> _Test:
        if self._text.startswith("[:", self._at):
            raise PatternError("named sets such as [:alpha:] are not read by all engines: write a-z")
        char = self._take()
        low = self._escaped_in_set() if char == "\\" else char
        if not isinstance(low, str):
            return low
        if self._next != "-" or self._text.startswith("-]", self._at):
            return _is(low)
        self._at += 1
        char = self._take()
        high = self._escaped_in_set() if char == "\\" else char
        if not isinstance(high, str) or high < low:
            raise PatternError(f"the range from {low!r} to {high if isinstance(high, str) else 'a class'!r} is empty")
        return lambda seen: low <= seen <= high

    def _escaped_in_set(self) -> "str | _Test":
        char = self._next
        if char in _CONTROLS:
            self._at += 1
            return _CONTROLS[char]
        if char.isalnum():
            return self._escaped()
        return self._take()


def _is(char: str) -> _Test:
    return lambda seen: seen == char


def _not(test: _Test) -> _Test:
    return lambda seen: not test(seen)
