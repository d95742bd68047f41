"""The rules by which one reading is divided, each by itself."""

from dataclasses import replace

from aicost.domain.agent.ended import Account, Accounts
from aicost.domain.agent.energy import IdlePower
from aicost.domain.agent.reconcile import WAIT_NS, Balance, reconcile
from aicost.domain.agent.step import Amounts, Memory, step
from aicost.domain.agent.utilisation import LONGEST_NS, Cursor
from aicost.domain.agent.values import (
    SECOND_NS,
    Busy,
    EngineTime,
    Outside,
    Owner,
    Part,
    PartReading,
    Pod,
    Reading,
    Running,
    Sample,
)

POD, OTHER = Pod("ml", "a", "A"), Pod("ml", "b", "B")
WHOLE, SLICE = Part("GPU-0"), Part("GPU-0", "1")
OWNERS: dict[int, Owner] = {1: POD, 2: OTHER, 3: Outside.HOST, 4: Outside.MPS}


def _owns(pid: int, _: int | None) -> Owner:
    return OWNERS.get(pid, Outside.UNSEEN)


def _reading(part: Part, busy: int | None, pids: list[int], engine: dict[int, int] | None = None, **more) -> Reading:
    """A second in which a part was busy for so long, with engine time by PID as samples say."""
    measured = None if busy is None else Busy(busy, more.pop("sm", None))
    running = tuple(Running(pid, None) for pid in pids)
    parts = (PartReading(part, measured, running, metered=more.pop("metered", True)),)
    times = None if engine is None else tuple(EngineTime(pid, 1, ns) for pid, ns in engine.items())
    return Reading("GPU-0", "H100", 0, SECOND_NS, parts, times, **more)


def _amounts(*readings: Reading, holders=None) -> Amounts:
    """What the last of some readings adds."""
    memory, amounts = Memory(), Amounts()
    for one in readings:
        memory, amounts = step(memory, one, _owns, holders or {})
    return amounts


def test_who_has_just_gone_was_busy_till_then() -> None:
    amounts = _amounts(_reading(SLICE, 900, [1]), _reading(SLICE, 400, []))
    assert amounts.engine_ns == {(SLICE, POD): 400}


def test_where_one_went_and_another_came_nobody_is_given_what_nothing_tells_apart() -> None:
    assert _amounts(_reading(SLICE, 900, [1]), _reading(SLICE, 400, [2])).engine_ns == {}
    assert _amounts(_reading(SLICE, 900, [1]), _reading(SLICE, 400, [2]), _reading(SLICE, 300, [2])).engine_ns == {
        (SLICE, OTHER): 300
    }


def test_samples_that_come_late_find_what_the_device_did_before() -> None:
    balance, granted = reconcile(Balance(), SECOND_NS, {})
    assert granted == {}
    _, granted = reconcile(balance, 0, {POD: SECOND_NS})
    assert granted == {POD: SECOND_NS}


def test_samples_that_come_early_wait_for_the_device() -> None:
    balance, granted = reconcile(Balance(), 0, {POD: SECOND_NS})
    assert granted == {}
    _, granted = reconcile(balance, 2 * SECOND_NS, {OTHER: SECOND_NS})
    assert granted == {POD: SECOND_NS, OTHER: SECOND_NS}


def test_neither_side_waits_for_long() -> None:
    balance, _ = reconcile(Balance(), 100 * SECOND_NS, {})
    assert balance.room_ns == WAIT_NS
    balance, _ = reconcile(Balance(), 0, {POD: 60 * SECOND_NS, OTHER: 30 * SECOND_NS})
    assert balance.claims == {POD: 2 * SECOND_NS, OTHER: SECOND_NS}


def test_a_server_of_mps_beside_a_process_of_the_host_computes_for_the_one_pod() -> None:
    amounts = _amounts(_reading(WHOLE, 1000, [1, 3, 4], {4: 600, 3: 300}))
    assert amounts.engine_ns == {(WHOLE, POD): 600}
    assert amounts.unmapped_ns == 300
    amounts = _amounts(_reading(WHOLE, 1000, [1, 2, 4], {4: 600}))
    assert amounts.engine_ns == {(WHOLE, POD): 0, (WHOLE, OTHER): 0}
    assert amounts.unmapped_ns == 600


def test_a_first_sample_after_a_long_silence_stands_for_a_moment() -> None:
    cursor, _ = Cursor().read([Sample(1, 50_000_000, 100)], 0, busy=False)
    for second in range(1, 60):
        cursor, times = cursor.read([], second * SECOND_NS, busy=False)
        assert times == ()
    _, (found,) = cursor.read([Sample(1, 110_000_000, 100)], 60 * SECOND_NS, busy=False)
    assert SECOND_NS <= found.busy_ns <= 1.2 * SECOND_NS


