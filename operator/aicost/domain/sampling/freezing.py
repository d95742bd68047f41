"""Exporters that hang and repeat old values.

The sign is the energy counter: a GPU that has power uses some, so a counter that stands still for longer than
`frozen_after` is not read any more. What the exporter says of the device after the counter's first such value is
dropped, energy itself included only as far as it repeats. An unchanged activity alone proves nothing: a steady load
looks like that. Without an energy counter, or with one that is always 0, nothing is judged.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from aicost.domain.exact.windows import MINUTE_MS
from aicost.domain.sampling.columns import Columns
from aicost.domain.sampling.series import Millis, Parts, Signal

_Source = tuple[tuple[str, ...], str, str | None]


def frozen_after(interval_ms: int) -> int:
    """How long a counter may stand still: two intervals, and at least a minute, as exporters collect each 30 s."""
    return max(2 * interval_ms, MINUTE_MS)


def frozen_samples(columns: Columns, interval_ms: int) -> NDArray[np.bool_]:
    """Marks the samples that a hanging exporter repeated."""
    frozen = np.zeros(len(columns.at_ms), bool)
    bounds = columns.bounds()
    slices: dict[_Source, list[slice]] = {}
    energy: dict[_Source, list[slice]] = {}
    for index, entry in enumerate(columns.entries):
        source = (entry.exporter, entry.device, entry.instance)
        mine = slice(int(bounds[index]), int(bounds[index + 1]))
        (energy if entry.signal is Signal.ENERGY else slices).setdefault(source, []).append(mine)
    for source, counters in energy.items():
        if len(counters) == 1 and _rises(columns.value[counters[0]]):
            continue
        for first, last in _standstills(*_readings(columns, counters), frozen_after(interval_ms)):
            for mine in slices.get(source, ()):
                times = columns.at_ms[mine]
                frozen[mine] |= (times > first) & (times <= last)
    return frozen


def _rises(value: Parts) -> bool:
    """Whether no two readings are equal: what most counters show is soon told."""
    return bool((value[1:] > value[:-1]).all())


def _readings(columns: Columns, counters: list[slice]) -> tuple[Millis, Parts]:
    """Readings of one counter in order of time, under whatever labels."""
    at_ms = np.concatenate([columns.at_ms[mine] for mine in counters])
    value = np.concatenate([columns.value[mine] for mine in counters])
    order = np.lexsort((value, at_ms))
    return at_ms[order], value[order]


def _standstills(at_ms: Millis, value: Parts, longest_ms: int) -> Iterator[tuple[int, int]]:
    """First and last reading of each run of equal values that lasts longer than it may."""
    if len(value) < 2 or not value[-1] > 0:
        return
    edges = np.flatnonzero(np.diff(value)) + 1
    firsts = np.concatenate(([0], edges))
    lasts = np.concatenate((edges - 1, [len(value) - 1]))
    long = (at_ms[lasts] - at_ms[firsts] > longest_ms) & (value[firsts] > 0)
    yield from zip(at_ms[firsts[long]].tolist(), at_ms[lasts[long]].tolist(), strict=True)
