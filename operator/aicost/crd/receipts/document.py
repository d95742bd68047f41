"""The receipt as JSON: exact integers beside texts for people.

Amounts are integers of nano-units (10^-9) of the currency, times are integers of milliseconds; `null` means not known,
which is not zero. Exact fractions of nano-units are texts such as `7470000001/3`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aicost.crd.receipts.tracing import trace_document
from aicost.crd.status.texts import UNPRICED, money
from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.ledger.erasing import is_erased
from aicost.domain.ledger.rows import Component, Row
from aicost.domain.receipts.comparing import Sums, Unequal
from aicost.domain.receipts.receipt import Basis, Posted, Receipt, WindowReceipt

API_VERSION = "query.aicost.dev/v1alpha1"
KIND = "CostReceipt"
EQUAL, DIFFERS, PARTLY, NOT_REPLAYED, PROVISIONAL = "equal", "differs", "partly", "not replayed", "provisional"
"""What `replayed` may say: of a window all but `partly`."""


def receipt_document(receipt: Receipt, now_ms: int) -> dict[str, Any]:
    """The document of a receipt.

    Args:
        receipt: the receipt.
        now_ms: when it was made.
    """
    subject = receipt.subject
    rows = [row for one in (*receipt.windows, *receipt.open) for row in one.rows]
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "generated_at": to_rfc3339(now_ms),
        "subject": {"kind": subject.kind.value, "namespace": subject.namespace, "name": subject.name},
        "cluster": receipt.cluster,
        "window": span_document(receipt.span),
        "replayed": verdict(receipt),
        "totals": totals(rows),
        "holders": _holders(rows),
        "windows": [window_document(one) for one in (*receipt.windows, *receipt.open)],
    }


def verdict(receipt: Receipt) -> str:
    """What came of computing it again, over all closed windows."""
    if not receipt.windows:
        return PROVISIONAL
    if receipt.differs:
        return DIFFERS
    missing = len(receipt.not_replayed)
    if missing:
        return NOT_REPLAYED if missing == len(receipt.windows) else PARTLY
    return EQUAL


def window_document(one: WindowReceipt) -> dict[str, Any]:
    """One window of a receipt."""
    return {
        **span_document(one.window),
        "revision": one.revision,
        "replayed": _verdict_of(one),
        "not_replayed": one.not_replayed or None,
        "altered": one.altered or None,
        "customer_erased": any(map(is_erased, one.rows)),
        "differences": [_unequal(each) for each in one.unequal],
        "revisions": [_posted(each) for each in one.posted],
        "basis": None if one.basis is None else _basis(one.basis),
        "totals": totals(one.rows),
        "rows": [_row(row) for row in sorted(one.rows, key=_order)],
        "detail": None if one.trace is None else trace_document(one.trace),
    }


def span_document(span: Window) -> dict[str, str]:
    """A span of time."""
    return {"from": to_rfc3339(span.start_ms), "to": to_rfc3339(span.end_ms)}


def totals(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Sums by currency, what has no price as the last."""
    cost: Counter[str] = Counter()
    time: Counter[str] = Counter()
    measured: Counter[str] = Counter()
    for row in rows:
        cost[row.currency] += row.cost_nanos or 0
        time[row.currency] += row.gpu_milliseconds
        measured[row.currency] += row.measured_milliseconds
    return [
        {
            "currency": currency or None,
            "cost": money(cost[currency], currency) if currency else UNPRICED,
            "cost_nanos": cost[currency] if currency else None,
            "gpu_milliseconds": time[currency],
            "measured_milliseconds": measured[currency],
        }
        for currency in sorted(cost, key=lambda name: (not name, name))
    ]


def _verdict_of(one: WindowReceipt) -> str:
    if one.revision is None:
        return PROVISIONAL
    if one.differs:
        return DIFFERS
    return NOT_REPLAYED if one.not_replayed else EQUAL


def _order(row: Row) -> tuple[Any, ...]:
    components = list(Component)
    place, holder = row.place, row.holder
    return (
        components.index(row.component),
        place.node,
        place.device,
        holder.namespace,
        holder.pod,
        row.bucket,
        row.price,
    )


def _row(row: Row) -> dict[str, Any]:
    place, holder = row.place, row.holder
    return {
        "component": row.component.value,
        "node": place.node,
        "device": place.device,
        "gpu_model": place.gpu_model,
        "namespace": holder.namespace,
        "pod": holder.pod,
        "bucket": row.bucket.value,
        "method": row.method.value,
        "quality": row.quality.value,
        "signal": row.signal,
        "price": row.price or None,
        "list_price": row.list_price,
        "currency": row.currency or None,
        "cost_nanos": row.cost_nanos,
        "gpu_milliseconds": row.gpu_milliseconds,
        "measured_milliseconds": row.measured_milliseconds,
        "quantity": row.quantity,
        "error_nanos": row.error_nanos,
        "flags": list(row.flags),
    }


def _unequal(each: Unequal) -> dict[str, Any]:
    row = each.row
    return {
        "component": row.component.value,
        "node": row.place.node,
        "device": row.place.device,
        "namespace": row.holder.namespace,
        "pod": row.holder.pod,
        "bucket": row.bucket.value,
        "price": row.price or None,
        "currency": row.currency or None,
        "stored": _sums(each.stored, priced=row.cost_nanos is not None),
        "recomputed": _sums(each.recomputed, priced=row.cost_nanos is not None),
    }


def _sums(sums: Sums, *, priced: bool) -> dict[str, int | None]:
    return {
        "cost_nanos": sums.cost_nanos if priced else None,
        "gpu_milliseconds": sums.gpu_milliseconds,
        "measured_milliseconds": sums.measured_milliseconds,
        "quantity": sums.quantity,
    }


def _posted(each: Posted) -> dict[str, Any]:
    return {
        "revision": each.revision,
        "reason": each.reason or None,
        "rows": each.rows,
        "cost_nanos": dict(each.cost_nanos),
        "with_inputs": each.with_inputs,
    }


def _basis(basis: Basis) -> dict[str, Any]:
    return {"revisions": dict(basis.revisions), "software": list(basis.software), "samples": basis.samples}


def _holders(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Who held it and who pays, as the ledger says it now, each once."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.holder.namespace:
            document = _holder(row)
            found.setdefault(repr(document), document)
    return sorted(found.values(), key=lambda one: (one["namespace"], one["pod"], one["pod_uid"]))


def _holder(row: Row) -> dict[str, Any]:
    holder = row.holder
    return {
        "namespace": holder.namespace,
        "pod": holder.pod,
        "pod_uid": holder.pod_uid,
        "controller": f"{holder.controller_kind}/{holder.controller}" if holder.controller else None,
        "workload": holder.workload or None,
        "dimensions": {name: _dimension(holder.provenance, name, value) for name, value in holder.dimensions.items()},
    }


def _dimension(provenance: Mapping[str, str], name: str, value: str) -> dict[str, str]:
    source, _, origin = provenance.get(name, "").partition(" ")
    return {"value": value, "source": source.replace("_", " "), "origin": origin}
