"""Unit costs equal the truth of the simulator: tokens exactly, money to the nano, whatever was missed.

The truth is told request by request; the product knows nothing but counters, which restart, come, go and stay away.
"""

import random
from collections import Counter

import pytest

from aicost.adapters.ledger.counts.store import DeltaCounts
from aicost.adapters.ledger.place import LedgerPlace
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.ledger.rows import Bucket
from aicost.domain.serving.meters import Count, Outcome
from aicost.usecases.economics.cost_units import UnitQuestion, cost_counted, cost_units
from aicost.usecases.economics.counting import grown_in, tallies
from aicost.usecases.economics.keep_counts import KeepCounts
from fleet.serving import truth
from fleet.serving.faces import ENGINES, GATEWAYS
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, hour, make_holder, make_posting, make_row
from support.played import Played, played, serving

HOURS = [hour(at) for at in range(3)]
SPAN = Window(HOURS[0].start_ms, HOURS[-1].end_ms)
QUESTION = UnitQuestion(("namespace", "controller"), tenants=Dimension.TEAM)
COST = 3_333_333_331
OUTCOMES = {
    "stop": Outcome.SUCCESS, "length": Outcome.TRUNCATED, "abort": Outcome.ABORTED, "error": Outcome.FAILED
}  # fmt: skip


def by_reason(done):
    return dict(Counter(OUTCOMES[one.ended] for one in done))


TELLS = {
    "vllm": (True, by_reason),
    "nim": (False, by_reason),
    "sglang": (
        True,
        lambda done: dict(Counter(Outcome.ABORTED if one.ended == "abort" else Outcome.UNKNOWN for one in done)),
    ),
    "tgi": (
        False,
        lambda done: dict(Counter(Outcome.FAILED if one.ended == "error" else Outcome.SUCCESS for one in done)),
    ),
    "llama-cpp": (None, lambda _done: {}),
}
"""Engine -> whether it tells what a cache held (None: only what it computed), and what it tells of endings."""


def ledger(script):
    made = MemoryLedger()
    for window in HOURS:
        there = [pod for pod in script.pods if pod.from_ms < window.end_ms and pod.to_ms > window.start_ms]
        rows = [
            make_row(nanos, bucket=bucket, window=window, device=pod.name, holder=make_holder("serve", pod.name))
            for pod in there
            for bucket, nanos in ((Bucket.USED, COST), (Bucket.ALLOCATED_IDLE, 777_777_777))
        ]
        made.post(make_posting(*rows, window=window))
    return made


def told(script, span, chance=None):
    """Pod -> computed, cached and generated tokens, and outcomes, as the product counts them."""
    found = tallies(grown_in(played(script) if chance is None else Played(script, chance), span))
    return {
        pod: (one.computed, one.cached, one.output, dict(one.outcomes))
        for (_, pod), models in found.items()
        for one in models.values()
    }


def true(script, span):
    cache, endings = TELLS[script.pods[0].engine]
    found = {}
    for pod in script.pods:
        done = truth.seen(script, pod, span.start_ms, span.end_ms)
        computed, cached, output = truth.kinds(done)
        prompt = (computed, cached) if cache else (computed if cache is None else computed + cached, None)
        ended = endings(done)
        found[pod.name] = (*prompt, output, {one: ended.get(one, 0) for one in _known(script.pods[0].engine)})
    return found


def _known(engine):
    return {
        "vllm": OUTCOMES.values(), "nim": OUTCOMES.values(), "sglang": (Outcome.ABORTED, Outcome.UNKNOWN),
        "tgi": (Outcome.SUCCESS, Outcome.FAILED), "llama-cpp": (),
    }[engine]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", range(2))
def test_what_each_engine_counted_is_the_truth_over_restarts_and_missed_scrapes(engine, seed):
    script = serving(seed, SPAN.start_ms, engine=engine)
    for span in (*HOURS, SPAN):
        found, expected = told(script, span), true(script, span)
        assert found == {pod: expected[pod] for pod in found}
    assert found.keys() == {pod.name for pod in script.pods}


