"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler as processes on free loopback ports."""

import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import urllib3

from devcluster import audit, flags
from devcluster.api import Api, ApiError
from devcluster.binaries import Programs
from devcluster.host import processes
from devcluster.host.processes import Child
from devcluster.host.progress import Failure, step
from devcluster.kubeconfig import Access, write_kubeconfig
from devcluster.pki import Identity, Pki

__all__ = ["ControlPlane", "free_ports"]

_READY_SECONDS = 90.0
_POLL_SECONDS = 0.05


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class ControlPlane:
    """One control plane in a state directory. A context manager: it stops whatever it started, however it is left."""

    def __init__(self, state: Path, programs: Programs) -> None:
        self.state = state.resolve()
        self.programs = programs
        self.state.mkdir(parents=True, exist_ok=True)
        self.pki = Pki(self.state / "pki")
        self.kubeconfig = self.state / "kubeconfig"
        self.server = ""
        self._children: list[Child] = []
        self._api: Api | None = None

    @property
    def api(self) -> Api:
        """A client with all rights."""
        if self._api is None:
            self._api = Api(self.access_of(self.pki.admin))
        return self._api

    def access_of(self, user: Identity | str) -> Access:
        """How somebody reaches the API server: an identity, or the bearer of a token."""
        return Access(self.server, self.pki.cluster.certificate, user)

    def start(self) -> None:
        """Start everything and wait until pods can be created.

        Raises:
            Failure: something did not start; the text shows the end of its log.
        """
        try:
            with step("starting the control plane"):
                self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        client_port, peer_port, api_port, controller_port, scheduler_port = free_ports(5)
        self.server = f"https://127.0.0.1:{api_port}"
        etcd = f"http://127.0.0.1:{client_port}"
        write_kubeconfig(self.kubeconfig, self.access_of(self.pki.admin))
        self._run("etcd", flags.etcd(self.state / "etcd", etcd, f"http://127.0.0.1:{peer_port}"))
        self._run("kube-apiserver", flags.apiserver(self.pki, audit.prepare(self.state), etcd, api_port))
        self._wait("/readyz", "the API server")
        manager = self._component_kubeconfig("controller-manager")
        self._run("kube-controller-manager", flags.controller_manager(self.pki, manager, controller_port))
        self._run("kube-scheduler", flags.scheduler(self._component_kubeconfig("scheduler"), scheduler_port))
        # Without this ServiceAccount, the first pod would be refused.
        self._wait("/api/v1/namespaces/default/serviceaccounts/default", "the controller-manager")

    def _component_kubeconfig(self, name: str) -> Path:
        identity = {"controller-manager": self.pki.controller_manager, "scheduler": self.pki.scheduler}[name]
        return write_kubeconfig(self.state / f"{name}.kubeconfig", self.access_of(identity))

    def _run(self, name: str, arguments: list[str]) -> None:
        self._children.append(processes.start(name, self.programs.argv(name, *arguments), self.state))

    def adopt(self, child: Child) -> None:
        """Let a process that depends on the control plane be watched, and stopped first."""
        self._children.append(child)

    def _wait(self, path: str, what: str) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not self._answers(path):
            dead = self.dead()
            if dead:
                raise Failure(
                    f"{dead.name} ended while starting. The end of {dead.log}:\n{processes.log_tail(dead.log)}"
                )
            if time.monotonic() > deadline:
                raise Failure(self._late(what))
            time.sleep(_POLL_SECONDS)

    def _answers(self, path: str) -> bool:
        try:
            self.api.get(path)
        except (ApiError, urllib3.exceptions.HTTPError):
            return False
        return True

    def _late(self, what: str) -> str:
        tails = [f"--- {child.log}\n{processes.log_tail(child.log, 5)}" for child in self._children]
        return f"{what} was not ready after {_READY_SECONDS:.0f} s; is the machine overloaded?\n" + "\n".join(tails)

    def dead(self) -> Child | None:
        """A child that ended by itself, if there is one."""
        return next((child for child in self._children if child.process.poll() is not None), None)

    def stop(self) -> None:
        """Stop everything, the last started first."""
        while self._children:
            processes.stop(self._children.pop())
        if self._api:
            self._api.close()
            self._api = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
