"""Which routes a budget may name, and whom it tells where it names none."""

from collections.abc import Iterable, Sequence

from aicost.adapters.notify.config import Route
from aicost.domain.budgets.messages.values import Urgency
from aicost.domain.policy.wildcards import matches_any

_URGENCIES = tuple(Urgency)


def offered(routes: Iterable[Route], namespace: str) -> Sequence[str]:
    """Routes that a budget of a namespace may name.

    A team is what a budget says of itself: it opens no route that is kept for other namespaces.

    Args:
        routes: all routes.
        namespace: of the budget; empty for a ClusterBudget, which may name all.
    """
    return tuple(route.name for route in routes if _is_open_to(route, namespace))


def usual(routes: Sequence[Route], namespace: str, team: str) -> Sequence[str]:
    """Routes of the owner: of the team; else those that are kept for the namespace; else FinOps.

    Args:
        routes: all routes.
        namespace: of the budget; empty for a ClusterBudget.
        team: the one team in its scope, empty for none.
    """
    open_to = [route for route in routes if _is_open_to(route, namespace)]
    of_team = [route.name for route in open_to if team and team in route.teams]
    of_namespace = [route.name for route in open_to if namespace and route.namespaces and not route.teams]
    return tuple(of_team or of_namespace) or finops(routes)


def finops(routes: Iterable[Route]) -> Sequence[str]:
    """Routes of those who are told what nobody acknowledged."""
    return tuple(route.name for route in routes if route.finops)


def takes(route: Route, urgency: Urgency) -> bool:
    """Whether a message is urgent enough for a route."""
    return _URGENCIES.index(urgency) >= _URGENCIES.index(route.least)


def _is_open_to(route: Route, namespace: str) -> bool:
    return not namespace or not route.namespaces or matches_any(route.namespaces, namespace)
