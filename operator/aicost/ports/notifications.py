"""How people are told."""

from collections.abc import Sequence
from typing import Protocol

from aicost.domain.budgets.messages.values import Message


class Notifier(Protocol):
    """Routes by their names, as the settings have them."""

    def offered(self, namespace: str, team: str) -> Sequence[str]:
        """Routes that a budget may name: those that all may name, and those of its namespace.

        Args:
            namespace: of the budget; empty for a ClusterBudget, which may name all.
            team: the one team in its scope, empty where there is none or several. What a budget says of itself opens
                no route that is kept for other namespaces.
        """

    def usual(self, namespace: str, team: str) -> Sequence[str]:
        """Routes of the owner where a budget names none: of its team, else of its namespace, else FinOps."""

    def finops(self) -> Sequence[str]:
        """Routes of those who are told what nobody acknowledged."""

    def send(self, route: str, message: Message) -> None:
        """Tell one route.

        Raises:
            NotifyFailed: it did not take the message; it may be sent again with the same id.
        """
