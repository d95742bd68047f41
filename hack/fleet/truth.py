"""What the bill should say: exact amounts per device, pod and bucket, by brute force.

Each device's time is cut at every moment at which anything changes. Each piece is then constant, and a rule gives its
buckets. No rounding anywhere: amounts are Fractions of nanos and of GPU-milliseconds.

| state of the piece (first that fits) | buckets |
|---|---|
| the node is not there | nothing |
| the GPU is lost | `unhealthy` = C |
| cut into MIG instances | `fleet.sharing.split` within each one's share; what is left is `stranded` or `unallocated` |
| else | `fleet.sharing.split` over the holders; those of a system pod are `system` |

What an activity is worth depends on what could be known: where no exporter shows the device it is not known at all, and
where none tells the pods of a shared device apart, each pod's is not. See `fleet.sharing.sight`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from fleet.activity import ZERO, Program, segments
from fleet.faults import FaultKind
from fleet.script import HOUR_MS, Fleet, Holding, SimGpu, SimNode, SimPod
from fleet.sharing.mig import geometry
from fleet.sharing.sight import Sight, sight
from fleet.sharing.split import Bucket, Mode, Piece, Stake, divide
from fleet.sharing.terms import Part


@dataclass(frozen=True, slots=True)
class Rules:
    """What may be chosen: how a shared device is divided, and what the share of a replica is.

    Attributes:
        mode: the division.
        by_tenants: a pod's share is 1 over the pods on the device; else slots held over slots offered.
    """

    mode: Mode = Mode.TWO_PART
    by_tenants: bool = False


USUAL = Rules()


class Key(NamedTuple):
    """One line of the true bill; `pod_uid` is None where no pod is charged."""

    device: str
    pod_uid: str | None
    bucket: Bucket


@dataclass(frozen=True, slots=True)
class Amount:
    """GPU time and money.

    Attributes:
        gpu_ms: GPU time in all.
        nanos: the cost of what has a price.
        unpriced_ms: GPU time on nodes without a price; what it costs is not known and not in `nanos`.
    """

    gpu_ms: Fraction = ZERO
    nanos: Fraction = ZERO
    unpriced_ms: Fraction = ZERO

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.gpu_ms + other.gpu_ms, self.nanos + other.nanos, self.unpriced_ms + other.unpriced_ms)


def amounts(
    fleet: Fleet,
    from_ms: int,
    to_ms: int,
    *,
    devices: Iterable[str] | None = None,
    known_for_ms: int = 0,
    rules: Rules = USUAL,
) -> dict[Key, Amount]:
    """The true bill of `[from_ms, to_ms)`, without lines of zero GPU time.

    Args:
        fleet: the script.
        from_ms: begin of the window.
        to_ms: end of the window.
        devices: UUIDs to bill; None means all.
        known_for_ms: how long a reader may carry the last value into a gap. Only the rest of the gap is unmeasured.
        rules: how shared devices are divided.
    """
    wanted = None if devices is None else set(devices)
    bill: dict[Key, Amount] = {}
    for node in fleet.nodes:
        for gpu in node.gpus:
            if wanted is None or gpu.uuid in wanted:
                _add_device(bill, _Device(fleet, node, gpu, known_for_ms, rules), from_ms, to_ms)
    return {key: amount for key, amount in bill.items() if amount.gpu_ms}


def capacity(fleet: Fleet, from_ms: int, to_ms: int) -> dict[str, Amount]:
    """What each device costs as a whole, by integrating its price alone: the sum that the buckets must reach."""
    whole = {}
    for node in fleet.nodes:
        cuts = _inside(_edges_of(node), from_ms, to_ms)
        pieces = [_amount(node, a, Fraction(b - a)) for a, b in pairwise(cuts) if _exists(node, a)]
        for gpu in node.gpus:
            whole[gpu.uuid] = sum(pieces, Amount())
    return whole


def totals(fleet: Fleet, bill: Mapping[Key, Amount], by: str) -> dict[str | None, Amount]:
    """The bill summed by `bucket`, `device`, `node`, `model`, `pod` (namespace/name), `namespace` or `team`.

    Lines without a pod fall under None where the question is about pods. A pod's team is its own label, else its
    namespace's, else `untagged`.
    """
    name_of = _Names(fleet)
    sums: dict[str | None, Amount] = {}
    for key, amount in bill.items():
        group = name_of.group(key, by)
        sums[group] = sums.get(group, Amount()) + amount
    return sums


class _Names:
    """What a line of the bill is called under each grouping."""

    def __init__(self, fleet: Fleet) -> None:
        self._pods = {pod.uid: pod for pod in fleet.pods}
        self._nodes = {gpu.uuid: node for node in fleet.nodes for gpu in node.gpus}
        self._teams = {ns.name: dict(ns.labels).get("aicost.dev/team", "untagged") for ns in fleet.namespaces}

    def group(self, key: Key, by: str) -> str | None:
        node = self._nodes[key.device]
        of_device = {"bucket": str(key.bucket), "device": key.device, "node": node.name, "model": node.model.name}
        if by in of_device:
            return of_device[by]
        return None if key.pod_uid is None else self._of_pod(self._pods[key.pod_uid], by)

    def _of_pod(self, pod: SimPod, by: str) -> str:
        if by == "team":
            return dict(pod.labels).get("aicost.dev/team") or self._teams.get(pod.namespace, "untagged")
        return {"pod": f"{pod.namespace}/{pod.name}", "namespace": pod.namespace}[by]


class _Tenant(NamedTuple):
    """A pod and what it holds of the device."""

    pod: SimPod
    holding: Holding

    def level_at(self, at_ms: int) -> Fraction:
        """What it does now: nothing until its container runs."""
        begin, end = self.pod.running or (at_ms + 1, at_ms)
        return self.holding.program.level_at(at_ms - begin) if begin <= at_ms < end else ZERO


class _Device:
    """All that may change on one GPU."""

    def __init__(self, fleet: Fleet, node: SimNode, gpu: SimGpu, known_for_ms: int, rules: Rules) -> None:
        self.node = node
        self.gpu = gpu
        self.uuid = gpu.uuid
        self.known_for_ms = known_for_ms
        self.rules = rules
        self.tenants = [_Tenant(pod, one) for pod in fleet.pods for one in pod.holdings_on(gpu.uuid)]
        self.strays = [stray for stray in node.strays if stray.uuid == gpu.uuid]

    def cuts(self, from_ms: int, to_ms: int) -> list[int]:
        edges = _edges_of(self.node)
        for exporter in self.node.exporters:
            edges |= {exporter.serves_from_ms, exporter.serves_to_ms}
        for fault in self.node.faults:
            edges |= {fault.from_ms, fault.from_ms + self.known_for_ms, fault.to_ms}
        for begin, end, program in self._running():
            edges |= {begin, end}
            first = max(begin, from_ms)
            edges |= {begin + piece.to_ms for piece in segments(program, first - begin, min(end, to_ms) - begin)}
        edges |= {edge for tenant in self.tenants for edge in tenant.pod.holding or ()}
        edges |= {layout.from_ms for layout in self.gpu.layouts}
        return _inside(edges, from_ms, to_ms)

    def _running(self) -> Iterator[tuple[int, int, Program]]:
        for stray in self.strays:
            yield stray.from_ms, stray.to_ms, stray.program
        for tenant in self.tenants:
            if tenant.pod.running is not None:
                yield *tenant.pod.running, tenant.holding.program

    def holders(self, at_ms: int, instance: int | None) -> list[_Tenant]:
        """Who holds a part of the GPU, or of one of its instances."""
        here = [one for one in self.tenants if one.holding.part.instance == instance]
        found = [one for one in here if one.pod.holding and one.pod.holding[0] <= at_ms < one.pod.holding[1]]
        if len(found) > 1 and any(is_alone(one.holding.part) for one in found):
            raise ValueError(f"the script lets {[one.pod.name for one in found]} hold {self.uuid} at the same time")
        return found

    def level(self, at_ms: int, tenants: Iterable[_Tenant], *, strays: bool) -> Fraction:
        """How busy the GPU is, or one of its instances."""
        outside = self.strays if strays else ()
        running = [one.program.level_at(at_ms - one.from_ms) for one in outside if one.from_ms <= at_ms < one.to_ms]
        level = sum(running, ZERO) + sum((tenant.level_at(at_ms) for tenant in tenants), ZERO)
        if level > 1:
            raise ValueError(f"the script makes {self.uuid} busier than 1 at {at_ms}")
        return level

    def lost(self, at_ms: int) -> bool:
        return any(f.kind is FaultKind.LOST and f.touches(at_ms, exporter=-1, uuid=self.uuid) for f in self.node.faults)

    def raw(self, tenant: _Tenant, tenants: Iterable[_Tenant]) -> Fraction:
        """The share that a pod reserved, before shares that sum to more than 1 are cut."""
        part = tenant.holding.part
        others = list(tenants)
        if part.claim is not None:
            name = (tenant.pod.namespace, part.claim.name)
            users = sum(_claim_of(one) == name for one in others)
            return ZERO if part.claim.admin else (part.claim.consumed or Fraction(1)) / users
        if part.slots:
            return Fraction(1, len(others)) if self.rules.by_tenants else Fraction(part.slots, self.node.sharing.slots)
        reserved = max(part.cores, Fraction(part.memory_mib, self.node.model.memory_mib))
        return reserved or Fraction(1)


def is_alone(part: Part) -> bool:
    """Whether a part is all of the GPU, or of its instance, and nobody else's."""
    return not (part.slots or part.cores or part.memory_mib or part.claim)


