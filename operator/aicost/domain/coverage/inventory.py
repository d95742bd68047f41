"""Every AI workload: what it is, whose it is, how it scales and what it costs."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from aicost.domain.coverage.keys import WantedKey
from aicost.domain.coverage.objects import Audit, AuditedObject
from aicost.domain.coverage.report import MONTH_MS, month_of
from aicost.domain.coverage.spend import ObjectKey, Spend
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.workloads.shapes import Scaling

_NAMED = (Dimension.TEAM, Dimension.WORKLOAD_TYPE, Dimension.MODEL, Dimension.PRODUCT)
INVENTORY_KEYS = tuple(WantedKey(key.value, f"aicost.dev/{key.value}", (key.value,), required=False) for key in _NAMED)
"""What the ledger is asked about each object."""

_UNSEEN = AuditedObject("", "", "", "")
"""Stands for an object of a kind that nobody looked at."""


@dataclass(frozen=True, slots=True)
class InventoryLine:
    """One AI workload. Texts are empty where nothing says them.

    Attributes:
        workload_type: training, inference ...
        owner: its team, else who answers for it by its annotations.
        scaling: how the number of its pods comes about; None where nobody looked at the object.
        pods, max_pods: pods at the start and at most; 0 where nobody looked.
        gpu_milli: thousandths of GPUs that it asks for at the start; None where that is not known.
        cost_nanos: what it cost in the span; None where it has no cost: it never ran then, or has no price.
        monthly_nanos: the same in 30 days at that pace; None where the span is too short to tell.
        currency: empty where there is no cost.
        claim: the AIWorkload that speaks for it.
        there: whether the object is there now; None where nobody looked.
    """

    of: ObjectKey
    workload_type: str = ""
    model: str = ""
    owner: str = ""
    product: str = ""
    scaling: Scaling | None = None
    pods: int = 0
    max_pods: int = 0
    gpu_milli: int | None = None
    gpu_milliseconds: int = 0
    cost_nanos: int | None = None
    monthly_nanos: int | None = None
    currency: str = ""
    claim: str = ""
    there: bool | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """All AI workloads, the costliest first.

    Attributes:
        audited_ms: when the objects were looked at; None where nobody did: then it holds what cost something.
    """

    span: Window
    covered: Window | None
    audited_ms: int | None
    lines: tuple[InventoryLine, ...]
    not_assessed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paid:
    """What the ledger says of one currency."""

    currency: str
    spends: tuple[Spend, ...]


def take_inventory(
    span: Window, covered: Window | None, paid: Sequence[Paid], audit: Audit | None, unaudited: str = ""
) -> Inventory:
    """List all AI workloads.

    An object with costs in two currencies has a line for each: they are never added.
    """
    there = {one.of: one for one in audit.objects} if audit else {}
    kinds = frozenset(audit.kinds) if audit else frozenset[str]()
    lines = [line for one in paid for line in _paid_lines(one, there, covered, kinds)]
    seen = {line.of for line in lines}
    lines += [_unpaid(one) for of, one in there.items() if of not in seen and one.runs.is_ai]
    lines.sort(key=lambda line: (-(line.cost_nanos or 0), line.of))
    left_out = _not_assessed(covered, audit, unaudited)
    return Inventory(span, covered, audit.at_ms if audit else None, tuple(lines), tuple(left_out))


def _paid_lines(
    paid: Paid, there: Mapping[ObjectKey, AuditedObject], covered: Window | None, kinds: frozenset[str]
) -> Iterator[InventoryLine]:
    by_object: defaultdict[ObjectKey, list[Spend]] = defaultdict(list)
    for spend in paid.spends:
        by_object[spend.of].append(spend)
    for of, spends in by_object.items():
        found = there.get(of) or (None if of[1] in kinds else _UNSEEN)
        yield _paid_line(of, spends, paid.currency, found, month_of(covered))


def _paid_line(
    of: ObjectKey, spends: Sequence[Spend], currency: str, found: AuditedObject | None, month_ms: int | None
) -> InventoryLine:
    """The line of an object with a cost; `found` is None where it was looked for and is gone."""
    said: dict[str, str] = {}
    for spend in sorted(spends, key=lambda one: -one.gpu_milliseconds):
        said = {**spend.values, **said}
    cost, held = sum(spend.cost_nanos for spend in spends), sum(spend.gpu_milliseconds for spend in spends)
    priced = bool(currency) and sum(spend.unpriced_gpu_milliseconds for spend in spends) < max(held, 1)
    line = _unpaid(found) if found else InventoryLine(of, there=False)
    return replace(
        line,
        of=of,
        workload_type=said.get(Dimension.WORKLOAD_TYPE, line.workload_type),
        model=said.get(Dimension.MODEL, line.model),
        owner=said.get(Dimension.TEAM, line.owner),
        product=said.get(Dimension.PRODUCT, line.product),
        gpu_milliseconds=held,
        cost_nanos=cost if priced else None,
        monthly_nanos=divide(cost * MONTH_MS, month_ms) if priced and month_ms else None,
        currency=currency if priced else "",
        claim=next((spend.workload for spend in spends if spend.workload), line.claim),
    )


def _unpaid(found: AuditedObject) -> InventoryLine:
    """What an audit alone says; nothing where nobody looked."""
    if found is _UNSEEN:
        return InventoryLine(found.of)
    runs, values = found.runs, found.values
    return InventoryLine(
        of=found.of,
        workload_type=values.get(Dimension.WORKLOAD_TYPE, runs.workload_type),
        model=values.get(Dimension.MODEL, runs.model),
        owner=values.get(Dimension.TEAM, found.owner),
        product=values.get(Dimension.PRODUCT, runs.product),
        scaling=runs.scaling,
        pods=runs.pods,
        max_pods=runs.max_pods,
        gpu_milli=runs.gpu_milli,
        claim=runs.claim,
        there=True,
    )


def _not_assessed(covered: Window | None, audit: Audit | None, unaudited: str) -> Iterator[str]:
    if audit is None:
        yield f"objects without any cost, and how objects scale: {unaudited or 'nobody looked at the objects'}"
    else:
        yield from (f"objects of a kind: {reason}" for reason in audit.unread)
    if month_of(covered) is None:
        yield "monthly cost: less than a day of cost is known"
