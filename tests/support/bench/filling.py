"""Millions of samples into a real Prometheus: the remote-write receiver, and samples as rows of bytes at once."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import urllib3

from support.bench.hour import Series
from support.history.remote_write import field, snappy

SERIES_AT_ONCE = 2_000
_HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
_TIME_BYTES = 6
"""Seven bits in each: enough for the milliseconds of two centuries."""


def fill(url: str, series: Iterable[Series]) -> int:
    """Write all series; gives the number of samples."""
    samples, waiting = 0, iter(series)
    with urllib3.PoolManager(retries=False) as http:
        while batch := list(islice(waiting, SERIES_AT_ONCE)):
            body = snappy(b"".join(field(1, b"".join(_parts(one))) for one in batch))
            answer = http.request("POST", f"{url}/api/v1/write", body=body, headers=_HEADERS)
            assert answer.status in {200, 204}, (answer.status, answer.data[:300])
            samples += sum(len(one.at_ms) for one in batch)
    return samples


def _parts(one: Series) -> Iterator[bytes]:
    for name, value in sorted(one.labels.items()):
        yield field(1, field(1, name.encode()) + field(2, value.encode()))
    yield _samples(one)


def _samples(one: Series) -> bytes:
    """Each sample: its length, a double, and the time as a number of seven bits to the byte."""
    rows = np.zeros((len(one.at_ms), 12 + _TIME_BYTES), np.uint8)
    rows[:, :3] = (0x12, 10 + _TIME_BYTES, 0x09)
    rows[:, 3:11] = one.value.astype("<f8").view(np.uint8).reshape(-1, 8)
    rows[:, 11] = 0x10
    for place in range(_TIME_BYTES):
        more = 0x80 if place < _TIME_BYTES - 1 else 0
        rows[:, 12 + place] = (one.at_ms >> (7 * place) & 0x7F) | more
    return rows.tobytes()
