"""Patterns in which `*` stands for anything."""

import re
from collections.abc import Iterable
from functools import lru_cache


def matches_any(patterns: Iterable[str], text: str) -> bool:
    """Whether one of the patterns covers the whole text. `*` is the only wildcard; letter case counts."""
    return any(_covers(pattern, text) for pattern in patterns)


def _covers(pattern: str, text: str) -> bool:
    if "*" not in pattern:
        return pattern == text
    first, *middle, last = _parts(pattern)
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


@lru_cache(maxsize=4096)
def _parts(pattern: str) -> tuple[str, ...]:
    """What stands between the stars; it has to be found from left to right, so no text takes long."""
    return tuple(re.sub(r"\*+", "*", pattern).split("*"))
