"""Engines that the controller scrapes itself: from the page of a live server to a unit cost in a status."""

import asyncio
import json
from dataclasses import replace

import pytest

from aicost.adapters.journal.engines import ScrapedEngines
from aicost.adapters.journal.samples import SampleJournal
from aicost.adapters.kube.seen.decode import decode_pod
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, SECOND_MS, Window
from aicost.domain.ledger.rows import Bucket
from aicost.entrypoints.controller.sources import SourceFinder
from aicost.entrypoints.controller.state import SourceState
from aicost.entrypoints.controller.units.counting import UnitRounds
from aicost.entrypoints.controller.units.scraping import EngineLoop
from aicost.entrypoints.controller.watching import Sighted
from support.builders import make_pod
from support.controller import made, make_world, said, settings_with, shown
from support.engine_pages import VllmPage
from support.http_server import serving
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_holder, make_posting, make_row

DOLLAR = 10**9
BEGIN = HOUR_0.start_ms - 10 * MINUTE_MS
STEP = 30 * SECOND_MS
NAMED = {"selector": {"matchLabels": {"app": "chat"}}, "telemetry": {"engine": "vllm"}}


class Town:
    """A cluster of which the watch has told, in a time that the test moves."""

    def __init__(self, folder, **scrape):
        self.world = make_world(folder, settings_with(telemetry={"source": "scrape", "scrape": scrape}), BEGIN)
        self.now_ms, self.pages, self.sighted = BEGIN, [], Sighted()
        self.world.state.source = SourceState()
        self.add(make_pod("ops", "dcgm-1").on("n1").runs("x/dcgm-exporter:4").listens("127.0.0.1").running())
        asyncio.run(SourceFinder(self.world.app, self.sighted, self.world.state, self.world.attempts).look())
        self.loop = self.begun()

    def begun(self):
        """A controller that begins anew, on the same volume."""
        world = self.world
        parts = (world.app, self.sighted, world.registry, world.state, world.attempts)
        return EngineLoop(*parts, clock=lambda: self.now_ms)

    def add(self, pod):
        seen = decode_pod(json.dumps(pod.manifest()).encode())
        self.sighted.pods[seen.facts.uid] = seen
        self.world.app.stores.inventory.pod_seen(seen.facts, BEGIN, live=False)
        return seen

    def engine(self, url, name="chat-0", app="chat", since=BEGIN, **annotations):
        port = url.rpartition(":")[2]
        pod = (
            make_pod("team-a", name)
            .gpus(1)
            .on("n1")
            .created(since)
            .raw_label("app", app)
            .listens("127.0.0.1")
            .running()
        )
        for key, value in annotations.items():
            pod = pod.annotation(f"prometheus.io/{key}", value.format(port=port))
        return self.add(pod)

    def declare(self, url, name="chat", app="chat", **telemetry):
        port = int(url.rpartition(":")[2])
        spec = {"selector": {"matchLabels": {"app": app}}, "telemetry": {"port": port, **telemetry}}
        self.world.registry.put(made("AIWorkload", name, spec))

    def until(self, at_ms):
        """Scrape after scrape."""
        while self.now_ms < at_ms:
            for page in self.pages:
                page.now_ms = self.now_ms
            asyncio.run(self.loop.once())
            self.now_ms += STEP

    def close(self, window=HOUR_0, pod="chat-0", workload="chat"):
        """A window that cost three dollars in use and one that idled, and what was counted in it."""
        holder = replace(make_holder("team-a", pod), workload=workload)
        used = make_row(3 * DOLLAR, gpu_ms=HOUR_MS, window=window, holder=holder)
        idle = make_row(DOLLAR, gpu_ms=HOUR_MS, window=window, holder=holder, bucket=Bucket.ALLOCATED_IDLE)
        self.world.ledger.post(make_posting(used, idle, window=window))
        self.world.state.last_closed = window
        self.count()

    def count(self):
        world = self.world
        asyncio.run(UnitRounds(world.app, world.registry, world.attempts).once())

    def status(self, at_ms=None):
        (body,) = self.world.registry.of_kind("AIWorkload")
        return self.world.answer(body, at_ms or HOUR_0.end_ms + 10 * MINUTE_MS)

    def units(self, at_ms=None):
        (found,) = self.status(at_ms).status["unitCosts"]
        return found


@pytest.fixture
def town(tmp_path):
    made_town = Town(tmp_path)
    yield made_town
    made_town.world.app.stores.close()


@pytest.fixture
def vllm(town):
    """One engine whose counters stood at a million seconds' worth when anybody first looked."""
    page = VllmPage(BEGIN, BEGIN - 10**6 * SECOND_MS)
    town.pages.append(page)
    with serving(page.respond) as served:
        page.url, page.served = served.url, served
        yield page


