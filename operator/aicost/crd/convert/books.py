"""A PriceBook as the domain knows it."""

from collections.abc import Mapping
from typing import Any

from aicost.crd.convert.parsing import Converted, SpecProblem, parse
from aicost.crd.fields.amounts import fraction_ppm
from aicost.crd.fields.text import moment_ms
from aicost.crd.models import pricebook as api
from aicost.domain.exact.amounts import parse_nanos
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import CapacityType
from aicost.domain.pricing.books import ALWAYS, NodeMatch, PriceBook, PriceEntry, ReferenceRates

HOURS_PER_MONTH = 730
"""Hours that a price per month is divided by."""


def price_book(body: Mapping[str, Any]) -> Converted[PriceBook]:
    """Read a PriceBook. An entry that is not usable is left out and told; the others hold."""
    name = str(body["metadata"]["name"])
    spec = body.get("spec") or {}
    head = parse(api.PriceBookSpec, {**spec, "entries": []}, "spec")
    if head.value is None:
        return Converted(None, head.problems)
    entries, problems = _entries(spec.get("entries") or [], head.value)
    return Converted(PriceBook(name, head.value.currency, entries, _reference(head.value.reference_rates)), problems)


def _entries(raw: list[Any], book: api.PriceBookSpec) -> tuple[tuple[PriceEntry, ...], tuple[SpecProblem, ...]]:
    read = [parse(api.PriceEntry, item, f"spec.entries[{place}]") for place, item in enumerate(raw)]
    usable = tuple(_entry(one.value, book) for one in read if one.value is not None)
    return usable, tuple(problem for one in read for problem in one.problems)


def _entry(entry: api.PriceEntry, book: api.PriceBookSpec) -> PriceEntry:
    return PriceEntry(
        name=entry.name,
        match=_match(entry.match),
        per_gpu_hour_nanos=_nanos(entry.per_gpu_hour),
        per_node_hour_nanos=_nanos(entry.per_node_hour),
        split=entry.split,
        gpu_share_ppm=None if entry.gpu_share is None else fraction_ppm(entry.gpu_share),
        effective=_effective(entry),
        list_price=book.list_prices if entry.list_price is None else entry.list_price,
        source=_source(entry, book),
        priority=entry.priority,
        gpu_count=entry.gpu_count,
    )


def _match(match: api.NodeMatch) -> NodeMatch:
    return NodeMatch(
        gpu_model=match.gpu_model or "",
        instance_type=match.instance_type or "",
        provider=match.provider or "",
        region=match.region or "",
        zone=match.zone or "",
        capacity_type=None if match.capacity_type is None else CapacityType(match.capacity_type.value),
        node_labels=match.node_selector or {},
    )


def _effective(entry: api.PriceEntry) -> Window:
    start = ALWAYS.start_ms if entry.from_ is None else moment_ms(entry.from_)
    end = ALWAYS.end_ms if entry.to is None else moment_ms(entry.to)
    return Window(start, end)


def _source(entry: api.PriceEntry, book: api.PriceBookSpec) -> str:
    """Where the price was read and when, as one text that stands in reports."""
    source = entry.source or book.source or ""
    as_of = entry.as_of or book.as_of
    return f"{source} (as of {as_of})".strip() if as_of else source


def _nanos(price: str | None) -> int | None:
    return None if price is None else parse_nanos(price)


def _reference(rates: api.ReferenceRates | None) -> ReferenceRates:
    if rates is None:
        return ReferenceRates()
    return ReferenceRates(
        cpu_core_nanos=_nanos(rates.cpu_core_hour) or 0,
        memory_gib_nanos=_nanos(rates.memory_gib_hour) or 0,
        gpu_nanos=_nanos(rates.gpu_hour) or 0,
        storage_gib_nanos=divide(_nanos(rates.storage_gib_month) or 0, HOURS_PER_MONTH),
    )
