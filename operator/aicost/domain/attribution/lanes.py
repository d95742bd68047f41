"""A GPU as what can be held of it: all of it, or its MIG instances with what is left beside them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from aicost.domain.attribution.claims import WHOLE, Claim
from aicost.domain.attribution.mig.instances import Instance
from aicost.domain.attribution.spans import DeviceSpan, cut, settle_handovers
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Bucket
from aicost.domain.workloads.gpus.geometry import fits_another, layout_of

UNSHOWN = "?"
"""Name of an instance that no sample shows: none speaks of it, nor of the whole device in its place."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A GPU, or a part of it that has holders of its own, for as long as it is that part.

    Attributes:
        share: its part of the GPU.
        spans: its time, cut at its holders.
        claims: all that ever hold it, with their shares of this part.
        left: for what is left beside instances: its bucket. Nobody can hold that.
    """

    share: Fraction
    spans: tuple[DeviceSpan, ...]
    claims: tuple[Claim, ...] = ()
    left: Bucket | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """What the lanes of one GPU rest on.

    Attributes:
        presence: the time for which it is billed.
        claims: who holds it, or instances of it.
        lost: when it was out of order.
        instances: MIG instances that were created on it; none without MIG.
        model: canonical model.
    """

    presence: Window
    claims: Sequence[Claim]
    lost: Sequence[Window]
    instances: Sequence[Instance] = ()
    model: str | None = None


def lanes_of(device: Device) -> tuple[Lane, ...]:
    """Divide a GPU into what can be held. At each moment the shares of the lanes sum to the whole.

    Under MIG the parts are its instances, held or not: `share = dom / max(1, sum dom)`. A claim that no instance fits
    stands for an instance that nobody shows.
    """
    if not device.instances:
        claims = _by_pod(device.claims)
        return (Lane(WHOLE, cut(device.presence, settle_handovers(claims), device.lost), claims),)
    created = _with_claims(device)
    edges = {device.presence.start_ms, device.presence.end_ms}
    for life in (one.life.overlap(device.presence) for one in created):
        edges |= {life.start_ms, life.end_ms} if life else set()
    return tuple(lane for a, b in pairwise(sorted(edges)) for lane in _epoch(device, Window(a, b), created))


def _epoch(device: Device, epoch: Window, created: Sequence[Instance]) -> Iterator[Lane]:
    """The lanes of a time in which the GPU is cut in the same way."""
    here = [one for one in created if one.life.overlaps(epoch)]
    total = sum((one.share for one in here), Fraction(0))
    scale = max(WHOLE, total)
    for one in here:
        claims = _by_pod([replace(claim, share=min(WHOLE, claim.share / one.share)) for claim in one.claims])
        spans = cut(epoch, settle_handovers(claims), device.lost, one.id)
        yield Lane(one.share / scale, spans, claims)
    if total < WHOLE:
        left = _left(device.model, [one.profile for one in here]) if here else None
        yield Lane(WHOLE - total, cut(epoch, (), device.lost), (), left)


def _by_pod(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """Several parts that a pod holds of the same are one: what it does there is measured once."""
    if len(claims) < 2:
        return tuple(claims)
    found: dict[tuple[int, Window], list[Claim]] = defaultdict(list)
    for claim in claims:
        found[claim.tenancy.pod, claim.tenancy.span].append(claim)
    return tuple(_together(parts) if len(parts) > 1 else parts[0] for parts in found.values())


def _together(parts: Sequence[Claim]) -> Claim:
    share = sum((part.share for part in parts), Fraction(0))
    return replace(parts[0], share=min(WHOLE, share), seen=all(part.seen for part in parts))


def _left(model: str | None, profiles: Sequence[str]) -> Bucket:
    """What is left of a GPU is stranded if no profile fits into it any more."""
    layout = layout_of(profiles, model) or layout_of(profiles, None)
    return Bucket.STRANDED if layout and not fits_another(layout, profiles) else Bucket.UNALLOCATED


def _with_claims(device: Device) -> tuple[Instance, ...]:
    """Give each claim its instance: the one that names it, else a free one of its size, else one that nobody shows.

    Who only watches a device (`adminAccess`) holds no part of it.
    """
    taken: dict[int, list[Claim]] = defaultdict(list)
    unseen: list[Instance] = []
    claims = [claim for claim in device.claims if claim.share]
    for claim in sorted(claims, key=lambda one: (not one.instance, one.tenancy.span.start_ms, one.tenancy.uid)):
        position, guess = _place(claim, device.instances, taken)
        if position is None:
            unseen.append(_unseen(claim))
        else:
            taken[position].append(replace(claim, seen=claim.seen and not guess))
    held = (_held(one, taken[position]) for position, one in enumerate(device.instances))
    return (*held, *unseen)


def _held(instance: Instance, claims: Sequence[Claim]) -> Instance:
    """An instance with its holders; one that only the node told of is called as samples call it that name a holder."""
    name = instance.id or next((claim.instance for claim in claims if claim.instance), "")
    return replace(instance, id=name or UNSHOWN, claims=tuple(claims))


def _unseen(claim: Claim) -> Instance:
    """An instance that is known from its holder alone; one of the whole GPU is the GPU."""
    name = "" if claim.share == WHOLE else claim.instance or UNSHOWN
    return Instance(name, "", claim.share, claim.tenancy.span, (claim,))


def _place(claim: Claim, instances: Sequence[Instance], taken: dict[int, list[Claim]]) -> tuple[int | None, bool]:
    """The position of a claim's instance, and whether another would have done as well."""
    there = [(at, one) for at, one in enumerate(instances) if one.life.overlaps(claim.tenancy.span)]
    fitting = [(at, one) for at, one in there if claim.share <= one.share or not claim.tenancy.asks]
    named = [at for at, one in fitting if claim.instance and claim.instance == one.id]
    if named:
        return named[0], False
    for fits in (_is_all_of, _is_replica_of):
        free = [at for at, one in there if fits(claim, one) and _has_room(claim, one, taken[at])]
        if free:
            return free[0], len(free) > 1 and not (claim.instance and not instances[free[0]].id)
    return None, False


def _is_all_of(claim: Claim, instance: Instance) -> bool:
    return claim.share == instance.share


def _is_replica_of(claim: Claim, instance: Instance) -> bool:
    """Whether it is one of several equal parts of an instance."""
    return 0 < claim.share < instance.share and (instance.share / claim.share).denominator == 1


def _has_room(claim: Claim, instance: Instance, others: Sequence[Claim]) -> bool:
    beside = [one.share for one in others if one.tenancy.span.overlaps(claim.tenancy.span)]
    return sum(beside, claim.share) <= instance.share
