"""The webhook as a process on an API server: what it knows, when it is ready, and how it follows what changes."""

import asyncio
import base64
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from aicost.entrypoints.admission.knowledge import lists, watching
from aicost.entrypoints.admission.server import Pace, Webhook
from aicost.settings import Settings, parse_settings
from support.admission.manifests import deployment
from support.controller import shown
from support.fake_api.server import (
    BOOKS,
    CONFIG_MAPS,
    MUTATING,
    NAMESPACES,
    POLICIES,
    SECRETS,
    VALIDATING,
    FakeApi,
)
from support.fake_api.session import open_client
from support.served_webhook import review

HASTE = Pace(certificate=0.05, retry=0.02, measure=0.01, goodbye=0.0)
TEAM = {"key": "team", "required": "Always", "allowed": {"values": ["vision"]}}
LISTED = {**TEAM, "allowed": {"configMap": {"namespace": "lists", "name": "teams", "key": "all"}}}


class Running:
    """A webhook that runs, and the API server that it follows."""

    def __init__(self, api: FakeApi, webhook: Webhook) -> None:
        self.api, self.webhook = api, webhook

    def policy(self, *keys: dict[str, Any], name: str = "cost-labels", **spec: Any) -> None:
        metadata = {"generation": self.api.store.version}
        self.api.put(POLICIES, name, metadata=metadata, spec={"mode": "Deny", "keys": [*keys], **spec})

    async def ask(self, body: dict[str, Any]) -> dict[str, Any]:
        """What it says to an object, over TLS as the API server does."""
        data = self.api.store.objects["secrets", "aicost-system", "aicost-admission-tls"]["data"]
        trust = ssl.create_default_context(cadata=_decoded(data["ca.crt"]))
        trust.check_hostname = False  # the names are those of a Service
        url = f"https://127.0.0.1:{self.webhook.addresses[0][1]}/validate"
        connector = aiohttp.TCPConnector(ssl=trust)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(url, json=review(body)) as answer,
        ):
            return json.loads(await answer.text())["response"]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():  # noqa: ASYNC110 -- what is waited for has no event
                await asyncio.sleep(0.01)

    async def until_said(self, allowed: bool) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while True:
                said = await self.ask(deployment())
                if said["allowed"] is allowed:
                    return said
                await asyncio.sleep(0.01)


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def _settings(**admission: Any) -> Settings:
    own = {"port": 0, "metricsPort": 0, "namespace": "aicost-system", "engine": "webhook", **admission}
    return parse_settings({"server": {"host": "127.0.0.1"}, "admission": own})


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with FakeApi() as server:
        for collection in (VALIDATING, MUTATING):
            server.put(collection, "aicost", webhooks=[{"name": "labels.aicost.dev", "clientConfig": {}}])
        server.put(NAMESPACES, "plain")
        yield server


@contextlib.asynccontextmanager
async def _running(api: FakeApi, settings: Settings | None = None) -> AsyncIterator[Running]:
    stop = asyncio.Event()
    async with open_client(api) as client:
        one = Running(api, Webhook(settings or _settings(), client, HASTE))
        work = asyncio.create_task(one.webhook.run(stop))
        try:
            yield one
        finally:
            stop.set()
            async with asyncio.timeout(10):
                await work


