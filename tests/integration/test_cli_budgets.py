"""`aicost budget` on a real API server: with people's own certificates, and statuses as the controller writes them."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from aicost.__main__ import main
from aicost.adapters.clock import now_ms
from aicost.adapters.kube.config import load
from aicost.domain.budgets.plans import BudgetRef
from aicost.domain.exact.windows import from_rfc3339
from aicost.entrypoints.cli.commands.budget.work.marking import acknowledge
from aicost.entrypoints.cli.sources.budgets import at_desk
from support.budget_samples import BASE, BUDGET_STATUS
from support.cluster import LiveCluster
from support.crd_samples import resource
from support.definitions import applied_definitions
from support.guarded import in_place
from support.people import Person, person

pytestmark = pytest.mark.cluster

UNIT = 10**9
ROOT = "/apis/aicost.dev/v1alpha1"
REASON = "the evaluation takes longer"
LADDER = [
    {"name": "half", "gate": "Notify", "basis": "Actual", "atPercent": 50},
    {"name": "full", "gate": "DenyNew", "basis": "Actual", "atPercent": 100},
]
SPEC = {
    "limit": "5000",
    "currency": "USD",
    "mode": "Enforce",
    "maxGate": "DenyNew",
    "ladder": LADDER,
    "approvals": {"minor": {"percent": 10, "cumulativePercent": 15}},
}
STATUS = {
    **BUDGET_STATUS,
    "currency": "USD",
    "period": {"start": "2026-11-01T00:00:00Z", "end": "2036-12-01T00:00:00Z"},
    "limit": "$5,000.00",
    "limitNanos": 5000 * UNIT,
    "limitParts": {"baseNanos": 5000 * UNIT, "carriedNanos": 0, "approvedNanos": 0, "minorNanos": 0},
    "spent": {"total": "$4,000.00", "totalNanos": 4000 * UNIT, "provisionalNanos": 100 * UNIT, "accruedNanos": 0},
    "percentUsed": "80.0%",
    "forecast": {
        "total": "$5,500.00",
        "totalNanos": 5500 * UNIT,
        "method": "pace",
        "asOf": "2026-11-20T10:02:00Z",
    },
    "gate": "Notify",
    "gateSince": "2026-11-12T10:00:00Z",
    "updatedAt": "2026-11-20T10:02:00Z",
}
STATUS.pop("pending")


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """Output without line breaks."""
        return " ".join(self.out.split())


@dataclass
class Place:
    """A namespace with a budget that was computed, and two people."""

    cluster: LiveCluster
    namespace: str
    dana: Person
    lee: Person
    run: Callable[..., Said]

    def path(self, plural: str, name: str = "", below: str = "") -> str:
        return "/".join(filter(None, (f"{ROOT}/namespaces/{self.namespace}/{plural}", name, below)))

    def get(self, plural: str, name: str) -> dict[str, Any]:
        return self.cluster.api.get(self.path(plural, name))

    def requested(self) -> dict[str, Any]:
        """The only request."""
        (one,) = self.cluster.api.get(self.path("budgetoverrides"))["items"]
        return one

    def ask(self, *more: str) -> str:
        """Have dana ask for 200; the name of the request."""
        said = self.run(self.dana, "request", "month", "--amount", "200", "--reason", REASON, *more)
        assert said.code == 0, said.err
        return self.requested()["metadata"]["name"]

    def lets(self, who: Person, *verbs: str, plurals: tuple[str, ...] = ("budgetoverrides",)) -> None:
        who.may(verbs, {"aicost.dev": list(plurals)}, self.namespace)


@pytest.fixture(scope="module")
def defined(cluster: LiveCluster) -> Iterator[LiveCluster]:
    with applied_definitions(cluster):
        yield cluster


@pytest.fixture
def place(
    defined: LiveCluster, namespace: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Place:
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(who: Person | None, *arguments: str, everywhere: bool = False) -> Said:
        config = str(who.kubeconfig if who else defined.kubeconfig)
        where = () if everywhere else ("-n", namespace)
        code = main(["budget", *arguments, "--kubeconfig", config, *where])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    made = Place(defined, namespace, person(defined, "dana"), person(defined, "lee"), run)
    defined.api.create(made.path("budgets"), resource("Budget", "month", SPEC, namespace))
    defined.api.patch(made.path("budgets", "month", "status"), {"status": STATUS})
    made.lets(made.dana, "get", "list", plurals=("budgets", "budgetoverrides"))
    made.lets(made.dana, "create")
    made.lets(made.lee, "get", "list", plurals=("budgets", "budgetoverrides"))
    return made


def test_a_request_is_made_in_the_name_that_the_api_server_knows(place: Place) -> None:
    said = place.run(place.dana, "request", "month", "--amount", "200", "--reason", REASON, "--ticket", "ML-12")
    assert said.code == 0, said.err
    made = place.requested()
    assert made["metadata"]["name"].startswith("month-")
    assert made["spec"] == {
        "budgetRef": {"kind": "Budget", "name": "month"},
        "purpose": "RaiseLimit",
        "amount": "200",
        "reason": REASON,
        "ticket": "ML-12",
        "requestedBy": place.dana.name,
    }
    assert "minor: $200.00 is within 10% of $5,000.00" in said.words
    assert f"the verb approve-minor on budgets/month in namespace {place.namespace}, {place.dana.name} included" in (
        said.words
    )
    assert f"they run: aicost budget approve {made['metadata']['name']} -n {place.namespace}" in said.words
    assert f"kubectl auth can-i approve-minor budgets/month -n {place.namespace}" in said.words


def test_who_has_the_verb_is_told_that_they_may_approve_it_themselves(place: Place) -> None:
    place.lets(place.dana, "approve-minor", plurals=("budgets",))
    said = place.run(place.dana, "request", "month", "--percent", "4", "--reason", REASON)
    assert "+4% = $200.00" in said.words
    assert "you may: aicost budget approve month-" in said.words


def test_more_than_minor_is_major_and_says_by_which_rule(place: Place) -> None:
    said = place.run(place.dana, "request", "month", "--percent", "11", "--reason", REASON)
    assert "major: $550.00 is more than 10% of $5,000.00, which is $500.00" in said.words
    assert f"the verb approve-major on budgets/month in namespace {place.namespace}, {place.dana.name} excepted" in (
        said.words
    )
    place.cluster.api.patch(
        place.path("budgets", "month", "status"), {"status": {"limitParts": {"minorNanos": 700 * UNIT}}}
    )
    said = place.run(place.dana, "request", "month", "--amount", "100", "--reason", REASON)
    assert "$700.00 are used, $50.00 are left, and it asks for $100.00" in said.words


def test_a_dry_run_is_asked_of_the_server_and_kept_nowhere(place: Place) -> None:
    said = place.run(place.dana, "request", "month", "--amount", "200", "--reason", REASON, "--dry-run")
    assert said.code == 0, said.err
    assert "nothing was kept" in said.words
    assert place.cluster.api.get(place.path("budgetoverrides"))["items"] == []
    refused = place.run(place.lee, "request", "month", "--amount", "200", "--reason", REASON, "--dry-run")
    assert refused.code == 1, "the API server is asked, and lee may not create requests"


def test_who_may_not_look_may_still_ask(place: Place) -> None:
    kim = person(place.cluster, "kim")
    place.lets(kim, "create")
    said = place.run(kim, "request", "month", "--amount", "200", "--reason", REASON)
    assert said.code == 0, said.err
    assert "note: not permitted to get budgets 'month'" in said.err
    assert "not known from here, because the budget cannot be read" in said.words
    assert "the verb approve-minor on budgets/month" in said.words
    assert "if it is major, approve-major" in said.words
    assert place.requested()["spec"]["requestedBy"] == kim.name


def test_requests_are_listed_with_who_may_decide(place: Place) -> None:
    name = place.ask()
    said = place.run(place.lee, "requests")
    assert said.code == 0, said.err
    row = next(line for line in said.out.splitlines() if line.startswith(name))
    assert re.search(rf"month +\+\$200.00 +{place.dana.name} +New +takes approve-minor +\d+m?s +{REASON}", row)
    assert "no ClusterBudget is taken into account" in said.err
    refused = place.run(place.lee, "requests", "-A", everywhere=True)
    assert (refused.code, refused.out) == (1, "")
    assert 'resources ["budgetoverrides"], verbs ["list"]' in refused.err


def test_somebody_else_approves_it_in_their_own_name(place: Place) -> None:
    name = place.ask()
    place.lets(place.lee, "patch")
    said = place.run(place.lee, "approve", name, "--comment", "fine")
    assert said.code == 0, said.err
    decision = {"state": "Approved", "class": "Minor", "by": place.lee.name, "comment": "fine"}
    assert place.get("budgetoverrides", name)["spec"]["decision"] == decision
    assert f"as Minor by {place.lee.name}: fine" in said.words
    listed = place.run(place.lee, "requests")
    assert f"Approved as Minor by {place.lee.name}" in listed.out


def test_a_class_that_is_named_is_written_and_one_that_is_too_small_is_said(place: Place) -> None:
    place.run(place.dana, "request", "month", "--percent", "50", "--reason", REASON)
    name = place.requested()["metadata"]["name"]
    place.lets(place.lee, "patch")
    said = place.run(place.lee, "approve", name, "--class", "minor")
    assert place.get("budgetoverrides", name)["spec"]["decision"]["class"] == "Minor"
    assert "it takes --class major" in said.words


def test_a_denial_says_why(place: Place) -> None:
    name = place.ask()
    place.lets(place.lee, "patch")
    assert place.run(place.lee, "deny", name).code == 2, "a denial without a word is none"
    said = place.run(place.lee, "deny", name, "--comment", "wait for the new quarter")
    assert said.code == 0, said.err
    decision = place.get("budgetoverrides", name)["spec"]["decision"]
    assert (decision["state"], decision["comment"]) == ("Denied", "wait for the new quarter")


def test_who_may_not_write_is_told_which_right_is_missing_and_how_to_ask_for_it(place: Place) -> None:
    name = place.ask()
    said = place.run(place.lee, "approve", name)
    assert (said.code, said.out) == (1, "")
    assert f'User "{place.lee.name}" cannot patch resource "budgetoverrides"' in said.err
    assert f"kubectl auth can-i patch budgetoverrides/{name} -n {place.namespace}" in said.err
    assert "decision" not in place.requested()["spec"]


@pytest.fixture
def guarded(place: Place) -> Iterator[Place]:
    """A guard that asks for a verb, as those of the chart do, and says so in its own words."""
    name = f"cli-{place.namespace}"
    verb = "authorizer.group('aicost.dev').resource('budgets').namespace(namespaceObject.metadata.name)"
    spec = {
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": ["aicost.dev"],
                    "apiVersions": ["*"],
                    "operations": ["UPDATE"],
                    "resources": ["budgetoverrides"],
                }
            ]
        },
        "validations": [
            {
                "expression": f"{verb}.name(object.spec.budgetRef.name).check('approve-major').allowed()",
                "messageExpression": "'[approval] ' + request.userInfo.username + ' lacks the verb \"approve-major\"'",
                "reason": "Forbidden",
            }
        ],
    }
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    selector = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": place.namespace}}}
    binding = {"policyName": name, "validationActions": ["Deny"], "matchResources": selector}
    documents = [
        {**head, "kind": "ValidatingAdmissionPolicy", "spec": spec},
        {**head, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding},
    ]
    place.lets(place.lee, "patch")
    waiting = place.path("budgetoverrides", place.ask())
    with in_place(place.cluster, documents, lambda: place.lee.api.patch(f"{waiting}?dryRun=All", {"spec": {}})):
        yield place


def test_what_a_guard_says_is_shown_as_it_is_with_the_verb_and_how_to_ask_for_it(guarded: Place) -> None:
    name = guarded.requested()["metadata"]["name"]
    said = guarded.run(guarded.lee, "approve", name)
    assert (said.code, said.out) == (1, "")
    assert f'denied request: [approval] {guarded.lee.name} lacks the verb "approve-major"' in said.err
    place = guarded.namespace
    assert f"{guarded.lee.name} lacks the verb approve-major on budgets/month in namespace {place}" in said.err
    assert f"kubectl auth can-i approve-major budgets/month -n {place}" in said.err
    assert "Grant it by" not in said.err, "the right to patch is there: it is not what is missing"
    guarded.lets(guarded.lee, "approve-major", plurals=("budgets",))
    assert guarded.run(guarded.lee, "approve", name).code == 0


def test_the_glass_is_broken_only_after_a_yes_and_reviewed_by_somebody_else(place: Place, monkeypatch) -> None:
    words = ("break-glass", "month", "--reason", "customer launch tonight")
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    said = place.run(place.dana, *words)
    assert said.code == 130
    assert "This lifts all gates of Budget" in said.err
    assert "It holds for 24 hours" in said.err
    assert place.cluster.api.get(place.path("budgetoverrides"))["items"] == []
    assert place.run(place.dana, *words, "--yes").code == 0
    made = place.requested()
    assert (made["spec"]["purpose"], made["spec"]["requestedBy"]) == ("BreakGlass", place.dana.name)
    place.lets(place.lee, "patch")
    name = made["metadata"]["name"]
    refused = place.run(place.lee, "approve", name)
    assert (refused.code, "is a break-glass" in refused.err) == (2, True)
    said = place.run(place.lee, "review", name, "--comment", "was needed, the limit follows")
    assert said.code == 0, said.err
    review = {"by": place.lee.name, "comment": "was needed, the limit follows"}
    assert place.get("budgetoverrides", name)["spec"]["review"] == review


def test_stopping_production_is_a_request_without_an_amount(place: Place) -> None:
    said = place.run(place.dana, "request", "month", "--stop-production", "--reason", REASON)
    assert said.code == 0, said.err
    assert place.requested()["spec"]["purpose"] == "StopProduction"
    assert "major: stopping production always is" in said.words
    assert "enforcement.victims.allowProduction: true" in said.words


def test_a_request_of_a_cluster_budget_lies_in_the_namespace_of_who_asks(place: Place) -> None:
    name = f"company-{place.namespace}"
    place.cluster.api.create(
        f"{ROOT}/clusterbudgets", resource("ClusterBudget", name, {"limit": "5000", "currency": "USD"})
    )
    try:
        said = place.run(None, "request", name, "--cluster", "--percent", "5", "--reason", REASON)
        assert said.code == 0, said.err
        assert place.requested()["spec"]["budgetRef"] == {"kind": "ClusterBudget", "name": name}
        assert f"the verb approve-minor on clusterbudgets/{name}," in said.words
        why = place.run(None, "why", name, "--cluster")
        assert "Nothing was computed of it yet" in why.out
        assert "+5% = $250.00 by devcluster-admin" in why.words
    finally:
        place.cluster.api.delete(f"{ROOT}/clusterbudgets/{name}")


def _annotations(place: Place) -> dict[str, str]:
    return place.get("budgets", "month")["metadata"]["annotations"]


def test_messages_are_acknowledged_beside_those_of_others(place: Place) -> None:
    notes = {"metadata": {"annotations": {"aicost.dev/acknowledged": "older=kim", "note": "kept"}}}
    place.cluster.api.patch(place.path("budgets", "month"), notes)
    for who in (place.dana, place.lee):
        place.lets(who, "patch", plurals=("budgets",))
    assert place.run(place.dana, "ack", "month", "rung-half").code == 0
    again = place.run(place.lee, "ack", "month", "rung-half")
    assert f"message rung-half of Budget {place.namespace}/month, by {place.dana.name}" in again.words
    told = place.get("budgets", "month")["status"]["told"]
    more = {"id": "rung-full", "at": "2026-11-12T10:00:00Z", "summary": "said"}
    place.cluster.api.patch(place.path("budgets", "month", "status"), {"status": {"told": [*told, more]}})
    assert place.run(place.lee, "ack", "month").code == 0
    dana, lee = place.dana.name, place.lee.name
    noted = {"aicost.dev/acknowledged": f"older=kim,rung-half={dana},rung-full={lee}", "note": "kept"}
    assert _annotations(place) == noted


def test_nobodys_word_is_lost_where_many_acknowledge_at_once(place: Place) -> None:
    ids = [f"m{number}" for number in range(8)]
    told = [{"id": one, "at": "2026-11-12T10:00:00Z", "summary": "said"} for one in ids]
    place.cluster.api.patch(place.path("budgets", "month", "status"), {"status": {"told": told}})
    config = load({}, now_ms, kubeconfig=place.cluster.kubeconfig)
    ref = BudgetRef("month", place.namespace)
    with ThreadPoolExecutor(4) as people:
        for done in [
            people.submit(at_desk, config, lambda desk, one=one: acknowledge(desk, ref, [one])) for one in ids
        ]:
            done.result()
    entries = _annotations(place)["aicost.dev/acknowledged"].split(",")
    assert sorted(entries) == [f"{one}=devcluster-admin" for one in ids]


def test_a_message_that_is_not_there_is_named_with_the_nearest_one(place: Place) -> None:
    said = place.run(None, "ack", "month", "rung-halv")
    assert (said.code, said.err) == (
        2,
        "error: id: 'rung-halv' is no message of this budget: did you mean 'rung-half'?\n",
    )


def test_prices_are_accepted_up_to_now(place: Place) -> None:
    said = place.run(None, "accept-prices", "month")
    assert said.code == 0, said.err
    stamp = _annotations(place)["aicost.dev/prices-accepted"]
    assert from_rfc3339(stamp) > from_rfc3339("2026-01-01T00:00:00Z")
    assert f"up to {stamp}" in said.words


def test_a_restore_says_what_comes_back_and_how_fast(place: Place) -> None:
    uid = place.get("budgets", "month")["metadata"]["uid"]
    for name, phase, milli in (("train", "Applied", 32000), ("eval", "Noticed", 8000)):
        ref = {"kind": "Budget", "name": "month", "namespace": place.namespace, "uid": uid}
        target = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": "u"}
        spec = {**BASE["BudgetAction"], "budgetRef": ref, "targetRef": target, "estimate": {"gpuMilli": milli}}
        place.cluster.api.create(place.path("budgetactions"), resource("BudgetAction", name, spec, place.namespace))
        status = {"phase": phase, "appliedAt": "2026-11-20T10:00:00Z"}
        place.cluster.api.patch(place.path("budgetactions", name, "status"), {"status": status})
    said = place.run(None, "restore", "month")
    assert said.code == 0, said.err
    assert "1 step is undone, the last one first, 32 GPUs in all" in said.words
    assert "at most 16 GPUs a minute: about 2m" in said.words
    assert "Job/train" in said.out
    assert "Job/eval" not in said.out
    assert from_rfc3339(_annotations(place)["aicost.dev/restore"]) > 0


def test_who_may_not_see_the_steps_is_told_so_and_may_still_restore(place: Place) -> None:
    place.lets(place.lee, "patch", plurals=("budgets",))
    said = place.run(place.lee, "restore", "month")
    assert said.code == 0, said.err
    assert 'resources ["budgetactions"], verbs ["list"]' in said.err
    assert "as far as you may see" in said.words


def test_why_explains_a_gate_from_what_stands_in_the_status(place: Place) -> None:
    said = place.run(None, "why", "month")
    assert said.code == 0, said.err
    for words in (
        "█ settled $3,900.00 ▓ provisional $100.00 ░ forecast $5,500.00 ┃ limit $5,000.00",
        "1 half Notify spend 80.0% 50.0% 45.0% reached",
        "2 full DenyNew spend 80.0% 100.0% 95.0% 20.0 points, $1,000.00 away",
        "Notify, since 2026-11-12T10:00:00Z",
        "coverage: telemetry 98.2%, price 100.0%, label 92.0%",
        "Deployment default/chat: argocd-controller keeps undoing it",
        "ignoreDifferences: []",
        f"aicost budget request month -n {place.namespace} --amount N --reason '...'",
    ):
        assert words in said.words


def test_why_in_json_is_what_the_cluster_has(place: Place) -> None:
    document = json.loads(place.run(None, "why", "month", "-o", "json").out)
    there = place.get("budgets", "month")
    assert (document["status"], document["spec"]) == (there["status"], there["spec"])
    assert (document["actions"], document["overrides"]) == ([], [])


def test_budgets_are_listed_the_most_used_first(place: Place) -> None:
    for name, spent in (("hot", 4900), ("cold", 10)):
        place.cluster.api.create(place.path("budgets"), resource("Budget", name, SPEC, place.namespace))
        status = {**STATUS, "spent": {"total": f"${spent}", "totalNanos": spent * UNIT}}
        place.cluster.api.patch(place.path("budgets", name, "status"), {"status": status})
    place.cluster.api.create(place.path("budgets"), resource("Budget", "new", SPEC, place.namespace))
    said = place.run(None, "list")
    rows = [line.split() for line in said.out.splitlines() if line.startswith(place.namespace)]
    assert [row[1] for row in rows] == ["hot", "month", "cold", "new"]
    assert rows[1][2:6] == ["$5,000.00", "$4,000.00", "80.0%", "████████··"]
    assert "nothing was computed yet" in said.out


def test_a_budget_that_is_not_there_is_named_with_its_namespace(place: Place) -> None:
    said = place.run(None, "why", "nothing-like-it")
    assert (said.code, f"no Budget 'nothing-like-it' in namespace {place.namespace}" in said.err) == (2, True)
