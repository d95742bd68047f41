"""What comes at the same time is kept in one commit: many who post must not make many small files."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from aicost.domain.serving.outcomes.posted import Statement
from aicost.entrypoints.queryapi.statuses import Refusal

MOST_WAITING = 50_000
"""Statements that wait for the next commit."""


class Together:
    """Statements on their way to the disk.

    Args:
        write: keeps statements; those who posted them are answered when it returns.
        pause_s: seconds between two commits.
    """

    def __init__(self, write: Callable[[Sequence[Statement]], Awaitable[None]], pause_s: float = 0.5) -> None:
        self._write, self._pause_s = write, pause_s
        self._waiting: list[tuple[Sequence[Statement], asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def keep(self, statements: Sequence[Statement]) -> None:
        """Keep statements; they are on the disk when this returns.

        Raises:
            Refusal: 429 where too many wait already.
            AicostError: as of `write`: none of them was kept.
        """
        if sum(len(batch) for batch, _ in self._waiting) + len(statements) > MOST_WAITING:
            message = f"{MOST_WAITING:,} statements wait to be kept already: post again soon"
            raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, message)
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((statements, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        await done

    async def _drain(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            try:
                await self._write([one for batch, _ in taken for one in batch])
            except Exception as problem:  # noqa: BLE001 -- those who wait are told, whatever it is
                for _, done in taken:
                    if not done.done():  # who has gone needs no answer
                        done.set_exception(problem)
            else:
                for _, done in taken:
                    if not done.done():
                        done.set_result(None)
            await asyncio.sleep(self._pause_s)
