"""Where telemetry comes from: what settings name, what the cluster shows, or nothing, with what was looked for."""

import asyncio
import json

import pytest

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.discovery import PrometheusCandidate
from aicost.adapters.kube.seen.decode import decode_pod
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.entrypoints.controller import sources
from aicost.entrypoints.controller.sources import ScrapeLoop, SourceFinder
from aicost.entrypoints.controller.state import SourceState
from aicost.entrypoints.controller.watching import Sighted
from aicost.ports.errors import SourceUnavailable
from support.builders import make_pod
from support.controller import make_world, settings_with
from support.http_server import serving

ROW = 'DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",Hostname="n1"} 61\n'
SERIES = {"metric": {"__name__": "DCGM_FI_DEV_GPU_UTIL"}, "value": [1, "3"]}
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def start(tmp_path):
    """A finder over some settings, in a cluster that shows nothing yet."""
    worlds = []

    def begin(**telemetry):
        world = make_world(tmp_path, settings_with(telemetry=telemetry))
        world.state.source = SourceState()
        worlds.append(world)
        return world, SourceFinder(world.app, Sighted(), world.state, world.attempts)

    yield begin
    for world in worlds:
        world.app.stores.close()


def prometheus(*series):
    """A server of that many kinds of GPU series; it can be told to fail."""

    def respond(request):
        if respond.broken:
            request.answer("busy", 503)
        else:
            request.answer_json({"status": "success", "data": {"resultType": "vector", "result": list(series)}})

    respond.broken = False
    return respond


def show(monkeypatch, *urls):
    found = tuple(PrometheusCandidate(url, f"Prometheus, Service monitoring/p{i}") for i, url in enumerate(urls))
    monkeypatch.setattr(sources, "prometheus_candidates", lambda _: found)


def exporter(ip="127.0.0.1", port=9400, namespace="gpu-operator", name="dcgm-1"):
    pod = make_pod(namespace, name).on("n1").runs("nvcr.example/dcgm-exporter:4").listens(ip).running()
    return decode_pod(json.dumps(pod.annotation("prometheus.io/port", str(port)).manifest()).encode())


async def test_the_prometheus_of_the_settings_is_used(start):
    with serving(prometheus(SERIES)) as served:
        world, finder = start(prometheus={"url": served.url})
        await finder.look()
    assert world.state.source == SourceState("prometheus", f"the Prometheus of the settings at {served.url}")
    assert world.app.source.value is not None


async def test_the_prometheus_of_the_settings_is_used_while_it_has_no_series_and_says_so(start):
    with serving(prometheus()) as served:
        world, finder = start(prometheus={"url": served.url})
        await finder.look()
    assert world.state.source.name == "prometheus"
    assert world.state.source.problem == "it answers and has no series of GPUs"


async def test_the_prometheus_of_the_settings_that_does_not_answer_is_told_and_not_replaced(start, monkeypatch):
    with serving(prometheus(SERIES)) as other:
        show(monkeypatch, other.url)
        world, finder = start(prometheus={"url": NOWHERE})
        await finder.look()
    assert (world.state.source.name, world.state.source.origin) == (
        "prometheus", f"the Prometheus of the settings at {NOWHERE}",
    )  # fmt: skip
    assert world.state.source.problem


async def test_the_first_prometheus_that_has_series_of_gpus_is_found(start, monkeypatch):
    with serving(prometheus()) as empty, serving(prometheus(SERIES)) as full:
        show(monkeypatch, NOWHERE, empty.url, full.url)
        world, finder = start()
        await finder.look()
    assert world.state.source == SourceState("prometheus", f"Prometheus, Service monitoring/p2 at {full.url}")


async def test_exporters_are_scraped_where_no_prometheus_has_their_series(start, monkeypatch):
    with serving(prometheus()) as empty:
        show(monkeypatch, empty.url)
        world, finder = start()
        finder._sighted.pods["a"] = exporter()
        await finder.look()
    assert world.state.source.name == "scrape"
    assert world.state.source.origin.startswith("direct scrapes of 1 dcgm-exporter pods (tried before: Prometheus")
    assert world.app.source.value is world.app.stores.samples


async def test_settings_may_want_scrapes_alone(start, monkeypatch):
    with serving(prometheus(SERIES)) as full:
        show(monkeypatch, full.url)
        world, finder = start(source="scrape")
        finder._sighted.pods["a"] = exporter()
        await finder.look()
        assert full.requests == []
    assert world.state.source.name == "scrape"


