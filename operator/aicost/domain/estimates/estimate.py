"""What an object will cost per hour and over its expected duration, before it runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from aicost.domain.estimates.fitting import Wanted, fitting, gpus_of_pod, merged, wanted
from aicost.domain.estimates.values import Estimate, EstimateLine, Market, Offer, PriceRange
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.workloads.shapes import PodTemplate, Workload

_SHOWN = 3


def estimate(workload: Workload, market: Market) -> Estimate:
    """Estimate the cost of an object's GPUs.

    `per hour = sum over templates of pods x GPUs of one pod x price of a GPU-hour`, from the cheapest to the dearest
    offer that would do, in exact fractions; `total = per hour x duration`, rounded once. Nothing is guessed: where a
    price, a size or a model is missing the figure is None and `unpriced` says what is missing. CPU, memory and storage
    are in no figure.
    """
    parts = [_part(template, market) for template in workload.templates if _asks(template)]
    lines = tuple(part.line for part in parts)
    per_hour = _sum([line.per_hour for line in lines])
    return Estimate(
        lines=lines,
        gpu_milli=workload.gpu_milli,
        per_hour=per_hour,
        per_hour_max=_sum([part.at_most for part in parts]) if any(part.grows for part in parts) else None,
        duration_ms=workload.duration_ms,
        duration_source=workload.duration_source,
        total_nanos=_total(per_hour, workload.duration_ms),
        unpriced="" if per_hour or not lines else _missing(lines),
        scaling=workload.scaling,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """A template's line, and its price with as many pods as it may have."""

    line: EstimateLine
    at_most: PriceRange | None
    grows: bool


def _asks(template: PodTemplate) -> bool:
    """Whether its pods ask for an accelerator, of known size or not."""
    return bool(template.demand or template.claims or template.gpu_milli is None or template.gpu_milli)


def _part(template: PodTemplate, market: Market) -> _Part:
    need = wanted(template, market.assumed_model)
    offers = merged(fitting(need, market))
    per_pod, note = _per_pod(template, need, offers, market)
    line = EstimateLine(
        role=template.role,
        replicas=template.replicas,
        gpu_milli=None if template.gpu_milli is None else template.gpu_milli * template.replicas,
        gpu_models=tuple(sorted({offer.gpu_model for offer in offers if offer.gpu_model})) or need.models,
        per_hour=_times(per_pod, template.replicas),
        candidates=tuple(sorted(offers, key=_order)),
        note=note,
    )
    return _Part(line, _times(per_pod, template.max_replicas), template.max_replicas > template.replicas)


def _per_pod(
    template: PodTemplate, need: Wanted, offers: Sequence[Offer], market: Market
) -> tuple[PriceRange | None, str]:
    """The price of one pod, or what is missing for it."""
    sizes = [(offer, gpus_of_pod(template, offer)) for offer in offers]
    if (template.gpu_milli is None and not offers) or any(size is None for _, size in sizes):
        return None, _no_size(template)
    if not offers:
        return None, _no_offer(need, market)
    if unpriced := [offer for offer in offers if offer.quote is None]:
        return None, f"no price for {_names(unpriced)}: add an entry to a PriceBook"
    prices = [_price(offer) * (size or 0) for offer, size in sizes]
    currencies = sorted({offer.quote.currency for offer in offers if offer.quote})
    if len(currencies) > 1:
        return None, f"the nodes that would do are priced in {' and '.join(currencies)}: name the node that you want"
    note = (
        "" if market.offline or offers[0].nodes else "no node of the cluster would do now: priced as it would be bought"
    )
    return PriceRange(min(prices), max(prices), currencies[0]), note


def _price(offer: Offer) -> Fraction:
    quote = offer.quote
    return Fraction(quote.gpu_hour_nanos_num, quote.gpu_hour_den) if quote else Fraction(0)


def _order(offer: Offer) -> tuple[bool, Fraction, str, str, str]:
    return offer.quote is None, _price(offer), offer.provider, offer.region, offer.instance_type


def _no_size(template: PodTemplate) -> str:
    if template.claims:
        claims = ", ".join(template.claims[:_SHOWN])
        return f"what the claim {claims} asks for is not known here: put its ResourceClaimTemplate into the same file"
    if not template.demand:
        return "what it asks for is described elsewhere (a runtime, a device class): put that into the same file"
    return f"it asks for {', '.join(sorted(template.demand)[:_SHOWN])}, whose share of a GPU is not known"


def _no_offer(need: Wanted, market: Market) -> str:
    if market.offline and not need.named:
        return "no GPU model is named: add a nodeSelector such as nvidia.com/gpu.product"
    if market.offline:
        return f"no price for {replace(need, labels={})}: add an entry to a PriceBook"
    return f"no node of the cluster has {need}, and no PriceBook prices one that has"


def _names(offers: Sequence[Offer]) -> str:
    kinds = sorted({" ".join(filter(None, (offer.instance_type, offer.gpu_model))) or "nodes" for offer in offers})
    more = f" and {len(kinds) - _SHOWN} more" if len(kinds) > _SHOWN else ""
    return ", ".join(kinds[:_SHOWN]) + more


def _times(price: PriceRange | None, pods: int) -> PriceRange | None:
    return None if price is None else PriceRange(price.low * pods, price.high * pods, price.currency)


def _sum(parts: Iterable[PriceRange | None]) -> PriceRange | None:
    """The sum of all parts; None if there is none, if one is not known, or if currencies differ."""
    known = [part for part in (*parts,) if part is not None]
    if not known or len(known) < len([*parts]) or len({part.currency for part in known}) > 1:
        return None
    return PriceRange(
        sum((p.low for p in known), Fraction(0)), sum((p.high for p in known), Fraction(0)), known[0].currency
    )


def _total(per_hour: PriceRange | None, duration_ms: int | None) -> tuple[int, int] | None:
    if per_hour is None or duration_ms is None:
        return None
    low, high = (divide(p.numerator * duration_ms, p.denominator * HOUR_MS) for p in (per_hour.low, per_hour.high))
    return low, high


def _missing(lines: Sequence[EstimateLine]) -> str:
    """What is missing, once each; a part is named where there are several."""
    notes: dict[str, str] = {}
    for line in lines:
        if line.per_hour is None:
            notes.setdefault(line.note, line.role)
    if not notes:
        return "its parts are priced in different currencies, which are never added"
    many = len(lines) > 1 and len(notes) > 1
    return "; ".join(f"{role}: {note}" if many and role else note for note, role in notes.items())
