"""Unit costs as the API server's clients know answers: a list of objects, and a Table."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from aicost.crd.allocations.document import API_VERSION
from aicost.crd.status.texts import money, percent, unit_price
from aicost.crd.tables import column_definitions
from aicost.crd.unitcosts.resource import UNIT_COSTS
from aicost.domain.exact.windows import to_rfc3339
from aicost.usecases.economics.cost_units import UnitLine, UnitReport

_COLUMNS = (
    ("GROUP", "keys", False),
    ("SERVES", "models", False),
    ("COST", "cost", False),
    ("IN/M", "input", False),
    ("CACHED/M", "cached", False),
    ("OUT/M", "output", False),
    ("PER-REQUEST", "per_request", False),
    ("PER-SUCCESS", "per_success", False),
    ("WASTE", "waste", False),
    ("IDLE", "idle", False),
    ("ACTIVE-OUT/M", "active", True),
    ("USEFUL-OUT/M", "useful", True),
    ("SUCCESS-BY", "success_by", True),
    ("BY", "method", True),
    ("CONFIDENCE", "confidence", True),
)
"""Title, source in the row, and whether only `-o wide` shows it."""
_ABSENT = "-"


def units_list(report: UnitReport, keys: Sequence[str]) -> dict[str, Any]:
    """A list of objects, the dearest first."""
    return {
        "kind": UNIT_COSTS.list_kind,
        "apiVersion": API_VERSION,
        "metadata": {"resourceVersion": ""},
        "restsOn": None if report.rests_on is None else {
            "from": to_rfc3339(report.rests_on.start_ms), "to": to_rfc3339(report.rests_on.end_ms),
        },
        "items": [_item(number, line, keys) for number, line in enumerate(report.lines, 1)],
    }  # fmt: skip


def units_table(report: UnitReport, keys: Sequence[str]) -> dict[str, Any]:
    """A Table for `kubectl get`."""
    about = {field.source: field.description for field in UNIT_COSTS.fields}
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": ""},
        "columnDefinitions": column_definitions(_COLUMNS, about),
        "rows": [_row(number, line, keys) for number, line in enumerate(report.lines, 1)],
    }


def _facts(line: UnitLine, keys: Sequence[str]) -> dict[str, Any]:
    costs, currency = line.costs, line.costs.spent.currency
    spent = costs.spent
    idle = Fraction(spent.idle_nanos, spent.cost_nanos) if spent.idle_nanos is not None and spent.cost_nanos else None

    def price(nanos: Fraction | None) -> str | None:
        return None if nanos is None else unit_price(nanos, currency)

    return {
        "keys": dict(zip(keys, line.keys, strict=True)),
        "models": ", ".join(line.models) or None,
        "cost": money(spent.cost_nanos, currency),
        "cost_nanos": spent.cost_nanos,
        "input": price(costs.input.full if costs.input else None),
        "cached": price(costs.cached.full if costs.cached else None),
        "output": price(costs.output.full if costs.output else None),
        "active": price(costs.output.active if costs.output else None),
        "useful": price(costs.useful),
        "per_request": price(costs.per_request),
        "per_success": price(costs.per_success),
        "success_by": line.success_by.value,
        "waste": percent(costs.waste),
        "idle": percent(idle),
        "method": costs.phases.method.value if costs.phases else None,
        "confidence": costs.phases.confidence if costs.phases else None,
        "discovered": line.discovered,
    }


def _named(number: int, line: UnitLine, keys: Sequence[str]) -> dict[str, str]:
    """A name made of the group; its number tells groups apart that are spelt alike."""
    told = dict(zip(keys, line.keys, strict=True))
    namespace = told.pop("namespace", "")
    text = "-".join(value for value in told.values() if value) or namespace or "all"
    name = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:240] or "all"
    return {"name": f"{name}-{number}", **({"namespace": namespace} if namespace else {})}


def _item(number: int, line: UnitLine, keys: Sequence[str]) -> dict[str, Any]:
    facts = _facts(line, keys)
    told = {field.name: facts[field.source] for field in UNIT_COSTS.fields if facts[field.source] is not None}
    return {
        "kind": UNIT_COSTS.kind, "apiVersion": API_VERSION, "metadata": _named(number, line, keys), **told,
    }  # fmt: skip


def _row(number: int, line: UnitLine, keys: Sequence[str]) -> dict[str, Any]:
    facts = {**_facts(line, keys), "keys": "/".join(line.keys)}
    partial = {
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": _named(number, line, keys),
    }  # fmt: skip
    return {"cells": [str(facts[source] or _ABSENT) for _, source, _ in _COLUMNS], "object": partial}
