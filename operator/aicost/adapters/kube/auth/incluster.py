"""How a pod finds the API server: two variables and three mounted files."""

from collections.abc import Mapping
from pathlib import Path

from aicost.adapters.kube.auth.credentials import TokenFile, read_file
from aicost.adapters.kube.auth.settings import ClusterConfig
from aicost.adapters.kube.auth.tls import Trust
from aicost.ports.errors import InvalidRequest

ACCOUNT_FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
HOST, PORT = "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"


def is_in_cluster(env: Mapping[str, str], folder: Path = ACCOUNT_FOLDER) -> bool:
    """True in a pod that has a ServiceAccount token."""
    return bool(env.get(HOST)) and (folder / "token").exists()


def in_cluster(env: Mapping[str, str], folder: Path = ACCOUNT_FOLDER) -> ClusterConfig:
    """The configuration of the pod that we run in.

    Raises:
        InvalidRequest: we do not run in a pod, or its ServiceAccount is not mounted.
    """
    host, port = env.get(HOST), env.get(PORT, "443")
    if not host:
        raise InvalidRequest(f"{HOST} is not set: this does not run in a pod; name a kubeconfig instead")
    if not (folder / "token").exists():
        raise InvalidRequest(f"no token in {folder}: set automountServiceAccountToken of the pod to true")
    authority = folder / "ca.crt"
    return ClusterConfig(
        server=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        credentials=TokenFile(folder / "token"),
        trust=Trust(authority=read_file(authority, "certificate authority"), origin=str(authority)),
        namespace=_namespace(folder / "namespace"),
        origin=f"the ServiceAccount in {folder}",
    )


def _namespace(path: Path) -> str:
    return read_file(path, "namespace").decode().strip() or "default"
