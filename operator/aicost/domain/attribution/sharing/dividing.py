"""The parts that a shared device is split into, with what each of them rests on."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from math import isqrt

from aicost.domain.attribution.parts import Activity, Known, Part
from aicost.domain.attribution.sharing.rules import DIVISIONS, Activities, SplitRule, reconcile, reserved
from aicost.domain.attribution.spans import Hold
from aicost.domain.ledger.rows import Bucket, Method, Quality
from aicost.domain.sampling.series import PPB

_METHODS = {
    SplitRule.TWO_PART: Method.TWO_PART,
    SplitRule.BY_RESERVATION: Method.BY_RESERVATION,
    SplitRule.BY_USAGE: Method.BY_USAGE,
}


@dataclass(frozen=True, slots=True)
class _Basis:
    """What an amount rests on.

    Attributes:
        error: half-width of its error bar, as a weight.
    """

    quality: Quality
    signal: str
    error: int


def divide_shared(holds: Sequence[Hold], known: Known, rule: SplitRule, system: AbstractSet[int]) -> Iterator[Part]:
    """Divide a part of a span over which the same is known of a device.

    Args:
        holds: who holds it.
        known: what is known, with an activity for each of the holds.
        rule: how it is split.
        system: exporters and diagnostics, by `Tenancy.pod`.
    """
    shares = reserved([hold.claim.share for hold in holds])
    whole = known.length_ms * PPB
    device = known.device.busy_ppb_ms if known.device else None
    strays = sum(one.busy_ppb_ms for one in known.strays)
    activities = [one.busy_ppb_ms if one else None for one in known.holders]
    found = reconcile(whole, device, activities, shares, strays)
    if found is None:
        yield from _unmeasured(holds, shares, whole, system)
        return
    division, method = DIVISIONS[rule](whole, found, shares), _METHODS[rule]
    of_device = _of_device(known)
    for position, hold in enumerate(holds):
        used, idle = division.used[position], division.idle[position]
        of_use = _of_use(known, found, position)
        of_idle = _scaled(of_device, shares[position]) if rule is SplitRule.TWO_PART else of_use
        if hold.claim.tenancy.pod in system:
            yield from _part(hold, Bucket.SYSTEM, method, used + idle, of_use)
        else:
            yield from _part(hold, Bucket.USED, method, used, of_use)
            yield from _part(hold, Bucket.ALLOCATED_IDLE, method, idle, of_idle)
    yield from _part(None, Bucket.UNATTRIBUTED, method, division.unattributed, of_device)
    rest = _scaled(of_device, Fraction(0) if rule is SplitRule.BY_RESERVATION else 1 - sum(shares, Fraction(0)))
    yield from _part(None, Bucket.UNALLOCATED, method, division.unallocated, rest)


def _unmeasured(
    holds: Sequence[Hold], shares: Sequence[Fraction], whole: int, system: AbstractSet[int]
) -> Iterator[Part]:
    """Nothing is measured: by reservation, quality assumed; never a utilisation of 0."""
    for hold, share in zip(holds, shares, strict=True):
        bucket = Bucket.SYSTEM if hold.claim.tenancy.pod in system else Bucket.ALLOCATED_UNMEASURED
        yield from _assumed(hold, bucket, whole * share)
    yield from _assumed(None, Bucket.UNALLOCATED, whole * (1 - sum(shares, Fraction(0))))


def _assumed(hold: Hold | None, bucket: Bucket, weight: Fraction) -> Iterator[Part]:
    if weight:
        yield Part(hold, bucket, Method.BY_RESERVATION, Quality.ASSUMED, "", weight, 0, None)


def _part(hold: Hold | None, bucket: Bucket, method: Method, weight: Fraction, basis: _Basis) -> Iterator[Part]:
    if weight:
        yield Part(hold, bucket, method, basis.quality, basis.signal, weight, int(weight), basis.error)


def _of_device(known: Known) -> _Basis:
    """What the device's activity rests on; where nothing says it, it is the sum of its holders'."""
    if known.device:
        return _Basis(known.device.quality, known.device.signal, known.device.error_ppb_ms)
    each = [one for one in (*known.holders, *known.strays) if one]
    return _Basis(_worst(each), _signals(each), isqrt(sum(one.error_ppb_ms**2 for one in each)))


def _of_use(known: Known, found: Activities, position: int) -> _Basis:
    """What a holder's activity rests on.

    One that was scaled to the device's shares the error of that one. One that was not measured may be anything up to
    what was left, unless nobody else could have used it.
    """
    own, device = known.holders[position], known.device
    sources = [one for one in (own, device) if one]
    if own is not None and found.scale == 1:
        return _Basis(_worst(sources), _signals(sources), own.error_ppb_ms)
    share = found.holders[position] / found.device if found.device else Fraction(0)
    errors = [int(share * device.error_ppb_ms)] if device else []
    if own is not None:
        return _Basis(_worst(sources), _signals(sources), _together(int(found.scale * own.error_ppb_ms), *errors))
    if len(found.estimated) > 1:
        guess = found.holders[position]
        errors.append(int(max(guess, found.rest - guess)))
    return _Basis(Quality.ESTIMATED, _signals(sources), _together(*errors))


def _scaled(basis: _Basis, share: Fraction) -> _Basis:
    return _Basis(basis.quality, basis.signal, int(share * basis.error))


def _together(*errors: int) -> int:
    return isqrt(sum(error * error for error in errors))


def _worst(activities: Sequence[Activity]) -> Quality:
    ranks = list(Quality)
    return max((one.quality for one in activities), key=ranks.index, default=Quality.ASSUMED)


def _signals(activities: Sequence[Activity]) -> str:
    """All signals that were used, each once, in order."""
    names = chain.from_iterable(one.signal.split("+") for one in activities if one.signal)
    return "+".join(dict.fromkeys(names))
