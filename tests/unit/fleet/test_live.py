"""Live mode without a cluster: objects in, GPUs assigned, exporters shown, and a record that tells the truth."""

import json
from fractions import Fraction

import pytest

from fleet import kubernetes, truth
from fleet.activity import Steady
from fleet.annotations import ACTIVITY, EXPORTER, FAULTS, exporter_from, faults_from
from fleet.builders import gpu_hour, node, pod
from fleet.faults import Fault, FaultKind
from fleet.live import facts
from fleet.live.cluster import LiveFleet
from fleet.live.record import Record, load, past, past_exporters
from fleet.script import Collection, Fleet, SimExporter
from fleet.spec import parse

BASE = 1_795_000_000_000
HOST = node(gpus=4, booted_ms=BASE, exporters=(SimExporter("4.9", collection=Collection(10_000)),))
NODE = kubernetes.node_object(HOST, BASE)


def nobody(pod, text):
    """A sink that keeps nothing."""


def later(seconds):
    return BASE + seconds * 1000


def pod_at(name, seconds, *, gpus=1, activity="0.7", host=HOST, **life):
    life = {what: later(moment) for what, moment in ({"bound_ms": 0, "started_ms": 10} | life).items()}
    simulated = pod(name, host, gpus, **life)
    found = kubernetes.pod_object(Fleet((host,), (simulated,)), simulated, later(seconds))
    if found is not None:
        found["metadata"]["annotations"] = {ACTIVITY: activity}
    return found


def exporter_pod(name="nvidia-dcgm-exporter-abcde", ip="127.64.0.9", phase="Running"):
    labels = {"app": "nvidia-dcgm-exporter"}
    return {
        "metadata": {"name": name, "namespace": "gpu-operator", "uid": f"uid-{name}", "labels": labels},
        "spec": {"nodeName": "gpu-a", "containers": [{"name": "exporter"}]},
        "status": {"phase": phase, "podIP": ip},
    }


@pytest.fixture
def live():
    fleet = LiveFleet(nobody)
    fleet.node_changed(NODE, BASE)
    return fleet


def gpus_of(live):
    indices = {gpu.uuid: gpu.index for gpu in HOST.gpus}
    return {pod.name: [indices[uuid] for uuid in pod.gpus] for pod in live.script().pods}


def test_pods_get_the_first_free_gpus_and_others_wait_until_they_are_released(live):
    live.pod_changed(pod_at("a", 5, gpus=2), later(5))
    live.pod_changed(pod_at("b", 5), later(5))
    live.pod_changed(pod_at("c", 5, gpus=2), later(5))
    assert gpus_of(live) == {"a": [0, 1], "b": [2]}
    live.pod_changed(pod_at("a", 60, gpus=2, finished_ms=60), later(61))
    assert gpus_of(live) == {"a": [0, 1], "b": [2], "c": [0, 1]}


def test_a_pod_that_is_not_bound_or_asks_for_no_gpu_gets_none(live):
    unbound = pod_at("u", 5)
    del unbound["spec"]["nodeName"]
    live.pod_changed(unbound, later(5))
    live.pod_changed(pod_at("cpu-only", 5, gpus=0), later(5))
    assert gpus_of(live) == {}


def test_a_lost_gpu_is_not_given_away():
    lost = (Fault(FaultKind.LOST, BASE, later(600), uuids=(HOST.gpus[0].uuid,)),)
    live = LiveFleet(nobody)
    live.node_changed(kubernetes.node_object(node(gpus=4, booted_ms=BASE, faults=lost), BASE), BASE)
    live.pod_changed(pod_at("a", 5), later(5))
    assert gpus_of(live) == {"a": [1]}


def test_the_life_of_a_pod_is_read_from_its_status(live):
    for second in (5, 20, 100):
        live.pod_changed(pod_at("a", second, finished_ms=90), later(second))
    live.pod_gone(pod_at("a", 100, finished_ms=90), later(130))
    (seen,) = live.script().pods
    assert [seen.bound_ms, seen.started_ms, seen.finished_ms, seen.deleted_ms] == [later(s) for s in (0, 10, 90, 130)]
    assert seen.activity == Steady(Fraction(7, 10))


