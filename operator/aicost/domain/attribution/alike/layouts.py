"""Layouts: who holds which device of a node when, by position, for all nodes that look alike."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from aicost.domain.attribution.alike.looks import Frame, Look, Site, look_at
from aicost.domain.attribution.lanes import Lane
from aicost.domain.attribution.spans import DeviceSpan
from aicost.domain.attribution.statement import LaidOut, is_guesswork
from aicost.domain.exact.windows import Window

UNHELD = -1
_Bounds = tuple[int, int]
"""Positions of two moments."""


class Kind(IntEnum):
    """What becomes of the time of a span; see `split`."""

    HELD = 0
    """One pod holds the device, and samples speak of it."""
    GUESSED = 1
    """One pod holds a device: which one is a guess, so samples of this one prove nothing."""
    SYSTEM = 2
    FREE = 3
    """Nobody holds it."""
    PERHAPS_FREE = 4
    """Nobody is known to hold it while some pod's device is a guess: samples prove nothing."""


ASKED = frozenset({Kind.HELD, Kind.SYSTEM, Kind.FREE})
"""Of these, samples say something."""


class PlannedSpan(NamedTuple):
    """A span of one device inside a segment, by position.

    Attributes:
        device, occupant: positions; the occupant is `UNHELD` for none.
        unit: number of segment and device: what one cost is apportioned over.
        whole: the span as far as its holder stays, beyond the segment too; as `part` a position in `Layout.spans`.
        part: the part of it inside the segment.
        seen: samples name the holder on the device, or no other device was left to it.
    """

    device: int
    occupant: int
    unit: int
    kind: Kind
    whole: int
    part: int
    seen: bool


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """How nodes that look alike are held.

    Attributes:
        segments: which decision it is of, and its bounds as a position in `spans`.
        spans: different bounds, as positions of moments.
        planned: the spans of all devices: segment by segment, in it device by device, in it in order of time.
        asked: those of them of which samples say something.
    """

    segments: tuple[tuple[int, int], ...]
    spans: tuple[_Bounds, ...]
    planned: tuple[PlannedSpan, ...]
    asked: tuple[PlannedSpan, ...]

    def column(self, name: str) -> NDArray[np.int64]:
        """One attribute of the planned spans."""
        return np.array([getattr(one, name) for one in self.planned], np.int64)


def layout_of(laid: LaidOut, look: Look) -> Layout | None:
    """What a node's layout is for all that look like it; None where it holds more than whole devices in order.

    Shared devices, instances and lost devices have rules of their own.
    """
    found = _Positions(laid, look)
    segments = []
    for decision, segment in laid.segments:
        number = next(index for index, one in enumerate(laid.node.prices) if one is decision)
        segments.append((number, found.span(segment)))
    planned: list[PlannedSpan] = []
    for unit, (segment, device) in enumerate(_units(laid)):
        for lane in laid.lanes[laid.devices[device]]:
            for span in lane.spans:
                inside = span.span.overlap(segment)
                if inside is None:
                    continue
                if not _is_whole(lane, span):
                    return None
                planned.append(found.planned(unit, device, span, inside))
    if not planned:
        return None
    asked = tuple(one for one in planned if one.kind in ASKED)
    return Layout(tuple(segments), tuple(found.spans), tuple(planned), asked)


def _units(laid: LaidOut) -> Iterator[tuple[Window, int]]:
    return ((segment, device) for _, segment in laid.segments for device in range(len(laid.devices)))


def _is_whole(lane: Lane, span: DeviceSpan) -> bool:
    """Whether a span is one of a whole device that works and that one pod holds, or nobody."""
    plain = lane.share == 1 and lane.left is None and not span.instance
    return plain and not span.unhealthy and not span.shared_for and (not span.holds or span.exclusive is not None)


class Fitted(NamedTuple):
    """A node with the layout that it shares with all that look like it."""

    site: Site
    look: Look
    layout: Layout


_Alone = TypeVar("_Alone")


def fitted(
    sites: Iterable[Site], frame: Frame, lay_out: Callable[[Site], tuple[LaidOut, _Alone]]
) -> Iterator[Fitted | tuple[LaidOut, _Alone]]:
    """Each node with the layout that it shares, or laid out alone where it is a case of its own.

    Args:
        sites: the nodes.
        frame: what they share.
        lay_out: lays one out, with something of the caller's.
    """
    layouts: dict[tuple[object, ...], Layout | None] = {}
    for site in sites:
        look, alone = look_at(site, frame), None
        if look is not None and look.key not in layouts:
            alone = lay_out(site)
            layouts[look.key] = layout_of(alone[0], look)
        layout = layouts[look.key] if look else None
        if look is not None and layout is not None:
            yield Fitted(site, look, layout)
        else:
            yield alone or lay_out(site)


class _Positions:
    """The names and moments of one node as positions."""

    def __init__(self, laid: LaidOut, look: Look) -> None:
        self._laid = laid
        self._moments = {moment: position for position, moment in enumerate(look.moments)}
        self._occupants = {one.pod: position for position, one in enumerate(look.occupants)}
        self.spans: dict[_Bounds, int] = {}

    def span(self, span: Window) -> int:
        bounds = self._moments[span.start_ms], self._moments[span.end_ms]
        return self.spans.setdefault(bounds, len(self.spans))

    def planned(self, unit: int, device: int, span: DeviceSpan, inside: Window) -> PlannedSpan:
        whole, part, hold = self.span(span.span), self.span(inside), span.exclusive
        if hold is None:
            kind = Kind.PERHAPS_FREE if is_guesswork(self._laid, span, inside) else Kind.FREE
            return PlannedSpan(device, UNHELD, unit, kind, whole, part, seen=True)
        pod, seen = hold.claim.tenancy.pod, hold.claim.seen
        usual = Kind.HELD if seen else Kind.GUESSED
        kind = Kind.SYSTEM if pod in self._laid.node.system else usual
        return PlannedSpan(device, self._occupants[pod], unit, kind, whole, part, seen)


def bounds_of(layout: Layout, moments: Sequence[int]) -> list[Window]:
    """The spans of a layout at the moments of one node."""
    return [Window(moments[start], moments[end]) for start, end in layout.spans]
