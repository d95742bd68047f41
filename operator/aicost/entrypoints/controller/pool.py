"""Blocking work beside the event loop, of which the end can be waited for."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

THREADS = 8
_POLL_SECONDS = 0.02


class Pool(ThreadPoolExecutor):
    """The executor behind `asyncio.to_thread`. Cancelling a task does not end the thread that it waits for."""

    def __init__(self) -> None:
        super().__init__(THREADS, thread_name_prefix="work")
        self._running: set[Future[Any]] = set()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function in a thread."""
        future = super().submit(fn, *args, **kwargs)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future

    async def drain(self, seconds: float) -> bool:
        """Wait until all that was begun has ended; False if it takes longer."""
        until = time.monotonic() + seconds
        while self._running and time.monotonic() < until:  # noqa: ASYNC110 -- threads set no event of the loop
            await asyncio.sleep(_POLL_SECONDS)
        return not self._running
