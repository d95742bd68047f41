"""Regular expressions that every engine reads alike, and whose running time grows with the text alone.

The syntax is a part of RE2's, which the API server runs in CEL: letters, sets, classes, groups, alternatives and
repetitions, but no look-around, no references back and no flags.
"""

from functools import lru_cache

from aicost.domain.policy.expressions.automaton import Automaton, Part, PatternError
from aicost.domain.policy.expressions.reading import read_pattern

MOST_TEXT = 253
"""A longer text matches nothing: no value of a label is longer."""


def check_pattern(pattern: str) -> str | None:
    """What is wrong with a pattern and what to write instead; None where all engines can run it."""
    try:
        _compiled(pattern)
    except PatternError as error:
        return str(error)
    return None


def full_match(pattern: str, text: str) -> bool:
    """Whether a pattern matches a text as a whole.

    Raises:
        PatternError: the pattern is not usable, as `check_pattern` tells.
    """
    automaton, whole = _compiled(pattern)
    return len(text) <= MOST_TEXT and automaton.matches(whole, text)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> tuple[Automaton, Part]:
    automaton = Automaton()
    return automaton, read_pattern(pattern)(automaton)
