"""What samples say of one pod on one device in one window, in slices of time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.sampling.placement import PodName
from aicost.domain.sampling.series import PPB, DeviceSeries, Millis, Parts, Signal

SLICE_MS = 5 * MINUTE_MS
"""Finer than people scale, coarser than exporters collect."""
QUIET = PPB // 100
"""A device that is busy for less than this computes nothing: what is left is housekeeping."""
HELD_BYTES = 1 << 30
"""A gibibyte: more than what a process needs of a GPU before it loads anything."""
UNKNOWN = -1
_BUSY = (Signal.ENGINE_ACTIVE, Signal.GPU_UTIL)
_ALSO_QUIET = (Signal.SM_ACTIVE, Signal.DRAM_ACTIVE)


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """One pod on one device, slice by slice from the window's start.

    Attributes:
        held_ms: for how long the pod held the device.
        busy: mean activity in parts per billion; `UNKNOWN` where no sample speaks of the slice.
        memory: mean bytes in use; `UNKNOWN` where nothing tells.
        resident: memory is held and nothing computes.
    """

    held_ms: Millis
    busy: Parts
    memory: Parts
    resident: NDArray[np.bool_]

    @property
    def idle(self) -> Parts:
        """Idle time of each slice, in parts per billion times milliseconds; 0 where nothing is known."""
        return np.where(self.busy == UNKNOWN, 0, self.held_ms * (PPB - self.busy))


def slices_of(series: Sequence[DeviceSeries], hold: Window, window: Window, *, alone: bool = True) -> Slices:
    """Cut a window into slices.

    Args:
        series: samples of the device, or of the instance that the pod holds.
        hold: when the pod held it.
        window: the billing window.
        alone: the pod shares the device with nobody; of memory that is shared nothing tells whose it is.
    """
    edges = np.append(np.arange(window.start_ms, window.end_ms, SLICE_MS, dtype=np.int64), window.end_ms)
    held = np.minimum(edges[1:], hold.end_ms) - np.maximum(edges[:-1], hold.start_ms)
    held = np.maximum(held, 0)
    busy = _first_known([_mean(series, signal, edges) for signal in _BUSY])
    memory = _mean(series if alone else (), Signal.MEMORY_USED, edges)
    quiet = (busy != UNKNOWN) & (busy <= QUIET)
    for signal in _ALSO_QUIET:
        quiet &= _mean(series, signal, edges) <= QUIET  # what is not known is not above it either
    return Slices(held, busy, memory, quiet & (memory >= HELD_BYTES))


def series_of(series: Sequence[DeviceSeries], device: str, pods: Collection[PodName]) -> list[DeviceSeries]:
    """Samples of a device, and of those of its instances that one of the pods holds."""
    mine = [one for one in series if one.device == device]
    return [one for one in mine if one.instance is None or not {one.holder, *one.holders}.isdisjoint(pods)]


def _first_known(means: Sequence[Parts]) -> Parts:
    """The first of several that is known, slice by slice."""
    found = means[0]
    for other in means[1:]:
        found = np.where(found == UNKNOWN, other, found)
    return found


def _mean(series: Sequence[DeviceSeries], signal: Signal, edges: Millis) -> Parts:
    """Mean of a signal in each slice. Of an instance and its whole device the instance speaks."""
    mine = [one for one in series if one.signal is signal and len(one.at_ms)]
    mine = [one for one in mine if one.instance is not None] or mine
    count = len(edges) - 1
    if not mine:
        return np.full(count, UNKNOWN, np.int64)
    at_ms = np.concatenate([one.at_ms for one in mine])
    value = np.concatenate([one.value for one in mine])
    place = edges.searchsorted(at_ms, side="right") - 1
    inside = (place >= 0) & (place < count)
    sums, samples = np.zeros(count, np.int64), np.bincount(place[inside], minlength=count)
    np.add.at(sums, place[inside], value[inside])
    return np.where(samples > 0, sums // np.maximum(samples, 1), UNKNOWN)
