"""What goes wrong with a driver or a device stays with it, is said, and passes."""

import threading

import pynvml
import pytest

from aicost.domain.agent.counters import Measure
from aicost.domain.agent.values import DeviceState
from support.gpus.node import A, B
from support.gpus.truth import Card, Process

TWO = [Card("GPU-0"), Card("GPU-1")]
BUSY = [Process(100, A), Process(200, B, gpu=1)]


def _states(node) -> dict[str, DeviceState]:
    return dict(node.agent.tell().states)


def test_a_device_that_hangs_holds_nobody_up_and_is_read_again_when_it_answers(make_node) -> None:
    node = make_node(TWO, BUSY, patience=0.2)
    node.run(10)
    node.nvml.faults.hanging[0] = threading.Event()
    node.run(3)
    assert _states(node) == {"GPU-0": DeviceState.HANGING, "GPU-1": DeviceState.OK}
    assert node.total(Measure.POD_ENGINE, B) == pytest.approx(13, abs=0.5)
    assert node.agent.tell().up
    node.nvml.faults.hanging.pop(0).set()
    node.patience = 5.0
    for _ in range(200):  # the thread that hung needs a moment of real time
        node.run(1)
        if _states(node)["GPU-0"] is DeviceState.OK:
            break
        threading.Event().wait(0.05)
    assert _states(node)["GPU-0"] is DeviceState.OK
    assert node.total(Measure.POD_ENGINE, A) <= node.truth.engine[100] / 1e6


def test_a_device_that_hangs_gets_no_second_thread(make_node) -> None:
    node = make_node(TWO, BUSY, patience=0.02)
    node.run(5)
    before = threading.active_count()
    node.nvml.faults.hanging[0] = threading.Event()
    node.run(40)
    assert threading.active_count() <= before
    node.nvml.faults.hanging.pop(0).set()


def test_nobody_waits_twice_for_a_device_that_is_known_to_hang(make_node) -> None:
    """A minute of rounds that each waited would be over by far when the test is ended."""
    node = make_node(TWO, BUSY, patience=3.0)
    node.run(2)
    node.nvml.faults.hanging[0] = threading.Event()
    node.run(60)
    assert node.total(Measure.POD_ENGINE, B) == pytest.approx(62, abs=1)
    node.nvml.faults.hanging.pop(0).set()


@pytest.mark.parametrize("code", [pynvml.NVML_ERROR_GPU_IS_LOST, pynvml.NVML_ERROR_RESET_REQUIRED])
def test_a_device_that_is_lost_is_tried_less_and_less_often_and_counts_on_when_it_is_back(make_node, code) -> None:
    node = make_node(TWO, BUSY)
    node.run(20)
    lost = node.total(Measure.POD_ENGINE, A)
    node.nvml.faults.gpus[0] = code
    node.nvml.calls.clear()
    node.run(300)
    assert _states(node) == {"GPU-0": DeviceState.LOST, "GPU-1": DeviceState.OK}
    assert node.nvml.calls.count("nvmlDeviceGetHandleByUUID") < 15
    assert node.total(Measure.POD_ENGINE, A) == lost
    assert node.total(Measure.POD_ENGINE, B) == pytest.approx(320, abs=2)
    node.nvml.faults.gpus.clear()
    node.run(120)
    assert _states(node)["GPU-0"] is DeviceState.OK
    assert 60 < node.total(Measure.POD_ENGINE, A) - lost < 121
    assert node.total(Measure.DEVICE_ENERGY) == pytest.approx(sum(node.truth.energy.values()), rel=0.02)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "installed and not loaded"),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "upgraded while it was loaded"),
        (pynvml.NVML_ERROR_NO_PERMISSION, "NVIDIA_VISIBLE_DEVICES"),
        (pynvml.NVML_ERROR_UNKNOWN, "does not answer"),
    ],
)
def test_a_driver_that_is_not_there_is_said_with_what_to_do_and_waited_for(make_node, code, words) -> None:
    node = make_node(TWO, BUSY)
    node.nvml.faults.init = code
    node.run(60)
    told = node.agent.tell()
    assert words in told.problem
    assert not told.up
    assert node.nvml.calls.count("nvmlInitWithFlags") < 10
    node.nvml.faults.init = pynvml.NVML_SUCCESS
    node.run(70)
    told = node.agent.tell(at_once=True)
    assert told.up
    assert told.problem == ""
    assert node.total(Measure.POD_ENGINE, A) > 5


def test_a_driver_that_is_reloaded_is_opened_again(make_node) -> None:
    node = make_node(TWO, BUSY)
    node.run(20)
    node.nvml.open = False  # every call says: not initialised
    node.truth.energy.clear()  # and its counters begin again
    before = node.total(Measure.DEVICE_ENERGY)
    node.run(20)
    assert set(_states(node).values()) == {DeviceState.OK}
    assert node.total(Measure.DEVICE_ENERGY) - before == pytest.approx(sum(node.truth.energy.values()), rel=0.2)
    assert node.total(Measure.POD_ENGINE, A) > 30


