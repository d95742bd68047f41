"""The suite on kind says clearly what is missing and what is therefore not tested."""

import os
import shutil
import subprocess

import pytest

from devcluster.host.paths import REPOSITORY


@pytest.fixture
def path(tmp_path):
    for tool in ("sh", "dirname", "mktemp", "rm"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    return tmp_path


def _add(path, name, text):
    (path / name).write_text(f"#!/bin/sh\n{text}\n")
    (path / name).chmod(0o755)


def _run(path, *arguments, **environment):
    command = [str(REPOSITORY / "hack" / "e2e-kind"), *arguments]
    variables = {**os.environ, "PATH": str(path), **environment}
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def test_a_missing_program_is_named_with_what_is_not_tested(path):
    result = _run(path, "--check")
    assert result.returncode == 2
    assert "docker is not on the PATH" in result.stdout
    assert "not tested on this machine: the image itself, cluster networking, NetworkPolicies" in result.stdout


def test_a_daemon_that_does_not_answer_is_told(path):
    _add(path, "docker", "exit 1")
    _add(path, "kind", "exit 0")
    result = _run(path)
    assert result.returncode == 2
    assert "its daemon does not answer" in result.stdout


def test_the_cluster_is_deleted_even_when_the_tests_fail(path, tmp_path):
    for name in ("docker", "kind", "python"):
        _add(path, name, f'echo {name} "$@" $AICOST_E2E_IMAGE >> {tmp_path}/calls; [ {name} != python ]')
    result = _run(path, PYTHON=str(path / "python"))
    calls = (tmp_path / "calls").read_text().splitlines()
    assert result.returncode == 1
    assert calls[1] == f"docker build -t aicost:e2e {REPOSITORY}"
    assert calls[-2] == "python -m pytest -m cluster -n0 tests aicost:e2e"
    assert calls[-1] == "kind delete cluster --name aicost-e2e"
