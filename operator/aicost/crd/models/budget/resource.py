"""Budget and ClusterBudget: how much may be spent on what, until when, and what happens then."""

from typing import Annotated, ClassVar

from pydantic import Field

from aicost.crd.fields.amounts import Currency, Price
from aicost.crd.fields.text import ItemName, LongText, ObjectName
from aicost.crd.models.budget.approvals import Approvals, Growth, Owner, Promotion
from aicost.crd.models.budget.enforcement import Enforcement
from aicost.crd.models.budget.ladder import Ladder, Redline
from aicost.crd.models.budget.nudges import Nudge
from aicost.crd.models.budget.period import Period, PeriodType, PlannedAmount, Rollover
from aicost.crd.models.budget.scope import ClusterScope, Scope
from aicost.crd.models.budget.status import BudgetStatus
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import SET_LIST, Rule, map_list
from aicost.domain.budgets.gates import Basis, Gate, Mode
from aicost.domain.budgets.plans import CarryMode
from aicost.domain.identity.stages import Stage
from aicost.domain.ledger.rows import Component


class ParentRef(ApiModel):
    """A budget above this one."""

    name: ObjectName
    """Name of the ClusterBudget."""


class BudgetCommon(ApiModel):
    """What both kinds of budget say."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.rollover) || self.rollover.mode == 'None' || "
            "!has(self.period) || self.period.type == 'Calendar'",
            "only a Calendar period has a next one to carry into: take rollover out",
            lambda spec: (
                spec.rollover is None
                or spec.rollover.mode is CarryMode.NONE
                or spec.period is None
                or spec.period.type is PeriodType.CALENDAR
            ),
        ),
        Rule(
            "!has(self.plannedAmounts) || !has(self.period) || self.period.type == 'Calendar'",
            "plannedAmounts belong to a Calendar period: take them out",
            lambda spec: not spec.planned_amounts or spec.period is None or spec.period.type is PeriodType.CALENDAR,
        ),
        Rule(
            "!has(self.ladder) || self.ladder.all(rung, rung.basis != 'Forecast' || rung.gate != 'FreezeGrowth' || "
            "(has(self.enforcement) && self.enforcement.forecastMayFreezeGrowth))",
            "a forecast may open FreezeGrowth only with enforcement.forecastMayFreezeGrowth: true",
            lambda spec: (
                not any(rung.basis is Basis.FORECAST and rung.gate is Gate.FREEZE_GROWTH for rung in spec.ladder or ())
                or (spec.enforcement is not None and spec.enforcement.forecast_may_freeze_growth)
            ),
        ),
    )

    limit: Price
    """What may be spent in one period, as a decimal string above zero in the currency given here."""
    currency: Currency
    """ISO 4217 code of all amounts of the budget; that of the price books."""
    period: Period | None = None
    """The span that the limit is for. Calendar months, where absent."""
    planned_amounts: Annotated[list[PlannedAmount], Field(max_length=60), map_list("from")] | None = None
    """Limits that replace the one above from a moment on."""
    rollover: Rollover | None = None
    """What is carried into the next period. Nothing, where absent."""
    parent_ref: ParentRef | None = None
    """A ClusterBudget above this one: what it refuses is refused here too."""
    components: Annotated[list[Component], Field(min_length=1, max_length=6), SET_LIST] | None = None
    """Components of the cost that count: gpu, cpu, memory, storage, network, api. All, where absent."""
    stage: Stage | None = None
    """How far the work has come that the budget is for: sandbox, experiment, pilot or production. It gives the ladder
    and maxGate that are absent below; whoever raises it needs the verb grow."""
    ladder: Annotated[Ladder, map_list("name")] | None = None
    """Thresholds and the gates that they open. Where absent: those of the stage; without a stage, Notify at 50, 80 and
    100 percent of actual spend."""
    mode: Mode = Mode.OBSERVE
    """Observe shows, Advise also tells people, Enforce also acts."""
    max_gate: Gate | None = None
    """The hardest gate that this budget may open, whatever the ladder says. Above FreezeGrowth it needs label coverage
    of 0.90. Where absent: that of the stage; without a stage, FreezeGrowth."""
    enforcement: Enforcement | None = None
    """How carefully it acts."""
    redlines: Annotated[list[Redline], Field(max_length=8), map_list("name")] | None = None
    """Limits of their own that fail an experiment fast, beside the ladder."""
    nudges: Annotated[list[Nudge], Field(max_length=8), map_list("name")] | None = None
    """What to tell people long before anything is stopped. Where absent: Rate, UnitCost, GpuModel and IdleShare with
    their usual floors; an empty list tells nothing."""
    approvals: Approvals | None = None
    """Who may allow more."""
    growth: Growth | None = None
    """Lets the limit grow with success."""
    promotion: Promotion | None = None
    """When the work is ready for the next stage; the status says so, and a person promotes it."""
    owners: Annotated[list[Owner], Field(max_length=16), map_list("name")] | None = None
    """Who answers for it."""
    routes: Annotated[list[ItemName], Field(max_length=16), SET_LIST] | None = None
    """Names of the notification routes to tell, of those that the settings offer to this namespace. Where absent: those
    of the team, else FinOps."""
    runbook_url: LongText | None = None
    """Page that each message links to. The runbook of the reason, where absent."""
    paused: bool = False
    """Whether nothing is opened or closed for now; spend is counted all the same."""


class BudgetSpec(BudgetCommon):
    """How much this namespace may spend."""

    scope: Scope | None = None
    """Which cost of this namespace counts. All of it, where absent."""


class ClusterBudgetSpec(BudgetCommon):
    """How much the cluster, or a part of it, may spend."""

    scope: ClusterScope | None = None
    """Which cost counts. All of it, where absent."""


class Budget(ApiModel):
    """How much this namespace may spend, and what happens at which threshold."""

    spec: BudgetSpec
    """Limit, period, ladder and safety."""
    status: BudgetStatus | None = None
    """Where it stands. Written by the controller alone."""


class ClusterBudget(ApiModel):
    """How much the cluster, or a part of it, may spend, and what happens at which threshold."""

    spec: ClusterBudgetSpec
    """Limit, period, ladder and safety."""
    status: BudgetStatus | None = None
    """Where it stands. Written by the controller alone."""
