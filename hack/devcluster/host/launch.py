"""Become another program that dies with the one who started it: ``launch.py PARENT-PID PROGRAM [ARGUMENTS]``.

The kernel sends SIGKILL to this process when its parent ends, however the parent ends, so that an aborted run
leaves no server behind. It is a program of its own because code between fork and exec is not safe with threads.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Ask the kernel to end this process with its parent; leave at once when the parent is gone already."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the process that started this one is gone")


if __name__ == "__main__":
    die_with(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell is wanted
