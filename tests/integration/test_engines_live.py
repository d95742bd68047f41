"""The chart's controller, an engine that it scrapes itself, and kubectl: unit costs without any Prometheus."""

from contextlib import closing

import pytest

from aicost.adapters.clock import now_ms
from aicost.adapters.dcgm.engines import ENGINES
from aicost.adapters.dcgm.exposition import parse
from aicost.adapters.journal.engines import keep_answer
from aicost.adapters.journal.samples import SampleJournal
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Grid, Window
from aicost.domain.ledger.rows import Bucket, Holder
from aicost.domain.sampling.scrapes import Scrape, ScrapeTarget
from support.chart import forget_definitions
from support.engine_pages import VllmPage
from support.http_server import serving
from support.ledger_rows import make_posting, make_row
from support.stage import Controller, Stage

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]

OURS = "/apis/aicost.dev/v1alpha1"
DOLLAR = 10**9
STEP_MS = 30_000


@pytest.fixture(scope="module")
def stage(cluster, tmp_path_factory):
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    forget_definitions(cluster)
    with Stage(cluster, tmp_path_factory.mktemp("fleet")).open(("4.9", "4.9")) as stage:
        yield stage


def chat(stage):
    """A pod with a GPU; its address once it runs."""
    container = {"name": "m", "image": "x/any:1", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    spec = {"nodeSelector": {"kubernetes.io/hostname": stage.nodes[0]}, "containers": [container]}
    metadata = {"name": "chat-0", "namespace": stage.team, "labels": {"app": "chat"}}
    stage.cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    path = f"/api/v1/namespaces/{stage.team}/pods/chat-0"
    found = stage.cluster.until(path, lambda it: it["status"].get("podIP") and it["status"]["phase"] == "Running")
    return found["status"]["podIP"]


def scraped_before(folder, target, window):
    """The journal of a controller that scraped the engine during a window and a little before, and was stopped then."""
    page = VllmPage(window.start_ms, window.start_ms - HOUR_MS)
    with closing(SampleJournal(folder / "journal.engines.sqlite", STEP_MS)) as journal:
        for at_ms in range(window.start_ms - 2 * MINUTE_MS, window.end_ms, STEP_MS):
            page.now_ms = at_ms
            readings = parse(page.text().encode(), ENGINES.names, ENGINES.keeps).readings
            keep_answer(journal, Scrape(target, at_ms, readings), window.start_ms - HOUR_MS)


def workload(stage, port):
    spec = {"selector": {"matchLabels": {"app": "chat"}}, "telemetry": {"engine": "vllm", "port": port}}
    metadata = {"name": "chat", "namespace": stage.team}
    return {"apiVersion": "aicost.dev/v1alpha1", "kind": "AIWorkload", "metadata": metadata, "spec": spec}


def test_kubectl_shows_what_a_token_costs_where_no_prometheus_is(stage):
    boundary = Grid(15 * MINUTE_MS).containing(now_ms()).start_ms
    window = Window(boundary - 15 * MINUTE_MS, boundary)
    controller = Controller(stage)
    volume = controller.begin_at(boundary)
    cluster = stage.cluster.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    holder = Holder(stage.team, "chat-0", "uid-chat", "Pod", "chat-0", "chat")
    rows = [
        make_row(cost, bucket=bucket, window=window, holder=holder, cluster=cluster)
        for cost, bucket in ((3 * DOLLAR, Bucket.USED), (DOLLAR, Bucket.ALLOCATED_IDLE))
    ]
    controller.ledger().post(make_posting(*rows, window=window, cluster=cluster))
    page = VllmPage(boundary, window.start_ms - HOUR_MS)
    with serving(page.respond, host=chat(stage)) as engine:
        target = ScrapeTarget(f"{engine.url}/metrics", stage.nodes[0], (stage.team, "chat-0"))
        scraped_before(controller.volume(), target, window)
        settings = "telemetry.source=scrape", "telemetry.scrape.engines.intervalSeconds=1"
        with controller.installed(*volume, *settings):
            stage.cluster.apply(workload(stage, int(engine.url.rpartition(":")[2])))
            path = f"{OURS}/namespaces/{stage.team}/aiworkloads/chat"
            found = stage.cluster.until(path, lambda it: (it.get("status") or {}).get("unitCosts"), 90)
            (units,) = found["status"]["unitCosts"]
            assert units["costNanos"] == 4 * DOLLAR
            assert units["counts"]["outputTokens"] == 900_000
            conditions = {one["type"]: (one["status"], one["reason"]) for one in found["status"]["conditions"]}
            assert conditions["UnitsCounted"] == ("True", "Counted")
            table = stage.cluster.kubectl("get", "aiw", "-n", stage.team, "-o", "wide")
            for cell in (units["full"]["output"]["amount"], units["perRequest"]["amount"]):
                assert cell in table, table
            answered = 'aicost_engine_targets{outcome="answered"} 1.0'
            stage.cluster.until(path, lambda _: answered in controller.metrics(), 60)
            assert {one.path for one in engine.requests} == {"/metrics"}
            assert "Traceback" not in controller.log()
