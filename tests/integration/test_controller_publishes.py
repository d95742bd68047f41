"""What the controller writes to an API server, and how often: on a fake one that counts."""

import json

import pytest

from aicost.adapters.kube.client import KubeClient
from aicost.domain.exact.windows import MINUTE_MS
from aicost.entrypoints.controller.publish import answers, publisher, writing
from aicost.entrypoints.controller.publish.publisher import Publisher
from aicost.entrypoints.controller.publish.writing import FAILURES_MANAGER, FIELD_MANAGER, StatusPublisher
from support.controller import NOW, made, make_world, settings_with, shown
from support.fake_api.server import ALL, FakeApi
from support.fake_api.session import open_client
from support.ledger_rows import HOUR_0, make_posting, make_row

BY_KIND = {collection.kind: collection for collection in ALL}
SELECTOR = {"selector": {"matchLabels": {"app": "chat"}}}
FINE_BOOK = {"currency": "USD", "entries": []}
BAD_BOOK = {"currency": "USD", "entries": [{"name": "bad", "match": {}, "perGpuHour": "x"}]}


class Desk:
    """A publisher between a world and a fake API server, on a clock that the test turns."""

    def __init__(self, world, api: FakeApi, client: KubeClient) -> None:
        self.world, self.api, self.now_ms = world, api, NOW
        self.namespaces = {"team-a"}
        self.statuses = StatusPublisher(client, "test-0")
        self.publisher = Publisher(
            client, world.registry, world.app, world.state, self.statuses,
            namespaces=lambda: frozenset(self.namespaces),
        )  # fmt: skip

    def put(self, kind, name, spec=None, **metadata):
        """A person applies an object, and kopf tells of it."""
        body = made(kind, name, spec)
        where = body["metadata"].pop("namespace", "")
        own = {key: body["metadata"][key] for key in ("uid", "generation")} | metadata
        self.api.put(BY_KIND[kind], name, where, spec=body["spec"], metadata=own)
        self.hear()

    def hear(self):
        """kopf tells of all objects as they are now."""
        for kind, collection in BY_KIND.items():
            if collection.group == "aicost.dev":
                bodies = self.api.store.all(collection)
                self.world.registry.replace(kind, bodies, self.world.registry.moment)

    async def round(self, seconds=60):
        """Publish, hear of it, and let time pass; gives the patches of this round."""
        before = len(self.api.asked("PATCH"))
        await self.publisher.publish()
        self.hear()
        self.now_ms += seconds * 1_000
        return self.api.asked("PATCH")[before:]

    def events(self):
        bodies = [json.loads(seen.body) for seen in self.api.asked("POST", "/events")]
        return [(body["regarding"]["name"], body["reason"]) for body in bodies]

    def condition(self, kind, name, condition):
        where = "" if BY_KIND[kind].plural in {"pricebooks", "clusteraicostreports"} else "team-a"
        status = self.api.store.objects[BY_KIND[kind].plural, where, name]["status"]
        return next(one for one in status["conditions"] if one["type"] == condition)


@pytest.fixture
async def desk(tmp_path, monkeypatch):
    world = make_world(tmp_path, settings_with(reports={"automatic": True}))
    world.state.last_closed = HOUR_0
    async with FakeApi() as api, open_client(api) as client:
        one = Desk(world, api, client)
        for module in (writing, publisher):
            monkeypatch.setattr(module, "now_ms", lambda: one.now_ms)
        for part in (one.statuses._writer, one.statuses._failures, one.statuses._events):
            part.now_ms = lambda: one.now_ms
        yield one
    world.app.stores.close()


async def test_in_an_idle_cluster_nothing_is_written_again_for_ten_minutes(desk):
    for kind, spec in (
        ("AICostReport", {}), ("ClusterAICostReport", {}), ("AIWorkload", SELECTOR), ("PriceBook", FINE_BOOK),
    ):  # fmt: skip
        desk.put(kind, "one", spec)
    assert len(await desk.round()) == 4
    for _ in range(9):
        assert await desk.round() == []
    assert len(await desk.round()) == 4, "after ten minutes, so that updatedAt does not look abandoned"


