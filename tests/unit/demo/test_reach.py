"""What a reader may call used who knows each moment only to within some seconds."""

from fractions import Fraction

from demo import reach
from fleet import truth
from fleet.activity import Duty, Steady
from fleet.builders import node, pod
from fleet.script import Fleet, gpu_hour

SECOND = 1_000_000  # nanos of one GPU-second at $3.60 per hour
NODE = node("gpu-a", gpus=4, price=gpu_hour(3600 * SECOND))
DUTY = Duty(high=Fraction(1), low=Fraction(0), period_ms=20_000, busy=10_000)


def used(activity, reach_ms, gpus=1, on=NODE, **life):
    times = {"bound_ms": 0, "started_ms": 0, "finished_ms": 40_000} | life
    fleet = Fleet((on,), (pod("train", on, gpus, activity=activity, **times),))
    low, high = reach.used_nanos(fleet, 0, 60_000, reach_ms)
    return low / SECOND, high / SECOND


def test_who_knows_each_moment_is_told_the_truth():
    fleet = Fleet((NODE,), (pod("train", NODE, 3, activity=DUTY, bound_ms=0, started_ms=5_000),))
    bill = truth.amounts(fleet, 0, 47_000)
    true = truth.totals(fleet, bill, "bucket")["used"].nanos
    assert reach.used_nanos(fleet, 0, 47_000, 0) == (true, true)


def test_a_steady_load_is_known_however_late_it_is_seen():
    assert used(Steady(Fraction(1, 2)), 30_000, gpus=2) == (40, 40)


def test_each_step_is_uncertain_by_the_reach_on_both_sides():
    # Busy for 0-10 s and 20-30 s of 40 s; with 2 s of reach each of the three steps may be 2 s earlier or later.
    assert used(DUTY, 2_000) == (20 - 6, 20 + 6)


def test_the_time_before_the_container_runs_may_be_taken_for_busy():
    assert used(Steady(Fraction(1)), 3_000, started_ms=8_000) == (29, 35)


def test_nothing_reaches_beyond_the_life_of_the_pod():
    assert used(Steady(Fraction(1)), 30_000) == (40, 40)


def test_a_pod_that_never_ran_used_nothing():
    assert used(Steady(Fraction(1)), 5_000, started_ms=None) == (0, 0)


def test_what_has_no_price_is_in_no_amount():
    unpriced = node("lab", gpus=4, price=None)
    assert used(Steady(Fraction(1)), 5_000, on=unpriced) == (0, 0)
