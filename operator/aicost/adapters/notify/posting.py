"""One POST: bounded in time and size whatever the other side does, and no word of where it went."""

import socket
import ssl
import threading
from collections.abc import Mapping
from http.client import HTTPException

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Url

from aicost.adapters.notify.hosts import is_forbidden


class NoAnswer(Exception):
    """Nothing came back. The text says why and names no address."""


def post(url: Url, body: bytes, headers: Mapping[str, str], timeout_s: float, tls: ssl.SSLContext) -> int:
    """Send a body and tell the status of the answer. Nothing is followed, and nothing of the answer's body is read.

    Raises:
        NoAnswer: none came within the time, or the host may not be reached.
    """
    connection = _connection(url, timeout_s, tls)
    late = threading.Event()
    timer = threading.Timer(timeout_s, _cut, (connection, late))
    timer.daemon = True
    timer.start()
    try:
        return _exchange(connection, url, body, headers)
    except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as error:
        why = f"no answer within {timeout_s:g} s" if late.is_set() else type(error).__name__
        raise NoAnswer(why) from None
    finally:
        timer.cancel()
        connection.close()


def _connection(url: Url, timeout_s: float, tls: ssl.SSLContext) -> HTTPConnection:
    host = (url.host or "").strip("[]")
    if url.scheme == "https":
        return HTTPSConnection(host, url.port, timeout=timeout_s, ssl_context=tls)
    return HTTPConnection(host, url.port, timeout=timeout_s)


def _exchange(connection: HTTPConnection, url: Url, body: bytes, headers: Mapping[str, str]) -> int:
    connection.connect()
    peer = connection.sock.getpeername()[0] if connection.sock else ""
    if is_forbidden(peer):  # a name may lead anywhere: what counts is where it led
        raise NoAnswer("its host is a link-local or metadata address")
    connection.request("POST", url.request_uri, body=body, headers=headers, preload_content=False)
    answer = connection.getresponse()
    try:
        return answer.status
    finally:
        answer.close()


def _cut(connection: HTTPConnection, late: threading.Event) -> None:
    """End a conversation that takes too long, whoever is at it: a byte now and then renews no patience."""
    late.set()
    if connection.sock:
        try:
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
        except OSError:
            return
