"""Nobody gets around a budget by a lie: real people with certificates, the chart's guards, a real API server."""

import secrets
from functools import partial

import pytest

from support.budget_manifests import autoscaler, cron_job, job, owned_by, pod, replicated
from support.budget_policies import LATER
from support.budget_policies_town import BUDGETS, CLUSTER_BUDGETS, OTHERS, Object, Town, budget, soon_may
from support.budget_samples import BASE
from support.people import RBAC, collection, denied

pytest_plugins = ["support.budget_guarded"]
pytestmark = pytest.mark.cluster

ENFORCED, NOTICE, ACTION_AT, ASKED = (
    f"aicost.dev/{name}" for name in ("enforced", "budget-notice", "action-at", "checkpoint-request")
)
EXEMPT = "aicost.dev/budget-exempt-until"
RESTORE, PRICES, SEEN = (f"aicost.dev/{name}" for name in ("restore", "prices-accepted", "acknowledged"))


# 1. What the controller alone writes


@pytest.mark.parametrize("kind", ["BudgetGate", "BudgetAction"])
def test_nobody_but_the_controller_makes_or_changes_gates_and_actions(town: Town, kind: str) -> None:
    said = denied(partial(town.make, kind, by=town.worker))
    assert f'[budget] {kind.lower()}s.aicost.dev "month" in namespace "{town.namespace}": the controller alone' in said
    town.make(kind)
    denied(partial(town.change, town.worker, kind, {"metadata": {"labels": {"a": "b"}}}))
    town.grant(town.lead, "edit-limit")
    denied(partial(town.change, town.lead, kind, {"metadata": {"labels": {"a": "b"}}}))
    town.change(town.keeper, kind, {"metadata": {"labels": {"a": "b"}}})


STATUSES: dict[str, Object] = {
    "BudgetGate": {"denyNew": False},
    "BudgetAction": {"phase": "Reverted"},
    "BudgetOverride": {"phase": "Active"},
    "Budget": {"reason": "RungReached"},
}


@pytest.mark.parametrize("kind", STATUSES)
def test_nobody_but_the_controller_writes_a_status(town: Town, kind: str) -> None:
    spec = budget() if kind == "Budget" else None
    asked = {**BASE["BudgetOverride"], "requestedBy": town.worker.name}
    town.make(kind, asked if kind == "BudgetOverride" else spec, town.worker if kind == "BudgetOverride" else None)
    said = denied(partial(town.say, kind, by=town.worker, **STATUSES[kind]))
    assert "/status: the controller alone writes it" in said
    town.say(kind, **STATUSES[kind])


def test_nor_that_of_a_cluster_budget(town: Town, company: str) -> None:
    denied(partial(town.say, "ClusterBudget", company, town.lead, reason="RungReached"))
    town.say("ClusterBudget", company, reason="RungReached")


@pytest.mark.parametrize("phase", ["Applying", "Applied", "Reverting", "Contested"])
def test_an_action_in_force_is_deleted_only_by_who_may_break_the_glass(town: Town, phase: str) -> None:
    town.make("BudgetAction")
    town.say("BudgetAction", phase=phase)
    assert 'lacks the verb "edit-limit" on budgets.aicost.dev' in denied(
        partial(town.delete, town.worker, "BudgetAction")
    )
    town.grant(town.lead, "edit-limit")
    town.delete(town.lead, "BudgetAction")


@pytest.mark.parametrize("phase", ["Noticed", "Reverted", "Withdrawn", "Superseded", "Failed", ""])
def test_an_action_that_is_over_is_deleted_by_anybody(town: Town, phase: str) -> None:
    town.make("BudgetAction")
    town.say("BudgetAction", **({"phase": phase} if phase else {}))
    town.delete(town.worker, "BudgetAction")


def test_a_gate_is_deleted_only_by_the_controller_or_by_who_may_break_the_glass(town: Town) -> None:
    town.make("BudgetGate")
    denied(partial(town.delete, town.worker, "BudgetGate"))
    town.delete(town.keeper, "BudgetGate")
    town.make("BudgetGate")
    town.grant(town.lead, "edit-limit")
    town.delete(town.lead, "BudgetGate")


def test_a_whole_namespace_goes_with_all_that_is_in_force_there(town: Town) -> None:
    name = f"going-{secrets.token_hex(3)}"
    town.cluster.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    going = Town(town.cluster, town.keeper, name, town.worker, town.lead)
    for kind, spec in (("BudgetGate", None), ("BudgetAction", None), ("Budget", budget(mode="Enforce"))):
        going.make(kind, spec)
    going.say("BudgetAction", phase="Applied")
    going.say("Budget", gate="Suspend")
    town.cluster.api.delete(f"/api/v1/namespaces/{name}")
    town.cluster.until_gone(f"/api/v1/namespaces/{name}")


