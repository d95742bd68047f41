"""The guide shows what the commands print."""

import copy
import re

import pytest

from aicost.domain.exact.windows import from_rfc3339
from aicost.entrypoints.cli.output.budget.classes import predict
from aicost.entrypoints.cli.output.budget.list_table import list_table
from aicost.entrypoints.cli.output.budget.request_screen import Asked, request_screen
from aicost.entrypoints.cli.output.budget.why.screen import Explained, why_screen
from aicost.entrypoints.cli.sources.budgets import right_on
from aicost.entrypoints.cli.terminal import Terminal
from support.documents import ROOT

UNIT = 10**9
NOW_MS = from_rfc3339("2026-11-20T10:05:00Z")
GUIDE = ROOT / "docs/guide/budgets-ask-for-more.md"
SHOWN = dict(re.findall(r"^\$ aicost budget (\w+)[^\n]*\n(.*?)(?=^```)", GUIDE.read_text(), re.MULTILINE | re.DOTALL))
TELEMETRY = {"telemetryCoverage": "99.1%", "priceCoverage": "100.0%", "labelCoverage": "94.0%"}


def rung(name, gate, percent, basis="Actual"):
    return {"name": name, "gate": gate, "basis": basis, "atPercent": percent}


def reached(name, gate, since):
    return {"name": name, "gate": gate, "reached": True, "since": since}


SPEC = {
    "limit": "5000",
    "currency": "USD",
    "mode": "Enforce",
    "maxGate": "Suspend",
    "ladder": [
        rung("half", "Notify", 50),
        rung("ahead", "Annotate", 105, "Forecast"),
        rung("freeze", "FreezeGrowth", 80),
        rung("full", "DenyNew", 100),
    ],
}
STATUS = {
    "currency": "USD",
    "period": {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"},
    "limit": "$5,250.00",
    "limitNanos": 5250 * UNIT,
    "limitParts": {
        "baseNanos": 5000 * UNIT,
        "carriedNanos": 0,
        "approvedNanos": 250 * UNIT,
        "minorNanos": 250 * UNIT,
    },
    "spent": {
        "total": "$4,310.00",
        "totalNanos": 4310 * UNIT,
        "provisionalNanos": 12 * UNIT,
        "accruedNanos": 3 * UNIT,
    },
    "percentUsed": "82.2%",
    "ratePerHourNanos": 11_200_000_000,
    "committedPerHour": "$12.00",
    "committedPerHourNanos": 12 * UNIT,
    "forecast": {"total": "$7,180.00", "totalNanos": 7180 * UNIT, "method": "daily-median"},
    "timeToExhaustion": "3d5h",
    "gate": "FreezeGrowth",
    "gateSince": "2026-11-19T08:00:00Z",
    "decidedMode": "Enforce",
    "decidedFor": "freeze",
    "reason": "AtItsPlace",
    "nextAction": "At 100.0% of the limit new work is refused (rung full), in about 3d5h at this rate.",
    "rungs": [
        reached("half", "Notify", "2026-11-12T10:00:00Z"),
        reached("ahead", "Annotate", "2026-11-14T16:00:00Z"),
        reached("freeze", "FreezeGrowth", "2026-11-19T08:00:00Z"),
    ],
    "told": [{"id": "rung-freeze", "at": "2026-11-19T08:00:00Z", "summary": "80% are spent"}],
    "data": {"asOf": "2026-11-20T10:04:40Z", **TELEMETRY},
    "updatedAt": "2026-11-20T10:04:45Z",
    "conditions": [{"type": "Enforcing", "status": "True", "reason": "GateOpen", "message": "FreezeGrowth is open."}],
}
BUDGET = {
    "kind": "Budget",
    "metadata": {"name": "month", "namespace": "research", "uid": "u"},
    "spec": SPEC,
    "status": STATUS,
}


def test_the_list():
    company = copy.deepcopy(BUDGET) | {"kind": "ClusterBudget", "metadata": {"name": "company"}}
    company["status"] |= {
        "limit": "$90,000.00",
        "limitNanos": 90_000 * UNIT,
        "spent": {"total": "$41,200.00", "totalNanos": 41_200 * UNIT},
        "forecast": {"total": "$64,300.00"},
        "committedPerHour": "$111.80",
        "timeToExhaustion": "18d4h",
        "gate": "",
        "nextAction": "Nothing is reached.",
    }
    assert list_table([company, BUDGET], NOW_MS, Terminal(120)) == SHOWN["list"].rstrip("\n")


def test_the_explanation():
    drawn = why_screen(Explained(BUDGET, (), (), NOW_MS, "aicost"), Terminal(None)).splitlines()
    before, after = (part.splitlines() for part in SHOWN["why"].split("...\n", 1))
    assert drawn[: len(before)] == before
    assert drawn[-len(after) :] == after


@pytest.fixture
def asked(request_body):
    request_body["spec"] |= {"reason": "the evaluation takes a week longer", "ticket": "ML-12"}
    one = predict(request_body, BUDGET, NOW_MS)
    return Asked(request_body, BUDGET, one, right_on(one.verb, one.budget), may_decide=False, kept=True)


def test_the_request(asked):
    assert request_screen(asked, "aicost", Terminal(None)) == SHOWN["request"].rstrip("\n")
