"""What a span is measured by, and the parts that it is split into.

Times are exact: `busy_ppb_ms` is activity in parts per billion times milliseconds, and a weight of a whole span of `dt`
milliseconds is `dt * PPB`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, lcm
from typing import NamedTuple

from aicost.domain.attribution.spans import Hold
from aicost.domain.ledger.rows import Bucket, Method, Quality


class Activity(NamedTuple):
    """What samples say of a device, or of one pod on it, over one span.

    Attributes:
        busy_ppb_ms: integral of the activity, in parts per billion times milliseconds.
        covered_ms: how much of the span has samples behind it.
        error_ppb_ms: half-width of the 95 % error bar of the integral.
        signal: which signals were used, such as `engine-active`; empty for none.
        quality: what the signals are.
    """

    busy_ppb_ms: int = 0
    covered_ms: int = 0
    error_ppb_ms: int = 0
    signal: str = ""
    quality: Quality = Quality.MEASURED_GAUGE


UNMEASURED = Activity()


@dataclass(frozen=True, slots=True)
class Known:
    """A part of a span over which the same is known of a shared device and its holders.

    Attributes:
        length_ms: how long it is; it need not be in one piece.
        device: activity of the device, None where nothing says it.
        holders: activity of each holder as a fraction of the device, None where nothing says it.
        strays: measured activity of pods that hold nothing of it.
    """

    length_ms: int
    device: Activity | None
    holders: tuple[Activity | None, ...]
    strays: tuple[Activity, ...] = ()


class Part(NamedTuple):
    """A share of a span that goes to one holder and bucket.

    Attributes:
        hold: None for money that no pod owes.
        weight: device time in parts per billion times milliseconds, an exact fraction where a share is one.
        measured: the part of the weight that has samples behind it.
        error: half-width of the error bar in the same unit, None where nothing was measured.
    """

    hold: Hold | None
    bucket: Bucket
    method: Method
    quality: Quality
    signal: str
    weight: Fraction | int
    measured: int
    error: int | None


def scaled(parts: tuple[Part, ...], share: Fraction) -> tuple[Part, ...]:
    """Parts of an instance as parts of the device that it is a share of."""
    if share == 1:
        return parts
    return tuple(
        part._replace(
            weight=part.weight * share,
            measured=int(part.measured * share),
            error=None if part.error is None else int(part.error * share),
        )
        for part in parts
    )


def integer_weights(weights: Sequence[Fraction | int]) -> list[int]:
    """Scale exact weights to integers by their common denominator."""
    whole = [weight for weight in weights if isinstance(weight, int)]
    if len(whole) == len(weights):
        return whole
    scale = lcm(*(weight.denominator for weight in weights)) if weights else 1
    return [int(weight * scale) for weight in weights]


def together(activities: Sequence[Activity | None]) -> Activity:
    """Activities over several parts of a span as one; independent errors add in squares."""
    known = [one for one in activities if one and one.covered_ms]
    if not known:
        return UNMEASURED
    ranks = list(Quality)
    return Activity(
        busy_ppb_ms=sum(one.busy_ppb_ms for one in known),
        covered_ms=sum(one.covered_ms for one in known),
        error_ppb_ms=isqrt(sum(one.error_ppb_ms**2 for one in known)),
        signal="+".join(dict.fromkeys(name for one in known for name in one.signal.split("+"))),
        quality=max((one.quality for one in known), key=ranks.index),
    )
