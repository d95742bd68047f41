"""What is reserved of devices by the extended resources that a pod asks for."""

from fractions import Fraction

import msgspec
import pytest

from aicost.adapters.kube.seen.decode import decode_node
from aicost.domain.attribution.resolvers.scene import scene_of
from aicost.domain.attribution.resolvers.table import held_by
from aicost.domain.inventory.nodes import NodeFacts, SharingMode
from support.builders import T0, make_pod

PLAIN = NodeFacts("uid", "node", 0, gpus=8, gpu_model="h100-80gb")
H100 = "NVIDIA-H100-80GB-HBM3"


def node(capacity, **labels):
    """A node as the API server shows it, with labels of GPU feature discovery."""
    named = {f"nvidia.com/{key.replace('_', '.')}": value for key, value in labels.items()}
    metadata = {"uid": "u", "name": "n", "creationTimestamp": "2026-11-20T10:00:00Z", "labels": named}
    body = {"metadata": metadata, "status": {"capacity": capacity, "allocatable": capacity}}
    return decode_node(msgspec.json.encode(body)).facts


def shares(facts, devices):
    builder = make_pod("team", "p").on("node").bound(T0)
    for resource, count in devices.items():
        builder = builder.gpus(count, resource)
    record = builder.record()
    pieces = held_by(scene_of(facts, (), [record]), record).pieces
    return tuple(ask.share for _, asks in pieces for ask in asks)


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ({"nvidia.com/gpu": 2}, (1, 1)),
        ({"nvidia.com/gpu": 1, "nvidia.com/gpumem": 3_000, "nvidia.com/gpucores": 30}, (1,)),
        ({"volcano.sh/vgpu-number": 1, "volcano.sh/vgpu-memory": 8_000}, (1,)),
        ({"gpu.intel.com/i915": 1, "gpu.intel.com/millicores": 500}, (Fraction(1, 2),)),
        ({"gpu.intel.com/xe": 2, "gpu.intel.com/millicores": 500}, (Fraction(1, 4), Fraction(1, 4))),
        ({"amd.com/gpu": 1}, (1,)),
        ({"amd.com/cpx_nps4": 2}, (Fraction(1, 8), Fraction(1, 8))),
        ({"google.com/tpu": 4}, (1, 1, 1, 1)),
        ({"habana.ai/gaudi": 1}, (1,)),
        ({"aws.amazon.com/neuroncore": 1}, (1,)),
        ({"nvidia.com/mig-3g.40gb": 1}, (Fraction(1, 2),)),
        ({"nvidia.com/mig-1g.10gb": 1}, (Fraction(1, 7),)),
        ({"nvidia.com/mig-1g.20gb.me": 1}, (Fraction(1, 4),)),
        ({"nvidia.com/mig-2g.7gb": 1}, (Fraction(2, 7),)),
        ({"nvidia.com/GRID_H100-10C": 1}, (Fraction(1, 8),)),
        ({"nvidia.com/NVIDIA_H100-80C": 1}, (1,)),
        ({"example.com/fpga": 1}, (1,)),
        ({"nvidia.com/gpu": 0}, ()),
        ({}, ()),
    ],
)
def test_each_resource_is_its_share_of_a_device(devices, expected):
    assert shares(PLAIN, devices) == expected


@pytest.mark.parametrize(
    ("mode", "resource"),
    [
        (SharingMode.TIME_SLICING, "nvidia.com/gpu"),
        (SharingMode.TIME_SLICING, "nvidia.com/gpu.shared"),
        (SharingMode.MPS, "nvidia.com/gpu"),
    ],
)
def test_a_replica_is_one_of_those_that_are_offered(mode, resource):
    shared = NodeFacts("uid", "node", 0, gpus=1, sharing=mode, slots_per_gpu=4)
    assert shares(shared, {resource: 2}) == (Fraction(1, 4), Fraction(1, 4))


def test_a_node_that_renames_its_replicas_says_itself_how_many_there_are():
    renamed = node({"nvidia.com/gpu.shared": "8"}, gpu_count="2", gpu_replicas="4", gpu_product=H100)
    assert (renamed.gpus, shares(renamed, {"nvidia.com/gpu.shared": 1})) == (2, (Fraction(1, 4),))


def test_with_one_size_of_mig_the_plain_name_is_an_instance():
    single = node({"nvidia.com/gpu": "14"}, gpu_count="14", gpu_product=f"{H100}-MIG-1g.10gb", gpu_memory="9984")
    assert (single.gpus, shares(single, {"nvidia.com/gpu": 1})) == (2, (Fraction(1, 7),))


def test_replicas_of_an_instance_share_its_share():
    sliced = node({"nvidia.com/mig-3g.40gb.shared": "8"}, gpu_product=H100, **{"mig-3g_40gb_replicas": "4"})
    assert shares(sliced, {"nvidia.com/mig-3g.40gb.shared": 1}) == (Fraction(1, 8),)


def test_cores_of_neuron_are_parts_of_the_devices_that_the_node_lists():
    trainium = NodeFacts("uid", "n", 0, capacity={"aws.amazon.com/neuron": 16, "aws.amazon.com/neuroncore": 32})
    assert shares(trainium, {"aws.amazon.com/neuroncore": 1}) == (Fraction(1, 2),)


def test_a_pod_with_devices_of_two_kinds_holds_both():
    mixed = node({"nvidia.com/gpu": "1", "nvidia.com/mig-1g.10gb": "7"}, gpu_product=H100, mig_strategy="mixed")
    assert shares(mixed, {"nvidia.com/gpu": 1, "nvidia.com/mig-1g.10gb": 1}) == (Fraction(1, 7), 1)
