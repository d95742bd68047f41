"""Tells people what happened to an object, as a Kubernetes Event: each thing once in a while, and never in a flood."""

import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.resources import EVENTS
from aicost.domain.exact.windows import MINUTE_MS, to_datetime
from aicost.ports.errors import AicostError

NOTE_LIMIT = 1_024
REMEMBERED = 4_096


class Severity(StrEnum):
    """Types of Events that Kubernetes knows."""

    NORMAL = "Normal"
    WARNING = "Warning"


class Outcome(StrEnum):
    """What became of an Event.

    `repeated`: the same was posted lately. `limited`: too many at once. `failed`: the API server did not take it.
    """

    POSTED = "posted"
    REPEATED = "repeated"
    LIMITED = "limited"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Regarding:
    """The object that an Event is about; no namespace for what lives in none."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened.

    Attributes:
        reason: one CamelCase word for machines, such as `PriceMissing`.
        note: what a person reads: what is wrong and what to do. Cut to 1024 bytes.
        action: what we were doing, one CamelCase word.
    """

    regarding: Regarding
    reason: str
    note: str
    severity: Severity = Severity.NORMAL
    action: str = "Reconcile"


@dataclass(frozen=True, slots=True)
class EventLimits:
    """How much is posted.

    Attributes:
        window_ms: the same Event is posted once in this time.
        burst: Events that may follow each other without a pause.
        refill_ms: time after which one more may be posted.
    """

    window_ms: int = 10 * MINUTE_MS
    burst: int = 50
    refill_ms: int = 1_000


@dataclass(slots=True)
class _Posted:
    at_ms: int
    repeats: int = 0


@dataclass(slots=True)
class EventPoster:
    """Posts Events. Failing to post one never fails the work that it tells of.

    Attributes:
        component: who reports: our name and the instance's.
        outcomes: what became of all Events so far.
        problem: why the last one failed.
    """

    client: KubeClient
    component: tuple[str, str]
    now_ms: Callable[[], int]
    limits: EventLimits = field(default_factory=EventLimits)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    problem: str | None = None
    _posted: "OrderedDict[tuple[Regarding, str, str], _Posted]" = field(default_factory=OrderedDict)
    _tokens: float | None = None
    _filled_ms: int = 0

    async def post(self, happening: Happening) -> Outcome:
        """Post an Event unless it was posted lately or there are too many."""
        outcome = await self._post(happening, self.now_ms())
        self.outcomes[outcome] += 1
        return outcome

    async def _post(self, happening: Happening, now: int) -> Outcome:
        key = (happening.regarding, happening.reason, happening.note)
        last = self._posted.get(key)
        if last is not None and 0 <= now - last.at_ms < self.limits.window_ms:
            last.repeats += 1
            return Outcome.REPEATED
        if not self._take_token(now):
            return Outcome.LIMITED
        self._remember(key, now)
        return await self._send(happening, now, last.repeats if last is not None else 0)

    async def _send(self, happening: Happening, now: int, repeats: int) -> Outcome:
        body = _body(happening, self.component, now, repeats)
        try:
            await self.client.create(EVENTS, body, _namespace(happening.regarding))
        except AicostError as error:
            self.problem = str(error)
            self._posted.pop((happening.regarding, happening.reason, happening.note), None)
            return Outcome.FAILED
        return Outcome.POSTED

    def _remember(self, key: tuple[Regarding, str, str], now: int) -> None:
        self._posted[key] = _Posted(now)
        self._posted.move_to_end(key)
        while len(self._posted) > REMEMBERED:
            self._posted.popitem(last=False)

    def _take_token(self, now: int) -> bool:
        """A bucket that fills by one each `refill_ms`; a clock set back fills nothing."""
        filled = self.limits.burst if self._tokens is None else self._tokens
        filled += max(0, now - self._filled_ms) / self.limits.refill_ms
        self._tokens, self._filled_ms = min(float(self.limits.burst), filled), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _namespace(regarding: Regarding) -> str:
    """Events of objects that live in no namespace live in `default`: Kubernetes accepts no other."""
    return regarding.namespace or "default"


def _body(happening: Happening, component: tuple[str, str], now: int, repeats: int) -> dict[str, object]:
    regarding = happening.regarding
    name, namespace = f"{regarding.name[:200]}.{secrets.token_hex(8)}", _namespace(regarding)
    suffix = f" ({repeats} more since the last one)" if repeats else ""
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {"name": name, "namespace": namespace},
        "eventTime": to_datetime(now).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": component[0],
        "reportingInstance": component[1][:128],
        "type": str(happening.severity),
        "reason": happening.reason,
        "action": happening.action,
        "note": _cut(happening.note, NOTE_LIMIT - len(suffix)) + suffix,
        "regarding": _reference(regarding),
    }


def _reference(regarding: Regarding) -> dict[str, str]:
    reference = {"apiVersion": regarding.api_version, "kind": regarding.kind, "name": regarding.name}
    optional = {"namespace": regarding.namespace, "uid": regarding.uid}
    return reference | {key: value for key, value in optional.items() if value}


def _cut(text: str, limit: int) -> str:
    """At most so many bytes, never half a character."""
    encoded = text.encode()
    return text if len(encoded) <= limit else encoded[: limit - 3].decode("utf-8", "ignore") + "..."
