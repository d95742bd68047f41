"""TLS that follows its files and the front proxy's authority without a restart."""

import ssl
from pathlib import Path
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from aicost.ports.errors import InvalidRequest

CERTIFICATE, KEY = "tls.crt", "tls.key"


class Believed(Protocol):
    """Whose certificates are believed."""

    @property
    def authority(self) -> str:
        """Certificates, in PEM, one of which signs a client's; empty for none."""

    @property
    def required(self) -> bool:
        """Whether the handshake fails without a certificate."""


Trusted = TypeVar("Trusted", bound=Believed)


class LiveTls(Generic[Trusted]):
    """The server's TLS: each new connection is met with the newest certificate and the newest authority.

    A certificate that a client shows must be one that the authority signed; where one is required, the handshake fails
    without it. Sessions are not resumed, so that nobody comes back on an authority that is gone.
    """

    def __init__(self, folder: Path, trusted: Trusted) -> None:
        """Load what is there.

        Raises:
            InvalidRequest: the folder has no certificate with its key.
        """
        self._folder, self._trusted = folder, trusted
        self._files = _read(folder)
        self._current = _context(folder, trusted)
        self.context = _context(folder, trusted)
        self.context.sni_callback = self._meet

    @property
    def trusted(self) -> Trusted:
        """Who is believed."""
        return self._trusted

    def is_current(self, connection: ssl.SSLObject | None) -> bool:
        """Whether a connection was met with what is valid now."""
        return connection is not None and connection.context is self._current

    def trust(self, trusted: Trusted) -> bool:
        """Believe others from now on; False where they are the same."""
        if trusted == self._trusted:
            return False
        self._current = _context(self._folder, trusted)
        self._trusted = trusted
        return True

    def reload(self) -> bool:
        """Read the files again if they changed; False where they did not.

        Raises:
            InvalidRequest: certificate and key do not fit, as for a moment between two writes; the old ones stay.
        """
        files = _read(self._folder)
        if files == self._files:
            return False
        self._current = _context(self._folder, self._trusted)
        self._files = files
        return True

    def _meet(self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _base: ssl.SSLContext) -> None:
        connection.context = self._current


AnyTls: TypeAlias = LiveTls[Any]


def _read(folder: Path) -> tuple[bytes, bytes]:
    try:
        return (folder / CERTIFICATE).read_bytes(), (folder / KEY).read_bytes()
    except OSError as problem:
        raise InvalidRequest(
            f"server.certificateDir: {problem.filename} cannot be read ({problem.strerror}): "
            f"name a folder with {CERTIFICATE} and {KEY}"
        ) from problem


def _context(folder: Path, trusted: Believed) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_3  # the API server and our own command line are the only clients
    made.num_tickets = 0
    if trusted.authority:
        made.load_verify_locations(cadata=trusted.authority)
    made.verify_mode = _mode(trusted)
    try:
        made.load_cert_chain(folder / CERTIFICATE, folder / KEY)
    except ssl.SSLError as problem:
        raise InvalidRequest(
            f"server.certificateDir: {CERTIFICATE} and {KEY} in {folder} do not fit or are not PEM: {problem}"
        ) from problem
    return made


def _mode(trusted: Believed) -> ssl.VerifyMode:
    if trusted.required:
        return ssl.CERT_REQUIRED
    return ssl.CERT_OPTIONAL if trusted.authority else ssl.CERT_NONE
