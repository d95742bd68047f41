"""Expositions: every dialect is valid text, and what it shows integrates to the truth."""

from fractions import Fraction

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fleet import truth
from fleet.activity import Steady
from fleet.builders import node, pod
from fleet.exporter.dialects import DIALECTS
from fleet.exporter.text import Exporter
from fleet.faults import Fault, FaultKind
from fleet.script import Collection, Fleet, SimExporter
from fleet.spec import parse

NOW = 600_000


def exporter(*faults, pods=1, gpus=2, activity="0.714", finished_ms=None, **options):
    host = node(gpus=gpus, exporters=(SimExporter(**options),), faults=faults)
    running = tuple(
        pod(f"train-{i}", host, gpus=(i,), activity=parse(activity), finished_ms=finished_ms) for i in range(pods)
    )
    return Exporter(Fleet((host,), running), host.name)


def samples(text):
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def values(text, name):
    return [sample.value for sample in samples(text) if sample.name in (name, f"{name}_total")]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_is_text_that_a_prometheus_parser_reads(dialect):
    text = exporter(Fault(FaultKind.ODD_LABELS, 0, 2 * NOW), dialect=dialect, with_sm=True).answer(NOW).text
    names = {field.name for field in DIALECTS[dialect].fields}
    assert {sample.name.removesuffix("_total") for sample in samples(text)} == {n.removesuffix("_total") for n in names}
    assert len(samples(text)) == 2 * len(names)
    assert {sample.labels["label_note"] for sample in samples(text)} == {'say "hi"\\ \n' + "ü" * 4096}


def test_a_row_of_a_held_gpu_looks_like_the_real_one():
    row = next(
        line for line in exporter(dialect="4.8.2").answer(NOW).text.splitlines() if line.startswith("DCGM_FI_PROF_GR")
    )
    assert row == (
        'DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu="0",UUID="GPU-d88a67bb-d6a9-59ae-8c56-c30fb76cfdaa",'
        'pci_bus_id="00000000:0F:00.0",device="nvidia0",modelName="NVIDIA H100 80GB HBM3",Hostname="gpu-a",'
        'DCGM_FI_DRIVER_VERSION="580.105.08",container="main",namespace="team-a",pod="train-0"} 0.714000'
    )


@pytest.mark.parametrize(
    ("dialect", "util", "used"),
    [
        ("4.8.2", ("DCGM_FI_DEV_GPU_UTIL", 71), ("DCGM_FI_DEV_FB_USED", 40_779)),
        ("4.8.3", ("DCGM_FI_DEV_GPU_UTIL", 71), ("DCGM_FI_DEV_FB_USED", 40_779)),
        ("4.9", ("DCGM_FI_DEV_GPU_UTIL_RATIO", 0.71), ("DCGM_FI_DEV_FB_USED_BYTES", 40_779 * 2**20)),
        ("4.9-percent", ("DCGM_FI_DEV_GPU_UTIL_RATIO", 71), ("DCGM_FI_DEV_FB_USED_BYTES", 40_779 * 2**20)),
    ],
)
def test_units_follow_the_dialect(dialect, util, used):
    text = exporter(dialect=dialect).answer(NOW).text
    assert [values(text, util[0])[0], values(text, used[0])[0]] == [util[1], used[1]]


def test_an_idle_gpu_has_no_pod_labels_or_empty_ones():
    def idle(dialect):
        return samples(exporter(dialect=dialect).answer(NOW).text)[1].labels

    assert "pod" not in idle("4.8.3")
    assert [idle("fake-operator")[name] for name in ("pod", "namespace", "container")] == ["", "", ""]


def test_the_host_label_and_the_pod_uid_depend_on_the_dialect():
    def labels(**options):
        return samples(exporter(**options).answer(NOW).text)[0].labels

    assert "Hostname" in labels(dialect="4.8.2")
    assert "hostname" in labels(dialect="4.8.3")
    assert "pod_uid" not in labels(dialect="4.8.2", pod_uid=True)
    assert labels(dialect="4.8.3", pod_uid=True)["pod_uid"]


@pytest.mark.parametrize("activity", ["0.7", "duty:0.9/0.1/40s", "ramp:0.1/0.9/5/60s", "burst:0.05/0.95/5m/20s"])
def test_gauges_read_at_the_window_integrate_to_the_truth(activity):
    window = 30_000
    source = exporter(activity=activity, gpus=1, quantised=False, collection=Collection(window_ms=window))
    name = "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
    integrated = sum(values(source.text(at), name)[0] * window for at in range(window, 3_600_001, window))
    fleet = Fleet((source.view.node,), (pod("train-0", source.view.node, activity=parse(activity)),))
    bill = truth.totals(fleet, truth.amounts(fleet, 0, 3_600_000), "bucket")
    assert integrated == pytest.approx(float(bill["used"].gpu_ms), rel=1e-12)


def test_the_energy_counter_integrates_power_exactly():
    source = exporter(activity="duty:1/0/40s", gpus=1)
    text_values = [values(source.text(at), "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")[0] for at in (40_000, 80_000)]
    assert text_values == [40_000 * 70 + 20_000 * 630, 2 * (40_000 * 70 + 20_000 * 630)]


def test_an_exporter_with_its_own_beat_repeats_values_between_two_beats():
    source = exporter(
        activity="ramp:0/1/11/30s", collection=Collection(tick_ms=30_000, window_ms=30_000, phase_ms=7_000)
    )
    name = "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
    seen = [values(source.text(at), name)[0] for at in (67_000, 82_000, 96_999, 97_000)]
    assert seen[0] == seen[1] == seen[2] < seen[3]


