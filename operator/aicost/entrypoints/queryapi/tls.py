"""TLS that follows its files and the front proxy's authority without a restart."""

import ssl
from dataclasses import replace
from pathlib import Path

from aicost.entrypoints.queryapi.frontproxy import FrontProxy
from aicost.ports.errors import InvalidRequest

CERTIFICATE, KEY = "tls.crt", "tls.key"


class LiveTls:
    """The server's TLS: each new connection is met with the newest certificate and the newest authority.

    A client must show a certificate that the front proxy's authority signed; the handshake fails without one. Sessions
    are not resumed, so that nobody comes back on an authority that is gone.
    """

    def __init__(self, folder: Path, front: FrontProxy) -> None:
        """Load what is there.

        Raises:
            InvalidRequest: the folder has no certificate with its key.
        """
        self._folder, self._front = folder, front
        self._files = _read(folder)
        self._current = _context(folder, front)
        self.context = _context(folder, front)
        self.context.sni_callback = self._meet

    @property
    def front(self) -> FrontProxy:
        """Who is believed."""
        return self._front

    def is_current(self, connection: ssl.SSLObject | None) -> bool:
        """Whether a connection was met with what is valid now."""
        return connection is not None and connection.context is self._current

    def trust(self, front: FrontProxy) -> bool:
        """Believe another front proxy from now on; False where it is the same."""
        if front == self._front:
            return False
        self._current = _context(self._folder, front)
        self._front = replace(front)
        return True

    def reload(self) -> bool:
        """Read the files again if they changed; False where they did not.

        Raises:
            InvalidRequest: certificate and key do not fit, as for a moment between two writes; the old ones stay.
        """
        files = _read(self._folder)
        if files == self._files:
            return False
        self._current = _context(self._folder, self._front)
        self._files = files
        return True

    def _meet(self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _base: ssl.SSLContext) -> None:
        connection.context = self._current


def _read(folder: Path) -> tuple[bytes, bytes]:
    try:
        return (folder / CERTIFICATE).read_bytes(), (folder / KEY).read_bytes()
    except OSError as problem:
        raise InvalidRequest(
            f"server.certificateDir: {problem.filename} cannot be read ({problem.strerror}): "
            f"name a folder with {CERTIFICATE} and {KEY}"
        ) from problem


def _context(folder: Path, front: FrontProxy) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_3  # the API server is the only client
    made.num_tickets = 0
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(cadata=front.authority)
    try:
        made.load_cert_chain(folder / CERTIFICATE, folder / KEY)
    except ssl.SSLError as problem:
        raise InvalidRequest(
            f"server.certificateDir: {CERTIFICATE} and {KEY} in {folder} do not fit or are not PEM: {problem}"
        ) from problem
    return made
