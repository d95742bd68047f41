"""The running demo as its steps see it: start it, ask it, wait for it, end it."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import urllib3

from demo import background
from demo.screen import Step
from devcluster.api import Api, ApiError
from devcluster.binaries import Programs
from devcluster.cluster import Cluster
from devcluster.host import processes
from devcluster.host.paths import PACKAGE, REPOSITORY
from devcluster.host.progress import Failure
from devcluster.kubeconfig import read_kubeconfig

_MARK = ".aicost-demo"
_STOP_SECONDS = 60.0
_COMMAND_SECONDS = 90.0
_POLL_SECONDS = 0.5

Probe = Callable[[], tuple[bool, str]]
"""Gives whether it is as it should be, and how far it is."""


class Stage:
    """One demo in one state directory."""

    def __init__(self, state: Path, programs: Programs) -> None:
        self.state = state
        self.cluster = Cluster(state, programs)
        self._process: subprocess.Popen[bytes] | None = None

    @cached_property
    def api(self) -> Api:
        """A client with all rights."""
        return Api(read_kubeconfig(self.cluster.kubeconfig, self.state / "admin"))

    def start(self) -> None:
        """Start the background process, which starts the rest."""
        log = background.log_file(self.state)
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "demo.background", "--state", str(self.state)]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=environment, start_new_session=True
            )

    def is_up(self) -> tuple[bool, str]:
        """Whether the API server answers and the fleet can be played: a probe."""
        return background.ready_file(self.state).exists(), "etcd, API server, scheduler, kubelet"

    def wait(self, step: Step, probe: Probe, seconds: float, why: Callable[[], str]) -> None:
        """Wait until a probe holds.

        Raises:
            Failure: it did not in time, or the background process ended; the text says what to look at.
        """
        deadline = time.monotonic() + seconds
        while True:
            self.check()
            done, note = _asked(probe)
            step.note(note)
            if done:
                return
            if time.monotonic() > deadline:
                raise Failure(f"not done after {seconds:.0f} s: {note}\n{why()}")
            time.sleep(_POLL_SECONDS)

    def check(self) -> None:
        """Raise a Failure when the background process has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise Failure(f"a part of the demo ended by itself.\n{self.log_tail('demo')}")

    def kubectl(self, *words: str, text: str | None = None) -> str:
        """Standard output of a kubectl command that has to succeed."""
        return self._command("kubectl", words, text)

    def helm(self, *words: str) -> str:
        """Standard output of a helm command that has to succeed."""
        return self._command("helm", words, None)

    def aicost(self, *words: str) -> str:
        """Standard output of an aicost command that has to succeed."""
        return self._run([str(Path(sys.executable).with_name("aicost")), *words], None)

    def _command(self, program: str, words: tuple[str, ...], text: str | None) -> str:
        return self._run(self.cluster.programs.argv(program, *words), text)

    def _run(self, argv: list[str], text: str | None) -> str:
        try:
            result = subprocess.run(
                argv, input=text, capture_output=True, text=True, check=False, timeout=_COMMAND_SECONDS,
                env=self.cluster.environment(), cwd=REPOSITORY,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Failure(
                f"{_words(argv)}: no answer within {_COMMAND_SECONDS:.0f} s\n{self.log_tail('demo')}"
            ) from None
        if result.returncode:
            raise Failure(f"{_words(argv)} failed:\n{result.stderr.strip() or result.stdout.strip()}")
        return result.stdout

    def log_tail(self, name: str, lines: int = 15) -> str:
        """The end of a log, with its place."""
        log = self.state / "logs" / f"{name}.log"
        return f"The end of {log}:\n{processes.log_tail(log, lines)}"

    def pod_log_tail(self, namespace: str, container: str, lines: int = 15) -> str:
        """The end of the newest log of a container that runs as a process."""
        found = (self.state / "pods").glob(f"{namespace}_*/{container}/*.log")
        newest = max(found, key=lambda path: path.stat().st_mtime, default=None)
        if newest is None:
            return f"{container} has written nothing yet. {self.log_tail('kubelet', lines)}"
        return f"The end of {newest}:\n{processes.log_tail(newest, lines)}"

    def leave_running(self) -> None:
        """Let the background process live on without us."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(b"keep\n")
            self._process.stdin.close()
            self._process = None

    def stop(self) -> None:
        """End everything that was started; by force if it takes too long."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(BrokenPipeError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def fresh(state: Path) -> None:
    """Make an empty state directory; what a former demo left there goes.

    Raises:
        Failure: a demo runs there, or the directory holds something else.
    """
    if processes.is_running(background.pid_file(state)):
        raise Failure(f"a demo is up in {state}\nStop it with `make down`, then try again.")
    remove(state)
    if state.exists() and any(state.iterdir()):
        raise Failure(f"{state} holds something that is not a demo's: name another directory with --state")
    state.mkdir(parents=True, exist_ok=True)
    (state / _MARK).touch()


def remove(state: Path) -> None:
    """Remove what a demo left; anything else stays."""
    if (state / _MARK).exists():
        shutil.rmtree(state, ignore_errors=True)


def down(state: Path) -> bool:
    """Stop a demo that was left running; False when there is none."""
    if not processes.is_running(background.pid_file(state)):
        return False
    processes.stop_pid(background.pid_file(state), _STOP_SECONDS)
    remove(state)
    return True


def _asked(probe: Probe) -> tuple[bool, str]:
    """What a probe says; what is not there yet is a no."""
    try:
        return probe()
    except ApiError as problem:
        return False, str(problem)
    except (urllib3.exceptions.HTTPError, OSError) as problem:
        return False, f"no answer yet ({type(problem).__name__})"


def _words(argv: list[str]) -> str:
    return " ".join([Path(argv[0]).name, *argv[1:]])


def items(api: Api, path: str) -> list[dict[str, Any]]:
    """The objects of a collection."""
    found: list[dict[str, Any]] = api.get(path)["items"]
    return found
