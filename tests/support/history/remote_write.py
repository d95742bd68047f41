"""Samples into a real Prometheus by its remote-write receiver: a few lines of protobuf, and snappy without packing."""

import struct
from collections import defaultdict
from collections.abc import Iterable

import urllib3

from fleet.series import Sample

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
"""What a scraper writes when a series has gone."""
_BATCH_MS = 600_000


def with_stale_markers(samples: Iterable[Sample], interval_ms: int) -> list[Sample]:
    """The samples of one job, and a marker one interval after the last sample of each run of a series."""
    series: dict[tuple[str, tuple[tuple[str, str], ...]], list[Sample]] = defaultdict(list)
    for one in samples:
        series[one.name, tuple(sorted(one.labels.items()))].append(one)
    found = []
    for members in series.values():
        members.sort(key=lambda one: one.at_ms)
        for one, after in zip(members, [*members[1:], None], strict=True):
            found.append(one)
            if after is None or after.at_ms > one.at_ms + interval_ms:
                found.append(one._replace(at_ms=one.at_ms + interval_ms, value=STALE))
    return found


def push(url: str, samples: Iterable[Sample]) -> None:
    """Write all samples, in the order of their time."""
    batches: dict[int, list[Sample]] = defaultdict(list)
    for one in samples:
        batches[one.at_ms // _BATCH_MS].append(one)
    headers = {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }
    with urllib3.PoolManager(retries=False) as http:
        for _, batch in sorted(batches.items()):
            answer = http.request("POST", f"{url}/api/v1/write", body=snappy(_request(batch)), headers=headers)
            assert answer.status in {200, 204}, (answer.status, answer.data[:300])


def _request(batch: Iterable[Sample]) -> bytes:
    series: dict[tuple[tuple[str, str], ...], list[Sample]] = defaultdict(list)
    for one in batch:
        labels = {"__name__": one.name} | {name: value for name, value in one.labels.items() if value}
        series[tuple(sorted(labels.items()))].append(one)
    return b"".join(field(1, _series(labels, members)) for labels, members in series.items())


def _series(labels: tuple[tuple[str, str], ...], members: list[Sample]) -> bytes:
    named = b"".join(field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in labels)
    ordered = sorted(members, key=lambda one: one.at_ms)
    return named + b"".join(field(2, _sample(one)) for one in ordered)


def _sample(one: Sample) -> bytes:
    return b"\x09" + struct.pack("<d", one.value) + b"\x10" + _varint(one.at_ms)


def field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def snappy(data: bytes) -> bytes:
    """One literal: allowed, and as long as the data."""
    return _varint(len(data)) + b"\xfc" + struct.pack("<I", len(data) - 1) + data
