"""From raw series of any dialect to clean columns per device: the one way in which samples enter the product."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np

from aicost.domain.sampling.columns import Columns, Entry, describe, is_of_pod, to_columns
from aicost.domain.sampling.dialects import METRICS
from aicost.domain.sampling.freezing import frozen_samples
from aicost.domain.sampling.identity import Holder, SamplingContext, exporter_node
from aicost.domain.sampling.merging import Merged, merge_alone, merge_pods, merge_rows
from aicost.domain.sampling.placement import place
from aicost.domain.sampling.series import OF_PODS, DeviceSeries, Millis, Parts, RawSeries, SampleDefects, Telemetry

MODEL_LABELS = ("modelName", "card_series", "card_model", "model")
"""Labels in which exporters write the model of a device, best first."""
Row = tuple[Holder | None, Millis, Parts]
"""Samples of one series: who it says holds the device, times and values."""


def read_telemetry(raw: Sequence[RawSeries], context: SamplingContext, now_ms: int) -> Telemetry:
    """Clean the samples of one padded window.

    Steps: 1. say what each series is; 2. drop what is no value, scale, clamp; 3. drop what a hanging exporter repeats;
    4. merge the rows of each device and moment; 5. place devices on nodes. The series do not depend on the order of
    series and samples, on duplicates or on delivery in parts.

    Args:
        raw: series as sources show them.
        context: what is known of the cluster.
        now_ms: samples from later are dropped.
    """
    entries, unidentified = describe(raw, context)
    columns = to_columns(entries, now_ms)
    frozen = frozen_samples(columns, context.interval_ms)
    columns = columns.without(frozen)
    nodes = _nodes(entries, context)
    models = _models(entries)
    series = tuple(
        _series(entry, merged, nodes[entry.device], models.get(entry.device)) for entry, merged in _merged(columns)
    )
    defects = SampleDefects(
        **columns.dropped,
        duplicates=len(columns.at_ms) - sum(len(one.at_ms) for one in series),
        unknown_metrics=tuple(sorted({one.name for one in raw} - METRICS.keys())),
        unplaced_devices=tuple(sorted(device for device, node in nodes.items() if node is None)),
        frozen=int(np.count_nonzero(frozen)),
        unidentified=unidentified,
    )
    return Telemetry(series, context.interval_ms, defects)


def _merged(columns: Columns) -> Iterator[tuple[Entry, Merged]]:
    """The samples of each device, instance and signal, by holder; the entry stands for all that are about the same."""
    bounds = columns.bounds().tolist()
    keys = [entry.key for entry in columns.entries]
    for _, group in groupby(range(len(keys)), key=keys.__getitem__):
        indexes = [index for index in group if bounds[index] < bounds[index + 1]]
        if not indexes:
            continue
        entry = columns.entries[indexes[0]]
        rows = [
            (
                columns.entries[i].holder,
                columns.at_ms[bounds[i] : bounds[i + 1]],
                columns.value[bounds[i] : bounds[i + 1]],
            )
            for i in indexes
        ]
        if entry.signal in OF_PODS:
            yield from ((entry, one) for one in merge_pods(rows))
            continue
        shared = [is_of_pod(columns.entries[i]) for i in indexes]
        rows = _by_the_whole(rows, shared) if any(shared) else rows
        merged = [merge_alone(*rows[0])] if len(rows) == 1 else merge_rows(rows)
        yield from ((entry, one) for one in merged)


def _by_the_whole(rows: Sequence[Row], shared: Sequence[bool]) -> list[Row]:
    """Rows of a device of which some are about single pods: these say who is on it, and not how busy it is.

    Where the device has no row of its own at a moment, its busiest pod is the least that is known of it.
    """
    own = [at_ms for (holder, at_ms, _), of_pod in zip(rows, shared, strict=True) if holder is None and not of_pod]
    told = np.concatenate([np.zeros(0, np.int64), *own])
    return [
        (holder, at_ms, np.where(np.isin(at_ms, told), 0, value) if of_pod else value)
        for (holder, at_ms, value), of_pod in zip(rows, shared, strict=True)
    ]


def _series(entry: Entry, merged: Merged, node: str | None, model: str | None) -> DeviceSeries:
    alone = merged.holders[0] if len(merged.holders) == 1 else None
    return DeviceSeries(
        signal=entry.signal,
        device=entry.device,
        instance=entry.instance,
        node=node,
        holder=alone.pod if alone else None,
        holder_uid=alone.uid if alone else None,
        gpu_model=model,
        at_ms=merged.at_ms,
        value=merged.value,
        holders=tuple(holder.pod for holder in merged.holders),
        profile=entry.profile,
    )


def _nodes(entries: Sequence[Entry], context: SamplingContext) -> Mapping[str, str | None]:
    """Each device's node by the best evidence that any of its series has; the first in order where equals differ."""
    found: dict[str, list[tuple[int, str]]] = {}
    for entry in entries:
        holder_node = context.pod_nodes.get(entry.holder.pod) if entry.holder else None
        evidence = place(context.nodes, entry.raw.labels, exporter_node(entry.raw, context), holder_node)
        found.setdefault(entry.device, []).extend([evidence] if evidence else [])
    return {device: min(evidence)[1] if evidence else None for device, evidence in found.items()}


def _models(entries: Sequence[Entry]) -> Mapping[str, str]:
    """What the series call each device's model."""
    return dict(sorted((entry.device, model) for entry in entries if (model := _model(entry.raw.labels))))


def _model(labels: Mapping[str, str]) -> str:
    return next((labels[label] for label in MODEL_LABELS if labels.get(label)), "")
