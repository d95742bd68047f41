"""Samples by remote read are those of the API, and where they might differ the API is asked."""

import math
import struct
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.remote.own_labels import external_labels
from aicost.adapters.prometheus.remote.reading import RemoteRead
from aicost.adapters.prometheus.source import PrometheusSource
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import Signal
from support.http_server import Request, serving
from support.remote_read import CONTENT_TYPE, chunk, frame

T0 = 1_700_000_000_000
SPAN = Window(T0, T0 + 120_000)
ACTIVE = "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
STALE = 0x7FF0000000000002
CONFIG = """\
global:
  scrape_interval: 15s
  external_labels:
    cluster: a
    yes: 12:30
scrape_configs:
- job_name: x
"""
PLAIN = "global:\n  scrape_interval: 15s\nscrape_configs: []\n"
OWN = {"cluster": "a", "yes": "12:30"}


def value_of(bits: int) -> float:
    return struct.unpack(">d", struct.pack(">Q", bits))[0]


def shown(value: float) -> str:
    """As Prometheus writes a number."""
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else f"{'+' if value > 0 else '-'}Inf"


def in_parts(items: list, length: int) -> list[list]:
    return [items[start : start + length] for start in range(0, len(items), length)]


@dataclass
class Store:
    """A server with series, that answers the API and remote reads. Samples are moments and the bits of values."""

    series: list[tuple[dict[str, str], list[tuple[int, int]]]] = field(default_factory=list)
    configuration: str = PLAIN
    own: dict[str, str] = field(default_factory=dict)
    clash: bool = False
    chunk_length: int = 3
    read: object = None
    asked: list[str] = field(default_factory=list)

    def respond(self, request: Request) -> None:
        path = request.path.rpartition("/api/v1/")[2]
        if path == "status/config":
            self.asked.append(path)
            request.answer_json({"status": "success", "data": {"yaml": self.configuration}})
        elif path == "read":
            self.asked.append(path)
            self.read(request) if self.read else request.answer(self.frames(), Content_Type=CONTENT_TYPE)
        elif path == "metadata":
            request.answer_json({"status": "success", "data": {}})
        elif "last_over_time" in request.form["query"]:
            result = [{"metric": {}, "value": [1, "1"]}] if self.clash and "cluster!=" in request.form["query"] else []
            request.answer_json({"status": "success", "data": {"resultType": "vector", "result": result}})
        else:
            self.asked.append("query")
            request.answer_json({"status": "success", "data": {"resultType": "matrix", "result": self.matrix()}})

    def matrix(self) -> list[dict[str, object]]:
        every = [(labels, [one for one in samples if one[1] != STALE]) for labels, samples in self.series]
        return [
            {"metric": labels, "values": [[at / 1_000, shown(value_of(bits))] for at, bits in samples]}
            for labels, samples in every
            if samples
        ]

    def frames(self) -> bytes:
        found = []
        for labels, samples in self.series:
            chunks = [chunk(part) for part in in_parts(samples, self.chunk_length)]
            added = dict(sorted((self.own | labels).items()))
            found += [frame(added, part) for part in in_parts(chunks, 2)]
        return b"".join(found)


@contextmanager
def serve(store: Store, **settings: object):
    with serving(store.respond) as served:
        config = PrometheusConfig(served.url, **({"timeout_s": 10.0, "signals": (Signal.ENGINE_ACTIVE,)} | settings))
        yield PrometheusSource(config), PrometheusSource(config, remote=RemoteRead(config))


def seen(found):
    """Series as values that can be compared; NaN is NaN, whatever its bits."""
    return sorted(
        (one.name, sorted(one.labels.items()), one.at_ms.tolist(), [shown(value) for value in one.value.tolist()])
        for one in found
    )


def label_sets(count: int) -> list[dict[str, str]]:
    return [{"__name__": ACTIVE, "UUID": f"GPU-{number}", "instance": "n:9400"} for number in range(count)]


VALUES = st.one_of(st.floats().map(lambda value: struct.unpack(">Q", struct.pack(">d", value))[0]), st.just(STALE))
SAMPLES = st.dictionaries(st.integers(T0 - 5_000, T0 + 130_000), VALUES, max_size=12).map(lambda by: sorted(by.items()))


@pytest.fixture(scope="module")
def both():
    store = Store()
    with serve(store) as sources:
        yield store, *sources


@given(every=st.lists(SAMPLES, max_size=6), own=st.booleans(), length=st.integers(1, 5))
def test_remote_read_and_the_api_give_the_same(both, every, own, length):
    store, api, remote = both
    store.series = list(zip(label_sets(len(every)), every, strict=True))
    store.configuration, store.own, store.chunk_length = (CONFIG, OWN, length) if own else (PLAIN, {}, length)
    assert seen(remote.samples(SPAN)) == seen(api.samples(SPAN))


def series(count: int = 2) -> list[tuple[dict[str, str], list[tuple[int, int]]]]:
    return [(labels, [(T0 + 15_000 * number, number) for number in range(5)]) for labels in label_sets(count)]


