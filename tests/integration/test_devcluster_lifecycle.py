"""The local cluster starts, stops and fails without leaving anything behind."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from devcluster import binaries
from devcluster.api import Api
from devcluster.cluster import Cluster
from devcluster.host.paths import REPOSITORY
from devcluster.host.progress import Failure
from devcluster.kubeconfig import read_kubeconfig
from devcluster.nodes import FakeNode

pytestmark = pytest.mark.cluster
_PARTS = {"devcluster", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"}


@pytest.fixture
def state(tmp_path, programs):
    """A state directory; whatever a failed test has left running in it is stopped."""
    folder = tmp_path / "state"
    yield folder
    _devcluster("down", folder)


def _command(name: str, state: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "devcluster", name, "--state", str(state), *more]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY / "hack")}


def _devcluster(name: str, state: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(name, state, *more), env=_environment(), capture_output=True, text=True, check=False, timeout=100
    )


def _processes_of(state: Path) -> list[str]:
    """Command lines of all living processes that name the state directory or write into it."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            output = str((folder / "fd" / "1").readlink())
        except OSError:
            continue
        if words and (str(state) in words or str(state) in output) and int(folder.name) != os.getpid():
            found.append(words)
    return found


def _until_none_is_left(state: Path) -> None:
    deadline = time.monotonic() + 20
    while left := _processes_of(state):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def _run_a_process(state: Path) -> Api:
    """Let a pod of ours run, which has a child of its own."""
    api = Api(read_kubeconfig(state / "kubeconfig", state / "test"))
    container = {"name": "main", "image": "aicost", "command": ["sh", "-c", "trap exit TERM; sleep 1000 & wait"]}
    spec = {"nodeName": "gpu-1", "containers": [container]}
    api.create("/api/v1/namespaces/default/pods", {"metadata": {"name": "sleeper"}, "spec": spec})
    deadline = time.monotonic() + 30
    while api.get("/api/v1/namespaces/default/pods/sleeper")["status"]["phase"] != "Running":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return api


def test_a_detached_cluster_keeps_its_data_over_down_and_up_and_leaves_no_process(state):
    up = _devcluster("up", state, "--detach", "--nodes", "1")
    assert up.stdout == f"export KUBECONFIG={state / 'kubeconfig'}\n", up.stderr
    status = _devcluster("status", state)
    assert {line.split()[0] for line in status.stdout.splitlines() if line.endswith("running")} == _PARTS
    assert "already up" in _devcluster("up", state, "--detach").stderr
    _run_a_process(state)
    assert _devcluster("down", state).returncode == 0
    _until_none_is_left(state)
    assert _devcluster("status", state).returncode == 1

    assert _devcluster("up", state, "--detach", "--nodes", "1").returncode == 0
    api = Api(read_kubeconfig(state / "kubeconfig", state / "test"))
    deadline = time.monotonic() + 30
    while (restarts := _restarts(api)) == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert restarts == 1


def _restarts(api: Api) -> int:
    return api.get("/api/v1/namespaces/default/pods/sleeper")["status"]["containerStatuses"][0]["restartCount"]


def test_when_the_cluster_is_killed_its_programs_end_with_it(state):
    _devcluster("up", state, "--detach", "--nodes", "1")
    _run_a_process(state)
    pid = int((state / "pids" / "devcluster").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    _until_none_is_left(state)
    assert "nothing runs" in _devcluster("down", state).stderr


def test_ctrl_c_in_the_foreground_stops_everything(state):
    process = subprocess.Popen(
        _command("up", state), env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout
    with process.stdout:
        assert process.stdout.readline() == f"export KUBECONFIG={state / 'kubeconfig'}\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    _until_none_is_left(state)


def test_a_program_that_does_not_start_is_shown_with_the_end_of_its_log(state):
    found = binaries.find_programs()
    broken = state.parent / "kube-apiserver"
    broken.write_text("#!/bin/sh\necho cannot read the flags\nexit 1\n")
    broken.chmod(0o755)
    programs = replace(found, commands={**found.commands, "kube-apiserver": broken})
    with pytest.raises(Failure, match=r"(?s)kube-apiserver ended while starting.*cannot read the flags"):
        Cluster(state, programs).start()
    _until_none_is_left(state)


def test_a_program_that_dies_later_ends_the_cluster_with_its_log(state):
    process = subprocess.Popen(
        _command("up", state), env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    process.stdout.readline()
    os.kill(int((state / "pids" / "kube-scheduler").read_text().split()[0]), signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "kube-scheduler ended. The end of" in errors
    _until_none_is_left(state)


def _fail_inside(state: Path) -> None:
    with Cluster(state, binaries.find_programs()) as cluster:
        cluster.nodes.create(FakeNode("one"))
        raise ZeroDivisionError


def test_a_failure_inside_the_with_block_stops_everything(state):
    with pytest.raises(ZeroDivisionError):
        _fail_inside(state)
    _until_none_is_left(state)
