"""Names that no dialect has: asked for by family, without those that are known."""

import pytest

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.names import PrometheusNames
from aicost.domain.trust.values import Stranger
from aicost.ports.errors import SourceUnavailable
from support.http_server import serving

RENAMED = {"__name__": "DCGM_FI_DEV_GPU_BUSY", "Hostname": "n1"}


def _ask(respond, **config):
    with serving(respond) as served:
        made = PrometheusNames(PrometheusConfig(url=served.url, interval_ms=15_000, **config))
        try:
            return made.strangers(), [request.form["query"] for request in served.requests]
        except SourceUnavailable as problem:
            return problem, []


def test_unknown_names_are_told_with_where_they_are_from():
    def respond(request):
        result = [{"metric": RENAMED, "value": [1, "8"]}, {"metric": {}, "value": [1, "1"]}]
        request.answer_json({"status": "success", "data": {"resultType": "vector", "result": result}})

    found, (query,) = _ask(respond, matchers={"cluster": "a"})
    assert found == (Stranger("DCGM_FI_DEV_GPU_BUSY", {"Hostname": "n1"}),)
    assert query.startswith(
        'count by (__name__,Hostname,hostname,node,kubernetes_node,nodename,instance) ({__name__=~"DCGM_FI_.+"'
    )
    assert '__name__!~"' in query
    assert "DCGM_FI_DEV_GPU_UTIL|" in query
    assert query.endswith(',cluster="a"})')


def test_a_server_that_fails_says_so():
    found, _ = _ask(lambda request: request.answer("busy", 503))
    assert isinstance(found, SourceUnavailable)


@pytest.mark.parametrize("result", [[], [{"metric": RENAMED, "value": [1, "8"]}] * 6_000])
def test_an_answer_is_read_up_to_a_bound(result):
    def respond(request):
        request.answer_json({"status": "success", "data": {"resultType": "vector", "result": result}})

    found, _ = _ask(respond)
    assert len(found) == min(len(result), 5_000)
