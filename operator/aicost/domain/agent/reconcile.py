"""Engine time of processes, held against that of their device: nothing is given out twice.

Both are read at the same moment, and yet do not cover the same time: samples of processes lag by up to their period. So
what cannot be matched waits a short while for the other side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aicost.domain.agent.values import SECOND_NS, Owner
from aicost.domain.exact.apportion import apportion

WAIT_NS = 3 * SECOND_NS
"""So much engine time of either side waits for the other."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What waits.

    Attributes:
        room_ns: engine time of the device that no process has claimed.
        claims: engine time of owners that the device has not shown.
    """

    room_ns: int = 0
    claims: Mapping[Owner, int] = field(default_factory=dict)


def reconcile(before: Balance, busy_ns: int, claims: Mapping[Owner, int]) -> tuple[Balance, dict[Owner, int]]:
    """What waits from now on, and what owners get: together never more than the device was busy.

    Args:
        before: what waits.
        busy_ns: engine time of the device since the last reading.
        claims: engine time of its owners, as samples of processes say.
    """
    room = min(before.room_ns, WAIT_NS) + busy_ns
    owners = list(dict.fromkeys([*before.claims, *claims]))
    wanted = [before.claims.get(one, 0) + claims.get(one, 0) for one in owners]
    granted = apportion(min(room, sum(wanted)), wanted) if any(wanted) else [0] * len(owners)
    left = [want - got for want, got in zip(wanted, granted, strict=True)]
    if sum(left) > WAIT_NS:
        left = apportion(WAIT_NS, left)
    waiting = {one: ns for one, ns in zip(owners, left, strict=True) if ns}
    return Balance(min(room - sum(granted), WAIT_NS), waiting), _positive(owners, granted)


def _positive(owners: list[Owner], granted: list[int]) -> dict[Owner, int]:
    return {one: ns for one, ns in zip(owners, granted, strict=True) if ns}