@pytest.fixture
async def running(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setattr(watching, "QUIET_SECONDS", 0.01)
    monkeypatch.setattr(lists, "AGAIN_SECONDS", 0.05)
    async with _running(api) as one:
        await one.until(lambda: bool(one.webhook.addresses) and one.webhook.judge.snapshot is not None)
        yield one


async def test_a_policy_that_comes_changes_and_goes_is_followed(running: Running) -> None:
    assert (await running.ask(deployment()))["allowed"] is True
    running.policy(TEAM)
    first = await running.until_said(allowed=False)
    running.policy(TEAM, mode="Warn")
    second = await running.until_said(allowed=True)
    assert second["warnings"]
    assert first["auditAnnotations"]["revision"] != second["auditAnnotations"]["revision"]
    assert shown(running.webhook.metrics)["aicost_admission_policies",] == 1
    running.api.remove(POLICIES, "cost-labels")
    await running.until(lambda: shown(running.webhook.metrics)["aicost_admission_policies",] == 0)


async def test_a_policy_of_another_engine_is_not_ours_to_judge_by(api: FakeApi) -> None:
    async with _running(api, _settings(engine="auto")) as one:
        await one.until(lambda: bool(one.webhook.addresses) and one.webhook.judge.snapshot is not None)
        one.policy(TEAM, name="inside", engine="vap")
        one.policy(TEAM, name="ours", engine="webhook")
        await one.until(lambda: shown(one.webhook.metrics).get(("aicost_admission_policies",)) == 1)
        assert "[ours]" in (await one.until_said(allowed=False))["status"]["message"]


@pytest.mark.parametrize("spec", [{"keys": "nonsense"}, {}, {"keys": [{"key": 7}], "mode": "Sometimes"}], ids=str)
async def test_a_policy_that_is_nonsense_disturbs_no_other(running: Running, spec: dict[str, Any]) -> None:
    running.api.put(POLICIES, "broken", spec=spec)
    running.api.put(BOOKS, "broken", spec=spec)
    running.policy(TEAM)
    said = await running.until_said(allowed=False)
    assert said["status"]["message"].startswith("[cost-labels]")


async def test_a_list_in_a_config_map_is_followed_and_nobody_is_refused_while_it_cannot_be_read(
    running: Running,
) -> None:
    running.policy(LISTED)
    body = deployment({"aicost.dev/team": "search"})
    await running.until(lambda: shown(running.webhook.metrics)["aicost_admission_policies",] == 1)
    assert (await running.ask(body))["allowed"] is True
    running.api.put(CONFIG_MAPS, "teams", "lists", data={"all": "vision # the first\n"})
    snapshot = lambda: running.webhook.judge.snapshot  # noqa: E731
    await running.until(lambda: list(snapshot().policy.listed.values()) == [("vision",)])
    assert (await running.ask(body))["allowed"] is False
    running.api.put(CONFIG_MAPS, "teams", "lists", data={"all": "vision\nsearch\n"})
    await running.until(lambda: list(snapshot().policy.listed.values()) == [("vision", "search")])
    assert (await running.ask(body))["allowed"] is True


async def test_the_snapshot_is_swapped_whole(running: Running) -> None:
    before = running.webhook.judge.snapshot
    running.policy(TEAM)
    await running.until(lambda: running.webhook.judge.snapshot.policy.policies != ())
    assert before.policy.policies == ()


async def test_it_is_ready_once_all_is_known_and_not_before(api: FakeApi) -> None:
    api.faults.forbid.add(("list", "nodes"))
    api.faults.forbid.add(("watch", "nodes"))
    async with _running(api) as one:
        await one.until(lambda: bool(one.webhook.addresses))
        assert "nodes" in one.webhook._ready()
        assert (await one.ask(deployment()))["warnings"]
        api.faults.forbid.clear()
        await one.until(lambda: one.webhook._ready() == "")


async def test_a_certificate_that_cannot_be_kept_delays_it_and_ends_nothing(api: FakeApi) -> None:
    api.faults.forbid.add(("get", "secrets"))
    async with _running(api) as one:
        await one.until(lambda: one.webhook.judge.snapshot is not None)
        assert one.webhook._ready() == "no certificate to show yet"
        api.faults.forbid.clear()
        await one.until(lambda: one.webhook._ready() == "")
        assert shown(one.webhook.metrics)["aicost_admission_trusted",] == 1


async def test_a_certificate_that_was_lost_is_made_anew_and_shown(running: Running) -> None:
    before = running.api.store.objects["secrets", "aicost-system", "aicost-admission-tls"]["data"]["tls.crt"]
    running.api.remove(SECRETS, "aicost-admission-tls", "aicost-system")
    key = ("secrets", "aicost-system", "aicost-admission-tls")
    await running.until(
        lambda: running.api.store.objects.get(key, {"data": {"tls.crt": before}})["data"]["tls.crt"] != before
    )
    for _ in range(100):
        with contextlib.suppress(aiohttp.ClientError):
            assert (await running.ask(deployment()))["allowed"] is True
            return
        await asyncio.sleep(0.02)
    pytest.fail("the new certificate is not shown")


async def test_its_age_is_shown(running: Running) -> None:
    await running.until(lambda: ("aicost_admission_snapshot_age_seconds",) in shown(running.webhook.metrics))
    assert shown(running.webhook.metrics)["aicost_admission_snapshot_age_seconds",] >= 0


async def test_a_bug_in_taking_up_keeps_what_was_known(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError

    running.policy(TEAM)
    await running.until_said(allowed=False)
    monkeypatch.setattr("aicost.entrypoints.admission.server.make_snapshot", stumble)
    running.policy(TEAM, mode="Warn")
    await running.until(lambda: ("aicost_admission_errors_total", "snapshot") in shown(running.webhook.metrics))
    assert (await running.ask(deployment()))["allowed"] is False