def _claim_of(tenant: _Tenant) -> tuple[str, str] | None:
    claim = tenant.holding.part.claim
    return None if claim is None else (tenant.pod.namespace, claim.name)


def _inside(edges: set[int], from_ms: int, to_ms: int) -> list[int]:
    return sorted({from_ms, to_ms} | {edge for edge in edges if from_ms < edge < to_ms})


def _edges_of(node: SimNode) -> set[int]:
    return {node.booted_ms, node.removed_ms} | {step.from_ms for step in (node.price.steps if node.price else ())}


def _exists(node: SimNode, at_ms: int) -> bool:
    return node.booted_ms <= at_ms < node.removed_ms


def _amount(node: SimNode, at_ms: int, gpu_ms: Fraction) -> Amount:
    if node.price is None:
        return Amount(gpu_ms, unpriced_ms=gpu_ms)
    return Amount(gpu_ms, node.price.gpu_nanos_per_hour(at_ms, len(node.gpus)) * gpu_ms / HOUR_MS)


def _add_device(bill: dict[Key, Amount], device: _Device, from_ms: int, to_ms: int) -> None:
    cuts = device.cuts(from_ms, to_ms)
    for begin, end in pairwise(cuts):
        for pod_uid, bucket, part in _pieces(device, begin):
            key = Key(device.uuid, pod_uid, bucket)
            bill[key] = bill.get(key, Amount()) + _amount(device.node, begin, part * (end - begin))


