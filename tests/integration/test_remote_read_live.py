"""Remote reads of a real Prometheus give what its API gives, with gaps, stale markers, late samples and odd values."""

import math
import random
from collections.abc import Iterator

import pytest

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.remote.reading import RemoteRead
from aicost.adapters.prometheus.source import PrometheusSource
from aicost.domain.exact.windows import HOUR_MS, Window
from devcluster.prometheus_server import Prometheus
from fleet.series import Sample
from support.history.remote_write import STALE, push
from support.history.stage import CONFIGURATION, FLAGS, program

pytestmark = pytest.mark.cluster

T0 = 1_700_000_000_000
SPAN = Window(T0 + 100_000, T0 + HOUR_MS)
NAMES = ("DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")
ODD = (STALE, math.nan, math.inf, -math.inf, 0.0, -1.0, 1e300)


def samples(chance: random.Random) -> Iterator[Sample]:
    """Series of forty GPUs: scrapes that come a little early or late, some lost, some values odd."""
    for gpu in range(40):
        labels = {
            "UUID": f"GPU-{gpu}",
            "Hostname": f"node-{gpu // 8}",
            "job": "dcgm",
            "instance": f"node-{gpu // 8}:9400",
        }
        for name in NAMES:
            value = chance.random()
            for at_ms in range(T0 - 60_000, T0 + HOUR_MS + 60_000, 15_000):
                if chance.random() < 0.03:
                    continue
                value = value if chance.random() < 0.5 else round(chance.random() * 100, chance.randint(0, 15))
                odd = chance.random() < 0.01
                yield Sample(name, labels, at_ms + chance.randint(-40, 40), chance.choice(ODD) if odd else value)


@pytest.fixture(
    scope="module", params=[{}, {"cluster": "a", "prometheus_replica": "prometheus-0"}], ids=["plain", "own"]
)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server, with labels of its own or without, that got a part of its samples late."""
    configuration = CONFIGURATION | {"global": {"external_labels": request.param}}
    with Prometheus(program(), tmp_path_factory.mktemp("prometheus"), configuration, *FLAGS) as server:
        every = list(samples(random.Random(5)))
        late = [one for number, one in enumerate(every) if number % 40 == 7]
        push(server.url, [one for number, one in enumerate(every) if number % 40 != 7])
        push(server.url, late)
        yield server.url


def read(source: PrometheusSource, span: Window) -> list[object]:
    found = source.samples(span)
    source.close()
    return sorted(
        (
            one.name,
            sorted(one.labels.items()),
            sorted(zip(one.at_ms.tolist(), map(repr, one.value.tolist()), strict=True)),
        )
        for one in found
    )


@pytest.mark.parametrize("span", [SPAN, Window(T0, T0 + 1), Window(T0 - HOUR_MS, T0 + 3 * HOUR_MS)], ids=str)
def test_both_ways_give_the_same(url, span):
    config = PrometheusConfig(url)
    assert read(PrometheusSource(config, remote=RemoteRead(config)), span) == read(PrometheusSource(config), span)


def test_the_server_is_read_by_its_chunks(url, monkeypatch):
    monkeypatch.setattr(PrometheusSource, "_by_api", None)  # the other way is closed
    config = PrometheusConfig(url)
    assert len(read(PrometheusSource(config, remote=RemoteRead(config)), SPAN)) == 40 * len(NAMES)
