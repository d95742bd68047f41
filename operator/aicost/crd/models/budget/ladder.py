"""The ladder of gates and the redlines beside it."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Factor, Price
from aicost.crd.fields.text import Duration, ItemName
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import SET_LIST, Rule, unit
from aicost.domain.budgets.gates import GATES, Basis, Gate, rank
from aicost.domain.budgets.plans import RedlineMetric
from aicost.domain.identity.stages import Stage

_RANKS_CEL = "{" + ", ".join(f"'{gate}': {place}" for place, gate in enumerate(GATES)) + "}"
_OF_PERCENT = (Basis.ACTUAL, Basis.FORECAST, Basis.UNIT_COST)
_FOR_FORECASTS = (Gate.NOTIFY, Gate.ANNOTATE, Gate.FREEZE_GROWTH)


class Rung(ApiModel):
    """A threshold that opens a gate."""

    rules = (
        Rule(
            "(self.basis in ['Actual', 'Forecast', 'UnitCost']) == has(self.atPercent)",
            "atPercent belongs to basis: Actual, Forecast or UnitCost, which need it: give for example atPercent: 80",
            lambda rung: (rung.basis in _OF_PERCENT) == (rung.at_percent is not None),
        ),
        Rule(
            "(self.basis == 'BurnRate') == has(self.atBurnRate)",
            'atBurnRate belongs to basis: BurnRate, which needs it: give for example atBurnRate: "2"',
            lambda rung: (rung.basis is Basis.BURN_RATE) == (rung.at_burn_rate is not None),
        ),
        Rule(
            "(self.basis == 'CommittedRate') == has(self.atRatePerHour)",
            'atRatePerHour belongs to basis: CommittedRate, which needs it: give for example atRatePerHour: "120"',
            lambda rung: (rung.basis is Basis.COMMITTED_RATE) == (rung.at_rate_per_hour is not None),
        ),
        Rule(
            "!has(self.exitPercent) || (has(self.atPercent) && self.exitPercent < self.atPercent)",
            "exitPercent must be below atPercent: the gate closes again below it",
            lambda rung: rung.exit_percent is None or (rung.at_percent or 0) > rung.exit_percent,
        ),
        Rule(
            "self.basis != 'Forecast' || self.gate in ['Notify', 'Annotate', 'FreezeGrowth']",
            "a forecast may open Notify, Annotate and FreezeGrowth only: put harder gates on basis: Actual",
            lambda rung: rung.basis is not Basis.FORECAST or rung.gate in _FOR_FORECASTS,
        ),
    )

    name: ItemName
    """Name of the rung; messages use it."""
    gate: Gate
    """Gate to open: Notify, Annotate, Deprioritize, FreezeGrowth, DenyNew, Suspend (or scale down) or FastFail."""
    basis: Basis
    """What is compared: Actual spend, Forecast spend at the end of the period, BurnRate (1 ends exactly at the limit),
    CommittedRate of what runs now, or UnitCost. What looks ahead (Forecast, and BurnRate while the limit is not
    reached) opens Notify and Annotate, and FreezeGrowth with enforcement.forecastMayFreezeGrowth; nothing harder."""
    at_percent: (
        Annotated[int, Field(ge=1, le=1000), unit("percent of the limit or, for UnitCost, of the target")] | None
    ) = None
    """Where the gate opens, for Actual, Forecast and UnitCost."""
    at_burn_rate: Factor | None = None
    """Where the gate opens, for BurnRate: a decimal string, 1 spends exactly the rest of the limit by the end."""
    at_rate_per_hour: Price | None = None
    """Where the gate opens, for CommittedRate: a decimal string in the budget's currency per hour."""
    exit_percent: Annotated[int, Field(ge=1, le=1000), unit("percent, as atPercent")] | None = None
    """Below this the gate closes again. 5 below atPercent, where absent."""
    evaluations: Annotated[int, Field(ge=1, le=100)] = 3
    """Evaluations on fresh data, one after the other, that must agree before the gate opens."""


_NEVER_EASES = Rule(
    "self.all(a, self.all(b, a.basis != b.basis || !has(a.atPercent) || !has(b.atPercent) || "
    "a.atPercent >= b.atPercent || "
    f"{_RANKS_CEL}[a.gate] <= {_RANKS_CEL}[b.gate]))",
    "the ladder ascends: of two rungs on the same figure the higher percentage must open the harder gate",
    lambda rungs: all(
        rank(a.gate) <= rank(b.gate)
        for a in rungs
        for b in rungs
        if a.basis is b.basis and (a.at_percent or 0) < (b.at_percent or 0)
    ),
)

Ladder = Annotated[list[Rung], Field(max_length=16), _NEVER_EASES]


class Redline(ApiModel):
    """A limit of its own, beside the ladder, that fails an experiment fast."""

    rules = (
        Rule(
            "has(self.above) != has(self.below)",
            "give exactly one of above and below: the side on which the line is crossed",
            lambda line: (line.above is None) != (line.below is None),
        ),
    )

    name: ItemName
    """Name of the redline; messages use it."""
    metric: RedlineMetric
    """What is compared: TotalCost, CostPerUnit, CostPerSuccess (amounts in the budget's currency) or SuccessRate
    (0 to 1)."""
    above: Price | None = None
    """The line is crossed above this: a decimal string."""
    below: Price | None = None
    """The line is crossed below this: a decimal string."""
    window: Duration = "1h"
    """Span that the figure is taken over."""
    min_samples: Annotated[int, Field(ge=1, le=1000000)] = 50
    """Units that must be in the window before it is judged."""
    evaluations: Annotated[int, Field(ge=1, le=100)] = 3
    """Evaluations on fresh data, one after the other, that must agree."""
    notice: Duration = "5m"
    """Time between the announcement and the stop."""
    stages: Annotated[list[Stage], Field(min_length=1, max_length=4), SET_LIST] = Field(
        default=[Stage.SANDBOX, Stage.EXPERIMENT]
    )
    """Stages that it may stop."""
