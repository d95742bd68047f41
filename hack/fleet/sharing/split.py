"""The division of one moment of one GPU among those who hold a part of it.

`r` is a holder's share (`raw / max(1, sum raw)`), `a` its activity and `U` that of the whole, all as parts of what is
divided: a GPU, or one of its MIG instances.

| way | used | allocated-idle | unallocated | unattributed |
|---|---|---|---|---|
| one holder of all of it | U | 1-U | | |
| two-part | a | (1-U) r | (1-U)(1 - sum r) | U - sum a |
| by-reservation | min(r, a) | r - used | 1 - sum r | |
| by-usage, sum a > 0 | a | (1-U) a / sum a | | U - sum a |
| by-usage, sum a = 0 | | (1-U) r | (1-U)(1 - sum r) | U |
| nothing measured | | (unmeasured) r | 1 - sum r | |
"""

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

ZERO = Fraction(0)
ONE = Fraction(1)
NOISE = Fraction(9, 10)  # activity of the holders that reaches this part of the whole is taken for all of it


class Bucket(StrEnum):
    """Where a device's money goes."""

    USED = "used"
    ALLOCATED_IDLE = "allocated-idle"
    ALLOCATED_UNMEASURED = "allocated-unmeasured"
    UNALLOCATED = "unallocated"
    STRANDED = "stranded"
    UNATTRIBUTED = "unattributed"
    UNHEALTHY = "unhealthy"
    SYSTEM = "system"


class Mode(StrEnum):
    """How a shared device is divided."""

    TWO_PART = "two-part"
    BY_RESERVATION = "by-reservation"
    BY_USAGE = "by-usage"


class Stake(NamedTuple):
    """One holder: who, its raw share, its activity (None where it is not known), and whether it is of the platform."""

    owner: str
    raw: Fraction
    activity: Fraction | None
    system: bool = False


class Piece(NamedTuple):
    """A part that goes to an owner and a bucket."""

    owner: str | None
    bucket: Bucket
    part: Fraction


def divide(level: Fraction | None, stakes: Sequence[Stake], mode: Mode) -> list[Piece]:
    """The parts of one moment; they sum to 1.

    Args:
        level: activity of the whole; None where it is not known.
        stakes: the holders. One that reserves nothing (`raw` 0) pays nothing, and what it does is nobody's.
        mode: how it is divided where it is shared.
    """
    holders = [stake for stake in stakes if stake.raw]
    if len(holders) == 1 and holders[0].raw >= 1:
        pieces = _alone(holders[0].owner, level)
    elif not holders:
        pieces = [] if level is None else [Piece(None, Bucket.UNATTRIBUTED, level)]
        pieces.append(Piece(None, Bucket.UNALLOCATED, 1 - (level or ZERO)))
    else:
        pieces = _shared(level, holders, mode)
    platform = {stake.owner for stake in stakes if stake.system}
    return [Piece(o, Bucket.SYSTEM if o in platform else bucket, part) for o, bucket, part in pieces if part]


def _alone(owner: str, level: Fraction | None) -> list[Piece]:
    if level is None:
        return [Piece(owner, Bucket.ALLOCATED_UNMEASURED, ONE)]
    return [Piece(owner, Bucket.USED, level), Piece(owner, Bucket.ALLOCATED_IDLE, 1 - level)]


def _shared(level: Fraction | None, holders: Sequence[Stake], mode: Mode) -> list[Piece]:
    total = sum((one.raw for one in holders), ZERO)
    shares = [one.raw / max(ONE, total) for one in holders]
    owners = [one.owner for one in holders]
    known = [one.activity for one in holders]
    if level is None and None not in known:
        level = min(ONE, sum((one or ZERO for one in known), ZERO))
    if level is None:
        unmeasured = [Piece(o, Bucket.ALLOCATED_UNMEASURED, r) for o, r in zip(owners, shares, strict=True)]
        return [*unmeasured, Piece(None, Bucket.UNALLOCATED, 1 - sum(shares, ZERO))]
    active = settle(level, shares, known)
    used, idle, nobodys, free = _WAYS[mode](level, shares, active)
    pieces = [Piece(owner, Bucket.USED, part) for owner, part in zip(owners, used, strict=True)]
    pieces += [Piece(owner, Bucket.ALLOCATED_IDLE, part) for owner, part in zip(owners, idle, strict=True)]
    return [*pieces, Piece(None, Bucket.UNATTRIBUTED, nobodys), Piece(None, Bucket.UNALLOCATED, free)]


def settle(level: Fraction, shares: Sequence[Fraction], known: Sequence[Fraction | None]) -> list[Fraction]:
    """Each holder's activity, made to agree with that of the whole."""
    told = sum((one or ZERO for one in known), ZERO)
    down = min(ONE, level / told) if told else ONE
    settled = [(one or ZERO) * down for one in known]
    if None in known:
        silent = sum((r for r, one in zip(shares, known, strict=True) if one is None), ZERO)
        rest = level - sum(settled)
        return [rest * r / silent if one is None else a for r, one, a in zip(shares, known, settled, strict=True)]
    if told and told >= NOISE * level:
        return [(one or ZERO) * level / told for one in known]
    return settled


class Parts(NamedTuple):
    """What each holder used and held idle, what nobody is billed for, and what nobody reserved."""

    used: list[Fraction]
    idle: list[Fraction]
    unattributed: Fraction
    unallocated: Fraction


def _two_part(level: Fraction, shares: Sequence[Fraction], active: Sequence[Fraction]) -> Parts:
    idle = [(1 - level) * r for r in shares]
    return Parts(list(active), idle, level - sum(active), (1 - level) * (1 - sum(shares)))


def _by_reservation(level: Fraction, shares: Sequence[Fraction], active: Sequence[Fraction]) -> Parts:
    del level
    used = [min(r, a) for r, a in zip(shares, active, strict=True)]
    return Parts(used, [r - u for r, u in zip(shares, used, strict=True)], ZERO, 1 - sum(shares, ZERO))


def _by_usage(level: Fraction, shares: Sequence[Fraction], active: Sequence[Fraction]) -> Parts:
    total = sum(active, ZERO)
    if not total:
        return _two_part(level, shares, active)
    return Parts(list(active), [(1 - level) * a / total for a in active], level - total, ZERO)


_WAYS = {Mode.TWO_PART: _two_part, Mode.BY_RESERVATION: _by_reservation, Mode.BY_USAGE: _by_usage}
