"""Counters that a script drives, through a real Prometheus: what is counted is what the script did."""

import time
from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from aicost.adapters.prometheus.activity import PrometheusActivity
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.units import PrometheusUnits
from aicost.domain.budgets.units.counts import CountMethod, UnitCount
from aicost.domain.enforcement.victims.idleness import HostActivity
from aicost.domain.exact.windows import HOUR_MS, SECOND_MS, Window
from aicost.ports.measured.units import Counter, CounterQuery
from devcluster.prometheus_server import Prometheus
from support.http_server import Request, serving

pytestmark = pytest.mark.cluster

METRIC = "answers_total"
TARGETS = {"chat-0": "ml", "chat-1": "ml", "secret-0": "victim", "liar-0": "evil", "proxy-0": "gateway"}
KUBELET = "kubelet"
CHAT = CounterQuery("ml", "chat", Counter(METRIC), Counter(METRIC, {"outcome": "ok"}))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Pods:
    """What the pods of the script expose, and how often each was scraped."""

    exposed: dict[str, str] = field(default_factory=dict)
    scraped: Tally[str] = field(default_factory=Tally)
    moved: int = 0

    def respond(self, request: Request) -> None:
        pod = request.path.strip("/")
        if pod not in self.exposed:
            request.answer("not started", 503)
            return
        self.moved += 1
        text = self.exposed[pod].replace("MOVING", str(self.moved * 50_000_000))
        request.answer(text, Content_Type="text/plain; version=0.0.4")
        self.scraped[pod] += 1

    def expose(self, pod: str, *samples: tuple[str, float], metric: str = METRIC) -> None:
        lines = [f"{metric}{{{labels}}} {value}" for labels, value in samples]
        self.exposed[pod] = "\n".join([f"# TYPE {metric} counter", *lines, ""])

    def wait(self, *pods: str) -> None:
        """Until each was scraped with what it exposes now: the next scrape begins when the one before is stored."""
        wanted = {pod: self.scraped[pod] + 3 for pod in pods or self.exposed}
        for _ in range(400):
            if all(self.scraped[pod] >= count for pod, count in wanted.items()):
                return
            time.sleep(0.05)
        raise AssertionError(f"Prometheus did not scrape {wanted} for 20 s: {dict(self.scraped)}")


@dataclass(frozen=True)
class Played:
    """The server after the script, and the moments between its scenes."""

    url: str
    start_ms: int
    middle_ms: int
    end_ms: int

    @property
    def span(self) -> Window:
        return Window(self.start_ms, self.end_ms)

    def count(self, asked: CounterQuery, span: Window | None = None, *speakers: str) -> UnitCount:
        units = PrometheusUnits(PrometheusConfig(self.url, timeout_s=10.0), frozenset(speakers))
        try:
            return units.count([asked], span or self.span)[asked.key]
        finally:
            units.close()


def _job(pod: str, namespace: str, address: str) -> dict[str, object]:
    labels = {"namespace": namespace, "pod": pod}
    return {"job_name": pod, "metrics_path": f"/{pod}", "static_configs": [{"targets": [address], "labels": labels}]}


def _kubelet(address: str) -> dict[str, object]:
    config = [{"targets": [address], "labels": {"namespace": "kube-system"}}]
    return {"job_name": KUBELET, "metrics_path": f"/{KUBELET}", "honor_labels": True, "static_configs": config}


def _play(pods: Pods) -> tuple[int, int, int]:
    """A pod grows, restarts and grows; a second one comes; three others count for themselves and for us."""
    pods.expose("chat-0", ('outcome="ok"', 1_000), ('outcome="failed"', 50))
    pods.expose("secret-0", ('outcome="ok"', 5_000))
    pods.expose("liar-0", ('outcome="ok",namespace="ml"', 100), ('outcome="ok"', 1))
    pods.expose("proxy-0", ('namespace="ml"', 10), ('namespace="victim"', 1_000), metric="requests_total")
    pods.wait()
    start = now_ms()
    pods.expose("chat-0", ('outcome="ok"', 1_007), ('outcome="failed"', 53))
    pods.expose("secret-0", ('outcome="ok"', 9_000))
    pods.expose("liar-0", ('outcome="ok",namespace="ml"', 700), ('outcome="ok"', 9))
    pods.expose("proxy-0", ('namespace="ml"', 16), ('namespace="victim"', 2_000), metric="requests_total")
    pods.wait()
    middle = now_ms()
    pods.expose("chat-0", ('outcome="ok"', 4))
    pods.expose("chat-1", ('outcome="ok"', 20))
    pods.wait()
    pods.expose("chat-0", ('outcome="ok"', 9), ('outcome="failed"', 2))
    pods.expose("chat-1", ('outcome="ok"', 25))
    pods.wait()
    return start, middle, now_ms()


UNITS, SUCCESSES = (7 + 3) + 4 + (5 + 2) + (20 + 5), 7 + 4 + 5 + (20 + 5)
"""What the script did in the namespace ml."""


@pytest.fixture(scope="module")
def pods() -> Pods:
    return Pods({KUBELET: _host_series()})


@pytest.fixture(scope="module")
def played(prometheus_program, pods, tmp_path_factory) -> Iterator[Played]:
    with serving(pods.respond) as served:
        address = served.url.removeprefix("http://")
        jobs = [_job(pod, namespace, address) for pod, namespace in TARGETS.items()] + [_kubelet(address)]
        configuration = {"global": {"scrape_interval": "400ms", "scrape_timeout": "400ms"}, "scrape_configs": jobs}
        with Prometheus(prometheus_program, tmp_path_factory.mktemp("prometheus"), configuration) as server:
            yield Played(server.url, *_play(pods))


