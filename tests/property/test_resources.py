"""CPU and memory: whatever pods ask for and use, the parts are the whole, and a second way to count says the same."""

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.attribution.resources.cells import Cells
from aicost.domain.attribution.resources.dividing import BUCKETS, divide_capacity
from aicost.domain.attribution.resources.holding import Demand, holdings
from aicost.domain.attribution.resources.stating import state_resources
from aicost.domain.attribution.resources.use import Levels, PodUse
from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.ledger.rows import Bucket, Holder
from support.nodes import HOUR
from support.residents import by_the_second, host, housed, priced, resident, state_host

SHORT = Window(HOUR.start_ms, HOUR.start_ms + 60 * SECOND_MS)
SECONDS = st.integers(0, 60)
CORES = st.integers(0, 6_000).map(lambda millis: millis / 1_000)


@st.composite
def pieces(draw, *, gaps: bool):
    """Steps in minutes of whole seconds, one after the other."""
    edges = sorted(draw(st.sets(SECONDS, min_size=2, max_size=6)))
    steps = [(start / 60, end / 60, draw(CORES)) for start, end in pairwise(edges)]
    return [step for step in steps if not gaps or draw(st.booleans())]


@st.composite
def pods(draw):
    found = []
    for index in range(draw(st.integers(0, 4))):
        asks = draw(pieces(gaps=False))
        cpu, memory = draw(pieces(gaps=True)), draw(pieces(gaps=True))
        found.append(resident(f"p{index}", asks, cpu, memory, system=draw(st.booleans())))
    return found


MONEY = st.none() | st.fractions(0, 10**10, max_denominator=97)


@settings(max_examples=60, deadline=None)
@given(pods(), MONEY, MONEY, st.integers(0, 60))
def test_the_parts_sum_to_the_whole_to_the_last_nano(residents, cpu, memory, moment):
    cut = SHORT.start_ms + moment * SECOND_MS
    prices = [priced(cpu, memory, Window(SHORT.start_ms, cut)), priced(memory, cpu, Window(cut, SHORT.end_ms), "later")]
    rows, charges = state_host(housed(SHORT, residents, prices), window=SHORT)
    due, paid = defaultdict(int), defaultdict(int)
    for charge in charges:
        due[charge.component, charge.price, charge.currency] += charge.cost_nanos or 0
    for row in rows:
        assert row.quantity >= 0
        assert (row.cost_nanos is None) == (row.currency == "")
        paid[row.component, row.price, row.currency] += row.cost_nanos or 0
    assert {key: nanos for key, nanos in paid.items() if nanos} == {key: nanos for key, nanos in due.items() if nanos}


@settings(max_examples=60, deadline=None)
@given(pods(), st.integers(1, 8_000_000))
def test_a_count_by_the_second_says_the_same_exactly(residents, capacity):
    demands = [Demand([(step, cpu * 1_000) for step, cpu, _ in one.steps], one.use.cpu) for one in residents]
    weights = divide_capacity(holdings(demands, SHORT), capacity, [one.system for one in residents])
    parts = {
        (one.holder.pod, bucket): weight
        for one, row in zip(residents, weights.pods, strict=True)
        for bucket, weight in zip(BUCKETS, row, strict=True)
    }
    parts["", Bucket.UNALLOCATED] = weights.unallocated
    whole = sum(parts.values())
    found = {key: Fraction(one * capacity * SHORT.length_ms, whole) for key, one in parts.items() if one}
    assert found == by_the_second(residents, capacity, SHORT)


@st.composite
def hosts(draw):
    """Nodes of all sizes, some too small for their pods, some too large for 64 bits, with one price or two."""
    cut = SHORT.start_ms + draw(st.sampled_from([0, 20, 60])) * SECOND_MS
    halves = (Window(SHORT.start_ms, cut), Window(cut, SHORT.end_ms))
    prices = [priced(draw(MONEY), draw(MONEY), half, f"e{half.start_ms}") for half in halves]
    life = host(draw(st.sampled_from([0, 1, 4, 64, 10**15])), draw(st.sampled_from([0, 16, 2**40])))
    return housed(SHORT, draw(pods()), prices, life)


