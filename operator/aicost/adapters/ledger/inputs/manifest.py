"""What was kept for one posting: the list of its parts, each by the digest of its content."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from aicost.adapters.ledger.inputs.codec import Fields
from aicost.domain.exact.windows import Window
from aicost.ports.errors import InputsDamaged

FORMAT = 1
"""Of the table, the parts and the list. A higher number is not read."""
_ANCHOR_BITS = 62


@dataclass(frozen=True, slots=True)
class PartRef:
    """Where a part lies.

    Attributes:
        digest: SHA-256 of the content, as hexadecimal digits.
        at_ms: start of the window with which it was written, on the same day.
    """

    digest: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The parts of one posting.

    Attributes:
        software: version of aicost that wrote it.
        fields: the fields that the types of the parts had.
        before: node -> earlier revision whose inputs its rows rest on.
        repriced: the prices of this posting hold for them, too.
    """

    format: int
    software: str
    cluster: str
    window: Window
    revision: int
    fields: Fields
    parts: Mapping[str, PartRef]
    before: Mapping[str, int] = field(default_factory=dict)
    repriced: bool = False


def written(manifest: Manifest) -> bytes:
    """A manifest as bytes: JSON, so that people can read it."""
    return msgspec.json.encode(manifest, order="sorted")


def read_back(body: bytes, where: str) -> Manifest:
    """A manifest from bytes.

    Raises:
        InputsDamaged: it cannot be read, or it is of a newer format.
    """
    try:
        said = msgspec.json.decode(body, type=dict[str, object])
        if said.get("format") != FORMAT:
            raise InputsDamaged(
                f"inputs of {where} are of format {said.get('format')!r}, this aicost reads format {FORMAT}. "
                "To fix: explain with the version of aicost that kept them, or a newer one"
            )
        return msgspec.json.decode(body, type=Manifest)
    except msgspec.MsgspecError as problem:
        raise InputsDamaged(
            f"the list of inputs of {where} cannot be read: {problem}. To fix: restore the ledger's folder `inputs` "
            "from its backup"
        ) from problem


def digest_of(body: bytes) -> str:
    """The digest of a content."""
    return hashlib.sha256(body).hexdigest()


def anchor_of(digest: str) -> int:
    """A digest as the number that the ledger can hold: its first 62 bits."""
    return int(digest, 16) >> (256 - _ANCHOR_BITS)


def content_digest(manifest: Manifest) -> str:
    """What a posting is anchored to: all that is kept, whenever and by whatever version it was written."""
    content = {name: ref.digest for name, ref in sorted(manifest.parts.items())}
    head = (
        manifest.cluster,
        manifest.window,
        manifest.revision,
        dict(sorted(manifest.before.items())),
        manifest.repriced,
    )
    return digest_of(msgspec.json.encode((head, content)))
