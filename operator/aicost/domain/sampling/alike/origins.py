"""Where samples come from, by the labels of their series: read once for all series that wear the same.

An exporter shows each signal of a device under the same labels. What these say of device, holder and node is the same
for each of them.
"""

from collections.abc import Mapping
from typing import NamedTuple

from aicost.domain.sampling.dialects import DEVICE_LABELS, Metric
from aicost.domain.sampling.identity import (
    Holder,
    SamplingContext,
    device_of,
    exporter_key,
    exporter_node,
    holder_of,
)
from aicost.domain.sampling.placement import place
from aicost.domain.sampling.series import COUNTERS, OF_PODS, RawSeries

REPLICA_LABEL = "vgpu"
PROFILE_LABEL = "GPU_I_PROFILE"
MODEL_LABELS = ("modelName", "card_series", "card_model", "model")
"""Labels in which exporters write the model of a device, best first."""
_TELL_NO_HOLDER = COUNTERS - OF_PODS
"""Counters of whole devices: a pod in their labels is the one that counts."""


class Origin(NamedTuple):
    """What labels say, and what is known of the target that they came from.

    Attributes:
        device: UUID of the physical device, empty where the labels name none.
        instance: hardware partition, None for the whole device.
        profile: MIG profile of the instance, empty for none.
        holder: the pod that holds the device, None where the labels name nobody.
        replica: the labels are those of one pod of several on the device.
        exporter: what tells exporters apart.
        place: node and rank of the evidence, lower is better; None where nothing tells.
        model: what the exporter calls the device's model, empty where it does not.
    """

    device: str
    instance: str | None
    profile: str
    holder: Holder | None
    replica: bool
    exporter: tuple[str, ...]
    place: tuple[int, str] | None
    model: str


class Origins:
    """The origins of some series."""

    def __init__(self, context: SamplingContext) -> None:
        self._context = context
        self._known: dict[tuple[object, ...], Origin] = {}

    def of(self, series: RawSeries, metric: Metric) -> Origin:
        """Where a series comes from. All that this hangs on is in the key."""
        tells, labels = metric.signal not in _TELL_NO_HOLDER, series.labels
        key = (*labels, *labels.values(), tells, DEVICE_LABELS[series.name], series.target_node, series.target_pod)
        origin = self._known.get(key)
        if origin is None:
            holder = holder_of(series, self._context) if tells else None
            origin = self._known[key] = _origin(series, holder, self._context)
        return origin


def _origin(series: RawSeries, holder: Holder | None, context: SamplingContext) -> Origin:
    labels = series.labels
    device, instance = device_of(series) or ("", None)
    holder_node = context.pod_nodes.get(holder.pod) if holder else None
    return Origin(
        device=device,
        instance=instance,
        profile=labels.get(PROFILE_LABEL, "") if instance else "",
        holder=holder,
        replica=holder is not None and bool(labels.get(REPLICA_LABEL)),
        exporter=exporter_key(series),
        place=place(context.nodes, labels, exporter_node(series, context), holder_node),
        model=_model(labels),
    )


def _model(labels: Mapping[str, str]) -> str:
    for label in MODEL_LABELS:
        if model := labels.get(label):
            return model
    return ""
