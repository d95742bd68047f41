"""What the bill should say: exact amounts per device, pod and bucket, by brute force.

Each device's time is cut at every moment at which anything changes. Each piece is then constant, and the rule of
exclusive devices gives its buckets. No rounding anywhere: amounts are Fractions of nanos and of GPU-milliseconds.

| state of the piece (first that fits) | buckets |
|---|---|
| the node is not there | nothing |
| the GPU is lost | `unhealthy` = C |
| held by a system pod | `system` = C |
| held, activity not known | `allocated-unmeasured` = C |
| held, activity U | `used` = C*U, `allocated-idle` = C*(1-U) |
| not held, activity not known | `unallocated` = C |
| not held, activity U | `unattributed` = C*U, `unallocated` = C*(1-U) |
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from fleet.activity import ZERO, Program, segments
from fleet.exporter.dialects import exported_fields
from fleet.faults import FaultKind
from fleet.script import HOUR_MS, Fleet, SimGpu, SimNode, SimPod


class Bucket(StrEnum):
    """Where a device's money goes."""

    USED = "used"
    ALLOCATED_IDLE = "allocated-idle"
    ALLOCATED_UNMEASURED = "allocated-unmeasured"
    UNALLOCATED = "unallocated"
    UNATTRIBUTED = "unattributed"
    UNHEALTHY = "unhealthy"
    SYSTEM = "system"


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
    fleet: Fleet, from_ms: int, to_ms: int, *, devices: Iterable[str] | None = None, known_for_ms: int = 0
) -> dict[Key, Amount]:
    """The true bill of `[from_ms, to_ms)`, without lines of zero GPU time.

    Args:
        fleet: the script.
        from_ms: begin of the window.
        to_ms: end of the window.
        devices: UUIDs to bill; None means all.
        known_for_ms: how long a reader may carry the last value into a gap. Only the rest of the gap is unmeasured.
    """
    wanted = None if devices is None else set(devices)
    bill: dict[Key, Amount] = {}
    for node in fleet.nodes:
        for gpu in node.gpus:
            if wanted is None or gpu.uuid in wanted:
                _add_device(bill, _Device(fleet, node, gpu, known_for_ms), from_ms, to_ms)
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


class _Device:
    """All that may change on one GPU."""

    def __init__(self, fleet: Fleet, node: SimNode, gpu: SimGpu, known_for_ms: int) -> None:
        self.node = node
        self.uuid = gpu.uuid
        self.known_for_ms = known_for_ms
        self.pods = [pod for pod in fleet.pods if gpu.uuid in pod.gpus]
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
        edges |= {edge for pod in self.pods for edge in pod.holding or ()}
        return _inside(edges, from_ms, to_ms)

    def _running(self) -> Iterator[tuple[int, int, Program]]:
        for stray in self.strays:
            yield stray.from_ms, stray.to_ms, stray.program
        for pod in self.pods:
            if pod.running is not None:
                yield *pod.running, pod.program_on(self.uuid)

    def holder(self, at_ms: int) -> SimPod | None:
        holders = [pod for pod in self.pods if pod.holding and pod.holding[0] <= at_ms < pod.holding[1]]
        if len(holders) > 1:
            raise ValueError(f"the script lets {[pod.name for pod in holders]} hold {self.uuid} at the same time")
        return holders[0] if holders else None

    def level(self, at_ms: int) -> Fraction:
        running = [program.level_at(at_ms - begin) for begin, end, program in self._running() if begin <= at_ms < end]
        level = sum(running, ZERO)
        if level > 1:
            raise ValueError(f"the script makes {self.uuid} busier than 1 at {at_ms}")
        return level

    def lost(self, at_ms: int) -> bool:
        return any(f.kind is FaultKind.LOST and f.touches(at_ms, exporter=-1, uuid=self.uuid) for f in self.node.faults)

    def blind(self, at_ms: int) -> bool:
        """Whether no exporter of the node gives a usable activity now."""
        return all(
            not exporter.serves(at_ms)
            or any(
                fault.from_ms + self.known_for_ms <= at_ms < fault.to_ms
                and fault.blinds(self.uuid, index, exported_fields(exporter))
                for fault in self.node.faults
            )
            for index, exporter in enumerate(self.node.exporters)
        )


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
        for pod_uid, bucket, part in _split(device, begin):
            key = Key(device.uuid, pod_uid, bucket)
            bill[key] = bill.get(key, Amount()) + _amount(device.node, begin, part * (end - begin))


def _split(device: _Device, at_ms: int) -> list[tuple[str | None, Bucket, Fraction]]:
    """The rule of the table at the top of this file; the parts sum to 1 while the node is there."""
    if not _exists(device.node, at_ms):
        return []
    pod = device.holder(at_ms)
    if device.lost(at_ms):
        return [(None, Bucket.UNHEALTHY, Fraction(1))]
    if pod is not None and pod.system:
        return [(pod.uid, Bucket.SYSTEM, Fraction(1))]
    busy, idle, owner = Bucket.UNATTRIBUTED, Bucket.UNALLOCATED, None
    if pod is not None:
        busy, idle, owner = Bucket.USED, Bucket.ALLOCATED_IDLE, pod.uid
    if device.blind(at_ms):
        return [(owner, Bucket.UNALLOCATED if pod is None else Bucket.ALLOCATED_UNMEASURED, Fraction(1))]
    level = device.level(at_ms)
    return [(owner, busy, level), (owner, idle, 1 - level)]
