"""The entry that a price book lacks, ready to be pasted into `spec.entries`."""

import json
import re

from aicost.domain.inventory.nodes import CapacityType, NodeFacts

PLACEHOLDER = "PRICE"
"""Stands where the price belongs. The API server refuses it, so that nobody applies it unread."""

_NOT_IN_A_NAME = re.compile(r"[^a-z0-9.]+")
_NAME_LENGTH = 63


def suggest_entry(node: NodeFacts) -> str:
    """Write the YAML of an entry that matches exactly nodes of this kind, with the node's own values.

    A machine of a cloud has a price per hour; where no label names the instance type the price is one of a GPU.
    """
    fields = [f"    {key}: {json.dumps(value)}" for key, value in _match(node)] or _by_hostname(node)
    price = "perNodeHour" if node.instance_type else "perGpuHour"
    return "\n".join([f"- name: {_name(node)}", "  match:", *fields, f'  {price}: "{PLACEHOLDER}"'])


def _match(node: NodeFacts) -> list[tuple[str, str]]:
    capacity = "" if node.capacity_type is CapacityType.UNKNOWN else str(node.capacity_type)
    kind = [("instanceType", node.instance_type), ("gpuModel", node.gpu_model or "")]
    place = [("provider", node.provider), ("region", node.region), ("capacityType", capacity)]
    told = [(key, value) for key, value in kind if value]
    return told + [(key, value) for key, value in place if value] if told else []


def _by_hostname(node: NodeFacts) -> list[str]:
    """Nothing names the machine or its GPUs: match the node itself."""
    return ["    nodeSelector:", f"      kubernetes.io/hostname: {json.dumps(node.name)}"]


def _name(node: NodeFacts) -> str:
    capacity = "" if node.capacity_type is CapacityType.UNKNOWN else str(node.capacity_type)
    words = [node.instance_type or node.gpu_model or node.name, node.region, capacity]
    slug = _NOT_IN_A_NAME.sub("-", "-".join(word for word in words if word).lower())
    return slug[:_NAME_LENGTH].strip("-.") or "gpu-node"
