"""Costs, objects and audits for tests of label coverage: say what matters, the rest is ordinary."""

from dataclasses import replace
from typing import Any

from aicost.domain.coverage.keys import WantedKey
from aicost.domain.coverage.objects import Asked, Audit, AuditedObject, PolicyState, Running
from aicost.domain.coverage.report import CoverageInput, CoverageReport, cover
from aicost.domain.coverage.spend import Spend
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.policy.decisions import Problem, ProblemCode, Verdict
from aicost.domain.policy.policies import Mode
from support.builders import T0

SPAN = Window(T0 - 30 * DAY_MS, T0)
TEAM = WantedKey("team", "aicost.dev/team", ("team",))
CENTER = WantedKey("cost-center", "aicost.dev/cost-center", ("cost-center",))
USD = 1_000_000_000


def spend(
    name: str, cost: int, namespace: str = "a", *, stage: str = "", by: str = "pod_label", **values: str
) -> Spend:
    """What `Deployment/NAME` cost with these values, in whole units of the currency."""
    told = {key.replace("_", "-"): value for key, value in values.items()}
    return Spend(
        (namespace, "Deployment", name), "", stage, told, dict.fromkeys(told, by), cost * USD, cost * 3_600_000
    )


def missing(key: str, policy: str = "labels", mode: Mode = Mode.AUDIT, excused_by: str = "") -> Problem:
    """A problem: the key is missing."""
    text = f"{key} is missing"
    return Problem(ProblemCode.MISSING, policy, key, "", text, mode, fix=f"aicost.dev/{key}: x", excused_by=excused_by)


def seen(name: str, namespace: str = "a", *, lacks: tuple[str, ...] = (), **more: Any) -> AuditedObject:
    """`Deployment/NAME` with GPUs, of which the policy `labels` requires a team and a cost center."""
    values = {key: f"{key}-of-{name}" for key in ("team", "cost-center") if key not in lacks}
    ordinary = AuditedObject(
        "apps/v1",
        "Deployment",
        namespace,
        name,
        Running(wants_gpus=True, gpu_milli=1000, pods=1, max_pods=1),
        values,
        dict.fromkeys(values, "pod_label"),
        {"labels": Asked(("team", "cost-center"), lacks)},
        tuple(map(missing, lacks)),
    )
    return replace(ordinary, **more)


def audit(*objects: AuditedObject, mode: Mode = Mode.AUDIT, **more: Any) -> Audit:
    """An audit by the policy `labels`."""
    keys = (TEAM, CENTER)
    return replace(Audit(T0, "r1", objects, keys, (PolicyState("labels", mode, keys),), ("Deployment",)), **more)


def report(*spends: Spend, **more: Any) -> CoverageReport:
    """A report over 30 days of which all is known."""
    keys = more.pop("keys", (TEAM, CENTER))
    given: dict[str, Any] = {"recent": spends, **more}
    return cover(CoverageInput("USD", SPAN, given.pop("covered", SPAN), keys, spends, **given))


def denied(found: AuditedObject) -> AuditedObject:
    """The same object where the mode refuses it."""
    return replace(found, verdict=Verdict.DENY)
