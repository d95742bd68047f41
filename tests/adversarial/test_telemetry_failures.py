"""Every way in which GPU telemetry is known to fail: what it shows then is never taken for what was.

Each row of the table is one failure. A script plays it through the whole pipeline, and the bill is the truth; what
cannot be played as a script is shown to the part that has to withstand it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import pytest

from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.ledger.rows import Bucket, Quality, Row
from aicost.domain.sampling.cleaning import read_telemetry
from aicost.domain.sampling.energy import mean_power
from aicost.domain.sampling.series import Signal
from fleet.activity import IDLE
from fleet.builders import gpu_uuid
from fleet.faults import Fault, FaultKind
from fleet.models import H100
from fleet.script import Fleet, SimExporter
from fleet.series import Shape, series
from fleet.sharing.builders import KAI, VIRTUAL, cut, fraction, mixed, sliced, slots
from fleet.sharing.terms import WHOLE, Part, Plugin, Sharing
from support.pipeline import STEP, Store, Way
from support.samples import ENGINE, UTIL, context, only, raw, read
from support.scripted import BEGIN, END, at, bill_of
from support.shared_bills import agent, check_truth, dcgm, hami, host, level, lives

ALWAYS = (BEGIN - MINUTE_MS, END + 10 * MINUTE_MS)


@dataclass(frozen=True)
class Played:
    """A script in which something fails.

    Attributes:
        known_for_ms: for how long a reader may carry the last value.
        bars: something is lost, and the error that the rows state is as large.
    """

    fleet: Fleet
    known_for_ms: int = 0
    bars: bool = False
    ways: tuple[Way, ...] = tuple(Way)


FAILURES: dict[str, Callable[[], Played]] = {}


def failure(make: Callable[[], Played]) -> Callable[[], Played]:
    FAILURES[make.__name__.replace("_", " ")] = make
    return make


def shared(*faults: Fault, since: float = 1, until: float | None = 11, **more) -> Fleet:
    """A busy pod and an idle one, each on a quarter of a GPU."""
    on = host(sliced(4), faults=faults, **more)
    busy = lives("busy", on, slots(), level("0.6"), since=since, until=until)
    return Fleet((on,), (busy, lives("idle", on, slots(), IDLE)))


@failure
def pod_labels_that_come_and_go() -> Played:
    """Who holds a GPU is known from the API server: a row without labels makes nobody idle."""
    flickers = Fault(FaultKind.LABELS_MISSING, *ALWAYS, amount=2 * STEP)
    on = host(Sharing(), 2, faults=(flickers,))
    return Played(Fleet((on,), (lives("train", on, WHOLE, level("0.75"), since=1, until=9),)))


@failure
def pods_that_ended_and_are_still_shown() -> Played:
    lingers = Fault(FaultKind.LINGERING, *ALWAYS)
    on = host(Sharing(), 2, faults=(lingers,))
    first = lives("first", on, WHOLE, level("1"), until=4)
    return Played(Fleet((on,), (first, lives("next", on, WHOLE, level("0.25"), since=5, until=12))))


@failure
def two_exporters_that_call_the_host_differently() -> Played:
    second = dcgm(name="4.8.2", pod="dcgm-2", ip="127.10.0.2", namespace="monitoring")
    return Played(shared(shown=[dcgm(), second]))


@failure
def rows_of_the_device_beside_rows_of_each_replica() -> Played:
    on = host(sliced(4))
    return Played(Fleet((on,), (lives("three", on, slots(3), level("0.5")), lives("one", on, slots(), level("0.25")))))


@failure
def every_row_twice_with_odd_labels() -> Played:
    return Played(shared(Fault(FaultKind.DUPLICATE_ROWS, *ALWAYS), Fault(FaultKind.ODD_LABELS, *ALWAYS)))


@failure
def labels_of_the_target_that_lose_against_the_exporters() -> Played:
    """With honor_labels a GPU that nobody holds wears the exporter's own name."""
    on = host(Sharing(), 2, shown=[dcgm(honor_labels=True)])
    return Played(Fleet((on,), (lives("train", on, WHOLE, level("0.75"), since=1, until=9),)))


@failure
def labels_of_the_target_that_win_over_those_of_replicas() -> Played:
    return Played(shared(shown=[dcgm(honor_labels=False), agent()]))


@failure
def an_energy_counter_that_starts_again() -> Played:
    resets = tuple(Fault(FaultKind.COUNTER_RESET, at(minute), END) for minute in (2, 7))
    return Played(shared(*resets))


