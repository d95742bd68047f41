"""ResourceClaims: which devices one was given, how long, and what of a GPU each of these is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from aicost.domain.exact.windows import Window

MOST_STEPS = 64
"""Of more allocations the oldest are forgotten: no claim is given devices so often within what is kept."""


@dataclass(frozen=True, slots=True)
class AllocatedDevice:
    """One result of an allocation.

    Attributes:
        driver, pool, device: how a ResourceSlice names it.
        admin: it is watched and not held (`adminAccess`).
        consumed: capacity -> thousandths of its unit that the claim takes of a device that several claims may share.
    """

    driver: str
    pool: str
    device: str
    admin: bool = False
    consumed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """A ResourceClaim as last seen.

    Attributes:
        devices: what it is given; empty while nothing is.
    """

    uid: str
    namespace: str
    name: str
    created_ms: int
    devices: tuple[AllocatedDevice, ...] = ()


@dataclass(frozen=True, slots=True)
class AllocationStep:
    """Devices that a claim had for a while.

    Attributes:
        until_ms: when they were released, None while it has them.
    """

    since_ms: int
    until_ms: int | None
    devices: tuple[AllocatedDevice, ...]

    def length_within(self, span: Window) -> int:
        """Milliseconds of a span in which the claim had them."""
        end_ms = span.end_ms if self.until_ms is None else min(self.until_ms, span.end_ms)
        return max(0, end_ms - max(self.since_ms, span.start_ms))


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """A claim and what it had when.

    Attributes:
        steps: its allocations in order of time; they do not overlap.
        gone_ms: when the object left the API server, None while it is there.
    """

    facts: ClaimFacts
    steps: tuple[AllocationStep, ...] = ()
    gone_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ClaimedDevice:
    """What a pod holds through a claim, told by claim and slices together.

    Attributes:
        claim: uid of the claim; pods that share one share what it was given.
        device: UUID of the GPU behind it, or the name that it has on its node; empty where no slice tells.
        share: of the GPU, all pods of the claim together: 1 for a whole one; 0 for what is only watched.
        instance: UUID or name of the partition that it is.
        assumed: how large it is was not told, and is taken to be the whole.
    """

    claim: str
    device: str
    share: Fraction
    instance: str = ""
    assumed: bool = False


def advance_claim(record: ClaimRecord | None, facts: ClaimFacts, now_ms: int) -> ClaimRecord:
    """The record of a claim after one more sighting.

    Args:
        record: what was known before, None at the first sighting: then it has been as it is since it was made.
        facts: the claim as it is now.
        now_ms: our own clock.
    """
    if record is None:
        since_ms = min(facts.created_ms, now_ms)
        return ClaimRecord(facts, (AllocationStep(since_ms, None, facts.devices),) if facts.devices else ())
    if record.gone_ms is not None:
        return record
    steps = record.steps
    if facts.devices != record.facts.devices:
        steps = _closed(steps, now_ms)
        if facts.devices:
            steps = (*steps, AllocationStep(now_ms, None, facts.devices))
    return ClaimRecord(facts, steps[-MOST_STEPS:])


def vanish_claim(record: ClaimRecord, now_ms: int) -> ClaimRecord:
    """The record of a claim that has left the API server."""
    if record.gone_ms is not None:
        return record
    return replace(record, steps=_closed(record.steps, now_ms), gone_ms=now_ms)


def _closed(steps: tuple[AllocationStep, ...], now_ms: int) -> tuple[AllocationStep, ...]:
    if not steps or steps[-1].until_ms is not None:
        return steps
    return (*steps[:-1], replace(steps[-1], until_ms=max(now_ms, steps[-1].since_ms)))
