"""All exporters of a fleet over HTTP on loopback, each with an address of its own."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from fleet.clocks import Clock
from fleet.exporter.text import Exporter
from fleet.script import Fleet
from fleet.series import exporters

POD_PORT = 9400


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], exporter: Exporter, clock: Clock) -> None:
        super().__init__(address, _Handler)
        self.exporter = exporter
        self.clock = clock

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the name that the base class makes."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away before the answer is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "dcgm-exporter"

    def do_GET(self) -> None:
        """Answer `/metrics`; everything else is not found."""
        if self.path.split("?")[0] != "/metrics":
            self.send_error(404)
            return
        answer = self.server.exporter.answer(self.server.clock())
        if answer.status == 0:
            self.close_connection = True
            return
        time.sleep(answer.delay_ms / 1000)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Scrapes are too many to log."""


class FleetServer:
    """The exporters of a fleet, served while the context is open.

    Without `pod_ips` each exporter has a free port on 127.0.0.1; with it each listens on its pod's own address (which
    must be a loopback one) at port 9400, as in a cluster.

    Attributes:
        urls: node name to the `/metrics` addresses of its exporters, in the order of the script.
    """

    def __init__(self, fleet: Fleet, clock: Clock, *, pod_ips: bool = False) -> None:
        self.urls: dict[str, list[str]] = {}
        self._servers: list[_Server] = []
        self._fleet, self._clock, self._pod_ips = fleet, clock, pod_ips

    def __enter__(self) -> Self:
        try:
            for exporter in exporters(self._fleet):
                self._start(exporter)
        except OSError:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, exporter: Exporter) -> None:
        view = exporter.view
        address = (view.exporter.ip, POD_PORT) if self._pod_ips else ("127.0.0.1", 0)
        server = _Server(address, exporter, self._clock)
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        host, port = server.server_address[:2]
        self.urls.setdefault(view.node.name, []).append(f"http://{host!s}:{port}/metrics")

    def close(self) -> None:
        """Stop all of them and free their addresses."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers.clear()
