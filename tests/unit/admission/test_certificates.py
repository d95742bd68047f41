"""Certificates that the webhook makes: good when they are new, renewed in time, and never trusted too late."""

import asyncio
import ssl
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509

from aicost.adapters.clock import now_ms
from aicost.adapters.serving.certificates import AUTHORITY_DAYS, SERVER_DAYS, Keyring, expiry_ms, kept_or_renewed
from aicost.domain.exact.windows import DAY_MS
from aicost.ports.errors import InvalidAnswer, InvalidRequest
from support.builders import T0
from support.controller import shown
from support.served_webhook import ServedWebhook

NAMES = ("aicost-admission.aicost-system.svc", "aicost-admission.aicost-system.svc.cluster.local")


def _made(now_ms: int = T0) -> Keyring:
    return kept_or_renewed(None, NAMES, now_ms)


def test_a_new_certificate_is_signed_by_its_authority_for_the_names_of_the_server() -> None:
    made = _made()
    authority, shown_one = (
        x509.load_pem_x509_certificate(made.authority),
        x509.load_pem_x509_certificate(made.certificate),
    )
    shown_one.verify_directly_issued_by(authority)
    names = shown_one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert tuple(names.get_values_for_type(x509.DNSName)) == NAMES
    assert expiry_ms(made.certificate) == T0 + SERVER_DAYS * DAY_MS
    assert expiry_ms(made.authority) == T0 + AUTHORITY_DAYS * DAY_MS


def test_a_certificate_is_kept_until_a_third_of_its_life_is_left() -> None:
    made, third = _made(), SERVER_DAYS * DAY_MS // 3
    end = expiry_ms(made.certificate)
    assert kept_or_renewed(made, NAMES, end - third) is made
    renewed = kept_or_renewed(made, NAMES, end - third + 1_000)
    assert renewed.certificate != made.certificate
    assert renewed.authority == made.authority


def test_a_new_authority_is_trusted_beside_the_old_one_until_that_has_expired() -> None:
    made = _made()
    end = expiry_ms(made.authority)
    renewed = kept_or_renewed(made, NAMES, end - 100 * DAY_MS)
    trusted = x509.load_pem_x509_certificates(renewed.authority)
    assert len(trusted) == 2
    assert renewed.authority.endswith(made.authority), "who still shows the old certificate is believed"
    x509.load_pem_x509_certificate(renewed.certificate).verify_directly_issued_by(trusted[0])
    assert kept_or_renewed(renewed, NAMES, end - 99 * DAY_MS) is renewed
    late = kept_or_renewed(made, NAMES, end + 1_000)
    assert len(x509.load_pem_x509_certificates(late.authority)) == 1


def test_another_name_of_the_service_asks_for_another_certificate() -> None:
    made = _made()
    other = kept_or_renewed(made, ("other.svc",), T0)
    assert (other.certificate == made.certificate, other.authority == made.authority) == (False, True)


@pytest.mark.parametrize("part", ["authority", "authority_key", "certificate", "key"])
@pytest.mark.parametrize("damage", [b"", b"nonsense", "another"], ids=["empty", "nonsense", "of another keyring"])
def test_what_somebody_damaged_is_made_anew_whole(part: str, damage: bytes | str) -> None:
    made = _made()
    wrong = getattr(_made(), part) if isinstance(damage, str) else damage
    mended = kept_or_renewed(replace(made, **{part: wrong}), NAMES, T0)
    x509.load_pem_x509_certificate(mended.certificate).verify_directly_issued_by(
        x509.load_pem_x509_certificate(mended.authority)
    )
    assert mended.authority != made.authority


def test_a_certificate_from_the_future_is_not_trusted_to_last() -> None:
    made = _made(T0 + 400 * DAY_MS)
    assert kept_or_renewed(made, NAMES, T0).certificate != made.certificate


def test_keys_are_in_no_text_of_a_keyring() -> None:
    assert "PRIVATE" not in repr(_made())


def test_what_is_no_certificate_has_no_expiry() -> None:
    with pytest.raises(InvalidAnswer, match="is none"):
        expiry_ms(b"nonsense")


async def test_a_new_certificate_is_shown_to_new_connections_and_its_expiry_too(webhook: ServedWebhook) -> None:
    async with webhook.session() as before:
        assert (await before.get("/healthz")).status == 200
        made_ms = now_ms() // 1_000 * 1_000
        webhook.show(kept_or_renewed(None, ("localhost",), made_ms))
        await webhook.certificate.look()
        assert (await before.get("/healthz")).status == 200, "a connection that is there goes on"
        async with webhook.session() as after:
            assert (await after.get("/healthz")).status == 200
    expiry = shown(webhook.metrics)["aicost_admission_certificate_expiry_timestamp_seconds",]
    assert expiry * 1_000 == made_ms + SERVER_DAYS * DAY_MS


async def test_what_does_not_fit_leaves_the_old_certificate(webhook: ServedWebhook) -> None:
    (webhook.folder / "tls.key").write_bytes(_made().key)
    with pytest.raises(InvalidRequest, match="do not fit"):
        await webhook.certificate.look()
    async with webhook.session() as session:
        assert (await session.get("/healthz")).status == 200


async def test_a_missing_file_is_named(webhook: ServedWebhook, tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "tls.crt").unlink)
    with pytest.raises(InvalidRequest, match=r"certificateDir: .*tls.crt cannot be read"):
        await webhook.certificate.look()


async def test_nobody_older_than_tls_1_3_is_served(webhook: ServedWebhook) -> None:
    old = ssl.create_default_context(cadata=webhook.keyring.authority.decode())
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=old)) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"https://localhost:{webhook.port}/healthz")


def test_strict_verifiers_believe_it_too() -> None:
    """Python verifies so since 3.13: an authority must say that its key signs certificates."""
    made = _made(now_ms())
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "both.pem").write_bytes(made.certificate + made.key)
        served.load_cert_chain(Path(folder) / "both.pem")
    asking = ssl.create_default_context(cadata=made.authority.decode())
    asking.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(to_client, to_server, server_hostname=NAMES[0])
    server = served.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    assert client.version() == "TLSv1.3"
    assert client.getpeercert()
