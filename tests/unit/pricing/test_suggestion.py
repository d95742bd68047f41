import re

import pytest
import yaml

from aicost.domain.inventory.nodes import CapacityType, NodeFacts
from aicost.domain.pricing.books import NodeMatch
from aicost.domain.pricing.fit import mismatches
from aicost.domain.pricing.suggestion import suggest_entry
from support.pricing import node

BARE = NodeFacts(uid="n", name="gpu-box", created_ms=0, labels={"kubernetes.io/hostname": "gpu-box"}, gpus=2)


def as_match(suggestion: str) -> NodeMatch:
    (parsed,) = yaml.safe_load(suggestion)
    match = parsed["match"]
    capacity = match.get("capacityType")
    return NodeMatch(
        gpu_model=match.get("gpuModel", ""),
        instance_type=match.get("instanceType", ""),
        provider=match.get("provider", ""),
        region=match.get("region", ""),
        capacity_type=CapacityType(capacity) if capacity else None,
        node_labels=match.get("nodeSelector", {}),
    )


@pytest.mark.parametrize(
    "facts",
    [
        node(),
        node(capacity_type=CapacityType.UNKNOWN),
        node(instance_type=""),
        node(gpu_model=None),
        node(instance_type="Standard_ND96isr_H100_v5", provider="azure", region="eastus"),
        node(region='odd "name": {x}'),
        BARE,
    ],
)
def test_the_suggested_entry_is_yaml_that_matches_its_own_node(facts):
    assert mismatches(as_match(suggest_entry(facts)), facts) == ()


@pytest.mark.parametrize("facts", [node(), node(instance_type="Standard_ND96isr_H100_v5"), node(name="x" * 90), BARE])
def test_the_suggested_name_is_one_that_the_api_server_takes(facts):
    (parsed,) = yaml.safe_load(suggest_entry(facts))
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", parsed["name"])
    assert len(parsed["name"]) <= 63


def test_a_machine_is_priced_by_the_hour_and_a_bare_card_by_the_gpu():
    assert "perNodeHour" in suggest_entry(node())
    assert "perGpuHour" in suggest_entry(node(instance_type=""))


def test_a_node_that_nothing_describes_is_matched_by_its_name():
    assert 'kubernetes.io/hostname: "gpu-box"' in suggest_entry(BARE)
