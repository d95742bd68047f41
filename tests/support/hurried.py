"""The controller by a clock that runs faster than the wall: hours of windows in a minute.

Only what reads the time of day is hurried. Leases and pauses go by the system's own clocks, as ever.
"""

import os
import sys
import time

BEGAN, SPEED = "HURRIED_SINCE_NS", "HURRIED_SPEED"
"""Environment: when the hurry began, and how many seconds a second takes."""


def hurry() -> None:
    """Turn the clock of this process."""
    real, since, speed = time.time_ns, int(os.environ[BEGAN]), int(os.environ[SPEED])
    time.time_ns = lambda: since + (real() - since) * speed


if __name__ == "__main__":
    hurry()
    from aicost.entrypoints.controller.main import main

    sys.exit(main(sys.argv[1:]))
