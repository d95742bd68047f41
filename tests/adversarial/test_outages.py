"""What the controller rests on is away, full, or lies about the time: it says so, backs off, and no money is lost.

Each test runs the controller's own rounds twice, with the fault and without, and compares the ledgers row by row.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

import pytest

from aicost.adapters.journal.errors import JournalUnavailable
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, SECOND_MS
from aicost.domain.ledger.rows import Component, Row
from fleet.activity import Steady
from fleet.builders import node, pod, pod_uid
from fleet.script import Fleet
from support.controller import shown
from support.fake_api.server import FakeApi
from support.fake_api.session import open_client
from support.http_server import Request
from support.outages import (
    ROUND_MS,
    Controlled,
    Prometheus,
    always,
    answering,
    assert_equal,
    assert_sound,
    full_disk,
    net,
)

pytestmark = pytest.mark.timeout(600)  # hours of a cluster's life, several times

T = 1_795_600_800_000
QUARTER_MS = 15 * MINUTE_MS
LATE = (pod_uid("team-a", "late"),)


def at(minutes: float) -> int:
    return T + round(minutes * MINUTE_MS)


def fleet(*, late: bool = False) -> Fleet:
    """Two nodes; pods that come and go, so that lifetimes count as well as samples; maybe one that comes late."""
    host, other, busy = node("gpu-a", gpus=2), node("gpu-b", gpus=1), Steady(Fraction(3, 4))
    return Fleet(
        (host, other),
        (
            pod("train", host, (0,), bound_ms=at(2), started_ms=at(2), activity=busy),
            pod("short", host, (1,), bound_ms=at(4), started_ms=at(4), finished_ms=at(33), activity=busy),
            pod("other", other, (0,), bound_ms=at(3), started_ms=at(3), activity=busy),
            *([pod("late", host, (1,), bound_ms=at(45), started_ms=at(46), finished_ms=at(58))] if late else ()),
        ),
    )


@pytest.fixture
def prometheus():
    with Prometheus().running() as running:
        yield running


@pytest.fixture
async def controlled(tmp_path, monkeypatch):
    """Makes a controller that keeps inputs and publishes, as in production."""
    every: list[Controlled] = []

    def make(**options) -> Controlled:
        options = {"fleet": fleet(), "folder": tmp_path, "api": (api, client), **options}
        every.append(Controlled(monkeypatch=monkeypatch, begin_ms=T, **options))
        return every[-1]

    async with FakeApi() as api, open_client(api) as client:
        yield make
    for one in every:
        one.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Mapping[int, tuple[Row, ...]]:
    """Ledgers of a run without a fault, by the minute."""

    async def live(one: Controlled) -> dict[int, tuple[Row, ...]]:
        return {minute: (await one.live(at(minute), QUARTER_MS)).rows() for minute in (50, 65, 80, 125, 155, 200)}

    with pytest.MonkeyPatch.context() as patched, Prometheus().running() as prometheus:
        folder = tmp_path_factory.mktemp("undisturbed")
        one = Controlled(folder, fleet(), patched, begin_ms=T, prometheus=prometheus)
        try:
            return asyncio.run(live(one))
        finally:
            one.close()


FAULTS = [
    pytest.param(answering(422, "query processing would load too many samples"), "too many samples", id="422"),
    pytest.param(answering(503, "TSDB not ready", "unavailable"), "answered 503", id="503"),
    pytest.param(lambda r: r.answer('{"status":"success","data":{"re', length=9_999), "did not answer", id="cut"),
    pytest.param(lambda r: r.answer('{"status":"success","data":{"re'), "did not answer as a Prom", id="half"),
    pytest.param(
        lambda r: r.answer_json(
            {"status": "success", "data": {"resultType": "matrix", "result": []}, "warnings": ["a store is gone"]}
        ),
        "less than was asked",
        id="partial",
    ),
    pytest.param(lambda r: r.answer_json({"status": "success", "data": None}), "another kind", id="none"),
    pytest.param(Request.hang, "did not answer", id="hanging"),
    pytest.param(Request.drop, "did not answer", id="away"),
]


@pytest.mark.parametrize(("fault", "words"), FAULTS)
async def test_a_prometheus_that_fails_for_a_while_is_named_and_waited_for_and_costs_nothing(
    controlled, prometheus, undisturbed, caplog, fault, words
):
    one = controlled(prometheus=prometheus)
    await one.live(at(15))
    patience_s = 0.3 if fault is Request.hang else 5.0
    prometheus.fault, one.app.source.value = fault, prometheus.source(patience_s)
    caplog.clear()
    await one.live(at(35))

    status, reason, message = one.condition("TelemetryAvailable")
    assert (status, reason) == ("False", "SourceFails")
    assert words in message
    assert one.condition("DataFresh")[0] == "False"
    assert one.shown("aicost_telemetry_up", "prometheus") == 0
    failures = [value for name, value in one_failures(one).items() if name[0] == "close"]
    assert sum(failures) == 4, "once a round, no more: each round is a pause of its own"
    assert [record.message for record in caplog.records].count("step failed and is tried again") == 1
    assert one.rows() == (), "a window waits for its source"

    prometheus.fault, one.app.source.value = None, prometheus.source()
    await one.live(at(50))
    assert one.condition("TelemetryAvailable")[0] == "True"
    assert one.condition("DataFresh")[:2] == ("True", "Fresh")
    assert one.shown("aicost_telemetry_up", "prometheus") == 1
    assert one.state.problems == {}
    assert_equal(one.rows(), undisturbed[50])
    assert_sound(one.rows())


def one_failures(one: Controlled) -> dict[tuple[str, str], float]:
    """Failures by step and reason."""
    return {name[1:]: value for name, value in shown(one.metrics).items() if name[0] == "aicost_failures_total"}


async def test_after_two_hours_without_prometheus_all_that_it_kept_is_billed_as_if_it_had_never_been_away(
    controlled, prometheus, undisturbed
):
    one = controlled(prometheus=prometheus)
    await one.live(at(20))
    prometheus.fault = answering(503, "TSDB not ready", "unavailable")
    await one.live(at(140), 2 * ROUND_MS)
    blind = [row for row in one.rows() if row.component is Component.GPU and row.window.start_ms >= at(15)]
    assert {row.bucket for row in blind} == {"allocated-unmeasured", "unallocated"}
    assert_sound(one.rows())
    prometheus.fault = None
    await one.live(at(200), QUARTER_MS)
    assert_equal(one.rows(), undisturbed[200])
    assert_sound(one.rows())


async def test_time_without_an_exporter_is_unmeasured_for_its_node_alone_and_its_price_is_paid_all_the_same(
    controlled, prometheus, undisturbed
):
    prometheus.hidden = lambda labels, at_ms: "gpu-a" in labels.values() and at(20) <= at_ms < at(50)
    one = controlled(prometheus=prometheus)
    await one.live(at(45), 3 * ROUND_MS)
    assert one.condition("TelemetryAvailable")[:2] == ("False", "PartlyMeasured")
    assert one.shown("aicost_telemetry_coverage_ratio") < 1
    await one.live(at(65))
    got, want = one.rows(), undisturbed[65]
    elsewhere = [[row for row in rows if row.place.node == "gpu-b"] for rows in (got, want)]
    assert_equal(*elsewhere)
    assert by(got, "whole") == by(want, "whole"), "each node's price is paid, window by window"
    assert by(got, "held") == by(want, "held"), "who held what comes from the watch"
    mine, theirs = by(got, "bucket"), by(want, "bucket")
    unmeasured = sum(amount for key, amount in mine.items() if key[-1] == "allocated-unmeasured")
    assert unmeasured > 0
    measured = [key for key in theirs if key[0] == "gpu-a" and key[-1] in {"used", "allocated-idle"}]
    assert {key[-1] for key in measured} == {"used", "allocated-idle"}
    for key in measured:
        doubt = mine.get((*key[:-1], "allocated-unmeasured"), 0)
        assert mine.get(key, 0) - doubt <= theirs[key] <= mine.get(key, 0) + doubt
    assert_sound(got)


def by(rows, what: str) -> dict[tuple[str, ...], int]:
    """Cost of GPUs, or the time they were held, by part."""
    found: dict[tuple[str, ...], int] = {}
    for row in rows:
        if row.component is not Component.GPU or (what in {"held", "time"} and not row.holder.pod_uid):
            continue
        key = {
            "whole": (str(row.window), row.place.node),
            "held": (str(row.window), row.place.node, row.holder.pod_uid),
            "time": (row.holder.pod_uid,),
            "bucket": (row.place.node, row.holder.pod_uid, row.bucket.value),
        }[what]
        found[key] = found.get(key, 0) + (row.gpu_milliseconds if what in {"held", "time"} else row.cost_nanos or 0)
    return found


async def test_a_volume_that_is_full_is_said_and_what_is_missing_is_posted_afterwards(
    controlled, prometheus, undisturbed, caplog
):
    one = controlled(prometheus=prometheus)
    await one.live(at(20))
    before = one.rows()
    caplog.clear()
    with full_disk():
        await one.live(at(50))
        with pytest.raises(JournalUnavailable):
            one.pipeline.inventory.flush()
        assert one.rows() == before
        status, reason, message = one.condition("DataFresh")
        assert (status, reason) == ("False", "Stale")
        assert "free space" in message or "file sizes" in message
    assert one_failures(one)["close", "LedgerUnavailable"] >= 3
    told = [record for record in caplog.records if record.message == "step failed and is tried again"]
    assert 1 <= len(told) <= 3, "told once, not each round"
    assert one.pipeline.inventory.flush() > 0, "what could not be written is kept for the next time"
    await one.live(at(65))
    assert one.condition("DataFresh")[:2] == ("True", "Fresh")
    assert_equal(one.rows(), undisturbed[65])
    assert_sound(one.rows())


def during(since: float, until: float, ahead_ms: int) -> Callable[[int], int]:
    """A clock that is off for some minutes."""
    return lambda true_ms: ahead_ms if at(since) <= true_ms < at(until) else 0


STEPS = [
    pytest.param(during(41, 49, 5 * MINUTE_MS), 80, id="five-minutes-ahead"),
    pytest.param(during(41, 49, -5 * MINUTE_MS), 80, id="five-minutes-behind"),
    pytest.param(during(41, 49, HOUR_MS), 125, id="an-hour-ahead"),
    pytest.param(during(41, 74, HOUR_MS), 155, id="an-hour-ahead-for-half-an-hour"),
    pytest.param(during(41, 49, -HOUR_MS), 80, id="an-hour-behind"),
    pytest.param(during(41, 74, -HOUR_MS), 125, id="an-hour-behind-for-half-an-hour"),
]


@pytest.mark.parametrize(("skew", "minutes"), STEPS)
async def test_a_clock_that_steps_while_nothing_comes_or_goes_changes_no_bill_and_closes_no_window_twice(
    controlled, prometheus, undisturbed, skew, minutes
):
    one = controlled(prometheus=prometheus, skew=skew)
    await one.live(at(35), QUARTER_MS)
    await one.live(at(50))
    await one.live(at(minutes), 2 * ROUND_MS)
    assert one.state.problems == {}
    got, want = settled(one.rows(), minutes), settled(undisturbed[minutes], minutes)
    assert_sound(got)
    assert_equal(got, want)


async def test_who_came_while_the_clock_was_an_hour_ahead_and_goes_when_it_is_right_is_billed_as_if_it_had_been_right(
    controlled, tmp_path
):
    ledgers = []
    for skew in (always, during(41, 49, HOUR_MS)):
        with Prometheus().running() as prometheus:
            folder = tmp_path / str(len(ledgers))
            one = controlled(fleet=fleet(late=True), folder=folder, api=None, prometheus=prometheus, skew=skew)
            await one.live(at(35), QUARTER_MS)
            await one.live(at(50))
            ledgers.append(settled((await one.live(at(80), QUARTER_MS)).rows(), 80))
    want, got = ledgers
    assert by(got, "time")[LATE] == by(want, "time")[LATE] == 13 * MINUTE_MS
    assert_sound(got)
    assert_equal(got, want)


def settled(rows: Iterable[Row], minutes: float) -> list[Row]:
    """Rows of windows that have ended: a clock that was ahead has posted others before their time."""
    return [row for row in rows if row.window.end_ms <= at(minutes)]


@pytest.mark.parametrize("ahead_ms", [30 * SECOND_MS, -300])
async def test_who_comes_or_goes_while_the_clock_is_off_is_billed_wrong_by_no_more_than_it_is_off(
    controlled, prometheus, undisturbed, ahead_ms
):
    want = by(undisturbed[80], "time")
    one = controlled(prometheus=prometheus, skew=during(31, 36, ahead_ms))
    await one.live(at(30), QUARTER_MS)
    await one.live(at(40))
    await one.live(at(80), QUARTER_MS)
    assert_sound(one.rows())
    got = by(one.rows(), "time")
    for uid in want:
        assert abs(got[uid] - want[uid]) <= abs(ahead_ms) + SECOND_MS, uid


async def test_a_clock_that_steps_back_bills_nothing_while_it_is_behind(controlled, prometheus):
    one = controlled(prometheus=prometheus, skew=during(70, 80, -HOUR_MS))
    await one.live(at(65), QUARTER_MS)
    before = net(one.rows())
    await one.live(at(79))
    assert net(one.rows()) == before
