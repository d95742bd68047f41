"""The rules by which holders share one device over one span: exact weights in, exact weights out.

All amounts are weights: a whole span of `dt` milliseconds is `dt * PPB`, an activity is its part of that. With `W` the
whole, `U` the activity of the device, `a_i` that of a holder and `r_i = raw_i / max(1, sum raw)` what it reserved:

    two-part        used_i = a_i               idle_i = (W - U) r_i          unallocated = (W - U) (1 - sum r)
    by-reservation  used_i = min(W r_i, a_i)   idle_i = W r_i - used_i       unallocated = W (1 - sum r)
    by-usage        used_i = a_i               idle_i = (W - U) a_i / sum a  where sum a = 0 as two-part

What is left of `U` after the holders, `U - sum a`, is unattributed in the first and the last of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

NEARLY_ALL = Fraction(9, 10)
"""Measured activities that reach so much of the device's are all of it: the rest is noise of the samples."""
NONE = Fraction(0)


class SplitRule(StrEnum):
    """How a shared device is split among its holders."""

    TWO_PART = "two-part"
    """Busy time is paid by its users, reserved idle time by its holders."""
    BY_RESERVATION = "by-reservation"
    """A holder pays for what it reserved, whatever it uses."""
    BY_USAGE = "by-usage"
    """A holder pays for what it uses, and for idle time in the same proportion."""


@dataclass(frozen=True, slots=True)
class Activities:
    """Activities of a device and its holders that agree with each other.

    Attributes:
        device: activity of the device, at most the whole.
        holders: activity of each holder.
        scale: what measured activities were multiplied by to agree.
        estimated: positions of the holders whose activity is not measured but a share of what is left.
        rest: what was left of the device's activity for those.
    """

    device: Fraction
    holders: tuple[Fraction, ...]
    scale: Fraction = Fraction(1)
    estimated: frozenset[int] = frozenset()
    rest: Fraction = NONE

    @property
    def unattributed(self) -> Fraction:
        """Activity that no holder owns."""
        return self.device - sum(self.holders, NONE)


@dataclass(frozen=True, slots=True)
class Division:
    """Weights of one span: they sum to the whole.

    Attributes:
        used, idle: of each holder.
    """

    used: tuple[Fraction, ...]
    idle: tuple[Fraction, ...]
    unallocated: Fraction
    unattributed: Fraction = NONE


def reserved(raw: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """What each holder reserved of a device: more than a whole is scaled down to it."""
    scale = max(Fraction(1), sum(raw, NONE))
    return tuple(share / scale for share in raw)


def reconcile(
    whole: int, device: int | None, holders: Sequence[int | None], shares: Sequence[Fraction], strays: int = 0
) -> Activities | None:
    """Make the activities of a device and its holders agree; None where nothing is measured.

    Args:
        whole: weight of the whole span.
        device: activity of the device, None where it is not known.
        holders: activity of each holder, None where it is not known.
        shares: what each holder reserved.
        strays: measured activity of those who hold nothing.
    """
    known = [activity for activity in holders if activity is not None]
    total = sum(known) + strays
    if len(known) < len(holders):
        return None if device is None else _with_rest(min(device, whole), holders, shares, total)
    activity = min(whole, total if device is None else device)
    if not total or total < NEARLY_ALL * activity:
        return Activities(Fraction(activity), tuple(map(Fraction, known)))
    scale = Fraction(activity, total)
    return Activities(Fraction(activity), tuple(scale * one for one in known), scale)


def _with_rest(device: int, holders: Sequence[int | None], shares: Sequence[Fraction], total: int) -> Activities:
    """What measured activities leave of the device's goes to the other holders by what they reserved."""
    unknown = frozenset(position for position, activity in enumerate(holders) if activity is None)
    scale = Fraction(device, total) if total > device else Fraction(1)
    rest = Fraction(max(0, device - total))
    reserve = sum((shares[position] for position in unknown), NONE)
    each = rest / reserve if reserve else NONE
    found = tuple(
        each * share if activity is None else scale * activity for activity, share in zip(holders, shares, strict=True)
    )
    return Activities(Fraction(device), found, scale, unknown, rest)


def _two_part(whole: int, found: Activities, shares: Sequence[Fraction]) -> Division:
    idle = whole - found.device
    parts = tuple(idle * share for share in shares)
    return Division(found.holders, parts, idle - sum(parts, NONE), found.unattributed)


def _by_reservation(whole: int, found: Activities, shares: Sequence[Fraction]) -> Division:
    held = tuple(whole * share for share in shares)
    used = tuple(map(min, held, found.holders))
    idle = tuple(have - use for have, use in zip(held, used, strict=True))
    return Division(used, idle, whole - sum(held, NONE))


def _by_usage(whole: int, found: Activities, shares: Sequence[Fraction]) -> Division:
    total = sum(found.holders, NONE)
    if not total:
        return _two_part(whole, found, shares)
    idle = whole - found.device
    parts = tuple(idle * activity / total for activity in found.holders)
    return Division(found.holders, parts, NONE, found.unattributed)


DIVISIONS: Mapping[SplitRule, Callable[[int, Activities, Sequence[Fraction]], Division]] = {
    SplitRule.TWO_PART: _two_part,
    SplitRule.BY_RESERVATION: _by_reservation,
    SplitRule.BY_USAGE: _by_usage,
}
"""Rule -> weights of holders and of nobody. Each function takes the whole, the activities and what was reserved."""
