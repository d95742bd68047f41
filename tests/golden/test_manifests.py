"""What the manifests of others ask for. Each line was worked out by hand, from the file."""

from typing import NamedTuple

import pytest

from aicost.domain.identity.dimensions import LABEL_PREFIX
from aicost.domain.workloads.reading import read_workload
from aicost.domain.workloads.shapes import Scaling
from support.manifests import REAL, documents

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the real manifests (../shared/data/manifests) are absent")

FIXED, GROWS = Scaling.FIXED, Scaling.AUTOSCALED
ENDS, AGAIN = Scaling.TO_COMPLETION, Scaling.SCHEDULED
UNKNOWN = None


class Line(NamedTuple):
    """An object that runs pods: thousandths of GPUs at the start and at most, and pods at the start."""

    file: str
    kind: str
    gpus: int | None
    most: int | None
    pods: int
    scaling: Scaling
    models: tuple[str, ...] = ()
    """GPU models that it wants."""


LINES = (
    Line("standard-tf-mnist-train", "Job", 1000, 1000, 1, ENDS, ("t4",)),
    Line("adk-vllm__deploy-llm__deploy-llm", "Deployment", 1000, 1000, 1, FIXED, ("l4",)),
    Line("deployment-triton", "Deployment", 1000, 1000, 1, FIXED, ("l4",)),
    Line("llm-finetuning-gemma__finetune", "Job", 8000, 8000, 1, ENDS, ("l4",)),
    Line("text-generation-inference", "Deployment", 2000, 2000, 1, FIXED, ("l4",)),
    Line("KAI-Scheduler__docs__batch__pytorch-job", "PyTorchJob", 3000, 3000, 3, ENDS),
    Line("gpu-sharing", "Pod", 500, 500, 1, FIXED),
    Line("train-priority-pod", "Pod", 1000, 1000, 1, FIXED),
    Line("gpu-test2", "Pod", 1000, 1000, 1, FIXED),
    # Four partitions of one GPU, which they fill: two of 1g.5gb, one of 2g.10gb and one of 3g.20gb.
    Line("gpu-test4", "Deployment", 4000, 4000, 4, FIXED),
    Line("nemocustomizer", "NemoCustomizer", 0, 0, 1, FIXED),
    Line("dra__auto-creation__example1__llm", "NIMService", 1000, 1000, 1, FIXED),
    Line("standalone__autoscaling__llm", "NIMService", 1000, 2000, 1, GROWS),
    Line("llama3-70b-instruct_4xh100", "InferenceService", 4000, 4000, 1, GROWS, ("h100-80gb",)),
    # Half the memory of each of two GPUs; 30 % of the cores is less.
    Line("use_memory_fraction", "Pod", 1000, 1000, 1, FIXED),
    Line("ray-service-vllm", "RayService", 1000, 4000, 2, GROWS),
    Line("esm2nv-training-job", "PyTorchJob", 8000, 16000, 8, ENDS, ("a10g",)),
    Line("workspace_tuning_phi_3", "Workspace", 1000, 1000, 1, FIXED, ("a100-80gb",)),
    # Two machines of two GPUs each.
    Line("workspace_llama-3.3_70b", "Workspace", 4000, 4000, 2, FIXED, ("a100-80gb",)),
    Line("autoscale_gpu", "InferenceService", 1000, 1000, 1, GROWS),
    # 16 ranks, 8 to a node: a leader and a worker with 8 GPUs each.
    Line("llm-inference-service-dp-ep", "LLMInferenceService", 16000, 16000, 2, FIXED),
    Line("llm-inference-service-qwen2", "LLMInferenceService", 3000, 3000, 3, FIXED),
    Line("hf_isvc", "InferenceService", 1000, 1000, 1, GROWS),
    Line("tensorflow-benchmarks", "MPIJob", 2000, 2000, 3, ENDS),
    # Its runtime says how many GPUs a node takes, and is in another file.
    Line("01-multi-node", "TrainJob", UNKNOWN, UNKNOWN, 3, ENDS),
    Line("03-kueue-integration", "TrainJob", 0, 0, 3, ENDS),
    Line("resnet", "JobSet", 0, 0, 4, ENDS),
    # Two slices of four nodes with four chips.
    Line("v6e-jax-workload", "JobSet", 32000, 32000, 8, ENDS, ("tpu-v6e",)),
    # Its claim template is in another file, and so is the group that may share the claim.
    Line("dra__jobset", "JobSet", UNKNOWN, UNKNOWN, 6, ENDS),
    Line("sample-dra-extended-resource-job", "Job", 1000, 1000, 1, ENDS),
    Line("sample-dra-rct-job", "Job", 1000, 1000, 1, ENDS),
    Line("sample-cronjob", "CronJob", 0, 0, 3, AGAIN),
    Line("sample-mpijob", "MPIJob", 0, 0, 3, ENDS),
    Line("sample-pytorchjob", "PyTorchJob", 0, 0, 2, ENDS),
    # Two groups of three pods; the leaders take none.
    Line("sample-leaderworkerset-tas", "LeaderWorkerSet", 4000, 4000, 6, FIXED),
    Line("sglang__lws", "LeaderWorkerSet", 4000, 4000, 4, FIXED),
    Line("vllm__GPU__lws", "LeaderWorkerSet", 32000, 32000, 4, FIXED),
    Line("pytorch-distributed-training", "RayJob", 1000, 1000, 1, ENDS),
    Line("ray-job.batch-inference", "RayJob", 4000, 4000, 1, ENDS, ("t4",)),
    Line("ray-service.llm-serve", "RayService", 4000, 4000, 2, FIXED),
    Line("deepseek-coder-7b-v100", "Deployment", 0, 0, 0, FIXED, ("v100",)),
    Line("vllmruntime", "VLLMRuntime", 2000, 2000, 2, FIXED),
    Line("vllm__gpu-deployment", "Deployment", 2000, 2000, 2, FIXED),
    Line("mindspore-gpu", "Job", 2000, 2000, 3, ENDS),
)
RUN_NOTHING = ("llama3_2_1B", "dra__resourceclaimtemplate", "sample-gpu-queues", "kpa", "loraadapter")
"""Files with no object that runs pods."""