def test_what_belongs_to_something_that_is_gone_goes_too(town: Town) -> None:
    owner = town.worker.api.create(collection("ConfigMap", town.namespace), {"metadata": {"name": "owner"}})
    references = owned_by({**owner, "apiVersion": "v1", "kind": "ConfigMap"})
    town.make("BudgetGate", ownerReferences=references)
    town.worker.api.delete(f"{collection('ConfigMap', town.namespace)}/owner")
    town.cluster.until_gone(town.path("BudgetGate", "month"))


# 2. What a budget writes on workloads


def _quota() -> Object:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "100"}}}


def _other(number: int) -> Object:
    api_version, kind, _ = OTHERS[number]
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "o"}, "spec": {}}


HELD: dict[str, tuple[str, Object]] = {
    "Deployment": ("Deployment", replicated(replicas=0)),
    "StatefulSet": ("StatefulSet", replicated("StatefulSet", 0)),
    "Pod": ("Pod", pod()),
    "Job": ("Job", job(parallelism=0)),
    "CronJob": ("CronJob", cron_job()),
    "HorizontalPodAutoscaler": ("HorizontalPodAutoscaler", autoscaler()),
    "ResourceQuota": ("ResourceQuota", _quota()),
    **{kind: (f"{api_version}/{plural}", _other(number)) for number, (api_version, kind, plural) in enumerate(OTHERS)},
}


@pytest.mark.parametrize("name", HELD)
def test_undo_data_is_the_controllers_on_each_kind(town: Town, name: str) -> None:
    kind, body = HELD[name]
    path = collection(kind, town.namespace)
    own = f"{path}/{body['metadata']['name']}"
    marked = {**body, "metadata": {**body["metadata"], "annotations": {ENFORCED: "[]"}}}
    said = denied(partial(town.worker.api.create, path, marked))
    assert f"[budget] annotation {ENFORCED}: it holds what a budget needs to undo its step" in said
    town.worker.api.create(path, body)
    mark: Object = {"metadata": {"annotations": {ENFORCED: "[]"}, "labels": {ENFORCED: "true"}}}
    denied(partial(town.worker.api.patch, own, mark))
    town.keeper.api.patch(own, mark)
    town.worker.api.patch(own, {"metadata": {"labels": {"note": "free"}}})
    denied(partial(town.worker.api.patch, own, {"metadata": {"annotations": {ENFORCED: "[1]"}}}))
    denied(partial(town.worker.api.patch, own, {"metadata": {"annotations": None}}))
    denied(partial(town.worker.api.patch, own, {"metadata": {"labels": {ENFORCED: None}}}))
    town.worker.api.delete(own)


@pytest.mark.parametrize("note", [ENFORCED, NOTICE, ACTION_AT, ASKED])
def test_so_are_its_notices(town: Town, note: str) -> None:
    town.grant(town.worker, "edit-limit", "exempt")
    town.worker.create(replicated(replicas=0), town.namespace)
    own = town.path("Deployment", "d")
    said = denied(partial(town.worker.api.patch, own, {"metadata": {"annotations": {note: "x"}}}))
    assert f"annotation {note}" in said
    town.keeper.api.patch(own, {"metadata": {"annotations": {note: "x"}}})
    town.worker.api.patch(own, {"spec": {"replicas": 1}})
    denied(partial(town.worker.api.patch, own, {"metadata": {"annotations": {note: None}}}))


def test_a_controller_hands_its_notes_down_to_what_it_makes(town: Town) -> None:
    town.worker.create(replicated(replicas=0), town.namespace)
    replica_sets = f"{collection('ReplicaSet', town.namespace)}?labelSelector=app%3Dx"
    town.cluster.until(replica_sets, lambda it: it["items"])
    town.keeper.api.patch(town.path("Deployment", "d"), {"metadata": {"annotations": {NOTICE: "soon"}}})
    town.cluster.until(replica_sets, lambda it: it["items"][0]["metadata"].get("annotations", {}).get(NOTICE) == "soon")
    made = town.cluster.api.get(replica_sets)["items"][0]
    own = town.path("ReplicaSet", made["metadata"]["name"])
    denied(partial(town.worker.api.patch, own, {"metadata": {"annotations": {NOTICE: "never"}}}))


# 3. Exemptions


