"""Exporters that hang and repeat old values.

The sign is the energy counter: a GPU that has power uses some, so a counter that stands still for longer than
`frozen_after` is not read any more. What the exporter says of the device after the counter's first such value is
dropped, energy itself included only as far as it repeats. An unchanged activity alone proves nothing: a steady load
looks like that. Without an energy counter, or with one that is always 0, nothing is judged.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from aicost.domain.exact.windows import MINUTE_MS
from aicost.domain.sampling.alike.values import Samples, joined
from aicost.domain.sampling.columns import Columns, Entry
from aicost.domain.sampling.series import Millis, Parts, Signal

_Source = tuple[tuple[str, ...], str, str | None]
_AT_ONCE = 128
"""Counters that are looked at together: as many as a core's own cache holds of an hour."""


def frozen_after(interval_ms: int) -> int:
    """How long a counter may stand still: two intervals, and at least a minute, as exporters collect each 30 s."""
    return max(2 * interval_ms, MINUTE_MS)


def frozen_samples(columns: Columns, interval_ms: int) -> Mapping[int, NDArray[np.bool_]]:
    """Which samples a hanging exporter repeated: index of an entry -> a mark for each of its samples; few have any."""
    spans = {
        source: found
        for source, parts in _doubtful(columns).items()
        if (found := list(_standstills(*_readings(parts), frozen_after(interval_ms))))
    }
    frozen: dict[int, NDArray[np.bool_]] = {}
    for index, entry in enumerate(columns.entries) if spans else ():
        if entry.signal is not Signal.ENERGY:
            at_ms = columns.samples[index].at_ms
            still = [(at_ms > first) & (at_ms <= last) for first, last in spans.get(_source(entry), ())]
            if still:
                frozen[index] = np.logical_or.reduce(still)
    return frozen


def _source(entry: Entry) -> _Source:
    return entry.exporter, entry.device, entry.instance


def _doubtful(columns: Columns) -> Mapping[_Source, Sequence[Samples]]:
    """Readings of each counter that may have stood still: not of those that rise, whoever held the device."""
    energy = [
        (entry, samples)
        for entry, samples in zip(columns.entries, columns.samples, strict=True)
        if entry.signal is Signal.ENERGY and len(samples.at_ms)
    ]
    counters: dict[_Source, list[Samples]] = defaultdict(list)
    still: set[_Source] = set()
    rise = _rise([samples.value for _, samples in energy])
    for (entry, samples), rises, alone in zip(energy, rise, _alone([entry for entry, _ in energy]), strict=True):
        if not rises or not alone:
            source = _source(entry)
            counters[source].append(samples)
            if not rises:
                still.add(source)
    return {source: parts for source, parts in counters.items() if source in still or _overlap(parts)}


def _alone(entries: Sequence[Entry]) -> Iterator[bool]:
    """Whether each of some entries, which are sorted, is the only one of its device and instance."""
    places = [None, *(entry.key[:2] for entry in entries), None]
    return (before != place != after for before, place, after in zip(places, places[1:], places[2:], strict=False))


def _rise(columns: Sequence[Parts]) -> Iterator[bool]:
    """Whether each value is larger than the one before it: of each of some columns, none of which is empty."""
    for first in range(0, len(columns), _AT_ONCE):
        some = columns[first : first + _AT_ONCE]
        table = np.concatenate(some)
        larger = np.append(True, table[1:] > table[:-1])
        starts = np.cumsum([0, *map(len, some[:-1])])
        larger[starts] = True
        yield from np.logical_and.reduceat(larger, starts).tolist()


def _overlap(parts: Sequence[Samples]) -> bool:
    """Whether two parts of a counter may share a value, where each rises."""
    if len(parts) == 1:
        return False
    ranges = sorted((int(one.value[0]), int(one.value[-1])) for one in parts)
    return any(before[1] >= after[0] for before, after in pairwise(ranges))


def _readings(parts: Sequence[Samples]) -> tuple[Millis, Parts]:
    """Readings of one counter in order of time, under whatever labels."""
    at_ms, value, _ = joined(parts)
    order = np.lexsort((value, at_ms))
    return at_ms[order], value[order]


def _standstills(at_ms: Millis, value: Parts, longest_ms: int) -> Iterator[tuple[int, int]]:
    """First and last reading of each run of equal values that lasts longer than it may."""
    if len(value) < 2 or not value.any():
        return
    edges = np.flatnonzero(np.diff(value)) + 1
    firsts = np.concatenate(([0], edges))
    lasts = np.concatenate((edges - 1, [len(value) - 1]))
    long = (at_ms[lasts] - at_ms[firsts] > longest_ms) & (value[firsts] > 0)
    yield from zip(at_ms[firsts[long]].tolist(), at_ms[lasts[long]].tolist(), strict=True)
