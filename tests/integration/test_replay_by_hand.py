"""Bundles as people write them by hand, labels left out as they leave them out, against bills worked out by hand."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, SECOND_MS, Window
from aicost.domain.ledger.rows import Component, Row
from aicost.entrypoints.cli.replay.run import Wanted, replay
from support.bundles import event, head, write

T = 1_795_600_800_000
HOUR = Window(T, T + HOUR_MS)
USD = 1_000_000_000
ENGINE = "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
BOOK = {
    "kind": "PriceBook",
    "metadata": {"name": "own"},
    "spec": {
        "currency": "USD",
        "entries": [{"name": "e", "match": {"gpuModel": "h100-80gb"}, "perGpuHour": "4.00"}],
        "referenceRates": {"cpuCoreHour": "0.25"},
    },
}


def node(name: str = "n1", gpus: int = 1, **capacity: str) -> dict[str, Any]:
    found = {"nvidia.com/gpu": str(gpus), **capacity}
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}},
        "status": {"capacity": found, "allocatable": found},
    }


def labelled(body: dict[str, Any], **labels: str) -> dict[str, Any]:
    """A node with labels of GPU feature discovery."""
    told = {f"nvidia.com/{key.replace('_', '.')}": value for key, value in labels.items()}
    metadata = {**body["metadata"], "labels": {**body["metadata"]["labels"], **told}}
    return {**body, "metadata": metadata}


def pod(name: str, where: str = "n1", **limits: str) -> dict[str, Any]:
    container = {"name": "main", "image": "job", "resources": {"limits": {"nvidia.com/gpu": "1", **limits}}}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "a"},
        "spec": {"nodeName": where, "containers": [container]},
    }


def lines(
    metric: str,
    labels: dict[str, str],
    value: float | Callable[[float], float],
    minutes: tuple[float, float] = (-5, 65),
    step_s: int = 30,
) -> str:
    """A sample each half minute; a value may be told by the minute."""
    shown = ",".join(f'{key}="{text}"' for key, text in labels.items())
    found = []
    for at_ms in range(T + round(minutes[0] * MINUTE_MS), T + round(minutes[1] * MINUTE_MS), step_s * SECOND_MS):
        now = value((at_ms - T) / MINUTE_MS) if callable(value) else value
        found.append(f"{metric}{{{shown}}} {now} {at_ms / SECOND_MS:.3f}\n")
    return "".join(found)


def gpu(uuid: str, where: str = "n1", **more: str) -> dict[str, str]:
    return {"UUID": uuid, "Hostname": where, **more}


def rows_of(tmp_path: Path, samples: str, *objects: dict[str, Any]) -> list[Row]:
    events = [event(T - HOUR_MS, one) for one in (BOOK, *objects)]
    bundle = write(tmp_path / "bundle", head(HOUR.start_ms, HOUR.end_ms), events, samples)
    replay(Wanted(str(bundle), str(tmp_path / "ledger")), lambda _: None)
    return list(DeltaLedger(str(tmp_path / "ledger")).rows(HOUR))


def bill(rows: list[Row], component: Component = Component.GPU) -> dict[tuple[str, str], float]:
    """Dollars by pod and bucket."""
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row.component is component and row.cost_nanos:
            found[row.holder.pod, row.bucket.value] += row.cost_nanos
    return {key: nanos / USD for key, nanos in found.items()}


HALF_HELD = {("p", "used"): 2.0, ("p", "allocated-idle"): 2.0, ("", "unallocated"): 4.0}


def test_idle_gpus_of_two_exporters_without_job_and_instance_are_nobodys(tmp_path):
    """Each node has a GPU in use and one that wears the name of the exporter, as with honor_labels off."""
    samples = "".join(
        lines(ENGINE, gpu(f"GPU-{n}a", n, exported_pod=f"p{n}", exported_namespace="a", pod=f"watch-{n}"), 0.5)
        + lines(ENGINE, gpu(f"GPU-{n}b", n, pod=f"watch-{n}"), 0)
        for n in ("n1", "n2")
    )
    rows = rows_of(tmp_path, samples, *(one for n in ("n1", "n2") for one in (node(n, 2), pod(f"p{n}", n))))
    idle = {("", "unallocated"): 8.0}
    assert bill(rows) == idle | {(f"p{n}", kind): 2.0 for n in ("n1", "n2") for kind in ("used", "allocated-idle")}


@pytest.mark.parametrize("scrape", [{}, {"job": "gpus", "instance": "10.0.0.7:9400"}])
def test_up_tells_the_exporter_whose_labels_win(tmp_path, scrape):
    samples = (
        lines(ENGINE, gpu("GPU-a", pod="p", namespace="a", **scrape), 0.5)
        + lines(ENGINE, gpu("GPU-b", pod="watch-1", namespace="ops", **scrape), 0)
        + lines("up", {"job": "gpus", "instance": "10.0.0.7:9400", "pod": "watch-1", "namespace": "ops"}, 1)
        + lines("up", {"job": "models", "instance": "10.0.0.9:8000", "pod": "p", "namespace": "a"}, 1)
    )
    assert bill(rows_of(tmp_path, samples, node(gpus=2), pod("p"))) == HALF_HELD


def test_an_exporter_that_is_restarted_under_its_address_holds_nothing(tmp_path):
    scrape = {"job": "gpus", "instance": "n1"}
    samples = ""
    for name, span in (("watch-1", (-5, 30)), ("watch-2", (30, 65))):
        own = {"pod": name, "namespace": "ops", **scrape}
        samples += lines(ENGINE, gpu("GPU-a", exported_pod="p", exported_namespace="a", **own), 0.5, span)
        samples += lines(ENGINE, gpu("GPU-b", **own), 0, span) + lines("up", own, 1, span)
    assert bill(rows_of(tmp_path, samples, node(gpus=2), pod("p"))) == HALF_HELD


def test_cpu_that_a_container_used_before_its_counter_began_anew_is_not_lost(tmp_path):
    """Without the kubelet's `id` the counter of a restarted container is the same series: 29:30 lie before its fall."""
    labels = {"namespace": "a", "pod": "p", "container": "main"}
    samples = lines(
        "container_cpu_usage_seconds_total", labels, lambda now: 60 * (now + 1000 if now < 30 else now - 30)
    )
    rows = rows_of(tmp_path, samples, node(cpu="8", memory="8Gi"), pod("p", cpu="2"))
    found = bill(rows, Component.CPU)
    assert found["p", "used"] == pytest.approx(0.25 * 59.5 / 60, abs=1e-6)
    assert found["p", "used"] + found["p", "allocated-idle"] == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("profile", ["1g.10gb", "", "unheard of"])
