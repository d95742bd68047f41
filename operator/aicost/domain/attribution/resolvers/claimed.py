"""Devices that a pod holds through ResourceClaims."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import pairwise

from aicost.domain.attribution.claims import Ask
from aicost.domain.attribution.resolvers.parts import span_of
from aicost.domain.attribution.resolvers.scene import ASSUMED, Scene, Taken
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.dra.claims import ClaimedDevice
from aicost.domain.inventory.pods import PodRecord

MOST_CUTS = 4_096
"""Starts and ends of pods that share a claim with one pod; later ones change its part no more."""


def take_claimed(scene: Scene, record: PodRecord, left: Mapping[str, int]) -> Taken | None:
    """What claims gave a pod.

    Pods that share a claim share what it was given: each has an equal part at each moment. Pods that share a whole
    device all ask for the whole of it, which comes to the same. A device that is only watched (`adminAccess`) is held
    by nobody.
    """
    if not record.claimed:
        return None
    served = frozenset(record.facts.claimed_resources) & left.keys()
    flags = (ASSUMED,) if any(one.assumed and one.share for one in record.claimed) else ()
    held = tuple(one for one in record.claimed if one.share)
    if not held:
        return Taken((), served, flags, nothing=not left.keys() - served)
    if all(one.share == 1 for one in held):
        return Taken(tuple(_ask(scene, one, Fraction(1)) for one in held), served, flags)
    pieces = tuple((span, _asks(scene, held, among)) for span, among in _shared(scene, record, held))
    if len(pieces) == 1:
        return Taken(pieces[0][1], served, flags)
    return Taken((), served, flags, pieces=pieces)


def _asks(scene: Scene, held: Iterable[ClaimedDevice], among: Mapping[str, int]) -> tuple[Ask, ...]:
    return tuple(_ask(scene, one, one.share if one.share == 1 else one.share / among[one.claim]) for one in held)


def _ask(scene: Scene, one: ClaimedDevice, share: Fraction) -> Ask:
    device = one.device if one.device in scene.devices else ""
    return Ask(share, device, one.instance if device else "")


def _shared(scene: Scene, record: PodRecord, held: Iterable[ClaimedDevice]) -> list[tuple[Window, dict[str, int]]]:
    """Spans of a pod in which each of its claims is shared by as many pods, with their number by claim."""
    own, claims = span_of(record), {one.claim for one in held}
    edges = {own.start_ms, own.end_ms}
    for claim in claims:
        for span in scene.sharers.get(claim, ())[:MOST_CUTS]:
            edges |= {at_ms for at_ms in (span.start_ms, span.end_ms) if own.start_ms < at_ms < own.end_ms}
    found: list[tuple[Window, dict[str, int]]] = []
    for start_ms, end_ms in pairwise(sorted(edges)):
        among = {claim: _sharing(scene.sharers.get(claim, ()), start_ms) for claim in claims}
        if found and found[-1][1] == among:
            found[-1] = (Window(found[-1][0].start_ms, end_ms), among)
        else:
            found.append((Window(start_ms, end_ms), among))
    return found


def shared_away(scene: Scene, record: PodRecord, at_ms: int) -> Fraction:
    """How much of the whole devices that a pod asks for is the part of others that share its claims at a moment."""
    whole = (one for one in record.claimed if one.share == 1)
    parts = (Fraction(1, _sharing(scene.sharers.get(one.claim, ()), at_ms)) for one in whole)
    return sum((1 - part for part in parts), Fraction(0))


def _sharing(spans: Iterable[Window], at_ms: int) -> int:
    return max(1, sum(span.start_ms <= at_ms < span.end_ms for span in spans))
