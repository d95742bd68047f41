"""DRA claims: what they ask for, as far as the file tells."""

import pytest

from aicost.domain.workloads.gpus.claims import is_gpu_class
from aicost.domain.workloads.reading import read_workload
from support.manifests import claim_template, container, exactly, job, manifest, template

MIG_1G = "device.attributes['gpu.nvidia.com'].profile == '1g.5gb'"
BY_TEMPLATE = {"name": "gpu", "resourceClaimTemplateName": "wanted"}


def asked(*beside, claim=None, parallelism=1, **spec):
    obj = job(template(container(), resourceClaims=[claim or BY_TEMPLATE], **spec), parallelism=parallelism)
    [found] = read_workload(obj, beside).templates
    return found


@pytest.mark.parametrize(
    ("requests", "milli"),
    [
        ([exactly("gpu.nvidia.com")], 1000),
        ([exactly("gpu.nvidia.com", count=4)], 4000),
        ([exactly("gpu.nvidia.com"), exactly("gpu.nvidia.com", count=2)], 3000),
        ([exactly("gpu.nvidia.com", allocationMode="All")], None),
        ([exactly("gpu.nvidia.com", adminAccess=True)], 0),
        ([exactly("gpu.nvidia.com", capacity={"requests": {"memory": "10Gi"}})], None),
        ([exactly("gpu.nvidia.com", count="many")], None),
        ([exactly("mig.nvidia.com", MIG_1G)], 143),
        ([exactly("mig.nvidia.com")], None),
        ([exactly("gpu.nvidia.com", MIG_1G)], 143),
        ([exactly("rdma.example.com")], 0),
        ([exactly("gpu.nvidia.com"), exactly("dranet", count=8)], 1000),
        ([exactly("special-things")], None),
        ([{"name": "gpu", "deviceClassName": "gpu.nvidia.com", "count": 2}], 2000),
        ([{"name": "gpu", "firstAvailable": [{"deviceClassName": "gpu.nvidia.com"}] * 2}], 1000),
        (
            [{"firstAvailable": [{"deviceClassName": "gpu.nvidia.com", "count": n} for n in (1, 2)]}],
            None,
        ),
    ],
)
def test_a_request_comes_down_to_thousandths_of_gpus(requests, milli):
    assert asked(claim_template("wanted", *requests)).gpu_milli == milli


def test_partitions_of_one_parent_are_never_more_than_it():
    parts = [
        exactly("mig.nvidia.com", f"device.attributes['x'].profile == '{profile}'")
        for profile in ("4g.20gb", "3g.20gb")
    ]
    together = [{"requests": [], "matchAttribute": "gpu.nvidia.com/parentUUID"}]
    assert asked(claim_template("wanted", *parts)).gpu_milli == 1071
    assert asked(claim_template("wanted", *parts, constraints=together)).gpu_milli == 1000


def test_a_claim_that_is_not_in_the_file_is_named_and_has_no_size():
    found = asked(claim_template("another", exactly("gpu.nvidia.com")))
    assert (found.gpu_milli, found.claims) == (None, ("wanted",))


def test_a_claim_of_another_namespace_is_another_claim():
    other = claim_template("wanted", exactly("gpu.nvidia.com"))
    other["metadata"]["namespace"] = "team-b"
    assert asked(other).claims == ("wanted",)


def test_a_claim_by_name_is_one_for_all_pods():
    claim = manifest("resource.k8s.io/v1", "ResourceClaim", {"devices": {"requests": [exactly("gpu.nvidia.com")]}})
    found = asked(claim, claim={"name": "gpu", "resourceClaimName": "thing"}, parallelism=4)
    assert (found.replicas, found.gpu_milli, found.claims) == (4, 250, ())


def test_a_claim_of_a_group_that_is_not_in_the_file_may_be_shared():
    found = asked(claim_template("wanted", exactly("gpu.nvidia.com")), schedulingGroup={"podGroupName": "crew"})
    assert found.gpu_milli is None


@pytest.mark.parametrize(
    ("expression", "models"),
    [
        ("device.attributes['gpu.nvidia.com'].productName == 'NVIDIA H100 80GB HBM3'", ("h100-80gb",)),
        ('device.attributes["gpu.nvidia.com"].productName.lowerAscii().matches("^.*a100.*$")', ("a100",)),
        ("device.attributes['gpu.nvidia.com'].productName != 'NVIDIA L4'", ()),
        ("device.attributes['gpu.nvidia.com'].architecture == 'Hopper'", ()),
        ("productName" * 1_000, ()),
    ],
)
def test_a_selector_names_the_model(expression, models):
    assert asked(claim_template("wanted", exactly("gpu.nvidia.com", expression))).hints.models == models


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("gpu.nvidia.com", True),
        ("mig.nvidia.com", True),
        ("tpu.google.com", True),
        ("large-gpu-with-rdma", True),
        ("compute-domain-default-channel.nvidia.com", False),
        ("dranet", False),
        ("my-devices", None),
        ("", None),
    ],
)
def test_the_name_of_a_class_tells_accelerators_from_other_devices(name, answer):
    assert is_gpu_class(name) is answer
