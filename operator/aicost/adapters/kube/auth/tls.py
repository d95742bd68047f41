"""TLS contexts for the connection to the API server."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from aicost.adapters.kube.auth.credentials import ClientCertificate
from aicost.ports.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Trust:
    """How the API server's certificate is judged.

    Attributes:
        authority: CA bundle in PEM, None for the system's.
        origin: where the CA stands, for messages.
        verify: False takes any certificate (`insecure-skip-tls-verify`).
        server_name: name that the certificate must carry, where it is not the host of the URL.
    """

    authority: bytes | None = field(default=None, repr=False)
    origin: str = "the system's trust store"
    verify: bool = True
    server_name: str | None = None


def context(trust: Trust, certificate: ClientCertificate | None) -> ssl.SSLContext:
    """A TLS context for one trust and one client certificate.

    Raises:
        InvalidRequest: the CA or the client certificate is no PEM, or key and certificate do not fit.
    """
    made = _trusting(trust)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if not trust.verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        _load(made, certificate)
    return made


def _trusting(trust: Trust) -> ssl.SSLContext:
    if trust.authority is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cadata=trust.authority.decode("ascii"))
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"the certificate authority in {trust.origin} is not PEM: {error}") from error


def _load(made: ssl.SSLContext, certificate: ClientCertificate) -> None:
    """Python loads client certificates from files alone: they live for a moment in a folder of our own."""
    with TemporaryDirectory(prefix="aicost-") as folder:
        pem, key = Path(folder) / "tls.crt", Path(folder) / "tls.key"
        key.touch(mode=0o600)
        pem.write_bytes(certificate.certificate)
        key.write_bytes(certificate.key)
        try:
            made.load_cert_chain(pem, key)
        except ssl.SSLError as error:
            raise InvalidRequest(f"the client certificate and its key do not fit or are not PEM: {error}") from error
