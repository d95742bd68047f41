"""`aicost statement` through an API server: which scope it asks for, with the rights that the user has."""

import json

import pytest

from aicost.usecases.build_statement import StatementRequest, build_statement
from support.fakes.ledger import MemoryLedger
from support.http_server import serving
from support.ledger_rows import HOUR_0, hour, make_holder, make_posting, make_row

ROOT = "/apis/query.aicost.dev/v1alpha1"


def issued(version: int | None = 3) -> dict:
    ledger = MemoryLedger()
    ledger.post(make_posting(make_row(2_490_000_000, holder=make_holder("mine", "chat-0", team="vision"))))
    request = StatementRequest(str(HOUR_0), {"team": "vision"}, open_books=False)
    return build_statement(ledger, request, hour(2).start_ms, ledgers=({"place": "x", "version": version},))


@pytest.fixture
def state(run, tmp_path, monkeypatch):
    """Run a statement against an API server that lets the user see some paths alone."""
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("AICOST_SERVER", raising=False)

    def call(allowed: set[str], *arguments: str, body: object = None):
        def answer(request):
            if request.path in allowed:
                request.answer_json(issued() if body is None else body)
            else:
                request.answer_json({"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no"}, 403)

        with serving(answer) as served:
            config = tmp_path / "kubeconfig"
            config.write_text(
                f"current-context: c\nclusters: [{{name: k, cluster: {{server: '{served.url}'}}}}]\n"
                "users: [{name: u, user: {token: secret}}]\n"
                "contexts: [{name: c, context: {cluster: k, user: u, namespace: mine}}]\n"
            )
            result = run("statement", "--kubeconfig", str(config), "--month", "2026-10", *arguments)
            return result, served.requests

    return call


def test_who_may_see_all_is_answered_with_the_whole(state):
    result, requests = state({f"{ROOT}/statements"}, "--team", "vision")
    assert result.code == 0, result.err
    assert "$2.49" in result.out
    assert [one.path for one in requests] == [f"{ROOT}/statements"]
    assert requests[0].query["payer"] == "team=vision"


@pytest.mark.parametrize(
    ("options", "own"),
    [
        (("--team", "vision"), "teams/vision/statements"),
        (("-n", "mine"), "namespaces/mine/statements"),
        (("-n", "mine", "--team", "vision"), "namespaces/mine/statements"),
    ],
)
def test_others_get_that_of_their_own_team_or_namespace(state, options, own):
    result, requests = state({f"{ROOT}/{own}"}, *options)
    assert result.code == 0, result.err
    assert [one.path for one in requests] == [f"{ROOT}/statements", f"{ROOT}/{own}"]


def test_who_may_see_neither_is_told_both_ways(state):
    result, _ = state(set(), "--team", "vision")
    assert result.code == 1
    assert "resourceNames [vision]" in result.err
    unnamed, requests = state(set())
    assert unnamed.code == 1
    assert "--team NAME or -n NAMESPACE" in unnamed.err
    assert len(requests) == 1


def test_an_earlier_statement_says_since_when(state, tmp_path):
    earlier = tmp_path / "october.json"
    earlier.write_text(json.dumps(issued(3)))
    _, requests = state({f"{ROOT}/statements"}, "--team", "vision", "--issued", str(earlier))
    assert requests[0].query["since"] == "3"
    _, requests = state({f"{ROOT}/statements"}, "--team", "vision", "--issued", "2026-11-03T08:00:00Z")
    assert requests[0].query["since"] == "2026-11-03T08:00:00Z"
    earlier.write_text("{}")
    result, requests = state({f"{ROOT}/statements"}, "--team", "vision", "--issued", str(earlier))
    assert (result.code, requests) == (2, [])


def test_a_document_that_was_changed_on_the_way_is_refused(state):
    changed = issued()
    changed["parts"][0]["total_nanos"] += 1
    result, _ = state({f"{ROOT}/statements"}, "--team", "vision", body=changed)
    assert result.code == 1
    assert "checksum" in result.err
