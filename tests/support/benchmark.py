"""Sizes, operation counts and processor time for tests/bench. No clock of the wall is judged anywhere.

`make bench` sets AICOST_BENCH=full; without it the same tests run on small sizes and judge operation counts alone.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

FULL = os.environ.get("AICOST_BENCH") == "full"
REPEATS = 3


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    subject: str
    size: str
    value: str
    judged: str = "shown"
    bounds: str = ""
    """What it spends its time on, by a profile."""


def sizes(small: tuple[int, ...], full: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes of this run."""
    return full if FULL else small


def processor_seconds(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """The least processor time of some runs, of all threads: others on the machine do not count."""
    found = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def operations(work: Callable[[], Any]) -> int:
    """Lines of Python that a piece of work executes, turns of loops and comprehensions included. The same each time."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def ratio(first: float, last: float, growth: float) -> float:
    """How the cost of one unit changed while the size grew: 1 is linear, `growth` is quadratic."""
    return last / first / growth
