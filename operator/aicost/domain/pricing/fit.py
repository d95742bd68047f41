"""Whether an entry prices a node, and which of several that do is the more specific one."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from aicost.domain.inventory.gpu_models import canonical_model
from aicost.domain.inventory.node_labels import PROVIDERS
from aicost.domain.inventory.nodes import CapacityType, NodeFacts
from aicost.domain.pricing.books import NodeMatch, PriceBook, PriceEntry, Rate


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One field in which an entry and a node differ."""

    field: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"{self.field}: the entry says {self.wanted}, the node {self.found or 'nothing'}"


def mismatches(match: NodeMatch, node: NodeFacts) -> tuple[Mismatch, ...]:
    """All fields in which an entry's match and a node differ; none means that the entry prices the node.

    Names of models, providers, machines and places are compared in their normal form, node labels to the letter.
    """
    return tuple(_differences(match, node))


def is_of_another_kind(match: NodeMatch, node: NodeFacts) -> bool:
    """Whether an entry is about another machine or another GPU: most are, so this is asked of each and is quick."""
    wanted, model = match.instance_type, match.gpu_model
    if wanted and wanted != node.instance_type and wanted.casefold() != node.instance_type.casefold():
        return True
    return bool(model) and model != node.gpu_model and model_name(model) != (node.gpu_model or "")


def _differences(match: NodeMatch, node: NodeFacts) -> Iterator[Mismatch]:
    named = (
        ("instanceType", match.instance_type, node.instance_type),
        ("region", match.region, node.region),
        ("zone", match.zone, node.zone),
    )
    yield from (Mismatch(*pair) for pair in named if pair[1] and pair[1].casefold() != pair[2].casefold())
    if match.gpu_model and model_name(match.gpu_model) != (node.gpu_model or ""):
        yield Mismatch("gpuModel", match.gpu_model, node.gpu_model or "")
    if match.provider and provider_name(match.provider) != provider_name(node.provider):
        yield Mismatch("provider", match.provider, node.provider)
    if match.capacity_type and not _bought_so(match.capacity_type, node.capacity_type):
        yield Mismatch("capacityType", match.capacity_type, node.capacity_type)
    for key, value in match.node_labels.items():
        if node.labels.get(key) != value:
            yield Mismatch(f"nodeSelector {key}", value, node.labels.get(key, ""))


@lru_cache(maxsize=1024)
def model_name(text: str) -> str:
    """The canonical name of a GPU model as a book writes it."""
    return canonical_model(text) or text.casefold()


def provider_name(text: str) -> str:
    """A provider's one name: books may write the scheme of `spec.providerID`."""
    return PROVIDERS.get(text.casefold(), text.casefold())


def _bought_so(wanted: CapacityType, found: CapacityType) -> bool:
    """A node that tells nothing counts as on demand: spot and reserved capacity carry a label, on demand often none."""
    return wanted is found or (wanted is CapacityType.ON_DEMAND and found is CapacityType.UNKNOWN)


def capacity_note(match: NodeMatch, node: NodeFacts) -> str:
    """What a reader should know about how the node was bought and what the entry says of it; empty if they agree."""
    if match.capacity_type is None and node.capacity_type in {CapacityType.SPOT, CapacityType.RESERVED}:
        return f"the entry names no capacityType, so it prices this {node.capacity_type} node too"
    if match.capacity_type is not None and node.capacity_type is CapacityType.UNKNOWN:
        return "no label says how the node was bought, so it counts as on-demand"
    return ""


RULES = (
    "it stands on the node itself",
    "it has a higher priority",
    "a price of your own beats a list price",
    "it names more labels of the node",
    "it names the instance type",
    "it names the GPU model",
    "it names the capacity type",
    "it names the zone",
    "it names the region",
    "it names the provider",
    "its price began later",
    "of equal entries the first name in the alphabet wins",
)
"""Why an entry stands before another: one sentence for each step of `Standing`, in order."""

Standing = tuple[bool, int, bool, int, bool, bool, bool, bool, bool, bool, int, tuple[str, str, Rate, Rate]]
"""A total order over the entries that match a node: the smaller holds. One element for each of `RULES`."""


def standing(book: PriceBook, entry: PriceEntry) -> Standing:
    """Where an entry stands among those that match the same node."""
    match = entry.match
    return (
        not entry.on_node,
        -entry.priority,
        entry.list_price,
        -len(match.node_labels),
        not match.instance_type,
        not match.gpu_model,
        match.capacity_type is None,
        not match.zone,
        not match.region,
        not match.provider,
        -entry.effective.start_ms,
        (book.name, entry.name, entry.per_gpu_hour_nanos or 0, entry.per_node_hour_nanos or 0),
    )


def why_before(first: Standing, second: Standing) -> str:
    """The rule that puts the first entry before the second. Of two that are the same in all things either may stand."""
    return next((rule for ours, theirs, rule in zip(first, second, RULES, strict=True) if ours != theirs), RULES[-1])


_FIELDS = ("instance_type", "gpu_model", "capacity_type", "zone", "region", "provider")
_WORDS = ("instance type", "GPU model", "capacity type", "zone", "region", "provider")


def named_fields(match: NodeMatch) -> str:
    """What an entry names of a node, for people."""
    words = [word for field, word in zip(_FIELDS, _WORDS, strict=True) if getattr(match, field)]
    words += ["node labels"] if match.node_labels else []
    return ", ".join(words) or "any node"