def agents_that_follow_each_other() -> list[SimExporter]:
    """The second one starts where the first one ends, from zero: what was counted since its last scrape is lost."""
    after = replace(agent(), serves_from_ms=at(5), pod="aicost-agent-2", ip="127.10.2.2")
    return [replace(agent(), serves_to_ms=at(5)), after]


@failure
def an_agent_that_starts_again_from_zero() -> Played:
    """Only the GPU is measured for one interval, and who used it then is an estimate."""
    return Played(shared(shown=[dcgm(virtual_gpus=False), *agents_that_follow_each_other()]), bars=True)


@failure
def counters_of_a_pod_that_ended_before_anybody_watched() -> Played:
    """The agent shows for an hour what a pod used in all; no watch ever saw this one, and its counter stands still."""
    on = host(sliced(4), shown=[agent()])
    gone = lives("gone", on, slots(), level("0.5"), until=-7, deleted_ms=at(-6))
    return Played(Fleet((on,), (gone, lives("here", on, slots(), level("0.25"), since=1))))


@failure
def a_gap_in_all_samples() -> Played:
    """One interval is bridged; then nothing is measured, and the pods owe what they reserved."""
    return Played(shared(Fault(FaultKind.GAP, at(4), at(7))), known_for_ms=STEP)


@failure
def series_that_go_on_after_their_pod() -> Played:
    """As a look-back does: the pod's end is known from the API server."""
    on = host(Sharing(), faults=(Fault(FaultKind.LINGERING, at(4), at(9)),))
    return Played(Fleet((on,), (lives("done", on, WHOLE, level("1"), until=4),)))


@failure
def a_field_that_says_not_supported() -> Played:
    """The next best field is there."""
    return Played(shared(Fault(FaultKind.SENTINEL, at(3), at(8), meanings=("engine",))))


@failure
def a_gpu_that_is_cut_anew() -> Played:
    on = cut(cut(host(mixed(), model=H100), 0, "7g.80gb"), 0, "4g.40gb", "3g.40gb", from_ms=at(6), first_id=5)
    before = lives("before", on, Part(instance=1), level("0.75"), until=5)
    return Played(Fleet((on,), (before, lives("after", on, Part(instance=6), level("0.5"), since=7))))


@failure
def a_shared_gpu_that_falls_off_the_bus() -> Played:
    """It is billed while it is lost, and no pod pays for that."""
    lost = Fault(FaultKind.LOST, at(4), at(10), uuids=(gpu_uuid("gpu-a", 0),))
    on = host(sliced(4), 2, faults=(lost,))
    return Played(Fleet((on,), (lives("a", on, slots(), level("0.5")), lives("b", on, slots(), level("0.25"), gpu=1))))


@failure
def profiling_that_is_paused() -> Played:
    """The coarse utilisation is what is left."""
    paused = Fault(FaultKind.ABSENT, at(3), at(8), meanings=("engine", "sm"))
    return Played(shared(paused))


@failure
def an_error_code_that_stays() -> Played:
    """XID 79 was seen once and is shown ever since; the GPU works."""
    return Played(shared(Fault(FaultKind.XID, *ALWAYS, amount=79), shown=[dcgm(without=())]))


@failure
def a_clock_that_is_an_hour_ahead() -> Played:
    fleet = shared(shown=[dcgm(stamped=True)], clock_skew_ms=3_600_000)
    return Played(fleet, ways=(Way.SCRAPE,))


@failure
def pods_that_all_read_zero_on_a_busy_gpu() -> Played:
    return Played(shared(shown=[dcgm(per_process="zero")]))


@failure
def pods_that_all_read_as_the_whole_gpu() -> Played:
    """When one has ended, the last one that is shown is no copy of anybody for one scrape."""
    return Played(shared(shown=[dcgm(per_process="copied")]), bars=True)


@failure
def one_pod_that_stands_for_all() -> Played:
    return Played(shared(shown=[dcgm(virtual_gpus=False)]))


@failure
def fractions_behind_a_reservation_pod() -> Played:
    on = host(KAI)
    pods = tuple(lives(f"p{n}", on, fraction(Fraction(1, 4)), level("0.25"), since=n) for n in range(3))
    return Played(Fleet((on,), pods))