async def test_settings_may_want_a_prometheus_alone(start):
    world, finder = start(source="prometheus")
    finder._sighted.pods["a"] = exporter()
    await finder.look()
    assert world.state.source.name == ""


async def test_settings_may_name_the_namespaces_of_exporters(start):
    _, finder = start(scrape={"namespaces": ["gpu-operator"]})
    finder._sighted.pods |= {"a": exporter(), "b": exporter(namespace="rogue", name="dcgm-exporter")}
    assert [target.namespace for target in finder.targets()] == ["gpu-operator"]


async def test_nothing_found_says_exactly_what_was_looked_for_and_how_to_point_there(start, monkeypatch):
    with serving(prometheus()) as empty:
        show(monkeypatch, NOWHERE, empty.url)
        world, finder = start()
        await finder.look()
    told = world.state.source.looked_for
    assert world.state.source.name == ""
    for words in (
        "Services in all namespaces", "app.kubernetes.io/name", "Thanos", "VictoriaMetrics",
        "Running pods of dcgm-exporter", "9400", f"Service monitoring/p0 at {NOWHERE}",
        f"Service monitoring/p1 at {empty.url}: it answers and has no series of GPUs",
        "telemetry.prometheus.url", "--set telemetry.prometheus.url=http://",
    ):  # fmt: skip
        assert words in told
    with pytest.raises(SourceUnavailable):
        world.app.source.samples(Window(0, MINUTE_MS))


async def test_a_prometheus_that_answers_is_not_searched_for_again(start):
    with serving(prometheus(SERIES)) as served:
        _, finder = start(prometheus={"url": served.url})
        await finder.look()
        asked = len(served.requests)
        await finder.look()
        assert len(served.requests) == asked


async def test_a_prometheus_that_was_found_is_kept_while_it_fails_and_left_when_its_service_goes(start, monkeypatch):
    respond = prometheus(SERIES)
    with serving(respond) as served:
        show(monkeypatch, served.url)
        world, finder = start()
        finder._sighted.pods["a"] = exporter()
        await finder.look()
        respond.broken = True
        world.state.source = SourceState("prometheus", world.state.source.origin, problem="503")
        await finder.look()
        assert world.state.source.name == "prometheus", "windows wait for the samples that it has"
        assert "503" in world.state.source.problem
        show(monkeypatch)
        await finder.look()
        assert world.state.source.name == "scrape"


async def test_asking_again_and_again_opens_no_new_client(start):
    world, finder = start(prometheus={"url": NOWHERE})
    await finder.look()
    with serving(prometheus(SERIES)) as served:
        world, finder = start(prometheus={"url": served.url})
        await finder.look()
        first = world.app.source.value
        world.state.source = SourceState("prometheus", "", problem="x")
        await finder.look()
        assert world.app.source.value is first


async def test_what_exporters_answer_is_kept_and_what_fails_is_told_once(start, caplog):
    with serving(lambda request: request.answer(ROW)) as served:
        world, finder = start(scrape={"timeoutSeconds": 1})
        port = int(served.url.rpartition(":")[2])
        finder._sighted.pods |= {"a": exporter(port=port), "b": exporter(port=1, name="dcgm-2")}
        heard = []
        loop = ScrapeLoop(world.app, finder, world.state, world.attempts, heard=heard.append)
        for _ in range(3):
            await loop.scrape()
    assert [record.getMessage() for record in caplog.records] == ["exporter failed"]
    assert [(scrape.target.pod[1], bool(scrape.error)) for scrape in heard[-1]] == [("dcgm-1", False), ("dcgm-2", True)]
    at_ms = now_ms()
    found = world.app.stores.samples.samples(Window(at_ms - MINUTE_MS, at_ms + 1))
    assert [list(series.value) for series in found] == [[61.0] * 3]
    text = world.metrics.exposition().decode()
    assert 'aicost_telemetry_targets{outcome="answered"} 1.0' in text
    assert 'aicost_telemetry_targets{outcome="failed"} 1.0' in text


async def test_the_search_is_known_to_be_done_even_where_it_fails(start, monkeypatch):
    monkeypatch.setattr(sources, "prometheus_candidates", lambda _: 1 / 0)
    world, finder = start()
    task = asyncio.create_task(finder.run())
    async with asyncio.timeout(5):
        await finder.looked.wait()
    task.cancel()
    assert "ZeroDivisionError" in world.state.problems["find-telemetry"]
