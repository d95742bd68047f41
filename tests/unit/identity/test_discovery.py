import pytest

from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.discovery import EngineUse, discover, engine_in
from aicost.domain.identity.engines import ENGINES, OWNER_KINDS, PROGRAMS
from aicost.domain.inventory.pods import ContainerFacts
from support.identity import owner, pod, running

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
VLLM = "vllm/vllm-openai:v0.8.5"


def use_of(image, *args):
    return engine_in(ContainerFacts("main", image, args))


@pytest.mark.parametrize(
    ("image", "args", "engine", "model"),
    [
        (VLLM, ("--model", LLAMA), "vllm", LLAMA),
        (VLLM, (f"--model={LLAMA}", "--port=8000"), "vllm", LLAMA),
        (VLLM, (LLAMA, "--port", "8000"), "vllm", LLAMA),
        (VLLM, ("python3", "-m", "vllm.entrypoints.openai.api_server", "--model", LLAMA), "vllm", LLAMA),
        (VLLM, ("vllm", "serve", LLAMA), "vllm", LLAMA),
        (VLLM, ("vllm", "serve", "--host", "0.0.0.0", "--model", LLAMA), "vllm", LLAMA),
        (VLLM, ("vllm", "serve", "/mnt/models", "--served-model-name", "chat", "chat-v2"), "vllm", "chat"),
        ("acme/server:1", ("sh", "-c", f"sleep 1; exec /opt/bin/vllm serve {LLAMA} --port 1"), "vllm", LLAMA),
        ("acme/server:1", ("uv", "run", "vllm", "serve", LLAMA), "vllm", LLAMA),
        (VLLM, ("sh", "-c", "bash worker.sh --ray_address=x"), "vllm", None),
        (VLLM, ("--model=$(MODEL_ID)",), "vllm", None),
        (VLLM, (), "vllm", None),
        (
            "lmsysorg/sglang:latest",
            ("python3", "-m", "sglang.launch_server", "--model-path", LLAMA),
            "sglang",
            LLAMA,
        ),
        ("registry.example/huggingface/text-generation-inference:3", ("--model-id", LLAMA), "tgi", LLAMA),
        ("acme/x", ("text-generation-launcher", f"--model-id={LLAMA}"), "tgi", LLAMA),
        (
            "registry.example/huggingface/text-embeddings-inference:cuda",
            ("--model-id", "BAAI/bge-m3"),
            "tei",
            "BAAI/bge-m3",
        ),
        (
            "registry.example/nvidia/tritonserver:24.01",
            ("tritonserver", "--model-repository=/data/llm"),
            "triton",
            None,
        ),
        ("registry.example/nvidia/tensorrt-llm/release:1", ("trtllm-serve", LLAMA), "tensorrt-llm", LLAMA),
        ("registry.example/nvidia/tensorrt-llm/release:1", ("trtllm-serve", "serve", LLAMA), "tensorrt-llm", LLAMA),
        (
            "registry.example/nvidia/tensorrt-llm/release:1",
            ("trtllm-serve", "disaggregated", "-c", "x"),
            "tensorrt-llm",
            None,
        ),
        ("registry.example/ggml-org/llama.cpp:server", ("-m", "/models/gemma-3-4b.gguf"), "llama-cpp", "gemma-3-4b"),
        ("acme/x", ("llama-server", "-hf", "ggml-org/gemma-3-1b-it-GGUF"), "llama-cpp", "ggml-org/gemma-3-1b-it-GGUF"),
        ("ollama/ollama", ("ollama", "run", "llama3.1:8b"), "ollama", "llama3.1:8b"),
        ("ollama/ollama:0.5", (), "ollama", None),
        ("registry.example/nim/meta/llama-3.2-1b-instruct:1.12.0", (), "nim", "meta/llama-3.2-1b-instruct"),
        ("registry.acme.io:5000/nim/meta/llama3-8b@sha256:0a", (), "nim", "meta/llama3-8b"),
        ("registry.example/nim/nvidia/llm-nim:1", (), "nim", None),
        (
            "kserve/huggingfaceserver:v0.15",
            ("--model_name=llama2", "--model_dir=/mnt/models"),
            "kserve-huggingface",
            "llama2",
        ),
        ("kserve/huggingfaceserver:v0.15", ("--model_id", LLAMA), "kserve-huggingface", LLAMA),
        ("acme/ray", ("serve", "run", "app:main", f"model_id={LLAMA}"), "ray-serve", LLAMA),
        (
            "registry.example/nvidia/ai-dynamo/runtime",
            ("python3", "-m", "dynamo.vllm", "--model", LLAMA),
            "vllm",
            LLAMA,
        ),
        ("openmmlab/lmdeploy:v1", ("lmdeploy", "serve", "api_server", LLAMA), "lmdeploy", LLAMA),
    ],
)
def test_engine_and_model_are_read_from_image_and_arguments(image, args, engine, model):
    use = use_of(image, *args)
    assert (use.engine, use.model) == (engine, model)


