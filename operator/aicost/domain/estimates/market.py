"""What GPUs are on offer and at which price: the nodes of the cluster, and machines that the price books name."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from aicost.domain.estimates.values import Market, Offer
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.gpu_models import model_of_node
from aicost.domain.inventory.machines import MachineType, machine_type
from aicost.domain.inventory.nodes import CapacityType, NodeFacts, SharingMode
from aicost.domain.pricing.books import NodeMatch, PriceBook, PriceEntry
from aicost.domain.pricing.fit import model_name, provider_name
from aicost.domain.pricing.selection import decide_prices
from aicost.domain.pricing.terms.annotations import PRICE_ANNOTATIONS

_NAMES_OF_ONE_NODE = frozenset({"kubernetes.io/hostname", "topology.k8s.aws/instance-id"})
_SLOTTED = frozenset({SharingMode.TIME_SLICING, SharingMode.MPS})
_SlimNode = tuple[object, ...]


def market_of(nodes: Sequence[NodeFacts], books: Sequence[PriceBook], now_ms: int) -> Market:
    """The market of a cluster: one offer for each kind of GPU node, at the price that holds now.

    Machines that the books name stand behind them, with 0 nodes, as far as they stand where the cluster stands: what
    no node offers now may be bought when it is asked for.
    """
    kinds = {_kind(node): node for node in nodes if node.gpus or node.capacity}
    counts = Counter(_kind(node) for node in nodes)
    live = [_offer(node, books, now_ms, counts[kind]) for kind, node in kinds.items()]
    listed = [offer for offer in _listed(books, now_ms) if _stands_there(offer, nodes)]
    return Market((*live, *listed))


def offline_market(books: Sequence[PriceBook], now_ms: int) -> Market:
    """The market that the price books describe: one offer for each kind of machine that an entry prices now."""
    return Market(tuple(_listed(books, now_ms)), offline=True)


def _kind(node: NodeFacts) -> _SlimNode:
    """All that price and fit depend on."""
    labels = {key: value for key, value in node.labels.items() if key not in _NAMES_OF_ONE_NODE}
    place = (node.provider, node.region, node.zone, node.instance_type, node.capacity_type)
    size = (node.gpu_model, node.gpus, node.slots_per_gpu, node.sharing, node.cpu_millis, node.memory_bytes)
    said = frozenset((key, node.annotations[key]) for key in PRICE_ANNOTATIONS if key in node.annotations)
    return (*place, *size, frozenset(labels.items()), frozenset(node.capacity.items()), said)


def _offer(node: NodeFacts, books: Sequence[PriceBook], now_ms: int, nodes: int) -> Offer:
    """A node, real or imagined, as an offer."""
    (decision,) = decide_prices(node, books, Window(now_ms, now_ms + 1))
    machine = machine_type(node.instance_type)
    return Offer(
        gpu_model=node.gpu_model or (machine.gpu_model if machine else ""),
        provider=node.provider,
        region=node.region,
        instance_type=node.instance_type,
        capacity_type="" if node.capacity_type is CapacityType.UNKNOWN else str(node.capacity_type),
        node_labels=node.labels,
        nodes=nodes,
        gpus=node.gpus,
        slots_per_gpu=node.slots_per_gpu if node.sharing in _SLOTTED else 1,
        resources=node.capacity,
        quote=decision.chosen,
        reason=decision.reason,
        rejected=decision.rejected,
    )


def _listed(books: Sequence[PriceBook], now_ms: int) -> Iterator[Offer]:
    """An offer for each different machine that the entries in force name."""
    entries = [entry for book in books for entry in book.entries if now_ms in entry.effective]
    imagined = {_kind(node): node for node in map(_imagine, _usable(entries))}
    for node in imagined.values():
        offer = _offer(node, books, now_ms, 0)
        if offer.quote is None or offer.quote.gpu_hour_nanos_num:  # a machine without GPUs is no offer of GPUs
            yield offer


def _usable(entries: Iterable[PriceEntry]) -> Iterator[PriceEntry]:
    """Entries that say what they price."""
    return (entry for entry in entries if entry.match != NodeMatch())


def _imagine(entry: PriceEntry) -> NodeFacts:
    """The node that an entry is about, as far as the entry and the table of machines tell."""
    match = entry.match
    machine = machine_type(match.instance_type)
    node = NodeFacts(
        uid="",
        name=entry.name,
        created_ms=0,
        labels=match.node_labels,
        provider=provider_name(match.provider),
        instance_type=match.instance_type,
        region=match.region,
        zone=match.zone,
        capacity_type=match.capacity_type or CapacityType.UNKNOWN,
        gpu_model=model_name(match.gpu_model) if match.gpu_model else model_of_node(match.node_labels),
        gpus=entry.gpu_count or 0,
    )
    return node if machine is None else _as_machine(node, machine)


def _as_machine(node: NodeFacts, machine: MachineType) -> NodeFacts:
    """What the instance type says where the entry says nothing."""
    return replace(
        node,
        provider=node.provider or machine.provider,
        gpu_model=node.gpu_model or machine.gpu_model,
        gpus=machine.gpus,
        cpu_millis=machine.cpu_millis,
        memory_bytes=machine.memory_bytes,
    )


def _stands_there(offer: Offer, nodes: Sequence[NodeFacts]) -> bool:
    """Whether a machine of a price book is to be had in the clouds and regions of the nodes."""
    providers = {node.provider for node in nodes}
    regions = {node.region.casefold() for node in nodes}
    return (not offer.provider or offer.provider in providers) and (
        not offer.region or offer.region.casefold() in regions
    )
