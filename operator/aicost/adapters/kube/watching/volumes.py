"""The PersistentVolumeClaims that are there, with class and size. Which volume stands behind one is not read."""

from collections.abc import Iterable

import msgspec

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.seen import shapes
from aicost.adapters.kube.seen.checks import MAX_COUNT, millis, require_identity
from aicost.adapters.kube.wire.errors import Expired
from aicost.adapters.kube.wire.resources import VOLUME_CLAIMS
from aicost.domain.inventory.quantities import parse_quantity
from aicost.domain.inventory.volumes import VolumeFacts

_DECODER = msgspec.json.Decoder(shapes.VolumeClaim)
_NO_SPEC, _NO_STATUS, _NO_RESOURCES = shapes.VolumeClaimSpec(), shapes.VolumeClaimStatus(), shapes.Resources()
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"


async def read_volumes(client: KubeClient) -> tuple[VolumeFacts, ...]:
    """All claims that are there now; the list is begun anew, once, where it took longer than the server remembers.

    Raises:
        NotPermitted: they may not be listed.
        ClusterUnavailable, InvalidAnswer: they are not known now; ask again later.
    """
    try:
        return await _list(client)
    except Expired:
        return await _list(client)


async def _list(client: KubeClient) -> tuple[VolumeFacts, ...]:
    pages = [page.items or () async for page in client.pages(VOLUME_CLAIMS)]
    return tuple(_readable(bytes(raw) for items in pages for raw in items))


def _readable(items: Iterable[bytes]) -> Iterable[VolumeFacts]:
    """Claims that make sense; one that does not takes nothing from the others."""
    for raw in items:
        try:
            yield decode_volume(raw)
        except (msgspec.MsgspecError, ValueError):
            continue


def decode_volume(encoded: bytes) -> VolumeFacts:
    """What a claim says.

    Raises:
        ValueError, msgspec.MsgspecError: it has no identity, or is no such object.
    """
    claim = _DECODER.decode(encoded)
    metadata, spec, status = claim.metadata, claim.spec or _NO_SPEC, claim.status or _NO_STATUS
    require_identity(metadata, namespaced=True)
    asked = (spec.resources or _NO_RESOURCES).requests or {}
    size = (status.capacity or {}).get("storage", asked.get("storage", "0"))
    return VolumeFacts(
        uid=metadata.uid,
        namespace=metadata.namespace or "",
        name=metadata.name,
        created_ms=millis(metadata.creation_timestamp, "metadata.creationTimestamp"),
        storage_class=spec.storage_class_name or (metadata.annotations or {}).get(_OLD_CLASS, ""),
        size_bytes=_bytes(str(size)),
        bound=status.phase == "Bound",
    )


def _bytes(quantity: str) -> int:
    try:
        return min(MAX_COUNT, max(0, parse_quantity(quantity)))
    except ValueError:
        return 0
