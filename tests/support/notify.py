"""Messages, routes, a notifier that only remembers, and a receiver on the loopback."""

import json
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

from aicost.adapters.notify import routes as choice
from aicost.adapters.notify.config import ChannelKind, NotifyConfig, Route
from aicost.adapters.notify.notifier import RouteNotifier
from aicost.domain.budgets.messages.values import Message, Topic, Urgency
from aicost.domain.budgets.plans import BudgetRef
from aicost.domain.exact.windows import from_rfc3339
from aicost.ports.errors import NotifyFailed

_USUAL = Message(
    id="7d1f/notify-80/1793491200000",
    topic=Topic.THRESHOLD,
    urgency=Urgency.WARNING,
    budget=BudgetRef("month", "research", "7d1f"),
    at_ms=from_rfc3339("2026-11-20T10:00:00Z"),
    title="Budget research/month has used 80.4 % of $1,000.00",
    who="team research pays; jane answers for it",
    what="$804.00 of $1,000.00 are spent, 67 % of the month is gone",
    next="FreezeGrowth opens at 100 %, on 2026-11-25 at this rate",
    stop="kubectl aicost budget request month -n research --amount 200 --reason '...'",
    runbook="docs/runbooks/budget-threshold.md",
    data={"spentNanos": 804_000_000_000, "rung": "notify-80"},
)


def message(**more: Any) -> Message:
    """A message that a threshold was crossed, but for some fields."""
    return replace(_USUAL, **more)


def route(name: str, url_file: Path = Path("/nowhere/url"), **more: Any) -> Route:
    """A route for CloudEvents, but for some fields."""
    return replace(Route(name, ChannelKind.CLOUD_EVENTS, url_file), **more)


def seconds(apart: float = 10.0) -> Callable[[], float]:
    """A clock on which much time passes between two looks: nothing has to wait."""
    ticks = count()
    return lambda: next(ticks) * apart


def no_pause(_: float) -> None:
    """Waits for nothing."""


def notifier(config: NotifyConfig) -> RouteNotifier:
    """The real one, without a second between messages."""
    return RouteNotifier(config, seconds(), no_pause)


class FakeNotifier:
    """The port in memory.

    Attributes:
        sent: route and message of all that was taken, in its order.
        failing: routes that take nothing for now; a test changes it.
    """

    def __init__(self, *routes: Route) -> None:
        self._routes = routes
        self._lock = threading.Lock()
        self.sent: list[tuple[str, Message]] = []
        self.failing: set[str] = set()

    def offered(self, namespace: str, team: str) -> Sequence[str]:  # noqa: ARG002 - the port has it
        return choice.offered(self._routes, namespace)

    def usual(self, namespace: str, team: str) -> Sequence[str]:
        return choice.usual(self._routes, namespace, team)

    def finops(self) -> Sequence[str]:
        return choice.finops(self._routes)

    def send(self, route: str, message: Message) -> None:
        known = {one.name: one for one in self._routes}
        if route not in known:
            raise NotifyFailed(f"there is no route {route!r}: the settings have {', '.join(known) or 'none'}")
        if not choice.takes(known[route], message.urgency):
            return
        if route in self.failing:
            raise NotifyFailed(f"route {route} answered 503: it is told again later")
        with self._lock:
            self.sent.append((route, message))


@dataclass
class Received:
    """What came to a receiver."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """A running receiver.

    Attributes:
        statuses: the answer to what comes to a path, 202 where nothing is said; a test changes it.
    """

    url: str = ""
    received: list[Received] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive on a free port until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            receiver.received.append(Received(self.path, dict(self.headers), body))
            self.send_response(receiver.statuses.get(self.path, 202))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@cache
def load_apprise() -> None:
    """Load all services of Apprise, some of which use what Python deprecates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import apprise  # noqa: PLC0415 - an extra that only some tests need

        apprise.Apprise.instantiate("json://localhost")
