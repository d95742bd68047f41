"""The kubelet's PodResources API on a socket, with its own writing of the wire."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc


@dataclass
class HeldByPod:
    """A pod with devices: resource -> ids per container, and claims as driver and device."""

    namespace: str
    name: str
    containers: list[dict[str, list[str]]] = field(default_factory=list)
    claims: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Kubelet:
    """What it answers: pods, or raw bytes, or an error."""

    pods: list[HeldByPod] = field(default_factory=list)
    raw: bytes | None = None
    error: grpc.StatusCode | None = None
    asked: int = 0

    def answer(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        assert request == b""
        self.asked += 1
        if self.error is not None:
            context.abort(self.error, "refused")
        return self.raw if self.raw is not None else encode(self.pods)


def encode(pods: Iterable[HeldByPod]) -> bytes:
    """ListPodResourcesResponse, with fields that no device needs among the others."""
    return b"".join(_message(1, _pod(pod)) for pod in pods)


def _pod(pod: HeldByPod) -> bytes:
    containers = [
        _container(devices, pod.claims if not number else []) for number, devices in enumerate(pod.containers)
    ]
    return (
        _message(1, pod.name.encode())
        + _message(2, pod.namespace.encode())
        + b"".join(_message(3, one) for one in containers)
    )


def _container(devices: dict[str, list[str]], claims: list[tuple[str, str]]) -> bytes:
    topology = _message(3, _message(1, _varint(1 << 3) + _varint(3)))
    found = [
        _message(2, _message(1, resource.encode()) + b"".join(_message(2, one.encode()) for one in ids) + topology)
        for resource, ids in devices.items()
    ]
    cpus = _varint((3 << 3) | 0) + _varint(300)  # a number, as cpu_ids may come
    resources = [
        _message(1, _message(1, b"k8s.gpu.nvidia.com/claim=x")) + _message(2, driver.encode()) + _message(3, b"n1")
        + _message(4, device.encode())
        for driver, device in claims
    ]  # fmt: skip
    dynamic = _message(5, _message(2, b"claim") + _message(3, b"ml") + b"".join(_message(4, one) for one in resources))
    fixed = _varint((9 << 3) | 1) + bytes(8) + _varint((10 << 3) | 5) + bytes(4)  # of a newer kubelet
    return _message(1, b"main") + b"".join(found) + cpus + (dynamic if claims else b"") + fixed


def _message(number: int, content: bytes) -> bytes:
    return _varint((number << 3) | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = b""
    while value > 0x7F:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])


@contextmanager
def serving(socket: Path, kubelet: Kubelet) -> Iterator[None]:
    """Serve on a socket."""
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        handler = grpc.unary_unary_rpc_method_handler(kubelet.answer)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("v1.PodResourcesLister", {"List": handler}),)
        )
        server.add_insecure_port(f"unix://{socket}")
        server.start()
        try:
            yield
        finally:
            server.stop(None).wait()
