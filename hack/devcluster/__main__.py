"""Command line: ``python -m devcluster up|down|status|build|kubectl|helm|prometheus|logs``."""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from devcluster import binaries
from devcluster.cluster import Cluster, tool_environment
from devcluster.host import processes
from devcluster.host.paths import PACKAGE, default_state_dir
from devcluster.host.progress import Failure, say

_POLL_SECONDS = 0.2
_START_SECONDS = 1200.0
_STOP_SECONDS = 60.0


def _supervisor(state: Path) -> Path:
    return state / "pids" / "devcluster"


def _ready_file(state: Path) -> Path:
    return state / "ready"


def _up(arguments: argparse.Namespace) -> int:
    state: Path = arguments.state
    if processes.is_running(_supervisor(state)):
        say(f"already up in {state}")
        print(f"export KUBECONFIG={state / 'kubeconfig'}", flush=True)
        return 0
    return _detach(arguments) if arguments.detach else _serve(arguments)


def _serve(arguments: argparse.Namespace) -> int:
    """Run in the foreground until a signal comes or a part of the cluster dies."""
    state: Path = arguments.state
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    programs = binaries.find_programs()
    say(f"using {programs.origin}")
    cluster = Cluster(state, programs, dict(pair.split("=", 1) for pair in arguments.image))
    processes.write_pid_file(_supervisor(state), os.getpid())
    try:
        cluster.start(arguments.nodes)
        _ready_file(state).touch()
        say(f"ready in {state}; stop it with Ctrl-C or `python -m devcluster down`")
        print(f"export KUBECONFIG={cluster.kubeconfig}", flush=True)
        return _watch(cluster)
    except KeyboardInterrupt:
        say("stopping")
        return 130
    finally:
        _ready_file(state).unlink(missing_ok=True)
        cluster.stop()
        _supervisor(state).unlink(missing_ok=True)


def _watch(cluster: Cluster) -> int:
    while True:
        dead = cluster.control_plane.dead()
        if dead:
            raise Failure(f"{dead.name} ended. The end of {dead.log}:\n{processes.log_tail(dead.log)}")
        time.sleep(_POLL_SECONDS)


def _detach(arguments: argparse.Namespace) -> int:
    """Start another of us in the background, and wait until it is ready."""
    state: Path = arguments.state
    log = state / "logs" / "devcluster.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    binaries.find_programs()
    images = [word for pair in arguments.image for word in ("--image", pair)]
    command = [sys.executable, "-m", "devcluster", "up", "--state", str(state), "--nodes", str(arguments.nodes)]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *images], stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            env=environment,
        )  # fmt: skip
    deadline = time.monotonic() + _START_SECONDS
    while not _ready_file(state).exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise Failure(f"the cluster did not start. The end of {log}:\n{processes.log_tail(log, 30)}")
        time.sleep(_POLL_SECONDS)
    say(f"ready in {state}; stop it with `python -m devcluster down --state {state}`")
    print(f"export KUBECONFIG={state / 'kubeconfig'}", flush=True)
    return 0


def _down(arguments: argparse.Namespace) -> int:
    pid_file = _supervisor(arguments.state)
    if not processes.is_running(pid_file):
        say(f"nothing runs in {arguments.state}")
        return 0
    if not processes.stop_pid(pid_file, _STOP_SECONDS):
        say("it had to be killed; its programs end with it")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    pids = arguments.state / "pids"
    parts = {path.name: processes.is_running(path) for path in sorted(pids.glob("*"))} if pids.exists() else {}
    for name, alive in parts.items():
        print(f"{name:28}{'running' if alive else 'dead'}")
    ready = _ready_file(arguments.state).exists() and all(parts.values()) and bool(parts)
    print(f"{'ready' if ready else 'not running'}: {arguments.state}")
    return 0 if ready else 1


def _build(_: argparse.Namespace) -> int:
    say(f"using {binaries.find_programs().origin}")
    say(f"using prometheus from {binaries.find_prometheus()}")
    say(f"using kueue from {binaries.find_kueue()}")
    say(f"using versitygw from {binaries.find_object_store()}")
    return 0


def _tool(name: str, words: list[str]) -> int:
    """Become kubectl or helm, pointed at the cluster; only a leading ``--state DIR`` is for us."""
    state = default_state_dir()
    if words[:1] == ["--state"] and len(words) > 1:
        state, words = Path(words[1]).resolve(), words[2:]
    if not processes.is_running(_supervisor(state)):
        say(f"no cluster runs in {state}; start one with `python -m devcluster up --state {state}`")
    programs = binaries.find_programs()
    argv = programs.argv(name, *words)
    os.execvpe(argv[0], argv, tool_environment(state, programs))  # noqa: S606 - the program that we built


def _prometheus(_: str, words: list[str]) -> int:
    """Become Prometheus."""
    program = str(binaries.find_prometheus())
    os.execv(program, [program, *words])  # noqa: S606 - the program that we built


# Their arguments are their own: nothing of them may be taken for ours.
_TOOLS = {"kubectl": _tool, "helm": _tool, "prometheus": _prometheus}


def _logs(arguments: argparse.Namespace) -> int:
    namespace, _, name = arguments.pod.rpartition("/")
    found = sorted(
        (arguments.state / "pods").glob(f"{namespace or 'default'}_{name}_*/*/*.log"), key=lambda p: p.stat().st_mtime
    )
    if not found:
        raise Failure(f"no logs of pod {arguments.pod} in {arguments.state}; only pods that run as processes have some")
    for path in found:
        print(f"==> {path.parent.name} run {path.stem}", flush=True)
        sys.stdout.write(path.read_text(errors="replace"))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="devcluster", description="A local Kubernetes cluster without root or Docker."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, run: object, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text)
        command.add_argument("--state", type=Path, default=default_state_dir(), help="state directory")
        command.set_defaults(run=run)
        return command

    up = add("up", _up, "start, and stay in the foreground")
    up.add_argument("--nodes", type=int, default=0, help="plain nodes of 8 GPUs to register")
    up.add_argument("--detach", action="store_true", help="return when it is ready")
    up.add_argument("--image", action="append", default=[], metavar="NAME=COMMAND", help="run an image as a process")
    add("down", _down, "stop")
    add("status", _status, "say what runs")
    add("build", _build, "build what is missing, and nothing else")
    for tool in _TOOLS:
        commands.add_parser(tool, help=f"become {tool}; its arguments follow")
    add("logs", _logs, "logs of a pod that runs as a process").add_argument("pod", help="NAMESPACE/NAME")
    return parser


def _run(words: list[str]) -> int:
    if words and words[0] in _TOOLS:
        return _TOOLS[words[0]](words[0], words[1:])
    arguments = _parser().parse_args(words)
    arguments.state = arguments.state.resolve()
    return arguments.run(arguments)


def main() -> int:
    """Run one command; its exit status."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it in what it starts in the background
    try:
        return _run(sys.argv[1:])
    except Failure as failure:
        say(str(failure))
        return 1


if __name__ == "__main__":
    sys.exit(main())
