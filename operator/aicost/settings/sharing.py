"""Settings of GPUs that pods share."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from aicost.domain.attribution.sharing.choosing import NodeRules, Rules, SharingPolicy, SlotRule
from aicost.domain.attribution.sharing.rules import SplitRule
from aicost.settings.section import Section

_Split = Literal["two-part", "by-reservation", "by-usage"]
_Slots = Literal["offered", "holders"]


class NodeSharingSettings(Section):
    """Rules of some nodes."""

    selector: Mapping[str, str] = Field(min_length=1, description="Labels that the nodes have.")
    split: _Split | None = Field(None, description="How their shared GPUs are split; none: as all others.")
    slots: _Slots | None = Field(None, description="What a replica is of its GPU; none: as all others.")


class SharingSettings(Section):
    """How GPUs that pods share are split."""

    split: _Split = Field(
        "two-part",
        description=(
            "Who pays for a GPU that pods share. two-part: busy time by use, idle time by what is reserved. "
            "by-reservation: all by what is reserved. by-usage: all by use."
        ),
    )
    slots: _Slots = Field(
        "offered",
        description=(
            "What a replica is of its GPU. offered: one over the replicas that are offered. holders: one over the pods "
            "that hold some, so that nothing of a held GPU is unallocated."
        ),
    )
    nodes: Annotated[
        tuple[NodeSharingSettings, ...], WithJsonSchema({"type": "array", "items": {"type": "object"}, "default": []})
    ] = Field(
        (),
        description=(
            "Rules of some nodes; the first that matches counts. Each has `selector` (labels of the nodes) and "
            "`split`, `slots` or both. What a node says of itself (annotation or label `aicost.dev/gpu-split`, "
            "`aicost.dev/gpu-slots`) stands before them."
        ),
    )

    @property
    def policy(self) -> SharingPolicy:
        """The same as the domain knows it."""
        nodes = tuple(
            NodeRules(one.selector, one.split and SplitRule(one.split), one.slots and SlotRule(one.slots))
            for one in self.nodes
        )
        return SharingPolicy(Rules(SplitRule(self.split), SlotRule(self.slots)), nodes)
