"""How our resources name a budget, and an object of any kind."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from aicost.crd.fields.text import ObjectName, ShortText
from aicost.crd.schema.base import ApiModel


class BudgetKind(StrEnum):
    """Kinds of budget."""

    BUDGET = "Budget"
    CLUSTER_BUDGET = "ClusterBudget"


class OverrideBudgetRef(ApiModel):
    """The budget that more is asked of."""

    kind: BudgetKind = BudgetKind.BUDGET
    """Budget, of this namespace, or ClusterBudget."""
    name: ObjectName
    """Its name."""


class ActingBudgetRef(ApiModel):
    """The budget that acts."""

    kind: BudgetKind
    """Budget or ClusterBudget."""
    name: ObjectName
    """Its name."""
    namespace: Annotated[str, Field(max_length=63)] | None = None
    """Its namespace. Absent for a ClusterBudget."""
    uid: Annotated[str, Field(max_length=64)]
    """Its identity: one that was made anew under its name is another one."""


class ObjectRef(ApiModel):
    """An object of any kind in the namespace."""

    api_version: ShortText
    """Group and version."""
    kind: ShortText
    """Kind."""
    name: ShortText
    """Name."""
    uid: Annotated[str, Field(max_length=64)]
    """Identity: one that was made anew under its name is left alone."""
