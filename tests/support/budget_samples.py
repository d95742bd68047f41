"""Requests, records and gates of budgets, as people and the controller write them."""

from typing import Any

_REF = {"kind": "Budget", "name": "month", "namespace": "default", "uid": "7d1f"}
_TARGET = {"apiVersion": "batch/v1", "kind": "Job", "name": "train", "uid": "9c3e"}

BASE: dict[str, dict[str, Any]] = {
    "BudgetOverride": {
        "budgetRef": {"name": "month"},
        "amount": "200",
        "reason": "the evaluation takes longer",
        "requestedBy": "dana",
    },
    "BudgetAction": {
        "budgetRef": _REF,
        "targetRef": _TARGET,
        "gate": "Suspend",
        "lever": "SuspendJob",
        "destruction": 4,
        "reason": "the limit is reached",
    },
    "BudgetGate": {"budgetRef": _REF},
}

FULL: dict[str, dict[str, Any]] = {
    "BudgetOverride": {
        "budgetRef": {"kind": "ClusterBudget", "name": "company"},
        "purpose": "RaiseLimit",
        "percent": 10,
        "validUntil": "2026-12-01",
        "reason": "the evaluation takes longer",
        "ticket": "ML-12",
        "requestedBy": "dana",
        "decision": {"state": "Approved", "class": "Minor", "by": "lee", "comment": "fine"},
        "review": {"by": "kim", "comment": "was needed, the limit follows"},
    },
    "BudgetAction": {
        **BASE["BudgetAction"],
        "workloadRef": _TARGET,
        "actionAt": "2026-11-20T10:30:00Z",
        "restore": "OnApproval",
        "order": 1,
        "estimate": {
            "gpuMilli": 8000,
            "savePerHour": "$32.00",
            "savePerHourNanos": 32_000_000_000,
            "gpuMillisecondsAtStake": 3_600_000,
        },
    },
    "BudgetGate": BASE["BudgetGate"],
}

REFUSED = (
    (
        "BudgetOverride",
        {"purpose": "BreakGlass"},
        "spec",
        "purpose: RaiseLimit says how much, and no other purpose does",
    ),
    ("BudgetOverride", {"percent": 5}, "spec", "give amount or percent, not both"),
    ("BudgetOverride", {"amount": "0"}, "spec.amount", "must be above zero"),
    ("BudgetOverride", {"validUntil": "tomorrow"}, "spec.validUntil", "write a day such as"),
)

CONDITION = {
    "status": "True",
    "message": "It holds.",
    "lastTransitionTime": "2026-11-20T10:00:00Z",
    "observedGeneration": 1,
}

STATUSES: dict[str, dict[str, Any]] = {
    "BudgetOverride": {
        "observedGeneration": 1,
        "conditions": [{**CONDITION, "type": "Effective", "reason": "Active"}],
        "phase": "Active",
        "class": "Minor",
        "added": "$200.00",
        "addedNanos": 200_000_000_000,
        "activeSince": "2026-11-20T10:00:00Z",
        "expiresAt": "2026-12-01T00:00:00Z",
        "message": "Adds $200.00 until 2026-12-01.",
    },
    "BudgetAction": {
        "observedGeneration": 1,
        "conditions": [{**CONDITION, "type": "InForce", "reason": "Applied"}],
        "phase": "Applied",
        "changes": [{"path": "/spec/suspend", "before": "false", "after": "true"}],
        "noticedAt": "2026-11-20T09:30:00Z",
        "checkpointAskedAt": "2026-11-20T09:50:00Z",
        "checkpointSavedAt": "2026-11-20T09:55:00Z",
        "appliedAt": "2026-11-20T10:00:00Z",
        "reverts": [{"at": "2026-11-20T10:05:00Z", "by": "argocd-controller"}],
        "gpuMillisecondsLost": 2_400_000,
        "message": "Suspended.",
    },
    "BudgetGate": {
        "observedGeneration": 1,
        "conditions": [{**CONDITION, "type": "Refusing", "reason": "GateOpen"}],
        "gate": "DenyNew",
        "denyNew": True,
        "freezeGrowth": True,
        "allWorkloads": False,
        "clamp": False,
        "selectors": [{"key": "aicost.dev/team", "values": ["vision"]}],
        "held": [{"kind": "Deployment", "name": "chat", "upTo": 3}],
        "until": "2026-11-20T10:30:00Z",
        "asOf": "2026-11-20T10:00:00Z",
        "message": "the limit is reached",
    },
}

BUDGET_STATUS: dict[str, Any] = {
    "limitParts": {"baseNanos": 5_000_000_000_000, "carriedNanos": 0, "approvedNanos": 0, "minorNanos": 0},
    "committedPerHour": "$12.00",
    "committedPerHourNanos": 12_000_000_000,
    "burn": [{"over": "now", "ratePerHourNanos": 12_000_000_000, "burnRate": "1.20"}],
    "unitCost": "104.0%",
    "decidedMode": "Enforce",
    "decidedFor": "half",
    "reason": "RungReached",
    "pending": {
        "gate": "Suspend",
        "rung": "full",
        "announcedAt": "2026-11-20T10:00:00Z",
        "at": "2026-11-20T10:30:00Z",
    },
    "rungs": [
        {
            "name": "half",
            "gate": "Notify",
            "reached": True,
            "since": "2026-11-12T10:00:00Z",
            "toldAt": "2026-11-12T10:00:00Z",
            "toldLimitNanos": 5_000_000_000_000,
        }
    ],
    "redlines": [{"name": "answers", "workload": "Job default/train", "agreed": 2, "value": "$1.20"}],
    "nudges": [{"name": "rate", "watch": "Rate", "since": "2026-11-20T08:00:00Z", "message": "twice its normal"}],
    "told": [
        {
            "id": "rung-half",
            "at": "2026-11-12T10:00:00Z",
            "summary": "half of it is spent",
            "sent": ["finops"],
            "acknowledgedBy": "dana",
        }
    ],
    "enforcement": {
        "active": 1,
        "noticed": 0,
        "restorePending": 0,
        "gpuMilliStopped": 8000,
        "savedPerHour": "$32.00",
        "gpuHoursLost": "0.67",
        "contested": [{"ref": "Deployment default/chat", "by": "argocd-controller", "hint": "ignoreDifferences: []"}],
        "leftOut": ["Deployment default/web: production"],
    },
    "simulateAt100": {
        "victims": [
            {
                "ref": "Job default/train",
                "gpuMilli": 8000,
                "savePerHour": "$32.00",
                "gpuHoursAtStake": "1.00",
                "why": "sandbox",
            }
        ],
        "workloads": 1,
        "gpuMilli": 8000,
        "savesPerHour": "$32.00",
        "spared": 2,
    },
    "overrides": ["default/more"],
    "data": {
        "asOf": "2026-11-20T10:02:00Z",
        "telemetryCoverage": "98.2%",
        "priceCoverage": "100.0%",
        "labelCoverage": "92.0%",
    },
    "prices": [{"what": "h100-80gb p5.48xlarge on-demand", "nanos": 4_000_000_000}],
    "growth": {"heldPeriods": 1, "limitNanos": 5_000_000_000_000, "message": "one more period"},
    "promotion": "not yet",
    "limitRaisedAt": "2026-11-15T10:00:00Z",
    "stoppedAt": "2026-11-20T10:00:00Z",
}
