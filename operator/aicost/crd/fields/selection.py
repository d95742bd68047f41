"""How a resource says which objects it means."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from aicost.crd.fields.text import ApiVersion, Kind, LabelKey, LabelValue, ObjectName
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST, Rule


class TargetRef(ApiModel):
    """An object in the same namespace."""

    api_version: ApiVersion
    """API group and version of the object, for example apps/v1."""
    kind: Kind
    """Kind of the object, for example Deployment. Any kind that owns pods will do, custom ones included."""
    name: ObjectName
    """Name of the object."""


class Operator(StrEnum):
    """How a label is compared."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


_COMPARES = (Operator.IN, Operator.NOT_IN)


class LabelExpression(ApiModel):
    """One comparison of a label selector."""

    rules = (
        Rule(
            "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
            "In and NotIn need values; Exists and DoesNotExist take none",
            lambda term: (term.operator in _COMPARES) == bool(term.values),
        ),
    )

    key: LabelKey
    """Label to compare."""
    operator: Operator
    """In and NotIn compare with values; Exists and DoesNotExist ask for the label alone."""
    values: Annotated[list[LabelValue], Field(max_length=64), ATOMIC_LIST] | None = None
    """Values to compare with."""


class LabelSelector(ApiModel):
    """A Kubernetes label selector: all its terms must hold."""

    rules = (
        Rule(
            "(has(self.matchLabels) && size(self.matchLabels) > 0) || "
            "(has(self.matchExpressions) && size(self.matchExpressions) > 0)",
            "an empty selector selects everything: name at least one label in matchLabels or matchExpressions",
            lambda selector: bool(selector.match_labels or selector.match_expressions),
        ),
    )

    match_labels: Annotated[dict[str, LabelValue], Field(max_length=32)] | None = None
    """Labels that must have these values."""
    match_expressions: Annotated[list[LabelExpression], Field(max_length=32), ATOMIC_LIST] | None = None
    """Further comparisons."""
