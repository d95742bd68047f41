"""Who a pod is in the ledger."""

from collections.abc import Callable

from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.identity.discovery import discover
from aicost.domain.identity.matching import Matching
from aicost.domain.identity.tags.evidence import Witnesses
from aicost.domain.identity.tags.precedence import Tagger
from aicost.domain.identity.tags.queues import queue_of
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.inventory.pods import OwnerFacts, PodFacts, PodRecord
from aicost.domain.ledger.rows import Holder
from aicost.domain.ledger.tagging import renamed, tagged

_Look = tuple[object, ...]


class Identifier:
    """Says who a pod is in the ledger; the same object for the same record each time.

    Pods that differ in no more than their names, as replicas do, are asked once: see `_look_of`.
    """

    def __init__(self, facts: ClusterFacts, matching: Matching, tagger: Tagger) -> None:
        self._facts, self._matching, self._tagger = facts, matching, tagger
        self._known: dict[int, tuple[PodRecord, Holder]] = {}
        self._looks: dict[_Look, Holder] = {}

    def __call__(self, record: PodRecord) -> Holder:
        """Who it is."""
        found = self._known.get(id(record))
        if found is not None:
            return found[1]
        pod, holder = record.facts, self.like(record)
        if (holder.pod, holder.pod_uid) != (pod.name, pod.uid):
            holder = renamed(holder, pod.name, pod.uid, alone=not pod.owners)
        self._known[id(record)] = record, holder
        return holder

    def like(self, record: PodRecord) -> Holder:
        """Who the first pod is that looks like it: all but name, uid, and where it is its own controller is the same.

        What a pod's own label says names that pod as its origin.
        """
        pod = record.facts
        claim = self._matching.by_pod.get(pod.uid)
        look = _look_of(pod, claim, with_node=self._tagger.asks_for_nodes)
        alike = self._looks.get(look)
        if alike is None:
            alike = self._looks[look] = identified(witnesses_of(pod, self._facts, claim), self._tagger)
        return alike


def _look_of(pod: PodFacts, claim: WorkloadClaim | None, *, with_node: bool) -> _Look:
    """All that its tags rest on beside its name: two pods that look the same have the same tags."""
    words = (pod.labels, pod.annotations, pod.run_ids)
    owners = [(*_link(owner), *owner.labels.items()) for owner in pod.owners]
    account, node = pod.service_account, pod.node if with_node else None
    said = [tuple(one.items()) if one else () for one in words]
    return pod.namespace, account, node, id(claim), pod.containers, *said, *owners


def _link(owner: OwnerFacts) -> tuple[str, str, str]:
    return owner.api_version, owner.kind, owner.name


def namespace_identifier(facts: ClusterFacts, tagger: Tagger) -> Callable[[str], Holder]:
    """A function that says who pays for a namespace, where it is no pod that something belongs to."""

    def identify(name: str) -> Holder:
        nobody = PodFacts("", name, "", 0)
        evidence = tagger.hear(Witnesses(nobody, namespace=facts.namespaces.get(name)))
        return tagged(Holder(namespace=name), evidence, tagger.tags(evidence))

    return identify


def witnesses_of(pod: PodFacts, facts: ClusterFacts, claim: WorkloadClaim | None) -> Witnesses:
    """All that says something of a pod."""
    return Witnesses(
        pod=pod,
        claim=claim,
        namespace=facts.namespaces.get(pod.namespace),
        service_account=facts.service_accounts.get((pod.namespace, pod.service_account)),
        queue=queue_of(pod, facts.queues),
        discovered=discover(pod),
    )


def identified(witnesses: Witnesses, tagger: Tagger) -> Holder:
    """Who a pod is, by what its witnesses say."""
    evidence = tagger.hear(witnesses)
    return tagged(holder_of(witnesses.pod, witnesses.claim), evidence, tagger.tags(evidence))


def holder_of(pod: PodFacts, claim: WorkloadClaim | None) -> Holder:
    """A pod before its dimensions are known: its controller is the last owner of its chain, which people know."""
    controller = pod.owners[-1] if pod.owners else None
    return Holder(
        namespace=pod.namespace,
        pod=pod.name,
        pod_uid=pod.uid,
        controller_kind=controller.kind if controller else "Pod",
        controller=controller.name if controller else pod.name,
        workload=claim.name if claim else "",
        labels=pod.labels,
    )
