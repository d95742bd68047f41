"""Counters of strangers: hostile names, values that are none, resets and floods change no bound and lose no token."""

import json

import numpy as np
import pytest

from aicost.adapters.ledger.counts.store import DeltaCounts
from aicost.adapters.ledger.place import LedgerPlace
from aicost.crd.status.units import UnitFigures, unit_costs
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.counted import Kind
from aicost.domain.serving.meters import Count
from aicost.usecases.economics.cost_units import UnitQuestion, cost_counted
from aicost.usecases.economics.keep_counts import KeepCounts
from support.engines import STEP
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, hour, make_holder, make_posting, make_row

TIMES = np.arange(hour(0).start_ms - HOUR_MS, hour(0).end_ms, STEP)
POD = {"namespace": "team-a", "pod": "chat-0"}
SPAN = Window(hour(0).start_ms, hour(0).end_ms)
NAMES = (
    "\x1b[31mred",
    "'; DROP TABLE counts; --",
    "\u202eevil",
    "a" * 5_000,
    "nul\x00",
    "\U0001f4a5",
    " ",
    "None",
    "other",
)


class Told:
    """Series as they are."""

    def __init__(self, *series):
        self.all = series

    def series(self, span):
        for one in self.all:
            inside = (one.at_ms >= span.start_ms) & (one.at_ms < span.end_ms)
            if inside.any():
                yield RawSeries(one.name, one.labels, one.at_ms[inside], one.value[inside])

    def before(self, _pods, _span):
        return ()


def output(values, **labels):
    return RawSeries(
        "vllm:generation_tokens_total", {**POD, "model_name": "m", **labels}, TIMES, np.asarray(values, float)
    )


def asked(value, **labels):
    values = np.where(hour(0).start_ms <= TIMES, value, 0.0)
    return RawSeries("litellm_output_tokens_metric_total", {**POD, "model": "m", **labels}, TIMES, values)


def counted(tmp_path, *series, dimension=Dimension.CUSTOMER):
    store, ledger = DeltaCounts(LedgerPlace(str(tmp_path / "ledger"))), MemoryLedger()
    ledger.post(make_posting(make_row(10**9, holder=make_holder("team-a", "chat-0"))))
    list(KeepCounts(CLUSTER, store, ledger, Told(*series))())
    question = UnitQuestion(("namespace",), tenants=dimension)
    return store, cost_counted(ledger.snapshot(), store, SPAN, question, cluster=CLUSTER)


def test_ten_thousand_customers_are_kept_and_bear_the_whole_cost(tmp_path):
    flood = [asked(5.0, end_user=f"customer {at} \x1b[2J") for at in range(10_000)]
    store, report = counted(tmp_path, output(TIMES - TIMES[0]), *flood)
    (line,) = report.lines
    assert sum(one.cost_nanos for one in line.tenancy.shares) == 10**9
    assert sum(one.asked.output for one in line.tenancy.shares if one.tenant) == 50_000
    rows = store.rows(CLUSTER, hour(0))
    assert len(rows) < 11_000
    assert not any("\x1b" in row.customer for row in rows)


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_of_a_model_or_a_customer_comes_back_as_text(tmp_path, name):
    labels = {"model_name": name}
    store, report = counted(tmp_path, output(TIMES - TIMES[0], **labels), asked(7.0, end_user=name, model=name))
    (line,) = report.lines
    assert line.costs.did.get(Count.OUTPUT) == HOUR_MS
    told = sum(row.value for row in store.summed([SPAN], Kind.GATEWAY, (), cluster=CLUSTER))
    assert told == (7 if name else 0)
    shown = unit_costs(UnitFigures(line.costs, SPAN, by_model=line.by_model, tenancy=line.tenancy))
    assert json.dumps(shown.model_dump(mode="json"))


@pytest.mark.parametrize(
    ("values", "grown"),
    [
        (np.full(len(TIMES), np.nan), None),
        (np.full(len(TIMES), np.inf), None),
        (np.full(len(TIMES), -5.0), None),
        (np.linspace(0, 1e300, len(TIMES)), None),
        (np.where(np.arange(len(TIMES)) % 2, np.nan, TIMES - TIMES[0]), HOUR_MS),
        (np.full(len(TIMES), 7.0), 0),
    ],
)
def test_values_that_are_none_are_no_tokens(tmp_path, values, grown):
    _, report = counted(tmp_path, output(values))
    found = [line.costs.did.get(Count.OUTPUT) for line in report.lines]
    assert found == ([] if grown is None else [pytest.approx(grown, abs=2 * STEP)])


def test_a_counter_that_resets_at_each_sample_counts_what_it_shows(tmp_path):
    _, report = counted(tmp_path, output(np.where(np.arange(len(TIMES)) % 2, 10.0, 1.0)))
    (line,) = report.lines
    assert 0 < line.costs.did.get(Count.OUTPUT) <= 11 * len(TIMES)


def test_a_gateway_that_claims_more_than_there_was_bears_no_more_than_the_cost(tmp_path):
    _, report = counted(tmp_path, output(TIMES - TIMES[0]), asked(1e15, end_user="liar"), asked(5.0, end_user="honest"))
    (line,) = report.lines
    assert sum(one.cost_nanos for one in line.tenancy.shares) == 10**9
    assert all(one.cost_nanos >= 0 for one in line.tenancy.shares)
