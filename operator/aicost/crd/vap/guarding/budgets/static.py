"""All guards of budgets."""

from collections.abc import Iterator

from aicost.crd.vap.guarding.budgets.budgets import budget_guard
from aicost.crd.vap.guarding.budgets.deletions import deletion_guard
from aicost.crd.vap.guarding.budgets.overrides import override_guard
from aicost.crd.vap.guarding.budgets.overruns import minor_overrun_guard
from aicost.crd.vap.guarding.budgets.records import budget_exemption_guard, records_guard, undo_guard
from aicost.crd.vap.guarding.guard import Guard


def budget_guards(account: str) -> Iterator[Guard]:
    """The guards that hold without any budget.

    Args:
        account: user name of the controller.
    """
    yield records_guard(account)
    yield undo_guard(account)
    yield budget_exemption_guard()
    yield budget_guard()
    yield deletion_guard(account)
    yield override_guard()
    yield minor_overrun_guard("Budget", "minor-overrun")
    yield minor_overrun_guard("ClusterBudget", "minor-overrun-cluster")
