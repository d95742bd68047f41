"""Credentials from a command, as managed clusters hand them out (`aws eks get-token`, `gke-gcloud-auth-plugin`)."""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from aicost.adapters.kube.auth.credentials import ClientCertificate, Credential
from aicost.domain.exact.windows import from_rfc3339
from aicost.ports.errors import InvalidRequest

COMMAND_TIMEOUT_S = 60.0
RENEW_EARLY_MS = 60_000
"""A credential is renewed this long before it expires."""


@dataclass(frozen=True, slots=True)
class Command:
    """What the kubeconfig's `exec` section says.

    Attributes:
        cluster: the cluster's connection data, handed over where `provideClusterInfo` is set.
        origin: kubeconfig and user, for messages.
    """

    api_version: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cluster: Mapping[str, object] | None = field(default=None, repr=False)
    hint: str = ""
    origin: str = ""


class _Given(msgspec.Struct, rename="camel"):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: str | None = None


class _ExecCredential(msgspec.Struct, rename="camel"):
    status: _Given


@dataclass(slots=True)
class ExecCredentials:
    """Runs the command when there is no credential or it is about to expire. Its output is never shown."""

    command: Command
    now_ms: Callable[[], int]
    _credential: Credential | None = None
    _expires_ms: int | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def current(self) -> Credential:
        """The credential that the command gave, run again shortly before it expires."""
        async with self._lock:
            if self._credential is None or self._is_due():
                given = _parse(self.command, await _run(self.command))
                self._credential, self._expires_ms = _credential(self.command, given)
            return self._credential

    def forget(self) -> None:
        """Run the command at the next call."""
        self._credential = None

    def _is_due(self) -> bool:
        return self._expires_ms is not None and self.now_ms() >= self._expires_ms - RENEW_EARLY_MS


async def _run(command: Command) -> bytes:
    process = await _start(command)
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            out, err = await process.communicate()
    except TimeoutError as error:
        raise InvalidRequest(f"{_name(command)} gave no credential within {COMMAND_TIMEOUT_S:.0f} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        said = " ".join(err[-500:].decode("utf-8", "replace").split())
        raise InvalidRequest(f"{_name(command)} failed with exit code {process.returncode}: {said}")
    return out


async def _start(command: Command) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *command.argv,
            env={**os.environ, **command.env, "KUBERNETES_EXEC_INFO": _exec_info(command)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        hint = command.hint or "install it and see that it is on the PATH"
        raise InvalidRequest(f"{_name(command)} cannot be started ({error.strerror}): {hint}") from error


def _exec_info(command: Command) -> str:
    spec: dict[str, object] = {"interactive": False}
    if command.cluster is not None:
        spec["cluster"] = dict(command.cluster)
    info = {"apiVersion": command.api_version, "kind": "ExecCredential", "spec": spec}
    return msgspec.json.encode(info).decode()


def _parse(command: Command, out: bytes) -> _Given:
    try:
        return msgspec.json.decode(out, type=_ExecCredential).status
    except msgspec.MsgspecError as error:
        raise InvalidRequest(f"{_name(command)} did not print an ExecCredential: {error}") from error


def _credential(command: Command, given: _Given) -> tuple[Credential, int | None]:
    certificate = _certificate(given)
    if given.token is None and certificate is None:
        raise InvalidRequest(f"{_name(command)} printed neither a token nor a client certificate with its key")
    return Credential(given.token, certificate), _expiry(command, given.expiration_timestamp)


def _certificate(given: _Given) -> ClientCertificate | None:
    """The certificate stands as PEM in an ExecCredential, not in base64 as in a kubeconfig."""
    if given.client_certificate_data is None or given.client_key_data is None:
        return None
    return ClientCertificate(given.client_certificate_data.encode(), given.client_key_data.encode())


def _expiry(command: Command, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return from_rfc3339(text)
    except ValueError as error:
        raise InvalidRequest(f"{_name(command)} printed expirationTimestamp {text!r}, no RFC 3339 time") from error


def _name(command: Command) -> str:
    return f"credential command {command.argv[0]!r} of {command.origin}"
