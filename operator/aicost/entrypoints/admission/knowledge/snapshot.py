"""All that answers rest on, of one moment, and how it is made of what the watches saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aicost.crd.convert.budget.left import SeenBudget, budgets_of
from aicost.domain.estimates.market import market_of
from aicost.domain.estimates.values import BudgetLeft, Market
from aicost.domain.inventory.cluster import NamespaceFacts, ServiceAccountFacts
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.policy.engines import engine_in_use
from aicost.domain.policy.policies import Engine, LabelPolicy
from aicost.domain.policy.requests import PolicySnapshot
from aicost.domain.policy.snapshots import Known, MapName, policy_snapshot
from aicost.domain.pricing.books import PriceBook
from aicost.domain.workloads.shapes import Workload
from aicost.entrypoints.admission.knowledge.claimants import SeenClaim

QueueName = tuple[str, str]
"""Namespace and name of a queue."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known. Never changed: a new one takes its place as a whole.

    Attributes:
        denied: uids of AIWorkloads that say that pods of theirs are denied.
    """

    policy: PolicySnapshot
    market: Market = field(default_factory=Market)
    budgets: tuple[SeenBudget, ...] = ()
    denied: frozenset[str] = frozenset()

    def budgets_of(self, workload: Workload) -> tuple[BudgetLeft, ...]:
        """What is left of the budgets that an object would count against."""
        return budgets_of(self.budgets, workload, self.policy.namespaces.get(workload.namespace))


@dataclass(slots=True)
class Seen:
    """What the watches saw, by uid; written by them alone."""

    policies: dict[str, LabelPolicy] = field(default_factory=dict)
    namespaces: dict[str, NamespaceFacts] = field(default_factory=dict)
    accounts: dict[str, ServiceAccountFacts] = field(default_factory=dict)
    claims: dict[str, SeenClaim] = field(default_factory=dict)
    books: dict[str, PriceBook] = field(default_factory=dict)
    nodes: dict[str, NodeFacts] = field(default_factory=dict)
    budgets: dict[str, SeenBudget] = field(default_factory=dict)
    queues: dict[str, tuple[QueueName, Mapping[str, str]]] = field(default_factory=dict)
    maps: dict[MapName, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """What settings say of whom not to judge, and which engine judges."""

    controllers: tuple[str, ...] = ()
    system_namespaces: tuple[str, ...] = PolicySnapshot().system_namespaces
    engine: Engine = Engine.WEBHOOK

    def are_ours(self, policy: LabelPolicy) -> bool:
        """Whether the webhook judges by a policy, and not the API server itself. Who asks us hears from us."""
        engine = engine_in_use(policy.engine, self.engine, webhook_answers=True, mutating_policies=True)
        return engine is Engine.WEBHOOK


def make_snapshot(seen: Seen, rules: Rules, now_ms: int) -> Snapshot:
    """Put together what is known now."""
    known = Known(
        policies=tuple(policy for policy in seen.policies.values() if rules.are_ours(policy)),
        maps=dict(seen.maps),
        namespaces=tuple(seen.namespaces.values()),
        accounts=tuple(seen.accounts.values()),
        claims=tuple(one.claim for one in seen.claims.values()),
        queues=dict(seen.queues.values()),
    )
    policy = replace(policy_snapshot(known), controllers=rules.controllers, system_namespaces=rules.system_namespaces)
    books = tuple(sorted(seen.books.values(), key=lambda book: book.name))
    market = market_of(tuple(seen.nodes.values()), books, now_ms)
    denied = frozenset(uid for uid, one in seen.claims.items() if one.denied)
    return Snapshot(policy, market, tuple(seen.budgets.values()), denied)
