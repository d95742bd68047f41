"""A real API server or object store is away, hangs, refuses, is started again and forgets: no money is lost.

Two API servers share one etcd. One controller, with all that production has, asks the first, which fails; another one
asks the second, which does not. Both live through the same script, and their ledgers are compared row by row.
"""

import asyncio
import signal
from collections import Counter
from fractions import Fraction

import pytest

from aicost.adapters.kube.wire.transport import Timeouts
from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS, Window
from aicost.domain.ledger.rows import Component, Row
from aicost.entrypoints.controller import main
from fleet.activity import Steady
from fleet.builders import node, pod
from fleet.script import Fleet, SimExporter
from support.object_store import options, place
from support.outages import Prometheus, assert_equal, assert_sound
from support.pipeline import STEP
from support.two_servers.control_plane import TwoServers
from support.two_servers.observers import Whole, hurried
from support.two_servers.town import Clock, Town
from support.two_servers.world import OURS

__all__ = ["hurried"]
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
REPORT = f"{OURS}/clusteraicostreports/month-to-date-by-namespace"


@pytest.fixture(scope="module")
def servers(programs, tmp_path_factory):
    with TwoServers(tmp_path_factory.mktemp("servers"), programs) as running:
        yield running


@pytest.fixture
async def town(servers, hurried, tmp_path):
    """The script from its beginning; `begin` starts the controllers."""
    clock = Clock(hurried)
    with Prometheus().running() as prometheus:
        made = Town(servers, fleet(clock.at_ms), clock, prometheus, tmp_path)
        yield made
        await made.end()


def exported(name: str, number: int, gpus: int, **more):
    return node(name, gpus=gpus, exporters=(SimExporter(pod=f"exporter-{name}", ip=f"10.1.0.{number}"),), **more)


def fleet(begin_ms: int) -> Fleet:
    """Pods that stay, end, are deleted, come, and come and go between 20 and 80 minutes, and a node that leaves."""

    def at(minutes: float) -> int:
        return begin_ms + round(minutes * MINUTE_MS)

    host, other, leaving = exported("gpu-a", 1, 4), exported("gpu-b", 2, 1), exported("gpu-c", 3, 1, removed_ms=at(50))
    lives = {
        "train": (host, 0, {"bound_ms": at(2)}),
        "ends": (host, 1, {"bound_ms": at(4), "finished_ms": at(48)}),
        "vanishes": (host, 2, {"bound_ms": at(5), "deleted_ms": at(53)}),
        "comes": (host, 3, {"bound_ms": at(40)}),
        "passes": (other, 0, {"bound_ms": at(35), "deleted_ms": at(60)}),
    }
    pods = [
        pod(name, on, (index,), started_ms=life["bound_ms"], activity=Steady(Fraction(3, 4)), **life)
        for name, (on, index, life) in lives.items()
    ]
    return Fleet((host, other, leaving), tuple(pods))


def at(town: Town, minutes: float) -> int:
    return town.begin_ms + round(minutes * MINUTE_MS)


FAILS = {
    "killed": (TwoServers.kill_first, TwoServers.start_first),
    "hanging": (TwoServers.hang_first, TwoServers.wake_first),
}


@pytest.mark.parametrize("how", FAILS)
async def test_after_an_hour_without_an_api_server_all_is_billed_that_anybody_saw_and_samples_tell_the_rest(
    town, servers, caplog, how
):
    fail, heal = FAILS[how]
    await town.begin()
    await town.live(at(town, 20))
    await town.published(REPORT)
    fail(servers)
    await asyncio.sleep(0.3)  # what was on its way comes at its own time
    town.here, one = False, town.one
    caplog.clear()
    await town.live(at(town, 80))

    assert one.process._alive().startswith("no sign of life from the watch of pods"), "a restart lists anew"
    assert one.failures()["publish", "ClusterUnavailable"] == 6 * 5, "each round tries each report and book once"
    told = [record.message for record in caplog.records].count("status not written")
    assert 5 <= told <= 2 * 5, "each object once while it lasts; a connection that breaks says other words than none"
    assert "list-own-resources" in one.state.problems
    assert one.condition("DataFresh")[:2] == ("True", "Fresh"), "windows are closed from what is known"
    await until(lambda: (one.shown("aicost_informer_last_event_age_seconds", "pods") or 0) >= 3_600)
    informers = [one.watch._pods, one.watch._nodes, one.watch._services]
    assert all(informer._backoff.failures > 1 for informer in informers), "pauses grow"

    heal(servers)
    await town.caught_up()
    await town.live(at(town, 100))
    assert one.state.problems.keys() <= {"enforce-labels"}, "which looks each minute by the system's clock"
    await town.published(REPORT)
    relisted = one.watch._pods.stats.lists["expired"]
    assert relisted == (how == "killed"), "a server that only hung tells what was missed"
    assert_as_undisturbed(town, Window(at(town, 20), at(town, 80)))


async def until(holds) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 -- metrics set no event
            await asyncio.sleep(0.05)


def assert_as_undisturbed(town: Town, away: Window) -> None:
    """The ledgers are equal, but for what went while nobody looked: that is told by samples, and marked."""
    got, want = town.one.rows(), town.other.rows()
    unseen = {"vanishes", "passes"}
    places = {row.place.device for row in want if row.holder.pod in unseen}
    plain = [
        [row for row in rows if row.place.node != "gpu-c" and row.place.device not in places] for rows in (got, want)
    ]
    assert_equal(*plain)
    assert_sound([row for row in got if row.place.node != "gpu-c"])
    for name in unseen:
        mine, theirs = (spans(rows, name) for rows in (got, want))
        assert abs(sum(mine.values()) - sum(theirs.values())) <= 3 * STEP, (mine, theirs)
        doubtful = {row.window for row in got if row.holder.pod == name and "gap" in row.flags}
        assert max(theirs) in doubtful, "the end is marked as uncertain"
    left = sum(row.gpu_milliseconds for row in got if row.component is Component.GPU and row.place.node == "gpu-c")
    assert at(town, 50) - town.begin_ms <= left <= away.end_ms - town.begin_ms, "paid until it was missed"


