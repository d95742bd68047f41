"""Helm for tests of the chart that need no cluster: it comes with the programs of the local control plane.

Where those are not built yet, the tests that use Helm run with the tests of the cluster, for which they are built.
"""

import subprocess
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster import binaries

CHART = Path(__file__).parents[3] / "charts/aicost"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a build before marks select tests."""
    if binaries.programs_without_building() is None:
        for item in items:
            if "helm" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.cluster)


Rendered = list[dict[str, Any]]


class Helm:
    """Renders the chart as it would be installed as release `aicost` in namespace `aicost-system`."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self._run = cache(self._template)

    def _template(self, settings: tuple[str, ...], values: str) -> subprocess.CompletedProcess[str]:
        sets = [word for setting in settings for word in ("--set", setting)]
        command = [self._program, "template", "aicost", CHART, "-n", "aicost-system", "-f", "-", *sets]
        return subprocess.run(command, input=values, capture_output=True, text=True, check=False, timeout=60)

    def render(self, *settings: str, values: Any = None) -> Rendered:
        """The objects, with values as `--set` takes them and as a values file holds them."""
        result = self._run(settings, yaml.safe_dump(values or {}))
        assert result.returncode == 0, result.stderr
        loaded = yaml.load_all(result.stdout, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return [document for document in loaded if document]

    def refuse(self, *settings: str, values: Any = None) -> str:
        """What Helm says to values that it refuses."""
        result = self._run(settings, yaml.safe_dump(values or {}))
        assert result.returncode != 0, f"{settings} {values} were accepted"
        return result.stderr


@pytest.fixture(scope="session")
def helm(programs: binaries.Programs) -> Helm:
    return Helm(programs.commands["helm"])


Find = Callable[[Iterable[dict[str, Any]], str], Sequence[dict[str, Any]]]


@pytest.fixture(scope="session")
def of_kind() -> Find:
    """Objects of one kind."""
    return lambda documents, kind: [one for one in documents if one["kind"] == kind]


@pytest.fixture(scope="session")
def deployment_of(of_kind: Find) -> Callable[[Iterable[dict[str, Any]], str], dict[str, Any]]:
    """What runs a component, `controller` or `admission`: a Deployment, or a StatefulSet of several controllers."""

    def find(documents: Iterable[dict[str, Any]], component: str = "controller") -> dict[str, Any]:
        label = "app.kubernetes.io/component"
        workloads = [*of_kind(documents, "Deployment"), *of_kind(documents, "StatefulSet")]
        (found,) = [one for one in workloads if one["metadata"]["labels"][label] == component]
        return found

    return find
