"""What people and programs say of answers: whether one was a success, and if not, why.

A statement is about one request of one workload, or of one model. Of several about the same request the last one
counts, so the same statement again changes nothing, and a correction takes its place.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from aicost.domain.exact.windows import DAY_MS, MINUTE_MS, from_rfc3339, to_rfc3339
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.normalise import normalise

OLDEST_DAYS = 35
"""A statement about an older request comes too late."""
AHEAD_MS = 5 * MINUTE_MS
"""Clocks that are fast by so much are forgiven."""
MOST_ITEMS = 5_000
"""Statements of one request."""
MOST_REASONS = 100
"""Reasons of one namespace."""
MOST_TOKENS = 10**9
"""Of one answer."""
SUCCESS, FAILURE = "success", "failure"
WHO = (Dimension.TEAM, Dimension.FEATURE, Dimension.CUSTOMER)
"""Whom a statement may name."""

_FIELDS = ("id", "at", "namespace", "workload", "model", "outcome", "reason", "tokens", *(one.value for one in WHO))
_ID = re.compile(r"[!-~]{1,128}")
_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9._]*[A-Za-z0-9])?(?:/[A-Za-z0-9](?:[-A-Za-z0-9._]*[A-Za-z0-9])?)?")
_NAMESPACE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_REASON = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
_LONGEST_NAME, _LONGEST_MODEL, _LONGEST_REASON, _SHOWN = 253, 253, 63, 40


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement about one request.

    Attributes:
        id: of the request or the trace, as the caller knows it.
        at_ms: when the request was made: the cost of this time bears it.
        workload: name of an AIWorkload, or of a controller with or without its kind; empty where a model is named.
        model: as the engine calls it; empty where a workload is named.
        reason: why it failed, or what made it a success; empty where nobody says.
        tokens: generated tokens of the answer; None where they are not known.
        team, feature, customer: for whom it was, in normal form; empty where nobody says.
    """

    namespace: str
    id: str
    at_ms: int
    success: bool
    workload: str = ""
    model: str = ""
    reason: str = ""
    tokens: int | None = None
    team: str = ""
    feature: str = ""
    customer: str = ""


class BadStatement(ValueError):
    """A statement that makes no sense; the message names the item, the field, the value and the fix."""


