"""Without the programs of the control plane, tests that need them are skipped by a person and fail in CI."""

import os
import subprocess
import sys

import pytest

from devcluster.host.paths import REPOSITORY


@pytest.fixture
def broken_go(tmp_path):
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text('#!/bin/sh\n[ "$1" = env ] && echo go1.26.9 && exit\necho no network >&2\nexit 1\n')
    go.chmod(0o755)
    return {"PATH": f"{go.parent}:/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}


def _run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    test = "tests/integration/test_devcluster_pods.py::test_a_deployment_becomes_available_on_nodes_with_gpus"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", test]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AICOST_", "PYTEST_", "CI"))}
    return subprocess.run(
        command, cwd=REPOSITORY, env={**inherited, **environment}, capture_output=True, text=True, check=False
    )


def test_a_person_sees_it_skipped_with_the_reason(broken_go):
    result = _run(broken_go)
    assert result.returncode == 0, result.stdout
    assert "1 skipped" in result.stdout
    assert "no network" in result.stdout


def test_in_ci_it_fails_with_the_reason(broken_go):
    result = _run({**broken_go, "CI": "true"})
    assert result.returncode == 1
    assert "no network" in result.stdout
    assert "set GOPROXY" in result.stdout
