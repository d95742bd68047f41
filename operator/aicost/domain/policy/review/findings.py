"""What may be wrong with a policy although each of its fields is in order."""

from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.policy.policies import AllowedValues


class PolicyDefectKind(StrEnum):
    """What is wrong; each fits as the reason of a condition."""

    NOT_ALLOWED = "NotAllowed"
    AMBIGUOUS_ALIAS = "AmbiguousAlias"
    UNKNOWN_KEY = "UnknownKey"
    UNKNOWN_KIND = "UnknownKind"
    CONFLICT = "ConflictingPolicies"


@dataclass(frozen=True, slots=True, order=True)
class PolicyDefect:
    """One thing that is wrong with a policy.

    Attributes:
        policy: the policy that this is to be reported on.
        message: for people: what happens because of it, and what to change.
    """

    policy: str
    kind: PolicyDefectKind
    message: str


def closed(allowed: AllowedValues) -> bool:
    """Whether the list alone says which values are allowed."""
    return bool(allowed.values) and not (allowed.pattern or allowed.config_map)
