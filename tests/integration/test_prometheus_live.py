"""The adapter against a real Prometheus that scrapes an exporter each second, with and without `honor_labels`."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.source import PrometheusSource
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.cleaning import read_telemetry
from aicost.domain.sampling.series import PPB, RawSeries, Signal, Telemetry
from aicost.ports.errors import AicostError
from devcluster.golang import gobuild
from support.http_server import Request, serving
from support.samples import context

pytestmark = pytest.mark.cluster

PREFIX = "/metrics-store"
EXPORTER = ("gpu-operator", "nvidia-dcgm-exporter-x7k2p")
BUSY = 'gpu="0",UUID="GPU-busy",Hostname="node-a",container="main",namespace="ml",pod="train-0"'
IDLE = 'gpu="1",UUID="GPU-idle",Hostname="node-a"'
METRICS = f"""\
# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).
# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{{{BUSY}}} 61
DCGM_FI_DEV_GPU_UTIL{{{IDLE}}} 0
# HELP DCGM_FI_PROF_GR_ENGINE_ACTIVE Ratio of time the graphics engine is active (in %).
# TYPE DCGM_FI_PROF_GR_ENGINE_ACTIVE gauge
DCGM_FI_PROF_GR_ENGINE_ACTIVE{{{BUSY}}} 0.714
DCGM_FI_PROF_GR_ENGINE_ACTIVE{{{IDLE}}} NaN
"""


@dataclass(frozen=True)
class Store:
    """A Prometheus with some seconds of samples, and the span that they lie in."""

    url: str
    span: Window

    def source(self, job: str) -> PrometheusSource:
        config = PrometheusConfig(self.url, interval_ms=1_000, timeout_s=5.0, matchers={"job": job})
        return PrometheusSource(config)

    def raw(self, job: str, span: Window | None = None) -> tuple[RawSeries, ...]:
        source = self.source(job)
        try:
            return source.samples(span or self.span)
        finally:
            source.close()

    def telemetry(self, job: str) -> Telemetry:
        where = context(["node-a", "node-b"], interval=1_000)
        return read_telemetry(self.raw(job), where, self.span.end_ms)


@pytest.fixture(scope="module")
def program() -> str:
    found = shutil.which("prometheus") or gobuild.cached(gobuild.PROMETHEUS)
    if found is None:
        pytest.skip("no Prometheus here: `python -m devcluster build` makes one")
    return str(found)


def _job(name: str, address: str, *, honor: bool) -> dict[str, object]:
    labels = {"namespace": EXPORTER[0], "pod": EXPORTER[1], "container": "exporter"}
    return {
        "job_name": name,
        "honor_labels": honor,
        "static_configs": [{"targets": [address], "labels": labels}],
    }


@pytest.fixture(scope="module")
def store(program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Two jobs scrape one exporter: `renamed` keeps the target's labels, `honored` the exporter's."""
    folder = tmp_path_factory.mktemp("prometheus")
    with serving(_expose) as exporter, socket.socket() as probe:
        address = exporter.url.removeprefix("http://")
        jobs = [_job("renamed", address, honor=False), _job("honored", address, honor=True)]
        config = folder / "prometheus.yml"
        config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}))
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
        probe.close()
        with _running(program, config, folder, listen) as process:
            yield _filled(f"http://{listen}{PREFIX}")
            process.terminate()


def _expose(request: Request) -> None:
    request.answer(METRICS, Content_Type="text/plain; version=0.0.4")


def _running(program: str, config: Path, folder: Path, listen: str) -> subprocess.Popen[bytes]:
    arguments = [
        program, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={listen}", f"--web.route-prefix={PREFIX}", "--query.max-samples=24",
    ]  # fmt: skip
    return subprocess.Popen(arguments, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _filled(url: str) -> Store:
    """Wait for at least seven scrapes of both jobs."""
    now = time.time_ns() // 1_000_000
    span = Window(now - 60_000, now + 60_000)
    seen: object = None
    for _ in range(150):
        try:
            found = [Store(url, span).raw(job) for job in ("renamed", "honored")]
            seen = [[len(one.at_ms) for one in series] for series in found]
            if all(series and min(len(one.at_ms) for one in series) >= 7 for series in found):
                return Store(url, span)
        except AicostError as error:
            seen = error
        time.sleep(0.1)
    raise AssertionError(f"Prometheus did not scrape for 15 s: {seen}")


def test_raw_samples_are_fetched_in_halves_where_the_server_refuses_the_whole(store):
    source = store.source("renamed")
    whole = source.samples(store.span)
    source.close()
    assert sum(len(one.at_ms) for one in whole) > 24
    for one in whole:
        steps = [b - a for a, b in zip(one.at_ms.tolist(), one.at_ms.tolist()[1:], strict=False)]
        assert min(steps) > 500, "each sample once"


def test_parts_of_a_span_hold_each_sample_of_the_whole_once(store):
    whole = store.raw("renamed")
    times = sorted(at for one in whole for at in one.at_ms.tolist())
    edge = times[len(times) // 2]
    before = store.raw("renamed", Window(store.span.start_ms, edge))
    after = store.raw("renamed", Window(edge, edge + 3_000))
    assert max(at for one in before for at in one.at_ms.tolist()) < edge
    assert min(at for one in after for at in one.at_ms.tolist()) == edge


@pytest.mark.parametrize("job", ["renamed", "honored"])
def test_the_holder_is_the_workload_and_an_idle_device_is_nobodys(store, job):
    telemetry = store.telemetry(job)
    holders = {one.device: one.holder for one in telemetry.series}
    assert holders == {"GPU-busy": ("ml", "train-0"), "GPU-idle": None}
    assert {one.node for one in telemetry.series} == {"node-a"}


@pytest.mark.parametrize("job", ["renamed", "honored"])
def test_the_scraped_pod_is_told_even_where_the_labels_of_the_series_hide_it(store, job):
    assert {one.target_pod for one in store.raw(job)} == {EXPORTER}


def test_help_texts_and_units_survive_the_way(store):
    telemetry = store.telemetry("honored")
    values = {one.signal: set(one.value.tolist()) for one in telemetry.series if one.device == "GPU-busy"}
    assert values == {Signal.GPU_UTIL: {61 * PPB // 100}, Signal.ENGINE_ACTIVE: {714_000_000}}
    assert telemetry.defects.not_finite >= 7
    (util, *_) = [one for one in store.raw("honored") if one.name == "DCGM_FI_DEV_GPU_UTIL"]
    assert util.help == "GPU utilization (in %)."


def test_the_probe_finds_the_dialect_or_nothing(store):
    found = store.source("renamed").probe()
    assert found.dialect.releases == "<= 4.8.2"
    assert found.series == {"DCGM_FI_DEV_GPU_UTIL": 2, "DCGM_FI_PROF_GR_ENGINE_ACTIVE": 2}
    assert store.source("no such job").probe() is None


def test_a_matcher_cannot_change_the_query(store):
    assert store.raw('renamed"} or {job="honored') == ()
