"""A real Prometheus starts on a free port and answers; a bad configuration is shown with its log."""

import json
import urllib.request

import pytest

from devcluster.host.progress import Failure
from devcluster.prometheus_server import Prometheus

pytestmark = pytest.mark.cluster


def test_prometheus_answers_queries_until_it_is_stopped(prometheus_program, tmp_path):
    with Prometheus(prometheus_program, tmp_path, {"global": {"scrape_interval": "1s"}}) as server:
        with urllib.request.urlopen(f"{server.url}/api/v1/query?query=vector(42)", timeout=5) as answer:
            result = json.load(answer)["data"]["result"]
        assert result[0]["value"][1] == "42"
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(server.url, timeout=5)


def test_a_configuration_that_it_refuses_is_shown(prometheus_program, tmp_path):
    server = Prometheus(prometheus_program, tmp_path, {"no_such_section": 1})
    with pytest.raises(Failure, match=r"(?s)did not become ready.*no_such_section"):
        server.start()
