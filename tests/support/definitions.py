"""Our definitions on a real API server, as kubectl applies them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aicost.crd.kinds import KINDS
from devcluster.api import ApiError
from support.cluster import LiveCluster

CRDS = Path(__file__).resolve().parents[2] / "crds"
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@contextmanager
def applied_definitions(cluster: LiveCluster) -> Iterator[subprocess.CompletedProcess[str]]:
    """All definitions; gives what kubectl said. Those that were not there before go again at the end."""
    missing = [kind.name for kind in KINDS if not _exists(cluster, kind.name)]
    command = ("apply", "--server-side", "--force-conflicts", "--validate=strict", "-f", str(CRDS))
    result = cluster._run("kubectl", command, None)
    assert result.returncode == 0, result.stderr
    for kind in KINDS:
        cluster.until(f"{_DEFINITIONS}/{kind.name}", _established)
    try:
        yield result
    finally:
        for name in missing:
            cluster.api.delete(f"{_DEFINITIONS}/{name}")
        for name in missing:  # a server at work takes its time for each: together they take no longer than one
            cluster.until_gone(f"{_DEFINITIONS}/{name}", 100)


def _exists(cluster: LiveCluster, name: str) -> bool:
    try:
        return bool(cluster.api.get(f"{_DEFINITIONS}/{name}"))
    except ApiError:
        return False


def _established(definition: dict[str, Any]) -> bool:
    conditions = {item["type"]: item["status"] for item in (definition.get("status") or {}).get("conditions") or ()}
    return conditions.get("Established") == "True"
