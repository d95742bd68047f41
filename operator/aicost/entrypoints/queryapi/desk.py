"""Work in threads, never too much of it at once, and never waited for too long."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeVar

from aicost.entrypoints.queryapi.statuses import Refusal

Result = TypeVar("Result")


class Desk:
    """Takes work as long as there is room for it.

    Work that was given up on still holds its place until it ends, since a thread cannot be stopped.
    """

    def __init__(self, workers: int = 4, waiting: int = 32, patience_s: float = 50.0) -> None:
        """Open the desk.

        Args:
            workers: pieces of work done at once.
            waiting: how many more may wait.
            patience_s: seconds after which a piece is given up on; the API server itself waits 60.
        """
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="query")
        self._room, self._taken = workers + waiting, 0
        self._patience_s = patience_s

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do a piece of work in a thread.

        Raises:
            Refusal: 429 where there is no room, 504 where it took too long.
        """
        if self._taken >= self._room:
            raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, f"{self._taken} queries are being answered: ask again soon")
        self._taken += 1
        job = self._pool.submit(work)
        outcome = asyncio.wrap_future(job)
        outcome.add_done_callback(self._leave)
        try:
            async with asyncio.timeout(self._patience_s):
                return await asyncio.shield(outcome)
        except asyncio.CancelledError:  # whoever asked has gone: what has not begun need not begin
            job.cancel()
            raise
        except TimeoutError:
            job.cancel()
            message = f"no answer within {self._patience_s:.0f} s: ask for a shorter window or for fewer keys"
            raise Refusal(HTTPStatus.GATEWAY_TIMEOUT, message) from None

    def close(self) -> None:
        """Take no more work and forget what has not begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _leave(self, outcome: "asyncio.Future[Any] | Future[Any]") -> None:
        self._taken -= 1
        if not outcome.cancelled():
            outcome.exception()  # seen, whether or not somebody still waits for it
