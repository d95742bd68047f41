"""How the price of a node is divided between its GPUs, its CPU and its memory: exact fractions, nothing rounded."""

from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.exact.amounts import format_money
from aicost.domain.exact.apportion import divide
from aicost.domain.inventory.accelerators import accelerator
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.pricing.books import NodeSplit, PriceEntry, Rate, ReferenceRates

_MILLIS = 1_000
_GIB = 2**30
_PPM = 1_000_000
_DECIMALS = 4
"""Decimals of a price in an explanation."""


@dataclass(frozen=True, slots=True)
class NodeSize:
    """What a node consists of, as far as its price is concerned.

    Attributes:
        uncounted: it has GPUs, and nothing says how many.
    """

    gpus: int
    cpu_millis: int
    memory_bytes: int
    uncounted: bool = False

    @property
    def cores(self) -> Fraction:
        """CPU cores."""
        return Fraction(self.cpu_millis, _MILLIS)

    @property
    def memory_gib(self) -> Fraction:
        """Memory in GiB."""
        return Fraction(self.memory_bytes, _GIB)


@dataclass(frozen=True, slots=True)
class NodeParts:
    """The parts of a node's price, in nano-units per node-hour.

    Attributes:
        gpu: all GPUs together.
        undivided: what is neither the GPUs' nor divided, because no reference rate tells CPU from memory.
        how: for people: which rule gave the GPUs their part.
    """

    gpu: Fraction
    cpu: Fraction
    memory: Fraction
    undivided: Fraction
    how: str


@dataclass(frozen=True, slots=True)
class NoPrice:
    """Why an entry gives no price for a node, and what to change in it."""

    reason: str


def size_of(node: NodeFacts, entry: PriceEntry) -> NodeSize:
    """The size of a node; the entry says how many GPUs it has where the node does not."""
    gpus = node.gpus or entry.gpu_count or 0
    has_gpus = node.gpu_model is not None or any(accelerator(name) for name in node.capacity)
    return NodeSize(gpus, node.cpu_millis, node.memory_bytes, uncounted=has_gpus and gpus <= 0)


def split_node(entry: PriceEntry, rates: ReferenceRates, size: NodeSize, currency: str) -> NodeParts | NoPrice:
    """Divide the price of a node-hour.

    With a price per GPU-hour the GPUs cost that, and CPU and memory share what is left of the node's price by their
    reference rates; with no price of the node they cost their reference rates. With a price per node-hour alone:

    - residual: GPUs = node - cores x rate - GiB x rate; by ratio where nothing would be left;
    - ratio: each part = node x its reference amount / sum of the reference amounts;
    - gpuShare: GPUs = node x share, CPU and memory share the rest by their reference rates.

    In a node without GPUs CPU and memory share the whole price by their reference rates, whatever the split.
    """
    division = _Division(rates, size, currency)
    if size.gpus <= 0:
        return _without_gpus(entry, size, division)
    if entry.per_gpu_hour_nanos is not None:
        return division.by_gpu_price(entry.per_gpu_hour_nanos, entry.per_node_hour_nanos)
    if entry.per_node_hour_nanos is None:
        return NoPrice("the entry has no price: give perGpuHour or perNodeHour")
    match entry.split:
        case NodeSplit.RESIDUAL:
            return division.by_residual(entry.per_node_hour_nanos)
        case NodeSplit.RATIO:
            return division.by_ratio(entry.per_node_hour_nanos)
        case NodeSplit.GPU_SHARE:
            return division.by_share(entry.per_node_hour_nanos, entry.gpu_share_ppm or 0)


def _without_gpus(entry: PriceEntry, size: NodeSize, division: "_Division") -> NodeParts | NoPrice:
    if size.uncounted and entry.per_node_hour_nanos is not None:
        return NoPrice("the number of the node's GPUs is unknown: set gpuCount in the entry")
    if size.uncounted and entry.per_gpu_hour_nanos is not None:
        return division.by_gpu_price(entry.per_gpu_hour_nanos, None)
    if entry.per_node_hour_nanos is None:
        return NoPrice("it prices GPUs and the node has none: give perNodeHour")
    return division.by_rest(entry.per_node_hour_nanos)


