"""Who asks for more, decides and reviews is who they say and may: real people on a real API server."""

from collections.abc import Callable
from functools import partial

import pytest

from devcluster.api import ApiError
from support.budget_manifests import owned_by
from support.budget_policies import until_denied
from support.budget_policies_town import (
    BILLION,
    CLUSTER_BUDGETS,
    Object,
    Town,
    ask,
    budget,
    decide,
    decision,
    request,
    review,
    state_limit,
    until_told,
)
from support.people import Person, collection, denied

pytest_plugins = ["support.budget_guarded"]
pytestmark = pytest.mark.cluster
SEEN = "aicost.dev/acknowledged"


# 5. Requests for more


def test_who_asks_does_so_in_their_own_name(spending: Town) -> None:
    said = denied(partial(spending.make, "BudgetOverride", ask(spending.lead), spending.worker))
    assert (
        f'spec.requestedBy "{spending.lead.name}" is not who asks. Fix: write requestedBy: "{spending.worker.name}"'
        in said
    )
    request(spending)


@pytest.mark.parametrize("part", [decision, review])
def test_nobody_brings_a_decision_or_a_review_along(spending: Town, part: Callable[[Person], Object]) -> None:
    for verb in ("approve-minor", "approve-major"):
        spending.grant(spending.worker, verb)
    spec = {**ask(spending.worker), **part(spending.worker)["spec"]}
    assert "come later" in denied(partial(spending.make, "BudgetOverride", spec, spending.worker))


def test_breaking_the_glass_takes_the_verb_on_that_budget(spending: Town, company: str) -> None:
    spec = ask(spending.worker, purpose="BreakGlass")
    whole = {**spec, "budgetRef": {"kind": "ClusterBudget", "name": company}}
    said = denied(partial(spending.make, "BudgetOverride", spec, spending.worker))
    assert f'lacks the verb "breakglass" on budgets.aicost.dev "month" in namespace "{spending.namespace}"' in said
    spending.grant(spending.worker, "breakglass")
    spending.make("BudgetOverride", spec, spending.worker, "more")
    assert f'on clusterbudgets.aicost.dev "{company}".' in denied(
        partial(spending.make, "BudgetOverride", whole, spending.worker, "whole")
    )
    spending.grant(spending.worker, "breakglass", resources=CLUSTER_BUDGETS)
    spending.make("BudgetOverride", whole, spending.worker, "whole")


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "60"},
        {"amount": None, "percent": 5},
        {"reason": "something else entirely"},
        {"requestedBy": "somebody"},
        {"budgetRef": {"name": "other"}},
        {"validUntil": "2027-01-01"},
        {"ticket": "ML-1"},
    ],
    ids=" ".join,
)
def test_what_was_asked_for_stays_as_it_is(spending: Town, change: Object) -> None:
    request(spending)
    spending.grant(spending.lead, "edit-limit", "approve-minor")
    for one in (spending.worker, spending.lead):
        assert "cannot change after it was asked for" in denied(
            partial(spending.change, one, "BudgetOverride", {"spec": change}, "more")
        )
    spending.change(spending.worker, "BudgetOverride", {"metadata": {"labels": {"note": "free"}}}, "more")


def test_nothing_owns_arequest(spending: Town) -> None:
    owner = spending.worker.api.create(collection("ConfigMap", spending.namespace), {"metadata": {"name": "owner"}})
    references = owned_by({**owner, "apiVersion": "v1", "kind": "ConfigMap"})
    denied(
        partial(
            spending.make, "BudgetOverride", ask(spending.worker), spending.worker, "more", ownerReferences=references
        )
    )
    request(spending)
    denied(
        partial(
            spending.change, spending.worker, "BudgetOverride", {"metadata": {"ownerReferences": references}}, "more"
        )
    )


@pytest.mark.parametrize(("kind", "verb"), [("Minor", "approve-minor"), ("Major", "approve-major")])
@pytest.mark.parametrize("state", ["Approved", "Denied"])
def test_who_decides_has_the_verb_of_the_class_whatever_theydecide(
    spending: Town, kind: str, verb: str, state: str
) -> None:
    other = {"approve-minor": "approve-major", "approve-major": "approve-minor"}[verb]
    request(spending)
    spending.grant(spending.lead, other)
    said = denied(partial(decide, spending, spending.lead, kind, state))
    assert f'lacks the verb "{verb}" on budgets.aicost.dev "month"' in said
    spending.grant(spending.lead, verb)
    decide(spending, spending.lead, kind, state)


