"""Certificates that we make ourselves: an authority of our own, and the server certificate that it signs.

Both are renewed when a third of their life is left. A new authority is trusted beside the old one until that one has
expired, so that whoever still serves the old certificate is believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from aicost.domain.exact.windows import DAY_MS, HOUR_MS, to_datetime, to_millis
from aicost.ports.errors import InvalidAnswer

AUTHORITY_DAYS, SERVER_DAYS = 5 * 365, 90
"""Lives of the two certificates."""
_BACKDATED = timedelta(hours=1)
"""Clocks of other machines may be behind ours."""
_NAME = "aicost-admission"


@dataclass(frozen=True, slots=True)
class Keyring:
    """What is kept in a Secret, all in PEM.

    Attributes:
        authority: who is to be trusted: the authority that signs, before older ones that have not expired.
        authority_key: key of the first of them.
        certificate: what the server shows.
        key: its key.
    """

    authority: bytes
    authority_key: bytes = field(repr=False)
    certificate: bytes
    key: bytes = field(repr=False)


def kept_or_renewed(before: Keyring | None, names: Sequence[str], now_ms: int) -> Keyring:
    """The keyring to use: the one of before while all of it is good, else one with what was due made anew.

    Args:
        before: None where there is none.
        names: DNS names of the server.
        now_ms: the clock.
    """
    if before is None or not _is_whole(before):
        return _server(_authority(now_ms), names, now_ms)
    if _is_due(_first(before.authority), now_ms, AUTHORITY_DAYS):
        made = _authority(now_ms)
        older = [one for one in _read(before.authority) if expiry_ms(_pem(one)) > now_ms]
        trusted = made.authority + b"".join(_pem(one) for one in older[:1])
        return _server(replace(made, authority=trusted), names, now_ms)
    shown = _first(before.certificate)
    if _is_due(shown, now_ms, SERVER_DAYS) or _names(shown) != list(names):
        return _server(before, names, now_ms)
    return before


def expiry_ms(certificate: bytes) -> int:
    """When a certificate in PEM expires.

    Raises:
        InvalidAnswer: it is no certificate.
    """
    return to_millis(_first(certificate).not_valid_after_utc)


def _is_whole(keyring: Keyring) -> bool:
    """Whether its parts can be read and fit together: somebody may have written into the Secret."""
    try:
        signer, shown = _first(keyring.authority), _first(keyring.certificate)
        shown.verify_directly_issued_by(signer)
        signer.extensions.get_extension_for_class(x509.KeyUsage)  # one of an earlier aicost has none
        return _private(keyring.authority_key).public_key() == signer.public_key() and (
            _private(keyring.key).public_key() == shown.public_key()
        )
    except (InvalidAnswer, InvalidSignature, x509.ExtensionNotFound, ValueError, TypeError):
        return False


def _is_due(certificate: x509.Certificate, now_ms: int, days: int) -> bool:
    left_ms = to_millis(certificate.not_valid_after_utc) - now_ms
    return left_ms * 3 < days * DAY_MS or left_ms > days * DAY_MS + HOUR_MS


def _authority(now_ms: int) -> Keyring:
    """A new authority that has signed nothing yet."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(f"{_NAME}-ca", f"{_NAME}-ca", key, now_ms, AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    identity = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(identity, critical=False)
    made = builder.add_extension(_SIGNS, critical=True).sign(key, hashes.SHA256())
    return Keyring(_pem(made), _key_pem(key), b"", b"")


_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
"""What an authority's key is for. Strict verifiers, such as Python's since 3.13, ask for it beside a path length."""


def _server(keyring: Keyring, names: Sequence[str], now_ms: int) -> Keyring:
    """A new server certificate, signed by the first authority."""
    signer, key = _first(keyring.authority), ec.generate_private_key(ec.SECP256R1())
    issuer = str(signer.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    made = (
        _builder(_NAME, issuer, key, now_ms, SERVER_DAYS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(_public(signer)), critical=False)
        .sign(_private(keyring.authority_key), hashes.SHA256())
    )
    return replace(keyring, certificate=_pem(made), key=_key_pem(key))


def _builder(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, now_ms: int, days: int
) -> x509.CertificateBuilder:
    now = to_datetime(now_ms - now_ms % 1_000)
    builder = x509.CertificateBuilder().subject_name(_common(subject)).issuer_name(_common(issuer))
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - _BACKDATED).not_valid_after(now + timedelta(days=days))


def _common(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name) for name in found.get_values_for_type(x509.DNSName)]


def _read(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as problem:
        raise InvalidAnswer(f"what should be a certificate in PEM is none: {problem}") from problem


def _first(pem: bytes) -> x509.Certificate:
    return _read(pem)[0]


def _private(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the key is not one that we made")
    return key


def _public(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey), "checked before it signs"
    return key


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
