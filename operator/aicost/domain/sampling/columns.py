"""Raw series as columns of integers: what each one is, in which unit, without the values that are none."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from aicost.domain.sampling.alike.moments import KnownMoments
from aicost.domain.sampling.alike.origins import Origin, Origins
from aicost.domain.sampling.alike.values import BLANK_64, Form, Samples, cleaned, form_of
from aicost.domain.sampling.dialects import Metric, Unit, means, unit_of, values_decide
from aicost.domain.sampling.identity import Holder, SamplingContext
from aicost.domain.sampling.series import OF_PODS, RawSeries, Signal, Values

_Exporter = tuple[str, ...]
_Known = tuple[RawSeries, Metric, Origin]


class Entry(NamedTuple):
    """What one raw series is.

    Attributes:
        key: device, instance, signal and profile: what it is a series of, whoever held it and whoever exported it.
    """

    raw: RawSeries
    signal: Signal
    unit: Unit
    origin: Origin
    key: tuple[str, str, Signal, str]

    @property
    def device(self) -> str:
        """UUID of the physical device."""
        return self.origin.device

    @property
    def instance(self) -> str | None:
        """Its hardware partition, None for the whole device."""
        return self.origin.instance

    @property
    def holder(self) -> Holder | None:
        """The pod that it shows on the device."""
        return self.origin.holder

    @property
    def exporter(self) -> tuple[str, ...]:
        """What tells its exporter apart."""
        return self.origin.exporter


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Samples of all entries.

    Attributes:
        entries: sorted by their key.
        samples: those of each entry; an entry may have none left.
        dropped: defect -> number of samples that were dropped or mended for it.
    """

    entries: tuple[Entry, ...]
    samples: tuple[Samples, ...]
    dropped: Mapping[str, int]


def describe(raw: Iterable[RawSeries], context: SamplingContext) -> tuple[tuple[Entry, ...], int]:
    """Say what each series is; those that name no device are counted."""
    origins = Origins(context)
    known = [
        (one, metric, origins.of(one, metric))
        for one in raw
        if (metric := means(one.name, one.labels)) is not None and len(one.at_ms)
    ]
    entries = [
        _entry(one, metric.signal, unit, origin)
        for (one, metric, origin), unit in zip(known, _units(known), strict=True)
        if origin.device
    ]
    unidentified = len(known) - len(entries)
    entries += [_entry(one.raw, Signal.POD_UTIL, one.unit, one.origin) for one in entries if is_of_pod(one)]
    entries.sort(key=attrgetter("key"))
    return tuple(one for one in entries if one.signal not in OF_PODS or one.origin.holder), unidentified


def _entry(raw: RawSeries, signal: Signal, unit: Unit, origin: Origin) -> Entry:
    return Entry(raw, signal, unit, origin, (origin.device, origin.instance or "", signal, origin.profile))


def is_of_pod(entry: Entry) -> bool:
    """Whether a row is what a single pod used: dcgm-exporter shows replicas of a device, each by its holder.

    Utilisation alone is measured so; what else it shows by replica is the device's value again.
    """
    return entry.origin.replica and entry.signal is Signal.GPU_UTIL


def _units(known: Sequence[_Known]) -> Sequence[Unit]:
    """The unit of each series."""
    names = [(one.name, one.help) for one, _, _ in known]
    texts = set(names)
    told = {(name, text): unit_of(name, text, 0.0) for name, text in texts if not values_decide(name, text)}
    doubtful = {name for name, _ in texts - told.keys()}
    if not doubtful:
        return [told[name] for name in names]
    largest = _largest((one, origin.exporter) for one, _, origin in known if one.name in doubtful)
    return [
        told.get((name, text)) or unit_of(name, text, largest[origin.exporter, name])
        for (name, text), (_, _, origin) in zip(names, known, strict=True)
    ]


def _largest(series: Iterable[tuple[RawSeries, _Exporter]]) -> dict[tuple[_Exporter, str], float]:
    """Largest plausible value of each exporter's metrics."""
    values: dict[tuple[_Exporter, str], list[Values]] = defaultdict(list)
    for one, exporter in series:
        values[exporter, one.name].append(one.value)
    return {key: _plausible(np.concatenate(some)) for key, some in values.items()}


def _plausible(value: Values) -> float:
    """The largest value that may be one; 0 where none may."""
    largest = float(value.max())
    if not largest < BLANK_64:  # not a number, or more than any
        largest = float(value[np.isfinite(value) & (value < BLANK_64)].max(initial=0.0))
    return max(0.0, largest)


_AT_ONCE = 1 << 15
"""Samples in one table: as many as stay in a core's own cache."""
_DEFECTS = ("not_finite", "sentinels", "negative", "future", "clamped")


def to_columns(entries: Sequence[Entry], now_ms: int) -> Columns:
    """Put samples into columns: drop what is no value or not yet, scale, and clamp fractions to a whole."""
    known, total, found = KnownMoments(), Counter(dict.fromkeys(_DEFECTS, 0)), dict[int, Samples]()
    for form, indexes in _tables(entries):
        raw = [entries[index].raw for index in indexes]
        samples, dropped = cleaned(raw, known.of_each([one.at_ms for one in raw]), form, now_ms)
        found.update(zip(indexes, samples, strict=True))
        total.update(dropped)
    return Columns(tuple(entries), tuple(found[index] for index in range(len(entries))), total)


def _tables(entries: Sequence[Entry]) -> Iterator[tuple[Form, Sequence[int]]]:
    """The entries that are cleaned together: those of one form, some at a time."""
    device: dict[Unit, list[int]] = defaultdict(list)
    pod: dict[Unit, list[int]] = defaultdict(list)
    for index, (_, signal, unit, _, _) in enumerate(entries):
        (pod if signal is Signal.POD_UTIL else device)[unit].append(index)
    for alike in (device, pod):
        for unit, indexes in alike.items():
            form, first, samples = form_of(unit, of_pod=alike is pod), 0, 0
            for position, index in enumerate(indexes, start=1):
                samples += len(entries[index].raw.at_ms)
                if samples >= _AT_ONCE or position == len(indexes):
                    yield form, indexes[first:position]
                    first, samples = position, 0
