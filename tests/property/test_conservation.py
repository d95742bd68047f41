"""The parts sum to the whole, whatever happens on a node."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.attribution.claims import Ask, Tenancy
from aicost.domain.attribution.mig.instances import ALWAYS, Instance
from aicost.domain.attribution.parts import Activity, Known
from aicost.domain.attribution.sharing.choosing import Rules, SlotRule
from aicost.domain.attribution.sharing.rules import SplitRule
from aicost.domain.attribution.spans import DeviceSpan
from aicost.domain.attribution.statement import NodeInput
from aicost.domain.attribution.stating.rows import state_node, unbalanced_nanos
from aicost.domain.exact.apportion import apportion, prorate
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.ledger.rows import HELD
from aicost.domain.pricing.books import PriceDecision, PriceQuote
from aicost.domain.sampling.series import PPB, DeviceSeries, Signal
from support.nodes import HOUR, INTERVAL, node_input, record, unpriced

DEVICES = [f"GPU-{index}" for index in range(4)]


@given(st.integers(-(10**15), 10**15), st.lists(st.integers(0, 10**18), min_size=1, max_size=12))
def test_apportioned_parts_sum_to_the_total(total: int, weights: list[int]) -> None:
    if not sum(weights):
        weights = [*weights, 1]
    parts = apportion(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)


@given(st.integers(-(10**15), 10**15), st.integers(1, HOUR_MS), st.data())
def test_prorated_parts_of_any_partition_sum_to_the_amount(amount: int, length: int, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, length), max_size=6)) | {0, length})
    parts = [prorate(amount, b, length) - prorate(amount, a, length) for a, b in pairwise(cuts)]
    assert sum(parts) == amount


@st.composite
def tenancies(draw: st.DrawFn, index: int) -> Tenancy:
    start = draw(st.integers(-HOUR_MS, HOUR_MS - 1))
    length = draw(st.integers(1, 2 * HOUR_MS))
    shares = draw(st.lists(st.sampled_from([Fraction(1), Fraction(1, 4), Fraction(3, 7)]), max_size=5))
    span = Window(HOUR.start_ms + start, HOUR.start_ms + start + length)
    return Tenancy(index, ("team", f"p{index % 3}"), f"uid-{index}", span, tuple(map(Ask, shares)), draw(st.booleans()))


@st.composite
def samples(draw: st.DrawFn) -> DeviceSeries:
    first = draw(st.integers(-600_000, HOUR_MS))
    times = HOUR.start_ms + first + np.arange(draw(st.integers(1, 50)), dtype=np.int64) * INTERVAL
    holder = draw(st.sampled_from([None, ("team", "p0"), ("team", "p1"), ("other", "ghost")]))
    device = draw(st.sampled_from(DEVICES))
    return DeviceSeries(
        Signal.ENGINE_ACTIVE, device, None, "n1", holder, None, None, times, np.zeros(len(times), np.int64)
    )


@st.composite
def nodes(draw: st.DrawFn) -> NodeInput:
    tenants = [draw(tenancies(index)) for index in range(draw(st.integers(0, 6)))]
    cut = HOUR.start_ms + draw(st.integers(1, HOUR_MS - 1))
    halves = (Window(HOUR.start_ms, cut), Window(cut, HOUR.end_ms))
    unhealthy = ((Window(cut, HOUR.end_ms), draw(st.integers(0, 5))),) if draw(st.booleans()) else ()
    life = record(gpus=draw(st.integers(0, 5)), since_ms=HOUR.start_ms - draw(st.integers(-HOUR_MS, HOUR_MS)))
    life = type(life)(life.facts, life.seen_ms, life.since_ms, draw(st.none() | st.just(cut)), None, unhealthy)
    node = node_input(
        tenants,
        life=life,
        series=draw(st.lists(samples(), max_size=6)),
        prices=[draw(decisions(half, index)) for index, half in enumerate(halves)],
        system=draw(st.frozensets(st.integers(0, 5), max_size=2)),
    )
    return replace(
        node,
        activity=draw(activities()),
        padding_ms=300_000,
        known=draw(knowledge()),
        instances=draw(layouts()),
        rules=Rules(draw(st.sampled_from(SplitRule)), draw(st.sampled_from(SlotRule))),
        wishes=dict.fromkeys(draw(st.sets(st.integers(0, 5))), draw(st.sampled_from(SplitRule))),
    )


@st.composite
def layouts(draw: st.DrawFn):
    """MIG instances of some devices, cut anew inside the window or not, more than fit or fewer."""
    sizes = {"1g.5gb": Fraction(1, 7), "3g.20gb": Fraction(1, 2), "4g.20gb": Fraction(4, 7)}
    cut = HOUR.start_ms + draw(st.integers(0, HOUR_MS))
    lives = st.sampled_from([ALWAYS, Window(0, cut), Window(cut, HOUR.end_ms * 2)])
    found = {
        device: tuple(
            Instance(str(number), profile, sizes[profile], draw(lives))
            for number, profile in enumerate(draw(st.lists(st.sampled_from(sorted(sizes)), max_size=4)))
        )
        for device in draw(st.sets(st.sampled_from(DEVICES)))
    }
    return lambda device: found.get(device, ())


@st.composite
def knowledge(draw: st.DrawFn):
    """What is known of shared devices: nothing, the device, its holders or some of them, for a part of the time."""
    level, cover = draw(st.integers(0, PPB)), draw(st.integers(0, 100))
    levels = draw(st.lists(st.none() | st.integers(0, PPB), min_size=1, max_size=4))
    with_device, strays = draw(st.booleans()), draw(st.integers(0, 1))

    def known(_device: str, span: DeviceSpan, part: Window, _claims: object, **_: bool) -> tuple[Known, ...]:
        told = part.length_ms * cover // 100

        def activity(each: int | None) -> Activity | None:
            return None if each is None else Activity(each * told, told, each // 7, "gauge")

        holders = tuple(activity(levels[position % len(levels)]) for position in range(len(span.holds)))
        device = activity(level) if with_device else None
        first = Known(told, device, holders, (Activity(level * told, told, 1, "gauge"),) * strays)
        return (first, Known(part.length_ms - told, None, (None,) * len(span.holds)))

    return known


@st.composite
def decisions(draw: st.DrawFn, span: Window, index: int) -> PriceDecision:
    if draw(st.booleans()) and draw(st.booleans()):
        return unpriced(span)
    numerator, denominator = draw(st.integers(1, 10**13)), draw(st.integers(1, 9))
    quote = PriceQuote("b", f"e{index}", "USD", numerator, denominator, False, "", "")
    return PriceDecision(span, quote, (), "")


@st.composite
def activities(draw: st.DrawFn):
    level, cover = draw(st.integers(0, PPB)), draw(st.integers(0, 100))

    def activity(_device: str, _whole: DeviceSpan, part: Window) -> Activity:
        covered = part.length_ms * cover // 100
        return Activity(level * covered, covered, level // 7, "engine-active" if covered else "")

    return activity


@given(nodes())
def test_the_rows_of_a_node_sum_to_its_charges_to_the_nano_and_the_millisecond(node: NodeInput) -> None:
    statement = state_node("c", HOUR, node)
    assert unbalanced_nanos([statement]) == 0
    assert sum(r.gpu_milliseconds for r in statement.rows) == sum(c.device_milliseconds for c in statement.charges)
    assert sum(r.cost_nanos or 0 for r in statement.rows) == sum(c.cost_nanos or 0 for c in statement.charges)


@given(nodes())
def test_each_row_is_whole_and_says_who_holds_it(node: NodeInput) -> None:
    for row in state_node("c", HOUR, node).rows:
        assert row.cost_nanos is None or row.cost_nanos >= 0
        assert 0 <= row.measured_milliseconds <= row.gpu_milliseconds
        assert (row.bucket in HELD) == bool(row.holder.pod)


@given(nodes(), st.randoms())
def test_the_order_of_pods_and_series_changes_nothing(node: NodeInput, random) -> None:
    pods, series = list(node.tenancies), list(node.series)
    random.shuffle(pods)
    random.shuffle(series)
    shuffled = replace(node, series=series, tenancies=pods)
    rows = {repr(row) for row in state_node("c", HOUR, node).rows}
    assert rows == {repr(row) for row in state_node("c", HOUR, shuffled).rows}
