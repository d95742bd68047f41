"""A whole status of each kind, as the controller writes it."""

from typing import Any

from support import account_samples, budget_samples, policy_samples

_CONDITION = {
    "type": "Ready",
    "status": "True",
    "reason": "Reported",
    "message": "The figures answer the spec.",
    "lastTransitionTime": "2026-11-20T10:00:00Z",
    "observedGeneration": 1,
}
_SUMMARY = {
    "window": "month-to-date",
    "groupBy": "team",
    "cost": "$1,234.56",
    "change": "+12.3%",
    "gpuHours": "412.50",
    "utilisation": "41.2%",
    "idleShare": "18.0%",
    "telemetryCoverage": "98.2%",
    "labelCoverage": "77.0%",
    "priceCoverage": "100.0%",
    "unpricedGpuHours": "0.00",
    "provisional": "$3.10",
}
_BUCKET = {"cost": "$1,000.00", "costNanos": 1_000_000_000_000, "gpuMilliseconds": 1_000_000_000}
_TOTAL = {
    "currency": "USD",
    "cost": "$1,234.56",
    "costNanos": 1_234_560_000_000,
    "gpuHours": "412.50",
    "gpuMilliseconds": 1_485_000_000,
    "measuredGpuMilliseconds": 1_458_270_000,
    "unpricedGpuMilliseconds": 0,
    "buckets": {"used": _BUCKET, "allocatedIdle": _BUCKET, "unallocated": _BUCKET},
    "errorNanos": 1_000_000,
    "provisionalNanos": 3_100_000_000,
    "listPriceNanos": 0,
    "previousCost": "$1,099.34",
    "previousCostNanos": 1_099_340_000_000,
    "change": "+12.3%",
}
_SPAN = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-20T10:02:00Z"}
_AGE = {"dataThrough": "2026-11-20T10:00:00Z", "updatedAt": "2026-11-20T10:02:00Z"}
_COMMON = {"observedGeneration": 1, "conditions": [_CONDITION], **_AGE}
_REPORT = {
    **_COMMON,
    "window": _SPAN,
    "covered": _SPAN,
    "previousWindow": {"from": "2026-10-12T13:58:00Z", "to": "2026-11-01T00:00:00Z"},
    "summary": _SUMMARY,
    "totals": [_TOTAL],
    "rows": [
        {
            "keys": {"team": "search"},
            "currency": "USD",
            "cost": "$1,000.00",
            "costNanos": 1_000_000_000_000,
            "spreadNanos": 0,
            "share": "81.0%",
            "previousCostNanos": 900_000_000_000,
            "change": "+11.1%",
            "gpuHours": "300.00",
            "gpuMilliseconds": 1_080_000_000,
            "utilisation": "44.0%",
            "buckets": {"used": 600_000_000_000, "allocatedIdle": 400_000_000_000},
        },
        {
            "keys": {},
            "groups": 3,
            "currency": "USD",
            "cost": "$34.56",
            "costNanos": 34_560_000_000,
            "gpuHours": "12.50",
            "gpuMilliseconds": 45_000_000,
        },
    ],
    "idle": [{"currency": "USD", "cost": "$200.00", "costNanos": 200_000_000_000, "buckets": {"unallocated": 1}}],
    "coverage": {
        "telemetry": "98.2%",
        "price": "100.0%",
        "labels": [{"dimension": "team", "coverage": "77.0%", "taggedNanos": 770_000_000_000}],
    },
    "listPrices": False,
    "prorated": True,
    "notCovered": ["cpu", "memory"],
}
_BUDGET = {
    **_COMMON,
    **budget_samples.BUDGET_STATUS,
    "currency": "USD",
    "period": {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"},
    "limit": "$5,000.00",
    "limitNanos": 5_000_000_000_000,
    "spent": {
        "total": "$4,100.00",
        "totalNanos": 4_100_000_000_000,
        "provisionalNanos": 12,
        "unpricedGpuMilliseconds": 0,
    },
    "percentUsed": "82.0%",
    "pace": "126.0%",
    "ratePerHour": "$9.10",
    "ratePerHourNanos": 9_100_000_000,
    "forecast": {
        "total": "$6,300.00",
        "totalNanos": 6_300_000_000_000,
        "method": "pace",
        "asOf": "2026-11-20T10:02:00Z",
    },
    "timeToExhaustion": "4d2h",
    "gate": "Notify",
    "gateSince": "2026-11-18T10:00:00Z",
    "nextAction": "none: observes only",
    "history": [
        {
            "start": "2026-10-01T00:00:00Z",
            "end": "2026-11-01T00:00:00Z",
            "limit": "$5,000.00",
            "limitNanos": 5_000_000_000_000,
            "spent": "$4,900.00",
            "spentNanos": 4_900_000_000_000,
        }
    ],
}

STATUSES: dict[str, dict[str, Any]] = {
    "AIWorkload": {
        **_COMMON,
        "window": _SPAN,
        "summary": _SUMMARY,
        "totals": [_TOTAL],
        "claimedPods": 3,
        "contestedPods": 1,
    },
    "PriceBook": {
        "observedGeneration": 1,
        "conditions": [{**_CONDITION, "type": "Accepted", "reason": "Accepted"}],
        "entries": 3,
        "nodesPriced": 8,
        "unpriced": [
            {
                "gpuModel": "h200",
                "instanceType": "",
                "region": "",
                "capacityType": "unknown",
                "nodes": 2,
                "gpus": 16,
                "entry": '- name: h200\n  match:\n    gpuModel: "h200"\n  perGpuHour: "PRICE"',
            }
        ],
        "updatedAt": "2026-11-20T10:02:00Z",
    },
    "CostLabelPolicy": policy_samples.STATUS,
    "ProviderAccount": account_samples.STATUS,
    "AICostReport": _REPORT,
    "ClusterAICostReport": _REPORT,
    "Budget": _BUDGET,
    "ClusterBudget": _BUDGET,
    **budget_samples.STATUSES,
}
