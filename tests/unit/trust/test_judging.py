"""Each reason from what exporters print, in each dialect; and nothing said of a healthy node."""

from dataclasses import replace

import pytest

from aicost.domain.exact.windows import MINUTE_MS
from aicost.domain.inventory.nodes import SharingMode
from aicost.domain.sampling.series import RawSeries
from aicost.domain.trust.reasons import REMEDIES, TrustReason, Weight
from aicost.domain.trust.values import ExporterSeen, Judged
from support.builders import T0
from support.expositions import (
    EXPORTER,
    GPUS,
    NOW,
    OLD,
    SPEECHES,
    STEP,
    Row,
    Speech,
    Value,
    device_rows,
    gpu_node,
    judged,
    pod_row,
    series_of,
    steady,
    until,
)

SCRAPES = (NOW - T0) // STEP
every_dialect = pytest.mark.parametrize("speech", SPEECHES.values(), ids=SPEECHES.keys())


def healthy(speech: Speech, load: float = 0.7) -> list[Row]:
    return [row for device in GPUS for row in device_rows(speech, device, steady(load))]


def reasons(found: Judged) -> list[TrustReason]:
    return [one.reason for one in found.findings]


def sliced(speech: Speech, load: float, *pods: Row) -> list[Row]:
    return [*device_rows(speech, GPUS[0], steady(load)), *pods]


def shared(raw: list[RawSeries], exporter: ExporterSeen = EXPORTER) -> Judged:
    """What is said of a time-sliced node of one GPU."""
    return judged(raw, node=gpu_node(1), sharing=SharingMode.TIME_SLICING, exporters=[exporter])


@every_dialect
@pytest.mark.parametrize("load", [0.0, 0.003, 0.7, 1.0])
def test_nothing_is_said_of_a_healthy_node(speech: Speech, load: float) -> None:
    found = judged(series_of(speech, healthy(speech, load)))
    assert (found.findings, found.devices, found.expected, found.settling) == ((), 2, 2, False)


def test_a_source_that_is_not_there_and_one_that_fails_say_nothing_of_the_exporter() -> None:
    assert reasons(judged([], source="")) == [TrustReason.NO_SOURCE]
    failed = judged([], source="the Prometheus of the settings", problem="503")
    assert reasons(failed) == [TrustReason.SOURCE_FAILS]
    assert failed.findings[0].message == "the Prometheus of the settings fails: 503"


@every_dialect
def test_an_exporter_that_fell_silent_is_blind(speech: Speech) -> None:
    stopped = [replace(row, value=until(SCRAPES - 24, row.value)) for row in healthy(speech)]
    failing = replace(EXPORTER, error="connection refused")
    found = judged(series_of(speech, stopped), exporters=[failing])
    assert reasons(found) == [TrustReason.EXPORTER_BLIND]
    assert found.findings[0].message == "the last sample is 6 min old; gpu/exporter-n1 failed: connection refused"


def test_a_scrape_or_two_may_fail() -> None:
    assert (
        judged(series_of(OLD, [replace(row, value=until(SCRAPES - 4, row.value)) for row in healthy(OLD)])).findings
        == ()
    )


@every_dialect
def test_a_device_that_is_not_shown_is_counted(speech: Speech) -> None:
    found = judged(series_of(speech, device_rows(speech, GPUS[0], steady(0.5))))
    assert reasons(found) == [TrustReason.EXPORTER_BLIND]
    assert found.findings[0].message == "1 of 2 GPUs are shown; gpu/exporter-n1 runs on it"


def test_a_node_without_an_exporter_says_so() -> None:
    found = judged([], exporters=[])
    assert found.findings[0].message == "no GPU of the node is shown; no exporter pod is known on it"


def test_a_device_that_is_known_to_be_lost_is_not_missed() -> None:
    node = gpu_node(2).allocatable(1)
    assert judged(series_of(OLD, device_rows(OLD, GPUS[0], steady(0.5))), node=node).findings == ()


def test_a_young_node_is_not_judged_before_it_says_something() -> None:
    young = gpu_node().created(NOW - 4 * MINUTE_MS)
    assert (judged([], node=young).settling, judged([], node=young).findings) == (True, ())
    assert judged(series_of(OLD, healthy(OLD)), node=young).settling is False


@every_dialect
def test_a_hanging_exporter_is_frozen(speech: Speech) -> None:
    hanging = [
        replace(row, value=lambda number: min(1e6 + 5e3 * number, 1e6 + 5e3 * 20)) if row.name == speech.energy else row
        for row in healthy(speech)
    ]
    assert reasons(judged(series_of(speech, hanging))) == [TrustReason.EXPORTER_FROZEN]


