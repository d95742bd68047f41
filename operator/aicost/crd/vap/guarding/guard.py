"""A guard: a policy of the API server that refuses one lie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aicost.crd.vap.language.requests import is_child
from aicost.crd.vap.language.shapes import (
    Object,
    Rules,
    named,
    param_kind,
    validating_binding,
    validating_policy,
)

REMARK = "decision"
"""Key, after the name of the policy, under which the audit log tells who asked for what."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that an honest request fulfils.

    Attributes:
        holds: expression that is true for it.
        message: expression of what is said otherwise, in one line.
    """

    holds: str
    message: str


@dataclass(frozen=True, slots=True)
class Guard:
    """A policy of the API server that refuses one lie.

    Attributes:
        name: last part of its name.
        checks: what is asked, all of it.
        conditions: when it is asked at all.
        children: whether it also asks controllers about what they make for owners.
        remark: expression of what the audit log is told, in one line; an empty text tells nothing.
        params: one of our kinds, each object of which in the namespace is asked; empty for none.
    """

    name: str
    rules: Rules
    variables: Mapping[str, str]
    checks: Sequence[Check]
    conditions: Mapping[str, str] = field(default_factory=dict)
    children: bool = False
    remark: str = ""
    params: str = ""

    def objects(self, name: str, labels: Mapping[str, str], controllers: Sequence[str] | str) -> tuple[Object, Object]:
        """The policy and its binding.

        Args:
            name: their name.
            labels: their labels.
            controllers: see `is_child`.
        """
        child = {} if self.children else {"not-a-child": f"!({is_child(controllers)})"}
        checks = [
            {"expression": check.holds, "messageExpression": check.message, "reason": "Forbidden"}
            for check in self.checks
        ]
        spec = {
            "failurePolicy": "Fail",
            **({"paramKind": param_kind(self.params)} if self.params else {}),
            "matchConstraints": {"matchPolicy": "Equivalent", "resourceRules": self.rules.published()},
            "matchConditions": named({**child, **self.conditions}),
            "variables": named(self.variables),
            "validations": checks,
            **({"auditAnnotations": [{"key": REMARK, "valueExpression": self.remark}]} if self.remark else {}),
        }
        binding = validating_binding(name, labels, ["Deny"], asks=bool(self.params))
        return validating_policy(name, labels, spec), binding
