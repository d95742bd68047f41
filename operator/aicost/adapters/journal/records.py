"""Records of the inventory as bytes. New fields need a default, and old files stay readable."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import msgspec

from aicost.domain.inventory.cluster import NamespaceFacts, QueueFacts, ServiceAccountFacts
from aicost.domain.inventory.dra.claims import ClaimRecord
from aicost.domain.inventory.dra.slices import SliceRecord
from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.inventory.volumes import VolumeRecord


@dataclass(frozen=True, slots=True)
class NamespaceRecord:
    """A namespace, and when it went (None while it is there)."""

    facts: NamespaceFacts
    gone_ms: int | None = None


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """A ServiceAccount, and when it went."""

    facts: ServiceAccountFacts
    gone_ms: int | None = None


@dataclass(frozen=True, slots=True)
class QueueRecord:
    """A queue, and when it went."""

    facts: QueueFacts
    gone_ms: int | None = None


class Kind(StrEnum):
    """What a record is about."""

    POD = "pod"
    NODE = "node"
    NAMESPACE = "namespace"
    ACCOUNT = "account"
    QUEUE = "queue"
    VOLUME = "volume"
    CLAIM = "claim"
    SLICE = "slice"


Record: TypeAlias = (
    PodRecord | NodeRecord | NamespaceRecord | AccountRecord | QueueRecord | VolumeRecord | ClaimRecord | SliceRecord
)

_DECODERS: Mapping[Kind, msgspec.msgpack.Decoder[Record]] = {
    Kind.POD: msgspec.msgpack.Decoder(PodRecord),
    Kind.NODE: msgspec.msgpack.Decoder(NodeRecord),
    Kind.NAMESPACE: msgspec.msgpack.Decoder(NamespaceRecord),
    Kind.ACCOUNT: msgspec.msgpack.Decoder(AccountRecord),
    Kind.QUEUE: msgspec.msgpack.Decoder(QueueRecord),
    Kind.VOLUME: msgspec.msgpack.Decoder(VolumeRecord),
    Kind.CLAIM: msgspec.msgpack.Decoder(ClaimRecord),
    Kind.SLICE: msgspec.msgpack.Decoder(SliceRecord),
}


def encode_record(record: Record) -> bytes:
    """A record as bytes."""
    return msgspec.msgpack.encode(record)


def decode_record(kind: str, body: bytes) -> Record:
    """The record in bytes.

    Raises:
        ValueError: the bytes are no such record, or the kind is unknown.
    """
    try:
        return _DECODERS[Kind(kind)].decode(body)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
