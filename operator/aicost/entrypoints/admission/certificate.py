"""The certificate that the webhook shows, followed without a restart."""

import asyncio
import logging
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from aicost.adapters.serving.certificates import expiry_ms
from aicost.entrypoints.admission.trust import Trust
from aicost.ports.errors import AicostError, InvalidRequest
from aicost.telemetry.logs import line
from aicost.telemetry.metrics import Metrics

CERTIFICATE, KEY = "tls.crt", "tls.key"
_log = logging.getLogger("aicost.admission")


@dataclass(slots=True)
class Certificate:
    """Loads the certificate, its own or somebody's from a folder, and loads it again when it changes.

    Attributes:
        trust: keeps our own; None where the folder is kept by somebody else, such as cert-manager.
        context: what new connections are met with.
    """

    metrics: Metrics
    trust: Trust | None = None
    folder: Path | None = None
    context: ssl.SSLContext = field(init=False)
    _shown: tuple[bytes, bytes] = (b"", b"")

    def __post_init__(self) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3  # the API server is the only client

    async def look(self) -> None:
        """Load what there is now, if it is not what is shown already.

        Raises:
            AicostError: there is nothing to show, or it does not fit; what was shown goes on being shown.
        """
        found = await self._read()
        if found != self._shown:
            await asyncio.to_thread(self._load, *found)
            self._shown = found
            self.metrics.show("aicost_admission_certificate_expiry_timestamp_seconds", expiry_ms(found[0]) / 1_000)
            line(_log, logging.INFO, "showing a new certificate")

    async def follow(self, seconds: float) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            await self.try_to_look()

    async def try_to_look(self) -> bool:
        """Look; False where it failed, which is logged."""
        try:
            await self.look()
        except (AicostError, OSError, ValueError) as problem:
            line(_log, logging.WARNING, "the certificate could not be looked after", error=str(problem))
            return False
        return True

    async def _read(self) -> tuple[bytes, bytes]:
        if self.trust is not None:
            keyring = await self.trust.look()
            self.metrics.show("aicost_admission_trusted", float(not self.trust.missing))
            return keyring.certificate, keyring.key
        assert self.folder is not None, "a certificate is ours or somebody's"
        return await asyncio.to_thread(_read_folder, self.folder)

    def _load(self, certificate: bytes, key: bytes) -> None:
        """Python loads keys from files alone; these are gone as soon as they were read."""
        with tempfile.TemporaryDirectory() as folder:
            crt, pem = Path(folder, CERTIFICATE), Path(folder, KEY)
            crt.write_bytes(certificate)
            pem.touch(0o600)
            pem.write_bytes(key)
            try:
                self.context.load_cert_chain(crt, pem)
            except ssl.SSLError as problem:
                raise InvalidRequest(f"the certificate and its key do not fit or are not PEM: {problem}") from problem


def _read_folder(folder: Path) -> tuple[bytes, bytes]:
    try:
        return (folder / CERTIFICATE).read_bytes(), (folder / KEY).read_bytes()
    except OSError as problem:
        raise InvalidRequest(
            f"admission.certificateDir: {problem.filename} cannot be read ({problem.strerror}): "
            f"name a folder with {CERTIFICATE} and {KEY}"
        ) from problem