def test_who_may_not_exempt_cannot_set_it_on_an_object_or_on_its_pods_nor_make_it_longer(town: Town) -> None:
    below = replicated(replicas=0)
    below["spec"]["template"]["metadata"]["annotations"] = {EXEMPT: LATER}
    for body in (pod(annotations={EXEMPT: LATER}), replicated(annotations={EXEMPT: LATER}), below):
        said = denied(partial(town.worker.create, body, town.namespace))
        assert f'lacks the verb "exempt" on budgets.aicost.dev in namespace "{town.namespace}"' in said
    town.grant(town.lead, "exempt")
    town.lead.create(pod(annotations={EXEMPT: LATER}), town.namespace)
    town.lead.create(below, town.namespace)
    own = town.path("Pod", "p")
    town.worker.api.patch(own, {"metadata": {"labels": {"note": "free"}}})
    denied(partial(town.worker.api.patch, own, {"metadata": {"annotations": {EXEMPT: "2100-01-01T00:00:00Z"}}}))
    town.worker.api.patch(own, {"metadata": {"annotations": {EXEMPT: None}}})


def test_a_right_to_excuse_from_labels_or_in_another_namespace_is_not_enough(town: Town) -> None:
    town.lead.may(("exempt",), {"aicost.dev": ["costlabelpolicies"]}, town.namespace)
    town.lead.may(("exempt",), BUDGETS, "default")
    denied(partial(town.lead.create, pod(annotations={EXEMPT: LATER}), town.namespace))


# 4. Budgets


CHANGES: dict[str, Object] = {
    "limit": {"limit": "2000"},
    "mode": {"mode": "Observe"},
    "maxGate": {"maxGate": "Notify"},
    "paused": {"paused": True},
    "approvals": {"approvals": {"minor": {"percent": 100}}},
    "scope": {"scope": {"dimensions": {"team": ["vision"]}}},
    "enforcement": {"enforcement": {"notice": "1d"}},
}


@pytest.mark.parametrize("field", CHANGES)
def test_who_may_not_edit_limits_changes_nothing_that_counts(town: Town, field: str) -> None:
    town.make("Budget", budget(mode="Enforce"))
    said = denied(partial(town.change, town.worker, "Budget", {"spec": CHANGES[field]}))
    assert f"[budget] spec.{field} cannot be changed by everybody: {town.worker.name} lacks the verb" in said
    assert f'"edit-limit" on budgets.aicost.dev "month" in namespace "{town.namespace}"' in said
    town.grant(town.lead, "edit-limit")
    town.change(town.lead, "Budget", {"spec": CHANGES[field]})


def test_the_right_to_edit_may_be_for_one_budget(town: Town) -> None:
    town.make("Budget", budget())
    town.make("Budget", budget(), name="other")
    role = {
        "metadata": {"name": "one"},
        "rules": [
            {"apiGroups": ["aicost.dev"], "resources": ["budgets"], "resourceNames": ["month"], "verbs": ["edit-limit"]}
        ],
    }
    subject = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": town.lead.name}
    place = f"{RBAC}/namespaces/{town.namespace}"
    town.cluster.api.create(f"{place}/roles", role)
    binding = {
        "metadata": {"name": "one"},
        "roleRef": {"kind": "Role", "apiGroup": "rbac.authorization.k8s.io", "name": "one"},
        "subjects": [subject],
    }
    town.cluster.api.create(f"{place}/rolebindings", binding)
    soon_may(partial(town.change, town.lead, "Budget", {"spec": {"limit": "2000"}}))
    denied(partial(town.change, town.lead, "Budget", {"spec": {"limit": "2000"}}, "other"))


def test_owners_routes_and_runbook_are_free_for_who_may_write(town: Town) -> None:
    town.make("Budget", budget(owners=[{"name": "dana"}]))
    free = {"owners": [{"name": "lee"}], "routes": ["finops"], "runbookUrl": "https://wiki.example/budgets"}
    town.change(town.worker, "Budget", {"spec": free})
    denied(partial(town.change, town.worker, "Budget", {"spec": {**free, "limit": "1001"}}))
    town.change(town.worker, "Budget", {"metadata": {"labels": {"note": "free"}}})


def test_a_cluster_budget_is_guarded_like_a_budget(town: Town, company: str) -> None:
    said = denied(partial(town.change, town.worker, "ClusterBudget", {"spec": {"limit": "2000"}}, company))
    assert f'lacks the verb "edit-limit" on clusterbudgets.aicost.dev "{company}".' in said
    town.grant(town.lead, "edit-limit")
    denied(partial(town.change, town.lead, "ClusterBudget", {"spec": {"limit": "2000"}}, company))
    town.grant(town.lead, "edit-limit", resources=CLUSTER_BUDGETS)
    town.change(town.lead, "ClusterBudget", {"spec": {"limit": "2000"}}, company)