def test_a_gap_is_not_filled_with_what_came_after_it() -> None:
    cursor, _ = Cursor().read([Sample(1, 50_000_000, 100)], 0, busy=False)
    _, (found,) = cursor.read([Sample(1, 650_000_000, 100)], 600 * SECOND_NS, busy=False)
    assert found.busy_ns == LONGEST_NS


def test_each_of_several_samples_of_a_process_stands_for_the_time_since_the_one_before() -> None:
    cursor, _ = Cursor().read([Sample(1, 1_000_000, 0)], 0, busy=False)
    samples = [Sample(1, 1_600_000, 50), Sample(1, 1_200_000, 100), Sample(2, 2_000_000, 10)]
    _, times = cursor.read(samples, SECOND_NS, busy=False)
    assert [(one.pid, one.busy_ns) for one in times] == [(1, 400_000_000), (2, 100_000_000)]


def test_where_the_device_is_not_measured_for_a_moment_claims_wait() -> None:
    first = _reading(WHOLE, 500, [1, 2], {1: 200, 2: 300})
    blind = _reading(WHOLE, None, [1, 2], {1: 400})
    assert _amounts(first, blind).engine_ns == {(WHOLE, POD): 0, (WHOLE, OTHER): 0}
    assert _amounts(first, blind, _reading(WHOLE, 900, [1, 2], {2: 500})).engine_ns == {
        (WHOLE, POD): 400,
        (WHOLE, OTHER): 500,
    }
    never = _reading(WHOLE, None, [1, 2], {1: 400}, metered=False)
    assert _amounts(never).engine_ns == {(WHOLE, POD): 400, (WHOLE, OTHER): 0}


def test_processes_that_cannot_be_listed_are_the_holders() -> None:
    one = _reading(WHOLE, 500, [])
    hidden = Reading("GPU-0", "H100", 0, SECOND_NS, (PartReading(WHOLE, Busy(500), None),), None)
    assert _amounts(one).engine_ns == {}
    assert _amounts(hidden, holders={WHOLE: frozenset({POD})}).engine_ns == {(WHOLE, POD): 500}
    assert _amounts(hidden, holders={WHOLE: frozenset({POD, OTHER})}).engine_ns == {}


def test_sm_time_follows_engine_time_and_is_never_more() -> None:
    amounts = _amounts(_reading(WHOLE, 1000, [1, 2], {1: 600, 2: 200}, sm=500))
    assert amounts.sm_ns == {(WHOLE, POD): 300, (WHOLE, OTHER): 100}
    assert _amounts(_reading(WHOLE, 1000, [1], {}, sm=5000)).sm_ns == {(WHOLE, POD): 1000}
    assert _amounts(_reading(WHOLE, 1000, [1], {})).sm_ns == {}


def test_a_pod_caused_what_is_drawn_beyond_an_idle_device() -> None:
    idle = [_reading(WHOLE, 0, [], {}, counter_mj=n * 70_000) for n in range(2)]
    busy = _reading(WHOLE, SECOND_NS, [1], {}, counter_mj=70_000 + 570_000)
    amounts = _amounts(*(_at(one, n) for n, one in enumerate([*idle, busy])))
    assert amounts.energy_uj == 570_000_000
    assert amounts.pod_energy_uj == {(WHOLE, POD): 500_000_000}


def test_idle_power_drifts_and_is_not_thrown_by_one_reading() -> None:
    idle = IdlePower().seen(70_000_000, SECOND_NS)
    assert idle.mw == 70_000
    assert idle.seen(0, SECOND_NS).mw == 61_250


def _account(pid: int, *, running: bool) -> Account:
    return Account(pid, 5, running, 400, 1000)


def test_accounting_counts_those_alone_that_no_sample_spoke_of() -> None:
    accounts, times = Accounts().read([1, 2], [], [])
    assert (times, accounts.open([1, 2])) == ((), []), "what was there before us is settled"
    assert accounts.open([1, 2, 3]) == [3]
    accounts, times = accounts.read([1, 2, 3], [_account(3, running=True)], [3])
    assert (times, accounts.open([1, 2, 3, 4])) == ((), [3, 4])
    accounts, times = accounts.read([1, 2, 3, 4], [_account(3, running=False), _account(4, running=False)], [])
    assert [(one.pid, one.busy_ns) for one in times] == [(4, 400)]


def test_what_has_ended_is_asked_for_once_and_again_when_the_driver_has_forgotten_it() -> None:
    accounts, _ = Accounts().read([], [], [])
    accounts, times = accounts.read([7], [_account(7, running=False)], [])
    assert len(times) == 1
    assert accounts.open([7]) == []
    accounts, _ = accounts.read([], [], [])
    assert accounts.open([7]) == [7], "another process"
    assert len(accounts.read([7], [_account(7, running=False)], [])[1]) == 1


def _at(one: Reading, second: int) -> Reading:
    return replace(one, at_ns=second * SECOND_NS)
