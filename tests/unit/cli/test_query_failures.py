"""Why the query API did not answer: each message says who can do what about it."""

import json
from collections.abc import Callable

import pytest

from support.http_server import Request, serving

ROOT = "/apis/query.aicost.dev/v1alpha1"


def status(request: Request, code: int, reason: str, message: str) -> None:
    body = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
    request.answer_json(body, code)


def serves(*plurals: str) -> Callable[[Request], None]:
    """An API server with our group, which serves these resources and answers everything else with 404."""

    def answer(request: Request) -> None:
        if request.path == ROOT:
            request.answer_json({"kind": "APIResourceList", "resources": [{"name": one} for one in plurals]})
        else:
            status(request, 404, "NotFound", "the server could not find the requested resource")

    return answer


@pytest.fixture
def ask(run, tmp_path, monkeypatch):
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("AICOST_SERVER", raising=False)

    def call(answer: Callable[[Request], None], *arguments: str):
        with serving(answer) as served:
            config = tmp_path / "kubeconfig"
            config.write_text(
                f"current-context: c\nclusters: [{{name: k, cluster: {{server: '{served.url}'}}}}]\n"
                "users: [{name: u, user: {token: secret}}]\n"
                "contexts: [{name: c, context: {cluster: k, user: u, namespace: mine}}]\n"
            )
            result = run(*arguments, "--kubeconfig", str(config))
            return result, served.requests

    return call


def test_a_cluster_without_the_query_api_says_what_to_install_and_the_other_ways(ask):
    result, _ = ask(lambda request: request.answer("404 page not found", 404), "report", "-A")
    assert result.code == 1
    for said in ("queryApi.enabled=true", "AICOST_SERVER=port-forward", "--ledger"):
        assert said in result.err


def test_an_older_aicost_in_the_cluster_is_told_apart_from_none(ask):
    result, _ = ask(serves("allocations"), "report", "--team", "vision")
    assert result.code == 1
    assert "serves no teams/allocations" in result.err
    assert "older than this one" in result.err
    assert "install the chart" not in result.err


def test_what_the_cluster_serves_and_cannot_find_is_said_in_its_own_words(ask):
    result, _ = ask(serves("teams/allocations"), "report", "--team", "vision")
    assert result.code == 2
    assert "could not find the requested resource" in result.err


def test_an_api_service_that_is_down_names_itself_and_the_runbook(ask, monkeypatch):
    result, _ = ask(lambda request: status(request, 503, "ServiceUnavailable", "error trying to reach service"),
                    "report", "-A")  # fmt: skip
    assert result.code == 1
    for said in ("kubectl get apiservice v1alpha1.query.aicost.dev", "query-api-down", "--ledger"):
        assert said in result.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-n", "theirs"), "kubectl create rolebinding NAME -n theirs --clusterrole=view --user=USER"),
        (("-A",), "ClusterRoleBinding to view"),
        (("--team", "vision"), "resources [teams/allocations] and resourceNames [vision]"),
    ],
)
def test_a_missing_permission_says_which_and_who_can_give_it(ask, arguments, said):
    result, _ = ask(lambda request: status(request, 403, "Forbidden", "no"), "report", *arguments)
    assert result.code == 1
    assert said in result.err
    assert "query.aicost.dev" in result.err


def test_a_team_is_asked_for_by_its_own_path(ask):
    _, requests = ask(lambda request: status(request, 403, "Forbidden", "no"), "report", "--team", "vision")
    assert [request.path for request in requests] == [f"{ROOT}/teams/vision/allocations"]
    assert "team" not in requests[0].query.get("filter", "")


def test_a_team_and_a_namespace_contradict(ask):
    result, requests = ask(lambda _: None, "report", "--team", "vision", "-n", "a")
    assert (result.code, requests) == (2, [])
    assert "--filter namespace=a" in result.err


def test_on_a_ledger_a_team_is_the_same_scope(report):
    as_scope, as_filter = (json.loads(report("-o", "json", *words).out) for words in
                           (("--team", "vision"), ("--filter", "team=vision")))  # fmt: skip
    assert as_scope["reports"] == as_filter["reports"]
    assert as_scope["reports"][0]["total"]["cost_nanos"] > 0


@pytest.mark.parametrize(
    "route",
    ["http://127.0.0.1:1", "https://", "ftp://x", "portforward", "https://h/apis", "port-forward:aicost", "//h:1"],
)
def test_a_way_that_makes_no_sense_or_would_send_credentials_in_the_clear_is_refused(ask, route, monkeypatch):
    monkeypatch.setenv("AICOST_SERVER", route)
    result, requests = ask(lambda _: None, "report", "-A")
    assert (result.code, requests) == (2, [])
    assert "AICOST_SERVER" in result.err


def test_port_forward_without_the_charts_configmap_says_what_to_set(ask, monkeypatch):
    monkeypatch.setenv("AICOST_SERVER", "port-forward")
    result, requests = ask(serves(), "report", "-A")
    assert result.code == 1
    assert [one.path for one in requests] == ["/api/v1/namespaces/aicost-system/configmaps/aicost-query-client"]
    assert "queryApi.apiService=false" in result.err