def test_an_aiworkload_has_unit_costs_without_any_prometheus(town, vllm):
    town.engine(vllm.url, since=BEGIN - HOUR_MS)
    town.declare(vllm.url, engine="vllm")
    town.until(HOUR_0.end_ms + MINUTE_MS)
    town.close()
    found = town.units()
    assert found["counts"] == {
        "inputTokens": 360_000, "outputTokens": 3_600_000, "requests": 7_200, "successes": 3_600,
    }  # fmt: skip
    assert found["costNanos"] == 4 * DOLLAR
    assert found["engines"] == ["vllm"]
    assert said(town.status(), "UnitsCounted")[:2] == ("True", "Counted")
    assert vllm.served.requests[0].path == "/metrics"
    assert shown(town.world.metrics)["aicost_engine_targets", "answered"] == 1


def test_only_the_series_that_meters_name_are_kept(town, vllm):
    town.engine(vllm.url)
    town.declare(vllm.url)
    town.until(BEGIN + MINUTE_MS)
    found = ScrapedEngines(town.world.app.stores.engine_samples, town.world.app.stores.samples)
    series = found.series(Window(BEGIN, BEGIN + HOUR_MS))
    assert not [one for one in series if not one.name.startswith("vllm:") or one.name.endswith("_created")]
    assert sorted(one.labels["le"] for one in series if one.name.endswith("_bucket")) == ["+Inf", "1.0"]
    assert {(one.labels["namespace"], one.labels["pod"]) for one in series} == {("team-a", "chat-0")}


def test_a_restart_of_the_controller_loses_nothing(town, vllm):
    town.engine(vllm.url)
    town.declare(vllm.url)
    town.until(HOUR_0.start_ms + 20 * MINUTE_MS)
    journal = town.world.app.stores.engine_samples
    again = SampleJournal(journal._database.path, 30_000)  # what a process finds that comes after a killed one
    assert len(again.samples(Window(BEGIN, town.now_ms))) == len(journal.samples(Window(BEGIN, town.now_ms)))
    again.close()
    town.now_ms += 10 * MINUTE_MS
    town.loop = town.begun()
    town.until(HOUR_0.end_ms + MINUTE_MS)
    town.close()
    assert town.units()["counts"]["outputTokens"] == 3_600_000


def test_a_controller_that_was_away_when_the_window_began_counts_from_where_it_left(town, vllm):
    town.engine(vllm.url, since=BEGIN - HOUR_MS)
    town.declare(vllm.url)
    town.until(HOUR_0.start_ms - 8 * MINUTE_MS)
    town.now_ms = HOUR_0.start_ms + 10 * MINUTE_MS
    town.loop = town.begun()
    town.until(HOUR_0.end_ms + MINUTE_MS)
    town.close()
    assert town.units()["counts"]["outputTokens"] == 3_600_000 + 8 * 60_000
    assert "atLeast" not in town.units()


def test_an_engine_that_restarts_counts_on(town, vllm):
    town.engine(vllm.url)
    town.declare(vllm.url)
    town.until(HOUR_0.start_ms + 30 * MINUTE_MS)
    vllm.began_ms = town.now_ms - STEP
    town.until(HOUR_0.end_ms + MINUTE_MS)
    town.close()
    assert town.units()["counts"]["outputTokens"] == 3_600_000


def test_what_an_engine_counted_before_anybody_looked_is_in_no_price(town, vllm):
    other = VllmPage(BEGIN, BEGIN)
    town.pages.append(other)
    with serving(other.respond) as served:
        town.engine(served.url, "first-0", scrape="true", port="{port}")
        town.until(HOUR_0.start_ms + 30 * MINUTE_MS)
        town.engine(vllm.url, since=BEGIN - 100 * HOUR_MS)
        town.declare(vllm.url)
        town.until(HOUR_0.end_ms + MINUTE_MS)
    town.close()
    assert town.units()["counts"]["outputTokens"] == 1_800_000 - 1_000 * STEP // SECOND_MS
    assert town.units()["atLeast"] is True


def test_a_pod_that_was_made_in_the_window_counts_from_its_beginning(town, vllm):
    other = VllmPage(BEGIN, BEGIN)
    town.pages.append(other)
    with serving(other.respond) as served:
        town.engine(served.url, "first-0", scrape="true", port="{port}")
        town.until(HOUR_0.start_ms + 30 * MINUTE_MS)
        vllm.began_ms = town.now_ms - 3 * STEP
        town.engine(vllm.url, since=vllm.began_ms)
        town.declare(vllm.url)
        town.until(HOUR_0.end_ms + MINUTE_MS)
    town.close()
    assert town.units()["counts"]["outputTokens"] == 1_000 * (HOUR_0.end_ms - STEP - vllm.began_ms) // SECOND_MS


def test_windows_from_before_the_first_scrape_are_in_no_price(town, vllm):
    town.engine(vllm.url)
    town.declare(vllm.url)
    town.now_ms = HOUR_0.start_ms + MINUTE_MS
    town.until(hour(1).end_ms + MINUTE_MS)
    town.close()
    assert town.world.app.counts.windows(HOUR_0, cluster=CLUSTER) == []
    town.close(hour(1))
    found = town.units(hour(2).end_ms)
    assert (found["costNanos"], found["counts"]["outputTokens"]) == (4 * DOLLAR, 3_600_000)


