"""From raw series of any dialect to clean columns per device: the one way in which samples enter the product."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np

from aicost.domain.sampling.alike.origins import Origin
from aicost.domain.sampling.alike.values import Samples
from aicost.domain.sampling.columns import Entry, describe, is_of_pod, to_columns
from aicost.domain.sampling.dialects import METRICS
from aicost.domain.sampling.freezing import frozen_samples
from aicost.domain.sampling.identity import SamplingContext
from aicost.domain.sampling.merging import Merged, Row, merge_alone, merge_pods, merge_rows
from aicost.domain.sampling.series import OF_PODS, DeviceSeries, RawSeries, SampleDefects, Telemetry


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
    samples = list(columns.samples)
    for index, repeated in frozen.items():
        samples[index] = samples[index].where(~repeated)
    origins = {id(entry.origin): entry.origin for entry in entries}.values()
    nodes, models = _nodes(origins), _models(origins)
    series = tuple(_series(entries, samples, nodes, models))
    defects = SampleDefects(
        **columns.dropped,
        duplicates=sum([len(one.at_ms) for one in samples]) - sum([len(one.at_ms) for one in series]),
        unknown_metrics=tuple(sorted({one.name for one in raw} - METRICS.keys())),
        unplaced_devices=tuple(sorted(device for device, node in nodes.items() if node is None)),
        frozen=sum(int(np.count_nonzero(repeated)) for repeated in frozen.values()),
        unidentified=unidentified,
    )
    return Telemetry(series, context.interval_ms, defects)


def _series(
    entries: Sequence[Entry],
    samples: Sequence[Samples],
    nodes: Mapping[str, str | None],
    models: Mapping[str, str],
) -> Iterator[DeviceSeries]:
    """The samples of each device, instance and signal, by holder."""
    filled = [(entry.key, entry, one) for entry, one in zip(entries, samples, strict=True) if len(one.at_ms)]
    for _, alike in groupby(filled, key=itemgetter(0)):
        (_, entry, one), *others = alike
        origin = entry.origin  # the entry stands for all that are about the same
        device, holder = origin.device, origin.holder
        node, model = nodes[device], models.get(device)
        if others or not one.rising:
            group = [(entry, one), *((other, some) for _, other, some in others)]
            yield from (_merged(entry, merged, node, model) for merged in _together(group))
        else:  # nearly all: there is nothing to merge
            pod, uid = (holder.pod, holder.uid) if holder else (None, None)
            pods = () if pod is None else (pod,)
            yield DeviceSeries(
                entry.signal, device, origin.instance, node, pod, uid, model, one.at_ms, one.value, pods, origin.profile
            )


def _merged(entry: Entry, merged: Merged, node: str | None, model: str | None) -> DeviceSeries:
    origin, (holders, at_ms, value) = entry.origin, merged
    pods = tuple([holder.pod for holder in holders])
    pod, uid = (pods[0], holders[0].uid) if len(holders) == 1 else (None, None)
    return DeviceSeries(
        entry.signal, origin.device, origin.instance, node, pod, uid, model, at_ms, value, pods, origin.profile
    )


def _together(group: Sequence[tuple[Entry, Samples]]) -> Iterable[Merged]:
    """The samples of all entries about the same."""
    rows: list[Row] = [(entry.holder, one) for entry, one in group]
    if len(rows) == 1:
        return (merge_alone(*rows[0]),)
    if group[0][0].signal in OF_PODS:
        return merge_pods(rows)
    shared = [is_of_pod(entry) for entry, _ in group]
    return merge_rows(_by_the_whole(rows, shared) if any(shared) else rows)


def _by_the_whole(rows: Sequence[Row], shared: Sequence[bool]) -> list[Row]:
    """Rows of a device of which some are about single pods: these say who is on it, and not how busy it is.

    Where the device has no row of its own at a moment, its busiest pod is the least that is known of it.
    """
    own = [one.at_ms for (holder, one), of_pod in zip(rows, shared, strict=True) if holder is None and not of_pod]
    told = np.concatenate([np.zeros(0, np.int64), *own])
    return [
        (holder, one._replace(value=np.where(np.isin(one.at_ms, told), 0, one.value)) if of_pod else one)
        for (holder, one), of_pod in zip(rows, shared, strict=True)
    ]


def _nodes(origins: Iterable[Origin]) -> Mapping[str, str | None]:
    """Each device's node by the best evidence that any of its series has; the first in order where equals differ."""
    found: dict[str, list[tuple[int, str]]] = {}
    for one in origins:
        found.setdefault(one.device, []).extend([one.place] if one.place else [])
    return {device: min(evidence)[1] if evidence else None for device, evidence in found.items()}


def _models(origins: Iterable[Origin]) -> Mapping[str, str]:
    """What the series call each device's model."""
    return dict(sorted((one.device, one.model) for one in origins if one.model))
