"""The documents of label coverage and of the inventory: exact integers beside texts for people.

Amounts are integers of nano-units (10^-9) of the currency. `null` means not known, which is not zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aicost.crd.allocations.document import API_VERSION, span_document
from aicost.crd.coverage.resources import COVERAGES, INVENTORIES
from aicost.crd.coverage.texts import amount, fixes, gpus, lacks, object_name, scaling
from aicost.crd.status.texts import gpu_hours, percent
from aicost.domain.coverage.inventory import Inventory, InventoryLine
from aicost.domain.coverage.line import Lever, Line
from aicost.domain.coverage.maturity import Maturity
from aicost.domain.coverage.report import CoverageReport, WouldDeny
from aicost.domain.coverage.spend import ObjectKey
from aicost.domain.coverage.subjects import Subject
from aicost.domain.coverage.values import ValueFinding
from aicost.domain.coverage.weights import KeyCoverage, NamespaceCoverage, Weight
from aicost.domain.exact.windows import to_rfc3339

Document = dict[str, Any]


def coverage_document(reports: Sequence[CoverageReport], namespace: str | None, now_ms: int, rows: int) -> Document:
    """The document of a coverage answer, one report per currency.

    Args:
        reports: at least one, all of one question.
        namespace: the one namespace that was asked about, None for all.
        now_ms: when the answer was made.
        rows: the most objects and values that each list names; beside it stands how many there are.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": COVERAGES.report_kind,
        "generated_at": to_rfc3339(now_ms),
        "namespace": namespace,
        "window": span_document(reports[0].span),
        "reports": [_report(report, rows) for report in reports],
    }


def inventory_document(inventory: Inventory, namespace: str | None, now_ms: int, rows: int) -> Document:
    """The document of an inventory; arguments as of `coverage_document`."""
    return {
        "apiVersion": API_VERSION,
        "kind": INVENTORIES.report_kind,
        "generated_at": to_rfc3339(now_ms),
        "namespace": namespace,
        "window": span_document(inventory.span),
        "covered": span_document(inventory.covered),
        "audited_at": _moment(inventory.audited_ms),
        "workloads": len(inventory.lines),
        "rows": [_line(line) for line in inventory.lines[:rows]],
        "not_assessed": list(inventory.not_assessed),
    }


def weight_document(weight: Weight, currency: str) -> Document:
    """Coverage by cost and by count."""
    known = currency if weight.whole_nanos else ""
    return {
        "by_cost": percent(weight.by_cost),
        "cost": amount(weight.whole_nanos, known),
        "cost_nanos": weight.whole_nanos if known else None,
        "covered_cost_nanos": weight.covered_nanos if known else None,
        "uncovered": amount(weight.whole_nanos - weight.covered_nanos, known),
        "by_objects": percent(weight.by_count),
        "objects": weight.objects,
        "covered_objects": weight.covered,
    }


def _report(report: CoverageReport, rows: int) -> Document:
    money = report.currency
    return {
        "currency": money,
        "covered": span_document(report.covered),
        "audited_at": _moment(report.audited_ms),
        "required_keys": list(report.required),
        "total": weight_document(report.total, money),
        "line": _line_document(report.line, money),
        "lever": _lever(report.lever, money),
        "keys": [_key(key, money) for key in report.keys],
        "namespaces": [_namespace(one, money) for one in report.namespaces],
        "top_spend": {
            "share": "80%",
            "objects_with_cost": report.top.of,
            **weight_document(report.top.weight, money),
        },
        "unlabelled": _listed(len(report.bare), (_subject(one, report) for one in report.bare[:rows])),
        "offenders": _listed(len(report.offenders), (_subject(one, report) for one in report.offenders[:rows])),
        "values": _listed(len(report.values), (_value(one, money) for one in report.values[:rows])),
        "would_deny": _would_deny(report.denied),
        "maturity": _maturity(report.maturity),
        "not_assessed": list(report.not_assessed),
    }


def _listed(count: int, rows: Iterable[Document]) -> Document:
    """The first rows of a list, and how many there are in all."""
    return {"count": count, "rows": list(rows)}


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else to_rfc3339(at_ms)


