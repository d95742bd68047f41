"""Python's collector of cycles, out of the way of what makes millions of objects and no cycle."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """The collector of cycles waits, in all threads: it would look at what was made again and again, and find nothing.

    Memory that needs no collector is given back meanwhile as ever. Of several at once the one that made it wait lets it
    go on: the others are slower then, and nothing else.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
