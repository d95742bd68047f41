"""Which page explains what a budget says."""

from collections.abc import Mapping
from typing import Any

from aicost.domain.budgets.deciding.figures import Blindness
from aicost.domain.budgets.gates import Basis, Gate
from aicost.domain.budgets.messages.values import Topic
from aicost.domain.enforcement.values import ActionPhase

_FOLDER = "docs/runbooks"
_USUAL = "budget-threshold"
"""Page of what has none of its own: how to see where a budget stands."""

BY_TOPIC: Mapping[Topic, str] = {
    Topic.THRESHOLD: "budget-threshold",
    Topic.GATE: "budget-threshold",
    Topic.PLANNED: "budget-suspend",
    Topic.APPLIED: "budget-suspend",
    Topic.REVERTED: "restore-pending",
    Topic.CONTESTED: "actuator-contested",
    Topic.HELD: "cost-data-stale",
    Topic.NUDGE: "budget-nudge",
    Topic.ESCALATED: "budget-threshold",
    Topic.REQUESTED: "override-pending",
    Topic.DECIDED: "override-pending",
    Topic.REVIEW_DUE: "break-glass",
    Topic.REDLINE: "budget-fast-fail",
    Topic.GROWN: "promotion",
    Topic.PROMOTION: "promotion",
}

BY_BASIS: Mapping[Basis, str] = {
    Basis.ACTUAL: "budget-threshold",
    Basis.FORECAST: "budget-forecast",
    Basis.BURN_RATE: "budget-forecast",
    Basis.COMMITTED_RATE: "budget-threshold",
    Basis.UNIT_COST: "budget-threshold",
}
"""Page of a rung that only tells people, by what it looks at."""

BY_GATE: Mapping[Gate, str] = {
    Gate.NOTIFY: "budget-threshold",
    Gate.ANNOTATE: "budget-threshold",
    Gate.DEPRIORITIZE: "budget-freeze-growth",
    Gate.FREEZE_GROWTH: "budget-freeze-growth",
    Gate.DENY_NEW: "budget-deny-new",
    Gate.SUSPEND: "budget-suspend",
    Gate.FAST_FAIL: "budget-fast-fail",
}

BY_REASON: Mapping[str, str] = {
    Blindness.NO_DATA: "cost-data-stale",
    Blindness.STALE: "cost-data-stale",
    Blindness.TELEMETRY_THIN: "cost-data-stale",
    Blindness.PRICES_THIN: "cost-data-stale",
    Blindness.PRICE_JUMP: "price-quarantine",
    Blindness.FOREIGN_CURRENCY: "currency-mismatch",
    ActionPhase.NOTICED: "budget-suspend",
    ActionPhase.CONTESTED: "actuator-contested",
    ActionPhase.FAILED: "budget-suspend",
    ActionPhase.REVERTED: "restore-pending",
    ActionPhase.REVERTING: "restore-pending",
    ActionPhase.SUPERSEDED: "budget-suspend",
    "InvalidSpec": "cost-data-stale",
    "LedgerUnavailable": "cost-data-stale",
    "InternalError": "cost-data-stale",
    "Stale": "cost-data-stale",
    "PartlyPriced": "cost-data-stale",
    "NothingPriced": "cost-data-stale",
    "ForecastOver": "budget-forecast",
    "OverLimit": "budget-threshold",
    "LabelsThin": "labels-thin",
    "Paused": "break-glass",
    "GlassBroken": "break-glass",
    "SwitchedOff": "break-glass",
    "ReviewMissing": "break-glass",
    "NotPermitted": "budget-suspend",
    "Restoring": "restore-pending",
    "NotRestored": "restore-pending",
    "RouteUnknown": "routes",
    "RouteFails": "routes",
    "Undecided": "override-pending",
    "NeedsMajor": "override-pending",
    "NotAllowed": "override-pending",
    "Denied": "override-pending",
    "Expired": "override-pending",
    "BudgetNotFound": "override-pending",
}
"""Page of a reason: of a condition, of what holds a budget back, or of a step's phase."""


_TABLES: tuple[Mapping[Any, str], ...] = (BY_TOPIC, BY_BASIS, BY_GATE, BY_REASON)
_PAGES: Mapping[str, str] = {str(about): page for table in _TABLES for about, page in table.items()}


def page_of(about: str) -> str:
    """The page to read on, as a path from the root of the project.

    Args:
        about: a gate, what a rung looks at, a reason, a phase or a topic: the more precise, the closer the page.
    """
    return f"{_FOLDER}/{_PAGES.get(about, _USUAL)}.md"
