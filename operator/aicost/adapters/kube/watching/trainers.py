"""Follows TrainJobs, where the cluster serves them, and remembers how far each of them was when."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import msgspec

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.informer import Changed, Informer, InformerStats, Notice, Scope
from aicost.adapters.kube.seen.trainers import TRAIN_JOBS, TRAINER_GROUP, reported
from aicost.ports.errors import AicostError
from aicost.ports.measured.training import Reported

RETRY_SECONDS = 60.0
"""Between two looks whether the cluster serves them by now, or lets us read them."""
MOST_JOBS = 2_000
MOST_WORDS = 400
"""Of one TrainJob. Where it says more, every second of the old ones is forgotten: what is long ago grows coarser."""


@dataclass(slots=True)
class TrainerBook:
    """What TrainJobs said, in bounded memory: the job that was silent for longest goes first."""

    _jobs: dict[tuple[str, str], list[Reported]] = field(default_factory=dict)

    def take(self, said: Reported) -> None:
        """Remember a word; one that says nothing new is left out."""
        name = said.namespace, said.name
        words = self._jobs.pop(name, [])
        if not words or said.at_ms > words[-1].at_ms:
            words.append(said)
        self._jobs[name] = words if len(words) <= MOST_WORDS else [*words[:-1:2], words[-1]]
        while len(self._jobs) > MOST_JOBS:
            del self._jobs[next(iter(self._jobs))]

    @property
    def words(self) -> tuple[Reported, ...]:
        """All that is remembered."""
        return tuple(word for words in self._jobs.values() for word in words)


class TrainersWatch:
    """An informer that runs as soon as there is something to follow.

    Args:
        client: an open client.
        now_ms: the clock.

    Attributes:
        book: what was said.
    """

    def __init__(self, client: KubeClient, now_ms: Callable[[], int]) -> None:
        self.book = TrainerBook()
        self._client, self._now_ms = client, now_ms
        self._informer: Informer[Reported | None] | None = None

    @property
    def stats(self) -> tuple[InformerStats, ...]:
        """What the informer can say of itself; nothing where nothing is followed."""
        return () if self._informer is None else (self._informer.stats,)

    async def run(self, tell: Callable[[str], None]) -> None:
        """Follow until cancelled. Where they are not served, or may not be read, look again now and then.

        Args:
            tell: hears why they cannot be read, once for each reason; a cluster that serves none is no reason.
        """
        await self._served(tell)
        self._informer = Informer(self._client, Scope(TRAIN_JOBS), partial(_decode, self._now_ms), now_ms=self._now_ms)
        await self._informer.run(self._take)

    async def _served(self, tell: Callable[[str], None]) -> None:
        """Wait until they are served and may be listed."""
        told = ""
        while True:
            problem = ""
            try:
                if TRAIN_JOBS.api_version in await self._client.versions(TRAINER_GROUP):
                    async for _ in self._client.pages(TRAIN_JOBS, limit=1):
                        break
                    return
            except AicostError as error:
                problem = str(error)
            if problem and problem != told:
                tell(problem)
            told = problem
            await asyncio.sleep(RETRY_SECONDS)

    def _take(self, notice: Notice[Reported | None]) -> None:
        if isinstance(notice, Changed) and notice.object is not None:
            self.book.take(notice.object)


def _decode(now_ms: Callable[[], int], raw: bytes) -> Reported | None:
    return reported(msgspec.json.decode(raw), now_ms())
