"""What kube-state-metrics showed of the nodes of a span, as facts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from aicost.adapters.prometheus.history.asking import Asker, Points, Row
from aicost.adapters.prometheus.history.gpus import HostGpus, by_node
from aicost.adapters.prometheus.history.keys import LabelKeys, resource_of, resource_pattern
from aicost.adapters.prometheus.history.labels import labels_by
from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.inventory.accelerators import accelerators_only
from aicost.domain.inventory.gpu_models import model_of_node
from aicost.domain.inventory.node_labels import (
    INSTANCE_TYPE_LABELS,
    REGION_LABELS,
    ZONE_LABELS,
    capacity_type,
    first_label,
    provider,
)
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.inventory.sharing import recognise_sharing, with_partition
from aicost.domain.sampling.placement import index_nodes

NODE_INFO, NODE_CREATED = "kube_node_info", "kube_node_created"
CAPACITY, ALLOCATABLE = "kube_node_status_capacity", "kube_node_status_allocatable"
NODE_LABELS, NODE_ANNOTATIONS = "kube_node_labels", "kube_node_annotations"
_HOSTNAME = "kubernetes.io/hostname"


@dataclass(frozen=True, slots=True)
class ShownNode:
    """A node as a span's series show it.

    Attributes:
        facts: as at the end of the span, as far as its series tell.
        created_told: its creation is told by a time stamp.
        gpus_told: its devices are told by its capacity, not by samples.
        steps: (moment, facts) of changes of what can be allocated, in order of time; empty where nothing changed.
    """

    facts: NodeFacts
    created_told: bool = True
    gpus_told: bool = True
    steps: tuple[tuple[int, NodeFacts], ...] = ()


@dataclass(frozen=True, slots=True)
class _Said:
    """What series say of the nodes, by name."""

    created: Mapping[str, float]
    labels: Mapping[str, dict[str, str]]
    annotations: Mapping[str, dict[str, str]]
    capacity: Mapping[str, Mapping[str, float]]
    allocatable: Mapping[str, Mapping[str, float]]
    changes: Mapping[str, list[Points]]


def read_nodes(
    ask: Asker, span: Window, keys: LabelKeys, gpus: Mapping[str, HostGpus], latest_ms: int
) -> list[ShownNode]:
    """All nodes that kube-state-metrics showed in a span.

    Args:
        ask: the server.
        span: half-open.
        keys: how labels are read.
        gpus: hosts with GPUs, by samples: they name the model where no label does.
        latest_ms: the last moment at which kube-state-metrics was scraped.
    """
    infos = {row.get("node"): row for row in ask.last(NODE_INFO, span, ("node", "provider_id")) if row.get("node")}
    if not infos:
        return []
    wanted = f'resource=~"{resource_pattern()}|cpu|memory"'
    by = ("node", "resource", "unit")
    said = _Said(
        created={row.get("node"): row.value for row in ask.last(NODE_CREATED, span, ("node",))},
        labels=labels_by(ask, NODE_LABELS, span, latest_ms, _name, lambda row: keys.read(row.labels)),
        annotations=labels_by(
            ask, NODE_ANNOTATIONS, span, latest_ms, _name, lambda row: keys.read(row.labels, "annotation_")
        ),
        capacity=_amounts(ask.highest(CAPACITY, span, by, wanted)),
        allocatable=_amounts(ask.last(ALLOCATABLE, span, by, wanted)),
        changes=_changes(ask, span),
    )
    hosts = {name: said.labels.get(name, {}).get(_HOSTNAME, "") for name in infos}
    shown = by_node(gpus, index_nodes(hosts))
    return [_shown(name, row, said, shown.get(name)) for name, row in sorted(infos.items())]


def _shown(name: str, info: Row, said: _Said, gpus: HostGpus | None) -> ShownNode:
    created = said.created.get(name)
    labels, amounts = with_partition(said.labels.get(name, {})), said.capacity.get(name, {})
    annotations = said.annotations.get(name, {})
    capacity = _devices(amounts)
    told = bool(capacity)
    if not told and gpus is not None:
        capacity = {"nvidia.com/gpu": len(gpus.uuids)}
    allocatable = _devices(said.allocatable.get(name, {})) if told else capacity
    sharing = recognise_sharing(labels, annotations, capacity)
    where = place_of(info.get("provider_id"))
    facts = NodeFacts(
        uid=f"{name}@{round(created or 0)}",
        name=name,
        created_ms=round((created or 0) * SECOND_MS),
        labels=labels,
        annotations=annotations,
        provider=provider(info.get("provider_id")),
        provider_id=info.get("provider_id"),
        instance_type=first_label(labels, INSTANCE_TYPE_LABELS),
        region=first_label(labels, REGION_LABELS) or where[0],
        zone=first_label(labels, ZONE_LABELS) or where[1],
        capacity_type=capacity_type(labels),
        gpu_model=model_of_node(labels) or (gpus.model if gpus else None) or None,
        gpus=sharing.gpus,
        sharing=sharing.mode,
        slots_per_gpu=sharing.slots_per_gpu,
        capacity=capacity,
        allocatable=allocatable,
        cpu_millis=round(Fraction(amounts.get("cpu", 0)) * 1_000),
        memory_bytes=round(amounts.get("memory", 0)),
    )
    return ShownNode(facts, created is not None, told, _steps(facts, said.changes.get(name, [])))


def _steps(facts: NodeFacts, changes: Iterable[Points]) -> tuple[tuple[int, NodeFacts], ...]:
    """The facts at each moment at which a count of what can be allocated changed."""
    moments: dict[int, dict[str, int]] = defaultdict(dict)
    for points in changes:
        resource, before = resource_of(points.labels.get("resource", "")), None
        for at_ms, value in zip(points.at_ms.tolist(), points.value.tolist(), strict=True):
            if value == value and value != before:  # noqa: PLR0124 -- NaN is not itself
                moments[at_ms][resource], before = round(value), value
    now = dict(facts.allocatable)
    found = []
    for at_ms in sorted(moments):
        now = now | moments[at_ms]
        found.append((at_ms, _with(facts, now)))
    return tuple(found)


def _with(facts: NodeFacts, allocatable: Mapping[str, int]) -> NodeFacts:
    return replace(facts, allocatable=dict(allocatable))


def _changes(ask: Asker, span: Window) -> dict[str, list[Points]]:
    """All samples of what can be allocated, of the nodes where it changed."""
    only = f'resource=~"{resource_pattern()}"'
    changed = {row.get("node") for row in ask.changed(ALLOCATABLE, span, ("node", "resource"), only)} - {""}
    found: dict[str, list[Points]] = defaultdict(list)
    for label in ("node", "exported_node"):
        for points in ask.points(ALLOCATABLE, span, label, changed, only) if changed else ():
            if points not in found[points.labels.get("node", "")]:
                found[points.labels.get("node", "")].append(points)
    return found


def _devices(amounts: Mapping[str, float]) -> dict[str, int]:
    return accelerators_only({name: round(value) for name, value in amounts.items()})


def _amounts(rows: Iterable[Row]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        found[row.get("node")][resource_of(row.get("resource"))] = row.value
    return found


def _name(row: Row) -> str:
    return row.get("node")


def place_of(provider_id: str) -> tuple[str, str]:
    """Region and zone, where the provider's id of a node says them: `aws:///us-east-1a/i-0abc`."""
    scheme, _, rest = provider_id.partition("://")
    parts = rest.strip("/").split("/")
    if scheme == "aws" and len(parts) == 2 and parts[0][-1:].isalpha():
        return parts[0][:-1], parts[0]
    if scheme == "gce" and len(parts) == 3 and "-" in parts[1]:
        return parts[1].rpartition("-")[0], parts[1]
    return "", ""
