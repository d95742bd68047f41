"""The AIWorkload that speaks for what a controller makes: which one it is, and what it says of denied pods."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aicost.adapters.kube.status import Target
from aicost.adapters.kube.wire.resources import Resource
from aicost.crd.convert.claims import workload_claim
from aicost.crd.convert.parsing import Converted
from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.reasons import ConditionType, Reason
from aicost.crd.schema.definition import GROUP, VERSION
from aicost.crd.status.conditions import Statement, conditions
from aicost.domain.identity.claim_index import target_key
from aicost.domain.identity.claims import TargetRef, WorkloadClaim
from aicost.domain.policy.judging.scopes import safely_selects
from aicost.domain.policy.requests import PolicySnapshot
from aicost.domain.workloads.shapes import OwnerReference, Workload

WORKLOADS = Resource(GROUP, VERSION, "aiworkloads", "AIWorkload")


@dataclass(frozen=True, slots=True)
class SeenClaim:
    """An AIWorkload.

    Attributes:
        denied: it says that pods are denied.
    """

    claim: WorkloadClaim
    denied: bool


def read_claim(body: Mapping[str, Any]) -> Converted[SeenClaim]:
    """Read an AIWorkload with what it says of denied pods."""
    read = workload_claim(body)
    stated = (body.get("status") or {}).get("conditions") or []
    bad = {"type": ConditionType.PODS_ADMITTED.value, "status": ConditionStatus.FALSE.value}
    denied = any(bad.items() <= one.items() for one in stated)
    return Converted(SeenClaim(read.value, denied) if read.value else None, read.problems)


def claimant(policies: PolicySnapshot, owner: OwnerReference, workload: Workload) -> WorkloadClaim | None:
    """The AIWorkload that claims what was made for an owner: one that names the owner, else one that selects it."""
    named = target_key(TargetRef(owner.api_version, owner.kind, owner.name))
    claims = policies.claims.get(workload.namespace, ())
    for claim in claims:
        if claim.target is not None and target_key(claim.target) == named:
            return claim
    return next((one for one in claims if one.selector and safely_selects(one.selector, workload.labels)), None)


def target_of(claim: WorkloadClaim) -> Target:
    """Whose status it is."""
    return Target(WORKLOADS, claim.name, claim.namespace, claim.uid)


def status_of(denied: str, now_ms: int) -> dict[str, Any]:
    """The one condition that the webhook states, and nothing else of the status: that is the controller's.

    Args:
        denied: why pods are denied, empty where they are let in again.
        now_ms: the clock.
    """
    status = ConditionStatus.FALSE if denied else ConditionStatus.TRUE
    reason = Reason.LABELS_DENIED if denied else Reason.ADMITTED
    text = denied or "Pods are let in again."
    (stated,) = conditions([Statement(ConditionType.PODS_ADMITTED, status, str(reason), text)], (), 0, now_ms)
    del stated["observedGeneration"]  # it speaks of pods, not of the spec
    return {"conditions": [stated]}
