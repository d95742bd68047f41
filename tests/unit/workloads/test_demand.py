"""The spellings of GPU demand, down to thousandths of GPUs of one pod."""

import pytest

from aicost.domain.workloads.reading import read_workload
from support.manifests import asking, container, gpus, job, pod, template

A100 = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB"}
H100 = {"cloud.google.com/gke-accelerator": "nvidia-h100-80gb"}


def one(obj):
    [found] = read_workload(obj).templates
    return found


def limits(**resources):
    return {name.replace("__", "/"): amount for name, amount in resources.items()}


@pytest.mark.parametrize(
    ("resources", "milli"),
    [
        ({"nvidia.com/gpu": 8}, 8000),
        ({"nvidia.com/gpu": "2"}, 2000),
        ({"nvidia.com/gpu": 1.0}, 1000),
        ({"nvidia.com/gpu": "2000m"}, 2000),
        ({"nvidia.com/gpu": 0}, 0),
        ({"cpu": 4, "memory": "8Gi", "vpc.amazonaws.com/efa": 32}, 0),
        ({"amd.com/gpu": 4}, 4000),
        ({"google.com/tpu": 4}, 4000),
        ({"habana.ai/gaudi": 8}, 8000),
        ({"aws.amazon.com/neuron": 16}, 16000),
        ({"aws.amazon.com/neuron": 16, "aws.amazon.com/neurondevice": 16}, 16000),
        ({"aws.amazon.com/neuroncore": 2}, None),
        ({"somebody.example/gpu": 2}, 2000),
        ({"deviceclass.resource.kubernetes.io/gpu.nvidia.com": 2}, 2000),
        ({"deviceclass.resource.kubernetes.io/rdma.example.com": 2}, 0),
        ({"nvidia.com/mig-1g.5gb": 1}, 143),
        ({"nvidia.com/mig-1g.5gb": 7}, 1000),
        ({"nvidia.com/mig-3g.20gb": 1}, 500),
        ({"nvidia.com/mig-4g.40gb": 1}, 571),
        ({"nvidia.com/mig-1g.6gb": 1}, 250),
        ({"nvidia.com/mig-1g.10gb.me": 1}, None),
        ({"nvidia.com/mig-9g.999gb": 1}, None),
        ({"nvidia.com/gpu.shared": 1}, None),
        ({"nvidia.com/gpu": 1, "nvidia.com/gpucores": 30}, 300),
        ({"nvidia.com/gpu": 2, "nvidia.com/gpumem-percentage": 50, "nvidia.com/gpucores": 30}, 1000),
        ({"nvidia.com/gpumem-percentage": 25}, 250),
        ({"nvidia.com/gpu": 1, "nvidia.com/gpumem": 8192}, None),
        ({"volcano.sh/vgpu-number": 2, "volcano.sh/vgpu-cores": 50}, 1000),
        ({"volcano.sh/vgpu-number": 1}, 1000),
        ({"volcano.sh/vgpu-memory": 1024}, None),
        ({"gpu.intel.com/i915": 1, "gpu.intel.com/millicores": 250}, 250),
        ({"gpu.intel.com/i915": 1, "gpu.intel.com/memory.max": "8Gi"}, None),
    ],
)
def test_limits_come_down_to_thousandths_of_gpus(resources, milli):
    assert one(pod(asking(resources))).gpu_milli == milli


