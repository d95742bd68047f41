"""The whole local cluster: control plane, local kubelet, and the commands that talk to them."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from devcluster.api import Api
from devcluster.binaries import Programs
from devcluster.controlplane import ControlPlane
from devcluster.host import processes
from devcluster.host.paths import PACKAGE
from devcluster.kubelet.claims import PROVISIONER, STORAGE_CLASS
from devcluster.nodes import FakeNode, Nodes

__all__ = ["Cluster", "tool_environment"]


def tool_environment(state: Path, programs: Programs) -> dict[str, str]:
    """The environment for commands: KUBECONFIG of the cluster in a state directory, our programs first on the PATH."""
    folder = programs.commands["helm"].parent
    return {
        **os.environ,
        "KUBECONFIG": str(state / "kubeconfig"),
        "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}",
        "HELM_CACHE_HOME": str(state / "helm"),
        "KUBECACHEDIR": str(state / "kubectl-cache"),
    }


class Cluster:
    """A control plane with a local kubelet. A context manager: whatever was started is stopped, however it is left.

    ``images`` maps the last word of an image reference to the command that runs instead of it; ``aicost`` is known.
    """

    def __init__(self, state: Path, programs: Programs, images: Mapping[str, str] | None = None) -> None:
        self.control_plane = ControlPlane(state, programs)
        self.programs = programs
        self.state = self.control_plane.state
        self.kubeconfig = self.control_plane.kubeconfig
        self._images = dict(images or {})

    @property
    def api(self) -> Api:
        """A client with all rights."""
        return self.control_plane.api

    @property
    def nodes(self) -> Nodes:
        """Create, change and remove nodes."""
        return Nodes(self.api)

    def start(self, nodes: int = 0) -> None:
        """Start everything; ``nodes`` plain nodes of 8 GPUs are registered unless they exist."""
        self.control_plane.start()
        try:
            self._start_kubelet()
            self._make_storage_class()
            self._register(nodes)
        except BaseException:
            self.stop()
            raise

    def _start_kubelet(self) -> None:
        images = [word for pair in self._images.items() for word in ("--image", "=".join(pair))]
        server = self.control_plane.server
        module = [sys.executable, "-m", "devcluster.kubelet", "--state", str(self.state), "--server", server]
        environment = {"PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
        self.control_plane.adopt(processes.start("kubelet", [*module, *images], self.state, environment))

    def _make_storage_class(self) -> None:
        """The default class; its claims become folders of the state directory."""
        default = {"storageclass.kubernetes.io/is-default-class": "true"}
        body = {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": STORAGE_CLASS, "annotations": default},
            "provisioner": PROVISIONER,
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "Immediate",
        }
        self.api.patch(f"/apis/storage.k8s.io/v1/storageclasses/{STORAGE_CLASS}", body, kind="apply")

    def _register(self, count: int) -> None:
        existing = {node["metadata"]["name"] for node in self.api.get("/api/v1/nodes")["items"]}
        for name in (f"gpu-{number}" for number in range(1, count + 1)):
            if name not in existing:
                self.nodes.create(FakeNode(name, gpu_count=8))

    def stop(self) -> None:
        """Stop everything."""
        self.control_plane.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def environment(self) -> dict[str, str]:
        """The environment for commands; see :func:`tool_environment`."""
        return tool_environment(self.state, self.programs)
