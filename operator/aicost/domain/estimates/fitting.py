"""Which offers would do for a pod, and what is missing where none would."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from aicost.domain.estimates.values import Market, Offer
from aicost.domain.inventory.accelerators import Unit, accelerator
from aicost.domain.inventory.gpu_models import MODEL_LABELS
from aicost.domain.inventory.machines import machine_type
from aicost.domain.inventory.node_labels import (
    CAPACITY_LABELS,
    INSTANCE_TYPE_LABELS,
    REGION_LABELS,
    capacity_type,
    first_label,
)
from aicost.domain.inventory.nodes import CapacityType
from aicost.domain.workloads.shapes import PodTemplate

_MILLI = 1_000
_SIZE = re.compile(r"-\d+gb")
_SAID_OTHERWISE = frozenset(
    {*MODEL_LABELS, *INSTANCE_TYPE_LABELS, *REGION_LABELS, *(key for key, _ in CAPACITY_LABELS)}
)
"""Labels whose meaning is compared, not their letters: clouds spell it differently."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a pod asks of its node.

    Attributes:
        models: canonical models, any of which will do; empty where none is named.
        labels: labels that the node must have, beside those whose meaning stands in the other fields.
        devices: extended resource -> count of one pod, where one unit is a device, a slot or an instance.
        gpus: whole GPUs that one pod takes on its node, a part counted as one; None where unknown.
    """

    models: tuple[str, ...]
    instance_type: str
    region: str
    capacity_type: CapacityType
    labels: Mapping[str, str]
    devices: Mapping[str, int]
    gpus: int | None

    @property
    def named(self) -> bool:
        """Whether it says which GPU it wants."""
        return bool(self.models or self.instance_type)

    def __str__(self) -> str:
        """For people: `h100-80gb, instance type p5.48xlarge, 8 GPUs in one node`."""
        known = self.capacity_type is not CapacityType.UNKNOWN
        parts = (
            " or ".join(self.models),
            self.instance_type and f"instance type {self.instance_type}",
            self.region and f"region {self.region}",
            f"capacity type {self.capacity_type}" if known else "",
            ", ".join(f"label {key}={value}" for key, value in sorted(self.labels.items())),
            f"{self.gpus} GPUs in one node" if (self.gpus or 0) > 1 else "",
            ", ".join(sorted(name for name in self.devices if name != "nvidia.com/gpu")),
        )
        return ", ".join(part for part in parts if part) or "GPUs"


def wanted(template: PodTemplate, assumed_model: str = "") -> Wanted:
    """What a template asks of its node; a model is assumed only where the template names no GPU."""
    labels = template.hints.node_labels
    instance_type = first_label(labels, INSTANCE_TYPE_LABELS)
    models = template.hints.models or ((assumed_model,) if assumed_model and not instance_type else ())
    milli = template.gpu_milli
    return Wanted(
        models=models,
        instance_type=instance_type,
        region=first_label(labels, REGION_LABELS),
        capacity_type=capacity_type({key: value for key, value in labels.items() if key in _SAID_OTHERWISE}),
        labels={key: value for key, value in labels.items() if key not in _SAID_OTHERWISE},
        devices={name: count for name, count in template.demand.items() if not _portion(name)},
        gpus=None if milli is None else -(-milli // _MILLI),
    )


def fitting(need: Wanted, market: Market) -> tuple[Offer, ...]:
    """The offers that would do. What the price books name counts only where the cluster has no node that would do.

    Of machines that only a price book names it is not known which labels they will have: labels that the offer does
    not speak of are taken as fulfilled, and where the pod names no GPU only offers whose labels say yes count, or all
    if they are of one model.
    """
    live = tuple(offer for offer in market.offers if offer.nodes and _suits(need, offer) and _has_labels(need, offer))
    return live or tuple(_of_the_books(need, market.offers))


def gpus_of_pod(template: PodTemplate, offer: Offer) -> Fraction | None:
    """GPUs that one pod takes on such a node: a slot of a shared GPU is its part. None where unknown."""
    slots = sum(count for name, count in template.demand.items() if _unit(name) in {Unit.DEVICE, Unit.SLOT})
    if offer.slots_per_gpu > 1 and slots:
        return Fraction(slots, offer.slots_per_gpu)
    return None if template.gpu_milli is None else Fraction(template.gpu_milli, _MILLI)


def _of_the_books(need: Wanted, offers: Iterable[Offer]) -> Sequence[Offer]:
    usable = [offer for offer in offers if not offer.nodes and _suits(need, offer) and _may_have_labels(need, offer)]
    said = [offer for offer in usable if need.labels and _has_labels(need, offer)]
    if said:
        return said
    sure = need.named or len({offer.gpu_model for offer in usable}) == 1
    return usable if sure else ()


def _suits(need: Wanted, offer: Offer) -> bool:
    return all(check(need, offer) for check in _CHECKS)


_CHECKS: tuple[Callable[[Wanted, Offer], bool], ...] = (
    lambda need, offer: not need.models or any(_same_model(model, offer.gpu_model) for model in need.models),
    lambda need, offer: need.instance_type.casefold() in {"", offer.instance_type.casefold()} or _of_any(need, offer),
    lambda need, offer: need.region.casefold() in {"", offer.region.casefold()} or not (offer.nodes or offer.region),
    lambda need, offer: _bought_so(need.capacity_type, offer.capacity_type),
    lambda need, offer: not offer.gpus or (need.gpus or 0) <= offer.gpus * offer.slots_per_gpu,
    lambda need, offer: not offer.nodes or all(offer.resources.get(name, 0) >= n for name, n in need.devices.items()),
)


def _same_model(asked: str, offered: str) -> bool:
    """`a100` names the A100 of any memory size."""
    return asked == offered or (offered.startswith(asked) and _SIZE.fullmatch(offered[len(asked) :]) is not None)


def _of_any(need: Wanted, offer: Offer) -> bool:
    """Whether a price book prices the model of the machine that is asked for on whatever machine it stands."""
    machine = machine_type(need.instance_type)
    listed = not offer.nodes and not offer.instance_type
    return machine is not None and listed and machine.gpu_model == offer.gpu_model


def _bought_so(asked: CapacityType, offered: str) -> bool:
    """A node that tells nothing counts as on demand, as for its price."""
    return asked in {CapacityType.UNKNOWN, offered or CapacityType.ON_DEMAND}


def _has_labels(need: Wanted, offer: Offer) -> bool:
    return all(offer.node_labels.get(key) == value for key, value in need.labels.items())


def _may_have_labels(need: Wanted, offer: Offer) -> bool:
    return all(offer.node_labels.get(key, value) == value for key, value in need.labels.items())


def _portion(name: str) -> bool:
    return _unit(name) is Unit.PORTION


def _unit(name: str) -> Unit | None:
    line = accelerator(name)
    return None if line is None else line.unit


def merged(offers: Iterable[Offer]) -> tuple[Offer, ...]:
    """Offers that differ in nothing but labels and quotes not used become one, with the sum of their nodes."""
    kinds: dict[tuple[object, ...], Offer] = {}
    for offer in offers:
        kind = (offer.gpu_model, offer.provider, offer.region, offer.instance_type, offer.capacity_type, offer.quote)
        known = kinds.get(kind)
        kinds[kind] = offer if known is None else replace(known, nodes=known.nodes + offer.nodes)
    return tuple(kinds.values())
