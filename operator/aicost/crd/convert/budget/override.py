"""A BudgetOverride as the domain knows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aicost.crd.convert.parsing import Converted, parse
from aicost.crd.fields.text import moment_ms
from aicost.crd.models.budget.override import BudgetOverrideSpec
from aicost.crd.models.budget.refs import BudgetKind
from aicost.domain.budgets.overrides.values import Decided, Override, Phase
from aicost.domain.exact.amounts import parse_nanos
from aicost.domain.exact.windows import from_rfc3339


@dataclass(frozen=True, slots=True)
class AskedFor:
    """A request, and the budget that it is for.

    Attributes:
        budget: namespace and name; a ClusterBudget has no namespace.
    """

    override: Override
    budget: tuple[str, str]


def read_override(body: Mapping[str, Any]) -> Converted[AskedFor]:
    """Read a request as the API server shows it."""
    read = parse(BudgetOverrideSpec, body.get("spec") or {}, "spec")
    if read.value is None:
        return Converted(None, read.problems)
    metadata, spec = body["metadata"], read.value
    namespace = str(metadata.get("namespace", ""))
    decided = spec.decision
    override = Override(
        namespace=namespace,
        name=str(metadata["name"]),
        uid=str(metadata.get("uid", "")),
        purpose=spec.purpose,
        requested_by=spec.requested_by,
        created_ms=_moment(metadata.get("creationTimestamp")) or 0,
        reason=spec.reason,
        nanos=None if spec.amount is None else parse_nanos(spec.amount),
        percent=spec.percent,
        until_ms=None if spec.valid_until is None else moment_ms(spec.valid_until),
        decided=Decided(decided.state, decided.class_, decided.by, decided.comment or "") if decided else None,
        active_ms=_moment((body.get("status") or {}).get("activeSince")),
        reviewed_by=spec.review.by if spec.review else "",
        lapsed=_lapsed(body.get("status") or {}),
    )
    place = namespace if spec.budget_ref.kind is BudgetKind.BUDGET else ""
    return Converted(AskedFor(override, (place, spec.budget_ref.name)))


def _lapsed(status: Mapping[str, Any]) -> bool:
    return status.get("phase") == Phase.EXPIRED.value and not status.get("activeSince")


def _moment(text: Any) -> int | None:
    try:
        return from_rfc3339(text) if isinstance(text, str) else None
    except ValueError:
        return None
