import base64
from pathlib import Path

import pytest

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.ports.errors import InvalidRequest

URL = "http://prometheus:9090"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "prometheus:9090"}, r"prometheus\.url 'prometheus:9090': write it like http://"),
        ({"url": "ftp://prometheus"}, "write it like http://"),
        ({"url": "http://[half"}, "write it like http://"),
        ({"url": ""}, "write it like http://"),
        ({"url": "http://u:p@prometheus"}, "put them into username and password_file"),
        ({"url": f"{URL}/?x=1"}, "leave out what follows"),
        ({"url": f"{URL}/api/v1/query"}, "leave out /api/v1"),
        ({"bearer_token": "a", "username": "b", "password": "c"}, "give one of bearer_token"),
        ({"bearer_token": "a", "bearer_token_file": Path("/x")}, "give one of bearer_token"),
        ({"password": "c"}, "username is missing"),
        ({"username": "b"}, "password_file is missing for username 'b'"),
        ({"key_file": Path("/x")}, "cert_file is missing"),
        ({"matchers": {"clu ster": "x"}}, "prometheus.matchers 'clu ster'"),
        ({"tenant": "a\r\nX-Admin: 1"}, "prometheus.tenant has characters"),
        ({"bearer_token": "a\nb"}, "prometheus.bearer_token has characters"),
        ({"tenant_header": "X Scope"}, "prometheus.tenant_header 'X Scope'"),
        ({"timeout_s": 0}, "prometheus.timeout_s '0': it must be above 0"),
        ({"interval_ms": -1}, "prometheus.interval_ms"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_name_and_the_fix(settings, said):
    with pytest.raises(InvalidRequest, match=said):
        PrometheusConfig(**({"url": URL} | settings))


def test_a_path_prefix_is_part_of_the_address():
    assert PrometheusConfig(f"{URL}/prometheus/").api == f"{URL}/prometheus/api/v1"


@pytest.mark.parametrize(
    ("host", "packing"),
    [
        ("localhost:9090", "identity"),
        ("127.0.0.1:9090", "identity"),
        ("[::1]:9090", "identity"),
        ("prometheus.monitoring.svc:9090", "identity"),
        ("prometheus.monitoring.svc.cluster.local", "identity"),
        ("prometheus.example.com", "gzip"),
        ("10.0.0.7:9090", "gzip"),
        ("svcs.example.com", "gzip"),
    ],
)
def test_answers_are_packed_only_where_they_travel_far(host, packing):
    assert PrometheusConfig(f"http://{host}/prefix").headers()["Accept-Encoding"] == packing


def test_a_token_file_is_read_at_each_request(tmp_path):
    file = tmp_path / "token"
    config = PrometheusConfig(URL, bearer_token_file=file)
    file.write_text("one\n")
    assert config.headers()["Authorization"] == "Bearer one"
    file.write_text("two")
    assert config.headers()["Authorization"] == "Bearer two"


@pytest.mark.parametrize("content", [b"", b"two\nlines", b"\xff\xfe"], ids=["empty", "lines", "binary"])
def test_a_token_file_that_holds_no_token_is_named(tmp_path, content):
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(InvalidRequest, match=r"prometheus\.bearer_token_file"):
        PrometheusConfig(URL, bearer_token_file=file).headers()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidRequest, match=r"prometheus\.password_file .*cannot be read"):
        PrometheusConfig(URL, username="u", password_file=tmp_path / "none").headers()
    with pytest.raises(InvalidRequest, match=r"prometheus\.ca_file .*cannot be read"):
        PrometheusConfig(URL, ca_file=tmp_path / "none").tls()
    with pytest.raises(InvalidRequest, match=r"prometheus\.cert_file .*do not load"):
        PrometheusConfig(URL, cert_file=tmp_path / "none").tls()


def test_basic_authentication_and_tenant_are_headers():
    headers = PrometheusConfig(URL, username="u", password="p:q", tenant="team-a").headers()
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")) == b"u:p:q"
    assert headers["X-Scope-OrgID"] == "team-a"
    assert PrometheusConfig(URL, tenant="7", tenant_header="AccountID").headers()["AccountID"] == "7"


def test_secrets_are_never_printed():
    shown = repr(PrometheusConfig(URL, bearer_token="hush-1")) + repr(
        PrometheusConfig(URL, username="u", password="hush-2")
    )
    assert "hush" not in shown
