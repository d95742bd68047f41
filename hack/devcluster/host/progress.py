"""Progress for a person who waits: silent when quick, a line now and then when slow."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Failure", "say", "step"]

_QUICK_SECONDS = 2.0
_REPEAT_SECONDS = 20.0


class Failure(Exception):
    """Something that the person at the terminal has to act on. The text says what to do."""


def say(text: str) -> None:
    """Write one line of progress to standard error, so that standard output stays for answers."""
    print(f"devcluster: {text}", file=sys.stderr, flush=True)


def _report_until(done: threading.Event, text: str, started: float) -> None:
    wait = _QUICK_SECONDS
    while not done.wait(wait):
        say(f"{text} ... {time.monotonic() - started:.0f} s")
        wait = _REPEAT_SECONDS


@contextmanager
def step(text: str) -> Iterator[None]:
    """Tell what goes on, with elapsed seconds, as soon as it takes longer than two seconds."""
    started, done = time.monotonic(), threading.Event()
    reporter = threading.Thread(target=_report_until, args=(done, text, started), daemon=True)
    reporter.start()
    try:
        yield
    finally:
        done.set()
        reporter.join()
    if time.monotonic() - started > _QUICK_SECONDS:
        say(f"{text}: done in {time.monotonic() - started:.0f} s")
