"""From group sums to the amounts of a line, of the idle and of a report."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum, isqrt

from aicost.domain.ledger.rows import HELD, Bucket, Component
from aicost.domain.reporting.query import Amounts
from aicost.domain.reporting.sums import GroupSum

_HELD = frozenset(bucket.value for bucket in HELD)


@dataclass(frozen=True, slots=True)
class Contribution:
    """A group sum, and whether it comes from the open window."""

    group: GroupSum
    provisional: bool = False


def _by_bucket(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Sums by bucket in the order of `Bucket`; what sums to nothing is left out."""
    found: Counter[str] = Counter()
    for bucket, amount in pairs:
        found[bucket] += amount
    return {bucket.value: found[bucket] for bucket in Bucket if found[bucket]}


def _by_dimension(groups: Sequence[GroupSum]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for group in groups:
        for dimension, nanos in group.tagged_nanos.items():
            found[dimension] += nanos
    return {dimension: nanos for dimension, nanos in sorted(found.items()) if nanos}


def _by_component(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Sums by component in the order of `Component`; what sums to nothing is left out."""
    found: Counter[str] = Counter()
    for component, amount in pairs:
        found[component] += amount
    return {component.value: found[component] for component in Component if found[component]}


def error_bar(groups: Sequence[GroupSum]) -> int | None:
    """The root of the summed squares; None where a part has no error bar. It speaks of GPUs: the rest has none."""
    gpus = [group for group in groups if group.component == Component.GPU]
    if any(group.unmeasured for group in gpus) or (groups and not gpus):
        return None
    return isqrt(max(0, int(fsum(group.error_squared for group in gpus))))


def tally(currency: str, money: Sequence[Contribution], time: Sequence[Contribution]) -> Amounts:
    """Add up the cost of some contributions and the device time of others.

    The two differ where an idle policy moves money: device time stays with the pod that held the device, so that
    utilisation is the same under every policy.
    """
    paid, held = [item.group for item in money], [item.group for item in time]
    gpus = [group for group in paid if group.component == Component.GPU]
    return Amounts(
        currency=currency,
        buckets=_by_bucket((group.bucket, group.cost_nanos) for group in paid),
        gpu_milliseconds=_by_bucket((group.bucket, group.gpu_milliseconds) for group in held),
        unpriced_gpu_milliseconds=sum(group.unpriced_gpu_milliseconds for group in held),
        measured_milliseconds=sum(group.measured_milliseconds for group in held),
        error_nanos=error_bar(paid),
        provisional_nanos=sum(item.group.cost_nanos for item in money if item.provisional),
        list_price_nanos=sum(group.list_price_nanos for group in paid),
        tagged_nanos=_by_dimension(gpus),
        gpu_held_nanos=sum(group.cost_nanos for group in gpus if group.bucket in _HELD),
        components=_by_component((group.component, group.cost_nanos) for group in paid),
        quantities=_by_component((group.component, group.quantity) for group in held),
        unpriced_quantities=_by_component((group.component, group.unpriced_quantity) for group in held),
    )
