"""Money of the ledger joined with what engines counted, whole windows alone."""

import numpy as np
import pytest

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.ledger.rows import Bucket, Component
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.meters import Count
from aicost.usecases.economics.cost_units import UnitQuestion, cost_units
from aicost.usecases.economics.counting import BEFORE_MS
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, hour, make_holder, make_posting, make_row

STEP = 30_000
WHOLE = Window(hour(0).start_ms, hour(3).end_ms)


class Engines:
    """Counters that grow by one token a second, from 1000 on."""

    def __init__(self, *pods, split=1, resets=(), **labels):
        self.pods, self.split, self.resets, self.labels, self.asked = pods, split, resets, labels, []

    def series(self, span):
        self.asked.append(span)
        times = np.arange(span.start_ms, span.end_ms, STEP)
        value = 1_000 + (times - hour(0).start_ms) / 1_000
        for at in self.resets:
            value = np.where(times >= at, (times - at) / 1_000, value)
        for namespace, pod in self.pods:
            labels = {"namespace": namespace, "pod": pod, "model_name": "m", **self.labels}
            for part in np.array_split(np.arange(len(times)), self.split):
                yield RawSeries("vllm:generation_tokens_total", labels, times[part], value[part])

    def before(self, _pods, _span):
        return ()


def ledger(*windows, rows=None):
    made = MemoryLedger()
    for window in windows:
        holder = make_holder("team-a", "chat-0")
        given = rows or ((10**9, Bucket.USED), (10**9, Bucket.ALLOCATED_IDLE))
        posting = [make_row(cost, bucket=bucket, window=window, holder=holder) for cost, bucket in given]
        made.post(make_posting(*posting, window=window))
    return made.snapshot()


def told(reader, engines, span=WHOLE, **asked):
    return cost_units(reader, engines, span, UnitQuestion(("namespace",), **asked), cluster=CLUSTER)


def test_a_workload_costs_what_its_pods_cost_over_what_their_engines_did():
    report = told(ledger(hour(0), hour(1)), Engines(("team-a", "chat-0")))
    (line,) = report.lines
    assert (line.keys, line.models, line.pods, line.counted) == (("team-a",), ("m",), 1, 1)
    assert line.costs.spent.cost_nanos == 4 * 10**9
    assert line.costs.spent.idle_nanos == 2 * 10**9
    assert line.costs.did.get(Count.OUTPUT) == 7_200
    assert report.rests_on == Window(hour(0).start_ms, hour(1).end_ms)


def test_engines_are_asked_for_the_windows_of_the_ledger_alone_and_some_time_before():
    engines = Engines(("team-a", "chat-0"))
    report = told(ledger(hour(0), hour(2)), engines)
    assert engines.asked == [Window(one.start_ms - BEFORE_MS, one.end_ms) for one in (hour(0), hour(2))]
    assert report.lines[0].costs.did.get(Count.OUTPUT) == 7_200
    assert (report.covered_ms, report.rests_on.length_ms) == (2 * HOUR_MS, 3 * HOUR_MS)


def test_a_window_that_the_span_cuts_is_left_out():
    span = Window(hour(0).start_ms + 1, hour(1).end_ms)
    assert told(ledger(hour(0), hour(1)), Engines(("team-a", "chat-0")), span).rests_on == hour(1)
    assert told(ledger(hour(0)), Engines(("team-a", "chat-0")), span).rests_on is None


def test_parts_of_a_series_are_one_series():
    parts = told(ledger(hour(0)), Engines(("team-a", "chat-0"), split=7))
    assert parts.lines[0].costs.did.get(Count.OUTPUT) == 3_600


def test_g13_a_restart_takes_nothing_away():
    engines = Engines(("team-a", "chat-0"), resets=(hour(0).start_ms + 1_800_000,))
    grown = told(ledger(hour(0)), engines).lines[0].costs.did.get(Count.OUTPUT)
    assert 3_600 - 2 * STEP / 1_000 <= grown <= 3_600


def test_pods_whose_engine_was_not_heard_cost_all_the_same_and_it_is_said():
    made = MemoryLedger()
    rows = [make_row(10**9, holder=make_holder("team-a", pod)) for pod in ("chat-0", "chat-1")]
    made.post(make_posting(*rows))
    (line,) = told(made.snapshot(), Engines(("team-a", "chat-1"))).lines
    assert (line.pods, line.counted, line.costs.spent.cost_nanos) == (2, 1, 2 * 10**9)


def test_who_serves_nothing_is_no_line():
    assert told(ledger(hour(0)), Engines()).lines == ()


def test_an_engine_that_costs_nothing_here_is_named():
    report = told(ledger(hour(0)), Engines(("team-a", "chat-0"), ("other", "pod-1")))
    assert report.strangers == (("other", "pod-1"),)


def test_what_a_router_shows_of_others_is_nobodys_tokens():
    assert told(ledger(hour(0)), Engines(("team-a", "chat-0"), server="http://engine-0")).lines == ()


@pytest.mark.parametrize(("unmeasured", "idle"), [(100, 10**9), (10**10, None)])
def test_where_much_was_not_measured_what_idled_is_not_known(unmeasured, idle):
    rows = ((10**9, Bucket.USED), (10**9, Bucket.ALLOCATED_IDLE), (unmeasured, Bucket.ALLOCATED_UNMEASURED))
    (line,) = told(ledger(hour(0), rows=rows), Engines(("team-a", "chat-0"))).lines
    assert line.costs.spent.idle_nanos == idle


def test_other_components_cost_as_well_and_their_idle_is_not_that_of_gpus():
    made = MemoryLedger()
    holder = make_holder("team-a", "chat-0")
    gpu = make_row(10**9, holder=holder)
    cpu = make_row(10**8, holder=holder, component=Component.CPU, bucket=Bucket.ALLOCATED_IDLE, gpu_ms=0)
    made.post(make_posting(gpu, cpu))
    (line,) = told(made.snapshot(), Engines(("team-a", "chat-0"))).lines
    assert (line.costs.spent.cost_nanos, line.costs.spent.idle_nanos) == (1_100_000_000, 0)
    assert line.costs.spent.gpu_nanos == 10**9
