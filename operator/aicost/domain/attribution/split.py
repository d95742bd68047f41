"""The split of one device over one span: how much of its time goes to whom, and into which bucket.

Each bucket has its own rule, and their weights sum to the span's:

    exclusive      used = U dt            allocated-idle = (1 - U) dt        where samples cover the time
                   allocated-unmeasured = dt                                 where they do not
    nobody holds   unattributed = U dt    unallocated = (1 - U) dt           (all of it where nothing was measured)
    shared         by one of three rules: see `sharing.rules`
    unhealthy      unhealthy = dt
"""

from collections.abc import Set as AbstractSet
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from aicost.domain.attribution.parts import UNMEASURED, Activity, Known, Part
from aicost.domain.attribution.sharing.dividing import divide_shared
from aicost.domain.attribution.sharing.rules import SplitRule
from aicost.domain.attribution.spans import DeviceSpan, Hold
from aicost.domain.ledger.rows import Bucket, Method, Quality
from aicost.domain.sampling.series import PPB

_ALONE = Method.EXCLUSIVE
NO_PODS: frozenset[int] = frozenset()
Amount = TypeVar("Amount", int, NDArray[np.int64])
"""A weight, or a column of them: the formulas are the same."""


def of_holder(whole: Amount, busy: Amount, covered: Amount) -> tuple[tuple[Bucket, Amount, Amount], ...]:
    """Buckets with weight and measured weight, of one who holds the whole device.

    Used is U dt, allocated-idle (1 - U) dt; time without samples is unmeasured, never idle.
    """
    idle = covered - busy
    unmeasured = (Bucket.ALLOCATED_UNMEASURED, whole - covered, 0 * whole)
    return (Bucket.USED, busy, busy), (Bucket.ALLOCATED_IDLE, idle, idle), unmeasured


def of_nobody(whole: Amount, busy: Amount, covered: Amount) -> tuple[tuple[Bucket, Amount, Amount], ...]:
    """The same of a device that nobody holds.

    Activity of one who holds nothing is unattributed; the rest of an unheld device is unallocated.
    """
    return (Bucket.UNATTRIBUTED, busy, busy), (Bucket.UNALLOCATED, whole - busy, covered - busy)


def split(
    span: DeviceSpan, activity: Activity, *, system: AbstractSet[int] = NO_PODS, left: Bucket | None = None
) -> tuple[Part, ...]:
    """Split one span of one device that nobody holds, or one pod alone.

    Args:
        span: time and holders.
        activity: what samples say of it.
        system: exporters and diagnostics, by `Tenancy.pod`: what they hold is the platform's.
        left: the bucket of what nobody can hold: it is left beside the MIG instances of a device.
    """
    whole = span.span.length_ms * PPB
    if span.unhealthy:
        return (_part(None, Bucket.UNHEALTHY, whole, activity),)
    if left is not None:
        return (_part(None, left, whole, activity),)
    holder = span.exclusive
    if holder is None:
        return _split_unheld(whole, activity)
    if holder.claim.tenancy.pod in system:
        return (_part(holder, Bucket.SYSTEM, whole, activity),)
    return _split_exclusive(holder, whole, activity if holder.claim.seen else UNMEASURED)


def split_shared(
    span: DeviceSpan, known: tuple[Known, ...], rule: SplitRule, *, system: AbstractSet[int] = NO_PODS
) -> tuple[Part, ...]:
    """Split one span of one device that several pods share, or that one holds a part of.

    Args:
        span: time and holders.
        known: what is known of it: parts whose lengths sum to the span's.
        rule: how it is split.
        system: exporters and diagnostics, by `Tenancy.pod`.
    """
    return tuple(part for one in known for part in divide_shared(span.holds, one, rule, system))


def _split_exclusive(hold: Hold, whole: int, activity: Activity) -> tuple[Part, ...]:
    used, idle, (bucket, weight, _) = of_holder(whole, activity.busy_ppb_ms, activity.covered_ms * PPB)
    unmeasured = Part(hold, bucket, _ALONE, Quality.ASSUMED, "", weight, 0, None)
    parts = (*(_measured(hold, *one, activity.quality, activity) for one in (used, idle)), unmeasured)
    return tuple(part for part in parts if part.weight)


def _split_unheld(whole: int, activity: Activity) -> tuple[Part, ...]:
    strays, rest = of_nobody(whole, activity.busy_ppb_ms, activity.covered_ms * PPB)
    quality = activity.quality if activity.covered_ms else Quality.ASSUMED
    parts = (_measured(None, *strays, activity.quality, activity), _measured(None, *rest, quality, activity))
    return tuple(part for part in parts if part.weight)


def _measured(
    hold: Hold | None, bucket: Bucket, weight: int, measured: int, quality: Quality, activity: Activity
) -> Part:
    """A part that rests on samples."""
    return Part(hold, bucket, _ALONE, quality, activity.signal, weight, measured, activity.error_ppb_ms)


def _part(hold: Hold | None, bucket: Bucket, weight: int, activity: Activity) -> Part:
    """A part whose amount is certain from who held what; samples only say how sure the device was there."""
    covered = min(weight, activity.covered_ms * PPB)
    quality = activity.quality if covered else Quality.ASSUMED
    return Part(hold, bucket, _ALONE, quality, activity.signal, weight, covered, 0)
