"""How long one run of an object takes, as far as it says."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from aicost.domain.workloads.foreign import Json, found, pointer, whole
from aicost.domain.workloads.places import JudgedKind

EXPECTED_DURATION = "aicost.dev/expected-duration"
MAX_EXEC_TIME = "kueue.x-k8s.io/max-exec-time-seconds"
_UNITS = {"w": 7 * DAY_MS, "d": DAY_MS, "h": HOUR_MS, "m": MINUTE_MS, "s": SECOND_MS}
_DURATION = re.compile(r"(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?", re.ASCII)
_RUN_POLICY = "runPolicy"
LONGEST_MS = 3_660 * DAY_MS
"""Ten years: who says more means that there is no end."""


def parse_duration(text: str) -> int | None:
    """Milliseconds of a duration such as `30m`, `13h`, `2d` or `1h30m`; None for everything else, and for 0."""
    match = _DURATION.fullmatch(text.strip()) if len(text) <= 40 else None
    if match is None:
        return None
    millis = sum(int(number) * unit for number, unit in zip(match.groups(), _UNITS.values(), strict=True) if number)
    return millis if 0 < millis <= LONGEST_MS else None


def duration_of(
    kind: JudgedKind, obj: Json, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> tuple[int | None, str]:
    """How long one run takes, and what says it; the first of these that can be read.

    What people expect, then the deadline of the pods or the job, Kueue's limit, and the deadline of a run policy. Of
    several parts with a deadline the longest counts.

    Args:
        kind: its line in the table of kinds.
        obj: the object.
        labels: of the object and, behind them, of its inner metadata and pod templates.
        annotations: of the same.
    """
    told = next(_told(kind, obj, labels, annotations), None)
    return told or (None, "")


def _told(
    kind: JudgedKind, obj: Json, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> Iterator[tuple[int, str]]:
    for given in (annotations, labels):
        yield from _named(EXPECTED_DURATION, [parse_duration(given.get(EXPECTED_DURATION, ""))])
    own = [written for written in kind.deadlines if _RUN_POLICY not in written]
    yield from _named("activeDeadlineSeconds", _seconds(obj, own))
    yield from _named(MAX_EXEC_TIME, [_millis(labels.get(MAX_EXEC_TIME))])
    policy = [written for written in kind.deadlines if _RUN_POLICY in written]
    yield from _named("runPolicy.activeDeadlineSeconds", _seconds(obj, policy))
    texts = [there for written in kind.durations for _, there in found(obj, pointer(written))]
    estimates = [parse_duration(there) for there in texts if isinstance(there, str)]
    yield from _named("runningEstimate", estimates)


def _named(source: str, millis: Iterable[int | None]) -> Iterator[tuple[int, str]]:
    known = [each for each in millis if each]
    if known:
        yield max(known), source


def _seconds(obj: Json, pointers: Iterable[str]) -> list[int | None]:
    return [_millis(there) for written in pointers for _, there in found(obj, pointer(written))]


def _millis(value: Any) -> int | None:
    seconds = whole(value)
    return seconds * SECOND_MS if seconds and seconds * SECOND_MS <= LONGEST_MS else None
