"""`aicost estimate`: what manifests will cost, offline and at a cluster's prices."""

import json

import pytest
import yaml

from support.http_server import serving

JOB = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: train
  annotations: {aicost.dev/expected-duration: 13h}
spec:
  parallelism: 2
  template:
    spec:
      nodeSelector: {node.kubernetes.io/instance-type: p5.48xlarge}
      containers:
      - name: main
        image: train
        resources: {limits: {nvidia.com/gpu: 8}}
"""
CHAT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: chat}
spec:
  template:
    spec:
      containers:
      - name: main
        image: chat
        resources: {limits: {nvidia.com/gpu: 1}}
"""
WEB = CHAT.replace("chat", "web").replace("nvidia.com/gpu: 1", "cpu: 1")
BOOK = """\
apiVersion: aicost.dev/v1alpha1
kind: PriceBook
metadata: {name: own}
spec:
  currency: USD
  entries:
  - name: h100
    match: {gpuModel: h100-80gb}
    perGpuHour: "2"
  - name: l4
    match: {gpuModel: l4}
    perGpuHour: "0.5"
"""


CHEAP = ["Deployment/chat", "1", "x", "L4", "$0.50", "always", "$365/month"]


@pytest.fixture
def files(tmp_path):
    for name, text in (("job", JOB), ("chat", CHAT), ("web", WEB), ("book", BOOK)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


@pytest.fixture
def offline(run, files):
    def call(*arguments):
        return run("estimate", "--offline", "--prices", str(files / "book.yaml"), *arguments)

    return call


def rows(text):
    return {line.split()[0]: line.split() for line in text.splitlines() if "/" in line.partition(" ")[0]}


def test_a_line_for_each_object_and_a_total_of_what_has_a_price(offline, files):
    shown = offline("-f", str(files))
    assert shown.code == 0
    found = rows(shown.out)
    assert found["Job/train"] == ["Job/train", "16", "x", "H100-80GB", "$32.00", "13", "h", "$416", "job.yaml"]
    assert "unpriced" in found["Deployment/chat"]
    assert "total of 1 of 2" in shown.out
    assert "Deployment/chat: no GPU model is named: add a nodeSelector" in shown.out
    assert "1 of 3 objects that run something ask for no GPUs." in shown.out
    assert "--gpu-model takes a GPU" in shown.out


def test_a_person_may_say_which_gpu_is_meant(offline, files):
    found = rows(offline(str(files / "chat.yaml"), str(files / "job.yaml"), "--gpu-model", "NVIDIA L4").out)
    assert found["Deployment/chat"] == [*CHEAP, "chat.yaml"]
    assert found["Job/train"][3] == "H100-80GB"


def test_the_price_used_stands_with_its_receipt_and_with_those_not_used(run, files):
    shown = run("estimate", "--offline", "-f", str(files / "job.yaml"), "-o", "wide", "--where", "region=us-east-1")
    assert "list-prices/aws-p5.48xlarge-us-east-1 (list price) matches by instance type" in shown.out
    assert "$55.0400 per node-hour less 192 cores" in shown.out
    assert "not used: list-prices/aws-p5.48xlarge-us-gov-west-1: region: the entry says us-gov-west-1" in shown.out
    assert "List prices are public prices" in shown.out


def test_several_machines_that_would_do_are_a_range_that_where_narrows(run, files):
    wide = run("estimate", "--offline", "-f", str(files / "chat.yaml"), "--gpu-model", "l4")
    assert " to " in wide.out.splitlines()[3]
    assert "A range: several machines would do" in " ".join(wide.out.split())
    narrow = ("--where", "instance-type=G6.XLARGE", "--where", "region=us-east-1")
    one = run("estimate", "--offline", "-f", str(files / "chat.yaml"), "--gpu-model", "l4", *narrow)
    assert " to " not in one.out.splitlines()[3]


def test_the_json_document_holds_exact_integers_and_every_quote(offline, files):
    document = json.loads(offline("-f", str(files / "job.yaml"), "-f", str(files / "web.yaml"), "-o", "json").out)
    job, web = document["objects"]
    assert (job["kind"], job["name"], job["namespace"], job["line"]) == ("Job", "train", "default", 1)
    assert (job["gpu_milli"], job["duration_ms"]) == (16_000, 13 * 3_600_000)
    assert job["per_hour"]["low_nanos"] == job["per_hour"]["high_nanos"] == 32_000_000_000
    assert job["total"] == {
        "low_nanos": 416_000_000_000,
        "high_nanos": 416_000_000_000,
        "currency": "USD",
        "text": "$416",
    }
    (candidate,) = job["parts"][0]["candidates"]
    assert candidate["quote"]["gpu_hour_nanos"] == [2_000_000_000, 1]
    assert (web["gpu_milli"], web["per_hour"], web["text"], web["parts"]) == (0, None, "", [])


def test_an_unpriced_object_has_null_and_not_zero_in_json(offline, files):
    (chat,) = json.loads(offline("-f", str(files / "chat.yaml"), "-o", "json").out)["objects"]
    assert (chat["per_hour"], chat["total"]) == (None, None)
    assert chat["unpriced"].startswith("no GPU model is named")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no manifests: name a file or a folder by -f"),
        (("-f", "/nowhere.yaml"), "/nowhere.yaml: cannot be read"),
        (("-f", "{}/job.yaml", "--where", "cloud=aws"), "--where 'cloud=aws': write KEY=VALUE with a key of"),
        (("-f", "{}/job.yaml", "--where", "region="), "write KEY=VALUE"),
        (("-f", "{}/job.yaml", "--context", "x"), "--offline asks no cluster"),
    ],
)
def test_a_request_that_makes_no_sense_is_exit_code_2_and_one_line(offline, files, arguments, said):
    result = offline(*(each.format(files) for each in arguments))
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert result.err.count("\n") == 1


