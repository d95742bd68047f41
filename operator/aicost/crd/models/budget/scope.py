"""What a budget is for."""

import re
from typing import Annotated

from pydantic import Field

from aicost.crd.fields.selection import LabelSelector
from aicost.crd.fields.text import ObjectName
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST, SET_LIST, Rule
from aicost.domain.identity.dimensions import Dimension

_KEY = rf"{'|'.join(Dimension)}|label:[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?"

ScopeFilter = Annotated[
    dict[str, Annotated[list[Annotated[str, Field(max_length=253)]], Field(min_length=1, max_length=100), ATOMIC_LIST]],
    Field(max_length=16),
    Rule(
        f"self.all(key, key.matches(r'^({_KEY})$'))",
        f"choose by one of {', '.join(Dimension)}, or label:KEY for any label of the pod",
        lambda chosen: all(re.fullmatch(_KEY, key) for key in chosen),
    ),
]


class Scope(ApiModel):
    """Which cost counts: in the namespace of the budget, what matches all filters."""

    dimensions: ScopeFilter | None = None
    """For each dimension (team, model, stage ...) or label:KEY the values that count. Everything, where absent."""


class ClusterScope(Scope):
    """Which cost counts: what matches all filters and all selectors."""

    namespaces: Annotated[list[ObjectName], Field(max_length=100), SET_LIST] | None = None
    """Namespaces that count, by name. All, where absent."""
    namespace_selector: LabelSelector | None = None
    """Namespaces that count, by label."""
    clusters: Annotated[list[Annotated[str, Field(max_length=253)]], Field(max_length=50), SET_LIST] | None = None
    """Clusters that count, by id, where a ledger holds several. All, where absent."""
