"""`aicost explain` through an API server: which scope it asks for, with the rights that the user has."""

import pytest

from aicost.crd.receipts.document import receipt_document
from support.builders import T0
from support.http_server import serving
from support.receipts import WINDOW, Kept, inputs

ROOT = "/apis/query.aicost.dev/v1alpha1"
EVERYWHERE, MINE = f"{ROOT}/receipts", f"{ROOT}/namespaces/team-a/receipts"


@pytest.fixture
def explain(run, tmp_path, monkeypatch):
    """Run a command against an API server that lets the user see some paths alone."""
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("AICOST_SERVER", raising=False)
    folder = tmp_path / "ledger"
    folder.mkdir()
    kept = Kept(folder)
    kept.post(inputs())
    document = receipt_document(kept.explain(), T0)

    def call(allowed: set[str], *arguments: str, body: object = document):
        def answer(request):
            if request.path in allowed:
                request.answer_json(body)
            else:
                request.answer_json({"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no"}, 403)

        with serving(answer) as served:
            config = tmp_path / "kubeconfig"
            config.write_text(
                f"current-context: c\nclusters: [{{name: k, cluster: {{server: '{served.url}'}}}}]\n"
                "users: [{name: u, user: {token: secret}}]\n"
                "contexts: [{name: c, context: {cluster: k, user: u, namespace: mine}}]\n"
            )
            result = run("explain", "--kubeconfig", str(config), "--window", str(WINDOW), *arguments)
            return result, served.requests

    return call


def test_who_may_see_all_is_told_everything(explain):
    result, requests = explain({EVERYWHERE}, "team-a/train-0")
    assert result.code == 0, result.err
    assert "replayed: equal" in result.out
    assert [(one.path, one.query["pod"]) for one in requests] == [(EVERYWHERE, "team-a/train-0")]


def test_others_ask_within_their_namespace(explain):
    result, requests = explain({MINE}, "--workload", "team-a/Deployment/train")
    assert result.code == 0, result.err
    assert [one.path for one in requests] == [EVERYWHERE, MINE]
    assert requests[1].query["workload"] == "team-a/Deployment/train"


def test_who_was_granted_a_team_asks_by_it(explain):
    team = f"{ROOT}/teams/vision/receipts"
    result, requests = explain({team}, "team-a/train-0", "--team", "vision")
    assert result.code == 0, result.err
    assert [one.path for one in requests] == [team]


@pytest.mark.parametrize("asked", [("--node", "gpu-1"), ("--device", "GPU-1")])
def test_a_node_and_a_device_are_for_who_may_see_all(explain, asked):
    result, requests = explain({MINE}, *asked)
    assert result.code == 1
    assert "ClusterRoleBinding to view" in result.err
    assert [one.path for one in requests] == [EVERYWHERE]


def test_an_answer_of_another_version_is_refused(explain):
    result, _ = explain({EVERYWHERE}, "team-a/train-0", body={"kind": "ReceiptList"})
    assert result.code == 1
    assert "use an aicost of the server's version" in result.err


def test_a_ledger_and_a_cluster_contradict(explain, tmp_path):
    result, requests = explain(set(), "team-a/train-0", "--ledger", str(tmp_path))
    assert (result.code, requests) == (2, [])
