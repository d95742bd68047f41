"""Denials that nobody would see: told on the owner, once, off the path."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from aicost.adapters.kube.events import EventPoster
from aicost.domain.policy.decisions import AdmissionDecision, Verdict
from aicost.domain.policy.requests import Operation, Requester
from aicost.domain.workloads.reading import read_workload
from aicost.entrypoints.admission.review import Question
from aicost.entrypoints.admission.telling import Telling
from aicost.telemetry.metrics import Metrics
from support.admission.manifests import owned_by, pod
from support.builders import T0
from support.controller import shown
from support.fake_api.server import FakeApi
from support.fake_api.session import open_client

OPERATOR = "system:serviceaccount:ray:operator"
DENIED = AdmissionDecision(Verdict.DENY, "missing")


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with FakeApi() as server:
        yield server


@pytest.fixture
async def telling(api: FakeApi) -> AsyncIterator[Telling]:
    async with open_client(api) as client:
        one = Telling(EventPoster(client, ("aicost-admission", "test"), lambda: T0), Metrics())
        work = asyncio.create_task(one.run())
        yield one
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


def _deny(telling: Telling, body: dict[str, Any], user: str = OPERATOR, text: str = "[cost-labels] no team") -> None:
    workload = read_workload(body)
    assert workload is not None
    telling.tell(
        Question("u", Operation.CREATE, b"{}", b"null", "plain", Requester(user), dry_run=False), workload, DENIED, text
    )


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
        idle = Telling(EventPoster(client, ("aicost-admission", "test"), lambda: T0), Metrics())
        for number in range(300):
            _deny(idle, pod(ownerReferences=owned_by("RayThing", f"ray-{number}")))
        assert shown(idle.metrics)["aicost_admission_events_total", "dropped"] == 300 - 256
