"""At most one candidate leads, and who has lost the lease knows before it writes."""

import asyncio
import time
from contextlib import suppress

import pytest

from aicost.adapters.kube.lease import Leadership, LeaseTimes
from support.fake_api.server import LEASES, FakeApi
from support.fake_api.session import Clock, Sleeper, open_client, until

PLACE = ("aicost-system", "aicost-controller")


class Uptime:
    """Seconds of a clock that tests turn."""

    def __init__(self) -> None:
        self.now = 5_000.0

    def __call__(self) -> float:
        return self.now


class Stepper:
    """Sleeping moves the clock on instead of waiting."""

    def __init__(self, uptime: Uptime) -> None:
        self.uptime = uptime

    async def __call__(self, seconds: float) -> None:
        self.uptime.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
async def api():
    async with FakeApi() as server:
        yield server


@pytest.fixture
async def client(api):
    async with open_client(api, Sleeper()) as opened:
        yield opened


@pytest.fixture
def uptime():
    return Uptime()


@pytest.fixture
def candidate(client, uptime):
    def make(identity: str, *, times: LeaseTimes | None = None, clock=None, sleep=None) -> Leadership:
        lost: list[str] = []
        made = Leadership(
            client, PLACE, identity, now_ms=Clock(), on_lost=lost.append, times=times,
            clock=clock or uptime, sleep=sleep or Stepper(uptime),
        )  # fmt: skip
        made.lost = lost
        return made

    return make


def spec(api: FakeApi) -> dict:
    return api.store.objects["leases", *PLACE]["spec"]


async def test_the_first_candidate_creates_the_lease_and_holds_it(api, candidate):
    a = candidate("a")
    assert not a.holds()
    await a.acquire()
    assert a.holds()
    assert spec(api) == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 12,
        "acquireTime": "1970-01-01T00:16:40.000000Z",
        "renewTime": "1970-01-01T00:16:40.000000Z",
        "leaseTransitions": 0,
    }


async def test_a_second_candidate_waits_for_the_whole_duration_that_it_watched_itself(api, candidate, uptime):
    a, b = candidate("a"), candidate("b")
    await a.acquire()
    uptime.now += 60  # the lease is old, but b has not watched it yet
    began = uptime.now
    await b.acquire()
    assert uptime.now - began >= 12
    assert spec(api)["holderIdentity"] == "b"
    assert spec(api)["leaseTransitions"] == b.transitions == 1


async def test_a_leader_stops_leading_before_another_can_take_over(candidate, uptime):
    a, b = candidate("a"), candidate("b")
    await a.acquire()
    began, both = uptime.now, []
    task = asyncio.create_task(b.acquire())
    while not task.done():
        both.append(a.holds() and b.holds())
        await asyncio.sleep(0)
    assert not any(both)
    assert not a.holds()
    assert uptime.now - began >= 12


async def test_two_candidates_at_once_get_one_leader(api, candidate):
    a, b = candidate("a"), candidate("b")
    first = [await asyncio.gather(a._attempt(a._try_to_take), b._attempt(b._try_to_take))]
    assert sorted(first[0]) == [False, True]
    assert [a.holds(), b.holds()] == first[0]


async def test_a_leader_that_renews_keeps_the_lease(api, candidate, uptime):
    a = candidate("a")
    await a.acquire()
    task = asyncio.create_task(a.hold())
    await until(lambda: uptime.now > 5_100)
    assert a.holds()
    assert spec(api)["leaseTransitions"] == 0
    assert a.lost == []
    await _stop(task)


async def _stop(task):
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_released_lease_is_taken_at_once(api, candidate, uptime):
    a, b = candidate("a"), candidate("b")
    await a.acquire()
    await a.release()
    assert not a.holds()
    assert spec(api)["holderIdentity"] == ""
    began = uptime.now
    await b.acquire()
    assert uptime.now == began
    assert a.lost == []


async def test_what_was_lost_is_not_released(api, candidate, uptime):
    a, b = candidate("a"), candidate("b")
    await a.acquire()
    await b.acquire()
    await a.release()
    assert spec(api)["holderIdentity"] == "b"


async def test_a_leader_whose_lease_was_taken_is_fenced_at_its_next_renewal(api, candidate):
    a = candidate("a")
    await a.acquire()
    lease = api.store.objects["leases", *PLACE]
    api.put(LEASES, PLACE[1], PLACE[0], spec={**lease["spec"], "holderIdentity": "b"})
    async with asyncio.timeout(5):
        await a.hold()
    assert a.lost == ["the lease is held by b"]
    assert not a.holds()


