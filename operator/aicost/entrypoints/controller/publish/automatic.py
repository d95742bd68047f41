"""The reports that are kept without anybody asking: one per namespace with AI cost, three for the cluster."""

from collections.abc import Collection, Mapping
from typing import Any

from aicost.bootstrap import Application
from aicost.domain.reporting.query import ReportQuery
from aicost.domain.reporting.ratios import gpu_time
from aicost.domain.reporting.spans import parse_span
from aicost.entrypoints.controller.registry import Key
from aicost.entrypoints.controller.resources import GROUP, VERSION
from aicost.usecases.build_report import build_reports

MONTH = "month-to-date"
CLUSTER_KEYS = ("namespace", "team", "model")
MARK = {"app.kubernetes.io/managed-by": "aicost"}


def missing_reports(
    app: Application, there: Collection[Key], namespaces: Collection[str], now_ms: int
) -> list[Mapping[str, Any]]:
    """Reports that should be there and are not.

    Args:
        app: the use cases.
        there: our objects.
        namespaces: namespaces that are there now; those that had cost this month and are gone get no report.
        now_ms: the present.
    """
    wanted = [_cluster_report(app, key) for key in CLUSTER_KEYS]
    costly = namespaces_with_cost(app, now_ms)
    wanted += [_namespace_report(app, namespace) for namespace in costly if namespace in namespaces]
    return [body for body in wanted if Key.of(body) not in there]


def namespaces_with_cost(app: Application, now_ms: int) -> list[str]:
    """Namespaces that have AI cost of any kind this month, the open window included.

    Pods that are no AI workload are summed by namespace: their CPU alone has no controller's name, and is no AI cost.
    """
    span = parse_span(MONTH, now_ms, app.settings.reports.time_zone)
    reports = build_reports(
        app.stores.ledger.snapshot(), ReportQuery(span, ("namespace", "controller")), cluster=app.cluster
    )
    lines = [line for report in reports for line in report.lines if line.keys[1] or gpu_time(line.amounts)]
    return sorted({line.keys[0] for line in lines if line.keys[0]})


def _cluster_report(app: Application, key: str) -> Mapping[str, Any]:
    return _report(app, "ClusterAICostReport", {"name": f"{MONTH}-by-{key}"}, [key])


def _namespace_report(app: Application, namespace: str) -> Mapping[str, Any]:
    return _report(app, "AICostReport", {"name": MONTH, "namespace": namespace}, ["controller"])


def _report(app: Application, kind: str, metadata: Mapping[str, str], group_by: list[str]) -> Mapping[str, Any]:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": kind,
        "metadata": {**metadata, "labels": MARK},
        "spec": {"window": MONTH, "groupBy": group_by, "limit": app.settings.reports.rows},
    }
