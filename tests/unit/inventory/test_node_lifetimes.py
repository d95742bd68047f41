"""How long a node was billed and how many of its GPUs were out of order."""

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.inventory.lifetimes import advance_node, forget_unhealthy, retire, vanish_node
from aicost.domain.inventory.nodes import OPEN_END_MS
from support.builders import T0, make_node

S = 1_000
NODE = make_node("gpu-1").gpus(8)
EPOCH = T0 - HOUR_MS


def seen(now_ms=T0 + 5 * S, node=NODE, record=None):
    return advance_node(record, node.facts(), now_ms, EPOCH)


def test_a_node_is_billed_from_its_creation():
    assert seen().since_ms == T0
    assert seen().presence(Window(0, T0 + HOUR_MS)) == Window(T0, T0 + HOUR_MS)


def test_nobody_answers_for_what_was_before_the_ledger():
    assert seen(node=NODE.created(T0 - 999 * HOUR_MS)).since_ms == EPOCH


def test_a_node_created_in_the_future_is_billed_from_when_it_was_seen():
    assert seen(now_ms=T0 + S, node=NODE.created(T0 + HOUR_MS)).since_ms == T0 + S


def test_a_clock_that_falls_back_makes_no_node_older():
    record = seen(T0 + 60 * S, NODE.created(T0 + 2 * S), seen(node=NODE.created(T0 + 2 * S)))
    assert seen(T0 - HOUR_MS, NODE.created(T0 + 2 * S), record).since_ms == T0 + 2 * S


def test_a_node_that_is_not_ready_is_billed():
    record = seen(T0 + 60 * S, NODE.not_ready(), seen())
    assert record.until_ms is None
    assert record.facts.gpus == 8


def test_a_restart_of_the_device_plugin_does_not_make_the_gpus_vanish():
    record = seen(T0 + 60 * S, NODE.plugin_down(), seen())
    assert record.facts.gpus == 8


def test_gpus_that_no_label_counts_do_not_vanish_with_the_capacity():
    bare = make_node("gpu-1").gpus(8)
    record = seen(node=bare)
    restarted = advance_node(record, make_node("gpu-1").facts(), T0 + 60 * S, EPOCH)
    assert restarted.facts.gpus == 8
    assert restarted.facts.gpu_model == "h100-80gb"


def test_missing_gpus_open_a_span_and_their_return_closes_it():
    record = seen(T0 + 60 * S, NODE.allocatable(6), seen())
    assert record.unhealthy == ((Window(T0 + 60 * S, OPEN_END_MS), 2),)
    same = seen(T0 + 70 * S, NODE.allocatable(6), record)
    assert same.unhealthy == record.unhealthy
    worse = seen(T0 + 80 * S, NODE.allocatable(5), same)
    healed = seen(T0 + 90 * S, NODE, worse)
    assert healed.unhealthy == ((Window(T0 + 60 * S, T0 + 80 * S), 2), (Window(T0 + 80 * S, T0 + 90 * S), 3))


def test_a_span_of_no_length_is_no_span():
    record = seen(T0 + 60 * S, NODE.allocatable(6), seen())
    assert seen(T0 + 60 * S, NODE, record).unhealthy == ()


def test_a_node_that_leaves_closes_its_span_of_missing_gpus():
    record = seen(T0 + 60 * S, NODE.allocatable(6), seen())
    gone = vanish_node(record, T0 + 100 * S)
    assert gone.until_ms == T0 + 100 * S
    assert gone.unhealthy == ((Window(T0 + 60 * S, T0 + 100 * S), 2),)


def test_a_node_that_left_unseen_is_there_until_the_end_of_the_gap():
    gap = Window(T0 + 10 * S, T0 + 300 * S)
    gone = vanish_node(seen(), T0 + 300 * S, gap)
    assert gone.until_ms == T0 + 300 * S
    assert gone.gap == gap
    assert vanish_node(gone, T0 + 900 * S) is gone


def test_a_node_that_left_does_not_come_back_under_its_uid():
    gone = vanish_node(seen(), T0 + 100 * S)
    assert seen(T0 + 200 * S, NODE, gone) is gone
    assert NODE.recreated().facts().uid != NODE.facts().uid


def test_a_node_that_left_before_may_be_dropped():
    gone = vanish_node(seen(), T0 + 100 * S)
    assert retire([gone, seen()], T0 + 100 * S) == (gone.facts.uid,)
    assert retire([gone], T0 + 99 * S) == ()


def test_spans_of_missing_gpus_are_forgotten_once_they_are_old():
    record = seen(T0 + 90 * S, NODE, seen(T0 + 60 * S, NODE.allocatable(6), seen()))
    assert forget_unhealthy(record, T0 + 90 * S).unhealthy == ()
    assert forget_unhealthy(record, T0 + 80 * S) is record
