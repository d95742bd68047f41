"""The informer misses nothing, whatever the API server does."""

import asyncio

import pytest

from aicost.adapters.kube.informer import Changed, Informer, Scope, Seen
from aicost.adapters.kube.wire.resources import PODS as PODS_RESOURCE
from aicost.domain.exact.windows import Window
from aicost.ports.errors import LedgerUnavailable
from support.fake_api.server import NAMESPACES, PODS, FakeApi
from support.fake_api.session import HASTY, Clock, Diary, Sleeper, name_of, open_client, running, until

WAYS = pytest.mark.parametrize("streamed", [True, False], ids=["streamed-list", "paged-list"])


class World:
    """A fake API server, an informer of its pods, and what it told."""

    def __init__(self, api: FakeApi) -> None:
        self.api, self.clock, self.diary, self.sleeper = api, Clock(), Diary(), Sleeper()

    def informer(self, client, *, streamed=True, known=None, decode=name_of, scope=None, synced=True):
        self.inf = Informer(
            client, scope or Scope(PODS_RESOURCE), decode, now_ms=self.clock, known=known, stream_lists=streamed,
            sleep=self.sleeper,
        )  # fmt: skip
        return running(self.inf, self.diary, synced=synced)

    def pods(self, *names: str) -> None:
        for name in names:
            self.api.put(PODS, name, "team-a")

    def watches(self) -> list:
        return [seen for seen in self.api.requests if "resourceVersion" in seen.params]


@pytest.fixture
async def world():
    async with FakeApi() as api:
        yield World(api)


@pytest.fixture
async def client(world):
    async with open_client(world.api) as opened:
        yield opened


@pytest.fixture
async def hasty(world):
    async with open_client(world.api, timeouts=HASTY) as opened:
        yield opened


@WAYS
async def test_a_list_is_told_as_initial_and_what_follows_is_not(world, client, streamed):
    world.pods("a", "b")
    async with world.informer(client, streamed=streamed):
        world.pods("c")
        await until(lambda: len(world.diary.notices) == 3)
    assert [(n.object, n.initial) for n in world.diary.notices] == [("a", True), ("b", True), ("c", False)]


@WAYS
async def test_a_deletion_that_was_watched_has_no_gap(world, client, streamed):
    world.pods("a")
    async with world.informer(client, streamed=streamed):
        await _next_bookmark(world)
        world.clock.forward(30)
        world.api.remove(PODS, "a", "team-a")
        await until(lambda: world.diary.gone)
    assert [(gone.object, gone.at_ms, gone.gap) for gone in world.diary.gone] == [("a", 1_030_000, None)]


@WAYS
async def test_what_went_silently_is_told_after_410_with_the_gap_since_the_last_event(world, client, streamed):
    world.pods("a", "b")
    async with world.informer(client, streamed=streamed):
        world.clock.forward(10)
        world.pods("c")
        await until(lambda: "c" in world.diary.changed)
        world.clock.forward(40)
        world.api.store.remove_silently(PODS, "a", "team-a")
        world.api.wake()
        await until(lambda: world.diary.gone)
    assert [(gone.object, gone.gap) for gone in world.diary.gone] == [("a", Window(1_010_000, 1_050_000))]
    assert world.diary.changed == ["a", "b", "c"]
    assert world.inf.stats.lists == {"start": 1, "expired": 1}
    assert world.inf.stats.relists == 1
    assert world.inf.stats.objects == 2


async def test_a_bookmark_narrows_the_gap(world, client):
    world.pods("a")
    async with world.informer(client):
        world.clock.forward(60)
        world.api.send_bookmarks()
        await until(lambda: world.inf.stats.bookmarks == 2)
        world.clock.forward(5)
        world.api.store.remove_silently(PODS, "a", "team-a")
        world.api.wake()
        await until(lambda: world.diary.gone)
    assert world.diary.gone[0].gap == Window(1_060_000, 1_065_000)


