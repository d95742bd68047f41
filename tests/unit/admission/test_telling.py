"""Denials that nobody would see: told on the owner, once, off the path."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.events import EventPoster
from aicost.adapters.kube.status import StatusWriter
from aicost.domain.identity.claims import LabelSelector, TargetRef, WorkloadClaim
from aicost.domain.policy.requests import Operation, PolicySnapshot, Requester
from aicost.domain.workloads.reading import read_workload
from aicost.entrypoints.admission.answering.review import Question
from aicost.entrypoints.admission.answering.telling import Telling
from aicost.entrypoints.admission.knowledge.snapshot import Snapshot
from aicost.telemetry.metrics import Metrics
from support.admission.manifests import owned_by, pod
from support.builders import T0
from support.controller import shown
from support.fake_api.server import WORKLOADS, FakeApi
from support.fake_api.session import open_client

OPERATOR = "system:serviceaccount:ray:operator"
CLAIM = WorkloadClaim("plain", "chat", "uid-chat", T0, target=TargetRef("ray.io/v1", "RayThing", "ray"))
NOBODY = Snapshot(PolicySnapshot())
CLAIMED = Snapshot(PolicySnapshot(claims={"plain": (CLAIM,)}))


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with FakeApi() as server:
        yield server


@pytest.fixture
async def telling(api: FakeApi) -> AsyncIterator[Telling]:
    async with open_client(api) as client:
        one = _telling(client)
        work = asyncio.create_task(one.run())
        yield one
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


def _telling(client: KubeClient) -> Telling:
    poster = EventPoster(client, ("aicost-admission", "test"), lambda: T0)
    return Telling(poster, StatusWriter(client, "aicost-admission", lambda: T0), Metrics())


def _deny(
    telling: Telling,
    body: dict[str, Any],
    user: str = OPERATOR,
    text: str = "[cost-labels] no team",
    snapshot: Snapshot = NOBODY,
) -> None:
    workload = read_workload(body)
    assert workload is not None
    question = Question("u", Operation.CREATE, b"{}", b"null", "plain", Requester(user), dry_run=False)
    telling.tell(question, workload, snapshot, text)


async def _told(api: FakeApi, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(5):
        while len(api.asked("POST", "events")) < count:
            await api.changed.wait()
    return [json.loads(seen.body) for seen in api.asked("POST", "events")]


async def test_the_owner_is_told_what_was_denied_and_why(api: FakeApi, telling: Telling) -> None:
    _deny(telling, pod(ownerReferences=owned_by("RayThing", "ray", api_version="ray.io/v1")))
    (event,) = await _told(api, 1)
    assert event["regarding"] == {
        "apiVersion": "ray.io/v1", "kind": "RayThing", "name": "ray", "namespace": "plain", "uid": "uid-ray",
    }  # fmt: skip
    assert (event["reason"], event["type"]) == ("CostLabelsDenied", "Warning")
    assert event["note"] == "A Pod was denied: [cost-labels] no team"


async def test_a_controller_that_tries_again_and_again_is_told_once(api: FakeApi, telling: Telling) -> None:
    for number in range(5):
        _deny(telling, pod(name=f"ray-{number}", ownerReferences=owned_by("RayThing", "ray")))
    _deny(telling, pod(ownerReferences=owned_by("RayThing", "other")))
    assert [event["regarding"]["name"] for event in await _told(api, 2)] == ["ray", "other"]
    counts = shown(telling.metrics)
    assert counts["aicost_admission_events_total", "repeated"] == 4


@pytest.mark.parametrize(
    ("body", "user"),
    [
        (pod(ownerReferences=owned_by("RayThing", "ray")), "dana"),
        (pod(), OPERATOR),
        (pod(ownerReferences=owned_by("RayThing", "ray", controller=False)), OPERATOR),
    ],
    ids=["a person reads the answer", "nothing owns it", "nothing controls it"],
)
async def test_what_somebody_sees_anyway_is_not_told(
    api: FakeApi, telling: Telling, body: dict[str, Any], user: str
) -> None:
    _deny(telling, body, user)
    _deny(telling, pod(ownerReferences=owned_by("RayThing", "last")))
    assert [event["regarding"]["name"] for event in await _told(api, 1)] == ["last"]


async def test_a_flood_is_dropped_and_counted_and_never_waited_for(api: FakeApi) -> None:
    async with open_client(api) as client:
        idle = _telling(client)
        for number in range(300):
            _deny(idle, pod(ownerReferences=owned_by("RayThing", f"ray-{number}")))
        assert shown(idle.metrics)["aicost_admission_events_total", "dropped"] == 300 - 256


def _stated(api: FakeApi) -> list[tuple[str, str, str]]:
    found = api.store.objects["aiworkloads", "plain", "chat"].get("status", {}).get("conditions", [])
    return [(one["type"], one["status"], one["reason"]) for one in found]


@pytest.mark.parametrize(
    "claim",
    [CLAIM, replace(CLAIM, target=None, selector=LabelSelector({"app": "chat"}))],
    ids=["it names the owner", "it selects the pod"],
)
async def test_the_aiworkload_that_claims_it_says_that_pods_are_denied_until_they_are_let_in_again(
    api: FakeApi, telling: Telling, claim: WorkloadClaim
) -> None:
    made = api.put(WORKLOADS, "chat", "plain", spec={})
    one = replace(claim, uid=made["metadata"]["uid"])
    claimed = Snapshot(PolicySnapshot(claims={"plain": (one,)}))
    body = pod({"app": "chat"}, ownerReferences=owned_by("RayThing", "ray", api_version="ray.io/v1"))

    async def until(*expected: tuple[str, str, str]) -> None:
        async with asyncio.timeout(5):
            while _stated(api) != [*expected]:
                await api.changed.wait()

    for _ in range(2):  # again, as after another replica has stated the opposite
        _deny(telling, body, snapshot=claimed)
        await until(("PodsAdmitted", "False", "LabelsDenied"))
        _deny(telling, body, text="", snapshot=replace(claimed, denied=frozenset({one.uid})))
        await until(("PodsAdmitted", "True", "Admitted"))
    assert {one.params["fieldManager"] for one in api.asked("PATCH", "status")} == {"aicost-admission"}


async def test_what_was_never_denied_is_not_said_to_be_admitted(api: FakeApi, telling: Telling) -> None:
    body = pod(ownerReferences=owned_by("RayThing", "ray", api_version="ray.io/v1"))
    _deny(telling, body, text="", snapshot=CLAIMED)
    _deny(telling, pod(ownerReferences=owned_by("RayThing", "last")))
    await _told(api, 1)
    assert api.asked("PATCH") == []


async def test_an_aiworkload_that_is_gone_ends_nothing(api: FakeApi, telling: Telling) -> None:
    body = pod(ownerReferences=owned_by("RayThing", "ray", api_version="ray.io/v1"))
    _deny(telling, body, snapshot=CLAIMED)
    _deny(telling, pod(ownerReferences=owned_by("RayThing", "last")))
    assert [event["regarding"]["name"] for event in await _told(api, 2)] == ["ray", "last"]
