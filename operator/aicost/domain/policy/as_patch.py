"""Label changes as a JSON patch (RFC 6902)."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from aicost.domain.policy.decisions import LabelChange
from aicost.domain.workloads.foreign import at
from aicost.domain.workloads.shapes import Workload


def json_patch(workload: Workload, changes: Sequence[LabelChange]) -> list[dict[str, Any]]:
    """The patch that writes labels into an object. It makes `metadata` and `labels` where they are not there yet.

    A place that the object does not have gets nothing.
    """
    ordered = sorted(changes, key=lambda change: (change.path, change.label))
    return [
        operation
        for path, group in groupby(ordered, key=lambda change: change.path)
        for operation in _at_place(workload.raw, path, {change.label: change.value for change in group})
    ]


def _at_place(raw: Mapping[str, Any], path: str, labels: dict[str, str]) -> list[dict[str, Any]]:
    holder = at(raw, tuple(_unescaped(token) for token in path.split("/")[1:]))
    if not isinstance(holder, Mapping):
        return []
    metadata = holder.get("metadata")
    if not isinstance(metadata, Mapping):
        return [_add(f"{path}/metadata", {"labels": labels})]
    if not isinstance(metadata.get("labels"), Mapping):
        return [_add(f"{path}/metadata/labels", labels)]
    return [_add(f"{path}/metadata/labels/{_escaped(label)}", value) for label, value in labels.items()]


def _add(path: str, value: object) -> dict[str, Any]:
    """Adds, or replaces what is there."""
    return {"op": "add", "path": path, "value": value}


def _escaped(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")


def _unescaped(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")
