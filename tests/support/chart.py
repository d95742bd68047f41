"""Installs the real chart on a cluster, and leaves nothing of it behind."""

import json
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devcluster.api import ApiError
from support.cluster import LiveCluster

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts/aicost"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
API_SERVICE = "/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.query.aicost.dev"


def plurals() -> list[str]:
    """Plurals of our resources, as the checked-in definitions name them."""
    return sorted(path.stem.partition("_")[2] for path in (ROOT / "crds").glob("*.yaml"))


@contextmanager
def suppress_missing() -> Iterator[None]:
    """Let pass that an object is gone, by whoever removed it."""
    try:
        yield
    except ApiError as problem:
        if problem.status != 404:
            raise


def exists(cluster: LiveCluster, path: str) -> bool:
    """Whether an object is there."""
    try:
        cluster.api.get(path)
    except ApiError as problem:
        if problem.status != 404:
            raise
        return False
    return True


def is_established(definition: dict[str, Any]) -> bool:
    """Whether objects of a CRD can be made."""
    conditions = {one["type"]: one["status"] for one in definition.get("status", {}).get("conditions") or ()}
    return conditions.get("Established") == "True"


def copy_without_field(folder: Path, plural: str, field: str) -> Path:
    """A copy of the chart whose CRD lacks one field of the spec, as an older release would."""
    copy = folder / "older"
    shutil.copytree(CHART, copy)
    path = copy / f"templates/crds/aicost.dev_{plural}.yaml"
    lines, kept, depth = path.read_text(encoding="utf-8").splitlines(), [], None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if depth is not None and indent > depth:
            continue
        depth = indent if line.strip() == f"{field}:" and depth is None else None
        if depth is None:
            kept.append(line)
    assert len(kept) < len(lines), f"{plural} has no field {field}"
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return copy


class Release:
    """One release of the chart in a namespace of its own.

    Args:
        cluster: where it is installed.
        admission: with the webhook. A Service of the local cluster leads nowhere unless it is an ExternalName, and
            each object would wait for the webhook in vain.
    """

    def __init__(self, cluster: LiveCluster, *, admission: bool = False) -> None:
        self.cluster = cluster
        self._values = () if admission else ("admission.enabled=false",)
        self.name = f"r{secrets.token_hex(3)}"
        self.namespace = f"test-{self.name}"
        self.core = f"/api/v1/namespaces/{self.namespace}"
        self.deployment = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{self.name}"
        self.claim = f"{self.core}/persistentvolumeclaims/{self.name}-data"
        self.secret = f"{self.core}/secrets/{self.name}-query-tls"

    def install(self, *settings: str, chart: Path = CHART) -> str:
        """`helm install` as the README says it, with values."""
        return self._helm("install", chart, "--create-namespace", *_sets((*self._values, *settings)))

    def upgrade(self, *settings: str, chart: Path = CHART) -> str:
        """`helm upgrade` with these values and no others."""
        return self._helm("upgrade", chart, *_sets((*self._values, *settings)))

    def refused(self, *settings: str) -> str:
        """What Helm says to an install that it refuses."""
        values = _sets((*self._values, *settings))
        words = ("install", self.name, str(CHART), "-n", self.namespace, "--create-namespace", *values)
        result: subprocess.CompletedProcess[str] = self.cluster._run("helm", words, None)
        assert result.returncode != 0, result.stdout
        return result.stderr

    def uninstall(self, *, hooks: bool = True) -> str:
        """`helm uninstall`. Without hooks where no node runs pods, as on a cluster whose image is gone."""
        words = () if hooks else ("--no-hooks",)
        return self.cluster.helm("uninstall", self.name, "-n", self.namespace, "--wait", *words)

    def _helm(self, verb: str, chart: Path, *words: str) -> str:
        return self.cluster.helm(verb, self.name, str(chart), "-n", self.namespace, *words)

    def objects(self, kind: str) -> list[str]:
        """Names of the objects of a kind that carry the label of this release, in any namespace."""
        label = f"app.kubernetes.io/instance={self.name}"
        found = json.loads(self.cluster.kubectl("get", kind, "-A", "-l", label, "-o", "json"))
        return sorted(one["metadata"]["name"] for one in found["items"])

    def forget(self) -> None:
        """Remove the release, our definitions with all their objects, and the namespace, for which nobody waits."""
        self.cluster._run(
            "helm", ("uninstall", self.name, "-n", self.namespace, "--ignore-not-found", "--no-hooks"), None
        )
        forget_definitions(self.cluster)
        if exists(self.cluster, self.core):
            self.cluster.api.delete(self.core)


def _sets(settings: tuple[str, ...]) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


def forget_definitions(cluster: LiveCluster) -> None:
    """Remove our definitions and all objects of them."""
    for plural in plurals():
        path = f"{DEFINITIONS}/{plural}.aicost.dev"
        with suppress_missing():
            cluster.api.delete(path)
        cluster.until_gone(path)
