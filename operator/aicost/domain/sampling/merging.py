"""Many series of one device and signal as one sample per moment, with the pod that held the device then.

Several rows may speak of one moment: two exporters, old and new label names, a row of the device beside rows of its
pods, rows that a Prometheus delivered twice. The largest value counts, so the result does not depend on their order;
rows of single processes are never added. A moment's holder is the pod that any row names; where rows name several the
device is shared and all are kept.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aicost.domain.sampling.alike.values import Samples, joined
from aicost.domain.sampling.identity import Holder
from aicost.domain.sampling.series import Millis, Parts

_NOBODY = 0
_UNKNOWN = np.iinfo(np.int64).max

Row = tuple[Holder | None, Samples]
"""What one series says: who holds the device, and how busy it was."""


class Merged(NamedTuple):
    """Samples of one device and signal under constant holders; times are sorted and unique."""

    holders: tuple[Holder, ...]
    at_ms: Millis
    value: Parts


def merge_alone(holder: Holder | None, samples: Samples) -> Merged:
    """The samples of a single series."""
    holders = (holder,) if holder else ()
    at_ms, value, rising = samples
    if rising:
        return Merged(holders, at_ms, value)
    times, largest, _, _ = _by_moment(at_ms, value, np.zeros(len(at_ms), np.int64))
    return Merged(holders, times, largest)


def merge_pods(rows: Sequence[Row]) -> Iterator[Merged]:
    """The samples of each pod; rows of its containers and replicas repeat the pod's value and are not added."""
    for holder in _holders(rows):
        mine = [samples for of, samples in rows if of == holder]
        yield merge_alone(holder, mine[0] if len(mine) == 1 else joined(mine))


def merge_rows(rows: Sequence[Row]) -> Iterator[Merged]:
    """The samples of several series, cut by holder."""
    holders = _holders(rows)
    codes = {holder: code for code, holder in enumerate(holders, start=1)}
    at_ms, value, _ = joined([samples for _, samples in rows])
    code = np.repeat([codes[of] if of else _NOBODY for of, _ in rows], [len(samples.at_ms) for _, samples in rows])
    times, largest, low, high = _by_moment(at_ms, value, code)
    sets: dict[tuple[int, ...], int] = {}
    label = np.where(high == _NOBODY, 0, high)
    for position in np.flatnonzero((high != _NOBODY) & (low != high)):
        present = tuple(sorted(set(code[at_ms == times[position]].tolist()) - {_NOBODY}))
        label[position] = sets.setdefault(present, len(holders) + 1 + len(sets))
    members = {0: (), **{one: (one,) for one in codes.values()}, **{number: key for key, number in sets.items()}}
    for number in np.unique(label).tolist():
        mine = label == number
        yield Merged(_named(holders, members[number]), times[mine], largest[mine])


def _holders(rows: Sequence[Row]) -> list[Holder]:
    """The holders that rows name, in order."""
    return sorted({holder for holder, _ in rows if holder}, key=lambda holder: (holder.pod, holder.uid or ""))


def _named(holders: Sequence[Holder], codes: tuple[int, ...]) -> tuple[Holder, ...]:
    """One holder per pod: with its uid where any row told it."""
    pods = {holders[code - 1].pod: holders[code - 1] for code in codes}
    return tuple(pods.values())


def _by_moment(
    at_ms: Millis, value: Parts, code: NDArray[np.int64]
) -> tuple[Millis, Parts, NDArray[np.int64], NDArray[np.int64]]:
    """Each moment once: its time, its largest value, and the lowest and highest code of a holder at it."""
    order = np.argsort(at_ms, kind="stable")
    times, values, codes = at_ms[order], value[order], code[order]
    firsts = np.flatnonzero(np.concatenate(([True], times[1:] > times[:-1])))
    low = np.minimum.reduceat(np.where(codes == _NOBODY, _UNKNOWN, codes), firsts)
    return times[firsts], np.maximum.reduceat(values, firsts), low, np.maximum.reduceat(codes, firsts)
