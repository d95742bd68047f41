"""Workloads that could be stopped, by what a test is about."""

from functools import cache
from typing import Any

from aicost.domain.budgets.plans import VictimRules
from aicost.domain.budgets.spend.running import Running
from aicost.domain.enforcement.levers.table import stopper
from aicost.domain.enforcement.values import ObjectRef
from aicost.domain.enforcement.victims.candidates import Candidate
from aicost.domain.enforcement.victims.selection import Rules
from aicost.domain.exact.windows import HOUR_MS
from support.budget_books import DOLLAR, runs

NOW = 1_794_355_200_000
_GROUPS = {"Deployment": "apps", "Job": "batch", "RayCluster": "ray.io"}


def candidate(
    name: str = "a", *, kind: str = "Deployment", dollars: int | None = 4, pods: int = 1, **more: Any
) -> Candidate:
    """A workload of some pods, each with one GPU, for so many dollars per hour in all."""
    group = _GROUPS.get(kind, "")
    target = ObjectRef(f"{group}/v1", kind, "research", name, f"uid-{name}")
    rate = (dollars or 0) * DOLLAR
    known: dict[str, Any] = {
        "lever": stopper(group, kind),
        "pods": _pods(name, pods),
        "queued": False,
        "gpu_milli": pods * 1000,
        "rate_nanos": rate,
        "stage": "sandbox",
        "priority": 0,
        "since_ms": NOW - 5 * HOUR_MS,
        "stake_ms": HOUR_MS,
        "ends_ms": None,
        "exempt_ms": 0,
        "gang": "",
        **more,
    }
    return Candidate(target, **known)


@cache
def _pods(name: str, count: int) -> tuple[Running, ...]:
    return tuple(runs("research", f"{name}-{at}", labels={"app": name}) for at in range(count))


def rules(over: int = 1000, **more: Any) -> Rules:
    """Rules that ask for so many dollars per hour, without caps."""
    victims = more.pop("victims", None) or VictimRules(max_per_cycle=1000, max_gpu_share=1)
    known = {"scope_milli": 10**9, "notice_ms": 0, **more}
    return Rules(victims, over * DOLLAR, **known)


def budget_of_disruption(
    name: str = "pdb", *, desired: int, healthy: int, app: str = "", **labels: str
) -> dict[str, Any]:
    """A PodDisruptionBudget, as its status counts."""
    match = {"app": app} if app else labels
    return {
        "metadata": {"name": name, "namespace": "research"},
        "spec": {"selector": {"matchLabels": match}},
        "status": {"desiredHealthy": desired, "currentHealthy": healthy},
    }
