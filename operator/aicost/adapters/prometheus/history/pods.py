"""What kube-state-metrics showed of the pods of a span, as facts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from aicost.adapters.prometheus.history.asking import Asker, Row
from aicost.adapters.prometheus.history.keys import LabelKeys, resource_of, resource_pattern
from aicost.adapters.prometheus.history.labels import labels_by
from aicost.adapters.prometheus.history.owners import Owners
from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.inventory.accelerators import accelerator
from aicost.domain.inventory.demand import ContainerDemand, device_demand, peak_demand
from aicost.domain.inventory.pods import ContainerFacts, OwnerFacts, PodFacts

POD_INFO, POD_PHASE = "kube_pod_info", "kube_pod_status_phase"
POD_LABELS, POD_ANNOTATIONS = "kube_pod_labels", "kube_pod_annotations"
POD_REQUESTS = "kube_pod_container_resource_requests"
POD_CLAIMS = "kube_pod_spec_volumes_persistentvolumeclaims_info"
_POD = ("namespace", "pod", "uid")
_TIMES = ("kube_pod_created", "kube_pod_status_scheduled_time", "kube_pod_start_time", "kube_pod_completion_time")
TERMINAL = 'phase=~"Succeeded|Failed"'
_NONE = frozenset({"", "<none>"})
_MILLI = Fraction(1, 1_000)
_LAST_SECOND = 253_402_300_800
"""No time stamp is later than the year 9999."""
_MOST_UNITS = 1_000_000
"""More units of an accelerator than this are asked for by nobody: such a number is not believed."""
Value = TypeVar("Value")
PodKey = tuple[str, str, str]
"""Namespace, name and uid; older releases write a uid on `kube_pod_info` alone."""


@dataclass(frozen=True, slots=True)
class ShownPod:
    """A pod as a span's series show it.

    Attributes:
        facts: `bound_ms` is the scheduler's word, None where no series has it; `phase` is Running unless it ended.
        terminal: `Succeeded` or `Failed`, where it was so at some moment of the span.
        bound_told: the begin of the holding is told by a time stamp, not by samples.
        labelled: at least one label of it was kept.
    """

    facts: PodFacts
    terminal: str = ""
    bound_told: bool = True
    labelled: bool = True


@dataclass(frozen=True, slots=True)
class _Said:
    """All that series say of the pods, sorted by what they say it of."""

    times: Mapping[str, Mapping[PodKey, float]]
    terminal: Mapping[PodKey, str]
    labels: Mapping[PodKey, dict[str, str]]
    annotations: Mapping[PodKey, dict[str, str]]
    demands: Mapping[PodKey, tuple[list[ContainerDemand], list[ContainerDemand]]]
    images: Mapping[PodKey, dict[str, str]]
    accounts: Mapping[PodKey, str]
    owners: Owners
    claims: Mapping[PodKey, tuple[str, ...]]


def read_pods(ask: Asker, span: Window, keys: LabelKeys, latest_ms: int) -> list[ShownPod]:
    """All pods that kube-state-metrics showed in a span.

    Args:
        ask: the server.
        span: half-open.
        keys: how labels are read.
        latest_ms: the last moment at which kube-state-metrics was scraped.

    Raises:
        SourceUnavailable, InvalidAnswer, NotPermitted: see the port `TelemetrySource`.
    """
    by = (*_POD, "node", "created_by_kind", "created_by_name", "priority_class")
    infos = _best(ask.last(POD_INFO, span, by))
    if not infos:
        return []
    said = _Said(
        times={metric: _numbers(ask.last(metric, span, _POD)) for metric in _TIMES},
        terminal=_phases(ask.highest(POD_PHASE, span, (*_POD, "phase"), TERMINAL)),
        labels=labels_by(ask, POD_LABELS, span, latest_ms, key_of, lambda row: keys.read(row.labels)),
        annotations=labels_by(
            ask, POD_ANNOTATIONS, span, latest_ms, key_of, lambda row: keys.read(row.labels, "annotation_")
        ),
        demands=_demands(ask, span),
        images=_images(ask, span),
        accounts={
            key_of(row): row.get("service_account")
            for row in ask.last("kube_pod_service_account", span, (*_POD, "service_account"))
        },
        owners=Owners(ask, span, keys),
        claims=_claims(ask, span),
    )
    return [_shown(key, row, said) for key, row in infos.items()]


def key_of(row: Row) -> PodKey:
    """Which pod a row is about."""
    return row.get("namespace"), row.get("pod"), row.get("uid")


def _best(rows: Iterable[Row]) -> dict[PodKey, Row]:
    """One row for each pod: of several, the one that names a node; a pod is named before it is bound."""
    found: dict[PodKey, Row] = {}
    for row in rows:
        key = key_of(row)
        if key[1] and (key not in found or (row.get("node") and not found[key].get("node"))):
            found[key] = row
    return found


def _shown(key: PodKey, row: Row, said: _Said) -> ShownPod:
    namespace, name, uid = key
    created_ms = _moment(said, "kube_pod_created", key)
    bound_ms = _moment(said, "kube_pod_status_scheduled_time", key)
    if bound_ms is None:
        bound_ms = _moment(said, "kube_pod_start_time", key)
    labels = _of(said.labels, key) or {}
    running, init = _of(said.demands, key) or ([], [])
    terminal = _of(said.terminal, key) or ""
    peak = peak_demand(("cpu", "memory"), running, init)
    facts = PodFacts(
        uid=uid or f"{namespace}/{name}@{created_ms or 0}",
        namespace=namespace,
        name=name,
        created_ms=created_ms if created_ms is not None else bound_ms or 0,
        node=row.get("node") or None,
        phase="Running",
        labels=labels,
        annotations=_of(said.annotations, key) or {},
        owners=_owners(row, namespace, said.owners),
        service_account=_of(said.accounts, key) or "",
        containers=_containers(_of(said.images, key) or {}),
        devices=device_demand(running, init),
        bound_ms=bound_ms if row.get("node") else None,
        ended_ms=_moment(said, "kube_pod_completion_time", key) if terminal else None,
        cpu_millis=peak.get("cpu", 0),
        memory_bytes=peak.get("memory", 0),
        volumes=_of(said.claims, key) or (),
    )
    return ShownPod(facts, terminal, bound_ms is not None, bool(labels))


def _of(table: Mapping[PodKey, Value], key: PodKey) -> Value | None:
    """What a table says of a pod, by its uid, or by its name where the series have no uid."""
    found = table.get(key)
    return found if found is not None else table.get((key[0], key[1], ""))


def _moment(said: _Said, metric: str, key: PodKey) -> int | None:
    """A time stamp of a pod; none where it is no moment at all."""
    value = _of(said.times[metric], key)
    return round(value * SECOND_MS) if value is not None and 0 < value < _LAST_SECOND else None


def _owners(row: Row, namespace: str, owners: Owners) -> tuple[OwnerFacts, ...]:
    kind, name = row.get("created_by_kind"), row.get("created_by_name")
    return () if kind in _NONE or name in _NONE else owners.chain(namespace, kind, name)


def _containers(images: Mapping[str, str]) -> tuple[ContainerFacts, ...]:
    return tuple(ContainerFacts(name, image) for name, image in sorted(images.items()))


def _numbers(rows: Iterable[Row]) -> dict[PodKey, float]:
    return {key_of(row): row.value for row in rows}


def _phases(rows: Iterable[Row]) -> dict[PodKey, str]:
    return {key_of(row): row.get("phase") for row in rows if row.value >= 1}


def _demands(ask: Asker, span: Window) -> dict[PodKey, tuple[list[ContainerDemand], list[ContainerDemand]]]:
    """What the containers and the init containers of each pod ask for."""
    wanted = f'resource=~"{resource_pattern()}|cpu|memory"'
    by = (*_POD, "container", "resource", "unit")
    sidecars = {
        (*key_of(row), row.get("container"))
        for row in ask.last("kube_pod_init_container_info", span, (*_POD, "container"), 'restart_policy="Always"')
    }
    found: dict[PodKey, tuple[list[ContainerDemand], list[ContainerDemand]]] = defaultdict(lambda: ([], []))
    for place, metric in enumerate((POD_REQUESTS, "kube_pod_init_container_resource_requests")):
        asked: dict[tuple[str, str, str, str], dict[str, int]] = defaultdict(dict)
        for row in ask.last(metric, span, by, wanted):
            resource, amount = resource_of(row.get("resource")), _amount(row)
            if amount <= _MOST_UNITS or not accelerator(resource):
                asked[(*key_of(row), row.get("container"))][resource] = amount
        for container, resources in sorted(asked.items()):
            found[container[:3]][place].append(ContainerDemand(resources, bool(place) and container in sidecars))
    return dict(found)


def _amount(row: Row) -> int:
    """Devices and bytes as they are, cores in thousandths."""
    value = Fraction(max(0.0, row.value)) / (_MILLI if row.get("resource") == "cpu" else 1)
    return round(value)


def _images(ask: Asker, span: Window) -> dict[PodKey, dict[str, str]]:
    found: dict[PodKey, dict[str, str]] = defaultdict(dict)
    by = (*_POD, "container", "image", "image_spec")
    for row in ask.last("kube_pod_container_info", span, by):
        found[key_of(row)][row.get("container")] = row.get("image_spec") or row.get("image")
    return dict(found)


def _claims(ask: Asker, span: Window) -> dict[PodKey, tuple[str, ...]]:
    """The PersistentVolumeClaims that each pod mounts."""
    found: dict[PodKey, set[str]] = defaultdict(set)
    for row in ask.last(POD_CLAIMS, span, (*_POD, "persistentvolumeclaim")):
        found[key_of(row)].add(row.get("persistentvolumeclaim"))
    return {pod: tuple(sorted(names - {""})) for pod, names in found.items()}
