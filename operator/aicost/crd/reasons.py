"""The conditions that the controller sets: which types each kind has, and why each may hold or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aicost.crd.fields.conditions import ConditionStatus
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


@dataclass(frozen=True, slots=True)
class Cause:
    """One way in which a condition comes to its status."""

    status: ConditionStatus
    reason: Reason | ClaimProblemKind | DefectKind | PolicyDefectKind
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
)
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
_ENFORCING = (Cause(_NO, Reason.OBSERVE_ONLY, "The budget shows where it stands and does nothing else."),)

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
}

CONDITIONS: Mapping[str, Mapping[ConditionType, tuple[Cause, ...]]] = {
    "AIWorkload": {
        ConditionType.READY: _READY,
        ConditionType.PODS_CLAIMED: _CLAIMED,
        ConditionType.PODS_ADMITTED: _ADMITTED,
        ConditionType.PRICED: _PRICED,
        ConditionType.TELEMETRY_AVAILABLE: _TELEMETRY,
    },
    "PriceBook": {
        ConditionType.ACCEPTED: _ACCEPTED,
        ConditionType.OVERLAPPING: _OVERLAPPING,
        ConditionType.PRICED: _PRICED,
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
}
"""Kind -> type -> causes: what the controller may set and the reference lists."""
