"""Reads a decoded node."""

from fractions import Fraction

from aicost.adapters.kube.seen import shapes
from aicost.adapters.kube.seen.checks import millis, require_identity, whole
from aicost.adapters.kube.seen.trim import NODE_ANNOTATIONS, keep_annotations
from aicost.adapters.kube.seen.values import SeenNode
from aicost.domain.inventory.accelerators import accelerator
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
from aicost.domain.inventory.sharing import named_cards, recognise_sharing, with_partition

_NO_SPEC, _NO_STATUS = shapes.NodeSpec(), shapes.NodeStatus()
_MILLI = Fraction(1, 1_000)


def read_node(node: shapes.Node) -> SeenNode:
    """What a node says.

    Raises:
        ValueError: it has no identity, or a capacity that is no quantity.
    """
    metadata, spec, status = node.metadata, node.spec or _NO_SPEC, node.status or _NO_STATUS
    require_identity(metadata)
    addresses = {each.type: each.address for each in reversed(status.addresses or ())}
    return SeenNode(_facts(metadata, spec, status), metadata.resource_version, addresses.get("InternalIP", ""))


def _facts(metadata: shapes.Metadata, spec: shapes.NodeSpec, status: shapes.NodeStatus) -> NodeFacts:
    labels = with_partition(metadata.labels or {})
    annotations = keep_annotations(metadata.annotations, NODE_ANNOTATIONS)
    capacity = _accelerators(status.capacity, "status.capacity")
    sharing = recognise_sharing(labels, annotations, capacity)
    quantities = status.capacity or {}
    return NodeFacts(
        uid=metadata.uid,
        name=metadata.name,
        created_ms=millis(metadata.creation_timestamp, "metadata.creationTimestamp"),
        labels=labels,
        annotations=annotations,
        provider=provider(spec.provider_id or ""),
        provider_id=spec.provider_id or "",
        instance_type=first_label(labels, INSTANCE_TYPE_LABELS),
        region=first_label(labels, REGION_LABELS),
        zone=first_label(labels, ZONE_LABELS),
        capacity_type=capacity_type(labels),
        gpu_model=model_of_node(labels),
        gpus=sharing.gpus,
        sharing=sharing.mode,
        slots_per_gpu=sharing.slots_per_gpu,
        capacity=capacity,
        allocatable=_accelerators(status.allocatable, "status.allocatable"),
        cpu_millis=whole(quantities.get("cpu", "0"), "status.capacity.cpu", _MILLI),
        memory_bytes=whole(quantities.get("memory", "0"), "status.capacity.memory"),
        cards=named_cards(annotations),
        ready=any(each.type == "Ready" and each.status == "True" for each in status.conditions or ()),
    )


def _accelerators(quantities: shapes.Quantities | None, field: str) -> dict[str, int]:
    return {name: whole(text, f"{field}.{name}") for name, text in (quantities or {}).items() if accelerator(name)}
