"""The chart's controller with a real Prometheus: it says when it fails, waits, recovers, and bills by its samples."""

import re
import time
from collections import defaultdict
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest
import urllib3

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS, Grid, Window
from aicost.domain.ledger.rows import HELD, Bucket
from fleet import truth
from support.chart import forget_definitions
from support.http_server import serving
from support.stage import SETTLE_SECONDS, Controller, Stage, Store

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

GRID = Grid(15 * MINUTE_MS)
TENANT, TOKEN = "fleet-a", "s3cret"


@pytest.fixture(scope="module")
def stage(cluster, tmp_path_factory):
    """Node a is scraped with the target's labels winning, node b with the exporter's; one GPU of b stays idle."""
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    forget_definitions(cluster)
    with Stage(cluster, tmp_path_factory.mktemp("fleet")).open(("4.8.2", "4.9")) as stage:
        stage.run_pod("train", stage.nodes[0], "0.7", gpus=2)
        stage.run_pod("serve", stage.nodes[1], "duty:0.9/0.1/20s")
        yield stage


@pytest.fixture(scope="module")
def store(stage, prometheus_program, tmp_path_factory):
    jobs = [stage.scrape_job(node, honor_labels=honor) for node, honor in zip(stage.nodes, (False, True), strict=True)]
    store = Store(prometheus_program, tmp_path_factory.mktemp("prometheus"), jobs)
    yield store
    store.stop()


def assert_within_error_bars(rows, fleet):
    """Used and idle of each pod and device of each window lie within the rows' own error bars of the fleet's record.

    What a row says that it did not measure may belong to either, and so may what no exporter could show, as the record
    has it. Each amount is rounded to a nano.
    """
    ours, bars, open_nanos = defaultdict(int), defaultdict(int), defaultdict(int)
    for row in rows:
        key = (row.window, row.place.device, row.holder.pod_uid)
        if row.bucket is Bucket.ALLOCATED_UNMEASURED:
            open_nanos[key] += row.cost_nanos
        else:
            ours[*key, row.bucket] += row.cost_nanos
            bars[*key, row.bucket] += row.error_nanos
    assert ours
    for (window, device, uid, bucket), nanos in ours.items():
        bill = truth.amounts(fleet, window.start_ms, window.end_ms, devices=[device])
        true, hidden = (
            sum(amount.nanos for key, amount in bill.items() if (key.pod_uid, key.bucket) == (uid, wanted))
            for wanted in (bucket.value, Bucket.ALLOCATED_UNMEASURED.value)
        )
        allowed = bars[window, device, uid, bucket] + open_nanos[window, device, uid] + hidden + 2
        told = f"{bucket} of {uid} on {device} in {window}: {nanos}, +-{float(allowed)}, not {float(true)}"
        assert abs(nanos - true) <= allowed, told


def held_ms(rows, pod):
    return sum(row.gpu_milliseconds for row in rows if row.holder.pod == pod and row.bucket in HELD)


