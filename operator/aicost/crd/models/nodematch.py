"""Which nodes a price, or a discount, is for."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from aicost.crd.fields.text import LabelValue, ShortText
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import Rule


class PricedCapacity(StrEnum):
    """How capacity that has a price was bought."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"
    RESERVED = "reserved"


_MATCHED = ("gpuModel", "instanceType", "provider", "region", "zone", "capacityType", "nodeSelector")


class NodeMatch(ApiModel):
    """Which nodes are meant: all fields that are given must match."""

    rules = (
        Rule(
            " || ".join(f"has(self.{name})" for name in _MATCHED),
            "an empty match prices every node: name at least one of " + ", ".join(_MATCHED),
            lambda match: match.model_dump(exclude_none=True) != {},
        ),
    )

    gpu_model: ShortText | None = None
    """Model of the GPU: the node's label nvidia.com/gpu.product, or its short form such as h100-80gb."""
    instance_type: ShortText | None = None
    """Instance type: the node's label node.kubernetes.io/instance-type, for example p5.48xlarge."""
    provider: ShortText | None = None
    """Cloud or operator of the node, as in its providerID: aws, gce, azure."""
    region: ShortText | None = None
    """Region: the node's label topology.kubernetes.io/region."""
    zone: ShortText | None = None
    """Zone: the node's label topology.kubernetes.io/zone."""
    capacity_type: PricedCapacity | None = None
    """How the capacity was bought, read from the labels of EKS, GKE, AKS and Karpenter."""
    node_selector: Annotated[dict[str, LabelValue], Field(min_length=1, max_length=16)] | None = None
    """Labels that the node must have."""
