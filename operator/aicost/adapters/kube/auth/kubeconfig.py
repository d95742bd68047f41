"""Reads kubeconfig files: contexts, clusters, users, and what we do not support said clearly."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aicost.adapters.kube.auth.credentials import (
    ClientCertificate,
    Credential,
    Credentials,
    FixedCredentials,
    TokenFile,
    read_file,
)
from aicost.adapters.kube.auth.execplugin import Command, ExecCredentials
from aicost.adapters.kube.auth.settings import ClusterConfig
from aicost.adapters.kube.auth.tls import Trust
from aicost.ports.errors import InvalidRequest

_UNSUPPORTED_USER = {
    "auth-provider": "use the exec plugin of your provider",
    "username": "the API server knows no passwords: use a token, a client certificate or exec",
    "as": "impersonation is not supported: use a context of that user",
}


@dataclass(frozen=True, slots=True)
class _Section:
    """One named entry of a kubeconfig and the file that it stands in; relative paths start at that file."""

    kind: str
    name: str
    file: Path
    fields: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r} in {self.file}"

    def text(self, key: str) -> str | None:
        value = self.fields.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise InvalidRequest(f"{key} of {self} is {type(value).__name__}: it must be text")
        return value

    def data(self, key: str) -> bytes | None:
        """The bytes of `KEY-data` (base64), or else of the file that KEY names."""
        encoded, path = self.text(f"{key}-data"), self.text(key)
        if encoded is not None:
            return self._decode(f"{key}-data", encoded)
        return read_file(self.path(path), f"{key} of {self}: its") if path is not None else None

    def path(self, text: str) -> Path:
        return self.file.parent / Path(text).expanduser()

    def _decode(self, key: str, encoded: str) -> bytes:
        try:
            return base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise InvalidRequest(f"{key} of {self} is not base64: encode the PEM file again") from error


@dataclass(frozen=True, slots=True)
class _Merged:
    """All files of a KUBECONFIG path; the first one that names a thing wins."""

    files: tuple[Path, ...]
    sections: Mapping[tuple[str, str], _Section]
    current: str | None

    def find(self, kind: str, name: str) -> _Section:
        found = self.sections.get((kind, name))
        if found is None:
            known = ", ".join(sorted(n for k, n in self.sections if k == kind)) or "none"
            raise InvalidRequest(f"no {kind} {name!r} in {self}: there is {known}")
        return found

    def __str__(self) -> str:
        return ":".join(str(file) for file in self.files)


def from_kubeconfig(files: Sequence[Path], context: str | None, now_ms: Callable[[], int]) -> ClusterConfig:
    """The configuration of one context, the current one by default.

    Raises:
        InvalidRequest: a file is missing or broken, or asks for what is not supported; the message says what to do.
    """
    merged = _merge(files)
    name = context or merged.current
    if not name:
        raise InvalidRequest(f"{merged} has no current-context: choose one by --context or kubectl config use-context")
    chosen = merged.find("context", name)
    cluster = merged.find("cluster", chosen.text("cluster") or "")
    user = merged.find("user", chosen.text("user") or "")
    return ClusterConfig(
        server=_server(cluster),
        credentials=_credentials(user, cluster, now_ms),
        trust=_trust(cluster),
        namespace=chosen.text("namespace") or "default",
        origin=str(chosen),
    )


def _merge(files: Sequence[Path]) -> _Merged:
    sections: dict[tuple[str, str], _Section] = {}
    current = None
    for file in files:
        content = _load(file)
        current = current or content.get("current-context") or None
        for section in _sections(file, content):
            sections.setdefault((section.kind, section.name), section)
    return _Merged(tuple(files), sections, current)


def _load(file: Path) -> dict[str, Any]:
    raw = read_file(file, "kubeconfig")
    try:
        content = yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise InvalidRequest(f"kubeconfig file {file} is not YAML: {_where(error)}") from error
    if not isinstance(content, dict):
        raise InvalidRequest(
            f"kubeconfig file {file} holds no mapping: expected apiVersion, kind: Config, clusters ..."
        )
    return content


def _where(error: yaml.YAMLError) -> str:
    """Line and column alone: the text around them may be a secret."""
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else "broken"


def _sections(file: Path, content: Mapping[str, Any]) -> list[_Section]:
    found = []
    for kind in ("cluster", "user", "context"):
        for entry in content.get(f"{kind}s") or []:
            if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
                raise InvalidRequest(f"an entry of {kind}s in {file} has no name")
            found.append(_Section(kind, entry["name"], file, entry.get(kind) or {}))
    return found


def _server(cluster: _Section) -> str:
    if cluster.text("proxy-url"):
        raise InvalidRequest(f"proxy-url of {cluster} is not supported: reach the API server directly or by a tunnel")
    server = cluster.text("server")
    if server is None or not server.startswith(("https://", "http://")):
        raise InvalidRequest(f"server of {cluster} is {server!r}: it must be an https:// URL")
    return server.rstrip("/")


def _trust(cluster: _Section) -> Trust:
    return Trust(
        authority=cluster.data("certificate-authority"),
        origin=f"certificate-authority of {cluster}",
        verify=cluster.fields.get("insecure-skip-tls-verify") is not True,
        server_name=cluster.text("tls-server-name"),
    )


def _credentials(user: _Section, cluster: _Section, now_ms: Callable[[], int]) -> Credentials:
    for key, fix in _UNSUPPORTED_USER.items():
        if user.fields.get(key):
            raise InvalidRequest(f"{key} of {user} is not supported: {fix}")
    certificate = _certificate(user)
    if user.fields.get("exec"):
        return ExecCredentials(_command(user, cluster), now_ms)
    token_file = user.text("tokenFile")
    if token_file is not None:  # kubectl, too, prefers the file to the token beside it
        return TokenFile(user.path(token_file), certificate)
    return FixedCredentials(Credential(user.text("token"), certificate))


def _certificate(user: _Section) -> ClientCertificate | None:
    certificate, key = user.data("client-certificate"), user.data("client-key")
    if (certificate is None) != (key is None):
        raise InvalidRequest(f"{user} has only one of client-certificate and client-key: name both")
    return ClientCertificate(certificate, key) if certificate is not None and key is not None else None


def _command(user: _Section, cluster: _Section) -> Command:
    spec = _Section("exec of user", user.name, user.file, user.fields["exec"])
    program = spec.text("command")
    if program is None:
        raise InvalidRequest(f"command of {spec} is empty: name the credential plugin")
    # A command with a slash is relative to the kubeconfig, one without is looked up on the PATH.
    resolved = str(spec.path(program)) if "/" in program else program
    return Command(
        api_version=spec.text("apiVersion") or "client.authentication.k8s.io/v1",
        argv=(resolved, *map(str, spec.fields.get("args") or ())),
        env={str(item["name"]): str(item["value"]) for item in spec.fields.get("env") or ()},
        cluster=_cluster_info(cluster) if spec.fields.get("provideClusterInfo") else None,
        hint=spec.text("installHint") or "",
        origin=str(user),
    )


def _cluster_info(cluster: _Section) -> Mapping[str, object]:
    authority = cluster.data("certificate-authority")
    info: dict[str, object] = {"server": _server(cluster)}
    if authority is not None:
        info["certificate-authority-data"] = base64.b64encode(authority).decode()
    return info
