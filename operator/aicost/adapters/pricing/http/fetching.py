"""One GET: bounded in time and size whatever the other side does; no redirect is followed."""

import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

from aicost.adapters.pricing.http.config import PriceFeedConfig
from aicost.ports.errors import InvalidAnswer, NotPermitted, SourceUnavailable

_CHUNK = 1 << 16
_LONGEST_TAG = 256
_OK, _UNCHANGED = 200, 304


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer.

    Attributes:
        body: what came.
        tag: its ETag; empty where it has none.
    """

    body: bytes
    tag: str


def fetch(config: PriceFeedConfig, tag: str) -> Fetched | None:
    """Ask once; None where what the tag names is still what is published.

    Raises:
        SourceUnavailable, NotPermitted, InvalidAnswer: see `PriceFeed.read`.
        InvalidRequest: a file of a secret cannot be read.
    """
    headers = {"Accept": "application/json, application/yaml", "Accept-Encoding": "identity", "User-Agent": "aicost"}
    token = config.token()
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"If-None-Match": tag} if tag else {}
    connection = _connection(config)
    late = threading.Event()
    timer = threading.Timer(config.timeout_s, _cut, (connection, late))
    timer.daemon = True
    timer.start()
    try:
        found = _exchange(connection, config, headers)
    except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as error:
        slow = late.is_set() or isinstance(error, TimeoutError | urllib3.exceptions.TimeoutError)
        raise SourceUnavailable(f"{config.place}: {_late(config) if slow else _reason(error)}") from None
    except InvalidAnswer:
        if late.is_set():  # what was cut off can look like an end
            raise SourceUnavailable(f"{config.place}: {_late(config)}") from None
        raise
    finally:
        timer.cancel()
        connection.close()
    if late.is_set():
        raise SourceUnavailable(f"{config.place}: {_late(config)}")
    return found


def _connection(config: PriceFeedConfig) -> HTTPConnection:
    url = config.parsed
    host = (url.host or "").strip("[]")
    if url.scheme == "https":
        return HTTPSConnection(host, url.port, timeout=config.timeout_s, ssl_context=config.tls())
    return HTTPConnection(host, url.port, timeout=config.timeout_s)


def _exchange(connection: HTTPConnection, config: PriceFeedConfig, headers: Mapping[str, str]) -> Fetched | None:
    connection.request("GET", config.parsed.request_uri, headers=headers, preload_content=False)
    answer = connection.getresponse()
    try:
        _judge(config, answer.status)
        if answer.status == _UNCHANGED:
            return None
        encoding = answer.headers.get("Content-Encoding", "identity")
        if encoding.lower() != "identity":
            raise InvalidAnswer(f"{config.place} answers in the encoding {encoding[:20]!r}: let it answer as it is")
        if "Content-Length" not in answer.headers and "Transfer-Encoding" not in answer.headers:
            raise InvalidAnswer(f"{config.place} says no length: an answer that was cut off could not be told")
        return Fetched(_body(answer, config), _tag(answer.headers.get("ETag", "")))
    finally:
        answer.close()


def _judge(config: PriceFeedConfig, status: int) -> None:
    if status in {_OK, _UNCHANGED}:
        return
    said = f"{config.place} answered {status}"
    if status in {401, 403}:
        raise NotPermitted(f"{said}: check the token in prices.http.tokenFile")
    if 300 <= status < 400:
        raise InvalidAnswer(f"{said}, a redirect, and none is followed: set prices.http.url to the final address")
    if status in {408, 429} or status >= 500:
        raise SourceUnavailable(said)
    raise InvalidAnswer(f"{said}: check prices.http.url")


def _body(answer: HTTPResponse, config: PriceFeedConfig) -> bytes:
    """The whole body, never more than the limit; one that ends early is none."""
    body = bytearray()
    while chunk := answer.read(_CHUNK):
        body += chunk
        if len(body) > config.max_bytes:
            raise InvalidAnswer(f"{config.place} answers with more than prices.http.maxBytes {config.max_bytes}")
    return bytes(body)


def _tag(text: str) -> str:
    """A tag that can be sent again; one that cannot is none."""
    return text if len(text) <= _LONGEST_TAG and text.isascii() and text.isprintable() else ""


def _cut(connection: HTTPConnection, late: threading.Event) -> None:
    """End a conversation that takes too long, whoever is at it: a byte now and then renews no patience."""
    late.set()
    if connection.sock:
        try:
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
        except OSError:
            return


def _late(config: PriceFeedConfig) -> str:
    return f"no whole answer within {config.timeout_s:g} s"


def _reason(error: Exception) -> str:
    hint = ": set prices.http.caFile to the authority that signed it" if "CERTIFICATE_VERIFY" in str(error) else ""
    cause = error.__cause__ if isinstance(error.__cause__, ssl.SSLError | OSError) else error
    return f"{type(cause).__name__}{hint}"
