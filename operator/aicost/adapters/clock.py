"""The one place that reads the clock."""

import time


def now_ms() -> int:
    """Milliseconds since the Unix epoch, by the wall clock."""
    return time.time_ns() // 1_000_000