def test_a_node_clock_that_runs_ahead_is_set_right():
    ahead = node(gpus=4, booted_ms=BASE, clock_skew_ms=3_600_000)
    live = LiveFleet(nobody)
    live.node_changed(kubernetes.node_object(ahead, BASE), BASE)
    live.pod_changed(pod_at("a", 20, host=ahead), later(20))
    assert [live.script().pods[0].bound_ms, live.script().pods[0].started_ms] == [later(0), later(10)]


def test_the_exporter_of_a_node_shows_its_pods_in_its_dialect(live):
    live.pod_changed(exporter_pod(), later(1))
    live.pod_changed(pod_at("a", 20), later(20))
    assert live.exporter_pods() == {"uid-nvidia-dcgm-exporter-abcde": "127.64.0.9"}
    text = live.exporter("uid-nvidia-dcgm-exporter-abcde").answer(later(40)).text
    row = next(line for line in text.splitlines() if line.startswith("DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO"))
    assert 'pod="a"' in row
    assert row.endswith(" 0.700000")


def test_an_exporter_pod_that_is_gone_is_not_served(live):
    live.pod_changed(exporter_pod(phase="Pending"), later(1))
    assert live.exporter_pods() == {}
    live.pod_changed(exporter_pod(), later(2))
    live.pod_gone(exporter_pod(), later(3))
    assert live.exporter_pods() == {}


def test_a_deletion_that_nobody_saw_is_found_by_the_next_list(live):
    live.pod_changed(pod_at("a", 20), later(20))
    live.pods_listed(set(), later(50))
    assert live.script().pods[0].deleted_ms == later(50)


def test_an_annotation_that_makes_no_sense_leaves_the_pod_idle(live, caplog):
    live.pod_changed(pod_at("a", 20, activity="fast"), later(20))
    assert live.script().pods[0].activity == parse("idle")
    assert "pod team-a/a stays idle: activity 'fast' is not understood" in caplog.text


@pytest.fixture
def recorded(tmp_path):
    record = Record(tmp_path / "truth.jsonl")
    live = LiveFleet(record.pod)
    live.node_changed(NODE, BASE)
    live.pod_changed(exporter_pod(), later(0))
    live.pod_changed(pod_at("a", 20, activity="duty:0.9/0.1/40s"), later(20))
    live.pod_changed(pod_at("a", 100, finished_ms=90, activity="duty:0.9/0.1/40s"), later(100))
    record.node(*live.node_life("gpu-a"))
    record.namespace({"metadata": {"name": "team-a", "labels": {"aicost.dev/team": "search"}}})
    return record.path, live


def test_the_record_tells_the_same_truth_as_the_script(recorded):
    path, live = recorded
    fleet = load(path, {"p5.48xlarge": gpu_hour(3_600_000)})
    assert fleet.pods == live.script().pods
    bill = truth.amounts(fleet, BASE, later(120))
    by_bucket = {bucket: amount.nanos for bucket, amount in truth.totals(fleet, bill, "bucket").items()}
    assert by_bucket == {"used": 40_000, "allocated-idle": 50_000, "unallocated": 390_000}
    assert truth.totals(fleet, bill, "team")["search"].gpu_ms == 90_000


def test_a_record_without_prices_counts_time(recorded):
    bill = truth.amounts(load(recorded[0]), BASE, later(120))
    assert all(amount.nanos == 0 and amount.unpriced_ms == amount.gpu_ms > 0 for amount in bill.values())


def test_a_line_that_a_crash_cut_off_is_ignored(recorded):
    path, live = recorded
    with path.open("a") as file:
        file.write('{"kind": "pod", "na')
    assert load(path).pods == live.script().pods


