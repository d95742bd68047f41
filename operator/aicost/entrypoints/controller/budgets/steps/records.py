"""The records of steps: made before anything is done, moved forward with it, kept for a while afterwards."""

from collections.abc import Iterable
from dataclasses import dataclass

from aicost.adapters.kube.wire.errors import Conflict
from aicost.crd.convert.budget.action import action_spec, action_status
from aicost.domain.budgets.gates import Destruction
from aicost.domain.enforcement.values import Action
from aicost.domain.exact.windows import DAY_MS
from aicost.entrypoints.controller.budgets.reading import Read
from aicost.entrypoints.controller.budgets.writes import Writes
from aicost.entrypoints.controller.registry import Body

KIND = "BudgetAction"
BUDGET_LABEL = "aicost.dev/budget"
"""Label of a record: the budget that it is of, so that `kubectl get budgetactions -l` finds them."""
KEPT_MS = 30 * DAY_MS
"""For so long the record of a step that stopped something is kept after its end."""
NOTED_MS = DAY_MS
"""The same for steps that stopped nothing."""
_LONGEST_LABEL = 63


@dataclass(slots=True)
class Records:
    """Keeps the records in the API server.

    Attributes:
        writes: writes objects of ours.
    """

    writes: Writes

    async def begin(self, action: Action, now_ms: int) -> Read[Action] | None:
        """Make the record of a step; None where there is one of its name already."""
        labels = {"app.kubernetes.io/managed-by": "aicost", BUDGET_LABEL: action.budget.name[:_LONGEST_LABEL]}
        metadata = {"name": action.name, "namespace": action.namespace, "labels": labels}
        try:
            body = await self.writes.create(KIND, metadata, action_spec(action))
        except Conflict:
            return None
        return await self.put(Read(body, action), action, now_ms)

    async def put(self, before: Read[Action], action: Action, now_ms: int) -> Read[Action]:
        """Write how far a step has come."""
        body = await self.writes.state(before.body, action_status(action, before.body, now_ms))
        return Read(body, action)

    async def forget(self, every: Iterable[Read[Action]], now_ms: int) -> None:
        """Delete records of steps that ended long ago."""
        for one in every:
            if is_old(one.value, now_ms):
                await self.writes.delete(one.body)


def is_old(action: Action, now_ms: int) -> bool:
    """Whether a record is not needed any more."""
    if not action.is_over or action.ended_ms is None:
        return False
    kept = KEPT_MS if action.destruction >= Destruction.PAUSE else NOTED_MS
    return now_ms - action.ended_ms > kept


def uid_of(body: Body) -> str:
    """Uid of an object."""
    return str(body["metadata"].get("uid", ""))
