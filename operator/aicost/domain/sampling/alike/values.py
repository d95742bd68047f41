"""Values of many series as integers: what is measured alike is judged, scaled and clamped in one table.

Nearly all series are clean: their lowest and highest value and their newest time say so for a whole table, and their
times are left as they came.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aicost.domain.sampling.alike.moments import Moments
from aicost.domain.sampling.dialects import LARGEST_RATIO, Unit
from aicost.domain.sampling.series import PPB, Millis, Parts, RawSeries, Values

BLANK_32 = 2_147_483_632.0
"""From here on a 32-bit field says "not available" (not found, not supported, not permitted ...)."""
BLANK_64 = 140_737_488_355_328.0
"""The same for a wide field: its floating-point blank; the 64-bit integer blanks (9.2e18) are above it."""

_MOST_OF_A_POD = int(LARGEST_RATIO * PPB)
"""More than that is garbage in a driver's buffer, and no busy pod."""
_WIDE = frozenset({Unit.BYTES, Unit.JOULES, Unit.MILLIJOULES, Unit.SECONDS})
_FRACTIONS = frozenset({Unit.RATIO, Unit.PERCENT})
_SCALE: Mapping[Unit, int] = {
    Unit.RATIO: PPB,
    Unit.PERCENT: PPB // 100,
    Unit.MEBIBYTES: 1 << 20,
    Unit.JOULES: 1_000,
    Unit.SECONDS: 1_000_000_000,
}
_ANY = 1 << 62
"""Half of what 64 bits hold: 146 years in nanoseconds."""


class Samples(NamedTuple):
    """The values of one series, in base units.

    Attributes:
        rising: each time is later than the one before it.
    """

    at_ms: Millis
    value: Parts
    rising: bool

    def where(self, wanted: NDArray[np.bool_]) -> "Samples":
        """Some of the samples."""
        return Samples(self.at_ms[wanted], self.value[wanted], self.rising)


def joined(parts: Sequence[Samples]) -> Samples:
    """Samples of several series, in no order of time."""
    at_ms, value = np.concatenate([one.at_ms for one in parts]), np.concatenate([one.value for one in parts])
    return Samples(at_ms, value, rising=False)


class Form(NamedTuple):
    """What series have in common that are cleaned alike.

    Attributes:
        scale: base units in one unit of the values.
        blank: from here on a value says that there is none.
        most: what is more, in base units, is garbage.
        whole: what is more, in base units, is cut to it.
    """

    scale: float
    blank: float
    most: int
    whole: int


def form_of(unit: Unit, *, of_pod: bool) -> Form:
    """The form of series.

    Args:
        unit: of their values.
        of_pod: they say what single pods used.
    """
    scale, blank = float(_SCALE.get(unit, 1)), BLANK_64 if unit in _WIDE else BLANK_32
    return Form(scale, blank, _MOST_OF_A_POD if of_pod else _ANY, PPB if unit in _FRACTIONS else _ANY)


def cleaned(
    raw: Sequence[RawSeries], moments: Sequence[Moments], form: Form, now_ms: int
) -> tuple[list[Samples], Mapping[str, int]]:
    """What is left of each of some series, and how many samples were dropped or mended, by defect.

    Args:
        raw: series of one form.
        moments: their times.
        form: theirs.
        now_ms: samples from later are dropped.
    """
    value = np.concatenate([one.value for one in raw], dtype=np.float64)  # our own: it is scaled in place
    times = [one.at_ms for one in moments]
    ends, dropped = np.cumsum([len(at_ms) for at_ms in times]), Counter[str]()
    if not _are_values(value, moments, form, now_ms):
        at_ms = np.concatenate(times)
        keep, dropped = _judge(at_ms, value, form, now_ms)
        ends = np.append(0, np.cumsum(keep))[ends]
        times, value = _cut(at_ms[keep], ends), value[keep]
    parts = np.rint(np.multiply(value, form.scale, out=value), out=value).astype(np.int64)
    if parts.max(initial=0) > form.whole:
        dropped["clamped"] += int((parts > form.whole).sum())
        np.minimum(parts, form.whole, out=parts)
    return list(map(Samples, times, _cut(parts, ends), [one.rising for one in moments])), dropped


def _are_values(value: Values, moments: Sequence[Moments], form: Form, now_ms: int) -> bool:
    """Whether all samples are values: the outermost ones tell. What is no number is neither less nor more than any."""
    least, most = value.min(), value.max()
    possible = least >= 0 and most < form.blank and np.rint(most * form.scale) <= form.most
    return bool(possible) and max(one.newest_ms for one in moments) <= now_ms


def _judge(at_ms: Millis, value: Values, form: Form, now_ms: int) -> tuple[NDArray[np.bool_], Counter[str]]:
    """Which samples are values, and how many are not, by the first reason that fits."""
    reasons = {
        "not_finite": ~np.isfinite(value),
        "sentinels": value >= form.blank,
        "negative": value < 0,
        "future": at_ms > now_ms,
        "clamped": np.rint(np.clip(value, 0, form.blank) * form.scale) > form.most,
    }
    keep, dropped = np.ones(len(value), bool), Counter[str]()
    for reason, wrong in reasons.items():
        dropped[reason] = int((keep & wrong).sum())
        keep &= ~wrong
    return keep, dropped


def _cut(column: Millis, ends: NDArray[np.intp]) -> list[Millis]:
    """A column in pieces, by where they end."""
    return [column[start:end] for start, end in pairwise([0, *ends.tolist()])]
