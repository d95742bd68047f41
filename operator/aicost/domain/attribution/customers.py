"""Customers under other names: under ids that only the holder of a key can make, or erased.

Whatever names a customer is replaced: values of labels that mean `customer`, of AIWorkloads, of attribution rules, of
aliases and of what is allowed, and the values that selectors ask these labels for. So all that agreed by names agrees
by what they are called then. Ids are made before anything is computed: rows, inputs and differences hold ids alone.
"""

import hmac
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TypeVar

from aicost.domain.identity.claims import LabelSelector, WorkloadClaim
from aicost.domain.identity.dimensions import LABEL_PREFIX, Dimension, Tags
from aicost.domain.identity.normalise import normalise
from aicost.domain.identity.tags.evidence import Evidence
from aicost.domain.identity.tags.precedence import Tagger
from aicost.domain.inventory.cluster import ClusterFacts, NamespaceFacts, QueueFacts, ServiceAccountFacts
from aicost.domain.inventory.pods import OwnerFacts, PodFacts
from aicost.domain.policy.policies import AttributionRule, LabelKey, LabelPolicy, NamespaceScope

LEAST_BYTES = 16
"""A shorter key could be guessed."""
_LABEL = LABEL_PREFIX + Dimension.CUSTOMER
_DIGITS = 24
_ID = re.compile(rf"c-[0-9a-f]{{{_DIGITS}}}")
ERASED = "erased"
"""What stands in the place of a customer who was erased."""
_Labels = Mapping[str, str]
_Labelled = TypeVar("_Labelled", NamespaceFacts, ServiceAccountFacts, QueueFacts, OwnerFacts)


class CustomerNames(ABC):
    """What customers are called, wherever one is named."""

    __slots__ = ()

    @abstractmethod
    def id_of(self, name: str) -> str:
        """What a customer is called, the same for each spelling that means the same; a name may stay as it is."""

    def pod(self, pod: PodFacts, names: Collection[str]) -> PodFacts:
        """A pod, with the labels of its owners."""
        owners = tuple(self._labelled(owner, names) for owner in pod.owners)
        return replace(pod, labels=self.labels(pod.labels, names), owners=owners)

    def _labelled(self, one: _Labelled, names: Collection[str]) -> _Labelled:
        """Something with labels; the same object where none of them means `customer`."""
        labels = self.labels(one.labels, names)
        return one if labels is one.labels else replace(one, labels=labels)

    def labels(self, labels: _Labels, names: Collection[str]) -> _Labels:
        """Labels, with ids under those names that mean `customer`."""
        if not any(name in labels for name in names):
            return labels
        return {name: self.id_of(value) if name in names else value for name, value in labels.items()}

    def surroundings(self, facts: ClusterFacts, names: Collection[str]) -> ClusterFacts:
        """What pods inherit from; the pods themselves are left as they are."""
        return replace(
            facts,
            namespaces={key: self._labelled(one, names) for key, one in facts.namespaces.items()},
            service_accounts={key: self._labelled(one, names) for key, one in facts.service_accounts.items()},
            queues={key: self._labelled(one, names) for key, one in facts.queues.items()},
        )

    def claim(self, claim: WorkloadClaim, names: Collection[str]) -> WorkloadClaim:
        """An AIWorkload."""
        return replace(
            claim, dimensions=self._dimensions(claim.dimensions), selector=self._selector(claim.selector, names)
        )

    def policy(self, policy: LabelPolicy, names: Collection[str]) -> LabelPolicy:
        """A policy."""
        keys = (self._key(key, names) if key.dimension is Dimension.CUSTOMER else key for key in policy.keys)
        return replace(
            policy,
            keys=tuple(keys),
            rules=tuple(self._rule(rule, names) for rule in policy.rules),
            namespaces=self._scope(policy.namespaces, names),
            overrides=tuple(replace(one, namespaces=self._selected(one.namespaces, names)) for one in policy.overrides),
            exemptions=tuple(
                replace(
                    one,
                    namespaces=self._scope(one.namespaces, names),
                    selector=self._selector(one.selector, names),
                )
                for one in policy.exemptions
            ),
        )

    def _key(self, key: LabelKey, names: Collection[str]) -> LabelKey:
        allowed = replace(
            key.allowed,
            values=tuple(dict.fromkeys(map(self.id_of, key.allowed.values))),
            bound={self.id_of(value): self._selected(scope, names) for value, scope in key.allowed.bound.items()},
        )
        return replace(
            key,
            value_aliases={self.id_of(alias): self.id_of(value) for alias, value in key.value_aliases.items()},
            default=self.id_of(key.default),
            groups={group: self.id_of(value) for group, value in key.groups.items()},
            allowed=allowed,
        )

    def _scope(self, scope: NamespaceScope | None, names: Collection[str]) -> NamespaceScope | None:
        return None if scope is None else self._selected(scope, names)

    def _selected(self, scope: NamespaceScope, names: Collection[str]) -> NamespaceScope:
        return replace(scope, selector=self._selector(scope.selector, names))

    def _rule(self, rule: AttributionRule, names: Collection[str]) -> AttributionRule:
        match = replace(rule.match, labels=self._selector(rule.match.labels, names))
        return replace(rule, match=match, dimensions=self._dimensions(rule.dimensions))

    def _dimensions(self, said: Mapping[Dimension, str]) -> Mapping[Dimension, str]:
        return {key: self.id_of(value) if key is Dimension.CUSTOMER else value for key, value in said.items()}

    def _selector(self, selector: LabelSelector | None, names: Collection[str]) -> LabelSelector | None:
        if selector is None:
            return None
        terms = tuple(
            replace(term, values=tuple(map(self.id_of, term.values))) if term.key in names else term
            for term in selector.expressions
        )
        return LabelSelector(self.labels(selector.match_labels, names), terms)