async def test_figures_that_change_are_written_once_in_thirty_seconds(desk):
    desk.put("AICostReport", "one")
    assert len(await desk.round(5)) == 1
    written = 0
    for number in range(1, 13):
        desk.world.ledger.replace_provisional("cluster-1", HOUR_0, [make_row(number, gpu_ms=number * MINUTE_MS)])
        written += len(await desk.round(5))
    assert written == 2


async def test_a_new_spec_is_answered_at_once(desk):
    desk.put("AICostReport", "one")
    await desk.round(1)
    desk.put("AICostReport", "one", {"groupBy": ["team"]}, generation=2)
    (patch,) = await desk.round(1)
    assert json.loads(patch.body)["status"]["observedGeneration"] == 2


async def test_a_condition_that_changes_is_written_at_once_and_told_by_an_event(desk):
    desk.put("PriceBook", "one", FINE_BOOK)
    await desk.round(1)
    assert desk.events() == []
    desk.put("PriceBook", "one", BAD_BOOK)
    assert len(await desk.round(1)) == 1
    assert desk.events() == [("one", "InvalidEntry")]


async def test_bad_news_is_told_once_and_again_when_it_comes_back(desk):
    desk.put("PriceBook", "one", FINE_BOOK)
    await desk.round()
    assert desk.events() == []
    desk.put("PriceBook", "one", BAD_BOOK, generation=2)
    for _ in range(3):
        await desk.round()
    assert desk.events() == [("one", "InvalidEntry")]
    desk.put("PriceBook", "one", FINE_BOOK, generation=3)
    await desk.round(11 * 60)
    desk.put("PriceBook", "one", BAD_BOOK, generation=4)
    await desk.round()
    assert desk.events() == [("one", "InvalidEntry")] * 2


async def test_after_a_restart_what_was_told_is_not_told_again(desk):
    desk.put("PriceBook", "one", BAD_BOOK)
    await desk.round()
    fresh = StatusPublisher(desk.publisher._client, "test-1")
    desk.publisher._statuses = fresh
    await desk.round()
    assert desk.events() == [("one", "InvalidEntry")]


async def test_an_object_that_cannot_be_answered_says_so_and_keeps_its_figures(desk, monkeypatch, caplog):
    desk.put("AICostReport", "bug")
    desk.put("AICostReport", "fine")
    await desk.round()
    keep = answers.asked_report

    def asked(body, *rest):
        if body["metadata"]["name"] == "bug":
            raise ZeroDivisionError("by love")
        return keep(body, *rest)

    monkeypatch.setattr(answers, "asked_report", asked)
    (patch,) = await desk.round()
    assert patch.params["fieldManager"] == FAILURES_MANAGER, "figures of another manager stay as they are"
    status = json.loads(patch.body)["status"]
    assert set(status) == {"conditions"}
    assert [(one["type"], one["status"], one["reason"]) for one in status["conditions"]] == [
        ("Ready", "False", "InternalError")
    ]
    assert desk.events() == [("bug", "InternalError")]
    assert await desk.round() == [], "the same failure is written once"
    (record,) = (one for one in caplog.records if one.exc_info)
    assert record.exc_info[0] is ZeroDivisionError
    assert shown(desk.world.metrics)["aicost_failures_total", "answer", "ZeroDivisionError"] == 2
    monkeypatch.setattr(answers, "asked_report", keep)
    (patch,) = await desk.round()
    assert patch.params["fieldManager"] == FIELD_MANAGER
    assert desk.condition("AICostReport", "bug", "Ready")["status"] == "True"


async def test_an_object_that_went_or_came_anew_is_left_alone(desk):
    desk.put("AICostReport", "gone")
    desk.put("AICostReport", "anew")
    del desk.api.store.objects["aicostreports", "team-a", "gone"]
    desk.api.store.objects["aicostreports", "team-a", "anew"]["metadata"]["uid"] = "another"
    await desk.round()
    anew = desk.api.store.objects["aicostreports", "team-a", "anew"]
    assert "status" not in anew
    assert set(desk.world.state.problems) == set()
    assert (await desk.round())[0].path.endswith("/anew/status")
    assert anew != desk.api.store.objects["aicostreports", "team-a", "anew"]


