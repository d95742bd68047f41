"""What holds of lifetimes whatever a watch shows."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.inventory.lifetimes import advance_node, advance_pod, vanish_node, vanish_pod
from support.builders import T0, make_node, make_pod

ALL = Window(0, T0 + 10_000 * HOUR_MS)
OFF = st.integers(-2 * HOUR_MS, 2 * HOUR_MS)
STEPS = st.integers(0, 3 * HOUR_MS)
PHASES = st.sampled_from(["Pending", "Running", "Succeeded", "Failed", "Unknown"])


@st.composite
def sightings(draw):
    """A pod in some state, with clocks of others that are up to two hours off."""
    pod = make_pod("team-a", "p").created(T0 + draw(OFF))
    bound = draw(st.none() | OFF)
    ended = draw(st.none() | OFF)
    facts = replace(
        pod.facts(),
        phase=draw(PHASES),
        node=None if bound is None else "node-1",
        bound_ms=None if bound is None else T0 + bound,
        ended_ms=None if ended is None else T0 + ended,
    )
    return facts, draw(STEPS), draw(st.booleans())


HISTORIES = st.lists(sightings(), min_size=1, max_size=6)
DELETIONS = st.none() | st.tuples(STEPS, st.none() | st.tuples(STEPS, STEPS))


def replay(history, deletion):
    """The record after each event, with our own clock at that time."""
    record, now, after = None, T0, []
    for facts, step, live in history:
        now += step
        record = advance_pod(record, facts, now, live=live)
        after.append((record, now))
    if deletion is not None:
        step, gap = deletion
        now += step
        record = vanish_pod(record, now, gap and Window(now - gap[0], now - gap[0] + gap[1]))
        after.append((record, now))
    return after


@given(HISTORIES, DELETIONS)
def test_a_holding_is_never_negative_and_never_beyond_what_was_observed(history, deletion):
    for record, now in replay(history, deletion):
        if record.facts.bound_ms is not None:
            assert record.facts.bound_ms <= now
        if record.held_until_ms is not None:
            assert record.held_until_ms <= now
            if record.facts.bound_ms is not None:
                assert record.held_until_ms >= record.facts.bound_ms
        if record.gap is not None:
            assert record.gap.end_ms == record.held_until_ms


@given(HISTORIES, DELETIONS)
def test_an_end_once_told_never_moves(history, deletion):
    ends = [record.held_until_ms for record, _ in replay(history, deletion)]
    told = [end for end in ends if end is not None]
    assert len(set(told)) <= 1
    assert ends[len(ends) - len(told) :] == told


@given(HISTORIES, DELETIONS)
def test_a_pod_holds_whenever_it_was_seen_alive_and_bound(history, deletion):
    """What we saw with our own eyes is always inside the holding."""
    last, _ = replay(history, deletion)[-1]
    for record, now in replay(history, deletion):
        if record.held_until_ms is None and record.facts.bound_ms is not None and last.held_until_ms is not None:
            assert last.held_until_ms >= now - now % 1_000


@given(HISTORIES, sightings())
def test_an_event_that_is_repeated_changes_nothing(history, event):
    record, now = replay(history, None)[-1]
    facts, step, live = event
    once = advance_pod(record, facts, now + step, live=live)
    assert advance_pod(once, facts, now + step, live=live) == once


@given(HISTORIES, STEPS)
def test_a_deletion_that_is_repeated_changes_nothing(history, step):
    record, now = replay(history, None)[-1]
    once = vanish_pod(record, now + step)
    assert vanish_pod(once, now + step) == once
    assert vanish_pod(once, now + 2 * step, Window(now, now + 2 * step)) == once


@given(st.permutations([0, 1, 2, 3]), st.lists(OFF, min_size=4, max_size=4))
def test_the_order_in_which_bindings_are_told_does_not_matter(order, offsets):
    told = [make_pod("a", "p").created(T0 - 9 * HOUR_MS).bound(T0 + offset).facts() for offset in offsets]
    now = T0 + 3 * HOUR_MS
    bindings = set()
    for sequence in (range(4), order):
        record = None
        for index in sequence:
            record = advance_pod(record, told[index], now)
        bindings.add(record.facts.bound_ms)
    assert len(bindings) == 1


NODE_STEPS = st.lists(st.tuples(STEPS, st.integers(0, 8), st.booleans()), min_size=1, max_size=8)


@given(NODE_STEPS, OFF, st.none() | STEPS)
def test_a_node_never_loses_gpus_nor_has_overlapping_spans(steps, created, leaves):
    record, now = None, T0
    node = make_node("n").gpus(8).created(T0 + created)
    for step, healthy, plugin in steps:
        now += step
        seen = node.allocatable(healthy) if plugin else node.plugin_down()
        record = advance_node(record, seen.facts(), now, T0 - HOUR_MS)
        assert record.facts.gpus == 8
        assert record.since_ms <= now
    if leaves is not None:
        record = vanish_node(record, now + leaves)
        assert record.until_ms >= record.since_ms
        assert all(window.end_ms <= record.until_ms for window, _ in record.unhealthy)
    for (before, _), (after, _) in zip(record.unhealthy, record.unhealthy[1:], strict=False):
        assert before.end_ms <= after.start_ms
    assert all(window.length_ms > 0 and 0 < missing <= 8 for window, missing in record.unhealthy)


@given(NODE_STEPS)
def test_a_node_seen_twice_in_the_same_state_is_as_if_seen_once(steps):
    once = twice = None
    now = T0
    for step, healthy, _ in steps:
        now += step
        facts = make_node("n").gpus(8).allocatable(healthy).facts()
        once = advance_node(once, facts, now, T0)
        twice = advance_node(advance_node(twice, facts, now, T0), facts, now, T0)
    assert once == twice
