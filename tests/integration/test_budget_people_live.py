"""People and budgets, end to end: who asks, who decides, what it brings back, and what the audit log says of it."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from support.audit import audit_events
from support.budget_town import OURS, QUICK, Town, open_town
from support.cluster import LiveCluster
from support.people import Person, person

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

LADDER = [
    {"name": "no-more", "gate": "DenyNew", "basis": "Actual", "atPercent": 50, "evaluations": 1},
    {"name": "stop", "gate": "Suspend", "basis": "Actual", "atPercent": 60, "evaluations": 1},
]
LOOSE = {"minCoverage": "0.50", "reason": "a test without history", "approvedBy": "the tests"}
BUDGETS = {"aicost.dev": ["budgets"]}
OVERRIDES = {"aicost.dev": ["budgetoverrides"]}


class Office:
    """A namespace whose budget is spent, somebody who asks and somebody who decides."""

    def __init__(self, town: Town, space: str) -> None:
        self.town, self.space = town, space
        self.ada, self.grace = person(town.cluster, "ada"), person(town.cluster, "grace")
        for one in (self.ada, self.grace):
            one.may(("create", "get", "list", "update", "patch"), OVERRIDES, space)
            one.may(("get", "list"), BUDGETS, space)
        self.grace.may(("approve-minor", "approve-major"), BUDGETS, space)
        self.job = town.workload("Job", "train", space, gpus=2)
        careful = {**QUICK, "coverageOverride": LOOSE, "restore": {"policy": "OnApproval", "maxGpusPerMinute": 100}}
        self.budget = town.budget(
            namespace=space, limit="20", mode="Enforce", maxGate="Suspend", ladder=LADDER, enforcement=careful
        )

    def run(self, one: Person, *words: str, fails: bool = False) -> str:
        """`aicost budget ...` as somebody; what it says."""
        command = [sys.executable, "-m", "aicost", "budget", *words, "--kubeconfig", str(one.kubeconfig)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def until_overrides(self, holds: Any) -> dict[str, Any]:
        """Requests, once something holds of the one that is there."""
        path = f"{OURS}/namespaces/{self.space}/budgetoverrides"
        return self.town.until(path, lambda it: it["items"] and holds(it["items"][-1]))["items"][-1]


def is_suspended(job: dict[str, Any]) -> bool:
    return bool(job["spec"].get("suspend"))


@pytest.fixture(scope="module")
def office(cluster: LiveCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    with open_town(cluster, tmp_path_factory.mktemp("fleet"), "budgets.intervalSeconds=1") as town:
        yield Office(town, town.make_namespace("office"))


def test_what_is_over_is_stopped_and_says_how_to_get_more(office: Office) -> None:
    office.town.until(office.job, is_suspended, 90)
    said = office.run(office.ada, "why", "month", "-n", office.space)
    assert "Suspend" in said
    assert f"aicost budget request month -n {office.space}" in said


def test_who_asks_may_not_decide(office: Office) -> None:
    office.run(
        office.ada, "request", "month", "-n", office.space, "--amount", "2000", "--reason", "the run takes longer"
    )
    pending = office.until_overrides(lambda it: it.get("status", {}).get("phase") == "Pending")
    assert pending["spec"]["requestedBy"] == office.ada.name
    assert pending["status"]["class"] == "Major"
    name = pending["metadata"]["name"]
    said = office.run(office.ada, "approve", name, "-n", office.space, fails=True)
    assert "approve-major" in said
    assert is_suspended(office.town.cluster.api.get(office.job))


def test_an_approval_raises_the_limit_and_brings_back_what_was_stopped(office: Office) -> None:
    name = office.until_overrides(lambda _: True)["metadata"]["name"]
    office.run(office.grace, "approve", name, "-n", office.space, "--comment", "agreed with finance")
    active = office.until_overrides(lambda it: it.get("status", {}).get("phase") == "Active")
    assert active["spec"]["decision"]["by"] == office.grace.name
    budget = office.town.until(office.budget, lambda it: it["status"]["limitNanos"] == 2020 * 10**9)
    assert budget["status"]["limitParts"]["approvedNanos"] == 2000 * 10**9
    office.town.until(office.job, lambda it: not is_suspended(it))
    office.town.cluster.until_gone(office.town.gate("month", office.space))


def test_a_broken_glass_lifts_all_gates_and_waits_for_a_review(office: Office) -> None:
    office.ada.may(("breakglass",), BUDGETS, office.space)
    rate = {"name": "rate", "gate": "Suspend", "basis": "CommittedRate", "atRatePerHour": "100", "evaluations": 1}
    office.town.cluster.api.patch(office.budget, {"spec": {"ladder": [LADDER[0], rate]}})
    office.town.until(office.job, is_suspended)
    office.run(
        office.ada, "break-glass", "month", "-n", office.space, "--yes", "--reason", "the launch is tonight at eight"
    )
    said = office.town.until(office.budget, lambda it: _reason(it, "Enforcing") == "GlassBroken")
    assert said["status"]["nextAction"].startswith("None: the glass is broken")
    office.town.until(office.job, lambda it: not is_suspended(it))


def test_the_audit_log_names_who_asked_and_who_decided(office: Office) -> None:
    written = [
        (one["user"]["username"], one["verb"])
        for one in audit_events(office.town.cluster)
        if one["objectRef"].get("namespace") == office.space and one["objectRef"]["resource"] == "budgetoverrides"
    ]
    assert (office.ada.name, "create") in written
    assert {(office.grace.name, "patch"), (office.grace.name, "update")} & set(written)


def _reason(it: dict[str, Any], kind: str) -> str:
    found = [one["reason"] for one in it.get("status", {}).get("conditions") or () if one["type"] == kind]
    return found[0] if found else ""
