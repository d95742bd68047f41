"""Who we are to the API server: bearer tokens and client certificates, and when to read them again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Protocol

from aicost.ports.errors import InvalidRequest

TOKEN_LIFE_S = 60.0
"""A token file is read again after this: projected tokens are rotated in place."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Certificate and key in PEM."""

    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request is authenticated with. Its text form shows no secret."""

    token: str | None = field(default=None, repr=False)
    certificate: ClientCertificate | None = None


class Credentials(Protocol):
    """A source of credentials."""

    async def current(self) -> Credential:
        """The credential to use now.

        Raises:
            InvalidRequest: it cannot be had; the message names the file or command and the fix.
        """

    def forget(self) -> None:
        """The server refused the last one: read it anew at the next call."""


@dataclass(slots=True)
class FixedCredentials:
    """A credential that stands in the kubeconfig itself."""

    credential: Credential

    async def current(self) -> Credential:
        """The credential."""
        return self.credential

    def forget(self) -> None:
        """Nothing to read anew."""


@dataclass(slots=True)
class TokenFile:
    """A token in a file, read again each minute and after a refusal."""

    path: Path
    certificate: ClientCertificate | None = None
    clock: Callable[[], float] = monotonic
    _credential: Credential | None = None
    _read_at: float = 0.0

    async def current(self) -> Credential:
        """The token as the file held it at most a minute ago."""
        if self._credential is None or self.clock() - self._read_at >= TOKEN_LIFE_S:
            self._credential = Credential(_read_token(self.path), self.certificate)
            self._read_at = self.clock()
        return self._credential

    def forget(self) -> None:
        """Read the file at the next call."""
        self._credential = None


def _read_token(path: Path) -> str:
    token = read_file(path, "token").decode("ascii", "replace").strip()
    if not token:
        raise InvalidRequest(f"token file {path} is empty: it must hold a bearer token")
    return token


def read_file(path: Path, what: str) -> bytes:
    """The bytes of a file that credentials or certificates stand in.

    Raises:
        InvalidRequest: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        fix = "check the path and that this user may read it"
        raise InvalidRequest(f"{what} file {path} cannot be read ({error.strerror}): {fix}") from error