def test_to_raise_a_stage_takes_the_verb_grow_beside(town: Town) -> None:
    town.make("Budget", budget(stage="experiment"))
    town.grant(town.lead, "edit-limit")
    said = denied(partial(town.change, town.lead, "Budget", {"spec": {"stage": "pilot"}}))
    assert '[budget] spec.stage "pilot" is higher than it was' in said
    assert 'lacks the verb "grow" on budgets.aicost.dev "month"' in said
    town.change(town.lead, "Budget", {"spec": {"stage": "sandbox"}})
    town.change(town.lead, "Budget", {"spec": {"stage": None}})
    denied(partial(town.change, town.lead, "Budget", {"spec": {"stage": "experiment"}}))
    town.grant(town.lead, "grow")
    town.change(town.lead, "Budget", {"spec": {"stage": "production"}})
    town.grant(town.worker, "grow")
    denied(partial(town.change, town.worker, "Budget", {"spec": {"stage": "sandbox"}}))


@pytest.mark.parametrize("gate", ["DenyNew", "Suspend", "FastFail"])
def test_a_budget_that_refuses_is_deleted_only_by_who_may_edit_it(town: Town, gate: str) -> None:
    town.make("Budget", budget(mode="Enforce"))
    town.say("Budget", gate=gate)
    assert f"has its gate at {gate}" in denied(partial(town.delete, town.worker, "Budget"))
    town.grant(town.lead, "edit-limit")
    town.delete(town.lead, "Budget")


@pytest.mark.parametrize(("mode", "gate"), [("Enforce", "FreezeGrowth"), ("Enforce", None), ("Observe", "Suspend")])
def test_any_other_budget_is_deleted_by_who_may_delete(town: Town, mode: str, gate: str | None) -> None:
    town.make("Budget", budget(mode=mode))
    town.say("Budget", **({"gate": gate} if gate else {}))
    town.delete(town.worker, "Budget")


def test_nor_is_it_given_away_to_something_that_can_be_deleted(town: Town) -> None:
    town.make("Budget", budget(mode="Enforce"))
    owner = town.worker.api.create(collection("ConfigMap", town.namespace), {"metadata": {"name": "owner"}})
    given = {"metadata": {"ownerReferences": owned_by({**owner, "apiVersion": "v1", "kind": "ConfigMap"})}}
    assert "[budget] metadata.ownerReferences cannot be set" in denied(
        partial(town.change, town.worker, "Budget", given)
    )
    town.grant(town.lead, "edit-limit")
    town.change(town.lead, "Budget", given)


@pytest.mark.parametrize("note", [RESTORE, PRICES])
def test_to_call_everything_back_and_to_accept_prices_takes_the_verb(town: Town, note: str) -> None:
    town.make("Budget", budget())
    wanted = {"metadata": {"annotations": {note: "2026-11-20T10:00:00Z"}}}
    said = denied(partial(town.change, town.worker, "Budget", wanted))
    assert f"[budget] annotation {note} cannot be set by everybody" in said
    denied(partial(town.make, "Budget", budget(), town.worker, "new", annotations={note: LATER}))
    town.grant(town.lead, "edit-limit")
    town.change(town.lead, "Budget", wanted)
    town.change(town.worker, "Budget", {"metadata": {"labels": {"note": "free"}}})


def test_everybody_acknowledges_in_their_own_name_and_in_nobody_elses(town: Town) -> None:
    town.make("Budget", budget())
    own = f"rung-half={town.worker.name}"

    def said(text: str | None) -> Object:
        return {"metadata": {"annotations": {SEEN: text}}}

    words = denied(partial(town.change, town.worker, "Budget", said(f"rung-half={town.lead.name}")))
    assert f'"rung-half={town.lead.name}" is in the name of somebody else. Fix: write ID={town.worker.name}' in words
    town.change(town.worker, "Budget", said(own))
    town.change(town.lead, "Budget", said(f"{own}, *={town.lead.name}"))
    for forged in (f"a={own}", f"rung-half=x{town.worker.name}", town.worker.name, f"rung-full={town.lead.name}"):
        denied(partial(town.change, town.worker, "Budget", said(f"{own},*={town.lead.name},{forged}")))
    town.change(town.worker, "Budget", said(f"*={town.lead.name}"))
    town.change(town.worker, "Budget", said(None))
    denied(partial(town.make, "Budget", budget(), town.worker, "new", annotations={SEEN: f"*={town.lead.name}"}))


@pytest.mark.parametrize("name", ["CN=jane,OU=ml", "https://id.example/#jane=x", "jane"])
def test_names_of_any_form_acknowledge_for_themselves_alone(town: Town, name: str) -> None:
    town.make("Budget", budget())

    def say(entry: str) -> None:
        body = {"metadata": {"annotations": {SEEN: entry}}}
        headers = {"Content-Type": "application/merge-patch+json", "Impersonate-User": name}
        groups = {"Impersonate-Group": "system:masters"}
        town.cluster.api.request("PATCH", town.path("Budget", "month"), body, {**headers, **groups})

    spelt = name.replace(",", ";")  # a comma ends an entry
    denied(partial(say, f"rung-half=not-{spelt}"))
    denied(partial(say, f"rung=half={spelt}"))
    say(f"rung-half={spelt}")
