"""The demo fleet: its size, its traps, and that its script conserves."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from fleet import cli, demo, kubernetes, truth
from fleet.builders import DOLLAR
from fleet.live import facts
from fleet.series import exporters

BASE = 1_795_000_000_000
HOUR = 3_600_000
EXAMPLES = Path(__file__).parents[3] / "examples" / "demo"


@pytest.fixture(scope="module")
def fleet():
    return demo.fleet(BASE)


def test_eight_nodes_have_sixty_four_gpus(fleet):
    assert len(fleet.nodes) == 8
    assert len({gpu.uuid for node in fleet.nodes for gpu in node.gpus}) == 64


def test_every_exporter_of_the_demo_answers_with_valid_text(fleet):
    answers = [exporter.answer(BASE + 600_000) for exporter in exporters(fleet)]
    assert len(answers) == 9
    for answer in answers:
        assert sum(len(family.samples) for family in text_string_to_metric_families(answer.text)) >= 6 * 7


def test_the_traps_are_there(fleet):
    dialects = {node.name: node.exporters[0].dialect for node in fleet.nodes}
    assert set(dialects.values()) == {"4.8.2", "4.8.3", "4.9", "4.9-percent"}
    assert [node.name for node in fleet.nodes if node.price is None] == ["lab-a"]
    assert [node.name for node in fleet.nodes if len(node.exporters) == 2] == ["serve-a"]


def test_an_hour_of_the_demo_conserves_and_serves_three_teams(fleet):
    bill = truth.amounts(fleet, BASE, BASE + HOUR)
    assert truth.totals(fleet, bill, "device") == truth.capacity(fleet, BASE, BASE + HOUR)
    assert set(truth.totals(fleet, bill, "team")) == {*demo.TEAMS.values(), None}
    assert set(truth.totals(fleet, bill, "bucket")) == {
        "used",
        "allocated-idle",
        "allocated-unmeasured",
        "unallocated",
        "unhealthy",
    }


def test_the_gpu_price_of_a_cloud_node_is_what_cpu_and_memory_leave():
    p5 = demo.PRICES["p5.48xlarge"]
    assert p5.gpu_nanos_per_hour(BASE, 8) * 8 == 55_040_000_000 - 192 * 30_000_000 - 2048 * 4_000_000


def test_the_printed_nodes_make_the_same_nodes_again(capsys):
    cli.main(["nodes"])
    items = json.loads(capsys.readouterr().out)["items"]
    nodes = [facts.sim_node(item) for item in items]
    assert [(node.name, node.model, len(node.gpus)) for node in nodes] == [
        (node.name, node.model, 8) for node in demo.nodes(BASE)
    ]
    allocatable = {item["metadata"]["name"]: item["status"]["allocatable"][kubernetes.GPU] for item in items}
    assert allocatable == {node.name: "7" if node.name == "batch-a" else "8" for node in nodes}


def manifests(kind):
    documents = (item for path in sorted(EXAMPLES.glob("*.yaml")) for item in yaml.safe_load_all(path.read_text()))
    return [item for item in documents if item["kind"] == kind]


def gpu_templates():
    workloads = [item for kind in ("Deployment", "StatefulSet", "Job") for item in manifests(kind)]
    return [item["spec"]["template"] for item in workloads] + manifests("Pod")


def test_each_workload_of_the_manifests_can_run_and_says_what_it_does():
    pools = set(demo.POOLS.values())
    assert len(gpu_templates()) == 9
    for template in gpu_templates():
        assert facts.gpus_wanted(template) > 0
        assert template["spec"]["nodeSelector"]["pool"] in pools
        facts.program(template)
        facts.memory(template)


def test_the_manifests_have_the_namespaces_and_exporters_that_the_script_has(fleet):
    teams = {item["metadata"]["name"]: item["metadata"].get("labels", {}) for item in manifests("Namespace")}
    assert {name: labels["aicost.dev/team"] for name, labels in teams.items() if labels} == demo.TEAMS
    assert all(facts.is_exporter(item["spec"]["template"]) for item in manifests("DaemonSet"))


def test_the_price_book_is_what_the_truth_uses():
    (book,) = (item["spec"] for item in manifests("PriceBook"))
    rates = {name: int(Fraction(text) * DOLLAR) for name, text in book["referenceRates"].items()}
    assert rates == {"cpuCoreHour": demo.CPU_HOUR, "memoryGibHour": demo.MEMORY_HOUR}
    asked = {}
    for entry in book["entries"]:
        price = demo.PRICES[entry["match"]["instanceType"]]
        asked[entry["match"]["instanceType"]] = price
        text = entry["perGpuHour" if price.per_gpu else "perNodeHour"]
        assert int(Fraction(text) * DOLLAR) == price.steps[0].nanos_per_hour
    assert asked == {kind: price for kind, price in demo.PRICES.items() if price is not None}
