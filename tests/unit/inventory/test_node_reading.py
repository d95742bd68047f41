"""What labels, annotations and capacities say of a node."""

import pytest

from aicost.domain.inventory.gpu_models import canonical_model, model_of_node
from aicost.domain.inventory.node_labels import capacity_type, provider
from aicost.domain.inventory.nodes import CapacityType, NodeFacts, SharingMode
from aicost.domain.inventory.quantities import parse_quantity
from aicost.domain.inventory.sharing import Sharing, missing_gpus, recognise_sharing, with_partition

GPU = "nvidia.com/gpu"
PRODUCT, COUNT, REPLICAS = "nvidia.com/gpu.product", "nvidia.com/gpu.count", "nvidia.com/gpu.replicas"
UUID = "GPU-5d1d4f8e-2b6a-4c0e-9b7e-00000000000"


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("NVIDIA-H100-80GB-HBM3", "h100-80gb"),
        ("NVIDIA H100 80GB HBM3", "h100-80gb"),
        ("NVIDIA-H100-80GB-HBM3-SHARED", "h100-80gb"),
        ("NVIDIA-H100-80GB-HBM3-MIG-1g.10gb", "h100-80gb"),
        ("NVIDIA-H100-80GB-HBM3-MIG-1g.10gb-SHARED", "h100-80gb"),
        ("NVIDIA H100 PCIe", "h100-80gb"),
        ("nvidia-h100-80gb", "h100-80gb"),
        ("nvidia-h100-mega-80gb", "h100-80gb"),
        ("NVIDIA H100 NVL", "h100-nvl"),
        ("NVIDIA H200", "h200"),
        ("nvidia-h200-141gb", "h200"),
        ("NVIDIA A100-SXM4-40GB", "a100-40gb"),
        ("NVIDIA A100 80GB PCIe", "a100-80gb"),
        ("nvidia-tesla-a100", "a100-40gb"),
        ("a100", "a100"),
        ("Tesla T4", "t4"),
        ("NVIDIA L4", "l4"),
        ("NVIDIA L40S", "l40s"),
        ("NVIDIA A10G", "a10g"),
        ("NVIDIA A10", "a10"),
        ("Tesla V100-SXM2-16GB", "v100-16gb"),
        ("NVIDIA B200", "b200"),
        ("NVIDIA GB200", "gb200"),
        ("NVIDIA GH200 480GB", "gh200"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "rtx-pro-6000"),
        ("NVIDIA RTX 6000 Ada Generation", "rtx-6000-ada"),
        ("Quadro RTX 6000", "quadro-rtx-6000"),
        ("NVIDIA GeForce RTX 4090", "rtx-4090"),
        ("AMD_Instinct_MI300X_OAM", "mi300x"),
        ("Intel(R) Data Center GPU Max 1550", "max-1550"),
        ("HL-225", "gaudi2"),
        ("tpu-v5-lite-podslice", "tpu-v5e"),
        ("trainium2", "trainium2"),
        ("Foo Bar 9000 PCIe", "foo-bar-9000"),
        ("nvidia-foo-bar-9000", "foo-bar-9000"),
        ("nvidia", None),
        ("<<<NULL>>>", None),
        ("", None),
    ],
)
def test_a_gpu_has_one_name_however_it_is_spelt(name, model):
    assert canonical_model(name) == model


def test_the_canonical_name_of_a_canonical_name_is_itself():
    for name in ("h100-80gb", "h100-nvl", "a100-40gb", "rtx-pro-6000", "mi300x", "tpu-v5e", "max-1100", "foo-bar-9000"):
        assert canonical_model(name) == name


def test_memory_decides_between_sizes_where_the_name_does_not():
    assert canonical_model("a100", 40_960) == "a100-40gb"
    assert canonical_model("a100", 81_920) == "a100-80gb"
    labels = {"karpenter.k8s.aws/instance-gpu-name": "a100", "karpenter.k8s.aws/instance-gpu-memory": "81920"}
    assert model_of_node(labels) == "a100-80gb"


def test_the_memory_of_a_mig_instance_is_not_that_of_the_gpu():
    labels = {PRODUCT: "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb", "nvidia.com/gpu.memory": "9728"}
    assert model_of_node(labels) == "a100-80gb"


