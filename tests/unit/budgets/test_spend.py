"""What is in the scope of a budget, what runs in it, and what it cost over time."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.budgets.objects import concerns, in_scope, label_of
from aicost.domain.budgets.plans import PPM, BudgetPlan, BudgetRef, Gated
from aicost.domain.budgets.spend.found import JUDGED_MS, ScopeSpend
from aicost.domain.budgets.spend.running import running_pods
from aicost.domain.budgets.spend.scopes import Grouped, Scope, scope_of
from aicost.domain.budgets.spend.series import SpendSeries, Timeline
from aicost.domain.budgets.spend.sums import Total, idle_and_busy, indexed, total
from aicost.domain.budgets.units.counts import CountMethod, UnitCount
from aicost.domain.budgets.units.targets import Achieved, UnitTarget, achieved
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window
from aicost.domain.identity.claims import LabelExpression, LabelSelector
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.inventory.dra.claims import ClaimedDevice
from aicost.domain.inventory.nodes import SharingMode
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.ledger.rows import Bucket, Holder
from aicost.domain.pricing.books import PriceQuote
from aicost.domain.reporting.keys import passes
from aicost.domain.reporting.sums import sum_rows
from aicost.domain.workloads.reading import read_workload
from support.budget_books import DOLLAR, runs
from support.budgets import plan, safety
from support.builders import T0, make_node, make_pod
from support.ledger_rows import make_holder, make_row

NAMESPACES = {"a": {"unit": "x"}, "b": {"unit": "y", "tier": "gold"}, "c": {}}


def cluster_plan(**more):
    return BudgetPlan(BudgetRef("all", "", "u"), "USD", ((0, 1),), plan().rule, **more)


@pytest.mark.parametrize(
    ("selector", "named", "chosen"),
    [
        (None, None, None),
        (None, ("a",), {"a"}),
        (LabelSelector({}), None, {"a", "b", "c"}),
        (LabelSelector({"unit": "x"}), None, {"a"}),
        (LabelSelector({"unit": "x"}), ("a", "b"), {"a"}),
        (LabelSelector({"unit": "x"}), ("b",), {""}),
        (LabelSelector({"unit": "z"}), None, {""}),
        (LabelSelector({}, (LabelExpression("tier", "DoesNotExist"),)), None, {"a", "c"}),
    ],
)
def test_namespaces_are_those_that_are_named_and_selected(selector, named, chosen):
    filters = {} if named is None else {"namespace": named}
    scope = scope_of(cluster_plan(filters=filters, namespaces=selector), NAMESPACES)
    assert dict(scope.filters).get("namespace") == (None if chosen is None else frozenset(chosen))


VALUES = st.sampled_from(["", "x", "y"])
ROWS = st.lists(
    st.builds(
        lambda team, space, held, cost: make_row(
            cost,
            holder=make_holder(space or "a", "p-0", **({"team": team} if team else {})) if held else Holder(),
            bucket=Bucket.USED if held else Bucket.UNALLOCATED,
        ),
        VALUES,
        VALUES,
        st.booleans(),
        st.none() | st.integers(-100, 100),
    ),
    max_size=20,
)
FILTERS = st.dictionaries(
    st.sampled_from(["team", "namespace", "cluster"]),
    st.lists(st.sampled_from(["x", "y", "a", "untagged", "cluster-1"]), min_size=1, max_size=3).map(tuple),
    max_size=3,
)


@given(ROWS, FILTERS)
def test_a_scope_takes_the_groups_whose_rows_a_report_would_take(rows, filters):
    scope = scope_of(cluster_plan(filters=filters), {})
    sums = indexed(("team", "namespace", "cluster"), sum_rows(rows, ("team", "namespace", "cluster")))
    wanted = [row for row in rows if passes(row, filters) and (row.bucket is Bucket.USED or not scope.by_holder)]
    assert total(sums.inside(scope), "USD").nanos == sum(row.cost_nanos or 0 for row in wanted)
    assert sum(one.gpu_milliseconds for one in sums.inside(scope)) == sum(row.gpu_milliseconds for row in wanted)


def test_amounts_of_another_currency_are_named_and_added_to_nothing():
    sums = sum_rows([make_row(5), make_row(7, currency="EUR"), make_row(None, currency="GBP")], ("team",))
    assert total(sums, "USD") == Total(5, frozenset({"EUR"}), 1_800_000, 1_800_000, 600_000, 0)
    assert total(sums, "USD") + total(sums, "EUR") == Total(
        12, frozenset({"EUR", "USD"}), 3_600_000, 3_600_000, 1_200_000
    )


def test_idle_and_busy_time_are_of_what_was_measured_and_held():
    rows = [
        make_row(1, gpu_ms=10),
        make_row(1, gpu_ms=20, bucket=Bucket.ALLOCATED_IDLE),
        make_row(1, gpu_ms=40, bucket=Bucket.ALLOCATED_UNMEASURED),
        make_row(1, gpu_ms=80, bucket=Bucket.UNALLOCATED),
    ]
    assert idle_and_busy(sum_rows(rows, ())) == (20, 10)


def test_groups_that_do_not_tell_a_key_apart_refuse_the_question():
    with pytest.raises(KeyError, match="not grouped by team"):
        Grouped(("model",), [("m",)], [True], ["gpu"]).inside(Scope((("team", frozenset({"x"})),)))


def quote(dollars=2, currency="USD"):
    return PriceQuote("book", "entry", currency, dollars * DOLLAR, 1, False, "", "")


PRICE = quote()


def on(node, *pods, price=PRICE):
    facts = ClusterFacts(tuple(pods), (node.record(),))
    found = running_pods(facts, {node.facts().uid: price}, lambda _: Holder(), "c")
    return {one.record.facts.name: one for one in found}


def pod(name, gpus=1, until_ms=None, resource="nvidia.com/gpu"):
    facts = make_pod("a", name).gpus(gpus, resource).on("n").bound(T0).facts()
    return PodRecord(facts, seen_ms=T0, held_until_ms=until_ms)


def test_a_pod_costs_its_reservation_at_the_price_of_its_node():
    found = on(make_node("n").gpus(8), pod("one"), pod("four", 4))
    assert (found["one"].rate_nanos, found["four"].rate_nanos) == (2 * DOLLAR, 8 * DOLLAR)
    assert (found["four"].gpu_milli, found["four"].hour_nanos) == (4000, 2 * DOLLAR)


def test_a_device_that_is_promised_twice_costs_no_more_than_itself():
    found = on(make_node("n").gpus(2), pod("a", 2), pod("b", 2))
    assert sum(one.rate_nanos for one in found.values()) == 4 * DOLLAR
    assert sum(one.gpu_milli for one in found.values()) == 2000


def test_what_has_ended_takes_no_room_from_what_runs():
    found = on(make_node("n").gpus(2), pod("old", 2, until_ms=T0 + 5), pod("new", 2))
    assert (found["new"].rate_nanos, found["new"].alive, found["old"].alive) == (4 * DOLLAR, True, False)


def test_a_slice_and_a_slot_cost_their_share():
    shared = make_node("n").gpus(1)
    sliced = on(shared, pod("mig", resource="nvidia.com/mig-3g.40gb"))
    assert sliced["mig"].rate_nanos == pytest.approx(2 * DOLLAR * Fraction(1, 2), abs=1)
    facts = replace(shared.record(), facts=replace(shared.facts(), sharing=SharingMode.TIME_SLICING, slots_per_gpu=4))
    (slot,) = running_pods(ClusterFacts((pod("slot"),), (facts,)), {facts.facts.uid: quote()}, lambda _: Holder(), "c")
    assert (slot.rate_nanos, slot.gpu_milli) == (DOLLAR // 2, 250)


def test_what_is_held_by_claims_and_fractions_runs_at_its_price_too():
    def named(name, namespace="a", **more):
        return replace(pod(name), facts=replace(pod(name).facts, devices={}, namespace=namespace, **more))

    group = {"runai-gpu-group": "g1"}
    keeper = replace(
        pod("keeper"), facts=replace(pod("keeper").facts, namespace="kai-resource-reservation", labels=group)
    )
    fraction = named("fraction", labels=group, annotations={"gpu-fraction": "0.25"})
    shared = [replace(named(name, claims=("c",)), claimed=(ClaimedDevice("c", "", Fraction(1)),)) for name in "xy"]
    watcher = replace(named("watcher", claims=("w",)), claimed=(ClaimedDevice("w", "", Fraction(0)),))
    found = on(make_node("n").gpus(4), keeper, fraction, *shared, watcher)
    rates = {name: one.rate_nanos for name, one in found.items()}
    assert rates == {"fraction": DOLLAR // 2, "x": DOLLAR, "y": DOLLAR}


def test_without_a_price_the_rate_is_not_known_and_not_zero():
    assert on(make_node("n").gpus(1), pod("a"), price=None)["a"].rate_nanos is None


def test_pods_without_devices_or_without_a_node_that_we_know_do_not_run_here():
    elsewhere = PodRecord(make_pod("a", "x").gpus(1).on("gone").bound(T0).facts(), seen_ms=T0)
    plain = PodRecord(make_pod("a", "y").on("n").bound(T0).facts(), seen_ms=T0)
    waiting = PodRecord(make_pod("a", "z").gpus(1).facts(), seen_ms=T0)
    assert on(make_node("n").gpus(1), elsewhere, plain, waiting) == {}


@pytest.mark.parametrize(
    ("since", "now", "hours"), [(0, 2, 1), (1, 2, 1), (0, 1, 0), (2, 1, 0), (2, 2, 0), (1, 9, 3)], ids=str
)
def test_a_pod_accrues_while_it_holds_its_devices(since, now, hours):
    one = runs(dollars=6, since_ms=HOUR_MS, until_ms=4 * HOUR_MS)
    assert one.accrued(since * HOUR_MS, now * HOUR_MS) == hours * 6 * DOLLAR


def scope_spend(*, gpu_ms=0, measured=0, unpriced=0, committed=()):
    day = Total(gpu_ms=gpu_ms, measured_ms=measured, unpriced_ms=unpriced)
    return ScopeSpend(None, day, day, None, committed, None)


def test_samples_are_missed_only_after_each_device_has_run_for_a_while():
    four = (runs(gpus=4),)
    assert scope_spend(gpu_ms=4 * JUDGED_MS - 1, committed=four).telemetry is None
    assert scope_spend(gpu_ms=4 * JUDGED_MS, committed=four).telemetry == 0
    assert scope_spend(gpu_ms=JUDGED_MS, measured=JUDGED_MS // 2).telemetry == Fraction(1, 2)


def test_prices_are_judged_by_the_last_day_and_before_there_is_one_by_what_runs():
    pods = (runs("a", "x", gpus=3), runs("a", "y", dollars=None))
    assert scope_spend(committed=pods).price == Fraction(3, 4)
    assert scope_spend(gpu_ms=100, unpriced=10, committed=pods).price == Fraction(9, 10)
    assert scope_spend().price is None


def timeline(costs, lengths, start_ms=0):
    ends = start_ms + np.cumsum(np.array(lengths, dtype=np.int64))
    starts = ends - np.array(lengths, dtype=np.int64)
    cost = np.array(costs, dtype=np.int64)
    return Timeline(starts, ends, cost, cost * 0, cost * 0)


WINDOWS = st.lists(st.tuples(st.integers(-(10**14), 10**14), st.sampled_from([HOUR_MS, HOUR_MS // 4])), max_size=30)


@given(WINDOWS, st.integers(-2 * HOUR_MS, 31 * HOUR_MS), st.integers(0, 31 * HOUR_MS), st.integers(0, 31 * HOUR_MS))
def test_parts_of_a_span_cost_together_what_the_span_costs(windows, start, first, second):
    line = timeline([cost for cost, _ in windows], [length for _, length in windows])
    cuts = sorted({start, start + first, start + first + second})
    parts = [line.spent(Window(a, b)) for a, b in pairwise(cuts)]
    assert sum(parts) == pytest.approx(line.spent(Window(cuts[0], cuts[-1])), abs=len(cuts))
    assert line.spent(Window(-(10**9), 10**12)) == sum(cost for cost, _ in windows)


def test_a_large_amount_of_a_cut_window_does_not_overflow():
    line = timeline([2**62], [HOUR_MS])
    assert line.spent(Window(0, HOUR_MS // 2)) == 2**61


def test_full_days_are_those_that_the_windows_reach_back_to():
    line = timeline([1] * 60, [HOUR_MS] * 60, start_ms=1000)
    assert line.days(1000 + 60 * HOUR_MS, 5, DAY_MS) == (24, 24)
    assert line.days(1000 + 48 * HOUR_MS, 5, DAY_MS) == (24, 24)
    assert timeline([], []).days(0, 5, DAY_MS) == ()


def test_hours_of_quarters_add_up_and_hours_of_nothing_are_not_known():
    quarters = timeline([1, 2, 3, 4], [HOUR_MS // 4] * 4)
    cost, _, _ = quarters.hourly(3, 2 * HOUR_MS)
    assert [None if np.isnan(one) else one for one in cost] == [None, 10.0, None]


def test_a_series_gives_a_scope_its_own_currency_and_what_has_none():
    groups = Grouped(("team",), [("a",), ("a",), ("b",), ("a",)], [True] * 4, ["gpu"] * 4)
    cost = np.array([[1], [10], [100], [0]], dtype=np.int64)
    bounds = np.array([0], dtype=np.int64), np.array([HOUR_MS], dtype=np.int64)
    series = SpendSeries(groups, ("USD", "EUR", "USD", ""), *bounds, cost, cost, cost)
    assert series.of(Scope((("team", frozenset({"a"})),)), "USD").spent(Window(0, HOUR_MS)) == 1
    assert series.span == Window(0, HOUR_MS)


CHAT, TRAIN = ("a", "chat"), ("a", "train")


def count(units, good=None):
    return UnitCount(units, good, 1, CountMethod.INCREASE)


def test_unit_cost_is_a_ratio_of_sums():
    targets = [UnitTarget(CHAT, DOLLAR, 1000, "USD", 10), UnitTarget(TRAIN, DOLLAR, 1, "USD")]
    counts = {CHAT: count(9000, 8000), TRAIN: count(1, 1)}
    found = achieved(targets, counts, {CHAT: 15 * DOLLAR, TRAIN: 5 * DOLLAR}, "USD")
    assert found == Achieved(2 * PPM, PPM * 110 // 100, 8001 * PPM // 9001)
    assert found.is_within is False


@pytest.mark.parametrize(
    ("target", "counted"),
    [
        (UnitTarget(CHAT, DOLLAR, 1, "EUR"), count(5, 5)),
        (UnitTarget(CHAT, None), count(5, 5)),
        (UnitTarget(CHAT, DOLLAR, 1, "USD"), count(0, 0)),
        (UnitTarget(CHAT, DOLLAR, 1, "USD"), count(None)),
        (UnitTarget(TRAIN, DOLLAR, 1, "USD"), count(5, 5)),
    ],
    ids=str,
)
def test_what_has_no_target_in_this_currency_or_no_units_is_not_known_and_not_good(target, counted):
    found = achieved([target], {CHAT: counted}, {CHAT: DOLLAR}, "USD")
    assert (found.unit_ppm, found.is_within) == (None, None)


def test_success_is_known_without_a_target_and_is_never_above_all():
    assert achieved([UnitTarget(CHAT)], {CHAT: count(4, 3)}, {}, "USD").success_ppm == PPM * 3 // 4
    assert achieved([UnitTarget(CHAT)], {CHAT: count(4, 5)}, {}, "USD").success_ppm == PPM


def job(labels=None, pod_labels=None, gpus=1, namespace="a"):
    limits = {"nvidia.com/gpu": str(gpus)} if gpus else {}
    container = {"name": "m", "image": "i", "resources": {"limits": limits}}
    template = {"metadata": {"labels": pod_labels or {}}, "spec": {"containers": [container]}}
    metadata = {"name": "j", "namespace": namespace, "labels": labels or {}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}}


TEAM = "aicost.dev/team"


@pytest.mark.parametrize(
    ("filters", "obj", "inside"),
    [
        ({}, job(), True),
        ({"namespace": ("a",)}, job(), True),
        ({"namespace": ("b",)}, job(), False),
        ({"team": ("vision",)}, job({TEAM: "vision"}), True),
        ({"team": ("vision",)}, job({TEAM: " Vision_"}), True),
        ({"team": ("vision",)}, job({TEAM: "vision"}, {TEAM: "speech"}), False),
        ({"team": ("vision",)}, job(), False),
        ({"team": ("untagged",)}, job(), True),
        ({"team": ("untagged",)}, job({TEAM: "untagged"}), True),
        ({"team": ("untagged", "vision")}, job({TEAM: "vision"}), True),
        ({"team": ("gold",)}, job(namespace="b"), True),
        ({"label:app": ("x",)}, job(pod_labels={"app": "x"}), True),
        ({"label:app": ("x",)}, job(pod_labels={"app": "X"}), False),
        ({"cluster": ("elsewhere",)}, job(), True),
    ],
    ids=str,
)
def test_an_object_is_in_scope_by_its_pods_words_then_its_own_then_its_namespaces(filters, obj, inside):
    namespaces = {"a": {}, "b": {TEAM: "gold"}}
    assert concerns(cluster_plan(filters=filters), obj, namespaces) is inside


def test_only_what_asks_for_gpus_counts_unless_the_budget_says_so():
    everything = cluster_plan(safety=safety(gated=Gated.ALL_WORKLOADS))
    assert not concerns(cluster_plan(), job(gpus=0), {})
    assert concerns(everything, job(gpus=0), {})
    assert not concerns(everything, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}, {})


def test_a_selector_of_namespaces_looks_at_their_labels():
    chosen = cluster_plan(namespaces=LabelSelector({"unit": "x"}))
    workload = read_workload(job())
    assert in_scope(chosen, workload, {"unit": "x"})
    assert not in_scope(chosen, workload, {})


def test_each_key_of_a_scope_has_its_label():
    assert (label_of("team"), label_of("label:app.kubernetes.io/name")) == (TEAM, "app.kubernetes.io/name")
