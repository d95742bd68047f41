"""Policies and a small world for the cases of admission."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aicost.domain.identity.claims import LabelSelector
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.inventory.cluster import NamespaceFacts, ServiceAccountFacts
from aicost.domain.policy.controllers import CONTROLLERS
from aicost.domain.policy.policies import (
    AllowedValues,
    ConfigMapKey,
    LabelKey,
    LabelPolicy,
    Mode,
    NamespaceScope,
    Need,
)
from aicost.domain.policy.requests import PolicySnapshot
from support.admission.manifests import PLAIN
from support.identity import by_target

CONTROLLER = "system:serviceaccount:kube-system:replicaset-controller"
VALUES = ConfigMapKey("finance", "products", "values")
MISSING_VALUES = ConfigMapKey("finance", "gone", "values")


def dimension_key(dimension: Dimension, **more: Any) -> LabelKey:
    return LabelKey(str(dimension), f"aicost.dev/{dimension}", dimension, **more)


def own_key(name: str, **more: Any) -> LabelKey:
    return LabelKey(name, name, None, **more)


def values(*allowed: str, bound: Mapping[str, Sequence[str]] | None = None, **more: Any) -> AllowedValues:
    scopes = {value: NamespaceScope(frozenset(names)) for value, names in (bound or {}).items()}
    return AllowedValues(values=allowed, bound=scopes, **more)


def policy(*keys: LabelKey, mode: Mode = Mode.DENY, name: str = "cost-labels", **more: Any) -> LabelPolicy:
    given = {"help_url": "https://wiki.example/cost-labels", "contact": "#finops", **more}
    return LabelPolicy(name, f"uid-{name}", 1, mode, keys, **given)


def labelled(**labels: str) -> NamespaceScope:
    """Namespaces that carry labels."""
    return NamespaceScope(selector=LabelSelector(labels))


TEAM = dimension_key(
    Dimension.TEAM,
    aliases=("Team", "squad", "app.kubernetes.io/team"),
    value_aliases={"recs": "recommendation-engine", "reco": "recommendation-engine"},
    allowed=values("vision", "research", "recommendation-engine"),
    need=Need.ALWAYS,
)
COST_CENTER = dimension_key(
    Dimension.COST_CENTER, allowed=values("cc-100", "cc-200", "cc-300", "cc-400"), need=Need.GPU_ONLY
)
BOUND_TEAM = replace(TEAM, allowed=values("vision", "research", bound={"vision": ["vision", "vision-prod"]}))

WORLD = PolicySnapshot(
    revision="r1",
    listed={VALUES: ("chat", "search")},
    namespaces={
        name: NamespaceFacts(name, {"kubernetes.io/metadata.name": name, **labels})
        for name, labels in {
            PLAIN: {},
            "vision": {"aicost.dev/team": "vision"},
            "squads": {"squad": "Recs"},
            "lab": {"tier": "lab"},
            "misspelt": {"aicost.dev/team": "visoin"},
        }.items()
    },
    service_accounts={
        (PLAIN, "trainer"): ServiceAccountFacts(PLAIN, "trainer", {"aicost.dev/team": "research"}),
        (PLAIN, "liar"): ServiceAccountFacts(PLAIN, "liar", {"aicost.dev/team": "vision"}),
    },
    claims={
        PLAIN: (by_target("claim", "Deployment", "claimed", namespace=PLAIN, dimensions={Dimension.TEAM: "Vision"}),)
    },
    queues={(PLAIN, "gpu-queue"): {"aicost.dev/team": "research"}},
    controllers=CONTROLLERS,
)
