"""How far a run came, when, and what it had to do again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from aicost.domain.exact.windows import Window
from aicost.domain.training.measures import Count, Sighting
from aicost.domain.training.terms import Shape


@dataclass(frozen=True, slots=True)
class Rise:
    """Work that was done in a span of time: from one count to a higher one."""

    start_ms: int
    end_ms: int
    low: Count
    high: Count

    @property
    def amount(self) -> Count:
        """How much it was."""
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class Climb:
    """How a count rose in a span.

    Attributes:
        kept: work that stands, in order of time.
        lost: work that was done and lost: what came after the checkpoint that a restart went back to.
        restarts: how often the run began again.
        first, last: the counts at the beginning and at the end.
        falls_show: lost work would be seen; False for a counter, which begins at 0 after each restart.
    """

    kept: tuple[Rise, ...]
    lost: tuple[Rise, ...]
    restarts: int
    first: Count
    last: Count
    falls_show: bool

    @property
    def useful(self) -> Fraction:
        """How much of the work stands."""
        return Fraction(sum(one.amount for one in self.kept))

    @property
    def repeated(self) -> Fraction:
        """How much was lost."""
        return Fraction(sum(one.amount for one in self.lost))

    def back_to(self, count: Count) -> "Climb":
        """The climb of a run that ended for good with this count saved: what came after it is lost."""
        kept = list(self.kept)
        lost = (*self.lost, *_cut(kept, count))
        return Climb(tuple(kept), lost, self.restarts, self.first, min(self.last, count), self.falls_show)


Bounds = Mapping[str, Sequence[int]]
"""Name of a pod -> when pods of that name began to hold what they asked for."""


def climb(told: Sequence[Sighting], shape: Shape, span: Window, bounds: Bounds) -> Climb | None:
    """Follow a count through a span.

    A rise is work that was done since the count rose last. A first rise after a (re)start is counted from the sample
    before it: until then the run was starting. What the count falls by is lost, and so is the time that it took.

    Args:
        told: what was shown, in order of time; some of it may be from before the span, and from after it.
        shape: how it counts.
        span: only what is done in it counts.
        bounds: when pods began: a new pod is a restart, also where the count does not fall.

    Returns:
        None where nothing was shown in the span.
    """
    every = list(_points(told, shape, span, bounds))
    points = [one for one in every if one.at_ms < span.end_ms]
    if not any(one.at_ms >= span.start_ms for one in points):
        return None
    last = points[-1].count
    later = next((one for one in every if one.at_ms >= span.end_ms and (one.begins or one.count != last)), None)
    found, since_ms = _followed(_begun(points, span), falls_show=shape is Shape.GAUGE)
    return _went_on(found, since_ms, later, span)


@dataclass(frozen=True, slots=True)
class _Point:
    at_ms: int
    count: Count
    begins: bool
    """It is the first of a new attempt."""


def _points(told: Sequence[Sighting], shape: Shape, span: Window, bounds: Bounds) -> Iterator[_Point]:
    """Counts that fall only where work is lost."""
    if not told:
        return
    if shape is Shape.GAUGE:
        yield _Point(told[0].at_ms, told[0].value, begins=False)
        for before, now in pairwise(told):
            yield _Point(now.at_ms, now.value, begins=_is_new(before.at_ms, now, bounds))
        return
    count: Count = 0
    if told[0].at_ms >= span.start_ms and _is_new(span.start_ms - 1, told[0], bounds):
        yield _Point(told[0].at_ms, count, begins=False)  # it counts from 0 on: the first steps were not seen
        count = told[0].value
    yield _Point(told[0].at_ms, count, begins=False)
    for before, now in pairwise(told):
        new = _is_new(before.at_ms, now, bounds)
        began_again = new or (now.pod == before.pod and now.value < before.value)
        if began_again:
            count += now.value
        elif now.pod == before.pod:
            count += now.value - before.value
        yield _Point(now.at_ms, count, begins=began_again)


def _is_new(before_ms: int, now: Sighting, bounds: Bounds) -> bool:
    return any(before_ms < bound_ms <= now.at_ms for bound_ms in bounds.get(now.pod, ()))


@dataclass(frozen=True, slots=True)
class _Begun:
    points: Sequence[_Point]
    running: bool
    """The run was at work before the first of them."""


def _begun(points: Sequence[_Point], span: Window) -> _Begun:
    """The points of the span; the last one before it stands at its start."""
    early = [one for one in points if one.at_ms < span.start_ms]
    inside = [one for one in points if one.at_ms >= span.start_ms]
    if not early:
        return _Begun(inside, running=False)
    start = _Point(span.start_ms, early[-1].count, begins=False)
    return _Begun([start, *inside], running=early[-1].count > early[0].count)


def _followed(begun: _Begun, *, falls_show: bool) -> tuple[Climb, int | None]:
    """The climb, and when it rose last; None where it is starting again."""
    kept: list[Rise] = []
    lost: list[Rise] = []
    first = begun.points[0]
    restarts, since = 0, first.at_ms if begun.running else None
    for before, now in pairwise(begun.points):
        if now.begins or now.count < before.count:
            restarts, since = restarts + 1, None
            if now.count < before.count:
                lost += _cut(kept, now.count)
            elif now.count > before.count:  # the last of it was not seen, and it was saved
                kept.append(Rise(before.at_ms, before.at_ms, before.count, now.count))
        elif now.count > before.count:
            kept.append(Rise(before.at_ms if since is None else since, now.at_ms, before.count, now.count))
            since = now.at_ms
    return Climb(tuple(kept), tuple(lost), restarts, first.count, begun.points[-1].count, falls_show), since


def _went_on(found: Climb, since_ms: int | None, later: _Point | None, span: Window) -> Climb:
    """What is shown next tells whether the run was at work up to the end of the span. How much it did counts later.

    Args:
        found: the climb of the span.
        since_ms: when it rose last; None where it is starting again at the end.
        later: the first point after the span that shows something else.
        span: the span.
    """
    if since_ms is None or later is None or later.begins or later.count <= found.last:
        return found
    return replace(found, kept=(*found.kept, Rise(since_ms, span.end_ms, found.last, found.last)))


def _cut(kept: list[Rise], count: Count) -> list[Rise]:
    """Take what is above a count from what is kept."""
    lost: list[Rise] = []
    while kept and kept[-1].high > count:
        top = kept.pop()
        if top.low < count:
            part = Fraction(count - top.low) / top.amount
            middle_ms = top.start_ms + (top.end_ms - top.start_ms) * part.numerator // part.denominator
            kept.append(Rise(top.start_ms, middle_ms, top.low, count))
            top = Rise(middle_ms, top.end_ms, count, top.high)
        lost.append(top)
    return lost[::-1]
