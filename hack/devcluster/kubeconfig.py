"""Kubeconfig files: written for people and programs, read to talk to a cluster that somebody else made."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from devcluster.pki import Identity

__all__ = ["Access", "read_kubeconfig", "write_kubeconfig"]


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach an API server: its address, who it is, and who we are (a client certificate or a token)."""

    server: str
    authority: Path
    user: Identity | str


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _credentials(user: Identity | str) -> dict[str, str]:
    if isinstance(user, str):
        return {"token": user}
    return {"client-certificate-data": _encoded(user.certificate), "client-key-data": _encoded(user.key)}


def write_kubeconfig(path: Path, access: Access, namespace: str = "default") -> Path:
    """Write a kubeconfig (JSON, which is YAML) that needs no other file."""
    cluster = {"server": access.server, "certificate-authority-data": _encoded(access.authority)}
    context = {"cluster": "devcluster", "user": "user", "namespace": namespace}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "devcluster", "cluster": cluster}],
        "users": [{"name": "user", "user": _credentials(access.user)}],
        "contexts": [{"name": "devcluster", "context": context}],
        "current-context": "devcluster",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=2) + "\n")
    return path


def _named(entries: list[dict[str, Any]], name: str, key: str) -> dict[str, Any]:
    return next(entry[key] for entry in entries if entry["name"] == name)


def _as_file(entry: dict[str, Any], key: str, folder: Path) -> Path:
    """A certificate or key of a kubeconfig as a file: named in it, or held in it."""
    if key in entry:
        return Path(entry[key])
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / key).write_bytes(base64.b64decode(entry[f"{key}-data"]))
    return folder / key


def read_kubeconfig(path: Path, folder: Path) -> Access:
    """Read the current context of a kubeconfig; certificates that it holds are written into ``folder``."""
    config = yaml.safe_load(path.read_text())
    context = _named(config["contexts"], config["current-context"], "context")
    cluster = _named(config["clusters"], context["cluster"], "cluster")
    user = _named(config["users"], context["user"], "user")
    authority = _as_file(cluster, "certificate-authority", folder)
    if "token" in user:
        return Access(cluster["server"], authority, user["token"])
    pair = Identity(_as_file(user, "client-certificate", folder), _as_file(user, "client-key", folder))
    return Access(cluster["server"], authority, pair)
