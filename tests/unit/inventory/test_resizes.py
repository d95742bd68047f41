"""Requests of a pod over resizes in place, from what a watch shows to what it asked for piece by piece."""

from dataclasses import replace

import msgspec
import pytest

from aicost.adapters.journal.records import Kind, decode_record, encode_record
from aicost.adapters.kube.seen.decode import decode_pod
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.inventory.lifetimes import advance_pod
from aicost.domain.inventory.pods import RequestStep
from aicost.domain.inventory.resizes import MOST_STEPS, requests_over
from support.builders import T0, make_pod

HOUR = Window(T0, T0 + HOUR_MS)
GIB = 2**30


def asking(millis, memory=GIB):
    return replace(make_pod("a", "p").bound(T0).running().facts(), cpu_millis=millis, memory_bytes=memory)


def after(*sightings):
    """The record after (minute, millis) ..."""
    record = None
    for minute, millis in sightings:
        record = advance_pod(record, asking(millis), T0 + minute * MINUTE_MS)
    return record


def pieces(record, span=HOUR):
    return [(piece.length_ms // MINUTE_MS, cpu) for piece, cpu, _ in requests_over(record, span)]


def test_a_pod_that_is_resized_asks_piece_by_piece():
    assert pieces(after((0, 500), (15, 2_000), (30, 2_000), (45, 1_000))) == [(15, 500), (30, 2_000), (15, 1_000)]


def test_spans_before_and_after_a_resize_know_what_held_in_them():
    record = after((0, 500), (15, 2_000))
    assert pieces(record, Window(T0, T0 + 10 * MINUTE_MS)) == [(10, 500)]
    assert pieces(record, Window(T0 + 15 * MINUTE_MS, HOUR.end_ms)) == [(45, 2_000)]


def test_a_pod_that_is_seen_again_as_it_was_was_not_resized():
    assert after((0, 500), (1, 500)).requests == ()


def test_what_a_pod_asked_for_before_it_was_bound_held_nothing():
    pending = replace(make_pod("a", "p").facts(), cpu_millis=100)
    record = advance_pod(advance_pod(None, pending, T0), asking(500), T0 + MINUTE_MS)
    assert record.requests == ()


def test_a_storm_of_resizes_is_bounded_and_takes_the_larger_request():
    record = advance_pod(None, asking(1), T0)
    for second in range(1, 2 * MOST_STEPS):
        record = advance_pod(record, asking(second + 1), T0 + second * 1_000)
    assert len(record.requests) == MOST_STEPS
    assert record.requests[0] == RequestStep(T0 + MOST_STEPS * 1_000, MOST_STEPS, GIB)


def test_records_of_before_requests_were_kept_are_read():
    record = after((0, 500), (15, 2_000))
    older = msgspec.msgpack.decode(encode_record(record))
    del older["requests"], older["facts"]["cpu_millis"], older["facts"]["memory_bytes"], older["facts"]["volumes"]
    back = decode_record(Kind.POD, msgspec.msgpack.encode(older))
    assert (back.requests, back.facts.cpu_millis, back.facts.volumes) == ((), 0, ())
    assert decode_record(Kind.POD, encode_record(record)) == record


def seen(spec=None, status=None, **resources):
    manifest = make_pod("a", "p").bound(T0).manifest()
    manifest["spec"]["containers"][0]["resources"] = resources
    manifest["spec"] |= spec or {}
    manifest["status"] |= status or {}
    return decode_pod(msgspec.json.encode(manifest)).facts


def test_requests_are_counted_as_the_scheduler_counts():
    init = [
        {"name": "big", "resources": {"requests": {"cpu": "3"}}},
        {"name": "side", "restartPolicy": "Always", "resources": {"requests": {"cpu": "250m", "memory": "64Mi"}}},
    ]
    facts = seen({"initContainers": init}, requests={"cpu": "1500m", "memory": "1Gi"})
    assert (facts.cpu_millis, facts.memory_bytes) == (3_000, GIB + 64 * 2**20)


def test_a_limit_stands_for_a_request_that_is_not_stated():
    assert seen(limits={"cpu": 2}).cpu_millis == 2_000


def test_requests_of_the_pod_as_a_whole_and_overhead_of_its_runtime_count():
    spec = {"resources": {"requests": {"cpu": "4"}}, "overhead": {"cpu": "100m", "memory": "120Mi"}}
    facts = seen(spec, requests={"cpu": "1", "memory": "1Gi"})
    assert (facts.cpu_millis, facts.memory_bytes) == (4_100, GIB + 120 * 2**20)


def test_of_a_resize_that_the_node_has_not_granted_nothing_is_held():
    status = {"containerStatuses": [{"name": "main", "allocatedResources": {"cpu": "1", "memory": "1Gi"}}]}
    facts = seen(None, status, requests={"cpu": "64", "memory": "1Gi"})
    assert facts.cpu_millis == 1_000


@pytest.mark.parametrize("quantity", ["-1", "1e99", "nonsense", "", "9" * 40])
def test_an_absurd_request_takes_no_pod_away(quantity):
    facts = seen(requests={"cpu": quantity, "memory": quantity, "nvidia.com/gpu": "1"})
    assert facts.devices == {"nvidia.com/gpu": 1}
    assert 0 <= facts.cpu_millis <= 2**53


def test_claims_are_those_that_are_named_and_those_that_are_made_for_the_pod():
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "corpus"}},
        {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
        {"name": "conf", "configMap": {"name": "x"}},
    ]
    assert seen({"volumes": volumes}).volumes == ("corpus", "p-scratch")
