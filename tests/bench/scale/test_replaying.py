"""A day of a cluster is replayed from a bundle: how long that takes."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.ledger.rows import Component
from aicost.entrypoints.cli.main import main
from support.benchmark import sizes
from support.big_cluster import GPUS_PER_NODE
from support.builders import T0, make_node, make_pod
from support.bundles import event, head, write

SCRAPE_MS = 30_000
TEXT = "cutting lines of text: a third; then stating, keeping and posting each hour"
SIGNALS = {
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": 1.0,
    "DCGM_FI_DEV_GPU_UTIL": 100.0,
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": 0.0,
}
BOOK = {
    "apiVersion": "aicost.dev/v1alpha1",
    "kind": "PriceBook",
    "metadata": {"name": "book"},
    "spec": {"currency": "USD", "entries": [{"name": "all", "match": {"gpuModel": "h100-80gb"}, "perGpuHour": "4"}]},
}


def events(nodes: int, hours: int) -> Iterator[dict]:
    """A pod on each GPU, and another one after it for each six hours."""
    yield event(T0, BOOK)
    for host in range(nodes):
        yield event(T0, make_node(f"node-{host}").gpus(GPUS_PER_NODE).created(T0 - HOUR_MS).manifest())
    for start in range(0, hours, 6):
        at_ms = T0 + start * HOUR_MS
        for gpu in range(nodes * GPUS_PER_NODE):
            pod = make_pod(f"team-{gpu % 20}", f"job-{start}-{gpu}").gpus(1).on(f"node-{gpu // GPUS_PER_NODE}")
            pod = pod.created(at_ms).bound(at_ms).running()
            yield event(at_ms, pod.manifest())
            end_ms = at_ms + 6 * HOUR_MS - MINUTE_MS
            yield event(end_ms, pod.succeeded(end_ms).manifest(), "MODIFIED")


def samples(nodes: int, hours: int) -> dict[str, str]:
    """A file for each node, as a recorder writes them."""
    chance = np.random.default_rng(1)
    times = range(T0, T0 + hours * HOUR_MS + 10 * MINUTE_MS, SCRAPE_MS)
    files = {}
    for host in range(nodes):
        lines = []
        for index in range(GPUS_PER_NODE):
            for name, scale in SIGNALS.items():
                values = (
                    np.round(chance.random(len(times)) * scale, 6).tolist() if scale else range(10**6, 10**9, 10**5)
                )
                key = f'{name}{{UUID="GPU-{host}-{index}",gpu="{index}",Hostname="node-{host}",job="dcgm"}}'
                lines += [f"{key} {value} {at_ms // 1_000}" for at_ms, value in zip(times, values, strict=False)]
        files[f"node-{host}.om"] = "\n".join(lines) + "\n# EOF\n"
    return files


def made(folder: Path, nodes: int, hours: int) -> tuple[Path, int]:
    """The bundle, and how many samples it holds."""
    files = samples(nodes, hours)
    given = sum(text.count("\n") - 1 for text in files.values())
    told = head(T0, T0 + hours * HOUR_MS, SCRAPE_MS)
    ordered = sorted(events(nodes, hours), key=lambda one: one["at"])
    return write(folder / "bundle", told, ordered, files), given


def test_a_day_is_replayed_from_a_bundle(show, tmp_path):
    (nodes,), (hours,) = sizes((2,), (63,)), sizes((6,), (24,))
    bundle, given = made(tmp_path, nodes, hours)
    ledger = str(tmp_path / "ledger")
    wall, processor = time.perf_counter(), time.process_time()
    assert main(["replay", str(bundle), "--ledger", ledger]) == 0
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    rows = DeltaLedger(ledger).rows(Window(T0, T0 + hours * HOUR_MS), cluster="c1")
    gpus = nodes * GPUS_PER_NODE
    assert sum(row.gpu_milliseconds for row in rows if row.component is Component.GPU) == gpus * hours * HOUR_MS
    size = f"{gpus} GPUs, {hours} h"
    show("replayed from a bundle", size, f"{wall:.1f} s, {processor:.1f} s of ours", "below 60 s, shown", bounds=TEXT)
    show("  per sample", f"{given:,} samples", f"{1e6 * processor / given:.1f} us of ours")
