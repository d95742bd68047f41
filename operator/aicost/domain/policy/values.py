"""The values of a key: their normal form, which of them are allowed, and which one was meant."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from aicost.domain.identity.dimensions import UNTAGGED, Dimension
from aicost.domain.identity.normalise import normalise
from aicost.domain.identity.stages import Stage
from aicost.domain.policy.expressions.automaton import PatternError
from aicost.domain.policy.expressions.patterns import full_match
from aicost.domain.policy.policies import Case, ConfigMapKey, LabelKey

Listed = Mapping[ConfigMapKey, tuple[str, ...]]
"""What ConfigMaps hold, as in `PolicySnapshot.listed`."""

LONGEST_RAW = 253
"""A value is read as far as this. Labels are shorter; what is longer is nobody's name."""
_NEAR = 0.75
_MOST_COMPARED = 2_000
_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


def form_of(dimension: Dimension | None, case: Case, raw: str) -> str | None:
    """The normal form of a value without aliases; None where it says nothing.

    Values of dimensions have the one form of the ledger. Those of an own key are only trimmed, and lower case unless
    the key keeps case: nobody but its owner knows what its signs mean.
    """
    text = raw[:LONGEST_RAW]
    if dimension is not None:
        return normalise(dimension, text)
    text = text.strip().lower() if case is Case.LOWER else text.strip()
    return None if text in {"", UNTAGGED} else text


def canonical(key: LabelKey, raw: str) -> str | None:
    """The value that counts for a written one: its normal form, with aliases followed. It is its own canonical value.

    Where aliases run in a circle, the first of the circle in the alphabet stands for all of it.
    """
    value = form_of(key.dimension, key.case, raw)
    passed: list[str] = []
    while value is not None and value in key.value_aliases:
        if value in passed:
            return min(passed[passed.index(value) :])
        passed.append(value)
        value = form_of(key.dimension, key.case, key.value_aliases[value])
    return value


def in_label(key: LabelKey, value: str) -> str | None:
    """How a value is written as a label, None where a label cannot hold it. A model's slash becomes two dashes."""
    written = value.replace("/", "--") if key.dimension is Dimension.MODEL else value
    return written if _LABEL_VALUE.fullmatch(written) else None


def listed_values(text: str, key: LabelKey) -> tuple[str, ...]:
    """The values that a ConfigMap holds, one a line, in normal form; `#` begins a comment."""
    lines = (line.partition("#")[0] for line in text.splitlines())
    forms = (form_of(key.dimension, key.case, line) for line in lines)
    return tuple(dict.fromkeys(value for value in forms if value is not None))


def known_values(key: LabelKey, listed: Listed) -> tuple[str, ...]:
    """All allowed values that can be named; empty where a pattern or nothing limits them."""
    source = key.allowed.config_map
    named = (*key.allowed.values, *(listed.get(source, ()) if source else ()))
    if not named and key.dimension is Dimension.STAGE:
        return tuple(Stage)
    return tuple(dict.fromkeys(named))


def is_allowed(key: LabelKey, value: str, listed: Listed) -> bool:
    """Whether a canonical value is allowed. Where the list of values cannot be read, or is empty, all are."""
    allowed = key.allowed
    if allowed.config_map is not None and not listed.get(allowed.config_map):
        return True
    known = known_values(key, listed)
    if value in known:
        return True
    if allowed.pattern:
        return follows(allowed.pattern, value)
    return not known and allowed.open


def follows(pattern: str, value: str) -> bool:
    """Whether a value matches a pattern; one that no engine can run limits nothing."""
    try:
        return not pattern or full_match(pattern, value)
    except PatternError:
        return True


def did_you_mean(key: LabelKey, value: str, listed: Listed) -> str:
    """The allowed value that was probably meant, empty where none is near. An alias stands for its value."""
    near = _nearest(value, (*known_values(key, listed), *key.value_aliases))
    meant = "" if near is None else canonical(key, near) or ""
    return meant if meant and is_allowed(key, meant, listed) else ""


def _nearest(value: str, candidates: Iterable[str]) -> str | None:
    """Only candidates of about the same length are compared, and not endlessly many: someone waits for the answer."""
    close = [one for one in candidates if abs(len(one) - len(value)) * 2 <= len(value) + 1]
    found = get_close_matches(value[:LONGEST_RAW], close[:_MOST_COMPARED], 1, _NEAR)
    return found[0] if found else None