@dataclass(frozen=True, slots=True)
class _Division:
    """The rules, for one book's rates and one size of node."""

    rates: ReferenceRates
    size: NodeSize
    currency: str

    @property
    def cpu(self) -> Fraction:
        """CPU of the node at the reference rate."""
        return self.rates.cpu_core_nanos * self.size.cores

    @property
    def memory(self) -> Fraction:
        """Memory of the node at the reference rate."""
        return self.rates.memory_gib_nanos * self.size.memory_gib

    def by_gpu_price(self, per_gpu: Rate, per_node: Rate | None) -> NodeParts | NoPrice:
        gpus = Fraction(per_gpu * self.size.gpus)
        how = f"{self._money(Fraction(per_gpu))} per GPU-hour"
        if per_node is None:
            return NodeParts(gpus, self.cpu, self.memory, Fraction(0), how)
        if gpus > per_node:
            return NoPrice(
                f"{self.size.gpus} GPUs at perGpuHour cost {self._money(gpus)} an hour, more than perNodeHour "
                f"{self._money(Fraction(per_node))}: correct one of the two"
            )
        return self._with_rest(gpus, per_node - gpus, how)

    def by_residual(self, per_node: Rate) -> NodeParts | NoPrice:
        rest = per_node - self.cpu - self.memory
        if rest <= 0:
            return self.by_ratio(per_node, "CPU and memory at the reference rates would leave nothing, so by ratio: ")
        how = (
            f"{self._node(per_node)} less {self._cores()} ({self._money(self.cpu)}) and {self._gib()} "
            f"({self._money(self.memory)}) at the reference rates leaves {self._gpu_total(rest)}"
        )
        return NodeParts(rest, self.cpu, self.memory, Fraction(0), how)

    def by_ratio(self, per_node: Rate, why: str = "") -> NodeParts | NoPrice:
        gpus = Fraction(self.rates.gpu_nanos * self.size.gpus)
        if gpus == 0:
            return NoPrice(f"{why}the split by ratio needs the book's spec.referenceRates.gpuHour: add it")
        scale = per_node / (gpus + self.cpu + self.memory)
        how = (
            f"{why}{self._node(per_node)} in proportion to the reference rates of {self.size.gpus} GPUs "
            f"({self._money(gpus)}), {self._cores()} ({self._money(self.cpu)}) and {self._gib()} "
            f"({self._money(self.memory)}) gives {self._gpu_total(gpus * scale)}"
        )
        return NodeParts(gpus * scale, self.cpu * scale, self.memory * scale, Fraction(0), how)

    def by_share(self, per_node: Rate, share_ppm: int) -> NodeParts | NoPrice:
        if not 0 < share_ppm <= _PPM:
            return NoPrice('split gpuShare needs gpuShare above 0 and at most 1, for example "0.85"')
        gpus = per_node * Fraction(share_ppm, _PPM)
        percent = f"{share_ppm / (_PPM // 100):g} %"
        return self._with_rest(gpus, per_node - gpus, f"{percent} of {self._node(per_node)} is {self._gpu_total(gpus)}")

    def by_rest(self, per_node: Rate) -> NodeParts:
        """A node without GPUs."""
        shared = f"shared by {self._cores()} and {self._gib()} at the reference rates"
        how = f"{self._node(per_node)}, {shared if self.cpu + self.memory else 'undivided: the book has no rates'}"
        return self._with_rest(Fraction(0), Fraction(per_node), how)

    def _with_rest(self, gpus: Fraction, rest: Fraction, how: str) -> NodeParts:
        """CPU and memory share the rest in proportion to their reference rates."""
        weight = self.cpu + self.memory
        if weight == 0:
            return NodeParts(gpus, Fraction(0), Fraction(0), rest, how)
        return NodeParts(gpus, rest * self.cpu / weight, rest * self.memory / weight, Fraction(0), how)

    def _money(self, nanos: Fraction) -> str:
        return format_money(divide(nanos.numerator, nanos.denominator), self.currency, _DECIMALS)

    def _node(self, per_node: Rate) -> str:
        return f"{self._money(Fraction(per_node))} per node-hour"

    def _cores(self) -> str:
        return f"{float(self.size.cores):g} cores"

    def _gib(self) -> str:
        return f"{float(self.size.memory_gib):.1f} GiB"

    def _gpu_total(self, gpus: Fraction) -> str:
        return f"{self._money(gpus)} for {self.size.gpus} GPUs, {self._money(gpus / self.size.gpus)} per GPU-hour"
