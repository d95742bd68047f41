"""The controller judges the telemetry of nodes: shown, kept for the query API, told by an Event on the Node once."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.events import Happening, Outcome
from aicost.adapters.kube.seen.values import SeenPod
from aicost.adapters.trusts import TrustFile
from aicost.domain.exact.windows import HOUR_MS, SECOND_MS, Window
from aicost.domain.sampling.scrapes import Scrape, ScrapeTarget
from aicost.domain.trust.reasons import TrustReason
from aicost.domain.trust.standing import settle
from aicost.domain.trust.values import ExporterSeen, Judged, Trust, found
from aicost.entrypoints.controller.state import SourceState
from aicost.entrypoints.controller.telemetry.exporters import ClusterExporters
from aicost.entrypoints.controller.telemetry.judging import TelemetryJudge, changed, gauges, happening
from aicost.entrypoints.controller.watching import Sighted
from support.builders import T0, make_node, make_pod
from support.controller import make_world, settings_with
from support.expositions import OLD, device_rows, series_of, steady

BLIND = found(TrustReason.EXPORTER_BLIND, "no GPU of the node is shown")


@dataclass
class Posted:
    """Takes Events."""

    happenings: list[Happening] = field(default_factory=list)

    async def post(self, happening: Happening) -> Outcome:
        self.happenings.append(happening)
        return Outcome.POSTED


@dataclass
class Source:
    """Samples of one healthy device until now, or none."""

    interval_ms: int = 15 * SECOND_MS
    silent: bool = False

    def samples(self, _: Window) -> list:
        rows = series_of(OLD, device_rows(OLD, "GPU-1", steady(0.5)), node="n1")
        shift = now_ms() - int(rows[0].at_ms[-1])
        return [] if self.silent else [replace(one, at_ms=one.at_ms + shift) for one in rows]


@pytest.fixture
def world(tmp_path) -> Iterator:
    made = make_world(tmp_path, settings_with())
    made.app.stores.inventory.node_seen(make_node("n1").gpus(1).created(now_ms() - 2 * HOUR_MS).facts(), now_ms())
    made.app.source.value = Source()
    made.state.source = SourceState("prometheus", "a Prometheus")
    yield made
    made.app.stores.close()


def judge_of(world, tmp_path, events: Posted, *, leads: bool = True) -> TelemetryJudge:
    exporters = ClusterExporters(Sighted(), list)
    kept = TrustFile(tmp_path)
    return TelemetryJudge(world.app, exporters, world.state, world.attempts, kept, events, leads=lambda: leads)


async def test_a_look_is_shown_and_kept_and_a_good_beginning_is_no_news(world, tmp_path):
    events = Posted()
    await judge_of(world, tmp_path, events).once()
    assert 'aicost_node_telemetry_trusted{node="n1",reason="Trusted"} 1.0' in world.metrics.exposition().decode()
    (node,) = TrustFile(tmp_path).latest(world.app.cluster).nodes
    assert (node.node, node.trust, node.devices) == ("n1", Trust.YES, 1)
    assert events.happenings == []


async def test_trust_that_is_lost_is_told_once_also_over_a_restart(world, tmp_path):
    events = Posted()
    judge = judge_of(world, tmp_path, events)
    await judge.once()
    world.app.source.value.silent = True
    await judge.once()
    await judge.once()
    await judge_of(world, tmp_path, events).once()
    (told,) = events.happenings
    assert (told.reason, told.regarding.kind, told.regarding.name) == ("TelemetryNotTrusted", "Node", "n1")
    assert told.note.startswith("ExporterBlind: no GPU of the node is shown; no exporter pod is known on it. See that")
    text = world.metrics.exposition().decode()
    assert 'aicost_node_telemetry_trusted{node="n1",reason="ExporterBlind"} 0.0' in text
    assert text.count("aicost_node_telemetry_trusted{") == 1, "one series per node"


async def test_who_does_not_lead_posts_no_events(world, tmp_path):
    events = Posted()
    world.app.source.value.silent = True
    await judge_of(world, tmp_path, events, leads=False).once()
    assert events.happenings == []
    assert TrustFile(tmp_path).latest(world.app.cluster).nodes[0].trust is Trust.NO


async def test_without_a_source_that_is_the_reason(world, tmp_path):
    world.state.source = SourceState()
    await judge_of(world, tmp_path, Posted()).once()
    (node,) = TrustFile(tmp_path).latest(world.app.cluster).nodes
    assert [one.reason for one in node.standings] == [TrustReason.NO_SOURCE]
    assert node.trust is Trust.YES, "three minutes of it are needed"


def test_news_is_what_was_lost_and_what_came_back():
    (good,), (bad,) = settle({}, [Judged("a")], T0), settle({}, [Judged("a", findings=(BLIND,))], T0)
    (young,) = settle({}, [Judged("a", settling=True)], T0)
    assert changed({}, [good]) == changed({"a": good}, [young]) == changed({"a": bad}, [bad]) == ()
    assert changed({}, [bad]) == changed({"a": good}, [bad]) == (bad,)
    assert changed({"a": bad}, [good]) == (good,)
    assert happening(good, "u").reason == "TelemetryTrusted"
    assert gauges([young]) == {}


def test_exporters_are_pods_with_what_their_last_scrape_said():
    sighted = Sighted()
    image = "nvcr.io/nvidia/k8s/dcgm-exporter:4"
    for name, phase in (("dcgm-1", "Running"), ("dcgm-2", "Succeeded"), ("other", "Running")):
        facts = make_pod("gpu", name).runs(image if name != "other" else "x").on("n1").facts()
        sighted.pods[name] = SeenPod(replace(facts, phase=phase), None, "", host_pid=name == "dcgm-1")
    exporters = ClusterExporters(sighted, list)
    assert exporters.exporters() == (ExporterSeen(("gpu", "dcgm-1"), "n1", host_pid=True),)
    target = ScrapeTarget("http://x", "n1", ("gpu", "dcgm-1"))
    exporters.heard([Scrape(target, T0, error="gone", clock_skew_ms=3, foreign=("DCGM_FI_X",))])
    assert exporters.exporters() == (ExporterSeen(("gpu", "dcgm-1"), "n1", True, "gone", 3, ("DCGM_FI_X",)),)
    exporters.heard([])
    assert exporters.exporters()[0].error == ""
