"""`kubectl port-forward`, as the command line uses it: begun, waited for, ended, and its failures told."""

import os
import stat
from pathlib import Path

import pytest

from aicost.entrypoints.cli.sources.query import forward
from aicost.entrypoints.cli.sources.query.forward import Tunnel
from aicost.ports.errors import ClusterUnavailable, InvalidRequest

TUNNEL = Tunnel(Path("/k"), "ctx", "aicost-system", "aicost-query", "8443")


@pytest.fixture
def kubectl(tmp_path, monkeypatch):
    """Put a program in the place of kubectl."""

    def put(script: str) -> Path:
        program = tmp_path / "kubectl"
        program.write_text(f'#!/bin/sh\necho $$ > {tmp_path}/pid\necho "$@" > {tmp_path}/asked\n{script}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        return tmp_path

    return put


def runs(folder: Path) -> bool:
    try:
        os.kill(int((folder / "pid").read_text()), 0)
    except ProcessLookupError:
        return False
    return True


async def test_the_port_is_the_one_that_kubectl_has_bound_and_kubectl_ends_with_the_answer(kubectl):
    folder = kubectl("echo 'Forwarding from 127.0.0.1:40123 -> 8443'\nexec sleep 60")
    async with TUNNEL.open() as port:
        assert port == 40123
        assert runs(folder)
    assert not runs(folder)
    assert (folder / "asked").read_text().split() == [
        "port-forward", "--kubeconfig", "/k", "--context", "ctx", "--namespace", "aicost-system",
        "--address", "127.0.0.1", "service/aicost-query", ":8443",
    ]  # fmt: skip


async def test_it_ends_when_the_question_fails(kubectl):
    folder = kubectl("echo 'Forwarding from 127.0.0.1:40123 -> 8443'\nexec sleep 60")
    with pytest.raises(ZeroDivisionError):
        async with TUNNEL.open():
            raise ZeroDivisionError
    assert not runs(folder)


async def test_kubectls_own_words_say_why_and_beside_them_what_it_takes(kubectl):
    kubectl("echo 'error: pods is forbidden: User \"anna\" cannot list' >&2\nexit 1")
    with pytest.raises(ClusterUnavailable, match=r"cannot list\. It takes get on services.*aicost-query-client"):
        async with TUNNEL.open():
            pytest.fail("it opened")


async def test_a_kubectl_that_says_nothing_is_given_up_on_and_ended(kubectl, monkeypatch):
    folder = kubectl("exec sleep 60")
    monkeypatch.setattr(forward, "_PATIENCE_S", 0.5)
    with pytest.raises(ClusterUnavailable, match="did not begin"):
        async with TUNNEL.open():
            pytest.fail("it opened")
    assert not runs(folder)


async def test_without_kubectl_the_other_way_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidRequest, match="not in PATH: install it, or name a URL"):
        async with TUNNEL.open():
            pytest.fail("it opened")