def _line_document(line: Line | None, currency: str) -> Document | None:
    if line is None:
        return None
    return {
        "target": percent(line.target),
        "reached": line.missing_nanos == 0,
        "missing": amount(line.missing_nanos, currency),
        "missing_nanos": line.missing_nanos,
        "objects_to_label": line.objects,
    }


def _lever(lever: Lever | None, currency: str) -> Document | None:
    if lever is None:
        return None
    return {
        "namespace": lever.namespace,
        "labels": list(lever.labels),
        "gain": amount(lever.gain_nanos, currency),
        "gain_nanos": lever.gain_nanos,
        "coverage_after": percent(lever.after),
    }


def _key(key: KeyCoverage, currency: str) -> Document:
    sources = {source or "pod_label": nanos for source, nanos in key.by_source.items()}
    return {
        "key": key.key,
        "required": key.required,
        **weight_document(key.weight, currency),
        "sources": {
            source: {"cost": amount(nanos, currency), "cost_nanos": nanos} for source, nanos in sources.items()
        },
    }


def _namespace(one: NamespaceCoverage, currency: str) -> Document:
    keys = {key: weight_document(weight, currency) for key, weight in one.keys.items()}
    return {"namespace": one.namespace, **weight_document(one.weight, currency), "keys": keys}


def _object(of: ObjectKey) -> Document:
    namespace, kind, name = of
    return {"namespace": namespace, "object": object_name(kind, name)}


def _subject(one: Subject, report: CoverageReport) -> Document:
    monthly, costs = report.monthly(one.cost_nanos), one.cost_nanos != 0
    return {
        **_object(one.of),
        "owner": one.owner or None,
        "aiworkload": one.workload or None,
        "cost": amount(one.cost_nanos, report.currency) if costs else None,
        "cost_nanos": one.cost_nanos if costs else None,
        "uncovered_cost_nanos": one.uncovered_nanos if costs else None,
        "monthly_cost": amount(monthly, report.currency) if costs else None,
        "monthly_cost_nanos": monthly if costs else None,
        "gpu_hours": gpu_hours(one.gpu_milliseconds) if one.gpu_milliseconds else None,
        "problems": lacks(one),
        "fix": fixes(one.audited),
        "missing": list(one.missing),
    }


def _value(one: ValueFinding, currency: str) -> Document:
    return {
        "key": one.key,
        "value": one.value,
        "finding": one.oddity.value,
        "nearest": one.nearest or None,
        "cost": amount(one.cost_nanos or None, currency),
        "cost_nanos": one.cost_nanos or None,
        "objects": one.objects,
        "where": None if one.where is None else _object(one.where),
    }


def _would_deny(found: WouldDeny | None) -> Document | None:
    if found is None:
        return None
    return {"today": found.now, "in_mode_deny": found.strict, "objects": found.of, "by_problem": dict(found.by_code)}


def _maturity(found: Maturity) -> Document:
    return {
        "level": found.level,
        "stage": found.rollout.value,
        "next_step": found.next_step,
        "criteria": [
            {"level": one.level, "asks": one.name, "met": one.met, "found": one.found} for one in found.criteria
        ],
    }


def _line(line: InventoryLine) -> Document:
    return {
        **_object(line.of),
        "type": line.workload_type or None,
        "model": line.model or None,
        "owner": line.owner or None,
        "product": line.product or None,
        "scaling": scaling(line.scaling, line.pods, line.max_pods),
        "gpus": gpus(line.gpu_milli) if line.there else None,
        "gpu_milli": line.gpu_milli if line.there else None,
        "gpu_hours": gpu_hours(line.gpu_milliseconds) if line.gpu_milliseconds else None,
        "cost": amount(line.cost_nanos, line.currency),
        "cost_nanos": line.cost_nanos,
        "monthly_cost": amount(line.monthly_nanos, line.currency),
        "monthly_cost_nanos": line.monthly_nanos,
        "currency": line.currency or None,
        "aiworkload": line.claim or None,
        "there": line.there,
    }


def check_document(document: object, kind: str) -> Mapping[str, Any]:
    """The document, if it is one of ours.

    Raises:
        ValueError: it is another one; the message says which.
    """
    found = (document.get("apiVersion"), document.get("kind")) if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or found != (API_VERSION, kind):
        raise ValueError(f"the answer is not a {kind} of {API_VERSION}, but {found}")
    return document
