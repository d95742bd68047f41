"""Fractions of KAI and Run:ai: a reservation pod holds the GPU at the kubelet, and the pods of its group share it."""

from collections.abc import Mapping
from fractions import Fraction

from aicost.domain.attribution.claims import Ask
from aicost.domain.attribution.resolvers.parts import NO_SHARE, WHOLE, span_of
from aicost.domain.attribution.resolvers.reading import decimal, whole_number
from aicost.domain.attribution.resolvers.scene import (
    FRACTION,
    FRACTION_MEMORY,
    IGNORED,
    Scene,
    Taken,
    groups_of,
    is_reservation,
)
from aicost.domain.attribution.resolvers.sizes import card_memory_mib
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.inventory.pods import PodFacts, PodRecord

ROUNDED = Fraction(1, 100)
"""The scheduler rounds memory to a fraction, so fractions may sum to a little more than the whole."""


def take_reservation(_: Scene, record: PodRecord, left: Mapping[str, int]) -> Taken | None:
    """A reservation pod holds nothing itself."""
    return Taken(resources=frozenset(left), nothing=True) if is_reservation(record.facts) else None


def take_fraction(scene: Scene, record: PodRecord, left: Mapping[str, int]) -> Taken | None:
    """A pod with a part of the GPU of each of its groups.

    Believed only where the scheduler keeps a reservation pod of the group on the same node. Such a pod asks for no
    extended resource; one that does is billed for that. A fraction that makes no sense, or for which there was no room
    beside the pods that were bound before, gets what is left: what others hold becomes no less by it.
    """
    if left or not (FRACTION in record.facts.annotations or FRACTION_MEMORY in record.facts.annotations):
        return None
    groups = [group for group in groups_of(record.facts) if group in scene.groups]
    if not groups:
        return None
    wanted = fraction_of(scene.facts, record.facts)
    rests = {group: _rest(scene, record, group, everybody=wanted is None) for group in groups}
    shares = {group: rest if wanted is None or wanted > rest + ROUNDED else wanted for group, rest in rests.items()}
    asks = tuple(Ask(share, scene.groups[group]) for group, share in shares.items() if share)
    believed = all(share == wanted for share in shares.values())
    return Taken(asks, flags=() if believed else (IGNORED,), nothing=not asks)


def fraction_of(node: NodeFacts, pod: PodFacts) -> Fraction | None:
    """The fraction of each GPU that a pod asks for, None where its annotations make no sense."""
    if FRACTION in pod.annotations:
        share = decimal(pod.annotations[FRACTION])
        return share if share is not None and 0 < share <= WHOLE else None
    memory, total = whole_number(pod.annotations.get(FRACTION_MEMORY, "")), card_memory_mib(node)
    return min(WHOLE, Fraction(memory, total)) if memory and total else None


def _rest(scene: Scene, record: PodRecord, group: str, *, everybody: bool) -> Fraction:
    """What other pods of a group leave of its GPU while a pod runs: all of them, or those that were there before."""
    span, own = span_of(record), _order(record)
    others = (
        fraction_of(scene.facts, one.facts) or NO_SHARE
        for one in scene.members.get(group, ())
        if one.facts.uid != record.facts.uid and span_of(one).overlaps(span) and (everybody or _order(one) < own)
    )
    return max(NO_SHARE, WHOLE - sum(others, NO_SHARE))


def _order(record: PodRecord) -> tuple[int, int, str]:
    return record.facts.bound_ms or 0, record.facts.created_ms, record.facts.uid
