"""A client of the fake API server, a clock that tests turn, and one who writes down what an informer tells."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aicost.adapters.kube.auth.credentials import Credential, FixedCredentials
from aicost.adapters.kube.auth.settings import ClusterConfig
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.informer import Changed, Gone, Informer, Notice
from aicost.adapters.kube.wire.transport import Timeouts
from support.fake_api.server import FakeApi

CALM = Timeouts(connect=2.0, read=5.0, silence=5.0)
HASTY = Timeouts(connect=1.0, read=0.3, silence=0.3)
"""Gives up soon; an idle watch breaks and is resumed."""


@dataclass
class Clock:
    """Milliseconds that pass only when a test says so."""

    now: int = 1_000_000

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * 1_000)


@dataclass
class Sleeper:
    """Takes no time and remembers what it was asked for."""

    asked: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await asyncio.sleep(0.005)


@dataclass
class Diary:
    """What an informer told, in order."""

    notices: list[Notice[str]] = field(default_factory=list)

    def __call__(self, notice: Notice[str]) -> None:
        self.notices.append(notice)

    @property
    def changed(self) -> list[str]:
        return [n.object for n in self.notices if isinstance(n, Changed)]

    @property
    def gone(self) -> list[Gone[str]]:
        return [n for n in self.notices if isinstance(n, Gone)]


def open_client(api: FakeApi, sleep: Any = None, timeouts: Timeouts = CALM, token: str | None = None) -> KubeClient:
    config = ClusterConfig(server=api.url, credentials=FixedCredentials(Credential(token)), origin="a test")
    return KubeClient(config, timeouts=timeouts, sleep=sleep or Sleeper())


def name_of(raw: bytes) -> str:
    """The simplest decoder: an object's name."""
    return msgspec.json.decode(raw)["metadata"]["name"]


@asynccontextmanager
async def running(
    informer: Informer[Any], handle: Callable[[Any], None], *, synced: bool = True
) -> AsyncIterator[None]:
    """The informer at work, its first list complete if asked so. What breaks it breaks the test."""
    task = asyncio.create_task(informer.run(handle))
    try:
        await until(lambda: task.done() or informer.synced.is_set() or not synced)
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(holds: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait until something holds."""
    try:
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 -- the thing waited for knows nothing of us
                await asyncio.sleep(0.002)
    except TimeoutError as error:
        raise AssertionError("it did not come to hold") from error