async def test_what_was_deleted_takes_no_memory(desk):
    desk.put("AICostReport", "one")
    await desk.round()
    assert len(desk.statuses._last) == len(desk.statuses._writer._written) == 1
    desk.api.remove(BY_KIND["AICostReport"], "one", "team-a")
    desk.hear()
    await desk.round()
    assert len(desk.statuses._last) == len(desk.statuses._writer._written) == 0


async def test_a_refused_write_holds_up_no_other_and_is_told(desk, caplog):
    desk.put("AICostReport", "one")
    desk.put("ClusterAICostReport", "two")
    desk.api.faults.forbid.add(("patch", "aicostreports/status"))
    await desk.round()
    assert desk.condition("ClusterAICostReport", "two", "Ready")["status"] == "True"
    (record,) = caplog.records
    assert record.fields["object"] == "AICostReport team-a/one"
    desk.api.faults.forbid.clear()
    assert len(await desk.round()) == 1


async def test_nothing_but_the_status_of_an_object_is_ever_written(desk):
    labels = {"labels": {"owner": "gitops"}, "annotations": {"a": "b"}}
    desk.put("AICostReport", "month-to-date", {"groupBy": ["pod"], "limit": 3}, **labels)
    desk.world.ledger.post(make_posting(make_row(5)))
    before = json.loads(json.dumps(desk.api.store.objects["aicostreports", "team-a", "month-to-date"]))
    for _ in range(3):
        await desk.publisher.keep_reports()
        await desk.round()
    after = desk.api.store.objects["aicostreports", "team-a", "month-to-date"]
    assert after["spec"] == before["spec"]
    for name in ("labels", "annotations", "generation", "uid"):
        assert after["metadata"][name] == before["metadata"][name]
    assert "finalizers" not in after["metadata"]
    patches = desk.api.asked("PATCH", "aicostreports")
    assert patches
    assert all(seen.path.endswith("/status") for seen in patches)


async def test_automatic_reports_are_created_once_left_alone_and_made_again_when_deleted(desk):
    desk.world.ledger.post(make_posting(make_row(5)))
    await desk.publisher.keep_reports()
    desk.hear()
    created = desk.api.asked("POST", "aicostreports")
    assert len(created) == 4
    path = ("aicostreports", "team-a", "month-to-date")
    desk.api.store.objects[path]["spec"] = {"window": "7d", "groupBy": ["team"]}
    desk.hear()
    await desk.publisher.keep_reports()
    assert desk.api.store.objects[path]["spec"] == {"window": "7d", "groupBy": ["team"]}
    assert desk.api.asked("POST", "aicostreports") == created
    desk.api.remove(BY_KIND["AICostReport"], "month-to-date", "team-a")
    desk.hear()
    await desk.publisher.keep_reports()
    assert desk.api.store.objects[path]["spec"]["window"] == "month-to-date"


async def test_somebody_who_is_faster_keeps_his_report(desk, caplog):
    desk.world.ledger.post(make_posting(make_row(5)))
    body = {"spec": {"window": "7d"}}
    desk.api.put(BY_KIND["AICostReport"], "month-to-date", "team-a", **body)  # kopf has not told of it yet
    await desk.publisher.keep_reports()
    assert desk.api.store.objects["aicostreports", "team-a", "month-to-date"]["spec"] == {"window": "7d"}
    assert caplog.records == []


async def test_no_report_is_made_where_the_settings_want_none_or_the_namespace_is_gone(desk, monkeypatch):
    desk.world.ledger.post(make_posting(make_row(5)))
    desk.namespaces.clear()
    await desk.publisher.keep_reports()
    assert not desk.api.asked("POST", "namespaces/")
    object.__setattr__(desk.world.app, "settings", settings_with(reports={"automatic": False}))
    desk.namespaces.add("team-a")
    before = len(desk.api.asked("POST"))
    await desk.publisher.keep_reports()
    assert len(desk.api.asked("POST")) == before
