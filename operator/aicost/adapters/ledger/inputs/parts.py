"""Inputs of a window in parts, so that one pod is explained from little, and what rarely changes is kept once a day."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from aicost.adapters.ledger.inputs.codec import Packing, clean_text, decode, encode
from aicost.domain.attribution.claims import names_on
from aicost.domain.attribution.resources.use import PodUse
from aicost.domain.attribution.window import WindowInput, known_until
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.inventory.nodes import NodeFacts, NodeRecord
from aicost.domain.inventory.pods import PodFacts, PodRecord
from aicost.domain.inventory.volumes import VolumeRecord
from aicost.domain.policy.policies import LabelPolicy
from aicost.domain.pricing.books import PriceBook
from aicost.domain.receipts.telling import telling
from aicost.domain.sampling.placement import PodName
from aicost.domain.sampling.series import DeviceSeries

T = TypeVar("T")
_NODES_AT_ONCE = 64
"""Nodes whose columns are packed together."""
WINDOW, CLUSTER, BOOKS, CLAIMS, POLICIES = "window", "cluster", "books", "claims", "policies"
SHARED = (WINDOW, CLUSTER, BOOKS, CLAIMS, POLICIES)
"""Parts that every statement of the window rests on."""
STORAGE = ""
"""Stands for the node of what is of no node, as in the rows of the ledger."""
FACTS, _NODE = "facts ", "node "
_NO_POD, _NO_NODE = PodFacts("", "", "", 0), NodeFacts("", "", 0)
"""Stand where facts are kept in a part of their own."""


@dataclass(frozen=True, slots=True)
class NodePart:
    """What one window knows of one node. Facts lie in another part, since they change less often than lives.

    Attributes:
        volumes: claims of storage; they are of no node, so they lie in the part of the node without a name, with the
            pods that mount them.
        known: pods that samples name here and that the watch knew elsewhere or earlier: no strangers.
        use: what its pods used of CPU and memory.
    """

    nodes: tuple[NodeRecord, ...] = ()
    pods: tuple[PodRecord, ...] = ()
    series: tuple[DeviceSeries, ...] = ()
    known: frozenset[PodName] = frozenset()
    use: Mapping[PodName, PodUse] = field(default_factory=dict)
    volumes: tuple[VolumeRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class FactsPart:
    """Facts of a node and its pods, in the order of the records of its `NodePart`."""

    nodes: tuple[NodeFacts, ...] = ()
    pods: tuple[PodFacts, ...] = ()


def parts_of_node(node: str) -> tuple[str, str]:
    """Names of the parts about one node."""
    return f"{FACTS}{node}", f"{_NODE}{node}"


def node_of(part: str) -> str | None:
    """The node that a part is about; None for a shared one."""
    return part.removeprefix(_NODE) if part.startswith(_NODE) else None


def split(given: WindowInput) -> Mapping[str, bytes]:
    """The parts of some inputs, by name. Put together again they give the same statement."""
    facts = given.facts
    shared = {
        WINDOW: _frame(given),
        CLUSTER: ClusterFacts((), (), facts.namespaces, facts.service_accounts, frozenset(), facts.queues),
        BOOKS: tuple(given.books),
        CLAIMS: tuple(given.claims),
        POLICIES: tuple(given.policies),
    }
    parts = {name: encode(value) for name, value in shared.items()}
    nodes = iter(_nodes(given).items())
    while some := tuple(islice(nodes, _NODES_AT_ONCE)):
        packing = Packing([column for _, part in some for column in _columns(part)])
        for node, part in some:
            parts |= zip(parts_of_node(clean_text(node)), _written(part, packing), strict=True)
    return parts


def _written(part: NodePart, packing: Packing) -> tuple[bytes, bytes]:
    """Facts of a node and what a window knows of it, in the order of `parts_of_node`."""
    nodes = tuple(replace(record, facts=_NO_NODE) for record in part.nodes)
    pods = tuple(replace(record, facts=_NO_POD) for record in part.pods)
    own = FactsPart(tuple(one.facts for one in part.nodes), tuple(_telling(one.facts) for one in part.pods))
    return encode(own), packing.encode(replace(part, nodes=nodes, pods=pods))


def _columns(part: NodePart) -> list[NDArray[np.int64]]:
    """The columns of samples of a node."""
    levels = [one for use in part.use.values() for one in (use.cpu, use.memory)]
    return [
        *(one.at_ms for one in part.series),
        *(one.value for one in part.series),
        *(one.start_ms for one in levels),
        *(one.end_ms for one in levels),
        *(one.level for one in levels),
    ]


def join(parts: Mapping[str, bytes]) -> WindowInput:
    """Inputs of all parts that are given.

    Raises:
        ValueError: a part is not what its name says.
    """
    frame = decode(parts[WINDOW], WindowInput)
    shared = decode(parts[CLUSTER], ClusterFacts)
    nodes = [_whole(parts, node) for name in sorted(parts) if (node := node_of(name)) is not None]
    facts = replace(
        frame.facts,
        pods=tuple(_once((*frame.facts.pods, *(record for part in nodes for record in part.pods)))),
        volumes=tuple(record for part in nodes for record in part.volumes),
        nodes=tuple(record for part in nodes for record in part.nodes),
        namespaces=shared.namespaces,
        service_accounts=shared.service_accounts,
        queues=shared.queues,
        past_pods=frozenset(name for part in nodes for name in part.known),
    )
    series = (*frame.telemetry.series, *(one for part in nodes for one in part.series))
    return replace(
        frame,
        facts=facts,
        telemetry=replace(frame.telemetry, series=series),
        use=replace(
            frame.use, pods=dict(frame.use.pods) | {name: one for part in nodes for name, one in part.use.items()}
        ),
        books=decode(parts[BOOKS], tuple[PriceBook, ...]),
        claims=decode(parts[CLAIMS], tuple[WorkloadClaim, ...]),
        policies=decode(parts[POLICIES], tuple[LabelPolicy, ...]),
    )


def _frame(given: WindowInput) -> WindowInput:
    """What has no part of its own: samples and pods without a node, and whatever else the inputs hold."""
    placed = {_name(record) for record in given.facts.pods if record.facts.node is not None}
    facts = replace(
        given.facts,
        pods=tuple(replace(one, facts=_telling(one.facts)) for one in given.facts.pods if one.facts.node is None),
        nodes=(),
        volumes=(),
        namespaces={},
        service_accounts={},
        past_pods=frozenset(),
        queues={},
    )
    telemetry = replace(given.telemetry, series=tuple(one for one in given.telemetry.series if one.node is None))
    return replace(
        given,
        facts=facts,
        telemetry=telemetry,
        books=(),
        claims=(),
        policies=(),
        known_until_ms=known_until(given),
        use=replace(given.use, pods={name: one for name, one in given.use.pods.items() if name not in placed}),
    )


def _nodes(given: WindowInput) -> Mapping[str, NodePart]:
    """What is known of each node."""
    nodes = _grouped(given.facts.nodes, lambda record: record.facts.name)
    pods = _grouped(given.facts.pods, lambda record: record.facts.node)
    series = _grouped(given.telemetry.series, lambda one: one.node)
    known = given.facts.past_pods | set(map(_name, given.facts.pods))
    found = {STORAGE: _storage(given)} if given.facts.volumes else {}
    for name in sorted({*nodes, *pods, *series}):
        here = tuple(series.get(name, ()))
        named = frozenset(pod for one in here for pod in names_on(one))
        own = tuple(pods.get(name, ()))
        use = {pod: given.use.pods[pod] for pod in map(_name, own) if pod in given.use.pods}
        found[name] = NodePart(tuple(nodes.get(name, ())), own, here, named & known, use)
    return found


def _storage(given: WindowInput) -> NodePart:
    """Claims and the pods that mount them, wherever these run."""
    mounting = tuple(record for record in given.facts.pods if record.facts.volumes and record.facts.node is not None)
    return NodePart(pods=mounting, volumes=given.facts.volumes)


def _once(pods: Iterable[PodRecord]) -> Iterator[PodRecord]:
    """Each pod once: those that mount storage lie in two parts."""
    seen: set[str] = set()
    for record in pods:
        if record.facts.uid not in seen:
            seen.add(record.facts.uid)
            yield record


def _name(record: PodRecord) -> PodName:
    return record.facts.namespace, record.facts.name


def _telling(pod: PodFacts) -> PodFacts:
    """A pod's facts without arguments that tell nothing: they are kept for long, and may hold what is secret."""
    containers = tuple(map(telling, pod.containers))
    return pod if containers == pod.containers else replace(pod, containers=containers)


def _grouped(items: Iterable[T], node: Callable[[T], str | None]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = defaultdict(list)
    for item in items:
        if (name := node(item)) is not None:
            found[name].append(item)
    return found


def _whole(parts: Mapping[str, bytes], node: str) -> NodePart:
    """The part of a node with its facts back in their places."""
    facts_name, name = parts_of_node(node)
    part, facts = decode(parts[name], NodePart), decode(parts[facts_name], FactsPart)
    nodes = zip(part.nodes, facts.nodes, strict=True)
    pods = zip(part.pods, facts.pods, strict=True)
    return replace(
        part,
        nodes=tuple(replace(record, facts=own) for record, own in nodes),
        pods=tuple(replace(record, facts=own) for record, own in pods),
    )