def test_a_pod_that_cannot_be_read_is_named_with_the_reason_and_the_fix(town, vllm, caplog):
    vllm.problem = True
    town.engine(vllm.url, since=BEGIN - HOUR_MS)
    town.declare(vllm.url)
    town.until(BEGIN + 2 * MINUTE_MS)
    status, reason, message = said(town.status(), "UnitsCounted")
    assert (status, reason) == ("False", "EngineUnreachable")
    for words in ("1 of 1 pod ", f"chat-0: {vllm.url}/metrics answered 503", "spec.telemetry.port", "NetworkPolicy"):
        assert words in message
    assert shown(town.world.metrics)["aicost_engine_targets", "failed"] == 1
    assert [record.getMessage() for record in caplog.records].count("engine not scraped") == 1
    vllm.problem = False
    town.until(BEGIN + 3 * MINUTE_MS)
    assert said(town.status(), "UnitsCounted")[1] == "Waiting"


def test_a_pod_that_has_just_begun_may_still_load_its_model(town, vllm):
    vllm.problem = True
    town.engine(vllm.url, since=BEGIN)
    town.declare(vllm.url)
    town.until(BEGIN + 2 * MINUTE_MS)
    assert said(town.status(), "UnitsCounted")[:2] == ("Unknown", "Waiting")
    town.until(BEGIN + 11 * MINUTE_MS)
    assert said(town.status(), "UnitsCounted")[:2] == ("False", "EngineUnreachable")


def test_a_workload_that_does_not_say_where_is_told_to(town):
    town.engine("http://127.0.0.1:1")
    town.world.registry.put(made("AIWorkload", "chat", NAMED))
    town.until(BEGIN + MINUTE_MS)
    status, reason, message = said(town.status(), "UnitsCounted")
    assert (status, reason) == ("False", "EngineNotHeard")
    assert "give spec.telemetry.port" in message


def test_an_engine_that_shows_no_counter_is_told_what_to_turn_on(town):
    with serving(lambda request: request.answer("up_and_well 1\n")) as served:
        town.engine(served.url)
        town.declare(served.url)
        town.until(BEGIN + MINUTE_MS)
    status, reason, message = said(town.status(), "UnitsCounted")
    assert (status, reason) == ("False", "EngineNotHeard")
    assert "--enable-metrics" in message


def test_a_workload_without_pods_waits(town):
    town.declare("http://127.0.0.1:8000")
    town.until(BEGIN + MINUTE_MS)
    assert said(town.status(), "UnitsCounted") == ("Unknown", "Waiting", "No pod of this workload runs now.")


def test_a_pod_without_an_aiworkload_has_unit_costs_where_it_says_so_itself(town, vllm):
    town.engine(vllm.url, scrape="true", port="{port}", path="/metrics")
    town.until(HOUR_0.end_ms + MINUTE_MS)
    town.close(workload="")
    report = made("AICostReport", "all", {"groupBy": ["controller"]})
    status = town.world.answer(report, HOUR_0.end_ms + 10 * MINUTE_MS).status
    (units,) = [row["unitCosts"] for row in status["rows"] if "unitCosts" in row]
    assert units["discovered"] is True
    assert units["perRequest"]["nanos"] == round(4 * DOLLAR / 7_200)


def test_counters_of_ones_own_that_nobody_can_be_asked_for_hold_up_no_engine(town, vllm):
    town.engine(vllm.url)
    town.declare(vllm.url)
    spec = {"selector": {"matchLabels": {"app": "x"}}, "unitMetric": {"name": "run", "units": {"metric": "runs_total"}}}
    success = {"source": "query", "queries": {"success": "sum(good_total)"}}
    town.world.registry.put(made("AIWorkload", "other", {**spec, "success": success}))
    town.until(HOUR_0.end_ms + MINUTE_MS)
    town.close()
    assert town.world.state.problems == {}
    assert town.world.app.counts.windows(HOUR_0, cluster=CLUSTER) == [HOUR_0]


@pytest.mark.parametrize("source", ["prometheus", ""])
def test_engines_are_not_asked_where_a_prometheus_does_or_nobody_is_scraped(town, vllm, source):
    town.engine(vllm.url)
    town.declare(vllm.url)
    town.world.state.source = SourceState(source)
    town.until(BEGIN + MINUTE_MS)
    assert vllm.served.requests == []
    assert town.world.state.engines is None


def test_settings_may_want_no_engine_scraped(tmp_path):
    town = Town(tmp_path, engines={"enabled": False})
    town.declare("http://127.0.0.1:8000")
    town.until(BEGIN + MINUTE_MS)
    assert (town.world.app.engines.value, town.world.state.engines) == (None, None)
    assert said(town.status(), "UnitsCounted")[:2] == ("Unknown", "NoSource")
    town.world.app.stores.close()