def test_who_decides_writes_their_own_name(spending: Town) -> None:
    request(spending)
    spending.grant(spending.lead, "approve-minor")
    forged = decision(spending.worker)
    said = denied(partial(spending.change, spending.lead, "BudgetOverride", forged, "more"))
    assert f'spec.decision.by "{spending.worker.name}" is not who decides' in said


@pytest.mark.parametrize("after", [{"spec": {"decision": None}}, {"spec": {"decision": {"comment": "after all"}}}])
def test_a_decision_is_taken_once(spending: Town, after: Object) -> None:
    request(spending)
    spending.grant(spending.lead, "approve-minor", "approve-major", "edit-limit")
    decide(spending, spending.lead)
    assert "was taken and stays" in denied(partial(spending.change, spending.lead, "BudgetOverride", after, "more"))
    denied(partial(decide, spending, spending.lead, "Major", "Denied"))
    spending.change(spending.lead, "BudgetOverride", {"metadata": {"labels": {"note": "free"}}}, "more")


def test_a_major_overrun_needs_other_eyes(spending: Town) -> None:
    request(spending, amount="900")
    for one in (spending.worker, spending.lead):
        spending.grant(one, "approve-major")
    assert "needs other eyes" in denied(partial(decide, spending, spending.worker, "Major"))
    denied(partial(decide, spending, spending.worker, "Major", "Denied"))
    decide(spending, spending.lead, "Major")


@pytest.mark.parametrize("purpose", ["StopProduction", "BreakGlass"])
def test_other_purposes_are_never_minor(spending: Town, purpose: str) -> None:
    spending.grant(spending.worker, "breakglass")
    spending.grant(spending.lead, "approve-minor", "approve-major")
    request(spending, purpose=purpose)
    assert f"purpose {purpose} is never a minor overrun" in denied(partial(decide, spending, spending.lead))
    decide(spending, spending.lead, "Major")


def test_the_verb_is_asked_on_the_budget_that_is_named(spending: Town, company: str) -> None:
    whole = {"budgetRef": {"kind": "ClusterBudget", "name": company}}
    spending.make("BudgetOverride", ask(spending.worker, **whole), spending.worker, "more")
    spending.grant(spending.lead, "approve-major")
    assert f'on clusterbudgets.aicost.dev "{company}".' in denied(partial(decide, spending, spending.lead, "Major"))
    spending.grant(spending.lead, "approve-major", resources=CLUSTER_BUDGETS)
    decide(spending, spending.lead, "Major")


def test_a_break_glass_is_reviewed_once_by_somebody_else_with_the_verb(spending: Town) -> None:
    town, worker, lead = spending, spending.worker, spending.lead
    town.grant(worker, "breakglass", "approve-major")
    request(town, purpose="BreakGlass")

    def reviewed(by: Person, name: Person | None = None) -> None:
        town.change(by, "BudgetOverride", review(name or by), "more")

    assert "needs other eyes" in denied(partial(reviewed, worker))
    assert 'lacks the verb "approve-major"' in denied(partial(reviewed, lead))
    town.grant(lead, "approve-major")
    assert "is not who reviews" in denied(partial(reviewed, lead, worker))
    reviewed(lead)
    for after in ({"spec": {"review": None}}, {"spec": {"review": {"comment": "it was needed after all"}}}):
        assert "was written and stays" in denied(partial(town.change, lead, "BudgetOverride", after, "more"))


def test_nothing_else_is_reviewed(spending: Town) -> None:
    spending.grant(spending.lead, "approve-major")
    request(spending)
    assert "only a BreakGlass is reviewed" in denied(
        partial(spending.change, spending.lead, "BudgetOverride", review(spending.lead), "more")
    )


def test_a_request_is_taken_back_by_who_asked_until_it_is_decided(spending: Town) -> None:
    request(spending)
    denied(partial(spending.delete, spending.lead, "BudgetOverride", "more"))
    spending.delete(spending.worker, "BudgetOverride", "more")
    request(spending)
    spending.grant(spending.lead, "approve-minor")
    decide(spending, spending.lead)
    for one in (spending.worker, spending.lead):
        assert "stays as a record" in denied(partial(spending.delete, one, "BudgetOverride", "more"))
    spending.grant(spending.lead, "edit-limit")
    spending.delete(spending.lead, "BudgetOverride", "more")


