"""One container that runs as a local process: start, probe, restart, stop."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from devcluster.kubelet.backoff import backoff_seconds, restarts_after
from devcluster.kubelet.config import KubeletConfig
from devcluster.kubelet.local import sandbox
from devcluster.kubelet.local.fields import SpecError
from devcluster.kubelet.local.probes import Prober
from devcluster.kubelet.status import ContainerView, running, terminated, waiting

__all__ = ["Container", "Surroundings"]

_KILLED = 137
_SPEC_RETRY_SECONDS = 1.0


class Surroundings(Protocol):
    """What a container needs from its pod."""

    config: KubeletConfig
    pod_ip: str

    def now(self) -> datetime:
        """The time by the clock of the node."""

    def new_identity(self) -> str:
        """The id of one run."""

    def event(self, kind: str, reason: str, message: str) -> None:
        """Tell the people who watch the pod."""

    async def process(self, spec: Mapping[str, Any], argv: list[str] | None = None) -> sandbox.Process:
        """What to start for a container; ``argv`` is another command in the same surroundings."""

    def log_file(self, name: str, run: int) -> Path:
        """Where a run writes its output."""

    def isolation(self) -> str:
        """How processes are kept apart."""


class Container:
    """Supervises one container. ``view`` is what the pod's status says of it; ``changed`` is called when it changes."""

    def __init__(
        self, spec: Mapping[str, Any], view: ContainerView, pod: Surroundings, policy: str, changed: Callable[[], None]
    ) -> None:
        self.spec, self.view, self.policy = spec, view, policy
        self._pod, self._changed = pod, changed
        self._process: asyncio.subprocess.Process | None = None
        self._begun: datetime | None = None
        self._failing = False
        self.started = asyncio.Event()

    def show(self, **changes: Any) -> None:
        """Change the view and tell the pod."""
        self.view = replace(self.view, **changes)
        if self.view.started:
            self.started.set()
        self._changed()

    async def supervise(self) -> None:
        """Run until the container has ended for good."""
        while True:
            code = await self._run_once()
            if not restarts_after(self.policy, code):
                return
            await self._back_off(code)

    async def _run_once(self) -> int:
        await self._start()
        assert self._process
        async with contextlib.AsyncExitStack() as stack:
            probes = asyncio.create_task(self._probe())
            stack.callback(probes.cancel)
            code = await self._process.wait()
        code = 128 - code if code < 0 else code
        self._kill_group(signal.SIGKILL)
        self._process = None
        assert self._begun
        self.show(state=terminated(self._begun, self._pod.now(), code), ready=False, started=False)
        return code

    async def _prepared(self) -> sandbox.Process:
        """What to start, as soon as all that the spec refers to exists."""
        while True:
            try:
                return await self._pod.process(self.spec)
            except SpecError as problem:
                self.show(state=waiting(problem.reason, str(problem)))
                self._pod.event("Warning", "Failed", f"Error: {problem}")
            await asyncio.sleep(_SPEC_RETRY_SECONDS)

    async def _start(self) -> None:
        process = await self._prepared()
        log = self._pod.log_file(self.view.name, self.view.restarts)
        self._process = await sandbox.start(process, self._pod.isolation(), log)
        self._begun, self._failing = self._pod.now(), False
        started, ready = "startupProbe" not in self.spec, not {"startupProbe", "readinessProbe"} & self.spec.keys()
        self.show(state=running(self._begun), started=started, ready=ready, identity=self._pod.new_identity())
        self._pod.event("Normal", "Started", f"Started container {self.view.name} as process {self._process.pid}")

    async def _back_off(self, code: int) -> None:
        config, restarts = self._pod.config, self.view.restarts
        pause = backoff_seconds(config.backoff_seconds, config.backoff_limit_seconds, restarts)
        self.view = self.view.after_restart()
        if pause:
            name = self.view.name
            self.show(state=waiting("CrashLoopBackOff", f"back-off {pause:.0f}s restarting failed container={name}"))
            self._pod.event("Warning", "BackOff", f"Back-off restarting container {name}, which ended with {code}")
        await asyncio.sleep(pause)

    async def _probe(self) -> None:
        prober = Prober(self.spec, self._pod.pod_ip, self._execute)
        if "startupProbe" in self.spec:
            await self._wait_for_startup(prober)
        async with asyncio.TaskGroup() as group:
            if "readinessProbe" in self.spec:
                group.create_task(prober.watch(self.spec["readinessProbe"], self._readiness))
            if "livenessProbe" in self.spec:
                group.create_task(prober.watch(self.spec["livenessProbe"], self._liveness))

    async def _wait_for_startup(self, prober: Prober) -> None:
        over = asyncio.Event()

        def tell(problem: str | None) -> None:
            if problem is None:
                over.set()
            else:
                self._fail("Startup", problem)

        watch = asyncio.create_task(prober.watch(self.spec["startupProbe"], tell))
        try:
            await over.wait()
        finally:
            watch.cancel()
        self.show(started=True, ready="readinessProbe" not in self.spec)

    def _readiness(self, problem: str | None) -> None:
        if problem and self.view.ready:
            self._pod.event("Warning", "Unhealthy", f"Readiness probe failed: {problem}")
        if self.view.ready != (problem is None):
            self.show(ready=problem is None)

    def _liveness(self, problem: str | None) -> None:
        if problem:
            self._fail("Liveness", problem)

    def _fail(self, kind: str, problem: str) -> None:
        """A failed startup or liveness probe ends the process; the restart policy decides what follows."""
        if self._failing:
            return
        self._failing = True
        self._pod.event("Warning", "Unhealthy", f"{kind} probe failed: {problem}")
        self._pod.event("Normal", "Killing", f"Container {self.view.name} failed its {kind.lower()} probe")
        self._kill_group(signal.SIGTERM)
        grace = self.spec.get("terminationGracePeriodSeconds", 30)
        asyncio.get_running_loop().call_later(grace, self._kill_if_same, self._process)

    def _kill_if_same(self, process: asyncio.subprocess.Process | None) -> None:
        if process and process is self._process:
            self._kill_group(signal.SIGKILL)

    async def _execute(self, argv: list[str]) -> int:
        """Run another command in the container's surroundings; it is killed when nobody waits for it any more."""
        process = await self._pod.process(self.spec, argv)
        log = self._pod.log_file(self.view.name, self.view.restarts)
        command = await sandbox.start(process, self._pod.isolation(), log)
        try:
            return await command.wait()
        finally:
            if command.returncode is None:
                command.kill()

    def _kill_group(self, number: signal.Signals) -> None:
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    async def stop(self, grace: float) -> None:
        """End the process: the preStop hook and SIGTERM within the grace period, then SIGKILL."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._pre_stop()
                self._kill_group(signal.SIGTERM)
                await process.wait()
        self._kill_group(signal.SIGKILL)
        code = await process.wait()
        self._process = None
        assert self._begun
        code = 128 - code if code < 0 else code
        self.view = replace(self.view, state=terminated(self._begun, self._pod.now(), code), ready=False, started=False)

    async def _pre_stop(self) -> None:
        hook = self.spec.get("lifecycle", {}).get("preStop", {})
        if "sleep" in hook:
            await asyncio.sleep(hook["sleep"]["seconds"])
        elif "exec" in hook:
            await self._execute(hook["exec"]["command"])