@settings(max_examples=60, deadline=None)
@given(st.lists(hosts(), max_size=6))
def test_nodes_that_are_stated_together_say_what_each_says_alone(some):
    assert state_resources(SHORT, some) == [state_host(one, window=SHORT) for one in some]


@st.composite
def crowds(draw):
    """Nodes of which some pods have holders in common, ended unseen, or used something before and after the window."""
    one = draw(hosts())
    names = [Holder("team", name) for name in "ab"]
    residents = []
    for pod in one.residents:
        holder = draw(st.sampled_from([pod.holder, *names]))
        use = PodUse(*(_reaching(draw, levels) for levels in (pod.use.cpu, pod.use.memory)))
        residents.append(pod._replace(holder=holder, uncertain=draw(st.booleans()), use=use))
    return replace(one, residents=tuple(residents))


def _reaching(draw, levels):
    """Levels of which the first and the last piece may reach far beyond the window."""
    if not len(levels.level):
        return levels
    start, end = levels.start_ms.copy(), levels.end_ms.copy()
    start[0] -= draw(st.sampled_from([0, 1, 10**12]))
    end[-1] += draw(st.sampled_from([0, 1, 1 << 62]))
    return Levels(start, end, levels.level)


@settings(max_examples=80, deadline=None)
@given(st.lists(crowds(), max_size=5))
def test_nodes_that_are_divided_in_one_pass_say_what_each_segment_says_alone(some):
    divide = Cells.divide

    def all_odd(self, *args):
        shares = divide(self, *args)
        return shares._replace(odd=np.ones_like(shares.odd))

    together = state_resources(SHORT, some)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Cells, "divide", all_odd)
        assert together == state_resources(SHORT, some)


@settings(max_examples=40, deadline=None)
@given(pods(), st.randoms(use_true_random=False))
def test_the_order_of_pods_does_not_matter(residents, shuffle):
    def costs(order):
        rows, _ = state_host(housed(SHORT, order, [priced(10**9, 10**9 + 7)]), window=SHORT)
        return {(row.component, row.holder.pod, row.bucket, row.flags): row for row in rows}

    some, other = costs(residents), costs(shuffle.sample(residents, len(residents)))
    assert some.keys() == other.keys()
    for key, row in some.items():  # of equal remainders the earlier gets the nano
        assert abs(row.cost_nanos - other[key].cost_nanos) <= 1
        assert abs(row.quantity - other[key].quantity) <= 1


@settings(max_examples=40, deadline=None)
@given(pods(), st.integers(1, 59))
def test_an_hour_costs_what_its_two_parts_cost(residents, moment):
    cut = SHORT.start_ms + moment * SECOND_MS
    whole = _sums(residents, SHORT)
    first, second = _sums(residents, Window(SHORT.start_ms, cut)), _sums(residents, Window(cut, SHORT.end_ms))
    for key in whole.keys() | first.keys() | second.keys():
        difference = whole.get(key, 0) - first.get(key, 0) - second.get(key, 0)
        assert abs(difference) <= 3, key


def _sums(residents, window):
    parts = [
        one._replace(steps=[(part, cpu, gib) for step, cpu, gib in one.steps if (part := step.overlap(window))])
        for one in residents
    ]
    there = [one for one in parts if one.steps]
    rows, _ = state_host(housed(window, there, [priced(10**9, 10**9)]), window=window)
    found = defaultdict(int)
    for row in rows:
        found[row.component, row.holder.pod, row.bucket] += row.cost_nanos
    return found


def test_a_bucket_of_each_kind_is_there_somewhere():
    known = resident("a", [(0, 1, 2)], cpu=[(0, 1, 1)])
    blind, platform = resident("b", [(0, 1, 1)]), resident("c", [(0, 1, 0.5)], system=True)
    rows, _ = state_host(housed(SHORT, [known, blind, platform], [priced(10**9, 10**9)]), window=SHORT)
    expected = {Bucket.USED, Bucket.ALLOCATED_IDLE, Bucket.ALLOCATED_UNMEASURED, Bucket.SYSTEM, Bucket.UNALLOCATED}
    assert {row.bucket for row in rows} == expected