def spans(rows: tuple[Row, ...], name: str) -> dict[Window, int]:
    """GPU time of a pod by window."""
    found: dict[Window, int] = {}
    for row in rows:
        if row.component is Component.GPU and row.holder.pod == name:
            found[row.window] = found.get(row.window, 0) + row.gpu_milliseconds
    return {window: time for window, time in found.items() if time}


async def test_a_leader_that_loses_its_lease_ends_and_the_next_one_closes_what_is_due_as_if_nothing_had_been(
    town, servers, hurried
):
    await town.begin(leader={"enabled": True, "namespace": "default"})
    await town.live(at(town, 20))
    closed = town.one.rows()
    reason = await town.one.until_lost(hurried, servers.kill_first)
    assert "did not" in reason, reason
    town.here = False
    await town.one.start()
    await town.live(at(town, 80))
    assert town.one.rows() == closed, "nobody leads, nobody posts"
    assert "not all is known yet" in town.one.process._ready()
    servers.start_first()
    await town.one.until_leading()
    await town.caught_up()
    await town.live(at(town, 100))
    assert town.one.state.problems.keys() <= {"enforce-labels"}
    assert_as_undisturbed(town, Window(at(town, 20), at(town, 80)))


async def test_a_server_that_was_restarted_and_forgot_is_listed_anew_and_what_is_missing_went_in_the_gap(town, servers):
    await town.begin()
    await town.live(at(town, 50))
    servers.kill_first()
    town.here = False
    await town.live(at(town, 55))
    servers.forget_history()
    servers.start_first()
    await town.caught_up()
    await town.live(at(town, 65))
    one = town.one
    assert [informer.stats.lists["expired"] for informer in (one.watch._pods, one.watch._nodes)] == [1, 1]
    await until(lambda: one.shown("aicost_informer_relists", "pods") == 1)
    record = one.pod("vanishes")
    assert record.gone
    assert record.gap == Window(at(town, 50), at(town, 55)), "from the last word of the watch to the new list"
    assert record.held_until_ms == record.gap.end_ms
    assert one.state.problems.keys() <= {"enforce-labels"}
    mine, theirs = (spans(rows, "vanishes") for rows in (one.rows(), town.other.rows()))
    assert 0 <= sum(mine.values()) - sum(theirs.values()) <= STEP + SECOND_MS
    kept = [
        [row for row in rows if row.holder.pod in {"train", "ends", "comes"}]
        for rows in (one.rows(), town.other.rows())
    ]
    assert_equal(*kept)


HASTY = {"max_retries": "0", "retry_timeout": "1s", "timeout": "1s"}
SEE_TO_IT = "the object store does not answer as it should"


def store_faults(store, patched):
    """How the object store fails and is mended, and what people are told."""
    right = store.environment["AWS_SECRET_ACCESS_KEY"]
    return {
        "away": (store.stop, store.start, SEE_TO_IT),
        "refusing": (
            lambda: patched.setenv("AWS_SECRET_ACCESS_KEY", "not-the-right-one"),
            lambda: patched.setenv("AWS_SECRET_ACCESS_KEY", right),
            "let the ledger's key list, read and write",
        ),
        "hanging": (
            lambda: store._child.process.send_signal(signal.SIGSTOP),
            lambda: store._child.process.send_signal(signal.SIGCONT),
            SEE_TO_IT,
        ),
    }


async def test_an_object_store_that_is_away_refuses_or_hangs_is_named_and_waited_for_and_the_lease_is_kept(
    town, store, hurried, caplog
):
    lost: list[str] = []
    hurried.setattr(main, "_leave", lost.append)
    hurried.setattr(Whole, "timeouts", Timeouts())  # a quiet watch is no broken one while rounds wait for the store
    ledger = {"url": place(store), "storageOptions": {**options(store), **HASTY}}
    await town.begin(ledger=ledger, leader={"enabled": True, "namespace": "default"})
    one, minute = town.one, 20
    await town.live(at(town, minute))
    for fail, heal, words in store_faults(store, hurried).values():
        caplog.clear()
        failed = one.failures().get(("close", "LedgerUnavailable"), 0)
        fail()
        minute += 20
        beats = await beating(town.live(at(town, minute)))
        assert beats > 50, "the loop goes on"
        assert one.failures()["close", "LedgerUnavailable"] == failed + 2, "once a round"
        published = await town.conditions(REPORT)
        assert [said for said in published.values() if said[0] == "False" and words in said[2]], published
        told = Counter(one.fields["step"] for one in caplog.records if one.message.startswith("step failed"))
        assert told.keys() >= {"close", "open", "reports"}
        assert max(told.values()) <= 2, "each step once while it lasts, or twice where the store says it otherwise"
        heal()
        minute += 10
        await town.live(at(town, minute))
        assert (await town.conditions(REPORT))["DataFresh"][:2] == ("True", "Fresh")
    assert lost == []
    assert one.process._holds()
    await town.live(at(town, minute + 40))  # what is counted beside the rounds waits for half an hour after failures
    assert one.state.problems.keys() <= {"enforce-labels"}
    assert_equal(one.rows(), town.other.rows())


async def beating(work) -> int:
    """How often the loop came round while something was done."""
    task, beats = asyncio.ensure_future(work), 0
    while not task.done():
        await asyncio.sleep(0.01)
        beats += 1
    await task
    return beats
