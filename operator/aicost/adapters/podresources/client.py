"""The kubelet's PodResources API on its socket. It limits how often it is asked; we ask every ten seconds."""

import logging
from collections.abc import Callable
from pathlib import Path

import grpc

from aicost.adapters.podresources.messages import pods
from aicost.domain.agent.values import SECOND_NS
from aicost.ports.agent import Held
from aicost.ports.errors import InvalidAnswer

_LOG = logging.getLogger(__name__)
_LIST = "/v1.PodResourcesLister/List"
_EVERY_NS = 10 * SECOND_NS
_FORGOTTEN_NS = 60 * SECOND_NS
"""What the kubelet said last holds for so long while it does not answer, as during its restart."""
_MOST_BYTES = 16 << 20
"""Answers of nodes with many pods are longer than gRPC takes by itself."""


class PodResources:
    """Who holds which device.

    Args:
        socket: usually /var/lib/kubelet/pod-resources/kubelet.sock.
        monotonic_ns: a clock that never steps.
        timeout_seconds: for one answer.
    """

    def __init__(self, socket: Path, monotonic_ns: Callable[[], int], timeout_seconds: float = 2.0) -> None:
        self._socket, self._now, self._timeout = socket, monotonic_ns, timeout_seconds
        self._channel: grpc.Channel | None = None
        self._held: tuple[Held, ...] | None = None
        self._asked_ns: int | None = None
        self._answered_ns = 0
        self.problem = ""

    def held(self) -> tuple[Held, ...] | None:
        """All pods with devices; None while the kubelet does not answer."""
        now_ns = self._now()
        if self._asked_ns is None or now_ns - self._asked_ns >= _EVERY_NS:
            self._asked_ns = now_ns
            self._ask(now_ns)
        return self._held

    def close(self) -> None:
        """Let go of the socket."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _ask(self, now_ns: int) -> None:
        try:
            self._held, self._answered_ns, problem = self._list(), now_ns, ""
        except (grpc.RpcError, InvalidAnswer) as error:
            problem = f"{self._socket} did not answer: {_words(error)}"
            if now_ns - self._answered_ns > _FORGOTTEN_NS:
                self._held = None
        if problem and problem != self.problem:
            _LOG.warning("holders of devices are not known: %s", problem)
        self.problem = problem

    def _list(self) -> tuple[Held, ...]:
        if not self._socket.exists():
            raise InvalidAnswer("there is no such socket")
        if self._channel is None:
            options = [("grpc.max_receive_message_length", _MOST_BYTES), ("grpc.enable_http_proxy", 0)]
            self._channel = grpc.insecure_channel(f"unix://{self._socket}", options=options)
        call = self._channel.unary_unary(_LIST, request_serializer=None, response_deserializer=None)
        return pods(call(b"", timeout=self._timeout))


def _words(error: Exception) -> str:
    return str(error.code().name) if isinstance(error, grpc.Call) else str(error)
