"""The next answer is waited for while the last one is read: the server and we work at the same time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(answers: Iterator[T]) -> Iterator[T]:
    """The same answers and failures in the same order, one of them ahead: no more, since each may be large."""
    with ThreadPoolExecutor(1, "prometheus") as asking:
        following = asking.submit(next, answers, None)
        while (answer := following.result()) is not None:
            following = asking.submit(next, answers, None)
            yield answer