def file_of(part):
    [path] = [path for path in sorted(REAL.glob("*.yaml")) if part in path.name]
    return path


def workloads_of(path):
    objects = documents(path)
    return [workload for each in objects if (workload := read_workload(each, objects)) is not None]


def most_gpus(workload):
    parts = [
        each.gpu_milli if each.gpu_milli is None else each.gpu_milli * each.max_replicas for each in workload.templates
    ]
    return None if None in parts else sum(parts)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.file)
def test_a_real_manifest_asks_for_what_a_person_reads_in_it(line):
    [workload] = workloads_of(file_of(line.file))
    assert (
        workload.kind,
        workload.gpu_milli,
        most_gpus(workload),
        sum(each.replicas for each in workload.templates),
        workload.scaling,
        tuple(dict.fromkeys(model for each in workload.templates for model in each.hints.models)),
    ) == line[1:]


@pytest.mark.parametrize("part", RUN_NOTHING)
def test_a_real_manifest_without_pods_is_no_workload(part):
    assert workloads_of(file_of(part)) == []


def test_every_real_manifest_was_read_by_a_person():
    read = {file_of(line.file) for line in LINES} | {file_of(part) for part in RUN_NOTHING}
    assert read == set(REAL.glob("*.yaml"))
    assert len(read) == 49


def test_no_real_manifest_says_whom_its_cost_is_charged_to():
    workloads = [workload for path in REAL.glob("*.yaml") for workload in workloads_of(path)]
    labels = {key for each in workloads for key in each.labels}
    assert len(workloads) == len(LINES)
    assert not [key for key in labels if key.startswith(LABEL_PREFIX)]


def test_a_claim_that_a_pod_group_makes_is_one_gpu_for_all_its_pods():
    job, template = (documents(file_of(part))[0] for part in ("dra__jobset", "dra__resourceclaimtemplate"))
    group = {
        "kind": "PodGroup",
        "metadata": {"name": "training-workers", "namespace": "default"},
        "spec": {"resourceClaims": [{"name": "shared-gpu", "resourceClaimTemplateName": "gpu-claim-template"}]},
    }
    alone, shared = read_workload(job, [job, template]), read_workload(job, [job, template, group])
    assert alone.gpu_milli is None
    assert [(each.replicas, each.gpu_milli) for each in shared.templates] == [(6, 167)]


def test_a_training_job_takes_the_gpus_of_the_runtime_beside_it():
    job, runtime = (documents(file_of(part))[0] for part in ("01-multi-node", "llama3_2_1B"))
    job["spec"]["runtimeRef"]["name"] = runtime["metadata"]["name"]
    workload = read_workload(job, [runtime])
    assert {each.role: (each.replicas, each.gpu_milli) for each in workload.templates} == {
        "dataset-initializer": (1, 0),
        "model-initializer": (1, 0),
        "node": (3, 2000),
    }


@pytest.mark.parametrize(
    ("part", "models"),
    [
        ("vllm__GPU__lws", ("meta-llama/Llama-3.1-405B-Instruct",)),
        ("workspace_tuning_phi_3", ("phi-3-mini-128k-instruct",)),
        ("standalone__autoscaling__llm", ("meta/llama-3.2-1b-instruct",)),
        ("hf_isvc", ("meta-llama/Llama-2-7b-chat-hf",)),
        ("ray-service.llm-serve", ("qwen2.5-7b-instruct", "Qwen/Qwen2.5-7B-Instruct")),
        ("deepseek-coder-7b-v100", ("deepseek-coder-7b",)),
        ("vllmruntime", ("meta-llama/Llama-3.1-8B-Instruct",)),
    ],
)
def test_a_real_manifest_names_its_ai_models(part, models):
    assert workloads_of(file_of(part))[0].models == models


@pytest.mark.parametrize(
    ("part", "queue"),
    [
        ("sample-cronjob", "user-queue"),
        ("sample-mpijob", "user-queue"),
        ("gpu-sharing", "default-queue"),
        ("v6e-jax-workload", "multislice-queue"),
        ("mindspore-gpu", ""),
    ],
)
def test_a_real_manifest_names_its_queue(part, queue):
    assert workloads_of(file_of(part))[0].queue == queue
