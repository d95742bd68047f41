"""Protocol Buffers as they come over the wire: just what reading takes.

The messages that we read have three kinds of fields; a generator, its runtime and its generated code would be more than
this file, and cost the agent memory on every node.
"""

from collections.abc import Iterator

from aicost.ports.errors import InvalidAnswer

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LENGTHS = {_FIXED64: 8, _FIXED32: 4}


def fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each field that holds bytes, a text or a message. Other fields are passed over.

    Raises:
        InvalidAnswer: this is no message.
    """
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            _, at = _varint(data, at)
        elif kind == _BYTES:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise InvalidAnswer(f"field {number} is cut off")
            yield number, data[at : at + length]
            at += length
        elif kind in _LENGTHS:
            at += _LENGTHS[kind]
        else:
            raise InvalidAnswer(f"field {number} is of kind {kind}, which is none")


def text(data: bytes) -> str:
    """A field of text."""
    return data.decode("utf-8", errors="replace")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise InvalidAnswer("a number is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise InvalidAnswer("a number is longer than a number can be")