def test_prices_that_are_wrong_or_none_are_said(run, files):
    (files / "bad.yaml").write_text(BOOK.replace('"2"', '"-2"'))
    for name, said in (("bad.yaml", "perGpuHour"), ("job.yaml", "no PriceBook is in")):
        result = run("estimate", "--offline", "-f", str(files / "chat.yaml"), "--prices", str(files / name))
        assert result.code == 2
        assert said in result.err


def test_without_a_cluster_the_way_out_is_named(run, files, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/nowhere/kubeconfig")
    result = run("estimate", "-f", str(files / "job.yaml"))
    assert result.code == 2
    assert "--offline" in result.err


NANOS = 10**9
BUDGET = {
    "metadata": {"name": "monthly", "namespace": "default"},
    "spec": {"limit": "1000", "currency": "USD"},
    "status": {
        "limitNanos": 1000 * NANOS,
        "spent": {"totalNanos": 720 * NANOS},
        "period": {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"},
    },
}
NODE = {
    "metadata": {
        "name": "n1",
        "uid": "u1",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"nvidia.com/gpu.product": "NVIDIA-L4", "nvidia.com/gpu.count": "4"},
    },
    "spec": {"providerID": "aws:///us-east-1a/i-1"},
    "status": {"capacity": {"nvidia.com/gpu": "4", "cpu": "48", "memory": "192Gi"}},
}


class TestOfACluster:
    @pytest.fixture
    def ask(self, run, tmp_path, files):
        def call(answers, *arguments):
            def answer(request):
                items = answers.get(request.path.rpartition("/")[2])
                if items is None:
                    status = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no"}
                    return request.answer(json.dumps(status), 403)
                return request.answer(json.dumps({"metadata": {}, "items": items}), 200)

            with serving(answer) as served:
                config = tmp_path / "kubeconfig"
                config.write_text(
                    f"current-context: c\nclusters: [{{name: k, cluster: {{server: '{served.url}'}}}}]\n"
                    "users: [{name: u, user: {token: t}}]\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                )
                return run("estimate", "-f", str(files / "chat.yaml"), "--kubeconfig", str(config), *arguments)

        return call

    def test_its_nodes_say_which_gpu_it_will_be_and_its_books_the_price(self, ask):
        shown = ask({"nodes": [NODE], "pricebooks": [yaml.safe_load(BOOK)]})
        assert rows(shown.out)["Deployment/chat"] == CHEAP
        assert "own/l4" in shown.out

    def test_prices_of_a_file_take_the_place_of_its_books(self, ask, files):
        shown = ask({"nodes": [NODE]}, "--prices", str(files / "book.yaml"))
        assert "$0.50" in shown.out

    def test_what_is_left_of_the_budgets_that_it_counts_against_stands_beside_it(self, ask):
        answers = {"nodes": [NODE], "pricebooks": [yaml.safe_load(BOOK)], "budgets": [BUDGET], "clusterbudgets": []}
        shown = ask(answers)
        (line,) = [line.split() for line in shown.out.splitlines() if line.startswith("monthly ")]
        assert line == ["monthly", "$280", "$1,000", "2026-12-01T00:00:00Z", "Deployment/chat"]
        (chat,) = json.loads(ask(answers, "-o", "json").out)["objects"]
        assert chat["budgets"] == [
            {
                "name": "monthly",
                "left_nanos": 280 * NANOS,
                "limit_nanos": 1000 * NANOS,
                "currency": "USD",
                "until": "2026-12-01T00:00:00Z",
            }
        ]
        assert "$280 of the budget monthly are left" in chat["text"]

    def test_what_may_not_be_read_is_told_and_nothing_is_guessed(self, ask):
        shown = ask({"nodes": [NODE]})
        assert shown.code == 0
        assert "pricebooks.aicost.dev are not taken into account" in shown.err
        assert "unpriced" in shown.out
        assert "no price for l4: add an entry to a PriceBook" in shown.out

    def test_where_nothing_may_be_read_it_fails(self, ask):
        shown = ask({})
        assert shown.code == 1
        assert "not permitted to list nodes" in shown.err
