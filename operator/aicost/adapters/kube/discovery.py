"""Finds telemetry by what the cluster already shows: Services of Prometheus-compatible stores, pods of dcgm-exporter.

Nothing is asked over the network here; whoever calls this tries the candidates in their order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aicost.adapters.kube.seen.values import SeenPod, SeenService, ServicePortSeen

EXPORTER_PORT = 9400
_NAME, _COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"


@dataclass(frozen=True, slots=True)
class PrometheusCandidate:
    """A Service that may answer PromQL.

    Attributes:
        url: base URL, to which `/api/v1/query` is added.
        origin: product and Service, for people.
    """

    url: str
    origin: str


@dataclass(frozen=True, slots=True)
class ExporterTarget:
    """A dcgm-exporter to scrape.

    Attributes:
        node: the node whose GPUs it shows.
        url: its page of metrics.
    """

    namespace: str
    pod: str
    node: str
    url: str


@dataclass(frozen=True, slots=True)
class _Product:
    """How the Service of a product looks.

    Attributes:
        labels: sets of labels, of which one must be there whole.
        names: names of Services that are known without labels.
        ports: names, then numbers, in order of preference.
        path: where the product serves the Prometheus API.
    """

    title: str
    labels: tuple[Mapping[str, str], ...]
    names: tuple[str, ...] = ()
    ports: tuple[str | int, ...] = ("http-web", "web", "http", 9090, 80)
    path: str = ""

    def matches(self, service: SeenService) -> bool:
        return service.name in self.names or any(wanted.items() <= service.labels.items() for wanted in self.labels)

    def port(self, service: SeenService) -> ServicePortSeen | None:
        for wanted in self.ports:
            for port in service.ports:
                if wanted in {port.name, port.number}:
                    return port
        return service.ports[0] if len(service.ports) == 1 else None

    def __str__(self) -> str:
        labels = " or ".join(",".join(f"{key}={value}" for key, value in wanted.items()) for wanted in self.labels)
        return f"{self.title} (label {labels}" + (f" or name {' or '.join(self.names)})" if self.names else ")")


_PRODUCTS = (
    # A store that sees this cluster alone comes before one that may hold several: their nodes may share names.
    _Product("kube-prometheus-stack", ({"app": "kube-prometheus-stack-prometheus"},)),
    _Product("kube-prometheus", ({_NAME: "prometheus", _COMPONENT: "prometheus"},), ("prometheus-k8s",)),
    _Product(
        "Prometheus chart",
        ({_NAME: "prometheus", _COMPONENT: "server"}, {"app": "prometheus", "component": "server"}),
        ("prometheus-server",),
    ),
    _Product("Prometheus operator", ({"operated-prometheus": "true"},), ("prometheus-operated",)),
    _Product("Prometheus", ({_NAME: "prometheus"},), ("prometheus",)),
    _Product(
        "VictoriaMetrics single",
        ({_NAME: "victoria-metrics-single"}, {_NAME: "vmsingle"}, {"app": "vmsingle"}),
        ports=("http", 8428, 8429),
    ),
    _Product(
        "VictoriaMetrics select",
        ({_NAME: "vmselect"}, {"app": "vmselect"}),
        ports=("http", 8481),
        path="/select/0/prometheus",
    ),
    _Product(
        "Thanos query",
        ({_NAME: "thanos", _COMPONENT: "query"}, {_NAME: "thanos-query"}),
        ("thanos-query", "thanos-querier"),
        ports=("http", "web", 10902, 9090),
    ),
    _Product(
        "Mimir query frontend",
        ({_NAME: "mimir", _COMPONENT: "query-frontend"},),
        ports=("http-metrics", "http", 8080),
        path="/prometheus",
    ),
)

_EXPORTER_LABELS: tuple[tuple[str, str], ...] = (("app", "nvidia-dcgm-exporter"), (_NAME, "dcgm-exporter"))
_EXPORTER_IMAGE = "dcgm-exporter"
_PORT_ANNOTATION = "prometheus.io/port"


def prometheus_candidates(services: Iterable[SeenService]) -> tuple[PrometheusCandidate, ...]:
    """Services that look like a Prometheus-compatible store, the most likely first."""
    ranked = []
    for service in services:
        rank = next((rank for rank, product in enumerate(_PRODUCTS) if product.matches(service)), None)
        candidate = _candidate(_PRODUCTS[rank], service) if rank is not None else None
        if candidate is not None:
            ranked.append((rank, service.namespace, service.name, candidate))
    return tuple(entry[-1] for entry in sorted(ranked, key=lambda entry: entry[:3]))


def _candidate(product: _Product, service: SeenService) -> PrometheusCandidate | None:
    port = product.port(service)
    if port is None:
        return None
    scheme = "https" if port.name.startswith("https") or port.number == 443 else "http"
    url = f"{scheme}://{service.name}.{service.namespace}.svc:{port.number}{product.path}"
    return PrometheusCandidate(url, f"{product.title}, Service {service.namespace}/{service.name}")


def exporter_targets(pods: Iterable[SeenPod], port: int = EXPORTER_PORT) -> tuple[ExporterTarget, ...]:
    """Running pods of dcgm-exporter, by namespace and name.

    Args:
        pods: the pods of the cluster.
        port: of an exporter that names none.
    """
    found = [_target(pod, port) for pod in pods if is_exporter(pod) and pod.facts.phase == "Running" and pod.pod_ip]
    return tuple(sorted(found, key=lambda target: (target.namespace, target.pod)))


def is_exporter(pod: SeenPod) -> bool:
    """True for a pod of dcgm-exporter, by its labels or its image."""
    if any(pod.facts.labels.get(key) == value for key, value in _EXPORTER_LABELS):
        return True
    return any(_EXPORTER_IMAGE in container.image for container in pod.facts.containers)


def _target(pod: SeenPod, port: int) -> ExporterTarget:
    host = f"[{pod.pod_ip}]" if ":" in pod.pod_ip else pod.pod_ip
    url = f"http://{host}:{_exporter_port(pod, port)}/metrics"
    return ExporterTarget(pod.facts.namespace, pod.facts.name, pod.facts.node or "", url)


def _exporter_port(pod: SeenPod, default: int) -> int:
    """The annotation, else the port named metrics, else the default."""
    told = pod.facts.annotations.get(_PORT_ANNOTATION, "")
    if told.isdecimal():
        return int(told)
    return next((port.number for port in pod.ports if port.name == "metrics"), default)


def looked_for() -> str:
    """What was searched, for a person who wonders why nothing was found."""
    stores = "; ".join(str(product) for product in _PRODUCTS)
    labels = " or ".join(f"{key}={value}" for key, value in _EXPORTER_LABELS)
    return (
        f"Services in all namespaces of a Prometheus-compatible store: {stores}. "
        f"Running pods of dcgm-exporter in all namespaces: label {labels}, or an image whose name holds "
        f"{_EXPORTER_IMAGE}; port by the annotation {_PORT_ANNOTATION}, the container port named metrics, "
        f"or {EXPORTER_PORT}"
    )
