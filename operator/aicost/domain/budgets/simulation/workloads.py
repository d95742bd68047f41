"""The workloads behind a cost: who they are, how far they have come, and what each has cost in a window."""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aicost.domain.budgets.simulation.flow import Flow, flow
from aicost.domain.budgets.simulation.record import Record
from aicost.domain.budgets.spend.series import Integers
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.identity.stages import Stage

STAGES = (Stage.SANDBOX.value, Stage.EXPERIMENT.value, "", Stage.PILOT.value, Stage.PRODUCTION.value)
"""Stages in the order in which work is stopped, and the last one never; empty: of no stage."""
_CARE: Mapping[str, int] = {stage: place for place, stage in enumerate(STAGES)}
_ABSENT = -1
MILLI = 1000


class Workload(NamedTuple):
    """A workload, as a ledger knows it.

    Attributes:
        controller: kind and name of what owns its pods: `Job/train`; empty for pods without an owner.
        claim: the AIWorkload that speaks for it; empty for none.
    """

    namespace: str
    controller: str
    claim: str = ""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.controller or '(pods without an owner)'}"


class Seen(NamedTuple):
    """A workload in one window.

    Attributes:
        number: its place among all workloads.
        stage: the strictest stage of its pods; empty for none.
        rate_nanos: cost per hour.
        gpu_milli: thousandths of GPUs that it held, as far as samples tell.
    """

    number: int
    workload: Workload
    stage: str
    rate_nanos: int
    gpu_milli: int


@dataclass(frozen=True, slots=True, eq=False)
class Workloads:
    """What held devices, window by window.

    Attributes:
        named: the workloads.
        starts_ms, ends_ms: of the windows.
        begins: place of the first entry of each window, and the end of the last.
        owner, care, cost, gpu_ms: of each entry: its workload, how careful one is with its stage, and its amounts.
        by_owner: places of the entries, workload by workload, each one's in the order of time.
        own_begins: place in it of the first entry of each workload, and the end of the last.
    """

    named: Sequence[Workload]
    starts_ms: Sequence[int]
    ends_ms: Sequence[int]
    begins: Integers
    owner: Integers
    care: Integers
    cost: Integers
    gpu_ms: Integers
    by_owner: Integers
    own_begins: Integers

    def at(self, at_ms: int, without: Collection[int] = ()) -> list[Seen]:
        """What ran in the window of a moment and has a cost, but for some."""
        place = bisect_right(self.starts_ms, at_ms) - 1
        if place < 0 or at_ms >= self.ends_ms[place]:
            return []
        part = slice(int(self.begins[place]), int(self.begins[place + 1]))
        numbers, of = np.unique(self.owner[part], return_inverse=True)
        cost, gpu_ms, care = (np.zeros(len(numbers), dtype=np.int64) for _ in range(3))
        np.add.at(cost, of, self.cost[part])
        np.add.at(gpu_ms, of, self.gpu_ms[part])
        np.maximum.at(care, of, self.care[part])
        length = self.ends_ms[place] - self.starts_ms[place]
        return [
            Seen(
                number, self.named[number], STAGES[care], divide(nanos * HOUR_MS, length), divide(time * MILLI, length)
            )
            for number, nanos, time, care in zip(*(one.tolist() for one in (numbers, cost, gpu_ms, care)), strict=True)
            if nanos > 0 and number not in without
        ]

    def flow_of(self, number: int) -> Flow:
        """Cost of one workload over time."""
        entries = self.by_owner[self.own_begins[number] : self.own_begins[number + 1]]
        windows, of = np.unique(np.searchsorted(self.begins, entries, side="right") - 1, return_inverse=True)
        cost: Integers = np.zeros(len(windows), dtype=np.int64)
        np.add.at(cost, of, self.cost[entries])
        places = windows.tolist()
        starts, ends = ([bounds[place] for place in places] for bounds in (self.starts_ms, self.ends_ms))
        return flow(starts, ends, cost.tolist())


def workloads_of(record: Record, groups: NDArray[np.bool_]) -> Workloads:
    """The workloads of some groups, which pods held."""
    entries = groups[record.group_of]
    named, owner_of, care_of = _owners(record, groups)
    window_of, group_of = record.window_of[entries], record.group_of[entries]
    owner = owner_of[group_of]
    by_owner = np.argsort(owner, kind="stable")
    return Workloads(
        named=named,
        starts_ms=record.starts_ms.tolist(),
        ends_ms=record.ends_ms.tolist(),
        begins=np.searchsorted(window_of, np.arange(len(record.starts_ms) + 1)),
        owner=owner,
        care=care_of[group_of],
        cost=record.cost[entries],
        gpu_ms=record.gpu_ms[entries],
        by_owner=by_owner,
        own_begins=np.searchsorted(owner[by_owner], np.arange(len(named) + 1)),
    )


def _owners(record: Record, groups: NDArray[np.bool_]) -> tuple[list[Workload], Integers, Integers]:
    """The workloads, and of each group its workload and how careful one is with its stage."""
    keys = record.groups.keys
    namespace, controller, claim, stage = (keys.index(key) for key in ("namespace", "controller", "workload", "stage"))
    owner_of: Integers = np.full(len(groups), _ABSENT, dtype=np.int64)
    care_of: Integers = np.full(len(groups), _CARE[""], dtype=np.int64)
    places: dict[tuple[str, str], int] = {}
    claims: dict[int, str] = {}
    for place in np.flatnonzero(groups).tolist():
        values = record.groups.values[place]
        number = places.setdefault((values[namespace], values[controller]), len(places))
        owner_of[place], care_of[place] = number, _CARE.get(values[stage], _CARE[""])
        claims[number] = claims.get(number) or values[claim]
    return [Workload(*names, claims[number]) for names, number in places.items()], owner_of, care_of
