"""A PriceBook as the domain knows it."""

from collections.abc import Mapping
from typing import Any, TypeVar

from aicost.crd.convert.parsing import Converted, SpecProblem, parse, shortened
from aicost.crd.fields.amounts import fraction_ppm
from aicost.crd.fields.text import moment_ms
from aicost.crd.models import nodematch, terms
from aicost.crd.models import pricebook as api
from aicost.crd.schema.base import ApiModel
from aicost.domain.exact.amounts import parse_nanos
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import CapacityType
from aicost.domain.pricing.books import (
    ALWAYS,
    Amortisation,
    Commitment,
    Discount,
    NodeMatch,
    Power,
    PriceBook,
    PriceEntry,
    ReferenceRates,
)
from aicost.domain.pricing.currencies import ExchangeRate

HOURS_PER_MONTH = 730
"""Hours that a price per month is divided by."""


_PPB_PER_PERCENT_NANOS = 100
"""A percentage is read like an amount, in parts per billion of a percent."""
_NANOS_PER_PPM = 1_000
Item = TypeVar("Item", bound=ApiModel)


def price_book(body: Mapping[str, Any]) -> Converted[PriceBook]:
    """Read a PriceBook. An entry, a discount or a rate that is not usable is left out and told; the others hold."""
    name = str(body["metadata"]["name"])
    spec = body.get("spec") or {}
    apart: dict[str, Any] = {"entries": [], "discounts": None, "exchangeRates": None, "storageClasses": None}
    head = parse(api.PriceBookSpec, {**spec, **apart}, "spec")
    if head.value is None:
        return Converted(None, head.problems)
    entries, problems = _items(api.PriceEntry, spec, "entries")
    discounts, wrong_discounts = _items(terms.Discount, spec, "discounts")
    rates, wrong_rates = _items(terms.ExchangeRate, spec, "exchangeRates")
    classes, wrong_classes = _items(api.StorageClassPrice, spec, "storageClasses")
    book = PriceBook(
        name,
        head.value.currency,
        tuple(_entry(one, head.value) for one in entries),
        _reference(head.value.reference_rates),
        tuple(_discount(one) for one in discounts),
        tuple(_rate(one) for one in rates),
        {one.name: parse_nanos(one.per_gib_month) for one in classes},
        head.value.list_prices,
    )
    return Converted(book, (*problems, *wrong_discounts, *wrong_rates, *wrong_classes))


def _items(model: type[Item], spec: Mapping[str, Any], key: str) -> tuple[list[Item], tuple[SpecProblem, ...]]:
    """The items of a list that can be read, and what is wrong with the others."""
    listed = spec.get(key) or []
    if not isinstance(listed, list):
        return [], (SpecProblem(f"spec.{key}", shortened(listed), "write a list"),)
    read = [parse(model, item, f"spec.{key}[{place}]") for place, item in enumerate(listed)]
    usable = [one.value for one in read if one.value is not None]
    return usable, tuple(problem for one in read for problem in one.problems)


def _entry(entry: api.PriceEntry, book: api.PriceBookSpec) -> PriceEntry:
    return PriceEntry(
        name=entry.name,
        match=_match(entry.match),
        per_gpu_hour_nanos=_nanos(entry.per_gpu_hour),
        per_node_hour_nanos=_nanos(entry.per_node_hour),
        split=entry.split,
        gpu_share_ppm=None if entry.gpu_share is None else fraction_ppm(entry.gpu_share),
        effective=_effective(entry.from_, entry.to),
        list_price=book.list_prices if entry.list_price is None else entry.list_price,
        source=_source(entry, book),
        priority=entry.priority,
        gpu_count=entry.gpu_count,
        amortisation=None if entry.amortisation is None else _amortisation(entry.amortisation),
        commitment=None if entry.commitment is None else _commitment(entry.commitment),
    )


def _amortisation(owned: terms.Amortisation) -> Amortisation:
    return Amortisation(
        purchase_nanos=parse_nanos(owned.purchase_price),
        residual_nanos=_nanos(owned.residual_value) or 0,
        in_service_ms=moment_ms(owned.in_service),
        lifetime_months=owned.lifetime_months,
        fixed_hour_nanos=_nanos(owned.fixed_per_hour) or 0,
        power=None if owned.power is None else _power(owned.power),
    )


def _power(power: terms.Power) -> Power:
    return Power(
        rated_watts=power.rated_watts,
        load_ppm=fraction_ppm(power.load_factor),
        pue_ppm=parse_nanos(power.pue) // _NANOS_PER_PPM,
        per_kwh_nanos=parse_nanos(power.price_per_kwh),
        host_watts=power.host_watts,
    )


def _commitment(promise: terms.Commitment) -> Commitment:
    return Commitment(_nanos(promise.upfront) or 0, promise.nodes)


def _discount(discount: terms.Discount) -> Discount:
    return Discount(
        name=discount.name,
        off_ppb=parse_nanos(discount.percent) // _PPB_PER_PERCENT_NANOS,
        match=NodeMatch() if discount.match is None else _match(discount.match),
        effective=_effective(discount.from_, discount.to),
        stacking=discount.stacking,
        books=tuple(sorted(discount.books or ())),
    )


def _rate(rate: terms.ExchangeRate) -> ExchangeRate:
    dates = _effective(rate.from_, rate.to)
    return ExchangeRate(rate.base, rate.target, parse_nanos(rate.rate), dates, rate.source or "")


def _match(match: nodematch.NodeMatch) -> NodeMatch:
    return NodeMatch(
        gpu_model=match.gpu_model or "",
        instance_type=match.instance_type or "",
        provider=match.provider or "",
        region=match.region or "",
        zone=match.zone or "",
        capacity_type=None if match.capacity_type is None else CapacityType(match.capacity_type.value),
        node_labels=match.node_selector or {},
    )


def _effective(since: str | None, until: str | None) -> Window:
    start = ALWAYS.start_ms if since is None else moment_ms(since)
    end = ALWAYS.end_ms if until is None else moment_ms(until)
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
        storage_gib_month_nanos=_nanos(rates.storage_gib_month) or 0,
    )
