"""What is known of storage that is claimed, and how long it was claimed in which size."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from aicost.domain.exact.windows import Window

MOST_SIZES = 512
"""Of more changes of size the oldest two become one, at the larger size."""


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """A PersistentVolumeClaim as last seen.

    Attributes:
        storage_class: empty where it names none.
        size_bytes: what it was given, or what it asks for while that is not told.
        bound: a volume stands behind it; before that nothing is paid.
    """

    uid: str
    namespace: str
    name: str
    created_ms: int
    storage_class: str = ""
    size_bytes: int = 0
    bound: bool = False


@dataclass(frozen=True, slots=True)
class SizeStep:
    """What a claim had before it was enlarged."""

    until_ms: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class VolumeRecord:
    """A claim and how long it was there.

    Attributes:
        facts: the claim as last seen.
        since_ms: when it was bound, or the ledger's first moment if that is later; None before.
        until_ms: when it went, None while it is there.
        sizes: what it had before each change, in order of time; now it has what the facts say.
    """

    facts: VolumeFacts
    since_ms: int | None = None
    until_ms: int | None = None
    sizes: tuple[SizeStep, ...] = ()

    def presence(self, window: Window) -> Window | None:
        """The part of the window in which it was there."""
        end = window.end_ms if self.until_ms is None else self.until_ms
        if self.since_ms is None or self.since_ms >= end:
            return None
        return Window(self.since_ms, end).overlap(window)


def advance_volume(record: VolumeRecord | None, facts: VolumeFacts, now_ms: int, epoch_ms: int) -> VolumeRecord:
    """The record of a claim after one more sighting.

    Args:
        record: what was known before, None at the first sighting.
        facts: the claim as it is now.
        now_ms: our own clock.
        epoch_ms: the ledger's first moment; nobody answers for what was before.
    """
    if record is None:  # as it is first seen it has been, as far as anybody knows
        return VolumeRecord(facts, min(max(facts.created_ms, epoch_ms), now_ms) if facts.bound else None)
    if record.until_ms is not None:
        return record
    if record.since_ms is None:
        return VolumeRecord(facts, now_ms if facts.bound else None)
    sizes = record.sizes
    if facts.size_bytes != record.facts.size_bytes and not (sizes and sizes[-1].until_ms >= now_ms):
        sizes = _bounded((*sizes, SizeStep(now_ms, record.facts.size_bytes)))
    return replace(record, facts=replace(facts, bound=True), sizes=sizes)


def vanish_volume(record: VolumeRecord, now_ms: int) -> VolumeRecord:
    """The record of a claim that has left the API server."""
    if record.until_ms is not None:
        return record
    return replace(record, until_ms=max(now_ms, record.since_ms or now_ms))


def sizes_over(record: VolumeRecord, span: Window) -> Iterator[tuple[Window, int]]:
    """Spans in which a claim had the same size, with bytes: they partition the given span."""
    inside = [step for step in record.sizes if span.start_ms < step.until_ms < span.end_ms]
    after = next((step.size_bytes for step in record.sizes if step.until_ms >= span.end_ms), record.facts.size_bytes)
    edges = [span.start_ms, *(step.until_ms for step in inside), span.end_ms]
    sizes = [*(step.size_bytes for step in inside), after]
    for (start, end), size in zip(pairwise(edges), sizes, strict=True):
        if start < end:
            yield Window(start, end), size


def _bounded(sizes: tuple[SizeStep, ...]) -> tuple[SizeStep, ...]:
    if len(sizes) <= MOST_SIZES:
        return sizes
    first, second = sizes[:2]
    return (SizeStep(second.until_ms, max(first.size_bytes, second.size_bytes)), *sizes[2:])
