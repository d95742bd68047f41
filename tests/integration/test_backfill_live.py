"""The past of fleets, out of a real Prometheus: held against the simulator's truth.

All fleets are in one server, each as a cluster of its own. What differs from the truth is listed here, case by case: it
is never more than one scrape where a time is told by samples alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from zlib import crc32

import pytest

from aicost.adapters.prometheus.history import inventory
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, SECOND_MS, Grid, Window
from aicost.domain.ledger.rows import Component, Row
from aicost.domain.pricing.books import ALWAYS, NodeMatch, NodeSplit, PriceBook, PriceEntry
from aicost.ports.errors import InvalidRequest
from fleet.activity import Steady
from fleet.builders import DOLLAR, node, pod, pod_uid
from fleet.faults import Fault, FaultKind
from fleet.script import Collection, Fleet, Owner, SimExporter, SimNamespace, SimNode, SimPod
from fleet.series import Sample
from support.bills import HELD, billed, check_bill, check_totals, due
from support.history.ksm import State
from support.history.remote_write import with_stale_markers
from support.history.stage import (
    KSM_MS,
    SCRAPE_MS,
    Filled,
    backfill,
    container_samples,
    fill,
    gpu_samples,
    ksm_samples,
    prometheus,
)
from support.pipeline import Pipeline, Way
from support.scripts import random_fleet

pytestmark = pytest.mark.cluster
T = 1_795_600_800_000
SPAN = Window(T, T + 2 * HOUR_MS)
AROUND = Window(T - 10 * MINUTE_MS, SPAN.end_ms + 15 * MINUTE_MS)
NOW = SPAN.end_ms + HOUR_MS
FAITHFUL = Collection(15_000, 0)
LABELS = (("aicost.dev/team", "search"), ("aicost.dev/cost-center", "cc-7"), ("app.kubernetes.io/name", "train"))
CHAIN = (Owner("apps/v1", "ReplicaSet", "chat-7d9", "rs-1"), Owner("apps/v1", "Deployment", "chat", "dep-1"))


def at(minutes: float) -> int:
    return T + round(minutes * 60) * SECOND_MS


def host(name: str, number: int, **more) -> SimNode:
    exporter = SimExporter(
        more.pop("dialect", "4.8.3"),
        ip=f"127.10.0.{number}",
        pod=f"dcgm-{number}",
        collection=FAITHFUL,
        quantised=False,
        honor_labels=more.pop("honor", False),
    )
    return node(name, gpus=2, exporters=(exporter,), **({"booted_ms": T - HOUR_MS} | more))


def lives(name: str, on: SimNode, gpus: tuple[int, ...], since: float, until: float | None = None, **more) -> SimPod:
    """A pod that starts when it is bound; `until` is when its object is gone."""
    life = {"namespace": "team-a", "bound_ms": at(since), "started_ms": at(since), "activity": Steady(Fraction(1, 2))}
    life |= {"deleted_ms": None if until is None else at(until)}
    return pod(name, on, gpus, **(life | more))


def town(**more) -> Fleet:
    """One pod goes on, one ends and stays as an object, one is deleted, one is made again under its name."""
    one, two = host("gpu-a", 1, **more), host("gpu-b", 2, **more)
    pods = (
        lives("goes-on", one, (0,), -5, labels=LABELS, activity=Steady(Fraction(7, 10))),
        lives("ends", one, (1,), 10, 100, started_ms=at(11), finished_ms=at(70)),
        lives("deleted", two, (0,), 20, 80, owners=CHAIN, activity=Steady(Fraction(9, 10))),
        lives("again", two, (1,), -5, 30, uid=pod_uid("team-a", "again", 1)),
        lives("again", two, (1,), 33, 90, uid=pod_uid("team-a", "again", 2), activity=Steady(Fraction(1, 5))),
    )
    return Fleet((one, two), pods, (SimNamespace("team-a", (("aicost.dev/product", "chat"),)),))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prometheus(tmp_path_factory.mktemp("prometheus")) as url:
        yield url


@pytest.fixture
def past(server: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Filled]:
    """Writes a fleet's samples as a cluster of the test's own, and backfills it."""
    cluster = request.node.name

    def play(fleet: Fleet, *parts, span: Window = SPAN, folder: str = "ledger", **more) -> Filled:
        if parts:
            fill(server, *parts, cluster=cluster)
        given = {"fleet": fleet, "matchers": {"cluster": cluster}} | more
        return backfill(server, span, tmp_path / folder, NOW, **given)

    return play


def by_model(model: str = "h100-80gb") -> list[PriceBook]:
    """Four dollars for each GPU of a model, wherever it is."""
    entry = PriceEntry("e", NodeMatch(gpu_model=model), 4 * DOLLAR, None, NodeSplit.RESIDUAL, None, ALWAYS)
    return [PriceBook("by-model", "USD", (entry,))]


def told(fleet: Fleet, **more) -> tuple:
    """What dcgm-exporter and kube-state-metrics showed of a fleet."""
    return gpu_samples(fleet, AROUND), ksm_samples(State(fleet, **more), AROUND)


def flags(rows: Sequence[Row], name: str) -> set[str]:
    return {flag for row in rows if row.holder.pod == name for flag in row.flags}


def check_held(rows: Sequence[Row], fleet: Fleet, within_ms: int, span: Window = SPAN) -> None:
    """Each pod held as long as it did, within so much at each of its two ends."""
    got, want = billed(rows), due(fleet, span)
    for one in fleet.pods:
        mine = sum(line.gpu_ms for key, line in got.items() if key.pod_uid == one.uid and key.bucket in HELD)
        theirs = sum(amount.gpu_ms for key, amount in want.items() if key.pod_uid == one.uid and key.bucket in HELD)
        assert abs(mine - theirs) <= 2 * within_ms * len(one.gpus), f"{one.name}: {mine} ms, due {float(theirs)}"


@pytest.mark.parametrize("honor", [True, False], ids=["honoured", "renamed"])
@pytest.mark.parametrize("dialect", ["4.8.2", "4.8.3", "4.9"])
def test_the_bill_of_the_past_is_the_truth_in_all_dialects_and_label_ways(past, honor, dialect):
    fleet = town(honor=honor, dialect=dialect)
    rows = past(fleet, *told(fleet, honor=honor, replicas=2)).rows
    check_totals(rows, fleet, SPAN)
    check_held(rows, fleet, SCRAPE_MS)
    assert {"backfill", "ksm"} <= flags(rows, "goes-on")
    assert "lifetime-from-samples" not in flags(rows, "goes-on") | flags(rows, "ends")
    assert {"gap", "lifetime-from-samples"} <= flags(rows, "deleted")


def test_what_kube_state_metrics_stamped_is_right_to_the_second(past):
    one = host("gpu-a", 1)
    ends = lives("ends", one, (1,), 10, 100, started_ms=at(11), finished_ms=at(70) + 7_000, failed=True)
    fleet = Fleet((one,), (lives("goes-on", one, (0,), -5), ends))
    check_bill(past(fleet, *told(fleet)).rows, fleet, SPAN)


def test_labels_and_owners_are_as_they_were(past):
    fleet = town()
    rows = past(fleet, *told(fleet)).rows
    (goes_on,) = {tuple(sorted(row.holder.dimensions.items())) for row in rows if row.holder.pod == "goes-on"}
    assert goes_on == (("cost-center", "cc-7"), ("product", "chat"), ("team", "search"))
    assert {row.holder.labels.get("app.kubernetes.io/name") for row in rows if row.holder.pod == "goes-on"} == {"train"}
    assert {(row.holder.controller_kind, row.holder.controller) for row in rows if row.holder.pod == "deleted"} == {
        ("Deployment", "chat")
    }


def test_without_allowed_labels_models_come_from_samples_and_rows_say_so(past):
    fleet = town()
    rows = past(fleet, *told(fleet, labels=()), books=by_model()).rows
    check_totals(rows, fleet, SPAN)
    check_held(rows, fleet, SCRAPE_MS)
    assert {row.place.gpu_model for row in rows} == {"h100-80gb"}
    assert "no-labels" in flags(rows, "goes-on")


def test_without_times_of_scheduling_holdings_begin_with_the_first_sample(past):
    fleet = town()
    without = ("kube_pod_status_scheduled_time", "kube_pod_start_time", "kube_pod_created")
    rows = past(fleet, *told(fleet, without=without)).rows
    check_totals(rows, fleet, SPAN)
    check_held(rows, fleet, KSM_MS)
    assert "lifetime-from-samples" in flags(rows, "ends")


def test_without_requests_the_exporters_labels_say_who_holds_what(past):
    fleet = town()
    rows = past(fleet, *told(fleet, without=("kube_pod_container_resource_requests",))).rows
    check_totals(rows, fleet, SPAN)
    assert "device-from-samples" in flags(rows, "goes-on")
    held = {row.holder.pod for row in rows if row.holder.pod}
    assert held == {"goes-on", "ends", "deleted", "again"}


def test_an_outage_of_kube_state_metrics_ends_no_pod_that_goes_on(past):
    fleet = town()
    rows = past(fleet, *told(fleet, away=((at(70), at(95)),))).rows
    check_totals(rows, fleet, SPAN)
    held = sum(row.gpu_milliseconds for row in rows if row.holder.pod == "goes-on")
    assert held == 2 * HOUR_MS
    assert "gap" in flags(rows, "deleted")
    check_held([row for row in rows if row.holder.pod != "ends"], replace(fleet, pods=fleet.pods[2:3]), SCRAPE_MS)


def test_without_kube_state_metrics_the_kubelets_series_name_the_pods(past):
    fleet = town()
    rows = past(fleet, gpu_samples(fleet, AROUND), container_samples(fleet, AROUND), books=by_model()).rows
    check_totals(rows, fleet, SPAN)
    check_held(rows, fleet, 2 * MINUTE_MS)
    assert {"cadvisor", "no-labels", "node-from-samples", "lifetime-from-samples"} <= flags(rows, "goes-on")


def test_with_gpu_samples_alone_names_and_times_are_those_of_the_samples(past):
    fleet = town()
    rows = past(fleet, gpu_samples(fleet, AROUND), books=by_model()).rows
    check_totals(rows, fleet, SPAN)
    held = {
        name: sum(row.gpu_milliseconds for row in rows if row.holder.pod == name)
        for name in ("goes-on", "ends", "deleted")
    }
    for name, minutes in (("goes-on", 120), ("ends", 59), ("deleted", 60)):
        assert abs(held[name] - minutes * MINUTE_MS) <= 2 * SCRAPE_MS, name
    assert {"node-from-samples", "unseen-pod"} <= flags(rows, "goes-on")


def test_a_backfill_that_was_stopped_goes_on_where_it_stopped(past):
    fleet = town()
    past(fleet, *told(fleet), folder="stopped", windows=1)
    resumed, whole = past(fleet, folder="stopped"), past(fleet, folder="whole")
    assert len({row.window for row in resumed.rows}) == 2
    assert sorted(map(repr, resumed.rows)) == sorted(map(repr, whole.rows))


def test_a_node_that_came_and_one_that_went_are_billed_while_they_were_there(past):
    came, went = host("gpu-a", 1, booted_ms=at(30)), host("gpu-b", 2, removed_ms=at(90))
    fleet = Fleet((came, went), (lives("train", came, (0,), 35), lives("old", went, (0,), -5, 89)))
    rows = past(fleet, *told(fleet)).rows
    there = {name: sum(r.gpu_milliseconds for r in rows if r.place.node == name) for name in ("gpu-a", "gpu-b")}
    assert there["gpu-a"] == 2 * 90 * MINUTE_MS
    assert 0 <= there["gpu-b"] - 2 * 90 * MINUTE_MS <= 2 * KSM_MS


def test_a_gpu_that_was_lost_is_unhealthy_for_as_long_as_it_was(past):
    lost = Fault(FaultKind.LOST, at(40), at(60))
    one = host("gpu-a", 1)
    one = replace(one, faults=(replace(lost, uuids=(one.gpus[1].uuid,)),))
    fleet = Fleet((one,), (lives("train", one, (0,), -5),))
    rows = past(fleet, *told(fleet)).rows
    unhealthy = sum(row.gpu_milliseconds for row in rows if row.bucket.value == "unhealthy")
    assert abs(unhealthy - 20 * MINUTE_MS) <= 2 * KSM_MS
    check_totals(rows, fleet, SPAN)


@pytest.mark.parametrize("skew_minutes", [-60, 60])
def test_a_kubelets_clock_that_is_wrong_is_not_believed(past, skew_minutes):
    one = host("gpu-a", 1, clock_skew_ms=skew_minutes * MINUTE_MS)
    fleet = Fleet((one,), (lives("ends", one, (0,), 10, 100, finished_ms=at(70)),))
    rows = past(fleet, *told(fleet)).rows
    check_held(rows, fleet, KSM_MS)
    check_totals(rows, fleet, SPAN)


def test_down_sampled_history_is_flagged(past):
    fleet = town()
    early, late = Window(AROUND.start_ms, at(60)), Window(at(60), AROUND.end_ms)
    parts = gpu_samples(fleet, early, 5 * MINUTE_MS), gpu_samples(fleet, late)
    rows = past(fleet, *parts, ksm_samples(State(fleet), AROUND)).rows
    first = {flag for row in rows if row.window.start_ms == T for flag in row.flags}
    second = {flag for row in rows if row.window.start_ms == T + HOUR_MS for flag in row.flags}
    assert "coarse-samples" in first
    assert "coarse-samples" not in second
    check_totals(rows, fleet, SPAN)


def test_what_the_server_no_longer_keeps_is_not_billed_and_is_told(past):
    fleet = town()
    filled = past(fleet, *told(fleet), span=Window(T - 30 * HOUR_MS, SPAN.end_ms))
    assert min(row.window.start_ms for row in filled.rows) == T
    assert "shorter than asked" in filled.prepared.cut


def test_several_clusters_in_one_server_must_be_chosen_from(past, server, tmp_path):
    fleet = town()
    past(fleet, *told(fleet))
    fill(server, gpu_samples(fleet, AROUND), cluster="another")
    with pytest.raises(InvalidRequest, match=r"several clusters .*--match"):
        backfill(server, SPAN, tmp_path / "unmatched", NOW, fleet=fleet)


def test_a_ledger_that_begins_later_takes_no_time_before_it(past):
    fleet = town()
    past(fleet, *told(fleet), span=Window(T + HOUR_MS, SPAN.end_ms))
    again = past(fleet)
    assert {row.window.start_ms for row in again.rows} == {T + HOUR_MS}
    assert "another directory" in again.late


def test_a_ledger_that_a_controller_keeps_is_left_alone(past, tmp_path):
    fleet = town()
    with Pipeline(
        tmp_path / "live", fleet, begin_ms=T + HOUR_MS, grid=Grid(HOUR_MS), ledger=tmp_path / "ledger"
    ) as live:
        live.finish(T + 2 * HOUR_MS)
    with pytest.raises(InvalidRequest, match="a controller posts cluster c1"):
        past(fleet, *told(fleet))


def test_the_sums_hold_whatever_kube_state_metrics_hides(past):
    fleet = town()
    hidden = ("kube_node_created", "kube_pod_info", "kube_node_status_capacity")
    check_totals(past(fleet, *told(fleet, without=hidden)).rows, fleet, SPAN)


def test_live_and_backfill_make_the_same_bill_but_for_what_is_told_by_samples_alone(past, tmp_path):
    """The differences: ends of pods that vanished, within a scrape; flags; the exporter's scrapes lie elsewhere."""
    fleet = town()
    rows = past(fleet, *told(fleet)).rows
    begin = T - 10 * MINUTE_MS
    with Pipeline(tmp_path / "live", fleet, begin_ms=begin, way=Way.PROMETHEUS, grid=Grid(HOUR_MS)) as live:
        live.play(SPAN.end_ms + 10 * MINUTE_MS)
        live.close()
        watched = [row for row in live.rows() if row.window.start_ms >= T]
    got, want = billed(rows), billed(watched)
    assert got.keys() == want.keys()
    vanished = {one.uid for one in fleet.pods if one.deleted_ms and not one.finished_ms} | {""}
    for key, line in got.items():
        slack_ms = SCRAPE_MS if key.pod_uid in vanished else 2
        assert abs(line.gpu_ms - want[key].gpu_ms) <= slack_ms * 2, key


