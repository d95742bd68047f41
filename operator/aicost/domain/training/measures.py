"""What a run of training shows, and how it is to be read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from aicost.domain.exact.windows import MINUTE_MS
from aicost.domain.sampling.series import Millis, Values
from aicost.domain.training.terms import Measure, Shape


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One series of one measure of a run.

    Attributes:
        pod: name of the pod that shows it; empty where no pod does.
        at_ms, value: samples, in any order; what is no number or negative is left out by whoever reads them.
    """

    measure: Measure
    shape: Shape
    pod: str
    at_ms: Millis
    value: Values


Count = int | Fraction
"""An exact number; whole ones, which most are, as integers: they are far faster."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was shown at one moment."""

    at_ms: int
    value: Count
    pod: str


_APART_MS = 5 * MINUTE_MS
"""A pause of this length, and of some samples, ends a stretch of a series."""
_PAUSES = 4


def leading(tracks: Sequence[Track], *, signed: bool = False) -> list[Sighting]:
    """The samples of a run in order of time, told by one pod at a time.

    All ranks of a run show the same, a little apart. So they are never mixed: the stretch with the most samples leads
    for as long as it lasts, and others fill in before and after it.

    Args:
        tracks: of one measure.
        signed: values below 0 count, as those of a quality may be.
    """
    stretches = [one for track in tracks for one in _stretches(track, signed=signed)]
    stretches.sort(key=lambda one: (-len(one.at_ms), one.at_ms[0], one.pod))
    covered: list[tuple[int, int]] = []
    told: list[Sighting] = []
    for one in stretches:
        free = np.ones(len(one.at_ms), bool)
        for first, last in covered:
            free &= (one.at_ms < first) | (one.at_ms > last)
        if free.any():
            told += [
                Sighting(at, int(value) if value.is_integer() else Fraction(value), one.pod)
                for at, value in zip(one.at_ms[free].tolist(), one.value[free].tolist(), strict=True)
            ]
            covered.append((int(one.at_ms[0]), int(one.at_ms[-1])))
    return sorted(told, key=lambda one: one.at_ms)


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    pod: str
    at_ms: Millis
    value: Values


def _stretches(track: Track, *, signed: bool) -> Iterator[_Stretch]:
    """A series, taken apart where it pauses."""
    good: NDArray[np.bool_] = np.isfinite(track.value)
    if not signed:
        good &= track.value >= 0
    at_ms, last = np.unique(track.at_ms[good][::-1], return_index=True)
    value = track.value[good][::-1][last]
    if not len(at_ms):
        return
    apart = np.diff(at_ms)
    pause = max(_APART_MS, _PAUSES * int(np.median(apart))) if len(apart) else _APART_MS
    cuts = np.flatnonzero(apart > pause) + 1
    for times, values in zip(np.split(at_ms, cuts), np.split(value, cuts), strict=True):
        yield _Stretch(track.pod, times, values)
