"""What a replay knows when: objects of later, of before, gone unseen, owned, relabelled, priced late."""

import json
from pathlib import Path
from typing import Any

import pytest

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window, to_rfc3339
from aicost.domain.ledger.rows import HELD, Component, Row
from aicost.entrypoints.cli.replay.run import NO_PRICES, Wanted, replay
from aicost.ports.errors import InvalidRequest
from support.bundles import event, head, write

T = 1_795_600_800_000
SPAN = Window(T, T + 3 * HOUR_MS)
NODE = {
    "kind": "Node",
    "metadata": {"name": "n", "labels": {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}},
    "status": {"capacity": {"nvidia.com/gpu": "1"}, "allocatable": {"nvidia.com/gpu": "1"}},
}


def book(price: str) -> dict[str, Any]:
    entry = {"name": "e", "match": {"gpuModel": "h100-80gb"}, "perGpuHour": price}
    return {"kind": "PriceBook", "metadata": {"name": "b"}, "spec": {"currency": "USD", "entries": [entry]}}


def space(team: str) -> dict[str, Any]:
    return {"kind": "Namespace", "metadata": {"name": "ns", "labels": {"aicost.dev/team": team}}}


def pod(*, bound: bool = True, **metadata: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "i", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    spec = {"containers": [container], **({"nodeName": "n"} if bound else {})}
    return {"kind": "Pod", "metadata": {"name": "p", "namespace": "ns", **metadata}, "spec": spec}


def at(hours: float) -> int:
    return T + round(hours * HOUR_MS)


def rows_of(tmp_path: Path, *events: dict[str, Any]) -> list[Row]:
    bundle = write(tmp_path / "bundle", head(SPAN.start_ms, SPAN.end_ms), events)
    replay(Wanted(str(bundle), str(tmp_path / "ledger")), lambda _: None)
    found = DeltaLedger(str(tmp_path / "ledger")).rows(SPAN)
    return [row for row in found if row.component is Component.GPU]


def held(rows: list[Row]) -> list[float]:
    """Hours that pods held, window by window."""
    return [
        sum(row.gpu_milliseconds for row in rows if row.window.start_ms == at(hour) and row.bucket in HELD) / HOUR_MS
        for hour in range(3)
    ]


def test_what_is_listed_at_the_end_was_there_since_its_creation(tmp_path):
    made = pod(creationTimestamp=to_rfc3339(at(0.5)))
    there = {**NODE, "metadata": {**NODE["metadata"], "creationTimestamp": to_rfc3339(at(-9))}}
    rows = rows_of(tmp_path, event(at(3), there), event(at(3), made))
    assert held(rows) == [0.5, 1, 1]
    assert sum(row.gpu_milliseconds for row in rows) == 3 * HOUR_MS


@pytest.mark.parametrize("change", ["MODIFIED", "DELETED"])
def test_a_pod_that_was_never_added_was_simply_there(tmp_path, change):
    made = pod(creationTimestamp=to_rfc3339(at(0.5)))
    rows = rows_of(tmp_path, event(at(-1), NODE), event(at(1.25), made, change))
    assert held(rows) == ([0.5, 0.25, 0] if change == "DELETED" else [0.5, 1, 1])


def test_a_pod_is_bound_when_it_was_first_shown_on_a_node(tmp_path):
    events = (event(at(0.25), pod(bound=False)), event(at(0.75), pod(), "MODIFIED"), event(at(1.5), pod(), "DELETED"))
    assert held(rows_of(tmp_path, event(at(-1), NODE), *events)) == [0.25, 0.5, 0]


def test_a_name_that_is_used_again_is_another_pod(tmp_path):
    lives = [
        event(at(0.25), pod()),
        event(at(0.5), pod(), "DELETED"),
        event(at(1), pod()),
        event(at(2), pod(), "DELETED"),
    ]
    rows = rows_of(tmp_path, event(at(-1), NODE), *lives)
    assert held(rows) == [0.25, 1, 0]
    assert len({row.holder.pod_uid for row in rows if row.holder.pod}) == 2


def test_a_deletion_that_nobody_saw_ends_within_its_gap(tmp_path):
    gone = event(at(1.5), pod(), "DELETED") | {"unseenSince": to_rfc3339(at(1.25))}
    rows = rows_of(tmp_path, event(at(-1), NODE), event(at(0), pod()), gone)
    assert held(rows)[0] == 1
    assert 0.25 <= held(rows)[1] <= 0.5
    assert any("gap" in row.flags for row in rows)


def test_labels_and_prices_hold_from_when_they_were_seen_on(tmp_path):
    said = [event(at(0), space("red")), event(at(1.5), space("blue"), "MODIFIED")]
    prices = [event(at(0), book("1")), event(at(2.5), book("7"), "MODIFIED")]
    rows = rows_of(tmp_path, event(at(-1), NODE), event(at(0), pod()), *said, *prices)
    by_hour = {row.window.start_ms: row for row in rows if row.holder.pod}
    assert [by_hour[at(hour)].holder.dimensions["team"] for hour in range(3)] == ["red", "blue", "blue"]
    assert [by_hour[at(hour)].cost_nanos for hour in range(3)] == [10**9, 10**9, 7 * 10**9]


def test_owners_are_found_in_the_bundle_link_by_link(tmp_path):
    job = {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "controller": True}
    top = {"apiVersion": "x/v1", "kind": "Pipeline", "name": "t", "controller": True}
    owners = [
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "ns",
                                                                 "ownerReferences": [top]}},
        {"apiVersion": "x/v1", "kind": "Pipeline", "metadata": {"name": "t", "namespace": "ns",
                                                                "labels": {"aicost.dev/team": "green"}}},
    ]  # fmt: skip
    late = [event(at(2), one) for one in owners]
    rows = rows_of(tmp_path, event(at(-1), NODE), event(at(0), pod(ownerReferences=[job])), *late)
    assert {row.holder.dimensions.get("team") for row in rows if row.holder.pod} == {"green"}
    assert {row.holder.controller_kind for row in rows if row.holder.pod} == {"Pipeline"}


