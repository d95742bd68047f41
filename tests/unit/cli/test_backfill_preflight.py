"""What a Prometheus has, and what to mend, before a backfill begins."""

from dataclasses import replace

import pytest

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.history.survey import Survey
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window
from aicost.domain.pricing.books import PriceBook
from aicost.entrypoints.cli.output.backfill.screen import preflight
from aicost.entrypoints.cli.sources.backfill import Asked, Given, Prepared
from aicost.entrypoints.cli.terminal import Terminal

T = 1_795_600_800_000
SPAN = Window(T, T + 30 * DAY_MS)
WHOLE = dict.fromkeys(
    (
        "DCGM_FI_DEV_GPU_UTIL",
        "kube_pod_info",
        "kube_pod_status_scheduled_time",
        "kube_pod_container_resource_requests",
        "kube_node_info",
    ),
    1_200,
)
FOUND = Survey(
    at_ms=SPAN.end_ms,
    counts=WHOLE,
    dialect="4.8.3 - 4.8.x",
    devices=64,
    interval_ms=15_000,
    first_ms=T,
    missing_hours=0,
    objects_ms=T,
    pod_labels=frozenset({"aicost.dev/team", "app"}),
    node_labels=frozenset({"topology.kubernetes.io/zone"}),
    version="v2.15.0",
    clusters=("prod",),
)


BOOKS = (PriceBook("mine", "USD", ()),)


def screen(books=BOOKS, cut: str = "", **found) -> str:
    asked = Asked(PrometheusConfig("http://prometheus:9090"), SPAN, "./ledger", "prod")
    shown = replace(FOUND, **found)
    return preflight(Prepared(asked, shown, Given(books, (), ()), None, cut), Terminal(150))


def without(*names: str) -> dict[str, int]:
    return {name: count for name, count in WHOLE.items() if name not in names}


def test_where_all_is_there_nothing_is_to_be_mended():
    shown = screen()
    assert "Mend" not in shown
    for said in ("cluster prod", "64 GPUs, dcgm-exporter 4.8.3", "v2.15.0, 1,200 pods", "2 keys, aicost.dev/team"):
        assert said in shown


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"counts": without("kube_pod_info")}, "Pods: let this Prometheus scrape kube-state-metrics"),
        ({"counts": without("kube_node_info")}, "Nodes: let this Prometheus scrape kube-state-metrics"),
        ({"counts": without("kube_pod_container_resource_requests")}, "allow kube_pod_container_resource_requests"),
        ({"counts": without("kube_pod_status_scheduled_time")}, "allow kube_pod_status_scheduled_time"),
        ({"pod_labels": frozenset()}, "start kube-state-metrics with --metric-labels-allowlist=pods=[*]"),
        ({"pod_labels": frozenset({"app"})}, "map your keys by --policies FILE (aliases)"),
        ({"node_labels": frozenset()}, "--metric-labels-allowlist=nodes=[*],pods=[*]"),
        ({"missing_hours": 7}, "Gaps: those hours are posted as unmeasured"),
        ({"books": ()}, "Prices: add --list-prices, --gpu-price MODEL=AMOUNT, or --prices FILE"),
    ],
)
def test_what_is_missing_is_told_with_what_would_mend_it(found, said):
    shown = " ".join(screen(**found).split())
    assert said in shown
    assert "Mend" in shown


def test_a_shorter_time_and_objects_that_came_later_are_told():
    shown = screen(cut="the server has GPU samples from X on", objects_ms=T + 48 * HOUR_MS)
    assert "the server has GPU samples from X on" in shown
    assert "none until 2026-11-27T10:00Z" in shown