def test_a_break_glass_is_kept_for_its_review(spending: Town) -> None:
    spending.grant(spending.worker, "breakglass")
    request(spending, purpose="BreakGlass")
    denied(partial(spending.delete, spending.worker, "BudgetOverride", "more"))
    spending.grant(spending.lead, "edit-limit")
    spending.delete(spending.lead, "BudgetOverride", "more")


# 6. Minor overruns


def _minor(town: Town, spec: Object, approvals: Object | None, parts: dict[str, int]) -> None:
    """Somebody with the verb calls a request minor; the budget spends 1,000 but for `parts`."""
    town.make("Budget", budget(**({"approvals": {"minor": approvals}} if approvals else {})))
    state_limit(town, **parts)
    town.grant(town.lead, "approve-minor")
    request(town, **spec)
    decide(town, town.lead)


@pytest.mark.parametrize(
    ("spec", "approvals", "parts"),
    [
        ({"amount": "100"}, None, {}),
        ({"percent": 10}, None, {}),
        ({"amount": "20"}, {"maxAmount": "20"}, {}),
        ({"amount": "0.000000001"}, {"maxAmount": "0.000000001"}, {}),
        ({"amount": "300"}, {"percent": 30, "cumulativePercent": 30}, {}),
        ({"amount": "50"}, None, {"minorNanos": 100 * BILLION}),
        ({"percent": 10}, None, {"baseNanos": 999_999_999_999_999_999}),
        ({"percent": 100}, {"percent": 100, "cumulativePercent": 100}, {"baseNanos": 999_999_999_999_999_999}),
    ],
    ids=str,
)
def test_a_minor_overrun_up_to_its_bounds_is_approved(
    town: Town, spec: Object, approvals: Object | None, parts: dict[str, int]
) -> None:
    _minor(town, spec, approvals, parts)


@pytest.mark.parametrize(
    ("spec", "approvals", "parts", "words"),
    [
        ({"amount": "100.000000001"}, None, {}, "more than 10 percent of the limit."),
        ({"percent": 11}, None, {}, "more than 10 percent"),
        ({"percent": 1000}, None, {}, "more than 10 percent"),
        ({"amount": "20.01"}, {"maxAmount": "20"}, {}, "more than 10 percent of the limit or than 20."),
        ({"amount": "50.000000001"}, None, {"minorNanos": 100 * BILLION}, "comes to more than 15 percent"),
        ({"percent": 5}, None, {"minorNanos": 100 * BILLION + 1}, "comes to more than 15 percent"),
        ({"amount": "999999999.999999999"}, None, {}, "more than 10 percent"),
        ({"amount": "1"}, None, {"minorNanos": 9_000_000_000_000_000_000}, "comes to more than 15 percent"),
    ],
    ids=str,
)
def test_beyond_its_bounds_it_is_none(
    town: Town, spec: Object, approvals: Object | None, parts: dict[str, int], words: str
) -> None:
    with pytest.raises(ApiError, match="HTTP 403") as caught:
        _minor(town, spec, approvals, parts)
    assert '[budget] minor overrun of "month": ' in str(caught.value)
    assert words in str(caught.value)
    assert "Fix: decide it as class: Major" in str(caught.value)
    town.grant(town.lead, "approve-major")
    decide(town, town.lead, "Major")


def test_a_minor_overrun_may_be_denied_whatever_its_size(spending: Town) -> None:
    spending.grant(spending.lead, "approve-minor")
    request(spending, amount="900")
    decide(spending, spending.lead, "Minor", "Denied")


def test_nobody_knows_what_is_minor_before_the_limit_is_known(town: Town) -> None:
    town.make("Budget", budget())
    town.grant(town.lead, "approve-minor")
    request(town, amount="1")
    until_denied(partial(decide, town, town.lead), "its status says no limit yet, so nobody knows what is minor")


def test_the_bounds_of_other_budgets_do_not_count(town: Town) -> None:
    town.make("Budget", budget(limit="1"), name="tiny")
    state_limit(town, name="tiny", baseNanos=BILLION)
    _minor(town, {"amount": "100"}, None, {})


