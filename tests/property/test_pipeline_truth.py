"""Random fleets through the whole pipeline: statistics of error bars, and what must not change a bill."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache

import pytest

from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Grid, Window
from aicost.domain.ledger.difference import identity
from aicost.domain.ledger.rows import Row
from fleet.script import Fleet
from support.bills import HELD, Key, billed, check_holdings, check_totals, due
from support.pipeline import GRID, SETTLE_MS, STEP, Notice, Pipeline, Way, watch
from support.scripts import random_fleet, random_nodes
from support.shared_fleets import random_shared_fleet

T = 1_795_600_800_000
BEGIN, END = T - 5 * MINUTE_MS, T + 15 * MINUTE_MS
WINDOW, SPAN = Window(T, END), Window(BEGIN, END)
SCRIPTS, NODES = 28, 5


def stated(fleet: Fleet, folder, seed: int) -> Sequence[Row]:
    """The rows of one window, without a ledger."""
    offset_ms = random.Random(seed).randrange(STEP)
    with Pipeline(folder, fleet, begin_ms=BEGIN, way=Way.PROMETHEUS, offset_ms=offset_ms, kept=False) as pipeline:
        pipeline.play(END + SETTLE_MS)
        statement = pipeline.compute(WINDOW, pipeline.now_ms, may_be_blind=False).statement
    assert statement.unbalanced_nanos == 0
    return statement.rows


def compared(rows: Sequence[Row], fleet: Fleet) -> Iterable[tuple[Key, float, float]]:
    """Error and error bar in nanos of each measured line whose device time samples cover as a whole."""
    got, want = billed(rows), due(fleet, WINDOW)
    blind = {(row.place.device, row.holder.pod_uid) for row in rows if row.measured_milliseconds < row.gpu_milliseconds}
    for key, line in got.items():
        if line.error_nanos is not None and (key.device, key.pod_uid) not in blind:
            nanos = want[key].nanos if key in want else 0
            yield key, float(abs(line.nanos - nanos)), float(line.error_nanos)


def test_error_bars_of_random_fleets_cover_the_truth_in_nine_to_ninety_nine_of_a_hundred_rows(tmp_path):
    covered, found, unattributed = 0, 0, 0
    for seed in range(SCRIPTS):
        fleet = random_nodes(seed, BEGIN, END, nodes=NODES)
        rows = stated(fleet, tmp_path / str(seed), seed)
        check_totals(rows, fleet, WINDOW)
        check_holdings(billed(rows), due(fleet, WINDOW))
        unattributed += sum(row.gpu_milliseconds for row in rows if row.bucket == "unattributed")
        for _, error, bar in compared(rows, fleet):
            if error > 1 or bar > 1_000_000:  # a thousandth of a dollar: below that a row is as good as exact
                covered, found = covered + (error <= bar + 1), found + 1
    assert found > 400
    assert 0.90 <= covered / found <= 0.99
    assert unattributed == 0


def plain(rows: Iterable[Row]) -> list[tuple[object, ...]]:
    """Rows as values that compare, in whatever order they were posted."""
    return sorted(
        (str(identity(row)), row.cost_nanos or 0, row.gpu_milliseconds, row.measured_milliseconds, row.error_nanos or 0)
        for row in rows
    )


def live(fleet: Fleet, folder, way: Way = Way.SCRAPE, **options) -> Sequence[Row]:
    with Pipeline(folder, fleet, begin_ms=BEGIN, way=way, **options) as pipeline:
        return pipeline.finish(END)


FLEETS: dict[str, Callable[[], Fleet]] = {
    "whole GPUs": lambda: random_fleet(0, BEGIN, END),
    "long and short pods": lambda: random_fleet(2, BEGIN, END),
    "shared GPUs": lambda: random_shared_fleet(3, BEGIN, END, "time-slicing", "mig", "dra"),
}
every_fleet = pytest.mark.parametrize("name", FLEETS)


@pytest.fixture(scope="module")
def billed_once(tmp_path_factory) -> Callable[[str, Way], list[tuple[object, ...]]]:
    """The bill of a fleet to which nothing happens, computed once for all tests that compare with it."""

    @cache
    def bill(name: str, way: Way) -> list[tuple[object, ...]]:
        return plain(live(FLEETS[name](), tmp_path_factory.mktemp("plain"), way))

    return bill


@every_fleet
def test_notices_told_twice_and_samples_that_come_twice_change_nothing(name, billed_once, tmp_path):
    with Pipeline(tmp_path, FLEETS[name](), begin_ms=BEGIN, notices=_twice) as pipeline:
        pipeline.play(T + 7 * MINUTE_MS)
        for at_ms in range(BEGIN, T + 7 * MINUTE_MS, STEP):
            pipeline.scrape(at_ms)
        twice = pipeline.finish(END)
    assert plain(twice) == billed_once(name, Way.SCRAPE)


def _twice(notices: Iterable[Notice]) -> Iterable[Notice]:
    for notice in notices:
        yield notice
        yield notice


@every_fleet
def test_samples_in_any_order_make_the_same_bill(name, billed_once, tmp_path):
    with Pipeline(tmp_path, FLEETS[name](), begin_ms=BEGIN, way=Way.PROMETHEUS) as pipeline:
        pipeline.play(END + SETTLE_MS + STEP)
        chance = random.Random(name)
        columns = list(pipeline.store.columns.items())
        chance.shuffle(columns)
        for _, points in columns:
            chance.shuffle(points)
        pipeline.store.columns = dict(columns)
        pipeline.close()
        mixed = pipeline.rows()
    assert plain(mixed) == billed_once(name, Way.PROMETHEUS)


@every_fleet
def test_restarts_in_between_change_nothing(name, billed_once, tmp_path):
    with Pipeline(tmp_path, FLEETS[name](), begin_ms=BEGIN) as pipeline:
        for minute in (2, 9, 16, 17):
            pipeline.play(BEGIN + minute * MINUTE_MS)
            pipeline.refresh()
            pipeline.reopen()
        restarted = pipeline.finish(END)
    assert plain(restarted) == billed_once(name, Way.SCRAPE)


@every_fleet
def test_a_replay_of_the_journals_makes_the_same_bill(name, tmp_path):
    fleet = FLEETS[name]()
    first = live(fleet, tmp_path / "c")
    with Pipeline(tmp_path / "c", fleet, begin_ms=BEGIN, ledger=tmp_path / "second") as pipeline:
        pipeline.now_ms = END + SETTLE_MS + STEP
        pipeline.close()
        assert plain(pipeline.rows()) == plain(first)
        assert pipeline.revisit() == ()


@every_fleet
def test_scrapes_and_prometheus_make_the_same_bill(name, billed_once):
    assert billed_once(name, Way.SCRAPE) == billed_once(name, Way.PROMETHEUS)


def test_quarters_of_an_hour_sum_to_the_hour(tmp_path):
    fleet = random_fleet(1, T, T + HOUR_MS)
    bills = []
    for grid in (GRID, Grid(HOUR_MS)):
        options = {"begin_ms": T, "way": Way.PROMETHEUS, "grid": grid, "interval_ms": 2 * STEP}
        with Pipeline(tmp_path / str(grid.length_ms), fleet, **options) as pipeline:
            bills.append(billed(pipeline.finish(T + HOUR_MS)))
    quarters, hour = bills
    assert quarters.keys() == hour.keys()
    for key, line in hour.items():
        assert abs(line.gpu_ms - quarters[key].gpu_ms) <= 4, key
        assert abs(line.nanos - quarters[key].nanos) <= 4, key
    for total in ("gpu_ms", "nanos"):
        assert sum(getattr(x, total) for x in hour.values()) == sum(getattr(x, total) for x in quarters.values())


@pytest.mark.parametrize("name", ["whole GPUs", "long and short pods"])
def test_the_provisional_bill_is_of_the_time_until_now_and_is_gone_when_the_window_is_closed(name, tmp_path):
    fleet = FLEETS[name]()
    with Pipeline(tmp_path, fleet, begin_ms=BEGIN) as pipeline:
        pipeline.play(T + 9 * MINUTE_MS)
        pipeline.close()
        pipeline.refresh()
        until_now = Window(T, T + 9 * MINUTE_MS)
        rows = pipeline.ledger.rows(SPAN, cluster="c1", provisional=True)
        check_totals(rows, fleet, until_now)
        check_holdings(billed(rows), due(fleet, until_now))
        assert pipeline.rows(until_now) == ()
        pipeline.finish(END)
        pipeline.refresh()
        after = pipeline.ledger.rows(SPAN, cluster="c1", provisional=True)
    assert [row for row in after if row.window.start_ms < END] == []


@pytest.mark.parametrize("latency_ms", [0, 400, 1_700])
def test_a_watch_that_tells_late_changes_holdings_by_no_more_than_it_was_late(latency_ms, tmp_path):
    fleet = random_fleet(5, BEGIN, END)
    got, want = billed(live(fleet, tmp_path, latency_ms=latency_ms)), due(fleet, SPAN)
    for pod in fleet.pods:
        mine = sum(line.gpu_ms for key, line in got.items() if key.pod_uid == pod.uid and key.bucket in HELD)
        theirs = sum(amount.gpu_ms for key, amount in want.items() if key.pod_uid == pod.uid and key.bucket in HELD)
        assert abs(mine - theirs) <= max(latency_ms, 2), pod.name


def test_the_order_in_which_one_moments_notices_come_changes_nothing(tmp_path):
    fleet = random_fleet(1, BEGIN, END)

    def mixed(notices: Iterable[Notice]) -> list[Notice]:
        found = list(notices)
        random.Random(3).shuffle(found)
        return [replace(notice) for notice in found]

    assert watch(fleet, BEGIN, END)
    assert plain(live(fleet, tmp_path / "a", notices=mixed)) == plain(live(fleet, tmp_path / "b"))