def read_statements(
    items: Iterable[tuple[str, Any]], *, now_ms: int, namespace: str | None = None
) -> tuple[Statement, ...]:
    """Read statements. One that makes no sense refuses them all, so that the same file may be sent again.

    Args:
        items: each with what to call it in a message, such as `items[3]` or `line 4`.
        now_ms: the present moment.
        namespace: the one namespace that they may be about; None where each names its own.

    Raises:
        BadStatement: the first that makes no sense, or there are too many reasons.
    """
    found: list[Statement] = []
    reasons: set[tuple[str, str]] = set()
    for place, item in items:
        one = _Reader(place, item, now_ms, namespace).statement()
        reasons.add((one.namespace, one.reason))
        if len(reasons) > MOST_REASONS:
            raise BadStatement(
                f"{place}.reason: {one.reason!r} is one more than {MOST_REASONS} reasons: name kinds of failures, "
                "not single ones"
            )
        found.append(one)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Reader:
    """One item on its way to a statement."""

    place: str
    item: Any
    now_ms: int
    namespace: str | None

    def statement(self) -> Statement:
        self._check_fields()
        success = self._success()
        workload = self._text("workload", _LONGEST_NAME, _NAME.fullmatch, "write NAME or KIND/NAME, such as llm-chat")
        model = self._text("model", _LONGEST_MODEL, str.isprintable, "write the model as its engine calls it")
        if bool(workload) == bool(model):
            raise self._bad("workload", "name either the workload or the model that answered: one of the two")
        reason = self._reason()
        if not success and not reason:
            raise self._bad("reason", "a failure has a reason: write one, such as hallucination or thumbs-down")
        return Statement(
            namespace=self._namespace(),
            id=self._id(),
            at_ms=self._at(),
            success=success,
            workload=workload,
            model=model,
            reason=reason,
            tokens=self._tokens(),
            **{one.value: self._who(one) for one in WHO},
        )

    def _check_fields(self) -> None:
        if not isinstance(self.item, Mapping):
            shown = _shown(self.item)
            raise BadStatement(f"{self.place}: {shown} is no object: write one with id, at, workload and outcome")
        for name in self.item:
            if name not in _FIELDS:
                near = get_close_matches(str(name)[:_SHOWN], _FIELDS, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise BadStatement(f"{self.place}.{_plain(str(name))}: no such field: {hint}use {', '.join(_FIELDS)}")

    def _namespace(self) -> str:
        named = self._text("namespace", 63, _NAMESPACE.fullmatch, "write the name of a namespace")
        if self.namespace is not None and named not in {"", self.namespace}:
            raise self._bad("namespace", f"it is sent to namespace {self.namespace}: leave it out or send it there")
        if not (named or self.namespace):
            raise self._bad("namespace", "say where the workload runs")
        return named or str(self.namespace)

    def _success(self) -> bool:
        said = self.item.get("outcome")
        if said not in (SUCCESS, FAILURE):
            raise self._bad("outcome", f"write {SUCCESS} or {FAILURE}")
        return bool(said == SUCCESS)

    def _id(self) -> str:
        fix = "write the id of the request or trace: 1 to 128 visible ASCII characters, no spaces"
        found = self._text("id", 128, _ID.fullmatch, fix)
        if not found:
            raise self._bad("id", fix)
        return found

    def _at(self) -> int:
        said = self.item.get("at")
        fix = "write when the request was made, such as 2026-03-02T09:30:00Z"
        try:
            at_ms = from_rfc3339(said) if isinstance(said, str) and len(said) <= _SHOWN else None
        except (ValueError, OverflowError):
            at_ms = None
        if at_ms is None:
            raise self._bad("at", fix)
        if at_ms > self.now_ms + AHEAD_MS:
            raise self._bad("at", f"it is {to_rfc3339(self.now_ms)} now, and that is later: {fix}")
        if at_ms < self.now_ms - OLDEST_DAYS * DAY_MS:
            raise self._bad("at", f"it is more than {OLDEST_DAYS} days ago: that is too late")
        return at_ms

    def _reason(self) -> str:
        said = self._text("reason", _LONGEST_REASON, str.isprintable, "write a word or two, such as thumbs-down")
        plain = re.sub(r"[\s_-]+", "-", said.strip().lower()).strip("-.")
        if said and not _REASON.fullmatch(plain):
            raise self._bad("reason", "write letters, digits, dashes and dots, such as thumbs-down")
        return plain

    def _tokens(self) -> int | None:
        said = self.item.get("tokens")
        if said is None:
            return None
        if not isinstance(said, int) or isinstance(said, bool) or not 0 <= said <= MOST_TOKENS:
            raise self._bad("tokens", f"write the generated tokens of the answer: a whole number up to {MOST_TOKENS}")
        return said

    def _who(self, dimension: Dimension) -> str:
        said = self._text(dimension.value, _LONGEST_NAME, str.isprintable, "write a name that can be read")
        return normalise(dimension, said) or ""

    def _text(self, name: str, longest: int, is_good: Callable[[str], object], fix: str) -> str:
        said = self.item.get(name)
        if said is None or said == "":
            return ""
        if not isinstance(said, str) or len(said) > longest or not is_good(said):
            raise self._bad(name, f"{fix} (at most {longest} characters)")
        return said

    def _bad(self, name: str, fix: str) -> BadStatement:
        if name not in self.item:
            return BadStatement(f"{self.place}.{name}: it is missing: {fix}")
        return BadStatement(f"{self.place}.{name}: {_shown(self.item[name])}: {fix}")


def _shown(value: Any) -> str:
    """A value in a message: short, and without characters that a terminal would obey."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping | list):
        return "an object" if isinstance(value, Mapping) else "a list"
    if isinstance(value, str):
        return repr(_plain(value))
    return str(value) if isinstance(value, bool | float) else _number(value)


def _number(value: Any) -> str:
    """An integer may have so many digits that it cannot even be printed."""
    return str(value) if isinstance(value, int) and abs(value) < 10**_SHOWN else "a number of too many digits"


def _plain(text: str) -> str:
    shown = "".join(char if char.isprintable() else "?" for char in text[:_SHOWN])
    return f"{shown}..." if len(text) > _SHOWN else shown
