"""What a Prometheus answers to remote reads, written sample by sample and bit by bit."""

import struct
from collections.abc import Iterable, Mapping, Sequence

from support.history.remote_write import field

CONTENT_TYPE = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"
_ALL = (1 << 64) - 1
_SIZES = ((14, 0b10, 2), (17, 0b110, 3), (20, 0b1110, 4))


def varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def bits_of(value: float) -> int:
    return struct.unpack(">Q", struct.pack(">d", value))[0]


class _Writer:
    def __init__(self) -> None:
        self.text = ""
        self.zeros, self.after = None, 0

    def put(self, number: int, size: int) -> None:
        self.text += f"{number & ((1 << size) - 1):0{size}b}" if size else ""

    def whole(self, data: bytes) -> None:
        for byte in data:
            self.put(byte, 8)

    def change(self, change: int) -> None:
        if change == 0:
            self.put(0, 1)
            return
        for size, sign, length in _SIZES:
            if -(1 << (size - 1)) + 1 <= change <= 1 << (size - 1):
                self.put(sign, length)
                self.put(change, size)
                return
        self.put(0b1111, 4)
        self.put(change, 64)

    def value(self, differs: int) -> None:
        if differs == 0:
            self.put(0, 1)
            return
        zeros, after = min(64 - differs.bit_length(), 31), (differs & -differs).bit_length() - 1
        if self.zeros is not None and zeros >= self.zeros and after >= self.after:
            self.put(0b10, 2)
        else:
            self.zeros, self.after = zeros, after
            self.put(0b11, 2)
            self.put(zeros, 5)
            self.put(64 - zeros - after, 6)
        self.put(differs >> self.after, 64 - self.zeros - self.after)


def chunk(samples: Sequence[tuple[int, int]]) -> bytes:
    """A chunk of times and values, the latter as their 64 bits."""
    out, distance = _Writer(), 0
    for number, (at_ms, value) in enumerate(samples):
        before_ms, before = samples[number - 1]
        if number == 0:
            out.whole(varint((at_ms << 1 ^ at_ms >> 63) & _ALL))
            out.put(value, 64)
            continue
        if number == 1:
            distance = at_ms - before_ms
            out.whole(varint(distance & _ALL))
        else:
            out.change(at_ms - before_ms - distance)
            distance = at_ms - before_ms
        out.value(value ^ before)
    text = out.text + "0" * (-len(out.text) % 8)
    return struct.pack(">H", len(samples)) + int(text or "0", 2).to_bytes(len(text) // 8)


def frame(labels: Mapping[str, str], chunks: Iterable[bytes], encoding: int = 1) -> bytes:
    """A frame of one series; its checksum is none."""
    named = [field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in labels.items()]
    moments = b"\x08" + varint(1_700_000_000_000) + b"\x10" + varint(1_700_000_060_000)
    held = [field(2, moments + b"\x18" + varint(encoding) + field(4, one)) for one in chunks]
    content = field(1, b"".join((*named, *held)))
    return varint(len(content)) + bytes(4) + content
