"""`aicost record` on a real API server and a real Prometheus, and the replay of what it wrote against the truth."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from aicost.adapters.bundle.bundle import open_bundle
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import SECOND_MS
from aicost.domain.ledger.rows import HELD, Component
from fleet import truth
from support.chart import forget_definitions
from support.stage import Stage, Store

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]
FOLLOWED = 20


@pytest.fixture(scope="module")
def stage(cluster, tmp_path_factory):
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    forget_definitions(cluster)
    with Stage(cluster, tmp_path_factory.mktemp("fleet")).open(("4.8.2", "4.9")) as stage:
        stage.run_pod("train", stage.nodes[0], "0.7", gpus=2)
        stage.run_pod("serve", stage.nodes[1], "0.3")
        yield stage


@pytest.fixture(scope="module")
def store(stage, prometheus_program, tmp_path_factory):
    """Node a is scraped with the target's labels winning, node b with the exporter's; one GPU of b stays idle."""
    jobs = [stage.scrape_job(node, honor_labels=honor) for node, honor in zip(stage.nodes, (False, True), strict=True)]
    store = Store(prometheus_program, tmp_path_factory.mktemp("prometheus"), jobs)
    store.start()
    time.sleep(20)  # some history before anybody records
    yield store
    store.stop()


def aicost(*words: object, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "aicost", *map(str, words)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def recorded(stage, store, tmp_path_factory):
    """A bundle of the minute before and of some seconds in which a pod came and another one went."""
    out = tmp_path_factory.mktemp("recorded") / "bundle"
    words = ["record", "--since", "1m", "--for", f"{FOLLOWED}s", "--out", out, "--prometheus", store.url]
    command = [sys.executable, "-m", "aicost", *map(str, words), "--kubeconfig", str(stage.cluster.kubeconfig)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        time.sleep(8)
        stage.run_pod("late", stage.nodes[1], "0.5")
        time.sleep(4)
        stage.cluster.api.delete(f"/api/v1/namespaces/{stage.team}/pods/serve")
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return out, said


def replayed(stage, bundle: Path, folder: Path):
    book = folder / "book.yaml"
    book.write_text(yaml.safe_dump(stage.price_book()), encoding="utf-8")
    told = json.loads(aicost("replay", bundle, "--ledger", folder / "ledger", "--prices", book, "-o", "json"))
    with open_bundle(str(bundle)) as found:
        window = found.head.window
    return told, window, DeltaLedger(str(folder / "ledger")).rows(window)


def test_a_recording_replays_to_the_truth_of_the_cluster(stage, recorded, tmp_path):
    bundle, said = recorded
    assert "costlabelpolicies.aicost.dev are not in the bundle" in said
    told, window, rows = replayed(stage, bundle, tmp_path)
    assert told["unbalancedNanos"] == 0
    assert told["passedOver"] == []
    fleet = stage.truth()
    for name in stage.nodes:
        mine = [row for row in rows if row.place.node == name and row.component is Component.GPU]
        (there,) = {node.booted_ms for node in fleet.nodes if node.name == name}
        length_ms = window.end_ms - max(window.start_ms, there)
        assert sum(row.gpu_milliseconds for row in mine) == 2 * length_ms
    for pod in (one for one in fleet.pods if one.namespace == stage.team):
        bill = truth.amounts(fleet, window.start_ms, window.end_ms, devices=pod.gpus)
        want = sum(amount.gpu_ms for key, amount in bill.items() if key.pod_uid == pod.uid)
        got = sum(row.gpu_milliseconds for row in rows if row.holder.pod_uid == pod.uid and row.bucket in HELD)
        assert abs(got - want) <= len(pod.gpus) * 2 * SECOND_MS, pod.name
        assert got > 0


def test_a_recording_with_pseudonyms_comes_to_the_same_and_names_nobody(stage, store, tmp_path):
    common = ("record", "--since", "30s", "--prometheus", store.url, "--kubeconfig", stage.cluster.kubeconfig)
    with pytest.raises(AssertionError, match="90m"):
        aicost(*common, "--out", tmp_path / "bad")
    hidden = tmp_path / "hidden"
    aicost(*common[:1], "--since", "1m", *common[3:], "--out", hidden, "--anonymise")
    told, _, rows = replayed(stage, hidden, tmp_path)
    assert told["telemetryCoveragePpm"] > 0
    assert {row.holder.namespace for row in rows if row.holder.pod} != {stage.team}
    names = {stage.team, stage.operators, *stage.nodes, "train", "exporter"}
    text = subprocess.run(f"cat {hidden}/bundle.yaml; zcat {hidden}/*.gz {hidden}/samples/*.gz", shell=True, text=True,
                          capture_output=True, check=True).stdout  # fmt: skip
    assert [name for name in names if f'"{name}"' in text or f'"{name}-' in text or f"/{name}" in text] == []
    assert store.url not in text


def test_a_directory_that_holds_something_is_never_written_over(stage, recorded):
    bundle, _ = recorded
    said = aicost("record", "--since", "1m", "--out", bundle, "--no-samples", "--kubeconfig",
                  stage.cluster.kubeconfig, code=2)  # fmt: skip
    assert "holds something already" in said


def test_without_a_prometheus_it_says_how_to_reach_one(stage, tmp_path):
    said = aicost("record", "--since", "1m", "--out", tmp_path / "b", "--kubeconfig", stage.cluster.kubeconfig, code=2)
    assert "no Prometheus was found" in said
    assert "--no-samples" in said