def of(one: SimPod) -> dict[str, str]:
    return {"namespace": one.namespace, "pod": one.name, "uid": one.uid}


def quantity(rows: Sequence[Row], component: Component, name: str) -> int:
    return sum(row.quantity for row in rows if row.component is component and row.holder.pod == name)


def test_cpu_memory_and_storage_are_charged_by_what_was_asked_for_and_claimed(past):
    fleet = town()
    goes_on = fleet.pods[0]
    claim = {"namespace": "team-a", "persistentvolumeclaim": "data"}

    def more(at_ms: int):
        for resource, unit, value in (("cpu", "core", 4.0), ("memory", "byte", 8.0 * 2**30)):
            asked = {"container": "main", "resource": resource, "unit": unit, "node": goes_on.node}
            yield "kube_pod_container_resource_requests", of(goes_on) | asked, value
        mounted = {"volume": "v", "persistentvolumeclaim": "data"}
        yield "kube_pod_spec_volumes_persistentvolumeclaims_info", of(goes_on) | mounted, 1
        yield "kube_persistentvolumeclaim_info", claim | {"storageclass": "fast", "volumename": "pv-1"}, 1
        yield "kube_persistentvolumeclaim_created", claim, (T - HOUR_MS) / 1_000
        yield "kube_persistentvolumeclaim_status_phase", claim | {"phase": "Bound"}, 1
        size = 2**30 if at_ms < at(90) else 2**31
        yield "kube_persistentvolumeclaim_resource_requests_storage_bytes", claim, size

    rows = past(fleet, *told(fleet, more=more)).rows
    seconds = SPAN.length_ms // 1_000
    assert quantity(rows, Component.CPU, "goes-on") == 4_000 * seconds
    assert quantity(rows, Component.MEMORY, "goes-on") == 8_192 * seconds
    assert abs(quantity(rows, Component.STORAGE, "goes-on") - 1_024 * (5_400 + 2 * 1_800)) <= 1_024 * KSM_MS // 1_000
    check_totals(rows, fleet, SPAN)


