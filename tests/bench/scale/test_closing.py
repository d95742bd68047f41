"""An hour of a large cluster is closed over a real Prometheus: how long that takes, and where the time goes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.inputs.store import DeltaInputs
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.remote.reading import RemoteRead
from aicost.adapters.prometheus.source import PrometheusSource
from aicost.adapters.prometheus.usage import PrometheusUsage
from aicost.domain.exact.windows import HOUR_MS, Grid, Window
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.usecases import compute_window
from aicost.usecases.close_windows import CloseWindows, WindowClosed
from aicost.usecases.compute_window import ComputeWindow
from support.bench.filling import fill
from support.bench.hour import BOOKS, facts, gpu_series, kubelet_series
from support.benchmark import FULL, sizes
from support.big_cluster import WINDOW
from support.history.stage import prometheus

REPEATS = 3
NOW_MS = WINDOW.end_ms + HOUR_MS
STEPS = {
    "gpu samples": "frames in Python, bits in NumPy; Prometheus hands out chunks",
    "use of pods": "the query engine of Prometheus; asked beside the samples",
    "inputs kept": "packing columns, zstd, a Delta commit",
    "rows posted": "the seal of all rows, Arrow columns, a Delta commit",
}
"""Step -> what bounds it."""
CLOCKS = {"gpu samples": time.thread_time, "use of pods": time.thread_time}
"""Both are read at once, so each counts what its own thread took."""
COMPUTED = {
    "read_telemetry": "labels of each series, then a pass over columns of samples",
    "use_of_pods": "a name and a span for each pod",
    "state_window": "Python for each pod and device: who holds what, and for whom",
}
"""Function of the domain -> what bounds it. Something else may run beside them, so their own thread's time counts."""


@dataclass
class Stopwatch:
    """Seconds of the wall and of our own processor, by step."""

    wall: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)

    def timed(
        self, name: str, work: Callable[..., Any], clock: Callable[[], float] = time.process_time
    ) -> Callable[..., Any]:
        def timing(*given: Any, **named: Any) -> Any:
            wall, processor = time.perf_counter(), clock()
            found = work(*given, **named)
            self.wall[name] = time.perf_counter() - wall
            self.processor[name] = clock() - processor
            return found

        return timing


class Shown:
    """Some methods of an object under a stopwatch."""

    def __init__(self, behind: Any, watch: Stopwatch, **steps: str) -> None:
        self._behind = behind
        for method, step in steps.items():
            setattr(self, method, watch.timed(step, getattr(behind, method), CLOCKS.get(step, time.process_time)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)


@dataclass(frozen=True)
class Known:
    """What a cluster that does not change holds."""

    there: ClusterFacts

    def facts(self, _window: Window) -> ClusterFacts:
        return self.there

    def books(self) -> Sequence[Any]:
        return BOOKS

    def claims(self) -> Sequence[Any]:
        return ()

    policies = claims


def server_seconds(url: str) -> float:
    """Processor time of a Prometheus, as it tells of itself."""
    told = urllib3.request("GET", f"{url}/metrics").data.decode()
    return next(float(line.split()[1]) for line in told.splitlines() if line.startswith("process_cpu_seconds_total "))


def close(url: str, known: Known, folder: Path) -> tuple[WindowClosed, Stopwatch]:
    """The use case with all that is real but the API server."""
    watch, config = Stopwatch(), PrometheusConfig(url, timeout_s=120.0)
    source, usage = PrometheusSource(config, remote=RemoteRead(config)), PrometheusUsage(config)
    ledger = DeltaLedger(str(folder))
    compute = ComputeWindow(
        "c1",
        known,
        Shown(source, watch, samples="gpu samples"),
        known,
        known,
        known,
        usage=Shown(usage, watch, observed="use of pods"),
    )
    inputs = Shown(DeltaInputs(ledger.place, "bench"), watch, keep="inputs kept")
    writer = Shown(ledger, watch, post="rows posted")
    closing = CloseWindows("c1", compute, writer, ledger, Grid(), 0, WINDOW.start_ms, inputs)
    with pytest.MonkeyPatch.context() as patched:
        for name in COMPUTED:
            patched.setattr(compute_window, name, watch.timed(name, getattr(compute_window, name), time.thread_time))
        before = server_seconds(url)
        done = watch.timed("all", closing.close)(WINDOW, NOW_MS, may_be_blind=False)
        watch.processor["server"] = server_seconds(url) - before
    source.close()
    usage.close()
    return done, watch


def test_an_hour_is_closed_over_prometheus(show, tmp_path):
    (gpus,) = sizes((80,), (10_000,))
    known = Known(facts(gpus))
    pods = len(known.there.pods)
    with prometheus(tmp_path / "prometheus") as url:
        given = fill(url, gpu_series(gpus))
        fill(url, kubelet_series(known.there))
        runs = [close(url, known, tmp_path / f"ledger-{number}") for number in range(REPEATS if FULL else 1)]
    for done, _ in runs:
        assert done.posted
        assert done.computed.samples == given
        assert done.computed.use_missing == ""
        assert done.computed.statement.unbalanced_nanos == 0
        assert done.computed.statement.measured_milliseconds > 0.9 * gpus * WINDOW.length_ms
    watch = min((watch for _, watch in runs), key=lambda one: one.wall["all"])
    size = f"{gpus:,} GPUs, {pods:,} pods"
    whole = f"{watch.wall['all']:.1f} s, {watch.processor['all']:.1f} s of ours"
    show("an hour closed over Prometheus", size, whole, "below 10 s, shown")
    show("  the processor of Prometheus", f"{given:,} samples", f"{watch.processor['server']:.1f} s")
    for step, bounds in STEPS.items():
        told = f"{watch.wall[step]:.1f} s, {watch.processor[step]:.1f} s of ours"
        show(f"  of it: {step}", f"{given:,} samples", told, bounds=bounds)
    wall, processor = (sum(of[name] for name in COMPUTED) for of in (watch.wall, watch.processor))
    show("  of it: computed, in `domain`", size, f"{wall:.1f} s, {processor:.1f} s of ours", "below 1 s, shown")
    for name, bounds in COMPUTED.items():
        told = f"{watch.wall[name]:.1f} s, {watch.processor[name]:.1f} s of ours"
        show(f"    of it: {name}", size, told, bounds=bounds)
