"""What admission knows, put together from the objects that say it."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.inventory.cluster import NamespaceFacts, ServiceAccountFacts
from aicost.domain.policy.policies import ConfigMapKey, LabelPolicy
from aicost.domain.policy.requests import PolicySnapshot
from aicost.domain.policy.values import listed_values

MapName = tuple[str, str]
"""Namespace and name of a ConfigMap."""
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Known:
    """Objects that decisions rest on, as they were read.

    Attributes:
        maps: content of the ConfigMaps that policies name, as far as it could be read.
        queues: (namespace, name) -> labels of the queue.
    """

    policies: tuple[LabelPolicy, ...] = ()
    maps: Mapping[MapName, Mapping[str, str]] = field(default_factory=dict)
    namespaces: tuple[NamespaceFacts, ...] = ()
    accounts: tuple[ServiceAccountFacts, ...] = ()
    claims: tuple[WorkloadClaim, ...] = ()
    queues: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)


def policy_snapshot(known: Known) -> PolicySnapshot:
    """A snapshot with its revision; who makes pods for others and what is out of scope are the defaults."""
    policies = tuple(sorted(known.policies, key=lambda policy: policy.name))
    made = PolicySnapshot(
        policies=policies,
        listed=_listed(policies, known.maps),
        namespaces={one.name: one for one in known.namespaces},
        service_accounts={(one.namespace, one.name): one for one in known.accounts},
        claims=_by_namespace(known.claims),
        queues=known.queues,
    )
    return replace(made, revision=revision_of(made))


def maps_named(policies: Iterable[LabelPolicy]) -> frozenset[MapName]:
    """ConfigMaps that policies take allowed values from."""
    keys = (key.allowed.config_map for policy in policies for key in policy.keys)
    return frozenset((key.namespace, key.name) for key in keys if key is not None)


def revision_of(snapshot: PolicySnapshot) -> str:
    """Twelve characters that change with each policy and with the lists that they refer to."""
    parts = [f"{one.uid} {one.generation}" for one in snapshot.policies]
    parts += [f"{key} {values}" for key, values in sorted(snapshot.listed.items(), key=str)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_DIGITS]


def _listed(
    policies: Iterable[LabelPolicy], maps: Mapping[MapName, Mapping[str, str]]
) -> dict[ConfigMapKey, tuple[str, ...]]:
    """The values of the lists that could be read; what is absent is not judged."""
    found: dict[ConfigMapKey, tuple[str, ...]] = {}
    for key in (key for policy in policies for key in policy.keys):
        place = key.allowed.config_map
        text = maps.get((place.namespace, place.name), {}).get(place.key) if place else None
        if place is not None and text is not None:
            found[place] = listed_values(text, key)
    return found


def _by_namespace(claims: Iterable[WorkloadClaim]) -> dict[str, tuple[WorkloadClaim, ...]]:
    """Claims by namespace, the oldest first: it wins."""
    found: defaultdict[str, list[WorkloadClaim]] = defaultdict(list)
    for claim in sorted(claims, key=lambda claim: (claim.created_ms, claim.name)):
        found[claim.namespace].append(claim)
    return {namespace: tuple(those) for namespace, those in found.items()}
