"""What `admit()` answers: a verdict with everything that led to it."""

from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.identity.dimensions import Source
from aicost.domain.policy.policies import Mode


class Verdict(StrEnum):
    """The outcome, the mildest first."""

    ALLOW = "allow"
    WARN = "warn"
    DENY = "deny"


class ProblemCode(StrEnum):
    """What is wrong. The names are SARIF rule ids and values of the metric's label too."""

    MISSING = "missing-label"
    UNKNOWN_VALUE = "unknown-value"
    CONVENTION = "naming-convention"
    FOREIGN_VALUE = "foreign-value"
    """A value that says who pays, in a namespace that is not theirs. Refused in each mode but Audit."""
    IMMUTABLE = "immutable-label"
    CONFLICT = "conflicting-labels"
    """Two spellings of one key on one object with different values."""
    MODEL = "model-not-permitted"
    GPU_MODEL = "gpu-not-permitted"
    PROVIDER = "provider-not-permitted"
    FORGED_OWNER = "forged-owner"
    """An ownerReference that a user wrote. It skips nothing; where the labels are in order it is harmless."""
    EXEMPTION = "unusable-exemption"
    """An exemption that the object gives itself and that says no end or no reason. It excuses nothing."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        key: the policy's key (`team`), or what the rule of use speaks of (`model`, `gpu`, `provider`).
        value: as written, empty where it is missing.
        template: role of the pod template that it is in, empty for the object as a whole.
        text: what is wrong, a clause without a full stop: `team="visoin" is not a known team`.
        suggestion: the nearest allowed value, empty where none is near.
        fix: the label to set, as `key: value`, empty where only people can say.
        mode: the mode that holds for it here.
        excused_by: exemption that excuses it, empty for none; an excused problem has no effect on the verdict.
    """

    code: ProblemCode
    policy: str
    key: str
    value: str
    text: str
    mode: Mode
    template: str = ""
    suggestion: str = ""
    fix: str = ""
    excused_by: str = ""


@dataclass(frozen=True, slots=True)
class LabelChange:
    """A label to write at creation.

    Attributes:
        path: JSON pointer of what holds the metadata: empty for the object itself, else a template's path.
        raw: the value that was there, empty if none was.
        source, origin: where the value comes from, as in `Tag`.
    """

    path: str
    label: str
    value: str
    raw: str
    source: Source
    origin: str


@dataclass(frozen=True, slots=True)
class AdmissionDecision:
    """The answer.

    Attributes:
        verdict: the strictest outcome of all problems that are not excused.
        reason: why in one line, for logs and audits, also where everything is in order (`out of scope: kube-system`).
        problems: all of them, from all policies, in a stable order.
        changes: labels to write on CREATE, normal forms and inherited values; empty where nothing changes. Applying
            them and asking again gives no changes (idempotent).
        revision: of the snapshot that was asked.
    """

    verdict: Verdict
    reason: str
    problems: tuple[Problem, ...] = ()
    changes: tuple[LabelChange, ...] = ()
    revision: str = ""
