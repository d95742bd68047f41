"""The statement of claimed storage for one window.

A claim is paid by its size and class for as long as it is there. The pods that mount it share it in equal parts while
they hold it; what no pod mounts is its namespace's: nobody else could have used it.

    C = round(sum size dt p)        apportioned over pods and time by  size dt / (number of pods)
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from aicost.domain.attribution.parts import integer_weights
from aicost.domain.attribution.resources.residents import Payers
from aicost.domain.attribution.statement import Charge
from aicost.domain.exact.apportion import apportion, divide
from aicost.domain.exact.windows import HOUR_MS, SECOND_MS, Window
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.inventory.volumes import VolumeRecord, sizes_over
from aicost.domain.ledger.rows import Bucket, Component, Holder, Method, Place, Quality, Row
from aicost.domain.pricing.books import PriceBook
from aicost.domain.pricing.storage import StorageQuote, storage_quote

_GIB, _MIB = 2**30, 2**20


@dataclass(frozen=True, slots=True)
class StorageStatement:
    """Rows of all claims, and the charges that they sum to."""

    rows: tuple[Row, ...] = ()
    charges: tuple[Charge, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mount:
    """A pod that mounts a claim, and for how long."""

    holder: Holder
    span: Window


def state_storage(
    cluster: str,
    window: Window,
    volumes: Iterable[VolumeRecord],
    pods: Iterable[PodRecord],
    books: Sequence[PriceBook],
    payers: Payers,
) -> StorageStatement:
    """Charge all claims of a cluster for one window."""
    mounts = _mounts(pods, window, payers)
    rows: dict[tuple[object, ...], Row] = {}
    charges: list[Charge] = []
    for volume in sorted(volumes, key=lambda one: (one.facts.namespace, one.facts.name, one.facts.uid)):
        presence = volume.presence(window)
        if presence is None or volume.facts.size_bytes <= 0:
            continue
        quote = storage_quote(books, volume.facts.storage_class)
        common = payers.of_namespace(volume.facts.namespace)
        lines = _lines(volume, presence, mounts.get((volume.facts.namespace, volume.facts.name), ()), common)
        charge = _charge(volume, presence, quote)
        charges.append(charge)
        for row in _rows(cluster, window, volume, quote, charge, lines):
            _add(rows, row)
    return StorageStatement(tuple(rows.values()), tuple(charges))


def _mounts(pods: Iterable[PodRecord], window: Window, payers: Payers) -> Mapping[tuple[str, str], list[_Mount]]:
    """(namespace, claim) -> the pods that mount it."""
    found: defaultdict[tuple[str, str], list[_Mount]] = defaultdict(list)
    for record in pods:
        span = record.holding(window) if record.facts.volumes else None
        if span is not None:
            for name in record.facts.volumes:
                found[record.facts.namespace, name].append(_Mount(payers.of(record), span))
    return found


_Lines = Mapping[tuple[int, Bucket], tuple[Holder, Fraction]]
"""Holder and bucket -> the holder, and byte-milliseconds."""


def _lines(volume: VolumeRecord, presence: Window, mounts: Sequence[_Mount], common: Holder) -> _Lines:
    """Cut a claim's time at each change, and give each piece to those who mount it then."""
    edges = {presence.start_ms, presence.end_ms}
    edges |= {at for one in mounts for at in (one.span.start_ms, one.span.end_ms) if at in presence}
    edges |= {piece.start_ms for piece, _ in sizes_over(volume, presence)}
    sizes = list(sizes_over(volume, presence))
    found: dict[tuple[int, Bucket], tuple[Holder, Fraction]] = {}
    for start, end in pairwise(sorted(edges)):
        there = [one for one in mounts if start in one.span]
        size = next(size for piece, size in sizes if start in piece)
        bucket = Bucket.ALLOCATED_UNMEASURED if there else Bucket.ALLOCATED_IDLE
        for holder in [one.holder for one in there] or [common]:
            key, share = (id(holder), bucket), Fraction(size * (end - start), max(1, len(there)))
            found[key] = (holder, found.get(key, (holder, Fraction(0)))[1] + share)
    return found


def _charge(volume: VolumeRecord, presence: Window, quote: StorageQuote | None) -> Charge:
    if quote is None:
        name = volume.facts.storage_class or "(none)"
        reason = f"no price of storage class {name}: add it to spec.storageClasses of a PriceBook"
        return Charge("", presence, "", "", None, 0, reason, Component.STORAGE)
    amount = sum(size * piece.length_ms for piece, size in sizes_over(volume, presence))
    cost = quote.gib_hour_nanos * Fraction(amount, _GIB * HOUR_MS)
    nanos = divide(cost.numerator, cost.denominator)
    return Charge("", presence, quote.price, quote.currency, nanos, 0, "", Component.STORAGE)


def _rows(
    cluster: str, window: Window, volume: VolumeRecord, quote: StorageQuote | None, charge: Charge, lines: _Lines
) -> Iterator[Row]:
    weights = integer_weights([weight for _, weight in lines.values()])
    amount = sum((weight for _, weight in lines.values()), Fraction(0)) / (_MIB * SECOND_MS)
    quantities = apportion(divide(amount.numerator, amount.denominator), weights)
    costs = [None] * len(weights) if charge.cost_nanos is None else apportion(charge.cost_nanos, weights)
    for ((_, bucket), (holder, _)), nanos, quantity in zip(lines.items(), costs, quantities, strict=True):
        yield Row(
            window=window,
            revision=0,
            component=Component.STORAGE,
            place=Place(cluster, "", f"{volume.facts.namespace}/{volume.facts.name}" if holder.pod else ""),
            holder=holder,
            bucket=bucket,
            method=Method.BY_SIZE,
            quality=Quality.ASSUMED,
            signal="",
            currency=charge.currency,
            cost_nanos=nanos,
            gpu_milliseconds=0,
            measured_milliseconds=0,
            price=charge.price,
            list_price=bool(quote and quote.list_price),
            quantity=quantity,
        )


def _add(rows: dict[tuple[object, ...], Row], row: Row) -> None:
    """Claims that no single pod pays for end in one row for their namespace, bucket and price."""
    key = (id(row.holder), row.bucket, row.price, row.place.device)
    known = rows.get(key)
    if known is not None:
        cost = None if row.cost_nanos is None else (known.cost_nanos or 0) + row.cost_nanos
        row = replace(known, cost_nanos=cost, quantity=known.quantity + row.quantity)
    rows[key] = row
