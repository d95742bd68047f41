"""The conditions that the controller sets: which types each kind has, and why each may hold or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aicost.crd.fields.conditions import ConditionStatus
from aicost.domain.budgets.deciding.figures import Blindness
from aicost.domain.enforcement.values import ActionPhase
from aicost.domain.identity.problems import ClaimProblemKind
from aicost.domain.policy.review.findings import PolicyDefectKind
from aicost.domain.pricing.defects import DefectKind


class ConditionType(StrEnum):
    """What a condition states."""

    READY = "Ready"
    PODS_CLAIMED = "PodsClaimed"
    TELEMETRY_AVAILABLE = "TelemetryAvailable"
    PRICED = "Priced"
    DATA_FRESH = "DataFresh"
    WINDOW_VALID = "WindowValid"
    ACCEPTED = "Accepted"
    OVERLAPPING = "Overlapping"
    WITHIN_BUDGET = "WithinBudget"
    ENFORCING = "Enforcing"
    CONFLICTING = "Conflicting"
    CONFIG_MAP_FOUND = "ConfigMapFound"
    ENFORCEMENT_ACTIVE = "EnforcementActive"
    PODS_ADMITTED = "PodsAdmitted"
    ENFORCEMENT_HELD = "EnforcementHeld"
    ACTUATOR_CONTESTED = "ActuatorContested"
    RESTORE_PENDING = "RestorePending"
    ROUTES_READY = "RoutesReady"
    REVIEW_DUE = "ReviewDue"
    EFFECTIVE = "Effective"
    IN_FORCE = "InForce"
    PRICE_SOURCE_FRESH = "PriceSourceFresh"
    REFUSING = "Refusing"
    TELEMETRY_TRUSTED = "TelemetryTrusted"
    CAPTURED = "Captured"
    UNITS_COUNTED = "UnitsCounted"
    WITHIN_TARGET = "WithinTarget"
    SUCCESS_JUDGED = "SuccessJudged"


class Reason(StrEnum):
    """Why a condition holds or not, as one word for programs."""

    REPORTED = "Reported"
    WAITING = "Waiting"
    INVALID_SPEC = "InvalidSpec"
    LEDGER_UNAVAILABLE = "LedgerUnavailable"
    INTERNAL_ERROR = "InternalError"
    CURRENCY_MISMATCH = "CurrencyMismatch"
    CLAIMED = "Claimed"
    ADMITTED = "Admitted"
    LABELS_DENIED = "LabelsDenied"
    CONFLICT = "Conflict"
    MEASURED = "Measured"
    PARTLY_MEASURED = "PartlyMeasured"
    NO_SOURCE = "NoSource"
    NO_SAMPLES = "NoSamples"
    SOURCE_FAILS = "SourceFails"
    ALL_PRICED = "AllPriced"
    LIST_PRICES = "ListPrices"
    PARTLY_PRICED = "PartlyPriced"
    NOTHING_PRICED = "NothingPriced"
    FRESH = "Fresh"
    STALE = "Stale"
    NO_WINDOW_YET = "NoWindowYet"
    VALID = "Valid"
    INVALID_WINDOW = "InvalidWindow"
    BEFORE_LEDGER = "BeforeLedger"
    UNKNOWN_TIME_ZONE = "UnknownTimeZone"
    ACCEPTED = "Accepted"
    INVALID_ENTRY = "InvalidEntry"
    NO_OVERLAP = "NoOverlap"
    WITHIN = "Within"
    FORECAST_OVER = "ForecastOver"
    OVER_LIMIT = "OverLimit"
    OBSERVE_ONLY = "ObserveOnly"
    ADVISE_ONLY = "AdviseOnly"
    GATE_OPEN = "GateOpen"
    NOTHING_REACHED = "NothingReached"
    PAUSED = "Paused"
    GLASS_BROKEN = "GlassBroken"
    SWITCHED_OFF = "SwitchedOff"
    NOT_PERMITTED = "NotPermitted"
    NOT_HELD = "NotHeld"
    LABELS_THIN = "LabelsThin"
    CONTESTED = "Contested"
    NOT_CONTESTED = "NotContested"
    RESTORING = "Restoring"
    NOT_RESTORED = "NotRestored"
    NOTHING_TO_RESTORE = "NothingToRestore"
    ROUTES_FOUND = "RoutesFound"
    ROUTE_UNKNOWN = "RouteUnknown"
    ROUTE_FAILS = "RouteFails"
    REVIEW_MISSING = "ReviewMissing"
    REVIEWED = "Reviewed"
    UNDECIDED = "Undecided"
    NEEDS_MAJOR = "NeedsMajor"
    NOT_ALLOWED = "NotAllowed"
    DENIED = "Denied"
    EXPIRED = "Expired"
    BUDGET_NOT_FOUND = "BudgetNotFound"
    AUDITED = "Audited"
    AUDIT_FAILS = "AuditFails"
    NO_CONFLICT = "NoConflict"
    FOUND = "Found"
    NOT_FOUND = "NotFound"
    ACTIVE = "Active"
    PARTLY_ACTIVE = "PartlyActive"
    AUDIT_ONLY = "AuditOnly"
    NO_ENGINE = "NoEngine"
    ENGINE_FAILS = "EngineFails"
    FETCHED = "Fetched"
    KEY_MISSING = "KeyMissing"
    PROVIDER_UNAVAILABLE = "ProviderUnavailable"
    INVALID = "Invalid"
    SUSPENDED = "Suspended"
    CAPTURED = "Captured"
    BELOW_MINIMUM = "BelowMinimum"
    NOTHING_TO_COMPARE = "NothingToCompare"
    COUNTED = "Counted"
    ENGINE_UNREACHABLE = "EngineUnreachable"
    ENGINE_NOT_HEARD = "EngineNotHeard"
    WITHIN_MARGIN = "WithinMargin"
    ABOVE_TARGET = "AboveTarget"
    NO_TARGET = "NoTarget"
    JUDGED = "Judged"
    NOTHING_JUDGED = "NothingJudged"
    NOT_COUNTED = "NotCounted"
    NOTHING_DONE = "NothingDone"


@dataclass(frozen=True, slots=True)
class Cause:
    """One way in which a condition comes to its status."""

    status: ConditionStatus
    reason: Reason | ClaimProblemKind | DefectKind | PolicyDefectKind | Blindness | ActionPhase
    meaning: str


_YES, _NO, _OPEN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN

_READY = (
    Cause(_YES, Reason.REPORTED, "The figures answer the spec."),
    Cause(_NO, Reason.INVALID_SPEC, "The spec asks for something impossible; the message names field and fix."),
    Cause(_NO, Reason.LEDGER_UNAVAILABLE, "The ledger cannot be read; the figures are the last ones."),
    Cause(_NO, Reason.INTERNAL_ERROR, "A bug: the figures are the last ones, and the controller's log says more."),
    Cause(_OPEN, Reason.WAITING, "Nothing was computed yet."),
)
_TELEMETRY = (
    Cause(_YES, Reason.MEASURED, "The GPUs have samples."),
    Cause(_NO, Reason.PARTLY_MEASURED, "Some device time has no samples; its cost is allocated-unmeasured."),
    Cause(_NO, Reason.NO_SAMPLES, "The source answers and has no sample of these GPUs."),
    Cause(_NO, Reason.SOURCE_FAILS, "The source fails; the message says why. Windows wait for it for an hour."),
    Cause(_NO, Reason.NO_SOURCE, "No source of telemetry was found; the message says what was looked for."),
    Cause(_OPEN, Reason.WAITING, "Too little device time was seen to judge."),
)
_PRICED = (
    Cause(_YES, Reason.ALL_PRICED, "All device time has a price."),
    Cause(_YES, Reason.LIST_PRICES, "All device time has a price; a part rests on public list prices."),
    Cause(_NO, Reason.PARTLY_PRICED, "Some device time has no price; the message gives the entry to add."),
    Cause(_NO, Reason.NOTHING_PRICED, "No device time has a price; the message gives the entry to add."),
)
_FRESH = (
    Cause(_YES, Reason.FRESH, "The last closed window is as recent as it can be."),
    Cause(_NO, Reason.STALE, "Windows that should be closed are not; the message says since when."),
    Cause(_OPEN, Reason.NO_WINDOW_YET, "No window was closed yet; the figures are provisional."),
)
_CLAIMED = (
    Cause(_YES, Reason.CLAIMED, "Pods are claimed."),
    Cause(_NO, ClaimProblemKind.SELECTS_NOTHING, "No pod matches; the message says what would."),
    Cause(_NO, ClaimProblemKind.TARGET_NOT_FOUND, "The targetRef names nothing that owns a pod here."),
    Cause(_NO, Reason.CONFLICT, "Another AIWorkload claims some of the pods; the message names it and the rule."),
    Cause(_NO, ClaimProblemKind.SELECTS_EVERYTHING, "The selector matches every pod of the namespace."),
    Cause(_NO, ClaimProblemKind.INVALID_SELECTOR, "The selector cannot be read; the message says which part."),
)
_COUNTED = (
    Cause(_YES, Reason.COUNTED, "What its engine or its own counter did is counted in each closed window."),
    Cause(_NO, Reason.ENGINE_NOT_HEARD, "No counter of the engine that it names was found; the message has the fix."),
    Cause(_NO, Reason.SOURCE_FAILS, "The counters cannot be read now; the message says why. It is caught up with."),
    Cause(_NO, Reason.ENGINE_UNREACHABLE, "Engines are scraped directly, and one cannot be; the message says why."),
    Cause(_OPEN, Reason.NO_SOURCE, "Neither is a Prometheus in use nor are engines scraped directly."),
    Cause(_OPEN, Reason.WAITING, "No window was counted yet, or no pod runs."),
)
"""Set where an engine was heard, or telemetry or a unit is named."""
_TARGET = (
    Cause(_YES, Reason.WITHIN, "A unit costs no more than its target."),
    Cause(_YES, Reason.WITHIN_MARGIN, "A unit costs more than its target, and no more than the margin allows."),
    Cause(_NO, Reason.ABOVE_TARGET, "A unit costs more than target and margin; the message has both prices."),
    Cause(_OPEN, Reason.NO_TARGET, "The unit has no targetPrice."),
    Cause(_OPEN, Reason.NOT_COUNTED, "Nobody counts the unit, or not yet; the message has the fix."),
    Cause(_OPEN, Reason.NOTHING_DONE, "There was no unit in the windows that were counted: no price is defined."),
    Cause(_OPEN, Reason.CURRENCY_MISMATCH, "The target is in another currency than the cost; nothing is converted."),
)
"""Set where spec.unitMetric is given."""
_SUCCESS = (
    Cause(_YES, Reason.JUDGED, "The source of spec.success tells which answers were a success."),
    Cause(_NO, Reason.INVALID_SPEC, "A query of spec.success is not understood; the message has the fix."),
    Cause(_OPEN, Reason.NOTHING_JUDGED, "The source tells nothing of this month; the message has the fix."),
)
"""Set where spec.success is given."""
_ADMITTED = (
    Cause(_YES, Reason.ADMITTED, "Pods that were denied before are let in again. Said by the webhook."),
    Cause(
        _NO, Reason.LABELS_DENIED, "What a controller makes was denied; the message has the fix. Said by the webhook."
    ),
)
_WINDOW = (
    Cause(_YES, Reason.VALID, "The window can be reported."),
    Cause(_NO, Reason.INVALID_WINDOW, "The window is in the future, reversed or too long; the message says which."),
    Cause(_NO, Reason.BEFORE_LEDGER, "The window ends before the ledger begins."),
    Cause(_NO, Reason.UNKNOWN_TIME_ZONE, "The time zone is in no IANA table here."),
)
_ACCEPTED = (
    Cause(_YES, Reason.ACCEPTED, "All entries are usable."),
    Cause(_NO, Reason.INVALID_SPEC, "The book cannot be read and is not used; the message names field and fix."),
    Cause(_NO, Reason.INTERNAL_ERROR, "A bug: the book is not used, and the controller's log says more."),
    Cause(_NO, Reason.INVALID_ENTRY, "An entry cannot be read and is left out; the message names it and the fix."),
    Cause(_NO, DefectKind.NEVER_HOLDS, "An entry ends when it begins, so it never holds."),
    Cause(_NO, DefectKind.NO_PRICE, "An entry has no price above zero."),
    Cause(_NO, DefectKind.NO_SHARE, "An entry is split by a share and gives none."),
    Cause(_NO, DefectKind.NO_REFERENCE_RATE, "An entry is split by reference rates that the book does not give."),
    Cause(_NO, DefectKind.PRICES_EVERYTHING, "An entry matches every node."),
    Cause(_NO, DefectKind.AMBIGUOUS_MODEL, "An entry names a GPU that is sold in several memory sizes."),
    Cause(_NO, DefectKind.DUPLICATE_NAME, "Two entries have one name."),
    Cause(_NO, DefectKind.UNKNOWN_BOOK, "A discount names a book that is not there; the message names those that are."),
    Cause(_NO, DefectKind.NEVER_TAKEN_OFF, "A discount ends when it begins, so it is never taken off."),
)
_PRICE_SOURCE = (
    Cause(_YES, Reason.FRESH, "The URL that publishes the book was read lately."),
    Cause(_NO, Reason.STALE, "It was not read for longer than the settings allow; the last known prices hold."),
    Cause(_NO, Reason.NO_SOURCE, "The settings name no URL any more; the last known prices hold."),
    Cause(_OPEN, Reason.WAITING, "It was not read yet by this controller."),
)
"""Set on books that were read from a URL alone."""
_OVERLAPPING = (
    Cause(_YES, DefectKind.OVERLAP, "Two entries match the same nodes at the same time; the message says which holds."),
    Cause(_NO, Reason.NO_OVERLAP, "At each moment at most one entry of each kind holds."),
)
_WITHIN = (
    Cause(_YES, Reason.WITHIN, "Spend and forecast are below the limit."),
    Cause(_YES, Reason.FORECAST_OVER, "Spend is below the limit, the forecast is not."),
    Cause(_NO, Reason.OVER_LIMIT, "Spend has reached the limit."),
)
_BUDGET_READY = (
    *_READY,
    Cause(_NO, Reason.CURRENCY_MISMATCH, "The budget's currency is not the one of the cost; nothing is converted."),
)
_POLICY_READY = (
    Cause(_YES, Reason.AUDITED, "The objects of the cluster were judged by it; the figures say how they stand."),
    Cause(_NO, Reason.INVALID_SPEC, "The policy cannot be read; the message names field and fix."),
    Cause(_NO, Reason.AUDIT_FAILS, "The objects could not be looked at; the figures are the last ones."),
    Cause(_NO, Reason.INTERNAL_ERROR, "A bug: the figures are the last ones, and the controller's log says more."),
    Cause(_OPEN, Reason.WAITING, "The objects were not looked at yet."),
)
_POLICY_ACCEPTED = (
    Cause(_YES, Reason.ACCEPTED, "All of it is usable."),
    Cause(_NO, Reason.INVALID_SPEC, "The policy cannot be read and does not hold; the message names field and fix."),
    Cause(_NO, Reason.INVALID_ENTRY, "A part cannot be used and is left out; the message names it and the fix."),
    Cause(_NO, PolicyDefectKind.NOT_ALLOWED, "A default, an alias or a group leads to a value that is not allowed."),
    Cause(_NO, PolicyDefectKind.AMBIGUOUS_ALIAS, "A label key stands for two keys of the policy."),
    Cause(_NO, PolicyDefectKind.UNKNOWN_KEY, "An exemption names a key that the policy does not have."),
    Cause(_NO, PolicyDefectKind.UNKNOWN_KIND, "A kind runs no pods that are known, so nothing of it is judged."),
)
_CONFLICTING = (
    Cause(_YES, PolicyDefectKind.CONFLICT, "Another policy says otherwise of the same key; the message names it."),
    Cause(_NO, Reason.NO_CONFLICT, "No other policy says otherwise of the same keys and objects."),
)
_CONFIG_MAP = (
    Cause(_YES, Reason.FOUND, "All ConfigMaps that it names were read."),
    Cause(_NO, Reason.NOT_FOUND, "A ConfigMap or its key cannot be read; values of that key are not judged."),
    Cause(_OPEN, Reason.WAITING, "The ConfigMaps were not looked at yet."),
)
_ENFORCEMENT = (
    Cause(_YES, Reason.ACTIVE, "An engine judges each request that the policy speaks of."),
    Cause(_NO, Reason.PARTLY_ACTIVE, "An engine judges, but not all of it; the message says what is left out."),
    Cause(_NO, Reason.AUDIT_ONLY, "The mode is Audit: nothing is said at admission, objects are counted."),
    Cause(_NO, Reason.NO_ENGINE, "Nobody judges at admission; the message says what was looked for."),
    Cause(_NO, Reason.ENGINE_FAILS, "The engine does not answer, so everything is let in; the message says why."),
    Cause(_OPEN, Reason.WAITING, "The engine was not looked at yet."),
)
_ENFORCING = (
    Cause(_YES, Reason.GATE_OPEN, "A gate is open, and what it asks for is done."),
    Cause(_NO, Reason.NOTHING_REACHED, "The budget would act, and no rung is reached."),
    Cause(_NO, Reason.OBSERVE_ONLY, "The mode is Observe: it shows where it stands and does nothing else."),
    Cause(_NO, Reason.ADVISE_ONLY, "The mode is Advise: it tells people and does nothing else."),
    Cause(_NO, Reason.PAUSED, "It is paused: nothing is opened and nothing closed."),
    Cause(_NO, Reason.GLASS_BROKEN, "A break-glass override lifts its gates for a while; the message says until when."),
    Cause(_NO, Reason.SWITCHED_OFF, "Enforcement is turned off for the whole release."),
    Cause(_NO, Reason.NOT_PERMITTED, "The controller lacks a right; the message names it and how to grant it."),
)
_HELD = (
    Cause(_YES, Blindness.NO_DATA, "There are no figures yet: nothing is opened and nothing closed."),
    Cause(_YES, Blindness.STALE, "The figures are older than maxStaleness: nothing is opened and nothing closed."),
    Cause(_YES, Blindness.TELEMETRY_THIN, "Too little device time has samples: nothing is opened and nothing closed."),
    Cause(_YES, Blindness.PRICES_THIN, "Too little device time has a price: nothing is opened and nothing closed."),
    Cause(_YES, Blindness.PRICE_JUMP, "A unit price jumped: nothing moves until a person has looked at it."),
    Cause(_YES, Blindness.FOREIGN_CURRENCY, "A part of the cost is in another currency: nothing moves."),
    Cause(_YES, Reason.LABELS_THIN, "Too little of the cost has its labels for a gate above FreezeGrowth."),
    Cause(_YES, Reason.PAUSED, "It is paused."),
    Cause(_NO, Reason.NOT_HELD, "Nothing holds it back."),
)
_CONTESTED = (
    Cause(
        _YES, Reason.CONTESTED, "Somebody else keeps undoing a step, so the controller gave way; status.enforcement."
    ),
    Cause(_NO, Reason.NOT_CONTESTED, "Nobody undoes what it does."),
)
_RESTORE = (
    Cause(_YES, Reason.RESTORING, "What was changed comes back, a few GPUs at a time."),
    Cause(_YES, Reason.NOT_RESTORED, "Something did not come back; its BudgetAction says what and why."),
    Cause(_NO, Reason.NOTHING_TO_RESTORE, "Nothing waits to come back."),
)
_ROUTES = (
    Cause(_YES, Reason.ROUTES_FOUND, "All routes that it names are there and take messages."),
    Cause(_NO, Reason.ROUTE_UNKNOWN, "A route is not offered to it; the message names those that are."),
    Cause(_NO, Reason.ROUTE_FAILS, "A route takes no messages now; they are sent again."),
)
_REVIEW = (
    Cause(_YES, Reason.REVIEW_MISSING, "A break-glass was used, and nobody has reviewed it yet."),
    Cause(_NO, Reason.REVIEWED, "No break-glass waits for its review."),
)
_EFFECTIVE = (
    Cause(_YES, Reason.ACTIVE, "It holds."),
    Cause(_NO, Reason.UNDECIDED, "Nobody has decided yet; the message says who may."),
    Cause(_NO, Reason.NEEDS_MAJOR, "It was approved as Minor and is more than that: it needs approve-major."),
    Cause(_NO, Reason.NOT_ALLOWED, "The budget does not allow it; the message says what it allows."),
    Cause(_NO, Reason.DENIED, "It was denied."),
    Cause(_NO, Reason.EXPIRED, "It has ended, or nobody decided in time."),
    Cause(_NO, Reason.REVIEW_MISSING, "The break-glass has ended and waits for its review."),
    Cause(_NO, Reason.BUDGET_NOT_FOUND, "There is no such budget."),
)
_REFUSING = (
    Cause(_YES, Reason.GATE_OPEN, "New work, or growth, is refused until `until`; the message says by whom and why."),
)
_IN_FORCE = (
    Cause(_YES, ActionPhase.APPLIED, "The step is done and holds."),
    Cause(_OPEN, ActionPhase.APPLYING, "It is being done."),
    Cause(_OPEN, ActionPhase.REVERTING, "It is being undone."),
    Cause(_NO, ActionPhase.NOTICED, "It is announced; the message says when it is done, and how to stop it."),
    Cause(_NO, ActionPhase.REVERTED, "It was undone; status.notRestored names what did not come back."),
    Cause(_NO, ActionPhase.WITHDRAWN, "It was not needed any more, and nothing was done."),
    Cause(_NO, ActionPhase.SUPERSEDED, "The object went, or is another one now; there is nothing to undo."),
    Cause(_NO, ActionPhase.CONTESTED, "Somebody else undid it again and again, so the controller gave way."),
    Cause(_NO, ActionPhase.FAILED, "It could not be done; the message says why."),
)
_ACCOUNT_READY = (
    Cause(_YES, Reason.FETCHED, "The provider answered, and the ledger has what it bills."),
    Cause(_NO, Reason.KEY_MISSING, "The Secret, or its key, is not there; the message names it."),
    Cause(_NO, Reason.NOT_PERMITTED, "The Secret may not be read, or the provider refuses the key."),
    Cause(_NO, Reason.PROVIDER_UNAVAILABLE, "The provider does not answer; it is asked again, and the figures stay."),
    Cause(_NO, Reason.INVALID, "The spec cannot be used, or what answers is no such API; the message has the fix."),
    Cause(_NO, Reason.SUSPENDED, "It is suspended: nothing is asked for, and the figures stay."),
    Cause(_NO, Reason.LEDGER_UNAVAILABLE, "The ledger cannot be read or written; it is tried again."),
    Cause(_NO, Reason.INTERNAL_ERROR, "A bug: the figures are the last ones, and the controller's log says more."),
)

_CAPTURED = (
    Cause(_YES, Reason.CAPTURED, "Gateways saw at least spec.capture.minPercent of what was billed."),
    Cause(_NO, Reason.BELOW_MINIMUM, "They saw less of it: some keys go past them; the message says how much."),
    Cause(_OPEN, Reason.NOTHING_TO_COMPARE, "No day has both a bill and a gateway's estimate."),
)

_REPORT = {
    ConditionType.READY: _READY,
    ConditionType.WINDOW_VALID: _WINDOW,
    ConditionType.TELEMETRY_AVAILABLE: _TELEMETRY,
    ConditionType.PRICED: _PRICED,
    ConditionType.DATA_FRESH: _FRESH,
}
_BUDGET = {
    ConditionType.READY: _BUDGET_READY,
    ConditionType.WITHIN_BUDGET: _WITHIN,
    ConditionType.DATA_FRESH: _FRESH,
    ConditionType.PRICED: _PRICED,
    ConditionType.ENFORCING: _ENFORCING,
    ConditionType.ENFORCEMENT_HELD: _HELD,
    ConditionType.ACTUATOR_CONTESTED: _CONTESTED,
    ConditionType.RESTORE_PENDING: _RESTORE,
    ConditionType.ROUTES_READY: _ROUTES,
    ConditionType.REVIEW_DUE: _REVIEW,
}

CONDITIONS: Mapping[str, Mapping[ConditionType, tuple[Cause, ...]]] = {
    "AIWorkload": {
        ConditionType.READY: _READY,
        ConditionType.PODS_CLAIMED: _CLAIMED,
        ConditionType.PODS_ADMITTED: _ADMITTED,
        ConditionType.PRICED: _PRICED,
        ConditionType.TELEMETRY_AVAILABLE: _TELEMETRY,
        ConditionType.UNITS_COUNTED: _COUNTED,
        ConditionType.WITHIN_TARGET: _TARGET,
        ConditionType.SUCCESS_JUDGED: _SUCCESS,
    },
    "PriceBook": {
        ConditionType.ACCEPTED: _ACCEPTED,
        ConditionType.OVERLAPPING: _OVERLAPPING,
        ConditionType.PRICED: _PRICED,
        ConditionType.PRICE_SOURCE_FRESH: _PRICE_SOURCE,
    },
    "CostLabelPolicy": {
        ConditionType.ACCEPTED: _POLICY_ACCEPTED,
        ConditionType.READY: _POLICY_READY,
        ConditionType.CONFLICTING: _CONFLICTING,
        ConditionType.CONFIG_MAP_FOUND: _CONFIG_MAP,
        ConditionType.ENFORCEMENT_ACTIVE: _ENFORCEMENT,
    },
    "AICostReport": _REPORT,
    "ClusterAICostReport": _REPORT,
    "Budget": _BUDGET,
    "ClusterBudget": _BUDGET,
    "BudgetOverride": {ConditionType.EFFECTIVE: _EFFECTIVE},
    "BudgetAction": {ConditionType.IN_FORCE: _IN_FORCE},
    "BudgetGate": {ConditionType.REFUSING: _REFUSING},
    "ProviderAccount": {ConditionType.READY: _ACCOUNT_READY, ConditionType.CAPTURED: _CAPTURED},
}
"""Kind -> type -> causes: what the controller may set and the reference lists."""