def test_what_nobody_tells_of_is_not_charged_at_nothing(past):
    fleet = town()
    rows = past(fleet, *told(fleet, without=("kube_pod_container_resource_requests",))).rows
    assert {row.component for row in rows} == {Component.GPU}


@pytest.mark.parametrize("later", ["zoo", "ads"])
def test_a_label_that_changed_is_as_it_was_last(past, later):
    fleet = town()
    goes_on = fleet.pods[0]

    def more(at_ms: int):
        team = "mid" if at_ms < at(50) else later
        yield "kube_pod_labels", of(goes_on) | {"label_aicost_dev_team": team}, 1

    rows = past(fleet, *told(fleet, more=more, without=("kube_pod_annotations",), labels=())).rows
    assert {row.holder.dimensions["team"] for row in rows if row.holder.pod == "goes-on"} == {later}


@pytest.mark.parametrize("seed", range(6))
def test_random_fleets_are_billed_as_they_were(past, seed):
    """Pods of seconds and of hours, image pulls, handovers: what no scrape saw cannot be known, and nothing else."""
    span = Window(T, T + HOUR_MS)
    fleet = random_fleet(seed, span.start_ms - 10 * MINUTE_MS, span.end_ms + 15 * MINUTE_MS)
    rows = past(fleet, *told(fleet), span=span).rows
    check_totals(rows, fleet, span)
    got, want = billed(rows), due(fleet, span)
    for one in fleet.pods:
        mine = sum(line.gpu_ms for key, line in got.items() if key.pod_uid == one.uid and key.bucket in HELD)
        theirs = sum(amount.gpu_ms for key, amount in want.items() if key.pod_uid == one.uid and key.bucket in HELD)
        lived_ms = (one.deleted_ms or T * 2) - one.bound_ms
        seen = lived_ms > 2 * KSM_MS
        assert mine - theirs <= 2 * KSM_MS, one.name
        assert theirs - mine <= (2 * KSM_MS if seen else lived_ms), one.name


