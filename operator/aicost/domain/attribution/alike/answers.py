"""What samples say of the devices of nodes that have a layout, as columns."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aicost.domain.attribution.alike.layouts import UNHELD, Fitted, PlannedSpan, bounds_of
from aicost.domain.attribution.alike.looks import Site
from aicost.domain.attribution.claims import WHOLE, Claim, Tenancy
from aicost.domain.attribution.parts import UNMEASURED, Activity
from aicost.domain.attribution.sharing.knowing import activity_of
from aicost.domain.attribution.spans import DeviceSpan, Hold
from aicost.domain.attribution.timeline import Intervals, Timelines, best_of
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Holder, Quality
from aicost.domain.sampling.alike.integrals import Asked, integrals
from aicost.domain.sampling.series import DeviceSeries, Signal

Column = NDArray[np.int64]
Word = tuple[str, Quality]
"""The signals that something rests on, and what they are."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A node that has a layout, with its people and samples.

    Attributes:
        holders: who its occupants are in the ledger, by position.
        timelines: what its samples say where each device is asked alone.
    """

    fitted: Fitted
    holders: Sequence[Holder]
    timelines: Callable[[Site], Timelines]


class Answers(NamedTuple):
    """Activities as columns.

    Attributes:
        word: position of signal and quality in `words`.
    """

    busy: Column
    covered: Column
    error: Column
    word: Column
    words: list[Word]


def answers(nodes: Sequence[Placed], interval_ms: int, collection_ms: int) -> Answers:
    """What samples say of the spans that layouts ask for, node after node; what is alike is read together."""
    found: list[Activity] = []
    asked: list[Asked] = []
    askers: list[tuple[int, _Reader, PlannedSpan]] = []
    intervals = Intervals(interval_ms)
    for node in nodes:
        reader = _Reader(node, intervals, collection_ms)
        for span in node.fitted.layout.asked:
            one = reader.asked(span)
            if one is not None:
                asked.append(one)
                askers.append((len(found), reader, span))
            found.append(reader.alone(span) if one is None else UNMEASURED)
    for (row, reader, span), integral in zip(askers, integrals(asked), strict=True):
        found[row] = reader.alone(span) if integral is None else activity_of([integral])
    words: dict[Word, int] = {}
    word = [words.setdefault((one.signal, one.quality), len(words)) for one in found]
    return Answers(
        np.array([one.busy_ppb_ms for one in found], np.int64),
        np.array([one.covered_ms for one in found], np.int64),
        np.array([one.error_ppb_ms for one in found], np.int64),
        np.array(word, np.int64),
        list(words),
    )


class _Reader:
    """The samples of one node."""

    def __init__(self, node: Placed, intervals: Intervals, collection_ms: int) -> None:
        self._node, (self._site, self._look, layout) = node, node.fitted
        self._windows = bounds_of(layout, self._look.moments)
        self._timelines: Timelines | None = None
        by_device = self._look.by_device
        self._best = [best_of(by_device.get(device, ()), collection_ms, intervals) for device in self._look.devices]
        self._counted = [_are_counted(by_device.get(device, ())) for device in self._look.devices]

    def asked(self, span: PlannedSpan) -> Asked | None:
        """What is asked of a device; None where it has no samples, or where somebody counts what each pod does."""
        best = self._best[span.device]
        if best is None or self._counted[span.device]:
            return None
        return Asked(*best, self._windows[span.whole], self._windows[span.part], span.occupant != UNHELD)

    def alone(self, span: PlannedSpan) -> Activity:
        """What samples say of a span, asked alone."""
        whole = self._windows[span.whole]
        if self._best[span.device] is None and not self._counted[span.device]:
            return UNMEASURED
        if self._timelines is None:
            self._timelines = self._node.timelines(self._site)
        holds = () if span.occupant == UNHELD else (self._hold(span, whole),)
        return self._timelines.activity(
            self._look.devices[span.device], DeviceSpan(whole, holds), self._windows[span.part]
        )

    def _hold(self, span: PlannedSpan, whole: Window) -> Hold:
        one = self._look.occupants[span.occupant]
        tenancy = Tenancy(one.pod, one.name, one.uid, Window(one.start_ms, one.end_ms), ())
        return Hold(Claim(tenancy, WHOLE, span.seen), whole)


def _are_counted(series: Iterable[DeviceSeries]) -> bool:
    """Whether somebody counts what each pod does."""
    return Signal.POD_SECONDS in [one.signal for one in series]
