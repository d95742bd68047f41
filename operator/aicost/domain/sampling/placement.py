"""On which node a device is: what is known of nodes, and the order in which evidence counts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

HOST_LABELS = ("Hostname", "hostname", "node", "kubernetes_node", "nodename")
"""Labels in which exporters or scrape configurations write the node's name, some as a short or a full host name."""

PodName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class NodeIndex:
    """Names by which nodes are called.

    Attributes:
        names: names of the nodes.
        by_host: value of the label `kubernetes.io/hostname` -> node, where only one node has it.
        by_short: the first part of a name -> node, where only one node has it.
    """

    names: frozenset[str] = frozenset()
    by_host: Mapping[str, str] = field(default_factory=dict)
    by_short: Mapping[str, str] = field(default_factory=dict)

    def find(self, host: str) -> tuple[int, str] | None:
        """The node that is called so, with the rank of the evidence: 0 its name, 1 its host label, 2 its short name."""
        if host in self.names:
            return 0, host
        if host in self.by_host:
            return 1, self.by_host[host]
        short = self.by_short.get(_short(host))
        return None if short is None else (2, short)


def index_nodes(hostnames: Mapping[str, str]) -> NodeIndex:
    """Index nodes by all that they are called.

    Args:
        hostnames: node name -> its label `kubernetes.io/hostname`, empty where it has none.
    """
    by_host = _unique((host, name) for name, host in hostnames.items() if host)
    by_short = _unique({(_short(text), name) for name, host in hostnames.items() for text in (name, host)})
    return NodeIndex(frozenset(hostnames), by_host, {short: name for short, name in by_short.items() if short})


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The pairs whose first part stands only once: a name that two nodes share names neither."""
    found = tuple(pairs)
    counts = Counter(key for key, _ in found)
    return {key: value for key, value in found if counts[key] == 1}


def _short(host: str) -> str:
    """The first part of a host name; empty for an IP address, whose parts name nothing."""
    head = host.partition(".")[0]
    return "" if head.isdigit() or ":" in host else head


def hosts_of(labels: Mapping[str, str]) -> tuple[str, ...]:
    """What a series' labels call the host, best first."""
    hosts = [host for host in map(labels.get, HOST_LABELS) if host]
    instance = labels.get("instance", "").rpartition(":")[0]
    return (*hosts, instance) if instance else tuple(hosts)


def place(
    index: NodeIndex,
    labels: Mapping[str, str],
    exporter_node: str | None,
    holder_node: str | None,
) -> tuple[int, str] | None:
    """The node of a series and the rank of the evidence, lower is better; None where nothing tells.

    The exporter's own node counts first; then a node of the name that the labels give; then one with that host label;
    then one with that short name (`ip-10-0-0-1` for `ip-10-0-0-1.ec2.internal`); then the node of the pod that holds
    the device.
    """
    if exporter_node:
        return -1, exporter_node
    best = (3, holder_node) if holder_node else None
    for host in hosts_of(labels):
        found = index.find(host)
        if found and (best is None or found[0] < best[0]):
            best = found
            if best[0] == 0:  # its very name: nothing is better
                break
    return best
