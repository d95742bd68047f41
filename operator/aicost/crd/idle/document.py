"""The document of idle money: exact integers beside texts for people."""

from collections import defaultdict
from typing import Any

from aicost.crd.allocations.document import API_VERSION, span_document
from aicost.crd.idle.resource import IDLES
from aicost.crd.status.texts import gpu_hours, money
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, to_rfc3339
from aicost.domain.idle.kinds import ADVICE
from aicost.domain.idle.values import IdleLine, IdleReport

Document = dict[str, Any]
_GIB = 1 << 30


def idle_document(report: IdleReport, namespace: str | None, now_ms: int, rows: int) -> Document:
    """The document.

    Args:
        report: what was found.
        namespace: the one namespace that was asked about, None for all.
        now_ms: when the answer was made.
        rows: the most lines that it names; beside them stands how many there are.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": IDLES.report_kind,
        "generated_at": to_rfc3339(now_ms),
        "namespace": namespace,
        "window": span_document(report.span),
        "covered_milliseconds": report.covered_ms,
        "kinds": _kinds(report),
        "lines": len(report.lines),
        "rows": [_line(one, report.covered_ms) for one in report.lines[:rows]],
        "totals": [_total(report, currency) for currency in sorted(_currencies(report))],
        "notes": list(report.notes),
    }


def _currencies(report: IdleReport) -> set[str]:
    return {line.key.currency for line in report.lines} | set(report.total_nanos)


def _kinds(report: IdleReport) -> list[Document]:
    """Sums by kind and currency; of all lines, also of those that are not named."""
    found: dict[tuple[str, str], list[IdleLine]] = defaultdict(list)
    for line in report.lines:
        found[line.key.kind.value, line.key.currency].append(line)
    advice = {kind.value: one for kind, one in ADVICE.items()}
    return [
        {
            "kind": kind,
            "currency": currency or None,
            **_amounts(sum(one.cost_nanos for one in lines), currency, report.covered_ms),
            "gpu_milliseconds": sum(one.gpu_milliseconds for one in lines),
            "gpu_hours": gpu_hours(sum(one.gpu_milliseconds for one in lines)),
            "fix": advice[kind].fix,
        }
        for (kind, currency), lines in found.items()
    ]


def _total(report: IdleReport, currency: str) -> Document:
    mine = [line for line in report.lines if line.key.currency == currency]
    whole, unmeasured = report.total_nanos.get(currency), report.unmeasured_nanos.get(currency)
    return {
        "currency": currency or None,
        **_amounts(sum(line.cost_nanos for line in mine), currency, report.covered_ms),
        "gpu_cost": _money(whole, currency),
        "gpu_cost_nanos": whole,
        "unmeasured": _money(unmeasured, currency),
        "unmeasured_nanos": unmeasured,
    }


def _amounts(nanos: int, currency: str, covered_ms: int) -> Document:
    """An amount, and what it is in a day; none without a currency: nothing of it has a price."""
    known = nanos if currency else None
    per_day = nanos * DAY_MS // covered_ms if currency and covered_ms else None
    return {
        "cost": _money(known, currency),
        "cost_nanos": known,
        "per_day": _money(per_day, currency),
        "per_day_nanos": per_day,
    }


def _money(nanos: int | None, currency: str) -> str | None:
    return None if nanos is None or not currency else money(nanos, currency)


def _line(line: IdleLine, covered_ms: int) -> Document:
    key, replicas = line.key, line.replica_milliseconds
    return {
        "kind": key.kind.value,
        "phase": key.phase.value or None,
        "owner": key.owner,
        "namespace": key.namespace or None,
        "workload": key.workload or None,
        "pod": key.pod or None,
        "model": key.model or None,
        "gpu_model": key.gpu_model or None,
        "currency": key.currency or None,
        **_amounts(line.cost_nanos, key.currency, covered_ms),
        "gpu_milliseconds": line.gpu_milliseconds,
        "gpu_hours": gpu_hours(line.gpu_milliseconds),
        "unpriced_milliseconds": line.unpriced_milliseconds,
        "replica_seconds": replicas // 1000 if replicas else None,
        "replica_hours": f"{replicas / HOUR_MS:.2f}" if replicas else None,
        "memory_bytes": line.memory_bytes or None,
        "memory": f"{line.memory_bytes / _GIB:.1f} GiB" if line.memory_bytes else None,
        "fix": ADVICE[key.kind].fix,
    }
