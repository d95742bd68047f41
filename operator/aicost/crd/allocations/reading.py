"""Reads a report document back, exactly: `read_reports(report_document(reports, now_ms))` gives the same reports."""

from collections.abc import Mapping
from typing import Any

from aicost.crd.allocations.document import API_VERSION, KIND
from aicost.domain.exact.windows import Window, from_rfc3339
from aicost.domain.ledger.rows import Bucket, Component
from aicost.domain.reporting.ordering import OTHER
from aicost.domain.reporting.query import Amounts, IdlePolicy, Report, ReportLine, ReportQuery
from aicost.ports.errors import InvalidAnswer

Document = Mapping[str, Any]


def read_reports(document: Any) -> tuple[Report, ...]:
    """The reports of a document.

    Raises:
        InvalidAnswer: it is none, or one of another version.
    """
    found = (document.get("apiVersion"), document.get("kind")) if isinstance(document, dict) else None
    if found != (API_VERSION, KIND):
        raise InvalidAnswer(
            f"the answer is not an {KIND} of {API_VERSION}, but {found}: use an aicost of the server's version"
        )
    try:
        query = _query(document)
        return tuple(_report(query, one) for one in document["reports"])
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise InvalidAnswer(f"the report document is not what it should be: {problem!r}") from problem


def _query(document: Document) -> ReportQuery:
    return ReportQuery(
        span=_span(document["window"]),
        group_by=tuple(document["group_by"]),
        filters={key: tuple(values) for key, values in document["filters"].items()},
        idle=IdlePolicy(document["idle_policy"]),
        compare=document["previous_window"] is not None,
        time_zone=document["time_zone"],
        adjusted=any(one["total"].get("adjusted_nanos") is not None for one in document["reports"]),
    )


def _report(query: ReportQuery, one: Document) -> Report:
    currency = one["currency"]
    return Report(
        query=query,
        currency=currency,
        lines=tuple(_line(query, currency, row) for row in one["rows"]),
        idle=_amounts(currency, one["idle"]),
        total=_amounts(currency, one["total"]),
        previous_total_nanos=one["total"]["previous_cost_nanos"],
        adjusted_nanos=one["total"].get("adjusted_nanos"),
        prorated=one["prorated"],
        covered=None if one["covered"] is None else _span(one["covered"]),
        not_covered=tuple(one["not_covered"]),
        partly_covered=tuple(one.get("partly_covered", ())),
    )


def _line(query: ReportQuery, currency: str, row: Document) -> ReportLine:
    merged = (OTHER, *("" for _ in query.group_by[1:]))
    return ReportLine(
        keys=merged if row["merged_rows"] else tuple(row["keys"][key] for key in query.group_by),
        amounts=_amounts(currency, row),
        shared_nanos=row["shared_idle_nanos"],
        previous_nanos=row["previous_cost_nanos"],
        merged=row["merged_rows"],
        adjusted_nanos=row.get("adjusted_nanos"),
    )


def _amounts(currency: str, figures: Document) -> Amounts:
    components: Mapping[str, Any] = figures.get("components", {})
    buckets = {Bucket(name).value: entry for name, entry in figures["buckets"].items()}
    return Amounts(
        currency=currency,
        buckets={name: nanos for name, entry in buckets.items() if (nanos := entry["cost_nanos"])},
        gpu_milliseconds={name: time for name, entry in buckets.items() if (time := entry["gpu_milliseconds"])},
        unpriced_gpu_milliseconds=figures["unpriced_gpu_milliseconds"],
        measured_milliseconds=figures["measured_gpu_milliseconds"],
        error_nanos=figures["error_nanos"],
        provisional_nanos=figures["provisional_nanos"],
        list_price_nanos=figures["list_price_nanos"],
        tagged_nanos=dict(figures["tagged_nanos"]),
        gpu_held_nanos=figures.get("gpu_held_nanos"),
        components=_parts(components, "cost_nanos"),
        quantities=_parts(components, "quantity"),
        unpriced_quantities=_parts(components, "unpriced_quantity"),
    )


def _parts(components: Mapping[str, Any], what: str) -> dict[str, int]:
    return {Component(name).value: amount for name, entry in components.items() if (amount := entry[what])}


def _span(document: Document) -> Window:
    return Window(from_rfc3339(document["from"]), from_rfc3339(document["to"]))
