"""What runs while the demo is up: the local cluster and the simulated fleet, held by one process in the background.

Its standard input is a leash: it ends when the other end is let go of, so that nothing outlives a demo that was killed.
A line ``keep`` on it lets this process live on by itself, until SIGTERM.
"""

import argparse
import os
import select
import signal
import sys
from pathlib import Path

from devcluster import binaries
from devcluster.cluster import Cluster
from devcluster.host import processes
from devcluster.host.paths import PACKAGE
from devcluster.host.progress import Failure, say

_POLL_SECONDS = 0.2


def pid_file(state: Path) -> Path:
    """Where this process says that it runs."""
    return state / "pids" / "demo"


def ready_file(state: Path) -> Path:
    """There once nodes can be registered."""
    return state / "ready"


def log_file(state: Path) -> Path:
    """What it says."""
    return state / "logs" / "demo.log"


def truth_file(state: Path) -> Path:
    """The fleet's own record of what it played."""
    return state / "truth.jsonl"


def _start_fleet(cluster: Cluster) -> processes.Child:
    words = ["--kubeconfig", str(cluster.kubeconfig), "--record", str(truth_file(cluster.state))]
    environment = {"PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    return processes.start("fleet", [sys.executable, "-m", "fleet", "live", *words], cluster.state, environment)


def _serve(cluster: Cluster) -> None:
    cluster.start()
    cluster.control_plane.adopt(_start_fleet(cluster))
    ready_file(cluster.state).touch()
    leashed = True
    while True:
        dead = cluster.control_plane.dead()
        if dead:
            raise Failure(f"{dead.name} ended. The end of {dead.log}:\n{processes.log_tail(dead.log)}")
        ready, _, _ = select.select([0] if leashed else [], [], [], _POLL_SECONDS)
        if ready:
            if os.read(0, 64).strip() != b"keep":
                return
            leashed = False


def main() -> int:
    """Run until the leash is let go of, a signal comes, or a part dies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    state: Path = parser.parse_args().state
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    processes.write_pid_file(pid_file(state), os.getpid())
    cluster = Cluster(state, binaries.find_programs())
    try:
        _serve(cluster)
    except Failure as failure:
        say(str(failure))
        return 1
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        ready_file(state).unlink(missing_ok=True)
        cluster.stop()
        pid_file(state).unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
