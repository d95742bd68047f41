"""Writes examples/bundles: three bundles out of fleet scripts, and the report of each of the four.

    PYTHONPATH=hack .venv/bin/python hack/example_bundles.py            the bundles and their reports
    PYTHONPATH=hack .venv/bin/python hack/example_bundles.py --reports  the reports alone, after a change of the rules

The fourth, `by-hand`, is written by hand: it has no more than a bundle needs.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from fleet import kubernetes
from fleet.activity import Steady
from fleet.builders import node, pod
from fleet.kubernetes import owner_objects, timestamp
from fleet.models import H100, L40S
from fleet.script import Collection, Fleet, Owner, SimExporter, SimNamespace, SimNode, SimPod
from fleet.series import Sample, Shape, openmetrics, series, target_labels
from fleet.sharing import builders
from fleet.sharing.terms import Part

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "examples/bundles"
BEGIN = 1_772_442_000_000  # 2026-03-02T09:00:00Z
MINUTE = 60_000
END = BEGIN + 60 * MINUTE
UNTIL = END + 5 * MINUTE
SHARED_PRICES = {"g6e.xlarge": "1.80", "p5.4xlarge": "4.00"}
NAMES = ("training", "serving", "shared", "by-hand")
SIGNALS = {"engine", "util", "energy"}
OURS = ("fleet.aicost.dev/", "devcluster.aicost.dev/")
"""Starts of the annotations by which the simulator speaks to itself."""
REPORT = ("--by", "namespace,pod", "--idle", "separate", "--sort", "name")


def at(minutes: float) -> int:
    """A moment of the hour."""
    return BEGIN + round(minutes * MINUTE)


def training() -> tuple[Fleet, list[dict[str, Any]]]:
    """Two GPUs: a Job that ends after forty minutes, a pod that failed early, and a GPU that nobody holds."""
    exporter = SimExporter("4.8.3", collection=Collection(MINUTE))
    host = node("gpu-a", gpus=2, model=H100, exporters=(exporter,), booted_ms=at(-600), instance_type="p5.4xlarge")
    job = (Owner("batch/v1", "Job", "pretrain", "job-1"),)
    more = {"namespace": "vision", "image": "registry.example/vision/train:7", "owners": job}
    pods = (
        pod("pretrain-x7k2p", host, (0,), bound_ms=at(-20), started_ms=at(-19), finished_ms=at(40),
            activity=Steady(Fraction(4, 5)), **more),
        pod("pretrain-broke", host, (1,), bound_ms=at(5), started_ms=at(6), finished_ms=at(8.5), deleted_ms=at(30),
            failed=True, **more),
    )  # fmt: skip
    fleet = Fleet((host,), pods, (SimNamespace("vision", (("aicost.dev/team", "computer-vision"),)),))
    return fleet, [book("own", perGpuHour="3.80", match={"gpuModel": "h100-80gb"}), *owner_objects(fleet)]


def serving() -> tuple[Fleet, list[dict[str, Any]]]:
    """Two servers that an AIWorkload claims; where the exporter's labels win, an idle GPU wears the exporter's name."""
    exporter = SimExporter("4.9", collection=Collection(MINUTE), honor_labels=True)
    host = node("gpu-b", gpus=4, model=L40S, exporters=(exporter,), cpus=48, memory_gib=384,
                booted_ms=at(-600), instance_type="g6e.12xlarge")  # fmt: skip
    labels = (("app", "chat"),)
    more = {"namespace": "search", "labels": labels, "args": ("--model=org/chat-small",), "image": "vllm/vllm-openai:1"}
    pods = (
        pod("chat-0", host, (0, 1), bound_ms=at(-300), started_ms=at(-299), activity=Steady(Fraction(3, 10)), **more),
        pod("chat-1", host, (2,), bound_ms=at(15), started_ms=at(16), activity=Steady(Fraction(1, 20)), **more),
    )
    claim = {
        "apiVersion": "aicost.dev/v1alpha1",
        "kind": "AIWorkload",
        "metadata": {"name": "chat", "namespace": "search"},
        "spec": {"selector": {"matchLabels": {"app": "chat"}}, "dimensions": {"team": "search", "product": "chat"}},
    }
    rates = {"cpuCoreHour": "0.03", "memoryGibHour": "0.004"}
    prices = book("own", perNodeHour="10.50", match={"instanceType": "g6e.12xlarge"}, referenceRates=rates)
    return Fleet((host,), pods, (SimNamespace("search"),)), [prices, claim]


def shared() -> tuple[Fleet, list[dict[str, Any]]]:
    """Three GPUs under eight pods: replicas that an exporter tells apart, MIG instances, and one claim of two pods."""
    exporter = builders.exporter(collection=Collection(MINUTE), without=("energy",))
    usual = {"exporters": (exporter,), "booted_ms": at(-600)}
    slices = builders.host("gpu-c", builders.sliced(4), model=L40S, instance_type="g6e.xlarge", **usual)
    whole = builders.host("gpu-d", builders.mixed(), model=H100, instance_type="p5.4xlarge", **usual)
    mig = builders.cut(whole, 0, "3g.40gb", "2g.20gb", "1g.10gb")
    claims = builders.host("gpu-e", builders.DRA, model=H100, instance_type="p5.4xlarge", **usual)
    both = builders.claimed("both", template=False)

    def made(name: str, on: SimNode, part: Part, tenths: int, **more: Any) -> SimPod:
        life = {"namespace": "search", "bound_ms": at(-20), "started_ms": at(-19)} | more
        return builders.tenant(name, on, 0, part, Steady(Fraction(tenths, 10)), **life)

    pods = (
        made("embed-0", slices, builders.slots(2), 4),
        made("embed-1", slices, builders.slots(), 2, finished_ms=at(30)),
        made("notebook-0", slices, builders.slots(), 0, namespace="research"),
        made("detect-0", mig, Part(instance=1), 8, namespace="vision"),
        made("detect-1", mig, Part(instance=3), 5, namespace="vision", bound_ms=at(15), started_ms=at(16)),
        made("twin-0", claims, both, 6, namespace="vision"),
        made("twin-1", claims, both, 1, namespace="vision", finished_ms=at(45)),
    )
    named = tuple(SimNamespace(name) for name in ("research", "search", "vision"))
    prices = [book(kind, perGpuHour=price, match={"instanceType": kind}) for kind, price in SHARED_PRICES.items()]
    return Fleet((slices, mig, claims), pods, named), prices


def book(name: str, *, referenceRates: Any = None, **entry: Any) -> dict[str, Any]:  # noqa: N803 -- a field's name
    """A PriceBook of one entry."""
    spec = {"currency": "USD", "entries": [{"name": "node", **entry}]}
    if referenceRates:
        spec["referenceRates"] = referenceRates
    return {"apiVersion": "aicost.dev/v1alpha1", "kind": "PriceBook", "metadata": {"name": name}, "spec": spec}


def write(name: str, fleet: Fleet, said: Iterable[dict[str, Any]], description: str) -> None:
    """One bundle."""
    folder = PLACE / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "samples").mkdir(parents=True)
    head = [
        f"# {description}",
        "formatVersion: 1",
        f"cluster: {name}",
        f"window: {{from: {timestamp(BEGIN)}, to: {timestamp(END)}}}",
        "scrapeInterval: 60s",
        "source: prometheus",
    ]
    (folder / "bundle.yaml").write_text("".join(f"{line}\n" for line in head), encoding="utf-8")
    events = [*({"at": timestamp(BEGIN), "type": "ADDED", "object": one} for one in said), *_events(fleet)]
    lines = "".join(f"{json.dumps(event)}\n" for event in events)
    (folder / "objects.jsonl").write_text(lines, encoding="utf-8")
    samples = [*series(fleet, at(-8), UNTIL, MINUTE, shape=Shape.PROMETHEUS, meanings=SIGNALS), *_up(fleet)]
    (folder / "samples/gpus.om").write_text(openmetrics(samples), encoding="utf-8")


def _events(fleet: Fleet) -> Iterator[dict[str, Any]]:
    """What is there when the hour begins, and what a watch shows then."""
    for one in kubernetes.objects(fleet, BEGIN):
        kept = {key: text for key, text in one["metadata"].pop("annotations", {}).items() if not key.startswith(OURS)}
        one["metadata"] |= {"annotations": kept} if kept else {}
        yield {"at": timestamp(BEGIN), "type": "ADDED", "object": one}
    told = [*kubernetes.claim_events(fleet, BEGIN + 1, UNTIL), *kubernetes.pod_events(fleet, BEGIN + 1, UNTIL)]
    for event in sorted(told, key=lambda event: event.at_ms):
        event.object["metadata"].pop("resourceVersion", None)
        yield {"at": timestamp(event.at_ms), "type": event.type, "object": event.object}


def _up(fleet: Fleet) -> Iterator[Sample]:
    for host in fleet.nodes:
        for exporter in host.exporters:
            labels = target_labels(exporter)
            yield from (Sample("up", labels, at_ms, 1.0) for at_ms in range(at(-8), UNTIL, 5 * MINUTE))


def report(name: str, ledger: Path) -> str:
    """What `aicost report` says of a bundle's window, once it was replayed."""
    window = f"{timestamp(BEGIN)}/{timestamp(END)}"
    aicost = [sys.executable, "-m", "aicost"]
    environment = {**os.environ, "COLUMNS": "120", "NO_COLOR": "1"}
    for words in (
        ["replay", str(PLACE / name), "--ledger", str(ledger)],
        ["report", "--ledger", str(ledger), "--window", window, *REPORT],
    ):
        done = subprocess.run([*aicost, *words], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def main() -> None:
    """Write everything, or the reports alone."""
    if "--reports" not in sys.argv[1:]:
        write("training", *training(), "One hour of a training node: a Job, a pod that failed, an idle GPU.")
        write("serving", *serving(), "One hour of an inference node whose exporter's labels win (honor_labels).")
        write("shared", *shared(), "One hour of three GPUs that pods share: by time, by MIG and by one claim.")
    for name in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            (PLACE / f"{name}.report.txt").write_text(report(name, Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
