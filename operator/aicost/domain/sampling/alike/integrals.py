"""Integrals of many series at once, where they were read at the same times: what `integration` says, row by row.

An exporter reads all devices of its node together. What depends on times alone is then worked out once for all of
them, and the rest is arithmetic on a table of devices by samples. The rules are those of `integration`, by the same
functions; what they do not decide with one gauge alone is left to them.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.integration import MOST_COVERED_MS, Integral, SignalSamples, Spoken, spoken
from aicost.domain.sampling.series import COUNTERS, Millis, Parts
from aicost.domain.sampling.uncertainty import LAG_MS, between, exact_parts, half_width, of_lag, of_rounding

_ROWS = 64
"""Series in one table: as much as a core's own cache holds."""
_Key = tuple[object, ...]


class Asked(NamedTuple):
    """One integral that is asked for.

    Attributes:
        best: samples of the best signal.
        alone: there are samples of no other signal.
        span: the whole time that one holder held the device, or nobody.
        part: what is integrated of it.
        held: somebody held the device.
    """

    best: SignalSamples
    alone: bool
    span: Window
    part: Window
    held: bool


def integrals(asked: Sequence[Asked]) -> list[Integral | None]:
    """What `cover_best(samples, span, held=held).over(part)` says, of all samples; None where it has to be asked."""
    found: list[Integral | None] = [None] * len(asked)
    alike: dict[_Key, list[int]] = defaultdict(list)
    times: dict[int, bytes] = {}
    for index, one in enumerate(asked):
        if one.best.signal not in COUNTERS and not one.best.blind:
            alike[_key(one, times)].append(index)
    for indexes in alike.values():
        for low in range(0, len(indexes), _ROWS):
            some = indexes[low : low + _ROWS]
            for index, integral in zip(some, _together([asked[index] for index in some]), strict=False):
                found[index] = integral
    return found


def _key(one: Asked, times: dict[int, bytes]) -> _Key:
    """All that decides which time the samples speak of.

    Args:
        one: what is asked.
        times: moments that were met, by identity: most of those that are equal are one object.
    """
    best, alone, span, part, held = one
    at_ms = best.at_ms
    moments = times.get(id(at_ms))
    if moments is None:
        moments = times[id(at_ms)] = at_ms.tobytes()
    bounds = (moments, span.start_ms, span.end_ms, part.start_ms, part.end_ms)
    return *bounds, held, alone, best.signal, best.interval_ms, best.collection_ms


def _together(asked: Sequence[Asked]) -> Iterator[Integral]:
    """Integrals of what is alike; none where another signal is needed to cover the span."""
    first, best = asked[0], asked[0].best
    low, high = (int(best.at_ms.searchsorted(moment)) for moment in (first.span.start_ms, first.span.end_ms))
    values = np.stack([one.best.value[low:high] for one in asked])
    times = best.at_ms[low:high]
    told = spoken(times, values, first.span, best.interval_ms, best.collection_ms, held=first.held)
    covered = 0 if told is None else int(_inside(told, first.span).sum())
    if covered != first.span.length_ms and not first.alone:
        return
    if told is None:
        yield from (Integral() for _ in asked)
    elif covered <= MOST_COVERED_MS:
        yield from _over(told, first.part, best)


def _over(told: Spoken, part: Window, best: SignalSamples) -> Iterator[Integral]:
    """Integrate a part of the span, for each series."""
    lengths = _inside(told, part)
    time = int(lengths.sum())
    samples = int(np.count_nonzero((told.at_ms >= part.start_ms) & (told.at_ms < part.end_ms) & _filled(told)))
    if not time:
        yield from (Integral(samples=samples) for _ in told.value)
        return
    near = _near(lengths)
    variances = exact_parts(between(told.step[:, near], lengths[near]))
    rounding, active = of_rounding(best.signal, time), (told.value @ lengths).tolist()
    for one, change, spread in zip(active, _changes(told, part), variances, strict=True):
        error = half_width([*spread, of_lag(change), rounding])
        yield Integral(one, time, samples, error, (best.signal,))


def _changes(told: Spoken, part: Window) -> list[int]:
    """By how much the load changed from the head to the tail of what the part covers; 0 where nothing tells."""
    filled = np.flatnonzero(_filled(told))
    start = max(part.start_ms, int(told.start_ms[filled[0]]))
    end = min(part.end_ms, int(told.end_ms[filled[-1]]))
    length = min(LAG_MS, (end - start) // 2)
    head, tail = _inside(told, Window(start, start + length)), _inside(told, Window(end - length, end))
    if not head.any() or not tail.any():
        return [0] * len(told.value)
    changes: list[int] = (_means(told.value, tail) - _means(told.value, head)).tolist()
    return changes


def _means(values: Parts, lengths: Millis) -> Parts:
    """Mean of each series over lengths of its pieces. Only few of them have any: the others are not multiplied."""
    near = _near(lengths)
    means: Parts = (values[:, near] @ lengths[near]) // lengths.sum()
    return means


def _near(lengths: Millis) -> slice:
    """From the first piece that has any length to the last."""
    some = np.flatnonzero(lengths)
    return slice(int(some[0]), int(some[-1]) + 1)


def _inside(told: Spoken, part: Window) -> Millis:
    """How much of each piece lies in a part."""
    ends, starts = np.minimum(told.end_ms, part.end_ms), np.maximum(told.start_ms, part.start_ms)
    lengths: Millis = np.maximum(ends - starts, 0)
    return lengths


def _filled(told: Spoken) -> NDArray[np.bool_]:
    return told.start_ms < told.end_ms
