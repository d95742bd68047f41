from pathlib import Path

import pytest

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.source import PrometheusSource
from aicost.domain.exact.windows import Window
from aicost.ports.errors import SourceUnavailable
from support.certificates import server_context, write_certificate
from support.http_server import Request, serving

SPAN = Window(0, 60_000)
EMPTY = {"status": "success", "data": {"resultType": "matrix", "result": []}}


def answer(request: Request) -> None:
    request.answer_json(EMPTY)


def fetch(tls, **settings: object) -> None:
    with serving(answer, tls) as served:
        source = PrometheusSource(PrometheusConfig(served.url, timeout_s=2.0, **settings))
        try:
            assert source.samples(SPAN) == ()
        finally:
            source.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_certificate(tmp_path_factory.mktemp("tls"), "prometheus")


def test_an_unknown_authority_is_refused_with_the_setting_that_helps(pair):
    with pytest.raises(SourceUnavailable, match=r"set prometheus\.ca_file"):
        fetch(server_context(*pair))


def test_the_authority_of_the_setting_is_believed(pair):
    fetch(server_context(*pair), ca_file=pair[0])


def test_insecure_believes_anybody(pair):
    fetch(server_context(*pair), insecure=True)


def test_a_server_that_wants_our_certificate_gets_it(pair, tmp_path):
    crt, key = write_certificate(tmp_path, "client")
    fetch(server_context(*pair, clients=crt), ca_file=pair[0], cert_file=crt, key_file=key)


def test_a_server_that_wants_our_certificate_and_gets_none_is_unavailable(pair, tmp_path):
    crt, _ = write_certificate(tmp_path, "client")
    with pytest.raises(SourceUnavailable, match="did not answer as it should"):
        fetch(server_context(*pair, clients=crt), ca_file=pair[0])
