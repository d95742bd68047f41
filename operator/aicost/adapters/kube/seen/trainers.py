"""What a TrainJob says of its progress in `status.trainerStatus`: little, and bounded."""

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from aicost.adapters.kube.wire.resources import Resource
from aicost.domain.exact.windows import from_rfc3339
from aicost.domain.workloads.foreign import at, items, mapping, pointer, text, whole
from aicost.ports.measured.training import Reported

TRAINER_GROUP = "trainer.kubeflow.org"
TRAIN_JOBS = Resource(TRAINER_GROUP, "v1alpha1", "trainjobs", "TrainJob")
MOST_METRICS = 32
LONGEST_NAME = 128
LONGEST_VALUE = 40
_LONGEST_TIME = 40
_STATUS = pointer("/status/trainerStatus")
_PERCENT = 100


def reported(body: Mapping[str, Any], seen_ms: int) -> Reported | None:
    """What a TrainJob said; None where it says nothing of its progress.

    Args:
        body: the object as the API server shows it.
        seen_ms: when it was seen. The job's own time is believed where it is not later.
    """
    status, metadata = mapping(at(body, _STATUS)), mapping(body.get("metadata"))
    if not status:
        return None
    percent = whole(status.get("progressPercentage"))
    return Reported(
        namespace=text(metadata.get("namespace")),
        name=text(metadata.get("name")),
        at_ms=_moment(status.get("lastUpdatedTime"), seen_ms),
        progress=None if percent is None else Fraction(min(percent, _PERCENT), _PERCENT),
        remaining_s=whole(status.get("estimatedRemainingSeconds")),
        metrics=dict(_metrics(status.get("metrics"))),
    )


def recordable_status(body: Mapping[str, Any]) -> dict[str, Any]:
    """The status of a TrainJob as it may be written: what is read of it, and nothing else."""
    status = mapping(at(body, _STATUS))
    kept: dict[str, Any] = {
        name: number
        for name in ("progressPercentage", "estimatedRemainingSeconds")
        if (number := whole(status.get(name))) is not None
    }
    metrics = [{"name": name, "value": str(float(number))} for name, number in _metrics(status.get("metrics"))]
    kept |= {"metrics": metrics} if metrics else {}
    kept |= {"lastUpdatedTime": told} if (told := text(status.get("lastUpdatedTime"))[:_LONGEST_TIME]) else {}
    return {"trainerStatus": kept} if kept else {}


def _metrics(said: Any) -> Iterator[tuple[str, Fraction]]:
    for one in items(said)[:MOST_METRICS]:
        name, value = text(mapping(one).get("name")), text(mapping(one).get("value"))
        if name and len(name) <= LONGEST_NAME and (number := _number(value)) is not None:
            yield name, number


def _number(value: str) -> Fraction | None:
    try:
        number = float(value) if len(value) <= LONGEST_VALUE else math.nan
    except ValueError:
        return None
    return Fraction(number) if math.isfinite(number) else None


def _moment(said: Any, seen_ms: int) -> int:
    try:
        return min(from_rfc3339(text(said)), seen_ms)
    except (ValueError, OverflowError):
        return seen_ms
