"""Child processes that end with us, write to a log file, and are found again by a pid file."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devcluster.host.paths import PACKAGE
from devcluster.host.progress import Failure

__all__ = [
    "Child",
    "is_running",
    "launcher",
    "log_tail",
    "read_pid_file",
    "start",
    "stop",
    "stop_pid",
    "wait_until",
    "write_pid_file",
]

_POLL_SECONDS, _WAIT_SECONDS = 0.02, 0.05


@dataclass(frozen=True, slots=True)
class Child:
    """A running program of ours."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    pid_file: Path


def launcher() -> list[str]:
    """The words before a command line that tie its life to ours."""
    return [sys.executable, "-I", "-S", str(PACKAGE / "host" / "launch.py"), str(os.getpid())]


def start(name: str, argv: Sequence[str], state: Path, environment: Mapping[str, str] | None = None) -> Child:
    """Start a program in a session of its own, so that a Ctrl-C reaches us and we choose the order of the end.

    Call it from the main thread: the program is killed when the thread that started it ends.
    """
    log, pid_file = state / "logs" / f"{name}.log", state / "pids" / name
    for path in (log, pid_file):
        path.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*launcher(), *argv], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, env={**os.environ, **(environment or {})}, cwd="/",
        )  # fmt: skip
    write_pid_file(pid_file, process.pid)
    return Child(name, process, log, pid_file)


def wait_until(holds: Callable[[], bool], what: str, log: Path, child: Child | None, seconds: float = 30.0) -> None:
    """Wait until something holds that a program brings about.

    Raises:
        Failure: the program ended or took too long; the text is ``what`` with the end of its log.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        ended = child is not None and child.process.poll() is not None
        if ended or time.monotonic() > deadline:
            raise Failure(f"{what}. The end of {log}:\n{log_tail(log)}")
        time.sleep(_WAIT_SECONDS)


def stop(child: Child, seconds: float = 10.0) -> None:
    """End a child and all of its group: politely first, by force after ``seconds``."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.process.pid, signal.SIGTERM)
    try:
        child.process.wait(seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
    child.pid_file.unlink(missing_ok=True)


def log_tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for a failure message."""
    if not log.exists():
        return "(no output)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _start_time(pid: int) -> str | None:
    """When a process started, in clock ticks since boot: with the pid it names one process for ever."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else fields[19]


def write_pid_file(path: Path, pid: int) -> None:
    """Record a process so that nobody mistakes a later one with the same number for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{pid} {_start_time(pid)}\n")


def read_pid_file(path: Path) -> int | None:
    """The recorded process if it still runs, else None."""
    try:
        pid, started = path.read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if _start_time(int(pid)) == started else None


def is_running(path: Path) -> bool:
    """Whether the recorded process still runs."""
    return read_pid_file(path) is not None


def stop_pid(path: Path, seconds: float) -> bool:
    """End a recorded process that is not our child; False when it had to be killed."""
    pid, deadline = read_pid_file(path), time.monotonic() + seconds
    if pid is None:
        return True
    os.kill(pid, signal.SIGTERM)
    while is_running(path):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            return False
        time.sleep(_POLL_SECONDS)
    return True
