"""etcd with two API servers, as a control plane of several machines has: the first one fails, the other one goes on."""

import base64
import signal
import time
from collections.abc import Callable
from pathlib import Path

import urllib3
import yaml

from aicost.crd.kinds import KINDS
from devcluster import audit, flags
from devcluster.api import Api, ApiError
from devcluster.controlplane import ControlPlane, free_ports
from devcluster.host import processes
from devcluster.host.processes import Child
from devcluster.kubeconfig import Access, write_kubeconfig

CRDS = Path(__file__).resolve().parents[3] / "crds"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
FIRST = "first-api-server"
_READY_SECONDS = 90
_POLL_SECONDS = 0.05


class TwoServers(ControlPlane):
    """A control plane without nodes, scheduler and controllers: what happens in it is what a test writes.

    Attributes:
        api: the server that goes on.
        first: kubeconfig of the server that fails.
    """

    def _start(self) -> None:
        client, peer, port, self._first_port = free_ports(4)
        self.server, self._etcd = f"https://127.0.0.1:{port}", f"http://127.0.0.1:{client}"
        write_kubeconfig(self.kubeconfig, self.access_of(self.pki.admin))
        access = Access(f"https://127.0.0.1:{self._first_port}", self.pki.cluster.certificate, self.pki.admin)
        self.first = write_kubeconfig(self.state / "first.kubeconfig", access)
        self._first_api = Api(access)
        self._run("etcd", flags.etcd(self.state / "etcd", self._etcd, f"http://127.0.0.1:{peer}"))
        self._run("kube-apiserver", flags.apiserver(self.pki, audit.prepare(self.state), self._etcd, port))
        self._wait("/readyz", "the API server")
        self._define()
        self._until_all_served(self.api)
        self._spawn()
        self.until_first_answers()

    def _define(self) -> None:
        """Our kinds."""
        names = [path.name for path in CRDS.glob("*.yaml")]
        for name in names:
            body = yaml.safe_load((CRDS / name).read_text())
            self.api.patch(f"{DEFINITIONS}/{body['metadata']['name']}", body, kind="apply")

    def _spawn(self) -> None:
        flagged = flags.apiserver(self.pki, audit.prepare(self.state / "first"), self._etcd, self._first_port)
        self._first: Child = processes.start(FIRST, self.programs.argv("kube-apiserver", *flagged), self.state)

    def start_first(self) -> None:
        """Start the server that failed again; returns when it answers."""
        self._spawn()
        self.until_first_answers()

    def until_first_answers(self) -> None:
        """Wait until the first server is ready and knows our kinds."""
        self._until(lambda: self._first_api.get("/readyz"))
        self._until_all_served(self._first_api)

    def _until_all_served(self, api: Api) -> None:
        for kind in KINDS:
            self._until(lambda plural=kind.plural: api.get(f"/apis/aicost.dev/v1alpha1/{plural}"))

    def _until(self, read: Callable[[], object]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                read()
            except (ApiError, urllib3.exceptions.HTTPError):
                assert time.monotonic() < deadline, processes.log_tail(self.state / "logs" / f"{FIRST}.log")
                time.sleep(_POLL_SECONDS)
            else:
                return

    def kill_first(self) -> None:
        """The first server is gone at once; nobody listens at its address."""
        self._first.process.kill()
        self._first.process.wait()

    def hang_first(self) -> None:
        """The first server takes connections and answers nothing."""
        self._first.process.send_signal(signal.SIGSTOP)

    def wake_first(self) -> None:
        """It goes on where it was."""
        self._first.process.send_signal(signal.SIGCONT)

    def mend_first(self) -> None:
        """Whatever a test left of it: it runs and answers."""
        self.wake_first()
        if self._first.process.poll() is None:
            self.until_first_answers()
        else:
            self.start_first()

    def forget_history(self) -> None:
        """Let etcd forget all versions but those of now: no watch can be resumed from before."""
        with urllib3.PoolManager(retries=False, timeout=10) as http:
            key = base64.b64encode(b"\x00").decode()
            head = http.request("POST", f"{self._etcd}/v3/kv/range", json={"key": key, "limit": 1}).json()["header"]
            done = http.request("POST", f"{self._etcd}/v3/kv/compaction", json={"revision": head["revision"]})
            assert done.status == 200, done.data

    def stop(self) -> None:
        """Stop everything."""
        if hasattr(self, "_first"):
            processes.stop(self._first, seconds=1)
            self._first_api.close()
        super().stop()
