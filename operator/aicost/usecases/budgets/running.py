"""Say what runs now and what it costs per hour."""

from dataclasses import dataclass, field
from typing import Any

from aicost.domain.attribution.identifying import identified, witnesses_of
from aicost.domain.attribution.resolvers.table import may_hold
from aicost.domain.budgets.spend.running import Prices, Running, running_pods
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.identity.matching import Matching, match_claims
from aicost.domain.identity.tags.precedence import Tagger
from aicost.domain.identity.tags.queues import queue_of
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.ledger.rows import Holder
from aicost.domain.pricing.books import PriceBook, PriceQuote
from aicost.domain.pricing.selection import decide_prices
from aicost.ports.inventory import Inventory
from aicost.ports.policies import Policies
from aicost.ports.prices import PriceSource
from aicost.ports.workloads import Claims


@dataclass(slots=True)
class RunningPods:
    """What runs now. It remembers who a pod is, and what a node costs, while all that says so stays the same."""

    cluster: str
    inventory: Inventory
    prices: PriceSource
    claims: Claims
    policies: Policies
    _known: tuple[Any, Any] = ((), ())
    _holders: dict[str, tuple[tuple[Any, ...], Holder]] = field(default_factory=dict)
    _quotes: dict[str, tuple[tuple[Any, ...], PriceQuote | None]] = field(default_factory=dict)

    def __call__(self, since_ms: int, now_ms: int) -> tuple[Running, ...]:
        """Pods that hold devices now, and those that have ended since a moment.

        Args:
            since_ms: up to where their cost is known already.
            now_ms: the present moment.
        """
        facts = self.inventory.facts(Window(min(since_ms, now_ms), now_ms + 1))
        holders = self._identities(facts)
        return running_pods(facts, self._prices(facts, now_ms), lambda pod: holders[pod.facts.uid], self.cluster)

    def _identities(self, facts: ClusterFacts) -> dict[str, Holder]:
        said = (tuple(self.policies.policies()), tuple(self.claims.claims()))
        self._known = self._known if said == self._known else said  # read anew each minute, and mostly the same
        policies, claims = self._known
        pods = [record for record in facts.pods if may_hold(record.facts)]
        matching, tagger = match_claims((record.facts for record in pods), claims), Tagger(policies)
        known = {record.facts.uid: self._identity(record, facts, matching, tagger, policies) for record in pods}
        self._holders = known
        return {uid: holder for uid, (_, holder) in known.items()}

    def _identity(
        self, record: PodRecord, facts: ClusterFacts, matching: Matching, tagger: Tagger, policies: Any
    ) -> tuple[tuple[Any, ...], Holder]:
        """Who a pod is; as it was before where nothing that says so was replaced since."""
        pod = record.facts
        account = facts.service_accounts.get((pod.namespace, pod.service_account))
        place, queue = facts.namespaces.get(pod.namespace), queue_of(pod, facts.queues)
        basis = (pod, matching.by_pod.get(pod.uid), place, account, queue, policies)
        before = self._holders.get(pod.uid)
        if before and all(one is other for one, other in zip(before[0], basis, strict=True)):
            return before
        return basis, identified(witnesses_of(pod, facts, basis[1]), tagger)

    def _prices(self, facts: ClusterFacts, now_ms: int) -> Prices:
        books = self.prices.books()
        minute = now_ms // MINUTE_MS
        self._quotes = {record.facts.uid: self._quote(record, books, minute, now_ms) for record in facts.nodes}
        return {uid: quote for uid, (_, quote) in self._quotes.items()}

    def _quote(
        self, record: NodeRecord, books: Any, minute: int, now_ms: int
    ) -> tuple[tuple[Any, ...], PriceQuote | None]:
        """What a GPU-hour of a node costs now; prices may change with time, so it is asked again each minute."""
        before = self._quotes.get(record.facts.uid)
        if before and before[0][0] is record.facts and before[0][1] is books and before[0][2] == minute:
            return before
        return (record.facts, books, minute), _current(record, books, now_ms)


def _current(record: NodeRecord, books: "tuple[PriceBook, ...]", now_ms: int) -> PriceQuote | None:
    return decide_prices(record.facts, books, Window(now_ms, now_ms + 1))[0].chosen
