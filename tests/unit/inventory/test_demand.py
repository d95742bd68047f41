"""Devices of a pod, counted as the scheduler counts."""

from aicost.domain.inventory.accelerators import Unit, accelerator, accelerators_only, count_of
from aicost.domain.inventory.demand import ContainerDemand, device_demand

GPU = "nvidia.com/gpu"


def asks(count, *, sidecar=False, resource=GPU):
    return ContainerDemand({resource: count, "cpu": 4}, restartable=sidecar)


def test_containers_run_together_so_their_devices_are_added():
    assert device_demand([asks(2), asks(1)]) == {GPU: 3}


def test_init_containers_run_one_after_another_so_the_greediest_counts():
    assert device_demand([asks(1)], [asks(4), asks(2)]) == {GPU: 4}
    assert device_demand([asks(5)], [asks(4), asks(2)]) == {GPU: 5}


def test_a_sidecar_runs_beside_the_containers():
    assert device_demand([asks(1)], [asks(2, sidecar=True)]) == {GPU: 3}


def test_an_init_container_runs_beside_the_sidecars_that_started_before_it():
    assert device_demand([asks(1)], [asks(2, sidecar=True), asks(4)]) == {GPU: 6}
    assert device_demand([asks(1)], [asks(4), asks(2, sidecar=True)]) == {GPU: 4}


def test_each_resource_is_counted_for_itself_and_zero_is_left_out():
    mixed = [asks(1, resource="nvidia.com/mig-1g.10gb"), asks(0), asks(2, resource="amd.com/gpu")]
    assert device_demand(mixed) == {"amd.com/gpu": 2, "nvidia.com/mig-1g.10gb": 1}


def test_a_pod_without_accelerators_asks_for_none():
    assert device_demand([ContainerDemand({"cpu": 4, "memory": 7})]) == {}


def test_resources_are_recognised_by_the_table():
    units = {
        "nvidia.com/gpu": Unit.DEVICE,
        "nvidia.com/gpu.shared": Unit.SLOT,
        "nvidia.com/mig-3g.40gb": Unit.INSTANCE,
        "nvidia.com/gpucores": Unit.PORTION,
        "volcano.sh/vgpu-number": Unit.SLOT,
        "volcano.sh/vgpu-memory": Unit.PORTION,
        "amd.com/gpu": Unit.DEVICE,
        "gpu.intel.com/xe": Unit.DEVICE,
        "google.com/tpu": Unit.DEVICE,
        "aws.amazon.com/neuroncore": Unit.INSTANCE,
        "habana.ai/gaudi": Unit.DEVICE,
    }
    assert {name: accelerator(name).unit for name in units} == units


def test_what_only_looks_like_an_accelerator_is_none():
    for name in ("nvidia.com/hostdev", "gpu.intel.com/i915_monitoring", "rdma/hca", "cpu", "nvidia.com/gpux"):
        assert accelerator(name) is None
    assert accelerators_only({"cpu": 1, GPU: 0}) == {GPU: 0}


def test_one_card_under_two_names_is_one_card():
    assert count_of({"aws.amazon.com/neuron": 16, "aws.amazon.com/neurondevice": 16}, Unit.DEVICE) == 16
    assert count_of({"nvidia.com/mig-1g.5gb": 3, "nvidia.com/mig-3g.20gb": 1}, Unit.INSTANCE) == 4
