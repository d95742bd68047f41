"""Hints long before anything is stopped."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Amount
from aicost.crd.fields.text import ItemName
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import unit
from aicost.domain.budgets.plans import NudgeOn


class Nudge(ApiModel):
    """Tells people when something leaves its own normal. It never acts."""

    name: ItemName
    """Name of the nudge; messages use it."""
    watch: NudgeOn
    """What is watched: the Rate of spend, UnitCost, GpuModel (a kind of GPU that was not used before) or IdleShare."""
    relative_percent: Annotated[int, Field(ge=1, le=10000), unit("percent of the normal")] = 30
    """Least change that is worth a word, against the normal."""
    min_per_day: Amount = "25"
    """Least change that is worth a word, in money per day: a decimal string in the budget's currency."""