@failure
def fractions_that_no_row_names() -> Played:
    on = host(VIRTUAL[Plugin.HAMI], shown=[dcgm(), hami()])
    pods = tuple(lives(f"p{n}", on, fraction(Fraction(1, 4), 10_000), level("0.25"), since=n) for n in range(3))
    return Played(Fleet((on,), pods))


@pytest.mark.parametrize(("name", "way"), [(name, way) for name, make in FAILURES.items() for way in make().ways])
def test_the_bill_is_the_truth_although_there_are(name: str, way: Way, tmp_path):
    played = FAILURES[name]()
    check_truth(bill_of(played.fleet, tmp_path, way), played.fleet, known_for_ms=played.known_for_ms, bars=played.bars)


def test_a_counter_that_starts_again_is_measured_at_zero_nowhere(tmp_path):
    """Where nothing but the agent counts, both pods owe what they reserved for the one interval that it lost."""
    rows = bill_of(shared(shown=agents_that_follow_each_other()), tmp_path)
    assert of_pods(rows, Bucket.ALLOCATED_UNMEASURED) == 2 * STEP / 4
    assert of_pods(rows, Bucket.USED) == pytest.approx(0.6 * (10 * MINUTE_MS - STEP), abs=20)


def of_pods(rows: Sequence[Row], bucket: Bucket) -> int:
    return sum(row.gpu_milliseconds for row in rows if row.bucket is bucket and row.holder.pod)


def test_an_exporter_that_shows_old_values_measures_nothing(tmp_path):
    fleet = shared(Fault(FaultKind.FROZEN, at(4), at(9)))
    rows = bill_of(fleet, tmp_path)
    unmeasured = [row for row in rows if row.bucket is Bucket.ALLOCATED_UNMEASURED]
    assert 4 * 2 / 4 <= sum(row.gpu_milliseconds for row in unmeasured) / MINUTE_MS <= 5 * 2 / 4
    assert {row.quality for row in unmeasured} == {Quality.ASSUMED}


BLANK_64, BLANK_32, BLANK_FP = 0x7FFF_FFFF_FFFF_FFF0, 0x7FFF_FFF0, 140_737_488_355_328.0


@pytest.mark.parametrize("blank", [BLANK_64 + n for n in range(4)] + [BLANK_32 + n for n in range(4)])
@pytest.mark.parametrize("name", [ENGINE, UTIL])
def test_numbers_that_mean_no_value_are_dropped_and_counted(name, blank):
    found = read(raw([0.25, float(blank), 0.25], name))
    assert found.defects.sentinels == 1
    assert len(only(found).at_ms) == 2


@pytest.mark.parametrize("blank", [BLANK_FP + n for n in range(4)])
def test_the_same_in_floating_point(blank):
    assert read(raw([0.25, blank, 0.25])).defects.sentinels == 1


def test_activities_that_cannot_be_are_clamped_and_counted():
    found = read(raw([1.29, 0.5], "DCGM_FI_PROF_SM_ACTIVE"))
    assert found.defects.clamped == 1
    assert only(found, Signal.SM_ACTIVE).value.tolist() == [10**9, 5 * 10**8]


def test_power_that_every_instance_repeats_is_that_of_one_board():
    on = cut(host(mixed(), model=H100), 0, "3g.40gb", "2g.20gb", "1g.10gb")
    fleet = Fleet((on,), tuple(lives(f"p{n}", on, Part(instance=n), level("0.5")) for n in (1, 2, 3)))
    store = Store(STEP, fleet)
    for one in series(fleet, BEGIN, END, STEP, shape=Shape.PROMETHEUS):
        store.add(*one)
    telemetry = read_telemetry(store.samples(Window(BEGIN, END)), context(["gpu-a"]), END)
    assert len([one for one in telemetry.series if one.signal is Signal.ENERGY]) > 1
    assert mean_power(telemetry.series, 1, Window(at(0), at(10))) == 70 + 630 * Fraction(6, 7) / 2


def signals(rows: Sequence[Row], pod: str) -> set[str]:
    return {row.signal for row in rows if row.holder.pod == pod and row.bucket is Bucket.USED}


def test_a_row_says_which_field_it_rests_on_when_the_best_one_is_gone(tmp_path):
    paused = Fault(FaultKind.ABSENT, at(-10), at(30), meanings=("engine", "sm"))
    on = host(Sharing(), faults=(paused,))
    fleet = Fleet((on,), (lives("train", on, WHOLE, level("0.5")),))
    assert signals(bill_of(fleet, tmp_path), "train") == {"gpu-util"}