@pytest.mark.parametrize(
    ("image", "args"),
    [
        ("ubuntu:22.04", ("sleep", "infinity")),
        ("mpioperator/tensorflow-benchmarks", ("python", "tf_cnn_benchmarks.py", "--model=resnet101")),
        ("acme/vllm-router:1", ("--model", LLAMA)),
        ("acme/my-ollama-client", ()),
        ("registry.example/nvidia/cloud-native/k8s-nim-operator:v1", ()),
        ("", ()),
    ],
)
def test_what_is_no_engine_is_left_alone(image, args):
    assert use_of(image, *args) is None


def test_the_command_tells_before_the_image_does():
    assert use_of(VLLM, "python3", "-m", "sglang.launch_server", "--model-path", LLAMA).engine == "sglang"


@pytest.mark.parametrize(
    ("image", "args"),
    [
        (VLLM, ("--model", "BAAI/bge-m3", "--task", "embed")),
        (VLLM, ("--model=BAAI/bge-m3", "--runner=pooling")),
        ("lmsysorg/sglang", ("python3", "-m", "sglang.launch_server", "--model-path", "x/y", "--is-embedding")),
        ("registry.example/huggingface/text-embeddings-inference:1", ()),
        ("registry.example/nim/nvidia/nv-embedqa-e5-v5:1", ()),
    ],
)
def test_an_engine_that_embeds_is_told_apart(image, args):
    assert use_of(image, *args).workload_type == "embedding"


def test_discovery_says_where_it_was_found():
    found = discover(running(VLLM, "--model", LLAMA, name="vllm"))
    assert (found[Dimension.MODEL].value, found[Dimension.MODEL].origin) == (LLAMA, "container vllm, --model")
    assert found[Dimension.WORKLOAD_TYPE].value == "inference"
    assert found[Dimension.WORKLOAD_TYPE].origin == "container vllm, vllm"


def test_two_models_in_one_pod_leave_doubt_and_name_none():
    containers = (ContainerFacts("a", VLLM, ("--model", "x/one")), ContainerFacts("b", VLLM, ("--model", "x/two")))
    found = discover(pod("p", containers=containers))
    assert set(found) == {Dimension.WORKLOAD_TYPE}


def test_a_sidecar_does_not_hide_the_engine():
    containers = (ContainerFacts("proxy", "envoy"), ContainerFacts("llm", VLLM, ("--model", LLAMA)))
    assert discover(pod("p", containers=containers))[Dimension.MODEL].origin == "container llm, --model"


@pytest.mark.parametrize(
    ("api_version", "kind", "value"),
    [
        ("kubeflow.org/v1", "PyTorchJob", "training"),
        ("trainer.kubeflow.org/v1alpha1", "TrainJob", "training"),
        ("serving.kserve.io/v1beta1", "InferenceService", "inference"),
    ],
)
def test_a_kind_that_is_made_for_one_thing_tells_the_workload_type(api_version, kind, value):
    found = discover(pod("p", {}, owner("ReplicaSet", "r"), owner(kind, "it", api_version=api_version)))
    assert (found[Dimension.WORKLOAD_TYPE].value, found[Dimension.WORKLOAD_TYPE].origin) == (value, f"{kind}/it")


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [("batch/v1", "Job"), ("kubeflow.org/v1", "Notebook"), ("ray.io/v1", "RayJob"), ("example.com/v1", "PyTorchJob")],
)
def test_a_kind_that_may_do_anything_tells_nothing(api_version, kind):
    assert discover(pod("p", {}, owner(kind, "it", api_version=api_version))) == {}


def test_a_server_of_embeddings_says_more_than_the_kind_of_its_owner():
    facts = pod(
        "p",
        {},
        owner("InferenceService", "it", api_version="serving.kserve.io/v1beta1"),
        containers=(ContainerFacts("main", "registry.example/huggingface/text-embeddings-inference:1"),),
    )
    assert discover(facts)[Dimension.WORKLOAD_TYPE].value == "embedding"


def test_every_line_of_the_table_can_be_reached():
    assert all(engine.programs or engine.images for engine in ENGINES)
    assert set(OWNER_KINDS.values()) <= {"training", "inference"}
    for words, engine in PROGRAMS:
        command = [("it/that" if word == "MODEL" else word.replace("*", "main")) for word in words]
        expected = engine_in(ContainerFacts("c", "acme/x", tuple(command)))
        assert isinstance(expected, EngineUse)
        assert expected.engine == engine.name
