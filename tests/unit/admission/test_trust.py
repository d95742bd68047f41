"""The webhook's own certificate: one for all replicas, trusted before it is shown, and never put back by force."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from aicost.adapters.kube.client import KubeClient
from aicost.domain.exact.windows import DAY_MS
from aicost.entrypoints.admission.trust import Place, Trust
from aicost.ports.errors import AicostError
from support.builders import T0
from support.fake_api.server import MUTATING, SECRETS, VALIDATING, FakeApi
from support.fake_api.session import open_client

PLACE = Place("aicost-system", "aicost-admission-tls", "aicost", ("aicost-admission.aicost-system.svc",))


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with FakeApi() as server:
        service = {"name": "aicost-admission", "namespace": "aicost-system"}
        for collection, names in ((VALIDATING, ("labels", "probe")), (MUTATING, ("labels",))):
            hooks = [{"name": f"{name}.aicost.dev", "clientConfig": {"service": service}} for name in names]
            server.put(collection, "aicost", webhooks=hooks)
        yield server


@pytest.fixture
async def client(api: FakeApi) -> AsyncIterator[KubeClient]:
    async with open_client(api) as one:
        yield one


def _secret(api: FakeApi) -> dict[str, Any]:
    return api.store.objects["secrets", "aicost-system", "aicost-admission-tls"]


def _bundles(api: FakeApi) -> list[str]:
    found = [api.store.objects[one.plural, "", "aicost"] for one in (VALIDATING, MUTATING)]
    return [hook["clientConfig"].get("caBundle", "") for one in found for hook in one["webhooks"]]


async def test_a_certificate_is_made_kept_in_a_secret_and_trusted_by_all_webhooks(
    api: FakeApi, client: KubeClient
) -> None:
    keyring = await Trust(client, PLACE, lambda: T0).look()
    data = {key: base64.b64decode(value) for key, value in _secret(api)["data"].items()}
    assert data["tls.crt"] == keyring.certificate
    assert set(data) == {"ca.crt", "ca.key", "tls.crt", "tls.key"}
    assert _bundles(api) == [base64.b64encode(keyring.authority).decode()] * 3


async def test_the_secret_goes_with_the_release(api: FakeApi, client: KubeClient) -> None:
    await Trust(client, PLACE, lambda: T0).look()
    (owner,) = _secret(api)["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == (
        "ValidatingWebhookConfiguration",
        api.store.objects[VALIDATING.plural, "", "aicost"]["metadata"]["uid"],
    )


async def test_replicas_that_begin_at_once_agree_on_one_certificate(api: FakeApi, client: KubeClient) -> None:
    found = await asyncio.gather(*(Trust(client, PLACE, lambda: T0).look() for _ in range(4)))
    assert len({one.certificate for one in found}) == 1
    assert len(set(_bundles(api))) == 1


async def test_replicas_that_renew_at_once_agree_too(api: FakeApi, client: KubeClient) -> None:
    first = await Trust(client, PLACE, lambda: T0).look()
    later = await asyncio.gather(*(Trust(client, PLACE, lambda: T0 + 80 * DAY_MS).look() for _ in range(4)))
    assert {one.certificate for one in later} != {first.certificate}
    assert len({one.certificate for one in later}) == 1


async def test_what_is_good_is_left_alone(api: FakeApi, client: KubeClient) -> None:
    trust = Trust(client, PLACE, lambda: T0)
    await trust.look()
    api.requests.clear()
    await trust.look()
    assert {seen.method for seen in api.requests} == {"GET"}


async def test_an_authority_that_somebody_overwrote_is_put_back(api: FakeApi, client: KubeClient) -> None:
    trust = Trust(client, PLACE, lambda: T0)
    keyring = await trust.look()
    api.put(MUTATING, "aicost", webhooks=[{"name": "labels.aicost.dev", "clientConfig": {"caBundle": "bm8="}}])
    await trust.look()
    assert set(_bundles(api)) == {base64.b64encode(keyring.authority).decode()}


async def test_only_the_authority_is_written_and_by_a_manager_of_its_own(api: FakeApi, client: KubeClient) -> None:
    await Trust(client, PLACE, lambda: T0).look()
    patches = api.asked("PATCH")
    assert len(patches) == 2
    for one in patches:
        assert one.params["fieldManager"] == "aicost-admission"
        for hook in json.loads(one.body)["webhooks"]:
            assert (set(hook), set(hook["clientConfig"])) == ({"name", "clientConfig"}, {"caBundle"})


async def test_a_configuration_that_somebody_took_away_is_told_and_not_made_anew(
    api: FakeApi, client: KubeClient
) -> None:
    trust = Trust(client, PLACE, lambda: T0)
    await trust.look()
    assert trust.missing == ()
    for one in (VALIDATING, MUTATING):
        api.remove(one, "aicost")
    await trust.look()
    assert trust.missing == ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
    assert (VALIDATING.plural, "", "aicost") not in api.store.objects


@pytest.mark.parametrize("damage", ["", "!!!", "bm9uc2Vuc2U="])
async def test_a_damaged_secret_is_made_anew(api: FakeApi, client: KubeClient, damage: str) -> None:
    trust = Trust(client, PLACE, lambda: T0)
    before = await trust.look()
    api.put(SECRETS, "aicost-admission-tls", "aicost-system", data={**_secret(api)["data"], "tls.key": damage})
    after = await trust.look()
    assert after.certificate != before.certificate
    assert set(_bundles(api)) == {base64.b64encode(after.authority).decode()}


async def test_a_new_certificate_is_trusted_before_it_is_returned_to_be_shown(api: FakeApi, client: KubeClient) -> None:
    api.faults.forbid.add(("patch", VALIDATING.plural))
    with pytest.raises(AicostError, match="not permitted to patch validatingwebhookconfigurations"):
        await Trust(client, PLACE, lambda: T0).look()


async def test_a_missing_right_names_itself(api: FakeApi, client: KubeClient) -> None:
    api.faults.forbid.add(("get", "secrets"))
    with pytest.raises(AicostError, match="not permitted to get secrets 'aicost-admission-tls'"):
        await Trust(client, PLACE, lambda: T0).look()