def test_the_script_loses_requests_so_that_the_truth_is_not_merely_all_of_them():
    script = serving(1, SPAN.start_ms)
    every = Window(script.from_ms, script.to_ms)
    lost = sum(len(pod.requests) - len(truth.seen(script, pod, every.start_ms, every.end_ms)) for pod in script.pods)
    assert 0 < lost < 10


@pytest.mark.parametrize("engine", ENGINES)
def test_order_parts_and_duplicates_of_samples_change_nothing(engine):
    script = serving(7, SPAN.start_ms, engine=engine)
    assert told(script, SPAN, random.Random(1)) == told(script, SPAN)


@pytest.mark.parametrize("engine", ENGINES)
def test_hours_sum_to_their_whole(engine):
    script = serving(8, SPAN.start_ms, engine=engine)
    sums = Counter()
    for window in HOURS:
        for pod, (computed, cached, output, outcomes) in told(script, window).items():
            sums.update({(pod, "in"): computed, (pod, "hit"): cached or 0, (pod, "out"): output})
            sums.update({(pod, one): number for one, number in outcomes.items()})
    whole = Counter()
    for pod, (computed, cached, output, outcomes) in told(script, SPAN).items():
        whole.update({(pod, "in"): computed, (pod, "hit"): cached or 0, (pod, "out"): output})
        whole.update({(pod, one): number for one, number in outcomes.items()})
    assert sums == whole


def claims(script, span):
    """What the gateway counts for each tenant. Kong does not tell what a cache held: that is as the engine counted."""
    done = [one for pod in script.pods for one in truth.seen(script, pod, span.start_ms, span.end_ms)]
    mix_computed, mix_cached, _ = truth.kinds(done)
    found = {}
    for (_, tenant), mine in truth.asked(script, span.start_ms, span.end_ms).items():
        computed, cached, output = truth.kinds(mine)
        if script.gateway == "kong":
            prompt, mix = computed + cached, mix_computed + mix_cached
            computed = (2 * prompt * mix_computed + mix) // (2 * mix)  # to the nearest token
            cached = prompt - computed
        found[tenant] = (computed, cached, output)
    return found


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_tenants_bear_the_truth_to_the_nano_and_sum_to_the_whole(engine, gateway):
    script = serving(1, SPAN.start_ms, engine=engine, gateway=gateway)
    (line,) = cost_units(ledger(script), played(script), SPAN, QUESTION, cluster=CLUSTER).lines
    done = [one for pod in script.pods for one in truth.seen(script, pod, SPAN.start_ms, SPAN.end_ms)]
    asked, cost = claims(script, SPAN), line.costs.spent.cost_nanos
    expected = truth.borne(engine, done, asked, cost)
    for kind, part in zip((line.costs.input, line.costs.cached, line.costs.output), expected.kinds, strict=True):
        assert abs(kind.cost_nanos - part) < 1
    shares = {one.tenant: one for one in line.tenancy.shares}
    assert line.tenancy.gateway == gateway
    assert {tenant: one.asked for tenant, one in shares.items() if tenant}.keys() == asked.keys()
    for tenant, kinds in asked.items():
        one = shares[tenant].asked
        assert (one.computed, one.cached, one.output) == kinds
    assert sum(one.cost_nanos for one in shares.values()) == cost
    for tenant, part in expected.tenants.items():
        assert abs(shares[tenant].cost_nanos - part) < 4, "each kind rounds once among kinds and once among tenants"


def test_what_was_kept_hour_by_hour_costs_what_the_whole_does(tmp_path):
    script = serving(3, SPAN.start_ms)
    money, store = ledger(script), DeltaCounts(LedgerPlace(str(tmp_path / "ledger")))
    keep = KeepCounts(CLUSTER, store, money, played(script))
    for window in HOURS:
        keep.count(window)
    kept = cost_counted(money, store, SPAN, QUESTION, cluster=CLUSTER)
    assert kept == cost_units(money, played(script), SPAN, QUESTION, cluster=CLUSTER)
    assert kept.lines[0].costs.did.get(Count.PREFILL_TIME) == sum(
        one.prefill_ms for pod in script.pods for one in truth.seen(script, pod, SPAN.start_ms, SPAN.end_ms)
    )
