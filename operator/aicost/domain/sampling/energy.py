"""Increase of an energy counter, safe against resets."""

from dataclasses import dataclass

from aicost.domain.exact.apportion import prorate
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import Millis, Parts


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
