"""What the agent counts is what happened, in each way of sharing a GPU and with each kind of driver."""

import pytest

from aicost.domain.agent.counters import Measure
from aicost.ports.agent import Held
from support.gpus.node import A, B, C, D
from support.gpus.sampler import Sampler
from support.gpus.truth import Card, Process

H100 = [Card("GPU-0")]


def _near(found: float, true: float, percent: float, least: float = 0.05) -> None:
    assert abs(found - true) <= max(true * percent / 100, least), f"{found} and not {true}"


def test_a_pod_that_has_a_gpu_alone_gets_what_the_hardware_counted(make_node) -> None:
    node = make_node(H100, [Process(100, A, on_us=300_000, start_us=5_000_000)])
    node.run(60)
    true = node.truth.engine[100] / 1e6
    _near(node.total(Measure.POD_ENGINE, A), true, 2)
    _near(node.total(Measure.DEVICE_BUSY), true, 1)
    _near(node.total(Measure.POD_SM, A), true * 0.5, 3)
    _near(node.total(Measure.POD_MEMORY, A), 55 * 2**30, 5)
    _near(node.total(Measure.POD_ENERGY, A), node.truth.active_energy[100], 10)
    _near(node.total(Measure.DEVICE_ENERGY), node.truth.energy[0], 1)
    assert node.total(Measure.UNMAPPED) == 0


@pytest.mark.parametrize(
    ("period_us", "averages"), [(170_000, True), (500_000, True), (1_000_000, True), (1_000_000, False)]
)
@pytest.mark.parametrize("gpm", [True, False], ids=["gpm", "no gpm"])
def test_pods_that_share_a_gpu_in_time_get_what_each_used(make_node, period_us, averages, gpm) -> None:
    processes = [
        Process(100, A, start_us=3_000_000),
        Process(200, B, start_us=3_000_000, on_us=4_000_000, period_us=10_000_000),
        Process(300, C, start_us=20_000_000, end_us=140_000_000, on_us=822_000, period_us=1_370_000),
    ]
    node = make_node(H100, processes, gpm=gpm, sampler=Sampler(period_us, averages=averages))
    node.run(240)
    for pid, uid in ((100, A), (200, B), (300, C)):
        _near(node.total(Measure.POD_ENGINE, uid), node.truth.engine[pid] / 1e6, 5)
        _near(node.total(Measure.POD_ENERGY, uid), node.truth.active_energy[pid], 10)
    assert node.total(Measure.POD_ENGINE) <= node.truth.busy[0, None] / 1e6 * 1.01
    assert node.total(Measure.POD_ENERGY) <= node.total(Measure.DEVICE_ENERGY)


@pytest.mark.parametrize("accounting", [False, True], ids=["", "accounting"])
def test_each_pod_that_lived_two_seconds_is_found(make_node, accounting) -> None:
    """One after the other beside a pod that always computes, each with the engine time that it had."""
    short = [
        Process(1000 + number, uid, start_us=5_300_000 + number * 2_700_000, end_us=7_300_000 + number * 2_700_000)
        for number, uid in enumerate([B, C, D] * 20)
    ]
    node = make_node(H100, [Process(100, A, on_us=400_000), *short], accounting=accounting)
    node.run(180)
    for uid in (B, C, D):
        true = sum(node.truth.engine[one.pid] for one in short if one.pod == uid) / 1e6
        _near(node.total(Measure.POD_ENGINE, uid), true, 5)
    assert node.total(Measure.UNMAPPED) == 0


def test_a_process_between_two_readings_is_counted_by_accounting_for_the_one_holder(make_node) -> None:
    flash = [
        Process(2000 + n, B, start_us=10_150_000 + n * 1_000_000, end_us=10_550_000 + n * 1_000_000) for n in range(20)
    ]
    node = make_node(H100, flash, accounting=True, sampler=Sampler(1_000_000, averages=False))
    node.sampler.processes = _Nothing()
    node.held.now = (Held("ml", "b", ("GPU-0",)),)
    node.run(40)
    _near(node.total(Measure.POD_ENGINE, B), 20 * 0.4, 5)
    assert node.nvml.calls.count("nvmlDeviceGetAccountingStats_v2") <= 2 * len(flash)


def test_a_pid_that_is_used_again_is_not_the_pod_that_had_it(make_node) -> None:
    again = [
        Process(500, B, start_us=4_000_000, end_us=20_000_000),
        Process(500, C, start_us=20_000_000, end_us=40_000_000, on_us=500_000),
    ]
    node = make_node(H100, [Process(100, A, on_us=100_000), *again])
    node.run(60)
    share = node.total(Measure.POD_ENGINE, B) / node.total(Measure.POD_ENGINE, C)
    assert 1.5 < share < 2.2
    total = node.truth.engine[500] / 1e6
    _near(node.total(Measure.POD_ENGINE, B) + node.total(Measure.POD_ENGINE, C), total, 5)


