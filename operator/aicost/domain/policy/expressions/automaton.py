"""An automaton whose states are the bits of an integer (Glushkov's construction): it never goes back in a text."""

from collections.abc import Callable
from dataclasses import dataclass

MOST_STATES = 1_000
"""Most characters that an expression may stand for, repetitions written out. RE2 bounds repetitions alike."""

Test = Callable[[str], bool]
"""Whether a character will do."""


class PatternError(ValueError):
    """The pattern is not one that every engine can run; the text says why and what to write."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an expression.

    Attributes:
        nullable: whether it matches the empty text.
        first, last: the states that a match may begin and end in.
    """

    nullable: bool
    first: int
    last: int


EMPTY = Part(nullable=True, first=0, last=0)


class Automaton:
    """The states of one expression, one for each character that it stands for, and which may follow which."""

    def __init__(self) -> None:
        self._tests: list[Test] = []
        self._follow: list[int] = []
        self._joined = 0

    def char(self, test: Test) -> Part:
        """One character.

        Raises:
            PatternError: there are too many of them.
        """
        if len(self._tests) >= MOST_STATES:
            raise PatternError(f"it stands for more than {MOST_STATES} characters: write smaller repetitions")
        state = 1 << len(self._tests)
        self._tests.append(test)
        self._follow.append(0)
        return Part(nullable=False, first=state, last=state)

    def then(self, one: Part, other: Part) -> Part:
        """One after the other."""
        self._join(one.last, other.first)
        first = one.first | (other.first if one.nullable else 0)
        last = other.last | (one.last if other.nullable else 0)
        return Part(one.nullable and other.nullable, first, last)

    def repeat(self, part: Part) -> Part:
        """The part once or more often."""
        self._join(part.last, part.first)
        return part

    def matches(self, whole: Part, text: str) -> bool:
        """Whether the text is a match from its beginning to its end."""
        if not text:
            return whole.nullable
        reached, here = whole.first, 0
        for char in text:
            here = self._passing(reached, char)
            reached = self._after(here)
        return bool(here & whole.last)

    def _join(self, ends: int, begins: int) -> None:
        self._joined += 1
        if self._joined > 10 * MOST_STATES:
            raise PatternError("its repetitions of nothing never end: take them out")
        for state in _bits(ends):
            self._follow[state] |= begins

    def _passing(self, states: int, char: str) -> int:
        return sum(1 << state for state in _bits(states) if self._tests[state](char))

    def _after(self, states: int) -> int:
        reached = 0
        for state in _bits(states):
            reached |= self._follow[state]
        return reached


def either(one: Part, other: Part) -> Part:
    """One or the other."""
    return Part(one.nullable or other.nullable, one.first | other.first, one.last | other.last)


def optional(part: Part) -> Part:
    """The part or nothing."""
    return Part(nullable=True, first=part.first, last=part.last)


def _bits(states: int) -> list[int]:
    found = []
    while states:
        low = states & -states
        found.append(low.bit_length() - 1)
        states ^= low
    return found
