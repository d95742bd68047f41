"""Objects with what they cost and what they lack: the ledger and the audit put together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.coverage.keys import WantedKey
from aicost.domain.coverage.objects import AuditedObject
from aicost.domain.coverage.spend import ObjectKey, Spend
from aicost.domain.identity.dimensions import Dimension


@dataclass(frozen=True, slots=True)
class Subject:
    """An object.

    Attributes:
        of: namespace, kind and name.
        cost_nanos: what it cost in the span.
        uncovered_nanos: the part of it that lacks a required key.
        gpu_milliseconds: device time that it held.
        missing: required keys that it lacks: today, where an audit saw it, else in any part of its cost.
        bare: whether nobody gave it a value for any key.
        owner: who answers for it: its team, else what its annotations say; empty where nothing does.
        workload: the AIWorkload that speaks for it.
        audited: as the audit found it, None where it was not there or nobody looked.
        values: key -> value of its largest cost, or of today.
    """

    of: ObjectKey
    cost_nanos: int = 0
    uncovered_nanos: int = 0
    gpu_milliseconds: int = 0
    missing: tuple[str, ...] = ()
    bare: bool = True
    owner: str = ""
    workload: str = ""
    audited: AuditedObject | None = None
    values: Mapping[str, str] = field(default_factory=dict)


def join(spends: Sequence[Spend], audited: Sequence[AuditedObject], keys: Sequence[WantedKey]) -> tuple[Subject, ...]:
    """Every object that cost something or is there, the costliest first."""
    paid: defaultdict[ObjectKey, list[Spend]] = defaultdict(list)
    for spend in spends:
        paid[spend.of].append(spend)
    there = {one.of: one for one in audited}
    found = (_subject(of, paid.get(of, ()), there.get(of), keys) for of in paid.keys() | there.keys())
    return tuple(sorted(found, key=lambda one: (-one.cost_nanos, one.of)))


def _subject(
    of: ObjectKey, spends: Sequence[Spend], audited: AuditedObject | None, keys: Sequence[WantedKey]
) -> Subject:
    values = dict(audited.values) if audited else {}
    for spend in sorted(spends, key=lambda one: -one.cost_nanos):
        values = {**spend.values, **values}
    lacked = {key for spend in spends for key in spend.missing(keys)}
    team = values.get(Dimension.TEAM.value, "")
    return Subject(
        of=of,
        cost_nanos=sum(spend.cost_nanos for spend in spends),
        uncovered_nanos=sum(spend.cost_nanos for spend in spends if spend.missing(keys)),
        gpu_milliseconds=sum(spend.gpu_milliseconds for spend in spends),
        missing=audited.missing if audited else tuple(key.key for key in keys if key.key in lacked),
        bare=audited.bare if audited else not any(spend.covers(key) for spend in spends for key in keys),
        owner=team or (audited.owner if audited else ""),
        workload=next((spend.workload for spend in spends if spend.workload), audited.runs.claim if audited else ""),
        audited=audited,
        values=values,
    )
