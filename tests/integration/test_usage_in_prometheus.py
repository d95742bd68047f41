"""Series of the kubelet that a script wrote, through a real Prometheus: what pods used is what the script says."""

import pytest

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.usage import PrometheusUsage
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Grid, Window
from fleet.series import Sample
from support.history.remote_write import push, with_stale_markers
from support.history.stage import prometheus

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

SCRAPE_MS = 30_000
HOUR = Grid(HOUR_MS).containing(1_795_600_800_000)
UID = "0f3b9c1e-8a52-4c55-9f0e-0a1b2c3d4e5f"
GIB = 2**30
CPU, MEMORY = "container_cpu_usage_seconds_total", "container_memory_working_set_bytes"


def labels(pod: str, container: str = "main", cgroup: str = "a", **more: str) -> dict[str, str]:
    where = {"namespace": "ml", "pod": pod, "container": container, "job": "kubelet", "instance": "n1"}
    return {**where, "id": f"/kubepods/pod{UID}/{cgroup}", "image": "x", **more}


def counter(of: dict[str, str], span: Window, cores: float, since: float = 0.0):
    """A counter that grows by so many cores from a start on."""
    for at_ms in range(span.start_ms, span.end_ms, SCRAPE_MS):
        yield Sample(CPU, of, at_ms, since + cores * (at_ms - span.start_ms) / 1_000)


def gauge(of: dict[str, str], span: Window, gib: float):
    for at_ms in range(span.start_ms, span.end_ms, SCRAPE_MS):
        yield Sample(MEMORY, of, at_ms, gib * GIB)


def minutes(start: float, end: float) -> Window:
    return Window(HOUR.start_ms + round(start * MINUTE_MS), HOUR.start_ms + round(end * MINUTE_MS))


def script():
    long = minutes(-30, 70)
    yield from counter(labels("steady"), long, 2.0, since=5_000)
    yield from gauge(labels("steady"), long, 3.0)
    yield from counter(labels("steady", "side", "b"), long, 0.5)
    yield from counter(labels("steady", "POD", "c"), long, 9.0)
    yield from counter(labels("steady", "", "d"), long, 2.5)  # the pod's own row, which says the same once more
    yield from counter(labels("restarted"), minutes(-30, 20), 1.0, since=900)
    yield from counter(labels("restarted", cgroup="e"), minutes(20.5, 70), 1.0)
    yield from counter(labels("born", cgroup="f"), minutes(32, 70), 1.0)
    yield from counter(labels("gone", cgroup="g"), minutes(-30, 13), 1.0)
    twice = labels("steady") | {"job": "cadvisor"}
    yield from counter(twice, long, 2.0, since=5_000)  # two jobs scrape the same kubelet


@pytest.fixture(scope="module")
def usage(tmp_path_factory):
    with prometheus(tmp_path_factory.mktemp("prometheus")) as url:
        push(url, with_stale_markers(script(), SCRAPE_MS))
        made = PrometheusUsage(PrometheusConfig(url))
        yield made
        made.close()


@pytest.fixture(scope="module")
def found(usage):
    return {one.pod[1]: one for one in usage.observed(HOUR).pods}


def core_minutes(one) -> float:
    """Core-minutes in the hour."""
    lengths = [
        max(0, min(end, HOUR.end_ms) - max(start, HOUR.start_ms))
        for start, end in zip(one.cpu.start_ms.tolist(), one.cpu.end_ms.tolist(), strict=True)
    ]
    return sum(level * length for level, length in zip(one.cpu.level.tolist(), lengths, strict=True)) / 6e10


def test_a_steady_pod_uses_what_its_containers_use_and_no_job_counts_twice(found):
    assert core_minutes(found["steady"]) == pytest.approx(150, abs=0.01)
    assert set(found["steady"].cpu.level.tolist()) == {2_500_000}
    assert set(found["steady"].memory.level.tolist()) == {3 * 2**20}
    assert found["steady"].uid == UID


def test_a_restart_loses_no_second(found):
    assert core_minutes(found["restarted"]) == pytest.approx(59.5, abs=0.51)  # to the last scrape before it


def test_a_pod_that_begins_counts_from_nothing_and_one_that_ends_to_its_last_scrape(found):
    assert core_minutes(found["born"]) == pytest.approx(28, abs=0.51)
    assert core_minutes(found["gone"]) == pytest.approx(13, abs=0.51)
    assert found["born"].cpu.start_ms[0] == minutes(30, 30).start_ms


def test_neighbouring_spans_count_each_second_once(usage, found):
    halves = [minutes(0, 30), minutes(30, 60)]
    parts = [{one.pod[1]: one for one in usage.observed(half).pods} for half in halves]
    for pod, whole in found.items():
        assert sum(core_minutes(part[pod]) for part in parts if pod in part) == pytest.approx(core_minutes(whole))


def test_the_open_window_ends_now(usage):
    (steady,) = (one for one in usage.observed(minutes(0, 17)).pods if one.pod[1] == "steady")
    assert steady.cpu.end_ms[-1] == minutes(17, 17).start_ms
    assert steady.cpu.level.tolist()[-1] == pytest.approx(2_500_000, rel=0.3)  # to within a scrape
