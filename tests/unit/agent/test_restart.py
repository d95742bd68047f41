"""Counters go on where they were told to be, whatever ends the agent."""

import pytest

from aicost.adapters.counter_file import CounterFile
from aicost.domain.agent.counters import FORGOTTEN_NS, Measure
from support.gpus.node import A, B
from support.gpus.truth import Card, Process

CARDS = [Card("GPU-0")]


def test_what_was_told_was_written_down_and_a_killed_agent_goes_on_from_there(make_node) -> None:
    node = make_node(CARDS, [Process(100, A), Process(200, B, on_us=200_000)])
    node.run(20)
    told = dict(node.agent.tell().counters)
    node.run(4)  # measured, and told to nobody
    node.begin()
    again = node.agent.tell().counters
    assert again == told
    node.run(20)
    later = node.agent.tell(at_once=True).counters
    assert all(later[key] >= value for key, value in told.items())
    assert node.total(Measure.POD_ENGINE) <= node.truth.busy[0, None] / 1e6


def test_askers_that_come_fast_are_told_what_is_written(make_node) -> None:
    node = make_node(CARDS, [Process(100, A)])
    node.run(5)
    first = node.agent.tell().counters
    assert node.agent.tell().counters is first
    assert CounterFile(node.state).load().counters == first


def test_energy_goes_on_over_a_restart_and_begins_again_with_a_boot(make_node) -> None:
    node = make_node(CARDS, [Process(100, A)])
    node.run(20)
    node.agent.tell(at_once=True)
    node.truth.advance(30)  # nobody looks
    node.begin()
    node.run(10)
    assert node.total(Measure.DEVICE_ENERGY) == pytest.approx(node.truth.energy[0], rel=0.03)
    before = node.total(Measure.DEVICE_ENERGY)
    node.tree.booted("b0070000-0000-4000-8000-000000000002")
    node.truth.energy[0] = 1e6  # a counter of another boot has nothing to do with the last
    node.begin()
    node.run(10)
    assert node.total(Measure.DEVICE_ENERGY) - before == pytest.approx(node.truth.energy[0] - 1e6, rel=0.2)


def test_a_disk_that_refuses_freezes_what_is_told_and_says_so(make_node) -> None:
    node = make_node(CARDS, [Process(100, A)])
    node.run(20)
    told = node.agent.tell(at_once=True).counters
    (node.state.parent / "agent.new").mkdir()  # the new file cannot be opened
    node.run(20)
    frozen = node.agent.tell(at_once=True)
    assert frozen.counters == told
    assert not frozen.up
    assert "agent.new" in frozen.problem or "agent.json" in frozen.problem
    (node.state.parent / "agent.new").rmdir()
    node.run(5)
    thawed = node.agent.tell(at_once=True)
    assert thawed.up
    assert node.total(Measure.POD_ENGINE, A) == pytest.approx(45, rel=0.05)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version":9}', '{"version":1,"boot":"","counters":[["pod_engine_ns"]]}']
)
def test_a_damaged_file_is_put_aside_and_counters_begin_again(make_node, text) -> None:
    node = make_node(CARDS, [Process(100, A)])
    node.run(5)
    node.agent.tell(at_once=True)
    node.state.write_text(text)
    node.begin()
    assert node.agent.tell().counters == {}
    assert node.state.with_suffix(".damaged").read_text() == text
    node.run(5)
    assert node.total(Measure.POD_ENGINE, A) > 0


def test_a_file_that_was_half_written_is_not_looked_at(make_node) -> None:
    node = make_node(CARDS, [Process(100, A)])
    node.run(5)
    told = node.agent.tell(at_once=True).counters
    node.state.with_suffix(".new").write_text('{"version":1,"boo')
    node.begin()
    assert node.agent.tell().counters == told


def test_pods_that_are_long_gone_are_forgotten_and_those_that_the_node_still_has_are_not(make_node) -> None:
    processes = [Process(100, A, end_us=10_000_000), Process(200, B, end_us=10_000_000)]
    node = make_node(CARDS, processes)
    node.run(20)
    (gone,) = node.tree.logs.glob(f"*_{A}")
    gone.rmdir()
    node.run(FORGOTTEN_NS / 1e9 + 100, every=100)
    pods = {labels[-1] for measure, labels in node.agent.tell(at_once=True).counters if measure is Measure.POD_ENGINE}
    assert pods == {B}
    node.begin()
    assert {labels[-1] for measure, labels in node.agent.tell().counters if measure is Measure.POD_ENGINE} == {B}
