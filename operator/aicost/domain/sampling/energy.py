"""Increase of an energy counter, safe against resets, and the mean power that it stands for."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from aicost.domain.exact.apportion import prorate
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import DeviceSeries, Millis, Parts, Signal

COVERED_PPM = 900_000
"""Part of a span that the counter of each device must answer for before its power counts as measured."""


@dataclass(frozen=True, slots=True)
class Increase:
    """What a counter gained.

    Attributes:
        millijoules: the gain.
        covered_ms: time between the samples that it rests on.
        resets: how often the counter started again (the driver was reloaded).
    """

    millijoules: int = 0
    covered_ms: int = 0
    resets: int = 0


def energy_increase(at_ms: Millis, value: Parts, part: Window) -> Increase:
    """Energy used in a part of time.

    Between two samples the counter is taken to rise evenly, and a step that the part cuts is split by telescoping
    rounding, so parts add up exactly. After a reset the new value is the gain: what was used before it since the last
    sample is lost, so the result never exceeds the truth.
    """
    total = covered = resets = 0
    times, values = at_ms.tolist(), value.tolist()
    for index in range(1, len(times)):
        step = Window(times[index - 1], times[index])
        inside = step.overlap(part)
        if inside is None:
            continue
        was, now = values[index - 1], values[index]
        gain = now - was if now >= was else now
        head, tail = inside.start_ms - step.start_ms, inside.end_ms - step.start_ms
        total += prorate(gain, tail, step.length_ms) - prorate(gain, head, step.length_ms)
        covered += inside.length_ms
        resets += now < was and step.end_ms <= part.end_ms
    return Increase(total, covered, resets)


def mean_power(series: Iterable[DeviceSeries], gpus: int, span: Window) -> Fraction | None:
    """Mean power of all GPUs of a node over a span, in watts; None where it was not measured for each of them.

    A millijoule in a millisecond is a watt. MIG instances repeat the counter of their board: one of them stands for it.

    Args:
        series: series of the node.
        gpus: how many GPUs it has.
        span: the span.
    """
    counters: dict[str, dict[str, list[DeviceSeries]]] = defaultdict(lambda: defaultdict(list))
    for one in series:
        if one.signal is Signal.ENERGY:
            counters[one.device][one.instance or ""].append(one)
    if gpus == 0 or len(counters) != gpus or span.length_ms == 0:
        return None
    found = [_board(by_instance[min(by_instance)], span) for by_instance in counters.values()]
    if any(one.covered_ms * 1_000_000 < span.length_ms * COVERED_PPM for one in found):
        return None
    return sum((Fraction(one.millijoules, one.covered_ms) for one in found), Fraction(0))


def _board(parts: list[DeviceSeries], span: Window) -> Increase:
    """The increase of one counter, whose samples stand in a series for each of its holders."""
    at_ms, value = np.concatenate([one.at_ms for one in parts]), np.concatenate([one.value for one in parts])
    order = np.argsort(at_ms, kind="stable")
    return energy_increase(at_ms[order], value[order], span)
