"""Nobody but the front proxy is believed, also after certificates and authorities changed."""

import asyncio
import ssl

import aiohttp
import pytest

from aicost.entrypoints.queryapi.frontproxy import FrontProxy, read_front_proxy
from aicost.entrypoints.queryapi.tls import LiveTls
from aicost.ports.errors import InvalidAnswer, InvalidRequest
from devcluster.pki import Authority

ROOT = "/apis/query.aicost.dev/v1alpha1"
MINE = f"{ROOT}/namespaces/team-a/allocations?window=1h"
REFUSED = (aiohttp.ClientError, ssl.SSLError, ConnectionError)


def install(folder, identity):
    (folder / "tls.crt").write_bytes(identity.certificate.read_bytes())
    (folder / "tls.key").write_bytes(identity.key.read_bytes())


async def test_the_front_proxy_is_served(served):
    assert (await served.get(MINE)).status == 200


@pytest.mark.parametrize("path", [MINE, ROOT, "/readyz"])
async def test_without_a_client_certificate_no_header_helps(served, path):
    forged = {"X-Remote-User": "system:admin", "X-Remote-Group": "system:masters"}
    connector = aiohttp.TCPConnector(ssl=served.client_context(None))
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(REFUSED):
            await session.get(f"https://127.0.0.1:{served.port}{path}", headers=forged)


async def test_a_certificate_of_another_authority_of_the_same_name_is_refused(served, tmp_path):
    forged = Authority(tmp_path / "forged", "front-proxy-ca").client("proxy", "front-proxy-client")
    with pytest.raises(REFUSED):
        await served.get(MINE, forged)


async def test_a_server_certificate_of_the_right_authority_is_refused(served):
    server = served.proxy_authority.server("server", ("front-proxy-client",))
    with pytest.raises(REFUSED):
        await served.get(MINE, server)


async def test_the_right_authority_with_another_name_is_a_401(served):
    other = served.proxy_authority.client("other", "somebody-else")
    answer = await served.get(MINE, other)
    assert (answer.status, answer.body["reason"]) == (401, "Unauthorized")
    assert "front proxy" in answer.body["message"]


async def test_allocations_need_a_user_and_discovery_does_not(served):
    assert (await served.get(MINE, headers={})).status == 401
    assert (await served.get(ROOT, headers={})).status == 200


async def test_any_name_is_good_where_none_is_named(served):
    served.tls.trust(FrontProxy(served.proxy_authority.certificate.read_text()))
    other = served.proxy_authority.client("other", "somebody-else")
    assert (await served.get(MINE, other)).status == 200


async def test_a_new_authority_is_believed_and_the_old_one_is_not_without_a_restart(served, tmp_path):
    new = Authority(tmp_path / "new", "front-proxy-ca-2")
    assert served.tls.trust(FrontProxy(new.certificate.read_text()))
    with pytest.raises(REFUSED):
        await served.get(MINE)
    assert (await served.get(MINE, new.client("proxy", "front-proxy-client"))).status == 200
    assert not served.tls.trust(FrontProxy(new.certificate.read_text()))


async def test_a_connection_from_before_the_change_ends_after_its_next_answer(served, tmp_path):
    new = Authority(tmp_path / "new", "front-proxy-ca-2")
    url = f"https://127.0.0.1:{served.port}{ROOT}"
    connector = aiohttp.TCPConnector(ssl=served.client_context(served.proxy))
    async with aiohttp.ClientSession(connector=connector) as session:
        assert (await session.get(url)).headers.get("Connection") != "close"
        served.tls.trust(FrontProxy(new.certificate.read_text()))
        assert (await session.get(url)).headers["Connection"] == "close"
        with pytest.raises(REFUSED):
            await session.get(url)


async def serial(served):
    context = served.client_context(served.proxy)
    _, writer = await asyncio.open_connection("127.0.0.1", served.port, ssl=context, server_hostname="localhost")
    found = writer.get_extra_info("peercert")["serialNumber"]
    writer.close()
    return found


async def test_a_renewed_certificate_is_shown_without_a_restart(served):
    before = await serial(served)
    assert not served.tls.reload()
    install(served.certificates, served.authority.server("two", ("localhost",)))
    assert served.tls.reload()
    assert await serial(served) != before
    assert (await served.get(MINE)).status == 200


async def test_a_certificate_and_a_key_that_do_not_fit_leave_the_old_pair_in_place(served):
    before = await serial(served)
    fresh = served.authority.server("two", ("localhost",))
    (served.certificates / "tls.crt").write_bytes(fresh.certificate.read_bytes())
    with pytest.raises(InvalidRequest, match="do not fit"):
        served.tls.reload()
    assert await serial(served) == before
    (served.certificates / "tls.key").write_bytes(fresh.key.read_bytes())
    assert served.tls.reload()
    assert await serial(served) != before


async def test_old_protocols_are_refused(served):
    context = served.client_context(served.proxy)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(REFUSED):
            await session.get(f"https://127.0.0.1:{served.port}{ROOT}")


def test_a_folder_without_a_certificate_is_named_with_the_setting(tmp_path):
    authority = Authority(tmp_path, "ca")
    with pytest.raises(InvalidRequest, match=r"server\.certificateDir: .*tls\.crt cannot be read"):
        LiveTls(tmp_path / "nothing", FrontProxy(authority.certificate.read_text()))


def test_the_configmap_says_who_the_front_proxy_is(tmp_path):
    pem = Authority(tmp_path, "ca").certificate.read_text()
    data = {
        "requestheader-client-ca-file": pem,
        "requestheader-allowed-names": '["front-proxy-client"]',
        "requestheader-username-headers": '["X-Remote-User", "X-Who"]',
    }
    front = read_front_proxy(data)
    assert front == FrontProxy(pem, frozenset({"front-proxy-client"}), ("X-Remote-User", "X-Who"))
    assert front.user({"X-Who": "bob"}) == "bob"
    assert not front.accepts(None)
    assert not front.accepts({"subject": ((("commonName", "eve"),),)})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"requestheader-client-ca-file": ""}, "requestheader-client-ca-file"),
        ({"requestheader-client-ca-file": "no certificate"}, "requestheader-client-ca-file"),
        ({"requestheader-allowed-names": "front-proxy-client"}, "is not JSON"),
        ({"requestheader-allowed-names": '"front-proxy-client"'}, "is no list of names"),
    ],
)
def test_a_configmap_that_cannot_be_used_trusts_nobody(tmp_path, change, said):
    data = {"requestheader-client-ca-file": Authority(tmp_path, "ca").certificate.read_text()}
    with pytest.raises(InvalidAnswer, match=said):
        read_front_proxy({**data, **change})


def test_an_authority_that_signs_users_too_is_no_proof_unless_the_front_proxy_is_named(tmp_path):
    shared = Authority(tmp_path / "shared", "cluster-ca").certificate.read_text()
    other = Authority(tmp_path / "other", "other-ca").certificate.read_text()
    data = {"requestheader-client-ca-file": shared, "client-ca-file": f"{other}\n{shared}"}
    with pytest.raises(InvalidAnswer, match="any user could speak for any other"):
        read_front_proxy(data)
    named = read_front_proxy({**data, "requestheader-allowed-names": '["front-proxy-client"]'})
    assert named.allowed_names == {"front-proxy-client"}
    assert read_front_proxy({**data, "client-ca-file": other}).allowed_names == frozenset()
