"""The demo as people run it: it proves itself, goes on when asked to, and leaves nothing behind, however it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]
HACK = Path(__file__).parents[2] / "hack"
SECONDS = 120


@pytest.fixture
def state(programs, tmp_path):
    """A state directory; a demo that a failed test left there is stopped."""
    yield tmp_path / "demo"
    demo(tmp_path / "demo", "--down")


def command(state, *words):
    return [sys.executable, "-m", "demo", "--state", str(state), *words]


def demo(state, *words):
    """Run the demo to its end."""
    environment = {**os.environ, "PYTHONPATH": str(HACK)}
    return subprocess.run(
        command(state, *words), env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )


@pytest.fixture
def begun(state):
    """A demo in the foreground that is about to install the chart, in a process group of its own as under a shell."""
    with subprocess.Popen(
        command(state, "--quick"), env={**os.environ, "PYTHONPATH": str(HACK)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    ) as process:  # fmt: skip
        seen = []
        for line in process.stdout:
            seen.append(line)
            if line.startswith("[3/"):
                break
        else:
            pytest.fail(f"the fleet was never registered:\n{''.join(seen)}")
        yield process


def api_port(state):
    """Where the API server listens."""
    config = json.loads((state / "kubeconfig").read_text())
    return urlsplit(config["clusters"][0]["cluster"]["server"]).port


def left_over(state, port):
    """Processes of a demo: its state directory is in their command line, or its API server in their environment."""
    marks = (str(state).encode(), f"KUBERNETES_SERVICE_PORT={port}\0".encode())
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + b"\0" + (process / "environ").read_bytes()
        except OSError:
            continue
        if int(process.name) != os.getpid() and any(mark in text for mark in marks):
            found.append(text[:300])
    return found


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until_nothing_is_left(state, port):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and (left_over(state, port) or listens(port)):
        time.sleep(0.2)
    assert left_over(state, port) == []
    assert not listens(port)


def test_the_demo_proves_itself_goes_on_when_asked_to_and_is_stopped_by_one_command(state):
    shown = demo(state, "--quick", "--keep")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "The proof holds." in shown.stdout
    for line in ("kubectl get aicostreport -A", "kubectl get aiworkload -A", "aicost report"):
        assert f"$ {line}" in shown.stdout
    assert "rtx6000-lab-basement-on-demand" in shown.stdout
    assert f"export KUBECONFIG={state / 'kubeconfig'}" in shown.stdout

    port = api_port(state)
    assert listens(port)
    again = demo(state)
    assert again.returncode == 1
    assert "make down" in again.stdout

    assert demo(state, "--down").returncode == 0
    assert not state.exists()
    until_nothing_is_left(state, port)


def test_a_ctrl_c_ends_all_of_it(state, begun):
    port = api_port(state)
    assert listens(port)
    os.killpg(begun.pid, signal.SIGINT)
    rest, _ = begun.communicate(timeout=60)
    assert begun.returncode == 130
    assert "nothing is left running" in rest
    assert "Traceback" not in rest
    until_nothing_is_left(state, port)


def test_a_demo_that_is_killed_takes_all_of_it_along(state, begun):
    port = api_port(state)
    begun.kill()
    begun.wait()
    until_nothing_is_left(state, port)


def test_a_directory_that_is_not_a_demos_is_left_alone(state):
    state.mkdir()
    (state / "thesis.tex").touch()
    refused = demo(state)
    assert refused.returncode == 1
    assert "--state" in refused.stdout
    assert (state / "thesis.tex").exists()
