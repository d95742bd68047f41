"""`aicost backfill` before anything is computed: what makes no sense is told in one line with the fix."""

import re
from pathlib import Path

import pytest

from aicost.domain.ledger.grounds import MEANINGS, Ground
from aicost.entrypoints.cli.output.backfill.grounds import grounds_lines
from aicost.entrypoints.cli.terminal import Terminal
from support.http_server import serving

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "try-on-your-prometheus.md"
EMPTY = {"status": "success", "data": {"resultType": "vector", "result": []}}
URL = ("--prometheus", "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--prometheus is missing: name the base address"),
        (("--prometheus", "localhost:9090"), "prometheus.url 'localhost:9090': write it like http://"),
        (("--prometheus", "http://a/api/v1"), "leave out /api/v1"),
        ((*URL, "--since", "soon"), "--since: window: 'soon' is not understood"),
        ((*URL, "--since", "2999-01"), "lies in the future"),
        ((*URL, "--match", "cluster"), "--match 'cluster': write LABEL=VALUE"),
        ((*URL, "--match", 'cluster=~"a.*"'), "only equality is known"),
        ((*URL, "--gpu-price", "h100"), "--gpu-price 'h100': write MODEL=AMOUNT per GPU-hour"),
        ((*URL, "--gpu-price", "h100-80gb=0"), "write MODEL=AMOUNT per GPU-hour"),
        ((*URL, "--gpu-price", "h100-80gb=-1"), "write MODEL=AMOUNT per GPU-hour"),
        ((*URL, "--gpu-price", "h100-80gb=1e9"), "write MODEL=AMOUNT per GPU-hour"),
        ((*URL, "--prices", "/nowhere.yaml"), "/nowhere.yaml: cannot be read"),
        ((*URL, "--basic-user", "me"), "password_file is missing"),
        ((*URL, "--bearer-token-file", "/nowhere"), "bearer_token_file '/nowhere': it cannot be read"),
        ((*URL, "--config", "/nowhere.yaml"), "/nowhere.yaml"),
    ],
)
def test_a_request_that_makes_no_sense_is_one_line_with_the_fix(run, arguments, said):
    result = run("backfill", *arguments)
    assert result.code == 2, result
    assert said in result.err
    assert result.err.count("\n") == 1


def test_a_server_without_gpu_series_is_told_with_what_to_do(run, tmp_path):
    with serving(lambda request: request.answer_json(EMPTY)) as served:
        result = run("backfill", "--prometheus", served.url, "--ledger", str(tmp_path / "l"), "--match", "cluster=a")
    assert result.code == 2
    assert "no series of GPUs" in result.err
    assert "cluster='a'" in result.err
    assert not (tmp_path / "l").exists()


def test_credentials_and_tenant_are_sent(run, tmp_path):
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    with serving(lambda request: request.answer_json(EMPTY)) as served:
        more = ("--bearer-token-file", str(token), "--tenant", "team-a", "--tenant-header", "X-Tenant")
        result = run("backfill", "--prometheus", served.url, *more)
        headers = served.requests[0].headers
    assert headers["Authorization"] == "Bearer s3cret"
    assert headers["X-Tenant"] == "team-a"
    assert "s3cret" not in result.err + result.out


def test_a_settings_file_says_how_the_server_is_reached_and_options_go_before_it(run, tmp_path):
    with serving(lambda request: request.answer_json(EMPTY)) as served:
        config = tmp_path / "config.yaml"
        config.write_text(
            f"telemetry: {{prometheus: {{url: '{served.url}', tenant: of-file, matchers: {{cluster: a}}}}}}"
        )
        assert run("backfill", "--config", str(config)).code == 2
        run("backfill", "--config", str(config), "--tenant", "of-option", "--match", "region=eu")
        tenants = [request.headers["X-Scope-OrgID"] for request in served.requests]
        query = served.requests[-1].form["query"]
    assert (tenants[0], tenants[-1]) == ("of-file", "of-option")
    assert 'cluster="a",region="eu"' in query


def test_the_guide_explains_each_flag_and_no_other():
    told = set(re.findall(r"^\| `([a-z][a-z-]+)` \|", GUIDE.read_text(), re.MULTILINE))
    assert told == {ground.value for ground in Ground} == {ground.value for ground in MEANINGS}


def test_what_amounts_rest_on_is_told_only_where_a_backfill_posted():
    times = {"": 1_000, "backfill": 900, "ksm": 300, "gap": 100}
    (line,) = grounds_lines(times, Terminal())
    assert line.split() == ["Rests", "on", "backfill", "90.0%", "ksm", "30.0%"]
    assert grounds_lines({"": 1_000, "gap": 3}, Terminal()) == []
