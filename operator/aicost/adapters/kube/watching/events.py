"""Reads the lines of a watch."""

import msgspec

from aicost.adapters.kube.wire.errors import Status

_INITIAL_END = "k8s.io/initial-events-end"


class Identity(msgspec.Struct, rename="camel"):
    """What an informer itself needs of an object."""

    uid: str = ""
    resource_version: str = ""


class _Identified(msgspec.Struct):
    metadata: Identity


class _BookmarkMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    annotations: dict[str, str] | None = None


class _Bookmark(msgspec.Struct):
    metadata: _BookmarkMeta


class Event(msgspec.Struct):
    """A line of a watch, its object still undecoded."""

    type: str
    object: msgspec.Raw


_events = msgspec.json.Decoder(Event)
_identities = msgspec.json.Decoder(_Identified)
_bookmarks = msgspec.json.Decoder(_Bookmark)
_statuses = msgspec.json.Decoder(Status)


def read_event(line: bytes) -> Event:
    """Split a line into type and object; raises `msgspec.MsgspecError` where it is no event."""
    return _events.decode(line)


def read_identity(raw: msgspec.Raw) -> Identity:
    """The uid and version of an object."""
    return _identities.decode(raw).metadata


def read_bookmark(raw: msgspec.Raw) -> tuple[str, bool]:
    """The version of a bookmark, and whether it ends the initial events of a streamed list."""
    metadata = _bookmarks.decode(raw).metadata
    return metadata.resource_version, (metadata.annotations or {}).get(_INITIAL_END) == "true"


def read_error(raw: msgspec.Raw) -> Status:
    """The Status that an error event carries."""
    return _statuses.decode(raw)
