"""Fixtures for tests on a real API server. The marker is ``cluster``; importing nothing is needed, it is a plugin.

Which cluster a session uses:

* ``AICOST_E2E_KUBECONFIG``: a cluster that somebody else made, such as kind; tests of the local kubelet are skipped.
* ``AICOST_DEVCLUSTER_STATE``: one that ``python -m devcluster up --state DIR`` left running, for quick repetition.
* else one of our own, started with the first test that needs it and stopped at the end of the session. With xdist each
  worker that runs such a test has its own; ``--dist loadgroup`` keeps them all on one.
"""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devcluster import binaries
from devcluster.api import Api, ApiError
from devcluster.cluster import Cluster
from devcluster.host.progress import Failure
from devcluster.kubeconfig import read_kubeconfig
from devcluster.nodes import Nodes

_COMMAND_SECONDS = 90
_BUILDS: dict[str, Callable[[], object]] = {
    "programs": binaries.find_programs,
    "prometheus_program": binaries.find_prometheus,
}
_problems: dict[str, str] = {}


class LiveCluster:
    """A running cluster, as tests see it. ``local`` is None on a cluster that is not of our making."""

    def __init__(self, kubeconfig: Path, folder: Path, local: Cluster | None) -> None:
        self.kubeconfig = kubeconfig
        self.folder = folder
        self.local = local
        self.access = read_kubeconfig(kubeconfig, folder / "admin")
        self.api = Api(self.access)
        self.nodes = Nodes(self.api)

    def _run(self, program: str, arguments: tuple[str, ...], text: str | None) -> subprocess.CompletedProcess[str]:
        programs = binaries.find_programs()
        command = str(programs.commands[program])
        environment = {
            **os.environ,
            "KUBECONFIG": str(self.kubeconfig),
            "PATH": f"{Path(command).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "KUBECACHEDIR": str(self.folder / "kubectl-cache"),
            "HELM_CACHE_HOME": str(self.folder / "helm-cache"),
            "HELM_CONFIG_HOME": str(self.folder / "helm-config"),
            "HELM_DATA_HOME": str(self.folder / "helm-data"),
        }
        return subprocess.run(
            [command, *arguments], input=text, capture_output=True, text=True, check=False, env=environment,
            timeout=_COMMAND_SECONDS,
        )  # fmt: skip

    def _succeed(self, program: str, arguments: tuple[str, ...], text: str | None) -> str:
        result = self._run(program, arguments, text)
        assert result.returncode == 0, f"{program} {' '.join(arguments)}:\n{result.stdout}{result.stderr}"
        return result.stdout

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """Standard output of a kubectl command that has to succeed; ``text`` is its standard input."""
        return self._succeed("kubectl", arguments, text)

    def kubectl_fails(self, *arguments: str, text: str | None = None) -> str:
        """Standard error of a kubectl command that has to fail."""
        result = self._run("kubectl", arguments, text)
        assert result.returncode != 0, f"kubectl {' '.join(arguments)} succeeded:\n{result.stdout}"
        return result.stderr

    def helm(self, *arguments: str, text: str | None = None) -> str:
        """Standard output of a helm command that has to succeed."""
        return self._succeed("helm", arguments, text)

    def apply(self, *documents: dict[str, Any]) -> None:
        """Apply objects, as ``kubectl apply`` does."""
        self.kubectl("apply", "-f", "-", text="\n---\n".join(json.dumps(document) for document in documents))

    def service_account_kubeconfig(self, namespace: str, name: str) -> Path:
        """A kubeconfig that acts as a ServiceAccount."""
        target = self.folder / "serviceaccounts" / f"{namespace}.{name}.kubeconfig"
        return self.api.service_account_kubeconfig(namespace, name, target)

    def until(self, path: str, holds: Callable[[Any], Any], seconds: float = 60) -> Any:
        """Read an object again and again until something holds; the object. A missing object does not hold."""
        seen: Any = None
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                seen = self.api.get(path)
            except ApiError as problem:
                seen = problem
            else:
                if holds(seen):
                    return seen
            time.sleep(0.1)
        text = str(seen) if isinstance(seen, Exception) else json.dumps(seen, indent=1)
        pytest.fail(f"{path}: not as expected after {seconds} s; it was {text}")

    def until_gone(self, path: str, seconds: float = 60) -> None:
        """Wait until an object does not exist."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                self.api.get(path)
            except ApiError as problem:
                if problem.status == 404:
                    return
            time.sleep(0.1)
        pytest.fail(f"{path} still exists after {seconds} s")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of one cluster on one xdist worker (with ``--dist loadgroup``)."""
    for item in items if config.pluginmanager.hasplugin("xdist") else ():
        if item.get_closest_marker("cluster"):
            item.add_marker(pytest.mark.xdist_group("cluster"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what is missing before the first test, where no test's time limit runs."""
    if session.config.option.collectonly:
        return
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    capture = session.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():  # people see the progress
        for fixture in _BUILDS.keys() & wanted:
            _build(fixture)


def _build(fixture: str) -> None:
    try:
        _BUILDS[fixture]()
    except Failure as failure:
        _problems[fixture] = str(failure)


def _refuse_without(fixture: str) -> None:
    """Fail where CI=true, else skip, when what a fixture needs could not be built."""
    reason = binaries.platform_problem() or _problems.get(fixture)
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"{fixture} not available: {reason}")
    if reason:
        pytest.skip(f"{fixture} not available: {reason}")


@pytest.fixture(scope="session")
def programs() -> binaries.Programs:
    """The programs of the control plane."""
    _refuse_without("programs")
    return binaries.find_programs()


@pytest.fixture(scope="session")
def prometheus_program() -> Path:
    """Prometheus 3, to be started with :class:`devcluster.prometheus_server.Prometheus`."""
    _refuse_without("prometheus_program")
    return binaries.find_prometheus()


@pytest.fixture(scope="session")
def cluster(programs: binaries.Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCluster]:
    """A cluster with real etcd, API server, controller-manager and scheduler."""
    folder = tmp_path_factory.mktemp("cluster")
    foreign, running = os.environ.get("AICOST_E2E_KUBECONFIG"), os.environ.get("AICOST_DEVCLUSTER_STATE")
    if foreign:
        yield LiveCluster(Path(foreign), folder, None)
    elif running:
        yield LiveCluster(Path(running) / "kubeconfig", folder, Cluster(Path(running), programs))
    else:
        with Cluster(folder / "state", programs) as own:
            yield LiveCluster(own.kubeconfig, folder, own)
        shutil.rmtree(folder / "state" / "etcd", ignore_errors=True)


@pytest.fixture
def local_cluster(cluster: LiveCluster) -> LiveCluster:
    """A cluster whose nodes are ours to make and whose pods our local kubelet runs."""
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    return cluster


@pytest.fixture
def namespace(cluster: LiveCluster) -> Iterator[str]:
    """A namespace of this test alone, with its default ServiceAccount; it is deleted after the test."""
    name = f"test-{secrets.token_hex(4)}"
    cluster.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    cluster.until(f"/api/v1/namespaces/{name}/serviceaccounts/default", lambda _: True)
    yield name
    cluster.api.delete(f"/api/v1/namespaces/{name}")
