"""Which GPUs there were in a span, by the labels of the exporters' series: models, hosts and counts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aicost.adapters.prometheus.history.asking import Asker
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.gpu_models import canonical_model
from aicost.domain.sampling.placement import HOST_LABELS, NodeIndex, hosts_of

_BY = ("UUID", "uuid", "modelName", *HOST_LABELS, "instance")


@dataclass(frozen=True, slots=True)
class HostGpus:
    """The GPUs of one host.

    Attributes:
        host: as the series call it.
        uuids: of its devices.
        model: canonical model, empty where the series name none.
    """

    host: str
    uuids: frozenset[str]
    model: str


def read_gpus(ask: Asker, span: Window, metrics: Sequence[str]) -> dict[str, HostGpus]:
    """The GPUs of each host that showed any in a span, under what the series call it.

    Args:
        ask: the server.
        span: half-open.
        metrics: names of series of GPUs that the server has.
    """
    uuids: dict[str, set[str]] = defaultdict(set)
    models: dict[str, set[str]] = defaultdict(set)
    for metric in metrics:
        query_by = _BY
        for row in ask.last(metric, span, query_by):
            host = next(iter(hosts_of(row.labels)), "")
            uuid = row.get("UUID") or row.get("uuid")
            if host and uuid:
                uuids[host].add(uuid)
                models[host].add(row.get("modelName"))
    return {host: HostGpus(host, frozenset(found), _model(models[host])) for host, found in uuids.items()}


def _model(names: set[str]) -> str:
    """The one model that all names mean, empty where they disagree."""
    found = {canonical_model(name) or "" for name in names if name}
    return found.pop() if len(found) == 1 else ""


def by_node(gpus: Mapping[str, HostGpus], index: NodeIndex) -> dict[str, HostGpus]:
    """The same under the names of nodes that are known; hosts that are none of them are left out."""
    found: dict[str, HostGpus] = {}
    for host, one in gpus.items():
        place = index.find(host)
        if place is not None:
            found[place[1]] = one
    return found
