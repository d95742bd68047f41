"""Objects of our kinds that the API server must take."""

from typing import Any

from support import account_samples, budget_samples, policy_samples

API_VERSION = "aicost.dev/v1alpha1"
CLUSTER_WIDE = {"PriceBook", "ClusterAICostReport", "ClusterBudget", "CostLabelPolicy", "ProviderAccount"}
LABELS = {"matchLabels": {"app": "chat"}}


def resource(kind: str, name: str, spec: dict[str, Any], namespace: str = "default") -> dict[str, Any]:
    """An object as a person applies it."""
    place = {} if kind in CLUSTER_WIDE else {"namespace": namespace}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, **place}, "spec": spec}


BASE: dict[str, dict[str, Any]] = {
    "AIWorkload": {"selector": LABELS},
    "PriceBook": {"currency": "USD", "entries": []},
    "AICostReport": {},
    "ClusterAICostReport": {},
    "Budget": {"limit": "5000", "currency": "USD"},
    "ClusterBudget": {"limit": "5000", "currency": "USD"},
    "CostLabelPolicy": policy_samples.BASE,
    "ProviderAccount": account_samples.BASE,
    **budget_samples.BASE,
}
"""The least that each kind needs."""

FULL: dict[str, dict[str, Any]] = {
    "AIWorkload": {
        "targetRef": {"apiVersion": "ray.io/v1", "kind": "RayCluster", "name": "train-7b"},
        "model": "meta-llama/Llama-3.1-8B-Instruct",
        "workloadType": "inference",
        "stage": "production",
        "dimensions": {"team": "search", "costCenter": "cc-12", "customerSegment": "enterprise", "step": "infer"},
        "telemetry": {
            "engine": "vllm",
            "port": 8000,
            "path": "/metrics",
            "gateway": "envoy-ai-gateway",
            "modelAliases": ["smart", "openai/gpt-4o"],
        },
        "unitMetric": {
            "name": "token",
            "per": 1000000,
            "targetPrice": "0.35",
            "currency": "USD",
            "marginPercent": 10,
            "units": {"metric": "answers_total"},
            "successes": {"metric": "answers_total", "matchLabels": {"outcome": "ok"}},
        },
        "training": {
            "steps": {"metric": "train_global_step", "whole": 100000, "type": "gauge"},
            "tokens": {"metric": "train_tokens_total", "matchLabels": {"rank": "0"}},
            "epochs": {"metric": "train_epoch"},
            "progress": {"metric": "train_done", "whole": 1},
            "checkpoint": {"metric": "train_saved_step"},
            "quality": {"metric": "eval_accuracy", "better": "higher", "point": "0.01"},
        },
        "success": {
            "from": "query",
            "query": {
                "successes": 'answers_total{outcome="good"}',
                "failures": "sum by (reason) (increase(b[$window]))",
            },
        },
    },
    "PriceBook": {
        "currency": "USD",
        "listPrices": True,
        "source": "public price pages",
        "asOf": "2026-10-01",
        "entries": [
            {
                "name": "h100-on-demand",
                "match": {"gpuModel": "h100-80gb", "capacityType": "on-demand"},
                "perGpuHour": "2.49",
                "perNodeHour": "22.123456789",
                "from": "2026-01-01",
                "to": "2026-07-01T00:00:00+02:00",
                "priority": 5,
            },
            {
                "name": "p5",
                "match": {
                    "instanceType": "p5.48xlarge",
                    "provider": "aws",
                    "region": "eu-west-1",
                    "zone": "eu-west-1a",
                },
                "perNodeHour": "98.32",
                "gpuCount": 8,
                "split": "gpuShare",
                "gpuShare": "0.93",
                "listPrice": False,
                "source": "contract",
                "asOf": "2026-10-01T10:00:00Z",
            },
            {"name": "lab", "match": {"nodeSelector": {"pool": "lab"}}, "perNodeHour": "4", "split": "ratio"},
            {
                "name": "own",
                "match": {"nodeSelector": {"pool": "own"}},
                "amortisation": {
                    "purchasePrice": "300000",
                    "residualValue": "30000",
                    "inService": "2025-01-01",
                    "lifetimeMonths": 60,
                    "fixedPerHour": "0.85",
                    "power": {
                        "ratedWatts": 10200,
                        "loadFactor": "0.6",
                        "hostWatts": 2500,
                        "pue": "1.35",
                        "pricePerKwh": "0.21",
                    },
                },
            },
            {
                "name": "promised",
                "match": {"instanceType": "p5.48xlarge", "capacityType": "reserved"},
                "perNodeHour": "12.5",
                "commitment": {"upfront": "250000", "nodes": 10},
                "from": "2026-01-01",
                "to": "2027-01-01",
            },
        ],
        "discounts": [
            {"name": "edp", "percent": "7.5", "books": ["list-prices"]},
            {
                "name": "volume",
                "percent": "2.000001",
                "match": {"provider": "aws", "gpuModel": "h100-80gb"},
                "stacking": "compound",
                "from": "2026-01-01",
                "to": "2027-01-01",
            },
        ],
        "exchangeRates": [
            {"base": "EUR", "target": "USD", "rate": "1.0845", "from": "2026-10-01", "source": "central bank"},
            {"base": "EUR", "target": "USD", "rate": "1.09", "from": "2026-10-02", "to": "2026-10-03"},
        ],
        "referenceRates": {
            "gpuHour": "2",
            "cpuCoreHour": "0.031611",
            "memoryGibHour": "0.004237",
            "storageGibMonth": "0.08",
        },
    },
    "AICostReport": {
        "window": "7d",
        "timeZone": "Europe/Berlin",
        "groupBy": ["team", "model", "label:app.kubernetes.io/name"],
        "filter": {"stage": ["production", "pilot"], "label:tier": ["gold"]},
        "idle": "weighted",
        "limit": 200,
        "compare": False,
    },
    "ClusterAICostReport": {
        "range": {"from": "2026-01-01", "to": "2026-04-01T00:00:00Z"},
        "groupBy": ["cluster", "namespace"],
        "filter": {"namespace": ["team-a", "team-b"]},
    },
    "Budget": {
        "limit": "5000.50",
        "currency": "EUR",
        "period": {
            "type": "Calendar",
            "unit": "Month",
            "startDay": 5,
            "timeZone": "Europe/Berlin",
            "prorateFirst": True,
        },
        "plannedAmounts": [{"from": "2026-12-01", "amount": "7000"}],
        "rollover": {"mode": "Unused", "maxAmount": "500", "minAmount": "0"},
        "parentRef": {"name": "company"},
        "components": ["gpu", "api"],
        "scope": {"dimensions": {"team": ["search"], "label:tier": ["gold"]}},
        "ladder": [
            {"name": "half", "gate": "Notify", "basis": "Actual", "atPercent": 50, "exitPercent": 45},
            {"name": "soon", "gate": "FreezeGrowth", "basis": "Forecast", "atPercent": 110},
            {"name": "full", "gate": "DenyNew", "basis": "Actual", "atPercent": 100, "evaluations": 5},
            {"name": "fast", "gate": "Annotate", "basis": "BurnRate", "atBurnRate": "2.5"},
            {"name": "wide", "gate": "Notify", "basis": "CommittedRate", "atRatePerHour": "120"},
        ],
        "mode": "Observe",
        "stage": "pilot",
        "maxGate": "DenyNew",
        "nudges": [{"name": "rate", "watch": "Rate", "relativePercent": 50, "minPerDay": "10"}],
        "promotion": {"whenHeldPeriods": 3, "minSuccessRate": "0.9"},
        "enforcement": {
            "notice": "1h",
            "forecastMayFreezeGrowth": True,
            "victims": {"order": ["Stage", "Idle"], "maxPerCycle": 2},
            "checkpoint": {"timeout": "5m"},
            "restore": {"policy": "Manual"},
            "dataQuality": {"minCoverage": "0.95"},
            "gitOps": {"onRevert": "Yield"},
            "coverageOverride": {"minCoverage": "0.7", "reason": "labels come next month", "approvedBy": "jane"},
        },
        "redlines": [{"name": "bad", "metric": "SuccessRate", "below": "0.2", "stages": ["experiment"]}],
        "approvals": {"minor": {"percent": 10, "maxAmount": "500", "selfApproval": False}, "maxDuration": "7d"},
        "growth": {"increasePercent": 25, "maxAmount": "9000"},
        "owners": [{"name": "search-leads", "contact": "#search", "role": "Engineer"}],
        "routes": ["slack-search"],
        "runbookUrl": "https://example.org/runbook",
        "paused": False,
    },
    "ClusterBudget": {
        "limit": "100000",
        "currency": "USD",
        "period": {"type": "Total", "start": "2026-01-01", "end": "2027-01-01"},
        "scope": {
            "namespaces": ["team-a"],
            "namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
            "clusters": ["c-1"],
        },
    },
    "CostLabelPolicy": policy_samples.FULL,
    "ProviderAccount": account_samples.FULL,
    **budget_samples.FULL,
}
"""Objects that use what each kind offers."""
