"""What an AIWorkload states of its pods, as the labels that would say the same."""

from collections.abc import Iterator

from aicost.domain.identity.dimensions import LABEL_PREFIX, Dimension
from aicost.domain.workloads.foreign import Json, at, mapping
from aicost.domain.workloads.places import JudgedKind

_OURS = ("aicost.dev", "AIWorkload")
_OWN_FIELDS = (Dimension.MODEL, Dimension.WORKLOAD_TYPE, Dimension.STAGE)
"""Dimensions that are fields of the spec itself; the others stand under `spec.dimensions`."""


def stated_labels(kind: JudgedKind, obj: Json) -> dict[str, str]:
    """Labels for the fields of an AIWorkload, nothing for other kinds. What the spec says goes before its labels."""
    return dict(_labels(obj)) if (kind.group, kind.kind) == _OURS else {}


def _labels(obj: Json) -> Iterator[tuple[str, str]]:
    spec = mapping(obj.get("spec"))
    for dimension in Dimension:
        place = () if dimension in _OWN_FIELDS else ("dimensions",)
        value = at(spec, (*place, _field(dimension)))
        if isinstance(value, str) and value:
            yield f"{LABEL_PREFIX}{dimension.value}", value


def _field(dimension: Dimension) -> str:
    """A dimension's name as fields of resources are written: `costCenter`."""
    first, *rest = dimension.value.split("-")
    return first + "".join(part.capitalize() for part in rest)
