"""The status of a PriceBook."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aicost.crd.fields.conditions import Condition
from aicost.crd.models.pricebook import PriceBookStatus, UnpricedNodes
from aicost.crd.status.reports import Freshness
from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.pricing.books import PriceBook
from aicost.domain.pricing.suggestion import suggest_entry

_MOST = 50


def book_status(
    book: PriceBook,
    *,
    nodes_priced: int,
    unpriced: Iterable[NodeFacts],
    freshness: Freshness,
    conditions: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The status of a price book.

    Args:
        book: the book as it was read.
        nodes_priced: GPU nodes that its entries price now.
        unpriced: GPU nodes that no book has a price for.
        freshness: what is said of its age.
        conditions: as made by `aicost.crd.status.conditions`.
    """
    status = PriceBookStatus(
        observed_generation=freshness.generation,
        conditions=[Condition.model_validate(condition) for condition in conditions],
        entries=sum(freshness.now_ms in entry.effective for entry in book.entries),
        nodes_priced=nodes_priced,
        unpriced=unpriced_nodes(unpriced),
        updated_at=to_rfc3339(freshness.now_ms - freshness.now_ms % 1000),
    )
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def unpriced_nodes(nodes: Iterable[NodeFacts]) -> list[UnpricedNodes]:
    """Kinds of nodes without a price, the largest first, each with the entry to add."""
    kinds: dict[tuple[str, str, str, str], list[NodeFacts]] = defaultdict(list)
    for node in nodes:
        kinds[node.gpu_model or "", node.instance_type, node.region, node.capacity_type.value].append(node)
    found = [_kind(key, members) for key, members in kinds.items()]
    return sorted(found, key=lambda kind: (-kind.gpus, kind.gpu_model, kind.instance_type, kind.region))[:_MOST]


def _kind(key: tuple[str, str, str, str], members: Sequence[NodeFacts]) -> UnpricedNodes:
    model, instance_type, region, capacity = key
    return UnpricedNodes(
        gpu_model=model,
        instance_type=instance_type,
        region=region,
        capacity_type=capacity,
        nodes=len(members),
        gpus=sum(member.gpus for member in members),
        entry=suggest_entry(min(members, key=lambda member: member.name)),
    )
