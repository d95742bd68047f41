"""What a record says of one budget: cost in its scope over time, the workloads behind it, and how sure that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from aicost.domain.budgets.simulation.flow import Flow, flow
from aicost.domain.budgets.simulation.record import Group, Record, groups_of
from aicost.domain.budgets.simulation.workloads import Workloads, workloads_of
from aicost.domain.budgets.spend.labels import label_coverage, label_keys
from aicost.domain.budgets.spend.scopes import Scope
from aicost.domain.budgets.spend.series import Integers
from aicost.domain.budgets.spend.sums import indexed
from aicost.domain.coverage.keys import OBJECT_KEYS, TEAM
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Bucket
from aicost.domain.reporting.sums import GroupSum

__all__ = ["KEYS", "History", "history_of"]

KEYS = tuple(dict.fromkeys([*OBJECT_KEYS, *label_keys([TEAM])]))
"""Keys by which cost has to be told apart, beside those of the scope: who could be stopped, and whose it is."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What is known of the cost in the scope of a budget.

    Attributes:
        total: all of it, in the currency of the budget.
        held: the part that pods held: what a committed rate would have been.
        workloads: who held it.
        known: from when to when the ledger knows; None: nothing.
        labels: share of the held cost that has a team; None where nothing has a cost.
        foreign: other currency -> starts of the windows that have a cost in it.
        unpriced_ms: device time that has no price.
    """

    total: Flow
    held: Flow
    workloads: Workloads
    known: Window | None
    labels: Fraction | None
    foreign: Mapping[str, tuple[int, ...]]
    unpriced_ms: int


def history_of(record: Record, scope: Scope, currency: str) -> History:
    """What a record says of a scope, in a currency.

    Raises:
        KeyError: the record does not tell a key of the scope, or one of `KEYS`, apart.
    """
    currencies, held = np.asarray(record.currencies, dtype=object), np.asarray(record.groups.held, dtype=bool)
    inside = np.zeros(len(currencies), dtype=bool)
    inside[list(record.groups.inside(scope))] = True
    mine = inside & (currencies == currency)
    unpriced = inside & (currencies == "")
    workloads = workloads_of(record, mine & held)
    return History(
        total=_flow(record, mine),
        held=_flow(record, mine & held),
        workloads=workloads,
        known=record.covered,
        labels=_labels(record, scope, inside & held),
        foreign={
            str(name): _windows_of(record, inside & (currencies == name))
            for name in sorted(set(currencies[inside]) - {currency, ""})
        },
        unpriced_ms=int(record.gpu_ms[unpriced[record.group_of]].sum()) if record.entries else 0,
    )


def _flow(record: Record, groups: NDArray[np.bool_]) -> Flow:
    """Cost of some groups over time."""
    entries = groups[record.group_of]
    cost: Integers = np.zeros(len(record.starts_ms), dtype=np.int64)
    np.add.at(cost, record.window_of[entries], record.cost[entries])
    return flow(record.starts_ms.tolist(), record.ends_ms.tolist(), cost.tolist())


def _windows_of(record: Record, groups: NDArray[np.bool_]) -> tuple[int, ...]:
    """Starts of the windows in which some groups have a cost."""
    entries = groups[record.group_of] & (record.cost != 0)
    return tuple(record.starts_ms[np.unique(record.window_of[entries])].tolist())


def _labels(record: Record, scope: Scope, groups: NDArray[np.bool_]) -> Fraction | None:
    """Label coverage by the rule that gates go by, for what is asked where no policy says anything: a team."""
    cost: Integers = np.zeros(len(groups), dtype=np.int64)
    np.add.at(cost, record.group_of, record.cost)
    every = groups_of(record)
    sums = [_sum(every[place], int(cost[place])) for place in np.flatnonzero(groups).tolist()]
    return label_coverage([indexed(record.groups.keys, sums)], scope, [TEAM])


def _sum(group: Group, cost: int) -> GroupSum:
    values, currency, component, _ = group
    nothing = {"gpu_milliseconds": 0, "unpriced_gpu_milliseconds": 0, "measured_milliseconds": 0}
    return GroupSum(
        keys=values,
        bucket=Bucket.USED.value,
        currency=currency,
        cost_nanos=cost,
        error_squared=0.0,
        unmeasured=False,
        list_price_nanos=0,
        tagged_nanos={},
        component=component,
        **nothing,
    )
