"""Cutting a device's time into spans in which nothing changes."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, pairwise

from aicost.domain.attribution.claims import WHOLE, Claim
from aicost.domain.exact.windows import SECOND_MS, Window

HANDOVER_MS = 5 * SECOND_MS
"""A pod that ends this long after its successor was bound has handed over: the scheduler binds after the end, and what
differs is when we heard of it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A claim with the time for which it counts."""

    claim: Claim
    span: Window


@dataclass(frozen=True, slots=True)
class DeviceSpan:
    """A part of a device's time with constant holders.

    Attributes:
        holds: who holds it: none, one, or several that share it.
        unhealthy: the device was lost while the node was billed.
        shared_for: where it is shared, the whole time for which it was so without a break, whoever came and went: over
            all of that its samples are one timeline.
        instance: the MIG instance that it speaks of, empty for a whole device.
    """

    span: Window
    holds: tuple[Hold, ...]
    unhealthy: bool = False
    shared_for: Window | None = None
    instance: str = ""

    @property
    def exclusive(self) -> Hold | None:
        """The one pod that holds the whole device, if it is so."""
        return self.holds[0] if len(self.holds) == 1 and self.holds[0].claim.share == 1 else None


def settle_handovers(claims: Sequence[Claim]) -> tuple[Hold, ...]:
    """Let the later holder of a whole device cut a predecessor short whose end came late or went unseen."""
    if len(claims) < 2:
        return tuple(Hold(claim, claim.tenancy.span) for claim in claims)
    ordered = sorted(claims, key=lambda c: (c.tenancy.span.start_ms, c.tenancy.uid))
    holds = []
    for position, claim in enumerate(ordered):
        span = claim.tenancy.span
        for later in ordered[position + 1 :]:
            start = later.tenancy.span.start_ms
            overlap_ms = span.end_ms - start
            if overlap_ms <= 0:
                break
            hands_over = claim.tenancy.uncertain or overlap_ms <= HANDOVER_MS
            if WHOLE in (claim.share, later.share) and start > span.start_ms and hands_over:
                span = Window(span.start_ms, start)
        holds.append(Hold(claim, span))
    return tuple(holds)


def cut(
    presence: Window, holds: Sequence[Hold], unhealthy: Sequence[Window], instance: str = ""
) -> tuple[DeviceSpan, ...]:
    """Cut the presence of a device or instance at each start and end of a hold and of an unhealthy time.

    The spans partition the presence: they neither overlap nor leave a gap.
    """
    bounds = {presence.start_ms, presence.end_ms}
    for span in (*(hold.span for hold in holds), *unhealthy):
        inside = span.overlap(presence)
        if inside:
            bounds |= {inside.start_ms, inside.end_ms}
    edges = sorted(bounds)
    pieces = [Window(start, end) for start, end in pairwise(edges) if start < end]
    spans = tuple(_spans(pieces, holds, unhealthy, instance))
    if not any(map(_is_shared, spans)):
        return spans
    return tuple(chain.from_iterable(_joined(list(run)) for _, run in groupby(spans, _is_shared)))


def _is_shared(span: DeviceSpan) -> bool:
    return bool(span.holds) and span.exclusive is None


def _joined(run: Sequence[DeviceSpan]) -> Sequence[DeviceSpan]:
    """Spans that follow each other and are all shared, or all not: the shared ones learn how long that was so."""
    if not _is_shared(run[0]):
        return run
    whole = Window(run[0].span.start_ms, run[-1].span.end_ms)
    return [replace(one, shared_for=whole) for one in run]


def _spans(
    pieces: Sequence[Window], holds: Sequence[Hold], unhealthy: Sequence[Window], instance: str
) -> Iterator[DeviceSpan]:
    """The constant state within each piece, in order of time."""
    waiting = deque(sorted(holds, key=lambda hold: hold.span.start_ms))
    active: list[Hold] = []
    for piece in pieces:
        while waiting and waiting[0].span.start_ms <= piece.start_ms:
            active.append(waiting.popleft())
        active = [hold for hold in active if hold.span.end_ms > piece.start_ms]
        lost = bool(unhealthy) and any(piece.overlaps(span) for span in unhealthy)
        yield DeviceSpan(piece, () if lost else tuple(active), unhealthy=lost, instance=instance)
