"""Tells routes: the port, by CloudEvents and by Apprise."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from aicost.adapters.notify import routes
from aicost.adapters.notify.apprise_channel import AppriseChannel
from aicost.adapters.notify.cloud_events import CloudEventsChannel
from aicost.adapters.notify.config import ChannelKind, NotifyConfig, Route
from aicost.adapters.notify.pacing import Pace
from aicost.domain.budgets.messages.values import Message
from aicost.ports.errors import NotifyFailed

_TALKATIVE = ("apprise", "requests", "urllib3")
"""Libraries whose log lines hold addresses and paths, which are secrets here."""


class _Channel(Protocol):
    """One way to send."""

    def send(self, route: Route, message: Message) -> None:
        """Send a message to a route."""


class RouteNotifier:
    """Sends messages to routes by their names. Safe for many threads; a call blocks while the message is on its way.

    Args:
        config: the routes, and what holds for all of them.
        clock: seconds on a clock that nobody sets.
        pause: waits for some seconds.
    """

    def __init__(
        self,
        config: NotifyConfig,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._routes = {route.name: route for route in config.routes}
        self._pace = Pace(clock, pause)
        self._channels: Mapping[ChannelKind, _Channel] = {
            ChannelKind.CLOUD_EVENTS: CloudEventsChannel(config),
            ChannelKind.APPRISE: AppriseChannel(config),
        }

    def offered(self, namespace: str, team: str) -> Sequence[str]:  # noqa: ARG002 - see routes.offered
        """Routes that a budget may name: those that all may name, and those of its namespace."""
        return routes.offered(self._routes.values(), namespace)

    def usual(self, namespace: str, team: str) -> Sequence[str]:
        """Routes of the owner where a budget names none: of its team, else of its namespace, else FinOps."""
        return routes.usual(tuple(self._routes.values()), namespace, team)

    def finops(self) -> Sequence[str]:
        """Routes of those who are told what nobody acknowledged."""
        return routes.finops(self._routes.values())

    def send(self, route: str, message: Message) -> None:
        """Tell one route. What is less urgent than the route asks for is taken and goes nowhere.

        Raises:
            NotifyFailed: it did not take the message; it may be sent again with the same id.
        """
        found = self._routes.get(route)
        if found is None:
            known = ", ".join(self._routes) or "none"
            raise NotifyFailed(f"there is no route {route!r}: the settings have {known}")
        if routes.takes(found, message.urgency):
            self._pace.wait(route)
            self._channels[found.kind].send(found, message)
