"""Counting beside the rounds: off without counters, patient with a source that fails, and what it did is shown."""

import asyncio

import numpy as np
import pytest

from aicost.domain.ledger.rows import Bucket
from aicost.domain.sampling.series import RawSeries
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.registry import Registry
from aicost.entrypoints.controller.units.counting import LONGEST_SECONDS, STEP, UnitRounds
from aicost.ports.errors import SourceUnavailable
from support.controller import make_world
from support.ledger_rows import CLUSTER, hour, make_holder, make_posting, make_row


class Engines:
    problem = ""

    def series(self, span):
        if self.problem:
            raise SourceUnavailable(self.problem)
        times = np.arange(span.start_ms, span.end_ms, 30_000)
        labels = {"namespace": "team-a", "pod": "chat-0", "model_name": "m"}
        return [RawSeries("vllm:generation_tokens_total", labels, times, (times - hour(0).start_ms + 10**6) / 1_000)]

    def before(self, _pods, _span):
        return ()


@pytest.fixture
def world(tmp_path):
    made = make_world(tmp_path, epoch_ms=hour(0).start_ms)
    row = make_row(10**9, bucket=Bucket.USED, holder=make_holder("team-a", "chat-0"))
    made.ledger.post(make_posting(row))
    yield made
    made.app.stores.close()


def rounds(world):
    return UnitRounds(world.app, Registry(), Attempts(world.state, world.metrics))


def counted(world):
    return list(world.app.counts.windows(hour(0), cluster=CLUSTER))


def test_without_a_source_of_counters_nothing_is_counted_and_nothing_fails(world):
    asyncio.run(rounds(world).once())
    assert (counted(world), world.state.problems) == ([], {})


def test_a_closed_window_is_counted_and_shown(world):
    world.app.engines.value = Engines()
    asyncio.run(rounds(world).once())
    assert counted(world) == [hour(0)]
    shown = world.metrics.exposition().decode()
    assert "aicost_last_counted_window_timestamp_seconds 1.7956044e+09" in shown
    assert "aicost_unit_counts_total 1.0" in shown


def test_a_source_that_fails_is_asked_less_and_less_often_and_told_until_it_answers(world):
    world.app.engines.value = engines = Engines()
    engines.problem = "it is down"
    counting, pauses = rounds(world), []
    for _ in range(12):
        asyncio.run(counting.once())
        pauses.append(counting.pause_seconds())
    usual = float(world.app.settings.window.refresh_seconds)
    assert pauses[:4] == [usual, 2 * usual, 4 * usual, 8 * usual]
    assert pauses[-1] == LONGEST_SECONDS
    assert world.state.problems[STEP] == "it is down"
    engines.problem = ""
    asyncio.run(counting.once())
    assert (counting.pause_seconds(), STEP in world.state.problems, counted(world)) == (usual, False, [hour(0)])
