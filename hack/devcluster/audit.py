"""The audit log of the API server: who wrote objects of ours, and what policies remarked on it. Nothing else."""

import json
from dataclasses import dataclass
from pathlib import Path

from devcluster.api import Object

__all__ = ["Audit", "prepare"]

# A level below a whole object: the annotations of ValidatingAdmissionPolicies are there, the log stays small.
_RULE = {
    "level": "Metadata",
    "verbs": ["create", "update", "patch", "delete", "deletecollection"],
    "resources": [{"group": "aicost.dev"}],
}
_POLICY: Object = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [_RULE, {"level": "None"}],
}


@dataclass(frozen=True, slots=True)
class Audit:
    """What the API server reads, and where it writes: one event of ``audit.k8s.io/v1`` as JSON in each line."""

    policy: Path
    log: Path


def prepare(state: Path) -> Audit:
    """The files of a state directory; the policy is written now."""
    audit = Audit(state / "audit-policy.json", state / "logs" / "audit.log")
    state.mkdir(parents=True, exist_ok=True)
    audit.policy.write_text(json.dumps(_POLICY, indent=2) + "\n")
    return audit
