"""The objects of admissionregistration.k8s.io as mappings, and what the parts of ours have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GROUP = "admissionregistration.k8s.io"
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rules:
    """Which requests a policy hears of: plurals by API group, and the operations."""

    plurals: Mapping[str, Sequence[str]]
    operations: Sequence[str] = ("CREATE", "UPDATE")

    def published(self) -> list[Object]:
        """As `resourceRules`: all versions, because the API server converts nothing that it does not know."""
        return [
            {
                "apiGroups": [group],
                "apiVersions": ["*"],
                "operations": list(self.operations),
                "resources": sorted(plurals),
            }
            for group, plurals in sorted(self.plurals.items())
        ]


def named(expressions: Mapping[str, str]) -> list[Object]:
    """Match conditions or variables, in their order."""
    return [{"name": name, "expression": expression} for name, expression in expressions.items()]


def metadata(name: str, labels: Mapping[str, str]) -> Object:
    """Metadata of a cluster-scoped object."""
    return {"name": name, "labels": dict(labels)} if labels else {"name": name}


def validating_policy(name: str, labels: Mapping[str, str], spec: Object) -> Object:
    """A ValidatingAdmissionPolicy."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": metadata(name, labels),
        "spec": spec,
    }


def validating_binding(name: str, labels: Mapping[str, str], actions: Sequence[str], *, asks: bool = False) -> Object:
    """The binding of the policy of the same name.

    Args:
        name: of both.
        labels: of the binding.
        actions: what is done with who is refused.
        asks: whether the policy asks each object of its `paramKind` that the request's namespace has, or the cluster
            for a kind without namespaces. Where there is none, nobody is refused.
    """
    reference = {"paramRef": {"selector": {}, "parameterNotFoundAction": "Allow"}} if asks else {}
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": metadata(name, labels),
        "spec": {"policyName": name, **reference, "validationActions": list(actions)},
    }


def param_kind(kind: str) -> Object:
    """One of our kinds, as a policy names those that it asks."""
    return {"apiVersion": "aicost.dev/v1alpha1", "kind": kind}


def mutating_policy(name: str, labels: Mapping[str, str], spec: Object) -> Object:
    """A MutatingAdmissionPolicy."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": metadata(name, labels),
        "spec": spec,
    }


def mutating_binding(name: str, labels: Mapping[str, str]) -> Object:
    """The binding of the policy of the same name."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": metadata(name, labels),
        "spec": {"policyName": name},
    }
