"""An AICostReport or ClusterAICostReport as the domain knows it: a question to the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from aicost.crd.convert.parsing import Converted, SpecProblem, parse
from aicost.crd.convert.windows import window_span
from aicost.crd.fields.text import moment_ms
from aicost.crd.models.report import AICostReportSpec, ClusterAICostReportSpec, ReportSpec
from aicost.domain.exact.windows import Window
from aicost.domain.reporting.query import ReportQuery

DEFAULT_WINDOW = "month-to-date"


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What an object asks for.

    Attributes:
        window: the span in words, for people.
        zone: IANA time zone that the span was resolved in.
        limit: rows to show before the rest is summed.
    """

    query: ReportQuery
    window: str
    zone: str
    limit: int


def report_request(body: Mapping[str, Any], now_ms: int, default_zone: str) -> Converted[ReportRequest]:
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
    zone = spec.time_zone or default_zone
    try:
        span = _span(spec, now_ms, ZoneInfo(zone))
    except (KeyError, ValueError, OSError):  # the ways in which zoneinfo says that it has no such zone
        fix = "is no time zone known here: write an IANA name such as Europe/Berlin or UTC"
        return Converted(None, (SpecProblem("spec.timeZone", repr(zone), fix),))
    query = ReportQuery(
        span=span,
        group_by=tuple(spec.group_by),
        filters=_filters(spec, namespace),
        idle=spec.idle,
        compare=spec.compare,
    )
    return Converted(ReportRequest(query, _in_words(spec), zone, spec.limit))


def _span(spec: ReportSpec, now_ms: int, zone: ZoneInfo) -> Window:
    if spec.range is not None:
        return Window(moment_ms(spec.range.from_), moment_ms(spec.range.to))
    return window_span(spec.window or DEFAULT_WINDOW, now_ms, zone)


def _in_words(spec: ReportSpec) -> str:
    if spec.range is not None:
        return f"{spec.range.from_}/{spec.range.to}"
    return spec.window or DEFAULT_WINDOW


def _filters(spec: ReportSpec, namespace: str) -> dict[str, tuple[str, ...]]:
    asked = {key: tuple(values) for key, values in (spec.filter or {}).items()}
    return {**asked, "namespace": (namespace,)} if namespace else asked
