"""An AICostReport or ClusterAICostReport as the domain knows it: a question to the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aicost.crd.convert.parsing import Converted, SpecProblem, parse, zone_problem
from aicost.crd.models.report import AICostReportSpec, ClusterAICostReportSpec, ReportSpec
from aicost.domain.reporting.query import ReportQuery
from aicost.domain.reporting.spans import parse_span

DEFAULT_WINDOW = "month-to-date"


@dataclass(frozen=True, slots=True)
class AskedReport:
    """What an object asks for.

    Attributes:
        window: the span in words, for people.
        limit: rows to show before the rest is summed.
    """

    query: ReportQuery
    window: str
    limit: int


def asked_report(body: Mapping[str, Any], now_ms: int, default_zone: str) -> Converted[AskedReport]:
    """Read a report as the API server shows it. A report in a namespace asks about that namespace alone.

    Args:
        body: the object.
        now_ms: the present, in milliseconds since the epoch.
        default_zone: IANA time zone for reports that name none.
    """
    namespace = str(body["metadata"].get("namespace", ""))
    model: type[AICostReportSpec | ClusterAICostReportSpec] = AICostReportSpec if namespace else ClusterAICostReportSpec
    read = parse(model, body.get("spec") or {}, "spec")
    if read.value is None:
        return Converted(None, read.problems)
    spec = read.value
    zone, window = spec.time_zone or default_zone, _in_words(spec)
    if problem := zone_problem(zone, "spec.timeZone"):
        return Converted(None, (problem,))
    try:
        span = parse_span(window, now_ms, zone)
    except ValueError as refused:
        field = "spec.window" if spec.range is None else "spec.range"
        return Converted(None, (SpecProblem(field, repr(window), str(refused)),))
    query = ReportQuery(
        span=span,
        group_by=tuple(spec.group_by),
        filters=_filters(spec, namespace),
        idle=spec.idle,
        compare=spec.compare,
        time_zone=zone,
    )
    return Converted(AskedReport(query, window, spec.limit))


def _in_words(spec: ReportSpec) -> str:
    """The window expression: what people read, and what the domain resolves."""
    if spec.range is not None:
        return f"{spec.range.from_}/{spec.range.to}"
    return spec.window or DEFAULT_WINDOW


def _filters(spec: ReportSpec, namespace: str) -> dict[str, tuple[str, ...]]:
    asked = {key: tuple(values) for key, values in (spec.filter or {}).items()}
    return {**asked, "namespace": (namespace,)} if namespace else asked
