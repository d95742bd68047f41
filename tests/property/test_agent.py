"""Whatever comes between: counters never fall, and nothing is counted twice."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pynvml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aicost.domain.agent.counters import Counters, Measure
from aicost.domain.agent.energy import Mark, energy_since
from aicost.domain.agent.reconcile import Balance, reconcile
from aicost.domain.agent.step import Memory, step
from aicost.domain.agent.utilisation import LONGEST_NS, Cursor
from aicost.domain.agent.values import (
    SECOND_NS,
    Busy,
    EngineTime,
    Outside,
    Part,
    PartReading,
    Pod,
    Reading,
    Running,
    Sample,
)
from support.gpus.node import A, B, C, Node
from support.gpus.nvml import installed
from support.gpus.truth import Card, Process

FAULTS = [
    pynvml.NVML_ERROR_GPU_IS_LOST,
    pynvml.NVML_ERROR_UNKNOWN,
    pynvml.NVML_ERROR_NO_PERMISSION,
    pynvml.NVML_ERROR_TIMEOUT,
]
EVENTS = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([0.2, 1.0, 1.0, 1.0, 3.0, 15.0])),
    st.tuples(st.just("kill"), st.just(0)),
    st.tuples(st.just("tell"), st.just(0)),
    st.tuples(st.just("boot"), st.integers(2, 9)),
    st.tuples(st.just("fault"), st.sampled_from(FAULTS)),
    st.tuples(st.just("well"), st.just(0)),
    st.tuples(st.just("garbage"), st.booleans()),
    st.tuples(st.just("reload"), st.just(0)),
    st.tuples(st.just("clock"), st.integers(-5, 5)),
    st.tuples(st.just("mig"), st.booleans()),
    st.tuples(st.just("full"), st.booleans()),
    st.tuples(st.just("process"), st.sampled_from([A, B, C, ""])),
)


def _happen(node: Node, event: str, value) -> None:
    """Let one thing happen; to wait is what happens with each."""
    if event in EFFECTS:
        EFFECTS[event](node, value)


def _killed(node: Node, _) -> None:
    node.gpus.close()
    node.begin()


def _reloaded(node: Node, _) -> None:
    node.nvml.open = False
    node.truth.energy.clear()


def _clock_set(node: Node, seconds: int) -> None:
    node.sampler.epoch_us += seconds * 1_000_000


def _mig(node: Node, on: bool) -> None:
    node.truth.cards[0].instances = {1: 60, 2: 40} if on else {}


def _disk(node: Node, full: bool) -> None:
    blocker = node.state.with_suffix(".new")
    if full and not blocker.exists():
        blocker.mkdir()
    elif not full and blocker.is_dir():
        blocker.rmdir()


def _process(node: Node, pod: str) -> None:
    now, pid = node.truth.now_us, 100 + len(node.truth.processes) % 5
    for one in [one for one in node.truth.processes if one.pid == pid and one.lives(now)]:
        node.truth.processes.remove(one)
        node.tree.update()
    instance = 1 if node.truth.cards[0].instances else None
    node.truth.processes.append(Process(pid, pod, start_us=now, end_us=now + 9_000_000, instance=instance))


EFFECTS = {
    "kill": _killed,
    "boot": lambda node, number: node.tree.booted(f"b0070000-0000-4000-8000-00000000000{number}"),
    "fault": lambda node, code: node.nvml.faults.gpus.update({0: code}),
    "well": lambda node, _: node.nvml.faults.gpus.clear(),
    "garbage": lambda node, on: setattr(node.nvml.faults, "garbage", on),
    "reload": _reloaded,
    "clock": _clock_set,
    "mig": _mig,
    "full": _disk,
    "process": _process,
}


@given(st.lists(EVENTS, min_size=5, max_size=40), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_counters_never_fall_and_pods_never_have_more_than_their_device(events, gpm, accounting) -> None:
    with TemporaryDirectory() as folder:
        node = Node(Path(folder), [Card("GPU-0")], [Process(100, A)], gpm=gpm, accounting=accounting)
        with installed(node.nvml):
            told: dict = {}
            for event, value in events:
                _happen(node, event, value)
                node.tree.update()
                node.agent.round()
                node.truth.advance(value if event == "wait" else 0.2)
                if event in {"tell", "kill"}:
                    now = node.agent.tell().counters
                    assert all(now.get(key, -1) >= was for key, was in told.items())
                    told = dict(now)
            node.gpus.close()
        _holds(told, node)


def _holds(told: dict, node: Node) -> None:
    sums = {measure: sum(value for (one, _), value in told.items() if one is measure) for measure in Measure}
    given_out = sums[Measure.POD_ENGINE] + sums[Measure.UNMAPPED]
    assert given_out <= sums[Measure.DEVICE_BUSY]
    assert sums[Measure.POD_SM] <= sums[Measure.POD_ENGINE]
    assert sums[Measure.POD_ENERGY] <= sums[Measure.DEVICE_ENERGY]


NS = st.integers(0, 5 * SECOND_NS)
OWNERS = st.sampled_from([Pod("ml", "a", A), Pod("ml", "b", B), Outside.HOST])


@given(st.lists(st.tuples(NS, st.dictionaries(OWNERS, NS)), max_size=30))
def test_what_is_given_out_is_never_more_than_the_device_was_busy_nor_than_was_claimed(readings) -> None:
    balance, busy, claimed, given_out = Balance(), 0, {}, {}
    for busy_ns, claims in readings:
        balance, granted = reconcile(balance, busy_ns, claims)
        busy += busy_ns
        for owner, ns in claims.items():
            claimed[owner] = claimed.get(owner, 0) + ns
        for owner, ns in granted.items():
            given_out[owner] = given_out.get(owner, 0) + ns
        assert sum(given_out.values()) <= busy
        assert all(ns <= claimed.get(owner, 0) for owner, ns in given_out.items())


SAMPLES = st.lists(st.builds(Sample, st.integers(1, 3), st.integers(0, 1 << 64), st.floats()), max_size=6)


@given(st.lists(st.tuples(st.integers(0, 20 * SECOND_NS), SAMPLES, st.booleans()), max_size=20))
def test_a_process_is_never_busier_than_the_time_that_passed(readings) -> None:
    cursor, now_ns, passed, found = Cursor(), 0, 0, {}
    for elapsed_ns, samples, busy in readings:
        now_ns += elapsed_ns
        passed += min(elapsed_ns + SECOND_NS, LONGEST_NS)
        cursor, times = cursor.read(samples, now_ns, busy=busy)
        for one in times:
            assert one.busy_ns >= 0
            found[one.pid] = found.get(one.pid, 0) + one.busy_ns
        assert all(ns <= passed for ns in found.values())


@given(st.lists(st.tuples(st.integers(0, 1 << 63), st.integers(0, 100)), max_size=20))
def test_energy_is_never_below_0_nor_beyond_what_a_board_can_draw(readings) -> None:
    mark, now_ns = None, 0
    for counter_mj, seconds in readings:
        now_ns += seconds * SECOND_NS
        now = Mark(counter_mj, now_ns)
        found = energy_since(mark, now)
        assert found is None or 0 <= found <= 3000 * (seconds + 2) * 1_000_000
        mark = now


PIDS = st.integers(1, 4)
PARTS = st.lists(
    st.builds(
        PartReading,
        st.sampled_from([Part("GPU-0", ""), Part("GPU-0", "1"), Part("GPU-0", "2")]),
        st.none() | st.builds(Busy, NS, st.none() | NS),
        st.none() | st.lists(st.builds(Running, PIDS, st.none() | st.integers(0, 1 << 40)), max_size=4).map(tuple),
        st.integers(1, 132),
        st.booleans(),
    ),
    max_size=3,
    unique_by=lambda one: one.part,
).map(tuple)
READINGS = st.builds(
    Reading,
    st.just("GPU-0"), st.just("H100"), st.integers(0, 1 << 60), NS, PARTS,
    st.none() | st.lists(st.builds(EngineTime, PIDS, st.integers(0, 1 << 60), NS), max_size=4).map(tuple),
    st.none() | st.integers(0, 1 << 62), st.none() | st.integers(0, 10_000_000),
)  # fmt: skip
POD_OF = {1: Pod("ml", "a", A), 2: Pod("ml", "b", B), 3: Outside.HOST, 4: Outside.MPS}


@given(st.lists(READINGS, max_size=5), st.booleans())
@settings(suppress_health_check=[HealthCheck.too_slow])  # readings are large
def test_any_reading_adds_to_counters_and_takes_from_none(readings, held) -> None:
    holders = {Part("GPU-0"): frozenset({Pod("ml", "c", C)})} if held else {}
    memory, counters, busy = Memory(), Counters(), 0
    for one in readings:
        before = dict(counters.values)
        memory, amounts = step(memory, one, lambda pid, _: POD_OF.get(pid, Outside.UNSEEN), holders)
        counters.add(one.uuid, one.model, amounts, one.at_ns)
        assert all(counters.values[key] >= value for key, value in before.items())
        busy += sum(part.busy.engine_ns for part in one.parts if part.busy is not None)
        busy += sum(one.elapsed_ns for part in one.parts if part.busy is None and not part.metered)
        given_out = sum(
            value
            for (measure, _), value in counters.values.items()
            if measure in {Measure.POD_ENGINE, Measure.UNMAPPED}
        )
        assert given_out <= busy