def test_a_label_of_our_own_names_the_model_against_all_others():
    assert model_of_node({PRODUCT: "NVIDIA-L4", "aicost.dev/gpu-model": "L40S"}) == "l40s"
    assert model_of_node({"accelerator": "nvidia"}) is None


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ({"eks.amazonaws.com/capacityType": "SPOT"}, CapacityType.SPOT),
        ({"eks.amazonaws.com/capacityType": "ON_DEMAND"}, CapacityType.ON_DEMAND),
        ({"eks.amazonaws.com/capacityType": "CAPACITY_BLOCK"}, CapacityType.RESERVED),
        ({"karpenter.sh/capacity-type": "reserved"}, CapacityType.RESERVED),
        ({"cloud.google.com/gke-spot": "true", "cloud.google.com/gke-nodepool": "a"}, CapacityType.SPOT),
        ({"cloud.google.com/gke-preemptible": "true"}, CapacityType.SPOT),
        ({"cloud.google.com/gke-nodepool": "a"}, CapacityType.ON_DEMAND),
        ({"kubernetes.azure.com/scalesetpriority": "spot"}, CapacityType.SPOT),
        ({"kubernetes.azure.com/agentpool": "a"}, CapacityType.ON_DEMAND),
        ({"lifecycle": "Ec2Spot"}, CapacityType.SPOT),
        ({"aicost.dev/capacity-type": "reserved", "karpenter.sh/capacity-type": "spot"}, CapacityType.RESERVED),
        ({"karpenter.sh/capacity-type": "made-up"}, CapacityType.UNKNOWN),
        ({}, CapacityType.UNKNOWN),
    ],
)
def test_labels_tell_how_a_node_was_bought(labels, kind):
    assert capacity_type(labels) is kind


def test_the_provider_is_the_scheme_of_the_provider_id():
    ids = {"aws:///us-east-1a/i-0": "aws", "gce://p/z/n": "gcp", "azure:///sub": "azure", "new://x": "new", "": ""}
    assert {text: provider(text) for text in ids} == ids


def test_an_exclusive_node_has_the_gpus_that_a_label_or_its_capacity_counts():
    assert recognise_sharing({COUNT: "8"}, {}, {GPU: 0}) == Sharing(SharingMode.EXCLUSIVE, 1, 8)
    assert recognise_sharing({}, {}, {GPU: 4}) == Sharing(SharingMode.EXCLUSIVE, 1, 4)
    assert recognise_sharing({}, {}, {}) == Sharing(SharingMode.EXCLUSIVE, 1, 0)


def test_replicas_of_a_time_sliced_node_are_not_gpus():
    labels = {PRODUCT: "NVIDIA-L4-SHARED", COUNT: "2", REPLICAS: "4"}
    assert recognise_sharing(labels, {}, {GPU: 8}) == Sharing(SharingMode.TIME_SLICING, 4, 2)
    assert recognise_sharing({REPLICAS: "4"}, {}, {GPU: 8}) == Sharing(SharingMode.TIME_SLICING, 4, 2)
    renamed = {"nvidia.com/gpu.shared": 8}
    assert recognise_sharing({COUNT: "2", REPLICAS: "4"}, {}, renamed) == Sharing(SharingMode.TIME_SLICING, 4, 2)


def test_mps_and_the_modes_of_gke_are_recognised():
    labels = {"nvidia.com/gpu.sharing-strategy": "mps", COUNT: "1", REPLICAS: "10"}
    assert recognise_sharing(labels, {}, {GPU: 10}) == Sharing(SharingMode.MPS, 10, 1)
    gke = {
        "cloud.google.com/gke-gpu-sharing-strategy": "time-sharing",
        "cloud.google.com/gke-max-shared-clients-per-gpu": "3",
    }
    assert recognise_sharing(gke, {}, {GPU: 6}) == Sharing(SharingMode.TIME_SLICING, 3, 2)


def test_instances_of_mig_single_are_not_gpus():
    labels = {PRODUCT: "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb", COUNT: "56", "nvidia.com/mig.strategy": "single"}
    assert recognise_sharing(labels, {}, {GPU: 56}) == Sharing(SharingMode.MIG, 1, 8)
    gke = {"cloud.google.com/gke-gpu-partition-size": "3g.20gb"}
    assert recognise_sharing(gke, {}, {GPU: 4}) == Sharing(SharingMode.MIG, 1, 2)


