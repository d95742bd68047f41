"""Attribution rules: dimensions for pods that nobody labelled."""

import re
from typing import Annotated

from pydantic import Field

from aicost.crd.fields.text import ItemName, ShortText
from aicost.crd.models.policy.scope import ShortSelector
from aicost.crd.models.policy.uses import Patterns
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import Rule
from aicost.domain.identity.dimensions import Dimension

_MATCHED = ("namespaces", "labels", "owners", "images", "models", "serviceAccounts", "nodes")
_DIMENSION = "|".join(Dimension)


class RuleMatch(ApiModel):
    """Which pods a rule speaks of: all fields that are given must match. In patterns * stands for anything."""

    rules = (
        Rule(
            " || ".join(f"has(self.{name})" for name in _MATCHED),
            "an empty match would tag every pod: give at least one of " + ", ".join(_MATCHED),
            lambda match: match.model_dump(exclude_none=True) != {},
        ),
    )

    namespaces: Patterns | None = None
    """Patterns of namespaces."""
    labels: ShortSelector | None = None
    """Labels of the pod."""
    owners: Patterns | None = None
    """Patterns of owners as Kind/name, for example RayCluster/tune-*. Any link of the chain of owners may match."""
    images: Patterns | None = None
    """Patterns of images, for example registry.example/vision/*. Any container may match."""
    models: Patterns | None = None
    """Patterns of the model that the pod serves or trains."""
    service_accounts: Patterns | None = None
    """Patterns of ServiceAccounts."""
    nodes: Patterns | None = None
    """Patterns of nodes."""


class AttributionRule(ApiModel):
    """A virtual tag: dimensions for the cost of pods, whoever labelled them or not."""

    name: ItemName
    """Name of the rule; it stands beside each figure that it decided."""
    match: RuleMatch
    """Which pods it speaks of."""
    dimensions: Annotated[
        dict[str, ShortText],
        Field(min_length=1, max_length=13),
        Rule(
            f"self.all(key, key.matches(r'^({_DIMENSION})$'))",
            f"name dimensions: {', '.join(Dimension)}",
            lambda said: all(re.fullmatch(_DIMENSION, key) for key in said),
        ),
    ]
    """The dimensions, and the values that they get."""
    override: bool = False
    """Whether the rule goes before what pods are labelled with. Otherwise it fills what labels leave open."""
