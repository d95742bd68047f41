"""/metrics, /healthz and /readyz of the agent, in threads of the standard library: a node has little memory to give."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Page = Callable[[], tuple[int, str]]
"""Gives a status and a text."""


class Pages(ThreadingHTTPServer):
    """Serves pages until it is closed.

    Args:
        address: to listen on; empty for all.
        port: 0 for any that is free.
        pages: path -> page.

    Raises:
        OSError: the port cannot be had.
    """

    daemon_threads = True
    request_queue_size = 16

    def __init__(self, address: str, port: int, pages: dict[str, Page]) -> None:
        self.pages = pages
        super().__init__((address, port), _Handler)
        threading.Thread(target=self.serve_forever, name="pages", daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers GET, and nothing else."""

    server: Pages
    timeout = 10
    server_version = "aicost"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer with a page."""
        page = self.server.pages.get(self.path.partition("?")[0])
        status, text = page() if page else (404, "not found\n")
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the name is the standard library's
        """Requests are not logged."""
