"""Prometheus and dcgm-exporter are found by what their charts set."""

import pytest

from aicost.adapters.kube.discovery import exporter_targets, looked_for, prometheus_candidates
from aicost.adapters.kube.seen.values import PortSeen, SeenPod, SeenService, ServicePortSeen
from aicost.domain.inventory.pods import ContainerFacts, PodFacts

NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"


def service(name, labels, *ports, namespace="monitoring"):
    return SeenService(
        "uid", namespace, name, "1", labels, {}, "10.0.0.9", tuple(ServicePortSeen(*port, port[1]) for port in ports)
    )


STACK = service(
    "kps-prometheus", {"app": "kube-prometheus-stack-prometheus"}, ("http-web", 9090), ("reloader-web", 8080)
)
OPERATED = service("prometheus-operated", {"operated-prometheus": "true"}, ("http-web", 9090))
CHART = service("prometheus-server", {NAME: "prometheus", COMPONENT: "server"}, ("http", 80))
THANOS = service("thanos-query", {NAME: "thanos", COMPONENT: "query"}, ("grpc", 10901), ("http", 9090))
VM = service("vm-server", {NAME: "victoria-metrics-single"}, ("http", 8428))
SELECT = service("vmselect", {"app": "vmselect"}, ("http", 8481))
MIMIR = service(
    "mimir-query-frontend", {NAME: "mimir", COMPONENT: "query-frontend"}, ("http-metrics", 8080), ("grpc", 9095)
)


@pytest.mark.parametrize(
    ("found", "url"),
    [
        (STACK, "http://kps-prometheus.monitoring.svc:9090"),
        (OPERATED, "http://prometheus-operated.monitoring.svc:9090"),
        (CHART, "http://prometheus-server.monitoring.svc:80"),
        (THANOS, "http://thanos-query.monitoring.svc:9090"),
        (VM, "http://vm-server.monitoring.svc:8428"),
        (SELECT, "http://vmselect.monitoring.svc:8481/select/0/prometheus"),
        (MIMIR, "http://mimir-query-frontend.monitoring.svc:8080/prometheus"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_each_product_is_known_with_its_port_and_path(found, url):
    assert [candidate.url for candidate in prometheus_candidates([found])] == [url]


def test_a_store_of_this_cluster_comes_before_one_that_may_hold_several():
    found = prometheus_candidates([MIMIR, THANOS, VM, OPERATED, CHART, STACK])
    assert [candidate.origin.split(",")[0] for candidate in found] == [
        "kube-prometheus-stack",
        "Prometheus chart",
        "Prometheus operator",
        "VictoriaMetrics single",
        "Thanos query",
        "Mimir query frontend",
    ]


@pytest.mark.parametrize(
    "other",
    [
        service("alertmanager-operated", {"operated-alertmanager": "true"}, ("http-web", 9093)),
        service("prometheus-node-exporter", {NAME: "prometheus-node-exporter"}, ("metrics", 9100)),
        service("thanos-store", {NAME: "thanos", COMPONENT: "storegateway"}, ("http", 9090)),
        service("web", {"app": "web"}, ("http", 9090)),
    ],
    ids=lambda it: it.name,
)
def test_neighbours_are_not_taken_for_it(other):
    assert prometheus_candidates([other]) == ()


def test_the_only_port_is_taken_whatever_its_name_and_an_unclear_choice_is_not_made():
    labels = {NAME: "prometheus"}
    assert prometheus_candidates([service("p", labels, ("odd", 1234))])[0].url == "http://p.monitoring.svc:1234"
    assert prometheus_candidates([service("p", labels, ("odd", 1234), ("other", 1235))]) == ()


def test_a_port_for_tls_is_spoken_to_by_tls():
    assert prometheus_candidates([service("p", {NAME: "prometheus"}, ("https", 9091))])[0].url.startswith("https://")


def pod(name="dcgm-1", *, image="x", ip="10.1.0.7", phase="Running", ports=(), labels=None, annotations=None):
    facts = PodFacts(
        "uid", "gpu-operator", name, 0, node="gpu-1", phase=phase, labels=labels or {}, annotations=annotations or {},
        containers=(ContainerFacts("c", image),),
    )  # fmt: skip
    return SeenPod(facts, None, "1", pod_ip=ip, ports=tuple(PortSeen(*port) for port in ports))


@pytest.mark.parametrize(
    "found",
    [
        pod(labels={"app": "nvidia-dcgm-exporter"}),
        pod(labels={NAME: "dcgm-exporter"}),
        pod(image="registry.example/nvidia/k8s/dcgm-exporter:4.8.3-ubuntu22.04"),
    ],
)
def test_an_exporter_is_known_by_label_or_image(found):
    (target,) = exporter_targets([found])
    assert (target.namespace, target.pod, target.node) == ("gpu-operator", "dcgm-1", "gpu-1")
    assert target.url == "http://10.1.0.7:9400/metrics"


@pytest.mark.parametrize(
    ("changes", "port"),
    [
        ({"ports": [("metrics", 9401)]}, 9401),
        ({"ports": [("other", 1), ("metrics", 9402)]}, 9402),
        ({"ports": [("metrics", 9401)], "annotations": {"prometheus.io/port": "9500"}}, 9500),
        ({"annotations": {"prometheus.io/port": "http"}}, 9400),
        ({"ports": [("other", 1)]}, 9400),
    ],
)
def test_the_port_is_told_by_annotation_then_name_then_custom(changes, port):
    (target,) = exporter_targets([pod(image="dcgm-exporter", **changes)])
    assert target.url == f"http://10.1.0.7:{port}/metrics"


def test_pods_that_do_not_run_have_no_address_or_are_something_else_are_left_out():
    image = "dcgm-exporter"
    assert exporter_targets([pod(image=image, phase="Pending"), pod(image=image, ip=""), pod(image="web")]) == ()


def test_an_ipv6_address_is_bracketed():
    assert exporter_targets([pod(image="dcgm-exporter", ip="fd00::7")])[0].url == "http://[fd00::7]:9400/metrics"


def test_what_was_looked_for_names_every_product_and_label():
    text = looked_for()
    for word in ("kube-prometheus-stack", "prometheus-operated", "Thanos", "VictoriaMetrics", "Mimir", "9400"):
        assert word in text
    assert "app=nvidia-dcgm-exporter or app.kubernetes.io/name=dcgm-exporter" in text
