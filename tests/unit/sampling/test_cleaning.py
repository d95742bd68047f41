import numpy as np
import pytest

from aicost.domain.sampling.cleaning import read_telemetry
from aicost.domain.sampling.identity import SamplingContext
from aicost.domain.sampling.series import PPB, RawSeries, Signal
from support.samples import ENERGY, ENGINE, FB_USED, STEP, T0, UTIL, context, only, raw, read

BLANKS = [9223372036854775792.0, 2147483632.0, 2147483635.0, 140737488355328.0]


def test_a_clean_series_is_quantised_and_keeps_its_times():
    one = only(read(raw([0.714, 0.0, 1.0])))
    assert one.value.tolist() == [714_000_000, 0, PPB]
    assert one.at_ms.tolist() == [T0, T0 + STEP, T0 + 2 * STEP]
    assert (one.signal, one.device, one.instance, one.node) == (Signal.ENGINE_ACTIVE, "GPU-1", None, "n1")


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("name", [ENGINE, UTIL])
def test_a_value_that_means_not_available_is_dropped_and_counted(name, blank):
    telemetry = read(raw([0.5, blank, 0.5], name))
    assert len(only(telemetry).value) == 2
    assert telemetry.defects.sentinels == 1


def test_an_energy_counter_may_pass_the_32_bit_blanks():
    telemetry = read(raw([2147483640.0], ENERGY))
    assert (only(telemetry).value.tolist(), telemetry.defects.sentinels) == ([2147483640], 0)


