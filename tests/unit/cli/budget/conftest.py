"""A budget as the API server shows it, in one piece, and an API server that gives it out."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aicost.domain.exact.windows import from_rfc3339
from aicost.entrypoints.cli.terminal import Terminal
from support.budget_samples import BUDGET_STATUS
from support.http_server import Request, serving

UNIT = 10**9
NOW_MS = from_rfc3339("2026-11-20T10:05:00Z")
WIDE = Terminal(None)
"""A pipe: every column in full, no colours."""
SELVES = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

_RUNG = {"gate": "Notify", "basis": "Actual", "atPercent": 50}
LADDER = [
    {**_RUNG, "name": "half"},
    {**_RUNG, "name": "ahead", "gate": "Annotate", "basis": "Forecast", "atPercent": 105},
    {"name": "fast", "gate": "Annotate", "basis": "BurnRate", "atBurnRate": "2"},
    {"name": "rate", "gate": "DenyNew", "basis": "CommittedRate", "atRatePerHour": "40"},
    {**_RUNG, "name": "dear", "basis": "UnitCost", "atPercent": 110},
    {**_RUNG, "name": "full", "gate": "Suspend", "atPercent": 100},
    {**_RUNG, "name": "beyond", "gate": "FastFail", "atPercent": 150},
]
STATUS = {
    **BUDGET_STATUS,
    "currency": "USD",
    "period": {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"},
    "limit": "$5,000.00",
    "limitNanos": 5000 * UNIT,
    "spent": {
        "total": "$3,990.00",
        "totalNanos": 3990 * UNIT,
        "provisionalNanos": 90 * UNIT,
        "accruedNanos": 10 * UNIT,
        "unpricedGpuMilliseconds": 7_200_000,
    },
    "percentUsed": "80.0%",
    "pace": "126.3%",
    "ratePerHour": "$9.00",
    "ratePerHourNanos": 9 * UNIT,
    "burn": [
        {"over": "now", "ratePerHourNanos": 12 * UNIT, "burnRate": "3.05"},
        {"over": "1h", "ratePerHourNanos": 30 * UNIT, "burnRate": "7.62"},
        {"over": "6h", "ratePerHourNanos": 10 * UNIT, "burnRate": "2.54"},
        {"over": "3d", "ratePerHourNanos": 9 * UNIT, "burnRate": "2.29"},
    ],
    "forecast": {
        "total": "$5,150.00",
        "totalNanos": 5150 * UNIT,
        "high": "$5,900.00",
        "method": "daily-median",
        "asOf": "2026-11-20T10:04:00Z",
    },
    "timeToExhaustion": "3d11h",
    "gate": "Notify",
    "gateSince": "2026-11-12T10:00:00Z",
    "reason": "InNotice",
    "nextAction": "Suspend follows.",
    "updatedAt": "2026-11-20T10:04:00Z",
    "conditions": [
        {"type": "EnforcementHeld", "status": "True", "reason": "DataStale", "message": "the figures are old"},
        {"type": "Enforcing", "status": "True", "reason": "GateOpen", "message": "Notify is open."},
    ],
}


@pytest.fixture
def budget() -> dict[str, Any]:
    """A budget of 5,000 dollars that has spent 80 percent of it."""
    spec = {"limit": "5000", "currency": "USD", "mode": "Enforce", "maxGate": "Suspend", "ladder": LADDER}
    metadata = {
        "name": "month",
        "namespace": "research",
        "uid": "uid-1",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "resourceVersion": "7",
    }
    return copy.deepcopy({"kind": "Budget", "metadata": metadata, "spec": spec, "status": STATUS})


@pytest.fixture
def action() -> dict[str, Any]:
    """A step of that budget that is in force."""
    return {
        "metadata": {"name": "a-train", "namespace": "research"},
        "spec": {
            "budgetRef": {"kind": "Budget", "name": "month", "namespace": "research", "uid": "uid-1"},
            "targetRef": {"kind": "Job", "name": "train"},
            "lever": "SuspendJob",
            "estimate": {"gpuMilli": 8000, "savePerHour": "$32.00", "savePerHourNanos": 32 * UNIT},
        },
        "status": {"phase": "Applied", "appliedAt": "2026-11-20T08:05:00Z"},
    }


@pytest.fixture
def request_body() -> dict[str, Any]:
    """A request for 200 dollars more."""
    return {
        "kind": "BudgetOverride",
        "metadata": {"name": "month-x7k2p", "namespace": "research", "creationTimestamp": "2026-11-20T09:05:00Z"},
        "spec": {
            "budgetRef": {"kind": "Budget", "name": "month"},
            "purpose": "RaiseLimit",
            "amount": "200",
            "reason": "the evaluation takes longer",
            "requestedBy": "dana",
        },
        "status": {"phase": "Pending"},
    }


@pytest.fixture
def server(run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a command against an API server that knows who asks, and answers everything else by path, or with 404."""
    monkeypatch.delenv("KUBECONFIG", raising=False)

    def call(answers: dict[str, Any], *arguments: str, who: Any = None) -> tuple[Any, list[Request]]:
        me = {"metadata": {"creationTimestamp": "2026-11-20T10:05:00Z"}, "status": {"userInfo": {"username": "dana"}}}
        known = {SELVES: who or (201, me), **answers}

        def respond(request: Request) -> None:
            status, body = known.get(request.path, (404, missing()))
            request.answer(body if isinstance(body, str) else json.dumps(body), status)

        with serving(respond) as served:
            config = tmp_path / "kubeconfig"
            config.write_text(
                f"current-context: c\nclusters: [{{name: k, cluster: {{server: '{served.url}'}}}}]\n"
                "users: [{name: not-dana, user: {token: secret}}]\n"
                "contexts: [{name: c, context: {cluster: k, user: not-dana, namespace: research}}]\n"
            )
            return run("budget", *arguments, "--kubeconfig", str(config)), served.requests

    return call


def missing(message: str = "the server could not find the requested resource") -> dict[str, Any]:
    return {"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound", "message": message}
