"""What is found in manifests that others wrote; skipped where they are absent."""

from pathlib import Path

import pytest
import yaml

from aicost.domain.identity.discovery import discover
from aicost.domain.inventory.pods import ContainerFacts
from support.identity import pod

MANIFESTS = Path(__file__).parents[4] / "shared" / "data" / "manifests"

pytestmark = pytest.mark.skipif(
    not MANIFESTS.is_dir(), reason="the real manifests (../shared/data/manifests) are absent"
)


def pod_specs(node):
    if isinstance(node, dict):
        if isinstance(node.get("containers"), list):
            yield node
        for value in node.values():
            yield from pod_specs(value)
    elif isinstance(node, list):
        for value in node:
            yield from pod_specs(value)


def containers_of(spec):
    return tuple(
        ContainerFacts(
            each.get("name", ""),
            each.get("image", ""),
            tuple(str(word) for word in (each.get("command") or []) + (each.get("args") or [])),
        )
        for each in spec["containers"]
    )


def found_in(path):
    documents = yaml.safe_load_all(path.read_text())
    for spec in (spec for document in documents for spec in pod_specs(document)):
        for dimension, found in discover(pod("p", containers=containers_of(spec))).items():
            yield str(dimension), found.value


def test_models_are_found_where_the_arguments_name_them_and_nowhere_else():
    found = {(path.name.split("__")[-1], *pair) for path in MANIFESTS.glob("*.yaml") for pair in found_in(path)}
    assert {(name, value) for name, dimension, value in found if dimension == "model"} == {
        ("lws.yaml", "meta-llama/Meta-Llama-3.1-8B-Instruct"),
        ("lws.yaml", "meta-llama/Llama-3.1-405B-Instruct"),
        ("deepseek-coder-7b-v100-deployment.yaml", "deepseek-coder-7b"),
        ("gpu-deployment.yaml", "meta-llama/Llama-3.2-1B-Instruct"),
    }
    assert {name for name, dimension, value in found if (dimension, value) == ("workload-type", "inference")} == {
        "deploy-llm.yaml",
        "deployment-triton.yaml",
        "text-generation-inference.yaml",
        "lws.yaml",
        "deepseek-coder-7b-v100-deployment.yaml",
        "gpu-deployment.yaml",
    }
