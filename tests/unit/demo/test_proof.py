"""The demo's proof: it holds for true figures, and each wrong figure makes it fail."""

from fractions import Fraction
from types import SimpleNamespace

import pytest

from demo import proof, show
from fleet.activity import Steady
from fleet.builders import node, pod
from fleet.script import Fleet, SimNamespace, gpu_hour
from fleet.truth import Bucket

NOW = 1_795_000_000_000
BEGIN, END = NOW + 10_000, NOW + 110_000
SECOND = 1_000_000  # nanos of one GPU-second at $3.60 per hour
BOUNDS = proof.Bounds(windows=1, reach_ms=10_000)
BUSY = Steady(Fraction(1, 2))


@pytest.fixture
def fleet():
    """Two GPUs with a price and one without a price; team-a holds one of them for 50 s, half busy."""
    priced = node("gpu-a", gpus=2, price=gpu_hour(3600 * SECOND), booted_ms=NOW)
    lab = node("lab", gpus=1, price=None, instance_type="rtx6000-lab", booted_ms=NOW)
    times = {"bound_ms": BEGIN, "started_ms": BEGIN, "finished_ms": BEGIN + 50_000}
    return Fleet((priced, lab), (pod("train", priced, activity=BUSY, **times),), (SimNamespace("team-a"),))


def report(held, idle, namespace=None, rows=1):
    """A report as the API server gives it; `held` and `idle` are nanos by bucket."""
    whole = sum(held.values()) + sum(idle.values())
    buckets = {name: {"costNanos": nanos} for name, nanos in {**held, **idle}.items()}
    total = {
        "currency": "USD",
        "costNanos": whole,
        "buckets": buckets,
        "gpuMilliseconds": 300_000,
        "unpricedGpuMilliseconds": 100_000,
        "provisionalNanos": whole,
    }
    part = {"costNanos": sum(held.values()) // rows}
    status = {"totals": [total], "rows": [part] * rows, "idle": [{"costNanos": sum(idle.values())}]}
    return {"metadata": {"namespace": namespace}, "status": status}


def figures(used=25, allocated_idle=25, unallocated=150, **others):
    """What a right product says of the fleet, in seconds of one GPU; a test changes one of them."""
    held = {"used": used * SECOND, "allocatedIdle": allocated_idle * SECOND}
    idle = {"unallocated": unallocated * SECOND, **{name: nanos * SECOND for name, nanos in others.items()}}
    whole = report(held, idle)
    own = report(held, {}, "team-a")
    return proof.told([("namespace", whole), ("team", whole)], [own], (BEGIN, END))


def wrong(told, fleet):
    """Names of the lines that do not keep their bounds."""
    lines = [*proof.exact_lines(told, fleet, BOUNDS), *proof.sampled_lines(told, fleet, BOUNDS)]
    return {line.name.strip() for line in lines if not line.ok}


def test_right_figures_prove(fleet):
    told = figures()
    assert wrong(told, fleet) == set()
    assert all(claim.ok for claim in proof.same_money(told))
    assert all(claim.ok for claim in proof.time_claims(told, fleet, BEGIN))


def test_figures_that_lag_by_less_than_the_delay_prove(fleet):
    assert wrong(figures(used=20, allocated_idle=30, unallocated=146, unattributed=4), fleet) == set()


def test_use_that_lags_by_more_than_the_delay_is_wrong(fleet):
    assert wrong(figures(used=19, allocated_idle=31), fleet) == {"used", "allocated-idle"}


def test_use_beyond_the_truth_is_wrong(fleet):
    assert wrong(figures(used=26, allocated_idle=24), fleet) == {"used", "allocated-idle"}


def test_money_that_nobody_paid_is_wrong(fleet):
    assert "price of all GPU time" in wrong(figures(unallocated=151), fleet)


def test_money_that_is_missing_is_wrong(fleet):
    assert {"price of all GPU time", "held by pods", "of team-a"} <= wrong(figures(allocated_idle=24), fleet)


def test_held_time_that_is_called_unheld_is_wrong_although_the_total_is_right(fleet):
    assert wrong(figures(allocated_idle=24, unallocated=151), fleet) >= {"held by pods", "held by nobody"}


def test_a_healthy_gpu_that_is_called_lost_is_wrong(fleet):
    assert wrong(figures(unallocated=140, unhealthy=10), fleet) == {"unhealthy"}


def test_use_of_nobody_beyond_what_ended_pods_left_is_wrong(fleet):
    assert "unattributed" in wrong(figures(unallocated=140, unattributed=10), fleet)


def test_time_that_is_called_unmeasured_long_after_the_start_is_wrong(fleet):
    assert "allocated-unmeasured" in wrong(
        figures(used=10, allocated_idle=10, allocatedUnmeasured=30, unallocated=150), fleet
    )


def test_a_bucket_that_the_truth_does_not_know_counts_into_the_total(fleet):
    assert "price of all GPU time" in wrong(figures(stranded=1), fleet)


def test_rows_that_do_not_sum_to_the_total_are_told(fleet):
    view = proof.View("team", rows=2, rows_nanos=10, idle_nanos=5, total_nanos=16)
    told = SimpleNamespace(views=(view,), buckets={Bucket.USED: 16})
    assert [claim.ok for claim in proof.same_money(told)] == [False, True]


def test_views_with_different_totals_are_told():
    views = (proof.View("team", 1, 10, 5, 15), proof.View("model", 1, 10, 6, 16))
    told = SimpleNamespace(views=views, buckets={Bucket.USED: 15})
    assert [claim.ok for claim in proof.same_money(told)] == [True, False]


def test_unpriced_time_that_is_lost_is_told(fleet):
    told = figures()
    claims = proof.time_claims(told, Fleet(fleet.nodes[:1], fleet.pods, fleet.namespaces), BEGIN)
    assert [claim.ok for claim in claims] == [False, True, False]


def test_a_ledger_that_begins_after_the_controller_knew_the_nodes_is_told(fleet):
    assert [claim.ok for claim in proof.time_claims(figures(), fleet, BEGIN - 1)] == [True, False, True]


def test_the_unpriced_node_is_named_with_its_type(fleet):
    assert "lab (rtx6000-lab)" in proof.time_claims(figures(), fleet, BEGIN)[2].text


def test_the_begin_of_a_ledger_follows_from_its_gpu_time():
    assert proof.begin_of(300_000, 3, END) == BEGIN


def test_tables_fit_into_a_hundred_columns_and_mark_what_is_wrong(fleet):
    told = figures(unallocated=151)
    lines = [*proof.exact_lines(told, fleet, BOUNDS), *proof.sampled_lines(told, fleet, BOUNDS)]
    text = f"{show.views(told)}\n{show.lines(lines)}"
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("WRONG") == len([line for line in lines if not line.ok]) > 0
