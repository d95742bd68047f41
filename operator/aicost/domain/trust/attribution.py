"""Rows of single pods beside the row of the device that they share."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from aicost.domain.inventory.nodes import SharingMode
from aicost.domain.sampling.placement import PodName
from aicost.domain.sampling.series import COUNTERS, OF_PODS, Signal
from aicost.domain.trust.blindness import blind_spans
from aicost.domain.trust.traces import VIRTUAL, Line, NodeSamples, Trace, largest_of

SHARED = frozenset({SharingMode.TIME_SLICING, SharingMode.MPS})
"""Ways of sharing in which pods run on one device at the same time."""
_Place = tuple[tuple[str, ...], str, str]


@dataclass(frozen=True, slots=True, eq=False)
class PodRow:
    """What one exporter says of one pod on one device, beside what it says of the device.

    Attributes:
        uid: whether any row carries the pod's uid.
        virtual: the exporter says that the row is about one of several holders.
        pod_trace, device_trace: activity of both.
    """

    device: str
    place: _Place
    pod: PodName
    uid: bool
    virtual: bool
    pod_trace: Trace
    device_trace: Trace

    @property
    def silent(self) -> bool:
        """Whether all values of the pod are 0."""
        return not self.pod_trace.value.any()


def pod_rows(samples: NodeSamples) -> tuple[PodRow, ...]:
    """Pods with values of their own. Only the coarse utilisation has them: other fields repeat the device's value.

    Several rows of one pod (containers, or slots) repeat one value and count once.
    """
    wholes: dict[_Place, list[Trace]] = defaultdict(list)
    pods: dict[_Place, dict[PodName, list[Line]]] = defaultdict(dict)
    for line in samples.lines:
        entry = line.entry
        if entry.signal is not Signal.GPU_UTIL or not len(line.trace.at_ms):
            continue
        place = entry.exporter, entry.device, entry.instance or ""
        if entry.holder is None:
            wholes[place].append(line.trace)
        else:
            pods[place].setdefault(entry.holder.pod, []).append(line)
    return tuple(
        _row(place, pod, lines, largest_of(wholes[place]))
        for place in sorted(wholes)
        for pod, lines in sorted(pods[place].items())
    )


def _row(place: _Place, pod: PodName, lines: Sequence[Line], device: Trace) -> PodRow:
    return PodRow(
        place[1],
        place,
        pod,
        uid=any(line.entry.holder is not None and line.entry.holder.uid for line in lines),
        virtual=any(line.entry.raw.labels.get(VIRTUAL) for line in lines),
        pod_trace=largest_of([line.trace for line in lines]),
        device_trace=device,
    )


def blind_devices(rows: Iterable[PodRow], interval_ms: int, since_ms: int) -> frozenset[str]:
    """Devices whose pods contradict them, and did so until lately."""
    places: dict[_Place, list[PodRow]] = defaultdict(list)
    for row in rows:
        places[row.place].append(row)
    return frozenset(
        here[0].device
        for here in places.values()
        for span in blind_spans(here[0].device_trace, [row.pod_trace for row in here], interval_ms)[-1:]
        if span.end_ms > since_ms
    )


def counted_devices(samples: NodeSamples) -> frozenset[str]:
    """Devices of which each pod's use is counted: the split rests on counters there."""
    counted = [one for one in samples.lines if one.entry.signal in OF_PODS & COUNTERS and len(one.trace.at_ms)]
    return frozenset(one.entry.device for one in counted)


def tells_pods(samples: NodeSamples) -> bool:
    """Whether anything measures single pods."""
    return any(one.entry.signal in OF_PODS and len(one.trace.at_ms) for one in samples.lines)


def copied_devices(rows: Iterable[PodRow]) -> frozenset[str]:
    """Devices whose pods, several of them, all show the device's own value at each moment that is not idle."""
    places: dict[_Place, list[PodRow]] = defaultdict(list)
    for row in rows:
        places[row.place].append(row)
    return frozenset(here[0].device for here in places.values() if len(here) > 1 and all(map(_is_copy, here)))


def _is_copy(row: PodRow) -> bool:
    common, own, whole = np.intersect1d(
        row.pod_trace.at_ms, row.device_trace.at_ms, assume_unique=True, return_indices=True
    )
    same = row.pod_trace.value[own] == row.device_trace.value[whole]
    return bool(len(common)) and bool(same.all()) and bool(row.device_trace.value[whole].any())