async def test_bookmarks_alone_keep_the_informer_fresh_and_its_place_known(world, hasty):
    async with world.informer(hasty):
        world.clock.forward(60)
        world.api.send_bookmarks()
        await until(lambda: world.inf.stats.heard_ms == 1_060_000)
        await until(lambda: world.inf.stats.breaks)
        await until(world.watches)
    assert world.inf.stats.age_ms(1_061_000) == 1_000
    assert world.watches()[0].params["resourceVersion"] == str(world.api.bookmark)
    assert world.diary.notices == []


async def test_a_pod_recreated_under_its_name_in_a_gap_is_two_pods(world, client):
    old = world.api.put(PODS, "a", "team-a")["metadata"]["uid"]
    async with world.informer(client):
        world.api.store.remove_silently(PODS, "a", "team-a")
        new = world.api.put(PODS, "a", "team-a")["metadata"]["uid"]
        await until(lambda: world.diary.gone)
        await until(lambda: len(world.diary.changed) == 2)
    assert [gone.uid for gone in world.diary.gone] == [old]
    assert [n.uid for n in world.diary.notices if isinstance(n, Changed)] == [old, new]


async def test_a_connection_cut_within_a_line_is_resumed_without_a_new_list(world, hasty):
    world.pods("a")
    async with world.informer(hasty, streamed=False):
        world.api.faults.cut_after = [0, 1]
        await _break_stream(world)
        world.pods("b", "c", "d")
        await until(lambda: "d" in world.diary.changed)
    assert world.diary.changed == ["a", "b", "c", "d"]
    assert world.inf.stats.relists == 0
    assert world.inf.stats.breaks >= 2


async def _next_bookmark(world):
    """Then the watch is open for certain."""
    bookmarks = world.inf.stats.bookmarks
    world.api.send_bookmarks()
    await until(lambda: world.inf.stats.bookmarks > bookmarks)


async def _break_stream(world):
    """End the watch that is open now, so that the next ones meet the faults."""
    watches = len(world.watches())
    world.api.faults.hole.clear()  # no answer: the watch falls silent and is given up
    await until(lambda: world.inf.stats.breaks)
    world.api.faults.hole.set()
    await until(lambda: len(world.watches()) > watches)


async def test_a_deletion_during_an_interruption_that_could_be_resumed_carries_the_interruption(world, hasty):
    world.pods("a")
    async with world.informer(hasty):
        world.api.faults.hole.clear()
        await until(lambda: world.inf.stats.breaks)
        world.clock.forward(300)
        world.api.remove(PODS, "a", "team-a")
        world.api.faults.hole.set()
        await until(lambda: world.diary.gone)
    assert world.diary.gone[0].gap == Window(1_000_000, 1_300_000)
    assert world.inf.stats.relists == 0


async def test_a_change_during_an_interruption_that_could_be_resumed_may_have_been_at_any_time_of_it(world, hasty):
    world.pods("a")
    async with world.informer(hasty):
        world.api.faults.hole.clear()
        await until(lambda: world.inf.stats.breaks)
        world.clock.forward(300)
        before = len(world.diary.changed)
        world.pods("a", "b")
        world.api.faults.hole.set()
        await until(lambda: len(world.diary.changed) == before + 2)
        await _next_bookmark(world)
        world.clock.forward(20)
        world.pods("a")
        await until(lambda: len(world.diary.changed) == before + 3)
    changes = [notice for notice in world.diary.notices if isinstance(notice, Changed)]
    assert [change.initial for change in changes[before:]] == [True, True, False]


async def test_a_deletion_long_after_a_resumption_carries_no_gap(world, hasty):
    world.pods("a")
    async with world.informer(hasty):
        world.api.faults.hole.clear()
        await until(lambda: world.inf.stats.breaks)
        world.clock.forward(300)
        world.api.faults.hole.set()
        await _next_bookmark(world)
        world.clock.forward(20)
        world.api.remove(PODS, "a", "team-a")
        await until(lambda: world.diary.gone)
    assert world.diary.gone[0].gap is None


