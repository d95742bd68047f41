"""Queries of people about successes, through a real Prometheus: what its own grammar makes of them stays at home."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from aicost.adapters.prometheus.client import PrometheusClient
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.replies import Vector
from aicost.adapters.prometheus.successes import PrometheusSuccesses
from aicost.domain.exact.windows import Window
from aicost.domain.serving.outcomes.judged import Verdict
from aicost.domain.serving.outcomes.queries import bind
from aicost.ports.errors import InvalidAnswer
from aicost.ports.measured.successes import SuccessQuery
from devcluster.prometheus_server import Prometheus
from support.http_server import Request, serving

pytestmark = pytest.mark.cluster
NAMES = ("answers_total", "and", "offset", "by", "sum", "on", "bool")
"""Names of metrics that are words of PromQL as well."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Script:
    """Two pods of two namespaces whose counters a test moves."""

    good: int = 1_000
    bad: int = 10
    scrapes: int = 0

    def respond(self, request: Request) -> None:
        self.scrapes += 1
        lines = [
            f'{name}{{outcome="{outcome}",reason="{reason}"}} {value}'
            for name in NAMES
            for outcome, reason, value in (("good", "", self.good), ("bad", "slow", self.bad))
        ]
        request.answer("\n".join([*lines, ""]), Content_Type="text/plain; version=0.0.4")

    def wait(self) -> None:
        wanted = self.scrapes + 6
        for _ in range(400):
            if self.scrapes >= wanted:
                return
            time.sleep(0.05)
        raise AssertionError(f"Prometheus did not scrape for 20 s: {self.scrapes}")


@dataclass(frozen=True)
class Played:
    url: str
    span: Window


@pytest.fixture(scope="module")
def played(prometheus_program, tmp_path_factory) -> Iterator[Played]:
    script = Script()
    with serving(script.respond) as served:
        address = served.url.removeprefix("http://")
        jobs = [
            {
                "job_name": namespace,
                "static_configs": [{"targets": [address], "labels": {"namespace": namespace, "pod": f"{namespace}-0"}}],
            }
            for namespace in ("ml", "victim")
        ]
        configuration = {"global": {"scrape_interval": "400ms", "scrape_timeout": "400ms"}, "scrape_configs": jobs}
        with Prometheus(prometheus_program, tmp_path_factory.mktemp("prometheus"), configuration) as server:
            script.wait()
            start_ms = now_ms()
            script.good, script.bad = 1_030, 14
            script.wait()
            script.good, script.bad = 3, 2  # a restart
            script.wait()
            yield Played(server.url, Window(start_ms, now_ms()))


@pytest.mark.parametrize(
    "query",
    [
        SuccessQuery("ml", "chat", 'answers_total{outcome="good"}', 'answers_total{outcome="bad"}'),
        SuccessQuery("ml", "chat", '{__name__="answers_total",outcome="good"}', 'answers_total{outcome=~"b.d"}'),
    ],
)
def test_counters_of_the_namespace_are_summed_over_a_restart(played, query):
    made = PrometheusSuccesses(PrometheusConfig(played.url, timeout_s=10.0))
    found = made.judged([query], played.span)
    made.close()
    assert found == {("ml", "chat"): [Verdict("", True, 33), Verdict("slow", False, 6)]}


def test_an_expression_is_evaluated_over_the_namespace_alone(played):
    query = SuccessQuery("ml", "chat", 'count(answers_total{outcome="good"})', "count by (reason) (answers_total)")
    made = PrometheusSuccesses(PrometheusConfig(played.url, timeout_s=10.0))
    found = made.judged([query], played.span)
    made.close()
    assert found[("ml", "chat")][0] == Verdict("", True, 1)  # two namespaces have it


@pytest.mark.parametrize(
    "query",
    [
        *NAMES,
        'answers_total{namespace="victim"} or answers_total',
        'answers_total{namespace=~".*"}',
        'answers_total{namespace!="ml"} or on () answers_total',
        "sum by (namespace) (answers_total)",
        "sum(answers_total) without (pod)",
        "max_over_time(answers_total[30s])",
        "max_over_time(answers_total[30s:1s] offset 1s)",
        "answers_total + on (outcome) group_left by",
        "answers_total and and and offset",
        "topk(10, answers_total) or bottomk(10, offset)",
        'label_replace(answers_total, "was", "$1", "namespace", "(.*)")',
        "-answers_total",
        "answers_total == bool on",
        "((answers_total))",
        "answers_total > bool 1 or sum",
        'quantile by (namespace) (0.5, {__name__="and"})',
    ],
)
def test_whatever_is_asked_no_series_of_another_namespace_comes_back(played, query):
    client = PrometheusClient(PrometheusConfig(played.url, timeout_s=10.0))
    text = bind(query, 'namespace="ml"', "60s").text
    try:
        found = client.query(text, played.span.end_ms, Vector).result
    except InvalidAnswer:  # this Prometheus reads it otherwise, and answers nothing
        found = []
    finally:
        client.close()
    assert {one.metric.get("namespace", "ml") for one in found} <= {"ml"}
    assert not any("victim" in one.metric.values() for one in found)
