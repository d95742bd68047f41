"""`aicost prices check`: the price of each node with its reasons, alternatives and the entry to add."""

import json
from fractions import Fraction

import pytest
import yaml

BOOK = {
    "apiVersion": "aicost.dev/v1alpha1",
    "kind": "PriceBook",
    "metadata": {"name": "mine"},
    "spec": {
        "currency": "USD",
        "referenceRates": {"cpuCoreHour": "0.03", "memoryGibHour": "0.004"},
        "entries": [
            {"name": "p5", "match": {"instanceType": "p5.48xlarge"}, "perNodeHour": "55.04"},
            {
                "name": "p5-1y",
                "match": {"instanceType": "p5.48xlarge", "capacityType": "reserved"},
                "commitment": {"upfront": "262800", "nodes": 3},
                "from": "2026-01-01",
                "to": "2027-01-01",
            },
        ],
        "discounts": [{"name": "edp", "percent": "7.5"}],
    },
}


def a_node(name, machine="p5.48xlarge", gpus="8", **metadata):
    labels = {"node.kubernetes.io/instance-type": machine, **metadata.pop("labels", {})}
    gpu = {"nvidia.com/gpu": gpus} if gpus else {}
    if gpus:
        labels.setdefault("nvidia.com/gpu.product", "NVIDIA-H100-80GB-HBM3")
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, **metadata},
        "status": {"capacity": {"cpu": "192", "memory": "2048Gi", **gpu}, "allocatable": gpu},
    }


@pytest.fixture
def check(run, tmp_path):
    def call(*objects, options=()):
        path = tmp_path / "objects.yaml"
        path.write_text(yaml.safe_dump_all(objects), encoding="utf-8")
        return run("prices", "check", "-f", str(path), "--at", "2026-05-01", *options)

    return call


def test_each_node_has_its_price_the_reason_and_the_alternatives(check):
    found = check(BOOK, a_node("a"), a_node("b", labels={"karpenter.sh/capacity-type": "reserved"}))
    assert found.code == 0
    assert "mine/p5 matches by instance type" in found.out
    assert "$55.0400 per node-hour less 7.5 % (mine/edp)" in found.out
    assert "not used: mine/p5-1y: capacityType: the entry says reserved, the node unknown" in found.out
    assert "not used: mine/p5: mine/p5-1y stands before it: it names the capacity type" in found.out
    assert "mine/p5-1y: 1 of 3 promised nodes are priced by it; the others cost $60.0000 per hour" in found.out


def test_the_document_has_prices_as_exact_fractions(check):
    document = json.loads(check(BOOK, a_node("a"), options=("-o", "json")).out)
    (node,) = document["nodes"]
    price = node["price"]
    assert price["per_node_hour"]["amount"] == "50.912"
    per_gpu = Fraction(price["per_gpu_hour"]["nanos_numerator"], price["per_gpu_hour"]["nanos_denominator"])
    assert per_gpu == Fraction(50_912_000_000 - 192 * 30_000_000 - 2048 * 4_000_000, 8)
    assert node["alternatives"][0]["entry"] == "mine/p5-1y"
    assert document["unpriced"] == 0


def test_what_has_no_price_comes_with_the_entry_to_add_and_strict_fails(check):
    lonely = a_node("lonely", "p9.big")
    found = check(BOOK, lonely)
    assert found.code == 0
    assert 'instanceType: "p9.big"' in found.out
    assert 'perNodeHour: "PRICE"' in found.out
    assert check(BOOK, lonely, options=("--strict",)).code == 1
    assert check(BOOK, a_node("a"), options=("--strict",)).code == 0


def test_nodes_without_gpus_are_shown_unless_only_those_with_gpus_are_asked_for(check):
    cpu = a_node("cpu", "m7i.large", gpus="")
    assert check(BOOK, a_node("a"), cpu, options=("--strict",)).code == 1
    found = check(BOOK, a_node("a"), cpu, options=("--strict", "--gpu-only"))
    assert found.code == 0
    assert "m7i" not in found.out


def test_an_annotation_that_is_wrong_is_told_with_its_fix(check):
    bad = {"aicost.dev/price-per-gpu-hour": "-1", "aicost.dev/price-currency": "USD"}
    found = check(BOOK, a_node("a", annotations=bad), options=("--strict",))
    assert found.code == 1
    assert "Node a: annotation aicost.dev/price-per-gpu-hour: '-1': write a decimal above zero" in found.out


def test_more_nodes_than_were_promised_are_told(check):
    nodes = [a_node(f"n{n}", labels={"aicost.dev/capacity-type": "reserved"}) for n in range(5)]
    found = check(BOOK, *nodes)
    assert "5 of 3 promised nodes are priced by it: 2 more than were promised" in found.out


def test_a_book_that_is_wrong_is_noted_and_its_other_entries_hold(check):
    broken = {**BOOK, "spec": {**BOOK["spec"], "discounts": [{"name": "edp", "percent": "750"}]}}
    found = check(broken, a_node("a"), options=("--strict",))
    assert found.code == 1
    assert "note: PriceBook/mine: spec.discounts[0].percent: '750': write a percentage" in found.err
    assert "$55.0400" in found.out


def test_files_without_nodes_and_books_are_refused(run, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n", encoding="utf-8")
    found = run("prices", "check", "-f", str(path))
    assert found.code == 2
    assert "neither a Node nor a PriceBook is in it" in found.err


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-01-01T00:00:00", "-1"])
def test_a_time_that_is_none_is_refused_with_the_fix(run, text):
    found = run("prices", "check", f"--at={text}")
    assert found.code == 2
    assert "--at" in found.err
    assert "write a day such as 2026-01-31" in found.err


def test_nodes_in_files_and_a_cluster_contradict(check):
    found = check(BOOK, a_node("a"), options=("--context", "prod"))
    assert found.code == 2
    assert "leave --kubeconfig and --context out" in found.err


def test_a_node_that_makes_no_sense_is_passed_over_and_named(check):
    broken = a_node("broken")
    broken["status"]["capacity"]["cpu"] = "many"
    found = check(BOOK, a_node("a"), broken)
    assert found.code == 0
    assert "note: passed over Node broken" in found.err
