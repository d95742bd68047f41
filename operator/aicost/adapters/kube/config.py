"""Finds the API server: a kubeconfig that was named, else the pod we run in, else the user's own kubeconfig."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from aicost.adapters.kube.auth.incluster import ACCOUNT_FOLDER, in_cluster, is_in_cluster
from aicost.adapters.kube.auth.kubeconfig import from_kubeconfig
from aicost.adapters.kube.auth.settings import ClusterConfig
from aicost.ports.errors import InvalidRequest

__all__ = ["ClusterConfig", "load"]


def load(
    env: Mapping[str, str],
    now_ms: Callable[[], int],
    *,
    kubeconfig: Path | None = None,
    context: str | None = None,
    account_folder: Path = ACCOUNT_FOLDER,
) -> ClusterConfig:
    """The cluster to speak with, chosen as kubectl chooses.

    The order is: the kubeconfig named here, `KUBECONFIG`, the pod's ServiceAccount, `~/.kube/config`.

    Args:
        env: the process's environment.
        now_ms: the clock, for credentials that expire.
        kubeconfig: file that the user named.
        context: context that the user named; without it the file's current one.
        account_folder: where the ServiceAccount is mounted.

    Raises:
        InvalidRequest: there is none, or it is broken; the message names the file and the fix.
    """
    files = _files(env, kubeconfig)
    if files:
        return from_kubeconfig(files, context, now_ms)
    if context is None and is_in_cluster(env, account_folder):
        return in_cluster(env, account_folder)
    home = Path(env.get("HOME", "/")) / ".kube" / "config"
    if home.exists():
        return from_kubeconfig([home], context, now_ms)
    raise InvalidRequest(
        f"no cluster to speak with: no --kubeconfig, KUBECONFIG is not set, {home} is absent and this is no pod. "
        "Name a kubeconfig"
    )


def _files(env: Mapping[str, str], kubeconfig: Path | None) -> list[Path]:
    """KUBECONFIG may list several files; absent ones are skipped as kubectl does, unless none is there."""
    if kubeconfig is not None:
        return [kubeconfig]
    named = [Path(part) for part in env.get("KUBECONFIG", "").split(os.pathsep) if part]
    return [file for file in named if file.exists()] or named[:1]
