"""`aicost estimate` and `aicost check` with a kubeconfig: as administrator, and as somebody who may read nothing."""

import json
from pathlib import Path

import pytest

from aicost.__main__ import main
from devcluster.nodes import FakeNode
from support.crd_samples import resource
from support.definitions import applied_definitions

pytestmark = pytest.mark.cluster

MANIFEST = Path(__file__).resolve().parents[2] / "examples/manifests/train.yaml"
TEAM = {"key": "team", "required": "Always", "aliases": ["squad"], "allowed": {"values": ["vision"]}}
PRICE = {"name": "p5", "match": {"instanceType": "p5.48xlarge"}, "perGpuHour": "5.5"}


@pytest.fixture
def ready(cluster, namespace):
    with applied_definitions(cluster):
        cluster.apply(
            resource("CostLabelPolicy", "cli-labels", {"mode": "Deny", "keys": [TEAM]}),
            resource("PriceBook", "cli-prices", {"currency": "USD", "entries": [PRICE]}),
        )
        yield cluster
        cluster.kubectl("delete", "clp/cli-labels", "pricebook/cli-prices")


@pytest.fixture
def run(ready, capsys, namespace):
    def call(command, *arguments, kubeconfig=None):
        config = str(kubeconfig or ready.kubeconfig)
        code = main([command, "--kubeconfig", config, "-n", namespace, *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_an_estimate_is_made_at_the_prices_of_the_nodes(run, local_cluster):
    local_cluster.nodes.create(FakeNode("cli-gpu-1", gpu_count=8))
    try:
        code, out, _ = run("estimate", str(MANIFEST), "-o", "json")
    finally:
        local_cluster.nodes.delete("cli-gpu-1")
    (job,) = json.loads(out)["objects"]
    assert code == 0
    assert job["total"]["low_nanos"] == job["total"]["high_nanos"] == 13 * 8 * 5_500_000_000
    (candidate,) = job["parts"][0]["candidates"]
    assert (candidate["nodes"], candidate["quote"]["book"]) == (1, "cli-prices")


def test_a_check_hears_what_the_namespace_says(run, ready, namespace, tmp_path):
    code, out, _ = run("check", str(MANIFEST))
    assert code == 1
    assert '(did you mean "vision"?); set aicost.dev/team: vision [cli-labels/unknown-value]' in out
    plain = tmp_path / "plain.yaml"
    plain.write_text(MANIFEST.read_text().replace("    squad: visoin\n", "    app: train\n"))
    assert run("check", str(plain))[0] == 1
    ready.kubectl("label", "namespace", namespace, "aicost.dev/team=vision")
    assert run("check", str(plain))[0] == 0


def test_who_may_read_nothing_is_told_which_right_is_missing(run, ready, namespace):
    ready.kubectl("create", "serviceaccount", "nobody", "-n", namespace)
    kubeconfig = ready.service_account_kubeconfig(namespace, "nobody")
    code, out, err = run("check", str(MANIFEST), kubeconfig=kubeconfig)
    assert (code, out) == (1, "")
    assert 'resources ["costlabelpolicies"], verbs ["list"]' in err
    code, out, err = run("estimate", str(MANIFEST), kubeconfig=kubeconfig)
    assert (code, out) == (1, "")
    assert 'resources ["nodes"], verbs ["list"]' in err
