"""What an audit keeps of the objects that run pods: enough to count labels, nothing that is secret or large."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aicost.domain.coverage.keys import NOT_EARNED, WantedKey
from aicost.domain.coverage.spend import ObjectKey
from aicost.domain.policy.decisions import Problem, Verdict
from aicost.domain.policy.policies import Mode
from aicost.domain.workloads.shapes import Scaling


@dataclass(frozen=True, slots=True)
class Running:
    """What an object runs.

    Attributes:
        wants_gpus: whether its pods ask for accelerators, of known size or not.
        gpu_milli: thousandths of GPUs that run at once at the start; None where nobody knows from here.
        pods, max_pods: how many pods at the start and at most.
        model, workload_type: what it serves or trains, empty where nothing says it.
        product: what it is part of.
        claim: the AIWorkload that speaks for it, empty for none.
    """

    wants_gpus: bool = False
    gpu_milli: int | None = 0
    pods: int = 0
    max_pods: int = 0
    scaling: Scaling = Scaling.FIXED
    model: str = ""
    workload_type: str = ""
    product: str = ""
    claim: str = ""

    @property
    def is_ai(self) -> bool:
        """Whether it is an AI workload: it wants accelerators, or somebody or its command says what it is."""
        return self.wants_gpus or bool(self.claim or self.model or self.workload_type)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one policy requires of an object.

    Attributes:
        required: keys that it must have.
        missing: keys among them that nobody gives.
    """

    required: tuple[str, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditedObject:
    """An object as an audit found it.

    Attributes:
        values: key -> value in normal form, the object's own or inherited.
        sources: key -> who says so, a lower-case name of `Source`.
        asked: name of a policy that judges it -> what it requires.
        problems: all that policies find wrong with it now.
        verdict: what its creation would meet today, in the modes that hold where it lives.
        owner: who answers for it, as its annotations say; empty where they do not.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    runs: Running = Running()
    values: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, Asked] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    verdict: Verdict = Verdict.ALLOW
    owner: str = ""

    @property
    def of(self) -> ObjectKey:
        """The object as the ledger names it."""
        return self.namespace, self.kind, self.name

    @property
    def required(self) -> tuple[str, ...]:
        """Keys that any policy requires of it."""
        return tuple(dict.fromkeys(key for asked in self.asked.values() for key in asked.required))

    @property
    def missing(self) -> tuple[str, ...]:
        """Keys that any policy requires of it and that nobody gives."""
        return tuple(dict.fromkeys(key for asked in self.asked.values() for key in asked.missing))

    @property
    def breaks(self) -> tuple[Problem, ...]:
        """Problems that no exemption excuses: in mode Deny its creation would be refused."""
        return tuple(problem for problem in self.problems if not problem.excused_by)

    @property
    def bare(self) -> bool:
        """Whether no key at all has a value that somebody gave."""
        return all(self.sources.get(key) in NOT_EARNED for key in self.values)


@dataclass(frozen=True, slots=True)
class PolicyState:
    """A policy as an audit saw it.

    Attributes:
        keys: its keys, with what it alone says of them.
    """

    name: str
    mode: Mode
    keys: tuple[WantedKey, ...] = ()
    min_coverage_ppm: int = 900_000
    unused_days: int = 30


@dataclass(frozen=True, slots=True)
class Audit:
    """One look at all objects that run pods.

    Attributes:
        at_ms: when it ended.
        revision: of the policies that it judged by.
        keys: keys of all policies together; `team` alone where there is none.
        kinds: kinds that were listed.
        unread: kinds that could not be listed, with the reason.
    """

    at_ms: int
    revision: str
    objects: tuple[AuditedObject, ...]
    keys: tuple[WantedKey, ...]
    policies: tuple[PolicyState, ...] = ()
    kinds: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def of_namespace(self, namespace: str) -> "Audit":
        """The same look at one namespace."""
        return replace(self, objects=tuple(one for one in self.objects if one.namespace == namespace))

    def of_policy(self, policy: PolicyState) -> "Audit":
        """The same look with the eyes of one policy."""
        seen = tuple(_seen_by(policy, one) for one in self.objects if policy.name in one.asked)
        return replace(self, objects=seen, keys=policy.keys or self.keys, policies=(policy,))


@dataclass(frozen=True, slots=True)
class LastAudit:
    """The last look, if there is one.

    Attributes:
        audit: None where there is none.
        why_none: the reason, for people.
    """

    audit: Audit | None = None
    why_none: str = ""


def _seen_by(policy: PolicyState, found: AuditedObject) -> AuditedObject:
    own = tuple(problem for problem in found.problems if problem.policy == policy.name)
    return replace(found, asked={policy.name: found.asked[policy.name]}, problems=own)