def test_a_short_window_loses_what_happened_between():
    source = exporter(activity="duty:1/0/30s", collection=Collection(tick_ms=30_000, window_ms=1_000))
    assert values(source.text(60_000), "DCGM_FI_PROF_GR_ENGINE_ACTIVE")[0] == 0


def always(kind, **more):
    return Fault(kind, 0, 2 * NOW, **more)


@pytest.mark.parametrize(
    ("kind", "status", "check"),
    [
        (FaultKind.GAP, 0, lambda body: body == b""),
        (FaultKind.UNAVAILABLE, 503, lambda body: b"unavailable" in body),
        (FaultKind.HTML, 200, lambda body: body.startswith(b"<!DOCTYPE html>")),
        (FaultKind.HALF_LINE, 200, lambda body: body.endswith(b'="') and body.startswith(b"# HELP")),
        (FaultKind.HUGE, 200, lambda body: len(body) == 10_000_000 and b"\n" not in body),
        (FaultKind.EMPTY, 200, lambda body: body == b""),
    ],
)
def test_the_answer_as_a_whole_goes_wrong(kind, status, check):
    answer = exporter(always(kind)).answer(NOW)
    assert answer.status == status
    assert check(answer.body)
    assert exporter(always(kind)).answer(2 * NOW).text.startswith("# HELP")


@pytest.mark.parametrize(
    ("kind", "number"),
    [(FaultKind.SENTINEL, "9223372036854775794"), (FaultKind.NAN, "NaN"), (FaultKind.NEGATIVE, "-5")],
)
def test_a_spoiled_value_touches_its_gpu_and_field_only(kind, number):
    whole = exporter()
    uuid = whole.view.node.gpus[1].uuid
    text = exporter(always(kind, uuids=(uuid,), meanings=("engine",))).text(NOW)
    spoiled = [line for line in text.splitlines() if line.endswith(f" {number}")]
    assert len(spoiled) == 1
    assert spoiled[0].startswith("DCGM_FI_PROF_GR_ENGINE_ACTIVE")
    assert uuid in spoiled[0]


def test_values_above_one_come_out_above_one():
    text = exporter(always(FaultKind.ABOVE_ONE, meanings=("engine",)), activity="1").text(NOW)
    assert values(text, "DCGM_FI_PROF_GR_ENGINE_ACTIVE")[0] == 1.29


def test_a_frozen_exporter_repeats_itself_to_the_last_digit():
    source = exporter(Fault(FaultKind.FROZEN, 300_000, NOW), activity="duty:0.9/0.1/40s")
    assert source.text(300_000) == source.text(NOW - 1) != source.text(NOW)


def test_a_counter_that_is_reset_starts_again_from_zero():
    source = exporter(Fault(FaultKind.COUNTER_RESET, 300_000, 300_001), gpus=1)
    seen = [values(source.text(at), "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")[0] for at in (299_999, 300_000, 301_000)]
    assert seen[0] > 10**8
    assert seen[1] == 0 < seen[2]


def shown(source, at_ms):
    return [sample.labels.get("pod") for sample in samples(source.text(at_ms)) if sample.name == "DCGM_FI_DEV_FB_USED"]


def test_pod_labels_come_and_go():
    source = exporter(always(FaultKind.LABELS_MISSING, amount=15_000))
    assert [shown(source, at)[0] for at in (30_000, 45_000, 60_000)] == ["train-0", None, "train-0"]


def test_a_pod_that_ended_is_gone_unless_it_lingers():
    assert shown(exporter(finished_ms=300_000), NOW) == [None, None]
    assert shown(exporter(always(FaultKind.LINGERING), finished_ms=300_000), NOW) == ["train-0", None]


def test_a_lost_gpu_has_no_rows_and_a_doubled_one_has_two():
    uuid = exporter().view.node.gpus[0].uuid
    assert len(shown(exporter(always(FaultKind.LOST, uuids=(uuid,))), NOW)) == 1
    assert len(shown(exporter(always(FaultKind.DUPLICATE_ROWS, uuids=(uuid,))), NOW)) == 3


def test_the_error_gauge_shows_the_code():
    source = exporter(always(FaultKind.XID, amount=79))
    assert values(source.text(NOW), "DCGM_FI_DEV_XID_ERRORS") == [79, 79]


def test_a_stamped_exporter_shows_the_wrong_clock_of_its_node():
    host = node(exporters=(SimExporter(stamped=True),), clock_skew_ms=3_600_000)
    text = Exporter(Fleet((host,)), host.name).text(NOW)
    assert {sample.timestamp for sample in samples(text)} == {(NOW + 3_600_000) / 1000}


def test_a_dialect_that_does_not_exist_is_refused_by_name():
    with pytest.raises(ValueError, match=r"dialect '5\.0' is not known: use one of 4\.8\.2"):
        exporter(dialect="5.0")


def test_a_loaded_server_without_traffic_holds_memory_and_does_nothing():
    host = node()
    fleet = Fleet((host,), (pod("vllm", host, activity=Steady(Fraction(0)), memory=Fraction(9, 10)),))
    text = Exporter(fleet, host.name).text(NOW)
    assert values(text, "DCGM_FI_DEV_FB_USED") == [73_403]
    assert values(text, "DCGM_FI_PROF_GR_ENGINE_ACTIVE") == [0]