def test_replaying_again_adds_nothing_goes_on_where_it_stopped_and_refuses_another_truth(tmp_path):
    events = [event(at(-1), NODE), event(at(0), pod()), event(at(0), book("1"))]
    half = write(tmp_path / "half", head(T, at(2)), events)
    whole = write(tmp_path / "whole", head(T, at(3)), events)
    other = write(tmp_path / "other", head(T, at(3)), [*events[:2], event(at(0), book("2"))])
    ledger = str(tmp_path / "ledger")
    done = [replay(Wanted(str(one), ledger), lambda _: None) for one in (half, half, whole)]
    assert [(one.posted, one.there) for one in done] == [(2, 0), (0, 2), (1, 2)]
    with pytest.raises(InvalidRequest, match="holds something else for this time of cluster 'c1'"):
        replay(Wanted(str(other), ledger), lambda _: None)
    assert DeltaLedger(ledger).sums(SPAN, (), {})[0].cost_nanos == 3 * 10**9


def test_without_prices_nothing_is_guessed_and_what_is_ignored_is_counted(tmp_path):
    odd = {"apiVersion": "example.dev/v1", "kind": "Gadget", "metadata": {"name": "g"}}
    bundle = write(tmp_path / "bundle", head(T, at(1)), [event(at(-1), NODE), event(at(0), pod()), event(at(0), odd)])
    told = replay(Wanted(str(bundle), str(tmp_path / "ledger")), lambda _: None).document()
    assert told["costNanos"] == {}
    assert told["gpuMilliseconds"] == HOUR_MS
    assert list(told["unpricedNodes"]) == ["n"]
    assert told["ignoredKinds"] == {"Gadget": 1}
    assert NO_PRICES in told["remarks"]
    assert json.dumps(told)


def test_bounds_inside_a_billing_window_cut_it(tmp_path):
    bundle = write(tmp_path / "b", head(T + 10 * MINUTE_MS, at(1.5)), [event(at(-1), NODE), event(at(0), book("6"))])
    replay(Wanted(str(bundle), str(tmp_path / "ledger")), lambda _: None)
    rows = DeltaLedger(str(tmp_path / "ledger")).rows(SPAN)
    assert sorted({row.window for row in rows}) == [Window(T + 10 * MINUTE_MS, at(1)), Window(at(1), at(1.5))]
    assert sum(row.cost_nanos for row in rows) == 8 * 10**9
