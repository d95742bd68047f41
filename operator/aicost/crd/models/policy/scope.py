"""How a policy says which namespaces and objects it means. Small on purpose: scopes stand in lists of lists."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.selection import LabelExpression, LabelSelector
from aicost.crd.fields.text import LabelValue
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST, SET_LIST, Rule, matches

NamespaceName = Annotated[
    str,
    Field(max_length=63),
    matches(
        r"[a-z0-9]([-a-z0-9]*[a-z0-9])?",
        "write the name of a namespace: lower-case letters, digits and dashes, for example team-a",
    ),
]


class ShortExpression(LabelExpression):
    """One comparison of a label selector."""

    values: Annotated[list[LabelValue], Field(max_length=10), ATOMIC_LIST] | None = None
    """Values to compare with."""


class ShortSelector(LabelSelector):
    """A Kubernetes label selector: all its terms must hold."""

    match_labels: Annotated[dict[str, LabelValue], Field(max_length=8)] | None = None
    """Labels that must have these values."""
    match_expressions: Annotated[list[ShortExpression], Field(max_length=3), ATOMIC_LIST] | None = None  # type: ignore[assignment]
    """Further comparisons."""


class NamespaceScope(ApiModel):
    """A set of namespaces: those that are named and those that the selector selects."""

    rules = (
        Rule(
            "has(self.names) || has(self.selector)",
            "an empty scope selects no namespace: give names, selector or both",
            lambda scope: scope.names is not None or scope.selector is not None,
        ),
    )

    names: Annotated[list[NamespaceName], Field(min_length=1, max_length=32), SET_LIST] | None = None
    """Namespaces by name."""
    selector: ShortSelector | None = None
    """Namespaces by their labels."""
