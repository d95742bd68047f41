"""Outcomes of a cluster with a kubeconfig alone: what is posted and asked, and what is said where it is refused."""

import json
from dataclasses import replace

import pytest

from aicost.adapters.documents.unit_report import written
from aicost.crd.allocations.document import API_VERSION
from aicost.crd.outcomes.document import outcome_document, posted_document
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.serving.meters import Count, Outcome
from aicost.domain.serving.outcomes.costs import outcome_costs
from aicost.domain.serving.outcomes.judged import Judged, JudgedBy, Verdict
from aicost.domain.serving.outcomes.rules import SuccessRule
from aicost.domain.serving.tallies import Tally
from aicost.domain.serving.unit_costs import Spent, unit_costs
from aicost.entrypoints.cli.sources.outcomes.posting import AT_ONCE
from aicost.ports.measured.outcomes import OutcomeSum
from aicost.usecases.economics.cost_units import UnitLine, UnitReport
from aicost.usecases.economics.outcomes.judge_lines import Heard, judge_lines, with_successes
from support.http_server import serving
from support.ledger_rows import HOUR_0

ROOT = "/apis/query.aicost.dev/v1alpha1/namespaces/mine"
AT = "2026-11-25T10:30:00Z"
NOW_MS = HOUR_0.end_ms + HOUR_MS


def report():
    did = Tally(frozenset({"vllm"}), {Count.OUTPUT: 1_000}, {Outcome.SUCCESS: 100})
    costs = unit_costs(Spent(10**9, None, "USD"), did, None)
    members = frozenset({("mine", "", "Deployment/chat")})
    line = UnitLine(("mine", "Deployment/chat"), ("qwen3",), 1, 1, costs, members=members)
    hours = (HOUR_0, Window(HOUR_0.end_ms + HOUR_MS, HOUR_0.end_ms + 2 * HOUR_MS))
    return UnitReport(HOUR_0, HOUR_0, (line,), covered_ms=2 * HOUR_MS, windows=hours)


@pytest.fixture
def asked(run, tmp_path, monkeypatch):
    """Run a command against an API server that answers what `answers` says for a path."""
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("AICOST_SERVER", raising=False)
    monkeypatch.setattr("aicost.entrypoints.cli.commands.outcomes.posting.now_ms", lambda: NOW_MS)

    def call(answers, *arguments):
        def respond(request):
            body = answers(request)
            request.answer_json(body, 403 if body.get("code") == 403 else body.get("code", 200))

        with serving(respond) as served:
            config = tmp_path / "kubeconfig"
            config.write_text(
                f"current-context: c\nclusters: [{{name: k, cluster: {{server: '{served.url}'}}}}]\n"
                "users: [{name: u, user: {token: secret}}]\n"
                "contexts: [{name: c, context: {cluster: k, user: u, namespace: mine}}]\n"
            )
            return run(*arguments, "--kubeconfig", str(config)), served.requests

    return call


