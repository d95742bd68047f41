"""Which pods are asked for the metrics of their engine, and where: at their own address alone."""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aicost.adapters.kube.seen.values import SeenPod
from aicost.domain.attribution.resolvers.table import may_hold
from aicost.domain.identity.discovery import engines_in

_SCRAPE, _PORT, _PATH = "prometheus.io/scrape", "prometheus.io/port", "prometheus.io/path"
_USUAL_PATH = "/metrics"
_SAFE_PATH = re.compile(r"/[-A-Za-z0-9._~/]{0,252}")
_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Page:
    """Where the metrics of a pod are.

    Attributes:
        workload: the AIWorkload that claims the pod; empty for none.
        port: None where nobody says one.
    """

    workload: str = ""
    port: int | None = None
    path: str = _USUAL_PATH


@dataclass(frozen=True, slots=True)
class EngineTarget:
    """A pod to ask.

    Attributes:
        node: the node that it runs on.
        url: its page of metrics.
        born_ms: when it was made.
        workload: the AIWorkload that claims it; empty for none.
        refused: why it is not asked; empty where it is.
    """

    namespace: str
    pod: str
    node: str
    url: str
    born_ms: int
    workload: str = ""
    refused: str = ""


def engine_targets(
    pods: Iterable[SeenPod], pages: Mapping[str, Page], most: int, *, annotated: bool
) -> Sequence[EngineTarget]:
    """Running pods that are asked, and those that may not be.

    Args:
        pods: the pods of the cluster.
        pages: uid of a pod -> what its AIWorkload says.
        most: pods that are asked at the most: those of AIWorkloads first, and of each namespace as many.
        annotated: ask also pods whose annotations say where, if they hold a GPU or run an engine that is known.
    """
    running = (pod for pod in pods if pod.facts.phase == "Running" and pod.pod_ip)
    found = (_target(pod, page) for pod in running if (page := _page(pod, pages, annotated=annotated)) is not None)
    return _bounded(found, most)


def _page(pod: SeenPod, pages: Mapping[str, Page], *, annotated: bool) -> Page | None:
    """What the AIWorkload says, else what the pod says of itself; None where nobody says anything."""
    claimed = pages.get(pod.facts.uid, Page())
    if claimed.port is not None:
        return claimed
    told = pod.facts.annotations
    if not annotated or told.get(_SCRAPE) != "true" or not (may_hold(pod.facts) or engines_in(pod.facts)):
        return None
    port, path = told.get(_PORT, ""), told.get(_PATH, _USUAL_PATH)
    good = port.isascii() and port.isdecimal() and len(port) <= len(str(_LAST_PORT)) and 0 < int(port) <= _LAST_PORT
    return Page(claimed.workload, int(port), path) if good and _SAFE_PATH.fullmatch(path) else None


def _target(pod: SeenPod, page: Page) -> EngineTarget:
    host = f"[{pod.pod_ip}]" if ":" in pod.pod_ip else pod.pod_ip
    url = f"http://{host}:{page.port}{page.path}"
    facts, refused = pod.facts, _refused(pod, page)
    return EngineTarget(facts.namespace, facts.name, facts.node or "", url, facts.created_ms, page.workload, refused)


def _refused(pod: SeenPod, page: Page) -> str:
    """Why a pod may not be asked: its address must be its own, and what answers there too."""
    try:
        address = ipaddress.ip_address(pod.pod_ip)
    except ValueError:
        return f"its address {pod.pod_ip[:40]!r} is no IP address"
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return f"its address {address} is none of a pod"
    if pod.host_network and page.port not in {port.number for port in pod.ports}:
        return (
            f"it shares the network of its node, and none of its containers declares the port {page.port}: add it to "
            "their ports, so that nobody else can answer there"
        )
    return ""


def _bounded(found: Iterable[EngineTarget], most: int) -> Sequence[EngineTarget]:
    """Those of AIWorkloads first, then one of each namespace after the other; what is beyond is refused."""
    turns: Counter[tuple[bool, str]] = Counter()
    queue: list[tuple[bool, int, EngineTarget]] = []
    for target in sorted(found, key=lambda one: (one.namespace, one.pod, one.url)):
        whose = (not target.workload, target.namespace)
        queue.append((whose[0], turns[whose], target))
        turns[whose] += 1
    queue.sort(key=lambda one: one[:2])
    return [target for *_, target in queue[:most]] + [_beyond(target, most) for *_, target in queue[most:]]


def _beyond(target: EngineTarget, most: int) -> EngineTarget:
    why = f"more than {most} pods are to be asked: raise telemetry.scrape.engines.most, or let a Prometheus scrape them"
    return EngineTarget(
        target.namespace, target.pod, target.node, target.url, target.born_ms, target.workload, target.refused or why
    )
