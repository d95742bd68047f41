"""A loopback HTTP server whose answers a test writes byte by byte, faults included."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Request:
    """What a client asked, and the way to answer it."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]
    handler: BaseHTTPRequestHandler = field(repr=False)
    release: threading.Event = field(repr=False)

    def answer(self, body: bytes | str, status: int = 200, *, length: int | None = None, **headers: str) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.send_header("Content-Length", str(len(data) if length is None else length))
        self.handler.end_headers()
        self.handler.wfile.write(data)
        if length is not None and length != len(data):
            self.handler.close_connection = True

    def answer_json(self, value: object, status: int = 200, **headers: str) -> None:
        self.answer(json.dumps(value), status, **({"Content_Type": "application/json"} | headers))

    def hang(self) -> None:
        """Say nothing until the test is over."""
        self.release.wait(30)
        self.handler.close_connection = True

    def drop(self) -> None:
        """Close the connection without an answer."""
        self.handler.close_connection = True

    def drip(self, body: bytes, pause_s: float) -> None:
        """Answer one byte at a time."""
        self.handler.send_response(200)
        self.handler.send_header("Content-Length", str(len(body)))
        self.handler.end_headers()
        for byte in body:
            if self.release.wait(pause_s):
                break
            self.handler.wfile.write(bytes([byte]))
            self.handler.wfile.flush()


@dataclass
class Served:
    """A running server and what it was asked."""

    url: str
    requests: list[Request] = field(default_factory=list)


@contextmanager
def serving(
    respond: Callable[[Request], None], tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[Served]:
    """Serve on a free port of the loopback until the block ends, encrypted where a context is given."""
    served, release = Served(""), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two writes: without it each answer waits for 40 ms

        def _go(self) -> None:
            split = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
            found = Request(
                self.command, split.path, _flat(split.query), _flat(body), dict(self.headers), self, release
            )
            served.requests.append(found)
            try:
                respond(found)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_GET = do_POST = _go  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    served.url = f"{'https' if tls else 'http'}://{host}:{server.server_address[1]}"
    try:
        yield served
    finally:
        release.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def _flat(text: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(text).items()}