async def test_a_server_that_falls_silent_is_left_and_says_so(world, hasty):
    async with world.informer(hasty):
        world.api.faults.hole.clear()
        await until(lambda: world.inf.stats.error)
        assert "did not watch pods in all namespaces" in world.inf.stats.error
        world.api.faults.hole.set()
        world.pods("a")
        await until(lambda: world.diary.changed == ["a"])
        assert world.inf.stats.error is None


async def test_repeated_events_are_told_once(world, client):
    world.pods("a")
    async with world.informer(client):
        world.api.faults.twice = True
        world.pods("a", "b")
        world.api.remove(PODS, "b", "team-a")
        world.pods("z")
        await until(lambda: "z" in world.diary.changed)
        await until(lambda: world.inf.stats.repeated == 4)
    assert world.diary.changed == ["a", "a", "b", "z"]
    assert len(world.diary.gone) == 1


async def test_pages_that_expire_are_asked_for_all_at_once(world, client):
    world.pods(*(f"p{i:04}" for i in range(501)))
    world.api.faults.expire_pages = 1
    async with world.informer(client, streamed=False):
        assert world.inf.stats.objects == 501
    limits = [seen.params.get("limit") for seen in world.api.asked("GET", "/pods") if "watch" not in seen.params]
    assert limits == ["500", "500", None]
    assert len(world.diary.changed) == 501


async def test_a_server_without_streamed_lists_is_listed_in_pages(world, client):
    world.pods("a")
    world.api.faults.streamed_lists = False
    async with world.informer(client):
        assert world.diary.changed == ["a"]
    assert world.inf.stats.lists == {"start": 1}


async def test_a_streamed_list_that_breaks_halfway_tells_nothing_twice_and_nothing_as_gone(world, client):
    world.pods("a", "b", "c")
    world.api.faults.cut_after = [2]
    async with world.informer(client):
        assert world.inf.stats.synced
    assert sorted(world.diary.changed) == ["a", "b", "c"]
    assert world.diary.gone == []


@WAYS
async def test_what_vanished_while_we_were_down_is_told_with_the_gap_since_it_was_last_seen(world, client, streamed):
    uid = world.api.put(PODS, "a", "team-a")["metadata"]["uid"]
    known = {uid: Seen("a", 900_000), "uid-lost": Seen("lost", 910_000)}
    async with world.informer(client, streamed=streamed, known=known):
        pass
    assert [(gone.uid, gone.object, gone.gap) for gone in world.diary.gone] == [
        ("uid-lost", "lost", Window(910_000, 1_000_000))
    ]


@WAYS
async def test_an_overloaded_server_is_given_the_time_that_it_asks_for(world, streamed):
    world.pods("a")
    world.api.faults.refuse, world.api.faults.retry_after = [429, 429], "7"
    patient = Sleeper()
    async with open_client(world.api, patient) as client, world.informer(client, streamed=streamed):
        assert world.diary.changed == ["a"]
    assert patient.asked == [7.0, 7.0]
    assert world.inf.stats.breaks == 0


async def test_a_server_that_fails_again_and_again_is_listed_anew(world, hasty):
    world.pods("a")
    async with world.informer(hasty, streamed=False):
        world.api.faults.error_after = [(1, 500)]
        await _break_stream(world)
        world.api.faults.refuse = [500, 500, 500, 504, 500]
        world.pods("b")
        await until(lambda: world.inf.stats.relists)
        world.pods("c")
        await until(lambda: "c" in world.diary.changed)
    assert world.inf.stats.lists == {"start": 1, "lost": 1}
    assert world.diary.changed == ["a", "b", "c"]


async def test_watches_that_end_at_once_are_not_begun_again_without_a_wait(world, client):
    world.pods("a")
    world.api.faults.end_at_once = 3
    async with world.informer(client, streamed=False):
        world.pods("b")
        await until(lambda: "b" in world.diary.changed)
    assert len(world.sleeper.asked) == 3
    assert all(wait > 0 for wait in world.sleeper.asked)