def test_series_without_uids_still_tell_pods_apart_by_name_and_creation(past):
    fleet = town()
    named = [replace_labels(one, "uid") for one in ksm_samples(State(fleet), AROUND)]
    rows = past(fleet, gpu_samples(fleet, AROUND), named).rows
    check_totals(rows, fleet, SPAN)
    held = {name: sum(row.gpu_milliseconds for row in rows if row.holder.pod == name) for name in ("goes-on", "ends")}
    assert held == {"goes-on": SPAN.length_ms, "ends": 60 * MINUTE_MS}


def replace_labels(one: Sample, dropped: str) -> Sample:
    return one._replace(labels={name: value for name, value in one.labels.items() if name != dropped})


@pytest.mark.parametrize("minutes", [13, 30, 61])
@pytest.mark.parametrize("seed", [None, 0, 3], ids=["town", "random-0", "random-3"])
def test_how_much_is_read_at_once_changes_no_bill(past, monkeypatch, minutes, seed):
    fleet = town() if seed is None else random_fleet(seed, AROUND.start_ms, AROUND.end_ms)
    whole = past(fleet, *told(fleet), folder="whole")
    monkeypatch.setattr(inventory, "CHUNK_MS", minutes * MINUTE_MS)
    parts = past(fleet, folder="parts")
    assert plain(parts.rows) == plain(whole.rows)


