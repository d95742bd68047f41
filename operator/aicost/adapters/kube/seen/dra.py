"""Reads ResourceClaims and ResourceSlices, in each version of their API that is served somewhere.

The versions differ in one place that matters here: `v1beta1` keeps what a device is under `basic`.
"""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

import msgspec

from aicost.adapters.kube.seen import shapes
from aicost.adapters.kube.seen.checks import MAX_COUNT, millis, require_identity
from aicost.domain.inventory.dra.claims import AllocatedDevice, ClaimFacts
from aicost.domain.inventory.dra.slices import SliceDevice, SliceFacts
from aicost.domain.inventory.quantities import parse_quantity

MOST_DEVICES = 1_024
"""The API takes no more in one claim or slice."""
_MILLI = Fraction(1, 1_000)
_TEXT_LIMIT = 253
_PROFILE = ("profile", "partitionProfile")
_BUS = ("pciBusID", "pcieBusID", "pciAddr", "pciAddress")
_PRODUCT = ("productName", "model")


class Result(shapes.Shape):
    """One device of an allocation."""

    driver: str = ""
    pool: str = ""
    device: str = ""
    request: str | None = None
    admin_access: bool | None = None
    share_id: str | None = msgspec.field(default=None, name="shareID")
    consumed_capacity: shapes.Quantities | None = None


class Results(shapes.Shape):
    """The devices of an allocation."""

    results: tuple[Result, ...] | None = None


class Allocation(shapes.Shape):
    """What a claim was given."""

    devices: Results | None = None


class Consumer(shapes.Shape):
    """Who may use a claim."""

    resource: str = ""
    name: str = ""
    uid: str = ""


class ClaimState(shapes.Shape):
    """The state of a claim."""

    allocation: Allocation | None = None
    reserved_for: tuple[Consumer, ...] | None = None


class ResourceClaim(shapes.Shape):
    """A ResourceClaim, as far as it is allocated."""

    metadata: shapes.Metadata
    status: ClaimState | None = None


class Attribute(shapes.Shape):
    """An attribute of a device; numbers and versions say nothing that is needed."""

    string: str | None = None


class Capacity(shapes.Shape):
    """How much a device has of something."""

    value: str | int | float | None = None


class Basic(shapes.Shape):
    """What a device is."""

    attributes: dict[str, Attribute] | None = None
    capacity: dict[str, Capacity] | None = None


class Device(Basic):
    """A device of a slice."""

    name: str = ""
    basic: Basic | None = None


class Pool(shapes.Shape):
    """The pool that a slice is a part of."""

    name: str = ""
    generation: int | None = None


class SliceSpec(shapes.Shape):
    """What a slice offers."""

    driver: str = ""
    node_name: str | None = None
    pool: Pool | None = None
    devices: tuple[Device, ...] | None = None


class ResourceSlice(shapes.Shape):
    """A ResourceSlice."""

    metadata: shapes.Metadata
    spec: SliceSpec | None = None


def read_claim(claim: ResourceClaim) -> ClaimFacts:
    """What a claim was given.

    Raises:
        ValueError: it has no identity.
    """
    metadata, status = claim.metadata, claim.status or ClaimState()
    require_identity(metadata, namespaced=True)
    results = ((status.allocation or Allocation()).devices or Results()).results or ()
    return ClaimFacts(
        uid=metadata.uid,
        namespace=metadata.namespace or "",
        name=metadata.name,
        created_ms=millis(metadata.creation_timestamp, "metadata.creationTimestamp"),
        devices=tuple(map(_given, results[:MOST_DEVICES])),
    )


def _given(result: Result) -> AllocatedDevice:
    amounts = _amounts((result.consumed_capacity or {}).items())
    return AllocatedDevice(result.driver, result.pool, result.device, bool(result.admin_access), amounts)


def read_slice(found: ResourceSlice) -> SliceFacts:
    """What a slice offers.

    Raises:
        ValueError: it has no identity.
    """
    metadata, spec = found.metadata, found.spec or SliceSpec()
    require_identity(metadata)
    return SliceFacts(
        uid=metadata.uid,
        name=metadata.name,
        created_ms=millis(metadata.creation_timestamp, "metadata.creationTimestamp"),
        node=spec.node_name or "",
        driver=spec.driver,
        pool=(spec.pool or Pool()).name,
        devices=tuple(map(_device, (spec.devices or ())[:MOST_DEVICES])),
    )


def _device(device: Device) -> SliceDevice:
    basic = device.basic or device
    texts = {_plain(name): (one.string or "")[:_TEXT_LIMIT] for name, one in (basic.attributes or {}).items()}
    capacity = _amounts((name, one.value) for name, one in (basic.capacity or {}).items())
    return SliceDevice(
        name=device.name,
        kind=texts.get("type", ""),
        uuid=texts.get("uuid", ""),
        parent=texts.get("parentUUID", ""),
        bus=_first(texts, _BUS),
        profile=_first(texts, _PROFILE),
        product=_first(texts, _PRODUCT),
        capacity=capacity,
    )


def _plain(name: str) -> str:
    """A name without the domain of the driver before it."""
    return name.rpartition("/")[2]


def _first(texts: Mapping[str, str], names: Iterable[str]) -> str:
    return next((texts[name] for name in names if texts.get(name)), "")


def _amounts(quantities: Iterable[tuple[str, str | int | float | None]]) -> dict[str, int]:
    """Quantities in thousandths of their unit; what makes no sense is left out, and then nobody rests on it."""
    return {_plain(name): amount for name, quantity in quantities for amount in _thousandths(quantity)}


def _thousandths(quantity: str | float | None) -> Iterator[int]:
    try:
        amount = parse_quantity(str(quantity), _MILLI)
    except ValueError:
        return
    if 0 <= amount <= MAX_COUNT:
        yield amount
