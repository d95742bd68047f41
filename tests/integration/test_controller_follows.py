"""kopf follows our objects on a fake API server with faults: nothing is written or missed, and signals stay ours."""

import asyncio
import logging
import signal
import threading
from contextlib import asynccontextmanager, suppress

import pytest

from aicost.adapters.clock import now_ms
from aicost.adapters.journal.inventory import InventoryJournal
from aicost.adapters.kube.auth.credentials import TokenFile
from aicost.adapters.kube.auth.settings import ClusterConfig
from aicost.domain.exact.windows import Window
from aicost.entrypoints.controller import resources, resync
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.registry import Registry
from aicost.entrypoints.controller.resources import Following
from aicost.entrypoints.controller.resync import Resync
from aicost.entrypoints.controller.state import State
from aicost.entrypoints.controller.watching import ClusterWatch
from aicost.telemetry.metrics import Metrics
from support.builders import make_pod
from support.fake_api.server import BOOKS, DEPLOYMENTS, PODS, REPLICASETS, REPORTS, WORKLOADS, FakeApi
from support.fake_api.session import Sleeper, open_client, until

SPEC = {"spec": {"window": "7d"}}


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(resources, "RESTART_SECONDS", 0.05)
    monkeypatch.setattr(resources, "REFUSED_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(resync, "RETRY_SECONDS", 0.02)


@pytest.fixture
def token(tmp_path):
    path = tmp_path / "token"
    path.write_text("first")
    return path


@pytest.fixture
def attempts():
    return Attempts(State("c1"), Metrics())


@asynccontextmanager
async def following(api, token, attempts):
    registry = Registry()
    config = ClusterConfig(server=api.url, credentials=TokenFile(token), origin="a test")
    task = asyncio.create_task(Following(registry, config, attempts).run())
    try:
        yield registry
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def names(registry, kind="AICostReport"):
    return [body["metadata"]["name"] for body in registry.of_kind(kind)]


async def test_what_is_there_what_comes_and_what_goes_is_known(token, attempts):
    async with FakeApi() as api:
        api.put(REPORTS, "before", "team-a", **SPEC)
        api.put(BOOKS, "prices", spec={"currency": "USD"})
        async with following(api, token, attempts) as registry:
            await until(lambda: names(registry) == ["before"] and names(registry, "PriceBook") == ["prices"])
            api.put(REPORTS, "during", "team-a", **SPEC)
            await until(lambda: names(registry) == ["before", "during"])
            api.remove(REPORTS, "before", "team-a")
            await until(lambda: names(registry) == ["during"])
        assert {seen.method for seen in api.requests} == {"GET"}, "kopf leaves no trace in objects, and no Events"
        assert "metadata" in api.store.objects["aicostreports", "team-a", "during"]
        assert "finalizers" not in api.store.objects["aicostreports", "team-a", "during"]["metadata"]


async def test_signals_of_the_process_stay_ours(token, attempts):
    heard = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, heard.set)
    try:
        async with FakeApi() as api:
            api.put(REPORTS, "one", "team-a", **SPEC)
            async with following(api, token, attempts) as registry:
                await until(lambda: names(registry) == ["one"])
                signal.raise_signal(signal.SIGTERM)
                async with asyncio.timeout(2):
                    await heard.wait()
                api.put(REPORTS, "two", "team-a", **SPEC)
                await until(lambda: names(registry) == ["one", "two"])
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def test_tasks_of_others_outlive_kopf_and_its_thread_ends(token, attempts):
    async with FakeApi() as api:
        api.put(REPORTS, "one", "team-a", **SPEC)
        async with following(api, token, attempts) as registry:
            other = asyncio.create_task(asyncio.sleep(60))
            await until(lambda: names(registry) == ["one"])
        assert not other.done()
        other.cancel()
        assert "kopf" not in {thread.name for thread in threading.enumerate()}


async def test_an_expired_watch_is_followed_by_a_new_list(token, attempts):
    async with FakeApi() as api:
        api.put(REPORTS, "one", "team-a", **SPEC)
        async with following(api, token, attempts) as registry:
            await until(lambda: names(registry) == ["one"])
            api.store.compact()
            api.put(REPORTS, "two", "team-a", **SPEC)
            await until(lambda: names(registry) == ["one", "two"], 10)


async def test_an_error_that_ends_kopf_starts_it_again(token, attempts):
    async with FakeApi() as api:
        api.faults.error_after = [(1, 500)] * 3
        api.put(REPORTS, "one", "team-a", **SPEC)
        async with following(api, token, attempts) as registry:
            await until(lambda: names(registry) == ["one"])
            for number in range(3):
                api.put(REPORTS, f"more-{number}", "team-a", **SPEC)
                await asyncio.sleep(0.1)
            await until(lambda: len(names(registry)) == 4, 20)