def test_what_is_no_number_and_what_is_negative_is_dropped_and_counted():
    telemetry = read(raw([float("nan"), float("inf"), -0.1, 0.5]))
    assert only(telemetry).value.tolist() == [PPB // 2]
    assert (telemetry.defects.not_finite, telemetry.defects.negative) == (2, 1)


def test_a_series_of_nothing_but_blanks_leaves_no_series_and_no_zero():
    assert read(raw([BLANKS[0]] * 3)).series == ()


def test_a_fraction_above_one_is_clamped_and_counted():
    telemetry = read(raw([1.29, 1.0]))
    assert only(telemetry).value.tolist() == [PPB, PPB]
    assert telemetry.defects.clamped == 1


def test_samples_from_after_now_are_dropped_and_counted():
    telemetry = read(raw([0.1, 0.2, 0.3]), now=T0 + STEP)
    assert len(only(telemetry).at_ms) == 2
    assert telemetry.defects.future == 1


def test_two_exporters_for_one_gpu_are_one_device():
    telemetry = read(raw([0.5, 0.5], Hostname="n1"), raw([0.5, 0.5], Hostname="", hostname="n1"))
    assert len(only(telemetry).at_ms) == 2
    assert telemetry.defects.duplicates == 2


def test_a_row_with_a_pod_is_preferred_to_one_without():
    one = only(read(raw([0.5]), raw([0.5], pod="p", namespace="t")))
    assert (one.holder, one.holders) == (("t", "p"), (("t", "p"),))


def test_rows_of_single_processes_are_never_summed_and_mark_the_device_as_shared():
    telemetry = read(
        raw([99], UTIL),
        raw([61], UTIL, pod="p1", namespace="a", vgpu="3"),
        raw([38], UTIL, pod="p2", namespace="a", vgpu="0"),
    )
    one = only(telemetry, Signal.GPU_UTIL)
    assert one.value.tolist() == [990_000_000]
    assert (one.holder, one.holders) == (None, (("a", "p1"), ("a", "p2")))


def of_pods(telemetry):
    return {one.holder[1]: one.value.tolist() for one in telemetry.series if one.signal is Signal.POD_UTIL}


def test_what_a_pod_used_of_a_sliced_device_is_kept_beside_it_once_for_each_pod():
    telemetry = read(
        raw([99], UTIL),
        raw([61], UTIL, pod="p1", namespace="a", container="main", vgpu="3"),
        raw([61], UTIL, pod="p1", namespace="a", container="side", vgpu="1"),
        raw([38], UTIL, pod="p2", namespace="a", vgpu="0"),
        raw([0.99], pod="p1", namespace="a", vgpu="3"),
    )
    assert of_pods(telemetry) == {"p1": [610_000_000], "p2": [380_000_000]}


def test_a_pod_that_is_busier_than_a_device_can_be_is_garbage_and_one_a_little_above_is_rounding():
    telemetry = read(
        raw([99, 99], UTIL), raw([4_200, 38], UTIL, pod="p1", vgpu="3"), raw([101, 60], UTIL, pod="p2", vgpu="0")
    )
    assert of_pods(telemetry) == {"p1": [380_000_000], "p2": [PPB, 600_000_000]}
    assert telemetry.defects.clamped >= 2


def test_a_counter_of_more_time_than_64_bits_hold_is_garbage():
    telemetry = read(raw([5.0, 1e10, 1e14], "aicost_device_busy_seconds_total", uuid="GPU-1"))
    assert only(telemetry).value.tolist() == [5 * PPB]
    assert telemetry.defects.clamped == 2


def test_a_change_of_holder_makes_two_series():
    telemetry = read(raw([0.5] * 2, pod="p", namespace="t"), raw([0.1] * 2, start=T0 + 2 * STEP))
    assert [(one.holder, len(one.at_ms)) for one in telemetry.series] == [(None, 2), (("t", "p"), 2)]


def test_a_uid_that_one_row_tells_is_kept():
    one = only(read(raw([0.5], pod="p", namespace="t"), raw([0.5], pod="p", namespace="t", pod_uid="u")))
    assert (one.holder, one.holder_uid) == (("t", "p"), "u")


def test_a_pod_recreated_under_its_name_is_another_holder():
    telemetry = read(
        raw([0.5], pod="p", namespace="t", pod_uid="u1"),
        raw([0.5], start=T0 + STEP, pod="p", namespace="t", pod_uid="u2"),
    )
    assert [one.holder_uid for one in telemetry.series] == ["u1", "u2"]


def test_mig_instances_are_devices_of_their_own():
    telemetry = read(raw([0.1]), raw([0.2], GPU_I_ID="7", GPU_I_PROFILE="1g.10gb"), raw([0.3], GPU_I_ID="8"))
    assert [(one.instance, one.value.tolist()[0]) for one in telemetry.series] == [
        (None, PPB // 10),
        ("7", PPB // 5),
        ("8", 3 * PPB // 10),
    ]


def test_memory_is_bytes_and_energy_millijoules():
    telemetry = read(raw([1024], FB_USED), raw([12.5], "DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL"))
    assert only(telemetry, Signal.MEMORY_USED).value.tolist() == [1 << 30]
    assert only(telemetry, Signal.ENERGY).value.tolist() == [12_500]


def test_metrics_that_nobody_knows_and_devices_without_a_name_are_reported():
    defects = read(raw([1], "my_gpu_metric"), raw([0.5], device="")).defects
    assert defects.unknown_metrics == ("my_gpu_metric",)
    assert defects.unidentified == 1


def test_a_device_on_no_known_node_is_reported():
    telemetry = read(raw([0.5], Hostname="elsewhere"))
    assert telemetry.defects.unplaced_devices == ("GPU-1",)
    assert only(telemetry).node is None


def test_all_series_of_a_device_stand_on_the_node_with_the_best_evidence():
    telemetry = read(raw([0.5], Hostname="unknown"), raw([10], UTIL, Hostname="n2"))
    assert {one.node for one in telemetry.series} == {"n2"}


def test_the_model_is_the_one_that_the_rows_name():
    assert only(read(raw([0.5], modelName="NVIDIA L4"))).gpu_model == "NVIDIA L4"


def energy(values: list[float], **labels: str):
    return raw(values, ENERGY, **labels)


def test_what_a_hanging_exporter_repeats_is_dropped():
    telemetry = read(raw([0.7] * 20), energy([100 + k if k < 10 else 110 for k in range(20)]))
    one = only(telemetry, Signal.ENGINE_ACTIVE)
    assert one.at_ms.tolist() == [T0 + k * STEP for k in range(11)]
    assert telemetry.defects.frozen == 9


def test_a_steady_load_with_a_rising_counter_is_not_frozen():
    telemetry = read(raw([0.7] * 20), energy([100.0 + k for k in range(20)]))
    assert (telemetry.defects.frozen, len(only(telemetry, Signal.ENGINE_ACTIVE).at_ms)) == (0, 20)


def test_a_counter_that_is_collected_less_often_than_it_is_scraped_is_not_frozen():
    assert read(raw([0.7] * 20), energy([100.0 + k // 2 for k in range(20)])).defects.frozen == 0


def test_a_counter_that_is_always_zero_says_nothing():
    assert read(raw([0.7] * 20), energy([0.0] * 20)).defects.frozen == 0


def test_a_counter_that_stood_still_is_judged_though_it_begins_again_at_the_end():
    assert read(raw([0.7] * 20), energy([500.0] * 19 + [0.0])).defects.frozen == 18


def test_only_the_exporter_that_hangs_is_judged():
    telemetry = read(
        raw([0.7] * 20, instance="a:1"),
        energy([100.0] * 20, instance="a:1"),
        raw([0.3] * 20, instance="b:1", start=T0 + 5_000),
        energy([100.0 + k for k in range(20)], instance="b:1", start=T0 + 5_000),
    )
    one = only(telemetry, Signal.ENGINE_ACTIVE)
    assert telemetry.defects.frozen == 19
    assert (one.value == 3 * PPB // 10).sum() == 20


def test_a_frozen_counter_is_seen_across_a_change_of_labels():
    telemetry = read(
        raw([0.7] * 20), energy([100.0] * 10, pod="p"), energy([100.0] * 10, start=T0 + 10 * STEP, pod="q")
    )
    assert telemetry.defects.frozen == 19


def test_a_counter_that_rises_under_each_of_two_labels_may_stand_still_between_them():
    telemetry = read(
        raw([0.7] * 20),
        energy([100.0 + k for k in range(10)], pod="p"),
        energy([109.0 + k for k in range(5)], start=T0 + 15 * STEP, pod="q"),
    )
    assert telemetry.defects.frozen == 6


def test_equal_labels_name_another_device_where_another_exporter_wears_them():
    labels = {"uuid": "GPU-2", "pod": "p", "namespace": "t"}
    telemetry = read(raw([0.5], **labels), raw([5.0], "aicost_pod_gpu_seconds_total", **labels))
    assert [(one.device, one.signal) for one in telemetry.series] == [
        ("GPU-1", Signal.ENGINE_ACTIVE),
        ("GPU-2", Signal.POD_SECONDS),
    ]


def test_series_of_equal_times_share_them_and_others_that_end_alike_keep_their_own():
    times = [T0 + k * STEP for k in range(4)]
    series = [raw([0.5] * 4, device=f"GPU-{k}", at=at) for k, at in enumerate([times, times, [T0 + 1, *times[1:]]])]
    found = [one.at_ms for one in read(*series).series]
    assert found[0] is found[1]
    assert [at_ms.tolist() for at_ms in found] == [one.at_ms.tolist() for one in series]


def test_no_series_at_all_is_no_telemetry_and_no_error():
    telemetry = read(where=context(interval=30_000))
    assert (telemetry.series, telemetry.interval_ms) == ((), 30_000)


def test_arrays_of_the_source_are_not_changed():
    series = raw([1.29, 0.5])
    before = series.value.copy()
    read(series)
    assert np.array_equal(series.value, before)


def test_rows_of_single_pods_say_who_shares_a_device_and_its_own_row_how_busy_it_is():
    pods = [raw([90, 90], UTIL, namespace="a", pod=name, vgpu=slot) for name, slot in (("p", "0"), ("q", "1"))]
    series = only(read(raw([30, 40], UTIL), *pods), Signal.GPU_UTIL)
    assert series.value.tolist() == [300_000_000, 400_000_000]
    assert series.holders == (("a", "p"), ("a", "q"))


def test_without_a_row_of_the_device_its_busiest_pod_is_the_least_that_is_known():
    pods = [raw([20, level], UTIL, namespace="a", pod=name, vgpu="0") for name, level in (("p", 50), ("q", 10))]
    series = only(read(*pods, raw([80], UTIL)), Signal.GPU_UTIL)
    assert series.value.tolist() == [800_000_000, 500_000_000]


def test_what_many_devices_show_is_cleaned_as_what_each_shows():
    chance, times = np.random.default_rng(3), T0 + np.arange(400, dtype=np.int64) * STEP
    odd = [float("nan"), -1.0, 2_147_483_647.0, 1.5, 1e19, 0.25]
    every = []
    for number in range(100):
        value = chance.random(len(times))
        value[chance.integers(0, len(times), 9)] = chance.choice(odd, 9)
        labels = {"UUID": f"GPU-{number:03d}", "Hostname": "node-1"}
        every.append(RawSeries(ENGINE, labels, times, value))
    context, now_ms = SamplingContext(STEP), int(times[-5])
    together, alone = read_telemetry(every, context, now_ms), [read_telemetry([one], context, now_ms) for one in every]
    for found, one in zip(together.series, alone, strict=True):
        assert (found.at_ms.tolist(), found.value.tolist()) == (
            one.series[0].at_ms.tolist(),
            one.series[0].value.tolist(),
        )
    for defect in ("sentinels", "clamped", "negative", "not_finite", "future"):
        counts = [getattr(one.defects, defect) for one in alone]
        assert getattr(together.defects, defect) == sum(counts) > 0
