"""Sets of characters, such as `[a-z_]`, and what a backslash stands for."""

from aicost.domain.policy.expressions.automaton import PatternError, Test
from aicost.domain.policy.expressions.cursor import Cursor

_CLASSES: dict[str, Test] = {
    "d": lambda char: "0" <= char <= "9",
    "w": lambda char: char == "_" or (char.isascii() and char.isalnum()),
    "s": lambda char: char in "\t\n\f\r ",
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}


def only(char: str) -> Test:
    """This character."""
    return lambda seen: seen == char


def escaped(cursor: Cursor) -> Test:
    """What stands after a backslash.

    Raises:
        PatternError: not all engines know it.
    """
    meant = _escape(cursor)
    return only(meant) if isinstance(meant, str) else meant


def char_set(cursor: Cursor) -> Test:
    """What stands after an opening bracket, up to the closing one.

    Raises:
        PatternError: it is not closed, or a range in it is empty.
    """
    denied = cursor.took("^")
    tests = [_member(cursor)]
    while not cursor.took("]"):
        tests.append(_member(cursor))

    def among(seen: str) -> bool:
        return any(test(seen) for test in tests)

    return _not(among) if denied else among


def _member(cursor: Cursor) -> Test:
    if cursor.sees("[:"):
        raise PatternError("named sets such as [:alpha:] are not read by all engines: write a-z")
    low = _single(cursor)
    if not isinstance(low, str):
        return low
    if cursor.sees("-]") or not cursor.took("-"):
        return only(low)
    high = _single(cursor)
    if not isinstance(high, str) or high < low:
        raise PatternError(f"the range that begins with {low!r} is empty: write the smaller end first")
    return lambda seen: low <= seen <= high


def _single(cursor: Cursor) -> str | Test:
    char = cursor.take()
    return _escape(cursor) if char == "\\" else char


def _escape(cursor: Cursor) -> str | Test:
    """A character, or a class of them."""
    char = cursor.take()
    if char.lower() in _CLASSES:
        test = _CLASSES[char.lower()]
        return test if char.islower() else _not(test)
    if char in _CONTROLS:
        return _CONTROLS[char]
    if char.isalnum():
        raise PatternError(f"\\{char} is not known to all engines: use \\d, \\w, \\s or a set such as [a-z]")
    return char


def _not(test: Test) -> Test:
    return lambda seen: not test(seen)
