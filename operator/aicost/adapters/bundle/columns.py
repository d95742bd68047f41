"""All samples of a bundle as columns: one number per sample for its series, its time and its value."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import Millis, Values

_TIME_BITS = 43
"""Milliseconds until the year 2248 fit, and a million series beside them."""


@dataclass(frozen=True, slots=True)
class SeriesId:
    """A series: its name and labels, and the HELP text of the files that hold it."""

    name: str
    labels: dict[str, str]
    help: str = ""


SeriesSamples = tuple[SeriesId, Millis, Values]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Samples, ordered by series and time.

    Attributes:
        bounds: where the samples of each series begin; one more than there are series.
    """

    series: tuple[SeriesId, ...]
    bounds: NDArray[np.int64]
    at_ms: Millis
    value: Values

    def within(self, span: Window, names: Collection[str]) -> list[SeriesSamples]:
        """The samples of each series of these names that lie in a span; series without one are left out."""
        found = []
        starts = self.bounds.tolist()
        for place, one in enumerate(self.series):
            if one.name not in names:
                continue
            begin, end = starts[place], starts[place + 1]
            times = self.at_ms[begin:end]
            first, last = np.searchsorted(times, (span.start_ms, span.end_ms))
            if first < last:
                found.append((one, times[first:last], self.value[begin + first : begin + last]))
        return found

    def some(self, count: int, names: Collection[str]) -> Iterator[SeriesSamples]:
        """Some series of these names, whole."""
        places = (place for place, one in enumerate(self.series) if one.name in names)
        for place in islice(places, count):
            begin, end = self.bounds[place], self.bounds[place + 1]
            yield self.series[place], self.at_ms[begin:end], self.value[begin:end]

    def __len__(self) -> int:
        return len(self.at_ms)


@dataclass(slots=True)
class Gathering:
    """Samples as they come from files, block by block.

    Attributes:
        kept: samples outside are not kept.
    """

    kept: Window
    _parts: list[tuple[NDArray[np.int32], Millis, Values]] = field(default_factory=list)

    def add(self, series: NDArray[np.int32], at_ms: Millis, value: Values) -> None:
        """Take the samples of one block; a series below 0 is not wanted."""
        keep = (series >= 0) & (at_ms >= self.kept.start_ms) & (at_ms < self.kept.end_ms)
        if keep.all():
            self._parts.append((series, at_ms, value))
        elif keep.any():
            self._parts.append((series[keep], at_ms[keep], value[keep]))

    def columns(self, known: tuple[SeriesId, ...]) -> Columns:
        """All that was taken, in order."""
        series = np.concatenate([np.zeros(0, np.int32), *(part[0] for part in self._parts)])
        at_ms = np.concatenate([np.zeros(0, np.int64), *(part[1] for part in self._parts)])
        value = np.concatenate([np.zeros(0, np.float64), *(part[2] for part in self._parts)])
        self._parts.clear()
        key = (series.astype(np.int64) << _TIME_BITS) + at_ms
        if len(key) and (key[1:] < key[:-1]).any():
            order = np.argsort(key, kind="stable")
            series, at_ms, value = series[order], at_ms[order], value[order]
        bounds = np.searchsorted(series, np.arange(len(known) + 1))
        return Columns(known, bounds.astype(np.int64), at_ms, value)