@pytest.mark.parametrize("minutes", [13, 30, 61])
def test_outages_and_lost_devices_are_the_same_however_much_is_read_at_once(past, monkeypatch, minutes):
    one = host("gpu-a", 1, removed_ms=at(110))
    one = replace(one, faults=(Fault(FaultKind.LOST, at(29), at(63), uuids=(one.gpus[1].uuid,)),))
    pods = (lives("train", one, (0,), -5, 75), lives("next", one, (0,), 76, 100))
    fleet = Fleet((one,), pods, (SimNamespace("team-a"),))
    monkeypatch.setattr(inventory, "CHUNK_MS", minutes * MINUTE_MS)
    rows = past(fleet, *told(fleet, away=((at(85), at(92)),))).rows
    unhealthy = sum(row.gpu_milliseconds for row in rows if row.bucket.value == "unhealthy")
    assert abs(unhealthy - 34 * MINUTE_MS) <= 2 * KSM_MS
    check_held(rows, fleet, KSM_MS)
    there = sum(row.gpu_milliseconds for row in rows)
    assert 0 <= there - 2 * 110 * MINUTE_MS <= 2 * KSM_MS


@pytest.mark.parametrize("containers", [True, False], ids=["kubelet", "gpus-alone"])
@pytest.mark.parametrize(("begin", "end"), [(60, 140), (-10, 60)], ids=["came-later", "went-earlier"])
def test_where_kube_state_metrics_was_there_for_a_part_nothing_counts_twice(past, monkeypatch, begin, end, containers):
    fleet = town()
    monkeypatch.setattr(inventory, "CHUNK_MS", 30 * MINUTE_MS)
    parts = [gpu_samples(fleet, AROUND), ksm_samples(State(fleet), Window(at(begin), at(end)))]
    parts += [container_samples(fleet, AROUND)] if containers else []
    rows = past(fleet, *parts, books=by_model()).rows
    check_totals(rows, fleet, SPAN)
    held = {
        name: sum(row.gpu_milliseconds for row in rows if row.holder.pod == name) for name in ("goes-on", "deleted")
    }
    assert abs(held["goes-on"] - 120 * MINUTE_MS) <= 2 * MINUTE_MS
    assert abs(held["deleted"] - 60 * MINUTE_MS) <= 4 * MINUTE_MS


