"""A pod of which at least one container runs as a local process."""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from devcluster.api import ApiError, Object
from devcluster.kubeconfig import Access, write_kubeconfig
from devcluster.kubelet.backoff import restarts_after
from devcluster.kubelet.local import sandbox
from devcluster.kubelet.local.container import Container
from devcluster.kubelet.local.environment import command_line, environment, expand
from devcluster.kubelet.local.fields import SpecError
from devcluster.kubelet.local.sources import Sources
from devcluster.kubelet.local.volumes import Volumes
from devcluster.kubelet.status import ContainerView, PodView, running, waiting
from devcluster.kubelet.worker import Host, PodWorker

if TYPE_CHECKING:
    from devcluster.kubelet.config import KubeletConfig

__all__ = ["LocalPod"]

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0
_SHUTDOWN_SECONDS = 5.0
_NONROOT = 65532
_TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path


class LocalPod(PodWorker):
    """Runs the containers whose image is ours; the others seem to run."""

    def __init__(self, host: Host, pod: Object) -> None:
        meta = pod["metadata"]
        self.folder = host.config.state / "pods" / f"{meta['namespace']}_{meta['name']}_{meta['uid']}"
        self.config: KubeletConfig = host.config
        self._volumes: Volumes | None = None
        self._containers: list[Container] = []
        self._init: list[Container] = []
        self._tasks: list[asyncio.Task[None]] = []
        super().__init__(host, pod)

    @property
    def _addresses(self) -> dict[str, str]:
        return {"podIP": self.pod_ip, "hostIP": self.host_ip}

    @property
    def _policy(self) -> str:
        return self.pod["spec"].get("restartPolicy", "Always")

    def isolation(self) -> str:
        """How processes are kept apart."""
        return sandbox.isolation(self.config.state / "trial")

    def log_file(self, name: str, run: int) -> Path:
        """Where a run of a container writes its output."""
        return self.folder / name / f"{run}.log"

    async def run(self) -> None:
        """Start everything once, then report each change until the containers have ended or the pod shall go."""
        if not self._containers:
            self._prepare()
            await self.report(self._view())
        if self._volumes is None:
            await self._make_volumes()
        if self._volumes and not self._tasks and not self.deleting:
            self._tasks.append(asyncio.create_task(self._start_all()))
            self._tasks.append(asyncio.create_task(self._refresh()))
        await self.report(self._view())
        if not self.ended:
            await self.sleep(None)

    async def _make_volumes(self) -> None:
        volumes = Volumes(self.host.client, self.pod, self.folder / "volumes", self._addresses)
        while not self.deleting:
            try:
                await volumes.make()
            except (SpecError, ApiError) as problem:
                self.event("Warning", "FailedMount", str(problem))
                await self.sleep(_RETRY_SECONDS)
            else:
                self._volumes = volumes
                return

    def _prepare(self) -> None:
        spec, status = self.pod["spec"], self.pod.get("status", {})
        before = {entry["name"]: ContainerView.read(entry) for entry in status.get("containerStatuses", ())}
        for document in spec.get("initContainers") or ():
            policy = document.get("restartPolicy") or ("Never" if self._policy == "Never" else "OnFailure")
            self._init.append(self._container(document, None, policy))
        for document in spec["containers"]:
            self._containers.append(self._container(document, before.get(document["name"]), self._policy))

    def _container(self, document: Mapping[str, Any], before: ContainerView | None, policy: str) -> Container:
        view = ContainerView(document["name"], document["image"])
        if before and "running" in before.state:  # it ran under a kubelet before us, and has died with it
            lost = {"terminated": {"exitCode": 255, "reason": "Unknown", "startedAt": None, "finishedAt": None}}
            view = replace(view, last_state=lost, restarts=before.restarts + 1)
        return Container(document, view, self, policy, self.changed.set)

    async def _start_all(self) -> None:
        try:
            for container in self._init:
                if not await self._start_init(container):
                    return
            for container in self._containers:
                self._tasks.append(asyncio.create_task(self._supervise(container)))
        except Exception:
            _log.exception("pod %s", self.path)
            raise

    async def _start_init(self, container: Container) -> bool:
        """Run an init container to its end, or a sidecar to its start; False when the pod has failed."""
        if container.policy == "Always":
            self._tasks.append(asyncio.create_task(self._supervise(container)))
            await container.started.wait()
            return True
        await self._supervise(container)
        container.show(ready=container.view.exit_code == 0)
        return container.view.exit_code == 0

    async def _supervise(self, container: Container) -> None:
        """Run a container; a failure of ours must not pass in silence."""
        if self.config.entrypoint(container.view.image) is None:
            container.show(state=running(self.now()), started=True, ready=True, identity=self.new_identity())
            return
        try:
            await container.supervise()
        except Exception as problem:  # noqa: BLE001 - shown in the pod's status
            _log.exception("pod %s, container %s", self.path, container.view.name)
            container.show(state=waiting("RunContainerError", repr(problem)), ready=False)

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(self.config.refresh_seconds)
            assert self._volumes
            try:
                await self._volumes.refresh()
            except (SpecError, ApiError, aiohttp.ClientError, TimeoutError) as problem:
                _log.warning("volumes of %s stay as they are: %s", self.path, problem)

    def _view(self) -> PodView:
        views = [container.view for container in self._containers]
        init = [container.view for container in self._init]
        return PodView(self._phase(views, init), views, init)

    def _phase(self, views: list[ContainerView], init: list[ContainerView]) -> str:
        if self._policy == "Never" and any(view.exit_code for view in init):
            return "Failed"
        if all(
            view.state.get("waiting", {}).get("reason") == "ContainerCreating" and not view.restarts for view in views
        ):
            return "Pending"
        codes = [view.exit_code for view in views]
        over = all(code is not None and not restarts_after(self._policy, code) for code in codes)
        return "Running" if not over else "Failed" if any(codes) else "Succeeded"

    async def process(self, spec: Mapping[str, Any], argv: list[str] | None = None) -> sandbox.Process:
        """What to start for a container. Raises :class:`SpecError` while something is missing."""
        node = self.host.node(self.pod["spec"]["nodeName"]) or {}
        sources = Sources(self.host.client, self.pod["metadata"]["namespace"])
        values = await environment(spec, self.pod, node, self._addresses, sources)
        security = {**(self.pod["spec"].get("securityContext") or {}), **(spec.get("securityContext") or {})}
        mounts = [self._mount(entry, values) for entry in spec.get("volumeMounts") or ()]
        return sandbox.Process(
            argv=argv or command_line(spec, self.config.entrypoint(spec["image"]) or (), values),
            environment=values,
            mounts=mounts,
            folder=self.folder / spec["name"],
            hostname=self.pod["spec"].get("hostname") or self.pod["metadata"]["name"],
            uid=security.get("runAsUser", _NONROOT),
            gid=security.get("runAsGroup", security.get("fsGroup", _NONROOT)),
            read_only_root=security.get("readOnlyRootFilesystem", False),
            directory=spec.get("workingDir") or "/",
            extra_environment={**self._service_environment(), **self._without_namespaces(mounts)},
        )

    def _mount(self, entry: Mapping[str, Any], values: Mapping[str, str]) -> sandbox.Mount:
        assert self._volumes
        source = self._volumes.paths[entry["name"]]
        inside = entry.get("subPath") or expand(entry.get("subPathExpr", ""), values)
        if inside:
            source = source / inside
            if not source.exists():
                source.mkdir(parents=True)
        return sandbox.Mount(source, entry["mountPath"].rstrip("/"), entry.get("readOnly", False))

    def _service_environment(self) -> dict[str, str]:
        """How a client library finds the API server from within a pod."""
        server = URL(self.config.server)
        return {
            "KUBERNETES_SERVICE_HOST": str(server.host),
            "KUBERNETES_SERVICE_PORT": str(server.port),
            "KUBERNETES_SERVICE_PORT_HTTPS": str(server.port),
            "KUBERNETES_PORT": f"tcp://{server.host}:{server.port}",
        }

    def _without_namespaces(self, mounts: list[sandbox.Mount]) -> dict[str, str]:
        """Where the token cannot be seen at its usual path: a kubeconfig of the same ServiceAccount."""
        token = next((mount.source / "token" for mount in mounts if mount.target == _TOKEN_FOLDER), None)
        if self.isolation() or token is None:
            return {}
        access = Access(self.config.server, self.config.authority, token.read_text())
        namespace = self.pod["metadata"]["namespace"]
        return {"KUBECONFIG": str(write_kubeconfig(self.folder / "kubeconfig", access, namespace))}

    async def stop(self) -> PodView | None:
        """End all containers within the grace period."""
        if not self._containers:
            return None
        await self._cancel_tasks()
        grace = self.pod["metadata"].get("deletionGracePeriodSeconds") or 0
        await asyncio.gather(*(container.stop(grace) for container in self._containers))
        await asyncio.gather(*(container.stop(grace) for container in self._init))
        view = self._view()
        failed = any(container.view.exit_code for container in self._containers)
        return replace(view, phase="Failed" if failed else "Succeeded")

    async def clean_up(self) -> None:
        """Leave no process and no volume behind; logs stay."""
        await self._cancel_tasks()
        everything = [*self._containers, *self._init]
        await asyncio.gather(*(container.stop(_SHUTDOWN_SECONDS) for container in everything))
        shutil.rmtree(self.folder / "volumes", ignore_errors=True)

    async def _cancel_tasks(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task

    def event(self, kind: str, reason: str, message: str) -> None:
        """Post an Event about the pod."""
        self.host.tell(self.pod, kind, reason, message)
