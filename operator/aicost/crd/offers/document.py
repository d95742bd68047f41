"""What GPU nodes are on offer, as JSON and back: kinds of nodes with their prices, and no node by its name."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from aicost.crd.allocations.document import API_VERSION
from aicost.domain.estimates.values import Market, Offer
from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.inventory.gpu_models import MODEL_LABELS
from aicost.domain.inventory.node_labels import CAPACITY_LABELS, INSTANCE_TYPE_LABELS, REGION_LABELS
from aicost.domain.pricing.books import PriceQuote

KIND = "OfferReport"
KNOWN_LABELS = frozenset({*MODEL_LABELS, *INSTANCE_TYPE_LABELS, *REGION_LABELS, *(key for key, _ in CAPACITY_LABELS)})
"""Labels whose meaning an offer tells anyway. Others may name tenants: they are told to who names key and value."""
Document = Mapping[str, Any]
_PLAIN = ("gpu_model", "provider", "region", "instance_type", "capacity_type", "gpus", "slots_per_gpu", "reason")


def offers_document(market: Market, named: Iterable[tuple[str, str]], now_ms: int, *, counted: bool) -> dict[str, Any]:
    """The document of a market.

    Args:
        market: what is on offer.
        named: labels, with their values, that the asker knows of.
        now_ms: when it was made.
        counted: whether to tell how many nodes there are of a kind; else 1 stands for any number.
    """
    known = frozenset(named)
    told = [_offer(offer, known, counted=counted) for offer in market.offers]
    different = list({repr(sorted(one.items(), key=lambda item: item[0])): one for one in told}.values())
    return {"apiVersion": API_VERSION, "kind": KIND, "generated_at": to_rfc3339(now_ms), "offers": different}


def read_offers(document: Document) -> Market:
    """The market of a document.

    Raises:
        ValueError: it is none, or one of another version.
    """
    found = (document.get("apiVersion"), document.get("kind")) if isinstance(document, Mapping) else None
    if found != (API_VERSION, KIND):
        raise ValueError(f"the answer is no {KIND} of {API_VERSION}, but {found}")
    try:
        return Market(tuple(_read(one) for one in document["offers"]))
    except (KeyError, TypeError, AttributeError, ZeroDivisionError) as problem:
        raise ValueError(f"the offers are not what they should be: {problem!r}") from problem


def _offer(offer: Offer, named: frozenset[tuple[str, str]], *, counted: bool) -> dict[str, Any]:
    labels = {key: value for key, value in offer.node_labels.items() if key in KNOWN_LABELS or (key, value) in named}
    return {
        **{name: getattr(offer, name) for name in _PLAIN},
        "nodes": offer.nodes if counted else min(1, offer.nodes),
        "node_labels": dict(sorted(labels.items())),
        "resources": dict(sorted(offer.resources.items())),
        "quote": None if offer.quote is None else _quote(offer.quote),
        "rejected": [list(one) for one in offer.rejected],
    }


def _quote(quote: PriceQuote) -> dict[str, Any]:
    return {
        "book": quote.book,
        "entry": quote.entry,
        "currency": quote.currency,
        "gpu_hour_nanos": str(Fraction(quote.gpu_hour_nanos_num, quote.gpu_hour_den)),
        "node_hour_nanos": _text(quote.node_hour),
        "gpus": quote.gpus,
        "cpu_hour_nanos": _text(quote.cpu),
        "memory_hour_nanos": _text(quote.memory),
        "undivided": quote.undivided,
        "list_price": quote.list_price,
        "source": quote.source,
        "explanation": quote.explanation,
    }


def _read(one: Document) -> Offer:
    return Offer(
        **{name: one[name] for name in _PLAIN},
        nodes=one["nodes"],
        node_labels=dict(one["node_labels"]),
        resources={str(key): int(value) for key, value in one["resources"].items()},
        quote=None if one["quote"] is None else _read_quote(one["quote"]),
        rejected=tuple((str(label), str(reason)) for label, reason in one["rejected"]),
    )


def _read_quote(one: Document) -> PriceQuote:
    price = Fraction(one["gpu_hour_nanos"])
    return PriceQuote(
        book=one["book"],
        entry=one["entry"],
        currency=one["currency"],
        gpu_hour_nanos_num=price.numerator,
        gpu_hour_den=price.denominator,
        list_price=one["list_price"],
        source=one["source"],
        explanation=one["explanation"],
        node_hour=_number(one["node_hour_nanos"]),
        gpus=one["gpus"],
        cpu=_number(one["cpu_hour_nanos"]),
        memory=_number(one["memory_hour_nanos"]),
        undivided=one["undivided"],
    )


def _text(value: Fraction | None) -> str | None:
    return None if value is None else str(value)


def _number(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)