@pytest.mark.parametrize(
    ("resources", "selector", "milli"),
    [
        ({"nvidia.com/mig-1g.10gb": 1}, A100, 250),
        ({"nvidia.com/mig-1g.10gb": 1}, H100, 143),
        ({"nvidia.com/gpumem": 10_240}, A100, 250),
        ({"nvidia.com/gpu": 2, "nvidia.com/gpumem": 40_960}, H100, 1000),
        ({"nvidia.com/gpu": 1, "nvidia.com/gpumem": 999_999}, H100, 1000),
        ({"nvidia.com/gpu": 1}, {**A100, "cloud.google.com/gke-gpu-partition-size": "1g.5gb"}, 143),
        ({"nvidia.com/gpu": 2}, {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB-MIG-3g.20gb"}, 1000),
        ({"nvidia.com/gpu": 1}, {"cloud.google.com/gke-max-shared-clients-per-gpu": "4"}, 250),
        ({"nvidia.com/gpu": 1}, {"nvidia.com/gpu.replicas": "10"}, 100),
        ({"nvidia.com/gpu": 1}, {"nvidia.com/gpu.product": "Tesla-T4-SHARED"}, None),
        ({"nvidia.com/gpu": 1}, {"cloud.google.com/gke-gpu-sharing-strategy": "time-sharing"}, None),
    ],
)
def test_the_node_that_a_pod_selects_says_how_much_a_unit_is(resources, selector, milli):
    assert one(pod(asking(resources), nodeSelector=selector)).gpu_milli == milli


@pytest.mark.parametrize(
    ("annotations", "milli"),
    [
        ({"gpu-fraction": "0.5"}, 500),
        ({"gpu-fraction": "0.25", "gpu-fraction-num-devices": "2"}, 500),
        ({"gpu-fraction": "1"}, 1000),
        ({"gpu-memory": "20480"}, 500),
        ({"gpu-fraction": "half"}, None),
        ({"gpu-fraction": "-0.5"}, None),
        ({"gpu-fraction": "NaN"}, None),
        ({"gpu-fraction": "7"}, None),
        ({"gpu-memory": "lots"}, None),
        ({"gpu-fraction": "0.5", "gpu-fraction-num-devices": "many"}, None),
    ],
)
def test_a_pod_of_kai_asks_for_a_fraction_by_annotation(annotations, milli):
    obj = pod(container(), metadata={"annotations": annotations}, nodeSelector=A100)
    assert (one(obj).gpu_milli, dict(one(obj).demand)) == (milli, {})


def test_memory_that_is_asked_for_has_no_size_while_the_model_is_open():
    assert one(pod(container(), metadata={"annotations": {"gpu-memory": "20480"}})).gpu_milli is None


def test_requests_go_before_limits():
    asked = container(resources={"limits": {"nvidia.com/gpu": 8}, "requests": {"nvidia.com/gpu": 4}})
    assert one(pod(asked)).gpu_milli == 4000


def test_containers_add_up_and_an_init_container_counts_where_it_is_greedier():
    two, four = asking({"nvidia.com/gpu": 2}), asking({"nvidia.com/gpu": 4})
    assert one(pod(two, two, initContainers=[two])).gpu_milli == 4000
    assert one(pod(two, initContainers=[four])).gpu_milli == 4000
    assert one(pod(two, initContainers=[{**two, "restartPolicy": "Always"}])).gpu_milli == 4000


def test_portions_belong_to_the_container_that_asks_for_them():
    whole, half = asking({"nvidia.com/gpu": 1}), asking({"nvidia.com/gpu": 1, "nvidia.com/gpucores": 50})
    found = one(pod(whole, half))
    assert (found.gpu_milli, found.demand["nvidia.com/gpu"]) == (1500, 2)


def test_one_container_of_unknown_size_makes_the_pod_unknown():
    found = one(pod(asking({"nvidia.com/gpu": 1}), asking({"nvidia.com/gpu": "{{ .Values.gpus }}"})))
    assert (found.gpu_milli, dict(found.demand)) == (None, {"nvidia.com/gpu": 1})


def test_a_workload_wants_gpus_also_where_their_number_is_not_known():
    assert read_workload(pod(asking({"nvidia.com/gpu": "many"}))).wants_gpus
    assert read_workload(pod(asking({"nvidia.com/gpu.shared": 1}))).wants_gpus
    assert not read_workload(pod(asking({"cpu": 1}))).wants_gpus


def required(*terms):
    alternatives = [
        {"matchExpressions": [dict(zip(("key", "operator", "values"), each, strict=True))]} for each in terms
    ]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": alternatives}}}


PRODUCT, MACHINE = "nvidia.com/gpu.product", "node.kubernetes.io/instance-type"


@pytest.mark.parametrize(
    ("spec", "models"),
    [
        ({"nodeSelector": H100}, ("h100-80gb",)),
        ({"nodeSelector": {MACHINE: "p5.48xlarge"}}, ("h100-80gb",)),
        ({"nodeSelector": {MACHINE: "ml.p5.48xlarge"}}, ("h100-80gb",)),
        ({"nodeSelector": {"example.com/gpu-name": "Tesla-V100"}}, ("v100",)),
        ({"nodeSelector": {"example.com/gpu-pool": "big-ones"}}, ()),
        ({"nodeSelector": {"example.com/pool": "a100"}}, ()),
        ({"affinity": required((PRODUCT, "In", ["NVIDIA-L4", "NVIDIA-A10"]))}, ("l4", "a10")),
        ({"affinity": required((PRODUCT, "In", ["NVIDIA-L4"]), (PRODUCT, "In", ["Tesla-T4"]))}, ("l4", "t4")),
        ({"affinity": required((PRODUCT, "In", ["NVIDIA-L4"]), ("zone", "In", ["a"]))}, ()),
        ({"affinity": required((PRODUCT, "NotIn", ["NVIDIA-L4"]))}, ()),
        ({}, ()),
    ],
)
def test_hints_name_the_models_that_will_do(spec, models):
    assert one(job(gpus(1, **spec))).hints.models == models


def test_a_hint_of_an_annotation_goes_before_the_selector():
    annotations = {"nvidia.com/use-gputype": "A100-PCIE-40GB,V100-PCIE-16GB"}
    assert one(job(template(container(), annotations=annotations, nodeSelector=H100))).hints.models == (
        "a100-40gb",
        "v100-16gb",
    )


def test_a_single_required_value_is_a_label_of_the_node():
    spec = {"affinity": required(("zone", "In", ["a"])), "nodeSelector": {"pool": "gpu"}}
    assert one(job(gpus(1, **spec))).hints.node_labels == {"zone": "a", "pool": "gpu"}
