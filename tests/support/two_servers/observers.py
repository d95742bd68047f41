"""Controllers in this process, on a clock that the test holds, with real watches, kopf, Lease and publishing.

`Whole` is the controller of production; `Undisturbed` computes the same from a server that never fails, and publishes
nothing. Both do a round when the test says so.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import load
from aicost.adapters.kube.wire.transport import Timeouts
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.ledger.rows import Row
from aicost.entrypoints.controller import main, resync, watching
from aicost.entrypoints.controller.publish.answering import answer_all
from aicost.entrypoints.controller.rounds import Rounds
from aicost.settings import parse_settings
from support.controller import made, said, shown
from support.outages import PRICE, Silent
from support.two_servers.world import Written

EVER = Window(0, 1 << 42)
HASTY = Timeouts(connect=2, read=2, silence=3)
"""A server that hangs is given up sooner than in production, by the system's own clock."""
BACK_OFF_S = 1.0
_held: dict[int, Rounds] = {}


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Rounds wait for the test; pauses that go by the system's own clock are short."""

    async def hold(rounds: Rounds) -> None:
        _held[id(rounds._app)] = rounds
        await asyncio.Event().wait()

    monkeypatch.setattr(Rounds, "run", hold)
    monkeypatch.setattr(watching, "FLUSH_SECONDS", 0.05)
    monkeypatch.setattr(resync, "RESYNC_SECONDS", 1.0)
    monkeypatch.setattr(resync, "RETRY_SECONDS", 1.0)
    monkeypatch.setattr("aicost.adapters.kube.watching.backoff.LONGEST_S", BACK_OFF_S)
    yield monkeypatch
    _held.clear()


class Observer:
    """A controller over a folder of its own.

    Args:
        folder: journals and ledger.
        kubeconfig: the server that it asks.
        prometheus: where its samples come from.
        sections: of the settings.

    Attributes:
        timeouts: of its calls.
    """

    timeouts = Timeouts()

    def __init__(self, folder: Path, kubeconfig: Path, prometheus: str, **sections: Any) -> None:
        self.folder = folder
        self._config = load({}, now_ms, kubeconfig=kubeconfig)
        self.settings = parse_settings(
            {
                "window": {"length": "15m", "refreshSeconds": 1},
                "ledger": {"url": str(folder / "ledger")},
                "journal": {"path": str(folder / "journal.sqlite")},
                "telemetry": {"source": "prometheus", "prometheus": {"url": prometheus}},
                "cluster": {"id": "c1"},
                "admission": {"enabled": False},
                "leader": {"enabled": False, "namespace": "default"},
                **sections,
            }
        )

    async def start(self) -> None:
        """Come up, as a process that is started does."""
        self.client = await KubeClient(self._config, timeouts=self.timeouts).__aenter__()
        self.process = main.Controller(self.settings, self._config, self.client, "c1")
        self.tasks = asyncio.create_task(self._work())
        self.tasks.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _work(self) -> None:
        raise NotImplementedError

    @property
    def state(self) -> Any:
        return self.process._state

    @property
    def watch(self) -> Any:
        return self.process._watch

    @property
    def leads(self) -> bool:
        """Whether it does rounds."""
        return id(self.process._app) in _held and not self.tasks.done()

    async def round(self) -> None:
        """One round, if it leads."""
        if self.leads:
            await _held[id(self.process._app)].once()

    async def until_leading(self) -> None:
        """Wait until it does rounds."""
        async with asyncio.timeout(60):
            while not self.leads:
                assert not self.tasks.done(), self.tasks
                await asyncio.sleep(0.02)

    async def heard(self, written: Written, seconds: float = 60) -> None:
        """Wait until its watch has told of an object as it is now."""
        uid, version = written
        async with asyncio.timeout(seconds):
            while not self._knows(uid, version):
                assert not self.tasks.done(), self.tasks
                await asyncio.sleep(0.005)

    def _knows(self, uid: str, version: str | None) -> bool:
        beliefs = [one._intake.belief._entries for one in (self.watch._pods, self.watch._nodes)]
        found = next((entries[uid].version for entries in beliefs if uid in entries), None)
        return found is None if version is None else found is not None and int(found or 0) >= int(version)

    def believed(self) -> dict[str, str]:
        """Pods and nodes that it takes to be there, with their versions."""
        beliefs = [one._intake.belief._entries for one in (self.watch._pods, self.watch._nodes)]
        return {uid: entry.version for entries in beliefs for uid, entry in entries.items()}

    def pod(self, name: str) -> PodRecord:
        """What its journal knows of a pod."""
        (found,) = (one for one in self.process._stores.inventory._pods if one.facts.name == name)
        return found

    def rows(self) -> tuple[Row, ...]:
        """All rows of its ledger."""
        return tuple(self.process._stores.ledger.rows(EVER, cluster="c1"))

    def shown(self, *name: str) -> float | None:
        """A metric as a scrape sees it."""
        return shown(self.process._metrics).get(name)

    def failures(self) -> dict[tuple[str, ...], float]:
        """Failures that were counted, by step and reason."""
        found = shown(self.process._metrics).items()
        return {name[1:]: value for name, value in found if name[0] == "aicost_failures_total"}

    def condition(self, kind: str) -> tuple[str, str, str]:
        """What the cluster's own report says in one condition."""
        body = made("ClusterAICostReport", "month-to-date", {"groupBy": ["namespace"]})
        (answer,) = answer_all(self.process._app, self.state, {body["kind"]: [body]}, now_ms())
        return said(answer, kind)

    async def end(self) -> None:
        """Stop it, whatever it does."""
        self.tasks.cancel()
        await asyncio.gather(self.tasks, return_exceptions=True)
        if self.process._leadership:
            await self.process._leadership.release()
        await self.client.__aexit__(None, None, None)
        with contextlib.suppress(Exception):
            self.process._stores.close()


class Whole(Observer):
    """All of a controller: it leads, follows our objects, publishes."""

    timeouts = HASTY

    async def _work(self) -> None:
        await self.process._work()

    async def until_lost(self, monkeypatch: pytest.MonkeyPatch, fail: Callable[[], None]) -> str:
        """Let something fail, and wait until it gives up as a leader, where a process ends at once; the reason."""
        loop, left = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
        monkeypatch.setattr(main, "_leave", lambda reason: loop.call_soon_threadsafe(left.set_result, reason))
        self.process._leadership._on_lost = main._leave
        fail()
        reason = await left
        await self._die()
        return reason

    async def _die(self) -> None:
        """What was not on the volume yet is gone."""
        self.tasks.cancel()
        await asyncio.gather(self.tasks, return_exceptions=True)
        await self.client.__aexit__(None, None, None)
        self.process._stores.inventory._file.close()
        self.process._stores.samples.close()


class Undisturbed(Observer):
    """Only what fills the ledger, without an object of ours: prices are told to it."""

    async def _work(self) -> None:
        one = self.process
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(one._watch.run())
            await one._watch.synced()
            await one._finder.look()
            one._registry.put(made("PriceBook", "all", PRICE))
            rounds = Rounds(
                one._app, one._registry, one._state, Silent(), one._attempts, claimed=one._watch.know_owners
            )
            tasks.create_task(rounds.run())
