"""The demo fleet: eight nodes with 64 GPUs, three teams, and the traps of real exporters spread over the nodes.

| node | GPUs | what is special |
|---|---|---|
| train-a | 8 x H100 | exporter 4.8.2: `Hostname`, no `pod_uid` |
| train-b | 8 x H100 | exporter 4.8.3 with `pod_uid` and SM activity; pod labels come and go |
| train-c | 8 x H100 | exporter 4.9: renamed fields, ratios and bytes |
| batch-a | 8 x A100, spot | its energy counters jump back, one GPU is off the bus |
| serve-a | 8 x L40S | two exporters for each GPU; `honorLabels` where Prometheus scrapes it |
| serve-b | 8 x L40S | exporter 4.9 on an older engine: named ratio, counted in percent; ended pods linger |
| onprem-a | 8 x H200 | no profiling fields; a price per GPU-hour; a minute without answers in each hour |
| lab-a | 8 x RTX PRO 6000 | a type that no price book knows |
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from fleet.builders import DOLLAR, gpu_uuid, node, pod
from fleet.faults import Fault, FaultKind
from fleet.models import A100, H200, L40S, RTX6000
from fleet.script import (
    HOUR_MS,
    Collection,
    Fleet,
    Price,
    SimExporter,
    SimNamespace,
    SimNode,
    SimPod,
    gpu_hour,
    node_hour,
)
from fleet.spec import parse

CPU_HOUR = 30_000_000  # nanos per vCPU-hour: what the demo's price book says
MEMORY_HOUR = 4_000_000  # nanos per GiB-hour
BEAT = Collection(window_ms=5_000, tick_ms=5_000)
DAY_MS = 24 * HOUR_MS
TEAMS = {"vision": "team-vision", "search": "team-search", "research": "team-research"}

POOLS = {
    "train-a": "pretrain",
    "train-b": "pretrain",
    "train-c": "tune",
    "batch-a": "batch",
    "serve-a": "serve",
    "serve-b": "serve",
    "onprem-a": "notebooks",
    "lab-a": "lab",
}


def _node_price(dollars: str, cpus: int, memory_gib: int) -> Price:
    return node_hour(int(Fraction(dollars) * DOLLAR), cpus * CPU_HOUR + memory_gib * MEMORY_HOUR)


PRICES: dict[str, Price | None] = {
    "p5.48xlarge": _node_price("55.04", 192, 2048),
    "p4d.24xlarge": gpu_hour(900_000_000),
    "g6e.48xlarge": _node_price("30.13118", 192, 1536),
    "xe9680-h200": gpu_hour(2_200_000_000),
    "rtx6000-lab": None,
}


def _exporter(number: int, dialect: str = "4.8.3", **more: Any) -> SimExporter:
    return SimExporter(dialect, f"nvidia-dcgm-exporter-{number:05d}", f"127.10.0.{number}", collection=BEAT, **more)


def _host(name: str, kind: str, exporter: SimExporter, **more: Any) -> SimNode:
    labels = (("pool", POOLS[name]),)
    return node(name, gpus=8, instance_type=kind, price=PRICES[kind], exporters=(exporter,), labels=labels, **more)


def nodes(made_ms: int) -> tuple[SimNode, ...]:
    """The nodes of the demo, registered at this moment."""
    rack = {"provider": "onprem", "region": "basement", "zone": "rack-1", "cpus": 128, "memory_gib": 1024}
    day = (made_ms, made_ms + DAY_MS)
    batch_faults = (
        Fault(FaultKind.COUNTER_RESET, made_ms + 5 * 60_000, made_ms + DAY_MS),
        Fault(FaultKind.LOST, *day, uuids=(gpu_uuid("batch-a", 7),)),
        Fault(FaultKind.XID, *day, uuids=(gpu_uuid("batch-a", 6),), amount=79),
    )
    silent = tuple(
        Fault(FaultKind.UNAVAILABLE, made_ms + hour * HOUR_MS + 240_000, made_ms + hour * HOUR_MS + 300_000)
        for hour in range(4)
    )
    second = SimExporter("4.8.2", "dcgm-exporter-second", "127.10.1.5", "monitoring", collection=BEAT)
    serve_a = _host("serve-a", "g6e.48xlarge", _exporter(5, honor_labels=True), model=L40S, cpus=192, memory_gib=1536)
    found = (
        _host("train-a", "p5.48xlarge", _exporter(1, "4.8.2")),
        _host(
            "train-b",
            "p5.48xlarge",
            _exporter(2, pod_uid=True, with_sm=True),
            faults=(Fault(FaultKind.LABELS_MISSING, *day, amount=20_000),),
        ),
        _host("train-c", "p5.48xlarge", _exporter(3, "4.9")),
        _host(
            "batch-a",
            "p4d.24xlarge",
            _exporter(4, "4.8.2"),
            model=A100,
            capacity_type="spot",
            cpus=96,
            memory_gib=1152,
            faults=batch_faults,
        ),
        replace(serve_a, exporters=(*serve_a.exporters, second)),
        _host(
            "serve-b",
            "g6e.48xlarge",
            _exporter(6, "4.9-percent"),
            model=L40S,
            cpus=192,
            memory_gib=1536,
            faults=(Fault(FaultKind.LINGERING, *day),),
        ),
        _host("onprem-a", "xe9680-h200", _exporter(7, without=("engine",)), model=H200, faults=silent, **rack),
        _host("lab-a", "rtx6000-lab", _exporter(8, pod_uid=True), model=RTX6000, **rack),
    )
    return tuple(replace(item, booted_ms=made_ms) for item in found)


def fleet(made_ms: int) -> Fleet:
    """The demo as a script of its own, for use without a cluster: the same kinds of pods as the manifests make."""
    hosts = {item.name: item for item in nodes(made_ms)}
    namespaces = tuple(SimNamespace(name, (("aicost.dev/team", team),)) for name, team in TEAMS.items())
    return Fleet(tuple(hosts.values()), _pods(hosts, made_ms), namespaces)


def _pods(hosts: dict[str, SimNode], made_ms: int) -> tuple[SimPod, ...]:
    def made(namespace: str, name: str, on: str, gpus: tuple[int, ...], activity: str, **more: Any) -> SimPod:
        life = {"bound_ms": made_ms + 2_000, "started_ms": made_ms + 12_000} | more
        return pod(name, hosts[on], gpus, namespace=namespace, activity=parse(activity), **life)

    whole, vllm = tuple(range(8)), ("serve", "--model=qwen/qwen3-32b", "--tensor-parallel-size=4")
    end = made_ms + 20 * 60_000
    return (
        made("vision", "pretrain-0", "train-a", whole, "duty:0.95/0.55/60s"),
        made("vision", "pretrain-1", "train-b", whole, "duty:0.95/0.55/60s"),
        made("vision", "finetune-q8w2z", "train-c", (0, 1, 2, 3), "ramp:0.1/0.9/5/60s", finished_ms=end),
        made("vision", "debug-shell", "train-c", (4,), "idle"),
        made("vision", "augment-7dk2p", "batch-a", (0, 1, 2, 3), "0.7"),
        made("search", "chat-6f9-aaaaa", "serve-a", (0, 1, 2, 3), "burst:0.15/0.95/2m/45s", args=vllm),
        made("search", "chat-6f9-bbbbb", "serve-b", (0, 1, 2, 3), "burst:0.15/0.95/2m/45s", args=vllm),
        made("search", "embed-5c4-aaaaa", "serve-b", (4,), "idle", memory=Fraction(9, 10)),
        made("search", "embed-5c4-bbbbb", "serve-b", (5,), "idle", memory=Fraction(9, 10)),
        made("search", "rerank-774-aaaaa", "lab-a", (0, 1), "0.4"),
        made("research", "notebook-0", "onprem-a", (0,), "burst:0/0.8/5m/30s"),
        made("research", "notebook-1", "onprem-a", (1,), "idle"),
        made("research", "notebook-2", "onprem-a", (2,), "burst:0.02/0.6/5m/60s"),
        made("research", "eval-nightly-x5m2k", "onprem-a", (3, 4), "0.85", finished_ms=end, failed=True),
    )
