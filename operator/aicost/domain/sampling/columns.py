"""Raw series as columns of integers: what each one is, in which unit, without the values that are none."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aicost.domain.sampling.dialects import HELP_DECIDES, LARGEST_RATIO, METRICS, Unit, means, unit_of
from aicost.domain.sampling.identity import Holder, SamplingContext, device_of, exporter_key, holder_of
from aicost.domain.sampling.series import COUNTERS, OF_PODS, PPB, Millis, Parts, RawSeries, Signal, Values

BLANK_32 = 2_147_483_632.0
"""From here on a 32-bit field says "not available" (not found, not supported, not permitted ...)."""
BLANK_64 = 140_737_488_355_328.0
"""The same for a wide field: its floating-point blank; the 64-bit integer blanks (9.2e18) are above it."""

REPLICA_LABEL = "vgpu"
PROFILE_LABEL = "GPU_I_PROFILE"
_MOST_OF_A_POD = int(LARGEST_RATIO * PPB)
"""More than that is garbage in a driver's buffer, and no busy pod."""
_WIDE = frozenset({Unit.BYTES, Unit.JOULES, Unit.MILLIJOULES, Unit.SECONDS})
_FRACTIONS = frozenset({Unit.RATIO, Unit.PERCENT})
_SCALE: Mapping[Unit, int] = {
    Unit.RATIO: PPB,
    Unit.PERCENT: PPB // 100,
    Unit.MEBIBYTES: 1 << 20,
    Unit.JOULES: 1_000,
    Unit.SECONDS: 1_000_000_000,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What one raw series is."""

    raw: RawSeries
    signal: Signal
    unit: Unit
    device: str
    instance: str | None
    holder: Holder | None
    exporter: tuple[str, ...]

    @property
    def profile(self) -> str:
        """MIG profile of the instance, empty for none."""
        return self.raw.labels.get(PROFILE_LABEL, "") if self.instance else ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Device, instance, signal and profile: what it is a series of, whoever held it and whoever exported it."""
        return self.device, self.instance or "", self.signal.value, self.profile


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Samples of all entries: entry by entry, but in no order of time.

    Attributes:
        entries: sorted by their key.
        at_ms, value: the samples that are values, in base units.
        entry: index of each sample's entry; rising.
        dropped: defect -> number of samples that were dropped or mended for it.
    """

    entries: tuple[Entry, ...]
    at_ms: Millis
    value: Parts
    entry: NDArray[np.intp]
    dropped: Mapping[str, int]

    def bounds(self) -> NDArray[np.intp]:
        """Where each entry's samples begin; one more than there are entries."""
        return np.searchsorted(self.entry, np.arange(len(self.entries) + 1))

    def without(self, unwanted: NDArray[np.bool_]) -> "Columns":
        """The samples but these."""
        if not unwanted.any():
            return self
        keep = ~unwanted
        return Columns(self.entries, self.at_ms[keep], self.value[keep], self.entry[keep], self.dropped)


def describe(raw: Iterable[RawSeries], context: SamplingContext) -> tuple[tuple[Entry, ...], int]:
    """Say what each series is; those that name no device are counted."""
    known = [(one, device_of(one), exporter_key(one)) for one in raw if means(one.name, one.labels) and len(one.at_ms)]
    largest = _largest((one, exporter) for one, _, exporter in known)
    entries = []
    for one, device, exporter in known:
        if device is not None:
            unit = unit_of(one.name, one.help, largest.get((exporter, one.name), 0.0))
            signal = METRICS[one.name].signal
            holder = None if signal in COUNTERS - OF_PODS else holder_of(one, context)
            entries.append(Entry(one, signal, unit, *device, holder, exporter))
    unidentified = len(known) - len(entries)
    entries += [replace(entry, signal=Signal.POD_UTIL) for entry in entries if is_of_pod(entry)]
    entries.sort(key=lambda entry: entry.key)
    return tuple(entry for entry in entries if entry.holder or entry.signal not in OF_PODS), unidentified


def is_of_pod(entry: Entry) -> bool:
    """Whether a row is what a single pod used: dcgm-exporter shows replicas of a device, each by its holder.

    Utilisation alone is measured so; what else it shows by replica is the device's value again.
    """
    return entry.signal is Signal.GPU_UTIL and entry.holder is not None and bool(entry.raw.labels.get(REPLICA_LABEL))


def _largest(series: Iterable[tuple[RawSeries, tuple[str, ...]]]) -> dict[tuple[tuple[str, ...], str], float]:
    """Largest plausible value of each exporter's metrics whose unit the name does not prove."""
    found: dict[tuple[tuple[str, ...], str], float] = {}
    for one, exporter in series:
        if one.name in HELP_DECIDES:
            here = float(one.value.max())
            if not here < BLANK_64:  # not a number, or more than any
                here = float(one.value[np.isfinite(one.value) & (one.value < BLANK_64)].max(initial=0.0))
            found[exporter, one.name] = max(found.get((exporter, one.name), 0.0), here)
    return found


_AT_ONCE = 1 << 15
"""Samples that are judged in one pass: as many as stay in a core's own cache."""
_REASONS = ("not_finite", "sentinels", "negative", "future")


def to_columns(entries: Sequence[Entry], now_ms: int) -> Columns:
    """Put samples into columns: drop what is no value or not yet, scale, and clamp fractions to a whole."""
    blocks = [_block(entries, first, last, now_ms) for first, last in _blocks(entries)]
    dropped: Counter[str] = Counter(dict.fromkeys((*_REASONS, "clamped"), 0))
    for block in blocks:
        dropped.update(block.dropped)
    none = np.zeros(0, np.int64)
    return Columns(
        tuple(entries),
        np.concatenate([none, *(block.at_ms for block in blocks)]),
        np.concatenate([none, *(block.value for block in blocks)]),
        np.concatenate([none, *(block.entry for block in blocks)]),
        dict(dropped),
    )


def _blocks(entries: Sequence[Entry]) -> Iterator[tuple[int, int]]:
    """First and last of the entries of each block."""
    first, samples = 0, 0
    for index, entry in enumerate(entries, start=1):
        samples += len(entry.raw.at_ms)
        if samples >= _AT_ONCE or index == len(entries):
            yield first, index
            first, samples = index, 0


def _block(entries: Sequence[Entry], first: int, last: int, now_ms: int) -> Columns:
    """The columns of some of the entries."""
    some = entries[first:last]
    counts = [len(entry.raw.at_ms) for entry in some]
    index = np.repeat(np.arange(first, last), counts)
    at_ms = np.concatenate([entry.raw.at_ms for entry in some])
    value = np.concatenate([entry.raw.value for entry in some])
    scale = np.repeat([float(_SCALE.get(entry.unit, 1)) for entry in some], counts)
    fraction = np.repeat([entry.unit in _FRACTIONS for entry in some], counts)
    keep, dropped = _judge(at_ms, value, np.repeat([_blank(entry) for entry in some], counts), now_ms)
    if not keep.all():
        at_ms, value, index, scale, fraction = (one[keep] for one in (at_ms, value, index, scale, fraction))
    parts = np.rint(value * scale).astype(np.int64)
    above = parts > PPB
    above &= fraction
    clamped = int(above.sum())
    if any(entry.signal is Signal.POD_UTIL for entry in some):
        of_pod = np.array([entry.signal is Signal.POD_UTIL for entry in some])[index - first]
        possible = ~(of_pod & (parts > _MOST_OF_A_POD))
        at_ms, parts, index, above = (one[possible] for one in (at_ms, parts, index, above))
        clamped = int(above.sum() + len(possible) - possible.sum())
    parts[above] = PPB
    return Columns(tuple(some), at_ms, parts, index, dropped | {"clamped": clamped})


def _blank(entry: Entry) -> float:
    """From where on a value says that there is none."""
    return BLANK_64 if entry.unit in _WIDE else BLANK_32


def _judge(at_ms: Millis, value: Values, blank: Values, now_ms: int) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Which samples are values, and how many are not, by the first reason that fits."""
    keep = (value < blank) & (value >= 0) & (at_ms <= now_ms)  # what is no number at all is neither
    dropped = dict.fromkeys(_REASONS, 0)
    if keep.all():
        return keep, dropped
    keep = np.isfinite(value)
    dropped["not_finite"] = int(len(value) - keep.sum())
    for reason, wrong in (("sentinels", value >= blank), ("negative", value < 0), ("future", at_ms > now_ms)):
        found = keep & wrong
        dropped[reason] = int(found.sum())
        keep &= ~wrong
    return keep, dropped
