"""The chart's controller, a real Prometheus with an engine's counters, and kubectl: what people see of unit costs."""

import pytest

from aicost.adapters.clock import now_ms
from aicost.adapters.ledger.counts.store import DeltaCounts
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Grid, Window
from aicost.domain.ledger.rows import Bucket, Holder
from fleet.series import Sample
from support.chart import forget_definitions
from support.history.remote_write import push
from support.history.stage import prometheus
from support.ledger_rows import make_posting, make_row
from support.stage import Controller, Stage

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]

OURS = "/apis/aicost.dev/v1alpha1"
DOLLAR = 10**9
STEP_MS = 15_000
TOKENS_A_SECOND = 1_000


@pytest.fixture(scope="module")
def stage(cluster, tmp_path_factory):
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    forget_definitions(cluster)
    with Stage(cluster, tmp_path_factory.mktemp("fleet")).open(("4.9", "4.9")) as stage:
        yield stage


def of_vllm(namespace, pod, window):
    """Counters of an engine: prompts and answers alike, three requests of four a success."""
    labels = {"namespace": namespace, "pod": pod, "instance": "10.0.0.1:8000", "model_name": "qwen3", "engine": "0"}
    for at_ms in range(window.start_ms - 2 * MINUTE_MS, window.end_ms + 2 * MINUTE_MS, STEP_MS):
        seconds = (at_ms - window.start_ms) / 1_000 + 10_000
        for name in ("prompt_tokens_total", "generation_tokens_total"):
            yield Sample(f"vllm:{name}", labels, at_ms, TOKENS_A_SECOND * seconds)
        for reason, share in (("stop", 3), ("error", 1)):
            told = {**labels, "finished_reason": reason}
            yield Sample("vllm:request_success_total", told, at_ms, float(int(share * seconds)))


def posted(ledger, cluster, namespace, window):
    """What the pods of two Deployments cost in a window that was closed before: an AIWorkload claims one of them."""

    def holder(name, workload):
        return Holder(namespace, f"{name}-0", f"uid-{name}", "Deployment", name, workload)

    rows = [
        make_row(cost, bucket=bucket, window=window, holder=holder(name, workload), cluster=cluster, device=name)
        for name, workload in (("chat", "chat"), ("found", ""))
        for cost, bucket in ((3 * DOLLAR, Bucket.USED), (DOLLAR, Bucket.ALLOCATED_IDLE))
    ]
    ledger.post(make_posting(*rows, window=window, cluster=cluster))


def workload(target):
    metric = {"name": "inference", "per": 1000, "targetPrice": target, "currency": "USD"}
    spec = {
        "selector": {"matchLabels": {"app": "chat"}},
        "telemetry": {"engine": "vllm", "port": 8000},
        "unitMetric": metric,
    }
    return {"apiVersion": "aicost.dev/v1alpha1", "kind": "AIWorkload", "metadata": {"name": "chat"}, "spec": spec}


def test_kubectl_shows_what_a_token_and_a_request_cost_and_whether_it_is_within_the_target(stage, tmp_path):
    api, team = stage.cluster.api, stage.team
    boundary = Grid(15 * MINUTE_MS).containing(now_ms()).start_ms
    window = Window(boundary - 15 * MINUTE_MS, boundary)
    controller = Controller(stage)
    volume = controller.begin_at(boundary)
    cluster = api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    posted(controller.ledger(), cluster, team, window)
    with prometheus(tmp_path / "prometheus") as url:
        push(url, [one for pod in ("chat-0", "found-0") for one in of_vllm(team, pod, window)])
        with controller.installed(*volume, f"telemetry.prometheus.url={url}", "telemetry.intervalSeconds=15"):
            path = f"{OURS}/namespaces/{team}/aiworkloads/chat"
            stage.cluster.apply({**workload("1.50"), "metadata": {"name": "chat", "namespace": team}})
            found = stage.cluster.until(path, lambda it: (it.get("status") or {}).get("unitCosts"), 60)
            (units,) = found["status"]["unitCosts"]
            assert units["costNanos"] == 4 * DOLLAR
            assert units["counts"]["outputTokens"] == TOKENS_A_SECOND * 900
            assert units["counts"]["requests"] == 4 * 900
            conditions = {one["type"]: (one["status"], one["reason"]) for one in found["status"]["conditions"]}
            assert conditions["UnitsCounted"] == ("True", "Counted")
            assert conditions["WithinTarget"] == ("True", "Within")

            table = stage.cluster.kubectl("get", "aiw", "-n", team, "-o", "wide")
            head, row = table.splitlines()
            assert "IN/M" in head
            assert "WITHIN-TARGET" in head
            for cell in ("$0.889", "$3.56", "$0.00111", "$0.00148", "25.0%", "$1.11", "True", "assumed"):
                assert cell in row, table

            stage.cluster.apply({**workload("1.00"), "metadata": {"name": "chat", "namespace": team}})
            stage.cluster.until(path, lambda it: _reason(it, "WithinTarget") == "AboveTarget", 60)
            events = f"/apis/events.k8s.io/v1/namespaces/{team}/events"
            stage.cluster.until(events, lambda it: any(one["reason"] == "AboveTarget" for one in it["items"]), 30)

            report = f"{OURS}/namespaces/{team}/aicostreports/month-to-date"
            told = stage.cluster.until(report, lambda it: len(_units_of_rows(it)) == 2, 60)
            by = _units_of_rows(told)
            assert (by["Deployment/chat"].get("discovered"), by["Deployment/found"]["discovered"]) == (None, True)
            assert by["Deployment/found"]["perRequest"]["nanos"] == 4 * DOLLAR // 3_600
            assert "Traceback" not in controller.log()
            counts = DeltaCounts(controller.ledger().place)
            assert list(counts.windows(Window(window.start_ms - HOUR_MS, boundary), cluster=cluster)) == [window]


def _reason(found, kind):
    conditions = (found.get("status") or {}).get("conditions") or ()
    return next((one["reason"] for one in conditions if one["type"] == kind), None)


def _units_of_rows(report):
    rows = (report.get("status") or {}).get("rows") or ()
    return {row["keys"].get("controller"): row["unitCosts"] for row in rows if row.get("unitCosts")}
