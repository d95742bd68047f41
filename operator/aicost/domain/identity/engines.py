"""The engines that serve models, and how each is told which one. A new engine is a new line of the table."""

import re
from dataclasses import dataclass

INFERENCE = "inference"
EMBEDDING = "embedding"
TRAINING = "training"


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine.

    Attributes:
        name: what it is called in reports.
        programs: words that start it, side by side in a command; a folder before the first is ignored, `*` stands for
            the rest of a word, and `MODEL` for the model.
        images: patterns of the repository of its images, without tag and digest; a group `model` names the model.
        flags: arguments that name the model, the one that people know it by first; without dashes in front.
        embeds: arguments (`flag` or `flag=value`) that make it an engine of embeddings.
        workload_type: what it does otherwise.
    """

    name: str
    programs: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    embeds: tuple[str, ...] = ()
    workload_type: str = INFERENCE


_SERVED = "served-model-name"
"""The name under which a model is offered comes first: requests and the engine's own metrics carry it."""

ENGINES: tuple[Engine, ...] = (
    Engine(
        "vllm",
        programs=("vllm serve MODEL", "vllm run-batch", "vllm.entrypoints.*", "dynamo.vllm"),
        images=(r"(?:^|/)vllm(?:-(?:openai|cpu|rocm|gaudi|tpu|neuron|xpu)[^/]*)?$",),
        flags=(_SERVED, "model", "model-tag"),
        embeds=("task=embed", "task=embedding", "runner=pooling"),
    ),
    Engine(
        "sglang",
        programs=("sglang.launch_server", "sglang serve", "dynamo.sglang"),
        images=(r"(?:^|/)sglang$",),
        flags=(_SERVED, "model-path", "model"),
        embeds=("is-embedding",),
    ),
    Engine(
        "tgi",
        programs=("text-generation-launcher",),
        images=(r"text-generation-inference[^/]*$",),
        flags=("model-id",),
    ),
    Engine(
        "tei",
        programs=("text-embeddings-router",),
        images=(r"text-embeddings-inference[^/]*$",),
        flags=(_SERVED, "model-id"),
        workload_type=EMBEDDING,
    ),
    Engine(
        "tensorrt-llm",
        programs=("trtllm-serve MODEL", "trtllm-serve serve MODEL", "trtllm-serve disaggregated", "dynamo.trtllm"),
        images=(r"(?:^|/)tensorrt-llm(?:/release)?$",),
        flags=(_SERVED, "model", "model-path"),
    ),
    Engine("triton", programs=("tritonserver",), images=(r"(?:^|/)tritonserver$",)),
    Engine(
        "llama-cpp",
        programs=("llama-server", "llama-cli", "llama_cpp.server"),
        images=(r"(?:^|/)llama\.cpp$",),
        flags=("alias", "a", "hf-repo", "hf", "hfr", "model", "m"),
        embeds=("embedding", "embeddings"),
    ),
    Engine("ollama", programs=("ollama run MODEL", "ollama serve"), images=(r"(?:^|/)ollama$",)),
    Engine(
        "kserve-huggingface",
        programs=("huggingfaceserver",),
        images=(r"(?:^|/)huggingfaceserver$",),
        flags=("model-name", "model-id"),
        embeds=("task=text_embedding",),
    ),
    Engine(
        "lmdeploy",
        programs=("lmdeploy serve api_server MODEL",),
        images=(r"(?:^|/)lmdeploy$",),
        flags=("model-name",),
    ),
    Engine(
        "infinity",
        programs=("infinity_emb", "infinity_emb v2"),
        images=(r"(?:^|/)michaelf34/infinity$",),
        flags=(_SERVED, "model-id", "model-name-or-path"),
        workload_type=EMBEDDING,
    ),
    Engine("ray-serve", programs=("serve run",), flags=("model-id", "model-source", "model")),
    Engine(
        "nim",
        images=(r"(?:^|/)nim/(?P<model>[^/]+/[^/]*embed[^/]*)$",),
        workload_type=EMBEDDING,
    ),
    Engine("nim", images=(r"(?:^|/)nim/(?P<model>[^/]+/(?!llm-nim$)[^/]+)$", r"(?:^|/)nim/nvidia/llm-nim$")),
)

IMAGES: tuple[tuple[re.Pattern[str], Engine], ...] = tuple(
    (re.compile(pattern), engine) for engine in ENGINES for pattern in engine.images
)
"""Pattern of a repository -> engine, in the order of the table."""

MODEL = "MODEL"

PROGRAMS: tuple[tuple[tuple[str, ...], Engine], ...] = tuple(
    sorted(
        ((tuple(program.split()), engine) for engine in ENGINES for program in engine.programs),
        key=lambda line: -len([word for word in line[0] if word != MODEL]),
    )
)
"""Words of a program -> engine, the longest first."""

OWNER_KINDS: dict[tuple[str, str], str] = {
    ("kubeflow.org", "PyTorchJob"): TRAINING,
    ("kubeflow.org", "TFJob"): TRAINING,
    ("kubeflow.org", "JAXJob"): TRAINING,
    ("kubeflow.org", "PaddleJob"): TRAINING,
    ("kubeflow.org", "XGBoostJob"): TRAINING,
    ("trainer.kubeflow.org", "TrainJob"): TRAINING,
    ("serving.kserve.io", "InferenceService"): INFERENCE,
    ("serving.kserve.io", "LLMInferenceService"): INFERENCE,
    ("apps.nvidia.com", "NIMService"): INFERENCE,
    ("ray.io", "RayService"): INFERENCE,
    ("production-stack.vllm.ai", "VLLMRuntime"): INFERENCE,
}
"""API group and kind of an owner -> workload type, where the kind is made for one. A Job, an MPIJob, a RayJob or a
Notebook may do anything, so none of them tells."""
