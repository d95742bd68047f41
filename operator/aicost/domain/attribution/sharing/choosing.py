"""Which rule splits a shared device: the cluster's, its node's, or the one that all its holders want.

A rule divides one device among all that hold it, so none of them can choose for the others: what an AIWorkload asks for
holds where each holder's AIWorkload asks for the same, else the node's rule does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction

from aicost.domain.attribution.sharing.rules import SplitRule
from aicost.domain.attribution.spans import DeviceSpan
from aicost.domain.inventory.nodes import NodeFacts, SharingMode

SPLIT_KEY, SLOTS_KEY = "aicost.dev/gpu-split", "aicost.dev/gpu-slots"
"""Annotations, or labels, of a node."""
SLOTTED = frozenset({SharingMode.TIME_SLICING, SharingMode.MPS, SharingMode.MIG})


class SlotRule(StrEnum):
    """What a replica of a device is of it."""

    OFFERED = "offered"
    """Replicas held over replicas offered: what nobody holds of a device is unallocated."""
    HOLDERS = "holders"
    """One over the pods that hold replicas now: they pay for the whole device between them."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a shared device is split."""

    split: SplitRule = SplitRule.TWO_PART
    slots: SlotRule = SlotRule.OFFERED


USUAL = Rules()


@dataclass(frozen=True, slots=True)
class NodeRules:
    """Rules of the nodes with some labels; None for what these do not change."""

    selector: Mapping[str, str] = field(default_factory=dict)
    split: SplitRule | None = None
    slots: SlotRule | None = None

    def matches(self, facts: NodeFacts) -> bool:
        """Whether a node has all the labels."""
        return all(facts.labels.get(key) == value for key, value in self.selector.items())


@dataclass(frozen=True, slots=True)
class SharingPolicy:
    """What was chosen for a cluster.

    Attributes:
        rules: of all nodes.
        nodes: of some; the first that matches counts, for each rule that it has.
    """

    rules: Rules = USUAL
    nodes: tuple[NodeRules, ...] = ()


NO_POLICY = SharingPolicy()


def rules_of_node(policy: SharingPolicy, facts: NodeFacts) -> Rules:
    """The rules of one node: what stands on it, else those of the first selector that matches, else the cluster's.

    What stands on a node and is no rule is as if it did not stand there.
    """
    chosen = [one for one in policy.nodes if one.matches(facts)]
    split = next((one.split for one in chosen if one.split), policy.rules.split)
    slots = next((one.slots for one in chosen if one.slots), policy.rules.slots)
    own_split, own_slots = _own(facts, SPLIT_KEY), _own(facts, SLOTS_KEY)
    return Rules(
        SplitRule(own_split) if own_split in set(SplitRule) else split,
        SlotRule(own_slots) if own_slots in set(SlotRule) else slots,
    )


def _own(facts: NodeFacts, key: str) -> str:
    return facts.annotations.get(key) or facts.labels.get(key, "")


def rule_of_holders(usual: SplitRule, wishes: Sequence[SplitRule | None]) -> SplitRule:
    """The rule that all holders want, else the usual one."""
    wanted = set(wishes)
    return next((one for one in wanted if one and len(wanted) == 1), usual)


def with_slots(span: DeviceSpan, rule: SlotRule, sharing: SharingMode) -> DeviceSpan:
    """The span with the shares of its holders as the rule has them; it speaks of replicas alone."""
    if rule is SlotRule.OFFERED or sharing not in SLOTTED or not span.holds:
        return span
    share = Fraction(1, len(span.holds))
    return replace(span, holds=tuple(replace(one, claim=replace(one.claim, share=share)) for one in span.holds))
