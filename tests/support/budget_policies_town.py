"""A namespace with two people and the controller of budgets, for tests of the guards, and what they write."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from devcluster.api import ApiError
from support.budget_policies import OURS, decisions
from support.budget_samples import BASE
from support.cluster import LiveCluster
from support.people import Person, collection

BUDGETS = {"aicost.dev": ["budgets"]}
CLUSTER_BUDGETS = {"aicost.dev": ["clusterbudgets"]}
BILLION = 1_000_000_000
ADMIN = "devcluster-admin"
"""Who may do everything that no policy refuses."""
OTHERS = (
    ("keda.sh/v1alpha1", "ScaledObject", "scaledobjects"),
    ("kueue.x-k8s.io/v1beta2", "Workload", "workloads"),
    ("kueue.x-k8s.io/v1beta2", "LocalQueue", "localqueues"),
    ("serving.kserve.io/v1beta1", "InferenceService", "inferenceservices"),
    ("argoproj.io/v1alpha1", "CronWorkflow", "cronworkflows"),
)
"""Kinds of others that the tests speak of."""
Object = dict[str, Any]


@dataclass(frozen=True)
class Town:
    """A namespace with two people who may write everything there, and who have none of our verbs yet."""

    cluster: LiveCluster
    keeper: Person
    namespace: str
    worker: Person
    lead: Person

    def path(self, kind: str, name: str) -> str:
        return f"{collection(kind, self.namespace)}/{name}"

    def make(
        self, kind: str, spec: Object | None = None, by: Person | None = None, name: str = "month", **meta: Any
    ) -> Object:
        body = {"apiVersion": OURS, "kind": kind, "metadata": {"name": name, **meta}, "spec": spec or BASE[kind]}
        return (by or self.keeper).create(body, self.namespace)

    def say(self, kind: str, name: str = "month", by: Person | None = None, **status: Any) -> None:
        """Write a status."""
        path = self.path(kind, name)
        made = self.keeper.api.get(path)
        (by or self.keeper).api.request("PUT", f"{path}/status", {**made, "status": status})

    def change(self, by: Person, kind: str, patch: Object, name: str = "month", *, keep: bool = True) -> Object:
        return by.api.patch(f"{self.path(kind, name)}{'' if keep else '?dryRun=All'}", patch)

    def delete(self, by: Person, kind: str, name: str = "month") -> Object:
        return by.api.delete(self.path(kind, name))

    def grant(self, who: Person, *verbs: str, resources: Object = BUDGETS) -> None:
        who.may(verbs, resources, "" if resources is CLUSTER_BUDGETS else self.namespace)


def budget(**spec: Any) -> Object:
    return {"limit": "1000", "currency": "USD", **spec}


def ask(one: Person, **spec: Any) -> Object:
    """A request in one's own name."""
    known = {"budgetRef": {"name": "month"}, "reason": "it takes longer", "requestedBy": one.name}
    return {**known, **({} if "percent" in spec or "purpose" in spec else {"amount": "50"}), **spec}


def decision(one: Person, kind: str = "Minor", state: str = "Approved") -> Object:
    return {"spec": {"decision": {"state": state, "class": kind, "by": one.name}}}


def review(one: Person) -> Object:
    return {"spec": {"review": {"by": one.name, "comment": "it was needed"}}}


def request(town: Town, **spec: Any) -> None:
    """The worker asks for more."""
    town.make("BudgetOverride", ask(town.worker, **spec), town.worker, "more")


def decide(town: Town, who: Person, kind: str = "Minor", state: str = "Approved") -> None:
    town.change(who, "BudgetOverride", decision(who, kind, state), "more")


def state_limit(town: Town, kind: str = "Budget", name: str = "month", **parts: int) -> None:
    """Let a budget's status say what its limit is, for the first time, and wait until the guards have read it."""
    town.say(kind, name, limitParts={"baseNanos": 1000 * BILLION, **parts})
    probe = f"probe-{secrets.token_hex(3)}"
    spec = {"budgetRef": {"kind": kind, "name": name}, "amount": "0.000000001", "requestedBy": ADMIN}
    body = {"apiVersion": OURS, "kind": "BudgetOverride", "metadata": {"name": probe}}
    admin = town.cluster.api
    admin.create(collection("BudgetOverride", town.namespace), {**body, "spec": {**BASE["BudgetOverride"], **spec}})
    approval = {"spec": {"decision": {"state": "Approved", "class": "Minor", "by": ADMIN}}}
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            admin.patch(f"{town.path('BudgetOverride', probe)}?dryRun=All", approval)
        except ApiError as problem:
            if "says no limit yet" in str(problem):
                time.sleep(0.02)
                continue
        return
    pytest.fail("the guards have not read the limit within 30 s")


def until_told(town: Town, guard: str, words: str) -> None:
    """Wait until a guard has remarked something in the audit log: it is written after the answer."""
    deadline = time.monotonic() + 10
    while not any(words in one for one in decisions(town.cluster, town.namespace, guard)):
        assert time.monotonic() < deadline, decisions(town.cluster, town.namespace, guard)
        time.sleep(0.05)


def soon_may(action: Callable[[], object]) -> None:
    """A right is read by the server by and by; a policy of ours that needs it or another refuses until then."""
    deadline = time.monotonic() + 30
    while True:
        try:
            action()
        except ApiError as problem:
            if problem.status != 403 or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
