"""However a telemetry source fails, the open window is stated without it, and a closed one waits for an hour."""

from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from aicost.domain.attribution.resources.observed import Observations, Observed
from aicost.domain.attribution.resources.residents import Counting
from aicost.domain.attribution.resources.use import Levels
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.ledger.rows import Bucket, Component
from aicost.ports.errors import InvalidAnswer, InvalidRequest, NotPermitted, SourceUnavailable
from fleet.builders import node, pod
from fleet.script import Fleet
from fleet.spec import parse
from support.bills import of_gpus
from support.pipeline import GRID, SETTLE_MS, Pipeline

BEGIN = 1_795_600_800_000
HOST = node("gpu-a", booted_ms=BEGIN)
FLEET = Fleet((HOST,), (pod("train", HOST, bound_ms=BEGIN, activity=parse("0.5")),))


class Failing:
    """A source that does nothing but fail."""

    interval_ms = 15_000

    def __init__(self, error):
        self.error = error

    def samples(self, _span):
        raise self.error


@pytest.fixture(params=[SourceUnavailable, InvalidAnswer, NotPermitted, InvalidRequest])
def blind(request, tmp_path):
    """An hour of a cluster whose source fails."""
    with Pipeline(tmp_path, FLEET, begin_ms=BEGIN) as pipeline:
        pipeline.source.source = Failing(request.param("the token is wrong"))
        yield pipeline


def test_the_open_window_is_stated_as_unmeasured_and_says_why(blind):
    blind.play(BEGIN + 60_000)
    (computed,) = blind.refresh()
    assert computed.blind == "the token is wrong"
    assert {row.bucket for row in of_gpus(computed.statement.rows)} == {Bucket.ALLOCATED_UNMEASURED}


def test_a_window_that_ended_waits_for_an_hour_and_is_closed_unmeasured_then(blind):
    end_ms = BEGIN + GRID.length_ms
    blind.play(end_ms + SETTLE_MS)
    with pytest.raises(type(blind.source.source.error), match="the token is wrong"):
        blind.close()
    (closed,) = blind.close(end_ms + HOUR_MS)[:1]
    assert closed.computed.blind == "the token is wrong"
    assert sum(row.gpu_milliseconds for row in closed.computed.statement.rows) == GRID.length_ms


class Usage:
    """Tells that each pod of the script uses a core, or fails."""

    def __init__(self, error=None):
        self.error = error

    def observed(self, span):
        if self.error:
            raise self.error
        (pod,) = FLEET.pods
        columns = ([span.start_ms], [span.end_ms], [1_000_000])
        return Observations((Observed((pod.namespace, pod.name), cpu=Levels(*map(np.array, columns))),))


@pytest.fixture
def pipeline(tmp_path):
    with Pipeline(tmp_path, FLEET, begin_ms=BEGIN) as pipeline:
        yield pipeline.play(BEGIN + GRID.length_ms)


def cpu_buckets(computed):
    return {row.bucket for row in computed.statement.rows if row.component is Component.CPU}


def test_what_pods_used_reaches_their_rows(pipeline):
    window = Window(BEGIN, BEGIN + GRID.length_ms)
    computed = replace(pipeline.compute, usage=Usage())(window, window.end_ms, may_be_blind=False)
    (used,) = (row for row in computed.statement.rows if row.bucket is Bucket.USED and row.component is Component.CPU)
    assert used.quantity == 1_000 * GRID.length_ms // 1_000
    assert computed.use_missing == ""


def test_use_is_asked_for_while_samples_are_read(pipeline):
    asked, seconds = Event(), 30.0

    class Asked(Usage):
        def observed(self, span):
            asked.set()
            return super().observed(span)

    class Waiting(Failing):
        def samples(self, _span):
            assert asked.wait(seconds), "nobody asked for use"
            raise self.error

    window = Window(BEGIN, BEGIN + GRID.length_ms)
    compute = replace(pipeline.compute, usage=Asked(), telemetry=Waiting(SourceUnavailable("it is down")))
    assert compute(window, window.end_ms, may_be_blind=True).blind == "it is down"


def test_where_use_is_not_known_the_open_window_goes_by_requests_and_says_why_and_a_closed_one_waits(pipeline):
    window = Window(BEGIN, BEGIN + GRID.length_ms)
    compute = replace(pipeline.compute, usage=Usage(SourceUnavailable("it is down")))
    computed = compute(window, window.end_ms, may_be_blind=True)
    assert (computed.use_missing, cpu_buckets(computed)) == ("it is down", {Bucket.UNALLOCATED})
    with pytest.raises(SourceUnavailable):
        compute(window, window.end_ms, may_be_blind=False)


def test_use_is_not_asked_for_where_neither_cpu_nor_memory_is_counted(pipeline):
    window = Window(BEGIN, BEGIN + GRID.length_ms)
    compute = replace(pipeline.compute, usage=Usage(SourceUnavailable("it is down")), counting=Counting(()))
    assert compute(window, window.end_ms, may_be_blind=False).use_missing == ""