async def test_a_rotated_token_is_taken_up(token, attempts):
    async with FakeApi() as api:
        api.token = "first"
        api.put(REPORTS, "one", "team-a", **SPEC)
        async with following(api, token, attempts) as registry:
            await until(lambda: names(registry) == ["one"])
            api.token = "second"
            token.write_text("second")
            api.store.compact()  # makes each watch list again
            api.put(REPORTS, "two", "team-a", **SPEC)
            await until(lambda: names(registry) == ["one", "two"], 10)


async def test_a_server_that_refuses_a_right_token_for_a_moment_is_asked_again(token, attempts):
    async with FakeApi() as api:
        api.token = "not yet"
        api.put(REPORTS, "one", "team-a", **SPEC)
        async with following(api, token, attempts) as registry:
            await until(lambda: len(api.requests) >= 3, 10)
            api.token = "first"
            await until(lambda: names(registry) == ["one"], 10)


async def test_kopf_says_nothing_in_our_log(token, attempts, caplog):
    async with FakeApi() as api:
        api.faults.refuse = [500, 429]
        api.put(REPORTS, "one", "team-a", **SPEC)
        async with following(api, token, attempts) as registry:
            await until(lambda: names(registry) == ["one"], 20)
    assert [
        record for record in caplog.records if record.name.startswith("kopf") and record.levelno >= logging.INFO
    ] == []


async def test_own_objects_are_known_only_after_all_kinds_were_listed(attempts, caplog):
    async with FakeApi() as api, open_client(api) as client:
        api.put(REPORTS, "one", "team-a", **SPEC)
        api.faults.forbid.add(("list", "clusterbudgets"))
        registry = Registry()
        found = Resync(client, registry, attempts)
        task = asyncio.create_task(found.run())
        await until(lambda: len(api.asked("GET", "clusterbudgets")) >= 3)
        assert not found.synced.is_set()
        api.faults.forbid.clear()
        await until(found.synced.is_set)
        assert names(registry) == ["one"]
        assert len(caplog.records) == 1
        task.cancel()


async def test_a_deletion_that_no_watch_told_is_seen_by_the_list(attempts, monkeypatch):
    monkeypatch.setattr(resync, "RESYNC_SECONDS", 0.05)
    async with FakeApi() as api, open_client(api) as client:
        api.put(WORKLOADS, "chat", "team-a", spec={})
        registry = Registry()
        task = asyncio.create_task(Resync(client, registry, attempts).run())
        await until(lambda: names(registry, "AIWorkload") == ["chat"])
        api.remove(WORKLOADS, "chat", "team-a")
        await until(lambda: names(registry, "AIWorkload") == [])
        task.cancel()


async def test_pods_without_gpus_get_their_owners_once_somebody_claims_their_namespace(tmp_path):
    journal = InventoryJournal(tmp_path / "journal.sqlite", now_ms())
    async with FakeApi() as api, open_client(api, sleep=Sleeper()) as client:
        chat = api.put(DEPLOYMENTS, "chat", "team-a", metadata={"labels": {"aicost.dev/team": "search"}})
        owner = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": "chat",
            "uid": chat["metadata"]["uid"],
            "controller": True,
        }
        reps = api.put(REPLICASETS, "chat-1", "team-a", metadata={"ownerReferences": [owner]})
        link = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": "chat-1",
            "uid": reps["metadata"]["uid"],
            "controller": True,
        }
        for name, where in (("chat-1-a", "team-a"), ("other", "team-b")):
            pod = make_pod(where, name).on("n1").running().manifest()
            metadata = {**pod.pop("metadata"), "ownerReferences": [link]}
            api.put(PODS, name, where, metadata=metadata, **{key: pod[key] for key in ("spec", "status")})
        watch = ClusterWatch(client, journal, now_ms, lambda _: False)
        task = asyncio.create_task(watch.run())
        async with asyncio.timeout(10):
            await watch.synced()

        def owners(name):
            pods = journal.facts(Window(0, 2**60)).pods
            return [each.name for pod in pods if pod.facts.name == name for each in pod.facts.owners]

        assert owners("chat-1-a") == []
        await watch.know_owners({"team-a"})
        assert owners("chat-1-a") == ["chat-1", "chat"]
        assert owners("other") == []
        asked = len(api.asked("GET", "replicasets/"))
        await watch.know_owners({"team-a"})
        assert len(api.asked("GET", "replicasets/")) == asked, "each pod is asked for once"
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    journal.close()


async def test_a_watcher_that_breaks_ends_the_watch(tmp_path, monkeypatch):
    journal = InventoryJournal(tmp_path / "journal.sqlite", now_ms())
    async with FakeApi() as api, open_client(api) as client:
        watch = ClusterWatch(client, journal, now_ms, lambda _: 1 / 0)
        pod = make_pod("team-a", "train-0").on("n1").manifest()
        api.put(
            PODS, "train-0", "team-a", metadata=pod.pop("metadata"), **{key: pod[key] for key in ("spec", "status")}
        )
        with pytest.raises(ExceptionGroup) as broken:
            async with asyncio.timeout(10):
                await watch.run()
        assert broken.value.subgroup(ZeroDivisionError)
    journal.close()
