"""Events and status on the fake API server."""

import json

import pytest

from aicost.adapters.kube.events import EventLimits, EventPoster, Happening, Outcome, Regarding, Severity
from aicost.adapters.kube.status import StatusWriter, Target
from aicost.adapters.kube.wire.errors import NotFound, Rejected
from aicost.adapters.kube.wire.resources import Resource
from support.fake_api.server import REPORTS, FakeApi
from support.fake_api.session import Clock, open_client

REPORT = Resource("aicost.dev", "v1alpha1", "aicostreports", "AICostReport")
ABOUT = Regarding("aicost.dev/v1alpha1", "AICostReport", "mtd", "team-a", "uid-1")


@pytest.fixture
async def api():
    async with FakeApi() as server:
        yield server


@pytest.fixture
async def client(api):
    async with open_client(api) as opened:
        yield opened


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def poster(client, clock):
    return EventPoster(client, ("aicost.dev/controller", "pod-1"), clock, EventLimits(burst=3, refill_ms=1_000))


def posted(api: FakeApi) -> list[dict]:
    return [json.loads(seen.body) for seen in api.asked("POST", "/events")]


async def test_an_event_says_who_what_and_why(api, poster):
    happening = Happening(ABOUT, "PriceMissing", "no price for h100-80gb: add it to a PriceBook", Severity.WARNING)
    assert await poster.post(happening) is Outcome.POSTED
    event = posted(api)[0]
    assert event["regarding"] == {
        "apiVersion": "aicost.dev/v1alpha1",
        "kind": "AICostReport",
        "name": "mtd",
        "namespace": "team-a",
        "uid": "uid-1",
    }
    assert (event["type"], event["reason"], event["action"]) == ("Warning", "PriceMissing", "Reconcile")
    assert event["metadata"]["namespace"] == "team-a"
    assert event["eventTime"] == "1970-01-01T00:16:40.000000Z"


async def test_the_same_event_is_posted_once_in_its_window_and_then_says_how_often(api, poster, clock):
    happening = Happening(ABOUT, "PriceMissing", "no price")
    outcomes = [await poster.post(happening) for _ in range(3)]
    clock.forward(601)
    outcomes.append(await poster.post(happening))
    assert outcomes == [Outcome.POSTED, Outcome.REPEATED, Outcome.REPEATED, Outcome.POSTED]
    assert [event["note"] for event in posted(api)] == ["no price", "no price (2 more since the last one)"]


async def test_another_message_is_another_event(api, poster):
    await poster.post(Happening(ABOUT, "PriceMissing", "no price for a"))
    await poster.post(Happening(ABOUT, "PriceMissing", "no price for b"))
    assert len(posted(api)) == 2


async def test_a_flood_is_cut_and_flows_again_with_time(api, poster, clock):
    outcomes = [await poster.post(Happening(ABOUT, "Reason", f"message {i}")) for i in range(5)]
    assert outcomes == [Outcome.POSTED] * 3 + [Outcome.LIMITED] * 2
    clock.forward(1)
    assert await poster.post(Happening(ABOUT, "Reason", "message 4")) is Outcome.POSTED
    assert poster.outcomes == {Outcome.POSTED: 4, Outcome.LIMITED: 2}


async def test_an_event_about_what_lives_in_no_namespace_lives_in_default(api, poster):
    await poster.post(Happening(Regarding("aicost.dev/v1alpha1", "PriceBook", "list-prices"), "Loaded", "42 entries"))
    assert api.asked("POST")[0].path == "/apis/events.k8s.io/v1/namespaces/default/events"


async def test_a_refused_event_is_counted_and_never_raised_and_may_be_tried_again(api, poster):
    api.faults.forbid = {("create", "events")}
    happening = Happening(ABOUT, "PriceMissing", "no price")
    assert await poster.post(happening) is Outcome.FAILED
    assert 'resources ["events"], verbs ["create"]' in poster.problem
    api.faults.forbid.clear()
    assert await poster.post(happening) is Outcome.POSTED


async def test_a_long_note_is_cut_at_whole_characters(api, poster):
    await poster.post(Happening(ABOUT, "Reason", "é" * 2_000))
    note = posted(api)[0]["note"]
    assert len(note.encode()) <= 1_024
    assert note.endswith("...")


@pytest.fixture
def report(api):
    metadata = {"labels": {"from": "gitops"}}
    stored = api.put(REPORTS, "mtd", "team-a", metadata=metadata, spec={"window": "month-to-date"})
    return Target(REPORT, "mtd", "team-a", stored["metadata"]["uid"])


@pytest.fixture
def writer(client, clock):
    return StatusWriter(client, "aicost-report", clock)


async def test_a_status_is_applied_on_the_subresource_and_holds_nothing_else(api, writer, report):
    assert await writer.write(report, {"totalCost": "12.50 USD"})
    seen = api.asked("PATCH")[0]
    assert seen.path == "/apis/aicost.dev/v1alpha1/namespaces/team-a/aicostreports/mtd/status"
    assert seen.params == {"fieldManager": "aicost-report", "force": "true"}
    assert seen.headers["Content-Type"] == "application/apply-patch+yaml"
    assert set(json.loads(seen.body)) == {"apiVersion", "kind", "metadata", "status"}
    assert set(json.loads(seen.body)["metadata"]) == {"name", "namespace", "uid"}
    stored = api.store.objects["aicostreports", "team-a", "mtd"]
    assert stored["spec"] == {"window": "month-to-date"}
    assert stored["metadata"]["labels"] == {"from": "gitops"}


async def test_an_unchanged_status_is_not_written_even_if_its_timestamps_moved(api, writer, report):
    status = {"totalCost": "1", "conditions": [{"type": "Ready", "status": "True", "observedAt": "10:00"}]}
    later = {"conditions": [{"observedAt": "10:01", "type": "Ready", "status": "True"}], "totalCost": "1"}
    assert await writer.write(report, status, ["observedAt"])
    assert not await writer.write(report, later, ["observedAt"])
    assert (writer.writes, writer.skipped, len(api.asked("PATCH"))) == (1, 1, 1)


async def test_a_change_inside_a_list_is_written(writer, report):
    await writer.write(report, {"rows": [{"team": "a", "cost": "1"}]})
    assert await writer.write(report, {"rows": [{"team": "a", "cost": "2"}]})


async def test_an_unchanged_status_is_refreshed_after_a_while(writer, report, clock):
    await writer.write(report, {"totalCost": "1", "observedAt": "10:00"}, ["observedAt"])
    clock.forward(600)
    assert await writer.write(report, {"totalCost": "1", "observedAt": "10:10"}, ["observedAt"])


async def test_a_failed_write_is_tried_again(api, writer, report):
    api.faults.forbid = {("patch", "aicostreports/status")}
    with pytest.raises(Exception, match=r"aicostreports/status"):
        await writer.write(report, {"totalCost": "1"})
    api.faults.forbid.clear()
    assert await writer.write(report, {"totalCost": "1"})


async def test_an_object_that_is_gone_is_not_created_again(api, writer, report):
    api.remove(REPORTS, "mtd", "team-a")
    with pytest.raises(NotFound):
        await writer.write(report, {"totalCost": "1"})
    assert ("aicostreports", "team-a", "mtd") not in api.store.objects


async def test_a_recreated_object_is_another_one(api, writer, report):
    api.remove(REPORTS, "mtd", "team-a")
    api.put(REPORTS, "mtd", "team-a")
    with pytest.raises(Rejected, match=r"metadata\.uid"):
        await writer.write(report, {"totalCost": "1"})
