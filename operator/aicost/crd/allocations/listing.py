"""Reports as the API server's clients know answers: a list of objects, or a Table for `kubectl get`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aicost.crd.allocations.document import API_VERSION, row_document, span_document, total_document
from aicost.crd.allocations.parameters import KIND
from aicost.crd.allocations.view import FigureColumn, ViewRow, columns_of, key_title, view
from aicost.domain.reporting.query import Report
from aicost.domain.reporting.question import NAMESPACE

LIST_KIND = f"{KIND}List"
_OTHER_NAME = "other"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an Allocation: its name there, in the report document, its JSON type, and what it means."""

    name: str
    source: str
    type: str
    description: str


FIELDS = (
    Field("keys", "keys", "object", "Group key -> value of this allocation; empty for the row that sums many."),
    Field("mergedRows", "merged_rows", "integer", "How many rows this one sums; 0 for all but the last."),
    Field("currency", "", "string", "ISO 4217 code of all amounts."),
    Field("cost", "cost", "string", "Cost for people; `unpriced` where no part of it has a price."),
    Field("costNanos", "cost_nanos", "integer", "Cost in nano-units (10^-9) of the currency; absent if not known."),
    Field("share", "share", "string", "Share of the total."),
    Field("sharedIdleNanos", "shared_idle_nanos", "integer", "The part of the cost that the idle policy put here."),
    Field("previousCostNanos", "previous_cost_nanos", "integer", "Cost in the span before; absent if not known."),
    Field("adjustedNanos", "adjusted_nanos", "integer", "The part that corrections make; absent if not asked."),
    Field("change", "change", "string", "Change of the cost against the span before."),
    Field("gpuHours", "gpu_hours", "string", "GPU-hours, priced or not."),
    Field("gpuMilliseconds", "gpu_milliseconds", "integer", "Device time in milliseconds, priced or not."),
    Field("measuredGpuMilliseconds", "measured_gpu_milliseconds", "integer", "Device time with samples behind it."),
    Field("unpricedGpuMilliseconds", "unpriced_gpu_milliseconds", "integer", "Device time without a price."),
    Field("utilisation", "utilisation", "string", "GPU time in use over GPU time held and measured."),
    Field("idleShare", "idle_share", "string", "Device time that was idle over all device time."),
    Field("errorNanos", "error_nanos", "integer", "Half-width of the 95 % error bar; absent if not known."),
    Field("provisionalNanos", "provisional_nanos", "integer", "The part of the cost that may still change."),
    Field("listPriceNanos", "list_price_nanos", "integer", "The part of the cost that rests on list prices."),
    Field("buckets", "buckets", "object", "Bucket -> cost in nano-units and device time in milliseconds."),
)


def list_document(reports: Sequence[Report], namespace: str | None) -> dict[str, Any]:
    """An AllocationList: an item per row, and beside them what no row carries, and the totals."""
    return {
        "kind": LIST_KIND,
        "apiVersion": API_VERSION,
        "metadata": {"resourceVersion": ""},
        "window": span_document(reports[0].query.span),
        "items": [item for report in reports for item in _items(report, namespace)],
        "idle": [_figures(report, total_document(report.idle)) for report in reports],
        "totals": [_figures(report, total_document(report.total)) for report in reports],
    }


def table_document(reports: Sequence[Report], namespace: str | None) -> dict[str, Any]:
    """A Table: a row per line, per bucket that no line carries, and for the total of each currency."""
    columns = columns_of(reports)
    shown = _shown_keys(reports[0].query.group_by, namespace)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": ""},
        "columnDefinitions": [*_key_columns(shown), *map(_figure_column, columns)],
        "rows": [row for report in reports for row in _rows(report, columns, shown, namespace)],
    }


def _items(report: Report, namespace: str | None) -> Iterator[dict[str, Any]]:
    for line in report.lines:
        row = row_document(report, line)
        values = tuple(row["keys"].values()) or (_OTHER_NAME,)
        meta = _metadata(values, row["keys"].get(NAMESPACE) or namespace)
        yield {"kind": KIND, "apiVersion": API_VERSION, "metadata": meta, **_figures(report, row)}


def _figures(report: Report, document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that have a value, under the names of the Kubernetes API."""
    values: dict[str, Any] = {"currency": report.currency or None}
    values |= {field.name: document.get(field.source) for field in FIELDS if field.source}
    named = {field.name: values[field.name] for field in FIELDS if values[field.name] is not None}
    if "buckets" in named:
        named["buckets"] = {bucket: _bucket(entry) for bucket, entry in named["buckets"].items()}
    return named


def _bucket(entry: Mapping[str, int | None]) -> dict[str, int]:
    figures = {"costNanos": entry["cost_nanos"], "gpuMilliseconds": entry["gpu_milliseconds"]}
    return {name: figure for name, figure in figures.items() if figure is not None}


def _metadata(values: Sequence[str], namespace: str | None) -> dict[str, str]:
    """A name made of the group's values, as far as a name can hold them."""
    name = re.sub(r"[^a-z0-9.]+", "-", "-".join(values).lower()).strip("-.")[:253]
    return {"name": name or "none", **({"namespace": namespace} if namespace else {})}


def _shown_keys(group_by: Sequence[str], namespace: str | None) -> list[str]:
    """The keys that get a column: kubectl shows the namespace of objects of all namespaces itself."""
    others = [key for key in group_by if key != NAMESPACE]
    return others if namespace is None and others else list(group_by)


def _key_columns(keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    for number, key in enumerate(keys):
        form = "" if number else "name"
        yield {
            "name": key_title(key),
            "type": "string",
            "format": form,
            "description": f"Value of {key}",
            "priority": 0,
        }


def _figure_column(column: FigureColumn) -> dict[str, Any]:
    priority = 1 if column.wide else 0
    return {
        "name": column.title,
        "type": "string",
        "format": "",
        "description": column.description,
        "priority": priority,
    }


def _rows(
    report: Report, columns: tuple[FigureColumn, ...], shown: Sequence[str], namespace: str | None
) -> Iterator[dict[str, Any]]:
    seen = view(report, columns)
    for row in (*seen.lines, *seen.idle, seen.total):
        own = _own_keys(report, row)
        keys = [own.get(key, "") for key in shown] if own else [row.keys[0], *("" for _ in shown[1:])]
        meta = _metadata(list(own.values()) or [row.keys[0]], own.get(NAMESPACE) or namespace)
        partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta}
        yield {"cells": [*keys, *row.cells], "object": partial}


def _own_keys(report: Report, row: ViewRow) -> dict[str, str]:
    """The values of a line's own group; none for the rows that sum up."""
    if row.line is None or row.line.merged:
        return {}
    return dict(zip(report.query.group_by, row.keys, strict=True))
