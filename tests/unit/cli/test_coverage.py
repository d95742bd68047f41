"""`aicost coverage` and `aicost inventory`: over a ledger, and what the API server is asked."""

import json
from pathlib import Path

import pytest

from aicost.adapters.audits import AuditFile
from support.coverage import audit, denied, missing, seen
from support.ledger_folder import fill

SINCE = ("--since", "2026-03-02/2026-03-04")
ROOT = "/apis/query.aicost.dev/v1alpha1"


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of ledger, with an audit in its folder."""
    folder = tmp_path_factory.mktemp("audited")
    fill(folder)
    lacking = denied(
        seen("search", "team-b", lacks=("cost-center",), problems=(missing("cost-center"),), owner="jo@acme.com")
    )
    AuditFile(folder).put(audit(seen("chat", "team-a"), lacking), "cluster-1")
    return folder


def test_a_ledger_alone_tells_coverage_by_cost_and_what_it_cannot_tell(run, ledger):
    found = run("coverage", "--ledger", str(ledger), *SINCE)
    assert found.code == 0
    assert "Label coverage by team · all namespaces · USD" in found.out
    assert "100.0% of $31.30" in found.out
    assert "level 1, stage crawl" in found.out
    assert "no audit lies in this ledger" in " ".join(found.out.split())
    assert "team-b" in found.out


def test_with_an_audit_it_tells_what_would_be_denied_and_by_whom(run, audited):
    found = run("coverage", "--ledger", str(audited), *SINCE)
    assert "Label coverage by team, cost-center" in found.out
    assert "1 of 2 objects in mode Deny, 1 today" in found.out
    assert "cost-center is missing" in found.out
    assert "as they were at 2026-11-25T10:00:00Z" in found.out
    row = next(line for line in found.out.splitlines() if "Deployment/search" in line)
    assert "$1,792.80" in row, "thirty days of $2.49 an hour"


def test_one_namespace_is_that_namespace_alone(run, audited):
    found = run("coverage", "--ledger", str(audited), *SINCE, "-n", "team-a")
    assert "namespace team-a" in found.out
    assert "team-b" not in found.out


def test_json_has_integers_beside_texts(run, audited):
    document = json.loads(run("coverage", "--ledger", str(audited), *SINCE, "-o", "json", "--rows", "1").out)
    (one,) = document["reports"]
    assert (one["offenders"]["count"], len(one["offenders"]["rows"])) == (4, 1)
    assert one["total"]["cost_nanos"] == 24 * (3 * 2_490_000_000 + 2_490_000_000 // 7) + (
        3 * 2_490_000_000 + 2_490_000_000 // 7
    )
    assert [key["key"] for key in one["keys"]] == ["team", "cost-center"]


def test_the_inventory_lists_what_had_a_cost_and_what_is_there(run, audited):
    found = run("inventory", "--ledger", str(audited), *SINCE)
    assert found.code == 0
    assert "Deployment/train (gone)" in found.out
    assert "llama-3.1-70b-instruct" in found.out
    assert "5; 0 of these have an AIWorkload" in found.out


def test_an_empty_ledger_is_no_error(run, tmp_path):
    (tmp_path / "empty").mkdir()
    for verb in ("coverage", "inventory"):
        found = run(verb, "--ledger", str(tmp_path / "empty"))
        assert found.code == 0, found.err
    assert "No AI workload is known" in found.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "soon"), "since: 'soon'"),
        (("--ledger", "nowhere"), "'nowhere' is no directory"),
        (("-n", "a", "-A"), "contradict"),
        (("--rows", "0"), "--rows"),
    ],
)
def test_a_wrong_question_is_refused_with_the_fix(run, arguments, said):
    for verb in ("coverage", "inventory"):
        found = run(verb, *arguments)
        assert found.code == 2
        assert said in found.err


def test_the_cluster_is_asked_for_the_namespace_of_the_kubeconfig(on_a_server, run, audited):
    document = run("coverage", "--ledger", str(audited), *SINCE, "-o", "json").out
    found, requests = on_a_server(document, 200, "coverage", "--since", "90d", "--rows", "7")
    assert found.code == 0, found.err
    assert "1 of 2 objects in mode Deny" in found.out
    assert [request.path for request in requests] == [f"{ROOT}/namespaces/mine/labelcoverages"]
    assert requests[0].query == {"since": "90d", "limit": "7", "format": "report"}


def test_all_namespaces_are_asked_for_without_one(on_a_server, run, audited):
    document = run("inventory", "--ledger", str(audited), *SINCE, "-o", "json").out
    found, requests = on_a_server(document, 200, "inventory", "-A")
    assert found.code == 0, found.err
    assert [request.path for request in requests] == [f"{ROOT}/inventories"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("<html>", 200, "is not JSON"),
        ('{"kind": "Status"}', 200, "not a LabelCoverageReport"),
        ("{}", 404, "does not serve query.aicost.dev"),
    ],
)
def test_an_answer_that_is_none_is_told(on_a_server, body, status, said):
    found, _ = on_a_server(body, status, "coverage")
    assert found.code == 1
    assert said in found.err