@pytest.mark.parametrize(
    ("spec", "allowed"),
    [
        ({}, True),
        ({"stage": "pilot"}, True),
        ({"stage": "production"}, False),
        ({"scope": {"dimensions": {"stage": ["sandbox", "Production"]}}}, False),
        ({"stage": "production", "approvals": {"minor": {"selfApproval": True}}}, True),
        ({"approvals": {"minor": {"selfApproval": False}}}, False),
        ({"approvals": {"minor": {}}, "scope": {"dimensions": {"team": ["vision"]}}}, True),
    ],
    ids=str,
)
def test_ones_own_minor_overrun_is_approved_where_the_budget_lets(town: Town, spec: Object, allowed: bool) -> None:
    town.make("Budget", budget(**spec))
    state_limit(town)
    for one in (town.worker, town.lead):
        town.grant(one, "approve-minor")
    request(town)
    if allowed:
        decide(town, town.worker)
    else:
        assert "asked for it and cannot approve it" in denied(partial(decide, town, town.worker))
        decide(town, town.lead)


def test_a_cluster_budget_has_its_own_bounds(town: Town, company: str) -> None:
    worker, lead = town.worker, town.lead
    whole = {"budgetRef": {"kind": "ClusterBudget", "name": company}}
    for one in (worker, lead):
        town.grant(one, "approve-minor", resources=CLUSTER_BUDGETS)
    for name, amount in (("small", "10"), ("large", "11"), ("own", "1")):
        town.make("BudgetOverride", ask(worker, amount=amount, **whole), worker, name)

    def approve(who: Person, name: str, *, keep: bool = False) -> Callable[[], object]:
        return partial(town.change, who, "BudgetOverride", decision(who), name, keep=keep)

    until_denied(approve(lead, "small"), "its status says no limit yet")
    state_limit(town, "ClusterBudget", company, baseNanos=100 * BILLION, minorNanos=6 * BILLION)
    said = denied(approve(lead, "large"))
    assert f'minor overrun of "{company}": it asks for more than 10 percent' in said
    assert "comes to more than 15 percent" in denied(approve(lead, "small"))
    approve(worker, "own")()
    own = {"spec": {"approvals": {"minor": {"selfApproval": False}}}}
    town.cluster.api.patch(town.path("ClusterBudget", company), own)
    until_denied(approve(worker, "own"), "asked for it and cannot approve it")
    approve(lead, "own", keep=True)()


# What the audit log tells


def test_the_audit_log_tells_who_asked_who_decided_and_who_reviewed(spending: Town) -> None:
    worker, lead = spending.worker, spending.lead
    spending.grant(worker, "breakglass")
    spending.grant(lead, "approve-minor", "approve-major")
    request(spending, amount="99.5")
    decide(spending, lead)
    spending.make("BudgetOverride", ask(worker, purpose="BreakGlass"), worker, "now")
    spending.change(lead, "BudgetOverride", review(lead), "now")
    month = f'budgets.aicost.dev "month" in namespace "{spending.namespace}"'
    until_told(spending, "override", f"{worker.name} asks for RaiseLimit by 99.5 of {month}")
    until_told(
        spending,
        "override",
        f"{lead.name} decides as Minor: Approved, for {worker.name}: RaiseLimit by 99.5 of {month}",
    )
    until_told(spending, "minor-overrun", f"{lead.name} approves a minor overrun of month: 99500000000 nano-units")
    until_told(spending, "override", f"{lead.name} reviews BreakGlass of {month}, asked for by {worker.name}")


def test_the_audit_log_tells_who_was_refused_and_who_changed_a_budget(spending: Town) -> None:
    worker, lead = spending.worker, spending.lead
    spending.grant(lead, "edit-limit")
    denied(partial(spending.change, worker, "Budget", {"spec": {"limit": "2000"}}))
    spending.change(lead, "Budget", {"spec": {"limit": "1500"}})
    spending.change(worker, "Budget", {"metadata": {"annotations": {SEEN: f"*={worker.name}"}}})
    spending.delete(worker, "Budget")
    month = f'budgets.aicost.dev "month" in namespace "{spending.namespace}"'
    for one in (worker, lead):
        until_told(spending, "budget", f"{one.name} changes spec.limit of {month}")
    until_told(spending, "budget", f"{worker.name} acknowledges messages of {month}")
    until_told(spending, "budget-deletion", f"{worker.name} deletes {month}")
