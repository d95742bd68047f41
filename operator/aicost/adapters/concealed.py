"""Ports behind which no customer has a name: what is computed and stored from them holds ids."""

from collections.abc import Sequence
from dataclasses import replace

from aicost.domain.attribution.customers import CustomerIds, customer_labels
from aicost.domain.exact.windows import Window
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.inventory.pods import PodFacts, PodRecord
from aicost.domain.policy.policies import LabelPolicy
from aicost.ports.inventory import Inventory
from aicost.ports.policies import Policies
from aicost.ports.workloads import Claims


class ConcealedInventory:
    """Port `Inventory`. A pod that did not change is the same object again, for those who remember by it."""

    def __init__(self, inventory: Inventory, policies: Policies, ids: CustomerIds) -> None:
        self._inventory, self._policies, self._ids = inventory, policies, ids
        self._names: frozenset[str] = frozenset()
        self._recent: dict[str, tuple[PodFacts, PodFacts]] = {}
        self._older = self._recent

    def facts(self, window: Window) -> ClusterFacts:
        """Pods and nodes of a window."""
        facts, names = self._inventory.facts(window), customer_labels(self._policies.policies())
        if names != self._names:
            self._names, self._recent, self._older = names, {}, {}
        known = {record.facts.uid: self._pod(record.facts) for record in facts.pods}
        self._recent, self._older = known, self._recent
        pods = tuple(_with(record, known[record.facts.uid][1]) for record in facts.pods)
        return self._ids.surroundings(replace(facts, pods=pods), names)

    def _pod(self, pod: PodFacts) -> tuple[PodFacts, PodFacts]:
        for known in (self._recent.get(pod.uid), self._older.get(pod.uid)):
            if known is not None and known[0] is pod:
                return known
        return pod, self._ids.pod(pod, self._names)


class ConcealedClaims:
    """Port `Claims`."""

    def __init__(self, claims: Claims, policies: Policies, ids: CustomerIds) -> None:
        self._claims, self._policies, self._ids = claims, policies, ids

    def claims(self) -> Sequence[WorkloadClaim]:
        """The claims as they are now."""
        names = customer_labels(self._policies.policies())
        return tuple(self._ids.claim(claim, names) for claim in self._claims.claims())


class ConcealedPolicies:
    """Port `Policies`, for those who charge; who judges objects asks for names."""

    def __init__(self, policies: Policies, ids: CustomerIds) -> None:
        self._policies, self._ids = policies, ids

    def policies(self) -> Sequence[LabelPolicy]:
        """The policies as they are now."""
        policies = self._policies.policies()
        names = customer_labels(policies)
        return tuple(self._ids.policy(policy, names) for policy in policies)


def _with(record: PodRecord, facts: PodFacts) -> PodRecord:
    return record if record.facts is facts else replace(record, facts=facts)
