"""What a Prometheus is asked and answers at its endpoint for remote reads: Protocol Buffers, just what this takes.

| Message | Field | What it holds |
|---|---|---|
| ReadRequest | 1, 2 | Query; kind of answer: 1 for chunks as they are kept |
| Query | 1, 2, 3 | first and last moment; LabelMatcher |
| LabelMatcher | 1, 2, 3 | 0 equal, 2 a regular expression; name; value |
| ChunkedReadResponse | 1 | ChunkedSeries, one |
| ChunkedSeries | 1, 2 | Label; Chunk |
| Label | 1, 2 | name; value |
| Chunk | 1, 2, 3, 4 | first and last moment; encoding: 1 for plain samples; bytes |

An answer is a row of frames: a length, a checksum of four bytes, a ChunkedReadResponse. All fields come in their order,
since that is how all servers write them; what differs in anything is refused, and the API can be asked instead.
"""

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from aicost.domain.exact.windows import Window

EQUAL, REGEX = 0, 2
_CHECKSUM = 4
_FIRST, _SECOND, _FOURTH = 0x0A, 0x12, 0x22
"""Tags of fields that hold bytes."""
_MORE = 0x80
_LONGEST = 28
"""Bits of a length."""
_CHUNK = re.compile(rb"\x08[\x80-\xff]{0,9}[\x00-\x7f]\x10[\x80-\xff]{0,9}[\x00-\x7f]\x18\x01")
"""Its moments, and that it holds plain samples."""
_LITERAL = b"\xfc"
"""Of snappy: what follows stands for itself; four bytes tell how many bytes that is, less one."""


class Matcher(NamedTuple):
    """A label that all series must have, by its value or by a regular expression for the whole of it."""

    kind: int
    name: str
    value: str


class Series(NamedTuple):
    """A series, or a part of it.

    Attributes:
        key: the labels as they came.
        chunks: chunks of plain samples.
    """

    key: bytes
    labels: Mapping[str, str]
    chunks: tuple[bytes, ...]


class KnownLabels(dict[bytes, tuple[str, str]]):
    """Name and value of labels as they came. Each is read once: series share most of theirs."""

    def __missing__(self, label: bytes) -> tuple[str, str]:
        start, end = _field(label, 0, _FIRST)
        first, last = _field(label, end, _SECOND)
        if last != len(label):
            raise ValueError("a label with more than a name and a value")
        found = self[label] = label[start:end].decode(), label[first:last].decode()
        return found


def request(matchers: Iterable[Matcher], span: Window) -> bytes:
    """A question for the chunks of all series that match and may have samples in a half-open span."""
    wanted = (_number(1, kind) + _bytes(2, name.encode()) + _bytes(3, value.encode()) for kind, name, value in matchers)
    query = _number(1, span.start_ms) + _number(2, span.end_ms - 1) + b"".join(_bytes(3, one) for one in wanted)
    body = _bytes(1, query) + _number(2, 1)
    return _varint(len(body)) + _LITERAL + struct.pack("<I", len(body) - 1) + body


def frames(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The content of each frame of an answer that comes in pieces.

    Raises:
        ValueError: these are no frames, or the last one is not whole.
    """
    left = b""
    for piece in pieces:
        data, at = left + piece, 0
        while (bounds := _frame(data, at)) is not None:
            start, at = bounds
            yield data[start:at]
        left = data[at:]
    if left:
        raise ValueError("an answer that ends within a frame")


def series(frame: bytes, known: KnownLabels) -> Series:
    """The series of a frame.

    Raises:
        ValueError: the frame holds something else.
    """
    start, end = _field(frame, 0, _FIRST)
    if end != len(frame):
        raise ValueError("a frame with more than one series")
    at, labels = start, {}
    while at < end and frame[at] == _FIRST:
        first, at = _field(frame, at, _FIRST)
        name, value = known[frame[first:at]]
        labels[name] = value
    return Series(frame[start:at], labels, tuple(_chunks(frame, at)))


def _chunks(frame: bytes, at: int) -> Iterator[bytes]:
    size = len(frame)
    while at < size:
        start, end = _field(frame, at, _SECOND)
        head = _CHUNK.match(frame, start, end)
        if head is None:
            raise ValueError("a chunk of another kind than plain samples")
        start, at = _field(frame, head.end(), _FOURTH)
        if at != end:
            raise ValueError("a chunk that is not as long as it says")
        yield frame[start:end]


def _frame(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the content of a frame begins and ends; None where it is not whole yet."""
    try:
        length, at = _length(data, at)
    except IndexError:
        return None
    start = at + _CHECKSUM
    return (start, start + length) if start + length <= len(data) else None


def _field(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Where the content of a field begins and ends."""
    try:
        found, length, start = data[at], data[at + 1], at + 2
        if length >= _MORE:
            length, start = _length(data, at + 1)
    except IndexError:
        raise ValueError(f"a field that is cut off at byte {at}") from None
    if found != tag or start + length > len(data):
        raise ValueError(f"no whole field {tag >> 3} at byte {at}")
    return start, start + length


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A length, and the place behind it."""
    byte = data[at]
    if byte < _MORE:
        return byte, at + 1
    length, shift = byte - _MORE, 7
    while (byte := data[at := at + 1]) >= _MORE:
        length |= (byte - _MORE) << shift
        shift += 7
        if shift > _LONGEST:
            raise ValueError("a length that is none")
    return length | byte << shift, at + 1


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _bytes(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value >= _MORE:
        found.append(value & (_MORE - 1) | _MORE)
        value >>= 7
    return bytes([*found, value])