def file_of(tmp_path, count, **more):
    lines = [{"id": f"r{n}", "at": AT, "workload": "chat", "outcome": "success", **more} for n in range(count)]
    (tmp_path / "f.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return str(tmp_path / "f.jsonl")


def test_many_statements_go_in_parts_to_the_namespace_of_the_context(asked, tmp_path):
    result, requests = asked(
        lambda _: posted_document("mine", 1, NOW_MS), "outcomes", "post", file_of(tmp_path, AT_ONCE + 1)
    )
    assert (result.code, result.out.strip()) == (0, "posted 1,001 statements: 1,001 to mine"), result.err
    assert [(one.method, one.path) for one in requests] == [("POST", f"{ROOT}/outcomes")] * 2
    many, one = (int(request.headers["Content-Length"]) for request in requests)
    assert many > AT_ONCE * (one - 10)


def test_what_is_refused_halfway_is_said_with_what_was_kept(asked, tmp_path):
    def answers(request):
        forbidden = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no"}
        return forbidden if "/other/" in request.path else posted_document("mine", 1, NOW_MS)

    lines = [
        {"id": "r", "at": AT, "workload": "w", "outcome": "success", "namespace": name} for name in ("mine", "other")
    ]
    (tmp_path / "f.jsonl").write_text("\n".join(map(json.dumps, lines)))
    result, _ = asked(answers, "outcomes", "post", str(tmp_path / "f.jsonl"))
    assert result.code == 1
    assert "posted 1 statement: 1 to mine before it failed; the same file again posts the rest" in result.err
    assert "kubectl create rolebinding NAME -n other --clusterrole=aicost-outcomes" in result.err


def test_what_the_server_does_not_understand_is_told_in_its_words(asked, tmp_path):
    bad = {"kind": "Status", "code": 400, "reason": "BadRequest", "message": "items[0].reason: 'x': use another"}
    result, _ = asked(lambda _: bad, "outcomes", "post", file_of(tmp_path, 1))
    assert (result.code, "items[0].reason: 'x': use another" in result.err) == (2, True)


def test_unit_costs_of_a_cluster_are_judged_by_what_was_stated_there(asked):
    sums = [
        OutcomeSum("mine", "chat", "", True, "", 30, 0, 0),
        OutcomeSum("mine", "chat", "", False, "thumbs-down", 10, 0, 0),
    ]

    def answers(request):
        if request.path.endswith("/outcomes"):
            first = request.query["window"].startswith("2026-11-25T10:00:00Z/")
            return outcome_document(sums if first else [], HOUR_0, "mine", NOW_MS, 100)
        return {"apiVersion": API_VERSION, "kind": "UnitCostReport", "report": written(report())}

    result, requests = asked(answers, "units", "--outcomes", "-o", "json")
    assert result.code == 0, result.err
    (line,) = json.loads(result.out)["outcomes"]["lines"]
    assert (line["source"], line["coverage"], line["unjudged_nanos"]) == ("outcomes", "40.0%", 600_000_000)
    assert [one.path for one in requests] == [f"{ROOT}/unitcosts", f"{ROOT}/outcomes", f"{ROOT}/outcomes"]
    refused, _ = asked(answers, "units", "--success", "gateway")
    assert (refused.code, "--success gateway: give --ledger too" in refused.err) == (2, True)


def test_a_cluster_tells_the_word_that_an_aiworkload_declares(asked):
    judged = judge_lines(report(), Heard(), default=SuccessRule(JudgedBy.GATEWAY))
    verdicts = (Verdict("200", True, 60), Verdict("500", False, 40))
    found = outcome_costs(report().lines[0].costs, Judged(JudgedBy.GATEWAY, verdicts, 100, None))
    line = replace(judged.lines[0], outcomes=found)
    declared = with_successes(report(), replace(judged, lines=(line,)))

    def answers(request):
        if request.path.endswith("/outcomes"):
            return outcome_document([OutcomeSum("mine", "chat", "", True, "", 30, 0, 0)], HOUR_0, "mine", NOW_MS, 100)
        return {"apiVersion": API_VERSION, "kind": "UnitCostReport", "report": written(declared)}

    for words in ((), ("--outcomes",)):
        result, _ = asked(answers, "units", *words, "-o", "json")
        (row,) = json.loads(result.out)["rows"]
        assert (row["success_by"], row["waste"]) == ("gateway", "40.0%")
    rows = json.loads(result.out)["outcomes"]["lines"][0]["rows"]
    assert [one["cost_nanos"] for one in rows] == [600_000_000, 400_000_000]
    result, _ = asked(answers, "units", "--success", "engine", "-o", "json")
    (row,) = json.loads(result.out)["rows"]
    assert (row["success_by"], row["per_success_nanos"]) == ("engine", 10_000_000)
    assert "Success by    gateway: mine/Deployment/chat" in asked(answers, "units")[0].out