def test_processes_outside_pods_are_unmapped_and_never_dropped(make_node) -> None:
    node = make_node(H100, [Process(100, A, start_us=2_000_000), Process(7, "", start_us=2_000_000)])
    node.run(60)
    _near(node.total(Measure.POD_ENGINE, A), 29, 5)
    _near(node.total(Measure.UNMAPPED), 29, 5)


def test_processes_of_another_pid_namespace_are_the_one_holders(make_node) -> None:
    node = make_node(H100, [Process(100, A, start_us=2_000_000)])
    (node.tree.proc / "100").mkdir()  # nothing in it can be read
    node.tree.update = lambda: None
    node.held.now = (Held("ml", "a", ("GPU-0",)),)
    node.run(30)
    _near(node.total(Measure.POD_ENGINE, A), 28, 5)
    node.held.now = (Held("ml", "a", ("GPU-0::1",)), Held("ml", "b", ("GPU-0::2",)))
    before = node.total(Measure.POD_ENGINE)
    node.run(30)
    assert node.total(Measure.POD_ENGINE) - before <= 2
    _near(node.total(Measure.UNMAPPED), 30, 5, least=2)


def test_instances_of_mig_are_measured_each_by_itself(make_node) -> None:
    cards = [Card("GPU-0", instances={1: 60, 5: 32}), Card("GPU-1")]
    processes = [
        Process(100, A, instance=1, start_us=5_000_000, on_us=500_000),
        Process(200, B, instance=5, start_us=5_000_000),
        Process(300, C, gpu=1, start_us=5_000_000, on_us=200_000),
    ]
    node = make_node(cards, processes)
    node.run(60)
    for pid, uid in ((100, A), (200, B), (300, C)):
        _near(node.total(Measure.POD_ENGINE, uid), node.truth.engine[pid] / 1e6, 2)
        _near(node.total(Measure.POD_ENERGY, uid), node.truth.active_energy[pid], 10)
    parts = {labels[:2] for measure, labels in node.agent.tell().counters if measure is Measure.POD_ENGINE}
    assert parts == {("GPU-0", "1"), ("GPU-0", "5"), ("GPU-1", "")}
    busy = {labels[:2] for measure, labels in node.agent.tell().counters if measure is Measure.DEVICE_BUSY}
    assert busy == parts


def test_where_nothing_tells_the_pods_of_an_instance_apart_nobody_is_given_anything(make_node) -> None:
    node = make_node(
        [Card("GPU-0", instances={1: 60})],
        [Process(100, A, instance=1, start_us=5_000_000), Process(200, B, instance=1, start_us=5_000_000)],
    )
    node.run(30)
    assert Measure.POD_ENGINE not in {measure for measure, _ in node.agent.tell().counters}
    _near(node.total(Measure.DEVICE_BUSY), 25, 5)
    _near(node.total(Measure.POD_MEMORY, A), 25 * 2**30, 5)


def test_mig_that_is_turned_on_and_off_is_followed(make_node) -> None:
    node = make_node([Card("GPU-0")], [Process(100, A), Process(200, B, instance=3)])
    node.run(20)
    node.truth.cards[0].instances[3] = 60
    node.run(20)
    node.truth.cards[0].instances.clear()
    node.run(20)
    _near(node.total(Measure.POD_ENGINE, A), 40, 8)
    _near(node.total(Measure.POD_ENGINE, B), 20, 8)


def test_what_a_server_of_mps_computes_is_its_clients(make_node) -> None:
    """Clients have contexts, and samples speak of the server alone."""
    server = Process(50, "", start_us=1_000_000, name="nvidia-cuda-mps-server", memory=0)
    node = make_node(H100, [server, Process(100, A, start_us=1_000_000, on_us=0)])
    node.run(40)
    _near(node.total(Measure.POD_ENGINE, A), 39, 5)
    node.truth.processes.append(Process(200, B, start_us=node.truth.now_us, on_us=0))
    node.run(40)
    assert node.total(Measure.POD_ENGINE, B) == 0
    _near(node.total(Measure.UNMAPPED), 40, 8)


def test_clients_of_mps_that_samples_tell_apart_get_their_own(make_node) -> None:
    server = Process(50, "", start_us=1_000_000, name="nvidia-cuda-mps-server", on_us=0)
    node = make_node(H100, [server, Process(100, A, on_us=600_000), Process(200, B, on_us=200_000)])
    node.run(60)
    for pid, uid in ((100, A), (200, B)):
        _near(node.total(Measure.POD_ENGINE, uid), node.truth.engine[pid] / 1e6, 5)


class _Nothing(dict):
    """A driver that never samples a process."""

    def get(self, *_):
        return []
