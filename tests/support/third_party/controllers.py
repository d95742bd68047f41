"""Small controllers that fight with us as the real ones do: one that scales like KEDA, one that deploys from Git."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from devcluster.api import Api, ApiError
from support.third_party.definitions import SCALED_OBJECT

_PAUSED = "autoscaling.keda.sh/paused"
_PAUSED_SCALE_OUT = "autoscaling.keda.sh/paused-scale-out"
_OFF = {"0", "f", "F", "false", "FALSE", "False"}
_PATCHES = {"apply": "application/apply-patch+yaml", "merge": "application/merge-patch+json"}


class Controller:
    """Does one thing again and again in a thread, under a field manager of its own."""

    manager = ""
    seconds = 0.2

    def __init__(self, api: Api) -> None:
        self.api, self.rounds, self.problem = api, 0, ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.manager, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=10)
        assert not self.problem, self.problem

    def step(self) -> None:
        """One round."""
        raise NotImplementedError

    def patch(self, path: str, body: dict[str, Any], kind: str) -> dict[str, Any]:
        force = "&force=true" if kind == "apply" else ""
        query = f"?fieldManager={self.manager}{force}"
        found: dict[str, Any] = self.api.request("PATCH", path + query, body, {"Content-Type": _PATCHES[kind]})
        return found

    def _run(self) -> None:
        while not self._stop.wait(self.seconds):
            try:
                self.step()
            except ApiError as refusal:
                if refusal.status not in {404, 409}:  # gone, or changed while we looked: the next round sees it
                    self.problem = str(refusal)
                    return
            self.rounds += 1


class GitOps(Controller):
    """Applies a manifest as Argo CD does, with all the fields that stand in Git, and takes back what others wrote."""

    manager = "argocd-controller"
    seconds = 0.5

    def __init__(self, api: Api, path: str, manifest: dict[str, Any]) -> None:
        super().__init__(api)
        self._path, self._manifest = path, manifest

    def step(self) -> None:
        self.patch(self._path, self._manifest, "apply")


class Keda(Controller):
    """Keeps an autoscaler for each ScaledObject of a namespace, and scales its target up to the minimum."""

    manager = "keda"

    def __init__(self, api: Api, namespace: str) -> None:
        super().__init__(api)
        self._namespace = namespace
        self._autoscalers = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"

    def step(self) -> None:
        for one in self.api.get(SCALED_OBJECT.collection(self._namespace))["items"]:
            annotations = one["metadata"].get("annotations", {})
            if annotations.get(_PAUSED, "false") not in _OFF:
                self._absent(one)
            else:
                growing = annotations.get(_PAUSED_SCALE_OUT, "false") in _OFF
                self._autoscaler(one, growing)
                self._scale(one, growing)

    def _absent(self, one: dict[str, Any]) -> None:
        self.api.delete(f"{self._autoscalers}/keda-hpa-{one['metadata']['name']}")

    def _autoscaler(self, one: dict[str, Any], growing: bool) -> None:
        name, spec = f"keda-hpa-{one['metadata']['name']}", one["spec"]
        owner = {key: one["metadata"][key] for key in ("name", "uid")}
        references = [{**owner, "apiVersion": one["apiVersion"], "kind": one["kind"], "controller": True}]
        wanted = {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name, "ownerReferences": references},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", **spec["scaleTargetRef"]},
                "minReplicas": max(1, spec.get("minReplicaCount", 0)),
                "maxReplicas": spec.get("maxReplicaCount", 100),
                "behavior": {"scaleUp": {"selectPolicy": "Max" if growing else "Disabled"}},
            },
        }
        self.patch(f"{self._autoscalers}/{name}", wanted, "apply")

    def _scale(self, one: dict[str, Any], growing: bool) -> None:
        """Unlike an HPA it does not take 0 for a wish to be left alone."""
        target = one["spec"]["scaleTargetRef"]["name"]
        scale = f"/apis/apps/v1/namespaces/{self._namespace}/deployments/{target}/scale"
        least = one["spec"].get("minReplicaCount", 0)
        if growing and self.api.get(scale)["spec"].get("replicas", 0) < least:
            self.patch(scale, {"spec": {"replicas": least}}, "merge")


def wait_for(holds: Callable[[], bool], seconds: float = 30) -> bool:
    """Look again and again until something holds; False where it never did."""
    waited = threading.Event()
    for _ in range(int(seconds * 20)):
        if holds():
            return True
        waited.wait(0.05)
    return False