async def test_a_missing_permission_is_named_and_the_informer_goes_on_when_it_is_granted(world, client):
    world.pods("a")
    world.api.faults.forbid = {("watch", "pods")}
    async with world.informer(client, synced=False):
        await until(lambda: world.inf.stats.error)
        assert 'resources ["pods"], verbs ["watch"]' in world.inf.stats.error
        world.api.faults.forbid.clear()
        await until(world.inf.synced.is_set)
    assert world.diary.changed == ["a"]


async def test_one_bad_object_is_named_and_the_rest_goes_on(world, client):
    def picky(raw):
        if b'"bad"' in raw:
            raise ValueError("its name is bad")
        return name_of(raw)

    world.pods("a", "bad", "c")
    async with world.informer(client, decode=picky):
        assert world.diary.changed == ["a", "c"]
        assert [text.split(": ")[1] for text in world.inf.stats.bad.values()] == ["its name is bad"]
        world.api.remove(PODS, "bad", "team-a")
        await until(lambda: not world.inf.stats.bad)
    assert world.diary.gone == []


async def test_an_object_that_turns_bad_is_still_there_and_goes_as_it_was_last_known(world, client):
    def picky(raw):
        if b"broken" in raw:
            raise ValueError("broken")
        return name_of(raw)

    world.pods("a")
    async with world.informer(client, decode=picky):
        world.api.put(PODS, "a", "team-a", spec="broken")
        await until(lambda: world.inf.stats.bad)
        world.api.store.compact()
        world.api.wake()
        await until(lambda: world.inf.stats.relists)
        assert world.diary.gone == []
        world.api.remove(PODS, "a", "team-a")
        await until(lambda: world.diary.gone)
    assert world.diary.gone[0].object == "a"


async def test_a_restored_backup_with_lower_versions_is_believed(world, client):
    world.pods("a", "b")
    async with world.informer(client):
        store = world.api.store
        world.api.remove(PODS, "b", "team-a")
        await until(lambda: world.diary.gone)
        store.version = 10
        restored = store.put(PODS, {"metadata": {"name": "a", "namespace": "team-a"}})
        assert restored["metadata"]["resourceVersion"] == "11"
        store.compacted = store.version = 5_000  # the server no longer knows where we were
        store.history.clear()
        world.api.wake()
        await until(lambda: world.inf.stats.relists)
    assert world.diary.changed == ["a", "b", "a"]


async def test_a_failing_consumer_ends_the_informer_instead_of_losing_a_notice(world, client):
    world.pods("a")

    def refuse(_notice):
        raise LedgerUnavailable("disk full")

    informer = Informer(client, Scope(PODS_RESOURCE), name_of, now_ms=world.clock)
    with pytest.raises(RuntimeError, match="the consumer of pods failed: disk full"):
        await informer.run(refuse)


async def test_the_loop_serves_others_while_a_large_list_is_read(world, client):
    world.pods(*(f"p{i:04}" for i in range(1_000)))
    turns = 0

    async def other():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(other())
    at_first = []
    world.diary = lambda _: at_first.append(turns)
    async with world.informer(client, streamed=False):
        task.cancel()
    assert len(set(at_first)) > 15


async def test_a_namespace_scope_watches_that_namespace_alone(world, client):
    world.pods("a")
    world.api.put(PODS, "other", "team-b")
    async with world.informer(client, scope=Scope(PODS_RESOURCE, "team-a", {"labelSelector": "app=x"})):
        world.api.put(NAMESPACES, "team-c")
    assert world.diary.changed == ["a"]
    assert world.api.requests[0].path == "/api/v1/namespaces/team-a/pods"
    assert world.api.requests[0].params["labelSelector"] == "app=x"


async def test_watches_ask_to_be_ended_after_five_to_ten_minutes(world, client):
    async with world.informer(client):
        pass
    assert 300 <= int(world.api.requests[0].params["timeoutSeconds"]) <= 600
