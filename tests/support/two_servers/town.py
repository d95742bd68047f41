"""A script that is lived through by a controller whose API server fails, and by one whose API server never does."""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, Grid, to_rfc3339
from fleet.script import Fleet
from fleet.series import Shape, series
from support.outages import PRICE, Prometheus
from support.pipeline import STEP, Store
from support.two_servers.control_plane import TwoServers
from support.two_servers.observers import Observer, Undisturbed, Whole
from support.two_servers.world import OURS, World, Written

ROUND_MS = 10 * MINUTE_MS
JOURNAL_S = 0.2
"""What a watch tells reaches the journal within 50 ms, and a round computes from the journal."""


class Clock:
    """The time of day of this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at_ms = begin_ms()
        monkeypatch.setattr(time, "time_ns", lambda: self.at_ms * 1_000_000)


LONGEST_MS = 6 * HOUR_MS
"""No script is longer."""


def begin_ms() -> int:
    """A quarter of an hour that is yet to come: whatever the API servers date by their own clock was before.

    No script lives over midnight: reports of this month would begin anew in the middle of it.
    """
    begin = Grid(15 * MINUTE_MS).containing(now_ms()).end_ms + 15 * MINUTE_MS
    midnight = Grid(DAY_MS).containing(begin).end_ms
    return begin if begin + LONGEST_MS < midnight else midnight + 15 * MINUTE_MS


class Town:
    """The script, the servers and both controllers.

    Attributes:
        one: the controller whose server fails.
        other: the one whose server never does.
        here: whether the first server can be reached.
    """

    def __init__(self, servers: TwoServers, fleet: Fleet, clock: Clock, prometheus: Prometheus, folder: Path) -> None:
        self.servers, self.clock, self._folder, self._url = servers, clock, folder, prometheus.url
        self.begin_ms, self._fleet, self._store = clock.at_ms, fleet, Store(STEP, fleet)
        prometheus.pipeline = SimpleNamespace(store=self._store)  # type: ignore[assignment]
        self._next_sample_ms, self.here = clock.at_ms, True
        self._world = World(servers.api, fleet, clock.at_ms)
        self.other = Undisturbed(folder / "other", servers.kubeconfig, prometheus.url)
        self.one: Whole
        self._started: list[Observer] = []

    async def begin(self, **sections: Any) -> Self:
        """Make what is there at the beginning, and start both."""
        book = {"apiVersion": "aicost.dev/v1alpha1", "kind": "PriceBook", "metadata": {"name": "all"}}
        source = {"source": "a test", "asOf": "2026-01-01"}
        self.servers.mend_first()
        await asyncio.to_thread(self._world.begin)
        await asyncio.to_thread(
            self.servers.api.patch, f"{OURS}/pricebooks/all", {**book, "spec": PRICE | source}, "apply"
        )
        self.one = Whole(self._folder / "one", self.servers.first, self._url, **sections)
        for each in (self.one, self.other):
            self._started.append(each)
            await each.start()
        for each in (self.one, self.other):
            await each.until_leading()
        return self

    async def live(self, until_ms: int) -> Self:
        """Let time pass, with a round each ten minutes."""
        while self.clock.at_ms < until_ms:
            then_ms = min(until_ms, self.clock.at_ms + ROUND_MS)
            for event in self._world.events(self.clock.at_ms + 1, then_ms + 1):
                self.clock.at_ms = event.at_ms
                await self._heard([await asyncio.to_thread(self._world.tell, event)])
            self.clock.at_ms = then_ms
            await self._heard(await asyncio.to_thread(self._world.stir, then_ms))
            self._sample(then_ms)
            for each in (self.other, self.one):
                await each.round()
        return self

    async def _heard(self, written: Iterable[Written]) -> None:
        told = list(written)
        for one in told:
            await self.other.heard(one)
            if self.here:
                await self.one.heard(one)
        if told:
            await asyncio.sleep(JOURNAL_S)

    def _sample(self, until_ms: int) -> None:
        """What Prometheus scrapes meanwhile."""
        while self._next_sample_ms < until_ms:
            at_ms = self._next_sample_ms
            for point in series(self._fleet, at_ms, at_ms + 1, 1, shape=Shape.PROMETHEUS):
                self._store.add(*point)
            self._next_sample_ms += STEP

    async def caught_up(self, seconds: float = 60) -> None:
        """Wait until both take the same to be there."""
        self.here = True
        async with asyncio.timeout(seconds):
            while self.one.believed() != self.other.believed():  # noqa: ASYNC110 -- informers set no event
                await asyncio.sleep(0.02)
        await asyncio.sleep(JOURNAL_S)

    async def published(self, path: str) -> None:
        """The status of a report was written in the last round."""
        seen = await asyncio.to_thread(self.servers.api.get, path)
        assert seen["status"]["updatedAt"] == to_rfc3339(self.clock.at_ms), seen["status"]

    async def conditions(self, path: str) -> dict[str, tuple[str, str, str]]:
        """What a report's conditions say, as they are published: status, reason and message by type."""
        seen = await asyncio.to_thread(self.servers.api.get, path)
        return {one["type"]: (one["status"], one["reason"], one["message"]) for one in seen["status"]["conditions"]}

    async def end(self) -> None:
        """Stop both."""
        for each in self._started:
            await each.end()