def test_a_gpu_that_comes_later_is_found(make_node) -> None:
    node = make_node([Card("GPU-0")], BUSY)
    node.run(10)
    node.truth.cards.append(Card("GPU-1"))
    node.run(130)
    assert _states(node) == {"GPU-0": DeviceState.OK, "GPU-1": DeviceState.OK}


OPTIONAL = [
    "nvmlDeviceGetProcessesUtilizationInfo",
    "nvmlDeviceGetProcessUtilization",
    "nvmlGpmQueryDeviceSupport",
    "nvmlGpmSampleGet",
    "nvmlGpmMetricsGet",
    "nvmlDeviceGetSamples",
    "nvmlDeviceGetTotalEnergyConsumption",
    "nvmlDeviceGetMigMode",
    "nvmlDeviceGetMPSComputeRunningProcesses_v3",
    "nvmlDeviceGetAccountingPids",
    "nvmlDeviceGetAccountingStats_v2",
]


@pytest.mark.parametrize("name", OPTIONAL)
@pytest.mark.parametrize("accounting", [True, False])
def test_without_a_call_the_next_best_measures_and_it_is_said(make_node, name, accounting) -> None:
    node = make_node([Card("GPU-0")], [Process(100, A, start_us=2_000_000)], accounting=accounting)
    node.nvml.faults.missing.add(name)
    node.run(60)
    assert node.total(Measure.POD_ENGINE, A) == pytest.approx(58, rel=0.05)
    assert node.total(Measure.DEVICE_ENERGY) == pytest.approx(node.truth.energy[0], rel=0.1)
    works = node.agent.tell().capabilities["GPU-0"]
    asked = {"nvmlDeviceGetProcessUtilization", "nvmlDeviceGetSamples", "nvmlDeviceGetAccountingStats_v2"}
    assert works.get(name, name not in asked) is False or name in asked


def test_with_the_oldest_calls_alone_there_are_still_counters(make_node) -> None:
    node = make_node([Card("GPU-0")], [Process(100, A, start_us=2_000_000), Process(200, B, start_us=2_000_000)])
    node.nvml.faults.missing |= {one for one in OPTIONAL if one != "nvmlDeviceGetProcessUtilization"}
    node.run(60)
    for uid in (A, B):
        assert node.total(Measure.POD_ENGINE, uid) == pytest.approx(29, rel=0.05)
    assert Measure.POD_SM not in {measure for measure, _ in node.agent.tell().counters}


def test_calls_that_are_refused_turn_a_device_denied(make_node) -> None:
    node = make_node(TWO, BUSY)
    node.nvml.faults.gpus[0] = 0
    node.run(5)
    for name in ("ComputeRunningProcesses_v3", "ProcessesUtilizationInfo", "TotalEnergyConsumption", "MigMode"):
        node.nvml.faults.codes[f"nvmlDeviceGet{name}"] = pynvml.NVML_ERROR_NO_PERMISSION
    node.run(5)
    assert _states(node)["GPU-1"] is DeviceState.OK  # GPM still works
    node.nvml.faults.gpus[0] = pynvml.NVML_ERROR_NO_PERMISSION
    node.run(400)
    assert _states(node)["GPU-0"] is DeviceState.DENIED


def test_garbage_of_the_driver_is_counted_as_nothing(make_node) -> None:
    node = make_node([Card("GPU-0")], [Process(100, A), Process(200, B)], gpm=False)
    node.run(20)
    before = dict(node.agent.tell(at_once=True).counters)
    node.nvml.faults.garbage = True
    node.run(30)
    after = node.agent.tell(at_once=True).counters
    grown = {key: after[key] - before.get(key, 0) for key in after}
    assert all(value >= 0 for value in grown.values())
    energy = sum(value for (measure, _), value in grown.items() if measure is Measure.DEVICE_ENERGY)
    assert energy <= 31 * 570e6  # by the power of the moment, which is no garbage
    assert sum(value for (measure, _), value in grown.items() if measure is Measure.POD_MEMORY) == 0
    engine = sum(value for (measure, _), value in grown.items() if measure is Measure.POD_ENGINE)
    assert engine <= 31e9
    node.nvml.faults.garbage = False
    node.run(60)
    assert node.total(Measure.POD_ENGINE, A) <= node.truth.engine[100] / 1e6 * 1.05


@pytest.mark.parametrize("step_s", [3600, -3600])
def test_a_clock_of_the_driver_that_is_set_blinds_for_a_moment_at_most(make_node, step_s) -> None:
    node = make_node([Card("GPU-0")], [Process(100, A), Process(200, B)])
    node.run(20)
    node.sampler.epoch_us += step_s * 1_000_000
    before = node.total(Measure.POD_ENGINE)
    node.run(60)
    grown = node.total(Measure.POD_ENGINE) + node.total(Measure.UNMAPPED) - before
    assert 40 < grown <= 61
