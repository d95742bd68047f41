"""The status of a CostLabelPolicy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from aicost.crd.fields.conditions import Condition
from aicost.crd.models.policy import status as api
from aicost.crd.status.reports import Freshness
from aicost.crd.status.texts import money, percent, share, stored
from aicost.domain.exact.windows import SECOND_MS, to_rfc3339
from aicost.domain.policy.policies import LabelPolicy

_MILLION = 1_000_000
MOST_OFFENDERS = 20
MOST_UNSUPPORTED = 100


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """How far one key has come.

    Attributes:
        by_cost: share of the GPU cost that names it, None where nothing has a cost.
        objects: objects that need it.
        labelled: objects among them that name it.
    """

    key: str
    by_cost: Fraction | None
    objects: int
    labelled: int


@dataclass(frozen=True, slots=True)
class Offence:
    """An object that breaks the policy.

    Attributes:
        owner: who answers for it, empty where nothing says so.
        monthly_nanos: what it costs in a month, None where that cannot be told.
        problems: what is wrong, a clause each.
    """

    namespace: str
    kind: str
    name: str
    problems: tuple[str, ...]
    owner: str = ""
    monthly_nanos: int | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class PolicyAudit:
    """What a look at the objects of the cluster said of one policy.

    Attributes:
        at_ms: when the look ended.
        by_cost: share of the GPU cost that names all required keys, None where nothing has a cost.
        objects: objects in scope.
        labelled: objects among them that have all required keys.
        would_deny: objects that mode Deny would refuse.
        offences: the most expensive first; more than 20 are cut.
        level: maturity level 0 to 3, None where it cannot be assessed.
        stage: how strict the policy is today: crawl, walk or run.
        next_step: for people.
    """

    at_ms: int
    by_cost: Fraction | None
    objects: int
    labelled: int
    keys: tuple[KeyStanding, ...] = ()
    would_deny: int = 0
    offences: tuple[Offence, ...] = ()
    level: int | None = None
    stage: str = ""
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Enforcement:
    """Who judges by a policy at admission.

    Attributes:
        engine: `webhook` or `vap`; empty where nobody does.
        problem: why the engine does not judge now, empty where it does.
        unsupported: field of the spec and why ValidatingAdmissionPolicies cannot express it.
        revision: digest of the policies that are judged by.
    """

    engine: str = ""
    problem: str = ""
    unsupported: tuple[tuple[str, str], ...] = ()
    revision: str = ""


def policy_status(
    policy: LabelPolicy,
    *,
    audit: PolicyAudit | None,
    enforcement: Enforcement | None,
    freshness: Freshness,
    conditions: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The status of a policy.

    Args:
        policy: as it was read.
        audit: the last look at the objects, None where nobody looked yet.
        enforcement: who judges by it, None where nobody looked yet.
        freshness: what is said of its age.
        conditions: as made by `aicost.crd.status.conditions`.
    """
    who = enforcement or Enforcement()
    status = api.CostLabelPolicyStatus(
        observed_generation=freshness.generation,
        conditions=[Condition.model_validate(condition) for condition in conditions],
        keys=len(policy.keys),
        engine_in_use=who.engine or None,
        unsupported_by_vap=_unsupported(who.unsupported) or None,
        revision=who.revision or None,
        **(_audited(audit) if audit else {}),
        updated_at=_time(freshness.now_ms),
    )
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def _audited(audit: PolicyAudit) -> dict[str, Any]:
    return {
        "summary": api.PolicySummary(
            coverage=percent(audit.by_cost), objects=share(audit.labelled, audit.objects), level=_level(audit)
        ),
        "coverage": _coverage(audit),
        "would_deny": audit.would_deny,
        "top_offenders": [_offender(one) for one in audit.offences[:MOST_OFFENDERS]] or None,
        "maturity": api.Maturity(level=audit.level, stage=audit.stage or None, next_step=audit.next_step or None),
        "audited_at": _time(audit.at_ms),
    }


def _level(audit: PolicyAudit) -> str:
    """The level with the stage, as in `1 (walk)`; a level that cannot be assessed is `?`."""
    level = "?" if audit.level is None else str(audit.level)
    return f"{level} ({audit.stage})" if audit.stage else level


def _coverage(audit: PolicyAudit) -> api.PolicyCoverage:
    return api.PolicyCoverage(
        by_cost=percent(audit.by_cost),
        by_cost_ppm=_ppm(audit.by_cost),
        by_objects=share(audit.labelled, audit.objects),
        objects=audit.objects,
        labelled=audit.labelled,
        keys=[_key(one) for one in audit.keys] or None,
    )


def _key(standing: KeyStanding) -> api.KeyCoverage:
    return api.KeyCoverage(
        key=standing.key,
        by_cost=percent(standing.by_cost),
        by_cost_ppm=_ppm(standing.by_cost),
        by_objects=share(standing.labelled, standing.objects),
        objects=standing.objects,
        labelled=standing.labelled,
    )


def _offender(offence: Offence) -> api.Offender:
    nanos = offence.monthly_nanos
    return api.Offender(
        namespace=offence.namespace,
        kind=offence.kind,
        name=offence.name,
        owner=offence.owner or None,
        monthly_cost=None if nanos is None else money(nanos, offence.currency),
        monthly_cost_nanos=None if nanos is None else stored(nanos),
        problems=list(offence.problems[:MOST_OFFENDERS]),
    )


def _unsupported(parts: Sequence[tuple[str, str]]) -> list[api.Unsupported]:
    return [api.Unsupported(field=field, reason=reason) for field, reason in parts[:MOST_UNSUPPORTED]]


def _ppm(ratio: Fraction | None) -> int | None:
    """Parts per million, cut: a share never looks as if it reached a line that it does not reach."""
    return None if ratio is None else ratio.numerator * _MILLION // ratio.denominator


def _time(moment_ms: int) -> str:
    return to_rfc3339(moment_ms - moment_ms % SECOND_MS)
