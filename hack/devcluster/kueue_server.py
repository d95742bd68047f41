"""A Kueue of our own beside a control plane of ours, for tests of jobs that somebody else admits.

The program is the manager of Kueue as it is released, with its own definitions. What differs from an installation: it
runs as an administrator, it knows no kind of job but ``batch/job``, and its admission webhooks are not registered, so a
Job has to be created with ``suspend: true``. Objects are converted between versions by its webhook, as usual.
"""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import urllib3
import yaml

from devcluster.api import Api, ApiError, Object
from devcluster.controlplane import free_ports
from devcluster.golang.gobuild import data_of
from devcluster.host import processes
from devcluster.host.processes import Child
from devcluster.host.progress import step

__all__ = ["Kueue"]

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_NAMESPACE, _SERVICE, _SECRET = "kueue-system", "kueue-webhook-service", "kueue-webhook-server-cert"
_IN_NAMESPACE = f"/api/v1/namespaces/{_NAMESPACE}"
# The manager puts its own authority into the conversion of these, and does not start while one of them has none.
_CONVERTED = frozenset({"clusterqueues", "cohorts", "localqueues", "multikueueclusters", "workloads"})
_PATIENCE_SECONDS = 60.0


class Kueue:
    """The manager of Kueue with its definitions. A context manager: at its end the definitions are gone again.

    Its certificates are its own: where they are not, it insists on files below ``/etc``. It writes them into a Secret,
    and we write them into the folder that a kubelet would mount.
    """

    def __init__(self, program: Path, folder: Path, kubeconfig: Path, api: Api) -> None:
        self._program, self._folder, self._kubeconfig, self._api = program, folder.resolve(), kubeconfig, api
        self._certificates = self._folder / "certificates"
        self._definitions = _definitions(program)
        self._child: Child | None = None

    def start(self) -> None:
        """Apply the definitions, start the manager and wait until it works. Call it from the main thread.

        Raises:
            Failure: it did not become ready; the text shows the end of its log.
        """
        try:
            with step("starting Kueue"):
                self._start()
        except BaseException:
            self.remove()
            raise

    def _start(self) -> None:
        webhook, health, metrics = free_ports(3)
        for path, body in _surroundings(webhook):
            self._api.patch(path, body, kind="apply")
        for definition in self._definitions:
            self._api.patch(_path(definition), _with_conversion(definition, webhook), kind="apply")
        self._until(self._is_served, "get its API")
        self._certificates.mkdir(parents=True, exist_ok=True)
        config = self._folder / "config.json"
        config.write_text(json.dumps(_configuration(self._certificates, webhook, health, metrics)))
        arguments = [f"--config={config}", f"--kubeconfig={self._kubeconfig}"]
        self._child = processes.start("kueue", [str(self._program), *arguments], self._folder)
        self._until(self._mount, "make its certificates")
        self._until(lambda: _answers(f"http://127.0.0.1:{health}/readyz"), "become ready")
        self._probe()

    def _probe(self) -> None:
        """Wait until its controllers act: it calls itself ready before that, and before its API answers again."""
        self._until(self._is_served, "serve its API")
        path = "/apis/kueue.x-k8s.io/v1beta2/clusterqueues/devcluster-probe"
        queue = {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ClusterQueue", "spec": {}}
        self._api.patch(path, {**queue, "metadata": {"name": "devcluster-probe"}}, kind="apply")
        self._until(lambda: _is_active(self._api.get(path)), "act on its objects")
        self._api.delete(path)

    def _is_served(self) -> bool:
        """Whether all kinds answer; for a moment after a definition has changed, its kind does not."""
        return all(self._ask("GET", f"{_collection(each)}?limit=1") for each in self._definitions)

    def _mount(self) -> bool:
        """Write the certificates as files, once the manager has made them."""
        data = self._api.get(f"{_IN_NAMESPACE}/secrets/{_SECRET}").get("data", {})
        for name, content in data.items():
            (self._certificates / name).touch(mode=0o600)
            (self._certificates / name).write_bytes(base64.b64decode(content))
        return bool(data)

    def stop(self) -> None:
        """Stop the manager. All objects stay, and nobody acts on them."""
        if self._child:
            processes.stop(self._child)
            self._child = None

    def remove(self) -> None:
        """Stop the manager and delete its definitions with all objects; its namespace stays for the next start."""
        self.stop()
        for definition in self._definitions:
            self._ask("DELETE", _path(definition))
        self._until(lambda: not list(filter(self._is_left, self._definitions)), "go away")

    def _is_left(self, definition: Object) -> bool:
        """Whether a definition is still there; its objects lose the finalizers that the manager would have removed."""
        if not self._ask("GET", _path(definition)):
            return False
        for item in (self._ask("GET", _collection(definition)) or {"items": []})["items"]:
            if item["metadata"].get("finalizers"):
                self._ask("PATCH", _object(definition, item), {"metadata": {"finalizers": None}})
        return True

    def _ask(self, method: str, path: str, body: Object | None = None) -> Any:
        """The answer, None where there is no such thing, or not now because its definition has just changed."""
        headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else None
        try:
            return self._api.request(method, path, body, headers)
        except ApiError as problem:
            if problem.status not in {404, 429}:
                raise
            return None

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        log = self._folder / "logs" / "kueue.log"
        processes.wait_until(holds, f"Kueue did not {what}", log, self._child, _PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def _definitions(program: Path) -> list[Object]:
    """Kueue's definitions; one of them is so long that only the parser in C reads it in good time."""
    files = sorted(data_of(program).glob("*.yaml"))
    return [yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader) for path in files]


def _path(definition: Object) -> str:
    return f"{_DEFINITIONS}/{definition['metadata']['name']}"


def _with_conversion(definition: Object, port: int) -> Object:
    if definition["spec"]["names"]["plural"] not in _CONVERTED:
        return definition
    service = {"namespace": _NAMESPACE, "name": _SERVICE, "path": "/convert", "port": port}
    webhook = {"clientConfig": {"service": service}, "conversionReviewVersions": ["v1"]}
    return {**definition, "spec": {**definition["spec"], "conversion": {"strategy": "Webhook", "webhook": webhook}}}


def _is_active(queue: Object) -> bool:
    conditions = queue.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Active" and each["status"] == "True" for each in conditions)


def _collection(definition: Object, namespace: str = "") -> str:
    """The path of all objects of a kind, in the version that is stored: it needs no conversion."""
    spec = definition["spec"]
    version = next(each["name"] for each in spec["versions"] if each["storage"])
    within = f"/namespaces/{namespace}" if namespace else ""
    return f"/apis/{spec['group']}/{version}{within}/{spec['names']['plural']}"


def _object(definition: Object, found: Object) -> str:
    meta = found["metadata"]
    return f"{_collection(definition, meta.get('namespace', ''))}/{meta['name']}"


def _surroundings(port: int) -> list[tuple[str, Object]]:
    """What an installation has beside the definitions: its namespace, the way to its webhook, room for certificates."""
    service = {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}
    return [
        (_IN_NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}}),
        (
            f"{_IN_NAMESPACE}/services/{_SERVICE}",
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": _SERVICE}, "spec": service},
        ),
        (
            f"{_IN_NAMESPACE}/secrets/{_SECRET}",
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": _SECRET}},
        ),
    ]


def _configuration(certificates: Path, webhook: int, health: int, metrics: int) -> Object:
    """The manager's own configuration file. What it turns off would watch kinds or open ports that no test needs."""
    return {
        "apiVersion": "config.kueue.x-k8s.io/v1beta2",
        "kind": "Configuration",
        "namespace": _NAMESPACE,
        "health": {"healthProbeBindAddress": f"127.0.0.1:{health}"},
        "metrics": {"bindAddress": f"127.0.0.1:{metrics}"},
        "webhook": {"host": "127.0.0.1", "port": webhook, "certDir": str(certificates)},
        "leaderElection": {"leaderElect": False},
        "internalCertManagement": {
            "enable": True,
            "webhookServiceName": _SERVICE,
            "webhookSecretName": _SECRET,
        },
        "integrations": {"frameworks": ["batch/job"]},
        "featureGates": {"VisibilityOnDemand": False, "MultiKueue": False},
    }


def _answers(url: str) -> bool:
    try:
        return urllib3.request("GET", url, retries=False, timeout=2).status == 200
    except urllib3.exceptions.HTTPError:
        return False
