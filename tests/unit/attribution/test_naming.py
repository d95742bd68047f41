"""Which device a pod gets where what it asked for names one."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from aicost.domain.attribution.claims import Ask, Claim, assign
from aicost.domain.attribution.tenancies import Unseen, unseen_pods
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import DeviceSeries, Signal
from support.nodes import record, seen, shared_record, tenancy

HALF = Fraction(1, 2)


def test_a_named_device_is_that_device_also_for_one_that_came_later() -> None:
    first = tenancy(0, -60, 120)
    named = replace(tenancy(1, -30, 120), asks=(Ask(Fraction(1), "GPU-a"),))
    claims = assign(record(gpus=2).facts, ["GPU-a", "GPU-b"], [first, named], [])
    assert claims["GPU-a"] == (Claim(named, Fraction(1), seen=True),)
    assert [claim.tenancy for claim in claims["GPU-b"]] == [first]


def test_samples_place_only_what_is_not_named() -> None:
    pod = replace(tenancy(0, -60, 120), asks=(Ask(HALF, "GPU-b"), Ask(HALF)))
    series = [seen("GPU-b", pod, 0, 60), seen("GPU-a", pod, 0, 30)]
    claims = assign(shared_record(2, 2).facts, ["GPU-a", "GPU-b"], [pod], series)
    assert claims == {name: (Claim(pod, HALF, seen=True),) for name in ("GPU-a", "GPU-b")}


def test_a_name_of_a_device_that_the_node_does_not_have_is_no_name() -> None:
    pod = replace(tenancy(0, -60, 120), asks=(Ask(Fraction(1), "GPU-gone"),))
    claims = assign(record(gpus=2).facts, ["GPU-a", "GPU-b"], [pod], [])
    assert claims == {"GPU-a": (Claim(pod, Fraction(1), seen=False),)}


def test_a_pod_that_only_samples_know_holds_one_slot_of_a_shared_device_and_all_of_another():
    ghost = replace(tenancy(0, -60, 120), asks=())
    series = [seen("GPU-a", ghost, 0, 60)]
    shared = assign(shared_record(1, 4).facts, ["GPU-a"], [ghost], series)
    alone = assign(record(gpus=1).facts, ["GPU-a"], [ghost], series)
    assert [claim.share for claim in (*shared["GPU-a"], *alone["GPU-a"])] == [Fraction(1, 4), 1]


def test_further_slots_of_a_pod_are_on_the_device_that_names_it_as_far_as_there_is_room() -> None:
    pod = tenancy(0, -60, 120, gpus=3, share=HALF)
    claims = assign(shared_record(2, 2).facts, ["GPU-a", "GPU-b"], [pod], [seen("GPU-b", pod, 0, 60)])
    assert [claim.seen for claim in claims["GPU-b"]] == [True, True]
    assert [claim.seen for claim in claims["GPU-a"]] == [False]


def test_on_the_only_device_of_a_node_a_pod_is_without_a_doubt() -> None:
    pod = tenancy(0, -60, 120, share=HALF)
    claims = assign(shared_record(1, 2).facts, ["GPU-a"], [pod], [])
    assert claims["GPU-a"] == (Claim(pod, HALF, seen=True),)


@pytest.mark.parametrize(("readings", "named"), [([5, 5, 7, 9, 9, 9], (1, 3)), ([5, 5, 5], None), ([5], None)])
def test_a_counter_names_a_pod_that_no_watch_saw_only_while_it_grows(readings, named) -> None:
    at_ms, value = np.arange(len(readings), dtype=np.int64) * 15, np.array(readings, np.int64)
    counter = DeviceSeries(Signal.POD_SECONDS, "GPU-a", None, "n", ("team", "gone"), "uid", None, at_ms, value)
    spans = () if named is None else (Window(15 * named[0] - 15, 15 * named[1] + 15),)
    assert unseen_pods(frozenset(), [counter], 15) == tuple(Unseen(("team", "gone"), "uid", one) for one in spans)