@pytest.mark.parametrize(
    ("product", "slices", "memory", "profile"),
    [
        ("NVIDIA-A100-SXM4-40GB", "1", "4864", "1g.5gb"),
        ("NVIDIA-A100-SXM4-40GB", "1", "9856", "1g.10gb"),
        ("NVIDIA-H200", "3", "71424", "3g.71gb"),
        ("NVIDIA-A30", "2", "11968", "2g.12gb"),
        ("our-own-name", "3", "40192", "3g.40gb"),
        ("NVIDIA-H100-80GB-HBM3", "1", "", "1g.10gb"),
        ("NVIDIA-H100-80GB-HBM3", "", "81559", ""),
        ("NVIDIA-H100-80GB-HBM3-MIG-1g.10gb", "1", "9984", ""),
        ("NVIDIA-H100-80GB-HBM3", "9", "9984", ""),
    ],
)
def test_slices_of_a_plain_gpu_tell_that_it_is_an_instance_where_the_product_does_not(product, slices, memory, profile):
    labels = {PRODUCT: product, "nvidia.com/gpu.slices.gi": slices, "nvidia.com/gpu.memory": memory, COUNT: "14"}
    told = with_partition(labels)
    assert told.get("cloud.google.com/gke-gpu-partition-size", "") == profile


def test_mig_mixed_counts_whole_gpus_and_those_that_carry_instances():
    capacity = {GPU: 6, "nvidia.com/mig-1g.5gb": 2, "nvidia.com/mig-3g.20gb": 2}
    assert recognise_sharing({COUNT: "8"}, {}, capacity) == Sharing(SharingMode.MIG, 1, 8)
    assert recognise_sharing({}, {}, capacity) == Sharing(SharingMode.MIG, 1, 8)


def test_while_mig_changes_the_capacity_is_not_a_count():
    labels = {COUNT: "8", "nvidia.com/mig.config.state": "pending"}
    assert recognise_sharing(labels, {}, {GPU: 56}).gpus == 8


def test_cards_that_a_vgpu_plugin_registered_are_counted_by_uuid():
    register = f"{UUID}1,10,81559,100,NVIDIA-H100,0,true:{UUID}2,10,81559,100,NVIDIA-H100,0,true:"
    found = recognise_sharing({}, {"hami.io/node-nvidia-register": register}, {GPU: 20})
    assert found == Sharing(SharingMode.OTHER, 10, 2)


@pytest.mark.parametrize("text", ["-1", "1e3", "many", "99999999", "٣", ""])
def test_a_count_that_is_no_count_is_not_believed(text):
    assert recognise_sharing({COUNT: text}, {}, {}).gpus == 0


def node(gpus, allocatable, *, sharing=SharingMode.EXCLUSIVE, slots=1, capacity=None):
    return NodeFacts(
        "u", "n", 0, gpus=gpus, sharing=sharing, slots_per_gpu=slots, capacity=capacity or {}, allocatable=allocatable
    )


def test_gpus_are_missing_where_fewer_are_allocatable_than_there_are():
    assert missing_gpus(node(8, {GPU: 8})) == 0
    assert missing_gpus(node(8, {GPU: 6})) == 2
    assert missing_gpus(node(8, {})) == 8
    assert missing_gpus(node(0, {})) == 0


def test_a_shared_gpu_is_missing_once_all_its_slots_are():
    assert missing_gpus(node(2, {GPU: 5}, sharing=SharingMode.TIME_SLICING, slots=4)) == 0
    assert missing_gpus(node(2, {GPU: 4}, sharing=SharingMode.TIME_SLICING, slots=4)) == 1


def test_a_node_under_mig_is_not_unhealthy_for_offering_instances():
    capacity = {GPU: 7, "nvidia.com/mig-1g.5gb": 7}
    assert missing_gpus(node(8, capacity, sharing=SharingMode.MIG, capacity=capacity)) == 0
    half = {GPU: 7, "nvidia.com/mig-1g.5gb": 0}
    assert missing_gpus(node(8, half, sharing=SharingMode.MIG, capacity=capacity)) == 4


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("8", 8),
        ("500m", 1),
        ("1e3", 1_000),
        ("64Gi", 64 * 2**30),
        ("1.5Ki", 1_536),
        ("0", 0),
        ("-1", -1),
        ("2k", 2_000),
    ],
)
def test_quantities_are_read_exactly_and_rounded_up(text, whole):
    assert parse_quantity(text) == whole


@pytest.mark.parametrize("text", ["", "NaN", "1e999", "8 GB", "0x8", "1.2.3", "9" * 40])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="is not a quantity"):
        parse_quantity(text)