def test_the_increase_is_what_the_script_did(played):
    assert played.count(CHAT) == UnitCount(UNITS, SUCCESSES, 3 + 2, CountMethod.INCREASE)


def test_parts_of_a_span_add_up_to_the_whole(played):
    first = played.count(CHAT, Window(played.start_ms, played.middle_ms))
    second = played.count(CHAT, Window(played.middle_ms, played.end_ms))
    assert (first.units, first.successes) == (7 + 3, 7)
    assert (second.units, second.successes) == (UNITS - 10, SUCCESSES - 7)


def test_from_before_the_server_ran_only_what_grew_is_counted(played):
    """The 1,050 that had been counted earlier are nobody's, and neither are the 20 that a late pod may have brought."""
    found = played.count(CHAT, Window(played.start_ms - HOUR_MS, played.end_ms))
    assert (found.units, found.method) == (UNITS - 20, CountMethod.AT_LEAST)


def test_the_labels_of_a_counter_narrow_it(played):
    failed = CounterQuery("ml", "chat", Counter(METRIC, {"outcome": "failed"}))
    assert played.count(failed) == UnitCount(3 + 2, None, 1, CountMethod.INCREASE)


def test_each_namespace_has_its_own(played):
    assert played.count(CounterQuery("victim", "chat", Counter(METRIC))).units == 4_000
    assert played.count(CounterQuery("evil", "chat", Counter(METRIC))).units == 8
    assert played.count(CounterQuery("nobody", "chat", Counter(METRIC))).units is None


def test_a_gateway_counts_for_others_only_where_it_is_a_speaker(played):
    asked = CounterQuery("ml", "chat", Counter("requests_total"))
    assert played.count(asked).units is None
    assert played.count(asked, None, "gateway") == UnitCount(6, None, 1, CountMethod.INCREASE)


HOSTILE = [
    '"} or {namespace="victim',
    'ok"} or {__name__="answers_total",namespace="victim"} or {a="',
    ".*",
    ".+|ok",
    "ok\\",
    '\\"',
    "o\nk",
    "o\rk",
    "\x00\x01\x7f",
    "`",
    "'",
    "# ok",
    "{{}}",
    "é漢\u2028",
    "\ud800",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("place", ["metric", "value", "namespace"])
def test_hostile_names_and_values_find_nothing_and_break_nothing(played, place, text):
    counter = Counter(text if place == "metric" else METRIC, {"outcome": text if place == "value" else "ok"})
    found = played.count(CounterQuery(text if place == "namespace" else "ml", "chat", counter))
    assert (found.units, found.series) == (None, 0)


@pytest.mark.parametrize(
    "labels",
    [{"namespace": "victim"}, {"exported_namespace": "victim"}, {"__name__": "requests_total"}, {'a="b"} or {c': "d"}],
    ids=str,
)
def test_hostile_labels_find_nothing_and_break_nothing(played, labels):
    assert played.count(CounterQuery("ml", "chat", Counter(METRIC, labels))).units is None


CPU = "container_cpu_usage_seconds_total"
READ, WRITTEN = "container_fs_reads_bytes_total", "container_fs_writes_bytes_total"
RECEIVED, SENT = "container_network_receive_bytes_total", "container_network_transmit_bytes_total"


def _host_series() -> str:
    """A pod that rests, one that loads data, and one that the kubelet tells the processor time of alone."""
    lines = []
    for pod, value in (("rests-0", "5"), ("loads-0", "MOVING")):
        main, whole = (f'namespace="ml",pod="{pod}",container="{name}"' for name in ("main", ""))
        lines += [f"{CPU}{{{main}}} 7", f"{CPU}{{{whole}}} 7"]
        lines += [f"{metric}{{{main}}} 5" for metric in (READ, WRITTEN)]
        lines += [f"{metric}{{{whole}}} {value}" for metric in (RECEIVED, SENT)]
    lines.append(f'{CPU}{{namespace="ml",pod="thin-0",container="main"}} 1')
    return "\n".join([*lines, ""])


def _activity(played: Played, span: Window) -> Mapping[tuple[str, str], HostActivity]:
    asked = [("ml", "rests-0"), ("ml", "loads-0"), ("ml", "thin-0"), ("victim", "rests-0")]
    source = PrometheusActivity(PrometheusConfig(played.url, timeout_s=10.0), {"job": KUBELET})
    try:
        return source.activity(asked, span)
    finally:
        source.close()


def _known_activity(played: Played, pod: tuple[str, str]) -> Mapping[tuple[str, str], HostActivity]:
    """Of the last seconds, as soon as all of them were scraped."""
    for _ in range(100):
        end = now_ms()
        found = _activity(played, Window(end - 3 * SECOND_MS, end))
        if None not in (found[pod].cpu_cores, found[pod].sent_bytes_per_s):
            return found
        time.sleep(0.2)
    raise AssertionError(f"nothing is known of {pod} after 20 s: {found}")


def test_what_pods_do_on_their_hosts_is_known_as_far_as_the_kubelet_tells_it(played):
    found = _known_activity(played, ("ml", "rests-0"))
    assert found["ml", "rests-0"] == HostActivity(0.0, 0.0, 0.0, 0.0, 0.0)
    loads = found["ml", "loads-0"]
    assert (loads.cpu_cores, loads.read_bytes_per_s) == (0.0, 0.0)
    assert min(loads.received_bytes_per_s, loads.sent_bytes_per_s) > 1 << 20
    assert found["ml", "thin-0"] == HostActivity(cpu_cores=0.0)
    assert found["victim", "rests-0"] == HostActivity()


def test_a_span_of_which_little_is_known_tells_nothing(played):
    end = now_ms()
    found = _activity(played, Window(end - HOUR_MS, end))
    assert set(found.values()) == {HostActivity()}