def test_names_that_nobody_knows() -> None:
    strange = replace(EXPORTER, foreign=("DCGM_FI_NEW_NAME", "DCGM_FI_OTHER"))
    found = judged([], exporters=[strange])
    assert set(reasons(found)) == {TrustReason.DIALECT_UNKNOWN, TrustReason.EXPORTER_BLIND}
    assert "DCGM_FI_NEW_NAME, DCGM_FI_OTHER" in next(
        one.message for one in found.findings if one.reason is TrustReason.DIALECT_UNKNOWN
    )


def test_more_fields_than_we_need_are_no_unknown_dialect() -> None:
    rich = replace(EXPORTER, foreign=("DCGM_FI_DEV_SM_CLOCK",))
    assert judged(series_of(OLD, healthy(OLD)), exporters=[rich]).findings == ()


@pytest.mark.parametrize(("load", "unknown"), [(0.3, True), (0.9, True), (0.0, False)])
def test_a_unit_that_nothing_tells(load: float, unknown: bool) -> None:
    """GPU_UTIL_RATIO is percent in one release and a ratio in the next: low values without HELP tell neither."""
    silent = replace(SPEECHES[">= 4.9"], helped=False)
    rows = [row for row in healthy(silent, load) if row.name != silent.engine]
    found = reasons(judged(series_of(silent, rows)))
    assert (TrustReason.DIALECT_UNKNOWN in found) is unknown


def test_a_unit_does_not_matter_where_something_better_measures() -> None:
    silent = replace(SPEECHES[">= 4.9"], helped=False)
    assert judged(series_of(silent, healthy(silent, 0.3))).findings == ()


def test_rows_that_name_no_device() -> None:
    rows = [replace(row, device="") for row in healthy(OLD)]
    found = judged(series_of(OLD, [*rows, *healthy(OLD)]))
    assert reasons(found) == [TrustReason.DIALECT_UNKNOWN]
    assert "carry no UUID" in found.findings[0].message


@pytest.mark.parametrize("blank", [2_147_483_635.0, 140_737_488_355_331.0])
def test_fields_that_may_not_be_read(blank: float) -> None:
    rows = [replace(row, value=steady(blank)) if row.name == OLD.engine else row for row in healthy(OLD)]
    found = judged(series_of(OLD, rows))
    assert reasons(found) == [TrustReason.NOT_PERMITTED, TrustReason.PROFILING_ABSENT]
    assert OLD.engine in found.findings[0].message


@pytest.mark.parametrize("blank", [2_147_483_632.0, 2_147_483_634.0, 9_223_372_036_854_775_794.0])
def test_fields_that_are_not_supported_are_not_called_forbidden(blank: float) -> None:
    rows = [replace(row, value=steady(blank)) if row.name == OLD.engine else row for row in healthy(OLD)]
    assert reasons(judged(series_of(OLD, rows))) == [TrustReason.PROFILING_ABSENT]


@pytest.mark.parametrize(
    ("skew_ms", "text"), [(2_500, "2.5 s ahead of our clock"), (-90_000, "90.0 s behind our clock")]
)
def test_a_clock_that_is_off(skew_ms: int, text: str) -> None:
    found = judged(series_of(OLD, healthy(OLD)), exporters=[replace(EXPORTER, clock_skew_ms=skew_ms)])
    assert reasons(found) == [TrustReason.CLOCK_SKEW]
    assert found.findings[0].message.endswith(text)


def test_samples_from_the_future() -> None:
    found = judged(series_of(OLD, healthy(OLD), shift_ms=60_000))
    assert reasons(found) == [TrustReason.CLOCK_SKEW]
    assert found.findings[0].message == "samples are 45.0 s ahead of our clock"


def test_two_seconds_are_no_skew() -> None:
    assert judged(series_of(OLD, healthy(OLD)), exporters=[replace(EXPORTER, clock_skew_ms=2_000)]).findings == ()


@every_dialect
def test_profiling_that_stopped_is_paused(speech: Speech) -> None:
    rows = [
        replace(row, value=until(SCRAPES - 12, row.value)) if row.name == speech.engine else row
        for row in healthy(speech)
    ]
    assert reasons(judged(series_of(speech, rows))) == [TrustReason.PROFILING_PAUSED]


def test_profiling_that_turned_blank_is_paused() -> None:
    blank = 140_737_488_355_328.0
    rows = [
        replace(row, value=lambda number: 0.5 if number < SCRAPES - 12 else blank) if row.name == OLD.engine else row
        for row in healthy(OLD)
    ]
    assert reasons(judged(series_of(OLD, rows))) == [TrustReason.PROFILING_PAUSED]