def until(found, seconds=30):
    """What a question answers, as soon as that is something."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.2)
    return answer


def assert_it_never_fell(controller):
    assert controller.restarts() == [0]
    assert "Traceback" not in controller.log()


def test_a_prometheus_that_fails_is_named_windows_wait_for_it_and_all_recovers(stage, store):
    boundary = GRID.containing(now_ms() - (SETTLE_SECONDS + 1) * SECOND_MS).start_ms
    controller = Controller(stage)
    volume = controller.begin_at(boundary - MINUTE_MS)
    url = f"telemetry.prometheus.url={store.url}"
    with controller.installed(*volume, url, "telemetry.intervalSeconds=5", "telemetry.prometheus.timeoutSeconds=5"):
        # Prometheus is not there yet: a window that ended before waits for it.
        controller.until_condition("TelemetryAvailable", "False", store.url, "refused")
        controller.until_condition("DataFresh", "False", "No window was closed", "refused")
        assert controller.ledger().last_window(stage_cluster(controller)) is None

        store.start()
        report = controller.until_condition(
            "TelemetryAvailable", "True", f"the Prometheus of the settings at {store.url}", seconds=45
        )
        assert report["status"]["totals"][0]["costNanos"] > 0
        controller.until_condition("DataFresh", "True")
        window = controller.ledger().first_window(stage_cluster(controller))
        assert window == Window(boundary - MINUTE_MS, boundary)
        rows = controller.rows()
        assert_within_error_bars(rows, stage.truth())

        store.stop()
        controller.until_condition("TelemetryAvailable", "False", store.url, "refused")
        store.start()
        controller.until_condition("TelemetryAvailable", "True", store.url, seconds=45)
        later = controller.rows()
        assert held_ms(later, "train") > held_ms(rows, "train") > 0
        assert_within_error_bars(later, stage.truth())
        assert "aicost_unbalanced_cost_nanos 0.0" in controller.metrics()
        assert_it_never_fell(controller)


def stage_cluster(controller):
    return controller.cluster.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]


@contextmanager
def guarded(store):
    """A proxy before a Prometheus that lets in one tenant with one token; what it was asked."""
    with urllib3.PoolManager(retries=False) as http:

        def respond(request):
            if request.headers.get("Authorization") != f"Bearer {TOKEN}" or request.headers.get("X-Tenant") != TENANT:
                request.answer("who are you?", 401)
                return
            asked = urlencode(request.form or request.query)
            answer = http.request("GET", f"{store.url}{request.path}?{asked}")
            request.answer(answer.data, answer.status, Content_Type="application/json")

        with serving(respond) as proxy:
            yield proxy


def test_a_pod_that_nobody_watched_is_billed_from_the_samples_of_a_guarded_prometheus(stage, store):
    store.start()
    controller = Controller(stage)
    with guarded(store) as proxy:
        controller.make_namespace()
        secret = {"metadata": {"name": "access"}, "stringData": {"token": "wrong"}}
        controller.cluster.api.create(f"{controller.release.core}/secrets", secret)
        settings = (
            f"telemetry.prometheus.url={proxy.url}", f"telemetry.prometheus.tenant={TENANT}",
            "telemetry.prometheus.tenantHeader=X-Tenant", "telemetry.prometheus.secretName=access",
            "telemetry.prometheus.secretKeys={token}", "telemetry.intervalSeconds=2",
        )  # fmt: skip
        with controller.installed(*settings):
            controller.until_condition("TelemetryAvailable", "False", proxy.url, "401")
            path = f"{controller.release.core}/secrets/access"
            controller.cluster.api.patch(path, {"stringData": {"token": TOKEN}})
            controller.until_condition("TelemetryAvailable", "True", proxy.url, seconds=45)
            known = controller.rows()
            assert_within_error_bars(known, stage.truth())
            assert not [row for row in known if "unseen-pod" in row.flags]

            controller.scale(0)
            ghost = ghost_of(stage)
            controller.scale(1)
            rows = until(lambda: [row for row in controller.rows() if row.holder.pod == ghost.name])
            assert {flag for row in rows for flag in row.flags} >= {"unseen-pod"}
            assert {row.place.device for row in rows} == set(ghost.gpus)
            lived_ms = ghost.ended_ms - ghost.bound_ms
            assert abs(held_ms(rows, ghost.name) - lived_ms) <= 2 * 2 * SECOND_MS  # an interval on each side
            assert_within_error_bars([row for row in controller.rows() if row.holder.pod != ghost.name], stage.truth())
            assert "Traceback" not in controller.log()


def ghost_of(stage):
    """A pod that lived for some seconds and is gone, as the fleet's record has it."""
    path = stage.run_pod("ghost", stage.nodes[1], "0.9", **{"run-seconds": "8"})
    stage.cluster.until(path, lambda pod: pod["status"].get("phase") == "Succeeded")
    stage.cluster.api.delete(path)
    stage.cluster.until_gone(path)
    return until(lambda: next((pod for pod in stage.truth().pods if pod.name == "ghost" and pod.ended_ms), None))


def test_without_settings_a_prometheus_that_does_not_answer_gives_way_to_direct_scrapes_and_is_named(stage):
    labels = {"app": "kube-prometheus-stack-prometheus"}
    service = {"metadata": {"name": "kps", "labels": labels}, "spec": {"ports": [{"name": "http-web", "port": 9090}]}}
    stage.cluster.api.create(f"/api/v1/namespaces/{stage.operators}/services", service)
    controller = Controller(stage)
    with controller.installed("telemetry.scrape.intervalSeconds=1"):
        report = controller.until_condition("TelemetryAvailable", "True", "direct scrapes")
        (told,) = [one["message"] for one in report["status"]["conditions"] if one["type"] == "TelemetryAvailable"]
        assert re.search(r"direct scrapes of \d+ dcgm-exporter pods", told)
        assert f"kube-prometheus-stack, Service {stage.operators}/kps at http://kps.{stage.operators}.svc:9090" in told
        controller.until_condition("Priced", "True")
        assert_within_error_bars(controller.rows(), stage.truth())
        assert_it_never_fell(controller)