def shard(fleet: Fleet, number: int, of_them: int) -> list[Sample]:
    """What one of several kube-state-metrics shows that share the objects; each is scraped a little later."""
    state = State(fleet, extra={"instance": f"10.1.2.{number}:8080"})
    begin = AROUND.start_ms + number * 11_000
    mine = (
        one
        for one in state.samples(begin, AROUND.end_ms, KSM_MS)
        if crc32((one.labels.get("uid") or one.labels.get("node", "")).encode()) % of_them == number
    )
    return with_stale_markers(mine, KSM_MS)


@pytest.mark.parametrize("minutes", [30, 360])
def test_several_kube_state_metrics_may_share_the_objects(past, monkeypatch, minutes):
    one, two = host("gpu-a", 1), host("gpu-b", 2, removed_ms=at(90))
    pods = (*town().pods[:2], lives("deleted", two, (0,), 20, 80), lives("next", two, (0,), 81, 88))
    fleet = Fleet((one, two), pods, (SimNamespace("team-a"),))
    monkeypatch.setattr(inventory, "CHUNK_MS", minutes * MINUTE_MS)
    rows = past(fleet, gpu_samples(fleet, AROUND), *(shard(fleet, number, 2) for number in range(2))).rows
    check_held(rows, fleet, KSM_MS)
    there = {name: sum(row.gpu_milliseconds for row in rows if row.place.node == name) for name in ("gpu-a", "gpu-b")}
    assert there["gpu-a"] == 2 * SPAN.length_ms
    assert abs(there["gpu-b"] - 2 * 90 * MINUTE_MS) <= 2 * KSM_MS


def plain(rows: Sequence[Row]) -> list[str]:
    return sorted(map(repr, rows))