def _pieces(device: _Device, at_ms: int) -> list[Piece]:
    """The rule of the table at the top of this file; the parts sum to 1 while the node is there."""
    if not _exists(device.node, at_ms):
        return []
    if device.lost(at_ms):
        return [Piece(None, Bucket.UNHEALTHY, Fraction(1))]
    instances = device.gpu.instances_at(at_ms)
    if not instances:
        return _divided(device, at_ms, None)
    cut = geometry(device.node.model.name)
    dominant = {one.id: cut.dominant(one.profile) for one in instances}
    made = sum(dominant.values(), ZERO)
    whole = max(Fraction(1), made)
    left = Bucket.UNALLOCATED if cut.fits_another(instances) else Bucket.STRANDED
    pieces = [Piece(None, left, 1 - made / whole)]
    for one, size in dominant.items():
        pieces += [Piece(owner, bucket, part * size / whole) for owner, bucket, part in _divided(device, at_ms, one)]
    return pieces


def _divided(device: _Device, at_ms: int, instance: int | None) -> list[Piece]:
    """The parts of the GPU, or of one of its instances."""
    tenants = device.holders(at_ms, instance)
    seen: Sight = sight(device.node, device.uuid, at_ms, device.known_for_ms, is_instance=instance is not None)
    level = device.level(at_ms, tenants, strays=instance is None)
    stakes = [
        Stake(one.pod.uid, device.raw(one, tenants), one.level_at(at_ms) if seen.pods else None, one.pod.system)
        for one in tenants
    ]
    return divide(level if seen.device else None, stakes, device.rules.mode)
