"""A round closes, computes and publishes; what fails is tried again and holds up nothing else."""

import asyncio
import logging

import pytest

from aicost.domain.attribution.window import WindowStatement
from aicost.domain.exact.windows import MINUTE_MS
from aicost.entrypoints.controller import rounds as module
from aicost.entrypoints.controller.rounds import Rounds
from aicost.entrypoints.controller.state import SourceState
from aicost.ports.errors import LedgerUnavailable
from support.builders import make_node, make_pod
from support.controller import NOW, made, shown
from support.ledger_rows import HOUR_0

SELECTOR = {"selector": {"matchLabels": {"app": "chat"}}}
ENTRY = {"name": "h100", "match": {"gpuModel": "h100-80gb"}, "perGpuHour": "2.49"}


class Published:
    """A publisher that only counts."""

    def __init__(self):
        self.done = []

    async def keep_reports(self):
        self.done.append("reports")

    async def publish(self):
        self.done.append("publish")


@pytest.fixture
def clock(monkeypatch):
    at = {"now": NOW}
    monkeypatch.setattr(module, "now_ms", lambda: at["now"])
    return at


@pytest.fixture
def claimed():
    return []


@pytest.fixture
def publisher():
    return Published()


@pytest.fixture
def rounds(world, clock, claimed, publisher):
    async def note(namespaces):
        claimed.append(set(namespaces))

    return Rounds(world.app, world.registry, world.state, publisher, world.attempts, claimed=note)


@pytest.fixture
def busy(world):
    """A node with a GPU that a pod has held since the ledger began, without telemetry; blind windows wait an hour."""
    inventory = world.app.stores.inventory
    inventory.node_seen(make_node("n1").gpus(1).created(HOUR_0.start_ms).facts(), HOUR_0.start_ms)
    inventory.pod_seen(
        make_pod("team-a", "chat-0").gpus(1).on("n1").bound(HOUR_0.start_ms).facts(), HOUR_0.start_ms, live=True
    )
    world.app.source.value = world.app.stores.samples
    return world


async def test_one_round_closes_what_is_due_and_computes_what_is_open(busy, rounds, publisher):
    await rounds.once()
    assert busy.state.last_closed == HOUR_0
    assert busy.state.computed_ms == NOW
    assert isinstance(busy.state.statement, WindowStatement)
    assert busy.state.problems == {}
    assert publisher.done == ["reports", "publish"]
    told = shown(busy.metrics)
    assert told["aicost_unbalanced_cost_nanos",] == 0
    assert told["aicost_windows_closed_total",] == 1
    assert told["aicost_last_closed_window_timestamp_seconds",] == HOUR_0.end_ms / 1000


async def test_a_second_round_closes_nothing_twice(busy, rounds):
    await rounds.once()
    before = dict(busy.ledger.postings)
    await rounds.once()
    assert busy.ledger.postings == before


async def test_label_policies_are_taken_in_and_their_rules_tag_what_is_computed(busy, rounds):
    rule = {"name": "r", "match": {"namespaces": ["team-*"]}, "dimensions": {"team": "Ruled"}}
    busy.registry.put(made("CostLabelPolicy", "finops", {"mode": "Audit", "attributionRules": [rule]}))
    busy.registry.put(made("CostLabelPolicy", "bad", {"mode": "Loud"}))
    await rounds.once()
    assert [policy.name for policy in busy.app.policies.policies()] == ["finops"]
    held = [row.holder for row in busy.ledger.rows(HOUR_0) if row.holder.pod]
    assert {holder.dimensions["team"] for holder in held} == {"ruled"}
    assert {holder.provenance["team"] for holder in held} == {"rule CostLabelPolicy/finops/r"}


async def test_books_and_claims_are_taken_in_before_anything_is_computed(busy, rounds, claimed):
    busy.registry.put(made("PriceBook", "p", {"currency": "USD", "entries": [ENTRY]}))
    busy.registry.put(made("AIWorkload", "chat", SELECTOR))
    busy.registry.put(made("AIWorkload", "bad", {"selector": {"matchLabels": 5}}))
    await rounds.once()
    assert [book.name for book in busy.app.books.books()] == ["p"]
    assert [claim.name for claim in busy.app.claims.claims()] == ["chat"]
    assert claimed == [{"team-a"}]
    (total,) = {row.currency for row in busy.ledger.rows(HOUR_0)} - {""}
    assert total == "USD"


@pytest.mark.parametrize("error", [LedgerUnavailable("the disk is full"), ZeroDivisionError("a bug")], ids=repr)
async def test_a_window_that_cannot_be_closed_holds_up_nothing_and_is_tried_again(
    busy, rounds, publisher, caplog, error, monkeypatch
):
    def refuse(_):
        raise error

    keep = busy.app.close_windows
    object.__setattr__(busy.app, "close_windows", refuse)
    for _ in range(2):
        await rounds.once()
    assert publisher.done == ["reports", "publish"] * 2
    assert str(error) in busy.state.problems["close"]
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1
    assert (told[0].exc_info is not None) == isinstance(error, ZeroDivisionError)
    assert shown(busy.metrics)["aicost_failures_total", "close", type(error).__name__] == 2
    object.__setattr__(busy.app, "close_windows", keep)
    await rounds.once()
    assert busy.state.problems == {}
    assert busy.state.last_closed == HOUR_0


async def test_a_ledger_that_refuses_leaves_the_state_as_it_was(busy, rounds):
    busy.ledger.failing = "read-only file system"
    await rounds.once()
    assert busy.state.last_closed is None
    assert set(busy.state.problems) == {"close", "open"}


@pytest.mark.parametrize("step", ["keep_reports", "publish"])
async def test_publishing_may_fail_too(busy, rounds, publisher, monkeypatch, step):
    async def bug():
        raise KeyError(step)

    monkeypatch.setattr(publisher, step, bug)
    await rounds.once()
    assert busy.state.last_closed == HOUR_0
    assert len(busy.state.problems) == 1


async def test_a_source_that_fails_is_marked_so_that_another_is_looked_for(busy, rounds, clock):
    busy.state.source = SourceState("prometheus", "the Prometheus of the settings")
    busy.app.source.value = None
    clock["now"] = HOUR_0.start_ms + 10 * MINUTE_MS
    await rounds.once()
    assert busy.state.source.problem
    assert shown(busy.metrics)["aicost_telemetry_up", "prometheus"] == 0


async def test_a_source_that_answers_without_samples_keeps_its_problem(busy, rounds):
    busy.state.source = SourceState("prometheus", "p", problem="it answers and has no series of GPUs")
    await rounds.once()
    assert busy.state.source.problem == "it answers and has no series of GPUs"


async def test_a_change_of_an_object_is_answered_before_the_next_round_is_due(busy, rounds, publisher, monkeypatch):
    monkeypatch.setattr(module, "SOON_SECONDS", 0.0)
    task = asyncio.create_task(rounds.run())
    await _until(lambda: len(publisher.done) == 2)
    busy.registry.put(made("AIWorkload", "chat", SELECTOR))
    await _until(lambda: len(publisher.done) == 4)
    assert [claim.name for claim in busy.app.claims.claims()] == ["chat"]
    task.cancel()


async def _until(holds):
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 -- the rounds know nothing of tests
            await asyncio.sleep(0.005)
