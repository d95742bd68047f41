import pytest

from aicost.domain.sampling.dialects import DCGM, METRICS, PROMQL_NAMES, Unit, dialect_of, unit_of
from aicost.domain.sampling.series import COUNTERS, OF_PODS, PPB, Signal
from support.samples import ENGINE, FB_USED, UTIL, only, raw, read

RATIO_NAME = "DCGM_FI_DEV_GPU_UTIL_RATIO"


@pytest.mark.parametrize(
    ("name", "text", "largest", "unit"),
    [
        (UTIL, "", 97, Unit.PERCENT),
        (UTIL, "", 1, Unit.PERCENT),
        (UTIL, "GPU utilization (in %).", 1, Unit.PERCENT),
        (UTIL, "GPU utilization (ratio, 0-1).", 1, Unit.RATIO),
        (RATIO_NAME, "GPU utilization (in %).", 0.4, Unit.PERCENT),
        (RATIO_NAME, "", 97, Unit.PERCENT),
        (RATIO_NAME, "", 0.97, Unit.RATIO),
        (RATIO_NAME, "GPU utilization ratio.", 97, Unit.PERCENT),
        (FB_USED, "Framebuffer memory used (in MiB).", 40_000, Unit.MEBIBYTES),
        (FB_USED, "Framebuffer memory used (in bytes).", 40_000, Unit.BYTES),
        (FB_USED, "", 40_000, Unit.MEBIBYTES),
        (FB_USED, "", 42_949_672_960, Unit.BYTES),
        ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "Total energy consumption since boot (in mJ).", 9, Unit.MILLIJOULES),
        ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "Energy in joules", 9, Unit.JOULES),
        ("DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL", "Energy since boot (in J).", 9, Unit.JOULES),
    ],
)
def test_the_unit_is_told_by_help_then_name_then_range(name, text, largest, unit):
    assert unit_of(name, text, largest) is unit


def test_old_help_texts_that_say_percent_of_a_ratio_are_not_believed():
    one = only(read(raw([0.5], ENGINE, help_text="Ratio of time the graphics engine is active (in %).")))
    assert one.value.tolist() == [PPB // 2]


def test_the_range_is_judged_over_all_devices_of_an_exporter():
    telemetry = read(raw([1.0], RATIO_NAME), raw([97.0], RATIO_NAME, device="GPU-2"))
    assert [one.value.tolist() for one in telemetry.series] == [[PPB // 100], [97 * PPB // 100]]


def test_another_exporter_may_speak_another_unit():
    telemetry = read(raw([1.0], RATIO_NAME), raw([97.0], RATIO_NAME, device="GPU-2", Hostname="n2"))
    assert [one.value.tolist() for one in telemetry.series] == [[PPB], [97 * PPB // 100]]


def test_a_blank_does_not_decide_the_unit():
    assert only(read(raw([0.5, 9.223372036854776e18], RATIO_NAME))).value.tolist() == [PPB // 2]


def test_every_dialect_names_what_cost_rests_on():
    for dialect in DCGM:
        signals = {metric.signal for metric in dialect.metrics.values()}
        assert signals == set(Signal) - OF_PODS - COUNTERS, dialect.releases
    assert set(PROMQL_NAMES) == set(METRICS)


def test_dialects_are_told_apart():
    assert dialect_of(frozenset({UTIL, ENGINE}), lower_case_host=False) is DCGM[0]
    assert dialect_of(frozenset({UTIL, ENGINE}), lower_case_host=True) is DCGM[1]
    assert dialect_of(frozenset({"DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO"}), lower_case_host=True) is DCGM[2]
    assert dialect_of(frozenset({"node_load1"}), lower_case_host=True) is None
