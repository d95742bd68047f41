"""What runs now and what it costs per hour: known within seconds, before any sample or bill."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.attribution.resolvers.scene import scene_of
from aicost.domain.attribution.resolvers.table import may_hold, reserved_share
from aicost.domain.budgets.spend.scopes import Grouped, Values
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.ledger.rows import Component, Holder, Place
from aicost.domain.pricing.books import PriceQuote
from aicost.domain.reporting.keys import value_of

MILLI = 1000


@dataclass(frozen=True, slots=True)
class Running:
    """A pod that holds devices, at the price of its reservation.

    Attributes:
        gpu_milli: thousandths of GPUs that it has reserved.
        rate_nanos: cost per hour; None where no price is known.
        alive: whether it still holds them.
        hour_nanos: price of one GPU-hour of its node, rounded; None where no price is known.
    """

    record: PodRecord
    place: Place
    holder: Holder
    gpu_milli: int
    rate_nanos: int | None
    currency: str
    alive: bool
    hour_nanos: int | None = None

    @property
    def component(self) -> Component:
        """What is known of it at once: its GPUs."""
        return Component.GPU

    @property
    def kind(self) -> str:
        """What kind of device it holds: what a price is known by."""
        place = self.place
        parts = (place.gpu_model, place.instance_type, place.region, place.capacity_type)
        return " ".join(part for part in parts if part) or "unknown"

    def accrued(self, since_ms: int, now_ms: int) -> int:
        """What it has cost since a moment, at its price."""
        held = self.record.holding(Window(min(since_ms, now_ms), now_ms))
        return divide((self.rate_nanos or 0) * held.length_ms, HOUR_MS) if held else 0


Prices = Mapping[str, PriceQuote | None]
"""uid of a node -> what a GPU-hour of it costs now."""


def running_pods(
    facts: ClusterFacts, prices: Prices, identify: Callable[[PodRecord], Holder], cluster: str
) -> tuple[Running, ...]:
    """Every pod that holds or held devices in the time that the facts are of.

    A device that is promised to more pods than it has room for costs each of them less: `r = raw / max(1, sum raw)`,
    taken over the node.
    """
    nodes = {record.facts.name: record for record in facts.nodes}
    by_node: defaultdict[str, list[PodRecord]] = defaultdict(list)
    for pod in facts.pods:
        if pod.facts.node in nodes and pod.facts.bound_ms is not None:
            by_node[pod.facts.node].append(pod)
    found: list[Running] = []
    for name in sorted(by_node):
        found += _on(nodes[name], by_node[name], prices.get(nodes[name].facts.uid), identify, cluster)
    return tuple(found)


def _on(
    node: NodeRecord,
    pods: Sequence[PodRecord],
    quote: PriceQuote | None,
    identify: Callable[[PodRecord], Holder],
    cluster: str,
) -> Iterable[Running]:
    facts = node.facts
    scene = scene_of(facts, facts.cards, pods)
    holding = [pod for pod in pods if may_hold(pod.facts)]
    shares = {pod.facts.uid: reserved_share(scene, pod) for pod in holding}
    pods = [pod for pod in holding if shares[pod.facts.uid]]
    held = sum((shares[pod.facts.uid] for pod in pods if pod.held_until_ms is None), Fraction(0))
    room = min(Fraction(1), facts.gpus / held) if facts.gpus and held else Fraction(1)
    place = Place(
        cluster,
        facts.name,
        "",
        facts.gpu_model or "",
        facts.provider,
        facts.region,
        facts.zone,
        facts.instance_type,
        facts.capacity_type.value,
    )
    for pod in pods:
        share = shares[pod.facts.uid] * room
        yield Running(
            record=pod,
            place=place,
            holder=identify(pod),
            gpu_milli=divide(share.numerator * MILLI, share.denominator),
            rate_nanos=_rate(quote, share),
            currency=quote.currency if quote else "",
            alive=pod.held_until_ms is None,
            hour_nanos=_rate(quote, Fraction(1)),
        )


def _rate(quote: PriceQuote | None, share: Fraction) -> int | None:
    if quote is None:
        return None
    price = Fraction(quote.gpu_hour_nanos_num, quote.gpu_hour_den) * share
    return divide(price.numerator, price.denominator)


@dataclass(frozen=True, slots=True)
class RunningNow:
    """What runs now, ready to be asked by scope.

    Attributes:
        since_ms: the moment from which on it says what accrued.
        now_ms: the moment that it is of.
    """

    groups: Grouped
    pods: tuple[Running, ...]
    since_ms: int
    now_ms: int


def grouped(keys: Values, pods: tuple[Running, ...], since_ms: int, now_ms: int) -> RunningNow:
    """Pods that can be asked by scope."""
    values = [tuple(value_of(pod, key) for key in keys) for pod in pods]
    groups = Grouped(keys, values, [True] * len(pods), [Component.GPU.value] * len(pods))
    return RunningNow(groups, pods, since_ms, now_ms)