async def test_a_person_who_edits_the_lease_does_not_end_leadership(api, candidate, uptime):
    a = candidate("a")
    await a.acquire()
    lease = api.store.objects["leases", *PLACE]
    api.put(LEASES, PLACE[1], PLACE[0], metadata={"labels": {"touched": "yes"}}, spec=lease["spec"])
    task = asyncio.create_task(a.hold())
    await until(lambda: uptime.now > 5_030)
    assert a.holds()
    await _stop(task)


async def test_an_api_server_that_refuses_until_the_deadline_fences_the_leader(api, candidate, uptime):
    a = candidate("a")
    await a.acquire()
    api.faults.refuse = [500] * 50
    async with asyncio.timeout(5):
        await a.hold()
    assert len(a.lost) == 1
    assert "cannot update leases 'aicost-controller'" in a.lost[0]
    assert uptime.now - 5_000 <= 12


async def test_an_api_server_that_never_answers_fences_the_leader(api, candidate):
    times = LeaseTimes(duration=0.6, deadline=0.4, retry=0.1)
    a = candidate("a", times=times, clock=time.monotonic, sleep=asyncio.sleep)
    await a.acquire()
    api.faults.hole.clear()
    async with asyncio.timeout(5):
        await a.hold()
    assert len(a.lost) == 1
    assert not a.holds()


async def test_a_process_that_slept_through_its_deadline_knows_before_it_writes(api, candidate, uptime):
    a = candidate("a")
    await a.acquire()
    uptime.now += 3_600  # stopped and continued: nothing of ours ran meanwhile
    assert not a.holds()
    writes = len(api.asked("PUT"))
    async with asyncio.timeout(5):
        await a.hold()
    assert len(a.lost) == 1
    assert len(api.asked("PUT")) == writes


async def test_a_loop_that_hangs_is_fenced_by_the_watchdog(candidate):
    times = LeaseTimes(duration=0.5, deadline=0.3, retry=0.1)
    a = candidate("a", times=times, clock=time.monotonic, sleep=asyncio.sleep)
    await a.acquire()
    task = asyncio.create_task(a.hold())
    await asyncio.sleep(0)
    deadline = time.monotonic() + 5
    while not a.lost and time.monotonic() < deadline:
        time.sleep(0.05)  # noqa: ASYNC251 -- the loop hangs, that is the point
    assert a.lost == ["the lease was not renewed within 0.3 s"]
    await _stop(task)


async def test_losing_is_told_once(candidate, uptime):
    a = candidate("a")
    await a.acquire()
    uptime.now += 3_600
    await a.hold()
    await a.hold()
    assert len(a.lost) == 1


async def test_the_wall_clock_decides_nothing(api, candidate, uptime):
    a, b = candidate("a"), candidate("b")
    a._now_ms.forward(86_400)
    await a.acquire()
    b._now_ms.forward(-900)
    assert not await b._attempt(b._try_to_take)
    uptime.now += 8
    assert a.holds()


async def test_a_missing_permission_is_named(api, candidate):
    api.faults.forbid = {("get", "leases")}
    a = candidate("a")
    assert not await a._attempt(a._try_to_take)
    assert 'apiGroups ["coordination.k8s.io"], resources ["leases"], verbs ["get"]' in a.problem


async def test_the_holders_own_longer_duration_is_respected(api, candidate, uptime):
    a = candidate("a", times=LeaseTimes(duration=60, deadline=40, retry=2))
    await a.acquire()
    b = candidate("b")
    began = uptime.now
    await b.acquire()
    assert uptime.now - began >= 60


@pytest.mark.parametrize("times", [(15, 15, 2), (15, 10, 10), (15, 10, 0)])
def test_times_that_do_not_ascend_are_refused(times):
    with pytest.raises(ValueError, match="retry must be shorter than deadline"):
        LeaseTimes(*times)


def test_another_leads_within_twenty_seconds():
    assert LeaseTimes().takeover < 20


async def test_a_leader_that_vanishes_is_followed_within_the_time_that_is_promised(candidate, uptime):
    a, b = candidate("a"), candidate("b")
    await a.acquire()
    began, task = uptime.now, asyncio.create_task(b.acquire())
    await task
    assert uptime.now - began <= LeaseTimes().takeover