def test_without_profiling_figures_are_coarser_and_under_mig_there_are_none() -> None:
    rows = [row for row in healthy(OLD) if row.name != OLD.engine]
    assert judged(series_of(OLD, rows)).findings[0].weight is Weight.COARSENS
    (found,) = judged(series_of(OLD, rows), sharing=SharingMode.MIG).findings
    assert (found.reason, found.weight) == (TrustReason.PROFILING_ABSENT, Weight.BREAKS)


@every_dialect
def test_pods_that_read_zero_beside_a_busy_device_are_blind(speech: Speech) -> None:
    pods = [pod_row(speech, GPUS[0], f"p{slot}", steady(0), slot=slot) for slot in range(2)]
    found = shared(series_of(speech, sliced(speech, 0.9, *pods)))
    assert reasons(found) == [TrustReason.ATTRIBUTION_BLIND]


@every_dialect
def test_without_host_pid_zeros_have_a_cause(speech: Speech) -> None:
    pods = [pod_row(speech, GPUS[0], f"p{slot}", steady(0), slot=slot) for slot in range(2)]
    alone = replace(EXPORTER, host_pid=False)
    found = shared(series_of(speech, sliced(speech, 0.9, *pods)), alone)
    assert reasons(found) == [TrustReason.NO_HOST_PID, TrustReason.ATTRIBUTION_BLIND]
    idle = shared(series_of(speech, sliced(speech, 0.0, *pods)), alone)
    assert reasons(idle) == [TrustReason.NO_HOST_PID]


def test_without_uid_zeros_have_another_cause() -> None:
    pods = [pod_row(OLD, GPUS[0], f"p{slot}", steady(0), uid="", slot=slot) for slot in range(2)]
    found = shared(series_of(OLD, sliced(OLD, 0.9, *pods)))
    assert reasons(found) == [TrustReason.NO_POD_UID, TrustReason.ATTRIBUTION_BLIND]


@every_dialect
def test_pods_that_explain_their_device_are_believed(speech: Speech) -> None:
    scale = speech.percent
    pods = [pod_row(speech, GPUS[0], f"p{slot}", steady(0.45 * scale), slot=slot) for slot in range(2)]
    assert shared(series_of(speech, sliced(speech, 0.9, *pods))).findings == ()


def test_a_shared_node_without_values_per_pod() -> None:
    found = shared(series_of(OLD, sliced(OLD, 0.9)))
    assert [(one.reason, one.weight) for one in found.findings] == [(TrustReason.NO_POD_VALUES, Weight.COARSENS)]
    assert found.findings[0].message == "4 slots per GPU (time-slicing), and no value per pod"


@every_dialect
def test_pods_that_repeat_the_device_have_no_value_of_their_own(speech: Speech) -> None:
    pods = [pod_row(speech, GPUS[0], f"p{slot}", steady(0.6 * speech.percent), slot=slot) for slot in range(2)]
    (found,) = shared(series_of(speech, sliced(speech, 0.6, *pods))).findings
    assert (found.reason, found.weight) == (TrustReason.NO_POD_VALUES, Weight.COARSENS)
    assert found.message.endswith("each pod that shares shows the device's own value")
    alone = [pod_row(speech, GPUS[0], "p0", steady(0.6 * speech.percent))]
    assert shared(series_of(speech, sliced(speech, 0.6, *alone))).findings == ()


@every_dialect
def test_two_exporters_of_one_node_are_duplicates(speech: Speech) -> None:
    twice = [*series_of(speech, healthy(speech)), *series_of(speech, healthy(speech), pod=("kube-system", "dcgm-2"))]
    found = judged(twice)
    assert [(one.reason, one.weight) for one in found.findings] == [(TrustReason.DUPLICATES, Weight.COARSENS)]


def test_two_exporters_that_contradict_each_other_break_trust() -> None:
    twice = [*series_of(OLD, healthy(OLD, 0.9)), *series_of(OLD, healthy(OLD, 0.1), pod=("kube-system", "dcgm-2"))]
    assert [one.weight for one in judged(twice).findings] == [Weight.BREAKS]


def test_an_exporter_that_restarted_is_no_duplicate() -> None:
    before = [replace(row, value=until(SCRAPES - 10, row.value)) for row in healthy(OLD)]
    after = [replace(row, value=_from(SCRAPES - 8, row)) for row in healthy(OLD)]
    both = [*series_of(OLD, before), *series_of(OLD, after, pod=("gpu", "exporter-n1-new"))]
    assert judged(both).findings == ()


def _from(first: int, row: Row) -> Value:
    return lambda number: row.value(number) if number >= first else None


def test_every_reason_has_a_line_with_a_fix() -> None:
    assert set(REMEDIES) == set(TrustReason)
    assert all(one.means.endswith(".") and one.fix.endswith(".") for one in REMEDIES.values())