@dataclass(frozen=True, slots=True)
class CustomerIds(CustomerNames):
    """Ids of customers by one key.

    Attributes:
        secret: the key; with another one the same customers have other ids.
    """

    secret: bytes

    def id_of(self, name: str) -> str:
        """The id of a customer: the same for each spelling that means the same. What says nothing stays as it is."""
        value = normalise(Dimension.CUSTOMER, name)
        if value is None:
            return name
        return "c-" + hmac.new(self.secret, value.encode("utf-8", "backslashreplace"), sha256).hexdigest()[:_DIGITS]


class KeyedTagger(Tagger):
    """Tags under policies as the holder of a key says them: customers are ids, as where the controller charges.

    What was stored under an id already keeps it.
    """

    def __init__(self, policies: Sequence[LabelPolicy], ids: CustomerIds) -> None:
        self._ids, self._names = ids, customer_labels(policies)
        super().__init__([ids.policy(policy, self._names) for policy in policies])

    def tags(self, evidence: Evidence) -> Tags:
        """What a pod's cost is charged to."""
        said = {
            (source, dimension): (self._id(raw) if dimension is Dimension.CUSTOMER else raw, origin)
            for (source, dimension), (raw, origin) in evidence.said.items()
        }
        labels, spaces = self._labels(evidence.labels), self._labels(evidence.namespace_labels)
        return super().tags(replace(evidence, labels=labels, namespace_labels=spaces, said=said))

    def _labels(self, labels: _Labels) -> _Labels:
        return {name: self._id(value) if name in self._names else value for name, value in labels.items()}

    def _id(self, value: str) -> str:
        return value if _ID.fullmatch(value) or value == ERASED else self._ids.id_of(value)


@dataclass(frozen=True, slots=True)
class ErasedCustomers(CustomerNames):
    """Some customers have no name any more; all others keep theirs.

    Attributes:
        names: in normal form.
    """

    names: frozenset[str]

    def id_of(self, name: str) -> str:
        """`ERASED` for each spelling of those who are."""
        return ERASED if normalise(Dimension.CUSTOMER, name) in self.names else name


def erased_customers(names: Iterable[str], policies: Iterable[LabelPolicy]) -> ErasedCustomers:
    """Those who are named, under all values that policies call aliases of them."""
    wanted = {normalise(Dimension.CUSTOMER, name) for name in names}
    for key in (key for policy in policies for key in policy.keys if key.dimension is Dimension.CUSTOMER):
        for alias, value in key.value_aliases.items():
            if normalise(Dimension.CUSTOMER, value) in wanted:
                wanted.add(normalise(Dimension.CUSTOMER, alias))
    return ErasedCustomers(frozenset(name for name in wanted if name))


def customer_labels(policies: Iterable[LabelPolicy]) -> frozenset[str]:
    """Keys of labels that mean `customer`: its own, and the aliases of all policies."""
    keys = (key for policy in policies for key in policy.keys if key.dimension is Dimension.CUSTOMER)
    return frozenset({_LABEL, *(alias for key in keys for alias in key.aliases)})


def check_secret(secret: bytes) -> bytes:
    """A key that cannot be guessed, as it is.

    Raises:
        ValueError: it is too short.
    """
    if len(secret) < LEAST_BYTES:
        raise ValueError(f"the key has {len(secret)} bytes, at least {LEAST_BYTES} are needed")
    return secret