def test_the_api_is_asked_for_no_sample_where_remote_read_answers():
    store = Store(series(), CONFIG, OWN)
    with serve(store) as (_, remote):
        (one, other) = remote.samples(SPAN)
    assert store.asked == ["status/config", "read"]
    assert (one.labels, len(other.at_ms)) == ({"UUID": "GPU-0", "instance": "n:9400"}, 5)


def bytes_of(body: bytes, **headers: str):
    return lambda request: request.answer(body, **({"Content_Type": CONTENT_TYPE} | headers))


GOOD = Store(series()).frames()


@pytest.mark.parametrize(
    "read",
    [
        lambda request: request.answer("404 page not found", 404),
        lambda request: request.answer("busy", 503),
        lambda request: request.answer("no", 403),
        lambda request: request.answer("", 302, Location="/login"),
        lambda request: request.drop(),
        lambda request: request.hang(),
        lambda request: request.drip(b"x" * 4_096, 0.05),
        bytes_of(GOOD, Content_Type="application/x-protobuf"),
        bytes_of(b"<html>", Content_Type="text/html"),
        bytes_of(GOOD[:-1]),
        bytes_of(GOOD + b"internal error"),
        lambda request: request.answer(GOOD, length=len(GOOD) + 10, Content_Type=CONTENT_TYPE),
        bytes_of(frame(label_sets(1)[0], [chunk([(T0, 1)])], encoding=4)),
        bytes_of(frame(label_sets(1)[0], [b"\x00\x09" + bytes(9)])),
        bytes_of(frame(label_sets(1)[0], [chunk([(T0, 1)])]) * 3_000),
        bytes_of(frame(label_sets(1)[0], [chunk([(T0 + number, 1) for number in range(60_000)])])),
        bytes_of(b""),
    ],
    ids=[
        "404", "503", "403", "login", "dropped", "hanging", "dripping", "samples", "html", "cut", "error", "short",
        "xor2", "chunk", "much", "many", "nothing",
    ],
)  # fmt: skip
def test_what_a_remote_read_does_not_tell_well_is_asked_of_the_api_in_silence(read):
    store = Store(series(), read=read)
    with serve(store, timeout_s=0.5, max_reply_bytes=50_000) as (api, remote):
        assert seen(remote.samples(SPAN)) == seen(api.samples(SPAN))
    assert store.asked[:2] == ["status/config", "read"]
    assert "query" in store.asked


@pytest.mark.parametrize(
    ("configuration", "more"),
    [
        (f"{PLAIN}remote_read:\n- url: http://store\n", {}),
        ("", {}),
        ("scrape_configs: []\n", {}),
        ("global:\n  external_labels:\n    a: [b\n", {}),
        ("global:\n  external_labels:\n  - a\n", {}),
        ("global:\n  external_labels:\n    a: {b: c}\n", {}),
        (CONFIG, {"matchers": {"cluster": "a"}}),
    ],
    ids=["further-store", "nothing", "no-section", "no-yaml", "list", "nested", "asked-by-label"],
)
def test_a_server_that_may_tell_others_something_else_is_not_asked_by_remote_read(configuration, more):
    store = Store(series(), configuration)
    with serve(store, **more) as (_, remote):
        assert len(remote.samples(SPAN)) == 2
    assert store.asked == ["status/config", "query"]


def test_series_with_a_label_that_the_server_would_add_are_asked_of_the_api():
    mine = [(labels | {"cluster": "a"}, samples) for labels, samples in series()]
    store = Store(mine, CONFIG, OWN, clash=True)
    with serve(store) as (api, remote):
        assert seen(remote.samples(SPAN)) == seen(api.samples(SPAN))
        assert remote.samples(SPAN)[0].labels["cluster"] == "a"
    assert "read" not in store.asked


def test_series_without_the_labels_that_the_server_says_it_adds_are_asked_of_the_api():
    store = Store(series(), CONFIG, {"cluster": "b", "yes": "12:30"})
    with serve(store) as (api, remote):
        assert seen(remote.samples(SPAN)) == seen(api.samples(SPAN))
    assert store.asked[-1] == "query"


def test_labels_that_a_server_adds_are_texts_as_they_stand_there():
    assert external_labels(CONFIG) == OWN
    assert external_labels(PLAIN) == {}
    assert external_labels("global: {}\n") == {}


def test_an_empty_span_asks_nothing():
    store = Store(series())
    with serve(store) as (_, remote):
        assert remote.samples(Window(T0, T0)) == ()
    assert store.asked == []


def test_parts_of_a_series_in_several_frames_are_one_series():
    samples = [(T0 + number, number) for number in range(100)]
    with serve(Store([(label_sets(1)[0], samples)], chunk_length=5)) as (_, remote):
        (one,) = remote.samples(SPAN)
    assert one.at_ms.tolist() == [at_ms for at_ms, _ in samples]
    assert all(before < after for before, after in pairwise(one.at_ms.tolist()))
