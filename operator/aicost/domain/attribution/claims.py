"""Who held which device of a node, when, and with what share of it.

The API server says how many devices a pod held and for how long; samples say which ones. Both are needed: a pod that
pulls its image holds a device that no sample names, and a sample may name a pod that ended long ago.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.inventory.nodes import NodeFacts, SharingMode
from aicost.domain.sampling.series import DeviceSeries

WHOLE = Fraction(1)
LINGERS_MS = MINUTE_MS
"""Exporters may go on to name a pod that has ended. Where a device wore a pod's name within this time before the pod
was bound, it is the name of an earlier pod."""


@dataclass(frozen=True, slots=True)
class Tenancy:
    """A pod on a node while it held devices.

    Attributes:
        pod: index into the pods of the attribution; the tenancy's identity.
        name: (namespace, name), as samples call it.
        uid: identity of the pod; a pod recreated under its name is another one.
        span: whole time that it held its devices, beyond the billing window too.
        shares: raw share of each device that it asked for (`(1, 1)` for two whole GPUs, `(1/4,)` for one slot of four);
            empty for a pod that asked for none but that samples show on a device.
        uncertain: the end went unseen and was told from samples; whoever holds the device next cuts it short.
    """

    pod: int
    name: tuple[str, str]
    uid: str
    span: Window
    shares: tuple[Fraction, ...]
    uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A tenancy's hold on one device.

    Attributes:
        seen: samples named the pod on this device, or no other device was left to it.
    """

    tenancy: Tenancy
    share: Fraction
    seen: bool


@dataclass(slots=True)
class _Board:
    """Devices of one node with the claims given out so far."""

    claims: dict[str, list[Claim]] = field(default_factory=lambda: defaultdict(list))

    def load(self, device: str, span: Window) -> Fraction:
        """Sum of the shares that overlap the span: an upper bound of what is taken at any moment in it."""
        return sum((c.share for c in self.claims[device] if c.tenancy.span.overlaps(span)), Fraction(0))


def assign(
    facts: NodeFacts, devices: Sequence[str], tenancies: Sequence[Tenancy], series: Iterable[DeviceSeries]
) -> Mapping[str, tuple[Claim, ...]]:
    """Give each tenancy its devices: first those that samples name, then free ones in order.

    Returns:
        Device -> claims. A device that was picked although another would have done as well is marked unseen: that the
        pod held a device is certain, which one is not, so its activity proves nothing.
    """
    if not devices:
        return {}
    evidence = _evidence(tenancies, series, devices)
    board = _Board()
    missing: list[tuple[Tenancy, tuple[Fraction, ...]]] = []
    for tenancy in sorted(tenancies, key=lambda t: (t.span.start_ms, t.uid, t.name)):
        left = _place_seen(board, tenancy, evidence.get(tenancy.pod, {}))
        if left:
            missing.append((tenancy, left))
    exclusive = facts.sharing is SharingMode.EXCLUSIVE
    certain = {t.pod: exclusive and _is_forced(board, devices, t, len(left)) for t, left in missing}
    for tenancy, left in missing:
        _place_unseen(board, devices, tenancy, left, seen=certain[tenancy.pod])
    return {device: tuple(board.claims[device]) for device in devices if board.claims[device]}


def _is_forced(board: _Board, devices: Sequence[str], tenancy: Tenancy, wanted: int) -> bool:
    """True if samples leave the tenancy exactly the devices it asked for: then which ones is no guess."""
    return sum(not board.load(device, tenancy.span) for device in devices) == wanted


def names_on(series: DeviceSeries) -> tuple[tuple[str, str], ...]:
    """The pods, as (namespace, name), that samples show on a device: none, one, or several that share it."""
    return series.holders or ((series.holder,) if series.holder else ())


@dataclass(slots=True)
class _Evidence:
    """What samples say for a pod on a device.

    Attributes:
        samples: how many name the pod there while it held devices.
        worn: the device wore the same name just before: an earlier pod's, which may still be there.
    """

    samples: int = 0
    worn: bool = False


def _evidence(
    tenancies: Sequence[Tenancy], series: Iterable[DeviceSeries], devices: Sequence[str]
) -> dict[int, dict[str, _Evidence]]:
    """Tenancy -> device -> samples that name the pod on the device while it held it."""
    known = set(devices)
    by_name: dict[tuple[str, str], list[Tenancy]] = defaultdict(list)
    for tenancy in tenancies:
        by_name[tenancy.name].append(tenancy)
    found: dict[int, dict[str, _Evidence]] = defaultdict(lambda: defaultdict(_Evidence))
    for one in series:
        if one.device not in known:
            continue
        for tenancy in (tenancy for name in names_on(one) for tenancy in by_name.get(name, ())):
            if one.holder_uid and one.holder_uid != tenancy.uid:
                continue
            bounds = (tenancy.span.start_ms - LINGERS_MS, tenancy.span.start_ms, tenancy.span.end_ms)
            before, start, end = np.searchsorted(one.at_ms, bounds).tolist()
            if end > start:
                evidence = found[tenancy.pod][one.device]
                evidence.samples += end - start
                evidence.worn |= start > before
    return found


def _place_seen(board: _Board, tenancy: Tenancy, evidence: Mapping[str, _Evidence]) -> tuple[Fraction, ...]:
    """Place the tenancy on the devices that samples name; return the shares still to place.

    First those that took on its name after it was bound, then those with most samples.
    """
    ranked = sorted(evidence, key=lambda device: (evidence[device].worn, -evidence[device].samples, device))
    if not tenancy.shares:
        for device in ranked:
            board.claims[device].append(Claim(tenancy, WHOLE, seen=True))
        return ()
    for device, share in zip(ranked, tenancy.shares, strict=False):
        board.claims[device].append(Claim(tenancy, share, seen=True))
    return tenancy.shares[len(ranked) :]


def _place_unseen(
    board: _Board, devices: Sequence[str], tenancy: Tenancy, shares: tuple[Fraction, ...], *, seen: bool
) -> None:
    """Place shares that no sample names: on the first device with room, else on the least loaded."""
    for share in shares:
        load = {device: board.load(device, tenancy.span) for device in devices}
        room = next((device for device in devices if load[device] + share <= 1), None)
        pick = room if room is not None else min(devices, key=load.__getitem__)
        board.claims[pick].append(Claim(tenancy, share, seen=seen and room is not None))