def test_instances_of_mig_single_are_not_billed_as_gpus_where_the_product_does_not_say_so(tmp_path, profile):
    """Seven instances of one GPU, whose label of the product somebody replaced."""
    node_of_seven = labelled(
        node(gpus=7), mig_strategy="single", gpu_count="7", gpu_memory="9984", gpu_slices_gi="1", gpu_slices_ci="1"
    )
    samples = "".join(
        lines(
            ENGINE,
            gpu("GPU-a", GPU_I_ID=str(7 + i), GPU_I_PROFILE=profile)
            | ({"pod": "p", "namespace": "a"} if not i else {}),
            0 if i else 0.5,
        )
        for i in range(7)
    )
    rows = rows_of(tmp_path, samples, node_of_seven, pod("p"))
    found = bill(rows)
    assert sum(row.cost_nanos or 0 for row in rows) == 4 * USD
    assert found["p", "used"] == pytest.approx(2 / 7, abs=1e-6)
    assert found["p", "allocated-idle"] == pytest.approx(2 / 7, abs=1e-6)


def test_a_pod_that_shared_a_gpu_for_two_seconds_has_all_that_it_used(tmp_path):
    """Counters are read each 15 s, so the GPU's own is a mean over the time before it, with it, and after it."""
    shared = labelled(node(gpus=4), gpu_count="1", gpu_replicas="4", gpu_sharing_strategy="time-slicing")
    at = {"uuid": "GPU-a", "node": "n1"}
    long, short = {"namespace": "a", "pod": "long", "pod_uid": "l"}, {"namespace": "a", "pod": "short", "pod_uid": "s"}
    born, died = T + 1004 * SECOND_MS, T + 1006 * SECOND_MS
    samples = (
        lines("aicost_pod_gpu_seconds_total", at | long, lambda now: 30 * now + 150, step_s=15)
        + lines("aicost_pod_gpu_seconds_total", at | short, 1.0, (17, 65), step_s=15)
        + lines("aicost_device_busy_seconds_total", at, lambda now: 30 * now + 150 + (1 if now > 17 else 0), step_s=15)
    )
    bodies = {name: pod(name) for name in ("long", "short")}
    for body in bodies.values():
        body["metadata"] |= {"uid": body["metadata"]["name"][0]}
    events = [
        *(event(T - HOUR_MS, one) for one in (BOOK, shared, bodies["long"])),
        event(born, bodies["short"]),
        event(died, bodies["short"], "DELETED"),
    ]
    bundle = write(tmp_path / "bundle", head(HOUR.start_ms, HOUR.end_ms, 15_000), events, samples)
    replay(Wanted(str(bundle), str(tmp_path / "ledger")), lambda _: None)
    found = bill(list(DeltaLedger(str(tmp_path / "ledger")).rows(HOUR)))
    assert found["short", "used"] == pytest.approx(4 * 1.0 / 3600, rel=0.01)
    assert found["long", "used"] == pytest.approx(2.0, rel=0.001)
