"""A pod with a foreign image: nothing runs, its annotations say what seems to run."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from devcluster.kubelet.backoff import backoff_seconds, restarts_after
from devcluster.kubelet.status import ContainerView, PodView, running, terminated, waiting
from devcluster.kubelet.timeline import Timeline
from devcluster.kubelet.worker import PodWorker

__all__ = ["ScriptedPod"]

_STOPPED = 143
_EVICTED = 137


class ScriptedPod(PodWorker):
    """Moves through its phases by the clock. Its annotations may change while it lives: they are read at each step."""

    _started: datetime | None = None
    _current: list[ContainerView] | None = None
    _init: tuple[ContainerView, ...] = ()

    async def run(self) -> None:
        """One whole run of the containers; called again for a restart."""
        if self._current is None:
            self._resume()
        if self._started is None:
            await self._start()
        elif await self._wait_for_the_end():
            await self._finish()

    def _resume(self) -> None:
        """Go on where a kubelet before us stopped: the times that are in the status stay."""
        status = self.pod.get("status", {})
        self._current = [ContainerView.read(entry) for entry in status.get("containerStatuses", ())] or self.views()
        self._init = tuple(ContainerView.read(entry) for entry in status.get("initContainerStatuses", ()))
        began = [view.state.get("running", {}).get("startedAt") for view in self._current]
        if all(began):
            self._started = datetime.fromisoformat(min(began))

    async def _start(self) -> None:
        timeline = Timeline.read(self.annotations)
        assert self._current is not None
        if not self._current[0].restarts:
            await self._prepare(timeline)
        if self.deleting:
            return
        self._started = self.now()
        self._show(state=running(self._started), started=True, ready=timeline.ready_after <= 0)
        self._current = [replace(view, identity=self.new_identity()) for view in self._current]
        await self.report(PodView("Running", self._current, self._init))

    async def _prepare(self, timeline: Timeline) -> None:
        """Pull images, then run init containers."""
        assert self._current is not None
        if timeline.image_pull:
            await self.report(PodView("Pending", self._current, self.views("initContainers")))
            await self._let_pass(timeline.image_pull)
        done: list[ContainerView] = []
        names = self.views("initContainers")
        for index, view in enumerate(names):
            begun = self.now()
            active = replace(view, state=running(begun), started=True, identity=self.new_identity())
            if timeline.init:
                await self.report(PodView("Pending", self._current, (*done, active, *names[index + 1 :])))
                await self._let_pass(timeline.init)
            done.append(replace(active, state=terminated(begun, self.now(), 0), ready=True, started=False))
        self._init = tuple(done)

    async def _let_pass(self, seconds: float) -> None:
        """Wait for so long, or until the pod is to be deleted."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not self.deleting and loop.time() < end:
            await self.sleep(end - loop.time())

    async def _wait_for_the_end(self) -> bool:
        """Wait for the next thing that the script says; True when the containers end now."""
        timeline = Timeline.read(self.annotations)
        assert self._started is not None
        assert self._current is not None
        passed = (self.now() - self._started).total_seconds()
        if not self._current[0].ready and passed >= timeline.ready_after:
            self._show(ready=True)
            await self.report(PodView("Running", self._current, self._init))
        moments = [timeline.run, timeline.evict_after, timeline.ready_after]
        ahead = [moment - passed for moment in moments if moment is not None and moment > passed]
        if timeline.evict_after is not None and passed >= timeline.evict_after:
            await self._evict()
            return False
        if timeline.run is not None and passed >= timeline.run:
            return True
        await self.sleep(min(ahead, default=None))
        return False

    async def _finish(self) -> None:
        """End the containers, and start them again where the restart policy says so."""
        timeline = Timeline.read(self.annotations)
        assert self._current is not None
        assert self._started is not None
        restarts = self._current[0].restarts
        code = timeline.exit_code(restarts)
        end = self._started + timedelta(seconds=timeline.run or 0)
        reason = timeline.exit_reason if code else None
        self._show(state=terminated(self._started, max(end, self._started), code, reason), ready=False, started=False)
        if not restarts_after(self.pod["spec"].get("restartPolicy", "Always"), code):
            await self.report(PodView("Failed" if code else "Succeeded", self._current, self._init))
            return
        self._current = [view.after_restart() for view in self._current]
        await self._back_off(code, restarts)

    async def _back_off(self, code: int, restarts: int) -> None:
        assert self._current is not None
        config = self.host.config
        pause = backoff_seconds(config.backoff_seconds, config.backoff_limit_seconds, restarts)
        if pause:
            message = f"back-off {pause:.0f}s restarting container, which ended with {code}"
            self._show(state=waiting("CrashLoopBackOff", message))
            await self.report(PodView("Running", self._current, self._init))
            await self._let_pass(pause)
        self._started = None

    async def _evict(self) -> None:
        assert self._current is not None
        assert self._started is not None
        self._show(state=terminated(self._started, self.now(), _EVICTED), ready=False, started=False)
        message = "The node was low on resource: memory."
        await self.report(PodView("Failed", self._current, self._init, reason="Evicted", message=message))

    def _show(self, **changes: object) -> None:
        assert self._current is not None
        self._current = [replace(view, **changes) for view in self._current]  # type: ignore[arg-type]

    async def stop(self) -> PodView | None:
        """End as a container that obeys SIGTERM ends, after ``stop-seconds`` but within the grace period."""
        if self._started is None or self._current is None:
            return None
        grace = float(self.pod["metadata"].get("deletionGracePeriodSeconds") or 0)
        try:
            wanted = Timeline.read(self.annotations).stop
        except ValueError:
            wanted = 0.0
        await asyncio.sleep(min(grace, wanted))
        code = _EVICTED if wanted > grace else _STOPPED
        self._show(state=terminated(self._started, self.now(), code), ready=False, started=False)
        return PodView("Failed", self._current, self._init)
