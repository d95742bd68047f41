"""A thread that does one thing at a time, for whoever cannot wait: calls of the driver can hang for ever."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Worker(Generic[_T]):
    """One thread. While a task hangs, no other is taken, and nobody else waits.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._tasks: SimpleQueue[Callable[[], _T] | None] = SimpleQueue()
        self._answers: SimpleQueue[_T | BaseException] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()
        self.busy = False

    def ask(self, task: Callable[[], _T]) -> None:
        """Begin a task, unless one is being done."""
        if not self.busy:
            self.busy = True
            self._tasks.put(task)

    def answer(self, seconds: float) -> _T | BaseException | None:
        """What became of the task, be it late; None while it is being done."""
        try:
            found = self._answers.get(timeout=seconds) if seconds > 0 else self._answers.get_nowait()
        except Empty:
            return None
        self.busy = False
        return found

    def stop(self) -> None:
        """End the thread once its task is done; a task that hangs ends with the process."""
        self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                self._answers.put(task())
            except Exception as error:  # noqa: BLE001 # whoever asked decides what it means
                self._answers.put(error)