def test_time_before_the_exporter_answered_is_not_measured(live, tmp_path):
    record = Record(tmp_path / "truth.jsonl")
    live.pod_changed(pod_at("a", 20), later(20))
    live.pod_changed(exporter_pod(), later(30))
    record.pod(live.script().pods[0], "0.7")
    record.node(*live.node_life("gpu-a"))
    fleet = load(record.path)
    times = {key.bucket: amount.gpu_ms for key, amount in truth.amounts(fleet, BASE, later(40)).items() if key.pod_uid}
    assert times == {"allocated-unmeasured": 30_000, "used": 7_000, "allocated-idle": 3_000}


def test_a_node_that_was_removed_is_no_longer_billed(live, tmp_path):
    record = Record(tmp_path / "truth.jsonl")
    live.pod_changed(exporter_pod(), later(0))
    live.node_gone(NODE, later(30))
    record.node(*live.node_life("gpu-a"))
    bill = truth.amounts(load(record.path), BASE, later(60))
    assert sum(amount.gpu_ms for amount in bill.values()) == 4 * 30_000


def test_after_a_restart_pods_keep_their_gpus_and_exporters_their_past(recorded):
    path, _ = recorded
    again = LiveFleet(nobody, past(path), past_exporters(path))
    again.node_changed(NODE, later(200))
    again.pod_changed(pod_at("b", 210, bound_ms=205, started_ms=206), later(210))
    assert gpus_of(again) == {"a": [0], "b": [0]}
    assert again.script().nodes[0].exporters[0].serves_from_ms == later(0)


def test_a_node_survives_the_way_through_its_object():
    whole = node(
        gpus=2,
        booted_ms=BASE,
        clock_skew_ms=-5_000,
        price=None,
        exporters=(SimExporter("4.8.2", with_sm=True, without=("engine",), collection=Collection(5_000, 5_000, 100)),),
    )
    faults = (
        Fault(FaultKind.NAN, later(60), later(90), (whole.gpus[1].uuid,), ("util",), 0, 7),
        Fault(FaultKind.GAP, later(0), later(10)),
    )
    whole = node(gpus=2, booted_ms=BASE, clock_skew_ms=-5_000, price=None, exporters=whole.exporters, faults=faults)
    ours = whole.exporters[0]
    life = facts.ExporterLife({"metadata": {"name": ours.pod, "namespace": ours.namespace}}, 0, None)
    back = facts.sim_node(kubernetes.node_object(whole, BASE), [life])
    assert back.faults == whole.faults
    assert (back.model, back.gpus, back.clock_skew_ms, back.booted_ms) == (whole.model, whole.gpus, -5_000, BASE)
    assert back.exporters[0].collection == ours.collection
    assert (back.exporters[0].dialect, back.exporters[0].without, back.exporters[0].with_sm) == (
        "4.8.2",
        ("engine",),
        True,
    )


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (EXPORTER, "4.9", "is no JSON object"),
        (EXPORTER, "{", "is no JSON"),
        (EXPORTER, '{"dialetc": "4.9"}', "field 'dialetc' is not known: use dialect"),
        (FAULTS, "{}", "is no JSON list"),
        (FAULTS, '[{"kind": "gap"}]', "needs kind, from, to"),
        (FAULTS, '[{"kind": "gap", "from": "1s", "to": "2s", "gpus": [9]}]', "gpus by index"),
        (FAULTS, '[{"kind": "gone", "from": "1s", "to": "2s"}]', "'gone' is not a valid FaultKind"),
    ],
)
def test_annotations_that_make_no_sense_are_named(name, text, problem):
    with pytest.raises(ValueError, match=problem):
        exporter_from(text) if name == EXPORTER else faults_from(text, HOST.gpus, BASE)


def test_the_record_is_made_of_json_lines(recorded):
    kinds = [json.loads(line)["kind"] for line in recorded[0].read_text().splitlines()]
    assert kinds == ["pod", "pod", "pod", "node", "namespace"]
