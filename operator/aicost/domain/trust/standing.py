"""What is said of a node over time: a reason counts once it has lasted, and goes once it stayed away; no flapping."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from aicost.domain.exact.windows import MINUTE_MS
from aicost.domain.trust.reasons import ORDER, REMEDIES, TrustReason, Weight
from aicost.domain.trust.values import Finding, Judged, Trust

HOLD_MS = 5 * MINUTE_MS
"""A reason that was not seen for so long is over."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A reason that stands, or that is about to.

    Attributes:
        first_ms: when it was first seen, without a break of `HOLD_MS` since.
        seen_ms: when it was last seen.
    """

    reason: TrustReason
    message: str
    weight: Weight
    first_ms: int
    seen_ms: int

    @property
    def counts(self) -> bool:
        """Whether it has lasted for long enough to be told."""
        return self.seen_ms - self.first_ms >= REMEDIES[self.reason].raise_ms


@dataclass(frozen=True, slots=True)
class NodeTelemetry:
    """Whether the telemetry of a node can be trusted.

    Attributes:
        since_ms: since when trust is what it is.
        checked_ms: the moment of the last look.
        newest_ms, devices, expected: see `Judged`.
        standings: the gravest first; some do not count yet.
    """

    node: str
    trust: Trust
    since_ms: int
    checked_ms: int
    newest_ms: int | None = None
    devices: int = 0
    expected: int = 0
    standings: tuple[Standing, ...] = field(default=())

    @property
    def reasons(self) -> tuple[Standing, ...]:
        """The reasons that count."""
        return tuple(one for one in self.standings if one.counts)

    @property
    def reason(self) -> str:
        """One word for programs: the gravest reason, or that there is none."""
        if self.trust is Trust.UNKNOWN:
            return SETTLING
        return next((one.reason.value for one in self.reasons), TRUSTED)


TRUSTED, SETTLING = "Trusted", "Settling"
"""Words for a node without a reason: its telemetry is as it should be, or it is too young to be judged."""


def settle(before: Mapping[str, NodeTelemetry], judged: Iterable[Judged], now_ms: int) -> tuple[NodeTelemetry, ...]:
    """What is said of each node now, by what was said before and what was found.

    Args:
        before: by node; empty at first.
        judged: what this look found; nodes that are not in it are forgotten.
        now_ms: the moment of the look.
    """
    return tuple(_settle(before.get(one.node), one, now_ms) for one in judged)


def _settle(before: NodeTelemetry | None, judged: Judged, now_ms: int) -> NodeTelemetry:
    old = {one.reason: one for one in before.standings} if before else {}
    new = {one.reason: _seen(old.get(one.reason), one, now_ms) for one in judged.findings}
    kept = {reason: one for reason, one in old.items() if reason not in new and _holds(one, now_ms)}
    standings = sorted((kept | new).values(), key=lambda one: (one.weight.value, ORDER[one.reason]))
    found = NodeTelemetry(
        judged.node, Trust.YES, now_ms, now_ms, judged.newest_ms, judged.devices, judged.expected, tuple(standings)
    )
    trust = _trust(found, settling=judged.settling)
    since_ms = before.since_ms if before is not None and before.trust is trust else now_ms
    return replace(found, trust=trust, since_ms=since_ms)


def _seen(before: Standing | None, finding: Finding, now_ms: int) -> Standing:
    """A reason that is seen now; its beginning is that of the last time without a long break."""
    first = before.first_ms if before is not None and 0 <= now_ms - before.seen_ms < HOLD_MS else now_ms
    return Standing(finding.reason, finding.message, finding.weight, min(first, now_ms), now_ms)


def _holds(one: Standing, now_ms: int) -> bool:
    """A reason that was told is held for a while; one that did not count yet is forgotten at once."""
    return one.counts and 0 <= now_ms - one.seen_ms < HOLD_MS


def _trust(found: NodeTelemetry, *, settling: bool) -> Trust:
    if any(one.weight is Weight.BREAKS for one in found.reasons):
        return Trust.NO
    return Trust.UNKNOWN if settling else Trust.YES
