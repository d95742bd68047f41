"""Certificates and keys of one cluster: two authorities, the identities that they sign, and the token key.

Everything is made once per state directory and kept, so that a stopped cluster can start again on its data.
"""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from devcluster.host.clock import now

__all__ = ["Authority", "Identity", "Pki"]

_LIFETIME = timedelta(days=3650)
_SERVER_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
_SERVER_ADDRESSES = ("127.0.0.1", "10.0.0.1")


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its private key, as files."""

    certificate: Path
    key: Path


def _name(common_name: str, organisation: str | None = None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organisation:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_secret(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    start = now() - timedelta(minutes=5)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(start).not_valid_after(start + _LIFETIME)


def _save(folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Identity:
    identity = Identity(folder / f"{name}.crt", folder / f"{name}.key")
    identity.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    _write_secret(identity.key, _pem(key))
    return identity


class Authority:
    """A certificate authority in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.identity = Identity(folder / f"{name}.crt", folder / f"{name}.key")
        if not self.identity.certificate.exists():
            self._create(name)

    @property
    def certificate(self) -> Path:
        """The certificate that others trust."""
        return self.identity.certificate

    def _create(self, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(f"devcluster-{name}")
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False,
        )  # fmt: skip
        builder = _builder(subject, subject, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(usage, critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        _save(self._folder, name, builder.sign(key, hashes.SHA256()), key)

    def client(self, file_name: str, common_name: str, organisation: str | None = None) -> Identity:
        """A client identity; the API server reads the user from the common name, the group from the organisation."""
        return self._leaf(file_name, _name(common_name, organisation), ExtendedKeyUsageOID.CLIENT_AUTH, None)

    def server(self, file_name: str, names: tuple[str, ...], addresses: tuple[str, ...] = ("127.0.0.1",)) -> Identity:
        """A serving identity for these DNS names and addresses."""
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
        alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        subject = _name(names[0])
        return self._leaf(
            file_name, subject, ExtendedKeyUsageOID.SERVER_AUTH, x509.SubjectAlternativeName(alternatives)
        )

    def _leaf(
        self,
        file_name: str,
        subject: x509.Name,
        purpose: x509.ObjectIdentifier,
        alternatives: x509.SubjectAlternativeName | None,
    ) -> Identity:
        existing = Identity(self._folder / f"{file_name}.crt", self._folder / f"{file_name}.key")
        if existing.certificate.exists():
            return existing
        issuer = x509.load_pem_x509_certificate(self.identity.certificate.read_bytes())
        signer = serialization.load_pem_private_key(self.identity.key.read_bytes(), None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, issuer.subject, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = builder.add_extension(issuer_key, critical=False)
        if alternatives:
            builder = builder.add_extension(alternatives, critical=False)
        return _save(self._folder, file_name, builder.sign(signer, hashes.SHA256()), key)


class Pki:
    """All certificates of one cluster, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.cluster = Authority(folder, "ca")
        self.front_proxy = Authority(folder, "front-proxy-ca")
        self.server = self.cluster.server("apiserver", _SERVER_NAMES, _SERVER_ADDRESSES)
        self.admin = self.cluster.client("admin", "devcluster-admin", "system:masters")
        self.kubelet = self.cluster.client("kubelet", "devcluster-kubelet", "system:masters")
        self.controller_manager = self.cluster.client("controller-manager", "system:kube-controller-manager")
        self.scheduler = self.cluster.client("scheduler", "system:kube-scheduler")
        self.proxy_client = self.front_proxy.client("front-proxy-client", "front-proxy-client")
        self.token_key = folder / "service-account.key"
        if not self.token_key.exists():
            _write_secret(self.token_key, _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
