"""What `admit()` is asked: an object, who sends it, and the world as it is known in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.inventory.cluster import NamespaceFacts, ServiceAccountFacts
from aicost.domain.policy.policies import ConfigMapKey, LabelPolicy
from aicost.domain.workloads.shapes import Workload


class Operation(StrEnum):
    """What is done to the object."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    AUDIT = "AUDIT"
    """Nothing: an object that is there already is looked at. Judged as a CREATE would be, with nobody to ask."""


@dataclass(frozen=True, slots=True)
class Requester:
    """Who sends the request, as the API server authenticated them. Empty in audits and offline."""

    name: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One question.

    Attributes:
        workload: the object as it would be.
        before: the object as it is, for an UPDATE.
        dry_run: nothing will be kept: nothing may be counted, posted or remembered either.
    """

    operation: Operation
    workload: Workload
    requester: Requester = Requester()
    before: Workload | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class PolicySnapshot:
    """All that admission knows, of one moment. Never changed: a new one takes its place as a whole.

    Attributes:
        revision: short digest of the policies and of what they refer to; it is stamped into each answer.
        listed: values that ConfigMaps hold, in normal form; a ConfigMap that cannot be read is absent, and then its
            key's values are not judged (a missing list must not refuse everybody).
        claims: AIWorkloads by namespace.
        queues: (namespace, queue name) -> labels of the queue.
        controllers: user names that make pods for owners: children that they create are not judged again.
        system_namespaces: name patterns that are out of scope.
    """

    revision: str = ""
    policies: tuple[LabelPolicy, ...] = ()
    listed: Mapping[ConfigMapKey, tuple[str, ...]] = field(default_factory=dict)
    namespaces: Mapping[str, NamespaceFacts] = field(default_factory=dict)
    service_accounts: Mapping[tuple[str, str], ServiceAccountFacts] = field(default_factory=dict)
    claims: Mapping[str, tuple[WorkloadClaim, ...]] = field(default_factory=dict)
    queues: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    controllers: tuple[str, ...] = ()
    system_namespaces: tuple[str, ...] = ("kube-system", "kube-node-lease", "kube-public", "gatekeeper-system")
