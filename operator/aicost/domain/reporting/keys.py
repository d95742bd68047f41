"""What a row says under a group key, and whether it passes a filter."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Protocol

from aicost.domain.identity.dimensions import UNTAGGED, Dimension
from aicost.domain.ledger.rows import Component, Holder, Place, Row
from aicost.domain.reporting.query import GROUP_KEYS, LABEL_KEY, SOURCE_KEY

DEVICE_KEYS = frozenset({"cluster", "node", "region", "provider", "gpu-model", "component"})
"""Keys that a device has even while nobody holds it. All others belong to a holder."""
_DIMENSIONS = frozenset(dimension.value for dimension in Dimension)


def is_dimension(key: str) -> bool:
    """Whether the key is a dimension such as `team`."""
    return key in _DIMENSIONS


def is_holder_key(key: str) -> bool:
    """Whether the key says something about who held a device, rather than about the device."""
    return key not in DEVICE_KEYS


def check_keys(keys: Iterable[str], field: str) -> None:
    """Refuse unknown keys.

    Raises:
        ValueError: naming the field, the key and the nearest known ones.
    """
    for key in keys:
        if key in GROUP_KEYS or key.removeprefix(LABEL_KEY) not in {key, ""} or source_of(key):
            continue
        near = get_close_matches(key, GROUP_KEYS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"{field}: {key[:63]!r} is no key: {hint}use {', '.join(GROUP_KEYS)} or label:KEY")


def source_of(key: str) -> str:
    """The dimension of whose source the key speaks (`source:team`), empty for other keys."""
    dimension = key.removeprefix(SOURCE_KEY)
    return dimension if dimension != key and is_dimension(dimension) else ""


class Placed(Protocol):
    """What has a value under each key: a row, or a pod that runs now."""

    @property
    def place(self) -> Place:
        """Where the device is."""

    @property
    def holder(self) -> Holder:
        """Who holds it."""

    @property
    def component(self) -> Component:
        """The part of the node that it is about."""


def _controller(row: Placed) -> str:
    holder = row.holder
    return f"{holder.controller_kind}/{holder.controller}" if holder.controller else ""


_FIELDS: Mapping[str, Callable[[Placed], str]] = {
    "cluster": lambda row: row.place.cluster,
    "node": lambda row: row.place.node,
    "region": lambda row: row.place.region,
    "provider": lambda row: row.place.provider,
    "gpu-model": lambda row: row.place.gpu_model,
    "component": lambda row: row.component.value,
    "namespace": lambda row: row.holder.namespace,
    "pod": lambda row: row.holder.pod,
    "controller": _controller,
    "workload": lambda row: row.holder.workload,
    # Of posted rows alone, and asked for by statements alone: why, with which window and revision it was posted.
    "reason": lambda row: row.reason if isinstance(row, Row) else "",
    "posting": lambda row: f"{row.window.start_ms}/{row.window.end_ms}/{row.revision}" if isinstance(row, Row) else "",
}


def value_of(row: Placed, key: str) -> str:
    """The row's value under a key; empty where it has none. A controller is `Kind/name`."""
    if key.startswith(LABEL_KEY):
        return row.holder.labels.get(key.removeprefix(LABEL_KEY), "")
    if is_dimension(key):
        return row.holder.dimensions.get(key, "")
    if dimension := source_of(key):
        return row.holder.provenance.get(dimension, "").partition(" ")[0]
    return _FIELDS[key](row)


def accepted_values(key: str, values: Iterable[str]) -> frozenset[str]:
    """The values that pass a filter: for a dimension, `untagged` names the rows that have none."""
    named = frozenset(values)
    return named | {""} if UNTAGGED in named and is_dimension(key) else named


def passes(row: Row, filters: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the row has an accepted value under each key of the filter."""
    return all(value_of(row, key) in accepted_values(key, values) for key, values in filters.items())


def shown(key: str, value: str) -> str:
    """A group's value for people: a dimension that nothing names is `untagged`."""
    return UNTAGGED if not value and is_dimension(key) else value
