"""Values that a pod may ask about itself: the downward API. No I/O."""

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

__all__ = ["SpecError", "field_value", "resource_value"]

_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")
_SUFFIXES: dict[str, Decimal | int] = {
    "m": Decimal("0.001"), "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "": 1,
}  # fmt: skip


class SpecError(ValueError):
    """A container cannot start as its spec asks; the text says why, ``reason`` is the waiting reason."""

    def __init__(self, message: str, reason: str = "CreateContainerConfigError") -> None:
        super().__init__(message)
        self.reason = reason


def _mapping_text(values: Mapping[str, str]) -> str:
    escaped = (
        (key, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")) for key, value in values.items()
    )
    return "\n".join(f'{key}="{value}"' for key, value in sorted(escaped))


def field_value(pod: Mapping[str, Any], path: str, addresses: Mapping[str, str]) -> str:
    """The value of a ``fieldRef``; ``addresses`` holds ``podIP`` and ``hostIP``, known before the status is."""
    meta, spec = pod["metadata"], pod["spec"]
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript:
        return (meta.get(subscript[1]) or {}).get(subscript[2], "")
    if path in {"metadata.labels", "metadata.annotations"}:
        return _mapping_text(meta.get(path.partition(".")[2]) or {})
    simple = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "spec.nodeName": spec["nodeName"],
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        **{f"status.{key}{plural}": value for key, value in addresses.items() for plural in ("", "s")},
    }
    if path not in simple:
        raise SpecError(f"fieldRef {path!r} is not supported by the local kubelet")
    return simple[path]


def _quantity(text: str) -> Decimal:
    found = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", text)
    if not found or found[2] not in _SUFFIXES:
        raise SpecError(f"quantity {text!r} is not supported by the local kubelet")
    return Decimal(found[1]) * _SUFFIXES[found[2]]


def resource_value(container: Mapping[str, Any], reference: Mapping[str, str], node: Mapping[str, Any]) -> str:
    """The value of a ``resourceFieldRef``: rounded up; without a limit, what the node has."""
    kind, _, resource = reference["resource"].partition(".")
    stated = container.get("resources", {}).get(kind, {}).get(resource)
    amount = stated or node.get("status", {}).get("allocatable", {}).get(resource, "0")
    divisor = _quantity(reference.get("divisor") or "1")
    return str(math.ceil(_quantity(amount) / (divisor or 1)))
