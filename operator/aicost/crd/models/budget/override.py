"""BudgetOverride: a request for more, with the decision of those who may take it."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Nanos, Price, Readable
from aicost.crd.fields.conditions import Reported
from aicost.crd.fields.text import LongText, Moment, ShortText, Timestamp
from aicost.crd.models.budget.refs import OverrideBudgetRef
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import Rule, unit
from aicost.domain.budgets.overrides.values import OverrideClass, Phase, Purpose, Ruling


class Decision(ApiModel):
    """What was decided. It is written once and by who decides; the API server checks both."""

    state: Ruling
    """Approved or Denied."""
    class_: Annotated[OverrideClass, Field(alias="class")]
    """As what: a Minor overrun needs the verb approve-minor on the budget, a Major one approve-major and other eyes
    than the requester's."""
    by: ShortText
    """User name of who decides: the one who writes this."""
    comment: LongText | None = None
    """Why."""


class Review(ApiModel):
    """What was found of a break-glass afterwards, by somebody else: written once, with the verb approve-major."""

    by: ShortText
    """User name of who reviewed it: the one who writes this."""
    comment: Annotated[LongText, Field(min_length=10)]
    """What was found, and what follows."""


class BudgetOverrideSpec(ApiModel):
    """What is asked for, and why."""

    rules = (
        Rule(
            "(self.purpose == 'RaiseLimit') == (has(self.amount) || has(self.percent))",
            "purpose: RaiseLimit says how much, and no other purpose does: give amount or percent with it alone",
            lambda spec: (spec.purpose is Purpose.RAISE_LIMIT) == (spec.amount is not None or spec.percent is not None),
        ),
        Rule(
            "!(has(self.amount) && has(self.percent))",
            "give amount or percent, not both",
            lambda spec: spec.amount is None or spec.percent is None,
        ),
    )

    budget_ref: OverrideBudgetRef
    """The budget."""
    purpose: Purpose = Purpose.RAISE_LIMIT
    """RaiseLimit adds to the limit; StopProduction lets the budget stop workloads of stage production; BreakGlass lifts
    its gates at once, for a day at most, and is reviewed afterwards."""
    amount: Price | None = None
    """How much more, as a decimal string in the budget's currency."""
    percent: Annotated[int, Field(ge=1, le=1000), unit("percent of the limit")] | None = None
    """How much more, in percent of the limit."""
    valid_until: Moment | None = None
    """Until when. Until the end of the period, where absent, within what the budget allows."""
    reason: Annotated[LongText, Field(min_length=10)]
    """Why it is needed."""
    ticket: ShortText | None = None
    """Where it is discussed."""
    requested_by: ShortText
    """User name of who asks: the one who creates this. The API server checks it."""
    decision: Decision | None = None
    """What was decided; absent while nothing was."""
    review: Review | None = None
    """What was found of a break-glass afterwards."""


class BudgetOverrideStatus(Reported):
    """What became of the request."""

    phase: Phase | None = None
    """Pending, Active, Denied, Expired or ReviewDue."""
    class_: Annotated[OverrideClass | None, Field(alias="class")] = None
    """What the request is: Minor or Major. A break-glass is neither."""
    added: Readable | None = None
    """What it adds to the limit now."""
    added_nanos: Nanos | None = None
    """What it adds to the limit now, exact."""
    active_since: Timestamp | None = None
    """Since when it holds."""
    expires_at: Timestamp | None = None
    """When it ends, or when nobody will decide any more."""
    message: Annotated[str, Field(max_length=1024)] | None = None
    """What happens next, in words."""


class BudgetOverride(ApiModel):
    """Asks for more than a budget allows."""

    spec: BudgetOverrideSpec
    """What is asked for, and why. Immutable but for decision and review."""
    status: BudgetOverrideStatus | None = None
    """What became of it. Written by the controller alone."""
