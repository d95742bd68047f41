"""What CEL cannot express of a policy. It is told where the policy is applied, and judged by audits and the webhook."""

from collections.abc import Iterator
from dataclasses import dataclass

from aicost.crd.vap.judging.frame import reachable
from aicost.crd.vap.judging.inheritance import MOST_WRITTEN
from aicost.crd.vap.writing import contested
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.policy.policies import Inherit, LabelPolicy, Need
from aicost.domain.policy.requests import PolicySnapshot
from aicost.domain.workloads.kinds import JUDGED_KINDS


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A part of a policy that the API server does not judge by itself.

    Attributes:
        field: path in the spec.
        reason: why, and what to do about it.
    """

    field: str
    reason: str


def unsupported(snapshot: PolicySnapshot, policy: LabelPolicy, *, mutating: bool) -> Iterator[Unsupported]:
    """What is left out of the objects that are generated.

    Args:
        snapshot: what is written into them.
        policy: one of its policies.
        mutating: whether the server can write labels.
    """
    yield from _kinds(policy)
    yield from _writing(snapshot, policy, mutating=mutating)
    for number, key in enumerate(policy.keys):
        where = f"spec.keys[{number}]"
        if key.dimension is Dimension.MODEL and key.need is not Need.NEVER:
            reason = "models are read from arguments, which CEL cannot do: only models that labels name are judged"
            yield Unsupported(f"{where}.required", reason)
        if Inherit.AIWORKLOAD in key.inherit and sum(map(len, snapshot.claims.values())) > MOST_WRITTEN:
            reason = f"more than {MOST_WRITTEN} AIWorkloads: the newest are not looked at; use the engine webhook"
            yield Unsupported(f"{where}.inherit", reason)
    for number, rule in enumerate(policy.uses):
        reason = f"rule {rule.name}: CEL cannot tell models, GPU types and providers by their many names"
        yield Unsupported(f"spec.uses[{number}]", f"{reason}; use the engine webhook")


def _kinds(policy: LabelPolicy) -> Iterator[Unsupported]:
    """Kinds that hold others, or whose templates stand in lists of lists."""
    unseen = sorted(kind.kind for kind in JUDGED_KINDS if not reachable(kind))
    wanted = [kind for kind in unseen if not policy.kinds or kind in policy.kinds]
    if wanted:
        reason = f"CEL cannot look into {', '.join(wanted)}: what they make is judged, they themselves are not"
        yield Unsupported("spec.kinds", reason)


def _writing(snapshot: PolicySnapshot, policy: LabelPolicy, *, mutating: bool) -> Iterator[Unsupported]:
    """Labels that are judged and not written."""
    if not mutating:
        reason = "the API server writes no labels before Kubernetes 1.36: they are judged as if they were written"
        yield Unsupported("spec.keys", reason)
        return
    for number, key in enumerate(policy.keys):
        if key.label in contested(snapshot, policy):
            reason = f"another policy reads {key.label} otherwise: it is judged and not written"
            yield Unsupported(f"spec.keys[{number}]", reason)
