"""Keeps up with all objects of one resource: lists them, watches them, and misses no deletion.

The way of an informer: list (as a stream where the server can, else in pages), then watch from there. A watch that ends
is resumed where it stopped. Where the server no longer knows that point (410), the list is made anew and compared with
what was there before: what is missing went unseen, and is told with the gap in which it went.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from aicost.adapters.kube.client import PAGE_SIZE, KubeClient
from aicost.adapters.kube.seen.values import BadObject
from aicost.adapters.kube.watching.backoff import Backoff
from aicost.adapters.kube.watching.belief import Belief, span
from aicost.adapters.kube.watching.events import Event, read_bookmark, read_error, read_event
from aicost.adapters.kube.watching.intake import Intake
from aicost.adapters.kube.watching.notices import Changed, Gone, Notice, Seen
from aicost.adapters.kube.watching.stats import InformerStats
from aicost.adapters.kube.wire.calls import Call
from aicost.adapters.kube.wire.errors import Expired, NotFound, Rejected, ServerFault, translate
from aicost.adapters.kube.wire.objects import Page
from aicost.adapters.kube.wire.resources import Resource
from aicost.domain.exact.windows import Window
from aicost.ports.errors import AicostError, InvalidAnswer

__all__ = ["Changed", "Gone", "Informer", "InformerStats", "Notice", "Scope", "Seen"]

T = TypeVar("T")

SHORTEST_WATCH_S, LONGEST_WATCH_S = 300, 600
"""The server ends a watch at a random time between these, so that not all watches end together."""
LIST_SLICE = 50
"""Objects of a page that are handled before others may run."""
PATIENCE = 3
"""Failures of the server in a row before another way is tried: a new list, or a list in pages."""
REPLAY_MS = 2_000
"""What a resumed watch tells within this time happened while it was interrupted."""
SHORT_BREAK_MS = 1_000
"""An interruption up to this long leaves no gap worth telling; a watch shorter than this has failed."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which objects are watched.

    Attributes:
        namespace: None for all.
        selectors: `labelSelector` and `fieldSelector`. An object that leaves the selection is told as gone.
    """

    resource: Resource
    namespace: str | None = None
    selectors: Mapping[str, str] = field(default_factory=dict)


class Informer(Generic[T]):
    """Follows one resource and tells what changes and what goes.

    Args:
        client: an open client.
        scope: what to follow.
        decode: makes of an object's JSON the value that is kept. For what it cannot read it gives a `BadObject` or
            raises ValueError or `msgspec.MsgspecError`; that object is passed over, and `stats.bad` says why.
        now_ms: the clock.
        known: what was there before a restart, by uid.
        stream_lists: False never asks for a streamed list.
        sleep: waits between attempts.

    Attributes:
        stats: what it can say of itself; `stats.heard_ms` is up to when it missed nothing.
        synced: set when the first list is complete and all that it shows was told.
    """

    def __init__(
        self,
        client: KubeClient,
        scope: Scope,
        decode: Callable[[bytes], T | BadObject],
        *,
        now_ms: Callable[[], int],
        known: Mapping[str, Seen[T]] | None = None,
        stream_lists: bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.stats = InformerStats(str(scope.resource))
        self.synced = asyncio.Event()
        self._client, self._scope, self._now_ms = client, scope, now_ms
        self._intake = Intake(Belief(known), decode, self.stats)
        self._stream_lists, self._sleep, self._backoff = stream_lists, sleep, Backoff()
        self._version: str | None = None  # where to resume; None: list first
        self._reason = "start"
        self._list_whole = False

    async def run(self, handle: Callable[[Notice[T]], None]) -> None:
        """Follow the resource until cancelled.

        Args:
            handle: is called for each notice in order, and must return soon. What it raises ends the informer.
        """
        self._intake.handle = handle
        while True:
            try:
                if self._version is None and not self._stream_lists:
                    await self._list_pages()
                await self._watch()
            except AicostError as error:
                await self._recover(error)

    async def _list_pages(self) -> None:
        """List in pages. Where that took longer than the server remembers, ask for all at once."""
        self._intake.begin_list()
        at_ms, version, scope = self._now_ms(), "", self._scope
        pages = self._client.pages(
            scope.resource, scope.namespace, selectors=scope.selectors, limit=0 if self._list_whole else PAGE_SIZE
        )
        async for page in pages:
            at_ms = at_ms if version else self._now_ms()  # all pages show the moment of the first
            version = page.metadata.resource_version
            await self._take_page(page, at_ms)
        self._end_list(version, at_ms)

    async def _take_page(self, page: Page, at_ms: int) -> None:
        try:
            for index, raw in enumerate(page.items or (), start=1):
                self._intake.list_one(raw, at_ms)
                if index % LIST_SLICE == 0:
                    await asyncio.sleep(0)
        except msgspec.MsgspecError as error:
            raise InvalidAnswer(f"the list of {self._scope.resource} holds what is no object: {error}") from error

    def _end_list(self, version: str, at_ms: int) -> None:
        self._intake.end_list(at_ms)
        self.stats.lists[self._reason] += 1
        self._version, self._list_whole = version, False
        self._succeed()
        self.stats.synced = True
        self.synced.set()

    async def _watch(self) -> None:
        """One watch to its end, on time or by an error."""
        scope = self._scope
        if self._version is None:
            self._intake.begin_list()
        async with self._client.watch(scope.resource, self._watch_params(), scope.namespace) as lines:
            opened_ms = self._now_ms()
            told = await self._follow(lines, opened_ms)
        if self._version is None:
            raise ServerFault(f"the API server ended the streamed list of {scope.resource} before it was complete")
        ended_ms = self._now_ms()
        if not told and 0 <= ended_ms - opened_ms < SHORT_BREAK_MS:
            raise ServerFault(f"the API server ended the watch of {scope.resource} as soon as it began")
        self._intake.hear(ended_ms)

    def _watch_params(self) -> dict[str, str]:
        seconds = self._backoff.uniform(SHORTEST_WATCH_S, LONGEST_WATCH_S)
        params = {**self._scope.selectors, "timeoutSeconds": str(int(seconds))}
        if self._version is not None:
            return {**params, "resourceVersion": self._version}
        return {**params, "sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}

    async def _follow(self, lines: AsyncIterator[bytes], opened_ms: int) -> int:
        """Take each line; gives their number."""
        told, blind = 0, self._blind(opened_ms)
        async for line in lines:
            at_ms = self._now_ms()
            blind = blind if at_ms - opened_ms <= REPLAY_MS else None
            self._take_line(line, at_ms, blind)
            told += 1
        return told

    def _blind(self, opened_ms: int) -> Window | None:
        """The span in which we saw nothing before a watch that resumes was opened."""
        heard_ms = self.stats.heard_ms
        if self._version is None or heard_ms is None or opened_ms - heard_ms <= SHORT_BREAK_MS:
            return None
        return span(heard_ms, opened_ms)

    def _take_line(self, line: bytes, at_ms: int, blind: Window | None) -> None:
        if not line.strip():
            return
        try:
            self._take(read_event(line), at_ms, blind)
        except msgspec.MsgspecError as error:
            raise InvalidAnswer(f"an event of the watch of {self._scope.resource} cannot be read: {error}") from error

    def _take(self, event: Event, at_ms: int, blind: Window | None) -> None:
        match event.type:
            case "ADDED" if self._version is None:
                self._intake.list_one(event.object, at_ms)
            case "ADDED" | "MODIFIED" | "DELETED":
                self._progress(self._intake.take(event, at_ms, blind), at_ms)
            case "BOOKMARK":
                self._take_bookmark(event.object, at_ms)
            case "ERROR":
                call = Call.on(self._scope.resource, "watch", "GET", namespace=self._scope.namespace)
                raise translate(call, read_error(event.object))
            case _:
                raise InvalidAnswer(f"the watch of {self._scope.resource} sent an event of type {event.type!r}")

    def _take_bookmark(self, raw: msgspec.Raw, at_ms: int) -> None:
        self.stats.bookmarks += 1
        version, ends_list = read_bookmark(raw)
        if self._version is None and ends_list:
            self._end_list(version, at_ms)
        self._progress(version, at_ms)

    def _progress(self, version: str, at_ms: int) -> None:
        """A broken watch is resumed from here. Before a list is complete there is no here."""
        if self._version is not None:
            self._version = version
            self._intake.hear(at_ms)
            self._succeed()

    def _succeed(self) -> None:
        self._backoff.succeed()
        self.stats.error = None

    async def _recover(self, error: AicostError) -> None:
        """Decide from where to go on, and wait."""
        self.stats.error = str(error)
        self.stats.breaks += 1
        if self._version is None:
            self._change_way(error)
        elif self._is_place_lost(error):
            self._version, self._reason = None, "expired" if isinstance(error, Expired) else "lost"
        await self._sleep(self._backoff.fail())

    def _change_way(self, error: AicostError) -> None:
        """A list failed: pages work on servers that know no streamed lists, one great page where pages expire."""
        tired = isinstance(error, ServerFault | InvalidAnswer) and self._backoff.failures >= PATIENCE
        if isinstance(error, Rejected) or tired:
            self._stream_lists = False
        self._list_whole = isinstance(error, Expired)

    def _is_place_lost(self, error: AicostError) -> bool:
        """True where resuming cannot work: at once if the server said so, else after some attempts."""
        if isinstance(error, ServerFault | InvalidAnswer):
            return self._backoff.failures >= PATIENCE
        return isinstance(error, Expired | NotFound | Rejected)
